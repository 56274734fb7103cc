//! The flooding server as a listener: WebSocket on loopback or over a Unix socket, for one client.
//!
//! Relies on `flood`, and on tungstenite for reading. Invariant: as over the pipe, output is written in
//! large blocks; each line becomes a frame by prefixing a header, without further processing.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpListener;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Message, WebSocket};

use crate::flood;

/// The text before the address on stderr, as printed by the real server.
pub(crate) const BANNER: &str = "listening on: ";

/// Serves the first client of `--listen ws://127.0.0.1:0` or `--listen unix://PATH` until it disconnects;
/// without `--listen`, runs the server of `flood`.
pub(crate) fn serve(args: &[String]) -> io::Result<()> {
    let at = args.iter().position(|arg| arg == "--listen");
    let Some(url) = at.and_then(|at| args.get(at + 1)) else {
        return flood::serve(args);
    };
    #[cfg(unix)]
    if let Some(path) = url.strip_prefix("unix://") {
        let listener = std::os::unix::net::UnixListener::bind(path)?;
        eprintln!("{BANNER}{url}");
        let (stream, _) = listener.accept()?;
        std::fs::remove_file(path)?;
        return serve_over(stream.try_clone()?, stream);
    }
    let address = url.strip_prefix("ws://").ok_or(io::ErrorKind::InvalidInput)?;
    let listener = TcpListener::bind(address)?;
    eprintln!("{BANNER}ws://{}", listener.local_addr()?);
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    serve_over(stream.try_clone()?, stream)
}

fn serve_over<S: Read + Write>(read: S, write: S) -> io::Result<()> {
    let socket = tungstenite::accept(read).map_err(|error| io::Error::other(error.to_string()))?;
    let input = Messages { socket, line: Vec::new(), taken: 0 };
    flood::serve_over(input, Frames { stream: write, ready: Vec::new(), begun: Vec::new() })
}

/// The client's messages, as lines.
struct Messages<S> {
    socket: WebSocket<S>,
    line: Vec<u8>,
    /// How much of the current message has been read.
    taken: usize,
}

impl<S: Read + Write> BufRead for Messages<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.line.len() {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    self.line = text.as_bytes().to_vec();
                    self.line.push(b'\n');
                    self.taken = 0;
                }
                Ok(Message::Close(_)) | Err(_) => return Ok(&[]),
                Ok(_) => {}
            }
        }
        Ok(&self.line[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

impl<S: Read + Write> Read for Messages<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

/// Writes a frame for each line.
struct Frames<S> {
    stream: S,
    ready: Vec<u8>,
    /// The incomplete last line.
    begun: Vec<u8>,
}

impl<S: Write> Write for Frames<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, more) = (&rest[..end], &rest[end + 1..]);
            let length = (self.begun.len() + line.len()) as u64;
            text.format(length, &mut self.ready).map_err(io::Error::other)?;
            if !self.begun.is_empty() {
                self.stream.write_all(&self.ready)?;
                self.stream.write_all(&self.begun)?;
                self.ready.clear();
                self.begun.clear();
            }
            self.ready.extend_from_slice(line);
            rest = more;
        }
        self.begun.extend_from_slice(rest);
        self.stream.write_all(&self.ready)?;
        self.ready.clear();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
