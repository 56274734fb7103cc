//! The tests of the C ABI.

mod header;
