//! Values that no tree can hold, or that nobody expects, in every place of every message: nothing panics, and
//! the turn ends with its answer.
//!
//! Relies on `support`. Invariant: the messages are those of a real server but for the one strange value.

use std::time::Duration;

use codex_blocking::{
    ApprovalMode, Client, Error, ListThreads, ServerRequest, ServerResponse, TurnEvent,
    protocol::ServerNotification,
};
use serde_json::{Value, json};

use crate::support::memory::{Server, begun, chatting, served, served_with, spawn, spawn_with};

/// Stands for the strange value until the message is text.
const MARK: &str = "@strange@";

/// What stands in the place of a value.
fn strange() -> Vec<String> {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(200), close.repeat(200));
    [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        "1e999".to_owned(),
        "-1e999".to_owned(),
        "123456789012345678901234567890".to_owned(),
        "1.5".to_owned(),
        "-1".to_owned(),
        r#"{"id":"a","id":"b","type":"c","type":"d"}"#.to_owned(),
        r#""\ud83d""#.to_owned(),
        r#""\u0000""#.to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
    ]
    .to_vec()
}

/// The value with the mark in the place of each of its parts, and as one more member of each object.
fn marked(value: &Value) -> Vec<Value> {
    let mut all = vec![json!(MARK)];
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                all.extend(marked(member).into_iter().map(|member| {
                    let mut object = members.clone();
                    object.insert(name.clone(), member);
                    Value::Object(object)
                }));
            }
            let mut object = members.clone();
            object.insert("unheardOf".to_owned(), json!(MARK));
            all.push(Value::Object(object));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                all.extend(marked(item).into_iter().map(|item| {
                    let mut list = items.clone();
                    list[index] = item;
                    Value::Array(list)
                }));
            }
        }
        _ => {}
    }
    all
}

/// The texts of a message with each strange value in each place.
fn texts(message: &Value) -> Vec<String> {
    let quoted = format!("\"{MARK}\"");
    let places: Vec<String> = marked(message).iter().map(Value::to_string).collect();
    let strange = strange();
    places.iter().flat_map(|place| strange.iter().map(|value| place.replace(&quoted, value))).collect()
}

fn of_turn(method: &str, more: Value) -> Value {
    let mut params = json!({ "threadId": "t", "turnId": "u" });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "method": method, "params": params })
}

fn items() -> Vec<Value> {
    vec![
        json!({ "type": "agentMessage", "id": "i", "text": "x", "phase": "commentary" }),
        json!({ "type": "reasoning", "id": "i", "summary": ["a"], "content": ["b"] }),
        json!({
            "type": "commandExecution", "id": "i", "command": "x", "cwd": "/", "status": "completed",
            "commandActions": [{ "type": "unknown", "command": "x" }], "aggregatedOutput": "y", "exitCode": 0,
            "durationMs": 1,
        }),
        json!({
            "type": "fileChange", "id": "i", "status": "completed",
            "changes": [{ "path": "p", "kind": { "type": "add" }, "diff": "d" }],
        }),
        json!({
            "type": "mcpToolCall", "id": "i", "server": "s", "tool": "t", "status": "completed", "arguments": {},
            "result": { "content": [] }, "error": null,
        }),
        json!({
            "type": "collabAgentToolCall", "id": "i", "tool": "spawnAgent", "status": "completed",
            "senderThreadId": "t", "receiverThreadIds": ["c"], "agentsStates": {},
        }),
        json!({ "type": "userMessage", "id": "i", "content": [{ "type": "text", "text": "x" }] }),
        json!({ "type": "plan", "id": "i", "text": "x" }),
        json!({ "type": "somethingNew", "id": "i", "x": 1 }),
    ]
}

fn notifications() -> Vec<Value> {
    let count = json!({
        "totalTokens": 1, "inputTokens": 1, "cachedInputTokens": 1, "outputTokens": 1,
        "reasoningOutputTokens": 1,
    });
    let error = json!({ "message": "m", "codexErrorInfo": "other", "additionalDetails": "d" });
    let delta = json!({ "itemId": "i", "delta": "x" });
    let mut all = vec![
        of_turn("item/agentMessage/delta", delta.clone()),
        of_turn("item/reasoning/textDelta", delta.clone()),
        of_turn("item/reasoning/summaryTextDelta", delta.clone()),
        of_turn("item/plan/delta", delta.clone()),
        of_turn("item/commandExecution/outputDelta", delta),
        of_turn("turn/started", json!({ "turn": { "id": "u", "rootTurnId": "u", "status": "inProgress" } })),
        of_turn(
            "turn/plan/updated",
            json!({ "plan": [{ "step": "s", "status": "pending" }], "explanation": "e" }),
        ),
        of_turn("turn/diff/updated", json!({ "diff": "d" })),
        of_turn(
            "thread/tokenUsage/updated",
            json!({ "tokenUsage": { "total": count, "last": count, "modelContextWindow": 1 } }),
        ),
        of_turn("error", json!({ "error": error, "willRetry": true })),
        of_turn("warning", json!({ "message": "m" })),
        of_turn("thread/status/changed", json!({ "status": { "type": "active", "activeFlags": [] } })),
        of_turn("serverRequest/resolved", json!({ "requestId": 1 })),
        json!({ "method": "thread/name/updated", "params": { "threadId": "t", "threadName": "n" } }),
        json!({
            "method": "command/exec/outputDelta",
            "params": { "processId": "p", "stream": "stdout", "deltaBase64": "eA==", "capReached": false },
        }),
    ];
    for item in items() {
        all.push(of_turn("item/started", json!({ "item": item })));
        all.push(of_turn("item/completed", json!({ "item": item })));
    }
    all
}

fn requests() -> Vec<Value> {
    let asked = |method: &str, more: Value| {
        let mut request = of_turn(method, json!({ "itemId": "i", "startedAtMs": 1 }));
        request["params"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request["id"] = json!(1);
        request
    };
    let question = json!({
        "id": "q", "header": "h", "question": "w", "isOther": true, "isSecret": false,
        "options": [{ "label": "l", "description": "d" }],
    });
    vec![
        asked(
            "item/commandExecution/requestApproval",
            json!({ "command": "x", "cwd": "/", "commandActions": [], "availableDecisions": ["accept"] }),
        ),
        asked("item/fileChange/requestApproval", json!({ "reason": "r", "grantRoot": "/" })),
        asked(
            "item/permissions/requestApproval",
            json!({ "permissions": { "network": { "enabled": true } } }),
        ),
        asked("item/tool/requestUserInput", json!({ "questions": [question], "autoResolutionMs": 1 })),
        asked(
            "mcpServer/elicitation/request",
            json!({
                "serverName": "s", "mode": "form", "message": "m",
                "requestedSchema": { "type": "object", "properties": {} }, "_meta": {},
            }),
        ),
        asked("item/tool/call", json!({ "callId": "c", "tool": "t", "arguments": {} })),
        asked("account/chatgptAuthTokens/refresh", json!({ "reason": "unauthorized" })),
        asked("something/new", json!({})),
    ]
}

/// Looks at it in every way that a program can.
fn look_at_event(event: &TurnEvent) {
    let _ = (format!("{event:?} {event:#?} {event}"), serde_json::to_string(event));
    if let TurnEvent::Step(step) | TurnEvent::ItemStarted(step) = event {
        let _ = (format!("{step:?} {step}"), step.data(), step.item(), serde_json::to_value(step));
    }
}

fn look_at_request(request: &ServerRequest) {
    let _ = (format!("{request:?}"), serde_json::to_string(request), request.params::<Value>());
}

#[test]
fn strange_values_in_notifications_end_no_turn() {
    let (client, mut server) = served();
    let mut stream = client.notifications();
    for message in notifications() {
        let mut chat = begun(&client, &mut server, |client| client.chat_events("hello"));
        for text in texts(&message) {
            server.send_text(&text);
            while let Some(event) = chat.try_next() {
                look_at_event(&event);
            }
        }
        while let Some(notification) = stream.try_next() {
            let _ =
                (format!("{notification:?}"), serde_json::to_string(&notification), notification.method());
            let _ = (
                notification.params::<Value>(),
                notification.decode().map(|typed: ServerNotification| format!("{typed:?}")),
            );
        }
        server.message("the answer", "still here");
        server.complete("completed");
        assert_eq!(chat.finish().unwrap().final_text, "still here", "{message}");
    }
}

#[test]
fn strange_values_in_the_end_of_a_turn_end_it_all_the_same() {
    let (client, mut server) = served();
    for status in ["completed", "failed", "interrupted"] {
        let error = json!({ "message": "m", "codexErrorInfo": "other", "additionalDetails": "d" });
        let item = json!({ "type": "agentMessage", "id": "m", "text": "x" });
        let turn = json!({ "id": "u", "status": status, "error": error, "items": [item] });
        let mut texts =
            texts(&json!({ "method": "turn/completed", "params": { "threadId": "t", "turn": turn } }));
        // Each is a turn of its own; a part of them takes seconds enough.
        let step = texts.len() / 80 + 1;
        texts = texts.into_iter().step_by(step).collect();
        for text in texts {
            let mut chat = chatting(&client, &mut server);
            server.send_text(&text);
            // Where it was no end of this turn.
            server.complete(status);
            for step in chat.by_ref() {
                let _ = (format!("{step:?} {step}"), step.data());
            }
            if status == "interrupted" {
                assert!(chat.error().is_some(), "{text}");
            }
            assert!(chat.is_ended(), "{text}");
            let _ = format!("{:?}", chat.error());
        }
    }
}

#[test]
fn a_turn_that_failed_keeps_its_message_whatever_stands_beside_it() {
    for strange in strange() {
        let (client, mut server) = served();
        let chat = chatting(&client, &mut server);
        let error = format!(r#"{{"message":"no more","codexErrorInfo":{strange},"x":{strange}}}"#);
        let turn =
            format!(r#"{{"id":"u","status":"failed","x":{strange},"error":{error},"items":{strange}}}"#);
        server.send_text(&format!(
            r#"{{"method":"turn/completed","params":{{"threadId":"t","turn":{turn}}}}}"#
        ));
        let error = chat.finish().unwrap_err();
        assert!(
            matches!(&error, Error::TurnFailed { message, .. } if message == "no more"),
            "{strange}: {error:?}"
        );
    }
}

#[test]
fn strange_values_in_server_requests_are_answered_or_wait() {
    for mode in [ApprovalMode::Decline, ApprovalMode::Manual] {
        let (client, mut server) = served_with(Client::builder().approval_mode(mode));
        let mut stream = client.server_requests();
        for message in requests() {
            for text in texts(&message) {
                server.send_text(&text);
                if let Some(request) = stream.try_next() {
                    look_at_request(&request);
                }
                for request in client.pending() {
                    look_at_request(&request);
                    let _ = client.respond_server_request(&request, ServerResponse::pass());
                }
                while server.next_request(Duration::ZERO).is_some() {}
            }
        }
        let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
        let request = server.expect("config/read");
        server.reply(&request, json!(1));
        assert_eq!(caller.join().unwrap().unwrap(), 1);
    }
}

/// What a call gives when it is answered with each of these.
fn answered(result: &Value, call: impl Fn(Client) -> codex_blocking::Result<()> + Send + Copy + 'static) {
    for text in texts(result) {
        let (client, mut server) = served();
        answer_handshake(&client, &mut server);
        let caller = spawn(move || call(client));
        let request = server.recv();
        server.send_text(&format!(r#"{{"id":{},"result":{text}}}"#, request["id"]));
        drop(server);
        if let Err(error) = caller.join().unwrap() {
            let _ = format!("{error} {error:?}");
        }
    }
}

fn answer_handshake(client: &Client, server: &mut Server) {
    let caller = spawn_with(client, |client| client.initialize());
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "x/0.169.0 (y)" }));
    caller.join().unwrap().unwrap();
    assert_eq!(server.recv()["method"], "initialized");
}

#[test]
fn strange_values_in_replies_are_decoded_or_told() {
    let turn = json!({ "id": "u", "items": [items()[0]], "status": "completed", "error": null });
    let thread =
        json!({ "id": "t", "turns": [turn], "preview": "p", "createdAt": 1, "status": { "type": "idle" } });
    answered(&json!({ "thread": thread }), |client| {
        client.read_thread("t", true).map(|reply| drop((format!("{reply:?}"), serde_json::to_string(&reply))))
    });
    answered(&json!({ "data": [thread], "nextCursor": "c" }), |client| {
        client.list_threads(ListThreads::new()).map(|reply| drop(format!("{reply:?}")))
    });
    answered(&json!({ "thread": { "id": "t" }, "model": "m" }), |client| {
        client.start_thread(codex_blocking::ThreadConfig::new()).map(drop)
    });
    answered(&json!({ "a": [1] }), |client| client.request("config/read", json!({})).map(drop));
}

#[test]
fn strange_values_in_the_handshake_are_survived() {
    for text in texts(&json!({ "userAgent": "x/0.169.0 (y)", "serverInfo": { "a": 1 }, "capabilities": {} }))
    {
        let (client, mut server) = served();
        let caller = spawn(move || client.initialize());
        let request = server.recv();
        server.send_text(&format!(r#"{{"id":{},"result":{text}}}"#, request["id"]));
        match caller.join().unwrap() {
            Ok(result) => drop((format!("{result:?}"), result.server_version().map(str::to_owned))),
            Err(error) => drop(format!("{error} {error:?}")),
        }
    }
}

#[test]
fn the_code_and_message_of_an_error_survive_strange_values_beside_them() {
    let (client, mut server) = served();
    answer_handshake(&client, &mut server);
    for strange in strange() {
        for error in [
            format!(r#"{{"code":-7,"message":"no","data":{strange}}}"#),
            format!(r#"{{"x":{strange},"message":"no","code":-7}}"#),
        ] {
            let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
            let request = server.recv();
            server.send_text(&format!(r#"{{"id":{},"x":{strange},"error":{error}}}"#, request["id"]));
            let error = caller.join().unwrap().unwrap_err();
            assert!(
                matches!(&error, Error::Rpc { code: -7, message, .. } if message == "no"),
                "{strange}: {error:?}"
            );
        }
    }
}

#[test]
fn an_overload_is_retried_whatever_stands_beside_its_code() {
    let (client, mut server) = served();
    answer_handshake(&client, &mut server);
    for strange in strange() {
        let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
        let request = server.recv();
        server.send_text(&format!(
            r#"{{"id":{},"error":{{"code":-32001,"message":"busy","data":{strange}}}}}"#,
            request["id"]
        ));
        let request = server.recv();
        server.reply(&request, json!("done"));
        assert_eq!(caller.join().unwrap().unwrap(), "done", "{strange}");
    }
}
