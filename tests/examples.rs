//! Runs every example as a user does, and looks at what it prints.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

#[path = "support/real.rs"]
mod real;

/// The built example; `cargo test` builds them all, `cargo test --test examples` does not.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let path = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--example", name]).status().unwrap();
        assert!(built.success());
    }
    path
}

fn run(name: &str, arguments: &[&str], codex: Option<&str>) -> (Output, String, String) {
    run_with_input(name, arguments, codex, "")
}

fn run_with_input(
    name: &str,
    arguments: &[&str],
    codex: Option<&str>,
    input: &str,
) -> (Output, String, String) {
    let mut command = Command::new(example(name));
    command.args(arguments).env_remove("CODEX_APP_SERVER_CMD");
    match codex {
        Some(codex) => command.env("CODEX_APP_SERVER_CMD", codex),
        // Nothing is found where nothing can be looked for.
        None => command.env("PATH", "").env("HOME", "/nonexistent"),
    };
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A few words; they fit into any pipe. It fails when the example has ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

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
    assert!(stdout.contains("tokens: 10 in, 5 out, 15 in all"), "{stdout}");
    assert!(stderr.contains("npm install -g @openai/codex"), "{stderr}");
}

#[test]
fn the_chat_example_fails_with_the_chain_of_causes_when_its_command_does_not_run() {
    let (output, _, stderr) = run("chat", &["hello"], Some("/nonexistent/codex app-server"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("error: start /nonexistent/codex"), "{stderr}");
}

#[test]
#[ignore = "needs npm once"]
fn the_chat_example_runs_the_real_codex_against_the_stub_of_the_model() {
    let codex = format!("'{}' app-server", real::codex_bin().display());
    let (output, stdout, stderr) =
        run("chat", &["--offline-model", "run", "echo", "it", "works"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("userMessage: run echo it works\n"), "{stdout}");
    assert!(stdout.contains("exec: ") && stdout.contains("\nit works\n"), "{stdout}");
    assert!(stdout.contains("tokens: "), "{stdout}");
    let (output, stdout, stderr) = run("chat", &["--offline-model", "fail"], Some(&codex));
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.contains("error: ") && stderr.contains("error: turn "), "{stdout}{stderr}");
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
#[ignore = "needs npm once"]
fn the_approvals_example_decides_for_the_real_codex() {
    let codex = format!("'{}' app-server", real::codex_bin().display());
    let arguments = ["--offline-model", "escalate", "echo", "it", "ran"];
    let (output, stdout, stderr) = run_with_input("approvals", &arguments, Some(&codex), "y\n");
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("The agent wants to run: ") && stdout.contains("\nit ran\n"), "{stdout}");
    let (output, stdout, stderr) = run_with_input("approvals", &arguments, Some(&codex), "");
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("no (the input has ended)") && !stdout.contains("\nit ran\n"), "{stdout}");
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
#[ignore = "needs npm once"]
fn the_tools_example_gives_its_tool_to_the_real_codex() {
    let codex = format!("'{}' app-server", real::codex_bin().display());
    let (output, stdout, stderr) = run("tools", &["--offline-model"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("(the agent looks up T-1)"), "{stdout}");
    assert!(stdout.contains("The tool says: \"open: the door squeaks\""), "{stdout}");
}

/// What the example says of its own threads, whoever the server is.
fn assert_threads(stdout: &str) {
    for line in [
        "first: echo: Remember the number 7\n",
        "* an example Remember the number 7\n",
        "in the fork: echo: Add 1 to it\n",
        "in the thread: echo: Double it\n",
        "turns left in the fork: 1\n",
        "turns in the thread: 2\n",
    ] {
        assert!(stdout.contains(line), "no {line:?} in {stdout}");
    }
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
#[ignore = "needs npm once"]
fn the_threads_example_runs_the_real_codex_against_the_stub_of_the_model() {
    let codex = format!("'{}' app-server", real::codex_bin().display());
    let (output, stdout, stderr) = run("threads", &["--offline-model"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert_threads(&stdout);
}

/// What the example shows of a turn that was asked to say hello.
const HELLO: &str = "userMessage: hello\ncodex: echo: hello\n";

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

#[test]
#[ignore = "needs npm once"]
fn the_remote_example_runs_a_real_codex_that_listens() {
    let codex = format!("'{}' app-server", real::codex_bin().display());
    let (output, stdout, stderr) = run("remote", &["--offline-model", "hello"], Some(&codex));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.ends_with(HELLO), "{stdout}");
}

#[cfg(unix)]
#[test]
#[ignore = "needs npm once"]
fn the_remote_example_finds_a_real_codex_on_a_unix_socket() {
    let home = real::RealHome::new();
    let url = format!("unix://{}", home.workspace().join("socket").display());
    let command = home.command();
    let mut server = Command::new(&command[0])
        .args(&command[1..])
        .args(["--listen", &url])
        .envs(home.envs())
        .current_dir(home.workspace())
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It says nowhere that it listens.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let (output, stdout, stderr) = loop {
        let ran = run("remote", &[&url, "hello"], None);
        if ran.0.status.success() || std::time::Instant::now() >= deadline {
            break ran;
        }
    };
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.ends_with(HELLO), "{stdout}");
}
