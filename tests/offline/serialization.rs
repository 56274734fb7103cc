//! Public types as JSON: every variant of each serializes, and comes back where its type deserializes.
//!
//! Relies on `tests/public_api.txt`. Invariant: a type or variant that is new there has to be shown here.

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use codex_blocking::{
    ApprovalDecision, ApprovalRequest, ChatMode, ChatRequest, CommandExit, CommandOutput, CompletionSource,
    Input, InputItem, ListModels, NetworkPolicyRuleAction, SandboxMode, ServerRequest, ServerResponse,
    Setting, StepStatus, StepType, ThreadConfig, Transcript, TurnEvent, TurnOverrides, UserInputResponse,
    testing::ScriptedServer,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, begun, served};

/// The names of types and variants that were shown.
#[derive(Default)]
struct Shown {
    serialized: BTreeSet<String>,
    came_back: BTreeSet<String>,
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
    settings(&mut shown);
    turns(&mut shown);
    server_requests(&mut shown);
    assert_eq!(shown.serialized, recorded("Serialize"));
    assert_eq!(shown.came_back, recorded("Deserialize<'de>"));
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
    let config = ThreadConfig::new().cwd("/w").model(Setting::Null).sandbox(SandboxMode::ReadOnly);
    shown.see_back("ThreadConfig", &config);
    shown.see_back("TurnOverrides", &TurnOverrides::new().cwd("/w").effort("high").extra("moon", "full"));
    let input = Input::from([InputItem::text("a"), InputItem::image_bytes("image/png", [1])]);
    shown.see_back("Input", &input);
    shown.see_back("UserInputResponse", &UserInputResponse::answer("q", ["A"]));
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
                    assert_eq!(request.auto_resolution, Some(std::time::Duration::from_millis(1500)));
                }
                ServerRequest::Other(request) => drop(shown.see("TypedServerRequest", request)),
                _ => {}
            }
            assert_eq!(tree["request_id"], 7);
        }
    }
}
