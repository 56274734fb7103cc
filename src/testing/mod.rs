//! Test doubles for the server and the model (feature `testing`). They need no account and no network.
//!
//! Relies on the standard library, serde_json, parking_lot, log and tungstenite. Invariant: a test double
//! runs in memory or listens on loopback only, and dropping it ends its threads.
//!
//! [`ScriptedServer`] stands in for the *server*: it tests a program that uses this crate within one
//! process, or over a WebSocket on loopback. For control over every byte, use
//! [`Memory`](crate::Memory).
//!
//! [`ModelStub`] stands in for the *model*: a real `codex app-server`, configured with
//! [`ModelStub::write_home`], calls it like the model's provider.

mod connection;
mod hub;
#[cfg(feature = "websocket")]
mod listener;
mod loopback;
mod model;
mod replay;
mod script;
mod server;
mod threads;

#[cfg(feature = "websocket")]
pub use listener::ScriptedListener;
pub use model::{ModelReply, ModelRequest, ModelStub};
pub use script::TurnScript;
pub use server::{ScriptedServer, TurnRequest};
