//! Turns and time: silence, continuations, interrupting, steering, lost ends, bounds.

use std::time::{Duration, Instant};

use codex_blocking::{
    Chat, ChatContinuation, ChatMode, ChatRequest, Client, Error, StepStatus, ThreadConfig, Timeout,
    testing::{ScriptedServer, TurnScript},
};
use serde_json::{Value, json};

use crate::support::memory::{
    PATIENCE, Server, chatting, message, served, served_with, spawn, spawn_with, thread,
};

const SOON: Duration = Duration::from_millis(50);

/// A client that finds a turn silent at once, but for what it reads first.
fn hasty() -> (Client, Server) {
    served_with(Client::builder().inactivity_timeout(SOON))
}

/// The server's word that the turn still runs.
fn still_runs(server: &mut Server) {
    let request = server.expect("thread/turns/list");
    server.reply(&request, json!({ "data": [{ "id": "u", "status": "inProgress", "items": [] }] }));
}

/// The token of a chat that fell silent.
fn token_of_silence(client: &Client, server: &mut Server) -> ChatContinuation {
    let caller = spawn_with(client, |client| client.chat_once("hello"));
    server.begin_turn();
    still_runs(server);
    let error = caller.join().unwrap().unwrap_err();
    error.continuation().unwrap_or_else(|| panic!("{error}")).clone()
}

// Silence.

#[test]
fn past_the_silence_the_server_is_asked_and_then_the_error_has_a_continuation() {
    let (client, mut server) = hasty();
    let caller = spawn(move || client.chat_once("hello"));
    server.begin_turn();
    still_runs(&mut server);
    let Err(Error::TurnInactive { continuation, idle, .. }) = caller.join().unwrap() else { panic!() };
    assert_eq!((continuation.thread_id.as_str(), continuation.turn_id.as_str()), ("t", "u"));
    assert_eq!((continuation.mode, continuation.cursor), (ChatMode::Once, 0));
    assert!(idle >= SOON);
}

#[test]
fn a_continuation_goes_on_where_the_reader_left_and_only_once() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    server.message("m", "kept while nobody read");
    server.complete("completed");
    let result = client.chat_once(&token).unwrap();
    assert_eq!(result.final_text, "kept while nobody read");
    assert_eq!(result.raw_events.len(), 2, "all of them, since the first reader kept them too");
    assert!(matches!(client.chat_once(token), Err(Error::NoLongerPending { .. })));
}

#[test]
fn a_continuation_survives_json_and_can_be_resumed_as_steps_or_events_or_on_its_thread() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    let text = serde_json::to_string(&token).unwrap();
    let token: ChatContinuation = serde_json::from_str(&text).unwrap();
    server.message("m", "one");
    let mut chat = client.chat(token).unwrap();
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("one"));
    let token = chat.continuation();
    assert_eq!((token.cursor, token.mode), (1, ChatMode::Steps));
    drop(chat);
    server.message("n", "two");
    server.delta("x");
    let mut events = client.chat_events(token).unwrap();
    let shown: Vec<_> = std::iter::from_fn(|| events.try_next()).map(|event| event.to_string()).collect();
    assert_eq!(shown, ["codex: two", "x"], "a reader that kept raw events kept the pieces too");
    server.complete("completed");
    assert_eq!(events.finish().unwrap().final_text, "two");
}

#[test]
fn a_handle_of_the_thread_takes_its_continuation_and_no_other() {
    let (client, mut server) = hasty();
    let thread = thread(&client, &mut server);
    let caller = spawn_with(&thread, |thread| thread.chat_once("hello"));
    server.begin_turn_on("u");
    still_runs(&mut server);
    let token = caller.join().unwrap().unwrap_err().continuation().unwrap().clone();
    let mut foreign = serde_json::to_value(&token).unwrap();
    foreign["thread_id"] = json!("other");
    let foreign: ChatContinuation = serde_json::from_value(foreign).unwrap();
    assert!(matches!(thread.chat(foreign.clone()), Err(Error::InvalidInput { .. })));
    assert!(matches!(client.chat(foreign), Err(Error::NoLongerPending { .. })));
    server.message("m", "x");
    server.complete("completed");
    assert_eq!(thread.chat_once(token).unwrap().final_text, "x");
}

#[test]
fn a_continuation_takes_no_setting_but_the_time_out() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    for request in [
        ChatRequest::from(&token).thread("t"),
        ChatRequest::from(&token).user("me"),
        ChatRequest::from(&token).metadata(json!({})),
        ChatRequest::from(&token).thread_config(ThreadConfig::new()),
        ChatRequest::from(&token).overrides(codex_blocking::TurnOverrides::new()),
        ChatRequest::from(&token).keep_raw_events(true),
    ] {
        assert!(matches!(client.chat(request), Err(Error::InvalidInput { .. })));
    }
    server.complete("completed");
    let request = ChatRequest::from(&token).inactivity_timeout(PATIENCE);
    assert!(client.chat(request).unwrap().next().is_none());
}

#[test]
fn the_token_of_another_client_leads_nowhere() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    let (other, _server) = served();
    assert!(matches!(other.chat(&token), Err(Error::NoLongerPending { .. })));
    assert!(matches!(other.cancel(&token), Err(Error::NoLongerPending { .. })));
}

#[test]
fn what_is_kept_for_a_token_is_freed_when_it_is_forgotten() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    server.message("m", "kept");
    assert!(client.stats().kept_bytes > 0);
    client.forget(&token);
    assert_eq!(client.stats().kept_bytes, 0);
    assert!(matches!(client.chat(token), Err(Error::NoLongerPending { .. })));
}

#[test]
fn a_dropped_chat_is_kept_only_if_a_token_has_left_it() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    let token = chat.continuation();
    assert!(matches!(client.chat(&token), Err(Error::NoLongerPending { .. })), "it is still read");
    drop(chat);
    server.message("m", "kept");
    assert!(client.stats().kept_bytes > 0);
    server.complete("completed");
    assert_eq!(client.chat_once(token).unwrap().final_text, "kept");
}

#[test]
fn silence_is_the_time_since_the_last_event_not_since_the_last_look() {
    let (client, mut server) = hasty();
    let mut chat = chatting(&client, &mut server);
    server.message("m", "one");
    // The reader does something else for longer than the limit; what came meanwhile is read first.
    std::thread::sleep(3 * SOON);
    assert!(chat.next().is_some());
    let reader = spawn(move || chat.next().unwrap());
    still_runs(&mut server);
    assert!(reader.join().unwrap().is_error());
}

/// Says something every few milliseconds for longer than the limit; gives what the chat made of it.
fn meanwhile(say: impl Fn(&mut Server)) -> Option<Error> {
    let limit = Duration::from_millis(400);
    let (client, mut server) = served_with(Client::builder().inactivity_timeout(limit));
    let mut chat = chatting(&client, &mut server);
    let begun = Instant::now();
    let reader = spawn(move || {
        let silent_step = chat.find(|step| step.is_error());
        silent_step.and_then(|_| chat.error().cloned())
    });
    while begun.elapsed() < 3 * limit && !reader.is_finished() {
        say(&mut server);
        std::thread::sleep(Duration::from_millis(10));
    }
    let was_silent = server.is_asked("thread/turns/list");
    if was_silent {
        still_runs_now(&mut server);
    } else {
        server.complete("completed");
    }
    reader.join().unwrap()
}

/// Answers a question that has been taken already.
fn still_runs_now(server: &mut Server) {
    let request = server.taken();
    server.reply(&request, json!({ "data": [{ "id": "u", "status": "inProgress", "items": [] }] }));
}

#[test]
fn an_event_of_the_turn_moves_its_clock() {
    assert!(meanwhile(|server| server.delta("x")).is_none());
}

#[test]
fn other_turns_do_not_move_the_clock() {
    let error = meanwhile(|server| {
        server.notify("item/agentMessage/delta", json!({ "threadId": "t", "turnId": "v", "delta": "x" }));
        server.notify("thread/name/updated", json!({ "threadId": "t" }));
    });
    assert!(matches!(error, Some(Error::TurnInactive { .. })));
}

#[test]
fn notices_that_the_server_tries_again_do_not_move_the_clock() {
    let error = meanwhile(|server| {
        let notice =
            json!({ "threadId": "t", "turnId": "u", "willRetry": true, "error": { "message": "x" } });
        server.notify("error", notice);
    });
    assert!(matches!(error, Some(Error::TurnInactive { .. })));
}

#[test]
fn events_of_the_turns_own_sub_agents_move_its_clock_and_nothing_else() {
    let none = meanwhile(|server| {
        let call = json!({ "type": "collabAgentToolCall", "id": "c", "receiverThreadIds": ["child"] });
        server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": call }));
        // And those of the sub-agent's own sub-agents.
        let call = json!({ "type": "collabAgentToolCall", "id": "d", "receiverThreadIds": ["grandchild"] });
        server.notify("item/started", json!({ "threadId": "child", "turnId": "v", "item": call }));
        let item = message("x", "of a sub-agent");
        server.notify("item/completed", json!({ "threadId": "grandchild", "turnId": "w", "item": item }));
        server.notify(
            "turn/completed",
            json!({ "threadId": "child", "turn": { "id": "v", "status": "failed" } }),
        );
    });
    assert!(none.is_none());
}

#[test]
fn a_sub_agent_alone_keeps_the_turn_from_being_silent() {
    let limit = Duration::from_millis(400);
    let (client, mut server) = served_with(Client::builder().inactivity_timeout(limit));
    let mut chat = chatting(&client, &mut server);
    let call = json!({ "type": "collabAgentToolCall", "id": "c", "receiverThreadIds": ["child"] });
    server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": call }));
    let reader = spawn(move || chat.next());
    let begun = Instant::now();
    while begun.elapsed() < 3 * limit {
        server.notify("item/agentMessage/delta", json!({ "threadId": "child", "turnId": "v", "delta": "x" }));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!reader.is_finished() && server.is_quiet(), "it was not even doubted");
    server.complete("completed");
    assert!(reader.join().unwrap().is_none());
}

#[test]
fn the_sub_agents_of_a_turn_are_forgotten_with_it() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    let children: Vec<String> = (0..100).map(|child| format!("child {child}")).collect();
    server.item(json!({ "type": "collabAgentToolCall", "id": "c", "receiverThreadIds": children }));
    server.complete("completed");
    chat.for_each(drop);
    let begun = Instant::now();
    while client.stats().kept_bytes > 0 {
        assert!(begun.elapsed() < PATIENCE, "{} bytes are kept", client.stats().kept_bytes);
        std::thread::yield_now();
    }
}

// A lost end.

#[test]
fn an_end_that_was_lost_is_found_when_the_turn_is_silent_and_missed_items_come_as_steps_once() {
    let (client, mut server) = hasty();
    let mut chat = chatting(&client, &mut server);
    server.message("m", "one");
    let reader = spawn(move || {
        let steps: Vec<_> = chat.by_ref().map(|step| step.text.unwrap()).collect();
        (steps, chat.finish())
    });
    let request = server.expect("thread/turns/list");
    assert_eq!(request["params"]["itemsView"], "full");
    let items = json!([message("m", "one"), message("n", "two")]);
    server.reply(&request, json!({ "data": [{ "id": "u", "status": "completed", "items": items }] }));
    let (steps, result) = reader.join().unwrap();
    assert_eq!(steps, ["one", "two"]);
    assert_eq!(result.unwrap().final_text, "two");
    // The end that was lost was late; it ends nothing.
    server.complete("failed");
    assert_eq!(client.stats().running_turns, 0);
}

#[test]
fn a_thread_that_is_idle_without_an_end_is_asked_after_a_second() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let begun = Instant::now();
    server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": "idle" } }));
    let reader = spawn(move || chat.next());
    let request = server.expect("thread/turns/list");
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    let error = json!({ "message": "no" });
    server
        .reply(&request, json!({ "data": [{ "id": "u", "status": "failed", "items": [], "error": error }] }));
    assert_eq!(reader.join().unwrap().unwrap().to_string(), "error: no");
}

#[test]
fn a_thread_that_is_idle_and_whose_end_comes_is_not_asked() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": "idle" } }));
    server.complete("completed");
    assert!(chat.next().is_none());
    assert!(server.is_quiet());
}

#[test]
fn a_thread_that_was_idle_and_runs_after_all_goes_on() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": "idle" } }));
    let reader = spawn(move || chat.next());
    still_runs(&mut server);
    server.message("m", "here");
    assert_eq!(reader.join().unwrap().unwrap().text.as_deref(), Some("here"));
}

#[test]
fn asking_never_makes_try_next_wait() {
    let (client, mut server) = hasty();
    let mut chat = chatting(&client, &mut server);
    std::thread::sleep(2 * SOON);
    assert!(chat.try_next().is_none() && !chat.is_ended(), "the server is being asked");
    let request = server.expect("thread/turns/list");
    assert!(chat.try_next().is_none() && !chat.is_ended());
    server.reply(
        &request,
        json!({ "data": [{ "id": "u", "status": "completed", "items": [message("m", "x")] }] }),
    );
    assert_eq!(chat.try_next().unwrap().text.as_deref(), Some("x"));
    assert!(chat.try_next().is_none() && chat.is_ended());
}

#[test]
fn an_old_server_is_asked_in_the_other_way() {
    let (client, mut server) = hasty();
    let mut chat = chatting(&client, &mut server);
    let reader = spawn(move || chat.next());
    let request = server.expect("thread/turns/list");
    server.refuse(&request, -32600, "Invalid request: unknown variant `thread/turns/list`");
    let request = server.expect("thread/read");
    let turn = json!({ "id": "u", "status": "interrupted", "items": [] });
    server.reply(&request, json!({ "thread": { "turns": [turn] } }));
    assert_eq!(reader.join().unwrap().unwrap().status, StepStatus::Interrupted);
}

// Interrupting, cancelling, steering.

fn waiting() -> Client {
    ScriptedServer::new()
        .on_turn(|_| TurnScript::new().message("so far").wait_for_interrupt())
        .client()
        .unwrap()
}

#[test]
fn cancel_interrupts_waits_for_the_end_and_gives_what_was_unread() {
    let client = waiting();
    let mut chat = client.chat("hello").unwrap();
    assert_eq!(chat.next().unwrap().to_string(), "userMessage: hello");
    let result = chat.cancel().unwrap();
    assert!(result.was_interrupted && !result.was_completed);
    assert_eq!(result.steps.len(), 1);
    assert_eq!(result.steps[0].text.as_deref(), Some("so far"));
    assert_eq!(result.raw_events.last().unwrap().method(), "turn/completed");
    assert!(chat.next().is_none() && chat.is_ended());
    assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
    assert_eq!((client.stats().running_turns, client.stats().kept_bytes), (0, 0));
}

#[test]
fn cancelling_a_turn_that_has_ended_tells_so_and_asks_nothing() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    server.message("m", "done");
    server.complete("completed");
    let result = chat.cancel().unwrap();
    assert!(result.was_completed && !result.was_interrupted);
    assert_eq!(result.steps.len(), 1);
    assert!(server.is_quiet());
    let again = chat.cancel().unwrap();
    assert!(again.was_completed && again.steps.is_empty(), "it is told as often as it is asked");
}

#[test]
fn cancelling_a_token_gives_what_was_unread_and_uses_it_up() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    server.started();
    server.message("m", "unread");
    let caller = {
        let (client, token) = (client.clone(), token.clone());
        spawn(move || client.cancel(&token))
    };
    let request = server.expect("turn/interrupt");
    assert_eq!(request["params"], json!({ "threadId": "t", "turnId": "u" }));
    server.reply(&request, json!({}));
    server.message("n", "while it was interrupted");
    server.complete("interrupted");
    let result = caller.join().unwrap().unwrap();
    assert!(result.was_interrupted);
    let texts: Vec<_> = result.steps.iter().map(|step| step.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["unread", "while it was interrupted"]);
    assert!(matches!(client.cancel(&token), Err(Error::NoLongerPending { .. })));
}

#[test]
fn a_chat_that_fell_silent_can_still_be_cancelled() {
    let (client, mut server) = hasty();
    let mut chat = chatting(&client, &mut server);
    let reader = spawn(move || (chat.next().unwrap(), chat));
    still_runs(&mut server);
    let (closing, mut chat) = reader.join().unwrap();
    assert!(closing.is_error());
    server.started();
    let caller = spawn(move || chat.cancel());
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    server.complete("interrupted");
    assert!(caller.join().unwrap().unwrap().was_interrupted);
}

#[test]
fn a_token_stays_usable_when_cancelling_fails() {
    let (client, mut server) = hasty();
    let token = token_of_silence(&client, &mut server);
    server.started();
    server.message("m", "kept");
    let hasty = client.with_request_timeout(SOON);
    let caller = {
        let token = token.clone();
        spawn(move || (hasty.cancel(&token), hasty))
    };
    // The limit is that of the chat the token is of.
    let request = server.expect("turn/interrupt");
    server.refuse(&request, -32603, "not now");
    let retries = spawn(move || {
        loop {
            let Some(request) = server.next_request(PATIENCE) else { return server };
            if request["method"] == "turn/interrupt" {
                server.refuse(&request, -32603, "not now");
            }
        }
    });
    let (result, hasty) = caller.join().unwrap();
    assert!(matches!(result, Err(Error::Rpc { code: -32603, .. })), "{result:?}");
    let mut chat = client.chat(token).unwrap();
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("kept"));
    drop((chat, hasty));
    client.close().unwrap();
    drop(client);
    drop(retries.join().unwrap());
}

#[test]
fn an_interrupt_before_the_turn_runs_waits_until_it_does() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    let handle = chat.handle();
    let caller = spawn(move || handle.interrupt());
    assert!(server.next_request(Duration::from_millis(100)).is_none());
    server.started();
    let request = server.expect("turn/interrupt");
    // The server refuses for a moment even then.
    server.refuse(&request, -32600, "no active turn to interrupt");
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    caller.join().unwrap().unwrap();
    drop(chat);
}

#[test]
fn an_interrupt_that_an_old_server_does_not_answer_is_over_with_the_turn() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    server.started();
    let caller = spawn(move || chat.cancel());
    server.expect("turn/interrupt");
    server.complete("completed");
    assert!(caller.join().unwrap().unwrap().was_completed);
}

#[test]
fn a_review_is_interrupted_under_the_id_it_runs_with() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.notify("turn/started", json!({ "threadId": "t", "turn": { "id": "running", "rootTurnId": "u" } }));
    let handle = chat.handle();
    let caller = spawn(move || handle.cancel());
    let request = server.expect("turn/interrupt");
    assert_eq!(request["params"]["turnId"], "running");
    server.reply(&request, json!({}));
    server.complete("interrupted");
    assert!(caller.join().unwrap().unwrap().was_interrupted);
    drop(chat);
}

#[test]
fn a_handle_cancels_from_another_thread_and_the_reader_sees_the_end() {
    let client = waiting();
    let mut chat = client.chat("hello").unwrap();
    let handle = chat.handle();
    assert!(!handle.is_over());
    let canceller = spawn(move || (handle.cancel(), handle.is_over()));
    let steps: Vec<_> = chat.by_ref().collect();
    let (result, is_over) = canceller.join().unwrap();
    let result = result.unwrap();
    assert!(is_over && result.was_interrupted && result.steps.is_empty());
    let again = chat.handle().cancel().unwrap();
    assert!(again.was_interrupted && !again.was_completed);
    assert_eq!(steps.len(), 3);
    assert_eq!(steps[2].status, StepStatus::Interrupted);
}

#[test]
fn interrupting_twice_from_several_threads_and_after_the_end_is_no_error() {
    let client = waiting();
    let mut chat = client.chat("hello").unwrap();
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let (client, handle) = (client.clone(), chat.handle());
            spawn(move || match number % 2 {
                0 => handle.interrupt(),
                _ => client.interrupt_turn_on(handle.thread_id(), handle.turn_id()).or_else(|error| {
                    match error {
                        // It had ended already, and the server says so.
                        Error::Rpc { .. } => Ok(()),
                        other => Err(other),
                    }
                }),
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap().unwrap();
    }
    assert!(chat.by_ref().last().unwrap().is_error());
    chat.interrupt().unwrap();
    assert!(matches!(client.interrupt_turn(chat.turn_id()), Err(Error::NoLongerPending { .. })));
}

#[test]
fn a_turn_is_interrupted_by_its_id_alone() {
    let client = waiting();
    let mut chat = client.chat("hello").unwrap();
    client.interrupt_turn(chat.turn_id()).unwrap();
    assert!(matches!(chat.by_ref().last().unwrap().status, StepStatus::Interrupted));
    assert!(matches!(client.interrupt_turn("unknown"), Err(Error::NoLongerPending { .. })));
}

#[test]
fn a_wrong_turn_is_not_interrupted_on_a_server_that_would_interrupt_any() {
    let (client, mut server) = served();
    server.version = "0.106.0";
    let mut chat = chatting(&client, &mut server);
    let Err(Error::NoLongerPending { what, .. }) = client.interrupt_turn_on("t", "wrong") else { panic!() };
    assert_eq!(what, "turn wrong does not run on thread t; turn u does");
    assert!(server.is_quiet());

    // What runs elsewhere is for the server to know.
    let caller = spawn_with(&client, |client| client.interrupt_turn_on("elsewhere", "wrong"));
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    caller.join().unwrap().unwrap();
    server.complete("completed");
    assert!(chat.next().is_none());
}

#[test]
fn a_wrong_turn_is_left_to_a_server_that_knows_better() {
    let (client, mut server) = served();
    server.version = "0.128.0";
    let _chat = chatting(&client, &mut server);
    let caller = spawn(move || client.interrupt_turn_on("t", "wrong"));
    let request = server.expect("turn/interrupt");
    assert_eq!(request["params"], json!({ "threadId": "t", "turnId": "wrong" }));
    server.refuse(&request, -32600, "expected active turn id wrong but found u");
    assert!(matches!(caller.join().unwrap(), Err(Error::Rpc { .. })));
}

#[test]
fn an_interrupted_turn_that_does_not_end_is_a_time_out_and_the_chat_can_be_read_on() {
    let (client, mut server) = served_with(Client::builder().request_timeout(Duration::from_millis(300)));
    let mut chat = chatting(&client, &mut server);
    server.started();
    server.message("m", "one");
    let caller = spawn(move || (chat.cancel(), chat));
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    let (result, mut chat) = caller.join().unwrap();
    assert!(matches!(result, Err(Error::Timeout { limit: Timeout::TurnEnd { .. }, .. })), "{result:?}");
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("one"));
    server.complete("interrupted");
    assert!(chat.next().unwrap().is_error());
}

#[test]
fn steering_says_something_more_to_the_running_turn() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    assert!(matches!(chat.steer(""), Err(Error::InvalidInput { .. })));
    let handle = chat.handle();
    let caller = spawn(move || handle.steer("rather this"));
    let request = server.expect("turn/steer");
    let input = json!([{ "type": "text", "text": "rather this" }]);
    assert_eq!(request["params"], json!({ "threadId": "t", "expectedTurnId": "u", "input": input }));
    server.reply(&request, json!({ "turnId": "u" }));
    caller.join().unwrap().unwrap();
    let caller = spawn(move || chat.steer("again"));
    let request = server.expect("turn/steer");
    server.refuse(&request, -32600, "cannot steer a review turn");
    assert!(matches!(caller.join().unwrap(), Err(Error::Rpc { code: -32600, .. })));
}

#[test]
fn steering_a_turn_that_does_not_run_is_an_error_of_its_own() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    let handle = chat.handle();
    type Steer = fn(Client, codex_blocking::TurnHandle) -> codex_blocking::Result<()>;
    let ways: [Steer; 2] =
        [|_, handle| handle.steer("more"), |client, _| client.steer_turn("t", "u", "more").map(drop)];
    for steer in ways {
        for (code, message, is_ended) in [
            (-32600, "no active turn to steer", true),
            (-32600, "thread not found: t", true),
            (-32600, "expected active turn id `u` but found `v`", true),
            (-32600, "expected active turn id u but found v", true),
            (-32600, "cannot steer a review turn", false),
            (-32600, "expectedTurnId must not be empty", false),
            (-32603, "no active turn to steer", false),
        ] {
            let (client, handle) = (client.clone(), handle.clone());
            let caller = spawn(move || steer(client, handle));
            let request = server.expect("turn/steer");
            server.refuse(&request, code, message);
            let error = caller.join().unwrap().unwrap_err();
            assert_eq!(matches!(error, Error::NoLongerPending { .. }), is_ended, "{error:?}");
            assert!(error.to_string().contains(message), "{error}");
            if is_ended {
                let source = std::error::Error::source(&error).unwrap().downcast_ref::<Error>();
                assert!(matches!(source, Some(Error::Rpc { code: -32600, .. })), "{source:?}");
            }
        }
    }
}

#[test]
fn steering_a_turn_whose_end_has_arrived_asks_nobody() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.complete("completed");
    for error in [chat.steer("more").unwrap_err(), chat.handle().steer("more").unwrap_err()] {
        assert!(matches!(error, Error::NoLongerPending { .. }), "{error:?}");
    }
    assert!(server.is_quiet());
    server.die();
    assert!(matches!(chat.steer("more"), Err(Error::Transport { .. } | Error::NoLongerPending { .. })));
}

// A busy thread.

#[test]
fn two_chats_on_a_busy_thread_share_its_turn() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let first = spawn_with(&thread, |thread| thread.chat("one"));
    server.begin_turn_on("u");
    let mut first = first.join().unwrap().unwrap();
    server.message("m", "before");
    let second = spawn(move || thread.chat("two"));
    server.begin_turn_on("u");
    let mut second = second.join().unwrap().unwrap();
    server.message("n", "after");
    server.complete("completed");
    let texts = |chat: &mut Chat| chat.map(|step| step.text.unwrap()).collect::<Vec<_>>();
    assert_eq!(texts(&mut first), ["before", "after"]);
    assert_eq!(texts(&mut second), ["after"]);
    assert_eq!(
        (first.finish().unwrap().final_text, second.finish().unwrap().final_text),
        ("after".into(), "after".into())
    );
}

#[test]
fn a_second_chat_whose_reply_comes_after_the_end_finds_the_end() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let first = spawn_with(&thread, |thread| thread.chat_once("one"));
    let first_request = server.expect("turn/start");
    let second = spawn(move || thread.chat_once("two"));
    let second_request = server.expect("turn/start");
    let reply = json!({ "turn": { "id": "u" } });
    server.reply(&first_request, reply.clone());
    server.message("m", "for both");
    let turn = json!({ "id": "u", "status": "completed", "items": [message("m", "for both")] });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    server.reply(&second_request, reply);
    assert_eq!(first.join().unwrap().unwrap().final_text, "for both");
    assert_eq!(second.join().unwrap().unwrap().final_text, "for both");
    assert_eq!(client.stats().running_turns, 0);
}

#[test]
fn on_an_old_server_the_phantom_of_a_busy_thread_is_taken_for_the_turn_that_runs() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, |client| client.initialize());
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "x/0.128.0 (y)" }));
    caller.join().unwrap().unwrap();
    let thread = thread(&client, &mut server);
    let first = spawn_with(&thread, |thread| thread.chat("one"));
    server.begin_turn_on("u");
    let first = first.join().unwrap().unwrap();
    let second = spawn(move || thread.chat("two"));
    server.begin_turn_on("phantom");
    let second = second.join().unwrap().unwrap();
    assert_eq!((first.turn_id(), second.turn_id()), ("u", "u"));
    server.message("m", "x");
    server.complete("completed");
    assert_eq!(second.finish().unwrap().final_text, "x");
}

// Bounds.

#[test]
fn over_the_bound_the_fullest_turn_ends_and_says_what_to_do() {
    let builder = Client::builder().max_buffered_bytes(20_000);
    let (client, mut server) = served_with(builder);
    let thread = thread(&client, &mut server);
    let events = spawn_with(&thread, |thread| thread.chat_events("one"));
    server.begin_turn_on("u");
    let mut events = events.join().unwrap().unwrap();
    let steps = spawn(move || thread.chat("two"));
    server.begin_turn_on("v");
    let mut steps = steps.join().unwrap().unwrap();
    for _ in 0..500 {
        server.delta("a piece of some text");
    }
    server.notify("item/completed", json!({ "threadId": "t", "turnId": "v", "item": message("m", "small") }));
    assert!(client.stats().kept_bytes <= 20_000);
    let closing = events.next().unwrap();
    assert!(closing.to_string().contains("max_buffered_bytes"), "{closing}");
    let Err(Error::BufferFull { turn_id, limit, .. }) = events.finish() else { panic!() };
    assert_eq!((turn_id.as_str(), limit), ("u", 20_000));
    assert_eq!(steps.next().unwrap().text.as_deref(), Some("small"));
}

#[test]
fn raw_events_that_a_result_will_hold_count_until_they_are_handed_out() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(20_000));
    let caller = spawn_with(&client, |client| client.chat_once("hello"));
    server.begin_turn();
    for _ in 0..500 {
        server.delta("a piece of some text");
    }
    assert!(matches!(caller.join().unwrap(), Err(Error::BufferFull { .. })));
    assert_eq!(client.stats().kept_bytes, 0);
    let caller = spawn_with(&client, |client| client.chat_once(ChatRequest::new("x").keep_raw_events(false)));
    server.begin_turn();
    for _ in 0..500 {
        server.delta("a piece of some text");
    }
    server.message("m", "fine");
    server.complete("completed");
    let result = caller.join().unwrap().unwrap();
    assert_eq!((result.final_text.as_str(), result.raw_events.len()), ("fine", 0));
}

// The line of requests.

#[test]
fn sixty_four_requests_are_under_way_at_most_and_control_goes_past_them() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.started();
    let callers: Vec<_> =
        (0..80).map(|_| spawn_with(&client, |client| client.request("config/read", json!({})))).collect();
    let mut taken: Vec<Value> = (0..64).map(|_| server.expect("config/read")).collect();
    assert!(server.next_request(Duration::from_millis(100)).is_none(), "the others wait in line");
    let handle = chat.handle();
    let interrupt = spawn(move || handle.interrupt());
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    interrupt.join().unwrap().unwrap();
    for _ in 0..16 {
        let request = taken.pop().unwrap();
        server.reply(&request, json!({}));
        taken.insert(0, server.expect("config/read"));
    }
    for request in taken {
        server.reply(&request, json!({}));
    }
    for caller in callers {
        caller.join().unwrap().unwrap();
    }
    drop(chat);
}

#[test]
fn a_place_in_line_is_waited_for_no_longer_than_the_deadline() {
    let (client, mut server) = served();
    let callers: Vec<_> =
        (0..64).map(|_| spawn_with(&client, |client| client.request("config/read", json!({})))).collect();
    for _ in 0..64 {
        server.expect("config/read");
    }
    let error = client.request_with_timeout("model/list", json!({}), SOON).unwrap_err();
    assert!(error.is_timeout(), "{error}");
    server.die();
    for caller in callers {
        assert!(matches!(caller.join().unwrap(), Err(Error::Transport { .. })));
    }
}

#[test]
fn an_overloaded_server_is_asked_again_until_it_answers() {
    let (client, mut server) = served();
    let caller = spawn(move || client.request("config/read", json!({})));
    for _ in 0..2 {
        let request = server.expect("config/read");
        server.refuse(&request, -32001, "Server overloaded; retry later.");
    }
    let request = server.expect("config/read");
    server.reply(&request, json!(1));
    assert_eq!(caller.join().unwrap().unwrap(), 1);
}

#[test]
fn a_turn_refused_by_an_overloaded_server_is_started_again() {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat_once("hello"));
    server.begin_thread();
    let request = server.expect("turn/start");
    server.refuse(&request, -32001, "Server overloaded; retry later.");
    server.begin_turn_on("u");
    server.message("m", "x");
    server.complete("completed");
    assert_eq!(caller.join().unwrap().unwrap().final_text, "x");
}

// What nobody saw.

#[test]
fn a_turn_whose_start_was_not_answered_leaves_nothing_behind() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let hasty = client.with_request_timeout(SOON);
    let caller = spawn(move || hasty.chat(ChatRequest::new("x").thread("t")).map(drop));
    let request = server.expect("turn/start");
    assert!(caller.join().unwrap().unwrap_err().is_timeout());
    server.reply(&request, json!({ "turn": { "id": "u" } }));
    server.message("m", "for nobody");
    assert_eq!((client.stats().running_turns, client.stats().kept_bytes), (0, 0));
    assert_eq!(client.stats().pending_requests, 0);
    drop(thread);
}
