//! Whatever the server asks, as plain data.
//!
//! Relies on `protocol` and on the question that `connection` keeps. Invariant: each method is read into
//! one kind of request, in one place, and one that is not known is kept as it came.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::SerializeStruct};
use serde_json::{Value, value::RawValue};

use super::{ApprovalRequest, UserInputRequest};
use crate::{
    connection::Question,
    error::{Error, Result},
    protocol::{
        AttestationGenerateParams, ChatgptAuthTokensRefreshParams, CurrentTimeReadParams,
        DynamicToolCallParams, McpServerElicitationRequestParams, PermissionsRequestApprovalParams,
        RequestId, ServerRequestParams, decode,
    },
};

/// A request of the server, of any kind.
///
/// What a program decides about by itself, such as a GUI, comes so from
/// [`Client::pending`](crate::Client::pending) and
/// [`Client::server_requests`](crate::Client::server_requests); what has no handler of its own goes to
/// [`Client::set_server_request_handler`](crate::Client::set_server_request_handler). It is plain data:
/// as JSON it has the member `type`, which names the kind in snake case.
///
/// (`protocol::ServerRequestMessage` is the message as it travels; this is the request as it waits for an
/// answer, tool approvals told from forms, and changes of files beside the question about them.)
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a box would be in the way of everyone who matches on it")]
#[non_exhaustive]
pub enum ServerRequest {
    /// Whether a command, a change of files or a tool of an MCP server may be.
    Approval(ApprovalRequest),
    /// Questions of the agent to the user.
    UserInput(UserInputRequest),
    /// The agent wants more permissions than its sandbox gives.
    Permissions(PermissionsRequest),
    /// An MCP server wants something of the user.
    Elicitation(ElicitationRequest),
    /// The model calls a tool of this program.
    ToolCall(ToolCall),
    /// The server needs new tokens for the account that was logged in with
    /// `account/login/start {type: "chatgptAuthTokens"}`. It waits for 10 s, then the turn fails.
    TokenRefresh(Incoming<ChatgptAuthTokensRefreshParams>),
    /// The server wants a token that says that this client is genuine. It waits for less than 0.2 s, and
    /// goes on without.
    Attestation(Incoming<AttestationGenerateParams>),
    /// The server wants to know the time. It waits for 10 s, then the turn fails.
    CurrentTime(Incoming<CurrentTimeReadParams>),
    /// Something that this version has no type for; the parameters as JSON.
    Other(Incoming<Value>),
}

/// The agent wants more permissions than its sandbox gives. Nothing is granted unless somebody does.
pub type PermissionsRequest = Incoming<PermissionsRequestApprovalParams>;

/// An MCP server wants something of the user: a form filled in, a page visited, or what a newer
/// protocol has.
pub type ElicitationRequest = Incoming<McpServerElicitationRequestParams>;

/// The model calls a tool of this program: `tool`, `namespace`, and `arguments`, which are JSON that
/// nobody has checked against the tool's schema.
pub type ToolCall = Incoming<DynamicToolCallParams>;

/// A request of the server with its [parameters](Self::params).
///
/// As JSON it has the members `request_id`, `method` and `params`, the last as it came.
#[derive(Clone)]
pub struct Incoming<P> {
    params: P,
    origin: Origin,
}

/// The question behind a request, and the client that was asked.
#[derive(Clone)]
pub(crate) struct Origin {
    client: u64,
    question: Arc<Question>,
}

impl Origin {
    pub(super) fn new(client: u64, question: &Arc<Question>) -> Self {
        Origin { client, question: Arc::clone(question) }
    }

    pub(super) fn question(&self) -> &Question {
        &self.question
    }

    /// The parameters, typed.
    pub(super) fn params<P: DeserializeOwned>(&self) -> serde_json::Result<P> {
        decode(self.question.params())
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client && self.question.number == other.question.number
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.question.number).finish()
    }
}

impl ServerRequest {
    /// Reads a question; fails when the parameters of a known method lack something required.
    pub(super) fn read(origin: Origin) -> serde_json::Result<ServerRequest> {
        Ok(match origin.question().method.as_str() {
            "item/commandExecution/requestApproval" => Self::Approval(ApprovalRequest::command(origin)?),
            "item/fileChange/requestApproval" => Self::Approval(ApprovalRequest::file_change(origin)?),
            "item/tool/requestUserInput" => Self::UserInput(UserInputRequest::read(origin)?),
            McpServerElicitationRequestParams::METHOD => match ApprovalRequest::mcp_tool(&origin) {
                Some(approval) => Self::Approval(approval),
                None => Self::Elicitation(elicitation(origin)?),
            },
            PermissionsRequestApprovalParams::METHOD => Self::Permissions(Incoming::read(origin)?),
            DynamicToolCallParams::METHOD => Self::ToolCall(Incoming::read(origin)?),
            ChatgptAuthTokensRefreshParams::METHOD => Self::TokenRefresh(Incoming::read(origin)?),
            AttestationGenerateParams::METHOD => Self::Attestation(Incoming::read(origin)?),
            CurrentTimeReadParams::METHOD => Self::CurrentTime(Incoming::read(origin)?),
            _ => Self::Other(Incoming::read(origin)?),
        })
    }

    pub(super) fn origin(&self) -> &Origin {
        match self {
            ServerRequest::Approval(request) => request.origin(),
            ServerRequest::UserInput(request) => &request.origin,
            ServerRequest::Permissions(request) => &request.origin,
            ServerRequest::Elicitation(request) => &request.origin,
            ServerRequest::ToolCall(request) => &request.origin,
            ServerRequest::TokenRefresh(request) => &request.origin,
            ServerRequest::Attestation(request) => &request.origin,
            ServerRequest::CurrentTime(request) => &request.origin,
            ServerRequest::Other(request) => &request.origin,
        }
    }

    /// Whether both are the same question, by everything that names it: the requests with public ids
    /// may have been given others since.
    pub(super) fn is_same(&self, other: &ServerRequest) -> bool {
        self.origin() == other.origin()
            && match (self, other) {
                (ServerRequest::Approval(a), ServerRequest::Approval(b)) => a.is_same(b),
                (ServerRequest::UserInput(a), ServerRequest::UserInput(b)) => a.is_same(b),
                _ => std::mem::discriminant(self) == std::mem::discriminant(other),
            }
    }

    /// The server's id of the question.
    pub fn request_id(&self) -> &RequestId {
        &self.origin().question().id
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.origin().question().method
    }

    /// The thread, where one is named.
    pub fn thread_id(&self) -> Option<&str> {
        self.origin().question().thread_id.as_deref()
    }

    /// The turn, where one is named.
    pub fn turn_id(&self) -> Option<&str> {
        self.origin().question().turn_id.as_deref()
    }

    /// Decodes the parameters: to [`Value`] for all of them as they came.
    ///
    /// # Errors
    /// [`Error::Decode`] when they do not have that shape.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T> {
        let what = || format!("the parameters of {}", self.method());
        self.origin().params().map_err(|source| Error::decode(what(), self.raw(), source))
    }

    /// The JSON text of the whole message.
    pub fn raw(&self) -> &str {
        &self.origin().question().text
    }
}

/// A mode that is not known is kept; a known one that can't be read is broken.
fn elicitation(origin: Origin) -> serde_json::Result<ElicitationRequest> {
    let request: ElicitationRequest = Incoming::read(origin)?;
    match &request.params {
        McpServerElicitationRequestParams::Unknown(unknown) if unknown.tag().is_none() => {
            Err(serde_json::Error::missing_field("mode"))
        }
        McpServerElicitationRequestParams::Unknown(unknown) => match unknown.error() {
            Some(error) => Err(serde_json::Error::custom(error)),
            None => Ok(request),
        },
        _ => Ok(request),
    }
}

impl<P: DeserializeOwned> Incoming<P> {
    fn read(origin: Origin) -> serde_json::Result<Self> {
        Ok(Incoming { params: origin.params()?, origin })
    }
}

impl<P> Incoming<P> {
    /// The server's id of the question.
    pub fn request_id(&self) -> &RequestId {
        &self.origin.question.id
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.origin.question.method
    }

    /// The parameters, typed.
    pub fn params(&self) -> &P {
        &self.params
    }

    /// The JSON text of the whole message, with what the type has no field for.
    pub fn raw(&self) -> &str {
        &self.origin.question.text
    }

    /// A member of the parameters as it came.
    pub(super) fn member(&self, name: &str) -> Option<Value> {
        let params: Value = self.origin.params().ok()?;
        params.get(name).filter(|member| !member.is_null()).cloned()
    }
}

impl<P> PartialEq for Incoming<P> {
    /// Whether both are the same question.
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin
    }
}

impl<P: fmt::Debug> fmt::Debug for Incoming<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("request_id", self.request_id())
            .field("method", &self.method())
            .field("params", &self.params)
            .finish()
    }
}

impl<P> Serialize for Incoming<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let params: &RawValue =
            serde_json::from_str(self.origin.question.params()).map_err(serde::ser::Error::custom)?;
        let mut out = serializer.serialize_struct("Incoming", 3)?;
        out.serialize_field("request_id", self.request_id())?;
        out.serialize_field("method", self.method())?;
        out.serialize_field("params", params)?;
        out.end()
    }
}
