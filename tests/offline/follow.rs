//! Following a thread: the events of its turns, whoever starts them.

use codex_blocking::{ChatEvents, Client, Error, TurnEvent};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, message, served, served_with, spawn, spawn_with, thread};

/// Follows the thread `t`, which this client has not loaded.
fn following(client: &Client, server: &mut Server) -> ChatEvents {
    let following = spawn_with(client, |client| client.follow("t"));
    let request = server.expect("thread/resume");
    assert_eq!(request["params"]["threadId"], "t");
    server.reply(&request, json!({ "thread": { "id": "t" } }));
    following.join().unwrap().unwrap()
}

/// A turn of somebody else.
fn turn(server: &mut Server, id: &str, status: &str) {
    server.notify("turn/started", json!({ "threadId": "t", "turn": { "id": id } }));
    server.notify(
        "item/completed",
        json!({ "threadId": "t", "turnId": id, "item": message("m", &format!("of {id}")) }),
    );
    server.notify("turn/completed", json!({ "threadId": "t", "turn": { "id": id, "status": status } }));
}

/// The next events: the method, or the turn and the text of a step.
fn next(events: &mut ChatEvents, count: usize) -> Vec<String> {
    let event = |_| match events.next_timeout(PATIENCE).unwrap() {
        TurnEvent::Other(event) => {
            let params: Value = event.params().unwrap();
            format!("{} {}", event.method(), params["turn"]["id"].as_str().unwrap_or_default())
        }
        TurnEvent::Step(step) => format!("{} {}", step.turn_id, step.text.unwrap_or_default()),
        other => format!("{other:?}"),
    };
    (0..count).map(event).collect()
}

#[test]
fn a_follower_gets_the_turns_of_others_one_after_another_with_their_beginnings_and_ends() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    for (id, status) in [("a", "completed"), ("b", "failed"), ("c", "completed")] {
        turn(&mut server, id, status);
        let expected =
            [format!("turn/started {id}"), format!("{id} of {id}"), format!("turn/completed {id}")];
        assert_eq!(next(&mut events, 3), expected);
        assert!(events.try_next().is_none() && !events.is_ended());
    }
    assert_eq!((events.thread_id(), events.turn_id()), ("t", ""));
}

#[test]
fn a_follower_of_a_running_turn_gets_it_from_its_next_event_on() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    server.item(message("m", "late"));
    server.complete("completed");
    assert_eq!(next(&mut events, 2), ["u late", "turn/completed u"]);
}

#[test]
fn a_follower_and_the_chats_of_its_thread_get_the_same_events() {
    let (client, mut server) = served();
    let handle = thread(&client, &mut server);
    let mut events = client.follow("t").unwrap();
    let chat = spawn(move || handle.chat_once("hello"));
    server.begin_turn_on("u");
    turn(&mut server, "u", "completed");
    assert_eq!(chat.join().unwrap().unwrap().final_text, "of u");
    assert_eq!(next(&mut events, 3), ["turn/started u", "u of u", "turn/completed u"]);
}

#[test]
fn events_of_other_threads_reach_no_follower() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    server.notify("turn/started", json!({ "threadId": "other", "turn": { "id": "x" } }));
    server.notify("thread/name/updated", json!({ "threadId": "t", "threadName": "n" }));
    server.started();
    assert_eq!(next(&mut events, 1), ["turn/started u"]);
}

#[test]
fn a_follower_calls_when_a_turn_begins() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    let (tell, told) = crossbeam_channel::unbounded();
    events.on_ready(move || {
        let _ = tell.send(());
    });
    for id in ["a", "b"] {
        turn(&mut server, id, "completed");
        let mut seen = 0;
        while seen < 3 {
            told.recv_timeout(PATIENCE).unwrap();
            seen += std::iter::from_fn(|| events.try_next()).count();
        }
    }
}

#[test]
fn a_follower_ends_with_its_thread_and_with_the_connection() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    turn(&mut server, "a", "completed");
    server.notify("thread/closed", json!({ "threadId": "t" }));
    assert_eq!(next(&mut events, 3).len(), 3);
    let closing = events.next().unwrap();
    assert!(matches!(closing, TurnEvent::Step(step) if step.step_type.as_str() == "error"));
    assert!(events.next().is_none() && events.is_ended());
    assert!(matches!(events.error(), Some(Error::NoLongerPending { .. })), "{:?}", events.error());

    let events = following(&client, &mut server);
    client.close().unwrap();
    assert_eq!(events.finish().unwrap_err().code(), "closed");
    assert_eq!(client.follow("t").unwrap_err().code(), "closed");
}

#[test]
fn a_thread_that_can_not_be_loaded_can_not_be_followed() {
    let (client, mut server) = served();
    let following = spawn_with(&client, |client| client.follow("t"));
    let request = server.expect("thread/resume");
    server.refuse(&request, -32600, "no rollout found");
    assert!(matches!(following.join().unwrap(), Err(Error::Rpc { .. })));
    assert!(matches!(client.follow(""), Err(Error::InvalidInput { .. })));
}

#[test]
fn a_follower_interrupts_whatever_runs_and_steers_and_cancels_nothing() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    assert!(matches!(events.steer("left"), Err(Error::InvalidInput { .. })));
    assert!(matches!(events.cancel(), Err(Error::InvalidInput { .. })));
    assert!(matches!(events.handle().cancel(), Err(Error::InvalidInput { .. })));
    events.handle().request_interrupt();
    let request = server.expect("turn/interrupt");
    assert_eq!(request["params"], json!({ "threadId": "t", "turnId": "" }));
    server.reply(&request, json!({}));
    assert!(!events.is_ended());
}

#[test]
fn a_follower_that_is_not_read_ends_at_the_limit_of_what_is_kept() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(100_000));
    let mut events = following(&client, &mut server);
    for _ in 0..100 {
        server.item(message("m", &"x".repeat(10_000)));
    }
    while events.next_timeout(PATIENCE).is_some() {}
    assert!(matches!(events.error(), Some(Error::BufferFull { .. })), "{:?}", events.error());
    assert_eq!(client.stats().kept_bytes, 0);
    let mut events = client.follow("t").unwrap();
    server.started();
    assert_eq!(next(&mut events, 1), ["turn/started u"]);
}

#[test]
fn a_follower_that_was_dropped_keeps_nothing() {
    let (client, mut server) = served();
    drop(following(&client, &mut server));
    turn(&mut server, "a", "completed");
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn a_follower_ends_when_this_client_no_longer_subscribes_to_its_thread() {
    let (client, mut server) = served();
    server.shows_unload = true;
    let mut events = following(&client, &mut server);
    let unloading = spawn_with(&client, |client| client.unload_thread("t"));
    let request = server.expect("thread/unsubscribe");
    // It keeps the thread, for another client or for half an hour.
    server.reply(&request, json!({ "status": "unsubscribed" }));
    assert!(events.results().next().unwrap().is_err());
    assert_eq!(events.error().unwrap().code(), "no_longer_pending");
    unloading.join().unwrap().unwrap();
}

#[test]
fn a_cancel_of_what_follows_a_thread_takes_no_event() {
    let (client, mut server) = served();
    let mut events = following(&client, &mut server);
    let items = [crate::support::memory::message("m", "one"), crate::support::memory::message("n", "two")];
    let turn = json!({ "id": "u", "status": "completed", "items": items });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    let mut seen = next(&mut events, 1);
    assert_eq!(events.cancel().unwrap_err().code(), "invalid_input");
    seen.extend(next(&mut events, 2));
    assert_eq!(seen.len(), 3, "{seen:?}");
}
