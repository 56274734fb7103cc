//! Says what is wrong in the JSON of the caller.
//!
//! Relies on the texts of serde's errors, and on serde_path_to_error. Invariant: the reason names the member, is short, however long the JSON is,
//! and shows no value but a name that is not known: a value may be a secret.

use serde::de::DeserializeOwned;

use crate::excerpt::{Excerpt, Message};

/// Reads JSON.
///
/// # Errors
/// The reason, such as "`env.PATH`: invalid type: map, expected a string at line 1 column 17".
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| reason::<T>(text, &error))
}

fn reason<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> String {
    let place = match error.line() {
        // It was found after all was read.
        0 => String::new(),
        line => format!(" at line {line} column {}", error.column()),
    };
    let shown = error.to_string();
    let message = without_value(shown.strip_suffix(&place).unwrap_or(&shown));
    // Reading once more takes more of a stack; and nobody needs to be told the member that is nested too deeply.
    let is_too_deep = message.starts_with("recursion limit");
    let member = if is_too_deep { String::new() } else { member::<T>(text) };
    format!("{member}{}{place}", Message(&message))
}

/// The member that is wrong, in a text that is: "`env.PATH`: ".
fn member<T: DeserializeOwned>(text: &str) -> String {
    let mut json = serde_json::Deserializer::from_str(text);
    // It costs more than reading alone, so it is done only now.
    let path =
        serde_path_to_error::deserialize::<_, T>(&mut json).err().map(|error| error.path().to_string());
    match path.as_deref() {
        None | Some("." | "?") => String::new(),
        Some(path) => format!("`{}`: ", Excerpt(path)),
    }
}

/// The message without the value that serde found instead of what it had expected, but with its type.
fn without_value(message: &str) -> String {
    let parts = message.split_once(": ").zip(message.rsplit_once(", expected "));
    match parts {
        Some(((problem @ ("invalid type" | "invalid value"), found), (_, expected))) => {
            let kind = found.split(['"', '`', ',']).next().unwrap_or_default().trim_end();
            format!("{problem}: {kind}, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Sample {
        number: Option<u8>,
        env: Option<BTreeMap<String, String>>,
        list: Option<Vec<Sample>>,
    }

    fn reason_of(json: &str) -> String {
        read::<Sample>(json).unwrap_err()
    }

    #[test]
    fn a_reason_names_the_member_and_shows_no_value() {
        let cases = [
            (r#"{"number":-1}"#, "`number`: invalid value: integer, expected u8 at line 1 column 12"),
            (r#"{"env":"a secret"}"#, "`env`: invalid type: string, expected a map at line 1 column 17"),
            (
                r#"{"env":"x, expected \"y"}"#,
                "`env`: invalid type: string, expected a map at line 1 column 24",
            ),
            (
                "{\n \"env\": {\"B\": \"\\\"}\",\n \"A:{\": null}}",
                "`env.A:{`: invalid type: null, expected a string at line 3 column 12",
            ),
            (
                r#"{"list":[{},{"number":true}]}"#,
                "`list[1].number`: invalid type: boolean, expected u8 at line 1 column 26",
            ),
            (
                r#"{"list":[{"moon":1}]}"#,
                "`list[0].moon`: unknown field `moon`, expected one of `number`, `env`, `list` at line 1 column 16",
            ),
            ("{\"number\":}", "`number`: expected value at line 1 column 11"),
            ("x", "expected value at line 1 column 1"),
        ];
        for (json, expected) in cases {
            assert_eq!(reason_of(json), expected, "{json}");
        }
    }

    #[test]
    fn a_member_of_a_type_that_is_read_twice_is_named() {
        let reason = read::<crate::ThreadConfig>(r#"{"model":"m","cwd":1}"#).unwrap_err();
        assert!(reason.starts_with("`cwd`: invalid type: integer, expected "), "{reason}");
        let reason = read::<crate::ChatRequest>(r#"{"text":"x","moon":1}"#).unwrap_err();
        assert_eq!(reason, "a request has no member `moon`");
    }

    #[test]
    fn a_reason_is_short() {
        let long = "x".repeat(1_000_000);
        for json in [
            format!(r#"{{"{long}":1}}"#),
            format!(r#"{{"env":{{"{long}":1}}}}"#),
            format!(r#"{{"env":"{long}"}}"#),
            format!(r#"{{"env":{}"#, r#"{"a":"#.repeat(100_000)),
        ] {
            assert!(reason_of(&json).len() < 1500, "{}", reason_of(&json).len());
        }
    }
}
