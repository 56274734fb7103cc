//! Questions handed to whoever looks at them, as they come.
//!
//! Relies on crossbeam channels. Invariant: a stream that is not read costs what its questions take,
//! and holds up nobody.

use std::{
    fmt,
    iter::FusedIterator,
    sync::{Arc, Weak},
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, unbounded};
use parking_lot::Mutex;

use super::{ApprovalRequest, ServerRequest, UserInputRequest};
use crate::deadline::{Deadline, recv_until};

/// Requests for approval, from [`Client::approval_requests`](crate::Client::approval_requests).
pub type ApprovalRequests = QuestionStream<ApprovalRequest>;

/// Questions to the user, from [`Client::user_input_requests`](crate::Client::user_input_requests).
pub type UserInputRequests = QuestionStream<UserInputRequest>;

/// Everything the server asks, from [`Client::server_requests`](crate::Client::server_requests).
pub type ServerRequests = QuestionStream<ServerRequest>;

/// Questions of the server as an iterator. `next` blocks until one comes; it ends with the
/// connection.
#[must_use = "dropping it tells that nobody is there to answer"]
pub struct QuestionStream<T> {
    questions: Receiver<T>,
    /// Tells that somebody is there.
    _token: Arc<()>,
    is_ended: bool,
}

/// What a stream gives of the requests: some kinds of them, or all.
pub(crate) trait Seen: Clone + Send + 'static {
    fn of(request: &ServerRequest) -> Option<Self>;
}

impl Seen for ApprovalRequest {
    fn of(request: &ServerRequest) -> Option<Self> {
        match request {
            ServerRequest::Approval(request) => Some(request.clone()),
            _ => None,
        }
    }
}

impl Seen for UserInputRequest {
    fn of(request: &ServerRequest) -> Option<Self> {
        match request {
            ServerRequest::UserInput(request) => Some(request.clone()),
            _ => None,
        }
    }
}

impl Seen for ServerRequest {
    fn of(request: &ServerRequest) -> Option<Self> {
        Some(request.clone())
    }
}

/// Those who look at questions.
#[derive(Default)]
pub(super) struct Viewers(Mutex<State>);

#[derive(Default)]
struct State {
    streams: Vec<Viewer>,
    /// How many questions have been shown: a new stream finds those before among the waiting ones, and
    /// is shown those after.
    shown: u64,
    /// The connection has ended.
    is_closed: bool,
}

struct Viewer {
    /// What a stream holds.
    token: Weak<()>,
    sees: fn(&ServerRequest) -> bool,
    show: Box<dyn Fn(&ServerRequest) + Send>,
}

impl State {
    /// The streams that are still held.
    fn viewers(&mut self) -> &[Viewer] {
        self.streams.retain(|viewer| viewer.token.strong_count() > 0);
        &self.streams
    }
}

impl Viewers {
    /// Whether somebody is there to see such a request.
    pub(super) fn see(&self, request: &ServerRequest) -> bool {
        self.0.lock().viewers().iter().any(|viewer| (viewer.sees)(request))
    }

    /// Shows the request of this number, which is read only if there is anybody.
    pub(super) fn show(&self, number: u64, read: impl FnOnce() -> Option<ServerRequest>) {
        let mut state = self.0.lock();
        state.shown = number + 1;
        let viewers = state.viewers();
        if viewers.is_empty() {
            return;
        }
        if let Some(request) = read() {
            viewers.iter().for_each(|viewer| (viewer.show)(&request));
        }
    }

    /// A stream that begins with those of the waiting requests that have been shown.
    pub(super) fn stream<T: Seen>(&self, waiting: impl FnOnce() -> Vec<ServerRequest>) -> QuestionStream<T> {
        let (stream, questions) = unbounded();
        let token = Arc::new(());
        let show = move |request: &ServerRequest| {
            if let Some(request) = T::of(request) {
                // It fails when the stream is gone, which is seen by its token.
                let _ = stream.send(request);
            }
        };
        let mut state = self.0.lock();
        state.viewers();
        for request in waiting() {
            if request.origin().question().number < state.shown {
                show(&request);
            }
        }
        if !state.is_closed {
            state.streams.push(Viewer {
                token: Arc::downgrade(&token),
                sees: |request| T::of(request).is_some(),
                show: Box::new(show),
            });
        }
        QuestionStream { questions, _token: token, is_ended: false }
    }

    /// All streams end, and one that is opened from now on does at once.
    pub(super) fn end(&self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        state.streams.clear();
    }
}

impl<T> QuestionStream<T> {
    /// The next one if it is there already. Never waits.
    pub fn try_next(&mut self) -> Option<T> {
        let next = self.questions.try_recv();
        self.is_ended |= matches!(next, Err(TryRecvError::Disconnected));
        next.ok()
    }

    /// The next one; waits for it as long as that. [`is_ended`](Self::is_ended) tells "nothing yet"
    /// from "over".
    pub fn next_timeout(&mut self, limit: Duration) -> Option<T> {
        let next = recv_until(&self.questions, Deadline::after(Some(limit)).at());
        self.is_ended |= matches!(next, Err(RecvTimeoutError::Disconnected));
        next.ok()
    }

    /// Whether reading has met the end of the connection.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }
}

impl<T> Iterator for QuestionStream<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let next = self.questions.recv();
        self.is_ended |= next.is_err();
        next.ok()
    }
}

impl<T> FusedIterator for QuestionStream<T> {}

impl<T> fmt::Debug for QuestionStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuestionStream").field("is_ended", &self.is_ended).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_opened_while_the_connection_ends_ends_too() {
        let viewers = Viewers::default();
        viewers.end();
        let mut stream: ServerRequests = viewers.stream(Vec::new);
        assert!(stream.try_next().is_none() && stream.is_ended());
    }
}
