//! Measures streams in event loops: how soon a program is told, what that costs in a flood, and what a window pays
//! while turns stream into it.
//!
//! `cargo bench -p benches --bench event_loops` takes about half a minute, and prints tables. The server is in
//! this process (`Memory`), so that its pace is known. Invariant: what is compared runs one after another in one
//! run, with the same load.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{ChatEvents, ChatRequest, Client, Memory, TurnEvent, transport::Peer};
use crossbeam_channel::{Receiver, bounded};
use serde_json::{Value, json};

/// Answers what comes until the turns that are asked for run, and hands over the connection.
fn serve(turns: usize) -> (Client, Vec<ChatEvents>, Peer) {
    let (hand_over, connections) = mpsc::channel();
    let transport = Memory::new(move |peer| drop(hand_over.send(peer)));
    let client = Client::builder().inactivity_timeout(None).connect(transport).expect("a client");
    let mut peer: Peer = connections.recv().expect("a connection");
    let server = thread::spawn(move || {
        let mut begun = 0;
        while begun < turns {
            let text = peer.recv().expect("a request");
            let request: Value = serde_json::from_str(&text).expect("JSON");
            let result = match request["method"].as_str() {
                Some("initialize") => json!({ "userAgent": "bench/0.169.0 (x)" }),
                Some("thread/start") => json!({ "thread": { "id": format!("t{begun}") } }),
                Some("turn/start") => {
                    begun += 1;
                    let turn =
                        json!({ "id": format!("u{}", begun - 1), "items": [], "status": "inProgress" });
                    json!({ "turn": turn })
                }
                _ => continue,
            };
            peer.send(&json!({ "id": request["id"], "result": result }).to_string());
        }
        peer
    });
    let chats = (0..turns).map(|_| client.chat_events(ChatRequest::new("go")).expect("a turn")).collect();
    (client, chats, server.join().expect("the server"))
}

fn delta(turn: usize) -> String {
    let params = json!({ "threadId": format!("t{turn}"), "turnId": format!("u{turn}"), "itemId": "m", "delta": "some words" });
    json!({ "method": "item/agentMessage/delta", "params": params }).to_string()
}

fn end(turn: usize) -> String {
    let ended = json!({ "id": format!("u{turn}"), "items": [], "status": "completed" });
    json!({ "method": "turn/completed", "params": { "threadId": format!("t{turn}"), "turn": ended } })
        .to_string()
}

/// The duration that this part of them does not exceed.
fn quantile(sorted: &[Duration], part: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort_unstable();
    times
}

/// From the arrival of a frame to the call, beside a message from one thread to another.
fn latency() {
    const ROUNDS: usize = 3_000;
    const PAUSE: Duration = Duration::from_micros(500);
    let (client, mut chats, mut peer) = serve(1);
    let chat = &mut chats[0];
    let (tell, told) = bounded(1);
    chat.on_ready(move || {
        let _ = tell.send(Instant::now());
    });
    let text = delta(0);
    let (sent, received) = bounded::<Instant>(1);
    let (answer, answered) = bounded(1);
    let bare = thread::spawn(move || {
        for sent_at in received {
            let took = sent_at.elapsed();
            answer.send(took).expect("the bench");
        }
    });
    let (mut calls, mut messages) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        thread::sleep(PAUSE);
        let begun = Instant::now();
        peer.send(&text);
        calls.push(told.recv().expect("a call").saturating_duration_since(begun));
        while chat.try_next().is_some() {}
        thread::sleep(PAUSE);
        sent.send(Instant::now()).expect("the other thread");
        messages.push(answered.recv().expect("an answer"));
    }
    drop(sent);
    bare.join().expect("the other thread");
    println!("\nlatency                              p50         p99");
    for (name, times) in
        [("bare message to a thread", sorted(messages)), ("frame's arrival to on_ready", sorted(calls))]
    {
        println!("{name:<30} {:>9.1?} {:>11.1?}", quantile(&times, 0.5), quantile(&times, 0.99));
    }
    drop((chats, client, peer));
}

/// A flood, read by a thread in `next`, and by one that looks when it is called.
fn flood() {
    const EVENTS: usize = 1_000_000;
    println!("\nflood of {EVENTS} deltas             events/s     wake-ups");
    for name in ["next", "on_ready", "next", "on_ready"] {
        let (client, mut chats, mut peer) = serve(1);
        let mut chat = chats.remove(0);
        let (tell, told) = bounded(1);
        if name == "on_ready" {
            chat.on_ready(move || {
                let _ = tell.try_send(());
            });
        }
        let begun = Instant::now();
        let server = thread::spawn(move || {
            let text = delta(0);
            for _ in 0..EVENTS {
                peer.send(&text);
            }
            peer.send(&end(0));
            peer
        });
        let is_delta = |event: &TurnEvent| matches!(event, TurnEvent::TextDelta { .. });
        let (mut seen, mut calls) = (0, 0);
        if name == "next" {
            seen = chat.by_ref().filter(is_delta).count();
        }
        while !chat.is_ended() {
            told.recv().expect("a call");
            calls += 1;
            seen += std::iter::from_fn(|| chat.try_next()).filter(is_delta).count();
        }
        let rate = seen as f64 / begun.elapsed().as_secs_f64();
        assert_eq!(seen, EVENTS, "events were lost");
        println!("{name:<30} {rate:>12.0} {calls:>12}");
        drop((chat, client, server.join().expect("the server")));
    }
}

const FRAME: Duration = Duration::from_nanos(16_666_667);

/// What a window does for each frame: takes everything from all chats.
fn draw(chats: &mut [ChatEvents]) -> usize {
    chats.iter_mut().map(|chat| std::iter::from_fn(|| chat.try_next()).count()).sum()
}

/// The CPU time of this process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// Three turns stream into a loop of 60 Hz, which polls in each frame, or draws one only when it was woken.
fn window(is_polling: bool, per_second: u32) {
    const LIMIT: Duration = Duration::from_secs(5);
    let (client, mut chats, mut peer) = serve(3);
    let (tell, told): (_, Receiver<()>) = bounded(1);
    if !is_polling {
        for chat in &chats {
            let tell = tell.clone();
            chat.on_ready(move || {
                let _ = tell.try_send(());
            });
        }
    }
    let server = thread::spawn(move || {
        let texts: Vec<String> = (0..3).map(delta).collect();
        let begun = Instant::now();
        let mut sent = 0;
        while per_second > 0 && begun.elapsed() < LIMIT {
            peer.send(&texts[sent as usize % 3]);
            sent += 1;
            let next = Duration::from_secs_f64(f64::from(sent) / f64::from(per_second));
            thread::sleep(next.saturating_sub(begun.elapsed()));
        }
        (peer, sent as usize)
    });
    let (begun, used) = (Instant::now(), cpu());
    let (mut seen, mut frames, mut next_frame) = (0, Vec::new(), Instant::now());
    while begun.elapsed() < LIMIT {
        let is_woken = is_polling || told.recv_timeout(LIMIT.saturating_sub(begun.elapsed())).is_ok();
        if !is_woken {
            break;
        }
        thread::sleep(next_frame.saturating_duration_since(Instant::now()));
        next_frame = Instant::now() + FRAME;
        let drawing = Instant::now();
        seen += draw(&mut chats);
        frames.push(drawing.elapsed());
    }
    let (took, used) = (begun.elapsed(), cpu().saturating_sub(used));
    let (peer, sent) = server.join().expect("the server");
    seen += draw(&mut chats);
    assert_eq!(seen, sent, "events were lost");
    let (count, frames) = (frames.len(), sorted(frames));
    let name = if is_polling { "polling" } else { "on_ready" };
    let times = match frames.is_empty() {
        true => format!("{:>10} {:>10}", "-", "-"),
        false => format!("{:>10.1?} {:>10.1?}", quantile(&frames, 0.5), quantile(&frames, 0.99)),
    };
    println!(
        "{name:<10} {per_second:>9} {:>12.1} {:>9.2} % {times}",
        count as f64 / took.as_secs_f64(),
        100.0 * used.as_secs_f64() / took.as_secs_f64(),
    );
    drop((chats, client, peer));
}

fn main() {
    latency();
    flood();
    println!("\nthree turns  events/s  frames/s        CPU   frame p50  frame p99");
    for per_second in [371, 3_000, 0] {
        for is_polling in [true, false] {
            window(is_polling, per_second);
        }
    }
}
