//! Turns and time: silence and continuations, steering, interrupting, cancelling, closing.
//!
//! Relies on `support/live.rs`. Invariant: each case has its own server and its own model, so that all can run
//! at once.

use std::thread;
use std::time::Instant;

use codex_blocking::{ChatContinuation, ChatRequest, Error, StepStatus, ThreadConfig};
use serde_json::json;

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::{SHORT, SOON, kinds, said};

cases![
    a_silent_turn_is_read_on_with_its_continuation,
    the_silence_of_a_chat_is_its_closing_step_and_no_step_is_lost,
    a_chat_that_was_left_is_read_on_with_its_continuation,
    a_silent_turn_is_cancelled_by_its_continuation,
    a_forgotten_continuation_keeps_nothing_of_the_chat_that_gave_it,
    what_is_said_to_a_running_turn_reaches_the_model,
    a_turn_can_be_cancelled_as_soon_as_it_was_asked_for,
    an_interrupt_from_another_thread_ends_the_reader,
    cancelling_a_turn_gives_the_steps_that_were_not_read,
    cancelling_a_turn_that_has_been_read_to_its_end_says_that_it_had_completed,
    cancelling_a_turn_that_somebody_interrupted_says_so,
    cancelling_a_turn_near_its_end_finds_it_completed_or_interrupted,
    interrupting_a_turn_that_is_over_is_no_error,
    closing_the_client_wakes_whoever_reads_a_turn,
    a_chat_that_is_looked_at_only_when_it_calls_yields_all_its_steps,
    an_interrupt_that_nobody_waits_for_ends_the_turn,
];

// ---- silence ----

fn a_silent_turn_is_read_on_with_its_continuation() {
    let (live, release) = Live::held();
    let error = live.client.chat_once(ChatRequest::new("hello").inactivity_timeout(SHORT)).unwrap_err();
    let Error::TurnInactive { continuation, idle, .. } = error else { panic!("{error:?}") };
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

fn what_is_said_to_a_running_turn_reaches_the_model() {
    let (live, release) = Live::held();
    let mut chat = live.client.chat("first").unwrap();
    live.wait_for_model(1);
    chat.steer("second").unwrap();
    // The new server breaks off what the model was saying; an old one waits for it.
    drop(release);
    let steps: Vec<_> = chat.by_ref().collect();
    let messages: Vec<_> = steps.iter().filter(|step| step.step_type == "userMessage").collect();
    assert_eq!((messages.len(), messages[1].text.as_deref()), (2, Some("second")), "{steps:?}");
    assert_eq!(chat.finish().unwrap().final_text, "late");
    assert_eq!(said(&live), ["first", "second"]);
}

fn a_turn_can_be_cancelled_as_soon_as_it_was_asked_for() {
    let live = Live::new();
    for number in 0..20 {
        let mut chat = live.client.chat("hang").unwrap();
        let cancelled = chat.cancel().unwrap();
        assert!(cancelled.was_interrupted && !cancelled.was_completed, "{number}: {cancelled:?}");
        assert!(chat.next().is_none() && chat.is_ended());
    }
    assert_eq!(live.client.chat_once("hello").unwrap().final_text, "echo: hello");
    live.comes_to_rest();
}

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

fn cancelling_a_turn_gives_the_steps_that_were_not_read() {
    let live = Live::new();
    let mut chat = live.client.chat("hang").unwrap();
    live.wait_for_model(1);
    let cancelled = chat.cancel().unwrap();
    assert_eq!(kinds(&cancelled.steps), ["userMessage"]);
    assert!(cancelled.was_interrupted);
}

fn cancelling_a_turn_that_has_been_read_to_its_end_says_that_it_had_completed() {
    let live = Live::new();
    let mut chat = live.client.chat("hello").unwrap();
    assert_eq!(chat.by_ref().count(), 2);
    let begun = Instant::now();
    let cancelled = chat.cancel().unwrap();
    assert!(cancelled.was_completed && !cancelled.was_interrupted, "{cancelled:?}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

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

fn cancelling_a_turn_near_its_end_finds_it_completed_or_interrupted() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for number in 0..40 {
        let mut chat = thread.chat_events("hello").unwrap();
        // From before its first word to behind its last one.
        let read = chat.by_ref().take(number / 3).count();
        let cancelled = chat.cancel().unwrap();
        assert_ne!(cancelled.was_interrupted, cancelled.was_completed, "after {read} events");
    }
    live.comes_to_rest();
}

fn interrupting_a_turn_that_is_over_is_no_error() {
    let live = Live::new();
    let chat = live.client.chat("hello").unwrap();
    let handle = chat.handle();
    chat.finish().unwrap();
    handle.interrupt().unwrap();
    assert!(handle.is_over());
}

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

// ---- event loops ----

fn a_chat_that_is_looked_at_only_when_it_calls_yields_all_its_steps() {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for text in ["one", "two"] {
        let mut chat = thread.chat(text).unwrap();
        let (tell, told) = crossbeam_channel::unbounded();
        chat.on_ready(move || {
            let _ = tell.send(());
        });
        let mut steps = Vec::new();
        while !chat.is_ended() {
            told.recv_timeout(PATIENCE).expect("a call");
            steps.extend(std::iter::from_fn(|| chat.try_next()));
        }
        assert_eq!(steps.last().unwrap().text.as_deref(), Some(&*format!("echo: {text}")));
        chat.finish().unwrap();
    }
}

fn an_interrupt_that_nobody_waits_for_ends_the_turn() {
    let (live, _release) = Live::held();
    let chat = live.client.chat("hello").unwrap();
    // Before the server has said that the turn runs, or after.
    chat.handle().request_interrupt();
    assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
}
