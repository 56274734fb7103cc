//! The workloads, over any transport to the flooding server. The result is the ratio to `limit`, the
//! lower bound for any client, within each group.
//!
//! Relies on `peer`. Invariant: the client and the limit get the same workload, each from its own server
//! that does nothing else.

// Each benchmark uses a part of it.
#![allow(dead_code)]

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use codex_blocking::{
    ChatRequest, Client, Recorder, Stdio, ThreadConfig, ThreadHandle, Transcript, TurnEvent,
};
use criterion::{BenchmarkId, Criterion, Throughput, measurement::WallTime};
use serde_json::json;

use crate::peer::{DELTA, Over, SERVER, STDIO, connect_with, sized, this_binary};

type Group<'a> = criterion::BenchmarkGroup<'a, WallTime>;

/// An iteration takes about a tenth of a second: ten of them, with as much time as they need.
fn group<'a>(criterion: &'a mut Criterion, over: &Over, name: &str, elements: usize) -> Group<'a> {
    let mut group = criterion.benchmark_group(format!("{}/{name}", over.name));
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(elements as u64));
    group
}

fn start_thread(client: &Client) -> ThreadHandle {
    client.start_thread(ThreadConfig::new()).expect("a thread")
}

/// Reads a turn with `chat_events` and counts its text deltas.
fn count_deltas(thread: &ThreadHandle, text: &str) -> usize {
    let mut events = thread.chat_events(text).expect("a turn");
    let seen = events.by_ref().filter(|event| matches!(event, TurnEvent::TextDelta { .. })).count();
    assert!(events.error().is_none(), "{:?}", events.error());
    seen
}

/// Reads a turn with `chat` and counts its steps.
fn count_steps(thread: &ThreadHandle, text: &str) -> usize {
    let mut chat = thread.chat(text).expect("a turn");
    let seen = chat.by_ref().count();
    assert!(chat.error().is_none(), "{:?}", chat.error());
    seen
}

/// One turn of small deltas.
pub(crate) fn deltas(criterion: &mut Criterion, over: &Over) {
    let count = sized(100_000);
    let text = format!("deltas {count} 32");
    let mut group = group(criterion, over, "deltas", count);
    {
        let mut limit = (over.limit)();
        let threads = [limit.start_thread()];
        group.bench_function("limit", |b| b.iter(|| assert_eq!(limit.run(&threads, &text, DELTA), count)));
    }
    let client = (over.client)();
    let thread = start_thread(&client);
    for (name, keeps_raw) in [("chat_once", true), ("chat_once without raw events", false)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let request = ChatRequest::new(text.as_str()).keep_raw_events(keeps_raw);
                let result = thread.chat_once(request).expect("an answer");
                assert_eq!(result.raw_events.len() > count, keeps_raw);
                result
            });
        });
    }
    // The user's message and the answer.
    group.bench_function("chat", |b| b.iter(|| assert_eq!(count_steps(&thread, &text), 2)));
    group.bench_function("chat_events", |b| b.iter(|| assert_eq!(count_deltas(&thread, &text), count)));
    group.bench_function("chat_events into a transcript", |b| {
        b.iter(|| {
            let mut transcript = Transcript::default();
            thread.chat_events(text.as_str()).expect("a turn").for_each(|event| transcript.apply(&event));
            assert!(transcript.revision() >= count as u64);
            transcript
        });
    });
    group.finish();
}

/// The same turn with a recorder, masked and not, beside one without; the result is the ratio to `chat_events`.
pub(crate) fn recorded(criterion: &mut Criterion) {
    let count = sized(100_000);
    let text = format!("deltas {count} 32");
    let file = std::env::temp_dir().join(format!("codex-blocking-bench-{}.jsonl", std::process::id()));
    let mut group = group(criterion, &STDIO, "recorded", count);
    for (name, recorder) in
        [("chat_events", None), ("with a recorder", Some(false)), ("with an unmasked recorder", Some(true))]
    {
        let mut builder = Client::builder();
        if let Some(is_unmasked) = recorder {
            let recorder = Recorder::file(&file).expect("a file");
            builder = builder.record(if is_unmasked { recorder.unmasked() } else { recorder });
        }
        let client = connect_with(builder, Stdio::command([this_binary().as_str(), SERVER]));
        let thread = start_thread(&client);
        group.bench_function(name, |b| b.iter(|| assert_eq!(count_deltas(&thread, &text), count)));
        client.close().expect("no error");
    }
    group.finish();
    let _ = std::fs::remove_file(file);
}

/// One turn of large items.
pub(crate) fn items(criterion: &mut Criterion, over: &Over) {
    const BYTES: usize = 20_000;
    let count = sized(1_000);
    let text = format!("items {count} {BYTES}");
    let mut group = group(criterion, over, "items", count);
    group.throughput(Throughput::Bytes((count * BYTES) as u64));
    {
        let mut limit = (over.limit)();
        let threads = [limit.start_thread()];
        group.bench_function("limit", |b| {
            b.iter(|| assert_eq!(limit.run(&threads, &text, "item/completed"), count + 2));
        });
    }
    let client = (over.client)();
    let thread = start_thread(&client);
    group.bench_function("chat", |b| b.iter(|| assert_eq!(count_steps(&thread, &text), count + 2)));
    group.bench_function("chat_events", |b| {
        b.iter(|| thread.chat_events(text.as_str()).expect("a turn").count());
    });
    group.finish();
}

/// Concurrent turns on one connection, with one calling thread each; the total number of events is
/// constant. The threads are started before the clock.
pub(crate) fn wave(criterion: &mut Criterion, over: &Over, at_once: &[usize]) {
    let mut group = group(criterion, over, "wave", sized(100_000));
    for &turns in at_once {
        let each = sized(100_000).div_ceil(turns);
        let text = format!("wave {turns} {each} 32");
        group.throughput(Throughput::Elements((turns * each) as u64));
        {
            let mut limit = (over.limit)();
            let threads: Vec<String> = (0..turns).map(|_| limit.start_thread()).collect();
            group.bench_function(BenchmarkId::new("limit", turns), |b| {
                b.iter(|| assert_eq!(limit.run(&threads, &text, DELTA), turns * each));
            });
        }
        let client = (over.client)();
        let threads: Vec<ThreadHandle> = (0..turns).map(|_| start_thread(&client)).collect();
        group.bench_function(BenchmarkId::new("chat_events", turns), |b| {
            b.iter_custom(|rounds| (0..rounds).map(|_| one_wave(&threads, &text, turns * each)).sum());
        });
    }
    group.finish();
}

fn one_wave(threads: &[ThreadHandle], text: &str, expected: usize) -> Duration {
    let ready = &Barrier::new(threads.len() + 1);
    std::thread::scope(|scope| {
        let read = |thread| {
            move || {
                ready.wait();
                count_deltas(thread, text)
            }
        };
        let callers: Vec<_> = threads.iter().map(|thread| scope.spawn(read(thread))).collect();
        // Before the start: this thread may be the last to be scheduled again.
        let clock = Instant::now();
        ready.wait();
        let seen: usize = callers.into_iter().map(|caller| caller.join().expect("no panic")).sum();
        assert_eq!(seen, expected);
        clock.elapsed()
    })
}

/// Short sequential turns: the cost of a turn apart from its events.
pub(crate) fn one_after_another(criterion: &mut Criterion, over: &Over) {
    let turns = sized(2_000);
    let mut group = group(criterion, over, "one after another", turns);
    {
        let mut limit = (over.limit)();
        let threads = [limit.start_thread()];
        group.bench_function("limit", |b| {
            b.iter(|| (0..turns).for_each(|_| assert_eq!(limit.run(&threads, "hello", DELTA), 1)));
        });
    }
    let client = (over.client)();
    let thread = start_thread(&client);
    group.bench_function("chat_once", |b| {
        b.iter(|| (0..turns).for_each(|_| drop(thread.chat_once("hello").expect("an answer"))));
    });
    group.bench_function("chat_events", |b| {
        b.iter(|| (0..turns).for_each(|_| assert_eq!(count_deltas(&thread, "hello"), 1)));
    });
    group.finish();
}

/// Small requests with small responses, sequentially.
pub(crate) fn round(criterion: &mut Criterion, over: &Over) {
    let mut group = criterion.benchmark_group(format!("{}/request", over.name));
    group.measurement_time(Duration::from_secs(3));
    {
        let mut limit = (over.limit)();
        // No threads, no JSON: one write, one read.
        group.bench_function("limit", |b| b.iter(|| limit.round("config/read")));
    }
    let client = (over.client)();
    group.bench_function("request", |b| {
        b.iter(|| client.request("config/read", json!({})).expect("an answer"));
    });
    group.finish();
}

/// From before the server is spawned until its first response. Stopping the server is not measured.
pub(crate) fn start(criterion: &mut Criterion, over: &Over) {
    let mut group = criterion.benchmark_group(format!("{}/start", over.name));
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(3));
    group.bench_function("limit", |b| {
        b.iter_custom(|rounds| {
            let one = |_| {
                let clock = Instant::now();
                let limit = (over.limit)();
                let time = clock.elapsed();
                drop(limit);
                time
            };
            (0..rounds).map(one).sum()
        });
    });
    group.bench_function("connect and initialize", |b| {
        b.iter_custom(|rounds| {
            let one = |_| {
                let clock = Instant::now();
                let client = (over.client)();
                let time = clock.elapsed();
                drop(client);
                time
            };
            (0..rounds).map(one).sum()
        });
    });
    group.finish();
}

/// A response with one large string. `request` returns a tree, so it copies the string once.
pub(crate) fn large_reply(criterion: &mut Criterion, over: &Over) {
    let bytes = sized(20_000_000);
    let mut group = criterion.benchmark_group(format!("{}/large reply", over.name));
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Bytes(bytes as u64));
    {
        let mut limit = (over.limit)();
        let params = json!({ "bytes": bytes }).to_string();
        group.bench_function("limit", |b| {
            b.iter(|| {
                limit.request("config/read", &params);
                assert!(limit.wait_for_reply() > bytes);
            });
        });
    }
    let client = (over.client)();
    group.bench_function("request", |b| {
        b.iter(|| client.request("config/read", json!({ "bytes": bytes })).expect("an answer"));
    });
    group.finish();
}
