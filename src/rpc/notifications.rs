//! Passes all notifications to their subscribers.
//!
//! Relies on `mailbox`. Invariant: an unread subscription costs a bounded amount of memory, and the
//! notifications it loses are counted.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Mutex;

use super::{
    budget::{Budget, Overrun, Payer},
    frame::Frame,
    mailbox::{Mailbox, Wakeups, Weighed},
};
use crate::error::Error;

/// The maximum number of unread notifications of a subscription.
pub(crate) const MOST_UNREAD: usize = 65_536;
/// The maximum number of unread bytes of a subscription.
pub(crate) const MOST_UNREAD_BYTES: usize = 64 * 1024 * 1024;

/// The text of a notification; subscribers share it.
#[derive(Debug, Clone)]
pub(crate) enum NotificationText {
    Copied(Arc<str>),
    /// In the buffer that it was received in.
    Received(Arc<String>),
}

impl NotificationText {
    pub(crate) fn get(&self) -> &str {
        match self {
            NotificationText::Copied(text) => text,
            NotificationText::Received(text) => text,
        }
    }
}

impl Weighed for NotificationText {
    fn bytes(&self) -> usize {
        self.get().len()
    }
}

/// One subscriber's end.
#[derive(Debug)]
pub(crate) struct Subscription {
    mailbox: Arc<Mailbox<NotificationText, Error>>,
    dropped: Arc<AtomicU64>,
}

impl Subscription {
    pub(crate) fn mailbox(&self) -> &Arc<Mailbox<NotificationText, Error>> {
        &self.mailbox
    }

    /// Drops the oldest notifications while `is_too_much`. The newest stays, however large it is.
    fn shrink(&self, is_too_much: impl Fn(&Mailbox<NotificationText, Error>) -> bool) {
        while is_too_much(&self.mailbox) && self.mailbox.drop_oldest().is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Payer for Subscription {
    fn kept_bytes(&self) -> usize {
        self.mailbox.bytes()
    }

    fn give_up(&self, _: Overrun) {
        let half = self.mailbox.bytes() / 2;
        self.shrink(|mailbox| mailbox.bytes() > half);
    }
}

/// All subscribers of a connection.
pub(crate) struct Subscribers {
    list: Mutex<Vec<Weak<Subscription>>>,
    /// Outside of the lock, since usually there are none.
    is_empty: AtomicBool,
    dropped: Arc<AtomicU64>,
    budget: Arc<Budget>,
}

impl Subscribers {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Subscribers {
            list: Mutex::default(),
            is_empty: AtomicBool::new(true),
            dropped: Arc::default(),
            budget: Arc::clone(budget),
        }
    }

    pub(crate) fn subscribe(&self) -> Arc<Subscription> {
        let subscription = Arc::new(Subscription {
            mailbox: Mailbox::new(&self.budget),
            dropped: Arc::clone(&self.dropped),
        });
        let payer: Arc<dyn Payer> = Arc::clone(&subscription) as _;
        self.budget.register(Arc::downgrade(&payer));
        self.list.lock().push(Arc::downgrade(&subscription));
        self.is_empty.store(false, Ordering::Release);
        subscription
    }

    /// A subscription that gets nothing.
    pub(crate) fn ended(&self) -> Arc<Subscription> {
        let mailbox = Mailbox::new(&self.budget);
        mailbox.close(Error::forked("read notifications"));
        Arc::new(Subscription { mailbox, dropped: Arc::clone(&self.dropped) })
    }

    /// The number of notifications that were dropped because they were not read.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn push(&self, frame: &Frame<'_>, wakeups: &mut Wakeups) {
        if self.is_empty.load(Ordering::Acquire) {
            return;
        }
        let text = match frame.owner {
            Some(owner) => NotificationText::Received(Arc::clone(owner)),
            None => NotificationText::Copied(frame.text.into()),
        };
        let mut list = self.list.lock();
        list.retain(|subscription| {
            let Some(subscription) = subscription.upgrade() else { return false };
            subscription.mailbox.push(text.clone(), wakeups);
            subscription.shrink(|mailbox| mailbox.len() > MOST_UNREAD || mailbox.bytes() > MOST_UNREAD_BYTES);
            true
        });
        self.is_empty.store(list.is_empty(), Ordering::Release);
    }

    /// Ends the streams for this reason, once what they hold has been read.
    pub(crate) fn close(&self, reason: &Error) {
        for subscription in self.list.lock().iter().filter_map(Weak::upgrade) {
            subscription.mailbox.close(reason.clone());
        }
    }
}
