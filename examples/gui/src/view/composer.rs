//! Where the user writes, and stops what runs.
//!
//! Relies on `app`. Invariant: a click is always answered at once; the effect comes with the events.

use eframe::egui::{
    Align, Button, Color32, Key, KeyboardShortcut, Label, Layout, Margin, Modifiers, TextEdit, Ui, vec2,
};

use super::{ACCENT, RED, brief, small};
use crate::{
    app::{Action, App, Link},
    conversation::Busy,
};

pub fn show(app: &mut App, ui: &mut Ui, actions: &mut Vec<Action>) {
    let is_up = matches!(app.link, Link::Up { .. });
    let is_connecting = matches!(app.link, Link::Connecting { .. });
    let selected = app.conversations.iter().find(|conversation| conversation.key == app.selected);
    let is_asked = selected.is_some_and(|selected| app.asks.iter().any(|ask| app.belongs(ask, selected)));
    let conversation = app.selected_mut();
    if let Some(error) = &conversation.error {
        ui.add(Label::new(small(brief(error, 400)).color(RED)).wrap());
    }
    let is_running = conversation.is_running();
    let can_send = is_up && !is_running && conversation.busy.is_none();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let size = vec2(96.0, 46.0);
            if is_running {
                let can_stop = conversation.turn.is_some() && !conversation.is_stopping;
                let text = if conversation.is_stopping { "Stopping …" } else { "Interrupt" };
                let button = Button::new(text).min_size(size).fill(Color32::from_rgb(122, 42, 42));
                if ui.add_enabled(can_stop, button).clicked() {
                    actions.push(Action::Interrupt);
                }
            } else {
                let is_ready = can_send && !conversation.draft.trim().is_empty();
                if ui.add_enabled(is_ready, Button::new("Send").min_size(size).fill(ACCENT)).clicked() {
                    actions.push(Action::Send);
                }
            }
            let editor = TextEdit::multiline(&mut conversation.draft)
                .id_salt(("draft", conversation.key))
                .hint_text("Ask Codex. Enter sends, Shift+Enter begins a new line.")
                .desired_rows(2)
                .desired_width(f32::INFINITY)
                .margin(Margin::symmetric(8, 6))
                .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
            let response = ui.add(editor);
            if std::mem::take(&mut conversation.wants_focus) {
                response.request_focus();
            }
            let is_sent = ui.input(|input| input.key_pressed(Key::Enter) && !input.modifiers.shift);
            if response.has_focus() && is_sent && can_send {
                actions.push(Action::Send);
            }
        });
    });
    let status = match &conversation.busy {
        Some(Busy::Starting) => "Starting the turn …",
        Some(Busy::Opening) => "Loading the conversation …",
        None if conversation.is_stopping => "The turn is being interrupted …",
        None if is_asked => "Waiting for your answer.",
        None if is_running => "Working …",
        None if is_connecting => "Connecting to the server …",
        None if !is_up => "Not connected.",
        None => "Ready.",
    };
    let usage = conversation.transcript.turns().iter().rev().find_map(|turn| turn.token_usage.as_ref());
    ui.horizontal(|ui| {
        ui.label(small(status));
        if let Some(usage) = usage {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(small(format!("{} tokens so far", usage.total.total_tokens)));
            });
        }
    });
}
