//! A one-way flag that any number of threads can wait for.
//!
//! Relies on thread parking. Invariant: once the latch is set, no wait for it blocks.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, Thread},
    time::Instant,
};

use parking_lot::Mutex;

use crate::deadline::park_until;

#[derive(Debug, Default)]
pub(crate) struct Latch {
    is_set: AtomicBool,
    waiting: Mutex<Vec<Thread>>,
}

/// Unparks the thread that created it when the latch is set, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Watch<'a>(&'a Latch);

impl Latch {
    /// Sets the latch and wakes all waiting threads.
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::SeqCst);
        for thread in std::mem::take(&mut *self.waiting.lock()) {
            thread.unpark();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    /// Unparks this thread when the latch is set. Check [`is_set`](Self::is_set) after this call and
    /// before parking.
    pub(crate) fn watch(&self) -> Watch<'_> {
        self.waiting.lock().push(thread::current());
        Watch(self)
    }

    /// Waits until the latch is set, or until the given time.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        if self.is_set() {
            return;
        }
        let _watch = self.watch();
        while !self.is_set() && park_until(until) {}
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let own = thread::current().id();
        let mut waiting = self.0.waiting.lock();
        if let Some(at) = waiting.iter().position(|thread| thread.id() == own) {
            waiting.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_who_wait_are_woken_and_later_waits_do_not_block() {
        let latch = Latch::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| latch.wait(None));
            }
            latch.set();
        });
        latch.wait(None);
    }

    #[test]
    fn a_wait_that_runs_out_leaves_nothing_behind() {
        let latch = Latch::default();
        latch.wait(Some(Instant::now() + Duration::from_millis(1)));
        assert!(!latch.is_set() && latch.waiting.lock().is_empty());
    }
}
