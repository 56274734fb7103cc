//! Serves a scripted server over WebSocket on loopback.
//!
//! Relies on tungstenite. Invariant: dropping the listener ends its threads and its connections.

use std::{
    fmt, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use tungstenite::{
    Message, WebSocket,
    protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
};

use super::server::{ScriptedServer, ServerWire};

/// Listens on a loopback port and serves a [`ScriptedServer`] until it is dropped.
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
    address: SocketAddr,
    shared: Arc<ListenerShared>,
    acceptor: Option<JoinHandle<()>>,
}

struct ListenerShared {
    server: ScriptedServer,
    must_stop: AtomicBool,
    connections: Mutex<Vec<ClientSocket>>,
}

struct ClientSocket {
    stream: TcpStream,
    thread: JoinHandle<()>,
}

impl ScriptedServer {
    /// Listens on a free port of 127.0.0.1, for any number of concurrent WebSocket clients.
    ///
    /// # Errors
    /// Returns an error if no port is available or a thread can't be started.
    pub fn listen(&self) -> io::Result<ScriptedListener> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(ListenerShared {
            server: self.clone(),
            must_stop: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("codex-listener".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if accepting.must_stop.load(Ordering::Acquire) {
                    return;
                }
                if let Err(error) = stream.and_then(|stream| accepting.accept(stream)) {
                    log::warn!("the scripted server failed to accept a connection: {error}");
                }
            }
        })?;
        Ok(ScriptedListener { address, shared, acceptor: Some(acceptor) })
    }
}

impl ListenerShared {
    fn accept(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (server, served) = (self.server.clone(), stream.try_clone()?);
        let thread = thread::Builder::new().name("codex-scripted".to_owned()).spawn(move || {
            let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
            match tungstenite::accept_with_config(served, Some(config)) {
                Ok(socket) => server.serve(Accepted(socket)),
                Err(error) => log::warn!("the scripted server failed the WebSocket handshake: {error}"),
            }
        })?;
        let mut connections = self.connections.lock();
        connections.retain(|connection| !connection.thread.is_finished());
        connections.push(ClientSocket { stream, thread });
        Ok(())
    }
}

impl ScriptedListener {
    /// Returns the URL: `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Drops every connection without a close frame, as if the server had crashed. New connections are
    /// accepted.
    pub fn cut(&self) {
        for ClientSocket { stream, thread } in std::mem::take(&mut *self.shared.connections.lock()) {
            // Fails if the client has closed the connection first.
            let _ = stream.shutdown(Shutdown::Both);
            if thread.join().is_err() {
                log::error!("a thread of the scripted server panicked");
            }
        }
    }
}

impl fmt::Debug for ScriptedListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedListener").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for ScriptedListener {
    fn drop(&mut self) {
        self.shared.must_stop.store(true, Ordering::Release);
        // Unblocks the acceptor's last `accept`.
        let _ = TcpStream::connect(self.address);
        if self.acceptor.take().is_some_and(|acceptor| acceptor.join().is_err()) {
            log::error!("the thread of the scripted server's listener panicked");
        }
        self.cut();
    }
}

/// An accepted connection.
struct Accepted(WebSocket<TcpStream>);

impl ServerWire for Accepted {
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

impl Drop for Accepted {
    fn drop(&mut self) {
        let _ = self.0.close(Some(CloseFrame { code: CloseCode::Away, reason: "the script ended".into() }));
    }
}
