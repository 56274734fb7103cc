//! Drives the crate `codex-app-server-sdk` (tokio) through its threads and `run_streamed`, as in its
//! README, on the multi-threaded runtime of its examples.
//!
//! Events pass through a broadcast channel with a capacity of 1024; events that a slow consumer misses
//! are silently dropped. If that includes the end of a turn, the stream waits indefinitely, so a watchdog
//! gives up 2 s after the last event.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use codex_app_server_sdk::requests::{ClientInfo, InitializeParams};
use codex_app_server_sdk::{
    CodexClient, StdioConfig, StreamedTurn, Thread, ThreadEvent, ThreadOptions, TurnOptions,
};
use serde_json::json;
use tokio::task::JoinSet;
use vs_peers::{Clock, Report, Workload, flood_server, idle_until_told, memory_kib};

#[derive(Default)]
struct Seen {
    deltas: AtomicUsize,
    items: AtomicUsize,
    ended: AtomicUsize,
}

impl Seen {
    fn sum(&self) -> usize {
        self.deltas.load(Ordering::Relaxed)
            + self.items.load(Ordering::Relaxed)
            + self.ended.load(Ordering::Relaxed)
    }
}

async fn connect() -> CodexClient {
    let client = CodexClient::spawn_stdio(StdioConfig {
        codex_binary: flood_server(),
        ..StdioConfig::default()
    })
    .await
    .expect("the server starts");
    let info = ClientInfo::new("vs-peers", "vs-peers", "0");
    client
        .initialize(InitializeParams::new(info))
        .await
        .expect("an answer");
    client.initialized().await.expect("sent");
    client
}

/// A thread that exists on the server: this client starts it with its first turn.
async fn thread(client: &CodexClient) -> Thread {
    let mut thread = client.start_thread(ThreadOptions::default());
    thread
        .run("hello", TurnOptions::default())
        .await
        .expect("an answer");
    thread
}

async fn start(thread: &mut Thread, text: String) -> StreamedTurn {
    thread
        .run_streamed(text, TurnOptions::default())
        .await
        .expect("a turn")
}

async fn drain(mut turn: StreamedTurn, seen: Arc<Seen>) {
    while let Some(event) = turn.next_event().await {
        match event.expect("an event") {
            ThreadEvent::ItemUpdated { .. } => seen.deltas.fetch_add(1, Ordering::Relaxed),
            ThreadEvent::ItemCompleted { .. } => seen.items.fetch_add(1, Ordering::Relaxed),
            ThreadEvent::TurnCompleted { .. } => {
                seen.ended.fetch_add(1, Ordering::Relaxed);
                break;
            }
            _ => continue,
        };
    }
}

/// Waits for all tasks, but not for events that never arrive. Returns how long it waited in vain.
async fn join_or_give_up(mut tasks: JoinSet<()>, seen: &Seen) -> Duration {
    let mut last = (seen.sum(), Instant::now());
    loop {
        match tokio::time::timeout(Duration::from_millis(100), tasks.join_next()).await {
            Ok(None) => return Duration::ZERO,
            Ok(Some(result)) => result.expect("no panic"),
            Err(_) => {
                let now = seen.sum();
                if now != last.0 {
                    last = (now, Instant::now());
                } else if last.1.elapsed() > Duration::from_secs(2) {
                    tasks.abort_all();
                    return last.1.elapsed();
                }
            }
        }
    }
}

/// Runs one turn per thread to its end and reports it.
async fn run(threads: Vec<Thread>, text: String, sent: usize, items: bool, report: &mut Report) {
    let turns = threads.len();
    let seen = Arc::new(Seen::default());
    let mut tasks = JoinSet::new();
    let clock = Clock::new();
    for mut thread in threads {
        let (seen, text) = (seen.clone(), text.clone());
        tasks.spawn(async move {
            let turn = start(&mut thread, text).await;
            drain(turn, seen).await;
        });
    }
    let in_vain = join_or_give_up(tasks, &seen).await;
    report.stop(&clock).set("in_vain", in_vain.as_secs_f64());
    let count = if items {
        // The user's message and the answer are items too.
        seen.items.load(Ordering::Relaxed).saturating_sub(2)
    } else {
        seen.deltas.load(Ordering::Relaxed)
    };
    report.seen(count, sent);
    note_endless(report, turns - seen.ended.load(Ordering::Relaxed));
}

fn note_endless(report: &mut Report, turns: usize) {
    if turns > 0 {
        report.set("note", format!("{turns} turns never ended"));
    }
}

#[tokio::main]
async fn main() {
    let workload = Workload::from_args();
    let mut report = Report::default();
    let clock = Clock::new();
    let client = connect().await;
    if matches!(workload, Workload::Spawn) {
        report.stop(&clock);
    }
    let text = workload.prompt();
    match workload {
        Workload::Spawn => {}
        Workload::Deltas { count, .. } => {
            let threads = vec![thread(&client).await];
            run(threads, text, count, false, &mut report).await;
        }
        Workload::Items { count, .. } => {
            let threads = vec![thread(&client).await];
            run(threads, text, count, true, &mut report).await;
        }
        Workload::RoundTrip { count, warm_up } => {
            let mut times = Vec::with_capacity(count);
            for at in 0..warm_up + count {
                let start = Instant::now();
                client
                    .send_raw_request("config/read", json!({}), None)
                    .await
                    .expect("an answer");
                if at >= warm_up {
                    times.push(start.elapsed());
                }
            }
            report.percentiles(times);
        }
        Workload::Wave { turns, count, .. } => {
            let mut threads = Vec::with_capacity(turns);
            for _ in 0..turns {
                threads.push(thread(&client).await);
            }
            run(threads, text, turns * count, false, &mut report).await;
        }
        Workload::Sleep { count, millis, .. } => {
            let mut thread = thread(&client).await;
            let before = memory_kib("VmRSS");
            let turn = start(&mut thread, text).await;
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let after = memory_kib("VmRSS");
            let seen = Arc::new(Seen::default());
            let mut tasks = JoinSet::new();
            let clock = Clock::new();
            tasks.spawn(drain(turn, seen.clone()));
            let in_vain = join_or_give_up(tasks, &seen).await;
            report.stop(&clock).set("in_vain", in_vain.as_secs_f64());
            report.seen(seen.deltas.load(Ordering::Relaxed), count);
            report.set("grown_kib", after.saturating_sub(before));
            note_endless(&mut report, 1 - seen.ended.load(Ordering::Relaxed));
        }
        Workload::Idle => {
            let _thread = thread(&client).await;
            // On a separate thread: the runtime must be idle.
            let _ = tokio::task::spawn_blocking(idle_until_told).await;
        }
        Workload::Big { bytes } => {
            let clock = Clock::new();
            let answer = client
                .send_raw_request("config/read", json!({ "bytes": bytes }), None)
                .await
                .expect("an answer");
            report.stop(&clock);
            let whole = answer["blob"].as_str().map(str::len) == Some(bytes);
            report.set("whole", whole);
        }
    }
    report.print();
    // The client has no `close`; its server ends when the pipe is closed.
    std::process::exit(0);
}
