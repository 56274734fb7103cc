//! A call's deadline, and waiting on channels until a deadline.
//!
//! Relies on `error` only. Invariant: every call computes its deadline once, from a limit that the caller
//! can set, and every wait during the call ends at that deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

#[cfg(feature = "websocket")]
use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::error::{Error, Timeout};

/// The time at which a wait fails, or no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    after: Duration,
}

impl Deadline {
    /// Starts now. `None`, or a duration that the clock can't represent, means no limit.
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

    /// The timeout error for the limit that this deadline implements.
    pub(crate) fn error(&self, limit: Timeout) -> Error {
        Error::timeout(limit, self.after)
    }
}

/// Milliseconds, rounded up, so that a short limit does not become 0.
pub(crate) fn millis_rounded_up(limit: Duration) -> u64 {
    u64::try_from(limit.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Receives a message, waiting until `until` or, if it is `None`, indefinitely.
#[cfg(feature = "websocket")]
pub(crate) fn recv_until<T>(channel: &Receiver<T>, until: Option<Instant>) -> Result<T, RecvTimeoutError> {
    match until {
        Some(until) => channel.recv_deadline(until),
        None => channel.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// Parks this thread until it is unparked, or until that moment. May return early. `false`: the moment
/// has passed.
pub(crate) fn park_until(until: Option<Instant>) -> bool {
    match until.map(|at| at.saturating_duration_since(Instant::now())) {
        Some(Duration::ZERO) => return false,
        Some(left) => thread::park_timeout(left),
        None => thread::park(),
    }
    true
}

/// The earlier of two instants; `None` means never.
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
