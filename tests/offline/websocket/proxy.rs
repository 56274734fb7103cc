//! Connections through a proxy of the test's own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use codex_blocking::testing::{ScriptedListener, ScriptedServer};
use codex_blocking::{Client, Error, Timeout, WebSocket};

use crate::support::failure_of;
use crate::support::probe::{is_probe, probe};
use crate::support::websocket::{Listening, read_head};

/// A server that only the proxy finds.
const NAME: &str = "codex.invalid:4500";

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Takes one connection for `connect`, which goes to this server whatever it asks for. Gives the request too.
fn through<T: Send>(
    proxy: &Listening,
    server: &ScriptedListener,
    connect: impl FnOnce() -> T + Send,
) -> (T, String) {
    thread::scope(|scope| {
        let connecting = scope.spawn(connect);
        let mut client = proxy.accept();
        let head = read_head(&mut client);
        let target = TcpStream::connect(server.url().strip_prefix("ws://").unwrap()).unwrap();
        client.write_all(b"HTTP/1.0 200 Connection established\r\nVia: test\r\n\r\n").unwrap();
        // They end with the connections, on which nothing here waits.
        let (client, target) = (Arc::new(client), Arc::new(target));
        for (from, to) in [(&client, &target), (&target, &client)] {
            let (from, to) = (Arc::clone(from), Arc::clone(to));
            thread::spawn(move || copy(&from, &to));
        }
        (connecting.join().unwrap(), head)
    })
}

fn chat(transport: WebSocket) {
    let client = Client::connect(transport).unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    client.close().unwrap();
}

#[test]
fn the_proxy_is_asked_for_the_server_and_carries_the_connection() {
    let (proxy, server) = (Listening::new(), ScriptedServer::new().listen().unwrap());
    let url = format!("http://me:p%40ss@127.0.0.1:{}", proxy.port);
    let transport = WebSocket::new(format!("ws://{NAME}")).proxy(&*url);
    let ((), head) = through(&proxy, &server, || chat(transport));
    assert!(head.starts_with(&format!("CONNECT {NAME} HTTP/1.1\r\nHost: {NAME}\r\n")), "{head}");
    // me:p@ss
    assert!(head.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), "{head}");
}

/// Run by the next test in a process of its own, whose environment names the proxy.
#[test]
#[ignore = "is run by another test"]
fn probe_environment() {
    if is_probe() {
        chat(WebSocket::new(format!("ws://{NAME}")));
    }
}

#[test]
fn the_environment_names_the_proxy() {
    let (proxy, server) = (Listening::new(), ScriptedServer::new().listen().unwrap());
    let mut probe = probe("websocket::proxy::probe_environment");
    for name in ["http_proxy", "all_proxy", "no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        probe.env_remove(name);
    }
    probe.env("HTTP_PROXY", format!("http://127.0.0.1:{}", proxy.port)).stdout(Stdio::null());
    let (status, head) = through(&proxy, &server, || probe.status().unwrap());
    assert!(status.success() && head.starts_with(&format!("CONNECT {NAME} ")), "{head}");
}

#[test]
fn a_proxy_that_refuses_is_told_with_its_status_and_without_its_password() {
    let proxy = Listening::new();
    let url = format!("http://me:xyzzy@127.0.0.1:{}", proxy.port);
    let answer = b"HTTP/1.1 407 Proxy Authentication Required (not xyzzy)\r\nContent-Length: 0\r\n\r\n";
    let transport = WebSocket::new(format!("ws://{NAME}")).proxy(&*url);
    let error = proxy.answer(answer, || Client::connect(transport)).unwrap_err();
    assert_eq!(failure_of(&error).http_status, Some(407));
    let text = format!("{error} {error:?}");
    assert!(text.contains("the proxy refused to connect: HTTP/1.1 407 Proxy Auth"), "{text}");
    assert!(text.contains(&format!("through the proxy 127.0.0.1:{}", proxy.port)), "{text}");
    assert!(!text.contains("xyzzy"), "{text}");
}

#[test]
fn what_is_no_proxy_is_told_as_that() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(100_000));
    for answer in ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", &endless] {
        let proxy = Listening::new();
        let transport = WebSocket::new(format!("ws://{NAME}")).proxy(&*format!("127.0.0.1:{}", proxy.port));
        let error = proxy.answer(answer.as_bytes(), || Client::connect(transport)).unwrap_err();
        assert!(error.to_string().contains("no HTTP proxy"), "{error}");
    }
}

#[test]
fn a_proxy_that_never_answers_is_given_up_in_time() {
    let proxy = Listening::new();
    let limit = Duration::from_millis(200);
    let transport = WebSocket::new(format!("ws://{NAME}")).proxy(&*format!("127.0.0.1:{}", proxy.port));
    let error = Client::connect(transport.connect_timeout(limit)).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
}

#[test]
fn a_token_for_this_machine_is_not_sent_through_a_proxy_in_the_clear() {
    let transport = WebSocket::new("ws://localhost:1").token("secret").proxy("127.0.0.1:1");
    assert!(matches!(Client::connect(transport), Err(Error::InvalidInput { .. })));
}

#[test]
fn a_proxy_of_another_kind_is_the_callers_mistake() {
    let transport = WebSocket::new(format!("ws://{NAME}")).proxy("socks5://127.0.0.1:1");
    let error = Client::connect(transport).unwrap_err();
    assert!(
        matches!(&error, Error::InvalidInput { message, .. } if message.contains("HTTP proxy")),
        "{error:?}"
    );
}
