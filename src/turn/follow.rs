//! Follows a thread: the events of all its turns, whoever starts them, in one stream.
//!
//! Relies on `log` for the mailbox. Invariant: a follower gets each event of a turn of its thread once, whether or
//! not the turn belongs to this client; no turn's end is its end. It ends with the thread or the connection.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use serde::Deserialize;

use super::{
    event_block::Event,
    kind::Kind,
    log::{Consumer, Interest, TurnLog},
    raw::params_of,
};
use crate::{
    error::Error,
    protocol::envelope::Route,
    rpc::{Budget, Wakeups},
};

/// The followers of each thread.
#[derive(Debug, Default)]
pub(super) struct Followers(HashMap<String, Vec<Weak<TurnLog>>>);

impl Followers {
    pub(super) fn add(&mut self, thread_id: &str, budget: &Arc<Budget>) -> Consumer {
        let log = TurnLog::following(thread_id, budget);
        self.0.retain(|_, logs| {
            logs.retain(|known| known.strong_count() > 0);
            !logs.is_empty()
        });
        self.0.entry(thread_id.to_owned()).or_default().push(Arc::downgrade(&log));
        log.attach(Interest::Events)
    }

    /// Passes an event to the followers of its thread. Usually there are none.
    pub(super) fn deliver(&mut self, event: &Event<'_>, route: &Route<'_>, wakeups: &mut Wakeups) {
        if self.0.is_empty() {
            return;
        }
        let Some(thread_id) = route.thread_id.as_deref() else { return };
        if event.kind == Kind::ThreadGone {
            return self.end_thread(thread_id);
        }
        let Some(logs) = self.0.get_mut(thread_id) else { return };
        let is_of_turn = route.turn_id.is_some() || event.kind == Kind::Warning;
        logs.retain(|log| {
            let Some(log) = log.upgrade().filter(|log| !log.is_over()) else { return false };
            if is_of_turn {
                log.pass_on(event, wakeups);
            }
            true
        });
    }

    /// The events of this thread no longer arrive.
    pub(super) fn end_thread(&mut self, thread_id: &str) {
        for log in self.0.remove(thread_id).iter().flatten().filter_map(Weak::upgrade) {
            log.lose(Error::no_longer_pending(format!("thread {thread_id} is no longer loaded")));
        }
    }

    /// The connection has ended.
    pub(super) fn end(&mut self, reason: &Error) {
        for log in std::mem::take(&mut self.0).values().flatten().filter_map(Weak::upgrade) {
            log.lose(reason.while_doing(&format!("follow thread {}", log.thread_id)));
        }
    }
}

/// The turn that an event of a followed thread belongs to.
pub(super) fn turn_id_of(event: &Event<'_>) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        turn_id: Option<String>,
        turn: Option<Turn>,
    }
    #[derive(Deserialize)]
    struct Turn {
        id: String,
    }
    let Named { turn_id, turn } = params_of(event.text).ok()?;
    turn_id.or(turn.map(|turn| turn.id))
}
