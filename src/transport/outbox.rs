//! What is to be written to a pipe or a socket that takes as much as it can at a time.
//!
//! Relies on a destination that never blocks. Invariant: whoever finds the destination here takes
//! it out, writes without holding the lock, and puts it back; others only queue. So no lock is
//! held while writing, and nobody waits for the peer.

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

use crate::error::TransportFailure;

/// How much may wait for a peer that does not read; requests that time out leave theirs behind.
const MOST_UNWRITTEN: usize = 256 * 1024 * 1024;

/// How much of what others queued a caller writes for them.
const MOST_AT_ONCE: usize = 1024 * 1024;

/// The queue, and where it goes. A thread that waits for the destination does the rest of what the
/// callers can't write at once.
pub(super) struct Outbox<W> {
    state: Mutex<State<W>>,
    /// Wakes the thread that waits.
    wake: Box<dyn Fn() + Send + Sync>,
    is_broken: AtomicBool,
}

struct State<W> {
    queue: VecDeque<Vec<u8>>,
    /// The bytes of the queue.
    bytes: usize,
    /// How much of the first message has been written.
    written: usize,
    /// How much has been written in all.
    total: u64,
    destination: Destination<W>,
    has_ended: bool,
}

enum Destination<W> {
    /// Nobody writes.
    Free(Arc<W>),
    /// A thread writes, and will write what is queued meanwhile.
    Taken,
    /// It is full; the thread that waits tries again when it is not.
    Full(Arc<W>),
    /// The end was asked for, or the peer does not read any more.
    Closed,
}

impl<W> State<W> {
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
            state: Mutex::new(State {
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

    /// Wakes the thread that waits.
    pub(super) fn wake(&self) {
        (self.wake)();
    }

    /// Writes what the destination takes now, and leaves the rest to the thread that waits.
    pub(super) fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        self.check()?;
        self.queue(message);
        self.flush();
        Ok(())
    }

    /// Whether something may be sent.
    pub(super) fn check(&self) -> Result<(), TransportFailure> {
        let state = self.state.lock();
        if state.is_closed() {
            return Err(TransportFailure::new("the app-server does not read any more"));
        }
        match state.bytes {
            0..=MOST_UNWRITTEN => Ok(()),
            waiting => Err(TransportFailure::new(format!(
                "the app-server does not read: {waiting} bytes wait to be written"
            ))),
        }
    }

    /// Has it written by the next [`flush`](Self::flush). It is dropped if nobody reads any more.
    pub(super) fn queue(&self, message: Vec<u8>) {
        let mut state = self.state.lock();
        if !state.is_closed() {
            state.bytes += message.len();
            state.queue.push_back(message);
        }
    }

    /// Writes what is queued.
    pub(super) fn flush(&self) {
        self.write(self.state.lock(), true);
    }

    /// Lets go of the destination: at once if it is full, for nobody will read what does not fit,
    /// else when what is being written has been.
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

    /// Whether the peer does not read any more, though the end was not asked for.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// How many bytes have been written in all.
    #[cfg(feature = "websocket")]
    pub(super) fn written(&self) -> u64 {
        self.state.lock().total
    }

    /// The destination to wait for, if it is full.
    pub(super) fn full(&self) -> Option<Arc<W>> {
        match &self.state.lock().destination {
            Destination::Full(destination) => Some(Arc::clone(destination)),
            _ => None,
        }
    }

    /// Tries a destination that was full again. It may take bytes now, or have broken, which writing
    /// finds. For the thread that waits: it is not woken when the destination is still full.
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

    /// Takes the destination if it is free, and writes until the queue is empty or it is full, of which
    /// the thread that waits has to be told unless it is the one that writes.
    fn write<'a>(&'a self, mut state: MutexGuard<'a, State<W>>, tells_full: bool) {
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
                    state.bytes = state.bytes.saturating_sub(message.len());
                    taken += message.len();
                    // Enough for one caller: the thread that waits goes on with what others queued.
                    if taken > MOST_AT_ONCE && !state.queue.is_empty() {
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
                    if tells_full {
                        self.wake();
                    }
                    return;
                }
                // The peer has closed its input: mostly because it exits, which is about to be seen. If
                // not, there is nobody to talk to all the same.
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

/// Writes on from `written`, and counts.
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
