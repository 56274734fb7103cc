//! A command that runs on the server, as an iterator over what it writes.
//!
//! Relies on `handle` and `registry`. Invariant: its pieces come in order and without a gap, its end
//! comes last, and dropping it ends the command.

use std::{
    collections::VecDeque,
    fmt,
    iter::FusedIterator,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;

use super::{CommandHandle, CommandOutput, registry::CommandEnd};
use crate::{
    deadline::{Deadline, earlier},
    error::{Error, Result, Timeout},
    protocol::{ClientRequest, CommandExecOutputStream, CommandExecParams, CommandExecResponse},
    rpc::{RawReply, Taken},
};

/// A command that runs on the server: an iterator over what it writes, from
/// [`Client::spawn_command`](crate::Client::spawn_command).
///
/// `next` blocks until the command writes something or ends, at the longest for the command's limit
/// ([`ExecOptions::timeout`](crate::ExecOptions::timeout)) and the request limit together. When
/// the iterator ends, [`wait`](Self::wait) tells how the command did.
///
/// What is not read is kept, within
/// [`max_buffered_bytes`](crate::ClientBuilder::max_buffered_bytes); past that the command that holds
/// the most loses what it has written ([`Error::OutputFull`]), and is terminated if it still runs.
///
/// Dropping it terminates a command that still runs, and waits for nothing. It is `Send`: read it on
/// any thread. [`handle`](Self::handle) gives a handle with which other threads write to the command
/// or terminate it meanwhile.
#[must_use = "dropping it terminates the command"]
pub struct RunningCommand {
    handle: CommandHandle,
    deadline: Deadline,
    /// Output that came with the reply.
    rest: VecDeque<CommandOutput>,
    /// The exit code, or why there is none; `None` while it runs.
    outcome: Option<Result<i32>>,
}

/// How a command ended, from [`RunningCommand::wait`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct CommandExit {
    /// The command's exit code. 124: it ran for longer than its limit. 137: it was terminated (in a
    /// terminal the code is 1, and from older servers -1). 101: the sandbox could not run it, and says
    /// why on `stderr`; mostly there is no such program.
    pub exit_code: i32,
    /// The output that had not been read, in order.
    pub unread: Vec<CommandOutput>,
}

impl CommandExit {
    /// What of the unread output was written to `stdout`.
    pub fn stdout(&self) -> Vec<u8> {
        self.written_to(&CommandExecOutputStream::Stdout)
    }

    /// What of the unread output was written to `stderr`.
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
        RunningCommand { handle, deadline, rest: VecDeque::new(), outcome: None }
    }

    /// The command's name on this connection: the protocol's `processId`. Made by this client; it is
    /// not the operating system's.
    pub fn process_id(&self) -> &str {
        self.handle.process_id()
    }

    /// A handle for other threads: to write to the command or terminate it while this one reads.
    pub fn handle(&self) -> CommandHandle {
        self.handle.clone()
    }

    /// The next piece of output if it is there already. Never waits. [`is_ended`](Self::is_ended)
    /// tells "nothing yet" from "over".
    pub fn try_next(&mut self) -> Option<CommandOutput> {
        self.next_timeout(Duration::ZERO)
    }

    /// The next piece of output; waits for it as long as that. [`is_ended`](Self::is_ended) tells
    /// "nothing yet" from "over".
    pub fn next_timeout(&mut self, limit: Duration) -> Option<CommandOutput> {
        self.next_before(Deadline::after(Some(limit)).at())
    }

    /// Whether nothing more will come out of this iterator, as far as was noticed by reading.
    pub fn is_ended(&self) -> bool {
        self.rest.is_empty() && self.outcome.is_some()
    }

    /// A channel for `select!`, of capacity 1: a message is put in when something comes, and by each
    /// [`try_next`](Self::try_next) after which there may be more. It is disconnected after the end was taken.
    pub fn ready(&self) -> Receiver<()> {
        self.handle.log.ready()
    }

    /// Writes to the command's input.
    ///
    /// The server takes it all and hands it on as the command reads. It travels as one message, so a
    /// file of many megabytes is better written in pieces. Blocks for the request limit at the
    /// longest.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when the command has ended; [`Error::InvalidInput`] when it was not
    /// spawned with [`stream_stdin`](crate::ExecOptions::stream_stdin) or
    /// [`tty`](crate::ExecOptions::tty); [`Error::Rpc`] when its input is closed; [`Error::Timeout`],
    /// [`Error::Transport`], [`Error::Closed`].
    pub fn write(&self, data: &[u8]) -> Result<()> {
        self.handle.write(data)
    }

    /// Closes the command's input, so that it reads to an end; in a terminal, sends the end of file.
    /// What was written before arrives. Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn close_stdin(&self) -> Result<()> {
        self.handle.close_stdin()
    }

    /// Gives the command's terminal another size, both above 0. Blocks for the request limit at the
    /// longest.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when the command has ended; [`Error::InvalidInput`] for a size of 0,
    /// and when the command was spawned without [`tty`](crate::ExecOptions::tty); [`Error::Timeout`],
    /// [`Error::Transport`], [`Error::Closed`].
    pub fn resize(&self, rows: u16, cols: u16) -> Result<()> {
        self.handle.resize(rows, cols)
    }

    /// Kills the command and what it started; its end is still to be read, and its exit code is 137.
    /// A command that has ended already is no error. Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// [`Error::Rpc`] when the server refuses, [`Error::Timeout`], [`Error::Transport`],
    /// [`Error::Closed`].
    pub fn terminate(&self) -> Result<()> {
        self.handle.terminate()
    }

    /// Waits until the command ends, and gives its exit code with the output that had not been read.
    ///
    /// Does not close its input: a command that reads until then needs
    /// [`close_stdin`](Self::close_stdin) first. Blocks as [`next`](Iterator::next) does. Until it
    /// returns, output is kept as if it was not read.
    ///
    /// # Errors
    /// What kept the command from running: [`Error::Rpc`] (no such folder, say; or the server has too
    /// much to do, which [`is_retryable`](Error::is_retryable)). What ended the iterator before its
    /// time: [`Error::Timeout`] when no end came, [`Error::OutputFull`], [`Error::Decode`] for output
    /// that can't be read, [`Error::Transport`], [`Error::Closed`]. What had not been read is gone then,
    /// and a command that still runs is terminated.
    pub fn wait(mut self) -> Result<CommandExit> {
        let mut unread = Vec::new();
        // One that goes on writing past its limit is not read to an end that may never come.
        if self.outcome.is_some() || self.handle.log.wait_until_ended(self.deadline.at()) {
            unread.extend(self.by_ref());
        }
        // Taken, it is told: the drop has nothing to say of it.
        let exit_code = self.outcome.take().unwrap_or_else(|| Err(self.timeout()))?;
        Ok(CommandExit { exit_code, unread })
    }

    fn next_before(&mut self, until: Option<Instant>) -> Option<CommandOutput> {
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
        // A server that did not stream tells everything here.
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
        self.deadline.error(Timeout::Request { method: CommandExecParams::METHOD.to_owned() })
    }
}

impl Iterator for RunningCommand {
    type Item = CommandOutput;

    fn next(&mut self) -> Option<CommandOutput> {
        self.next_before(None)
    }
}

impl FusedIterator for RunningCommand {}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        if let Some(Err(error)) = &self.outcome {
            log::error!("nobody asked how command {} failed: {error}", self.process_id());
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
