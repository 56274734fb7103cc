//! The way to a connection: URLs, headers, tokens, refusals, the one deadline.

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use codex_blocking::testing::ScriptedServer;
use codex_blocking::{Client, Error, Timeout, WebSocket};
use serde_json::json;

use crate::support::failure_of;
use crate::support::logger::set_logger;
use crate::support::probe::{is_alone, is_probe, probe};
use crate::support::websocket::{Listening, PATIENCE, read_head};

fn connect(transport: WebSocket) -> Result<Client, Error> {
    Client::connect(transport)
}

fn is_invalid(transport: WebSocket) -> String {
    match connect(transport) {
        Err(Error::InvalidInput { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_has_the_token_and_the_headers_and_no_origin() {
    let listening = Listening::new();
    let url = format!("{}/a/path?query=1", listening.url());
    let transport = WebSocket::new(url).token("the-token").header("X-Team", "blue");
    let (client, server) = listening.serve(|| connect(transport));
    assert_eq!(server.path, "/a/path?query=1");
    assert_eq!(server.header("authorization"), Some("Bearer the-token"));
    assert_eq!(server.header("x-team"), Some("blue"));
    assert_eq!(server.header("host"), Some(format!("127.0.0.1:{}", listening.port).as_str()));
    assert_eq!(server.header("sec-websocket-version"), Some("13"));
    assert_eq!(server.header("origin"), None);
    assert_eq!(server.header("sec-websocket-extensions"), None);
    assert!(client.is_ok());
}

#[test]
fn without_a_token_none_is_sent() {
    let listening = Listening::new();
    let (_client, server) = listening.serve(|| connect(WebSocket::new(listening.url())));
    assert_eq!(server.header("authorization"), None);
}

#[test]
fn a_closure_is_asked_for_the_token_at_each_connect() {
    let listening = Listening::new();
    let asked = AtomicU32::new(0);
    let transport = WebSocket::new(listening.url())
        .token_with(move || format!(" token-{}\n", asked.fetch_add(1, Ordering::Relaxed)));
    for expected in ["Bearer token-0", "Bearer token-1"] {
        let (client, server) = listening.serve(|| connect(transport.clone()));
        assert_eq!(server.header("authorization"), Some(expected));
        assert!(client.is_ok());
    }
}

/// Run by the next test in a process of its own, whose environment names the server.
#[test]
#[ignore = "is run by another test"]
fn probe_default() {
    if !is_probe() {
        return;
    }
    let client = connect(WebSocket::default()).unwrap();
    assert_eq!(client.initialize().unwrap().server_version(), Some("0.169.0"));
}

#[test]
fn the_default_takes_the_url_and_the_token_from_the_environment() {
    let listening = Listening::new();
    let mut probe = probe("websocket::connect::probe_default");
    probe.env("CODEX_APP_SERVER_WS_URL", listening.url()).env("CODEX_APP_SERVER_TOKEN", "of-the-environment");
    let (mut probe, mut server) = listening.serve(|| probe.stdout(Stdio::null()).spawn().unwrap());
    assert_eq!(server.header("authorization"), Some("Bearer of-the-environment"));
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "test/0.169.0 (x)" }));
    assert!(probe.wait().unwrap().success());
}

#[test]
fn a_refusal_is_told_with_its_status_and_text() {
    for (status, body, told) in [
        ("401 Unauthorized", "invalid websocket bearer token", 401),
        ("403 Forbidden", "origin not allowed", 403),
        ("503 Service Unavailable", "restarting", 503),
        ("301 Moved Permanently", "go elsewhere", 301),
    ] {
        let listening = Listening::new();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body} and more", body.len());
        let error =
            listening.answer(answer.as_bytes(), || connect(WebSocket::new(listening.url()).token("x1y2")));
        let error = error.unwrap_err();
        assert_eq!(failure_of(&error).http_status, Some(told));
        let text = error.to_string();
        assert!(text.contains(body) && text.contains(status) && !text.contains("and more"), "{text}");
        assert!(text.contains(&listening.url()), "{text}");
    }
}

#[test]
fn the_text_of_a_refusal_may_come_after_its_head() {
    let listening = Listening::new();
    let error = std::thread::scope(|scope| {
        let connecting = scope.spawn(|| connect(WebSocket::new(listening.url())));
        let mut stream = listening.accept();
        read_head(&mut stream);
        for part in ["HTTP/1.1 401 Unauthorized\r\ncontent-le", "ngth: 7\r\n\r\n", "missing"] {
            stream.write_all(part.as_bytes()).unwrap();
            stream.flush().unwrap();
            // So that the parts travel apart.
            std::thread::sleep(Duration::from_millis(20));
        }
        connecting.join().unwrap().unwrap_err()
    });
    assert!(error.to_string().contains("401 Unauthorized: missing; it wants a token"), "{error}");
}

#[test]
fn a_rejected_upgrade_is_retryable_if_its_status_says_that_it_may_pass() {
    for (status, may_pass) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (200, false),
        (302, false),
        (408, true),
        (429, true),
        (500, true),
        (502, true),
        (503, true),
    ] {
        let listening = Listening::new();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
        let error = listening.answer(answer.as_bytes(), || connect(WebSocket::new(listening.url())));
        let error = error.unwrap_err();
        assert_eq!(failure_of(&error).http_status, Some(status));
        assert_eq!(error.is_retryable(), may_pass, "{error}");
    }
    let listening = Listening::new();
    let error = listening.answer(b"SSH-2.0-x\r\n\r\n", || connect(WebSocket::new(listening.url())));
    assert!(!error.unwrap_err().is_retryable());
    assert!(!connect(WebSocket::new("http://127.0.0.1:1")).unwrap_err().is_retryable());
}

#[test]
fn what_is_no_websocket_server_is_told_as_that() {
    let endless = format!("HTTP/1.1 101 Switching Protocols\r\nx: {}", "y".repeat(200_000));
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: no\r\n\r\n",
        "HTTP/1.1 101 Swi",
        &endless,
        "",
    ] {
        let listening = Listening::new();
        let error = listening.answer(answer.as_bytes(), || connect(WebSocket::new(listening.url())));
        let text = error.unwrap_err().to_string();
        assert!(text.contains("no WebSocket server"), "{text}");
    }
}

#[test]
fn a_server_that_repeats_the_token_does_not_get_it_told() {
    let listening = Listening::new();
    let answer = b"HTTP/1.1 403 Forbidden\r\n\r\nbad token: super-secret; sorry";
    let error = listening.answer(answer, || connect(WebSocket::new(listening.url()).token("super-secret")));
    let error = error.unwrap_err();
    assert!(error.to_string().contains("bad token: …; sorry"), "{error}");
    assert!(!format!("{error:?}").contains("super-secret"));
    // Nor any other header that was set.
    let error = listening
        .answer(answer, || connect(WebSocket::new(listening.url()).header("X-Api-Key", "super-secret")));
    assert!(!format!("{:?}", error.unwrap_err()).contains("super-secret"));
}

#[test]
fn secrets_are_not_shown() {
    let transport =
        WebSocket::new("wss://host/path?key=secret-1").token("secret-2").header("X-Key", "secret-3");
    let shown = format!("{transport:?} {:#?}", transport.clone());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("wss://host:443/path") && shown.contains("X-Key"), "{shown}");
    let shown = format!("{:?}", WebSocket::new("ws://me:secret-7@host").token_with(|| "secret-8"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn secrets_are_not_logged() {
    // Its logger is that of the whole process.
    if !is_alone("websocket::connect::secrets_are_not_logged") {
        return;
    }
    let logged = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&logged);
    set_logger(log::LevelFilter::Trace, move |record| {
        log.lock().unwrap().push_str(&format!("{} {}\n", record.target(), record.args()));
    });
    let server = ScriptedServer::new().listen().unwrap();
    // The server of the test logs the request that it is sent; only this crate's own words count.
    let own = |logged: &str| -> String {
        logged.lines().filter(|line| line.starts_with("codex_blocking") || line.starts_with("mio")).collect()
    };
    let client = connect(WebSocket::new(server.url()).token("hidden-token").header("X-Key", "hidden-key"));
    client.unwrap().chat_once("hello").unwrap();
    let logged = own(&logged.lock().unwrap());
    assert!(!logged.contains("hidden"), "{logged}");
}

#[test]
fn a_token_is_not_sent_in_the_clear_to_another_machine() {
    let transport = WebSocket::new("ws://192.0.2.1:9").token("secret");
    let message = is_invalid(transport.clone());
    assert!(message.contains("allow_insecure_token") && !message.contains("secret"), "{message}");
    let message = is_invalid(WebSocket::new("ws://192.0.2.1:9").header("authorization", "Basic secret"));
    assert!(message.contains("allow_insecure_token") && !message.contains("secret"), "{message}");
    // Then it is tried, and nobody is there.
    let short = Duration::from_millis(50);
    let error = connect(transport.allow_insecure_token().connect_timeout(short)).unwrap_err();
    assert!(!matches!(error, Error::InvalidInput { .. }), "{error:?}");
}

#[test]
fn a_token_is_sent_to_localhost_by_its_name() {
    let listening = Listening::new();
    let url = format!("ws://localhost:{}", listening.port);
    let (client, server) = listening.serve(|| connect(WebSocket::new(url).token("t")));
    assert_eq!(server.header("authorization"), Some("Bearer t"));
    assert!(client.is_ok());
}

#[test]
fn what_can_not_work_is_the_callers_mistake() {
    let here = || WebSocket::new("ws://127.0.0.1:1");
    assert!(is_invalid(WebSocket::new("http://127.0.0.1:1")).contains("unknown scheme"));
    assert!(is_invalid(WebSocket::new("ws://me:secret@127.0.0.1:1")).contains("user name"));
    assert!(is_invalid(here().header("Origin", "http://x")).contains("Origin"));
    assert!(is_invalid(here().header("Host", "x")).contains("belongs to the upgrade"));
    assert!(is_invalid(here().header("Upgrade", "x")).contains("belongs to the upgrade"));
    assert!(is_invalid(here().header("X: y", "z")).contains("name or a value"));
    let message = is_invalid(here().header("X", "secret\r\nOrigin: y"));
    assert!(message.contains("name or a value") && !message.contains("secret"), "{message}");
    assert!(is_invalid(here().token("")).contains("empty"));
    assert!(is_invalid(here().token("a\r\nb")).contains("no header can"));
    assert!(is_invalid(here().token("a").header("Authorization", "b")).contains("one of them"));
}

#[test]
fn a_port_on_which_nobody_listens_is_told_at_once() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = connect(WebSocket::new(format!("ws://127.0.0.1:{port}"))).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("nobody listens there") && text.contains(&port.to_string()), "{text}");
    assert!(error.is_retryable() && std::error::Error::source(&error).is_some());
}

#[test]
fn a_server_that_never_answers_the_upgrade_is_given_up_in_time() {
    // Its connections are taken by the system, and nobody looks at them.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let limit = Duration::from_millis(200);
    let clock = Instant::now();
    let error = connect(WebSocket::new(url).connect_timeout(limit)).unwrap_err();
    assert!(
        matches!(error, Error::Timeout { limit: Timeout::Connect, after, .. } if after == limit),
        "{error:?}"
    );
    assert!(clock.elapsed() >= limit && clock.elapsed() < PATIENCE);
    assert!(error.is_retryable());
}

#[test]
fn a_server_that_trickles_its_answer_is_given_up_in_time() {
    let listening = Listening::new();
    let transport = WebSocket::new(listening.url()).connect_timeout(Duration::from_millis(300));
    let error = std::thread::scope(|scope| {
        let connecting = scope.spawn(|| connect(transport));
        let mut stream = listening.accept();
        let mut answer = b"HTTP/1.1 101 Switching Protocols\r\nx: ".to_vec();
        while !connecting.is_finished() && stream.write_all(&answer).is_ok() {
            answer = b"y".to_vec();
            std::thread::sleep(Duration::from_millis(10));
        }
        connecting.join().unwrap().unwrap_err()
    });
    assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
}

#[test]
fn a_limit_of_zero_is_over_at_once() {
    let transport = WebSocket::new("ws://127.0.0.1:1").connect_timeout(Duration::ZERO);
    assert!(matches!(connect(transport), Err(Error::Timeout { limit: Timeout::Connect, .. })));
}
