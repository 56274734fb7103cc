//! Decoding with errors that contain the path.
//!
//! Relies on serde_json. Invariant: a valid message costs nothing extra; the path is determined only
//! after an error.

use std::cell::RefCell;

use serde::de::{DeserializeOwned, Error as _};

/// The most warnings about one message that are kept.
const MOST_WARNINGS: usize = 8;

thread_local! {
    /// Where warnings go while somebody collects them.
    static COLLECTED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Decodes a reply or the parameters of a message. An error contains the JSON path.
///
/// # Errors
///
/// Returns an error if the text isn't valid JSON, or if a required field is missing or has another type.
pub fn decode<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).map_err(|error| name_path(text, error))
}

/// Decodes on a thread that must not run the program's logger: gives the warnings, at most a few of them,
/// instead of logging them.
pub(crate) fn collect_warnings<R>(decode: impl FnOnce() -> R) -> (R, Vec<String>) {
    COLLECTED.set(Some(Vec::new()));
    let decoded = decode();
    (decoded, COLLECTED.take().unwrap_or_default())
}

/// Reports something in a message that was read as absent.
pub(super) fn warn(message: String) {
    let uncollected = COLLECTED.with_borrow_mut(|collected| match collected {
        Some(collected) if collected.len() < MOST_WARNINGS => {
            collected.push(message);
            None
        }
        Some(_) => None,
        None => Some(message),
    });
    // Outside of the borrow: the logger may decode messages itself.
    if let Some(message) = uncollected {
        log::warn!("{message}");
    }
}

/// Prefixes the error message with the path. Separate from decoding: tracking the path would slow down
/// every valid message.
#[cold]
fn name_path(text: &str, error: serde_json::Error) -> serde_json::Error {
    if !error.is_data() {
        return error;
    }
    let message = error.to_string();
    let mut path = path_at(text, error.line(), error.column());
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field);
    }
    if path.is_empty() { error } else { serde_json::Error::custom(format_args!("{path}: {message}")) }
}

/// The JSON path at this line and column of valid JSON.
fn path_at(text: &str, line: usize, column: usize) -> String {
    enum Level {
        Object(Option<String>),
        List(usize),
    }
    let bytes = text.as_bytes();
    let line_start = match line {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', bytes).nth(line - 2).map_or(0, |end| end + 1),
    };
    let end = (line_start + column).min(bytes.len());
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while at < end {
        match bytes[at] {
            b'{' => levels.push(Level::Object(None)),
            b'[' => levels.push(Level::List(0)),
            // A bracket that ends the examined text still belongs to the value that it closes.
            b'}' | b']' if at + 1 < end => {
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::Object(key)) => *key = None,
                Some(Level::List(index)) => *index += 1,
                None => {}
            },
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if let Some(Level::Object(key @ None)) = levels.last_mut() {
                    *key = text.get(start..=at).and_then(|quoted| serde_json::from_str(quoted).ok());
                }
            }
            _ => {}
        }
        at += 1;
    }
    // For an object that was just closed, the path is that of the object, not of its last member.
    let closed = end > 0 && matches!(bytes[end - 1], b'}' | b']');
    if closed {
        levels.pop();
    }
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(Some(key)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&key);
            }
            Level::Object(None) => {}
            Level::List(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}
