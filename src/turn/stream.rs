//! A turn as an iterator: over steps (`Chat`) or over all its events (`ChatEvents`).
//!
//! Relies on `reader` for the turn. Invariant: a failure appears once in the stream, can be queried again,
//! and is logged if the program ignores it.

use std::{
    collections::VecDeque,
    fmt,
    iter::FusedIterator,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    CancelResult, ChatResult, ConversationStep, Input, TurnEvent, TurnHandle, TurnItem,
    alarm::Inactivity,
    control::Control,
    log::Consumer,
    reader::{Awaited, Patience, TurnReader, cancel},
    resumable::{Continuations, Parked},
    unload::Lease,
};
use crate::{
    continuation::{ChatContinuation, ChatMode},
    deadline::Deadline,
    error::{Error, Result},
    rpc::{Readiness, Signal, impl_as_fd, readiness_methods},
};

/// An iterator over the steps of a turn.
///
/// Returned by [`Client::chat`](crate::Client::chat). The last step of a failed turn describes the failure;
/// see [`TurnStream`].
pub type Chat = TurnStream<ConversationStep>;

/// An iterator over all events of a turn, including deltas.
///
/// Returned by [`Client::chat_events`](crate::Client::chat_events); see [`TurnStream`].
pub type ChatEvents = TurnStream<TurnEvent>;

/// A running turn as an iterator; [`Chat`] and [`ChatEvents`] are its two kinds.
///
/// `next` blocks until the next item arrives, for at most the inactivity limit. When the turn completes, the
/// iterator ends. If the turn fails, is interrupted or becomes inactive, or if its connection is lost, the
/// iterator yields one closing step (whose `step_type` is [`Error`](crate::StepType::Error)) and ends;
/// [`results`](Self::results) yields the error in its place, and [`error`](Self::error) and
/// [`finish`](Self::finish) return it again.
///
/// Dropping it does not block, unless it is the last handle of its client
/// ([0.5 s](crate::Client#dropping-blocks)). A running turn keeps running on the server; the events buffered for it here
/// are freed, unless a [continuation](Self::continuation) was taken.
///
/// It is `Send`: iterate on any thread. Other threads steer, interrupt or cancel the turn with a
/// [`handle`](Self::handle).
#[must_use = "dropping it frees the turn's events; the turn keeps running on the server"]
pub struct TurnStream<T: TurnItem> {
    /// `None` while it is parked.
    turn: Option<TurnReader>,
    control: Control,
    continuations: Arc<Continuations>,
    inactivity: Inactivity,
    ready: VecDeque<T>,
    state: StreamState,
    /// Set when a continuation of this reader was handed out.
    token: AtomicBool,
    key: u64,
    /// Whether the program has seen the failure.
    is_reported: AtomicBool,
    signal: Signal,
    /// Keeps a thread loaded that the chat started for itself.
    lease: Option<Lease>,
}

#[derive(Debug)]
enum StreamState {
    Running,
    /// The failure, if any, and whether the stream has yielded it.
    Ended(Option<Error>, bool),
}

/// The parts of a new stream.
pub(crate) struct Opened {
    pub(crate) control: Control,
    pub(crate) consumer: Consumer,
    pub(crate) continuations: Arc<Continuations>,
    pub(crate) reading: Reading,
}

/// How a turn is read.
pub(crate) struct Reading {
    pub(crate) mode: ChatMode,
    pub(crate) inactivity: Option<Duration>,
    pub(crate) turn_timeout: Option<Duration>,
    /// When the turn was requested.
    pub(crate) requested: Instant,
    pub(crate) keep_raw: bool,
    pub(crate) keep_steps: bool,
    pub(crate) sub_agents: bool,
    /// For a thread that is loaded only for this turn.
    pub(crate) lease: Option<Lease>,
}

impl Reading {
    /// Steps, of which none are kept.
    pub(crate) fn steps(inactivity: Option<Duration>) -> Reading {
        Reading {
            mode: ChatMode::Steps,
            inactivity,
            turn_timeout: None,
            requested: Instant::now(),
            keep_raw: false,
            keep_steps: false,
            sub_agents: false,
            lease: None,
        }
    }
}

impl<T: TurnItem> TurnStream<T> {
    pub(crate) fn open(opened: Opened) -> Self {
        let Opened { control, consumer, continuations, reading } = opened;
        let Reading { mode, inactivity, turn_timeout, requested, keep_raw, keep_steps, sub_agents, lease } =
            reading;
        let mut turn = TurnReader::new(consumer, keep_raw, sub_agents, mode, requested);
        if keep_steps {
            turn.keep_steps();
        }
        turn.limit_turn(turn_timeout, &control);
        Self::over(turn, control, continuations, inactivity, VecDeque::new(), lease)
    }

    fn over(
        turn: TurnReader,
        control: Control,
        continuations: Arc<Continuations>,
        inactivity: Option<Duration>,
        ready: VecDeque<T>,
        lease: Option<Lease>,
    ) -> Self {
        let inactivity = Inactivity { limit: inactivity, since: Instant::now() };
        if control.connection().notifier().tells_changes() || turn.turn_limit().is_some() {
            arm(&turn, &control, inactivity);
        }
        TurnStream {
            key: continuations.new_key(),
            turn: Some(turn),
            control,
            continuations,
            inactivity,
            ready,
            state: StreamState::Running,
            token: AtomicBool::new(false),
            is_reported: AtomicBool::new(false),
            signal: Signal::default(),
            lease,
        }
    }

    /// Resumes reading where the continuation was taken.
    pub(crate) fn resume(
        parked: Parked,
        continuations: Arc<Continuations>,
        mode: ChatMode,
        inactivity: Option<Duration>,
        turn_timeout: Option<Option<Duration>>,
    ) -> Self {
        let Parked { mut turn, control, unread, lease } = parked;
        turn.go_on(mode);
        if let Some(limit) = turn_timeout {
            turn.limit_turn(limit, &control);
        }
        let ready = unread.into_iter().filter_map(T::from_event).collect();
        Self::over(turn, control, continuations, inactivity, ready, lease)
    }

    /// The thread's id.
    pub fn thread_id(&self) -> &str {
        &self.control.log().thread_id
    }

    /// The turn's id.
    pub fn turn_id(&self) -> &str {
        &self.control.log().turn_id
    }

    /// Returns a handle with which other threads steer, interrupt or cancel the turn while this one reads it.
    pub fn handle(&self) -> TurnHandle {
        TurnHandle::new(self.control.clone())
    }

    /// Returns the next item if there is one. Never blocks. [`is_ended`](Self::is_ended) distinguishes
    /// "nothing yet" from the end.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let mut chat = client.chat("Say hello")?;
    /// while !chat.is_ended() {
    ///     while let Some(step) = chat.try_next() {
    ///         println!("{step}");
    ///     }
    ///     // … other work …
    /// #   std::thread::sleep(std::time::Duration::from_millis(1));
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn try_next(&mut self) -> Option<T> {
        self.pull(Patience::None)
    }

    readiness_methods!();

    /// Returns the next item, waiting for at most `limit`. [`is_ended`](Self::is_ended) distinguishes
    /// "nothing yet" from the end.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use std::time::Duration;
    ///
    /// let mut chat = client.chat("Say hello")?;
    /// while !chat.is_ended() {
    ///     if let Some(step) = chat.next_timeout(Duration::from_millis(50)) {
    ///         println!("{step}");
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn next_timeout(&mut self, limit: Duration) -> Option<T> {
        self.pull(Patience::Until(Deadline::after(Some(limit))))
    }

    /// Returns `true` if the iterator yields nothing more.
    pub fn is_ended(&self) -> bool {
        self.ready.is_empty()
            && matches!(self.state, StreamState::Ended(None, _) | StreamState::Ended(_, true))
    }

    /// Returns an iterator over the same items as results: a failure is the last one, in place of the closing
    /// step.
    ///
    /// ```no_run
    /// # use codex_blocking::{Client, Stdio};
    /// # let client = Client::connect(Stdio::default())?;
    /// for step in client.chat("Fix the test")?.results() {
    ///     println!("{}", step?);
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn results(&mut self) -> Results<'_, T> {
        Results { stream: self }
    }

    /// Returns the turn's failure, if reading has reached it.
    pub fn error(&self) -> Option<&Error> {
        match &self.state {
            StreamState::Ended(Some(error), _) => {
                self.is_reported.store(true, Ordering::Relaxed);
                Some(error)
            }
            _ => None,
        }
    }

    /// Returns a continuation, with which the turn can be resumed where this iterator is, after it was
    /// dropped. From now on the turn's events are buffered until the continuation is used or
    /// [forgotten](crate::Client::forget).
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let mut chat = client.chat("Port the parser")?;
    /// let first = chat.next();
    /// let continuation = chat.continuation(); // can be serialized
    /// drop(chat);
    ///
    /// for step in client.chat(continuation)? {
    ///     println!("{step}");
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn continuation(&self) -> ChatContinuation {
        if let Some(turn) = self.turn.as_ref().filter(|_| matches!(self.state, StreamState::Running)) {
            self.token.store(true, Ordering::Release);
            self.continuations.announce(self.key, self.control.clone());
            return self.token_of(turn);
        }
        match &self.state {
            StreamState::Ended(Some(Error::TurnInactive { continuation, .. }), _) => continuation.clone(),
            _ => ChatContinuation::new(self.thread_id(), self.turn_id(), 0, ChatMode::Steps, self.key),
        }
    }

    fn token_of(&self, turn: &TurnReader) -> ChatContinuation {
        turn.token(self.key)
    }

    /// Adds a message to the running turn. The server drops what the model was writing.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the turn has ended; [`Error::Rpc`] if it can't be steered (a review);
    /// [`Error::InvalidInput`] if the message is blank.
    pub fn steer(&self, input: impl Into<Input>) -> Result<()> {
        self.control.steer(&input.into())
    }

    /// Interrupts the turn; its end can still be read. It is not an error if the turn has already ended.
    ///
    /// The server rejects the interruption of a turn that does not run yet, so this waits until it does.
    /// Blocks for at most the request limit.
    ///
    /// ```
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let client = ScriptedServer::new().on_turn(|_| TurnScript::new().wait_for_interrupt()).client()?;
    /// use codex_blocking::Error;
    ///
    /// let chat = client.chat("Refactor everything")?;
    /// chat.interrupt()?;
    /// assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Rpc`] if the server rejects the interruption, [`Error::Timeout`] if it does not respond.
    pub fn interrupt(&self) -> Result<()> {
        self.control.interrupt()
    }

    /// Interrupts the turn, waits for its end, and returns what had not been read. This ends the iterator. It
    /// is not an error if the turn has already ended; the result contains how it ended.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`interrupt`](Self::interrupt), and [`Error::Timeout`] if the turn does not end; in that case,
    /// the iterator can be read on.
    pub fn cancel(&mut self) -> Result<CancelResult> {
        self.control.check_turn("cancel")?;
        let mut unread: Vec<_> = self.ready.drain(..).filter_map(T::into_step).collect();
        let turn = match (&self.state, &mut self.turn) {
            (StreamState::Running, Some(turn)) => turn,
            (StreamState::Ended(Some(Error::TurnInactive { continuation, .. }), _), _) => {
                return self.continuations.cancel(continuation);
            }
            // It has ended, and how is known.
            _ => return Ok(CancelResult { steps: unread, ..self.control.cancel()? }),
        };
        let result = cancel(turn, &self.control, &mut unread);
        match result {
            Ok(result) => {
                let error = turn.session().error();
                self.end(error.map_or(Ok(()), Err));
                // The interruption is what the caller requested, so it is not logged.
                if let StreamState::Ended(_, is_given) = &mut self.state {
                    *is_given = true;
                }
                self.is_reported.store(true, Ordering::Relaxed);
                self.tell();
                Ok(result)
            }
            Err(error) => {
                self.ready.extend(unread.into_iter().map(T::from_step));
                if let Some(readiness) = self.signal.asked().filter(|_| !self.ready.is_empty()) {
                    readiness.raise();
                }
                Err(error)
            }
        }
    }

    /// Reads to the end and returns the result, skipping unread steps.
    ///
    /// Blocks until the turn has ended, or has been inactive for the inactivity limit. If the events
    /// contained no answer, asks the server for the turn's items, for at most the request limit.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let mut chat = client.chat("Say hello")?;
    /// for step in &mut chat {
    ///     println!("{step}");
    /// }
    /// let result = chat.finish()?;
    /// println!("{} {:?}", result.final_text, result.token_usage);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// The turn's failure: [`Error::TurnFailed`], [`Error::TurnInterrupted`], [`Error::TurnInactive`] with a
    /// continuation, [`Error::Transport`], …
    pub fn finish(mut self) -> Result<ChatResult> {
        loop {
            self.ready.clear();
            match self.advance(Patience::Unlimited) {
                Pulled::Item(_) => {}
                Pulled::Nothing => break,
                Pulled::Failed => break,
            }
        }
        if let StreamState::Ended(Some(error), _) = &self.state {
            self.is_reported.store(true, Ordering::Relaxed);
            return Err(error.clone());
        }
        let Some(turn) = self.turn.take() else {
            return Err(Error::no_longer_pending(format!("turn {}", self.turn_id())));
        };
        Ok(turn.into_result(&self.control))
    }

    fn readiness(&self) -> &Readiness {
        self.signal.ask(self.control.connection().notifier(), |readiness| {
            match self.turn.as_ref().and_then(|turn| Some((turn, turn.consumer()?))) {
                Some((turn, consumer)) => {
                    consumer.attach(readiness, !self.ready.is_empty() || turn.is_left());
                    arm(turn, &self.control, self.inactivity);
                }
                None => readiness.raise(),
            }
            if self.is_ended() {
                readiness.end();
            }
        })
    }

    /// Whether something is there to take: an item, events that may make one, or the end.
    fn is_left(&self) -> bool {
        let in_turn = |turn: &TurnReader| turn.is_left() || turn.consumer().is_some_and(Consumer::has_any);
        let is_running = matches!(self.state, StreamState::Running);
        !self.ready.is_empty() || !is_running || self.turn.as_ref().is_some_and(in_turn)
    }

    /// Tells those who want to know what is left, after something was taken.
    fn tell(&self) {
        if let Some(readiness) = self.signal.asked() {
            readiness.took(self.is_ended(), || self.is_left());
        }
    }

    /// The next item, or the closing step, or nothing.
    fn pull(&mut self, patience: Patience) -> Option<T> {
        let item = self.advance(patience).or_closing(self);
        self.tell();
        item
    }

    /// The next item, or why there is none.
    fn advance(&mut self, patience: Patience) -> Pulled<T> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Pulled::Item(item);
            }
            match &self.state {
                StreamState::Running => {}
                StreamState::Ended(Some(_), false) => return Pulled::Failed,
                StreamState::Ended(..) => return Pulled::Nothing,
            }
            let Some(turn) = &mut self.turn else { return Pulled::Nothing };
            if let Some(end) = turn.read(&mut self.ready) {
                let end = match (turn.passed_limit(), end) {
                    // However the turn ended after it was interrupted, but not if the connection was lost.
                    (Some(limit), Ok(()) | Err(Error::TurnInterrupted { .. } | Error::TurnFailed { .. })) => {
                        Err(limit.error(turn.session().progress()))
                    }
                    (_, end) => end,
                };
                self.end(end);
                continue;
            }
            if !self.ready.is_empty() {
                continue;
            }
            let silent_since = self.control.log().silent_since(self.inactivity);
            match turn.await_news(&self.control, Some(self.inactivity), patience) {
                Awaited::News => {}
                Awaited::Nothing => return Pulled::Nothing,
                Awaited::Silence => {
                    self.end_inactive(Instant::now().saturating_duration_since(silent_since));
                }
                Awaited::Overdue => {
                    let progress = turn.session().progress();
                    let error = turn.turn_limit().map(|limit| limit.overdue(progress));
                    self.end(error.map_or(Ok(()), Err));
                }
            }
        }
    }

    /// Ends the stream: frees what was kept for the turn, except what the result is made of.
    fn end(&mut self, end: Result<()>) {
        let error = end.err().map(|error| self.control.turns().rate_limits().complete(error));
        self.state = StreamState::Ended(error, false);
        if let Some(turn) = &mut self.turn {
            turn.free_events();
        }
        if self.token.swap(false, Ordering::AcqRel) {
            self.continuations.forget(self.key);
        }
    }

    /// Ends the stream of an inactive turn, which is parked from now on.
    fn end_inactive(&mut self, idle: Duration) {
        let Some(turn) = self.turn.take() else { return };
        turn.disarm();
        let continuation = self.token_of(&turn);
        let last_error = self.control.log().last_retry();
        let progress = turn.session().progress();
        let (control, lease) = (self.control.clone(), self.lease.take());
        self.continuations.park(self.key, Parked { turn, control, unread: Vec::new(), lease });
        let error = Error::TurnInactive { continuation, idle, last_error, progress };
        self.state = StreamState::Ended(Some(error), false);
    }

    /// The closing step of the failure.
    fn closing(&mut self) -> Option<T> {
        let StreamState::Ended(Some(error), is_given) = &mut self.state else { return None };
        if std::mem::replace(is_given, true) {
            return None;
        }
        self.is_reported.store(true, Ordering::Relaxed);
        let log = self.control.log();
        Some(T::from_step(ConversationStep::closing(&log.thread_id, &log.turn_id, error)))
    }
}

/// Has the program told of the deadlines of a turn, whether or not anybody reads it.
fn arm(turn: &TurnReader, control: &Control, inactivity: Inactivity) {
    if let Some(consumer) = turn.consumer() {
        consumer.arm(control.connection(), inactivity, turn.turn_limit().cloned());
    }
}

enum Pulled<T> {
    Item(T),
    /// Nothing yet, or nothing more.
    Nothing,
    /// The failure, which has not been yielded.
    Failed,
}

impl<T: TurnItem> Pulled<T> {
    fn or_closing(self, stream: &mut TurnStream<T>) -> Option<T> {
        match self {
            Pulled::Item(item) => Some(item),
            Pulled::Nothing => None,
            Pulled::Failed => stream.closing(),
        }
    }
}

impl<T: TurnItem> Iterator for TurnStream<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.pull(Patience::Unlimited)
    }
}

impl<T: TurnItem> FusedIterator for TurnStream<T> {}

impl_as_fd!([T: TurnItem] TurnStream<T>);

impl<T: TurnItem> Drop for TurnStream<T> {
    fn drop(&mut self) {
        if self.control.connection().is_forked() {
            return;
        }
        match &self.state {
            StreamState::Running if self.token.load(Ordering::Acquire) => {
                if let Some(turn) = self.turn.take() {
                    turn.disarm();
                    // One event can make several items: the turn's end also makes those that were lost.
                    let unread = self.ready.drain(..).map(T::into_event).collect();
                    let parked =
                        Parked { turn, control: self.control.clone(), unread, lease: self.lease.take() };
                    self.continuations.leave(self.key, parked);
                }
            }
            StreamState::Ended(Some(error), _) if !self.is_reported.load(Ordering::Relaxed) => {
                log::error!("unhandled failure of a turn: {error}");
                // The continuation was not handed out either.
                self.continuations.forget(self.key);
            }
            _ => {}
        }
    }
}

impl<T: TurnItem> fmt::Debug for TurnStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnStream")
            .field("thread_id", &self.control.log().thread_id)
            .field("turn_id", &self.control.log().turn_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// An iterator over the items of a [`TurnStream`] as results. Returned by [`TurnStream::results`].
#[must_use = "an iterator does nothing unless it is read"]
#[derive(Debug)]
pub struct Results<'a, T: TurnItem = ConversationStep> {
    stream: &'a mut TurnStream<T>,
}

impl<T: TurnItem> Iterator for Results<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let pulled = match self.stream.advance(Patience::Unlimited) {
            Pulled::Item(item) => Some(Ok(item)),
            Pulled::Nothing => None,
            Pulled::Failed => match &mut self.stream.state {
                StreamState::Ended(Some(error), is_given) => {
                    *is_given = true;
                    self.stream.is_reported.store(true, Ordering::Relaxed);
                    Some(Err(error.clone()))
                }
                _ => None,
            },
        };
        self.stream.tell();
        pulled
    }
}

impl<T: TurnItem> FusedIterator for Results<'_, T> {}
