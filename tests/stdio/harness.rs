//! What the tests share: clients of the fake server, processes watched from outside, a logger.
//!
//! Relies on `server`. Invariant: whoever starts a process that a test may leave behind holds a [`Watched`],
//! which kills it.

use std::time::{Duration, Instant};

use codex_blocking::{Client, Stdio};
use parking_lot::{Condvar, Mutex};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{PATIENCE, await_that};

/// What "at once" may take on such a machine. A limit of the crate (30 s, 60 s) is well above.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(5);

/// This binary as the server.
pub(crate) fn server(scenario: &str) -> Stdio {
    let exe = std::env::current_exe().unwrap();
    Stdio::command([exe, "--serve".into(), scenario.into()])
}

/// This binary as a server that ends by neither the end of its input nor TERM.
pub(crate) fn deaf_server() -> Stdio {
    let exe = std::env::current_exe().unwrap();
    shell(&format!(r#"trap "" TERM; exec "{}" --serve ignores-eof"#, exe.display()))
}

/// A few lines of shell as the server, for what std can't do.
pub(crate) fn shell(script: &str) -> Stdio {
    Stdio::command(["sh", "-c", script])
}

/// The line of such a script that answers [`Watched::shell`].
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

/// A process that is no child of this one, or none that std knows of. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    pid: i32,
    /// Tells it from a later process with the same number.
    started: Option<String>,
}

impl Watched {
    pub(crate) fn new(pid: &Value) -> Watched {
        let pid = i32::try_from(pid.as_i64().unwrap()).unwrap();
        let found = Watched { pid, started: started(pid) };
        assert!(!found.is_gone(), "{found:?} is not there");
        found
    }

    /// The server itself.
    pub(crate) fn server(client: &Client) -> Watched {
        Watched::new(&client.request("pid", ()).unwrap())
    }

    /// A shell that runs [`TELL_PID`] first. It must be asked: what it says on its own is lost if it
    /// comes before the subscription.
    pub(crate) fn shell(client: &Client) -> Watched {
        let mut notifications = client.notifications();
        client.notify("pid", ()).unwrap();
        Watched::new(&notifications.next_timeout(PATIENCE).unwrap().params().unwrap())
    }

    /// A process that the server starts, in the server's group or `apart`.
    pub(crate) fn grandchild(client: &Client, scenario: &str, apart: bool) -> Watched {
        Watched::new(&client.request("spawn", json!({ "scenario": scenario, "apart": apart })).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid).unwrap(), signal).unwrap();
    }

    /// Ended and waited for: no trace of it is left.
    pub(crate) fn is_gone(&self) -> bool {
        match cfg!(target_os = "linux") {
            true => self.started.is_none() || started(self.pid) != self.started,
            false => rustix::process::test_kill_process(Pid::from_raw(self.pid).unwrap()).is_err(),
        }
    }

    /// Ended. Who waits for a grandchild without a parent is the system's first process, which may take its
    /// time or never do.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_gone() || stat(self.pid).is_some_and(|fields| fields[0] == "Z")
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
    pub(crate) fn leader(&self) -> Watched {
        let group = rustix::process::getpgid(Pid::from_raw(self.pid)).unwrap();
        Watched::new(&group.as_raw_nonzero().get().into())
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether its group has no process.
    pub(crate) fn leads_nothing(&self) -> bool {
        rustix::process::test_kill_process_group(Pid::from_raw(self.pid).unwrap()).is_err()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(Pid::from_raw(self.pid).unwrap(), Signal::KILL);
        }
    }
}

/// The fields of `/proc/PID/stat` behind the name, which may hold anything: state, parent, group, …
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// When the process began, in ticks since the machine did.
fn started(pid: i32) -> Option<String> {
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
        let is_gated = text.contains("mark-gate");
        // Tests mark what they look for; they run beside one another.
        if text.contains("mark-") {
            let logged = Logged { level: record.level(), target: record.target().to_owned(), text };
            self.lines.lock().push(logged);
            self.news.notify_all();
        }
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
