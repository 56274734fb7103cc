//! What a chat is asked with: an input and its settings, or a continuation.
//!
//! Relies on `config` and `continuation`. Invariant: a combination that means nothing is refused
//! before anything is sent.

use std::time::Duration;

use serde_json::Value;

use super::Input;
use crate::{
    config::{ThreadConfig, TurnOverrides},
    continuation::ChatContinuation,
    error::{Error, Result},
    protocol::UserInput as InputItem,
};

/// What a chat is asked with.
///
/// Most of the time a text is enough, since everything that takes a request takes
/// `impl Into<ChatRequest>`:
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
    pub(crate) source: Source,
    pub(crate) thread: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) metadata: Option<Value>,
    pub(crate) thread_config: Option<ThreadConfig>,
    pub(crate) overrides: Option<TurnOverrides>,
    /// Outer `None`: the client's own limit.
    pub(crate) inactivity_timeout: Option<Option<Duration>>,
    pub(crate) keep_raw_events: Option<bool>,
}

/// Where a chat begins.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Input(Input),
    Continuation(ChatContinuation),
}

impl ChatRequest {
    /// Asks this: a text, an item, or a list of items.
    pub fn new(input: impl Into<Input>) -> Self {
        Self::from_source(Source::Input(input.into()))
    }

    fn from_source(source: Source) -> Self {
        ChatRequest {
            source,
            thread: None,
            user: None,
            metadata: None,
            thread_config: None,
            overrides: None,
            inactivity_timeout: None,
            keep_raw_events: None,
        }
    }

    /// In this thread; a new one is started otherwise. A thread that this client has not started,
    /// forked or resumed is resumed first.
    pub fn thread(mut self, id: impl Into<String>) -> Self {
        self.thread = Some(id.into());
        self
    }

    /// Sent as `user`; the server of 0.169 ignores it.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Sent as `metadata`; the server of 0.169 ignores it.
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// What the thread is started or resumed with. Of a thread that is loaded already, what
    /// `turn/start` can carry travels with the turn; the rest is refused, and `ephemeral` for every
    /// thread that is not new.
    pub fn thread_config(mut self, config: ThreadConfig) -> Self {
        self.thread_config = Some(config);
        self
    }

    /// What the turn is started with; it wins over the thread's configuration.
    pub fn overrides(mut self, overrides: TurnOverrides) -> Self {
        self.overrides = Some(overrides);
        self
    }

    /// How long the turn may be silent (the client's limit, 180 s, unless set here); `None`: for
    /// ever.
    pub fn inactivity_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.inactivity_timeout = Some(limit.into());
        self
    }

    /// Whether all events are kept for [`ChatResult::raw_events`](crate::ChatResult::raw_events).
    /// `chat_once` keeps them unless told not to; the others don't unless told to.
    pub fn keep_raw_events(mut self, keep: bool) -> Self {
        self.keep_raw_events = Some(keep);
        self
    }

    /// # Errors
    /// `InvalidInput`: nothing is said, or a continuation was given a setting it can't have.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.source {
            Source::Input(input) => input.check()?,
            Source::Continuation(_) => {
                // Destructured, so that a new setting is decided about here.
                let ChatRequest {
                    source: _,
                    thread,
                    user,
                    metadata,
                    thread_config,
                    overrides,
                    inactivity_timeout: _,
                    keep_raw_events,
                } = self;
                let settings = [
                    ("thread", thread.is_some()),
                    ("user", user.is_some()),
                    ("metadata", metadata.is_some()),
                    ("thread_config", thread_config.is_some()),
                    ("overrides", overrides.is_some()),
                    ("keep_raw_events", keep_raw_events.is_some()),
                ];
                if let Some((name, _)) = settings.iter().find(|(_, is_set)| *is_set) {
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
        Ok(())
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
        ChatRequest::from_source(Source::Continuation(continuation))
    }
}

impl From<&ChatContinuation> for ChatRequest {
    fn from(continuation: &ChatContinuation) -> Self {
        continuation.clone().into()
    }
}
