//! User-input requests and their answers, as plain data.
//!
//! Relies on `protocol`. Invariant: an answer reaches the model unchanged; the server validates nothing.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Received;
use crate::excerpt::abridged_debug;
use crate::protocol::{RequestId, ToolRequestUserInputParams};

pub use crate::protocol::ToolRequestUserInputQuestion as UserInputQuestion;

/// A server request with questions of the agent to the user.
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
    #[serde(skip)]
    pub(super) received: Received,
}

abridged_debug!(struct UserInputRequest { request_id, thread_id, turn_id, item_id, questions, received });

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
    /// Decodes a user-input request.
    pub(super) fn read(received: Received) -> serde_json::Result<UserInputRequest> {
        let params: ToolRequestUserInputParams = received.params()?;
        Ok(UserInputRequest {
            request_id: received.id.clone(),
            thread_id: params.thread_id,
            turn_id: params.turn_id,
            item_id: params.item_id,
            questions: params.questions,
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
