//! Tells the program that a stream has something to take: by a call, by a channel, by a descriptor.
//!
//! Relies on `notifier`, and on `mailbox` and the streams to say what happens. Invariant: a stream is ready from
//! when something comes until its consumer finds nothing, and for good once the end was taken; each time
//! that it becomes ready the program's function is called once. What nobody asks for costs nothing.
//!
//! Locks: a mailbox, then the readiness of its stream, then its callback. The system calls for a descriptor are
//! made under the lock of the readiness, so that they are in order; they don't block.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
#[cfg(unix)]
use std::{io, os::fd::BorrowedFd};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Mutex, MutexGuard};

use super::notifier::{Callback, Notifier};
#[cfg(unix)]
use super::ready_fd::ReadyFd;

/// How a stream tells that it is ready, from the first time that anybody asks. Its drop ends the calls.
#[derive(Debug, Default)]
pub(crate) struct Signal(OnceLock<Arc<Readiness>>);

impl Signal {
    /// The readiness, if anybody has asked for it.
    pub(crate) fn asked(&self) -> Option<&Readiness> {
        self.0.get().map(|readiness| &**readiness)
    }

    /// The readiness. `attach` makes a new one known to the mailbox of the stream, and says what is there.
    pub(crate) fn ask(&self, notifier: &Arc<Notifier>, attach: impl FnOnce(&Arc<Readiness>)) -> &Readiness {
        self.0.get_or_init(|| {
            let readiness = Readiness::new(notifier);
            attach(&readiness);
            readiness
        })
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        if let Some(readiness) = self.0.get() {
            readiness.callback.close();
        }
    }
}

/// Whether a stream has something to take, and who wants to know.
#[derive(Debug)]
pub(crate) struct Readiness {
    notifier: Arc<Notifier>,
    callback: Arc<Callback>,
    state: Mutex<ReadinessState>,
    /// Whether anybody has the channel. Outside of the lock, since messages are put in for each event.
    has_channel: AtomicBool,
    #[cfg(unix)]
    descriptor: OnceLock<ReadyFd>,
}

#[derive(Debug, Default)]
struct ReadinessState {
    is_ready: bool,
    /// The end was taken.
    is_over: bool,
    channel: Option<(Sender<()>, Receiver<()>)>,
}

impl Readiness {
    fn new(notifier: &Arc<Notifier>) -> Arc<Readiness> {
        Arc::new(Readiness {
            notifier: Arc::clone(notifier),
            callback: Callback::new(notifier.origin()),
            state: Mutex::default(),
            has_channel: AtomicBool::new(false),
            #[cfg(unix)]
            descriptor: OnceLock::new(),
        })
    }

    /// `None` in a forked process, if another thread held the lock at the fork.
    fn lock(&self) -> Option<MutexGuard<'_, ReadinessState>> {
        self.notifier.origin().lock(&self.state)
    }

    /// Something may be there.
    pub(crate) fn raise(&self) {
        let Some(mut state) = self.lock().filter(|state| !state.is_over) else { return };
        if !std::mem::replace(&mut state.is_ready, true) {
            self.set_descriptor(true);
            self.callback.fire(&self.notifier);
        }
        state.ring();
    }

    /// The consumer found nothing.
    pub(crate) fn lower(&self) {
        let Some(mut state) = self.lock().filter(|state| !state.is_over) else { return };
        if std::mem::replace(&mut state.is_ready, false) {
            self.set_descriptor(false);
        }
    }

    /// Puts a message into the channel: something came, or something was left.
    pub(crate) fn ring(&self) {
        if self.has_channel.load(Ordering::Acquire) {
            if let Some(state) = self.lock() {
                state.ring();
            }
        }
    }

    /// The consumer has taken the end.
    pub(crate) fn end(&self) {
        let Some(mut state) = self.lock() else { return };
        state.is_over = true;
        state.channel = None;
        if !std::mem::replace(&mut state.is_ready, true) {
            self.set_descriptor(true);
        }
    }

    /// After the consumer has taken something: whether that was the end, or something is left.
    pub(crate) fn took(&self, is_ended: bool, is_left: impl FnOnce() -> bool) {
        if is_ended {
            self.end();
        } else if self.has_channel.load(Ordering::Acquire) && is_left() {
            self.ring();
        }
    }

    pub(crate) fn on_ready(&self, function: impl Fn() + Send + Sync + 'static) {
        self.notifier.warm_up();
        let Some(state) = self.lock() else { return };
        let replaced = self.callback.replace(Arc::new(function), state.is_ready);
        if state.is_ready {
            self.callback.fire(&self.notifier);
        }
        drop(state);
        drop(replaced);
    }

    pub(crate) fn channel(&self) -> Receiver<()> {
        let Some(mut state) = self.lock().filter(|state| !state.is_over) else { return bounded(0).1 };
        let channel = state.channel.get_or_insert_with(|| bounded(1)).1.clone();
        self.has_channel.store(true, Ordering::Release);
        if state.is_ready {
            state.ring();
        }
        channel
    }

    /// # Errors
    /// No descriptor can be made.
    #[cfg(unix)]
    pub(crate) fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        if let Some(descriptor) = self.descriptor.get() {
            return Ok(descriptor.borrow());
        }
        if self.notifier.origin().is_forked() {
            return Err(io::Error::other("this process was forked from the one that has the stream"));
        }
        let state = self.state.lock();
        if self.descriptor.get().is_none() {
            let new = ReadyFd::new()?;
            new.set(state.is_ready);
            // It is set under the lock only.
            let _ = self.descriptor.set(new);
        }
        drop(state);
        self.descriptor.get().map(ReadyFd::borrow).ok_or_else(|| io::Error::other("no descriptor"))
    }

    #[cfg(unix)]
    fn set_descriptor(&self, is_ready: bool) {
        // In a forked process it is still the one of the other process.
        if let Some(descriptor) = self.descriptor.get().filter(|_| !self.notifier.origin().is_forked()) {
            descriptor.set(is_ready);
        }
    }

    #[cfg(not(unix))]
    fn set_descriptor(&self, _: bool) {}
}

impl ReadinessState {
    fn ring(&self) {
        if let Some((sender, _)) = &self.channel {
            // If it is full, the message is there already.
            let _ = sender.try_send(());
        }
    }
}

/// The methods with which every stream tells that it is ready. `self.readiness()` is what they act on.
macro_rules! readiness_methods {
    () => {
        /// Calls `function` when something comes: once when a stream that had nothing to take gets something (an
        /// item or the end; a deadline that passed counts too), and again only after
        /// [`try_next`](Self::try_next) or [`next_timeout`](Self::next_timeout) has returned `None` or the end. If
        /// something is there now, it is called at once. Replaces an earlier function.
        ///
        /// It runs on a thread of the client (`codex-ready`), under no lock, and never twice at the same time
        /// for one stream; one that sleeps or panics delays no other stream. No call begins after the stream was
        /// dropped. It should only pass the word on to the program's own event loop, which then takes items
        /// until there are none, because it is not called again before. Nothing is lost between that and the
        /// next call. A call may find nothing to take, where the program was faster.
        ///
        /// A `next` that waits counts as having found nothing: the function is called although `next` takes what
        /// comes.
        ///
        /// See [the guide](crate::guide::event_loops).
        pub fn on_ready(&self, function: impl Fn() + Send + Sync + 'static) {
            self.readiness().on_ready(function);
        }

        /// Returns a channel for `select!`, of capacity 1: a message is put in when something comes, and by each
        /// [`try_next`](Self::try_next) that leaves something. It is disconnected after the end was taken. A
        /// message may be left of something that was taken: `try_next` decides.
        ///
        /// See [the guide](crate::guide::event_loops#with-select-and-with-poll).
        pub fn ready(&self) -> crossbeam_channel::Receiver<()> {
            self.readiness().channel()
        }

        /// Returns a descriptor for `poll`, `epoll`, GLib, Qt, libuv or asyncio: it is readable while there is
        /// something to take, until [`try_next`](Self::try_next) has returned `None`; after the end it stays
        /// readable. Only wait for it: don't read, write or close it.
        ///
        /// It is made by the first call (an `eventfd` on Linux and Android, a pair of sockets elsewhere), and
        /// closed with the stream. It belongs to this process and is not inherited by children that the program
        /// executes.
        ///
        /// See [the guide](crate::guide::event_loops#with-select-and-with-poll).
        ///
        /// # Errors
        /// The process has no descriptors left, or is a fork of the one that has the stream.
        #[cfg(unix)]
        pub fn ready_fd(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
            self.readiness().descriptor()
        }
    };
}

/// The descriptor of [`readiness_methods`] as a trait.
macro_rules! impl_as_fd {
    ([$($generics:tt)*] $stream:ty) => {
        /// The descriptor of `ready_fd`.
        ///
        /// # Panics
        /// It can't be made, for the reasons of `ready_fd`. Once `ready_fd` has succeeded, this does too.
        #[cfg(unix)]
        impl<$($generics)*> std::os::fd::AsFd for $stream {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                match self.ready_fd() {
                    Ok(descriptor) => descriptor,
                    Err(error) => panic!("no descriptor for a stream: {error}"),
                }
            }
        }
    };
}

pub(crate) use {impl_as_fd, readiness_methods};
