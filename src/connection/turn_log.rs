//! The log of one turn: what has arrived for it and nobody has taken yet, one queue per consumer.
//!
//! Relies on `protocol`. Invariant: an event that a consumer wants is kept for it until it takes
//! it, lets go of the turn, or the connection's limit is passed; what no consumer wants is not
//! kept at all.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::Deserialize;

use super::signal::Signal;
use crate::{error::Error, protocol::kind::Kind};

/// Events are stored in blocks: one allocation for many of them.
const SMALLEST_BLOCK: usize = 1024;
const LARGEST_BLOCK: usize = 64 * 1024;
/// So many bytes are worth waking a consumer for, though more is on the way.
const ENOUGH: usize = 256 * 1024;

/// What a consumer wants to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// What steps and the answer are made of.
    Steps,
    /// Everything, deltas too.
    Events,
}

impl Interest {
    fn takes(self, kind: Kind) -> bool {
        self == Interest::Events || kind.concerns_steps()
    }
}

/// Some events in a row, one text behind the other.
#[derive(Debug, Default)]
pub(crate) struct Block {
    text: String,
    marks: Vec<Mark>,
}

/// An event in a block, and the parts of it that were noted.
#[derive(Debug, Clone, Copy)]
struct Mark {
    kind: Kind,
    end: u32,
    item_id: Span,
    body: Span,
}

/// From and to, in bytes of a block's text. Empty: it is not there.
pub(crate) type Span = (u32, u32);

/// An event as it is handed to the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// `params.itemId` and `params.item` or `params.delta`, as JSON; parts of the text.
    pub(crate) item_id: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
}

impl Event<'_> {
    /// Where a part stands in the text, if the text begins there.
    fn span(&self, part: Option<&str>, start: usize) -> Span {
        let Some(part) = part else { return (0, 0) };
        let at = start + part.as_ptr() as usize - self.text.as_ptr() as usize;
        (position(at), position(at + part.len()))
    }
}

/// A frame of 4 GiB is refused where frames come in.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Block {
    pub(crate) fn len(&self) -> usize {
        self.marks.len()
    }

    pub(crate) fn event(&self, index: usize) -> Event<'_> {
        let Mark { kind, item_id, body, .. } = self.marks[index];
        let part = |span: Span| (span.1 > 0).then(|| self.text(span));
        Event { kind, text: self.text(self.span(index)), item_id: part(item_id), body: part(body) }
    }

    /// Where the event stands.
    pub(crate) fn span(&self, index: usize) -> Span {
        let start = index.checked_sub(1).map_or(0, |before| self.marks[before].end);
        (start, self.marks[index].end)
    }

    /// Where its item or delta stands.
    pub(crate) fn body_span(&self, index: usize) -> Span {
        self.marks[index].body
    }

    pub(crate) fn text(&self, (start, end): Span) -> &str {
        &self.text[start as usize..end as usize]
    }

    /// The bytes that are held for the sake of the block.
    pub(crate) fn size(&self) -> usize {
        self.text.capacity()
    }
}

#[derive(Debug, Default)]
struct Queue {
    blocks: VecDeque<Block>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, event: &Event<'_>) {
        let text = event.text;
        let fits = |block: &Block| block.text.capacity() - block.text.len() >= text.len();
        if !self.blocks.back().is_some_and(fits) {
            let size = match self.blocks.back() {
                Some(block) => (block.text.capacity() * 2).clamp(SMALLEST_BLOCK, LARGEST_BLOCK),
                None => SMALLEST_BLOCK,
            };
            let text = String::with_capacity(size.max(text.len()));
            self.blocks.push_back(Block { text, marks: Vec::new() });
        }
        if let Some(block) = self.blocks.back_mut() {
            let start = block.text.len();
            block.text.push_str(text);
            block.marks.push(Mark {
                kind: event.kind,
                end: position(block.text.len()),
                item_id: event.span(event.item_id, start),
                body: event.span(event.body, start),
            });
        }
        self.bytes += text.len();
    }
}

/// Whether an `error` says that the server tries again.
fn will_retry(text: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Notice {
        params: Params,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        will_retry: bool,
    }
    serde_json::from_str(text).is_ok_and(|Notice { params }| params.will_retry)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How a turn's log ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// `turn/completed` is among the events.
    Completed,
    /// Nothing more will come, for this reason.
    Lost(Error),
}

/// One turn that runs, as far as this connection knows.
#[derive(Debug)]
pub(crate) struct TurnLog {
    pub(crate) thread_id: String,
    pub(crate) turn_id: String,
    epoch: Instant,
    /// When its last event arrived, in nanoseconds since the epoch.
    activity: AtomicU64,
    /// When the server said that the thread does nothing any more, likewise; 0: it did not.
    idle_since: AtomicU64,
    /// Questions of this turn that wait for this client: meanwhile its clock stands still.
    questions: AtomicUsize,
    /// Changes of files that were announced and not completed: a question about one does not repeat it.
    announced: Mutex<HashMap<String, Box<str>>>,
    /// Whether anybody takes more than steps. Kept beside the lock for the sake of deltas.
    wants_events: AtomicBool,
    is_over: AtomicBool,
    /// The id that `turn/started` told: for reviews it differs from the turn's own.
    running_id: OnceLock<String>,
    started: Signal,
    over: Signal,
    state: Mutex<State>,
    /// The bytes kept on the whole connection.
    kept: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    slots: Vec<Slot>,
    next_slot: u64,
    end: Option<End>,
    /// Whether those who wait are going to be told of it.
    has_news: bool,
    /// `turn/completed`, for those who come after it.
    last_word: Option<Box<str>>,
}

/// What is kept for one consumer.
#[derive(Debug)]
struct Slot {
    id: u64,
    interest: Interest,
    queue: Queue,
    /// Bytes that were taken and are kept by the consumer all the same.
    retained: usize,
    /// The thread to wake: its consumer found nothing the last time it looked.
    waiting: Option<Thread>,
}

impl TurnLog {
    pub(crate) fn new(thread_id: &str, turn_id: &str, epoch: Instant, kept: Arc<AtomicUsize>) -> Self {
        let log = TurnLog {
            thread_id: thread_id.to_owned(),
            turn_id: turn_id.to_owned(),
            epoch,
            activity: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            questions: AtomicUsize::new(0),
            announced: Mutex::default(),
            wants_events: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            running_id: OnceLock::new(),
            started: Signal::default(),
            over: Signal::default(),
            state: Mutex::new(State::default()),
            kept,
        };
        log.touch(epoch.elapsed());
        log
    }

    /// Something of the turn has arrived.
    pub(crate) fn touch(&self, now: Duration) {
        self.activity.store(nanos(now), Ordering::Relaxed);
    }

    /// A question of the turn waits.
    pub(crate) fn hold(&self) {
        self.questions.fetch_add(1, Ordering::AcqRel);
    }

    /// A question of the turn waits no more: its clock starts anew, which its consumers must know.
    pub(crate) fn release(&self, now: Duration) {
        self.touch(now);
        self.questions.fetch_sub(1, Ordering::AcqRel);
        wake(self.state.lock().slots.iter_mut());
    }

    /// Whether a question of the turn waits for this client.
    pub(crate) fn is_held(&self) -> bool {
        self.questions.load(Ordering::Acquire) > 0
    }

    /// The change of files of that item, if it was announced.
    pub(crate) fn announced(&self, item_id: &str) -> Option<Box<str>> {
        self.announced.lock().get(item_id).cloned()
    }

    /// Keeps the announcement of a change of files until the change is completed.
    fn note_change(&self, event: &Event<'_>) {
        #[derive(Deserialize)]
        struct Item {
            id: String,
            r#type: String,
        }
        let Some(item) = event.body.filter(|item| item.contains("\"fileChange\"")) else { return };
        let Ok(Item { id, r#type }) = serde_json::from_str(item) else { return };
        if r#type != "fileChange" {
            return;
        }
        match event.kind {
            Kind::ItemStarted => drop(self.announced.lock().insert(id, item.into())),
            _ => drop(self.announced.lock().remove(&id)),
        }
    }

    /// The server says that the thread runs a turn, or none: then the end of this one may have been
    /// lost. Wakes the consumers, who wait for another time then.
    pub(crate) fn set_idle(&self, is_idle: bool, now: Duration) {
        let since = if is_idle { nanos(now).max(1) } else { 0 };
        self.idle_since.store(since, Ordering::Relaxed);
        if is_idle {
            wake(self.state.lock().slots.iter_mut());
        }
    }

    /// The server was asked, and says that the turn runs.
    pub(crate) fn believe_running(&self) {
        self.idle_since.store(0, Ordering::Relaxed);
    }

    /// Since when the server says that the thread does nothing, though this turn has not ended.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        match self.idle_since.load(Ordering::Relaxed) {
            0 => None,
            since => Some(self.epoch + Duration::from_nanos(since)),
        }
    }

    /// When the turn's last event arrived.
    pub(crate) fn last_activity(&self) -> Instant {
        self.epoch + Duration::from_nanos(self.activity.load(Ordering::Relaxed))
    }

    /// Whether its end has arrived.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The id under which the server interrupts it, once it runs.
    pub(crate) fn running_id(&self) -> Option<&str> {
        self.running_id.get().map(String::as_str)
    }

    /// The turn runs, under this id.
    pub(crate) fn begin(&self, running_id: Option<&str>) {
        if let Some(id) = running_id {
            let _ = self.running_id.set(id.to_owned());
        }
        self.started.raise();
    }

    /// Takes in one event. `true`: a consumer has news, to be told by [`ring`](Self::ring).
    pub(crate) fn deliver(&self, event: &Event<'_>, running_id: Option<&str>, now: Duration) -> bool {
        let Event { kind, text, .. } = *event;
        // A server that can't reach its model says so for ever; that is no sign of life.
        if !(kind == Kind::Error && will_retry(text)) {
            self.touch(now);
        }
        if kind == Kind::TurnStarted {
            self.begin(running_id);
        }
        let may_be_change = event.body.is_some_and(|item| !item.starts_with(r#"{"type":"agentMessage""#));
        if may_be_change && matches!(kind, Kind::ItemStarted | Kind::ItemCompleted) {
            self.note_change(event);
        }
        if !kind.concerns_steps() && !self.wants_events.load(Ordering::Acquire) {
            return false;
        }
        let mut state = self.state.lock();
        if kind == Kind::TurnCompleted {
            self.finish(&mut state, End::Completed);
            state.last_word = Some(text.into());
        }
        let mut has_news = false;
        for slot in state.slots.iter_mut().filter(|slot| slot.interest.takes(kind)) {
            slot.queue.push(event);
            self.kept.fetch_add(text.len(), Ordering::Relaxed);
            has_news |= slot.waiting.is_some();
            if slot.queue.bytes >= ENOUGH {
                wake([slot]);
            }
        }
        // Told once, until they have been woken.
        has_news && !std::mem::replace(&mut state.has_news, true)
    }

    /// Wakes the consumers that have news.
    pub(crate) fn ring(&self) {
        let mut state = self.state.lock();
        state.has_news = false;
        wake(state.slots.iter_mut().filter(|slot| !slot.queue.blocks.is_empty()));
    }

    /// Ends the log without an end of the turn, and wakes everybody.
    pub(crate) fn lose(&self, reason: Error) {
        let mut state = self.state.lock();
        self.finish(&mut state, End::Lost(reason));
        wake(state.slots.iter_mut());
    }

    /// The bytes that are kept for its consumers.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.state.lock().slots.iter().map(|slot| slot.queue.bytes + slot.retained).sum()
    }

    /// Gives the log up, with what is kept of it: consumers find this reason.
    pub(crate) fn give_up(&self, reason: Error) {
        let mut state = self.state.lock();
        for slot in &mut state.slots {
            let queue = std::mem::take(&mut slot.queue);
            self.kept.fetch_sub(queue.bytes + std::mem::take(&mut slot.retained), Ordering::Relaxed);
        }
        state.end = None;
        drop(state);
        self.lose(reason);
    }

    fn finish(&self, state: &mut State, end: End) {
        state.end.get_or_insert(end);
        self.is_over.store(true, Ordering::Release);
        self.started.raise();
        self.over.raise();
    }

    /// Waits until the server has said that the turn runs, or that it is over, or that time.
    pub(crate) fn wait_until_started(&self, until: Option<Instant>) {
        self.started.wait(until);
    }

    /// Waits until the turn is over, or that time.
    pub(crate) fn wait_until_over(&self, until: Option<Instant>) {
        self.over.wait(until);
    }

    /// Raised when the turn is over.
    pub(crate) fn over(&self) -> &Signal {
        &self.over
    }

    /// Attaches a consumer; it sees what arrives from now on, and of a turn that is over its end.
    pub(crate) fn attach(self: &Arc<Self>, interest: Interest) -> Consumer {
        let mut state = self.state.lock();
        let id = state.next_slot;
        state.next_slot += 1;
        let mut queue = Queue::default();
        if let Some(last_word) = &state.last_word {
            queue.push(&Event { kind: Kind::TurnCompleted, text: last_word, item_id: None, body: None });
            self.kept.fetch_add(last_word.len(), Ordering::Relaxed);
        }
        state.slots.push(Slot { id, interest, queue, retained: 0, waiting: None });
        self.count_interest(&state);
        Consumer { log: Arc::clone(self), slot: id }
    }

    fn count_interest(&self, state: &State) {
        let wanted = state.slots.iter().any(|slot| slot.interest == Interest::Events);
        self.wants_events.store(wanted, Ordering::Release);
    }
}

/// One reader of a turn. Dropping it frees what was kept for it.
#[derive(Debug)]
pub(crate) struct Consumer {
    log: Arc<TurnLog>,
    slot: u64,
}

impl Consumer {
    pub(crate) fn log(&self) -> &Arc<TurnLog> {
        &self.log
    }

    /// Everything that has arrived, and how the log ended if it has. `retain`: the events go on
    /// being kept, and so to be counted, until this consumer is dropped.
    pub(crate) fn take(&self, retain: bool) -> (VecDeque<Block>, Option<End>) {
        let mut state = self.log.state.lock();
        let end = state.end.clone();
        let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == self.slot) else {
            return (VecDeque::new(), end);
        };
        let queue = std::mem::take(&mut slot.queue);
        slot.waiting = queue.blocks.is_empty().then(thread::current);
        match retain {
            true => slot.retained += queue.bytes,
            false => drop(self.log.kept.fetch_sub(queue.bytes, Ordering::Relaxed)),
        }
        (queue.blocks, end)
    }

    /// From now on this is wanted.
    pub(crate) fn set_interest(&self, interest: Interest) {
        let mut state = self.log.state.lock();
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == self.slot) {
            slot.interest = interest;
        }
        self.log.count_interest(&state);
    }

    /// Whether it would sleep on, whatever arrives.
    #[cfg(test)]
    pub(crate) fn is_waiting(&self) -> bool {
        self.log.state.lock().slots.iter().any(|slot| slot.id == self.slot && slot.waiting.is_some())
    }

    /// Waits, after [`take`](Self::take) has found nothing, until something may have arrived, or that
    /// time. It may also end for no reason. The thread parks: a wait that spins and yields first takes
    /// the time from the thread that brings the events, the more so the more turns there are.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        match until.map(|at| at.saturating_duration_since(Instant::now())) {
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

/// Wakes those that wait.
fn wake<'a>(slots: impl IntoIterator<Item = &'a mut Slot>) {
    for thread in slots.into_iter().filter_map(|slot| slot.waiting.take()) {
        thread.unpark();
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let slot = {
            let mut state = self.log.state.lock();
            let at = state.slots.iter().position(|slot| slot.id == self.slot);
            let slot = at.map(|at| state.slots.swap_remove(at));
            self.log.count_interest(&state);
            slot
        };
        if let Some(slot) = slot {
            self.log.kept.fetch_sub(slot.queue.bytes + slot.retained, Ordering::Relaxed);
        }
    }
}
