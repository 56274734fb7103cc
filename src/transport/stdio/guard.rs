//! The process that ends a child's group when this process dies, however it does.
//!
//! Relies on std, on `/bin/sh`, and on `child` for its lifecycle. Invariant: it waits for nothing but the end of its
//! input, whose other end only this process holds, and leads the group that it ends.

use std::{
    ffi::OsString,
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use parking_lot::Mutex;

/// Waits for the end of the input, and ends the group as `Process::terminate` does. Ends by the last kill itself, which
/// also comes if the shell gives up before: it does if the system lets it start no `sleep`.
const SCRIPT: &str = "trap '' HUP INT QUIT TERM; trap 'kill -KILL 0' EXIT; while read -r line; do :; done; \
    kill -TERM 0; sleep 1; kill -TERM 0; sleep 1";

/// Where `sleep` is if it is not on the `PATH` of this process. Without `sleep` the script kills immediately.
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
        let process = command(std::env::var_os("PATH")).spawn()?;
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

fn command(path: Option<OsString>) -> Command {
    let mut path = path.unwrap_or_default();
    // An empty entry would be the current directory.
    if !path.is_empty() {
        path.push(":");
    }
    path.push(DEFAULT_PATH);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT, "codex-guard"])
        .env_clear()
        .env("PATH", path)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use rustix::process::getuid;

    use super::*;

    /// A user for whom limits hold, if this one is above them.
    fn limited(command: &mut Command) -> &mut Command {
        if getuid().is_root() { command.uid(54321).gid(54321) } else { command }
    }

    /// A process in the guard's group, which says when it is ready.
    fn member(guard: &Child, script: &str) -> Child {
        use std::io::Read;

        let mut command = Command::new("sh");
        command.args(["-c", script]).process_group(guard.id().try_into().unwrap());
        let mut member = limited(command.stdin(Stdio::piped()).stdout(Stdio::piped())).spawn().unwrap();
        member.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        member
    }

    #[test]
    fn a_guard_that_can_start_no_process_kills_the_group() {
        let command = command(None);
        // It limits itself: to limit another user's process is a right that root may lack.
        let mut limiting = Command::new("prlimit");
        limiting
            .args(["--nproc=0", "/bin/sh"])
            .args(command.get_args())
            .stdin(Stdio::piped())
            .process_group(0);
        let mut guard = limited(&mut limiting).spawn().unwrap();
        let mut member = member(&guard, "trap '' TERM; echo; read -r line");
        drop(guard.stdin.take());
        assert_eq!(guard.wait().unwrap().signal(), Some(9));
        // Its input is open: it ends by nothing else.
        assert!(member.stdin.is_some());
        let input = member.stdin.take();
        assert_eq!(member.wait().unwrap().signal(), Some(9));
        drop(input);
    }

    #[test]
    fn a_guard_finds_sleep_where_this_process_does_not() {
        let mut guard = command(Some("/nowhere".into())).spawn().unwrap();
        let mut member = member(&guard, "trap 'sleep 0.1; exit 5' TERM; echo; while :; do sleep 0.1; done");
        drop(guard.stdin.take());
        assert_eq!(member.wait().unwrap().code(), Some(5), "it was given no time");
        guard.wait().unwrap();
    }

    #[test]
    fn what_is_written_to_a_guard_does_not_end_the_group() {
        use std::io::Write;

        let mut guard = command(None).spawn().unwrap();
        let mut member = member(&guard, "echo; read -r line; exit 5");
        guard.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
        // Ends in time if nothing was sent to it.
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(member.stdin.take());
        assert_eq!(member.wait().unwrap().code(), Some(5));
        drop(guard.stdin.take());
        guard.wait().unwrap();
    }
}
