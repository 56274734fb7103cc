//! The tests of the C ABI: the header, and programs in C and C++ against the library.
//!
//! Without a compiler of C nothing can be shown here, and the tests fail and say so.

mod fuzz;
mod header;
mod library;
mod node;
mod programs;
#[path = "../support/real.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod real;
mod signatures;
