//! The hard death of the program: its server and what that has started end too, and nothing else does.
//!
//! Relies on `harness` and `probe`: each test runs this binary again as the host. Invariant: whoever is to end ends by
//! nothing else, neither by the end of its input nor by a gentle signal.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio as Pipe},
    thread,
};

use codex_blocking::{Client, Stdio, WebSocket};
use rustix::{io::Errno, process::WaitOptions};
use serde_json::json;

use crate::harness::{Watched, connect, server};
use crate::hosts::without_sigchld;
use crate::probe::{output_of, probe};
use crate::support::await_that;
use crate::support::cases::cases;

cases![
    the_server_of_a_host_that_is_killed_ends_with_what_it_has_started,
    a_server_that_was_started_for_a_websocket_ends_with_its_killed_host,
    the_server_of_a_host_that_exits_without_closing_ends,
    the_server_of_a_killed_host_that_ignores_sigchld_ends,
    no_process_of_the_group_is_left_after_a_close_a_drop_or_a_death,
    a_host_that_waits_for_any_child_closes_as_any_other,
    a_server_does_not_end_with_the_thread_that_has_connected,
];

/// Runs a host in this process.
pub(crate) fn run(host: &str, words: &[&str]) {
    match (host, words) {
        ("stdio" | "websocket", [file]) => live(host, file),
        ("waits", []) => waits(),
        _ => panic!("there is no host {host} {words:?}"),
    }
}

/// A server that hears nothing, and a process that it has started. It writes down both numbers.
fn deaf_pair(scenario: &str, file: &str) -> Stdio {
    let exe = std::env::current_exe().unwrap();
    let script =
        r#"trap "" HUP INT TERM; "$0" --serve sleeper & echo "[$$, $!]" > "$1"; exec "$0" --serve "$2""#;
    let words = ["sh".into(), "-c".into(), script.into(), exe.into_os_string(), file.into(), scenario.into()];
    Stdio::command(words)
}

/// Connects, says so, and lives until it is killed or told to exit.
fn live(host: &str, file: &str) {
    let client = match host {
        "stdio" => connect(deaf_pair("ignores-eof", file)),
        _ => Client::connect(WebSocket::spawn(deaf_pair("listens", file))).unwrap(),
    };
    client.initialize().unwrap();
    println!("connected");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    std::process::exit(0);
}

/// Ends a host, and awaits the end of the two.
fn ends_with(mut host: Command, kind: &str, end: impl FnOnce(&mut std::process::Child)) {
    use std::io::{BufRead, BufReader};
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
        "stdio-{}-{:?}",
        std::process::id(),
        thread::current().id()
    ));
    let mut host = host.args([kind]).arg(&file).stdin(Pipe::piped()).stdout(Pipe::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "connected\n");
    let numbers: [u32; 2] = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(file).unwrap();
    let pair = numbers.map(|number| Watched::new(number, None));
    let guard = pair[0].leader();
    end(&mut host);
    host.wait().unwrap();
    for process in pair.iter().chain([&guard]) {
        process.await_end();
    }
}

fn host() -> Command {
    probe("host-death")
}

fn kill(host: &mut std::process::Child) {
    host.kill().unwrap();
}

fn the_server_of_a_host_that_is_killed_ends_with_what_it_has_started() {
    ends_with(host(), "stdio", kill);
}

fn a_server_that_was_started_for_a_websocket_ends_with_its_killed_host() {
    ends_with(host(), "websocket", kill);
}

fn the_server_of_a_host_that_exits_without_closing_ends() {
    ends_with(host(), "websocket", |host| drop(host.stdin.take()));
}

fn the_server_of_a_killed_host_that_ignores_sigchld_ends() {
    ends_with(without_sigchld("host-death"), "stdio", kill);
}

/// Runs `end` on a connected client. Nothing of the child's group is left then.
fn leaves_no_group(end: impl FnOnce(Client)) {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    let group = child.leader();
    end(client);
    assert!(child.is_gone() && group.is_gone());
    // Whatever was in it may be a moment from being reaped.
    await_that("the group is gone", || group.leads_nothing());
}

fn end_all_ways() {
    leaves_no_group(|client| client.close().unwrap());
    leaves_no_group(drop);
    leaves_no_group(|client| {
        client.request("exit", json!({ "status": 3 })).unwrap_err();
        client.close().unwrap();
    });
}

fn no_process_of_the_group_is_left_after_a_close_a_drop_or_a_death() {
    end_all_ways();
}

fn a_host_that_waits_for_any_child_closes_as_any_other() {
    output_of(probe("host-death").arg("waits"));
}

fn waits() {
    // It ends with the process.
    thread::spawn(|| {
        loop {
            let waited = rustix::process::wait(WaitOptions::empty());
            assert!(waited.is_ok() || waited.unwrap_err() == Errno::CHILD);
            thread::yield_now();
        }
    });
    for _ in 0..20 {
        end_all_ways();
    }
}

fn a_server_does_not_end_with_the_thread_that_has_connected() {
    let client = thread::spawn(|| connect(server("plain"))).join().unwrap();
    let child = Watched::server(&client);
    client.request("echo", ()).unwrap();
    assert!(!child.has_ended());
    client.close().unwrap();
}
