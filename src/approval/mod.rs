//! What the server asks, and what it is answered.
//!
//! Relies on `protocol` and `connection`. Invariant: nothing is granted by default, and no question
//! stays without an answer.

mod safe;

pub(crate) use safe::safe_answer;
