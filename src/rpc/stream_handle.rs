//! Ends a stream from another thread.
//!
//! Relies on `mailbox`. Invariant: what had arrived can still be read; the reason is that the stream was closed.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use super::mailbox::{Mailbox, Weighed};
use crate::error::Error;

/// A handle with which other threads end a stream of notifications or of server requests. Returned by
/// [`Notifications::handle`](crate::Notifications::handle) and
/// [`ServerRequestStream::handle`](crate::ServerRequestStream::handle).
///
/// A blocked `next` of a turn is ended by [`TurnHandle::interrupt`](crate::TurnHandle::interrupt), that of a
/// command by [`CommandHandle::terminate`](crate::CommandHandle::terminate), and all are ended by
/// [`Client::close`](crate::Client::close).
#[must_use = "a handle does nothing by itself"]
#[derive(Clone)]
pub struct StreamHandle(Weak<dyn End>);

trait End: Send + Sync {
    fn end(&self);
}

impl<T: Weighed + Send + 'static> End for Mailbox<T, Error> {
    fn end(&self) {
        self.close(Error::closed(""));
    }
}

impl StreamHandle {
    pub(crate) fn new<T: Weighed + Send + 'static>(mailbox: &Arc<Mailbox<T, Error>>) -> StreamHandle {
        let mailbox: Arc<dyn End> = Arc::clone(mailbox) as _;
        StreamHandle(Arc::downgrade(&mailbox))
    }

    /// Ends the stream behind what has arrived: a `next` that waits returns `None`, and the stream's `error` is
    /// [`Error::Closed`]. The connection and other streams go on. Does nothing if the stream has ended or was
    /// dropped. Never blocks.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let notifications = client.notifications();
    /// let handle = notifications.handle();
    /// let reader = std::thread::spawn(move || notifications.count());
    /// handle.end();
    /// assert_eq!(reader.join().unwrap(), 0);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn end(&self) {
        if let Some(stream) = self.0.upgrade() {
            stream.end();
        }
    }
}

impl fmt::Debug for StreamHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamHandle").finish_non_exhaustive()
    }
}
