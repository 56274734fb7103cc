//! The subset of HTTP/1.1 that the stub needs: one request per connection, read completely, and a
//! response.
//!
//! Relies on std and serde_json. Invariant: the size of a request is bounded before it is stored.

use std::io::{self, BufRead, Read, Write};

use serde_json::Value;

/// Exceeds Codex's longest header (its turn metadata) by a wide margin.
const MAX_HEAD: u64 = 256 * 1024;
/// Large enough for long histories with images, but bounded.
const MAX_BODY: u64 = 256 * 1024 * 1024;

/// A complete request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    /// Excludes the query.
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

/// Why a request can't be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The connection is unusable.
    Broken(io::Error),
    /// The request is rejected with a response.
    Refused { status: u16, why: &'static str },
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Unreadable::Broken(error)
    }
}

const fn bad_request(why: &'static str) -> Unreadable {
    Unreadable::Refused { status: 400, why }
}

/// How the length of a body is determined.
enum Framing {
    Length(u64),
    Chunked,
}

/// Reads one request; `100 Continue` is written to `interim` if the client expects it.
pub(super) fn read_request(
    mut reader: impl BufRead,
    mut interim: impl Write,
) -> Result<HttpRequest, Unreadable> {
    let mut head = reader.by_ref().take(MAX_HEAD);
    let request_line = read_line(&mut head)?;
    let mut words = request_line.split_ascii_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(bad_request("no request line"));
    };
    let mut framing = Framing::Length(0);
    let mut expects_continue = false;
    loop {
        let line = read_line(&mut head)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(bad_request("a header without a colon"));
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            // A chunked body ignores Content-Length (RFC 9112, 6.3), in whichever order the two headers
            // appear.
            if let Framing::Length(length) = &mut framing {
                *length = value.parse().map_err(|_| bad_request("bad Content-Length"))?;
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(Unreadable::Refused { status: 501, why: "only chunked is supported" });
            }
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("content-encoding") && !value.eq_ignore_ascii_case("identity") {
            return Err(Unreadable::Refused { status: 415, why: "compressed bodies are not supported" });
        } else if name.eq_ignore_ascii_case("expect") {
            expects_continue = value.eq_ignore_ascii_case("100-continue");
        }
    }
    if expects_continue {
        interim.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        interim.flush()?;
    }
    let mut body = Vec::new();
    match framing {
        Framing::Length(length) => read_exactly(&mut reader, length, &mut body)?,
        Framing::Chunked => read_chunks(&mut reader, &mut body)?,
    }
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    Ok(HttpRequest { method: method.to_owned(), path: path.to_owned(), body })
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Result<(), Unreadable> {
    loop {
        let line = read_line(&mut reader.by_ref().take(MAX_HEAD))?;
        let size = line.split_once(';').map_or(line.as_str(), |(size, _)| size);
        let size = u64::from_str_radix(size.trim(), 16).map_err(|_| bad_request("bad chunk size"))?;
        if size == 0 {
            let mut trailers = reader.by_ref().take(MAX_HEAD);
            while !read_line(&mut trailers)?.is_empty() {}
            return Ok(());
        }
        read_exactly(reader, size, body)?;
        if !read_line(&mut reader.by_ref().take(2))?.is_empty() {
            return Err(bad_request("a chunk exceeds its size"));
        }
    }
}

/// Appends `length` bytes to `body`.
fn read_exactly(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> Result<(), Unreadable> {
    if length > MAX_BODY.saturating_sub(body.len() as u64) {
        return Err(Unreadable::Refused { status: 413, why: "the body is too long" });
    }
    if reader.take(length).read_to_end(body)? as u64 != length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(())
}

/// Reads a line without its terminator. A line that exceeds the reader's limit is an error.
fn read_line(reader: &mut io::Take<impl BufRead>) -> Result<String, Unreadable> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(if reader.limit() == 0 {
            bad_request("a line is too long")
        } else {
            io::Error::from(io::ErrorKind::UnexpectedEof).into()
        });
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Writes a complete JSON response.
pub(super) fn write_json(mut out: impl Write, status: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    let reason = if status < 400 { "OK" } else { "Error" };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    out.write_all((head + &body).as_bytes())?;
    out.flush()
}

/// Writes the head of an event stream, which ends with the connection.
pub(super) fn write_stream_head(mut out: impl Write) -> io::Result<()> {
    out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<HttpRequest, Unreadable> {
        read_request(text.as_bytes(), io::sink())
    }

    fn refused_with(text: &str) -> u16 {
        match read(text) {
            Err(Unreadable::Refused { status, .. }) => status,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_query_is_no_part_of_the_path() {
        let request = read("GET /v1/models?client_version=1 HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v1/models"));
        assert!(request.body.is_empty());
    }

    #[test]
    fn a_body_ends_at_its_length() {
        let request = read("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcdef").unwrap();
        assert_eq!(request.body, b"abc");
    }

    #[test]
    fn chunks_are_joined_and_extensions_and_trailers_dropped() {
        let body = "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: u\r\n\r\n";
        let text = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(read(&text).unwrap().body, b"abc0123456789");
    }

    #[test]
    fn a_chunked_body_has_no_other_length() {
        for head in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
        ] {
            let text = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
            assert_eq!(read(&text).unwrap().body, b"abc");
        }
    }

    #[test]
    fn a_client_that_waits_is_told_to_continue() {
        let text = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}";
        let mut interim = Vec::new();
        let request = read_request(text.as_bytes(), &mut interim).unwrap();
        assert_eq!(request.body, b"{}");
        assert_eq!(interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_own_status() {
        assert_eq!(refused_with("POST / HTTP/1.1\r\nContent-Encoding: zstd\r\n\r\n"), 415);
        assert_eq!(refused_with("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
        assert_eq!(refused_with("POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n"), 413);
        assert_eq!(refused_with("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n"), 400);
        assert_eq!(refused_with(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(300_000))), 400);
    }

    #[test]
    fn a_request_that_stops_in_the_middle_is_broken() {
        for text in ["", "POST / HT", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"] {
            assert!(matches!(read(text), Err(Unreadable::Broken(_))), "{text:?}");
        }
    }
}
