//! What the tests share: clients of the fake server, processes watched from outside, a logger.
//!
//! Relies on `server`. Invariant: whoever starts a process that a test may leave behind holds a [`Watched`],
//! which kills it.

#[cfg(not(unix))]
use std::{
    io::ErrorKind,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    io::Read,
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use codex_blocking::{Client, Stdio};
use parking_lot::{Condvar, Mutex};
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
#[cfg(unix)]
use serde_json::Value;
use serde_json::json;

use crate::support::{PATIENCE, await_that};

/// What "at once" may take on such a machine. A limit of the crate (30 s, 60 s) is well above.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(5);

/// This binary as the server.
pub(crate) fn server(scenario: &str) -> Stdio {
    Stdio::command([exe(), "--serve".into(), scenario.into()])
}

/// This binary as a server that ends by neither the end of its input nor TERM, which Windows doesn't have.
pub(crate) fn deaf_server() -> Stdio {
    #[cfg(unix)]
    return shell(&format!(r#"trap "" TERM; exec "{}" --serve ignores-eof"#, exe().display()));
    #[cfg(not(unix))]
    server("ignores-eof")
}

/// This binary as a server that leaves the group in which it is started, and ends by neither the end of its input nor
/// TERM.
#[cfg(target_os = "linux")]
pub(crate) fn deaf_server_apart() -> Stdio {
    let script = format!(r#"trap "" TERM; exec "{}" --serve ignores-eof"#, exe().display());
    Stdio::command(["setsid", "sh", "-c", &script])
}

/// A script that runs this binary as the server and waits for it, as npm's `codex.cmd` does.
pub(crate) fn scripted_server(name: &str) -> Stdio {
    #[cfg(unix)]
    {
        let _ = name;
        shell(&format!(r#""{}" --serve plain; exit $?"#, exe().display()))
    }
    #[cfg(not(unix))]
    Stdio::command([script(&folder(name), "server"), "--serve".into(), "plain".into()])
}

/// A script of this name that runs this binary.
#[cfg(not(unix))]
pub(crate) fn script(folder: &Path, name: &str) -> PathBuf {
    let script = folder.join(name).with_extension("cmd");
    std::fs::write(&script, format!("@\"{}\" %*\r\n", exe().display())).unwrap();
    script
}

/// An empty folder of the test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stdio-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // The path that std would give on Windows is one that many programs don't understand.
    if cfg!(windows) { std::path::absolute(folder) } else { folder.canonicalize() }.unwrap()
}

fn exe() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// A few lines of shell as the server, for what std can't do.
#[cfg(unix)]
pub(crate) fn shell(script: &str) -> Stdio {
    Stdio::command(["sh", "-c", script])
}

/// The line of such a script that answers [`Watched::shell`].
#[cfg(unix)]
pub(crate) const TELL_PID: &str = r#"read line; echo '{"method":"pid","params":'$$'}'"#;

/// Connects with a request limit that no test is meant to reach.
pub(crate) fn connect(stdio: Stdio) -> Client {
    Client::builder().request_timeout(PATIENCE).connect(stdio).unwrap()
}

/// What it gave, and how long that took.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = run();
    (result, start.elapsed())
}

/// Waits for the notification.
#[track_caller]
pub(crate) fn await_notification(notifications: &mut codex_blocking::Notifications, method: &str) {
    let next = notifications.next_timeout(PATIENCE);
    assert_eq!(next.as_ref().map(|next| next.method()).as_deref(), Some(method));
}

/// Where a process reports that is to be watched.
pub(crate) struct Lookout(TcpListener);

impl Lookout {
    pub(crate) fn new() -> Lookout {
        Lookout(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// What the process is told.
    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Waits for the process.
    pub(crate) fn watched(self) -> Watched {
        let (mut life, _) = self.0.accept().unwrap();
        life.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut pid = [0; 4];
        life.read_exact(&mut pid).unwrap();
        life.set_nonblocking(true).unwrap();
        Watched::new(u32::from_be_bytes(pid), Some(life))
    }
}

/// A process that is no child of this one, or none that std knows of. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    #[cfg_attr(not(unix), expect(dead_code, reason = "only shown"))]
    pid: u32,
    /// Its connection to this process, which ends with it; a shell has none.
    life: Option<TcpStream>,
    /// Tells it from a later process with the same number.
    #[cfg(unix)]
    started: Option<String>,
    #[cfg(not(unix))]
    ended: AtomicBool,
}

impl Watched {
    pub(crate) fn new(pid: u32, life: Option<TcpStream>) -> Watched {
        let found = Watched {
            pid,
            life,
            #[cfg(unix)]
            started: started(pid),
            #[cfg(not(unix))]
            ended: AtomicBool::new(false),
        };
        assert!(!found.has_ended(), "{found:?} is not there");
        found
    }

    /// The server itself.
    pub(crate) fn server(client: &Client) -> Watched {
        let lookout = Lookout::new();
        client.request("watch", json!({ "port": lookout.port() })).unwrap();
        lookout.watched()
    }

    /// A shell that runs [`TELL_PID`] first. It must be asked: what it says on its own is lost if it
    /// comes before the subscription.
    #[cfg(unix)]
    pub(crate) fn shell(client: &Client) -> Watched {
        let mut notifications = client.notifications();
        client.notify("pid", ()).unwrap();
        let pid: Value = notifications.next_timeout(PATIENCE).unwrap().params().unwrap();
        Watched::new(pid.as_u64().unwrap().try_into().unwrap(), None)
    }

    /// A process that the server starts, in the server's group or `apart`.
    pub(crate) fn grandchild(client: &Client, scenario: &str, apart: bool) -> Watched {
        let lookout = Lookout::new();
        let params = json!({ "scenario": scenario, "apart": apart, "port": lookout.port() });
        client.request("spawn", params).unwrap();
        lookout.watched()
    }

    /// Ends it at once: by a signal, or with the status 9 where there are none.
    pub(crate) fn kill(&self) {
        #[cfg(unix)]
        self.signal(Signal::KILL);
        #[cfg(not(unix))]
        self.life.as_ref().unwrap().shutdown(Shutdown::Write).unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid_of(self.pid), signal).unwrap();
    }

    /// Ended and waited for: no trace of it is left.
    #[cfg(unix)]
    pub(crate) fn is_gone(&self) -> bool {
        match cfg!(target_os = "linux") {
            true => self.started.is_none() || started(self.pid) != self.started,
            false => rustix::process::test_kill_process(pid_of(self.pid)).is_err(),
        }
    }

    /// Ended. Its connection may end a moment after it.
    #[cfg(not(unix))]
    pub(crate) fn is_gone(&self) -> bool {
        let start = Instant::now();
        while !self.has_ended() {
            if start.elapsed() > AT_ONCE / 5 {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Ended. Who waits for a grandchild without a parent is the system's first process, which may take its
    /// time or never do.
    #[cfg(unix)]
    pub(crate) fn has_ended(&self) -> bool {
        self.is_gone() || stat(self.pid).is_some_and(|fields| fields[0] == "Z")
    }

    #[cfg(not(unix))]
    pub(crate) fn has_ended(&self) -> bool {
        let mut life = self.life.as_ref().unwrap();
        // The error of a reset is told to one reader only.
        let ends = life.read(&mut [0]).map_or_else(|error| error.kind() != ErrorKind::WouldBlock, |_| true);
        self.ended.fetch_or(ends, Ordering::Relaxed) || ends
    }

    pub(crate) fn await_end(&self) {
        await_that(&format!("{self:?} has ended"), || self.has_ended());
    }

    /// The letter of `ps`.
    #[cfg(target_os = "linux")]
    pub(crate) fn state(&self) -> String {
        stat(self.pid).unwrap()[0].clone()
    }

    /// The process that leads its group.
    #[cfg(unix)]
    pub(crate) fn leader(&self) -> Watched {
        let group = rustix::process::getpgid(Some(pid_of(self.pid))).unwrap();
        Watched::new(group.as_raw_nonzero().get().try_into().unwrap(), None)
    }

    #[cfg(unix)]
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether its group has no process.
    #[cfg(unix)]
    pub(crate) fn leads_nothing(&self) -> bool {
        rustix::process::test_kill_process_group(pid_of(self.pid)).is_err()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        #[cfg(unix)]
        if !self.has_ended() {
            let _ = kill_process(pid_of(self.pid), Signal::KILL);
        }
        if let Some(life) = &self.life {
            let _ = life.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(unix)]
fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().unwrap()).unwrap()
}

/// The fields of `/proc/PID/stat` behind the name, which may hold anything: state, parent, group, …
#[cfg(unix)]
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// When the process began, in ticks since the machine did.
#[cfg(unix)]
fn started(pid: u32) -> Option<String> {
    stat(pid).map(|fields| fields[19].clone())
}

/// A line of the log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) level: log::Level,
    pub(crate) target: String,
    pub(crate) text: String,
}

/// Keeps what is logged, except for floods.
struct Memory {
    lines: Mutex<Vec<Logged>>,
    news: Condvar,
}

static MEMORY: Memory = Memory { lines: Mutex::new(Vec::new()), news: Condvar::new() };

/// Held by a test, it holds up the thread that logs a line with `mark-gate`.
pub(crate) static LOG_GATE: Mutex<()> = Mutex::new(());

/// Makes the logger that of this process.
pub(crate) fn log_into_memory() {
    log::set_logger(&MEMORY).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
}

impl log::Log for Memory {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        let (is_gated, is_broken) = (text.contains("mark-gate"), text == "mark-panic");
        // Tests mark what they look for; they run beside one another.
        if text.contains("mark-") || text.contains("`on_stderr`") {
            let logged = Logged { level: record.level(), target: record.target().to_owned(), text };
            self.lines.lock().push(logged);
            self.news.notify_all();
        }
        assert!(!is_broken, "the logger of a test");
        if is_gated {
            drop(LOG_GATE.lock());
        }
    }

    fn flush(&self) {}
}

/// The first line of the log with that mark in it, if need be the next one.
#[track_caller]
pub(crate) fn await_log(mark: &str) -> Logged {
    let mut lines = MEMORY.lines.lock();
    loop {
        if let Some(found) = lines.iter().find(|line| line.text.contains(mark)) {
            return found.clone();
        }
        let waited = MEMORY.news.wait_for(&mut lines, PATIENCE);
        assert!(!waited.timed_out(), "{mark} is not in the log");
    }
}
