//! Requests for approval and what can be decided, as plain data.
//!
//! Relies on `protocol`. Invariant: a decision that the kind of request has no word for is refused
//! here, before anything is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Received;
use crate::{
    error::{Error, Result},
    protocol::{
        AdditionalPermissionProfile, CommandAction, CommandExecutionApprovalKind,
        CommandExecutionRequestApprovalParams, FileChangeRequestApprovalParams, FileUpdateChange,
        NetworkApprovalContext, NetworkPolicyAmendment, NetworkPolicyRuleAction, RequestId,
    },
};

/// Who decides about approvals when there is no handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ApprovalMode {
    /// They are declined at once.
    #[default]
    Decline,
    /// They wait until the program answers, for the approval limit (for ever, unless set); so do
    /// permissions and forms while [`Client::server_requests`](crate::Client::server_requests) shows them.
    Manual,
}

/// The server asks whether it may do something.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a box would be in the way of everyone who matches on it")]
#[non_exhaustive]
pub enum ApprovalRequest {
    /// Run a command.
    Command(CommandApprovalRequest),
    /// Change files.
    FileChange(FileChangeApprovalRequest),
    /// Call a tool of an MCP server.
    McpTool(McpToolApprovalRequest),
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
    /// What of the command is asked about: that it runs, or that something is written to it.
    pub command_kind: Option<CommandExecutionApprovalKind>,
    /// Why the model wants it.
    pub reason: Option<String>,
    /// The command line.
    pub command: Option<String>,
    /// Where it would run.
    pub cwd: Option<String>,
    /// What the command does, as far as the server understands it.
    pub command_actions: Option<Vec<CommandAction>>,
    /// What it would be allowed beyond the sandbox, if that is what the question is about.
    pub additional_permissions: Option<AdditionalPermissionProfile>,
    /// The rule that would allow commands like it for good.
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    /// The host it wants to reach, if that is what the question is about.
    pub network_approval_context: Option<NetworkApprovalContext>,
    /// The rules about hosts that would answer such questions for good.
    pub proposed_network_policy_amendments: Option<Vec<NetworkPolicyAmendment>>,
    /// What the server proposes to choose from: a hint, which it does not enforce.
    pub available_decisions: Option<Value>,
    #[serde(skip)]
    pub(super) received: Received,
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
    pub(super) received: Received,
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
    pub(super) received: Received,
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
    /// is given into its rules, unchecked: [`accept_proposed_amendment`](Self::accept_proposed_amendment)
    /// gives back what the request proposes.
    AcceptWithExecpolicyAmendment(Vec<String>),
    /// This host is allowed or denied for good, and what wanted to reach it with it. Fits questions about
    /// a host alone (those with a `network_approval_context`): to any other the server would take it for
    /// a plain yes.
    #[non_exhaustive]
    ApplyNetworkPolicyAmendment {
        /// The host.
        host: String,
        /// Whether it is allowed.
        action: NetworkPolicyRuleAction,
    },
    /// No; the turn goes on.
    Decline,
    /// No, and the turn is interrupted (a tool's call is only refused).
    Cancel,
}

impl ApprovalDecision {
    /// The host is allowed or denied for good:
    /// [`ApplyNetworkPolicyAmendment`](Self::ApplyNetworkPolicyAmendment).
    pub fn apply_network_policy_amendment(host: impl Into<String>, action: NetworkPolicyRuleAction) -> Self {
        Self::ApplyNetworkPolicyAmendment { host: host.into(), action }
    }

    /// Yes, with the rule that the server itself proposes for the command; `None` when it proposes none.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ApprovalDecision;
    ///
    /// client.set_approval_handler(|request| {
    ///     ApprovalDecision::accept_proposed_amendment(request).unwrap_or(ApprovalDecision::Decline)
    /// });
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn accept_proposed_amendment(request: &ApprovalRequest) -> Option<Self> {
        let ApprovalRequest::Command(request) = request else { return None };
        let proposed = request.proposed_execpolicy_amendment.clone().filter(|words| !words.is_empty());
        proposed.map(Self::AcceptWithExecpolicyAmendment)
    }
}

impl ApprovalRequest {
    pub(super) fn received(&self) -> &Received {
        match self {
            ApprovalRequest::Command(request) => &request.received,
            ApprovalRequest::FileChange(request) => &request.received,
            ApprovalRequest::McpTool(request) => &request.received,
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
        self.request_id() == other.request_id()
            && self.thread_id() == other.thread_id()
            && self.turn_id() == other.turn_id()
            && self.item_id() == other.item_id()
            && std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The decision in the shape that this kind of request takes.
    pub(super) fn answer(&self, decision: &ApprovalDecision) -> Result<Value> {
        use ApprovalDecision::{
            Accept, AcceptForSession, AcceptWithExecpolicyAmendment, ApplyNetworkPolicyAmendment, Cancel,
            Decline,
        };
        let unfit = |what| Err(Error::invalid(format!("{what}; nothing was sent")));
        let is_about_host = match self {
            ApprovalRequest::Command(request) => request.network_approval_context.is_some(),
            _ => false,
        };
        match decision {
            AcceptWithExecpolicyAmendment(_) if !matches!(self, ApprovalRequest::Command(_)) => {
                return unfit("only the approval of a command accepts an amendment of the rules");
            }
            AcceptWithExecpolicyAmendment(words) if words.is_empty() => {
                return unfit("an empty amendment would be a plain approval");
            }
            ApplyNetworkPolicyAmendment { .. } if !is_about_host => {
                return unfit("only the approval of a host accepts an amendment of the host rules");
            }
            _ => {}
        }
        if let ApprovalRequest::McpTool(_) = self {
            return Ok(match decision {
                AcceptForSession => {
                    json!({ "action": "accept", "content": {}, "_meta": { "persist": "session" } })
                }
                Accept => json!({ "action": "accept", "content": {} }),
                Cancel => json!({ "action": "cancel", "content": null }),
                _ => json!({ "action": "decline", "content": null }),
            });
        }
        let decision = match decision {
            Accept => json!("accept"),
            AcceptForSession => json!("acceptForSession"),
            Decline => json!("decline"),
            Cancel => json!("cancel"),
            AcceptWithExecpolicyAmendment(words) => {
                json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": words } })
            }
            ApplyNetworkPolicyAmendment { host, action } => {
                json!({ "applyNetworkPolicyAmendment": { "network_policy_amendment": { "host": host, "action": action } } })
            }
        };
        Ok(json!({ "decision": decision }))
    }
}

impl ApprovalRequest {
    /// Reads a question about a command.
    pub(super) fn command(received: Received) -> serde_json::Result<ApprovalRequest> {
        let params: CommandExecutionRequestApprovalParams = received.params()?;
        Ok(ApprovalRequest::Command(CommandApprovalRequest {
            request_id: received.id.clone(),
            thread_id: params.thread_id,
            turn_id: params.turn_id,
            item_id: params.item_id,
            approval_id: params.approval_id,
            command_kind: params.kind,
            reason: params.reason,
            command: params.command,
            cwd: params.cwd,
            command_actions: params.command_actions,
            additional_permissions: params.additional_permissions,
            proposed_execpolicy_amendment: params.proposed_execpolicy_amendment,
            network_approval_context: params.network_approval_context,
            proposed_network_policy_amendments: params.proposed_network_policy_amendments,
            available_decisions: params
                .available_decisions
                .and_then(|decisions| serde_json::to_value(decisions).ok()),
            received,
        }))
    }

    /// Reads a question about a change of files.
    pub(super) fn file_change(received: Received) -> serde_json::Result<ApprovalRequest> {
        #[derive(Deserialize)]
        struct Item {
            changes: Vec<FileUpdateChange>,
        }
        let params: FileChangeRequestApprovalParams = received.params()?;
        let announced = received.announced.as_deref();
        let announced = announced.and_then(|item| serde_json::from_str(item).ok());
        Ok(ApprovalRequest::FileChange(FileChangeApprovalRequest {
            request_id: received.id.clone(),
            thread_id: params.thread_id,
            turn_id: params.turn_id,
            item_id: params.item_id,
            reason: params.reason,
            grant_root: params.grant_root,
            changes: announced.map(|Item { changes }| changes),
            received,
        }))
    }

    /// Reads an elicitation that is really the approval of a tool, which says so in its `_meta`; `None`
    /// for any other.
    pub(super) fn mcp_tool(received: &Received) -> Option<ApprovalRequest> {
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
        let params: Params = received.params().ok()?;
        if params.meta["codex_approval_kind"] != "mcp_tool_call" {
            return None;
        }
        Some(ApprovalRequest::McpTool(McpToolApprovalRequest {
            request_id: received.id.clone(),
            thread_id: params.thread_id,
            turn_id: params.turn_id,
            server_name: params.server_name,
            message: params.message,
            tool_name: params.meta["tool_name"].as_str().map(str::to_owned),
            tool_params: params.meta.get("tool_params").cloned(),
            received: received.clone(),
        }))
    }
}
