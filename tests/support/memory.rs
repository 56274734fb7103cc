//! A server in memory whose every message the test sends by hand.
//!
//! Relies on `transport::Memory`. Invariant: a frame that was sent has been handed over, so that a
//! test needs no sleep to know it.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use codex_blocking::{
    ApprovalMode, Chat, Client, ClientBuilder, Memory, Result, ThreadConfig, ThreadHandle, transport::Peer,
};
use serde_json::{Value, json};

/// Longer than anything in memory takes on the slowest machine; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The server's end, in the hands of the test.
pub(crate) struct Server {
    /// The version it tells in the handshake.
    pub(crate) version: &'static str,
    peer: Peer,
    /// A request that was looked at and not answered.
    taken: Option<Value>,
    /// Whether the test sees the requests that unload the threads of chats. Otherwise they are answered.
    pub(crate) shows_unload: bool,
}

/// A client with the defaults, and the server it is connected to.
pub(crate) fn served() -> (Client, Server) {
    served_with(Client::builder())
}

pub(crate) fn served_with(builder: ClientBuilder) -> (Client, Server) {
    let (hand_over, connections) = mpsc::channel();
    let client = builder.connect(Memory::new(move |peer| drop(hand_over.send(peer)))).unwrap();
    let peer = connections.recv_timeout(PATIENCE).unwrap();
    (client, Server { version: "0.169.0", peer, taken: None, shows_unload: false })
}

/// A client that asks the program about approvals, and the server it is connected to.
pub(crate) fn manual() -> (Client, Server) {
    served_with(Client::builder().approval_mode(ApprovalMode::Manual))
}

/// The thread `t`, which the server has just started.
pub(crate) fn thread(client: &Client, server: &mut Server) -> ThreadHandle {
    let starting = spawn_with(client, |client| client.start_thread(ThreadConfig::new()));
    server.begin_thread();
    starting.join().unwrap().unwrap()
}

/// A chat on the thread `t`, turn `u`, that runs.
pub(crate) fn chatting(client: &Client, server: &mut Server) -> Chat {
    begun(client, server, |client| client.chat("hello"))
}

/// What this call begins on the thread `t`, turn `u`.
pub(crate) fn begun<T: Send + 'static>(
    client: &Client,
    server: &mut Server,
    begin: impl FnOnce(Client) -> Result<T> + Send + 'static,
) -> T {
    let beginning = spawn_with(client, begin);
    server.begin_turn();
    beginning.join().unwrap().unwrap()
}

impl Server {
    /// The next message of the client, whatever it is.
    pub(crate) fn recv(&mut self) -> Value {
        self.next_request(PATIENCE).expect("the client sends a message")
    }

    /// The next request of this method, after answering the handshake if it comes first.
    pub(crate) fn expect(&mut self, method: &str) -> Value {
        loop {
            let message = self.recv();
            match message["method"].as_str() {
                Some(found) if found == method => return message,
                Some("initialize") => {
                    let agent = format!("test/{} (x)", self.version);
                    self.reply(&message, json!({ "userAgent": agent }));
                }
                Some("initialized") => {}
                _ => panic!("expected {method}, got {message}"),
            }
        }
    }

    /// The client's next message, if one comes in time.
    pub(crate) fn next_request(&mut self, limit: Duration) -> Option<Value> {
        loop {
            let message: Value = serde_json::from_str(&self.peer.recv_timeout(limit).ok()?).unwrap();
            if message["method"] != "thread/unsubscribe" || self.shows_unload {
                return Some(message);
            }
            self.reply(&message, json!({ "status": "unsubscribed" }));
        }
    }

    /// Whether the client has asked this; [`taken`](Self::taken) gives the request.
    pub(crate) fn is_asked(&mut self, method: &str) -> bool {
        self.taken = self.next_request(Duration::ZERO);
        self.taken.as_ref().is_some_and(|request| request["method"] == method)
    }

    /// The request that was looked at.
    pub(crate) fn taken(&mut self) -> Value {
        self.taken.take().unwrap()
    }

    /// Whether the client has sent nothing.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.next_request(Duration::ZERO).is_none()
    }

    /// Asks the client something.
    pub(crate) fn ask(&mut self, id: impl Into<Value>, method: &str, params: &Value) {
        self.send(&json!({ "id": id.into(), "method": method, "params": params }));
    }

    pub(crate) fn reply(&mut self, request: &Value, result: Value) {
        self.send(&json!({ "id": request["id"], "result": result }));
    }

    pub(crate) fn refuse(&mut self, request: &Value, code: i64, message: &str) {
        self.send(&json!({ "error": { "code": code, "message": message }, "id": request["id"] }));
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "method": method, "params": params, "emittedAtMs": 1 }));
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.peer.send(&message.to_string());
    }

    pub(crate) fn send_text(&mut self, text: &str) {
        self.peer.send(text);
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.peer.send_bytes(bytes);
    }

    pub(crate) fn die(&mut self) {
        self.peer.close("the test ended it");
    }

    /// Answers `thread/start` with the thread `t`.
    pub(crate) fn begin_thread(&mut self) -> Value {
        let request = self.expect("thread/start");
        self.reply(&request, json!({ "thread": { "id": "t" } }));
        request
    }

    /// Answers `thread/start` and `turn/start`, so that the turn `u` runs on the thread `t`.
    pub(crate) fn begin_turn(&mut self) {
        self.begin_thread();
        self.begin_turn_on("u");
    }

    /// Answers `turn/start`.
    pub(crate) fn begin_turn_on(&mut self, turn_id: &str) -> Value {
        let request = self.expect("turn/start");
        self.reply(&request, json!({ "turn": { "id": turn_id, "items": [], "status": "inProgress" } }));
        request
    }

    pub(crate) fn started(&mut self) {
        self.notify("turn/started", json!({ "threadId": "t", "turn": { "id": "u", "rootTurnId": "u" } }));
    }

    /// An item of the turn `u` that has begun.
    pub(crate) fn item_started(&mut self, item: &Value) {
        self.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": item }));
    }

    /// A completed item of the turn `u`.
    pub(crate) fn item(&mut self, item: Value) {
        self.notify("item/completed", json!({ "threadId": "t", "turnId": "u", "item": item }));
    }

    pub(crate) fn message(&mut self, id: &str, text: &str) {
        self.item(message(id, text));
    }

    pub(crate) fn delta(&mut self, text: &str) {
        let params = json!({ "threadId": "t", "turnId": "u", "itemId": "m", "delta": text });
        self.notify("item/agentMessage/delta", params);
    }

    /// The end of the turn `u`.
    pub(crate) fn complete(&mut self, status: &str) {
        let turn = json!({ "id": "u", "items": [], "status": status, "error": null });
        self.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    }
}

pub(crate) fn message(id: &str, text: &str) -> Value {
    json!({ "type": "agentMessage", "id": id, "text": text, "phase": null })
}

/// Runs the call on a thread of its own while the test plays the server.
pub(crate) fn spawn<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(call)
}

/// The same with a clone of a handle that the test keeps.
pub(crate) fn spawn_with<H: Clone + Send + 'static, T: Send + 'static>(
    handle: &H,
    call: impl FnOnce(H) -> T + Send + 'static,
) -> JoinHandle<T> {
    let handle = handle.clone();
    spawn(move || call(handle))
}
