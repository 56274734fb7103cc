//! What else the server asks: decisions that last, permissions, elicitations, dynamic tools, the time, and several
//! at once.
//!
//! Relies on `support/live.rs`, and on Node for an MCP server. Invariant: each case has its own server and its own
//! model, so that all can run at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};

use codex_blocking::protocol::{
    AdditionalNetworkPermissions, AttestationGenerateResponse, ChatgptAuthTokensRefreshResponse,
    CurrentTimeReadResponse, GrantedPermissionProfile,
};
use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ChatRequest, Client, ClientBuilder, ElicitationRequest,
    Error, PermissionGrantScope, SandboxMode, ServerRequest, ServerResponse, StepStatus, StepType,
    ThreadConfig, Tool,
};
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::RealHome;

cases![
    a_command_accepted_for_the_session_is_not_asked_about_again,
    a_command_accepted_with_the_servers_amendment_becomes_a_rule_for_good,
    a_command_that_is_declined_does_not_run_and_the_turn_goes_on,
    a_command_that_is_cancelled_interrupts_the_turn,
    a_change_of_files_accepted_for_the_session_is_not_asked_about_again_and_others_are,
    a_change_of_files_that_is_declined_is_not_made_and_the_turn_goes_on,
    a_change_of_files_that_is_cancelled_interrupts_the_turn,
    two_questions_at_once_are_pending_together_and_answered_in_any_order,
    permissions_are_not_granted_by_default,
    permissions_are_granted_as_a_whole_or_in_part_and_never_beyond,
    permissions_are_granted_by_hand,
    a_tool_of_an_mcp_server_is_asked_about_once_when_accepted_for_the_session,
    a_tool_of_an_mcp_server_is_not_called_without_an_approval,
    forms_and_pages_of_an_mcp_server_are_accepted_declined_and_cancelled,
    a_page_of_an_mcp_server_waits_for_the_program_that_looks,
    tools_answer_the_model_with_text_errors_and_panics,
    tools_of_several_threads_run_at_once,
    tools_are_there_again_in_another_process_and_in_a_fork,
    tools_are_forgotten_with_an_archived_thread_and_there_again_when_it_is_resumed_with_them,
    the_server_refuses_the_names_that_are_refused_here,
    the_time_is_told_unless_the_program_tells_another,
    the_server_gets_new_tokens_and_attestations_from_the_program,
    the_error_of_a_turn_without_new_tokens_names_the_handler_to_set,
];

/// A model that calls one tool, named by the user's text as `TOOL ARGUMENTS` or `NAMESPACE/TOOL ARGUMENTS`,
/// and then says what came out.
fn caller() -> RealHome {
    RealHome::with_model(
        ModelStub::start_with(|request| match request.tool_output() {
            Some(output) => ModelReply::new().text(format!("output: {}", output["output"])),
            None => {
                let text = request.user_text();
                let (name, arguments) = text.split_once(' ').unwrap();
                call(name, arguments, "call_1")
            }
        })
        .unwrap(),
    )
}

fn call(name: &str, arguments: &str, call_id: &str) -> ModelReply {
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    };
    let mut item =
        json!({ "type": "function_call", "name": name, "arguments": arguments, "call_id": call_id });
    if let Some(namespace) = namespace {
        item["namespace"] = namespace.into();
    }
    ModelReply::new().event("response.output_item.done", json!({ "item": item }))
}

fn with_config(home: &RealHome, toml: &str) {
    use std::io::Write as _;
    let path = home.home().join("config.toml");
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    file.write_all(toml.as_bytes()).unwrap();
}

fn manual() -> ClientBuilder {
    Client::builder().approval_mode(ApprovalMode::Manual)
}

/// The text of the answer to one chat.
fn say(client: &Client, text: &str) -> String {
    client.chat_once(text).unwrap().final_text
}

// ---- approvals ----

/// A client whose every approval is decided so, and what it was asked.
fn deciding(
    decide: impl Fn(&ApprovalRequest) -> ApprovalDecision + Send + Sync + 'static,
) -> (Live, mpsc::Receiver<ApprovalRequest>) {
    let live = Live::new();
    let (saw, seen) = mpsc::channel();
    live.client.set_approval_handler(move |request| {
        let _ = saw.send(request.clone());
        decide(request)
    });
    (live, seen)
}

fn a_command_accepted_for_the_session_is_not_asked_about_again() {
    let (live, seen) = deciding(|_| ApprovalDecision::AcceptForSession);
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for _ in 0..2 {
        let answer = thread.chat_once("escalate echo it ran").unwrap().final_text;
        assert!(answer.contains("it ran"), "{answer}");
    }
    assert_eq!(seen.try_iter().count(), 1);
}

fn a_command_accepted_with_the_servers_amendment_becomes_a_rule_for_good() {
    let (live, seen) = deciding(|request| ApprovalDecision::accept_proposed_amendment(request).unwrap());
    for _ in 0..2 {
        // In threads of their own.
        let answer = say(&live.client, "escalate echo it ran");
        assert!(answer.contains("it ran"), "{answer}");
    }
    let requests: Vec<_> = seen.try_iter().collect();
    let [ApprovalRequest::Command(command)] = &requests[..] else { panic!("{requests:?}") };
    let rules = std::fs::read_to_string(live.home.home().join("rules/default.rules")).unwrap();
    for word in command.proposed_execpolicy_amendment.as_ref().unwrap() {
        assert!(rules.contains(word.as_str()), "{rules}");
    }
}

fn a_command_that_is_declined_does_not_run_and_the_turn_goes_on() {
    let (live, _seen) = deciding(|_| ApprovalDecision::Decline);
    let steps: Vec<_> = live.client.chat("escalate touch made").unwrap().collect();
    let exec = steps.iter().find(|step| step.step_type == StepType::Exec).unwrap();
    assert_eq!(exec.status, StepStatus::Declined, "{exec}");
    assert!(steps.last().unwrap().text.as_deref().unwrap().starts_with("output: "));
    assert!(!live.home.workspace().join("made").exists());
}

fn a_command_that_is_cancelled_interrupts_the_turn() {
    let (live, _seen) = deciding(|_| ApprovalDecision::Cancel);
    let error = live.client.chat_once("escalate touch made").unwrap_err();
    assert!(matches!(error, Error::TurnInterrupted { .. }), "{error}");
    assert!(!live.home.workspace().join("made").exists());
}

/// A chat in which every change of files is asked about.
fn patch(live: &Live, thread: Option<&str>, name: &str) -> ChatRequest {
    let request = ChatRequest::new(format!("patch {}", live.home.workspace().join(name).display()));
    match thread {
        Some(thread) => request.thread(thread),
        None => request
            .thread_config(ThreadConfig::new().cwd(live.home.workspace()).sandbox(SandboxMode::ReadOnly)),
    }
}

fn a_change_of_files_accepted_for_the_session_is_not_asked_about_again_and_others_are() {
    let (live, seen) = deciding(|_| ApprovalDecision::AcceptForSession);
    let config = ThreadConfig::new().cwd(live.home.workspace()).sandbox(SandboxMode::ReadOnly);
    let thread = live.client.start_thread(config).unwrap();
    for name in ["one.txt", "one.txt", "two.txt"] {
        live.client.chat_once(patch(&live, Some(thread.thread_id()), name)).unwrap();
        assert!(live.home.workspace().join(name).exists());
    }
    let paths: Vec<_> = seen
        .try_iter()
        .map(|request| match request {
            ApprovalRequest::FileChange(change) => change.changes.unwrap()[0].path.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(paths[0].ends_with("one.txt") && paths[1].ends_with("two.txt"), "{paths:?}");
}

fn a_change_of_files_that_is_declined_is_not_made_and_the_turn_goes_on() {
    let (live, _seen) = deciding(|_| ApprovalDecision::Decline);
    let result = live.client.chat_once(patch(&live, None, "new.txt")).unwrap();
    assert!(result.final_text.starts_with("output: "), "{result:?}");
    assert!(!live.home.workspace().join("new.txt").exists());
}

fn a_change_of_files_that_is_cancelled_interrupts_the_turn() {
    let (live, _seen) = deciding(|_| ApprovalDecision::Cancel);
    let error = live.client.chat_once(patch(&live, None, "new.txt")).unwrap_err();
    assert!(matches!(error, Error::TurnInterrupted { .. }), "{error}");
    assert!(!live.home.workspace().join("new.txt").exists());
}

fn two_questions_at_once_are_pending_together_and_answered_in_any_order() {
    let live = Live::with(RealHome::new(), manual());
    let client = &live.client;
    let made = |name: &str| live.home.workspace().join(name).exists();
    let mut stream = client.server_requests();
    let mut first = client.chat("escalate touch first").unwrap();
    stream.next_timeout(PATIENCE).unwrap();
    let mut second = client.chat("escalate touch second").unwrap();
    stream.next_timeout(PATIENCE).unwrap();
    let requests = client.pending();
    let turns: Vec<_> = requests.iter().map(|request| request.turn_id().unwrap()).collect();
    assert_eq!(turns, [first.turn_id(), second.turn_id()]);
    client.respond_server_request(&requests[1], ApprovalDecision::Accept).unwrap();
    assert!(second.by_ref().all(|step| !step.is_error()));
    assert!(made("second") && !made("first"));
    let [ServerRequest::Approval(approval)] = &client.pending()[..] else { panic!() };
    client.approve_approval(approval).unwrap();
    assert!(first.by_ref().all(|step| !step.is_error()));
    assert!(made("first") && client.pending().is_empty());
}

// ---- permissions ----

const WANTED: &str = r#"request_permissions {"reason":"fetch","permissions":{"network":{"enabled":true},"file_system":{"read":["/etc"],"write":["/outside/x"]}}}"#;

fn asks_for_permissions(builder: ClientBuilder) -> Live {
    let home = caller();
    with_config(&home, "\n[features]\nrequest_permissions_tool = true\n");
    Live::with(home, builder)
}

fn permissions_are_not_granted_by_default() {
    let live = asks_for_permissions(Client::builder());
    let mut stream = live.client.server_requests();
    let outcome = say(&live.client, WANTED);
    assert!(!outcome.contains("enabled") && !outcome.contains("/etc"), "{outcome}");
    assert!(matches!(stream.next_timeout(PATIENCE), Some(ServerRequest::Permissions(_))));
}

fn permissions_are_granted_as_a_whole_or_in_part_and_never_beyond() {
    let live = asks_for_permissions(Client::builder());
    let network =
        || GrantedPermissionProfile::new().network(AdditionalNetworkPermissions::new().enabled(true));
    let everything = Arc::new(AtomicBool::new(true));
    live.client.set_server_request_handler({
        let everything = Arc::clone(&everything);
        move |request| match request {
            ServerRequest::Permissions(request) if everything.load(Ordering::Relaxed) => {
                request.grant_all(PermissionGrantScope::Session)
            }
            ServerRequest::Permissions(request) => request.grant(network(), PermissionGrantScope::Turn),
            _ => ServerResponse::pass(),
        }
    });
    let outcome = say(&live.client, WANTED);
    for granted in ["enabled", "/etc", "/outside/x", "session"] {
        assert!(outcome.contains(granted), "{outcome}");
    }
    everything.store(false, Ordering::Relaxed);
    let outcome = say(&live.client, WANTED);
    assert!(outcome.contains("enabled") && outcome.contains("turn"), "{outcome}");
    assert!(!outcome.contains("/etc") && !outcome.contains("/outside/x"), "{outcome}");
    let files_only =
        r#"request_permissions {"reason":"read","permissions":{"file_system":{"read":["/etc"]}}}"#;
    let outcome = say(&live.client, files_only);
    assert!(!outcome.contains("enabled") && !outcome.contains("/etc"), "{outcome}");
}

fn permissions_are_granted_by_hand() {
    let live = asks_for_permissions(manual());
    let mut stream = live.client.server_requests();
    let mut chat = live.client.chat(WANTED).unwrap();
    let request = stream.next_timeout(PATIENCE).unwrap();
    let ServerRequest::Permissions(permissions) = &request else { panic!("{request:?}") };
    assert_eq!(permissions.params().reason.as_deref(), Some("fetch"));
    let response = permissions.grant_all(PermissionGrantScope::Turn);
    live.client.respond_server_request(&request, response).unwrap();
    let last = chat.by_ref().last().unwrap();
    assert!(last.text.as_deref().unwrap().contains("/outside/x"), "{last}");
}

// ---- MCP servers ----

fn with_mcp_server(builder: ClientBuilder) -> Live {
    let home = caller();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mcp_server.js");
    with_config(&home, &format!("\n[mcp_servers.tiny]\ncommand = \"node\"\nargs = [{script:?}]\n"));
    Live::with(home, builder)
}

fn a_tool_of_an_mcp_server_is_asked_about_once_when_accepted_for_the_session() {
    let live = with_mcp_server(Client::builder());
    let (saw, seen) = mpsc::channel();
    live.client.set_approval_handler(move |request| {
        let _ = saw.send(request.clone());
        ApprovalDecision::AcceptForSession
    });
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for _ in 0..2 {
        let answer = thread.chat_once("mcp__tiny/plain {}").unwrap().final_text;
        assert!(answer.contains("done"), "{answer}");
    }
    let requests: Vec<_> = seen.try_iter().collect();
    let [ApprovalRequest::McpTool(tool)] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((tool.server_name.as_str(), tool.tool_name.as_deref()), ("tiny", Some("plain")));
}

fn a_tool_of_an_mcp_server_is_not_called_without_an_approval() {
    let live = with_mcp_server(Client::builder());
    let answer = say(&live.client, "mcp__tiny/plain {}");
    assert!(!answer.contains("done"), "{answer}");
}

fn forms_and_pages_of_an_mcp_server_are_accepted_declined_and_cancelled() {
    let live = with_mcp_server(Client::builder());
    live.client.set_approval_handler(|_| ApprovalDecision::Accept);
    // By default they are declined.
    let answer = say(&live.client, "mcp__tiny/ask {}");
    assert!(answer.contains(r#"\"action\":\"decline"#), "{answer}");
    type Respond = fn(&ElicitationRequest) -> ServerResponse;
    let answers: [(&str, Respond, &str); 5] = [
        ("ask", |form| form.accept(json!({ "name": form.message() })), r#"\"name\":\"Who?"#),
        ("ask", |form| form.decline(), r#"\"action\":\"decline"#),
        ("ask", |form| form.cancel(), r#"\"action\":\"cancel"#),
        ("visit", |page| page.accept(Value::Null), r#"\"action\":\"accept"#),
        ("visit", |page| page.decline(), r#"\"action\":\"decline"#),
    ];
    for (tool, respond, expected) in answers {
        live.client.set_server_request_handler(move |request| match request {
            ServerRequest::Elicitation(request) => respond(request),
            _ => ServerResponse::pass(),
        });
        let answer = say(&live.client, &format!("mcp__tiny/{tool} {{}}"));
        assert!(answer.contains(expected), "{answer} lacks {expected}");
    }
}

fn a_page_of_an_mcp_server_waits_for_the_program_that_looks() {
    let live = with_mcp_server(manual());
    let mut stream = live.client.server_requests();
    let mut chat = live.client.chat("mcp__tiny/visit {}").unwrap();
    let ServerRequest::Approval(approval) = stream.next_timeout(PATIENCE).unwrap() else { panic!() };
    live.client.approve_approval(&approval).unwrap();
    let request = stream.next_timeout(PATIENCE).unwrap();
    let ServerRequest::Elicitation(page) = &request else { panic!("{request:?}") };
    assert_eq!(page.url().as_deref(), Some("https://example.com/login"));
    assert_eq!((page.params().server_name(), request.turn_id()), (Some("tiny"), Some(chat.turn_id())));
    live.client.respond_server_request(&request, page.accept(Value::Null)).unwrap();
    let last = chat.by_ref().last().unwrap();
    assert!(last.text.as_deref().unwrap().contains("accept"), "{last}");
}

// ---- tools of the program ----

fn experimental() -> ClientBuilder {
    Client::builder().experimental_api(true)
}

/// Does what its argument `do` says.
fn obedient(name: &str) -> Tool {
    let schema = json!({ "type": "object", "properties": { "do": { "type": "string" } } });
    Tool::new(name, "Does what it is told", schema, |call| match call.params().arguments["do"].as_str() {
        Some("fail") => Err("no such ticket".into()),
        Some("panic") => panic!("as the test wants"),
        Some(other) => Ok(format!("did {other}").into()),
        None => Ok(json!({ "tool": call.params().tool, "thread": call.params().thread_id }).into()),
    })
}

fn tools_answer_the_model_with_text_errors_and_panics() {
    let live = Live::with(caller(), experimental());
    let tools = [obedient("lookup"), obedient("find").namespace("tickets", "Tickets of the project")];
    let thread = live.client.start_thread_with_tools(ThreadConfig::new(), tools).unwrap();
    let call = |text: &str| {
        let mut chat = thread.chat(text).unwrap();
        let steps: Vec<_> = chat.by_ref().collect();
        let tool = steps.iter().find(|step| step.item_type.as_deref() == Some("dynamicToolCall")).unwrap();
        (tool.status.clone(), chat.finish().unwrap().final_text)
    };
    let (status, text) = call(r#"lookup {"do":"it"}"#);
    assert_eq!((status, text.as_str()), (StepStatus::Completed, r#"output: "did it""#));
    let (status, text) = call(r#"tickets/find {"do":"that"}"#);
    assert_eq!((status, text.as_str()), (StepStatus::Completed, r#"output: "did that""#));
    let (status, text) = call(r#"lookup {"do":"fail"}"#);
    assert_eq!((status, text.as_str()), (StepStatus::Failed, r#"output: "no such ticket""#));
    let (status, text) = call(r#"lookup {"do":"panic"}"#);
    assert_eq!(status, StepStatus::Failed);
    assert!(text.contains("as the test wants"), "{text}");
    let (status, text) = call("lookup {}");
    assert_eq!(status, StepStatus::Completed);
    assert!(text.contains(thread.thread_id()), "{text}");
}

fn tools_of_several_threads_run_at_once() {
    const THREADS: usize = 4;
    let live = Live::with(caller(), experimental());
    // Each call waits for all others.
    let barrier = Arc::new(Barrier::new(THREADS));
    let meet = Tool::new("meet", "Meets the others", json!({ "type": "object" }), move |_| {
        barrier.wait();
        Ok("met".into())
    });
    let chats: Vec<_> = (0..THREADS)
        .map(|_| {
            let thread = live.client.start_thread_with_tools(ThreadConfig::new(), [meet.clone()]).unwrap();
            thread.chat("meet {}").unwrap()
        })
        .collect();
    for chat in chats {
        assert_eq!(chat.finish().unwrap().final_text, r#"output: "met""#);
    }
}

fn tools_are_there_again_in_another_process_and_in_a_fork() {
    let Live { client, daemon, home } = Live::with(caller(), experimental());
    let thread = client.start_thread_with_tools(ThreadConfig::new(), [obedient("lookup")]).unwrap();
    let id = thread.thread_id().to_owned();
    assert_eq!(thread.chat_once(r#"lookup {"do":"one"}"#).unwrap().final_text, r#"output: "did one""#);
    client.close().unwrap();
    drop((thread, client, daemon));

    // The declarations are stored with the thread; only what runs has to be given again, and for that no
    // experimental API is needed.
    let live = Live::with(home, Client::builder());
    let client = &live.client;
    let plain = client.resume_thread(&id, ThreadConfig::new()).unwrap();
    let text = plain.chat_once(r#"lookup {"do":"two"}"#).unwrap().final_text;
    assert!(text.contains("this client has no such tool"), "{text}");
    let thread = client.resume_thread_with_tools(&id, ThreadConfig::new(), [obedient("lookup")]).unwrap();
    assert_eq!(thread.chat_once(r#"lookup {"do":"three"}"#).unwrap().final_text, r#"output: "did three""#);
    let fork = client.request("thread/fork", json!({ "threadId": id, "excludeTurns": true })).unwrap();
    let fork = fork["thread"]["id"].as_str().unwrap();
    let text = client.chat_once(ChatRequest::new("lookup {}").thread(fork)).unwrap().final_text;
    assert!(text.contains(fork), "{text}");
}

fn tools_are_forgotten_with_an_archived_thread_and_there_again_when_it_is_resumed_with_them() {
    let live = Live::with(caller(), experimental());
    let client = &live.client;
    let thread = client.start_thread_with_tools(ThreadConfig::new(), [obedient("lookup")]).unwrap();
    let id = thread.thread_id();
    thread.chat_once(r#"lookup {"do":"one"}"#).unwrap();
    thread.archive().unwrap();
    thread.unarchive().unwrap();
    let text = thread.chat_once(r#"lookup {"do":"two"}"#).unwrap().final_text;
    assert!(text.contains("Client::resume_thread_with_tools after the thread was archived"), "{text}");
    let thread = client.resume_thread_with_tools(id, ThreadConfig::new(), [obedient("lookup")]).unwrap();
    assert_eq!(thread.chat_once(r#"lookup {"do":"three"}"#).unwrap().final_text, r#"output: "did three""#);
}

fn the_server_refuses_the_names_that_are_refused_here() {
    let live = Live::with(caller(), experimental());
    for name in ["", "a b", "é", "mcp", "mcp__a"] {
        let error = live.client.start_thread_with_tools(ThreadConfig::new(), [obedient(name)]).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{error}");
        let tool = json!({ "name": name, "description": "", "inputSchema": {} });
        let error = live.client.request("thread/start", json!({ "dynamicTools": [tool] })).unwrap_err();
        assert!(matches!(error, Error::Rpc { .. }), "{error}");
    }
}

// ---- time and tokens ----

fn the_time_is_told_unless_the_program_tells_another() {
    let home = RealHome::new();
    with_config(
        &home,
        "\n[features]\ncurrent_time_reminder = { enabled = true, clock_source = \"external\" }\n",
    );
    let live = Live::with(home, Client::builder());
    let mut stream = live.client.server_requests();
    assert_eq!(say(&live.client, "hello"), "echo: hello");
    assert!(matches!(stream.next_timeout(PATIENCE), Some(ServerRequest::CurrentTime(_))));
    live.client.set_server_request_handler(|_| CurrentTimeReadResponse::new(1_000_000_000).into());
    assert_eq!(say(&live.client, "hello"), "echo: hello");
    let [first, second] = &live.model().requests()[..] else { panic!() };
    assert!(second.to_string().contains("2001-09-09"), "{second}");
    assert!(!first.to_string().contains("2001-09-09"), "{first}");
}

/// The beginning of a token, a JWT that nobody checks: `{"alg":"none"}`, and an account `acc`.
const TOKEN: &str = "eyJhbGciOiAibm9uZSJ9.eyJlbWFpbCI6ICJhQGV4YW1wbGUuY29tIiwgImh0dHBzOi8vYXBpLm9wZW5haS5jb20vYXV0aCI6IHsiY2hhdGdwdF9hY2NvdW50X2lkIjogImFjYyIsICJjaGF0Z3B0X3BsYW5fdHlwZSI6ICJwcm8ifX0.";

/// A client whose account has tokens that the model refuses.
fn with_old_tokens() -> Live {
    let model = ModelStub::start_with(|_| ModelReply::status(401, None)).unwrap();
    let home = RealHome::with_model(model);
    let path = home.home().join("config.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let base = home.model().url();
    let config = format!("chatgpt_base_url = {base:?}\n{config}requires_openai_auth = true\n");
    std::fs::write(&path, config).unwrap();
    let live = Live::with(home, experimental());
    live.client.initialize_with(json!({ "capabilities": { "requestAttestation": true } })).unwrap();
    let login = json!({
        "type": "chatgptAuthTokens", "accessToken": format!("{TOKEN}b2xk"), "chatgptAccountId": "acc",
    });
    live.client.request("account/login/start", login).unwrap();
    live
}

fn the_server_gets_new_tokens_and_attestations_from_the_program() {
    let live = with_old_tokens();
    let (saw, seen) = mpsc::channel();
    live.client.set_server_request_handler(move |request| {
        let _ = saw.send(request.method().to_owned());
        match request {
            ServerRequest::TokenRefresh(request) => {
                assert_eq!(request.params().previous_account_id.as_deref(), Some("acc"));
                ChatgptAuthTokensRefreshResponse::new("acc", format!("{TOKEN}bmV3")).into()
            }
            ServerRequest::Attestation(_) => AttestationGenerateResponse::new("genuine").into(),
            _ => ServerResponse::pass(),
        }
    });
    // The model refuses, and with the new tokens the server leaves the path of the stub; that it goes on to
    // attest a second call shows that it took them.
    live.client.chat_once("hello").unwrap_err();
    let methods: Vec<_> = seen.try_iter().collect();
    let (attest, refresh) = ("attestation/generate", "account/chatgptAuthTokens/refresh");
    assert_eq!(methods[..3], [attest, refresh, attest]);
}

fn the_error_of_a_turn_without_new_tokens_names_the_handler_to_set() {
    let live = with_old_tokens();
    let error = live.client.chat_once("hello").unwrap_err();
    assert!(matches!(error, Error::TurnFailed { .. }), "{error:?}");
    assert!(error.to_string().contains("Client::set_server_request_handler"), "{error}");
}
