//! Questions handed to whoever looks at them, as they come.
//!
//! Relies on crossbeam channels. Invariant: a stream that is not read costs what its questions take,
//! and holds up nobody.

use std::{fmt, iter::FusedIterator, sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::{ApprovalRequest, UserInputRequest};
use crate::deadline::{Deadline, recv_until};

/// Requests for approval, from [`Client::approval_requests`](crate::Client::approval_requests).
pub type ApprovalRequests = QuestionStream<ApprovalRequest>;

/// Questions to the user, from [`Client::user_input_requests`](crate::Client::user_input_requests).
pub type UserInputRequests = QuestionStream<UserInputRequest>;

/// Questions of the server as an iterator. `next` blocks until one comes; it ends with the
/// connection.
pub struct QuestionStream<T> {
    questions: Receiver<T>,
    /// Tells that somebody is there.
    _token: Arc<()>,
    is_ended: bool,
}

impl<T> QuestionStream<T> {
    pub(super) fn new(questions: Receiver<T>, token: Arc<()>) -> Self {
        QuestionStream { questions, _token: token, is_ended: false }
    }

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
