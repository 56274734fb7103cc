//! User-input requests and their answers, as plain data.
//!
//! Relies on `protocol`. Invariant: an answer reaches the model unchanged; the server validates nothing.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Received;
use crate::{
    excerpt::abridged_debug,
    protocol::{RequestId, ToolRequestUserInputParams, wire::milliseconds},
};

pub use crate::protocol::ToolRequestUserInputQuestion as UserInputQuestion;

/// A server request with questions of the agent to the user.
///
/// As JSON it has its fields as members, and the `key` of [`ServerRequest`](crate::ServerRequest); `auto_resolution` is
/// the member `auto_resolution_ms`, in milliseconds.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UserInputRequest {
    /// The server's id of the request, a number or a string.
    pub request_id: RequestId,
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// The id of the tool call that asks. No item with this id is announced.
    pub item_id: String,
    /// The questions, with or without options.
    pub questions: Vec<UserInputQuestion>,
    /// Whether the turn waits for the answer; `None` if the server is older than 0.169. The server waits for an
    /// answer even if not, as of 0.169.
    pub is_blocking: Option<bool>,
    /// After how long the server says that it goes on without an answer; `None` if it doesn't say so, as those
    /// of 0.169 do. This client's own limit is
    /// [`user_input_timeout`](crate::ClientBuilder::user_input_timeout).
    #[serde(rename = "auto_resolution_ms", serialize_with = "milliseconds::serialize")]
    pub auto_resolution: Option<Duration>,
    #[serde(rename = "key")]
    pub(super) received: Received,
}

abridged_debug!(struct UserInputRequest {
    request_id, thread_id, turn_id, item_id, questions, is_blocking, auto_resolution, received,
});

/// The user's answers, by question id. Questions may be left unanswered.
#[must_use = "an answer does nothing until it is sent"]
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserInputResponse {
    /// For each question, the labels of the selected options, or free text.
    pub answers: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for UserInputResponse {
    /// Omits the answers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let questions: Vec<&String> = self.answers.keys().collect();
        f.debug_struct("UserInputResponse").field("questions", &questions).finish_non_exhaustive()
    }
}

impl UserInputResponse {
    /// Creates a response without answers.
    pub fn new() -> Self {
        UserInputResponse::default()
    }

    /// Creates a response that answers one question, with these labels or with free text.
    pub fn answer<S: Into<String>>(question_id: &str, picks: impl IntoIterator<Item = S>) -> Self {
        UserInputResponse::new().and_answer(question_id, picks)
    }

    /// Answers another question.
    pub fn and_answer<S: Into<String>>(
        mut self,
        question_id: &str,
        picks: impl IntoIterator<Item = S>,
    ) -> Self {
        self.answers.insert(question_id.to_owned(), picks.into_iter().map(Into::into).collect());
        self
    }

    /// The answers as the protocol's JSON.
    pub(super) fn to_value(&self) -> Value {
        let answers: BTreeMap<_, _> =
            self.answers.iter().map(|(id, picks)| (id, json!({ "answers": picks }))).collect();
        json!({ "answers": answers })
    }
}

impl UserInputRequest {
    /// The JSON text of the whole message, including unknown fields.
    pub fn raw(&self) -> &str {
        &self.received.text
    }

    /// Decodes a user-input request.
    pub(super) fn read(received: Received) -> serde_json::Result<UserInputRequest> {
        let params: ToolRequestUserInputParams = received.params()?;
        Ok(UserInputRequest {
            request_id: received.id.clone(),
            thread_id: params.thread_id,
            turn_id: params.turn_id,
            item_id: params.item_id,
            questions: params.questions,
            is_blocking: params.is_blocking,
            auto_resolution: params.auto_resolution_ms.map(Duration::from_millis),
            received,
        })
    }

    /// Whether both are the same request, by all its ids.
    pub(super) fn is_same(&self, other: &UserInputRequest) -> bool {
        self.request_id == other.request_id
            && self.thread_id == other.thread_id
            && self.turn_id == other.turn_id
            && self.item_id == other.item_id
    }
}
