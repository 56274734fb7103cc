//! Turns that were read from the server, as the steps of a live turn.
//!
//! Relies on `session`. Invariant: an item that was read makes the same step as when it completed.

use super::{
    ConversationStep,
    raw::ItemText,
    session::{Session, TurnError, TurnOutcome},
};
use crate::protocol::{ThreadItem, Turn, TurnStatus};

impl Turn {
    /// The steps of the turn, as [`chat`](crate::Client::chat) yields them while it runs: one for each item, and a
    /// closing step if the turn did not complete. A turn in progress has those of the items that are complete.
    ///
    /// The turn has to be read with all its items: a reply can also contain a summary, or none of them (see
    /// [`items_view`](Self::items_view)). Their `thread_id` is empty, because a turn does not name its thread, and
    /// [`data`](ConversationStep::data) lacks what a [`ThreadItem`] does not keep: nulls, and members that this version
    /// does not know.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// # let thread = client.start_thread(codex_blocking::ThreadConfig::new())?;
    /// # thread.chat_once("hello")?;
    /// for turn in thread.turns() {
    ///     for step in turn?.steps() {
    ///         println!("{step}");
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn steps(&self) -> Vec<ConversationStep> {
        let mut session = Session::new("", &self.id, None);
        let mut steps: Vec<ConversationStep> = Vec::new();
        let completed = self.items.iter().filter_map(item_text).filter(|text| !is_in_progress(text));
        for text in completed {
            steps.extend(session.complete_item(&text, || ItemText::Own(text.as_str().into())));
        }
        session.outcome = outcome_of(self);
        steps.extend(session.error().map(|error| ConversationStep::closing("", &self.id, &error)));
        steps
    }
}

/// The JSON of an item.
pub(super) fn item_text(item: &ThreadItem) -> Option<String> {
    match item {
        // What is nested too deeply would be serialized as a string.
        ThreadItem::Unknown(unknown) => Some(unknown.raw().to_owned()),
        item => serde_json::to_string(item).ok(),
    }
}

fn is_in_progress(item: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        status: String,
    }
    serde_json::from_str(item).is_ok_and(|Head { status }| status == "inProgress")
}

/// How the turn ended; `None` while it is in progress.
pub(super) fn outcome_of(turn: &Turn) -> Option<TurnOutcome> {
    if turn.status == TurnStatus::InProgress {
        return None;
    }
    let error = turn.error.as_ref().and_then(|error| serde_json::to_string(error).ok());
    let error = error.and_then(|error| serde_json::from_str::<TurnError>(&error).ok());
    Some(TurnOutcome::of(Some(turn.status.as_str()), error, || {
        serde_json::to_value(turn).unwrap_or_default()
    }))
}
