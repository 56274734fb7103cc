//! Several clients of one server, which listens on a socket: what one does, and what the others see of it.
//!
//! Relies on `support/live.rs`. Invariant: each case has its own server and its own model, so that all can run
//! at once.

use std::thread;

use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::{
    ApprovalMode, ApprovalRequest, ChatRequest, Client, ClientBuilder, Error, StepStatus, StepType,
    ThreadConfig, ThreadHandle, TurnEvent,
};
use crossbeam_channel::{Sender, unbounded};
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::{RealHome, is_before, is_old_server};
use crate::{asked, said};

cases![
    two_clients_chat_at_once,
    a_thread_that_another_client_has_loaded_takes_what_a_turn_can_carry,
    a_thread_that_another_client_rolled_back_goes_on,
    a_thread_that_another_client_archived_and_took_back_goes_on,
    a_rollback_by_another_client_interrupts_the_turn_that_runs,
    a_question_that_another_client_answers_waits_no_more,
    a_question_that_waits_is_told_to_the_client_that_resumes_its_thread,
    a_turn_whose_client_goes_away_ends_for_the_one_that_resumes_its_thread,
    a_client_that_follows_a_thread_sees_the_turns_that_another_one_starts,
];

fn two_clients_chat_at_once() {
    let live = Live::new();
    let clients = [live.client.clone(), live.another_client(Client::builder())];
    thread::scope(|scope| {
        for (number, client) in clients.iter().enumerate() {
            scope.spawn(move || {
                for turn in 0..5 {
                    let text = format!("{number} {turn}");
                    assert_eq!(client.chat_once(&text).unwrap().final_text, format!("echo: {text}"));
                }
            });
        }
    });
}

/// A client and a thread of its own, and another client.
fn two_on_a_thread() -> (Client, ThreadHandle, Live) {
    let live = Live::new();
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for text in ["one", "two"] {
        thread.chat_once(text).unwrap();
    }
    (live.another_client(Client::builder()), thread, live)
}

fn a_thread_that_another_client_has_loaded_takes_what_a_turn_can_carry() {
    let (other, thread, live) = two_on_a_thread();
    let id = thread.thread_id();
    let unheard = || ThreadConfig::new().base_instructions("unheard of");
    let resumed = other.resume_thread(id, unheard().model("model-b")).unwrap();
    assert_eq!(resumed.not_applied(), ["baseInstructions"]);
    resumed.chat_once("three").unwrap();
    assert_eq!(asked(&live)["model"], "model-b");
    assert!(!asked(&live).to_string().contains("unheard of"), "the server has begun to apply it");

    // The same without resuming it.
    let third = live.another_client(Client::builder());
    let Err(Error::InvalidInput { message, .. }) = third.set_thread_defaults(id, unheard()) else { panic!() };
    assert!(message.contains("baseInstructions"), "{message}");
    third.set_thread_defaults(id, ThreadConfig::new().model("model-c")).unwrap();
    third.chat_once(ChatRequest::new("four").thread(id)).unwrap();
    assert_eq!(asked(&live)["model"], "model-c");
    thread.chat_once("five").unwrap();
    assert_eq!(asked(&live)["model"], "model-c", "it stays, for everybody");
}

fn a_thread_that_another_client_rolled_back_goes_on() {
    let (other, thread, live) = two_on_a_thread();
    assert_eq!(other.rollback_thread(thread.thread_id(), 1).unwrap().thread.turns.len(), 1);
    assert_eq!(thread.chat_once("three").unwrap().final_text, "echo: three");
    assert_eq!(said(&live), ["one", "three"]);
}

fn a_thread_that_another_client_archived_and_took_back_goes_on() {
    let (other, thread, live) = two_on_a_thread();
    other.archive_thread(thread.thread_id()).unwrap();
    other.unarchive_thread(thread.thread_id()).unwrap();
    assert_eq!(thread.chat_once("three").unwrap().final_text, "echo: three");
    assert_eq!(said(&live), ["one", "two", "three"]);
}

fn a_rollback_by_another_client_interrupts_the_turn_that_runs() {
    let (other, thread, live) = two_on_a_thread();
    let chat = thread.chat("hang").unwrap();
    live.wait_for_model(3);
    let rolled_back = other.rollback_thread(thread.thread_id(), 1);
    if is_old_server() {
        // It refuses while a turn runs.
        assert!(matches!(rolled_back, Err(Error::Rpc { .. })), "{rolled_back:?}");
        chat.interrupt().unwrap();
        return;
    }
    rolled_back.unwrap();
    assert!(matches!(chat.finish(), Err(Error::TurnInterrupted { .. })));
    assert_eq!(thread.chat_once("three").unwrap().final_text, "echo: three");
    assert_eq!(said(&live), ["one", "two", "three"]);
}

fn manual() -> ClientBuilder {
    Client::builder().approval_mode(ApprovalMode::Manual)
}

/// A model that answers `hello` at once, and `run` with a command that needs approval; what it says of that
/// it says when the sender is dropped.
fn asking() -> (Live, Sender<()>) {
    let (release, released) = unbounded();
    let model = ModelStub::start_with(move |request| match (request.tool_output(), &*request.user_text()) {
        (Some(_), _) => {
            let _ = released.recv();
            ModelReply::new().text("done")
        }
        (None, "run") => ModelReply::new().escalated_command("touch made", "must"),
        (None, _) => ModelReply::new().text("hi"),
    });
    (Live::with(RealHome::with_model(model.unwrap()), manual()), release)
}

#[track_caller]
fn question(client: &Client) -> ApprovalRequest {
    client.approval_requests().next_timeout(PATIENCE).expect("the question comes")
}

fn a_question_that_another_client_answers_waits_no_more() {
    let (live, release) = asking();
    let other = live.another_client(manual());
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("hello").unwrap();
    let _ = other.resume_thread(thread.thread_id(), ThreadConfig::new()).unwrap();
    let mut chat = thread.chat("run").unwrap();
    let request = question(&live.client);
    other.approve_approval(&question(&other)).unwrap();
    let exec = chat.find(|step| step.step_type == StepType::Exec).unwrap();
    assert_eq!(exec.status, StepStatus::Completed);
    // The turn goes on, so that it is not its end that withdraws the question.
    assert!(!chat.is_ended());
    assert!(matches!(live.client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    drop(release);
    assert_eq!(chat.finish().unwrap().final_text, "done");
}

fn a_question_that_waits_is_told_to_the_client_that_resumes_its_thread() {
    if is_before(128) {
        return; // It tells a question once.
    }
    let (live, release) = asking();
    drop(release);
    let chat = live.client.chat("run").unwrap();
    question(&live.client);
    let other = live.another_client(manual());
    let _ = other.resume_thread(chat.thread_id(), ThreadConfig::new()).unwrap();
    other.approve_approval(&question(&other)).unwrap();
    assert_eq!(chat.finish().unwrap().final_text, "done");
}

fn a_turn_whose_client_goes_away_ends_for_the_one_that_resumes_its_thread() {
    let (live, release) = Live::held();
    let other = live.another_client(Client::builder());
    let chat = live.client.chat("hello").unwrap();
    live.wait_for_model(1);
    live.client.close().unwrap();
    let (thread_id, turn_id) = (chat.thread_id().to_owned(), chat.turn_id().to_owned());
    assert!(matches!(chat.finish(), Err(Error::Closed { .. })));

    let thread = other.resume_thread(&thread_id, ThreadConfig::new()).unwrap();
    let mut notifications = other.notifications();
    drop(release);
    let end = loop {
        let next = notifications.next_timeout(PATIENCE).expect("the turn ends");
        if next.method() == "turn/completed" {
            break next.params::<Value>().unwrap();
        }
    };
    assert_eq!((&end["turn"]["id"], &end["turn"]["status"]), (&turn_id.into(), &"completed".into()));
    assert!(thread.read(true).unwrap().raw().contains("late"));
    assert_eq!(thread.chat_once("and").unwrap().final_text, "late");
    assert_eq!(said(&live), ["hello", "and"]);
}

fn a_client_that_follows_a_thread_sees_the_turns_that_another_one_starts() {
    let (other, thread, _live) = two_on_a_thread();
    let mut events = other.follow(thread.thread_id()).unwrap();
    let (tell, told) = unbounded();
    events.on_ready(move || {
        let _ = tell.send(());
    });
    for text in ["three", "four"] {
        let result = thread.chat_once(text).unwrap();
        let mut seen = Vec::new();
        while !seen.iter().any(|event| event == "turn/completed") {
            told.recv_timeout(PATIENCE).expect("a call");
            while let Some(event) = events.try_next() {
                match event {
                    TurnEvent::Other(event) => seen.push(event.method().into_owned()),
                    TurnEvent::Step(step) => {
                        assert_eq!(step.turn_id, result.turn_id);
                        seen.push(step.text.unwrap_or_default());
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(seen.first().map(String::as_str), Some("turn/started"), "{seen:?}");
        assert!(seen.contains(&result.final_text), "{seen:?}");
    }
}
