//! Whether a connection is open, closing or ended, and why.
//!
//! Relies on `latch`. Invariant: the reason is stored before any thread is woken, the first reason stays, and
//! nothing reopens. Tables have no flag of their own: whoever adds an entry checks the lifecycle afterwards,
//! and removes the entry if the connection has ended in the meantime.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::latch::Latch;
use crate::error::{Error, Result};

#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    reason: OnceLock<Error>,
    /// Set when there is a reason.
    ended: Latch,
    is_closing: AtomicBool,
    /// Set when the transport has been shut down.
    closed: Latch,
}

impl Lifecycle {
    /// Ends the connection for this reason. The first reason stays.
    pub(crate) fn end(&self, reason: Error) {
        let _ = self.reason.set(reason);
        self.ended.set();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.reason.get().is_some()
    }

    /// Set once the connection has ended.
    pub(crate) fn ended(&self) -> &Latch {
        &self.ended
    }

    /// Why the connection has ended, if it has.
    pub(crate) fn reason(&self) -> Option<&Error> {
        self.reason.get()
    }

    /// The error of an operation that fails because the connection has ended.
    pub(crate) fn error(&self, doing: &str) -> Error {
        self.reason.get().map_or_else(|| Error::closed(doing), |reason| reason.while_doing(doing))
    }

    /// # Errors
    /// The connection has ended.
    pub(crate) fn check(&self, doing: &str) -> Result<()> {
        if self.has_ended() { Err(self.error(doing)) } else { Ok(()) }
    }

    /// Returns `true` for the first caller, which must then close the connection and call
    /// [`finish_closing`](Self::finish_closing).
    pub(crate) fn begin_closing(&self) -> bool {
        !self.is_closing.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn finish_closing(&self) {
        self.closed.set();
    }

    /// Waits for the thread that closes the connection.
    pub(crate) fn wait_until_closed(&self, until: Instant) {
        self.closed.wait(Some(until));
    }
}
