//! What the child says on stderr: drained, logged, and told when it dies.
//!
//! Relies on `harness`.

use serde_json::json;

use crate::harness::{await_log, await_notification, connect, server};
use crate::support::cases::cases;
use crate::support::failure_of;

cases![
    fifty_megabytes_on_stderr_hold_up_no_request,
    after_a_flood_the_last_lines_are_still_told,
    each_line_goes_to_the_log_with_the_level_it_names,
    colours_are_taken_out_of_what_is_logged_and_told,
    a_last_line_without_an_end_is_kept,
    bytes_on_stderr_that_are_no_text_harm_nothing,
    only_the_last_twenty_lines_are_told,
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

fn only_the_last_twenty_lines_are_told() {
    let said: String = (0..100).map(|number| format!("line {number}\n")).collect();
    let expected: Vec<_> = (80..100).map(|number| format!("line {number}")).collect();
    assert_eq!(last_words(&said), expected);
}
