//! The bytes of a child on Unix: one thread that reads, and writes what could not be written at once.
//!
//! Relies on `lines` and `process`. Invariant: both pipes are non-blocking, so that a caller
//! writes without waiting, and the reading thread waits in one place only, a `poll` that can be
//! woken.

use std::{
    collections::VecDeque,
    io::{self, Write},
    ops::ControlFlow,
    process::{ChildStdin, ChildStdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags},
    io::{Errno, ioctl_fionbio, read},
};

use super::{
    super::Sink,
    super::lines::Lines,
    process::Process,
    waker::{Waker, Wakeups, poll, waker},
};
use crate::error::TransportFailure;

/// A pipe this large takes a third off the time of a flood; the system may refuse it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PIPE_BYTES: usize = 1024 * 1024;

/// How much may wait for a child that does not read; requests that time out leave theirs behind.
const MOST_UNWRITTEN: usize = 256 * 1024 * 1024;

/// How much of what others queued a caller writes for them.
const MOST_AT_ONCE: usize = 1024 * 1024;

/// A server that writes so much at once goes on writing.
const FLOOD: usize = 16 * 1024;

/// The writing side, and the handle on the thread that reads.
pub(super) struct Pipes(Arc<Shared>);

struct Shared {
    outbox: Mutex<Outbox>,
    waker: Waker,
    must_stop: AtomicBool,
    /// The child does not read its input any more, though it was not told to end.
    is_broken: AtomicBool,
}

/// What is to be written. Whoever finds the pipe here takes it out, writes without holding the
/// lock, and puts it back; others only queue. So no lock is held while writing.
struct Outbox {
    queue: VecDeque<Vec<u8>>,
    /// The bytes of the queue.
    bytes: usize,
    /// How much of the first message has been written.
    written: usize,
    pipe: Pipe,
    input_ends: bool,
}

enum Pipe {
    /// Nobody writes.
    Free(Arc<ChildStdin>),
    /// A thread writes, and will write what is queued meanwhile.
    Taken,
    /// It is full; the reading thread waits until it is not.
    Full(Arc<ChildStdin>),
    /// The end of input was sent, or the child does not read any more.
    Closed,
}

/// Starts the thread that reads `stdout` into `sink`.
pub(super) fn start(
    stdin: ChildStdin,
    stdout: ChildStdout,
    sink: Sink,
    process: Arc<Process>,
) -> io::Result<(Pipes, JoinHandle<()>)> {
    ioctl_fionbio(&stdin, true)?;
    ioctl_fionbio(&stdout, true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
    let (waker, wakeups) = waker()?;
    let shared = Arc::new(Shared {
        outbox: Mutex::new(Outbox {
            queue: VecDeque::new(),
            bytes: 0,
            written: 0,
            pipe: Pipe::Free(Arc::new(stdin)),
            input_ends: false,
        }),
        waker,
        must_stop: AtomicBool::new(false),
        is_broken: AtomicBool::new(false),
    });
    let on_exit = Arc::clone(&shared);
    process.when_exited(move || on_exit.waker.wake());
    let reader = Reader { shared: Arc::clone(&shared), stdout, wakeups, process };
    let thread = thread::Builder::new().name("codex-read".to_owned()).spawn(move || reader.run(sink))?;
    Ok((Pipes(shared), thread))
}

impl Pipes {
    /// Writes what the pipe takes now, and leaves the rest to the reading thread.
    pub(super) fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        self.0.send(message)
    }

    /// Closes the child's stdin once what is queued has been written, or can't be.
    pub(super) fn end_input(&self) {
        let mut outbox = self.0.outbox.lock();
        outbox.input_ends = true;
        match &outbox.pipe {
            // Nobody will read what does not fit.
            Pipe::Free(_) | Pipe::Full(_) => outbox.close(),
            Pipe::Taken | Pipe::Closed => {}
        }
        drop(outbox);
        self.0.waker.wake();
    }

    /// Ends the reading thread.
    pub(super) fn stop_reading(&self) {
        self.0.must_stop.store(true, Ordering::Release);
        self.0.waker.wake();
    }
}

impl Outbox {
    fn close(&mut self) {
        self.pipe = Pipe::Closed;
        self.queue.clear();
        self.bytes = 0;
        self.written = 0;
    }
}

impl Shared {
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        let mut outbox = self.outbox.lock();
        if matches!(outbox.pipe, Pipe::Closed) || outbox.input_ends {
            return Err(TransportFailure::new("the app-server does not read its input any more"));
        }
        let waiting: usize = outbox.bytes;
        if waiting > MOST_UNWRITTEN {
            return Err(TransportFailure::new(format!(
                "the app-server does not read: {waiting} bytes wait to be written"
            )));
        }
        outbox.bytes += message.len();
        outbox.queue.push_back(message);
        self.write(outbox);
        Ok(())
    }

    /// Takes the pipe if it is free, and writes until the queue is empty or the pipe is full.
    fn write<'a>(&'a self, mut outbox: MutexGuard<'a, Outbox>) {
        let pipe = match std::mem::replace(&mut outbox.pipe, Pipe::Taken) {
            Pipe::Free(pipe) => pipe,
            other => {
                outbox.pipe = other;
                return;
            }
        };
        let mut taken = 0;
        while let Some(mut message) = outbox.queue.pop_front() {
            let mut written = outbox.written;
            drop(outbox);
            let outcome = write_all(&pipe, &message, &mut written);
            outbox = self.outbox.lock();
            match outcome {
                Ok(()) => {
                    outbox.written = 0;
                    outbox.bytes = outbox.bytes.saturating_sub(message.len());
                    taken += message.len();
                    // Enough for one caller: the reading thread goes on with what others queued.
                    if taken > MOST_AT_ONCE && !outbox.queue.is_empty() {
                        outbox.pipe = Pipe::Full(pipe);
                        drop(outbox);
                        self.waker.wake();
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !outbox.input_ends => {
                    outbox.queue.push_front(std::mem::take(&mut message));
                    outbox.written = written;
                    outbox.pipe = Pipe::Full(pipe);
                    drop(outbox);
                    self.waker.wake();
                    return;
                }
                // The child has closed its input: mostly because it exits, which is about to be seen. If
                // not, there is nobody to talk to all the same.
                Err(_) => {
                    outbox.close();
                    drop(outbox);
                    self.is_broken.store(true, Ordering::Release);
                    self.waker.wake();
                    return;
                }
            }
        }
        match outbox.input_ends {
            true => outbox.close(),
            false => outbox.pipe = Pipe::Free(pipe),
        }
    }

    /// The pipe to wait for, if it is full.
    fn full_pipe(&self) -> Option<Arc<ChildStdin>> {
        match &self.outbox.lock().pipe {
            Pipe::Full(pipe) => Some(Arc::clone(pipe)),
            _ => None,
        }
    }

    /// Tries a pipe that was full again. It may take bytes now, or have broken, which writing finds.
    fn resume(&self) {
        let mut outbox = self.outbox.lock();
        match std::mem::replace(&mut outbox.pipe, Pipe::Taken) {
            Pipe::Full(pipe) => {
                outbox.pipe = Pipe::Free(pipe);
                self.write(outbox);
            }
            other => outbox.pipe = other,
        }
    }
}

/// Writes on from `written`, and counts.
fn write_all(mut pipe: &ChildStdin, message: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < message.len() {
        match pipe.write(&message[*written..]) {
            Ok(length) => *written += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The reading thread.
struct Reader {
    shared: Arc<Shared>,
    stdout: ChildStdout,
    wakeups: Wakeups,
    process: Arc<Process>,
}

impl Reader {
    fn run(self, mut sink: Sink) {
        let failure = match self.read_to_the_end(&mut sink) {
            Ok(message) => self.process.obituary(message),
            Err(failure) => failure,
        };
        sink.flush();
        sink.close(failure);
    }

    /// Says what ended the stream, unless that is a failure of its own.
    fn read_to_the_end(&self, sink: &mut Sink) -> Result<&'static str, TransportFailure> {
        let mut lines = Lines::new();
        // Once the child is gone, or takes nothing more, only what it left in the pipe is read: a
        // grandchild may hold it open, and even go on writing.
        let mut give_up_at = None;
        loop {
            let buffer = lines.buffer();
            let space = buffer.capacity() - buffer.len();
            match read(&self.stdout, spare_capacity(buffer)) {
                Ok(0) => {
                    lines.finish(sink);
                    return Ok("it closed its output");
                }
                Ok(length) => {
                    let filled = length == space;
                    match lines.deliver(sink, filled) {
                        ControlFlow::Continue(()) => {}
                        ControlFlow::Break(Some(failure)) => return Err(failure),
                        ControlFlow::Break(None) => return Ok("what it sent is no message (strict)"),
                    }
                    // A read this large is one of many: the next one is tried before anybody is woken. But
                    // a flood must not hide what is looked for below.
                    let is_over = self.shared.must_stop.load(Ordering::Acquire) || self.process.has_exited();
                    if length >= FLOOD && !is_over {
                        self.shared.resume();
                        continue;
                    }
                    sink.flush();
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) if give_up_at.is_some() => {
                    lines.finish(sink);
                    return Ok("it closed its input");
                }
                Err(Errno::AGAIN) => sink.flush(),
                Err(error) => return Err(self.unreadable(error.into())),
            }
            if self.shared.must_stop.load(Ordering::Acquire) {
                return Ok("the connection was shut down");
            }
            if self.process.has_exited() || self.shared.is_broken.load(Ordering::Acquire) {
                let at = *give_up_at.get_or_insert_with(|| Instant::now() + Duration::from_millis(500));
                if Instant::now() >= at {
                    return Ok("it closed its input");
                }
                continue;
            }
            self.wait().map_err(|error| self.unreadable(error))?;
        }
    }

    fn unreadable(&self, error: io::Error) -> TransportFailure {
        self.process.obituary("its output could not be read").with_source(error)
    }

    /// Until there is something to read, a full pipe takes bytes again, or somebody wakes this thread.
    fn wait(&self) -> io::Result<()> {
        let full = self.shared.full_pipe();
        let stdout = PollFd::new(&self.stdout, PollFlags::IN);
        let wakeups = PollFd::new(&self.wakeups, PollFlags::IN);
        let can_write = match &full {
            Some(pipe) => {
                let mut waited = [stdout, wakeups, PollFd::new(&**pipe, PollFlags::OUT)];
                poll(&mut waited)?;
                let [_, wakeups, stdin] = &waited;
                if !wakeups.revents().is_empty() {
                    self.wakeups.clear();
                }
                !stdin.revents().is_empty()
            }
            None => {
                let mut waited = [stdout, wakeups];
                poll(&mut waited)?;
                if !waited[1].revents().is_empty() {
                    self.wakeups.clear();
                }
                false
            }
        };
        drop(full);
        if can_write {
            self.shared.resume();
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Nobody will wait for a full pipe any more.
        self.shared.outbox.lock().close();
    }
}
