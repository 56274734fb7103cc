//! All notifications of a connection as a stream.
//!
//! Relies on `rpc`. Invariant: a slow reader delays nothing else.

use std::{fmt, iter::FusedIterator, sync::Arc, time::Duration};

use super::Client;
use crate::{
    deadline::Deadline,
    error::Error,
    rpc::{Readiness, Signal, StreamHandle, Subscription, Taken, impl_as_fd, readiness_methods},
    turn::RawNotification,
};

impl Client {
    /// Returns a stream of all notifications from now on, of all threads.
    ///
    /// The stream buffers at most 65,536 notifications or 64 MiB; beyond that, the oldest unread ones are
    /// dropped and counted in [`Stats::dropped_notifications`](crate::Stats::dropped_notifications). It ends
    /// with the connection; [`error`](Notifications::error) returns the reason.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let notifications = client.notifications();
    /// client.chat_once("Say hello")?;
    /// client.close()?;
    /// for notification in notifications {
    ///     println!("{}", notification.method()); // thread/started, turn/started, …
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.connection.subscribe())
    }
}

/// All notifications of the server, of all threads. Returned by
/// [`Client::notifications`](crate::Client::notifications).
///
/// `next` blocks until a notification arrives or the connection ends.
#[must_use = "dropping it ends the subscription"]
pub struct Notifications {
    subscription: Arc<Subscription>,
    signal: Signal,
}

impl Notifications {
    pub(crate) fn new(subscription: Arc<Subscription>) -> Self {
        Notifications { subscription, signal: Signal::default() }
    }

    /// Returns the next notification if there is one. Never blocks.
    pub fn try_next(&mut self) -> Option<RawNotification> {
        self.next_before(Deadline::after(Some(Duration::ZERO)))
    }

    /// Returns the next notification, waiting for at most `limit`.
    pub fn next_timeout(&mut self, limit: Duration) -> Option<RawNotification> {
        self.next_before(Deadline::after(Some(limit)))
    }

    /// Returns `true` if the connection has ended and all notifications have been read.
    pub fn is_ended(&self) -> bool {
        self.subscription.mailbox().end().is_some()
    }

    /// Returns why the stream has ended: [`Error::Closed`] after a close, or the
    /// [`Error::Transport`] that everything on the connection fails with. `None` while the connection is open or
    /// something is unread.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let mut notifications = client.notifications();
    /// client.close()?;
    /// while notifications.next().is_some() {}
    /// assert_eq!(notifications.error().unwrap().code(), "closed");
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn error(&self) -> Option<Error> {
        self.subscription.mailbox().end().map(|reason| reason.while_doing("read notifications"))
    }

    readiness_methods!();

    /// Returns a handle with which another thread ends this stream, also while `next` waits.
    pub fn handle(&self) -> StreamHandle {
        StreamHandle::new(self.subscription.mailbox())
    }

    fn readiness(&self) -> &Readiness {
        let mailbox = self.subscription.mailbox();
        self.signal.ask(mailbox.notifier(), |readiness| mailbox.attach(readiness, false))
    }

    fn next_before(&mut self, deadline: Deadline) -> Option<RawNotification> {
        let taken = self.subscription.mailbox().take_before(deadline.at());
        if let Some(readiness) = self.signal.asked() {
            readiness.took(matches!(taken, Taken::Ended(_)), || self.subscription.mailbox().has_any());
        }
        match taken {
            Taken::Item(text) => Some(RawNotification(text)),
            Taken::Empty | Taken::Ended(_) => None,
        }
    }
}

impl Iterator for Notifications {
    type Item = RawNotification;

    fn next(&mut self) -> Option<RawNotification> {
        self.next_before(Deadline::after(None))
    }
}

impl FusedIterator for Notifications {}

impl_as_fd!([] Notifications);

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}
