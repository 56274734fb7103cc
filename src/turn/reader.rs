//! One reader of a turn: takes its events, waits for more, and asks the server if none arrive.
//!
//! Relies on `session` for the meaning of the events, on `log` for the events, and on `lookup` for asking.
//! Invariant: a wait ends with an event, at the given time, or with the server's answer that the turn is
//! still running.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    CancelResult, ChatResult, CompletionSource, ConversationStep, RawEvent,
    alarm::Inactivity,
    control::Control,
    event_block::Block,
    follow::turn_id_of,
    item::{Item, Position},
    kind::Kind,
    log::{Consumer, End, Interest},
    lookup::{LookupState, TurnLookup, look_up},
    session::{Candidate, Session, TurnOutcome},
    turn_limit::TurnLimit,
};
use crate::{
    continuation::{ChatContinuation, ChatMode},
    deadline::{Deadline, earlier},
    error::{Error, Result, Timeout},
    protocol::TurnStatus,
};

/// The pause before the next lookup if nothing could be sent.
const LOOKUP_PAUSE: Duration = Duration::from_millis(250);

/// A reader's state of a turn. It outlives its stream while parked.
#[derive(Debug)]
pub(crate) struct TurnReader {
    /// `None` once the turn has ended.
    consumer: Option<Consumer>,
    session: Session,
    /// Whether it follows a thread, from turn to turn.
    is_following: bool,
    /// Events that were taken and not processed: from `next_event` of the first block on.
    blocks: VecDeque<Arc<Block>>,
    next_event: usize,
    end: Option<End>,
    raw: Option<Vec<RawEvent>>,
    sub_agents: bool,
    cursor: u64,
    mode: ChatMode,
    /// The lookup in progress, whether the turn has ended.
    lookup: Option<TurnLookup>,
    /// The time of the next lookup, if nothing could be sent.
    next_lookup: Option<Instant>,
    /// The session's bytes that are counted.
    counted: usize,
    /// When the turn was requested.
    requested: Instant,
    turn_limit: Option<Arc<TurnLimit>>,
}

/// How long a reader waits.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    None,
    Until(Deadline),
    Unlimited,
}

/// How a wait ended.
pub(super) enum Awaited {
    /// Something may have arrived.
    News,
    /// The given time has passed.
    Nothing,
    /// The turn is inactive, and is not known to have ended.
    Silence,
    /// The turn was interrupted because its limit has passed, and has not ended in time.
    Overdue,
}

impl TurnReader {
    pub(super) fn new(
        consumer: Consumer,
        keep_raw: bool,
        sub_agents: bool,
        mode: ChatMode,
        requested: Instant,
    ) -> TurnReader {
        let log = consumer.log();
        TurnReader {
            session: Session::new(&log.thread_id, &log.turn_id, log.usage_before.clone()),
            is_following: log.is_following,
            consumer: Some(consumer),
            blocks: VecDeque::new(),
            next_event: 0,
            end: None,
            raw: keep_raw.then(Vec::new),
            sub_agents,
            cursor: 0,
            mode,
            lookup: None,
            next_lookup: None,
            counted: 0,
            requested,
            turn_limit: None,
        }
    }

    /// A turn for a caller that watches while another one reads.
    pub(super) fn watching(control: &Control) -> TurnReader {
        let consumer = control.log().attach(Interest::Steps);
        TurnReader::new(consumer, false, false, ChatMode::Steps, Instant::now())
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Keeps the steps from now on, for the result or the error.
    pub(super) fn keep_steps(&mut self) {
        self.session.keep_steps();
    }

    /// The continuation of this turn under this key.
    pub(super) fn token(&self, key: u64) -> ChatContinuation {
        let Session { thread_id, turn_id, .. } = &self.session;
        ChatContinuation::new(thread_id, turn_id, self.cursor, self.mode, key)
    }

    /// Continues in another mode.
    pub(super) fn go_on(&mut self, mode: ChatMode) {
        self.mode = mode;
        if mode == ChatMode::Once {
            self.session.keep_steps();
        }
        if let Some(consumer) = &self.consumer {
            consumer.set_interest(Interest::of(mode, self.raw.is_some(), self.sub_agents));
        }
    }

    /// Limits the whole turn, from its request on.
    pub(super) fn limit_turn(&mut self, limit: Option<Duration>, control: &Control) {
        let limit = limit.map(|limit| TurnLimit::new(self.requested, limit, control.request_timeout()));
        self.turn_limit = limit;
    }

    pub(super) fn turn_limit(&self) -> Option<&Arc<TurnLimit>> {
        self.turn_limit.as_ref()
    }

    /// The limit, if it has passed before the turn ended.
    pub(super) fn passed_limit(&self) -> Option<&TurnLimit> {
        self.turn_limit.as_deref().filter(|limit| limit.has_passed())
    }

    /// Where the events come from; `None` once the turn is over.
    pub(super) fn consumer(&self) -> Option<&Consumer> {
        self.consumer.as_ref()
    }

    /// Whether there are events that have not been processed, or the end.
    pub(super) fn is_left(&self) -> bool {
        let in_block = self.blocks.front().is_some_and(|block| self.next_event < block.len());
        in_block || self.blocks.len() > 1 || self.end.is_some()
    }

    /// No stream reads this any more.
    pub(super) fn disarm(&self) {
        if let Some(consumer) = &self.consumer {
            consumer.disarm();
        }
    }

    /// Frees the unread events.
    pub(super) fn free_events(&mut self) {
        self.consumer = None;
    }

    /// Makes items from the events that have arrived, until there is one or no event is left. `Some` if the
    /// turn has ended.
    pub(super) fn read<T: Item>(&mut self, ready: &mut VecDeque<T>) -> Option<Result<()>> {
        loop {
            while let Some(block) = self.blocks.front() {
                while self.next_event < block.len() {
                    let position = Position { block, index: self.next_event };
                    self.next_event += 1;
                    self.cursor += 1;
                    if let Some(raw) =
                        self.raw.as_mut().filter(|_| block.event(position.index).kind != Kind::SubAgent)
                    {
                        raw.push(position.raw());
                    }
                    if self.is_following {
                        begin_next_turn(&mut self.session, &position);
                    }
                    T::collect(position, &mut self.session, ready);
                    if !ready.is_empty() {
                        return None;
                    }
                }
                self.blocks.pop_front();
                self.next_event = 0;
                self.count_session();
            }
            if self.end.is_none() {
                let (blocks, end) = self.consumer.as_ref()?.take(self.raw.is_some());
                self.blocks = blocks.into_iter().map(Arc::new).collect();
                self.end = end;
                if !self.blocks.is_empty() {
                    continue;
                }
            }
            return match self.end.take()? {
                End::Lost(reason) => {
                    self.raw = None;
                    Some(Err(reason))
                }
                End::Completed => {
                    // An undecodable `turn/completed` still ends the turn.
                    self.session.outcome.get_or_insert(TurnOutcome::Completed);
                    let did_nothing =
                        self.consumer.as_ref().is_some_and(|consumer| consumer.log().did_nothing());
                    self.session.did_nothing = did_nothing && self.session.is_input_only();
                    Some(self.session.error().map_or(Ok(()), Err))
                }
            };
        }
    }

    /// Counts the session's bytes.
    fn count_session(&mut self) {
        let bytes = self.session.bytes();
        if let Some(consumer) = self.consumer.as_ref().filter(|_| bytes > self.counted) {
            consumer.retain(bytes - self.counted);
            self.counted = bytes;
        }
    }

    /// Waits for events after all that had arrived were read. If their absence suggests that the turn's end
    /// was lost, asks the server; its answer arrives as an event. With `Patience::None`, never blocks.
    pub(super) fn await_news(
        &mut self,
        control: &Control,
        inactivity: Option<Inactivity>,
        patience: Patience,
    ) -> Awaited {
        if let Some(limit) = &self.turn_limit {
            limit.enforce(control.connection(), control.log());
        }
        let passed = self.passed_limit();
        if passed.is_some_and(TurnLimit::is_end_overdue) {
            return Awaited::Overdue;
        }
        let now = Instant::now();
        // A turn that was interrupted has a deadline of its own.
        let inactivity = inactivity.filter(|_| passed.is_none());
        let silent_at = inactivity.and_then(|inactivity| control.log().inactive_at(inactivity));
        let is_silent = silent_at.is_some_and(|at| now >= at);
        let doubted_at = control.log().doubted_at();
        let is_doubted = doubted_at.is_some_and(|at| now >= at);
        if (is_silent || is_doubted) && self.lookup.is_none() && self.next_lookup.is_none_or(|at| now >= at) {
            self.lookup = TurnLookup::start(control, self.consumer.as_ref());
            self.next_lookup = self.lookup.is_none().then(|| now + LOOKUP_PAUSE);
            if self.lookup.is_none() && is_silent {
                return Awaited::Silence;
            }
        }
        // Polled right after the start too, so that the reply wakes this thread.
        match self.lookup.as_mut().map(|lookup| lookup.poll(control, self.consumer.as_ref())) {
            None | Some(LookupState::Pending) => {}
            Some(LookupState::Found(turn)) if turn.is_over() => {
                self.lookup = None;
                control.turns().repair(control.log(), &turn.as_completed(control.log()));
                return Awaited::News;
            }
            Some(LookupState::Found(_) | LookupState::Unknown) => {
                self.lookup = None;
                control.log().believe_running();
                return if is_silent { Awaited::Silence } else { Awaited::News };
            }
        }
        let lookup_at = self.lookup.as_ref().map(TurnLookup::gives_up_at).or(self.next_lookup);
        if let Some(consumer) = &self.consumer {
            consumer.wait_for_lookup(lookup_at);
        }
        let due = lookup_at.or_else(|| earlier(silent_at, doubted_at));
        let due = earlier(due, self.turn_limit.as_deref().and_then(TurnLimit::due));
        let until = match patience {
            Patience::None => return Awaited::Nothing,
            Patience::Until(deadline) if deadline.has_passed() => return Awaited::Nothing,
            Patience::Until(deadline) => earlier(deadline.at(), due),
            Patience::Unlimited => due,
        };
        if let Some(consumer) = &self.consumer {
            // The reply to a lookup also unparks the thread that polled it.
            consumer.wait(until);
        }
        Awaited::News
    }

    /// The result of a completed turn. If the events contained no answer, asks the server for the turn's
    /// items.
    pub(super) fn into_result(mut self, control: &Control) -> ChatResult {
        let mut found = CompletionSource::ItemCompleted;
        if self.session.answer().is_none() {
            if let Some(turn) = look_up(control) {
                // Too late for the stream.
                self.session.complete_turn(turn.raw(), &mut Vec::new());
            }
            found = CompletionSource::ThreadReadFallback;
        }
        let answer = self.session.answer();
        ChatResult {
            status: TurnStatus::Completed,
            assistant_item_id: answer.map(|answer| answer.item_id.clone()),
            final_text: answer.map(Candidate::text).unwrap_or_default(),
            phase: answer.and_then(|answer| answer.phase.clone()),
            completion_source: answer
                .map(|answer| if answer.is_plan { CompletionSource::Plan } else { found }),
            started_at: self.session.started_at,
            completed_at: self.session.completed_at,
            duration: self.session.duration,
            usage: self.session.usage(),
            steps: self.session.take_steps(),
            thread_id: self.session.thread_id,
            turn_id: self.session.turn_id,
            raw_events: self.raw.unwrap_or_default(),
            token_usage: self.session.token_usage,
        }
    }
}

/// A follower's session is that of the turn whose events arrive.
fn begin_next_turn(session: &mut Session, position: &Position<'_>) {
    let event = position.block.event(position.index);
    if event.kind == Kind::TurnStarted || session.turn_id.is_empty() {
        if let Some(turn_id) = turn_id_of(&event).filter(|turn_id| *turn_id != session.turn_id) {
            *session = Session::new(&session.thread_id, &turn_id, None);
        }
    }
}

/// Interrupts a turn and reads it to its end. The result takes `unread` and the steps that are read; on failure,
/// `unread` has them all.
pub(super) fn cancel(
    turn: &mut TurnReader,
    control: &Control,
    unread: &mut Vec<ConversationStep>,
) -> Result<CancelResult> {
    control.check_turn("cancel")?;
    // From here on events are returned, whether or not the turn keeps them.
    let kept = turn.raw.replace(Vec::new());
    // The caller's own interrupt has its own deadline.
    let limit = turn.turn_limit.take();
    let end = interrupt_and_read(turn, control, unread);
    turn.turn_limit = limit;
    let events = std::mem::replace(&mut turn.raw, kept).unwrap_or_default();
    let was_interrupted = match end {
        Ok(()) | Err(Error::TurnFailed { .. }) => false,
        Err(Error::TurnInterrupted { .. }) => true,
        Err(error) => {
            if let Some(raw) = &mut turn.raw {
                raw.extend(events);
            }
            return Err(error);
        }
    };
    Ok(CancelResult {
        thread_id: turn.session.thread_id.clone(),
        turn_id: turn.session.turn_id.clone(),
        steps: std::mem::take(unread),
        raw_events: events,
        was_completed: !was_interrupted,
        was_interrupted,
    })
}

/// Reads what has arrived, interrupts the turn unless it has ended, and reads to the end.
fn interrupt_and_read(
    turn: &mut TurnReader,
    control: &Control,
    unread: &mut Vec<ConversationStep>,
) -> Result<()> {
    let deadline = control.deadline();
    let mut is_interrupted = false;
    loop {
        let mut steps: VecDeque<ConversationStep> = VecDeque::new();
        if let Some(end) = turn.read(&mut steps) {
            unread.extend(steps);
            return end;
        }
        if !steps.is_empty() {
            unread.extend(steps);
        } else if !is_interrupted {
            control.interrupt_before(deadline)?;
            is_interrupted = true;
        } else if let Awaited::Nothing = turn.await_news(control, None, Patience::Until(deadline)) {
            return Err(deadline.error(Timeout::TurnEnd { turn_id: turn.session.turn_id.clone() }));
        }
    }
}
