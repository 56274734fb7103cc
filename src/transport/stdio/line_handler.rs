//! Passes the lines of stderr to code of the program, which is its logger or its function, on a thread of its own.
//!
//! Relies on `panics`. Invariant: whatever that code does, the thread that drains stderr never waits for it, and
//! what waits for it is bounded; lines beyond the bound are counted and reported.

use std::{
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
use crate::panics::caught;

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

/// What the thread runs.
struct Runner {
    /// What log records call the function.
    name: &'static str,
    function: OnStderr,
    lines: Receiver<String>,
    waiting: Arc<Waiting>,
    /// Goes last: dropping the function runs user code where it captured a value, before the end is told.
    _alive: Sender<()>,
}

impl Runner {
    fn run(&self) {
        for line in &self.lines {
            if caught(|| (self.function)(&line)).is_err() {
                let _ = caught(|| log::error!("{} panicked", self.name));
            }
            self.waiting.bytes.fetch_sub(line.len() + COST, Ordering::Relaxed);
            let dropped = self.waiting.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let name = self.name;
                let _ = caught(|| {
                    log::warn!("{dropped} lines of stderr were not passed to {name}, which is too slow")
                });
            }
        }
    }
}

/// The sending end. The thread ends once this is dropped and what waits has been passed on.
pub(super) struct LineSender {
    lines: Sender<String>,
    waiting: Arc<Waiting>,
    /// Until the thread has been started, which the first line does: most servers write none.
    runner: Option<Arc<Runner>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl LineSender {
    /// Never waits for the function.
    pub(super) fn send(&mut self, line: &str) {
        let cost = line.len() + COST;
        if self.waiting.bytes.fetch_add(cost, Ordering::Relaxed) + cost > MAX_WAITING_BYTES {
            self.waiting.bytes.fetch_sub(cost, Ordering::Relaxed);
            self.waiting.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // The other end stays until this one is dropped.
        let _ = self.lines.send(line.to_owned());
        if let Some(runner) = &self.runner {
            let own = Arc::clone(runner);
            let run = move || {
                own.run();
                let _ = caught(|| drop(own));
            };
            // Where no thread can be started, the next line tries again.
            if let Ok(thread) = thread::Builder::new().name("codex-on-stderr".to_owned()).spawn(run) {
                *self.thread.lock() = Some(thread);
                self.runner = None;
            }
        }
    }
}

/// The receiving end.
pub(super) struct LineHandler {
    /// Disconnected at the end of the thread, or of the sender if there was no line.
    ended: Receiver<()>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl LineHandler {
    pub(super) fn new(name: &'static str, function: OnStderr) -> (LineSender, LineHandler) {
        let (sender, lines) = unbounded::<String>();
        let (alive, ended) = bounded::<()>(0);
        let waiting = Arc::<Waiting>::default();
        let runner = Runner { name, function, lines, waiting: Arc::clone(&waiting), _alive: alive };
        let thread = Arc::default();
        let handler = LineHandler { ended, thread: Arc::clone(&thread) };
        (LineSender { lines: sender, waiting, runner: Some(Arc::new(runner)), thread }, handler)
    }

    /// Waits until all lines have been passed on. A function that takes longer keeps its thread, and still gets
    /// the rest.
    pub(super) fn finish(&self, limit: Duration) {
        let is_own =
            self.thread.lock().as_ref().is_some_and(|own| own.thread().id() == thread::current().id());
        if !is_own && self.ended.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected) {
            join(self.thread.lock().take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What panics again when it is dropped.
    struct Payload;

    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("a payload of a test");
        }
    }

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn a_function_that_panics_gets_the_next_line() {
        let (tell, told) = unbounded();
        let (mut lines, handler) = LineHandler::new(
            "it",
            Arc::new(move |line: &str| {
                tell.send(line.to_owned()).unwrap();
                if line == "a" {
                    std::panic::panic_any(Payload);
                }
            }),
        );
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
        let (mut lines, handler) = LineHandler::new(
            "it",
            Arc::new(move |line: &str| {
                let _ = released.recv();
                tell.send(line.len()).unwrap();
            }),
        );
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
