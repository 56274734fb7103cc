//! Requests, replies, notifications and questions over a link; knows nothing of chats.
//!
//! Relies on `protocol` and `transport`. Invariant: when a connection ends, its reason is stored
//! first and then everybody who waits is woken, so that nobody waits for a dead server.
//!
//! The transport's thread runs `inbound`, which hands replies to `pending`, the events of turns to
//! `routes` and on to a `turn_log`, the output of commands to `commands`, all notifications to
//! `subscribers`, and answers the server's questions. User code runs on `workers`. Locks are taken in
//! the orders routes, turn log and commands, output; no other two are held at once, and none while the
//! transport is called.

mod caller;
mod commands;
mod inbound;
mod inbox;
mod line;
mod overload;
mod pending;
mod reply;
mod routes;
mod signal;
mod stats;
mod subscribers;
mod turn_log;
mod workers;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Select, TryRecvError};
use parking_lot::Mutex;
use serde::{Serialize, de::Error as _};

pub use self::stats::Stats;
use self::{
    commands::Commands,
    inbound::Demux,
    inbox::Inbox,
    line::{Lane, Line, Place},
    overload::Clock,
    pending::{Pending, Waiting},
    routes::{Expected, Routes},
    signal::Signal,
    stats::Counters,
    subscribers::Subscribers,
    workers::Workers,
};
pub(crate) use self::{
    commands::{CommandEnd, Output, Taken},
    inbox::{Answer, Policy, Question, Refusal, Verdict},
    reply::Reply,
    routes::Start,
    subscribers::{Next, Subscription},
    turn_log::{Block, Consumer, End, Event, Interest, Span, TurnLog},
};
use crate::{
    deadline::{Deadline, earlier, ready_until},
    error::{Error, Result, Timeout, TransportFailure},
    protocol::{envelope::Route, kind::Kind, outgoing},
    transport::{Link, Shutdown, Sink, Transport},
};

/// How a connection behaves.
pub(crate) struct Settings {
    pub(crate) is_strict: bool,
    pub(crate) max_frame_bytes: Option<usize>,
    pub(crate) max_buffered_bytes: Option<usize>,
    pub(crate) policy: Arc<dyn Policy>,
}

/// A connection; clones share it, and the last one ends it.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Owner>);

/// Ends the connection when dropped. The transport's threads hold [`Shared`], never this.
struct Owner(Arc<Shared>);

/// What the threads of a connection share.
pub(crate) struct Shared {
    link: OnceLock<Box<dyn Link>>,
    /// Answers to questions that came before the link was there.
    unsent: Mutex<Vec<Vec<u8>>>,
    ended: OnceLock<Error>,
    end: Signal,
    line: Line,
    max_kept: usize,
    is_closing: AtomicBool,
    /// The server does not say that a question was answered by another client.
    hides_answers: AtomicBool,
    /// The transport has been shut down.
    down: Signal,
    epoch: Instant,
    next_id: AtomicI64,
    pending: Pending,
    commands: Commands,
    routes: Arc<Mutex<Routes>>,
    subscribers: Subscribers,
    workers: Workers,
    counters: Counters,
    kept: Arc<AtomicUsize>,
    policy: Arc<dyn Policy>,
    inbox: Inbox,
}

impl Connection {
    pub(crate) fn open(transport: &mut dyn Transport, settings: Settings) -> Result<Connection> {
        let epoch = Instant::now();
        let kept = Arc::new(AtomicUsize::new(0));
        let max_kept = settings.max_buffered_bytes.unwrap_or(usize::MAX);
        let shared = Arc::new(Shared {
            link: OnceLock::new(),
            unsent: Mutex::default(),
            ended: OnceLock::new(),
            end: Signal::default(),
            line: Line::new(),
            max_kept,
            is_closing: AtomicBool::new(false),
            hides_answers: AtomicBool::new(false),
            down: Signal::default(),
            epoch,
            next_id: AtomicI64::new(1),
            pending: Pending::default(),
            commands: Commands::default(),
            routes: Arc::new(Mutex::new(Routes::new(epoch, Arc::clone(&kept), max_kept))),
            subscribers: Subscribers::new(),
            workers: Workers::new(),
            counters: Counters::default(),
            inbox: Inbox::new(Arc::clone(&kept)),
            kept,
            policy: settings.policy,
        });
        let demux = Demux::new(Arc::clone(&shared), settings.is_strict);
        let link = transport.connect(Sink::new(demux, settings.max_frame_bytes))?;
        shared.attach(link);
        Ok(Connection(Arc::new(Owner(shared))))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    /// Sends a request, and waits for its reply until the deadline: first in line, and again when
    /// the server is overloaded.
    pub(crate) fn request(&self, method: &str, params: impl Serialize, deadline: Deadline) -> Result<Reply> {
        overload::retry(&**self.shared(), deadline.at(), || {
            let _place = self.enter_line(method, deadline)?;
            let (caller, reply) = caller::caller();
            let sent = self.send_request(method, &params, deadline, Waiting::Caller(caller))?;
            let reply = sent.wait(&reply)?;
            reply.check_overload(method)?;
            Ok(reply)
        })
    }

    /// [`request`](Self::request), whose reply is not waited for any more once that has happened:
    /// `None`.
    pub(crate) fn request_unless(
        &self,
        happens: &Signal,
        method: &str,
        params: impl Serialize,
        deadline: Deadline,
    ) -> Result<Option<Reply>> {
        overload::retry(&**self.shared(), deadline.at(), || {
            let _place = self.enter_line(method, deadline)?;
            let asked = self.ask(method, &params)?;
            let mut either = Select::new();
            either.recv(happens.channel());
            either.recv(&asked.reply);
            let is_late = ready_until(&mut either, deadline.at()).is_none();
            match asked.reply.try_recv() {
                Ok(reply) => reply.check_overload(method).map(|()| Some(reply)),
                Err(TryRecvError::Disconnected) => Err(self.shared().reason(method)),
                Err(TryRecvError::Empty) if is_late => {
                    Err(deadline.error(Timeout::Request { method: method.to_owned() }))
                }
                Err(TryRecvError::Empty) => Ok(None),
            }
        })
    }

    /// Sends a request past the line, and does not wait for its reply.
    pub(crate) fn ask(&self, method: &str, params: impl Serialize) -> Result<Asked> {
        let (caller, reply) = caller::caller();
        let sent = self.send_request(method, params, Deadline::after(None), Waiting::Caller(caller))?;
        Ok(Asked { id: sent.id, reply, connection: self.clone() })
    }

    fn enter_line(&self, method: &str, deadline: Deadline) -> Result<Place> {
        let shared = self.shared();
        shared.line.enter(Lane::of(method), deadline, &shared.end).ok_or_else(|| match shared.has_ended() {
            true => shared.reason(method),
            false => deadline.error(Timeout::Request { method: method.to_owned() }),
        })
    }

    /// Sends a request that starts a turn, and waits for its reply. The turn's events are kept
    /// from before the request is sent.
    pub(crate) fn start_turn(
        &self,
        method: &str,
        params: impl Serialize,
        start: Start,
        deadline: Deadline,
    ) -> Result<Consumer> {
        overload::retry(&**self.shared(), deadline.at(), || {
            let _place = self.enter_line(method, deadline)?;
            let Some(expected) = Expected::new(&self.shared().routes, start.clone()) else {
                return Err(self.shared().reason(method));
            };
            let (caller, reply) = caller::caller();
            let sent = self.send_request(method, &params, deadline, Waiting::Turn(expected, caller))?;
            let (reply, consumer) = sent.wait(&reply)?;
            let result = reply.result(method)?;
            consumer.ok_or_else(|| {
                let missing = serde_json::Error::custom("missing field `turn.id`");
                Error::decode(format!("the result of {method}"), result, missing)
            })
        })
    }

    fn send_request(
        &self,
        method: &str,
        params: impl Serialize,
        deadline: Deadline,
        waiting: Waiting,
    ) -> Result<Sent<'_>> {
        let shared = &**self.shared();
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        let message = outgoing::request(id, method, params)?;
        shared.check_length(method, &message)?;
        let sent = Sent { shared, id, method: method.to_owned(), deadline };
        if deadline.has_passed() {
            return Err(sent.timeout());
        }
        if !shared.pending.insert(id, waiting) {
            return Err(shared.reason(method));
        }
        if let Err(failure) = shared.send(message) {
            sent.withdraw();
            return Err(shared.undeliverable(method, failure, deadline));
        }
        Ok(sent)
    }

    pub(crate) fn notify(&self, method: &str, params: impl Serialize) -> Result<()> {
        let message = outgoing::notification(method, params)?;
        if self.shared().has_ended() {
            return Err(self.shared().reason(method));
        }
        self.shared().check_length(method, &message)?;
        let soon = Deadline::after(Some(Duration::from_secs(1)));
        self.shared().send(message).map_err(|failure| self.shared().undeliverable(method, failure, soon))
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.shared().has_ended()
    }

    /// Why the connection has ended, told of what is being done.
    pub(crate) fn reason(&self, doing: &str) -> Error {
        self.shared().reason(doing)
    }

    /// The questions that wait for an answer, oldest first.
    pub(crate) fn questions(&self) -> Vec<Arc<Question>> {
        self.shared().inbox.waiting()
    }

    /// Answers a question that waits. `false`: it does not.
    pub(crate) fn answer(&self, number: u64, answer: Answer) -> bool {
        self.shared().answer(number, answer)
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        self.shared().subscribers.subscribe()
    }

    /// Hands in an event that the server did not send: the end of a turn that it told when asked.
    pub(crate) fn repair(&self, log: &TurnLog, turn_completed: &str) {
        let now = self.shared().epoch.elapsed();
        let route = Route {
            thread_id: Some(log.thread_id.as_str().into()),
            turn_id: Some(log.turn_id.as_str().into()),
            ..Route::default()
        };
        let news = self.shared().routes.lock().deliver(Kind::TurnCompleted, &route, turn_completed, now);
        if let Some(log) = news {
            log.ring();
        }
    }

    /// The server is older than 0.169, and names a second turn on a busy thread that never runs.
    pub(crate) fn expect_phantom_turns(&self) {
        self.shared().routes.lock().expect_phantom_turns();
    }

    /// The server is older than 0.128, and does not say that a question was answered by another client.
    pub(crate) fn expect_hidden_answers(&self) {
        self.shared().hides_answers.store(true, Ordering::Relaxed);
    }

    /// Whether the events of this thread come to this connection.
    pub(crate) fn is_loaded(&self, thread_id: &str) -> bool {
        self.shared().routes.lock().is_loaded(thread_id)
    }

    pub(crate) fn set_loaded(&self, thread_id: &str, is_loaded: bool) {
        self.shared().routes.lock().set_loaded(thread_id, is_loaded);
    }

    /// A turn that runs, as far as this connection knows.
    pub(crate) fn running_turn(&self, is_it: impl Fn(&TurnLog) -> bool) -> Option<Arc<TurnLog>> {
        self.shared().routes.lock().running().find(|log| is_it(log)).map(Arc::clone)
    }

    pub(crate) fn stats(&self) -> Stats {
        let shared = self.shared();
        Stats {
            frames: shared.counters.frames.load(Ordering::Relaxed),
            bytes: shared.counters.bytes.load(Ordering::Relaxed),
            skipped_frames: shared.counters.skipped_frames.load(Ordering::Relaxed),
            unmatched_replies: shared.counters.unmatched_replies.load(Ordering::Relaxed),
            dropped_notifications: shared.subscribers.dropped(),
            pending_requests: shared.pending.len(),
            running_turns: shared.routes.lock().running().count(),
            kept_bytes: shared.kept.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn close(&self) {
        self.shared().close(Shutdown::Orderly);
    }

    pub(crate) fn downgrade(&self) -> WeakConnection {
        WeakConnection(Arc::downgrade(&self.0))
    }
}

/// Finds a connection as long as somebody else keeps it.
#[derive(Clone)]
pub(crate) struct WeakConnection(std::sync::Weak<Owner>);

impl WeakConnection {
    pub(crate) fn upgrade(&self) -> Option<Connection> {
        self.0.upgrade().map(Connection)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("ended", &self.shared().ended.get()).finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close(Shutdown::Quick);
    }
}

/// A request whose reply is not waited for. Dropping it lets go of the reply.
#[derive(Debug)]
pub(crate) struct Asked {
    id: i64,
    reply: Receiver<Reply>,
    connection: Connection,
}

impl Asked {
    /// Where the reply arrives.
    pub(crate) fn reply(&self) -> &Receiver<Reply> {
        &self.reply
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        drop(self.connection.shared().pending.take(self.id));
    }
}

/// A request that has been sent.
struct Sent<'a> {
    shared: &'a Shared,
    id: i64,
    method: String,
    deadline: Deadline,
}

impl Sent<'_> {
    fn wait<T>(&self, reply: &Receiver<T>) -> Result<T> {
        match caller::wait(reply, self.deadline) {
            Ok(reply) => Ok(reply),
            Err(RecvTimeoutError::Disconnected) => Err(self.shared.reason(&self.method)),
            Err(RecvTimeoutError::Timeout) => {
                self.withdraw();
                // The reply may have come between the deadline and the withdrawal.
                reply.try_recv().map_err(|_| self.timeout())
            }
        }
    }

    fn timeout(&self) -> Error {
        self.deadline.error(Timeout::Request { method: self.method.clone() })
    }

    /// A reply that comes after this is ignored.
    fn withdraw(&self) {
        drop(self.shared.pending.take(self.id));
    }
}

impl Clock for Shared {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wait_until(&self, at: Instant) -> bool {
        self.end.wait(Some(at));
        !self.has_ended()
    }
}

impl Shared {
    fn attach(&self, link: Box<dyn Link>) {
        let mut unsent = self.unsent.lock();
        let link = self.link.get_or_init(|| link);
        for message in unsent.drain(..) {
            // It fails when the connection does, which is told elsewhere.
            let _ = link.send(message);
        }
    }

    /// The server may take no message that is longer than this.
    fn check_length(&self, doing: &str, message: &[u8]) -> Result<()> {
        let limit = self.link.get().and_then(|link| link.max_message_bytes());
        match limit.filter(|limit| message.len() > *limit) {
            None => Ok(()),
            Some(limit) => Err(Error::invalid(format!(
                "{doing}: a message of {} bytes is longer than the server takes here ({limit})",
                message.len()
            ))),
        }
    }

    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        if let Some(link) = self.link.get() {
            return link.send(message);
        }
        let mut unsent = self.unsent.lock();
        match self.link.get() {
            Some(link) => link.send(message),
            None => {
                unsent.push(message);
                Ok(())
            }
        }
    }

    /// Sends a request past the line. Never blocks.
    fn tell(&self, method: &str, params: impl Serialize, waiting: Waiting) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let Ok(message) = outgoing::request(id, method, params) else { return };
        // It fails when the connection does, which is told elsewhere.
        if self.pending.insert(id, waiting) && self.send(message).is_err() {
            drop(self.pending.take(id));
        }
    }

    /// While more is kept than may be, the turn or the command that holds the most is given up.
    fn keep_within_bounds(&self) {
        loop {
            let buffered = self.kept.load(Ordering::Relaxed);
            if buffered <= self.max_kept {
                return;
            }
            let fullest = self.commands.fullest();
            let held = fullest.as_ref().map_or(0, |(bytes, _)| *bytes);
            if self.routes.lock().give_up_fullest(held, buffered) {
                continue;
            }
            let Some((_, output)) = fullest else { return };
            let process_id = output.process_id.clone();
            self.abandon(&output, Error::OutputFull { process_id, buffered, limit: self.max_kept });
        }
    }

    fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Why the connection has ended, told of what is being done.
    fn reason(&self, doing: &str) -> Error {
        self.ended.get().map_or_else(|| Error::closed(doing), |reason| reason.while_doing(doing))
    }

    /// A message could not be written. The end of the connection, which tells why, is about to be
    /// seen by the reading thread; it is worth a moment.
    fn undeliverable(&self, doing: &str, failure: TransportFailure, deadline: Deadline) -> Error {
        self.end.wait(earlier(deadline.at(), Some(Instant::now() + Duration::from_secs(1))));
        match self.ended.get() {
            Some(reason) => reason.while_doing(doing),
            None => Error::transport(doing, Arc::new(failure)),
        }
    }

    /// Ends the connection: the reason first, then everybody who waits. The first reason stays.
    fn end(&self, reason: Error) {
        if self.ended.set(reason).is_err() {
            return;
        }
        if let Some(reason) = self.ended.get() {
            self.end.raise();
            self.commands.close(reason);
            self.pending.close();
            self.routes.lock().close(reason);
            self.subscribers.close();
            self.inbox.close();
            self.workers.let_go(self.policy.ended());
        }
    }

    fn close(&self, how: Shutdown) {
        let limit = match how {
            Shutdown::Orderly => Duration::from_secs(5),
            Shutdown::Quick => Duration::from_millis(500),
        };
        let deadline = Instant::now() + limit;
        if self.is_closing.swap(true, Ordering::AcqRel) {
            // Another thread does it, and a program may end when this returns: not before the
            // server is gone. The workers are not waited for, since this may be one of them.
            self.down.wait(Some(deadline));
            return;
        }
        self.end(Error::closed(""));
        if let Some(link) = self.link.get() {
            link.shutdown(how);
        }
        self.down.raise();
        self.workers.close(deadline);
    }

    /// Writes to the log from a thread on which the user's logger may take its time.
    fn log(&self, level: log::Level, message: impl FnOnce() -> String + Send + 'static) {
        if level <= log::max_level() {
            self.workers.run(move || log::log!(target: "codex_blocking", level, "{}", message()));
        }
    }
}
