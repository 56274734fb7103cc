//! Routes notifications to turns, by the ids in the envelope.
//!
//! Relies on `log`. Invariant: an event reaches the turn that its ids name and no other; events that arrive
//! before the reply that names their turn are kept until that reply; events that belong to no turn of this
//! client are not kept.
//!
//! Locks: the table, then a log.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    sync::{Arc, Weak},
    time::Instant,
};

use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    event_block::{Event, offset},
    follow::Followers,
    kind::Kind,
    log::{Consumer, Interest, TurnLog},
    rate_limits::RateLimits,
    raw::params_of,
    result::token_usage_of,
    sub_agent::named_threads,
    threads::Threads,
    unload::Lease,
};
use crate::{
    error::Error,
    protocol::envelope::Route,
    rpc::{Budget, Core, Frame, Mailbox, Overrun, Payer, Subsystem, Taken, Wakeups, Weighed},
};

/// A turn that is about to be requested, and has no id yet.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) thread_id: String,
    pub(crate) interest: Interest,
    /// For a thread that is loaded only for this turn.
    pub(crate) lease: Option<Lease>,
}

/// Keeps the events of a turn that has no id yet. Frees them if dropped before the turn is named.
#[derive(Debug)]
pub(crate) struct Expected {
    turns: Arc<Turns>,
    start: Start,
    is_named: bool,
}

impl Expected {
    /// Registers the turn under the id in the reply, and under its thread's id if that is another one.
    pub(crate) fn open(mut self, turn_id: &str, thread_id: Option<&str>, now: Instant) -> Consumer {
        let start = match thread_id.filter(|id| *id != self.start.thread_id) {
            None => {
                self.is_named = true;
                self.start.clone()
            }
            Some(elsewhere) => Start { thread_id: elsewhere.to_owned(), ..self.start.clone() },
        };
        self.turns.with_table(|table| {
            if !self.is_named {
                table.expect(&start);
            }
            table.open(&start, turn_id, now)
        })
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if !self.is_named {
            self.turns.unexpect(&self.start);
        }
    }
}

/// An event that arrived before the reply that names its turn.
#[derive(Debug)]
struct Early {
    turn_id: Option<String>,
    root_turn_id: Option<String>,
    kind: Kind,
    text: Arc<String>,
    item_id: Option<Range<usize>>,
    body: Option<Range<usize>>,
}

/// About what keeping an early event costs besides its text: most are small.
const EARLY_ENTRY: usize = size_of::<Early>() + 96;

impl Early {
    fn new(event: &Event<'_>, route: &Route<'_>) -> Early {
        let owned = |id: &Option<Cow<'_, str>>| id.as_deref().map(str::to_owned);
        let range = |part: Option<&str>| {
            let part = part?;
            let start = offset(event.text, part);
            Some(start..start + part.len())
        };
        Early {
            turn_id: owned(&route.turn_id),
            root_turn_id: owned(&route.root_turn_id),
            kind: event.kind,
            text: event.owner.map_or_else(|| Arc::new(event.text.to_owned()), Arc::clone),
            item_id: range(event.item_id),
            body: range(event.body),
        }
    }

    /// What it costs to keep it.
    fn bytes(&self) -> usize {
        EARLY_ENTRY + self.text.len()
    }

    fn event(&self) -> Event<'_> {
        let part = |range: &Option<Range<usize>>| range.clone().map(|range| &self.text[range]);
        Event {
            kind: self.kind,
            text: &self.text,
            item_id: part(&self.item_id),
            body: part(&self.body),
            owner: None,
        }
    }
}

/// Waits for the turn of a compaction, whose id is in no reply.
#[derive(Debug)]
pub(crate) struct ExpectedCompaction {
    turns: Arc<Turns>,
    thread_id: String,
    begun: Arc<BegunTurns>,
}

/// The turns of a thread that began without having been requested by their ids.
type BegunTurns = Mailbox<Consumer>;

impl Weighed for Consumer {
    /// What it keeps is counted by its own mailbox.
    fn bytes(&self) -> usize {
        0
    }
}

impl ExpectedCompaction {
    /// Waits for the next turn that may be the compaction, until the given time. `None` if none has begun, or
    /// the connection has ended.
    pub(crate) fn wait(&self, until: Option<Instant>) -> Option<Consumer> {
        match self.begun.take_before(until) {
            Taken::Item(consumer) => Some(consumer),
            Taken::Empty | Taken::Ended(()) => None,
        }
    }
}

impl Drop for ExpectedCompaction {
    fn drop(&mut self) {
        self.turns.with_table(|table| {
            if let Some(thread) = table.threads.get_mut(&self.thread_id) {
                thread.compactions.retain(|(_, expected)| !Arc::ptr_eq(expected, &self.begun));
                table.remove_if_empty(&self.thread_id);
            }
        });
    }
}

/// The turns of one thread.
#[derive(Debug, Default)]
struct ThreadTurns {
    turns: Vec<Arc<TurnLog>>,
    /// Those who wait for a compaction, with the number of turns that each has received. The next turn that
    /// nobody requested by its id is for the first one of those with the fewest.
    compactions: Vec<(usize, Arc<BegunTurns>)>,
    /// Keeps the thread loaded while its turn is running.
    lease: Option<Lease>,
    /// The number of turns that have been requested and have no id yet.
    starting: usize,
    early: Vec<Early>,
    /// Set if early events were dropped because the limit was exceeded.
    overrun: Option<Overrun>,
    /// Turns that ended while others were requested: a requested turn may turn out to be one of them.
    ended: Vec<Arc<TurnLog>>,
}

impl ThreadTurns {
    fn is_empty(&self) -> bool {
        self.starting == 0 && self.turns.is_empty() && self.compactions.is_empty()
    }

    fn early_bytes(&self) -> usize {
        self.early.iter().map(Early::bytes).sum()
    }

    /// Counts one requested turn less. The last one frees the early events.
    fn expect_one_less(&mut self, budget: &Budget) {
        self.starting = self.starting.saturating_sub(1);
        if self.starting == 0 {
            budget.refund(self.early_bytes());
            self.early.clear();
            self.ended.clear();
            self.overrun = None;
        }
    }
}

/// The turns of a connection.
#[derive(Debug)]
pub(crate) struct Turns {
    table: Mutex<Table>,
    threads: Arc<Threads>,
    rate_limits: RateLimits,
    budget: Arc<Budget>,
}

#[derive(Debug)]
struct Table {
    threads: HashMap<String, ThreadTurns>,
    known: Arc<Threads>,
    /// The registry itself, for the logs.
    turns: Weak<Turns>,
    /// The turn of the last event, so that a series of deltas needs no lookup.
    last: Option<Arc<TurnLog>>,
    /// The threads of sub-agents, and the turn that started each.
    sub_agents: HashMap<String, Arc<TurnLog>>,
    followers: Followers,
    /// Set for servers before 0.169, which return the id of a turn that never runs if the thread is busy.
    has_phantom_turns: bool,
    /// Leases to be dropped once the table is unlocked, since that sends a request.
    released: Vec<Lease>,
    budget: Arc<Budget>,
}

impl Turns {
    pub(crate) fn new(budget: &Arc<Budget>) -> Arc<Turns> {
        let threads = Arc::<Threads>::default();
        let table = |turns: &Weak<Turns>| Table {
            threads: HashMap::new(),
            known: Arc::clone(&threads),
            turns: Weak::clone(turns),
            last: None,
            sub_agents: HashMap::new(),
            followers: Followers::default(),
            has_phantom_turns: false,
            released: Vec::new(),
            budget: Arc::clone(budget),
        };
        let turns = Arc::new_cyclic(|turns| Turns {
            table: Mutex::new(table(turns)),
            threads: Arc::clone(&threads),
            rate_limits: RateLimits::default(),
            budget: Arc::clone(budget),
        });
        let payer: Arc<dyn Payer> = Arc::clone(&turns) as _;
        budget.register(Arc::downgrade(&payer));
        turns
    }

    /// Notes that the server is older than 0.169, and returns the id of a turn that never runs if the thread
    /// is busy.
    pub(crate) fn expect_phantom_turns(&self) {
        self.table.lock().has_phantom_turns = true;
    }

    /// Changes the table. The leases that this releases are dropped after it is unlocked.
    fn with_table<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.table.lock();
        let changed = change(&mut table);
        let released = std::mem::take(&mut table.released);
        drop(table);
        drop(released);
        changed
    }

    /// Keeps events of unnamed turns of the thread from now on.
    pub(crate) fn expect(self: &Arc<Self>, start: Start) -> Expected {
        self.table.lock().expect(&start);
        Expected { turns: Arc::clone(self), start, is_named: false }
    }

    /// Takes turns of the thread that begin without having been requested by their ids, from now on.
    pub(crate) fn expect_compaction(self: &Arc<Self>, thread_id: &str) -> ExpectedCompaction {
        let begun = Mailbox::internal(&self.budget);
        self.with_table(|table| {
            let thread = table.threads.entry(thread_id.to_owned()).or_default();
            thread.compactions.push((0, Arc::clone(&begun)));
        });
        ExpectedCompaction { turns: Arc::clone(self), thread_id: thread_id.to_owned(), begun }
    }

    /// Follows a thread: takes the events of all its turns from now on.
    pub(crate) fn follow(&self, thread_id: &str) -> Consumer {
        self.with_table(|table| table.followers.add(thread_id, &self.budget))
    }

    /// Ends those who follow a thread: its events no longer arrive.
    pub(crate) fn end_following(&self, thread_id: &str) {
        self.with_table(|table| table.followers.end_thread(thread_id));
    }

    fn unexpect(&self, start: &Start) {
        self.with_table(|table| {
            if let Some(thread) = table.threads.get_mut(&start.thread_id) {
                thread.expect_one_less(&self.budget);
                table.remove_if_empty(&start.thread_id);
            }
        });
    }

    /// Delivers an event to its turn.
    pub(super) fn deliver(&self, event: &Event<'_>, route: &Route<'_>, now: Instant, wakeups: &mut Wakeups) {
        self.with_table(|table| table.deliver(event, route, now, wakeups));
    }

    /// Processes the end of a turn that the server did not send, but reported when asked.
    pub(super) fn repair(&self, log: &TurnLog, turn_completed: &str) {
        let route = Route {
            thread_id: Some(log.thread_id.as_str().into()),
            turn_id: Some(log.turn_id.as_str().into()),
            ..Route::default()
        };
        let event =
            Event { kind: Kind::TurnCompleted, text: turn_completed, item_id: None, body: None, owner: None };
        self.deliver(&event, &route, Instant::now(), &mut Wakeups::default());
    }

    /// Unregisters a turn that has ended.
    fn remove(&self, log: &TurnLog) {
        self.with_table(|table| table.remove(log));
    }

    /// The turn that a server request belongs to: its own, or the one whose sub-agent sent it.
    pub(crate) fn turn_of(&self, route: &Route<'_>) -> Option<Arc<TurnLog>> {
        self.table.lock().turn_of(route)
    }

    /// `None` in a forked process, if another thread held the lock at the fork.
    fn table_here(&self) -> Option<MutexGuard<'_, Table>> {
        self.budget.origin().lock(&self.table)
    }

    /// A running turn, as far as this connection knows.
    pub(crate) fn running_turn(&self, is_it: impl Fn(&TurnLog) -> bool) -> Option<Arc<TurnLog>> {
        self.table_here()?.running().find(|log| is_it(log)).map(Arc::clone)
    }

    /// The number of running turns, as far as this connection knows.
    pub(crate) fn running_count(&self) -> usize {
        self.table_here().map_or(0, |table| table.running().count())
    }

    /// Whether a turn of this client is running or starting in this thread.
    pub(crate) fn is_busy(&self, thread_id: &str) -> bool {
        self.table_here()
            .is_some_and(|table| table.threads.get(thread_id).is_some_and(|turns| !turns.is_empty()))
    }

    /// The threads of this connection.
    pub(crate) fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    /// The limits of the account.
    pub(super) fn rate_limits(&self) -> &RateLimits {
        &self.rate_limits
    }

    /// Warns once per turn that the server can't reach its model, because it tries again for ever.
    fn warn_of_retries(&self, core: &Core, frame: &Frame<'_>) {
        let Some(log) = self.turn_of(frame.route) else { return };
        if let Some(notice) = log.first_retry() {
            let (thread_id, turn_id) = (&log.thread_id, &log.turn_id);
            core.log(log::Level::Warn, || format!("turn {turn_id} of thread {thread_id}: {notice}"));
        }
    }
}

impl Subsystem for Turns {
    fn notification(&self, core: &Arc<Core>, frame: &Frame<'_>, wakeups: &mut Wakeups) {
        let event = Event {
            kind: Kind::of(frame.method),
            text: frame.text,
            item_id: frame.route.item_id.map(RawValue::get),
            body: frame.route.body.map(RawValue::get),
            owner: frame.owner,
        };
        self.deliver(&event, frame.route, frame.received, wakeups);
        match event.kind {
            Kind::Error => self.warn_of_retries(core, frame),
            Kind::RateLimits => self.rate_limits.update(frame.text),
            _ => {}
        }
    }

    fn ended(&self, _: &Core, reason: &Error) {
        self.with_table(|table| {
            table.last = None;
            self.threads.clear();
            table.drop_sub_agents(|_| true);
            table.followers.end(reason);
            for (_, mut thread) in std::mem::take(&mut table.threads) {
                table.released.extend(thread.lease.take());
                self.budget.refund(thread.early_bytes());
                thread.compactions.iter().for_each(|(_, begun)| begun.close(()));
                for log in thread.turns {
                    log.lose(reason.while_doing(&format!("turn {}", log.turn_id)));
                }
            }
        });
    }
}

/// Pays with the early events.
impl Payer for Turns {
    fn kept_bytes(&self) -> usize {
        self.table.lock().threads.values().map(ThreadTurns::early_bytes).sum()
    }

    /// Drops the early events of the thread with the most. Its requested turns end with this error as soon as
    /// they are named.
    fn give_up(&self, overrun: Overrun) {
        let mut table = self.table.lock();
        if let Some(thread) = table.threads.values_mut().max_by_key(|thread| thread.early_bytes()) {
            self.budget.refund(thread.early_bytes());
            thread.early = Vec::new();
            thread.overrun = Some(overrun);
        }
    }
}

impl Table {
    fn expect(&mut self, start: &Start) {
        self.threads.entry(start.thread_id.clone()).or_default().starting += 1;
    }

    fn new_log(&self, thread_id: &str, turn_id: &str, now: Instant) -> Arc<TurnLog> {
        let turns = Weak::clone(&self.turns);
        // It takes no more events.
        let given_up = move |log: &TurnLog| {
            if let Some(turns) = turns.upgrade() {
                turns.remove(log);
            }
        };
        let usage_before = self.known.usage_before_turn(thread_id).map(|usage| usage.total);
        let log = TurnLog::new(thread_id, turn_id, usage_before, given_up, &self.budget);
        log.touch(now);
        log
    }

    /// The log of a turn that nobody has requested by its id, if a compaction is waited for. Whether it is one
    /// shows while it is read.
    fn take_compaction(
        &mut self,
        thread_id: &str,
        turn_id: &str,
        now: Instant,
        wakeups: &mut Wakeups,
    ) -> Option<Arc<TurnLog>> {
        let thread = self.threads.get_mut(thread_id)?;
        let (received, begun) = thread.compactions.iter_mut().min_by_key(|(received, _)| *received)?;
        *received += 1;
        let begun = Arc::clone(begun);
        let log = self.new_log(thread_id, turn_id, now);
        log.begin(Some(turn_id));
        begun.push(log.attach(Interest::Steps), wakeups);
        self.threads.get_mut(thread_id)?.turns.push(Arc::clone(&log));
        Some(log)
    }

    /// Creates the log of a requested turn once its id is known, and delivers its early events. A turn that
    /// is already running gets another consumer.
    fn open(&mut self, start: &Start, turn_id: &str, now: Instant) -> Consumer {
        let thread = self.threads.entry(start.thread_id.clone()).or_default();
        let before = std::mem::replace(&mut thread.lease, start.lease.clone());
        self.released.extend(before);
        let runs = |log: &&Arc<TurnLog>| log.turn_id == turn_id || self.has_phantom_turns;
        let has_ended = |log: &&Arc<TurnLog>| log.turn_id == turn_id;
        let known =
            thread.turns.iter().find(runs).or_else(|| thread.ended.iter().find(has_ended)).map(Arc::clone);
        let is_new = known.is_none();
        let log = known.unwrap_or_else(|| self.new_log(&start.thread_id, turn_id, now));
        let thread = self.threads.entry(start.thread_id.clone()).or_default();
        if is_new {
            thread.turns.push(Arc::clone(&log));
        }
        let consumer = log.attach(start.interest);
        let mut wakeups = Wakeups::default();
        let mut others = Vec::new();
        for early in std::mem::take(&mut thread.early) {
            if !belongs(&log, early.turn_id.as_deref(), early.root_turn_id.as_deref()) {
                others.push(early);
                continue;
            }
            self.budget.refund(early.bytes());
            if !log.is_over() {
                log.deliver(&early.event(), early.turn_id.as_deref(), now, &mut wakeups);
            }
        }
        thread.early = others;
        if let Some(Overrun { buffered, limit }) = thread.overrun {
            let (thread_id, turn_id) = (log.thread_id.clone(), log.turn_id.clone());
            log.lose(Error::BufferFull { thread_id, turn_id, buffered, limit });
        }
        thread.expect_one_less(&self.budget);
        if log.is_over() {
            self.remove(&log);
        }
        consumer
    }

    fn deliver(&mut self, event: &Event<'_>, route: &Route<'_>, now: Instant, wakeups: &mut Wakeups) {
        self.followers.deliver(event, route, wakeups);
        let Some(thread_id) = route.thread_id.as_deref() else { return };
        let (turn_id, kind) = (route.turn_id.as_deref(), event.kind);
        let is_item = matches!(kind, Kind::ItemStarted | Kind::ItemCompleted);
        if let (Some(last), Some(turn_id)) = (&self.last, turn_id) {
            let is_same = last.turn_id == turn_id && last.thread_id == thread_id;
            if is_same && !is_item && !matches!(kind, Kind::TurnCompleted | Kind::TokenUsage) {
                return last.deliver(event, Some(turn_id), now, wakeups);
            }
        }
        if is_item {
            self.note_sub_agents(thread_id, turn_id, event.body);
        } else if kind == Kind::TurnStarted {
            self.note_turn_of_sub_agent(thread_id, route.root_turn_id.as_deref());
        }
        if turn_id.is_some() || kind == Kind::Warning {
            if let Some(parent) = self.sub_agents.get(thread_id) {
                parent.touch(now);
                parent.deliver_of_sub_agent(event, wakeups);
            }
        }
        match kind {
            Kind::ThreadGone => {
                self.known.note_closed(thread_id);
                self.set_idle(thread_id, true, now);
            }
            Kind::ThreadStatus => {
                let status = status_of(event.text);
                if status.as_deref() == Some("notLoaded") {
                    self.known.set_unloaded(thread_id);
                }
                // A status that can't be decoded is no reason to doubt that the turn is running.
                self.set_idle(thread_id, status.is_some_and(|status| status != "active"), now);
            }
            Kind::ThreadReverted => self.known.note_reverted(thread_id),
            Kind::TokenUsage => self.known.report(thread_id, || token_usage_of(event.text)),
            _ => {}
        }
        let Some(thread) = self.threads.get_mut(thread_id) else { return };
        let root_turn_id = route.root_turn_id.as_deref();
        // A warning names only its thread; it goes to the turn that is running there.
        if turn_id.is_none() && kind != Kind::Warning {
            return;
        }
        let mut log = thread.turns.iter().find(|log| belongs(log, turn_id, root_turn_id)).map(Arc::clone);
        let has_compactions = !thread.compactions.is_empty();
        // Servers before 0.128 report no start of a compaction.
        let may_begin = || kind == Kind::TurnStarted || self.has_phantom_turns && is_compaction(event.body);
        if let Some(turn_id) = turn_id.filter(|_| log.is_none() && has_compactions && may_begin()) {
            log = self.take_compaction(thread_id, turn_id, now, wakeups);
        }
        let Some(log) = log else {
            let Some(thread) = self.threads.get_mut(thread_id) else { return };
            // These servers don't name the root of a review either: it is the requested turn that has not
            // started.
            if self.has_phantom_turns && kind == Kind::TurnStarted {
                if let Some(log) = thread.turns.iter().find(|log| log.running_id().is_none()) {
                    log.begin(turn_id);
                }
            }
            if thread.starting > 0 && thread.overrun.is_none() {
                let early = Early::new(event, route);
                self.budget.charge(early.bytes());
                thread.early.push(early);
            }
            return;
        };
        log.deliver(event, turn_id, now, wakeups);
        if log.is_over() {
            self.remove(&log);
        } else if turn_id == Some(&log.turn_id) {
            self.last = Some(log);
        }
    }

    /// Notes whether the server reports the thread as idle.
    fn set_idle(&self, thread_id: &str, is_idle: bool, now: Instant) {
        for log in self.threads.get(thread_id).map(|thread| &thread.turns).into_iter().flatten() {
            log.set_idle(is_idle, now);
        }
    }

    /// Registers the threads that an item starts or messages as sub-agents: of the item's turn, or of the
    /// turn whose sub-agent the item's own thread is.
    fn note_sub_agents(&mut self, thread_id: &str, turn_id: Option<&str>, item: Option<&str>) {
        let mut named = item.map(named_threads).into_iter().flatten().peekable();
        if named.peek().is_none() {
            return;
        }
        let own = self.threads.get(thread_id).and_then(|thread| {
            thread.turns.iter().find(|log| Some(log.turn_id.as_str()) == turn_id).map(Arc::clone)
        });
        let Some(parent) = own.or_else(|| self.sub_agents.get(thread_id).map(Arc::clone)) else { return };
        for child in named {
            self.add_sub_agent(child, &parent);
        }
    }

    /// Registers the thread of a turn that a sub-agent starts, should that arrive before the item that names the
    /// thread.
    fn note_turn_of_sub_agent(&mut self, thread_id: &str, root_turn_id: Option<&str>) {
        if self.sub_agents.contains_key(thread_id) {
            return;
        }
        let is_root = |log: &&Arc<TurnLog>| Some(log.turn_id.as_str()) == root_turn_id;
        let parent = self.running().find(is_root).filter(|log| log.thread_id != thread_id).map(Arc::clone);
        if let Some(parent) = parent {
            self.add_sub_agent(thread_id.to_owned(), &parent);
        }
    }

    fn add_sub_agent(&mut self, thread_id: String, parent: &Arc<TurnLog>) {
        // A sub-agent also names the turn's own thread, when it sends a message to it.
        if thread_id == parent.thread_id {
            return;
        }
        let bytes = sub_agent_bytes(&thread_id);
        parent.keep_aside(bytes);
        if let Some(before) = self.sub_agents.insert(thread_id, Arc::clone(parent)) {
            before.free_aside(bytes);
        }
    }

    /// Unregisters the sub-agents of turns.
    fn drop_sub_agents(&mut self, is_of: impl Fn(&TurnLog) -> bool) {
        self.sub_agents.retain(|child, parent| {
            let goes = is_of(parent);
            if goes {
                parent.free_aside(sub_agent_bytes(child));
            }
            !goes
        });
    }

    fn remove(&mut self, log: &TurnLog) {
        let is_it = |known: &TurnLog| std::ptr::eq(known, log);
        if self.last.as_deref().is_some_and(is_it) {
            self.last = None;
        }
        self.drop_sub_agents(is_it);
        let Some(thread) = self.threads.get_mut(&log.thread_id) else { return };
        if let Some(at) = thread.turns.iter().position(|known| is_it(known)) {
            let known = thread.turns.remove(at);
            if thread.starting > 0 {
                thread.ended.push(known);
            }
        }
        self.remove_if_empty(&log.thread_id);
    }

    fn remove_if_empty(&mut self, thread_id: &str) {
        if self.threads.get(thread_id).is_some_and(ThreadTurns::is_empty) {
            let removed = self.threads.remove(thread_id);
            self.released.extend(removed.and_then(|thread| thread.lease));
        }
    }

    fn turn_of(&self, route: &Route<'_>) -> Option<Arc<TurnLog>> {
        let thread_id = route.thread_id.as_deref()?;
        let turn_id = route.turn_id.as_deref();
        let own = self.threads.get(thread_id).and_then(|thread| {
            // A review sends requests under the id it runs with.
            let is_its = |log: &&Arc<TurnLog>| belongs(log, turn_id, None) || log.running_id() == turn_id;
            thread.turns.iter().find(is_its).map(Arc::clone)
        });
        own.or_else(|| self.sub_agents.get(thread_id).map(Arc::clone))
    }

    fn running(&self) -> impl Iterator<Item = &Arc<TurnLog>> {
        self.threads.values().flat_map(|thread| &thread.turns)
    }
}

/// The bytes counted for the thread of a sub-agent.
fn sub_agent_bytes(thread_id: &str) -> usize {
    const ENTRY: usize = 64;
    thread_id.len() + ENTRY
}

/// Whether an item belongs to a compaction.
fn is_compaction(item: Option<&str>) -> bool {
    #[derive(Deserialize)]
    struct Head {
        r#type: String,
    }
    let item = item.filter(|item| item.contains("contextCompaction"));
    item.and_then(|item| serde_json::from_str(item).ok())
        .is_some_and(|Head { r#type }| r#type == "contextCompaction")
}

/// `params.status.type` of `thread/status/changed`.
fn status_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct StatusChanged {
        status: ThreadStatus,
    }
    #[derive(Deserialize)]
    struct ThreadStatus {
        r#type: String,
    }
    params_of(text).ok().map(|StatusChanged { status }| status.r#type)
}

/// `turn/started` of a review names another id, with the turn's own as its root.
fn belongs(log: &TurnLog, turn_id: Option<&str>, root_turn_id: Option<&str>) -> bool {
    turn_id.is_none_or(|id| id == log.turn_id) || root_turn_id == Some(&log.turn_id)
}

#[cfg(test)]
mod tests;
