//! What the server says of a turn when it is asked: whether it is over, and its items.
//!
//! Relies on `control`. Invariant: asking never blocks a caller longer than it waits anyway, and a
//! server that can't answer (the thread is ephemeral, the method is not there) leaves things as
//! they are.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::control::Control;
use crate::{
    connection::{Asked, Reply, TurnLog},
    error::Result,
};

/// How long the server may take to answer. It does within milliseconds; one that is so slow has no
/// news of the turn either.
const PATIENCE: Duration = Duration::from_secs(2);

/// The two ways to ask. Servers that have no list of turns read the whole thread.
const METHODS: [&str; 2] = ["thread/turns/list", "thread/read"];

/// A turn as the server has stored it.
#[derive(Debug)]
pub(super) struct Stored {
    raw: Box<RawValue>,
}

/// A question to the server about a turn that has not been answered.
#[derive(Debug)]
pub(super) struct Probe {
    /// Which of the methods was called last.
    method: usize,
    asked: Asked,
    gives_up_at: Instant,
}

/// What has been answered.
pub(super) enum Told {
    /// Nothing yet.
    Nothing,
    Turn(Stored),
    /// The server does not know the turn, or does not answer.
    Unknown,
}

impl Probe {
    /// Asks. `None`: nothing can be sent any more.
    pub(super) fn start(control: &Control) -> Option<Probe> {
        let asked = send(control, 0)?;
        Some(Probe { method: 0, asked, gives_up_at: Instant::now() + PATIENCE })
    }

    /// Where the answer arrives.
    fn reply(&self) -> &Receiver<Reply> {
        self.asked.reply()
    }

    pub(super) fn gives_up_at(&self) -> Instant {
        self.gives_up_at
    }

    /// What has been answered. Asks in the other way where the first is refused.
    pub(super) fn poll(&mut self, control: &Control) -> Told {
        let reply = match self.reply().try_recv() {
            Ok(reply) => reply,
            Err(TryRecvError::Empty) if Instant::now() < self.gives_up_at => return Told::Nothing,
            Err(_) => return Told::Unknown,
        };
        match turns_of(&reply, METHODS[self.method]) {
            Ok(turns) => {
                let turn = turns
                    .into_iter()
                    .find(|turn| turn.id().as_deref() == Some(control.log().turn_id.as_str()));
                turn.map_or(Told::Unknown, Told::Turn)
            }
            Err(error) => {
                log::debug!("turn {} can't be asked for: {error}", control.log().turn_id);
                match send(control, self.method + 1) {
                    Some(asked) => {
                        self.method += 1;
                        self.asked = asked;
                        Told::Nothing
                    }
                    None => Told::Unknown,
                }
            }
        }
    }
}

/// Asks and waits for the answer.
pub(super) fn ask(control: &Control) -> Option<Stored> {
    let mut probe = Probe::start(control)?;
    // Here the answer is wanted, so it gets the time of any request.
    if let Some(at) = control.deadline().at() {
        probe.gives_up_at = at;
    }
    loop {
        match probe.poll(control) {
            Told::Turn(turn) => return Some(turn),
            Told::Unknown => return None,
            Told::Nothing => {
                // `poll` takes the reply itself.
                let mut wait = crossbeam_channel::Select::new();
                wait.recv(probe.reply());
                let _ = wait.ready_deadline(probe.gives_up_at);
            }
        }
    }
}

fn send(control: &Control, method: usize) -> Option<Asked> {
    let thread_id = &control.log().thread_id;
    let params = match method {
        // Newest first: the turn that has just ended is among the first few.
        0 => json!({ "threadId": thread_id, "limit": 10, "itemsView": "full" }),
        _ => json!({ "threadId": thread_id, "includeTurns": true }),
    };
    control.connection().ask(METHODS.get(method)?, params).ok()
}

/// The turns of a reply to either method.
fn turns_of(reply: &Reply, method: &str) -> Result<Vec<Stored>> {
    #[derive(Deserialize)]
    struct List {
        data: Option<Vec<Box<RawValue>>>,
        thread: Option<Thread>,
    }
    #[derive(Deserialize)]
    struct Thread {
        #[serde(default)]
        turns: Vec<Box<RawValue>>,
    }
    let List { data, thread } = reply.decode(method)?;
    let turns = data.or(thread.map(|thread| thread.turns)).unwrap_or_default();
    Ok(turns.into_iter().map(|raw| Stored { raw }).collect())
}

impl Stored {
    pub(super) fn raw(&self) -> &RawValue {
        &self.raw
    }

    fn id(&self) -> Option<String> {
        self.member().0
    }

    /// Whether it has a status, and another than that it runs.
    pub(super) fn is_over(&self) -> bool {
        self.member().1.is_some_and(|status| status != "inProgress")
    }

    fn member(&self) -> (Option<String>, Option<String>) {
        #[derive(Deserialize)]
        struct Turn {
            id: Option<String>,
            status: Option<String>,
        }
        serde_json::from_str(self.raw.get()).map_or((None, None), |Turn { id, status }| (id, status))
    }

    /// The notification that was lost.
    pub(super) fn as_completed(&self, log: &TurnLog) -> String {
        let params = json!({ "threadId": log.thread_id, "turn": self.raw });
        json!({ "method": "turn/completed", "params": params }).to_string()
    }
}
