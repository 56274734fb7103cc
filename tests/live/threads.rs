//! The documented calls on threads, configuration and models: seen by what they change at the server, and by
//! what reaches the model.
//!
//! Relies on `support/live.rs`. Invariant: each case has its own server and its own model, so that all can run
//! at once.

use codex_blocking::protocol::{
    ServerNotification, ThreadItem, ThreadLoadedListParams, ThreadStartParams, Turn, TurnStatus, WriteStatus,
};
use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::*;
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::{Live, stdio};
use crate::support::real::{RealHome, is_before, is_old_server};
use crate::{asked, said};

cases![
    a_thread_is_named_read_archived_and_taken_back,
    a_thread_of_a_list_is_named_and_archived_without_loading_it_and_goes_on_later,
    a_thread_without_a_turn_is_archived_without_an_error_and_an_unknown_one_is_not,
    a_thread_that_another_server_has_loaded_is_refused_with_what_to_do,
    threads_are_listed_by_all_options,
    compacting_runs_a_turn_of_its_own_and_loads_the_thread_for_it,
    developer_instructions_of_a_resumed_thread_hold_once_it_is_compacted,
    a_fork_knows_what_was_said_and_goes_its_own_way,
    new_defaults_of_a_loaded_thread_reach_the_model_and_stay,
    new_defaults_of_a_thread_that_is_not_loaded_reach_the_model,
    a_resume_of_a_loaded_thread_changes_what_a_turn_can_carry_and_lists_the_rest,
    a_thread_that_is_loaded_without_this_clients_events_is_found_out,
    the_server_takes_null_for_every_field_that_is_not_refused_here,
    after_a_rollback_the_model_knows_the_turns_that_are_left,
    a_thread_that_is_not_loaded_is_rolled_back_too,
    a_rollback_goes_through_more_than_a_page_of_turns,
    a_review_is_rolled_back_as_one_turn,
    threads_that_can_not_be_taken_back_are_told_and_a_fork_does_it,
    a_review_is_a_chat_with_steps_and_a_result,
    a_review_is_interrupted_and_cancelled_as_any_turn,
    a_review_loads_its_thread_and_leaves_what_waits_for_the_next_turn,
    a_turn_is_steered_by_its_ids,
    a_turn_that_has_ended_is_not_steered,
    an_answer_of_a_shape_is_decoded_and_its_schema_reaches_the_model,
    the_schema_of_a_type_reaches_the_model,
    a_value_is_written_and_a_stale_version_is_refused,
    a_batch_is_written_as_a_whole_or_not_at_all,
    models_are_listed_in_pages,
    turns_are_read_oldest_first_with_all_items_over_several_pages,
    threads_and_models_are_read_over_several_pages,
    a_thread_without_a_turn_has_no_turns,
    a_fork_at_a_turn_ends_with_it_and_the_model_knows_no_more,
    a_fork_before_a_turn_ends_before_it,
    a_handle_tells_what_the_server_answered,
    the_server_takes_every_parameter_that_has_a_setter,
    an_id_of_the_programs_own_comes_back_in_history,
    the_output_of_a_tool_from_outside_reaches_the_model_unless_the_server_would_ignore_it,
];

/// A thread with these turns.
fn thread_of(live: &Live, texts: &[&str]) -> ThreadHandle {
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for text in texts {
        thread.chat_once(*text).unwrap();
    }
    thread
}

fn rpc<T: std::fmt::Debug>(result: Result<T>) -> (String, Option<Value>) {
    match result {
        Err(Error::Rpc { message, data, .. }) => (message, data.map(|data| *data)),
        other => panic!("{other:?}"),
    }
}

// ---- reading, listing, keeping ----

fn a_thread_is_named_read_archived_and_taken_back() {
    let live = Live::new();
    let thread = thread_of(&live, &["one", "two"]);
    thread.set_name("a name").unwrap();
    let read = thread.read(false).unwrap();
    assert_eq!((read.thread.name.as_deref(), read.thread.turns.len()), (Some("a name"), 0));
    let read = thread.read(true).unwrap();
    assert_eq!(read.thread.turns.len(), 2);
    assert!(
        matches!(&read.thread.turns[1].items[..], [ThreadItem::UserMessage(_), ThreadItem::AgentMessage(said)]
        if said.text == "echo: two")
    );

    thread.archive().unwrap();
    let list = |archived| live.client.list_threads(ListThreads::new().archived(archived)).unwrap().data.len();
    assert_eq!((list(true), list(false)), (1, 0));
    assert!(rpc(thread.archive()).0.contains("no rollout found"));
    // Old servers resume it all the same, or refuse in other words.
    if !is_old_server() {
        let refused = rpc(live.client.resume_thread(thread.thread_id(), ThreadConfig::new()));
        assert!(refused.0.contains("archived"), "{refused:?}");
        let refused = thread.chat("x").unwrap_err().to_string();
        assert!(refused.contains("archived") && refused.matches("(code ").count() == 1, "{refused}");
    }
    thread.unarchive().unwrap();
    assert_eq!((list(true), list(false)), (0, 1));
    // It is not loaded, and is resumed without being asked.
    assert_eq!(thread.chat_once("three").unwrap().final_text, "echo: three");
    assert_eq!(said(&live), ["one", "two", "three"]);
}

fn a_thread_of_a_list_is_named_and_archived_without_loading_it_and_goes_on_later() {
    let live = Live::new();
    thread_of(&live, &["one"]).unload().unwrap();
    let listed = live.client.list_threads(ListThreads::new()).unwrap();
    let thread = live.client.thread(&listed.data[0].id);
    thread.set_name("a name").unwrap();
    thread.archive().unwrap();
    thread.unarchive().unwrap();
    assert_eq!(thread.read(false).unwrap().thread.name.as_deref(), Some("a name"));
    let loaded = live.client.request("thread/loaded/list", json!({})).unwrap();
    assert_eq!(loaded["data"], json!([]));
    assert_eq!(thread.chat_once("two").unwrap().final_text, "echo: two");
    assert_eq!(said(&live), ["one", "two"]);
}

fn a_thread_without_a_turn_is_archived_without_an_error_and_an_unknown_one_is_not() {
    let live = Live::new();
    let unknown = live.client.archive_thread("01a2057f-bb7b-7251-9c86-330d3cad9938");
    assert!(rpc(unknown).0.contains("no rollout found"));
    if is_old_server() {
        return;
    }
    let thread = thread_of(&live, &[]);
    thread.archive().unwrap();
    let archived = live.client.list_threads(ListThreads::new().archived(true)).unwrap();
    assert_eq!(archived.data[0].id, thread.thread_id());
    thread.unarchive().unwrap();
    assert_eq!(thread.chat_once("one").unwrap().final_text, "echo: one");
}

fn a_thread_that_another_server_has_loaded_is_refused_with_what_to_do() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    let id = thread.thread_id().to_owned();
    let next = Client::connect(stdio(&live.home, live.home.command())).unwrap();
    if is_old_server() {
        // It takes the thread all the same.
        return;
    }
    let refused = next.resume_thread(&id, ThreadConfig::new()).unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, Error::Rpc { .. }) && text.contains(&id), "{refused:?}");
    assert!(text.contains("close the client that started it"), "{text}");
    let refused = next.chat_once(ChatRequest::new("two").thread(&id)).unwrap_err().to_string();
    assert!(refused.contains("close the client that started it"), "{refused}");
    // A handle alone keeps its client, and so the server.
    let Live { client, daemon, home } = live;
    drop(client);
    assert!(next.resume_thread(&id, ThreadConfig::new()).is_err());
    drop((thread, daemon));
    assert_eq!(next.resume_thread(&id, ThreadConfig::new()).unwrap().thread_id(), id);
    drop((next, home));
}

fn threads_are_listed_by_all_options() {
    let live = Live::new();
    let client = &live.client;
    let elsewhere = live.home.workspace().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let ids: Vec<_> = ["alpha", "beta", "gamma"]
        .map(|text| {
            let cwd = if text == "beta" { elsewhere.clone() } else { live.home.workspace() };
            let request = ChatRequest::new(text).thread_config(ThreadConfig::new().cwd(cwd));
            client.chat_once(request).unwrap().thread_id
        })
        .into();
    let list = |options: ListThreads| -> Vec<String> {
        let page = client.list_threads(options).unwrap();
        page.data.iter().map(|thread| thread.id.clone()).collect()
    };
    let newest: Vec<_> = ids.iter().rev().cloned().collect();
    // Creation is known to the second, so that only the sets are certain.
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(list(ListThreads::new())), sorted(newest));
    let by_creation = ListThreads::new().sort_key(ThreadSortKey::CreatedAt);
    let up = list(by_creation.clone().sort_direction(SortDirection::Asc));
    let mut down = list(by_creation.sort_direction(SortDirection::Desc));
    // The first servers know of no direction.
    if !is_before(128) {
        down.reverse();
    }
    assert_eq!(up, down);
    assert_eq!(list(ListThreads::new().cwd(&elsewhere)), ids[1..2]);
    if !is_before(128) {
        assert_eq!(list(ListThreads::new().cwds([&elsewhere, &live.home.workspace()])).len(), 3);
    }
    if !is_old_server() {
        assert!(list(ListThreads::new().section_id("none")).is_empty());
        assert_eq!(list(ListThreads::new().use_state_db_only(true)).len(), 3);
    }
    assert_eq!(list(ListThreads::new().model_providers(["mock"])).len(), 3);
    assert!(list(ListThreads::new().model_providers(["another"])).is_empty());
    assert_eq!(list(ListThreads::new().source_kinds([ThreadSourceKind::Vscode])).len(), 3);
    assert!(list(ListThreads::new().source_kinds([ThreadSourceKind::Exec])).is_empty());
    assert_eq!(list(ListThreads::new().search_term("gamma")), ids[2..]);
    assert!(list(ListThreads::new().archived(true)).is_empty());
    let first = client.list_threads(ListThreads::new().limit(2)).unwrap();
    assert_eq!(first.data.len(), 2);
    let rest = list(ListThreads::new().cursor(first.next_cursor.clone().unwrap()));
    // The cursor of an old server is a second: it leaves out what was made in the same one.
    assert!(rest.len() == 1 || is_old_server(), "{rest:?}");
    assert!(rpc(client.list_threads(ListThreads::new().cursor("x"))).0.contains("invalid cursor"));
}

fn compacting_runs_a_turn_of_its_own_and_loads_the_thread_for_it() {
    let mut live = Live::new();
    let id = thread_of(&live, &["one"]).thread_id().to_owned();
    live.restart();
    compact(&live.client, &id);
    let read = live.client.read_thread(&id, true).unwrap();
    assert!(matches!(read.thread.turns[1].items[..], [ThreadItem::ContextCompaction(_)]), "{read:?}");
}

/// Compacts the thread, and waits until that is done.
fn compact(client: &Client, id: &str) {
    let mut notifications = client.notifications();
    client.compact_thread(id).unwrap();
    let mut is_compacted = false;
    loop {
        let next = notifications.next_timeout(PATIENCE).expect("the thread was compacted");
        match next.decode().unwrap() {
            ServerNotification::ItemCompleted(item) => {
                is_compacted |= matches!(item.item, ThreadItem::ContextCompaction(_));
            }
            ServerNotification::TurnCompleted(_) if is_compacted => return,
            _ => {}
        }
    }
}

fn developer_instructions_of_a_resumed_thread_hold_once_it_is_compacted() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    thread.archive().unwrap();
    thread.unarchive().unwrap();
    let config = ThreadConfig::new().developer_instructions("say it loud");
    let thread = live.client.resume_thread(thread.thread_id(), config).unwrap();
    let is_told = |text: &str| {
        thread.chat_once(text).unwrap();
        asked(&live).to_string().contains("say it loud")
    };
    assert!(!is_told("two"));
    compact(&live.client, thread.thread_id());
    assert!(is_told("three"));
}

// ---- forks ----

fn a_fork_knows_what_was_said_and_goes_its_own_way() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    thread.update_defaults(ThreadConfig::new().model("model-a")).unwrap();
    let fork = thread.fork(ThreadConfig::new().base_instructions("be a fork")).unwrap();
    assert_ne!(fork.thread_id(), thread.thread_id());
    fork.chat_once("two").unwrap();
    assert_eq!(said(&live), ["one", "two"]);
    assert_eq!(asked(&live)["model"], "model-a");
    assert!(asked(&live).to_string().contains("be a fork"));
    thread.chat_once("three").unwrap();
    assert_eq!(said(&live), ["one", "three"]);
    let fork = live.client.fork_thread(thread.thread_id(), ThreadConfig::new().ephemeral(true)).unwrap();
    fork.chat_once("four").unwrap();
    assert_eq!(said(&live), ["one", "three", "four"]);
}

// ---- what waits for the next turn ----

fn new_defaults_of_a_loaded_thread_reach_the_model_and_stay() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    let is_read_only = || asked(&live).to_string().contains("`sandbox_mode` is `read-only`");
    assert!(!is_read_only());
    let change = ThreadConfig::new().model("model-b").approval_policy(ApprovalPolicy::Never);
    thread.update_defaults(change.sandbox(SandboxMode::ReadOnly)).unwrap();
    for text in ["two", "three"] {
        thread.chat_once(text).unwrap();
        assert_eq!(asked(&live)["model"], "model-b");
        assert!(is_read_only(), "the new sandbox is told to the model");
    }
    let Err(Error::InvalidInput { message, .. }) =
        thread.update_defaults(ThreadConfig::new().base_instructions("x"))
    else {
        panic!()
    };
    assert!(message.contains("baseInstructions"), "{message}");
}

fn new_defaults_of_a_thread_that_is_not_loaded_reach_the_model() {
    let mut live = Live::new();
    let id = thread_of(&live, &["one"]).thread_id().to_owned();
    live.restart();
    let config = ThreadConfig::new().model("model-b").base_instructions("say it loud");
    live.client.set_thread_defaults(&id, config).unwrap();
    live.client.chat_once(ChatRequest::new("two").thread(&id)).unwrap();
    assert_eq!(asked(&live)["model"], "model-b");
    assert!(asked(&live).to_string().contains("say it loud"));
}

fn a_resume_of_a_loaded_thread_changes_what_a_turn_can_carry_and_lists_the_rest() {
    let live = Live::new();
    let id = thread_of(&live, &["one"]).thread_id().to_owned();
    let config = ThreadConfig::new().model("model-b").base_instructions("unheard of");
    let thread = live.client.resume_thread(&id, config).unwrap();
    assert_eq!(thread.not_applied(), ["baseInstructions"]);
    thread.chat_once("two").unwrap();
    assert_eq!(asked(&live)["model"], "model-b");
    assert!(!asked(&live).to_string().contains("unheard of"), "the server has begun to apply it");
}

fn a_thread_that_is_loaded_without_this_clients_events_is_found_out() {
    if is_before(128) {
        return; // It unloads a thread whose events nobody wants.
    }
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    let id = thread.thread_id();
    live.client.request("thread/unsubscribe", json!({ "threadId": id })).unwrap();
    assert!(live.client.call(ThreadLoadedListParams::new()).unwrap().data.iter().any(|loaded| loaded == id));
    let resumed = live.client.resume_thread(id, ThreadConfig::new().model("model-b").base_instructions("x"));
    let resumed = resumed.unwrap();
    assert_eq!(resumed.not_applied(), ["baseInstructions"]);
    assert_eq!(resumed.chat_once("two").unwrap().final_text, "echo: two");
    assert_eq!(asked(&live)["model"], "model-b");
}

fn the_server_takes_null_for_every_field_that_is_not_refused_here() {
    fn fields<T: serde::de::DeserializeOwned>(
        names: &'static [&str],
    ) -> impl Iterator<Item = (&'static str, T)> {
        names.iter().map(|name| (*name, serde_json::from_value(json!({ *name: null })).unwrap()))
    }
    const OF_THREAD: [&str; 16] = [
        "approvals_reviewer",
        "permissions",
        "service_tier",
        "service_name",
        "session_start_source",
        "thread_source",
        "cwd",
        "base_instructions",
        "developer_instructions",
        "model",
        "model_provider",
        "approval_policy",
        "sandbox",
        "personality",
        "ephemeral",
        "config",
    ];
    const OF_TURN: [&str; 14] = [
        "approvals_reviewer",
        "permissions",
        "service_tier",
        "service_tier_for_turn",
        "disabled_plugin_ids",
        "cwd",
        "model",
        "effort",
        "summary",
        "sandbox_policy",
        "personality",
        "approval_policy",
        "output_schema",
        "collaboration_mode",
    ];
    let live = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    let client = &live.client;
    let thread = thread_of(&live, &["one"]);
    let id = thread.thread_id();
    for (name, config) in fields::<ThreadConfig>(&OF_THREAD) {
        assert_eq!(serde_json::to_value(&config).unwrap(), json!({ name: null }), "the field is known");
        let _ = client.start_thread(config.clone()).unwrap_or_else(|error| panic!("start, {name}: {error}"));
        let _ = client
            .resume_thread(id, config.clone())
            .unwrap_or_else(|error| panic!("resume, {name}: {error}"));
        match client.fork_thread(id, config) {
            Ok(_) => assert_ne!(name, "ephemeral", "the server takes it by now"),
            Err(Error::InvalidInput { .. }) => assert_eq!(name, "ephemeral"),
            Err(error) => panic!("fork, {name}: {error}"),
        }
    }
    for (name, overrides) in fields::<TurnOverrides>(&OF_TURN) {
        assert_eq!(serde_json::to_value(&overrides).unwrap(), json!({ name: null }), "the field is known");
        let request = ChatRequest::new("x").overrides(overrides);
        thread.chat_once(request).unwrap_or_else(|error| panic!("turn, {name}: {error}"));
    }
    // Why it is refused here; servers that know of no ephemeral forks take it.
    if !is_before(128) {
        let refused = client.request("thread/fork", json!({ "thread_id": id, "ephemeral": null }));
        assert!(rpc(refused).0.contains("invalid type: null"));
    }
}

// ---- rollback ----

fn after_a_rollback_the_model_knows_the_turns_that_are_left() {
    let live = Live::new();
    let thread = thread_of(&live, &["one", "two", "three"]);
    let left = thread.rollback(2).unwrap();
    assert_eq!(left.thread.turns.len(), 1);
    let mut chat = thread.chat("four").unwrap();
    assert_eq!(chat.by_ref().count(), 2, "its events come to this client");
    assert_eq!(said(&live), ["one", "four"]);
    assert!(thread.rollback(99).unwrap().thread.turns.is_empty());
    assert_eq!(thread.chat_once("five").unwrap().final_text, "echo: five");
    assert_eq!(said(&live), ["five"]);
    let kept = thread.read(true).unwrap();
    assert!(kept.thread.turns.iter().all(|turn| turn.status == TurnStatus::Completed));
}

fn a_thread_that_is_not_loaded_is_rolled_back_too() {
    let mut live = Live::new();
    let id = thread_of(&live, &["one", "two"]).thread_id().to_owned();
    live.restart();
    assert_eq!(live.client.rollback_thread(&id, 1).unwrap().thread.turns.len(), 1);
    live.client.chat_once(ChatRequest::new("three").thread(&id)).unwrap();
    assert_eq!(said(&live), ["one", "three"]);
}

fn a_rollback_goes_through_more_than_a_page_of_turns() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for number in 0..104 {
        thread.chat_once(format!("turn {number}")).unwrap();
    }
    assert_eq!(thread.rollback(102).unwrap().thread.turns.len(), 2);
    thread.chat_once("after").unwrap();
    assert_eq!(said(&live), ["turn 0", "turn 1", "after"]);
}

fn a_review_is_rolled_back_as_one_turn() {
    if is_old_server() {
        return; // It counts a review twice in its list of turns, and otherwise in what the model is told.
    }
    let live = Live::new();
    let thread = thread_of(&live, &["one", "two"]);
    let target = json!({ "type": "custom", "instructions": "look" });
    thread.start_review(&target, None).unwrap().finish().unwrap();
    assert_eq!(thread.read(true).unwrap().thread.turns.len(), 4, "the review has two entries");
    assert_eq!(thread.rollback(1).unwrap().thread.turns.len(), 2);
    thread.start_review(&target, None).unwrap().finish().unwrap();
    assert_eq!(thread.rollback(2).unwrap().thread.turns.len(), 1);
    thread.chat_once("three").unwrap();
    assert_eq!(said(&live), ["one", "three"]);
}

fn threads_that_can_not_be_taken_back_are_told_and_a_fork_does_it() {
    if is_old_server() {
        return; // It takes back all of them.
    }
    let live = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    let client = &live.client;
    let ephemeral = client.start_thread(ThreadConfig::new().ephemeral(true)).unwrap();
    ephemeral.chat_once("one").unwrap();
    assert!(matches!(ephemeral.rollback(1), Err(Error::InvalidInput { .. })));

    let start = serde_json::to_value(ThreadStartParams::new()).unwrap();
    let start = json!({ "historyMode": "legacy", "cwd": start["cwd"] });
    let started = client.request("thread/start", start).unwrap();
    let id = started["thread"]["id"].as_str().unwrap();
    let chat = |text: &str| client.chat_once(ChatRequest::new(text).thread(id)).unwrap().turn_id;
    let first = chat("one");
    chat("two");
    let running = client.chat(ChatRequest::new("hang").thread(id)).unwrap();
    live.wait_for_model(4);
    let Err(Error::InvalidInput { message, .. }) = client.rollback_thread(id, 1) else { panic!() };
    assert!(message.contains("fork_thread_at"), "{message}");
    running.interrupt().unwrap();
    drop(running);
    let fork = client.fork_thread_at(id, &first, ThreadConfig::new()).unwrap();
    fork.chat_once("three").unwrap();
    assert_eq!(said(&live), ["one", "three"]);
}

// ---- reviews ----

fn a_review_is_a_chat_with_steps_and_a_result() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    let mut review = thread.start_review(ReviewTarget::custom("look"), Some(ReviewDelivery::Inline)).unwrap();
    assert_eq!(review.thread_id(), thread.thread_id());
    let types: Vec<_> = review.by_ref().map(|step| step.step_type.to_string()).collect();
    assert_eq!(types, ["enteredReviewMode", "userMessage", "exitedReviewMode", "codex"]);
    assert!(!review.finish().unwrap().final_text.is_empty());
    assert_eq!(thread.chat_once("two").unwrap().final_text, "echo: two");
    let target = ReviewTarget::custom("look");
    match thread.start_review(target, Some(ReviewDelivery::detached())) {
        Err(Error::InvalidInput { message, .. }) => assert!(message.contains("fork_thread"), "{message}"),
        Ok(detached) if is_old_server() => {
            assert_ne!(detached.thread_id(), thread.thread_id());
            assert!(!detached.finish().unwrap().final_text.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

fn a_review_is_interrupted_and_cancelled_as_any_turn() {
    let live = Live::with_script(|request| match request.user_text().as_str() {
        "one" | "two" => ModelReply::new().text("answer"),
        _ => ModelReply::new().hang(),
    });
    let thread = thread_of(&live, &["one"]);
    let target = json!({ "type": "custom", "instructions": "look" });
    let review = thread.start_review(&target, None).unwrap();
    live.wait_for_model(2);
    review.interrupt().unwrap();
    assert!(matches!(review.finish(), Err(Error::TurnInterrupted { .. })));
    let mut review = thread.start_review(&target, None).unwrap();
    let cancelled = review.cancel().unwrap();
    assert!(cancelled.was_interrupted, "{cancelled:?}");
    assert_eq!(thread.chat_once("two").unwrap().final_text, "answer");
    // In old servers it is not certain how many entries an interrupted review leaves.
    if !is_old_server() {
        assert_eq!(thread.rollback(3).unwrap().thread.turns.len(), 1, "two reviews and a turn");
    }
}

fn a_review_loads_its_thread_and_leaves_what_waits_for_the_next_turn() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    thread.update_defaults(ThreadConfig::new().model("model-b")).unwrap();
    thread.archive().unwrap();
    thread.unarchive().unwrap();
    thread.start_review(ReviewTarget::custom("look"), None).unwrap().finish().unwrap();
    assert_eq!(asked(&live)["model"], "mock-model");
    thread.chat_once("two").unwrap();
    assert_eq!(asked(&live)["model"], "model-b");
}

// ---- steering ----

fn a_turn_is_steered_by_its_ids() {
    let (live, release) = Live::held();
    let chat = live.client.chat("first").unwrap();
    live.wait_for_model(1);
    let refused = live.client.steer_turn(chat.thread_id(), "another", "second").unwrap_err();
    assert!(matches!(refused, Error::NoLongerPending { .. }), "{refused:?}");
    assert!(refused.to_string().contains("expected active turn id"), "{refused}");
    let reply = live.client.steer_turn(chat.thread_id(), chat.turn_id(), "second").unwrap();
    assert_eq!(reply.turn_id, chat.turn_id());
    // The new server breaks off what the model was saying; an old one waits for it.
    drop(release);
    assert_eq!(chat.finish().unwrap().final_text, "late");
    assert_eq!(said(&live), ["first", "second"]);
}

fn a_turn_that_has_ended_is_not_steered() {
    let live = Live::new();
    let done = live.client.chat_once("first").unwrap();
    let late = live.client.steer_turn(&done.thread_id, &done.turn_id, "second").unwrap_err();
    assert!(matches!(late, Error::NoLongerPending { .. }), "{late:?}");
    let cause = std::error::Error::source(&late).and_then(|source| source.downcast_ref::<Error>());
    assert!(matches!(cause, Some(Error::Rpc { code: -32600, .. })), "{cause:?}");
    assert_eq!(said(&live), ["first"]);
}

// ---- answers of a shape ----

fn an_answer_of_a_shape_is_decoded_and_its_schema_reaches_the_model() {
    #[derive(serde::Deserialize)]
    struct Count {
        n: u32,
    }
    let model = ModelStub::start_with(|_| ModelReply::new().text(r#"{"n": 3}"#)).unwrap();
    let live = Live::with(RealHome::with_model(model), Client::builder());
    let schema = json!({
        "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"],
        "additionalProperties": false,
    });
    let count = live.client.chat_json::<Count>("count", &schema).unwrap();
    assert_eq!((count.value.n, count.result.steps.len()), (3, 2));
    assert_eq!(asked(&live)["text"]["format"]["schema"], schema);
    let wrong = live.client.chat_json::<Vec<u32>>("count", &schema);
    let Err(Error::Decode { raw, .. }) = wrong else { panic!("decoded into a list") };
    assert_eq!(&*raw, r#"{"n": 3}"#);
}

fn the_schema_of_a_type_reaches_the_model() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Report {
        /// What was found.
        findings: Vec<Finding>,
        score: Option<u8>,
    }
    #[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
    struct Finding {
        severity: Severity,
    }
    #[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Severity {
        Low,
        High,
    }
    let answer = r#"{"findings": [{"severity": "high"}], "score": null}"#;
    let model = ModelStub::start_with(move |_| ModelReply::new().text(answer)).unwrap();
    let live = Live::with(RealHome::with_model(model), Client::builder());
    let report = live.client.chat_json_typed::<Report>("report").unwrap().value;
    assert_eq!((report.findings, report.score), (vec![Finding { severity: Severity::High }], None));
    let format = &asked(&live)["text"]["format"];
    let object = |properties: Value| {
        let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    };
    let findings = json!({
        "description": "What was found.", "type": "array", "items": { "$ref": "#/$defs/Finding" },
    });
    let score = json!({ "type": ["integer", "null"], "minimum": 0, "maximum": 255 });
    let mut schema = object(json!({ "findings": findings, "score": score }));
    schema["$defs"] = json!({
        "Finding": object(json!({ "severity": { "$ref": "#/$defs/Severity" } })),
        "Severity": { "type": "string", "enum": ["low", "high"] },
    });
    assert_eq!((&format["schema"], &format["strict"]), (&schema, &json!(true)));
}

// ---- configuration and models ----

fn a_value_is_written_and_a_stale_version_is_refused() {
    let live = Live::new();
    let client = &live.client;
    let before = client.read_config(ReadConfig::new().include_layers(true)).unwrap();
    let version = before.origins["model"].version.clone();
    assert!(!before.layers.as_ref().unwrap().is_empty());
    let write = WriteConfigValue::new("model_verbosity", "low").expected_version(&version);
    let written = client.write_config_value(write.clone()).unwrap();
    assert_eq!(written.status, WriteStatus::Ok);
    assert_ne!(written.version, version);
    let code = |data: Option<Value>| data.unwrap()["config_write_error_code"].clone();
    assert_eq!(code(rpc(client.write_config_value(write)).1), "configVersionConflict");
    let bad = WriteConfigValue::new("model_verbosity", "moon");
    assert_eq!(code(rpc(client.write_config_value(bad)).1), "configValidationError");
    let elsewhere =
        WriteConfigValue::new("model_verbosity", "low").file_path(live.home.home().join("x.toml"));
    assert_eq!(code(rpc(client.write_config_value(elsewhere)).1), "configLayerReadonly");

    let here = ReadConfig::new().cwd(live.home.workspace());
    let verbosity = || client.read_config(here.clone()).unwrap().config.model_verbosity.clone();
    assert_eq!(verbosity().unwrap().as_str(), "low");
    client.write_config_value(WriteConfigValue::new("model_verbosity", ())).unwrap();
    assert!(verbosity().is_none());
    assert!(client.read_config_requirements().unwrap().requirements.is_none());
}

fn a_batch_is_written_as_a_whole_or_not_at_all() {
    let live = Live::new();
    let client = &live.client;
    let file = || std::fs::read_to_string(live.home.home().join("config.toml")).unwrap();
    let before = file();
    let bad = BatchWriteConfig::new([ConfigEdit::upsert("model", "another")]).edit("model_verbosity", "moon");
    rpc(client.batch_write_config(bad));
    assert_eq!(file(), before);
    let good =
        BatchWriteConfig::new([ConfigEdit::replace("model", "another")]).edit("model_verbosity", "high");
    let written = client.batch_write_config(good.clone().reload_user_config(true)).unwrap();
    assert!(file().contains(r#"model = "another""#) && file().contains(r#"model_verbosity = "high""#));
    client.batch_write_config(good.clone().expected_version(&written.version)).unwrap();
    let (_, data) = rpc(client.batch_write_config(good.expected_version("sha256:0")));
    assert_eq!(data.unwrap()["config_write_error_code"], "configVersionConflict");
}

fn models_are_listed_in_pages() {
    let live = Live::new();
    let page = live.client.list_models(ListModels::new().limit(2)).unwrap();
    assert_eq!(page.data.len(), 2);
    let rest = ListModels::new().cursor(page.next_cursor.clone().unwrap());
    let rest = live.client.list_models(rest).unwrap();
    assert!(rest.data.iter().all(|model| page.data.iter().all(|known| known.id != model.id)));
    let all = live.client.list_models(ListModels::new().include_hidden(true)).unwrap();
    assert!(all.data.len() >= page.data.len() + rest.data.len());
}

// ---- history ----

/// What was said in the turns, oldest first.
fn asked_in(turns: Paged<Turn>) -> Vec<String> {
    let text = |turn: Result<Turn>| match turn.unwrap().items.first() {
        Some(ThreadItem::UserMessage(message)) => match &message.content[0] {
            InputItem::Text(text) => text.text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    turns.map(text).collect()
}

fn turns_are_read_oldest_first_with_all_items_over_several_pages() {
    let mut live = Live::with_script(|request| match request.tool_output() {
        None if request.user_text() == "run" => ModelReply::new().command("true"),
        _ => ModelReply::new().text("done"),
    });
    let thread = thread_of(&live, &["run"]);
    let texts: Vec<String> = (0..54).map(|nth| nth.to_string()).collect();
    texts.iter().for_each(|text| drop(thread.chat_once(text).unwrap()));
    let expected: Vec<String> = std::iter::once("run".to_owned()).chain(texts).collect();
    assert_eq!(asked_in(thread.turns()), expected);
    let first = thread.turns().next().unwrap().unwrap();
    let kinds = first.steps().into_iter().map(|step| step.step_type.to_string()).collect::<Vec<_>>();
    // Old servers store no commands.
    assert!(is_old_server() || kinds.contains(&"exec".to_owned()), "all items: {kinds:?}");
    // A thread that is not loaded, in another server.
    let id = thread.thread_id().to_owned();
    drop(thread);
    live.restart();
    assert_eq!(asked_in(live.client.thread_turns(&id)), expected);
}

fn threads_and_models_are_read_over_several_pages() {
    let live = Live::new();
    let mut made: Vec<String> = (0..5).map(|_| live.client.chat_once("x").unwrap().thread_id).collect();
    let threads = |options: ListThreads| -> Vec<String> {
        let mut ids: Vec<String> = live.client.threads(options).map(|thread| thread.unwrap().id).collect();
        ids.sort();
        ids
    };
    made.sort();
    assert_eq!(threads(ListThreads::new()), made);
    // The cursor of an old server is a second: it leaves out what was made in the same one.
    if !is_old_server() {
        assert_eq!(threads(ListThreads::new().limit(2)), made);
        assert_eq!(threads(ListThreads::new().limit(1).sort_key(ThreadSortKey::UpdatedAt)), made);
    }
    assert!(threads(ListThreads::new().archived(true)).is_empty());
    let models: Vec<_> = live.client.models().collect::<Result<_>>().unwrap();
    assert_eq!(models, live.client.list_models(ListModels::new()).unwrap().into_inner().data);
    let mut bad = live.client.threads(ListThreads::new().cursor("x"));
    assert!(rpc(bad.next().unwrap()).0.contains("invalid cursor"));
    assert!(bad.next().is_none());
}

fn a_thread_without_a_turn_has_no_turns() {
    let live = Live::new();
    let thread = thread_of(&live, &[]);
    let read: Vec<_> = thread.turns().collect();
    assert!(read.is_empty(), "{read:?}");
    thread.chat_once("one").unwrap();
    assert_eq!(asked_in(thread.turns()), ["one"]);
    // What is not stored has no history to read.
    let ephemeral = live.client.start_thread(ThreadConfig::new().ephemeral(true)).unwrap();
    ephemeral.chat_once("one").unwrap();
    assert!(rpc(ephemeral.turns().next().unwrap()).0.contains("ephemeral"));
    let unknown = live.client.thread_turns("01a2057f-bb7b-7251-9c86-330d3cad9938").next().unwrap();
    assert!(matches!(unknown, Err(Error::Rpc { .. })), "{unknown:?}");
}

fn a_fork_at_a_turn_ends_with_it_and_the_model_knows_no_more() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let turns = ["one", "two", "three"].map(|text| thread.chat_once(text).unwrap().turn_id);
    if is_old_server() {
        assert!(matches!(thread.fork_at(&turns[1], ThreadConfig::new()), Err(Error::InvalidInput { .. })));
        return;
    }
    let fork = thread.fork_at(&turns[1], ThreadConfig::new()).unwrap();
    assert_eq!(asked_in(fork.turns()), ["one", "two"]);
    fork.chat_once("four").unwrap();
    assert_eq!(said(&live), ["one", "two", "four"]);
    assert_eq!(asked_in(thread.turns()), ["one", "two", "three"]);
    let refused = rpc(live.client.fork_thread_at(thread.thread_id(), "moon", ThreadConfig::new()));
    assert!(refused.0.contains("turn"), "{refused:?}");
}

fn a_fork_before_a_turn_ends_before_it() {
    if is_old_server() {
        return;
    }
    let live = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let turns = ["one", "two"].map(|text| thread.chat_once(text).unwrap().turn_id);
    let fork = thread.fork(ThreadConfig::new().before_turn_id(&turns[1])).unwrap();
    assert_eq!(asked_in(fork.turns()), ["one"]);
}

fn a_handle_tells_what_the_server_answered() {
    let mut live = Live::new();
    let cwd = live.home.workspace();
    let config = || {
        let config = ThreadConfig::new().cwd(&cwd).model("gpt-5").sandbox(SandboxMode::ReadOnly);
        config.approval_policy(ApprovalPolicy::Never)
    };
    let check = |thread: &ThreadHandle| {
        let info = thread.info();
        assert_eq!(info.thread_id, thread.thread_id());
        assert_eq!((info.model.as_deref(), info.model_provider.as_deref()), (Some("gpt-5"), Some("mock")));
        assert_eq!(info.cwd.as_deref(), Some(&*cwd));
        assert!(matches!(info.sandbox, Some(SandboxPolicy::ReadOnly(_))), "{info:?}");
        assert_eq!(info.approval_policy, Some(ApprovalPolicy::Never));
        assert_eq!(info.raw["thread"]["id"], thread.thread_id());
        assert_eq!(info.raw["thread"]["turns"], json!([]));
        if !is_old_server() {
            assert_eq!(info.approvals_reviewer, Some(ApprovalsReviewer::User));
        }
    };
    let thread = live.client.start_thread(config()).unwrap();
    check(&thread);
    thread.chat_once("one").unwrap();
    let id = thread.thread_id().to_owned();
    let fork = thread.fork(ThreadConfig::new()).unwrap();
    check(&fork);
    drop((thread, fork));
    live.restart();
    check(&live.client.resume_thread(&id, config()).unwrap());
}

fn the_server_takes_every_parameter_that_has_a_setter() {
    if is_old_server() {
        return;
    }
    let live = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    let config = ThreadConfig::new()
        .approvals_reviewer(ApprovalsReviewer::User)
        .service_tier("flex")
        .service_name("tests")
        .session_start_source(ThreadStartSource::Clear)
        .thread_source("tests")
        .allow_provider_model_fallback(true)
        .history_mode(protocol::ThreadHistoryMode::Paginated)
        .runtime_workspace_roots(vec![live.home.workspace().to_str().unwrap().to_owned()])
        .extra("fromTheFuture", json!({ "a": 1 }));
    let thread = live.client.start_thread(config).unwrap();
    assert_eq!(thread.info().service_tier.as_deref(), Some("flex"));
    assert!(thread.not_applied().is_empty());
    let overrides = TurnOverrides::new()
        .approvals_reviewer(ApprovalsReviewer::User)
        .service_tier("flex")
        .service_tier_for_turn("default")
        .disabled_plugin_ids(vec!["x".to_owned()])
        .extra("fromTheFuture", 1);
    let request =
        ChatRequest::new("one").overrides(overrides).turn_trigger("tests").extra("alsoFromTheFuture", "x");
    let first = thread.chat_once(request).unwrap();
    let request = ChatRequest::new("two").parent_turn_id(&first.turn_id).root_turn_id(&first.turn_id);
    thread.chat_once(request).unwrap();
    let second = thread.turns().nth(1).unwrap().unwrap();
    assert_eq!(second.root_turn_id, Some(first.turn_id));
    let fork = thread.fork(ThreadConfig::new()).unwrap();
    assert_eq!(
        fork.not_applied(),
        ["allowProviderModelFallback", "historyMode", "serviceName", "sessionStartSource",]
    );
    assert_eq!(fork.info().raw["thread"]["threadSource"], "tests");
    // The profile has to exist.
    let refused = rpc(live.client.start_thread(ThreadConfig::new().permissions("moon")));
    assert!(refused.0.contains("permissions"), "{refused:?}");
}

fn an_id_of_the_programs_own_comes_back_in_history() {
    if is_old_server() {
        return;
    }
    let live = Live::new();
    let thread = thread_of(&live, &[]);
    thread.chat_once(ChatRequest::new("one").client_user_message_id("mine")).unwrap();
    let turn = thread.turns().next().unwrap().unwrap();
    let ThreadItem::UserMessage(message) = &turn.items[0] else { panic!("{turn:?}") };
    assert_eq!(message.client_id.as_deref(), Some("mine"));
}

fn the_output_of_a_tool_from_outside_reaches_the_model_unless_the_server_would_ignore_it() {
    let live = Live::new();
    let thread = thread_of(&live, &["one"]);
    let output = TurnToolOutput::new("search", "found it");
    let result = thread.chat_once(ChatRequest::new(Vec::new()).tool_output(output));
    if is_before(151) {
        assert_eq!(result.unwrap_err().code(), "invalid_input");
        return;
    }
    let result = result.unwrap();
    assert_eq!(result.steps[0].item_type.as_deref(), Some("functionCallOutput"));
    assert!(asked(&live)["input"].to_string().contains("found it"));
    // This is why the client refuses both at once.
    let both = json!({
        "threadId": thread.thread_id(), "input": [{ "type": "text", "text": "x" }],
        "toolOutput": { "name": "search", "output": "found it" },
    });
    assert!(rpc(live.client.request("turn/start", both)).0.contains("cannot be combined"));
}
