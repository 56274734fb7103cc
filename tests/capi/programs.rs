//! The programs of `tests/capi/c`, plain, under the sanitizers and under valgrind.

use std::{collections::BTreeMap, fs, process::Command};

use codex_blocking::testing::{ScriptedListener, ScriptedServer, TurnScript};
use serde_json::{Value, json};

use crate::{
    library::{With, build, checked, command, has_valgrind, root, run},
    real::RealHome,
};

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
    let endless = ScriptedServer::new().on_turn(|_| TurnScript::new().wait_for_interrupt());
    let endless = endless.on_request("turn/interrupt", |_| Ok(json!({}))).listen().unwrap();
    let printed = run(&build("scripted.c", with), with, &[&server.url(), &endless.url()]);
    assert_eq!(printed, "all well\n");
}

macro_rules! with_each_tool {
    ($($(#[$attribute:meta])* $name:ident, $sanitized:ident, $checked:ident: $run:expr;)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() {
            $run(With::Plain);
        }

        #[test]
        $(#[$attribute])*
        fn $sanitized() {
            $run(With::Sanitizers);
        }

        #[test]
        $(#[$attribute])*
        fn $checked() {
            if has_valgrind() {
                $run(With::Valgrind);
            }
        }
    )*};
}

fn run_raii(with: With) {
    let server = server();
    assert_eq!(run(&build("raii.cpp", with), with, &[&server.url()]), "all well\n");
}

/// The options for a server of this home.
fn options(home: &RealHome) -> Value {
    json!({
        "transport": "stdio",
        "command": home.command(),
        "cwd": home.workspace(),
        "env": home.envs().into_iter().collect::<BTreeMap<_, _>>(),
        "approval_mode": "manual",
    })
}

fn run_real(with: With) {
    let home = RealHome::new();
    assert_eq!(run(&build("real.c", with), with, &[&options(&home).to_string()]), "all well\n");
}

fn run_misuse(with: With) {
    assert_eq!(run(&build("misuse.c", with), with, &[]), "all well\n");
}

fn run_together(with: With) {
    let server = server();
    assert_eq!(run(&build("together.c", with), with, &[&server.url()]), "all well\n");
}

with_each_tool! {
    a_program_in_c_uses_all_functions,
    a_program_in_c_uses_all_functions_under_sanitizers,
    a_program_in_c_uses_all_functions_under_valgrind: run_scripted;

    a_program_in_cpp_uses_its_own_header,
    a_program_in_cpp_uses_its_own_header_under_sanitizers,
    a_program_in_cpp_uses_its_own_header_under_valgrind: run_raii;

    #[ignore = "needs the real server, which npm fetches once"]
    a_program_in_c_talks_to_the_real_server,
    a_program_in_c_talks_to_the_real_server_under_sanitizers,
    a_program_in_c_talks_to_the_real_server_under_valgrind: run_real;

    what_is_misused_gives_a_status,
    what_is_misused_gives_a_status_under_sanitizers,
    what_is_misused_gives_a_status_under_valgrind: run_misuse;

    threads_do_everything_with_the_same_handles,
    threads_do_everything_with_the_same_handles_under_sanitizers,
    threads_do_everything_with_the_same_handles_under_valgrind: run_together;
}

// The tools need more of a stack than the library.
#[test]
fn a_small_stack_is_enough_for_json_of_any_depth() {
    let server = server();
    assert_eq!(run(&build("small_stack.c", With::Plain), With::Plain, &[&server.url()]), "all well\n");
}

#[test]
fn the_headers_compile_with_each_compiler_and_standard_that_they_name() {
    let cases = [
        ("cc", "c", "-std=c99"),
        ("cc", "c", "-std=c17"),
        ("clang", "c", "-std=c99"),
        ("c++", "c++", "-std=c++17"),
        ("c++", "c++", "-std=c++20"),
        ("clang++", "c++", "-std=c++17"),
        ("clang++", "c++", "-std=c++20"),
    ];
    for (compiler, language, standard) in cases {
        let header = if language == "c" { "codex_blocking.h" } else { "codex_blocking.hpp" };
        if Command::new(compiler).arg("--version").output().is_err() {
            eprintln!("NOT TESTED: there is no {compiler} on this machine");
            continue;
        }
        let mut command = Command::new(compiler);
        command.args([standard, "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", language]);
        command.arg("-include").arg(root().join("src/capi").join(header)).arg("/dev/null");
        checked(&mut command);
    }
}

#[test]
#[ignore = "needs the real server, which npm fetches once"]
fn the_first_program_of_the_readme_prints_the_steps() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let code = readme.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let home = RealHome::new();
    let source = home.workspace().join("first.c");
    fs::write(&source, code).unwrap();
    let program = build(&source, With::Sanitizers);
    let server: Vec<String> = home.command().iter().map(|word| format!("'{word}'")).collect();
    let mut first = command(&program, With::Sanitizers);
    let output = checked(first.env("CODEX_APP_SERVER_CMD", server.join(" ")).envs(home.envs()));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("\"text\":\"echo: Say hello\""), "{printed}");
    assert!(code.lines().count() <= 24, "it is no first program any more");
    fs::remove_file(program).unwrap();
}
