//! The types of the protocol, as the server's own schemas describe them.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

mod accounts;
mod common;
mod config;
mod enums;
#[cfg(feature = "experimental")]
mod experimental;
#[cfg(feature = "experimental")]
mod experimental_objects;
mod notifications;
mod requests;
mod server_requests;
mod system;
mod threads;
mod tools;
mod turns;
#[cfg(feature = "types")]
mod types;
#[cfg(feature = "types")]
mod types_objects;
mod unions;

pub use accounts::*;
pub use common::*;
pub use config::*;
pub use enums::*;
#[cfg(feature = "experimental")]
pub use experimental::*;
#[cfg(feature = "experimental")]
pub use experimental_objects::*;
pub use notifications::*;
pub use requests::*;
pub use server_requests::*;
pub use system::*;
pub use threads::*;
pub use tools::*;
pub use turns::*;
#[cfg(feature = "types")]
pub use types::*;
#[cfg(feature = "types")]
pub use types_objects::*;
pub use unions::*;

#[allow(unused_imports, reason = "names that all files may use")]
use super::{ReasoningEffort, RequestId};

/// The version of codex whose schemas the types come from.
pub const CODEX_VERSION: &str = "0.169.0";
