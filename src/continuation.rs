//! The token with which a turn is read on after its reader gave up waiting.
//!
//! Relies on serde only: it is plain data, here because errors carry it. Invariant: it names what
//! is kept inside the client that made it, and holds none of it.

use serde::{Deserialize, Serialize};

/// Which call a turn was started with; it is resumed in the same way by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatMode {
    /// [`chat_once`](crate::Client::chat_once): the answer only.
    Once,
    /// [`chat`](crate::Client::chat): steps.
    Steps,
    /// [`chat_events`](crate::Client::chat_events): every event, deltas too.
    Events,
}

/// A token for a turn that may still be running.
///
/// It comes from [`Error::TurnInactive`](crate::Error::TurnInactive) and from
/// [`Chat::continuation`](crate::Chat::continuation). Until it is resumed (pass it to
/// [`chat`](crate::Client::chat), [`chat_once`](crate::Client::chat_once) or
/// [`chat_events`](crate::Client::chat_events)), [cancelled](crate::Client::cancel) or
/// [forgotten](crate::Client::forget), the client that made it goes on keeping the turn's events.
/// It survives JSON, but means something only to the client that made it.
#[must_use = "the events of its turn are kept until it is resumed, cancelled or forgotten"]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatContinuation {
    /// The thread.
    pub thread_id: String,
    /// The turn.
    pub turn_id: String,
    /// How many of the turn's events had been read when the token was made.
    pub cursor: u64,
    /// The call that was left.
    pub mode: ChatMode,
    /// What tells this token from those of other clients and other readers of the turn.
    pub(crate) key: u64,
}

impl ChatContinuation {
    pub(crate) fn new(thread_id: &str, turn_id: &str, cursor: u64, mode: ChatMode, key: u64) -> Self {
        ChatContinuation { thread_id: thread_id.to_owned(), turn_id: turn_id.to_owned(), cursor, mode, key }
    }
}
