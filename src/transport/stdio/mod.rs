//! A transport to a server that runs as a child process and communicates over its standard streams.
//!
//! Relies on `lines` and, in this directory, on `command` (finds the program), `process` (its lifecycle),
//! `child` (waiting and signals), `guard` (the death of this process) or `job`, `input`, `stderr`, and one of `unix` and `portable` (writing and reading);
//! `daemon` runs a listening server for other transports. Invariant: whichever way a connection ends, its child is reaped and its threads end.

mod child;
mod command;
#[cfg(feature = "websocket")]
mod daemon;
#[cfg(unix)]
mod guard;
mod input;
#[cfg(windows)]
mod job;
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
use self::process::{Process, ProtocolChannel};
use super::{ConnectTimeout, Link, Shutdown, Sink, Transport};
use crate::error::{Result, TransportFailure};

/// Runs a server as a child process and communicates with it over stdin and stdout.
///
/// `Stdio::default()` runs the command in `$CODEX_APP_SERVER_CMD` if it is set, otherwise `codex app-server`.
///
/// # How the program is found
///
/// - The variable is split like a shell command line on Unix, and by the rules of Windows there, where backslashes
///   need no escaping: `"C:\Program Files\codex.exe" app-server`. No shell runs it.
/// - A bare program name is searched for on `PATH` (that of [`env`](Stdio::env) if it is set there; on Windows in any
///   case of its name). Empty entries are skipped. `codex` is also searched for in the directories where its own
///   installer, npm, pnpm, Bun, Volta and other version managers, Homebrew, WinGet and Scoop put it: programs that
///   a desktop or a service manager starts often have a short `PATH`.
/// - A relative program, and a relative entry of `PATH`, are relative to the current directory of this process, not to
///   [`cwd`](Stdio::cwd).
/// - On Windows the endings in `PATHEXT` are tried, but only those that can be started: `.com`, `.exe`, `.bat` and
///   `.cmd`. A script, such as `codex.ps1`, is run by naming its interpreter.
/// - What npm puts on `PATH` as `codex` is a script for Node. Where its package has a native program for this platform,
///   that runs instead, with the variables that the script sets (`CODEX_MANAGED_BY_NPM`,
///   `CODEX_MANAGED_PACKAGE_ROOT`). It starts faster, needs no `node` on `PATH`, gets each signal once, and on Windows
///   no command interpreter looks at the arguments. A program that is given by its path, such as
///   `/usr/local/bin/codex`, runs as it is.
///
/// If there is none, the error lists the paths that were tried (the first 100).
///
/// # The process
///
/// On Unix the child runs in its own process group, which ends with the connection.
/// [`close`](crate::Client::close) closes its stdin, then sends SIGTERM, then SIGKILL. Dropping the last
/// [`Client`](crate::Client) closes its stdin and sends SIGKILL 0.3 s later. On Windows the child and what it starts
/// are in a job object, which is closed instead of the signals. The child's stderr is read
/// continuously: the last lines become part of the error if the child exits, and every line goes to
/// [`log`] (target `codex_blocking::stderr`).
///
/// The child and its group also end if this process is killed, aborts, or exits without closing its client. On
/// Windows the system closes the job object. On Unix a second small process does it, a `/bin/sh` that waits for
/// the death of this process: it sends SIGTERM, SIGTERM again after 1 s, and SIGKILL after another second. It
/// leads the child's group, and ends with the connection. If `/bin/sh` can't be run, the child is started
/// without it, with a warning in the log. A process that has left the group (`setsid`) is not reached, but by the
/// server, which ends the commands that it runs. If the child itself has left, `close` and a drop still end it, with
/// the group that it leads. Where this process has forked, a fork that is still alive counts as this process.
///
/// As every process on Unix, the child inherits which signals are ignored, and which are blocked in the thread that
/// connects. Where SIGTERM is blocked, the child ends at SIGKILL. If stdin, stdout or stderr of this process is
/// closed, connecting opens `/dev/null` in its place, over any transport: what the program writes there must not
/// reach the server.
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

    /// Sets the server's working directory, which is also that of threads without a `cwd`.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Sets an environment variable for the server, which also inherits the environment of this process.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets how long starting the process may take (default 30 s); `None` means no limit.
    ///
    /// A process starts within milliseconds. Its first response takes longer, and is subject to the
    /// request timeout instead.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = ConnectTimeout(limit.into());
        self
    }
}

impl fmt::Debug for Stdio {
    /// Omits arguments and the values of environment variables, which often hold API keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Stdio")
            .field("argv", &self.argv.as_deref().map(WithoutArguments))
            .field("cwd", &self.cwd)
            .field("env", &names)
            .field("connect_timeout", &self.connect_timeout.0)
            .finish()
    }
}

/// Shows the program of a command line, and how many arguments it has.
struct WithoutArguments<'a>(&'a [OsString]);

impl fmt::Debug for WithoutArguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = self.0.iter().skip(1).map(|_| format_args!("…"));
        f.debug_list().entries(self.0.first()).entries(arguments).finish()
    }
}

impl Transport for Stdio {
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        self.connect_timeout.begin()?;
        let command = command::resolve(self.argv.as_deref(), &self.env, self.cwd.as_deref())?;
        let (process, streams) = Process::spawn(&command, ProtocolChannel::Stdio)?;
        let lost = |error: std::io::Error| {
            process.abandon();
            TransportFailure::new(format!("failed to start reading its output: {error}"))
                .with_source(error)
                .while_connecting(format!("start {command}"))
        };
        let started = match streams {
            Some(streams) => pipes::start(streams.stdin, streams.stdout, sink, Arc::clone(&process)),
            None => Err(std::io::Error::other("it has no pipes")),
        };
        let (pipes, reader) = started.map_err(lost)?;
        Ok(Box::new(ChildLink { process, pipes, reader: Mutex::new(Some(reader)) }))
    }
}

/// The link to a child: its process, its pipes, and the thread that reads them.
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
        // Must come first: the reading thread waits briefly for the end of stderr.
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

/// Joins a thread of this transport, unless it is the current thread.
fn join(thread: Option<JoinHandle<()>>) {
    super::join(thread, "a thread of the stdio transport");
}
