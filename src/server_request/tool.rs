//! Tools of the program that the agent can call: their declarations and their implementations.
//!
//! Relies on `protocol`. Invariant: names and schemas that the server would reject are rejected before
//! anything is sent, and every call is answered: an error or a panic is a failed call.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::Value;

use super::{ServerRequest, ServerResponse, ToolCall, handlers::Handler};
use crate::{
    error::{Error, Result},
    protocol::{
        DynamicToolCallOutputContentItem, DynamicToolCallResponse as ToolOutput, DynamicToolNamespaceTool,
        DynamicToolSpec, FunctionDynamicToolNamespaceTool, FunctionDynamicToolSpec,
        InputAudioDynamicToolCallOutputContentItem, InputImageDynamicToolCallOutputContentItem,
        InputTextDynamicToolCallOutputContentItem, NamespaceDynamicToolSpec,
    },
};

/// The error of a tool call: any error, or a text (`Err("no such ticket".into())`). The model receives its
/// text.
pub type ToolError = Box<dyn std::error::Error + Send + Sync>;

type ToolFn = dyn Fn(&ToolCall) -> std::result::Result<ToolOutput, ToolError> + Send + Sync;

/// A tool of this program that the model can call (the protocol's dynamic tools).
///
/// A tool belongs to a thread: [`Client::start_thread_with_tools`](crate::Client::start_thread_with_tools).
///
/// ```
/// use codex_blocking::{Client, ThreadConfig, Tool, testing::ScriptedServer};
/// use serde_json::json;
///
/// let client = Client::builder().experimental_api(true).connect(ScriptedServer::new())?;
/// let schema = json!({
///     "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"],
/// });
/// let lookup = Tool::new("lookup_ticket", "Looks up a ticket by its id", schema, |call| {
///     let id = call.params().arguments["id"].as_str().ok_or("`id` is missing")?;
///     Ok(format!("ticket {id} is open").into())
/// });
/// let thread = client.start_thread_with_tools(ThreadConfig::new(), [lookup])?;
/// # drop(thread);
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a tool does nothing until it is passed to a thread"]
#[derive(Clone)]
pub struct Tool {
    /// The name and the description.
    namespace: Option<(String, String)>,
    name: String,
    description: String,
    input_schema: Value,
    run: Arc<ToolFn>,
}

impl Tool {
    /// Creates a tool from its name (letters, digits, `_` and `-`; not `mcp`, nor `mcp__…`), its description
    /// for the model, the JSON schema of its arguments (an object), and its implementation.
    ///
    /// Calls run on worker threads, concurrently. A call may block; this delays only its own turn, whose
    /// inactivity clock is stopped. If it returns an error or panics, the call fails, and the model receives
    /// the text. The arguments are not validated against the schema. The closure may call the client; let it
    /// capture a [`WeakClient`](crate::WeakClient), since a clone would keep its own connection open.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        input_schema: impl Into<Value>,
        run: impl Fn(&ToolCall) -> std::result::Result<ToolOutput, ToolError> + Send + Sync + 'static,
    ) -> Self {
        Tool {
            namespace: None,
            name: name.into(),
            description: description.into(),
            input_schema: input_schema.into(),
            run: Arc::new(run),
        }
    }

    /// Puts the tool into a namespace, which has its own description; all tools of a namespace must have the
    /// same.
    pub fn namespace(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.namespace = Some((name.into(), description.into()));
        self
    }

    /// The namespace's name and description.
    fn space(&self) -> (Option<&str>, Option<&str>) {
        self.namespace.as_ref().map(|(name, about)| (name.as_str(), about.as_str())).unzip()
    }

    fn is_called_by(&self, call: &ToolCall) -> bool {
        let params = call.params();
        self.name == params.tool && self.space().0 == params.namespace.as_deref()
    }

    /// Runs a call; errors and panics become a failed call.
    pub(super) fn call(&self, call: &ToolCall) -> ToolOutput {
        let failure = match catch_unwind(AssertUnwindSafe(|| (self.run)(call))) {
            Ok(Ok(output)) => return output,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => {
                let failure = format!("the tool panicked: {}", text_of(&*panic));
                // Its drop may panic too.
                std::mem::forget(panic);
                failure
            }
        };
        log::warn!("a call of tool {} failed: {failure}", self.name);
        ToolOutput::text(failure).failed()
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The message of a panic.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

impl ToolOutput {
    /// Creates an output from a text.
    pub fn text(text: impl Into<String>) -> Self {
        ToolOutput::new(Vec::new(), true).and_text(text)
    }

    /// Creates an output from an image, as a `data:` URL.
    pub fn image(url: impl Into<String>) -> Self {
        ToolOutput::new(Vec::new(), true).and_image(url)
    }

    /// Adds a text.
    #[must_use]
    pub fn and_text(self, text: impl Into<String>) -> Self {
        self.and(InputTextDynamicToolCallOutputContentItem::new(text))
    }

    /// Adds an image, as a `data:` URL.
    #[must_use]
    pub fn and_image(self, url: impl Into<String>) -> Self {
        self.and(InputImageDynamicToolCallOutputContentItem::new(url))
    }

    /// Adds audio, as a `data:` URL.
    #[must_use]
    pub fn and_audio(self, url: impl Into<String>) -> Self {
        self.and(InputAudioDynamicToolCallOutputContentItem::new(url))
    }

    /// Marks the call as failed; the output tells the model why.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.success = false;
        self
    }

    fn and(mut self, part: impl Into<DynamicToolCallOutputContentItem>) -> Self {
        self.content_items.push(part.into());
        self
    }
}

impl From<String> for ToolOutput {
    fn from(text: String) -> Self {
        ToolOutput::text(text)
    }
}

impl From<&str> for ToolOutput {
    fn from(text: &str) -> Self {
        ToolOutput::text(text)
    }
}

impl From<Value> for ToolOutput {
    /// Converts the JSON to a text.
    fn from(value: Value) -> Self {
        ToolOutput::text(value.to_string())
    }
}

/// The tools of one thread.
#[derive(Clone)]
pub(crate) struct ToolSet(Arc<[Arc<Tool>]>);

impl ToolSet {
    /// Rejects what the server would reject.
    pub(crate) fn new(tools: impl IntoIterator<Item = Tool>) -> Result<Self> {
        let tools: Vec<Tool> = tools.into_iter().collect();
        for (index, tool) in tools.iter().enumerate() {
            check_name(&tool.name)?;
            if !tool.input_schema.is_object() {
                let name = &tool.name;
                return Err(Error::invalid(format!("the schema of tool {name} must be a JSON object")));
            }
            let (space, about) = tool.space();
            if let Some(space) = space {
                check_name(space)?;
            }
            for other in &tools[..index] {
                let (other_space, other_about) = other.space();
                if space == other_space && tool.name == other.name {
                    return Err(Error::invalid(format!("two tools have the name {}", tool.name)));
                }
                if space == other_space && about != other_about {
                    let space = space.unwrap_or_default();
                    return Err(Error::invalid(format!("the namespace {space} has two descriptions")));
                }
            }
        }
        Ok(ToolSet(tools.into_iter().map(Arc::new).collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The declarations for the server.
    pub(crate) fn specs(&self) -> Vec<DynamicToolSpec> {
        let mut specs: Vec<DynamicToolSpec> = Vec::new();
        for tool in &*self.0 {
            let (description, schema, name) = (&tool.description, &tool.input_schema, &tool.name);
            let Some((space, about)) = &tool.namespace else {
                specs.push(FunctionDynamicToolSpec::new(description, schema.clone(), name).into());
                continue;
            };
            let member: DynamicToolNamespaceTool =
                FunctionDynamicToolNamespaceTool::new(description, schema.clone(), name).into();
            let known = specs.iter_mut().find_map(|spec| match spec {
                DynamicToolSpec::Namespace(spec) if spec.name == *space => Some(spec),
                _ => None,
            });
            match known {
                Some(spec) => spec.tools.push(member),
                None => specs.push(NamespaceDynamicToolSpec::new(about, space, vec![member]).into()),
            }
        }
        specs
    }
}

fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(Error::invalid(format!(
            "invalid name of a tool or namespace: `{name}`; only letters, digits, `_` and `-` are allowed"
        )));
    }
    if name == "mcp" || name.starts_with("mcp__") {
        return Err(Error::invalid(format!("`{name}` is reserved for the tools of MCP servers")));
    }
    Ok(())
}

/// The tools of all threads of a client.
///
/// The tools of a thread are kept until the server reports it as closed, archived or deleted, or the
/// connection ends.
#[derive(Default)]
pub(super) struct Tools(Mutex<HashMap<String, ToolSet>>);

impl Tools {
    /// The tool that the call names.
    pub(super) fn find(&self, call: &ToolCall) -> Option<Handler> {
        let threads = self.0.lock();
        let tools = threads.get(&call.params().thread_id)?;
        let tool = tools.0.iter().find(|tool| tool.is_called_by(call)).cloned()?;
        Some(Arc::new(move |request| match request {
            ServerRequest::ToolCall(call) => tool.call(call).into(),
            _ => ServerResponse::pass(),
        }))
    }

    /// Sets or clears the tools of a thread, and returns the previous ones.
    pub(super) fn put(&self, thread_id: &str, tools: Option<ToolSet>) -> Option<ToolSet> {
        let mut threads = self.0.lock();
        match tools {
            Some(tools) => threads.insert(thread_id.to_owned(), tools),
            None => threads.remove(thread_id),
        }
    }

    /// Gives a fork the tools of its source, which the server declares to its model too.
    pub(super) fn inherit(&self, from: &str, to: &str) {
        let mut threads = self.0.lock();
        let tools = threads.get(from).cloned();
        let replaced = tools.and_then(|tools| threads.insert(to.to_owned(), tools));
        drop(threads);
        // It may own anything; not under the lock.
        drop(replaced);
    }

    /// Takes all tools. Dropping them may run user code, so the caller decides where.
    pub(super) fn take_all(&self) -> HashMap<String, ToolSet> {
        std::mem::take(&mut *self.0.lock())
    }
}
