//! All events of a turn, including deltas, as one enum.
//!
//! Relies on `step` and `raw`. Invariant: an event without a variant of its own, or of an unexpected shape,
//! is returned unchanged.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ConversationStep, RawEvent, StepStatus, event_block::Event, item::Position, kind::Kind, raw::params_of,
    result::token_usage_of, step::StepType,
};
use crate::excerpt::abridged_debug;
use crate::protocol::{ThreadTokenUsage as TokenUsage, TurnPlanStep as PlanStep};

/// An event of a turn, from [`chat_events`](crate::Client::chat_events).
///
/// Deltas are for display: those of commands can be incomplete, and those of an item that is retried, steered
/// or interrupted are never completed. The complete item arrives as a [`Step`](TurnEvent::Step).
///
/// As JSON it has the member `type`, the variant in snake case, beside its fields or those of the step or the
/// usage. `Other` is `{"type": "other", "event": {..}}`, with the event as received.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TurnEvent {
    /// A delta of an agent message.
    #[non_exhaustive]
    TextDelta {
        /// The item's id.
        item_id: String,
        /// The delta.
        delta: String,
    },
    /// A delta of the model's reasoning, or of its summary.
    #[non_exhaustive]
    ReasoningDelta {
        /// The item's id.
        item_id: String,
        /// The delta.
        delta: String,
        /// Whether it belongs to the summary.
        is_summary: bool,
    },
    /// A delta of a proposed plan.
    #[non_exhaustive]
    PlanDelta {
        /// The item's id.
        item_id: String,
        /// The delta.
        delta: String,
    },
    /// A delta of a command's output. Output before the command is announced arrives in no delta.
    #[non_exhaustive]
    CommandOutputDelta {
        /// The item's id.
        item_id: String,
        /// The delta.
        delta: String,
    },
    /// An item has started. It may never complete.
    ItemStarted(ConversationStep),
    /// An item is complete; or, as the last step, the turn did not complete.
    Step(ConversationStep),
    /// The agent's plan: the list of its next steps.
    #[non_exhaustive]
    Plan {
        /// Why the plan changed.
        explanation: Option<String>,
        /// The steps, in order.
        plan: Vec<PlanStep>,
    },
    /// All changes of the turn's patches so far, as one diff.
    #[non_exhaustive]
    Diff {
        /// The diff.
        diff: String,
    },
    /// The tokens used so far.
    TokenUsage(TokenUsage),
    /// A warning about this thread.
    #[non_exhaustive]
    Warning {
        /// The server's message.
        message: String,
    },
    /// The model's response was interrupted, and the server retries by itself.
    #[non_exhaustive]
    RetryingError {
        /// The server's message.
        message: String,
        /// The event as received.
        event: RawEvent,
    },
    /// An event of a sub-agent of the turn, with [`sub_agents(true)`](crate::ChatRequest::sub_agents).
    ///
    /// These are the events of threads that items of the turn start or message, and of the sub-agents of those,
    /// until the turn ends: a sub-agent may go on after it. They are no events of the turn itself: its steps, its
    /// answer, its end and its tokens are without them.
    #[non_exhaustive]
    SubAgent {
        /// The thread of the sub-agent.
        thread_id: String,
        /// The name of the sub-agent, such as `/root/tests`, if the server tells it.
        agent: Option<String>,
        /// The event. A sub-agent of a sub-agent has its own thread: this is never a `SubAgent` again.
        event: Box<TurnEvent>,
    },
    /// Any other event of the turn, as received.
    #[serde(with = "as_member")]
    Other(RawEvent),
}

abridged_debug!(enum TurnEvent {
    TextDelta { item_id, delta },
    ReasoningDelta { item_id, delta, is_summary },
    PlanDelta { item_id, delta },
    CommandOutputDelta { item_id, delta },
    ItemStarted(step),
    Step(step),
    Plan { explanation, plan },
    Diff { diff },
    TokenUsage(usage),
    Warning { message },
    RetryingError { message, event },
    SubAgent { thread_id, agent, event },
    Other(event),
});

/// A raw event as the member `event`: next to `type`, its own members could mean anything.
mod as_member {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::RawEvent;

    pub(super) fn serialize<S: Serializer>(event: &RawEvent, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Other<'a> {
            event: &'a RawEvent,
        }
        Other { event }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RawEvent, D::Error> {
        #[derive(Deserialize)]
        struct Other {
            event: RawEvent,
        }
        Other::deserialize(deserializer).map(|Other { event }| event)
    }
}

impl TurnEvent {
    /// The event of a notification that is not a completed item.
    pub(super) fn of(event: &Event<'_>, position: Position<'_>, thread_id: &str, turn_id: &str) -> TurnEvent {
        Self::decode(event, position, thread_id, turn_id).unwrap_or_else(|| TurnEvent::Other(position.raw()))
    }

    /// `None` if the event has no variant of its own, or an unexpected shape.
    fn decode(
        event: &Event<'_>,
        position: Position<'_>,
        thread_id: &str,
        turn_id: &str,
    ) -> Option<TurnEvent> {
        // The positions of the id and the delta were recorded when the event arrived.
        let piece = || {
            let item_id = serde_json::from_str(event.item_id?).ok()?;
            let delta = serde_json::from_str(event.body?).ok()?;
            Some((item_id, delta))
        };
        match event.kind {
            Kind::TextDelta => piece().map(|(item_id, delta)| TurnEvent::TextDelta { item_id, delta }),
            Kind::ReasoningTextDelta => piece().map(|(item_id, delta)| TurnEvent::ReasoningDelta {
                item_id,
                delta,
                is_summary: false,
            }),
            Kind::ReasoningSummaryDelta => {
                piece().map(|(item_id, delta)| TurnEvent::ReasoningDelta { item_id, delta, is_summary: true })
            }
            Kind::PlanDelta => piece().map(|(item_id, delta)| TurnEvent::PlanDelta { item_id, delta }),
            Kind::CommandOutputDelta => {
                piece().map(|(item_id, delta)| TurnEvent::CommandOutputDelta { item_id, delta })
            }
            Kind::ItemStarted => {
                let data = || position.item_text();
                let (mut step, _) = ConversationStep::of_item(thread_id, turn_id, event.body?, data)?;
                // An agent message has no status when it starts.
                step.status = StepStatus::InProgress;
                Some(TurnEvent::ItemStarted(step))
            }
            Kind::Plan => {
                #[derive(Deserialize)]
                struct Params {
                    explanation: Option<String>,
                    plan: Vec<PlanStep>,
                }
                let Params { explanation, plan } = params_of(event.text).ok()?;
                Some(TurnEvent::Plan { explanation, plan })
            }
            Kind::Diff => {
                #[derive(Deserialize)]
                struct Params {
                    diff: String,
                }
                let Params { diff } = params_of(event.text).ok()?;
                Some(TurnEvent::Diff { diff })
            }
            Kind::TokenUsage => token_usage_of(event.text).map(TurnEvent::TokenUsage),
            Kind::Warning => {
                #[derive(Deserialize)]
                struct Params {
                    message: String,
                }
                let Params { message } = params_of(event.text).ok()?;
                Some(TurnEvent::Warning { message })
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
                let Params { error, will_retry } = params_of(event.text).ok()?;
                will_retry.then(|| TurnEvent::RetryingError { message: error.message, event: position.raw() })
            }
            _ => None,
        }
    }
}

impl fmt::Display for TurnEvent {
    /// Writes deltas unchanged, and everything else on a line of its own, whole; events of sub-agents with the
    /// agent's name before them.
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
            TurnEvent::SubAgent { thread_id, agent, event } => {
                write!(f, "{}: {event}", agent.as_deref().unwrap_or(thread_id))
            }
            TurnEvent::Other(event) => f.write_str(&event.method()),
        }
    }
}
