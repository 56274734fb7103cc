//! The scripted server for `--demo`: one turn for each thing that the window can show.
//!
//! Relies on the feature `testing`. Invariant: it needs no account, no network and no codex.
//!
//! A scripted server plays its turns as fast as it can. What is to take time calls a tool of this program, which
//! sleeps: the server goes on when that has answered, and can be interrupted meanwhile.

use std::{thread, time::Duration};

use codex_blocking::{
    Result, ThreadConfig, Tool,
    testing::{ScriptedServer, TurnRequest, TurnScript},
};
use serde_json::{Value, json};

const PAUSE: &str = "pause";

const OLD: &str = "fn greet(name: &str) {\n    println!(\"Hi {}\", name);\n}\n";
const PATCH: &str = "@@ -1,3 +1,7 @@\n-fn greet(name: &str) {\n-    println!(\"Hi {}\", name);\n+/// Greets somebody.\n\
                     +fn greet(name: &str) -> String {\n+    format!(\"Hello, {name}!\")\n }\n+\n+#[test]\n+fn greets() {}\n";

/// The server, with a conversation in its history.
pub fn server() -> Result<ScriptedServer> {
    let server = ScriptedServer::new().on_turn(script);
    let client = server.client()?;
    let thread = client.start_thread(ThreadConfig::new())?;
    thread.chat_once("history: explain the build")?;
    thread.set_name("Explain the build")?;
    Ok(server)
}

/// The tool with which the server waits.
pub fn pause() -> Tool {
    let schema = json!({ "type": "object", "properties": { "ms": { "type": "integer" } } });
    Tool::new(PAUSE, "Waits.", schema, |call| {
        thread::sleep(Duration::from_millis(call.params().arguments["ms"].as_u64().unwrap_or(0)));
        Ok("waited".into())
    })
}

fn script(turn: &TurnRequest) -> TurnScript {
    let text = turn.text();
    match text.split([' ', ':']).next().unwrap_or_default() {
        "history" => TurnScript::new()
            .reasoning("Looking at the manifest")
            .command("cat Cargo.toml", "[package]\nname = \"hello\"\nversion = \"0.1.0\"\n", 0)
            .message("It is one package without dependencies. `cargo build` builds it."),
        "long" => (1..=400).fold(TurnScript::new(), |script, line| {
            script.typed("long", &format!("Line {line}: the answer goes on, until it is interrupted.\n"), 8)
        }),
        "flood" => {
            let output: String = (0..40_000).map(|line| format!("line {line} of a large output\n")).collect();
            let words = "A message of a megabyte, in one paragraph. ".repeat(25_000);
            TurnScript::new().deltas(20_000, "drop ").message(&words).command("cat large.log", &output, 0)
        }
        "run" => asked_command(),
        "fail" => TurnScript::new()
            .message("I begin …")
            .fail("You have hit your usage limit.", "usageLimitExceeded".into()),
        "crash" => TurnScript::new().typed("crash", "The server is about to crash. ", 40).die(),
        _ => tour(text),
    }
}

/// Everything in one turn: reasoning, text, a command, a plan, a change with an approval.
fn tour(text: &str) -> TurnScript {
    let steps = |done: usize| {
        let step = |(at, step): (usize, &str)| {
            let status =
                ["completed", "inProgress", "pending"][usize::from(at >= done) + usize::from(at > done)];
            json!({ "step": step, "status": status })
        };
        let all = ["Run the tests", "Mend the greeting", "Tell what was done"];
        json!({ "explanation": null, "plan": all.into_iter().enumerate().map(step).collect::<Vec<_>>() })
    };
    let change = json!([
        { "path": "/workspace/src/greet.rs", "kind": { "type": "update", "move_path": null }, "diff": PATCH },
        { "path": "/workspace/src/old.rs", "kind": { "type": "delete" }, "diff": OLD },
    ]);
    let file =
        |status: &str| json!({ "type": "fileChange", "id": "change_$", "changes": change, "status": status });
    let ask = json!({ "itemId": "change_$", "reason": "The greeting is not polite enough." });
    TurnScript::new()
        .reasoning("The user wants a better greeting. I run the tests first.")
        .notify("turn/plan/updated", steps(0))
        .typed("first", &format!("You asked: {text}. Let me run the tests first."), 15)
        .ran("tests", "cargo test", &test_lines())
        .notify("turn/plan/updated", steps(1))
        .notify("item/started", json!({ "item": file("inProgress") }))
        .ask("item/fileChange/requestApproval", ask)
        .notify("item/completed", json!({ "item": file("completed") }))
        .notify("turn/plan/updated", steps(3))
        .typed("last", "The greeting is polite now, and there is a test for it.", 15)
}

fn asked_command() -> TurnScript {
    let ask = json!({
        "itemId": "command_$", "command": "rm -r target", "cwd": "/workspace",
        "reason": "To begin with a clean build.", "proposedExecpolicyAmendment": null,
    });
    TurnScript::new()
        .ask("item/commandExecution/requestApproval", ask)
        .command("rm -r target", "", 0)
        .message("The old build is gone.")
}

fn test_lines() -> Vec<String> {
    let mut lines = vec!["   Compiling hello v0.1.0 (/workspace)".to_owned(), "running 24 tests".to_owned()];
    lines.extend((1..=24).map(|test| format!("test greeting_{test:02} ... ok")));
    lines.push("test result: ok. 24 passed; 0 failed".to_owned());
    lines
}

/// Steps that take time.
trait Paced {
    fn pause(self, ms: u64) -> TurnScript;
    /// A message that is typed word by word.
    fn typed(self, id: &str, text: &str, ms: u64) -> TurnScript;
    /// A command that writes line by line.
    fn ran(self, id: &str, command: &str, lines: &[String]) -> TurnScript;
}

impl Paced for TurnScript {
    fn pause(self, ms: u64) -> TurnScript {
        self.ask("item/tool/call", json!({ "callId": "pause", "tool": PAUSE, "arguments": { "ms": ms } }))
    }

    fn typed(mut self, id: &str, text: &str, ms: u64) -> TurnScript {
        let id = format!("{id}_$");
        let words = text.split_inclusive(' ');
        for word in words {
            self = self.notify("item/agentMessage/delta", json!({ "itemId": id, "delta": word })).pause(ms);
        }
        if text.ends_with('\n') {
            // More of the same message is to come.
            return self;
        }
        let item =
            json!({ "type": "agentMessage", "id": id, "text": text, "phase": null, "memoryCitation": null });
        self.notify("item/completed", json!({ "item": item }))
    }

    fn ran(mut self, id: &str, command: &str, lines: &[String]) -> TurnScript {
        let id = format!("{id}_$");
        let item = |status: &str, output: Value, exit_code: Value| {
            json!({ "item": {
                "type": "commandExecution", "id": id, "command": command, "cwd": "/workspace", "processId": null,
                "source": "agent", "status": status, "commandActions": [], "aggregatedOutput": output,
                "exitCode": exit_code, "durationMs": null,
            } })
        };
        self = self.notify("item/started", item("inProgress", Value::Null, Value::Null));
        for line in lines {
            let delta = json!({ "itemId": id, "delta": format!("{line}\n") });
            self = self.notify("item/commandExecution/outputDelta", delta).pause(40);
        }
        let output = lines.join("\n");
        self.notify("item/completed", item("completed", output.into(), 0.into()))
    }
}
