//! A message from the server as subsystems see it: routed, not decoded.
//!
//! Relies on `protocol`. Invariant: the text is valid UTF-8 and a JSON object; a large one is shared, not
//! copied.

use std::{sync::Arc, time::Instant};

use crate::protocol::envelope::Route;

/// A notification or a request of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) method: &'a str,
    pub(crate) route: &'a Route<'a>,
    /// The whole message.
    pub(crate) text: &'a str,
    /// The owner of the text, if the frame came in a buffer of its own.
    pub(crate) owner: Option<&'a Arc<String>>,
    /// When the read began that brought it.
    pub(crate) received: Instant,
}

impl Frame<'_> {
    /// The text, to be kept.
    pub(crate) fn shared_text(&self) -> Arc<String> {
        self.owner.map_or_else(|| Arc::new(self.text.to_owned()), Arc::clone)
    }
}
