//! What the test programs share; `tests/README.md` has the list.
//!
//! Invariant: no part knows a test program; each program includes all of it and uses what it needs.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part")]

pub(crate) mod cases;
pub(crate) mod daemon;
pub(crate) mod examples;
pub(crate) mod live;
pub(crate) mod logger;
pub(crate) mod memory;
pub(crate) mod probe;
pub(crate) mod real;
pub(crate) mod record;
pub(crate) mod transcript;
pub(crate) mod websocket;

use std::{
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{Error, TransportFailure};

/// Beyond this a wait for a process or a socket counts as a hang: generous, for machines that do much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Why the connection is over.
#[track_caller]
pub(crate) fn failure_of(error: &Error) -> &TransportFailure {
    match error {
        Error::Transport { failure, .. } => failure,
        other => panic!("a transport error was expected: {other:?}"),
    }
}

/// Waits until something has happened that tells nobody.
#[track_caller]
pub(crate) fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}: not so after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
