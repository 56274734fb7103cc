//! What the server says on stderr: read for ever, its end kept, its lines forwarded to `log`.
//!
//! Relies on nothing of the crate but `waker`. Invariant: a server can never block on a full
//! stderr pipe, and no logger runs on the thread that reads messages.

use std::{collections::VecDeque, io, process::ChildStderr, sync::Arc, thread, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use super::join;

/// How many lines are kept for the error.
const KEPT_LINES: usize = 20;
/// How much of a line is kept.
const KEPT_BYTES: usize = 2000;
/// A line longer than this is taken in pieces.
const LINE_LIMIT: usize = 64 * 1024;

/// How long the thread may take to end once it is asked to; the rest of the way takes a moment.
const STOP_LIMIT: Duration = Duration::from_millis(250);

/// The last lines of stderr.
#[derive(Debug, Default, Clone)]
pub(super) struct Tail {
    pub(super) lines: Vec<String>,
}

/// The last lines, and who is told of each one that comes.
#[derive(Default)]
struct Kept {
    lines: VecDeque<String>,
    listener: Option<Sender<String>>,
    /// No line comes any more.
    has_ended: bool,
}

/// The thread that drains stderr, and what it kept.
pub(super) struct Stderr {
    kept: Arc<Mutex<Kept>>,
    /// Disconnected when the stream has ended.
    drained: Receiver<()>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    stopper: Stopper,
}

impl Stderr {
    pub(super) fn drain(stream: ChildStderr) -> io::Result<Stderr> {
        let kept = Arc::<Mutex<Kept>>::default();
        let (alive, drained) = bounded(0);
        let (mut source, stopper) = Source::new(stream)?;
        let lines = Arc::clone(&kept);
        let thread = thread::Builder::new().name("codex-stderr".to_owned()).spawn(move || {
            let _alive: Sender<()> = alive;
            let mut line = Vec::new();
            let mut chunk = vec![0; 8 * 1024];
            while let Some(read) = source.read(&mut chunk) {
                for &byte in &chunk[..read] {
                    if byte == b'\n' || line.len() >= LINE_LIMIT {
                        keep(&lines, &line);
                        line.clear();
                    }
                    if byte != b'\n' {
                        line.push(byte);
                    }
                }
            }
            keep(&lines, &line);
            let mut kept = lines.lock();
            kept.has_ended = true;
            kept.listener = None;
        })?;
        Ok(Stderr { kept, drained, thread: Mutex::new(Some(thread)), stopper })
    }

    /// The last lines; waits so long for the end of the stream.
    pub(super) fn tail(&self, patience: Duration) -> Tail {
        let _ = self.drained.recv_timeout(patience);
        Tail { lines: self.kept.lock().lines.iter().cloned().collect() }
    }

    /// The lines that are kept, then each one that comes, until the receiver is dropped.
    #[cfg(feature = "websocket")]
    pub(super) fn lines(&self) -> Receiver<String> {
        let (tell, lines) = crossbeam_channel::unbounded();
        let mut kept = self.kept.lock();
        for line in &kept.lines {
            let _ = tell.send(line.clone());
        }
        if !kept.has_ended {
            kept.listener = Some(tell);
        }
        lines
    }

    /// Ends the thread, though a grandchild may still hold the stream, or even go on writing. One
    /// that is held up by the program's logger is left to end by itself.
    pub(super) fn stop(&self) {
        if self.stopper.stop() && self.drained.recv_timeout(STOP_LIMIT) == Err(RecvTimeoutError::Disconnected)
        {
            join(self.thread.lock().take());
        }
    }
}

fn keep(kept: &Mutex<Kept>, line: &[u8]) {
    let line = plain(&String::from_utf8_lossy(line));
    let line = line.trim_end();
    if line.is_empty() {
        return;
    }
    log::log!(target: "codex_blocking::stderr", level_of(line), "{line}");
    let mut end = line.len().min(KEPT_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let mut kept = kept.lock();
    let line = line[..end].to_owned();
    if kept.listener.as_ref().is_some_and(|listener| listener.send(line.clone()).is_err()) {
        kept.listener = None;
    }
    if kept.lines.len() == KEPT_LINES {
        kept.lines.pop_front();
    }
    kept.lines.push_back(line);
}

/// The level that the line names in its first words.
fn level_of(line: &str) -> log::Level {
    let named = line.split_whitespace().take(4).find_map(|word| {
        let word = word.trim_matches(|letter: char| !letter.is_ascii_alphabetic());
        ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&word).then(|| word.parse().ok()).flatten()
    });
    named.unwrap_or(log::Level::Info)
}

/// The text without terminal colours: the server writes them even into a pipe.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.push(letter);
        } else if letters.next() == Some('[') {
            // A sequence ends with its first letter.
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

/// On Unix the read waits for the stream or for the stopper.
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

    use super::super::waker::{Waker, Wakeups, poll, waker};

    /// How much is still read after the stopper asked: what a pipe holds. Whoever goes on writing
    /// then is not the server.
    const LEFT_OVER: usize = 64 * 1024;

    pub(super) struct Source {
        stream: ChildStderr,
        wakeups: Wakeups,
        must_stop: Arc<AtomicBool>,
        /// How much more is read, once the stopper asked.
        left: Option<usize>,
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
            Ok((Source { stream, wakeups, must_stop, left: None }, stopper))
        }

        /// `None`: the stream has ended, or the stopper asked and what was left has been read.
        pub(super) fn read(&mut self, chunk: &mut [u8]) -> Option<usize> {
            loop {
                if self.left.is_none() && self.must_stop.load(Ordering::Acquire) {
                    self.left = Some(LEFT_OVER);
                }
                let most = self.left.map_or(chunk.len(), |left| left.min(chunk.len()));
                // With nothing left to read this reads nothing, which is the end, too.
                match read(&self.stream, &mut chunk[..most]) {
                    Ok(0) => return None,
                    Ok(length) => {
                        self.left = self.left.map(|left| left - length);
                        return Some(length);
                    }
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) if self.left.is_some() => return None,
                    Err(Errno::AGAIN) => {
                        let mut waited = [
                            PollFd::new(&self.stream, PollFlags::IN),
                            PollFd::new(&self.wakeups, PollFlags::IN),
                        ];
                        poll(&mut waited).ok()?;
                        // Also when the stopper is gone without having asked.
                        if !waited[1].revents().is_empty() {
                            self.left = Some(LEFT_OVER);
                        }
                    }
                    Err(_) => return None,
                }
            }
        }
    }

    impl Stopper {
        /// Whether the thread can be joined now.
        pub(super) fn stop(&self) -> bool {
            self.must_stop.store(true, Ordering::Release);
            self.waker.wake();
            true
        }
    }
}

#[cfg(not(unix))]
use self::blocking::{Source, Stopper};

/// Elsewhere the read can't be interrupted: the thread ends when the stream does.
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
        let kept = Mutex::default();
        for number in 0..100 {
            keep(&kept, format!("line {number}").as_bytes());
        }
        keep(&kept, "é".repeat(5000).as_bytes());
        let kept = kept.into_inner().lines;
        assert_eq!((kept.len(), kept[0].as_str()), (KEPT_LINES, "line 81"));
        assert!(kept[KEPT_LINES - 1].len() <= KEPT_BYTES);
    }
}
