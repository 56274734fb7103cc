//! Peers for tests, demos and benchmarks that need no account and no network (feature `testing`).
//!
//! Relies on the standard library, serde_json, parking_lot and log. Invariant: a peer listens on loopback
//! only, and dropping it ends its threads.
//!
//! [`ModelStub`] stands in for the *model*: a real `codex app-server` that is configured with
//! [`ModelStub::write_home`] talks to it as it would to the model's provider.

mod model;

pub use model::{ModelReply, ModelRequest, ModelStub};
