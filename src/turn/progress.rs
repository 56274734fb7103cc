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
    did_nothing: bool,
}

impl TurnProgress {
    pub(crate) fn new(steps: Vec<ConversationStep>, usage: Option<TokenCount>) -> TurnProgress {
        let is_empty = steps.is_empty() && usage.is_none();
        TurnProgress((!is_empty).then(|| Arc::new(Left { steps, usage, did_nothing: false })))
    }

    /// Notes whether the turn is known to have done nothing but to take the user's message.
    pub(crate) fn and_did_nothing(self, did_nothing: bool) -> TurnProgress {
        match self.0 {
            left if !did_nothing => TurnProgress(left),
            None => TurnProgress(Some(Arc::new(Left { steps: Vec::new(), usage: None, did_nothing }))),
            Some(mut left) => {
                if let Some(left) = Arc::get_mut(&mut left) {
                    left.did_nothing = true;
                }
                TurnProgress(Some(left))
            }
        }
    }

    /// Whether a repeat of the turn does no work twice.
    pub(crate) fn did_nothing(&self) -> bool {
        self.0.as_ref().is_some_and(|left| left.did_nothing)
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
