//! The ends that a program chooses: `close`, and dropping the last clone.
//!
//! Relies on `harness`. `close` may take 5 s and a drop 0.5 s; the tests allow for a busy machine.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{Client, Error};

#[cfg(target_os = "linux")]
use crate::harness::deaf_server_apart;
use crate::harness::{
    LOG_GATE, Watched, await_log, await_notification, connect, deaf_server, scripted_server, server, timed,
};
#[cfg(unix)]
use crate::harness::{TELL_PID, shell};
use crate::support::await_that;
use crate::support::cases::cases;

cases![
    close_ends_an_obedient_child_by_the_end_of_its_input,
    #[cfg(unix)]
    close_asks_a_child_that_ignores_the_end_of_its_input_to_terminate,
    close_kills_a_child_that_ignores_that_too,
    #[cfg(unix)]
    close_kills_a_stopped_child,
    close_ends_grandchildren_in_the_childs_group,
    close_ends_grandchildren_of_a_deaf_child,
    close_ends_a_server_that_a_script_runs,
    close_is_not_held_up_by_a_grandchild_that_holds_the_pipes,
    close_is_not_held_up_by_a_grandchild_that_floods_stdout,
    close_is_not_held_up_by_a_grandchild_that_floods_stderr,
    close_and_drop_are_not_held_up_by_a_logger_that_waits_for_their_caller,
    close_works_twice_and_after_the_child_has_died,
    close_from_many_threads_at_once_returns_when_the_child_is_gone,
    close_fails_all_that_waits_as_closed,
    calls_after_close_fail_as_closed,
    a_drop_ends_an_obedient_child_fast,
    a_drop_kills_a_stubborn_child_after_a_moment,
    a_drop_ends_a_server_that_a_script_runs,
    a_drop_is_not_held_up_by_a_grandchild_that_holds_the_pipes,
    a_drop_is_not_held_up_by_a_grandchild_that_floods_stderr,
    only_the_last_clone_ends_the_child,
    a_panic_that_unwinds_past_a_client_ends_the_child,
    #[cfg(unix)]
    the_child_is_in_a_process_group_of_its_own,
    #[cfg(target_os = "linux")]
    close_and_drop_end_a_server_that_has_left_its_group,
];

/// 5 s, and what a busy machine adds.
const CLOSE_LIMIT: Duration = Duration::from_secs(8);
/// 0.5 s, and what a busy machine adds.
const DROP_LIMIT: Duration = Duration::from_secs(3);
/// Less than the first step of `close` waits for.
const FIRST_STEP: Duration = Duration::from_millis(1900);

#[track_caller]
fn close_within(client: &Client, limit: Duration) {
    let ((), took) = timed(|| client.close().unwrap());
    assert!(took < limit, "close took {took:?}");
}

#[track_caller]
fn drop_within(client: Client, limit: Duration) {
    let ((), took) = timed(|| drop(client));
    assert!(took < limit, "the drop took {took:?}");
}

fn close_ends_an_obedient_child_by_the_end_of_its_input() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    close_within(&client, FIRST_STEP);
    assert!(child.is_gone());
}

#[cfg(unix)]
fn close_asks_a_child_that_ignores_the_end_of_its_input_to_terminate() {
    // A shell runs a trap when what it waits for has ended; that gets the signal too.
    let trap = "trap 'echo mark-terminated >&2; exit 0' TERM";
    let client = connect(shell(&format!("{trap}; {TELL_PID}; while :; do sleep 300; done")));
    let child = Watched::shell(&client);
    close_within(&client, CLOSE_LIMIT);
    assert!(child.is_gone());
    await_log("mark-terminated");
}

fn close_kills_a_child_that_ignores_that_too() {
    let client = connect(deaf_server());
    let child = Watched::server(&client);
    close_within(&client, CLOSE_LIMIT);
    assert!(child.is_gone());
}

#[cfg(unix)]
fn close_kills_a_stopped_child() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    child.signal(rustix::process::Signal::STOP);
    close_within(&client, CLOSE_LIMIT);
    assert!(child.is_gone());
}

fn close_ends_grandchildren_in_the_childs_group() {
    let client = connect(server("plain"));
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    close_within(&client, FIRST_STEP);
    grandchild.await_end();
}

fn close_ends_grandchildren_of_a_deaf_child() {
    let client = connect(deaf_server());
    // It inherits deafness.
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    close_within(&client, CLOSE_LIMIT);
    grandchild.await_end();
}

fn close_ends_a_server_that_a_script_runs() {
    let client = connect(scripted_server("close"));
    let child = Watched::server(&client);
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    close_within(&client, CLOSE_LIMIT);
    child.await_end();
    grandchild.await_end();
}

fn close_is_not_held_up_by_a_grandchild_that_holds_the_pipes() {
    let client = connect(server("plain"));
    let grandchild = Watched::grandchild(&client, "sleeper", true);
    close_within(&client, FIRST_STEP);
    // On Windows it ends with the server, whose job it is in.
    #[cfg(unix)]
    assert!(!grandchild.has_ended(), "it did not hold the pipes");
    drop(grandchild);
}

fn close_is_not_held_up_by_a_grandchild_that_floods_stdout() {
    let client = connect(server("plain"));
    client.notify("spawn", serde_json::json!({ "scenario": "stdout-flooder", "apart": true })).unwrap();
    await_that("the flood has begun", || client.stats().skipped_frames > 1000);
    close_within(&client, CLOSE_LIMIT);
}

fn close_is_not_held_up_by_a_grandchild_that_floods_stderr() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    let _grandchild = Watched::grandchild(&client, "stderr-flooder", true);
    close_within(&client, CLOSE_LIMIT);
    assert!(child.is_gone());
}

fn close_and_drop_are_not_held_up_by_a_logger_that_waits_for_their_caller() {
    let clients = [connect(server("plain")), connect(server("plain"))];
    // As when a program holds stderr's lock, and its logger writes there.
    let gate = LOG_GATE.lock();
    for (client, mark) in clients.iter().zip(["mark-gate-1", "mark-gate-2"]) {
        client.request("say", serde_json::json!({ "stderr": format!("{mark}\n") })).unwrap();
        await_log(mark);
    }
    let [closed, dropped] = clients;
    close_within(&closed, FIRST_STEP);
    drop_within(dropped, DROP_LIMIT);
    drop(gate);
}

fn close_works_twice_and_after_the_child_has_died() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    child.kill();
    client.request("hold", ()).unwrap_err();
    close_within(&client, FIRST_STEP);
    close_within(&client, FIRST_STEP);
    assert!(child.is_gone());
}

fn close_from_many_threads_at_once_returns_when_the_child_is_gone() {
    const CLOSERS: usize = 8;
    let client = connect(server("ignores-eof"));
    let child = Watched::server(&client);
    let barrier = Barrier::new(CLOSERS);
    thread::scope(|scope| {
        for _ in 0..CLOSERS {
            scope.spawn(|| {
                barrier.wait();
                close_within(&client, CLOSE_LIMIT);
                assert!(child.is_gone(), "close returned while the child was still there");
            });
        }
    });
}

fn close_fails_all_that_waits_as_closed() {
    const CALLERS: usize = 50;
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    thread::scope(|scope| {
        let callers: Vec<_> =
            (0..CALLERS).map(|_| scope.spawn(|| client.request("hold", ()).unwrap_err())).collect();
        for _ in 0..CALLERS {
            await_notification(&mut notifications, "held");
        }
        client.close().unwrap();
        for caller in callers {
            let error = caller.join().unwrap();
            assert!(matches!(&error, Error::Closed { doing, .. } if doing == "hold"), "{error:?}");
        }
    });
    assert!(notifications.next().is_none());
}

fn calls_after_close_fail_as_closed() {
    let client = connect(server("plain"));
    client.initialize().unwrap();
    client.close().unwrap();
    for error in [client.request("echo", ()).unwrap_err(), client.notify("echo", ()).unwrap_err()] {
        assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    }
}

fn a_drop_ends_an_obedient_child_fast() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    drop_within(client, DROP_LIMIT);
    assert!(child.is_gone());
}

fn a_drop_kills_a_stubborn_child_after_a_moment() {
    let client = connect(deaf_server());
    let child = Watched::server(&client);
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    drop_within(client, DROP_LIMIT);
    assert!(child.is_gone());
    grandchild.await_end();
}

fn a_drop_ends_a_server_that_a_script_runs() {
    let client = connect(scripted_server("drop"));
    let child = Watched::server(&client);
    drop_within(client, DROP_LIMIT);
    child.await_end();
}

fn a_drop_is_not_held_up_by_a_grandchild_that_holds_the_pipes() {
    let client = connect(deaf_server());
    let child = Watched::server(&client);
    let grandchild = Watched::grandchild(&client, "sleeper", true);
    drop_within(client, DROP_LIMIT);
    assert!(child.is_gone());
    #[cfg(unix)]
    assert!(!grandchild.has_ended(), "it did not hold the pipes");
    drop(grandchild);
}

fn a_drop_is_not_held_up_by_a_grandchild_that_floods_stderr() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    let _grandchild = Watched::grandchild(&client, "stderr-flooder", true);
    drop_within(client, DROP_LIMIT);
    assert!(child.is_gone());
}

fn only_the_last_clone_ends_the_child() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    drop(client.clone());
    assert!(!child.has_ended());
    client.request("echo", ()).unwrap();
    let weak = client.downgrade();
    drop(client);
    assert!(child.is_gone() && weak.upgrade().is_none());
}

fn a_panic_that_unwinds_past_a_client_ends_the_child() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    let start = Instant::now();
    let unwound = thread::spawn(move || {
        let _client = client;
        // Unlike `panic!` it prints nothing.
        std::panic::resume_unwind(Box::new(()));
    });
    unwound.join().unwrap_err();
    assert!(child.is_gone() && start.elapsed() < DROP_LIMIT);
}

#[cfg(unix)]
fn the_child_is_in_a_process_group_of_its_own() {
    let clients = [connect(server("plain")), connect(server("plain"))];
    let children = clients.each_ref().map(Watched::server);
    let groups = children.each_ref().map(|child| child.leader().pid());
    let own = u32::try_from(rustix::process::getpgrp().as_raw_nonzero().get()).unwrap();
    assert!(groups[0] != own && groups[1] != own && groups[0] != groups[1], "{groups:?}, {own}");
}

#[cfg(target_os = "linux")]
fn close_and_drop_end_a_server_that_has_left_its_group() {
    let ends: [fn(Client); 2] =
        [|client| close_within(&client, CLOSE_LIMIT), |client| drop_within(client, DROP_LIMIT)];
    for end in ends {
        let client = connect(deaf_server_apart());
        let child = Watched::server(&client);
        // It inherits deafness.
        let grandchild = Watched::grandchild(&client, "sleeper", false);
        assert_eq!(child.leader().pid(), child.pid());
        end(client);
        assert!(child.is_gone());
        grandchild.await_end();
    }
}
