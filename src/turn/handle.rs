//! A handle on a turn for other threads than the one that reads it.
//!
//! Relies on `control`. Invariant: it takes nothing away from the reader.

use super::{
    CancelResult, Input,
    control::Control,
    reader::{Turn, cancel},
};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

/// A running turn, to be steered, interrupted or cancelled from any thread while another one reads
/// it. From [`TurnStream::handle`](crate::TurnStream::handle).
#[must_use = "a handle does nothing by itself"]
#[derive(Debug, Clone)]
pub struct TurnHandle {
    control: Control,
}

impl TurnHandle {
    pub(crate) fn new(control: Control) -> Self {
        TurnHandle { control }
    }

    /// The thread.
    pub fn thread_id(&self) -> &str {
        &self.control.log().thread_id
    }

    /// The turn.
    pub fn turn_id(&self) -> &str {
        &self.control.log().turn_id
    }

    /// Whether the turn's end has arrived. The reader may not have read it yet.
    pub fn is_over(&self) -> bool {
        self.control.log().is_over()
    }

    /// Says something more to the running turn, as [`TurnStream::steer`](crate::TurnStream::steer).
    ///
    /// # Errors
    /// [`Error::Rpc`] when the turn does not run any more or can't be steered.
    pub fn steer(&self, input: impl Into<Input>) -> Result<()> {
        self.control.steer(&input.into())
    }

    /// Interrupts the turn, as [`TurnStream::interrupt`](crate::TurnStream::interrupt).
    ///
    /// # Errors
    /// [`Error::Rpc`] when the server refuses, [`Error::Timeout`] when it does not answer.
    pub fn interrupt(&self) -> Result<()> {
        self.control.interrupt()
    }

    /// Interrupts the turn and waits for its end. Steps and events stay with the reader, so those
    /// of the result are empty.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`interrupt`](Self::interrupt), and [`Error::Timeout`] when the turn does not end.
    pub fn cancel(&self) -> Result<CancelResult> {
        self.control.cancel()
    }
}

impl Control {
    /// Interrupts a turn that somebody else reads, and waits for its end.
    pub(crate) fn cancel(&self) -> Result<CancelResult> {
        let mut turn = Turn::watching(self);
        let result = cancel(&mut turn, self, Vec::new()).map_err(|(error, _)| error)?;
        Ok(CancelResult { steps: Vec::new(), raw_events: Vec::new(), ..result })
    }
}
