//! Requests that wait for their replies.
//!
//! Relies on `protocol`. Invariant: an entry leaves the table exactly once: by its reply, by its
//! caller giving up, or by the end of the connection, after which none can enter.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::{caller::Caller, commands::Output, reply::Reply, routes::Expected, turn_log::Consumer};

/// Who waits for a reply.
pub(crate) enum Waiting {
    /// A caller, for the reply.
    Caller(Caller<Reply>),
    /// A caller, for a turn: the reading thread opens the turn before the next frame is looked at.
    Turn(Expected, Caller<(Reply, Option<Consumer>)>),
    /// A command, of which the reply is the end.
    Command(Arc<Output>),
    /// Nobody but the line: a command was let go of, and is terminated.
    Termination(Arc<Output>),
}

#[derive(Default)]
pub(crate) struct Pending {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    waiting: HashMap<i64, Waiting>,
    is_closed: bool,
}

impl Pending {
    /// `false`: the connection has ended.
    pub(crate) fn insert(&self, id: i64, waiting: Waiting) -> bool {
        let mut table = self.table.lock();
        if !table.is_closed {
            table.waiting.insert(id, waiting);
        }
        !table.is_closed
    }

    pub(crate) fn take(&self, id: i64) -> Option<Waiting> {
        self.table.lock().waiting.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.table.lock().waiting.len()
    }

    /// Refuses new entries and drops those there are, which wakes their callers.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut table = self.table.lock();
            table.is_closed = true;
            std::mem::take(&mut table.waiting)
        };
        drop(waiting);
    }
}
