//! What the child says on stderr: drained, logged, and told when it dies.
//!
//! Relies on `harness`.

use std::sync::atomic::{AtomicBool, Ordering};

use codex_blocking::{Client, Error};
use crossbeam_channel::{bounded, unbounded};
use serde_json::json;

use crate::harness::{AT_ONCE, LOG_GATE, await_log, await_notification, connect, server, timed};
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
    a_panic_that_panics_again_when_dropped_costs_the_function_for_stderr_no_line,
    a_logger_that_panics_costs_no_later_line_and_no_reason_of_the_end,
    a_logger_that_waits_does_not_make_the_server_wait,
    a_line_in_pieces_keeps_all_its_letters,
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
    // The reply may come after the close.
    let reply = client.request("say", json!({ "stderr": "close\n" }));
    assert!(matches!(reply, Ok(_) | Err(Error::Closed { .. })), "{reply:?}");
    told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(client.ended().unwrap().code(), "closed");
}

fn only_the_last_twenty_lines_are_told() {
    let said: String = (0..100).map(|number| format!("line {number}\n")).collect();
    let expected: Vec<_> = (80..100).map(|number| format!("line {number}")).collect();
    assert_eq!(last_words(&said), expected);
}

/// What panics again when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("a payload of a test");
    }
}

fn a_panic_that_panics_again_when_dropped_costs_the_function_for_stderr_no_line() {
    let (tell, told) = unbounded();
    let client = connect(server("plain").on_stderr(move |line| {
        tell.send(line.to_owned()).unwrap();
        std::panic::panic_any(Payload);
    }));
    client.request("say", json!({ "stderr": "a\nb\n" })).unwrap();
    assert_eq!([(); 2].map(|()| told.recv_timeout(PATIENCE).unwrap()), ["a", "b"]);
}

fn a_logger_that_panics_costs_no_later_line_and_no_reason_of_the_end() {
    let (tell, told) = unbounded();
    let client = connect(server("plain").on_stderr(move |line| drop(tell.send(line.to_owned()))));
    client.request("say", json!({ "stderr": "mark-panic\nmark-after-panic\n" })).unwrap();
    await_log("mark-after-panic");
    assert_eq!([(); 2].map(|()| told.recv_timeout(PATIENCE).unwrap()), ["mark-panic", "mark-after-panic"]);
    let error = client.request("exit", json!({ "status": 1, "stderr": "the reason\n" })).unwrap_err();
    assert_eq!(failure_of(&error).stderr_tail, ["mark-panic", "mark-after-panic", "the reason"]);
}

fn a_logger_that_waits_does_not_make_the_server_wait() {
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    let gate = LOG_GATE.lock();
    client.request("say", json!({ "stderr": "mark-gate of a flood\n" })).unwrap();
    await_log("mark-gate of a flood");
    // More than a pipe holds.
    client.request("flood_stderr", json!({ "lines": 1000 })).unwrap();
    await_notification(&mut notifications, "flooded");
    drop(gate);
}

fn a_line_in_pieces_keeps_all_its_letters() {
    let (tell, told) = unbounded();
    let client = connect(server("plain").on_stderr(move |line| tell.send(line.to_owned()).unwrap()));
    let said = format!("x{}", "é€😀".repeat(20_000));
    client.request("say", json!({ "stderr": format!("{said}\n") })).unwrap();
    client.close().unwrap();
    let pieces: Vec<_> = told.iter().collect();
    assert!(pieces.len() > 2 && pieces.concat() == said);
}
