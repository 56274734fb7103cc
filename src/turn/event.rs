//! Everything a turn tells, deltas too, as one enum.
//!
//! Relies on `step` and `raw`. Invariant: an event that has no variant of its own, or not the
//! shape it should have, is handed out as it came.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{ConversationStep, RawEvent, StepStatus, TokenUsage, raw::params_of, step::StepType};
use crate::{error::Result, protocol::kind::Kind};

/// One event of a turn, from [`chat_events`](crate::Client::chat_events).
///
/// Deltas are for display: they are lossy for commands, and those of an item that is retried,
/// steered or interrupted are never completed. What counts comes as a [`Step`](TurnEvent::Step).
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TurnEvent {
    /// A piece of a message of the agent.
    TextDelta {
        /// The item.
        item_id: String,
        /// The piece.
        delta: String,
    },
    /// A piece of the model's reasoning, or of its summary.
    ReasoningDelta {
        /// The item.
        item_id: String,
        /// The piece.
        delta: String,
        /// Whether it belongs to the summary.
        is_summary: bool,
    },
    /// A piece of a proposed plan.
    PlanDelta {
        /// The item.
        item_id: String,
        /// The piece.
        delta: String,
    },
    /// A piece of a command's output. What it prints before it is announced comes in none.
    CommandOutputDelta {
        /// The item.
        item_id: String,
        /// The piece.
        delta: String,
    },
    /// An item has begun. It may never complete.
    ItemStarted(ConversationStep),
    /// An item is complete; or, once and last, the turn did not complete.
    Step(ConversationStep),
    /// The agent's list of what it is about to do.
    Plan {
        /// Why it changed.
        explanation: Option<String>,
        /// The steps, in order.
        plan: Vec<PlanStep>,
    },
    /// Everything the turn's patches have changed so far, as one diff.
    Diff {
        /// The diff.
        diff: String,
    },
    /// The tokens used so far.
    TokenUsage(TokenUsage),
    /// A warning about this thread.
    Warning {
        /// The server's words.
        message: String,
    },
    /// The model's answer broke off, and the server tries again by itself.
    RetryingError {
        /// The server's words.
        message: String,
        /// The event as it came.
        event: RawEvent,
    },
    /// Any other event of the turn, as it came.
    Other(RawEvent),
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanStep {
    /// What is to be done.
    pub step: String,
    /// `pending`, `inProgress` or `completed`.
    pub status: String,
}

impl TurnEvent {
    /// The event of a notification that is no completed item.
    pub(crate) fn of(kind: Kind, event: RawEvent, (thread_id, turn_id): (&str, &str)) -> TurnEvent {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Delta {
            item_id: String,
            delta: String,
        }
        let delta = |build: fn(String, String) -> TurnEvent| {
            let Delta { item_id, delta } = params_of(event.raw())?;
            Ok(build(item_id, delta))
        };
        let decoded: Result<Option<TurnEvent>> = match kind {
            Kind::TextDelta => delta(|item_id, delta| TurnEvent::TextDelta { item_id, delta }).map(Some),
            Kind::ReasoningTextDelta => {
                delta(|item_id, delta| TurnEvent::ReasoningDelta { item_id, delta, is_summary: false })
                    .map(Some)
            }
            Kind::ReasoningSummaryDelta => {
                delta(|item_id, delta| TurnEvent::ReasoningDelta { item_id, delta, is_summary: true })
                    .map(Some)
            }
            Kind::PlanDelta => delta(|item_id, delta| TurnEvent::PlanDelta { item_id, delta }).map(Some),
            Kind::CommandOutputDelta => {
                delta(|item_id, delta| TurnEvent::CommandOutputDelta { item_id, delta }).map(Some)
            }
            Kind::ItemStarted => {
                #[derive(Deserialize)]
                struct Params<'a> {
                    #[serde(borrow)]
                    item: &'a RawValue,
                }
                params_of(event.raw()).map(|Params { item }| {
                    let mut step = ConversationStep::of_item(thread_id, turn_id, item)?;
                    // A message that begins has no status of its own.
                    step.status = StepStatus::InProgress;
                    Some(TurnEvent::ItemStarted(step))
                })
            }
            Kind::Plan => {
                #[derive(Deserialize)]
                struct Params {
                    explanation: Option<String>,
                    plan: Vec<PlanStep>,
                }
                params_of(event.raw())
                    .map(|Params { explanation, plan }| Some(TurnEvent::Plan { explanation, plan }))
            }
            Kind::Diff => {
                #[derive(Deserialize)]
                struct Params {
                    diff: String,
                }
                params_of(event.raw()).map(|Params { diff }| Some(TurnEvent::Diff { diff }))
            }
            Kind::TokenUsage => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Params {
                    token_usage: TokenUsage,
                }
                params_of(event.raw()).map(|Params { token_usage }| Some(TurnEvent::TokenUsage(token_usage)))
            }
            Kind::Warning => {
                #[derive(Deserialize)]
                struct Params {
                    message: String,
                }
                params_of(event.raw()).map(|Params { message }| Some(TurnEvent::Warning { message }))
            }
            Kind::Error => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Params {
                    error: Failure,
                    will_retry: bool,
                }
                #[derive(Deserialize)]
                struct Failure {
                    message: String,
                }
                params_of(event.raw()).map(|Params { error, will_retry }| {
                    will_retry
                        .then(|| TurnEvent::RetryingError { message: error.message, event: event.clone() })
                })
            }
            _ => Ok(None),
        };
        decoded.ok().flatten().unwrap_or(TurnEvent::Other(event))
    }
}

impl fmt::Display for TurnEvent {
    /// Pieces as they are, everything else on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TurnEvent::TextDelta { delta, .. }
            | TurnEvent::ReasoningDelta { delta, .. }
            | TurnEvent::PlanDelta { delta, .. }
            | TurnEvent::CommandOutputDelta { delta, .. } => f.write_str(delta),
            TurnEvent::ItemStarted(step) => match &step.step_type {
                StepType::Other(kind) => write!(f, "{kind} begins"),
                kind => write!(f, "{kind} begins"),
            },
            TurnEvent::Step(step) => step.fmt(f),
            TurnEvent::Plan { plan, .. } => {
                f.write_str("plan:")?;
                plan.iter().try_for_each(|PlanStep { step, status }| write!(f, "\n  [{status}] {step}"))
            }
            TurnEvent::Diff { diff } => write!(f, "diff:\n{diff}"),
            TurnEvent::TokenUsage(usage) => write!(f, "tokens: {}", usage.total.total_tokens),
            TurnEvent::Warning { message } => write!(f, "warning: {message}"),
            TurnEvent::RetryingError { message, .. } => write!(f, "retrying: {message}"),
            TurnEvent::Other(event) => f.write_str(&event.method()),
        }
    }
}
