//! Has a conversation of one turn and shows it as it goes by.
//!
//!     cargo run --example chat -- "Say hello"
//!     cargo run --example chat -- --offline-model "Say hello"
//!
//! It talks to `codex` where there is one ($CODEX_APP_SERVER_CMD, or found on PATH), else to a
//! scripted server inside this program, and says so. With `--offline-model` the real codex runs
//! against a stub of its model, which needs no account. Ctrl-C interrupts the turn in order.

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

use codex_blocking::{
    Client, Stdio, ThreadConfig,
    testing::{ModelStub, ScriptedServer},
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_offline = words.first().is_some_and(|word| word == "--offline-model");
    if is_offline {
        words.remove(0);
    }
    let text = if words.is_empty() { "Say hello".to_owned() } else { words.join(" ") };

    // The stub lives as long as the client that talks to it through the server.
    let stub = is_offline.then(ModelStub::start).transpose()?;
    let client = connect(stub.as_ref())?;
    let handshake = client.initialize()?;
    eprintln!("server {}", handshake.server_version().unwrap_or("of an unknown version"));

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

/// The real codex, against its model or the stub of it; or the scripted server.
fn connect(stub: Option<&ModelStub>) -> Result<Client, Box<dyn Error>> {
    let codex = match stub {
        None => Stdio::default(),
        Some(stub) => {
            let home = std::env::current_dir()?.join("target").join("offline-codex-home");
            stub.write_home(&home)?;
            Stdio::default().env("CODEX_HOME", home)
        }
    };
    match Client::connect(codex) {
        Ok(client) => Ok(client),
        // A command that was named and does not run is an error, not a reason for a substitute.
        Err(error) if stub.is_some() || std::env::var_os("CODEX_APP_SERVER_CMD").is_some() => {
            Err(error.into())
        }
        Err(error) => {
            eprintln!("{error}");
            eprintln!();
            eprintln!("This goes on with a scripted server that only echoes. For the real one:");
            eprintln!("  npm install -g @openai/codex && codex login");
            eprintln!();
            Ok(ScriptedServer::new().client()?)
        }
    }
}
