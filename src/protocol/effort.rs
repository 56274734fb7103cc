//! The model's reasoning effort, a string enum whose values the schema doesn't define.
//!
//! Relies on `wire`. Invariant: like every string enum, it preserves unknown values.

use super::wire::string_enum;

string_enum! {
    /// The model's reasoning effort. The supported values depend on the model; `model/list` returns them.
    pub enum ReasoningEffort {
        /// No reasoning.
        None = "none",
        /// Minimal effort.
        Minimal = "minimal",
        /// Low effort.
        Low = "low",
        /// Medium effort, the usual value.
        Medium = "medium",
        /// High effort.
        High = "high",
        /// Very high effort.
        XHigh = "xhigh",
    }
}
