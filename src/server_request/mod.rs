//! Server requests, and their answers.
//!
//! Relies on `protocol`, `rpc` and `turn`. Invariant: nothing is granted by default, and every request is
//! answered.
//!
//! `request` decodes a server request of any kind into plain data, with `approval` and `user_input` for the
//! kinds that have methods of their own. The `broker` decides who answers it: one of the `handlers`, a `tool`
//! of the program, the program by hand through a `stream`, or no one, in which case it gets the
//! `default_answer`. `response` is the answer, and checks whether it fits.

mod approval;
mod broker;
mod default_answer;
mod handlers;
mod kept_request;
mod request;
mod response;
mod stream;
mod tool;
mod user_input;

pub use self::{
    approval::{
        ApprovalDecision, ApprovalMode, ApprovalRequest, CommandApprovalRequest, FileChangeApprovalRequest,
        McpToolApprovalRequest,
    },
    request::{ElicitationRequest, PermissionsRequest, ServerRequest, ToolCall, TypedServerRequest},
    response::ServerResponse,
    stream::{ApprovalRequests, ServerRequestStream, ServerRequests, UserInputRequests},
    tool::{Tool, ToolError},
    user_input::{UserInputQuestion, UserInputRequest, UserInputResponse},
};
pub(crate) use self::{
    broker::{Broker, BrokerSettings},
    handlers::{Handler, Handlers},
    tool::ToolSet,
};
