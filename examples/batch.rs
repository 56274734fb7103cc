//! Asks many prompts on one client, four at a time, and prints a table of the results.
//!
//!     cargo run --example batch
//!     cargo run --example batch -- prompts.txt
//!     cargo run --example batch -- --offline-model
//!
//! Without a file that has one prompt per line (blank lines are none), it asks twenty of its own. While it runs, a progress bar is shown if
//! stderr is a terminal. The example `chat` describes which server is used.

mod support;

use std::{
    error::Error,
    process::ExitCode,
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{ChatRequest, ChatResult, Client, RetryPolicy, retry};
use indicatif::{ProgressBar, ProgressStyle};

/// More at once are limited by the model's own rate limits, if by nothing else.
const AT_ONCE: usize = 4;

struct Outcome {
    result: codex_blocking::Result<ChatResult>,
    took: Duration,
}

fn main() -> ExitCode {
    support::report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (stub, words) = support::arguments()?;
    let prompts: Vec<String> = match words.first() {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
        }
        None => (1..=20).map(|number| format!("Spell the number {number}")).collect(),
    };
    let client = support::connect(stub.as_ref())?;
    let outcomes = ask_all(&client, &prompts);
    print_table(&prompts, &outcomes);
    client.close()?;
    match outcomes.iter().filter(|outcome| outcome.result.is_err()).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} prompts have no answer", prompts.len()).into()),
    }
}

/// The outcomes, in the order of the prompts.
fn ask_all(client: &Client, prompts: &[String]) -> Vec<Outcome> {
    // Hidden unless stderr is a terminal.
    let bar = ProgressBar::new(prompts.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let next = Mutex::new(prompts.iter().enumerate());
    let (tell, told) = mpsc::channel();
    let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    // A statement of its own: the lock is not held while a prompt is asked.
                    let taken = next.lock().ok().and_then(|mut prompts| prompts.next());
                    let Some((index, prompt)) = taken else { break };
                    if tell.send((index, ask(client, prompt))).is_err() {
                        break;
                    }
                }
            });
        }
        // The workers have the other senders: the loop ends with the last one.
        drop(tell);
        let outcomes = told.iter().inspect(|(index, _)| {
            bar.set_message(prompts[*index].clone());
            bar.inc(1);
        });
        outcomes.collect()
    });
    bar.finish_and_clear();
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Asks in a thread of its own, which is unloaded afterwards.
fn ask(client: &Client, prompt: &str) -> Outcome {
    let began = Instant::now();
    let policy = RetryPolicy::new().max_elapsed(Duration::from_secs(600));
    let request = ChatRequest::new(prompt).turn_timeout(Duration::from_secs(300)).keep_raw_events(false);
    let result = retry(policy, || client.chat_once(request.clone()));
    Outcome { result, took: began.elapsed() }
}

fn print_table(prompts: &[String], outcomes: &[Outcome]) {
    println!("{:>3}  {:28}  {:>7}  {:>6}  answer", "no", "prompt", "tokens", "time");
    for (number, (prompt, Outcome { result, took })) in prompts.iter().zip(outcomes).enumerate() {
        let tokens = tokens(result).map_or_else(|| "–".to_owned(), |tokens| tokens.to_string());
        let answer = match result {
            Ok(result) => result.final_text.clone(),
            Err(error) => format!("error: {error}"),
        };
        let seconds = took.as_secs_f64();
        println!(
            "{:>3}  {:28}  {tokens:>7}  {seconds:>4.1} s  {}",
            number + 1,
            cell(prompt, 28),
            cell(&answer, 60)
        );
    }
    let tokens: i64 = outcomes.iter().filter_map(|outcome| tokens(&outcome.result)).sum();
    let answered = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
    println!("{answered} of {} prompts answered, {tokens} tokens", prompts.len());
}

/// What a prompt cost, also without an answer.
fn tokens(result: &codex_blocking::Result<ChatResult>) -> Option<i64> {
    let usage = match result {
        Ok(result) => result.usage.as_ref(),
        Err(error) => error.usage(),
    };
    usage.map(|usage| usage.total_tokens)
}

/// The beginning of the text, on one line, and without anything that would control the terminal.
fn cell(text: &str, width: usize) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(width) {
        Some(_) => line.chars().take(width - 1).chain(['…']).collect(),
        None => line,
    }
}
