//! What a scripted turn does, step by step.
//!
//! Relies on serde_json. Invariant: a script says everything in advance; the server only plays it.

use serde_json::{Value, json};

/// What one turn of a [`ScriptedServer`](super::ScriptedServer) does. Steps are played in order;
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

/// One step. `$` stands in ids for the turn, so that the ids of two turns differ.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A notification with the ids of the turn added.
    Notify { method: String, params: Value },
    /// A text as it is, which need not be a message.
    Raw(String),
    /// A question; the script goes on with the answer.
    Ask { method: String, params: Value },
    /// Nothing, until the turn is interrupted.
    WaitForInterrupt,
    /// The end of the turn, with this status and error.
    End { status: String, error: Value },
    /// The end of the server.
    Die,
}

impl TurnScript {
    /// A turn that says nothing.
    pub fn new() -> Self {
        TurnScript::default()
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// A message of the agent: it begins, comes in pieces of a word each, and completes.
    pub fn message(mut self, text: &str) -> Self {
        let id = self.next_id("msg");
        self = self.notify("item/started", json!({ "item": message(&id, "", Value::Null) }));
        for delta in text.split_inclusive(' ') {
            self = self.notify("item/agentMessage/delta", json!({ "itemId": id, "delta": delta }));
        }
        self.notify("item/completed", json!({ "item": message(&id, text, Value::Null) }))
    }

    /// So many pieces of one message, then the message.
    pub fn deltas(mut self, count: usize, piece: &str) -> Self {
        let id = self.next_id("msg");
        for _ in 0..count {
            self = self.notify("item/agentMessage/delta", json!({ "itemId": id, "delta": piece }));
        }
        self.notify("item/completed", json!({ "item": message(&id, &piece.repeat(count), Value::Null) }))
    }

    /// A complete message with a phase: `commentary` or `final_answer`.
    pub fn message_in_phase(mut self, text: &str, phase: &str) -> Self {
        let id = self.next_id("msg");
        self.notify("item/completed", json!({ "item": message(&id, text, phase.into()) }))
    }

    /// Reasoning with this summary.
    pub fn reasoning(mut self, summary: &str) -> Self {
        let id = self.next_id("rs");
        self.notify(
            "item/reasoning/summaryTextDelta",
            json!({ "itemId": id, "summaryIndex": 0, "delta": summary }),
        )
        .item(json!({ "type": "reasoning", "id": id, "summary": [summary], "content": [] }))
    }

    /// A command that ran, with its output and exit code.
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

    /// An item that begins and completes, of any type, as JSON.
    pub fn item(self, item: Value) -> Self {
        self.notify("item/started", json!({ "item": item })).notify("item/completed", json!({ "item": item }))
    }

    /// A notification. `threadId` and `turnId` are added unless they are there.
    pub fn notify(self, method: &str, params: Value) -> Self {
        self.step(Step::Notify { method: method.to_owned(), params })
    }

    /// A text as it is: whatever a hostile server might say.
    pub fn raw(self, text: &str) -> Self {
        self.step(Step::Raw(text.to_owned()))
    }

    /// A question to the client; the script goes on when it is answered. `threadId` and `turnId`
    /// are added unless they are there.
    pub fn ask(self, method: &str, params: Value) -> Self {
        self.step(Step::Ask { method: method.to_owned(), params })
    }

    /// An error after which the server says that it tries again.
    pub fn retrying_error(self, message: &str) -> Self {
        self.notify(
            "error",
            json!({ "error": { "message": message, "codexErrorInfo": null }, "willRetry": true }),
        )
    }

    /// Silence until the turn is interrupted.
    pub fn wait_for_interrupt(self) -> Self {
        self.step(Step::WaitForInterrupt)
    }

    /// The turn fails.
    pub fn fail(self, message: &str, info: Value) -> Self {
        let error = json!({ "message": message, "codexErrorInfo": info, "additionalDetails": null });
        self.notify("error", json!({ "error": error, "willRetry": false }))
            .step(Step::End { status: "failed".to_owned(), error })
    }

    /// The turn ends with this status at once.
    pub fn end(self, status: &str) -> Self {
        self.step(Step::End { status: status.to_owned(), error: Value::Null })
    }

    /// The server dies.
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
