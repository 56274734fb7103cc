//! A server that runs as a child process and listens on an address instead of using its standard streams.
//!
//! Relies on `command` and `process`. Invariant: the process ends when this value is dropped, as the
//! child of `Stdio` ends with its connection.

use std::sync::Arc;

use crossbeam_channel::RecvTimeoutError;

use super::{
    Stdio, command,
    process::{Process, ProtocolChannel},
};
use crate::{
    deadline::{Deadline, recv_until},
    error::{Result, Timeout, TransportFailure},
    transport::Shutdown,
};

/// The text that precedes the address on stderr.
const BANNER: &str = "listening on: ";

/// The process of a listening server.
pub(in crate::transport) struct Daemon {
    process: Arc<Process>,
    name: String,
}

impl Daemon {
    pub(in crate::transport) fn start(stdio: &Stdio) -> Result<Daemon> {
        let command = command::resolve(&stdio.command)?;
        let (process, _) = Process::spawn(&command, ProtocolChannel::External)?;
        Ok(Daemon { process, name: command.to_string() })
    }

    /// Waits until the server prints the URL on which it listens.
    pub(in crate::transport) fn address(&self, deadline: Deadline) -> Result<String> {
        let lines = self.process.stderr_lines();
        loop {
            match recv_until(&lines, deadline.at()) {
                Ok(line) => {
                    let url = line.split_once(BANNER).and_then(|(_, url)| url.split_whitespace().next());
                    if let Some(url) = url {
                        return Ok(url.to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(deadline.error(Timeout::Connect)),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self
                        .process
                        .exit_report("it closed its stderr without printing its address")
                        .while_connecting(format!("start {}", self.name)));
                }
            }
        }
    }

    pub(in crate::transport) fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Adds the exit status, if the process has exited, and the last stderr lines to a connection's
    /// failure.
    pub(in crate::transport) fn explain(&self, failure: &mut TransportFailure) {
        let exit_report = self.process.exit_report(&failure.message);
        if self.process.has_exited() {
            failure.message = exit_report.message;
        }
        failure.exit_status = exit_report.exit_status;
        failure.stderr_tail = exit_report.stderr_tail;
    }

    /// Stops the process. Returns once it has been reaped, or if even SIGKILL doesn't end it in time.
    pub(in crate::transport) fn stop(&self, how: Shutdown) {
        self.process.terminate(how);
        self.process.stop_stderr();
        self.process.join();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop(Shutdown::Quick);
    }
}
