//! Turns that flood, read through a child process, each beside the limit of any client: what is to
//! be read is the ratio to `limit` within a group.
//!
//! `cargo bench -p benches --bench streaming` takes about two minutes; a filter such
//! as `deltas` picks a group.

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
        workloads::items(criterion, &STDIO);
        workloads::wave(criterion, &STDIO, &[1, 20, 200, 1_000]);
        workloads::one_after_another(criterion, &STDIO);
    });
}
