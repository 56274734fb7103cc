//! Measures turns with many events, read through a child process. The result is the ratio to `limit`, the
//! lower bound for any client, within each group.
//!
//! `cargo bench -p benches --bench streaming` takes about two minutes; a filter such as `deltas` selects a group.

#[path = "support/flood.rs"]
mod flood;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/workloads.rs"]
mod workloads;

use peer::STDIO;

fn main() {
    peer::main(flood::serve, |criterion| {
        workloads::deltas(criterion, &STDIO);
        workloads::recorded(criterion);
        workloads::items(criterion, &STDIO);
        workloads::wave(criterion, &STDIO, &[1, 20, 200, 1_000]);
        workloads::one_after_another(criterion, &STDIO);
    });
}
