//! The line in which requests wait for their turn: the server drops some of those that come too
//! many at once, without a reply.
//!
//! Relies on crossbeam channels. Invariant: at most 64 ordinary requests and 32 of those that may
//! not wait for them are under way; a place is given back however its request ends.

use std::cell::Cell;

use crossbeam_channel::{Receiver, Select, Sender, bounded};

use super::signal::Signal;
use crate::deadline::Deadline;

/// How many ordinary requests are under way at most.
pub(crate) const ORDINARY: usize = 64;
/// How many of the others: those that end a wait, are made by callbacks, or take long.
pub(crate) const OTHERS: usize = 32;

/// Whether a request may wait behind others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Ordinary,
    /// It would be a deadlock, or a wait too long, if this one stood behind the others.
    Express,
}

impl Lane {
    /// The lane of a method that is called as it is. Calls of a callback go past the line: those
    /// in it may be waiting for that very callback.
    pub(crate) fn of(method: &str) -> Lane {
        match method {
            "turn/interrupt"
            | "turn/steer"
            | "command/exec"
            | "command/exec/write"
            | "command/exec/resize"
            | "command/exec/terminate"
            | "mcpServer/tool/call"
            | "feedback/upload" => Lane::Express,
            _ if IN_CALLBACK.get() => Lane::Express,
            _ => Lane::Ordinary,
        }
    }
}

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as one that runs callbacks.
pub(crate) fn enter_callbacks() {
    IN_CALLBACK.set(true);
}

/// The places in both lanes.
pub(crate) struct Line {
    ordinary: Places,
    express: Places,
}

struct Places {
    free: Receiver<()>,
    give_back: Sender<()>,
}

impl Places {
    fn new(count: usize) -> Places {
        let (give_back, free) = bounded(count);
        for _ in 0..count {
            let _ = give_back.try_send(());
        }
        Places { free, give_back }
    }
}

/// A place in the line; dropping it gives it back.
pub(crate) struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // There is room for every place that was taken.
        let _ = self.0.give_back.try_send(());
    }
}

impl Line {
    pub(crate) fn new() -> Self {
        Line { ordinary: Places::new(ORDINARY), express: Places::new(OTHERS) }
    }

    /// Waits for a place. `None`: the deadline has passed, or the connection has ended.
    pub(crate) fn enter(&self, lane: Lane, deadline: Deadline, ended: &Signal) -> Option<Place<'_>> {
        let places = match lane {
            Lane::Ordinary => &self.ordinary,
            Lane::Express => &self.express,
        };
        if places.free.try_recv().is_ok() {
            return Some(Place(places));
        }
        let mut either = Select::new();
        let free = either.recv(&places.free);
        either.recv(ended.channel());
        loop {
            let ready = match deadline.at() {
                Some(at) => either.ready_deadline(at).ok()?,
                None => either.ready(),
            };
            if ready != free {
                return None;
            }
            // Somebody else may have been faster.
            if places.free.try_recv().is_ok() {
                return Some(Place(places));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_full_lane_waits_and_a_place_given_back_is_taken() {
        let (line, ended) = (Line::new(), Signal::default());
        let soon = || Deadline::after(Some(Duration::from_millis(10)));
        let mut places: Vec<_> =
            (0..ORDINARY).map(|_| line.enter(Lane::Ordinary, soon(), &ended).unwrap()).collect();
        assert!(line.enter(Lane::Ordinary, soon(), &ended).is_none());
        assert!(line.enter(Lane::Express, soon(), &ended).is_some());
        places.pop();
        assert!(line.enter(Lane::Ordinary, soon(), &ended).is_some());
    }

    #[test]
    fn the_end_of_the_connection_empties_the_line() {
        let (line, ended) = (Line::new(), Signal::default());
        let _places: Vec<_> =
            (0..OTHERS).map(|_| line.enter(Lane::Express, Deadline::after(None), &ended).unwrap()).collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| line.enter(Lane::Express, Deadline::after(None), &ended).is_none());
            ended.raise();
            assert!(waiting.join().unwrap());
        });
    }
}
