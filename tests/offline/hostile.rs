//! A server that says what no server should: the turn goes on, and nothing hangs or panics.

use std::time::Duration;

use codex_blocking::{Client, Error, testing::ScriptedServer, testing::TurnScript};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, served, served_with, spawn, spawn_with};

/// A turn into which each of these is said; it must end with its answer all the same.
fn survives(garbage: Vec<String>) {
    let server = ScriptedServer::new().on_turn(move |_| {
        let mut script = TurnScript::new();
        for text in &garbage {
            script = script.raw(text);
        }
        script.message("still here")
    });
    let client = server.client().unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "still here");
    let mut chat = client.chat("hello").unwrap();
    assert_eq!(chat.by_ref().last().unwrap().text.as_deref(), Some("still here"));
    assert!(chat.error().is_none());
    assert!(client.chat_events("hello").unwrap().finish().is_ok());
}

/// A notification of the turn with these parameters beside the ids.
fn of_turn(method: &str, more: &str) -> String {
    format!(r#"{{"method":"{method}","params":{{"threadId":"thread-1","turnId":"$",{more}}}}}"#)
}

#[test]
fn text_that_is_no_message_is_skipped() {
    survives(
        [
            "hello",
            "",
            "[]",
            "[1,2]",
            "{}",
            "null",
            "7",
            "\"text\"",
            "{",
            "{\"id\":5}",
            "{\"method\":5}",
            "\u{feff}{}",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
}

#[test]
fn messages_with_parts_of_a_wrong_type_are_survived() {
    survives(vec![
        r#"{"method":"item/completed"}"#.to_owned(),
        r#"{"method":"item/completed","params":null}"#.to_owned(),
        r#"{"method":"item/completed","params":[1]}"#.to_owned(),
        r#"{"method":"turn/completed","params":{"threadId":7,"turn":"x"}}"#.to_owned(),
        of_turn("item/completed", r#""item":7"#),
        of_turn("item/completed", r#""item":{}"#),
        of_turn("item/completed", r#""item":{"type":"agentMessage"}"#),
        of_turn("item/completed", r#""item":{"type":"agentMessage","id":"a"}"#),
        of_turn("item/completed", r#""item":{"type":"agentMessage","id":"b","text":[1]}"#),
        of_turn("item/completed", r#""item":{"type":"reasoning","id":"c","summary":"x","content":[1,{}]}"#),
        of_turn("item/completed", r#""item":{"type":"fileChange","id":"d","changes":[{"path":1}]}"#),
        of_turn("item/completed", r#""item":{"type":"somethingNew","id":"e"}"#),
        of_turn("item/agentMessage/delta", r#""delta":5"#),
        of_turn("thread/tokenUsage/updated", r#""tokenUsage":"lots""#),
        of_turn("error", r#""error":null,"willRetry":"maybe""#),
        of_turn("turn/plan/updated", r#""plan":{"a":1}"#),
        of_turn("something/new", r#""x":1"#),
    ]);
}

#[test]
fn json_nested_a_hundred_thousand_deep_is_survived() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    survives(vec![
        deep.clone(),
        format!(r#"{{"method":"x","params":{deep}}}"#),
        of_turn("item/completed", &format!(r#""item":{{"type":"somethingNew","id":"a","x":{deep}}}"#)),
        of_turn("item/completed", &format!(r#""item":{deep}"#)),
        "{\"a\":".repeat(100_000),
    ]);
}

#[test]
fn an_item_too_deep_for_a_tree_is_a_step_whose_data_is_its_text() {
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let item = format!(r#""item":{{"type":"somethingNew","id":"a","text":"x","y":{deep}}}"#);
    let server =
        ScriptedServer::new().on_turn(move |_| TurnScript::new().raw(&of_turn("item/completed", &item)));
    let steps: Vec<_> = server.client().unwrap().chat("hello").unwrap().collect();
    let step = steps.iter().find(|step| step.item_id.as_deref() == Some("a")).unwrap();
    assert_eq!(step.text.as_deref(), Some("x"));
    assert!(step.data().is_string() && step.raw().contains("[[["));
}

#[test]
fn replies_that_nobody_waits_for_are_counted_and_ignored() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
    let request = server.expect("config/read");
    server.send(&json!({ "id": 999, "result": {} }));
    server.send_text(r#"{"id":null,"result":{}}"#);
    server.send_text(r#"{"id":1.5,"error":{}}"#);
    server.reply(&request, json!({ "x": 1 }));
    server.reply(&request, json!({ "x": 2 }));
    assert_eq!(caller.join().unwrap().unwrap(), json!({ "x": 1 }));
    assert_eq!(client.stats().unmatched_replies, 4);
}

#[test]
fn an_id_that_comes_back_as_another_json_type_finds_its_call() {
    let (client, mut server) = served();
    for spell in [|id: &str| format!("\"{id}\""), |id: &str| format!("{id}.0"), |id: &str| format!("{id}e0")]
    {
        let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
        let id = spell(&server.expect("config/read")["id"].to_string());
        server.send_text(&format!(r#"{{"id":{id},"result":{{"x":1}},"error":null}}"#));
        assert_eq!(caller.join().unwrap().unwrap(), json!({ "x": 1 }), "{id}");
    }
    assert_eq!(client.stats().unmatched_replies, 0);
}

#[test]
fn a_reply_whose_error_is_null_and_that_has_no_result_fails_its_call() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
    let request = server.expect("config/read");
    server.send(&json!({ "id": request["id"], "error": null }));
    assert!(matches!(caller.join().unwrap(), Err(Error::Decode { .. })));
}

#[test]
fn an_error_without_an_id_is_quoted_in_the_time_out_of_the_calls_that_were_pending() {
    let (client, mut server) = served();
    let hasty = client.with_request_timeout(Duration::from_secs(1));
    let mut calls: Vec<_> = [hasty.clone(), hasty.clone(), client.clone()]
        .into_iter()
        .map(|client| spawn(move || client.request("config/read", json!({}))))
        .collect();
    let requests: Vec<_> = (0..3).map(|_| server.expect("config/read")).collect();
    server.send_text(r#"{"id":null,"error":{"code":-32700,"message":"parse error at 7"}}"#);
    server.send_text(&format!(r#"{{"error":{{"code":1,"message":"{}"}}}}"#, "x".repeat(1_000_000)));
    server.send_text(r#"{"id":"nobody's","error":{"code":1,"message":"which one"}}"#);
    server.send_text(r#"{"id":null,"error":null}"#);
    let patient = calls.pop().unwrap();
    let errors: Vec<_> = calls.into_iter().map(|call| call.join().unwrap().unwrap_err()).collect();
    // A call goes on: its reply may still come.
    for request in &requests {
        server.reply(request, json!({ "late": true }));
    }
    assert_eq!(patient.join().unwrap().unwrap(), json!({ "late": true }));
    for error in errors {
        let Error::Timeout { note: Some(note), .. } = &error else { panic!("{error:?}") };
        assert!(note.contains("parse error at 7") && note.contains("which one"), "{note}");
        assert!(note.len() < 1000 && !note.contains("null"), "{note}");
        assert!(error.to_string().contains("parse error at 7"), "{error}");
    }
    // A call that was sent afterwards has nothing to do with it.
    let later = spawn(move || hasty.request("config/read", json!({})));
    server.expect("config/read");
    assert!(matches!(later.join().unwrap(), Err(Error::Timeout { note: None, .. })));
}

#[test]
fn bytes_that_are_no_utf_8_are_repaired_in_a_message_and_skipped_elsewhere() {
    let (client, mut server) = served();
    server.send_bytes(b"{\"method\":\"x\xff\"}");
    server.send_bytes(&[0, 159, 146, 150]);
    assert_eq!((client.stats().repaired_frames, client.stats().skipped_frames), (1, 1));
    let caller = spawn(move || client.request("config/read", json!({})));
    let request = server.expect("config/read");
    server.reply(&request, json!(null));
    assert_eq!(caller.join().unwrap().unwrap(), json!(null));
}

#[test]
fn an_error_of_any_shape_is_an_error() {
    let (client, mut server) = served();
    let mut ask = |error: serde_json::Value| {
        let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
        let request = server.expect("config/read");
        server.send(&json!({ "id": request["id"], "error": error }));
        caller.join().unwrap().unwrap_err()
    };
    let Error::Rpc { code, message, data, .. } =
        ask(json!({ "code": -7, "message": "no", "data": { "x": 1 } }))
    else {
        panic!()
    };
    assert_eq!((code, message.as_str(), data.unwrap()["x"].as_i64()), (-7, "no", Some(1)));
    assert!(matches!(ask(json!({ "code": -7 })), Error::Rpc { code: -7, .. }));
    assert!(matches!(ask(json!("no")), Error::Decode { .. }));
    assert!(matches!(ask(json!({ "code": "x" })), Error::Decode { .. }));
}

#[test]
fn every_question_gets_a_safe_answer_in_its_own_shape_and_with_its_own_id() {
    let (_client, mut server) = served();
    let mut ask = |id: serde_json::Value, method: &str| {
        server.send(&json!({ "id": id, "method": method, "params": { "threadId": "t", "turnId": "u", "itemId": "i" } }));
        let answer = server.recv();
        assert_eq!(answer["id"], id);
        answer
    };
    assert_eq!(
        ask(json!(0), "item/commandExecution/requestApproval")["result"],
        json!({ "decision": "decline" })
    );
    assert_eq!(
        ask(json!("0"), "item/fileChange/requestApproval")["result"],
        json!({ "decision": "decline" })
    );
    let granted = ask(json!(-1), "item/permissions/requestApproval")["result"].clone();
    assert_eq!(granted["permissions"], json!({}));
    assert_eq!(ask(json!(3), "mcpServer/elicitation/request")["result"]["action"], "decline");
    assert_eq!(ask(json!(4), "item/tool/call")["result"]["success"], false);
    assert!(ask(json!(5), "item/tool/requestUserInput")["error"]["code"].is_i64());
    assert_eq!(ask(json!(6), "something/new")["error"]["code"], -32601);
    // Broken parameters are no reason to stay silent.
    server.send(&json!({ "id": 7, "method": "item/commandExecution/requestApproval", "params": "none" }));
    assert_eq!(server.recv()["id"], 7);
}

#[test]
fn a_strict_client_ends_the_connection_at_what_is_no_message() {
    let (client, mut server) = served_with(Client::builder().strict(true));
    let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
    server.expect("config/read");
    server.send_text("what is this");
    let error = caller.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Transport { .. }));
    assert!(error.to_string().contains("what is this"), "{error}");
    assert!(matches!(client.request("config/read", ()), Err(Error::Transport { .. })));
}

#[test]
fn a_dead_server_fails_everything_at_once_now_and_later() {
    let (client, mut server) = served();
    let chat = spawn_with(&client, |client| client.chat("hello").unwrap().finish());
    server.begin_turn();
    let callers: Vec<_> =
        (0..20).map(|_| spawn_with(&client, |client| client.request("config/read", json!({})))).collect();
    for _ in 0..20 {
        server.expect("config/read");
    }
    let mut notifications = client.notifications();
    server.die();
    for caller in callers {
        let error = caller.join().unwrap().unwrap_err();
        assert!(matches!(&error, Error::Transport { doing, .. } if doing == "config/read"), "{error:?}");
        assert!(error.to_string().contains("the test ended it"), "{error}");
    }
    assert!(matches!(chat.join().unwrap(), Err(Error::Transport { .. })));
    assert!(notifications.next().is_none() && notifications.is_ended());
    for result in [client.request("x", ()).err(), client.chat("hello").err(), client.notify("x", ()).err()] {
        assert!(matches!(result, Some(Error::Transport { .. })), "{result:?}");
    }
}

#[test]
fn a_client_and_its_streams_tell_why_they_have_ended() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, |client| client.initialize());
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "x/0.169.0 (y)" }));
    caller.join().unwrap().unwrap();
    let (mut notifications, mut requests) = (client.notifications(), client.server_requests());
    let mut approvals = client.approval_requests();
    server.notify("x", json!({}));
    assert!(client.ended().is_none() && client.initialize().is_ok());
    assert!(notifications.error().is_none() && requests.error().is_none() && approvals.error().is_none());
    server.die();
    // What had arrived comes first.
    assert!(!notifications.is_ended() && notifications.error().is_none());
    assert!(notifications.next().is_some() && notifications.next().is_none());
    assert!(requests.next().is_none() && approvals.next().is_none());
    for error in [
        client.ended(),
        client.initialize().err(),
        client.initialize_with(json!({})).err(),
        client.request("initialize", json!({})).err(),
        notifications.error(),
        client.notifications().error(),
        requests.error(),
        approvals.error(),
    ] {
        assert!(matches!(error, Some(Error::Transport { .. })), "{error:?}");
        assert!(error.unwrap().to_string().contains("the test ended it"));
    }
}

#[test]
fn a_client_that_was_closed_says_so_although_its_server_has_gone_too() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    client.initialize().unwrap();
    let (mut notifications, mut requests) = (client.notifications(), client.server_requests());
    client.close().unwrap();
    assert!(notifications.next().is_none() && requests.next().is_none());
    for error in [client.ended(), client.initialize().err(), notifications.error(), requests.error()] {
        assert!(matches!(error, Some(Error::Closed { .. })), "{error:?}");
    }
}

#[test]
fn a_server_that_dies_in_a_turn_closes_the_chat_with_a_step() {
    let server = ScriptedServer::new().on_turn(|_| TurnScript::new().message("so far").die());
    let mut chat = server.client().unwrap().chat("hello").unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    assert_eq!(steps[1].text.as_deref(), Some("so far"));
    assert!(steps[2].is_error() && steps[2].to_string().contains("ended"), "{}", steps[2]);
    assert!(matches!(chat.error(), Some(Error::Transport { .. })));
}

/// JSON that serde_json unwraps and parses again for each of its levels, without counting them: so few bytes
/// overflow any stack.
fn endless_raw_values() -> String {
    let mut text = "1".to_owned();
    for _ in 0..100 {
        let string = text.replace('\\', r"\u005c").replace('"', r"\u0022");
        let object = format!(r#"{{"\u0024serde_json::private::RawValue":"{string}"}}"#);
        text = "[".repeat(120) + &object + &"]".repeat(120);
    }
    text
}

#[test]
fn raw_values_within_raw_values_overflow_no_stack() {
    let text = endless_raw_values();
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    server.send_text(&format!(r#"{{"id":1,"method":"moon/phase","params":{text}}}"#));
    assert_eq!(server.recv()["error"]["code"], -32601);
    server.send_text(&format!(r#"{{"method":"moon/phase","params":{text}}}"#));
    let notification = notifications.next_timeout(PATIENCE).unwrap();
    assert!(notification.params::<Value>().unwrap().is_array());
    serde_json::to_value(&notification).unwrap();
    let asking = spawn_with(&client, |client| client.request("moon/phase", json!({})));
    let request = server.expect("moon/phase");
    server.send_text(&format!(r#"{{"id":{},"result":{text}}}"#, request["id"]));
    assert!(asking.join().unwrap().unwrap().is_array());
    assert_eq!(client.stats().repaired_frames, 3);
}

#[test]
fn raw_values_within_raw_values_of_a_json_answer_overflow_no_stack() {
    let text = endless_raw_values();
    let server = ScriptedServer::new().on_turn(move |_| TurnScript::new().message(&text));
    let client = server.client().unwrap();
    assert!(client.chat_json::<Value>("hello", json!({})).unwrap().value.is_array());
}
