//! Typed requests, replies, notifications and items: what they keep, refuse and lose.
//!
//! Relies on `support` and the feature `testing`. Invariant: a scripted server sends every message, so
//! that each test knows to the byte what there was to decode.

use std::time::Duration;

use codex_blocking::protocol::{
    self, CollaborationModeListParams, ConfigReadParams, InitializeParams, MemoryResetParams,
    ModelListParams, ServerNotification, ThreadItem, ThreadReadParams, ThreadStartParams, TurnPlanStepStatus,
};
use codex_blocking::testing::ScriptedServer;
use codex_blocking::{
    ApprovalPolicy, Client, CollaborationMode, CollaborationSettings, Error, GranularApproval, InputItem,
    ModeKind, Personality, ReasoningEffort, ReasoningSummary, Reply, SandboxMode, SandboxPolicy,
    ThreadConfig, TurnEvent, TurnOverrides,
};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, message, served, spawn, spawn_with};

/// Has the client call, and the server answer with this text as the result.
fn answered<P>(params: P, result: &str) -> codex_blocking::Result<Reply<P::Response>>
where
    P: protocol::ClientRequest + Send + 'static,
    P::Response: Send + 'static,
{
    let (client, mut server) = served();
    let caller = spawn(move || client.call(params));
    let request = server.expect(P::METHOD);
    server.send_text(&format!(r#"{{"id":{},"result":{result}}}"#, request["id"]));
    caller.join().unwrap()
}

fn thread(members: Value) -> Value {
    let mut thread = json!({
        "id": "t", "sessionId": "t", "preview": "", "ephemeral": false, "modelProvider": "p", "createdAt": 1,
        "updatedAt": 1, "status": { "type": "idle" }, "cwd": "/w", "cliVersion": "0.169.0", "source": "vscode",
        "projectId": null, "turns": [],
    });
    thread.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    thread
}

// ---- replies ----

#[test]
fn a_reply_is_typed_and_keeps_the_servers_own_text() {
    let text = r#"{ "data": [], "nextCursor":"c",  "zebra": 1.50, "alpha": {"x":[null]} }"#;
    let reply = answered(ModelListParams::new().limit(3), text).unwrap();
    assert_eq!(reply.next_cursor.as_deref(), Some("c"));
    assert_eq!(reply.raw(), text);
    assert_eq!(serde_json::to_string(&reply).unwrap(), text);
    assert_eq!(serde_json::to_value(&reply).unwrap()["alpha"], json!({ "x": [null] }));
    let copy = reply.clone();
    assert!(format!("{copy:?}").starts_with("Reply(ModelListResponse"), "{copy:?}");
    assert_eq!(copy.raw(), text);
    assert!(copy.into_inner().data.is_empty());
}

#[test]
fn a_call_sends_what_was_set_under_the_methods_name() {
    let (client, mut server) = served();
    let caller = spawn(move || client.call(ModelListParams::new().limit(3)));
    let request = server.expect("model/list");
    assert_eq!(request["params"], json!({ "limit": 3 }));
    server.refuse(&request, -32600, "no");
    let Err(Error::Rpc { method, message, .. }) = caller.join().unwrap() else { panic!("an answer") };
    assert_eq!((method.as_str(), message.as_str()), ("model/list", "no"));
}

#[test]
fn a_call_has_the_clients_limit_or_its_own() {
    let (client, mut server) = served();
    let limit = Duration::from_millis(50);
    let caller = spawn(move || {
        client.initialize()?;
        let own = client.call_with_timeout(ModelListParams::new(), limit).unwrap_err();
        let clients = client.with_request_timeout(limit).call(ModelListParams::new()).unwrap_err();
        Ok::<_, Error>([own, clients])
    });
    server.expect("model/list");
    for error in caller.join().unwrap().unwrap() {
        assert!(matches!(error, Error::Timeout { after, .. } if after == limit), "{error}");
    }
}

#[test]
fn what_is_missing_in_a_reply_is_named_with_its_path() {
    let mut broken = thread(json!({ "turns": [{ "id": "u", "items": [] }] }));
    let error = answered(ThreadReadParams::new("t"), &json!({ "thread": broken }).to_string()).unwrap_err();
    assert!(error.to_string().contains("thread.turns[0].status"), "{error}");
    let Error::Decode { what, raw, source, .. } = &error else { panic!("{error}") };
    assert_eq!(what, "the result of thread/read");
    assert!(raw.contains(r#""id":"u""#));
    assert!(source.as_ref().unwrap().to_string().starts_with("thread.turns[0].status: "));
    broken["turns"] = json!([]);
    broken["cwd"] = json!(7);
    let error = answered(ThreadReadParams::new("t"), &json!({ "thread": broken }).to_string()).unwrap_err();
    assert!(error.to_string().contains("thread.cwd"), "{error}");
    let error = answered(ThreadReadParams::new("t"), "null").unwrap_err();
    assert_eq!(error.code(), "decode");
}

#[test]
fn the_handshake_by_a_typed_call_is_the_same_handshake() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let params = InitializeParams::new(protocol::ClientInfo::new("me", "1"));
    let reply = client.call(params.clone()).unwrap();
    assert!(reply.user_agent.starts_with("scripted/"));
    // Another one is the same, to the byte.
    assert_eq!(client.call(params).unwrap().raw(), reply.raw());
    client.initialize().unwrap();
    let count = server.received().iter().filter(|message| message["method"] == "initialize").count();
    assert_eq!((count, &server.received()[0]["params"]["clientInfo"]["name"]), (1, &json!("me")));
}

#[test]
fn a_thread_that_a_typed_call_started_is_chatted_in_as_it_is() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.call(ThreadStartParams::new()).unwrap().into_inner().thread;
    let request = codex_blocking::ChatRequest::new("hi").thread(&thread.id);
    assert_eq!(client.chat_once(request).unwrap().thread_id, thread.id);
    assert!(server.received().iter().all(|message| message["method"] != "thread/resume"));
}

// ---- experimental requests ----

#[test]
fn an_experimental_request_needs_the_setting_and_is_not_sent_without() {
    let (client, mut server) = served();
    for error in [
        client.call(CollaborationModeListParams::new()).unwrap_err(),
        client.call(MemoryResetParams::new()).map(drop).unwrap_err(),
        client.call_with_timeout(CollaborationModeListParams::new(), PATIENCE).unwrap_err(),
    ] {
        assert!(matches!(error, Error::InvalidInput { .. }), "{error}");
        assert!(error.to_string().contains("experimental_api(true)"), "{error}");
    }
    let error = client.call(CollaborationModeListParams::new()).unwrap_err();
    assert!(error.to_string().contains("collaborationMode/list"), "{error}");
    assert!(server.is_quiet());
}

#[test]
fn the_setting_counts_as_it_was_sent() {
    let server = ScriptedServer::new().on_request("collaborationMode/list", |_| Ok(json!({ "data": [] })));
    let list =
        |client: &Client| client.call(CollaborationModeListParams::new()).map(|reply| reply.data.len());
    let asked = Client::builder().experimental_api(true).connect(server.clone()).unwrap();
    assert_eq!(list(&asked).unwrap(), 0);
    // By hand, in both directions, and by a plain request.
    let by_hand = server.client().unwrap();
    by_hand.initialize_with(json!({ "capabilities": { "experimentalApi": true } })).unwrap();
    assert_eq!(list(&by_hand).unwrap(), 0);
    let by_request = server.client().unwrap();
    by_request.request("initialize", json!({ "capabilities": { "experimentalApi": true } })).unwrap();
    assert_eq!(list(&by_request).unwrap(), 0);
    let taken_back = Client::builder().experimental_api(true).connect(server).unwrap();
    taken_back.initialize_with(json!({ "capabilities": { "experimentalApi": false } })).unwrap();
    assert!(matches!(list(&taken_back), Err(Error::InvalidInput { .. })));
}

// ---- what the server supports ----

#[test]
fn the_server_is_asked_once_which_methods_it_has() {
    let (client, mut server) = served();
    let callers: Vec<_> = ["thread/revert", "thread/rollback", "thread/rever"]
        .map(|method| spawn_with(&client, move |client| client.supports(method).unwrap()))
        .into();
    let request = server.recv();
    assert_eq!(request["method"], "initialize");
    server.reply(&request, json!({ "userAgent": "test/0.169.0 (x)" }));
    assert_eq!(server.recv()["method"], "initialized");
    let request = server.recv();
    let asked = request["method"].as_str().unwrap();
    let known = "`initialize`, `thread/start`, `thread/revert`";
    let message = format!("Invalid request: unknown variant `{asked}`, expected one of {known}");
    server.refuse(&request, -32600, &message);
    let known: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    assert_eq!(known, [Some(true), Some(false), Some(false)]);
    assert_eq!(client.supports("thread/start").unwrap(), Some(true));
    assert!(server.is_quiet());
}

#[test]
fn a_server_that_does_not_tell_its_methods_leaves_it_open() {
    for refusal in [Some("Method not found"), Some("unknown variant `x`, expected `on` or `off`"), None] {
        let (client, mut server) = served();
        let caller = spawn_with(&client, |client| client.supports("thread/revert").unwrap());
        let request = server.expect("codexBlocking/whichMethods");
        match refusal {
            Some(message) => server.refuse(&request, -32601, message),
            None => server.reply(&request, json!({})),
        }
        assert_eq!(caller.join().unwrap(), None);
        assert_eq!(client.supports("thread/revert").unwrap(), None);
        assert!(server.is_quiet());
    }
}

#[test]
fn a_question_that_was_not_answered_is_asked_again() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, move |client| {
        client.initialize()?;
        client.with_request_timeout(Duration::from_millis(20)).supports("a")
    });
    server.expect("codexBlocking/whichMethods");
    assert!(caller.join().unwrap().unwrap_err().is_timeout());
    let caller = spawn(move || client.supports("a"));
    let request = server.expect("codexBlocking/whichMethods");
    server.refuse(&request, -32600, "unknown variant `x`, expected one of `a`, `initialize`");
    assert_eq!(caller.join().unwrap().unwrap(), Some(true));
}

#[test]
fn the_scripted_server_tells_its_methods() {
    let server = ScriptedServer::new().on_request("my/own", |_| Ok(json!({})));
    let client = server.client().unwrap();
    assert_eq!(client.supports("my/own").unwrap(), Some(true));
    assert_eq!(client.supports("turn/start").unwrap(), Some(true));
    assert_eq!(client.supports("thread/rollback").unwrap(), Some(false));
}

// ---- notifications ----

/// What comes of a notification sent as this text.
fn notified(texts: &[&str]) -> Vec<codex_blocking::Result<ServerNotification>> {
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    texts.iter().for_each(|text| server.send_text(text));
    texts.iter().map(|_| notifications.next_timeout(PATIENCE).unwrap().decode()).collect()
}

#[test]
fn notifications_are_typed_and_unknown_ones_kept() {
    let decoded = notified(&[
        r#"{"method":"thread/name/updated","params":{"threadId":"t","threadName":"n","new":1}}"#,
        r#"{"method":"brand/new","params":{"deep":[1, 2]}}"#,
        r#"{"method":"brand/newer"}"#,
    ]);
    let mut decoded = decoded.into_iter().map(Result::unwrap);
    let Some(ServerNotification::ThreadNameUpdated(named)) = decoded.next() else { panic!("no name") };
    assert_eq!((named.thread_id.as_str(), named.thread_name.as_deref()), ("t", Some("n")));
    let Some(ServerNotification::Unknown { method, params, .. }) = decoded.next() else { panic!("known") };
    assert_eq!((method.as_str(), params.raw()), ("brand/new", r#"{"deep":[1, 2]}"#));
    assert_eq!(decoded.next().unwrap().method(), "brand/newer");
}

#[test]
fn a_notification_that_lacks_something_names_it() {
    let text = r#"{"method":"turn/completed","params":{"threadId":"t","turn":{"id":"u","items":[]}}}"#;
    let error = notified(&[text, r#"{"method":"turn/completed"}"#]).remove(0).unwrap_err();
    assert!(error.to_string().contains("turn.status"), "{error}");
    let Error::Decode { what, raw, .. } = &error else { panic!("{error}") };
    assert_eq!((what.as_str(), &**raw), ("the parameters of turn/completed", text));
}

#[test]
fn raw_events_decode_as_notifications_do() {
    let client = ScriptedServer::new().client().unwrap();
    let result = client.chat_once("hi").unwrap();
    let decoded: Vec<_> = result.raw_events.iter().map(|event| event.decode().unwrap()).collect();
    let methods: Vec<_> = decoded.iter().map(ServerNotification::method).collect();
    let raw: Vec<_> = result.raw_events.iter().map(|event| event.method().into_owned()).collect();
    assert_eq!(methods, raw);
    assert!(decoded.iter().all(|event| !matches!(event, ServerNotification::Unknown { .. })), "{methods:?}");
    let Some(ServerNotification::TurnCompleted(ended)) = decoded.last() else { panic!("no end") };
    assert_eq!((ended.thread_id.as_str(), ended.turn.status.as_str()), (&*result.thread_id, "completed"));
}

// ---- broken branches ----

/// A list in which one item is broken and one is new.
fn items() -> Value {
    json!([
        message("a", "fine"),
        { "type": "commandExecution", "id": "b", "command": 7 },
        { "type": "hologram", "id": "c", "depth": 3 },
    ])
}

fn assert_only_the_broken_ones_are_lost(items: &[ThreadItem]) {
    let [ThreadItem::AgentMessage(fine), ThreadItem::Unknown(broken), ThreadItem::Unknown(new)] = items
    else {
        panic!("{items:?}")
    };
    assert_eq!(fine.text, "fine");
    assert_eq!(broken.tag(), Some("commandExecution"));
    assert!(broken.error().is_some() && broken.raw().contains(r#""command":7"#), "{broken:?}");
    assert_eq!((new.tag(), new.error(), new.to_value()["depth"].as_u64()), (Some("hologram"), None, Some(3)));
}

#[test]
fn a_broken_item_of_a_read_thread_loses_only_itself() {
    let turn = json!({ "id": "u", "items": items(), "status": "completed", "durationMs": "long" });
    let read = thread(json!({ "turns": [turn], "name": ["no name"], "status": { "type": 3 } }));
    let reply = answered(ThreadReadParams::new("t"), &json!({ "thread": read }).to_string()).unwrap();
    assert_eq!((reply.thread.id.as_str(), &reply.thread.name), ("t", &None));
    assert_only_the_broken_ones_are_lost(&reply.thread.turns[0].items);
    assert!(reply.thread.turns[0].duration_ms.is_none());
    assert!(reply.raw().contains("hologram") && reply.raw().contains("no name"));
}

/// A turn in which one item has this text, until after its end.
fn turn_with(end: &Value, play: impl FnOnce(&mut Server)) -> Vec<TurnEvent> {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat_events("hi").unwrap());
    server.begin_turn();
    let chat = caller.join().unwrap();
    play(&mut server);
    server.notify("turn/completed", json!({ "threadId": "t", "turn": end }));
    chat.collect()
}

#[test]
fn a_broken_item_of_a_completed_turn_loses_only_itself() {
    let end = json!({ "id": "u", "items": items(), "status": "completed", "error": 5 });
    let events = turn_with(&end, |_| {});
    let steps: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            TurnEvent::Step(step) => step.item(),
            _ => None,
        })
        .collect();
    assert_only_the_broken_ones_are_lost(&steps);
    let Some(TurnEvent::Other(ended)) = events.last() else { panic!("{events:?}") };
    let ServerNotification::TurnCompleted(ended) = ended.decode().unwrap() else { panic!("{ended:?}") };
    assert_only_the_broken_ones_are_lost(&ended.turn.items);
    assert!(ended.turn.error.is_none());
}

#[test]
fn an_item_of_a_step_is_typed_and_a_broken_one_keeps_its_json() {
    let end = json!({ "id": "u", "items": [], "status": "failed", "error": { "message": "no" } });
    let events = turn_with(&end, |server| {
        for item in items().as_array().unwrap() {
            server.item(item.clone());
        }
    });
    let steps: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            TurnEvent::Step(step) => Some(step),
            _ => None,
        })
        .collect();
    let typed: Vec<_> = steps.iter().filter_map(|step| step.item()).collect();
    assert_only_the_broken_ones_are_lost(&typed);
    let closing = steps.last().unwrap();
    assert!(closing.is_error() && closing.item().is_none());
    assert_eq!(serde_json::to_value(&typed[2]).unwrap(), steps[2].data());
}

#[test]
fn token_usage_that_lacks_a_count_is_not_lost() {
    let end = json!({ "id": "u", "items": [], "status": "completed", "error": null });
    let events = turn_with(&end, |server| {
        let usage = json!({ "total": { "totalTokens": 7 }, "last": {} });
        let params = json!({ "threadId": "t", "turnId": "u", "tokenUsage": usage });
        server.notify("thread/tokenUsage/updated", params);
    });
    let usage = events.iter().find_map(|event| match event {
        TurnEvent::TokenUsage(usage) => Some(usage),
        _ => None,
    });
    assert_eq!(usage.unwrap().total.total_tokens, 7);
}

// ---- one set of types ----

#[test]
fn the_names_of_the_root_are_the_protocols_own_types() {
    fn same<T>(_: T, _: T) {}
    same(ApprovalPolicy::Never, protocol::AskForApproval::Never);
    same(GranularApproval::all(true), protocol::GranularAskForApproval::new(true, true, true));
    same(CollaborationSettings::new("m"), protocol::Settings::new("m"));
    same(InputItem::text("a"), protocol::UserInput::from(protocol::TextUserInput::new("a")));
    same(SandboxPolicy::read_only(), protocol::ReadOnlySandboxPolicy::new().into());
    same(None::<codex_blocking::TokenUsage>, None::<protocol::ThreadTokenUsage>);
    same(None::<codex_blocking::TokenCount>, None::<protocol::TokenUsageBreakdown>);
    same(None::<codex_blocking::PlanStep>, None::<protocol::TurnPlanStep>);
    same(ReasoningEffort::XHigh, protocol::ReasoningEffort::from("xhigh"));
}

#[test]
fn settings_of_threads_and_turns_travel_in_the_protocols_shapes() {
    let config = ThreadConfig::new()
        .approval_policy(ApprovalPolicy::Granular(GranularApproval::all(false)))
        .sandbox(SandboxMode::from("moon"))
        .personality(Personality::Pragmatic);
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let sent = |method: &str| {
        let mut received = server.received().into_iter();
        received.find(|message| message["method"] == method).unwrap()["params"].clone()
    };
    let thread = client.start_thread(config).unwrap();
    let started = sent("thread/start");
    assert_eq!(started["approvalPolicy"]["granular"]["rules"], false);
    assert_eq!((&started["sandbox"], &started["personality"]), (&json!("moon"), &json!("pragmatic")));
    let mode = CollaborationMode::new(ModeKind::Default, "m").effort(ReasoningEffort::Low);
    let overrides = TurnOverrides::new()
        .effort(ReasoningEffort::XHigh)
        .summary(ReasoningSummary::Concise)
        .sandbox_policy(SandboxPolicy::workspace_write(["/a"]))
        .collaboration_mode(mode);
    thread.chat_once(codex_blocking::ChatRequest::new("hi").overrides(overrides)).unwrap();
    let sent = sent("turn/start");
    assert_eq!((&sent["effort"], &sent["summary"]), (&json!("xhigh"), &json!("concise")));
    assert_eq!(sent["sandboxPolicy"]["writableRoots"], json!(["/a"]));
    assert_eq!(
        sent["collaborationMode"],
        json!({ "mode": "default", "settings": { "model": "m", "reasoning_effort": "low" } })
    );
}

#[test]
fn a_plan_has_typed_steps_with_words_of_their_own() {
    let end = json!({ "id": "u", "items": [], "status": "completed", "error": null });
    let events = turn_with(&end, |server| {
        let plan = json!([{ "step": "a", "status": "inProgress" }, { "step": "b", "status": "postponed" }]);
        let params = json!({ "threadId": "t", "turnId": "u", "explanation": null, "plan": plan });
        server.notify("turn/plan/updated", params);
    });
    let Some(TurnEvent::Plan { plan, .. }) = events.first() else { panic!("{events:?}") };
    assert_eq!(plan[0].status, TurnPlanStepStatus::InProgress);
    assert_eq!(plan[1].status, "postponed");
    assert_eq!(events[0].to_string(), "plan:\n  [inProgress] a\n  [postponed] b");
}

#[test]
fn a_reply_of_any_type_can_be_kept_and_sent_between_threads() {
    fn travels<T: Clone + Send + Sync + 'static>() {}
    travels::<Reply<protocol::ThreadReadResponse>>();
    let client = ScriptedServer::new().client().unwrap();
    let reply = client.call(ConfigReadParams::new()).unwrap();
    assert_eq!(reply.config.model.as_deref(), Some("scripted"));
}

#[test]
fn secrets_of_the_protocol_do_not_show() {
    let tokens = codex_blocking::protocol::ChatgptAuthTokensRefreshResponse::new("account", "secret-value");
    let shown = format!("{tokens:?}");
    assert!(shown.contains("account") && !shown.contains("secret-value"), "{shown}");
}
