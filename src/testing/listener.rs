//! Serves a scripted server over WebSocket on loopback.
//!
//! Relies on tungstenite and `loopback`. Invariant: dropping the listener ends its threads and its connections.

use std::{fmt, io, sync::Arc};

use tungstenite::{
    Message, WebSocket,
    protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
};

use super::{
    loopback::{Acceptor, Connections, LoopbackStream},
    server::{ScriptedServer, ServerWire},
};

/// Listens on a loopback port and serves a [`ScriptedServer`] until it is dropped.
///
/// Dropping it closes all connections and waits for their threads. A handler or script that doesn't return
/// within 5 s is left behind with its thread, and logged.
///
/// ```
/// use codex_blocking::{Client, WebSocket, testing::ScriptedServer};
///
/// let listener = ScriptedServer::new().listen().unwrap();
/// let client = Client::connect(WebSocket::new(listener.url()))?;
/// assert_eq!(client.chat_once("hi")?.final_text, "echo: hi");
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "dropping it stops the server"]
pub struct ScriptedListener {
    acceptor: Acceptor,
    connections: Arc<Connections>,
}

impl ScriptedServer {
    /// Listens on a free port of 127.0.0.1, for any number of concurrent WebSocket clients.
    ///
    /// # Errors
    /// Returns an error if no port is available or a thread can't be started.
    pub fn listen(&self) -> io::Result<ScriptedListener> {
        let connections = Arc::new(Connections::default());
        let acceptor = Acceptor::start("codex-listener", {
            let (server, connections) = (self.clone(), Arc::clone(&connections));
            move |stream| {
                let server = server.clone();
                connections.serve("codex-scripted", stream, move |stream| serve(&server, stream))
            }
        })?;
        Ok(ScriptedListener { acceptor, connections })
    }
}

fn serve(server: &ScriptedServer, stream: &LoopbackStream) {
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    match tungstenite::accept_with_config(stream, Some(config)) {
        Ok(socket) => server.serve(Accepted(socket)),
        Err(error) => log::warn!("the scripted server failed the WebSocket handshake: {error}"),
    }
}

impl ScriptedListener {
    /// Returns the URL: `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.acceptor.address())
    }

    /// Drops every connection without a close frame, as if the server had crashed. New connections are
    /// accepted.
    pub fn cut(&self) {
        self.connections.cut();
    }
}

impl fmt::Debug for ScriptedListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedListener").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for ScriptedListener {
    fn drop(&mut self) {
        self.acceptor.stop();
        self.cut();
    }
}

/// An accepted connection.
struct Accepted<'a>(WebSocket<&'a LoopbackStream>);

impl ServerWire for Accepted<'_> {
    fn recv(&mut self) -> Option<String> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(Message::Close(_)) | Err(_) => return None,
                // tungstenite responds to control frames itself.
                Ok(_) => {}
            }
        }
    }

    fn send(&mut self, message: &str) {
        // Fails if the client has disconnected, which the next read detects.
        let _ = self.0.send(Message::text(message));
    }
}

impl Drop for Accepted<'_> {
    fn drop(&mut self) {
        let _ = self.0.close(Some(CloseFrame { code: CloseCode::Away, reason: "the script ended".into() }));
    }
}
