//! The list of conversations, the history, and what the server is.
//!
//! Relies on `app`. Invariant: a conversation that waits for the user stands out wherever it is.

use codex_blocking::protocol::Thread;
use eframe::egui::{Align, Button, Label, Layout, RichText, ScrollArea, Ui};

use super::{AMBER, GREEN, RED, WEAK, brief, small, weak};
use crate::{
    app::{Action, App, Link},
    conversation::Conversation,
};

pub fn show(app: &App, ui: &mut Ui, actions: &mut Vec<Action>) {
    heading(ui, "Conversations", "New", true, || actions.push(Action::New));
    for conversation in &app.conversations {
        if row(app, ui, conversation) {
            actions.push(Action::Select(conversation.key));
        }
    }
    ui.add_space(14.0);
    let is_up = matches!(app.link, Link::Up { .. });
    heading(ui, "History", "Refresh", is_up && !app.history.is_loading, || actions.push(Action::Refresh));
    // The last line is the server's.
    let height = (ui.available_height() - 28.0).max(40.0);
    ScrollArea::vertical().id_salt("history").max_height(height).auto_shrink(false).show(ui, |ui| {
        history(app, ui, actions);
    });
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        let text = match &app.link {
            Link::Up { server, .. } => small(server),
            Link::Connecting { .. } => small("connecting …"),
            Link::Down { .. } => small("not connected").color(RED),
        };
        ui.add(Label::new(text).truncate());
    });
}

fn heading(ui: &mut Ui, text: &str, button: &str, is_enabled: bool, click: impl FnOnce()) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(text).strong());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add_enabled(is_enabled, Button::new(button).small()).clicked() {
                click();
            }
        });
    });
    ui.add_space(2.0);
}

/// A conversation of the list. Returns true if it was clicked.
fn row(app: &App, ui: &mut Ui, conversation: &Conversation) -> bool {
    let asks = app
        .asks
        .iter()
        .any(|ask| ask.request.thread_id() == conversation.thread_id.as_deref().unwrap_or_default());
    let failed = conversation.error.is_some();
    let (mark, color) = match () {
        () if asks => ("?", AMBER),
        () if conversation.is_running() => ("●", GREEN),
        () if failed => ("!", RED),
        () => (" ", WEAK),
    };
    ui.horizontal(|ui| {
        let title =
            Button::selectable(conversation.key == app.selected, brief(&conversation.title(), 60)).truncate();
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_sized([14.0, 18.0], Label::new(RichText::new(mark).color(color).strong()));
            ui.with_layout(Layout::left_to_right(Align::Center).with_main_justify(true), |ui| {
                ui.add(title).clicked()
            })
            .inner
        })
        .inner
    })
    .inner
}

fn history(app: &App, ui: &mut Ui, actions: &mut Vec<Action>) {
    if let Some(error) = &app.history.error {
        ui.label(small(brief(error, 200)).color(RED));
    }
    let is_open =
        |thread: &Thread| app.conversations.iter().any(|c| c.thread_id.as_deref() == Some(&thread.id));
    let mut closed = app.history.threads.iter().filter(|thread| !is_open(thread)).peekable();
    if closed.peek().is_none() && app.history.error.is_none() {
        ui.label(weak(if app.history.is_loading { "Loading …" } else { "Nothing older." }));
    }
    for thread in closed {
        let name = thread.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&thread.preview);
        let name = if name.is_empty() { "(empty)".to_owned() } else { brief(name, 60) };
        ui.with_layout(Layout::left_to_right(Align::Center).with_main_justify(true), |ui| {
            if ui.add(Button::selectable(false, name.as_str()).truncate()).clicked() {
                actions.push(Action::Open { thread_id: thread.id.clone(), name });
            }
        });
    }
}
