//! Moves frames between this process and a server, without interpreting them.
//!
//! Relies on `error` and `deadline`. Invariant: [`Link::send`] never waits for the server, and the
//! reading thread never waits for anything else.
//!
//! This module has what an implementation of [`Transport`] needs; the trait itself and the transports
//! that the crate provides are at the crate's root.
//!
//! A [`Transport`] describes how to reach a server. Connecting starts a thread that reads frames into a
//! [`Sink`], and returns the [`Link`] for writing. `lines` splits a byte stream into frames; `outbox`
//! writes without blocking. `stdio` runs the server as a child process, `websocket` connects to a
//! listening server, and `memory` runs a server inside this process.

pub(crate) mod connect;
mod lines;
pub(crate) mod memory;
#[cfg(unix)]
mod no_sigpipe;
#[cfg(any(unix, feature = "websocket"))]
mod outbox;
#[cfg(unix)]
pub(crate) mod standard_streams;
pub(crate) mod stdio;
#[cfg(feature = "websocket")]
pub(crate) mod websocket;

use std::{
    borrow::Cow,
    fmt,
    ops::ControlFlow,
    path::PathBuf,
    thread::{self, JoinHandle},
    time::Duration,
};

pub(crate) use connect::Transport;
pub use memory::Peer;

use crate::{
    deadline::Deadline,
    error::{Result, Timeout, TransportFailure},
};

/// The user's home directory.
fn home_dir() -> Option<PathBuf> {
    #[allow(deprecated, reason = "not any more: its behaviour on Windows was mended in Rust 1.85")]
    std::env::home_dir()
}

/// The writing half of a connection, shared by all threads that use a client.
pub trait Link: Send + Sync {
    /// Queues one message for writing, in order. The message contains no line break.
    ///
    /// Must not wait for the server: what can't be written immediately is queued.
    ///
    /// # Errors
    /// Returns an error if the connection no longer accepts messages; the sink reports the reason.
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure>;

    /// The longest message that the server accepts, in bytes; `None` means no limit. The client rejects a
    /// longer message without sending it.
    fn max_message_bytes(&self) -> Option<usize> {
        None
    }

    /// The URL at which others can connect to the same server, if there is one.
    fn server_url(&self) -> Option<&str> {
        None
    }

    /// The process id of the server, if this link has started it and it still runs.
    fn server_pid(&self) -> Option<u32> {
        None
    }

    /// Closes the connection and releases its resources: reaps processes and joins threads.
    ///
    /// Idempotent. Can be called from any thread, including the reading thread, which it must not join in
    /// that case. [`Shutdown`] sets the time limit.
    fn shutdown(&self, how: Shutdown);
}

/// How gracefully, and within what time, a connection shuts down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// Within 5 s: end of input, then SIGTERM, then SIGKILL.
    Orderly,
    /// Within 0.5 s: end of input, then SIGKILL after 0.3 s.
    Quick,
}

/// The connect limit; 30 s by default.
#[derive(Debug, Clone, Copy)]
struct ConnectTimeout(Option<Duration>);

impl Default for ConnectTimeout {
    fn default() -> Self {
        ConnectTimeout(Some(Duration::from_secs(30)))
    }
}

impl ConnectTimeout {
    /// Starts the connect limit now.
    ///
    /// # Errors
    /// Returns [`Error::Timeout`](crate::Error::Timeout) if the limit is zero.
    fn begin(self) -> Result<Deadline> {
        let deadline = Deadline::after(self.0);
        match deadline.has_passed() {
            true => Err(deadline.error(Timeout::Connect)),
            false => Ok(deadline),
        }
    }
}

/// The most bytes that can be queued for a server that doesn't read. Requests that time out leave theirs
/// in the queue.
const MAX_QUEUED_BYTES: usize = 256 * 1024 * 1024;

/// What a queued message costs, in bytes: an entry costs something, so that a flood of short ones is bounded too.
fn cost(message: &[u8]) -> usize {
    message.len() + 64
}

fn too_much_queued(bytes: usize) -> TransportFailure {
    TransportFailure::new(format!("the app-server does not read its input: {bytes} bytes are queued"))
}

/// Joins a thread, unless it is the current thread.
fn join(thread: Option<JoinHandle<()>>, whose: &str) {
    if let Some(thread) = thread {
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            log::error!("{whose} panicked");
        }
    }
}

/// Splits the stream into pieces, cycling through these lengths.
#[cfg(test)]
fn cut<'a>(mut stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, more) = stream.split_at((*length).min(stream.len()));
        pieces.push(piece);
        stream = more;
    }
    pieces
}

/// Receives the frames of a connection. All methods are called on the reading thread.
pub(crate) trait Receive: Send {
    /// Handles one frame. `Break` ends the connection: the receiver accepts no more frames.
    fn frame(&mut self, frame: Cow<'_, [u8]>) -> ControlFlow<()>;

    /// Called once all frames that have arrived are handed over: wakes the waiting threads.
    fn flush(&mut self);

    /// Called once, last, when the connection has ended.
    fn closed(&mut self, failure: TransportFailure);
}

/// Receives the frames that a transport reads.
///
/// Dropping a sink without closing it reports the connection as lost, so that a panic on the reading
/// thread is noticed.
#[must_use = "dropping it ends the connection"]
pub struct Sink {
    receiver: Box<dyn Receive>,
    max_frame_bytes: Option<usize>,
    is_closed: bool,
}

impl Sink {
    pub(crate) fn new(receiver: impl Receive + 'static, max_frame_bytes: Option<usize>) -> Self {
        Sink { receiver: Box::new(receiver), max_frame_bytes, is_closed: false }
    }

    /// Hands over one frame. Pass an owned buffer if that avoids copying a large frame.
    ///
    /// `Break` means that the connection is to end; the thread can stop reading.
    pub fn frame<'a>(&mut self, frame: impl Into<Cow<'a, [u8]>>) -> ControlFlow<()> {
        self.receiver.frame(frame.into())
    }

    /// Marks the end of the frames available for now. Call it before waiting for the server: it wakes the
    /// threads that wait for frames, once for all the frames of a read.
    pub fn flush(&mut self) {
        self.receiver.flush();
    }

    /// The maximum frame length to accept, in bytes; `None` means no limit.
    pub fn max_frame_bytes(&self) -> Option<usize> {
        self.max_frame_bytes
    }

    /// Ends the connection with a reason.
    pub fn close(mut self, failure: TransportFailure) {
        self.is_closed = true;
        self.receiver.closed(failure);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.is_closed {
            let why = if thread::panicking() { "panicked" } else { "stopped" };
            self.receiver.closed(TransportFailure::new(format!("the transport's reading thread {why}")));
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("max_frame_bytes", &self.max_frame_bytes).finish_non_exhaustive()
    }
}
