//! What the terminal can show without an account: a server inside this program, and a model for the real server.
//!
//! Relies on `testing`. Invariant: the first word of the prompt selects what happens, the same in both where both
//! can do it.

use std::time::Duration;

use codex_blocking::testing::{ModelReply, ModelRequest, ScriptedServer, TurnScript};
use serde_json::json;

/// What `tell` tells.
const STORY: &str = "\
# What a terminal shows

Text arrives **word by word**, and is broken where the window ends; a window of another width breaks the line that is \
being written again.

1. A command is folded to the last lines of its output.
2. A change of files is a diff, such as one of `src/main.rs`.

```rust
fn main() {
    println!(\"code is kept as it is\");
}
```

That was all.
";

pub fn server() -> ScriptedServer {
    ScriptedServer::new().on_turn(|turn| script(turn.text()))
}

fn script(text: &str) -> TurnScript {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let turn = TurnScript::new();
    match word {
        "tell" => turn.message(STORY),
        "run" => {
            let output: String = (1..=12).map(|number| format!("test case_{number} ... ok\n")).collect();
            turn.reasoning("Run it, and look at the output.").command(rest, &output, 0).message("It works.")
        }
        "break" => {
            let output = "make: *** No targets.  Stop.\n";
            turn.command("make", output, 2).message("There is no `Makefile`.")
        }
        "escalate" => turn
            .ask(
                "item/commandExecution/requestApproval",
                json!({
                    "itemId": "command_$", "command": rest, "cwd": "/workspace",
                    "reason": "This command needs to leave the sandbox.",
                    "proposedExecpolicyAmendment": rest.split(' ').take(2).collect::<Vec<_>>(),
                }),
            )
            .message("Thank you for the answer."),
        "patch" => {
            let diff =
                "@@ -1,3 +1,3 @@\n fn main() {\n-    println!(\"Hello\");\n+    println!(\"Hi\");\n }\n";
            let change = json!({ "path": "/workspace/main.rs", "kind": { "type": "update" }, "diff": diff });
            let item = json!({
                "type": "fileChange", "id": "change_$", "changes": [change], "status": "completed",
            });
            turn.item(item).message("I have changed the greeting.")
        }
        "steps" => turn
            .notify(
                "turn/plan/updated",
                json!({ "explanation": null, "plan": [
                    { "step": "Read the code", "status": "completed" },
                    { "step": "Change the greeting", "status": "inProgress" },
                    { "step": "Run the tests", "status": "pending" },
                ]}),
            )
            .message("Two steps are left."),
        "escape" => turn.message("\u{1b}]0;owned\u{7}no \u{1b}[31mescape\u{1b}[2J sequence\u{8}s"),
        "fail" => turn.fail("the demo fails on purpose", json!("other")),
        "hang" => turn.wait_for_interrupt(),
        _ => turn.message(&format!("echo: {text}")),
    }
}

/// The model of `--offline-model`.
pub fn model(request: &ModelRequest) -> ModelReply {
    let reply = ModelReply::new();
    if request.tool_output().is_some() {
        return reply.text("That is done.");
    }
    let text = request.user_text();
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    match word {
        "tell" => told(STORY),
        "run" => reply.reasoning("Run it, and look at the output.", "").command(rest),
        "escalate" => reply.escalated_command(rest, "This command needs to leave the sandbox."),
        "patch" => reply.apply_patch(format!(
            "*** Begin Patch\n*** Add File: {rest}\n+written by the stub of the model\n+in two lines\n*** End Patch"
        )),
        "ask" => reply.ask_user(json!([{
            "id": "choice", "header": "Choice", "question": "Which way is better?",
            "options": [
                { "label": "Small steps", "description": "One change after the other." },
                { "label": "All at once", "description": "A single change." },
            ],
        }])),
        "escape" => reply.text("\u{1b}]0;owned\u{7}no \u{1b}[31mescape\u{1b}[2J sequence\u{8}s"),
        "fail" => reply.fail("server_error", "the stub of the model fails on purpose"),
        "hang" => reply.hang(),
        _ => reply.text(format!("echo: {text}")),
    }
}

/// A message in the speed of a model.
fn told(text: &str) -> ModelReply {
    let item =
        |content| json!({ "type": "message", "role": "assistant", "id": "msg_told", "content": content });
    let begin = json!({ "output_index": 0, "item": item(json!([])) });
    let mut reply = ModelReply::new().event("response.output_item.added", begin);
    for word in text.split_inclusive(' ') {
        let delta = json!({ "item_id": "msg_told", "output_index": 0, "content_index": 0, "delta": word });
        reply = reply.event("response.output_text.delta", delta).delay(Duration::from_millis(60));
    }
    let content = json!([{ "type": "output_text", "text": text }]);
    reply.event("response.output_item.done", json!({ "output_index": 0, "item": item(content) }))
}
