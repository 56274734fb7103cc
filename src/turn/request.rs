//! A request for a chat: an input with settings, or a continuation.
//!
//! Relies on `config` and `continuation`. Invariant: invalid combinations are rejected before anything is
//! sent.

use std::time::Duration;

use super::{Input, turn_params::TurnParams};
use crate::{
    config::{ThreadConfig, TurnOverrides},
    continuation::ChatContinuation,
    error::{Error, Result},
    protocol::UserInput as InputItem,
};

/// A request that starts or resumes a turn.
///
/// Often a text is enough, because every method that takes a request takes `impl Into<ChatRequest>`:
///
/// ```no_run
/// # use codex_blocking::{Client, Stdio, ChatRequest, TurnOverrides};
/// # let client = Client::connect(Stdio::default())?;
/// client.chat_once("Say hello")?;
/// client.chat_once(ChatRequest::new("Say hello").thread("0199…").overrides(TurnOverrides::new().model("gpt-5")))?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a request does nothing until it is passed to a chat"]
#[derive(Debug, Clone)]
pub struct ChatRequest {
    pub(crate) source: ChatSource,
    pub(crate) thread: Option<String>,
    pub(crate) params: TurnParams,
    pub(crate) thread_config: Option<ThreadConfig>,
    pub(crate) overrides: Option<TurnOverrides>,
    /// Outer `None` means the client's limit.
    pub(crate) inactivity_timeout: Option<Option<Duration>>,
    pub(crate) keep_raw_events: Option<bool>,
    pub(crate) keep_steps: Option<bool>,
    pub(crate) sub_agents: Option<bool>,
}

/// What a chat reads: a new turn, or an existing one.
#[derive(Debug, Clone)]
pub(crate) enum ChatSource {
    Input(Input),
    Continuation(ChatContinuation),
}

impl ChatRequest {
    /// Creates a request with this input: a text, an item, or a list of items.
    pub fn new(input: impl Into<Input>) -> Self {
        Self::from_source(ChatSource::Input(input.into()))
    }

    fn from_source(source: ChatSource) -> Self {
        ChatRequest {
            source,
            thread: None,
            params: TurnParams::default(),
            thread_config: None,
            overrides: None,
            inactivity_timeout: None,
            keep_raw_events: None,
            keep_steps: None,
            sub_agents: None,
        }
    }

    /// Runs the turn in this thread; otherwise a new thread is started. If this client has not started,
    /// forked or resumed the thread, it resumes it first.
    pub fn thread(mut self, id: impl Into<String>) -> Self {
        self.thread = Some(id.into());
        self
    }

    /// Sets the configuration with which the thread is started or resumed. For a thread that is already
    /// loaded, the fields that `turn/start` accepts are sent with the turn, and the others are rejected;
    /// `ephemeral` is rejected for every thread that is not new.
    pub fn thread_config(mut self, config: ThreadConfig) -> Self {
        self.thread_config = Some(config);
        self
    }

    /// Sets overrides for the turn; they take precedence over the thread's configuration.
    pub fn overrides(mut self, overrides: TurnOverrides) -> Self {
        self.overrides = Some(overrides);
        self
    }

    /// Sets how long the turn may send no event (by default the client's limit, which is 180 s unless set);
    /// `None` means no limit.
    pub fn inactivity_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.inactivity_timeout = Some(limit.into());
        self
    }

    /// Sets whether all events are kept for [`ChatResult::raw_events`](crate::ChatResult::raw_events). By
    /// default, only `chat_once` keeps them.
    pub fn keep_raw_events(mut self, keep: bool) -> Self {
        self.keep_raw_events = Some(keep);
        self
    }

    /// Sets whether the steps are kept for [`ChatResult::steps`](crate::ChatResult::steps) and for
    /// [`Error::steps`]. By default, only `chat_once` keeps them.
    pub fn keep_steps(mut self, keep: bool) -> Self {
        self.keep_steps = Some(keep);
        self
    }

    /// Sets whether [`chat_events`](crate::Client::chat_events) also yields the events of the turn's sub-agents, as
    /// [`TurnEvent::SubAgent`](crate::TurnEvent::SubAgent). By default, it does not.
    ///
    /// Unread, they count towards [`max_buffered_bytes`](crate::ClientBuilder::max_buffered_bytes) like the turn's
    /// own events. They are never among the steps, nor in
    /// [`ChatResult::raw_events`](crate::ChatResult::raw_events).
    pub fn sub_agents(mut self, with_them: bool) -> Self {
        self.sub_agents = Some(with_them);
        self
    }

    /// # Errors
    /// `InvalidInput` if the input is blank or names a file that the server can't use, or a continuation has a
    /// setting that it can't have.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.source {
            ChatSource::Input(input) if self.params.tool_output.is_some() => {
                if !input.is_empty() {
                    return Err(Error::invalid("the output of a tool can't be combined with an input"));
                }
            }
            ChatSource::Input(input) => input.check()?,
            ChatSource::Continuation(_) => {
                // Destructured, so that a new setting must be considered here.
                let ChatRequest {
                    source: _,
                    thread,
                    params,
                    thread_config,
                    overrides,
                    inactivity_timeout: _,
                    keep_raw_events,
                    keep_steps,
                    sub_agents,
                } = self;
                let settings = [
                    ("thread", thread.is_some()),
                    ("thread_config", thread_config.is_some()),
                    ("overrides", overrides.is_some()),
                    ("keep_raw_events", keep_raw_events.is_some()),
                    ("keep_steps", keep_steps.is_some()),
                    ("sub_agents", sub_agents.is_some()),
                ];
                let settings = settings.into_iter().chain(params.settings());
                if let Some((name, _)) = settings.into_iter().find(|(_, is_set)| *is_set) {
                    return Err(Error::invalid(format!(
                        "a continuation resumes a running turn; it accepts inactivity_timeout, but not {name}"
                    )));
                }
            }
        }
        if self.thread.as_deref() == Some("") {
            return Err(Error::invalid("the thread id is empty; omit it to start a new thread"));
        }
        if let Some(config) = &self.thread_config {
            config.check_for("thread/start")?;
        }
        self.params.check(self.overrides.as_ref())
    }
}

impl From<&str> for ChatRequest {
    fn from(text: &str) -> Self {
        ChatRequest::new(text)
    }
}

impl From<String> for ChatRequest {
    fn from(text: String) -> Self {
        ChatRequest::new(text)
    }
}

impl From<&String> for ChatRequest {
    fn from(text: &String) -> Self {
        ChatRequest::new(text)
    }
}

impl From<InputItem> for ChatRequest {
    fn from(item: InputItem) -> Self {
        ChatRequest::new(item)
    }
}

impl From<Vec<InputItem>> for ChatRequest {
    fn from(items: Vec<InputItem>) -> Self {
        ChatRequest::new(items)
    }
}

impl From<Input> for ChatRequest {
    fn from(input: Input) -> Self {
        ChatRequest::new(input)
    }
}

impl From<ChatContinuation> for ChatRequest {
    fn from(continuation: ChatContinuation) -> Self {
        ChatRequest::from_source(ChatSource::Continuation(continuation))
    }
}

impl From<&ChatContinuation> for ChatRequest {
    fn from(continuation: &ChatContinuation) -> Self {
        continuation.clone().into()
    }
}
