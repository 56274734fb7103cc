//! Runs every example as a user does, without a server or against a scripted one, and looks at what it prints.
//!
//! Relies on `support/examples.rs`; `live/examples.rs` runs the same examples against the real server.

use crate::support::examples::{HELLO, assert_threads, run, run_with_input};

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
    std::fs::write(&file, "one\ntwo\n").unwrap();
    let (output, stdout, stderr) = run("batch", &[file.to_str().unwrap()], None);
    std::fs::remove_file(&file).unwrap();
    if is_real(&stderr) {
        return;
    }
    assert!(output.status.success() && stdout.contains("echo: two\n2 of 2 prompts"), "{stdout}{stderr}");
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
