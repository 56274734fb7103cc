//! The HTTP request that turns a connection into a WebSocket, and the server's answer.
//!
//! Relies on tungstenite for the key and for reading the head. Invariant: how much of an answer is
//! read has a limit, and what is told of it holds no secret that was sent.

use std::io::{self, Read, Write};

use tungstenite::{
    handshake::{
        client::{Response, generate_key},
        derive_accept_key,
        machine::TryParse,
    },
    http::StatusCode,
};

use super::socket::Patient;
use crate::error::TransportFailure;

/// The longest head of an answer.
const LONGEST_HEAD: usize = 64 * 1024;
/// How much of a refusal's text is read, and how much of it is told.
const LONGEST_BODY: usize = 8 * 1024;
const TOLD: usize = 500;
/// How long the text of a refusal may take after its head.
const BODY_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// What is asked for, and with what.
pub(super) struct Upgrade {
    /// `host:port`.
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) headers: Headers,
}

/// The headers beside those of the upgrade itself.
#[derive(Default)]
pub(super) struct Headers {
    /// Names and values, the token's among them.
    pub(super) lines: Vec<(String, String)>,
    /// What must not be told, though the server may repeat it.
    pub(super) secrets: Vec<String>,
    pub(super) has_token: bool,
}

/// Why there is no WebSocket.
pub(super) enum Refusal {
    /// The connection broke.
    Broken(io::Error),
    /// The server's answer.
    Answer(TransportFailure),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::Broken(error)
    }
}

/// A stream that can be told to hurry.
pub(super) trait Wire: Read + Write {
    fn patient(&mut self) -> &mut Patient;
}

impl Wire for Patient {
    fn patient(&mut self) -> &mut Patient {
        self
    }
}

impl Upgrade {
    /// Asks for the upgrade. Gives the bytes that came after the answer: the first frames.
    pub(super) fn perform(&self, wire: &mut impl Wire) -> Result<Vec<u8>, Refusal> {
        let key = generate_key();
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n",
            self.path, self.authority
        );
        for (name, value) in &self.headers.lines {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        wire.write_all(request.as_bytes())?;
        wire.flush()?;

        let (response, mut rest) = read_head(wire)?;
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            read_body(wire, &response, &mut rest);
            return Err(Refusal::Answer(self.refused(status, &rest)));
        }
        let has = |name: &str, wanted: &str| {
            let mut values = response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.any(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(wanted)))
        };
        let accept = response.headers().get("Sec-WebSocket-Accept");
        if !has("Upgrade", "websocket")
            || !has("Connection", "upgrade")
            || accept.is_none_or(|accept| *accept != derive_accept_key(key.as_bytes()))
        {
            return Err(not_a_websocket("it agrees to another upgrade than that to a WebSocket"));
        }
        if response.headers().contains_key("Sec-WebSocket-Extensions") {
            return Err(not_a_websocket("it uses an extension that was not offered"));
        }
        Ok(rest)
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> TransportFailure {
        let mut body = String::from_utf8_lossy(body).into_owned();
        for secret in self.headers.secrets.iter().filter(|secret| !secret.is_empty()) {
            body = body.replace(secret.as_str(), "…");
        }
        let plain = body.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        let body: String = plain.take(TOLD).collect();
        let mut message = format!("the server refused the upgrade to WebSocket: {status}");
        if !body.trim().is_empty() {
            message.push_str(&format!(": {}", body.trim()));
        }
        if status == StatusCode::UNAUTHORIZED && !self.headers.has_token {
            message.push_str("; it wants a token");
        }
        let mut failure = TransportFailure::new(message);
        failure.http_status = Some(status.as_u16());
        failure
    }
}

fn not_a_websocket(why: &str) -> Refusal {
    Refusal::Answer(TransportFailure::new(format!("what answers is no WebSocket server: {why}")))
}

fn read_head(wire: &mut impl Wire) -> Result<(Response, Vec<u8>), Refusal> {
    let mut head = Vec::new();
    let mut chunk = vec![0; 4 * 1024];
    loop {
        match wire.read(&mut chunk)? {
            0 if head.is_empty() => return Err(not_a_websocket("it closed the connection without a word")),
            0 => return Err(not_a_websocket("it closed the connection in its answer")),
            read => head.extend_from_slice(&chunk[..read]),
        }
        match Response::try_parse(&head) {
            Ok(Some((length, response))) => return Ok((response, head.split_off(length))),
            Ok(None) if head.len() < LONGEST_HEAD => {}
            Ok(None) => return Err(not_a_websocket("its answer has no end")),
            Err(_) => return Err(not_a_websocket("its answer is no HTTP/1.1")),
        }
    }
}

/// Reads what there is of the text that explains a refusal. What is missing is no new failure.
fn read_body(wire: &mut impl Wire, response: &Response, body: &mut Vec<u8>) {
    let length = response.headers().get("Content-Length").and_then(|value| value.to_str().ok()?.parse().ok());
    let wanted = length.unwrap_or(LONGEST_BODY).min(LONGEST_BODY);
    wire.patient().hurry(BODY_WAIT);
    let mut chunk = vec![0; 4 * 1024];
    while body.len() < wanted {
        match wire.read(&mut chunk) {
            Ok(read) if read > 0 => body.extend_from_slice(&chunk[..read]),
            _ => break,
        }
    }
    body.truncate(wanted);
}
