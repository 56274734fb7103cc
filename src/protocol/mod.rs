//! The protocol's messages and types, and their encoding.
//!
//! Relies on serde, serde_json and [`Setting`](crate::Setting); no threads, no I/O. Invariant: parsing
//! the envelope of any received message neither panics nor loses its text, and data from a newer server
//! is preserved rather than rejected: unknown fields are skipped, unknown enum values and union members
//! are preserved (`Other`, [`Unknown`]).
//!
//! Nearly all types are generated from the schema that the server exports, whose structure is
//! stored in `tests/schema`. They have the schema's names; a name that would conflict with a Rust keyword ends in an
//! underscore, and one that would conflict with a name of this crate's root has a longer one (`McpTool`,
//! [`ServerRequestMessage`]), so that a program can import everything from both. Fields that a server
//! may omit or set to null are `Option`s, and an invalid one decodes to `None`, with a warning in the
//! log; in request parameters, where null and absence differ, they are [`Setting`](crate::Setting)s. A
//! missing or invalid required field is an error that contains its path, except inside a union, which
//! then stores the raw JSON. A list of unions thus only loses the invalid member.
//!
//! The types fall into three groups. Types that the server sends, and those of the requests behind this
//! crate's own methods, are always available. Requests that are only sent through
//! [`Client::call`](crate::Client::call) require the feature `types`, which is enabled by default;
//! experimental requests require the feature `experimental`. Features don't change types, and
//! [`REQUESTS`] also lists methods whose types are not compiled.
//!
//! This module follows the server rather than semantic versioning: a minor version of this crate may
//! change these types as the server changes its own, and adds fields and variants at any time. Keep `..`
//! and `_` in patterns, and pin the minor version (`~0.1`) where that is not enough. The rest of the crate
//! follows semantic versioning, including the names of the types that the root re-exports, but not their
//! fields and variants.
//!
//! [`RequestId`] is written by hand, and so is [`ReasoningEffort`], whose values the schema doesn't
//! define.
//!
//! A test verifies that the types match the schema. To regenerate them after a change of the generator or
//! the schema:
//!
//! ```text
//! CODEGEN=write cargo test --test offline codegen
//! ```
//!
//! To update to another version of the server (`drift` only reports what would change):
//!
//! ```text
//! codex app-server generate-json-schema --out SCHEMAS/stable
//! codex app-server generate-json-schema --out SCHEMAS/experimental --experimental
//! codex --version > SCHEMAS/VERSION
//! CODEGEN=drift CODEX_SCHEMA_DIR=SCHEMAS cargo test --test offline codegen -- --nocapture
//! CODEX_SCHEMA_DIR=SCHEMAS cargo test --test offline another_version -- --ignored
//! CODEGEN=import CODEX_SCHEMA_DIR=SCHEMAS cargo test --test offline codegen
//! CODEGEN=write cargo test --test offline codegen
//! ```

mod effort;
pub(crate) mod envelope;
mod generated;
pub(crate) mod outgoing;
pub(crate) mod raw_json;
pub(crate) mod repair;
mod request;
mod request_id;
mod unified_diff;
pub(crate) mod wire;

pub use effort::ReasoningEffort;
pub use generated::*;
pub use request::{ClientRequest, MethodInfo, ServerRequestParams};
pub use request_id::RequestId;
pub use wire::{Unknown, decode};

/// "Invalid request": what the server answers for nearly everything that it refuses.
pub(crate) const INVALID_REQUEST: i64 = -32600;
/// "Method not found": the response to an unknown server request.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
/// "Invalid params": the request lacks something without which it can't be decided.
pub(crate) const INVALID_PARAMS: i64 = -32602;
/// "Internal error": the response to a known server request that nothing handles.
pub(crate) const INTERNAL_ERROR: i64 = -32603;
