//! Where questions arrive, and who decides about each: a handler, the program by hand, or nobody.
//!
//! Relies on `connection` for the waiting. Invariant: user code runs on workers only, and a question
//! that nobody decides gets the safe answer.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Weak},
    time::Duration,
};

use crossbeam_channel::{Sender, unbounded};
use parking_lot::Mutex;

use super::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ApprovalRequests, QuestionStream, UserInputRequest,
    UserInputRequests, UserInputResponse,
    safe::{INVALID_PARAMS, safe_answer, to_answer},
};
use crate::{
    connection::{Answer, Connection, Policy, Question, Refusal, Verdict},
    error::{Error, Result},
};

/// What decides about questions of one kind.
type Handler<Q, A> = Arc<dyn Fn(&Q) -> A + Send + Sync>;

/// Those who decide about, and those who look at, questions of one kind.
struct Audience<Q, A> {
    handler: Mutex<Option<Handler<Q, A>>>,
    viewers: Mutex<Viewers<Q>>,
}

struct Viewers<Q> {
    /// Each with a token that its stream holds.
    streams: Vec<(Sender<Q>, Weak<()>)>,
    /// How many questions have been shown: a new stream finds those before among the waiting ones, and
    /// is shown those after.
    shown: u64,
}

impl<Q, A> Default for Audience<Q, A> {
    fn default() -> Self {
        Audience { handler: Mutex::default(), viewers: Mutex::new(Viewers { streams: Vec::new(), shown: 0 }) }
    }
}

impl<Q: Clone, A> Audience<Q, A> {
    fn set_handler(&self, handler: Option<Handler<Q, A>>) {
        let before = std::mem::replace(&mut *self.handler.lock(), handler);
        // It may hold the last handle on anything; not under the lock.
        drop(before);
    }

    fn handler(&self) -> Option<Handler<Q, A>> {
        self.handler.lock().clone()
    }

    /// Whether somebody is there to see a question.
    fn is_watched(&self) -> bool {
        self.viewers.lock().streams.iter().any(|(_, token)| token.strong_count() > 0)
    }

    /// Shows a question.
    fn show(&self, number: u64, question: Q) {
        let mut viewers = self.viewers.lock();
        viewers.shown = number + 1;
        viewers.streams.retain(|(stream, _)| stream.send(question.clone()).is_ok());
    }

    /// A stream that begins with those of the waiting questions that have been shown.
    fn stream(&self, waiting: impl FnOnce() -> Vec<(u64, Q)>, is_open: bool) -> QuestionStream<Q> {
        let (stream, questions) = unbounded();
        let token = Arc::new(());
        let mut viewers = self.viewers.lock();
        for (_, question) in waiting().into_iter().filter(|(number, _)| *number < viewers.shown) {
            let _ = stream.send(question);
        }
        if is_open {
            viewers.streams.push((stream, Arc::downgrade(&token)));
        }
        QuestionStream::new(questions, token)
    }

    fn end(&self) {
        self.set_handler(None);
        self.viewers.lock().streams.clear();
    }
}

/// All audiences of one client, and how it behaves without them.
pub(crate) struct Desk {
    client: u64,
    mode: ApprovalMode,
    approval_timeout: Option<Duration>,
    user_input_timeout: Option<Duration>,
    approvals: Audience<ApprovalRequest, ApprovalDecision>,
    user_inputs: Audience<UserInputRequest, UserInputResponse>,
}

impl Desk {
    pub(crate) fn new(
        mode: ApprovalMode,
        approval_timeout: Option<Duration>,
        user_input_timeout: Option<Duration>,
    ) -> Self {
        Desk {
            client: RandomState::new().build_hasher().finish(),
            mode,
            approval_timeout,
            user_input_timeout,
            approvals: Audience::default(),
            user_inputs: Audience::default(),
        }
    }

    pub(crate) fn set_approval_handler(&self, handler: Option<Handler<ApprovalRequest, ApprovalDecision>>) {
        self.approvals.set_handler(handler);
    }

    pub(crate) fn set_user_input_handler(
        &self,
        handler: Option<Handler<UserInputRequest, UserInputResponse>>,
    ) {
        self.user_inputs.set_handler(handler);
    }

    pub(crate) fn approval_requests(&self, connection: &Connection) -> ApprovalRequests {
        let waiting = || {
            let read = |question: &Arc<Question>| {
                Some((question.number, ApprovalRequest::read(question, self.client)?.ok()?))
            };
            connection.questions().iter().filter_map(read).collect()
        };
        self.approvals.stream(waiting, !connection.has_ended())
    }

    pub(crate) fn user_input_requests(&self, connection: &Connection) -> UserInputRequests {
        let waiting = || {
            let read = |question: &Arc<Question>| {
                Some((question.number, UserInputRequest::read(question, self.client)?.ok()?))
            };
            connection.questions().iter().filter_map(read).collect()
        };
        self.user_inputs.stream(waiting, !connection.has_ended())
    }

    pub(crate) fn respond_approval(
        &self,
        connection: &Connection,
        request: &ApprovalRequest,
        decision: &ApprovalDecision,
    ) -> Result<()> {
        let answer = request.answer(decision)?;
        let is_it = |question: &Question| {
            let waiting = ApprovalRequest::read(question, self.client);
            matches!(waiting, Some(Ok(waiting)) if waiting.is_same(request))
        };
        respond(connection, request.key().number, is_it, to_answer(&answer))
    }

    pub(crate) fn respond_user_input(
        &self,
        connection: &Connection,
        request: &UserInputRequest,
        response: &UserInputResponse,
    ) -> Result<()> {
        let is_it = |question: &Question| {
            let waiting = UserInputRequest::read(question, self.client);
            matches!(waiting, Some(Ok(waiting)) if waiting.is_same(request))
        };
        respond(connection, request.key.number, is_it, to_answer(&response.to_value()))
    }

    fn approval(&self, request: ApprovalRequest, method: &str) -> Verdict {
        let else_answer = safe_answer(method);
        match (self.approvals.handler(), self.mode) {
            (Some(handler), _) => {
                let safe = else_answer.clone();
                let answer = move || {
                    let decision = handler(&request);
                    request.answer(&decision).map_or_else(
                        |error| {
                            log::error!("an approval handler decided what can't be: {error}");
                            safe
                        },
                        |answer| to_answer(&answer),
                    )
                };
                Verdict::Run { answer: Box::new(answer), else_answer }
            }
            (None, ApprovalMode::Auto) => Verdict::Now(else_answer),
            (None, ApprovalMode::Manual) => Verdict::Wait { limit: self.approval_timeout, else_answer },
        }
    }

    fn user_input(&self, request: UserInputRequest, method: &str) -> Verdict {
        let else_answer = safe_answer(method);
        match self.user_inputs.handler() {
            Some(handler) => {
                let answer = move || to_answer(&handler(&request).to_value());
                Verdict::Run { answer: Box::new(answer), else_answer }
            }
            None if self.user_inputs.is_watched() => {
                Verdict::Wait { limit: self.user_input_timeout, else_answer }
            }
            None => Verdict::Now(else_answer),
        }
    }
}

impl Policy for Desk {
    fn arrived(&self, question: &Question) -> Verdict {
        let method = question.method.as_str();
        let broken = |error: serde_json::Error| {
            let message = format!("the parameters of {method} can't be read: {error}");
            Verdict::Now(Err(Refusal { code: INVALID_PARAMS, message }))
        };
        if let Some(request) = ApprovalRequest::read(question, self.client) {
            return request.map_or_else(broken, |request| self.approval(request, method));
        }
        if let Some(request) = UserInputRequest::read(question, self.client) {
            return request.map_or_else(broken, |request| self.user_input(request, method));
        }
        Verdict::Now(safe_answer(method))
    }

    fn show(&self, question: &Question) {
        if let Some(Ok(request)) = ApprovalRequest::read(question, self.client) {
            self.approvals.show(question.number, request);
        } else if let Some(Ok(request)) = UserInputRequest::read(question, self.client) {
            self.user_inputs.show(question.number, request);
        }
    }

    fn ended(&self) {
        self.approvals.end();
        self.user_inputs.end();
    }
}

/// Answers the question of that number if it still waits and is the one that is meant.
fn respond(
    connection: &Connection,
    number: u64,
    is_it: impl Fn(&Question) -> bool,
    answer: Answer,
) -> Result<()> {
    let waits = connection.questions().iter().any(|question| question.number == number && is_it(question));
    if waits && connection.answer(number, answer) {
        return Ok(());
    }
    if connection.has_ended() {
        return Err(connection.reason("answer a question of the server"));
    }
    Err(Error::NoLongerPending {
        what: "this question was answered, withdrawn, is over, or came to another client".to_owned(),
    })
}
