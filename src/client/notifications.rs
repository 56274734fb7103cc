//! All notifications of a connection as a stream.
//!
//! Relies on `rpc`. Invariant: a reader that sleeps holds up nobody.

use std::{fmt, iter::FusedIterator, sync::Arc, time::Duration};

use crossbeam_channel::Receiver;

use crate::{
    deadline::Deadline,
    rpc::{Subscription, Taken},
    turn::RawNotification,
};

/// Every notification of the server, of all threads, from [`Client::notifications`](crate::Client::notifications).
///
/// `next` blocks until one comes or the connection ends.
#[must_use = "dropping it ends the subscription"]
pub struct Notifications {
    subscription: Arc<Subscription>,
}

impl Notifications {
    pub(crate) fn new(subscription: Arc<Subscription>) -> Self {
        Notifications { subscription }
    }

    /// The next one if it is there already. Never waits.
    pub fn try_next(&mut self) -> Option<RawNotification> {
        match self.subscription.mailbox().take() {
            Taken::Item(text) => Some(RawNotification(text)),
            Taken::Empty | Taken::Ended(()) => None,
        }
    }

    /// The next one; waits for it as long as that.
    pub fn next_timeout(&mut self, limit: Duration) -> Option<RawNotification> {
        self.next_before(Deadline::after(Some(limit)))
    }

    /// Whether the connection has ended and everything has been read.
    pub fn is_ended(&self) -> bool {
        self.subscription.mailbox().is_exhausted()
    }

    /// A channel for `select!`, of capacity 1: a message is put in when something comes, and by each
    /// [`try_next`](Self::try_next) after which there may be more. It is disconnected after the end was taken.
    pub fn ready(&self) -> Receiver<()> {
        self.subscription.mailbox().ready()
    }

    fn next_before(&mut self, deadline: Deadline) -> Option<RawNotification> {
        loop {
            match self.subscription.mailbox().take() {
                Taken::Item(text) => return Some(RawNotification(text)),
                Taken::Ended(()) => return None,
                Taken::Empty if deadline.has_passed() => return None,
                Taken::Empty => self.subscription.mailbox().wait(deadline.at()),
            }
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

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}
