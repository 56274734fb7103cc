//! The `UnixSocket` transport: what may be wrong with a path, and what travels.
//!
//! Relies on `support/websocket.rs`. Invariant: every test has a folder of its own, which goes with it.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::{Client, Error, Timeout, UnixSocket};
use serde_json::json;
use serde_json::value::RawValue;

use crate::support::probe::{is_probe, probe};
use crate::support::websocket::{PATIENCE, Server, Stream};

/// A folder with a short path, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cb-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The server's end of the connection that `connect` makes.
fn serve<T: Send>(
    listener: &UnixListener,
    connect: impl FnOnce() -> T + Send,
    wrap: impl FnOnce(UnixStream) -> Box<dyn Stream>,
) -> (T, Server) {
    thread::scope(|scope| {
        let connecting = scope.spawn(connect);
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let server = Server::upgrade(wrap(stream), None);
        (connecting.join().unwrap(), server)
    })
}

/// What is told of a path that can't be connected to now.
fn refused(path: &Path) -> String {
    told(path, true)
}

/// What is told of a path that can never be connected to.
fn refused_for_good(path: &Path) -> String {
    told(path, false)
}

fn told(path: &Path, may_pass: bool) -> String {
    let error = Client::connect(UnixSocket::new(path)).unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert_eq!(error.is_retryable(), may_pass, "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    text
}

#[test]
fn requests_travel_over_the_socket() {
    let folder = Folder::new();
    let path = folder.join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let connect = || Client::connect(UnixSocket::new(&path)).unwrap();
    let (client, mut server) = serve(&listener, connect, |stream| Box::new(stream));
    assert_eq!(server.header("origin"), None);
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn a_path_that_is_not_there_is_told_as_that() {
    let folder = Folder::new();
    assert!(refused(&folder.join("missing")).contains("there is no such file"));
}

#[test]
fn a_link_that_leads_nowhere_is_told_as_that() {
    let folder = Folder::new();
    let link = folder.join("link");
    symlink(folder.join("gone"), &link).unwrap();
    assert!(refused(&link).contains("link leads nowhere"));
}

#[test]
fn a_file_that_is_no_socket_is_told_as_that() {
    let folder = Folder::new();
    let file = folder.join("file");
    fs::write(&file, "hello").unwrap();
    for path in [&file, &folder.0] {
        let error = Client::connect(UnixSocket::new(path)).unwrap_err();
        assert!(error.to_string().contains("it is not a socket"), "{error}");
    }
}

#[test]
fn a_socket_on_which_nobody_listens_is_told_as_that() {
    let folder = Folder::new();
    let path = folder.join("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(refused(&path).contains("nobody listens"));
}

#[test]
fn a_socket_that_may_not_be_used_is_told_as_that() {
    let folder = Folder::new();
    let path = folder.join("s");
    let _listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if rustix::fs::access(&path, rustix::fs::Access::WRITE_OK).is_ok() {
        // Nothing is forbidden to root; there is nothing to see then.
        return;
    }
    assert!(refused_for_good(&path).contains("permission denied"));
}

#[test]
fn a_path_too_long_for_the_system_is_the_callers_mistake() {
    let folder = Folder::new();
    let path = folder.join("x".repeat(120));
    let error = Client::connect(UnixSocket::new(&path)).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    assert!(error.to_string().contains("too long"), "{error}");
}

#[test]
fn a_long_path_that_leads_to_a_short_one_is_followed() {
    let folder = Folder::new();
    let path = folder.join("s");
    let long = folder.join("x".repeat(120));
    let listener = UnixListener::bind(&path).unwrap();
    symlink(&path, &long).unwrap();
    let connect = || Client::connect(UnixSocket::new(&long)).unwrap();
    let (client, mut server) = serve(&listener, connect, |stream| Box::new(stream));
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn a_server_that_never_answers_the_upgrade_is_given_up_in_time() {
    let folder = Folder::new();
    let path = folder.join("s");
    let _listener = UnixListener::bind(&path).unwrap();
    let limit = Duration::from_millis(200);
    let error = Client::connect(UnixSocket::new(&path).connect_timeout(limit)).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
}

/// Run by the next test in a process of its own, whose environment names the home.
#[test]
#[ignore = "is run by another test"]
fn probe_default() {
    if !is_probe() {
        return;
    }
    let client = Client::connect(UnixSocket::default()).unwrap();
    assert_eq!(client.initialize().unwrap().server_version(), Some("0.169.0"));
}

#[test]
fn the_default_is_the_control_socket_in_the_codex_home() {
    for (variable, in_home) in [("CODEX_HOME", ""), ("HOME", ".codex")] {
        let home = Folder::new();
        let sockets = home.join(in_home).join("app-server-control");
        fs::create_dir_all(&sockets).unwrap();
        let listener = UnixListener::bind(sockets.join("app-server-control.sock")).unwrap();
        let mut probe = probe("unix_socket::probe_default");
        probe.stdout(Stdio::null());
        probe.env_remove("CODEX_HOME").env(variable, &home.0);
        let (mut probe, mut server) = serve(&listener, || probe.spawn().unwrap(), |stream| Box::new(stream));
        let request = server.recv();
        server.reply(&request, json!({ "userAgent": "test/0.169.0 (x)" }));
        assert!(probe.wait().unwrap().success());
    }
}

/// A stream that is read at 6 MiB a second at most.
struct Slow(UnixStream);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(10));
        let most = buffer.len().min(64 * 1024);
        self.0.read(&mut buffer[..most])
    }
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_server_that_takes_a_long_message_slowly_is_alive() {
    let folder = Folder::new();
    let path = folder.join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let patience = Duration::from_secs(5);
    let transport = UnixSocket::new(&path).ping_interval(Duration::from_millis(50)).pong_timeout(patience);
    let connect = || Client::connect(transport).unwrap();
    let (client, mut server) = serve(&listener, connect, |stream| Box::new(Slow(stream)));
    assert_eq!(server.one_round(&client), json!("answer"));
    let clock = Instant::now();
    thread::scope(|scope| {
        let client = &client;
        let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(40 * 1024 * 1024));
        let params = RawValue::from_string(text).unwrap();
        scope.spawn(move || client.notify("test/upload", params).unwrap());
        // Not decoded, which would take the time in which pings are to be answered.
        while !server.socket.read().unwrap().is_text() {}
    });
    assert!(clock.elapsed() > patience, "it was not slow: {:?}", clock.elapsed());
    assert_eq!(server.one_round(&client), json!("answer"));
}
