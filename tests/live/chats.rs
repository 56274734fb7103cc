//! Chats: the answer, its steps and events, failures, the thread that a chat is in, many at once.
//!
//! Relies on `support/live.rs`. Invariant: each case has its own server and its own model, so that all can run
//! at once.

use std::process::Command;
use std::thread;

use codex_blocking::testing::{ModelReply, ModelStub, ScriptedServer};
use codex_blocking::{
    ChatRequest, Client, CompletionSource, Error, InputItem, Recorder, StepStatus, StepType, ThreadConfig,
    TurnEvent, TurnOverrides,
};
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::{Live, Via};
use crate::support::real::{RealHome, codex_bin, is_old_server};
use crate::support::record::Record;
use crate::{asked, kinds, said};

cases![
    chat_once_gives_the_answer_and_how_it_came_about,
    chat_gives_the_users_message_and_the_answer_as_steps,
    reasoning_is_a_thinking_step,
    a_command_is_an_exec_step_with_its_output,
    a_patch_is_a_file_step_and_a_diff,
    chat_events_gives_the_answer_in_pieces,
    a_hundred_thousand_deltas_arrive_all_and_in_order,
    a_question_about_approval_is_declined_and_the_turn_goes_on,
    the_version_is_the_one_that_the_program_prints,
    the_server_tells_where_it_runs,
    a_turn_without_an_answer_is_an_error_of_chat_once_only,
    no_event_comes_a_second_time_in_its_old_form,
    a_failed_turn_is_an_error_with_the_servers_words_and_info,
    a_failed_turn_closes_a_plain_loop_with_an_error_step,
    results_give_the_failure_as_an_error,
    a_stream_that_breaks_off_is_retried_and_told,
    a_second_turn_in_a_thread_knows_the_first,
    a_thread_goes_on_in_another_process,
    an_unknown_thread_is_refused_at_the_start_of_its_turn,
    an_unknown_thread_is_refused_at_its_resumption_by_a_strict_client,
    the_model_of_a_turn_stays_for_the_next_one,
    the_schema_of_the_answer_reaches_the_model_for_one_turn,
    images_from_files_and_from_bytes_reach_the_model,
    twelve_turns_at_once_get_each_their_own_answer,
    two_thousand_requests_of_forty_threads_are_all_answered,
    two_chats_on_a_busy_thread_share_its_turn_and_its_end,
    chats_of_eight_threads_in_one_thread_all_end,
    a_recorded_session_replays_to_the_same_steps,
];

// ---- plain turns ----

/// Whether the server cuts a client off as slow when its own queue overflows, as the old ones do with whoever
/// they speak to over a socket.
fn outruns_sockets() -> bool {
    is_old_server() && Via::chosen() != Via::Stdio
}

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

fn no_event_comes_a_second_time_in_its_old_form() {
    let live = Live::new();
    let mut notifications = live.client.notifications();
    for text in ["run echo hi", "patch new.txt", "fail"] {
        let _ = live.client.chat_once(text);
    }
    // What came behind the last turn's end is there before the reply to a later request.
    live.client.request("config/read", json!({})).unwrap();
    let seen: Vec<_> = std::iter::from_fn(|| notifications.try_next()).collect();
    assert!(seen.iter().any(|seen| seen.method() == "turn/completed"));
    let old: Vec<_> = seen.iter().filter(|seen| seen.method().starts_with("codex/event/")).collect();
    assert!(old.is_empty(), "{old:?}");
}

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

fn reasoning_is_a_thinking_step() {
    let live = Live::new();
    let steps: Vec<_> = live.client.chat("think about cats").unwrap().collect();
    assert_eq!(kinds(&steps), ["userMessage", "thinking", "codex"]);
    assert_eq!(steps[1].text.as_deref(), Some("**Thinking** about it"));
    assert_eq!(steps[1].data()["content"], json!(["Let me think. about cats"]));
    assert_eq!(steps[2].text.as_deref(), Some("thought: about cats"));
}

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

fn a_patch_is_a_file_step_and_a_diff() {
    let live = Live::new();
    let events: Vec<_> = live.client.chat_events("patch added.txt").unwrap().collect();
    let step = events.iter().find_map(|event| match event {
        TurnEvent::Step(step) if step.step_type == StepType::File => Some(step),
        _ => None,
    });
    assert!(step.unwrap().text.as_deref().unwrap().contains("added.txt"));
    let diff = events
        .iter()
        .any(|event| matches!(event, TurnEvent::Diff { diff, .. } if diff.contains("added.txt")));
    assert!(diff, "{events:#?}");
    assert!(live.home.workspace().join("added.txt").is_file());
}

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

fn a_hundred_thousand_deltas_arrive_all_and_in_order() {
    if outruns_sockets() {
        return;
    }
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

fn a_question_about_approval_is_declined_and_the_turn_goes_on() {
    let live = Live::new();
    let mut chat = live.client.chat("escalate touch made").unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    let step = steps.iter().find(|step| step.step_type == StepType::Exec).unwrap();
    assert_eq!(step.status, StepStatus::Declined);
    assert!(chat.finish().unwrap().final_text.starts_with("output: "));
    assert!(!live.home.workspace().join("made").exists());
}

fn the_version_is_the_one_that_the_program_prints() {
    let live = Live::new();
    let printed = Command::new(codex_bin()).arg("--version").output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let told = live.client.initialize().unwrap();
    assert_eq!(told.server_version(), printed.split_whitespace().last());
}

fn the_server_tells_where_it_runs() {
    let live = Live::new();
    let told = live.client.initialize().unwrap();
    assert!(told.user_agent().unwrap().starts_with("codex-blocking/"), "{told:?}");
    if !is_old_server() {
        let home = live.home.home().canonicalize().unwrap();
        assert_eq!(told.codex_home(), Some(home.as_path()));
        assert_eq!(told.platform_family(), Some(std::env::consts::FAMILY));
        assert_eq!(told.platform_os(), Some(std::env::consts::OS));
    }
}

fn a_turn_without_an_answer_is_an_error_of_chat_once_only() {
    let live = Live::with_script(|_| ModelReply::new());
    let error = live.client.chat_once("hello").unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }), "{error:?}");
    let result = live.client.chat("hello").unwrap().finish().unwrap();
    assert_eq!((result.final_text.as_str(), result.completion_source), ("", None));
}

// ---- turns that fail ----

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

fn results_give_the_failure_as_an_error() {
    let live = Live::new();
    let mut chat = live.client.chat("fail").unwrap();
    let results: Vec<_> = chat.results().collect();
    assert_eq!(results.len(), 2);
    assert!(results[0].is_ok() && matches!(results[1], Err(Error::TurnFailed { .. })), "{results:?}");
}

fn a_stream_that_breaks_off_is_retried_and_told() {
    let home = RealHome::with_model(ModelStub::start().unwrap().with_retries(1));
    let live = Live::with(home, Client::builder());
    let mut chat = live.client.chat_events("retry this").unwrap();
    let retries: Vec<_> = chat
        .by_ref()
        .filter_map(|event| match event {
            TurnEvent::RetryingError { message, event, .. } => Some((message, event)),
            _ => None,
        })
        .collect();
    assert_eq!(retries.len(), 1, "{retries:?}");
    assert_eq!(retries[0].1.method(), "error");
    assert_eq!(chat.finish().unwrap().final_text, "second attempt: this");
}

// ---- threads ----

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
    assert_eq!(said(&live), ["first", "second"]);
    assert!(asked(&live).to_string().contains("echo: first"));
}

fn a_thread_goes_on_in_another_process() {
    let mut live = Live::new();
    let result = live.client.chat_once("first").unwrap();
    live.restart();
    let answer = live.client.chat_once(ChatRequest::new("second").thread(&result.thread_id)).unwrap();
    assert_eq!((answer.final_text.as_str(), &answer.thread_id), ("echo: second", &result.thread_id));
    let thread = live.client.resume_thread(&result.thread_id, ThreadConfig::new()).unwrap();
    assert_eq!(thread.chat_once("third").unwrap().final_text, "echo: third");
    assert_eq!(said(&live), ["first", "second", "third"]);
}

fn an_unknown_thread_is_refused_at_the_start_of_its_turn() {
    let live = Live::new();
    let request = ChatRequest::new("hello").thread("01999999-0000-7000-8000-000000000000");
    let error = live.client.chat(request).unwrap_err();
    assert!(matches!(&error, Error::Rpc { method, .. } if method == "turn/start"), "{error:?}");
    assert_eq!(live.client.chat_once("hello").unwrap().final_text, "echo: hello");
}

fn an_unknown_thread_is_refused_at_its_resumption_by_a_strict_client() {
    let live = Live::with(RealHome::new(), Client::builder().strict(true));
    let request = ChatRequest::new("hello").thread("01999999-0000-7000-8000-000000000000");
    let error = live.client.chat(request).unwrap_err();
    assert!(matches!(&error, Error::Rpc { method, .. } if method == "thread/resume"), "{error:?}");
    assert_eq!(live.client.chat_once("hello").unwrap().final_text, "echo: hello");
}

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

fn images_from_files_and_from_bytes_reach_the_model() {
    if is_old_server() {
        return; // It tells the model of an image in another way.
    }
    /// One red pixel.
    const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82";
    let live = Live::new();
    // The server looks at the content, whatever the name.
    let path = live.home.workspace().join("picture");
    std::fs::write(&path, PNG).unwrap();
    for image in [
        InputItem::local_image(&path),
        InputItem::remote_image_path(path.to_str().unwrap()),
        InputItem::image_bytes("image/png", PNG),
    ] {
        live.client.chat_once([InputItem::text("look"), image].to_vec()).unwrap();
        let asked = asked(&live).to_string();
        assert!(asked.contains(r#""image_url":"data:image/png;base64,iVBORw0KGgo"#), "{asked}");
    }
    // What is checked here would be left out there.
    let missing = InputItem::remote_image_path("missing.png");
    live.client.chat_once([InputItem::text("look"), missing].to_vec()).unwrap();
    let asked = asked(&live).to_string();
    assert!(!asked.contains("input_image"), "{asked}");
}

// ---- many at once ----

fn twelve_turns_at_once_get_each_their_own_answer() {
    if outruns_sockets() {
        return;
    }
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
    live.comes_to_rest();
}

fn two_thousand_requests_of_forty_threads_are_all_answered() {
    let live = Live::new();
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let reply = live.client.request("thread/loaded/list", json!({})).unwrap();
                    assert_eq!(reply["data"], json!([]));
                }
            });
        }
    });
    let stats = live.client.stats();
    assert_eq!((stats.pending_requests, stats.unmatched_replies), (0, 0), "{stats:?}");
}

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
    live.comes_to_rest();
}

// ---- records ----

/// What chats in one thread tell, of messages, reasoning, a command, a file and a failure.
fn session(client: &Client) -> Vec<String> {
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    let mut told = Vec::new();
    for text in ["hello", "think about cats", "run echo sk-hush", "patch recorded.txt", "fail", "hello again"]
    {
        let mut chat = thread.chat(text).unwrap();
        told.extend(chat.by_ref().map(|step| step.to_string()));
        let outcome = chat.finish().map(|result| (result.turn_id, result.final_text, result.token_usage));
        told.push(format!("{:?}", outcome.map_err(|error| error.to_string())));
    }
    told
}

fn a_recorded_session_replays_to_the_same_steps() {
    let record = Record::default();
    let live = Live::with(RealHome::new(), Client::builder().record(Recorder::new(record.clone())));
    let then = session(&live.client);
    live.client.close().unwrap();
    assert!(!record.text().contains("sk-hush"));
    let path = live.home.home().join("record.jsonl");
    std::fs::write(&path, record.text()).unwrap();
    let now = session(&ScriptedServer::replay(&path).unwrap().client().unwrap());
    let masked: Vec<_> = then.iter().map(|line| line.replace("sk-hush", "sk-xxxx")).collect();
    assert_eq!(now, masked);
}
