//! Threads: what is asked of the server, what waits for the next turn, rollback and reviews.

use std::{thread::JoinHandle, time::Duration};

use codex_blocking::{testing::ScriptedServer, *};
use serde_json::{Value, json};

use crate::support::{
    await_that,
    memory::{PATIENCE, Server, chatting, message, served, served_with, spawn, spawn_with, thread},
};

fn invalid<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::InvalidInput { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

/// The parameters of all requests of this method, oldest first.
fn sent(server: &ScriptedServer, method: &str) -> Vec<Value> {
    let received = server.received().into_iter();
    received.filter(|message| message["method"] == method).map(|message| message["params"].clone()).collect()
}

/// A client and a server, with this thread stored and not loaded.
fn stored() -> (Client, ScriptedServer, String) {
    let server = ScriptedServer::new();
    let writer = server.client().unwrap();
    let id = writer.chat_once("one").unwrap().thread_id;
    (server.client().unwrap(), server, id)
}

/// The thread `t` as the server tells it, without turns.
fn stored_thread() -> Value {
    json!({
        "id": "t", "preview": "", "modelProvider": "m", "createdAt": 0, "updatedAt": 0, "status": { "type": "idle" },
        "cwd": "/w", "cliVersion": "0", "source": "vscode", "turns": [], "historyMode": "paginated",
    })
}

/// Answers a request with this thread.
fn open(server: &mut Server, method: &str) -> Value {
    let request = server.expect(method);
    server.reply(&request, json!({ "thread": stored_thread() }));
    request
}

// ---- plain requests ----

#[test]
fn what_can_not_work_is_refused_before_anything_is_sent() {
    let (client, mut server) = served();
    let config = ThreadConfig::new;
    let custom = json!({ "type": "custom", "instructions": "x" });
    for result in [
        client.fork_thread("", config()).map(drop),
        client.set_thread_defaults("", config()),
        client.read_thread("", true).map(drop),
        client.archive_thread(""),
        client.unarchive_thread(""),
        client.compact_thread(""),
        client.rollback_thread("", 1).map(drop),
        client.set_thread_name("", "x"),
        client.start_review("", &custom, None).map(drop),
        client.steer_turn("", "u", "x").map(drop),
        client.rollback_thread("t", 0).map(drop),
        client.set_thread_name("t", " "),
        client.start_review("t", "uncommittedChanges", None).map(drop),
        client.start_review("t", json!({ "instructions": "x" }), None).map(drop),
        client.steer_turn("t", "", "x").map(drop),
        client.steer_turn("t", "u", " ").map(drop),
        client.fork_thread("t", config().ephemeral(Setting::Null)).map(drop),
        client.set_thread_defaults("t", config().config(json!("x"))),
    ] {
        invalid(result);
    }
    assert!(server.is_quiet());
}

#[test]
fn the_requests_on_a_thread_are_named_as_the_protocol_does() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let id = thread.thread_id();
    thread.chat_once("one").unwrap();
    thread.set_name("a name").unwrap();
    assert_eq!(thread.read(false).unwrap().thread.name.as_deref(), Some("a name"));
    assert!(thread.read(false).unwrap().thread.turns.is_empty());
    assert_eq!(thread.read(true).unwrap().thread.turns.len(), 1);
    thread.compact().unwrap();
    thread.archive().unwrap();
    assert!(client.list_threads(ListThreads::new()).unwrap().data.is_empty());
    thread.unarchive().unwrap();
    assert_eq!(client.list_threads(ListThreads::new()).unwrap().data[0].id, id);
    assert_eq!(sent(&server, "thread/name/set"), [json!({ "threadId": id, "name": "a name" })]);
    for method in ["thread/compact/start", "thread/archive", "thread/unarchive"] {
        assert_eq!(sent(&server, method), [json!({ "threadId": id })], "{method}");
    }
}

#[test]
fn every_option_of_a_list_is_sent_and_nothing_else() {
    let empty = |_: &Value| Ok(json!({ "data": [], "nextCursor": null }));
    let server = ScriptedServer::new().on_request("thread/list", empty).on_request("model/list", empty);
    let client = server.client().unwrap();
    client.list_threads(ListThreads::new()).unwrap();
    let all = ListThreads::new()
        .limit(5)
        .cursor("0")
        .archived(true)
        .cwd("/w")
        .model_providers(["a", "b"])
        .source_kinds([ThreadSourceKind::Cli])
        .search_term("s")
        .section_id("x")
        .use_state_db_only(true)
        .sort_key(ThreadSortKey::CreatedAt)
        .sort_direction(SortDirection::Desc);
    client.list_threads(all).unwrap();
    client.list_threads(ListThreads::new().cwd("/u").cwds(["/w", "/v"])).unwrap();
    client.list_models(ListModels::new()).unwrap();
    client.list_models(ListModels::new().limit(2).cursor("2").include_hidden(true)).unwrap();
    assert_eq!(
        sent(&server, "thread/list"),
        [
            json!({}),
            json!({ "limit": 5, "cursor": "0", "archived": true, "cwd": "/w", "modelProviders": ["a", "b"],
                "sourceKinds": ["cli"], "searchTerm": "s", "sectionId": "x", "useStateDbOnly": true,
                "sortKey": "created_at", "sortDirection": "desc" }),
            json!({ "cwd": ["/w", "/v"] }),
        ]
    );
    assert_eq!(
        sent(&server, "model/list"),
        [json!({}), json!({ "limit": 2, "cursor": "2", "includeHidden": true })]
    );
}

#[test]
fn a_turn_is_steered_by_its_ids() {
    let (client, mut server) = served();
    let steering = spawn_with(&client, |client| client.steer_turn("t", "u", "go left"));
    let request = server.expect("turn/steer");
    let input = json!([{ "type": "text", "text": "go left" }]);
    assert_eq!(request["params"], json!({ "threadId": "t", "expectedTurnId": "u", "input": input }));
    server.reply(&request, json!({ "turnId": "u" }));
    assert_eq!(steering.join().unwrap().unwrap().turn_id, "u");
}

// ---- forks ----

#[test]
fn a_fork_of_a_handle_takes_its_defaults_and_what_is_given_wins() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let defaults = ThreadConfig::new().model("a").cwd("/a").ephemeral(Setting::Null);
    let thread = client.start_thread(defaults).unwrap();
    thread.chat_once("one").unwrap();
    thread.update_defaults(ThreadConfig::new().cwd("/b")).unwrap();
    let fork = thread.fork(ThreadConfig::new().model("c")).unwrap();
    assert_ne!(fork.thread_id(), thread.thread_id());
    assert_eq!(
        sent(&server, "thread/fork"),
        [json!({ "threadId": thread.thread_id(), "excludeTurns": true, "model": "c", "cwd": "/b" })]
    );
    assert_eq!(fork.defaults(), ThreadConfig::new().model("c").cwd("/b"));
    assert_eq!(fork.chat_once("two").unwrap().final_text, "echo: two");
    assert!(sent(&server, "thread/resume").is_empty(), "a fork is loaded");
    assert_eq!(
        (thread.read(true).unwrap().thread.turns.len(), fork.read(true).unwrap().thread.turns.len()),
        (1, 2)
    );
}

// ---- what waits for the next turn ----

#[test]
fn new_defaults_of_a_loaded_thread_travel_with_its_next_turn_once() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new().model("a")).unwrap();
    let change = ThreadConfig::new().model("b").cwd("/b").sandbox(SandboxMode::ReadOnly);
    thread.update_defaults(change.approval_policy(ApprovalPolicy::Never)).unwrap();
    client.set_thread_defaults(thread.thread_id(), ThreadConfig::new().cwd("/c")).unwrap();
    let request = ChatRequest::new("one").overrides(TurnOverrides::new().model("d"));
    client.chat_once(request.thread(thread.thread_id())).unwrap();
    thread.chat_once("two").unwrap();
    let turns = sent(&server, "turn/start");
    let policy = json!({ "type": "readOnly", "networkAccess": false });
    assert_eq!(
        (&turns[0]["model"], &turns[0]["cwd"], &turns[0]["approvalPolicy"], &turns[0]["sandboxPolicy"]),
        (&json!("d"), &json!("/c"), &json!("never"), &policy)
    );
    assert_eq!(turns[1].as_object().unwrap().keys().collect::<Vec<_>>(), ["input", "threadId"]);
    assert!(sent(&server, "thread/resume").is_empty() && sent(&server, "thread/loaded/list").is_empty());
    assert_eq!(thread.defaults().model, Setting::from("b"));
}

#[test]
fn new_defaults_wait_until_a_turn_was_started_with_them() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    thread.update_defaults(ThreadConfig::new().model("b")).unwrap();
    let chat = || spawn_with(&thread, |thread| thread.chat("x").map(drop));
    let chatting = chat();
    let request = server.expect("turn/start");
    assert_eq!(request["params"]["model"], "b");
    server.refuse(&request, -32600, "not now");
    assert!(chatting.join().unwrap().is_err());
    for model in [json!("b"), Value::Null] {
        let chatting = chat();
        assert_eq!(server.begin_turn_on("u")["params"]["model"], model);
        chatting.join().unwrap().unwrap();
        server.complete("completed");
    }
}

#[test]
fn new_defaults_of_a_loaded_thread_that_no_turn_can_carry_are_refused_by_name() {
    let server = ScriptedServer::new();
    let thread = server.client().unwrap().start_thread(ThreadConfig::new().model("a")).unwrap();
    let change =
        ThreadConfig::new().model("b").base_instructions("x").config(json!({ "y": 1 })).ephemeral(true);
    let told = invalid(thread.update_defaults(change));
    for name in ["baseInstructions", "config", "ephemeral"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(!told.contains("model"), "{told}");
    assert_eq!(thread.defaults(), ThreadConfig::new().model("a"));
    thread.chat_once("one").unwrap();
    assert!(sent(&server, "turn/start")[0].get("model").is_none(), "nothing of a refused change waits");
}

#[test]
fn new_defaults_of_a_thread_that_is_not_loaded_are_given_to_the_server() {
    let (client, server, id) = stored();
    client.set_thread_defaults(&id, ThreadConfig::new().model("b").base_instructions("x")).unwrap();
    assert_eq!(
        sent(&server, "thread/resume"),
        [json!({ "threadId": id, "excludeTurns": true, "model": "b", "baseInstructions": "x" })]
    );
    client.chat_once(ChatRequest::new("two").thread(&id)).unwrap();
    assert!(sent(&server, "turn/start")[1].get("model").is_none());
    assert_eq!(sent(&server, "thread/resume").len(), 1);
    let (client, server, id) = stored();
    assert!(
        invalid(client.set_thread_defaults(&id, ThreadConfig::new().ephemeral(true))).contains("ephemeral")
    );
    assert!(sent(&server, "thread/resume").is_empty());
}

#[test]
fn what_waits_outlives_the_unloading_of_its_thread() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    thread.update_defaults(ThreadConfig::new().model("b")).unwrap();
    server.notify("thread/closed", json!({ "threadId": "t" }));
    let chatting = spawn(move || thread.chat("x").map(drop));
    open(&mut server, "thread/resume");
    assert_eq!(server.begin_turn_on("u")["params"]["model"], "b");
    chatting.join().unwrap().unwrap();
}

#[test]
fn what_waited_is_not_sent_again_after_a_turn_whose_thread_had_to_be_loaded_anew() {
    for config in [ThreadConfig::new(), ThreadConfig::new().model("c")] {
        let (client, mut server) = served();
        let thread = thread(&client, &mut server);
        thread.update_defaults(ThreadConfig::new().model("a")).unwrap();
        let chatting = spawn(move || {
            let overrides = TurnOverrides::new().model("b");
            client
                .chat(ChatRequest::new("x").thread("t").thread_config(config).overrides(overrides))
                .map(drop)
        });
        let request = server.expect("turn/start");
        server.refuse(&request, -32600, "thread not found: t");
        open(&mut server, "thread/resume");
        assert_eq!(server.begin_turn_on("u")["params"]["model"], "b");
        chatting.join().unwrap().unwrap();
        server.complete("completed");
        let chatting = spawn(move || thread.chat("x").map(drop));
        assert_eq!(server.begin_turn_on("v")["params"].get("model"), None);
        chatting.join().unwrap().unwrap();
    }
}

#[test]
fn what_a_resume_applied_is_not_undone_by_what_waited_before() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    thread.update_defaults(ThreadConfig::new().model("a").cwd("/a")).unwrap();
    thread.archive().unwrap();
    thread.unarchive().unwrap();
    let resumed = client.resume_thread(thread.thread_id(), ThreadConfig::new().model("b")).unwrap();
    assert!(resumed.not_applied().is_empty());
    resumed.chat_once("two").unwrap();
    let turn = &sent(&server, "turn/start")[1];
    assert_eq!((&turn["model"], &turn["cwd"]), (&json!("b"), &json!("/a")));
}

#[test]
fn a_resume_of_a_thread_loaded_here_lets_wait_what_can_and_lists_the_rest() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let id = client.start_thread(ThreadConfig::new()).unwrap().thread_id().to_owned();
    let config = ThreadConfig::new().model("b").developer_instructions("x");
    let resumed = client.resume_thread(&id, config).unwrap();
    assert_eq!(resumed.not_applied(), ["developerInstructions"]);
    client.chat_once(ChatRequest::new("one").thread(&id)).unwrap();
    assert_eq!(sent(&server, "turn/start")[0]["model"], "b");
}

#[test]
fn a_resume_of_a_thread_that_others_have_loaded_asks_for_all_pages_of_the_loaded_ones() {
    let (client, mut server) = served();
    let resuming = spawn_with(&client, |client| {
        client.resume_thread("t", ThreadConfig::new().model("b").base_instructions("x"))
    });
    for (cursor, page) in
        [(Value::Null, json!({ "data": ["x"], "nextCursor": "2" })), (json!("2"), json!({ "data": ["t"] }))]
    {
        let request = server.expect("thread/loaded/list");
        assert_eq!(request["params"]["cursor"], cursor);
        server.reply(&request, page);
    }
    open(&mut server, "thread/resume");
    let thread = resuming.join().unwrap().unwrap();
    assert_eq!(thread.not_applied(), ["baseInstructions"]);
    let chatting = spawn(move || thread.chat("x").map(drop));
    assert_eq!(server.begin_turn_on("u")["params"]["model"], "b");
    chatting.join().unwrap().unwrap();
    // New defaults of such a thread need no request at all.
    let setting =
        spawn_with(&client, |client| client.set_thread_defaults("s", ThreadConfig::new().model("c")));
    let request = server.expect("thread/loaded/list");
    server.reply(&request, json!({ "data": ["s"], "nextCursor": null }));
    setting.join().unwrap().unwrap();
    assert!(server.is_quiet());
}

#[test]
fn a_chat_on_a_thread_that_others_have_loaded_sends_its_configuration_with_the_turn() {
    let (client, mut server) = served();
    let chat = |config: ThreadConfig| {
        spawn_with(&client, move |client| {
            client.chat(ChatRequest::new("x").thread("t").thread_config(config)).map(drop)
        })
    };
    let chatting = chat(ThreadConfig::new().base_instructions("x"));
    let request = server.expect("thread/loaded/list");
    server.reply(&request, json!({ "data": ["t"], "nextCursor": null }));
    assert!(invalid(chatting.join().unwrap()).contains("baseInstructions"));
    let chatting = chat(ThreadConfig::new().model("b"));
    let request = server.expect("thread/loaded/list");
    server.reply(&request, json!({ "data": ["t"], "nextCursor": null }));
    open(&mut server, "thread/resume");
    assert_eq!(server.begin_turn_on("u")["params"]["model"], "b");
    chatting.join().unwrap().unwrap();
}

#[test]
fn a_chat_on_a_stored_thread_refuses_what_a_resume_has_no_place_for() {
    let (client, server, id) = stored();
    let request = ChatRequest::new("two").thread(&id);
    let told = invalid(client.chat(request.thread_config(ThreadConfig::new().model("b").ephemeral(true))));
    assert!(told.contains("ephemeral") && !told.contains("model"), "{told}");
    assert!(sent(&server, "thread/resume").is_empty());
}

#[test]
fn a_server_that_can_not_tell_which_threads_are_loaded_is_taken_at_its_word() {
    let (client, mut server) = served();
    let resuming = spawn(move || client.resume_thread("t", ThreadConfig::new().model("b")));
    let request = server.expect("thread/loaded/list");
    server.refuse(&request, -32600, "Invalid request: unknown variant `thread/loaded/list`");
    assert_eq!(open(&mut server, "thread/resume")["params"]["model"], "b");
    let thread = resuming.join().unwrap().unwrap();
    assert!(thread.not_applied().is_empty());
    let chatting = spawn(move || thread.chat("x").map(drop));
    assert!(server.begin_turn_on("u")["params"].get("model").is_none());
    chatting.join().unwrap().unwrap();
}

#[test]
fn a_configuration_whose_resume_was_refused_is_not_lost() {
    let (client, mut server) = served();
    for (config, travels) in [
        (ThreadConfig::new().sandbox(SandboxMode::ReadOnly), true),
        (ThreadConfig::new().base_instructions("x"), false),
    ] {
        let chatting = spawn_with(&client, move |client| {
            client.chat(ChatRequest::new("x").thread("t").thread_config(config)).map(drop)
        });
        let request = server.expect("thread/loaded/list");
        server.reply(&request, json!({ "data": [], "nextCursor": null }));
        let request = server.expect("thread/resume");
        server.refuse(&request, -32600, "no rollout found");
        if travels {
            assert_eq!(server.begin_turn_on("u")["params"]["sandboxPolicy"]["type"], "readOnly");
            chatting.join().unwrap().unwrap();
        } else {
            let refused = chatting.join().unwrap();
            assert!(matches!(refused, Err(Error::Rpc { method, .. }) if method == "thread/resume"));
        }
    }
}

#[test]
fn a_turn_that_finds_no_thread_says_why_the_thread_could_not_be_resumed() {
    let (client, mut server) = served();
    let refuse = |server: &mut Server, method: &str, message: &str| {
        let request = server.expect(method);
        server.refuse(&request, -32600, message);
    };
    for was_loaded in [false, true] {
        if was_loaded {
            let _ = thread(&client, &mut server);
        }
        let chatting = spawn_with(&client, |client| client.chat(ChatRequest::new("x").thread("t")).map(drop));
        if was_loaded {
            refuse(&mut server, "turn/start", "thread not found: t");
        }
        refuse(&mut server, "thread/resume", "session t is archived");
        refuse(&mut server, "turn/start", "thread not found: t");
        let error = chatting.join().unwrap().unwrap_err();
        assert_eq!(error.to_string().matches("(code -32600)").count(), 1, "{error}");
        let Error::Rpc { method, message, .. } = error else { panic!() };
        assert_eq!(method, "turn/start", "the turn decides");
        assert!(message.starts_with("thread not found: t") && message.contains("is archived"), "{message}");
    }
}

// ---- what is loaded ----

#[test]
fn a_thread_that_is_not_loaded_any_more_is_resumed_before_its_next_turn() {
    for unloading in ["thread/archived", "thread/deleted", "thread/closed", "thread/status/changed"] {
        let (client, mut server) = served();
        let thread = thread(&client, &mut server);
        server.notify(unloading, json!({ "threadId": "t", "status": { "type": "notLoaded" } }));
        let chatting = spawn(move || thread.chat("x").map(drop));
        open(&mut server, "thread/resume");
        server.begin_turn_on("u");
        chatting.join().unwrap().unwrap();
    }
}

#[test]
fn archiving_or_unsubscribing_is_known_without_any_notification() {
    for method in ["thread/archive", "thread/unsubscribe", "thread/delete"] {
        let server = ScriptedServer::new().on_request(method, |_| Ok(json!({})));
        let client = server.client().unwrap();
        let thread = client.start_thread(ThreadConfig::new()).unwrap();
        client.request(method, json!({ "threadId": thread.thread_id() })).unwrap();
        thread.chat_once("x").unwrap();
        assert_eq!(sent(&server, "thread/resume").len(), 1, "{method}");
    }
}

#[test]
fn a_revert_by_others_ends_no_turn_that_is_read() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    for status in ["notLoaded", "idle"] {
        server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": status } }));
    }
    server.message("m", "still here");
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("still here"));
    assert!(!chat.is_ended());
}

#[test]
fn a_call_that_needs_a_loaded_thread_loads_it_and_loads_it_again() {
    let (client, mut server) = served();
    let compacting = spawn_with(&client, |client| client.compact_thread("t"));
    open(&mut server, "thread/resume");
    let request = server.expect("thread/compact/start");
    server.reply(&request, json!({}));
    compact(&mut server, "completed");
    compacting.join().unwrap().unwrap();
    let compacting = spawn(move || client.compact_thread("t"));
    let request = server.expect("thread/compact/start");
    server.refuse(&request, -32600, "thread not found: t");
    open(&mut server, "thread/resume");
    let request = server.expect("thread/compact/start");
    server.reply(&request, json!({}));
    compact(&mut server, "completed");
    compacting.join().unwrap().unwrap();
}

// ---- compaction ----

/// The turn of a compaction, `c`, which no reply names.
fn compact(server: &mut Server, status: &str) {
    server.notify("turn/started", json!({ "threadId": "t", "turn": { "id": "c", "rootTurnId": "c" } }));
    compaction_item(server, "item/started");
    compaction_item(server, "item/completed");
    let error = (status == "failed").then(|| json!({ "message": "too long", "codexErrorInfo": "other" }));
    let turn = json!({ "id": "c", "items": [], "status": status, "error": error });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
}

fn compaction_item(server: &mut Server, method: &str) {
    let item = json!({ "type": "contextCompaction", "id": "i" });
    server.notify(method, json!({ "threadId": "t", "turnId": "c", "item": item }));
}

/// A compaction that the server has begun, as far as its reply tells.
fn compacting(builder: ClientBuilder) -> (Client, Server, JoinHandle<Result<()>>) {
    let (client, mut server) = served_with(builder);
    let thread = thread(&client, &mut server);
    let compacting = spawn(move || thread.compact());
    let request = server.expect("thread/compact/start");
    server.reply(&request, json!({}));
    (client, server, compacting)
}

#[test]
fn a_compaction_that_fails_is_an_error_with_the_servers_reason() {
    let (_client, mut server, compacting) = compacting(Client::builder());
    compact(&mut server, "failed");
    let error = compacting.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::TurnFailed { message, .. } if message == "too long"), "{error:?}");
}

#[test]
fn a_compaction_returns_when_it_is_over_and_not_before() {
    let (client, mut server, compacting) = compacting(Client::builder());
    // Turns of others begin and end on the thread meanwhile.
    server.notify("turn/started", json!({ "threadId": "t", "turn": { "id": "o", "rootTurnId": "o" } }));
    let item = json!({ "type": "userMessage", "id": "i", "content": [] });
    server.notify("item/completed", json!({ "threadId": "t", "turnId": "o", "item": item }));
    server.notify("turn/completed", json!({ "threadId": "t", "turn": { "id": "o", "status": "failed" } }));
    server.notify("turn/started", json!({ "threadId": "t", "turn": { "id": "c", "rootTurnId": "c" } }));
    compaction_item(&mut server, "item/started");
    await_that("the compaction runs", || client.stats().running_turns == 1);
    assert!(!compacting.is_finished());
    server.notify("turn/completed", json!({ "threadId": "t", "turn": { "id": "c", "status": "completed" } }));
    compacting.join().unwrap().unwrap();
    assert_eq!((client.stats().running_turns, client.stats().kept_bytes), (0, 0));
}

#[test]
fn a_compaction_that_does_not_begin_or_does_not_end_is_a_timeout_that_names_it() {
    for begins in [false, true] {
        let builder = Client::builder().inactivity_timeout(Duration::from_millis(200));
        let (client, mut server, compacting) = compacting(builder);
        if begins {
            server
                .notify("turn/started", json!({ "threadId": "t", "turn": { "id": "c", "rootTurnId": "c" } }));
            let request = server.expect("thread/turns/list");
            server.reply(&request, json!({ "data": [{ "id": "c", "status": "inProgress", "items": [] }] }));
        }
        let error = compacting.join().unwrap().unwrap_err();
        let Error::Timeout { limit: Timeout::Compaction { thread_id, .. }, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(thread_id, "t");
        assert_eq!(client.stats().kept_bytes, 0);
    }
}

#[test]
fn of_two_compactions_at_once_the_interrupted_one_ends_first() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let first = spawn_with(&thread, |thread| thread.compact());
    let request = server.expect("thread/compact/start");
    server.reply(&request, json!({}));
    let second = spawn_with(&thread, |thread| thread.compact());
    let request = server.expect("thread/compact/start");
    // Before its item.
    server.notify("turn/started", json!({ "threadId": "t", "turn": { "id": "k", "rootTurnId": "k" } }));
    let turn = json!({ "id": "k", "items": [], "status": "interrupted", "error": null });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    server.reply(&request, json!({}));
    compact(&mut server, "completed");
    assert!(matches!(first.join().unwrap(), Err(Error::TurnInterrupted { .. })));
    second.join().unwrap().unwrap();
}

#[test]
fn an_old_server_begins_a_compaction_with_its_item() {
    let (client, mut server) = served();
    server.version = "0.106.0";
    let thread = thread(&client, &mut server);
    let compacting = spawn(move || thread.compact());
    let request = server.expect("thread/compact/start");
    server.reply(&request, json!({}));
    compaction_item(&mut server, "item/started");
    compaction_item(&mut server, "item/completed");
    server.notify("turn/completed", json!({ "threadId": "t", "turn": { "id": "c", "status": "completed" } }));
    compacting.join().unwrap().unwrap();
}

#[test]
fn a_compaction_ends_with_the_connection() {
    let (client, _server, compacting) = compacting(Client::builder());
    client.close().unwrap();
    assert_eq!(compacting.join().unwrap().unwrap_err().code(), "closed");
}

const COMPACTING: &str = "failed to submit turn input: ActiveTurnNotSteerable { turn_kind: Compact }";

#[test]
fn a_chat_that_meets_a_compaction_waits_for_its_end() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let chat = spawn(move || thread.chat_once("go on"));
    for _ in 0..3 {
        let request = server.expect("turn/start");
        server.refuse(&request, -32603, COMPACTING);
    }
    server.begin_turn_on("u");
    server.message("m", "gone on");
    server.complete("completed");
    assert_eq!(chat.join().unwrap().unwrap().final_text, "gone on");
}

#[test]
fn a_chat_waits_for_a_compaction_no_longer_than_for_a_reply() {
    let (client, mut server) = served_with(Client::builder().request_timeout(Duration::from_millis(300)));
    let thread = thread(&client, &mut server);
    let chat = spawn(move || thread.chat_once("go on"));
    while !chat.is_finished() {
        if let Some(request) = server.next_request(Duration::from_millis(10)) {
            server.refuse(&request, -32603, COMPACTING);
        }
    }
    let error = chat.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Compaction { .. }, .. }), "{error:?}");
}

// ---- rollback ----

/// Turns of these ids and roots, as `thread/turns/list` gives them.
fn turns(entries: &[(&str, &str)]) -> Vec<Value> {
    let turn = |(id, root): &(&str, &str)| json!({ "id": id, "rootTurnId": root, "items": [], "itemsView": "notLoaded", "status": "completed" });
    entries.iter().map(turn).collect()
}

#[test]
fn a_rollback_reverts_to_before_the_oldest_of_the_last_turns() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let ids: Vec<_> = ["one", "two", "three"].map(|text| thread.chat_once(text).unwrap().turn_id).into();
    let left = thread.rollback(2).unwrap();
    assert_eq!(left.thread.turns.iter().map(|turn| &turn.id).collect::<Vec<_>>(), [&ids[0]]);
    assert_eq!(
        sent(&server, "thread/revert"),
        [json!({ "threadId": thread.thread_id(), "beforeTurnId": ids[1] })]
    );
    let list = json!({ "threadId": thread.thread_id(), "limit": 100, "itemsView": "notLoaded" });
    assert_eq!(sent(&server, "thread/turns/list"), [list]);
    thread.chat_once("four").unwrap();
    assert!(client.rollback_thread(thread.thread_id(), 99).unwrap().thread.turns.is_empty());
    assert!(thread.rollback(1).unwrap().thread.turns.is_empty(), "of nothing, nothing is left");
    assert_eq!(sent(&server, "thread/revert").len(), 2);
    assert!(sent(&server, "thread/rollback").is_empty() && sent(&server, "thread/resume").is_empty());
}

#[test]
fn a_rollback_of_many_turns_goes_through_the_pages_and_a_review_is_one_turn() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(3));
    open(&mut server, "thread/read");
    let pages = [
        (json!({ "data": turns(&[("e", "e"), ("review", "review")]), "nextCursor": "2" }), Value::Null),
        (json!({ "data": turns(&[("said", "review"), ("c", "c")]), "nextCursor": "3" }), json!("2")),
        (json!({ "data": turns(&[("b", "b"), ("a", "a")]), "nextCursor": null }), json!("3")),
    ];
    for (page, cursor) in pages {
        let request = server.expect("thread/turns/list");
        assert_eq!(request["params"]["cursor"], cursor);
        server.reply(&request, page);
    }
    let request = server.expect("thread/revert");
    assert_eq!(request["params"]["beforeTurnId"], "c");
    // As the real one: not loaded, loaded anew.
    for status in ["notLoaded", "idle"] {
        server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": status } }));
    }
    server.reply(&request, json!({ "thread": stored_thread() }));
    server.notify("thread/reverted", json!({ "threadId": "t" }));
    let request = open(&mut server, "thread/read");
    assert_eq!(request["params"]["includeTurns"], true);
    rolling.join().unwrap().unwrap();
}

#[test]
fn the_pages_of_a_rollback_have_one_limit_together() {
    let (client, mut server) = served();
    let client = client.with_request_timeout(std::time::Duration::from_secs(2));
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(u32::MAX));
    open(&mut server, "thread/read");
    let began = std::time::Instant::now();
    for page in 0.. {
        let Some(request) = server.next_request(std::time::Duration::from_millis(20)) else {
            if rolling.is_finished() {
                break;
            }
            continue;
        };
        assert_eq!(request["method"], "thread/turns/list");
        assert!(began.elapsed() < PATIENCE, "it goes on for ever");
        let turn = turns(&[(&format!("{page}"), &format!("{page}"))]);
        server.reply(&request, json!({ "data": turn, "nextCursor": format!("{page}") }));
    }
    assert!(matches!(rolling.join().unwrap(), Err(Error::Timeout { .. })));
}

#[test]
fn an_empty_page_is_the_last_one_of_a_rollback() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(9));
    open(&mut server, "thread/read");
    for (page, cursor) in [(turns(&[("a", "a")]), "2"), (turns(&[]), "3")] {
        let request = server.expect("thread/turns/list");
        server.reply(&request, json!({ "data": page, "nextCursor": cursor }));
    }
    let request = server.expect("thread/revert");
    assert_eq!(request["params"]["beforeTurnId"], "a");
    server.reply(&request, json!({ "thread": stored_thread() }));
    open(&mut server, "thread/read");
    rolling.join().unwrap().unwrap();
}

#[test]
fn after_a_rollback_the_thread_is_used_without_another_resume() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let rolling = spawn_with(&thread, |thread| thread.rollback(1));
    open(&mut server, "thread/read");
    let request = server.expect("thread/turns/list");
    server.reply(&request, json!({ "data": turns(&[("a", "a")]), "nextCursor": null }));
    let request = server.expect("thread/revert");
    server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": "notLoaded" } }));
    server.reply(&request, json!({ "thread": stored_thread() }));
    open(&mut server, "thread/read");
    rolling.join().unwrap().unwrap();
    let chatting = spawn(move || thread.chat("x").map(drop));
    server.begin_turn_on("u");
    chatting.join().unwrap().unwrap();
}

/// The cause that an error keeps of turns that were taken back.
fn cause_after_rollback(result: Result<Reply<protocol::ThreadReadResponse>>) -> Error {
    match result {
        Err(error @ Error::RolledBack { .. }) => {
            assert!(!error.is_retryable(), "a repeat takes more turns back");
            let cause = std::error::Error::source(&error).unwrap();
            cause.downcast_ref::<Error>().unwrap().clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rollback_whose_thread_can_not_be_read_afterwards_is_told_as_done() {
    let (client, mut server) = served();
    // A server that is overloaded until the limit.
    let client = client.with_request_timeout(std::time::Duration::from_secs(3));
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(1));
    open(&mut server, "thread/read");
    let request = server.expect("thread/turns/list");
    server.reply(&request, json!({ "data": turns(&[("a", "a")]), "nextCursor": null }));
    let request = server.expect("thread/revert");
    server.reply(&request, json!({ "thread": stored_thread() }));
    while !rolling.is_finished() {
        if let Some(request) = server.next_request(std::time::Duration::from_millis(20)) {
            assert_eq!(request["method"], "thread/read");
            server.refuse(&request, -32001, "overloaded");
        }
    }
    assert!(cause_after_rollback(rolling.join().unwrap()).is_retryable());
}

#[test]
fn a_rollback_of_an_old_server_whose_reply_can_not_be_read_is_told_as_done() {
    let (client, mut server) = served();
    server.version = "0.128.0";
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(1));
    let request = server.expect("thread/rollback");
    server.reply(&request, json!({ "thread": 1 }));
    assert!(matches!(cause_after_rollback(rolling.join().unwrap()), Error::Decode { .. }));
}

#[test]
fn a_rollback_of_nothing_is_not_told_as_done() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(1));
    open(&mut server, "thread/read");
    let request = server.expect("thread/turns/list");
    server.reply(&request, json!({ "data": [], "nextCursor": null }));
    let request = server.expect("thread/read");
    server.refuse(&request, -32600, "no");
    assert!(matches!(rolling.join().unwrap(), Err(Error::Rpc { .. })));
}

#[test]
fn a_thread_that_can_not_be_taken_back_is_told_before_its_turn_would_be_interrupted() {
    for (field, value, word) in
        [("historyMode", json!("legacy"), "fork_thread_at"), ("ephemeral", json!(true), "ephemeral")]
    {
        let (client, mut server) = served();
        let thread = thread(&client, &mut server);
        let rolling = spawn(move || thread.rollback(1));
        let request = server.expect("thread/read");
        let mut stored = stored_thread();
        stored[field] = value;
        server.reply(&request, json!({ "thread": stored }));
        let told = invalid(rolling.join().unwrap());
        assert!(told.contains(word), "{told}");
        assert!(server.is_quiet());
    }
}

#[test]
fn an_old_server_rolls_back_by_itself() {
    for version in ["0.106.0", "0.128.0"] {
        let (client, mut server) = served();
        server.version = version;
        let rolling = spawn(move || client.rollback_thread("t", 2));
        open(&mut server, "thread/resume");
        let request = server.expect("thread/rollback");
        assert_eq!(request["params"], json!({ "threadId": "t", "numTurns": 2 }));
        let mut left = stored_thread();
        left["turns"] = json!([{ "id": "a", "items": [], "status": "completed", "error": null }]);
        server.reply(&request, json!({ "thread": left }));
        assert_eq!(rolling.join().unwrap().unwrap().thread.turns.len(), 1);
    }
}

#[test]
fn a_server_without_a_version_is_asked_in_the_old_way_first() {
    let (client, mut server) = served();
    server.version = "unknown";
    let thread = thread(&client, &mut server);
    let rolling = spawn(move || thread.rollback(1));
    let request = server.expect("thread/rollback");
    server.refuse(
        &request,
        -32600,
        "Invalid request: unknown variant `thread/rollback`, expected one of `x`",
    );
    open(&mut server, "thread/read");
    let request = server.expect("thread/turns/list");
    server.reply(&request, json!({ "data": turns(&[("a", "a")]), "nextCursor": null }));
    let request = server.expect("thread/revert");
    server.reply(&request, json!({ "thread": stored_thread() }));
    open(&mut server, "thread/read");
    rolling.join().unwrap().unwrap();
}

// ---- reviews ----

/// Starts a review whose turn is `r`, in this thread.
fn review(client: &Client, server: &mut Server, delivery: Option<ReviewDelivery>, thread_id: &str) -> Chat {
    let starting = spawn_with(client, move |client| {
        client.start_review("t", ReviewTarget::UncommittedChanges, delivery)
    });
    accept_review(server, thread_id);
    starting.join().unwrap().unwrap()
}

fn accept_review(server: &mut Server, thread_id: &str) {
    let request = server.expect("review/start");
    assert_eq!(request["params"]["target"], json!({ "type": "uncommittedChanges" }));
    let turn = json!({ "id": "r", "rootTurnId": null, "items": [], "status": "inProgress" });
    server.reply(&request, json!({ "turn": turn, "reviewThreadId": thread_id }));
}

/// The end of the review, with its text.
fn end_review(server: &mut Server, thread_id: &str, status: &str) {
    for item in
        [json!({ "type": "exitedReviewMode", "id": "x", "review": "one bug" }), message("m", "one bug")]
    {
        server.notify("item/completed", json!({ "threadId": thread_id, "turnId": "r", "item": item }));
    }
    let turn = json!({ "id": "r", "items": [], "status": status, "error": null });
    server.notify("turn/completed", json!({ "threadId": thread_id, "turn": turn }));
}

#[test]
fn a_review_is_a_chat_and_leaves_what_waits_for_the_next_turn() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    thread.update_defaults(ThreadConfig::new().model("b")).unwrap();
    let mut chat = review(&client, &mut server, None, "t");
    end_review(&mut server, "t", "completed");
    let types: Vec<_> = chat.by_ref().map(|step| step.step_type.to_string()).collect();
    assert_eq!(types, ["exitedReviewMode", "codex"]);
    assert_eq!(chat.finish().unwrap().final_text, "one bug");
    let chatting = spawn(move || thread.chat("x").map(drop));
    assert_eq!(server.begin_turn_on("u")["params"]["model"], "b");
    chatting.join().unwrap().unwrap();
}

#[test]
fn a_review_is_read_as_events_too() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let starting = spawn(move || thread.start_review_events(ReviewTarget::UncommittedChanges, None));
    accept_review(&mut server, "t");
    let mut events = starting.join().unwrap().unwrap();
    let delta = json!({ "threadId": "t", "turnId": "r", "itemId": "m", "delta": "one" });
    server.notify("item/agentMessage/delta", delta);
    end_review(&mut server, "t", "completed");
    let deltas = events.by_ref().filter(|event| matches!(event, TurnEvent::TextDelta { .. })).count();
    assert_eq!((deltas, events.finish().unwrap().final_text.as_str()), (1, "one bug"));
}

#[test]
fn a_review_is_interrupted_under_the_id_it_runs_with_also_where_its_root_is_not_told() {
    for (version, root) in [("0.169.0", json!("r")), ("0.128.0", Value::Null)] {
        let (client, mut server) = served();
        server.version = version;
        let _thread = thread(&client, &mut server);
        let chat = review(&client, &mut server, Some(ReviewDelivery::Inline), "t");
        let turn = json!({ "id": "s", "rootTurnId": root });
        server.notify("turn/started", json!({ "threadId": "t", "turn": turn }));
        let handle = chat.handle();
        let interrupting = spawn(move || handle.interrupt());
        let request = server.expect("turn/interrupt");
        assert_eq!(request["params"], json!({ "threadId": "t", "turnId": "s" }));
        server.reply(&request, json!({}));
        interrupting.join().unwrap().unwrap();
        end_review(&mut server, "t", "interrupted");
        assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { turn_id, .. }) if turn_id == "r"));
    }
}

#[test]
fn a_detached_review_is_refused_before_it_is_sent_where_the_version_tells_it() {
    let (client, mut server) = served();
    let starting = spawn(move || {
        client.initialize().unwrap();
        client.start_review("t", ReviewTarget::UncommittedChanges, Some("detached".into()))
    });
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "x/0.169.0 (y)" }));
    assert!(invalid(starting.join().unwrap()).contains("fork_thread"));
    assert_eq!(server.recv()["method"], "initialized");
    assert!(server.is_quiet());
}

#[test]
fn a_detached_review_that_an_unknown_server_refuses_points_to_the_fork_too() {
    let (client, mut server) = served();
    server.version = "unknown";
    let thread = thread(&client, &mut server);
    let starting = spawn(move || {
        thread.start_review(ReviewTarget::UncommittedChanges, Some(ReviewDelivery::detached()))
    });
    let request = server.expect("review/start");
    assert_eq!(request["params"]["delivery"], "detached");
    server.refuse(&request, -32600, "Invalid request: unknown variant `detached`, expected `inline`");
    assert!(invalid(starting.join().unwrap()).contains("fork_thread"));
}

#[test]
fn a_detached_review_of_an_old_server_is_read_in_its_own_thread() {
    let (client, mut server) = served();
    server.version = "0.128.0";
    let _thread = thread(&client, &mut server);
    let chat = review(&client, &mut server, Some(ReviewDelivery::detached()), "elsewhere");
    assert_eq!((chat.thread_id(), chat.turn_id()), ("elsewhere", "r"));
    end_review(&mut server, "elsewhere", "completed");
    assert_eq!(chat.finish().unwrap().final_text, "one bug");
    assert_eq!(client.stats().running_turns, 0);
    let chatting = spawn(move || client.chat(ChatRequest::new("x").thread("elsewhere")).map(drop));
    server.begin_turn_on("u");
    chatting.join().unwrap().unwrap();
}

// ---- answers of a shape ----

#[test]
fn an_answer_of_a_shape_is_asked_for_with_its_schema_and_decoded() {
    let server = ScriptedServer::new().on_turn(|_| testing::TurnScript::new().message(r#"{"n": 3}"#));
    let thread = server.client().unwrap().start_thread(ThreadConfig::new()).unwrap();
    let schema = json!({ "type": "object" });
    let request = ChatRequest::new("count").overrides(TurnOverrides::new().model("m"));
    let answer = thread.chat_json::<Value>(request, &schema).unwrap();
    assert_eq!(answer.value["n"], 3);
    assert_eq!(answer.result.final_text, r#"{"n": 3}"#);
    assert_eq!((answer.result.steps.len(), answer.result.usage.unwrap().total_tokens), (2, 15));
    let turn = &sent(&server, "turn/start")[0];
    assert_eq!((&turn["outputSchema"], &turn["model"]), (&schema, &json!("m")));
}

#[test]
fn an_answer_of_another_shape_is_an_error_that_keeps_its_text() {
    for text in ["three", "```json\n{\"n\": 3}\n```", r#"{"n": "three"}"#] {
        let server = ScriptedServer::new().on_turn(move |_| testing::TurnScript::new().message(text));
        #[derive(Debug, serde::Deserialize)]
        struct Count {
            #[allow(dead_code, reason = "it is never read")]
            n: u32,
        }
        let answer = server.client().unwrap().chat_json::<Count>("count", json!({}));
        let error = answer.unwrap_err();
        let Error::Decode { raw, .. } = &error else { panic!("{error:?}") };
        assert_eq!(&**raw, text);
        assert_eq!(error.steps()[1].text.as_deref(), Some(text));
        assert_eq!(error.usage().unwrap().total_tokens, 15);
    }
}

#[test]
fn a_schema_is_set_once_and_is_an_object_and_not_for_a_turn_that_runs() {
    let (client, mut server) = served();
    let token = chatting(&client, &mut server).continuation();
    let schema = || json!({ "type": "object" });
    let has_one = ChatRequest::new("x").overrides(TurnOverrides::new().output_schema(schema()));
    invalid(client.chat_json::<Value>(has_one, schema()));
    invalid(client.chat_json::<Value>("x", "a string"));
    invalid(client.chat_json::<Value>(token, schema()));
    assert!(server.is_quiet());
}
