//! Commands on the server: run to completion, or spawned with a handle.
//!
//! Relies on `exec`. Invariant: what can be rejected without the server is rejected before anything is sent,
//! and every wait is limited unless the command has no limit.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::{Client, Reply};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
    exec::{CommandHandle, ExecOptions, RunningCommand},
    protocol::CommandExecResponse,
};

/// The first server that streams commands. Older servers support a command's working directory, time limit
/// and sandbox, and silently ignore all other options.
const STREAMS_SINCE: (u32, u32) = (0, 113);

impl Client {
    /// Runs a command on the server, outside of any thread and without the agent, and returns its exit code
    /// and output after it has ended.
    ///
    /// `argv` is the program and its arguments; no shell is involved. The exit code is the command's own, 124
    /// if it exceeded its [`timeout`](ExecOptions::timeout) (10 s by default), and 101 if the sandbox did not
    /// find the program. The first MiB of each output stream is kept
    /// ([`output_bytes_cap`](ExecOptions::output_bytes_cap)), with invalid UTF-8 replaced;
    /// [`spawn_command`](Self::spawn_command) returns the bytes.
    ///
    /// Blocks until the command has ended, for at most the sum of its limit and the request limit (30 s by
    /// default), or indefinitely if the command has no limit. At most 16 long-running requests are in flight
    /// at a time; others wait for a permit, within that limit.
    ///
    /// ```
    /// # use codex_blocking::testing::ScriptedServer;
    /// # let client = ScriptedServer::new()
    /// #     .on_request("command/exec", |_| {
    /// #         Ok(serde_json::json!({ "exitCode": 0, "stdout": "Cargo.toml\n", "stderr": "" }))
    /// #     })
    /// #     .client()?;
    /// use std::time::Duration;
    /// use codex_blocking::ExecOptions;
    ///
    /// let options = ExecOptions::new().cwd("/my/project").timeout(Duration::from_secs(5));
    /// let reply = client.exec_command(["ls", "-a"], options)?;
    /// assert_eq!(reply.exit_code, 0);
    /// print!("{}", reply.stdout);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request): [`Error::Rpc`] if the command can't be started (the working
    /// directory doesn't exist; without a sandbox, the program doesn't exist). [`Error::InvalidInput`] for an
    /// empty `argv`, for options that require a spawned command, and on servers before 0.113 for all options
    /// but `cwd`, `timeout` and `sandbox_policy`, which those servers ignore.
    pub fn exec_command<S: Into<String>>(
        &self,
        argv: impl IntoIterator<Item = S>,
        options: ExecOptions,
    ) -> Result<Reply<CommandExecResponse>> {
        let deadline = Deadline::after(options.wait_limit(self.request_timeout));
        let needs_streams = options.need_streams();
        let params = options.into_params(argv, None)?;
        self.check_server(needs_streams, self.deadline())?;
        self.call_until(params, deadline)
    }

    /// Starts a command on the server, like [`exec_command`](Self::exec_command), and immediately returns an
    /// iterator over its output, with methods to write to the command, terminate it and wait for it.
    ///
    /// The command runs for at most 10 s unless [`timeout`](ExecOptions::timeout) is set, and is terminated
    /// when the returned value is dropped. Its input is empty without
    /// [`stream_stdin`](ExecOptions::stream_stdin).
    ///
    /// Blocks until the request has been sent, for at most the request limit. At most 16 long-running
    /// requests are in flight at a time; a command is one of them until it ends.
    /// [`wait`](RunningCommand::wait) reports whether the command could be started, and whether the server
    /// rejected it as overloaded: unlike [`exec_command`](Self::exec_command), this does not retry. That
    /// error [`is_retryable`](Error::is_retryable).
    ///
    /// ```
    /// # use codex_blocking::testing::ScriptedServer;
    /// # let client = ScriptedServer::new()
    /// #     .on_request("command/exec", |_| {
    /// #         Ok(serde_json::json!({ "exitCode": 0, "stdout": "ok\n", "stderr": "" }))
    /// #     })
    /// #     .client()?;
    /// use std::{io::Write, time::Duration};
    /// use codex_blocking::ExecOptions;
    ///
    /// let options = ExecOptions::new().timeout(Duration::from_secs(600));
    /// let mut tests = client.spawn_command(["cargo", "test"], options)?;
    /// for piece in &mut tests {
    ///     std::io::stdout().write_all(&piece.data).unwrap();
    /// }
    /// assert_eq!(tests.wait()?.exit_code, 0);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for invalid arguments, and on servers before 0.113, which don't stream;
    /// [`Error::Timeout`] if no permit becomes available; [`Error::Transport`] and [`Error::Closed`].
    pub fn spawn_command<S: Into<String>>(
        &self,
        argv: impl IntoIterator<Item = S>,
        options: ExecOptions,
    ) -> Result<RunningCommand> {
        let (process_id, request_deadline) = (new_process_id(), self.deadline());
        let (has_stdin, has_tty) = (options.has_stdin(), options.has_tty());
        let limit = options.wait_limit(self.request_timeout);
        let params = options.into_params(argv, Some(&process_id))?;
        self.check_server(true, request_deadline)?;
        let log = self.inner.commands.start(&self.connection, process_id, params, request_deadline)?;
        let (connection, request_timeout) = (self.connection.clone(), self.request_timeout);
        let handle = CommandHandle { connection, log, request_timeout, has_stdin, has_tty };
        // The limit starts now: waiting for a permit doesn't count against the command.
        Ok(RunningCommand::new(handle, Deadline::after(limit)))
    }

    /// # Errors
    /// [`Error::InvalidInput`] if the server would ignore an option.
    fn check_server(&self, needs_streams: bool, deadline: Deadline) -> Result<()> {
        let server = self.handshake(&Value::Null, deadline)?;
        if !needs_streams || server.is_before(STREAMS_SINCE) != Some(true) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the server ({}) can't stream commands, and of their options it knows `cwd`, `timeout` and \
             `sandbox_policy` only; those since 0.113 can",
            server.server_version().unwrap_or_default()
        )))
    }
}

/// Distinct from all ids of this program, and recognizable in a log of several programs.
fn new_process_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("codex-blocking-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
