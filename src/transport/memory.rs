//! A transport to a server inside this process: a function that is given the server's end.
//!
//! Relies on crossbeam channels. Invariant: the server's thread is also the reading thread, so that a
//! frame has been handed over when `Peer::send` returns.

use std::{
    fmt,
    sync::{Arc, mpsc::RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use super::{Link, Shutdown, Sink, Transport};
use crate::error::{Result, TransportFailure};

/// Connects to a server that runs as a function in this process.
///
/// Each connection runs the function once, on its own thread. When the function returns, the connection
/// ends, as if the server process had exited.
///
/// ```
/// use codex_blocking::{Client, Memory};
///
/// let echo = Memory::new(|mut peer| {
///     while let Some(message) = peer.recv() {
///         let request: serde_json::Value = serde_json::from_str(&message).unwrap();
///         if let Some(id) = request.get("id") {
///             peer.send(&serde_json::json!({"id": id, "result": {"userAgent": "me/1.0.0 (x)"}}).to_string());
///         }
///     }
/// });
/// let client = Client::connect(echo)?;
/// assert_eq!(client.initialize()?.server_version(), Some("1.0.0"));
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a transport does nothing until a client connects over it"]
#[derive(Clone)]
pub struct Memory {
    serve: Arc<dyn Fn(Peer) + Send + Sync>,
}

impl Memory {
    /// Serves each connection with `serve`.
    pub fn new(serve: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Memory { serve: Arc::new(serve) }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Transport for Memory {
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        let (to_server, from_client) = unbounded();
        let (alive, ended) = bounded(0);
        let serve = Arc::clone(&self.serve);
        let server = thread::Builder::new()
            .name("codex-memory".to_owned())
            .spawn(move || {
                let _alive: Sender<()> = alive;
                serve(Peer { sink: Some(sink), from_client });
            })
            .map_err(|error| {
                TransportFailure::new("failed to spawn its thread")
                    .with_source(error)
                    .while_connecting("start the in-memory server")
            })?;
        let thread = Mutex::new(Some(server));
        Ok(Box::new(MemoryLink { to_server: Mutex::new(Some(to_server)), ended, thread }))
    }
}

/// The server's end of an in-memory connection. Dropping it ends the connection.
#[must_use = "dropping it ends the connection"]
pub struct Peer {
    sink: Option<Sink>,
    from_client: Receiver<Vec<u8>>,
}

impl Peer {
    /// Waits for the client's next message. Returns `None` once the client has closed the connection.
    pub fn recv(&mut self) -> Option<String> {
        self.from_client.recv().ok().map(into_text)
    }

    /// Waits for the client's next message, for at most `limit`.
    ///
    /// # Errors
    /// Returns [`RecvTimeoutError::Timeout`] if no message arrives in time, and
    /// [`RecvTimeoutError::Disconnected`] if the client has closed the connection.
    pub fn recv_timeout(&mut self, limit: Duration) -> Result<String, RecvTimeoutError> {
        match self.from_client.recv_timeout(limit) {
            Ok(message) => Ok(into_text(message)),
            Err(error) if error.is_timeout() => Err(RecvTimeoutError::Timeout),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// The client's messages, to wait for them and for something else.
    #[cfg(feature = "testing")]
    pub(crate) fn incoming(&self) -> &Receiver<Vec<u8>> {
        &self.from_client
    }

    /// Sends one frame with any content, and wakes the threads that wait for it.
    pub fn send(&mut self, frame: &str) {
        self.send_bytes(frame.as_bytes());
    }

    /// Sends one frame of bytes, which need not be valid UTF-8.
    pub fn send_bytes(&mut self, frame: &[u8]) {
        if let Some(sink) = &mut self.sink {
            let ended = sink.frame(frame).is_break();
            sink.flush();
            if ended {
                self.close("it sent an invalid message (strict mode)");
            }
        }
    }

    /// Ends the connection with a reason.
    pub fn close(&mut self, reason: &str) {
        if let Some(sink) = self.sink.take() {
            sink.close(TransportFailure::new(reason));
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.close("the in-memory server ended");
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

/// The client writes JSON, which is UTF-8.
fn into_text(message: Vec<u8>) -> String {
    String::from_utf8_lossy(&message).into_owned()
}

struct MemoryLink {
    to_server: Mutex<Option<Sender<Vec<u8>>>>,
    /// Disconnected once the server's function has returned.
    ended: Receiver<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Link for MemoryLink {
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        let sent = self.to_server.lock().as_ref().is_some_and(|server| server.send(message).is_ok());
        sent.then_some(()).ok_or_else(|| TransportFailure::new("the in-memory server has ended"))
    }

    fn shutdown(&self, how: Shutdown) {
        self.to_server.lock().take();
        let limit = match how {
            Shutdown::Orderly => Duration::from_secs(2),
            Shutdown::Quick => Duration::from_millis(300),
        };
        let Some(thread) = self.thread.lock().take() else { return };
        if thread.thread().id() == thread::current().id() {
            return;
        }
        // A function can't be killed: if it doesn't return, its thread is detached.
        if self.ended.recv_timeout(limit).is_err_and(|error| error.is_timeout()) {
            log::warn!("the in-memory server did not end with its client");
        } else if thread.join().is_err() {
            log::error!("the in-memory server panicked");
        }
    }
}
