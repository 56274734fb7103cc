//! Has a conversation of one turn and shows it as it goes by.
//!
//!     cargo run --example chat -- "Say hello"
//!     cargo run --example chat -- --offline-model "Say hello"
//!
//! It talks to `codex` where there is one ($CODEX_APP_SERVER_CMD, or found on PATH), else to a
//! scripted server inside this program, and says so. With `--offline-model` the real codex runs
//! against a stub of its model, which needs no account. Ctrl-C interrupts the turn in order.

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
    // The stub lives as long as the client that talks to it through the server.
    let (stub, words) = support::arguments()?;
    let text = if words.is_empty() { "Say hello".to_owned() } else { words.join(" ") };
    let client = support::connect(stub.as_ref())?;

    let here = std::env::current_dir()?;
    let thread = client.start_thread(ThreadConfig::new().cwd(here))?;
    let mut chat = thread.chat(text)?;

    // Ctrl-C comes on a thread of its own; the handle interrupts the turn from there, and the loop
    // below sees it end. A second one ends this program.
    let handle = chat.handle();
    let (interrupts, interrupted) = mpsc::channel();
    thread::spawn(move || {
        while interrupted.recv().is_ok() {
            if let Err(error) = handle.interrupt() {
                eprintln!("the turn could not be interrupted: {error}");
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
    if let Some(usage) = result.token_usage {
        let last = usage.last;
        println!(
            "tokens: {} in, {} out, {} in all",
            last.input_tokens, last.output_tokens, usage.total.total_tokens
        );
    }
    client.close()?;
    Ok(())
}
