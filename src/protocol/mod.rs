//! What travels: the envelope of a message, its kinds, and ids. No threads, no I/O.
//!
//! Relies on `setting` and serde. Invariant: whatever a peer sends, looking at its envelope
//! neither fails loudly nor loses the text.

pub(crate) mod envelope;
pub(crate) mod kind;
mod open;
pub(crate) mod outgoing;
mod request_id;

pub(crate) use open::open_enum;
pub use request_id::RequestId;

/// The JSON-RPC code with which the server refuses a request because it has too much to do.
pub(crate) const OVERLOADED: i64 = -32001;
/// "Method not found": what a client answers to a question it does not know.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
