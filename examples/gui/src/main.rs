//! A window in which to talk to the agent: several conversations, live text, approvals, history, reconnecting.
//!
//!     cd examples/gui
//!     cargo run -- --demo
//!     cargo run
//!     cargo run -- --offline-model
//!     cargo run -- --url ws://127.0.0.1:4500
//!
//! Without arguments it runs `codex app-server` ($CODEX_APP_SERVER_CMD, or `codex` on PATH). `--demo` uses a scripted
//! server inside the program, `--offline-model` the real codex with a stub of the model, `--url` a server that listens.
//! `--cwd DIR` is where new conversations work. `--trace FILE` writes what the window shows (see `trace`).
//!
//! The rule of the program: the thread of the window never waits. Calls that block run in `worker`, streams are read
//! with `try_next`, and the client's `on_ready` asks for the next frame (`wake`).

mod app;
mod backend;
mod conversation;
mod demo;
mod layout;
mod lines;
mod offline;
mod trace;
mod view;
mod wake;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use eframe::egui;

use self::{app::App, backend::Backend};

/// What the command line says.
struct Options {
    backend: Backend,
    cwd: PathBuf,
    trace: Option<PathBuf>,
}

fn main() -> ExitCode {
    let _ = log::set_logger(&Stderr).map(|()| log::set_max_level(log::LevelFilter::Warn));
    match options().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn options() -> Result<Options, Failure> {
    let mut options = Options { backend: Backend::codex(), cwd: std::env::current_dir()?, trace: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--demo" => options.backend = Backend::demo()?,
            "--offline-model" => options.backend = Backend::offline_model()?,
            "--url" => options.backend = Backend::url(&value()?)?,
            "--cwd" => options.cwd = value()?.into(),
            "--trace" => options.trace = Some(value()?.into()),
            _ => return Err(format!("unknown argument {word:?}; src/main.rs has the list").into()),
        }
    }
    Ok(options)
}

fn run(options: Options) -> Result<(), Failure> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Codex")
        .with_inner_size([1100.0, 760.0])
        .with_min_inner_size([640.0, 400.0]);
    let native = eframe::NativeOptions { viewport, ..Default::default() };
    eframe::run_native(
        "codex-gui",
        native,
        Box::new(move |creation| {
            let ctx = &creation.egui_ctx;
            view::set_style(ctx);
            if let Some(path) = &options.trace {
                trace::start(ctx, path)?;
            }
            Ok(Box::new(App::new(ctx, options.backend, options.cwd)))
        }),
    )?;
    Ok(())
}

/// Writes the log to stderr.
struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{} {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}
