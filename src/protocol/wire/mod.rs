//! Encoding of the protocol types: string enums, unions that preserve unknown members, and objects whose
//! optional fields may be invalid without failing the message.
//!
//! Relies on serde and on serde_json's raw values (other formats are not supported). Invariant: nothing
//! that the server sends is silently lost: it is stored raw, logged, or reported as an error.
//!
//! The macros take the types of `generated/` as plain declarations: one line per field, and less compile
//! time than with serde's derive.

mod decode;
pub(crate) mod milliseconds;
mod object;
mod string_enum;
#[cfg(test)]
mod tests;
mod union;
pub(crate) mod unix_seconds;

pub(crate) use decode::collect_warnings;
pub use decode::decode;
pub(crate) use object::*;
pub(crate) use string_enum::*;
pub use union::Unknown;
pub(crate) use union::*;
