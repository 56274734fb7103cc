//! Works with stored conversations: lists threads, resumes and forks one, and rolls back a turn.
//!
//!     cargo run --example threads
//!     cargo run --example threads -- --offline-model
//!
//! Only changes the two threads that it creates, and archives them at the end. The example `chat` describes
//! which server is used.

mod support;

use std::{error::Error, process::ExitCode};

use codex_blocking::{ListThreads, ThreadConfig};

fn main() -> ExitCode {
    support::report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (stub, _) = support::arguments()?;
    let client = support::connect(stub.as_ref())?;

    let config = ThreadConfig::new().cwd(std::env::current_dir()?);
    let first = client.start_thread(config.clone())?.chat_once("Remember the number 7")?;
    println!("first: {}", first.final_text);
    let id = first.thread_id;
    client.set_thread_name(&id, "an example")?;

    println!("the latest threads:");
    for thread in &client.list_threads(ListThreads::new().limit(3))?.data {
        let mark = if thread.id == id { "*" } else { " " };
        println!("{mark} {} {}", thread.name.as_deref().unwrap_or("(no name)"), thread.preview);
    }

    // Another program could continue here with the stored thread id.
    let thread = client.resume_thread(&id, config)?;
    let fork = thread.fork(ThreadConfig::new())?;
    println!("in the fork: {}", fork.chat_once("Add 1 to it")?.final_text);
    println!("in the thread: {}", thread.chat_once("Double it")?.final_text);

    let left = fork.rollback(1)?;
    println!("turns left in the fork: {}", left.thread.turns.len());
    println!("turns in the thread: {}", thread.read(true)?.thread.turns.len());

    fork.archive()?;
    thread.archive()?;
    client.close()?;
    Ok(())
}
