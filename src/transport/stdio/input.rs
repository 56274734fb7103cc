//! The child's standard input.
//!
//! Relies on `no_sigpipe`. Invariant: a write after the child has ended is an error, and never a signal that
//! kills this process. On Unix it is therefore a socket, where a pipe would raise SIGPIPE.

#[cfg(unix)]
pub(super) use self::socket::ChildInput;
#[cfg(not(unix))]
pub(super) use std::process::ChildStdin as ChildInput;

use std::{io, process::Command};

use shared_child::SharedChild;

/// This process's end, before the child runs.
pub(super) struct InputEnd(#[cfg(unix)] ChildInput);

impl InputEnd {
    /// Sets the child's stdin.
    #[cfg(unix)]
    pub(super) fn open(command: &mut Command) -> io::Result<InputEnd> {
        socket::open(command).map(InputEnd)
    }

    #[cfg(unix)]
    pub(super) fn of(self, _: &SharedChild) -> Option<ChildInput> {
        Some(self.0)
    }

    #[cfg(not(unix))]
    pub(super) fn open(command: &mut Command) -> io::Result<InputEnd> {
        command.stdin(std::process::Stdio::piped());
        Ok(InputEnd())
    }

    #[cfg(not(unix))]
    pub(super) fn of(self, child: &SharedChild) -> Option<ChildInput> {
        child.take_stdin()
    }
}

#[cfg(unix)]
mod socket {
    use std::{
        io::{self, Write},
        net::Shutdown,
        os::{
            fd::{AsFd, BorrowedFd, OwnedFd},
            unix::net::UnixStream,
        },
        process::{Command, Stdio},
    };

    use super::super::super::no_sigpipe;

    /// Dropping it is the end of the child's input, also while a forked process has a copy of the descriptor.
    #[derive(Debug)]
    pub(in super::super) struct ChildInput(UnixStream);

    pub(super) fn open(command: &mut Command) -> io::Result<ChildInput> {
        let (own, childs) = no_sigpipe::pair()?;
        command.stdin(Stdio::from(OwnedFd::from(childs)));
        Ok(ChildInput(own))
    }

    impl Write for &ChildInput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            no_sigpipe::write(&self.0, bytes)
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

    impl Drop for ChildInput {
        fn drop(&mut self) {
            // Fails if the child has closed its end.
            let _ = self.0.shutdown(Shutdown::Write);
        }
    }
}
