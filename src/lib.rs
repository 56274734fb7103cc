//! A blocking client of the Codex app-server.

mod setting;

pub use setting::Setting;
