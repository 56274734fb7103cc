//! Log records of threads that must not run the program's logger, which is user code.
//!
//! Relies on the `log` crate and on `panics`. Invariant: adding a record never blocks and keeps a bounded amount; records
//! that do not fit are dropped and counted. The logger runs on its own thread, so that a slow one delays
//! nothing but other records.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use log::Level;
use parking_lot::{Condvar, Mutex};

use crate::panics::caught;

/// The maximum number of records in the queue.
const MOST_RECORDS: usize = 1024;
/// The maximum number of bytes in the queue.
const MOST_BYTES: usize = 1024 * 1024;

#[derive(Default)]
pub(crate) struct LogQueue(Arc<Records>);

#[derive(Default)]
struct Records {
    backlog: Mutex<Backlog>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Backlog {
    records: VecDeque<(Level, String)>,
    bytes: usize,
    thread: Option<JoinHandle<()>>,
    is_closed: bool,
    /// The thread is about to end.
    has_ended: bool,
}

impl LogQueue {
    /// Queues a record for the logger. The message is formatted only if the level is enabled.
    pub(crate) fn record(&self, level: Level, message: impl FnOnce() -> String) {
        if level > log::max_level() {
            return;
        }
        let mut backlog = self.0.backlog.lock();
        if backlog.is_closed || backlog.records.len() >= MOST_RECORDS || backlog.bytes >= MOST_BYTES {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if backlog.thread.is_none() {
            let records = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("codex-log".to_owned()).spawn(move || records.write());
            let Ok(thread) = thread else {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            };
            backlog.thread = Some(thread);
        }
        let message = message();
        backlog.bytes += message.len();
        backlog.records.push_back((level, message));
        self.0.changed.notify_one();
    }

    /// The number of records that were dropped because the logger was too slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Accepts no more records, and waits until the logger has processed the queued ones, or until
    /// `deadline`.
    pub(crate) fn close(&self, deadline: Instant) {
        let mut backlog = self.0.backlog.lock();
        backlog.is_closed = true;
        self.0.changed.notify_all();
        let Some(thread) = backlog.thread.take() else { return };
        if thread.thread().id() == thread::current().id() {
            return;
        }
        while !backlog.has_ended {
            if self.0.changed.wait_until(&mut backlog, deadline).timed_out() {
                return;
            }
        }
        drop(backlog);
        let _ = thread.join();
    }
}

impl Records {
    fn write(&self) {
        let mut backlog = self.backlog.lock();
        loop {
            if let Some((level, message)) = backlog.records.pop_front() {
                backlog.bytes -= message.len();
                drop(backlog);
                // A logger that panics must not end the records after this one.
                let _ = caught(|| log::log!(target: "codex_blocking", level, "{message}"));
                backlog = self.backlog.lock();
            } else if backlog.is_closed {
                break;
            } else {
                self.changed.wait(&mut backlog);
            }
        }
        backlog.has_ended = true;
        self.changed.notify_all();
    }
}
