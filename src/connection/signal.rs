//! Something that happens once, and can be waited for by many.
//!
//! Relies on crossbeam channels. Invariant: once it has happened, no wait for it blocks.

use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use crate::deadline::recv_until;

#[derive(Debug)]
pub(crate) struct Signal {
    /// Dropped when it happens, which disconnects the receivers.
    not_yet: Mutex<Option<Sender<()>>>,
    happened: Receiver<()>,
}

impl Default for Signal {
    fn default() -> Self {
        let (not_yet, happened) = bounded(0);
        Signal { not_yet: Mutex::new(Some(not_yet)), happened }
    }
}

impl Signal {
    pub(crate) fn raise(&self) {
        self.not_yet.lock().take();
    }

    /// Waits for it, or for that time.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        let _ = recv_until(&self.happened, until);
    }

    /// Disconnected when it has happened: to wait for this or something else.
    pub(crate) fn channel(&self) -> &Receiver<()> {
        &self.happened
    }
}
