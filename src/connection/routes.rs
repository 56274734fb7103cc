//! Which turn a notification belongs to, by the ids of its envelope.
//!
//! Relies on `turn_log`. Invariant: an event reaches the turn that its ids name and no other; what
//! arrives for a turn before the reply that names it is kept until that reply.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{Arc, Weak, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::turn_log::{Consumer, Event, Interest, TurnLog};
use crate::{
    error::Error,
    protocol::{envelope::Route, kind::Kind},
};

/// A turn that has been asked for, and not been named yet.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) thread_id: String,
    pub(crate) interest: Interest,
}

/// Keeps the events of a turn that has no name yet. Dropped before the turn is named, it lets go of
/// them.
#[derive(Debug)]
pub(crate) struct Expected {
    routes: Arc<Mutex<Routes>>,
    start: Start,
    is_named: bool,
}

impl Expected {
    /// From now on events of unnamed turns on the thread are kept. `None`: the connection has ended.
    pub(crate) fn new(routes: &Arc<Mutex<Routes>>, start: Start) -> Option<Expected> {
        let expected = routes.lock().expect(&start);
        expected.then(|| Expected { routes: Arc::clone(routes), start, is_named: false })
    }

    /// The reply has named the turn, and its thread where that is another one.
    pub(crate) fn open(mut self, turn_id: &str, thread_id: Option<&str>, now: Duration) -> Consumer {
        match thread_id.filter(|id| *id != self.start.thread_id) {
            None => {
                self.is_named = true;
                self.routes.lock().open(&self.start, turn_id, now)
            }
            Some(elsewhere) => {
                let start = Start { thread_id: elsewhere.to_owned(), ..self.start.clone() };
                let mut routes = self.routes.lock();
                routes.expect(&start);
                routes.open(&start, turn_id, now)
            }
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if !self.is_named {
            self.routes.lock().unexpect(&self.start);
        }
    }
}

/// An event that came before the reply which names its turn.
#[derive(Debug)]
struct Early {
    turn_id: Option<String>,
    root_turn_id: Option<String>,
    kind: Kind,
    text: String,
    item_id: Option<Range<usize>>,
    body: Option<Range<usize>>,
}

impl Early {
    fn new(event: &Event<'_>, route: &Route<'_>) -> Early {
        let owned = |id: &Option<Cow<'_, str>>| id.as_deref().map(str::to_owned);
        let range = |part: Option<&str>| {
            let part = part?;
            let start = part.as_ptr() as usize - event.text.as_ptr() as usize;
            Some(start..start + part.len())
        };
        Early {
            turn_id: owned(&route.turn_id),
            root_turn_id: owned(&route.root_turn_id),
            kind: event.kind,
            text: event.text.to_owned(),
            item_id: range(event.item_id),
            body: range(event.body),
        }
    }

    fn event(&self) -> Event<'_> {
        let part = |range: &Option<Range<usize>>| range.clone().map(|range| &self.text[range]);
        Event { kind: self.kind, text: &self.text, item_id: part(&self.item_id), body: part(&self.body) }
    }
}

#[derive(Debug, Default)]
struct ThreadRoute {
    turns: Vec<Arc<TurnLog>>,
    /// How many turns have been asked for and not been named.
    starting: usize,
    early: Vec<Early>,
    /// Turns that ended while others had been asked for: one of these may turn out to be the same.
    ended: Vec<Arc<TurnLog>>,
}

impl ThreadRoute {
    /// One turn less is waited for. What is kept for those to come goes with the last of them.
    fn expect_one_less(&mut self) {
        self.starting = self.starting.saturating_sub(1);
        if self.starting == 0 {
            self.early.clear();
            self.ended.clear();
        }
    }

    fn is_empty(&self) -> bool {
        self.starting == 0 && self.turns.is_empty()
    }
}

#[derive(Debug)]
pub(crate) struct Routes {
    threads: HashMap<String, ThreadRoute>,
    /// Threads whose events come to this connection.
    loaded: HashSet<String>,
    epoch: Instant,
    kept: Arc<AtomicUsize>,
    /// The turn of the last event: a stream of deltas needs no look-up.
    last: Option<Arc<TurnLog>>,
    /// The threads of sub-agents, and the turn that each works for.
    sub_agents: HashMap<String, Arc<TurnLog>>,
    /// Turns that are over and may not have been read: they take memory too.
    unread: Vec<Weak<TurnLog>>,
    max_kept: usize,
    /// Servers before 0.169 name a second turn on a busy thread that never runs.
    has_phantom_turns: bool,
    is_closed: bool,
}

impl Routes {
    pub(crate) fn new(epoch: Instant, kept: Arc<AtomicUsize>, max_kept: usize) -> Self {
        Routes {
            threads: HashMap::new(),
            loaded: HashSet::new(),
            epoch,
            kept,
            last: None,
            sub_agents: HashMap::new(),
            unread: Vec::new(),
            max_kept,
            has_phantom_turns: false,
            is_closed: false,
        }
    }

    pub(crate) fn expect_phantom_turns(&mut self) {
        self.has_phantom_turns = true;
    }

    fn expect(&mut self, start: &Start) -> bool {
        if !self.is_closed {
            self.threads.entry(start.thread_id.clone()).or_default().starting += 1;
        }
        !self.is_closed
    }

    fn unexpect(&mut self, start: &Start) {
        if let Some(route) = self.threads.get_mut(&start.thread_id) {
            route.expect_one_less();
            if route.is_empty() {
                self.threads.remove(&start.thread_id);
            }
        }
    }

    /// The turn that was asked for has its name: its log, with what came early. A turn that runs
    /// already gets one more consumer.
    fn open(&mut self, start: &Start, turn_id: &str, now: Duration) -> Consumer {
        let route = self.threads.entry(start.thread_id.clone()).or_default();
        let runs = |log: &&Arc<TurnLog>| log.turn_id == turn_id || self.has_phantom_turns;
        let has_ended = |log: &&Arc<TurnLog>| log.turn_id == turn_id;
        let known =
            route.turns.iter().find(runs).or_else(|| route.ended.iter().find(has_ended)).map(Arc::clone);
        let log = known.unwrap_or_else(|| {
            let log = Arc::new(TurnLog::new(&start.thread_id, turn_id, self.epoch, Arc::clone(&self.kept)));
            route.turns.push(Arc::clone(&log));
            log
        });
        let consumer = log.attach(start.interest);
        let mut others = Vec::new();
        for early in std::mem::take(&mut route.early) {
            if !belongs(&log, early.turn_id.as_deref(), early.root_turn_id.as_deref()) {
                others.push(early);
            } else if !log.is_over() {
                log.deliver(&early.event(), early.turn_id.as_deref(), now);
            }
        }
        route.early = others;
        route.expect_one_less();
        log.ring();
        if log.is_over() {
            self.remove(&log);
        }
        consumer
    }

    /// Hands an event to its turn. Gives the log that has news to be told.
    pub(crate) fn deliver(
        &mut self,
        kind: Kind,
        route: &Route<'_>,
        text: &str,
        now: Duration,
    ) -> Option<Arc<TurnLog>> {
        let thread_id = route.thread_id.as_deref()?;
        let turn_id = route.turn_id.as_deref();
        let event = Event {
            kind,
            text,
            item_id: route.item_id.map(RawValue::get),
            body: route.body.map(RawValue::get),
        };
        let is_item = matches!(kind, Kind::ItemStarted | Kind::ItemCompleted);
        if let (Some(last), Some(turn_id)) = (&self.last, turn_id) {
            let is_same = last.turn_id == turn_id && last.thread_id == thread_id;
            if is_same && !is_item && kind != Kind::TurnCompleted {
                return last.deliver(&event, Some(turn_id), now).then(|| Arc::clone(last));
            }
        }
        if is_item {
            self.note_sub_agents(thread_id, turn_id, event.body);
        }
        if turn_id.is_some() {
            if let Some(parent) = self.sub_agents.get(thread_id) {
                parent.touch(now);
            }
        }
        match kind {
            Kind::ThreadGone => {
                self.loaded.remove(thread_id);
                self.set_idle(thread_id, true, now);
            }
            Kind::ThreadStatus => {
                let status = status_of(text);
                if status.as_deref() == Some("notLoaded") {
                    self.loaded.remove(thread_id);
                }
                // A status that can't be read is no reason to doubt that the turn runs.
                self.set_idle(thread_id, status.is_some_and(|status| status != "active"), now);
            }
            _ => {}
        }
        let thread = self.threads.get_mut(thread_id)?;
        let root_turn_id = route.root_turn_id.as_deref();
        // A warning names its thread only; it is for whoever runs there.
        if turn_id.is_none() && kind != Kind::Warning {
            return None;
        }
        let log = thread.turns.iter().find(|log| belongs(log, turn_id, root_turn_id)).map(Arc::clone);
        let Some(log) = log else {
            // The servers with phantoms don't tell the root of a review either: it is what was asked for
            // and has not begun.
            if self.has_phantom_turns && kind == Kind::TurnStarted {
                if let Some(log) = thread.turns.iter().find(|log| log.running_id().is_none()) {
                    log.begin(turn_id);
                }
            }
            if thread.starting > 0 {
                thread.early.push(Early::new(&event, route));
            }
            return None;
        };
        let has_news = log.deliver(&event, turn_id, now);
        if log.is_over() {
            self.remove(&log);
            if log.kept_bytes() > 0 {
                self.unread.retain(|unread| unread.strong_count() > 0);
                self.unread.push(Arc::downgrade(&log));
            }
        } else if turn_id == Some(&log.turn_id) {
            self.last = Some(Arc::clone(&log));
        }
        has_news.then_some(log)
    }

    /// Gives the turn up that holds the most, if that is more than this.
    pub(crate) fn give_up_fullest(&mut self, more_than: usize, buffered: usize) -> bool {
        let unread = self.unread.iter().filter_map(Weak::upgrade);
        let all = self.running().map(Arc::clone).chain(unread);
        let fullest = all.map(|log| (log.kept_bytes(), log)).max_by_key(|(bytes, _)| *bytes);
        let Some((_, fullest)) = fullest.filter(|(bytes, _)| *bytes > more_than) else { return false };
        fullest.give_up(Error::BufferFull {
            thread_id: fullest.thread_id.clone(),
            turn_id: fullest.turn_id.clone(),
            buffered,
            limit: self.max_kept,
        });
        self.remove(&fullest);
        true
    }

    /// The server says whether the thread runs a turn.
    fn set_idle(&self, thread_id: &str, is_idle: bool, now: Duration) {
        for log in self.threads.get(thread_id).map(|route| &route.turns).into_iter().flatten() {
            log.set_idle(is_idle, now);
        }
    }

    /// The threads that an item hands work to belong to the turn of the item, or to the turn that
    /// the item's own thread works for.
    fn note_sub_agents(&mut self, thread_id: &str, turn_id: Option<&str>, item: Option<&str>) {
        const RECEIVERS: &[u8] = b"\"receiverThreadIds\"";
        // The type comes first on every server seen; a large item of another type is not searched.
        if item.is_some_and(|item| item.starts_with("{\"type\":\"") && !item[9..].starts_with("collab")) {
            return;
        }
        let Some(item) = item.filter(|item| memchr::memmem::find(item.as_bytes(), RECEIVERS).is_some())
        else {
            return;
        };
        let own = self.threads.get(thread_id).and_then(|route| {
            route.turns.iter().find(|log| Some(log.turn_id.as_str()) == turn_id).map(Arc::clone)
        });
        let parent = own.or_else(|| self.sub_agents.get(thread_id).map(Arc::clone));
        if let Some(parent) = parent {
            for child in receivers(item) {
                self.sub_agents.insert(child, Arc::clone(&parent));
            }
        }
    }

    /// A turn that is over takes no more events.
    fn remove(&mut self, log: &Arc<TurnLog>) {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, log)) {
            self.last = None;
        }
        self.sub_agents.retain(|_, parent| !Arc::ptr_eq(parent, log));
        if let Some(route) = self.threads.get_mut(&log.thread_id) {
            let before = route.turns.len();
            route.turns.retain(|known| !Arc::ptr_eq(known, log));
            if route.starting > 0 && route.turns.len() < before {
                route.ended.push(Arc::clone(log));
            }
            if route.is_empty() {
                self.threads.remove(&log.thread_id);
            }
        }
    }

    /// The turn that a question is of: its own, or the one its thread works for.
    pub(crate) fn turn_of(&self, route: &Route<'_>) -> Option<Arc<TurnLog>> {
        let thread_id = route.thread_id.as_deref()?;
        let turn_id = route.turn_id.as_deref();
        let own = self.threads.get(thread_id).and_then(|thread| {
            // A review asks under the id it runs with.
            let is_its = |log: &&Arc<TurnLog>| belongs(log, turn_id, None) || log.running_id() == turn_id;
            thread.turns.iter().find(is_its).map(Arc::clone)
        });
        own.or_else(|| self.sub_agents.get(thread_id).map(Arc::clone))
    }

    /// The turns that run, as far as is known here.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Arc<TurnLog>> {
        self.threads.values().flat_map(|route| &route.turns)
    }

    pub(crate) fn is_loaded(&self, thread_id: &str) -> bool {
        self.loaded.contains(thread_id)
    }

    pub(crate) fn set_loaded(&mut self, thread_id: &str, is_loaded: bool) {
        match is_loaded {
            true => self.loaded.insert(thread_id.to_owned()),
            false => self.loaded.remove(thread_id),
        };
    }

    /// Ends every turn with this reason; none can start after it.
    pub(crate) fn close(&mut self, reason: &Error) {
        self.is_closed = true;
        self.last = None;
        self.loaded.clear();
        self.sub_agents.clear();
        for log in self.threads.drain().flat_map(|(_, route)| route.turns) {
            log.lose(reason.while_doing(&format!("turn {}", log.turn_id)));
        }
    }
}

/// `receiverThreadIds` of an item.
fn receivers(item: &str) -> Vec<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        receiver_thread_ids: Vec<String>,
    }
    serde_json::from_str(item).map_or(Vec::new(), |item: Item| item.receiver_thread_ids)
}

/// `params.status.type` of `thread/status/changed`.
fn status_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Message {
        params: Params,
    }
    #[derive(Deserialize)]
    struct Params {
        status: Status,
    }
    #[derive(Deserialize)]
    struct Status {
        r#type: String,
    }
    serde_json::from_str(text).ok().map(|Message { params }| params.status.r#type)
}

/// `turn/started` of a review names another id, with the turn's own as its root.
fn belongs(log: &TurnLog, turn_id: Option<&str>, root_turn_id: Option<&str>) -> bool {
    turn_id.is_none_or(|id| id == log.turn_id) || root_turn_id == Some(&log.turn_id)
}

#[cfg(test)]
mod tests;
