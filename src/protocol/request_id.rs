//! The id of a request: a number or a text, and never one for the other.
//!
//! Relies on serde. Invariant: an id goes back with the JSON type it came with; the server ignores
//! `"12"` where it asked with `12`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a request, in the JSON type it was sent with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "JSON-RPC knows no other ids")]
pub enum RequestId {
    /// A number.
    Number(i64),
    /// A text, also an empty one.
    Text(String),
}

impl fmt::Display for RequestId {
    /// Texts are quoted, so that `12` and `"12"` differ in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestId::Number(number) => number.fmt(f),
            RequestId::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl From<i64> for RequestId {
    fn from(number: i64) -> Self {
        RequestId::Number(number)
    }
}

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        RequestId::Text(text.to_owned())
    }
}
