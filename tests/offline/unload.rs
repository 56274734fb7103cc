//! Unloading threads: by hand, and those that chats start for themselves.

use std::time::Duration;

use codex_blocking::{
    testing::{ScriptedServer, TurnScript},
    *,
};
use serde_json::{Value, json};

use crate::support::{
    await_that,
    memory::{Server, begun, served, served_with, spawn, spawn_with, thread},
};

fn served_showing() -> (Client, Server) {
    let (client, mut server) = served();
    server.shows_unload = true;
    (client, server)
}

fn loaded(client: &Client) -> usize {
    client.request("thread/loaded/list", json!({})).unwrap()["data"].as_array().map_or(0, Vec::len)
}

fn unsubscribed(server: &ScriptedServer) -> usize {
    server.received().iter().filter(|message| message["method"] == "thread/unsubscribe").count()
}

// ---- threads that a chat starts for itself ----

#[test]
fn the_threads_of_many_chats_are_all_unloaded() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    for _ in 0..300 {
        client.chat_once("hi").unwrap();
    }
    await_that("all threads are unloaded", || loaded(&client) == 0);
    assert_eq!(unsubscribed(&server), 300);
}

#[test]
fn a_thread_of_a_chat_that_failed_to_start_is_unloaded_too() {
    let server = ScriptedServer::new().on_request("turn/start", |_| Err((-32600, "no".to_owned())));
    let client = server.client().unwrap();
    client.chat_once("hi").unwrap_err();
    await_that("the thread is unloaded", || loaded(&client) == 0);
}

#[test]
fn a_thread_is_unloaded_when_its_turn_is_over_and_nobody_reads_it() {
    let (client, mut server) = served_showing();
    let chat = begun(&client, &mut server, |client| client.chat("hi"));
    drop(chat);
    assert!(server.next_request(Duration::from_millis(50)).is_none(), "the turn is running");
    server.complete("completed");
    let request = server.expect("thread/unsubscribe");
    assert_eq!(request["params"], json!({ "threadId": "t" }));

    let (client, mut server) = served_showing();
    let mut chat = begun(&client, &mut server, |client| client.chat("hi"));
    server.complete("completed");
    assert!(chat.next().is_none());
    assert!(server.next_request(Duration::from_millis(50)).is_none(), "the chat is held");
    drop(chat);
    server.expect("thread/unsubscribe");
}

#[test]
fn a_turn_that_can_be_resumed_keeps_its_thread() {
    let (client, mut server) = served_showing();
    let chat = begun(&client, &mut server, |client| client.chat("hi"));
    let continuation = chat.continuation();
    drop(chat);
    server.complete("completed");
    assert!(server.next_request(Duration::from_millis(50)).is_none(), "the continuation is valid");
    client.forget(&continuation);
    server.expect("thread/unsubscribe");
}

#[test]
fn a_thread_that_another_call_names_stays_loaded() {
    let (client, mut server) = served_showing();
    let chat = begun(&client, &mut server, |client| client.chat("hi"));
    let resuming = spawn_with(&client, |client| client.resume_thread("t", ThreadConfig::new()));
    let request = server.expect("thread/resume");
    server.reply(&request, json!({ "thread": { "id": "t" } }));
    let _thread = resuming.join().unwrap().unwrap();
    server.message("m", "done");
    server.complete("completed");
    chat.finish().unwrap();
    // A call that is answered shows that the other was not sent before it.
    let asking = spawn_with(&client, |client| client.request("model/list", json!({})));
    assert_eq!(server.recv()["method"], "model/list");
    server.die();
    asking.join().unwrap().unwrap_err();
}

#[test]
fn the_delay_that_the_caller_set_is_sent() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let config = ThreadConfig::new().config(json!({ "thread_unload_delay_secs": 60, "a": 1 }));
    client.chat_once(ChatRequest::new("hi").thread_config(config)).unwrap();
    client
        .chat_once(ChatRequest::new("hi").thread_config(ThreadConfig::new().config(json!({ "a": 1 }))))
        .unwrap();
    let _thread = client.start_thread(ThreadConfig::new()).unwrap();
    let starts = server.received().into_iter().filter(|message| message["method"] == "thread/start");
    let configs: Vec<Value> = starts.map(|message| message["params"]["config"].clone()).collect();
    let expected = [
        json!({ "thread_unload_delay_secs": 60, "a": 1 }),
        json!({ "thread_unload_delay_secs": 0, "a": 1 }),
        Value::Null,
    ];
    assert_eq!(configs, expected);
}

#[test]
fn an_old_server_is_not_sent_a_setting_that_it_does_not_know() {
    let (client, mut server) = served_showing();
    server.version = "0.128.0";
    let starting = spawn_with(&client, |client| client.chat("hi"));
    let request = server.begin_thread();
    assert!(request["params"].get("config").is_none(), "{request}");
    server.begin_turn_on("u");
    drop(starting.join().unwrap().unwrap());
    server.complete("completed");
    server.expect("thread/unsubscribe");
}

// ---- the next chat ----

#[test]
fn a_conversation_goes_on_after_its_thread_was_unloaded() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let first = client.chat_once("one").unwrap();
    let second = client.chat_once(ChatRequest::new("two").thread(&first.thread_id)).unwrap();
    assert_eq!(second.final_text, "echo: two");
    assert_eq!(client.read_thread(&first.thread_id, true).unwrap().thread.turns.len(), 2);
}

#[test]
fn a_chat_resumes_the_thread_only_after_the_reply_to_the_unsubscribe() {
    let (client, mut server) = served_showing();
    let thread = thread(&client, &mut server);
    let unloading = spawn_with(&thread, |thread| thread.unload());
    let unsubscribe = server.expect("thread/unsubscribe");
    let chat = spawn_with(&thread, |thread| thread.chat_once("again"));
    assert!(server.next_request(Duration::from_millis(50)).is_none(), "it waits");
    server.reply(&unsubscribe, json!({ "status": "unsubscribed" }));
    let resume = server.expect("thread/resume");
    server.refuse(&resume, -32600, "thread t is closing; retry thread/resume after the thread is closed");
    server.notify("thread/closed", json!({ "threadId": "t" }));
    unloading.join().unwrap().unwrap();
    let resume = server.expect("thread/resume");
    server.reply(&resume, json!({ "thread": { "id": "t" } }));
    server.begin_turn_on("u");
    server.message("m", "here again");
    server.complete("completed");
    assert_eq!(chat.join().unwrap().unwrap().final_text, "here again");
}

#[test]
fn chats_and_unloads_of_one_thread_at_once_all_end() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let config = ThreadConfig::new().config(json!({ "thread_unload_delay_secs": 0 }));
    let thread = client.start_thread(config).unwrap();
    thread.chat_once("first").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(thread.chat_once("hi").unwrap())));
            scope.spawn(|| {
                for _ in 0..50 {
                    match thread.unload() {
                        Ok(()) | Err(Error::InvalidInput { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
}

#[test]
fn every_call_that_names_a_thread_waits_for_the_end_of_its_unload() {
    let (client, mut server) = served_showing();
    let chat = begun(&client, &mut server, |client| client.chat("hi"));
    server.complete("completed");
    drop(chat);
    let unsubscribe = server.expect("thread/unsubscribe");
    let reading = spawn_with(&client, |client| client.read_thread("t", true));
    let asking = spawn_with(&client, |client| client.request("thread/name/set", json!({ "threadId": "t" })));
    let setting = spawn_with(&client, |client| {
        client.set_thread_defaults("t", ThreadConfig::new().developer_instructions("be brief"))
    });
    assert!(server.next_request(Duration::from_millis(50)).is_none(), "they wait for the reply");
    server.reply(&unsubscribe, json!({ "status": "unsubscribed" }));
    assert!(server.next_request(Duration::from_millis(50)).is_none(), "they wait until it is closed");
    // Others go on.
    let other = spawn_with(&client, |client| client.read_thread("o", true));
    let request = server.expect("thread/read");
    server.refuse(&request, -32600, "no");
    other.join().unwrap().unwrap_err();
    server.notify("thread/closed", json!({ "threadId": "t" }));
    // The list of loaded threads is refused, so the thread counts as not loaded.
    for _ in 0..4 {
        let request = server.recv();
        if request["method"] == "thread/resume" {
            assert_eq!(request["params"]["developerInstructions"], "be brief");
            server.reply(&request, json!({ "thread": { "id": "t" } }));
        } else {
            server.refuse(&request, -32600, "no");
        }
    }
    reading.join().unwrap().unwrap_err();
    asking.join().unwrap().unwrap_err();
    setting.join().unwrap().unwrap();
}

#[test]
fn a_server_that_does_not_answer_an_unload_delays_nothing_else() {
    let (client, mut server) = served_showing();
    let mut chats = Vec::new();
    for number in 0..40 {
        let starting = spawn_with(&client, |client| client.chat("hi"));
        let request = server.expect("thread/start");
        let id = format!("t{number}");
        server.reply(&request, json!({ "thread": { "id": id } }));
        server.begin_turn_on(&format!("u{number}"));
        chats.push(starting.join().unwrap().unwrap());
        let turn = json!({ "id": format!("u{number}"), "items": [], "status": "completed" });
        server.notify("turn/completed", json!({ "threadId": id, "turn": turn }));
    }
    drop(chats);
    // Of forty, sixteen are asked for.
    let sent: Vec<Value> = (0..16).map(|_| server.expect("thread/unsubscribe")).collect();
    assert!(server.next_request(Duration::from_millis(50)).is_none());
    let asking = spawn_with(&client, |client| client.interrupt_turn_on("x", "y"));
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    asking.join().unwrap().unwrap();
    // One that has not been asked for is taken back.
    let resuming = spawn_with(&client, |client| client.start_review("t39", ReviewTarget::custom("x"), None));
    let request = server.expect("review/start");
    server.refuse(&request, -32600, "no");
    resuming.join().unwrap().unwrap_err();
    // An overloaded server is asked again, and the others follow.
    server.refuse(&sent[0], -32001, "overloaded");
    for request in &sent[1..] {
        server.reply(request, json!({ "status": "notLoaded" }));
    }
    let mut asked = std::collections::HashSet::new();
    for _ in 0..24 {
        let request = server.expect("thread/unsubscribe");
        asked.insert(request["params"]["threadId"].as_str().unwrap().to_owned());
        server.reply(&request, json!({ "status": "unsubscribed" }));
    }
    assert!(asked.contains(sent[0]["params"]["threadId"].as_str().unwrap()), "{asked:?}");
    assert!(!asked.contains("t39") && asked.len() == 24, "{asked:?}");
    client.close().unwrap();
}

#[test]
fn the_tools_of_a_resume_outlive_the_unload_before_it() {
    let (client, mut server) = served_with(Client::builder().experimental_api(true));
    server.shows_unload = true;
    let thread = thread(&client, &mut server);
    let unloading = spawn_with(&thread, |thread| thread.unload());
    let unsubscribe = server.expect("thread/unsubscribe");
    let tool = Tool::new("now", "the time", json!({ "type": "object" }), |_| Ok("noon".to_owned().into()));
    let resuming =
        spawn_with(&client, |client| client.resume_thread_with_tools("t", ThreadConfig::new(), [tool]));
    server.reply(&unsubscribe, json!({ "status": "unsubscribed" }));
    server.notify("thread/closed", json!({ "threadId": "t" }));
    let resume = server.expect("thread/resume");
    server.reply(&resume, json!({ "thread": { "id": "t" } }));
    let _thread = resuming.join().unwrap().unwrap();
    unloading.join().unwrap().unwrap();
    server.ask(
        7,
        "item/tool/call",
        &json!({ "threadId": "t", "turnId": "u", "callId": "c", "tool": "now", "arguments": {} }),
    );
    let answer = server.recv();
    assert!(answer.to_string().contains("noon"), "{answer}");
}

#[test]
fn the_tools_of_a_thread_outlive_its_unload() {
    let (client, mut server) = served_with(Client::builder().experimental_api(true));
    server.shows_unload = true;
    let tool = Tool::new("now", "the time", json!({ "type": "object" }), |_| Ok("noon".to_owned().into()));
    let starting = spawn_with(&client, |client| client.start_thread_with_tools(ThreadConfig::new(), [tool]));
    server.begin_thread();
    let thread = starting.join().unwrap().unwrap();
    let unloading = spawn_with(&thread, |thread| thread.unload());
    let unsubscribe = server.expect("thread/unsubscribe");
    server.reply(&unsubscribe, json!({ "status": "unsubscribed" }));
    server.notify("thread/closed", json!({ "threadId": "t" }));
    unloading.join().unwrap().unwrap();
    let params = json!({ "threadId": "t", "turnId": "u", "callId": "c", "tool": "now", "arguments": {} });
    server.ask(7, "item/tool/call", &params);
    let answer = server.recv();
    assert!(answer.to_string().contains("noon"), "{answer}");
    // When the server closes it by itself, they are forgotten.
    server.notify("thread/closed", json!({ "threadId": "t" }));
    server.ask(8, "item/tool/call", &params);
    let answer = server.recv();
    assert!(answer.to_string().contains("no such tool"), "{answer}");
}

// ---- by hand ----

#[test]
fn a_thread_with_a_running_turn_is_not_unloaded() {
    let server = ScriptedServer::new().on_turn(|_| TurnScript::new().wait_for_interrupt());
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let chat = thread.chat("hi").unwrap();
    assert!(matches!(thread.unload(), Err(Error::InvalidInput { .. })));
    chat.interrupt().unwrap();
    chat.finish().unwrap_err();
    thread.unload().unwrap();
    assert!(matches!(client.unload_thread(""), Err(Error::InvalidInput { .. })));
    assert_eq!(unsubscribed(&server), 1);
}

#[test]
fn an_unload_returns_when_the_thread_is_closed_or_the_server_keeps_it() {
    let (client, mut server) = served_showing();
    let thread = thread(&client, &mut server);
    for (status, closes) in [("notLoaded", false), ("unsubscribed", true), ("unsubscribed", false)] {
        let unloading = spawn_with(&thread, |thread| thread.unload());
        let request = server.expect("thread/unsubscribe");
        server.reply(&request, json!({ "status": status }));
        if closes {
            server.notify("thread/closed", json!({ "threadId": "t" }));
        }
        unloading.join().unwrap().unwrap();
    }
    let unloading = spawn_with(&thread, |thread| thread.unload());
    let request = server.expect("thread/unsubscribe");
    server.refuse(&request, -32600, "not now");
    assert!(matches!(unloading.join().unwrap(), Err(Error::Rpc { .. })));
}

#[test]
fn an_unload_ends_with_the_connection() {
    let (client, mut server) = served_showing();
    let thread = thread(&client, &mut server);
    let unloading = spawn(move || thread.unload());
    let request = server.expect("thread/unsubscribe");
    server.reply(&request, json!({ "status": "unsubscribed" }));
    client.close().unwrap();
    // It was unsubscribed, whatever came after.
    unloading.join().unwrap().unwrap();
}
