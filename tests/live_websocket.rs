//! The socket transports against the real app-server: tokens, several clients, cuts, large messages.
//!
//! Relies on the feature `testing` and on `support/live.rs`. Invariant: each test has its own server and its own
//! model, so that all can run at once.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

#[path = "support/live.rs"]
mod live;

use std::io::{self, BufRead, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use codex_blocking::protocol::TurnStatus;
use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::{ApprovalMode, ApprovalRequests, Client, Error, StepType, ThreadConfig, WebSocket};
use data_encoding::BASE64URL_NOPAD;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::live::real::RealHome;
use self::live::{PATIENCE, stdio};

const MIB: usize = 1024 * 1024;

/// A real server that listens on loopback; killed when dropped.
struct Server {
    child: Child,
    port: u16,
    home: RealHome,
}

impl Server {
    fn start(home: RealHome, arguments: &[&str]) -> Server {
        let command = home.command();
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .args(["--listen", "ws://127.0.0.1:0"])
            .args(arguments)
            .envs(home.envs())
            .current_dir(home.workspace())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, told) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let port = line.split_once("listening on: ws://127.0.0.1:").map(|(_, port)| port.to_owned());
                if let Some(port) = port {
                    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
                    let _ = tell.send(port.parse().unwrap());
                }
            }
        });
        let port = told.recv_timeout(PATIENCE).unwrap();
        Server { child, port, home }
    }

    fn plain() -> Server {
        Server::start(RealHome::new(), &[])
    }

    fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> Client {
        Client::connect(WebSocket::new(self.url())).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A home whose model answers `late`, each time after the sender was told to; when that is dropped, at once.
fn held() -> (RealHome, crossbeam_channel::Sender<()>) {
    let (release, released) = crossbeam_channel::unbounded();
    let model = ModelStub::start_with(move |_| {
        let _ = released.recv();
        ModelReply::new().text("late")
    });
    (RealHome::with_model(model.unwrap()), release)
}

fn refusal(error: &Error) -> (Option<u16>, String) {
    match error {
        Error::Transport { failure, .. } => (failure.http_status, error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "needs npm once"]
fn a_server_of_ones_own_answers_over_a_websocket() {
    let home = RealHome::new();
    let mut command = home.command();
    command.extend(["--listen", "ws://127.0.0.1:0"].map(str::to_owned));
    let client = Client::connect(WebSocket::spawn(stdio(&home, command))).unwrap();
    let steps: Vec<_> = client.chat("hello").unwrap().collect();
    assert_eq!(steps.last().unwrap().text.as_deref(), Some("echo: hello"));
    let clock = Instant::now();
    client.close().unwrap();
    println!("closed within {:?}", clock.elapsed());
    assert!(clock.elapsed() < Duration::from_secs(5));
}

#[test]
#[ignore = "needs npm once"]
fn a_wrong_command_line_of_a_server_of_ones_own_is_told_in_its_words() {
    let home = RealHome::new();
    let mut command = home.command();
    command.extend(["--listen", "ws://localhost:0"].map(str::to_owned));
    let error = Client::connect(WebSocket::spawn(stdio(&home, command))).unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.and_then(|status| status.code()), Some(2), "{error}");
    assert!(!failure.stderr_tail.is_empty());
}

#[test]
#[ignore = "needs npm once"]
fn a_capability_token_lets_in_and_nothing_else_does() {
    let home = RealHome::new();
    let file = home.workspace().join("token");
    std::fs::write(&file, "open-sesame\n").unwrap();
    let arguments = ["--ws-auth", "capability-token", "--ws-token-file", file.to_str().unwrap()];
    let server = Server::start(home, &arguments);
    let socket = || WebSocket::new(server.url());
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
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = ring::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

#[test]
#[ignore = "needs npm once"]
fn a_signed_token_lets_in_until_it_expires() {
    let secret = "a secret of at least thirty-two bytes";
    let home = RealHome::new();
    let file = home.workspace().join("secret");
    std::fs::write(&file, secret).unwrap();
    let arguments = ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", file.to_str().unwrap()];
    let server = Server::start(home, &arguments);
    let socket = || WebSocket::new(server.url());
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

#[test]
#[ignore = "needs npm once"]
fn two_clients_chat_with_one_server_at_once() {
    let server = Server::plain();
    thread::scope(|scope| {
        for name in ["one", "two"] {
            let client = server.client();
            scope.spawn(move || {
                for number in 0..5 {
                    let text = format!("{name} {number}");
                    assert_eq!(client.chat_once(text.as_str()).unwrap().final_text, format!("echo: {text}"));
                }
            });
        }
    });
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

#[test]
#[ignore = "needs npm once"]
fn a_client_that_is_cut_off_in_a_turn_is_told_and_another_one_finds_the_turn_going_on() {
    let (home, release) = held();
    let server = Server::start(home, &[]);
    let proxy = Proxy::new(server.port);
    let cut = Client::connect(WebSocket::new(format!("ws://127.0.0.1:{}", proxy.port))).unwrap();
    let mut chat = cut.chat("hello").unwrap();
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("hello"));
    let thread_id = chat.thread_id().to_owned();
    assert!(server.home.model().wait_for_requests(1, PATIENCE));
    let clock = Instant::now();
    proxy.cut();
    let closing = chat.next().unwrap();
    println!("told after {:?}", clock.elapsed());
    assert_eq!(closing.step_type, StepType::Error);
    assert!(matches!(chat.finish(), Err(Error::Transport { .. })));

    let other = server.client();
    let thread = other.resume_thread(&thread_id, ThreadConfig::new()).unwrap();
    let ends = other.notifications();
    let running = thread.read(true).unwrap().thread.turns.last().map(|turn| turn.status.clone());
    assert_eq!(running, Some(TurnStatus::InProgress));
    release.send(()).unwrap();
    let mut ends = ends.into_iter();
    assert!(ends.any(|notification| notification.method() == "turn/completed"));
    let stored =
        other.request("thread/read", json!({ "threadId": thread.thread_id(), "includeTurns": true }));
    assert!(stored.unwrap().to_string().contains("late"));
}

/// A client that lets questions wait, and those that it is asked.
fn patient(server: &Server) -> (Client, ApprovalRequests) {
    let builder = Client::builder().approval_mode(ApprovalMode::Manual);
    let client = builder.connect(WebSocket::new(server.url())).unwrap();
    let asked = client.approval_requests();
    (client, asked)
}

#[test]
#[ignore = "needs npm once"]
fn a_question_that_waited_when_its_client_went_is_asked_again_of_the_one_that_resumes() {
    let server = Server::plain();
    let (gone, mut asked) = patient(&server);
    let chat = gone.chat("escalate touch made").unwrap();
    asked.next_timeout(PATIENCE).unwrap();
    let thread_id = chat.thread_id().to_owned();
    gone.close().unwrap();

    let (client, mut asked) = patient(&server);
    let mut told = client.notifications();
    client.resume_thread(&thread_id, ThreadConfig::new()).unwrap();
    let question = asked.next_timeout(PATIENCE).unwrap();
    client.decline_approval(&question).unwrap();
    assert!(told.any(|notification| notification.method() == "turn/completed"));
    assert!(!server.home.workspace().join("made").exists());
}

#[test]
#[ignore = "needs npm once"]
fn a_question_that_another_client_has_answered_is_no_longer_pending() {
    let server = Server::plain();
    let (one, mut one_is_asked) = patient(&server);
    let (two, mut two_is_asked) = patient(&server);
    let thread = one.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("hello").unwrap();
    two.resume_thread(thread.thread_id(), ThreadConfig::new()).unwrap();
    let mut told = two.notifications();
    let chat = thread.chat("escalate touch made").unwrap();
    let question = two_is_asked.next_timeout(PATIENCE).unwrap();
    one.decline_approval(&one_is_asked.next_timeout(PATIENCE).unwrap()).unwrap();
    assert!(told.any(|notification| notification.method() == "serverRequest/resolved"));
    let late = two.approve_approval(&question);
    assert!(matches!(late, Err(Error::NoLongerPending { .. })), "{late:?}");
    chat.finish().unwrap();
    assert!(!server.home.workspace().join("made").exists());
}

#[test]
#[ignore = "needs npm once"]
fn everybody_is_told_at_once_that_the_server_was_killed_in_a_turn() {
    let (home, release) = held();
    let mut server = Server::start(home, &[]);
    let clients = [server.client(), server.client()];
    let mut chats: Vec<_> = clients.iter().map(|client| client.chat("hello").unwrap()).collect();
    for chat in &mut chats {
        assert_eq!(chat.next().unwrap().text.as_deref(), Some("hello"));
    }
    assert!(server.home.model().wait_for_requests(2, PATIENCE));
    let waiting: Vec<_> = chats.into_iter().map(|chat| thread::spawn(move || chat.finish())).collect();
    let clock = Instant::now();
    server.child.kill().unwrap();
    for waiting in waiting {
        let error = waiting.join().unwrap().unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    }
    println!("told after {:?}", clock.elapsed());
    assert!(clock.elapsed() < Duration::from_secs(5));
    for client in &clients {
        assert!(matches!(client.request("config/read", json!({})), Err(Error::Transport { .. })));
    }
    drop(release);
}

#[test]
#[ignore = "needs npm once"]
fn an_answer_of_seventy_megabytes_arrives() {
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

#[test]
#[ignore = "needs npm once"]
fn the_longest_message_that_may_be_sent_is_taken() {
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
#[test]
#[ignore = "needs npm once"]
fn a_chat_runs_over_a_unix_socket() {
    use codex_blocking::UnixSocket;

    let home = RealHome::new();
    // Longer than the system takes, to which the server makes a link.
    let path = home.workspace().join("s".repeat(120));
    let command = home.command();
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .args(["--listen", &format!("unix://{}", path.display())])
        .envs(home.envs())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let client = loop {
        // It says nowhere that it listens.
        match Client::connect(UnixSocket::new(&path)) {
            Ok(client) => break client,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    let steps: Vec<_> = client.chat("run echo from the shell").unwrap().collect();
    assert!(steps.iter().any(|step| step.step_type == StepType::Exec));
    child.kill().unwrap();
    child.wait().unwrap();
    let error = client.request("config/read", json!({})).unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
}
