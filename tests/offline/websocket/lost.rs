//! How connections end: by either side, in order or not, and how soon who waits is told why.

use std::io::Write;
use std::net::Shutdown;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::testing::{ScriptedServer, TurnScript};
use codex_blocking::{Client, Error, StepType, WebSocket};
use serde_json::json;
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;

use super::{served, served_with};
#[cfg(target_os = "linux")]
use crate::support::await_that;
use crate::support::failure_of;
#[cfg(target_os = "linux")]
use crate::support::probe::{is_probe, run_probe};
use crate::support::websocket::{PATIENCE, Server, frame};

/// What a request gets whose connection ends by what the server does.
fn lost(client: &Client, server: &mut Server, end: impl FnOnce(&mut Server)) -> Error {
    thread::scope(|scope| {
        let asking = scope.spawn(|| client.request("test/lost", json!({})).unwrap_err());
        server.expect("test/lost");
        end(server);
        asking.join().unwrap()
    })
}

#[test]
fn a_close_frame_is_told_with_its_code_and_reason_and_answered() {
    for (code, reason, told) in [(1001, "going away", "(1001: going away)"), (4321, "", "(4321)")] {
        let (client, mut server) = served();
        let error = lost(&client, &mut server, |server| {
            let close = CloseFrame { code: code.into(), reason: reason.into() };
            server.socket.close(Some(close)).unwrap();
        });
        assert_eq!(failure_of(&error).close_code, Some(code));
        assert!(error.to_string().contains(told), "{error}");
        assert!(!error.is_retryable(), "a repeat could run work twice");
        let Message::Close(Some(answer)) = server.socket.read().unwrap() else { panic!("no answer") };
        assert_eq!(u16::from(answer.code), code);
        // And so is every later call, at once.
        let later = client.request("test/later", json!({})).unwrap_err();
        assert_eq!(failure_of(&later).close_code, Some(code));
    }
}

#[test]
fn a_connection_that_ends_without_a_close_frame_is_told_as_that() {
    let (client, mut server) = served();
    let error = lost(&client, &mut server, |server| server.raw().shutdown(Shutdown::Both).unwrap());
    assert!(error.to_string().contains("without saying why"), "{error}");
    assert_eq!(failure_of(&error).close_code, None);
}

#[test]
fn what_is_no_websocket_any_more_ends_the_connection_with_its_reason() {
    for (bytes, told) in [
        (frame(0xc1, b"compressed"), "an extension that was not agreed on"),
        (frame(0x83, b""), "its kind is unknown"),
        (frame(0x80, b""), "it continues nothing"),
        (vec![0x81, 0x85, 1, 2, 3, 4], "it is masked"),
        (vec![0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0], "its length is negative"),
    ] {
        let (client, mut server) = served();
        let error = lost(&client, &mut server, |server| server.raw().write_all(&bytes).unwrap());
        assert!(error.to_string().contains(told), "{error}");
        let closing = server.socket.read();
        let Ok(Message::Close(Some(close))) = closing else { panic!("{told}: no close frame: {closing:?}") };
        assert_eq!(u16::from(close.code), 1002);
    }
}

#[test]
fn a_claimed_length_of_terabytes_costs_nothing() {
    let (client, mut server) = served();
    let error = lost(&client, &mut server, |server| {
        server.raw().write_all(&[0x81, 127, 0, 0, 0x7f, 0, 0, 0, 0, 0, b'{']).unwrap();
        server.raw().shutdown(Shutdown::Write).unwrap();
    });
    assert!(error.to_string().contains("without saying why"), "{error}");
}

#[test]
fn a_server_that_falls_silent_is_found_dead() {
    let (client, mut server) = served_with(Client::builder(), |socket| {
        socket.ping_interval(Duration::from_millis(100)).pong_timeout(Duration::from_millis(100))
    });
    assert_eq!(server.one_round(&client), json!("answer"));
    // Nobody reads the server's end now, so that nobody answers the ping.
    let error = client.request_with_timeout("test/x", json!({}), PATIENCE).unwrap_err();
    assert!(error.to_string().contains("did not answer a ping"), "{error}");
    let seen = thread::spawn(move || {
        loop {
            match server.socket.read().unwrap() {
                Message::Ping(_) => return true,
                Message::Close(_) => return false,
                _ => {}
            }
        }
    });
    assert!(seen.join().unwrap());
}

#[test]
fn a_silent_server_that_answers_pings_is_alive() {
    let (client, mut server) = served_with(Client::builder(), |socket| {
        socket.ping_interval(Duration::from_millis(20)).pong_timeout(PATIENCE)
    });
    for _ in 0..3 {
        // Reading answers it.
        assert!(matches!(server.socket.read().unwrap(), Message::Ping(_)));
    }
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn without_a_ping_interval_nobody_is_asked() {
    let (client, mut server) = served_with(Client::builder(), |socket| {
        socket.ping_interval(None).pong_timeout(Duration::from_millis(1))
    });
    server.raw().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let Err(tungstenite::Error::Io(error)) = server.socket.read() else { panic!("something came") };
    assert!(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    server.raw().set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn closing_sends_a_close_frame_after_what_was_sent_before() {
    let (client, mut server) = served();
    let closing = thread::spawn(move || {
        client.notify("test/last", json!({})).unwrap();
        client.close().unwrap();
    });
    assert_eq!(server.recv()["method"], "test/last");
    let Message::Close(Some(close)) = server.socket.read().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(close.code), 1000);
    drop(server);
    closing.join().unwrap();
}

#[test]
fn a_server_that_does_not_answer_a_close_frame_holds_nobody_for_long() {
    let (client, _server) = served();
    let clock = Instant::now();
    client.close().unwrap();
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
    assert!(matches!(client.request("test/x", json!({})), Err(Error::Closed { .. })));
    let (client, _server) = served();
    let clock = Instant::now();
    drop(client);
    assert!(clock.elapsed() < Duration::from_secs(2), "{:?}", clock.elapsed());
}

#[test]
fn a_server_that_reads_nothing_does_not_keep_a_client_from_closing() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    for _ in 0..3 {
        client.notify("test/unread", json!({ "text": "x".repeat(16 * 1024 * 1024) })).unwrap();
    }
    let clock = Instant::now();
    client.close().unwrap();
    assert!(clock.elapsed() < Duration::from_secs(5), "{:?}", clock.elapsed());
}

#[test]
fn a_client_may_be_closed_by_its_own_callback() {
    let server = ScriptedServer::new()
        .on_turn(|_| {
            TurnScript::new()
                .ask("item/commandExecution/requestApproval", json!({ "itemId": "x" }))
                .message("m")
        })
        .listen()
        .unwrap();
    let client = Client::connect(WebSocket::new(server.url())).unwrap();
    let (closed, waits) = mpsc::channel();
    let own = client.downgrade();
    client.set_approval_handler(move |_| {
        own.upgrade().unwrap().close().unwrap();
        closed.send(()).unwrap();
        codex_blocking::ApprovalDecision::Decline
    });
    let outcome = client.chat_once("hello");
    waits.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(outcome, Err(Error::Closed { .. })), "{outcome:?}");
}

#[test]
fn every_turn_is_told_that_its_server_was_cut_off() {
    let server = ScriptedServer::new()
        .on_turn(|_| TurnScript::new().message("begun").wait_for_interrupt())
        .listen()
        .unwrap();
    let client = Client::connect(WebSocket::new(server.url())).unwrap();
    let mut chats: Vec<_> = (0..3).map(|_| client.chat("hello").unwrap()).collect();
    for chat in &mut chats {
        let begun = chat.find(|step| step.step_type == StepType::Codex);
        assert_eq!(begun.unwrap().text.as_deref(), Some("begun"));
    }
    server.cut();
    for chat in chats {
        let error = chat.finish().unwrap_err();
        assert!(error.to_string().contains("without saying why"), "{error}");
    }
    // Another connection is a new client's.
    let client = Client::connect(WebSocket::new(server.url())).unwrap();
    assert!(client.initialize().is_ok());
}

/// The threads and descriptors of this process.
#[cfg(target_os = "linux")]
fn held() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

/// Run by the next test in a process of its own.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "is run by another test"]
fn probe_leaks() {
    if !is_probe() {
        return;
    }
    let server = ScriptedServer::new().listen().unwrap();
    let before = held();
    for number in 0..20 {
        let client = Client::connect(WebSocket::new(server.url())).unwrap();
        client.chat_once("hello").unwrap();
        match number % 3 {
            0 => client.close().unwrap(),
            1 => drop(client),
            _ => server.cut(),
        }
    }
    server.cut();
    await_that("all is as it was before", || held() == before);
}

#[cfg(target_os = "linux")]
#[test]
fn connections_leave_neither_threads_nor_descriptors_behind() {
    run_probe("websocket::lost::probe_leaks");
}
