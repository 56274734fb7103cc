//! Ends, interrupts and steers turns by their ids and continuations.
//!
//! Relies on `turn`. Invariant: a turn of this client is interrupted through its own control, which waits
//! until the turn runs; only turns of other clients are interrupted by a plain request.

use serde_json::json;

use super::{Client, Reply, thread::check_thread_id};
use crate::{
    continuation::ChatContinuation,
    error::{Error, Result},
    protocol::{TurnSteerParams, TurnSteerResponse},
    turn::{CancelResult, Input, TurnLog, not_running},
};

impl Client {
    /// Interrupts the turn of a continuation, waits for its end, and returns what had not been read. This
    /// uses up the continuation; on failure it stays valid.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the continuation was used or forgotten or belongs to another client;
    /// [`Error::Timeout`] if the turn does not end; [`Error::Rpc`] if the server rejects the interruption.
    pub fn cancel(&self, continuation: &ChatContinuation) -> Result<CancelResult> {
        self.inner.continuations.cancel(continuation)
    }

    /// Invalidates a continuation and frees the events buffered for it. The turn keeps running on the server,
    /// and a chat that is reading it can be read on.
    pub fn forget(&self, continuation: &ChatContinuation) {
        self.inner.continuations.forget_token(continuation);
    }

    /// Interrupts a turn of this client; its reader receives the end.
    ///
    /// Can be called as soon as the turn is requested, and after it has ended. Blocks for at most the request
    /// limit.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if no turn of this client with that id is running (use
    /// [`interrupt_turn_on`](Self::interrupt_turn_on) for turns of other clients); otherwise the same as
    /// [`request`](Self::request).
    pub fn interrupt_turn(&self, turn_id: &str) -> Result<()> {
        self.connection.check_process("turn/interrupt")?;
        match self.inner.turns.running_turn(|log| log.turn_id == turn_id) {
            Some(log) => self.control(&log).interrupt(),
            None => Err(Error::no_longer_pending(format!("turn {turn_id} does not run on this client"))),
        }
    }

    /// Interrupts a turn of any client. `turn_id` must be the id in its `turn/started`.
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if no such turn is running. Servers before 0.128
    /// interrupt any running turn of the thread: if this client knows that another turn is running, it sends
    /// nothing and returns [`Error::NoLongerPending`], which names that turn.
    pub fn interrupt_turn_on(&self, thread_id: &str, turn_id: &str) -> Result<()> {
        let on_thread = |log: &TurnLog| log.thread_id == thread_id;
        if let Some(log) = self.inner.turns.running_turn(|log| on_thread(log) && log.turn_id == turn_id) {
            return self.control(&log).interrupt();
        }
        let other = self.inner.turns.running_turn(|log| on_thread(log) && log.running_id() != Some(turn_id));
        if let Some(other) = other {
            if self.initialize()?.is_before((0, 128)) == Some(true) {
                let running = &other.turn_id;
                let what = format!("turn {turn_id} does not run on thread {thread_id}; turn {running} does");
                return Err(Error::no_longer_pending(what));
            }
        }
        self.request("turn/interrupt", json!({ "threadId": thread_id, "turnId": turn_id })).map(drop)
    }

    /// Adds a message to a running turn, of this or another client. The server drops what the model was
    /// writing. The reader of the turn receives the answer.
    ///
    /// Blocks for at most the request limit. The reader of a turn can use
    /// [`Chat::steer`](crate::TurnStream::steer).
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::NoLongerPending`] if the turn has ended, or another one is
    /// running; [`Error::Rpc`] if it can't be steered (a review); [`Error::InvalidInput`] if an id or the
    /// message is empty, or a [local image](crate::InputItem::local_image) can't be used.
    pub fn steer_turn(
        &self,
        thread_id: &str,
        expected_turn_id: &str,
        input: impl Into<Input>,
    ) -> Result<Reply<TurnSteerResponse>> {
        check_thread_id(thread_id)?;
        if expected_turn_id.is_empty() {
            return Err(Error::invalid("the turn id is empty"));
        }
        let input = input.into();
        input.check()?;
        self.call(TurnSteerParams::new(thread_id, expected_turn_id, input))
            .map_err(|error| not_running(expected_turn_id, error))
    }
}
