//! What travels on a connection that is up: both ways, of any size, at any time.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::testing::ScriptedServer;
use codex_blocking::{Client, Error, Timeout, UserInputResponse, WebSocket};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tungstenite::Message;
use tungstenite::protocol::frame::FrameSocket;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{served, served_with};
use crate::support::await_that;
#[cfg(target_os = "linux")]
use crate::support::probe::{is_probe, run_probe};
use crate::support::websocket::{Listening, PATIENCE, frame, read_head};

const MIB: usize = 1024 * 1024;

/// Parameters that are a little longer than this, and quick to write.
fn padded(length: usize) -> Box<RawValue> {
    RawValue::from_string(format!(r#"{{"text":"{}"}}"#, "x".repeat(length))).unwrap()
}

#[test]
fn a_whole_chat_runs_over_a_socket() {
    let server = ScriptedServer::new().listen().unwrap();
    let client = Client::connect(WebSocket::new(server.url())).unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
}

#[test]
fn two_clients_of_one_server_do_not_disturb_each_other() {
    let server = ScriptedServer::new().listen().unwrap();
    thread::scope(|scope| {
        for name in ["one", "two"] {
            let url = server.url();
            scope.spawn(move || {
                let client = Client::connect(WebSocket::new(url)).unwrap();
                for _ in 0..20 {
                    assert_eq!(client.chat_once(name).unwrap().final_text, format!("echo: {name}"));
                }
            });
        }
    });
}

#[test]
fn many_threads_may_use_one_socket() {
    let server = ScriptedServer::new().on_request("test/echo", |params| Ok(params.clone())).listen().unwrap();
    let client = Client::connect(WebSocket::new(server.url())).unwrap();
    thread::scope(|scope| {
        for number in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for round in 0..100 {
                    let params = json!({ "number": number, "round": round, "pad": "x".repeat(round * 500) });
                    assert_eq!(client.request("test/echo", &params).unwrap(), params);
                }
            });
        }
    });
}

#[test]
fn what_came_along_with_the_upgrade_is_read() {
    let listening = Listening::new();
    let client = thread::scope(|scope| {
        let connecting = scope.spawn(|| Client::connect(WebSocket::new(listening.url())).unwrap());
        let mut stream = listening.accept();
        let head = read_head(&mut stream);
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
        let mut answer = format!(
            "HTTP/1.1 101 x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        answer.extend(frame(0x81, br#"{"method":"test/first","params":{}}"#));
        // An id that was not given yet is waited for by nobody, and counted.
        answer.extend(frame(0x81, br#"{"id":1000,"result":{}}"#));
        stream.write_all(&answer).unwrap();
        let client = connecting.join().unwrap();
        await_that("the reply is counted", || client.stats().unmatched_replies == 1);
        client
    });
    assert_eq!(client.stats().frames, 2);
}

#[test]
fn a_message_in_fragments_with_pings_between_them_is_whole() {
    let (client, mut server) = served();
    let answer = thread::scope(|scope| {
        let asking = scope.spawn(|| client.request("test/fragments", json!({})).unwrap());
        let request = server.expect("test/fragments");
        let text = json!({ "id": request["id"], "result": "é".repeat(1000) }).to_string();
        let (first, rest) = text.as_bytes().split_at(101);
        let (second, third) = rest.split_at(333);
        let stream = [
            frame(0x01, first),
            frame(0x89, b"are you there?"),
            frame(0x00, second),
            frame(0x00, b""),
            frame(0x8a, b"unasked"),
            frame(0x80, third),
        ]
        .concat();
        server.raw().write_all(&stream).unwrap();
        let pong = server.socket.read().unwrap();
        assert_eq!(pong, Message::Pong("are you there?".into()));
        asking.join().unwrap()
    });
    assert_eq!(answer, json!("é".repeat(1000)));
}

#[test]
fn a_binary_message_is_read_like_text() {
    let (client, mut server) = served();
    let answer = thread::scope(|scope| {
        let asking = scope.spawn(|| client.request("test/binary", json!({})).unwrap());
        let request = server.expect("test/binary");
        let reply = json!({ "id": request["id"], "result": 7 }).to_string();
        server.socket.send(Message::binary(reply.into_bytes())).unwrap();
        asking.join().unwrap()
    });
    assert_eq!(answer, json!(7));
}

#[test]
fn what_is_no_message_is_skipped_and_counted() {
    let (client, mut server) = served();
    let stray = [frame(0x81, b"\xff\xfe no UTF-8"), frame(0x81, b""), frame(0x81, b"hello")].concat();
    server.raw().write_all(&stray).unwrap();
    assert_eq!(server.one_round(&client), json!("answer"));
    assert_eq!(client.stats().skipped_frames, 3);
}

#[test]
fn a_strict_client_ends_at_what_is_no_message() {
    let (client, mut server) = served_with(Client::builder().strict(true), |socket| socket);
    server.send("hello".to_owned());
    let error = loop {
        if let Err(error) = client.notify("test/x", json!({})) {
            break error;
        }
    };
    assert!(error.to_string().contains("(strict): hello"), "{error}");
}

#[test]
fn an_answer_of_a_hundred_mib_is_read() {
    let (client, mut server) = served();
    let length = 100 * MIB;
    let answer = thread::scope(|scope| {
        let asking = scope.spawn(|| client.request_with_timeout("test/large", json!({}), PATIENCE).unwrap());
        let request = server.expect("test/large");
        server.send(format!(r#"{{"id":{},"result":"{}"}}"#, request["id"], "x".repeat(length)));
        asking.join().unwrap()
    });
    assert_eq!(answer.as_str().unwrap().len(), length);
}

#[test]
fn a_message_over_max_frame_bytes_ends_the_connection_with_that_reason() {
    let (client, mut server) = served_with(Client::builder().max_frame_bytes(10_000), |socket| socket);
    assert_eq!(server.one_round(&client), json!("answer"));
    let error = thread::scope(|scope| {
        let asking = scope.spawn(|| client.request("test/large", json!({})).unwrap_err());
        let request = server.expect("test/large");
        server.reply(&request, "x".repeat(10_000).into());
        asking.join().unwrap()
    });
    assert!(error.to_string().contains("max_frame_bytes (10000 bytes)"), "{error}");
    let Message::Close(Some(close)) = server.socket.read().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(close.code), 1009);
}

#[test]
fn a_long_request_travels_in_fragments_that_the_server_takes() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    let text = "y".repeat(20 * MIB);
    let mut frames = FrameSocket::new(server.raw().try_clone().unwrap());
    thread::scope(|scope| {
        let params = json!({ "text": text });
        let client = &client;
        scope.spawn(move || client.notify("test/long", params).unwrap());
        let mut message = Vec::new();
        let mut kinds = Vec::new();
        loop {
            let mut frame = frames.read(None).unwrap().unwrap();
            let mask = frame.header_mut().mask.take().expect("clients mask");
            let header = frame.header().clone();
            assert!(frame.payload().len() <= 8 * MIB);
            let payload = frame.into_payload();
            message.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            kinds.push(header.opcode);
            if header.is_final {
                break;
            }
        }
        let (first, rest) = kinds.split_first().unwrap();
        assert_eq!(*first, OpCode::Data(Data::Text));
        assert_eq!(rest, [OpCode::Data(Data::Continue); 2]);
        let message: Value = serde_json::from_slice(&message).unwrap();
        assert!(message["params"]["text"] == text.as_str());
    });
}

#[test]
fn the_fragments_of_two_long_messages_do_not_mix() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    thread::scope(|scope| {
        for method in ["test/one", "test/two"] {
            let client = &client;
            scope.spawn(move || (0..3).for_each(|_| client.notify(method, padded(17 * MIB)).unwrap()));
        }
        for _ in 0..6 {
            // What is mixed is no message of WebSocket, or no JSON.
            let Message::Text(text) = server.socket.read().unwrap() else { panic!("no text") };
            assert!(
                text.starts_with(r#"{"method":"test/"#) && text.len() > 17 * MIB && text.ends_with("x\"}}")
            );
        }
    });
}

#[test]
fn a_request_that_the_server_would_not_take_is_refused_here() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    let params = padded(64 * MIB);
    for outcome in [client.request("test/huge", &params).map(drop), client.notify("test/huge", &params)] {
        let Err(Error::InvalidInput { message, .. }) = outcome else { panic!("{outcome:?}") };
        assert!(message.contains("test/huge") && message.contains("67108864"), "{message}");
    }
    assert_eq!(server.one_round(&client), json!("answer"));
    assert_eq!(client.stats().pending_requests, 0);
}

#[test]
fn an_answer_that_the_server_would_not_take_is_a_refusal() {
    let (client, mut server) = served();
    client.set_user_input_handler(|_| UserInputResponse::answer("why", ["x".repeat(64 * MIB)]));
    let question = json!({ "id": "why", "header": "?", "question": "?" });
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "i", "questions": [question] });
    let request = json!({ "id": "q", "method": "item/tool/requestUserInput", "params": params });
    server.send(request.to_string());
    let answer = server.recv();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("q"), &json!(-32603)));
}

#[test]
fn a_server_that_does_not_read_holds_nobody_past_the_limit_and_is_still_heard() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    let notifications = client.notifications();
    for _ in 0..3 {
        client.notify("test/unread", padded(8 * MIB)).unwrap();
    }
    let limit = Duration::from_millis(100);
    let clock = Instant::now();
    let error = client.request_with_timeout("test/late", json!({}), limit).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Request { .. }, .. }), "{error:?}");
    assert!(clock.elapsed() < PATIENCE / 2);
    // What it says is heard though nothing of that has been read.
    let (heard, hears) = mpsc::channel();
    thread::spawn(move || heard.send(notifications.into_iter().next()));
    server.send(json!({ "method": "test/news", "params": {} }).to_string());
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap().unwrap().method(), "test/news");
    // And when it reads again, all is well.
    for _ in 0..3 {
        server.expect("test/unread");
    }
    server.expect("test/late");
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn a_server_that_never_reads_fills_no_memory_without_end() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    let params = padded(32 * MIB);
    let refused = (0..20).find_map(|_| client.notify("test/unread", &params).err()).expect("a limit");
    assert!(refused.to_string().contains("does not read"), "{refused}");
}

#[test]
fn a_flood_of_both_ways_at_once_gets_through() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    let rounds = 2000;
    let pad = "z".repeat(20_000);
    thread::scope(|scope| {
        let client = &client;
        scope.spawn(|| {
            for number in 0..rounds {
                client.notify("test/up", json!({ "number": number, "pad": pad })).unwrap();
            }
        });
        for number in 0..rounds {
            server.send(json!({ "method": "test/down", "params": { "pad": pad } }).to_string());
            assert_eq!(server.recv()["params"]["number"], number);
        }
    });
    await_that("all frames have come", || client.stats().frames as usize >= rounds);
}

/// How often the threads of this name have been woken.
#[cfg(target_os = "linux")]
fn wake_ups(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let statuses = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
    let of_name = statuses.filter(|status| status.starts_with(&format!("Name:\t{name}\n")));
    let counts = of_name.filter_map(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<u64>().ok()
    });
    counts.sum()
}

/// Run by the next test in a process of its own, whose threads it counts.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "is run by another test"]
fn probe_idle() {
    if !is_probe() {
        return;
    }
    let server = ScriptedServer::new().listen().unwrap();
    let client = Client::connect(WebSocket::new(server.url()).ping_interval(None)).unwrap();
    client.chat_once("hello").unwrap();
    // What is on its way may arrive.
    thread::sleep(Duration::from_millis(500));
    let before = wake_ups("codex-socket");
    assert!(before > 0);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(wake_ups("codex-socket"), before);
}

/// The time that threads of this name have computed, in nanoseconds.
#[cfg(target_os = "linux")]
fn time_of(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|task| task.path());
    let of_name =
        tasks.filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
    let times = of_name.filter_map(|task| {
        let line = std::fs::read_to_string(task.join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<u64>().ok()
    });
    times.sum()
}

/// Run by a test below in a process of its own, whose threads it looks at.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "is run by another test"]
fn probe_full() {
    if !is_probe() {
        return;
    }
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    client.notify("test/unread", padded(32 * MIB)).unwrap();
    thread::sleep(Duration::from_millis(500));
    let before = time_of("codex-socket");
    assert!(before > 0);
    thread::sleep(Duration::from_secs(1));
    assert!(time_of("codex-socket") - before < 50_000_000);
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_that_is_full_is_waited_for_and_not_asked_again_and_again() {
    run_probe("websocket::wire::probe_full");
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_socket_wakes_nobody() {
    run_probe("websocket::wire::probe_idle");
}

#[test]
fn a_frame_is_found_in_a_stream_that_is_cut_after_each_byte() {
    let (client, mut server) = served();
    thread::scope(|scope| {
        let asking = scope.spawn(|| client.request("test/slow", json!({})).unwrap());
        let request = server.expect("test/slow");
        let text = json!({ "id": request["id"], "result": "slow" }).to_string();
        for byte in frame(0x81, text.as_bytes()) {
            server.raw().write_all(&[byte]).unwrap();
        }
        assert_eq!(asking.join().unwrap(), json!("slow"));
    });
    // Nothing is left over.
    server.raw().set_nonblocking(true).unwrap();
    assert!(server.raw().read(&mut [0; 1]).is_err());
}

#[test]
fn of_a_flood_of_pings_that_can_not_be_answered_only_the_newest_is() {
    const PINGS: usize = 200_000;
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    // More than the system takes for a server that doesn't read.
    client.notify("test/fill", padded(32 * MIB)).unwrap();
    let pings: Vec<u8> = (0..PINGS).flat_map(|number| frame(0x89, number.to_string().as_bytes())).collect();
    server.raw().write_all(&pings).unwrap();
    server.send(r#"{"method":"test/behind"}"#.to_owned());
    assert!(notifications.next_timeout(PATIENCE).is_some_and(|behind| behind.method() == "test/behind"));
    let mut pongs = Vec::new();
    while pongs.last().is_none_or(|last| *last != (PINGS - 1).to_string()) {
        if let Message::Pong(payload) = server.socket.read().unwrap() {
            pongs.push(String::from_utf8(payload.to_vec()).unwrap());
        }
    }
    assert!(pongs.len() < 100, "{} answers were kept", pongs.len());
}
