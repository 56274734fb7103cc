//! The socket transports against the real app-server: tokens, several clients, cuts, large messages.
//!
//! Relies on the feature `testing` and on `support/live.rs`. Invariant: each test has its own server and its own
//! model, so that all can run at once.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use codex_blocking::{Client, Error, StepType, WebSocket};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::daemon::Daemon;
use crate::support::live::stdio;
use crate::support::real::{RealHome, is_before, is_old_server};

cases![
    a_server_of_ones_own_answers_over_a_websocket,
    a_wrong_command_line_of_a_server_of_ones_own_is_told_in_its_words,
    a_capability_token_lets_in_and_nothing_else_does,
    a_signed_token_lets_in_until_it_expires,
    a_client_that_is_cut_off_in_a_turn_is_told,
    an_answer_of_seventy_megabytes_arrives,
    the_longest_message_that_may_be_sent_is_taken,
    #[cfg(unix)]
    a_unix_socket_of_a_long_path_is_reached,
];

const MIB: usize = 1024 * 1024;

/// A real server that listens on loopback, and its home, which goes last.
struct Server {
    daemon: Daemon,
    home: RealHome,
}

impl Server {
    fn start(home: RealHome, arguments: &[&str]) -> Server {
        let daemon = Daemon::on_websocket(&home, arguments);
        Server { daemon, home }
    }

    fn plain() -> Server {
        Server::start(RealHome::new(), &[])
    }

    fn client(&self) -> Client {
        self.daemon.connect(Client::builder())
    }
}

fn refusal(error: &Error) -> (Option<u16>, String) {
    match error {
        Error::Transport { failure, .. } => (failure.http_status, error.to_string()),
        other => panic!("{other:?}"),
    }
}

fn a_server_of_ones_own_answers_over_a_websocket() {
    let home = RealHome::new();
    let mut command = home.command();
    command.extend(["--listen", "ws://127.0.0.1:0"].map(str::to_owned));
    let client = Client::connect(WebSocket::spawn(stdio(&home, command))).unwrap();
    let steps: Vec<_> = client.chat("hello").unwrap().collect();
    assert_eq!(steps.last().unwrap().text.as_deref(), Some("echo: hello"));
    let clock = Instant::now();
    client.close().unwrap();
    let elapsed = clock.elapsed();
    assert!(elapsed < Duration::from_secs(5), "closed within {elapsed:?}");
}

fn a_wrong_command_line_of_a_server_of_ones_own_is_told_in_its_words() {
    let home = RealHome::new();
    let mut command = home.command();
    command.extend(["--listen", "ws://localhost:0"].map(str::to_owned));
    let error = Client::connect(WebSocket::spawn(stdio(&home, command))).unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.and_then(|status| status.code()), Some(2), "{error}");
    assert!(!failure.stderr_tail.is_empty());
}

fn a_capability_token_lets_in_and_nothing_else_does() {
    if is_before(128) {
        return; // It knows of no tokens.
    }
    let home = RealHome::new();
    let file = home.workspace().join("token");
    std::fs::write(&file, "open-sesame\n").unwrap();
    let arguments = ["--ws-auth", "capability-token", "--ws-token-file", file.to_str().unwrap()];
    let server = Server::start(home, &arguments);
    let socket = || WebSocket::new(server.daemon.url());
    let (status, text) = refusal(&Client::connect(socket()).unwrap_err());
    assert_eq!(status, Some(401));
    assert!(text.contains("missing websocket bearer token"), "{text}");
    let (status, text) = refusal(&Client::connect(socket().token("wrong-one")).unwrap_err());
    assert_eq!(status, Some(401));
    assert!(text.contains("invalid websocket bearer token") && !text.contains("wrong-one"), "{text}");
    let client = Client::connect(socket().token("open-sesame")).unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
}

/// A JWT of this age, signed with the secret.
fn jwt(secret: &str, expires_in: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!(
        "{}.{}",
        part(json!({ "alg": "HS256", "typ": "JWT" })),
        part(json!({ "exp": now + expires_in }))
    );
    let mut signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    signature.update(signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature.finalize().into_bytes()))
}

fn a_signed_token_lets_in_until_it_expires() {
    if is_before(128) {
        return; // It knows of no tokens.
    }
    let secret = "a secret of at least thirty-two bytes";
    let home = RealHome::new();
    let file = home.workspace().join("secret");
    std::fs::write(&file, secret).unwrap();
    let arguments = ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", file.to_str().unwrap()];
    let server = Server::start(home, &arguments);
    let socket = || WebSocket::new(server.daemon.url());
    let client = Client::connect(socket().token_with(move || jwt(secret, 3600))).unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    let (status, text) = refusal(&Client::connect(socket().token(jwt(secret, -3600))).unwrap_err());
    assert_eq!(status, Some(401));
    assert!(text.contains("expired websocket jwt"), "{text}");
    let other = jwt("another secret of thirty-two bytes and more", 3600);
    let (status, text) = refusal(&Client::connect(socket().token(other)).unwrap_err());
    assert_eq!(status, Some(401));
    assert!(text.contains("invalid websocket jwt"), "{text}");
}

/// Connects clients with the server, until it is cut.
struct Proxy {
    port: u16,
    taken: mpsc::Receiver<(TcpStream, TcpStream)>,
}

impl Proxy {
    /// For one connection.
    fn new(to: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, taken) = mpsc::channel();
        thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            for (mut from, mut to) in [(&client, &server), (&server, &client)]
                .map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap()))
            {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                });
            }
            let _ = tell.send((client, server));
        });
        Proxy { port, taken }
    }

    fn cut(&self) {
        let (client, server) = self.taken.recv_timeout(PATIENCE).unwrap();
        client.shutdown(Shutdown::Both).unwrap();
        server.shutdown(Shutdown::Both).unwrap();
    }
}

fn a_client_that_is_cut_off_in_a_turn_is_told() {
    let server = Server::plain();
    let proxy = Proxy::new(server.daemon.port());
    let cut = Client::connect(WebSocket::new(format!("ws://127.0.0.1:{}", proxy.port))).unwrap();
    let mut chat = cut.chat("hang").unwrap();
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("hang"));
    assert!(server.home.model().wait_for_requests(1, PATIENCE));
    proxy.cut();
    assert_eq!(chat.next().unwrap().step_type, StepType::Error);
    assert!(matches!(chat.finish(), Err(Error::Transport { .. })));
}

fn an_answer_of_seventy_megabytes_arrives() {
    if is_old_server() {
        return; // It has no such method, or is busy for so long with it that it may miss a ping.
    }
    let server = Server::plain();
    let file = server.home.workspace().join("large");
    // A third more as base64.
    std::fs::write(&file, vec![b'x'; 53_000_000]).unwrap();
    let client = server.client();
    let answer = client
        .request_with_timeout("fs/readFile", json!({ "path": file.to_str().unwrap() }), PATIENCE)
        .unwrap();
    assert!(answer["dataBase64"].as_str().unwrap().len() > 70_000_000);
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
}

fn the_longest_message_that_may_be_sent_is_taken() {
    if is_old_server() {
        return; // It has no such method, or is busy for so long with it that it may miss a ping.
    }
    let server = Server::plain();
    let client = server.client();
    client.initialize().unwrap();
    // What is around the text counts, too; the id has one digit.
    let around = r#"{"id":2,"method":"config/read","params":{"unknown":""}}"#.len();
    let text = |length| RawValue::from_string(format!(r#"{{"unknown":"{}"}}"#, "x".repeat(length))).unwrap();
    let longest = 64 * MIB - around;
    assert!(client.request_with_timeout("config/read", text(longest), PATIENCE).is_ok());
    let error = client.request("config/read", text(longest + 1)).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    assert!(client.request("config/read", json!({})).is_ok());
}

#[cfg(unix)]
fn a_unix_socket_of_a_long_path_is_reached() {
    if is_old_server() {
        return; // It makes no link.
    }
    let home = RealHome::new();
    // Longer than the system takes; the server makes a link of it.
    let path = home.workspace().join("s".repeat(120));
    let daemon = Daemon::on_unix_socket(&home, path);
    let client = daemon.connect(Client::builder());
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
}
