//! What a connection knows of threads: which are loaded, for whom, and the tokens they have used.
//!
//! Relies on `rpc`. Invariant: only threads that a call of this client named or opened have an entry; a thread
//! that a chat started for itself is unloaded when nobody holds its [`Lease`], unless a later call named it.
//!
//! Locks: the table of the turns, then the entries, then the usage of one.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::json;

use crate::{
    deadline::Deadline,
    protocol::ThreadTokenUsage as TokenUsage,
    rpc::{Call, Class, Core, Latch},
};

/// How long the server may take to confirm that it has unsubscribed a thread in the background.
const UNLOAD_LIMIT: Duration = Duration::from_secs(30);

/// The tokens of a thread, as the server last reported them.
pub(crate) type ReportedUsage = Arc<Mutex<Option<TokenUsage>>>;

/// The threads of a connection.
#[derive(Debug, Default)]
pub(crate) struct Threads(Mutex<Entries>);

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
    /// The call that unloads it.
    unload: Option<Arc<Unload>>,
    usage: ReportedUsage,
}

impl Entry {
    fn is_needed(&self) -> bool {
        self.is_loaded || self.claims > 0 || self.unload.is_some() || Arc::strong_count(&self.usage) > 1
    }
}

/// The progress of a call that unloads a thread.
#[derive(Debug, Default)]
pub(crate) struct Unload {
    /// Set when the server has replied, or never will.
    pub(crate) replied: Latch,
    /// Set when the server reports that the thread is no longer loaded.
    pub(crate) closed: Latch,
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
    /// Whether this connection receives the events of this thread.
    pub(crate) fn is_loaded(&self, id: &str) -> bool {
        self.0.lock().threads.get(id).is_some_and(|entry| entry.is_loaded)
    }

    pub(crate) fn set_loaded(&self, id: &str) {
        self.0.lock().entry(id).is_loaded = true;
    }

    /// Notes that the thread's events no longer arrive.
    pub(crate) fn set_unloaded(&self, id: &str) {
        if let Some(entry) = self.0.lock().threads.get_mut(id) {
            entry.is_loaded = false;
        }
    }

    /// Notes that the server has closed the thread.
    pub(super) fn note_closed(&self, id: &str) {
        if let Some(entry) = self.0.lock().threads.get_mut(id) {
            entry.is_loaded = false;
            if let Some(unload) = &entry.unload {
                unload.closed.set();
            }
        }
    }

    /// Notes that the connection has ended.
    pub(super) fn clear(&self) {
        for entry in self.0.lock().threads.values_mut() {
            entry.is_loaded = false;
            if let Some(unload) = &entry.unload {
                unload.replied.set();
                unload.closed.set();
            }
        }
    }

    /// Notes that a call is about to use the thread: it is not unloaded until the claim is dropped, and no
    /// longer belongs to the chat that started it.
    pub(crate) fn claim(self: &Arc<Self>, id: &str) -> Claim {
        let mut entries = self.0.lock();
        let entry = entries.entry(id);
        entry.claims += 1;
        entry.is_of_chat = false;
        Claim { threads: Arc::clone(self), id: id.to_owned() }
    }

    /// The call that is unloading the thread, which must have its reply before the thread is resumed.
    pub(crate) fn unload_of(&self, id: &str) -> Option<Arc<Unload>> {
        self.0.lock().threads.get(id)?.unload.clone()
    }

    /// Begins to unload a thread. `None` if a call is about to use it.
    pub(crate) fn begin_unload(self: &Arc<Self>, id: &str) -> Option<Unloading> {
        self.begin_unload_if(id, |entry| entry.claims == 0)
    }

    fn begin_unload_if(self: &Arc<Self>, id: &str, may: impl Fn(&Entry) -> bool) -> Option<Unloading> {
        let mut entries = self.0.lock();
        let entry = entries.entry(id);
        if entry.unload.is_some() || !may(entry) {
            return None;
        }
        let was_loaded = std::mem::replace(&mut entry.is_loaded, false);
        let unload = Arc::new(Unload::default());
        entry.unload = Some(Arc::clone(&unload));
        Some(Unloading { threads: Arc::clone(self), id: id.to_owned(), was_loaded, unload })
    }

    /// The tokens of the thread, as the server last reported them; later reports appear there too.
    pub(crate) fn usage(&self, id: &str) -> ReportedUsage {
        Arc::clone(&self.0.lock().entry(id).usage)
    }

    /// Notes a report of the tokens of a thread.
    pub(super) fn report(&self, id: &str, usage: impl FnOnce() -> Option<TokenUsage>) {
        if let Some(entry) = self.0.lock().threads.get(id) {
            if let Some(usage) = usage() {
                *entry.usage.lock() = Some(usage);
            }
        }
    }

    /// The tokens that the server has reported of the thread.
    pub(super) fn reported(&self, id: &str) -> Option<TokenUsage> {
        self.0.lock().threads.get(id)?.usage.lock().clone()
    }

    /// A thread that a chat has just started for itself.
    pub(crate) fn lease(self: &Arc<Self>, core: &Arc<Core>, id: &str) -> Lease {
        self.0.lock().entry(id).is_of_chat = true;
        Lease(Arc::new(LeasedThread {
            core: Arc::downgrade(core),
            threads: Arc::clone(self),
            id: id.to_owned(),
        }))
    }

    /// Unloads a thread that still belongs to the chat that started it.
    fn unload_of_chat(self: &Arc<Self>, core: &Arc<Core>, id: &str) {
        let Some(_unloading) = self.begin_unload_if(id, |entry| entry.is_loaded && entry.is_of_chat) else {
            return;
        };
        let params = json!({ "threadId": id });
        let deadline = Deadline::after(Some(UNLOAD_LIMIT));
        let call = Call { method: "thread/unsubscribe", params: &params, class: Class::Control, deadline };
        if let Err(error) = core.call(&call).and_then(|reply| reply.result(call.method).map(drop)) {
            core.log(log::Level::Debug, || format!("thread {id} could not be unloaded: {error}"));
        }
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
        if let Some(entry) = self.threads.0.lock().threads.get_mut(&self.id) {
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

    /// Notes that the server has replied.
    pub(crate) fn replied(&self) {
        self.unload.replied.set();
    }

    /// Waits until the server reports that the thread is no longer loaded, or until the deadline. Returns
    /// whether it has.
    pub(crate) fn wait_until_closed(&self, deadline: Deadline) -> bool {
        self.unload.closed.wait(deadline.at());
        self.unload.closed.is_set()
    }
}

impl Drop for Unloading {
    fn drop(&mut self) {
        if let Some(entry) = self.threads.0.lock().threads.get_mut(&self.id) {
            entry.unload = None;
        }
        self.unload.replied.set();
    }
}

/// A thread that a chat started for itself, held by the chat's stream and by its running turn. When the last
/// clone is dropped, the thread is unloaded.
#[derive(Clone)]
pub(crate) struct Lease(#[expect(dead_code, reason = "only its drop matters")] Arc<LeasedThread>);

struct LeasedThread {
    core: Weak<Core>,
    threads: Arc<Threads>,
    id: String,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

impl Drop for LeasedThread {
    fn drop(&mut self) {
        let doing = "unload a thread";
        let can = |core: &Arc<Core>| core.check_process(doing).and_then(|()| core.check(doing)).is_ok();
        let Some(core) = self.core.upgrade().filter(can) else {
            return;
        };
        let (threads, id) = (Arc::clone(&self.threads), std::mem::take(&mut self.id));
        let job_core = Arc::clone(&core);
        // The call waits for its reply, which a drop must not do, least of all on the reading thread.
        if core.run_callback(Box::new(move || threads.unload_of_chat(&job_core, &id))).is_err() {
            core.log(log::Level::Debug, || "no thread could be started to unload a thread".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads() -> Arc<Threads> {
        Arc::default()
    }

    #[test]
    fn a_thread_that_a_call_is_about_to_use_is_not_unloaded() {
        let threads = threads();
        threads.set_loaded("t");
        let claim = threads.claim("t");
        assert!(threads.begin_unload("t").is_none());
        drop(claim);
        assert!(threads.begin_unload("t").is_some());
        assert!(!threads.is_loaded("t"));
    }

    #[test]
    fn a_thread_that_another_call_named_no_longer_belongs_to_its_chat() {
        let threads = threads();
        threads.set_loaded("t");
        threads.0.lock().entry("t").is_of_chat = true;
        drop(threads.claim("t"));
        assert!(threads.begin_unload_if("t", |entry| entry.is_loaded && entry.is_of_chat).is_none());
        assert!(threads.is_loaded("t"));
    }

    #[test]
    fn threads_that_nothing_needs_are_forgotten() {
        let threads = threads();
        for number in 0..10_000 {
            let id = number.to_string();
            threads.set_loaded(&id);
            threads.note_closed(&id);
        }
        assert!(threads.0.lock().threads.len() < 200);
    }

    #[test]
    fn a_report_about_a_thread_of_nobody_is_not_kept() {
        let threads = threads();
        threads.report("t", || unreachable!());
        assert!(threads.0.lock().threads.is_empty());
    }
}
