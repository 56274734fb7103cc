//! Measures the processing of an event without a child, a pipe or a thread: the benchmark passes prepared
//! frames directly to the connection, and times receiving and reading separately.
//!
//! Uses its own transport: `Memory` would wake the consumer after each frame, which would dominate the
//! result. Times are per event.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::Duration,
};

use codex_blocking::{
    ChatRequest, Client, Notifications, ThreadConfig, ThreadHandle, Transport, TransportFailure,
    transport::{Link, Shutdown, Sink},
};
use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use serde_json::{Value, json};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    deltas(&mut criterion);
    items(&mut criterion);
    criterion.final_summary();
}

/// Accepts the frames. The server's responses are generated on the calling thread.
#[derive(Clone, Default)]
struct Direct(Arc<Mutex<Server>>);

#[derive(Default)]
struct Server {
    sink: Option<Sink>,
    turns: usize,
}

impl Direct {
    /// Hands over frames like a single read of the pipe.
    fn push<'a>(&self, frames: impl IntoIterator<Item = &'a str>) {
        let mut server = self.0.lock().expect("no panic");
        let sink = server.sink.as_mut().expect("connected");
        for frame in frames {
            assert_eq!(sink.frame(frame.as_bytes()), ControlFlow::Continue(()));
        }
        sink.flush();
    }
}

impl Transport for Direct {
    fn connect(&mut self, sink: Sink) -> codex_blocking::Result<Box<dyn Link>> {
        self.0.lock().expect("no panic").sink = Some(sink);
        Ok(Box::new(self.clone()))
    }
}

impl Link for Direct {
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        let message: Value = serde_json::from_slice(&message).expect("JSON");
        let Some(id) = message.get("id") else { return Ok(()) };
        let mut server = self.0.lock().expect("no panic");
        let result = match message["method"].as_str() {
            Some("initialize") => json!({"userAgent": "direct/0.169.0 (x)"}),
            Some("thread/start") => json!({"thread": {"id": THREAD}}),
            Some("turn/start") => {
                server.turns += 1;
                json!({"turn": {"id": turn_id(server.turns)}})
            }
            other => unreachable!("{other:?}"),
        };
        let sink = server.sink.as_mut().expect("connected");
        let reply = json!({"id": id, "result": result}).to_string();
        assert_eq!(sink.frame(reply.as_bytes()), ControlFlow::Continue(()));
        sink.flush();
        Ok(())
    }

    fn shutdown(&self, _: Shutdown) {
        self.0.lock().expect("no panic").sink = None;
    }
}

const THREAD: &str = "01a2057f-6bd1-7ff0-a82b-000000000001";

/// As long as a real id.
fn turn_id(number: usize) -> String {
    format!("01a2057f-6bd1-7972-bdb5-{number:012x}")
}

/// A connection, its server side, and the number of the next turn.
struct Bench {
    client: Client,
    server: Direct,
    thread: ThreadHandle,
}

impl Bench {
    fn new() -> Self {
        let server = Direct::default();
        let client = Client::connect(server.clone()).expect("a connection");
        let thread = client.start_thread(ThreadConfig::new()).expect("a thread");
        Bench { client, server, thread }
    }

    /// The id of the next turn.
    fn next_turn(&self) -> String {
        turn_id(self.server.0.lock().expect("no panic").turns + 1)
    }

    fn finish(&self, turn_id: &str) {
        let turn = json!({"id": turn_id, "status": "completed", "items": []});
        let end = json!({"method": "turn/completed", "params": {"threadId": THREAD, "turn": turn}});
        self.server.push([end.to_string().as_str()]);
    }
}

fn delta(turn_id: &str) -> String {
    format!(
        r#"{{"method":"item/agentMessage/delta","params":{{"threadId":"{THREAD}","turnId":"{turn_id}","itemId":"01a2057f-6bd1-78b3-a58a-000000000002","delta":"the quick brown fox jumps over t"}},"emittedAtMs":1780000000000}}"#
    )
}

/// Items with distinct ids, so that each yields a step.
fn completed_items(turn_id: &str, count: usize) -> Vec<String> {
    let text = "the quick brown fox jumps over the lazy dog and runs on and on\\n".repeat(16);
    let item = |number| {
        format!(
            r#"{{"method":"item/completed","params":{{"item":{{"type":"agentMessage","id":"01a2057f-6bd1-78b3-a58a-{number:012x}","text":"{text}","phase":"commentary"}},"threadId":"{THREAD}","turnId":"{turn_id}","completedAtMs":1780000000000}},"emittedAtMs":1780000000000}}"#
        )
    };
    (0..count).map(item).collect()
}

/// The operation of a stream that is measured: takes the available events, and counts them.
trait Drain {
    fn drain(&mut self) -> usize;
}

impl<T: codex_blocking::TurnItem> Drain for codex_blocking::TurnStream<T> {
    fn drain(&mut self) -> usize {
        std::iter::from_fn(|| self.try_next()).count()
    }
}

impl Drain for Notifications {
    fn drain(&mut self) -> usize {
        std::iter::from_fn(|| self.try_next()).count()
    }
}

/// The consumer of the events.
#[derive(Clone, Copy)]
enum Taker {
    /// The turn's only chat has been dropped.
    Nobody,
    Chat,
    ChatWithRawEvents,
    ChatEvents,
    Notifications,
}

impl Taker {
    fn open(self, bench: &Bench) -> Option<Box<dyn Drain>> {
        let request = ChatRequest::new("hello");
        match self {
            Taker::Nobody => {
                drop(bench.thread.chat(request).expect("a turn"));
                None
            }
            Taker::Chat => Some(Box::new(bench.thread.chat(request).expect("a turn"))),
            Taker::ChatWithRawEvents => {
                Some(Box::new(bench.thread.chat(request.keep_raw_events(true)).expect("a turn")))
            }
            Taker::ChatEvents => Some(Box::new(bench.thread.chat_events(request).expect("a turn"))),
            Taker::Notifications => {
                drop(bench.thread.chat(request).expect("a turn"));
                Some(Box::new(bench.client.notifications()))
            }
        }
    }
}

/// Times receiving the frames, and then the consumer.
fn arrive_and_take(criterion: &mut Criterion, name: &str, takers: &[(&str, Taker, usize)], frames: Frames) {
    let mut arrive = criterion.benchmark_group(format!("decode/{name} arrive"));
    configure(&mut arrive, frames.count);
    for &(name, taker, _) in takers {
        arrive.bench_function(name, |b| {
            b.iter_batched_ref(
                || Turn::open(taker, &frames),
                |turn| turn.bench.server.push(turn.frames.iter().map(String::as_str)),
                BatchSize::PerIteration,
            );
        });
    }
    arrive.finish();
    let mut take = criterion.benchmark_group(format!("decode/{name} take"));
    configure(&mut take, frames.count);
    for &(name, taker, expected) in takers.iter().filter(|taker| taker.2 > 0) {
        take.bench_function(name, |b| {
            b.iter_batched_ref(
                || {
                    let turn = Turn::open(taker, &frames);
                    turn.bench.server.push(turn.frames.iter().map(String::as_str));
                    turn
                },
                |turn| assert_eq!(turn.taker.as_mut().map(|taker| taker.drain()), Some(expected)),
                BatchSize::PerIteration,
            );
        });
    }
    take.finish();
}

fn configure(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, events: usize) {
    group.sample_size(30);
    // Each iteration needs its own connection and frames, whose setup takes longer than the measurement.
    group.sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(events as u64));
}

/// How the frames of a turn are made.
#[derive(Clone, Copy)]
struct Frames {
    make: fn(&str, usize) -> Vec<String>,
    count: usize,
}

/// A turn that runs, with the frames that are to come for it. Each has a connection of its own, so
/// that none sees what another left.
struct Turn {
    taker: Option<Box<dyn Drain>>,
    bench: Bench,
    turn_id: String,
    frames: Vec<String>,
}

impl Turn {
    fn open(taker: Taker, frames: &Frames) -> Turn {
        let bench = Bench::new();
        let turn_id = bench.next_turn();
        let taker = taker.open(&bench);
        let frames = (frames.make)(&turn_id, frames.count);
        Turn { taker, bench, turn_id, frames }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.bench.finish(&self.turn_id);
    }
}

fn deltas(criterion: &mut Criterion) {
    const COUNT: usize = 10_000;
    let takers = [
        ("nobody", Taker::Nobody, 0),
        // Deltas make no steps, and a chat that keeps nothing else does not see them.
        ("chat", Taker::Chat, 0),
        ("chat with raw events", Taker::ChatWithRawEvents, 0),
        ("chat_events", Taker::ChatEvents, COUNT),
        ("notifications", Taker::Notifications, COUNT),
    ];
    let make = |turn_id: &str, count| vec![delta(turn_id); count];
    arrive_and_take(criterion, "delta", &takers, Frames { make, count: COUNT });
}

fn items(criterion: &mut Criterion) {
    const COUNT: usize = 2_000;
    let takers = [
        ("nobody", Taker::Nobody, 0),
        ("chat", Taker::Chat, COUNT),
        ("chat_events", Taker::ChatEvents, COUNT),
        ("notifications", Taker::Notifications, COUNT),
    ];
    arrive_and_take(criterion, "item of 1 KiB", &takers, Frames { make: completed_items, count: COUNT });
}
