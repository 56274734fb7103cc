//! The hard death of the program: neither the server nor what runs below it is left behind.
//!
//! Relies on `support/live.rs`, on Node for an MCP server, and on Linux's `/proc`. Each test runs this binary again
//! with `--host HOME`, which is killed. Invariant: what a failed test leaves behind is killed by the test.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio as Pipe};
use std::thread;
use std::time::Instant;

use codex_blocking::{Client, ExecOptions, SandboxMode, SandboxPolicy, ThreadConfig, WebSocket};
use rustix::process::{Pid, Signal, kill_process};

use crate::SOON;
use crate::support::cases::cases;
use crate::support::real::RealHome;
use crate::support::{PATIENCE, await_that};

cases![
    a_host_that_is_killed_takes_its_server_along,
    a_host_that_is_killed_takes_the_server_along_that_it_has_started_for_a_websocket,
];

/// What neither the end of its input nor a gentle signal ends. The number behind it tells two apart.
const STUBBORN: &str = "trap '' HUP INT TERM; sleep";

/// Starts a server and all that runs below one, says so, and waits to be killed.
pub(crate) fn host(via: &str) -> ! {
    // It runs in the workspace beside the home.
    let server = codex_blocking::Stdio::default();
    let client = match via {
        "stdio" => Client::connect(server),
        _ => Client::connect(WebSocket::spawn(server)),
    }
    .unwrap();
    let options = ExecOptions::new().sandbox_policy(SandboxPolicy::DangerFullAccess);
    let _command = client.spawn_command(["sh", "-c", &format!("{STUBBORN} 601")], options).unwrap();
    let free = ThreadConfig::new().sandbox(SandboxMode::DangerFullAccess);
    let thread = client.start_thread(free).unwrap();
    let _chat = thread.chat(format!("run {STUBBORN} 602")).unwrap();
    println!("started");
    loop {
        thread::sleep(PATIENCE);
    }
}

/// The processes of this home, by what they run.
fn processes(home: &Path) -> Vec<(Pid, String)> {
    let home = format!("HOME={}\0", home.display());
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let found = all.filter_map(|process| {
        let pid = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
        let read = |file| std::fs::read_to_string(process.path().join(file)).unwrap_or_default();
        let is_one = read("environ").contains(&home);
        is_one.then(|| (pid, read("cmdline").replace('\0', " ")))
    });
    found.collect()
}

struct Leftovers<'a>(&'a Path);

impl Drop for Leftovers<'_> {
    fn drop(&mut self) {
        for (pid, _) in processes(self.0) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn is_taken_along(via: &str, arguments: &str) {
    let home = RealHome::new();
    let folder = home.home();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mcp_server.js");
    let mut config = std::fs::File::options().append(true).open(folder.join("config.toml")).unwrap();
    // It ends with its input. One that does not outlives each server that ends itself, which then leaves it behind.
    write!(config, "\n[mcp_servers.tiny]\ncommand = \"node\"\nargs = [{script:?}]\n").unwrap();
    drop(config);
    let _leftovers = Leftovers(&folder);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let server = home.command().join(" ") + arguments;
    command.args(["--host", via]).envs(home.envs()).env("CODEX_APP_SERVER_CMD", server);
    let mut host = command.current_dir(home.workspace()).stdout(Pipe::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    for running in ["sleep 601", "sleep 602", "mcp_server.js"] {
        let is_it = |(_, command): &(Pid, String)| command.contains(running);
        await_that(running, || processes(&folder).iter().any(is_it));
    }
    host.kill().unwrap();
    host.wait().unwrap();
    let killed = Instant::now();
    await_that("nothing is left", || processes(&folder).is_empty());
    assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
}

fn a_host_that_is_killed_takes_its_server_along() {
    is_taken_along("stdio", "");
}

fn a_host_that_is_killed_takes_the_server_along_that_it_has_started_for_a_websocket() {
    is_taken_along("ws", " --listen ws://127.0.0.1:0");
}
