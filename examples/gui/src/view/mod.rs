//! What the window looks like: its style, and its parts side by side.
//!
//! Relies on egui. Invariant: drawing changes nothing but the heights of rows and the draft; what a click asks for is
//! added to the actions.

mod approval;
mod banner;
mod composer;
mod item;
mod sidebar;
mod text_box;
mod transcript;

use eframe::egui::{
    self, Atom, Button, CentralPanel, Color32, CornerRadius, FontFamily, FontId, Frame, Margin, Panel,
    Response, RichText, Sense, Stroke, TextStyle, Ui, vec2,
};

use crate::app::{Action, App};

const BACKGROUND: Color32 = Color32::from_rgb(24, 26, 31);
const SIDE: Color32 = Color32::from_rgb(18, 20, 24);
const CARD: Color32 = Color32::from_rgb(33, 36, 43);
const BOX: Color32 = Color32::from_rgb(16, 17, 21);
const LINE: Color32 = Color32::from_rgb(52, 56, 66);
const TEXT: Color32 = Color32::from_rgb(222, 225, 231);
const WEAK: Color32 = Color32::from_rgb(145, 151, 163);
const ACCENT: Color32 = Color32::from_rgb(53, 104, 196);
const USER: Color32 = Color32::from_rgb(38, 51, 76);
const GREEN: Color32 = Color32::from_rgb(110, 200, 120);
const RED: Color32 = Color32::from_rgb(240, 110, 105);
const AMBER: Color32 = Color32::from_rgb(228, 176, 76);
const ADDED: Color32 = Color32::from_rgb(20, 58, 32);
const REMOVED: Color32 = Color32::from_rgb(74, 27, 29);

/// Sets the colours and sizes. Nothing blinks or moves by itself, so that a window in which nothing happens sleeps.
pub fn set_style(ctx: &egui::Context) {
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(|style| {
        let visuals = &mut style.visuals;
        visuals.text_cursor.blink = false;
        visuals.override_text_color = Some(TEXT);
        visuals.panel_fill = BACKGROUND;
        visuals.extreme_bg_color = BOX;
        visuals.selection.bg_fill = ACCENT;
        visuals.selection.stroke = Stroke::new(1.0, Color32::from_rgb(90, 140, 230));
        visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
        visuals.widgets.inactive.weak_bg_fill = Color32::from_rgb(48, 52, 62);
        visuals.widgets.hovered.weak_bg_fill = Color32::from_rgb(60, 65, 77);
        style.animation_time = 0.0;
        // What is beyond the end would spring back, and then not follow what comes.
        style.spacing.scroll.kinetic.rubber_band = false;
        style.spacing.button_padding = vec2(10.0, 5.0);
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.text_styles.insert(TextStyle::Body, FontId::new(14.5, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Button, FontId::new(14.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Small, FontId::new(12.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace));
    });
}

/// Draws the window. Returns false if the next frame would look different, because heights had been estimated.
pub fn show(app: &mut App, ui: &mut Ui, actions: &mut Vec<Action>) -> bool {
    let side = Frame::new().fill(SIDE).inner_margin(Margin::same(10));
    Panel::left("side").frame(side).default_size(260.0).size_range(180.0..=420.0).show(ui, |ui| {
        sidebar::show(app, ui, actions);
    });
    banner::show(app, ui, actions);
    let low = Frame::new().fill(BACKGROUND).inner_margin(Margin { left: 16, right: 16, top: 6, bottom: 12 });
    Panel::bottom("composer").frame(low).show_separator_line(false).show(ui, |ui| {
        approval::show(app, ui, actions);
        composer::show(app, ui, actions);
    });
    let middle = Frame::new().fill(BACKGROUND).inner_margin(Margin { left: 16, right: 4, top: 8, bottom: 0 });
    CentralPanel::default().frame(middle).show(ui, |ui| transcript::show(app, ui, actions)).inner
}

/// The frame around something that stands out of the text.
fn card() -> Frame {
    Frame::new()
        .fill(CARD)
        .stroke(Stroke::new(1.0, LINE))
        .corner_radius(CornerRadius::same(6))
        .inner_margin(Margin::symmetric(10, 8))
}

fn weak(text: impl Into<String>) -> RichText {
    RichText::new(text).color(WEAK)
}

fn small(text: impl Into<String>) -> RichText {
    RichText::new(text).color(WEAK).text_style(TextStyle::Small)
}

/// A button that is no taller than a line of text.
fn small_button(text: impl Into<String>) -> Button<'static> {
    Button::new(RichText::new(text).text_style(TextStyle::Small))
}

/// A row of a list that is as wide as there is room.
fn list_row(ui: &mut Ui, is_selected: bool, text: &str) -> Response {
    let width = ui.available_width();
    let button = Button::selectable(is_selected, (text, Atom::grow())).truncate().min_size(vec2(width, 28.0));
    ui.add(button)
}

/// A dot, filled or not. (Not every font has the letters.)
fn dot(ui: &mut Ui, color: Color32, is_filled: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(14.0, 18.0), Sense::hover());
    if is_filled {
        ui.painter().circle_filled(rect.center(), 4.0, color);
    } else {
        ui.painter().circle_stroke(rect.center(), 3.5, Stroke::new(1.5, color));
    }
}

/// The beginning of a text that a peer sent, as one line.
fn brief(text: &str, most: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}
