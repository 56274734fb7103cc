//! Moves frames between this process and a server; knows nothing of what they say.
//!
//! Relies on `error` and `deadline`. Invariant: [`Link::send`] never waits for the peer, and the
//! thread that reads never waits for anything but the peer.
//!
//! Here is what an implementation of [`Transport`] needs; the trait itself and the transports that the
//! crate brings are at its root.
//!
//! A [`Transport`] describes how to reach a server. Connecting starts a thread that reads frames
//! into a [`Sink`], and returns the [`Link`] to write on. `lines` cuts a byte stream into frames,
//! `outbox` writes without waiting. `stdio` runs a server as a child, `websocket` connects to one
//! that listens, `memory` to one inside this process.

pub(crate) mod connect;
mod lines;
pub(crate) mod memory;
#[cfg(any(unix, feature = "websocket"))]
mod outbox;
pub(crate) mod stdio;
#[cfg(feature = "websocket")]
pub(crate) mod websocket;

use std::{
    borrow::Cow,
    fmt,
    ops::ControlFlow,
    thread::{self, JoinHandle},
    time::Duration,
};

pub(crate) use connect::Transport;
pub use memory::Peer;

use crate::{
    deadline::Deadline,
    error::{Result, Timeout, TransportFailure},
};

/// The writing side of a connection. Shared by all threads that use a client.
pub trait Link: Send + Sync {
    /// Takes one message (no line break in it, none at its end) to be written in order.
    ///
    /// Must not wait for the peer: it queues what can't be written at once.
    ///
    /// # Errors
    /// The message can't be written any more; the sink tells why.
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure>;

    /// The longest message that the server takes, in bytes; `None`: any. A longer one is refused
    /// before it is sent.
    fn max_message_bytes(&self) -> Option<usize> {
        None
    }

    /// Ends the connection and frees what belongs to it: processes reaped, threads joined.
    ///
    /// Idempotent. May be called on any thread, the reading one included (which it must not join
    /// then). [`Shutdown`] says how long it may take.
    fn shutdown(&self, how: Shutdown);
}

/// How much time an ending connection is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// In order, within 5 s: end of input, then TERM, then KILL.
    Orderly,
    /// At once, within 0.5 s: end of input, 0.3 s of grace, then KILL.
    Quick,
}

/// The limit on connecting: 30 s unless set.
#[derive(Debug, Clone, Copy)]
struct ConnectTimeout(Option<Duration>);

impl Default for ConnectTimeout {
    fn default() -> Self {
        ConnectTimeout(Some(Duration::from_secs(30)))
    }
}

impl ConnectTimeout {
    /// Connecting begins now.
    ///
    /// # Errors
    /// A limit of zero has passed at once.
    fn begin(self) -> Result<Deadline> {
        let deadline = Deadline::after(self.0);
        match deadline.has_passed() {
            true => Err(deadline.error(Timeout::Connect)),
            false => Ok(deadline),
        }
    }
}

/// Joins a thread, unless it is the one that asks.
fn join(thread: Option<JoinHandle<()>>, whose: &str) {
    if let Some(thread) = thread {
        if thread.thread().id() != thread::current().id() && thread.join().is_err() {
            log::error!("{whose} panicked");
        }
    }
}

/// The stream in pieces of these lengths, over and over.
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

/// What takes the frames of a connection. Called on the thread that reads only.
pub(crate) trait Receive: Send {
    /// One frame. `Break` ends the connection: the receiver has seen enough.
    fn frame(&mut self, frame: Cow<'_, [u8]>) -> ControlFlow<()>;

    /// Everything that had arrived has been handed over: wake those who wait.
    fn flush(&mut self);

    /// The connection has ended. Called once, last.
    fn closed(&mut self, failure: TransportFailure);
}

/// Where a transport puts the frames that it reads.
///
/// Dropping it ends the connection as lost, so that a reading thread that panics is noticed.
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

    /// Hands over one frame. Give it owned where that saves a copy of something large.
    ///
    /// `Break` says that the connection is to end; the thread may stop reading.
    pub fn frame<'a>(&mut self, frame: impl Into<Cow<'a, [u8]>>) -> ControlFlow<()> {
        self.receiver.frame(frame.into())
    }

    /// Says that nothing more has arrived for now. Call it before waiting for the peer: those who
    /// wait for frames are woken here, once for all the frames of a read.
    pub fn flush(&mut self) {
        self.receiver.flush();
    }

    /// The longest frame that is wanted, in bytes; `None`: any.
    pub fn max_frame_bytes(&self) -> Option<usize> {
        self.max_frame_bytes
    }

    /// Ends the connection with its reason.
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
