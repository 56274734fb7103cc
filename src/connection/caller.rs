//! The way of a reply to the thread that waits for it.
//!
//! Relies on crossbeam channels and parking. Invariant: the waiting thread is woken by an answer and
//! by the lack of one.
//!
//! The value goes through a channel, so that it can be waited for together with others. The usual
//! wait is for it alone: then the thread parks at once, since a channel's own wait spins and yields
//! first, which on a busy machine delays the very thread that brings the reply.

use std::{
    thread::{self, Thread},
    time::Instant,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use crate::deadline::Deadline;

/// The end that answers. Dropping it without an answer ends the wait.
pub(crate) struct Caller<T> {
    sender: Option<Sender<T>>,
    thread: Thread,
}

/// Made by the thread that is going to wait.
pub(crate) fn caller<T>() -> (Caller<T>, Receiver<T>) {
    let (sender, receiver) = bounded(1);
    (Caller { sender: Some(sender), thread: thread::current() }, receiver)
}

impl<T> Caller<T> {
    pub(crate) fn answer(self, value: T) {
        if let Some(sender) = &self.sender {
            // One that has given up meanwhile took its receiver along.
            drop(sender.try_send(value));
        }
    }
}

impl<T> Drop for Caller<T> {
    fn drop(&mut self) {
        // First it must be there to be seen.
        drop(self.sender.take());
        self.thread.unpark();
    }
}

/// Waits on the thread that made the caller.
pub(crate) fn wait<T>(answer: &Receiver<T>, deadline: Deadline) -> Result<T, RecvTimeoutError> {
    loop {
        match answer.try_recv() {
            Ok(value) => return Ok(value),
            Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {}
        }
        // Parking may end for no reason; so it is looked again.
        match deadline.at().map(|at| at.saturating_duration_since(Instant::now())) {
            Some(left) if left.is_zero() => return Err(RecvTimeoutError::Timeout),
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}
