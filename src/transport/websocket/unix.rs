//! The transport to a server that listens on a Unix socket.
//!
//! Relies on `socket`, `upgrade` and `link`. Invariant: an error says which of the things that may
//! be wrong with a path is wrong with this one.

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
    transport::{ConnectTimeout, Link, Sink, Transport},
};

/// Where `codex app-server --listen unix://` listens, in the Codex home.
const DEFAULT_PATH: &str = "app-server-control/app-server-control.sock";

/// The longest path that the system takes, with its end.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 108 } else { 104 };

/// Connects to a server that listens on a Unix socket (`codex app-server --listen unix://PATH`).
///
/// `UnixSocket::default()` takes the path on which the server listens by default: that of
/// `app-server-control/app-server-control.sock` in `$CODEX_HOME`, else in `~/.codex`; both are looked at
/// when it connects. What travels is WebSocket; all that [`WebSocket`](crate::WebSocket) says of messages
/// and threads holds here too. There is no token: the rights of the file say who may connect.
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
    /// Connects to the socket of this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        UnixSocket { path: Some(path.into()), ..UnixSocket::default() }
    }

    /// How long connecting may take in all (30 s); `None`: for ever.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = ConnectTimeout(limit.into());
        self
    }

    /// After how long a silence the server is asked whether it is there (20 s); `None`: never.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive.ping_interval = interval.into();
        self
    }

    /// How long the server may take to answer that (20 s); then the connection is lost. Anything that
    /// it sends is an answer. `None`: for ever.
    pub fn pong_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.keepalive.pong_timeout = limit.into();
        self
    }
}

impl Transport for UnixSocket {
    /// # Errors
    /// [`Error::Transport`] tells apart, in its message and by its source, a path that is not there, one
    /// that may not be used, one that is no socket, and a socket on which nobody listens.
    /// [`Error::InvalidInput`]: the path is too long for the system.
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        let deadline = self.connect_timeout.begin()?;
        let path = match &self.path {
            Some(path) => path.clone(),
            None => default_path()?,
        };
        let doing = format!("connect to {}", path.display());
        let mut patient = socket::dial_unix(&short_enough(&path)?, deadline).map_err(|error| {
            if deadline.has_passed() {
                return deadline.error(Timeout::Connect);
            }
            TransportFailure::new(what_is_wrong(&path, &error)).with_source(error).while_connecting(&*doing)
        })?;
        let upgrade =
            Upgrade { authority: "localhost".to_owned(), path: "/".to_owned(), headers: Headers::default() };
        let first = ask(&upgrade, &mut patient, deadline, &doing)?;
        let connected = Connected {
            patient,
            session: None,
            first,
            peer: path.display().to_string(),
            keepalive: self.keepalive,
            daemon: None,
        };
        begin(connected, sink, deadline, &doing)
    }
}

fn default_path() -> Result<PathBuf> {
    let home = env::var_os("CODEX_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".codex")));
    let home =
        home.ok_or_else(|| Error::invalid("there is neither CODEX_HOME nor a home directory; give a path"))?;
    Ok(home.join(DEFAULT_PATH))
}

/// The path, or what it leads to: the server makes its path a link to one that is short.
fn short_enough(path: &Path) -> Result<PathBuf> {
    let fits = |path: &Path| path.as_os_str().as_bytes().len() < LONGEST_PATH;
    if fits(path) {
        return Ok(path.to_owned());
    }
    match fs::canonicalize(path) {
        Ok(real) if fits(&real) => Ok(real),
        _ => Err(Error::invalid(format!(
            "the path of the Unix socket is too long for the system, which takes {} bytes: {}",
            LONGEST_PATH - 1,
            path.display()
        ))),
    }
}

fn what_is_wrong(path: &Path, error: &io::Error) -> String {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink());
    let is_other = fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket());
    match error.kind() {
        io::ErrorKind::NotFound if is_link => {
            "its link leads nowhere: the server that made it has ended".to_owned()
        }
        io::ErrorKind::NotFound => "there is no such file: no server listens there".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be used: permission denied".to_owned(),
        _ if is_other => "it is not a socket".to_owned(),
        io::ErrorKind::ConnectionRefused => {
            "nobody listens on the socket: the server that made it has ended".to_owned()
        }
        _ => format!("it can't be connected to: {error}"),
    }
}
