//! Turn lookup: asks the server whether a turn has ended, and for its items.
//!
//! Relies on `control`. Invariant: a lookup never blocks a caller longer than it waits anyway; if the server
//! can't answer (the thread is ephemeral, the method is unknown), nothing changes.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    control::Control,
    log::{Consumer, TurnLog},
};
use crate::{
    deadline::park_until,
    error::Result,
    rpc::{PendingCall, RawReply, Taken, Told},
};

/// How long the server may take to answer. It usually takes milliseconds; a server that is slower than this
/// doesn't know more about the turn either.
const PATIENCE: Duration = Duration::from_secs(2);

/// The two methods to ask with. Servers without a list of turns read the whole thread.
const METHODS: [&str; 2] = ["thread/turns/list", "thread/read"];

/// A turn as stored by the server.
#[derive(Debug)]
pub(super) struct StoredTurn {
    raw: Box<RawValue>,
}

/// A lookup that has not been answered.
#[derive(Debug)]
pub(super) struct TurnLookup {
    /// The index of the last method called.
    method: usize,
    call: PendingCall,
    gives_up_at: Instant,
}

/// The state of a lookup.
pub(super) enum LookupState {
    /// Not answered yet. The calling thread is unparked when that changes.
    Pending,
    Found(StoredTurn),
    /// The server does not know the turn, or does not answer.
    Unknown,
}

impl TurnLookup {
    /// Sends the lookup. `None` if nothing can be sent now. The reply wakes the reader.
    pub(super) fn start(control: &Control, reader: Option<&Consumer>) -> Option<TurnLookup> {
        let call = send(control, 0, reader)?;
        Some(TurnLookup { method: 0, call, gives_up_at: Instant::now() + PATIENCE })
    }

    pub(super) fn gives_up_at(&self) -> Instant {
        self.gives_up_at
    }

    /// Returns the state, and tries the other method if the first was rejected. Never blocks.
    pub(super) fn poll(&mut self, control: &Control, reader: Option<&Consumer>) -> LookupState {
        loop {
            let reply = match self.call.take_reply() {
                Taken::Item(reply) => reply,
                Taken::Empty if Instant::now() < self.gives_up_at => return LookupState::Pending,
                Taken::Empty | Taken::Ended(()) => return LookupState::Unknown,
            };
            match turns_of(&reply, METHODS[self.method]) {
                Ok(turns) => {
                    let turn_id = control.log().turn_id.as_str();
                    let turn = turns.into_iter().find(|turn| turn.id().as_deref() == Some(turn_id));
                    return turn.map_or(LookupState::Unknown, LookupState::Found);
                }
                Err(error) => {
                    // Queued: the program's logger must not run between looking and parking.
                    control.connection().log(log::Level::Debug, || {
                        format!("turn {} can't be looked up: {error}", control.log().turn_id)
                    });
                    let Some(call) = send(control, self.method + 1, reader) else {
                        return LookupState::Unknown;
                    };
                    self.method += 1;
                    self.call = call;
                }
            }
        }
    }
}

/// Performs a lookup and waits for the answer.
pub(super) fn look_up(control: &Control) -> Option<StoredTurn> {
    let mut lookup = TurnLookup::start(control, None)?;
    // The caller needs this answer, so the limit is that of any request.
    if let Some(at) = control.deadline().at() {
        lookup.gives_up_at = at;
    }
    loop {
        match lookup.poll(control, None) {
            LookupState::Found(turn) => return Some(turn),
            LookupState::Unknown => return None,
            LookupState::Pending => drop(park_until(Some(lookup.gives_up_at))),
        }
    }
}

fn send(control: &Control, method: usize, reader: Option<&Consumer>) -> Option<PendingCall> {
    let thread_id = &control.log().thread_id;
    let params = match method {
        // Newest first: the turn that has just ended is among the first few.
        0 => serde_json::json!({ "threadId": thread_id, "limit": 10, "itemsView": "full" }),
        _ => serde_json::json!({ "threadId": thread_id, "includeTurns": true }),
    };
    // A program that doesn't wait in the stream polls it when it is told.
    let told: Option<Told> = reader.map(|reader| Box::new(reader.waker()) as _);
    control.connection().start(METHODS.get(method)?, params, told).ok()
}

/// The turns of a reply to either method.
fn turns_of(reply: &RawReply, method: &str) -> Result<Vec<StoredTurn>> {
    #[derive(Deserialize)]
    struct List {
        data: Option<Vec<Box<RawValue>>>,
        thread: Option<ReadThread>,
    }
    #[derive(Deserialize)]
    struct ReadThread {
        #[serde(default)]
        turns: Vec<Box<RawValue>>,
    }
    let List { data, thread } = reply.decode(method)?;
    let turns = data.or(thread.map(|thread| thread.turns)).unwrap_or_default();
    Ok(turns.into_iter().map(|raw| StoredTurn { raw }).collect())
}

impl StoredTurn {
    pub(super) fn raw(&self) -> &RawValue {
        &self.raw
    }

    fn id(&self) -> Option<String> {
        self.head().0
    }

    /// Whether it has a status other than in progress.
    pub(super) fn is_over(&self) -> bool {
        self.head().1.is_some_and(|status| status != "inProgress")
    }

    fn head(&self) -> (Option<String>, Option<String>) {
        #[derive(Deserialize)]
        struct TurnHead {
            id: Option<String>,
            status: Option<String>,
        }
        serde_json::from_str(self.raw.get()).map_or((None, None), |TurnHead { id, status }| (id, status))
    }

    /// The lost notification. Built as text, because the turn may contain what a JSON tree can't.
    pub(super) fn as_completed(&self, log: &TurnLog) -> String {
        let thread_id = serde_json::Value::from(log.thread_id.as_str());
        let turn = self.raw.get();
        format!(r#"{{"method":"turn/completed","params":{{"threadId":{thread_id},"turn":{turn}}}}}"#)
    }
}
