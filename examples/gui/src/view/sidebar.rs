//! The list of conversations, the history, and what the server is.
//!
//! Relies on `app`. Invariant: a conversation that waits for the user stands out wherever it is.

use codex_blocking::protocol::Thread;
use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::{AMBER, GREEN, RED, brief, dot, list_row, small, small_button, weak};
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
            if ui.add_enabled(is_enabled, small_button(button)).clicked() {
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
    let color = match () {
        () if asks => Some(AMBER),
        () if conversation.error.is_some() => Some(RED),
        () if conversation.is_running() => Some(GREEN),
        () => None,
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(color) = color {
                dot(ui, color, true);
            }
            let is_selected = conversation.key == app.selected;
            list_row(ui, is_selected, &brief(&conversation.title(), 60)).clicked()
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
        let text = match app.link {
            Link::Up { .. } if app.history.is_loading => "Loading …",
            Link::Up { .. } => "Nothing older.",
            _ => "Not loaded.",
        };
        ui.label(weak(text));
    }
    for thread in closed {
        let name = thread.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&thread.preview);
        let name = if name.is_empty() { "(empty)".to_owned() } else { brief(name, 60) };
        if list_row(ui, false, &name).clicked() {
            actions.push(Action::Open { thread_id: thread.id.clone(), name });
        }
    }
}
