//! What a way to reach a server has to do.
//!
//! Relies on `error`. Invariant: this trait is at the crate's root only, beside its implementations.

use super::{Link, Sink};
use crate::error::Result;

/// A way to reach a server. Implement it to carry the protocol over something of your own.
///
/// The crate brings [`Stdio`](crate::Stdio) (a child process), `WebSocket` and `UnixSocket` (a server that listens;
/// feature `websocket`), and [`Memory`](crate::Memory) (a server in this process).
pub trait Transport: Send {
    /// Connects, starts a thread that reads into `sink`, and returns the link to write on.
    ///
    /// May be called again, for another connection. Blocks until the server can be written to, at
    /// the longest for the transport's own connect limit.
    ///
    /// # Errors
    /// [`Error::Transport`](crate::Error::Transport) when the server can't be reached,
    /// [`Error::Timeout`](crate::Error::Timeout) when that takes too long,
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) when the transport's settings can't work.
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>>;
}
