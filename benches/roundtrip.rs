//! Requests through a child process: the time of a round, of a start, and of a large answer, each
//! beside the least that any program would take for it (`limit`).
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
