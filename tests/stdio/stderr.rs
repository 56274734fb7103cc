//! What the child says on stderr: drained, logged, and told when it dies.
//!
//! Relies on `harness`.

use std::sync::atomic::{AtomicBool, Ordering};

use codex_blocking::Client;
use crossbeam_channel::{bounded, unbounded};
use serde_json::json;

use crate::harness::{AT_ONCE, await_log, await_notification, connect, server, timed};
use crate::support::cases::cases;
use crate::support::{PATIENCE, failure_of};

cases![
    fifty_megabytes_on_stderr_hold_up_no_request,
    after_a_flood_the_last_lines_are_still_told,
    each_line_goes_to_the_log_with_the_level_it_names,
    colours_are_taken_out_of_what_is_logged_and_told,
    a_last_line_without_an_end_is_kept,
    bytes_on_stderr_that_are_no_text_harm_nothing,
    only_the_last_twenty_lines_are_told,
    each_line_goes_to_the_programs_function_and_to_the_log,
    a_function_for_stderr_that_sleeps_or_panics_holds_up_nothing,
    a_function_for_stderr_may_close_the_client,
];

/// The lines that are told after the server has said this and died of it.
fn last_words(said: &str) -> Vec<String> {
    let client = connect(server("plain"));
    let error = client.request("exit", json!({ "status": 1, "stderr": said })).unwrap_err();
    failure_of(&error).stderr_tail.clone()
}

fn fifty_megabytes_on_stderr_hold_up_no_request() {
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    client.request("flood_stderr", json!({ "lines": 50_000 })).unwrap();
    // Without a reader of stderr the flood, and its end with it, would never come through the pipe.
    let mut answered = 0;
    let flooded = loop {
        client.request("echo", json!({ "number": answered })).unwrap();
        answered += 1;
        if let Some(notification) = notifications.try_next() {
            break notification;
        }
    };
    assert_eq!(flooded.method(), "flooded");
    assert!(answered > 1, "no request was answered while the flood ran");
}

fn after_a_flood_the_last_lines_are_still_told() {
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    client.request("flood_stderr", json!({ "lines": 1000 })).unwrap();
    await_notification(&mut notifications, "flooded");
    let error = client.request("exit", json!({ "status": 1, "stderr": "no more disk\n" })).unwrap_err();
    let tail = &failure_of(&error).stderr_tail;
    assert_eq!(tail.last().unwrap(), "no more disk");
    assert_eq!(tail[tail.len() - 2], "e".repeat(999));
}

fn each_line_goes_to_the_log_with_the_level_it_names() {
    let client = connect(server("plain"));
    let said = "2026-01-01T00:00:00Z ERROR codex: mark-level-a\nWARN mark-level-b\nmark-level-c\n";
    client.request("say", json!({ "stderr": said })).unwrap();
    for (mark, level) in [
        ("mark-level-a", log::Level::Error),
        ("mark-level-b", log::Level::Warn),
        ("mark-level-c", log::Level::Info),
    ] {
        let logged = await_log(mark);
        assert_eq!((logged.level, logged.target.as_str()), (level, "codex_blocking::stderr"), "{logged:?}");
    }
}

fn colours_are_taken_out_of_what_is_logged_and_told() {
    let said = "\u{1b}[2m10:00\u{1b}[0m \u{1b}[1;31mERROR\u{1b}[0m mark-colours\n";
    assert_eq!(last_words(said), ["10:00 ERROR mark-colours"]);
    assert_eq!(await_log("mark-colours").text, "10:00 ERROR mark-colours");
}

fn a_last_line_without_an_end_is_kept() {
    assert_eq!(last_words("first\nthe reason"), ["first", "the reason"]);
}

fn bytes_on_stderr_that_are_no_text_harm_nothing() {
    let client = connect(server("plain"));
    let error = client.request("exit", json!({ "status": 1, "stderr": b"bad \xff byte\n" })).unwrap_err();
    assert_eq!(failure_of(&error).stderr_tail, ["bad \u{fffd} byte"]);
}

fn each_line_goes_to_the_programs_function_and_to_the_log() {
    let (tell, told) = unbounded();
    let client = connect(server("plain").on_stderr(move |line| tell.send(line.to_owned()).unwrap()));
    let said = "\u{1b}[1mmark-function\u{1b}[0m a  \n\nb\nlast";
    client.request("exit", json!({ "status": 0, "stderr": said })).unwrap_err();
    client.close().unwrap();
    // The function is dropped, so the channel ends.
    assert_eq!(told.iter().collect::<Vec<_>>(), ["mark-function a", "b", "last"]);
    await_log("mark-function");
}

fn a_function_for_stderr_that_sleeps_or_panics_holds_up_nothing() {
    let (release, released) = bounded::<()>(0);
    let (tell, told) = unbounded();
    let is_first = AtomicBool::new(true);
    let client = connect(server("plain").on_stderr(move |line| {
        let _ = released.recv();
        tell.send(line.len()).unwrap();
        assert!(!is_first.swap(false, Ordering::Relaxed), "it panics once");
    }));
    let mut notifications = client.notifications();
    client.request("flood_stderr", json!({ "lines": 20_000 })).unwrap();
    await_notification(&mut notifications, "flooded");
    let error = client.request("exit", json!({ "status": 3, "stderr": "the end\n" })).unwrap_err();
    assert_eq!(failure_of(&error).stderr_tail.last().unwrap(), "the end");
    let (_, took) = timed(|| client.close().unwrap());
    assert!(took < AT_ONCE, "{took:?}");
    drop(release);
    // 8 MiB of them.
    let count = told.iter().count();
    assert!((7000..8500).contains(&count), "{count}");
    await_log("`on_stderr` panicked");
    await_log("not passed to `on_stderr`");
}

fn a_function_for_stderr_may_close_the_client() {
    let (give, given) = bounded::<Client>(1);
    let (tell, told) = unbounded();
    let client = connect(server("plain").on_stderr(move |_| {
        given.recv().unwrap().close().unwrap();
        tell.send(()).unwrap();
    }));
    give.send(client.clone()).unwrap();
    client.request("say", json!({ "stderr": "close\n" })).unwrap();
    told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(client.ended().unwrap().code(), "closed");
}

fn only_the_last_twenty_lines_are_told() {
    let said: String = (0..100).map(|number| format!("line {number}\n")).collect();
    let expected: Vec<_> = (80..100).map(|number| format!("line {number}")).collect();
    assert_eq!(last_words(&said), expected);
}
