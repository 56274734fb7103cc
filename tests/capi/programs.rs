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

macro_rules! with_each_tool {
    ($($name:ident, $sanitized:ident, $checked:ident: $run:expr;)*) => {$(
        #[test]
        fn $name() {
            $run(With::Plain);
        }

        #[test]
        fn $sanitized() {
            $run(With::Sanitizers);
        }

        #[test]
        fn $checked() {
            if has_valgrind() {
                $run(With::Valgrind);
            }
        }
    )*};
}

fn run_misuse(with: With) {
    assert_eq!(run(&build("misuse.c", with), with, &[]), "all well\n");
}

with_each_tool! {
    a_program_in_c_uses_all_functions,
    a_program_in_c_uses_all_functions_under_sanitizers,
    a_program_in_c_uses_all_functions_under_valgrind: run_scripted;

    what_is_misused_gives_a_status,
    what_is_misused_gives_a_status_under_sanitizers,
    what_is_misused_gives_a_status_under_valgrind: run_misuse;
}
