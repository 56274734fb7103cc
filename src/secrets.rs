//! What must not be shown, even if the server repeats it.
//!
//! Relies on nothing. Invariant: text of a server that has been given a secret becomes part of an error only through
//! [`Secrets::mask`].

/// The fewest bytes of the beginning of a secret that are masked at the end of a text that was cut off.
const SHORTEST_PART: usize = 4;

/// The texts that are secret.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: &str) {
        if !secret.is_empty() {
            self.0.push(secret.to_owned());
            // A secret may be part of another one.
            self.0.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// The text in one line, with the secrets replaced. It may end in the middle of one.
    pub(crate) fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            let cuts = secret.char_indices().map(|(at, _)| at).rev().take_while(|at| *at >= SHORTEST_PART);
            if let Some(cut) = cuts.into_iter().find(|at| text.ends_with(&secret[..*at])) {
                text.truncate(text.len() - cut);
                text.push('…');
            }
        }
        for secret in &self.0 {
            text = text.replace(secret.as_str(), "…");
        }
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_wherever_it_stands_whole_or_cut_off_at_the_end() {
        let mut secrets = Secrets::default();
        for secret in ["top", "top-secret", "", "blå-bær"] {
            secrets.add(secret);
        }
        for (text, masked) in [
            ("no: top-secret, top", "no: …, …"),
            ("no: top-sec", "no: …"),
            ("bad key blå-b", "bad key …"),
            ("blå", "…"),
            ("bl", "bl"),
            ("two\nlines", "two lines"),
            ("", ""),
        ] {
            assert_eq!(secrets.mask(text), masked);
        }
    }
}
