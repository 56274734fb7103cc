//! What travels: the types of the protocol, and how they are read and written.
//!
//! Relies on serde, serde_json and [`Setting`](crate::Setting); no threads, no I/O. Invariant: what
//! a newer server sends is kept, never refused: unknown fields are skipped, unknown words and union
//! members keep what they are (`Other`, [`Unknown`]).
//!
//! The types below [`generated`] come from the schema that the server itself gives out, whose
//! structure is kept in `tests/schema`. They are re-exported here and bear the schema's own names.
//! Fields that a server may leave out or set to null are `Option`s (a broken one reads as `None`,
//! with a warning in the log); in the parameters of requests, where null and absence differ, they
//! are [`Setting`](crate::Setting)s.
//!
//! Whether they agree with the schema is a test. Rewriting them, after a change of the generator
//! or of the schema:
//!
//! ```text
//! CODEGEN=write cargo test --test codegen
//! ```
//!
//! Going to another version of the server (`drift` only tells what would change):
//!
//! ```text
//! codex app-server generate-json-schema --out SCHEMAS/stable
//! codex app-server generate-json-schema --out SCHEMAS/experimental --experimental
//! codex --version > SCHEMAS/VERSION
//! CODEGEN=drift CODEX_SCHEMA_DIR=SCHEMAS cargo test --test codegen -- --nocapture
//! CODEGEN=import CODEX_SCHEMA_DIR=SCHEMAS cargo test --test codegen
//! CODEGEN=write cargo test --test codegen
//! ```

pub mod generated;
mod id;
mod open;
mod request;

pub use generated::*;
pub use id::RequestId;
pub use open::{Unknown, decode};
pub use request::{ClientRequest, MethodInfo, ServerRequestParams};
