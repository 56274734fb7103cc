//! Calls the program's `on_ready` functions, on threads of their own.
//!
//! Relies on `workers` and `origin`. Invariant: a function runs on no other thread and under no lock, never twice
//! at the same time, and once more after each time that it became due while it was running; after its
//! callback is closed no call begins.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Instant,
};

use parking_lot::{Mutex, MutexGuard};

use super::{origin::Origin, workers::Workers};
use crate::panics::caught;

/// A function of the program that is told of something and finds out itself what it is.
pub(crate) type OnReady = Arc<dyn Fn() + Send + Sync>;

/// The threads that call the functions, and the function for the whole client.
pub(crate) struct Notifier {
    origin: Origin,
    threads: Workers,
    /// Told of every change, from the first time that anybody asks.
    client: OnceLock<Arc<Callback>>,
}

impl Notifier {
    pub(crate) fn new(origin: Origin, on_ready: Option<OnReady>) -> Arc<Notifier> {
        let threads = Workers::for_wake_ups();
        let notifier = Arc::new(Notifier { origin, threads, client: OnceLock::new() });
        if let Some(on_ready) = on_ready {
            notifier.on_change(on_ready);
        }
        notifier
    }

    /// Tells this function of every change from now on, instead of the one before.
    pub(crate) fn on_change(&self, on_ready: OnReady) {
        let replaced = self.client.get_or_init(|| Callback::new(self.origin)).replace(on_ready, false);
        drop(replaced);
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether somebody wants to know of every change.
    pub(crate) fn tells_changes(&self) -> bool {
        self.client.get().is_some()
    }

    /// Tells the program that something of this client has changed.
    pub(crate) fn tell(self: &Arc<Self>) {
        if let Some(client) = self.client.get() {
            client.fire(self);
        }
    }

    /// Starts the first thread, so that the first call needs not wait for it. Called on threads of the program.
    pub(crate) fn warm_up(&self) {
        if !self.origin.is_forked() && !self.threads.warm_up() {
            log::error!("no thread can be started for on_ready callbacks; the first call tries again");
        }
    }

    /// Accepts no more calls but on threads of their own, and joins the threads that end by `deadline`. Returns the
    /// number of threads left behind.
    pub(crate) fn close(&self, deadline: Instant) -> usize {
        let left = self.threads.close(deadline);
        if let Some(client) = self.client.get() {
            client.close();
        }
        left
    }

    /// Runs the callback on one of the threads. `false`: there is none.
    fn run(self: &Arc<Self>, callback: &Arc<Callback>) -> bool {
        let job = || {
            let (notifier, callback) = (Arc::clone(self), Arc::clone(callback));
            Box::new(move || callback.run(&notifier))
        };
        // What has arrived can be read after the end of the connection, and in a forked process.
        let is_run = !self.origin.is_forked() && self.threads.run(job()).is_ok();
        is_run || self.threads.run_apart(job()).is_ok()
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("tells_changes", &self.tells_changes()).finish_non_exhaustive()
    }
}

/// One function of the program, and whether it is to be called.
pub(crate) struct Callback {
    origin: Origin,
    state: Mutex<CallbackState>,
}

#[derive(Default)]
struct CallbackState {
    function: Option<OnReady>,
    /// It is to be called once more.
    is_due: bool,
    /// It is running, or among the jobs.
    is_scheduled: bool,
    is_closed: bool,
}

impl Callback {
    pub(crate) fn new(origin: Origin) -> Arc<Callback> {
        Arc::new(Callback { origin, state: Mutex::default() })
    }

    fn lock(&self) -> Option<MutexGuard<'_, CallbackState>> {
        self.origin.lock(&self.state)
    }

    /// Sets the function, and whether it is due. Returns the one before, to be dropped under no lock.
    pub(crate) fn replace(&self, function: OnReady, is_due: bool) -> Option<OnReady> {
        let Some(mut state) = self.lock().filter(|state| !state.is_closed) else { return Some(function) };
        state.is_due = is_due;
        state.function.replace(function)
    }

    /// Has the function called, if there is one. Never blocks.
    pub(crate) fn fire(self: &Arc<Self>, notifier: &Arc<Notifier>) {
        let Some(mut state) = self.lock() else { return };
        if state.function.is_none() {
            return;
        }
        state.is_due = true;
        if !std::mem::replace(&mut state.is_scheduled, true) {
            // Without a thread it stays due until the next time.
            state.is_scheduled = notifier.run(self);
        }
    }

    /// Lets no more call begin, and drops the function.
    pub(crate) fn close(&self) {
        let Some(mut state) = self.lock() else { return };
        state.is_closed = true;
        let function = state.function.take();
        drop(state);
        drop(function);
    }

    /// Whether no call is under way.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        !self.state.lock().is_scheduled
    }

    /// Calls the function while it is due.
    fn run(self: &Arc<Self>, notifier: &Arc<Notifier>) {
        loop {
            let function = {
                let Some(mut state) = self.lock() else { return };
                let is_due = std::mem::take(&mut state.is_due);
                match state.function.clone().filter(|_| is_due) {
                    Some(function) => function,
                    None => {
                        state.is_scheduled = false;
                        return;
                    }
                }
            };
            if caught(&*function).is_err() {
                let _ = caught(|| log::error!("an on_ready callback panicked"));
            }
            // The last one of a function that was replaced is dropped here, as user code.
            let _ = caught(|| drop(function));
            let Some(state) = self.lock() else { return };
            // Behind the others that wait for a thread.
            if state.is_due && notifier.run(self) {
                return;
            }
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}
