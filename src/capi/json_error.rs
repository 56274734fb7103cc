//! Says what is wrong in the JSON of the caller.
//!
//! Relies on the texts of serde's errors. Invariant: the reason names the member, is short, however long the JSON is,
//! and shows no value but a name that is not known: a value may be a secret.

use crate::excerpt::{Excerpt, Message};

/// The reason, such as "`env.PATH`: invalid type: map, expected a string at line 1 column 17".
pub(super) fn reason(text: &str, error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let shown = error.to_string();
    let message = without_value(shown.strip_suffix(&place).unwrap_or(&shown));
    let member = path(&text.as_bytes()[..offset(text, error)]);
    let member = if member.is_empty() { member } else { format!("`{}`: ", Excerpt(&member)) };
    format!("{member}{}{place}", Message(&message))
}

/// How much had been read when the error was found.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    (lines.map(str::len).sum::<usize>() + error.column()).min(text.len())
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

/// The member in which this beginning of JSON ends: "config.key", or nothing.
fn path(json: &[u8]) -> String {
    // Of each list or object that is open, the member that was begun last; a list has none.
    let mut open: Vec<Option<&[u8]>> = Vec::new();
    let mut string: &[u8] = &[];
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let begin = at;
                while let Some(byte) = json.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                string = &json[begin..at.min(json.len())];
                at += 1;
            }
            b':' => open.iter_mut().last().into_iter().for_each(|member| *member = Some(string)),
            b'{' | b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
    }
    let members: Vec<_> = open.into_iter().flatten().map(String::from_utf8_lossy).collect();
    members.join(".")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
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
        reason(json, &serde_json::from_str::<Sample>(json).unwrap_err())
    }

    #[test]
    fn a_reason_names_the_member_and_shows_no_value() {
        let cases = [
            (r#"{"number":-1}"#, "`number`: invalid value: integer, expected u8 at line 1 column 12"),
            (r#"{"env":"a secret"}"#, "`env`: invalid type: string, expected a map at line 1 column 17"),
            (r#"{"env":"x, expected \"y"}"#, "`env`: invalid type: string, expected a map at line 1 column 24"),
            (
                "{\n \"env\": {\"B\": \"\\\"}\",\n \"A:{\": null}}",
                "`env.A:{`: invalid type: null, expected a string at line 3 column 12",
            ),
            (
                r#"{"list":[{},{"number":true}]}"#,
                "`list.number`: invalid type: boolean, expected u8 at line 1 column 26",
            ),
            (
                r#"{"list":[{"moon":1}]}"#,
                "`list`: unknown field `moon`, expected one of `number`, `env`, `list` at line 1 column 16",
            ),
            ("{\"number\":}", "`number`: expected value at line 1 column 11"),
            ("x", "expected value at line 1 column 1"),
        ];
        for (json, expected) in cases {
            assert_eq!(reason_of(json), expected, "{json}");
        }
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

    proptest! {
        #[test]
        fn any_text_has_a_path(json in any::<Vec<u8>>(), text in "[\\[\\]{}:,\"\\\\é]{0,40}") {
            path(&json);
            path(text.as_bytes());
        }
    }
}
