//! The programs of `tests/capi/c`, plain, under the sanitizers and under valgrind.

use codex_blocking::testing::{ScriptedListener, ScriptedServer, TurnScript};
use serde_json::json;

use crate::library::{With, build, has_valgrind, run};

/// A server with a script for each text that the programs send.
fn server() -> ScriptedListener {
    let server = ScriptedServer::new().on_turn(|turn| match turn.text() {
        "many" => TurnScript::new().deltas(1000, "x"),
        "fail" => TurnScript::new().fail("no more credits", "usageLimitExceeded".into()),
        "hang" => TurnScript::new().wait_for_interrupt(),
        "json" => TurnScript::new().message(r#"{"a":1}"#),
        "ask" => {
            let params = json!({
                "threadId": turn.thread_id, "turnId": turn.turn_id, "itemId": "call", "command": "rm -r target",
            });
            TurnScript::new().ask("item/commandExecution/requestApproval", params).message("asked")
        }
        text => TurnScript::new().message(&format!("echo: {text}")),
    });
    let server = server
        .on_request("command/exec", |_| Ok(json!({ "exitCode": 0, "stdout": "one two", "stderr": "" })))
        .on_request("account/read", |_| {
            Ok(json!({ "account": { "type": "apiKey" }, "requiresOpenaiAuth": true }))
        });
    server.listen().unwrap()
}

fn run_scripted(with: With) {
    let server = server();
    let printed = run(&build("scripted.c", with), with, &[&server.url()]);
    assert_eq!(printed, "all well\n");
}

#[test]
fn a_program_in_c_uses_all_functions() {
    run_scripted(With::Plain);
}

#[test]
fn a_program_in_c_uses_all_functions_under_sanitizers() {
    run_scripted(With::Sanitizers);
}

#[test]
fn a_program_in_c_uses_all_functions_under_valgrind() {
    if has_valgrind() {
        run_scripted(With::Valgrind);
    }
}
