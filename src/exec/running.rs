//! A command that runs on the server, as an iterator over its output.
//!
//! Relies on `handle` and `registry`. Invariant: chunks arrive in order and without a gap, the end comes
//! last, and dropping the iterator terminates the command.

use std::{
    collections::VecDeque,
    fmt,
    iter::FusedIterator,
    time::{Duration, Instant},
};

use super::{CommandHandle, CommandOutput, registry::CommandEnd};
use crate::{
    deadline::{Deadline, earlier},
    error::{Error, Result, Timeout},
    excerpt::abridged_debug,
    protocol::{ClientRequest, CommandExecOutputStream, CommandExecParams, CommandExecResponse},
    rpc::{RawReply, Readiness, Signal, Taken, impl_as_fd, readiness_methods},
};

/// A command that runs on the server, as an iterator over its output. Returned by
/// [`Client::spawn_command`](crate::Client::spawn_command).
///
/// `next` blocks until the command writes something or ends, for at most the sum of the command's limit
/// ([`ExecOptions::timeout`](crate::ExecOptions::timeout)) and the request limit. After the iterator has
/// ended, [`wait`](Self::wait) returns the exit code.
///
/// Unread output is buffered, within [`max_buffered_bytes`](crate::ClientBuilder::max_buffered_bytes). Above
/// that limit, the command with the largest buffer loses its output ([`Error::OutputFull`]), and is
/// terminated if it still runs.
///
/// Dropping it terminates a command that still runs, without waiting. It is `Send`: read it on any thread.
/// Other threads write to the command or terminate it with a [`handle`](Self::handle).
#[must_use = "dropping it terminates the command"]
pub struct RunningCommand {
    handle: CommandHandle,
    deadline: Deadline,
    /// Output contained in the reply.
    rest: VecDeque<CommandOutput>,
    /// The exit code, or why there is none; `None` while the command runs.
    outcome: Option<Result<i32>>,
    signal: Signal,
}

/// The exit of a command, from [`RunningCommand::wait`].
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct CommandExit {
    /// The command's exit code. 124: the command exceeded its time limit. 137: it was terminated (in a
    /// terminal the code is 1, and with older servers -1). 101: the sandbox could not run it, usually because
    /// the program doesn't exist; `stderr` contains the reason.
    pub exit_code: i32,
    /// The output that had not been read, in order.
    pub unread: Vec<CommandOutput>,
}

abridged_debug!(struct CommandExit { exit_code, unread });

impl CommandExit {
    /// The unread output on `stdout`.
    pub fn stdout(&self) -> Vec<u8> {
        self.written_to(&CommandExecOutputStream::Stdout)
    }

    /// The unread output on `stderr`.
    pub fn stderr(&self) -> Vec<u8> {
        self.written_to(&CommandExecOutputStream::Stderr)
    }

    fn written_to(&self, stream: &CommandExecOutputStream) -> Vec<u8> {
        let pieces = self.unread.iter().filter(|piece| piece.stream == *stream);
        pieces.flat_map(|piece| &piece.data).copied().collect()
    }
}

impl RunningCommand {
    pub(crate) fn new(handle: CommandHandle, deadline: Deadline) -> Self {
        let (rest, signal) = (VecDeque::new(), Signal::default());
        let command = RunningCommand { handle, deadline, rest, outcome: None, signal };
        if command.handle.log.mailbox().notifier().tells_changes() {
            command.arm();
        }
        command
    }

    /// Has the program told of the deadline, whether or not anybody reads.
    fn arm(&self) {
        if let Some(at) = self.deadline.at() {
            self.handle.log.wake_at(at);
        }
    }

    /// The command's identifier on this connection: the protocol's `processId`. The client generates it; it
    /// is not the operating system's process id.
    pub fn process_id(&self) -> &str {
        self.handle.process_id()
    }

    /// Returns a handle with which other threads write to the command or terminate it while this one reads.
    pub fn handle(&self) -> CommandHandle {
        self.handle.clone()
    }

    /// Returns the next chunk of output if there is one. Never blocks. [`is_ended`](Self::is_ended)
    /// distinguishes "nothing yet" from the end.
    pub fn try_next(&mut self) -> Option<CommandOutput> {
        self.next_timeout(Duration::ZERO)
    }

    /// Returns the next chunk of output, waiting for at most `limit`. [`is_ended`](Self::is_ended)
    /// distinguishes "nothing yet" from the end.
    pub fn next_timeout(&mut self, limit: Duration) -> Option<CommandOutput> {
        self.next_before(Deadline::after(Some(limit)).at())
    }

    /// Returns `true` if reading has reached the end: the iterator yields nothing more.
    pub fn is_ended(&self) -> bool {
        self.rest.is_empty() && self.outcome.is_some()
    }

    readiness_methods!();

    fn readiness(&self) -> &Readiness {
        let mailbox = self.handle.log.mailbox();
        self.signal.ask(mailbox.notifier(), |readiness| {
            if self.outcome.is_none() {
                mailbox.attach(readiness, !self.rest.is_empty());
                self.arm();
            } else if self.is_ended() {
                readiness.raise();
                readiness.end();
            } else {
                readiness.raise();
            }
        })
    }

    /// Writes to the command's input.
    ///
    /// The server accepts all the data and passes it on as the command reads. The data is sent as one
    /// message, so write files of many megabytes in parts. Blocks for at most the request limit.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the command has ended; [`Error::InvalidInput`] if it was not spawned
    /// with [`stream_stdin`](crate::ExecOptions::stream_stdin) or [`tty`](crate::ExecOptions::tty);
    /// [`Error::Rpc`] if its input is closed; [`Error::Timeout`], [`Error::Transport`], [`Error::Closed`].
    pub fn write(&self, data: &[u8]) -> Result<()> {
        self.handle.write(data)
    }

    /// Closes the command's input, so that the command reads end of file; in a terminal, sends the
    /// end-of-file character. Data written before still arrives. Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`write`](Self::write).
    pub fn close_stdin(&self) -> Result<()> {
        self.handle.close_stdin()
    }

    /// Resizes the command's terminal; both numbers must be greater than 0. Blocks for at most the request
    /// limit.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the command has ended; [`Error::InvalidInput`] if a number is 0, or if
    /// the command was spawned without [`tty`](crate::ExecOptions::tty); [`Error::Timeout`],
    /// [`Error::Transport`], [`Error::Closed`].
    pub fn resize(&self, rows: u16, cols: u16) -> Result<()> {
        self.handle.resize(rows, cols)
    }

    /// Kills the command and the processes that it started. Its end can still be read; the exit code is 137.
    /// It is not an error if the command has already ended. Blocks for at most the request limit.
    ///
    /// # Errors
    /// [`Error::Rpc`] if the server rejects the request, [`Error::Timeout`], [`Error::Transport`],
    /// [`Error::Closed`].
    pub fn terminate(&self) -> Result<()> {
        self.handle.terminate()
    }

    /// Waits until the command ends, and returns its exit code with the unread output.
    ///
    /// Does not close the input: for a command that reads its input to the end, call
    /// [`close_stdin`](Self::close_stdin) first. Blocks like [`next`](Iterator::next). Until it returns,
    /// output is buffered as unread.
    ///
    /// # Errors
    /// If the command could not run: [`Error::Rpc`], for example because the working directory doesn't exist,
    /// or because the server is overloaded ([`is_retryable`](Error::is_retryable)). If the iterator ended
    /// early: [`Error::Timeout`] if no end arrived, [`Error::OutputFull`], [`Error::Decode`] for output that
    /// can't be decoded, [`Error::Transport`], [`Error::Closed`]. In these cases unread output is lost, and a
    /// command that still runs is terminated.
    pub fn wait(mut self) -> Result<CommandExit> {
        let mut unread = Vec::new();
        self.handle.connection.check_process(CommandExecParams::METHOD)?;
        // A command that keeps writing after its limit is not read to an end that may never arrive.
        if self.outcome.is_some() || self.handle.log.wait_until_ended(self.deadline.at()) {
            unread.extend(self.by_ref());
        }
        // Taken, and so reported: dropping doesn't log it again.
        let exit_code = self.outcome.take().unwrap_or_else(|| Err(self.timeout()))?;
        Ok(CommandExit { exit_code, unread })
    }

    fn next_before(&mut self, until: Option<Instant>) -> Option<CommandOutput> {
        let output = self.pull(until);
        if let Some(readiness) = self.signal.asked() {
            readiness.took(self.is_ended(), || !self.rest.is_empty() || self.handle.log.mailbox().has_any());
        }
        output
    }

    fn pull(&mut self, until: Option<Instant>) -> Option<CommandOutput> {
        loop {
            if self.rest.is_empty() && self.outcome.is_none() {
                match self.handle.log.take(earlier(until, self.deadline.at())) {
                    Taken::Item(text) => match CommandOutput::decode(text.get()) {
                        Ok(piece) => return Some(piece),
                        Err(error) => self.outcome = Some(Err(error)),
                    },
                    Taken::Ended(CommandEnd::Replied(reply)) => self.outcome = Some(self.exit_code(&reply)),
                    Taken::Ended(CommandEnd::Lost(reason)) => self.outcome = Some(Err(reason)),
                    Taken::Empty if self.deadline.has_passed() => self.outcome = Some(Err(self.timeout())),
                    Taken::Empty => return None,
                }
                continue;
            }
            return self.rest.pop_front();
        }
    }

    fn exit_code(&mut self, reply: &RawReply) -> Result<i32> {
        let CommandExecResponse { exit_code, stdout, stderr, .. } =
            reply.decode(CommandExecParams::METHOD)?;
        // A server that did not stream returns all output here.
        for (stream, text) in
            [(CommandExecOutputStream::Stdout, stdout), (CommandExecOutputStream::Stderr, stderr)]
        {
            if !text.is_empty() {
                self.rest.push_back(CommandOutput { stream, data: text.into_bytes(), cap_reached: false });
            }
        }
        Ok(exit_code)
    }

    fn timeout(&self) -> Error {
        let error = self.deadline.error(Timeout::Request { method: CommandExecParams::METHOD.to_owned() });
        error.with_note(self.handle.log.unassigned_errors())
    }
}

impl Iterator for RunningCommand {
    type Item = CommandOutput;

    fn next(&mut self) -> Option<CommandOutput> {
        self.next_before(None)
    }
}

impl FusedIterator for RunningCommand {}

impl_as_fd!([] RunningCommand);

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // There the command is somebody else's, and so may be the locks of the logger.
        if self.handle.connection.is_forked() {
            return;
        }
        if let Some(Err(error)) = &self.outcome {
            log::error!("unhandled failure of command {}: {error}", self.process_id());
        }
        self.handle.log.abandon();
    }
}

impl fmt::Debug for RunningCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningCommand")
            .field("process_id", &self.process_id())
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
