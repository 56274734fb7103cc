//! Serves a scripted server over WebSocket on loopback.
//!
//! Relies on tungstenite, `loopback` and `connection`. Invariant: dropping the listener ends its threads and its connections.

use std::{
    fmt,
    io::{self, Write as _},
    sync::Arc,
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use tungstenite::{
    Message, WebSocket,
    protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
};

use super::{
    connection::{ServerWire, Waited},
    hub::Sent,
    loopback::{Acceptor, Connections, LoopbackStream},
    server::ScriptedServer,
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
    match Accepted::shake_hands(stream) {
        Ok(peer) => server.serve(peer),
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

/// The client's end of an accepted connection. A thread of its own reads, so that the connection can wait for the client
/// and for what it sends at once.
struct Accepted<'a> {
    socket: WebSocket<&'a LoopbackStream>,
    incoming: Receiver<Read>,
    reader: Option<JoinHandle<()>>,
}

/// What the reading thread gives to the connection.
enum Read {
    Message(String),
    /// Frames that tungstenite sends by itself, as an answer to control frames. The connection sends them, so that they
    /// are not in the middle of another frame.
    Response(Vec<u8>),
}

/// The stream of the reading thread, which writes only during the handshake.
struct ReadHalf {
    stream: LoopbackStream,
    to_connection: Option<Sender<Read>>,
}

impl io::Read for ReadHalf {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }
}

impl io::Write for ReadHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.to_connection {
            None => (&self.stream).write(bytes),
            Some(connection) => {
                connection.send(Read::Response(bytes.to_vec())).map_err(|_| io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> Accepted<'a> {
    /// # Errors
    /// The handshake fails, or no thread can be started.
    fn shake_hands(stream: &'a LoopbackStream) -> io::Result<Accepted<'a>> {
        let config = Some(WebSocketConfig::default().max_message_size(None).max_frame_size(None));
        let half = ReadHalf { stream: stream.clone(), to_connection: None };
        let mut reading = tungstenite::accept_with_config(half, config)
            .map_err(|error| io::Error::other(error.to_string()))?;
        let (to_connection, incoming) = unbounded();
        reading.get_mut().to_connection = Some(to_connection.clone());
        let reader = thread::Builder::new().name("codex-scripted".to_owned()).spawn(move || {
            loop {
                match reading.read() {
                    Ok(Message::Text(text)) => {
                        if to_connection.send(Read::Message(text.as_str().to_owned())).is_err() {
                            return;
                        }
                    }
                    Ok(Message::Close(_)) | Err(_) => return,
                    // tungstenite responds to control frames itself.
                    Ok(_) => {}
                }
            }
        })?;
        let socket = WebSocket::from_raw_socket(stream, Role::Server, config);
        Ok(Accepted { socket, incoming, reader: Some(reader) })
    }
}

impl ServerWire for Accepted<'_> {
    fn wait(&mut self, outbox: &Receiver<Sent>) -> Waited {
        loop {
            select! {
                recv(self.incoming) -> read => match read {
                    Ok(Read::Message(message)) => return Waited::Message(message),
                    // Fails if the client has disconnected, which the next read detects.
                    Ok(Read::Response(frame)) => drop(self.socket.get_mut().write_all(&frame)),
                    Err(_) => return Waited::Ended,
                },
                recv(outbox) -> sent => return sent.map_or(Waited::Ended, Waited::ToSend),
            }
        }
    }

    fn send(&mut self, message: &str) {
        // Fails if the client has disconnected, which the next read detects.
        let _ = self.socket.send(Message::text(message));
    }
}

impl Drop for Accepted<'_> {
    fn drop(&mut self) {
        let _ =
            self.socket.close(Some(CloseFrame { code: CloseCode::Away, reason: "the script ended".into() }));
        let _ = self.socket.flush();
        // The client closes its end, or the listener cuts the connection.
        if self.reader.take().is_some_and(|reader| reader.join().is_err()) {
            log::error!("a thread of the scripted server panicked");
        }
    }
}
