//! A handle to a turn, for threads other than its reader.
//!
//! Relies on `control`. Invariant: it takes no events from the reader.

use super::{
    CancelResult, Input,
    control::Control,
    reader::{TurnReader, cancel},
};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

/// A handle to a running turn, to steer, interrupt or cancel it from any thread while another one reads it.
/// Returned by [`TurnStream::handle`](crate::TurnStream::handle).
#[must_use = "a handle does nothing by itself"]
#[derive(Debug, Clone)]
pub struct TurnHandle {
    control: Control,
}

impl TurnHandle {
    pub(crate) fn new(control: Control) -> Self {
        TurnHandle { control }
    }

    /// The thread's id.
    pub fn thread_id(&self) -> &str {
        &self.control.log().thread_id
    }

    /// The turn's id.
    pub fn turn_id(&self) -> &str {
        &self.control.log().turn_id
    }

    /// Returns `true` if the turn's end has arrived. The reader may not have read it yet.
    pub fn is_over(&self) -> bool {
        self.control.log().is_over()
    }

    /// Adds a message to the running turn, like [`TurnStream::steer`](crate::TurnStream::steer).
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the turn has ended, [`Error::Rpc`] if it can't be steered;
    /// [`Error::InvalidInput`] if the message is blank, or a [local image](crate::InputItem::local_image) can't
    /// be used.
    pub fn steer(&self, input: impl Into<Input>) -> Result<()> {
        self.control.steer(&input.into())
    }

    /// Interrupts the turn, like [`TurnStream::interrupt`](crate::TurnStream::interrupt).
    ///
    /// # Errors
    /// [`Error::Rpc`] if the server rejects the interruption, [`Error::Timeout`] if it does not respond.
    pub fn interrupt(&self) -> Result<()> {
        self.control.interrupt()
    }

    /// Has the turn interrupted in the background, and returns at once: for a thread that must not wait, such as
    /// that of a window. The reader gets the end of the turn.
    ///
    /// It is the same as [`interrupt`](Self::interrupt) on another thread, and works from the moment the turn was
    /// asked for. Does nothing if that is under way already, or the turn has ended. A failure is logged as an
    /// error, since nobody waits for it.
    ///
    /// ```
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let client = ScriptedServer::new().on_turn(|_| TurnScript::new().wait_for_interrupt()).client()?;
    /// let chat = client.chat("Refactor everything")?;
    /// chat.handle().request_interrupt(); // a click
    /// assert_eq!(chat.finish().unwrap_err().code(), "turn_interrupted");
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn request_interrupt(&self) {
        self.control.request_interrupt();
    }

    /// Interrupts the turn and waits for its end. The reader receives the steps and events, so those of the
    /// result are empty.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`interrupt`](Self::interrupt), and [`Error::Timeout`] if the turn does not end.
    pub fn cancel(&self) -> Result<CancelResult> {
        self.control.cancel()
    }
}

impl Control {
    /// Interrupts a turn that another thread reads, and waits for its end.
    pub(crate) fn cancel(&self) -> Result<CancelResult> {
        let mut turn = TurnReader::watching(self);
        let result = cancel(&mut turn, self, &mut Vec::new())?;
        Ok(CancelResult { steps: Vec::new(), raw_events: Vec::new(), ..result })
    }
}
