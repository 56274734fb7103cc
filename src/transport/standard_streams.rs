//! Keeps the numbers of the standard streams from what a connection opens.
//!
//! Relies on rustix. Invariant: what a connection opens after [`fill`] has none of these numbers, to which a program
//! writes and from which it reads without a thought.

use std::os::fd::{AsRawFd, IntoRawFd};

use rustix::fs::{Mode, OFlags, open};

/// The number of stderr.
const LAST: i32 = 2;

/// Opens the standard streams that are closed, as Rust's runtime does at the start of a program. They stay open: a
/// connection that is being set up by another thread relies on them too.
pub(crate) fn fill() {
    // Fails where there is no such file, or no descriptor is left, which whatever is opened next tells.
    while let Ok(null) = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        if null.as_raw_fd() > LAST {
            return;
        }
        let _ = null.into_raw_fd();
    }
}
