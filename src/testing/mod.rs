//! Peers for tests, demos and benchmarks that need no account and no network (feature `testing`).
//!
//! Relies on the standard library, serde_json, parking_lot, log and tungstenite. Invariant: a peer is in memory or
//! listens on loopback only, and dropping it ends its threads.
//!
//! [`ScriptedServer`] stands in for the *server*: a program that uses this crate is tested against
//! it within one process, or over a WebSocket on loopback. For full control over every byte there is
//! [`Memory`](crate::Memory).
//!
//! [`ModelStub`] stands in for the *model*: a real `codex app-server` that is configured with
//! [`ModelStub::write_home`] talks to it as it would to the model's provider.

#[cfg(feature = "websocket")]
mod listener;
mod model;
mod script;
mod server;
mod threads;

#[cfg(feature = "websocket")]
pub use listener::ScriptedListener;
pub use model::{ModelReply, ModelRequest, ModelStub};
pub use script::TurnScript;
pub use server::{ScriptedServer, TurnRequest};
