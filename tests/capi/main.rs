//! The tests of the C ABI: the header, and programs in C and C++ against the library.
//!
//! Without a compiler of C nothing can be shown here, and the tests fail and say so.

mod fuzz;
mod header;
mod library;
mod programs;
mod signatures;
