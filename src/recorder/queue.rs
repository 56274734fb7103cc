//! The queue between a connection and the thread that writes its record.
//!
//! Relies on `mask` and `panics`. Invariant: the lock is held for copying one message, never while something is masked or written;
//! the thread is woken at most once per pause, so that a busy connection pays no system call per message.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{Output, Slot, mask::Masker};
use crate::panics::{Panicked, caught};

/// The most bytes of messages in the queue.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// What a message costs besides its bytes, so that a flood of short ones is bounded too.
const ENTRY_COST: usize = 64;
/// The size of a block of the queue; a larger message has a block of its own.
const BLOCK: usize = 256 * 1024;
/// How long the thread pauses between two looks at the queue.
const PAUSE: Duration = Duration::from_millis(5);

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Out,
    In,
}

/// The recording of a connection.
pub(crate) struct Recording(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    slot: Arc<Slot>,
    /// The member `conn` of each line, if this is not the first connection.
    connection: String,
}

#[derive(Default)]
struct Queue {
    blocks: VecDeque<Block>,
    /// The cost of all messages in the blocks, and in those that are being written.
    bytes: usize,
    /// A used block, for the next messages.
    spare: Option<Block>,
    /// How many messages did not fit since the last one that did.
    dropped: u64,
    /// The thread waits for messages.
    is_idle: bool,
    is_closed: bool,
    /// The thread writes nothing any more.
    has_ended: bool,
    thread: Option<JoinHandle<()>>,
}

/// Messages, one behind the other.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// How many messages before it did not fit.
    dropped: u64,
}

struct Entry {
    /// Where the message ends; it begins where the one before ends.
    end: usize,
    direction: Direction,
    at: Instant,
}

impl Block {
    fn add(&mut self, direction: Direction, message: &[u8], at: Instant) {
        self.bytes.extend_from_slice(message);
        self.entries.push(Entry { end: self.bytes.len(), direction, at });
    }

    fn cost(&self) -> usize {
        self.bytes.len() + self.entries.len() * ENTRY_COST
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.dropped = 0;
    }
}

impl Recording {
    pub(super) fn start(output: Output, slot: Arc<Slot>, is_unmasked: bool) -> io::Result<Recording> {
        let connection = match slot.connections.fetch_add(1, Ordering::Relaxed) {
            0 => String::new(),
            before => format!(r#""conn":"{}","#, before + 1),
        };
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new(), slot, connection });
        let recording = Recording(shared);
        let writing = Arc::clone(&recording.0);
        let body = move || writing.run(output, Masker::new(is_unmasked));
        let thread = thread::Builder::new().name("codex-record".to_owned()).spawn(body)?;
        recording.0.queue.lock().thread = Some(thread);
        Ok(recording)
    }

    /// Queues a message that is sent, and wakes the thread if it waits. Never blocks.
    pub(crate) fn sent(&self, message: &[u8], at: Instant) {
        self.add(Direction::Out, message, at);
        self.wake();
    }

    /// Queues a message that was received. Called before anybody can learn of it, so that what is sent because of it
    /// comes behind it in the record. [`wake`](Self::wake) follows, once for many. Never blocks.
    pub(crate) fn received(&self, message: &[u8], at: Instant) {
        self.add(Direction::In, message, at);
    }

    fn add(&self, direction: Direction, message: &[u8], at: Instant) {
        let mut queue = self.0.queue.lock();
        if queue.is_closed || queue.has_ended {
            return;
        }
        let cost = message.len() + ENTRY_COST;
        if queue.bytes + cost > MOST_BYTES {
            queue.dropped += 1;
            return;
        }
        queue.bytes += cost;
        let dropped = std::mem::take(&mut queue.dropped);
        let has_room = |block: &Block| dropped == 0 && block.bytes.len() + message.len() <= BLOCK;
        if let Some(block) = queue.blocks.back_mut().filter(|block| has_room(block)) {
            return block.add(direction, message, at);
        }
        let mut block = queue.spare.take().unwrap_or_default();
        block.dropped = dropped;
        block.add(direction, message, at);
        queue.blocks.push_back(block);
    }

    /// Wakes the thread if it waits for messages and there are some.
    pub(crate) fn wake(&self) {
        let mut queue = self.0.queue.lock();
        if queue.is_idle && !queue.blocks.is_empty() {
            queue.is_idle = false;
            self.0.changed.notify_all();
        }
    }

    /// Accepts no more messages, and waits until those in the queue are written, or until `deadline`. Returns `false`
    /// if they are not.
    pub(crate) fn close(&self, deadline: Instant) -> bool {
        let mut queue = self.0.queue.lock();
        queue.is_closed = true;
        self.0.changed.notify_all();
        let Some(thread) = queue.thread.take() else { return true };
        // The writer may own the last client.
        if thread.thread().id() == thread::current().id() {
            return true;
        }
        while !queue.has_ended {
            if self.0.changed.wait_until(&mut queue, deadline).timed_out() {
                return queue.has_ended;
            }
        }
        drop(queue);
        // It only has to return.
        let _ = thread.join();
        true
    }
}

impl Shared {
    fn run(&self, output: Output, mut masker: Masker) {
        let mut output = Some(output);
        let written = caught(|| match &mut output {
            Some(output) => self.write(output, &mut masker),
            None => Ok(()),
        });
        let failure = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(Panicked) => Some("the writer panicked".to_owned()),
        };
        match failure {
            // The next connection can go on with it.
            None => *self.slot.output.lock() = output.take(),
            Some(why) => {
                let mut queue = self.queue.lock();
                queue.is_closed = true;
                queue.blocks.clear();
                drop(queue);
                log_alone(log::Level::Error, &format!("the connection is no longer recorded: {why}"));
            }
        }
        // The writer is user code, also when it is dropped.
        let _ = caught(|| drop(output));
        self.queue.lock().has_ended = true;
        self.changed.notify_all();
    }

    fn write(&self, output: &mut Output, masker: &mut Masker) -> io::Result<()> {
        let mut lines = Vec::new();
        let mut has_dropped = false;
        let mut queue = self.queue.lock();
        loop {
            if queue.blocks.is_empty() {
                if queue.is_closed {
                    break;
                }
                queue.is_idle = true;
                self.changed.wait(&mut queue);
                queue.is_idle = false;
                continue;
            }
            let blocks = std::mem::take(&mut queue.blocks);
            drop(queue);
            for mut block in blocks {
                has_dropped |= self.lines_of(&block, masker, &mut lines, has_dropped);
                output.write_all(&lines)?;
                lines.clear();
                if lines.capacity() > 4 * BLOCK {
                    lines = Vec::new();
                }
                let mut queue = self.queue.lock();
                queue.bytes -= block.cost();
                if block.bytes.capacity() <= 2 * BLOCK {
                    block.clear();
                    queue.spare = Some(block);
                }
            }
            output.flush()?;
            queue = self.queue.lock();
            if !queue.is_closed {
                self.changed.wait_for(&mut queue, PAUSE);
            }
        }
        let dropped = queue.dropped;
        drop(queue);
        if dropped > 0 {
            writeln!(output, r#"{{"dropped":{dropped}}}"#)?;
            output.flush()?;
        }
        Ok(())
    }

    /// The lines of these messages. Returns whether some before them are missing.
    fn lines_of(&self, block: &Block, masker: &mut Masker, lines: &mut Vec<u8>, had_dropped: bool) -> bool {
        if block.dropped > 0 {
            put(lines, format_args!("{{\"dropped\":{}}}\n", block.dropped));
            if !had_dropped {
                log_alone(log::Level::Warn, "the record lacks messages, because its file is too slow");
            }
        }
        let mut start = 0;
        for Entry { end, direction, at } in &block.entries {
            let direction = match direction {
                Direction::Out => br#""dir":"out","t":"#.as_slice(),
                Direction::In => br#""dir":"in","t":"#,
            };
            let time = at.saturating_duration_since(self.slot.created);
            lines.push(b'{');
            lines.extend_from_slice(self.connection.as_bytes());
            lines.extend_from_slice(direction);
            put_seconds(lines, time);
            lines.extend_from_slice(br#","msg":"#);
            let message = &block.bytes[start..*end];
            if !masker.copy(message, lines) {
                lines.truncate(lines.len() - r#""msg":"#.len());
                lines.extend_from_slice(br#""text":"#);
                masker.copy_text(message, lines);
            }
            lines.extend_from_slice(b"}\n");
            start = *end;
        }
        had_dropped || block.dropped > 0
    }
}

fn put(lines: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector does not fail.
    let _ = lines.write_fmt(text);
}

/// Appends the time in seconds, with six digits behind the point. By hand, because it is a third of the cost of a line
/// otherwise.
fn put_seconds(lines: &mut Vec<u8>, time: Duration) {
    put(lines, format_args!("{}", time.as_secs()));
    let mut digits = *b".000000";
    let mut rest = time.subsec_micros();
    for digit in digits[1..].iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    lines.extend_from_slice(&digits);
}

/// Logs on this thread. A logger that panics harms nothing.
fn log_alone(level: log::Level, message: &str) {
    let _ = caught(|| log::log!(target: "codex_blocking", level, "{message}"));
}
