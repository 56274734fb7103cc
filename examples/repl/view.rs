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
