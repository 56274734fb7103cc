//! All tests that need no server of OpenAI's: scripted servers in memory and on sockets, the types, the guide.
//!
//! Relies on `support`. Invariant: the tests of all modules run at once, in one process; one that changes or
//! counts what belongs to the process runs itself again in a process of its own (`support/probe.rs`).

#[path = "../support/mod.rs"]
mod support;

mod account;
mod any_order;
mod api;
mod chat;
mod codegen;
mod config;
mod event_loops;
mod examples;
mod excerpts;
mod exec;
mod file_changes;
mod follow;
mod guide;
mod history;
mod hostile;
mod input;
mod limits;
mod load;
mod parameters;
mod protocol;
#[cfg(target_os = "linux")]
mod public_api;
mod questions;
mod recorder;
mod requests;
mod results;
mod scripted;
mod secrets;
mod serialization;
mod server_requests;
mod strange;
mod structured_answers;
mod sub_agents;
mod threads;
mod tools;
mod transcript;
mod transcripts;
mod turns;
mod typed;
#[cfg(unix)]
mod unix_socket;
mod unload;
mod websocket;
