//! The token for resuming a turn after its reader stopped waiting.
//!
//! Relies on `excerpt` only: it is plain data, defined here because errors carry it. Invariant: it identifies
//! events that the client has buffered, but contains none of them.

use serde::{Deserialize, Serialize};

use crate::excerpt::abridged_debug;

/// The call that started a turn. By default the turn is resumed in the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatMode {
    /// [`chat_once`](crate::Client::chat_once): the final answer only.
    Once,
    /// [`chat`](crate::Client::chat): steps.
    Steps,
    /// [`chat_events`](crate::Client::chat_events): every event, including deltas.
    Events,
}

/// A token for a turn that may still be running.
///
/// [`Error::TurnInactive`](crate::Error::TurnInactive) and
/// [`Chat::continuation`](crate::Chat::continuation) return it. The client that created it buffers the
/// turn's events until the token is resumed (by passing it to [`chat`](crate::Client::chat),
/// [`chat_once`](crate::Client::chat_once) or [`chat_events`](crate::Client::chat_events)),
/// [cancelled](crate::Client::cancel) or [forgotten](crate::Client::forget). A token can be serialized to
/// JSON, but is only valid for the client that created it.
#[must_use = "the events of its turn are kept until it is resumed, cancelled or forgotten"]
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatContinuation {
    /// The id of the thread.
    pub thread_id: String,
    /// The id of the turn.
    pub turn_id: String,
    /// How many of the turn's events had been read when the token was created.
    pub cursor: u64,
    /// The mode in which the turn was read.
    pub mode: ChatMode,
    /// Distinguishes this token from those of other clients and other readers of the turn.
    pub(crate) key: u64,
}

abridged_debug!(struct ChatContinuation { thread_id, turn_id, cursor, mode, key });

impl ChatContinuation {
    pub(crate) fn new(thread_id: &str, turn_id: &str, cursor: u64, mode: ChatMode, key: u64) -> Self {
        ChatContinuation { thread_id: thread_id.to_owned(), turn_id: turn_id.to_owned(), cursor, mode, key }
    }
}
