//! The cards that ask the user what the agent may do.
//!
//! Relies on `app`. Invariant: the user sees all that is asked, without control characters; nothing is preselected.

use codex_blocking::{ApprovalDecision, ApprovalRequest};
use eframe::egui::{Button, Color32, Label, RichText, ScrollArea, Stroke, Ui};

use super::{
    ACCENT, AMBER, card, item, small,
    text_box::{Look, text_box},
    weak,
};
use crate::{
    app::{Action, App, Ask},
    lines::{Lines, shown},
};

/// The tallest that the cards get together.
const HEIGHT: f32 = 330.0;

pub fn show(app: &mut App, ui: &mut Ui, actions: &mut Vec<Action>) {
    let at = app.conversations.iter().position(|conversation| conversation.key == app.selected);
    let Some(conversation) = at.and_then(|at| app.conversations.get(at)) else { return };
    let asks: Vec<_> =
        app.asks.iter().enumerate().filter(|(_, ask)| app.belongs(ask, conversation)).collect();
    // One after the other: what is below could not be seen.
    let Some((at, ask)) = asks.first() else { return };
    card().stroke(Stroke::new(1.5, AMBER)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(title(&ask.request)).strong());
            if asks.len() > 1 {
                ui.label(weak(format!("and {} more after this", asks.len() - 1)));
            }
        });
        ScrollArea::vertical().id_salt("ask").max_height(HEIGHT).show(ui, |ui| content(ask, ui));
        ui.add_space(2.0);
        buttons(*at, ui, actions);
    });
    ui.add_space(6.0);
}

fn title(request: &ApprovalRequest) -> &'static str {
    match request {
        ApprovalRequest::Command(request) if request.network_approval_context.is_some() => {
            "Codex wants to reach a host"
        }
        ApprovalRequest::Command(_) => "Codex wants to run a command",
        ApprovalRequest::FileChange(_) => "Codex wants to change files",
        ApprovalRequest::McpTool(_) => "Codex wants to call a tool",
        _ => "Codex asks for something that this window does not know",
    }
}

fn content(ask: &Ask, ui: &mut Ui) {
    let line = |ui: &mut Ui, name: &str, text: &str| {
        ui.add(Label::new(small(format!("{name}: {}", shown(text)))).wrap());
    };
    match &ask.request {
        ApprovalRequest::Command(request) => {
            if let Some(reason) = &request.reason {
                ui.add(Label::new(shown(reason)).wrap());
            }
            let command = request.command.as_deref().unwrap_or("(the server does not tell which)");
            text_box(ui, "command", command, &Lines::of(command), Look::default());
            if let Some(network) = &request.network_approval_context {
                line(ui, "Host", &network.host);
            }
            if let Some(permissions) = &request.additional_permissions {
                line(ui, "With more permissions", &format!("{permissions:?}"));
            }
            line(ui, "In", request.cwd.as_deref().unwrap_or("(not told)"));
        }
        ApprovalRequest::FileChange(request) => {
            if let Some(reason) = &request.reason {
                ui.add(Label::new(shown(reason)).wrap());
            }
            if let Some(root) = &request.grant_root {
                line(ui, "Would make writable", root);
            }
            if request.changes.is_none() {
                line(ui, "Changes", "(the server has not told them)");
            }
            for (at, diff) in ask.diffs.iter().enumerate() {
                item::diff(ui, ("ask", at), diff);
            }
        }
        ApprovalRequest::McpTool(request) => {
            ui.add(Label::new(shown(&request.message)).wrap());
            line(ui, "Server", &request.server_name);
            if let Some(params) = &request.tool_params {
                line(ui, "Arguments", &params.to_string());
            }
        }
        other => line(ui, "Request", other.raw()),
    }
}

fn buttons(ask: usize, ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let mut button = |text: &str, fill: Option<Color32>, hint: &str, decision| {
            let button = fill.map_or(Button::new(text), |fill| Button::new(text).fill(fill));
            if ui.add(button).on_hover_text(hint).clicked() {
                actions.push(Action::Decide { ask, decision });
            }
        };
        button("Accept", Some(ACCENT), "Once.", ApprovalDecision::Accept);
        button(
            "Accept for the session",
            None,
            "Also the same request of this conversation from now on.",
            ApprovalDecision::AcceptForSession,
        );
        button("Decline", None, "The turn goes on without it.", ApprovalDecision::Decline);
        button("Cancel", None, "Declines, and interrupts the turn.", ApprovalDecision::Cancel);
    });
}
