//! What turns of the real server give and leave: answers, plans, tokens, compactions, loaded threads.
//!
//! Relies on `support/live.rs`. Invariant: each case has its own server and its own model, so that all can run
//! at once.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::*;
use serde_json::json;

use crate::SHORT;
use crate::support::await_that;
use crate::support::cases::cases;
use crate::support::live::{Live, Via};
use crate::support::real::{RealHome, is_old_server};

cases![
    a_chat_right_after_a_compaction_goes_on,
    a_chat_during_a_compaction_waits_for_it,
    a_compaction_that_fails_tells_why,
    the_threads_of_chats_are_freed_with_their_mcp_servers,
    a_thread_is_unloaded_and_goes_on,
    calls_right_after_a_chat_find_its_thread,
    compactions_at_once_end_each,
    the_tokens_after_a_rollback_are_those_of_the_turn,
    a_plan_alone_is_the_answer,
    commentary_is_not_the_answer,
    the_tokens_of_a_turn_are_those_of_all_its_calls,
    a_model_that_can_not_be_reached_is_named_when_the_turn_is_given_up,
    a_turn_that_the_model_refused_is_repeated_until_it_answers,
    a_turn_past_its_limit_is_interrupted_with_its_steps,
];

fn live_with(model: ModelStub) -> Live {
    Live::with(RealHome::with_model(model), Client::builder().experimental_api(true))
}

/// Whether the model is asked to compact.
fn is_compaction(text: &str) -> bool {
    text.contains("CONTEXT CHECKPOINT COMPACTION")
}

fn a_chat_right_after_a_compaction_goes_on() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    for _ in 0..5 {
        thread.compact().unwrap();
        assert_eq!(thread.chat_once("go on").unwrap().final_text, "echo: go on");
    }
}

fn a_chat_during_a_compaction_waits_for_it() {
    let live = live_with(
        ModelStub::start_with(|request| match is_compaction(&request.user_text()) {
            true => ModelReply::new().delay(Duration::from_millis(700)).text("short"),
            false => ModelReply::new().text("fine"),
        })
        .unwrap(),
    );
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    std::thread::scope(|scope| {
        let compacting = scope.spawn(|| thread.compact());
        live.wait_for_model(2);
        assert_eq!(thread.chat_once("two").unwrap().final_text, "fine");
        compacting.join().unwrap().unwrap();
    });
}

fn a_compaction_that_fails_tells_why() {
    let live = live_with(
        ModelStub::start_with(|request| match is_compaction(&request.user_text()) {
            true => ModelReply::status(400, json!({ "error": { "message": "too long to compact" } })),
            false => ModelReply::new().text("fine"),
        })
        .unwrap(),
    );
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    let error = thread.compact().unwrap_err();
    let Error::TurnFailed { message, .. } = &error else { panic!("{error:?}") };
    assert!(message.contains("too long to compact"), "{message}");
    assert_eq!(thread.chat_once("two").unwrap().final_text, "fine");
}

/// How many processes run this MCP server for this home.
#[cfg(target_os = "linux")]
fn mcp_servers(home: &RealHome) -> usize {
    let home = format!("HOME={}", home.home().display());
    let is_one = |process: std::fs::DirEntry| {
        let read = |file: &str| std::fs::read_to_string(process.path().join(file)).unwrap_or_default();
        read("cmdline").contains("mcp_server.js") && read("environ").contains(&home)
    };
    std::fs::read_dir("/proc").unwrap().flatten().map(is_one).filter(|is_one| *is_one).count()
}

fn the_threads_of_chats_are_freed_with_their_mcp_servers() {
    if is_old_server() {
        // It has no setting for how long it keeps a thread.
        return;
    }
    let home = RealHome::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mcp_server.js");
    let mut config = std::fs::File::options().append(true).open(home.home().join("config.toml")).unwrap();
    write!(config, "\n[mcp_servers.tiny]\ncommand = \"node\"\nargs = [{script:?}]\n").unwrap();
    let live = Live::with(home, Client::builder());
    let mut id = String::new();
    for _ in 0..12 {
        id = live.client.chat_once("hi").unwrap().thread_id;
    }
    let loaded = || live.client.request("thread/loaded/list", json!({})).unwrap()["data"].clone();
    await_that("no thread is loaded", || loaded() == json!([]));
    #[cfg(target_os = "linux")]
    await_that("no MCP server runs", || mcp_servers(&live.home) == 0);
    // They are stored.
    let result = live.client.chat_once(ChatRequest::new("again").thread(&id)).unwrap();
    assert_eq!(result.final_text, "echo: again");
}

fn a_thread_is_unloaded_and_goes_on() {
    let live = Live::new();
    let config = ThreadConfig::new().config(json!({ "thread_unload_delay_secs": 0 }));
    let thread = live.client.start_thread(config).unwrap();
    for _ in 0..5 {
        assert_eq!(thread.chat_once("one").unwrap().final_text, "echo: one");
        thread.unload().unwrap();
    }
    let kept = live.client.start_thread(ThreadConfig::new()).unwrap();
    kept.chat_once("two").unwrap();
    kept.unload().unwrap();
    assert_eq!(kept.chat_once("three").unwrap().final_text, "echo: three");
}

fn calls_right_after_a_chat_find_its_thread() {
    if is_old_server() {
        return;
    }
    let live = Live::new();
    let client = &live.client;
    for pause in 0..8 {
        let next = || {
            let id = client.chat_once("one").unwrap().thread_id;
            std::thread::sleep(Duration::from_millis(2 * pause));
            id
        };
        assert_eq!(client.read_thread(&next(), true).unwrap().thread.turns.len(), 1);
        client.set_thread_name(&next(), "a name").unwrap();
        client.archive_thread(&next()).unwrap();
        client.request("thread/resume", json!({ "threadId": next() })).unwrap();
        client.unload_thread(&next()).unwrap();
        let config = ThreadConfig::new().developer_instructions("be brief");
        client.set_thread_defaults(&next(), config.clone()).unwrap();
        let thread = client.resume_thread(&next(), config).unwrap();
        assert!(thread.not_applied().is_empty(), "{:?}", thread.not_applied());
    }
}

fn compactions_at_once_end_each() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    for _ in 0..5 {
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..3).map(|_| scope.spawn(|| thread.compact())).collect();
            let ends: Vec<_> = all.into_iter().map(|one| one.join().unwrap()).collect();
            let is_fine = |end: &Result<()>| {
                matches!(end, Ok(()) | Err(Error::TurnInterrupted { .. } | Error::Rpc { .. }))
            };
            assert!(ends.iter().all(is_fine) && ends.iter().any(Result::is_ok), "{ends:?}");
        });
        assert_eq!(thread.chat_once("go on").unwrap().final_text, "echo: go on");
    }
}

fn the_tokens_after_a_rollback_are_those_of_the_turn() {
    if is_old_server() {
        return;
    }
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let tokens = || thread.chat_once("one").unwrap().usage.unwrap().total_tokens;
    for _ in 0..4 {
        assert_eq!(tokens(), 120);
    }
    thread.rollback(2).unwrap();
    assert_eq!((tokens(), tokens()), (120, 120));
    // Another client adds to the thread meanwhile.
    if let Via::WebSocket = Via::chosen() {
        thread.unload().unwrap();
        let other = live.another_client(Client::builder());
        other.chat_once(ChatRequest::new("two").thread(thread.thread_id())).unwrap();
        assert_eq!(tokens(), 120);
    }
}

fn a_plan_alone_is_the_answer() {
    if is_old_server() {
        // It makes no plan of this text.
        return;
    }
    let plan = "<proposed_plan>\n- do this\n- do that\n</proposed_plan>";
    let live = live_with(ModelStub::start_with(move |_| ModelReply::new().text(plan)).unwrap());
    let mode = TurnOverrides::new().collaboration_mode(CollaborationMode::plan("mock-model"));
    let result = live.client.chat_once(ChatRequest::new("plan it").overrides(mode)).unwrap();
    assert_eq!(result.completion_source, Some(CompletionSource::Plan));
    assert!(result.final_text.contains("do that"), "{}", result.final_text);
}

fn commentary_is_not_the_answer() {
    let said = |id: &str, text: &str, phase: &str| {
        let content = json!([{ "type": "output_text", "text": text }]);
        json!({ "item": { "type": "message", "role": "assistant", "id": id, "phase": phase, "content": content } })
    };
    let script = move |reply: ModelReply| {
        let done = "response.output_item.done";
        reply
            .event(done, said("a", "{\"ok\":true}", "final_answer"))
            .event(done, said("b", "bye", "commentary"))
    };
    let live = live_with(ModelStub::start_with(move |_| script(ModelReply::new())).unwrap());
    let result = live.client.chat_once("hi").unwrap();
    assert_eq!(result.final_text, "{\"ok\":true}");
    assert_eq!(result.phase, Some(MessagePhase::FinalAnswer));
    assert_eq!(result.steps.last().unwrap().text.as_deref(), Some("bye"));
}

fn the_tokens_of_a_turn_are_those_of_all_its_calls() {
    let script = |request: &codex_blocking::testing::ModelRequest| match request.tool_output() {
        None if request.user_text() == "run" => ModelReply::new().command("true"),
        _ => ModelReply::new().text("fine"),
    };
    let mut live = live_with(ModelStub::start_with(script).unwrap());
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    // The stub tells 120 tokens for each call of the model.
    for (text, tokens) in [("run", 240), ("say", 120), ("run", 240)] {
        let result = thread.chat_once(text).unwrap();
        assert_eq!(result.usage.unwrap().total_tokens, tokens, "{text}");
        assert!(result.duration.is_some() || is_old_server());
        let (started, completed) = (result.started_at, result.completed_at);
        assert!((started.is_some() && started <= completed) || is_old_server(), "{started:?} {completed:?}");
    }
    assert_eq!(thread.token_usage().unwrap().total.total_tokens, 600);
    let id = thread.thread_id().to_owned();
    drop(thread);
    live.restart();
    let thread = live.client.resume_thread(&id, ThreadConfig::new()).unwrap();
    await_that("the tokens are reported", || thread.token_usage().is_some());
    assert_eq!(thread.token_usage().unwrap().total.total_tokens, 600);
    assert_eq!(thread.chat_once("run").unwrap().usage.unwrap().total_tokens, 240);
}

fn a_model_that_can_not_be_reached_is_named_when_the_turn_is_given_up() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&is_gone);
    let script = move |_: &codex_blocking::testing::ModelRequest| match gone.load(Ordering::SeqCst) {
        true => ModelReply::new().cut(),
        false => ModelReply::new().text("fine"),
    };
    let model = ModelStub::start_with(script).unwrap().with_retries(1000);
    let live = live_with(model);
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    is_gone.store(true, Ordering::SeqCst);
    let request = ChatRequest::new("two").inactivity_timeout(SHORT * 2);
    let error = thread.chat_once(request).unwrap_err();
    is_gone.store(false, Ordering::SeqCst);
    let Error::TurnInactive { last_error, .. } = &error else { panic!("{error:?}") };
    assert!(last_error.is_some(), "{error}");
    assert!(error.to_string().contains("Reconnecting"), "{error}");
    let result = live.client.cancel(error.continuation().unwrap()).unwrap();
    assert!(result.was_interrupted || result.was_completed);
}

fn a_turn_that_the_model_refused_is_repeated_until_it_answers() {
    let refuses = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&refuses);
    let model = ModelStub::start_with(move |_| match asked.load(Ordering::Relaxed) {
        true => ModelReply::status(429, json!({ "error": { "message": "too many" } })),
        false => ModelReply::new().text("done"),
    });
    let live = live_with(model.unwrap());
    let error = live.client.chat_once("hello").unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.http_status, failure.is_transient), (Some(429), true), "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
    let policy = RetryPolicy::new().first_delay(Duration::from_millis(10));
    let result = retry(policy, || {
        live.client.chat_once("hello").inspect_err(|_| refuses.store(false, Ordering::Relaxed))
    });
    assert_eq!(result.unwrap().final_text, "done");
}

fn a_turn_past_its_limit_is_interrupted_with_its_steps() {
    let model = ModelStub::start_with(|request| match request.tool_output() {
        Some(_) => ModelReply::new().hang(),
        None => ModelReply::new().command("echo so far"),
    });
    let live = live_with(model.unwrap());
    // Longer than a slow machine needs for one command.
    let request = ChatRequest::new("hello").turn_timeout(Duration::from_secs(8));
    let error = live.client.chat_once(request).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Turn, .. }), "{error:?}");
    let kinds: Vec<_> = error.steps().iter().map(|step| step.step_type.to_string()).collect();
    assert_eq!(kinds, ["userMessage", "exec"]);
    await_that("the turn has ended", || live.client.stats().running_turns == 0);
}
