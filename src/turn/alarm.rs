//! The deadlines of a turn's reader, for programs that don't wait in it: they are told when one has passed.
//!
//! Relies on `log` for what the deadlines depend on, and on the timer of the client. Invariant: when the reader has
//! something to do although nothing arrives (ask the server about the turn, give up the question, end the turn as
//! inactive, interrupt it), its mailbox wakes it, whether or not anybody reads; without an alarm set the timer sleeps.
//!
//! Locks: a log's state, then the alarm, then the timer.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    event_block::Block,
    log::{End, TurnLog},
    turn_limit::TurnLimit,
};
use crate::{
    deadline::earlier,
    rpc::{Core, Mailbox, TimerKey},
};

/// When a reader takes its turn for inactive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inactivity {
    pub(super) limit: Option<Duration>,
    /// Earlier inactivity doesn't count.
    pub(super) since: Instant,
}

#[derive(Debug)]
pub(super) struct Alarm {
    core: Weak<Core>,
    log: Weak<TurnLog>,
    mailbox: Weak<Mailbox<Block, End>>,
    own: Weak<Alarm>,
    state: Mutex<AlarmState>,
}

#[derive(Debug)]
struct AlarmState {
    /// `None` while no stream reads the turn.
    inactivity: Option<Inactivity>,
    turn_limit: Option<Arc<TurnLimit>>,
    /// When the lookup in progress is given up, or the next one is tried.
    lookup_at: Option<Instant>,
    scheduled: Option<TimerKey>,
}

impl Alarm {
    pub(super) fn new(
        core: &Arc<Core>,
        log: &Arc<TurnLog>,
        mailbox: &Arc<Mailbox<Block, End>>,
    ) -> Arc<Alarm> {
        Arc::new_cyclic(|own| Alarm {
            core: Arc::downgrade(core),
            log: Arc::downgrade(log),
            mailbox: Arc::downgrade(mailbox),
            own: Weak::clone(own),
            state: Mutex::new(AlarmState {
                inactivity: None,
                turn_limit: None,
                lookup_at: None,
                scheduled: None,
            }),
        })
    }

    /// Sets the alarm for a stream.
    pub(super) fn arm(&self, inactivity: Inactivity, turn_limit: Option<Arc<TurnLimit>>) {
        {
            let mut state = self.state.lock();
            state.inactivity = Some(inactivity);
            state.turn_limit = turn_limit;
        }
        self.set();
    }

    /// No stream reads the turn any more.
    pub(super) fn disarm(&self) {
        let Some(core) = self.core.upgrade().filter(|core| !core.is_forked()) else { return };
        let mut state = self.state.lock();
        state.inactivity = None;
        if let Some(key) = state.scheduled.take() {
            core.cancel_scheduled(key);
        }
    }

    /// The reader has done what it could: the alarm is for what comes next.
    pub(super) fn wait_for_lookup(&self, lookup_at: Option<Instant>) {
        self.state.lock().lookup_at = lookup_at;
        self.set();
    }

    /// Sets the alarm anew, after something has changed that the deadlines depend on. One that is too early stays,
    /// because it looks again.
    pub(super) fn set(&self) {
        let (Some(core), Some(log)) = (self.core.upgrade(), self.log.upgrade()) else { return };
        let mut state = self.state.lock();
        let Some(due) = state.due(&log) else { return };
        if let Some(key @ (at, _)) = state.scheduled {
            if at <= due {
                return;
            }
            core.cancel_scheduled(key);
        }
        let own = Weak::clone(&self.own);
        state.scheduled = core.schedule(due, move || {
            if let Some(alarm) = own.upgrade() {
                alarm.ring();
            }
        });
        if state.scheduled.is_none() && !core.has_ended() {
            core.log(log::Level::Warn, || {
                format!("the deadlines of turn {} can't be kept: there is no timer", log.turn_id)
            });
        }
    }

    /// On the timer's thread.
    fn ring(&self) {
        let (Some(core), Some(log)) = (self.core.upgrade(), self.log.upgrade()) else { return };
        let (due, turn_limit) = {
            let mut state = self.state.lock();
            state.scheduled = None;
            (state.due(&log), state.turn_limit.clone())
        };
        // Here too: the turn is interrupted even if nobody reads it.
        if let Some(limit) = turn_limit {
            limit.enforce(&core, &log);
        }
        match due {
            Some(at) if at <= Instant::now() => {
                if let Some(mailbox) = self.mailbox.upgrade() {
                    mailbox.wake();
                }
            }
            Some(_) => self.set(),
            None => {}
        }
    }
}

impl AlarmState {
    fn due(&self, log: &TurnLog) -> Option<Instant> {
        let inactivity = self.inactivity.filter(|_| !log.is_over())?;
        let limit = self.turn_limit.as_deref();
        let silent_at = match limit {
            Some(limit) if limit.has_passed() => None,
            _ => log.inactive_at(inactivity),
        };
        let asked_at = self.lookup_at.or_else(|| earlier(silent_at, log.doubted_at()));
        earlier(asked_at, limit.and_then(TurnLimit::due))
    }
}
