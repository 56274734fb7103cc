//! The calls that block, away from the thread of the window.
//!
//! Relies on `wake`. Invariant: each call runs on a thread of its own, so that a slow one delays no other, and
//! reports once; there is at most one for each conversation, one that connects and one that lists.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use codex_blocking::{ChatEvents, Client, Result, ThreadHandle, Transcript, protocol::Thread};

use crate::wake::Wake;

/// How a call ended.
pub enum Report {
    /// The client, and what the server calls itself.
    Connected(Result<(Client, String)>),
    /// The latest threads of the server.
    Listed(Result<Vec<Thread>>),
    /// A turn of the conversation has begun with this text.
    Began { to: Address, text: String, began: Result<(ThreadHandle, Box<ChatEvents>)> },
    /// The thread of the conversation was resumed.
    Opened { to: Address, opened: Result<(ThreadHandle, Transcript)> },
}

/// Whom a report is for.
#[derive(Clone, Copy)]
pub struct Address {
    /// The conversation.
    pub key: u64,
    /// The connection: what was called over an earlier one must not count as of the current one.
    pub connection: u64,
}

pub struct Worker {
    reports: Receiver<Report>,
    reporter: Sender<Report>,
    wake: Wake,
}

impl Worker {
    pub fn new(wake: &Wake) -> Worker {
        let (reporter, reports) = channel();
        Worker { reports, reporter, wake: wake.clone() }
    }

    /// Runs a call that blocks.
    pub fn run(&self, call: impl FnOnce() -> Report + Send + 'static) {
        let (reporter, wake) = (self.reporter.clone(), self.wake.clone());
        spawn(move || {
            // Fails if the window was closed in the meantime.
            let _ = reporter.send(call());
            wake.wake();
        });
    }

    /// Drops a value elsewhere: the last handle on a connection waits until its server has ended.
    pub fn discard(&self, value: impl Send + 'static) {
        spawn(move || drop(value));
    }

    /// What has been reported since.
    pub fn reports(&self) -> Vec<Report> {
        self.reports.try_iter().collect()
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name("call".to_owned()).spawn(work) {
        // Nothing would ever report.
        panic!("no thread can be started: {error}");
    }
}
