//! Sub-agents of a turn: the threads that items name, and the events of those threads.
//!
//! Relies on `protocol::envelope`. Invariant: only items of the types that the server has for sub-agents name
//! any.

use std::collections::HashMap;

use serde::Deserialize;

use super::{ConversationStep, TurnEvent, event_block::Event, item::Position, kind::Kind};
use crate::protocol::envelope::{Envelope, Route};

/// About what an entry of the table costs besides its text.
const ENTRY: usize = 64;

/// The parts of an item that name sub-agents.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentItem {
    /// Of `collabAgentToolCall`.
    receiver_thread_ids: Option<Vec<String>>,
    /// Of `subAgentActivity`, as its path.
    agent_thread_id: Option<String>,
    agent_path: Option<String>,
}

impl AgentItem {
    fn of(item: &str) -> Option<AgentItem> {
        // All known servers send the type first, so a large item of another type is not searched.
        let may_name = match item.strip_prefix("{\"type\":\"") {
            Some(rest) => rest.starts_with("collab") || rest.starts_with("subAgent"),
            None => memchr::memmem::find(item.as_bytes(), b"hreadId").is_some(),
        };
        may_name.then(|| serde_json::from_str(item).ok()).flatten()
    }
}

/// The threads of sub-agents that an item names.
pub(super) fn named_threads(item: &str) -> impl Iterator<Item = String> + use<> {
    let item = AgentItem::of(item);
    let (receivers, agent) =
        item.map_or((None, None), |item| (item.receiver_thread_ids, item.agent_thread_id));
    receivers.into_iter().flatten().chain(agent)
}

/// The names of the sub-agents of a turn.
#[derive(Debug, Default)]
pub(super) struct AgentNames {
    by_thread: HashMap<String, String>,
    bytes: usize,
}

impl AgentNames {
    /// The bytes counted for the names.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Notes the name that an item gives a sub-agent.
    pub(super) fn note(&mut self, item: &str) {
        let Some(AgentItem { agent_thread_id: Some(thread_id), agent_path: Some(name), .. }) =
            AgentItem::of(item)
        else {
            return;
        };
        self.bytes += ENTRY + thread_id.len() + name.len();
        if let Some(before) = self.by_thread.insert(thread_id, name) {
            self.bytes -= ENTRY + before.len();
        }
    }

    /// The event of a notification of a sub-agent's thread. `None` if its text is no notification.
    pub(super) fn event(&mut self, event: &Event<'_>, position: Position<'_>) -> Option<TurnEvent> {
        let Some(Envelope::Notification { method, route }) = Envelope::parse(event.text) else { return None };
        let Route { thread_id, turn_id, item_id, body, .. } = route;
        let (thread_id, turn_id) = (thread_id?.into_owned(), turn_id.unwrap_or_default());
        let event = Event {
            kind: Kind::of(&method),
            item_id: item_id.map(serde_json::value::RawValue::get),
            body: body.map(serde_json::value::RawValue::get),
            ..*event
        };
        if let (Kind::ItemStarted | Kind::ItemCompleted, Some(item)) = (event.kind, event.body) {
            self.note(item);
        }
        let step = event
            .body
            .filter(|_| event.kind == Kind::ItemCompleted)
            .and_then(|item| ConversationStep::of_item(&thread_id, &turn_id, item, || position.item_text()));
        let inner = match step {
            Some((step, _)) => TurnEvent::Step(step),
            None => TurnEvent::of(&event, position, &thread_id, &turn_id),
        };
        let agent = self.by_thread.get(&thread_id).cloned();
        Some(TurnEvent::SubAgent { thread_id, agent, event: Box::new(inner) })
    }
}
