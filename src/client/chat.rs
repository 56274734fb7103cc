//! Starting a turn, or reading one on.
//!
//! Relies on `turn`. Invariant: what can be refused without the server is refused before anything
//! is sent, and a turn's events are kept from before it is asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Client;
use crate::{
    config::{ThreadConfig, TurnOverrides},
    connection::{Interest, Reply, Start},
    continuation::{ChatContinuation, ChatMode},
    error::{Error, Result},
    turn::{
        CancelResult, Chat, ChatEvents, ChatRequest, ChatResult, Continuations, Control, Found, Input,
        Opened, Source, TurnItem, TurnStream,
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

/// The parameters of `thread/start`, `thread/resume` and `thread/fork`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread_id: Option<&'a str>,
    /// Without it the reply holds all turns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) exclude_turns: bool,
    #[serde(flatten)]
    pub(crate) config: &'a ThreadConfig,
}

/// What of the reply to these counts here.
#[derive(Deserialize)]
struct OpenedThread {
    thread: ThreadId,
}

#[derive(Deserialize)]
struct ThreadId {
    id: String,
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
        match self.connection.running_turn(None, turn_id) {
            Some(log) => Control::new(self.connection.clone(), &log, self.request_timeout).interrupt(),
            None => Err(Error::NoLongerPending { what: format!("no turn {turn_id} of this client runs") }),
        }
    }

    /// Interrupts a turn of any client. The server wants the id that `turn/started` told.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when no such turn runs.
    pub fn interrupt_turn_on(&self, thread_id: &str, turn_id: &str) -> Result<()> {
        match self.connection.running_turn(Some(thread_id), turn_id) {
            Some(log) => Control::new(self.connection.clone(), &log, self.request_timeout).interrupt(),
            None => {
                let params = json!({ "threadId": thread_id, "turnId": turn_id });
                self.request("turn/interrupt", params).map(drop)
            }
        }
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
                    "turn {} is still read by the chat that gave the token; drop that first",
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
        let seemed_loaded = request.thread.as_deref().is_some_and(|id| self.connection.is_loaded(id));
        let (thread_id, from_config) = self.thread_for(request)?;
        let overrides = from_config.merge(request.overrides.clone().unwrap_or_default());
        let interest = if keep_raw { Interest::Events } else { interest_of(mode) };
        let params = TurnStart {
            thread_id: &thread_id,
            input,
            user: request.user.as_deref(),
            metadata: request.metadata.as_ref(),
            overrides: &overrides,
        };
        let begin = || {
            let start = Start { thread_id: thread_id.clone(), interest };
            self.connection.start_turn("turn/start", &params, start, self.deadline())
        };
        let consumer = match begin() {
            // It was unloaded behind our back; the server says so by its message alone.
            Err(Error::Rpc { message, .. }) if message.starts_with("thread not found") && seemed_loaded => {
                self.connection.set_loaded(&thread_id, false);
                self.resume_before_chat(&thread_id, request.thread_config.as_ref())?;
                begin()?
            }
            begun => begun?,
        };
        Ok(TurnStream::open(Opened {
            connection: self.connection.clone(),
            consumer,
            continuations: std::sync::Arc::clone(self.continuations()),
            request_timeout: self.request_timeout,
            inactivity,
            keep_raw,
            mode,
        }))
    }

    /// The thread of a chat, loaded, and what of its configuration travels with the turn.
    fn thread_for(&self, request: &ChatRequest) -> Result<(String, TurnOverrides)> {
        let config = request.thread_config.as_ref();
        let Some(thread_id) = &request.thread else {
            let thread_id = self.open_thread("thread/start", None, &config.cloned().unwrap_or_default())?;
            return Ok((thread_id, TurnOverrides::default()));
        };
        if !self.connection.is_loaded(thread_id) {
            self.resume_before_chat(thread_id, config)?;
            return Ok((thread_id.clone(), TurnOverrides::default()));
        }
        // The server takes overrides of a loaded thread with a turn only.
        let Some(config) = config else { return Ok((thread_id.clone(), TurnOverrides::default())) };
        let not_carried = config.not_for_turn();
        if !not_carried.is_empty() {
            return Err(Error::invalid(format!(
                "thread {thread_id} is loaded: {} can't be changed any more",
                not_carried.join(", ")
            )));
        }
        Ok((thread_id.clone(), config.for_turn()))
    }

    /// Resuming subscribes this connection to the thread's events. Unless the client is strict, it
    /// is left to `turn/start` to say that there is no such thread.
    fn resume_before_chat(&self, thread_id: &str, config: Option<&ThreadConfig>) -> Result<()> {
        match self.open_thread("thread/resume", Some(thread_id), &config.cloned().unwrap_or_default()) {
            Err(error @ Error::Rpc { .. }) if !self.inner.settings.is_strict => {
                log::warn!(
                    "thread {thread_id} could not be resumed; its turn is tried all the same: {error}"
                );
                Ok(())
            }
            resumed => resumed.map(drop),
        }
    }

    /// Starts, resumes or forks a thread.
    pub(crate) fn open_thread(
        &self,
        method: &str,
        thread_id: Option<&str>,
        config: &ThreadConfig,
    ) -> Result<String> {
        config.check_for(method)?;
        let deadline = self.deadline();
        let params = ThreadParams { thread_id, exclude_turns: thread_id.is_some(), config };
        let reply = self.request_until(method, &params, deadline)?;
        let OpenedThread { thread } = reply.decode(method)?;
        Ok(thread.id)
    }

    /// Notes that the thread's events come to this connection, by whatever way it was opened.
    pub(super) fn note_opened(&self, reply: &Reply) {
        if let Ok(OpenedThread { thread }) = serde_json::from_str(reply.text()) {
            self.connection.set_loaded(&thread.id, true);
        }
    }
}

fn interest_of(mode: ChatMode) -> Interest {
    match mode {
        ChatMode::Events => Interest::Events,
        ChatMode::Once | ChatMode::Steps => Interest::Steps,
    }
}
