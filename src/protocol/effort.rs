//! How hard a model thinks: words that the schema leaves open.
//!
//! Relies on `wire`. Invariant: as of every enum of words, one that is not listed is kept.

use super::wire::words;

words! {
    /// How hard the model thinks. The words differ from model to model; `model/list` tells them.
    pub enum ReasoningEffort {
        /// Not at all.
        None = "none",
        /// As little as can be.
        Minimal = "minimal",
        /// Little.
        Low = "low",
        /// The usual.
        Medium = "medium",
        /// Hard.
        High = "high",
        /// Harder.
        XHigh = "xhigh",
    }
}
