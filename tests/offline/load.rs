//! Far more than any server sends, user code that is slow or panics, and peers that lie: nothing is lost,
//! stuck, or kept without a bound.
//!
//! Relies on `support`. Invariant: a test that sets the logger or measures memory runs in a process of its own.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{
    ApprovalDecision, ApprovalMode, Client, Error, ServerRequest, Transport, TransportFailure,
    transport::{Link, Shutdown, Sink},
};
use serde_json::{Value, json};

use crate::support::{
    await_that,
    logger::set_logger,
    memory::{PATIENCE, Server, begun, chatting, manual, served, served_with, spawn, spawn_with, thread},
    probe::is_alone,
};

const MIB: usize = 1024 * 1024;

/// The resident memory of this process.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Elsewhere std doesn't tell it. What the crate counts is checked there all the same.
#[cfg(not(target_os = "linux"))]
fn resident() -> usize {
    0
}

/// Holds up whoever waits until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |is_open| !*is_open).unwrap());
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// A request to approve a command, which is as long as the filling makes it.
pub(crate) fn approval(id: impl Into<Value>, filling: &str) -> Value {
    approval_of(id, "t", "u", "i", filling)
}

fn approval_of(id: impl Into<Value>, thread_id: &str, turn_id: &str, item_id: &str, filling: &str) -> Value {
    let params = json!({
        "threadId": thread_id, "turnId": turn_id, "itemId": item_id, "reason": filling, "command": "x", "cwd": "/",
        "commandActions": [], "startedAtMs": 1,
    });
    json!({ "id": id.into(), "method": "item/commandExecution/requestApproval", "params": params })
}

fn resolved(id: impl Into<Value>) -> Value {
    let params = json!({ "threadId": "t", "requestId": id.into() });
    json!({ "method": "serverRequest/resolved", "params": params })
}

fn question(id: i64) -> Value {
    let question =
        json!({ "id": "q", "header": "h", "question": "which?", "isOther": true, "isSecret": false });
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "c", "questions": [question] });
    json!({ "id": id, "method": "item/tool/requestUserInput", "params": params })
}

/// The answers that are there.
fn drain(server: &mut Server) -> Vec<Value> {
    std::iter::from_fn(|| server.next_request(Duration::ZERO)).collect()
}

fn initialized(client: &Client, server: &mut Server) {
    let starting = spawn_with(client, |client| client.initialize());
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "test/0.169.0 (x)" }));
    starting.join().unwrap().unwrap();
}

// ---- the logger ----

#[test]
fn a_logger_of_three_seconds_delays_no_request_of_another_thread() {
    if !is_alone("load::a_logger_of_three_seconds_delays_no_request_of_another_thread") {
        return;
    }
    let (told, tell) = mpsc::channel();
    let told = Mutex::new(told);
    let (client, mut server) = served_with(
        Client::builder().request_timeout(Duration::from_secs(1)).approval_mode(ApprovalMode::Manual),
    );
    initialized(&client, &mut server);
    set_logger(log::LevelFilter::Debug, move |record| {
        let _ = told.lock().unwrap().send(record.args().to_string());
        thread::sleep(Duration::from_secs(3));
    });
    let mut request = approval(1, "");
    request["params"]["reason"] = json!({ "not": "a text" });
    server.send(&request);
    let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
    let call = server.expect("config/read");
    server.reply(&call, json!({ "a": 1 }));
    assert_eq!(caller.join().unwrap().unwrap(), json!({ "a": 1 }));
    assert!(tell.recv_timeout(PATIENCE).unwrap().contains("reason"));
}

#[test]
fn a_flood_of_strays_with_a_slow_logger_is_bounded_and_counted() {
    if !is_alone("load::a_flood_of_strays_with_a_slow_logger_is_bounded_and_counted") {
        return;
    }
    let gate = Gate::default();
    let logged = Arc::new(AtomicUsize::new(0));
    {
        let (gate, logged) = (gate.clone(), Arc::clone(&logged));
        set_logger(log::LevelFilter::Debug, move |_| {
            gate.wait();
            logged.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (client, mut server) = served();
    let stray = "x".repeat(100_000);
    server.send_text(&stray);
    let before = resident();
    for _ in 0..5_000 {
        server.send_text(&stray);
    }
    assert!(resident() < before + 20 * MIB, "{} MiB", (resident() - before) / MIB);
    let stats = client.stats();
    // One is with the logger, or about to be.
    assert!((5_001 - 1025..=5_001 - 1024).contains(&stats.dropped_log_records), "{stats:?}");
    assert_eq!(stats.skipped_frames, 5_001);
    gate.open();
    client.close().unwrap();
    assert_eq!(logged.load(Ordering::Relaxed) as u64 + stats.dropped_log_records, 5_001);
}

#[test]
fn a_handler_that_panics_declines_although_the_logger_panics_too() {
    if !is_alone("load::a_handler_that_panics_declines_although_the_logger_panics_too") {
        return;
    }
    set_logger(log::LevelFilter::Debug, |_| panic!("the logger"));
    let (client, mut server) = served();
    client.set_approval_handler(|_| panic!("the handler"));
    server.send(&approval(1, ""));
    let answer = server.next_request(PATIENCE).expect("an answer");
    assert_eq!(answer, json!({ "id": 1, "result": { "decision": "decline" } }));
}

#[test]
fn a_slow_logger_does_not_delay_the_answer_for_a_handler_that_panics() {
    if !is_alone("load::a_slow_logger_does_not_delay_the_answer_for_a_handler_that_panics") {
        return;
    }
    let gate = Gate::default();
    let held = gate.clone();
    set_logger(log::LevelFilter::Debug, move |_| held.wait());
    let (client, mut server) = served();
    client.set_approval_handler(|_| panic!("the handler"));
    server.send(&approval(1, ""));
    let answer = server.next_request(Duration::from_secs(5));
    gate.open();
    assert_eq!(answer.expect("an answer")["result"], json!({ "decision": "decline" }));
}

#[test]
fn a_drop_takes_no_longer_than_half_a_second_although_handlers_and_the_logger_are_blocked() {
    if !is_alone(
        "load::a_drop_takes_no_longer_than_half_a_second_although_handlers_and_the_logger_are_blocked",
    ) {
        return;
    }
    let gate = Gate::default();
    let held = gate.clone();
    set_logger(log::LevelFilter::Debug, move |_| held.wait());
    let (client, mut server) = served();
    let (entered, enter) = mpsc::channel();
    let held = gate.clone();
    client.set_approval_handler(move |_| {
        entered.send(()).unwrap();
        held.wait();
        ApprovalDecision::Accept
    });
    server.send_text("a stray");
    server.send(&approval(1, ""));
    enter.recv_timeout(PATIENCE).unwrap();
    let serving = spawn(move || while server.next_request(Duration::from_millis(100)).is_some() {});
    serving.join().unwrap();
    let (done, ended) = mpsc::channel();
    spawn(move || {
        let begun = Instant::now();
        drop(client);
        done.send(begun.elapsed()).unwrap();
    });
    let took = ended.recv_timeout(Duration::from_secs(5));
    gate.open();
    let took = took.expect("the drop returns");
    assert!(took < Duration::from_millis(1200), "{took:?}");
}

// ---- handlers ----

#[test]
fn two_hundred_approvals_at_once_are_all_decided_and_so_are_two_hundred_more() {
    let (client, mut server) = served();
    client.set_approval_handler(|_| {
        thread::sleep(Duration::from_millis(50));
        ApprovalDecision::Accept
    });
    for round in 0..2 {
        for id in 0..200 {
            server.send(&approval(round * 200 + id, ""));
        }
        let mut ids: Vec<i64> = (0..200)
            .map(|_| {
                let answer = server.recv();
                assert_eq!(answer["result"], json!({ "decision": "accept" }));
                answer["id"].as_i64().unwrap()
            })
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (round * 200..round * 200 + 200).collect::<Vec<_>>());
    }
    await_that("nothing waits", || client.pending().is_empty() && client.stats().kept_bytes == 0);
}

#[test]
fn two_thousand_approvals_are_decided_although_every_third_panics() {
    if !is_alone("load::two_thousand_approvals_are_decided_although_every_third_panics") {
        return;
    }
    let (client, mut server) = served();
    let count = AtomicUsize::new(0);
    client.set_approval_handler(move |_| match count.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => panic!("every third"),
        _ => ApprovalDecision::Accept,
    });
    for id in 0..2000 {
        server.send(&approval(id, ""));
    }
    let mut declined = 0;
    let mut ids: Vec<i64> = (0..2000)
        .map(|_| {
            let answer = server.recv();
            declined += usize::from(answer["result"]["decision"] == "decline");
            answer["id"].as_i64().unwrap()
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..2000).collect::<Vec<_>>());
    assert_eq!(declined, 667);
}

#[test]
fn with_128_handlers_blocked_a_deadline_fires_and_the_next_handler_runs_when_one_ends() {
    let (client, mut server) = served_with(Client::builder().user_input_timeout(Duration::from_millis(500)));
    let _stream = client.user_input_requests();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (entered, enter) = mpsc::channel();
    client.set_approval_handler(move |_| {
        entered.send(()).unwrap();
        let _ = released.lock().unwrap().recv();
        ApprovalDecision::Accept
    });
    for id in 0..129 {
        server.send(&approval(id, ""));
    }
    for _ in 0..128 {
        enter.recv_timeout(PATIENCE).unwrap();
    }
    let asked = Instant::now();
    server.send(&question(1000));
    assert_eq!(server.recv()["id"], 1000);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(enter.try_recv().is_err());
    release.send(()).unwrap();
    enter.recv_timeout(PATIENCE).unwrap();
    drop(release);
    for _ in 0..129 {
        assert_eq!(server.recv()["result"], json!({ "decision": "accept" }));
    }
}

#[test]
fn with_128_handlers_blocked_close_returns_within_five_seconds_and_log_records_come() {
    if !is_alone("load::with_128_handlers_blocked_close_returns_within_five_seconds_and_log_records_come") {
        return;
    }
    let (told, tell) = mpsc::channel();
    let told = Mutex::new(told);
    set_logger(log::LevelFilter::Debug, move |record| {
        drop(told.lock().unwrap().send(record.args().to_string()))
    });
    let (client, mut server) = served();
    let gate = Gate::default();
    let (entered, enter) = mpsc::channel();
    let held = gate.clone();
    client.set_approval_handler(move |_| {
        entered.send(()).unwrap();
        held.wait();
        ApprovalDecision::Accept
    });
    for id in 0..200 {
        server.send(&approval(id, ""));
    }
    for _ in 0..128 {
        enter.recv_timeout(PATIENCE).unwrap();
    }
    server.send_text("a stray");
    await_that("the record", || tell.try_iter().any(|text| text.contains("a stray")));
    drop(server);
    let begun = Instant::now();
    client.close().unwrap();
    assert!(begun.elapsed() < Duration::from_millis(5500), "{:?}", begun.elapsed());
    gate.open();
}

#[test]
fn what_was_withdrawn_while_its_handler_waits_for_a_thread_is_bounded() {
    if !is_alone("load::what_was_withdrawn_while_its_handler_waits_for_a_thread_is_bounded") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(4 * MIB));
    let gate = Gate::default();
    let (entered, enter) = mpsc::channel();
    let held = gate.clone();
    client.set_approval_handler(move |_| {
        let _ = entered.send(());
        held.wait();
        ApprovalDecision::Accept
    });
    for id in 0..128 {
        server.send(&approval(id, ""));
    }
    for _ in 0..128 {
        enter.recv_timeout(PATIENCE).unwrap();
    }
    let filling = "x".repeat(100_000);
    let before = resident();
    for id in 1000..1600 {
        server.send(&approval(id, &filling));
        server.send(&resolved(id));
        drain(&mut server);
    }
    let grown = resident().saturating_sub(before);
    let kept = client.stats().kept_bytes;
    gate.open();
    assert!(grown < 30 * MIB, "{} MiB, told {kept}", grown / MIB);
}

#[test]
fn a_handler_is_not_run_for_what_was_withdrawn_before_its_turn_came() {
    let (client, mut server) = served();
    let gate = Gate::default();
    let (entered, enter) = mpsc::channel();
    let held = gate.clone();
    client.set_approval_handler(move |request| {
        entered.send(request.request_id().clone()).unwrap();
        held.wait();
        ApprovalDecision::Accept
    });
    for id in 0..130 {
        server.send(&approval(id, ""));
    }
    for _ in 0..128 {
        enter.recv_timeout(PATIENCE).unwrap();
    }
    server.send(&resolved(128));
    gate.open();
    assert_eq!(enter.recv_timeout(PATIENCE).unwrap(), 129.into());
    assert!(enter.recv_timeout(Duration::from_millis(200)).is_err());
}

// ---- server requests that nobody reads ----

/// 3,000 requests of 100 KB with a stream that nobody reads: how many were answered, and how many wait.
fn flood_a_stream(mode: ApprovalMode) -> (usize, usize) {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(MIB).approval_mode(mode));
    let _stream = client.server_requests();
    let filling = "x".repeat(100_000);
    let (before, mut answered) = (resident(), 0);
    for id in 0..3000 {
        server.send(&approval(id, &filling));
        answered += drain(&mut server).len();
        let kept = client.stats().kept_bytes;
        assert!(kept <= MIB + 400_000, "{kept}");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 60 * MIB, "{} MiB", grown / MIB);
    (answered, client.pending().len())
}

#[test]
fn an_unread_stream_keeps_about_the_limit_of_what_was_declined() {
    if is_alone("load::an_unread_stream_keeps_about_the_limit_of_what_was_declined") {
        assert_eq!(flood_a_stream(ApprovalMode::Decline), (3000, 0));
    }
}

#[test]
fn an_unread_stream_keeps_about_the_limit_of_what_waits() {
    if is_alone("load::an_unread_stream_keeps_about_the_limit_of_what_waits") {
        let (answered, pending) = flood_a_stream(ApprovalMode::Manual);
        assert_eq!(answered + pending, 3000);
        assert!(pending > 0);
    }
}

#[test]
fn requests_that_wait_in_unread_streams_end_no_chat() {
    let (client, mut server) =
        served_with(Client::builder().max_buffered_bytes(MIB).approval_mode(ApprovalMode::Manual));
    let mut chat = chatting(&client, &mut server);
    let _streams = [client.server_requests(), client.server_requests(), client.server_requests()];
    server.message("m", "a step that was not read");
    let filling = "x".repeat(20_000);
    for id in 0..100 {
        server.send(&approval(id, &filling));
    }
    server.complete("completed");
    let steps: Vec<_> = chat.by_ref().map(|step| step.text).collect();
    assert!(chat.error().is_none(), "{:?}", chat.error());
    assert_eq!(steps.len(), 1);
}

#[test]
fn a_stream_that_is_opened_while_much_waits_ends_no_chat() {
    let (client, mut server) =
        served_with(Client::builder().max_buffered_bytes(MIB).approval_mode(ApprovalMode::Manual));
    let mut chat = chatting(&client, &mut server);
    let filling = "x".repeat(20_000);
    for id in 0..20 {
        server.send(&approval(id, &filling));
    }
    let streams = [client.server_requests(), client.server_requests()];
    server.message("m", "a step that was not read");
    server.complete("completed");
    let steps: Vec<_> = chat.by_ref().map(|step| step.text).collect();
    assert!(chat.error().is_none(), "{:?}", chat.error());
    assert_eq!(steps.len(), 1);
    assert_eq!(streams.map(|mut stream| std::iter::from_fn(|| stream.try_next()).count()), [20, 20]);
}

#[test]
fn a_flood_of_approvals_past_the_limit_costs_each_a_constant_time() {
    let (client, mut server) =
        served_with(Client::builder().max_buffered_bytes(20 * MIB).approval_mode(ApprovalMode::Manual));
    let _stream = client.server_requests();
    let mut slowest = Duration::ZERO;
    let begun = Instant::now();
    for id in 0..20_000 {
        let one = Instant::now();
        server.send(&approval(id, ""));
        slowest = slowest.max(one.elapsed());
        drain(&mut server);
    }
    let (took, pending) = (begun.elapsed(), client.pending().len());
    // 1.5 s on an idle machine; minutes, if each cost what all before it cost.
    assert!(took < Duration::from_secs(60), "{took:?}, the slowest {slowest:?}, {pending} wait");
}

// ---- what waits, in numbers ----

/// 200,000 approvals wait, and are withdrawn by what this sends.
fn withdraw_many(ids: impl Fn(i64) -> i64, withdraw: impl FnOnce(&mut Server)) -> Duration {
    let (client, mut server) = manual();
    for number in 0..200_000 {
        server.send(&approval(ids(number), ""));
    }
    assert_eq!(client.pending().len(), 200_000);
    let begun = Instant::now();
    withdraw(&mut server);
    let took = begun.elapsed();
    assert!(client.pending().is_empty());
    assert_eq!(client.stats().kept_bytes, 0);
    took
}

#[test]
#[ignore = "takes 15 s"]
fn two_hundred_thousand_approvals_are_resolved_in_constant_time_each_oldest_first() {
    let took = withdraw_many(|id| id, |server| (0..200_000).for_each(|id| server.send(&resolved(id))));
    assert!(took < Duration::from_secs(12), "{took:?}");
}

#[test]
#[ignore = "takes 15 s"]
fn two_hundred_thousand_approvals_are_resolved_in_constant_time_each_in_any_order() {
    let order = |index: i64| (index * 77_777) % 200_000;
    let took = withdraw_many(
        |id| id,
        |server| {
            (0..200_000).for_each(|index| server.send(&resolved(order(index))));
        },
    );
    assert!(took < Duration::from_secs(12), "{took:?}");
}

#[test]
#[ignore = "takes 15 s"]
fn two_hundred_thousand_approvals_end_with_their_turn_at_once() {
    let took = withdraw_many(|id| id, |server| server.complete("completed"));
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
#[ignore = "takes 15 s"]
fn two_hundred_thousand_approvals_of_one_id_are_resolved_at_once() {
    let took = withdraw_many(|_| 7, |server| server.send(&resolved(7)));
    assert!(took < Duration::from_secs(4), "{took:?}");
}

// ---- what nobody asked for ----

#[test]
fn notifications_that_nobody_asked_for_leave_nothing_behind() {
    if !is_alone("load::notifications_that_nobody_asked_for_leave_nothing_behind") {
        return;
    }
    let (client, mut server) = served();
    let _chat = chatting(&client, &mut server);
    let mut flood = |from: usize, to: usize| {
        for number in from..to {
            let (thread, turn) = (format!("thread {number}"), format!("turn {number}"));
            let item = json!({ "type": "fileChange", "id": format!("item {number}"), "changes": [] });
            let ids = json!({ "threadId": thread, "turnId": turn, "item": item });
            server.notify("item/started", ids);
            let turn = json!({ "id": turn, "rootTurnId": "another" });
            server.notify("turn/started", json!({ "threadId": thread, "turn": turn }));
            server.notify("thread/closed", json!({ "threadId": thread }));
            server.notify("serverRequest/resolved", json!({ "threadId": thread, "requestId": number }));
            let item = json!({
                "type": "collabAgentToolCall", "id": "c", "receiverThreadIds": [thread, format!("child {number}")],
            });
            server.notify("item/completed", json!({ "threadId": "t", "turnId": turn, "item": item }));
            server.send(&json!({ "id": number + 1_000_000_000, "result": {} }));
        }
    };
    flood(0, 2000);
    let before = resident();
    flood(2000, 40_000);
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 * MIB, "{} KiB", grown / 1024);
    assert_eq!(client.stats().kept_bytes, 0);
}

// ---- the limit ----

/// A chat with a limit of 16 MiB that is read promptly until it ends while this is sent; the error it ends
/// with. What is kept is told within a factor of two, and is near the limit.
fn chat_within_the_limit(flood: impl Fn(&mut Server, usize)) -> Option<Error> {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(16 * MIB));
    let mut chat = chatting(&client, &mut server);
    let mut told = Told::new();
    for number in 0..500_000 {
        flood(&mut server, number);
        if number % 64 == 0 {
            while chat.try_next().is_some() {}
            told.check(&client);
            if chat.is_ended() {
                break;
            }
        }
    }
    chat.error().cloned()
}

/// What is told to be kept against what the process has grown by.
struct Told {
    before: usize,
    /// What was freed need not go back to the system.
    most: usize,
}

impl Told {
    fn new() -> Told {
        Told { before: resident(), most: 0 }
    }

    /// What is kept is told within a factor of two, and is near the limit of 16 MiB.
    #[track_caller]
    fn check(&mut self, client: &Client) {
        let (grown, kept) = (resident().saturating_sub(self.before), client.stats().kept_bytes);
        assert!(kept < 20 * MIB, "{kept}");
        self.most = self.most.max(kept);
        let most = self.most;
        assert!(grown < 2 * most + 8 * MIB, "grown by {} KiB, told {} KiB", grown / 1024, most / 1024);
    }
}

#[test]
fn file_changes_that_start_and_never_complete_end_the_chat_at_the_limit() {
    if !is_alone("load::file_changes_that_start_and_never_complete_end_the_chat_at_the_limit") {
        return;
    }
    let error = chat_within_the_limit(|server, number| {
        let item = json!({ "type": "fileChange", "id": format!("a file change {number}"), "changes": [{}] });
        server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": item }));
    });
    assert!(matches!(error, Some(Error::BufferFull { .. })), "{error:?}");
}

#[test]
fn item_ids_of_a_million_bytes_are_not_kept() {
    if !is_alone("load::item_ids_of_a_million_bytes_are_not_kept") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(16 * MIB));
    let mut chat = chatting(&client, &mut server);
    let filling = "x".repeat(1_000_000);
    let mut told = Told::new();
    for number in 0..60 {
        server.message(&format!("{number}{filling}"), "text");
        assert!(chat.try_next().is_some());
        told.check(&client);
    }
}

#[test]
fn endless_sub_agents_end_the_chat_at_the_limit() {
    if !is_alone("load::endless_sub_agents_end_the_chat_at_the_limit") {
        return;
    }
    let error = chat_within_the_limit(|server, number| {
        let children: Vec<String> = (0..100).map(|child| format!("{number} {child}")).collect();
        server.item(json!({ "type": "collabAgentToolCall", "id": "c", "receiverThreadIds": children }));
    });
    assert!(matches!(error, Some(Error::BufferFull { .. })), "{error:?}");
}

#[test]
fn item_types_without_an_end_cost_each_step_a_constant_time() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let begun = Instant::now();
    for number in 0..30_000 {
        server.item(json!({ "type": format!("type {number}"), "id": "i" }));
        assert!(chat.try_next().is_some());
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[test]
fn item_types_without_an_end_are_told() {
    if !is_alone("load::item_types_without_an_end_are_told") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(16 * MIB));
    let mut chat = chatting(&client, &mut server);
    let filling = "x".repeat(100_000);
    let mut told = Told::new();
    for number in 0..500 {
        server.item(json!({ "type": format!("{number}{filling}"), "id": "i" }));
        while chat.try_next().is_some() {}
        told.check(&client);
    }
    assert!(matches!(chat.error(), Some(Error::BufferFull { .. })), "{:?}", chat.error());
}

#[test]
fn deltas_of_a_few_bytes_that_nobody_reads_are_told() {
    if !is_alone("load::deltas_of_a_few_bytes_that_nobody_reads_are_told") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(16 * MIB));
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    let mut told = Told::new();
    for number in 0..250_000 {
        server.delta("x");
        if number % 1000 == 0 {
            told.check(&client);
        }
    }
    let last = std::iter::from_fn(|| events.try_next()).last();
    assert!(matches!(events.error(), Some(Error::BufferFull { .. })), "{last:?}");
}

/// A chat whose turn has not been named, and the request for it.
fn unnamed(
    client: &Client,
    server: &mut Server,
) -> (thread::JoinHandle<codex_blocking::Result<codex_blocking::Chat>>, Value) {
    let thread = thread(client, server);
    let starting = spawn(move || thread.chat("hello"));
    let request = server.expect("turn/start");
    (starting, request)
}

fn name_turn(server: &mut Server, request: &Value) {
    server.reply(request, json!({ "turn": { "id": "u", "items": [], "status": "inProgress" } }));
}

#[test]
fn events_before_the_reply_that_names_their_turn_are_counted_and_bounded() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(MIB));
    let (starting, request) = unnamed(&client, &mut server);
    let filling = "x".repeat(100_000);
    for number in 0..5 {
        server.message(&number.to_string(), &filling);
    }
    assert!((500_000..MIB).contains(&client.stats().kept_bytes));
    for number in 0..100 {
        server.message(&number.to_string(), &filling);
        assert!(client.stats().kept_bytes <= MIB);
    }
    name_turn(&mut server, &request);
    let mut chat = starting.join().unwrap().unwrap();
    assert!(chat.by_ref().all(|step| step.is_error()));
    assert!(matches!(chat.error(), Some(Error::BufferFull { .. })), "{:?}", chat.error());
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn small_events_before_the_reply_that_names_their_turn_are_told() {
    if !is_alone("load::small_events_before_the_reply_that_names_their_turn_are_told") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(16 * MIB));
    let (starting, request) = unnamed(&client, &mut server);
    let mut told = Told::new();
    for number in 0..250_000 {
        server.delta("x");
        if number % 1000 == 0 {
            told.check(&client);
        }
    }
    name_turn(&mut server, &request);
    let mut chat = starting.join().unwrap().unwrap();
    assert!(chat.by_ref().all(|step| step.is_error()));
    assert!(matches!(chat.error(), Some(Error::BufferFull { .. })), "{:?}", chat.error());
}

#[test]
fn approvals_without_an_end_are_told_and_bounded() {
    if !is_alone("load::approvals_without_an_end_are_told_and_bounded") {
        return;
    }
    let (client, mut server) =
        served_with(Client::builder().max_buffered_bytes(16 * MIB).approval_mode(ApprovalMode::Manual));
    let (mut told, mut answered) = (Told::new(), 0);
    for id in 0..40_000 {
        server.send(&approval_of(id, &format!("thread {id}"), &format!("turn {id}"), "i", ""));
        answered += drain(&mut server).len();
        if id % 1000 == 0 {
            told.check(&client);
        }
    }
    assert_eq!(client.pending().len() + answered, 40_000);
}

#[test]
fn approvals_with_long_ids_are_told() {
    if !is_alone("load::approvals_with_long_ids_are_told") {
        return;
    }
    let (client, mut server) =
        served_with(Client::builder().max_buffered_bytes(16 * MIB).approval_mode(ApprovalMode::Manual));
    let filling = "x".repeat(100_000);
    let mut told = Told::new();
    for id in 0..100 {
        let id = format!("{id}{filling}");
        server.send(&approval_of(id.as_str(), &id, &id, &id, ""));
        drain(&mut server);
        told.check(&client);
    }
}

#[test]
fn the_65537th_notification_that_nobody_reads_drops_the_oldest() {
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    for number in 0..=65_536 {
        server.notify("x", json!({ "number": number }));
    }
    assert_eq!(client.stats().dropped_notifications, 1);
    assert_eq!(notifications.try_next().unwrap().params::<Value>().unwrap()["number"], 1);
    assert_eq!(std::iter::from_fn(|| notifications.try_next()).count(), 65_535);
    assert_eq!(client.stats().kept_bytes, 0);
}

// ---- a link that does not take what is sent ----

type Take = dyn Fn(Value) -> Result<(), TransportFailure> + Send + Sync;

/// A transport of the test's own: what is sent goes to this function, and the test holds the sink.
struct Wire {
    hand_over: mpsc::Sender<Sink>,
    send: Arc<Take>,
}

struct WireLink(Arc<Take>);

impl Transport for Wire {
    fn connect(&mut self, sink: Sink) -> codex_blocking::Result<Box<dyn Link>> {
        self.hand_over.send(sink).unwrap();
        Ok(Box::new(WireLink(Arc::clone(&self.send))))
    }
}

impl Link for WireLink {
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        (self.0)(serde_json::from_slice(&message).unwrap())
    }

    fn shutdown(&self, _: Shutdown) {}
}

pub(crate) fn wired(
    builder: codex_blocking::ClientBuilder,
    send: impl Fn(Value) -> Result<(), TransportFailure> + Send + Sync + 'static,
) -> (Client, Sink) {
    let (hand_over, handed) = mpsc::channel();
    let client = builder.connect(Wire { hand_over, send: Arc::new(send) }).unwrap();
    (client, handed.recv().unwrap())
}

fn give(sink: &mut Sink, message: &Value) {
    assert!(sink.frame(message.to_string().into_bytes()).is_continue());
    sink.flush();
}

/// A link that refuses while it is told to, and what it has taken otherwise.
fn refusing(
    builder: codex_blocking::ClientBuilder,
) -> (Client, Sink, Arc<AtomicBool>, mpsc::Receiver<Value>) {
    let refuses = Arc::new(AtomicBool::new(true));
    let (took, taken) = mpsc::channel();
    let took = Mutex::new(took);
    let is_refusing = Arc::clone(&refuses);
    let (client, sink) = wired(builder, move |message| match is_refusing.load(Ordering::SeqCst) {
        true => Err(TransportFailure::new("full")),
        false => {
            took.lock().unwrap().send(message).unwrap();
            Ok(())
        }
    });
    (client, sink, refuses, taken)
}

#[test]
fn an_answer_that_could_not_be_sent_is_an_error_and_may_be_given_again() {
    let builder = Client::builder().approval_mode(ApprovalMode::Manual);
    let (client, mut sink, refuses, taken) = refusing(builder);
    give(&mut sink, &approval(1, ""));
    let request = client.approval_requests().try_next().unwrap();
    let begun = Instant::now();
    assert!(matches!(client.approve_approval(&request), Err(Error::Transport { .. })));
    assert!(begun.elapsed() < Duration::from_millis(500));
    assert_eq!(client.pending().len(), 1);
    refuses.store(false, Ordering::SeqCst);
    client.approve_approval(&request).unwrap();
    assert_eq!(taken.try_recv().unwrap()["result"]["decision"], "accept");
    assert!(matches!(client.approve_approval(&request), Err(Error::NoLongerPending { .. })));
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn the_answer_of_a_handler_that_could_not_be_sent_is_logged_and_the_request_waits() {
    if !is_alone("load::the_answer_of_a_handler_that_could_not_be_sent_is_logged_and_the_request_waits") {
        return;
    }
    let (told, tell) = mpsc::channel();
    let told = Mutex::new(told);
    set_logger(log::LevelFilter::Debug, move |record| {
        drop(told.lock().unwrap().send(record.args().to_string()))
    });
    let (client, mut sink, refuses, taken) = refusing(Client::builder());
    client.set_approval_handler(|_| ApprovalDecision::Accept);
    give(&mut sink, &approval(1, ""));
    assert!(tell.recv_timeout(PATIENCE).unwrap().contains("could not be sent"));
    let ServerRequest::Approval(request) = client.pending().remove(0) else { panic!() };
    refuses.store(false, Ordering::SeqCst);
    client.decline_approval(&request).unwrap();
    assert_eq!(taken.try_recv().unwrap()["result"]["decision"], "decline");
}

#[test]
fn a_default_answer_that_could_not_be_sent_at_the_deadline_is_sent_later() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).approval_timeout(Duration::from_millis(20));
    let tries = Arc::new(AtomicUsize::new(0));
    let (took, taken) = mpsc::channel();
    let took = Mutex::new(took);
    let (client, mut sink) = wired(builder, move |message| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Err(TransportFailure::new("full")),
        _ => {
            took.lock().unwrap().send(message).unwrap();
            Ok(())
        }
    });
    give(&mut sink, &approval(1, ""));
    assert_eq!(taken.recv_timeout(PATIENCE).unwrap()["result"]["decision"], "decline");
    await_that("nothing waits", || client.pending().is_empty());
}

#[test]
fn a_deadline_that_passes_while_an_answer_is_sent_in_vain_is_kept_afterwards() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).approval_timeout(Duration::from_millis(50));
    let (took, taken) = mpsc::channel();
    let took = Mutex::new(took);
    let (client, mut sink) = wired(builder, move |message| {
        if message["result"]["decision"] == "accept" {
            thread::sleep(Duration::from_millis(300));
            return Err(TransportFailure::new("full"));
        }
        took.lock().unwrap().send(message).unwrap();
        Ok(())
    });
    give(&mut sink, &approval(1, ""));
    let request = client.approval_requests().try_next().unwrap();
    assert!(client.approve_approval(&request).is_err());
    assert_eq!(taken.recv_timeout(PATIENCE).unwrap()["result"]["decision"], "decline");
}

#[test]
fn what_is_withdrawn_while_its_answer_is_sent_in_vain_waits_no_more() {
    let builder = Client::builder().approval_mode(ApprovalMode::Manual);
    let (entered, enter) = mpsc::channel();
    let entered = Mutex::new(entered);
    let gate = Gate::default();
    let held = gate.clone();
    let (client, mut sink) = wired(builder, move |_| {
        entered.lock().unwrap().send(()).unwrap();
        held.wait();
        Err(TransportFailure::new("full"))
    });
    give(&mut sink, &approval(1, ""));
    let request = client.approval_requests().try_next().unwrap();
    let answering = spawn_with(&client, move |client| client.approve_approval(&request));
    enter.recv_timeout(PATIENCE).unwrap();
    give(&mut sink, &resolved(1));
    gate.open();
    assert!(answering.join().unwrap().is_err());
    assert!(client.pending().is_empty());
    assert_eq!(client.stats().kept_bytes, 0);
}

/// A chat over a link that takes nothing more, whose thread is told to be idle.
fn stuck(swallows: bool) -> (codex_blocking::Chat, Sink) {
    let is_stuck = Arc::new(AtomicBool::new(false));
    let (took, taken) = mpsc::channel();
    let took = Mutex::new(took);
    let stuck = Arc::clone(&is_stuck);
    let builder = Client::builder().request_timeout(Duration::from_millis(700));
    let (client, mut sink) = wired(builder, move |message| match stuck.load(Ordering::SeqCst) {
        true if swallows => Ok(()),
        true => Err(TransportFailure::new("full")),
        false => {
            took.lock().unwrap().send(message).unwrap();
            Ok(())
        }
    });
    let starting = spawn(move || client.chat("hello"));
    for result in [
        json!({ "userAgent": "test/0.169.0 (x)" }),
        json!({ "thread": { "id": "t" } }),
        json!({ "turn": { "id": "u", "items": [], "status": "inProgress" } }),
    ] {
        let id = std::iter::from_fn(|| taken.recv_timeout(PATIENCE).ok())
            .find_map(|message| message.get("id").cloned());
        give(&mut sink, &json!({ "id": id, "result": result }));
    }
    let chat = starting.join().unwrap().unwrap();
    let turn = json!({ "id": "u", "rootTurnId": "u" });
    give(&mut sink, &json!({ "method": "turn/started", "params": { "threadId": "t", "turn": turn } }));
    let status = json!({ "threadId": "t", "status": { "type": "idle" } });
    is_stuck.store(true, Ordering::SeqCst);
    give(&mut sink, &json!({ "method": "thread/status/changed", "params": status }));
    (chat, sink)
}

#[test]
fn try_next_never_waits_and_an_interrupt_keeps_its_limit_over_a_link_that_is_stuck() {
    for swallows in [false, true] {
        let (mut chat, _sink) = stuck(swallows);
        // Past the grace after which the server is asked for the end of an idle thread's turn.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1500) {
            let one = Instant::now();
            assert!(chat.try_next().is_none());
            assert!(one.elapsed() < Duration::from_millis(200), "{:?}", one.elapsed());
            thread::sleep(Duration::from_millis(10));
        }
        let begun = Instant::now();
        assert!(chat.interrupt().is_err());
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    }
}

// ---- what no tree can hold ----

#[test]
fn a_lost_end_that_holds_what_no_tree_can_is_found() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for strange in [deep.as_str(), "1e999", "-1e999", r#""\ud83d""#] {
        let turns = [
            (
                format!(
                    r#"{{"id":"u","status":"completed","items":[{{"type":"agentMessage","id":"m","text":"yes","x":{strange}}}]}}"#
                ),
                true,
            ),
            (
                format!(
                    r#"{{"id":"u","status":"completed","x":{strange},"items":[{{"type":"agentMessage","id":"m","text":"yes"}}]}}"#
                ),
                true,
            ),
            (
                format!(
                    r#"{{"id":"u","status":"completed","items":[{{"type":"x","id":"n","x":{strange}}},{{"type":"agentMessage","id":"m","text":"yes"}}]}}"#
                ),
                true,
            ),
            (
                format!(
                    r#"{{"id":"u","status":"failed","error":{{"message":"no","codexErrorInfo":{strange}}},"items":[]}}"#
                ),
                false,
            ),
            (format!(r#"{{"id":"u","status":"interrupted","x":{strange},"items":[]}}"#), false),
        ];
        for (turn, completes) in turns {
            let (client, mut server) =
                served_with(Client::builder().inactivity_timeout(Duration::from_millis(30)));
            let mut chat = chatting(&client, &mut server);
            let reader = spawn(move || {
                let steps: Vec<_> = chat.by_ref().collect();
                for step in &steps {
                    let _ = (format!("{step:?}"), serde_json::to_string(step));
                }
                (steps, chat.error().cloned())
            });
            let request = server.expect("thread/turns/list");
            server.send_text(&format!(r#"{{"id":{},"result":{{"data":[{turn}]}}}}"#, request["id"]));
            let (steps, error) = reader.join().unwrap();
            assert_eq!(error.is_none(), completes, "{turn}: {error:?}");
            if completes {
                assert_eq!(steps.last().unwrap().text.as_deref(), Some("yes"), "{turn}");
            }
        }
    }
}

#[test]
fn chat_once_finds_a_lost_end_that_holds_what_no_tree_can() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for strange in [deep.as_str(), "1e999"] {
        let (client, mut server) =
            served_with(Client::builder().inactivity_timeout(Duration::from_millis(30)));
        let caller = spawn_with(&client, |client| client.chat_once("hello"));
        server.begin_turn();
        let request = server.expect("thread/turns/list");
        let item = format!(r#"{{"type":"agentMessage","id":"m","text":"yes","x":{strange}}}"#);
        let turn = format!(r#"{{"id":"u","status":"completed","x":{strange},"items":[{item}]}}"#);
        server.send_text(&format!(r#"{{"id":{},"result":{{"data":[{turn}]}}}}"#, request["id"]));
        assert_eq!(caller.join().unwrap().unwrap().final_text, "yes");
    }
}

#[test]
fn a_user_agent_of_slashes_takes_no_time() {
    let (client, mut server) = served();
    let starting = spawn_with(&client, |client| client.initialize());
    let request = server.recv();
    let begun = Instant::now();
    server.reply(&request, json!({ "userAgent": "/".repeat(300_000) }));
    let result = starting.join().unwrap().unwrap();
    assert_eq!(result.server_version(), None);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn errors_without_an_id_that_flood_are_counted_and_leave_nothing_behind() {
    if !is_alone("load::errors_without_an_id_that_flood_are_counted_and_leave_nothing_behind") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().request_timeout(Duration::from_secs(5)));
    initialized(&client, &mut server);
    let callers: Vec<_> =
        (0..50).map(|_| spawn_with(&client, |client| client.request("config/read", json!({})))).collect();
    for _ in 0..50 {
        server.expect("config/read");
    }
    let error = json!({ "id": null, "error": { "code": -32700, "message": "x".repeat(10_000) } });
    server.send(&error);
    let before = resident();
    for _ in 0..20_000 {
        server.send(&error);
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 * MIB, "{} KiB", grown / 1024);
    assert_eq!((client.stats().unmatched_replies, client.stats().kept_bytes), (20_001, 0));
    for caller in callers {
        let error = caller.join().unwrap().unwrap_err();
        assert!(error.is_timeout() && error.to_string().len() < 2000, "{error}");
    }
}

#[test]
fn a_flood_of_json_nested_deep_takes_no_time_and_leaves_nothing_behind() {
    let (client, mut server) = served_with(Client::builder().approval_mode(ApprovalMode::Manual));
    let mut chat = chatting(&client, &mut server);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let ids = r#""threadId":"t","turnId":"u""#;
    let begun = Instant::now();
    for number in 0..300 {
        for text in [
            deep.clone(),
            format!(r#"{{"method":"x","params":{{{ids},"x":{deep}}}}}"#),
            format!(
                r#"{{"method":"item/completed","params":{{{ids},"item":{{"type":"x","id":"{number}","x":{deep}}}}}}}"#
            ),
            format!(
                r#"{{"method":"item/agentMessage/delta","params":{{{ids},"itemId":{deep},"delta":{deep}}}}}"#
            ),
            format!(r#"{{"id":{number},"method":"item/tool/call","params":{{{ids},"arguments":{deep}}}}}"#),
            format!(r#"{{"id":9999{number},"error":{{"code":1,"message":"m","data":{deep}}}}}"#),
        ] {
            server.send_text(&text);
        }
        while chat.try_next().is_some() {}
        drain(&mut server);
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    server.complete("completed");
    while chat.next().is_some() {}
    assert!(chat.error().is_none(), "{:?}", chat.error());
    drop(chat);
    assert_eq!((client.stats().kept_bytes, client.pending().len()), (0, 0));
}

#[test]
fn broken_characters_are_replaced_and_counted_wherever_they_stand() {
    let (client, mut server) = served_with(Client::builder().approval_mode(ApprovalMode::Manual));
    let mut events = begun(&client, &mut server, |client| client.chat_events("hello"));
    let before = client.stats().repaired_frames;
    let frames: [&[u8]; 4] = [
        br#"{"method":"item/agentMessage/delta","params":{"threadId":"t","turnId":"u","itemId":"m","delta":"a\ud83db"}}"#,
        b"{\"method\":\"item/agentMessage/delta\",\"params\":{\"threadId\":\"t\",\"turnId\":\"u\",\"itemId\":\"m\",\"delta\":\"a\xffb\"}}",
        br#"{"method":"item/completed","params":{"threadId":"t","turnId":"u","item":{"type":"agentMessage","id":"m","text":"a\ude00b"}}}"#,
        b"{\"id\":5,\"method\":\"item/commandExecution/requestApproval\",\"params\":{\"threadId\":\"t\",\"turnId\":\"u\",\"itemId\":\"i\",\"command\":\"a\xc3b\",\"startedAtMs\":1}}",
    ];
    for frame in frames {
        server.send_bytes(frame);
    }
    assert_eq!(client.stats().repaired_frames - before, 4);
    for _ in 0..3 {
        let event = events.try_next().unwrap();
        let text = format!("{event:?}");
        assert!(text.contains("a\u{fffd}b"), "{text}");
    }
    let ServerRequest::Approval(codex_blocking::ApprovalRequest::Command(request)) =
        client.pending().remove(0)
    else {
        panic!()
    };
    assert_eq!(request.command.as_deref(), Some("a\u{fffd}b"));
    let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
    let call = server.expect("config/read");
    server.send_text(&format!(r#"{{"id":{},"result":"a\udc00b"}}"#, call["id"]));
    assert_eq!(caller.join().unwrap().unwrap(), "a\u{fffd}b");
    let caller = spawn_with(&client, |client| client.request("config/read", json!({})));
    let call = server.expect("config/read");
    server.send_text(&format!(r#"{{"id":{},"error":{{"code":1,"message":"a\udc00b"}}}}"#, call["id"]));
    assert!(matches!(caller.join().unwrap(), Err(Error::Rpc { message, .. }) if message == "a\u{fffd}b"));
    assert_eq!(client.stats().repaired_frames - before, 6);
    let turn = r#"{"id":"u","items":[],"status":"failed","error":{"message":"a\ud800b"}}"#;
    server.send_text(&format!(r#"{{"method":"turn/completed","params":{{"threadId":"t","turn":{turn}}}}}"#));
    assert!(matches!(events.finish(), Err(Error::TurnFailed { message, .. }) if message == "a\u{fffd}b"));
}

// ---- two things at once, and a peer that lies ----

#[test]
fn an_idle_thread_that_is_told_again_and_again_is_asked_about_its_turn() {
    let (client, mut server) = served();
    let mut chat = chatting(&client, &mut server);
    let reader = spawn(move || chat.by_ref().count());
    let begun = Instant::now();
    let request = loop {
        server.notify("thread/status/changed", json!({ "threadId": "t", "status": { "type": "idle" } }));
        if let Some(request) = server.next_request(Duration::from_millis(100)) {
            break request;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody asks");
    };
    assert_eq!(request["method"], "thread/turns/list");
    server.reply(&request, json!({ "data": [{ "id": "u", "status": "completed", "items": [] }] }));
    assert_eq!(reader.join().unwrap(), 0);
}

#[test]
fn handlers_that_are_blocked_cost_nothing_for_requests_that_find_no_room() {
    if !is_alone("load::handlers_that_are_blocked_cost_nothing_for_requests_that_find_no_room") {
        return;
    }
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(MIB));
    let gate = Gate::default();
    let held = gate.clone();
    client.set_approval_handler(move |_| {
        held.wait();
        ApprovalDecision::Accept
    });
    let mut flood = |range: std::ops::Range<i64>| {
        for id in range {
            server.send(&approval(id, ""));
            drain(&mut server);
        }
    };
    flood(0..2000);
    let before = resident();
    flood(2000..60_000);
    let grown = resident().saturating_sub(before);
    gate.open();
    assert!(grown < 2 * MIB, "{} KiB", grown / 1024);
}

#[test]
fn what_comes_after_the_end_of_a_turn_changes_nothing() {
    let (client, mut server) = served();
    server.complete("completed");
    let mut chat = chatting(&client, &mut server);
    server.message("m", "the answer");
    server.complete("completed");
    server.complete("failed");
    server.message("n", "too late");
    server.delta("too late");
    server.started();
    let texts: Vec<_> = chat.by_ref().map(|step| step.text.unwrap()).collect();
    assert_eq!(texts, ["the answer"]);
    assert_eq!(chat.finish().unwrap().final_text, "the answer");
    assert_eq!((client.stats().running_turns, client.stats().kept_bytes), (0, 0));
}

#[test]
fn a_cancel_and_many_interrupts_at_once_all_return() {
    for _ in 0..20 {
        let (client, mut server) = served();
        let mut chat = chatting(&client, &mut server);
        server.started();
        let handle = chat.handle();
        let interrupting: Vec<_> =
            (0..20).map(|_| spawn_with(&handle, |handle| handle.interrupt())).collect();
        let cancelling = spawn(move || chat.cancel());
        let first = server.expect("turn/interrupt");
        server.complete("interrupted");
        server.reply(&first, json!({}));
        for interrupting in interrupting {
            interrupting.join().unwrap().unwrap();
        }
        assert!(cancelling.join().unwrap().unwrap().was_interrupted);
    }
}

#[test]
fn a_connection_that_dies_ends_every_call_in_flight_and_every_call_that_waits_for_a_permit() {
    let (client, mut server) = served();
    initialized(&client, &mut server);
    let calls: Vec<_> =
        (0..80).map(|_| spawn_with(&client, |client| client.request("config/read", json!({})))).collect();
    for _ in 0..64 {
        server.expect("config/read");
    }
    server.die();
    for call in calls {
        assert!(matches!(call.join().unwrap(), Err(Error::Transport { .. })));
    }
    assert_eq!(client.stats().pending_requests, 0);
}

#[test]
fn a_reply_that_races_with_its_time_out_is_taken_or_counted() {
    let (client, mut server) = served_with(Client::builder().request_timeout(Duration::from_millis(300)));
    initialized(&client, &mut server);
    let mut taken = 0;
    for round in 0..200 {
        let hasty = client.with_request_timeout(Duration::from_micros(100 + round * 5));
        let caller = spawn(move || hasty.request("config/read", json!({})).is_ok());
        if let Some(request) = server.next_request(Duration::from_millis(20)) {
            if request["method"] == "config/read" {
                server.reply(&request, json!({}));
                taken += u64::from(caller.join().unwrap());
                continue;
            }
        }
        caller.join().unwrap();
    }
    let stats = client.stats();
    assert_eq!((stats.pending_requests, stats.kept_bytes), (0, 0));
    assert!(taken + stats.unmatched_replies <= 200);
}

#[test]
fn an_answer_by_hand_that_races_with_its_deadline_is_given_once() {
    let builder =
        Client::builder().approval_mode(ApprovalMode::Manual).approval_timeout(Duration::from_millis(3));
    let (client, mut server) = served_with(builder);
    let mut streams = [client.approval_requests(), client.approval_requests()];
    for id in 0..300 {
        server.send(&approval(id, ""));
        let requests = streams.each_mut().map(|stream| stream.next_timeout(PATIENCE).unwrap());
        thread::sleep(Duration::from_micros(2500 + u64::try_from(id).unwrap() * 3));
        let answers =
            requests.map(|request| spawn_with(&client, move |client| client.approve_approval(&request)));
        let given = answers.map(|answer| answer.join().unwrap().is_ok());
        let answer = server.recv();
        assert_eq!(answer["id"], id);
        let accepted = usize::from(answer["result"]["decision"] == "accept");
        assert_eq!(given.iter().filter(|given| **given).count(), accepted);
        assert!(server.is_quiet());
    }
    await_that("nothing is kept", || client.stats().kept_bytes == 0);
}
