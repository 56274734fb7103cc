//! The HTTP request that upgrades a connection to WebSocket, and the server's response.
//!
//! Relies on tungstenite for the key and for parsing the response head, and on `secrets`. Invariant: a bounded amount of
//! the response is read, and errors don't contain secrets that were sent.

use std::io::{self, Read, Write};

use tungstenite::{
    handshake::{
        client::{Response, generate_key},
        derive_accept_key,
        machine::TryParse,
    },
    http::StatusCode,
};

use super::socket::ConnectingSocket;
use crate::{error::TransportFailure, secrets::Secrets};

/// The maximum length of a response head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How much of a rejection's body is read (bytes), and how much of it is shown (characters).
const MAX_BODY_BYTES: usize = 8 * 1024;
const SHOWN_CHARS: usize = 500;
/// How long to wait for the body of a rejection after its head.
const BODY_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// An upgrade request.
pub(super) struct Upgrade {
    /// `host:port`.
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) headers: Headers,
}

/// The headers besides those of the upgrade itself.
#[derive(Default)]
pub(super) struct Headers {
    /// Names and values, including the token.
    pub(super) lines: Vec<(String, String)>,
    pub(super) secrets: Secrets,
    pub(super) has_token: bool,
}

/// Why the upgrade failed.
pub(super) enum UpgradeRefusal {
    /// The connection was lost.
    Broken(io::Error),
    /// The server's response is not an upgrade.
    Rejected(TransportFailure),
}

impl From<io::Error> for UpgradeRefusal {
    fn from(error: io::Error) -> Self {
        UpgradeRefusal::Broken(error)
    }
}

/// A stream whose deadline can be shortened.
pub(super) trait UpgradeWire: Read + Write {
    fn connecting_socket(&mut self) -> &mut ConnectingSocket;
}

impl UpgradeWire for ConnectingSocket {
    fn connecting_socket(&mut self) -> &mut ConnectingSocket {
        self
    }
}

impl Upgrade {
    /// Performs the upgrade. Returns the bytes received after the response: the first frames.
    pub(super) fn perform(&self, wire: &mut impl UpgradeWire) -> Result<Vec<u8>, UpgradeRefusal> {
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
            return Err(UpgradeRefusal::Rejected(self.refused(status, &rest)));
        }
        let has = |name: &str, wanted: &str| {
            let mut values = response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.any(|value| value.split(',').any(|token| token.trim().eq_ignore_ascii_case(wanted)))
        };
        let accept = response.headers().get("Sec-WebSocket-Accept");
        if !has("Upgrade", "websocket")
            || !has("Connection", "upgrade")
            || accept.is_none_or(|accept| *accept != derive_accept_key(key.as_bytes()))
        {
            return Err(not_a_websocket("its response is not an upgrade to WebSocket"));
        }
        if response.headers().contains_key("Sec-WebSocket-Extensions") {
            return Err(not_a_websocket("it uses an extension that was not offered"));
        }
        Ok(rest)
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> TransportFailure {
        let body = self.headers.secrets.mask(&String::from_utf8_lossy(body));
        let body: String = body.chars().take(SHOWN_CHARS).collect();
        let mut message = format!("the server rejected the WebSocket upgrade: {status}");
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

fn not_a_websocket(why: &str) -> UpgradeRefusal {
    UpgradeRefusal::Rejected(TransportFailure::new(format!("no WebSocket server: {why}")))
}

fn read_head(wire: &mut impl UpgradeWire) -> Result<(Response, Vec<u8>), UpgradeRefusal> {
    let mut head = Vec::new();
    let mut chunk = vec![0; 4 * 1024];
    loop {
        match wire.read(&mut chunk)? {
            0 if head.is_empty() => {
                return Err(not_a_websocket("it closed the connection without a response"));
            }
            0 => return Err(not_a_websocket("it closed the connection during its response")),
            read => head.extend_from_slice(&chunk[..read]),
        }
        match Response::try_parse(&head) {
            Ok(Some((length, response))) => return Ok((response, head.split_off(length))),
            Ok(None) if head.len() < MAX_HEAD_BYTES => {}
            Ok(None) => return Err(not_a_websocket("its response head is too long")),
            Err(_) => return Err(not_a_websocket("its response is not HTTP/1.1")),
        }
    }
}

/// Reads the explanation in a rejection's body. An incomplete body is not another failure.
fn read_body(wire: &mut impl UpgradeWire, response: &Response, body: &mut Vec<u8>) {
    let length = response.headers().get("Content-Length").and_then(|value| value.to_str().ok()?.parse().ok());
    let wanted = length.unwrap_or(MAX_BODY_BYTES).min(MAX_BODY_BYTES);
    wire.connecting_socket().shorten_deadline(BODY_WAIT);
    let mut chunk = vec![0; 4 * 1024];
    while body.len() < wanted {
        match wire.read(&mut chunk) {
            Ok(read) if read > 0 => body.extend_from_slice(&chunk[..read]),
            _ => break,
        }
    }
    body.truncate(wanted);
}
