//! Starts and resumes turns.
//!
//! Relies on `turn`. Invariant: what can be rejected without the server is rejected before anything is sent,
//! and a turn's events are kept from before it is requested.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize, de::Error as _};

use super::{Client, request::class_of, thread::is_unloaded};
use crate::{
    config::{Params, TurnOverrides},
    continuation::{ChatContinuation, ChatMode},
    error::{Error, Result},
    rpc::{Call, RawReply},
    turn::{
        Chat, ChatEvents, ChatRequest, ChatResult, ChatSource, Consumer, Continuations, Control, Found,
        Input, Interest, Opened, Reading, Start, TurnItem, TurnLog, TurnParams, TurnProgress, TurnStream,
    },
};

/// The parameters of `turn/start`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TurnStart<'a> {
    thread_id: &'a str,
    input: &'a Input,
    #[serde(flatten)]
    params: Params<'a, TurnParams>,
    #[serde(flatten)]
    overrides: Params<'a, TurnOverrides>,
}

impl Client {
    /// Runs a turn and returns its final answer.
    ///
    /// `request` is a text, a list of items, a [`ChatRequest`] with settings, or a continuation. A new thread
    /// is started unless the request names one. It is [unloaded](crate::guide::threads#unloading) after the
    /// turn, and can be resumed; for a conversation, use [`start_thread`](Self::start_thread).
    ///
    /// Blocks until the turn has ended, or has been inactive for the inactivity limit (180 s by default).
    /// There is no limit on the whole turn unless the request has one
    /// ([`turn_timeout`](ChatRequest::turn_timeout)). Each request that is needed (starting the thread, starting the
    /// turn) has the request limit.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let result = client.chat_once("Say hello")?;
    /// println!("{} ({:?})", result.final_text, result.token_usage);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the turn did not complete: [`Error::TurnFailed`], [`Error::TurnInterrupted`],
    /// [`Error::TurnInactive`] (resume with its continuation), [`Error::Timeout`] with
    /// [`Timeout::Turn`](crate::Timeout::Turn), [`Error::NoAnswer`]. If the turn could not be
    /// started: [`Error::Rpc`], [`Error::Timeout`], [`Error::InvalidInput`], [`Error::NoLongerPending`] (a
    /// used continuation). At any time [`Error::Transport`] and [`Error::Closed`].
    pub fn chat_once(&self, request: impl Into<ChatRequest>) -> Result<ChatResult> {
        let chat: Chat = self.open(request.into(), ChatMode::Once)?;
        let (thread_id, turn_id) = (chat.thread_id().to_owned(), chat.turn_id().to_owned());
        let result = chat.finish()?;
        if result.completion_source.is_none() {
            let progress = TurnProgress::new(result.steps, result.usage);
            return Err(Error::NoAnswer { thread_id, turn_id, progress });
        }
        Ok(result)
    }

    /// Starts a turn and returns an iterator over its steps as they complete.
    ///
    /// A thread that is started for it is [unloaded](crate::guide::threads#unloading) when the turn is over and
    /// the iterator dropped; for a conversation, use [`start_thread`](Self::start_thread).
    ///
    /// The turn has started when this returns. If it can't be started, this returns the error; a later
    /// failure is the closing step of the iterator, and is returned by [`Chat::results`](TurnStream::results)
    /// and [`Chat::finish`](TurnStream::finish). Blocks for the requests that are needed; each has the
    /// request limit.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let mut chat = client.chat("Say hello")?;
    /// for step in &mut chat {
    ///     println!("{step}");
    /// }
    /// let result = chat.finish()?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the turn can't be started: [`Error::InvalidInput`], [`Error::Rpc`], [`Error::Timeout`],
    /// [`Error::NoLongerPending`], [`Error::Transport`], [`Error::Closed`].
    pub fn chat(&self, request: impl Into<ChatRequest>) -> Result<Chat> {
        self.open(request.into(), ChatMode::Steps)
    }

    /// Starts a turn and returns an iterator over all its events as they arrive: deltas of text, reasoning
    /// and output, started items, steps, plans, diffs, token usage, warnings; with
    /// [`sub_agents(true)`](ChatRequest::sub_agents) those of sub-agents too. A [`Transcript`](crate::Transcript)
    /// makes of them what a screen shows.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use std::io::Write;
    ///
    /// use codex_blocking::TurnEvent;
    ///
    /// for event in client.chat_events("Say hello")? {
    ///     match event {
    ///         TurnEvent::TextDelta { delta, .. } => {
    ///             print!("{delta}");
    ///             std::io::stdout().flush().ok();
    ///         }
    ///         TurnEvent::Step(step) if step.is_error() => println!("{step}"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`chat`](Self::chat).
    pub fn chat_events(&self, request: impl Into<ChatRequest>) -> Result<ChatEvents> {
        self.open(request.into(), ChatMode::Events)
    }

    fn continuations(&self) -> &std::sync::Arc<Continuations> {
        &self.inner.continuations
    }

    fn open<T: TurnItem>(&self, request: ChatRequest, mode: ChatMode) -> Result<TurnStream<T>> {
        request.check()?;
        self.connection.check_process(TURN_START)?;
        let inactivity = request.inactivity_timeout.unwrap_or(self.inner.settings.inactivity_timeout);
        match &request.source {
            ChatSource::Continuation(token) => self.resume(token, mode, inactivity, request.turn_timeout),
            ChatSource::Input(input) => self.start(&request, input, mode, inactivity),
        }
    }

    fn resume<T: TurnItem>(
        &self,
        token: &ChatContinuation,
        mode: ChatMode,
        inactivity: Option<Duration>,
        turn_timeout: Option<Option<Duration>>,
    ) -> Result<TurnStream<T>> {
        match self.continuations().take(token)? {
            Found::Parked(parked) => {
                let continuations = std::sync::Arc::clone(self.continuations());
                Ok(TurnStream::resume(*parked, continuations, mode, inactivity, turn_timeout))
            }
            Found::Read(_) => Err(Error::no_longer_pending(format!(
                "turn {} is still read by the chat that returned the continuation; drop that chat first",
                token.turn_id
            ))),
        }
    }

    fn start<T: TurnItem>(
        &self,
        request: &ChatRequest,
        input: &Input,
        mode: ChatMode,
        inactivity: Option<Duration>,
    ) -> Result<TurnStream<T>> {
        let keep_raw = request.keep_raw_events.unwrap_or(mode == ChatMode::Once);
        let keep_steps = request.keep_steps.unwrap_or(mode == ChatMode::Once);
        self.check_known_to_server(request)?;
        let seemed_loaded = request.thread.as_deref().is_some_and(|id| self.known_threads().is_loaded(id));
        let thread = self.thread_for(request)?;
        let (thread_id, mut not_resumed) = (thread.id.clone(), thread.not_resumed);
        let over_waiting = thread.overrides.merge(request.overrides.clone().unwrap_or_default());
        let over_waiting = over_waiting.with_extra(request.params.extra.clone());
        let sub_agents = request.sub_agents.unwrap_or(false);
        let interest = Interest::of(mode, keep_raw, sub_agents);
        let begin = || {
            let deferred = self.inner.deferred.of(&thread_id);
            let waiting = deferred.as_deref().cloned().unwrap_or_default();
            let overrides = waiting.merge(over_waiting.clone());
            // What was deferred may have the name of an extra parameter.
            overrides.check_extra(&[])?;
            let params = TurnStart {
                thread_id: &thread_id,
                input,
                params: Params(&request.params),
                overrides: Params(&overrides),
            };
            let start = Start { thread_id: thread_id.clone(), interest, lease: thread.lease.clone() };
            let requested = Instant::now();
            let consumer = self.start_turn(TURN_START, &params, &start)?;
            if let Some(deferred) = deferred {
                self.inner.deferred.settle(&thread_id, &deferred);
            }
            Ok((consumer, requested))
        };
        let mut begun = self.after_compaction(&thread_id, begin);
        if seemed_loaded && begun.as_ref().is_err_and(is_unloaded) {
            self.known_threads().set_unloaded(&thread_id);
            let config = request.thread_config.clone().unwrap_or_default();
            (_, not_resumed) = self.resume_before_chat(&thread_id, &config)?;
            begun = self.after_compaction(&thread_id, begin);
        }
        let (consumer, requested) = begun.map_err(|refused| with_reason(refused, not_resumed))?;
        let lease = thread.lease;
        let turn_timeout = request.turn_timeout.flatten();
        let reading =
            Reading { mode, inactivity, turn_timeout, requested, keep_raw, keep_steps, sub_agents, lease };
        Ok(self.read(consumer, reading))
    }

    /// # Errors
    /// `InvalidInput` if the server is known to ignore a parameter that decides what the turn does.
    fn check_known_to_server(&self, request: &ChatRequest) -> Result<()> {
        match request.ignored_before_151() {
            Some(name) if self.initialize()?.is_before((0, 151)) == Some(true) => {
                Err(Error::invalid(format!("this server ignores `{name}`: 0.151 is the first that has it")))
            }
            _ => Ok(()),
        }
    }

    /// Follows a thread: returns the events of all its turns from now on, whoever starts them: this client,
    /// another one on the same server, a goal, a queue.
    ///
    /// If this client has not loaded the thread, it resumes it, which subscribes it to the events. Blocks for at most
    /// the request limit. A turn that is running shows from its next event on.
    ///
    /// The stream goes on from turn to turn. [`TurnEvent::Other`](crate::TurnEvent::Other) with the method
    /// `turn/started` or `turn/completed` tells that one has begun or ended, and how (`params.turn.status`); a turn
    /// that fails is no failure of the stream. Steps name the turn that they belong to. Of the methods of the stream:
    ///
    /// - It ends ([`is_ended`](TurnStream::is_ended)) with the connection, when the thread is unloaded, archived or
    ///   deleted ([`Error::NoLongerPending`]), or with [`Error::BufferFull`]; [`error`](TurnStream::error) tells
    ///   which. No inactivity limit applies. `finish` reads until then, and always returns that error.
    /// - `turn_id` is empty. `interrupt` interrupts the turn that is running, if any; `steer` and `cancel` are
    ///   [`Error::InvalidInput`]: use [`steer_turn`](Self::steer_turn) with the ids in an event.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::TurnEvent;
    ///
    /// let thread = client.start_thread(Default::default())?;
    /// let events = client.follow(thread.thread_id())?;
    /// for question in ["one", "two"] {
    ///     thread.chat_once(question)?; // or anybody else
    /// }
    /// client.close()?;
    /// let ends = |event: &TurnEvent| matches!(event, TurnEvent::Other(event) if event.method() == "turn/completed");
    /// assert_eq!(events.filter(ends).count(), 2);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Rpc`] if the thread can't be resumed; [`Error::InvalidInput`] for an empty id;
    /// [`Error::Timeout`], [`Error::Transport`], [`Error::Closed`].
    pub fn follow(&self, thread_id: &str) -> Result<ChatEvents> {
        self.connection.check_process("follow a thread")?;
        // Before it is loaded, so that nothing is missed.
        let consumer = self.inner.turns.follow(thread_id);
        self.load_for_follower(thread_id)?;
        self.connection.settle();
        let reading = Reading { mode: ChatMode::Events, ..Reading::steps(None) };
        Ok(self.read(consumer, reading))
    }

    pub(super) fn control(&self, log: &std::sync::Arc<TurnLog>) -> Control {
        Control::new(&self.connection, &self.inner.turns, log, self.request_timeout)
    }

    /// Sends a request that starts a turn, and waits for its reply. The turn's events are kept from before
    /// the request is sent.
    pub(super) fn start_turn(&self, method: &str, params: impl Serialize, start: &Start) -> Result<Consumer> {
        let call = Call { method, params, class: class_of(method), deadline: self.deadline() };
        let (reply, consumer) = self.connection.call_with(&call, || {
            let expected = self.inner.turns.expect(start.clone());
            // On the reading thread, so that the turn is registered before its next event.
            Ok(move |reply: &RawReply| {
                let StartedTurn { turn, review_thread_id } = reply.decode(TURN_START).ok()?;
                Some(expected.open(&turn.id, review_thread_id.as_deref(), Instant::now()))
            })
        })?;
        let result = reply.result(method)?;
        consumer.ok_or_else(|| {
            let missing = serde_json::Error::custom("missing field `turn.id`");
            Error::decode(format!("the result of {method}"), result, missing)
        })
    }

    /// A stream that reads a started turn.
    pub(super) fn read<T: TurnItem>(&self, consumer: Consumer, reading: Reading) -> TurnStream<T> {
        TurnStream::open(Opened {
            control: self.control(consumer.log()),
            consumer,
            continuations: std::sync::Arc::clone(self.continuations()),
            reading,
        })
    }
}

const TURN_START: &str = "turn/start";

/// The parts of the result of `turn/start` and `review/start` that are needed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartedTurn {
    turn: StartedTurnId,
    /// For a review: the thread in which it runs.
    review_thread_id: Option<String>,
}

#[derive(Deserialize)]
struct StartedTurnId {
    id: String,
}

/// Appends why the thread could not be resumed to the server's error, which only says that there is no such
/// thread.
fn with_reason(refused: Error, not_resumed: Option<Error>) -> Error {
    let is_unloaded = is_unloaded(&refused);
    match (refused, not_resumed) {
        (Error::Rpc { method, code, message, data }, Some(Error::Rpc { message: reason, .. }))
            if is_unloaded =>
        {
            Error::Rpc {
                method,
                code,
                message: format!("{message}; it could not be resumed: {reason}"),
                data,
            }
        }
        (refused, _) => refused,
    }
}
