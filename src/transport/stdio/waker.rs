//! Polling of pipes that another thread can wake.
//!
//! Relies on rustix and `no_sigpipe`. Invariant: a wake-up before the poll ends it immediately; none is lost.

use std::{
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

use rustix::{event::PollFd, io::Errno};

use super::super::no_sigpipe;

/// Wakes a thread that waits in [`poll`].
#[derive(Debug)]
pub(super) struct Waker(UnixStream);

/// The end that is polled for wake-ups.
#[derive(Debug)]
pub(super) struct WakeSignals(UnixStream);

pub(super) fn waker() -> io::Result<(Waker, WakeSignals)> {
    let (waker, wakeups) = no_sigpipe::socket_pair()?;
    waker.set_nonblocking(true)?;
    wakeups.set_nonblocking(true)?;
    Ok((Waker(waker), WakeSignals(wakeups)))
}

impl Waker {
    pub(super) fn wake(&self) {
        // Fails if wake-ups are already pending, or if no thread waits any more.
        let _ = no_sigpipe::write_to_socket(&self.0, &[1]);
    }
}

impl WakeSignals {
    pub(super) fn clear(&self) {
        let mut seen = [0; 64];
        while (&self.0).read(&mut seen).is_ok_and(|length| length == seen.len()) {}
    }
}

impl AsFd for WakeSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits, without a limit, until one of the descriptors is ready. An interruption counts as ready.
pub(super) fn poll(waited: &mut [PollFd<'_>]) -> io::Result<()> {
    match rustix::event::poll(waited, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
