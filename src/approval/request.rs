//! Requests for approval and what can be decided, as plain data.
//!
//! Relies on `protocol`. Invariant: a decision that the kind of request has no word for is refused
//! here, before anything is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    connection::Question,
    error::{Error, Result},
    protocol::{
        CommandAction, CommandExecutionRequestApprovalParams, FileChangeRequestApprovalParams,
        FileUpdateChange, NetworkApprovalContext, RequestId, decode,
    },
};

/// Who decides about approvals when there is no handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ApprovalMode {
    /// They are declined at once.
    #[default]
    Auto,
    /// They wait until the program answers, for the approval limit (for ever, unless set).
    Manual,
}

/// The server asks whether it may do something.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalRequest {
    /// Run a command.
    Command(CommandApprovalRequest),
    /// Change files.
    FileChange(FileChangeApprovalRequest),
    /// Call a tool of an MCP server.
    McpTool(McpToolApprovalRequest),
}

/// What tells one question from another, beside what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// The client that was asked.
    pub(crate) client: u64,
    /// The question's number on its connection.
    pub(crate) number: u64,
}

/// The server asks whether it may run a command. All but the ids may be missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CommandApprovalRequest {
    /// The server's id of the question, a number or a text.
    pub request_id: RequestId,
    /// The thread.
    pub thread_id: String,
    /// The turn.
    pub turn_id: String,
    /// The item of the command.
    pub item_id: String,
    /// Tells several questions about one item apart.
    pub approval_id: Option<String>,
    /// Why the model wants it.
    pub reason: Option<String>,
    /// The command line.
    pub command: Option<String>,
    /// Where it would run.
    pub cwd: Option<String>,
    /// What the command does, as far as the server understands it.
    pub command_actions: Option<Vec<CommandAction>>,
    /// The rule that would allow commands like it for good.
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    /// The host it wants to reach, if that is what the question is about.
    pub network_approval_context: Option<NetworkApprovalContext>,
    /// What the server proposes to choose from: a hint, which it does not enforce.
    pub available_decisions: Option<Value>,
    #[serde(skip)]
    pub(crate) key: Key,
}

/// The server asks whether it may change files.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FileChangeApprovalRequest {
    /// The server's id of the question, a number or a text.
    pub request_id: RequestId,
    /// The thread.
    pub thread_id: String,
    /// The turn.
    pub turn_id: String,
    /// The item of the change.
    pub item_id: String,
    /// Why it has to be asked.
    pub reason: Option<String>,
    /// The folder that would become writable.
    pub grant_root: Option<String>,
    /// The changes. They are not part of the question; they come from the item that was announced
    /// before it, and are missing if that was not seen.
    pub changes: Option<Vec<FileUpdateChange>>,
    #[serde(skip)]
    pub(crate) key: Key,
}

/// The server asks whether it may call a tool of an MCP server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct McpToolApprovalRequest {
    /// The server's id of the question, a number or a text.
    pub request_id: RequestId,
    /// The thread.
    pub thread_id: String,
    /// The turn, where one is named.
    pub turn_id: Option<String>,
    /// The MCP server.
    pub server_name: String,
    /// The question in words.
    pub message: String,
    /// The tool.
    pub tool_name: Option<String>,
    /// What it would be called with.
    pub tool_params: Option<Value>,
    #[serde(skip)]
    pub(crate) key: Key,
}

/// What is decided about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalDecision {
    /// Yes, this once.
    Accept,
    /// Yes, and the same is not asked again in this thread.
    AcceptForSession,
    /// Yes, and commands that begin with these words are allowed for good. The server writes whatever
    /// is given into its rules, unchecked; give back what the request proposes.
    AcceptWithExecpolicyAmendment(Vec<String>),
    /// No; the turn goes on.
    Decline,
    /// No, and the turn is interrupted (a tool's call is only refused).
    Cancel,
}

impl ApprovalRequest {
    /// The request in a question, or why it can't be read. `None`: it is no approval.
    pub(super) fn read(
        question: &Question,
        client: u64,
    ) -> Option<Result<ApprovalRequest, serde_json::Error>> {
        let key = Key { client, number: question.number };
        match question.method.as_str() {
            "item/commandExecution/requestApproval" => Some(command(question, key)),
            "item/fileChange/requestApproval" => Some(file_change(question, key)),
            "mcpServer/elicitation/request" => mcp_tool(question, key).map(Ok),
            _ => None,
        }
    }

    pub(crate) fn key(&self) -> Key {
        match self {
            ApprovalRequest::Command(request) => request.key,
            ApprovalRequest::FileChange(request) => request.key,
            ApprovalRequest::McpTool(request) => request.key,
        }
    }

    /// The server's id of the question.
    pub fn request_id(&self) -> &RequestId {
        match self {
            ApprovalRequest::Command(request) => &request.request_id,
            ApprovalRequest::FileChange(request) => &request.request_id,
            ApprovalRequest::McpTool(request) => &request.request_id,
        }
    }

    /// The thread.
    pub fn thread_id(&self) -> &str {
        match self {
            ApprovalRequest::Command(request) => &request.thread_id,
            ApprovalRequest::FileChange(request) => &request.thread_id,
            ApprovalRequest::McpTool(request) => &request.thread_id,
        }
    }

    /// The turn, where one is named.
    pub fn turn_id(&self) -> Option<&str> {
        match self {
            ApprovalRequest::Command(request) => Some(&request.turn_id),
            ApprovalRequest::FileChange(request) => Some(&request.turn_id),
            ApprovalRequest::McpTool(request) => request.turn_id.as_deref(),
        }
    }

    /// The item, where one is named.
    pub fn item_id(&self) -> Option<&str> {
        match self {
            ApprovalRequest::Command(request) => Some(&request.item_id),
            ApprovalRequest::FileChange(request) => Some(&request.item_id),
            ApprovalRequest::McpTool(_) => None,
        }
    }

    /// Whether both are the same question, by everything that names it.
    pub(super) fn is_same(&self, other: &ApprovalRequest) -> bool {
        self.key() == other.key()
            && self.request_id() == other.request_id()
            && self.thread_id() == other.thread_id()
            && self.turn_id() == other.turn_id()
            && self.item_id() == other.item_id()
            && std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The decision in the shape that this kind of request takes.
    pub(super) fn answer(&self, decision: &ApprovalDecision) -> Result<Value> {
        use ApprovalDecision::{Accept, AcceptForSession, AcceptWithExecpolicyAmendment, Cancel, Decline};
        let amendment_elsewhere = || {
            Error::invalid("only the approval of a command takes an amendment of the rules; nothing was sent")
        };
        if let ApprovalRequest::McpTool(_) = self {
            return Ok(match decision {
                Accept => json!({ "action": "accept", "content": {} }),
                AcceptForSession => {
                    json!({ "action": "accept", "content": {}, "_meta": { "persist": "session" } })
                }
                Decline => json!({ "action": "decline", "content": null }),
                Cancel => json!({ "action": "cancel", "content": null }),
                AcceptWithExecpolicyAmendment(_) => return Err(amendment_elsewhere()),
            });
        }
        let decision = match decision {
            Accept => json!("accept"),
            AcceptForSession => json!("acceptForSession"),
            Decline => json!("decline"),
            Cancel => json!("cancel"),
            AcceptWithExecpolicyAmendment(words) if matches!(self, ApprovalRequest::Command(_)) => {
                json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": words } })
            }
            AcceptWithExecpolicyAmendment(_) => return Err(amendment_elsewhere()),
        };
        Ok(json!({ "decision": decision }))
    }
}

/// `params` of a question, whatever the rest of the message is.
pub(super) fn params_of<T: serde::de::DeserializeOwned>(question: &Question) -> Result<T, serde_json::Error> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        params: Option<&'a serde_json::value::RawValue>,
    }
    let Message { params } = serde_json::from_str(&question.text)?;
    decode(params.map_or("null", serde_json::value::RawValue::get))
}

fn command(question: &Question, key: Key) -> Result<ApprovalRequest, serde_json::Error> {
    let params: CommandExecutionRequestApprovalParams = params_of(question)?;
    Ok(ApprovalRequest::Command(CommandApprovalRequest {
        request_id: question.id.clone(),
        thread_id: params.thread_id,
        turn_id: params.turn_id,
        item_id: params.item_id,
        approval_id: params.approval_id,
        reason: params.reason,
        command: params.command,
        cwd: params.cwd,
        command_actions: params.command_actions,
        proposed_execpolicy_amendment: params.proposed_execpolicy_amendment,
        network_approval_context: params.network_approval_context,
        available_decisions: params
            .available_decisions
            .and_then(|decisions| serde_json::to_value(decisions).ok()),
        key,
    }))
}

fn file_change(question: &Question, key: Key) -> Result<ApprovalRequest, serde_json::Error> {
    #[derive(Deserialize)]
    struct Item {
        changes: Vec<FileUpdateChange>,
    }
    let params: FileChangeRequestApprovalParams = params_of(question)?;
    let announced = question.announced.as_deref().and_then(|item| serde_json::from_str(item).ok());
    Ok(ApprovalRequest::FileChange(FileChangeApprovalRequest {
        request_id: question.id.clone(),
        thread_id: params.thread_id,
        turn_id: params.turn_id,
        item_id: params.item_id,
        reason: params.reason,
        grant_root: params.grant_root,
        changes: announced.map(|Item { changes }| changes),
        key,
    }))
}

/// An elicitation that is really the approval of a tool says so in its `_meta`.
fn mcp_tool(question: &Question, key: Key) -> Option<ApprovalRequest> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        thread_id: String,
        turn_id: Option<String>,
        server_name: String,
        #[serde(default)]
        message: String,
        #[serde(rename = "_meta")]
        meta: Value,
    }
    let params: Params = params_of(question).ok()?;
    if params.meta["codex_approval_kind"] != "mcp_tool_call" {
        return None;
    }
    Some(ApprovalRequest::McpTool(McpToolApprovalRequest {
        request_id: question.id.clone(),
        thread_id: params.thread_id,
        turn_id: params.turn_id,
        server_name: params.server_name,
        message: params.message,
        tool_name: params.meta["tool_name"].as_str().map(str::to_owned),
        tool_params: params.meta.get("tool_params").cloned(),
        key,
    }))
}
