//! The transcript of the selected conversation, of which only what is in view is drawn.
//!
//! Relies on `layout` and `item`. Invariant: the cost of a frame does not depend on how much was said.

use eframe::egui::{Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::{item, weak};
use crate::{
    app::{Action, App, Link},
    conversation::Busy,
    layout::{Layout, RowId},
};

/// The space between rows.
const GAP: f32 = 8.0;

/// Returns false if a height was other than assumed.
pub fn show(app: &mut App, ui: &mut Ui, actions: &mut Vec<Action>) -> bool {
    let is_up = matches!(app.link, Link::Up { .. });
    let conversation = app.selected_mut();
    conversation.layout.update(&conversation.transcript);
    if conversation.layout.rows.is_empty() {
        let is_opening = conversation.busy == Some(Busy::Opening);
        empty(ui, is_up, is_opening);
        return true;
    }
    let layout = &mut conversation.layout;
    let transcript = &conversation.transcript;
    let mut is_settled = true;
    let area = ScrollArea::vertical().id_salt(conversation.key).auto_shrink(false).stick_to_bottom(true);
    // Beside the scroll bar.
    let width = ui.available_width() - 12.0;
    layout.set_width(width);
    let area = match conversation.wants_end {
        true => {
            let total: f32 =
                (0..layout.rows.len()).map(|at| layout.height(layout.rows[at]) + gap(layout, at)).sum();
            // A little beyond, with the margins: only at its very end does it follow what comes.
            area.vertical_scroll_offset((total - ui.available_height() + 40.0).max(0.0))
        }
        false => area,
    };
    area.show_viewport(ui, |ui, view| {
        let start = ui.max_rect().min;
        let mut y = 0.0;
        for at in 0..layout.rows.len() {
            let id = layout.rows[at];
            let (assumed, gap) = (layout.height(id), gap(layout, at));
            if y + assumed < view.min.y || y > view.max.y {
                y += assumed + gap;
                continue;
            }
            let place = Rect::from_min_size(start + vec2(0.0, y), vec2(width, 10_000.0));
            let shown = ui.scope_builder(UiBuilder::new().id_salt(id).max_rect(place), |ui| {
                ui.set_width(width);
                match id {
                    RowId::Item { item, piece } => {
                        item::show(ui, item, piece, &transcript.items()[item], &layout.items[item], actions);
                    }
                    RowId::Turn(turn) => item::turn(ui, &transcript.turns()[turn]),
                }
            });
            let height = shown.response.rect.height();
            is_settled &= (height - assumed).abs() < 0.5;
            layout.row(id).height = Some(height);
            y += height + gap;
        }
        ui.expand_to_include_rect(Rect::from_min_max(start, pos2(start.x + width, start.y + y)));
    });
    // The end is where it is once no height is a guess.
    conversation.wants_end &= !is_settled;
    is_settled
}

/// The space below a row. Between the pieces of one text there is none.
fn gap(layout: &Layout, at: usize) -> f32 {
    match (layout.rows[at], layout.rows.get(at + 1)) {
        (RowId::Item { item, .. }, Some(RowId::Item { item: next, .. })) if item == *next => 0.0,
        _ => GAP,
    }
}

fn empty(ui: &mut Ui, is_up: bool, is_opening: bool) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.36);
        if is_opening {
            ui.label(weak("Loading the conversation …"));
        } else if is_up {
            ui.label(RichText::new("What shall we do?").size(22.0));
            ui.label(weak("Write below, or open a conversation of the history."));
        } else {
            ui.label(weak("Waiting for the server …"));
        }
    });
}
