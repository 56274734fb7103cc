//! JSON-RPC over a transport: calls, notifications, and server requests.
//!
//! Relies on `protocol` (the envelope) and `transport`; knows no method of Codex by name. Invariant: when a
//! connection ends, the reason is stored first, and then all waiting threads are woken.
//!
//! - [`Core::call`] sends a request: `limiter` permits it, `calls` keeps the completion of its reply, `retry`
//!   repeats it while the server is overloaded.
//! - The transport's thread runs the `dispatcher`, which passes each [`Frame`] to its call, to the
//!   [`Subsystem`]s and to the subscribers of `notifications`.
//! - Everything that waits for a consumer waits in a `mailbox`, is counted in the `budget`, and ends with the
//!   `lifecycle`.
//! - User code runs on `workers`, by the `notifier` and in the `log_queue`; deadlines of server requests and of
//!   turns run on the `timer`. `readiness` tells the program that a stream has something to take.
//!
//! No lock is held while the transport or a subsystem is called.

mod budget;
mod calls;
mod dispatcher;
mod frame;
mod latch;
mod lifecycle;
mod limiter;
mod log_queue;
mod mailbox;
mod notifications;
mod notifier;
mod origin;
mod raw_reply;
mod readiness;
#[cfg(unix)]
mod ready_fd;
mod retry;
mod stream_handle;
mod timer;
mod workers;

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock, Weak, atomic::AtomicU64},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::stream_handle::StreamHandle;
pub(crate) use self::{
    budget::{Budget, Overrun, Payer},
    calls::{Completion, Told},
    frame::Frame,
    latch::Latch,
    limiter::{Class, Permit},
    mailbox::{Mailbox, MailboxEnd, Taken, Wakeups, Weighed},
    notifications::{NotificationText, Subscription},
    notifier::{Notifier, OnReady},
    raw_reply::RawReply,
    readiness::{Readiness, Signal, impl_as_fd, readiness_methods},
    timer::TimerKey,
    workers::{Job, in_callback},
};
use self::{
    calls::{Calls, Completed, ReplySlot, reply_slot},
    dispatcher::Dispatcher,
    lifecycle::Lifecycle,
    limiter::Limiter,
    log_queue::LogQueue,
    notifications::Subscribers,
    timer::Timer,
    workers::Workers,
};
use crate::{
    deadline::{Deadline, earlier, park_until},
    error::{Error, Result, Timeout, TransportFailure},
    protocol::{INTERNAL_ERROR, RequestId, outgoing},
    recorder::{Recorder, Recording},
    transport::{Link, Shutdown, Sink, Transport},
};

/// A part of the client that processes what the server sends on its own initiative.
///
/// Called on the reading thread: routes, stores, returns; runs no user code and never blocks. Consumers with
/// new items are added to `wakeups`.
pub(crate) trait Subsystem: Send + Sync {
    fn notification(&self, core: &Arc<Core>, frame: &Frame<'_>, wakeups: &mut Wakeups);

    /// Returns `false` if the request belongs to another subsystem.
    fn request(&self, _: &Arc<Core>, _: &RequestId, _: &Frame<'_>, _: &mut Wakeups) -> bool {
        false
    }

    /// The connection has ended: wakes all waiting threads. Called again for what was added in the meantime.
    fn ended(&self, core: &Core, reason: &Error);
}

/// How a connection behaves.
pub(crate) struct ConnectionSettings {
    pub(crate) is_strict: bool,
    pub(crate) max_frame_bytes: Option<usize>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) recorder: Option<Recorder>,
    /// In the order in which they receive each frame.
    pub(crate) subsystems: Vec<Arc<dyn Subsystem>>,
}

/// The answer to a server request, or its rejection.
pub(crate) type Answer = Result<Box<RawValue>, Refusal>;

/// The rejection of a server request.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
}

/// A request to the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a, P> {
    pub(crate) method: &'a str,
    pub(crate) params: P,
    pub(crate) class: Class,
    pub(crate) deadline: Deadline,
}

/// A connection; clones share it, and the last one closes it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Owner>);

/// Closes the connection when dropped. Threads and subsystems hold the [`Core`], never this.
struct Owner(Arc<Core>);

/// What everything on a connection shares.
pub(crate) struct Core {
    link: OnceLock<Box<dyn Link>>,
    /// Messages sent before the link was available.
    unsent: Mutex<Vec<Vec<u8>>>,
    lifecycle: Lifecycle,
    limiter: Limiter,
    calls: Calls,
    subscribers: Subscribers,
    subsystems: Vec<Arc<dyn Subsystem>>,
    budget: Arc<Budget>,
    workers: Workers,
    interrupts: Workers,
    timer: Timer,
    log_queue: LogQueue,
    recording: Option<Recording>,
    counters: Counters,
}

/// Counters of the reading thread, updated without a lock.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) frames: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) skipped_frames: AtomicU64,
    pub(crate) repaired_frames: AtomicU64,
    pub(crate) unmatched_replies: AtomicU64,
}

impl Connection {
    pub(crate) fn open(transport: &mut dyn Transport, settings: ConnectionSettings) -> Result<Connection> {
        let ConnectionSettings { is_strict, max_frame_bytes, budget, recorder, subsystems } = settings;
        #[cfg(unix)]
        crate::transport::standard_streams::fill();
        let recording = recorder.map(|recorder| recorder.start()).transpose()?;
        let core = Arc::new(Core {
            link: OnceLock::new(),
            unsent: Mutex::default(),
            lifecycle: Lifecycle::default(),
            limiter: Limiter::new(),
            calls: Calls::new(budget.origin()),
            subscribers: Subscribers::new(&budget),
            subsystems,
            budget,
            workers: Workers::for_questions(),
            interrupts: Workers::for_interrupts(),
            timer: Timer::default(),
            log_queue: LogQueue::default(),
            recording,
            counters: Counters::default(),
        });
        let dispatcher = Dispatcher::new(Arc::clone(&core), is_strict);
        match transport.connect(Sink::new(dispatcher, max_frame_bytes)) {
            Ok(link) => core.attach(link),
            Err(error) => {
                // Something may have come meanwhile, of which the program was told.
                core.budget.notifier().close(Instant::now());
                // The recorder can be used for another try.
                core.close_recording(Instant::now() + Duration::from_millis(500));
                return Err(error);
            }
        }
        Ok(Connection(Arc::new(Owner(core))))
    }

    pub(crate) fn downgrade(&self) -> WeakConnection {
        WeakConnection(Arc::downgrade(&self.0))
    }
}

impl Deref for Connection {
    type Target = Arc<Core>;

    fn deref(&self) -> &Arc<Core> {
        &self.0.0
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("ended", &self.lifecycle.reason()).finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.0.is_forked() {
            // Freeing it could close, join or signal what belongs to the other process.
            std::mem::forget(Arc::clone(&self.0));
            return;
        }
        self.0.close(Shutdown::Quick);
    }
}

/// A non-owning handle to a [`Connection`].
#[derive(Clone)]
pub(crate) struct WeakConnection(Weak<Owner>);

impl WeakConnection {
    pub(crate) fn upgrade(&self) -> Option<Connection> {
        self.0.upgrade().map(Connection)
    }
}

/// A request in flight. Dropping it abandons its reply.
pub(crate) struct PendingCall<T = ()> {
    core: Arc<Core>,
    id: i64,
    slot: ReplySlot<T>,
}

impl<T> PendingCall<T> {
    /// Takes the reply. `Ended` means that no reply will arrive; with `Empty`, this thread is unparked when
    /// one does.
    pub(crate) fn take(&self) -> Taken<Completed<T>, ()> {
        self.slot.take()
    }
}

impl PendingCall {
    /// Like [`take`](Self::take), for the reply alone.
    pub(crate) fn take_reply(&self) -> Taken<RawReply, ()> {
        match self.take() {
            Taken::Item(Completed(reply, ())) => Taken::Item(reply),
            Taken::Empty => Taken::Empty,
            Taken::Ended(end) => Taken::Ended(end),
        }
    }
}

impl<T> Drop for PendingCall<T> {
    fn drop(&mut self) {
        self.core.abandon(self.id);
    }
}

impl<T> fmt::Debug for PendingCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCall").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Sending: calls, notifications, answers.
impl Core {
    /// Sends a request and waits for its reply until the deadline, including waiting for a permit of its
    /// class and retries while the server is overloaded.
    pub(crate) fn call(self: &Arc<Self>, call: &Call<'_, impl Serialize>) -> Result<RawReply> {
        let outcome = self.call_with(call, || Ok(|_: &RawReply| ()));
        outcome.map(|(reply, ())| reply)
    }

    /// Like [`call`](Self::call), but returns `None` once the latch is set.
    pub(crate) fn call_unless(
        self: &Arc<Self>,
        latch: &Latch,
        call: &Call<'_, impl Serialize>,
    ) -> Result<Option<RawReply>> {
        let outcome = self.run(call, Some(latch), || Ok(|_: &RawReply| ()))?;
        Ok(outcome.map(|(reply, ())| reply))
    }

    /// Like [`call`](Self::call). `prepare` is called before the request is sent; the closure it returns is
    /// called with the reply, on the reading thread before the next frame is processed.
    pub(crate) fn call_with<T, R>(
        self: &Arc<Self>,
        call: &Call<'_, impl Serialize>,
        prepare: impl FnMut() -> Result<R>,
    ) -> Result<(RawReply, T)>
    where
        T: Send + 'static,
        R: FnOnce(&RawReply) -> T + Send + 'static,
    {
        let outcome = self.run(call, None, prepare)?;
        // Without a latch, the outcome is never `None`.
        outcome.ok_or_else(|| self.error(call.method))
    }

    fn run<T, R>(
        self: &Arc<Self>,
        call: &Call<'_, impl Serialize>,
        unless: Option<&Latch>,
        mut prepare: impl FnMut() -> Result<R>,
    ) -> Result<Option<(RawReply, T)>>
    where
        T: Send + 'static,
        R: FnOnce(&RawReply) -> T + Send + 'static,
    {
        let Call { method, params, class, deadline } = call;
        self.check_process(method)?;
        retry::retry(&**self, deadline.at(), || {
            let _permit = self.acquire(method, *class, *deadline)?;
            if deadline.has_passed() {
                return Err(timeout(method, *deadline));
            }
            let pending = self.start_with(method, params, Some(*deadline), prepare()?, None)?;
            let outcome = self.wait(&pending, method, *deadline, unless)?;
            if let Some((reply, _)) = &outcome {
                reply.check_overload(method)?;
            }
            Ok(outcome)
        })
    }

    fn wait<T>(
        &self,
        pending: &PendingCall<T>,
        method: &str,
        deadline: Deadline,
        unless: Option<&Latch>,
    ) -> Result<Option<(RawReply, T)>> {
        let _watch = unless.map(Latch::watch);
        let mut is_late = false;
        loop {
            match pending.take() {
                Taken::Item(Completed(reply, received)) => return Ok(Some((reply, received))),
                Taken::Ended(()) => return Err(self.error(method)),
                Taken::Empty if unless.is_some_and(Latch::is_set) => return Ok(None),
                Taken::Empty if is_late => {
                    return Err(timeout(method, deadline).with_note(self.unassigned_since(pending.id)));
                }
                Taken::Empty => is_late = !park_until(deadline.at()),
            }
        }
    }

    /// Sends a request without a permit, and does not wait for its reply. Never blocks. `told` is called when there
    /// is a reply to take, or none will come.
    pub(crate) fn start(
        self: &Arc<Self>,
        method: &str,
        params: impl Serialize,
        told: Option<Told>,
    ) -> Result<PendingCall> {
        self.check_process(method)?;
        self.start_with(method, params, None, |_: &RawReply| (), told)
    }

    fn start_with<T: Send + 'static>(
        self: &Arc<Self>,
        method: &str,
        params: impl Serialize,
        deadline: Option<Deadline>,
        receive: impl FnOnce(&RawReply) -> T + Send + 'static,
        told: Option<Told>,
    ) -> Result<PendingCall<T>> {
        let (slot, completion) = reply_slot(&self.budget, receive, told);
        let id = self.submit(method, params, deadline, completion)?;
        Ok(PendingCall { core: Arc::clone(self), id, slot })
    }

    /// Waits for a permit of this class.
    pub(crate) fn acquire(&self, method: &str, class: Class, deadline: Deadline) -> Result<Permit> {
        self.limiter
            .acquire(class, deadline, &self.lifecycle)
            .ok_or_else(|| self.lifecycle.check(method).err().unwrap_or_else(|| timeout(method, deadline)))
    }

    /// Sends a request without waiting for its reply, which the completion receives. All requests are sent
    /// here, by callers that have [checked](Self::check_process) the process.
    ///
    /// If a message can't be written, the connection is usually about to end: this waits for the reason,
    /// until the deadline and for at most 1 s. Without a deadline it never blocks.
    pub(crate) fn submit(
        &self,
        method: &str,
        params: impl Serialize,
        deadline: Option<Deadline>,
        completion: Completion,
    ) -> Result<i64> {
        let id = self.calls.next_id();
        let message = outgoing::request(id, method, params)?;
        self.check_length(method, &message)?;
        self.calls.insert(id, completion);
        let outcome = match self.lifecycle.check(method) {
            Ok(()) => self.write(message).map_err(|failure| self.undeliverable(method, failure, deadline)),
            ended => ended,
        };
        if outcome.is_err() {
            drop(self.calls.take(id));
        }
        outcome.map(|()| id)
    }

    /// Gives up a request: its completion is dropped, and its reply ignored.
    pub(crate) fn abandon(&self, id: i64) {
        drop(self.calls.take(id));
    }

    /// Sends a notification. Waits for at most 1 s, if the connection is about to end.
    pub(crate) fn notify(&self, method: &str, params: impl Serialize) -> Result<()> {
        self.check_process(method)?;
        let message = outgoing::notification(method, params)?;
        self.lifecycle.check(method)?;
        self.check_length(method, &message)?;
        let soon = Deadline::after(Some(Duration::from_secs(1)));
        self.write(message).map_err(|failure| self.undeliverable(method, failure, Some(soon)))
    }

    /// Answers a server request. Never blocks.
    ///
    /// # Errors
    /// The answer can't be written: the server does not read, or the connection is ending.
    pub(crate) fn answer(&self, id: &RequestId, answer: &Answer) -> Result<()> {
        const DOING: &str = "answer a server request";
        self.check_process(DOING)?;
        let mut message = match answer {
            Ok(result) => outgoing::answer(id, result),
            Err(refusal) => outgoing::refusal(id, refusal.code, &refusal.message),
        };
        // The server would wait indefinitely for an answer that can't be sent.
        if let Err(error) = self.check_length("the answer to a server request", &message) {
            message = outgoing::refusal(id, INTERNAL_ERROR, &error.to_string());
            self.log(log::Level::Error, || error.to_string());
        }
        self.lifecycle.check(DOING)?;
        self.write(message).map_err(|failure| self.undeliverable(DOING, failure, None))
    }

    /// # Errors
    /// The message exceeds the limit of the transport.
    fn check_length(&self, doing: &str, message: &[u8]) -> Result<()> {
        let limit = self.link.get().and_then(|link| link.max_message_bytes());
        match limit.filter(|limit| message.len() > *limit) {
            None => Ok(()),
            Some(limit) => Err(Error::invalid(format!(
                "{doing}: a message of {} bytes exceeds the limit of this transport ({limit})",
                message.len()
            ))),
        }
    }

    fn write(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        // Before it is sent, so that its reply comes later in the record.
        if let Some(recording) = &self.recording {
            recording.sent(&message, Instant::now());
        }
        if let Some(link) = self.link.get() {
            return link.send(message);
        }
        let mut unsent = self.unsent.lock();
        match self.link.get() {
            Some(link) => {
                drop(unsent);
                link.send(message)
            }
            None => {
                unsent.push(message);
                Ok(())
            }
        }
    }

    fn attach(&self, link: Box<dyn Link>) {
        let link = self.link.get_or_init(|| link);
        let unsent = std::mem::take(&mut *self.unsent.lock());
        for message in unsent {
            // It fails when the connection does, which is reported elsewhere.
            let _ = link.send(message);
        }
    }

    /// The error of a message that could not be written.
    fn undeliverable(&self, doing: &str, failure: TransportFailure, deadline: Option<Deadline>) -> Error {
        if let Some(deadline) = deadline {
            let soon = Instant::now() + Duration::from_secs(1);
            self.lifecycle.ended().wait(earlier(deadline.at(), Some(soon)));
        }
        match self.lifecycle.reason() {
            Some(reason) => reason.while_doing(doing),
            None => Error::transport(doing, Arc::new(failure)),
        }
    }
}

/// The lifecycle of the connection.
impl Core {
    pub(crate) fn has_ended(&self) -> bool {
        self.lifecycle.has_ended()
    }

    /// Whether this process was forked from the one that connected.
    pub(crate) fn is_forked(&self) -> bool {
        self.budget.origin().is_forked()
    }

    /// Called at the beginning of everything that sends, waits, or takes a lock of the connection.
    ///
    /// # Errors
    /// This process was forked from the one that connected.
    pub(crate) fn check_process(&self, doing: &str) -> Result<()> {
        if self.is_forked() { Err(Error::forked(doing)) } else { Ok(()) }
    }

    /// Why the connection has ended, if it has.
    pub(crate) fn ended(&self, doing: &str) -> Option<Error> {
        self.check_process(doing)
            .err()
            .or_else(|| self.lifecycle.reason().map(|reason| reason.while_doing(doing)))
    }

    /// The error of an operation that fails because the connection has ended.
    pub(crate) fn error(&self, doing: &str) -> Error {
        self.lifecycle.error(doing)
    }

    /// # Errors
    /// The connection has ended.
    pub(crate) fn check(&self, doing: &str) -> Result<()> {
        self.lifecycle.check(doing)
    }

    /// Ends the connection for this reason, unless it has ended.
    fn end(&self, reason: Error) {
        self.lifecycle.end(reason);
        self.settle();
        self.budget.notifier().tell();
    }

    /// Ends everything that waits if the connection has ended. Whoever adds something that waits calls this
    /// afterwards, so that nothing is added after the end.
    pub(crate) fn settle(&self) {
        let Some(reason) = self.lifecycle.reason() else { return };
        self.limiter.wake_all();
        self.calls.clear();
        for subsystem in &self.subsystems {
            subsystem.ended(self, reason);
        }
        self.subscribers.close(reason);
    }

    /// Closes the connection: within 5 s if orderly, otherwise within 0.5 s. Does nothing in a forked process.
    pub(crate) fn close(&self, how: Shutdown) {
        if self.is_forked() {
            return;
        }
        let limit = match how {
            Shutdown::Orderly => Duration::from_secs(5),
            Shutdown::Quick => Duration::from_millis(500),
        };
        let deadline = Instant::now() + limit;
        if !self.lifecycle.begin_closing() {
            // Another thread is closing it. The program may exit when this returns, so wait until the server
            // is gone. Don't wait for callbacks, since this may be one of them.
            self.lifecycle.wait_until_closed(deadline);
            return;
        }
        self.end(Error::closed(""));
        if let Some(link) = self.link.get() {
            link.shutdown(how);
        }
        self.lifecycle.finish_closing();
        self.timer.close();
        // They end with the connection.
        self.interrupts.close(deadline);
        if self.workers.close(deadline) + self.budget.notifier().close(deadline) > 0 {
            // Queued: a slow logger must not delay the close.
            self.log(log::Level::Warn, || {
                "a callback is still running after its client was closed".to_owned()
            });
        }
        self.close_recording(deadline);
        self.log_queue.close(deadline);
    }

    fn close_recording(&self, deadline: Instant) {
        if self.recording.as_ref().is_some_and(|recording| !recording.close(deadline)) {
            self.log(log::Level::Warn, || {
                "the record is not complete yet: its file is too slow to be written within the limit of a close"
                    .to_owned()
            });
        }
    }
}

/// For subsystems.
impl Core {
    /// Runs user code on a worker thread. Never blocks.
    ///
    /// # Errors
    /// Returns the job if the connection is closed or no thread can be started.
    pub(crate) fn run_callback(&self, job: Job) -> Result<(), Job> {
        self.workers.run(job)
    }

    /// Runs an interrupt that nobody waits for. Never blocks.
    ///
    /// # Errors
    /// Same as [`run_callback`](Self::run_callback).
    pub(crate) fn run_interrupt(&self, job: Job) -> Result<(), Job> {
        self.interrupts.run(job)
    }

    /// Drops a value on another thread, because dropping it may run user code.
    pub(crate) fn drop_elsewhere(&self, value: impl std::any::Any + Send) {
        self.workers.drop_elsewhere(value);
    }

    /// Logs from a thread that must not run the program's logger. Never blocks.
    pub(crate) fn log(&self, level: log::Level, message: impl FnOnce() -> String) {
        self.log_queue.record(level, message);
    }

    /// Runs short work of this crate at the given time. `None` if the timer is closed or has no thread.
    pub(crate) fn schedule(&self, at: Instant, work: impl FnOnce() + Send + 'static) -> Option<TimerKey> {
        self.timer.schedule(at, work)
    }

    pub(crate) fn notifier(&self) -> &Arc<Notifier> {
        self.budget.notifier()
    }

    pub(crate) fn cancel_scheduled(&self, key: TimerKey) {
        self.timer.cancel(key);
    }

    /// The beginnings of the errors without an id that the server has sent since it was sent this request.
    pub(crate) fn unassigned_since(&self, id: i64) -> Option<Box<str>> {
        self.calls.unassigned_since(id)
    }

    pub(crate) fn subscribe(&self) -> Arc<Subscription> {
        if self.is_forked() {
            return self.subscribers.ended();
        }
        let subscription = self.subscribers.subscribe();
        self.settle();
        subscription
    }

    pub(crate) fn server_url(&self) -> Option<&str> {
        self.link.get()?.server_url()
    }

    pub(crate) fn server_pid(&self) -> Option<u32> {
        self.link.get()?.server_pid()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn dropped_notifications(&self) -> u64 {
        self.subscribers.dropped()
    }

    pub(crate) fn dropped_log_records(&self) -> u64 {
        self.log_queue.dropped()
    }

    pub(crate) fn pending_calls(&self) -> usize {
        self.calls.len()
    }
}

fn timeout(method: &str, deadline: Deadline) -> Error {
    deadline.error(Timeout::Request { method: method.to_owned() })
}

impl crate::retry::Clock for Core {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wait_until(&self, at: Instant) -> bool {
        self.lifecycle.ended().wait(Some(at));
        !self.lifecycle.has_ended()
    }
}
