//! Child I/O on Unix: one thread reads, and writes what callers could not write immediately.
//!
//! Relies on `lines`, `outbox` and `process`. Invariant: both streams are non-blocking, so that callers
//! write without waiting, and the reading thread waits only in a `poll` that can be woken.

use std::{
    io,
    ops::ControlFlow,
    process::ChildStdout,
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
    input::ChildInput,
    process::Process,
    waker::{WakeSignals, poll, waker},
};
use crate::error::TransportFailure;

/// A pipe of this size cuts the time of a flood by a third; the system may refuse it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PIPE_BYTES: usize = 1024 * 1024;

/// After a read of at least this many bytes, more data is likely to follow.
const FLOOD: usize = 16 * 1024;

/// The writing half, and the handle to the reading thread.
pub(super) struct Pipes(Arc<PipeShared>);

struct PipeShared {
    outbox: Outbox<ChildInput>,
    must_stop: AtomicBool,
}

/// Starts the thread that reads `stdout` into `sink`.
pub(super) fn start(
    stdin: ChildInput,
    stdout: ChildStdout,
    sink: Sink,
    process: Arc<Process>,
) -> io::Result<(Pipes, JoinHandle<()>)> {
    ioctl_fionbio(&stdin, true)?;
    ioctl_fionbio(&stdout, true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
    let (waker, wakeups) = waker()?;
    let shared = Arc::new(PipeShared {
        outbox: Outbox::new(Arc::new(stdin), move || waker.wake()),
        must_stop: AtomicBool::new(false),
    });
    let on_exit = Arc::clone(&shared);
    process.when_exited(move || on_exit.outbox.wake());
    let reader = PipeReader { shared: Arc::clone(&shared), stdout, wakeups, process };
    let thread = thread::Builder::new().name("codex-read".to_owned()).spawn(move || reader.run(sink))?;
    Ok((Pipes(shared), thread))
}

impl Pipes {
    /// Writes what the pipe accepts now, and leaves the rest to the reading thread.
    pub(super) fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        self.0.outbox.send(message)
    }

    /// Closes the child's stdin once the queue has been written, or can't be written.
    pub(super) fn end_input(&self) {
        self.0.outbox.end();
    }

    /// Stops the reading thread.
    pub(super) fn stop_reading(&self) {
        self.0.must_stop.store(true, Ordering::Release);
        self.0.outbox.wake();
    }
}

/// The reading thread.
struct PipeReader {
    shared: Arc<PipeShared>,
    stdout: ChildStdout,
    wakeups: WakeSignals,
    process: Arc<Process>,
}

impl PipeReader {
    fn run(self, mut sink: Sink) {
        let failure = match self.read_to_the_end(&mut sink) {
            Ok(message) => self.process.exit_report(message),
            Err(failure) => failure,
        };
        sink.flush();
        sink.close(failure);
    }

    /// Reads until the stream ends. Returns a description of the cause, or the failure itself.
    fn read_to_the_end(&self, sink: &mut Sink) -> Result<&'static str, TransportFailure> {
        let mut lines = Lines::new();
        // Once the child has exited or no longer reads, only what is left in the pipe is read: a
        // grandchild may hold the pipe open, and even write to it.
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
                        ControlFlow::Break(None) => return Ok("it sent an invalid message (strict mode)"),
                    }
                    // More data is likely to follow a read this large, so the next read comes before the
                    // wake-up. A flood must not delay the checks below.
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
        self.process.exit_report("failed to read its output").with_source(error)
    }

    /// Waits until there is data to read, a full pipe becomes writable, or another thread wakes this one.
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

impl Drop for PipeReader {
    fn drop(&mut self) {
        // No thread will wait for a full pipe any more.
        self.shared.outbox.end();
    }
}
