//! What the benches of a connection share: this binary run again as the flooding server, and the limit,
//! a client that does no more than any client must.
//!
//! The limit decodes `id` and `method` of each message as borrowed text and skips the rest; it has no
//! threads, routes nothing and keeps nothing. Over stdio it splits lines, and reads through a pipe as large
//! as the one that `Stdio` makes, so that what is left between the two is the work of this crate.

// Each bench uses a part of it.
#![allow(dead_code)]

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio as Pipe};

use codex_blocking::{Client, Stdio, Transport};
use criterion::Criterion;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The first argument of a bench that is to be the server.
pub(crate) const SERVER: &str = "flood-server";

pub(crate) const DELTA: &str = "item/agentMessage/delta";

/// A way to the flooding server. Each call starts a server of its own.
pub(crate) struct Over {
    /// What the groups of its measurements are called.
    pub(crate) name: &'static str,
    pub(crate) client: fn() -> Client,
    pub(crate) limit: fn() -> Limit,
}

pub(crate) const STDIO: Over = Over {
    name: "stdio",
    client: || connect(Stdio::command([this_binary().as_str(), SERVER])),
    limit: || Limit::open(Lines::open()),
};

/// Runs the benches, or the server when this process was started to be it.
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

/// A size, much smaller when the benches are only tried (`cargo test -p benches --benches`).
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
    let client = Client::connect(transport).expect("the server starts");
    client.initialize().expect("an answer");
    client
}

/// A server that ends with this value.
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

/// How the messages of the limit travel.
pub(crate) trait Wire {
    fn send(&mut self, message: &str);

    /// Shows every message to `more`, until that says no.
    fn read(&mut self, more: &mut dyn FnMut(&[u8]) -> bool);
}

/// Lines, through the pipes of a child.
struct Lines {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// A line that does not lie in the reader's buffer as a whole.
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

/// The limit.
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

    /// Shows every message to `more`, until that says no.
    fn read(&mut self, mut more: impl FnMut(&Envelope<'_>, &[u8]) -> bool) {
        self.wire.read(&mut |message| more(&serde_json::from_slice(message).expect("JSON"), message));
    }

    /// Gives the length of the reply.
    pub(crate) fn wait_for_reply(&mut self) -> usize {
        let mut length = 0;
        self.read(|message, line| {
            length = line.len();
            message.id.is_none()
        });
        length
    }

    /// One round without a look at the reply, as the smallest blocking program would do it.
    pub(crate) fn round(&mut self, method: &str) {
        self.request(method, "{}");
        self.wire.read(&mut |_| false);
    }

    pub(crate) fn start_thread(&mut self) -> String {
        self.request("thread/start", "{}");
        let mut id = String::new();
        self.read(|message, line| {
            if message.id.is_some() {
                // It has no types; ids are 36 characters long.
                let text = std::str::from_utf8(line).expect("UTF-8");
                let at = text.find(r#""thread":{"id":""#).expect("a thread") + 16;
                text[at..at + 36].clone_into(&mut id);
            }
            message.id.is_none()
        });
        id
    }

    /// Starts a turn on each of the threads, and counts the messages of a method until all are over.
    pub(crate) fn run(&mut self, threads: &[String], text: &str, method: &str) -> usize {
        let (mut seen, mut named, mut asked, mut over) = (0, 0, 0, 0);
        // Not all at once: while this end writes it does not read, and pipes are finite.
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
