//! Child I/O for platforms where pipes can't be polled: one reading thread and one writing thread.
//!
//! Relies on `lines` and `process`. Invariant: a caller only queues; only the writing thread blocks on
//! the pipe, and it ends when the child does. Also compiled for tests on Unix, so that it is exercised
//! there.

use std::{
    io::{self, Read, Write},
    ops::ControlFlow,
    process::ChildStdout,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Sender, unbounded};
use parking_lot::Mutex;

use super::{
    super::Sink,
    super::lines::Lines,
    super::{MAX_QUEUED_BYTES, cost, too_much_queued},
    input::ChildInput,
    process::Process,
};
use crate::error::TransportFailure;

/// The writing half.
pub(super) struct Pipes {
    /// The queue of the writing thread. `None` once the input has been ended.
    queue: Mutex<Option<Sender<Vec<u8>>>>,
    /// What the queued messages cost, in bytes.
    bytes: Arc<AtomicUsize>,
}

/// Starts the reading and the writing thread.
pub(super) fn start(
    stdin: ChildInput,
    stdout: ChildStdout,
    sink: Sink,
    process: Arc<Process>,
) -> io::Result<(Pipes, JoinHandle<()>)> {
    let (queue, queued) = unbounded::<Vec<u8>>();
    let bytes = Arc::new(AtomicUsize::new(0));
    let kept = Arc::clone(&bytes);
    thread::Builder::new().name("codex-write".to_owned()).spawn(move || {
        for message in queued {
            if (&stdin).write_all(&message).and_then(|()| (&stdin).flush()).is_err() {
                return;
            }
            kept.fetch_sub(cost(&message), Ordering::Relaxed);
        }
    })?;
    let reader = thread::Builder::new()
        .name("codex-read".to_owned())
        .spawn(move || read_all(stdout, sink, &process))?;
    Ok((Pipes { queue: Mutex::new(Some(queue)), bytes }, reader))
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

    pub(super) fn end_input(&self) {
        self.queue.lock().take();
    }

    /// Nothing to do: the blocking read ends when the child exits.
    pub(super) fn stop_reading(&self) {}
}

fn read_all(mut stdout: ChildStdout, mut sink: Sink, process: &Process) {
    let mut lines = Lines::new();
    let mut chunk = vec![0; 64 * 1024];
    let failure = loop {
        match stdout.read(&mut chunk) {
            Ok(0) => {
                lines.finish(&mut sink);
                break process.exit_report("it closed its output");
            }
            Ok(length) => {
                lines.buffer().extend_from_slice(&chunk[..length]);
                match lines.deliver(&mut sink, length == chunk.len()) {
                    ControlFlow::Continue(()) => sink.flush(),
                    ControlFlow::Break(Some(failure)) => break failure,
                    ControlFlow::Break(None) => {
                        break process.exit_report("it sent an invalid message (strict mode)");
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break process.exit_report("failed to read its output").with_source(error),
        }
    };
    sink.flush();
    sink.close(failure);
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, time::Duration};

    use crossbeam_channel::{Sender as Heard, unbounded};

    use super::{
        super::{super::Receive, super::Shutdown, command, process::ProtocolChannel},
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

    #[test]
    fn what_is_sent_arrives_and_comes_back_until_the_input_ends() {
        let argv = ["cat"].map(Into::into);
        let command = command::resolve(Some(&argv), &[], None).unwrap();
        let (process, streams) = Process::spawn(&command, ProtocolChannel::Stdio).unwrap();
        let streams = streams.unwrap();
        let (teller, heard) = unbounded();
        let sink = Sink::new(Teller(teller), None);
        let (pipes, reader) = start(streams.stdin, streams.stdout, sink, Arc::clone(&process)).unwrap();
        pipes.send(b"one\ntwo\n".to_vec()).unwrap();
        for expected in ["one", "two"] {
            assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap().as_deref(), Some(expected));
        }
        pipes.end_input();
        pipes.stop_reading();
        assert!(pipes.send(b"late\n".to_vec()).is_err());
        assert_eq!(heard.recv_timeout(Duration::from_secs(10)).unwrap(), None);
        reader.join().unwrap();
        process.stop(Shutdown::Quick);
        process.join();
    }
}
