//! Writes to sockets and pipes without SIGPIPE, whose default action would kill this process.
//!
//! Relies on rustix and nix. Invariant: this crate writes to no pipe, and to no Unix socket in another way. (std
//! writes to TCP sockets without the signal, but not to Unix sockets in all versions that this crate supports.)

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
};

use rustix::net::{SendFlags, send};

/// A pair of connected sockets, the first of which is for [`write_to_socket`].
pub(super) fn socket_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (own, other) = UnixStream::pair()?;
    // These systems have an option of the socket in place of a flag of the call.
    #[cfg(target_vendor = "apple")]
    rustix::net::sockopt::set_socket_nosigpipe(&own, true)?;
    Ok((own, other))
}

/// Writes to a socket of [`socket_pair`], or to one of mio, which sets the same option.
pub(super) fn write_to_socket(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(not(target_vendor = "apple"))]
    let flags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    let flags = SendFlags::empty();
    Ok(send(socket, bytes, flags)?)
}

/// Writes to a pipe while the signal is blocked in this thread.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn write_to_pipe(pipe: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    use nix::sys::{
        signal::{SigSet, SigmaskHow, Signal},
        signalfd::{SfdFlags, SignalFd},
    };
    use rustix::io::{Errno, write};

    let sigpipe = SigSet::from(Signal::SIGPIPE);
    let before = sigpipe.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let outcome = write(pipe, bytes);
    if before.contains(Signal::SIGPIPE) {
        return Ok(outcome?);
    }
    // The signal of this write, and of no other, is pending now.
    let is_taken = outcome != Err(Errno::PIPE)
        || SignalFd::with_flags(&sigpipe, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .and_then(|signals| signals.read_signal())
            .is_ok();
    // Otherwise it stays blocked in this thread, which is better than to be killed.
    if is_taken {
        before.thread_set_mask()?;
    }
    Ok(outcome?)
}
