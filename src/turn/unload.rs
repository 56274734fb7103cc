//! Unloads the threads that chats start for themselves, in the background.
//!
//! Relies on `threads` and `rpc`. Invariant: a thread is unloaded when the last [`Lease`] is dropped, unless a
//! call has named it; nothing waits for the server, and a server that does not reply costs a bounded amount.
//!
//! Locks: the queue, then those of `threads`. No lock is held while a request is sent.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use serde_json::json;

use super::threads::{Phase, Threads, Unload};
use crate::rpc::{Core, RawReply};

/// The most requests in flight.
const MOST_SENT: usize = 16;
/// The most threads that wait for one of them. Those beyond stay loaded.
const MOST_WAITING: usize = 10_000;
/// After how long a request without a reply makes room for the next one.
const GIVES_UP_AFTER: Duration = Duration::from_secs(30);
/// The pause after the server was overloaded.
const PAUSE: Duration = Duration::from_millis(200);

/// The unloads that have no reply.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<(String, Arc<Unload>)>,
    sent: VecDeque<SentUnload>,
    /// The server was overloaded a moment ago.
    is_paused: bool,
}

#[derive(Debug)]
struct SentUnload {
    unload: Arc<Unload>,
    at: Instant,
    /// The id of the request, once it has been sent.
    call: Option<i64>,
}

/// A thread that a chat started for itself, held by the chat's stream and by its running turn.
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
        if let Some(core) = self.core.upgrade().filter(can) {
            self.threads.release(&core, &self.id);
        }
    }
}

/// The request that unloads a thread. Dropping it without a reply ends the unload.
struct Request {
    core: Weak<Core>,
    threads: Arc<Threads>,
    id: String,
    unload: Arc<Unload>,
    has_reply: bool,
}

impl Threads {
    /// A thread that a chat has just started for itself.
    pub(crate) fn lease(self: &Arc<Self>, core: &Arc<Core>, id: &str) -> Lease {
        self.set_of_chat(id);
        let (core, threads) = (Arc::downgrade(core), Arc::clone(self));
        Lease(Arc::new(LeasedThread { core, threads, id: id.to_owned() }))
    }

    fn release(self: &Arc<Self>, core: &Arc<Core>, id: &str) {
        let Some(unload) = self.begin_unload_of_chat(id) else { return };
        let mut queue = self.queue.lock();
        if queue.waiting.len() >= MOST_WAITING {
            drop(queue);
            // As if another call had named it: it stays loaded.
            drop(self.claim(id));
            core.log(log::Level::Warn, || format!("thread {id} stays loaded: the server unloads no others"));
            return;
        }
        queue.waiting.push_back((id.to_owned(), unload));
        drop(queue);
        self.send_unloads(core);
    }

    fn go_on_later(self: &Arc<Self>, core: &Arc<Core>) {
        let (threads, weak) = (Arc::clone(self), Arc::downgrade(core));
        let go_on = move || {
            threads.queue.lock().is_paused = false;
            if let Some(core) = weak.upgrade() {
                threads.send_unloads(&core);
            }
        };
        if core.schedule(Instant::now() + PAUSE, go_on).is_none() {
            // There is no timer: the next thread to be unloaded continues.
            self.queue.lock().is_paused = false;
        }
    }

    /// Sends as many of the waiting requests as may be in flight.
    fn send_unloads(self: &Arc<Self>, core: &Arc<Core>) {
        while let Some((id, unload)) = self.next_unload(core) {
            let request = Request {
                core: Arc::downgrade(core),
                threads: Arc::clone(self),
                id,
                unload: Arc::clone(&unload),
                has_reply: false,
            };
            let params = json!({ "threadId": request.id });
            // A request that is not sent drops the completion.
            let completion = Box::new(move |reply: RawReply| request.receive(&reply));
            if let Ok(call) = core.submit("thread/unsubscribe", &params, None, completion) {
                let mut queue = self.queue.lock();
                if let Some(sent) = queue.sent.iter_mut().find(|sent| Arc::ptr_eq(&sent.unload, &unload)) {
                    sent.call = Some(call);
                }
            }
        }
    }

    /// The next unload to be sent, which counts as sent from now on.
    fn next_unload(&self, core: &Core) -> Option<(String, Arc<Unload>)> {
        let mut abandoned = Vec::new();
        let next = {
            let mut queue = self.queue.lock();
            let now = Instant::now();
            while queue.sent.front().is_some_and(|sent| now >= sent.at + GIVES_UP_AFTER) {
                abandoned.extend(queue.sent.pop_front().and_then(|sent| sent.call));
            }
            loop {
                if queue.is_paused || queue.sent.len() >= MOST_SENT {
                    break None;
                }
                let Some((id, unload)) = queue.waiting.pop_front() else { break None };
                // Otherwise a call has named the thread.
                if self.mark_sent(&id, &unload) {
                    queue.sent.push_back(SentUnload { unload: Arc::clone(&unload), at: now, call: None });
                    break Some((id, unload));
                }
            }
        };
        // Drops the completions, which end the unloads.
        abandoned.into_iter().for_each(|call| core.abandon(call));
        next
    }
}

impl Request {
    /// Processes the reply, on the reading thread.
    fn receive(mut self, reply: &RawReply) {
        self.has_reply = true;
        self.take_from_queue();
        let core = self.core.upgrade();
        let Some(core) = core else { return self.threads.finish_unload(&self.id, &self.unload) };
        let method = "thread/unsubscribe";
        if reply.check_overload(method).is_err() {
            *self.unload.phase.lock() = Phase::Queued;
            let again = (std::mem::take(&mut self.id), Arc::clone(&self.unload));
            let mut queue = self.threads.queue.lock();
            queue.waiting.push_back(again);
            let was_paused = std::mem::replace(&mut queue.is_paused, true);
            drop(queue);
            if !was_paused {
                self.threads.go_on_later(&core);
            }
            return;
        }
        let status = reply.decode::<serde_json::Value>(method);
        match &status {
            Ok(result) if result["status"] == "unsubscribed" => self.unload.reply(),
            Ok(_) => self.threads.finish_unload(&self.id, &self.unload),
            Err(error) => {
                core.log(log::Level::Debug, || format!("thread {} could not be unloaded: {error}", self.id));
                self.threads.finish_unload(&self.id, &self.unload);
            }
        }
        self.threads.send_unloads(&core);
    }

    fn take_from_queue(&self) {
        self.threads.queue.lock().sent.retain(|sent| !Arc::ptr_eq(&sent.unload, &self.unload));
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if !self.has_reply {
            self.take_from_queue();
            self.threads.finish_unload(&self.id, &self.unload);
        }
    }
}
