//! A child that stops reading: its pipe is full, and yet nobody waits longer than a deadline.
//!
//! Relies on `harness`.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use codex_blocking::{Client, Error, Timeout};
use serde_json::json;

use crate::harness::{await_notification, connect, server, timed};
use crate::support::cases::cases;
use crate::support::{PATIENCE, failure_of};

cases![
    a_huge_request_ends_at_its_deadline,
    other_callers_end_at_their_deadlines_too,
    frames_of_the_child_are_still_received,
    everything_queued_arrives_in_order_once_the_child_reads_again,
    close_does_not_wait_for_a_full_pipe,
    what_a_child_does_not_read_is_bounded_and_close_ends_it,
];

const HUGE: usize = 10 * 1024 * 1024;
const LIMIT: Duration = Duration::from_secs(1);
/// What a limit of 1 s may take on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A client whose server has stopped reading, and the way to tell the server what to do.
fn paused() -> (Client, TcpStream) {
    let client = connect(server("plain"));
    client.initialize().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    client.notify("pause", json!({ "port": listener.local_addr().unwrap().port() })).unwrap();
    let (orders, _) = listener.accept().unwrap();
    (client, orders)
}

#[track_caller]
fn assert_timed_out(client: &Client, method: &str, bytes: usize) {
    let params = json!({ "text": "y".repeat(bytes) });
    let (error, took) = timed(|| client.request_with_timeout(method, params, LIMIT).unwrap_err());
    assert!(
        matches!(&error, Error::Timeout { limit: Timeout::Request { method: named, .. }, after: LIMIT, .. } if named == method),
        "{error:?}"
    );
    assert!((LIMIT..SOON).contains(&took), "{took:?}");
}

fn a_huge_request_ends_at_its_deadline() {
    let (client, _orders) = paused();
    assert_timed_out(&client, "huge", HUGE);
}

fn other_callers_end_at_their_deadlines_too() {
    let (client, _orders) = paused();
    thread::scope(|scope| {
        scope.spawn(|| assert_timed_out(&client, "huge", HUGE));
        for _ in 0..4 {
            scope.spawn(|| assert_timed_out(&client, "small", 10));
        }
    });
    let ((), took) = timed(|| client.notify("note", ()).unwrap());
    assert!(took < LIMIT, "a notification waits for nobody, but took {took:?}");
}

fn frames_of_the_child_are_still_received() {
    let (client, mut orders) = paused();
    let mut notifications = client.notifications();
    assert_timed_out(&client, "huge", HUGE);
    for _ in 0..3 {
        orders.write_all(b"n").unwrap();
        await_notification(&mut notifications, "still here");
    }
}

fn everything_queued_arrives_in_order_once_the_child_reads_again() {
    let (client, mut orders) = paused();
    client.notify("first", json!({ "text": "y".repeat(HUGE) })).unwrap();
    let mut expected = vec![json!(["pause", null]), json!(["first", HUGE])];
    for number in 0..1000 {
        let method = format!("note {number}");
        client.notify(&method, json!({ "text": "z".repeat(number) })).unwrap();
        expected.push(json!([method, number]));
    }
    let seen = thread::scope(|scope| {
        let caller = scope.spawn(|| client.request_with_timeout("seen", (), PATIENCE).unwrap());
        orders.write_all(b"r").unwrap();
        caller.join().unwrap()
    });
    let seen = seen.as_array().unwrap();
    let from = seen.iter().position(|entry| entry[0] == "pause").unwrap();
    assert_eq!(seen[from..seen.len() - 1], expected, "the last one is `seen` itself");
}

fn what_a_child_does_not_read_is_bounded_and_close_ends_it() {
    const LARGE: usize = 64 * 1024 * 1024;
    let (client, _orders) = paused();
    let params = json!({ "text": "y".repeat(LARGE) });
    // The limit is 256 MiB, which the one that exceeds it is not refused by.
    let (sent, error) =
        (0..).find_map(|sent| client.notify("large", &params).err().map(|e| (sent, e))).unwrap();
    assert!((4..=6).contains(&sent), "{sent} were taken");
    assert!(failure_of(&error).message.contains("does not read its input"), "{error}");
    let ((), took) = timed(|| client.close().unwrap());
    assert!(took < Duration::from_secs(8), "{took:?}");
}

fn close_does_not_wait_for_a_full_pipe() {
    let (client, orders) = paused();
    client.notify("huge", json!({ "text": "y".repeat(HUGE) })).unwrap();
    let ((), took) = timed(|| client.close().unwrap());
    assert!(took < Duration::from_secs(8), "{took:?}");
    drop(orders);
}
