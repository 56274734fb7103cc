//! Measures requests through a child process: a round trip, a server start, and a large response, each
//! relative to the minimum for any program (`limit`).
//!
//! `cargo bench -p benches --bench roundtrip` takes about half a minute.

#[path = "support/flood.rs"]
mod flood;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/workloads.rs"]
mod workloads;

use peer::STDIO;

fn main() {
    peer::main(flood::serve, |criterion| {
        workloads::round(criterion, &STDIO);
        workloads::start(criterion, &STDIO);
        workloads::large_reply(criterion, &STDIO);
    });
}
