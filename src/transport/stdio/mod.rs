//! The transport to a server that runs as a child process and speaks over its standard streams.
//!
//! Relies on `lines` and, inside this folder, on `command` (which program), `process` (its life),
//! `stderr` (what it says aside) and one of `unix` and `portable` (the bytes); `daemon` runs one that
//! listens for others. Invariant: however
//! a connection ends, its child is reaped and its threads are gone.

mod command;
#[cfg(feature = "websocket")]
mod daemon;
#[cfg(any(not(unix), test))]
mod portable;
mod process;
mod stderr;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod waker;

#[cfg(not(unix))]
use portable as pipes;
#[cfg(unix)]
use unix as pipes;

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use parking_lot::Mutex;

#[cfg(feature = "websocket")]
pub(super) use self::daemon::Daemon;
use self::process::{Process, Speaks};
use super::{ConnectTimeout, Link, Shutdown, Sink, Transport};
use crate::error::{Result, TransportFailure};

/// Runs a server as a child process and speaks with it over stdin and stdout.
///
/// `Stdio::default()` runs the words of `$CODEX_APP_SERVER_CMD` if that is set (split as a shell
/// splits them; no shell runs them), else `codex app-server`. A bare name is looked for on `PATH`;
/// `codex` also in the folders where its installers put it.
///
/// The child runs in a process group of its own (Unix), which ends with the connection: at
/// [`close`](crate::Client::close) by end of input, TERM, KILL; when the last
/// [`Client`](crate::Client) is dropped by end of input and, 0.3 s later, KILL. Its stderr is read
/// all the time: the last lines go into the error when it dies, each line goes to [`log`] (target
/// `codex_blocking::stderr`).
///
/// ```no_run
/// use codex_blocking::{Client, Stdio};
///
/// let client = Client::connect(Stdio::command(["codex", "app-server"]).cwd("/my/project").env("RUST_LOG", "warn"))?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a transport does nothing until a client connects over it"]
#[derive(Clone, Default)]
pub struct Stdio {
    argv: Option<Vec<OsString>>,
    cwd: Option<PathBuf>,
    env: Vec<(OsString, OsString)>,
    connect_timeout: ConnectTimeout,
}

impl Stdio {
    /// Runs this program with these arguments.
    pub fn command<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Self {
        Stdio { argv: Some(argv.into_iter().map(Into::into).collect()), ..Stdio::default() }
    }

    /// The working directory of the server. Threads without a `cwd` of their own work there.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Sets a variable in the server's environment, beside those of this process.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// How long starting the process may take (30 s); `None`: for ever.
    ///
    /// A process starts within milliseconds; what takes time is its first answer, which the
    /// request limit covers.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = ConnectTimeout(limit.into());
        self
    }
}

impl fmt::Debug for Stdio {
    /// Without the values of the environment: keys are often passed there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Stdio")
            .field("argv", &self.argv)
            .field("cwd", &self.cwd)
            .field("env", &names)
            .field("connect_timeout", &self.connect_timeout.0)
            .finish()
    }
}

impl Transport for Stdio {
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        self.connect_timeout.begin()?;
        let command = command::resolve(self.argv.as_deref(), &self.env, self.cwd.as_deref())?;
        let (process, streams) = Process::spawn(&command, Speaks::OnStreams)?;
        let lost = |error: std::io::Error| {
            process.kill();
            TransportFailure::new("its pipes could not be set up")
                .with_source(error)
                .while_connecting(format!("start {command}"))
        };
        let started = match streams {
            Some(streams) => pipes::start(streams.stdin, streams.stdout, sink, Arc::clone(&process)),
            None => Err(std::io::Error::other("it has none")),
        };
        let (pipes, reader) = started.map_err(lost)?;
        Ok(Box::new(ChildLink { process, pipes, reader: Mutex::new(Some(reader)) }))
    }
}

/// The writing side of a child: its process, its pipes, and the thread that reads them.
struct ChildLink {
    process: Arc<Process>,
    pipes: pipes::Pipes,
    reader: Mutex<Option<JoinHandle<()>>>,
}

impl Link for ChildLink {
    fn send(&self, mut message: Vec<u8>) -> Result<(), TransportFailure> {
        message.push(b'\n');
        self.pipes.send(message)
    }

    fn shutdown(&self, how: Shutdown) {
        self.pipes.end_input();
        self.process.stop(how);
        // First, since the reading thread waits a moment for the end of stderr.
        self.process.stop_stderr();
        self.pipes.stop_reading();
        join(self.reader.lock().take());
        self.process.join();
    }
}

impl Drop for ChildLink {
    fn drop(&mut self) {
        self.shutdown(Shutdown::Quick);
    }
}

/// Joins a thread of this transport, unless it is the one that asks.
fn join(thread: Option<JoinHandle<()>>) {
    super::join(thread, "a thread of the stdio transport");
}
