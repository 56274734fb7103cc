//! The events of a turn's sub-agents: who gets them, and that they change nothing of the turn.
//!
//! Relies on `support/memory.rs`. Invariant: the ids are those that the real server sends for sub-agents.

use codex_blocking::{ChatEvents, ChatRequest, Client, Error, RawEvent, StepType, TurnEvent};
use serde_json::{Value, json};

use crate::support::memory::{Server, begun, message, served, served_with, spawn_with};

/// A running turn whose sub-agents are read too.
fn with_sub_agents(client: &Client, server: &mut Server) -> ChatEvents {
    begun(client, server, |client| client.chat_events(ChatRequest::new("hello").sub_agents(true)))
}

fn spawn_of(child: &str) -> Value {
    json!({ "type": "collabAgentToolCall", "id": "spawn", "tool": "spawnAgent", "status": "completed",
        "receiverThreadIds": [child] })
}

fn tell(server: &mut Server, thread_id: &str, method: &str, rest: Value) {
    let mut params = json!({ "threadId": thread_id, "turnId": format!("turn of {thread_id}") });
    params.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    server.notify(method, params);
}

fn tokens(total: i64) -> Value {
    let count = json!({ "totalTokens": total, "inputTokens": total, "cachedInputTokens": 0, "outputTokens": 0,
        "reasoningOutputTokens": 0 });
    json!({ "tokenUsage": { "total": count, "last": count } })
}

/// One line for each event, with the sub-agent before it.
fn lines(events: impl Iterator<Item = TurnEvent>) -> Vec<String> {
    fn line(event: &TurnEvent) -> String {
        match event {
            TurnEvent::SubAgent { thread_id, agent, event, .. } => {
                format!("[{thread_id} {}] {}", agent.as_deref().unwrap_or("-"), line(event))
            }
            TurnEvent::Step(step) => {
                format!("step {} {}", step.thread_id, step.text.as_deref().unwrap_or("-"))
            }
            TurnEvent::ItemStarted(step) => format!("started {} {}", step.turn_id, step.step_type),
            TurnEvent::TokenUsage(usage) => format!("tokens {}", usage.total.total_tokens),
            TurnEvent::TextDelta { delta, .. } => format!("delta {delta}"),
            TurnEvent::Other(raw) => raw.method().into_owned(),
            other => other.to_string(),
        }
    }
    events.map(|event| line(&event)).collect()
}

#[test]
fn the_events_of_a_sub_agent_come_as_its_own_and_change_nothing_of_the_turn() {
    let (client, mut server) = served();
    let request = || ChatRequest::new("hello").sub_agents(true).keep_raw_events(true).keep_steps(true);
    let mut events = begun(&client, &mut server, move |client| client.chat_events(request()));
    server.item(spawn_of("child"));
    let turn = json!({ "id": "turn of child", "rootTurnId": "u" });
    server.notify("turn/started", json!({ "threadId": "child", "turn": turn }));
    tell(&mut server, "child", "item/started", json!({ "item": message("m", "") }));
    tell(&mut server, "child", "item/agentMessage/delta", json!({ "itemId": "m", "delta": "hi" }));
    let answer = json!({ "type": "agentMessage", "id": "m", "text": "hi", "phase": "final_answer" });
    tell(&mut server, "child", "item/completed", json!({ "item": answer }));
    tell(&mut server, "child", "thread/tokenUsage/updated", tokens(1000));
    let failure = json!({ "error": { "message": "no more credits" }, "willRetry": false });
    tell(&mut server, "child", "error", failure);
    server.notify("thread/status/changed", json!({ "threadId": "child", "status": { "type": "idle" } }));
    server.notify("warning", json!({ "threadId": "child", "message": "careful" }));
    let turn =
        json!({ "id": "turn of child", "status": "failed", "error": { "message": "no more credits" } });
    server.notify("turn/completed", json!({ "threadId": "child", "turn": turn }));
    server.notify(
        "thread/tokenUsage/updated",
        json!({ "threadId": "t", "turnId": "u", "tokenUsage": tokens(5)["tokenUsage"] }),
    );
    server.message("n", "the answer");
    server.complete("completed");
    assert_eq!(
        lines(events.by_ref()),
        [
            "step t spawnAgent",
            "[child -] turn/started",
            "[child -] started turn of child codex",
            "[child -] delta hi",
            "[child -] step child hi",
            "[child -] tokens 1000",
            "[child -] error",
            "[child -] warning: careful",
            "[child -] turn/completed",
            "tokens 5",
            "step t the answer",
            "turn/completed",
        ]
    );
    let result = events.finish().unwrap();
    assert_eq!(result.final_text, "the answer");
    assert_eq!(result.usage.unwrap().total_tokens, 5);
    assert_eq!(result.steps.len(), 2);
    assert!(result.raw_events.iter().map(RawEvent::raw).all(|event| !event.contains("child\",\"turn")));
    assert_eq!(result.raw_events.len(), 4);
}

#[test]
fn without_being_asked_for_the_events_of_sub_agents_do_not_come() {
    let (client, mut server) = served();
    let raw = || ChatRequest::new("hello").keep_raw_events(true);
    let events = begun(&client, &mut server, move |client| client.chat_events(raw()));
    server.item(spawn_of("child"));
    tell(&mut server, "child", "item/completed", json!({ "item": message("m", "hi") }));
    server.complete("completed");
    assert_eq!(lines(events), ["step t spawnAgent", "turn/completed"]);
}

#[test]
fn a_chat_of_steps_yields_none_of_its_sub_agents() {
    let (client, mut server) = served();
    let request = || ChatRequest::new("hello").sub_agents(true);
    let chat = begun(&client, &mut server, move |client| client.chat(request()));
    server.item(spawn_of("child"));
    tell(&mut server, "child", "item/completed", json!({ "item": message("m", "hi") }));
    server.complete("completed");
    assert_eq!(chat.map(|step| step.step_type.to_string()).collect::<Vec<_>>(), ["collabAgentToolCall"]);
}

#[test]
fn a_sub_agent_is_known_by_the_turn_that_it_works_for_before_an_item_names_it() {
    let (client, mut server) = served();
    let events = with_sub_agents(&client, &mut server);
    for (child, root) in [("child", "u"), ("stranger", "another")] {
        let turn = json!({ "id": format!("turn of {child}"), "rootTurnId": root });
        server.notify("turn/started", json!({ "threadId": child, "turn": turn }));
        tell(&mut server, child, "item/agentMessage/delta", json!({ "itemId": "m", "delta": "hi" }));
    }
    server.complete("completed");
    assert_eq!(lines(events), ["[child -] turn/started", "[child -] delta hi", "turn/completed"]);
}

#[test]
fn sub_agents_have_the_names_that_activities_give_them() {
    let (client, mut server) = served();
    let events = with_sub_agents(&client, &mut server);
    let activity = |thread: &str, path: &str| {
        json!({ "type": "subAgentActivity", "id": path, "kind": "started", "agentThreadId": thread,
            "agentPath": path })
    };
    server.item(activity("child", "/root/kid"));
    tell(
        &mut server,
        "child",
        "item/completed",
        json!({ "item": activity("grandchild", "/root/kid/grand") }),
    );
    tell(&mut server, "grandchild", "item/agentMessage/delta", json!({ "itemId": "m", "delta": "hi" }));
    server.complete("completed");
    assert_eq!(
        lines(events),
        [
            "step t /root/kid",
            "[child /root/kid] step child /root/kid/grand",
            "[grandchild /root/kid/grand] delta hi",
            "turn/completed",
        ]
    );
}

#[test]
fn a_message_of_a_sub_agent_to_the_turns_own_thread_makes_no_sub_agent_of_it() {
    let (client, mut server) = served();
    let events = with_sub_agents(&client, &mut server);
    server.item(spawn_of("child"));
    let back = json!({ "type": "collabAgentToolCall", "id": "back", "tool": "sendMessage",
        "receiverThreadIds": ["t"] });
    tell(&mut server, "child", "item/completed", json!({ "item": back }));
    server.message("m", "hi");
    server.complete("completed");
    assert_eq!(
        lines(events),
        ["step t spawnAgent", "[child -] step child sendMessage", "step t hi", "turn/completed"]
    );
}

#[test]
fn a_sub_agent_that_goes_on_after_the_turn_reaches_nobody() {
    let (client, mut server) = served();
    let events = with_sub_agents(&client, &mut server);
    server.item(spawn_of("child"));
    server.complete("completed");
    let request = ChatRequest::new("next").thread("t").sub_agents(true);
    let next = spawn_with(&client, move |client: Client| client.chat_events(request));
    server.begin_turn_on("v");
    let next = next.join().unwrap().unwrap();
    tell(&mut server, "child", "item/completed", json!({ "item": message("m", "late") }));
    // The next turn waits for the sub-agent, whose events are its own from now on.
    let wait = json!({ "type": "collabAgentToolCall", "id": "wait", "tool": "wait", "receiverThreadIds": ["child"] });
    server.notify("item/started", json!({ "threadId": "t", "turnId": "v", "item": wait }));
    tell(&mut server, "child", "item/completed", json!({ "item": message("n", "in time") }));
    let turn = json!({ "id": "v", "status": "completed" });
    server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
    assert_eq!(lines(events), ["step t spawnAgent", "turn/completed"]);
    assert_eq!(
        lines(next),
        ["started v collabAgentToolCall", "[child -] step child in time", "turn/completed"]
    );
}

#[test]
fn a_continuation_goes_on_with_the_sub_agents() {
    let (client, mut server) = served();
    let mut events = with_sub_agents(&client, &mut server);
    server.item(spawn_of("child"));
    assert!(matches!(events.next(), Some(TurnEvent::Step(_))));
    tell(&mut server, "child", "item/agentMessage/delta", json!({ "itemId": "m", "delta": "one" }));
    let continuation = events.continuation();
    drop(events);
    tell(&mut server, "child", "item/agentMessage/delta", json!({ "itemId": "m", "delta": "two" }));
    let events = client.chat_events(&continuation).unwrap();
    tell(&mut server, "child", "item/agentMessage/delta", json!({ "itemId": "m", "delta": "three" }));
    server.complete("completed");
    assert_eq!(
        lines(events),
        ["[child -] delta one", "[child -] delta two", "[child -] delta three", "turn/completed"]
    );
    let error = client.chat_events(ChatRequest::from(&continuation).sub_agents(true)).unwrap_err();
    assert!(
        matches!(&error, Error::InvalidInput { .. }) && error.to_string().contains("sub_agents"),
        "{error}"
    );
}

#[test]
fn unread_events_of_sub_agents_count_towards_the_limit() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(1024 * 1024));
    let mut events = with_sub_agents(&client, &mut server);
    server.item(spawn_of("child"));
    let delta = "x".repeat(100_000);
    for _ in 0..20 {
        tell(&mut server, "child", "item/agentMessage/delta", json!({ "itemId": "m", "delta": delta }));
    }
    let last = events.by_ref().last().unwrap();
    assert!(matches!(last, TurnEvent::Step(step) if step.step_type == StepType::Error));
    assert!(matches!(events.error(), Some(Error::BufferFull { .. })), "{:?}", events.error());
}
