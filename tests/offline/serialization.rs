//! Public types as JSON: every variant of each serializes, and comes back where its type deserializes. Their JSON is
//! recorded in `tests/public_json.txt`; `PUBLIC_JSON=write cargo test --test offline serialization` rewrites it.
//!
//! Relies on `tests/public_api.txt`. Invariant: a type or variant that is new there has to be shown here, and JSON that
//! other languages read doesn't change unnoticed. That of errors is in the tests of `src/error/json.rs`, which can make
//! all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::Path,
    time::Duration,
};

use codex_blocking::{
    Account, AccountKind, ApprovalDecision, ApprovalMode, ApprovalRequest, BatchWriteConfig,
    ChatContinuation, ChatMode, ChatRequest, CommandExit, CommandOutput, CompletionSource, ConfigEdit,
    ExecOptions, Input, InputItem, ListModels, ListThreads, NetworkPolicyRuleAction, ReadConfig, SandboxMode,
    ServerRequest, ServerResponse, Setting, SortDirection, StepStatus, StepType, ThreadConfig, ThreadSortKey,
    ThreadSourceKind, Transcript, TurnEvent, TurnOverrides, TurnToolOutput, UserInputResponse,
    WriteConfigValue,
    testing::{ScriptedServer, TurnScript},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, begun, served};

/// The names of types and variants that were shown.
#[derive(Default)]
struct Shown {
    serialized: BTreeSet<String>,
    came_back: BTreeSet<String>,
    /// The JSON that each had when it was shown first.
    json: BTreeMap<String, String>,
}

impl Shown {
    /// That text and tree are the same JSON.
    fn see<T: Serialize + Debug>(&mut self, name: &str, value: &T) -> Value {
        let text = serde_json::to_string(value).unwrap_or_else(|error| panic!("{name}: {error}: {value:?}"));
        let tree = serde_json::to_value(value).unwrap_or_else(|error| panic!("{name}: {error}: {value:?}"));
        let parsed: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
        assert_eq!(parsed, tree, "{name}");
        self.serialized.insert(name.to_owned());
        self.json.entry(name.to_owned()).or_insert_with(|| stable(tree.clone()).to_string());
        tree
    }

    /// That the JSON gives a value that gives the same JSON.
    fn see_back<T: Serialize + DeserializeOwned + Debug>(&mut self, name: &str, value: &T) -> Value {
        let tree = self.see(name, value);
        let text = tree.to_string();
        let from_text: T =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
        let from_tree: T =
            serde_json::from_value(tree.clone()).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
        assert_eq!(serde_json::to_value(from_text).unwrap(), tree, "{name}");
        assert_eq!(serde_json::to_value(from_tree).unwrap(), tree, "{name}");
        self.came_back.insert(name.to_owned());
        tree
    }

    /// The same of a variant.
    fn see_variant<T: Serialize + DeserializeOwned + Debug>(&mut self, value: &T) -> Value {
        self.see_back(&variant(value), value)
    }
}

/// The JSON without what differs from run to run.
fn stable(mut tree: Value) -> Value {
    match &mut tree {
        Value::Object(members) => {
            for (name, value) in members {
                *value = match name.as_str() {
                    "key" | "bytes" | "frames" | "kept_bytes" | "pending_requests" => 0.into(),
                    _ => stable(value.take()),
                };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = stable(item.take())),
        _ => {}
    }
    tree
}

/// That the JSON of all types is as recorded.
fn compare_with_record(shown: &Shown) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/public_json.txt");
    let now: String = shown.json.iter().map(|(name, json)| format!("{name} {json}\n")).collect();
    if std::env::var("PUBLIC_JSON").is_ok_and(|mode| mode == "write") {
        fs::write(&path, &now).unwrap();
    }
    let then = fs::read_to_string(&path).unwrap_or_default();
    let differs = |(then, now): &(&str, &str)| then != now;
    let first = then.lines().zip(now.lines()).find(differs);
    assert!(
        then == now,
        "the JSON of public types has changed; if it should, run `PUBLIC_JSON=write cargo test --test offline \
         serialization`: {first:?}"
    );
}

/// The name of a variant: `Type::Variant`.
fn variant<T: Debug>(value: &T) -> String {
    let shown = format!("{value:?}");
    let name: String = shown.chars().take_while(char::is_ascii_alphanumeric).collect();
    let of = std::any::type_name::<T>();
    let of = of.split('<').next().unwrap().rsplit("::").next().unwrap();
    format!("{of}::{name}")
}

/// The types that the record of the public API says to implement the trait; of an enum its variants.
fn recorded(serde_trait: &str) -> BTreeSet<String> {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/public_api.txt");
    let record = fs::read_to_string(record).unwrap();
    let types =
        record.lines().filter(|line| line.contains(" impl") && line.contains(&format!("{serde_trait} for ")));
    let types: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    let variants = record.lines().filter_map(|line| line.split_once(" variant").map(|(name, _)| name));
    let variants: BTreeSet<&str> =
        variants.filter(|name| name.split_once("::").is_some_and(|(of, _)| types.contains(of))).collect();
    let has_variants = |name: &&str| variants.iter().any(|variant| variant.split("::").next() == Some(name));
    let plain = types.iter().copied().filter(|name| !has_variants(name));
    plain.chain(variants.iter().copied()).map(str::to_owned).collect()
}

/// JSON that is nested too deeply to be parsed once it is part of something, a number that no tree can hold, and
/// what is harmless.
fn bodies() -> [String; 4] {
    let deep = "[".repeat(120) + &"]".repeat(120);
    ["1".to_owned(), deep, "[".repeat(5000) + &"]".repeat(5000), "1e999".to_owned()]
}

#[test]
fn every_variant_of_every_public_type_serializes_and_comes_back_where_it_can() {
    let mut shown = Shown::default();
    account(&mut shown);
    settings(&mut shown);
    turns(&mut shown);
    server_requests(&mut shown);
    let is_error = |name: &String| {
        ["Error::", "Timeout::"].iter().any(|of| name.starts_with(of)) || name == "TransportFailure"
    };
    let mut serialize = recorded("Serialize");
    serialize.retain(|name| !is_error(name));
    assert_eq!(shown.serialized, serialize);
    assert_eq!(shown.came_back, recorded("Deserialize<'de>"));
    compare_with_record(&shown);
}

#[test]
fn a_member_that_is_no_option_is_an_error_that_names_it() {
    fn refuses<T: DeserializeOwned + Debug>(json: &str) {
        let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
        assert!(error.contains("`modle`"), "{error}");
    }
    refuses::<ThreadConfig>(r#"{"modle":"m"}"#);
    refuses::<TurnOverrides>(r#"{"modle":"m"}"#);
    refuses::<ListThreads>(r#"{"modle":"m"}"#);
    refuses::<ListModels>(r#"{"modle":"m"}"#);
    refuses::<ReadConfig>(r#"{"modle":"m"}"#);
    refuses::<WriteConfigValue>(r#"{"key_path":"k","value":1,"modle":"m"}"#);
    refuses::<BatchWriteConfig>(r#"{"edits":[],"modle":"m"}"#);
    refuses::<ExecOptions>(r#"{"modle":"m"}"#);
    refuses::<ExecOptions>(r#"{"tty":{"rows":1,"cols":1,"modle":"m"}}"#);
    refuses::<ChatRequest>(r#"{"text":"hi","modle":"m"}"#);
    refuses::<ChatRequest>(r#"{"text":"hi","overrides":{"modle":"m"}}"#);
}

#[test]
fn a_request_from_json_says_one_thing_and_is_sent_as_one_made_by_hand() {
    let token = r#"{"thread_id":"t","turn_id":"u","cursor":0,"mode":"steps","key":1}"#;
    for wrong in [
        "{}",
        r#"{"thread_id":"t"}"#,
        r#"{"text":"a","input":[]}"#,
        &format!(r#"{{"text":"a","continuation":{token}}}"#),
    ] {
        let error = serde_json::from_str::<ChatRequest>(wrong).unwrap_err().to_string();
        assert!(error.contains("one of the members `text`, `input` and `continuation`"), "{wrong}: {error}");
    }
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let json = json!({ "text": "hello", "thread_id": thread.thread_id(), "user": "me", "metadata": null,
        "overrides": { "model": "m", "sandbox_policy": { "type": "dangerFullAccess" } }, "inactivity_timeout_ms": null,
        "keep_steps": true });
    let by_hand = ChatRequest::new("hello")
        .thread(thread.thread_id())
        .user("me")
        .metadata(Value::Null)
        .overrides(
            TurnOverrides::new().model("m").sandbox_policy(codex_blocking::SandboxPolicy::DangerFullAccess),
        )
        .inactivity_timeout(None)
        .keep_steps(true);
    assert_eq!(serde_json::to_value(&by_hand).unwrap(), json);
    client.chat_once(by_hand).unwrap();
    client.chat_once(serde_json::from_value::<ChatRequest>(json).unwrap()).unwrap();
    let received = server.received();
    let sent: Vec<_> = received
        .iter()
        .filter(|message| message["method"] == "turn/start")
        .map(|message| &message["params"])
        .collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    assert_eq!(sent[0]["sandboxPolicy"]["type"], "dangerFullAccess");
}

/// Who is signed in.
fn account(shown: &mut Shown) {
    for kind in ["api_key", "chatgpt", "amazon_bedrock", "gcp", "moon"] {
        let tree = shown.see_variant(&AccountKind::from(kind));
        assert_eq!(tree, kind);
    }
    let json = json!({ "kind": "chatgpt", "email": "me@example.com", "plan": "pro", "workspace_name": null,
        "user_id": null, "requires_openai_auth": true });
    let account: Account = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(shown.see_back("Account", &account), json);
}

/// What a program gives to the client.
fn settings(shown: &mut Shown) {
    for decision in [
        ApprovalDecision::Accept,
        ApprovalDecision::AcceptForSession,
        ApprovalDecision::AcceptWithExecpolicyAmendment(vec!["ls".to_owned()]),
        ApprovalDecision::apply_network_policy_amendment("host", NetworkPolicyRuleAction::Allow),
        ApprovalDecision::Decline,
        ApprovalDecision::Cancel,
    ] {
        shown.see_variant(&decision);
    }
    for mode in [ChatMode::Once, ChatMode::Steps, ChatMode::Events] {
        shown.see_variant(&mode);
    }
    for setting in [Setting::Unset, Setting::Null, Setting::Value(1)] {
        shown.see_variant(&setting);
    }
    let config =
        ThreadConfig::new().cwd("/w").model(Setting::Null).sandbox(SandboxMode::ReadOnly).extra("aB", 1);
    shown.see_back("ThreadConfig", &config);
    shown.see_back("TurnOverrides", &TurnOverrides::new().cwd("/w").effort("high").extra("moon", "full"));
    let input = Input::from([InputItem::text("a"), InputItem::image_bytes("image/png", [1])]);
    shown.see_back("Input", &input);
    shown.see_back("UserInputResponse", &UserInputResponse::answer("q", ["A"]));
    for mode in [ApprovalMode::Decline, ApprovalMode::Manual] {
        shown.see_variant(&mode);
    }
    requests(shown);
    options(shown);
}

fn requests(shown: &mut Shown) {
    let second = Duration::from_millis(1500);
    let all = ChatRequest::new([InputItem::text("a"), InputItem::image_bytes("image/png", [1])])
        .thread("t")
        .user("u")
        .metadata(json!({ "a": 1 }))
        .thread_config(ThreadConfig::new().model_provider("p"))
        .overrides(TurnOverrides::new().effort("high"))
        .inactivity_timeout(second)
        .turn_timeout(second)
        .keep_raw_events(true)
        .keep_steps(false)
        .sub_agents(true)
        .client_user_message_id("mine")
        .tool_output(TurnToolOutput::new("search", "found"))
        .turn_trigger("timer")
        .extra("newInTheProtocol", json!({ "a": 1 }));
    shown.see_back("ChatRequest", &all);
    assert_eq!(
        serde_json::from_str::<ChatRequest>(r#"{"text":"hello","user":null,"metadata":null}"#)
            .map(|request| serde_json::to_value(request).unwrap())
            .unwrap(),
        json!({ "text": "hello", "metadata": null })
    );
    let text = ChatRequest::new("hello").inactivity_timeout(None);
    assert_eq!(
        shown.see_back("ChatRequest", &text),
        json!({ "text": "hello", "inactivity_timeout_ms": null })
    );
    let token = json!({ "thread_id": "t", "turn_id": "u", "cursor": 0, "mode": "steps", "key": 1 });
    let token: ChatContinuation = serde_json::from_value(token).unwrap();
    let continued = ChatRequest::from(&token);
    assert_eq!(shown.see_back("ChatRequest", &continued)["continuation"]["turn_id"], "u");
}

fn options(shown: &mut Shown) {
    let threads = ListThreads::new()
        .limit(5)
        .cursor("c")
        .archived(true)
        .cwd("/w")
        .model_providers(["p"])
        .source_kinds([ThreadSourceKind::Cli])
        .search_term("s")
        .section_id("x")
        .use_state_db_only(true)
        .sort_key(ThreadSortKey::UpdatedAt)
        .sort_direction(SortDirection::Asc);
    shown.see_back("ListThreads", &threads);
    assert_eq!(shown.see_back("ListThreads", &ListThreads::new()), json!({}));
    let both = ListThreads::new().cwds(["/w", "/v"]);
    assert_eq!(shown.see_back("ListThreads", &both), json!({ "cwd": ["/w", "/v"] }));
    assert_eq!(serde_json::from_str::<ListThreads>(r#"{"limit":null}"#).unwrap(), ListThreads::new());
    shown.see_back("ListModels", &ListModels::new().limit(5).cursor("c").include_hidden(true));
    shown.see_back("ReadConfig", &ReadConfig::new().cwd("/w").include_layers(true));
    let write = WriteConfigValue::new("a.b", json!({ "c": 1 })).expected_version("v").file_path("/f");
    shown.see_back("WriteConfigValue", &write);
    shown.see_back("WriteConfigValue", &WriteConfigValue::new("a.b", ()));
    let short: WriteConfigValue = serde_json::from_str(r#"{"key_path":"a.b","value":null}"#).unwrap();
    assert_eq!(short, WriteConfigValue::new("a.b", ()));
    let batch = BatchWriteConfig::new([ConfigEdit::upsert("a", 1), ConfigEdit::replace("b", "c")])
        .expected_version("v")
        .file_path("/f")
        .reload_user_config(true);
    shown.see_back("BatchWriteConfig", &batch);
    let options = ExecOptions::new()
        .cwd("/w")
        .sandbox_policy(codex_blocking::SandboxPolicy::read_only())
        .env("A", "1")
        .unset_env("B")
        .timeout(Duration::from_millis(1500))
        .output_bytes_cap(8)
        .stream_stdin(true)
        .tty(2, 3);
    shown.see_back("ExecOptions", &options);
    for options in [ExecOptions::new(), ExecOptions::new().timeout(None).disable_output_cap(), options] {
        let back: ExecOptions = serde_json::from_value(serde_json::to_value(&options).unwrap()).unwrap();
        assert_eq!(back, options);
    }
}

/// A notification of the turn `u`, with a member of the given JSON.
fn notify(server: &mut Server, method: &str, params: &Value, body: &str) {
    let params = params.to_string();
    let rest = params.strip_prefix('{').unwrap();
    let comma = if rest == "}" { "" } else { "," };
    server.send_text(&format!(
        r#"{{"method":"{method}","params":{{"threadId":"t","turnId":"u","body":{body}{comma}{rest}}}"#
    ));
}

/// What a turn gives.
fn turns(shown: &mut Shown) {
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    let request = ChatRequest::new("hello").sub_agents(true);
    let mut events = begun(&client, &mut server, |client| client.chat_events(request));
    for body in bodies() {
        let item = |kind: &str| format!(r#"{{"type":"{kind}","id":"i","text":"x","body":{body}}}"#);
        let mut send = |method: &str, params: Value| notify(&mut server, method, &params, &body);
        send("item/agentMessage/delta", json!({ "itemId": "i", "delta": "x" }));
        send("item/reasoning/textDelta", json!({ "itemId": "i", "delta": "x", "contentIndex": 0 }));
        send("item/plan/delta", json!({ "itemId": "i", "delta": "x" }));
        send("item/commandExecution/outputDelta", json!({ "itemId": "i", "delta": "x" }));
        send(
            "turn/plan/updated",
            json!({ "explanation": null, "plan": [{ "step": "a", "status": "pending" }] }),
        );
        send("turn/diff/updated", json!({ "diff": "x" }));
        let count = json!({ "totalTokens": 1, "inputTokens": 1, "cachedInputTokens": 0, "outputTokens": 0,
            "reasoningOutputTokens": 0 });
        send("thread/tokenUsage/updated", json!({ "tokenUsage": { "total": count, "last": count } }));
        send("warning", json!({ "message": "careful" }));
        send("error", json!({ "error": { "message": "again" }, "willRetry": true }));
        send("moon/phase", json!({ "type": "other", "event": "x" }));
        for (method, kind) in [("item/started", "agentMessage"), ("item/completed", "moon")] {
            server.send_text(&format!(
                r#"{{"method":"{method}","params":{{"threadId":"t","turnId":"u","item":{}}}}}"#,
                item(kind)
            ));
        }
        // Two items that a sub-agent sends, in the transcript that is nested in another one.
        let spawn = item("collabAgentToolCall").replace("{", r#"{"receiverThreadIds":["child"],"#);
        for (thread, item) in [("t", spawn), ("child", item("agentMessage"))] {
            let turn = if thread == "t" { "u" } else { "v" };
            server.send_text(&format!(
                r#"{{"method":"item/completed","params":{{"threadId":"{thread}","turnId":"{turn}","item":{item}}}}}"#
            ));
        }
    }
    let mut transcript = Transcript::default();
    while let Some(event) = events.try_next() {
        let tree = shown.see_variant(&event);
        transcript.apply(&event);
        match &event {
            TurnEvent::SubAgent { .. } => {
                assert_eq!((&tree["type"], &tree["thread_id"]), (&json!("sub_agent"), &json!("child")));
                assert_eq!((&tree["agent"], &tree["event"]["type"]), (&Value::Null, &json!("step")));
            }
            TurnEvent::Other(raw) => {
                assert_eq!(tree["type"], "other");
                let inner = shown.see_back("RawEvent", raw);
                assert_eq!(tree["event"], inner);
                assert!(inner["method"] == raw.method().as_ref() || inner == raw.raw());
            }
            TurnEvent::Step(step) => {
                let step_tree = shown.see_back("ConversationStep", step);
                assert_eq!(tree["data"], step_tree["data"]);
                assert!(tree["data"]["id"] == "i" || tree["data"] == step.raw());
            }
            _ => {}
        }
    }
    let tree = shown.see_back("Transcript", &transcript);
    assert_eq!(tree["items"].as_array().unwrap().len(), transcript.items().len());
    for item in transcript.items() {
        let tree = shown.see_back("TranscriptItem", item);
        assert_eq!((&tree["kind"], &tree["status"]), (&json!(item.kind), &json!(item.status)));
        item.sub_agents.iter().for_each(|agent| drop(shown.see_back("SubAgentTranscript", agent)));
    }
    transcript.turns().iter().for_each(|turn| drop(shown.see_back("TranscriptTurn", turn)));
    let continuation = events.continuation();
    shown.see_back("ChatContinuation", &continuation);
    while let Some(notification) = notifications.try_next() {
        shown.see_back("RawNotification", &notification);
    }
    server.message("m", "x");
    server.complete("interrupted");
    drop(events);
    let cancelled = client.cancel(&continuation).unwrap();
    assert!(!cancelled.steps.is_empty());
    shown.see_back("CancelResult", &cancelled);
    shown.see_back("Stats", &client.stats());
    for status in ["completed", "failed", "declined", "interrupted", "inProgress", "abandoned", "moon"] {
        shown.see_variant(&StepStatus::from(status));
    }
    for kind in ["thinking", "exec", "codex", "tool", "file", "error", "moon"] {
        shown.see_variant(&StepType::from(kind));
    }

    let client = ScriptedServer::new().client().unwrap();
    let result = client.chat_once(ChatRequest::new("hello").keep_raw_events(true)).unwrap();
    assert!(!result.raw_events.is_empty() && result.token_usage.is_some());
    shown.see_back("ChatResult", &result);
    let answers =
        ScriptedServer::new().on_turn(|_| TurnScript::new().message(r#"{"n":1}"#)).client().unwrap();
    let answer = answers.chat_json::<Value>("hello", json!({ "type": "object" })).unwrap();
    let tree = shown.see_back("JsonAnswer", &answer);
    assert_eq!((&tree["value"], &tree["result"]["final_text"]), (&json!({ "n": 1 }), &json!(r#"{"n":1}"#)));
    for info in [json!("usageLimitExceeded"), json!({ "moon": [1] })] {
        let failing = ScriptedServer::new().on_turn(move |_| TurnScript::new().fail("x", info.clone()));
        let error = failing.client().unwrap().chat_once("hello").unwrap_err();
        shown.see_back("TurnFailure", &error.failure().unwrap());
    }
    shown.see_variant(&CompletionSource::ItemCompleted);
    shown.see_variant(&CompletionSource::ThreadReadFallback);
    shown.see_variant(&CompletionSource::Plan);
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    shown.see_back("ThreadInfo", thread.info());
    shown.see_back("InitializeResult", &client.initialize().unwrap());
    shown.see("Reply", &client.list_models(ListModels::new()).unwrap());
    let output = json!({ "stream": "stdout", "data": [1, 255], "cap_reached": false });
    let exit: CommandExit = serde_json::from_value(json!({ "exit_code": 0, "unread": [output] })).unwrap();
    shown.see_back::<CommandOutput>("CommandOutput", &exit.unread[0]);
    shown.see_back("CommandExit", &exit);
}

/// What the server asks.
fn server_requests(shown: &mut Shown) {
    let (client, mut server) = served();
    let mut stream = client.server_requests();
    let item = r#""threadId":"t","turnId":"u","itemId":"i""#;
    let approval = r#""_meta":{"codex_approval_kind":"mcp_tool_call","tool_name":"x"}"#;
    for body in bodies() {
        for (method, params) in [
            ("item/commandExecution/requestApproval", item.to_owned()),
            ("item/fileChange/requestApproval", item.to_owned()),
            (
                "item/tool/requestUserInput",
                format!(r#"{item},"questions":[],"isBlocking":true,"autoResolutionMs":1500"#),
            ),
            ("item/permissions/requestApproval", format!(r#"{item},"cwd":"/w","permissions":{{}}"#)),
            (
                "mcpServer/elicitation/request",
                format!(
                    r#"{item},"serverName":"s","message":"m","mode":"form","requestedSchema":{{}},{approval}"#
                ),
            ),
            (
                "mcpServer/elicitation/request",
                format!(r#"{item},"serverName":"s","message":"m","mode":"moon""#),
            ),
            ("item/tool/call", format!(r#"{item},"callId":"c","tool":"x","arguments":{{}}"#)),
            ("account/chatgptAuthTokens/refresh", r#""reason":"unauthorized""#.to_owned()),
            ("attestation/generate", r#""x":1"#.to_owned()),
            ("currentTime/read", r#""threadId":"t""#.to_owned()),
            ("moon/phase", item.to_owned()),
        ] {
            server
                .send_text(&format!(r#"{{"id":7,"method":"{method}","params":{{{params},"body":{body}}}}}"#));
            if method == "moon/phase" && serde_json::from_str::<Value>(&body).is_err() {
                // What can't be decoded is refused, and not shown.
                assert_eq!(server.recv()["error"]["code"], -32602);
                continue;
            }
            let Some(request) = stream.next_timeout(PATIENCE) else { panic!("{method}") };
            let _ = client.respond_server_request(&request, ServerResponse::pass());
            server.recv();
            let tree = shown.see(&variant(&request), &request);
            match &request {
                ServerRequest::Approval(request) => {
                    shown.see(&variant(request), request);
                    match request {
                        ApprovalRequest::Command(request) => {
                            drop(shown.see("CommandApprovalRequest", request))
                        }
                        ApprovalRequest::FileChange(request) => {
                            drop(shown.see("FileChangeApprovalRequest", request));
                        }
                        ApprovalRequest::McpTool(request) => {
                            drop(shown.see("McpToolApprovalRequest", request))
                        }
                        _ => panic!("{request:?}"),
                    }
                }
                ServerRequest::UserInput(request) => {
                    let tree = shown.see("UserInputRequest", request);
                    assert_eq!(
                        (&tree["is_blocking"], &tree["auto_resolution_ms"]),
                        (&json!(true), &json!(1500))
                    );
                    assert_eq!(request.auto_resolution, Some(Duration::from_millis(1500)));
                }
                ServerRequest::Other(request) => drop(shown.see("TypedServerRequest", request)),
                _ => {}
            }
            assert_eq!(tree["request_id"], 7);
        }
    }
}
