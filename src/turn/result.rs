//! What a turn leaves behind: its answer, or what a cancelled one had not handed out yet.
//!
//! Relies on `step` and `raw`. Invariant: plain data, nothing of the connection.

use serde::{Deserialize, Serialize};

use super::{ConversationStep, RawEvent};

/// A completed turn, from [`chat_once`](crate::Client::chat_once) and
/// [`Chat::finish`](crate::Chat::finish).
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ChatResult {
    /// The thread.
    pub thread_id: String,
    /// The turn.
    pub turn_id: String,
    /// The answer: the last completed agent message of phase `final_answer`, else the last agent
    /// message. Empty where there is none, which `chat_once` gives as
    /// [`Error::NoAnswer`](crate::Error::NoAnswer).
    pub final_text: String,
    /// Every event of the turn as it came, where these were kept
    /// ([`keep_raw_events`](crate::ChatRequest::keep_raw_events)).
    pub raw_events: Vec<RawEvent>,
    /// The item that the answer is the text of.
    pub assistant_item_id: Option<String>,
    /// How the answer was found; `None` where there is none.
    pub completion_source: Option<CompletionSource>,
    /// The tokens used, as last reported. A turn may end without a report.
    pub token_usage: Option<TokenUsage>,
}

/// How an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CompletionSource {
    /// Its item came with the turn's events.
    ItemCompleted,
    /// The server was asked for the turn's items after its end.
    ThreadReadFallback,
}

/// A turn that was cancelled, from [`Client::cancel`](crate::Client::cancel) and its kin.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CancelResult {
    /// The thread.
    pub thread_id: String,
    /// The turn.
    pub turn_id: String,
    /// The steps that had not been read.
    pub steps: Vec<ConversationStep>,
    /// The events that had not been read, as far as they were kept.
    pub raw_events: Vec<RawEvent>,
    /// The turn had ended by itself before it could be interrupted.
    pub was_completed: bool,
    /// The turn ended as interrupted.
    pub was_interrupted: bool,
}

/// The tokens of a thread and of its last call of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TokenUsage {
    /// Of the whole thread.
    pub total: TokenCount,
    /// Of the last call of the model.
    pub last: TokenCount,
    /// How many tokens the model takes in one call.
    #[serde(default)]
    pub model_context_window: Option<i64>,
}

/// Tokens, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TokenCount {
    /// All of them.
    pub total_tokens: i64,
    /// Sent to the model.
    pub input_tokens: i64,
    /// Of those, read from its cache.
    pub cached_input_tokens: i64,
    /// Written by the model.
    pub output_tokens: i64,
    /// Of those, its reasoning.
    pub reasoning_output_tokens: i64,
}
