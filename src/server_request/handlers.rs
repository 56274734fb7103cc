//! The handlers that a program sets for server requests.
//!
//! Relies on `request`. Invariant: a request goes to the handler of its own kind, and otherwise to the one
//! for everything else.

use std::sync::Arc;

use super::{ServerRequest, ServerResponse};

/// Answers server requests. User code.
pub(crate) type Handler = Arc<dyn Fn(&ServerRequest) -> ServerResponse + Send + Sync>;

#[derive(Default)]
pub(crate) struct Handlers {
    pub(crate) approvals: Option<Handler>,
    pub(crate) user_inputs: Option<Handler>,
    /// For all kinds without a handler of their own.
    pub(crate) others: Option<Handler>,
}

impl Handlers {
    pub(super) fn of(&self, request: &ServerRequest) -> Option<Handler> {
        let handler = match request {
            ServerRequest::Approval(_) => &self.approvals,
            ServerRequest::UserInput(_) => &self.user_inputs,
            _ => &self.others,
        };
        handler.clone()
    }

    pub(super) fn is_any(&self) -> bool {
        self.approvals.is_some() || self.user_inputs.is_some() || self.others.is_some()
    }
}
