//! Child I/O for platforms where pipes can't be polled: a thread blocks on each pipe, and the reading thread waits
//! for what they read, for the child's exit, and for the stop.
//!
//! Relies on `lines` and `process`. Invariant: a caller only queues; the reading thread ends with the child or
//! when it is stopped, even if a grandchild holds the pipes open. A thread that blocks on such a pipe is left
//! behind. Also compiled for tests on Unix, so that it is exercised there.

use std::{
    io::{self, Read, Write},
    ops::ControlFlow,
    process::ChildStdout,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, never, select, unbounded};
use parking_lot::Mutex;

use super::{
    super::Sink,
    super::lines::Lines,
    super::{MAX_QUEUED_BYTES, cost, too_much_queued},
    input::ChildInput,
    process::Process,
};
use crate::error::TransportFailure;

/// The size of a read.
const CHUNK: usize = 64 * 1024;
/// The most chunks between the threads that read the pipe and the connection.
const MOST_CHUNKS: usize = 8;
/// How long what is left in the pipe may take to arrive after the child's exit.
const REST_WITHIN: Duration = Duration::from_millis(500);
/// After the exit, a pipe that gives nothing for this long has nothing left.
const QUIET: Duration = Duration::from_millis(50);

/// The writing half.
pub(super) struct Pipes {
    /// The queue of the writing thread. `None` once the input has been ended.
    queue: Mutex<Option<Sender<Vec<u8>>>>,
    /// What the queued messages cost, in bytes.
    bytes: Arc<AtomicUsize>,
    /// Dropped to stop the reading thread.
    stop: Mutex<Option<Sender<()>>>,
}

/// Starts the threads. Returns the reading one; the others are not joined.
pub(super) fn start(
    stdin: ChildInput,
    stdout: ChildStdout,
    sink: Sink,
    process: Arc<Process>,
) -> io::Result<(Pipes, JoinHandle<()>)> {
    let (queue, queued) = unbounded();
    let (stop, stopped) = bounded(0);
    let (give, chunks) = bounded(MOST_CHUNKS);
    let bytes = Arc::new(AtomicUsize::new(0));
    let kept = Arc::clone(&bytes);
    spawn("codex-write", move || write_all(&stdin, &queued, &kept))?;
    spawn("codex-pipe", move || read_all(stdout, &give))?;
    let reader = PipeReader { chunks, stopped, process };
    let reader = spawn("codex-read", move || reader.run(sink))?;
    Ok((Pipes { queue: Mutex::new(Some(queue)), bytes, stop: Mutex::new(Some(stop)) }, reader))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

impl Pipes {
    pub(super) fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        let waiting = self.bytes.load(Ordering::Relaxed);
        if waiting > MAX_QUEUED_BYTES {
            return Err(too_much_queued(waiting));
        }
        self.bytes.fetch_add(cost(&message), Ordering::Relaxed);
        let queued = self.queue.lock().as_ref().is_some_and(|queue| queue.send(message).is_ok());
        queued.then_some(()).ok_or_else(|| TransportFailure::new("the app-server no longer reads its input"))
    }

    /// Closes the child's stdin once the queue has been written.
    pub(super) fn end_input(&self) {
        self.queue.lock().take();
    }

    /// Stops the reading thread.
    pub(super) fn stop_reading(&self) {
        self.stop.lock().take();
    }
}

/// Writes what is queued. Ends with the queue, or when the child no longer reads.
fn write_all(mut stdin: &ChildInput, queued: &Receiver<Vec<u8>>, bytes: &AtomicUsize) {
    for message in queued {
        if stdin.write_all(&message).and_then(|()| stdin.flush()).is_err() {
            return;
        }
        bytes.fetch_sub(cost(&message), Ordering::Relaxed);
    }
}

/// Passes on what the pipe contains. Ends with the pipe, or when nobody takes it.
fn read_all(mut stdout: ChildStdout, give: &Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match stdout.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => {
                chunk.truncate(length);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        if give.send(read).is_err() || is_over {
            return;
        }
    }
}

/// The reading thread of the connection.
struct PipeReader {
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// Disconnected when the thread must stop.
    stopped: Receiver<()>,
    process: Arc<Process>,
}

/// What the reading thread waited for.
enum Awaited {
    Chunk(Vec<u8>),
    Unreadable(io::Error),
    /// The pipe is closed, or empty after the child's exit.
    End,
    Exited,
    Stopped,
}

impl PipeReader {
    fn run(self, mut sink: Sink) {
        let failure = self.read_to_the_end(&mut sink);
        sink.flush();
        sink.close(failure);
    }

    /// Reads until the stream ends, and returns the cause.
    fn read_to_the_end(&self, sink: &mut Sink) -> TransportFailure {
        let mut lines = Lines::new();
        let mut exited = self.process.exited();
        // Once the child has exited, only what is left in the pipe is read: a grandchild may hold it open, and
        // even write to it.
        let mut give_up_at = None;
        loop {
            match self.wait(&exited, give_up_at) {
                Awaited::Chunk(chunk) => {
                    lines.buffer().extend_from_slice(&chunk);
                    match lines.deliver(sink, chunk.len() == CHUNK) {
                        ControlFlow::Continue(()) => sink.flush(),
                        ControlFlow::Break(Some(failure)) => return failure,
                        ControlFlow::Break(None) => {
                            return self.process.exit_report("it sent an invalid message (strict mode)");
                        }
                    }
                }
                Awaited::Unreadable(error) => {
                    return self.process.exit_report("failed to read its output").with_source(error);
                }
                Awaited::End => {
                    lines.finish(sink);
                    return self.process.exit_report("it closed its output");
                }
                Awaited::Exited => {
                    exited = never();
                    give_up_at = Some(Instant::now() + REST_WITHIN);
                }
                Awaited::Stopped => return self.process.exit_report("the connection was shut down"),
            }
        }
    }

    fn wait(&self, exited: &Receiver<()>, give_up_at: Option<Instant>) -> Awaited {
        let chunk = |received: Result<io::Result<Vec<u8>>, RecvTimeoutError>| match received {
            Ok(Ok(chunk)) => Awaited::Chunk(chunk),
            Ok(Err(error)) => Awaited::Unreadable(error),
            Err(_) => Awaited::End,
        };
        if let Some(at) = give_up_at {
            return chunk(self.chunks.recv_deadline(at.min(Instant::now() + QUIET)));
        }
        select! {
            recv(self.chunks) -> received => chunk(received.map_err(|_| RecvTimeoutError::Disconnected)),
            recv(exited) -> _ => Awaited::Exited,
            recv(self.stopped) -> _ => Awaited::Stopped,
        }
    }
}

// Elsewhere all of tests/stdio runs over this module.
#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use crossbeam_channel::Sender as Heard;

    use super::{
        super::{
            super::Receive, super::Shutdown, command, command::CommandSettings, process::ProtocolChannel,
        },
        *,
    };

    /// Reports each frame; `None` marks the end.
    struct Teller(Heard<Option<String>>);

    impl Receive for Teller {
        fn frame(&mut self, frame: Cow<'_, [u8]>) -> ControlFlow<()> {
            let _ = self.0.send(Some(String::from_utf8_lossy(&frame).into_owned()));
            ControlFlow::Continue(())
        }

        fn flush(&mut self) {}

        fn closed(&mut self, _: TransportFailure) {
            let _ = self.0.send(None);
        }
    }

    /// A child, and what tells its frames.
    fn started(script: &str) -> (Arc<Process>, Pipes, JoinHandle<()>, Receiver<Option<String>>) {
        let argv = ["sh", "-c", script].map(Into::into).to_vec();
        let settings = CommandSettings { argv: Some(argv), ..CommandSettings::default() };
        let command = command::resolve(&settings).unwrap();
        let (process, streams) = Process::spawn(&command, ProtocolChannel::Stdio).unwrap();
        let streams = streams.unwrap();
        let (teller, heard) = unbounded();
        let sink = Sink::new(Teller(teller), None);
        let (pipes, reader) = start(streams.stdin, streams.stdout, sink, Arc::clone(&process)).unwrap();
        (process, pipes, reader, heard)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_exit_is_noticed_while_a_grandchild_holds_the_pipes() {
        let (process, _pipes, reader, heard) = started("setsid sleep 60 & echo last; exit 7");
        assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap().as_deref(), Some("last"));
        assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap(), None);
        reader.join().unwrap();
        process.join();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_reading_stops_while_a_grandchild_holds_the_pipes() {
        let (process, pipes, reader, heard) = started("setsid sleep 60 & echo first; exec cat");
        assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap().as_deref(), Some("first"));
        pipes.stop_reading();
        assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap(), None);
        reader.join().unwrap();
        pipes.end_input();
        process.stop(Shutdown::Quick);
        process.join();
    }

    #[test]
    fn what_is_sent_arrives_and_comes_back_until_the_input_ends() {
        let (process, pipes, reader, heard) = started("exec cat");
        pipes.send(b"one\ntwo\n".to_vec()).unwrap();
        for expected in ["one", "two"] {
            assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap().as_deref(), Some(expected));
        }
        pipes.end_input();
        assert!(pipes.send(b"late\n".to_vec()).is_err());
        assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap(), None);
        reader.join().unwrap();
        process.stop(Shutdown::Quick);
        process.join();
    }
}
