//! Commands that the server runs: with their outcome as the reply, or with a handle while they run.
//!
//! Relies on `exec`. Invariant: what can be refused without the server is refused before anything is
//! sent, and nothing waits for ever unless the command was asked to.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::{Client, Reply};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
    exec::{CommandHandle, ExecOptions, RunningCommand},
    protocol::CommandExecResponse,
};

/// The first server that streams commands. Older ones know a command's folder, time limit and sandbox,
/// and ignore everything else without a word.
const STREAMS_SINCE: (u32, u32) = (0, 113);

impl Client {
    /// Runs a command on the server, outside of any thread and without the agent, and gives its exit
    /// code and output when it has ended.
    ///
    /// `argv` is the program and its arguments; no shell takes part. The exit code is the command's
    /// own, 124 when it ran for longer than [`timeout`](ExecOptions::timeout) (10 s unless set),
    /// and 101 when the sandbox found no such program. Of each output stream the first MiB is kept ([`output_bytes_cap`](ExecOptions::output_bytes_cap)),
    /// and what is not UTF-8 in it is replaced; [`spawn_command`](Self::spawn_command) gives the bytes.
    ///
    /// Blocks until the command has ended, at the longest for its limit and the request limit (30 s
    /// unless set) together, or without limit where the command has none.
    /// At most 16 requests that take long are under way at once; others wait in line, within that limit.
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
    /// As [`request`](Self::request): [`Error::Rpc`] when the command can't be started (no such folder;
    /// without a sandbox, no such program); and [`Error::InvalidInput`] for an empty `argv`, for options
    /// that only a spawned command can have, and on servers before 0.113 for all but `cwd`,
    /// `timeout` and `sandbox_policy`, which those ignore.
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

    /// Runs a command on the server as [`exec_command`](Self::exec_command) does, and gives a handle
    /// to it at once: an iterator over its output as it is written, with which the command is written
    /// to, terminated and waited for.
    ///
    /// The command runs for 10 s at the longest unless [`timeout`](ExecOptions::timeout) says otherwise,
    /// and no longer than its handle lives: dropping that terminates it. Its input is empty without
    /// [`stream_stdin`](ExecOptions::stream_stdin).
    ///
    /// Blocks until the command has been asked for, at the longest for the request limit; up to 16
    /// requests that take long are under way at once, and a command is one of them until it ends.
    /// Whether it could be started is told by [`wait`](RunningCommand::wait), and so is it when the
    /// server has too much to do: other than [`exec_command`](Self::exec_command) this does not ask
    /// again. That error [`is_retryable`](Error::is_retryable).
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
    /// [`Error::InvalidInput`] for what can't work, and on servers before 0.113, which can't stream;
    /// [`Error::Timeout`] when the line does not move; [`Error::Transport`] and [`Error::Closed`].
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
        // From here on: it is not the command's fault that it stood in line.
        Ok(RunningCommand::new(handle, Deadline::after(limit)))
    }

    /// # Errors
    /// [`Error::InvalidInput`] when the server would ignore what is asked of it.
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

/// Unlike any other of this program, and in a log of several.
fn new_process_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("codex-blocking-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
