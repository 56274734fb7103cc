//! Splits a byte stream into lines, in time linear in the number of bytes, regardless of line length.
//!
//! Relies on memchr. Invariant: no byte is searched twice, and the memory used for a long line is
//! released after it.

use std::{borrow::Cow, ops::ControlFlow};

use super::Sink;
use crate::error::TransportFailure;

/// The initial buffer space. One read takes at most the free part of it.
const SMALL: usize = 64 * 1024;
/// The maximum buffer space. It grows while reads fill it, so that a flood is read in large chunks.
const BUSY: usize = 256 * 1024;
/// Lines of at least this many bytes are handed over with their buffer instead of being copied.
const LARGE: usize = 1024 * 1024;

/// The buffer for the incomplete last line.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// How many bytes of the buffer are known to contain no line break.
    searched: usize,
    space: usize,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Lines { buffer: Vec::new(), searched: 0, space: SMALL }
    }

    /// The buffer to append to, with spare capacity.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        // Each step grows with a long line, which keeps the cost of moving it linear.
        let wanted =
            if self.buffer.len() >= self.space { self.buffer.len() } else { self.space - self.buffer.len() };
        self.buffer.reserve(wanted.max(SMALL / 2));
        &mut self.buffer
    }

    /// Hands every complete line to the sink. `filled`: the last read used all the space it was given.
    ///
    /// # Errors
    /// Breaks with a failure if the current line exceeds the sink's limit.
    pub(crate) fn deliver(&mut self, sink: &mut Sink, filled: bool) -> ControlFlow<Option<TransportFailure>> {
        let mut start = 0;
        while let Some(found) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
            let end = self.searched + found;
            self.check_length(end - start, sink)?;
            self.searched = end + 1;
            if start == 0 && end >= LARGE {
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.truncate(trimmed(&line[..end]).len());
                self.searched = 0;
                if let Some(line) = owned_line(line) {
                    sink.frame(line).map_break(|()| None)?;
                }
                continue;
            }
            let line = trimmed(&self.buffer[start..end]);
            if !line.is_empty() {
                sink.frame(Cow::Borrowed(line)).map_break(|()| None)?;
            }
            start = end + 1;
        }
        self.buffer.drain(..start);
        self.searched = self.buffer.len();
        self.check_length(self.buffer.len(), sink)?;
        self.space = match filled {
            true => (self.space * 2).min(BUSY),
            false => SMALL.max(self.space / 2),
        };
        if self.buffer.capacity() > 2 * BUSY && self.buffer.len() < SMALL {
            self.buffer.shrink_to(self.space);
        }
        ControlFlow::Continue(())
    }

    /// Hands over what is left when the stream ends: an incomplete line, which is no valid message but
    /// may be useful in a diagnostic.
    pub(crate) fn finish(self, sink: &mut Sink) {
        let rest = trimmed(&self.buffer);
        if !rest.is_empty() {
            let _ = sink.frame(Cow::Borrowed(rest));
        }
    }

    fn check_length(&self, length: usize, sink: &Sink) -> ControlFlow<Option<TransportFailure>> {
        match sink.max_frame_bytes() {
            Some(limit) if length > limit => ControlFlow::Break(Some(TransportFailure::new(format!(
                "the server sent a message of more than max_frame_bytes ({limit} bytes)"
            )))),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Strips white space (CRLF, indentation) from both ends of a line.
fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// Strips leading white space from a large line. This is rare, so moving the bytes is acceptable.
fn owned_line(mut line: Vec<u8>) -> Option<Vec<u8>> {
    let blank = line.len() - line.trim_ascii_start().len();
    line.drain(..blank);
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;
    use crate::transport::{Receive, cut};

    #[derive(Clone, Default)]
    struct Collected(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Receive for Collected {
        fn frame(&mut self, frame: Cow<'_, [u8]>) -> ControlFlow<()> {
            self.0.lock().unwrap().push(frame.into_owned());
            ControlFlow::Continue(())
        }

        fn flush(&mut self) {}

        fn closed(&mut self, _: TransportFailure) {}
    }

    fn split(pieces: &[&[u8]], max: Option<usize>) -> (Vec<Vec<u8>>, Option<TransportFailure>) {
        let collected = Collected::default();
        let mut sink = Sink::new(collected.clone(), max);
        let mut lines = Lines::new();
        for piece in pieces {
            lines.buffer().extend_from_slice(piece);
            if let ControlFlow::Break(failure) = lines.deliver(&mut sink, false) {
                return (collected.0.lock().unwrap().clone(), failure);
            }
        }
        lines.finish(&mut sink);
        (collected.0.lock().unwrap().clone(), None)
    }

    #[test]
    fn crlf_blank_lines_and_half_a_line_at_the_end_are_understood() {
        let (frames, _) = split(&[b"  a\r\n\n \r\nb\nc"], None);
        assert_eq!(frames, [b"a", b"b", b"c"]);
    }

    #[test]
    fn a_large_line_gives_its_memory_back() {
        let mut sink = Sink::new(Collected::default(), None);
        let mut lines = Lines::new();
        for _ in 0..40 {
            lines.buffer().extend_from_slice(&[b'x'; 100_000]);
            assert!(lines.deliver(&mut sink, true).is_continue());
        }
        lines.buffer().extend_from_slice(b"\nrest");
        assert!(lines.deliver(&mut sink, false).is_continue());
        assert!(lines.buffer.capacity() <= 2 * BUSY, "{}", lines.buffer.capacity());
        assert_eq!(lines.buffer, b"rest");
    }

    #[test]
    fn a_line_over_the_limit_ends_the_stream_even_before_it_is_complete() {
        let (frames, failure) = split(&[b"ok\n", b"0123", b"456789"], Some(8));
        assert_eq!(frames, [b"ok"]);
        assert!(failure.unwrap().to_string().contains("max_frame_bytes (8 bytes)"));
    }

    proptest! {
        #[test]
        fn any_cut_of_the_stream_gives_the_same_lines(
            lines in prop::collection::vec(prop::collection::vec(b'a'..=b'z', 1..40), 0..20),
            cuts in prop::collection::vec(1usize..30, 1..20),
        ) {
            let mut stream = Vec::new();
            for line in &lines {
                stream.extend_from_slice(line);
                stream.push(b'\n');
            }
            prop_assert_eq!(split(&cut(&stream, &cuts), None).0, lines);
        }
    }
}
