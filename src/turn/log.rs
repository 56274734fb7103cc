//! The log of one turn: its state, and the unread events of each consumer.
//!
//! Relies on `rpc` for the mailboxes. Invariant: an event that a consumer wants stays in its mailbox until it
//! is taken, the consumer is dropped, or the client's limit is exceeded; an event that no consumer wants is
//! not kept.
//!
//! Locks: the log's state, then a mailbox.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::Deserialize;

use super::{
    alarm::{Alarm, Inactivity},
    event_block::{Block, Event},
    kind::Kind,
    raw::params_of,
    session::ErrorNotice,
    turn_limit::TurnLimit,
};
use crate::{
    continuation::ChatMode,
    error::Error,
    protocol::TokenUsageBreakdown as TokenCount,
    rpc::{Budget, Core, Latch, Mailbox, MailboxEnd, Overrun, Payer, Readiness, Wakeups},
};

/// How long after the server reported the thread as idle the turn's end may still arrive.
const GRACE: Duration = Duration::from_secs(1);

struct GivenUp(Box<dyn Fn(&TurnLog) + Send + Sync>);

impl std::fmt::Debug for GivenUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GivenUp").finish_non_exhaustive()
    }
}

/// Which events a consumer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Those that steps and the answer are made of.
    Steps,
    /// All, including deltas.
    Events,
    /// All, and those of the turn's sub-agents.
    SubAgents,
}

impl Interest {
    /// That of a reader.
    pub(crate) fn of(mode: ChatMode, keep_raw: bool, sub_agents: bool) -> Interest {
        match mode {
            ChatMode::Events if sub_agents => Interest::SubAgents,
            ChatMode::Events => Interest::Events,
            ChatMode::Once | ChatMode::Steps if keep_raw => Interest::Events,
            ChatMode::Once | ChatMode::Steps => Interest::Steps,
        }
    }

    fn takes(self, kind: Kind) -> bool {
        match self {
            Interest::Steps => kind.concerns_steps(),
            Interest::Events => kind != Kind::SubAgent,
            Interest::SubAgents => true,
        }
    }
}

/// How a turn's log ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// `turn/completed` is among the events.
    Completed,
    /// No more events arrive, for this reason.
    Lost(Error),
}

impl MailboxEnd for End {
    fn in_forked_process() -> Self {
        End::Lost(Error::forked("read a turn"))
    }
}

/// A turn that is running, as far as this connection knows.
#[derive(Debug)]
pub(crate) struct TurnLog {
    pub(crate) thread_id: String,
    /// Empty for a follower of the thread.
    pub(crate) turn_id: String,
    /// Whether it gets the events of all turns of its thread, and outlives them.
    pub(super) is_following: bool,
    /// Called after the turn was given up.
    given_up: GivenUp,
    epoch: Instant,
    /// When the last event arrived, in nanoseconds since the epoch.
    activity: AtomicU64,
    /// When the server reported the thread as idle, in nanoseconds since the epoch; 0 if it did not.
    idle_since: AtomicU64,
    /// The number of pending server requests of this turn. While there are any, the turn's clock is stopped.
    pending_requests: AtomicUsize,
    /// File changes that were announced and are not completed: an approval request does not repeat the
    /// changes.
    announced: Mutex<HashMap<String, Box<str>>>,
    /// Whether any consumer wants all events. Outside of the lock, so that deltas can be dropped without
    /// taking it.
    wants_events: AtomicBool,
    /// Whether any consumer wants the events of sub-agents.
    wants_sub_agents: AtomicBool,
    is_over: AtomicBool,
    /// Whether its events are known from the first one on.
    saw_start: AtomicBool,
    /// Whether it has done anything: an event tells so, or a server request.
    has_worked: AtomicBool,
    /// The id in `turn/started`: for reviews it differs from the turn's own.
    running_id: OnceLock<String>,
    /// An interrupt that nobody waits for is under way.
    is_interrupting: AtomicBool,
    started: Latch,
    over: Latch,
    state: Mutex<LogState>,
    /// The bytes kept for the turn outside of the mailboxes.
    kept_aside: AtomicUsize,
    /// The thread's total before this turn, if known.
    pub(super) usage_before: Option<TokenCount>,
    /// The last notice that the server retries, and when it arrived.
    last_retry: Mutex<Option<(Instant, String)>>,
    has_retried: AtomicBool,
    budget: Arc<Budget>,
}

#[derive(Debug, Default)]
struct LogState {
    consumers: Vec<Attached>,
    end: Option<End>,
    /// The `turn/completed`, for consumers that attach after it.
    terminal_event: Option<Box<str>>,
}

impl LogState {
    /// Passes an event to the consumers that want it.
    fn queue(&self, event: &Event<'_>, wakeups: &mut Wakeups) {
        for consumer in self.consumers.iter().filter(|consumer| consumer.interest.takes(event.kind)) {
            consumer.queue(event, wakeups);
        }
    }
}

/// A consumer as the log sees it.
#[derive(Debug)]
struct Attached {
    interest: Interest,
    mailbox: Arc<Mailbox<Block, End>>,
    /// Set anew when the deadlines change.
    alarm: Weak<Alarm>,
}

impl Attached {
    fn queue(&self, event: &Event<'_>, wakeups: &mut Wakeups) {
        self.mailbox.extend(event.text.len(), wakeups, |blocks, is_open| Block::add(blocks, is_open, event));
    }
}

impl TurnLog {
    pub(super) fn new(
        thread_id: &str,
        turn_id: &str,
        usage_before: Option<TokenCount>,
        given_up: impl Fn(&TurnLog) + Send + Sync + 'static,
        budget: &Arc<Budget>,
    ) -> Arc<Self> {
        let given_up = GivenUp(Box::new(given_up));
        Self::with(thread_id, Some(turn_id), usage_before, given_up, budget)
    }

    /// For a follower of a thread.
    pub(super) fn following(thread_id: &str, budget: &Arc<Budget>) -> Arc<Self> {
        let log = Self::with(thread_id, None, None, GivenUp(Box::new(|_| ())), budget);
        log.begin(None);
        log
    }

    fn with(
        thread_id: &str,
        turn_id: Option<&str>,
        usage_before: Option<TokenCount>,
        given_up: GivenUp,
        budget: &Arc<Budget>,
    ) -> Arc<Self> {
        let log = Arc::new(TurnLog {
            thread_id: thread_id.to_owned(),
            turn_id: turn_id.unwrap_or_default().to_owned(),
            is_following: turn_id.is_none(),
            given_up,
            epoch: Instant::now(),
            activity: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            pending_requests: AtomicUsize::new(0),
            announced: Mutex::default(),
            wants_events: AtomicBool::new(false),
            wants_sub_agents: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            saw_start: AtomicBool::new(false),
            has_worked: AtomicBool::new(false),
            running_id: OnceLock::new(),
            is_interrupting: AtomicBool::new(false),
            started: Latch::default(),
            over: Latch::default(),
            state: Mutex::default(),
            kept_aside: AtomicUsize::new(0),
            usage_before,
            last_retry: Mutex::default(),
            has_retried: AtomicBool::new(false),
            budget: Arc::clone(budget),
        });
        let payer: Arc<dyn Payer> = Arc::clone(&log) as _;
        budget.register(Arc::downgrade(&payer));
        log
    }

    /// Notes activity of the turn.
    pub(super) fn touch(&self, now: Instant) {
        self.activity.store(self.nanos(now), Ordering::Relaxed);
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Stops the turn's clock: a server request of the turn is pending.
    pub(crate) fn hold(&self) {
        self.pending_requests.fetch_add(1, Ordering::AcqRel);
    }

    /// Restarts the turn's clock, and tells its consumers: a server request of the turn is no longer pending.
    pub(crate) fn release(&self, now: Instant) {
        self.touch(now);
        self.pending_requests.fetch_sub(1, Ordering::AcqRel);
        self.nudge();
    }

    /// Whether a server request of the turn is pending.
    fn is_held(&self) -> bool {
        self.pending_requests.load(Ordering::Acquire) > 0
    }

    /// Tells the consumers that their deadlines have changed.
    fn nudge(&self) {
        for consumer in &self.state.lock().consumers {
            consumer.mailbox.nudge();
            if let Some(alarm) = consumer.alarm.upgrade() {
                alarm.set();
            }
        }
    }

    /// Counts bytes that are kept for the turn outside of the mailboxes.
    pub(super) fn keep_aside(&self, bytes: usize) {
        self.kept_aside.fetch_add(bytes, Ordering::Relaxed);
        self.budget.charge(bytes);
    }

    /// The counterpart of `keep_aside`.
    pub(super) fn free_aside(&self, bytes: usize) {
        self.kept_aside.fetch_sub(bytes, Ordering::Relaxed);
        self.budget.refund(bytes);
    }

    /// The announced file change of an item.
    pub(crate) fn announced(&self, item_id: &str) -> Option<Box<str>> {
        self.announced.lock().get(item_id).cloned()
    }

    /// Keeps an announced file change until it is completed.
    fn note_change(&self, event: &Event<'_>) {
        #[derive(Deserialize)]
        struct Head {
            id: String,
            r#type: String,
        }
        let Some(item) = event.body.filter(|item| item.contains("\"fileChange\"")) else { return };
        let Ok(Head { id, r#type }) = serde_json::from_str(item) else { return };
        if r#type != "fileChange" {
            return;
        }
        let mut announced = self.announced.lock();
        if let Some(item) = announced.remove(&id) {
            self.free_aside(announced_bytes(&id, &item));
        }
        if event.kind == Kind::ItemStarted {
            self.keep_aside(announced_bytes(&id, item));
            announced.insert(id, item.into());
        }
    }

    /// Drops the announced file changes.
    fn forget_changes(&self) {
        let announced = std::mem::take(&mut *self.announced.lock());
        self.free_aside(announced.iter().map(|(id, item)| announced_bytes(id, item)).sum());
    }

    /// Notes whether the server reports the thread as idle, which may mean that this turn's end was lost.
    /// Wakes the consumers, because it changes how long they wait.
    pub(super) fn set_idle(&self, is_idle: bool, now: Instant) {
        if !is_idle {
            return self.idle_since.store(0, Ordering::Relaxed);
        }
        // Told again, it is idle since the first time: else the end of the turn would never be doubted.
        let since = self.nanos(now).max(1);
        if self.idle_since.compare_exchange(0, since, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.nudge();
        }
    }

    /// Notes that the server, when asked, answered that the turn is running.
    pub(super) fn believe_running(&self) {
        self.idle_since.store(0, Ordering::Relaxed);
    }

    /// When the end of the turn counts as lost: the server has reported the thread as idle although this turn has
    /// not ended.
    pub(super) fn doubted_at(&self) -> Option<Instant> {
        match self.idle_since.load(Ordering::Relaxed) {
            0 => None,
            since => Some(self.epoch + Duration::from_nanos(since) + GRACE),
        }
    }

    /// Since when the turn has been silent for a reader.
    pub(super) fn silent_since(&self, inactivity: Inactivity) -> Instant {
        self.last_activity().max(inactivity.since)
    }

    /// When the turn becomes inactive for a reader unless an event arrives. `None` while its clock is stopped.
    pub(super) fn inactive_at(&self, inactivity: Inactivity) -> Option<Instant> {
        let limit = inactivity.limit.filter(|_| !self.is_held())?;
        self.silent_since(inactivity).checked_add(limit)
    }

    /// The last notice that the server retries, unless other events have arrived since.
    pub(super) fn last_retry(&self) -> Option<String> {
        let last = self.last_retry.lock();
        last.as_ref().filter(|(at, _)| *at >= self.last_activity()).map(|(_, notice)| notice.clone())
    }

    /// The last notice that the server retries, once for the turn: such a server says so again and again.
    pub(super) fn first_retry(&self) -> Option<String> {
        let notice = self.last_retry()?;
        (!self.has_retried.swap(true, Ordering::Relaxed)).then_some(notice)
    }

    /// When the last event arrived.
    fn last_activity(&self) -> Instant {
        self.epoch + Duration::from_nanos(self.activity.load(Ordering::Relaxed))
    }

    /// Notes that the turn has done something.
    pub(crate) fn note_work(&self) {
        self.has_worked.store(true, Ordering::Relaxed);
    }

    /// Whether the turn is known to have done nothing but to take the user's message.
    pub(super) fn did_nothing(&self) -> bool {
        self.saw_start.load(Ordering::Relaxed) && !self.has_worked.load(Ordering::Relaxed)
    }

    /// Whether the turn's end has arrived.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The id under which the server interrupts the turn, once it runs.
    pub(crate) fn running_id(&self) -> Option<&str> {
        self.running_id.get().map(String::as_str)
    }

    /// Notes that the turn runs, under this id.
    pub(super) fn begin(&self, running_id: Option<&str>) {
        if let Some(id) = running_id {
            let _ = self.running_id.set(id.to_owned());
        }
        self.started.set();
    }

    /// Claims the interrupt that nobody waits for. `false`: it is under way.
    pub(super) fn claim_interrupt(&self) -> bool {
        !self.is_interrupting.swap(true, Ordering::AcqRel)
    }

    /// It is no longer under way.
    pub(super) fn release_interrupt(&self) {
        self.is_interrupting.store(false, Ordering::Release);
    }

    /// Processes one event.
    pub(super) fn deliver(
        &self,
        event: &Event<'_>,
        running_id: Option<&str>,
        now: Instant,
        wakeups: &mut Wakeups,
    ) {
        let Event { kind, text, .. } = *event;
        // A server that can't reach its model reports that indefinitely; it is no sign of activity.
        match (kind == Kind::Error).then(|| retry_notice(text)).flatten() {
            Some(notice) => *self.last_retry.lock() = Some((now, notice)),
            None => self.touch(now),
        }
        if kind == Kind::TurnStarted {
            self.saw_start.store(true, Ordering::Relaxed);
            self.begin(running_id);
        }
        let has_worked = self.has_worked.load(Ordering::Relaxed);
        if kind.is_work() && !has_worked && !event.body.is_some_and(is_input) {
            self.note_work();
        }
        let may_be_change = event.body.is_some_and(|item| !item.starts_with(r#"{"type":"agentMessage""#));
        if may_be_change && matches!(kind, Kind::ItemStarted | Kind::ItemCompleted) {
            self.note_change(event);
        }
        if !kind.concerns_steps() && !self.wants_events.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.state.lock();
        state.queue(event, wakeups);
        if kind == Kind::TurnCompleted {
            self.finish(&mut state, End::Completed);
            self.keep_aside(text.len());
            state.terminal_event = Some(text.into());
        }
    }

    /// Passes an event to the consumers and does nothing else: for a follower.
    pub(super) fn pass_on(&self, event: &Event<'_>, wakeups: &mut Wakeups) {
        self.state.lock().consumers.iter().for_each(|consumer| consumer.queue(event, wakeups));
    }

    /// Processes one event of a sub-agent: it is queued, and changes nothing else.
    pub(super) fn deliver_of_sub_agent(&self, event: &Event<'_>, wakeups: &mut Wakeups) {
        if self.wants_sub_agents.load(Ordering::Acquire) {
            self.state.lock().queue(&Event { kind: Kind::SubAgent, ..*event }, wakeups);
        }
    }

    /// Ends the log without the turn's end, and wakes everyone who waits.
    pub(super) fn lose(&self, reason: Error) {
        self.finish(&mut self.state.lock(), End::Lost(reason));
    }

    fn finish(&self, state: &mut LogState, end: End) {
        let end = state.end.get_or_insert(end);
        for consumer in &state.consumers {
            consumer.mailbox.close(end.clone());
        }
        self.is_over.store(true, Ordering::Release);
        self.forget_changes();
        self.started.set();
        self.over.set();
    }

    /// Waits until the server has reported that the turn runs or has ended, or until the given time.
    pub(super) fn wait_until_started(&self, until: Option<Instant>) {
        self.started.wait(until);
    }

    /// Waits until the turn has ended, or until the given time.
    pub(super) fn wait_until_over(&self, until: Option<Instant>) {
        self.over.wait(until);
    }

    /// Set when the turn has ended.
    pub(super) fn over(&self) -> &Latch {
        &self.over
    }

    /// Attaches a consumer. It receives the events from now on; for a turn that has ended, its terminal
    /// event.
    pub(super) fn attach(self: &Arc<Self>, interest: Interest) -> Consumer {
        let mailbox = Mailbox::new(&self.budget);
        let mut state = self.state.lock();
        if let Some(text) = &state.terminal_event {
            let event = Event { kind: Kind::TurnCompleted, text, item_id: None, body: None, owner: None };
            let mut wakeups = Wakeups::default();
            mailbox.extend(text.len(), &mut wakeups, |blocks, is_open| Block::add(blocks, is_open, &event));
        }
        if let Some(end) = &state.end {
            mailbox.close(end.clone());
        }
        state.consumers.push(Attached { interest, mailbox: Arc::clone(&mailbox), alarm: Weak::new() });
        self.count_interest(&state);
        Consumer { log: Arc::clone(self), mailbox, alarm: OnceLock::new() }
    }

    fn count_interest(&self, state: &LogState) {
        let wants = |kind| state.consumers.iter().any(|consumer| consumer.interest.takes(kind));
        self.wants_events.store(wants(Kind::Other), Ordering::Release);
        self.wants_sub_agents.store(wants(Kind::SubAgent), Ordering::Release);
    }
}

impl Payer for TurnLog {
    fn kept_bytes(&self) -> usize {
        let state = self.state.lock();
        let queued: usize = state.consumers.iter().map(|consumer| consumer.mailbox.bytes()).sum();
        queued + self.kept_aside.load(Ordering::Relaxed)
    }

    /// Ends the turn with an error, whether or not its end has arrived.
    fn give_up(&self, Overrun { buffered, limit }: Overrun) {
        let (thread_id, turn_id) = (self.thread_id.clone(), self.turn_id.clone());
        let end = End::Lost(Error::BufferFull { thread_id, turn_id, buffered, limit });
        {
            let mut state = self.state.lock();
            for consumer in &state.consumers {
                consumer.mailbox.clear(end.clone());
            }
            if let Some(text) = state.terminal_event.take() {
                self.free_aside(text.len());
            }
            state.end = None;
            self.finish(&mut state, end);
        }
        self.given_up.0(self);
    }
}

impl Drop for TurnLog {
    fn drop(&mut self) {
        self.budget.refund(*self.kept_aside.get_mut());
    }
}

/// Whether the item is a message of the user.
fn is_input(item: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: std::borrow::Cow<'a, str>,
    }
    item.contains("userMessage")
        && serde_json::from_str(item).is_ok_and(|Typed { r#type }: Typed<'_>| r#type == "userMessage")
}

/// The bytes counted for an announced file change.
fn announced_bytes(id: &str, item: &str) -> usize {
    const ENTRY: usize = 64;
    id.len() + item.len() + ENTRY
}

/// The message and the details of an `error` notification that says that the server retries.
fn retry_notice(text: &str) -> Option<String> {
    /// The most bytes of a notice that are kept.
    const MOST: usize = 4096;
    let ErrorNotice { error, will_retry: Some(true) } = params_of(text).ok()? else { return None };
    let mut notice = error.described();
    if let Some((cut, _)) = notice.char_indices().find(|(at, _)| *at >= MOST) {
        notice.truncate(cut);
        notice.shrink_to_fit();
    }
    Some(notice)
}

/// A reader's access to a turn. Dropping it frees the unread events.
#[derive(Debug)]
pub(crate) struct Consumer {
    log: Arc<TurnLog>,
    mailbox: Arc<Mailbox<Block, End>>,
    /// For a program that wants to be told of deadlines.
    alarm: OnceLock<Arc<Alarm>>,
}

impl Consumer {
    pub(crate) fn log(&self) -> &Arc<TurnLog> {
        &self.log
    }

    /// Takes everything that has arrived, and the end if the log has ended. With `retain`, the events stay
    /// counted until this consumer is dropped.
    pub(super) fn take(&self, retain: bool) -> (VecDeque<Block>, Option<End>) {
        self.mailbox.take_all(retain)
    }

    /// Tells this of what arrives. `is_left`: the reader has taken events that it has not handed out.
    pub(super) fn attach(&self, readiness: &Arc<Readiness>, is_left: bool) {
        self.mailbox.attach(readiness, is_left);
    }

    /// Whether there are events, or the end.
    pub(super) fn has_any(&self) -> bool {
        self.mailbox.has_any()
    }

    /// Wakes the reader at its deadlines from now on, also if it doesn't wait here.
    pub(super) fn arm(&self, core: &Arc<Core>, inactivity: Inactivity, turn_limit: Option<Arc<TurnLimit>>) {
        let alarm = self.alarm.get_or_init(|| {
            let alarm = Alarm::new(core, &self.log, &self.mailbox);
            if let Some(own) = self.attached(&mut self.log.state.lock()) {
                own.alarm = Arc::downgrade(&alarm);
            }
            alarm
        });
        alarm.arm(inactivity, turn_limit);
    }

    /// The counterpart of [`arm`](Self::arm).
    pub(super) fn disarm(&self) {
        if let Some(alarm) = self.alarm.get() {
            alarm.disarm();
        }
    }

    /// The reader found nothing, and looks again for the sake of a lookup at that moment.
    pub(super) fn wait_for_lookup(&self, at: Option<Instant>) {
        if let Some(alarm) = self.alarm.get() {
            alarm.wait_for_lookup(at);
        }
    }

    /// Wakes the reader when it is called, as an event would.
    pub(super) fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        self.mailbox.waker()
    }

    fn attached<'a>(&self, state: &'a mut LogState) -> Option<&'a mut Attached> {
        state.consumers.iter_mut().find(|consumer| Arc::ptr_eq(&consumer.mailbox, &self.mailbox))
    }

    /// Counts bytes that the reader keeps additionally.
    pub(super) fn retain(&self, bytes: usize) {
        self.mailbox.retain(bytes);
    }

    /// Changes which events are queued from now on.
    pub(super) fn set_interest(&self, interest: Interest) {
        let mut state = self.log.state.lock();
        if let Some(own) = self.attached(&mut state) {
            own.interest = interest;
        }
        self.log.count_interest(&state);
    }

    /// Whether its thread waits without having been notified.
    #[cfg(test)]
    pub(super) fn is_waiting(&self) -> bool {
        self.mailbox.is_waiting()
    }

    /// After [`take`](Self::take) has found nothing: waits until something may have arrived, or until the
    /// given time. May return early.
    pub(super) fn wait(&self, until: Option<Instant>) {
        self.mailbox.wait(until);
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.disarm();
        let Some(mut state) = self.log.budget.origin().lock(&self.log.state) else { return };
        state.consumers.retain(|consumer| !Arc::ptr_eq(&consumer.mailbox, &self.mailbox));
        self.log.count_interest(&state);
    }
}
