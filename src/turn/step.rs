//! A step of a conversation: one completed item, ready for display.
//!
//! Relies on serde_json. Invariant: every completed item with an id makes a step, whatever its type; its JSON
//! is kept unchanged.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Value, json, value::RawValue};

use super::raw::ItemText;
use crate::{
    error::Error,
    excerpt::debug_struct,
    protocol::{ThreadItem, envelope::Lenient, raw_json::RawJson, wire::string_enum},
};

string_enum! {
    /// The type of a step.
    pub enum StepType {
        /// The model's reasoning.
        Thinking = "thinking",
        /// A command.
        Exec = "exec",
        /// An agent message.
        Codex = "codex",
        /// A call of a tool of an MCP server.
        Tool = "tool",
        /// A change of files.
        File = "file",
        /// The closing step of a turn that did not complete.
        Error = "error",
    }
}

impl StepType {
    /// The type of the step that an item makes; types without a variant keep their name.
    fn of_item(item_type: &str) -> StepType {
        match item_type {
            "reasoning" => StepType::Thinking,
            "commandExecution" => StepType::Exec,
            "agentMessage" => StepType::Codex,
            "mcpToolCall" => StepType::Tool,
            "fileChange" => StepType::File,
            other => StepType::Other(other.to_owned()),
        }
    }
}

string_enum! {
    /// The status of a step.
    pub enum StepStatus {
        /// Completed successfully, or the item has no status.
        Completed = "completed",
        /// Failed.
        Failed = "failed",
        /// Not approved.
        Declined = "declined",
        /// Interrupted.
        Interrupted = "interrupted",
        /// Started; only in [`TurnEvent::ItemStarted`](crate::TurnEvent::ItemStarted) and in a
        /// [`Transcript`](crate::Transcript).
        InProgress = "inProgress",
        /// Not completed when its turn ended; only in a [`Transcript`](crate::Transcript).
        Abandoned = "abandoned",
    }
}

/// A step of a turn: a completed item, or the closing step of a turn that did not complete.
///
/// `Display` writes its type and its text, all of it: it is made for programs that show a conversation. `Debug`
/// writes the beginning of each string. As JSON it has its fields as members, and `data`: the item as received,
/// or as a string if it is nested deeper than 100 levels or contains a number outside of the range of `f64`.
#[derive(Clone, Deserialize)]
#[non_exhaustive]
pub struct ConversationStep {
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// The item's id; `None` for a closing step.
    pub item_id: Option<String>,
    /// The type of the step.
    pub step_type: StepType,
    /// The item's type in the protocol; `None` for a closing step.
    pub item_type: Option<String>,
    /// The status.
    pub status: StepStatus,
    /// The text for display: a message, the summary of reasoning, a command with its output, the paths of
    /// changed files, the name of a tool or of a sub-agent. `None` if there is none, and for a closing step.
    pub text: Option<String>,
    #[serde(deserialize_with = "ItemText::deserialize")]
    data: ItemText,
}

impl ConversationStep {
    /// Returns the item's JSON, including unknown fields; for a closing step `{code, message, …}`.
    ///
    /// Builds a tree on each call. Text that can't be parsed (because it is nested too deeply) is returned as
    /// a string.
    pub fn data(&self) -> Value {
        serde_json::from_str(self.raw()).unwrap_or_else(|_| Value::String(self.raw().to_owned()))
    }

    /// Returns the typed item; `None` for a closing step.
    ///
    /// An item of a type that this version does not know, or that doesn't match its type, becomes
    /// [`ThreadItem::Unknown`], with its JSON. Decodes on each call.
    ///
    /// ```
    /// use codex_blocking::protocol::ThreadItem;
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let server = ScriptedServer::new().on_turn(|_| TurnScript::new().command("date", "Monday\n", 0));
    /// # let client = server.client()?;
    ///
    /// for step in client.chat("Which day is it?")? {
    ///     if let Some(ThreadItem::CommandExecution(command)) = step.item() {
    ///         println!("{} gave {:?}", command.command, command.exit_code);
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    #[inline]
    pub fn item(&self) -> Option<ThreadItem> {
        self.item_id.as_ref().and_then(|_| serde_json::from_str(self.raw()).ok())
    }

    /// Returns the text of [`data`](Self::data), as received.
    pub fn raw(&self) -> &str {
        self.data.get()
    }

    /// The step of an item, and the item's phase. `None` if it has no id or no type. `data` returns the text
    /// to be kept.
    pub(super) fn of_item(
        thread_id: &str,
        turn_id: &str,
        item: &str,
        data: impl FnOnce() -> ItemText,
    ) -> Option<(ConversationStep, Option<String>)> {
        let mut parts: ItemParts = serde_json::from_str(item).ok()?;
        let item_type = parts.kind.0.take()?;
        let item_id = parts.id.0.take()?;
        let status = parts.status.0.as_deref().map_or(StepStatus::Completed, StepStatus::from);
        let text = parts.take_text(&item_type);
        let step = ConversationStep {
            thread_id: thread_id.to_owned(),
            turn_id: turn_id.to_owned(),
            item_id: Some(item_id),
            step_type: StepType::of_item(&item_type),
            item_type: Some(item_type),
            status,
            text,
            data: data(),
        };
        Some((step, parts.phase.0))
    }

    /// The text for display of an item.
    pub(super) fn text_of(item: &str) -> Option<String> {
        let mut parts: ItemParts = serde_json::from_str(item).ok()?;
        let item_type = parts.kind.0.take()?;
        parts.take_text(&item_type)
    }

    /// The bytes counted for a step that is kept.
    pub(super) fn bytes(&self) -> usize {
        let texts =
            [&self.item_id, &self.item_type, &self.text].map(|text| text.as_ref().map_or(0, String::len));
        size_of::<ConversationStep>()
            + self.thread_id.len()
            + self.turn_id.len()
            + texts.iter().sum::<usize>()
            + self.data.bytes()
    }

    /// The item's JSON, to be kept.
    pub(super) fn item_text(&self) -> ItemText {
        self.data.clone()
    }

    /// The closing step of a turn that did not complete.
    pub(super) fn closing(thread_id: &str, turn_id: &str, error: &Error) -> ConversationStep {
        let status = match error {
            Error::TurnInterrupted { .. } => StepStatus::Interrupted,
            _ => StepStatus::Failed,
        };
        let mut data = json!({ "code": error.code(), "message": error.to_string() });
        if let Error::TurnFailed { message, info, .. } = error {
            data["message"] = Value::from(message.as_str());
            data["info"] = info.as_deref().cloned().unwrap_or_default();
        }
        ConversationStep {
            thread_id: thread_id.to_owned(),
            turn_id: turn_id.to_owned(),
            item_id: None,
            step_type: StepType::Error,
            item_type: None,
            status,
            text: None,
            data: ItemText::Own(data.to_string().into()),
        }
    }

    /// Returns `true` if this is the closing step of a turn that did not complete.
    pub fn is_error(&self) -> bool {
        self.item_id.is_none() && self.step_type == StepType::Error
    }
}

impl fmt::Display for ConversationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step_type)?;
        match self.status {
            StepStatus::Completed => {}
            _ if self.is_error() => {}
            ref status => write!(f, " ({status})")?,
        }
        if let Some(text) = &self.text {
            write!(f, ": {text}")
        } else if self.is_error() {
            // Not from a tree, which could not hold the failure of every turn.
            #[derive(Deserialize)]
            struct Closing {
                message: String,
            }
            let message =
                serde_json::from_str(self.raw()).map_or(String::new(), |Closing { message }| message);
            write!(f, ": {message}")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for ConversationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_struct(
            f,
            "ConversationStep",
            &[
                ("thread_id", &self.thread_id),
                ("turn_id", &self.turn_id),
                ("item_id", &self.item_id),
                ("step_type", &self.step_type),
                ("item_type", &self.item_type),
                ("status", &self.status),
                ("text", &self.text),
                ("data", &self.raw()),
            ],
        )
    }
}

impl Serialize for ConversationStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut step = serializer.serialize_struct("ConversationStep", 8)?;
        step.serialize_field("thread_id", &self.thread_id)?;
        step.serialize_field("turn_id", &self.turn_id)?;
        step.serialize_field("item_id", &self.item_id)?;
        step.serialize_field("step_type", &self.step_type)?;
        step.serialize_field("item_type", &self.item_type)?;
        step.serialize_field("status", &self.status)?;
        step.serialize_field("text", &self.text)?;
        step.serialize_field("data", &RawJson(self.raw()))?;
        step.end()
    }
}

/// A text, or nothing if it has another type: the item still makes a step.
#[derive(Default)]
pub(super) struct LenientText(pub(super) Option<String>);

impl<'de> Deserialize<'de> for LenientText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Lenient::deserialize(deserializer).map(|value| LenientText(value.into_text().map(Cow::into_owned)))
    }
}

/// The parts of an item that make a step, of all types.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemParts<'a> {
    #[serde(default, rename = "type")]
    kind: LenientText,
    #[serde(default)]
    id: LenientText,
    #[serde(default)]
    status: LenientText,
    #[serde(default)]
    text: LenientText,
    #[serde(default)]
    command: LenientText,
    #[serde(default)]
    aggregated_output: LenientText,
    #[serde(default)]
    server: LenientText,
    #[serde(default)]
    tool: LenientText,
    #[serde(default)]
    query: LenientText,
    #[serde(default)]
    path: LenientText,
    #[serde(default)]
    review: LenientText,
    #[serde(default)]
    prompt: LenientText,
    #[serde(default)]
    agent_path: LenientText,
    #[serde(default)]
    phase: LenientText,
    #[serde(default, borrow)]
    summary: Option<&'a RawValue>,
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
    #[serde(default, borrow)]
    changes: Option<&'a RawValue>,
}

impl ItemParts<'_> {
    /// The text for display. Taken, since it may be large.
    fn take_text(&mut self, item_type: &str) -> Option<String> {
        let own = |text: &mut LenientText| text.0.take().filter(|text| !text.is_empty());
        // What no tree can hold is missing from the list, and nothing else.
        let list = |raw: Option<&RawValue>| {
            let items: Vec<&RawValue> = serde_json::from_str(raw?.get()).ok()?;
            Some(
                items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect::<Vec<Value>>(),
            )
        };
        let joined = |texts: Vec<String>, between: &str| (!texts.is_empty()).then(|| texts.join(between));
        match item_type {
            "reasoning" => {
                let parts = |raw| {
                    let parts = list(raw).unwrap_or_default();
                    joined(parts.iter().filter_map(Value::as_str).map(str::to_owned).collect(), "\n")
                };
                parts(self.summary).or_else(|| parts(self.content))
            }
            "commandExecution" => {
                let command = own(&mut self.command)?;
                Some(match own(&mut self.aggregated_output) {
                    Some(output) => format!("{command}\n{}", output.trim_end_matches('\n')),
                    None => command,
                })
            }
            "mcpToolCall" => match (own(&mut self.server), own(&mut self.tool)) {
                (Some(server), Some(tool)) => Some(format!("{server}.{tool}")),
                (server, tool) => tool.or(server),
            },
            "dynamicToolCall" | "collabAgentToolCall" => own(&mut self.tool),
            "subAgentActivity" => own(&mut self.agent_path),
            "fileChange" => {
                let line = |change: &Value| {
                    let path = change.get("path")?.as_str()?;
                    let kind =
                        change.pointer("/kind/type").or_else(|| change.get("kind")).and_then(Value::as_str);
                    Some(kind.map_or_else(|| path.to_owned(), |kind| format!("{kind} {path}")))
                };
                joined(list(self.changes)?.iter().filter_map(line).collect(), "\n")
            }
            "userMessage" => {
                let text = |part: &Value| part.get("text")?.as_str().map(str::to_owned);
                joined(list(self.content)?.iter().filter_map(text).collect(), "\n")
            }
            _ => {
                let ItemParts { text, review, query, prompt, tool, command, path, .. } = self;
                [text, review, query, prompt, tool, command, path].into_iter().find_map(own)
            }
        }
    }
}
