//! The limit on a whole turn, the failures of turns, and retries.
//!
//! Relies on `support::memory`. Invariant: no test waits for a limit longer than a few hundredths of a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use codex_blocking::{
    ApprovalMode, ChatRequest, Client, ConversationStep, Error, Result, RetryPolicy, Timeout,
    protocol::CodexErrorInfo,
    retry,
    testing::{ScriptedServer, TurnScript},
};
use crossbeam_channel::unbounded;
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, begun, message, served, served_with, spawn_with};

const SHORT: Duration = Duration::from_millis(30);

fn limited(limit: Duration) -> ChatRequest {
    ChatRequest::new("hello").turn_timeout(limit).keep_steps(true)
}

/// Answers the interrupt of the turn `u`.
fn interrupted(server: &mut Server) {
    let request = server.expect("turn/interrupt");
    assert_eq!(request["params"], json!({ "threadId": "t", "turnId": "u" }));
    server.reply(&request, json!({}));
}

#[track_caller]
fn timed_out<T: std::fmt::Debug>(outcome: Result<T>, limit: Duration) -> Error {
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, Error::Timeout { limit: Timeout::Turn, after, .. } if after == limit),
        "{error:?}"
    );
    assert!(error.is_timeout() && !error.is_retryable(), "{error:?}");
    error
}

#[test]
fn a_turn_past_its_limit_is_interrupted_and_the_error_has_its_steps_and_tokens() {
    let (client, mut server) = served();
    let chatting = spawn_with(&client, |client| client.chat_once(limited(SHORT)));
    server.begin_turn();
    server.started();
    server.message("m", "so far");
    let total = json!({ "totalTokens": 7, "inputTokens": 7, "cachedInputTokens": 0, "outputTokens": 0, "reasoningOutputTokens": 0 });
    let usage = json!({ "threadId": "t", "turnId": "u", "tokenUsage": { "total": total, "last": total } });
    server.notify("thread/tokenUsage/updated", usage);
    interrupted(&mut server);
    server.message("n", "and more");
    server.complete("interrupted");
    let error = timed_out(chatting.join().unwrap(), SHORT);
    let texts: Vec<_> = error.steps().iter().map(|step| step.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["so far", "and more"]);
    assert_eq!(error.usage().unwrap().total_tokens, 7);
    assert_eq!(error.to_string(), "turn_timeout: the turn was interrupted after 0.03 s");
}

#[test]
fn a_turn_past_its_limit_is_interrupted_although_nobody_reads_it() {
    let (client, mut server) = served();
    let chat = begun(&client, &mut server, |client| client.chat(limited(SHORT)));
    server.started();
    interrupted(&mut server);
    server.complete("interrupted");
    timed_out(chat.finish(), SHORT);
    assert!(server.is_quiet());
}

#[test]
fn an_event_loop_is_woken_by_the_limit_of_a_turn_and_by_the_end_of_the_wait_for_its_end() {
    let (client, mut server) = served();
    let mut chat = begun(&client, &mut server, |client| {
        client.with_request_timeout(Duration::from_secs(1)).chat(limited(SHORT))
    });
    server.started();
    let (wake, woken) = unbounded();
    chat.on_ready(move || {
        let _ = wake.send(());
    });
    let mut steps: Vec<ConversationStep> = Vec::new();
    while !chat.is_ended() {
        woken.recv_timeout(PATIENCE).unwrap();
        while let Some(step) = chat.try_next() {
            steps.push(step);
        }
    }
    // The server has taken the interrupt, and never ended the turn.
    assert!(server.is_asked("turn/interrupt"));
    assert!(steps.len() == 1 && steps[0].is_error(), "{steps:?}");
    timed_out(chat.finish(), SHORT);
}

#[test]
fn a_turn_that_does_not_end_after_its_interrupt_is_given_up_after_the_request_limit() {
    let (client, mut server) = served();
    let chatting = spawn_with(&client, |client| {
        client.with_request_timeout(Duration::from_secs(1)).chat_once(limited(SHORT))
    });
    server.begin_turn();
    server.started();
    interrupted(&mut server);
    server.message("m", "not impressed");
    let error = timed_out(chatting.join().unwrap(), SHORT);
    assert_eq!(error.steps().len(), 1);
    assert!(error.to_string().ends_with("so it may still be running"), "{error}");
    // What the turn does from now on is kept for nobody.
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn a_turn_that_completes_after_its_limit_has_timed_out_all_the_same() {
    let (client, mut server) = served();
    let chatting = spawn_with(&client, |client| client.chat_once(limited(SHORT)));
    server.begin_turn();
    server.started();
    interrupted(&mut server);
    server.message("m", "done");
    server.complete("completed");
    let error = timed_out(chatting.join().unwrap(), SHORT);
    assert_eq!(error.steps()[0].text.as_deref(), Some("done"));
}

#[test]
fn a_turn_whose_end_arrived_before_the_limit_has_its_usual_end_though_it_is_read_later() {
    let (client, mut server) = served();
    let chat = begun(&client, &mut server, |client| client.chat("hello"));
    let token = chat.continuation();
    drop(chat);
    server.message("m", "done");
    server.complete("completed");
    let result = client.chat_once(ChatRequest::from(token).turn_timeout(Duration::from_nanos(1))).unwrap();
    assert_eq!(result.final_text, "done");
    assert!(server.is_quiet());
}

#[test]
fn the_limit_of_a_continuation_counts_from_the_request_of_the_turn() {
    let (client, mut server) = served();
    let chat = begun(&client, &mut server, |client| client.chat("hello"));
    server.started();
    let token = chat.continuation();
    drop(chat);
    let limit = Duration::from_nanos(1);
    let resumed =
        spawn_with(&client, move |client| client.chat_once(ChatRequest::from(token).turn_timeout(limit)));
    interrupted(&mut server);
    server.complete("interrupted");
    timed_out(resumed.join().unwrap(), limit);
}

#[test]
fn a_continuation_has_the_limit_of_its_chat_unless_it_sets_another_one() {
    for keeps in [true, false] {
        let (client, mut server) = served();
        // Longer than it takes to drop the chat.
        let limit = Duration::from_millis(300);
        let chat = begun(&client, &mut server, move |client| client.chat(limited(limit)));
        server.started();
        let token = chat.continuation();
        drop(chat);
        let request = ChatRequest::from(token);
        let request = if keeps { request } else { request.turn_timeout(None) };
        let resumed = spawn_with(&client, move |client| client.chat_once(request));
        if keeps {
            interrupted(&mut server);
            server.complete("interrupted");
            timed_out(resumed.join().unwrap(), limit);
        } else {
            assert!(server.next_request(limit * 2).is_none());
            server.message("m", "done");
            server.complete("completed");
            assert_eq!(resumed.join().unwrap().unwrap().final_text, "done");
        }
    }
}

#[test]
fn the_clock_of_a_turn_does_not_stop_while_a_question_waits() {
    let (client, mut server) = served_with(Client::builder().approval_mode(ApprovalMode::Manual));
    let chatting = spawn_with(&client, |client| client.chat_once(limited(SHORT)));
    server.begin_turn();
    server.started();
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "i", "command": "ls", "cwd": "/w" });
    server.ask(1, "item/commandExecution/requestApproval", &params);
    interrupted(&mut server);
    server.complete("interrupted");
    timed_out(chatting.join().unwrap(), SHORT);
}

#[test]
fn the_inactivity_of_an_interrupted_turn_ends_nothing() {
    let (client, mut server) = served();
    let chatting =
        spawn_with(&client, |client| client.chat_once(limited(SHORT).inactivity_timeout(SHORT * 2)));
    server.begin_turn();
    server.started();
    let request = server.expect("turn/interrupt");
    assert!(server.next_request(SHORT * 4).is_none());
    server.reply(&request, json!({}));
    server.complete("interrupted");
    timed_out(chatting.join().unwrap(), SHORT);
}

#[test]
fn a_lost_connection_is_told_as_such_after_the_limit_too() {
    let (client, mut server) = served();
    let chatting = spawn_with(&client, |client| client.chat_once(limited(SHORT)));
    server.begin_turn();
    server.started();
    server.expect("turn/interrupt");
    server.die();
    let error = chatting.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error:?}");
}

#[test]
fn a_turn_past_its_limit_can_be_cancelled() {
    let (client, mut server) = served();
    let mut chat = begun(&client, &mut server, |client| client.chat(limited(SHORT)));
    server.started();
    interrupted(&mut server);
    let cancelling = spawn_with(&chat.handle(), |handle| handle.cancel());
    let request = server.expect("turn/interrupt");
    server.reply(&request, json!({}));
    server.item(message("m", "so far"));
    server.complete("interrupted");
    assert!(cancelling.join().unwrap().unwrap().was_interrupted);
    assert!(chat.cancel().unwrap().was_interrupted);
}

#[test]
fn a_limit_of_zero_is_invalid_and_a_huge_one_is_none() {
    let server = ScriptedServer::new().on_turn(|_| TurnScript::new().message("done"));
    let client = server.client().unwrap();
    let error = client.chat_once(limited(Duration::ZERO)).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    assert!(server.received().iter().all(|request| request["method"] == "initialize"));
    for limit in [Duration::MAX, Duration::from_secs(u64::MAX / 2)] {
        let chat = client.chat(limited(limit)).unwrap();
        let (wake, _woken) = unbounded();
        chat.on_ready(move || {
            let _ = wake.send(());
        });
        assert_eq!(chat.finish().unwrap().final_text, "done");
    }
}

// ---- failures and retries ----

/// The end of the turn `u` as failed.
fn fail(server: &mut Server, info: &Value) {
    let error = json!({ "message": "it broke", "codexErrorInfo": info });
    let turn = json!({ "id": "u", "items": [], "status": "failed", "error": error });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
}

/// The error of a turn that did this before it failed.
fn failed(info: &Value, before: impl FnOnce(&mut Server)) -> Error {
    let (client, mut server) = served();
    let chatting = spawn_with(&client, |client| client.chat_once("hello"));
    server.begin_turn();
    before(&mut server);
    fail(&mut server, info);
    chatting.join().unwrap().unwrap_err()
}

fn use_up(server: &mut Server, used_percent: u32) {
    let window = json!({ "usedPercent": used_percent, "windowDurationMins": 300, "resetsAt": 1_800_000_000 });
    let limits = json!({ "limitId": "codex", "primary": window, "secondary": null });
    server.notify("account/rateLimits/updated", json!({ "rateLimits": limits }));
}

#[test]
fn the_failure_of_a_turn_is_data_with_the_time_of_the_reset() {
    let error = failed(&json!("usageLimitExceeded"), |server| use_up(server, 100));
    let failure = error.failure().unwrap();
    assert_eq!(failure.kind, CodexErrorInfo::UsageLimitExceeded);
    assert_eq!((failure.http_status, failure.is_transient), (None, false));
    let resets_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    assert_eq!(failure.resets_at, Some(resets_at));
    // Not if there is room, and not if something else is the reason.
    let error = failed(&json!("usageLimitExceeded"), |server| use_up(server, 99));
    assert_eq!(error.failure().unwrap().resets_at, None);
    let error = failed(&json!("contextWindowExceeded"), |server| use_up(server, 100));
    assert_eq!(error.failure().unwrap().resets_at, None);

    let info = json!({ "responseTooManyFailedAttempts": { "httpStatusCode": 429 } });
    let failure = failed(&info, |_| {}).failure().unwrap();
    assert_eq!((failure.http_status, failure.is_transient), (Some(429), true));
    let failure = failed(&json!({ "brandNew": [1] }), |_| {}).failure().unwrap();
    assert!(matches!(failure.kind, CodexErrorInfo::Unknown(_)) && !failure.is_transient, "{failure:?}");
    let (client, _server) = served();
    client.close().unwrap();
    assert!(client.chat_once("hello").unwrap_err().failure().is_none());
}

#[test]
fn a_turn_that_failed_before_it_did_anything_can_be_repeated_and_no_other() {
    let overloaded = json!("serverOverloaded");
    let input = |server: &mut Server| {
        server.started();
        let item = json!({ "type": "userMessage", "id": "i", "content": [] });
        server.item_started(&item);
        server.item(item);
    };
    assert!(failed(&overloaded, input).is_retryable());
    assert!(!failed(&json!("contextWindowExceeded"), input).is_retryable());
    // Its beginning is not known.
    assert!(!failed(&overloaded, |_| {}).is_retryable());
    let worked: [fn(&mut Server); 5] = [
        |server| server.item_started(&json!({ "type": "commandExecution", "id": "c" })),
        |server| {
            let params = json!({ "threadId": "t", "turnId": "u", "itemId": "c", "step": 1 });
            server.notify("item/launch/countedDown", params);
        },
        |server| server.item(json!({ "type": "commandExecution", "id": "c" })),
        |server| server.delta("so"),
        |server| {
            let params =
                json!({ "threadId": "t", "turnId": "u", "itemId": "i", "command": "ls", "cwd": "/w" });
            server.ask(1, "item/commandExecution/requestApproval", &params);
        },
    ];
    for work in worked {
        let error = failed(&overloaded, |server| {
            input(server);
            work(server);
        });
        assert!(!error.is_retryable(), "{error:?}");
    }
}

#[test]
fn retry_repeats_a_turn_that_the_model_refused_until_it_answers() {
    let refused = Arc::new(AtomicUsize::new(2));
    let left = Arc::clone(&refused);
    let take = move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    let server = ScriptedServer::new().on_turn(move |_| match take() {
        Ok(_) => TurnScript::new().fail("overloaded", "serverOverloaded".into()),
        Err(_) => TurnScript::new().message("done"),
    });
    let client = server.client().unwrap();
    let policy = || RetryPolicy::new().first_delay(Duration::from_millis(1));
    let mut attempts = 0;
    let result = retry(policy(), || {
        attempts += 1;
        client.chat_once("hello")
    });
    assert_eq!((result.unwrap().final_text.as_str(), attempts), ("done", 3));
    refused.store(2, Ordering::Relaxed);
    let error = retry(policy().max_attempts(2), || client.chat_once("hello")).unwrap_err();
    assert!(error.failure().is_some_and(|failure| failure.is_transient), "{error:?}");
}
