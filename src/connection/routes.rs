//! Which turn a notification belongs to, by the ids of its envelope.
//!
//! Relies on `turn_log`. Invariant: an event reaches the turn that its ids name and no other; what
//! arrives for a turn before the reply that names it is kept until that reply.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::turn_log::{Consumer, Interest, TurnLog};
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

    /// The reply has named the turn.
    pub(crate) fn open(mut self, turn_id: &str, now: Duration) -> Consumer {
        self.is_named = true;
        self.routes.lock().open(&self.start, turn_id, now)
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
}

#[derive(Debug, Default)]
struct ThreadRoute {
    turns: Vec<Arc<TurnLog>>,
    /// How many turns have been asked for and not been named.
    starting: usize,
    early: Vec<Early>,
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
    is_closed: bool,
}

impl Routes {
    pub(crate) fn new(epoch: Instant, kept: Arc<AtomicUsize>) -> Self {
        Routes { threads: HashMap::new(), loaded: HashSet::new(), epoch, kept, last: None, is_closed: false }
    }

    fn expect(&mut self, start: &Start) -> bool {
        if !self.is_closed {
            self.threads.entry(start.thread_id.clone()).or_default().starting += 1;
        }
        !self.is_closed
    }

    fn unexpect(&mut self, start: &Start) {
        if let Some(route) = self.threads.get_mut(&start.thread_id) {
            route.starting = route.starting.saturating_sub(1);
            if route.starting == 0 {
                route.early.clear();
            }
            if route.starting == 0 && route.turns.is_empty() {
                self.threads.remove(&start.thread_id);
            }
        }
    }

    /// The turn that was asked for has its name: its log, with what came early. A turn that runs
    /// already gets one more consumer.
    fn open(&mut self, start: &Start, turn_id: &str, now: Duration) -> Consumer {
        let route = self.threads.entry(start.thread_id.clone()).or_default();
        route.starting = route.starting.saturating_sub(1);
        let known = route.turns.iter().find(|log| log.turn_id == turn_id).map(Arc::clone);
        let consumer = match known {
            Some(log) => log.attach(start.interest),
            None => {
                let log =
                    Arc::new(TurnLog::new(&start.thread_id, turn_id, self.epoch, Arc::clone(&self.kept)));
                route.turns.push(Arc::clone(&log));
                log.attach(start.interest)
            }
        };
        let log = Arc::clone(consumer.log());
        let mut others = Vec::new();
        for early in std::mem::take(&mut route.early) {
            if belongs(&log, early.turn_id.as_deref(), early.root_turn_id.as_deref()) {
                log.deliver(early.kind, &early.text, early.turn_id.as_deref(), now);
            } else if route.starting > 0 {
                others.push(early);
            }
        }
        route.early = others;
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
        if kind == Kind::ThreadGone {
            self.loaded.remove(thread_id);
        }
        let turn_id = route.turn_id.as_deref();
        if let (Some(last), Some(turn_id)) = (&self.last, turn_id) {
            if last.turn_id == turn_id && last.thread_id == thread_id && kind != Kind::TurnCompleted {
                return last.deliver(kind, text, Some(turn_id), now).then(|| Arc::clone(last));
            }
        }
        let thread = self.threads.get_mut(thread_id)?;
        let root_turn_id = route.root_turn_id.as_deref();
        // A warning names its thread only; it is for whoever runs there.
        if turn_id.is_none() && kind != Kind::Warning {
            return None;
        }
        let log = thread.turns.iter().find(|log| belongs(log, turn_id, root_turn_id)).map(Arc::clone);
        let Some(log) = log else {
            if thread.starting > 0 {
                let owned = |id: Option<&str>| id.map(str::to_owned);
                thread.early.push(Early {
                    turn_id: owned(turn_id),
                    root_turn_id: owned(root_turn_id),
                    kind,
                    text: text.to_owned(),
                });
            }
            return None;
        };
        let has_news = log.deliver(kind, text, turn_id, now);
        if log.is_over() {
            self.remove(&log);
        } else if turn_id == Some(&log.turn_id) {
            self.last = Some(Arc::clone(&log));
        }
        has_news.then_some(log)
    }

    /// A turn that is over takes no more events.
    fn remove(&mut self, log: &Arc<TurnLog>) {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, log)) {
            self.last = None;
        }
        if let Some(route) = self.threads.get_mut(&log.thread_id) {
            route.turns.retain(|known| !Arc::ptr_eq(known, log));
            if route.turns.is_empty() && route.starting == 0 {
                self.threads.remove(&log.thread_id);
            }
        }
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
        for log in self.threads.drain().flat_map(|(_, route)| route.turns) {
            log.lose(reason.while_doing(&format!("turn {}", log.turn_id)));
        }
    }
}

/// `turn/started` of a review names another id, with the turn's own as its root.
fn belongs(log: &TurnLog, turn_id: Option<&str>, root_turn_id: Option<&str>) -> bool {
    turn_id.is_none_or(|id| id == log.turn_id) || root_turn_id == Some(&log.turn_id)
}
