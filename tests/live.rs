//! The client against the real app-server, over every transport: what a program sees of chats, turns, threads,
//! questions and death.
//!
//! Relies on the feature `testing` and on `support/live.rs`; uses the public API only. Invariant: a case does
//! not know what carries it, but for those that are about that.
//!
//! The names begin with the transport: `cargo test --test live -- --ignored ws::questions`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

#[path = "support/cases.rs"]
mod cases;
#[path = "live/chats.rs"]
mod chats;
#[path = "live/clients.rs"]
mod clients;
#[cfg(unix)]
#[path = "live/death.rs"]
mod death;
#[path = "support/live.rs"]
mod live;
#[path = "live/questions.rs"]
mod questions;
#[path = "live/server_requests.rs"]
mod server_requests;
#[path = "live/start.rs"]
mod start;
#[path = "live/threads.rs"]
mod threads;
#[path = "live/turns.rs"]
mod turns;

use std::time::Duration;

use codex_blocking::ConversationStep;
use serde_json::Value;

use self::cases::{Case, watched};
use self::live::real::is_old_server;
use self::live::{Live, Via};

/// How long something may take that needs no time: long enough for a machine that does other things too.
const SOON: Duration = Duration::from_secs(10);
/// An inactivity limit that is waited for.
const SHORT: Duration = Duration::from_secs(1);

fn main() {
    let mut arguments = libtest_mimic::Arguments::from_args();
    // They wait for processes and models more than they work.
    arguments.test_threads.get_or_insert(3);
    let trials = Via::all().into_iter().flat_map(|via| cases(via).into_iter().map(move |case| (via, case)));
    let trials = trials.map(|(via, Case { name, run })| {
        let trial = watched(format!("{}::{name}", via.name()), move || {
            via.choose();
            run();
        });
        trial.with_kind("needs npm once").with_ignored_flag(true)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// What there is to see over this transport.
fn cases(via: Via) -> Vec<Case> {
    let mut cases = [chats::cases(), turns::cases(), threads::cases(), questions::cases()].concat();
    // Most of what they are about came with later servers.
    if !is_old_server() {
        cases.extend(server_requests::cases());
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
