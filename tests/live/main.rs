//! The client against the real app-server: chats, turns, threads, questions and death over every transport,
//! and once what no transport changes.
//!
//! Relies on the feature `testing` and on `support/live.rs`; uses the public API only. Invariant: a case that
//! runs over every transport does not know which one carries it, but for those that are about that.
//!
//! The names of the former begin with the transport: `cargo test --test live -- --ignored ws::questions`.

#[path = "../support/mod.rs"]
mod support;

mod account;
mod chats;
mod clients;
#[cfg(target_os = "linux")]
mod cycles;
#[cfg(unix)]
mod death;
mod examples;
#[cfg(unix)]
mod exec;
#[cfg(target_os = "linux")]
mod host_death;
mod model_stub;
mod questions;
mod results;
mod server_requests;
mod start;
mod surroundings;
mod threads;
mod transcripts;
mod turns;
mod typed;
mod websocket;

use std::time::Duration;

use codex_blocking::ConversationStep;
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

use self::support::cases::{Case, watched};
use self::support::live::{Live, Via};
use self::support::real::is_old_server;

/// How long something may take that needs no time: long enough for a machine that does other things too.
const SOON: Duration = Duration::from_secs(10);
/// An inactivity limit that is waited for.
const SHORT: Duration = Duration::from_secs(1);

fn main() {
    #[cfg(target_os = "linux")]
    if let [_, option, via] = &std::env::args().collect::<Vec<_>>()[..] {
        if option == "--host" {
            host_death::host(via);
        }
    }
    let mut arguments = Arguments::from_args();
    // They wait for processes and models more than they work.
    arguments.test_threads.get_or_insert(3);
    let mut trials = Vec::new();
    for via in Via::all() {
        trials.extend(cases(via).into_iter().map(|Case { name, run }| {
            watched(format!("{}::{name}", via.name()), move || {
                via.choose();
                run();
            })
        }));
    }
    trials.extend(cases_of_no_transport().into_iter().map(|Case { name, run }| watched(name, run)));
    #[cfg(target_os = "linux")]
    trials.push(cycles::trial());
    let ignored = |trial: Trial| trial.with_kind("needs npm once").with_ignored_flag(true);
    libtest_mimic::run(&arguments, trials.into_iter().map(ignored).collect()).exit();
}

/// What there is to see over this transport.
fn cases(via: Via) -> Vec<Case> {
    let mut cases =
        [chats::cases(), turns::cases(), threads::cases(), questions::cases(), results::cases()].concat();
    // Most of what they are about came with later servers.
    if !is_old_server() {
        cases.extend([server_requests::cases(), transcripts::cases()].concat());
    }
    #[cfg(unix)]
    cases.extend(death::cases());
    cases.extend(match via {
        // The client runs its server.
        Via::Stdio => start::cases(),
        // A server has many clients.
        _ => clients::cases(),
    });
    cases
}

/// What runs once: it has a server of its own kind, or the transport makes no difference.
fn cases_of_no_transport() -> Vec<Case> {
    [
        account::cases(),
        surroundings::cases(),
        model_stub::cases(),
        typed::cases(),
        #[cfg(unix)]
        exec::cases(),
        #[cfg(target_os = "linux")]
        host_death::cases(),
        websocket::cases(),
        examples::cases(),
    ]
    .concat()
}

fn kinds(steps: &[ConversationStep]) -> Vec<String> {
    steps.iter().map(|step| step.step_type.to_string()).collect()
}

/// The latest request to the model.
fn asked(live: &Live) -> Value {
    live.model().requests().pop().unwrap()
}

/// What the user said in it, oldest first, without what Codex says as the user.
fn said(live: &Live) -> Vec<String> {
    let request = asked(live);
    let items = request["input"].as_array().unwrap().iter();
    let users = items.filter(|item| item["type"] == "message" && item["role"] == "user");
    let texts = users.flat_map(|item| item["content"].as_array().unwrap());
    let texts = texts.filter_map(|part| part["text"].as_str().map(str::to_owned));
    texts.filter(|text| !text.starts_with(['<', '#'])).collect()
}
