//! A queue of messages for a non-blocking pipe or socket.
//!
//! Relies on a destination that never blocks. Invariant: a thread that finds the destination free takes
//! it, writes without holding the lock, and puts it back; other threads only queue. No lock is held
//! during a write, and no sender waits for the server.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard};

use super::{MAX_QUEUED_BYTES, cost, too_much_queued};
use crate::error::TransportFailure;

/// The most bytes, including those queued by other threads, that one caller writes.
const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// The queue and its destination. The polling thread writes what the callers can't write immediately.
pub(super) struct Outbox<W> {
    state: Mutex<OutboxState<W>>,
    /// Wakes the polling thread.
    wake: Box<dyn Fn() + Send + Sync>,
    is_broken: AtomicBool,
}

struct OutboxState<W> {
    queue: VecDeque<Vec<u8>>,
    /// What the queued messages cost, in bytes.
    bytes: usize,
    /// How many bytes of the first message have been written.
    written: usize,
    /// How many bytes have been written since the connection opened.
    total: u64,
    destination: Destination<W>,
    has_ended: bool,
}

enum Destination<W> {
    /// No thread is writing.
    Free(Arc<W>),
    /// A thread is writing; it also writes what is queued in the meantime.
    Taken,
    /// The destination is full; the polling thread retries when it becomes writable.
    Full(Arc<W>),
    /// The outbox was ended, or the server no longer reads.
    Closed,
}

impl<W> OutboxState<W> {
    fn is_closed(&self) -> bool {
        self.has_ended || matches!(self.destination, Destination::Closed)
    }

    fn close(&mut self) {
        self.destination = Destination::Closed;
        self.queue.clear();
        self.bytes = 0;
        self.written = 0;
    }
}

impl<W> Outbox<W>
where
    for<'a> &'a W: Write,
{
    pub(super) fn new(destination: Arc<W>, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Outbox {
            state: Mutex::new(OutboxState {
                queue: VecDeque::new(),
                bytes: 0,
                written: 0,
                total: 0,
                destination: Destination::Free(destination),
                has_ended: false,
            }),
            wake: Box::new(wake),
            is_broken: AtomicBool::new(false),
        }
    }

    /// Wakes the polling thread.
    pub(super) fn wake(&self) {
        (self.wake)();
    }

    /// Queues a message, writes what the destination accepts now, and leaves the rest to the polling
    /// thread.
    #[cfg(unix)]
    pub(super) fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        self.check()?;
        self.queue(message);
        self.flush();
        Ok(())
    }

    /// Returns an error if nothing more can be sent.
    pub(super) fn check(&self) -> Result<(), TransportFailure> {
        let state = self.state.lock();
        if state.is_closed() {
            return Err(TransportFailure::new("the app-server no longer reads its input"));
        }
        match state.bytes {
            0..=MAX_QUEUED_BYTES => Ok(()),
            waiting => Err(too_much_queued(waiting)),
        }
    }

    /// Queues a message for the next [`flush`](Self::flush). Drops it if the outbox is closed.
    pub(super) fn queue(&self, message: Vec<u8>) {
        let mut state = self.state.lock();
        if !state.is_closed() {
            state.bytes += cost(&message);
            state.queue.push_back(message);
        }
    }

    /// Writes the queued messages.
    pub(super) fn flush(&self) {
        self.write(self.state.lock(), true);
    }

    /// Releases the destination: immediately if it is idle or full, since nothing more would be read;
    /// otherwise once the write in progress finishes.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.has_ended = true;
        match &state.destination {
            Destination::Free(_) | Destination::Full(_) => state.close(),
            Destination::Taken | Destination::Closed => {}
        }
        drop(state);
        self.wake();
    }

    /// Whether a write failed before the outbox was ended: the server no longer reads.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// How many bytes have been written since the connection opened.
    #[cfg(feature = "websocket")]
    pub(super) fn written(&self) -> u64 {
        self.state.lock().total
    }

    /// The destination to poll for writability, if it is full.
    pub(super) fn full(&self) -> Option<Arc<W>> {
        match &self.state.lock().destination {
            Destination::Full(destination) => Some(Arc::clone(destination)),
            _ => None,
        }
    }

    /// Retries a destination that was full. A write shows whether it accepts bytes again or is broken.
    /// Only the polling thread calls this; it isn't woken if the destination is still full.
    pub(super) fn resume(&self) {
        let mut state = self.state.lock();
        match std::mem::replace(&mut state.destination, Destination::Taken) {
            Destination::Full(destination) => {
                state.destination = Destination::Free(destination);
                self.write(state, false);
            }
            other => state.destination = other,
        }
    }

    /// Takes the destination if it is free, and writes until the queue is empty or the destination is
    /// full. `wakes_when_full`: wake the polling thread when the destination is full; false if the polling
    /// thread is the caller.
    fn write<'a>(&'a self, mut state: MutexGuard<'a, OutboxState<W>>, wakes_when_full: bool) {
        let destination = match std::mem::replace(&mut state.destination, Destination::Taken) {
            Destination::Free(destination) => destination,
            other => {
                state.destination = other;
                return;
            }
        };
        let mut taken = 0;
        while let Some(message) = state.queue.pop_front() {
            let mut written = state.written;
            drop(state);
            let before = written;
            let outcome = write_all(&destination, &message, &mut written);
            state = self.state.lock();
            state.total += (written - before) as u64;
            match outcome {
                Ok(()) => {
                    state.written = 0;
                    state.bytes = state.bytes.saturating_sub(cost(&message));
                    taken += message.len();
                    // One caller has written its share: the polling thread writes the rest of the queue.
                    if taken > MAX_BATCH_BYTES && !state.queue.is_empty() {
                        state.destination = Destination::Full(destination);
                        drop(state);
                        self.wake();
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !state.has_ended => {
                    state.queue.push_front(message);
                    state.written = written;
                    state.destination = Destination::Full(destination);
                    drop(state);
                    if wakes_when_full {
                        self.wake();
                    }
                    return;
                }
                // The server closed its input, usually because it is exiting, which the reading thread is
                // about to see. Either way nothing more can be sent.
                Err(_) => {
                    state.close();
                    drop(state);
                    self.is_broken.store(true, Ordering::Release);
                    self.wake();
                    return;
                }
            }
        }
        match state.has_ended {
            true => state.close(),
            false => state.destination = Destination::Free(destination),
        }
    }
}

impl<W> fmt::Debug for Outbox<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Writes from offset `written`, which it advances.
fn write_all<W>(mut destination: &W, message: &[u8], written: &mut usize) -> io::Result<()>
where
    for<'a> &'a W: Write,
{
    while *written < message.len() {
        match destination.write(&message[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => *written += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
