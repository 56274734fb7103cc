//! The kinds of notification that matter to a turn, identified by method name.
//!
//! Relies on nothing. Invariant: a method that isn't listed is [`Kind::Other`], or work if it is an item's; no
//! notification is dropped because it is unknown.

/// The kind of a notification, as seen by its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    TextDelta,
    ReasoningTextDelta,
    ReasoningSummaryDelta,
    PlanDelta,
    CommandOutputDelta,
    ItemStarted,
    ItemCompleted,
    /// Any other event of an item: progress of a kind that isn't listed.
    ItemProgress,
    TurnStarted,
    TurnCompleted,
    TokenUsage,
    Error,
    Plan,
    Diff,
    Warning,
    /// `thread/status/changed`: an idle thread whose turn has not ended suggests that the end was lost.
    ThreadStatus,
    /// The thread is no longer loaded; it must be resumed before its next turn.
    ThreadGone,
    /// Turns were taken away from the thread.
    ThreadReverted,
    /// How much of the account's limits is used.
    RateLimits,
    /// Any event of a sub-agent's turn. It has no method of its own: the registry marks events so.
    SubAgent,
    Other,
}

impl Kind {
    pub(crate) fn of(method: &str) -> Kind {
        match method {
            "item/agentMessage/delta" => Kind::TextDelta,
            "item/reasoning/textDelta" => Kind::ReasoningTextDelta,
            "item/reasoning/summaryTextDelta" => Kind::ReasoningSummaryDelta,
            "item/plan/delta" => Kind::PlanDelta,
            "item/commandExecution/outputDelta" => Kind::CommandOutputDelta,
            "item/started" => Kind::ItemStarted,
            "item/completed" => Kind::ItemCompleted,
            "turn/started" => Kind::TurnStarted,
            "turn/completed" => Kind::TurnCompleted,
            "thread/tokenUsage/updated" => Kind::TokenUsage,
            "error" => Kind::Error,
            "turn/plan/updated" => Kind::Plan,
            "turn/diff/updated" => Kind::Diff,
            "warning" | "guardianWarning" => Kind::Warning,
            "thread/status/changed" => Kind::ThreadStatus,
            "thread/closed" | "thread/archived" | "thread/deleted" => Kind::ThreadGone,
            "thread/reverted" => Kind::ThreadReverted,
            "account/rateLimits/updated" => Kind::RateLimits,
            _ if method.starts_with("item/") => Kind::ItemProgress,
            _ => Kind::Other,
        }
    }

    /// Whether it shows that the turn has done something, which may not be done twice.
    pub(crate) fn is_work(self) -> bool {
        matches!(
            self,
            Kind::TextDelta
                | Kind::ReasoningTextDelta
                | Kind::ReasoningSummaryDelta
                | Kind::PlanDelta
                | Kind::CommandOutputDelta
                | Kind::ItemStarted
                | Kind::ItemCompleted
                | Kind::ItemProgress
                | Kind::Plan
                | Kind::Diff
        )
    }

    /// Whether a reader of steps needs it.
    pub(crate) fn concerns_steps(self) -> bool {
        matches!(self, Kind::ItemCompleted | Kind::TurnCompleted | Kind::TokenUsage | Kind::Error)
    }
}
