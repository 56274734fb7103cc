//! The trait of all transports.
//!
//! Relies on `error`. Invariant: the trait is at the crate's root only, beside its implementations.

use super::{Link, Sink};
use crate::error::Result;

/// A way to reach a server. Implement it to run the protocol over a custom transport.
///
/// The crate provides [`Stdio`](crate::Stdio) (a child process), `WebSocket` and `UnixSocket` (a listening
/// server; feature `websocket`), and [`Memory`](crate::Memory) (a server inside this process).
pub trait Transport: Send {
    /// Connects, starts a thread that reads into `sink`, and returns the link for writing.
    ///
    /// Can be called again to open another connection. Blocks until the server can be written to, for at
    /// most the transport's own connect limit.
    ///
    /// # Errors
    /// Returns [`Error::Transport`](crate::Error::Transport) if the server can't be reached,
    /// [`Error::Timeout`](crate::Error::Timeout) if connecting takes too long, and
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if the transport's settings are invalid.
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>>;
}
