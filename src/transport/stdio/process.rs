//! The child process: its start, its exit, and the escalation that stops it.
//!
//! Relies on `command` and `stderr`. Invariant: a dedicated thread waits for the child from its start, so
//! that it is always reaped, and its exit is known even while a grandchild holds its pipes open.

use std::{
    process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use shared_child::SharedChild;

use super::{
    super::Shutdown,
    command::ResolvedCommand,
    join,
    stderr::{Stderr, Tail},
};
use crate::error::{Result, TransportFailure};

/// The two pipes that carry the protocol.
pub(super) struct Streams {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
}

impl ProtocolChannel {
    fn stream(self) -> Stdio {
        match self {
            ProtocolChannel::Stdio => Stdio::piped(),
            #[cfg(feature = "websocket")]
            ProtocolChannel::External => Stdio::null(),
        }
    }
}

/// Called when the child has been reaped.
type OnExit = Arc<Mutex<Option<Box<dyn Fn() + Send>>>>;

/// How the protocol reaches the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProtocolChannel {
    /// Over its standard streams.
    Stdio,
    /// Over another connection: stdin and stdout are null.
    #[cfg(feature = "websocket")]
    External,
}

/// A server process, running or exited.
pub(super) struct Process {
    child: Arc<SharedChild>,
    name: String,
    status: Arc<OnceLock<ExitStatus>>,
    /// Disconnected once the child has been reaped.
    exited: Receiver<()>,
    /// The callback for that moment.
    on_exit: OnExit,
    stderr: Stderr,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Process {
    /// Starts the process. Returns its streams if they carry the protocol.
    pub(super) fn spawn(
        resolved: &ResolvedCommand,
        channel: ProtocolChannel,
    ) -> Result<(Arc<Process>, Option<Streams>)> {
        let failed = |error: std::io::Error| {
            TransportFailure::new("failed to start the process")
                .with_source(error)
                .while_connecting(format!("start {resolved}"))
        };
        let mut command = Command::new(&resolved.program);
        command
            .args(&resolved.arguments)
            .envs(resolved.env.iter().map(|(name, value)| (name, value)))
            .stdin(channel.stream())
            .stdout(channel.stream())
            .stderr(Stdio::piped());
        if let Some(cwd) = &resolved.cwd {
            command.current_dir(cwd);
        }
        isolate(&mut command);
        let child = Arc::new(SharedChild::spawn(&mut command).map_err(failed)?);
        let streams = child.take_stdin().zip(child.take_stdout());
        let streams = streams.map(|(stdin, stdout)| Streams { stdin, stdout });
        let Some(stderr) =
            child.take_stderr().filter(|_| streams.is_some() == (channel == ProtocolChannel::Stdio))
        else {
            let _ = child.kill();
            return Err(failed(std::io::Error::other("a pipe is missing")));
        };

        let status = Arc::new(OnceLock::new());
        let on_exit = Arc::new(Mutex::new(None));
        let (alive, exited) = bounded(0);
        let watcher = watch(Arc::clone(&child), Arc::clone(&status), Arc::clone(&on_exit), alive);
        let (stderr, watcher) = match (Stderr::drain(stderr), watcher) {
            (Ok(stderr), Ok(watcher)) => (stderr, watcher),
            (Err(error), _) | (_, Err(error)) => {
                kill_group(&child);
                return Err(failed(error));
            }
        };
        let process = Process {
            name: resolved.to_string(),
            child,
            status,
            exited,
            on_exit,
            stderr,
            watcher: Mutex::new(Some(watcher)),
        };
        Ok((Arc::new(process), streams))
    }

    /// Calls `wake` once the child has been reaped, or immediately if it already has been.
    pub(super) fn when_exited(&self, wake: impl Fn() + Send + 'static) {
        let mut on_exit = self.on_exit.lock();
        if self.has_exited() {
            wake();
        } else {
            *on_exit = Some(Box::new(wake));
        }
    }

    pub(super) fn has_exited(&self) -> bool {
        self.status.get().is_some()
    }

    /// Describes why the connection ended, with the child's exit status and its last stderr lines, which may
    /// arrive after the end of its output: waits up to 0.5 s for the exit and, after an exit, up to 0.5 s
    /// for the end of stderr.
    pub(super) fn exit_report(&self, message: &str) -> TransportFailure {
        let _ = self.exited.recv_timeout(Duration::from_millis(500));
        let exit_status = self.status.get().copied();
        let Tail { lines, .. } =
            self.stderr.tail(Duration::from_millis(if exit_status.is_some() { 500 } else { 0 }));
        let message = match exit_status {
            Some(_) => format!("the app-server {} exited", self.name),
            None => format!("the app-server {}: {message}", self.name),
        };
        let mut failure = TransportFailure::new(message);
        failure.exit_status = exit_status;
        failure.stderr_tail = lines;
        failure
    }

    /// Stops the process, escalating from end of input to SIGTERM to SIGKILL. Returns once the child has
    /// been reaped, or if even SIGKILL doesn't end it in time.
    pub(super) fn stop(&self, how: Shutdown) {
        let (end_of_input, term, kill) = match how {
            Shutdown::Orderly => (2000, 1500, 1000),
            Shutdown::Quick => (300, 0, 150),
        };
        if self.exits_within(end_of_input) {
            return;
        }
        if term > 0 {
            log::debug!("{} did not exit when its input ended; sending SIGTERM", self.name);
            terminate_group(&self.child);
            if self.exits_within(term) {
                return;
            }
        }
        self.kill_and_wait(kill);
    }

    fn kill_and_wait(&self, milliseconds: u64) {
        log::debug!("{} did not exit; sending SIGKILL", self.name);
        self.kill();
        if !self.exits_within(milliseconds) {
            log::error!("{} did not exit after SIGKILL", self.name);
        }
    }

    /// Stops a server that doesn't read stdin. After the first SIGTERM the server finishes the running
    /// turn; a second one makes it abandon the turn.
    #[cfg(feature = "websocket")]
    pub(super) fn terminate(&self, how: Shutdown) {
        let (first, second, kill) = match how {
            Shutdown::Orderly => (700, 700, 1000),
            Shutdown::Quick => (100, 0, 150),
        };
        for limit in [first, second] {
            if limit > 0 {
                terminate_group(&self.child);
                if self.exits_within(limit) {
                    return;
                }
            }
        }
        self.kill_and_wait(kill);
    }

    /// Sends SIGKILL to the child and its process group.
    pub(super) fn kill(&self) {
        if !self.has_exited() {
            kill_group(&self.child);
        }
    }

    fn exits_within(&self, milliseconds: u64) -> bool {
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        let _ = self.exited.recv_deadline(deadline);
        self.has_exited()
    }

    /// The lines of stderr, starting with the retained ones. Disconnected once stderr has ended.
    #[cfg(feature = "websocket")]
    pub(super) fn stderr_lines(&self) -> Receiver<String> {
        self.stderr.lines()
    }

    /// Stops the thread that reads stderr.
    pub(super) fn stop_stderr(&self) {
        self.stderr.stop();
    }

    /// Joins the thread that waits for the child, if the child has exited.
    pub(super) fn join(&self) {
        if self.has_exited() {
            join(self.watcher.lock().take());
        }
    }
}

/// Starts the thread that waits for the child.
fn watch(
    child: Arc<SharedChild>,
    status: Arc<OnceLock<ExitStatus>>,
    on_exit: OnExit,
    alive: Sender<()>,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("codex-exit".to_owned()).spawn(move || {
        let ended = child.wait();
        // Otherwise the processes that the child started in its group would be orphaned.
        kill_group(&child);
        match ended {
            Ok(ended) => {
                let on_exit = {
                    let mut on_exit = on_exit.lock();
                    let _ = status.set(ended);
                    on_exit.take()
                };
                drop(alive);
                if let Some(wake) = on_exit {
                    wake();
                }
            }
            Err(error) => log::error!("failed to wait for the app-server to exit: {error}"),
        }
    })
}

/// Puts the child in its own process group: this program decides how to handle Ctrl-C, and the group can
/// be signalled as one.
#[cfg(unix)]
fn isolate(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// Prevents a console window from opening.
#[cfg(windows)]
fn isolate(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NO_WINDOW);
}

#[cfg(not(any(unix, windows)))]
fn isolate(_: &mut Command) {}

#[cfg(unix)]
fn signal_group(child: &SharedChild, signal: rustix::process::Signal) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // Fails if the group no longer exists, which is the desired state.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

#[cfg(unix)]
fn terminate_group(child: &SharedChild) {
    signal_group(child, rustix::process::Signal::TERM);
}

#[cfg(unix)]
fn kill_group(child: &SharedChild) {
    signal_group(child, rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
fn terminate_group(child: &SharedChild) {
    kill_group(child);
}

#[cfg(not(unix))]
fn kill_group(child: &SharedChild) {
    // There is no process group. Fails if the child has already exited.
    let _ = child.kill();
}
