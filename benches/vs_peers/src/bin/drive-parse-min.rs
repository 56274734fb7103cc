//! The lower bound for any client: splits lines, decodes `id` and `method` as borrowed strings, skips the
//! rest.
//!
//! No threads, no routing, no buffers. The difference to this is a client's own overhead. Runs with the
//! default pipe size, or with the size that `FLOOD_PIPE_BYTES` makes the server set.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use vs_peers::{Clock, Report, Workload, flood_server, idle_until_told, memory_kib};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<&'a str>,
}

struct Connection {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    buffer: Vec<u8>,
    /// The part of `buffer` that has been read but not processed.
    unread: std::ops::Range<usize>,
    next_id: u64,
}

impl Connection {
    fn open() -> Self {
        let mut child = Command::new(flood_server())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        Self {
            stdin: child.stdin.take().expect("piped"),
            stdout: child.stdout.take().expect("piped"),
            child,
            buffer: vec![0; 1 << 20],
            unread: 0..0,
            next_id: 0,
        }
    }

    fn initialize(&mut self) {
        self.request(
            "initialize",
            r#"{"clientInfo":{"name":"parse-min","version":"0"}}"#,
        );
        self.wait_for_answer();
        self.stdin
            .write_all(b"{\"method\":\"initialized\"}\n")
            .expect("the server reads");
    }

    fn request(&mut self, method: &str, params: &str) {
        self.next_id += 1;
        let line = format!(
            "{{\"id\":{},\"method\":\"{method}\",\"params\":{params}}}\n",
            self.next_id
        );
        self.stdin
            .write_all(line.as_bytes())
            .expect("the server reads");
    }

    /// Passes every message to `more` until it returns false.
    fn read(&mut self, mut more: impl FnMut(&Envelope<'_>, &[u8]) -> bool) {
        let mut searched = self.unread.start;
        loop {
            let fresh = &self.buffer[searched..self.unread.end];
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                let end = searched + at;
                let line = &self.buffer[self.unread.start..end];
                let envelope: Envelope<'_> = serde_json::from_slice(line).expect("valid JSON");
                let go_on = more(&envelope, line);
                self.unread.start = end + 1;
                searched = end + 1;
                if !go_on {
                    return;
                }
                continue;
            }
            searched = self.unread.end;
            if self.unread.end == self.buffer.len() {
                let length = self.unread.len();
                if length > self.buffer.len() / 2 {
                    self.buffer.resize(self.buffer.len() * 2, 0);
                }
                self.buffer.copy_within(self.unread.clone(), 0);
                searched -= self.unread.start;
                self.unread = 0..length;
            } else if self.unread.is_empty() {
                self.unread = 0..0;
                searched = 0;
            }
            let free = &mut self.buffer[self.unread.end..];
            let n = self.stdout.read(free).expect("the pipe works");
            assert!(n > 0, "the server ended");
            self.unread.end += n;
        }
    }

    fn wait_for_answer(&mut self) {
        self.read(|message, _| message.id.is_none());
    }

    fn start_thread(&mut self) -> String {
        self.request("thread/start", "{}");
        let mut id = String::new();
        self.read(|message, line| {
            if message.id.is_some() {
                // The first string of 36 characters; this client has no typed decoding.
                let text = std::str::from_utf8(line).expect("UTF-8");
                let at = text.find(r#""thread":{"id":""#).expect("a thread") + 16;
                text[at..at + 36].clone_into(&mut id);
            }
            message.id.is_none()
        });
        id
    }

    fn start_turn(&mut self, thread: &str, text: &str) {
        let params =
            format!(r#"{{"threadId":"{thread}","input":[{{"type":"text","text":"{text}"}}]}}"#);
        self.request("turn/start", &params);
    }

    /// Counts the messages of one method until `turns` turns have ended.
    fn count(&mut self, method: &str, turns: usize) -> usize {
        let (mut seen, mut over) = (0, 0);
        self.read(|message, _| {
            match message.method {
                Some(name) if name == method => seen += 1,
                Some("turn/completed") => over += 1,
                _ => {}
            }
            over < turns
        });
        seen
    }
}

fn main() {
    let workload = Workload::from_args();
    let mut report = Report::default();
    let clock = Clock::new();
    let mut server = Connection::open();
    server.initialize();
    if matches!(workload, Workload::Spawn) {
        report.stop(&clock);
    }
    let delta = "item/agentMessage/delta";
    match workload {
        Workload::Spawn => {}
        Workload::Deltas { count, .. } => {
            let thread = server.start_thread();
            let clock = Clock::new();
            server.start_turn(&thread, &workload.prompt());
            let seen = server.count(delta, 1);
            report.stop(&clock).seen(seen, count);
        }
        Workload::Items { count, .. } => {
            let thread = server.start_thread();
            let clock = Clock::new();
            server.start_turn(&thread, &workload.prompt());
            // The user's message and the answer are items too.
            let seen = server.count("item/completed", 1).saturating_sub(2);
            report.stop(&clock).seen(seen, count);
        }
        Workload::RoundTrip { count, warm_up } => {
            let mut times = Vec::with_capacity(count);
            for at in 0..warm_up + count {
                let start = Instant::now();
                server.request("config/read", "{}");
                server.wait_for_answer();
                if at >= warm_up {
                    times.push(start.elapsed());
                }
            }
            report.percentiles(times);
        }
        Workload::Wave { turns, count, .. } => {
            let threads: Vec<String> = (0..turns).map(|_| server.start_thread()).collect();
            let clock = Clock::new();
            for thread in &threads {
                server.start_turn(thread, &workload.prompt());
            }
            let seen = server.count(delta, turns);
            report.stop(&clock).seen(seen, turns * count);
        }
        Workload::Sleep { count, millis, .. } => {
            let thread = server.start_thread();
            let before = memory_kib("VmRSS");
            server.start_turn(&thread, &workload.prompt());
            std::thread::sleep(Duration::from_millis(millis));
            let after = memory_kib("VmRSS");
            let clock = Clock::new();
            let seen = server.count(delta, 1);
            report.stop(&clock).seen(seen, count);
            report.set("grown_kib", after.saturating_sub(before));
        }
        Workload::Idle => {
            let thread = server.start_thread();
            server.start_turn(&thread, &workload.prompt());
            server.count(delta, 1);
            idle_until_told();
        }
        Workload::Big { bytes } => {
            let clock = Clock::new();
            server.request("config/read", &format!(r#"{{"bytes":{bytes}}}"#));
            let mut seen = 0;
            server.read(|message, line| {
                seen = line.len();
                message.id.is_none()
            });
            report.stop(&clock).set("whole", seen > bytes);
        }
    }
    report.print();
    let _ = server.child.kill();
    let _ = server.child.wait();
}
