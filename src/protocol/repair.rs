//! Repairs text that is almost JSON: bytes that are not UTF-8, and surrogates without their other half. Breaks
//! the one key that means something to serde_json.
//!
//! Relies on memchr. Invariant: what stands for no character becomes U+FFFD, and so does the first character of
//! that key; everything else stays as it is, and text that needs no repair is neither copied nor changed.

use std::borrow::Cow;

use memchr::memmem::Finder;

/// An object with this key is not parsed as one: serde_json takes its value as JSON text, and parses that without
/// counting how deep it is nested, so that half a megabyte from a peer would overflow the stack.
pub(crate) const RAW_VALUE_KEY: &str = "$serde_json::private::RawValue";

/// The length in bytes up to which one look for a single byte comes first.
const SHORT: usize = 512;

/// Finds what needs repair.
pub(crate) struct Repair {
    unicode_escape: Finder<'static>,
    /// The beginning of [`RAW_VALUE_KEY`] as a string.
    dollar: Finder<'static>,
}

impl Repair {
    pub(crate) fn new() -> Self {
        Repair { unicode_escape: Finder::new(br"\u"), dollar: Finder::new(b"\"$") }
    }

    /// The text of a frame, and whether it had to be repaired.
    pub(crate) fn text<'a>(&self, frame: Cow<'a, [u8]>) -> (Cow<'a, str>, bool) {
        let (text, is_utf8) = match frame {
            Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (Cow::Borrowed(text), true),
                Err(_) => (Cow::Owned(String::from_utf8_lossy(bytes).into_owned()), false),
            },
            Cow::Owned(bytes) => match String::from_utf8(bytes) {
                Ok(text) => (Cow::Owned(text), true),
                Err(error) => (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), false),
            },
        };
        // Most short texts have neither escapes nor such keys, which this finds faster; a second look costs more
        // where there are some.
        if text.len() < SHORT && memchr::memchr2(b'\\', b'$', text.as_bytes()).is_none() {
            return (text, !is_utf8);
        }
        let (text, is_whole) = match self.without_lone_surrogates(&text) {
            Some(repaired) => (Cow::Owned(repaired), false),
            None => (text, is_utf8),
        };
        match self.without_raw_values(&text) {
            Some(repaired) => (Cow::Owned(repaired), true),
            None => (text, !is_whole),
        }
    }

    /// `None`: there are none. One whose first character is escaped is found with the surrogates.
    fn without_raw_values(&self, text: &str) -> Option<String> {
        let mut repaired = String::new();
        let mut copied = 0;
        for at in self.dollar.find_iter(text.as_bytes()) {
            if is_raw_value_key(&text[at + 1..]) {
                repaired.push_str(&text[copied..=at]);
                repaired.push(char::REPLACEMENT_CHARACTER);
                copied = at + 2;
            }
        }
        (copied > 0).then(|| repaired + &text[copied..])
    }

    /// `None`: there are none.
    fn without_lone_surrogates(&self, text: &str) -> Option<String> {
        let mut repaired = String::new();
        let mut copied = 0;
        let mut paired = 0;
        for at in self.unicode_escape.find_iter(text.as_bytes()) {
            if at < paired || !is_escape(text.as_bytes(), at) {
                continue;
            }
            match surrogate_at(text, at) {
                None if !is_raw_value_key(&text[at..]) => {}
                Some(Half::High) if surrogate_at(text, at + 6) == Some(Half::Low) => paired = at + 12,
                _ => {
                    repaired.push_str(&text[copied..at]);
                    repaired.push_str(r"\ufffd");
                    copied = at + 6;
                }
            }
        }
        (copied > 0).then(|| repaired + &text[copied..])
    }
}

/// Whether a string begins here that is [`RAW_VALUE_KEY`], in whatever way it is escaped.
fn is_raw_value_key(text: &str) -> bool {
    // Most do not even begin like it.
    if !text.starts_with(['$', '\\']) {
        return false;
    }
    let mut rest = text;
    for letter in RAW_VALUE_KEY.chars() {
        rest = match rest.strip_prefix(letter) {
            Some(after) => after,
            None => match rest.get(..6).filter(|escape| is_escaped(escape, letter)) {
                Some(_) => &rest[6..],
                None => return false,
            },
        };
    }
    rest.starts_with('"')
}

/// Whether this is the escape of an ASCII letter.
fn is_escaped(escape: &str, letter: char) -> bool {
    let digits = escape.strip_prefix(r"\u");
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) == Some(u32::from(letter))
}

#[derive(PartialEq)]
enum Half {
    High,
    Low,
}

/// Whether the backslash there begins an escape, and is not escaped itself.
fn is_escape(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
}

/// The half of a surrogate pair that is escaped there.
fn surrogate_at(text: &str, at: usize) -> Option<Half> {
    let digits = text.get(at..at + 6)?.strip_prefix(r"\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Option<String> {
        Repair::new().without_lone_surrogates(text)
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        for (broken, whole) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""a\uDE00b""#, r#""a\ufffdb""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83dx\ude00""#, r#""\ufffdx\ufffd""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(repaired(broken).as_deref(), Some(whole));
            serde_json::from_str::<String>(whole).unwrap();
        }
    }

    #[test]
    fn whole_pairs_and_escaped_backslashes_stay() {
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u00e9\n""#, r#""\u12"#, ""] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }

    #[test]
    fn the_key_that_serde_json_takes_for_raw_text_is_broken_however_it_is_escaped() {
        let repair = Repair::new();
        for (key, broken) in [
            (r#""$serde_json::private::RawValue""#, "\u{fffd}"),
            (r#""\u0024serde_json::private::RawValue""#, r"\ufffd"),
            (r#""$serde_json::private::Raw\u0056alue""#, "\u{fffd}"),
            (r#""\u0024\u0073erde_json\u003a\u003Aprivate::RawValue""#, r"\ufffd"),
        ] {
            let text = format!(r#"[{{{key}:"["}},{{"a":1,{key}:"["}}]"#);
            let (repaired, was_repaired) = repair.text(Cow::Borrowed(text.as_bytes()));
            assert!(was_repaired && repaired.matches(broken).count() == 2, "{repaired}");
            let tree: serde_json::Value = serde_json::from_str(&repaired).unwrap();
            assert!(tree[0].to_string().contains("RawValue"), "{tree}");
        }
        for text in [
            r#"{"$":1,"$serde_json":2,"$serde_json::private::RawValues":3,"x$serde_json::private::RawValue":4}"#,
            r#""\\u0024serde_json::private::RawValue""#,
            r#""\"$serde_json::private::RawValue\"""#,
        ] {
            let (same, was_repaired) = repair.text(Cow::Borrowed(text.as_bytes()));
            assert!(same == text && !was_repaired, "{same}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced_and_told() {
        let repair = Repair::new();
        let (text, was_repaired) = repair.text(Cow::Borrowed(b"\"a\xffb\""));
        assert_eq!((&*text, was_repaired), ("\"a\u{fffd}b\"", true));
        let (text, was_repaired) = repair.text(Cow::Borrowed(b"\"ab\""));
        assert!(matches!(text, Cow::Borrowed("\"ab\"")) && !was_repaired);
    }
}
