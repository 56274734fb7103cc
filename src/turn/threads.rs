//! What a connection knows of threads: which are loaded, for whom, and the tokens they have used.
//!
//! Relies on `rpc`; `unload` sends the requests that unload threads. Invariant: only threads that a call of this
//! client named or opened have an entry.
//!
//! Locks: the table of the turns or the queue of unloads, then the entries, then the parts of one.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};

use super::unload::Queue;
use crate::{
    deadline::{Deadline, earlier},
    protocol::ThreadTokenUsage as TokenUsage,
    rpc::Latch,
};

/// How long after the reply the server may take to close a thread that it does not keep. It takes 0.1 to 0.3 s.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// The tokens of a thread, as the server last reported them.
pub(crate) type ReportedUsage = Arc<Mutex<Option<TokenUsage>>>;

/// The threads of a connection.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    entries: Mutex<Entries>,
    /// The number of threads that are being unloaded, so that most calls need not look for one.
    unloads: AtomicUsize,
    pub(super) queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Entries {
    threads: HashMap<String, Entry>,
    /// The number of entries at which those that nothing needs are removed.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Entry {
    /// Whether this connection receives the thread's events.
    is_loaded: bool,
    /// A chat started it for itself, and no other call has named it.
    is_of_chat: bool,
    /// The number of calls that are about to use the thread.
    claims: usize,
    unload: Option<Arc<Unload>>,
    usage: ReportedUsage,
    /// Whether the reported total is that of the thread's next turn too: nobody else can have added to it, or
    /// taken turns away.
    is_usage_current: bool,
}

impl Entry {
    fn is_needed(&self) -> bool {
        self.is_loaded
            || self.claims > 0
            || self.unload.as_ref().is_some_and(|unload| !unload.has_expired())
            || Arc::strong_count(&self.usage) > 1
    }

    fn set_unloaded(&mut self) {
        self.is_loaded = false;
        self.is_usage_current = false;
    }
}

/// A thread that is being unloaded.
#[derive(Debug, Default)]
pub(crate) struct Unload {
    pub(super) phase: Mutex<Phase>,
    /// Set when the server has replied, or never will.
    replied: Latch,
    /// Set when the server has closed the thread, or keeps it.
    closed: Latch,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The request has not been sent.
    #[default]
    Queued,
    Sent,
    Replied(Instant),
}

impl Unload {
    /// When a caller need not wait for the thread to be closed any more, once the server has replied.
    fn expires_at(&self) -> Option<Instant> {
        match *self.phase.lock() {
            Phase::Replied(at) => Some(at + CLOSES_WITHIN),
            Phase::Queued | Phase::Sent => None,
        }
    }

    fn has_expired(&self) -> bool {
        self.closed.is_set() || self.expires_at().is_some_and(|at| Instant::now() >= at)
    }

    /// Notes that the server has replied.
    pub(super) fn reply(&self) {
        *self.phase.lock() = Phase::Replied(Instant::now());
        self.replied.set();
    }
}

/// How a call to unload a thread begins.
pub(crate) enum BegunUnload {
    /// The caller sends the request.
    Own(Unloading),
    /// The thread is being unloaded already.
    Running,
    /// A call is about to use the thread.
    InUse,
}

impl Entries {
    fn entry(&mut self, id: &str) -> &mut Entry {
        if self.threads.len() >= self.sweep_at && !self.threads.contains_key(id) {
            self.threads.retain(|_, entry| entry.is_needed());
            self.sweep_at = 2 * self.threads.len() + 64;
        }
        self.threads.entry(id.to_owned()).or_default()
    }
}

impl Threads {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock()
    }

    /// Whether this connection receives the events of this thread.
    pub(crate) fn is_loaded(&self, id: &str) -> bool {
        self.lock().threads.get(id).is_some_and(|entry| entry.is_loaded)
    }

    pub(crate) fn set_loaded(&self, id: &str) {
        self.lock().entry(id).is_loaded = true;
    }

    /// Notes that the thread's events no longer arrive.
    pub(crate) fn set_unloaded(&self, id: &str) {
        if let Some(entry) = self.lock().threads.get_mut(id) {
            entry.set_unloaded();
        }
    }

    /// Notes that the server has closed the thread.
    pub(super) fn note_closed(&self, id: &str) {
        let unload = self.lock().threads.get_mut(id).and_then(|entry| {
            entry.set_unloaded();
            entry.unload.clone()
        });
        if let Some(unload) = unload.filter(|unload| *unload.phase.lock() != Phase::Queued) {
            self.finish_unload(id, &unload);
        }
    }

    /// Notes that turns were taken away from the thread.
    pub(super) fn note_reverted(&self, id: &str) {
        if let Some(entry) = self.lock().threads.get_mut(id) {
            entry.is_usage_current = false;
        }
    }

    /// Notes that the connection has ended.
    pub(super) fn clear(&self) {
        let mut entries = self.lock();
        for entry in entries.threads.values_mut() {
            entry.set_unloaded();
            if let Some(unload) = entry.unload.take() {
                unload.replied.set();
                unload.closed.set();
            }
        }
        self.unloads.store(0, Ordering::Release);
    }

    /// Notes that a call is about to use the thread: it is not unloaded until the claim is dropped, and no
    /// longer belongs to the chat that started it.
    pub(crate) fn claim(self: &Arc<Self>, id: &str) -> Claim {
        let mut entries = self.lock();
        let entry = entries.entry(id);
        entry.claims += 1;
        entry.is_of_chat = false;
        self.withdraw_queued(entry);
        Claim { threads: Arc::clone(self), id: id.to_owned() }
    }

    /// Takes back an unload that has not been sent.
    fn withdraw_queued(&self, entry: &mut Entry) {
        if entry.unload.as_ref().is_some_and(|unload| *unload.phase.lock() == Phase::Queued) {
            entry.unload = None;
            entry.is_loaded = true;
            self.unloads.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Whether this client is unloading the thread.
    pub(crate) fn is_unloading(&self, id: &str) -> bool {
        self.are_unloading() && self.lock().threads.get(id).is_some_and(|entry| entry.unload.is_some())
    }

    /// Whether any thread is being unloaded.
    pub(crate) fn are_unloading(&self) -> bool {
        self.unloads.load(Ordering::Acquire) > 0
    }

    /// Waits until a thread that is being unloaded is closed, or is kept by the server. Returns `false` if the
    /// server has not even replied by the deadline.
    pub(crate) fn wait_for_unload(&self, id: &str, deadline: Deadline) -> bool {
        loop {
            let unload = {
                let mut entries = self.lock();
                let Some(entry) = entries.threads.get_mut(id) else { return true };
                self.withdraw_queued(entry);
                let Some(unload) = &entry.unload else { return true };
                Arc::clone(unload)
            };
            unload.replied.wait(deadline.at());
            if !unload.replied.is_set() {
                return false;
            }
            unload.closed.wait(earlier(deadline.at(), unload.expires_at()));
            if unload.has_expired() {
                self.finish_unload(id, &unload);
            } else if deadline.has_passed() {
                return true;
            }
        }
    }

    /// Begins to unload a thread at the request of the program.
    pub(crate) fn begin_unload(self: &Arc<Self>, id: &str) -> BegunUnload {
        let mut entries = self.lock();
        let entry = entries.entry(id);
        self.withdraw_queued(entry);
        if entry.claims > 0 {
            return BegunUnload::InUse;
        }
        if entry.unload.as_ref().is_some_and(|unload| !unload.has_expired()) {
            return BegunUnload::Running;
        }
        let was_loaded = entry.is_loaded;
        let unload = self.mark(entry);
        *unload.phase.lock() = Phase::Sent;
        BegunUnload::Own(Unloading { threads: Arc::clone(self), id: id.to_owned(), was_loaded, unload })
    }

    /// Begins to unload a thread that still belongs to the chat that started it.
    pub(super) fn begin_unload_of_chat(&self, id: &str) -> Option<Arc<Unload>> {
        let mut entries = self.lock();
        let entry = entries.entry(id);
        let may = entry.is_loaded && entry.is_of_chat && entry.claims == 0 && entry.unload.is_none();
        may.then(|| self.mark(entry))
    }

    fn mark(&self, entry: &mut Entry) -> Arc<Unload> {
        entry.set_unloaded();
        let unload = Arc::<Unload>::default();
        if entry.unload.replace(Arc::clone(&unload)).is_none() {
            self.unloads.fetch_add(1, Ordering::AcqRel);
        }
        unload
    }

    /// Notes that the request is sent now. `false` if a call has named the thread in the meantime.
    pub(super) fn mark_sent(&self, id: &str, unload: &Arc<Unload>) -> bool {
        let entries = self.lock();
        let current = entries.threads.get(id).and_then(|entry| entry.unload.as_ref());
        let is_current = current.is_some_and(|current| Arc::ptr_eq(current, unload));
        if is_current {
            *unload.phase.lock() = Phase::Sent;
        }
        is_current
    }

    /// Ends an unload, and wakes the calls that wait for it.
    pub(super) fn finish_unload(&self, id: &str, unload: &Arc<Unload>) {
        if let Some(entry) = self.lock().threads.get_mut(id) {
            if entry.unload.take_if(|current| Arc::ptr_eq(current, unload)).is_some() {
                self.unloads.fetch_sub(1, Ordering::AcqRel);
            }
        }
        unload.replied.set();
        unload.closed.set();
    }

    /// The tokens of the thread, as the server last reported them; later reports appear there too.
    pub(crate) fn usage(&self, id: &str) -> ReportedUsage {
        Arc::clone(&self.lock().entry(id).usage)
    }

    /// Notes a report of the tokens of a thread.
    pub(super) fn report(&self, id: &str, usage: impl FnOnce() -> Option<TokenUsage>) {
        if let Some(entry) = self.lock().threads.get_mut(id) {
            if let Some(usage) = usage() {
                *entry.usage.lock() = Some(usage);
                entry.is_usage_current = true;
            }
        }
    }

    /// The tokens of the thread before its next turn, if the server has reported them.
    pub(super) fn usage_before_turn(&self, id: &str) -> Option<TokenUsage> {
        let entries = self.lock();
        let entry = entries.threads.get(id).filter(|entry| entry.is_usage_current)?;
        entry.usage.lock().clone()
    }

    /// Notes that a chat has started the thread for itself.
    pub(super) fn set_of_chat(&self, id: &str) {
        self.lock().entry(id).is_of_chat = true;
    }
}

/// Keeps a thread from being unloaded while a call is about to use it.
#[derive(Debug)]
pub(crate) struct Claim {
    threads: Arc<Threads>,
    id: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(entry) = self.threads.lock().threads.get_mut(&self.id) {
            entry.claims -= 1;
        }
    }
}

/// A call that unloads a thread. Calls that use the thread wait until it is dropped.
#[derive(Debug)]
pub(crate) struct Unloading {
    threads: Arc<Threads>,
    id: String,
    was_loaded: bool,
    unload: Arc<Unload>,
}

impl Unloading {
    /// The thread stays as it was: the server was not asked, or rejected the call.
    pub(crate) fn undo(self) {
        if self.was_loaded {
            self.threads.set_loaded(&self.id);
        }
    }

    /// Notes that the server has replied, and waits until it has closed the thread, or until the deadline.
    pub(crate) fn wait_until_closed(&self, deadline: Deadline) {
        self.unload.reply();
        self.unload.closed.wait(deadline.at());
    }
}

impl Drop for Unloading {
    fn drop(&mut self) {
        self.threads.finish_unload(&self.id, &self.unload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads() -> Arc<Threads> {
        Arc::default()
    }

    fn soon() -> Deadline {
        Deadline::after(Some(Duration::from_millis(1)))
    }

    #[test]
    fn a_thread_that_a_call_is_about_to_use_is_not_unloaded() {
        let threads = threads();
        threads.set_loaded("t");
        let claim = threads.claim("t");
        assert!(matches!(threads.begin_unload("t"), BegunUnload::InUse));
        drop(claim);
        let BegunUnload::Own(unloading) = threads.begin_unload("t") else { unreachable!() };
        assert!(matches!(threads.begin_unload("t"), BegunUnload::Running));
        assert!(!threads.is_loaded("t") && threads.are_unloading());
        unloading.undo();
        assert!(threads.is_loaded("t") && !threads.are_unloading());
    }

    #[test]
    fn a_thread_that_another_call_named_no_longer_belongs_to_its_chat() {
        let threads = threads();
        threads.set_loaded("t");
        threads.set_of_chat("t");
        drop(threads.claim("t"));
        assert!(threads.begin_unload_of_chat("t").is_none());
        assert!(threads.is_loaded("t"));
    }

    #[test]
    fn an_unload_that_was_not_sent_is_taken_back_by_the_next_call() {
        let threads = threads();
        threads.set_loaded("t");
        threads.set_of_chat("t");
        let unload = threads.begin_unload_of_chat("t").unwrap();
        assert!(threads.are_unloading());
        drop(threads.claim("t"));
        assert!(!threads.mark_sent("t", &unload) && !threads.are_unloading());
        assert!(threads.is_loaded("t") && threads.wait_for_unload("t", soon()));
    }

    #[test]
    fn a_call_waits_for_the_reply_and_then_for_the_end_of_the_thread() {
        let threads = threads();
        threads.set_loaded("t");
        let BegunUnload::Own(unloading) = threads.begin_unload("t") else { unreachable!() };
        assert!(!threads.wait_for_unload("t", soon()), "there is no reply");
        unloading.unload.reply();
        assert!(threads.wait_for_unload("t", soon()), "it may be closed after the deadline");
        assert!(threads.are_unloading());
        threads.note_closed("t");
        assert!(threads.wait_for_unload("t", soon()));
        assert!(!threads.are_unloading());
    }

    #[test]
    fn threads_that_nothing_needs_are_forgotten() {
        let threads = threads();
        for number in 0..10_000 {
            let id = number.to_string();
            threads.set_loaded(&id);
            threads.note_closed(&id);
        }
        assert!(threads.lock().threads.len() < 200);
    }

    #[test]
    fn a_report_about_a_thread_of_nobody_is_not_kept() {
        let threads = threads();
        threads.report("t", || unreachable!());
        assert!(threads.lock().threads.is_empty());
    }
}
