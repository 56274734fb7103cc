//! Frames of all sizes, and what is no frame.
//!
//! Relies on `harness`.

use codex_blocking::{Client, Error};
use serde_json::json;

use crate::harness::{connect, server, timed};
use crate::support::cases::cases;
use crate::support::{PATIENCE, failure_of};

cases![
    a_reply_of_64_kib_arrives_whole,
    a_reply_of_1_mib_arrives_whole,
    a_reply_of_20_mib_arrives_whole,
    a_reply_of_64_mib_arrives_whole,
    a_request_of_20_mib_arrives_whole,
    the_time_of_a_large_reply_grows_with_its_size_not_faster,
    a_frame_over_the_limit_ends_the_connection,
    a_frame_within_the_limit_passes,
    stray_text_is_skipped_and_counted,
    blank_lines_are_nothing,
    arrays_and_other_json_are_skipped_and_counted,
    bytes_that_are_no_utf_8_are_repaired_in_a_message_and_skipped_elsewhere,
    a_reply_in_pieces_with_crlf_is_understood,
    half_a_line_at_the_end_is_skipped_and_counted,
    a_whole_message_without_a_line_end_counts_at_the_end,
    strict_ends_the_connection_at_stray_text,
    strict_ends_the_connection_at_bytes_that_are_no_utf_8,
    strict_takes_blank_lines,
    notifications_that_are_looked_at_only_when_they_call_all_come,
];

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn big(client: &Client, bytes: usize) -> String {
    match client.request("big", json!({ "bytes": bytes })).unwrap() {
        serde_json::Value::String(text) => text,
        other => panic!("a text was expected: {other}"),
    }
}

#[track_caller]
fn assert_arrives_whole(bytes: usize) {
    let text = big(&connect(server("plain")), bytes);
    assert!(text.len() == bytes && text == "x".repeat(bytes), "{} bytes came", text.len());
}

/// Has the server write these bytes as they are, and its reply after them.
fn write(client: &Client, bytes: &[u8]) -> Result<(), Error> {
    client.request("raw", json!({ "bytes": bytes })).map(drop)
}

/// How many frames are skipped when the server writes this between two replies.
#[track_caller]
fn skipped(bytes: &[u8]) -> u64 {
    let client = connect(server("plain"));
    write(&client, bytes).unwrap();
    assert_eq!(client.request("echo", json!([1])).unwrap(), json!([1]), "requests do not go on");
    client.stats().skipped_frames
}

fn a_reply_of_64_kib_arrives_whole() {
    // On both sides of the size of a pipe and of a buffer.
    for bytes in [64 * KIB - 100, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1] {
        assert_arrives_whole(bytes);
    }
}

fn a_reply_of_1_mib_arrives_whole() {
    for bytes in [MIB - 1, MIB, MIB + 1] {
        assert_arrives_whole(bytes);
    }
}

fn a_reply_of_20_mib_arrives_whole() {
    assert_arrives_whole(20 * MIB);
}

fn a_reply_of_64_mib_arrives_whole() {
    assert_arrives_whole(64 * MIB);
}

fn a_request_of_20_mib_arrives_whole() {
    let client = connect(server("plain"));
    client.request("echo", ()).unwrap();
    client.notify("taken", json!({ "text": "y".repeat(20 * MIB) })).unwrap();
    let seen = client.request("seen", ()).unwrap();
    assert!(seen.as_array().unwrap().contains(&json!(["taken", 20 * MIB])), "{seen}");
}

fn the_time_of_a_large_reply_grows_with_its_size_not_faster() {
    let client = Client::builder().request_timeout(PATIENCE * 2).connect(server("plain")).unwrap();
    big(&client, 64 * MIB);
    let mut small: Vec<_> = (0..5).map(|_| timed(|| big(&client, 4 * MIB)).1).collect();
    small.sort_unstable();
    let large = (0..2).map(|_| timed(|| big(&client, 64 * MIB)).1).min().unwrap();
    // Linear is 16 times, and quadratic 256 times.
    assert!(large < small[2] * 30, "4 MiB took {small:?}, 64 MiB {large:?}");
}

fn a_frame_over_the_limit_ends_the_connection() {
    let client = Client::builder().max_frame_bytes(MIB).connect(server("plain")).unwrap();
    let error = client.request("big", json!({ "bytes": 2 * MIB })).unwrap_err();
    assert!(failure_of(&error).message.contains("max_frame_bytes (1048576 bytes)"), "{error}");
    let later = client.request("echo", ()).unwrap_err();
    assert!(failure_of(&later).message.contains("max_frame_bytes"), "{later}");
}

fn a_frame_within_the_limit_passes() {
    let client = Client::builder().max_frame_bytes(MIB).connect(server("plain")).unwrap();
    // The envelope takes some bytes, too.
    assert_eq!(big(&client, MIB - 100).len(), MIB - 100);
}

fn stray_text_is_skipped_and_counted() {
    assert_eq!(skipped(b"Welcome!\n{\"id\":\n{\"method\":\"x\"} trailing\n"), 3);
}

fn blank_lines_are_nothing() {
    assert_eq!(skipped(b"\n\r\n   \n\t\r\n\n"), 0);
}

fn arrays_and_other_json_are_skipped_and_counted() {
    assert_eq!(skipped(b"[{\"method\":\"x\"}]\n[]\n5\n\"text\"\nnull\n{}\n"), 6);
}

fn bytes_that_are_no_utf_8_are_repaired_in_a_message_and_skipped_elsewhere() {
    // The first is a message with two broken characters.
    assert_eq!(skipped(b"{\"method\":\"\xff\xfe\"}\n\x80\n\xc3\n"), 2);
}

fn a_reply_in_pieces_with_crlf_is_understood() {
    let client = connect(server("plain"));
    assert_eq!(client.request("reply_in_pieces", ()).unwrap(), "whole");
    assert_eq!(client.stats().skipped_frames, 0);
}

fn half_a_line_at_the_end_is_skipped_and_counted() {
    let client = connect(server("plain"));
    let error = client.request("raw_then_exit", json!({ "bytes": b"{\"method\":\"ha" })).unwrap_err();
    assert!(failure_of(&error).exit_status.unwrap().success(), "{error:?}");
    assert_eq!(client.stats().skipped_frames, 1);
}

fn a_whole_message_without_a_line_end_counts_at_the_end() {
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    client.request("raw_then_exit", json!({ "bytes": b"{\"method\":\"last\"}" })).unwrap_err();
    assert_eq!(notifications.next().unwrap().method(), "last");
    assert_eq!(client.stats().skipped_frames, 0);
}

#[track_caller]
fn assert_strict_ends_at(bytes: &[u8], shown: &str) {
    let client = Client::builder().strict(true).connect(server("plain")).unwrap();
    client.request("echo", ()).unwrap();
    let error = write(&client, bytes).unwrap_err();
    let message = &failure_of(&error).message;
    assert!(message.contains("no message (strict)") && message.contains(shown), "{error}");
    let later = client.request("echo", ()).unwrap_err();
    assert!(failure_of(&later).message.contains("no message (strict)"), "{later}");
}

fn strict_ends_the_connection_at_stray_text() {
    assert_strict_ends_at(b"Welcome!\n", "Welcome!");
}

fn strict_ends_the_connection_at_bytes_that_are_no_utf_8() {
    assert_strict_ends_at(b"{\"method\":\"\xff\"}\n", "\u{fffd}");
}

fn strict_takes_blank_lines() {
    let client = Client::builder().strict(true).connect(server("plain")).unwrap();
    write(&client, b"\n\r\n  \n").unwrap();
    assert_eq!(client.request("echo", json!([1])).unwrap(), json!([1]));
}

fn notifications_that_are_looked_at_only_when_they_call_all_come() {
    const COUNT: usize = 10_000;
    let client = connect(server("plain"));
    let mut notifications = client.notifications();
    let (tell, told) = crossbeam_channel::unbounded();
    notifications.on_ready(move || {
        let _ = tell.send(());
    });
    let lines: String =
        (0..COUNT).map(|number| format!("{{\"method\":\"x\",\"params\":{number}}}\n")).collect();
    write(&client, lines.as_bytes()).unwrap();
    let mut seen = 0;
    while seen < COUNT {
        told.recv_timeout(PATIENCE).expect("a call");
        while let Some(notification) = notifications.try_next() {
            assert_eq!(notification.params::<usize>().unwrap(), seen);
            seen += 1;
        }
    }
    client.close().unwrap();
    while !notifications.is_ended() {
        told.recv_timeout(PATIENCE).expect("a call");
        assert!(notifications.try_next().is_none());
    }
}
