//! The death of the server, and its sleep: everybody who waits is told, with one reason.
//!
//! Relies on `support/live.rs`. Invariant: a server that was put to sleep is woken or killed with its case.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use codex_blocking::{ChatRequest, Client, Error, ThreadConfig, TransportFailure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::{Live, Via, stdio};
use crate::support::real::RealHome;
use crate::{SHORT, SOON, kinds};

cases![
    a_server_that_dies_in_a_turn_ends_it_and_every_later_call_with_one_reason,
    fifty_who_wait_are_told_of_the_servers_death,
    a_server_that_sleeps_costs_each_call_its_limit_and_no_more,
    a_continuation_of_a_dead_server_tells_of_its_death,
];

/// A server of which the process is known.
struct Mortal {
    live: Live,
    pid: Pid,
}

impl Mortal {
    fn new() -> Mortal {
        let (live, pid) = match Via::chosen() {
            Via::Stdio => child(),
            _ => {
                let live = Live::new();
                let pid = live.daemon.as_ref().unwrap().pid();
                (live, i32::try_from(pid).unwrap())
            }
        };
        Mortal { live, pid: Pid::from_raw(pid).unwrap() }
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }
}

/// A server as the client's child.
fn child() -> (Live, i32) {
    let home = RealHome::new();
    let pid_file = home.home().join("pid");
    // The shell leaves its place, and its number, to the server.
    let shell = ["sh", "-c", r#"echo $$ > "$0"; exec "$@""#, pid_file.to_str().unwrap()];
    let command = shell.map(str::to_owned).into_iter().chain(home.command()).collect();
    let client = Client::connect(stdio(&home, command)).unwrap();
    client.initialize().unwrap();
    let pid = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    (Live { client, daemon: None, home }, pid)
}

/// The reason, if it is that the server was killed.
fn failure(error: &Error) -> Arc<TransportFailure> {
    use std::os::unix::process::ExitStatusExt;

    let Error::Transport { failure, .. } = error else { panic!("{error:?}") };
    // How it ended is seen by its parent alone.
    if Via::chosen() == Via::Stdio {
        let status = failure.exit_status.expect("the exit was seen");
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status:?}");
    }
    Arc::clone(failure)
}

fn a_server_that_dies_in_a_turn_ends_it_and_every_later_call_with_one_reason() {
    let mortal = Mortal::new();
    let client = &mortal.live.client;
    let mut chat = client.chat("hang").unwrap();
    mortal.live.wait_for_model(1);
    mortal.signal(Signal::KILL);
    let steps: Vec<_> = chat.by_ref().collect();
    assert_eq!(kinds(&steps), ["userMessage", "error"]);
    assert_eq!(steps[1].data()["code"], "transport");
    let reason = failure(&chat.finish().unwrap_err());

    let begun = Instant::now();
    for error in [
        client.request("config/read", json!({})).unwrap_err(),
        client.chat("hello").unwrap_err(),
        client.start_thread(ThreadConfig::new()).unwrap_err(),
        client.notify("initialized", ()).unwrap_err(),
    ] {
        assert!(Arc::ptr_eq(&failure(&error), &reason), "{error:?}");
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

fn fifty_who_wait_are_told_of_the_servers_death() {
    const OF_EACH: usize = 25;
    let mortal = Mortal::new();
    let client = &mortal.live.client;
    let chats: Vec<_> = (0..OF_EACH).map(|_| client.chat("hang").unwrap()).collect();
    mortal.live.wait_for_model(OF_EACH as u64);
    // Asleep it answers nothing, so that these wait for sure.
    mortal.signal(Signal::STOP);
    let (killed, errors) = thread::scope(|scope| {
        let readers = chats.into_iter().map(|chat| scope.spawn(|| chat.finish().unwrap_err()));
        let callers =
            (0..OF_EACH).map(|_| scope.spawn(|| client.request("config/read", json!({})).unwrap_err()));
        let waiting: Vec<_> = readers.chain(callers).collect();
        let begun = Instant::now();
        while client.stats().pending_requests < OF_EACH {
            assert!(begun.elapsed() < PATIENCE, "{:?}", client.stats());
            thread::yield_now();
        }
        let killed = Instant::now();
        mortal.signal(Signal::KILL);
        let errors: Vec<_> = waiting.into_iter().map(|waiting| waiting.join().unwrap()).collect();
        (killed, errors)
    });
    assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
    let reason = failure(&errors[0]);
    assert!(errors.iter().all(|error| Arc::ptr_eq(&failure(error), &reason)));
    assert_eq!(errors.len(), 2 * OF_EACH);
}

fn a_server_that_sleeps_costs_each_call_its_limit_and_no_more() {
    let mortal = Mortal::new();
    // What takes its time on a busy machine has no such limit.
    let thread = mortal.live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("hello").unwrap();
    let client = mortal.live.client.with_request_timeout(SHORT);
    let mut chat = client.chat(ChatRequest::new("hang").thread(thread.thread_id())).unwrap();
    mortal.live.wait_for_model(2);
    mortal.signal(Signal::STOP);
    let begun = Instant::now();
    for error in [
        client.request("config/read", json!({})).unwrap_err(),
        client.chat("hello").unwrap_err(),
        chat.cancel().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(client.stats().pending_requests, 0);
    mortal.signal(Signal::CONT);
    // It was told to interrupt, and does so late.
    assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
    assert_eq!(mortal.live.client.chat_once("hello").unwrap().final_text, "echo: hello");
}

fn a_continuation_of_a_dead_server_tells_of_its_death() {
    let mortal = Mortal::new();
    let client = &mortal.live.client;
    let request = ChatRequest::new("hang").inactivity_timeout(SHORT);
    let error = client.chat_once(request).unwrap_err();
    let continuation = error.continuation().unwrap();
    mortal.signal(Signal::KILL);
    failure(&client.chat_once(continuation).unwrap_err());
}
