//! A running turn: which of its items are printed for good, and which are still drawn.
//!
//! Relies on `render` and on the crate's `Transcript`. Invariant: each line is printed once; texts are printed line
//! by line while they grow, everything else once it is complete.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use codex_blocking::{
    Error, StepStatus, StepType, Transcript, TranscriptItem, TurnEvent, protocol::ThreadItem,
};

use crate::{
    render::{self, Prose, Writer, tokens},
    text::{Line, Row, Style},
};

/// How many lines of a running command's output are drawn.
const TAIL: usize = 3;

pub struct View {
    transcript: Transcript,
    /// Of each item.
    shown: Vec<Shown>,
    since: Instant,
    /// The items that the user was asked about.
    seen: HashSet<String>,
}

/// How much of an item is printed.
struct Shown {
    since: Instant,
    took: Option<Duration>,
    state: State,
}

enum State {
    Waiting,
    /// A text, and what of it is printed.
    Partly(Writer, String),
    Done,
}

impl View {
    pub fn new() -> View {
        View {
            transcript: Transcript::default(),
            shown: Vec::new(),
            since: Instant::now(),
            seen: HashSet::new(),
        }
    }

    pub fn apply(&mut self, event: &TurnEvent) {
        self.transcript.apply(event);
        let new = self.transcript.items().len() - self.shown.len();
        self.shown.extend((0..new).map(|_| Shown::new()));
        // A `TranscriptItem` doesn't have it.
        if let TurnEvent::Step(step) = event {
            if let Some(ThreadItem::CommandExecution(command)) = step.item() {
                let took = command.duration_ms.and_then(|took| u64::try_from(took).ok());
                let items = self.transcript.items().iter().zip(&mut self.shown);
                for (item, shown) in items.filter(|(item, _)| Some(&item.id) == step.item_id.as_ref()) {
                    shown.took = Some(took.map_or_else(|| shown.since.elapsed(), Duration::from_millis));
                    debug_assert_eq!(item.kind, StepType::Exec);
                }
            }
        }
    }

    /// The user is asked about this item, and sees what it is.
    pub fn has_seen(&mut self, item_id: &str) {
        self.seen.insert(item_id.to_owned());
    }

    /// How long the turn runs.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Takes the lines that won't change any more.
    ///
    /// A warning is printed unless it was `told` in an earlier turn.
    pub fn take_done(&mut self, told: &mut HashSet<String>) -> Vec<Line> {
        let mut lines = Vec::new();
        let items = self.transcript.items();
        let last_prose = items.iter().rposition(|item| Prose::of(&item.kind).is_some());
        for (at, (item, shown)) in items.iter().zip(&mut self.shown).enumerate() {
            // The model has begun anew: what it left is not completed.
            let is_left = last_prose.is_some_and(|last| at < last);
            let is_complete = item.status != StepStatus::InProgress;
            match Prose::of(&item.kind) {
                Some(prose) => shown.write(item, prose, is_complete, is_left, &mut lines),
                None if is_complete && !matches!(shown.state, State::Done) => {
                    shown.state = State::Done;
                    // The user has said no.
                    let is_refused = item.status == StepStatus::Declined && self.seen.contains(&item.id);
                    if !is_prompt(item) && !is_refused {
                        lines.push(Line::new());
                        lines.extend(render::item(item, shown.took, self.seen.contains(&item.id)));
                    }
                }
                None => {}
            }
        }
        let warnings = self.transcript.turns().last().map_or(&[][..], |turn| &turn.warnings);
        for warning in warnings.iter().filter(|warning| told.insert((*warning).clone())) {
            lines.push(Line::new());
            lines.push(Line::of(Style::Warn, "! ").and(Style::Plain, warning).hang(2));
        }
        lines
    }

    /// The last rows of what is still in progress, in a window of this width.
    pub fn in_progress(&self, width: usize, rows: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        for (item, shown) in self.transcript.items().iter().zip(&self.shown) {
            match &shown.state {
                State::Partly(writer, printed) if item.status == StepStatus::InProgress => {
                    let rest = item.text.strip_prefix(printed.as_str()).unwrap_or_default();
                    if !rest.is_empty() {
                        lines.extend(writer.clone().lines(rest));
                    }
                }
                State::Waiting if item.status == StepStatus::InProgress => match item.kind {
                    StepType::Exec => {
                        lines.push(Line::new());
                        lines.extend(render::command_line(&item.text));
                        let output = crate::text::clean(item.output.as_deref().unwrap_or_default());
                        let output: Vec<&str> = output.trim_end().lines().collect();
                        let tail = &output[output.len().saturating_sub(TAIL)..];
                        lines.extend(tail.iter().map(|line| Line::of(Style::Dim, format!("│ {line}")).cut()));
                    }
                    StepType::Tool => {
                        lines.push(Line::new());
                        lines.extend(render::item(item, None, true));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        let shown: Vec<Row> = lines.iter().flat_map(|line| line.rows(Some(width))).collect();
        shown.into_iter().rev().take(rows).rev().map(Line::of_row).collect()
    }

    /// What the turn waits for, if the server tells it.
    pub fn notice(&self) -> Option<&str> {
        self.transcript.turns().last()?.notice.as_deref()
    }

    /// How the turn has ended.
    pub fn ending(&self, error: Option<&Error>) -> Line {
        let turn = self.transcript.turns().last();
        let took = render::duration(self.elapsed());
        match error {
            Some(Error::TurnInterrupted { .. }) => Line::of(Style::Warn, format!("interrupted after {took}")),
            Some(error) => {
                let message = match error {
                    Error::TurnFailed { message, .. } => message.clone(),
                    error => error.to_string(),
                };
                Line::of(Style::Bad, "✗ ").and(Style::Plain, message).hang(2)
            }
            None => {
                let usage = turn.and_then(|turn| turn.token_usage.as_ref());
                let usage = usage.map_or_else(String::new, |usage| {
                    let last = &usage.last;
                    format!(" · {} in, {} out", tokens(last.input_tokens), tokens(last.output_tokens))
                });
                Line::of(Style::Dim, format!("{took}{usage}"))
            }
        }
    }
}

fn is_prompt(item: &TranscriptItem) -> bool {
    item.kind.as_str() == "userMessage"
}

impl Shown {
    fn new() -> Shown {
        Shown { since: Instant::now(), took: None, state: State::Waiting }
    }

    /// Prints what is new of a text: whole lines, and all of it once it is complete.
    fn write(
        &mut self,
        item: &TranscriptItem,
        prose: Prose,
        complete: bool,
        left: bool,
        lines: &mut Vec<Line>,
    ) {
        if matches!(self.state, State::Waiting) && !item.text.is_empty() {
            self.state = State::Partly(Writer::new(prose), String::new());
            lines.push(Line::new());
            lines.extend(prose.heading());
        }
        let is_over = complete || left;
        if let State::Partly(writer, printed) = &mut self.state {
            // The complete text may be another one than its deltas.
            let rest = match item.text.strip_prefix(printed.as_str()) {
                Some(rest) => rest,
                None => {
                    *writer = Writer::new(prose);
                    printed.clear();
                    lines.push(Line::new());
                    &item.text
                }
            };
            let end = if is_over { rest.len() } else { rest.rfind('\n').map_or(0, |at| at + 1) };
            if end > 0 {
                lines.extend(writer.lines(&rest[..end]));
                printed.push_str(&rest[..end]);
            }
        }
        if is_over {
            self.state = State::Done;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(json: Value) -> TurnEvent {
        serde_json::from_value(json).unwrap()
    }

    fn delta(item: &str, text: &str) -> TurnEvent {
        event(json!({ "type": "text_delta", "item_id": item, "delta": text }))
    }

    fn step(kind: &str, item: Value) -> TurnEvent {
        event(json!({
            "type": kind, "thread_id": "t", "turn_id": "u", "item_id": item["id"], "item_type": item["type"],
            "step_type": if item["type"] == "agentMessage" { "codex" } else { "exec" },
            "status": item.get("status").cloned().unwrap_or("completed".into()), "text": item["text"], "data": item,
        }))
    }

    fn command(status: &str) -> Value {
        json!({
            "type": "commandExecution", "id": "c", "command": "make", "status": status, "text": "make",
            "aggregatedOutput": "done\n", "exitCode": 0, "durationMs": 1500, "commandActions": [], "cwd": "/",
        })
    }

    /// A view of a message that has started.
    fn begun() -> View {
        let mut view = View::new();
        let message = json!({ "type": "agentMessage", "id": "m", "text": "", "status": "inProgress" });
        view.apply(&step("item_started", message));
        view
    }

    /// The lines that an event adds to those that stay, without gaps.
    fn done(view: &mut View, event: &TurnEvent) -> Vec<String> {
        view.apply(event);
        let lines = view.take_done(&mut HashSet::new());
        lines.iter().filter(|line| !line.is_gap()).map(Line::text).collect()
    }

    fn live(view: &View) -> Vec<String> {
        view.in_progress(40, 5).iter().map(Line::text).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn each_line_of_a_message_stays_once_it_has_ended() {
        let mut view = begun();
        assert_eq!(done(&mut view, &delta("m", "one\ntw")), ["one"]);
        assert_eq!(live(&view), ["tw"]);
        assert_eq!(done(&mut view, &delta("m", "o\n")), ["two"]);
        let message = json!({ "type": "agentMessage", "id": "m", "text": "one\ntwo\nthree" });
        assert_eq!(done(&mut view, &step("step", message)), ["three"]);
        assert!(live(&view).is_empty());
    }

    #[test]
    fn a_message_that_turned_out_otherwise_is_printed_anew() {
        let mut view = begun();
        done(&mut view, &delta("m", "one\n"));
        let message = json!({ "type": "agentMessage", "id": "m", "text": "another\n" });
        assert_eq!(done(&mut view, &step("step", message)), ["another"]);
    }

    #[test]
    fn what_the_model_left_unfinished_stays_when_it_begins_anew() {
        let mut view = View::new();
        done(&mut view, &delta("first", "half"));
        assert_eq!(done(&mut view, &delta("second", "whole\n")), ["half", "whole"]);
    }

    #[test]
    fn a_command_stays_once_it_has_ended_and_a_message_does_not_wait_for_it() {
        let mut view = View::new();
        assert!(done(&mut view, &step("item_started", command("inProgress"))).is_empty());
        assert_eq!(live(&view), ["$ make", "│ done"]);
        assert_eq!(done(&mut view, &delta("m", "meanwhile\n")), ["meanwhile"]);
        let ended = done(&mut view, &step("step", command("completed")));
        assert_eq!(ended, ["$ make", "│ done", "└ ok · 1.5 s"]);
    }

    #[test]
    fn what_the_user_has_refused_is_not_shown_again() {
        let mut view = View::new();
        view.has_seen("c");
        assert!(done(&mut view, &step("step", command("declined"))).is_empty());
    }

    #[test]
    fn a_warning_is_told_once() {
        let mut told = HashSet::new();
        for expected in [2, 0] {
            let mut view = View::new();
            view.apply(&event(json!({ "type": "warning", "message": "careful" })));
            assert_eq!(view.take_done(&mut told).len(), expected);
        }
    }

    #[test]
    fn of_a_long_line_its_last_rows_are_drawn() {
        let mut view = View::new();
        done(&mut view, &delta("m", &"word ".repeat(100)));
        assert_eq!(view.in_progress(20, 3).len(), 3);
    }
}
