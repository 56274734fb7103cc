//! The child's standard input.
//!
//! Relies on `no_sigpipe`. Invariant: a write after the child has ended is an error, and never a signal that
//! kills this process.
//!
//! On Linux it is a pipe that is written with the signal blocked. Other Unix systems have no way to take back a
//! signal of a pipe, so it is a socket there, which costs some microseconds more per request.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use self::pipe::ChildInput;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(super) use self::socket::ChildInput;
#[cfg(not(unix))]
pub(super) use std::process::ChildStdin as ChildInput;

use std::{io, process::Command};

use shared_child::SharedChild;

/// This process's end, before the child runs.
pub(super) struct InputEnd(
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))] ChildInput,
);

#[cfg(any(target_os = "linux", target_os = "android", not(unix)))]
impl InputEnd {
    /// Sets the child's stdin.
    #[allow(clippy::unnecessary_wraps, reason = "a socket can fail to open")]
    pub(super) fn open(command: &mut Command) -> io::Result<InputEnd> {
        command.stdin(std::process::Stdio::piped());
        Ok(InputEnd())
    }

    pub(super) fn of(self, child: &SharedChild) -> Option<ChildInput> {
        child.take_stdin().map(ChildInput::from)
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
impl InputEnd {
    /// Sets the child's stdin.
    pub(super) fn open(command: &mut Command) -> io::Result<InputEnd> {
        socket::open(command).map(InputEnd)
    }

    pub(super) fn of(self, _: &SharedChild) -> Option<ChildInput> {
        Some(self.0)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod pipe {
    use std::{
        io::{self, Write},
        os::fd::{AsFd, BorrowedFd},
        process::ChildStdin,
    };

    use super::super::super::no_sigpipe::write_to_pipe;

    #[derive(Debug)]
    pub(in super::super) struct ChildInput(ChildStdin);

    impl From<ChildStdin> for ChildInput {
        fn from(pipe: ChildStdin) -> Self {
            ChildInput(pipe)
        }
    }

    impl Write for &ChildInput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            write_to_pipe(&self.0, bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl AsFd for ChildInput {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod socket {
    use std::{
        io::{self, Write},
        os::{
            fd::{AsFd, BorrowedFd, OwnedFd},
            unix::net::UnixStream,
        },
        process::{Command, Stdio},
    };

    use super::super::super::no_sigpipe::{socket_pair, write_to_socket};

    #[derive(Debug)]
    pub(in super::super) struct ChildInput(UnixStream);

    pub(super) fn open(command: &mut Command) -> io::Result<ChildInput> {
        let (own, childs) = socket_pair()?;
        command.stdin(Stdio::from(OwnedFd::from(childs)));
        Ok(ChildInput(own))
    }

    impl Write for &ChildInput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            write_to_socket(&self.0, bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl AsFd for ChildInput {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}
