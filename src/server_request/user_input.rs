//! Questions to the user, and their answers, as plain data.
//!
//! Relies on `protocol`. Invariant: an answer goes to the model as it is given; the server checks
//! nothing.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Received;
use crate::protocol::{RequestId, ToolRequestUserInputParams};

pub use crate::protocol::ToolRequestUserInputQuestion as UserInputQuestion;

/// The agent asks the user something.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UserInputRequest {
    /// The server's id of the question, a number or a text.
    pub request_id: RequestId,
    /// The thread.
    pub thread_id: String,
    /// The turn.
    pub turn_id: String,
    /// The call of the tool that asks. No item of that id is ever announced.
    pub item_id: String,
    /// What is asked, each with options to pick from or none.
    pub questions: Vec<UserInputQuestion>,
    #[serde(skip)]
    pub(super) received: Received,
}

/// The user's answers, by the ids of the questions. Questions may be left out.
#[must_use = "an answer does nothing until it is sent"]
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserInputResponse {
    /// For each question the labels picked, or free text.
    pub answers: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for UserInputResponse {
    /// Without the answers: a question may be about a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let questions: Vec<&String> = self.answers.keys().collect();
        f.debug_struct("UserInputResponse").field("questions", &questions).finish_non_exhaustive()
    }
}

impl UserInputResponse {
    /// Without any answer.
    pub fn new() -> Self {
        UserInputResponse::default()
    }

    /// One question answered with these labels, or with a free text.
    pub fn answer<S: Into<String>>(question_id: &str, picks: impl IntoIterator<Item = S>) -> Self {
        UserInputResponse::new().and_answer(question_id, picks)
    }

    /// One more question answered.
    pub fn and_answer<S: Into<String>>(
        mut self,
        question_id: &str,
        picks: impl IntoIterator<Item = S>,
    ) -> Self {
        self.answers.insert(question_id.to_owned(), picks.into_iter().map(Into::into).collect());
        self
    }

    /// In the shape of the wire.
    pub(super) fn to_value(&self) -> Value {
        let answers: BTreeMap<_, _> =
            self.answers.iter().map(|(id, picks)| (id, json!({ "answers": picks }))).collect();
        json!({ "answers": answers })
    }
}

impl UserInputRequest {
    /// Reads a question to the user.
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

    /// Whether both are the same question, by everything that names it.
    pub(super) fn is_same(&self, other: &UserInputRequest) -> bool {
        self.request_id == other.request_id
            && self.thread_id == other.thread_id
            && self.turn_id == other.turn_id
            && self.item_id == other.item_id
    }
}
