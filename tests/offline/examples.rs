//! Runs every example as a user does, without a server or against a scripted one, and looks at what it prints.
//!
//! Relies on `support/examples.rs`; `live/examples.rs` runs the same examples against the real server.

use codex_blocking::testing::{ScriptedServer, TurnScript};

use crate::support::examples::{HELLO, Running, assert_threads, run, run_with_input};

/// Whether a codex in a folder of the system was found; it is somebody's real account.
fn is_real(stderr: &str) -> bool {
    !stderr.contains("scripted server")
}

#[test]
fn the_chat_example_goes_on_with_the_scripted_server_and_says_so() {
    let (output, stdout, stderr) = run("chat", &["hello", "there"], None);
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("userMessage: hello there\ncodex: echo: hello there\n"), "{stdout}");
    assert!(stdout.contains("tokens of this turn: 10 in, 5 out"), "{stdout}");
    assert!(stderr.contains("npm install -g @openai/codex"), "{stderr}");
}

#[test]
fn the_chat_example_fails_with_the_chain_of_causes_when_its_command_does_not_run() {
    let (output, _, stderr) = run("chat", &["hello"], Some("/nonexistent/codex app-server"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("error: start /nonexistent/codex"), "{stderr}");
}

#[test]
fn the_approvals_example_shows_what_is_asked_and_declines_at_the_end_of_the_input() {
    let (output, stdout, stderr) = run_with_input("approvals", &[], None, "what?\ny\n");
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success(), "{stderr}");
    for shown in ["rm -r target\n", "in: /workspace\n", "because: To begin anew\n", "begin with: rm -r\n"] {
        assert!(stdout.contains(shown), "no {shown:?} in {stdout}");
    }
    assert!(stdout.contains("  /workspace/new.txt\n    +one\n    +two\n"), "{stdout}");
    assert_eq!(stdout.matches("no (the input has ended)").count(), 1, "{stdout}");
    assert!(stdout.contains("codex: These were my questions."), "{stdout}");
}

#[test]
fn the_tools_example_answers_a_call_of_the_scripted_server() {
    let (output, stdout, stderr) = run("tools", &[], None);
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("(the agent looks up T-1)") && stdout.contains("That was the call."), "{stdout}");
}

#[test]
fn the_threads_example_goes_on_with_the_scripted_server() {
    let (output, stdout, stderr) = run("threads", &[], None);
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert_threads(&stdout);
}

#[test]
fn the_batch_example_asks_twenty_prompts_and_prints_a_table_in_their_order() {
    let (output, stdout, stderr) = run("batch", &[], None);
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success(), "{stderr}");
    let rows: Vec<&str> = stdout.lines().collect();
    assert_eq!(rows.len(), 22, "{stdout}");
    for (number, row) in (1..=20).zip(&rows[1..]) {
        assert!(row.starts_with(&format!("{number:>3}  Spell the number {number} ")), "{row}");
        assert!(
            row.contains("   15  ") && row.ends_with(&format!("echo: Spell the number {number}")),
            "{row}"
        );
    }
    assert_eq!(rows[21], "20 of 20 prompts answered, 300 tokens");
    // No bar where there is no terminal.
    assert!(!stderr.contains("20/20") && !stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn the_batch_example_asks_the_prompts_of_a_file() {
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("prompts-{}", std::process::id()));
    // A blank line is no prompt.
    std::fs::write(&file, "one\u{1b}[31m\n\n \ntwo\n").unwrap();
    let (output, stdout, stderr) = run("batch", &[file.to_str().unwrap()], None);
    std::fs::remove_file(&file).unwrap();
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success() && stdout.contains("echo: two\n2 of 2 prompts"), "{stdout}{stderr}");
    assert!(stdout.contains("echo: one [31m\n"), "{stdout}");
    let (_, _, stderr) = run("batch", &["no-such-file"], None);
    assert!(stderr.contains("error: no-such-file: "), "{stderr}");
}

#[test]
fn the_remote_example_goes_on_with_a_scripted_server_that_listens() {
    let (output, stdout, stderr) = run("remote", &["hello"], None);
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.ends_with(HELLO), "{stdout}");
}

#[test]
fn the_remote_example_connects_to_the_url_that_it_is_given() {
    let server = codex_blocking::testing::ScriptedServer::new().listen().unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("token-{}", std::process::id()));
    std::fs::write(&file, "the-token\n").unwrap();
    let arguments = ["--token-file", file.to_str().unwrap(), &server.url(), "hello"];
    let (output, stdout, stderr) = run("remote", &arguments, None);
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.ends_with(HELLO), "{stdout}");
    drop(server);
}

#[test]
fn the_remote_example_says_that_nobody_listens() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let (output, _, stderr) = run("remote", &[&url, "hello"], None);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains(&url) && stderr.contains("nobody listens there"), "{stderr}");
}

/// Runs the terminal client with these lines as its input.
fn run_demo(input: &str) -> (Option<i32>, String) {
    let (output, stdout, stderr) = run_with_input("repl", &["--demo"], None, input);
    assert!(!stdout.contains('\u{1b}'), "an escape sequence in {stdout:?}");
    assert_eq!(stderr, "");
    (output.status.code(), stdout)
}

#[test]
fn the_repl_example_takes_each_line_of_a_pipe_as_a_prompt() {
    let (code, stdout) = run_demo("hello\n\nrun cargo test\n");
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.starts_with("› hello\n\necho: hello\n\n"), "{stdout}");
    let folded = "$ cargo test\n│ … 7 lines\n│ test case_8 ... ok\n";
    assert!(stdout.contains(folded) && stdout.contains("│ test case_12 ... ok\n└ ok · "), "{stdout}");
}

#[test]
fn the_repl_example_runs_the_prompt_of_its_arguments() {
    let (output, stdout, stderr) = run("repl", &["--demo", "hello", "there"], None);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("› hello there\n\necho: hello there\n"), "{stdout}");
}

#[test]
fn the_repl_example_takes_the_line_after_a_question_as_the_answer() {
    let (code, stdout) = run_demo("escalate rm -r target\nYES\nhello\n");
    assert_eq!(code, Some(0), "{stdout}");
    let asked = "? The agent wants to run a command\n  $ rm -r target\n  in /workspace\n";
    assert!(stdout.contains(asked) && stdout.contains("begins with rm -r\n  → yes\n"), "{stdout}");
    assert!(stdout.contains("echo: hello\n"), "{stdout}");
}

#[test]
fn the_repl_example_asks_one_question_after_the_other() {
    let method = "item/commandExecution/requestApproval";
    let params = |text: &str| {
        serde_json::json!({
            "itemId": text, "command": text, "cwd": "/w", "threadId": "thread-1", "turnId": "$", "startedAtMs": 0,
        })
    };
    let asked =
        |id: &str| serde_json::json!({ "id": id, "method": method, "params": params(id) }).to_string();
    let (one, two) = (asked("one"), asked("two"));
    let script = move || TurnScript::new().raw(&one).raw(&two).message("both").ask(method, params("three"));
    let server = ScriptedServer::new().on_turn(move |_| script());
    let listener = server.listen().unwrap();
    let mut repl = Running::new("repl", &["--url", &listener.url(), "ask"]);
    // From here on, the second waits while the first is shown.
    repl.wait_for("both");
    for (answer, next) in [("y", "$ two"), ("n", "$ three"), ("y", " in, ")] {
        repl.say(answer);
        repl.wait_for(next);
    }
    assert_eq!(repl.finish(), Some(0));
}

#[test]
fn the_repl_example_refuses_when_a_line_is_no_answer_and_takes_it_as_a_prompt() {
    let (_, stdout) = run_demo("escalate rm -r target\nhello\n");
    assert!(stdout.contains("  → no (that was no answer)\n"), "{stdout}");
    assert!(stdout.contains("› hello\n\necho: hello\n"), "{stdout}");
}

#[test]
fn the_repl_example_refuses_when_its_input_has_ended() {
    let (_, stdout) = run_demo("escalate rm -r target\n");
    assert!(stdout.contains("  → no (the input has ended)\n"), "{stdout}");
}

#[test]
fn the_repl_example_prints_no_escape_sequence_of_a_message() {
    let (_, stdout) = run_demo("escape\n");
    assert!(stdout.contains("\nno escape sequences\n"), "{stdout}");
}

#[test]
fn the_repl_example_tells_with_its_exit_code_that_a_turn_failed() {
    let (code, stdout) = run_demo("fail\nhello\n");
    assert_eq!(code, Some(1), "{stdout}");
    assert!(stdout.contains("✗ the demo fails on purpose\n") && stdout.contains("echo: hello\n"), "{stdout}");
}

#[test]
fn the_repl_example_runs_its_commands() {
    let (code, stdout) =
        run_demo("one\n/fork\ntwo\n/undo\n/threads\n/resume 2\n/usage\n/compact\n/help\n/quit\nnot run\n");
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.contains("The last turn is forgotten, 1 turn is left."), "{stdout}");
    assert!(stdout.contains("› 1  ") && stdout.contains("  2  "), "{stdout}");
    assert!(stdout.contains("/resume [NUMBER|ID]  ") && !stdout.contains("not run"), "{stdout}");
    let (code, stdout) = run_demo("/nothing\n");
    assert_eq!(code, Some(1));
    assert!(stdout.contains("✗ there is no command /nothing"), "{stdout}");
}

#[test]
fn the_repl_example_connects_to_the_url_that_it_is_given() {
    let server = codex_blocking::testing::ScriptedServer::new().listen().unwrap();
    let (output, stdout, stderr) = run("repl", &["--url", &server.url(), "hello"], None);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("echo: hello\n"), "{stdout}");
}
