//! What the window shows, for programs that test it (`--trace FILE`).
//!
//! Relies on egui's AccessKit output. Invariant: without `--trace` nothing of it runs.
//!
//! `FILE` gets a line for each frame: its number, and the milliseconds since the start. `FILE.now` has what is shown
//! now, a line for each widget with a text: role, left, top, width, height (in pixels) and text, separated by tabs.
//! It is replaced as a whole.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use eframe::egui::{self, accesskit::TreeUpdate};

/// Begins to write.
pub fn start(ctx: &egui::Context, path: &Path) -> io::Result<()> {
    let now = PathBuf::from(format!("{}.now", path.display()));
    let trace =
        Trace { frames: File::create(path)?, now, start: Instant::now(), count: 0, shown: String::new() };
    ctx.enable_accesskit();
    ctx.add_plugin(trace);
    Ok(())
}

struct Trace {
    frames: File,
    now: PathBuf,
    start: Instant,
    count: u64,
    shown: String,
}

impl Trace {
    fn write(&mut self, update: Option<&TreeUpdate>, scale: f64) -> io::Result<()> {
        self.count += 1;
        writeln!(self.frames, "{}\t{}", self.count, self.start.elapsed().as_millis())?;
        let Some(shown) = update.map(|update| listed(update, scale)).filter(|shown| *shown != self.shown)
        else {
            return Ok(());
        };
        // A reader sees the old one or the new one.
        let new = self.now.with_extension("new");
        fs::write(&new, &shown)?;
        fs::rename(&new, &self.now)?;
        self.shown = shown;
        Ok(())
    }
}

impl egui::Plugin for Trace {
    fn debug_name(&self) -> &'static str {
        "trace"
    }

    fn output_hook(&mut self, _: &egui::Context, output: &mut egui::FullOutput) {
        if let Err(error) =
            self.write(output.platform_output.accesskit_update.as_ref(), output.pixels_per_point.into())
        {
            log::error!("the trace can't be written: {error}");
        }
    }
}

/// The widgets that have a text.
fn listed(update: &TreeUpdate, scale: f64) -> String {
    let nodes: HashMap<_, _> = update.nodes.iter().map(|(id, node)| (*id, node)).collect();
    let mut list = String::new();
    for (_, node) in &update.nodes {
        let text = node.label().or(node.value()).map(str::to_owned).or_else(|| {
            let labels: Vec<_> = node.labelled_by().iter().filter_map(|id| nodes.get(id)?.value()).collect();
            (!labels.is_empty()).then(|| labels.join(" "))
        });
        let (Some(text), Some(rect)) = (text, node.bounds()) else { continue };
        let text = text.replace(['\n', '\t'], " ");
        let state = if node.is_disabled() { "Disabled" } else { "" };
        let _ = writeln!(
            list,
            "{state}{:?}\t{:.0}\t{:.0}\t{:.0}\t{:.0}\t{text}",
            node.role(),
            rect.x0 * scale,
            rect.y0 * scale,
            rect.width() * scale,
            rect.height() * scale,
        );
    }
    list
}
