//! Tells that the connection was lost, and why.
//!
//! Relies on `app`. Invariant: there is always a way back: the time of the next attempt, and a button for it.

use eframe::egui::{Align, Button, Color32, Frame, Label, Layout, Margin, Panel, RichText, Ui};

use super::{AMBER, REMOVED, brief, small};
use crate::app::{Action, App, Link};

/// How many lines of the server's stderr are shown.
const TOLD: usize = 4;

pub fn show(app: &App, ui: &mut Ui, actions: &mut Vec<Action>) {
    let (title, reason, wait) = match &app.link {
        Link::Down { reason, failures: 0, wait, .. } => {
            ("The connection to the server was lost.", reason, wait)
        }
        Link::Down { reason, wait, .. } => ("The server can't be reached.", reason, wait),
        _ => return,
    };
    let frame = Frame::new().fill(REMOVED).inner_margin(Margin::symmetric(16, 8));
    Panel::top("banner").frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(title).strong().color(Color32::WHITE));
            ui.label(RichText::new(format!("Next attempt within {} s.", wait.as_secs())).color(AMBER));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add(Button::new("Reconnect now")).clicked() {
                    actions.push(Action::Reconnect);
                }
            });
        });
        // The first line is the reason, the others are the last ones of the server on stderr.
        let mut lines = reason.lines();
        ui.add(Label::new(brief(lines.next().unwrap_or_default(), 300)).wrap());
        let told: Vec<_> = lines.collect();
        for line in &told[told.len().saturating_sub(TOLD)..] {
            ui.add(Label::new(small(brief(line, 300))).truncate());
        }
    });
}
