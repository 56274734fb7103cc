//! A turn as an iterator: of steps (`Chat`) or of all its events (`ChatEvents`).
//!
//! Relies on `reader` for the turn. Invariant: a failure comes once in the stream, can be asked for again,
//! and is logged if nobody saw it.

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

use serde_json::{Value, json};

use super::{
    CancelResult, ChatResult, ConversationStep, Input, StepStatus, TurnEvent, TurnHandle, TurnItem,
    continuations::{Continuations, Parked},
    control::Control,
    log::{Consumer, Interest},
    reader::{Awaited, Patience, Turn, cancel},
};
use crate::{
    continuation::{ChatContinuation, ChatMode},
    deadline::Deadline,
    error::{Error, Result},
};

/// The steps of a turn, one by one.
///
/// From [`Client::chat`](crate::Client::chat). A `for` loop shows everything, also how the turn
/// failed; see [`TurnStream`].
pub type Chat = TurnStream<ConversationStep>;

/// Everything that a turn tells, deltas too.
///
/// From [`Client::chat_events`](crate::Client::chat_events); see [`TurnStream`].
pub type ChatEvents = TurnStream<TurnEvent>;

/// A running turn as an iterator; [`Chat`] and [`ChatEvents`] are its two kinds.
///
/// `next` blocks until something comes, at the longest for the inactivity limit. When the turn
/// completes, the iterator ends. When it fails, is interrupted, falls silent or its connection is
/// lost, one closing step comes (`step_type` is [`Error`](crate::StepType::Error)) and the iterator
/// ends; [`results`](Self::results) gives the error in its place, [`error`](Self::error) and
/// [`finish`](Self::finish) tell it again.
///
/// Dropping it does not wait. A turn that still runs goes on at the server; what was kept for it
/// here is freed, unless a [continuation](Self::continuation) was taken.
///
/// It is `Send`: iterate on any thread. [`handle`](Self::handle) gives a handle with which other
/// threads steer, interrupt or cancel the turn meanwhile.
#[must_use = "dropping it frees the turn's events; the turn keeps running on the server"]
pub struct TurnStream<T: TurnItem> {
    /// `None` while it waits among the continuations.
    turn: Option<Turn>,
    control: Control,
    continuations: Arc<Continuations>,
    inactivity: Option<Duration>,
    /// When this reader began to listen: the silence before that is not its own.
    since: Instant,
    ready: VecDeque<T>,
    state: StreamState,
    /// Set when a token for this reader left it.
    token: AtomicBool,
    key: u64,
    /// Whether the failure has been shown to anybody.
    is_told: AtomicBool,
}

#[derive(Debug)]
enum StreamState {
    Running,
    /// The failure, if it is one, and whether the stream has handed it out.
    Ended(Option<Error>, bool),
}

/// What a stream is made of.
pub(crate) struct Opened {
    pub(crate) control: Control,
    pub(crate) consumer: Consumer,
    pub(crate) continuations: Arc<Continuations>,
    pub(crate) inactivity: Option<Duration>,
    pub(crate) keep_raw: bool,
    pub(crate) mode: ChatMode,
}

impl<T: TurnItem> TurnStream<T> {
    pub(crate) fn open(opened: Opened) -> Self {
        let Opened { control, consumer, continuations, inactivity, keep_raw, mode } = opened;
        let turn = Turn::new(consumer, keep_raw, mode);
        Self::over(turn, control, continuations, inactivity, VecDeque::new())
    }

    fn over(
        turn: Turn,
        control: Control,
        continuations: Arc<Continuations>,
        inactivity: Option<Duration>,
        ready: VecDeque<T>,
    ) -> Self {
        TurnStream {
            key: continuations.new_key(),
            turn: Some(turn),
            control,
            continuations,
            inactivity,
            since: Instant::now(),
            ready,
            state: StreamState::Running,
            token: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
        }
    }

    /// Reads on where the token was taken.
    pub(crate) fn resume(
        parked: Parked,
        continuations: Arc<Continuations>,
        interest: Interest,
        mode: ChatMode,
        inactivity: Option<Duration>,
    ) -> Self {
        let Parked { mut turn, control, unread } = parked;
        turn.go_on(interest, mode);
        let ready = unread.into_iter().filter_map(T::from_event).collect();
        Self::over(turn, control, continuations, inactivity, ready)
    }

    /// The thread.
    pub fn thread_id(&self) -> &str {
        &self.control.log().thread_id
    }

    /// The turn.
    pub fn turn_id(&self) -> &str {
        &self.control.log().turn_id
    }

    /// A handle for other threads: to steer, interrupt or cancel the turn while this one reads it.
    pub fn handle(&self) -> TurnHandle {
        TurnHandle::new(self.control.clone())
    }

    /// The next item if there is one already. Never waits. [`is_ended`](Self::is_ended) tells
    /// "nothing yet" from "over".
    pub fn try_next(&mut self) -> Option<T> {
        self.advance(Patience::None).or_closing(self)
    }

    /// The next item; waits for it as long as that. [`is_ended`](Self::is_ended) tells "nothing
    /// yet" from "over".
    pub fn next_timeout(&mut self, limit: Duration) -> Option<T> {
        self.advance(Patience::Until(Deadline::after(Some(limit)))).or_closing(self)
    }

    /// Whether nothing more will come out of this iterator.
    pub fn is_ended(&self) -> bool {
        self.ready.is_empty()
            && matches!(self.state, StreamState::Ended(None, _) | StreamState::Ended(_, true))
    }

    /// The same items as results: a failure comes as the last one, in place of the closing step.
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

    /// How the turn failed, if it has and this has been noticed by reading.
    pub fn error(&self) -> Option<&Error> {
        match &self.state {
            StreamState::Ended(Some(error), _) => {
                self.is_told.store(true, Ordering::Relaxed);
                Some(error)
            }
            _ => None,
        }
    }

    /// A token with which this turn is read on from where this iterator is, after it was dropped.
    /// From now on the turn's events are kept until the token is used or
    /// [forgotten](crate::Client::forget).
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

    fn token_of(&self, turn: &Turn) -> ChatContinuation {
        turn.token(self.key)
    }

    /// Says something more to the running turn. What the model was saying is dropped by the server.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// [`Error::Rpc`] when the turn does not run any more, or can't be steered (a review);
    /// [`Error::InvalidInput`] when nothing is said.
    pub fn steer(&self, input: impl Into<Input>) -> Result<()> {
        self.control.steer(&input.into())
    }

    /// Interrupts the turn; its end is still to be read. A turn that is over already is no error.
    ///
    /// Works from the start: the server refuses before the turn runs, so this waits until it does.
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// [`Error::Rpc`] when the server refuses, [`Error::Timeout`] when it does not answer.
    pub fn interrupt(&self) -> Result<()> {
        self.control.interrupt()
    }

    /// Interrupts the turn, waits for its end, and gives what had not been read. This iterator is
    /// over then. A turn that is over already is no error; the result tells how it ended.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`interrupt`](Self::interrupt), and [`Error::Timeout`] when the turn does not end; the
    /// iterator can be read on then.
    pub fn cancel(&mut self) -> Result<CancelResult> {
        let unread: Vec<_> = self.ready.drain(..).filter_map(T::into_step).collect();
        let turn = match (&self.state, &mut self.turn) {
            (StreamState::Running, Some(turn)) => turn,
            (StreamState::Ended(Some(Error::TurnInactive { continuation, .. }), _), _) => {
                return self.continuations.cancel(continuation);
            }
            // It is over; how, is known.
            _ => return Ok(CancelResult { steps: unread, ..self.control.cancel()? }),
        };
        let result = cancel(turn, &self.control, unread);
        match result {
            Ok(result) => {
                let error = turn.session().error();
                self.end(error.map_or(Ok(()), Err));
                // It is what was asked for.
                if let StreamState::Ended(_, is_given) = &mut self.state {
                    *is_given = true;
                }
                self.is_told.store(true, Ordering::Relaxed);
                Ok(result)
            }
            Err((error, unread)) => {
                self.ready.extend(unread.into_iter().map(T::from_step));
                Err(error)
            }
        }
    }

    /// Reads to the end and gives the outcome. Steps that were not read are passed over.
    ///
    /// Blocks until the turn is over or falls silent for longer than the inactivity limit. When no
    /// answer came with the events, the server is asked for the turn's items, for the request limit
    /// at the longest.
    ///
    /// # Errors
    /// How the turn failed: [`Error::TurnFailed`], [`Error::TurnInterrupted`],
    /// [`Error::TurnInactive`] with a continuation, [`Error::Transport`], …
    pub fn finish(mut self) -> Result<ChatResult> {
        loop {
            self.ready.clear();
            match self.advance(Patience::Forever) {
                Pulled::Item(_) => {}
                Pulled::Nothing => break,
                Pulled::Failed => break,
            }
        }
        if let StreamState::Ended(Some(error), _) = &self.state {
            self.is_told.store(true, Ordering::Relaxed);
            return Err(error.clone());
        }
        let Some(turn) = self.turn.take() else {
            return Err(Error::NoLongerPending { what: format!("turn {}", self.turn_id()) });
        };
        Ok(turn.into_result(&self.control))
    }

    /// The next item, or how long that could be waited for.
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
                self.end(end);
                continue;
            }
            if !self.ready.is_empty() {
                continue;
            }
            let silent_since = self.control.log().last_activity().max(self.since);
            // The clock stands still while a question waits for this client.
            let limit = self.inactivity.filter(|_| !self.control.log().is_held());
            let inactive_at = limit.and_then(|limit| silent_since.checked_add(limit));
            match turn.await_news(&self.control, inactive_at, patience) {
                Awaited::News => {}
                Awaited::Nothing => return Pulled::Nothing,
                Awaited::Silence => {
                    self.end_inactive(Instant::now().saturating_duration_since(silent_since));
                }
            }
        }
    }

    /// The turn is over: what was kept for it is freed, but what the result is made of.
    fn end(&mut self, end: Result<()>) {
        self.state = StreamState::Ended(end.err(), false);
        if let Some(turn) = &mut self.turn {
            turn.let_go();
        }
        if self.token.swap(false, Ordering::AcqRel) {
            self.continuations.forget(self.key);
        }
    }

    /// The turn is silent: it waits among the continuations from now on.
    fn end_inactive(&mut self, idle: Duration) {
        let Some(turn) = self.turn.take() else { return };
        let continuation = self.token_of(&turn);
        self.continuations.park(self.key, Parked { turn, control: self.control.clone(), unread: Vec::new() });
        self.state = StreamState::Ended(Some(Error::TurnInactive { continuation, idle }), false);
    }

    /// The closing step of the failure.
    fn closing(&mut self) -> Option<T> {
        let StreamState::Ended(Some(error), is_given) = &mut self.state else { return None };
        if std::mem::replace(is_given, true) {
            return None;
        }
        self.is_told.store(true, Ordering::Relaxed);
        let status = match error {
            Error::TurnInterrupted { .. } => StepStatus::Interrupted,
            _ => StepStatus::Failed,
        };
        let mut data = json!({ "code": error.code(), "message": error.to_string() });
        if let Error::TurnFailed { message, info, .. } = &*error {
            data["message"] = Value::from(message.as_str());
            data["info"] = info.as_deref().cloned().unwrap_or_default();
        }
        let log = self.control.log();
        Some(T::from_step(ConversationStep::closing(&log.thread_id, &log.turn_id, status, &data)))
    }
}

enum Pulled<T> {
    Item(T),
    /// Nothing yet, or nothing more.
    Nothing,
    /// The failure, which has not been handed out.
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
        self.advance(Patience::Forever).or_closing(self)
    }
}

impl<T: TurnItem> FusedIterator for TurnStream<T> {}

impl<T: TurnItem> Drop for TurnStream<T> {
    fn drop(&mut self) {
        match &self.state {
            StreamState::Running if self.token.load(Ordering::Acquire) => {
                if let Some(turn) = self.turn.take() {
                    // One event can make several items: the end of a turn, with those that did not come.
                    let unread = self.ready.drain(..).map(T::into_event).collect();
                    let parked = Parked { turn, control: self.control.clone(), unread };
                    self.continuations.leave(self.key, parked);
                }
            }
            StreamState::Ended(Some(error), _) if !self.is_told.load(Ordering::Relaxed) => {
                log::error!("unhandled failure of a turn: {error}");
                // Nobody has the token either.
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

/// The items of a [`TurnStream`] as results. From [`TurnStream::results`].
#[must_use = "an iterator does nothing unless it is read"]
#[derive(Debug)]
pub struct Results<'a, T: TurnItem = ConversationStep> {
    stream: &'a mut TurnStream<T>,
}

impl<T: TurnItem> Iterator for Results<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        match self.stream.advance(Patience::Forever) {
            Pulled::Item(item) => Some(Ok(item)),
            Pulled::Nothing => None,
            Pulled::Failed => match &mut self.stream.state {
                StreamState::Ended(Some(error), is_given) => {
                    *is_given = true;
                    self.stream.is_told.store(true, Ordering::Relaxed);
                    Some(Err(error.clone()))
                }
                _ => None,
            },
        }
    }
}

impl<T: TurnItem> FusedIterator for Results<'_, T> {}
