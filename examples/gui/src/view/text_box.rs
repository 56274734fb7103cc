//! A box of lines in a fixed font that scrolls by itself.
//!
//! Relies on `lines`. Invariant: only the lines in view are laid out, whatever the text.

use eframe::egui::{
    Align, AsIdSalt, Color32, CornerRadius, Frame, Label, Layout, Margin, RichText, ScrollArea, Sense,
    TextStyle, Ui, UiBuilder, vec2,
};

use super::{ADDED, BOX, GREEN, RED, REMOVED, TEXT, WEAK};
use crate::lines::Lines;

/// How many lines can be scrolled to; of more, the last ones.
const MOST_LINES: usize = 20_000;

#[derive(Clone, Copy)]
pub struct Look {
    pub max_height: f32,
    /// Whether it shows the end of a text that grows.
    pub is_stuck: bool,
    /// Whether it is a diff.
    pub is_diff: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look { max_height: 200.0, is_stuck: false, is_diff: false }
    }
}

pub fn text_box(ui: &mut Ui, salt: impl AsIdSalt, text: &str, lines: &Lines, look: Look) {
    let hidden = lines.count().saturating_sub(MOST_LINES);
    let rows = lines.count() - hidden + usize::from(hidden > 0);
    let height = ui.text_style_height(&TextStyle::Monospace);
    let frame =
        Frame::new().fill(BOX).corner_radius(CornerRadius::same(4)).inner_margin(Margin::symmetric(0, 4));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 0.0;
        let area = ScrollArea::vertical()
            .id_salt(salt)
            .max_height(look.max_height)
            .auto_shrink([false, true])
            .stick_to_bottom(look.is_stuck);
        area.show_rows(ui, height, rows, |ui, range| {
            for row in range {
                if hidden > 0 && row == 0 {
                    line(ui, height, &format!("… {hidden} earlier lines are not shown"), WEAK, None);
                    continue;
                }
                let text = lines.get(text, row + hidden - usize::from(hidden > 0));
                let (color, fill) = if look.is_diff { diff_colors(&text) } else { (TEXT, None) };
                line(ui, height, &text, color, fill);
            }
        });
    });
}

fn line(ui: &mut Ui, height: f32, text: &str, color: Color32, fill: Option<Color32>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, CornerRadius::ZERO, fill);
    }
    // Of exactly this height: the rows must lie where the scroll area assumes them.
    let place =
        UiBuilder::new().max_rect(rect.shrink2(vec2(8.0, 0.0))).layout(Layout::left_to_right(Align::Min));
    let mut child = ui.new_child(place);
    child.add(Label::new(RichText::new(text).monospace().color(color)).truncate());
}

fn diff_colors(line: &str) -> (Color32, Option<Color32>) {
    match line.bytes().next() {
        Some(b'+') => (GREEN, Some(ADDED)),
        Some(b'-') => (RED, Some(REMOVED)),
        Some(b'@') => (WEAK, None),
        _ => (TEXT, None),
    }
}
