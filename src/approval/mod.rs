//! What the server asks, and what it is answered.
//!
//! Relies on `protocol` and `connection`. Invariant: nothing is granted by default, and no question
//! stays without an answer.
//!
//! `server_request` reads a question of any kind into plain data, with `request` (approvals) and
//! `user_input` for the kinds that have calls of their own; `response` is what they are answered, and
//! whether it fits; `tool` the tools that the program gives the agent. `desk` decides what becomes of a
//! question that arrives (a tool, a handler, a stream, the mode), `safe` is the answer when nobody
//! does, `stream` hands questions to who looks at them.

mod desk;
mod request;
mod response;
mod safe;
mod server_request;
mod stream;
mod tool;
mod user_input;

pub(crate) use self::{
    desk::{Desk, Handler, Handlers},
    tool::ToolSet,
};
pub use self::{
    request::{
        ApprovalDecision, ApprovalMode, ApprovalRequest, CommandApprovalRequest, FileChangeApprovalRequest,
        McpToolApprovalRequest,
    },
    response::ServerResponse,
    server_request::{ElicitationRequest, Incoming, PermissionsRequest, ServerRequest, ToolCall},
    stream::{ApprovalRequests, QuestionStream, ServerRequests, UserInputRequests},
    tool::{Tool, ToolError},
    user_input::{UserInputQuestion, UserInputRequest, UserInputResponse},
};
