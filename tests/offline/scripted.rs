//! The scripted server where it stands in for the real one: turns that outlive their connection, several clients on one
//! thread, questions that are asked again, lists.
//!
//! Relies on the public API. Invariant: a test waits for what the server tells, not for time.

use codex_blocking::{
    ApprovalMode, ApprovalRequest, Client, Notifications, RawNotification, ThreadConfig, TurnStatus,
    WebSocket,
    testing::{ScriptedListener, ScriptedServer, TurnScript},
};
use serde_json::{Value, json};

use crate::support::PATIENCE;

const APPROVAL: &str = "item/commandExecution/requestApproval";

/// Turns that ask for an approval, hang, or echo.
fn server() -> ScriptedServer {
    ScriptedServer::new().on_turn(|turn| match turn.text() {
        "ask" => TurnScript::new().ask(APPROVAL, json!({ "itemId": "c$" })).message("asked"),
        "hang" => TurnScript::new().message("before").wait_for_interrupt().message("after"),
        "die" => TurnScript::new().die(),
        text => TurnScript::new().message(&format!("echo: {text}")),
    })
}

fn client_of(listener: &ScriptedListener) -> Client {
    Client::builder().approval_mode(ApprovalMode::Manual).connect(WebSocket::new(listener.url())).unwrap()
}

/// Starts a thread with a turn, without a chat that belongs to it; gives the ids.
fn begin(client: &Client, text: &str) -> (String, String) {
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let turn_id = begin_on(client, thread.thread_id(), text);
    (thread.thread_id().to_owned(), turn_id)
}

fn begin_on(client: &Client, thread_id: &str, text: &str) -> String {
    let input = json!([{ "type": "text", "text": text }]);
    let started = client.request("turn/start", json!({ "threadId": thread_id, "input": input })).unwrap();
    started["turn"]["id"].as_str().unwrap().to_owned()
}

/// Waits for a notification of this method.
fn next(notifications: &mut Notifications, method: &str) -> Value {
    loop {
        let notification: RawNotification = notifications.next_timeout(PATIENCE).expect(method);
        if notification.method() == method {
            return notification.params().unwrap();
        }
    }
}

#[test]
fn a_turn_outlives_its_connection_and_ends_for_the_client_that_resumes_its_thread() {
    let listener = server().listen().unwrap();
    let first = client_of(&listener);
    let mut seen = first.notifications();
    let (thread_id, turn_id) = begin(&first, "hang");
    next(&mut seen, "item/completed");
    drop(seen);
    first.close().unwrap();

    let second = client_of(&listener);
    let read = second.read_thread(&thread_id, true).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap()["thread"]["status"]["type"], "active");
    let last = read.thread.turns.last().unwrap();
    assert_eq!((&last.id, &last.status), (&turn_id, &TurnStatus::InProgress));
    let mut seen = second.notifications();
    let _ = second.resume_thread(&thread_id, ThreadConfig::new()).unwrap();
    second.request("turn/interrupt", json!({ "threadId": thread_id, "turnId": turn_id })).unwrap();
    let completed = next(&mut seen, "turn/completed");
    assert_eq!(
        (&completed["turn"]["id"], &completed["turn"]["status"]),
        (&json!(turn_id), &json!("interrupted"))
    );
}

#[test]
fn a_question_that_nobody_answered_is_asked_again_at_a_resume_and_reported_as_resolved() {
    let listener = server().listen().unwrap();
    let first = client_of(&listener);
    let mut approvals = first.approval_requests();
    let (thread_id, _) = begin(&first, "ask");
    let asked = approvals.next_timeout(PATIENCE).unwrap();
    drop(approvals);
    first.close().unwrap();

    let second = client_of(&listener);
    let status = serde_json::to_value(second.read_thread(&thread_id, false).unwrap()).unwrap();
    assert_eq!(status["thread"]["status"], json!({ "type": "active", "activeFlags": ["waitingOnApproval"] }));
    let mut approvals = second.approval_requests();
    let mut seen = second.notifications();
    let _ = second.resume_thread(&thread_id, ThreadConfig::new()).unwrap();
    let again = approvals.next_timeout(PATIENCE).unwrap();
    let id = |request: &ApprovalRequest| serde_json::to_value(request).unwrap()["request_id"].clone();
    assert_eq!(id(&again), id(&asked));
    second.approve_approval(&again).unwrap();
    assert_eq!(
        next(&mut seen, "serverRequest/resolved"),
        json!({ "threadId": thread_id, "requestId": id(&again) })
    );
    assert_eq!(next(&mut seen, "turn/completed")["turn"]["status"], "completed");
    // Not again once it is answered.
    let _ = second.resume_thread(&thread_id, ThreadConfig::new()).unwrap();
    assert!(second.pending().is_empty());
}

#[test]
fn the_first_answer_of_any_client_counts_and_all_subscribers_are_told() {
    let listener = server().listen().unwrap();
    let (first, second) = (client_of(&listener), client_of(&listener));
    let mut approvals = [first.approval_requests(), second.approval_requests()];
    let mut seen = [first.notifications(), second.notifications()];
    let thread = first.start_thread(ThreadConfig::new()).unwrap();
    let _ = second.resume_thread(thread.thread_id(), ThreadConfig::new()).unwrap();
    begin_on(&first, thread.thread_id(), "ask");
    let asked = approvals.each_mut().map(|approvals| approvals.next_timeout(PATIENCE).unwrap());
    second.decline_approval(&asked[1]).unwrap();
    for seen in &mut seen {
        next(seen, "serverRequest/resolved");
        next(seen, "turn/completed");
    }
    assert_eq!(first.approve_approval(&asked[0]).unwrap_err().code(), "no_longer_pending");
}

#[test]
fn a_connection_that_is_not_subscribed_gets_the_status_of_threads_and_no_events_of_turns() {
    let listener = server().listen().unwrap();
    let (first, second) = (client_of(&listener), client_of(&listener));
    let thread = first.start_thread(ThreadConfig::new()).unwrap();
    second.initialize().unwrap();
    let mut seen = second.notifications();
    // It can start a turn there all the same.
    begin_on(&second, thread.thread_id(), "hello");
    let methods: Vec<_> = [(); 2].map(|()| seen.next_timeout(PATIENCE).unwrap().method().into_owned()).into();
    assert_eq!(methods, ["thread/status/changed", "thread/status/changed"]);
    second.request("config/read", json!({})).unwrap();
    assert!(seen.try_next().is_none());
}

#[test]
fn the_message_of_the_user_keeps_the_id_that_the_client_gave_it() {
    let client = server().client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let thread_id = thread.thread_id();
    let mut seen = client.notifications();
    let input = json!([{ "type": "text", "text": "hello" }]);
    let params = json!({ "threadId": thread_id, "input": input, "clientUserMessageId": "mine" });
    client.request("turn/start", params).unwrap();
    assert_eq!(next(&mut seen, "item/completed")["item"]["clientId"], "mine");
    next(&mut seen, "turn/completed");
    let listed = client.request("thread/turns/list", json!({ "threadId": thread_id })).unwrap();
    assert_eq!(listed["data"][0]["items"][0]["clientId"], "mine");
}

#[test]
fn what_is_said_to_a_running_turn_is_a_message_of_it() {
    let client = server().client().unwrap();
    let mut seen = client.notifications();
    let (thread_id, turn_id) = begin(&client, "hang");
    let said = |seen: &mut Notifications| loop {
        let item = next(seen, "item/completed")["item"].clone();
        if item["type"] == "userMessage" {
            return item["content"][0]["text"].as_str().unwrap().to_owned();
        }
    };
    assert_eq!(said(&mut seen), "hang");
    client.steer_turn(&thread_id, &turn_id, "left").unwrap();
    assert_eq!(said(&mut seen), "left");
    // A second `turn/start` joins it.
    assert_eq!(begin_on(&client, &thread_id, "right"), turn_id);
    assert_eq!(said(&mut seen), "right");
    client.request("turn/interrupt", json!({ "threadId": thread_id, "turnId": "" })).unwrap();
    assert_eq!(next(&mut seen, "turn/completed")["turn"]["status"], "interrupted");
    client.request("turn/interrupt", json!({ "threadId": thread_id, "turnId": "" })).unwrap();
    client.request("turn/interrupt", json!({ "threadId": thread_id, "turnId": turn_id })).unwrap_err();
}

#[test]
fn what_is_said_while_a_question_waits_comes_after_the_answer() {
    let client = Client::builder().approval_mode(ApprovalMode::Manual).connect(server()).unwrap();
    let mut approvals = client.approval_requests();
    let mut chat = client.chat("ask").unwrap();
    let approval = approvals.next_timeout(PATIENCE).unwrap();
    chat.steer("and this").unwrap();
    client.approve_approval(&approval).unwrap();
    let steps: Vec<_> = chat.by_ref().map(|step| step.text.unwrap_or_default()).collect();
    assert_eq!(steps, ["ask", "and this", "asked"]);
}

#[test]
fn lists_page_newest_first_or_oldest_first() {
    let client = server().client().unwrap();
    let threads: Vec<_> = (0..60).map(|number| begin(&client, &number.to_string()).0).collect();
    let all = |method: &str, mut params: Value| {
        let mut pages = Vec::new();
        loop {
            let page = client.request(method, &params).unwrap();
            let id = |entry: &Value| entry.as_str().or(entry["id"].as_str()).unwrap().to_owned();
            pages.push(page["data"].as_array().unwrap().iter().map(id).collect::<Vec<_>>());
            match &page["nextCursor"] {
                Value::Null => return pages,
                cursor => params["cursor"] = cursor.clone(),
            }
        }
    };
    let newest_first: Vec<_> = threads.iter().rev().cloned().collect();
    let pages = all("thread/list", json!({}));
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 10]);
    assert_eq!(pages.concat(), newest_first);
    assert_eq!(all("thread/list", json!({ "limit": 7, "sortDirection": "asc" })).concat(), threads);
    assert_eq!(all("thread/list", json!({ "limit": 0 })).len(), 60);
    assert_eq!(all("thread/list", json!({ "limit": 1000 })).len(), 1);
    assert_eq!(all("thread/loaded/list", json!({ "limit": 50 })).concat().len(), 60);
    let error = client.request("thread/list", json!({ "cursor": "c" })).unwrap_err();
    assert!(error.to_string().contains("invalid cursor"), "{error}");

    let turns: Vec<_> =
        (0..5).map(|number| begin_on(&client, &threads[0], &format!("more {number}"))).collect();
    let listed = all("thread/turns/list", json!({ "threadId": threads[0], "limit": 2 })).concat();
    assert_eq!(listed[..5], turns.iter().rev().cloned().collect::<Vec<_>>());
}

#[test]
fn a_list_of_turns_shows_as_many_items_as_it_is_asked_for() {
    let server =
        ScriptedServer::new().on_turn(|_| TurnScript::new().reasoning("hm").message("a").message("b"));
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("go").unwrap();
    let kinds = |view: Value| {
        let params = json!({ "threadId": thread.thread_id(), "itemsView": view });
        let turn = client.request("thread/turns/list", params).unwrap()["data"][0].clone();
        let kinds =
            turn["items"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap().to_owned());
        (turn["itemsView"].as_str().unwrap().to_owned(), kinds.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(kinds(json!("notLoaded")), ("notLoaded".to_owned(), String::new()));
    assert_eq!(kinds(json!(null)), ("summary".to_owned(), "userMessage agentMessage".to_owned()));
    assert_eq!(
        kinds(json!("full")),
        ("full".to_owned(), "userMessage reasoning agentMessage agentMessage".to_owned())
    );
}

#[test]
fn archiving_forking_and_reverting_end_or_record_the_running_turn_as_interrupted() {
    let client = server().client().unwrap();
    let mut seen = client.notifications();
    let (thread_id, turn_id) = begin(&client, "hang");
    let fork = client.fork_thread(&thread_id, ThreadConfig::new()).unwrap();
    let forked = fork.read(true).unwrap();
    assert_eq!(forked.thread.turns[0].status, TurnStatus::Interrupted);
    assert_eq!(client.read_thread(&thread_id, true).unwrap().thread.turns[0].status, TurnStatus::InProgress);
    client.archive_thread(&thread_id).unwrap();
    assert_eq!(next(&mut seen, "turn/completed")["turn"]["id"], turn_id.as_str());
    // An archived thread is not loaded.
    client.unarchive_thread(&thread_id).unwrap();
    let input = json!([{ "type": "text", "text": "hello" }]);
    let refused = client.request("turn/start", json!({ "threadId": thread_id, "input": input })).unwrap_err();
    assert!(refused.to_string().contains("thread not found"), "{refused}");
}

#[test]
fn an_unsubscribe_tells_what_there_was_to_unsubscribe_from() {
    let client = server().client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let unsubscribe =
        |id: &str| client.request("thread/unsubscribe", json!({ "threadId": id })).unwrap()["status"].clone();
    assert_eq!(unsubscribe(thread.thread_id()), "unsubscribed");
    assert_eq!(unsubscribe(thread.thread_id()), "notSubscribed");
    assert_eq!(unsubscribe("nothing"), "notLoaded");
}

#[test]
fn a_server_that_dies_takes_all_connections_and_turns_with_it_and_keeps_the_threads() {
    let listener = server().listen().unwrap();
    let (first, second) = (client_of(&listener), client_of(&listener));
    second.initialize().unwrap();
    let (hanging, _) = begin(&first, "hang");
    let chat = second.chat("die").unwrap();
    assert_eq!(chat.finish().unwrap_err().code(), "transport");
    let mut seen = first.notifications();
    while seen.next_timeout(PATIENCE).is_some() {}
    assert_eq!(first.ended().unwrap().code(), "transport");
    let third = client_of(&listener);
    let turns = third.read_thread(&hanging, true).unwrap();
    assert_eq!(turns.thread.turns[0].status, TurnStatus::Interrupted);
    assert_eq!(third.chat_once("hello").unwrap().final_text, "echo: hello");
}

#[test]
fn a_long_turn_is_sent_in_parts_and_whole_to_each_client() {
    let listener = ScriptedServer::new().on_turn(|_| TurnScript::new().deltas(5_000, "x ")).listen().unwrap();
    let (first, second) = (client_of(&listener), client_of(&listener));
    let thread = first.start_thread(ThreadConfig::new()).unwrap();
    let _ = second.resume_thread(thread.thread_id(), ThreadConfig::new()).unwrap();
    let mut seen = second.notifications();
    assert_eq!(thread.chat_once("go").unwrap().final_text.len(), 10_000);
    let mut deltas = 0;
    loop {
        match &*seen.next_timeout(PATIENCE).unwrap().method() {
            "item/agentMessage/delta" => deltas += 1,
            "turn/completed" => break,
            _ => {}
        }
    }
    assert_eq!(deltas, 5_000);
}
