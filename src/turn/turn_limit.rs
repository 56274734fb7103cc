//! The limit on a whole turn, for one chat.
//!
//! Relies on `control` for the interrupt. Invariant: the turn is interrupted once, by whoever first notices that the
//! limit has passed: the reader or the timer of the client.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use super::{control::request_interrupt, log::TurnLog};
use crate::{
    error::{Error, Timeout},
    rpc::Core,
    turn::TurnProgress,
};

#[derive(Debug)]
pub(super) struct TurnLimit {
    limit: Duration,
    /// `None` if the clock can't represent it.
    at: Option<Instant>,
    request_timeout: Option<Duration>,
    /// When the interrupt was requested.
    interrupted: OnceLock<Instant>,
}

impl TurnLimit {
    pub(super) fn new(
        requested: Instant,
        limit: Duration,
        request_timeout: Option<Duration>,
    ) -> Arc<TurnLimit> {
        let at = requested.checked_add(limit);
        Arc::new(TurnLimit { limit, at, request_timeout, interrupted: OnceLock::new() })
    }

    /// Interrupts the turn if the limit has passed and the turn has not ended. Never blocks.
    pub(super) fn enforce(&self, core: &Arc<Core>, log: &Arc<TurnLog>) {
        let now = Instant::now();
        if self.has_passed() || self.at.is_none_or(|at| now < at) || log.is_over() {
            return;
        }
        if self.interrupted.set(now).is_ok() {
            request_interrupt(core, log, self.request_timeout);
        }
    }

    /// Whether the limit has passed before the turn ended.
    pub(super) fn has_passed(&self) -> bool {
        self.interrupted.get().is_some()
    }

    /// When there is something to do next: to interrupt the turn, or to give up waiting for its end.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.interrupted.get() {
            Some(interrupted) => self.request_timeout.and_then(|limit| interrupted.checked_add(limit)),
            None => self.at,
        }
    }

    /// Whether the end of the interrupted turn is overdue.
    pub(super) fn is_end_overdue(&self) -> bool {
        self.has_passed() && self.due().is_some_and(|due| Instant::now() >= due)
    }

    pub(super) fn error(&self, progress: TurnProgress) -> Error {
        Error::Timeout { limit: Timeout::Turn, after: self.limit, note: None, progress }
    }

    /// The error of a turn whose end is overdue.
    pub(super) fn overdue(&self, progress: TurnProgress) -> Error {
        let note = "the server has not reported its end, so it may still be running";
        self.error(progress).with_note(Some(note.into()))
    }
}
