//! A blocking client of the Codex app-server.

pub mod protocol;
mod setting;

pub use setting::Setting;
