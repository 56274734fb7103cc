//! How protocol types are read and written: open enums, unions that keep what they don't know, and
//! objects whose optional parts may be broken without taking the message with them.
//!
//! Relies on serde and on serde_json's raw values (other formats are not supported). Invariant:
//! nothing a peer sends is lost without a trace: it is kept raw, or logged, or an error.
//!
//! The macros take the types of `generated/` as plain declarations, so that a hundred fields cost a
//! hundred lines, and so that compiling them costs less than serde's derive would.

mod decode;
mod object;
#[cfg(test)]
mod tests;
mod union;
mod words;

pub(crate) use decode::collect_warnings;
pub use decode::decode;
pub(crate) use object::*;
pub use union::Unknown;
pub(crate) use union::*;
pub(crate) use words::*;
