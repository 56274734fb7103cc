//! Transcripts: what a screen shows, from events and from history, and that both are the same.
//!
//! Relies on `support/memory.rs`, `support/transcript.rs` and the recorded conversations. Invariant: events come from
//! a client or from their own JSON, as a program gets them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use codex_blocking::{
    ChatRequest, Client, StepStatus, StepType, Transcript, TranscriptItem, TranscriptTurn, TurnEvent,
    TurnStatus, protocol::Turn,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    memory::{Server, begun, message, served, spawn_with},
    transcript::{assert_law, shown},
};

// ---- how events are made ----

fn event(event: Value) -> TurnEvent {
    serde_json::from_value(event).unwrap()
}

fn other(method: &str, params: Value) -> TurnEvent {
    event(json!({ "type": "other", "event": { "method": method, "params": params } }))
}

fn delta(kind: &str, id: &str, delta: &str) -> TurnEvent {
    event(json!({ "type": kind, "item_id": id, "delta": delta, "is_summary": false }))
}

/// A notification's event, by way of a client.
fn played(begin: impl FnOnce(&mut Server)) -> Vec<TurnEvent> {
    let (client, mut server) = served();
    let request = ChatRequest::new("hello").sub_agents(true);
    let mut events = begun(&client, &mut server, |client| client.chat_events(request));
    begin(&mut server);
    let mut all = Vec::new();
    while let Some(event) = events.try_next() {
        all.push(event);
    }
    all
}

fn applied<'a>(events: impl IntoIterator<Item = &'a TurnEvent>) -> Transcript {
    let mut transcript = Transcript::default();
    events.into_iter().for_each(|event| transcript.apply(event));
    transcript
}

/// The transcript of what the server sends in the turn `u` of the thread `t`.
fn transcript_of(begin: impl FnOnce(&mut Server)) -> Transcript {
    applied(&played(begin))
}

fn started(server: &mut Server, item: Value) {
    server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": item }));
}

fn piece(server: &mut Server, method: &str, id: &str, delta: &str) {
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": id, "delta": delta });
    server.notify(&format!("item/{method}"), params);
}

fn command(id: &str, status: &str, output: Option<&str>, exit_code: Option<i32>) -> Value {
    json!({ "type": "commandExecution", "id": id, "command": "make", "cwd": "/w", "commandActions": [],
        "status": status, "aggregatedOutput": output, "exitCode": exit_code })
}

fn turn(id: &str, status: &str, items: Vec<Value>) -> Turn {
    serde_json::from_value(json!({ "id": id, "status": status, "items": items })).unwrap()
}

/// One line for each item.
fn lines(transcript: &Transcript) -> Vec<String> {
    fn line(item: &TranscriptItem) -> String {
        let mut line = format!("{} {} {}: {}", item.kind, item.id, item.status, item.text);
        if let Some(output) = &item.output {
            line += &format!(" > {output:?} {:?}", item.exit_code);
        }
        for agent in &item.sub_agents {
            line += &format!(" [{} {}]", agent.thread_id, lines(&agent.transcript).join("; "));
        }
        line
    }
    transcript.items().iter().map(line).collect()
}

fn only_turn(transcript: &Transcript) -> &TranscriptTurn {
    let [turn] = transcript.turns() else { panic!("{:?}", transcript.turns()) };
    turn
}

// ---- items ----

#[test]
fn a_message_grows_with_its_deltas_and_ends_as_the_item_has_it() {
    let mut server_side = played(|server| {
        server.started();
        started(server, message("m", ""));
        piece(server, "agentMessage/delta", "m", "Hel");
        piece(server, "agentMessage/delta", "m", "lo");
        server.message("m", "Hello!");
    });
    let last = server_side.pop().unwrap();
    let mut transcript = applied(&server_side);
    assert_eq!(lines(&transcript), ["codex m inProgress: Hello"]);
    transcript.apply(&last);
    assert_eq!(lines(&transcript), ["codex m completed: Hello!"]);
    // Nothing is added to what is complete.
    let before = transcript.clone();
    transcript.apply(&delta("text_delta", "m", "late"));
    assert_eq!(transcript, before);
}

#[test]
fn a_command_has_its_output_as_it_comes_and_whole_in_the_end() {
    let transcript = transcript_of(|server| {
        started(server, command("c", "inProgress", None, None));
        piece(server, "commandExecution/outputDelta", "c", "2\n");
    });
    assert_eq!(lines(&transcript), [r#"exec c inProgress: make > "2\n" None"#]);
    let transcript = transcript_of(|server| {
        started(server, command("c", "inProgress", None, None));
        piece(server, "commandExecution/outputDelta", "c", "2\n");
        server.item(command("c", "failed", Some("1\n2\n"), Some(3)));
    });
    assert_eq!(lines(&transcript), [r#"exec c failed: make > "1\n2\n" Some(3)"#]);
}

#[test]
fn a_change_of_files_has_its_diffs_from_the_start() {
    let changes = json!([{ "path": "/w/a", "kind": { "type": "add" }, "diff": "one\n" }, { "path": 7 }]);
    let change = json!({ "type": "fileChange", "id": "f", "status": "inProgress", "changes": changes });
    let transcript = transcript_of(|server| started(server, change));
    let [item] = transcript.items() else { panic!("{transcript:?}") };
    assert_eq!((item.kind.as_str(), item.text.as_str()), ("file", "add /w/a"));
    let [change] = item.changes.as_slice() else { panic!("{item:?}") };
    assert!(change.unified_diff().ends_with("+one\n"));
}

#[test]
fn reasoning_shows_its_summary_once_there_is_one() {
    let part = || other("item/reasoning/summaryPartAdded", json!({ "itemId": "r", "summaryIndex": 0 }));
    let summary = |delta: &str| {
        event(json!({ "type": "reasoning_delta", "item_id": "r", "delta": delta, "is_summary": true }))
    };
    let mut transcript = applied(&[delta("reasoning_delta", "r", "raw ")]);
    assert_eq!(lines(&transcript), ["thinking r inProgress: raw "]);
    for event in [delta("reasoning_delta", "r", "thoughts"), part(), summary("one"), part(), summary("two")] {
        transcript.apply(&event);
    }
    assert_eq!(lines(&transcript), ["thinking r inProgress: one\ntwo"]);
    transcript.apply(&delta("reasoning_delta", "r", "more"));
    assert_eq!(lines(&transcript), ["thinking r inProgress: one\ntwo"]);
}

#[test]
fn the_messages_of_the_user_are_items() {
    let said = |id: &str, text: &str| json!({ "type": "userMessage", "id": id, "content": [{ "type": "text", "text": text }] });
    let transcript = transcript_of(|server| {
        server.item(said("a", "first"));
        server.item(said("b", "steered"));
    });
    assert_eq!(lines(&transcript), ["userMessage a completed: first", "userMessage b completed: steered"]);
}

#[test]
fn what_has_not_completed_when_its_turn_ends_is_abandoned() {
    let transcript = transcript_of(|server| {
        started(server, message("cut off", ""));
        piece(server, "agentMessage/delta", "cut off", "Hel");
        started(server, command("outlives", "inProgress", None, None));
        server.message("m", "Hello");
        server.complete("completed");
    });
    assert_eq!(
        lines(&transcript),
        ["codex cut off abandoned: Hel", "exec outlives abandoned: make", "codex m completed: Hello"]
    );
    // A stream that goes on after the turn may tell how it ended.
    let mut transcript = transcript;
    let step = json!({ "type": "step", "thread_id": "t", "turn_id": "u", "item_id": "outlives",
        "step_type": "exec", "item_type": "commandExecution", "status": "completed", "text": "make\nok",
        "data": command("outlives", "completed", Some("ok\n"), Some(0)) });
    transcript.apply(&event(step));
    assert_eq!(lines(&transcript)[1], r#"exec outlives completed: make > "ok\n" Some(0)"#);
    assert_eq!(only_turn(&transcript).status, TurnStatus::Completed);
}

#[test]
fn the_next_plan_takes_the_place_of_the_last() {
    let plan = |text: &str| json!({ "type": "plan", "id": "u-plan", "text": text });
    let events = played(|server| {
        started(server, plan(""));
        piece(server, "plan/delta", "u-plan", "# one");
        server.item(plan("# one\n"));
        server.message("m", "between");
        started(server, plan(""));
        piece(server, "plan/delta", "u-plan", "# t");
        server.item(plan("# two\n"));
    });
    let (_, before) = events.split_last().unwrap();
    assert_eq!(lines(&applied(before)), ["plan u-plan inProgress: # t", "codex m completed: between"]);
    assert_eq!(lines(&applied(&events)), ["plan u-plan completed: # two\n", "codex m completed: between"]);
}

#[test]
fn a_plan_that_is_cut_off_leaves_the_one_before_it() {
    let plan = |text: &str| json!({ "type": "plan", "id": "u-plan", "text": text });
    let transcript = transcript_of(|server| {
        server.item(plan("# one"));
        started(server, plan(""));
        piece(server, "plan/delta", "u-plan", "# t");
        server.complete("interrupted");
    });
    assert_eq!(lines(&transcript), ["plan u-plan completed: # one"]);
}

#[test]
fn an_item_id_that_is_used_again_is_the_latest_item_in_its_turn_and_another_one_in_the_next() {
    let transcript = transcript_of(|server| {
        for exit_code in [0, 1] {
            started(server, command("call_0", "inProgress", None, None));
            server.item(command("call_0", "completed", None, Some(exit_code)));
        }
        server.complete("completed");
    });
    let [item] = transcript.items() else { panic!("{transcript:?}") };
    assert_eq!((item.status.as_str(), item.exit_code), ("completed", Some(1)));
    let both =
        ["u", "v"].map(|id| turn(id, "completed", vec![command("call_0", "completed", None, Some(0))]));
    assert_eq!(Transcript::from_turns(&both).items().len(), 2);
}

#[test]
fn a_turn_that_is_read_from_its_middle_is_shown_from_there() {
    let transcript = transcript_of(|server| {
        piece(server, "agentMessage/delta", "m", "lo");
        server.message("m", "Hello");
        piece(server, "commandExecution/outputDelta", "c", "2\n");
        server.complete("interrupted");
    });
    assert_eq!(lines(&transcript), ["codex m completed: Hello", r#"exec c abandoned:  > "2\n" None"#]);
    assert_eq!(only_turn(&transcript).id, "u");
}

#[test]
fn the_list_of_next_steps_is_one_item_of_its_turn() {
    let list = |status: &str| {
        let plan = json!([{ "step": "a", "status": status }]);
        json!({ "threadId": "t", "turnId": "u", "explanation": "why", "plan": plan })
    };
    let transcript = transcript_of(|server| {
        server.started();
        server.notify("turn/plan/updated", list("pending"));
        server.notify("turn/plan/updated", list("completed"));
        server.complete("completed");
    });
    assert_eq!(lines(&transcript), ["planUpdate plan-update completed: why"]);
    assert_eq!(transcript.items()[0].plan[0].status.as_str(), "completed");
}

// ---- turns ----

#[test]
fn a_turn_says_what_it_waits_for_until_it_goes_on() {
    let retry = json!({ "message": "Reconnecting... 1/5", "additionalDetails": "stream closed" });
    let events = played(|server| {
        server.started();
        server.notify("warning", json!({ "threadId": "t", "message": "unknown model" }));
        server.notify("warning", json!({ "threadId": "t", "message": "unknown model" }));
        server.notify("turn/diff/updated", json!({ "threadId": "t", "turnId": "u", "diff": "diff --git" }));
        server.notify("error", json!({ "threadId": "t", "turnId": "u", "willRetry": true, "error": retry }));
        server.delta("Hello");
    });
    let (_, before) = events.split_last().unwrap();
    let waiting = applied(before);
    let turn = only_turn(&waiting);
    assert_eq!(turn.notice.as_deref(), Some("Reconnecting... 1/5 (stream closed)"));
    assert_eq!(
        (turn.warnings.as_slice(), turn.diff.as_deref()),
        (&["unknown model".to_owned()][..], Some("diff --git"))
    );
    assert_eq!(only_turn(&applied(&events)).notice, None);
}

#[test]
fn a_turn_that_fails_says_why() {
    let failure = json!({ "message": "no more credits" });
    let events = played(|server| {
        server
            .notify("error", json!({ "threadId": "t", "turnId": "u", "willRetry": false, "error": failure }));
        server.complete("failed");
    });
    let transcript = applied(&events);
    let turn = only_turn(&transcript);
    assert_eq!((&turn.status, turn.error.as_deref()), (&TurnStatus::Failed, Some("no more credits")));
    let stored = json!({ "id": "u", "status": "failed", "items": [], "error": failure });
    let stored = Transcript::from_turns(&[serde_json::from_value(stored).unwrap()]);
    assert_eq!((&turn.status, &turn.error), (&only_turn(&stored).status, &only_turn(&stored).error));
}

#[test]
fn a_turn_whose_connection_is_lost_has_failed() {
    let transcript = transcript_of(|server| {
        started(server, message("m", ""));
        server.die();
    });
    assert_eq!(lines(&transcript), ["codex m abandoned: "]);
    assert_eq!(only_turn(&transcript).status, TurnStatus::Failed);
}

#[test]
fn a_turn_that_falls_silent_goes_on_with_its_continuation() {
    let closing = json!({ "type": "step", "thread_id": "t", "turn_id": "u", "item_id": null,
        "step_type": "error", "item_type": null, "status": "failed", "text": null,
        "data": { "code": "turn_inactive", "message": "no event for 180 s" } });
    let mut events = played(|server| started(server, message("m", "")));
    events.push(event(closing));
    let mut transcript = applied(&events);
    let turn = only_turn(&transcript);
    assert_eq!((&turn.status, turn.notice.as_deref()), (&TurnStatus::InProgress, Some("no event for 180 s")));
    transcript.apply(&delta("text_delta", "m", "on"));
    assert_eq!(lines(&transcript), ["codex m inProgress: on"]);
    assert_eq!(only_turn(&transcript).notice, None);
}

#[test]
fn events_of_later_turns_go_on_from_history() {
    let history = [turn("before", "completed", vec![message("a", "old")])];
    let mut transcript = Transcript::from_turns(&history);
    for event in &played(|server| {
        server.notify("warning", json!({ "threadId": "t", "message": "of the next turn" }));
        server.started();
        server.message("b", "new");
        server.complete("completed");
    }) {
        transcript.apply(event);
    }
    assert_eq!(lines(&transcript), ["codex a completed: old", "codex b completed: new"]);
    let turns: Vec<_> =
        transcript.turns().iter().map(|turn| (turn.id.as_str(), turn.warnings.len())).collect();
    assert_eq!(turns, [("before", 0), ("u", 1)]);
}

#[test]
fn a_turn_in_progress_shows_what_runs_and_its_steps_are_those_of_what_is_complete() {
    let items = vec![message("m", "hi"), command("c", "inProgress", None, None)];
    let running = turn("u", "inProgress", items.clone());
    let of_history = Transcript::from_turns(std::slice::from_ref(&running));
    assert_eq!(lines(&of_history), ["codex m completed: hi", "exec c inProgress: make"]);
    assert_eq!(running.steps().len(), 1);
    let ended = Transcript::from_turns(&[turn("u", "interrupted", items)]);
    assert_eq!(lines(&ended), ["codex m completed: hi", "exec c abandoned: make"]);
}

// ---- revisions, JSON ----

#[test]
fn a_transcript_comes_back_from_its_json_and_goes_on() {
    let events = played(|server| {
        server.started();
        server.item(
            json!({ "type": "collabAgentToolCall", "id": "s", "tool": "spawnAgent", "status": "completed",
            "receiverThreadIds": ["child"] }),
        );
        let of_child =
            |delta: &str| json!({ "threadId": "child", "turnId": "v", "itemId": "m", "delta": delta });
        for text in ["a", "b", "c"] {
            server.notify("item/agentMessage/delta", of_child(text));
            piece(server, "agentMessage/delta", "m", text);
        }
        server.message("m", "abc");
        server.complete("completed");
    });
    let whole = applied(&events);
    assert_eq!(
        lines(&whole),
        [
            "collabAgentToolCall s completed: spawnAgent [child codex m inProgress: abc]",
            "codex m completed: abc"
        ]
    );
    for cut in 0..events.len() {
        let before = serde_json::to_value(applied(&events[..cut])).unwrap();
        let mut again: Transcript = serde_json::from_value(before.clone()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), before);
        events[cut..].iter().for_each(|event| again.apply(event));
        assert_eq!(again, whole, "cut at {cut}");
    }
}

/// What changes has a revision greater than the last one, and nothing else has.
fn apply_checked(transcript: &mut Transcript, event: &TurnEvent) {
    let before = transcript.clone();
    transcript.apply(event);
    let last = before.revision();
    assert!(transcript.revision() >= last);
    assert_eq!(transcript.revision() == last, *transcript == before);
    assert!(transcript.items().len() >= before.items().len());
    for (at, item) in transcript.items().iter().enumerate() {
        match before.items().get(at) {
            Some(old) if old == item => assert!(item.revision <= last),
            old => {
                assert!(item.revision > last && item.revision <= transcript.revision());
                assert!(old.is_none_or(|old| (&old.id, &old.kind) == (&item.id, &item.kind)));
            }
        }
    }
    for (old, turn) in before.turns().iter().zip(transcript.turns()) {
        assert_eq!(turn.revision > last, turn != old);
    }
}

// ---- sub-agents ----

fn of_child(thread_id: &str, event: TurnEvent) -> TurnEvent {
    let event = serde_json::to_value(event).unwrap();
    self::event(json!({ "type": "sub_agent", "thread_id": thread_id, "agent": null, "event": event }))
}

fn spawn(parent: &str, id: &str, children: &[&str]) -> TurnEvent {
    let item = json!({ "type": "collabAgentToolCall", "id": id, "receiverThreadIds": children });
    event(json!({ "type": "step", "thread_id": parent, "turn_id": format!("turn of {parent}"), "item_id": id,
        "step_type": "collabAgentToolCall", "item_type": "collabAgentToolCall", "status": "completed",
        "text": "spawnAgent", "data": item }))
}

#[test]
fn the_transcripts_of_sub_agents_are_nested_in_the_items_that_started_them() {
    let transcript = applied(&[
        spawn("t", "s", &["child", "sibling"]),
        spawn("t", "wait", &["child"]),
        of_child("child", spawn("child", "s", &["grandchild", "t"])),
        of_child("grandchild", delta("text_delta", "m", "deep")),
        of_child("sibling", delta("text_delta", "m", "side")),
        of_child("child", delta("text_delta", "m", "hi")),
        of_child("stranger", delta("text_delta", "m", "who")),
        delta("text_delta", "m", "own"),
        of_child("child", other("turn/completed", json!({ "turn": { "id": "v", "status": "failed" } }))),
    ]);
    assert_eq!(
        lines(&transcript),
        [
            "collabAgentToolCall s completed: spawnAgent \
             [child collabAgentToolCall s completed: spawnAgent [grandchild codex m inProgress: deep]; \
             codex m inProgress: hi] [sibling codex m inProgress: side]",
            "collabAgentToolCall wait completed: spawnAgent",
            "subAgent stranger completed:  [stranger codex m inProgress: who]",
            "codex m inProgress: own",
        ]
    );
    let [turn] = transcript.turns() else { panic!("{transcript:?}") };
    assert_eq!(turn.status, TurnStatus::InProgress, "a sub-agent ends no turn of its parent");
}

#[test]
fn a_sub_agent_has_the_name_that_the_server_tells() {
    let named = json!({ "type": "sub_agent", "thread_id": "child", "agent": "/root/kid",
        "event": { "type": "text_delta", "item_id": "m", "delta": "x" } });
    let mut transcript = applied(&[spawn("t", "s", &["child"])]);
    transcript.apply(&of_child("child", delta("text_delta", "m", "x")));
    apply_checked(&mut transcript, &event(named));
    assert_eq!(transcript.items()[0].sub_agents[0].agent.as_deref(), Some("/root/kid"));
}

#[test]
fn sub_agents_of_sub_agents_without_an_end_are_nested_so_deep_and_no_deeper() {
    let mut transcript = applied(&[spawn("0", "s", &["1"])]);
    for number in 1..5_000 {
        let (parent, child) = (number.to_string(), (number + 1).to_string());
        transcript.apply(&of_child(&parent, spawn(&parent, "s", &[&child])));
    }
    let json = serde_json::to_string(&transcript).unwrap();
    let again: Transcript = serde_json::from_str(&json).unwrap();
    assert_eq!(again, transcript);
    let mut depth = 0;
    let mut inner = &transcript;
    while let Some(agent) = inner.items().first().and_then(|item| item.sub_agents.first()) {
        (inner, depth) = (&agent.transcript, depth + 1);
    }
    assert_eq!(depth, 16);
}

#[test]
fn an_event_costs_the_same_however_much_there_is() {
    const COUNT: usize = 20_000;
    let ids: Vec<String> = (0..COUNT).map(|number| format!("agent {number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let started = |id: &str| {
        event(
            json!({ "type": "item_started", "thread_id": "t", "turn_id": "u", "item_id": id, "step_type": "codex",
            "item_type": "agentMessage", "status": "inProgress", "text": null, "data": message(id, "") }),
        )
    };
    let mut events = vec![spawn("t", "s", &ids)];
    events.extend(ids.iter().map(|id| of_child(id, delta("text_delta", "m", "x"))));
    events.extend(ids.iter().map(|id| started(id)));
    events.extend(ids.iter().map(|id| delta("text_delta", id, "x")));
    events.extend(ids.iter().map(|_| delta("text_delta", ids[0], "0123456789")));
    events.extend(ids.iter().map(|id| event(json!({ "type": "warning", "message": id }))));
    events.extend(ids.iter().map(|id| {
        other("turn/completed", json!({ "threadId": "t", "turn": { "id": id, "status": "completed" } }))
    }));
    let begun = Instant::now();
    let transcript = applied(&events);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(transcript.items().len(), 1 + COUNT);
    assert_eq!(transcript.items()[0].sub_agents.len(), COUNT);
    assert_eq!(transcript.items()[1].text.len(), 1 + 10 * COUNT);
}

// ---- the law ----

/// What one conversation has recorded of each of its turns: thread, turn, and the notifications after the reply.
fn recorded(name: &str) -> Vec<(String, String, Vec<Value>)> {
    let path = format!("{}/tests/fixtures/transcripts/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut calls: BTreeMap<String, Value> = BTreeMap::new();
    let mut turns: Vec<(String, String, Vec<Value>)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let message = &line["msg"];
        let key = format!("{}{}", line["conn"], message["id"]);
        if line["dir"] == "out" {
            calls.insert(key, message.clone());
            continue;
        }
        let Some(call) = calls.get(&key).filter(|_| message.get("result").is_some()) else { continue };
        if call["method"] != "turn/start" && call["method"] != "review/start" {
            continue;
        }
        let is_ours = |later: &&Value| later["dir"] == "in" && later["conn"] == line["conn"];
        let told = lines[at..].iter().filter(is_ours).map(|later| later["msg"].clone());
        let told = told.filter(|told| told.get("method").is_some() && told.get("id").is_none()).collect();
        let id = |id: &Value| id.as_str().unwrap().to_owned();
        turns.push((id(&call["params"]["threadId"]), id(&message["result"]["turn"]["id"]), told));
    }
    turns
}

/// The events and the steps of a turn that was recorded.
fn replayed(
    thread_id: &str,
    turn_id: &str,
    told: &[Value],
) -> (Vec<TurnEvent>, Vec<codex_blocking::ConversationStep>) {
    let (client, mut server) = served();
    let request = ChatRequest::new("hello").thread(thread_id);
    let other = request.clone();
    let events = spawn_with(&client, move |client: Client| client.chat_events(request));
    let resume = server.expect("thread/resume");
    server.reply(&resume, json!({ "thread": { "id": thread_id } }));
    server.begin_turn_on(turn_id);
    let mut events = events.join().unwrap().unwrap();
    let steps = spawn_with(&client, move |client: Client| client.chat(other));
    server.begin_turn_on(turn_id);
    let steps = steps.join().unwrap().unwrap();
    told.iter().for_each(|told| server.send(told));
    if !events.handle().is_over() {
        server.die();
    }
    (events.by_ref().collect(), steps.collect())
}

/// The turn as history has it: the items that completed before its end, each id once.
fn stored(turn_id: &str, told: &[Value]) -> Option<Turn> {
    let end = told
        .iter()
        .position(|told| told["method"] == "turn/completed" && told["params"]["turn"]["id"] == turn_id)?;
    let mut items: Vec<Value> = Vec::new();
    let completed = told[..end].iter().filter(|told| told["method"] == "item/completed");
    for told in completed.filter(|told| told["params"]["turnId"] == turn_id) {
        let item = &told["params"]["item"];
        items.retain(|known| (&known["id"], &known["type"]) != (&item["id"], &item["type"]));
        items.push(item.clone());
    }
    let mut turn = told[end]["params"]["turn"].clone();
    turn["items"] = Value::from(items);
    Some(serde_json::from_value(turn).unwrap())
}

#[test]
fn recorded_turns_are_shown_as_history_has_them() {
    let mut count = 0;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/transcripts");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        for (thread_id, turn_id, told) in recorded(&name) {
            let (events, steps) = replayed(&thread_id, &turn_id, &told);
            let mut of_events = Transcript::default();
            events.iter().for_each(|event| apply_checked(&mut of_events, event));
            assert!(of_events.items().iter().all(|item| item.status != StepStatus::InProgress), "{name}");
            let Some(stored) = stored(&turn_id, &told) else {
                assert_eq!(only_turn(&of_events).status, TurnStatus::Failed, "{name}");
                continue;
            };
            let of_history = Transcript::from_turns(std::slice::from_ref(&stored));
            assert_law(&of_events, &of_history);
            let end = |transcript: &Transcript| {
                let turn = only_turn(transcript);
                (turn.id.clone(), turn.status.clone(), turn.error.clone())
            };
            assert_eq!(end(&of_events), end(&of_history), "{name}");
            // The steps of history are those of the chat, to the letter, but for the thread and unknown members.
            let seen = |steps: &[codex_blocking::ConversationStep]| -> Vec<_> {
                let seen = |step: &codex_blocking::ConversationStep| {
                    (step.turn_id.clone(), step.item_id.clone(), step.to_string(), step.status.clone())
                };
                steps.iter().map(seen).collect()
            };
            let mut of_history = seen(&stored.steps());
            let mut of_chat = seen(&steps);
            if name.starts_with("plan") {
                // Each plan is a step, and history has the last.
                of_history.sort_by_key(|step| step.2.clone());
                of_chat.sort_by_key(|step| step.2.clone());
            }
            if of_chat.last().is_some_and(|step| step.1.is_none()) {
                // It names the thread.
                let (of_chat, of_history) = (of_chat.pop().unwrap(), of_history.pop().unwrap());
                assert_eq!((of_chat.1, of_chat.3), (of_history.1, of_history.3), "{name}");
            }
            assert_eq!(of_chat, of_history, "{name}");
            count += 1;
        }
    }
    assert!(count >= 42, "{count}");
}

/// An item of a generated turn: what it is, the texts of its deltas, and whether it completes.
#[derive(Debug, Clone)]
struct Lane {
    kind: usize,
    id: usize,
    deltas: Vec<String>,
    completes: bool,
    /// Started by a sub-agent, with an id that the turn may have too.
    is_of_child: bool,
    is_told_twice: bool,
}

fn lane() -> impl Strategy<Value = Lane> {
    let deltas = prop::collection::vec("[a-zé\n]{0,4}", 0..5);
    (
        0..6usize,
        0..4usize,
        deltas,
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(kind, id, deltas, completes, is_of_child, is_told_twice)| Lane {
            kind,
            id,
            deltas,
            completes,
            is_of_child,
            is_told_twice,
        })
}

impl Lane {
    fn item(&self, number: usize, is_complete: bool) -> Value {
        let text = if is_complete { self.deltas.concat() } else { String::new() };
        let status =
            if is_complete { ["completed", "failed", "declined"][self.id % 3] } else { "inProgress" };
        // Some models count their calls from 0 in each answer.
        let id = if self.kind == 3 { format!("call_{}", self.id) } else { format!("item {number}") };
        match self.kind {
            0 => json!({ "type": "agentMessage", "id": id, "text": text }),
            1 => json!({ "type": "reasoning", "id": id, "summary": [], "content": [text] }),
            2 => json!({ "type": "plan", "id": "u-plan", "text": text }),
            3 => {
                let exit_code = is_complete.then_some(self.id);
                json!({ "type": "commandExecution", "id": id, "command": format!("run {number}"), "cwd": "/w",
                    "commandActions": [], "status": status, "aggregatedOutput": is_complete.then_some(text),
                    "exitCode": exit_code })
            }
            4 => {
                let change =
                    json!({ "path": "/w/a", "kind": { "type": "add" }, "diff": self.deltas.concat() });
                json!({ "type": "fileChange", "id": id, "changes": [change], "status": status })
            }
            _ => json!({ "type": "userMessage", "id": id, "content": [{ "type": "text", "text": text }] }),
        }
    }

    /// Its notifications.
    fn told(&self, number: usize) -> Vec<Value> {
        let (thread, turn) = if self.is_of_child { ("child", "v") } else { ("t", "u") };
        let method =
            ["agentMessage/delta", "reasoning/textDelta", "plan/delta", "commandExecution/outputDelta"];
        let id = self.item(number, false)["id"].clone();
        let of_item = |method: &str, is_complete: bool| {
            let item = self.item(number, is_complete);
            json!({ "method": method, "params": { "threadId": thread, "turnId": turn, "item": item } })
        };
        let mut told = vec![of_item("item/started", false)];
        if let Some(method) = method.get(self.kind) {
            told.extend(self.deltas.iter().map(|delta| {
                json!({ "method": format!("item/{method}"),
                    "params": { "threadId": thread, "turnId": turn, "itemId": id, "delta": delta } })
            }));
        }
        if self.completes {
            told.push(of_item("item/completed", true));
            if self.is_told_twice {
                told.push(of_item("item/completed", true));
            }
        }
        told
    }
}

/// What is in no lane: retries, warnings, plans, the ends of sub-agents' turns.
fn notice(kind: usize) -> Value {
    let of = |method: &str, rest: Value| {
        let mut params = json!({ "threadId": "t", "turnId": "u" });
        params.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({ "method": method, "params": params })
    };
    match kind {
        0 => of("error", json!({ "willRetry": true, "error": { "message": "Reconnecting... 1/5" } })),
        1 => json!({ "method": "warning", "params": { "threadId": "t", "message": "careful" } }),
        2 => of("turn/plan/updated", json!({ "explanation": null, "plan": [] })),
        3 => of("turn/diff/updated", json!({ "diff": "diff" })),
        _ => json!({ "method": "turn/completed",
            "params": { "threadId": "child", "turn": { "id": "v", "status": "failed" } } }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn turns_of_any_order_are_shown_as_history_has_them(
        lanes in prop::collection::vec(lane(), 0..10),
        notices in prop::collection::vec(0..5usize, 0..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
        status in prop::sample::select(vec!["completed", "failed", "interrupted"]),
        names_child in any::<bool>(),
    ) {
        let mut queues: Vec<Vec<Value>> =
            lanes.iter().enumerate().map(|(number, lane)| lane.told(number)).collect();
        queues.extend(notices.into_iter().map(|kind| vec![notice(kind)]));
        let mut told = vec![json!({ "method": "turn/started", "params": { "threadId": "t", "turn": { "id": "u" } } })];
        let child = if names_child {
            let spawn = json!({ "type": "collabAgentToolCall", "id": "s", "tool": "spawnAgent",
                "status": "completed", "receiverThreadIds": ["child"] });
            json!({ "method": "item/completed", "params": { "threadId": "t", "turnId": "u", "item": spawn } })
        } else {
            json!({ "method": "turn/started",
                "params": { "threadId": "child", "turn": { "id": "v", "rootTurnId": "u" } } })
        };
        told.push(child);
        let mut order = order.iter();
        while !queues.is_empty() {
            let at = order.next().map_or(0, |order| order.index(queues.len()));
            told.push(queues[at].remove(0));
            queues.retain(|queue| !queue.is_empty());
        }
        told.push(json!({ "method": "turn/completed",
            "params": { "threadId": "t", "turn": { "id": "u", "status": status, "items": [] } } }));
        let events = played(|server| told.iter().for_each(|told| server.send(told)));
        let mut of_events = Transcript::default();
        events.iter().for_each(|event| apply_checked(&mut of_events, event));
        let stored = stored("u", &told).unwrap();
        let of_history = Transcript::from_turns(&[stored]);
        for item in of_history.items() {
            let is_it = |of_events: &&TranscriptItem| (&of_events.id, &of_events.kind) == (&item.id, &item.kind);
            let found: Vec<_> = of_events.items().iter().filter(is_it).map(shown).collect();
            prop_assert_eq!(found, [shown(item)]);
        }
        prop_assert!(of_events.items().iter().all(|item| item.status != StepStatus::InProgress));
        let agents = of_events.items().iter().flat_map(|item| &item.sub_agents);
        prop_assert!(agents.flat_map(|agent| agent.transcript.items()).all(|item| item.turn_id != "u"));
        prop_assert!(of_events.items().iter().all(|item| item.kind != StepType::Error));
    }
}

// ---- whatever comes ----

/// An event as no server sends it: its ids are those of other kinds, of other turns, or none.
fn any_event() -> impl Strategy<Value = Value> {
    let id = || prop::sample::select(vec!["", "a", "b", "plan-update"]);
    let turn = || prop::sample::select(vec!["", "u", "v"]);
    let thread = || prop::sample::select(vec!["t", "x", "y", "z"]);
    let text = || prop::sample::select(vec!["", "é", "\u{1F980}\r\n", "e\u{301}"]);
    let item = (
        id(),
        0..6usize,
        text(),
        prop::sample::select(vec!["inProgress", "completed", "failed", "odd"]),
        thread(),
    )
        .prop_map(|(id, kind, text, status, thread)| match kind {
            0 => json!({ "type": "agentMessage", "id": id, "text": text }),
            1 => json!({ "type": "reasoning", "id": id, "summary": [text], "content": [] }),
            2 => json!({ "type": "plan", "id": id, "text": text }),
            3 => command(id, status, Some(text), Some(1)),
            4 => json!({ "type": "collabAgentToolCall", "id": id, "tool": "spawnAgent", "status": status,
                "receiverThreadIds": [thread, "x"] }),
            _ => json!({ "type": "planUpdate", "id": id, "text": text }),
        });
    let kind_of = |item: &Value| match item["type"].as_str().unwrap() {
        "agentMessage" => "codex".to_owned(),
        "reasoning" => "thinking".to_owned(),
        "commandExecution" => "exec".to_owned(),
        other => other.to_owned(),
    };
    let step = (prop::sample::select(vec!["step", "item_started"]), turn(), item.clone(), prop::sample::select(vec!["inProgress", "completed", "abandoned", "odd"]))
        .prop_map(move |(of, turn, item, status)| {
            json!({ "type": of, "thread_id": "t", "turn_id": turn, "item_id": item["id"], "step_type": kind_of(&item),
                "item_type": item["type"], "status": status, "text": item["text"], "data": item })
        });
    let other = |method: &'static str| move |params: Value| json!({ "type": "other", "event": { "method": method, "params": params } });
    let leaf = prop_oneof![
        4 => step,
        3 => (prop::sample::select(vec!["text_delta", "reasoning_delta", "plan_delta", "command_output_delta"]), id(), text(), any::<bool>())
            .prop_map(|(kind, id, delta, is_summary)| {
                json!({ "type": kind, "item_id": id, "delta": delta, "is_summary": is_summary })
            }),
        1 => id().prop_map(|id| json!({ "itemId": id })).prop_map(other("item/reasoning/summaryPartAdded")),
        1 => (turn(), item).prop_map(|(turn, item)| json!({ "turnId": turn, "item": item }))
            .prop_map(other("item/completed")),
        2 => turn().prop_map(|turn| json!({ "turn": { "id": turn } })).prop_map(other("turn/started")),
        2 => (turn(), prop::sample::select(vec!["completed", "failed", "interrupted", "odd"]))
            .prop_map(|(turn, status)| json!({ "turn": { "id": turn, "status": status } }))
            .prop_map(other("turn/completed")),
        1 => Just(json!({ "status": "completed", "turn": {} })).prop_map(other("turn/completed")),
        1 => text().prop_map(|text| json!({ "type": "plan", "explanation": text, "plan": [] })),
        1 => text().prop_map(|text| json!({ "type": "diff", "diff": text })),
        1 => text().prop_map(|text| json!({ "type": "warning", "message": text })),
        1 => (turn(), prop::sample::select(vec!["turn_inactive", "transport", "turn_failed"])).prop_map(|(turn, code)| {
            json!({ "type": "step", "thread_id": "t", "turn_id": turn, "item_id": null, "step_type": "error",
                "item_type": "error", "status": "failed", "text": "x",
                "data": { "code": code, "message": "x" } })
        }),
    ];
    leaf.prop_recursive(2, 4, 1, move |inner| {
        (thread(), prop::option::of(text()), inner).prop_map(|(thread, agent, event)| {
            json!({ "type": "sub_agent", "thread_id": thread, "agent": agent, "event": event })
        })
    })
}

fn assert_sound(transcript: &Transcript) {
    let mut ids = std::collections::BTreeSet::new();
    for item in transcript.items() {
        let id = (item.turn_id.clone(), item.kind.to_string(), item.id.clone());
        assert!(ids.insert(id), "twice in {transcript:?}");
        item.sub_agents.iter().for_each(|agent| assert_sound(&agent.transcript));
    }
    for turn in transcript.turns() {
        let plans = transcript.items().iter().filter(|item| item.turn_id == turn.id && !item.plan.is_empty());
        assert!(plans.count() <= 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_a_transcript_stays_sound_and_comes_back_from_its_json(
        events in prop::collection::vec(any_event(), 0..30),
    ) {
        let mut transcript = Transcript::default();
        for told in events {
            let event = event(told.clone());
            apply_checked(&mut transcript, &event);
            assert_sound(&transcript);
            if told["event"]["method"] == "turn/completed" {
                if let Some(id) = told["event"]["params"]["turn"]["id"].as_str() {
                    let is_of_it = |item: &&TranscriptItem| item.turn_id == id;
                    prop_assert!(transcript.items().iter().filter(is_of_it).all(|item| item.status != StepStatus::InProgress));
                }
            }
            // From now on it is the one from the JSON.
            let again: Transcript = serde_json::from_str(&serde_json::to_string(&transcript).unwrap()).unwrap();
            prop_assert_eq!(&again, &transcript);
            let mut other = again.clone();
            other.apply(&event);
            let mut same = transcript.clone();
            same.apply(&event);
            prop_assert_eq!(other, same);
            transcript = again;
        }
    }
}

#[test]
fn a_plan_that_is_cut_off_leaves_the_one_before_it_also_after_the_json() {
    let plan = |kind: &str, text: &str| {
        let item = json!({ "type": "plan", "id": "u-plan", "text": text });
        event(
            json!({ "type": kind, "thread_id": "t", "turn_id": "u", "item_id": "u-plan", "step_type": "plan",
            "item_type": "plan", "status": if kind == "step" { "completed" } else { "inProgress" }, "text": text,
            "data": item }),
        )
    };
    let mut transcript = applied(&[plan("step", "one")]);
    for event in [plan("item_started", ""), delta("plan_delta", "u-plan", "tw"), ended_turn("u")] {
        transcript = serde_json::from_value(serde_json::to_value(&transcript).unwrap()).unwrap();
        transcript.apply(&event);
    }
    assert_eq!(lines(&transcript), ["plan u-plan completed: one"]);
}

fn ended_turn(id: &str) -> TurnEvent {
    other("turn/completed", json!({ "turn": { "id": id, "status": "interrupted" } }))
}

#[test]
fn a_summary_takes_the_place_of_the_reasoning_also_after_the_json() {
    let transcript = applied(&[delta("reasoning_delta", "r", "raw")]);
    let mut again: Transcript = serde_json::from_value(serde_json::to_value(&transcript).unwrap()).unwrap();
    assert_eq!(again, transcript);
    again.apply(&event(
        json!({ "type": "reasoning_delta", "item_id": "r", "delta": "short", "is_summary": true }),
    ));
    assert_eq!(again.items()[0].text, "short");
}

#[test]
fn sub_agents_that_contain_each_other_in_json_are_no_way_without_an_end() {
    let nested = |thread_id: &str, items: Value| json!({ "thread_id": thread_id, "agent": null, "transcript": { "items": items, "turns": [], "revision": 1 } });
    let item = |agents: Value| {
        json!({ "turn_id": "u", "id": "s", "kind": "collabAgentToolCall", "status": "completed", "text": "",
            "output": null, "exit_code": null, "changes": [], "plan": [], "sub_agents": agents,
            "revision": u64::MAX })
    };
    let leaf = nested("c", json!([]));
    let inner = nested("a", json!([item(json!([leaf]))]));
    let middle = nested("b", json!([item(json!([inner]))]));
    let outer = nested("a", json!([item(json!([middle]))]));
    let stored = json!({ "items": [item(json!([outer]))], "turns": [], "revision": 0 });
    let mut transcript: Transcript = serde_json::from_value(stored).unwrap();
    for thread_id in ["a", "b", "c", "d"] {
        transcript.apply(&of_child(thread_id, delta("text_delta", "m", "hello")));
    }
    let [first, ..] = transcript.items() else { panic!() };
    let a = &first.sub_agents[0].transcript;
    assert_eq!(a.items()[1].text, "hello");
}

#[test]
fn what_ends_while_a_thread_is_followed_ends_the_turn_that_is_running() {
    let (client, mut server) = served();
    let following = spawn_with(&client, |client| client.follow("t"));
    let request = server.expect("thread/resume");
    server.reply(&request, json!({ "thread": { "id": "t" } }));
    let mut events = following.join().unwrap().unwrap();
    server.started();
    started(&mut server, command("c", "inProgress", None, None));
    server.die();
    let mut transcript = Transcript::default();
    for event in &mut events {
        transcript.apply(&event);
    }
    assert_eq!(lines(&transcript), ["exec c abandoned: make"]);
    let turn = only_turn(&transcript);
    assert_eq!((&*turn.id, &turn.status), ("u", &TurnStatus::Failed));
    // With no turn running nothing fails.
    let closing = event(
        json!({ "type": "step", "thread_id": "t", "turn_id": "", "item_id": null, "step_type": "error",
        "item_type": "error", "status": "failed", "text": "gone",
        "data": { "code": "no_longer_pending", "message": "gone" } }),
    );
    let before = transcript.clone();
    transcript.apply(&closing);
    assert_eq!(transcript, before);
}

#[test]
fn what_starts_after_the_end_of_its_turn_is_abandoned_until_it_completes() {
    let step = |kind: &str, status: &str| {
        event(json!({ "type": kind, "thread_id": "t", "turn_id": "u", "item_id": "c", "step_type": "exec",
            "item_type": "commandExecution", "status": status, "text": "make",
            "data": command("c", status, None, None) }))
    };
    let mut transcript = applied(&[ended_turn("u"), step("item_started", "inProgress")]);
    assert_eq!(lines(&transcript), ["exec c abandoned: make"]);
    transcript.apply(&step("step", "completed"));
    assert_eq!(lines(&transcript), ["exec c completed: make"]);
}

#[test]
fn one_id_in_many_turns_costs_the_same_each_time() {
    let message = |turn: usize| {
        event(json!({ "type": "step", "thread_id": "t", "turn_id": turn.to_string(), "item_id": "call_0",
            "step_type": "codex", "item_type": "agentMessage", "status": "completed", "text": "x",
            "data": { "type": "agentMessage", "id": "call_0", "text": "x" } }))
    };
    let time = |count: usize| {
        let events: Vec<_> = (0..count).map(message).collect();
        let start = Instant::now();
        let transcript = applied(&events);
        assert_eq!(transcript.items().len(), count);
        start.elapsed()
    };
    time(1000);
    let (few, many) = (time(2_000), time(40_000));
    // Twenty times as many; four hundred times as long if each were compared with all others.
    assert!(many < few * 100 + Duration::from_millis(100), "{few:?} {many:?}");
}
