//! Limits the number of requests in flight per class: the server drops some requests, without a reply, if it
//! receives too many at once.
//!
//! Relies on `lifecycle`. Invariant: at most 64 ordinary, 16 control and 16 long requests are in flight; a
//! permit is returned however its request ends.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::lifecycle::Lifecycle;
use crate::deadline::Deadline;

/// The class of a request, which determines the permits it waits for. The caller chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// At most 64 in flight.
    Ordinary,
    /// At most 16 in flight. For requests that end others, and for those of callbacks: if these waited behind
    /// ordinary requests, which may wait for that very callback, there would be a deadlock.
    Control,
    /// At most 16 in flight. For requests whose reply takes as long as the work they request: requests that
    /// end this work must not wait behind them.
    Long,
}

impl Class {
    const fn permits(self) -> usize {
        match self {
            Class::Ordinary => 64,
            Class::Control | Class::Long => 16,
        }
    }
}

/// The permits of all classes.
#[derive(Debug)]
pub(crate) struct Limiter([Arc<Pool>; 3]);

#[derive(Debug)]
struct Pool {
    free: Mutex<usize>,
    /// Notified when a permit is returned, and when the connection has ended.
    changed: Condvar,
}

/// Permits one request in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Pool>);

impl Limiter {
    pub(crate) fn new() -> Self {
        Limiter(
            [Class::Ordinary, Class::Control, Class::Long]
                .map(|class| Arc::new(Pool { free: Mutex::new(class.permits()), changed: Condvar::new() })),
        )
    }

    /// Waits for a permit. `None` if the deadline has passed or the connection has ended.
    pub(crate) fn acquire(&self, class: Class, deadline: Deadline, lifecycle: &Lifecycle) -> Option<Permit> {
        let pool = &self.0[class as usize];
        let mut free = pool.free.lock();
        while *free == 0 {
            if lifecycle.has_ended() {
                return None;
            }
            match deadline.at() {
                Some(at) if pool.changed.wait_until(&mut free, at).timed_out() && *free == 0 => return None,
                Some(_) => {}
                None => pool.changed.wait(&mut free),
            }
        }
        *free -= 1;
        drop(free);
        Some(Permit(Arc::clone(pool)))
    }

    /// Wakes all waiting threads: the connection has ended.
    pub(crate) fn wake_all(&self) {
        for pool in &self.0 {
            // Locked first, so that no thread is between checking and waiting.
            drop(pool.free.lock());
            pool.changed.notify_all();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Error;

    fn soon() -> Deadline {
        Deadline::after(Some(Duration::from_millis(10)))
    }

    #[test]
    fn a_class_without_permits_waits_and_a_returned_permit_is_taken() {
        let (limiter, open) = (Limiter::new(), Lifecycle::default());
        let acquire = |class| limiter.acquire(class, soon(), &open);
        let mut permits: Vec<_> = (0..64).map(|_| acquire(Class::Ordinary).unwrap()).collect();
        assert!(acquire(Class::Ordinary).is_none());
        permits.pop();
        assert!(acquire(Class::Ordinary).is_some());
    }

    #[test]
    fn no_class_waits_behind_another() {
        let (limiter, open) = (Limiter::new(), Lifecycle::default());
        let acquire = |class| limiter.acquire(class, soon(), &open);
        let _long: Vec<_> = (0..16).map(|_| acquire(Class::Long).unwrap()).collect();
        assert!(acquire(Class::Long).is_none());
        assert!(acquire(Class::Control).is_some() && acquire(Class::Ordinary).is_some());
    }

    #[test]
    fn the_end_of_the_connection_ends_every_wait() {
        let (limiter, lifecycle) = (Limiter::new(), Lifecycle::default());
        let forever = Deadline::after(None);
        let _long: Vec<_> =
            (0..16).map(|_| limiter.acquire(Class::Long, forever, &lifecycle).unwrap()).collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| limiter.acquire(Class::Long, forever, &lifecycle).is_none());
            lifecycle.end(Error::closed(""));
            limiter.wake_all();
            assert!(waiting.join().unwrap());
        });
    }
}
