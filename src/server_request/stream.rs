//! Streams of server requests.
//!
//! Relies on `rpc` for the mailbox. Invariant: an unread stream delays nothing else, and its answered
//! requests are dropped if the client's limit is exceeded.

use std::{
    fmt,
    iter::FusedIterator,
    sync::{Arc, Weak},
    time::Duration,
};

use super::{ApprovalRequest, ServerRequest, UserInputRequest, kept_request::KeptRequest};
use crate::{
    deadline::Deadline,
    error::Error,
    rpc::{
        Budget, Mailbox, Readiness, Signal, StreamHandle, Taken, Wakeups, Weighed, impl_as_fd,
        readiness_methods,
    },
};

/// A stream of approval requests. Returned by
/// [`Client::approval_requests`](crate::Client::approval_requests).
pub type ApprovalRequests = ServerRequestStream<ApprovalRequest>;

/// A stream of user-input requests. Returned by
/// [`Client::user_input_requests`](crate::Client::user_input_requests).
pub type UserInputRequests = ServerRequestStream<UserInputRequest>;

/// A stream of server requests of all kinds. Returned by
/// [`Client::server_requests`](crate::Client::server_requests).
pub type ServerRequests = ServerRequestStream<ServerRequest>;

/// An iterator over server requests. `next` blocks until a request arrives; the iterator ends with the
/// connection, and [`error`](Self::error) returns the reason.
///
/// An unread stream buffers its requests, within
/// [`max_buffered_bytes`](crate::ClientBuilder::max_buffered_bytes); above that limit, those that have been
/// answered are dropped from it. [`Client::pending`](crate::Client::pending) always returns all that still
/// wait for an answer.
#[must_use = "dropping the stream ends it"]
pub struct ServerRequestStream<T> {
    mailbox: Arc<Mailbox<ShownRequest, Error>>,
    select: fn(&ServerRequest) -> Option<T>,
    signal: Signal,
}

/// A request in a stream.
#[derive(Debug)]
pub(crate) struct ShownRequest(Arc<KeptRequest>);

impl Weighed for ShownRequest {
    /// The request itself is counted by `kept_request`.
    fn bytes(&self) -> usize {
        size_of::<ShownRequest>()
    }
}

/// Which requests a stream yields.
pub(crate) trait Selection: Clone + Send + 'static {
    fn of(request: &ServerRequest) -> Option<&Self>;
}

impl Selection for ApprovalRequest {
    fn of(request: &ServerRequest) -> Option<&Self> {
        match request {
            ServerRequest::Approval(request) => Some(request),
            _ => None,
        }
    }
}

impl Selection for UserInputRequest {
    fn of(request: &ServerRequest) -> Option<&Self> {
        match request {
            ServerRequest::UserInput(request) => Some(request),
            _ => None,
        }
    }
}

impl Selection for ServerRequest {
    fn of(request: &ServerRequest) -> Option<&Self> {
        Some(request)
    }
}

/// The broker's side of a stream.
pub(super) struct Subscriber {
    mailbox: Weak<Mailbox<ShownRequest, Error>>,
    selects: fn(&ServerRequest) -> bool,
}

impl Subscriber {
    /// Whether the stream still exists, and has not been ended.
    pub(super) fn is_there(&self) -> bool {
        self.mailbox.upgrade().is_some_and(|mailbox| !mailbox.has_ended())
    }

    /// Whether the stream still exists and selects this request.
    pub(super) fn sees(&self, request: &ServerRequest) -> bool {
        self.is_there() && (self.selects)(request)
    }

    pub(super) fn show(&self, request: &Arc<KeptRequest>, wakeups: &mut Wakeups) {
        if let Some(mailbox) = self.mailbox.upgrade().filter(|_| (self.selects)(request)) {
            mailbox.push(ShownRequest(Arc::clone(request)), wakeups);
        }
    }

    /// Drops the unread requests for which `keep` returns `false`. Returns their number.
    pub(super) fn keep_only(&self, keep: impl Fn(&KeptRequest) -> bool) -> usize {
        self.mailbox.upgrade().map_or(0, |mailbox| mailbox.keep_only(|ShownRequest(request)| keep(request)))
    }

    pub(super) fn close(&self, reason: &Error) {
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.close(reason.clone());
        }
    }
}

/// Creates a stream, and the broker's side of it.
pub(super) fn stream<T: Selection>(budget: &Arc<Budget>) -> (ServerRequestStream<T>, Subscriber) {
    let mailbox = Mailbox::new(budget);
    let selects: fn(&ServerRequest) -> bool = |request| T::of(request).is_some();
    let subscriber = Subscriber { mailbox: Arc::downgrade(&mailbox), selects };
    let select = |request: &ServerRequest| T::of(request).cloned();
    (ServerRequestStream { mailbox, select, signal: Signal::default() }, subscriber)
}

impl<T> ServerRequestStream<T> {
    /// Returns the next request if there is one. Never blocks.
    pub fn try_next(&mut self) -> Option<T> {
        self.next_before(Deadline::after(Some(Duration::ZERO)))
    }

    /// Returns the next request, waiting for at most `limit`. [`is_ended`](Self::is_ended) distinguishes
    /// "nothing yet" from the end.
    pub fn next_timeout(&mut self, limit: Duration) -> Option<T> {
        self.next_before(Deadline::after(Some(limit)))
    }

    /// Returns `true` if the connection has ended and all requests have been read.
    pub fn is_ended(&self) -> bool {
        self.mailbox.end().is_some()
    }

    /// Returns why the stream has ended: [`Error::Closed`] after a close, or the
    /// [`Error::Transport`] that everything on the connection fails with. `None` while the connection is open or
    /// something is unread.
    pub fn error(&self) -> Option<Error> {
        self.mailbox.end().map(|reason| reason.while_doing("read server requests"))
    }

    readiness_methods!();

    /// Returns a handle with which another thread ends this stream, also while `next` waits.
    ///
    /// From then on the stream counts as dropped: what only a reader would answer gets its default answer.
    pub fn handle(&self) -> StreamHandle {
        StreamHandle::new(&self.mailbox)
    }

    fn readiness(&self) -> &Readiness {
        self.signal.ask(self.mailbox.notifier(), |readiness| self.mailbox.attach(readiness, false))
    }

    fn next_before(&mut self, deadline: Deadline) -> Option<T> {
        let taken = self.mailbox.take_before(deadline.at());
        if let Some(readiness) = self.signal.asked() {
            readiness.took(matches!(taken, Taken::Ended(_)), || self.mailbox.has_any());
        }
        match taken {
            Taken::Item(ShownRequest(request)) => (self.select)(&request),
            Taken::Empty | Taken::Ended(_) => None,
        }
    }
}

impl<T> Iterator for ServerRequestStream<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.next_before(Deadline::after(None))
    }
}

impl<T> FusedIterator for ServerRequestStream<T> {}

impl_as_fd!([T] ServerRequestStream<T>);

impl<T> fmt::Debug for ServerRequestStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerRequestStream").field("end", &self.mailbox.end()).finish_non_exhaustive()
    }
}
