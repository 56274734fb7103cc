//! A WebSocket server whose every frame the test sends by hand, over TCP, TLS or a Unix socket.
//!
//! Relies on tungstenite. Invariant: the server's thread takes one connection and hands it over; nothing
//! waits longer than `PATIENCE`.

#![allow(dead_code, reason = "each test program that includes this file uses a part of it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use codex_blocking::Client;
use crossbeam_channel::{Receiver, unbounded};
use serde_json::{Value, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket};

/// Longer than anything on loopback takes on the slowest machine; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a connection is spoken over.
pub(crate) trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A listener on loopback, and the connections that it takes.
pub(crate) struct Listening {
    pub(crate) port: u16,
    connections: Receiver<TcpStream>,
}

impl Listening {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (hand_over, connections) = unbounded();
        // Ends with the process: it waits for connections that may never come.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_write_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                if hand_over.send(stream).is_err() {
                    return;
                }
            }
        });
        Listening { port, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// The next connection, if one comes in time.
    pub(crate) fn accept_timeout(&self, limit: Duration) -> Option<TcpStream> {
        self.connections.recv_timeout(limit).ok()
    }

    /// The next connection, before any upgrade.
    pub(crate) fn accept(&self) -> TcpStream {
        self.connections.recv_timeout(PATIENCE).unwrap()
    }

    /// The next connection, upgraded, while `connect` makes it.
    pub(crate) fn serve<T: Send>(&self, connect: impl FnOnce() -> T + Send) -> (T, Server) {
        self.serve_over(connect, |stream| Box::new(stream))
    }

    /// The same over what `wrap` makes of the TCP stream.
    pub(crate) fn serve_over<T: Send>(
        &self,
        connect: impl FnOnce() -> T + Send,
        wrap: impl FnOnce(TcpStream) -> Box<dyn Stream>,
    ) -> (T, Server) {
        thread::scope(|scope| {
            let connecting = scope.spawn(connect);
            let stream = self.accept();
            let raw = stream.try_clone().unwrap();
            let server = Server::upgrade(wrap(stream), Some(raw));
            (connecting.join().unwrap(), server)
        })
    }

    /// The next connection, whose request is read and answered with these bytes.
    pub(crate) fn answer<T: Send>(&self, answer: &[u8], connect: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let connecting = scope.spawn(connect);
            let mut stream = self.accept();
            read_head(&mut stream);
            // It fails when the client has seen enough.
            let _ = stream.write_all(answer);
            drop(stream);
            connecting.join().unwrap()
        })
    }
}

/// The head of an HTTP request.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// The server's end of a connection, in the hands of the test.
pub(crate) struct Server {
    pub(crate) socket: WebSocket<Box<dyn Stream>>,
    /// The TCP stream below.
    raw: Option<TcpStream>,
    /// The path and the headers of the request, names in lower case.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Server {
    #[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
    pub(crate) fn upgrade(stream: Box<dyn Stream>, raw: Option<TcpStream>) -> Server {
        let (mut path, mut headers) = (String::new(), Vec::new());
        let look = |request: &Request, response: Response| {
            path = request.uri().to_string();
            let pairs = request.headers().iter();
            headers =
                pairs.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
            Ok(response)
        };
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let socket = tungstenite::accept_hdr_with_config(stream, look, Some(config)).unwrap();
        Server { socket, raw, path, headers }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The next text, as JSON. Pings are answered on the way.
    pub(crate) fn recv(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next request of this method, after answering the handshake if it comes first.
    pub(crate) fn expect(&mut self, method: &str) -> Value {
        loop {
            let message = self.recv();
            match message["method"].as_str() {
                Some(found) if found == method => return message,
                Some("initialize") => self.reply(&message, json!({ "userAgent": "test/0.169.0 (x)" })),
                Some("initialized") => {}
                _ => panic!("expected {method}, got {message}"),
            }
        }
    }

    pub(crate) fn reply(&mut self, request: &Value, result: Value) {
        self.send(json!({ "id": request["id"], "result": result }).to_string());
    }

    pub(crate) fn send(&mut self, text: String) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Answers one request of the client, whatever it is, and gives what the client got.
    pub(crate) fn one_round(&mut self, client: &Client) -> Value {
        thread::scope(|scope| {
            let asking = scope.spawn(|| client.request("test/echo", json!({})));
            let request = self.expect("test/echo");
            self.reply(&request, json!("answer"));
            asking.join().unwrap().unwrap()
        })
    }

    /// The TCP stream, for bytes that are no frames.
    pub(crate) fn raw(&self) -> &TcpStream {
        self.raw.as_ref().unwrap()
    }
}

/// A frame as a server writes it.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 127];
    frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}
