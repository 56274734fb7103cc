//! A server request of any kind, as plain data.
//!
//! Relies on `protocol`. Invariant: each method is decoded into one kind of request, in one place; an unknown
//! one is kept unchanged.

use std::{fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::SerializeStruct};
use serde_json::{Value, value::RawValue};

use super::{ApprovalRequest, UserInputRequest};
use crate::{
    error::{Error, Result},
    excerpt::debug_struct,
    protocol::{
        AttestationGenerateParams, ChatgptAuthTokensRefreshParams, CurrentTimeReadParams,
        DynamicToolCallParams, McpServerElicitationRequestParams, PermissionsRequestApprovalParams,
        RequestId, ServerRequestParams, decode, raw_json::RawJson, wire::collect_warnings,
    },
};

/// A server request of any kind.
///
/// [`Client::pending`](crate::Client::pending) and
/// [`Client::server_requests`](crate::Client::server_requests) return requests of all kinds, for example for
/// a GUI; [`Client::set_server_request_handler`](crate::Client::set_server_request_handler) handles those
/// without a handler of their own. It is plain data: as JSON it has the member `type`, which contains the
/// kind in snake case, and the member `key`, a text that says which request it is: no other request of any client has the
/// same, also if its server uses an id again.
///
/// (`protocol::ServerRequestMessage` is the message itself. This type is the request while it is pending:
/// tool approvals are distinguished from forms, and file changes are included in the request about them.)
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a box would be in the way of everyone who matches on it")]
#[non_exhaustive]
pub enum ServerRequest {
    /// A request for approval of a command, a file change or a call of an MCP server's tool.
    Approval(ApprovalRequest),
    /// Questions of the agent to the user.
    UserInput(UserInputRequest),
    /// The agent requests more permissions than its sandbox grants.
    Permissions(PermissionsRequest),
    /// An MCP server requests input from the user.
    Elicitation(ElicitationRequest),
    /// The model calls a tool of this program.
    ToolCall(ToolCall),
    /// The server needs new tokens for the account that was logged in with `account/login/start {type:
    /// "chatgptAuthTokens"}`. It waits for 10 s, then the turn fails.
    TokenRefresh(TypedServerRequest<ChatgptAuthTokensRefreshParams>),
    /// The server requests a token that attests that this client is genuine. It waits for less than 0.2 s,
    /// and continues without one.
    Attestation(TypedServerRequest<AttestationGenerateParams>),
    /// The server requests the current time. It waits for 10 s, then the turn fails.
    CurrentTime(TypedServerRequest<CurrentTimeReadParams>),
    /// A method that this version has no type for; the parameters as JSON.
    Other(TypedServerRequest<Value>),
}

/// The agent requests more permissions than its sandbox grants. Nothing is granted by default.
pub type PermissionsRequest = TypedServerRequest<PermissionsRequestApprovalParams>;

/// An MCP server requests input from the user: a form, a visit to a page, or a mode of a newer protocol.
pub type ElicitationRequest = TypedServerRequest<McpServerElicitationRequestParams>;

/// The model calls a tool of this program: `tool`, `namespace`, and `arguments` as JSON, which has not been
/// validated against the tool's schema.
pub type ToolCall = TypedServerRequest<DynamicToolCallParams>;

/// A server request with its [parameters](Self::params).
///
/// As JSON it has the members `key`, `request_id`, `method` and `params`, the last unchanged; as a string if it is
/// nested deeper than 100 levels, or contains a number outside of the range of `f64`.
#[derive(Clone)]
pub struct TypedServerRequest<P> {
    params: P,
    received: Received,
}

/// A server request as received, shared by everything that was made of it.
#[derive(Clone)]
pub(crate) struct Received(Arc<ReceivedRequest>);

/// The parts of a server request that are known without decoding its parameters.
pub(crate) struct ReceivedRequest {
    /// The id of the broker that received it.
    pub(super) broker: u64,
    /// Its number among the requests of that client: unlike its id, unique.
    pub(super) number: u64,
    pub(super) id: RequestId,
    pub(super) method: String,
    pub(super) thread_id: Option<String>,
    pub(super) turn_id: Option<String>,
    /// The whole message.
    pub(super) text: Arc<String>,
    /// The item that it refers to, as announced before.
    pub(super) announced: Option<Box<str>>,
}

impl Received {
    pub(super) fn new(request: ReceivedRequest) -> Self {
        Received(Arc::new(request))
    }

    /// Decodes the parameters.
    pub(super) fn params<P: DeserializeOwned>(&self) -> serde_json::Result<P> {
        decode(self.params_text())
    }
}

impl Deref for Received {
    type Target = ReceivedRequest;

    fn deref(&self) -> &ReceivedRequest {
        &self.0
    }
}

impl ReceivedRequest {
    /// The parameters, as JSON; null if there are none.
    fn params_text(&self) -> &str {
        #[derive(Deserialize)]
        struct WithParams<'a> {
            #[serde(borrow)]
            params: Option<&'a RawValue>,
        }
        let message: serde_json::Result<WithParams<'_>> = serde_json::from_str(&self.text);
        message.ok().and_then(|message| message.params).map_or("null", RawValue::get)
    }

    /// Whether it refers to this item.
    pub(super) fn is_about(&self, item_id: &str) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct AboutItem {
            item_id: String,
        }
        serde_json::from_str(self.params_text()).is_ok_and(|params: AboutItem| params.item_id == item_id)
    }

    /// The approximate bytes that keeping the request costs: its text, and its decoded form.
    pub(super) fn bytes(&self) -> usize {
        /// The bytes of a value of a decoded tree, besides its text.
        const VALUE: usize = 48;
        const REQUEST: usize = 512;
        let of_text = |text: &str| {
            let values = memchr::memchr3_iter(b',', b'[', b'{', text.as_bytes()).count();
            2 * text.len() + values * VALUE
        };
        REQUEST + of_text(&self.text) + self.announced.as_deref().map_or(0, of_text)
    }
}

impl PartialEq for Received {
    fn eq(&self, other: &Self) -> bool {
        self.broker == other.broker && self.number == other.number
    }
}

/// What says which request it is, among those of all clients of all programs.
impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.broker, self.number)
    }
}

impl Serialize for Received {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Received").field(&self.number).finish()
    }
}

impl ServerRequest {
    /// Decodes a request. Fails if the parameters of a known method lack something required. Returns warnings
    /// instead of logging them.
    pub(super) fn read(received: &Received) -> (serde_json::Result<ServerRequest>, Vec<String>) {
        collect_warnings(|| Self::decode(received.clone()))
    }

    fn decode(received: Received) -> serde_json::Result<ServerRequest> {
        Ok(match received.method.as_str() {
            "item/commandExecution/requestApproval" => Self::Approval(ApprovalRequest::command(received)?),
            "item/fileChange/requestApproval" => Self::Approval(ApprovalRequest::file_change(received)?),
            "item/tool/requestUserInput" => Self::UserInput(UserInputRequest::read(received)?),
            McpServerElicitationRequestParams::METHOD => match ApprovalRequest::mcp_tool(&received) {
                Some(approval) => Self::Approval(approval),
                None => Self::Elicitation(elicitation(received)?),
            },
            PermissionsRequestApprovalParams::METHOD => {
                Self::Permissions(TypedServerRequest::read(received)?)
            }
            DynamicToolCallParams::METHOD => Self::ToolCall(TypedServerRequest::read(received)?),
            ChatgptAuthTokensRefreshParams::METHOD => Self::TokenRefresh(TypedServerRequest::read(received)?),
            AttestationGenerateParams::METHOD => Self::Attestation(TypedServerRequest::read(received)?),
            CurrentTimeReadParams::METHOD => Self::CurrentTime(TypedServerRequest::read(received)?),
            _ => Self::Other(TypedServerRequest::read(received)?),
        })
    }

    pub(super) fn received(&self) -> &Received {
        match self {
            ServerRequest::Approval(request) => request.received(),
            ServerRequest::UserInput(request) => &request.received,
            ServerRequest::Permissions(request) => &request.received,
            ServerRequest::Elicitation(request) => &request.received,
            ServerRequest::ToolCall(request) => &request.received,
            ServerRequest::TokenRefresh(request) => &request.received,
            ServerRequest::Attestation(request) => &request.received,
            ServerRequest::CurrentTime(request) => &request.received,
            ServerRequest::Other(request) => &request.received,
        }
    }

    /// The member `key` of its JSON.
    #[cfg(feature = "capi")]
    pub(crate) fn key(&self) -> String {
        self.received().to_string()
    }

    /// Whether both are the same request, by all its ids: those with public ids may have been changed by the
    /// program.
    pub(super) fn is_same(&self, other: &ServerRequest) -> bool {
        self.received() == other.received()
            && match (self, other) {
                (ServerRequest::Approval(a), ServerRequest::Approval(b)) => a.is_same(b),
                (ServerRequest::UserInput(a), ServerRequest::UserInput(b)) => a.is_same(b),
                _ => std::mem::discriminant(self) == std::mem::discriminant(other),
            }
    }

    /// The server's id of the request.
    pub fn request_id(&self) -> &RequestId {
        &self.received().id
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.received().method
    }

    /// The thread's id, if the request names one.
    pub fn thread_id(&self) -> Option<&str> {
        self.received().thread_id.as_deref()
    }

    /// The turn's id, if the request names one.
    pub fn turn_id(&self) -> Option<&str> {
        self.received().turn_id.as_deref()
    }

    /// Decodes the parameters; as [`Value`], all of them unchanged.
    ///
    /// # Errors
    /// [`Error::Decode`] if they do not match the type.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T> {
        let what = || format!("the parameters of {}", self.method());
        self.received().params().map_err(|source| Error::decode(what(), self.raw(), source))
    }

    /// The JSON text of the whole message.
    pub fn raw(&self) -> &str {
        &self.received().text
    }
}

/// An unknown mode is kept; a known one that can't be decoded is an error.
fn elicitation(received: Received) -> serde_json::Result<ElicitationRequest> {
    let request: ElicitationRequest = TypedServerRequest::read(received)?;
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

impl<P: DeserializeOwned> TypedServerRequest<P> {
    fn read(received: Received) -> serde_json::Result<Self> {
        Ok(TypedServerRequest { params: received.params()?, received })
    }
}

impl<P> TypedServerRequest<P> {
    /// The server's id of the request.
    pub fn request_id(&self) -> &RequestId {
        &self.received.id
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.received.method
    }

    /// The parameters, typed.
    pub fn params(&self) -> &P {
        &self.params
    }

    /// The JSON text of the whole message, including unknown fields.
    pub fn raw(&self) -> &str {
        &self.received.text
    }

    /// A member of the parameters, unchanged.
    pub(super) fn member(&self, name: &str) -> Option<Value> {
        let params: Value = self.received.params().ok()?;
        params.get(name).filter(|member| !member.is_null()).cloned()
    }
}

impl<P> PartialEq for TypedServerRequest<P> {
    /// Whether both are the same request.
    fn eq(&self, other: &Self) -> bool {
        self.received == other.received
    }
}

impl<P: fmt::Debug> fmt::Debug for TypedServerRequest<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: [(&str, &dyn fmt::Debug); 3] =
            [("request_id", self.request_id()), ("method", &self.method()), ("params", &self.params)];
        debug_struct(f, "TypedServerRequest", &fields)
    }
}

impl<P> Serialize for TypedServerRequest<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("TypedServerRequest", 4)?;
        out.serialize_field("key", &self.received)?;
        out.serialize_field("request_id", self.request_id())?;
        out.serialize_field("method", self.method())?;
        out.serialize_field("params", &RawJson(self.received.params_text()))?;
        out.end()
    }
}
