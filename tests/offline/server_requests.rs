//! Everything the server asks, of all kinds: what each gets from a handler, by hand, and from nobody.

use std::{sync::mpsc, time::Duration};

use codex_blocking::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, Client, Error, NetworkPolicyRuleAction,
    PermissionGrantScope, ServerRequest, ServerResponse, ToolOutput, UserInputResponse,
    protocol::{
        AdditionalFileSystemPermissions, AdditionalNetworkPermissions, AttestationGenerateResponse,
        ChatgptAuthTokensRefreshResponse, CurrentTimeReadResponse, GrantedPermissionProfile,
    },
};
use serde_json::{Value, json};

use crate::support::{
    memory::{PATIENCE, Server, chatting, manual, served, served_with, spawn},
    probe::{is_alone, logged_warnings},
};

const COMMAND: &str = "item/commandExecution/requestApproval";
const USER_INPUT: &str = "item/tool/requestUserInput";
const PERMISSIONS: &str = "item/permissions/requestApproval";
const ELICITATION: &str = "mcpServer/elicitation/request";
const TOOL_CALL: &str = "item/tool/call";
const TOKENS: &str = "account/chatgptAuthTokens/refresh";
const ATTESTATION: &str = "attestation/generate";
const TIME: &str = "currentTime/read";
const UNKNOWN: &str = "moon/phase";

/// What the model is told of a tool that the program doesn't have.
const NO_SUCH_TOOL: &str = "this client has no such tool; to provide the thread's tools, use \
    Client::start_thread_with_tools, or Client::resume_thread_with_tools after the thread was archived, closed or \
    started elsewhere";

/// One question of a kind.
struct Kind {
    method: &'static str,
    params: Value,
    /// An answer that fits, made for the request.
    fits: fn(&ServerRequest) -> ServerResponse,
    /// What the server gets then.
    answered: Value,
    /// What it gets when nobody decides: a result, or the code of an error.
    safe: Result<Value, i64>,
}

fn kinds() -> Vec<Kind> {
    let of_item = |more: Value| {
        let mut params = json!({ "threadId": "t", "turnId": "u", "itemId": "i" });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let question = json!({ "id": "q", "header": "h", "question": "which?", "options": null });
    let asked = json!({
        "network": { "enabled": true },
        "fileSystem": { "read": ["/a", "/b"], "write": ["/c"], "aNewerField": 1 },
    });
    let form = json!({
        "threadId": "t", "turnId": null, "serverName": "tiny", "mode": "form", "message": "Who?", "_meta": null,
        "requestedSchema": { "type": "object", "properties": { "name": { "type": "string" } } },
    });
    let call = json!({
        "threadId": "t", "turnId": "u", "callId": "c", "namespace": null, "tool": "lookup",
        "arguments": { "id": "T-1" },
    });
    vec![
        Kind {
            method: COMMAND,
            params: of_item(json!({ "command": "ls" })),
            fits: |_| ApprovalDecision::Accept.into(),
            answered: json!({ "decision": "accept" }),
            safe: Ok(json!({ "decision": "decline" })),
        },
        Kind {
            method: USER_INPUT,
            params: of_item(json!({ "questions": [question] })),
            fits: |_| UserInputResponse::answer("q", ["A"]).into(),
            answered: json!({ "answers": { "q": { "answers": ["A"] } } }),
            safe: Err(-32603),
        },
        Kind {
            method: PERMISSIONS,
            params: of_item(json!({ "cwd": "/w", "reason": "must", "permissions": asked })),
            fits: |request| match request {
                ServerRequest::Permissions(request) => request.grant_all(PermissionGrantScope::Session),
                _ => panic!(),
            },
            answered: json!({
                "permissions": {
                    "network": { "enabled": true },
                    "fileSystem": { "read": ["/a", "/b"], "write": ["/c"] },
                },
                "scope": "session",
            }),
            safe: Ok(json!({ "permissions": {}, "scope": "turn" })),
        },
        Kind {
            method: ELICITATION,
            params: form,
            fits: |request| match request {
                ServerRequest::Elicitation(request) => request.accept(json!({ "name": "Bob" })),
                _ => panic!(),
            },
            answered: json!({ "action": "accept", "content": { "name": "Bob" } }),
            safe: Ok(json!({ "action": "decline", "content": null })),
        },
        Kind {
            method: TOOL_CALL,
            params: call,
            fits: |_| ToolOutput::text("open").and_image("data:image/png,x").into(),
            answered: json!({
                "contentItems": [
                    { "type": "inputText", "text": "open" },
                    { "type": "inputImage", "imageUrl": "data:image/png,x" },
                ],
                "success": true,
            }),
            safe: Ok(json!({
                "contentItems": [{ "type": "inputText", "text": NO_SUCH_TOOL }],
                "success": false,
            })),
        },
        Kind {
            method: TOKENS,
            params: json!({ "reason": "unauthorized", "previousAccountId": "a" }),
            fits: |_| ChatgptAuthTokensRefreshResponse::new("a", "hush").into(),
            answered: json!({ "accessToken": "hush", "chatgptAccountId": "a" }),
            safe: Err(-32603),
        },
        Kind {
            method: ATTESTATION,
            params: json!({}),
            fits: |_| AttestationGenerateResponse::new("real").into(),
            answered: json!({ "token": "real" }),
            safe: Err(-32603),
        },
        Kind {
            method: UNKNOWN,
            params: json!({ "threadId": "t", "where": [1] }),
            fits: |_| ServerResponse::json(json!(["full"])),
            answered: json!(["full"]),
            safe: Err(-32601),
        },
        Kind {
            method: TIME,
            params: json!({ "threadId": "t" }),
            fits: |_| CurrentTimeReadResponse::new(5).into(),
            answered: json!({ "currentTimeAt": 5 }),
            // The time goes by; it is looked at where it matters.
            safe: Ok(json!(null)),
        },
    ]
}

fn kind(method: &str) -> Kind {
    kinds().into_iter().find(|kind| kind.method == method).unwrap()
}

impl Kind {
    fn ask(&self, server: &mut Server, id: i64) {
        server.ask(id, self.method, &self.params);
    }

    #[track_caller]
    fn is_safe(&self, message: &Value) {
        let is_it = match &self.safe {
            Ok(_) if self.method == TIME => message["result"]["currentTimeAt"].as_i64() > Some(1_700_000_000),
            Ok(result) => message["result"] == *result,
            Err(code) => message["error"]["code"] == *code,
        };
        assert!(is_it, "{}: {message}", self.method);
    }
}

/// A client that answers approvals, questions to the user and everything else with this.
fn handle(
    client: &Client,
    answer: impl Fn(&ServerRequest) -> ServerResponse + Clone + Send + Sync + 'static,
) {
    // The first two have handlers with types of their own; here they serve as well.
    client.set_approval_handler(|_| ApprovalDecision::Accept);
    client.set_user_input_handler(|_| UserInputResponse::answer("q", ["A"]));
    client.set_server_request_handler(answer);
}

/// A client whose every question waits: its handlers are at work until the sender is dropped.
fn at_work() -> (Client, Server, mpsc::Sender<()>) {
    let (client, server) = served();
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    let wait = move || {
        let _ = gate.lock().unwrap().recv();
    };
    let [first, second, third] = [wait.clone(), wait.clone(), wait];
    client.set_approval_handler(move |_| {
        first();
        ApprovalDecision::AcceptForSession
    });
    client.set_user_input_handler(move |_| {
        second();
        UserInputResponse::new()
    });
    client.set_server_request_handler(move |_| {
        third();
        ServerResponse::error(1, "too late")
    });
    (client, server, let_go)
}

/// The one that waits, once it does.
fn pending(client: &Client) -> ServerRequest {
    client.server_requests().next_timeout(PATIENCE).unwrap()
}

// ---- what each kind gets ----

#[test]
fn without_anybody_each_kind_gets_its_own_safe_answer_at_once() {
    let (client, mut server) = served();
    for kind in kinds() {
        kind.ask(&mut server, 7);
        let answer = server.recv();
        assert_eq!(answer["id"], 7);
        kind.is_safe(&answer);
    }
    assert!(client.pending().is_empty());
}

#[test]
fn a_handler_answers_each_kind_in_the_shape_of_the_kind() {
    let (client, mut server) = served();
    handle(&client, |request| (kind(request.method()).fits)(request));
    for kind in kinds() {
        kind.ask(&mut server, 7);
        assert_eq!(server.recv(), json!({ "id": 7, "result": kind.answered }), "{}", kind.method);
    }
    client.clear_server_request_handler();
    kind(PERMISSIONS).ask(&mut server, 8);
    kind(PERMISSIONS).is_safe(&server.recv());
}

#[test]
fn what_a_handler_passes_on_gets_the_safe_answer() {
    let (client, mut server) = served();
    client.set_server_request_handler(|_| ServerResponse::default());
    for kind in kinds() {
        kind.ask(&mut server, 7);
        kind.is_safe(&server.recv());
    }
}

#[test]
fn a_handler_that_panics_gives_the_safe_answer_for_every_kind() {
    let (client, mut server) = served();
    client.set_approval_handler(|_| panic!("as the test wants"));
    client.set_user_input_handler(|_| panic!("as the test wants"));
    client.set_server_request_handler(|_| panic!("as the test wants"));
    for kind in kinds() {
        kind.ask(&mut server, 7);
        kind.is_safe(&server.recv());
    }
}

#[test]
fn a_handler_can_refuse_with_an_error() {
    let (client, mut server) = served();
    client.set_server_request_handler(|_| ServerResponse::error(-1, "not today"));
    kind(TOOL_CALL).ask(&mut server, 7);
    assert_eq!(server.recv(), json!({ "id": 7, "error": { "code": -1, "message": "not today" } }));
}

#[test]
fn broken_parameters_of_every_known_kind_are_refused_as_such() {
    let (client, mut server) = served();
    handle(&client, |request| panic!("{request:?} was read"));
    for kind in kinds().iter().filter(|kind| ![UNKNOWN, ATTESTATION].contains(&kind.method)) {
        for params in [json!(null), json!({}), json!({ "threadId": 5 }), json!([1])] {
            server.ask(7, kind.method, &params);
            assert_eq!(server.recv()["error"]["code"], -32602, "{} {params}", kind.method);
        }
    }
    server.ask(8, COMMAND, &json!({ "threadId": "t", "turnId": "u" }));
    assert_eq!(server.recv()["error"]["code"], -32602);
}

#[test]
fn what_names_its_thread_and_lacks_the_rest_is_declined_in_its_own_words() {
    let (client, mut server) = served();
    handle(&client, |request| panic!("{request:?} was read"));
    let half_a_form = json!({ "threadId": "t", "serverName": "s", "mode": "form", "message": "no schema" });
    let nothing = json!({ "threadId": "t", "turnId": "u", "itemId": "i" });
    for (method, params) in
        [(PERMISSIONS, &nothing), (ELICITATION, &nothing), (ELICITATION, &half_a_form), (TOOL_CALL, &nothing)]
    {
        server.ask(7, method, params);
        kind(method).is_safe(&server.recv());
    }
}

#[test]
fn an_answer_of_another_kind_is_refused_by_hand_and_safe_from_a_handler() {
    let (client, mut server, let_go) = at_work();
    for kind in kinds() {
        kind.ask(&mut server, 7);
        let request = pending(&client);
        // Two more are made of the request that they answer.
        let is_other = |other: &&Kind| ![kind.method, PERMISSIONS, ELICITATION].contains(&other.method);
        for other in kinds().iter().filter(is_other) {
            let refused = client.respond_server_request(&request, (other.fits)(&request));
            assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{} {}", kind.method, other.method);
        }
        client.respond_server_request(&request, ServerResponse::pass()).unwrap();
        kind.is_safe(&server.recv());
    }
    drop(let_go);
    client.set_server_request_handler(|_| ToolOutput::text("what?").into());
    kind(PERMISSIONS).ask(&mut server, 8);
    kind(PERMISSIONS).is_safe(&server.recv());
}

#[test]
fn the_approval_of_a_tool_takes_a_decision_and_no_form() {
    let (client, mut server) = manual();
    let meta = json!({ "codex_approval_kind": "mcp_tool_call", "tool_name": "x" });
    let mut params = kind(ELICITATION).params;
    params["_meta"] = json!(null);
    server.ask(0, ELICITATION, &params);
    server.recv();
    let mut stream = client.server_requests();
    server.ask(1, ELICITATION, &params);
    let ServerRequest::Elicitation(form) = stream.next_timeout(PATIENCE).unwrap() else { panic!() };
    params["_meta"] = meta;
    server.ask(2, ELICITATION, &params);
    let request = stream.next_timeout(PATIENCE).unwrap();
    assert!(matches!(&request, ServerRequest::Approval(ApprovalRequest::McpTool(_))), "{request:?}");
    let refused = client.respond_server_request(&request, form.accept(json!({})));
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    client.respond_server_request(&request, ApprovalDecision::Accept).unwrap();
    assert_eq!(server.recv(), json!({ "id": 2, "result": { "action": "accept", "content": {} } }));
}

#[test]
fn an_answer_in_the_protocols_json_is_checked_like_a_typed_one() {
    let (client, mut server) = served();
    client.answer_by_hand(true);
    let ask = |server: &mut Server, method| {
        kind(method).ask(server, 7);
        pending(&client)
    };
    for kind in kinds().iter().filter(|kind| kind.method != TIME) {
        let request = ask(&mut server, kind.method);
        if kind.method != UNKNOWN {
            for wrong in [
                json!({}),
                json!(null),
                json!(["real"]),
                json!({ "decision": "moon" }),
                json!({ "answers": 1 }),
            ] {
                let refused = client.respond_server_request(&request, ServerResponse::json(wrong.clone()));
                assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{} {wrong}", kind.method);
            }
        }
        client.respond_server_request(&request, ServerResponse::json(kind.answered.clone())).unwrap();
        assert_eq!(server.recv(), json!({ "id": 7, "result": kind.answered }), "{}", kind.method);
    }
    let request = ask(&mut server, PERMISSIONS);
    let too_much = json!({ "permissions": { "fileSystem": { "write": ["/"] } }, "scope": "turn" });
    let refused = client.respond_server_request(&request, ServerResponse::json(too_much));
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
}

#[test]
fn every_decision_of_the_protocol_is_read() {
    let (client, mut server) = manual();
    let amendment = json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": ["ls"] } });
    let host = json!({ "network_policy_amendment": { "host": "h", "action": "allow" } });
    let host = json!({ "applyNetworkPolicyAmendment": host });
    let plain = ["accept", "acceptForSession", "decline", "cancel"].map(Value::from);
    for decision in plain.into_iter().chain([amendment, host]) {
        let mut params = kind(COMMAND).params;
        params["networkApprovalContext"] = json!({ "host": "h", "protocol": "https" });
        server.ask(1, COMMAND, &params);
        let result = json!({ "decision": decision });
        client.respond_server_request(&pending(&client), ServerResponse::json(result.clone())).unwrap();
        assert_eq!(server.recv(), json!({ "id": 1, "result": result }));
    }
    let mut params = kind(ELICITATION).params;
    params["_meta"] = json!({ "codex_approval_kind": "mcp_tool_call", "tool_name": "x" });
    for (given, sent) in [
        (json!({ "action": "accept" }), json!({ "action": "accept", "content": {} })),
        (json!({ "decision": "decline" }), json!({ "action": "decline", "content": null })),
        (
            json!({ "action": "accept", "_meta": { "persist": "session" } }),
            json!({ "action": "accept", "content": {}, "_meta": { "persist": "session" } }),
        ),
    ] {
        server.ask(2, ELICITATION, &params);
        client.respond_server_request(&pending(&client), ServerResponse::json(given)).unwrap();
        assert_eq!(server.recv(), json!({ "id": 2, "result": sent }));
    }
}

// ---- by hand ----

#[test]
fn a_client_that_answers_by_hand_has_every_kind_wait_but_the_time() {
    let (client, mut server) = served();
    client.answer_by_hand(true);
    for (number, kind) in kinds().iter().enumerate() {
        kind.ask(&mut server, number as i64);
        if kind.method == TIME {
            kind.is_safe(&server.recv());
            continue;
        }
        let request = pending(&client);
        assert_eq!(request.method(), kind.method);
        client.respond_server_request(&request, ServerResponse::pass()).unwrap();
        kind.is_safe(&server.recv());
    }
    client.answer_by_hand(false);
    kind(COMMAND).ask(&mut server, 100);
    kind(COMMAND).is_safe(&server.recv());
}

#[test]
fn a_question_that_waits_for_a_hand_gets_its_default_answer_at_its_limit() {
    let builder = Client::builder()
        .approval_timeout(Duration::from_millis(20))
        .user_input_timeout(Duration::from_millis(20));
    let (client, mut server) = served_with(builder);
    client.answer_by_hand(true);
    for kind in kinds() {
        kind.ask(&mut server, 7);
        kind.is_safe(&server.recv());
    }
}

#[test]
fn each_request_has_its_own_key_in_json_though_the_server_uses_its_id_again() {
    let (client, mut server) = served();
    client.answer_by_hand(true);
    let key_of =
        |request: &ServerRequest| serde_json::to_value(request).unwrap()["key"].as_str().unwrap().to_owned();
    let mut keys = std::collections::HashSet::new();
    for kind in kinds().iter().filter(|kind| kind.method != TIME) {
        for _ in 0..2 {
            kind.ask(&mut server, 7);
            let request = pending(&client);
            assert_eq!(key_of(&request), key_of(&client.pending()[0]));
            assert!(keys.insert(key_of(&request)), "{}", kind.method);
            client.respond_server_request(&request, ServerResponse::pass()).unwrap();
            server.recv();
        }
    }
}

#[test]
fn what_a_handler_is_at_work_on_can_be_answered_by_hand_and_then_no_more() {
    let (client, mut server, let_go) = at_work();
    for kind in kinds() {
        kind.ask(&mut server, 7);
        let request = pending(&client);
        assert_eq!(request.method(), kind.method);
        client.respond_server_request(&request, (kind.fits)(&request)).unwrap();
        assert_eq!(server.recv(), json!({ "id": 7, "result": kind.answered }));
        let again = client.respond_server_request(&request, (kind.fits)(&request));
        assert!(matches!(again, Err(Error::NoLongerPending { .. })), "{}", kind.method);
    }
    drop(let_go);
    // What the handlers say now comes too late; the next question has an answer, and the only one.
    kind(COMMAND).ask(&mut server, 8);
    assert_eq!(server.recv(), json!({ "id": 8, "result": { "decision": "acceptForSession" } }));
    assert!(server.is_quiet());
}

#[test]
fn what_was_withdrawn_or_is_over_or_whose_connection_ended_can_not_be_answered() {
    let (client, mut server, let_go) = at_work();
    let mut chat = chatting(&client, &mut server);
    server.started();
    let respond = |kind: &Kind, request: &ServerRequest| {
        client.respond_server_request(request, (kind.fits)(request)).unwrap_err()
    };
    for kind in kinds() {
        kind.ask(&mut server, 7);
        let request = pending(&client);
        server.notify("serverRequest/resolved", json!({ "threadId": "t", "requestId": 7 }));
        let error = respond(&kind, &request);
        assert!(matches!(error, Error::NoLongerPending { .. }), "{}: {error}", kind.method);
    }
    let of_turn = |kind: &Kind| ![TOKENS, ATTESTATION].contains(&kind.method);
    let mut asked = Vec::new();
    for (kind, id) in kinds().into_iter().filter(of_turn).zip(10..) {
        kind.ask(&mut server, id);
        asked.push(kind);
    }
    let requests = client.pending();
    assert_eq!(requests.len(), asked.len());
    server.complete("completed");
    assert!(chat.next().is_none());
    for (kind, request) in asked.iter().zip(&requests) {
        let error = respond(kind, request);
        assert!(matches!(error, Error::NoLongerPending { .. }), "{}: {error}", kind.method);
    }
    for kind in kinds() {
        kind.ask(&mut server, 7);
    }
    let requests = client.pending();
    server.die();
    for (kind, request) in kinds().iter().zip(&requests) {
        let error = respond(kind, request);
        assert!(matches!(error, Error::Transport { .. }), "{}: {error}", kind.method);
    }
    drop(let_go);
    client.close().unwrap();
    assert!(client.pending().is_empty());
}

#[test]
fn after_close_an_answer_says_so() {
    let (client, mut server) = manual();
    kind(COMMAND).ask(&mut server, 0);
    let request = pending(&client);
    let closer = spawn({
        let client = client.clone();
        move || client.close()
    });
    assert!(server.next_request(PATIENCE).is_none());
    drop(server);
    closer.join().unwrap().unwrap();
    let error = client.respond_server_request(&request, ApprovalDecision::Accept).unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error}");
}

#[test]
fn pending_gives_all_kinds_oldest_first_and_the_calls_of_each_kind_answer_it() {
    let (client, mut server) = manual();
    let _stream = client.server_requests();
    for (method, id) in [(USER_INPUT, 3), (COMMAND, 1), (PERMISSIONS, 2)] {
        kind(method).ask(&mut server, id);
    }
    let requests = client.pending();
    let methods: Vec<_> = requests.iter().map(ServerRequest::method).collect();
    assert_eq!(methods, [USER_INPUT, COMMAND, PERMISSIONS]);
    let [ServerRequest::UserInput(input), ServerRequest::Approval(approval), permissions] = &requests[..]
    else {
        panic!()
    };
    client.respond_server_request(permissions, ServerResponse::pass()).unwrap();
    kind(PERMISSIONS).is_safe(&server.recv());
    client.approve_approval(approval).unwrap();
    assert_eq!(server.recv(), json!({ "id": 1, "result": { "decision": "accept" } }));
    assert_eq!(client.pending(), [requests[0].clone()]);
    client.respond_user_input_other(input, "q", "B").unwrap();
    assert_eq!(server.recv()["result"]["answers"]["q"]["answers"], json!(["B"]));
    assert!(client.pending().is_empty());
}

#[test]
fn a_request_that_was_altered_or_came_to_another_client_is_not_pending() {
    let (client, mut server) = manual();
    kind(COMMAND).ask(&mut server, 0);
    let ServerRequest::Approval(ApprovalRequest::Command(request)) = pending(&client) else { panic!() };
    for alter in [
        |request: &mut codex_blocking::CommandApprovalRequest| request.thread_id = "x".to_owned(),
        |request: &mut codex_blocking::CommandApprovalRequest| request.turn_id = "x".to_owned(),
        |request: &mut codex_blocking::CommandApprovalRequest| request.item_id = "x".to_owned(),
        |request: &mut codex_blocking::CommandApprovalRequest| request.request_id = 9.into(),
    ] {
        let mut altered = request.clone();
        alter(&mut altered);
        let error = client.approve_approval(&ApprovalRequest::Command(altered)).unwrap_err();
        assert!(matches!(error, Error::NoLongerPending { .. }), "{error}");
    }
    let (other, mut its_server) = manual();
    kind(COMMAND).ask(&mut its_server, 0);
    assert_eq!(other.pending().len(), 1);
    let error = other.approve_approval(&ApprovalRequest::Command(request.clone())).unwrap_err();
    assert!(matches!(error, Error::NoLongerPending { .. }), "{error}");
    client.approve_approval(&ApprovalRequest::Command(request)).unwrap();
}

// ---- who waits for whom ----

#[test]
fn permissions_and_forms_wait_for_the_program_that_looks_in_manual_mode_only() {
    for method in [PERMISSIONS, ELICITATION] {
        let (client, mut server) = served();
        let _stream = client.server_requests();
        kind(method).ask(&mut server, 0);
        kind(method).is_safe(&server.recv());
        let (client, mut server) = manual();
        let _approvals_only = client.approval_requests();
        kind(method).ask(&mut server, 1);
        kind(method).is_safe(&server.recv());
        let mut stream = client.server_requests();
        kind(method).ask(&mut server, 2);
        let request = stream.next_timeout(PATIENCE).unwrap();
        assert!(server.is_quiet());
        client.respond_server_request(&request, (kind(method).fits)(&request)).unwrap();
        assert_eq!(server.recv(), json!({ "id": 2, "result": kind(method).answered }));
    }
}

#[test]
fn permissions_and_forms_that_nobody_answers_in_time_get_the_safe_answer() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).approval_timeout(Duration::from_millis(50));
    let (client, mut server) = served_with(builder);
    let _stream = client.server_requests();
    for method in [PERMISSIONS, ELICITATION] {
        kind(method).ask(&mut server, 0);
        kind(method).is_safe(&server.recv());
    }
}

#[test]
fn what_the_server_does_not_wait_long_for_never_waits_for_a_person() {
    let (client, mut server) = manual();
    let mut stream = client.server_requests();
    for method in [TOKENS, ATTESTATION, TIME, TOOL_CALL, UNKNOWN] {
        kind(method).ask(&mut server, 0);
        kind(method).is_safe(&server.recv());
        assert_eq!(stream.next_timeout(PATIENCE).unwrap().method(), method);
    }
}

#[test]
fn a_stream_of_everything_shows_everything_and_begins_with_what_waits() {
    let (client, mut server) = manual();
    kind(COMMAND).ask(&mut server, 0);
    // Answered at once, so not among those that wait.
    kind(TIME).ask(&mut server, 1);
    server.recv();
    let mut stream = client.server_requests();
    kind(UNKNOWN).ask(&mut server, 2);
    let methods: Vec<_> = (0..2).map(|_| stream.next().unwrap().method().to_owned()).collect();
    assert_eq!(methods, [COMMAND, UNKNOWN]);
    let mut approvals = client.approval_requests();
    assert!(approvals.next_timeout(PATIENCE).is_some());
    drop(server);
    client.close().unwrap();
    assert!(stream.next().is_none() && stream.is_ended() && approvals.next().is_none());
}

#[test]
fn a_handler_that_takes_its_time_holds_up_no_other_and_may_call_the_client() {
    let (client, mut server) = served();
    let (let_go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let weak = client.downgrade();
    client.set_server_request_handler(move |request| match request {
        ServerRequest::Permissions(request) => {
            gate.lock().unwrap().recv().unwrap();
            request.deny()
        }
        _ => ServerResponse::json(weak.upgrade().unwrap().request("config/read", json!({})).unwrap()),
    });
    kind(PERMISSIONS).ask(&mut server, 0);
    kind(UNKNOWN).ask(&mut server, 1);
    let request = server.expect("config/read");
    server.reply(&request, json!({ "a": 1 }));
    assert_eq!(server.recv(), json!({ "id": 1, "result": { "a": 1 } }));
    let_go.send(()).unwrap();
    assert_eq!(server.recv(), json!({ "id": 0, "result": { "permissions": {}, "scope": "turn" } }));
}

#[test]
fn a_closed_client_lets_go_of_its_handler() {
    let (client, mut server) = served();
    let alive = std::sync::Arc::new(());
    let token = std::sync::Arc::clone(&alive);
    client.set_server_request_handler(move |_| {
        let _ = &token;
        ServerResponse::pass()
    });
    kind(TIME).ask(&mut server, 0);
    server.recv();
    drop(server);
    client.close().unwrap();
    assert_eq!(std::sync::Arc::strong_count(&alive), 1);
}

// ---- permissions ----

#[test]
fn a_part_of_the_permissions_can_be_granted_and_never_more() {
    let (client, mut server) = manual();
    let mut stream = client.server_requests();
    kind(PERMISSIONS).ask(&mut server, 0);
    let asked = stream.next_timeout(PATIENCE).unwrap();
    let ServerRequest::Permissions(request) = &asked else { panic!() };
    let params = request.params();
    assert_eq!((params.item_id.as_str(), params.reason.as_deref()), ("i", Some("must")));
    let files = |read: &str| {
        let files = AdditionalFileSystemPermissions::new().read(vec![read.to_owned()]);
        GrantedPermissionProfile::new().file_system(files)
    };
    let more = request.grant(files("/secret"), PermissionGrantScope::Turn);
    let refused = client.respond_server_request(&asked, more);
    assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
    let part = request.grant(files("/b"), PermissionGrantScope::Turn);
    client.respond_server_request(&asked, part).unwrap();
    let granted = json!({ "permissions": { "fileSystem": { "read": ["/b"] } }, "scope": "turn" });
    assert_eq!(server.recv(), json!({ "id": 0, "result": granted }));
}

#[test]
fn more_permissions_than_were_asked_for_from_a_handler_are_none() {
    let (client, mut server) = served();
    client.set_server_request_handler(|request| match request {
        ServerRequest::Permissions(request) => {
            let network = AdditionalNetworkPermissions::new().enabled(true);
            request.grant(GrantedPermissionProfile::new().network(network), PermissionGrantScope::Session)
        }
        _ => ServerResponse::pass(),
    });
    let mut params = kind(PERMISSIONS).params;
    params["permissions"]["network"] = json!(null);
    server.ask(0, PERMISSIONS, &params);
    kind(PERMISSIONS).is_safe(&server.recv());
}

/// A request for these permissions, as it waits for its answer by hand.
fn asked_for(permissions: Value) -> (Client, Server, ServerRequest) {
    let (client, mut server) = manual();
    let mut stream = client.server_requests();
    let mut params = kind(PERMISSIONS).params;
    params["permissions"] = permissions;
    server.ask(0, PERMISSIONS, &params);
    let asked = stream.next_timeout(PATIENCE).unwrap();
    (client, server, asked)
}

#[test]
fn all_permissions_are_those_that_the_typed_view_shows() {
    let entry = |access: &str, path: Value| json!({ "access": access, "path": path });
    let path = |path: &str| json!({ "type": "path", "path": path });
    let (network, deny) = (json!({ "enabled": true }), entry("deny", path("/a/b")));
    // Its path of a newer kind can be kept: it grants nothing.
    let deny_newer = entry("deny", json!({ "type": "moon", "crater": 1 }));
    let shown = [entry("read", path("/a")), deny, deny_newer];
    let mut with_more = entry("write", path("/w"));
    with_more["recursive"] = json!(true);
    let hidden = [entry("write", json!({ "type": "moon", "crater": 2 })), with_more];
    let all = [&shown[..], &hidden[..]].concat();
    let asked = json!({
        "network": { "enabled": true, "hosts": ["*"] },
        "bluetooth": { "enabled": true },
        "fileSystem": { "write": ["/c"], "owner": "root", "entries": all },
    });
    let (client, mut server, asked) = asked_for(asked);
    let ServerRequest::Permissions(request) = &asked else { panic!() };
    client.respond_server_request(&asked, request.grant_all(PermissionGrantScope::Session)).unwrap();
    let granted = json!({ "network": network, "fileSystem": { "write": ["/c"], "entries": shown } });
    assert_eq!(server.recv()["result"], json!({ "permissions": granted, "scope": "session" }));
}

#[test]
fn all_permissions_are_refused_if_what_denies_some_can_not_be_shown() {
    let entry =
        |access: &str, path: &str| json!({ "access": access, "path": { "type": "path", "path": path } });
    let mut deny = entry("deny", "/a/b");
    deny["recursive"] = json!(true);
    let asked = json!({ "fileSystem": { "entries": [entry("read", "/a"), deny] } });
    let (client, mut server, asked) = asked_for(asked);
    let ServerRequest::Permissions(request) = &asked else { panic!() };
    let refused = client.respond_server_request(&asked, request.grant_all(PermissionGrantScope::Turn));
    assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
    assert!(server.is_quiet());
}

#[test]
fn what_the_typed_view_lacks_is_granted_when_it_is_spelled_out_and_never_more() {
    let bluetooth = json!({ "bluetooth": { "enabled": true } });
    let asked = json!({ "network": { "enabled": true }, "bluetooth": { "enabled": true } });
    for (spelled_out, granted) in [
        (bluetooth.clone(), json!({ "permissions": bluetooth, "scope": "turn" })),
        (
            json!({ "permissions": bluetooth, "scope": "session" }),
            json!({ "permissions": bluetooth, "scope": "session" }),
        ),
        (json!({ "permissions": asked }), json!({ "permissions": asked })),
    ] {
        let (client, mut server, request) = asked_for(asked.clone());
        let ServerRequest::Permissions(permissions) = &request else { panic!() };
        let gps = json!({ "gps": { "enabled": true } });
        for more in [gps.clone(), json!({ "permissions": gps }), json!([]), json!(null), json!(false)] {
            let refused = client.respond_server_request(&request, permissions.grant_raw(more));
            assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
        }
        client.respond_server_request(&request, permissions.grant_raw(spelled_out)).unwrap();
        assert_eq!(server.recv()["result"], granted);
    }
}

#[test]
fn what_a_request_for_permissions_forbids_can_not_be_left_out() {
    let (client, mut server) = manual();
    let mut stream = client.server_requests();
    let mut params = kind(PERMISSIONS).params;
    let entry =
        |access: &str, path: &str| json!({ "access": access, "path": { "type": "path", "path": path } });
    let (read, deny) = (entry("read", "/a"), entry("deny", "/a/secret"));
    params["permissions"] = json!({ "fileSystem": { "entries": [read, deny] } });
    server.ask(0, PERMISSIONS, &params);
    let asked = stream.next_timeout(PATIENCE).unwrap();
    let ServerRequest::Permissions(request) = &asked else { panic!() };
    let mut entries = request.params().permissions.file_system.clone().unwrap().entries.unwrap();
    entries.truncate(1);
    let files = AdditionalFileSystemPermissions::new().entries(entries);
    let part = request.grant(GrantedPermissionProfile::new().file_system(files), PermissionGrantScope::Turn);
    let refused = client.respond_server_request(&asked, part);
    assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
    client.respond_server_request(&asked, request.grant_all(PermissionGrantScope::Turn)).unwrap();
    assert_eq!(server.recv()["result"]["permissions"], params["permissions"]);
}

// ---- forms ----

#[test]
fn forms_pages_and_modes_to_come_are_shown_and_answered() {
    let (client, mut server) = manual();
    let mut stream = client.server_requests();
    let mut ask = |mode: Value| {
        let mut params = json!({ "threadId": "t", "turnId": "u", "serverName": "tiny", "message": "please" });
        params.as_object_mut().unwrap().extend(mode.as_object().unwrap().clone());
        server.ask(0, ELICITATION, &params);
        let request = stream.next_timeout(PATIENCE).unwrap();
        let ServerRequest::Elicitation(elicitation) = request.clone() else { panic!("{request:?}") };
        assert_eq!(
            (elicitation.message().as_deref(), elicitation.params().server_name()),
            (Some("please"), Some("tiny"))
        );
        (request, elicitation)
    };
    let schema = json!({ "type": "object", "properties": {} });
    let (request, form) = ask(json!({ "mode": "form", "requestedSchema": schema }));
    assert_eq!((form.params().tag(), form.requested_schema()), ("form", Some(schema)));
    client.respond_server_request(&request, form.cancel()).unwrap();
    let (request, page) = ask(json!({ "mode": "url", "url": "https://x", "elicitationId": "e" }));
    assert_eq!((page.params().tag(), page.url().as_deref()), ("url", Some("https://x")));
    client.respond_server_request(&request, page.accept(Value::Null)).unwrap();
    let (request, newer) = ask(json!({ "mode": "telepathy", "distance": 3 }));
    assert_eq!(newer.params().tag(), "telepathy");
    assert_eq!(request.params::<Value>().unwrap()["distance"], 3);
    client.respond_server_request(&request, newer.decline()).unwrap();
    let actions: Vec<_> = (0..3).map(|_| server.recv()["result"]["action"].clone()).collect();
    assert_eq!(actions, ["cancel", "accept", "decline"]);
}

// ---- amendments ----

#[test]
fn a_rule_about_a_host_fits_a_question_about_a_host_only() {
    let (client, mut server) = manual();
    let mut stream = client.approval_requests();
    let allow =
        || ApprovalDecision::apply_network_policy_amendment("example.com", NetworkPolicyRuleAction::Allow);
    let file_change = json!({ "threadId": "t", "turnId": "u", "itemId": "i" });
    for (method, params) in
        [(COMMAND, kind(COMMAND).params), ("item/fileChange/requestApproval", file_change)]
    {
        server.ask(0, method, &params);
        let request = stream.next_timeout(PATIENCE).unwrap();
        let refused = client.respond_approval(&request, allow());
        assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
        assert!(server.is_quiet());
        client.decline_approval(&request).unwrap();
        assert_eq!(server.recv()["result"]["decision"], "decline");
    }
    let mut params = kind(COMMAND).params;
    params["networkApprovalContext"] = json!({ "host": "example.com", "protocol": "https" });
    params["proposedNetworkPolicyAmendments"] = json!([{ "host": "example.com", "action": "deny" }]);
    server.ask(1, COMMAND, &params);
    let request = stream.next_timeout(PATIENCE).unwrap();
    let ApprovalRequest::Command(command) = &request else { panic!() };
    assert_eq!(command.proposed_network_policy_amendments.as_ref().unwrap()[0].host, "example.com");
    client.respond_approval(&request, allow()).unwrap();
    let amendment = json!({ "network_policy_amendment": { "host": "example.com", "action": "allow" } });
    assert_eq!(server.recv()["result"]["decision"], json!({ "applyNetworkPolicyAmendment": amendment }));
}

#[test]
fn the_proposed_amendment_is_accepted_where_there_is_one() {
    let (client, mut server) = served();
    client.set_approval_handler(|request| {
        ApprovalDecision::accept_proposed_amendment(request).unwrap_or(ApprovalDecision::Cancel)
    });
    let mut params = kind(COMMAND).params;
    server.ask(0, COMMAND, &params);
    assert_eq!(server.recv()["result"]["decision"], "cancel");
    // The server would run the command and note nothing.
    params["proposedExecpolicyAmendment"] = json!([]);
    server.ask(2, COMMAND, &params);
    assert_eq!(server.recv()["result"]["decision"], "cancel");
    params["proposedExecpolicyAmendment"] = json!(["ls", "-l"]);
    server.ask(1, COMMAND, &params);
    let amendment = json!({ "execpolicy_amendment": ["ls", "-l"] });
    assert_eq!(server.recv()["result"]["decision"], json!({ "acceptWithExecpolicyAmendment": amendment }));
}

// ---- what nobody answers ----

#[test]
fn a_refusal_of_what_nobody_answers_names_what_the_program_can_set() {
    let (_client, mut server) = served();
    for (method, setting) in [
        (TOKENS, "Client::set_server_request_handler"),
        (ATTESTATION, "Client::set_server_request_handler"),
        (UNKNOWN, "Client::set_server_request_handler"),
        (USER_INPUT, "Client::set_user_input_handler"),
        (TOOL_CALL, "Client::resume_thread_with_tools"),
    ] {
        kind(method).ask(&mut server, 0);
        let answer = server.recv().to_string();
        assert!(answer.contains(setting), "{method}: {answer}");
    }
}

#[test]
fn what_nobody_answers_is_logged_as_a_warning_that_names_what_the_program_can_set() {
    let name =
        "server_requests::what_nobody_answers_is_logged_as_a_warning_that_names_what_the_program_can_set";
    if !is_alone(name) {
        return;
    }
    let warnings = logged_warnings();
    let (_client, mut server) = served();
    let file_change = Kind { method: "item/fileChange/requestApproval", ..kind(COMMAND) };
    let settings = [
        (kind(COMMAND), "Client::set_approval_handler"),
        (file_change, "Client::set_approval_handler"),
        (kind(USER_INPUT), "Client::set_user_input_handler"),
        (kind(PERMISSIONS), "Client::set_server_request_handler"),
        (kind(ELICITATION), "Client::set_server_request_handler"),
        (kind(TOOL_CALL), "Client::resume_thread_with_tools"),
        (kind(TOKENS), "Client::set_server_request_handler"),
        (kind(ATTESTATION), "Client::set_server_request_handler"),
        (kind(UNKNOWN), "Client::set_server_request_handler"),
    ];
    for (kind, setting) in settings {
        kind.ask(&mut server, 0);
        let warning = warnings.recv_timeout(PATIENCE).unwrap();
        assert!(warning.contains(kind.method) && warning.contains(setting), "{warning}");
    }
    // The time is told as well as a handler could.
    kind(TIME).ask(&mut server, 0);
    kind(TOKENS).ask(&mut server, 0);
    let next = warnings.recv_timeout(PATIENCE).unwrap();
    assert!(next.contains(TOKENS), "{next}");
}

// ---- as data ----

#[test]
fn requests_of_every_kind_are_plain_data_with_their_type_and_ids() {
    let (client, mut server, _let_go) = at_work();
    let types = [
        "approval",
        "user_input",
        "permissions",
        "elicitation",
        "tool_call",
        "token_refresh",
        "attestation",
        "other",
        "current_time",
    ];
    for (kind, expected) in kinds().iter().zip(types) {
        kind.ask(&mut server, 7);
        let request = pending(&client);
        let shown = serde_json::to_value(&request).unwrap();
        assert_eq!((&shown["type"], &shown["request_id"]), (&json!(expected), &json!(7)));
        assert_eq!(request.params::<Value>().unwrap(), kind.params);
        assert_eq!(request.thread_id(), kind.params["threadId"].as_str());
        assert_eq!(request.turn_id(), kind.params["turnId"].as_str());
        assert!(request.raw().contains(kind.method));
        if !["approval", "user_input"].contains(&expected) {
            assert_eq!((&shown["method"], &shown["params"]), (&json!(kind.method), &kind.params));
        }
        client.respond_server_request(&request, ServerResponse::pass()).unwrap();
        server.recv();
    }
}
