//! A blocking client of the Codex app-server.

mod setting;
#[cfg(feature = "testing")]
pub mod testing;

pub use setting::Setting;
