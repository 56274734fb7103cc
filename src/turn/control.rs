//! Controls a running turn from any thread: steers and interrupts it.
//!
//! Relies on `rpc`. Invariant: a turn is interrupted under the id it runs with, once it runs; a turn that has
//! ended is left alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Input, log::TurnLog, registry::Turns};
use crate::{
    deadline::{Deadline, earlier},
    error::{Cause, Error, Result, Timeout},
    protocol::INVALID_REQUEST,
    rpc::{Call, Class, Connection, Core},
};

/// How long to wait for the server to report that a turn runs before it is interrupted anyway.
const START_PATIENCE: Duration = Duration::from_secs(2);
/// The pause between a rejection and the next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// A turn and the connection it runs on.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    connection: Connection,
    turns: Arc<Turns>,
    log: Arc<TurnLog>,
    request_timeout: Option<Duration>,
}

/// The error of steering a turn. Servers have no code of its own for a turn that does not run.
pub(crate) fn not_running(turn_id: &str, error: Error) -> Error {
    match &error {
        Error::Rpc { code: INVALID_REQUEST, message, .. }
            if message == "no active turn to steer"
                // No turn runs in a thread that is not loaded.
                || message.starts_with("thread not found")
                || (message.starts_with("expected active turn id ") && message.contains(" but found ")) =>
        {
            let what = format!("turn {turn_id} is not running: {message}");
            Error::NoLongerPending { what, source: Some(Cause::new(error)) }
        }
        _ => error,
    }
}

impl Control {
    pub(crate) fn new(
        connection: &Connection,
        turns: &Arc<Turns>,
        log: &Arc<TurnLog>,
        request_timeout: Option<Duration>,
    ) -> Self {
        let (connection, turns) = (connection.clone(), Arc::clone(turns));
        Control { connection, turns, log: Arc::clone(log), request_timeout }
    }

    pub(crate) fn log(&self) -> &Arc<TurnLog> {
        &self.log
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.request_timeout)
    }

    pub(crate) fn steer(&self, input: &Input) -> Result<()> {
        input.check()?;
        self.check_turn("steer")?;
        if self.log.is_over() {
            self.connection.check("turn/steer")?;
            return Err(Error::no_longer_pending(format!("turn {} has ended", self.log.turn_id)));
        }
        let params = json!({
            "threadId": self.log.thread_id,
            "expectedTurnId": self.log.turn_id,
            "input": input,
        });
        let call =
            Call { method: "turn/steer", params: &params, class: Class::Control, deadline: self.deadline() };
        let reply = self.connection.call(&call)?;
        reply.result(call.method).map(drop).map_err(|error| not_running(&self.log.turn_id, error))
    }

    /// # Errors
    /// This follows a thread.
    pub(super) fn check_turn(&self, what: &str) -> Result<()> {
        match self.log.is_following {
            false => Ok(()),
            true => Err(Error::invalid(format!(
                "can't {what} what follows a thread: use the ids of the turn, which its events name"
            ))),
        }
    }

    pub(crate) fn interrupt(&self) -> Result<()> {
        self.interrupt_before(self.deadline())
    }

    pub(crate) fn interrupt_before(&self, deadline: Deadline) -> Result<()> {
        interrupt(&self.connection, &self.log, deadline)
    }

    /// Interrupts the turn on another thread. What goes wrong is logged.
    pub(crate) fn request_interrupt(&self) {
        request_interrupt(&self.connection, &self.log, self.request_timeout);
    }

    pub(super) fn request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }
}

/// See [`Control::request_interrupt`]. Without the connection: its end is not to wait for this.
pub(super) fn request_interrupt(core: &Arc<Core>, log: &Arc<TurnLog>, request_timeout: Option<Duration>) {
    if core.is_forked() || log.is_over() || !log.claim_interrupt() {
        return;
    }
    let job = {
        let (core, log) = (Arc::clone(core), Arc::clone(log));
        move || {
            let interrupted = interrupt(&core, &log, Deadline::after(request_timeout));
            log.release_interrupt();
            // The end of the connection ends the turn too.
            if let Some(error) = interrupted.err().filter(|_| !core.has_ended()) {
                log::error!("turn {} could not be interrupted: {error}", log.turn_id);
            }
        }
    };
    if core.run_interrupt(Box::new(job)).is_err() {
        log.release_interrupt();
        if !core.has_ended() {
            core.log(log::Level::Error, || {
                format!("turn {} can't be interrupted: there is no thread for it", log.turn_id)
            });
        }
    }
}

/// Interrupts the turn. The server rejects this before `turn/started`, for a moment after it, and once the turn has
/// ended; only the first two are worth another attempt.
fn interrupt(core: &Arc<Core>, log: &TurnLog, deadline: Deadline) -> Result<()> {
    core.check_process("turn/interrupt")?;
    let patience = Instant::now() + START_PATIENCE;
    log.wait_until_started(earlier(deadline.at(), Some(patience)));
    loop {
        if log.is_over() {
            return Ok(());
        }
        let turn_id = log.running_id().unwrap_or(&log.turn_id);
        let params = json!({ "threadId": log.thread_id, "turnId": turn_id });
        // If the turn ends in the meantime, servers before 0.128 never respond.
        let over = log.over();
        let call = Call { method: "turn/interrupt", params: &params, class: Class::Control, deadline };
        let reply = core.call_unless(over, &call)?;
        let refusal = match reply.map(|reply| reply.result("turn/interrupt").map(drop)) {
            None | Some(Ok(())) => return Ok(()),
            Some(Err(error @ Error::Rpc { .. })) => error,
            Some(Err(error)) => return Err(error),
        };
        // The end may be about to arrive: the server rejects as soon as the turn has ended.
        log.wait_until_over(earlier(deadline.at(), Instant::now().checked_add(RETRY_AFTER)));
        if deadline.has_passed() {
            return Err(deadline.error(Timeout::TurnEnd { turn_id: turn_id.to_owned() }));
        }
        if !log.is_over() && Instant::now() > patience {
            return Err(refusal);
        }
    }
}
