//! Chats: starts a turn, or resumes one.
//!
//! Relies on `turn`. Invariant: what can be refused without the server is refused before anything is sent,
//! and a turn's events are kept from before it is requested.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::{Value, json};

use super::{Client, request::class_of, thread::is_unloaded};
use crate::{
    config::TurnOverrides,
    continuation::{ChatContinuation, ChatMode},
    error::{Error, Result},
    rpc::{Call, RawReply},
    turn::{
        CancelResult, Chat, ChatEvents, ChatRequest, ChatResult, Consumer, Continuations, Control, Found,
        Input, Interest, Opened, Source, Start, TurnItem, TurnLog, TurnStream,
    },
};

/// The parameters of `turn/start`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TurnStart<'a> {
    thread_id: &'a str,
    input: &'a Input,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Value>,
    #[serde(flatten)]
    overrides: &'a TurnOverrides,
}

impl Client {
    /// Asks, waits for the answer, and gives it.
    ///
    /// `request` is a text, a list of items, a [`ChatRequest`] with settings, or a continuation. A
    /// new thread is started unless the request names one.
    ///
    /// Blocks until the turn is over, or silent for longer than the inactivity limit (180 s unless
    /// set). There is no limit on the whole turn. Each request on the way (starting the thread, the
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
    /// How the turn failed: [`Error::TurnFailed`], [`Error::TurnInterrupted`],
    /// [`Error::TurnInactive`] (go on with its continuation), [`Error::NoAnswer`]; what kept it from
    /// starting: [`Error::Rpc`], [`Error::Timeout`], [`Error::InvalidInput`],
    /// [`Error::NoLongerPending`] (a continuation that is used up); [`Error::Transport`] and
    /// [`Error::Closed`] at any time.
    pub fn chat_once(&self, request: impl Into<ChatRequest>) -> Result<ChatResult> {
        let chat: Chat = self.open(request.into(), ChatMode::Once)?;
        let (thread_id, turn_id) = (chat.thread_id().to_owned(), chat.turn_id().to_owned());
        let result = chat.finish()?;
        if result.completion_source.is_none() {
            return Err(Error::NoAnswer { thread_id, turn_id });
        }
        Ok(result)
    }

    /// Asks, and gives the steps of the turn as they complete.
    ///
    /// The turn has been started when this returns; what kept it from starting is an error here,
    /// what goes wrong later comes as the closing step, from [`Chat::results`](TurnStream::results) or
    /// from [`Chat::finish`](TurnStream::finish). Blocks as long as its requests take; each has the
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
    /// What kept the turn from starting: [`Error::InvalidInput`], [`Error::Rpc`],
    /// [`Error::Timeout`], [`Error::NoLongerPending`], [`Error::Transport`], [`Error::Closed`].
    pub fn chat(&self, request: impl Into<ChatRequest>) -> Result<Chat> {
        self.open(request.into(), ChatMode::Steps)
    }

    /// Asks, and gives everything the turn tells as it comes: pieces of text, reasoning and output,
    /// items that begin, steps, plans, diffs, token usage, warnings.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub fn chat_events(&self, request: impl Into<ChatRequest>) -> Result<ChatEvents> {
        self.open(request.into(), ChatMode::Events)
    }

    /// Interrupts the turn of a continuation, waits for its end, and gives what had not been read.
    /// The token is used up then; on failure it stays usable.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when the token is used up, forgotten or of another client;
    /// [`Error::Timeout`] when the turn does not end; [`Error::Rpc`] when the server refuses.
    pub fn cancel(&self, continuation: &ChatContinuation) -> Result<CancelResult> {
        self.continuations().cancel(continuation)
    }

    /// Makes a continuation worthless and frees what is kept for it. The turn goes on at the server,
    /// and a chat that still reads it goes on too.
    pub fn forget(&self, continuation: &ChatContinuation) {
        self.continuations().forget_token(continuation);
    }

    /// Interrupts a turn of this client; its end comes to whoever reads it.
    ///
    /// Works from the start, and on a turn that has just ended. Blocks for the request limit at the
    /// longest.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when no turn of this client with that id runs (use
    /// [`interrupt_turn_on`](Self::interrupt_turn_on) for turns of others); else as
    /// [`request`](Self::request).
    pub fn interrupt_turn(&self, turn_id: &str) -> Result<()> {
        match self.inner.turns.running_turn(|log| log.turn_id == turn_id) {
            Some(log) => self.control(&log).interrupt(),
            None => Err(Error::NoLongerPending { what: format!("turn {turn_id} is not running on this client") }),
        }
    }

    /// Interrupts a turn of any client. The server wants the id that `turn/started` told.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when no such turn runs. Servers before 0.128
    /// interrupt whatever runs on the thread: where this client knows that to be another turn, nothing
    /// is sent, and [`Error::NoLongerPending`] names it.
    pub fn interrupt_turn_on(&self, thread_id: &str, turn_id: &str) -> Result<()> {
        let on_thread = |log: &TurnLog| log.thread_id == thread_id;
        if let Some(log) = self.inner.turns.running_turn(|log| on_thread(log) && log.turn_id == turn_id) {
            return self.control(&log).interrupt();
        }
        let other = self.inner.turns.running_turn(|log| on_thread(log) && log.running_id() != Some(turn_id));
        if let Some(other) = other {
            if self.initialize()?.is_before((0, 128)) == Some(true) {
                let running = &other.turn_id;
                let what = format!("turn {turn_id} is not running on thread {thread_id}; turn {running} is");
                return Err(Error::NoLongerPending { what });
            }
        }
        self.request("turn/interrupt", json!({ "threadId": thread_id, "turnId": turn_id })).map(drop)
    }

    fn continuations(&self) -> &std::sync::Arc<Continuations> {
        &self.inner.continuations
    }

    fn open<T: TurnItem>(&self, request: ChatRequest, mode: ChatMode) -> Result<TurnStream<T>> {
        request.check()?;
        let inactivity = request.inactivity_timeout.unwrap_or(self.inner.settings.inactivity_timeout);
        match &request.source {
            Source::Continuation(token) => self.resume(token, mode, inactivity),
            Source::Input(input) => self.start(&request, input, mode, inactivity),
        }
    }

    fn resume<T: TurnItem>(
        &self,
        token: &ChatContinuation,
        mode: ChatMode,
        inactivity: Option<Duration>,
    ) -> Result<TurnStream<T>> {
        match self.continuations().take(token)? {
            Found::Parked(parked) => Ok(TurnStream::resume(
                *parked,
                std::sync::Arc::clone(self.continuations()),
                interest_of(mode),
                mode,
                inactivity,
            )),
            Found::Read(_) => Err(Error::NoLongerPending {
                what: format!(
                    "turn {} is still read by the chat that returned the continuation; drop that chat first",
                    token.turn_id
                ),
            }),
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
        let seemed_loaded = request.thread.as_deref().is_some_and(|id| self.inner.turns.is_loaded(id));
        let (thread_id, from_config, mut not_resumed) = self.thread_for(request)?;
        let over_waiting = from_config.merge(request.overrides.clone().unwrap_or_default());
        let interest = if keep_raw { Interest::Events } else { interest_of(mode) };
        let begin = || {
            let deferred = self.inner.deferred.of(&thread_id);
            let waiting = deferred.as_deref().cloned().unwrap_or_default();
            let params = TurnStart {
                thread_id: &thread_id,
                input,
                user: request.user.as_deref(),
                metadata: request.metadata.as_ref(),
                overrides: &waiting.merge(over_waiting.clone()),
            };
            let start = Start { thread_id: thread_id.clone(), interest };
            let consumer = self.start_turn(TURN_START, &params, &start)?;
            if let Some(deferred) = deferred {
                self.inner.deferred.settle(&thread_id, &deferred);
            }
            Ok(consumer)
        };
        let mut begun = begin();
        if seemed_loaded && begun.as_ref().is_err_and(is_unloaded) {
            self.inner.turns.set_loaded(&thread_id, false);
            let config = request.thread_config.clone().unwrap_or_default();
            (_, not_resumed) = self.resume_before_chat(&thread_id, &config)?;
            begun = begin();
        }
        let consumer = begun.map_err(|refused| with_reason(refused, not_resumed))?;
        Ok(self.read(consumer, mode, inactivity, keep_raw))
    }

    fn control(&self, log: &std::sync::Arc<TurnLog>) -> Control {
        Control::new(&self.connection, &self.inner.turns, log, self.request_timeout)
    }

    /// Sends a request that starts a turn, and waits for its reply. The turn's events are kept from before
    /// the request is sent.
    pub(super) fn start_turn(&self, method: &str, params: impl Serialize, start: &Start) -> Result<Consumer> {
        let call = Call { method, params, class: class_of(method), deadline: self.deadline() };
        let (reply, consumer) = self.connection.call_with(&call, || {
            let expected = self.inner.turns.expect(start.clone());
            // On the reading thread, so that the turn is there before its next event.
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

    /// A stream over a turn that has been started.
    pub(super) fn read<T: TurnItem>(
        &self,
        consumer: Consumer,
        mode: ChatMode,
        inactivity: Option<Duration>,
        keep_raw: bool,
    ) -> TurnStream<T> {
        TurnStream::open(Opened {
            control: self.control(consumer.log()),
            consumer,
            continuations: std::sync::Arc::clone(self.continuations()),
            inactivity,
            keep_raw,
            mode,
        })
    }
}

const TURN_START: &str = "turn/start";

/// What of the result of `turn/start` and `review/start` matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartedTurn {
    turn: StartedTurnId,
    /// Of a review: the thread it runs in.
    review_thread_id: Option<String>,
}

#[derive(Deserialize)]
struct StartedTurnId {
    id: String,
}

/// That there is no such thread says little; why it could not be resumed says what to do.
fn with_reason(refused: Error, not_resumed: Option<Error>) -> Error {
    let is_unloaded = is_unloaded(&refused);
    match (refused, not_resumed) {
        (Error::Rpc { method, code, message, data }, Some(reason)) if is_unloaded => Error::Rpc {
            method,
            code,
            message: format!("{message}; it could not be resumed: {reason}"),
            data,
        },
        (refused, _) => refused,
    }
}

fn interest_of(mode: ChatMode) -> Interest {
    match mode {
        ChatMode::Events => Interest::Events,
        ChatMode::Once | ChatMode::Steps => Interest::Steps,
    }
}
