//! Servers that are run by the transport: found by what they say on stderr, ended with the connection.

use std::time::{Duration, Instant};

use codex_blocking::testing::{ScriptedListener, ScriptedServer};
use codex_blocking::{Client, Error, Stdio, Timeout, WebSocket};
use rustix::process::{Pid, Signal};

use crate::support::await_that;
use crate::support::websocket::PATIENCE;

fn shell(script: &str) -> WebSocket {
    WebSocket::spawn(Stdio::command(["sh", "-c", script]))
}

/// Whether a process of this id is there.
fn lives(id: i32) -> bool {
    rustix::process::test_kill_process(Pid::from_raw(id).unwrap()).is_ok()
}

/// A client of a scripted server that a process stands in front of, and the id of that process. `script` is
/// what the process does then.
fn behind_process(server: &ScriptedListener, name: &str, script: &str) -> (Client, i32) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}-{}", std::process::id()));
    let script = format!(
        "echo $$ > {}; echo warming up >&2; echo '  listening on: {} (loopback)' >&2; {script}",
        file.display(),
        server.url()
    );
    let client = Client::connect(shell(&script)).unwrap();
    let id = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    std::fs::remove_file(&file).unwrap();
    (client, id)
}

#[test]
fn a_server_is_found_by_what_it_says_on_stderr_and_ends_with_its_client() {
    let server = ScriptedServer::new().listen().unwrap();
    let (client, id) = behind_process(&server, "found", "exec sleep 1000");
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    assert!(lives(id));
    client.close().unwrap();
    assert!(!lives(id));
}

#[test]
fn dropping_the_client_ends_a_server_that_will_not_go() {
    let server = ScriptedServer::new().listen().unwrap();
    let (client, id) = behind_process(&server, "stubborn", "trap '' TERM; while :; do sleep 0.1; done");
    drop(client);
    assert!(!lives(id));
}

#[test]
fn a_server_that_ends_before_it_listens_is_told_with_its_status_and_words() {
    let error = Client::connect(shell("echo no such flag >&2; exit 3")).unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.and_then(|status| status.code()), Some(3));
    assert_eq!(failure.stderr_tail, ["no such flag"]);
    assert!(!error.is_retryable(), "it would end again");
}

#[test]
fn a_server_that_never_listens_is_given_up_in_time_and_ended() {
    let clock = Instant::now();
    let limit = Duration::from_millis(200);
    let error = Client::connect(shell("exec sleep 1000").connect_timeout(limit)).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
    assert!(clock.elapsed() < PATIENCE);
}

#[test]
fn a_server_that_dies_is_told_with_its_status_and_words() {
    let server = ScriptedServer::new().listen().unwrap();
    let dies = "trap 'echo out of paper >&2; exit 7' USR1; while :; do sleep 0.05; done";
    let (client, id) = behind_process(&server, "dies", dies);
    client.initialize().unwrap();
    rustix::process::kill_process(Pid::from_raw(id).unwrap(), Signal::USR1).unwrap();
    await_that("the server has ended", || !lives(id));
    server.cut();
    let error = client.request("config/read", serde_json::json!({})).unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.and_then(|status| status.code()), Some(7));
    assert!(failure.stderr_tail.iter().any(|line| line == "out of paper"), "{error}");
}
