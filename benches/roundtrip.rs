//! Requests through a child process: the time of a round, of a start, and of a large answer, each
//! beside the least that any program would take for it (`limit`).
//!
//! `cargo bench --bench roundtrip` takes about half a minute.

#[path = "support/flood.rs"]
mod flood;
#[path = "support/peer.rs"]
mod peer;

use std::time::{Duration, Instant};

use codex_blocking::Client;
use criterion::{Criterion, Throughput};
use peer::{Limit, connect, sized};
use serde_json::json;

fn main() {
    peer::main(|criterion| {
        round(criterion);
        start(criterion);
        large_reply(criterion);
    });
}

/// A small request and its small answer, one after the other.
fn round(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("roundtrip/request");
    group.measurement_time(Duration::from_secs(3));
    {
        let mut limit = Limit::open();
        let mut reply = String::new();
        // Neither threads nor JSON: a write, a read.
        group.bench_function("limit", |b| b.iter(|| limit.round("config/read", &mut reply)));
    }
    let client = connect();
    group.bench_function("request", |b| {
        b.iter(|| client.request("config/read", json!({})).expect("an answer"));
    });
    group.finish();
}

/// From before the server is spawned to its first answer. The end of the server is not measured.
fn start(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("roundtrip/start");
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(3));
    group.bench_function("limit", |b| {
        b.iter_custom(|rounds| {
            let one = |_| {
                let clock = Instant::now();
                let limit = Limit::open();
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
                let client = Client::connect(peer::transport()).expect("the server starts");
                client.initialize().expect("an answer");
                let time = clock.elapsed();
                drop(client);
                time
            };
            (0..rounds).map(one).sum()
        });
    });
    group.finish();
}

/// An answer with one large string. `request` gives a tree, so it copies the string once.
fn large_reply(criterion: &mut Criterion) {
    let bytes = sized(20_000_000);
    let mut group = criterion.benchmark_group("roundtrip/large reply");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Bytes(bytes as u64));
    {
        let mut limit = Limit::open();
        let params = json!({ "bytes": bytes }).to_string();
        group.bench_function("limit", |b| {
            b.iter(|| {
                limit.request("config/read", &params);
                assert!(limit.wait_for_reply() > bytes);
            });
        });
    }
    let client = connect();
    group.bench_function("request", |b| {
        b.iter(|| client.request("config/read", json!({ "bytes": bytes })).expect("an answer"));
    });
    group.finish();
}
