//! The id of a request, whose JSON type is part of it: `12` and `"12"` are two ids.
//!
//! Relies on serde only. Invariant: an id is written as it was read.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a request. The server's ids and the client's are two spaces that overlap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the wire has these two and drops all others")]
pub enum RequestId {
    /// A number.
    Integer(i64),
    /// A string, which may be empty.
    String(String),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestId::Integer(id) => id.fmt(f),
            RequestId::String(id) => fmt::Debug::fmt(id, f),
        }
    }
}

impl From<i64> for RequestId {
    fn from(id: i64) -> Self {
        RequestId::Integer(id)
    }
}

impl From<String> for RequestId {
    fn from(id: String) -> Self {
        RequestId::String(id)
    }
}

impl From<&str> for RequestId {
    fn from(id: &str) -> Self {
        RequestId::String(id.to_owned())
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RequestId::Integer(id) => serializer.serialize_i64(*id),
            RequestId::String(id) => serializer.serialize_str(id),
        }
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = RequestId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request id (an integer or a string)")
            }
            fn visit_i64<E>(self, id: i64) -> Result<RequestId, E> {
                Ok(RequestId::Integer(id))
            }
            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<RequestId, E> {
                i64::try_from(id).map(RequestId::Integer).map_err(|_| E::custom("a request id beyond 2^63-1"))
            }
            fn visit_str<E>(self, id: &str) -> Result<RequestId, E> {
                Ok(RequestId::String(id.to_owned()))
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

impl super::open::Part for RequestId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_json_type() {
        for text in ["12", "\"12\"", "-1", "\"\"", "9223372036854775807"] {
            let id: RequestId = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&id).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["null", "true", "1.5", "9223372036854775808", "{}", "[]"] {
            assert!(serde_json::from_str::<RequestId>(text).is_err(), "{text}");
        }
    }
}
