//! Turns that flood, read through a child process, each beside the limit of any client: what is to
//! be read is the ratio to `limit` within a group.
//!
//! `cargo bench --bench streaming` takes about two minutes; a filter such as `deltas` picks a group.

#[path = "support/flood.rs"]
mod flood;
#[path = "support/peer.rs"]
mod peer;

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use codex_blocking::{ChatRequest, Client, ThreadConfig, ThreadHandle, TurnEvent};
use criterion::{BenchmarkId, Criterion, Throughput, measurement::WallTime};
use peer::{DELTA, Limit, connect, sized};

type Group<'a> = criterion::BenchmarkGroup<'a, WallTime>;

fn main() {
    peer::main(|criterion| {
        deltas(criterion);
        items(criterion);
        wave(criterion);
        one_after_another(criterion);
    });
}

/// An iteration takes a tenth of a second: ten of them, and as much time as they need.
fn group<'a>(criterion: &'a mut Criterion, name: &str, elements: usize) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
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
fn deltas(criterion: &mut Criterion) {
    let count = sized(100_000);
    let text = format!("deltas {count} 32");
    let mut group = group(criterion, "streaming/deltas", count);
    {
        let mut limit = Limit::open();
        let threads = [limit.start_thread()];
        group.bench_function("limit", |b| b.iter(|| assert_eq!(limit.run(&threads, &text, DELTA), count)));
    }
    let client = connect();
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
    group.finish();
}

/// One turn of large items.
fn items(criterion: &mut Criterion) {
    const BYTES: usize = 20_000;
    let count = sized(1_000);
    let text = format!("items {count} {BYTES}");
    let mut group = group(criterion, "streaming/items", count);
    group.throughput(Throughput::Bytes((count * BYTES) as u64));
    {
        let mut limit = Limit::open();
        let threads = [limit.start_thread()];
        group.bench_function("limit", |b| {
            b.iter(|| assert_eq!(limit.run(&threads, &text, "item/completed"), count + 2));
        });
    }
    let client = connect();
    let thread = start_thread(&client);
    group.bench_function("chat", |b| b.iter(|| assert_eq!(count_steps(&thread, &text), count + 2)));
    group.bench_function("chat_events", |b| {
        b.iter(|| thread.chat_events(text.as_str()).expect("a turn").count());
    });
    group.finish();
}

/// Many turns at once on one connection, one caller each; as many events in all however many turns.
/// The callers' threads are there before the clock starts.
fn wave(criterion: &mut Criterion) {
    let mut group = group(criterion, "streaming/wave", sized(100_000));
    for turns in [1, 20, 200, 1_000] {
        let each = sized(100_000).div_ceil(turns);
        let text = format!("wave {turns} {each} 32");
        group.throughput(Throughput::Elements((turns * each) as u64));
        {
            let mut limit = Limit::open();
            let threads: Vec<String> = (0..turns).map(|_| limit.start_thread()).collect();
            group.bench_function(BenchmarkId::new("limit", turns), |b| {
                b.iter(|| assert_eq!(limit.run(&threads, &text, DELTA), turns * each));
            });
        }
        let client = connect();
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
        // Before the start: this thread may be the last to get a core again.
        let clock = Instant::now();
        ready.wait();
        let seen: usize = callers.into_iter().map(|caller| caller.join().expect("no panic")).sum();
        assert_eq!(seen, expected);
        clock.elapsed()
    })
}

/// Short turns, each started when the one before is over: what a turn costs apart from its events.
fn one_after_another(criterion: &mut Criterion) {
    let turns = sized(2_000);
    let mut group = group(criterion, "streaming/one after another", turns);
    {
        let mut limit = Limit::open();
        let threads = [limit.start_thread()];
        group.bench_function("limit", |b| {
            b.iter(|| (0..turns).for_each(|_| assert_eq!(limit.run(&threads, "hello", DELTA), 1)));
        });
    }
    let client = connect();
    let thread = start_thread(&client);
    group.bench_function("chat_once", |b| {
        b.iter(|| (0..turns).for_each(|_| drop(thread.chat_once("hello").expect("an answer"))));
    });
    group.bench_function("chat_events", |b| {
        b.iter(|| (0..turns).for_each(|_| assert_eq!(count_deltas(&thread, "hello"), 1)));
    });
    group.finish();
}
