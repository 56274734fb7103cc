//! Drains the server's stderr, retains its last lines, and forwards every line to the program's logger and function.
//!
//! Relies on `waker` and `line_handler`. Invariant: the server never blocks on a full stderr pipe, whatever the
//! program does with the lines.

use std::{
    collections::VecDeque,
    io,
    process::ChildStderr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use super::{
    join,
    line_handler::{LineHandler, LineSender, OnStderr},
};
use crate::excerpt::boundary_before;

/// How many lines are retained for the error.
const TAIL_LINES: usize = 20;
/// The maximum length of a retained line, in bytes.
const TAIL_LINE_BYTES: usize = 2000;
/// A longer line is split into pieces of this many bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// How long the thread may take to stop; normally it stops almost immediately.
const STOP_LIMIT: Duration = Duration::from_millis(250);

/// The last lines of stderr.
#[derive(Debug, Default, Clone)]
pub(super) struct Tail {
    pub(super) lines: Vec<String>,
}

/// The retained lines, and the listener for new ones.
#[derive(Default)]
struct Retained {
    lines: VecDeque<String>,
    listener: Option<Sender<String>>,
    /// Whether the stream has ended.
    has_ended: bool,
}

/// The thread that drains stderr, and the lines it retains.
pub(super) struct Stderr {
    retained: Arc<Mutex<Retained>>,
    /// Disconnected once the stream has ended.
    drained: Receiver<()>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    stopper: Stopper,
    handlers: Vec<LineHandler>,
}

impl Stderr {
    pub(super) fn drain(stream: ChildStderr, on_stderr: Option<OnStderr>) -> io::Result<Stderr> {
        let log = |line: &str| log::log!(target: "codex_blocking::stderr", level_of(line), "{line}");
        let (logger, log_handler) = LineHandler::new("the logger", Arc::new(log));
        let (function, handler) = on_stderr.map(|function| LineHandler::new("`on_stderr`", function)).unzip();
        let mut consumers = Consumers { logger, function };
        let retained = Arc::<Mutex<Retained>>::default();
        let (alive, drained) = bounded(0);
        let (mut source, stopper) = Source::new(stream)?;
        let lines = Arc::clone(&retained);
        let thread = thread::Builder::new().name("codex-stderr".to_owned()).spawn(move || {
            let _alive: Sender<()> = alive;
            let mut line = Vec::new();
            let mut chunk = vec![0; 8 * 1024];
            while let Some(read) = source.read(&mut chunk) {
                for &byte in &chunk[..read] {
                    if byte == b'\n' || line.len() >= LINE_LIMIT {
                        let end = if byte == b'\n' { line.len() } else { end_of_letters(&line) };
                        record(&lines, &mut consumers, &line[..end]);
                        line.drain(..end);
                    }
                    if byte != b'\n' {
                        line.push(byte);
                    }
                }
            }
            record(&lines, &mut consumers, &line);
            let mut retained = lines.lock();
            retained.has_ended = true;
            retained.listener = None;
        })?;
        let handlers = [log_handler].into_iter().chain(handler).collect();
        Ok(Stderr { retained, drained, thread: Mutex::new(Some(thread)), stopper, handlers })
    }

    /// The last lines. Waits at most `limit` for the stream to end.
    pub(super) fn tail(&self, limit: Duration) -> Tail {
        let _ = self.drained.recv_timeout(limit);
        Tail { lines: self.retained.lock().lines.iter().cloned().collect() }
    }

    /// The retained lines, followed by each new one, until the receiver is dropped.
    #[cfg(feature = "websocket")]
    pub(super) fn lines(&self) -> Receiver<String> {
        let (tell, lines) = crossbeam_channel::unbounded();
        let mut retained = self.retained.lock();
        for line in &retained.lines {
            let _ = tell.send(line.clone());
        }
        if !retained.has_ended {
            retained.listener = Some(tell);
        }
        lines
    }

    /// Stops the thread even if a grandchild holds the stream open or writes to it, and waits for the logger and the
    /// function for a moment.
    pub(super) fn stop(&self) {
        if self.stopper.stop() && self.drained.recv_timeout(STOP_LIMIT) == Err(RecvTimeoutError::Disconnected)
        {
            join(self.thread.lock().take());
        }
        let deadline = Instant::now() + STOP_LIMIT;
        for handler in &self.handlers {
            handler.finish(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

/// The program's code that gets the lines.
struct Consumers {
    logger: LineSender,
    function: Option<LineSender>,
}

impl Consumers {
    fn send(&mut self, line: &str) {
        if let Some(function) = &mut self.function {
            function.send(line);
        }
        if level_of(line) <= log::max_level() {
            self.logger.send(line);
        }
    }
}

/// Where a piece can end: not within a letter whose other bytes are yet to come.
fn end_of_letters(line: &[u8]) -> usize {
    let last = line.iter().rev().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let start = line.len().saturating_sub(last + 1);
    match line.get(start) {
        Some(first) if *first >= 0xc0 && start > 0 => start,
        _ => line.len(),
    }
}

fn record(retained: &Mutex<Retained>, consumers: &mut Consumers, line: &[u8]) {
    let line = plain(&String::from_utf8_lossy(line));
    let line = line.trim_end();
    if line.is_empty() {
        return;
    }
    consumers.send(line);
    let mut retained = retained.lock();
    let line = line[..boundary_before(line, TAIL_LINE_BYTES)].to_owned();
    if retained.listener.as_ref().is_some_and(|listener| listener.send(line.clone()).is_err()) {
        retained.listener = None;
    }
    if retained.lines.len() == TAIL_LINES {
        retained.lines.pop_front();
    }
    retained.lines.push_back(line);
}

/// The log level that appears among the first words of the line.
fn level_of(line: &str) -> log::Level {
    let named = line.split_whitespace().take(4).find_map(|word| {
        let word = word.trim_matches(|letter: char| !letter.is_ascii_alphabetic());
        ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&word).then(|| word.parse().ok()).flatten()
    });
    named.unwrap_or(log::Level::Info)
}

/// Removes terminal colours, which the server writes even to a pipe.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.push(letter);
        } else if letters.next() == Some('[') {
            // An escape sequence ends with its first letter.
            for letter in letters.by_ref() {
                if letter.is_ascii_alphabetic() {
                    break;
                }
            }
        }
    }
    plain
}

#[cfg(unix)]
use self::waking::{Source, Stopper};

/// On Unix the read waits for the stream or for a stop request.
#[cfg(unix)]
mod waking {
    use std::{
        io,
        process::ChildStderr,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use rustix::{
        event::{PollFd, PollFlags},
        io::{Errno, ioctl_fionbio, read},
    };

    use super::super::waker::{WakeSignals, Waker, poll, waker};

    /// How many bytes are still read after a stop request: the capacity of a pipe. Anything beyond that
    /// isn't written by the server.
    const DRAIN_BYTES: usize = 64 * 1024;

    pub(super) struct Source {
        stream: ChildStderr,
        wakeups: WakeSignals,
        must_stop: Arc<AtomicBool>,
        /// How many more bytes are read, once a stop has been requested.
        remaining: Option<usize>,
    }

    pub(super) struct Stopper {
        must_stop: Arc<AtomicBool>,
        waker: Waker,
    }

    impl Source {
        pub(super) fn new(stream: ChildStderr) -> io::Result<(Source, Stopper)> {
            ioctl_fionbio(&stream, true)?;
            let (waker, wakeups) = waker()?;
            let must_stop = Arc::new(AtomicBool::new(false));
            let stopper = Stopper { must_stop: Arc::clone(&must_stop), waker };
            Ok((Source { stream, wakeups, must_stop, remaining: None }, stopper))
        }

        /// Returns `None` at the end of the stream, or after a stop request once the rest has been read.
        pub(super) fn read(&mut self, chunk: &mut [u8]) -> Option<usize> {
            loop {
                if self.remaining.is_none() && self.must_stop.load(Ordering::Acquire) {
                    self.remaining = Some(DRAIN_BYTES);
                }
                let most = self.remaining.map_or(chunk.len(), |remaining| remaining.min(chunk.len()));
                // With a remainder of 0 this reads nothing, which also ends the stream.
                match read(&self.stream, &mut chunk[..most]) {
                    Ok(0) => return None,
                    Ok(length) => {
                        self.remaining = self.remaining.map(|remaining| remaining - length);
                        return Some(length);
                    }
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) if self.remaining.is_some() => return None,
                    Err(Errno::AGAIN) => {
                        let mut waited = [
                            PollFd::new(&self.stream, PollFlags::IN),
                            PollFd::new(&self.wakeups, PollFlags::IN),
                        ];
                        poll(&mut waited).ok()?;
                        // Also taken when the stopper is dropped without a request.
                        if !waited[1].revents().is_empty() {
                            self.remaining = Some(DRAIN_BYTES);
                        }
                    }
                    Err(_) => return None,
                }
            }
        }
    }

    impl Stopper {
        /// Requests the stop. Returns whether the thread can be joined now.
        pub(super) fn stop(&self) -> bool {
            self.must_stop.store(true, Ordering::Release);
            self.waker.wake();
            true
        }
    }
}

#[cfg(not(unix))]
use self::blocking::{Source, Stopper};

/// On other platforms the read can't be interrupted: the thread ends with the stream.
#[cfg(not(unix))]
mod blocking {
    use std::{
        io::{self, Read},
        process::ChildStderr,
    };

    pub(super) struct Source(ChildStderr);

    pub(super) struct Stopper;

    impl Source {
        pub(super) fn new(stream: ChildStderr) -> io::Result<(Source, Stopper)> {
            Ok((Source(stream), Stopper))
        }

        pub(super) fn read(&mut self, chunk: &mut [u8]) -> Option<usize> {
            self.0.read(chunk).ok().filter(|length| *length > 0)
        }
    }

    impl Stopper {
        pub(super) fn stop(&self) -> bool {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("\u{1b}[2m10:00\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m no"), "10:00 ERROR no");
    }

    #[test]
    fn the_level_is_the_one_that_the_line_names() {
        assert_eq!(level_of("2026-01-01T00:00:00Z ERROR codex: x"), log::Level::Error);
        assert_eq!(level_of("[WARN] x"), log::Level::Warn);
        assert_eq!(level_of("no error here"), log::Level::Info);
    }

    #[test]
    fn only_the_last_lines_are_kept_and_long_ones_are_cut() {
        let retained = Mutex::default();
        let (logger, _handler) = LineHandler::new("it", Arc::new(|_: &str| {}));
        let mut consumers = Consumers { logger, function: None };
        for number in 0..100 {
            record(&retained, &mut consumers, format!("line {number}").as_bytes());
        }
        record(&retained, &mut consumers, "é".repeat(5000).as_bytes());
        let retained = retained.into_inner().lines;
        assert_eq!((retained.len(), retained[0].as_str()), (TAIL_LINES, "line 81"));
        assert!(retained[TAIL_LINES - 1].len() <= TAIL_LINE_BYTES);
    }
}
