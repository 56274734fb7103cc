//! A request for a chat: an input with settings, or a continuation.
//!
//! Relies on `config` and `continuation`. Invariant: invalid combinations are rejected before anything is
//! sent.

use std::{collections::BTreeMap, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny},
};

use super::{Input, turn_params::TurnParams};
use crate::{
    config::{ThreadConfig, TurnOverrides},
    continuation::ChatContinuation,
    deadline::millis_rounded_up,
    error::{Error, Result},
    excerpt::{Excerpt, abridged_debug},
    protocol::UserInput as InputItem,
    setting::Setting,
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
///
/// As JSON it has the set settings as members, under the names of their setters, except that the
/// [thread](Self::thread) is `thread_id`, and the limits are `inactivity_timeout_ms` and `turn_timeout_ms`, in
/// milliseconds, null for no limit. It also has one of these: `text`; `input`, a list of items in the form of the
/// protocol; or `continuation`. [`extra`](Self::extra) is an object. Another member is an error, also inside the values.
///
/// ```
/// use codex_blocking::ChatRequest;
///
/// let request: ChatRequest = serde_json::from_str(r#"{"text": "Say hello", "overrides": {"model": "gpt-5"}}"#)?;
/// # let _ = request;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use = "a request does nothing until it is passed to a chat"]
#[derive(Clone)]
pub struct ChatRequest {
    pub(crate) source: ChatSource,
    pub(crate) thread: Option<String>,
    pub(crate) params: TurnParams,
    pub(crate) thread_config: Option<ThreadConfig>,
    pub(crate) overrides: Option<TurnOverrides>,
    /// Outer `None` means the client's limit.
    pub(crate) inactivity_timeout: Option<Option<Duration>>,
    /// Outer `None` means no limit or, for a continuation, the one that the turn has.
    pub(crate) turn_timeout: Option<Option<Duration>>,
    pub(crate) keep_raw_events: Option<bool>,
    pub(crate) keep_steps: Option<bool>,
    pub(crate) sub_agents: Option<bool>,
}

abridged_debug!(struct ChatRequest {
    source, thread, params, thread_config, overrides, inactivity_timeout, turn_timeout, keep_raw_events, keep_steps,
    sub_agents,
});

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
            turn_timeout: None,
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

    /// Sets how long the whole turn may take, from the moment when it is requested (by default, there is no limit);
    /// `None` means no limit.
    ///
    /// When the time has passed, the turn is interrupted, its end is awaited for at most the request limit, and the
    /// chat ends with [`Error::Timeout`], whose `limit` is [`Timeout::Turn`](crate::Timeout::Turn). The error has the
    /// [steps](Error::steps) and the [tokens](Error::usage) of the turn; steps that complete in the meantime are
    /// yielded. If the end does not come in time, the error says in its `note` that the turn may still be running. A
    /// turn whose end has arrived before the limit passed has its usual end, even if nobody has read it yet.
    ///
    /// The clock does not stop for anything: neither while an approval or another server request waits for an answer
    /// (that of [`inactivity_timeout`](Self::inactivity_timeout) does), nor while nobody reads. The time before the
    /// request of the turn doesn't count: connecting, starting or resuming its thread, and waiting for a compaction.
    /// The limit does not shorten the wait for the server's reply to that request, which has the request limit.
    ///
    /// The limit belongs to the chat: it applies neither to other chats in the same turn nor after the chat was
    /// dropped. A continuation has the limit of the chat that it continues, unless it sets another one, and it
    /// counts from the request of the turn, too; if it has passed, resuming the turn interrupts it.
    ///
    /// ```
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let client = ScriptedServer::new().on_turn(|_| TurnScript::new().wait_for_interrupt()).client()?;
    /// use std::time::Duration;
    ///
    /// use codex_blocking::{ChatRequest, Error, Timeout};
    ///
    /// let request = ChatRequest::new("Refactor everything").turn_timeout(Duration::from_millis(20));
    /// match client.chat_once(request) {
    ///     Err(error @ Error::Timeout { limit: Timeout::Turn, .. }) => {
    ///         println!("{error}, after {} steps", error.steps().len());
    ///     }
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// A limit of zero is [`Error::InvalidInput`].
    pub fn turn_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.turn_timeout = Some(limit.into());
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

    /// A parameter that is set, that servers before 0.151 ignore, and that decides what the turn does.
    pub(crate) fn ignored_before_151(&self) -> Option<&'static str> {
        let tier = self.overrides.as_ref().and_then(|overrides| overrides.service_tier_for_turn.value());
        let of_them =
            [("tool_output", self.params.tool_output.is_some()), ("service_tier_for_turn", tier.is_some())];
        of_them.into_iter().find_map(|(name, is_set)| is_set.then_some(name))
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
                    turn_timeout: _,
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
                        "a continuation resumes a running turn; it accepts time-outs, but not {name}"
                    )));
                }
            }
        }
        if self.turn_timeout == Some(Some(Duration::ZERO)) {
            return Err(Error::invalid("a turn_timeout of zero leaves the turn no time"));
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

/// The JSON of a request.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ChatRequestJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Input>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation: Option<ChatContinuation>,
    #[serde(rename = "thread_id", skip_serializing_if = "Option::is_none")]
    thread: Option<String>,
    #[serde(flatten)]
    params: TurnParams,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_config: Option<ThreadConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overrides: Option<TurnOverrides>,
    #[serde(skip_serializing_if = "Setting::is_unset")]
    inactivity_timeout_ms: Setting<u64>,
    #[serde(skip_serializing_if = "Setting::is_unset")]
    turn_timeout_ms: Setting<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_raw_events: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_steps: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_agents: Option<bool>,
    /// All other members, which `deny_unknown_fields` can't tell beside `flatten`.
    #[serde(flatten, skip_serializing)]
    unknown: BTreeMap<String, IgnoredAny>,
}

impl Serialize for ChatRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ChatRequest {
            source,
            thread,
            params,
            thread_config,
            overrides,
            inactivity_timeout,
            turn_timeout,
            keep_raw_events,
            keep_steps,
            sub_agents,
        } = self.clone();
        let (text, input, continuation) = match source {
            ChatSource::Continuation(continuation) => (None, None, Some(continuation)),
            ChatSource::Input(input) => match input.items() {
                [InputItem::Text(item)] if Input::from(item.text.as_str()) == input => {
                    (Some(item.text.clone()), None, None)
                }
                _ => (None, Some(input), None),
            },
        };
        let json = ChatRequestJson {
            text,
            input,
            continuation,
            thread,
            params,
            thread_config,
            overrides,
            inactivity_timeout_ms: to_millis(inactivity_timeout),
            turn_timeout_ms: to_millis(turn_timeout),
            keep_raw_events,
            keep_steps,
            sub_agents,
            unknown: BTreeMap::new(),
        };
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChatRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = ChatRequestJson::deserialize(deserializer)?;
        if let Some(name) = json.unknown.keys().next() {
            return Err(D::Error::custom(format_args!("a request has no member `{}`", Excerpt(name))));
        }
        let source = match (json.text, json.input, json.continuation) {
            (Some(text), None, None) => ChatSource::Input(text.into()),
            (None, Some(input), None) => ChatSource::Input(input),
            (None, None, Some(continuation)) => ChatSource::Continuation(continuation),
            _ => {
                return Err(D::Error::custom(
                    "a request must have one of the members `text`, `input` and `continuation`",
                ));
            }
        };
        Ok(ChatRequest {
            source,
            thread: json.thread,
            params: json.params,
            thread_config: json.thread_config,
            overrides: json.overrides,
            inactivity_timeout: from_millis(json.inactivity_timeout_ms),
            turn_timeout: from_millis(json.turn_timeout_ms),
            keep_raw_events: json.keep_raw_events,
            keep_steps: json.keep_steps,
            sub_agents: json.sub_agents,
        })
    }
}

/// A limit in JSON; null is none.
fn to_millis(limit: Option<Option<Duration>>) -> Setting<u64> {
    limit.map_or(Setting::Unset, |limit| Setting::null_if_none(limit.map(millis_rounded_up)))
}

fn from_millis(limit: Setting<u64>) -> Option<Option<Duration>> {
    match limit {
        Setting::Unset => None,
        Setting::Null => Some(None),
        Setting::Value(millis) => Some(Some(Duration::from_millis(millis))),
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
