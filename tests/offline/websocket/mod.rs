//! The `WebSocket` transport against servers that do on demand what the real one does not: `connect` (the
//! way to a connection), `wire` (frames both ways), `lost` (how connections end), `proxy`, `spawned` (a server of
//! one's own).
//!
//! Relies on `support/websocket.rs`. Invariant: every test has its own listener and port, and waits for
//! events, not for time.

mod connect;
mod lost;
mod proxy;
mod spawned;
mod wire;

use codex_blocking::{Client, ClientBuilder, WebSocket};

use crate::support::websocket::{Listening, Server};

/// A client with the defaults, and the server it is connected to.
fn served() -> (Client, Server) {
    served_with(Client::builder(), |socket| socket)
}

fn served_with(
    builder: ClientBuilder,
    configure: impl FnOnce(WebSocket) -> WebSocket + Send,
) -> (Client, Server) {
    let listening = Listening::new();
    listening.serve(|| builder.connect(configure(WebSocket::new(listening.url()))).unwrap())
}
