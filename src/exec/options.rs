//! Options of a command.
//!
//! Relies on `protocol`. Invariant: of two options that exclude each other the later one applies, and the
//! request limit is derived from the command's limit.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    config::exactly,
    deadline::millis_rounded_up,
    error::{Error, Result},
    protocol::{CommandExecParams, CommandExecTerminalSize, SandboxPolicy},
    setting::Setting,
};

/// How long the server lets a command run that sets no limit.
const SERVER_TIMEOUT: Duration = Duration::from_secs(10);

/// Options of a command that [`Client::exec_command`](crate::Client::exec_command) or
/// [`Client::spawn_command`](crate::Client::spawn_command) runs. The server decides what is not set.
///
/// ```
/// use std::time::Duration;
/// use codex_blocking::{ExecOptions, SandboxPolicy};
///
/// let options = ExecOptions::new()
///     .cwd("/my/project")
///     .env("LANG", "C")
///     .unset_env("GITHUB_TOKEN")
///     .sandbox_policy(SandboxPolicy::read_only())
///     .timeout(Duration::from_secs(60));
/// ```
///
/// As JSON it has the set options as members: `cwd`, `sandbox_policy`, `env` (null removes a variable), `timeout_ms` and
/// `output_bytes_cap` (null disables the limit), `stream_stdin`, and `tty`, an object with `rows` and `cols`. A member
/// that is no option is an error.
#[must_use = "options do nothing until a command takes them"]
#[derive(Clone, Default, PartialEq)]
pub struct ExecOptions {
    cwd: Option<PathBuf>,
    sandbox_policy: Option<SandboxPolicy>,
    env: BTreeMap<String, Option<String>>,
    timeout: Limit<Duration>,
    output_bytes: Limit<u64>,
    stream_stdin: bool,
    size: Option<(u16, u16)>,
}

/// A limit that the server enforces.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Limit<T> {
    /// The server's default.
    #[default]
    Default,
    At(T),
    Disabled,
}

impl ExecOptions {
    /// Creates options with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the working directory. The default is the server's own.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Sets the sandbox in which the command runs. The default is the server's configuration. The server asks
    /// for no approval: what the sandbox doesn't allow fails.
    pub fn sandbox_policy(mut self, policy: impl Into<SandboxPolicy>) -> Self {
        self.sandbox_policy = Some(policy.into());
        self
    }

    /// Sets an environment variable, in addition to those of the server.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Removes a variable of the server's environment.
    pub fn unset_env(mut self, name: impl Into<String>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// Sets how long the command may run (10 s by default); `None` means no limit. After the limit, the
    /// server kills the command, and its exit code is 124. The client waits for the sum of this limit and its
    /// own request limit; with `None`, until the command or the connection ends, or the command is
    /// terminated.
    ///
    /// The server counts milliseconds; the client rounds up.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeout = limit.into().map_or(Limit::Disabled, Limit::At);
        self
    }

    /// Sets how many bytes of each output stream are kept (1 MiB by default); the server drops the rest.
    pub fn output_bytes_cap(mut self, limit: u64) -> Self {
        self.output_bytes = Limit::At(limit);
        self
    }

    /// Keeps all output, without a cap.
    pub fn disable_output_cap(mut self) -> Self {
        self.output_bytes = Limit::Disabled;
        self
    }

    /// Sets whether the command's input is open for [`RunningCommand::write`](crate::RunningCommand::write).
    /// Otherwise the input is empty. Only for spawned commands. A command that reads its input to the end
    /// waits until it is closed.
    pub fn stream_stdin(mut self, is_open: bool) -> Self {
        self.stream_stdin = is_open;
        self
    }

    /// Runs the command in a terminal of this size; both numbers must be greater than 0. Only for spawned
    /// commands. The input is open, and all output is on `stdout`.
    pub fn tty(mut self, rows: u16, cols: u16) -> Self {
        self.size = Some((rows, cols));
        self
    }

    pub(crate) fn has_tty(&self) -> bool {
        self.size.is_some()
    }

    pub(crate) fn has_stdin(&self) -> bool {
        self.stream_stdin || self.has_tty()
    }

    /// Whether an option is set that a server without streaming would ignore.
    pub(crate) fn need_streams(&self) -> bool {
        !self.env.is_empty() || self.timeout == Limit::Disabled || self.output_bytes != Limit::Default
    }

    /// How long to wait for the command: its own limit plus the client's request limit.
    pub(crate) fn wait_limit(&self, request_timeout: Option<Duration>) -> Option<Duration> {
        let own = match self.timeout {
            Limit::Default => Some(SERVER_TIMEOUT),
            Limit::At(limit) => Some(limit),
            Limit::Disabled => None,
        };
        own.zip(request_timeout).map(|(own, request)| own.saturating_add(request))
    }

    /// The parameters of `command/exec`. With a `processId`, output is streamed.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what the server would reject.
    pub(crate) fn into_params<S: Into<String>>(
        self,
        argv: impl IntoIterator<Item = S>,
        process_id: Option<&str>,
    ) -> Result<CommandExecParams> {
        let command: Vec<String> = argv.into_iter().map(Into::into).collect();
        if command.is_empty() {
            return Err(Error::invalid("the command is empty"));
        }
        if process_id.is_none() && self.has_stdin() {
            return Err(Error::invalid("`stream_stdin` and `tty` require `spawn_command`"));
        }
        let mut params = CommandExecParams::new(command);
        if let Some(cwd) = self.cwd {
            let cwd = cwd.into_os_string().into_string();
            params.cwd =
                Setting::Value(cwd.map_err(|cwd| Error::invalid(format!("`cwd` is not Unicode: {cwd:?}")))?);
        }
        params.sandbox_policy = Setting::unset_if_none(self.sandbox_policy);
        if !self.env.is_empty() {
            params.env = Setting::Value(self.env);
        }
        match self.timeout {
            Limit::Default => {}
            Limit::At(limit) => params.timeout_ms = Setting::Value(millis(limit)),
            Limit::Disabled => params.disable_timeout = Some(true),
        }
        match self.output_bytes {
            Limit::Default => {}
            Limit::At(limit) => params.output_bytes_cap = Setting::Value(limit),
            Limit::Disabled => params.disable_output_cap = Some(true),
        }
        let Some(process_id) = process_id else { return Ok(params) };
        params.process_id = process_id.into();
        params.stream_stdout_stderr = Some(true);
        if self.stream_stdin {
            params.stream_stdin = Some(true);
        }
        if let Some((rows, cols)) = self.size {
            params.tty = Some(true);
            params.size = Setting::Value(terminal_size(rows, cols)?);
        }
        Ok(params)
    }
}

/// The JSON of the options.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExecOptionsJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "exactly")]
    sandbox_policy: Option<SandboxPolicy>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, Option<String>>,
    #[serde(skip_serializing_if = "Setting::is_unset")]
    timeout_ms: Setting<u64>,
    #[serde(skip_serializing_if = "Setting::is_unset")]
    output_bytes_cap: Setting<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream_stdin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tty: Option<TtyJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TtyJson {
    rows: u16,
    cols: u16,
}

impl Serialize for ExecOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ExecOptions { cwd, sandbox_policy, env, timeout, output_bytes, stream_stdin, size } =
            self.clone();
        let json = ExecOptionsJson {
            cwd,
            sandbox_policy,
            env,
            timeout_ms: timeout.into_setting().map(|limit| u64::try_from(millis(limit)).unwrap_or(u64::MAX)),
            output_bytes_cap: output_bytes.into_setting(),
            stream_stdin,
            tty: size.map(|(rows, cols)| TtyJson { rows, cols }),
        };
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExecOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = ExecOptionsJson::deserialize(deserializer)?;
        Ok(ExecOptions {
            cwd: json.cwd,
            sandbox_policy: json.sandbox_policy,
            env: json.env,
            timeout: Limit::from_setting(json.timeout_ms.map(Duration::from_millis)),
            output_bytes: Limit::from_setting(json.output_bytes_cap),
            stream_stdin: json.stream_stdin,
            size: json.tty.map(|tty| (tty.rows, tty.cols)),
        })
    }
}

impl<T> Limit<T> {
    fn into_setting(self) -> Setting<T> {
        match self {
            Limit::Default => Setting::Unset,
            Limit::At(limit) => Setting::Value(limit),
            Limit::Disabled => Setting::Null,
        }
    }

    fn from_setting(limit: Setting<T>) -> Self {
        match limit {
            Setting::Unset => Limit::Default,
            Setting::Value(limit) => Limit::At(limit),
            Setting::Null => Limit::Disabled,
        }
    }
}

impl fmt::Debug for ExecOptions {
    /// Omits the values of the environment, which often contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExecOptions { cwd, sandbox_policy, env, timeout, output_bytes, stream_stdin, size } = self;
        f.debug_struct("ExecOptions")
            .field("cwd", cwd)
            .field("sandbox_policy", sandbox_policy)
            .field("env", &env.keys())
            .field("timeout", timeout)
            .field("output_bytes", output_bytes)
            .field("stream_stdin", stream_stdin)
            .field("size", size)
            .finish()
    }
}

/// The protocol's milliseconds.
fn millis(limit: Duration) -> i64 {
    i64::try_from(millis_rounded_up(limit)).unwrap_or(i64::MAX)
}

/// # Errors
/// [`Error::InvalidInput`] if a dimension is 0.
pub(super) fn terminal_size(rows: u16, cols: u16) -> Result<CommandExecTerminalSize> {
    if rows == 0 || cols == 0 {
        return Err(Error::invalid(format!("invalid terminal size: {rows} rows, {cols} columns")));
    }
    Ok(CommandExecTerminalSize::new(cols, rows))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sent(options: ExecOptions, process_id: Option<&str>) -> Value {
        let params = options.into_params(["ls"], process_id).unwrap();
        serde_json::to_value(params).unwrap()
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        assert_eq!(sent(ExecOptions::new(), None), json!({ "command": ["ls"] }));
        let streamed = json!({ "command": ["ls"], "processId": "p", "streamStdoutStderr": true });
        assert_eq!(sent(ExecOptions::new(), Some("p")), streamed);
    }

    #[test]
    fn everything_that_is_set_is_sent_under_its_name() {
        let options = ExecOptions::new()
            .cwd("/w")
            .sandbox_policy(SandboxPolicy::DangerFullAccess)
            .env("A", "1")
            .unset_env("B")
            .timeout(Duration::from_millis(7))
            .output_bytes_cap(8)
            .stream_stdin(true)
            .tty(2, 3);
        assert_eq!(
            sent(options, Some("p")),
            json!({
                "command": ["ls"], "cwd": "/w", "sandboxPolicy": { "type": "dangerFullAccess" },
                "env": { "A": "1", "B": null }, "timeoutMs": 7, "outputBytesCap": 8, "processId": "p",
                "streamStdoutStderr": true, "streamStdin": true, "tty": true, "size": { "rows": 2, "cols": 3 },
            })
        );
    }

    #[test]
    fn of_a_limit_and_none_the_later_one_is_sent_alone() {
        let second = Duration::from_secs(1);
        let none = ExecOptions::new().timeout(second).timeout(None).output_bytes_cap(1).disable_output_cap();
        assert_eq!(
            sent(none, None),
            json!({ "command": ["ls"], "disableTimeout": true, "disableOutputCap": true })
        );
        let limits =
            ExecOptions::new().timeout(None).timeout(second).disable_output_cap().output_bytes_cap(1);
        assert_eq!(sent(limits, None), json!({ "command": ["ls"], "timeoutMs": 1000, "outputBytesCap": 1 }));
    }

    #[test]
    fn milliseconds_are_rounded_up_and_saturate() {
        let sent = |limit| sent(ExecOptions::new().timeout(limit), None)["timeoutMs"].clone();
        assert_eq!(sent(Duration::ZERO), 0);
        assert_eq!(sent(Duration::from_nanos(1)), 1);
        assert_eq!(sent(Duration::from_micros(1001)), 2);
        assert_eq!(sent(Duration::from_secs(60)), 60_000);
        assert_eq!(sent(Duration::MAX), i64::MAX);
    }

    #[test]
    fn the_wait_is_the_commands_limit_and_the_requests_together() {
        let (request, seconds) = (Some(Duration::from_secs(30)), |all| Some(Duration::from_secs(all)));
        assert_eq!(ExecOptions::new().timeout(Duration::from_secs(5)).wait_limit(request), seconds(35));
        assert_eq!(ExecOptions::new().wait_limit(request), seconds(40));
        assert_eq!(ExecOptions::new().timeout(Duration::MAX).wait_limit(request), Some(Duration::MAX));
        assert_eq!(ExecOptions::new().timeout(None).wait_limit(request), None);
        assert_eq!(ExecOptions::new().wait_limit(None), None);
    }

    #[test]
    fn values_of_the_environment_do_not_show() {
        let shown = format!("{:?}", ExecOptions::new().env("KEY", "s3cret"));
        assert!(shown.contains("KEY") && !shown.contains("s3cret"), "{shown}");
    }
}
