//! The result of a turn: its answer, or what a cancelled one had not returned.
//!
//! Relies on `step` and `raw`. Invariant: plain data, independent of the connection.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{ConversationStep, RawEvent, raw::params_of};
use crate::excerpt::abridged_debug;
use crate::protocol::{
    MessagePhase, ThreadTokenUsage as TokenUsage, TokenUsageBreakdown as TokenCount, TurnStatus,
    wire::{milliseconds, unix_seconds},
};

/// The result of a completed turn, from [`chat_once`](crate::Client::chat_once) and
/// [`Chat::finish`](crate::Chat::finish).
///
/// As JSON it has its fields as members: `started_at` and `completed_at` in Unix seconds, `duration` as `duration_ms` in
/// milliseconds.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatResult {
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// How the turn ended.
    pub status: TurnStatus,
    /// The final answer: the last completed agent message with phase `final_answer`, otherwise the last one
    /// that is not commentary, otherwise the last plan (in plan mode, the model may answer with a plan only).
    /// Empty if there is none of these, for which `chat_once` returns
    /// [`Error::NoAnswer`](crate::Error::NoAnswer).
    pub final_text: String,
    /// The steps of the turn, if they were kept: always by `chat_once`, otherwise with
    /// [`keep_steps`](crate::ChatRequest::keep_steps).
    pub steps: Vec<ConversationStep>,
    /// All events of the turn as received, if they were kept
    /// ([`keep_raw_events`](crate::ChatRequest::keep_raw_events)).
    pub raw_events: Vec<RawEvent>,
    /// The id of the item that contains the answer.
    pub assistant_item_id: Option<String>,
    /// The phase that the model gave the answer. Many models give none.
    pub phase: Option<MessagePhase>,
    /// Where the answer was found; `None` if there is none.
    pub completion_source: Option<CompletionSource>,
    /// When the turn began, by the server's clock, to the second. `None` if the server doesn't tell, as some old ones.
    #[serde(with = "unix_seconds", default)]
    pub started_at: Option<SystemTime>,
    /// When the turn completed, likewise.
    #[serde(with = "unix_seconds", default)]
    pub completed_at: Option<SystemTime>,
    /// How long the turn ran, as the server measured it.
    #[serde(rename = "duration_ms", with = "milliseconds", default)]
    pub duration: Option<Duration>,
    /// The tokens of this turn alone: the growth of the thread's total. Sub-agents are not included. `None` if
    /// the server reported none, which it may omit for a turn that failed.
    pub usage: Option<TokenCount>,
    /// The report of the server on which `usage` is based: the total of the thread, and the last call of the
    /// model.
    pub token_usage: Option<TokenUsage>,
}

abridged_debug!(struct ChatResult {
    thread_id, turn_id, status, final_text, steps, raw_events, assistant_item_id, phase, completion_source,
    started_at, completed_at, duration, usage, token_usage,
});

/// Where an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CompletionSource {
    /// In the turn's events.
    ItemCompleted,
    /// In the turn's items, which the client read from the server after the end.
    ThreadReadFallback,
    /// The answer is a plan, since there was no message.
    Plan,
}

/// The result of a cancelled turn, from [`Client::cancel`](crate::Client::cancel) and the other `cancel`
/// methods.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelResult {
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// The steps that had not been read.
    pub steps: Vec<ConversationStep>,
    /// The events that had not been read, if they were kept.
    pub raw_events: Vec<RawEvent>,
    /// The turn completed before it could be interrupted.
    pub was_completed: bool,
    /// The turn ended as interrupted.
    pub was_interrupted: bool,
}

abridged_debug!(struct CancelResult {
    thread_id, turn_id, steps, raw_events, was_completed, was_interrupted,
});

/// The token counts in `thread/tokenUsage/updated`.
///
/// A missing count becomes 0, although the protocol's type requires it: the other counts are still useful.
pub(super) fn token_usage_of(event: &str) -> Option<TokenUsage> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        token_usage: Usage,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Usage {
        total: Count,
        last: Count,
        #[serde(default)]
        model_context_window: Option<i64>,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Count {
        total_tokens: i64,
        input_tokens: i64,
        cached_input_tokens: i64,
        cache_write_input_tokens: Option<i64>,
        output_tokens: i64,
        reasoning_output_tokens: i64,
    }
    let Params { token_usage: Usage { total, last, model_context_window } } = params_of(event).ok()?;
    let count = |count: Count| TokenCount {
        total_tokens: count.total_tokens,
        input_tokens: count.input_tokens,
        cached_input_tokens: count.cached_input_tokens,
        cache_write_input_tokens: count.cache_write_input_tokens,
        output_tokens: count.output_tokens,
        reasoning_output_tokens: count.reasoning_output_tokens,
    };
    Some(TokenUsage { total: count(total), last: count(last), model_context_window })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_is_missing_does_not_lose_the_others() {
        let usage = token_usage_of(
            r#"{"params":{"tokenUsage":{"total":{"totalTokens":7},"last":{"cacheWriteInputTokens":1}}}}"#,
        )
        .unwrap();
        assert_eq!((usage.total.total_tokens, usage.total.input_tokens), (7, 0));
        assert_eq!((usage.last.cache_write_input_tokens, usage.model_context_window), (Some(1), None));
    }
}
