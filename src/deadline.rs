//! One deadline per call, computed once, with the name of the limit it stands for.
//!
//! Relies on `error` only. Invariant: every call computes its deadline once, from a limit that the
//! caller can name and set, and every wait on the way ends with it.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::error::Error;

/// The name of a time limit, as [`Error::Timeout`] tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// `connect_timeout` of the transport: until the server can be spoken to.
    Connect,
    /// `request_timeout`: from the call of a request to its reply.
    Request {
        /// The method that was not answered.
        method: String,
    },
    /// The wait for a turn to end after it was interrupted (`request_timeout`).
    TurnEnd {
        /// The turn.
        turn_id: String,
    },
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timeout::Connect => f.write_str("connect_timeout: the server could not be reached"),
            Timeout::Request { method } => write!(f, "request_timeout: no reply to {method}"),
            Timeout::TurnEnd { turn_id } => {
                write!(f, "request_timeout: the interrupted turn {turn_id} did not end")
            }
        }
    }
}

/// A point in time after which a wait fails, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    after: Duration,
}

impl Deadline {
    /// Begins now. `None`, and a time too far away for the clock, mean: for ever.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        let at = limit.and_then(|limit| Instant::now().checked_add(limit));
        Deadline { at, after: limit.unwrap_or(Duration::MAX) }
    }

    pub(crate) fn at(&self) -> Option<Instant> {
        self.at
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.at.is_some_and(|at| Instant::now() >= at)
    }

    /// The error of the limit this deadline stands for.
    pub(crate) fn error(&self, limit: Timeout) -> Error {
        Error::Timeout { limit, after: self.after }
    }
}

/// The earlier of two moments, where `None` is never.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_limit_never_passes_and_does_not_overflow() {
        let deadline = Deadline::after(Some(Duration::MAX));
        assert!(deadline.at().is_none() && !deadline.has_passed());
    }

    #[test]
    fn a_zero_limit_has_passed_at_once() {
        assert!(Deadline::after(Some(Duration::ZERO)).has_passed());
    }
}
