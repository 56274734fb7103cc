//! Drives `codex-blocking` itself: `chat_events` for deltas, `chat` for items, `request` for the rest.
//!
//! Requires the feature `ours`, since the package must build without the crate.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use codex_blocking::{
    ChatEvents, ChatRequest, Client, Stdio, ThreadConfig, ThreadHandle, TurnEvent,
};
use serde_json::json;
use vs_peers::{Clock, Report, Workload, flood_server, idle_until_told, memory_kib};

fn start_thread(client: &Client) -> ThreadHandle {
    client.start_thread(ThreadConfig::new()).expect("a thread")
}

fn is_delta(event: &TurnEvent) -> bool {
    matches!(event, TurnEvent::TextDelta { .. })
}

/// Counts the text deltas until the end of the turn.
fn count_deltas(events: &mut ChatEvents) -> usize {
    let seen = events.by_ref().filter(is_delta).count();
    assert!(events.error().is_none(), "{:?}", events.error());
    seen
}

fn main() {
    let workload = Workload::from_args();
    let mut report = Report::default();
    let clock = Clock::new();
    let client = Client::connect(Stdio::command([flood_server()])).expect("the server starts");
    client.initialize().expect("an answer");
    if matches!(workload, Workload::Spawn) {
        report.stop(&clock);
    }
    let request = || ChatRequest::new(workload.prompt());
    match workload {
        Workload::Spawn => {}
        Workload::Deltas { count, .. } => {
            let thread = start_thread(&client);
            let clock = Clock::new();
            let mut events = thread.chat_events(request()).expect("a turn");
            let seen = count_deltas(&mut events);
            report.stop(&clock).seen(seen, count);
        }
        Workload::Items { count, .. } => {
            let thread = start_thread(&client);
            let clock = Clock::new();
            let mut chat = thread.chat(request()).expect("a turn");
            // The user's message and the answer are items too.
            let seen = chat.by_ref().count().saturating_sub(2);
            assert!(chat.error().is_none(), "{:?}", chat.error());
            report.stop(&clock).seen(seen, count);
        }
        Workload::RoundTrip { count, warm_up } => {
            let mut times = Vec::with_capacity(count);
            for at in 0..warm_up + count {
                let start = Instant::now();
                client.request("config/read", json!({})).expect("an answer");
                if at >= warm_up {
                    times.push(start.elapsed());
                }
            }
            report.percentiles(times);
        }
        Workload::Wave { turns, count, .. } => {
            let threads: Vec<ThreadHandle> = (0..turns).map(|_| start_thread(&client)).collect();
            let ready = &Barrier::new(turns + 1);
            let request = &request;
            let (clock, seen) = std::thread::scope(|scope| {
                let callers: Vec<_> = threads
                    .iter()
                    .map(|thread| {
                        scope.spawn(move || {
                            ready.wait();
                            count_deltas(&mut thread.chat_events(request()).expect("a turn"))
                        })
                    })
                    .collect();
                // Before the start: this thread may be the last to be scheduled again.
                let clock = Clock::new();
                ready.wait();
                let seen: usize = callers
                    .into_iter()
                    .map(|caller| caller.join().expect("no panic"))
                    .sum();
                (clock, seen)
            });
            report.stop(&clock).seen(seen, turns * count);
        }
        Workload::Sleep { count, millis, .. } => {
            let thread = start_thread(&client);
            let before = memory_kib("VmRSS");
            let mut events = thread.chat_events(request()).expect("a turn");
            std::thread::sleep(Duration::from_millis(millis));
            let after = memory_kib("VmRSS");
            let clock = Clock::new();
            let seen = count_deltas(&mut events);
            report.stop(&clock).seen(seen, count);
            report.set("grown_kib", after.saturating_sub(before));
        }
        Workload::Idle => {
            let thread = start_thread(&client);
            thread.chat_once(request()).expect("an answer");
            idle_until_told();
        }
        Workload::Big { bytes } => {
            let clock = Clock::new();
            let answer = client
                .request("config/read", json!({ "bytes": bytes }))
                .expect("an answer");
            report.stop(&clock);
            let whole = answer["blob"].as_str().map(str::len) == Some(bytes);
            report.set("whole", whole);
        }
    }
    report.print();
    let _ = client.close();
}
