//! The parameters of threads and turns: each has a setter, or a line that says why not.
//!
//! Relies on `tests/schema`. Invariant: a property that is new in the schema fails the table until it has one.

use std::path::Path;

use codex_blocking::{protocol::AdditionalContextEntry, testing::ScriptedServer, *};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    codegen::schema::Protocol,
    support::memory::{served, spawn_with},
};

type Setter<S> = fn(S, Value) -> S;

fn given<T: DeserializeOwned>(value: Value) -> Setting<T> {
    Setting::Value(of(value))
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// Parameters by name, each with its setter and a value.
macro_rules! setters {
    ($settings:ty: $( $name:literal $setter:ident $value:tt, )*) => {
        [$( ($name, json!($value), (|settings, value| settings.$setter(given(value))) as Setter<$settings>), )*]
    };
}

const THREAD: &[&str] = &["thread/start", "thread/resume", "thread/fork"];

/// The setters of [`ThreadConfig`].
fn of_thread() -> impl Iterator<Item = (&'static str, Value, Setter<ThreadConfig>)> {
    setters![ThreadConfig:
        "allowProviderModelFallback" allow_provider_model_fallback true,
        "approvalPolicy" approval_policy "never",
        "approvalsReviewer" approvals_reviewer "auto_review",
        "attachToSource" attach_to_source true,
        "baseInstructions" base_instructions "x",
        "beforeTurnId" before_turn_id "turn-2",
        "config" config { "a": 1 },
        "cwd" cwd "/w",
        "daybreakEnabled" daybreak_enabled true,
        "deferGoalContinuation" defer_goal_continuation true,
        "developerInstructions" developer_instructions "x",
        "environments" environments [{ "environmentId": "e", "cwd": "/w" }],
        "ephemeral" ephemeral true,
        "experimentalDisablePredictionMcp" experimental_disable_prediction_mcp true,
        "experimentalPredictionMode" experimental_prediction_mode true,
        "experimentalRawEvents" experimental_raw_events true,
        "historyMode" history_mode "legacy",
        "model" model "m",
        "modelProvider" model_provider "p",
        "multiAgentMode" multi_agent_mode "proactive",
        "permissions" permissions "careful",
        "personality" personality "pragmatic",
        "projectId" project_id "p",
        "runtimeWorkspaceRoots" runtime_workspace_roots ["/w"],
        "sandbox" sandbox "read-only",
        "selectedCapabilityRoots" selected_capability_roots
            [{ "id": "c", "location": { "type": "environment", "environmentId": "e", "path": "/w" } }],
        "serviceName" service_name "s",
        "serviceTier" service_tier "fast",
        "sessionStartSource" session_start_source "clear",
        "threadSource" thread_source "mine",
    ]
    .into_iter()
}

/// The setters of [`TurnOverrides`].
fn of_turn() -> impl Iterator<Item = (&'static str, Value, Setter<TurnOverrides>)> {
    setters![TurnOverrides:
        "approvalPolicy" approval_policy "never",
        "approvalsReviewer" approvals_reviewer "auto_review",
        "collaborationMode" collaboration_mode { "mode": "plan", "settings": { "model": "m" } },
        "cwd" cwd "/w",
        "cyberAccessProgram" cyber_access_program "standard",
        "disabledPluginIds" disabled_plugin_ids ["p"],
        "effort" effort "high",
        "environments" environments [{ "environmentId": "e", "cwd": "/w" }],
        "model" model "m",
        "multiAgentMode" multi_agent_mode { "custom": "x" },
        "outputSchema" output_schema { "type": "object" },
        "permissions" permissions "careful",
        "personality" personality "pragmatic",
        "runtimeWorkspaceRoots" runtime_workspace_roots ["/w"],
        "sandboxPolicy" sandbox_policy { "type": "dangerFullAccess" },
        "serviceTier" service_tier "fast",
        "serviceTierForTurn" service_tier_for_turn "default",
        "summary" summary "concise",
    ]
    .into_iter()
}

/// The setters of [`ChatRequest`].
fn of_request() -> impl Iterator<Item = (&'static str, Value, Setter<ChatRequest>)> {
    type Texts = std::collections::BTreeMap<String, String>;
    type Entries = std::collections::BTreeMap<String, AdditionalContextEntry>;
    let rows: [(_, _, Setter<ChatRequest>); 8] = [
        ("additionalContext", json!({ "a": { "kind": "untrusted", "value": "x" } }), |request, value| {
            request.additional_context(of::<Entries>(value))
        }),
        ("clientUserMessageId", json!("mine"), |request, value| {
            request.client_user_message_id(of::<String>(value))
        }),
        ("parentTurnId", json!("u"), |request, value| request.parent_turn_id(of::<String>(value))),
        ("responsesapiClientMetadata", json!({ "a": "b" }), |request, value| {
            request.responsesapi_client_metadata(of::<Texts>(value))
        }),
        ("responsesapiClientMetadataPatch", json!({ "a": "b" }), |request, value| {
            request.responsesapi_client_metadata_patch(of::<Texts>(value))
        }),
        ("rootTurnId", json!("u"), |request, value| request.root_turn_id(of::<String>(value))),
        ("toolOutput", json!({ "name": "n", "output": "x" }), |request, value| {
            request.tool_output(of::<TurnToolOutput>(value))
        }),
        ("turnTrigger", json!("timer"), |request, value| request.turn_trigger(of::<String>(value))),
    ];
    rows.into_iter()
}

/// The properties with a setter of [`ListThreads`]; `threads.rs` shows that each is sent.
const LISTED: &[&str] = &[
    "archived",
    "cursor",
    "cwd",
    "limit",
    "modelProviders",
    "searchTerm",
    "sectionId",
    "sortDirection",
    "sortKey",
    "sourceKinds",
    "useStateDbOnly",
];

/// The properties without a setter, and why.
const WITHOUT_SETTER: &[(&str, &str, &str)] = &[
    ("thread/start", "dynamicTools", "start_thread_with_tools sends it, and keeps the tools"),
    ("thread/start", "mockExperimentalField", "it is for the server's own tests"),
    ("thread/resume", "threadId", "the call's argument"),
    ("thread/resume", "excludeTurns", "the client always sets it: `turns` reads them in pages"),
    ("thread/resume", "initialTurnsPage", "`turns` reads the pages"),
    ("thread/resume", "history", "it replaces the thread that the call names"),
    ("thread/resume", "path", "it replaces the thread that the call names"),
    ("thread/fork", "threadId", "the call's argument"),
    ("thread/fork", "lastTurnId", "the argument of fork_thread_at"),
    ("thread/fork", "excludeTurns", "the client always sets it: `turns` reads them in pages"),
    ("thread/fork", "path", "it replaces the thread that the call names"),
    ("turn/start", "threadId", "ChatRequest::thread, or the handle"),
    ("turn/start", "input", "the argument of ChatRequest::new"),
    ("thread/list", "ancestorThreadId", "experimental: `call` sends it"),
    ("thread/list", "attachedToThreadId", "experimental: `call` sends it"),
    ("thread/list", "currentAccountOnly", "it changes nothing on a server of one account"),
    ("thread/list", "excludedThreadIds", "a program can leave them out itself"),
    ("thread/list", "includeAttachedThreads", "experimental: `call` sends it"),
    ("thread/list", "originators", "the server refuses it as of 0.169"),
    ("thread/list", "parentThreadId", "experimental: `call` sends it"),
    ("thread/list", "projectId", "experimental: `call` sends it"),
    ("review/start", "threadId", "the call's argument"),
    ("review/start", "target", "the call's argument"),
    ("review/start", "delivery", "the call's argument"),
];

/// The properties of a method's parameters in the schema.
fn properties(method: &str) -> Map<String, Value> {
    let protocol = Protocol::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/protocol.json"));
    let request = protocol.requests.iter().find(|request| request.name == method).unwrap();
    let params = &protocol.types[request.params.as_ref().unwrap()];
    params["properties"].as_object().unwrap().clone()
}

/// The last request of this method.
fn last_sent(server: &ScriptedServer, method: &str) -> Value {
    let mut received = server.received().into_iter().rev();
    received.find(|message| message["method"] == method).unwrap()["params"].take()
}

/// Makes the call of this method with a configuration, for a thread that is stored and not loaded.
fn open(server: &ScriptedServer, method: &str, config: ThreadConfig) -> Result<ThreadHandle> {
    let writer = server.client().unwrap();
    let unloads = ThreadConfig::new().config(json!({ "thread_unload_delay_secs": 0 }));
    let thread = writer.start_thread(unloads).unwrap();
    let id = thread.thread_id().to_owned();
    // The second turn of the first thread is `turn-2`.
    thread.chat_once("one").unwrap();
    // The resume of a loaded thread takes no parameters.
    thread.unload().unwrap();
    let client = server.client().unwrap();
    match method {
        "thread/start" => client.start_thread(config),
        "thread/resume" => client.resume_thread(&id, config),
        _ => client.fork_thread(&id, config),
    }
}

#[test]
fn every_property_of_the_schema_has_a_setter_or_a_reason() {
    for &method in THREAD.iter().chain(&["turn/start", "review/start", "thread/list"]) {
        let properties = properties(method);
        for name in properties.keys() {
            let is_set = match method {
                "turn/start" => {
                    of_turn().any(|(row, ..)| row == name) || of_request().any(|(row, ..)| row == name)
                }
                "review/start" => false,
                "thread/list" => LISTED.contains(&name.as_str()),
                _ => of_thread().any(|(row, ..)| row == name),
            };
            let reasons = WITHOUT_SETTER.iter().filter(|(of, row, _)| (*of, row) == (method, &name.as_str()));
            let count = usize::from(is_set) + reasons.count();
            assert_eq!(count, 1, "{method}: `{name}` needs a setter or a reason, not both");
        }
    }
    for (method, name, _) in WITHOUT_SETTER {
        assert!(properties(method).contains_key(*name), "{method} has no `{name}` any more");
    }
}

#[test]
fn what_is_set_for_a_thread_is_sent_by_the_methods_that_have_it_and_told_by_the_others() {
    for &method in THREAD {
        let properties = properties(method);
        for (name, value, setter) in of_thread() {
            let server = ScriptedServer::new();
            server.client().unwrap().start_thread(ThreadConfig::new()).unwrap().chat_once("x").unwrap();
            let config = setter(ThreadConfig::new(), value.clone());
            let opened = match name {
                // A turn that the thread has.
                "beforeTurnId" if method == "thread/fork" => {
                    server.client().unwrap().fork_thread("thread-1", config)
                }
                _ => open(&server, method, config),
            };
            // It has no effect anywhere, whether or not the schema has it.
            let is_known = properties.contains_key(name) || (method, name) == ("thread/fork", "personality");
            match opened {
                Ok(thread) => {
                    assert_eq!(last_sent(&server, method)[name], value, "{method} {name}");
                    let told: &[&str] = if is_known { &[] } else { &[name] };
                    assert_eq!(thread.not_applied(), told, "{method} {name}");
                }
                Err(Error::InvalidInput { message, .. }) => {
                    assert!(!is_known && method == "thread/start" && message.contains(name), "{message}");
                }
                Err(error) => panic!("{method} {name}: {error}"),
            }
        }
    }
}

#[test]
fn what_is_set_for_a_turn_is_sent_with_it_alone() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let properties = properties("turn/start");
    let bare = json!({ "threadId": thread.thread_id(), "input": [{ "type": "text", "text": "x" }] });
    let requests = of_turn()
        .map(|(name, value, setter)| {
            (name, value.clone(), ChatRequest::new("x").overrides(setter(TurnOverrides::new(), value)))
        })
        .chain(of_request().map(|(name, value, setter)| {
            // It is sent instead of an input.
            let input = if name == "toolOutput" { Input::from(Vec::new()) } else { "x".into() };
            (name, value.clone(), setter(ChatRequest::new(input), value))
        }));
    for (name, value, request) in requests {
        assert!(properties.contains_key(name), "turn/start has no `{name}` any more");
        thread.chat_once(request).unwrap();
        let mut expected = bare.clone();
        expected[name] = value;
        if name == "toolOutput" {
            expected["input"] = json!([]);
        }
        assert_eq!(last_sent(&server, "turn/start"), expected, "{name}");
        thread.chat_once("x").unwrap();
        assert_eq!(last_sent(&server, "turn/start"), bare, "after {name}");
    }
}

#[test]
fn new_defaults_of_a_loaded_thread_travel_with_its_next_turn_wherever_a_turn_has_the_field() {
    let of_turns = properties("turn/start");
    for (name, value, setter) in of_thread() {
        let server = ScriptedServer::new();
        let thread = server.client().unwrap().start_thread(ThreadConfig::new()).unwrap();
        match thread.update_defaults(setter(ThreadConfig::new(), value.clone())) {
            Ok(()) => {
                thread.chat_once("x").unwrap();
                let mut sent = last_sent(&server, "turn/start");
                match name {
                    "sandbox" => assert_eq!(sent["sandboxPolicy"]["type"], "readOnly"),
                    _ => assert_eq!(sent[name].take(), value, "{name}"),
                }
            }
            Err(Error::InvalidInput { message, .. }) => {
                assert!(message.contains(name) && !of_turns.contains_key(name), "{message}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn the_output_of_a_tool_is_sent_instead_of_an_input() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let output = TurnToolOutput::new("search", "found");
    client.chat_once(ChatRequest::new(Vec::new()).tool_output(output)).unwrap();
    let sent = last_sent(&server, "turn/start");
    assert_eq!(
        (&sent["input"], &sent["toolOutput"]),
        (&json!([]), &json!({ "name": "search", "output": "found" }))
    );
    let output = TurnToolOutput::new("search", "found");
    for refused in [ChatRequest::new(Vec::new()), ChatRequest::new("x").tool_output(output)] {
        assert_eq!(client.chat_once(refused).unwrap_err().code(), "invalid_input");
    }
}

#[test]
fn a_parameter_that_decides_what_a_turn_does_is_refused_if_the_server_would_ignore_it() {
    let output = ChatRequest::new(Vec::new()).tool_output(TurnToolOutput::new("search", "found"));
    let tier = ChatRequest::new("x").overrides(TurnOverrides::new().service_tier_for_turn("flex"));
    for (request, name) in [(output, "tool_output"), (tier, "service_tier_for_turn")] {
        let (client, mut server) = served();
        server.version = "0.150.1";
        let chat = spawn_with(&client, |client| client.chat_once(request).map(drop));
        server.expect("initialized");
        let error = chat.join().unwrap().unwrap_err();
        assert_eq!(error.code(), "invalid_input");
        assert!(error.to_string().contains(name), "{error}");
        assert!(server.is_quiet());
    }
}

// ---- parameters that this version does not know ----

#[test]
fn an_extra_parameter_is_sent_as_it_is() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let config = ThreadConfig::new().cwd("/w").extra("fromTheFuture", json!({ "a": [null] })).extra("b", ());
    let thread = client.start_thread(config.clone()).unwrap();
    assert_eq!(
        last_sent(&server, "thread/start"),
        json!({ "cwd": "/w", "fromTheFuture": { "a": [null] }, "b": null })
    );
    // It comes back from JSON as it went.
    assert_eq!(serde_json::from_value::<ThreadConfig>(json!(config)).unwrap(), config);
    let overrides = TurnOverrides::new().extra("a", 1).extra("b", 1);
    thread.chat_once(ChatRequest::new("x").overrides(overrides).extra("b", 2).extra("c", 2)).unwrap();
    let sent = last_sent(&server, "turn/start");
    assert_eq!((&sent["a"], &sent["b"], &sent["c"]), (&json!(1), &json!(2), &json!(2)));
    let fork = thread.fork(ThreadConfig::new().extra("b", true)).unwrap();
    let sent = last_sent(&server, "thread/fork");
    assert_eq!((&sent["b"], &sent["fromTheFuture"]["a"]), (&json!(true), &json!([null])));
    assert_eq!(fork.defaults(), config.extra("b", true));
}

#[test]
fn an_extra_parameter_replaces_none_that_a_setter_or_the_client_sends() {
    let (client, mut server) = served();
    let refused = |result: Result<()>, name: &str| match result {
        Err(Error::InvalidInput { message, .. }) => assert!(message.contains(name), "{message}"),
        other => panic!("{name}: {other:?}"),
    };
    for name in
        ["threadId", "excludeTurns", "lastTurnId", "dynamicTools", "model", "approvalPolicy", "config"]
    {
        let config = || ThreadConfig::new().extra(name, "x");
        refused(client.start_thread(config()).map(drop), name);
        refused(client.resume_thread("t", config()).map(drop), name);
        refused(client.fork_thread("t", config()).map(drop), name);
        refused(client.fork_thread_at("t", "u", config()).map(drop), name);
        refused(client.set_thread_defaults("t", config()), name);
        refused(client.chat(ChatRequest::new("x").thread_config(config())).map(drop), name);
    }
    for name in ["threadId", "input", "user", "clientUserMessageId", "model", "sandboxPolicy", "outputSchema"]
    {
        let overrides = TurnOverrides::new().extra(name, "x");
        refused(client.chat(ChatRequest::new("x").overrides(overrides)).map(drop), name);
        refused(client.chat_once(ChatRequest::new("x").extra(name, "x")).map(drop), name);
    }
    // Experimental ones only if they are set: without the feature there is no setter.
    let config = ThreadConfig::new().project_id("a").extra("projectId", "b");
    refused(client.start_thread(config).map(drop), "projectId");
    let overrides = TurnOverrides::new().multi_agent_mode(of::<protocol::MultiAgentMode>(json!("proactive")));
    let request = ChatRequest::new("x").overrides(overrides).extra("multiAgentMode", "x");
    refused(client.chat(request).map(drop), "multiAgentMode");
    let context = std::collections::BTreeMap::new();
    let request = ChatRequest::new("x").additional_context(context).extra("additionalContext", "x");
    refused(client.chat(request).map(drop), "additionalContext");
    assert!(server.is_quiet());
    let server = ScriptedServer::new();
    let _ = server.client().unwrap().start_thread(ThreadConfig::new().extra("projectId", "b")).unwrap();
    assert_eq!(last_sent(&server, "thread/start"), json!({ "projectId": "b" }));
}

#[test]
fn a_loaded_thread_can_not_be_given_an_extra_parameter() {
    let server = ScriptedServer::new();
    let thread = server.client().unwrap().start_thread(ThreadConfig::new()).unwrap();
    let refused = thread.update_defaults(ThreadConfig::new().model("m").extra("new", 1)).unwrap_err();
    assert!(
        matches!(&refused, Error::InvalidInput { message, .. } if message.contains("change new")),
        "{refused}"
    );
}

#[test]
fn what_was_deferred_is_not_replaced_by_an_extra_parameter() {
    let server = ScriptedServer::new();
    let thread = server.client().unwrap().start_thread(ThreadConfig::new()).unwrap();
    thread.update_defaults(ThreadConfig::new().runtime_workspace_roots(vec!["/w".to_owned()])).unwrap();
    let refused = thread.chat(ChatRequest::new("x").extra("runtimeWorkspaceRoots", json!([]))).unwrap_err();
    assert_eq!(refused.code(), "invalid_input");
    thread.chat_once("x").unwrap();
    assert_eq!(last_sent(&server, "turn/start")["runtimeWorkspaceRoots"], json!(["/w"]));
}

#[test]
fn null_is_refused_where_the_server_does_not_take_it() {
    let (client, mut server) = served();
    for (member, name) in [
        ("allow_provider_model_fallback", "allowProviderModelFallback"),
        ("experimental_raw_events", "experimentalRawEvents"),
    ] {
        let config: ThreadConfig = of(json!({ member: null }));
        assert!(client.start_thread(config).unwrap_err().to_string().contains(name), "{name}");
    }
    for (member, name) in [
        ("attach_to_source", "attachToSource"),
        ("defer_goal_continuation", "deferGoalContinuation"),
        ("experimental_prediction_mode", "experimentalPredictionMode"),
        ("ephemeral", "ephemeral"),
    ] {
        let config: ThreadConfig = of(json!({ member: null }));
        assert!(client.fork_thread("t", config).unwrap_err().to_string().contains(name), "{name}");
    }
    assert!(server.is_quiet());
}

#[test]
fn a_continuation_takes_no_parameter_of_a_turn() {
    let client = ScriptedServer::new().client().unwrap();
    let token = client.chat("x").unwrap().continuation();
    for request in [
        ChatRequest::from(&token).client_user_message_id("a"),
        ChatRequest::from(&token).turn_trigger("a"),
        ChatRequest::from(&token).extra("a", 1),
    ] {
        assert_eq!(client.chat(request).unwrap_err().code(), "invalid_input");
    }
}

#[test]
fn extra_values_show_in_no_debug_output() {
    let config = ThreadConfig::new().extra("apiKey", "hush");
    let request = ChatRequest::new("x").extra("apiKey", "hush").thread_config(config);
    let shown = format!("{request:?} {request:#?}");
    assert!(shown.contains("apiKey") && !shown.contains("hush"), "{shown}");
}
