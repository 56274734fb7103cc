//! Transcripts of turns of the real server: what the events made is what its history has.
//!
//! Relies on `support/live.rs` and `support/transcript.rs`. Invariant: each case has its own server and its own model,
//! so that all can run at once.

use std::time::Duration;

use codex_blocking::testing::{ModelReply, ModelRequest, ModelStub};
use codex_blocking::{
    ChatEvents, ChatRequest, Client, CollaborationMode, ConversationStep, ReviewTarget, StepStatus, StepType,
    ThreadConfig, ThreadHandle, Transcript, TranscriptItem, TurnEvent, TurnOverrides, TurnStatus,
    protocol::{CustomReviewTarget, Turn},
};
use serde_json::{Value, json};

use crate::support::await_that;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::RealHome;
use crate::support::transcript::{assert_law, assert_law_but_for};

cases![
    turns_of_all_kinds_are_shown_as_history_has_them,
    a_turn_that_is_retried_is_shown_as_history_has_it,
    a_steered_turn_is_shown_as_history_has_it,
    an_interrupted_turn_is_shown_as_history_has_it,
    a_command_that_outlives_its_turn_is_abandoned_and_history_has_it_later,
    an_output_that_the_server_shortens_is_whole_in_the_events,
    commands_at_once_are_shown_as_history_has_them,
    plans_are_shown_as_history_has_them,
    a_plan_that_is_cut_off_is_shown_as_history_has_it,
    compactions_are_shown_as_history_has_them,
    a_review_is_shown_as_the_turn_of_its_reply,
    sub_agents_are_nested_and_are_shown_as_their_own_history_has_them,
    sub_agents_with_names_are_nested_and_outlive_their_turn,
    history_makes_the_steps_of_the_chat,
];

fn live_with(script: impl Fn(&ModelRequest) -> ModelReply + Send + Sync + 'static) -> Live {
    let model = ModelStub::start_with(script).unwrap();
    Live::with(RealHome::with_model(model), Client::builder().experimental_api(true))
}

fn started(live: &Live) -> ThreadHandle {
    live.client.start_thread(ThreadConfig::new()).unwrap()
}

fn read(events: ChatEvents, transcript: &mut Transcript) {
    let mut events = events;
    for event in &mut events {
        transcript.apply(&event);
    }
    assert!(events.is_ended());
    assert!(transcript.items().iter().all(|item| item.status != StepStatus::InProgress), "{transcript:?}");
}

/// The turns as the server lists them, with all items.
fn stored(client: &Client, thread_id: &str) -> Vec<Turn> {
    let params = json!({ "threadId": thread_id, "itemsView": "full", "limit": 100, "sortDirection": "asc" });
    serde_json::from_value(client.request("thread/turns/list", params).unwrap()["data"].take()).unwrap()
}

/// History of the turns that the transcript has, by both ways to read it.
fn history(thread: &ThreadHandle, client: &Client, of_events: &Transcript) -> [Transcript; 2] {
    let listed = stored(client, thread.thread_id());
    let read = thread.read(true).unwrap().thread.turns.clone();
    [listed, read].map(|turns| {
        let is_ours = |turn: &Turn| of_events.turns().iter().any(|ours| ours.id == turn.id);
        Transcript::from_turns(&turns.into_iter().filter(is_ours).collect::<Vec<_>>())
    })
}

#[track_caller]
fn assert_as_history(thread: &ThreadHandle, client: &Client, of_events: &Transcript) {
    for of_history in history(thread, client, of_events) {
        assert_law(of_events, &of_history);
        let ends = |transcript: &Transcript| -> Vec<_> {
            transcript
                .turns()
                .iter()
                .map(|turn| (turn.id.clone(), turn.status.clone(), turn.error.clone()))
                .collect()
        };
        assert_eq!(ends(of_events), ends(&of_history));
    }
}

/// Reads a turn and compares.
#[track_caller]
fn shown(live: &Live, thread: &ThreadHandle, request: impl Into<ChatRequest>) -> Transcript {
    let mut transcript = Transcript::default();
    read(thread.chat_events(request).unwrap(), &mut transcript);
    assert_as_history(thread, &live.client, &transcript);
    transcript
}

fn kinds(transcript: &Transcript) -> Vec<String> {
    transcript.items().iter().map(|item| format!("{} {}", item.kind, item.status)).collect()
}

fn turns_of_all_kinds_are_shown_as_history_has_them() {
    let live = Live::new();
    let thread = started(&live);
    // All turns in one transcript.
    let mut whole = Transcript::default();
    for (text, expected) in [
        ("hello", "codex completed"),
        ("think hard", "thinking completed"),
        ("run echo one; echo two >&2; exit 3", "exec failed"),
        ("run true", "exec completed"),
        ("escalate touch x", "exec declined"),
        ("patch new.txt", "file completed"),
        ("patch /codex-blocking-is-not-to-write-this", "file declined"),
        ("flood 500", "codex completed"),
        ("status 500", "userMessage completed"),
    ] {
        let transcript = shown(&live, &thread, text);
        assert!(kinds(&transcript).iter().any(|kind| kind == expected), "{text}: {transcript:?}");
        read(thread.chat_events(text).unwrap(), &mut whole);
    }
    assert_as_history(&thread, &live.client, &whole);
    let transcript = shown(&live, &started(&live), "fail context_length_exceeded");
    assert_eq!(transcript.turns()[0].status, TurnStatus::Failed);
}

fn a_turn_that_is_retried_is_shown_as_history_has_it() {
    let model = ModelStub::start().unwrap().with_retries(1);
    let live = Live::with(RealHome::with_model(model), Client::builder());
    let thread = started(&live);
    let mut transcript = Transcript::default();
    let mut notices = Vec::new();
    for event in thread.chat_events("retry this").unwrap() {
        transcript.apply(&event);
        notices.extend(transcript.turns().last().and_then(|turn| turn.notice.clone()));
    }
    assert!(notices[0].contains("Reconnecting"), "{notices:?}");
    assert_eq!(transcript.turns()[0].notice, None);
    assert_eq!(kinds(&transcript), ["userMessage completed", "codex abandoned", "codex completed"]);
    assert_as_history(&thread, &live.client, &transcript);
}

/// A message that begins, and does not go on.
fn held(text: &str) -> ModelReply {
    let item = json!({ "item": { "type": "message", "role": "assistant", "id": "held", "content": [] } });
    let delta = json!({ "item_id": "held", "output_index": 0, "content_index": 0, "delta": text });
    ModelReply::new()
        .event("response.output_item.added", item)
        .event("response.output_text.delta", delta)
        .hang()
}

/// Applies events until a message has begun.
fn until_a_message(events: &mut ChatEvents, transcript: &mut Transcript) {
    for event in events {
        transcript.apply(&event);
        if matches!(event, TurnEvent::TextDelta { .. } | TurnEvent::PlanDelta { .. }) {
            return;
        }
    }
    panic!("no message began: {transcript:?}");
}

fn slow_then_echo(request: &ModelRequest) -> ModelReply {
    match request.user_text().as_str() {
        "slow" => held("partial"),
        text => ModelReply::new().text(format!("echo: {text}")),
    }
}

fn a_steered_turn_is_shown_as_history_has_it() {
    let live = live_with(slow_then_echo);
    let thread = started(&live);
    let mut transcript = Transcript::default();
    let mut events = thread.chat_events("slow").unwrap();
    until_a_message(&mut events, &mut transcript);
    events.steer("another way").unwrap();
    read(events, &mut transcript);
    assert_eq!(
        kinds(&transcript),
        ["userMessage completed", "codex abandoned", "userMessage completed", "codex completed"]
    );
    assert_as_history(&thread, &live.client, &transcript);
}

fn an_interrupted_turn_is_shown_as_history_has_it() {
    let live = live_with(slow_then_echo);
    let thread = started(&live);
    let mut transcript = Transcript::default();
    let mut events = thread.chat_events("slow").unwrap();
    until_a_message(&mut events, &mut transcript);
    events.interrupt().unwrap();
    read(events, &mut transcript);
    assert_eq!(kinds(&transcript), ["userMessage completed", "codex abandoned"]);
    assert_eq!(transcript.turns()[0].status, TurnStatus::Interrupted);
    assert_as_history(&thread, &live.client, &transcript);
}

fn command(command: &str, yield_time_ms: u32) -> ModelReply {
    ModelReply::new().call("exec_command", json!({ "cmd": command, "yield_time_ms": yield_time_ms }))
}

fn a_command_that_outlives_its_turn_is_abandoned_and_history_has_it_later() {
    let live = live_with(|request| match request.tool_output() {
        None => command("for i in 1 2 3; do echo tick $i; sleep 1; done", 300),
        Some(_) => ModelReply::new().text("it runs"),
    });
    let thread = started(&live);
    let transcript = shown(&live, &thread, "go");
    assert_eq!(kinds(&transcript), ["userMessage completed", "exec abandoned", "codex completed"]);
    // The server stores an item once it has completed.
    await_that("history has the command", || stored(&live.client, thread.thread_id())[0].items.len() == 3);
    for of_history in history(&thread, &live.client, &transcript) {
        let last = of_history.items().last().unwrap();
        assert_eq!((last.status.as_str(), last.exit_code), ("completed", Some(0)));
        assert_law_but_for(&transcript, &of_history, |item| item.kind == StepType::Exec);
    }
}

fn an_output_that_the_server_shortens_is_whole_in_the_events() {
    let live = Live::new();
    for (bytes, is_whole) in [(60_000, true), (200_000, false)] {
        let thread = started(&live);
        let text = format!("run head -c {bytes} /dev/zero | tr '\\0' 'x'");
        let mut transcript = Transcript::default();
        read(thread.chat_events(text).unwrap(), &mut transcript);
        let output = |transcript: &Transcript| {
            let command = transcript.items().iter().find(|item| item.kind == StepType::Exec);
            command.unwrap().output.as_ref().unwrap().len()
        };
        assert_eq!(output(&transcript), bytes);
        for of_history in history(&thread, &live.client, &transcript) {
            assert_eq!(output(&of_history), if is_whole { bytes } else { 65_536 });
            let is_other = |item: &TranscriptItem| !is_whole && item.kind == StepType::Exec;
            assert_law_but_for(&transcript, &of_history, is_other);
        }
    }
}

fn commands_at_once_are_shown_as_history_has_them() {
    let live = live_with(|request| match request.tool_output() {
        None => (0..4).fold(ModelReply::new(), |reply, number| {
            let wait = 4 - number;
            let command = format!("sleep 0.{wait}; echo out {number}; sleep 0.{wait}; exit {number}");
            reply.call("exec_command", json!({ "cmd": command }))
        }),
        Some(_) => ModelReply::new().text("done"),
    });
    let transcript = shown(&live, &started(&live), "go");
    let commands = transcript.items().iter().filter(|item| item.kind == StepType::Exec);
    let mut codes: Vec<_> = commands.map(|item| (item.exit_code, item.output.clone().unwrap())).collect();
    codes.sort();
    assert_eq!(codes, [0, 1, 2, 3].map(|code| (Some(code), format!("out {code}\n"))));
}

fn plan(text: &str) -> String {
    format!("before\n<proposed_plan>\n# {text}\n</proposed_plan>\nafter")
}

fn plan_mode() -> ChatRequest {
    let mode = CollaborationMode::plan("mock-model");
    ChatRequest::new("plan").overrides(TurnOverrides::new().collaboration_mode(mode))
}

fn plans_are_shown_as_history_has_them() {
    // Two in one turn, which have one id.
    let live = live_with(|request| match request.tool_output() {
        None => ModelReply::new().text(plan("first")).call("exec_command", json!({ "cmd": "true" })),
        Some(_) => ModelReply::new().text(plan("second")),
    });
    let transcript = shown(&live, &started(&live), plan_mode());
    let plans: Vec<_> = transcript.items().iter().filter(|item| item.kind == "plan").collect();
    assert_eq!(plans.iter().map(|plan| plan.text.as_str()).collect::<Vec<_>>(), ["# second\n"]);
    // And two in one message.
    let both = format!("{}\n{}", plan("first"), plan("second"));
    let live = live_with(move |_| ModelReply::new().text(&both));
    shown(&live, &started(&live), plan_mode());
}

fn a_plan_that_is_cut_off_is_shown_as_history_has_it() {
    let live = live_with(|request| match request.tool_output() {
        None => ModelReply::new().text(plan("first")).call("exec_command", json!({ "cmd": "true" })),
        Some(_) => held("<proposed_plan>\n# second\n- more"),
    });
    let thread = started(&live);
    let mut transcript = Transcript::default();
    let mut events = thread.chat_events(plan_mode()).unwrap();
    loop {
        let event = events.next().unwrap();
        transcript.apply(&event);
        if matches!(&event, TurnEvent::PlanDelta { delta, .. } if delta.contains("second")) {
            break;
        }
    }
    events.interrupt().unwrap();
    read(events, &mut transcript);
    let plans: Vec<_> = transcript.items().iter().filter(|item| item.kind == "plan").collect();
    assert_eq!(plans.iter().map(|plan| plan.text.as_str()).collect::<Vec<_>>(), ["# first\n"]);
    assert_as_history(&thread, &live.client, &transcript);
}

fn compactions_are_shown_as_history_has_them() {
    let live = live_with(|request| match request.user_text() {
        text if text.contains("CONTEXT CHECKPOINT COMPACTION") => ModelReply::new().text("short"),
        text if text == "run" && request.tool_output().is_none() => {
            ModelReply::new().call("exec_command", json!({ "cmd": "true" }))
        }
        _ => ModelReply::new().text("fine"),
    });
    // A turn of its own, which no chat reads.
    let thread = started(&live);
    let mut transcript = Transcript::default();
    read(thread.chat_events("one").unwrap(), &mut transcript);
    thread.compact().unwrap();
    read(thread.chat_events("two").unwrap(), &mut transcript);
    assert_as_history(&thread, &live.client, &transcript);
    let whole = Transcript::from_turns(&stored(&live.client, thread.thread_id()));
    assert_eq!(whole.items()[2].kind, "contextCompaction");
    // Within a turn.
    let config = json!({ "model_auto_compact_token_limit": 100 });
    let thread = live.client.start_thread(ThreadConfig::new().config(config)).unwrap();
    let transcript = shown(&live, &thread, "run");
    assert!(transcript.items().iter().any(|item| item.kind == "contextCompaction"), "{transcript:?}");
}

fn a_review_is_shown_as_the_turn_of_its_reply() {
    let live = Live::new();
    let thread = started(&live);
    thread.chat_once("hello").unwrap();
    let target = ReviewTarget::from(CustomReviewTarget::new("look at it"));
    let review = thread.start_review_events(target, None).unwrap();
    let turn_id = review.turn_id().to_owned();
    let mut transcript = Transcript::default();
    read(review, &mut transcript);
    let [turn] = transcript.turns() else { panic!("{transcript:?}") };
    assert_eq!((&turn.id, &turn.status), (&turn_id, &TurnStatus::Completed));
    assert_as_history(&thread, &live.client, &transcript);
    // The prompt, which history has in the turn that the review runs in.
    let whole = Transcript::from_turns(&stored(&live.client, thread.thread_id()));
    let is_prompt = |item: &&TranscriptItem| item.text == "look at it" && item.kind == "userMessage";
    let prompt = transcript.items().iter().find(is_prompt).unwrap();
    let of_history = whole.items().iter().find(is_prompt).unwrap();
    assert_eq!((&prompt.id, &prompt.status), (&of_history.id, &of_history.status));
    assert_ne!(prompt.turn_id, of_history.turn_id);
}

/// A call of a tool in a namespace.
fn call_in(namespace: &str, name: &str, id: &str, arguments: Value) -> ModelReply {
    let item = json!({ "type": "function_call", "namespace": namespace, "name": name, "call_id": id,
        "arguments": arguments.to_string() });
    ModelReply::new().event("response.output_item.done", json!({ "item": item }))
}

/// The outputs of tools so far.
fn outputs(request: &ModelRequest) -> Vec<String> {
    let items = request.body()["input"].as_array().unwrap().iter();
    let outputs = items.filter(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_output")));
    outputs.map(|item| item["output"].as_str().unwrap_or_default().to_owned()).collect()
}

fn sub_agents_are_nested_and_are_shown_as_their_own_history_has_them() {
    let live = live_with(|request| {
        let outputs = outputs(request);
        let waits = |output: &String| {
            let spawned: Value = serde_json::from_str(output).unwrap();
            call_in("multi_agent_v1", "wait_agent", "wait", json!({ "targets": [spawned["agent_id"]] }))
        };
        let spawns =
            |message: &str| call_in("multi_agent_v1", "spawn_agent", "spawn", json!({ "message": message }));
        match (request.user_text().as_str(), outputs.as_slice()) {
            ("parent", []) => spawns("child"),
            ("child", []) => spawns("grandchild"),
            ("parent" | "child", [spawned]) => waits(spawned),
            ("grandchild", []) => command("echo from the depth", 10_000),
            (text, _) => ModelReply::new().text(format!("end of {}", text.split('\n').next().unwrap())),
        }
    });
    let config = ThreadConfig::new().config(json!({ "agents": { "max_depth": 3 } }));
    let thread = live.client.start_thread(config).unwrap();
    let mut transcript = Transcript::default();
    let mut events = thread.chat_events(ChatRequest::new("parent").sub_agents(true)).unwrap();
    for event in &mut events {
        transcript.apply(&event);
    }
    let result = events.finish().unwrap();
    assert!(result.final_text.starts_with("end of "), "{result:?}");
    // Three calls of the model, of 120 tokens each.
    assert_eq!(result.usage.unwrap().total_tokens, 360);
    assert_as_history(&thread, &live.client, &transcript);
    let mut inner = &transcript;
    let mut kinds_within = Vec::new();
    for _ in 0..2 {
        let agents: Vec<_> = inner.items().iter().flat_map(|item| &item.sub_agents).collect();
        let [agent] = agents.as_slice() else { panic!("{inner:?}") };
        let spawn = inner.items().iter().find(|item| !item.sub_agents.is_empty()).unwrap();
        assert_eq!((spawn.text.as_str(), spawn.status.as_str()), ("spawnAgent", "completed"));
        let own = Transcript::from_turns(&stored(&live.client, &agent.thread_id));
        assert_law(&agent.transcript, &own);
        assert_eq!(agent.transcript.turns()[0].status, TurnStatus::Completed);
        inner = &agent.transcript;
        kinds_within.push(kinds(inner));
    }
    assert_eq!(kinds_within[1], ["userMessage completed", "exec completed", "codex completed"]);
    drop(thread);
}

fn sub_agents_with_names_are_nested_and_outlive_their_turn() {
    let live = live_with(|request| match request.user_text().as_str() {
        "parent" if outputs(request).is_empty() => {
            let arguments = json!({ "task_name": "kid", "message": "CHILD", "fork_turns": "none" });
            call_in("collaboration", "spawn_agent", "spawn", arguments)
        }
        "parent" => ModelReply::new().delay(Duration::from_millis(300)).text("parent is done"),
        _ => ModelReply::new().text("begun").delay(Duration::from_secs(2)).text("late"),
    });
    let config = ThreadConfig::new().config(json!({ "features": { "multi_agent_v2": true } }));
    let thread = live.client.start_thread(config).unwrap();
    let mut transcript = Transcript::default();
    let mut names = Vec::new();
    for event in thread.chat_events(ChatRequest::new("parent").sub_agents(true)).unwrap() {
        transcript.apply(&event);
        if let TurnEvent::SubAgent { agent, .. } = &event {
            names.push(agent.clone());
        }
    }
    assert!(!names.is_empty() && names.iter().all(|name| name.as_deref() == Some("/root/kid")), "{names:?}");
    assert_eq!(
        kinds(&transcript),
        ["userMessage completed", "subAgentActivity completed", "codex completed"]
    );
    let [agent] = transcript.items()[1].sub_agents.as_slice() else { panic!("{transcript:?}") };
    assert_eq!(
        (agent.agent.as_deref(), transcript.items()[1].text.as_str()),
        (Some("/root/kid"), "/root/kid")
    );
    // It goes on, and nobody hears of it.
    assert_eq!(agent.transcript.turns()[0].status, TurnStatus::InProgress);
    assert_as_history(&thread, &live.client, &transcript);
}

fn history_makes_the_steps_of_the_chat() {
    let live = Live::new();
    let thread = started(&live);
    for text in ["run echo one", "think", "patch new.txt", "fail server_error"] {
        let chat = thread.chat(text).unwrap();
        let turn_id = chat.turn_id().to_owned();
        let of_chat: Vec<_> = chat.collect();
        let turns = stored(&live.client, thread.thread_id());
        let of_history = turns.iter().find(|turn| turn.id == turn_id).unwrap().steps();
        let parts = |step: &ConversationStep| {
            let mut data = if step.is_error() { json!({ "code": step.data()["code"] }) } else { step.data() };
            // Those of history have no members that are null.
            data.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            (
                step.turn_id.clone(),
                step.item_id.clone(),
                step.step_type.clone(),
                step.status.clone(),
                step.text.clone(),
                data,
            )
        };
        assert_eq!(
            of_chat.iter().map(parts).collect::<Vec<_>>(),
            of_history.iter().map(parts).collect::<Vec<_>>()
        );
    }
}
