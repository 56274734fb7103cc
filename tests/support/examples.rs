//! Runs an example of this crate as a user does.
//!
//! Relies on Cargo's layout of the target directory. Invariant: an example finds a `codex` only where the test
//! names one.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
};

use crossbeam_channel::{Receiver, unbounded};

use super::PATIENCE;
use super::real::{RealHome, codex_bin};

/// What the example shows of a turn that was asked to say hello.
pub(crate) const HELLO: &str = "userMessage: hello\ncodex: echo: hello\n";

/// The built example; `cargo test` builds them all, `cargo test --test offline` does not.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let path = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--example", name]).status().unwrap();
        assert!(built.success());
    }
    path
}

pub(crate) fn run(name: &str, arguments: &[&str], codex: Option<&str>) -> (Output, String, String) {
    run_with_input(name, arguments, codex, "")
}

pub(crate) fn run_with_input(
    name: &str,
    arguments: &[&str],
    codex: Option<&str>,
    input: &str,
) -> (Output, String, String) {
    let mut command = Command::new(example(name));
    command.args(arguments).env_remove("CODEX_APP_SERVER_CMD");
    match codex {
        Some(codex) => command.env("CODEX_APP_SERVER_CMD", codex),
        // Nothing is found where nothing can be looked for.
        None => command.env("PATH", "").env("HOME", "/nonexistent").env("USERPROFILE", "/nonexistent"),
    };
    finish(&mut command, input)
}

/// Runs the example with the real server in this home.
pub(crate) fn run_at_home(
    name: &str,
    arguments: &[&str],
    home: &RealHome,
    input: &str,
) -> (Output, String, String) {
    finish(&mut at_home(name, arguments, home), input)
}

fn at_home(name: &str, arguments: &[&str], home: &RealHome) -> Command {
    let mut command = Command::new(example(name));
    let codex = format!("'{}' app-server", codex_bin().display());
    command
        .args(arguments)
        .current_dir(home.workspace())
        .env("CODEX_APP_SERVER_CMD", codex)
        .envs(home.envs());
    command
}

fn finish(command: &mut Command, input: &str) -> (Output, String, String) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A few words; they fit into any pipe. It fails when the example has ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// An example that goes on while the test does something else. Its input stays open.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// With the real server in this home.
    pub(crate) fn at_home(name: &str, arguments: &[&str], home: &RealHome) -> Running {
        Running::start(&mut at_home(name, arguments, home))
    }

    /// With a server that the arguments name.
    pub(crate) fn new(name: &str, arguments: &[&str]) -> Running {
        Running::start(Command::new(example(name)).args(arguments))
    }

    fn start(command: &mut Command) -> Running {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = unbounded();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Running { child, lines }
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends the input, and waits for the end.
    pub(crate) fn finish(&mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().code()
    }

    /// Waits for the end, while the input stays open.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let _input = self.child.stdin.take();
        self.child.wait().unwrap().code()
    }

    /// Waits for a line with this text.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => break,
                Ok(_) => {}
                Err(why) => panic!("waiting for {text:?}: {why}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Has ended, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the example says of its own threads, whoever the server is.
pub(crate) fn assert_threads(stdout: &str) {
    for line in [
        "first: echo: Remember the number 7\n",
        "* an example Remember the number 7\n",
        "in the fork: echo: Add 1 to it\n",
        "in the thread: echo: Double it\n",
        "turns left in the fork: 1\n",
        "turns in the thread: 2\n",
    ] {
        assert!(stdout.contains(line), "no {line:?} in {stdout}");
    }
}
