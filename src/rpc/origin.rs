//! The process in which a connection was opened.
//!
//! Relies on nothing. Invariant: a process that was forked from it takes no lock that a thread of the original
//! process may hold, for that thread doesn't exist there: it asks first, or takes the lock only if it is free.

use parking_lot::{Mutex, MutexGuard};

/// The number of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin(u32);

impl Origin {
    /// The current process.
    pub(crate) fn here() -> Origin {
        Origin(std::process::id())
    }

    /// Whether the current process is a fork of that one. Costs a system call.
    pub(crate) fn is_forked(self) -> bool {
        cfg!(unix) && std::process::id() != self.0
    }

    /// Locks the mutex. `None` in a forked process, if a thread of the original one held it at the fork.
    pub(crate) fn lock<T>(self, mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        match mutex.try_lock() {
            None if self.is_forked() => None,
            None => Some(mutex.lock()),
            locked => locked,
        }
    }
}
