//! What the server asks: approvals and questions to the user, by handler, by hand, by nobody.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use codex_blocking::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, Client, Error, Notifications, RequestId, ServerResponse,
    UserInputResponse,
    testing::{ScriptedServer, TurnScript},
};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, chatting, manual, served, served_with, spawn};

fn ask_command(server: &mut Server, id: Value, item: &str) {
    let params = json!({
        "threadId": "t", "turnId": "u", "itemId": item, "approvalId": null, "reason": "must", "kind": "command",
        "command": "rm -r x", "cwd": "/w", "commandActions": [{ "type": "unknown", "command": "rm -r x" }],
        "proposedExecpolicyAmendment": ["rm", "-r"], "availableDecisions": ["accept", "cancel"], "startedAtMs": 1,
    });
    server.send(&json!({ "id": id, "method": "item/commandExecution/requestApproval", "params": params }));
}

fn ask_user(server: &mut Server, id: i64) {
    let options = json!([{ "label": "A", "description": "" }, { "label": "B", "description": "" }]);
    let question = json!({ "id": "q", "header": "h", "question": "which?", "isOther": true, "isSecret": false, "options": options });
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "call", "questions": [question], "isBlocking": true });
    server.send(&json!({ "id": id, "method": "item/tool/requestUserInput", "params": params }));
}

/// The one that waits.
fn waiting(client: &Client) -> ApprovalRequest {
    client.approval_requests().next_timeout(PATIENCE).unwrap()
}

#[test]
fn a_handler_decides_and_sees_everything_that_was_asked() {
    let (client, mut server) = served();
    let (saw, seen) = mpsc::channel();
    client.set_approval_handler(move |request| {
        saw.send(request.clone()).unwrap();
        ApprovalDecision::AcceptForSession
    });
    ask_command(&mut server, json!("a text"), "i");
    let answer = server.recv();
    assert_eq!(answer, json!({ "id": "a text", "result": { "decision": "acceptForSession" } }));
    let ApprovalRequest::Command(request) = seen.recv().unwrap() else { panic!() };
    assert_eq!(request.request_id, RequestId::from("a text"));
    assert_eq!(
        (request.thread_id.as_str(), request.turn_id.as_str(), request.item_id.as_str()),
        ("t", "u", "i")
    );
    assert_eq!((request.command.as_deref(), request.cwd.as_deref()), (Some("rm -r x"), Some("/w")));
    assert_eq!(request.reason.as_deref(), Some("must"));
    assert_eq!(request.command_actions.unwrap().len(), 1);
    assert_eq!(request.proposed_execpolicy_amendment.unwrap(), ["rm", "-r"]);
}

#[test]
fn a_request_for_a_change_of_files_shows_the_changes_that_were_announced() {
    let (client, mut server) = manual();
    let _chat = chatting(&client, &mut server);
    server.started();
    let changes = json!([{ "path": "/outside/x", "kind": { "type": "add" }, "diff": "text" }]);
    let item = json!({ "type": "fileChange", "id": "f", "status": "inProgress", "changes": changes });
    server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": item }));
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "f", "reason": null, "grantRoot": null });
    server.send(&json!({ "id": 0, "method": "item/fileChange/requestApproval", "params": params }));
    let request = waiting(&client);
    let ApprovalRequest::FileChange(change) = &request else { panic!() };
    assert_eq!(change.changes.as_ref().unwrap()[0].path, "/outside/x");
    let amendment = ApprovalDecision::AcceptWithExecpolicyAmendment(vec!["x".to_owned()]);
    assert!(matches!(client.respond_approval(&request, amendment), Err(Error::InvalidInput { .. })));
    client.decline_approval(&request).unwrap();
    assert_eq!(server.recv()["result"]["decision"], "decline");
}

#[test]
fn each_decision_has_its_word_on_the_wire() {
    let (client, mut server) = manual();
    let mut stream = client.approval_requests();
    let mut decided = |decide: &dyn Fn(&ApprovalRequest)| {
        ask_command(&mut server, json!(5), "i");
        decide(&stream.next_timeout(PATIENCE).unwrap());
        server.recv()["result"]["decision"].clone()
    };
    assert_eq!(decided(&|request| client.approve_approval(request).unwrap()), "accept");
    assert_eq!(decided(&|request| client.approve_for_session(request).unwrap()), "acceptForSession");
    assert_eq!(decided(&|request| client.decline_approval(request).unwrap()), "decline");
    assert_eq!(decided(&|request| client.cancel_approval(request).unwrap()), "cancel");
    assert_eq!(
        decided(&|request| client.approve_with_amendment(request, ["rm", "-r"]).unwrap()),
        json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": ["rm", "-r"] } })
    );
}

#[test]
fn without_a_handler_auto_declines_at_once_and_a_stream_looks_on() {
    let (client, mut server) = served();
    let mut stream = client.approval_requests();
    ask_command(&mut server, json!(0), "i");
    assert_eq!(server.recv()["result"]["decision"], "decline");
    let request = stream.next_timeout(PATIENCE).unwrap();
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
}

#[test]
fn a_new_stream_first_yields_what_waits_and_ends_with_the_connection() {
    let (client, mut server) = manual();
    ask_command(&mut server, json!(0), "a");
    ask_command(&mut server, json!(1), "b");
    let mut stream = client.approval_requests();
    let items: Vec<_> = (0..2).map(|_| stream.next().unwrap().item_id().unwrap().to_owned()).collect();
    assert_eq!(items, ["a", "b"]);
    assert!(stream.try_next().is_none() && !stream.is_ended());
    drop(server);
    client.close().unwrap();
    assert!(stream.next().is_none() && stream.is_ended());
    assert!(client.approval_requests().next().is_none());
}

#[test]
fn two_that_wait_are_answered_independently_and_each_once() {
    let (client, mut server) = manual();
    ask_command(&mut server, json!(0), "a");
    ask_command(&mut server, json!(1), "b");
    let requests: Vec<_> = {
        let mut stream = client.approval_requests();
        (0..2).map(|_| stream.next().unwrap()).collect()
    };
    client.approve_approval(&requests[1]).unwrap();
    assert_eq!(server.recv(), json!({ "id": 1, "result": { "decision": "accept" } }));
    assert!(matches!(client.approve_approval(&requests[1]), Err(Error::NoLongerPending { .. })));
    client.decline_approval(&requests[0]).unwrap();
    assert_eq!(server.recv(), json!({ "id": 0, "result": { "decision": "decline" } }));
    let (other, _server) = manual();
    assert!(matches!(other.approve_approval(&requests[0]), Err(Error::NoLongerPending { .. })));
}

#[test]
fn what_was_answered_elsewhere_or_whose_turn_is_over_waits_no_more() {
    let (client, mut server) = manual();
    let mut chat = chatting(&client, &mut server);
    server.started();
    ask_command(&mut server, json!(0), "a");
    let request = waiting(&client);
    server.notify("serverRequest/resolved", json!({ "threadId": "t", "requestId": 0 }));
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    ask_command(&mut server, json!(1), "b");
    let request = waiting(&client);
    server.complete("interrupted");
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    assert!(chat.next().unwrap().is_error());
    assert!(server.is_quiet());
    ask_command(&mut server, json!(2), "c");
    let request = waiting(&client);
    server.die();
    assert!(matches!(client.approve_approval(&request), Err(Error::Transport { .. })));
}

#[test]
fn a_question_of_a_turn_that_another_client_started_goes_with_that_turn() {
    let (client, mut server) = manual();
    ask_command(&mut server, json!(0), "a");
    let request = waiting(&client);
    let other = json!({ "id": "another", "items": [], "status": "completed", "error": null });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": other }));
    assert_eq!(client.pending().len(), 1);
    server.complete("completed");
    assert!(client.pending().is_empty());
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    assert!(server.is_quiet());
}

#[test]
fn on_an_old_server_what_was_answered_elsewhere_waits_until_its_item_is_completed() {
    let (client, mut server) = manual();
    server.version = "0.106.0";
    let mut chat = chatting(&client, &mut server);
    server.started();
    for (id, item) in [(0, "a"), (1, "b")] {
        ask_command(&mut server, json!(id), item);
    }
    let mut requests = client.approval_requests();
    let (first, second) =
        (requests.next_timeout(PATIENCE).unwrap(), requests.next_timeout(PATIENCE).unwrap());
    server.item(json!({ "type": "commandExecution", "id": "a", "status": "completed", "command": "rm" }));
    assert!(matches!(client.approve_approval(&first), Err(Error::NoLongerPending { .. })));
    client.decline_approval(&second).unwrap();
    assert_eq!(server.recv(), json!({ "id": 1, "result": { "decision": "decline" } }));
    server.complete("completed");
    assert_eq!(chat.by_ref().count(), 1);
}

#[test]
fn a_new_server_says_what_was_answered_elsewhere_and_an_item_says_nothing_of_it() {
    let (client, mut server) = manual();
    let _chat = chatting(&client, &mut server);
    server.started();
    ask_command(&mut server, json!(0), "a");
    let request = waiting(&client);
    server.item(json!({ "type": "commandExecution", "id": "a", "status": "completed", "command": "rm" }));
    client.decline_approval(&request).unwrap();
    assert_eq!(server.recv(), json!({ "id": 0, "result": { "decision": "decline" } }));
}

#[test]
fn an_approval_that_nobody_answers_in_time_is_declined() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).approval_timeout(Duration::from_millis(50));
    let (_client, mut server) = served_with(builder);
    ask_command(&mut server, json!(0), "a");
    ask_command(&mut server, json!(1), "b");
    assert_eq!(server.recv()["result"]["decision"], "decline");
    assert_eq!(server.recv()["result"]["decision"], "decline");
}

#[test]
fn a_handler_that_panics_declines_and_the_next_one_works() {
    let (client, mut server) = served();
    client.set_approval_handler(|request| match request.item_id() {
        Some("bad") => panic!("as the test wants"),
        _ => ApprovalDecision::Accept,
    });
    ask_command(&mut server, json!(0), "bad");
    assert_eq!(server.recv(), json!({ "id": 0, "result": { "decision": "decline" } }));
    ask_command(&mut server, json!(1), "good");
    assert_eq!(server.recv(), json!({ "id": 1, "result": { "decision": "accept" } }));
    client.clear_approval_handler();
    ask_command(&mut server, json!(2), "good");
    assert_eq!(server.recv(), json!({ "id": 2, "result": { "decision": "decline" } }));
}

#[test]
fn a_handler_that_takes_its_time_holds_up_nothing_and_may_call_the_client() {
    let (client, mut server) = served();
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let weak = client.downgrade();
    client.set_approval_handler(move |request| {
        if request.item_id() == Some("slow") {
            gate.lock().unwrap().recv().unwrap();
            return ApprovalDecision::Accept;
        }
        let answer = weak.upgrade().unwrap().request("config/read", json!({}));
        if answer.is_ok() { ApprovalDecision::AcceptForSession } else { ApprovalDecision::Decline }
    });
    ask_command(&mut server, json!(0), "slow");
    ask_command(&mut server, json!(1), "calls");
    let request = server.expect("config/read");
    server.reply(&request, json!({}));
    assert_eq!(server.recv(), json!({ "id": 1, "result": { "decision": "acceptForSession" } }));
    let_go.send(()).unwrap();
    assert_eq!(server.recv(), json!({ "id": 0, "result": { "decision": "accept" } }));
}

#[test]
fn closing_from_a_handler_and_while_one_runs_works_and_releases_the_handler() {
    let (client, mut server) = served();
    let (done, is_done) = mpsc::channel();
    let weak = client.downgrade();
    let alive = Arc::new(());
    let token = Arc::clone(&alive);
    client.set_approval_handler(move |_| {
        let _ = &token;
        done.send(weak.upgrade().unwrap().close().is_ok()).unwrap();
        ApprovalDecision::Accept
    });
    ask_command(&mut server, json!(0), "i");
    // The server's end must be let go of, or closing waits for it.
    drop(server);
    assert!(is_done.recv_timeout(PATIENCE).unwrap());
    let begun = Instant::now();
    client.close().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
    let freed = Instant::now() + PATIENCE;
    while Arc::strong_count(&alive) > 1 {
        assert!(Instant::now() < freed, "the handler was not released");
        std::thread::yield_now();
    }
}

#[test]
fn a_handler_that_takes_its_time_to_go_holds_up_nobody_when_the_server_dies() {
    let (client, mut server) = served();
    let (tell, told) = mpsc::channel();
    let (let_go, gate) = mpsc::channel();
    let lingering = Lingering { told: tell, gate: Mutex::new(gate) };
    client.set_approval_handler(move |_| {
        let _ = &lingering;
        ApprovalDecision::Accept
    });
    let mut stream = client.approval_requests();
    // This thread is the reading one.
    server.die();
    assert!(stream.next().is_none());
    assert_eq!(told.recv_timeout(PATIENCE).unwrap().as_deref(), Some("codex-worker"));
    drop(let_go);
}

#[test]
fn a_handler_that_is_set_after_the_end_is_not_kept() {
    let (client, server) = served();
    drop(server);
    client.close().unwrap();
    let alive = Arc::new(());
    let tokens = [Arc::clone(&alive), Arc::clone(&alive), Arc::clone(&alive)];
    let [first, second, third] = tokens;
    client.set_approval_handler(move |_| {
        let _ = &first;
        ApprovalDecision::Accept
    });
    client.set_user_input_handler(move |_| {
        let _ = &second;
        UserInputResponse::new()
    });
    client.set_server_request_handler(move |_| {
        let _ = &third;
        ServerResponse::pass()
    });
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_question_that_would_pass_the_limit_of_what_is_kept_gets_the_safe_answer() {
    let (client, mut server) =
        served_with(Client::builder().approval_mode(ApprovalMode::Manual).max_buffered_bytes(5000));
    ask_command(&mut server, json!(0), "i");
    // What was decoded of it counts too.
    let one = client.stats().kept_bytes;
    assert!((600..2500).contains(&one), "{one}");
    for id in 1..20 {
        ask_command(&mut server, json!(id), "i");
    }
    let waiting = client.pending();
    assert_eq!(waiting.len(), 5000 / one);
    for id in waiting.len()..20 {
        assert_eq!(server.recv(), json!({ "id": id, "result": { "decision": "decline" } }));
    }
    // One that was answered makes room for another.
    client.respond_server_request(&waiting[0], ApprovalDecision::Accept).unwrap();
    assert_eq!(server.recv()["result"]["decision"], "accept");
    ask_command(&mut server, json!(0), "i");
    assert_eq!(client.pending().len(), waiting.len());
    assert!(server.is_quiet());
    server.die();
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn a_question_that_would_pass_the_limit_does_not_reach_its_handler() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(100));
    client.set_approval_handler(|_| ApprovalDecision::Accept);
    ask_command(&mut server, json!(0), "i");
    assert_eq!(server.recv()["result"]["decision"], "decline");
}

#[test]
fn the_clock_of_a_turn_stands_still_while_a_question_waits() {
    let limit = Duration::from_millis(300);
    let builder = Client::builder().approval_mode(ApprovalMode::Manual).inactivity_timeout(limit);
    let (client, mut server) = served_with(builder);
    let mut chat = chatting(&client, &mut server);
    server.started();
    ask_command(&mut server, json!(0), "i");
    let reader = spawn(move || chat.next());
    std::thread::sleep(3 * limit);
    assert!(!reader.is_finished() && server.is_quiet(), "it was not even doubted");
    client.approve_approval(&waiting(&client)).unwrap();
    assert_eq!(server.recv()["result"]["decision"], "accept");
    // From the answer on it runs again.
    let request = server.expect("thread/turns/list");
    server.reply(&request, json!({ "data": [{ "id": "u", "status": "inProgress", "items": [] }] }));
    assert!(reader.join().unwrap().unwrap().is_error());
}

#[test]
fn a_question_of_a_sub_agent_stops_the_clock_of_its_turn() {
    let limit = Duration::from_millis(300);
    let builder = Client::builder().approval_mode(ApprovalMode::Manual).inactivity_timeout(limit);
    let (client, mut server) = served_with(builder);
    let mut chat = chatting(&client, &mut server);
    server.started();
    let call = json!({ "type": "collabAgentToolCall", "id": "c", "receiverThreadIds": ["child"] });
    server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": call }));
    let params = json!({ "threadId": "child", "turnId": "v", "itemId": "i" });
    server.send(&json!({ "id": 0, "method": "item/commandExecution/requestApproval", "params": params }));
    let reader = spawn(move || chat.next());
    std::thread::sleep(3 * limit);
    assert!(!reader.is_finished() && server.is_quiet(), "it was not even doubted");
    server.complete("completed");
    assert!(reader.join().unwrap().is_none());
}

#[test]
fn cancelling_while_a_question_waits_withdraws_it() {
    let (client, mut server) = manual();
    let mut chat = chatting(&client, &mut server);
    server.started();
    ask_command(&mut server, json!(0), "i");
    let question = waiting(&client);
    let caller = spawn(move || chat.cancel());
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    server.complete("interrupted");
    assert!(caller.join().unwrap().unwrap().was_interrupted);
    assert!(matches!(client.approve_approval(&question), Err(Error::NoLongerPending { .. })));
}

#[test]
fn broken_parameters_are_refused_as_such() {
    let (_client, mut server) = served();
    for method in ["item/commandExecution/requestApproval", "item/tool/requestUserInput"] {
        for params in [json!(null), json!({}), json!({ "threadId": 5 }), json!([1])] {
            server.send(&json!({ "id": 0, "method": method, "params": params }));
            assert_eq!(server.recv()["error"]["code"], -32602, "{method} {params}");
        }
    }
}

#[test]
fn a_question_to_the_user_fails_at_once_when_nobody_is_there() {
    let (client, mut server) = served();
    ask_user(&mut server, 0);
    assert!(server.recv()["error"]["code"].is_i64());
    drop(client.user_input_requests());
    ask_user(&mut server, 1);
    assert!(server.recv()["error"]["code"].is_i64(), "the stream is gone");
}

#[test]
fn a_handler_answers_questions_to_the_user() {
    let (client, mut server) = served();
    client.set_user_input_handler(|request| UserInputResponse::answer(&request.questions[0].id, ["A"]));
    ask_user(&mut server, 3);
    assert_eq!(server.recv(), json!({ "id": 3, "result": { "answers": { "q": { "answers": ["A"] } } } }));
}

#[test]
fn questions_to_the_user_are_answered_by_choice_or_by_a_text() {
    let (client, mut server) = served();
    let mut stream = client.user_input_requests();
    ask_user(&mut server, 0);
    let request = stream.next_timeout(PATIENCE).unwrap();
    let unknown = [
        client.respond_user_input_choice(&request, "q", ["C"]),
        client.respond_user_input_choice(&request, "z", ["A"]),
        client.respond_user_input_other(&request, "z", "x"),
    ];
    assert!(unknown.iter().all(|result| matches!(result, Err(Error::InvalidInput { .. }))));
    client.respond_user_input_choice(&request, "q", ["B"]).unwrap();
    assert_eq!(server.recv()["result"]["answers"]["q"]["answers"], json!(["B"]));
    let again = client.respond_user_input_choice(&request, "q", ["B"]);
    assert!(matches!(again, Err(Error::NoLongerPending { .. })));
    ask_user(&mut server, 1);
    let request = stream.next_timeout(PATIENCE).unwrap();
    client.respond_user_input_other(&request, "q", "neither").unwrap();
    assert_eq!(server.recv()["result"]["answers"]["q"]["answers"], json!(["neither"]));
}

#[test]
fn a_question_to_the_user_that_nobody_answers_in_time_fails() {
    let builder = Client::builder().user_input_timeout(Duration::from_millis(50));
    let (client, mut server) = served_with(builder);
    let _stream = client.user_input_requests();
    ask_user(&mut server, 0);
    assert!(server.recv()["error"]["code"].is_i64());
}

#[test]
fn the_approval_of_a_tool_is_told_from_a_form() {
    let (client, mut server) = manual();
    let ask = |server: &mut Server, id: i64, meta: Value| {
        let params = json!({
            "threadId": "t", "turnId": "u", "serverName": "tiny", "mode": "form", "message": "may I?",
            "requestedSchema": { "type": "object", "properties": {} }, "_meta": meta,
        });
        server.send(&json!({ "id": id, "method": "mcpServer/elicitation/request", "params": params }));
    };
    ask(&mut server, 0, json!(null));
    assert_eq!(server.recv(), json!({ "id": 0, "result": { "action": "decline", "content": null } }));
    ask(
        &mut server,
        1,
        json!({ "codex_approval_kind": "mcp_tool_call", "tool_name": "x", "tool_params": {} }),
    );
    let request = waiting(&client);
    let ApprovalRequest::McpTool(tool) = &request else { panic!() };
    assert_eq!((tool.server_name.as_str(), tool.tool_name.as_deref()), ("tiny", Some("x")));
    client.approve_for_session(&request).unwrap();
    let answer = server.recv();
    assert_eq!(answer["result"]["action"], "accept");
    assert_eq!(answer["result"]["_meta"]["persist"], "session");
}

#[test]
fn requests_are_plain_data() {
    let (client, mut server) = manual();
    ask_command(&mut server, json!(7), "i");
    let request = waiting(&client);
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(text.matches(r#""kind":"#).count(), 1, "{text}");
    let shown = serde_json::to_value(&request).unwrap();
    assert_eq!(
        (&shown["kind"], &shown["request_id"], &shown["item_id"]),
        (&json!("command"), &json!(7), &json!("i"))
    );
}

#[test]
fn what_the_user_answered_does_not_show() {
    let shown = format!("{:?}", UserInputResponse::answer("password", ["secret-value"]));
    assert!(shown.contains("password") && !shown.contains("secret-value"), "{shown}");
}

/// Tells on which thread it is dropped, and does not go until the gate opens.
struct Lingering {
    told: mpsc::Sender<Option<String>>,
    gate: Mutex<mpsc::Receiver<()>>,
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let _ = self.told.send(std::thread::current().name().map(str::to_owned));
        let _ = self.gate.lock().unwrap().recv_timeout(PATIENCE);
    }
}

// The scripted server reports the end of a request as the real one does.

const REPORTED: [&str; 5] = [
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/permissions/requestApproval",
    "item/tool/requestUserInput",
    "mcpServer/elicitation/request",
];
const UNREPORTED: [&str; 5] = [
    "item/tool/call",
    "currentTime/read",
    "attestation/generate",
    "account/chatgptAuthTokens/refresh",
    "moon/phase",
];

/// A client whose turns ask this and then say something, and its notifications.
fn asking(method: &'static str) -> (Client, Notifications) {
    let server = ScriptedServer::new().on_turn(move |_| {
        let params = json!({ "itemId": "i", "callId": "c", "tool": "x", "arguments": {} });
        TurnScript::new().ask(method, params).message("on")
    });
    let client = Client::builder().approval_mode(ApprovalMode::Manual).connect(server).unwrap();
    let notifications = client.notifications();
    (client, notifications)
}

/// The methods of the notifications from the end of the first user message to the end of the turn, and the last
/// `serverRequest/resolved`.
fn told(notifications: &mut Notifications) -> (Vec<String>, Option<Value>) {
    let (mut methods, mut resolved) = (Vec::new(), None);
    while let Some(notification) = notifications.try_next() {
        let method = notification.method().into_owned();
        if method == "serverRequest/resolved" {
            resolved = Some(notification.params().unwrap());
        }
        methods.push(method);
    }
    (methods, resolved)
}

#[test]
fn the_scripted_server_reports_an_answered_request_before_the_turn_goes_on() {
    for method in REPORTED {
        for response in [ServerResponse::pass(), ServerResponse::error(1, "no")] {
            let (client, mut notifications) = asking(method);
            client.set_server_request_handler(move |_| response.clone());
            client.set_approval_handler(|_| ApprovalDecision::Decline);
            let thread_id = client.chat_once("hello").unwrap().thread_id;
            let (methods, resolved) = told(&mut notifications);
            let place = |name: &str| methods.iter().rposition(|method| method == name).unwrap();
            assert!(place("serverRequest/resolved") < place("item/completed"), "{method}: {methods:?}");
            assert_eq!(resolved.unwrap(), json!({ "threadId": thread_id, "requestId": 0 }), "{method}");
        }
    }
}

#[test]
fn the_scripted_server_does_not_report_what_the_real_one_does_not() {
    for method in UNREPORTED {
        let (client, mut notifications) = asking(method);
        client.chat_once("hello").unwrap();
        // Its reply shows that no notification follows.
        client.request("model/list", json!({})).unwrap();
        assert_eq!(told(&mut notifications).1, None, "{method}");
    }
}

#[test]
fn the_scripted_server_reports_what_an_interrupt_withdrew_after_the_end_of_the_turn() {
    for (method, is_reported) in [(REPORTED[0], true), (UNREPORTED[0], false)] {
        let (client, mut notifications) = asking(method);
        let (asked, asks) = std::sync::mpsc::channel();
        let (let_go, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        client.set_server_request_handler(move |_| {
            asked.send(()).unwrap();
            let _ = gate.lock().unwrap().recv();
            ServerResponse::pass()
        });
        let mut requests = client.approval_requests();
        let mut chat = client.chat("hello").unwrap();
        match is_reported {
            true => drop(requests.next_timeout(PATIENCE).unwrap()),
            false => asks.recv_timeout(PATIENCE).unwrap(),
        }
        chat.cancel().unwrap();
        drop(let_go);
        client.request("model/list", json!({})).unwrap();
        let (methods, resolved) = told(&mut notifications);
        assert_eq!(resolved.is_some(), is_reported, "{methods:?}");
        let last = if is_reported { "serverRequest/resolved" } else { "turn/completed" };
        assert_eq!(methods.last().unwrap(), last);
    }
}
