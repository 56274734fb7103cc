//! The bytes of a child on Unix: one thread that reads, and writes what could not be written at once.
//!
//! Relies on `lines`, `outbox` and `process`. Invariant: both pipes are non-blocking, so that a caller
//! writes without waiting, and the reading thread waits in one place only, a `poll` that can be
//! woken.

use std::{
    io,
    ops::ControlFlow,
    process::{ChildStdin, ChildStdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags},
    io::{Errno, ioctl_fionbio, read},
};

use super::{
    super::Sink,
    super::lines::Lines,
    super::outbox::Outbox,
    process::Process,
    waker::{Wakeups, poll, waker},
};
use crate::error::TransportFailure;

/// A pipe this large takes a third off the time of a flood; the system may refuse it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PIPE_BYTES: usize = 1024 * 1024;

/// A server that writes so much at once goes on writing.
const FLOOD: usize = 16 * 1024;

/// The writing side, and the handle on the thread that reads.
pub(super) struct Pipes(Arc<Shared>);

struct Shared {
    outbox: Outbox<ChildStdin>,
    must_stop: AtomicBool,
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
        outbox: Outbox::new(Arc::new(stdin), move || waker.wake()),
        must_stop: AtomicBool::new(false),
    });
    let on_exit = Arc::clone(&shared);
    process.when_exited(move || on_exit.outbox.wake());
    let reader = Reader { shared: Arc::clone(&shared), stdout, wakeups, process };
    let thread = thread::Builder::new().name("codex-read".to_owned()).spawn(move || reader.run(sink))?;
    Ok((Pipes(shared), thread))
}

impl Pipes {
    /// Writes what the pipe takes now, and leaves the rest to the reading thread.
    pub(super) fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        self.0.outbox.send(message)
    }

    /// Closes the child's stdin once what is queued has been written, or can't be.
    pub(super) fn end_input(&self) {
        self.0.outbox.end();
    }

    /// Ends the reading thread.
    pub(super) fn stop_reading(&self) {
        self.0.must_stop.store(true, Ordering::Release);
        self.0.outbox.wake();
    }
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
                        self.shared.outbox.resume();
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
            if self.process.has_exited() || self.shared.outbox.is_broken() {
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
        let full = self.shared.outbox.full();
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
            self.shared.outbox.resume();
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Nobody will wait for a full pipe any more.
        self.shared.outbox.end();
    }
}
