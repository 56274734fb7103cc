//! Shared code of the benchmarks: this binary run as the flooding server, and the limit, a client that
//! only does what every client must do.
//!
//! The limit decodes `id` and `method` of each message as borrowed strings and skips the rest; it has no
//! threads, no routing and no buffers. Over stdio it splits lines and reads through a pipe of the same
//! size as that of `Stdio`, so that the difference is the work of this crate.

// Each benchmark uses a part of it.
#![allow(dead_code)]

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio as Pipe};

use codex_blocking::{Client, ClientBuilder, Stdio, Transport};
use criterion::Criterion;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The first argument that makes a benchmark run as the server.
pub(crate) const SERVER: &str = "flood-server";

pub(crate) const DELTA: &str = "item/agentMessage/delta";

/// A transport to the flooding server. Each call starts a new server.
pub(crate) struct Over {
    /// The name of its benchmark groups.
    pub(crate) name: &'static str,
    pub(crate) client: fn() -> Client,
    pub(crate) limit: fn() -> Limit,
}

pub(crate) const STDIO: Over = Over {
    name: "stdio",
    client: || connect(Stdio::command([this_binary().as_str(), SERVER])),
    limit: || Limit::open(Lines::open()),
};

/// Runs the benchmarks, or the server if this process was started as one.
pub(crate) fn main(serve: impl FnOnce(&[String]) -> io::Result<()>, benches: impl FnOnce(&mut Criterion)) {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == SERVER) {
        serve(&args).expect("the client reads");
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

/// A size, reduced in test runs (`cargo test -p benches --benches`).
pub(crate) fn sized(full: usize) -> usize {
    if is_measured() { full } else { full.div_ceil(50) }
}

pub(crate) fn is_measured() -> bool {
    env::args().any(|arg| arg == "--bench") && !env::args().any(|arg| arg == "--test")
}

pub(crate) fn this_binary() -> String {
    env::current_exe().expect("a path").into_os_string().into_string().expect("a path in UTF-8")
}

pub(crate) fn connect(transport: impl Transport) -> Client {
    connect_with(Client::builder(), transport)
}

pub(crate) fn connect_with(builder: ClientBuilder, transport: impl Transport) -> Client {
    let client = builder.connect(transport).expect("the server starts");
    client.initialize().expect("an answer");
    client
}

/// A server that is stopped when dropped.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: Option<&'a str>,
}

/// How the limit exchanges messages.
pub(crate) trait Wire {
    fn send(&mut self, message: &str);

    /// Passes every message to `more` until it returns false.
    fn read(&mut self, more: &mut dyn FnMut(&[u8]) -> bool);
}

/// Lines over the pipes of a child.
struct Lines {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// A line that is not contiguous in the reader's buffer.
    line: Vec<u8>,
    _server: Server,
}

impl Lines {
    fn open() -> Self {
        let mut child = Command::new(this_binary())
            .args([SERVER, "--pipe-bytes", "1048576"])
            .stdin(Pipe::piped())
            .stdout(Pipe::piped())
            .spawn()
            .expect("the server starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::with_capacity(256 * 1024, child.stdout.take().expect("piped"));
        Lines { stdin, stdout, line: Vec::new(), _server: Server(child) }
    }
}

impl Wire for Lines {
    fn send(&mut self, message: &str) {
        self.stdin.write_all(format!("{message}\n").as_bytes()).expect("the server reads");
    }

    fn read(&mut self, more: &mut dyn FnMut(&[u8]) -> bool) {
        loop {
            let buffer = self.stdout.fill_buf().expect("the pipe works");
            assert!(!buffer.is_empty(), "the server ended");
            let (mut start, mut goes_on) = (0, true);
            while let Some(length) = memchr::memchr(b'\n', &buffer[start..]).filter(|_| goes_on) {
                let line = &buffer[start..start + length];
                start += length + 1;
                goes_on = if self.line.is_empty() {
                    more(line)
                } else {
                    self.line.extend_from_slice(line);
                    let goes_on = more(&self.line);
                    self.line.clear();
                    goes_on
                };
            }
            if goes_on {
                self.line.extend_from_slice(&buffer[start..]);
                start = buffer.len();
            }
            self.stdout.consume(start);
            if !goes_on {
                return;
            }
        }
    }
}

/// The lower bound for any client.
pub(crate) struct Limit {
    wire: Box<dyn Wire>,
    next_id: u64,
}

impl Limit {
    pub(crate) fn open(wire: impl Wire + 'static) -> Self {
        let mut limit = Limit { wire: Box::new(wire), next_id: 0 };
        limit.request("initialize", r#"{"clientInfo":{"name":"limit","version":"0"}}"#);
        limit.wait_for_reply();
        limit.wire.send(r#"{"method":"initialized"}"#);
        limit
    }

    pub(crate) fn request(&mut self, method: &str, params: &str) {
        self.next_id += 1;
        self.wire.send(&format!(r#"{{"id":{},"method":"{method}","params":{params}}}"#, self.next_id));
    }

    /// Passes every message to `more` until it returns false.
    fn read(&mut self, mut more: impl FnMut(&Envelope<'_>, &[u8]) -> bool) {
        self.wire.read(&mut |message| more(&serde_json::from_slice(message).expect("JSON"), message));
    }

    /// Returns the length of the reply.
    pub(crate) fn wait_for_reply(&mut self) -> usize {
        let mut length = 0;
        self.read(|message, line| {
            length = line.len();
            message.id.is_none()
        });
        length
    }

    /// One round trip without parsing the reply, like a minimal blocking program.
    pub(crate) fn round(&mut self, method: &str) {
        self.request(method, "{}");
        self.wire.read(&mut |_| false);
    }

    pub(crate) fn start_thread(&mut self) -> String {
        self.request("thread/start", "{}");
        let mut id = String::new();
        self.read(|message, line| {
            if message.id.is_some() {
                // No typed decoding; ids are 36 characters long.
                let text = std::str::from_utf8(line).expect("UTF-8");
                let at = text.find(r#""thread":{"id":""#).expect("a thread") + 16;
                text[at..at + 36].clone_into(&mut id);
            }
            message.id.is_none()
        });
        id
    }

    /// Starts a turn on each thread, and counts the messages of a method until all turns have ended.
    pub(crate) fn run(&mut self, threads: &[String], text: &str, method: &str) -> usize {
        let (mut seen, mut named, mut asked, mut over) = (0, 0, 0, 0);
        // In chunks: while this side writes it does not read, and pipes are finite.
        for some in threads.chunks(50) {
            for thread in some {
                let input = format!(r#"[{{"type":"text","text":"{text}"}}]"#);
                self.request("turn/start", &format!(r#"{{"threadId":"{thread}","input":{input}}}"#));
            }
            asked += some.len();
            self.read(|message, _| {
                match message.method {
                    None => named += 1,
                    Some(name) if name == method => seen += 1,
                    Some("turn/completed") => over += 1,
                    _ => {}
                }
                named < asked || (asked == threads.len() && over < asked)
            });
        }
        seen
    }
}
