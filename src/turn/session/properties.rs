//! Properties of a session for any events, in any order, any number of times.

use std::collections::HashSet;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use super::*;

/// An item as the server tells it.
#[derive(Debug, Clone)]
struct Told {
    id: &'static str,
    item_type: &'static str,
    phase: Option<&'static str>,
    text: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum SessionEvent {
    Item(Told),
    Error {
        message: &'static str,
        will_retry: bool,
    },
    TokenUsage(u64),
    End {
        status: Option<&'static str>,
        error: Option<&'static str>,
        items: Vec<Told>,
    },
    /// Events that don't concern a session, although they resemble those that do.
    Other(Kind),
}

impl Told {
    fn json(&self) -> Value {
        let Told { id, item_type, phase, text } = self;
        json!({ "id": id, "type": item_type, "phase": phase, "text": text })
    }
}

impl SessionEvent {
    fn kind(&self) -> Kind {
        match self {
            SessionEvent::Item(_) => Kind::ItemCompleted,
            SessionEvent::Error { .. } => Kind::Error,
            SessionEvent::TokenUsage(_) => Kind::TokenUsage,
            SessionEvent::End { .. } => Kind::TurnCompleted,
            SessionEvent::Other(kind) => *kind,
        }
    }

    fn params(&self) -> Value {
        match self {
            SessionEvent::Item(item) => json!({ "item": item.json() }),
            SessionEvent::Error { message, will_retry } => {
                json!({ "error": { "message": message }, "willRetry": will_retry })
            }
            SessionEvent::TokenUsage(tokens) => {
                let count = json!({ "totalTokens": tokens });
                json!({ "tokenUsage": { "total": count, "last": count } })
            }
            SessionEvent::End { status, error, items } => {
                let items: Vec<_> = items.iter().map(Told::json).collect();
                let error = error.map(|message| json!({ "message": message }));
                json!({ "turn": { "id": "u", "status": status, "error": error, "items": items } })
            }
            SessionEvent::Other(_) => {
                json!({ "turn": { "status": "failed" }, "item": { "id": "x", "type": "agentMessage", "text": "x" } })
            }
        }
    }
}

fn told(ids: &'static [&'static str]) -> impl Strategy<Value = Told> {
    (
        select(ids),
        select(vec!["agentMessage", "agentMessage", "plan", "somethingNew"]),
        select(vec![None, Some("commentary"), Some("final_answer"), Some("new")]),
        prop::option::weighted(0.8, select(vec!["x", "y", "z"])),
    )
        .prop_map(|(id, item_type, phase, text)| Told { id, item_type, phase, text })
}

/// `live` and `stored` are the ids that items have when they come, and in the turn that ends.
fn event(
    live: &'static [&'static str],
    stored: &'static [&'static str],
) -> impl Strategy<Value = SessionEvent> {
    let status = select(vec![None, Some("completed"), Some("interrupted"), Some("failed"), Some("new")]);
    let error = prop::option::of(select(vec!["p", "q"]));
    let items = vec(told(stored), 0..4);
    prop_oneof![
        8 => told(live).prop_map(SessionEvent::Item),
        2 => (select(vec!["e", "f"]), any::<bool>())
            .prop_map(|(message, will_retry)| SessionEvent::Error { message, will_retry }),
        1 => (0..9u64).prop_map(SessionEvent::TokenUsage),
        1 => (status, error, items).prop_map(|(status, error, items)| SessionEvent::End { status, error, items }),
        1 => select(vec![Kind::ItemStarted, Kind::TurnStarted, Kind::TextDelta, Kind::Other])
            .prop_map(SessionEvent::Other),
    ]
}

const LIVE: &[&str] = &["a", "b", "c", "d"];
const BOTH: &[&str] = &["a", "b", "c", "item-1", "item-2", "item-3"];

/// Feeds it all; gives the steps that each event made.
fn feed(session: &mut Session, events: &[SessionEvent]) -> Vec<Vec<ConversationStep>> {
    let feed_one = |event: &SessionEvent| {
        let mut steps = Vec::new();
        let text = json!({ "method": "m", "params": event.params() }).to_string();
        let item = event.params().get("item").map(Value::to_string);
        let event = super::Event {
            kind: event.kind(),
            text: &text,
            item_id: None,
            body: item.as_deref(),
            owner: None,
        };
        let data = || ItemText::Own(item.as_deref().unwrap_or_default().into());
        session.observe(&event, data, &mut steps);
        steps
    };
    events.iter().map(feed_one).collect()
}

/// What tells items apart: plans also by their text.
fn identity(item: &Told) -> (&'static str, &'static str, Option<&'static str>) {
    (item.id, item.item_type, item.text.filter(|_| item.item_type == "plan"))
}

fn items_of(event: &SessionEvent) -> &[Told] {
    match event {
        SessionEvent::Item(item) => std::slice::from_ref(item),
        SessionEvent::End { items, .. } => items,
        _ => &[],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_item_makes_a_step_when_it_comes_for_the_first_time(events in vec(event(LIVE, LIVE), 0..30)) {
        let made = feed(&mut Session::new("t", "u", None), &events);
        let mut known = HashSet::new();
        for (event, steps) in events.iter().zip(made) {
            let first: Vec<_> =
                items_of(event).iter().filter(|item| known.insert(identity(item))).collect();
            prop_assert_eq!(steps.len(), first.len());
            for (item, step) in first.into_iter().zip(steps) {
                prop_assert_eq!(step.item_id.as_deref(), Some(item.id));
                prop_assert_eq!(step.item_type.as_deref(), Some(item.item_type));
                prop_assert_eq!(step.text.as_deref(), item.text);
            }
        }
    }

    #[test]
    fn no_item_makes_two_steps_also_where_the_store_has_ids_of_its_own(
        events in vec(event(BOTH, BOTH), 0..30),
    ) {
        let mut made = HashSet::new();
        for step in feed(&mut Session::new("t", "u", None), &events).into_iter().flatten() {
            let text = step.text.clone().filter(|_| step.item_type.as_deref() == Some("plan"));
            prop_assert!(made.insert((step.item_id.clone(), step.item_type.clone(), text)), "{step:?}");
        }
    }

    #[test]
    fn a_store_with_ids_of_its_own_adds_the_items_that_did_not_come(
        items in vec(told(LIVE), 0..10),
        missing in 0..4usize,
    ) {
        let mut session = Session::new("t", "u", None);
        let live: Vec<_> = feed(&mut session, &items.into_iter().map(SessionEvent::Item).collect::<Vec<_>>())
            .into_iter()
            .flatten()
            .collect();
        let came = live.iter().filter(|step| step.item_type.as_deref() == Some("plan")).count();
        let stored: Vec<_> = (1..=came + missing)
            .map(|number| json!({ "id": format!("item-{number}"), "type": "plan", "text": "x" }))
            .collect();
        let turn = json!({ "status": "completed", "items": stored }).to_string();
        let mut steps = Vec::new();
        session.complete_turn(serde_json::from_str(&turn).unwrap(), &mut steps);
        let ids: Vec<_> = steps.into_iter().filter_map(|step| step.item_id).collect();
        let expected: Vec<_> = (came + 1..=came + missing).map(|number| format!("item-{number}")).collect();
        prop_assert_eq!(ids, expected);
    }

    #[test]
    fn the_answer_is_the_last_final_answer_else_the_last_message_else_the_last_plan(events in vec(event(LIVE, LIVE), 0..30)) {
        let mut session = Session::new("t", "u", None);
        feed(&mut session, &events);
        let mut known = HashSet::new();
        let items: Vec<_> = events
            .iter()
            .flat_map(items_of)
            .filter(|item| known.insert(identity(item)) && item.text.is_some())
            .collect();
        let is_message = |item: &Told| item.item_type == "agentMessage";
        let last = |is_it: &dyn Fn(&Told) -> bool| items.iter().rfind(|item| is_it(item)).copied();
        let answer = last(&|item| is_message(item) && item.phase == Some("final_answer"))
            .or_else(|| last(&|item| is_message(item) && item.phase != Some("commentary")))
            .or_else(|| last(&|item| item.item_type == "plan"))
            .map(|item| (item.id, item.text));
        let found = session.answer().map(|message| (message.item_id.as_str(), message.text()));
        prop_assert_eq!(found, answer.map(|(id, text)| (id, text.unwrap_or_default().to_owned())));
    }

    #[test]
    fn only_the_completed_turn_gives_an_outcome_and_the_tokens_are_the_last_ones(
        events in vec(event(LIVE, LIVE), 0..30),
    ) {
        let mut session = Session::new("t", "u", None);
        let mut failure = None;
        let mut tokens = None;
        for event in &events {
            let before = session.outcome.clone();
            feed(&mut session, std::slice::from_ref(event));
            match event {
                SessionEvent::Error { message, will_retry: false } => failure = Some(*message),
                SessionEvent::TokenUsage(count) => tokens = Some(*count),
                _ => {}
            }
            let SessionEvent::End { status, error, .. } = event else {
                prop_assert_eq!(&session.outcome, &before);
                continue;
            };
            // The turn's own error takes precedence over the last `error` event, which counts once.
            let words = error.or_else(|| failure.take());
            match (status, session.outcome.clone()) {
                (Some("completed"), Some(TurnOutcome::Completed)) => {}
                (Some("interrupted"), Some(TurnOutcome::Interrupted { .. })) => {}
                (None, Some(TurnOutcome::Completed)) => prop_assert_eq!(words, None),
                (Some("failed" | "new") | None, Some(TurnOutcome::Failed { message, .. })) => match words {
                    Some(words) => prop_assert_eq!(message, words),
                    None if *status == Some("new") => prop_assert!(message.contains("`new`"), "{message}"),
                    None => prop_assert_eq!(message, "the server gave no reason"),
                },
                (status, outcome) => prop_assert!(false, "{status:?} gave {outcome:?}"),
            }
        }
        prop_assert_eq!(session.token_usage.map(|usage| usage.total.total_tokens), tokens.map(|count| count as _));
    }
}
