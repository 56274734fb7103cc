//! The requests in flight, and the completions of their replies.
//!
//! Relies on `mailbox` and `origin`. Invariant: an entry is removed exactly once: by its reply, by its caller giving up,
//! or by the end of the connection. Dropping a completion without a reply ends its caller's wait.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use parking_lot::Mutex;

use super::{
    budget::Budget,
    mailbox::{Mailbox, Wakeups, Weighed},
    origin::Origin,
    raw_reply::RawReply,
};
use crate::excerpt::Excerpt;

/// Processes a reply. Runs on the reading thread before the next frame is processed.
pub(crate) type Completion = Box<dyn FnOnce(RawReply) + Send>;

pub(crate) struct Calls {
    origin: Origin,
    table: Mutex<HashMap<i64, Completion>>,
    last_id: AtomicI64,
    unassigned: Mutex<VecDeque<UnassignedError>>,
}

/// How many errors without an id are kept for the calls that may have caused them.
const MOST_UNASSIGNED: usize = 4;

/// An error of the server that names no request.
struct UnassignedError {
    /// The last id that was in use when it arrived.
    last_id: i64,
    /// Its beginning.
    text: String,
}

impl Calls {
    pub(crate) fn new(origin: Origin) -> Self {
        Calls { origin, table: Mutex::default(), last_id: AtomicI64::new(0), unassigned: Mutex::default() }
    }

    pub(crate) fn next_id(&self) -> i64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn insert(&self, id: i64, completion: Completion) {
        self.table.lock().insert(id, completion);
    }

    pub(crate) fn take(&self, id: i64) -> Option<Completion> {
        self.origin.lock(&self.table)?.remove(&id)
    }

    /// Keeps the beginning of an error that names no request, for the calls that are pending now.
    pub(crate) fn keep_unassigned(&self, error: &str) {
        let last_id = self.last_id.load(Ordering::Relaxed);
        let mut unassigned = self.unassigned.lock();
        if unassigned.len() == MOST_UNASSIGNED {
            unassigned.pop_front();
        }
        unassigned.push_back(UnassignedError { last_id, text: Excerpt(error).to_string() });
    }

    /// The errors without an id that came since this request was sent.
    pub(crate) fn unassigned_since(&self, id: i64) -> Option<Box<str>> {
        let unassigned = self.unassigned.lock();
        let texts: Vec<_> =
            unassigned.iter().filter(|error| error.last_id >= id).map(|error| &*error.text).collect();
        let said = "the server sent an error without the id of a request: ";
        (!texts.is_empty()).then(|| format!("{said}{}", texts.join(", ")).into())
    }

    pub(crate) fn len(&self) -> usize {
        self.origin.lock(&self.table).map_or(0, |table| table.len())
    }

    /// Drops all completions, which ends their callers' waits.
    pub(crate) fn clear(&self) {
        let completions = std::mem::take(&mut *self.table.lock());
        drop(completions);
    }
}

/// A reply, and the result of its processing on the reading thread.
pub(crate) struct Completed<T>(pub(crate) RawReply, pub(crate) T);

impl<T> Weighed for Completed<T> {
    /// Replies are bounded by the requests in flight.
    fn bytes(&self) -> usize {
        0
    }
}

/// Where a caller finds its reply. It ends if no reply will arrive.
pub(crate) type ReplySlot<T> = Arc<Mailbox<Completed<T>>>;

/// Called after a reply slot was filled or ended. Runs on the reading thread.
pub(crate) type Told = Box<dyn Fn() + Send + Sync>;

/// Fills a reply slot, or ends it when dropped.
struct ReplySender<T> {
    slot: Arc<Mailbox<Completed<T>>>,
    told: Option<Told>,
}

impl<T> Drop for ReplySender<T> {
    fn drop(&mut self) {
        self.slot.close(());
        if let Some(told) = &self.told {
            told();
        }
    }
}

/// A slot, and the completion that puts the reply and the result of `receive` into it.
pub(crate) fn reply_slot<T: Send + 'static>(
    budget: &Arc<Budget>,
    receive: impl FnOnce(&RawReply) -> T + Send + 'static,
    told: Option<Told>,
) -> (ReplySlot<T>, Completion) {
    let mailbox = Mailbox::internal(budget);
    let sender = ReplySender { slot: Arc::clone(&mailbox), told };
    let completion = move |reply: RawReply| {
        let received = receive(&reply);
        sender.slot.push(Completed(reply, received), &mut Wakeups::default());
    };
    (mailbox, Box::new(completion))
}
