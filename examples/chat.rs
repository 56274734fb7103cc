//! Runs a conversation of one turn, and prints its steps as they arrive.
//!
//!     cargo run --example chat -- "Say hello"
//!     cargo run --example chat -- --offline-model "Say hello"
//!
//! Uses `codex` if it is available ($CODEX_APP_SERVER_CMD, or on PATH). Otherwise it says so and uses a
//! scripted server inside this program. With `--offline-model`, the real codex runs against a stub of the
//! model, which needs no account. Ctrl-C interrupts the turn gracefully.

mod support;

use std::{
    error::Error,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use codex_blocking::ThreadConfig;

fn main() -> ExitCode {
    support::report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    // Keep the stub alive as long as the client: the server calls it.
    let (stub, words) = support::arguments()?;
    let text = if words.is_empty() { "Say hello".to_owned() } else { words.join(" ") };
    let client = support::connect(stub.as_ref())?;

    let here = std::env::current_dir()?;
    let thread = client.start_thread(ThreadConfig::new().cwd(here))?;
    let mut chat = thread.chat(text)?;

    // The Ctrl-C handler runs on its own thread; the handle interrupts the turn from there, and the loop
    // below receives its end. A second Ctrl-C exits the program.
    let handle = chat.handle();
    let (interrupts, interrupted) = mpsc::channel();
    thread::spawn(move || {
        while interrupted.recv().is_ok() {
            if let Err(error) = handle.interrupt() {
                eprintln!("failed to interrupt the turn: {error}");
            }
        }
    });
    let is_asked = Arc::new(AtomicBool::new(false));
    ctrlc::set_handler(move || {
        if is_asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        let _ = interrupts.send(());
    })?;

    for step in &mut chat {
        println!("{step}");
    }
    let result = chat.finish()?;
    println!();
    println!("{}", result.final_text);
    if let Some(usage) = result.usage {
        println!("tokens of this turn: {} in, {} out", usage.input_tokens, usage.output_tokens);
    }
    if let Some(duration) = result.duration {
        println!("took {:.1} s", duration.as_secs_f64());
    }
    client.close()?;
    Ok(())
}
