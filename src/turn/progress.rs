//! What a turn leaves that ends without a result.
//!
//! Relies on `step`. Invariant: plain data, as small as a pointer, since errors carry it.

use std::{fmt, sync::Arc};

use super::ConversationStep;
use crate::protocol::TokenUsageBreakdown as TokenCount;

/// The steps and the tokens of a turn that ended without a result.
///
/// [`Error::steps`](crate::Error::steps) and [`Error::usage`](crate::Error::usage) return them.
#[derive(Clone, Default)]
pub struct TurnProgress(Option<Arc<Left>>);

struct Left {
    steps: Vec<ConversationStep>,
    usage: Option<TokenCount>,
}

impl TurnProgress {
    pub(crate) fn new(steps: Vec<ConversationStep>, usage: Option<TokenCount>) -> TurnProgress {
        let is_empty = steps.is_empty() && usage.is_none();
        TurnProgress((!is_empty).then(|| Arc::new(Left { steps, usage })))
    }

    /// The steps, if they were kept: by `chat_once`, and with
    /// [`keep_steps(true)`](crate::ChatRequest::keep_steps).
    pub fn steps(&self) -> &[ConversationStep] {
        self.0.as_ref().map_or(&[], |left| &left.steps)
    }

    /// The tokens of the turn so far, if the server has reported any.
    pub fn usage(&self) -> Option<&TokenCount> {
        self.0.as_ref()?.usage.as_ref()
    }
}

impl fmt::Debug for TurnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnProgress")
            .field("steps", &self.steps().len())
            .field("usage", &self.usage())
            .finish()
    }
}
