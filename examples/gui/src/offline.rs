//! The stub of the model for `--offline-model`: like a model that types, so that there is something to watch.
//!
//! Relies on the feature `testing`. Invariant: after the output of a tool the turn ends.

use std::{io, time::Duration};

use codex_blocking::testing::{ModelReply, ModelRequest, ModelStub};
use serde_json::json;

/// How long it takes to type a word.
const WORD: Duration = Duration::from_millis(12);

/// Starts the stub. The first word of a prompt selects what it does: `run COMMAND`, `escalate COMMAND`, `patch PATH`,
/// `long`; anything else is echoed.
pub fn model() -> io::Result<ModelStub> {
    ModelStub::start_with(reply)
}

fn reply(request: &ModelRequest) -> ModelReply {
    if request.tool_output().is_some() {
        return typed("That is done. The output of the tool is above.");
    }
    let text = request.user_text();
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    match (word, rest.trim()) {
        ("run", command) => ModelReply::new().command(command),
        ("escalate", command) => {
            ModelReply::new().escalated_command(command, "This command needs to leave the sandbox.")
        }
        ("patch", path) => ModelReply::new().apply_patch(format!(
            "*** Begin Patch\n*** Add File: {path}\n+fn main() {{\n+    println!(\"hello\");\n+}}\n*** End Patch"
        )),
        ("long", _) => {
            let lines: Vec<_> = (1..=400).map(|line| format!("Line {line} of a long answer.\n")).collect();
            typed(&lines.concat())
        }
        _ => typed(&format!("You said: {text}")),
    }
}

/// A message that is typed word by word.
fn typed(text: &str) -> ModelReply {
    let item = |content| json!({ "type": "message", "role": "assistant", "id": "typed", "content": content });
    let mut reply = ModelReply::new()
        .event("response.output_item.added", json!({ "output_index": 0, "item": item(json!([])) }));
    for word in text.split_inclusive(char::is_whitespace) {
        let delta = json!({ "item_id": "typed", "output_index": 0, "content_index": 0, "delta": word });
        reply = reply.event("response.output_text.delta", delta).delay(WORD);
    }
    let content = json!([{ "type": "output_text", "text": text }]);
    reply.event("response.output_item.done", json!({ "output_index": 0, "item": item(content) }))
}
