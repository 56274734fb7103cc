//! How the death of the child is told: to all who wait, at once, with its reason.
//!
//! Relies on `harness`.

#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;
use std::thread;

use codex_blocking::Error;
use serde_json::json;

use crate::harness::{AT_ONCE, Watched, await_notification, connect, scripted_server, server, timed};
#[cfg(unix)]
use crate::harness::{TELL_PID, shell};
use crate::support::cases::cases;
use crate::support::{await_that, failure_of};

cases![
    all_pending_requests_fail_at_once_with_the_status_and_the_last_words,
    later_calls_fail_at_once_with_the_same_reason,
    a_child_that_fails_at_its_start_tells_why,
    a_status_of_zero_is_told_too,
    #[cfg(unix)]
    death_by_a_signal_is_told,
    #[cfg(unix)]
    a_child_that_closes_its_output_but_lives_on_counts_as_lost,
    #[cfg(unix)]
    a_lost_child_that_lives_on_is_still_reaped_by_close,
    #[cfg(unix)]
    a_child_that_closes_its_input_counts_as_lost,
    a_grandchild_that_holds_the_pipes_does_not_hide_the_exit,
    a_grandchild_that_floods_stdout_does_not_hide_the_exit,
    what_the_child_wrote_before_its_exit_arrives,
    the_rest_of_its_group_ends_with_the_child,
    the_exit_of_a_server_that_a_script_runs_is_told,
    notifications_end_with_the_child,
    an_api_key_in_the_last_words_of_the_server_is_not_told,
];

fn all_pending_requests_fail_at_once_with_the_status_and_the_last_words() {
    const CALLERS: usize = 16;
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    let (errors, took) = thread::scope(|scope| {
        let callers: Vec<_> =
            (0..CALLERS).map(|_| scope.spawn(|| client.request("hold", ()).unwrap_err())).collect();
        for _ in 0..CALLERS {
            await_notification(&mut notifications, "held");
        }
        timed(|| {
            client.notify("exit", json!({ "status": 3, "stderr": "starting\nthe disk is full\n" })).unwrap();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
        })
    });
    for error in &errors {
        let failure = failure_of(error);
        assert_eq!(failure.exit_status.unwrap().code(), Some(3), "{error:?}");
        assert_eq!(failure.stderr_tail, ["starting", "the disk is full"]);
        assert!(
            error.to_string().contains("hold") && error.to_string().contains("the disk is full"),
            "{error}"
        );
        assert!(!error.is_retryable(), "the work may have been done: {error:?}");
    }
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(client.stats().pending_requests, 0);
}

fn later_calls_fail_at_once_with_the_same_reason() {
    let client = connect(server("plain"));
    client.request("exit", json!({ "status": 3, "stderr": "the disk is full" })).unwrap_err();
    let (errors, took) = timed(|| {
        [
            client.request("echo", ()).unwrap_err(),
            client.notify("echo", ()).unwrap_err(),
            client.chat_once("hello").unwrap_err(),
        ]
    });
    for error in &errors {
        assert_eq!(failure_of(error).exit_status.unwrap().code(), Some(3), "{error:?}");
        assert_eq!(failure_of(error).stderr_tail, ["the disk is full"]);
    }
    assert!(took < AT_ONCE, "{took:?}");
}

fn a_child_that_fails_at_its_start_tells_why() {
    let client = connect(server("fails"));
    let error = client.initialize().unwrap_err();
    assert_eq!(failure_of(&error).exit_status.unwrap().code(), Some(1), "{error:?}");
    assert_eq!(failure_of(&error).stderr_tail, ["CODEX_HOME does not exist"]);
}

fn a_status_of_zero_is_told_too() {
    let client = connect(server("plain"));
    let error = client.request("exit", json!({ "status": 0 })).unwrap_err();
    assert!(failure_of(&error).exit_status.unwrap().success(), "{error:?}");
}

#[cfg(unix)]
fn death_by_a_signal_is_told() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    let mut notifications = client.notifications();
    let error = thread::scope(|scope| {
        let caller = scope.spawn(|| client.request("hold", ()).unwrap_err());
        await_notification(&mut notifications, "held");
        child.kill();
        caller.join().unwrap()
    });
    assert_eq!(failure_of(&error).exit_status.unwrap().signal(), Some(9), "{error:?}");
    assert!(error.to_string().contains("signal: 9"), "{error}");
}

/// Answers nothing: closes its output once it has been asked. Only a shell can close a standard stream.
#[cfg(unix)]
const CLOSES_ITS_OUTPUT: &str = "read line; exec >&-; exec sleep 300";

#[cfg(unix)]
fn a_child_that_closes_its_output_but_lives_on_counts_as_lost() {
    let client = connect(shell(CLOSES_ITS_OUTPUT));
    let (error, took) = timed(|| client.initialize().unwrap_err());
    assert!(failure_of(&error).message.contains("closed its output"), "{error:?}");
    assert_eq!(failure_of(&error).exit_status, None);
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(client.request("echo", ()).unwrap_err().code(), "transport");
}

#[cfg(unix)]
fn a_lost_child_that_lives_on_is_still_reaped_by_close() {
    let client = connect(shell(&format!("{TELL_PID}; {CLOSES_ITS_OUTPUT}")));
    let child = Watched::shell(&client);
    client.initialize().unwrap_err();
    assert!(!child.is_gone());
    client.close().unwrap();
    assert!(child.is_gone());
}

#[cfg(unix)]
fn a_child_that_closes_its_input_counts_as_lost() {
    let client = connect(shell(r#"read line; exec <&-; echo '{"method":"closed"}'; exec sleep 300"#));
    let mut notifications = client.notifications();
    client.notify("close", ()).unwrap();
    await_notification(&mut notifications, "closed");
    // It is the first write that finds it out; nobody is left to talk to then.
    let (error, took) = timed(|| client.request("echo", ()).unwrap_err());
    assert!(took < AT_ONCE, "{took:?}");
    assert!(failure_of(&error).message.contains("closed its input"), "{error:?}");
    assert_eq!(client.notify("initialized", ()).unwrap_err().code(), "transport");
}

fn a_grandchild_that_holds_the_pipes_does_not_hide_the_exit() {
    let client = connect(server("plain"));
    let grandchild = Watched::grandchild(&client, "sleeper", true);
    let (error, took) =
        timed(|| client.request("exit", json!({ "status": 3, "stderr": "the reason\n" })).unwrap_err());
    // On Windows it ends with the server, whose job it is in.
    #[cfg(unix)]
    assert!(!grandchild.has_ended(), "it did not hold the pipes");
    drop(grandchild);
    assert_eq!(failure_of(&error).exit_status.unwrap().code(), Some(3), "{error:?}");
    assert_eq!(failure_of(&error).stderr_tail, ["the reason"]);
    assert!(took < AT_ONCE, "{took:?}");
}

fn a_grandchild_that_floods_stdout_does_not_hide_the_exit() {
    let client = connect(server("plain"));
    let child = Watched::server(&client);
    // No request in between: the flood's first line may tear the reply.
    client.notify("spawn", json!({ "scenario": "stdout-flooder", "apart": true })).unwrap();
    await_that("the flood has begun", || client.stats().skipped_frames > 1000);
    let (error, took) = timed(|| {
        child.kill();
        client.request("hold", ()).unwrap_err()
    });
    let status = failure_of(&error).exit_status.unwrap();
    #[cfg(unix)]
    assert_eq!(status.signal(), Some(9), "{error:?}");
    #[cfg(not(unix))]
    assert_eq!(status.code(), Some(9), "{error:?}");
    assert!(took < AT_ONCE, "{took:?}");
}

fn what_the_child_wrote_before_its_exit_arrives() {
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    let frames = "{\"method\":\"late\"}\n".repeat(10_000);
    client.request("raw_then_exit", json!({ "bytes": frames.as_bytes() })).unwrap_err();
    assert_eq!(notifications.by_ref().filter(|notification| notification.method() == "late").count(), 10_000);
}

fn the_rest_of_its_group_ends_with_the_child() {
    let client = connect(server("plain"));
    let grandchild = Watched::grandchild(&client, "sleeper", false);
    client.request("exit", json!({ "status": 3 })).unwrap_err();
    grandchild.await_end();
}

fn the_exit_of_a_server_that_a_script_runs_is_told() {
    let client = connect(scripted_server("exit"));
    let error = client.request("exit", json!({ "status": 3, "stderr": "the reason\n" })).unwrap_err();
    assert_eq!(failure_of(&error).exit_status.unwrap().code(), Some(3), "{error:?}");
    assert_eq!(failure_of(&error).stderr_tail, ["the reason"]);
}

fn notifications_end_with_the_child() {
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    let error = client.request("exit", json!({ "status": 3 })).unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
    assert!(notifications.next().is_none() && notifications.is_ended());
}

fn an_api_key_in_the_last_words_of_the_server_is_not_told() {
    let error = connect(server("plain")).login_api_key("sk-xyzzy-plugh").unwrap_err();
    let failure = failure_of(&error);
    assert_eq!(
        (failure.exit_status.unwrap().code(), &*failure.stderr_tail),
        (Some(1), &["no such key: …".to_owned()][..])
    );
    let shown = format!("{error} {error:?} {}", serde_json::to_string(&error).unwrap());
    assert!(!shown.contains("xyzzy") && !shown.contains("plugh"), "{shown}");
}
