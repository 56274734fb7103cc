//! The scripted server as one that listens: WebSocket on loopback.
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

use super::server::{ScriptedServer, Wire};

/// A [`ScriptedServer`] that listens on a port of loopback, until this is dropped.
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
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    server: ScriptedServer,
    must_stop: AtomicBool,
    connections: Mutex<Vec<Connection>>,
}

struct Connection {
    stream: TcpStream,
    thread: JoinHandle<()>,
}

impl ScriptedServer {
    /// Listens on a free port of 127.0.0.1, for any number of WebSocket clients at once.
    ///
    /// # Errors
    /// No port can be had, or no thread can be started.
    pub fn listen(&self) -> io::Result<ScriptedListener> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
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
                    log::warn!("the scripted server could not take a connection: {error}");
                }
            }
        })?;
        Ok(ScriptedListener { address, shared, acceptor: Some(acceptor) })
    }
}

impl Shared {
    fn accept(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (server, served) = (self.server.clone(), stream.try_clone()?);
        let thread = thread::Builder::new().name("codex-scripted".to_owned()).spawn(move || {
            let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
            match tungstenite::accept_with_config(served, Some(config)) {
                Ok(socket) => server.serve(Accepted(socket)),
                Err(error) => log::warn!("the scripted server was asked for no WebSocket: {error}"),
            }
        })?;
        let mut connections = self.connections.lock();
        connections.retain(|connection| !connection.thread.is_finished());
        connections.push(Connection { stream, thread });
        Ok(())
    }
}

impl ScriptedListener {
    /// Where it listens: `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Cuts every connection, without a close frame, as a server that dies does. New ones are taken.
    pub fn cut(&self) {
        for Connection { stream, thread } in std::mem::take(&mut *self.shared.connections.lock()) {
            // It fails when the client was faster.
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
        // Its accept ends with a last connection.
        let _ = TcpStream::connect(self.address);
        if self.acceptor.take().is_some_and(|acceptor| acceptor.join().is_err()) {
            log::error!("the thread of the scripted server's listener panicked");
        }
        self.cut();
    }
}

/// A client that has connected.
struct Accepted(WebSocket<TcpStream>);

impl Wire for Accepted {
    fn recv(&mut self) -> Option<String> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(Message::Close(_)) | Err(_) => return None,
                // Answered by the reading itself.
                Ok(_) => {}
            }
        }
    }

    fn send(&mut self, message: &str) {
        // It fails when the client has gone, which the next read finds.
        let _ = self.0.send(Message::text(message));
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        let _ = self.0.close(Some(CloseFrame { code: CloseCode::Away, reason: "the script ended".into() }));
    }
}
