//! What the server answers when a thread is started, resumed or forked.
//!
//! Relies on `protocol`. Invariant: an answer that lacks a field, or has one of an unknown shape, is no error:
//! the field is `None`, and the server's JSON has what there is.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    excerpt::debug_struct,
    protocol::{ApprovalsReviewer, AskForApproval as ApprovalPolicy, ReasoningEffort, SandboxPolicy},
};

/// What the server answered when a thread was started, resumed or forked; see
/// [`ThreadHandle::info`](crate::ThreadHandle::info).
///
/// It tells what applied then: later turns may have changed it. A field is `None` if the server did not tell it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadInfo {
    /// The thread's id.
    pub thread_id: String,
    /// The model.
    pub model: Option<String>,
    /// The model provider, by its name in the server's configuration.
    pub model_provider: Option<String>,
    /// The model's reasoning effort; `None` also if the model's default applies.
    pub effort: Option<ReasoningEffort>,
    /// The service tier; `None` also if none is set.
    pub service_tier: Option<String>,
    /// The agent's working directory.
    pub cwd: Option<PathBuf>,
    /// The sandbox in which commands run.
    pub sandbox: Option<SandboxPolicy>,
    /// When the server asks for approval before it runs something.
    pub approval_policy: Option<ApprovalPolicy>,
    /// Who decides about approval requests.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// The files with instructions for the agent that the server found, such as `AGENTS.md`.
    pub instruction_sources: Vec<PathBuf>,
    /// The answer as the server sent it, without the thread's turns: also the thread's name, its creation and
    /// what this version does not know. Null if it is nested too deeply for a [`Value`], and for
    /// [`Client::thread`](crate::Client::thread).
    pub raw: Value,
}

impl ThreadInfo {
    /// Of the result of `thread/start`, `thread/resume` or `thread/fork`.
    pub(super) fn of(thread_id: String, result: &str) -> ThreadInfo {
        let mut raw: Value = serde_json::from_str(result).unwrap_or_else(|error| {
            log::debug!("the settings of thread {thread_id} can't be decoded: {error}");
            Value::Null
        });
        // Old servers send them although they are not asked to, and a thread can have thousands.
        if let Some(turns) = raw.get_mut("thread").and_then(|thread| thread.get_mut("turns")) {
            *turns = json!([]);
        }
        ThreadInfo::new(thread_id, raw)
    }

    /// Of a thread of which nothing but the id is known.
    pub(super) fn unknown(thread_id: String) -> ThreadInfo {
        ThreadInfo::new(thread_id, Value::Null)
    }

    fn new(thread_id: String, raw: Value) -> ThreadInfo {
        ThreadInfo {
            thread_id,
            model: field(&raw, "model"),
            model_provider: field(&raw, "modelProvider"),
            effort: field(&raw, "reasoningEffort"),
            service_tier: field(&raw, "serviceTier"),
            cwd: field(&raw, "cwd"),
            sandbox: field(&raw, "sandbox"),
            approval_policy: field(&raw, "approvalPolicy"),
            approvals_reviewer: field(&raw, "approvalsReviewer"),
            instruction_sources: field(&raw, "instructionSources").unwrap_or_default(),
            raw,
        }
    }
}

fn field<T: DeserializeOwned>(raw: &Value, name: &str) -> Option<T> {
    let value = raw.get(name).filter(|value| !value.is_null())?;
    match T::deserialize(value) {
        Ok(value) => Some(value),
        Err(error) => {
            log::warn!("the server's `{name}` of a thread has an unknown shape: {error}");
            None
        }
    }
}

impl fmt::Debug for ThreadInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_struct(
            f,
            "ThreadInfo",
            &[
                ("thread_id", &self.thread_id),
                ("model", &self.model),
                ("model_provider", &self.model_provider),
                ("effort", &self.effort),
                ("service_tier", &self.service_tier),
                ("cwd", &self.cwd),
                ("sandbox", &self.sandbox),
                ("approval_policy", &self.approval_policy),
                ("approvals_reviewer", &self.approvals_reviewer),
                ("instruction_sources", &self.instruction_sources),
                ("raw", &self.raw),
            ],
        )
    }
}
