//! Runs the examples as a user does against the real app-server, and looks at what they print.
//!
//! Relies on `support/examples.rs`; `offline/examples.rs` runs the same examples without it.

use crate::support::cases::cases;
#[cfg(unix)]
use crate::support::daemon::Daemon;
#[cfg(unix)]
use crate::support::examples::Running;
use crate::support::examples::{HELLO, assert_threads, run, run_at_home, run_with_input};
use crate::support::real::{RealHome, codex_bin};

cases![
    the_chat_example_runs_the_real_codex_against_the_stub_of_the_model,
    the_approvals_example_decides_for_the_real_codex,
    the_tools_example_gives_its_tool_to_the_real_codex,
    the_threads_example_runs_the_real_codex_against_the_stub_of_the_model,
    the_batch_example_asks_the_real_codex_and_shows_what_failed,
    the_remote_example_runs_a_real_codex_that_listens,
    #[cfg(unix)]
    the_remote_example_finds_a_real_codex_on_a_unix_socket,
    the_repl_example_asks_before_the_real_codex_runs_a_command,
    the_repl_example_goes_on_with_a_conversation_of_an_earlier_run,
    #[cfg(unix)]
    a_signal_interrupts_the_turn_of_the_repl_example_and_the_next_one_ends_it,
];

/// The command line that starts the real server.
fn real_codex() -> String {
    format!("'{}' app-server", codex_bin().display())
}

fn the_chat_example_runs_the_real_codex_against_the_stub_of_the_model() {
    let codex = real_codex();
    let (output, stdout, stderr) =
        run("chat", &["--offline-model", "run", "echo", "it", "works"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("userMessage: run echo it works\n"), "{stdout}");
    assert!(stdout.contains("exec: ") && stdout.contains("\nit works\n"), "{stdout}");
    assert!(stdout.contains("tokens of this turn: "), "{stdout}");
    let (output, stdout, stderr) = run("chat", &["--offline-model", "fail"], Some(&codex));
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.contains("error: ") && stderr.contains("error: turn "), "{stdout}{stderr}");
}

fn the_approvals_example_decides_for_the_real_codex() {
    let codex = real_codex();
    let arguments = ["--offline-model", "escalate", "echo", "it", "ran"];
    let (output, stdout, stderr) = run_with_input("approvals", &arguments, Some(&codex), "y\n");
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("The agent wants to run: ") && stdout.contains("\nit ran\n"), "{stdout}");
    let (output, stdout, stderr) = run_with_input("approvals", &arguments, Some(&codex), "");
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("no (the input has ended)") && !stdout.contains("\nit ran\n"), "{stdout}");
}

fn the_tools_example_gives_its_tool_to_the_real_codex() {
    let codex = real_codex();
    let (output, stdout, stderr) = run("tools", &["--offline-model"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("(the agent looks up T-1)"), "{stdout}");
    assert!(stdout.contains("The tool says: \"open: the door squeaks\""), "{stdout}");
}

fn the_threads_example_runs_the_real_codex_against_the_stub_of_the_model() {
    let codex = real_codex();
    let (output, stdout, stderr) = run("threads", &["--offline-model"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert_threads(&stdout);
}

fn the_batch_example_asks_the_real_codex_and_shows_what_failed() {
    let codex = real_codex();
    let (output, stdout, stderr) = run("batch", &["--offline-model"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("echo: Spell the number 20\n20 of 20 prompts answered, "), "{stdout}");
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mixed-{}", std::process::id()));
    std::fs::write(&file, "hello\nfail\nhello again\n").unwrap();
    let (output, stdout, stderr) = run("batch", &["--offline-model", file.to_str().unwrap()], Some(&codex));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stdout.contains("error: turn ") && stdout.contains("echo: hello again\n2 of 3 prompts"),
        "{stdout}"
    );
    assert!(stderr.contains("1 of 3 prompts have no answer"), "{stderr}");
}

fn the_remote_example_runs_a_real_codex_that_listens() {
    let codex = real_codex();
    let (output, stdout, stderr) = run("remote", &["--offline-model", "hello"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.ends_with(HELLO), "{stdout}");
}

#[cfg(unix)]
fn the_remote_example_finds_a_real_codex_on_a_unix_socket() {
    let home = RealHome::new();
    let socket = home.workspace().join("socket");
    let url = format!("unix://{}", socket.display());
    let _server = Daemon::on_unix_socket(&home, socket);
    let (output, stdout, stderr) = run("remote", &[&url, "hello"], None);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.ends_with(HELLO), "{stdout}");
}

fn the_repl_example_asks_before_the_real_codex_runs_a_command() {
    let home = RealHome::new();
    let input = "escalate echo it ran\ny\nescalate echo and again\nn\nrun exit 3\n/usage\n";
    let (output, stdout, stderr) = run_at_home("repl", &[], &home, input);
    assert!(output.status.success(), "{stderr}");
    let asked = "? The agent wants to run a command\n  $ echo it ran\n";
    assert!(stdout.contains(asked) && stdout.contains("  → yes\n"), "{stdout}");
    assert!(stdout.contains("$ echo it ran\n│ it ran\n└ ok · "), "{stdout}");
    assert!(stdout.contains("  → no\n") && !stdout.contains("│ and again\n"), "{stdout}");
    assert!(stdout.contains("$ exit 3\n└ exit code 3 · "), "{stdout}");
    assert!(stdout.contains("conversation  "), "{stdout}");
}

fn the_repl_example_goes_on_with_a_conversation_of_an_earlier_run() {
    let home = RealHome::new();
    let (output, _, stderr) = run_at_home("repl", &["remember", "7"], &home, "");
    assert!(output.status.success(), "{stderr}");
    let (output, stdout, stderr) = run_at_home("repl", &[], &home, "/threads\n/resume 1\nadd 1\n/undo\n");
    assert!(output.status.success(), "{stderr}");
    let listed = stdout.lines().find(|line| line.starts_with("  1  "));
    assert!(listed.is_some_and(|line| line.ends_with("remember 7")), "{stdout}");
    assert!(stdout.contains("remember 7\n\n› remember 7\n\necho: remember 7\n"), "{stdout}");
    assert!(stdout.contains("echo: add 1\n"), "{stdout}");
    assert!(stdout.contains("The last turn is forgotten, 1 turn is left."), "{stdout}");
}

#[cfg(unix)]
fn a_signal_interrupts_the_turn_of_the_repl_example_and_the_next_one_ends_it() {
    use rustix::process::{Pid, Signal, kill_process};

    let home = RealHome::new();
    let mut repl = Running::at_home("repl", &[], &home);
    repl.say("hang");
    assert!(home.model().wait_for_requests(1, crate::support::PATIENCE));
    let pid = Pid::from_child(&repl.child);
    kill_process(pid, Signal::INT).unwrap();
    repl.wait_for("interrupted after ");
    // It is ready for the next prompt.
    repl.say("hello");
    repl.wait_for("echo: hello");
    repl.wait_for(" in, ");
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(repl.wait(), Some(130));
}
