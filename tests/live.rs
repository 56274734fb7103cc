//! The client against the real app-server: what a program sees of turns, threads, silence and death.
//!
//! Relies on the feature `testing` and on `support/live.rs`; uses the public API only. Invariant: each test has
//! its own server and its own model, so that all can run at once.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

#[path = "support/live.rs"]
mod live;

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ChatContinuation, ChatRequest, Client,
    CollaborationMode, CompletionSource, ConversationStep, Error, SandboxMode, StepStatus, StepType,
    ThreadConfig, TurnEvent, TurnOverrides, UserInputResponse,
};
use serde_json::{Value, json};

use self::live::real::{RealHome, codex_bin, is_old_server};
use self::live::{Live, PATIENCE, stdio};

/// How long something may take that needs no time: long enough for a machine that does other things too.
const SOON: Duration = Duration::from_secs(10);
/// An inactivity limit that is waited for.
const SHORT: Duration = Duration::from_secs(1);

fn kinds(steps: &[ConversationStep]) -> Vec<String> {
    steps.iter().map(|step| step.step_type.to_string()).collect()
}

/// The texts of the user in a request to the model, oldest first.
fn user_texts(request: &Value) -> Vec<&str> {
    let items = request["input"].as_array().unwrap().iter();
    let users = items.filter(|item| item["type"] == "message" && item["role"] == "user");
    users
        .flat_map(|item| item["content"].as_array().unwrap())
        .filter_map(|part| part["text"].as_str())
        .collect()
}

// ---- plain turns ----

#[test]
#[ignore = "needs npm once"]
fn chat_once_gives_the_answer_and_how_it_came_about() {
    let live = Live::new();
    let result = live.client.chat_once("hello").unwrap();
    assert_eq!(result.final_text, "echo: hello");
    assert_eq!(result.completion_source, Some(CompletionSource::ItemCompleted));
    assert!(result.assistant_item_id.unwrap().starts_with("msg_"));
    assert!(result.token_usage.unwrap().total.total_tokens > 0);
    let methods: Vec<_> = result.raw_events.iter().map(|event| event.method().into_owned()).collect();
    for method in ["turn/started", "item/started", "item/agentMessage/delta", "item/completed"] {
        assert!(methods.iter().any(|known| known == method), "no {method} in {methods:?}");
    }
    assert_eq!(methods.iter().filter(|method| *method == "turn/completed").count(), 1);
    assert_eq!(methods.last().unwrap(), "turn/completed");
    let end: Value = result.raw_events.last().unwrap().params().unwrap();
    assert_eq!((&end["threadId"], &end["turn"]["id"]), (&json!(result.thread_id), &json!(result.turn_id)));
    assert_eq!(live.model().requests().len(), 1);
}

#[test]
#[ignore = "needs npm once"]
fn chat_gives_the_users_message_and_the_answer_as_steps() {
    let live = Live::new();
    let mut chat = live.client.chat("hello").unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    assert_eq!(kinds(&steps), ["userMessage", "codex"]);
    assert_eq!(steps[0].text.as_deref(), Some("hello"));
    assert_eq!(steps[1].text.as_deref(), Some("echo: hello"));
    assert!(steps.iter().all(|step| step.thread_id == chat.thread_id() && step.turn_id == chat.turn_id()));
    assert!(chat.is_ended() && chat.error().is_none());
    let result = chat.finish().unwrap();
    assert_eq!(result.final_text, "echo: hello");
    assert_eq!(result.assistant_item_id, steps[1].item_id);
    assert!(result.raw_events.is_empty(), "a chat keeps no events unless it is told to");
}

#[test]
#[ignore = "needs npm once"]
fn reasoning_is_a_thinking_step() {
    let live = Live::new();
    let steps: Vec<_> = live.client.chat("think about cats").unwrap().collect();
    assert_eq!(kinds(&steps), ["userMessage", "thinking", "codex"]);
    assert_eq!(steps[1].text.as_deref(), Some("**Thinking** about it"));
    assert_eq!(steps[1].data()["content"], json!(["Let me think. about cats"]));
    assert_eq!(steps[2].text.as_deref(), Some("thought: about cats"));
}

#[test]
#[ignore = "needs npm once"]
fn a_command_is_an_exec_step_with_its_output() {
    let live = Live::new();
    let steps: Vec<_> = live.client.chat("run echo from the shell").unwrap().collect();
    let step = match steps.iter().find(|step| step.step_type == StepType::Exec) {
        Some(step) => step,
        // It may tell the end of a command after the end of the turn.
        None => return assert!(is_old_server(), "{steps:?}"),
    };
    assert_eq!(step.status, StepStatus::Completed);
    assert_eq!(step.data()["exitCode"], 0);
    // Old servers lose what a command prints before it is announced.
    assert!(is_old_server() || step.text.as_deref().unwrap().ends_with("\nfrom the shell"), "{step}");
    assert!(steps.last().unwrap().text.as_deref().unwrap().contains("from the shell"));
}

#[test]
#[ignore = "needs npm once"]
fn a_patch_is_a_file_step_and_a_diff() {
    let live = Live::new();
    let events: Vec<_> = live.client.chat_events("patch added.txt").unwrap().collect();
    let step = events.iter().find_map(|event| match event {
        TurnEvent::Step(step) if step.step_type == StepType::File => Some(step),
        _ => None,
    });
    assert!(step.unwrap().text.as_deref().unwrap().contains("added.txt"));
    let diff =
        events.iter().any(|event| matches!(event, TurnEvent::Diff { diff } if diff.contains("added.txt")));
    assert!(diff, "{events:#?}");
    assert!(live.home.workspace().join("added.txt").is_file());
}

#[test]
#[ignore = "needs npm once"]
fn chat_events_gives_the_answer_in_pieces() {
    let live = Live::new();
    let mut chat = live.client.chat_events("hello").unwrap();
    let events: Vec<_> = chat.by_ref().collect();
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            TurnEvent::TextDelta { delta, .. } => Some(delta.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(text, "echo: hello");
    let begun = events.iter().filter(|event| matches!(event, TurnEvent::ItemStarted(_))).count();
    let steps = events.iter().filter(|event| matches!(event, TurnEvent::Step(_))).count();
    assert_eq!((begun, steps), (2, 2), "{events:#?}");
    assert!(events.iter().any(|event| matches!(event, TurnEvent::TokenUsage(_))));
    assert_eq!(chat.finish().unwrap().final_text, text);
}

#[test]
#[ignore = "needs npm once"]
fn a_hundred_thousand_deltas_arrive_all_and_in_order() {
    let live = Live::new();
    let mut chat = live.client.chat_events("flood 100000").unwrap();
    let (mut deltas, mut text) = (0, String::new());
    for event in &mut chat {
        if let TurnEvent::TextDelta { delta, .. } = event {
            deltas += 1;
            text.push_str(&delta);
        }
    }
    assert_eq!(deltas, 100_000);
    let result = chat.finish().unwrap();
    assert!(result.final_text == text, "{} bytes of {}", text.len(), result.final_text.len());
    assert_eq!(live.client.stats().skipped_frames, 0);
    assert_eq!(live.client.stats().kept_bytes, 0);
}

#[test]
#[ignore = "needs npm once"]
fn a_question_about_approval_is_declined_and_the_turn_goes_on() {
    let live = Live::new();
    let mut chat = live.client.chat("escalate touch made").unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    let step = steps.iter().find(|step| step.step_type == StepType::Exec).unwrap();
    assert_eq!(step.status, StepStatus::Declined);
    assert!(chat.finish().unwrap().final_text.starts_with("output: "));
    assert!(!live.home.workspace().join("made").exists());
}

#[test]
#[ignore = "needs npm once"]
fn the_version_is_the_one_that_the_program_prints() {
    let live = Live::new();
    let printed = Command::new(codex_bin()).arg("--version").output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let told = live.client.initialize().unwrap();
    assert_eq!(told.server_version(), printed.split_whitespace().last());
}

#[test]
#[ignore = "needs npm once"]
fn a_turn_without_an_answer_is_an_error_of_chat_once_only() {
    let live = Live::with_script(|_| ModelReply::new());
    let error = live.client.chat_once("hello").unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }), "{error:?}");
    let result = live.client.chat("hello").unwrap().finish().unwrap();
    assert_eq!((result.final_text.as_str(), result.completion_source), ("", None));
}

// ---- turns that fail ----

#[test]
#[ignore = "needs npm once"]
fn a_failed_turn_is_an_error_with_the_servers_words_and_info() {
    let live = Live::new();
    for (text, info) in [
        ("fail context_length_exceeded", json!("contextWindowExceeded")),
        ("status 500", json!("internalServerError")),
        ("status 429", json!({ "responseTooManyFailedAttempts": { "httpStatusCode": 429 } })),
    ] {
        let error = live.client.chat_once(text).unwrap_err();
        let Error::TurnFailed { message, info: told, turn, .. } = &error else { panic!("{text}: {error:?}") };
        assert_eq!(told.as_deref(), Some(&info), "{text}");
        assert!(!message.is_empty() && error.to_string().contains(message.as_str()), "{error}");
        assert_eq!(turn.as_ref().unwrap()["status"], "failed");
    }
}

#[test]
#[ignore = "needs npm once"]
fn a_failed_turn_closes_a_plain_loop_with_an_error_step() {
    let live = Live::new();
    let mut chat = live.client.chat("fail context_length_exceeded").unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    assert_eq!(kinds(&steps), ["userMessage", "error"]);
    let last = steps.last().unwrap();
    assert!(last.is_error() && last.status == StepStatus::Failed && last.text.is_none());
    assert_eq!(last.data()["info"], "contextWindowExceeded");
    assert!(chat.next().is_none() && chat.is_ended());
    assert!(matches!(chat.error(), Some(Error::TurnFailed { .. })));
    assert!(matches!(chat.finish(), Err(Error::TurnFailed { .. })));
}

#[test]
#[ignore = "needs npm once"]
fn results_give_the_failure_as_an_error() {
    let live = Live::new();
    let mut chat = live.client.chat("fail").unwrap();
    let results: Vec<_> = chat.results().collect();
    assert_eq!(results.len(), 2);
    assert!(results[0].is_ok() && matches!(results[1], Err(Error::TurnFailed { .. })), "{results:?}");
}

#[test]
#[ignore = "needs npm once"]
fn a_stream_that_breaks_off_is_retried_and_told() {
    let home = RealHome::with_model(ModelStub::start().unwrap().with_retries(1));
    let live = Live::with(home, Client::builder());
    let mut chat = live.client.chat_events("retry this").unwrap();
    let retries: Vec<_> = chat
        .by_ref()
        .filter_map(|event| match event {
            TurnEvent::RetryingError { message, event } => Some((message, event)),
            _ => None,
        })
        .collect();
    assert_eq!(retries.len(), 1, "{retries:?}");
    assert_eq!(retries[0].1.method(), "error");
    assert_eq!(chat.finish().unwrap().final_text, "second attempt: this");
}

// ---- threads ----

#[test]
#[ignore = "needs npm once"]
fn a_second_turn_in_a_thread_knows_the_first() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let first = thread.chat_once("first").unwrap();
    let second = thread.chat_once("second").unwrap();
    assert_eq!(
        (first.thread_id.as_str(), second.thread_id.as_str()),
        (thread.thread_id(), thread.thread_id())
    );
    assert_ne!(first.turn_id, second.turn_id);
    let requests = live.model().requests();
    let texts = user_texts(&requests[1]);
    assert!(texts.ends_with(&["first", "second"]), "{texts:?}");
    assert!(requests[1].to_string().contains("echo: first"));
}

#[test]
#[ignore = "needs npm once"]
fn a_thread_goes_on_in_another_process() {
    let first = Live::new();
    let result = first.client.chat_once("first").unwrap();
    first.client.close().unwrap();

    let second = Client::connect(stdio(&first.home, first.home.command())).unwrap();
    let answer = second.chat_once(ChatRequest::new("second").thread(&result.thread_id)).unwrap();
    assert_eq!((answer.final_text.as_str(), &answer.thread_id), ("echo: second", &result.thread_id));
    let thread = second.resume_thread(&result.thread_id, ThreadConfig::new()).unwrap();
    assert_eq!(thread.chat_once("third").unwrap().final_text, "echo: third");
    second.close().unwrap();

    let requests = first.model().requests();
    let texts = user_texts(&requests[2]);
    for said in ["first", "second", "third"] {
        assert_eq!(texts.iter().filter(|text| **text == said).count(), 1, "{texts:?}");
    }
}

#[test]
#[ignore = "needs npm once"]
fn an_unknown_thread_is_refused_at_the_start_of_its_turn() {
    let live = Live::new();
    let request = ChatRequest::new("hello").thread("01999999-0000-7000-8000-000000000000");
    let error = live.client.chat(request).unwrap_err();
    assert!(matches!(&error, Error::Rpc { method, .. } if method == "turn/start"), "{error:?}");
    assert_eq!(live.client.chat_once("hello").unwrap().final_text, "echo: hello");
}

#[test]
#[ignore = "needs npm once"]
fn an_unknown_thread_is_refused_at_its_resumption_by_a_strict_client() {
    let live = Live::with(RealHome::new(), Client::builder().strict(true));
    let request = ChatRequest::new("hello").thread("01999999-0000-7000-8000-000000000000");
    let error = live.client.chat(request).unwrap_err();
    assert!(matches!(&error, Error::Rpc { method, .. } if method == "thread/resume"), "{error:?}");
    assert_eq!(live.client.chat_once("hello").unwrap().final_text, "echo: hello");
}

#[test]
#[ignore = "needs npm once"]
fn the_model_of_a_turn_stays_for_the_next_one() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let overrides = TurnOverrides::new().model("another-model");
    for step in thread.chat(ChatRequest::new("first").overrides(overrides)).unwrap().results() {
        step.unwrap();
    }
    thread.chat_once("second").unwrap();
    let models: Vec<_> = live.model().requests().iter().map(|request| request["model"].clone()).collect();
    assert_eq!(models, ["another-model", "another-model"]);
}

#[test]
#[ignore = "needs npm once"]
fn the_schema_of_the_answer_reaches_the_model_for_one_turn() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let schema = json!({
        "type": "object",
        "properties": { "answer": { "type": "string" } },
        "required": ["answer"],
        "additionalProperties": false,
    });
    let overrides = TurnOverrides::new().output_schema(schema.clone());
    thread.chat_once(ChatRequest::new("first").overrides(overrides)).unwrap();
    thread.chat_once("second").unwrap();
    let requests = live.model().requests();
    assert_eq!(requests[0]["text"]["format"]["schema"], schema);
    assert!(requests[1].pointer("/text/format").is_none(), "{}", requests[1]["text"]);
}

// ---- many at once ----

#[test]
#[ignore = "needs npm once"]
fn twelve_turns_at_once_get_each_their_own_answer() {
    let live = Live::new();
    let turns = thread::scope(|scope| {
        let turns: Vec<_> = (0..12)
            .map(|number| {
                let client = live.client.clone();
                scope.spawn(move || {
                    let mut chat = client.chat(format!("think of number {number}")).unwrap();
                    let steps: Vec<_> = chat.by_ref().collect();
                    assert_eq!(kinds(&steps), ["userMessage", "thinking", "codex"]);
                    let result = chat.finish().unwrap();
                    assert_eq!(result.final_text, format!("thought: of number {number}"));
                    result.thread_id
                })
            })
            .collect();
        turns.into_iter().map(|turn| turn.join().unwrap()).collect::<std::collections::HashSet<_>>()
    });
    assert_eq!(turns.len(), 12);
    let stats = live.client.stats();
    assert_eq!((stats.running_turns, stats.pending_requests, stats.kept_bytes), (0, 0, 0), "{stats:?}");
}

#[test]
#[ignore = "needs npm once"]
fn two_thousand_requests_of_forty_threads_are_all_answered() {
    let live = Live::new();
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let reply = live.client.request("config/read", json!({})).unwrap();
                    assert_eq!(reply["config"]["model"], "mock-model");
                }
            });
        }
    });
    let stats = live.client.stats();
    assert_eq!((stats.pending_requests, stats.unmatched_replies), (0, 0), "{stats:?}");
}

#[test]
#[ignore = "needs npm once"]
fn two_chats_on_a_busy_thread_share_its_turn_and_its_end() {
    let (live, release) = Live::held();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    let first = thread.chat("hello").unwrap();
    live.wait_for_model(1);
    let second = thread.chat("and hello").unwrap();
    assert_eq!(first.turn_id(), second.turn_id());
    drop(release);
    let (first, second) = (first.finish().unwrap(), second.finish().unwrap());
    assert_eq!((first.final_text.as_str(), second.final_text.as_str()), ("late", "late"));
    assert_eq!(live.client.stats().running_turns, 0);
}

#[test]
#[ignore = "needs npm once"]
fn chats_of_eight_threads_in_one_thread_all_end() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread::scope(|scope| {
        for speaker in 0..8 {
            let thread = &thread;
            scope.spawn(move || {
                for number in 0..12 {
                    let request =
                        ChatRequest::new(format!("{speaker} says {number}")).inactivity_timeout(PATIENCE);
                    // Whose words the answer is to is the server's choice, where turns are shared.
                    assert!(thread.chat_once(request).unwrap().final_text.starts_with("echo: "));
                }
            });
        }
    });
    let stats = live.client.stats();
    assert_eq!((stats.running_turns, stats.pending_requests, stats.kept_bytes), (0, 0, 0), "{stats:?}");
}

// ---- silence ----

#[test]
#[ignore = "needs npm once"]
fn a_silent_turn_is_read_on_with_its_continuation() {
    let (live, release) = Live::held();
    let error = live.client.chat_once(ChatRequest::new("hello").inactivity_timeout(SHORT)).unwrap_err();
    let Error::TurnInactive { continuation, idle } = error else { panic!("{error:?}") };
    assert!(idle >= SHORT, "{idle:?}");
    // It may be stored in between.
    let continuation: ChatContinuation =
        serde_json::from_str(&serde_json::to_string(&continuation).unwrap()).unwrap();
    release.send(()).unwrap();
    let result = live.client.chat_once(ChatRequest::from(&continuation)).unwrap();
    assert_eq!(result.final_text, "late");
    assert_eq!(result.turn_id, continuation.turn_id);
    // What was read before the silence is part of the whole.
    let methods: Vec<_> = result.raw_events.iter().map(|event| event.method().into_owned()).collect();
    for method in ["turn/started", "turn/completed"] {
        assert_eq!(methods.iter().filter(|known| *known == method).count(), 1, "{methods:?}");
    }
    let again = live.client.chat_once(ChatRequest::from(&continuation)).unwrap_err();
    assert!(matches!(again, Error::NoLongerPending { .. }), "{again:?}");
}

#[test]
#[ignore = "needs npm once"]
fn the_silence_of_a_chat_is_its_closing_step_and_no_step_is_lost() {
    let (live, release) = Live::held();
    let mut chat = live.client.chat(ChatRequest::new("hello").inactivity_timeout(SHORT)).unwrap();
    let mut steps: Vec<_> = chat.by_ref().collect();
    let closing = steps.pop().unwrap();
    assert!(closing.is_error() && closing.data()["code"] == "turn_inactive", "{closing:?}");
    let continuation = chat.error().unwrap().continuation().unwrap().clone();
    drop(chat);
    release.send(()).unwrap();
    let rest = live.client.chat(continuation).unwrap();
    steps.extend(rest);
    assert_eq!(kinds(&steps), ["userMessage", "codex"]);
}

#[test]
#[ignore = "needs npm once"]
fn a_chat_that_was_left_is_read_on_with_its_continuation() {
    let (live, release) = Live::held();
    let mut chat = live.client.chat("hello").unwrap();
    let mut steps = vec![chat.next().unwrap()];
    live.wait_for_model(1);
    let continuation = chat.continuation();
    drop(chat);
    release.send(()).unwrap();
    steps.extend(live.client.chat(continuation).unwrap());
    assert_eq!(kinds(&steps), ["userMessage", "codex"]);
}

#[test]
#[ignore = "needs npm once"]
fn a_silent_turn_is_cancelled_by_its_continuation() {
    let live = Live::new();
    let error = live.client.chat_once(ChatRequest::new("hang").inactivity_timeout(SHORT)).unwrap_err();
    let continuation = error.continuation().unwrap();
    let cancelled = live.client.cancel(continuation).unwrap();
    assert!(cancelled.was_interrupted && !cancelled.was_completed, "{cancelled:?}");
    assert_eq!(cancelled.turn_id, continuation.turn_id);
    assert!(matches!(live.client.cancel(continuation), Err(Error::NoLongerPending { .. })));
    assert_eq!(live.client.stats().running_turns, 0);
}

#[test]
#[ignore = "needs npm once"]
fn a_forgotten_continuation_keeps_nothing_of_the_chat_that_gave_it() {
    let live = Live::new();
    let mut chat = live.client.chat("hang").unwrap();
    live.wait_for_model(1);
    let continuation = chat.continuation();
    live.client.forget(&continuation);
    assert_eq!(chat.next().unwrap().text.as_deref(), Some("hang"));
    let handle = chat.handle();
    drop(chat);
    let error = live.client.chat(&continuation).unwrap_err();
    assert!(matches!(error, Error::NoLongerPending { .. }), "{error:?}");
    handle.interrupt().unwrap();
}

// ---- steering, interrupting, cancelling ----

#[test]
#[ignore = "needs npm once"]
fn what_is_said_to_a_running_turn_reaches_the_model() {
    let (live, release) = Live::held();
    let mut chat = live.client.chat("first").unwrap();
    live.wait_for_model(1);
    chat.steer("second").unwrap();
    // The new server breaks off what the model was saying; an old one waits for it.
    drop(release);
    let steps: Vec<_> = chat.by_ref().collect();
    let said: Vec<_> = steps.iter().filter(|step| step.step_type == "userMessage").collect();
    assert_eq!((said.len(), said[1].text.as_deref()), (2, Some("second")), "{steps:?}");
    assert_eq!(chat.finish().unwrap().final_text, "late");
    let requests = live.model().requests();
    assert!(user_texts(requests.last().unwrap()).ends_with(&["first", "second"]));
}

#[test]
#[ignore = "needs npm once"]
fn a_turn_can_be_cancelled_as_soon_as_it_was_asked_for() {
    let live = Live::new();
    for number in 0..20 {
        let mut chat = live.client.chat("hang").unwrap();
        let cancelled = chat.cancel().unwrap();
        assert!(cancelled.was_interrupted && !cancelled.was_completed, "{number}: {cancelled:?}");
        assert!(chat.next().is_none() && chat.is_ended());
    }
    assert_eq!(live.client.chat_once("hello").unwrap().final_text, "echo: hello");
    let stats = live.client.stats();
    assert_eq!((stats.running_turns, stats.pending_requests, stats.kept_bytes), (0, 0, 0), "{stats:?}");
}

#[test]
#[ignore = "needs npm once"]
fn an_interrupt_from_another_thread_ends_the_reader() {
    let live = Live::new();
    let mut chat = live.client.chat("hang").unwrap();
    live.wait_for_model(1);
    let handle = chat.handle();
    let steps: Vec<_> = thread::scope(|scope| {
        scope.spawn(move || handle.interrupt().unwrap());
        chat.by_ref().collect()
    });
    assert_eq!(kinds(&steps), ["userMessage", "error"]);
    assert_eq!(steps[1].status, StepStatus::Interrupted);
    assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
}

#[test]
#[ignore = "needs npm once"]
fn cancelling_a_turn_gives_the_steps_that_were_not_read() {
    let live = Live::new();
    let mut chat = live.client.chat("hang").unwrap();
    live.wait_for_model(1);
    let cancelled = chat.cancel().unwrap();
    assert_eq!(kinds(&cancelled.steps), ["userMessage"]);
    assert!(cancelled.was_interrupted);
}

#[test]
#[ignore = "needs npm once"]
fn cancelling_a_turn_that_has_been_read_to_its_end_says_that_it_had_completed() {
    let live = Live::new();
    let mut chat = live.client.chat("hello").unwrap();
    assert_eq!(chat.by_ref().count(), 2);
    let begun = Instant::now();
    let cancelled = chat.cancel().unwrap();
    assert!(cancelled.was_completed && !cancelled.was_interrupted, "{cancelled:?}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
#[ignore = "needs npm once"]
fn cancelling_a_turn_that_somebody_interrupted_says_so() {
    let live = Live::new();
    let chat = live.client.chat("hang").unwrap();
    live.wait_for_model(1);
    let handle = chat.handle();
    chat.interrupt().unwrap();
    assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
    let cancelled = handle.cancel().unwrap();
    assert!(cancelled.was_interrupted && !cancelled.was_completed, "{cancelled:?}");
}

#[test]
#[ignore = "needs npm once"]
fn cancelling_a_turn_near_its_end_finds_it_completed_or_interrupted() {
    let live = Live::new();
    for number in 0..40 {
        let mut chat = live.client.chat_events("hello").unwrap();
        // From before its first word to behind its last one.
        let read = chat.by_ref().take(number / 3).count();
        let cancelled = chat.cancel().unwrap();
        assert_ne!(cancelled.was_interrupted, cancelled.was_completed, "after {read} events");
    }
    let stats = live.client.stats();
    assert_eq!((stats.running_turns, stats.pending_requests, stats.kept_bytes), (0, 0, 0), "{stats:?}");
}

#[test]
#[ignore = "needs npm once"]
fn interrupting_a_turn_that_is_over_is_no_error() {
    let live = Live::new();
    let chat = live.client.chat("hello").unwrap();
    let handle = chat.handle();
    chat.finish().unwrap();
    handle.interrupt().unwrap();
    assert!(handle.is_over());
}

#[test]
#[ignore = "needs npm once"]
fn closing_the_client_wakes_whoever_reads_a_turn() {
    let live = Live::new();
    let mut chat = live.client.chat("hang").unwrap();
    live.wait_for_model(1);
    let client = live.client.clone();
    let steps: Vec<_> = thread::scope(|scope| {
        scope.spawn(move || client.close().unwrap());
        chat.by_ref().collect()
    });
    assert!(steps.last().unwrap().is_error(), "{steps:?}");
    assert!(matches!(chat.finish(), Err(Error::Closed { .. })));
    assert!(matches!(live.client.request("config/read", json!({})), Err(Error::Closed { .. })));
}

// ---- death ----

#[test]
#[ignore = "needs npm once"]
fn a_server_that_does_not_start_says_why() {
    if is_old_server() {
        return; // It starts with this setting.
    }
    let home = RealHome::new();
    let config = home.home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let broken = text.replace(r#"approval_policy = "on-request""#, r#"approval_policy = "untrusted""#);
    assert_ne!(text, broken);
    std::fs::write(&config, broken).unwrap();
    let live = Live::with(home, Client::builder());
    let error = live.client.chat_once("hello").unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.unwrap().code(), Some(1));
    let reason = failure.stderr_tail.join("\n");
    assert!(reason.contains("untrusted") && reason.contains("no longer supported"), "{reason}");
    assert!(error.to_string().contains("no longer supported"), "{error}");
}

#[cfg(unix)]
mod killed {
    use std::sync::Arc;

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    /// A server of which the process is known.
    struct Mortal {
        live: Live,
        pid: Pid,
    }

    impl Mortal {
        fn new() -> Mortal {
            let home = RealHome::new();
            let pid_file = home.home().join("pid");
            // The shell leaves its place, and its number, to the server.
            let shell = ["sh", "-c", r#"echo $$ > "$0"; exec "$@""#, pid_file.to_str().unwrap()];
            let command = shell.map(str::to_owned).into_iter().chain(home.command()).collect();
            let client = Client::connect(stdio(&home, command)).unwrap();
            client.initialize().unwrap();
            let pid = std::fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
            Mortal { live: Live { client, home }, pid: Pid::from_raw(pid).unwrap() }
        }

        fn signal(&self, signal: Signal) {
            kill_process(self.pid, signal).unwrap();
        }
    }

    /// The reason, if it is that the server was killed.
    fn failure(error: &Error) -> Arc<codex_blocking::TransportFailure> {
        use std::os::unix::process::ExitStatusExt;

        let Error::Transport { failure, .. } = error else { panic!("{error:?}") };
        let status = failure.exit_status.expect("the exit was seen");
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status:?}");
        Arc::clone(failure)
    }

    #[test]
    #[ignore = "needs npm once"]
    fn a_server_that_dies_in_a_turn_ends_it_and_every_later_call_with_one_reason() {
        let mortal = Mortal::new();
        let client = &mortal.live.client;
        let mut chat = client.chat("hang").unwrap();
        mortal.live.wait_for_model(1);
        mortal.signal(Signal::KILL);
        let steps: Vec<_> = chat.by_ref().collect();
        assert_eq!(kinds(&steps), ["userMessage", "error"]);
        assert_eq!(steps[1].data()["code"], "transport");
        let reason = failure(&chat.finish().unwrap_err());

        let begun = Instant::now();
        for error in [
            client.request("config/read", json!({})).unwrap_err(),
            client.chat("hello").unwrap_err(),
            client.start_thread(ThreadConfig::new()).unwrap_err(),
            client.notify("initialized", ()).unwrap_err(),
        ] {
            assert!(Arc::ptr_eq(&failure(&error), &reason), "{error:?}");
        }
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }

    #[test]
    #[ignore = "needs npm once"]
    fn fifty_who_wait_are_told_of_the_servers_death() {
        const OF_EACH: usize = 25;
        let mortal = Mortal::new();
        let client = &mortal.live.client;
        let chats: Vec<_> = (0..OF_EACH).map(|_| client.chat("hang").unwrap()).collect();
        mortal.live.wait_for_model(OF_EACH as u64);
        // Asleep it answers nothing, so that these wait for sure.
        mortal.signal(Signal::STOP);
        let (killed, errors) = thread::scope(|scope| {
            let readers = chats.into_iter().map(|chat| scope.spawn(|| chat.finish().unwrap_err()));
            let callers =
                (0..OF_EACH).map(|_| scope.spawn(|| client.request("config/read", json!({})).unwrap_err()));
            let waiting: Vec<_> = readers.chain(callers).collect();
            let begun = Instant::now();
            while client.stats().pending_requests < OF_EACH {
                assert!(begun.elapsed() < PATIENCE, "{:?}", client.stats());
                thread::yield_now();
            }
            let killed = Instant::now();
            mortal.signal(Signal::KILL);
            let errors: Vec<_> = waiting.into_iter().map(|waiting| waiting.join().unwrap()).collect();
            (killed, errors)
        });
        assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
        let reason = failure(&errors[0]);
        assert!(errors.iter().all(|error| Arc::ptr_eq(&failure(error), &reason)));
        assert_eq!(errors.len(), 2 * OF_EACH);
    }

    #[test]
    #[ignore = "needs npm once"]
    fn a_server_that_sleeps_costs_each_call_its_limit_and_no_more() {
        let mortal = Mortal::new();
        let client = mortal.live.client.with_request_timeout(SHORT);
        let mut chat = client.chat("hang").unwrap();
        mortal.live.wait_for_model(1);
        mortal.signal(Signal::STOP);
        let begun = Instant::now();
        for error in [
            client.request("config/read", json!({})).unwrap_err(),
            client.chat("hello").unwrap_err(),
            chat.cancel().unwrap_err(),
        ] {
            assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        }
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert_eq!(client.stats().pending_requests, 0);
        mortal.signal(Signal::CONT);
        // It was told to interrupt, and does so late.
        assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
        assert_eq!(mortal.live.client.chat_once("hello").unwrap().final_text, "echo: hello");
    }

    #[test]
    #[ignore = "needs npm once"]
    fn a_continuation_of_a_dead_server_tells_of_its_death() {
        let mortal = Mortal::new();
        let client = &mortal.live.client;
        let request = ChatRequest::new("hang").inactivity_timeout(SHORT);
        let error = client.chat_once(request).unwrap_err();
        let continuation = error.continuation().unwrap();
        mortal.signal(Signal::KILL);
        failure(&client.chat_once(continuation).unwrap_err());
    }
}

// ---- questions ----

#[test]
#[ignore = "needs npm once"]
fn an_approval_by_hand_runs_the_command() {
    let builder = Client::builder().approval_mode(ApprovalMode::Manual);
    let Live { client, home: _home } = Live::with(RealHome::new(), builder);
    let mut requests = client.approval_requests();
    let mut chat = client.chat("escalate touch made && echo it ran").unwrap();
    let request = requests.next_timeout(PATIENCE).unwrap();
    let ApprovalRequest::Command(command) = &request else { panic!("{request:?}") };
    assert!(command.command.as_deref().unwrap().contains("touch made"), "{command:?}");
    assert_eq!(command.turn_id, chat.turn_id());
    client.approve_approval(&request).unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    let exec = steps.iter().find(|step| step.step_type == StepType::Exec).unwrap();
    assert_eq!(exec.status, StepStatus::Completed, "{exec}");
    assert!(exec.text.as_deref().unwrap().contains("it ran"), "{exec}");
    chat.finish().unwrap();
}

#[test]
#[ignore = "needs npm once"]
fn an_interrupt_while_an_approval_is_pending_ends_the_turn_and_withdraws_the_question() {
    let Live { client, home } =
        Live::with(RealHome::new(), Client::builder().approval_mode(ApprovalMode::Manual));
    let mut requests = client.approval_requests();
    let mut chat = client.chat("escalate touch made").unwrap();
    let request = requests.next_timeout(PATIENCE).unwrap();
    let result = chat.cancel().unwrap();
    assert!(result.was_interrupted && !result.was_completed);
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    assert!(!home.workspace().join("made").exists());
    assert_eq!(client.chat_once("still there?").unwrap().final_text, "echo: still there?");
}

#[test]
#[ignore = "needs npm once"]
fn a_pending_approval_stops_the_clock_of_silence() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).inactivity_timeout(Duration::from_secs(2));
    let Live { client, home: _home } = Live::with(RealHome::new(), builder);
    let mut requests = client.approval_requests();
    let mut chat = client.chat("escalate touch made").unwrap();
    let request = requests.next_timeout(PATIENCE).unwrap();
    let reader = std::thread::spawn(move || chat.by_ref().map(|step| step.is_error()).collect::<Vec<_>>());
    std::thread::sleep(Duration::from_secs(4));
    assert!(!reader.is_finished(), "the turn counted as silent");
    client.decline_approval(&request).unwrap();
    assert!(reader.join().unwrap().iter().all(|is_error| !is_error));
}

#[test]
#[ignore = "needs npm once"]
fn a_handler_approves_a_change_of_files_and_sees_the_changes() {
    let Live { client, home } = Live::new();
    let (saw, seen) = mpsc::channel();
    client.set_approval_handler(move |request| {
        let _ = saw.send(request.clone());
        ApprovalDecision::Accept
    });
    // Where nothing may be written, every change is asked about.
    let path = home.workspace().join("new.txt");
    let config = ThreadConfig::new().cwd(home.workspace()).sandbox(SandboxMode::ReadOnly);
    client.chat_once(ChatRequest::new(format!("patch {}", path.display())).thread_config(config)).unwrap();
    let ApprovalRequest::FileChange(change) = seen.try_recv().unwrap() else { panic!() };
    let changes = change.changes.unwrap();
    assert!(changes[0].path.ends_with("new.txt"), "{changes:?}");
    assert!(path.exists());
}

#[test]
#[ignore = "needs npm once"]
fn a_question_to_the_user_is_answered_by_a_handler() {
    let Live { client, home } = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    client.set_user_input_handler(|request| {
        let question = &request.questions[0];
        let label = question.options.as_ref().unwrap()[0].label.clone();
        UserInputResponse::answer(&question.id, [label])
    });
    let overrides = TurnOverrides::new().collaboration_mode(CollaborationMode::plan("mock-model"));
    let result = client.chat_once(ChatRequest::new("ask which way?").overrides(overrides)).unwrap();
    assert!(!result.final_text.is_empty());
    let bodies = home.model().requests();
    assert!(bodies.last().unwrap().to_string().contains("answers"), "the answer reached the model");
}
