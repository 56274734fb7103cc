//! Servers that are run by the transport: found by what they say on stderr, ended with the connection.
//!
//! Their process is this program again, with `probe_server` as its only test.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use codex_blocking::testing::{ScriptedListener, ScriptedServer};
use codex_blocking::{Client, Error, Stdio, Timeout, WebSocket};
use serde_json::{Value, json};

use crate::support::await_that;
use crate::support::probe::probe_stdio;
use crate::support::websocket::PATIENCE;

/// The variable that says what the process does.
const ORDERS: &str = "CODEX_BLOCKING_SPAWNED";

/// Run by the tests below as the server's process. It says `lines` on stderr, and ends with `status`; without one
/// it waits, and dies when a byte comes from the test's `port`.
#[test]
#[ignore = "is run by other tests"]
fn probe_server() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    // Elsewhere no process is asked to terminate.
    #[cfg(unix)]
    if orders["deaf"] == true {
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Default::default()).unwrap();
    }
    let mut stderr = io::stderr();
    let mut test = orders["port"]
        .as_u64()
        .map(|port| TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap());
    for line in orders["lines"].as_array().unwrap() {
        writeln!(stderr, "{}", line.as_str().unwrap()).unwrap();
    }
    if let Some(status) = orders["status"].as_i64() {
        std::process::exit(i32::try_from(status).unwrap());
    }
    let Some(test) = &mut test else { return thread::sleep(Duration::from_secs(300)) };
    if test.read(&mut [0]).is_ok_and(|length| length > 0) {
        writeln!(stderr, "out of paper").unwrap();
        std::process::exit(7);
    }
}

fn process(orders: &Value) -> Stdio {
    probe_stdio("websocket::spawned::probe_server", &[]).env(ORDERS, orders.to_string())
}

/// A process, seen from the test: a connection to it.
struct Life(TcpStream);

impl Life {
    fn has_ended(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        (&self.0).read(&mut [0]).map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |_| true)
    }

    #[track_caller]
    fn await_end(&self) {
        await_that("the process has ended", || self.has_ended());
    }
}

/// A client of a scripted server that a process stands in front of, and that process, which may be deaf to
/// SIGTERM.
fn behind_process(server: &ScriptedListener, deaf: bool) -> (Client, Life) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let lines = ["warming up".to_owned(), format!("  listening on: {} (loopback)", server.url())];
    let orders = json!({ "port": listener.local_addr().unwrap().port(), "lines": lines, "deaf": deaf });
    let client = Client::connect(WebSocket::spawn(process(&orders))).unwrap();
    (client, Life(listener.accept().unwrap().0))
}

#[test]
fn a_server_is_found_by_what_it_says_on_stderr_and_ends_with_its_client() {
    let server = ScriptedServer::new().listen().unwrap();
    let (client, process) = behind_process(&server, false);
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    assert!(!process.has_ended());
    client.close().unwrap();
    process.await_end();
}

#[test]
fn dropping_the_client_ends_a_server_that_will_not_go() {
    let server = ScriptedServer::new().listen().unwrap();
    let (client, process) = behind_process(&server, true);
    drop(client);
    process.await_end();
}

#[test]
fn a_server_that_ends_before_it_listens_is_told_with_its_status_and_words() {
    let fails = process(&json!({ "lines": ["no such flag"], "status": 3 }));
    let error = Client::connect(WebSocket::spawn(fails)).unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.and_then(|status| status.code()), Some(3));
    assert_eq!(failure.stderr_tail, ["no such flag"]);
    assert!(!error.is_retryable(), "it would end again");
}

#[test]
fn a_server_that_never_listens_is_given_up_in_time_and_ended() {
    let clock = Instant::now();
    let limit = Duration::from_millis(200);
    let silent = WebSocket::spawn(process(&json!({ "lines": [] }))).connect_timeout(limit);
    let error = Client::connect(silent).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
    assert!(clock.elapsed() < PATIENCE);
}

#[test]
fn a_server_that_dies_is_told_with_its_status_and_words() {
    let server = ScriptedServer::new().listen().unwrap();
    let (client, mut process) = behind_process(&server, false);
    client.initialize().unwrap();
    process.0.write_all(b"x").unwrap();
    process.await_end();
    server.cut();
    let error = client.request("config/read", json!({})).unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.and_then(|status| status.code()), Some(7));
    assert!(failure.stderr_tail.iter().any(|line| line == "out of paper"), "{error}");
}
