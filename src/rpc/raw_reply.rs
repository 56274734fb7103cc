//! The server's reply to a request: its text, decoded by the caller.
//!
//! Relies on `protocol` and `error`. Invariant: the reading thread moves the text and never builds a
//! tree of it.

use std::ops::Range;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    error::{Error, OVERLOADED, Result},
    protocol::{self, envelope::ReplyOutcome},
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

    /// The JSON text of the result.
    ///
    /// # Errors
    /// The server answered with an error.
    pub(crate) fn result(&self, method: &str) -> Result<&str> {
        let part = self.text();
        if !self.is_error {
            return Ok(part);
        }
        // Whatever stands in the place of an error is one.
        #[derive(Deserialize)]
        struct Refusal {
            code: i64,
            #[serde(default)]
            message: String,
            data: Option<Box<Value>>,
        }
        Err(match serde_json::from_str(part) {
            Ok(Refusal { code, message, data }) => {
                Error::Rpc { method: method.to_owned(), code, message, data }
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

fn parts(outcome: ReplyOutcome<'_>) -> (&str, bool) {
    match outcome {
        ReplyOutcome::Result(part) => (part, false),
        ReplyOutcome::Error(part) => (part, true),
    }
}
