//! A server that runs as a child, and listens on an address of its own instead of its streams.
//!
//! Relies on `command` and `process`. Invariant: it ends with this value, as the child of `Stdio`
//! does with its connection.

use std::sync::Arc;

use crossbeam_channel::RecvTimeoutError;

use super::{
    Stdio, command,
    process::{Process, Speaks},
};
use crate::{
    deadline::{Deadline, recv_until},
    error::{Result, Timeout, TransportFailure},
    transport::Shutdown,
};

/// What the server says on stderr before its address.
const BANNER: &str = "listening on: ";

/// The server's process.
pub(in crate::transport) struct Daemon {
    process: Arc<Process>,
    name: String,
}

impl Daemon {
    pub(in crate::transport) fn start(stdio: &Stdio) -> Result<Daemon> {
        let command = command::resolve(stdio.argv.as_deref(), &stdio.env, stdio.cwd.as_deref())?;
        let (process, _) = Process::spawn(&command, Speaks::Elsewhere)?;
        Ok(Daemon { process, name: command.to_string() })
    }

    /// Waits until it says where it listens: a URL.
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
                        .obituary("it closed its stderr without saying where it listens")
                        .while_connecting(format!("start {}", self.name)));
                }
            }
        }
    }

    /// Adds to the failure of a connection how the process ended, if it did, and its last words.
    pub(in crate::transport) fn explain(&self, failure: &mut TransportFailure) {
        let obituary = self.process.obituary(&failure.message);
        if obituary.exit_status.is_some() {
            failure.message = obituary.message;
        }
        failure.exit_status = obituary.exit_status;
        failure.stderr_tail = obituary.stderr_tail;
    }

    /// Ends it. Returns when it has been reaped, or when even KILL did not end it in time.
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
