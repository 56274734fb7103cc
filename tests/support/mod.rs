//! What the test programs share; `tests/README.md` has the list.
//!
//! Invariant: no part knows a test program; each program includes all of it and uses what it needs.

#![allow(dead_code, unused_macros, unused_imports, reason = "each test program uses its own part")]

pub(crate) mod cases;
pub(crate) mod daemon;
pub(crate) mod examples;
pub(crate) mod live;
pub(crate) mod memory;
pub(crate) mod probe;
pub(crate) mod real;
pub(crate) mod websocket;
