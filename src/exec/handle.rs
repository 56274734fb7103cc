//! Controls a running command from any thread.
//!
//! Relies on `rpc`. Invariant: a command that has ended is distinguished from one that refuses a request.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{options::terminal_size, output::encode, registry::CommandLog};
use crate::{
    deadline::{Deadline, earlier},
    error::{Error, Result},
    protocol::{ClientRequest, CommandExecResizeParams, CommandExecTerminateParams, CommandExecWriteParams},
    rpc::{Call, Class, Connection},
};

/// How long after a rejection the end of the command may still arrive.
const END_PATIENCE: Duration = Duration::from_millis(500);

/// A handle to a running command, to write to it or terminate it from any thread while another one reads it.
/// Returned by [`RunningCommand::handle`](crate::RunningCommand::handle).
///
/// It keeps the connection open, but not the command running: the command is terminated when its
/// [`RunningCommand`](crate::RunningCommand) is dropped.
#[must_use = "a handle does nothing by itself"]
#[derive(Clone)]
pub struct CommandHandle {
    pub(crate) connection: Connection,
    pub(crate) log: Arc<CommandLog>,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) has_stdin: bool,
    pub(crate) has_tty: bool,
}

impl CommandHandle {
    /// The command's identifier on this connection: the protocol's `processId`. The client generates it; it
    /// is not the operating system's process id.
    pub fn process_id(&self) -> &str {
        &self.log.process_id
    }

    /// Returns `true` if the command's end has arrived. Earlier output may not have been read yet.
    pub fn is_over(&self) -> bool {
        self.log.has_ended()
    }

    /// Same as [`RunningCommand::write`](crate::RunningCommand::write).
    ///
    /// # Errors
    /// Same as [`RunningCommand::write`](crate::RunningCommand::write).
    pub fn write(&self, data: &[u8]) -> Result<()> {
        self.check_stdin()?;
        self.ask(CommandExecWriteParams::new(self.process_id()).delta_base64(encode(data)))
    }

    /// Same as [`RunningCommand::close_stdin`](crate::RunningCommand::close_stdin).
    ///
    /// # Errors
    /// Same as [`RunningCommand::close_stdin`](crate::RunningCommand::close_stdin).
    pub fn close_stdin(&self) -> Result<()> {
        self.check_stdin()?;
        self.ask(CommandExecWriteParams::new(self.process_id()).close_stdin(true))
    }

    /// Same as [`RunningCommand::resize`](crate::RunningCommand::resize).
    ///
    /// # Errors
    /// Same as [`RunningCommand::resize`](crate::RunningCommand::resize).
    pub fn resize(&self, rows: u16, cols: u16) -> Result<()> {
        if !self.has_tty {
            return Err(Error::invalid(
                "the command does not run in a terminal: spawn it with `ExecOptions::tty`",
            ));
        }
        self.ask(CommandExecResizeParams::new(self.process_id(), terminal_size(rows, cols)?))
    }

    /// Same as [`RunningCommand::terminate`](crate::RunningCommand::terminate).
    ///
    /// # Errors
    /// Same as [`RunningCommand::terminate`](crate::RunningCommand::terminate).
    pub fn terminate(&self) -> Result<()> {
        match self.ask(CommandExecTerminateParams::new(self.process_id())) {
            // The command has ended, which is what was requested.
            Err(Error::NoLongerPending { .. }) => Ok(()),
            outcome => outcome,
        }
    }

    fn check_stdin(&self) -> Result<()> {
        match self.has_stdin {
            true => Ok(()),
            false => Err(Error::invalid(
                "the command's input is empty: spawn it with `ExecOptions::stream_stdin(true)`",
            )),
        }
    }

    fn ask<P: ClientRequest>(&self, params: P) -> Result<()> {
        self.connection.check_process(P::METHOD)?;
        if self.is_over() {
            return Err(self.no_longer_pending());
        }
        let deadline = Deadline::after(self.request_timeout);
        let call = Call { method: P::METHOD, params, class: Class::Control, deadline };
        let reply = self.connection.call(&call)?;
        let refusal = match reply.result(P::METHOD) {
            Ok(_) => return Ok(()),
            Err(refusal) => refusal,
        };
        // The server rejects with the same message whatever the reason, and as soon as the command has ended,
        // although it reports the end only after the rest of the output.
        let patience = Instant::now() + END_PATIENCE;
        match self.log.wait_until_ended(earlier(deadline.at(), Some(patience))) {
            true => Err(self.no_longer_pending()),
            false => Err(refusal),
        }
    }

    fn no_longer_pending(&self) -> Error {
        match self.connection.has_ended() {
            true => self.connection.error(&format!("command {}", self.process_id())),
            false => Error::no_longer_pending(format!("command {} has ended", self.process_id())),
        }
    }
}

impl fmt::Debug for CommandHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandHandle")
            .field("process_id", &self.process_id())
            .field("is_over", &self.is_over())
            .finish_non_exhaustive()
    }
}
