//! The server's reply to a request: its text, decoded by the caller.
//!
//! Relies on `protocol` and `error`. Invariant: the reading thread moves the text and never builds a
//! tree of it.

use std::{collections::HashMap, ops::Range};

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Value, value::RawValue};

use crate::{
    error::{Error, OVERLOADED, Result},
    protocol::{
        self,
        envelope::{ReplyOutcome, whole_number},
    },
};

#[derive(Debug, Clone)]
pub(crate) struct RawReply {
    text: String,
    part: Range<usize>,
    is_error: bool,
}

impl RawReply {
    /// `outcome` borrows from `text`, of which it copies the part.
    pub(crate) fn copied(outcome: ReplyOutcome<'_>) -> RawReply {
        let (part, is_error) = parts(outcome);
        RawReply { text: part.to_owned(), part: 0..part.len(), is_error }
    }

    /// Where in `text` the outcome, which borrows from it, stands; for [`moved`](Self::moved).
    pub(crate) fn range(outcome: ReplyOutcome<'_>, text: &str) -> (Range<usize>, bool) {
        let (part, is_error) = parts(outcome);
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        (start..start + part.len(), is_error)
    }

    /// Takes the text over.
    pub(crate) fn moved(text: String, (part, is_error): (Range<usize>, bool)) -> RawReply {
        RawReply { text, part, is_error }
    }

    /// A result that was received before.
    pub(crate) fn from_result(text: &str) -> RawReply {
        RawReply { part: 0..text.len(), text: text.to_owned(), is_error: false }
    }

    /// The JSON text of the outcome, whichever it is.
    pub(crate) fn text(&self) -> &str {
        &self.text[self.part.clone()]
    }

    /// The JSON text of the error, if it is one.
    pub(crate) fn error(&self) -> Option<&str> {
        self.is_error.then(|| self.text())
    }

    /// The JSON text of the result.
    ///
    /// # Errors
    /// The server answered with an error.
    pub(crate) fn result(&self, method: &str) -> Result<&str> {
        let part = self.text();
        if !self.is_error {
            return Ok(part);
        }
        Err(match ServerError::read(part) {
            Ok(ServerError { code, message, data }) => {
                Error::Rpc { method: method.to_owned(), code, message, data: data.map(Box::new) }
            }
            Err(source) => Error::decode(format!("the error response to {method}"), part, source),
        })
    }

    /// # Errors
    /// The server refused the request as overloaded.
    pub(crate) fn check_overload(&self, method: &str) -> Result<()> {
        match self.is_error.then(|| self.result(method)) {
            Some(Err(error @ Error::Rpc { code: OVERLOADED, .. })) => Err(error),
            _ => Ok(()),
        }
    }

    /// The result, decoded.
    ///
    /// # Errors
    /// The server answered with an error, or with a result of another shape; the error names the path.
    pub(crate) fn decode<T: DeserializeOwned>(&self, method: &str) -> Result<T> {
        let result = self.result(method)?;
        protocol::decode(result)
            .map_err(|source| Error::decode(format!("the result of {method}"), result, source))
    }
}

/// The error in a reply, whatever stands beside its code.
struct ServerError {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl ServerError {
    /// # Errors
    /// It has no code.
    fn read(text: &str) -> serde_json::Result<ServerError> {
        // A map takes a name that comes twice, and each value is decoded by itself.
        let members: HashMap<String, &RawValue> = serde_json::from_str(text)?;
        let code = members.get("code").ok_or_else(|| serde_json::Error::missing_field("code"))?;
        let code = serde_json::from_str(code.get()).or_else(|error| {
            // `-32001.0` is the same number in JSON.
            let number: f64 = serde_json::from_str(code.get())?;
            whole_number(number).ok_or(error)
        })?;
        let message = members.get("message").map_or_else(String::new, |message| match tree(message) {
            Value::String(message) => message,
            Value::Null => String::new(),
            _ => message.get().to_owned(),
        });
        let data = members.get("data").map(|data| tree(data)).filter(|data| !data.is_null());
        Ok(ServerError { code, message, data })
    }
}

/// The value, or its text if no tree can hold it: nested too deep, a number too large.
fn tree(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::from(raw.get()))
}

fn parts(outcome: ReplyOutcome<'_>) -> (&str, bool) {
    match outcome {
        ReplyOutcome::Result(part) => (part, false),
        ReplyOutcome::Error(part) => (part, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> Error {
        RawReply::copied(ReplyOutcome::Error(text)).result("m").unwrap_err()
    }

    #[test]
    fn code_and_message_survive_whatever_stands_beside_them() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (data, kept) in [
            (deep.as_str(), Some(Value::from(deep.as_str()))),
            ("1e999", Some(Value::from("1e999"))),
            (r#"{"a":1,"a":2}"#, Some(serde_json::json!({ "a": 2 }))),
            ("[1]", Some(serde_json::json!([1]))),
            ("null", None),
        ] {
            for text in [
                format!(r#"{{"code":-32001,"message":"no","data":{data}}}"#),
                format!(r#"{{"data":{data},"message":"no","code":-32001.0,"x":{data}}}"#),
                format!(r#"{{"code":7,"code":-32001,"message":"no","data":1,"data":{data}}}"#),
            ] {
                let Error::Rpc { code: OVERLOADED, message, data, .. } = error_of(&text) else {
                    unreachable!("{text}")
                };
                assert_eq!((message.as_str(), data.as_deref()), ("no", kept.as_ref()), "{text}");
                assert!(RawReply::copied(ReplyOutcome::Error(&text)).check_overload("m").is_err());
            }
        }
    }

    #[test]
    fn a_message_of_another_type_is_shown_as_json() {
        for (message, shown) in [("null", ""), (r#"{"a":"b"}"#, r#"{"a":"b"}"#), ("1e999", "1e999")] {
            let error = error_of(&format!(r#"{{"code":1,"message":{message}}}"#));
            assert!(matches!(&error, Error::Rpc { message, .. } if message == shown), "{error:?}");
        }
        assert!(matches!(error_of(r#"{"code":1}"#), Error::Rpc { message, .. } if message.is_empty()));
    }

    #[test]
    fn an_error_without_a_code_is_shown_as_it_came() {
        for text in
            ["null", "\"no\"", "[1,\"no\"]", r#"{"message":"no"}"#, r#"{"code":"x"}"#, r#"{"code":1e999}"#]
        {
            let error = error_of(text);
            assert!(matches!(&error, Error::Decode { raw, .. } if &**raw == text), "{error:?}");
            assert!(error.to_string().contains(text));
        }
    }
}
