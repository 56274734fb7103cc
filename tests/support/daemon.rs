//! A real app-server that listens on a socket, for any number of clients.
//!
//! Relies on `real.rs`. Invariant: the server is killed and reaped when the value is dropped, which must happen
//! before its home is.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::{Client, ClientBuilder, WebSocket};

use super::PATIENCE;
use super::real::RealHome;

/// The process of the server, and where it listens.
pub(crate) struct Daemon {
    child: Child,
    address: Address,
}

enum Address {
    WebSocket {
        port: u16,
        token: Option<String>,
    },
    #[cfg(unix)]
    UnixSocket(PathBuf),
}

impl Daemon {
    /// One that lets everybody on this machine in, unless the arguments say otherwise.
    pub(crate) fn on_websocket(home: &RealHome, arguments: &[&str]) -> Daemon {
        let mut child =
            command(home, "ws://127.0.0.1:0").args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, told) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // To its end, lest the server waits for somebody to read it.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, port)) = line.split_once("listening on: ws://127.0.0.1:") {
                    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
                    let _ = tell.send(port.parse().unwrap());
                }
            }
        });
        let port = told.recv_timeout(PATIENCE).expect("the server says where it listens");
        Daemon { child, address: Address::WebSocket { port, token: None } }
    }

    /// One that lets in who has the token, as its clients here do.
    pub(crate) fn with_token(home: &RealHome) -> Daemon {
        const TOKEN: &str = "open-sesame";
        let file = home.home().join("token");
        fs::write(&file, TOKEN).unwrap();
        let arguments = ["--ws-auth", "capability-token", "--ws-token-file", file.to_str().unwrap()];
        let mut daemon = Daemon::on_websocket(home, &arguments);
        match &mut daemon.address {
            Address::WebSocket { token, .. } => *token = Some(TOKEN.to_owned()),
            #[cfg(unix)]
            Address::UnixSocket(_) => unreachable!("it listens on a port"),
        }
        daemon
    }

    #[cfg(unix)]
    pub(crate) fn on_unix_socket(home: &RealHome, path: PathBuf) -> Daemon {
        use std::os::unix::net::UnixStream;

        let listen = format!("unix://{}", path.display());
        let child = command(home, &listen).stderr(Stdio::null()).spawn().unwrap();
        let mut daemon = Daemon { child, address: Address::UnixSocket(path.clone()) };
        let deadline = Instant::now() + PATIENCE;
        // It says nowhere that it listens. What it makes of a long path is a link to a short one.
        while fs::canonicalize(&path).and_then(UnixStream::connect).is_err() {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "no server listens: {ended:?}");
            thread::sleep(Duration::from_millis(10));
        }
        daemon
    }

    /// A client of its own.
    pub(crate) fn connect(&self, builder: ClientBuilder) -> Client {
        match &self.address {
            Address::WebSocket { token: None, .. } => builder.connect(WebSocket::new(self.url())),
            Address::WebSocket { token: Some(token), .. } => {
                builder.connect(WebSocket::new(self.url()).token(token))
            }
            #[cfg(unix)]
            Address::UnixSocket(path) => builder.connect(codex_blocking::UnixSocket::new(path)),
        }
        .unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        match self.address {
            Address::WebSocket { port, .. } => port,
            #[cfg(unix)]
            Address::UnixSocket(_) => panic!("a Unix socket has no port"),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // They fail when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(home: &RealHome, listen: &str) -> Command {
    let words = home.command();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--listen", listen]);
    command.envs(home.envs()).current_dir(home.workspace()).stdin(Stdio::null()).stdout(Stdio::null());
    command
}
