//! What a peer sends in megabytes is short in `Display` and `Debug`, and whole in the fields.
//!
//! Relies on `support`. Invariant: steps and events are content: their `Display` is whole.

use std::fmt::{Debug, Display};

use codex_blocking::{
    ApprovalMode, ChatRequest, Client, Error, Input, InputItem, RequestId, ServerRequest, ThreadConfig,
    Transcript, TurnEvent, TurnOverrides,
    protocol::{ThreadItem, ThreadReadParams},
    testing::{ScriptedServer, TurnScript},
};
use serde_json::{Value, json};

use crate::support::memory::{begun, chatting, served, served_with, spawn, spawn_with};

const MIB: usize = 1024 * 1024;

fn long() -> String {
    "x".repeat(MIB)
}

#[track_caller]
fn is_short(value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(shown.len() < 20_000, "{} bytes: {}", shown.len(), &shown[..200]);
        assert!(shown.contains(" bytes)") || shown.ends_with('…'), "{shown}");
    }
}

#[track_caller]
fn is_short_in_both(value: &(impl Debug + Display)) {
    is_short(value);
    assert!(value.to_string().len() < 20_000, "{} bytes", value.to_string().len());
}

#[test]
fn errors_of_the_server_are_short_and_keep_what_it_said() {
    let (client, mut server) = served();
    let mut ask = |error: Value| {
        let caller = spawn_with(&client, |client| client.request(&long(), json!({})));
        let request = server.expect(&long());
        server.send(&json!({ "id": request["id"], "error": error }));
        let error = caller.join().unwrap().unwrap_err();
        is_short_in_both(&error);
        error
    };
    let Error::Rpc { message, data, .. } = ask(json!({ "code": 1, "message": long(), "data": [long()] }))
    else {
        panic!()
    };
    assert_eq!((message, *data.unwrap()), (long(), json!([long()])));
    let Error::Decode { raw, .. } = ask(json!({ "message": long() })) else { panic!() };
    assert!(raw.len() > MIB);
    let caller = spawn_with(&client, |client| client.call(ThreadReadParams::new("t")));
    let request = server.expect("thread/read");
    server.reply(&request, json!({ "thread": long() }));
    is_short_in_both(&caller.join().unwrap().unwrap_err());
}

#[test]
fn steps_and_events_are_short_in_debug_and_whole_in_display() {
    let (client, mut server) = served();
    let mut stream = client.notifications();
    let mut transcript = Transcript::default();
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    server.delta(&long());
    server.notify("turn/diff/updated", json!({ "threadId": "t", "turnId": "u", "diff": long() }));
    server.notify("something/new", json!({ "threadId": "t", "turnId": "u", "x": long() }));
    let error = json!({ "error": { "message": long() }, "willRetry": true, "threadId": "t", "turnId": "u" });
    server.notify("error", error);
    server.message(&long(), &long());
    for _ in 0..5 {
        let event = events.try_next().unwrap();
        is_short(&event);
        transcript.apply(&event);
        match &event {
            TurnEvent::Other(raw) => {
                is_short(raw);
                assert!(raw.raw().len() > MIB);
            }
            event => assert!(event.to_string().len() >= MIB),
        }
        if let TurnEvent::Step(step) = &event {
            is_short(step);
            assert_eq!(step.to_string(), format!("codex: {}", long()));
            let Some(ThreadItem::AgentMessage(item)) = step.item() else { panic!() };
            is_short(&item);
        }
    }
    is_short(&transcript);
    is_short(&transcript.items()[0]);
    is_short(&transcript.turns()[0]);
    is_short(&stream.try_next().unwrap());
    server.complete("completed");
    let result = events.finish().unwrap();
    is_short(&result);
    assert_eq!(result.final_text, long());
}

#[test]
fn a_turn_that_fails_with_megabytes_tells_them_in_its_step_and_not_in_its_error() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let error = json!({ "message": long(), "codexErrorInfo": long(), "additionalDetails": long() });
    let turn = json!({ "id": "u", "items": [], "status": "failed", "error": error });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    let step = chat.next().unwrap();
    is_short(&step);
    assert!(step.to_string().len() >= MIB);
    is_short_in_both(chat.error().unwrap());
    is_short(&chat.error().unwrap().failure().unwrap());
}

#[test]
fn what_a_cancelled_turn_had_not_returned_is_short() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    server.message("m", &long());
    server.complete("completed");
    is_short(&chat.cancel().unwrap());
}

#[test]
fn a_decoded_answer_is_short_and_whole_in_its_fields() {
    let text = json!({ "x": long() }).to_string();
    let server = ScriptedServer::new().on_turn(move |_| TurnScript::new().message(&text));
    let answer = server.client().unwrap().chat_json::<Value>("hello", json!({ "type": "object" })).unwrap();
    is_short(&answer);
    assert_eq!(answer.value["x"], long());
}

#[test]
fn what_a_program_asks_is_short() {
    let items: Vec<_> = (0..100).map(|_| InputItem::text(long())).collect();
    is_short(&Input::from(items));
    let request = ChatRequest::new(long()).metadata(long()).user(long()).extra("x", long());
    is_short(&request.overrides(TurnOverrides::new().model(long()).output_schema(json!(long()))));
}

#[test]
fn server_requests_are_short() {
    let (client, mut server) = served_with(Client::builder().approval_mode(ApprovalMode::Manual));
    let mut stream = client.server_requests();
    let question =
        json!({ "id": "q", "header": long(), "question": long(), "isOther": true, "isSecret": false });
    for (method, more) in [
        ("item/commandExecution/requestApproval", json!({ "command": long(), "reason": long() })),
        ("item/fileChange/requestApproval", json!({ "reason": long() })),
        ("item/permissions/requestApproval", json!({ "permissions": {}, "reason": long() })),
        ("item/tool/requestUserInput", json!({ "questions": [question] })),
        ("item/tool/call", json!({ "callId": "c", "tool": long(), "arguments": { "a": long() } })),
        ("something/new", json!({ "x": long() })),
    ] {
        let mut params =
            json!({ "threadId": long(), "turnId": long(), "itemId": long(), "startedAtMs": 1, "cwd": "/" });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.ask(long(), method, &params);
        let request = stream.try_next().unwrap();
        is_short(&request);
        match &request {
            ServerRequest::Approval(request) => is_short(request),
            ServerRequest::UserInput(request) => is_short(request),
            ServerRequest::Permissions(request) => is_short(request),
            ServerRequest::ToolCall(request) => is_short(request),
            ServerRequest::Other(request) => is_short(request),
            _ => {}
        }
        is_short_in_both(request.request_id());
        assert!(request.raw().len() > MIB);
    }
    assert_eq!(RequestId::from("a\"b").to_string(), r#""a\"b""#);
}

#[test]
fn replies_and_the_handshake_are_short() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, |client| client.initialize());
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": long(), "serverInfo": { "a": [long()] } }));
    let result = caller.join().unwrap().unwrap();
    is_short(&result);
    assert_eq!(result.raw["userAgent"], long());
    let caller = spawn(move || client.list_models(codex_blocking::ListModels::new()));
    let request = server.expect("model/list");
    server.reply(&request, json!({ "data": [], "nextCursor": long() }));
    let reply = caller.join().unwrap().unwrap();
    is_short(&reply);
    assert_eq!(reply.next_cursor.as_deref(), Some(&*long()));
    is_short(&reply.into_inner());
}

#[test]
fn what_the_server_answered_for_a_thread_is_short() {
    let (client, mut server) = served();
    let caller = spawn(move || client.start_thread(ThreadConfig::new()));
    let request = server.expect("thread/start");
    server.reply(&request, json!({ "thread": { "id": "t" }, "model": long(), "cwd": long(), "x": [long()] }));
    let thread = caller.join().unwrap().unwrap();
    is_short(thread.info());
    assert_eq!(thread.info().model, Some(long()));
}

#[test]
fn an_unknown_method_is_refused_in_short() {
    let (_client, mut server) = served();
    for method in [long(), "item/commandExecution/requestApproval".to_owned()] {
        server.ask(1, &method, &json!({ "threadId": 1, "turnId": [long()], "itemId": "i" }));
        let answer = server.recv().to_string();
        assert!(answer.len() < 2000, "{} bytes", answer.len());
    }
}
