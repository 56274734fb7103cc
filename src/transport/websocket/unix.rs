//! A transport to a server that listens on a Unix socket.
//!
//! Relies on `socket`, `upgrade` and `link`. Invariant: an error states what is wrong with the path.

use std::{
    env, fs, io,
    os::unix::{ffi::OsStrExt, fs::FileTypeExt},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    ask, begin,
    link::{Connected, Keepalive},
    socket,
    upgrade::{Headers, Upgrade},
};
use crate::{
    error::{Error, Result, Timeout, TransportFailure},
    secrets::Secrets,
    transport::{ConnectTimeout, Link, Sink, Transport, home_dir},
};

/// The default path of `codex app-server --listen unix://`, relative to the Codex home.
const DEFAULT_PATH: &str = "app-server-control/app-server-control.sock";

/// The maximum length of a socket path on this system, including its terminator.
const MAX_PATH_BYTES: usize = if cfg!(target_os = "linux") { 108 } else { 104 };

/// Connects to a server that listens on a Unix socket (`codex app-server --listen unix://PATH`).
///
/// `UnixSocket::default()` uses the server's default path: `app-server-control/app-server-control.sock`
/// in `$CODEX_HOME`, or in `~/.codex` if that is not set; both are evaluated on each connect. The
/// connection uses the WebSocket protocol, so the description of [`WebSocket`](crate::WebSocket) also
/// applies here as far as messages and threads are concerned. There is no token: the file's permissions
/// control who can connect.
///
/// ```no_run
/// use codex_blocking::{Client, UnixSocket};
///
/// let client = Client::connect(UnixSocket::new("/run/codex/app-server.sock"))?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a transport does nothing until a client connects over it"]
#[derive(Debug, Clone, Default)]
pub struct UnixSocket {
    path: Option<PathBuf>,
    connect_timeout: ConnectTimeout,
    keepalive: Keepalive,
}

impl UnixSocket {
    /// Connects to the socket at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        UnixSocket { path: Some(path.into()), ..UnixSocket::default() }
    }

    /// Sets how long connecting may take in total (default 30 s); `None` means no limit.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = ConnectTimeout(limit.into());
        self
    }

    /// Sets the period of silence after which the client pings the server (default 20 s); `None` disables
    /// pings.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive.ping_interval = interval.into();
        self
    }

    /// Sets how long the server may take to respond to a ping (default 20 s) before the connection counts
    /// as lost. Any data that it sends counts as a response. `None` means no limit.
    pub fn pong_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.keepalive.pong_timeout = limit.into();
        self
    }
}

impl Transport for UnixSocket {
    /// # Errors
    /// Returns [`Error::Transport`] if the path doesn't exist, access is denied, the file is not a
    /// socket, or no server listens on it; the message and the source distinguish these cases. Returns
    /// [`Error::InvalidInput`] if the path is too long for the system.
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        let deadline = self.connect_timeout.begin()?;
        let path = match &self.path {
            Some(path) => path.clone(),
            None => default_path()?,
        };
        let doing = format!("connect to {}", path.display());
        let mut socket = socket::dial_unix(&short_enough(&path)?, deadline).map_err(|error| {
            if deadline.has_passed() {
                return deadline.error(Timeout::Connect);
            }
            let mut failure = TransportFailure::new(describe_failure(&path, &error));
            // The server creates the file when it begins to listen.
            failure.is_transient = error.kind() == io::ErrorKind::NotFound;
            failure.with_source(error).while_connecting(&*doing)
        })?;
        let upgrade =
            Upgrade { authority: "localhost".to_owned(), path: "/".to_owned(), headers: Headers::default() };
        let first = ask(&upgrade, &mut socket, deadline, &doing)?;
        let connected = Connected {
            socket,
            session: None,
            first,
            peer: path.display().to_string(),
            secrets: Secrets::default(),
            keepalive: self.keepalive,
            daemon: None,
            url: None,
        };
        begin(connected, sink, deadline, &doing)
    }
}

fn default_path() -> Result<PathBuf> {
    let home = env::var_os("CODEX_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| home_dir().map(|home| home.join(".codex")));
    let home =
        home.ok_or_else(|| Error::invalid("neither CODEX_HOME nor a home directory is set; specify a path"))?;
    Ok(home.join(DEFAULT_PATH))
}

/// Returns the path, or its target if the path is too long: the server makes a long path a link to a
/// short one.
fn short_enough(path: &Path) -> Result<PathBuf> {
    let fits = |path: &Path| path.as_os_str().as_bytes().len() < MAX_PATH_BYTES;
    if fits(path) {
        return Ok(path.to_owned());
    }
    match fs::canonicalize(path) {
        Ok(real) if fits(&real) => Ok(real),
        _ => Err(Error::invalid(format!(
            "the path of the Unix socket is too long: the system's limit is {} bytes: {}",
            MAX_PATH_BYTES - 1,
            path.display()
        ))),
    }
}

fn describe_failure(path: &Path, error: &io::Error) -> String {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink());
    let is_other = fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket());
    match error.kind() {
        io::ErrorKind::NotFound if is_link => {
            "its link leads nowhere: the server that created it has ended".to_owned()
        }
        io::ErrorKind::NotFound => "there is no such file: no server listens there".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ if is_other => "it is not a socket".to_owned(),
        io::ErrorKind::ConnectionRefused => {
            "nobody listens on the socket: the server that created it has ended".to_owned()
        }
        _ => format!("{error}"),
    }
}
