//! A server inside this program that shows what the terminal can show.
//!
//! Relies on `testing`. Invariant: the first word of the prompt selects the turn, as in the crate's `ModelStub`.

use codex_blocking::testing::{ScriptedServer, TurnScript};
use serde_json::json;

pub fn server() -> ScriptedServer {
    ScriptedServer::new().on_turn(|turn| script(turn.text()))
}

fn script(text: &str) -> TurnScript {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let turn = TurnScript::new();
    match word {
        "run" => {
            let output: String = (1..=12).map(|number| format!("test case_{number} ... ok\n")).collect();
            turn.reasoning("Run it, and look at the output.").command(rest, &output, 0).message("It works.")
        }
        "break" => {
            turn.command("make", "make: *** No targets.  Stop.\n", 2).message("There is no `Makefile`.")
        }
        "ask" => turn
            .ask(
                "item/commandExecution/requestApproval",
                json!({
                    "itemId": "command_$", "command": "/bin/bash -lc 'rm -r target'", "cwd": "/workspace",
                    "reason": "To build from scratch.", "proposedExecpolicyAmendment": ["rm", "-r"],
                }),
            )
            .message("Thank you for the answer."),
        "patch" => {
            let diff = "@@ -1,3 +1,3 @@\n fn main() {\n-    println!(\"Hello\");\n+    println!(\"Hello, world\");\n }\n";
            let change =
                json!({ "path": "/workspace/src/main.rs", "kind": { "type": "update" }, "diff": diff });
            let item = json!({
                "type": "fileChange", "id": "change_$", "changes": [change], "status": "completed",
            });
            turn.item(item).message("I have changed the greeting.")
        }
        "plan" => turn
            .notify(
                "turn/plan/updated",
                json!({ "explanation": null, "plan": [
                    { "step": "Read the code", "status": "completed" },
                    { "step": "Change the greeting", "status": "inProgress" },
                    { "step": "Run the tests", "status": "pending" },
                ]}),
            )
            .message("Two steps are left."),
        "hang" => turn.wait_for_interrupt(),
        "fail" => turn.fail("the demo fails on purpose", json!("other")),
        "escape" => turn.message("\u{1b}]0;owned\u{7}no \u{1b}[31mescape\u{1b}[2J sequence\u{8}s"),
        _ => turn.message(&format!("echo: {text}")),
    }
}
