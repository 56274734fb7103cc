//! What travels: the types of the protocol, and how they are read and written.
//!
//! Relies on serde, serde_json and [`Setting`](crate::Setting); no threads, no I/O. Invariant:
//! whatever a peer sends, looking at its envelope neither fails loudly nor loses the text, and what
//! a newer server sends is kept, never refused: unknown fields are skipped, unknown words and union
//! members keep what they are (`Other`, [`Unknown`]).
//!
//! Nearly all types come from the schema that the server itself gives out, whose structure is kept in
//! `tests/schema`. They bear the schema's own names. What would clash with a word of Rust ends in an
//! underscore; what would clash with a name of this crate's root has a longer one (`McpTool`,
//! [`ServerRequestMessage`]), so that a program may import all of both.
//!
//! Fields that a server may leave out or set to null are `Option`s, and a broken one reads as `None`,
//! with a warning in the log; in the parameters of requests, where null and absence differ, they are
//! [`Setting`](crate::Setting)s. A missing or broken field that is required is an error that names
//! the path, except inside of a union, which then keeps the raw JSON. Lists of unions thus lose
//! nothing but the broken member.
//!
//! Three groups of them, by who needs them: what comes from the server, and the requests behind this
//! crate's own methods, are always there. The requests that only
//! [`Client::call`](crate::Client::call) sends need the feature `types`, which is on by default, the
//! experimental ones the feature `experimental`. No type changes with a feature, and [`REQUESTS`]
//! lists methods whose types are left out, too.
//!
//! What is here follows the server, not semantic versioning: a minor version of this crate may change
//! these types as the server changes its own, and adds fields and variants at any time. Name what you
//! use, keep `..` and `_` in patterns, and pin the minor version (`~0.1`) where that is not enough. The
//! rest of the crate is under semantic versioning, the names of types that the root re-exports included,
//! but not their fields and variants.
//!
//! Written by hand are [`RequestId`], and [`ReasoningEffort`], whose words the schema leaves open.
//!
//! Whether the types agree with the schema is a test. Rewriting them, after a change of the generator
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
//! CODEX_SCHEMA_DIR=SCHEMAS cargo test --test protocol another_version -- --ignored
//! CODEGEN=import CODEX_SCHEMA_DIR=SCHEMAS cargo test --test codegen
//! CODEGEN=write cargo test --test codegen
//! ```

mod effort;
pub(crate) mod envelope;
mod generated;
pub(crate) mod outgoing;
pub(crate) mod repair;
mod request;
mod request_id;
pub(crate) mod wire;

pub use effort::ReasoningEffort;
pub use generated::*;
pub use request::{ClientRequest, MethodInfo, ServerRequestParams};
pub use request_id::RequestId;
pub use wire::{Unknown, decode};

/// "Method not found": the answer to a request of an unknown method.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
/// "Invalid params": the request lacks something without which it can't be decided.
pub(crate) const INVALID_PARAMS: i64 = -32602;
/// "Internal error": the request is known, but nobody has an answer to it.
pub(crate) const INTERNAL_ERROR: i64 = -32603;
