//! Runs code of the program whose panic must end nothing else.
//!
//! Relies on nothing. Invariant: what such code panics with is never dropped, since that may panic too.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The code has panicked.
#[derive(Debug)]
pub(crate) struct Panicked;

pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        std::mem::forget(payload);
        Panicked
    })
}
