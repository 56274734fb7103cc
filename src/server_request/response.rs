//! The answer to a server request, and whether it fits.
//!
//! Relies on `request`. Invariant: an answer that the request does not support, or that grants more than was
//! requested, is rejected here, before anything is sent.

use std::fmt;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    ApprovalDecision, ElicitationRequest, PermissionsRequest, ServerRequest, UserInputResponse,
    default_answer::{default_answer, to_answer},
};
use crate::{
    error::{Error, Result},
    protocol::{
        AttestationGenerateParams, ChatgptAuthTokensRefreshParams, CurrentTimeReadParams,
        DynamicToolCallParams, FileSystemAccessMode, FileSystemPath, FileSystemSandboxEntry,
        GrantedPermissionProfile, McpServerElicitationAction, McpServerElicitationRequestParams,
        McpServerElicitationRequestResponse, PermissionGrantScope, PermissionsRequestApprovalParams,
        PermissionsRequestApprovalResponse, RequestPermissionProfile, ServerRequestParams,
        ToolRequestUserInputParams,
    },
    rpc::{Answer, Refusal},
    setting::Setting,
};

/// The answer to a [`ServerRequest`].
///
/// | kind | answer |
/// | --- | --- |
/// | `Approval` | `ApprovalDecision::Decline.into()`, … |
/// | `UserInput` | `UserInputResponse::answer("q", ["A"]).into()` |
/// | `Permissions` | [`request.grant(..)`](PermissionsRequest::grant), [`request.grant_all(..)`](PermissionsRequest::grant_all), [`request.grant_raw(..)`](PermissionsRequest::grant_raw), [`request.deny()`](PermissionsRequest::deny) |
/// | `Elicitation` | [`request.accept(..)`](ElicitationRequest::accept), [`request.decline()`](ElicitationRequest::decline), [`request.cancel()`](ElicitationRequest::cancel) |
/// | `ToolCall` | `ToolOutput::text("…").into()`, see [`ToolOutput`](crate::ToolOutput) |
/// | `TokenRefresh` | `ChatgptAuthTokensRefreshResponse::new(account, token).into()` |
/// | `Attestation` | `AttestationGenerateResponse::new(token).into()` |
/// | `CurrentTime` | `CurrentTimeReadResponse::new(unix_seconds).into()` |
/// | `Other` | [`ServerResponse::json`] |
/// | any | [`ServerResponse::pass`], [`ServerResponse::error`] |
///
/// Its `Debug` output contains only the kind, because tokens and answers may be secret.
#[must_use = "an answer does nothing until it is sent"]
#[derive(Clone, Default)]
pub struct ServerResponse(Content);

#[derive(Clone, Default)]
enum Content {
    #[default]
    Pass,
    Error {
        code: i64,
        message: String,
    },
    Json(Value),
    Decision(ApprovalDecision),
    UserInput(UserInputResponse),
    /// The answer to a request of this method.
    To(&'static str, Result<Value>),
}

impl ServerResponse {
    /// Passes the request on: it gets the default answer, as without a handler.
    pub fn pass() -> Self {
        ServerResponse(Content::Pass)
    }

    /// A result as the JSON of the protocol, for a request of any kind: `{"decision": "accept"}` for an approval of a
    /// command or of changes. The only one for a method that this version has no type for, where it is sent unseen;
    /// for all others it is checked like the typed answers.
    ///
    /// An approval of a tool of an MCP server takes `{"action": "accept"}` (with `"_meta": {"persist": "session"}` for
    /// the session), and a decision too.
    pub fn json(result: impl Into<Value>) -> Self {
        ServerResponse(Content::Json(result.into()))
    }

    /// A JSON-RPC error. The server treats it as "declined" for approvals, permissions, forms and tool calls;
    /// for tokens and the time, the turn fails.
    pub fn error(code: i64, message: impl Into<String>) -> Self {
        ServerResponse(Content::Error { code, message: message.into() })
    }

    fn to<P: ServerRequestParams>(response: &P::Response) -> Self {
        let result = serde_json::to_value(response);
        let unfit = |source| {
            Error::invalid_because(format!("the answer to {} can't be serialized", P::METHOD), source)
        };
        ServerResponse(Content::To(P::METHOD, result.map_err(unfit)))
    }
}

impl From<ApprovalDecision> for ServerResponse {
    fn from(decision: ApprovalDecision) -> Self {
        ServerResponse(Content::Decision(decision))
    }
}

impl From<UserInputResponse> for ServerResponse {
    fn from(response: UserInputResponse) -> Self {
        ServerResponse(Content::UserInput(response))
    }
}

macro_rules! answers {
    ($($params:ty,)*) => {$(
        impl From<<$params as ServerRequestParams>::Response> for ServerResponse {
            fn from(response: <$params as ServerRequestParams>::Response) -> Self {
                ServerResponse::to::<$params>(&response)
            }
        }
    )*};
}

answers! {
    PermissionsRequestApprovalParams,
    McpServerElicitationRequestParams,
    DynamicToolCallParams,
    ChatgptAuthTokensRefreshParams,
    AttestationGenerateParams,
    CurrentTimeReadParams,
}

impl fmt::Debug for ServerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Content::Pass => "pass",
            Content::Error { .. } => "an error",
            Content::Json(_) => "JSON",
            Content::Decision(_) => "a decision",
            Content::UserInput(_) => "the user's answers",
            Content::To(method, _) => method,
        };
        f.debug_tuple("ServerResponse").field(&format_args!("{kind}")).finish()
    }
}

impl ServerRequest {
    /// The answer as JSON for this request, if it fits.
    pub(super) fn answer(&self, response: &ServerResponse) -> Result<Answer> {
        let result = match (self, &response.0) {
            (_, Content::Pass) => return Ok(default_answer(self.method())),
            (_, Content::Error { code, message }) => {
                return Ok(Err(Refusal { code: *code, message: message.clone() }));
            }
            (ServerRequest::Approval(request), Content::Decision(decision)) => request.answer(decision)?,
            (ServerRequest::UserInput(_), Content::UserInput(response)) => response.to_value(),
            (_, Content::Json(result)) => self.read_answer(result)?,
            // A tool approval has the method of a form, but is answered with a decision.
            (ServerRequest::Approval(_) | ServerRequest::UserInput(_), Content::To(..)) => {
                return Err(self.unfit());
            }
            (_, Content::To(method, result)) if *method == self.method() => result.clone()?,
            _ => return Err(self.unfit()),
        };
        if let ServerRequest::Permissions(request) = self {
            request.check(&result)?;
        }
        Ok(to_answer(&result))
    }

    /// Checks an answer in the protocol's JSON.
    fn read_answer(&self, result: &Value) -> Result<Value> {
        fn check<P: ServerRequestParams<Response: DeserializeOwned>>(
            result: &Value,
        ) -> serde_json::Result<()> {
            P::Response::deserialize(result).map(drop)
        }
        let checked = match self {
            // An array would be read as the members in their order.
            known if !result.is_object() && !matches!(known, ServerRequest::Other(_)) => {
                return Err(self.unfit());
            }
            ServerRequest::Approval(request) => {
                let decision = ApprovalDecision::from_protocol(result).ok_or_else(|| self.unfit())?;
                return request.answer(&decision);
            }
            ServerRequest::UserInput(_) => check::<ToolRequestUserInputParams>(result),
            ServerRequest::Permissions(_) => check::<PermissionsRequestApprovalParams>(result),
            ServerRequest::Elicitation(_) => check::<McpServerElicitationRequestParams>(result),
            ServerRequest::ToolCall(_) => check::<DynamicToolCallParams>(result),
            ServerRequest::TokenRefresh(_) => check::<ChatgptAuthTokensRefreshParams>(result),
            ServerRequest::Attestation(_) => check::<AttestationGenerateParams>(result),
            ServerRequest::CurrentTime(_) => check::<CurrentTimeReadParams>(result),
            ServerRequest::Other(_) => Ok(()),
        };
        // Without what was wrong, which may show a secret.
        checked.map(|()| result.clone()).map_err(|_| self.unfit())
    }

    fn unfit(&self) -> Error {
        Error::invalid(format!("not a valid answer to {}; nothing was sent", self.method()))
    }
}

impl PermissionsRequest {
    /// Grants this part of the requested permissions, for the turn or the session.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::{PermissionGrantScope, ServerRequest, ServerResponse};
    /// use codex_blocking::protocol::{AdditionalNetworkPermissions, GrantedPermissionProfile};
    ///
    /// client.set_server_request_handler(|request| match request {
    ///     // The network and nothing else.
    ///     ServerRequest::Permissions(request) if request.params().permissions.network.is_some() => request.grant(
    ///         GrantedPermissionProfile::new().network(AdditionalNetworkPermissions::new().enabled(true)),
    ///         PermissionGrantScope::Turn,
    ///     ),
    ///     _ => ServerResponse::pass(),
    /// });
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// An answer that grants more, or that omits an entry that denies access, is invalid: by hand it is
    /// [`Error::InvalidInput`]; from a handler it is logged, and nothing is granted.
    pub fn grant(
        &self,
        permissions: GrantedPermissionProfile,
        scope: PermissionGrantScope,
    ) -> ServerResponse {
        PermissionsRequestApprovalResponse::new(permissions).scope(scope).into()
    }

    /// Grants all requested permissions that the typed view shows: [`params().permissions`](Self::params).
    ///
    /// A request of a newer server may also ask for what this version does not know: other permissions, or
    /// access to a kind of path that is [`Unknown`](crate::protocol::Unknown) here. That is not granted;
    /// [`raw`](Self::raw) shows it, and [`grant_raw`](Self::grant_raw) grants it.
    pub fn grant_all(&self, scope: PermissionGrantScope) -> ServerResponse {
        let asked = self.member("permissions").unwrap_or_default();
        let is_shown = |entry: &FileSystemSandboxEntry| {
            let is_whole = || {
                let entry = serde_json::to_value(entry).unwrap_or_default();
                asked["fileSystem"]["entries"].as_array().is_some_and(|asked| asked.contains(&entry))
            };
            let is_known = !matches!(entry.path, FileSystemPath::Unknown(_));
            (is_known || !allows_access(&entry.access)) && is_whole()
        };
        let RequestPermissionProfile { mut file_system, network, .. } = self.params().permissions.clone();
        if let Some(entries) = file_system.as_mut().and_then(|files| files.entries.as_mut()) {
            entries.retain(is_shown);
        }
        let mut all = GrantedPermissionProfile::new();
        all.file_system = Setting::unset_if_none(file_system);
        all.network = Setting::unset_if_none(network);
        self.grant(all, scope)
    }

    /// Grants what the caller spells out, as the protocol's JSON: `{"permissions": {..}, "scope": "turn"}`,
    /// where `scope` may be absent or `session`. A value without `permissions` is taken as the permissions, for
    /// the turn. Like the answers of [`grant`](Self::grant), it must lie within the request.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::{ServerRequest, ServerResponse};
    /// use serde_json::json;
    ///
    /// client.set_server_request_handler(|request| match request {
    ///     // A permission that this version has no type for.
    ///     ServerRequest::Permissions(request) if request.raw().contains("\"bluetooth\"") => {
    ///         request.grant_raw(json!({ "bluetooth": { "enabled": true } }))
    ///     }
    ///     _ => ServerResponse::pass(),
    /// });
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn grant_raw(&self, answer: impl Into<Value>) -> ServerResponse {
        let answer = answer.into();
        let answer = match answer.get("permissions") {
            Some(_) => answer,
            None => json!({ "permissions": answer, "scope": PermissionGrantScope::Turn }),
        };
        ServerResponse(Content::To(PermissionsRequestApprovalParams::METHOD, Ok(answer)))
    }

    /// Grants nothing.
    pub fn deny(&self) -> ServerResponse {
        self.grant(GrantedPermissionProfile::new(), PermissionGrantScope::Turn)
    }

    /// Rejects what exceeds the request.
    fn check(&self, result: &Value) -> Result<()> {
        let asked = self.member("permissions").unwrap_or_default();
        let granted = &result["permissions"];
        if !granted.is_object() {
            return Err(Error::invalid("the permissions of the answer are not an object; nothing was sent"));
        }
        if !is_within(granted, &asked) {
            return Err(Error::invalid(
                "the answer grants more permissions than were requested; nothing was sent",
            ));
        }
        let (granted, asked) = (&granted["fileSystem"], &asked["fileSystem"]);
        let kept = granted["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_lost = |entry: &&Value| {
            let access = entry["access"].as_str().map(FileSystemAccessMode::from);
            !access.is_some_and(|access| allows_access(&access)) && !kept.contains(entry)
        };
        if grants_anything(granted) && asked["entries"].as_array().into_iter().flatten().any(|e| is_lost(&e))
        {
            return Err(Error::invalid(
                "the answer omits an entry of the request that denies access; nothing was sent",
            ));
        }
        Ok(())
    }
}

fn allows_access(access: &FileSystemAccessMode) -> bool {
    matches!(access, FileSystemAccessMode::Read | FileSystemAccessMode::Write)
}

/// Whether everything in `granted` is also in `asked`: members of objects and elements of lists may be
/// omitted, but not changed.
fn is_within(granted: &Value, asked: &Value) -> bool {
    match (granted, asked) {
        (Value::Null | Value::Bool(false), _) => true,
        (Value::Object(granted), Value::Object(asked)) => {
            granted.iter().all(|(name, granted)| is_within(granted, asked.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Object(granted), _) => granted.values().all(|granted| is_within(granted, &Value::Null)),
        (Value::Array(granted), Value::Array(asked)) => granted.iter().all(|one| asked.contains(one)),
        (Value::Array(granted), _) => granted.is_empty(),
        (granted, asked) => granted == asked,
    }
}

fn grants_anything(permissions: &Value) -> bool {
    ["read", "write", "entries"]
        .iter()
        .any(|name| permissions[name].as_array().is_some_and(|list| !list.is_empty()))
}

impl ElicitationRequest {
    /// The MCP server's message to the user, in modes that have one.
    pub fn message(&self) -> Option<String> {
        self.member("message")?.as_str().map(str::to_owned)
    }

    /// The JSON schema of the form, in modes that have one.
    pub fn requested_schema(&self) -> Option<Value> {
        self.member("requestedSchema")
    }

    /// The page to visit, in mode `url`.
    pub fn url(&self) -> Option<String> {
        self.member("url")?.as_str().map(str::to_owned)
    }

    /// The user accepts. `content` is the completed form, which is not validated against the schema; null for
    /// a page.
    pub fn accept(&self, content: impl Into<Value>) -> ServerResponse {
        McpServerElicitationRequestResponse::new(McpServerElicitationAction::Accept)
            .content(content.into())
            .into()
    }

    /// The user declines.
    pub fn decline(&self) -> ServerResponse {
        McpServerElicitationRequestResponse::new(McpServerElicitationAction::Decline).into()
    }

    /// The user dismisses the request without an answer.
    pub fn cancel(&self) -> ServerResponse {
        McpServerElicitationRequestResponse::new(McpServerElicitationAction::Cancel).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_lies_within_what_was_asked_for_member_by_member() {
        let asked = json!({
            "network": { "enabled": true },
            "fileSystem": { "read": ["/a", "/b"], "write": null, "entries": [{ "access": "read", "path": "/c" }] },
        });
        let fits = |granted: Value| is_within(&granted, &asked);
        assert!(fits(json!({})) && fits(json!(null)) && fits(asked.clone()));
        assert!(fits(json!({ "network": null, "fileSystem": { "read": ["/b"], "write": [] } })));
        assert!(fits(json!({ "network": { "enabled": false } })));
        for more in [
            json!({ "fileSystem": { "read": ["/a", "/x"] } }),
            json!({ "fileSystem": { "write": ["/a"] } }),
            json!({ "fileSystem": { "entries": [{ "access": "write", "path": "/c" }] } }),
            json!({ "fileSystem": { "globScanMaxDepth": 9 } }),
            json!({ "moon": { "enabled": true } }),
            json!({ "network": true }),
        ] {
            assert!(!fits(more.clone()), "{more}");
        }
        assert!(!is_within(&json!({ "network": { "enabled": true } }), &json!({ "network": null })));
    }

    #[test]
    fn a_response_shows_its_kind_and_no_secret() {
        let response = crate::protocol::ChatgptAuthTokensRefreshResponse::new("account", "hush");
        let shown = format!("{:?}", ServerResponse::from(response));
        assert_eq!(shown, "ServerResponse(account/chatgptAuthTokens/refresh)");
    }
}
