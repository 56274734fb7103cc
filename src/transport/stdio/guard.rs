//! The process that ends a child's group when this process dies, however it does.
//!
//! Relies on std, on `/bin/sh`, and on `child` for its lifecycle. Invariant: it waits for nothing but the end of its
//! input, whose other end only this process holds, and leads the group that it ends.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use parking_lot::Mutex;

/// Waits for the end of the input, and ends the group as `Process::terminate` does. Ends by the last kill itself.
const SCRIPT: &str = "trap '' HUP INT QUIT TERM; read -r end; \
    kill -TERM 0; sleep 1; kill -TERM 0; sleep 1; kill -KILL 0";

/// Where `sleep` is if this process has no `PATH`. Without `sleep` the script kills immediately.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// A shell that waits. It holds nothing of this process: no stream, no folder, no variable but `PATH`.
pub(super) struct Guard {
    number: u32,
    /// With its input.
    process: Mutex<Child>,
}

impl Guard {
    /// Starts it as the leader of a new group.
    pub(super) fn start() -> io::Result<Guard> {
        let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let process = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "codex-guard"])
            .env_clear()
            .env("PATH", path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Guard { number: process.id(), process: Mutex::new(process) })
    }

    /// Its number, which is also that of its group.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Kills and reaps it. Only while it has not been reaped.
    pub(super) fn end(&self) {
        let mut process = self.process.lock();
        // Fails if it has been killed with its group.
        let _ = process.kill();
        let _ = process.wait();
    }
}
