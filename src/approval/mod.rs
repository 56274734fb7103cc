//! What the server asks, and what it is answered.
//!
//! Relies on `protocol` and `connection`. Invariant: nothing is granted by default, and no question
//! stays without an answer.
//!
//! `request` and `user_input` are the questions and answers as plain data, `desk` decides what
//! becomes of a question that arrives (a handler, a stream, the mode), `safe` is the answer when
//! nobody does, `stream` hands questions to who looks at them.

mod desk;
mod request;
mod safe;
mod stream;
mod user_input;

pub(crate) use self::desk::Desk;
pub use self::{
    request::{
        ApprovalDecision, ApprovalMode, ApprovalRequest, CommandApprovalRequest, FileChangeApprovalRequest,
        McpToolApprovalRequest,
    },
    stream::{ApprovalRequests, QuestionStream, UserInputRequests},
    user_input::{UserInputQuestion, UserInputRequest, UserInputResponse},
};
