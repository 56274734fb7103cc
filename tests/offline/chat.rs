//! Chats, step by step, against a server whose every message the test sends.

use codex_blocking::{
    Client, CompletionSource, Error, InputItem, StepStatus, StepType, ThreadConfig, TurnEvent, TurnOverrides,
    testing::{ScriptedServer, TurnScript},
    *,
};
use serde_json::{Value, json};

use crate::support::memory::{
    PATIENCE, begun, chatting, message, served, served_with, spawn, spawn_with, thread,
};

fn scripted(script: fn() -> TurnScript) -> Client {
    ScriptedServer::new().on_turn(move |_| script()).client().unwrap()
}

#[test]
fn chat_once_gives_the_answer_with_everything_it_is_made_of() {
    let client = scripted(|| TurnScript::new().reasoning("hm").message("the answer"));
    let result = client.chat_once("hello").unwrap();
    assert_eq!(result.final_text, "the answer");
    assert_eq!(result.completion_source, Some(CompletionSource::ItemCompleted));
    assert!(result.assistant_item_id.is_some());
    assert_eq!(result.token_usage.unwrap().total.total_tokens, 15);
    let methods: Vec<_> = result.raw_events.iter().map(|event| event.method().into_owned()).collect();
    assert_eq!(methods.first().map(String::as_str), Some("turn/started"));
    assert_eq!(methods.last().map(String::as_str), Some("turn/completed"));
    assert!(methods.iter().any(|method| method == "item/agentMessage/delta"), "{methods:?}");
}

#[test]
fn chat_gives_one_step_for_each_completed_item_and_then_ends() {
    let client = scripted(|| {
        TurnScript::new()
            .reasoning("hm")
            .command("ls", "a\nb\n", 0)
            .item(json!({ "type": "fileChange", "id": "f", "status": "completed",
                "changes": [{ "path": "/w/x", "kind": { "type": "add" }, "diff": "x" }] }))
            .item(json!({ "type": "mcpToolCall", "id": "m", "server": "s", "tool": "t", "status": "failed" }))
            .item(json!({ "type": "somethingNew", "id": "n", "text": "new" }))
            .message("done")
    });
    let steps: Vec<_> = client.chat("hello").unwrap().collect();
    let shown: Vec<_> = steps
        .iter()
        .map(|step| (step.step_type.as_str(), step.item_type.as_deref().unwrap(), step.status.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("userMessage", "userMessage", "completed"),
            ("thinking", "reasoning", "completed"),
            ("exec", "commandExecution", "completed"),
            ("file", "fileChange", "completed"),
            ("tool", "mcpToolCall", "failed"),
            ("somethingNew", "somethingNew", "completed"),
            ("codex", "agentMessage", "completed"),
        ]
    );
    let lines: Vec<_> = steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "userMessage: hello",
            "thinking: hm",
            "exec: ls\na\nb",
            "file: add /w/x",
            "tool (failed): s.t",
            "somethingNew: new",
            "codex: done",
        ]
    );
    assert_eq!(steps[2].data()["exitCode"], 0);
    assert!(steps.iter().all(|step| step.thread_id == "thread-1" && step.turn_id == "turn-2"));
}

#[test]
fn a_plain_loop_shows_how_the_turn_failed() {
    let client =
        scripted(|| TurnScript::new().message("so far").fail("no more", json!("usageLimitExceeded")));
    let mut chat = client.chat("hello").unwrap();
    let steps: Vec<_> = chat.by_ref().collect();
    let closing = steps.last().unwrap();
    assert_eq!(closing.to_string(), "error: no more");
    assert_eq!((&closing.step_type, &closing.status), (&StepType::Error, &StepStatus::Failed));
    assert!(closing.item_id.is_none() && closing.text.is_none());
    assert_eq!(closing.data()["message"], "no more");
    assert_eq!(closing.data()["info"], "usageLimitExceeded");
    assert!(chat.next().is_none() && chat.is_ended());
    assert!(matches!(chat.error(), Some(Error::TurnFailed { .. })));
    let Err(Error::TurnFailed { thread_id, turn_id, message, info, turn, .. }) = chat.finish() else {
        panic!()
    };
    assert_eq!((thread_id.as_str(), turn_id.as_str(), message.as_str()), ("thread-1", "turn-2", "no more"));
    assert_eq!(info.as_deref(), Some(&json!("usageLimitExceeded")));
    assert_eq!(turn.unwrap()["status"], "failed");
}

#[test]
fn results_give_the_error_in_place_of_the_closing_step_and_once() {
    let client = scripted(|| TurnScript::new().message("so far").end("interrupted"));
    let mut chat = client.chat("hello").unwrap();
    let results: Vec<_> = chat.results().collect();
    assert_eq!(results.len(), 3);
    assert!(matches!(&results[2], Err(Error::TurnInterrupted { .. })));
    assert!(chat.next().is_none() && chat.results().next().is_none());
    let collected: Result<Vec<_>> = client.chat("hello").unwrap().results().collect();
    assert!(collected.is_err());
}

#[test]
fn an_interrupted_turn_closes_as_interrupted() {
    let client = scripted(|| TurnScript::new().end("interrupted"));
    let closing = client.chat("hello").unwrap().last().unwrap();
    assert_eq!((closing.step_type, closing.status), (StepType::Error, StepStatus::Interrupted));
}

#[test]
fn success_yields_only_real_steps_and_finish_after_them_still_knows_the_answer() {
    let client = scripted(|| TurnScript::new().message("done"));
    let mut chat = client.chat("hello").unwrap();
    assert!(chat.by_ref().all(|step| step.item_id.is_some()));
    assert!(chat.error().is_none() && chat.is_ended());
    assert_eq!(chat.finish().unwrap().final_text, "done");
}

#[test]
fn a_turn_without_an_answer_is_no_answer_for_chat_once_but_steps_for_chat() {
    let server = ScriptedServer::new().on_turn(|_| TurnScript::new().command("ls", "", 0));
    let client = server.client().unwrap();
    assert!(matches!(client.chat_once("hello"), Err(Error::NoAnswer { .. })));
    let result = client.chat("hello").unwrap().finish().unwrap();
    assert_eq!((result.final_text.as_str(), result.completion_source), ("", None));
}

#[test]
fn an_answer_that_did_not_come_live_is_asked_for() {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat_once("hello"));
    server.begin_turn();
    server.complete("completed");
    let request = server.expect("thread/turns/list");
    assert_eq!(request["params"]["threadId"], "t");
    let turns = json!([{ "id": "other", "items": [message("x", "no")] }, { "id": "u", "items": [message("m", "yes")] }]);
    server.reply(&request, json!({ "data": turns }));
    let result = caller.join().unwrap().unwrap();
    assert_eq!(result.final_text, "yes");
    assert_eq!(result.completion_source, Some(CompletionSource::ThreadReadFallback));
    assert_eq!(result.assistant_item_id.as_deref(), Some("m"));
}

#[test]
fn an_old_server_without_turn_lists_is_read_whole() {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat_once("hello"));
    server.begin_turn();
    server.complete("completed");
    let request = server.expect("thread/turns/list");
    server.refuse(&request, -32600, "Invalid request: unknown variant `thread/turns/list`");
    let request = server.expect("thread/read");
    assert_eq!(request["params"]["includeTurns"], true);
    server.reply(&request, json!({ "thread": { "turns": [{ "id": "u", "items": [message("m", "yes")] }] } }));
    assert_eq!(caller.join().unwrap().unwrap().final_text, "yes");
}

#[test]
fn chat_events_hands_out_everything_in_order() {
    let client = scripted(|| {
        TurnScript::new()
            .reasoning("hm")
            .command("ls", "out", 0)
            .retrying_error("again")
            .notify(
                "turn/plan/updated",
                json!({ "explanation": null, "plan": [{ "step": "a", "status": "pending" }] }),
            )
            .notify("turn/diff/updated", json!({ "diff": "+x" }))
            .notify("item/plan/delta", json!({ "itemId": "p", "delta": "plan" }))
            .notify("warning", json!({ "message": "careful", "turnId": null }))
            .notify("hook/started", json!({ "x": 1 }))
            .message("a b")
    });
    let mut names = Vec::new();
    for event in client.chat_events("hello").unwrap() {
        names.push(match event {
            TurnEvent::TextDelta { delta, .. } => format!("text {delta:?}"),
            TurnEvent::ReasoningDelta { delta, is_summary, .. } => format!("reasoning {delta} {is_summary}"),
            TurnEvent::PlanDelta { delta, .. } => format!("plan piece {delta}"),
            TurnEvent::CommandOutputDelta { delta, .. } => format!("output {delta}"),
            TurnEvent::ItemStarted(step) => format!("started {} {}", step.step_type, step.status),
            TurnEvent::Step(step) => format!("step {}", step.step_type),
            TurnEvent::Plan { plan, .. } => format!("plan {}", plan[0].step),
            TurnEvent::Diff { diff, .. } => format!("diff {diff}"),
            TurnEvent::TokenUsage(usage) => format!("tokens {}", usage.total.total_tokens),
            TurnEvent::Warning { message, .. } => format!("warning {message}"),
            TurnEvent::RetryingError { message, .. } => format!("retrying {message}"),
            TurnEvent::Other(event) => event.method().into_owned(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(
        names,
        [
            "turn/started",
            "started userMessage inProgress",
            "step userMessage",
            "reasoning hm true",
            "started thinking inProgress",
            "step thinking",
            "started exec inProgress",
            "output out",
            "step exec",
            "retrying again",
            "plan a",
            "diff +x",
            "plan piece plan",
            "warning careful",
            "hook/started",
            "started codex inProgress",
            "text \"a \"",
            "text \"b\"",
            "step codex",
            "tokens 15",
            "turn/completed",
        ]
    );
}

#[test]
fn chat_events_close_with_a_step_when_the_turn_fails() {
    let client = scripted(|| TurnScript::new().fail("no", Value::Null));
    let last = client.chat_events("hello").unwrap().last().unwrap();
    assert!(matches!(last, TurnEvent::Step(step) if step.is_error()), "no closing step");
}

#[test]
fn try_next_never_waits_and_is_ended_tells_nothing_yet_from_over() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    assert!(chat.try_next().is_none() && !chat.is_ended());
    server.message("m", "x");
    assert_eq!(chat.try_next().unwrap().text.as_deref(), Some("x"));
    assert!(chat.try_next().is_none() && !chat.is_ended());
    server.complete("completed");
    assert!(chat.try_next().is_none() && chat.is_ended());
}

#[test]
fn next_timeout_gives_up_after_its_time_and_the_chat_goes_on() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    assert!(chat.next_timeout(std::time::Duration::from_millis(20)).is_none() && !chat.is_ended());
    server.message("m", "x");
    assert!(chat.next_timeout(PATIENCE).is_some());
}

#[test]
fn events_that_come_before_the_reply_are_kept_for_the_turn() {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat("hello").unwrap().collect::<Vec<_>>());
    server.begin_thread();
    let request = server.expect("turn/start");
    server.started();
    server.message("m", "early");
    server.complete("completed");
    server.reply(&request, json!({ "turn": { "id": "u" } }));
    let steps = caller.join().unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].text.as_deref(), Some("early"));
}

#[test]
fn events_of_other_turns_and_threads_do_not_reach_a_chat() {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat("hello").unwrap().collect::<Vec<_>>());
    server.begin_turn();
    for (thread, turn) in [("t", "other"), ("other", "u"), ("other", "other")] {
        let item = json!({ "threadId": thread, "turnId": turn, "item": message("x", "no") });
        server.notify("item/completed", item);
        let turn = json!({ "id": turn, "status": "failed", "error": { "message": "no" } });
        server.notify("turn/completed", json!({ "threadId": thread, "turn": turn }));
    }
    server.message("m", "yes");
    server.complete("completed");
    let steps = caller.join().unwrap();
    assert_eq!(steps.iter().map(|step| step.text.as_deref().unwrap()).collect::<Vec<_>>(), ["yes"]);
}

#[test]
fn events_after_the_end_end_nothing_else() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    let first = spawn_with(&thread, |thread| thread.chat_once("one"));
    server.begin_turn_on("u");
    server.message("m", "one");
    server.complete("completed");
    first.join().unwrap().unwrap();
    let second = spawn(move || thread.chat_once("two"));
    server.begin_turn_on("v");
    server.message("late", "of the first");
    server.complete("completed");
    server.notify("item/completed", json!({ "threadId": "t", "turnId": "v", "item": message("n", "two") }));
    server.notify("turn/completed", json!({ "threadId": "t", "turn": { "id": "v", "status": "completed" } }));
    assert_eq!(second.join().unwrap().unwrap().final_text, "two");
    assert_eq!(client.stats().running_turns, 0);
}

#[test]
fn what_is_kept_for_a_turn_is_freed_when_it_ends_or_is_let_go() {
    let (client, mut server) = served();
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    for _ in 0..100 {
        server.delta("some text");
    }
    assert!(client.stats().kept_bytes > 10_000);
    assert!(events.try_next().is_some());
    assert_eq!(client.stats().kept_bytes, 0, "a batch is taken as a whole");
    server.delta("more");
    assert!(client.stats().kept_bytes > 0);
    drop(events);
    assert_eq!(client.stats().kept_bytes, 0);
    server.delta("for nobody");
    assert_eq!((client.stats().kept_bytes, client.stats().running_turns), (0, 1));
    server.complete("completed");
    assert_eq!(client.stats().running_turns, 0);
}

#[test]
fn a_chat_of_steps_keeps_no_deltas() {
    let (client, mut server) = served();
    let chat = chatting(&client, &mut server);
    for _ in 0..1000 {
        server.delta("some text");
    }
    assert_eq!(client.stats().kept_bytes, 0);
    drop(chat);
}

#[test]
fn what_is_said_and_set_reaches_the_server_as_the_protocol_names_it() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let request = ChatRequest::new(vec![InputItem::text("hello"), InputItem::remote_image_path("/x.png")])
        .thread_config(ThreadConfig::new().cwd("/w").model(Setting::Null).sandbox(SandboxMode::ReadOnly))
        .overrides(
            TurnOverrides::new().effort(ReasoningEffort::High).output_schema(json!({ "type": "object" })),
        )
        .user("me")
        .metadata(json!({ "a": 1 }));
    client.chat_once(request).unwrap();
    let sent = |method: &str| {
        let received = server.received();
        received.iter().find(|message| message["method"] == method).unwrap()["params"].clone()
    };
    assert_eq!(
        sent("thread/start"),
        json!({
            "cwd": "/w", "model": null, "sandbox": "read-only", "config": { "thread_unload_delay_secs": 0 },
        })
    );
    assert_eq!(
        sent("turn/start"),
        json!({
            "threadId": "thread-1",
            "input": [{ "type": "text", "text": "hello" }, { "type": "localImage", "path": "/x.png" }],
            "user": "me",
            "metadata": { "a": 1 },
            "effort": "high",
            "outputSchema": { "type": "object" },
        })
    );
}

#[test]
fn a_thread_of_others_is_resumed_once_and_one_of_our_own_never() {
    let server = ScriptedServer::new();
    let first = server.client().unwrap();
    let thread = first.start_thread(ThreadConfig::new()).unwrap();
    thread.chat_once("one").unwrap();
    let resumed = |count| {
        let received = server.received();
        let resumes: Vec<_> =
            received.iter().filter(|message| message["method"] == "thread/resume").collect();
        assert_eq!(resumes.len(), count);
        assert!(resumes.iter().all(|message| message["params"]["excludeTurns"] == true));
    };
    resumed(0);
    let second = server.client().unwrap();
    for _ in 0..2 {
        second.chat_once(ChatRequest::new("two").thread(thread.thread_id())).unwrap();
    }
    resumed(1);
}

#[test]
fn a_thread_that_was_unloaded_is_resumed_again() {
    let (client, mut server) = served();
    let thread = thread(&client, &mut server);
    server.notify("thread/closed", json!({ "threadId": "t" }));
    let caller = spawn(move || thread.chat("again").map(drop));
    let request = server.expect("thread/resume");
    server.reply(&request, json!({ "thread": { "id": "t" } }));
    server.begin_turn_on("u");
    caller.join().unwrap().unwrap();
}

#[test]
fn an_unknown_thread_is_told_by_the_turn_or_when_strict_by_the_resume() {
    let missing = || ChatRequest::new("hello").thread("missing");
    let server = ScriptedServer::new();
    let Err(Error::Rpc { method, code, message, .. }) = server.client().unwrap().chat_once(missing()) else {
        panic!()
    };
    assert_eq!((method.as_str(), code), ("turn/start", -32600));
    assert!(message.contains("thread not found"), "{message}");
    let strict = Client::builder().strict(true).connect(server).unwrap();
    let Err(Error::Rpc { method, .. }) = strict.chat_once(missing()) else { panic!() };
    assert_eq!(method, "thread/resume");
}

#[test]
fn arguments_that_can_not_work_are_refused_before_anything_is_sent() {
    let (client, mut server) = served();
    let invalid =
        |result: Result<Chat>| assert!(matches!(result, Err(Error::InvalidInput { .. })), "{result:?}");
    invalid(client.chat(""));
    invalid(client.chat("  \n"));
    invalid(client.chat(Vec::<InputItem>::new()));
    invalid(client.chat(ChatRequest::new("x").thread("")));
    invalid(client.chat(ChatRequest::new("x").thread_config(ThreadConfig::new().config(json!([])))));
    assert!(matches!(client.resume_thread("", ThreadConfig::new()), Err(Error::InvalidInput { .. })));
    assert!(server.is_quiet());
}

#[test]
fn a_reply_without_a_turn_id_is_an_error_that_keeps_the_text() {
    let (client, mut server) = served();
    let caller = spawn(move || client.chat("hello"));
    server.begin_thread();
    let request = server.expect("turn/start");
    server.reply(&request, json!({ "turn": { "status": "inProgress" } }));
    let Err(Error::Decode { raw, .. }) = caller.join().unwrap() else { panic!() };
    assert!(raw.contains("inProgress"));
}

#[test]
fn the_chat_keeps_the_connection_open() {
    let mut chat = ScriptedServer::new().client().unwrap().chat("hello").unwrap();
    assert_eq!(chat.by_ref().last().unwrap().text.as_deref(), Some("echo: hello"));
}

#[test]
fn two_hundred_turns_at_once_each_get_their_own() {
    let client = ScriptedServer::new().client().unwrap();
    let callers: Vec<_> = (0..200)
        .map(|number| spawn_with(&client, move |client| (number, client.chat_once(format!("turn {number}")))))
        .collect();
    for caller in callers {
        let (number, result) = caller.join().unwrap();
        assert_eq!(result.unwrap().final_text, format!("echo: turn {number}"));
    }
    assert_eq!((client.stats().running_turns, client.stats().kept_bytes), (0, 0));
}

#[test]
fn a_silent_turn_is_an_error_with_a_continuation() {
    let builder = Client::builder().inactivity_timeout(std::time::Duration::from_millis(50));
    let (client, mut server) = served_with(builder);
    let caller = spawn(move || client.chat_once("hello"));
    server.begin_turn();
    let error = caller.join().unwrap().unwrap_err();
    assert!(error.is_timeout());
    let Error::TurnInactive { continuation, idle, .. } = error else { panic!("{error}") };
    assert_eq!((continuation.thread_id.as_str(), continuation.turn_id.as_str()), ("t", "u"));
    assert!(idle >= std::time::Duration::from_millis(50));
}

#[test]
fn what_was_made_and_not_handed_out_is_kept_for_the_continuation() {
    let (client, mut server) = served();
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    let items = [message("m", "one"), message("n", "two")];
    let turn = json!({ "id": "u", "status": "completed", "items": items });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    assert!(matches!(events.try_next(), Some(TurnEvent::Step(step)) if step.text.as_deref() == Some("one")));
    let token = events.continuation();
    drop(events);
    let rest: Vec<_> = client.chat_events(token).unwrap().collect();
    assert!(matches!(&rest[0], TurnEvent::Step(step) if step.text.as_deref() == Some("two")));
    assert!(matches!(&rest[1], TurnEvent::Other(event) if event.method() == "turn/completed"));
    assert_eq!(rest.len(), 2);
}

#[test]
fn streams_of_different_kinds_are_selected_by_their_ready_channels() {
    let client =
        ScriptedServer::new().on_turn(|_| TurnScript::new().message("one").message("two")).client().unwrap();
    let mut notifications = client.notifications();
    let mut chat = client.chat("hello").unwrap();
    let (steps, all) = (chat.ready(), notifications.ready());
    let (mut said, mut methods) = (Vec::new(), Vec::new());
    while !chat.is_ended() {
        crossbeam_channel::select! {
            recv(steps) -> _ => said.extend(chat.try_next().map(|step| step.to_string())),
            recv(all) -> _ => methods.extend(notifications.try_next().map(|one| one.method().into_owned())),
            default(PATIENCE) => panic!("nothing came, after {said:?} and {methods:?}"),
        }
    }
    assert_eq!(said, ["userMessage: hello", "codex: one", "codex: two"]);
    // The streams go on independently.
    while !methods.iter().any(|method| method == "turn/completed") {
        methods.push(notifications.next_timeout(PATIENCE).unwrap().method().into_owned());
    }
    assert!(chat.ready().try_recv().is_err());
}
