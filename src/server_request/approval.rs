//! Approval requests and decisions, as plain data.
//!
//! Relies on `protocol`. Invariant: a decision that a kind of request does not support is rejected here,
//! before anything is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::Received;
use crate::{
    error::{Error, Result},
    excerpt::abridged_debug,
    protocol::{
        AdditionalPermissionProfile, CommandAction, CommandExecutionApprovalKind,
        CommandExecutionRequestApprovalParams, FileChangeRequestApprovalParams, FileUpdateChange,
        NetworkApprovalContext, NetworkPolicyAmendment, NetworkPolicyRuleAction, RequestId,
    },
};

/// What happens to approval requests if there is no handler. As JSON, `"decline"` or `"manual"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalMode {
    /// They are declined immediately, with a warning in the log.
    #[default]
    Decline,
    /// They wait for an answer by hand, for the approval limit (no limit by default). So do permissions and
    /// forms while [`Client::server_requests`](crate::Client::server_requests) returns them.
    Manual,
}

/// A server request for approval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a box would be in the way of everyone who matches on it")]
#[non_exhaustive]
pub enum ApprovalRequest {
    /// To run a command.
    Command(CommandApprovalRequest),
    /// To change files.
    FileChange(FileChangeApprovalRequest),
    /// To call a tool of an MCP server.
    McpTool(McpToolApprovalRequest),
}

/// A server request for approval to run a command. All fields except the ids may be missing.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CommandApprovalRequest {
    /// The server's id of the request, a number or a string.
    pub request_id: RequestId,
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// The id of the command's item.
    pub item_id: String,
    /// Distinguishes several requests about one item.
    pub approval_id: Option<String>,
    /// Which action needs approval: running the command, or writing to it.
    pub command_kind: Option<CommandExecutionApprovalKind>,
    /// The model's reason.
    pub reason: Option<String>,
    /// The command line.
    pub command: Option<String>,
    /// The working directory.
    pub cwd: Option<String>,
    /// The environment in which the command would run.
    pub environment_id: Option<String>,
    /// What the command does, as parsed by the server.
    pub command_actions: Option<Vec<CommandAction>>,
    /// The permissions beyond the sandbox that the command would get, if the request is about that.
    pub additional_permissions: Option<AdditionalPermissionProfile>,
    /// The rule that would permanently allow similar commands.
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    /// The host that the command wants to reach, if the request is about that.
    pub network_approval_context: Option<NetworkApprovalContext>,
    /// The host rules that would permanently answer such requests.
    pub proposed_network_policy_amendments: Option<Vec<NetworkPolicyAmendment>>,
    /// The decisions that the server suggests; it does not enforce them.
    pub available_decisions: Option<Value>,
    /// When the item started, in milliseconds since 1970.
    pub started_at_ms: Option<i64>,
    #[serde(rename = "key")]
    pub(super) received: Received,
}

abridged_debug!(struct CommandApprovalRequest {
    request_id, thread_id, turn_id, item_id, approval_id, command_kind, reason, command, cwd, environment_id,
    command_actions, additional_permissions, proposed_execpolicy_amendment, network_approval_context,
    proposed_network_policy_amendments, available_decisions, started_at_ms, received,
});

/// A server request for approval to change files.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FileChangeApprovalRequest {
    /// The server's id of the request, a number or a string.
    pub request_id: RequestId,
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id.
    pub turn_id: String,
    /// The id of the change's item.
    pub item_id: String,
    /// Why approval is required.
    pub reason: Option<String>,
    /// The directory that would become writable.
    pub grant_root: Option<String>,
    /// The changes. They are not part of the request; they come from the item that the server announced
    /// before it, and are missing if this client did not receive that.
    /// [`unified_diff`](Self::unified_diff) shows them as a diff.
    pub changes: Option<Vec<FileUpdateChange>>,
    /// When the item started, in milliseconds since 1970.
    pub started_at_ms: Option<i64>,
    #[serde(rename = "key")]
    pub(super) received: Received,
}

abridged_debug!(struct FileChangeApprovalRequest {
    request_id, thread_id, turn_id, item_id, reason, grant_root, changes, started_at_ms, received,
});

/// A server request for approval to call a tool of an MCP server.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct McpToolApprovalRequest {
    /// The server's id of the request, a number or a string.
    pub request_id: RequestId,
    /// The thread's id.
    pub thread_id: String,
    /// The turn's id, if the request names one.
    pub turn_id: Option<String>,
    /// The MCP server's name.
    pub server_name: String,
    /// The request as text.
    pub message: String,
    /// The tool's name.
    pub tool_name: Option<String>,
    /// The arguments of the call.
    pub tool_params: Option<Value>,
    /// What else the request says about the tool (the other members of its `_meta`), such as
    /// `tool_description`.
    pub meta: Value,
    /// The schema of what the MCP server would receive with the approval; an object without properties, as
    /// of 0.169.
    pub requested_schema: Option<Value>,
    #[serde(rename = "key")]
    pub(super) received: Received,
}

abridged_debug!(struct McpToolApprovalRequest {
    request_id, thread_id, turn_id, server_name, message, tool_name, tool_params, meta, requested_schema, received,
});

/// A decision about an approval request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalDecision {
    /// Approves, once.
    Accept,
    /// Approves, also the same request in this thread from now on.
    AcceptForSession,
    /// Approves, and permanently allows commands that begin with these words. The server adds any words to
    /// its rules without validation; [`accept_proposed_amendment`](Self::accept_proposed_amendment) uses
    /// those that the request proposes.
    AcceptWithExecpolicyAmendment(Vec<String>),
    /// Permanently allows or denies this host, and thereby this request. Only for requests about a host (with
    /// a `network_approval_context`): the server would treat it as a plain approval of any other.
    #[non_exhaustive]
    ApplyNetworkPolicyAmendment {
        /// The host.
        host: String,
        /// Whether to allow or deny it.
        action: NetworkPolicyRuleAction,
    },
    /// Declines; the turn continues.
    Decline,
    /// Declines, and interrupts the turn (a tool call is only declined).
    Cancel,
}

impl ApprovalDecision {
    /// Reads the protocol's answer to an approval of any kind. `None`: it is none.
    pub(super) fn from_protocol(answer: &Value) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        enum Decision {
            Accept,
            AcceptForSession,
            #[serde(rename_all = "snake_case")]
            AcceptWithExecpolicyAmendment {
                execpolicy_amendment: Vec<String>,
            },
            #[serde(rename_all = "snake_case")]
            ApplyNetworkPolicyAmendment {
                network_policy_amendment: NetworkPolicyAmendment,
            },
            Decline,
            Cancel,
        }
        let decision = match answer.get("decision") {
            Some(decision) => Decision::deserialize(decision).ok()?,
            None => match (answer.get("action")?.as_str()?, &answer["_meta"]["persist"]) {
                ("accept", Value::Null) => Decision::Accept,
                ("accept", persist) if persist == "session" => Decision::AcceptForSession,
                ("decline", _) => Decision::Decline,
                ("cancel", _) => Decision::Cancel,
                _ => return None,
            },
        };
        Some(match decision {
            Decision::Accept => Self::Accept,
            Decision::AcceptForSession => Self::AcceptForSession,
            Decision::AcceptWithExecpolicyAmendment { execpolicy_amendment } => {
                Self::AcceptWithExecpolicyAmendment(execpolicy_amendment)
            }
            Decision::ApplyNetworkPolicyAmendment { network_policy_amendment } => {
                let NetworkPolicyAmendment { host, action, .. } = network_policy_amendment;
                Self::ApplyNetworkPolicyAmendment { host, action }
            }
            Decision::Decline => Self::Decline,
            Decision::Cancel => Self::Cancel,
        })
    }

    /// Permanently allows or denies a host:
    /// [`ApplyNetworkPolicyAmendment`](Self::ApplyNetworkPolicyAmendment).
    pub fn apply_network_policy_amendment(host: impl Into<String>, action: NetworkPolicyRuleAction) -> Self {
        Self::ApplyNetworkPolicyAmendment { host: host.into(), action }
    }

    /// Approves with the rule that the server proposes for the command; `None` if it proposes none.
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

    /// The JSON text of the whole message, including unknown fields.
    pub fn raw(&self) -> &str {
        &self.received().text
    }

    /// The server's id of the request.
    pub fn request_id(&self) -> &RequestId {
        match self {
            ApprovalRequest::Command(request) => &request.request_id,
            ApprovalRequest::FileChange(request) => &request.request_id,
            ApprovalRequest::McpTool(request) => &request.request_id,
        }
    }

    /// The thread's id.
    pub fn thread_id(&self) -> &str {
        match self {
            ApprovalRequest::Command(request) => &request.thread_id,
            ApprovalRequest::FileChange(request) => &request.thread_id,
            ApprovalRequest::McpTool(request) => &request.thread_id,
        }
    }

    /// The turn's id, if the request names one.
    pub fn turn_id(&self) -> Option<&str> {
        match self {
            ApprovalRequest::Command(request) => Some(&request.turn_id),
            ApprovalRequest::FileChange(request) => Some(&request.turn_id),
            ApprovalRequest::McpTool(request) => request.turn_id.as_deref(),
        }
    }

    /// The item's id, if the request names one.
    pub fn item_id(&self) -> Option<&str> {
        match self {
            ApprovalRequest::Command(request) => Some(&request.item_id),
            ApprovalRequest::FileChange(request) => Some(&request.item_id),
            ApprovalRequest::McpTool(_) => None,
        }
    }

    /// Whether both are the same request, by all its ids.
    pub(super) fn is_same(&self, other: &ApprovalRequest) -> bool {
        self.request_id() == other.request_id()
            && self.thread_id() == other.thread_id()
            && self.turn_id() == other.turn_id()
            && self.item_id() == other.item_id()
            && std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The decision as JSON for this kind of request.
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

impl FileChangeApprovalRequest {
    /// The [changes](Self::changes) as one diff, as `git apply` accepts it: the
    /// [`unified_diff`](FileUpdateChange::unified_diff) of each. `None` if the changes are missing.
    pub fn unified_diff(&self) -> Option<String> {
        self.changes.as_ref().map(|changes| changes.iter().map(FileUpdateChange::unified_diff).collect())
    }
}

impl ApprovalRequest {
    /// Decodes an approval request for a command.
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
            environment_id: params.environment_id,
            command_actions: params.command_actions,
            additional_permissions: params.additional_permissions,
            proposed_execpolicy_amendment: params.proposed_execpolicy_amendment,
            network_approval_context: params.network_approval_context,
            proposed_network_policy_amendments: params.proposed_network_policy_amendments,
            available_decisions: params
                .available_decisions
                .and_then(|decisions| serde_json::to_value(decisions).ok()),
            started_at_ms: params.started_at_ms,
            received,
        }))
    }

    /// Decodes an approval request for a change of files.
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
            started_at_ms: params.started_at_ms,
            received,
        }))
    }

    /// Decodes an elicitation that is the approval of a tool according to its `_meta`; `None` for any other.
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
            requested_schema: Option<Value>,
        }
        let mut params: Params = received.params().ok()?;
        if params.meta["codex_approval_kind"] != "mcp_tool_call" {
            return None;
        }
        let mut take = |name| params.meta.as_object_mut()?.remove(name);
        let (tool_name, tool_params) = (take("tool_name"), take("tool_params"));
        Some(ApprovalRequest::McpTool(McpToolApprovalRequest {
            request_id: received.id.clone(),
            thread_id: params.thread_id,
            turn_id: params.turn_id,
            server_name: params.server_name,
            message: params.message,
            tool_name: tool_name.as_ref().and_then(Value::as_str).map(str::to_owned),
            tool_params,
            meta: params.meta,
            requested_schema: params.requested_schema,
            received: received.clone(),
        }))
    }
}
