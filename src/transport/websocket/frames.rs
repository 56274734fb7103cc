//! Reads and writes WebSocket frames (RFC 6455) on the client's side.
//!
//! Relies on tungstenite for the headers and on getrandom for the masks. Invariant: memory grows with the
//! bytes received, not with the length that a header declares. A large message is collected in its own
//! buffer, so that it is handed over without a copy and its memory is released.
//!
//! Messages are not assembled by tungstenite's own reader, for three reasons: it allocates the length
//! that a header declares, it ends the connection on text that isn't UTF-8 (which is one invalid
//! message), and it is a single object for both directions, while here many threads write and one reads.

use std::{
    borrow::Cow,
    io::{self, Cursor},
    ops::ControlFlow,
};

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// The maximum header length: 2 bytes, 8 of length, 4 of mask.
const MAX_HEADER_BYTES: usize = 14;
/// The maximum payload of a control frame.
const MAX_CONTROL_BYTES: u64 = 125;
/// The initial capacity reserved for an incomplete message.
const INITIAL_CAPACITY: usize = 64 * 1024;

/// A unit that the server sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReceivedFrame<'a> {
    /// A complete message. Text and binary are not distinguished; the JSON parser rejects invalid
    /// content.
    Message(Cow<'a, [u8]>),
    Ping(Vec<u8>),
    Pong,
    /// A close frame, with its code and reason if it has them.
    Close(Option<(u16, String)>),
}

/// A protocol violation by the server.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("a message of more than max_frame_bytes ({0} bytes)")]
    TooLong(usize),
    #[error("an invalid WebSocket frame: {0}")]
    Malformed(&'static str),
}

/// Assembles messages from a byte stream that may be split anywhere.
#[derive(Debug)]
pub(super) struct Decoder {
    max_message: Option<usize>,
    /// The incomplete header.
    header: Vec<u8>,
    /// The current frame.
    frame: Option<SocketFrame>,
    /// The payload received of the current control frame.
    control: Vec<u8>,
    /// The payload received of the current message.
    message: Vec<u8>,
    /// Whether the message continues in a later frame.
    is_fragmented: bool,
}

#[derive(Debug, Clone, Copy)]
struct SocketFrame {
    opcode: OpCode,
    is_final: bool,
    left: u64,
}

impl Decoder {
    pub(super) fn new(max_message: Option<usize>) -> Self {
        Decoder {
            max_message,
            header: Vec::with_capacity(MAX_HEADER_BYTES),
            frame: None,
            control: Vec::new(),
            message: Vec::new(),
            is_fragmented: false,
        }
    }

    /// Consumes the next bytes and passes everything they complete to `give`, until it returns `Break`.
    ///
    /// # Errors
    /// Returns a violation if the server sent an invalid frame; the stream can't be decoded any further.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        mut give: impl FnMut(ReceivedFrame<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Violation> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.take_header(&mut bytes)? {
                    Some(frame) => frame,
                    None => return Ok(ControlFlow::Continue(())),
                },
            };
            let here = usize::try_from(frame.left).map_or(bytes.len(), |left| left.min(bytes.len()));
            let (payload, rest) = bytes.split_at(here);
            bytes = rest;
            let left = frame.left - here as u64;
            let is_complete = left == 0;
            self.frame = (!is_complete).then_some(SocketFrame { left, ..frame });
            let given = match frame.opcode {
                OpCode::Control(kind) => {
                    self.control.extend_from_slice(payload);
                    is_complete.then(|| self.control(kind)).transpose()?
                }
                OpCode::Data(_) => self.data(frame, payload, is_complete),
            };
            if let Some(incoming) = given {
                if give(incoming).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if !is_complete {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// Returns `None` if the header is incomplete.
    fn take_header(&mut self, bytes: &mut &[u8]) -> Result<Option<SocketFrame>, Violation> {
        // A header that began in an earlier read continues after the buffered part.
        let buffered = self.header.len();
        let more = bytes.len().min(MAX_HEADER_BYTES - buffered);
        self.header.extend_from_slice(&bytes[..more]);
        let mut cursor = Cursor::new(&self.header);
        let parsed =
            FrameHeader::parse(&mut cursor).map_err(|_| Violation::Malformed("its kind is unknown"))?;
        let Some((header, length)) = parsed else {
            *bytes = &bytes[more..];
            return Ok(None);
        };
        let header_length = usize::try_from(cursor.position()).unwrap_or(buffered);
        *bytes = &bytes[header_length - buffered..];
        self.header.clear();
        let frame = self.begin(&header, length)?;
        self.frame = Some(frame);
        Ok(Some(frame))
    }

    /// Validates the header against the frames before it.
    fn begin(&self, header: &FrameHeader, left: u64) -> Result<SocketFrame, Violation> {
        let malformed = |why| Err(Violation::Malformed(why));
        let FrameHeader { opcode, is_final, .. } = *header;
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return malformed("an extension that was not agreed on");
        }
        if header.mask.is_some() {
            return malformed("it is masked");
        }
        if left > u64::MAX / 2 {
            return malformed("its length is negative");
        }
        match opcode {
            OpCode::Control(_) if !is_final => malformed("a fragmented control frame"),
            OpCode::Control(_) if left > MAX_CONTROL_BYTES => malformed("a control frame is too long"),
            OpCode::Control(_) => Ok(SocketFrame { opcode, is_final, left }),
            OpCode::Data(Data::Continue) if !self.is_fragmented => malformed("it continues nothing"),
            OpCode::Data(Data::Text | Data::Binary) if self.is_fragmented => {
                malformed("the previous message is incomplete")
            }
            OpCode::Data(_) => match self.max_message {
                Some(limit) if left > limit.saturating_sub(self.message.len()) as u64 => {
                    Err(Violation::TooLong(limit))
                }
                _ => Ok(SocketFrame { opcode, is_final, left }),
            },
        }
    }

    fn control(&mut self, kind: Control) -> Result<ReceivedFrame<'static>, Violation> {
        let payload = std::mem::take(&mut self.control);
        Ok(match (kind, payload.as_slice()) {
            (Control::Ping, _) => ReceivedFrame::Ping(payload),
            (Control::Pong, _) => ReceivedFrame::Pong,
            (_, []) => ReceivedFrame::Close(None),
            (_, [high, low, reason @ ..]) => {
                let code = u16::from_be_bytes([*high, *low]);
                ReceivedFrame::Close(Some((code, String::from_utf8_lossy(reason).into_owned())))
            }
            _ => return Err(Violation::Malformed("an incomplete close code")),
        })
    }

    fn data<'a>(
        &mut self,
        frame: SocketFrame,
        payload: &'a [u8],
        is_complete: bool,
    ) -> Option<ReceivedFrame<'a>> {
        let is_last = is_complete && frame.is_final;
        self.is_fragmented = !frame.is_final;
        if is_last && self.message.is_empty() {
            return Some(ReceivedFrame::Message(Cow::Borrowed(payload)));
        }
        let (length, free) = (self.message.len(), self.message.capacity() - self.message.len());
        if free < payload.len() {
            // Doubling keeps the cost of moving linear, but doesn't go past the end of the frame.
            let ahead = length.max(INITIAL_CAPACITY);
            let to_come = usize::try_from(frame.left).unwrap_or(usize::MAX);
            self.message.reserve_exact(ahead.min(to_come).max(payload.len()));
        }
        self.message.extend_from_slice(payload);
        is_last.then(|| ReceivedFrame::Message(Cow::Owned(std::mem::take(&mut self.message))))
    }
}

/// Encodes a message as frames with at most `longest` bytes of payload each.
pub(super) fn message(payload: &[u8], longest: usize) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let count = payload.len().div_ceil(longest).max(1);
    (0..count).map(move |number| {
        let start = number * longest;
        let part = &payload[start..payload.len().min(start + longest)];
        let kind = if number == 0 { Data::Text } else { Data::Continue };
        encode(OpCode::Data(kind), number + 1 == count, part)
    })
}

pub(super) fn ping() -> io::Result<Vec<u8>> {
    encode(OpCode::Control(Control::Ping), true, b"")
}

/// The response to a ping.
pub(super) fn pong(payload: &[u8]) -> io::Result<Vec<u8>> {
    encode(OpCode::Control(Control::Pong), true, payload)
}

pub(super) fn close(code: u16) -> io::Result<Vec<u8>> {
    encode(OpCode::Control(Control::Close), true, &code.to_be_bytes())
}

/// Encodes a masked frame, as clients must send it to protect proxies.
fn encode(opcode: OpCode, is_final: bool, payload: &[u8]) -> io::Result<Vec<u8>> {
    let mask = getrandom::u32().map_err(io::Error::other)?;
    let header = FrameHeader { is_final, opcode, mask: Some(mask.to_ne_bytes()), ..FrameHeader::default() };
    let mut frame = Vec::with_capacity(MAX_HEADER_BYTES + payload.len());
    header.format(payload.len() as u64, &mut frame).map_err(io::Error::other)?;
    let start = frame.len();
    frame.extend_from_slice(payload);
    // Mask eight bytes at a time.
    let mask = u64::from(mask) << 32 | u64::from(mask);
    let mut words = frame[start..].chunks_exact_mut(size_of_val(&mask));
    for word in &mut words {
        if let Ok(bytes) = <[u8; 8]>::try_from(&*word) {
            word.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ mask).to_ne_bytes());
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask.to_ne_bytes()) {
        *byte ^= mask;
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tungstenite::{
        Message,
        protocol::{Role, WebSocketContext},
    };

    use super::*;
    use crate::transport::cut;

    // The low bits of a frame's first byte.
    const CONTINUATION: u8 = 0x0;
    const TEXT: u8 = 0x1;
    const BINARY: u8 = 0x2;
    const CLOSE: u8 = 0x8;
    const PING: u8 = 0x9;
    const PONG: u8 = 0xa;

    /// A frame as a server writes it.
    fn from_server(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(length as u8),
            length @ 126..=0xffff => {
                frame.push(126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                frame.push(127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        frame
    }

    /// Everything that the pieces decode to, up to the first violation.
    fn decode(
        pieces: &[&[u8]],
        max_message: Option<usize>,
    ) -> (Vec<ReceivedFrame<'static>>, Option<Violation>) {
        let mut decoder = Decoder::new(max_message);
        let mut given = Vec::new();
        for piece in pieces {
            let taken = decoder.take(piece, |incoming| {
                given.push(match incoming {
                    ReceivedFrame::Message(message) => {
                        ReceivedFrame::Message(Cow::Owned(message.into_owned()))
                    }
                    ReceivedFrame::Ping(payload) => ReceivedFrame::Ping(payload),
                    ReceivedFrame::Pong => ReceivedFrame::Pong,
                    ReceivedFrame::Close(close) => ReceivedFrame::Close(close),
                });
                ControlFlow::Continue(())
            });
            if let Err(violation) = taken {
                return (given, Some(violation));
            }
        }
        (given, None)
    }

    fn text(message: &str) -> ReceivedFrame<'static> {
        ReceivedFrame::Message(Cow::Owned(message.as_bytes().to_vec()))
    }

    #[test]
    fn a_ping_between_fragments_does_not_disturb_the_message() {
        let stream = [
            from_server(TEXT, b"one "),
            from_server(0x80 | PING, b"here?"),
            from_server(CONTINUATION, b"two "),
            from_server(0x80 | CONTINUATION, b"three"),
        ]
        .concat();
        let expected = [ReceivedFrame::Ping(b"here?".to_vec()), text("one two three")];
        assert_eq!(decode(&[&stream], None), (expected.into(), None));
    }

    #[test]
    fn a_message_within_one_read_is_not_copied() {
        let stream = from_server(0x80 | TEXT, b"small");
        let mut decoder = Decoder::new(None);
        let taken = decoder.take(&stream, |incoming| {
            assert!(matches!(incoming, ReceivedFrame::Message(Cow::Borrowed(b"small"))));
            ControlFlow::Continue(())
        });
        assert!(taken.is_ok());
    }

    #[test]
    fn a_close_frame_gives_its_code_and_reason() {
        let stream = from_server(0x80 | CLOSE, b"\x03\xe9going away");
        assert_eq!(decode(&[&stream], None).0, [ReceivedFrame::Close(Some((1001, "going away".to_owned())))]);
        assert_eq!(decode(&[&from_server(0x80 | CLOSE, b"")], None).0, [ReceivedFrame::Close(None)]);
    }

    #[test]
    fn a_claimed_length_takes_no_memory() {
        let mut decoder = Decoder::new(None);
        let claims = [0x80 | TEXT, 127, 0x7f, 0, 0, 0, 0, 0, 0, 0, b'x'];
        assert!(decoder.take(&claims, |_| ControlFlow::Continue(())).is_ok());
        assert!(decoder.message.capacity() <= INITIAL_CAPACITY, "{}", decoder.message.capacity());
    }

    #[test]
    fn a_long_message_has_no_more_memory_than_it_needs() {
        let stream = from_server(0x80 | TEXT, &vec![b'x'; 1_000_000]);
        let mut decoder = Decoder::new(None);
        let mut capacity = 0;
        for piece in stream.chunks(10_000) {
            let taken = decoder.take(piece, |incoming| {
                let ReceivedFrame::Message(Cow::Owned(message)) = incoming else { panic!("not collected") };
                capacity = message.capacity();
                ControlFlow::Continue(())
            });
            assert!(taken.is_ok());
        }
        assert!((1_000_000..1_001_000).contains(&capacity), "{capacity}");
        assert_eq!(decoder.message.capacity(), 0);
    }

    #[test]
    fn a_message_over_the_limit_is_refused_by_its_header() {
        let one = from_server(0x80 | TEXT, b"12345678");
        assert_eq!(decode(&[&one], Some(8)).1, None);
        assert_eq!(decode(&[&one[..2]], Some(7)), (vec![], Some(Violation::TooLong(7))));
        let fragments = [from_server(TEXT, b"1234"), from_server(0x80 | CONTINUATION, b"5678")].concat();
        assert_eq!(decode(&[&fragments], Some(7)), (vec![], Some(Violation::TooLong(7))));
    }

    #[test]
    fn what_is_no_frame_of_a_server_is_refused() {
        for stream in [
            from_server(0x80 | 0x40 | TEXT, b"compressed"),
            from_server(0x83, b"unknown kind"),
            from_server(0x8b, b"unknown control"),
            from_server(0x80 | CONTINUATION, b"of nothing"),
            [from_server(TEXT, b"a"), from_server(0x80 | TEXT, b"b")].concat(),
            from_server(PING, b"fragment"),
            from_server(0x80 | PING, &[0; 126]),
            from_server(0x80 | CLOSE, b"\x03"),
            vec![0x80 | TEXT, 0x80, 0, 0, 0, 0],
            vec![0x80 | TEXT, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
            b"HTTP/1.1 400 Bad Request\r\n".to_vec(),
        ] {
            let (given, violation) = decode(&[&stream], None);
            assert!(matches!(violation, Some(Violation::Malformed(_))), "{stream:?} gave {given:?}");
        }
    }

    /// A byte stream for tests.
    struct Written<'a>(&'a [u8]);

    impl io::Read for Written<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl io::Write for Written<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn any_cut_of_the_stream_gives_the_same_messages(
            messages in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
                0..8,
            ),
            cuts in prop::collection::vec(1usize..100, 1..20),
        ) {
            let (mut stream, mut expected) = (Vec::new(), Vec::new());
            for fragments in &messages {
                for (number, fragment) in fragments.iter().enumerate() {
                    let opcode = if number == 0 { BINARY } else { CONTINUATION };
                    let last = if number + 1 == fragments.len() { 0x80 } else { 0 };
                    stream.extend(from_server(opcode | last, fragment));
                    stream.extend(from_server(0x80 | PONG, b""));
                    if last == 0 {
                        expected.push(ReceivedFrame::Pong);
                    }
                }
                expected.push(ReceivedFrame::Message(Cow::Owned(fragments.concat())));
                expected.push(ReceivedFrame::Pong);
            }
            prop_assert_eq!(decode(&cut(&stream, &cuts), None), (expected, None));
        }

        #[test]
        fn another_implementation_reads_what_is_written(
            text in prop_oneof!["[a-zé]{0,200}", "x{65530,65540}"],
            longest in 1usize..100_000,
        ) {
            let frames: io::Result<Vec<_>> = message(text.as_bytes(), longest.max(text.len() / 50)).collect();
            let frames = frames.unwrap().concat();
            let mut server = WebSocketContext::new(Role::Server, None);
            prop_assert_eq!(server.read(&mut Written(&frames)).unwrap(), Message::text(text));
        }
    }
}
