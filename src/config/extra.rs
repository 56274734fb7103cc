//! Parameters that this version of the crate has no setter for.
//!
//! Relies on serde_json. Invariant: none replaces a parameter that a setter or the client sends.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    excerpt::Excerpt,
};

/// Parameters by their names in the protocol.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Extra(BTreeMap<String, Value>);

impl Extra {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a parameter; an earlier one of the same name is replaced.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    pub(crate) fn merge(mut self, later: Extra) -> Extra {
        self.0.extend(later.0);
        self
    }

    /// # Errors
    /// `InvalidInput` if a name is one of these setters, in the protocol's form, or one of `others`.
    pub(crate) fn check(&self, setters: &[&str], others: &[&str]) -> Result<()> {
        for name in self.0.keys() {
            if let Some(setter) = setters.iter().find(|setter| is_of(setter, name)) {
                return Err(Error::invalid(format!(
                    "`extra` can't set `{name}`: use its setter, `{setter}`"
                )));
            }
            if others.contains(&name.as_str()) {
                return Err(Error::invalid(format!("`extra` can't set `{name}`: the client sends it")));
            }
        }
        Ok(())
    }

    /// # Errors
    /// `InvalidInput` if a name is among the members of these parameters.
    pub(crate) fn check_against(&self, params: &impl Serialize) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let params = serde_json::to_value(params).unwrap_or_default();
        match self.0.keys().find(|name| params.get(name.as_str()).is_some()) {
            Some(name) => Err(Error::invalid(format!("`extra` can't set `{name}`: a setter does"))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Extra {
    /// Only the names: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = self.0.keys().map(|name| (Excerpt(name).to_string(), format_args!("…")));
        f.debug_map().entries(masked).finish()
    }
}

/// Whether a parameter of the protocol is the one of this setter: `cwd`, `approvalPolicy`.
fn is_of(setter: &str, name: &str) -> bool {
    let mut letters = name.chars();
    let is_same = setter.split('_').enumerate().all(|(nth, word)| {
        word.chars().enumerate().all(|(at, letter)| {
            let expected = if nth > 0 && at == 0 { letter.to_ascii_uppercase() } else { letter };
            letters.next() == Some(expected)
        })
    });
    is_same && letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setter_is_known_by_the_protocols_form_of_its_name() {
        for (setter, name) in [("cwd", "cwd"), ("approval_policy", "approvalPolicy"), ("a_b_c", "aBC")] {
            assert!(is_of(setter, name), "{setter} {name}");
        }
        for (setter, name) in
            [("cwd", "cw"), ("cwd", "cwdX"), ("approval_policy", "approval_policy"), ("a_b", "ab")]
        {
            assert!(!is_of(setter, name), "{setter} {name}");
        }
    }
}
