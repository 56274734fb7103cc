//! Measures the same workloads over a WebSocket, a Unix socket and a child's pipes, in one run, each
//! relative to the limit over the same transport. Over sockets, the limit is a blocking loop around
//! tungstenite on one thread; a round writes one message and reads one, without parsing the JSON.
//!
//! `cargo bench -p benches --bench websocket` takes about four minutes; a filter such as `unix/deltas` selects a
//! group. On Linux it finally prints the peak memory for a large reply.

#[path = "support/flood.rs"]
mod flood;
#[path = "support/listen.rs"]
mod listen;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/workloads.rs"]
mod workloads;

use std::io::{Read, Write};

use codex_blocking::{Stdio, WebSocket};
use peer::{Limit, Over, SERVER, STDIO, Server, Wire, connect, this_binary};
use tungstenite::Message;
use tungstenite::protocol::WebSocketConfig;

const ANY_PORT: &str = "ws://127.0.0.1:0";

const WEBSOCKET: Over = Over {
    name: "websocket",
    client: || {
        let command = [this_binary().as_str(), SERVER, "--listen", ANY_PORT].map(str::to_owned);
        connect(WebSocket::spawn(Stdio::command(command)))
    },
    limit: || {
        let (server, url) = listening(ANY_PORT);
        let stream = std::net::TcpStream::connect(&url["ws://".len()..]).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Limit::open(Frames::upgrade(server, stream))
    },
};

#[cfg(unix)]
const UNIX: Over = Over {
    name: "unix",
    client: || {
        let (mut server, path) = unix::listening();
        // The server ends with its client.
        std::thread::spawn(move || server.0.wait());
        connect(codex_blocking::UnixSocket::new(path))
    },
    limit: || {
        let (server, path) = unix::listening();
        let stream = std::os::unix::net::UnixStream::connect(path).expect("it listens");
        Limit::open(Frames::upgrade(server, stream))
    },
};

fn main() {
    let overs = [
        STDIO,
        WEBSOCKET,
        #[cfg(unix)]
        UNIX,
    ];
    #[cfg(target_os = "linux")]
    if let Some(over) = memory::asked_for(&overs) {
        return memory::measure(over);
    }
    peer::main(listen::serve, |criterion| {
        overs.iter().for_each(|over| workloads::round(criterion, over));
        overs.iter().for_each(|over| workloads::start(criterion, over));
        overs.iter().for_each(|over| workloads::large_reply(criterion, over));
        overs.iter().for_each(|over| workloads::deltas(criterion, over));
        overs.iter().for_each(|over| workloads::items(criterion, over));
        overs.iter().for_each(|over| workloads::wave(criterion, over, &[20, 200]));
        overs.iter().for_each(|over| workloads::one_after_another(criterion, over));
        #[cfg(target_os = "linux")]
        overs.iter().for_each(memory::show);
    });
}

/// Starts a server; returns it with the address on which it listens.
fn listening(url: &str) -> (Server, String) {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut child = Command::new(this_binary())
        .args([SERVER, "--listen", url])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    stderr.read_line(&mut line).expect("the pipe works");
    let url = line.strip_prefix(listen::BANNER).expect("it says where it listens").trim_end();
    (Server(child), url.to_owned())
}

#[cfg(unix)]
mod unix {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Server;

    /// Starts a server on its own path, which it removes once its client has connected.
    pub(crate) fn listening() -> (Server, PathBuf) {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("codex-flood-{}-{number}", std::process::id()));
        let (server, _) = super::listening(&format!("unix://{}", path.display()));
        (server, path)
    }
}

/// The limit's side of a WebSocket.
struct Frames<S> {
    socket: tungstenite::WebSocket<S>,
    _server: Server,
}

impl<S: Read + Write> Frames<S> {
    fn upgrade(server: Server, stream: S) -> Self {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let upgraded = tungstenite::client::client_with_config("ws://localhost/", stream, Some(config));
        let Ok((socket, _)) = upgraded else { panic!("the server agrees") };
        Frames { socket, _server: server }
    }
}

impl<S: Read + Write> Wire for Frames<S> {
    fn send(&mut self, message: &str) {
        self.socket.send(Message::text(message)).expect("the server reads");
    }

    fn read(&mut self, more: &mut dyn FnMut(&[u8]) -> bool) {
        loop {
            match self.socket.read().expect("the socket works") {
                Message::Text(text) if !more(text.as_bytes()) => return,
                _ => {}
            }
        }
    }
}

/// Measures peak memory, in a process that does nothing else.
#[cfg(target_os = "linux")]
mod memory {
    use serde_json::json;

    use crate::peer::{Over, is_measured, sized, this_binary};

    const MEMORY: &str = "memory";

    /// The transport that this process was started to measure, if any.
    pub(crate) fn asked_for(overs: &[Over]) -> Option<&Over> {
        let mut args = std::env::args().skip(1);
        let name = args.next().filter(|arg| arg == MEMORY).and_then(|_| args.next())?;
        overs.iter().find(|over| over.name == name)
    }

    /// Receives a reply of 20 MB, and prints the memory that it took.
    pub(crate) fn measure(over: &Over) {
        let client = (over.client)();
        let before = peak();
        let bytes = sized(20_000_000);
        client.request("config/read", json!({ "bytes": bytes })).expect("an answer");
        println!("{}/memory: {} KB for a reply of {} KB", over.name, peak() - before, bytes / 1000);
    }

    /// Runs the measurement in a separate process.
    pub(crate) fn show(over: &Over) {
        let mut command = std::process::Command::new(this_binary());
        command.args([MEMORY, over.name]).args(is_measured().then_some("--bench"));
        assert!(command.status().expect("this binary runs").success());
    }

    /// The peak in KB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
        peak.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}
