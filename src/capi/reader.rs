//! Reading a stream by a handle: waiting, batches, readiness, and the end from another thread.
//!
//! Relies on the streams of the crate. Invariant: no lock is held while a call waits, so that another thread can take
//! part, end the stream or free it; a wait ends then.

use std::{
    ffi::{c_char, c_void},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};
#[cfg(unix)]
use std::{
    os::fd::{AsRawFd, OwnedFd},
    sync::OnceLock,
};

use crossbeam_channel::Receiver;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{
    CODEX_ENDED, CODEX_ITEM, CODEX_NOTHING_YET,
    buffers::{Place, to_json},
    callback::{Callback, CallbackSlot, OnReady},
    failure::{Failure, Outcome},
};
use crate::{CommandOutput, Notifications, RunningCommand, ServerRequests, TurnItem, TurnStream};

/// A stream of the crate, of items as JSON.
pub(super) trait Stream: Send {
    type Item: serde::Serialize;
    fn try_next(&mut self) -> Option<Self::Item>;
    fn is_ended(&self) -> bool;
    fn ready(&self) -> Receiver<()>;
    fn on_ready(&self, function: Box<dyn Fn() + Send + Sync>);
    #[cfg(unix)]
    fn descriptor(&self) -> std::io::Result<OwnedFd>;
}

macro_rules! stream {
    ([$($generics:tt)*] $stream:ty, $item:ty) => {
        impl<$($generics)*> Stream for $stream {
            type Item = $item;

            fn try_next(&mut self) -> Option<$item> {
                self.try_next()
            }

            fn is_ended(&self) -> bool {
                self.is_ended()
            }

            fn ready(&self) -> Receiver<()> {
                self.ready()
            }

            fn on_ready(&self, function: Box<dyn Fn() + Send + Sync>) {
                self.on_ready(function);
            }

            #[cfg(unix)]
            fn descriptor(&self) -> std::io::Result<OwnedFd> {
                self.ready_fd()?.try_clone_to_owned()
            }
        }
    };
}

stream!([T: TurnItem + serde::Serialize + Send] TurnStream<T>, T);
stream!([] Notifications, crate::RawNotification);
stream!([] ServerRequests, crate::ServerRequest);
stream!([] RunningCommand, CommandOutput);

/// A stream that has a handle.
pub(super) struct Reader<S> {
    stream: Mutex<Held<S>>,
    /// A stream that was lent came back.
    returned: Condvar,
    on_ready: CallbackSlot<OnReady>,
    /// A duplicate: the caller may look at it until the handle is freed, also after the stream was finished.
    #[cfg(unix)]
    descriptor: OnceLock<OwnedFd>,
}

/// Where a stream is.
pub(super) enum Held<S> {
    Here(S),
    /// A call waits with it: see [`Reader::lend`].
    Lent,
    /// It was finished, ended or freed.
    Gone,
}

impl<S> Held<S> {
    pub(super) fn stream(&self) -> Option<&S> {
        match self {
            Held::Here(stream) => Some(stream),
            Held::Lent | Held::Gone => None,
        }
    }

    /// Leaves `Gone`. A stream that is lent ends when it comes back.
    fn take(&mut self) -> Option<S> {
        match std::mem::replace(self, Held::Gone) {
            Held::Here(stream) => Some(stream),
            Held::Lent | Held::Gone => None,
        }
    }
}

/// What a look at a stream found.
pub(super) enum Found<T> {
    Item(T),
    Nothing,
    Ended,
}

/// The moment at which a wait of so many milliseconds ends. `None`: never.
pub(super) fn deadline(timeout_ms: i64) -> Option<Instant> {
    let limit = u64::try_from(timeout_ms).ok().map(Duration::from_millis)?;
    Instant::now().checked_add(limit)
}

impl<S: Stream> Reader<S> {
    pub(super) fn new(stream: S) -> Reader<S> {
        Reader {
            stream: Mutex::new(Held::Here(stream)),
            returned: Condvar::new(),
            on_ready: CallbackSlot::default(),
            #[cfg(unix)]
            descriptor: OnceLock::new(),
        }
    }

    /// The stream, for a call that doesn't wait.
    pub(super) fn lock(&self) -> MutexGuard<'_, Held<S>> {
        self.stream.lock()
    }

    /// The stream if it can be had by that moment: another thread may be in a call with it.
    fn lock_until(&self, until: Option<Instant>) -> Option<MutexGuard<'_, Held<S>>> {
        match until {
            Some(until) => self.stream.try_lock_until(until),
            None => Some(self.stream.lock()),
        }
    }

    /// The next thing that `look` finds in the stream, by that moment.
    pub(super) fn wait<T>(
        &self,
        until: Option<Instant>,
        mut look: impl FnMut(&mut S) -> Found<T>,
    ) -> Found<T> {
        loop {
            let Some(mut guard) = self.lock_until(until) else { return Found::Nothing };
            while let Held::Lent = *guard {
                match until {
                    Some(until) if self.returned.wait_until(&mut guard, until).timed_out() => {
                        return Found::Nothing;
                    }
                    Some(_) => {}
                    None => self.returned.wait(&mut guard),
                }
            }
            let Held::Here(stream) = &mut *guard else { return Found::Ended };
            match look(stream) {
                Found::Nothing if until.is_none_or(|until| until > Instant::now()) => {}
                found => return found,
            }
            let ready = stream.ready();
            drop(guard);
            // The drop of the stream ends it too, by whichever thread.
            let _ = match until {
                Some(until) => ready.recv_deadline(until),
                None => ready.recv().map_err(Into::into),
            };
        }
    }

    /// Gives the next item.
    pub(super) fn next(&self, timeout_ms: i64, place: &Place<c_char>) -> Outcome {
        match self.wait(deadline(timeout_ms), look) {
            Found::Item(item) => place.give(CODEX_ITEM, to_json(&item)?),
            Found::Nothing => Ok(CODEX_NOTHING_YET),
            Found::Ended => Ok(CODEX_ENDED),
        }
    }

    /// Gives the next items that are there, as an array.
    pub(super) fn next_batch(&self, timeout_ms: i64, max: u32, place: &Place<c_char>) -> Outcome {
        if max == 0 {
            return Err(Failure::invalid("a batch of 0 items"));
        }
        let look_for_all = |stream: &mut S| {
            let mut items = Vec::new();
            while items.len() < max as usize {
                match stream.try_next() {
                    Some(item) => items.push(item),
                    None => break,
                }
            }
            match items.is_empty() {
                false => Found::Item(items),
                true if stream.is_ended() => Found::Ended,
                true => Found::Nothing,
            }
        };
        match self.wait(deadline(timeout_ms), look_for_all) {
            Found::Item(items) => place.give(CODEX_ITEM, to_json(&items)?),
            Found::Nothing => Ok(CODEX_NOTHING_YET),
            Found::Ended => Ok(CODEX_ENDED),
        }
    }

    /// Reads to the end, skipping what comes, and takes the stream. `None`: it was taken or ended by another thread.
    pub(super) fn drain(&self) -> Option<S> {
        let skip = |stream: &mut S| {
            while stream.try_next().is_some() {}
            if stream.is_ended() { Found::Item(()) } else { Found::Nothing }
        };
        match self.wait(None, skip) {
            Found::Item(()) => self.take(),
            Found::Nothing | Found::Ended => None,
        }
    }

    /// Takes the stream: it ends for all others.
    pub(super) fn take(&self) -> Option<S> {
        let stream = self.lock().take();
        // Who waits for one that is lent.
        self.returned.notify_all();
        stream
    }

    /// The stream once it is not lent.
    fn here(&self) -> MutexGuard<'_, Held<S>> {
        let mut guard = self.lock();
        while let Held::Lent = *guard {
            self.returned.wait(&mut guard);
        }
        guard
    }

    /// Has `wait` do something with the stream that may take long. Others that read wait meanwhile, those that never
    /// wait get nothing, and those that end the stream don't wait either. `None`: it is not there.
    pub(super) fn lend<T>(&self, wait: impl FnOnce(&mut S) -> T) -> Option<T> {
        let mut guard = self.lock();
        let Held::Here(_) = &*guard else { return None };
        let Held::Here(mut stream) = std::mem::replace(&mut *guard, Held::Lent) else { return None };
        drop(guard);
        // A panic must not leave it lent, for which others would wait for good.
        let result = catch_unwind(AssertUnwindSafe(|| wait(&mut stream)));
        let mut guard = self.lock();
        if let Held::Lent = *guard {
            *guard = Held::Here(stream);
            self.returned.notify_all();
        } else {
            drop(guard);
            drop(stream);
        }
        Some(result.unwrap_or_else(|payload| resume_unwind(payload)))
    }

    pub(super) fn on_ready(&self, function: super::codex_callback, user: *mut c_void) -> Outcome<()> {
        let callback = function.map(|function| Callback::new(function, user));
        self.on_ready.set(callback, |callback| {
            if let Some(stream) = self.here().stream() {
                stream.on_ready(Box::new(move || callback.call(|function, user| function(user))));
            }
        });
        Ok(())
    }

    #[cfg(unix)]
    pub(super) fn fd(&self) -> Outcome {
        if let Some(descriptor) = self.descriptor.get() {
            return Ok(descriptor.as_raw_fd());
        }
        let guard = self.here();
        let Some(stream) = guard.stream() else {
            return Err(crate::Error::no_longer_pending("the stream was ended; its descriptor").into());
        };
        let new = stream.descriptor().map_err(|source| {
            crate::error::TransportFailure::new("no descriptor can be made")
                .with_source(source)
                .while_connecting("make a descriptor")
        })?;
        Ok(self.descriptor.get_or_init(|| new).as_raw_fd())
    }

    #[cfg(not(unix))]
    pub(super) fn fd(&self) -> Outcome {
        Err(Failure::invalid("this system has no descriptors: use on_ready"))
    }

    /// Ends the stream: what still waits returns, what was not read is dropped.
    pub(super) fn end(&self) {
        // Not under the lock: a thread that waits wakes, and finds no stream.
        let stream = self.take();
        drop(stream);
    }

    /// Ends the stream for good.
    pub(super) fn close(&self) {
        // In this order a callback that reads the stream returns.
        self.end();
        self.on_ready.close();
    }
}

fn look<S: Stream>(stream: &mut S) -> Found<S::Item> {
    match stream.try_next() {
        Some(item) => Found::Item(item),
        None if stream.is_ended() => Found::Ended,
        None => Found::Nothing,
    }
}
