//! The items of a turn's stream: steps, or all events.
//!
//! Relies on `session`. Invariant: both kinds read the same session, so that they agree on what a step is.

use std::{collections::VecDeque, sync::Arc};

use super::{
    ConversationStep, RawEvent, TurnEvent, event_block::Block, kind::Kind, raw::ItemText, session::Session,
};

/// What a [`TurnStream`](crate::TurnStream) yields: [`ConversationStep`] or [`TurnEvent`]. Sealed.
pub trait TurnItem: Item {}

impl TurnItem for ConversationStep {}
impl TurnItem for TurnEvent {}

/// An event and its position.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    pub(crate) block: &'a Arc<Block>,
    pub(crate) index: usize,
}

impl Position<'_> {
    pub(super) fn raw(&self) -> RawEvent {
        RawEvent::new(self.block, self.index)
    }

    /// The text of the event's item, to be kept.
    pub(super) fn item_text(&self) -> ItemText {
        ItemText::of(self.block, self.block.body_span(self.index))
    }
}

/// How an item is made from events.
pub trait Item: Sized {
    /// Appends the items that an event makes.
    fn collect(position: Position<'_>, session: &mut Session, ready: &mut VecDeque<Self>);
    fn from_step(step: ConversationStep) -> Self;
    fn into_step(self) -> Option<ConversationStep>;
    /// `None` if this stream doesn't yield the event.
    fn from_event(event: TurnEvent) -> Option<Self>;
    fn into_event(self) -> TurnEvent;
}

impl Item for ConversationStep {
    fn collect(position: Position<'_>, session: &mut Session, ready: &mut VecDeque<Self>) {
        let event = position.block.event(position.index);
        if event.kind.concerns_steps() {
            session.observe(&event, || position.item_text(), ready);
        }
    }

    fn from_step(step: ConversationStep) -> Self {
        step
    }

    fn into_step(self) -> Option<ConversationStep> {
        Some(self)
    }

    fn from_event(event: TurnEvent) -> Option<Self> {
        event.into_step()
    }

    fn into_event(self) -> TurnEvent {
        TurnEvent::Step(self)
    }
}

impl Item for TurnEvent {
    fn collect(position: Position<'_>, session: &mut Session, ready: &mut VecDeque<Self>) {
        let event = position.block.event(position.index);
        if event.kind == Kind::SubAgent {
            ready.extend(session.agents.event(&event, position));
            return;
        }
        if let (Kind::ItemStarted | Kind::ItemCompleted, Some(item)) = (event.kind, event.body) {
            session.agents.note(item);
        }
        let mut steps = Vec::new();
        session.observe(&event, || position.item_text(), &mut steps);
        let is_step = event.kind == Kind::ItemCompleted && !steps.is_empty();
        ready.extend(steps.into_iter().map(TurnEvent::Step));
        if !is_step {
            ready.push_back(TurnEvent::of(&event, position, &session.thread_id, &session.turn_id));
        }
    }

    fn from_step(step: ConversationStep) -> Self {
        TurnEvent::Step(step)
    }

    fn into_step(self) -> Option<ConversationStep> {
        match self {
            TurnEvent::Step(step) => Some(step),
            _ => None,
        }
    }

    fn from_event(event: TurnEvent) -> Option<Self> {
        Some(event)
    }

    fn into_event(self) -> TurnEvent {
        self
    }
}
