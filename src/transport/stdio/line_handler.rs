//! Passes the lines of stderr to the program's function, on a thread of its own.
//!
//! Relies on nothing. Invariant: whatever the function does, the thread that drains stderr never waits for it, and
//! what waits for it is bounded; lines beyond the bound are counted and reported.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::Mutex;

use super::join;

/// The program's function.
pub(super) type OnStderr = Arc<dyn Fn(&str) + Send + Sync>;

/// How many bytes may wait for the function.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// What a waiting line costs besides its text.
const COST: usize = 64;

/// How much waits, and how much did not fit.
#[derive(Default)]
struct Waiting {
    bytes: AtomicUsize,
    dropped: AtomicU64,
}

/// The sending end. The thread ends once this is dropped and what waits has been passed on.
pub(super) struct LineSender {
    lines: Sender<String>,
    waiting: Arc<Waiting>,
}

impl LineSender {
    /// Never waits.
    pub(super) fn send(&self, line: &str) {
        let cost = line.len() + COST;
        if self.waiting.bytes.fetch_add(cost, Ordering::Relaxed) + cost > MAX_WAITING_BYTES {
            self.waiting.bytes.fetch_sub(cost, Ordering::Relaxed);
            self.waiting.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // The other end stays until this one is dropped.
        let _ = self.lines.send(line.to_owned());
    }
}

/// The thread that runs the function.
pub(super) struct LineHandler {
    /// Disconnected at its end.
    ended: Receiver<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl LineHandler {
    pub(super) fn start(on_stderr: OnStderr) -> io::Result<(LineSender, LineHandler)> {
        let (lines, taken) = unbounded::<String>();
        let (alive, ended) = bounded::<()>(0);
        let waiting = Arc::<Waiting>::default();
        let counted = Arc::clone(&waiting);
        let thread = thread::Builder::new().name("codex-on-stderr".to_owned()).spawn(move || {
            for line in taken {
                if catch_unwind(AssertUnwindSafe(|| on_stderr(&line))).is_err() {
                    log::error!("the function given to `on_stderr` panicked");
                }
                counted.bytes.fetch_sub(line.len() + COST, Ordering::Relaxed);
                let dropped = counted.dropped.swap(0, Ordering::Relaxed);
                if dropped > 0 {
                    log::warn!("{dropped} lines of stderr were not passed to `on_stderr`, which is too slow");
                }
            }
            // Runs user code where it captured a value, so it comes before the end is told.
            drop(catch_unwind(AssertUnwindSafe(|| drop(on_stderr))));
            drop(alive);
        })?;
        Ok((LineSender { lines, waiting }, LineHandler { ended, thread: Mutex::new(Some(thread)) }))
    }

    /// Waits until all lines have been passed on. A function that takes longer keeps its thread, and still gets
    /// the rest.
    pub(super) fn finish(&self, limit: Duration) {
        let mut thread = self.thread.lock();
        let is_own = thread.as_ref().is_none_or(|thread| thread.thread().id() == thread::current().id());
        if !is_own && self.ended.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected) {
            join(thread.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn a_function_that_panics_gets_the_next_line() {
        let (tell, told) = unbounded();
        let (lines, handler) = LineHandler::start(Arc::new(move |line: &str| {
            tell.send(line.to_owned()).unwrap();
            assert_ne!(line, "a");
        }))
        .unwrap();
        lines.send("a");
        lines.send("b");
        drop(lines);
        handler.finish(SOON);
        assert_eq!(told.iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_function_that_sleeps_loses_what_exceeds_the_bound_and_nothing_else() {
        let (release, released) = bounded::<()>(0);
        let (tell, told) = unbounded();
        let (lines, handler) = LineHandler::start(Arc::new(move |line: &str| {
            let _ = released.recv();
            tell.send(line.len()).unwrap();
        }))
        .unwrap();
        let line = "x".repeat(MAX_WAITING_BYTES / 4 - COST);
        for _ in 0..6 {
            lines.send(&line);
        }
        assert_eq!(lines.waiting.dropped.load(Ordering::Relaxed), 2);
        assert!(lines.waiting.bytes.load(Ordering::Relaxed) <= MAX_WAITING_BYTES);
        handler.finish(Duration::from_millis(1));
        drop((lines, release));
        assert_eq!(told.iter().count(), 4);
        handler.finish(SOON);
        assert!(handler.thread.lock().is_none());
    }
}
