//! Request ids: numbers or strings, which are never converted into each other.
//!
//! Relies on serde and `excerpt`. Invariant: an id is sent back with the JSON type in which it arrived; the server
//! ignores a response with the id `"12"` if its request had `12`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::excerpt::{self, abridged_debug};

/// The id of a request, with its JSON type.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "JSON-RPC knows no other ids")]
pub enum RequestId {
    /// A number.
    Number(i64),
    /// A string, possibly empty.
    Text(String),
}

abridged_debug!(
    enum RequestId {
        Number(number),
        Text(text),
    }
);

impl fmt::Display for RequestId {
    /// Quotes strings, so that `12` and `"12"` differ in a log. Writes the beginning of a long one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestId::Number(number) => number.fmt(f),
            RequestId::Text(text) => excerpt::debug(f, &|f| fmt::Debug::fmt(text, f)),
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
