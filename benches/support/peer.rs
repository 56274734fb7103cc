//! Both ends that the benches of the child process share: this binary run again as the flooding
//! server, and the limit, a client that does no more than any client must.
//!
//! The limit splits lines, decodes `id` and `method` as borrowed text and skips the rest; it has no
//! threads, routes nothing and keeps nothing. It reads through a pipe as large as the one that
//! `Stdio` makes, so that what is left between the two is the work of this crate.

// Each bench uses a part of it.
#![allow(dead_code)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio as Pipe};

use codex_blocking::{Client, Stdio};
use criterion::Criterion;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::flood;

/// The first argument of a bench that is to be the server.
const SERVER: &str = "flood-server";

pub(crate) const DELTA: &str = "item/agentMessage/delta";

/// Runs the benches, or the server when this process was started to be it.
pub(crate) fn main(benches: impl FnOnce(&mut Criterion)) {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == SERVER) {
        flood::serve(&args).expect("the client reads");
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

/// A size, much smaller when the benches are only tried (`cargo test --benches`).
pub(crate) fn sized(full: usize) -> usize {
    let is_measured = env::args().any(|arg| arg == "--bench") && !env::args().any(|arg| arg == "--test");
    if is_measured { full } else { full.div_ceil(50) }
}

fn this_binary() -> String {
    env::current_exe().expect("a path").into_os_string().into_string().expect("a path in UTF-8")
}

pub(crate) fn transport() -> Stdio {
    Stdio::command([this_binary().as_str(), SERVER])
}

pub(crate) fn connect() -> Client {
    let client = Client::connect(transport()).expect("the server starts");
    client.initialize().expect("an answer");
    client
}

#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: Option<&'a str>,
}

/// The limit.
pub(crate) struct Limit {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// A line that does not lie in the reader's buffer as a whole.
    line: Vec<u8>,
    next_id: u64,
}

impl Limit {
    pub(crate) fn open() -> Self {
        let mut child = Command::new(this_binary())
            .args([SERVER, "--pipe-bytes", "1048576"])
            .stdin(Pipe::piped())
            .stdout(Pipe::piped())
            .spawn()
            .expect("the server starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::with_capacity(256 * 1024, child.stdout.take().expect("piped"));
        let mut limit = Limit { child, stdin, stdout, line: Vec::new(), next_id: 0 };
        limit.request("initialize", r#"{"clientInfo":{"name":"limit","version":"0"}}"#);
        limit.wait_for_reply();
        limit.stdin.write_all(b"{\"method\":\"initialized\"}\n").expect("the server reads");
        limit
    }

    pub(crate) fn request(&mut self, method: &str, params: &str) {
        self.next_id += 1;
        let line = format!("{{\"id\":{},\"method\":\"{method}\",\"params\":{params}}}\n", self.next_id);
        self.stdin.write_all(line.as_bytes()).expect("the server reads");
    }

    /// Shows every message to `more`, until that says no.
    fn read(&mut self, mut more: impl FnMut(&Envelope<'_>, &[u8]) -> bool) {
        let mut shown = |line: &[u8]| more(&serde_json::from_slice(line).expect("JSON"), line);
        loop {
            let buffer = self.stdout.fill_buf().expect("the pipe works");
            assert!(!buffer.is_empty(), "the server ended");
            let (mut start, mut goes_on) = (0, true);
            while let Some(length) = memchr::memchr(b'\n', &buffer[start..]).filter(|_| goes_on) {
                let line = &buffer[start..start + length];
                start += length + 1;
                goes_on = if self.line.is_empty() {
                    shown(line)
                } else {
                    self.line.extend_from_slice(line);
                    let goes_on = shown(&self.line);
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

    /// Gives the length of the reply.
    pub(crate) fn wait_for_reply(&mut self) -> usize {
        let mut length = 0;
        self.read(|message, line| {
            length = line.len();
            message.id.is_none()
        });
        length
    }

    /// One round with `read_line`, as the smallest blocking program would do it.
    pub(crate) fn round(&mut self, method: &str, reply: &mut String) {
        self.request(method, "{}");
        reply.clear();
        self.stdout.read_line(reply).expect("the pipe works");
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

impl Drop for Limit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
