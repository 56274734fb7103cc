//! Hosts that are not what Rust's runtime makes of a process: SIGPIPE kills, SIGCHLD is ignored, no thread can be
//! started, or they fork.
//!
//! Relies on `harness` and `probe`: each test runs this binary again as such a host. Invariant: a host fails by
//! panicking or by being killed.

use std::{
    os::unix::net::UnixListener,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use codex_blocking::testing::{ScriptedServer, TurnScript};
use codex_blocking::{
    Client, Error, ExecOptions, Notifications, Recorder, Stdio, ThreadConfig, UnixSocket, WebSocket,
};
use serde_json::json;

use crate::harness::{Watched, await_notification, connect, server, shell};
use crate::probe::{output_of, probe};
use crate::support::cases::cases;
use crate::support::record::Record;
use crate::support::websocket::{Listening, Server};
use crate::support::{await_that, failure_of};

cases![
    a_host_that_sigpipe_would_kill_survives_the_death_of_its_server,
    a_host_that_sigpipe_would_kill_survives_the_death_of_a_server_on_a_socket,
    a_host_that_ignores_sigchld_is_told_that_the_exit_status_is_unknown,
    a_host_that_ignores_sigchld_ends_what_the_server_has_left_in_its_group,
    #[cfg(target_os = "linux")]
    a_host_that_ignores_sigchld_signals_no_group_that_may_be_anothers,
    a_host_that_ignores_sigchld_closes_as_any_other,
    a_fork_of_the_host_can_use_and_end_nothing_of_its_parent,
    a_fork_of_the_host_can_use_and_end_nothing_of_its_parent_over_a_socket,
    a_fork_at_any_moment_of_busy_threads_hangs_nowhere,
    #[cfg(target_os = "linux")]
    a_host_that_can_start_no_more_threads_is_left_with_no_child,
    #[cfg(target_os = "linux")]
    what_a_host_without_standard_streams_prints_does_not_reach_its_server,
];

/// Runs a host in this process.
pub(crate) fn run(host: &str, words: &[&str]) {
    match (host, words) {
        ("sigpipe-stdio", []) => sigpipe_stdio(),
        ("sigpipe-socket", []) => sigpipe_socket(),
        ("sigchld-status", []) => sigchld_status(),
        ("sigchld-leftover", []) => sigchld_leftover(),
        #[cfg(target_os = "linux")]
        ("sigchld-group", []) => sigchld_group(),
        ("sigchld-close", []) => sigchld_close(),
        ("fork-stdio", []) => fork_stdio(),
        ("fork-socket", []) => fork_socket(),
        ("fork-busy", []) => fork_busy(),
        #[cfg(target_os = "linux")]
        ("closed-streams", []) => closed_streams(),
        #[cfg(target_os = "linux")]
        ("few-threads", [spare]) => few_threads::host(spare.parse().unwrap()),
        _ => panic!("there is no host {host} {words:?}"),
    }
}

/// SIGPIPE ends this process, as it does a program in C or Python: the runtime of Rust had it ignored.
fn let_sigpipe_kill() {
    let always = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(signal_hook::consts::SIGPIPE, always).unwrap();
}

/// Requests until one fails.
fn request_until_lost(client: &Client) -> Error {
    loop {
        if let Err(error) = client.request("echo", json!({ "text": "x".repeat(10_000) })) {
            return error;
        }
    }
}

fn a_host_that_sigpipe_would_kill_survives_the_death_of_its_server() {
    output_of(&mut probe("host-sigpipe-stdio"));
}

fn sigpipe_stdio() {
    let_sigpipe_kill();
    // The first write finds out that nobody reads.
    let client = connect(shell(r#"read line; exec <&-; echo '{"method":"closed"}'; exec sleep 300"#));
    let mut notifications = client.notifications();
    client.notify("close", ()).unwrap();
    await_notification(&mut notifications, "closed");
    failure_of(&client.request("echo", ()).unwrap_err());
    client.close().unwrap();
    // Killed while threads write.
    for _ in 0..20 {
        let client = connect(server("plain"));
        let child = Watched::server(&client);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..4).map(|_| scope.spawn(|| request_until_lost(&client))).collect();
            child.signal(rustix::process::Signal::KILL);
            for writer in writers {
                failure_of(&writer.join().unwrap());
            }
        });
        // The thread to be woken has ended.
        client.close().unwrap();
    }
}

fn a_host_that_sigpipe_would_kill_survives_the_death_of_a_server_on_a_socket() {
    output_of(&mut probe("host-sigpipe-socket"));
}

fn sigpipe_socket() {
    let_sigpipe_kill();
    let path = std::env::temp_dir().join(format!("codex-blocking-sigpipe-{}", std::process::id()));
    for _ in 0..20 {
        let listener = UnixListener::bind(&path).unwrap();
        let client = thread::scope(|scope| {
            let connecting = scope.spawn(|| Client::connect(UnixSocket::new(&path)).unwrap());
            drop(Server::upgrade(Box::new(listener.accept().unwrap().0), None));
            connecting.join().unwrap()
        });
        std::fs::remove_file(&path).unwrap();
        request_until_lost(&client);
        client.close().unwrap();
    }
    for _ in 0..20 {
        let listening = Listening::new();
        let (client, server) = listening.serve(|| Client::connect(WebSocket::new(listening.url())).unwrap());
        drop(server);
        request_until_lost(&client);
        client.close().unwrap();
    }
}

/// The host, with SIGCHLD ignored, which is inherited. Not every `sh` can do that.
pub(crate) fn without_sigchld(name: &str) -> Command {
    let mut command = Command::new("bash");
    let exe = std::env::current_exe().unwrap();
    command.args(["-c", r#"trap "" CHLD; exec "$0" "$@""#]).arg(exe).args(["--probe", name]);
    command
}

/// The server of a host in which the system reaps all children.
fn reaped_server(scenario: &str) -> Client {
    let unknown = Command::new("true").spawn().unwrap().wait().unwrap_err();
    assert_eq!(unknown.raw_os_error(), Some(rustix::io::Errno::CHILD.raw_os_error()));
    connect(server(scenario))
}

fn a_host_that_ignores_sigchld_is_told_that_the_exit_status_is_unknown() {
    output_of(&mut without_sigchld("host-sigchld-status"));
}

fn sigchld_status() {
    let client = reaped_server("plain");
    let error = client.request("exit", json!({ "status": 3, "stderr": "the reason\n" })).unwrap_err();
    let failure = failure_of(&error);
    assert_eq!(failure.exit_status, None, "{error:?}");
    assert_eq!(failure.stderr_tail, ["the reason"]);
    assert!(
        error.to_string().contains("exit status is unknown, because this program ignores SIGCHLD"),
        "{error}"
    );
}

fn a_host_that_ignores_sigchld_ends_what_the_server_has_left_in_its_group() {
    output_of(&mut without_sigchld("host-sigchld-leftover"));
}

fn sigchld_leftover() {
    let client = reaped_server("plain");
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    client.request("exit", json!({ "status": 3 })).unwrap_err();
    grandchild.await_end();
    client.close().unwrap();
}

#[cfg(target_os = "linux")]
fn a_host_that_ignores_sigchld_signals_no_group_that_may_be_anothers() {
    output_of(&mut without_sigchld("host-sigchld-group"));
}

#[cfg(target_os = "linux")]
fn sigchld_group() {
    let client = reaped_server("plain");
    // It is in the child's group, and stands for whoever has that number later.
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    // As long as the guard is there, nobody else has the number.
    let guard = grandchild.leader();
    guard.signal(rustix::process::Signal::KILL);
    guard.await_end();
    client.request("exit", json!({ "status": 3 })).unwrap_err();
    client.close().unwrap();
    // A signal would be delivered before this one.
    grandchild.signal(rustix::process::Signal::STOP);
    await_that("it has stopped", || grandchild.state() == "T");
}

fn a_host_that_ignores_sigchld_closes_as_any_other() {
    output_of(&mut without_sigchld("host-sigchld-close"));
}

fn sigchld_close() {
    for scenario in ["plain", "ignores-eof"] {
        let client = reaped_server(scenario);
        let child = Watched::server(&client);
        client.close().unwrap();
        assert!(child.is_gone());
    }
}

/// Runs this in a fork of this process, and waits for its end.
fn in_a_fork(child: impl FnOnce()) {
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            std::process::exit(i32::from(outcome.is_err()));
        }
        fork::Fork::Parent(pid) => {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            let _ends_with_this = KilledOnDrop(pid);
            await_that("the fork has ended", || {
                let waited = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
                waited.unwrap().is_some_and(|(_, status)| {
                    assert_eq!(status.exit_status(), Some(0), "the fork failed");
                    true
                })
            });
        }
    }
}

/// A fork, which must not outlive its test.
struct KilledOnDrop(rustix::process::Pid);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process(self.0, rustix::process::Signal::KILL);
    }
}

#[track_caller]
fn is_refused_in_a_fork<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Closed { in_forked_process: true, .. }), "{error:?}");
    assert!(error.to_string().contains("in a forked process"), "{error}");
}

/// What a fork gets of its parent's client, in which nothing has ended.
fn nothing_works(client: Client, mut notifications: Notifications) {
    is_refused_in_a_fork(client.request("echo", ()));
    is_refused_in_a_fork(client.notify("echo", ()));
    is_refused_in_a_fork(client.chat_once("hello"));
    is_refused_in_a_fork(client.start_thread(ThreadConfig::new()));
    is_refused_in_a_fork(client.supports("turn/start"));
    is_refused_in_a_fork(client.exec_command(["ls"], ExecOptions::new()));
    is_refused_in_a_fork(client.interrupt_turn("turn"));
    // What had arrived, and then the end.
    notifications.by_ref().for_each(drop);
    assert!(notifications.is_ended());
    notifications.ready().recv().unwrap_err();
    assert!(client.notifications().next().is_none() && client.approval_requests().next().is_none());
    assert!(client.pending().is_empty());
    let _ = (client.stats(), format!("{client:?}"));
    client.close().unwrap();
    drop(notifications);
    drop(client);
}

fn a_fork_of_the_host_can_use_and_end_nothing_of_its_parent() {
    output_of(&mut probe("host-fork-stdio"));
}

fn fork_stdio() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    let notifications = client.notifications();
    let mut command = Some(client.spawn_command(["cat"], ExecOptions::new()).unwrap());
    client.request("seen", ()).unwrap();
    in_a_fork(|| {
        let mut command = command.take().unwrap();
        assert!(command.next().is_none());
        is_refused_in_a_fork(command.terminate());
        is_refused_in_a_fork(command.wait());
        nothing_works(client.clone(), notifications);
        drop(client.clone());
        // It can have a server of its own.
        let own = connect(server("plain"));
        own.request("echo", ()).unwrap();
        own.close().unwrap();
    });
    assert_eq!(client.request("seen", ()).unwrap(), json!([["seen", null]]));
    assert!(!child.has_ended() && !command.as_ref().unwrap().is_ended());
    client.close().unwrap();
    assert!(child.is_gone());
}

fn a_fork_of_the_host_can_use_and_end_nothing_of_its_parent_over_a_socket() {
    output_of(&mut probe("host-fork-socket"));
}

fn fork_socket() {
    let scripted = ScriptedServer::new().on_turn(|_| TurnScript::new().wait_for_interrupt());
    let listening = scripted.listen().unwrap();
    // What a fork flushes of it would be there twice.
    let record = Record::default();
    let recorder = Recorder::new(std::io::BufWriter::new(record.clone()));
    let builder = Client::builder().record(recorder.clone());
    let client = builder.connect(WebSocket::new(listening.url())).unwrap();
    let notifications = client.notifications();
    let mut chat = Some(client.chat("hello").unwrap());
    let continuation = chat.as_ref().unwrap().continuation();
    in_a_fork(|| {
        let mut chat = chat.take().unwrap();
        let steps: Vec<_> = chat.by_ref().collect();
        assert!(steps.last().unwrap().is_error(), "{steps:?}");
        is_refused_in_a_fork(Err::<(), _>(chat.error().unwrap().clone()));
        is_refused_in_a_fork(chat.interrupt());
        is_refused_in_a_fork(chat.steer("more"));
        drop(chat);
        is_refused_in_a_fork(client.chat(continuation));
        nothing_works(client.clone(), notifications);
    });
    let mut chat = chat.unwrap();
    assert!(!chat.is_ended());
    assert!(chat.cancel().unwrap().was_interrupted);
    client.close().unwrap();
    let record = record.text();
    assert!(record.ends_with("}\n"), "{record}");
    for method in ["initialize", "turn/interrupt", "turn/completed"] {
        let name = format!("\"method\":\"{method}\"");
        assert_eq!(record.matches(&name).count(), 1, "{method}: {record}");
    }
}

fn a_fork_at_any_moment_of_busy_threads_hangs_nowhere() {
    output_of(&mut probe("host-fork-busy"));
}

fn fork_busy() {
    let client = connect(server("plain"));
    let is_over = AtomicBool::new(false);
    let lines = "{\"method\":\"test/line\"}\n".repeat(1000);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    client.request("raw", json!({ "bytes": lines.as_bytes() })).unwrap();
                }
            });
        }
        for _ in 0..100 {
            let notifications = client.notifications();
            in_a_fork(|| nothing_works(client.clone(), notifications));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    client.close().unwrap();
}

/// Threads can't be started, because there is no address space for their stacks.
#[cfg(target_os = "linux")]
mod few_threads {
    use rustix::process::{Resource, Rlimit, WaitOptions, setrlimit};

    use super::*;

    const MIB: u64 = 1024 * 1024;

    pub(super) fn tests() {
        // A stack takes 2 MiB: from no thread to all of them.
        let mut failures = 0;
        for spare in 1..12 {
            let outcome = output_of(probe("host-few-threads").arg(spare.to_string()));
            failures += u64::from(outcome == "failed");
        }
        assert!(failures >= 3, "{failures} failures");
    }

    /// Connects with so many MiB to spare.
    pub(super) fn host(spare: u64) {
        // What is freed here is there for everything but stacks.
        let mut pieces: Vec<Vec<u8>> = (0..16 * 1024).map(|_| vec![1; 1024]).collect();
        let last = pieces.pop();
        drop(pieces);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
        let kib: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
        let most = kib * 1024 + spare * MIB;
        setrlimit(Resource::As, Rlimit { current: Some(most), maximum: None }).unwrap();
        let outcome = match Client::connect(Stdio::command(["cat"])) {
            Ok(client) => {
                client.close().unwrap();
                "connected"
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("failed to start"), "{text}");
                assert!(failure_of(&error).source.is_some() && error.is_retryable(), "{error:?}");
                "failed"
            }
        };
        let left = rustix::process::wait(WaitOptions::NOHANG);
        assert_eq!(left.unwrap_err(), rustix::io::Errno::CHILD, "a child is left");
        drop(last);
        print!("\"{outcome}\"");
    }
}

#[cfg(target_os = "linux")]
fn a_host_that_can_start_no_more_threads_is_left_with_no_child() {
    few_threads::tests();
}

#[cfg(target_os = "linux")]
fn what_a_host_without_standard_streams_prints_does_not_reach_its_server() {
    output_of(&mut probe("host-closed-streams"));
}

#[cfg(target_os = "linux")]
fn closed_streams() {
    // Rust's runtime has opened those that were closed at the start.
    for number in [0, 1] {
        nix::unistd::close(number).unwrap();
    }
    let client = connect(server("plain"));
    println!("hello");
    for number in [0, 1] {
        let stream = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
        assert_eq!(stream.to_str(), Some("/dev/null"), "{number}");
    }
    client.request("echo", ()).unwrap();
    client.close().unwrap();
}
