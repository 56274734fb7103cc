//! What the reading thread does with a frame: looks at its envelope, and hands it to who waits.
//!
//! Relies on all of `connection`. Invariant: nothing here blocks, runs user code, or trusts what
//! the peer sent; what can't be handed to anybody is counted.

use std::{
    borrow::Cow,
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde::Deserialize;

use super::{
    Shared,
    pending::Waiting,
    reply::{Part, Reply},
    turn_log::TurnLog,
};
use crate::{
    error::{Error, Excerpt, TransportFailure},
    protocol::{
        RequestId,
        envelope::{Envelope, Route},
        kind::Kind,
    },
    transport::Receive,
};

/// After so many bytes those who wait are woken though more is there to be read: a flood wakes a
/// consumer for many events at a time, but none has to wait for long.
const BATCH: usize = 8 * 1024 * 1024;

/// What a command has written, by its `processId`; it is of no thread.
const OUTPUT: &str = "command/exec/outputDelta";

/// Takes the frames of one connection.
pub(crate) struct Demux {
    shared: Arc<Shared>,
    is_strict: bool,
    /// Turns with news since the last flush.
    news: Vec<Arc<TurnLog>>,
    /// The time of the current read; one look at the clock serves all its frames.
    now: Option<Duration>,
    /// Bytes since the last flush.
    batch: usize,
}

impl Demux {
    pub(crate) fn new(shared: Arc<Shared>, is_strict: bool) -> Self {
        Demux { shared, is_strict, news: Vec::new(), now: None, batch: 0 }
    }

    fn now(&mut self) -> Duration {
        *self.now.get_or_insert_with(|| self.shared.epoch.elapsed())
    }

    fn stray(&mut self, frame: &[u8]) -> ControlFlow<()> {
        self.shared.counters.skipped_frames.fetch_add(1, Ordering::Relaxed);
        let excerpt = String::from_utf8_lossy(&frame[..frame.len().min(1000)]).into_owned();
        if self.is_strict {
            let text = Excerpt(&excerpt).to_string();
            let failure =
                TransportFailure::new(format!("the server sent what is no message (strict): {text}"));
            self.shared.end(Error::transport("", Arc::new(failure)));
            return ControlFlow::Break(());
        }
        self.shared
            .log(log::Level::Warn, move || format!("skipped what is no message: {}", Excerpt(&excerpt)));
        ControlFlow::Continue(())
    }

    /// Questions that somebody else answered, or whose turn or item is over, wait for nobody any more.
    fn withdraw_questions(&self, kind: Kind, route: &Route<'_>, text: &str, now: Duration) {
        let inbox = &self.shared.inbox;
        if inbox.is_empty() {
            return;
        }
        if kind == Kind::TurnCompleted {
            if let (Some(thread_id), Some(turn_id)) = (&route.thread_id, &route.turn_id) {
                inbox.withdraw_of(thread_id, turn_id, now);
            }
        } else if kind == Kind::ItemCompleted {
            let item_id = route.body.and_then(|item| id_of(item.get()));
            if let (Some(thread_id), Some(turn_id), Some(id)) = (&route.thread_id, &route.turn_id, item_id) {
                inbox.withdraw_about(&id, thread_id, turn_id, now);
            }
        } else if let Some(id) = resolved_id(text) {
            inbox.withdraw(&id, now);
        }
    }

    fn thread_gone(&self, route: &Route<'_>) {
        let kept = route.thread_id.as_deref().and_then(|thread_id| self.shared.policy.thread_gone(thread_id));
        if let Some(kept) = kept {
            self.shared.workers.let_go(kept);
        }
    }

    fn reply(&mut self, id: Option<RequestId>, reply: Reply) {
        let waiting = match id {
            Some(RequestId::Number(id)) => self.shared.pending.take(id),
            _ => None,
        };
        match waiting {
            Some(Waiting::Caller(caller)) => caller.answer(reply),
            Some(Waiting::Turn(expected, caller)) => {
                let now = self.now();
                let started = started_of(&reply);
                let consumer = started.map(|Started { turn, review_thread_id }| {
                    expected.open(&turn.id, review_thread_id.as_deref(), now)
                });
                // The consumer of a caller that has given up is dropped here, which frees its log.
                caller.answer((reply, consumer));
            }
            Some(Waiting::Command(command)) => self.shared.commands.finish(&command, reply),
            Some(Waiting::Termination(command)) => command.give_place_back(),
            None => {
                self.shared.counters.unmatched_replies.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// `params.requestId` of `serverRequest/resolved`.
fn resolved_id(text: &str) -> Option<RequestId> {
    #[derive(Deserialize)]
    struct Message {
        params: Params,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        request_id: RequestId,
    }
    serde_json::from_str(text).ok().map(|Message { params }| params.request_id)
}

/// The id of an item.
fn id_of(item: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Item {
        id: String,
    }
    serde_json::from_str(item).ok().map(|Item { id }| id)
}

/// What of the result of `turn/start` and `review/start` counts here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    turn: Turn,
    /// Of a review: the thread it runs in.
    review_thread_id: Option<String>,
}

#[derive(Deserialize)]
struct Turn {
    id: String,
}

fn started_of(reply: &Reply) -> Option<Started> {
    reply.decode("turn/start").ok()
}

impl Receive for Demux {
    fn frame(&mut self, frame: Cow<'_, [u8]>) -> ControlFlow<()> {
        self.batch += frame.len();
        if self.batch > BATCH {
            self.flush();
        }
        let counters = &self.shared.counters;
        counters.frames.fetch_add(1, Ordering::Relaxed);
        counters.bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
        if self.shared.has_ended() {
            return ControlFlow::Break(());
        }
        // Places within a frame are noted in 32 bits.
        if u32::try_from(frame.len()).is_err() {
            return self.stray(&frame);
        }
        let Ok(text) = std::str::from_utf8(&frame) else { return self.stray(&frame) };
        match Envelope::parse(text) {
            Some(Envelope::Notification { method, route }) => {
                let kind = Kind::of(&method);
                let now = self.now();
                self.shared.subscribers.push(text);
                match &route.process_id {
                    Some(process_id) if method == OUTPUT => self.shared.commands.deliver(process_id, text),
                    _ => {
                        let news = self.shared.routes.lock().deliver(kind, &route, text, now);
                        self.news.extend(news);
                    }
                }
                self.shared.keep_within_bounds();
                // An item that is over is the only sign of an answer that the server hides.
                let may_hide =
                    kind == Kind::ItemCompleted && self.shared.hides_answers.load(Ordering::Relaxed);
                if method == "serverRequest/resolved" || kind == Kind::TurnCompleted || may_hide {
                    self.withdraw_questions(kind, &route, text, now);
                }
                if kind == Kind::ThreadGone {
                    self.thread_gone(&route);
                }
                ControlFlow::Continue(())
            }
            Some(Envelope::Request { id, method, route }) => {
                self.shared.question(id, &method, &route, text);
                ControlFlow::Continue(())
            }
            Some(Envelope::Reply { id, outcome }) => {
                let part = Part::of(outcome, text);
                self.reply(id, Reply::new(frame, part));
                ControlFlow::Continue(())
            }
            None => self.stray(&frame),
        }
    }

    fn flush(&mut self) {
        self.batch = 0;
        self.now = None;
        for log in self.news.drain(..) {
            log.ring();
        }
        self.shared.subscribers.ring();
    }

    fn closed(&mut self, failure: TransportFailure) {
        self.flush();
        self.shared.end(Error::transport("", Arc::new(failure)));
    }
}
