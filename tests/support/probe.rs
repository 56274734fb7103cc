//! Tests that need a process of their own, for they count its threads or change what all tests of it share.
//!
//! Relies on the command line that libtest and libtest-mimic have in common. Invariant: a name that no test has
//! fails the test that asks for it.

use std::ffi::OsString;
use std::process::Command;
use std::sync::{Mutex, mpsc};

use codex_blocking::Stdio;

/// Set in the process of a probe.
const PROBE: &str = "CODEX_BLOCKING_PROBE";

/// A test of this program, to be run alone in a process of its own.
pub(crate) fn probe(name: &str) -> Command {
    let mut probe = Command::new(std::env::current_exe().unwrap());
    probe.args(["--exact", name, "--include-ignored"]).env(PROBE, name);
    probe
}

/// The same as a server, which does what the test does. More arguments change nothing.
pub(crate) fn probe_stdio(name: &str, arguments: &[&str]) -> Stdio {
    let words = ["--exact", name, "--include-ignored"]
        .into_iter()
        .chain(arguments.iter().copied())
        .map(OsString::from);
    Stdio::command([std::env::current_exe().unwrap().into()].into_iter().chain(words)).env(PROBE, name)
}

/// Whether this is the process of a probe. Elsewhere, with `--include-ignored`, it has nothing to show.
pub(crate) fn is_probe() -> bool {
    std::env::var_os(PROBE).is_some()
}

/// Runs the test in a process of its own; it fails if that does.
#[track_caller]
pub(crate) fn run_probe(name: &str) {
    let output = probe(name).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}{stderr}");
}

/// Whether this is the process of the test's own; if it is not, runs the test there.
#[track_caller]
pub(crate) fn is_alone(name: &str) -> bool {
    if !is_probe() {
        run_probe(name);
    }
    is_probe()
}

/// The warnings that this process logs from now on. Only for a test that [`is_alone`].
pub(crate) fn logged_warnings() -> mpsc::Receiver<String> {
    struct Warnings(Mutex<mpsc::Sender<String>>);
    impl log::Log for Warnings {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.level() == log::Level::Warn
        }
        fn log(&self, record: &log::Record<'_>) {
            if self.enabled(record.metadata()) {
                let _ = self.0.lock().unwrap().send(record.args().to_string());
            }
        }
        fn flush(&self) {}
    }
    let (told, warnings) = mpsc::channel();
    log::set_boxed_logger(Box::new(Warnings(Mutex::new(told)))).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    warnings
}
