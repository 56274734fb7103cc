//! Settings of Codex on the server's command line, as `-c key=TOML`.
//!
//! Relies on `error`. Invariant: what is written is TOML that the server reads, because it takes what it can't read
//! for a string, without a word.

use std::{ffi::OsString, fmt::Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The server reads 79 levels.
const MAX_DEPTH: usize = 64;

/// A setting as the program has given it.
#[derive(Clone)]
pub(in crate::transport::stdio) struct Override {
    key: String,
    value: Result<Value>,
}

impl Override {
    pub(in crate::transport::stdio) fn new(key: String, value: impl Serialize) -> Override {
        let value = serde_json::to_value(value).map_err(|source| {
            Error::invalid_because(format!("the value of the setting {key:?} can't be serialized"), source)
        });
        Override { key, value }
    }

    pub(in crate::transport::stdio) fn key(&self) -> &str {
        &self.key
    }
}

/// The arguments for these settings, the later of which win.
///
/// The server splits a key at every dot, also within quotes. A name that is not a bare key of TOML therefore becomes
/// a key of an inline table, its parent. The server merges that with its files, but puts it in the place of what
/// earlier arguments have set there, so it repeats those.
pub(super) fn arguments(overrides: &[Override]) -> Result<Vec<OsString>> {
    let mut all = Value::Object(Map::new());
    let mut arguments = Vec::new();
    for Override { key, value } in overrides {
        let path = split_key(key)?;
        let value = value.clone()?;
        check(&value, MAX_DEPTH.saturating_sub(path.len())).map_err(|why| {
            Error::invalid(format!("the setting {key:?} has no form in TOML: its value {why}"))
        })?;
        *at(&mut all, &path) = value;
        let bare = path.iter().take_while(|name| is_bare(name)).count();
        if bare == 0 {
            return Err(Error::invalid(format!(
                "the setting {key:?} can't be given on the command line: its first name must consist of letters, \
                 digits, `_` and `-`"
            )));
        }
        let mut argument = path[..bare].join(".");
        argument.push('=');
        write_toml(&mut argument, at(&mut all, &path[..bare]));
        arguments.extend(["-c".into(), argument.into()]);
    }
    Ok(arguments)
}

/// The value at this path, whose tables are made if they are missing.
fn at<'a>(tree: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(tree, |tree, name| {
        if !tree.is_object() {
            *tree = Value::Object(Map::new());
        }
        // An object by now: indexing adds what is missing.
        &mut tree[name.as_str()]
    })
}

/// The names between the dots of a key, without their quotes.
fn split_key(key: &str) -> Result<Vec<String>> {
    let invalid = |why: &str| Error::invalid(format!("the key of the setting {key:?} {why}"));
    if key.contains('=') {
        return Err(invalid("contains `=`"));
    }
    let (mut path, mut rest) = (Vec::new(), key.trim());
    loop {
        let name = match rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                rest = after;
                if name.contains(|letter: char| {
                    letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '\'' | '\\')
                }) {
                    return Err(invalid("has a name that needs quotes"));
                }
                name.to_owned()
            }
            Some(quote) => {
                let (name, after) = quoted(&rest[1..], quote)
                    .ok_or_else(|| invalid("has a quoted name with no end, or with an unknown escape"))?;
                rest = after;
                name
            }
        };
        if name.is_empty() {
            return Err(invalid("is empty, or has an empty name"));
        }
        path.push(name);
        rest = match rest.strip_prefix('.') {
            Some(rest) => rest,
            None if rest.is_empty() => break,
            None => return Err(invalid("has more than a dot after a quoted name")),
        };
    }
    match path.len() < MAX_DEPTH {
        true => Ok(path),
        false => Err(invalid("has too many names")),
    }
}

/// A quoted name up to its end, and what follows.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Some((name, &text[at + 1..])),
            '\\' if quote == '"' => name.push(match letters.next()?.1 {
                escaped @ ('"' | '\\') => escaped,
                _ => return None,
            }),
            _ => name.push(letter),
        }
    }
    None
}

/// Whether TOML needs no quotes around this name.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// # Errors
/// What a value is that TOML can't express, or the server can't read.
fn check(value: &Value, depth: usize) -> std::result::Result<(), &'static str> {
    let deeper = || depth.checked_sub(1).ok_or("is nested too deeply");
    match value {
        Value::Null => Err("is or contains null, or a number that is not finite"),
        Value::Number(number) if number.as_i64().is_none() && !number.is_f64() => {
            Err("is or contains an integer beyond 64 bits with a sign")
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(items) => {
            let depth = deeper()?;
            items.iter().try_for_each(|item| check(item, depth))
        }
        Value::Object(members) => {
            let depth = deeper()?;
            members.values().try_for_each(|member| check(member, depth))
        }
    }
}

/// Writes a value that has been checked.
fn write_toml(text: &mut String, value: &Value) {
    match value {
        // Tables that were made for a path are never null once the value is in its place.
        Value::Null => {}
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => write_string(text, string),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_toml(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                match is_bare(name) {
                    true => text.push_str(name),
                    false => write_string(text, name),
                }
                text.push('=');
                write_toml(text, member);
            }
            text.push('}');
        }
    }
}

/// Writes a basic string. Control characters are escaped, so the argument is one line.
fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            // Writing to a string can't fail.
            _ if letter.is_control() => drop(write!(text, "\\u{:04X}", u32::from(letter))),
            _ => text.push(letter),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The settings as the server gets them.
    fn told(settings: &[(&str, Value)]) -> Result<Vec<String>> {
        let overrides: Vec<_> =
            settings.iter().map(|(key, value)| Override::new((*key).to_owned(), value)).collect();
        let arguments = arguments(&overrides)?;
        let arguments: Vec<_> = arguments.into_iter().map(|text| text.into_string().unwrap()).collect();
        assert!(arguments.iter().step_by(2).all(|flag| flag == "-c"), "{arguments:?}");
        Ok(arguments.into_iter().skip(1).step_by(2).collect())
    }

    #[test]
    fn values_are_written_as_toml() {
        for (value, toml) in [
            (json!("x"), r#""x""#),
            (json!("a\"b\\c\n\t\u{1}\u{7f}\u{85}é"), r#""a\"b\\c\n\t\u0001\u007F\u0085é""#),
            (json!("2026-01-01"), r#""2026-01-01""#),
            (json!(true), "true"),
            (json!(-5), "-5"),
            (json!(i64::MAX), "9223372036854775807"),
            (json!(1.0), "1.0"),
            (json!(1e300), "1e+300"),
            (json!([1, [], { "a": [2] }]), "[1,[],{a=[2]}]"),
            (json!({ "a.b": { "": 1, "c d": "e" } }), r#"{"a.b"={""=1,"c d"="e"}}"#),
        ] {
            assert_eq!(told(&[("k", value)]).unwrap(), [format!("k={toml}")]);
        }
    }

    #[test]
    fn names_are_separated_by_dots_and_what_needs_quotes_becomes_a_key_of_an_inline_table() {
        for (key, argument) in [
            ("a", "a=1"),
            (" a-b.c_d.E2 ", "a-b.c_d.E2=1"),
            ("a.\"b\".'c'", "a.b.c=1"),
            ("a.\"b.c\".d", "a={\"b.c\"={d=1}}"),
            ("a.'b.c'", "a={\"b.c\"=1}"),
            (r#"a.b."c\"\\"."#.trim_end_matches('.'), r#"a.b={"c\"\\"=1}"#),
            ("projects./my/project.level", "projects={\"/my/project\"={level=1}}"),
        ] {
            assert_eq!(told(&[(key, json!(1))]).unwrap(), [argument]);
        }
    }

    #[test]
    fn an_inline_table_repeats_what_was_set_before_in_its_place() {
        let settings = [
            ("m.a.on", json!(false)),
            ("m.\"b.c\".on", json!(false)),
            ("m.a.on", json!(true)),
            ("x", json!(1)),
        ];
        let expected = ["m.a.on=false", "m={a={on=false},\"b.c\"={on=false}}", "m.a.on=true", "x=1"];
        assert_eq!(told(&settings).unwrap(), expected);
        // A value takes the place of a table, as it does on the server.
        let settings = [("m.a", json!(1)), ("m", json!({ "b": 2 })), ("m.'c.d'", json!(3))];
        assert_eq!(told(&settings).unwrap(), ["m.a=1", "m={b=2}", "m={b=2,\"c.d\"=3}"]);
    }

    #[test]
    fn what_the_server_would_misread_is_invalid() {
        let deep = |levels| (0..levels).fold(json!(1), |value, _| json!([value]));
        for (key, value) in [
            ("", json!(1)),
            (" ", json!(1)),
            (".", json!(1)),
            ("a.", json!(1)),
            (".a", json!(1)),
            ("a..b", json!(1)),
            ("a.\"\"", json!(1)),
            ("a=b", json!(1)),
            ("a.\"b=c\"", json!(1)),
            ("\"a.b\"", json!(1)),
            ("a.\"b", json!(1)),
            ("a.\"b\"c", json!(1)),
            ("a.b\"c\"", json!(1)),
            ("a.\"\\n\"", json!(1)),
            ("a b", json!(1)),
            (&"a.".repeat(100), json!(1)),
            ("k", json!(null)),
            ("k", json!([{ "a": null }])),
            ("k", json!(f64::NAN)),
            ("k", json!(u64::MAX)),
            ("k", deep(64)),
        ] {
            let error = told(&[(key, value)]).unwrap_err();
            assert_eq!(error.code(), "invalid_input", "{key}");
        }
        assert!(told(&[("k", deep(63))]).is_ok());
    }
}
