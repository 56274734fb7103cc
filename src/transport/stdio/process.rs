//! The server process: its start, the report of its exit, and the escalation that stops it.
//!
//! Relies on `command`, `child`, `input` and `stderr`. Invariant: a start that fails leaves neither a process
//! nor a thread behind.

use std::{
    process::{ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

#[cfg(any(feature = "websocket", not(unix), test))]
use crossbeam_channel::Receiver;
use shared_child::SharedChild;

use super::{
    super::Shutdown,
    child::{WatchedChild, Watcher},
    command::ResolvedCommand,
    input::{ChildInput, InputEnd},
    stderr::{Stderr, Tail},
};
use crate::error::{Result, TransportFailure};

/// How long a killed child may take to be reaped if it can't be used.
const REAP_LIMIT: Duration = Duration::from_secs(1);

/// The two streams that carry the protocol.
pub(super) struct Streams {
    pub(super) stdin: ChildInput,
    pub(super) stdout: ChildStdout,
}

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
    child: WatchedChild,
    name: String,
    stderr: Stderr,
}

impl Process {
    /// Starts the process. Returns its streams if they carry the protocol.
    ///
    /// If a thread can't be started, the child is not started, or killed and reaped.
    pub(super) fn spawn(
        resolved: &ResolvedCommand,
        channel: ProtocolChannel,
    ) -> Result<(Arc<Process>, Option<Streams>)> {
        let failed = |what: &str, error: std::io::Error| {
            TransportFailure::new(format!("failed to start {what}: {error}"))
                .with_source(error)
                .while_connecting(format!("start {resolved}"))
        };
        let watcher = Watcher::start().map_err(|error| failed("a thread", error))?;
        let mut command = Command::new(&resolved.program);
        command.args(&resolved.arguments).stderr(Stdio::piped());
        resolved.variables.apply(&mut command);
        if let Some(cwd) = &resolved.cwd {
            command.current_dir(cwd);
        }
        let stdin = match channel {
            ProtocolChannel::Stdio => {
                command.stdout(Stdio::piped());
                let stdin = InputEnd::open(&mut command).map_err(|error| failed("the process", error))?;
                Some(stdin)
            }
            #[cfg(feature = "websocket")]
            ProtocolChannel::External => {
                command.stdin(Stdio::null()).stdout(Stdio::null());
                None
            }
        };
        let take_pipes = |child: &SharedChild| {
            (child.take_stderr(), child.take_stdout(), stdin.and_then(|stdin| stdin.of(child)))
        };
        let (child, (stderr, stdout, stdin)) =
            watcher.spawn(&mut command, take_pipes).map_err(|error| failed("the process", error))?;
        // It holds the child's end of stdin, whose closing tells that the child no longer reads.
        drop(command);
        let Some(stderr) = stderr else {
            child.kill_and_wait(REAP_LIMIT);
            return Err(failed("the process", std::io::Error::other("a pipe is missing")));
        };
        let stderr = match Stderr::drain(stderr, resolved.on_stderr.clone()) {
            Ok(stderr) => stderr,
            Err(error) => {
                child.kill_and_wait(REAP_LIMIT);
                return Err(failed("a thread", error));
            }
        };
        let streams = stdin.zip(stdout).map(|(stdin, stdout)| Streams { stdin, stdout });
        let process = Process { name: resolved.to_string(), child, stderr };
        Ok((Arc::new(process), streams))
    }

    /// Disconnected once the child has been reaped.
    #[cfg(any(not(unix), test))]
    pub(super) fn exited(&self) -> Receiver<()> {
        self.child.exited()
    }

    /// Calls `wake` once the child has been reaped, or immediately if it already has been.
    #[cfg(unix)]
    pub(super) fn when_exited(&self, wake: impl Fn() + Send + 'static) {
        self.child.when_exited(wake);
    }

    #[cfg(any(unix, feature = "websocket"))]
    pub(super) fn has_exited(&self) -> bool {
        self.child.has_exited()
    }

    /// The process id, until the process has been reaped.
    pub(super) fn pid(&self) -> Option<u32> {
        let pid = self.child.shared().id();
        (!self.child.has_exited()).then_some(pid)
    }

    /// Kills the process and releases its threads, because the connection couldn't be set up.
    pub(super) fn abandon(&self) {
        self.child.kill_and_wait(REAP_LIMIT);
        self.stop_stderr();
        self.join();
    }

    /// Describes why the connection ended, with the child's exit status and its last stderr lines, which may
    /// arrive after the end of its output: waits up to 0.5 s for the exit and, after an exit, up to 0.5 s
    /// for the end of stderr.
    pub(super) fn exit_report(&self, message: &str) -> TransportFailure {
        let wait = Duration::from_millis(500);
        let has_exited = self.child.exits_within(wait);
        let exit_status = self.child.exit_status();
        let Tail { lines, .. } = self.stderr.tail(if has_exited { wait } else { Duration::ZERO });
        let message = match exit_status {
            Some(_) => format!("the app-server {} exited", self.name),
            None if has_exited => format!(
                "the app-server {} exited; its exit status is unknown, because this program ignores SIGCHLD, \
                 or waits for all child processes itself",
                self.name
            ),
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
            self.child.terminate();
            if self.exits_within(term) {
                return;
            }
        }
        self.kill_and_wait(kill);
    }

    fn kill_and_wait(&self, milliseconds: u64) {
        log::debug!("{} did not exit; sending SIGKILL", self.name);
        if !self.child.kill_and_wait(Duration::from_millis(milliseconds)) {
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
                self.child.terminate();
                if self.exits_within(limit) {
                    return;
                }
            }
        }
        self.kill_and_wait(kill);
    }

    fn exits_within(&self, milliseconds: u64) -> bool {
        self.child.exits_within(Duration::from_millis(milliseconds))
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
        self.child.join();
    }
}
