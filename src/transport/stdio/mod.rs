//! A transport to a server that runs as a child process and communicates over its standard streams.
//!
//! Relies on `lines` and, in this directory, on `command` (finds the program), `process` (its lifecycle),
//! `child` (waiting and signals), `guard` (the death of this process) or `job`, `input`, `stderr`, `line_handler` (the
//! program's function for stderr), and one of `unix` and `portable` (writing and reading);
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
mod line_handler;
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
use serde::Serialize;

#[cfg(feature = "websocket")]
pub(super) use self::daemon::Daemon;
use self::{
    command::{CommandSettings, Override},
    process::{Process, ProtocolChannel},
};
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
///   `CODEX_MANAGED_PACKAGE_ROOT`), and without those that it removes. It starts faster, needs no `node` on `PATH`, gets each signal once, and on Windows
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
/// [`log`] (target `codex_blocking::stderr`) and to [`on_stderr`](Stdio::on_stderr).
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
    command: CommandSettings,
    connect_timeout: ConnectTimeout,
}

impl Stdio {
    /// Runs this program with these arguments.
    pub fn command<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        Stdio {
            command: CommandSettings { argv: Some(argv), ..CommandSettings::default() },
            ..Stdio::default()
        }
    }

    /// Sets the server's working directory, which is also that of threads without a `cwd`.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.command.cwd = Some(cwd.into());
        self
    }

    /// Sets the server's `CODEX_HOME`: the directory with its settings, its sign-in and its sessions (by default
    /// `~/.codex`). It comes after all changes of the environment: no [`env_clear`](Self::env_clear) sends the server
    /// to the user's own.
    ///
    /// The directory must exist: otherwise the server ends at once, with the reason in the error of the first
    /// request. A relative path is relative to the current directory of this process.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio};
    ///
    /// std::fs::create_dir_all("/my/codex-home")?;
    /// let client = Client::connect(Stdio::default().codex_home("/my/codex-home"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn codex_home(mut self, path: impl Into<PathBuf>) -> Self {
        self.command.codex_home = Some(path.into());
        self
    }

    /// Sets a value of the server's configuration, over those of its files: appends `-c key=value` to the command
    /// line, with the value as TOML. Of two values for a key the later counts; one for a table takes the place of
    /// what was set in it before.
    ///
    /// A key is names with dots between them. A name with a dot in it needs quotes:
    /// `mcp_servers."my.server".enabled`. The value is anything that serializes: structs and maps are tables. Dates
    /// are strings.
    ///
    /// Connecting returns [`Error::InvalidInput`](crate::Error::InvalidInput) for what the server would misread: an
    /// empty name, a `=` in the key, a first name that needs quotes; null (leave the key out instead), a number that
    /// is not finite, an integer above [`i64::MAX`], and values nested more than 60 deep. Systems limit the command
    /// line: Linux takes 128 KiB of a setting, Windows 32,767 letters in total; beyond that the server can't be
    /// started.
    ///
    /// The server ends at once if a value has the wrong type, and only warns, on stderr, of a key that it does not
    /// know; with the argument `--strict-config` it ends then too. All processes of the machine can see the command
    /// line, so give secrets to the server in its environment. The arguments are added at the end of the command; a
    /// command that runs the server from a script has to pass them on.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio};
    /// use serde_json::json;
    ///
    /// let stdio = Stdio::default()
    ///     .config("model", "gpt-5.1-codex")
    ///     .config("sandbox_workspace_write.network_access", true)
    ///     .config("mcp_servers.docs", json!({ "command": "docs-server", "args": ["--quiet"] }));
    /// let client = Client::connect(stdio)?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn config(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.command.overrides.push(Override::new(key.into(), value));
        self
    }

    /// Sets an environment variable for the server, which also inherits the environment of this process.
    ///
    /// Connecting returns [`Error::InvalidInput`](crate::Error::InvalidInput) for what no process can have: an empty
    /// name, one with `=` in it, NUL characters.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.variables.set(name.as_ref(), value.as_ref());
        self
    }

    /// Removes an environment variable that the server would inherit, or that was set before. The later of this and
    /// [`env`](Self::env) counts.
    ///
    /// ```
    /// use codex_blocking::Stdio;
    ///
    /// let stdio = Stdio::default().env_remove("OPENAI_API_KEY");
    /// ```
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.variables.remove(name.as_ref());
        self
    }

    /// Removes all environment variables that the server would inherit, or that were set before. What
    /// [`env`](Self::env) sets afterwards remains.
    ///
    /// The commands that the server runs then have no `PATH` either. The server's own program is found by its path,
    /// or in the usual install directories. On Windows programs need `SystemRoot`.
    pub fn env_clear(mut self) -> Self {
        self.command.variables.clear();
        self
    }

    /// Sets a function that gets each line that the server writes to stderr: without terminal colours, and in pieces
    /// if it is longer than 64 KiB. Empty lines are left out. The lines go to the [`log`] too.
    ///
    /// It runs on a thread of its own, one line at a time, and possibly before `connect` has returned. A slow function
    /// delays nothing: up to 8 MiB of lines wait for it. Above that limit new lines are left out, and their number is
    /// logged. If it panics, that is logged, and it gets the next line. [`close`](crate::Client::close) waits for it
    /// up to 0.25 s; what still waits then comes afterwards. All of this also holds for the logger, which has another
    /// thread.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio};
    ///
    /// let client = Client::connect(Stdio::default().on_stderr(|line| eprintln!("codex: {line}")))?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn on_stderr(mut self, f: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.command.on_stderr = Some(Arc::new(f));
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
    /// Omits arguments, and the values of settings and environment variables, which often hold API keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CommandSettings { argv, overrides, cwd, codex_home, variables, on_stderr } = &self.command;
        f.debug_struct("Stdio")
            .field("argv", &argv.as_deref().map(WithoutArguments))
            .field("config", &overrides.iter().map(Override::key).collect::<Vec<_>>())
            .field("cwd", cwd)
            .field("codex_home", codex_home)
            .field("env", &variables.names(true))
            .field("env_remove", &variables.names(false))
            .field("env_clear", &variables.is_cleared())
            .field("on_stderr", &on_stderr.is_some())
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
        let command = command::resolve(&self.command)?;
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

    fn server_pid(&self) -> Option<u32> {
        self.process.pid()
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
