//! Drives the crate `codex-codes` through its `SyncClient`, as in its example `sync_client`.
//!
//! The client takes `&mut self` and has no reader thread: it runs one turn on one thread at a time. It
//! therefore has no `wave`, and reads nothing while the consumer sleeps: the server waits.

use std::time::{Duration, Instant};

use codex_codes::{
    AppServerBuilder, Notification, ServerMessage, SyncClient, ThreadStartParams, TurnStartParams,
    UserInput,
};
use serde_json::{Value, json};
use vs_peers::{Clock, Report, Workload, flood_server, idle_until_told, memory_kib};

fn start_thread(client: &mut SyncClient) -> String {
    let params: ThreadStartParams = serde_json::from_value(json!({})).expect("no field is needed");
    client.thread_start(&params).expect("a thread").thread.id
}

fn start_turn(client: &mut SyncClient, thread: &str, text: String) {
    let params = TurnStartParams {
        input: vec![UserInput::Text {
            text,
            text_elements: None,
        }],
        ..serde_json::from_value(json!({ "threadId": thread, "input": [] })).expect("valid")
    };
    client.turn_start(&params).expect("a turn");
}

/// Counts matching events until the turn ends.
fn count(client: &mut SyncClient, wanted: impl Fn(&Notification) -> bool) -> usize {
    let mut seen = 0;
    for message in client.events() {
        let ServerMessage::Notification(notification) = message.expect("a message") else {
            continue;
        };
        if wanted(&notification) {
            seen += 1;
        } else if matches!(notification, Notification::TurnCompleted(_)) {
            break;
        }
    }
    seen
}

fn is_delta(notification: &Notification) -> bool {
    matches!(notification, Notification::AgentMessageDelta(_))
}

fn main() {
    let workload = Workload::from_args();
    let mut report = Report::default();
    let clock = Clock::new();
    let mut client = SyncClient::start_with(AppServerBuilder::new().command(flood_server()))
        .expect("the server starts");
    if matches!(workload, Workload::Spawn) {
        report.stop(&clock);
    }
    let client = &mut client;
    match workload {
        Workload::Spawn => {}
        Workload::Deltas { count: sent, .. } => {
            let thread = start_thread(client);
            let clock = Clock::new();
            start_turn(client, &thread, workload.prompt());
            let seen = count(client, is_delta);
            report.stop(&clock).seen(seen, sent);
        }
        Workload::Items { count: sent, .. } => {
            let thread = start_thread(client);
            let clock = Clock::new();
            start_turn(client, &thread, workload.prompt());
            let seen = count(client, |n| matches!(n, Notification::ItemCompleted(_)));
            report.stop(&clock).seen(seen.saturating_sub(2), sent);
        }
        Workload::RoundTrip {
            count: rounds,
            warm_up,
        } => {
            let mut times = Vec::with_capacity(rounds);
            for at in 0..warm_up + rounds {
                let start = Instant::now();
                let _: Value = client
                    .request("config/read", &json!({}))
                    .expect("an answer");
                if at >= warm_up {
                    times.push(start.elapsed());
                }
            }
            report.percentiles(times);
        }
        Workload::Wave { .. } => {
            report.set("cannot", "one turn at a time (`&mut self`)");
        }
        Workload::Sleep {
            count: sent,
            millis,
            ..
        } => {
            let thread = start_thread(client);
            let before = memory_kib("VmRSS");
            start_turn(client, &thread, workload.prompt());
            std::thread::sleep(Duration::from_millis(millis));
            let after = memory_kib("VmRSS");
            let clock = Clock::new();
            let seen = count(client, is_delta);
            report.stop(&clock).seen(seen, sent);
            report.set("grown_kib", after.saturating_sub(before));
            report.set("note", "reads nothing meanwhile");
        }
        Workload::Idle => {
            let thread = start_thread(client);
            start_turn(client, &thread, workload.prompt());
            count(client, is_delta);
            idle_until_told();
        }
        Workload::Big { bytes } => {
            let clock = Clock::new();
            let answer: Value = client
                .request("config/read", &json!({ "bytes": bytes }))
                .expect("an answer");
            report.stop(&clock);
            let whole = answer["blob"].as_str().map(str::len) == Some(bytes);
            report.set("whole", whole);
        }
    }
    report.print();
}
