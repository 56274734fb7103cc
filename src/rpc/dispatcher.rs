//! The reading thread's side: parses the envelope of each frame and hands the frame on.
//!
//! Relies on all of `rpc`. Invariant: nothing here blocks, runs user code, or trusts what the peer sent.
//! A reply goes to its call, a notification to every subsystem and subscriber, a request to the
//! subsystem that takes it; anything else is counted and logged.

use std::{borrow::Cow, ops::ControlFlow, sync::Arc, sync::atomic::Ordering, time::Instant};

use super::{Core, Frame, RawReply, Refusal, mailbox::Wakeups};
use crate::{
    error::{Error, TransportFailure},
    excerpt::Excerpt,
    protocol::{METHOD_NOT_FOUND, RequestId, envelope::Envelope, repair::Repair},
    transport::Receive,
};

/// After this many bytes, consumers are woken even if more can be read: during a flood, a consumer is woken
/// once for many events, but without a long delay.
const BATCH: usize = 8 * 1024 * 1024;

/// Processes the frames of a connection.
pub(crate) struct Dispatcher {
    core: Arc<Core>,
    is_strict: bool,
    repair: Repair,
    /// Consumers with news since the last flush.
    wakeups: Wakeups,
    /// When the current read began. One reading of the clock serves all its frames.
    received: Option<Instant>,
    /// Frames and bytes since the last flush, counted there.
    frames: u64,
    bytes: usize,
}

impl Dispatcher {
    pub(crate) fn new(core: Arc<Core>, is_strict: bool) -> Self {
        Dispatcher {
            core,
            is_strict,
            repair: Repair::new(),
            wakeups: Wakeups::default(),
            received: None,
            frames: 0,
            bytes: 0,
        }
    }

    fn stray(&mut self, text: &str) -> ControlFlow<()> {
        self.core.counters.skipped_frames.fetch_add(1, Ordering::Relaxed);
        if self.is_strict {
            let text = Excerpt(text);
            let failure =
                TransportFailure::new(format!("the server sent text that is no message (strict): {text}"));
            self.core.end(Error::transport("", Arc::new(failure)));
            return ControlFlow::Break(());
        }
        self.core.log(log::Level::Warn, || format!("skipped an invalid message: {}", Excerpt(text)));
        ControlFlow::Continue(())
    }

    fn reply(&self, id: Option<&RequestId>, reply: RawReply) {
        let completion = match id {
            Some(RequestId::Number(id)) => self.core.calls.take(*id),
            // Some peers turn every id into a string.
            Some(RequestId::Text(text)) if text.parse::<i64>().is_ok() => {
                text.parse().ok().and_then(|id| self.core.calls.take(id))
            }
            Some(RequestId::Text(_)) | None => {
                self.unassigned(&reply);
                None
            }
        };
        match completion {
            Some(completion) => {
                completion(reply);
                self.core.settle();
            }
            None => drop(self.core.counters.unmatched_replies.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// An error that names no request: the server could not read one. Which one is unknown, so all go on.
    fn unassigned(&self, reply: &RawReply) {
        if let Some(error) = reply.error().filter(|error| *error != "null") {
            self.core.calls.keep_unassigned(error);
            self.core.log(log::Level::Warn, || {
                format!("the server sent an error without the id of a request: {}", Excerpt(error))
            });
        }
    }

    fn notification(&mut self, frame: &Frame<'_>) {
        for subsystem in &self.core.subsystems {
            subsystem.notification(&self.core, frame, &mut self.wakeups);
        }
        self.core.subscribers.push(frame, &mut self.wakeups);
        self.core.budget.enforce();
    }

    fn request(&mut self, id: &RequestId, frame: &Frame<'_>) {
        let mut subsystems = self.core.subsystems.iter();
        if !subsystems.any(|subsystem| subsystem.request(&self.core, id, frame, &mut self.wakeups)) {
            let message = format!("this client does not know {}", Excerpt(frame.method));
            // It fails when the connection does, which is reported elsewhere.
            let _ = self.core.answer(id, &Err(Refusal { code: METHOD_NOT_FOUND, message }));
        }
        self.core.budget.enforce();
        self.core.settle();
    }
}

impl Receive for Dispatcher {
    fn frame(&mut self, bytes: Cow<'_, [u8]>) -> ControlFlow<()> {
        self.frames += 1;
        self.bytes += bytes.len();
        if self.bytes > BATCH {
            self.flush();
        }
        if let Some(recording) = &self.core.recording {
            let received = *self.received.get_or_insert_with(Instant::now);
            recording.received(&bytes, received);
        }
        if self.core.lifecycle.has_ended() {
            return ControlFlow::Break(());
        }
        // Positions in a frame are stored in 32 bits.
        if u32::try_from(bytes.len()).is_err() {
            return self.stray("a frame of 4 GiB or more");
        }
        let (text, was_repaired) = self.repair.text(bytes);
        // A frame that arrived in its own buffer is moved, not copied, from here on.
        let (owner, text) = match &text {
            Cow::Owned(_) => (Some(Arc::new(text.into_owned())), Cow::Borrowed("")),
            Cow::Borrowed(_) => (None, text),
        };
        let text = owner.as_ref().map_or(&*text, |owner| owner.as_str());
        let envelope = Envelope::parse(text);
        if was_repaired && self.is_strict {
            return self.stray(text);
        }
        if was_repaired && envelope.is_some() {
            self.core.counters.repaired_frames.fetch_add(1, Ordering::Relaxed);
            self.core.log(log::Level::Warn, || {
                format!(
                    "repaired a message that is not valid Unicode, or that serde_json would misread: {}",
                    Excerpt(text)
                )
            });
        }
        match envelope {
            Some(Envelope::Notification { method, route }) => {
                let received = *self.received.get_or_insert_with(Instant::now);
                let frame = Frame { method: &method, route: &route, text, owner: owner.as_ref(), received };
                self.notification(&frame);
            }
            Some(Envelope::Request { id, method, route }) => {
                let received = *self.received.get_or_insert_with(Instant::now);
                let frame = Frame { method: &method, route: &route, text, owner: owner.as_ref(), received };
                self.request(&id, &frame);
            }
            Some(Envelope::Reply { id, outcome }) => {
                let range = RawReply::range(outcome, text);
                let reply = match owner {
                    None => RawReply::copied(outcome),
                    Some(owner) => RawReply::moved(Arc::unwrap_or_clone(owner), range),
                };
                self.reply(id.as_ref(), reply);
            }
            None => return self.stray(text),
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) {
        let counters = &self.core.counters;
        counters.frames.fetch_add(std::mem::take(&mut self.frames), Ordering::Relaxed);
        counters.bytes.fetch_add(std::mem::take(&mut self.bytes) as u64, Ordering::Relaxed);
        self.received = None;
        self.wakeups.ring();
        if let Some(recording) = &self.core.recording {
            recording.wake();
        }
    }

    fn closed(&mut self, failure: TransportFailure) {
        self.flush();
        self.core.end(Error::transport("", Arc::new(failure)));
    }
}
