//! Cuts a stream of bytes into lines, in time linear in the bytes, however long a line is.
//!
//! Relies on memchr. Invariant: no byte is searched twice, and after a long line the memory it
//! took is given back.

use std::{borrow::Cow, ops::ControlFlow};

use super::Sink;
use crate::error::TransportFailure;

/// Space that is kept ready. One read takes at most what is free of it.
const SMALL: usize = 64 * 1024;
/// How far the space grows while whole reads fill it: a server that floods is read in big pieces.
const BUSY: usize = 256 * 1024;
/// From this size on a line is handed over with its buffer instead of being copied out of it.
const LARGE: usize = 1024 * 1024;

/// The bytes of the line that has begun and is not complete.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no line break.
    searched: usize,
    space: usize,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Lines { buffer: Vec::new(), searched: 0, space: SMALL }
    }

    /// The buffer to append to, with free space: read into what lies past its length.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        // While a long line grows, so does each step: the cost of moving it stays linear.
        let wanted =
            if self.buffer.len() >= self.space { self.buffer.len() } else { self.space - self.buffer.len() };
        self.buffer.reserve(wanted.max(SMALL / 2));
        &mut self.buffer
    }

    /// Hands every complete line to the sink. `filled`: the last read took all the space it had.
    ///
    /// # Errors
    /// The line that has begun is longer than the sink wants.
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

    /// What is left when the stream ends: half a line, which can be no message any more, yet may
    /// say something to a person.
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

/// A line without the white space around it (CRLF, indentation).
fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// White space at the start of a large line is rare, and then worth the move.
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
