//! Sends to Unix sockets without SIGPIPE, whose default action would kill this process.
//!
//! Relies on rustix. Invariant: this crate writes to no pipe, and to no Unix socket by another way. (std writes
//! to TCP sockets without the signal, but not to Unix sockets in all versions that this crate supports.)

use std::{
    io,
    os::{fd::AsFd, unix::net::UnixStream},
};

use rustix::net::{SendFlags, send};

/// A pair of connected sockets, the first of which is for [`write`].
pub(super) fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (own, other) = UnixStream::pair()?;
    // These systems have an option of the socket in place of a flag of the call.
    #[cfg(target_vendor = "apple")]
    rustix::net::sockopt::set_socket_nosigpipe(&own, true)?;
    Ok((own, other))
}

/// Writes to a socket of [`pair`], or to one of mio, which sets the same option.
pub(super) fn write(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(not(target_vendor = "apple"))]
    let flags = SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    let flags = SendFlags::empty();
    Ok(send(socket, bytes, flags)?)
}
