//! The server's reply to a request: its text, decoded by the caller who wants it.
//!
//! Relies on `protocol` and `error`. Invariant: the reading thread moves the text, and never
//! builds a tree of it.

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    protocol::{self, OVERLOADED, envelope::Outcome},
};

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    text: String,
    part: Range<usize>,
    is_error: bool,
}

/// Where in a message the outcome stands.
pub(crate) struct Part {
    range: Range<usize>,
    is_error: bool,
}

impl Part {
    /// `outcome` borrows from `text`.
    pub(crate) fn of(outcome: Outcome<'_>, text: &str) -> Part {
        let (part, is_error) = match outcome {
            Outcome::Result(part) => (part, false),
            Outcome::Error(part) => (part, true),
        };
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        Part { range: start..start + part.len(), is_error }
    }
}

impl Reply {
    /// Takes a frame that has its buffer to itself over; of one that has not, copies the part.
    pub(crate) fn new(frame: Cow<'_, [u8]>, Part { range, is_error }: Part) -> Reply {
        let into_text = |bytes| String::from_utf8(bytes).unwrap_or_default();
        match frame {
            Cow::Owned(bytes) => Reply { text: into_text(bytes), part: range, is_error },
            Cow::Borrowed(bytes) => {
                let text = into_text(bytes[range].to_vec());
                Reply { part: 0..text.len(), text, is_error }
            }
        }
    }

    /// A result that was kept.
    pub(crate) fn from_result(text: &str) -> Reply {
        Reply { part: 0..text.len(), text: text.to_owned(), is_error: false }
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
        // Whatever stands in the place of an error is an error, if need be as it is.
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
            Err(source) => Error::decode(format!("the error with which {method} was answered"), part, source),
        })
    }

    /// # Errors
    /// The server refused the request because it has too much to do.
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
