//! The line in which requests wait for their turn: the server drops some of those that come too
//! many at once, without a reply.
//!
//! Relies on crossbeam channels. Invariant: at most 64 ordinary requests, 16 of those that may not
//! wait for them and 16 that take long are under way; a place is given back however its request ends.

use std::cell::Cell;

use crossbeam_channel::{Receiver, Select, Sender, bounded};

use super::signal::Signal;
use crate::deadline::{Deadline, ready_until};

/// How many ordinary requests are under way at most.
pub(crate) const ORDINARY: usize = 64;
/// How many of those that end a wait, and of the short ones that callbacks make.
pub(crate) const EXPRESS: usize = 16;
/// How many of those that take long.
pub(crate) const LONG: usize = 16;

/// Whether a request may wait behind others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Ordinary,
    /// It would be a deadlock, or a wait too long, if this one stood behind the others.
    Express,
    /// It takes as long as what it asks for; those that end that must not stand behind it.
    Long,
}

impl Lane {
    /// The lane of a method that is called as it is. Calls of a callback go past the line: those
    /// in it may be waiting for that very callback. Not its long ones: they would keep what ends them
    /// waiting.
    pub(crate) fn of(method: &str) -> Lane {
        match method {
            "command/exec" | "mcpServer/tool/call" | "feedback/upload" => Lane::Long,
            _ if IN_CALLBACK.get() => Lane::Express,
            "turn/interrupt"
            | "turn/steer"
            | "command/exec/write"
            | "command/exec/resize"
            | "command/exec/terminate" => Lane::Express,
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

/// The places in all lanes.
pub(crate) struct Line {
    ordinary: Places,
    express: Places,
    long: Places,
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

    /// A place, if one is free.
    fn take(&self) -> Option<Place> {
        self.free.try_recv().ok().map(|()| Place(self.give_back.clone()))
    }
}

/// A place in the line; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place(Sender<()>);

impl Drop for Place {
    fn drop(&mut self) {
        // There is room for every place that was taken.
        let _ = self.0.try_send(());
    }
}

impl Line {
    pub(crate) fn new() -> Self {
        Line { ordinary: Places::new(ORDINARY), express: Places::new(EXPRESS), long: Places::new(LONG) }
    }

    /// Waits for a place. `None`: the deadline has passed, or the connection has ended.
    pub(crate) fn enter(&self, lane: Lane, deadline: Deadline, ended: &Signal) -> Option<Place> {
        let places = match lane {
            Lane::Ordinary => &self.ordinary,
            Lane::Express => &self.express,
            Lane::Long => &self.long,
        };
        if let Some(place) = places.take() {
            return Some(place);
        }
        let mut either = Select::new();
        let free = either.recv(&places.free);
        either.recv(ended.channel());
        loop {
            if ready_until(&mut either, deadline.at())? != free {
                return None;
            }
            // Somebody else may have been faster.
            if let Some(place) = places.take() {
                return Some(place);
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
    fn what_ends_a_long_request_does_not_stand_behind_long_ones() {
        let (line, ended) = (Line::new(), Signal::default());
        let soon = || Deadline::after(Some(Duration::from_millis(10)));
        let enter = |method| line.enter(Lane::of(method), soon(), &ended);
        let places: Vec<_> = (0..LONG).map(|_| enter("command/exec").unwrap()).collect();
        assert!(enter("command/exec").is_none());
        assert!(enter("command/exec/terminate").is_some() && enter("turn/start").is_some());
        drop(places);
        assert!(enter("command/exec").is_some());
    }

    #[test]
    fn long_requests_of_callbacks_leave_room_for_what_ends_them() {
        let (line, ended) = (Line::new(), Signal::default());
        let soon = || Deadline::after(Some(Duration::from_millis(10)));
        let enter = |method| line.enter(Lane::of(method), soon(), &ended);
        std::thread::scope(|scope| {
            let callback = scope.spawn(|| {
                enter_callbacks();
                let places: Vec<_> = (0..LONG).map(|_| enter("command/exec").unwrap()).collect();
                assert!(enter("command/exec").is_none());
                assert!(enter("command/exec/write").is_some() && enter("turn/start").is_some());
                drop(places);
            });
            callback.join().unwrap();
        });
    }

    #[test]
    fn the_end_of_the_connection_empties_the_line() {
        let (line, ended) = (Line::new(), Signal::default());
        let _places: Vec<_> =
            (0..LONG).map(|_| line.enter(Lane::Long, Deadline::after(None), &ended).unwrap()).collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| line.enter(Lane::Long, Deadline::after(None), &ended).is_none());
            ended.raise();
            assert!(waiting.join().unwrap());
        });
    }
}
