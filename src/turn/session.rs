//! Decides, event by event, what a step is, what the answer is, and when a turn has ended.
//!
//! Relies on `step`; has no threads, no clock and no I/O. Invariant: an item makes at most one step; only
//! `turn/completed` of this turn ends it; an event of an unexpected shape changes nothing.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::{
    ConversationStep,
    event_block::Event,
    kind::Kind,
    progress::TurnProgress,
    raw::{ItemText, params_of},
    result::token_usage_of,
    sub_agent::AgentNames,
};
use crate::{
    error::Error,
    protocol::{
        MessagePhase, ThreadTokenUsage as TokenUsage, TokenUsageBreakdown as TokenCount, wire::unix_seconds,
    },
};

/// About what an entry of a table costs besides its text.
const ENTRY: usize = 32;

/// How a turn ended, as the server reports it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TurnOutcome {
    Completed,
    Interrupted { turn: Value },
    Failed { message: String, info: Option<Value>, turn: Value },
}

impl TurnOutcome {
    /// That of a turn with this status and error.
    pub(super) fn of(status: Option<&str>, error: Option<TurnError>, turn: impl FnOnce() -> Value) -> Self {
        match status {
            Some("completed") => TurnOutcome::Completed,
            Some("interrupted") => TurnOutcome::Interrupted { turn: turn() },
            None if error.is_none() => TurnOutcome::Completed,
            status => {
                let unknown = || match status {
                    Some("failed") | None => "the server gave no reason".to_owned(),
                    Some(other) => format!("the turn ended with the unknown status `{other}`"),
                };
                let mut error = error.unwrap_or_default();
                let info = error.info.take();
                error.message.get_or_insert_with(unknown);
                TurnOutcome::Failed { message: error.described(), info, turn: turn() }
            }
        }
    }

    /// The error, unless the turn completed.
    fn error(&self, session: &Session) -> Option<Error> {
        let (thread_id, turn_id) = (session.thread_id.clone(), session.turn_id.clone());
        match self.clone() {
            TurnOutcome::Completed => None,
            TurnOutcome::Interrupted { turn } => Some(Error::TurnInterrupted {
                thread_id,
                turn_id,
                turn: Some(Box::new(turn)),
                progress: session.progress(),
            }),
            TurnOutcome::Failed { message, info, turn } => Some(Error::TurnFailed {
                thread_id,
                turn_id,
                message,
                info: info.map(Box::new),
                turn: Some(Box::new(turn)),
                progress: session.progress(),
                resets_at: None,
            }),
        }
    }
}

/// An agent message or a plan that may be the answer. Its text may be large and is decoded on demand, after
/// the end.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) item_id: String,
    pub(crate) phase: Option<MessagePhase>,
    pub(crate) is_plan: bool,
    item: ItemText,
}

impl Candidate {
    pub(crate) fn text(&self) -> String {
        ConversationStep::text_of(self.item.get()).unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        self.item_id.len() + self.item.bytes()
    }
}

/// The state of one turn, as seen by one reader.
#[derive(Debug)]
pub struct Session {
    pub(crate) thread_id: String,
    pub(crate) turn_id: String,
    /// Hashes of the ids and types of the items that have made a step, since ids may be of any length.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// The number of items of each type that arrived with their own ids.
    live: HashMap<String, usize>,
    /// Whether an item other than a message of the user has completed.
    has_worked: bool,
    /// What the entries of `live` cost.
    live_bytes: usize,
    final_answer: Option<Candidate>,
    /// The last message that is neither a final answer nor commentary.
    last_message: Option<Candidate>,
    last_plan: Option<Candidate>,
    /// The steps so far, if they are kept for the result.
    steps: Option<Vec<ConversationStep>>,
    /// What the kept steps cost.
    steps_bytes: usize,
    /// The thread's total before this turn.
    usage_before: Option<TokenCount>,
    pub(crate) token_usage: Option<TokenUsage>,
    pub(crate) started_at: Option<SystemTime>,
    pub(crate) completed_at: Option<SystemTime>,
    pub(crate) duration: Option<Duration>,
    /// The last `error` without a retry.
    failure: Option<TurnError>,
    /// What it costs.
    failure_bytes: usize,
    pub(crate) outcome: Option<TurnOutcome>,
    /// Whether the turn is known to have done nothing but to take the user's message.
    pub(super) did_nothing: bool,
    /// For a reader of events.
    pub(super) agents: AgentNames,
}

impl Session {
    pub(crate) fn new(thread_id: &str, turn_id: &str, usage_before: Option<TokenCount>) -> Self {
        Session {
            thread_id: thread_id.to_owned(),
            turn_id: turn_id.to_owned(),
            seen: HashSet::new(),
            hasher: RandomState::new(),
            live: HashMap::new(),
            has_worked: false,
            live_bytes: 0,
            final_answer: None,
            last_message: None,
            last_plan: None,
            steps: None,
            steps_bytes: 0,
            usage_before,
            token_usage: None,
            started_at: None,
            completed_at: None,
            duration: None,
            failure: None,
            failure_bytes: 0,
            outcome: None,
            did_nothing: false,
            agents: AgentNames::default(),
        }
    }

    /// Keeps the steps from now on.
    pub(super) fn keep_steps(&mut self) {
        self.steps.get_or_insert_default();
    }

    pub(super) fn take_steps(&mut self) -> Vec<ConversationStep> {
        self.steps.take().unwrap_or_default()
    }

    /// Whether no item but the user's messages has completed.
    pub(super) fn is_input_only(&self) -> bool {
        !self.has_worked
    }

    /// The answer so far. Commentary is none.
    pub(crate) fn answer(&self) -> Option<&Candidate> {
        self.final_answer.as_ref().or(self.last_message.as_ref()).or(self.last_plan.as_ref())
    }

    /// The tokens of this turn: the growth of the thread's total. A repeated report adds nothing.
    pub(crate) fn usage(&self) -> Option<TokenCount> {
        let reported = &self.token_usage.as_ref()?.total;
        Some(self.usage_before.as_ref().map_or_else(|| reported.clone(), |before| growth(before, reported)))
    }

    /// What an error of this turn carries.
    pub(super) fn progress(&self) -> TurnProgress {
        let steps = self.steps.clone().unwrap_or_default();
        TurnProgress::new(steps, self.usage()).and_did_nothing(self.did_nothing)
    }

    /// The session's bytes that grow with what the server sends.
    pub(super) fn bytes(&self) -> usize {
        let candidates = self.final_answer.iter().chain(&self.last_message).chain(&self.last_plan);
        let candidates: usize = candidates.map(Candidate::bytes).sum();
        self.seen.len() * ENTRY
            + self.live_bytes
            + self.steps_bytes
            + self.failure_bytes
            + self.agents.bytes()
            + candidates
    }

    /// The error, unless the turn completed.
    pub(crate) fn error(&self) -> Option<Error> {
        self.outcome.as_ref()?.error(self)
    }

    /// Processes one event, and appends the steps it makes. `data` returns the text of its item, to be kept.
    pub(super) fn observe(
        &mut self,
        event: &Event<'_>,
        data: impl FnOnce() -> ItemText,
        steps: &mut impl Extend<ConversationStep>,
    ) {
        let text = event.text;
        match event.kind {
            Kind::ItemCompleted => {
                if let Some(item) = event.body {
                    steps.extend(self.complete_item(item, data));
                }
            }
            Kind::TurnCompleted => {
                #[derive(Deserialize)]
                struct TurnCompleted<'a> {
                    #[serde(borrow)]
                    turn: &'a RawValue,
                }
                if let Ok(TurnCompleted { turn }) = params_of(text) {
                    self.complete_turn(turn, steps);
                }
            }
            Kind::TokenUsage => {
                if let Some(usage) = token_usage_of(text) {
                    // Unless the total before the turn is known, the first report tells it: `last` is what
                    // one call of the model used.
                    let before = self.usage_before.get_or_insert_with(|| growth(&usage.last, &usage.total));
                    if usage.total.total_tokens < before.total_tokens {
                        // Turns were taken away, or the server counts anew.
                        *before = growth(&usage.last, &usage.total);
                    }
                    self.token_usage = Some(usage);
                }
            }
            Kind::Error => {
                if let Ok(ErrorNotice { error, will_retry: None | Some(false) }) = params_of(text) {
                    self.failure_bytes = text.len();
                    self.failure = Some(error);
                }
            }
            _ => {}
        }
    }

    /// Processes a completed item, from an event or from the server's store. `None` if it is known, or not an
    /// item.
    pub(super) fn complete_item(
        &mut self,
        item: &str,
        data: impl FnOnce() -> ItemText,
    ) -> Option<ConversationStep> {
        let (step, phase) = ConversationStep::of_item(&self.thread_id, &self.turn_id, item, data)?;
        let (item_id, item_type) = (step.item_id.as_deref()?, step.item_type.as_deref()?);
        // All plans of a turn have one id.
        let plan = step.text.as_deref().filter(|_| item_type == "plan");
        if !self.seen.insert(self.hasher.hash_one((item_id, item_type, plan))) {
            return None;
        }
        self.has_worked |= item_type != "userMessage";
        if !is_stored_id(item_id) {
            match self.live.get_mut(item_type) {
                Some(count) => *count += 1,
                None => {
                    self.live_bytes += item_type.len() + 2 * ENTRY;
                    self.live.insert(item_type.to_owned(), 1);
                }
            }
        }
        if matches!(item_type, "agentMessage" | "plan") && step.text.is_some() {
            let phase = phase.map(MessagePhase::from);
            let is_plan = item_type == "plan";
            let place = match phase {
                _ if is_plan => Some(&mut self.last_plan),
                Some(MessagePhase::FinalAnswer) => Some(&mut self.final_answer),
                Some(MessagePhase::Commentary) => None,
                _ => Some(&mut self.last_message),
            };
            if let Some(place) = place {
                let item_id = item_id.to_owned();
                *place = Some(Candidate { item_id, phase, is_plan, item: step.item_text() });
            }
        }
        if let Some(steps) = &mut self.steps {
            self.steps_bytes += step.bytes();
            steps.push(step.clone());
        }
        Some(step)
    }

    /// Processes items from the server's store. Those that arrived as events are recognized by their ids or,
    /// if the store has its own ids, by their position among the items of their type.
    fn complete_stored(&mut self, items: Vec<&RawValue>, steps: &mut impl Extend<ConversationStep>) {
        let mut live = self.live.clone();
        for item in items {
            #[derive(Deserialize)]
            struct StoredHead {
                id: String,
                r#type: String,
            }
            let Ok(StoredHead { id, r#type }) = serde_json::from_str(item.get()) else { continue };
            if is_stored_id(&id) {
                if let Some(left) = live.get_mut(&r#type).filter(|left| **left > 0) {
                    *left -= 1;
                    continue;
                }
            }
            steps.extend(self.complete_item(item.get(), || ItemText::Own(item.get().into())));
        }
    }

    /// Processes the terminal event. It contains items that arrived before, or some of them.
    pub(crate) fn complete_turn(&mut self, turn: &RawValue, steps: &mut impl Extend<ConversationStep>) {
        let tree = || serde_json::from_str(turn.get()).unwrap_or_else(|_| Value::from(turn.get()));
        let TerminalTurn { status, error, items, started_at, completed_at, duration_ms, .. } =
            TerminalTurn::of(turn.get());
        self.started_at = started_at.and_then(unix_seconds::moment).or(self.started_at);
        self.completed_at = completed_at.and_then(unix_seconds::moment).or(self.completed_at);
        self.duration = duration_ms.map(Duration::from_millis).or(self.duration);
        self.complete_stored(items.unwrap_or_default(), steps);
        let error = error.or_else(|| self.failure.take());
        self.outcome = Some(TurnOutcome::of(status.as_deref(), error, tree));
    }
}

/// How much a count has grown. A count that has become smaller has not grown.
fn growth(before: &TokenCount, now: &TokenCount) -> TokenCount {
    let grown = |before: i64, now: i64| now.saturating_sub(before).max(0);
    TokenCount {
        total_tokens: grown(before.total_tokens, now.total_tokens),
        input_tokens: grown(before.input_tokens, now.input_tokens),
        cached_input_tokens: grown(before.cached_input_tokens, now.cached_input_tokens),
        cache_write_input_tokens: now
            .cache_write_input_tokens
            .map(|now| grown(before.cache_write_input_tokens.unwrap_or_default(), now)),
        output_tokens: grown(before.output_tokens, now.output_tokens),
        reasoning_output_tokens: grown(before.reasoning_output_tokens, now.reasoning_output_tokens),
    }
}

/// Old servers store items under their own ids: `item-1`, `item-2`, …
fn is_stored_id(id: &str) -> bool {
    id.strip_prefix("item-").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The relevant parts of a `TurnError`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct TurnError {
    #[serde(default, deserialize_with = "text")]
    message: Option<String>,
    #[serde(default, rename = "codexErrorInfo", deserialize_with = "tree")]
    info: Option<Value>,
    #[serde(default, rename = "additionalDetails", deserialize_with = "text")]
    details: Option<String>,
}

impl TurnError {
    /// The message, with the details that it lacks.
    pub(super) fn described(self) -> String {
        let message = self.message.unwrap_or_default();
        match self.details {
            Some(details) if !message.contains(&details) => format!("{message} ({details})"),
            _ => message,
        }
    }
}

/// The relevant parts of the turn in `turn/completed`, each absent if it has an unexpected shape.
#[derive(Default, Deserialize)]
pub(super) struct TerminalTurn<'a> {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) error: Option<TurnError>,
    #[serde(default, borrow, deserialize_with = "lenient")]
    items: Option<Vec<&'a RawValue>>,
    #[serde(default, rename = "startedAt", deserialize_with = "lenient")]
    started_at: Option<u64>,
    #[serde(default, rename = "completedAt", deserialize_with = "lenient")]
    completed_at: Option<u64>,
    #[serde(default, rename = "durationMs", deserialize_with = "lenient")]
    duration_ms: Option<u64>,
}

impl<'a> TerminalTurn<'a> {
    pub(super) fn of(turn: &'a str) -> Self {
        serde_json::from_str(turn).unwrap_or_default()
    }
}

/// The parameters of `error`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorNotice {
    pub(super) error: TurnError,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) will_retry: Option<bool>,
}

/// A value, or `None` if it has another type: only the affected part is lost.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = <&'de RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// A value, or its text if no tree can hold it: nested too deep, a number too large.
fn tree<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let raw = <&'de RawValue>::deserialize(deserializer)?;
    let value = serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::from(raw.get()));
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// A string, or the text of any other value.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(tree(deserializer)?.map(|value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    }))
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session() -> Session {
        Session::new("t", "u", None)
    }

    fn observe(session: &mut Session, kind: Kind, params: &Value) -> Vec<ConversationStep> {
        let mut steps = Vec::new();
        let text = json!({"method": "m", "params": params}).to_string();
        let item = params.get("item").map(Value::to_string);
        let event = Event { kind, text: &text, item_id: None, body: item.as_deref(), owner: None };
        let data = || ItemText::Own(item.as_deref().unwrap_or_default().into());
        session.observe(&event, data, &mut steps);
        steps
    }

    fn item(session: &mut Session, item: Value) -> Vec<ConversationStep> {
        observe(session, Kind::ItemCompleted, &json!({ "item": item }))
    }

    fn end(session: &mut Session, turn: Value) {
        observe(session, Kind::TurnCompleted, &json!({ "turn": turn }));
    }

    #[test]
    fn an_item_gives_one_step_however_often_it_completes() {
        let mut session = session();
        let message = json!({"type": "agentMessage", "id": "a", "text": "x"});
        assert_eq!(item(&mut session, message.clone()).len(), 1);
        assert_eq!(item(&mut session, message).len(), 0);
        // Old servers give both items of a review the turn's id; their types differ.
        assert_eq!(item(&mut session, json!({"type": "plan", "id": "a", "text": "x"})).len(), 1);
    }

    #[test]
    fn the_final_answer_outweighs_later_commentary() {
        let mut session = session();
        item(
            &mut session,
            json!({"type": "agentMessage", "id": "a", "text": "the answer", "phase": "final_answer"}),
        );
        item(
            &mut session,
            json!({"type": "agentMessage", "id": "b", "text": "by the way", "phase": "commentary"}),
        );
        assert_eq!(session.answer().unwrap().text(), "the answer");
    }

    #[test]
    fn without_a_final_answer_the_last_message_is_the_answer() {
        let mut session = session();
        for (id, text) in [("a", "one"), ("b", "two")] {
            item(&mut session, json!({"type": "agentMessage", "id": id, "text": text, "phase": null}));
        }
        assert_eq!(session.answer().unwrap().item_id, "b");
    }

    #[test]
    fn the_items_of_the_completed_turn_fill_in_for_those_that_did_not_come() {
        let mut session = session();
        let turn =
            json!({"status": "completed", "items": [{"type": "agentMessage", "id": "a", "text": "x"}]});
        let steps = observe(&mut session, Kind::TurnCompleted, &json!({ "turn": turn }));
        assert_eq!(steps.len(), 1);
        assert_eq!(session.answer().unwrap().text(), "x");
        assert_eq!(session.outcome, Some(TurnOutcome::Completed));
    }

    #[test]
    fn stored_items_with_ids_of_their_own_are_not_taken_for_new_ones() {
        let mut session = session();
        item(&mut session, json!({"type": "userMessage", "id": "x"}));
        item(&mut session, json!({"type": "agentMessage", "id": "y", "text": "one"}));
        let stored = json!([
            {"type": "userMessage", "id": "item-1"},
            {"type": "agentMessage", "id": "item-2", "text": "one"},
            {"type": "agentMessage", "id": "item-3", "text": "two"},
        ]);
        let turn = json!({"status": "completed", "items": stored});
        let steps = observe(&mut session, Kind::TurnCompleted, &json!({ "turn": turn }));
        let texts: Vec<_> = steps.iter().map(|step| step.text.as_deref()).collect();
        assert_eq!(texts, [Some("two")]);
    }

    #[test]
    fn a_failure_carries_the_servers_words_and_info() {
        let mut session = session();
        end(&mut session, json!({"status": "failed", "error": {"message": "no", "codexErrorInfo": "other"}}));
        let Some(TurnOutcome::Failed { message, info, .. }) = session.outcome else { unreachable!() };
        assert_eq!((message.as_str(), info), ("no", Some(json!("other"))));
    }

    #[test]
    fn a_failure_without_words_takes_those_of_the_last_error_that_is_not_retried() {
        let mut session = session();
        observe(&mut session, Kind::Error, &json!({"error": {"message": "gave up"}, "willRetry": false}));
        observe(&mut session, Kind::Error, &json!({"error": {"message": "again"}, "willRetry": true}));
        end(&mut session, json!({"status": "failed", "error": null}));
        assert!(matches!(session.outcome, Some(TurnOutcome::Failed { message, .. }) if message == "gave up"));
    }

    #[test]
    fn a_failure_keeps_its_message_whatever_stands_beside_it() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for strange in [deep.as_str(), "1e999", "null", "7", r#"{"a":1,"a":2}"#] {
            let error =
                format!(r#"{{"message":"no","codexErrorInfo":{strange},"additionalDetails":{strange}}}"#);
            let turn = format!(r#"{{"status":"failed","error":{error},"x":{strange}}}"#);
            let mut in_the_turn = session();
            in_the_turn.complete_turn(serde_json::from_str(&turn).unwrap(), &mut Vec::new());
            let mut before_it = session();
            let text = format!(r#"{{"method":"error","params":{{"error":{error},"willRetry":{strange}}}}}"#);
            let event = Event { kind: Kind::Error, text: &text, item_id: None, body: None, owner: None };
            before_it.observe(&event, || ItemText::Own("".into()), &mut Vec::new());
            before_it.complete_turn(serde_json::from_str(r#"{"status":"failed"}"#).unwrap(), &mut Vec::new());
            for session in [in_the_turn, before_it] {
                let Some(TurnOutcome::Failed { message, info, .. }) = session.outcome else { unreachable!() };
                assert!(message.starts_with("no"), "{message}");
                assert_eq!(info.is_none(), strange == "null");
            }
        }
    }

    #[test]
    fn an_unknown_status_is_a_failure_that_names_it() {
        let mut session = session();
        end(&mut session, json!({"status": "evaporated"}));
        let Some(TurnOutcome::Failed { message, .. }) = session.outcome else { unreachable!() };
        assert!(message.contains("evaporated"), "{message}");
    }

    #[test]
    fn what_has_the_wrong_shape_changes_nothing() {
        let mut session = session();
        for (kind, params) in [
            (Kind::ItemCompleted, json!({})),
            (Kind::ItemCompleted, json!({"item": 7})),
            (Kind::ItemCompleted, json!({"item": {"type": "agentMessage"}})),
            (Kind::ItemCompleted, json!({"item": {"id": "a", "type": 1}})),
            (Kind::TokenUsage, json!({"tokenUsage": "many"})),
            (Kind::Error, json!([])),
            (Kind::TurnCompleted, json!("over")),
        ] {
            assert!(observe(&mut session, kind, &params).is_empty(), "{params}");
        }
        assert!(session.outcome.is_none() && session.answer().is_none());
        // A message without a text is a step without text, and not an answer.
        assert_eq!(item(&mut session, json!({"type": "agentMessage", "id": "a"})).len(), 1);
        assert!(session.answer().is_none());
    }

    #[test]
    fn a_completed_turn_of_the_wrong_shape_still_ends_it() {
        let mut session = session();
        end(&mut session, json!({"status": "completed", "items": {"not": "a list"}, "error": 5}));
        assert_eq!(session.outcome, Some(TurnOutcome::Completed));
    }
}
