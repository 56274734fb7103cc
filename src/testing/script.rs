//! The steps of a scripted turn.
//!
//! Relies on serde_json. Invariant: a script is fixed in advance; the server only plays it.

use serde_json::{Value, json};

/// The script of one turn of a [`ScriptedServer`](super::ScriptedServer). Its steps are played in order;
/// the turn completes after the last one.
///
/// ```
/// use codex_blocking::testing::TurnScript;
///
/// let script = TurnScript::new()
///     .reasoning("Let me look at the folder")
///     .command("ls", "Cargo.toml\nsrc\n", 0)
///     .message("It is a Rust crate.");
/// ```
#[must_use = "a script does nothing until a turn plays it"]
#[derive(Debug, Clone, Default)]
pub struct TurnScript {
    pub(super) steps: Vec<Step>,
}

/// One step. `$` in an id is replaced with the turn id, so that the ids of two turns differ.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Sends a notification, with the turn's ids added.
    Notify { method: String, params: Value },
    /// Sends raw text, which need not be a valid message.
    Raw(String),
    /// Sends a server request, and continues when it is answered.
    Ask { method: String, params: Value },
    /// Waits until the turn is interrupted.
    WaitForInterrupt,
    /// Ends the turn with this status and error.
    End { status: String, error: Value },
    /// Ends all connections.
    Die,
}

impl TurnScript {
    /// Creates an empty turn.
    pub fn new() -> Self {
        TurnScript::default()
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds an agent message: it starts, is streamed in deltas of one word each, and completes.
    pub fn message(mut self, text: &str) -> Self {
        let id = self.next_id("msg");
        self = self.notify("item/started", json!({ "item": message(&id, "", Value::Null) }));
        for delta in text.split_inclusive(' ') {
            self = self.notify("item/agentMessage/delta", json!({ "itemId": id, "delta": delta }));
        }
        self.notify("item/completed", json!({ "item": message(&id, text, Value::Null) }))
    }

    /// Adds an agent message streamed in `count` equal deltas.
    pub fn deltas(mut self, count: usize, piece: &str) -> Self {
        let id = self.next_id("msg");
        for _ in 0..count {
            self = self.notify("item/agentMessage/delta", json!({ "itemId": id, "delta": piece }));
        }
        self.notify("item/completed", json!({ "item": message(&id, &piece.repeat(count), Value::Null) }))
    }

    /// Adds a complete agent message with a phase: `commentary` or `final_answer`.
    pub fn message_in_phase(mut self, text: &str, phase: &str) -> Self {
        let id = self.next_id("msg");
        self.notify("item/completed", json!({ "item": message(&id, text, phase.into()) }))
    }

    /// Adds reasoning with this summary.
    pub fn reasoning(mut self, summary: &str) -> Self {
        let id = self.next_id("rs");
        self.notify(
            "item/reasoning/summaryTextDelta",
            json!({ "itemId": id, "summaryIndex": 0, "delta": summary }),
        )
        .item(json!({ "type": "reasoning", "id": id, "summary": [summary], "content": [] }))
    }

    /// Adds a command execution with its output and exit code.
    pub fn command(mut self, command: &str, output: &str, exit_code: i32) -> Self {
        let id = self.next_id("call");
        let item = |status: &str, output: Value, exit_code: Value| {
            json!({
                "type": "commandExecution", "id": id, "command": command, "cwd": "/workspace",
                "processId": null, "source": "agent", "status": status, "commandActions": [],
                "aggregatedOutput": output, "exitCode": exit_code, "durationMs": null,
            })
        };
        let status = if exit_code == 0 { "completed" } else { "failed" };
        let (begun, ended) =
            (item("inProgress", Value::Null, Value::Null), item(status, output.into(), exit_code.into()));
        self.notify("item/started", json!({ "item": begun }))
            .notify("item/commandExecution/outputDelta", json!({ "itemId": id, "delta": output }))
            .notify("item/completed", json!({ "item": ended }))
    }

    /// Adds an item of any type, as JSON, that starts and completes.
    pub fn item(self, item: Value) -> Self {
        self.notify("item/started", json!({ "item": item })).notify("item/completed", json!({ "item": item }))
    }

    /// Adds a notification. `threadId` and `turnId` are added if they are missing.
    pub fn notify(self, method: &str, params: Value) -> Self {
        self.step(Step::Notify { method: method.to_owned(), params })
    }

    /// Adds raw text, such as the output of a misbehaving server.
    pub fn raw(self, text: &str) -> Self {
        self.step(Step::Raw(text.to_owned()))
    }

    /// Adds a server request; the script continues when the client has answered it, with a result or an error.
    /// `threadId` and `turnId` are added if they are missing.
    ///
    /// Like the real server, reports the end of approvals, permissions, user input and elicitations with
    /// `serverRequest/resolved`: after any answer, or after the end of the turn if that is interrupted. It does
    /// not report the end of other requests.
    pub fn ask(self, method: &str, params: Value) -> Self {
        self.step(Step::Ask { method: method.to_owned(), params })
    }

    /// Adds an error that the server says it will retry.
    pub fn retrying_error(self, message: &str) -> Self {
        self.notify(
            "error",
            json!({ "error": { "message": message, "codexErrorInfo": null }, "willRetry": true }),
        )
    }

    /// Waits, without events, until the turn is interrupted.
    pub fn wait_for_interrupt(self) -> Self {
        self.step(Step::WaitForInterrupt)
    }

    /// Ends the turn as failed.
    pub fn fail(self, message: &str, info: Value) -> Self {
        let error = json!({ "message": message, "codexErrorInfo": info, "additionalDetails": null });
        self.notify("error", json!({ "error": error, "willRetry": false }))
            .step(Step::End { status: "failed".to_owned(), error })
    }

    /// Ends the turn immediately with this status.
    pub fn end(self, status: &str) -> Self {
        self.step(Step::End { status: status.to_owned(), error: Value::Null })
    }

    /// Ends all connections of the server, as if it had crashed. The turns that ran are stored as interrupted; new
    /// connections find the threads as after a restart.
    pub fn die(self) -> Self {
        self.step(Step::Die)
    }

    fn next_id(&mut self, prefix: &str) -> String {
        format!("{prefix}_$_{}", self.steps.len())
    }
}

fn message(id: &str, text: &str, phase: Value) -> Value {
    json!({ "type": "agentMessage", "id": id, "text": text, "phase": phase, "memoryCitation": null })
}
