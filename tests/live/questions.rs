//! What the server asks: approvals and questions to the user.
//!
//! Relies on `support/live.rs`. Invariant: each case has its own server and its own model, so that all can run
//! at once.

use std::sync::mpsc;
use std::time::Duration;

use codex_blocking::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ChatRequest, Client, CollaborationMode, Error,
    SandboxMode, StepStatus, StepType, ThreadConfig, TurnOverrides, UserInputResponse,
};

use crate::asked;
use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::{RealHome, is_old_server};

cases![
    an_approval_by_hand_runs_the_command,
    an_interrupt_while_an_approval_is_pending_ends_the_turn_and_withdraws_the_question,
    a_pending_approval_stops_the_clock_of_silence,
    a_handler_approves_a_change_of_files_and_sees_the_changes,
    a_question_to_the_user_is_answered_by_a_handler,
    plan_mode_stays_on_until_the_default_mode_is_set,
];

// ---- questions ----

fn an_approval_by_hand_runs_the_command() {
    let builder = Client::builder().approval_mode(ApprovalMode::Manual);
    let live = Live::with(RealHome::new(), builder);
    let client = &live.client;
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

fn an_interrupt_while_an_approval_is_pending_ends_the_turn_and_withdraws_the_question() {
    let live = Live::with(RealHome::new(), Client::builder().approval_mode(ApprovalMode::Manual));
    let client = &live.client;
    let mut requests = client.approval_requests();
    let mut chat = client.chat("escalate touch made").unwrap();
    let request = requests.next_timeout(PATIENCE).unwrap();
    let result = chat.cancel().unwrap();
    assert!(result.was_interrupted && !result.was_completed);
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    assert!(!live.home.workspace().join("made").exists());
    assert_eq!(client.chat_once("still there?").unwrap().final_text, "echo: still there?");
}

fn a_pending_approval_stops_the_clock_of_silence() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).inactivity_timeout(Duration::from_secs(2));
    let live = Live::with(RealHome::new(), builder);
    let client = &live.client;
    let mut requests = client.approval_requests();
    let mut chat = client.chat("escalate touch made").unwrap();
    let request = requests.next_timeout(PATIENCE).unwrap();
    let reader = std::thread::spawn(move || chat.by_ref().map(|step| step.is_error()).collect::<Vec<_>>());
    std::thread::sleep(Duration::from_secs(4));
    assert!(!reader.is_finished(), "the turn counted as silent");
    client.decline_approval(&request).unwrap();
    assert!(reader.join().unwrap().iter().all(|is_error| !is_error));
}

fn a_handler_approves_a_change_of_files_and_sees_the_changes() {
    let live = Live::new();
    let client = &live.client;
    let (saw, seen) = mpsc::channel();
    client.set_approval_handler(move |request| {
        let _ = saw.send(request.clone());
        ApprovalDecision::Accept
    });
    // Where nothing may be written, every change is asked about.
    let path = live.home.workspace().join("new.txt");
    let config = ThreadConfig::new().cwd(live.home.workspace()).sandbox(SandboxMode::ReadOnly);
    client.chat_once(ChatRequest::new(format!("patch {}", path.display())).thread_config(config)).unwrap();
    let ApprovalRequest::FileChange(change) = seen.try_recv().unwrap() else { panic!() };
    let changes = change.changes.unwrap();
    assert!(changes[0].path.ends_with("new.txt"), "{changes:?}");
    assert!(path.exists());
}

fn a_question_to_the_user_is_answered_by_a_handler() {
    let live = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    let client = &live.client;
    client.set_user_input_handler(|request| {
        let question = &request.questions[0];
        let label = question.options.as_ref().unwrap()[0].label.clone();
        UserInputResponse::answer(&question.id, [label])
    });
    let overrides = TurnOverrides::new().collaboration_mode(CollaborationMode::plan("mock-model"));
    let result = client.chat_once(ChatRequest::new("ask which way?").overrides(overrides)).unwrap();
    assert!(!result.final_text.is_empty());
    let bodies = live.home.model().requests();
    assert!(bodies.last().unwrap().to_string().contains("answers"), "the answer reached the model");
}

fn plan_mode_stays_on_until_the_default_mode_is_set() {
    if is_old_server() {
        return; // It offers its question to the user in another way.
    }
    let live = Live::with(RealHome::new(), Client::builder().experimental_api(true));
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    // Which mode the model is told to be in, last.
    let mode_of = |request: ChatRequest| {
        thread.chat_once(request).unwrap();
        let asked = asked(&live).to_string();
        let (_, told) = asked.rsplit_once("<collaboration_mode># ").unwrap();
        told.chars().take(40).collect::<String>()
    };
    let set = |mode| ChatRequest::new("hello").overrides(TurnOverrides::new().collaboration_mode(mode));
    for request in [set(CollaborationMode::plan("mock-model")), "hello".into()] {
        let mode = mode_of(request);
        assert!(mode.starts_with("Plan Mode"), "{mode}");
    }
    for request in [set(CollaborationMode::default_mode("mock-model")), "hello".into()] {
        let mode = mode_of(request);
        assert!(mode.starts_with("Collaboration Mode: Default"), "{mode}");
    }
}
