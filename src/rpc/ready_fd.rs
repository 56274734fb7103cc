//! A descriptor that is readable while a stream is ready.
//!
//! Relies on the system: an eventfd on Linux, a pair of sockets elsewhere. Invariant: it never blocks, is closed in
//! child processes, and is readable from `set(true)` to `set(false)`, which alternate.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use self::event::ReadyFd;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use self::pair::ReadyFd;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod event {
    use std::os::fd::OwnedFd;

    use rustix::{
        event::{EventfdFlags, eventfd},
        io::{read, retry_on_intr, write},
    };

    use super::*;

    #[derive(Debug)]
    pub(crate) struct ReadyFd(OwnedFd);

    impl ReadyFd {
        pub(crate) fn new() -> io::Result<ReadyFd> {
            Ok(ReadyFd(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
        }

        pub(crate) fn borrow(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }

        pub(crate) fn set(&self, is_ready: bool) {
            // They fail only if it is set, or cleared, already.
            let _ = match is_ready {
                true => retry_on_intr(|| write(&self.0, &1_u64.to_ne_bytes())),
                false => retry_on_intr(|| read(&self.0, &mut [0; 8])),
            };
        }
    }
}

#[cfg(any(test, not(any(target_os = "linux", target_os = "android"))))]
mod pair {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    use super::*;

    #[derive(Debug)]
    pub(crate) struct ReadyFd {
        reader: UnixStream,
        writer: UnixStream,
    }

    impl ReadyFd {
        pub(crate) fn new() -> io::Result<ReadyFd> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(ReadyFd { reader, writer })
        }

        pub(crate) fn borrow(&self) -> BorrowedFd<'_> {
            self.reader.as_fd()
        }

        pub(crate) fn set(&self, is_ready: bool) {
            // One byte at most is on the way; it always fits.
            let _ = match is_ready {
                true => (&self.writer).write(&[1]),
                false => (&self.reader).read(&mut [0; 8]),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_readable(fd: BorrowedFd<'_>) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    fn it_is_readable_while_it_is_set() {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let event = event::ReadyFd::new().unwrap();
        let pair = pair::ReadyFd::new().unwrap();
        for is_ready in [true, false, true, false] {
            pair.set(is_ready);
            assert_eq!(is_readable(pair.borrow()), is_ready);
            #[cfg(any(target_os = "linux", target_os = "android"))]
            {
                event.set(is_ready);
                assert_eq!(is_readable(event.borrow()), is_ready);
            }
        }
    }
}
