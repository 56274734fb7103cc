//! One item of a transcript: a message, a command with its output, a change of files, a plan; and the end of a turn.
//!
//! Relies on `text_box`. Invariant: what a server or a model wrote is text, whatever it contains.

use codex_blocking::{
    StepStatus, StepType, TranscriptItem, TranscriptTurn,
    protocol::{TurnPlanStepStatus, TurnStatus},
};
use eframe::egui::{Align, AsIdSalt, Color32, CornerRadius, Frame, Label, Layout, Margin, RichText, Ui};

use super::{
    AMBER, GREEN, RED, TEXT, USER, WEAK, brief, card, dot, small, small_button,
    text_box::{Look, text_box},
    weak,
};
use crate::{
    app::Action,
    layout::{DiffLayout, ItemLayout, is_text, shown_text},
    lines::shown,
};

/// A longer output is folded when its command has ended.
const FOLDED_FROM: usize = 6;
/// The height of the first line of a card.
const HEADER: f32 = 24.0;

pub fn show(
    ui: &mut Ui,
    at: usize,
    piece: usize,
    item: &TranscriptItem,
    layout: &ItemLayout,
    actions: &mut Vec<Action>,
) {
    match &item.kind {
        _ if is_text(item) => text(ui, piece, item, layout),
        StepType::Exec => command(ui, at, item, layout, actions),
        StepType::File => files(ui, at, item, layout),
        StepType::Other(kind) if kind == "planUpdate" => plan(ui, item),
        kind => {
            let text = format!("{kind}  {}", brief(&item.text, 300));
            ui.horizontal(|ui| {
                status(ui, item);
                ui.add(Label::new(weak(text)).truncate());
            });
        }
    }
}

/// A piece of a text.
fn text(ui: &mut Ui, piece: usize, item: &TranscriptItem, layout: &ItemLayout) {
    let text = shown_text(item);
    let text = text.get(layout.rows[piece].text.clone()).unwrap_or_default().trim_end_matches('\n');
    if item.kind == "userMessage" {
        let frame = Frame::new()
            .fill(USER)
            .corner_radius(CornerRadius::same(6))
            .inner_margin(Margin::symmetric(12, 8));
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.add(Label::new(text).wrap());
        });
        return;
    }
    let text = match &item.kind {
        StepType::Thinking => RichText::new(text).color(WEAK).italics(),
        _ => RichText::new(text),
    };
    ui.add(Label::new(text).wrap());
}

fn command(ui: &mut Ui, at: usize, item: &TranscriptItem, layout: &ItemLayout, actions: &mut Vec<Action>) {
    let lines = layout.output.count();
    let is_running = item.status == StepStatus::InProgress;
    let is_open = layout.is_open.unwrap_or(is_running || lines <= FOLDED_FROM);
    card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                // All of the row lies on one line, whatever is the tallest.
                ui.set_min_height(HEADER);
                status(ui, item);
                if lines > 0 {
                    let text = match (is_open, lines) {
                        (true, _) => "Hide output".to_owned(),
                        (false, 1) => "Show 1 line".to_owned(),
                        (false, lines) => format!("Show {lines} lines"),
                    };
                    if ui.add(small_button(text)).clicked() {
                        actions.push(Action::Fold { item: at, is_open: !is_open });
                    }
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let command = RichText::new(format!("$ {}", shown(&brief(&item.text, 300)))).monospace();
                    ui.add(Label::new(command).truncate());
                });
            });
        });
        if let Some(output) = item.output.as_deref().filter(|_| is_open && lines > 0) {
            let look = Look { is_stuck: is_running, ..Look::default() };
            text_box(ui, ("output", at), output, &layout.output, look);
        }
    });
}

fn files(ui: &mut Ui, at: usize, item: &TranscriptItem, layout: &ItemLayout) {
    card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                // All of the row lies on one line, whatever is the tallest.
                ui.set_min_height(HEADER);
                status(ui, item);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let count = layout.diffs.len();
                    ui.label(RichText::new(if count == 1 {
                        "1 file".to_owned()
                    } else {
                        format!("{count} files")
                    }));
                });
            });
        });
        for (number, change) in layout.diffs.iter().enumerate() {
            diff(ui, (at, number), change);
        }
    });
}

/// The change of one file.
pub fn diff(ui: &mut Ui, salt: impl AsIdSalt, change: &DiffLayout) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(format!("-{}", change.removed)).color(RED).monospace());
            ui.label(RichText::new(format!("+{}", change.added)).color(GREEN).monospace());
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(shown(&change.title)).monospace()).truncate());
            });
        });
    });
    let look = Look { is_diff: true, max_height: 260.0, ..Look::default() };
    text_box(ui, ("diff", salt), &change.text, &change.lines, look);
}

fn plan(ui: &mut Ui, item: &TranscriptItem) {
    card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(small("Plan"));
        if !item.text.is_empty() {
            ui.add(Label::new(weak(brief(&item.text, 400))).wrap());
        }
        for step in &item.plan {
            let (color, is_filled) = match step.status {
                TurnPlanStepStatus::Completed => (GREEN, true),
                TurnPlanStepStatus::InProgress => (AMBER, true),
                _ => (WEAK, false),
            };
            ui.horizontal(|ui| {
                dot(ui, color, is_filled);
                let is_done = step.status == TurnPlanStepStatus::Completed;
                let text = RichText::new(shown(&step.step)).color(if is_done { WEAK } else { TEXT });
                ui.add(Label::new(text).wrap());
            });
        }
    });
}

/// How an item stands, in a word.
fn status(ui: &mut Ui, item: &TranscriptItem) {
    let (text, color) = match (&item.status, item.exit_code) {
        (StepStatus::InProgress, _) => ("running".to_owned(), AMBER),
        (_, Some(0)) => ("exit 0".to_owned(), GREEN),
        (_, Some(code)) => (format!("exit {code}"), RED),
        (StepStatus::Completed, None) => ("done".to_owned(), GREEN),
        (status, None) => (status.to_string(), RED),
    };
    chip(ui, &text, color);
}

fn chip(ui: &mut Ui, text: &str, color: Color32) {
    let frame = Frame::new()
        .fill(color.gamma_multiply(0.16))
        .corner_radius(CornerRadius::same(4))
        .inner_margin(Margin::symmetric(6, 1));
    frame.show(ui, |ui| ui.label(small(text).color(color)));
}

/// What is to be told of a turn, below its items.
pub fn turn(ui: &mut Ui, turn: &TranscriptTurn) {
    for warning in &turn.warnings {
        ui.add(Label::new(small(format!("Warning: {}", brief(warning, 400))).color(AMBER)).wrap());
    }
    if let Some(notice) = &turn.notice {
        ui.add(Label::new(small(brief(notice, 400)).color(AMBER)).wrap());
    }
    match (&turn.status, &turn.error) {
        (_, Some(error)) => {
            // The banner has what the server wrote on stderr.
            let reason = error.lines().next().unwrap_or_default().trim_end_matches("; last lines on stderr:");
            let text = RichText::new(format!("The turn failed: {}", brief(reason, 400))).color(RED);
            ui.add(Label::new(text).wrap());
        }
        (TurnStatus::Interrupted, None) => {
            drop(ui.label(RichText::new("The turn was interrupted.").color(AMBER)))
        }
        (TurnStatus::InProgress, None) => drop(ui.label(weak("Working …"))),
        _ => {}
    }
}
