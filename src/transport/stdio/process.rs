//! The life of the child: its start, its exit, and the ladder by which it is stopped.
//!
//! Relies on `command` and `stderr`. Invariant: the child is waited for by a thread of its own
//! from the moment it runs, so that it is reaped whoever lets go of it, and its exit is known
//! though a grandchild still holds its pipes.

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

/// The two pipes by which the protocol is spoken.
pub(super) struct Streams {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
}

impl Speaks {
    fn stream(self) -> Stdio {
        match self {
            Speaks::OnStreams => Stdio::piped(),
            #[cfg(feature = "websocket")]
            Speaks::Elsewhere => Stdio::null(),
        }
    }
}

/// What to call when the child has been reaped.
type OnExit = Arc<Mutex<Option<Box<dyn Fn() + Send>>>>;

/// How the protocol is spoken with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    /// Over its standard streams.
    OnStreams,
    /// Somewhere else: those stay closed.
    #[cfg(feature = "websocket")]
    Elsewhere,
}

/// A running or ended server.
pub(super) struct Process {
    child: Arc<SharedChild>,
    name: String,
    status: Arc<OnceLock<ExitStatus>>,
    /// Disconnected when the child has been reaped.
    exited: Receiver<()>,
    /// What to wake when that happens.
    on_exit: OnExit,
    stderr: Stderr,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

impl Process {
    /// Runs it, and gives the streams by which the protocol is spoken, if it is.
    pub(super) fn spawn(
        resolved: &ResolvedCommand,
        speaks: Speaks,
    ) -> Result<(Arc<Process>, Option<Streams>)> {
        let failed = |error: std::io::Error| {
            TransportFailure::new("it could not be run")
                .with_source(error)
                .while_connecting(format!("start {resolved}"))
        };
        let mut command = Command::new(&resolved.program);
        command
            .args(&resolved.arguments)
            .envs(resolved.env.iter().map(|(name, value)| (name, value)))
            .stdin(speaks.stream())
            .stdout(speaks.stream())
            .stderr(Stdio::piped());
        if let Some(cwd) = &resolved.cwd {
            command.current_dir(cwd);
        }
        apart(&mut command);
        let child = Arc::new(SharedChild::spawn(&mut command).map_err(failed)?);
        let streams = child.take_stdin().zip(child.take_stdout());
        let streams = streams.map(|(stdin, stdout)| Streams { stdin, stdout });
        let Some(stderr) = child.take_stderr().filter(|_| streams.is_some() == (speaks == Speaks::OnStreams))
        else {
            let _ = child.kill();
            return Err(failed(std::io::Error::other("a pipe of it is missing")));
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

    /// Calls `wake` once the child has been reaped; at once if that has happened.
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

    /// Why the connection is over: what ended it, how the child exited, its last words. Waits a
    /// moment for the last two, which arrive by other ways than the end of its output.
    pub(super) fn obituary(&self, message: &str) -> TransportFailure {
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

    /// The ladder. Returns when the child has been reaped, or when even KILL did not end it in time.
    pub(super) fn stop(&self, how: Shutdown) {
        let (end_of_input, term, kill) = match how {
            Shutdown::Orderly => (2000, 1500, 1000),
            Shutdown::Quick => (300, 0, 150),
        };
        if self.exits_within(end_of_input) {
            return;
        }
        if term > 0 {
            log::debug!("{} did not end with its input; it is asked to terminate", self.name);
            terminate_group(&self.child);
            if self.exits_within(term) {
                return;
            }
        }
        self.kill_and_wait(kill);
    }

    fn kill_and_wait(&self, milliseconds: u64) {
        log::debug!("{} did not end by itself; it is killed", self.name);
        self.kill();
        if !self.exits_within(milliseconds) {
            log::error!("{} did not end though it was killed", self.name);
        }
    }

    /// The ladder for a server that has no input to end. It goes on with a turn when it is asked to
    /// terminate once; when it is asked again it gives that up.
    #[cfg(feature = "websocket")]
    pub(super) fn terminate(&self, how: Shutdown) {
        let (first, second, kill) = match how {
            Shutdown::Orderly => (700, 700, 1000),
            Shutdown::Quick => (100, 0, 150),
        };
        for patience in [first, second] {
            if patience > 0 {
                terminate_group(&self.child);
                if self.exits_within(patience) {
                    return;
                }
            }
        }
        self.kill_and_wait(kill);
    }

    /// KILL to the child and all of its group.
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

    /// The lines of stderr, those that are kept first; disconnected when there will be no more.
    #[cfg(feature = "websocket")]
    pub(super) fn stderr_lines(&self) -> Receiver<String> {
        self.stderr.lines()
    }

    /// Ends the thread that reads stderr.
    pub(super) fn stop_stderr(&self) {
        self.stderr.stop();
    }

    /// Joins the thread that waits for the child, once that is gone.
    pub(super) fn join(&self) {
        if self.has_exited() {
            join(self.watcher.lock().take());
        }
    }
}

/// The thread that waits for the child.
fn watch(
    child: Arc<SharedChild>,
    status: Arc<OnceLock<ExitStatus>>,
    on_exit: OnExit,
    alive: Sender<()>,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("codex-exit".to_owned()).spawn(move || {
        let ended = child.wait();
        // What it started in its group would be orphaned.
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
            Err(error) => log::error!("waiting for the app-server failed: {error}"),
        }
    })
}

/// A group of its own: a Ctrl-C at the terminal is for this program to handle, and the group can
/// be ended as one.
#[cfg(unix)]
fn apart(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// No console window opens for it.
#[cfg(windows)]
fn apart(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NO_WINDOW);
}

#[cfg(not(any(unix, windows)))]
fn apart(_: &mut Command) {}

#[cfg(unix)]
fn signal_group(child: &SharedChild, signal: rustix::process::Signal) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It fails when the group is gone, which is what is wanted.
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
    // There is no group; it fails when the child is gone.
    let _ = child.kill();
}
