//! Deferred overrides: settings of loaded threads that are sent with the next turn.
//!
//! Relies on `config`. Invariant: settings are deferred until a turn has started with them, whoever starts
//! it, and later ones win field by field.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::config::TurnOverrides;

/// The deferred settings of all threads, by thread id.
#[derive(Debug, Default)]
pub(super) struct DeferredOverrides {
    threads: Mutex<HashMap<String, Arc<TurnOverrides>>>,
}

impl DeferredOverrides {
    /// Defers these settings; they override those already deferred.
    pub(super) fn add(&self, thread_id: &str, later: TurnOverrides) {
        let mut threads = self.threads.lock();
        let waiting = threads.entry(thread_id.to_owned()).or_default();
        *waiting = Arc::new(TurnOverrides::clone(waiting).merge(later));
    }

    /// Notes that the server has applied these settings, which earlier deferred ones must not undo.
    pub(super) fn outdate(&self, thread_id: &str, applied: TurnOverrides) {
        // Otherwise a turn that is being started with the deferred settings would not settle them.
        if applied == TurnOverrides::default() {
            return;
        }
        if let Some(waiting) = self.threads.lock().get_mut(thread_id) {
            *waiting = Arc::new(TurnOverrides::clone(waiting).merge(applied));
        }
    }

    /// The deferred settings for the thread's next turn.
    pub(super) fn of(&self, thread_id: &str) -> Option<Arc<TurnOverrides>> {
        self.threads.lock().get(thread_id).map(Arc::clone)
    }

    /// Notes that a turn was started with these settings. Settings deferred since then stay.
    pub(super) fn settle(&self, thread_id: &str, sent: &Arc<TurnOverrides>) {
        let mut threads = self.threads.lock();
        if threads.get(thread_id).is_some_and(|waiting| Arc::ptr_eq(waiting, sent)) {
            threads.remove(thread_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_while_a_turn_is_started_waits_for_the_one_after() {
        let deferred = DeferredOverrides::default();
        deferred.add("t", TurnOverrides::new().model("a"));
        let sent = deferred.of("t").unwrap();
        deferred.add("t", TurnOverrides::new().model("b"));
        deferred.settle("t", &sent);
        let waiting = deferred.of("t").unwrap();
        assert_eq!(*waiting, TurnOverrides::new().model("b"));
        deferred.settle("t", &waiting);
        assert!(deferred.of("t").is_none());
    }

    #[test]
    fn what_the_server_applied_is_not_undone_and_waits_only_where_something_does() {
        let deferred = DeferredOverrides::default();
        deferred.outdate("t", TurnOverrides::new().model("b"));
        assert!(deferred.of("t").is_none());
        deferred.add("t", TurnOverrides::new().model("a").cwd("/a"));
        let sent = deferred.of("t").unwrap();
        deferred.outdate("t", TurnOverrides::new());
        assert!(Arc::ptr_eq(&deferred.of("t").unwrap(), &sent), "nothing was applied");
        deferred.outdate("t", TurnOverrides::new().model("b"));
        assert_eq!(*deferred.of("t").unwrap(), TurnOverrides::new().model("b").cwd("/a"));
    }
}
