//! What a turn gives: its answer, its steps, its tokens, and what its errors carry.

use std::time::{Duration, SystemTime};

use codex_blocking::{
    testing::{ScriptedServer, TurnScript},
    *,
};
use serde_json::{Value, json};

use crate::support::{
    logger::set_logger,
    memory::{Server, begun, chatting, message, served, served_with, spawn, spawn_with, thread},
    probe::is_alone,
};

fn said(id: &str, text: &str, phase: impl Into<Option<&'static str>>) -> Value {
    json!({ "type": "agentMessage", "id": id, "text": text, "phase": phase.into() })
}

fn plan(text: &str) -> Value {
    json!({ "type": "plan", "id": "u-plan", "text": text })
}

/// The result of a `chat_once` whose turn completes these items.
fn result_of(items: Vec<Value>) -> Result<ChatResult> {
    let server = ScriptedServer::new()
        .on_turn(move |_| items.iter().fold(TurnScript::new(), |script, item| script.item(item.clone())));
    server.client()?.chat_once("go")
}

// ---- the answer ----

#[test]
fn commentary_after_the_answer_is_not_the_answer() {
    let result = result_of(vec![said("a", "42", None), said("b", "that was fun", "commentary")]).unwrap();
    assert_eq!((result.final_text.as_str(), result.phase), ("42", None));
    let result = result_of(vec![said("a", "42", "final_answer"), said("b", "more", None)]).unwrap();
    assert_eq!((result.final_text.as_str(), result.phase), ("42", Some(MessagePhase::FinalAnswer)));
    let result = result_of(vec![said("a", "42", "new_phase"), said("b", "more", "commentary")]).unwrap();
    assert_eq!(result.final_text, "42");
}

#[test]
fn a_turn_of_commentary_alone_has_no_answer_and_the_error_has_its_steps_and_tokens() {
    let error = result_of(vec![said("a", "hm", "commentary")]).unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }), "{error:?}");
    let texts: Vec<_> = error.steps().iter().filter_map(|step| step.text.as_deref()).collect();
    assert_eq!(texts, ["go", "hm"]);
    assert_eq!(error.usage().unwrap().total_tokens, 15);
}

#[test]
fn a_plan_is_the_answer_where_there_is_no_message() {
    let result = result_of(vec![plan("first this"), plan("first that")]).unwrap();
    assert_eq!(result.final_text, "first that");
    assert_eq!(result.completion_source, Some(CompletionSource::Plan));
    // All plans of a turn have one id, and each is a step.
    let plans: Vec<_> =
        result.steps.iter().filter(|step| step.item_type.as_deref() == Some("plan")).collect();
    assert_eq!(plans.len(), 2);
    let result = result_of(vec![said("a", "done", None), plan("first this")]).unwrap();
    assert_eq!(
        (result.final_text.as_str(), result.completion_source),
        ("done", Some(CompletionSource::ItemCompleted))
    );
    let result = result_of(vec![said("a", "hm", "commentary"), plan("first this")]).unwrap();
    assert_eq!(result.final_text, "first this");
}

// ---- steps and other facts ----

#[test]
fn chat_once_keeps_the_steps_and_a_chat_only_when_asked() {
    let client = ScriptedServer::new().client().unwrap();
    let kinds =
        |result: &ChatResult| result.steps.iter().map(|step| step.step_type.to_string()).collect::<Vec<_>>();
    assert_eq!(kinds(&client.chat_once("a").unwrap()), ["userMessage", "codex"]);
    assert!(client.chat("a").unwrap().finish().unwrap().steps.is_empty());
    assert!(client.chat_once(ChatRequest::new("a").keep_steps(false)).unwrap().steps.is_empty());
    let mut chat = client.chat(ChatRequest::new("a").keep_steps(true)).unwrap();
    assert_eq!(chat.by_ref().count(), 2);
    let result = chat.finish().unwrap();
    assert_eq!((kinds(&result).len(), result.status), (2, TurnStatus::Completed));
}

#[test]
fn kept_steps_count_as_buffered_and_are_freed_with_the_chat() {
    let (client, mut server) = served();
    let mut chat = begun(&client, &mut server, |client| client.chat(ChatRequest::new("x").keep_steps(true)));
    for number in 0..10 {
        server.message(&format!("m{number}"), &"x".repeat(10_000));
    }
    assert_eq!(chat.by_ref().take(10).count(), 10);
    assert!(client.stats().kept_bytes > 100_000, "{}", client.stats().kept_bytes);
    drop(chat);
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn the_errors_of_a_turn_carry_its_steps_and_tokens() {
    for (status, code) in [("failed", "turn_failed"), ("interrupted", "turn_interrupted")] {
        let (client, mut server) = served();
        let once = spawn(move || client.chat_once("x"));
        server.begin_turn();
        server.message("m", "so far");
        report(&mut server, "u", 7, 7);
        server.complete(status);
        let error = once.join().unwrap().unwrap_err();
        assert_eq!((error.code(), error.steps()[0].text.as_deref()), (code, Some("so far")));
        assert_eq!(error.usage().unwrap().total_tokens, 7);
    }
}

#[test]
fn a_turn_that_is_resumed_after_its_silence_keeps_the_steps_from_before() {
    let (client, mut server) = served();
    let request = ChatRequest::new("x").inactivity_timeout(Duration::from_millis(100));
    let once = spawn_with(&client, |client| client.chat_once(request));
    server.begin_turn();
    server.message("m", "one");
    let lookup = server.expect("thread/turns/list");
    server.reply(&lookup, json!({ "data": [] }));
    let error = once.join().unwrap().unwrap_err();
    assert_eq!(error.steps().len(), 1);
    let continuation = error.continuation().unwrap().clone();
    let once = spawn_with(&client, |client| client.chat_once(continuation));
    server.message("n", "two");
    server.complete("completed");
    let result = once.join().unwrap().unwrap();
    assert_eq!(result.steps.len(), 2);
}

#[test]
fn the_times_and_the_duration_are_the_servers() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.message("m", "done");
    let turn = json!({ "id": "u", "items": [], "status": "completed", "startedAt": 5, "completedAt": 6,
        "durationMs": 1234 });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    let result = chat.finish().unwrap();
    let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!((result.started_at, result.completed_at), (at(5), at(6)));
    assert_eq!(result.duration, Some(Duration::from_millis(1234)));
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!((&json["started_at"], &json["completed_at"]), (&json!(5), &json!(6)));
}

#[test]
fn times_that_are_none_are_absent_and_the_turn_completes() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    server.message("m", "done");
    let turn = json!({ "id": "u", "items": [], "status": "completed", "startedAt": -1, "completedAt": u64::MAX,
        "durationMs": "long" });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    let result = chat.finish().unwrap();
    assert_eq!((result.started_at, result.completed_at, result.duration), (None, None, None));
}

// ---- tokens ----

fn report(server: &mut Server, turn_id: &str, total: u64, last: u64) {
    let count = |tokens: u64| json!({ "totalTokens": tokens, "inputTokens": tokens, "outputTokens": 0 });
    let usage = json!({ "total": count(total), "last": count(last), "modelContextWindow": null });
    let params = json!({ "threadId": "t", "turnId": turn_id, "tokenUsage": usage });
    server.notify("thread/tokenUsage/updated", params);
}

/// The tokens of the next turn on the thread, with these reports of total and last.
fn usage_of(thread: &ThreadHandle, server: &mut Server, reports: &[(&str, u64, u64)]) -> Option<i64> {
    let asked = thread.clone();
    let once = spawn(move || asked.chat_once("x"));
    server.begin_turn_on("u");
    for (turn_id, total, last) in reports {
        report(server, turn_id, *total, *last);
    }
    server.message("m", "done");
    server.complete("completed");
    let result = once.join().unwrap().unwrap();
    result.usage.map(|usage| usage.total_tokens)
}

#[test]
fn the_tokens_of_a_turn_are_the_growth_of_the_threads_total() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    assert_eq!(usage_of(&thread, &mut server, &[("u", 120, 120), ("u", 240, 120)]), Some(240));
    // Two calls of the model, the second of which is reported again at a retry.
    let reports = [("u", 360, 120), ("u", 480, 120), ("u", 480, 120)];
    assert_eq!(usage_of(&thread, &mut server, &reports), Some(240));
    // An interrupted or compacting turn begins with the last report of the turn before.
    assert_eq!(usage_of(&thread, &mut server, &[("u", 480, 120)]), Some(0));
    assert_eq!(usage_of(&thread, &mut server, &[]), None);
    // Turns were taken away, or the server counts anew.
    assert_eq!(usage_of(&thread, &mut server, &[("u", 300, 60), ("u", 400, 100)]), Some(160));
}

#[test]
fn the_report_that_is_replayed_after_a_resume_is_kept_on_the_handle_and_counts_for_no_turn() {
    for comes_first in [true, false] {
        let (client, mut server) = served();
        let resuming = spawn(move || client.resume_thread("t", ThreadConfig::new()));
        let request = server.expect("thread/resume");
        if comes_first {
            report(&mut server, "old", 480, 120);
        }
        server.reply(&request, json!({ "thread": { "id": "t" } }));
        let thread = resuming.join().unwrap().unwrap();
        if !comes_first {
            assert!(thread.token_usage().is_none());
            report(&mut server, "old", 480, 120);
        }
        assert_eq!(thread.token_usage().unwrap().total.total_tokens, 480);
        assert_eq!(usage_of(&thread, &mut server, &[("u", 600, 120)]), Some(120));
        assert_eq!(thread.token_usage().unwrap().total.total_tokens, 600);
    }
}

#[test]
fn a_first_report_without_a_known_total_counts_from_its_last_call() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    assert_eq!(usage_of(&thread, &mut server, &[("u", 1000, 100), ("u", 1050, 50)]), Some(150));
}

// ---- retries ----

fn retry(server: &mut Server, number: u32) {
    let error =
        json!({ "message": format!("Reconnecting... {number}/5"), "additionalDetails": "no route to host" });
    let params = json!({ "threadId": "t", "turnId": "u", "error": error, "willRetry": true });
    server.notify("error", params);
}

#[test]
fn a_silent_turn_tells_the_last_retry_and_its_cause() {
    let builder = Client::builder().inactivity_timeout(Duration::from_millis(150));
    let (client, mut server) = served_with(builder);
    let chat = chatting(&client, &mut server);
    retry(&mut server, 1);
    retry(&mut server, 2);
    let ending = spawn(move || chat.finish());
    let lookup = server.expect("thread/turns/list");
    server.reply(&lookup, json!({ "data": [] }));
    let error = ending.join().unwrap().unwrap_err();
    let Error::TurnInactive { last_error, .. } = &error else { panic!("{error:?}") };
    assert_eq!(last_error.as_deref(), Some("Reconnecting... 2/5 (no route to host)"));
    let text = error.to_string();
    assert!(text.contains("no route to host"), "{text}");
    assert!(text.contains("inactive for 0.") && !text.contains("0.15000"), "{text}");
}

#[test]
fn a_retry_that_the_turn_got_over_is_not_told() {
    let builder = Client::builder().inactivity_timeout(Duration::from_millis(150));
    let (client, mut server) = served_with(builder);
    let chat = chatting(&client, &mut server);
    retry(&mut server, 1);
    server.item(message("m", "there again"));
    let ending = spawn(move || chat.finish());
    let lookup = server.expect("thread/turns/list");
    server.reply(&lookup, json!({ "data": [] }));
    let error = ending.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::TurnInactive { last_error: None, .. }), "{error:?}");
}

#[test]
fn the_first_retry_of_a_turn_is_a_warning_in_the_log() {
    if !is_alone("results::the_first_retry_of_a_turn_is_a_warning_in_the_log") {
        return;
    }
    let (tell, told) = crossbeam_channel::unbounded();
    set_logger(log::LevelFilter::Warn, move |record| drop(tell.send(record.args().to_string())));
    let (client, mut server) = served();
    // Nobody reads it.
    let _chat = chatting(&client, &mut server);
    retry(&mut server, 1);
    retry(&mut server, 2);
    client.close().unwrap();
    let expected = "turn u of thread t: Reconnecting... 1/5 (no route to host)";
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [expected]);
}
