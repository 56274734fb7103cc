//! What many connections in a row leave behind: no thread, no descriptor, no process.
//!
//! Relies on the feature `testing`, on `support/live.rs` and on Linux's `/proc`. Invariant: it runs in a
//! process of its own, for it counts what the whole process has. `LIVE_CYCLES` sets the number of connections
//! (100).

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::Client;
use libtest_mimic::Trial;

use crate::support::PATIENCE;
use crate::support::live::stdio;
use crate::support::probe::is_alone;
use crate::support::real::RealHome;

const NAME: &str = "cycles::connections_in_a_row_leave_nothing_behind";

/// What this process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    threads: usize,
    descriptors: usize,
    children: usize,
}

impl Held {
    fn now() -> Held {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
        Held {
            threads: threads.trim().parse().unwrap(),
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            children: children(),
        }
    }

    fn exceeds(&self, other: &Held) -> bool {
        self.threads > other.threads || self.descriptors > other.descriptors || self.children > other.children
    }
}

/// The children of this process, zombies among them.
fn children() -> usize {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|process| fs::read_to_string(process.path().join("stat")).ok());
    // The name stands in parentheses and may hold anything; after it: the state, the parent.
    let parents = stats.filter_map(|stat| {
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.split(' ').nth(1).map(str::to_owned)
    });
    parents.filter(|parent| *parent == own).count()
}

/// One connection, ended in one of the ways there are.
fn cycle(home: &RealHome, number: usize) {
    let client = Client::connect(stdio(home, home.command())).unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    match number % 3 {
        0 => client.close().unwrap(),
        // The last clone goes.
        1 => {}
        // In the middle of a turn.
        _ => {
            let chat = client.chat("hang").unwrap();
            client.close().unwrap();
            drop(chat);
        }
    }
}

/// Without a time limit: it may be told to take long.
pub(crate) fn trial() -> Trial {
    Trial::test(NAME, || {
        connections_in_a_row_leave_nothing_behind();
        Ok(())
    })
}

fn connections_in_a_row_leave_nothing_behind() {
    if !is_alone(NAME) {
        return;
    }
    let cycles = std::env::var("LIVE_CYCLES").map_or(100, |cycles| cycles.parse().unwrap());
    let home = RealHome::new();
    let before = Held::now();
    for number in 0..cycles {
        cycle(&home, number);
        assert_eq!(children(), 0, "after connection {number}");
    }
    // The stub's threads end when their connections do, which is a moment after the server's end.
    let begun = Instant::now();
    let mut after = Held::now();
    while after.exceeds(&before) && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(50));
        after = Held::now();
    }
    assert!(!after.exceeds(&before), "{before:?} became {after:?}");
}
