//! Where questions arrive, and who decides about each: a tool, a handler, the program by hand, or nobody.
//!
//! Relies on `connection` for the waiting. Invariant: user code runs on workers only, and a question
//! that nobody decides gets the safe answer.

use std::{
    any::Any,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use super::{
    ApprovalMode, QuestionStream, ServerRequest, ServerResponse,
    safe::{INVALID_PARAMS, can_be_declined_unread, safe_answer},
    server_request::Origin,
    stream::{Seen, Viewers},
    tool::{ToolSet, Tools},
};
use crate::{
    connection::{Connection, Policy, Question, Refusal, Verdict},
    error::{Error, Result},
};

/// What decides about questions.
pub(crate) type Handler = Arc<dyn Fn(&ServerRequest) -> ServerResponse + Send + Sync>;

/// The handlers that a program can set.
#[derive(Default)]
pub(crate) struct Handlers {
    pub(crate) approvals: Option<Handler>,
    pub(crate) user_inputs: Option<Handler>,
    /// Of all kinds that have none of their own.
    pub(crate) others: Option<Handler>,
}

/// Those who decide about, and those who look at, the questions of one client, and how it behaves
/// without them.
pub(crate) struct Desk {
    client: u64,
    mode: ApprovalMode,
    approval_timeout: Option<Duration>,
    user_input_timeout: Option<Duration>,
    /// `None` once the connection has ended.
    handlers: Mutex<Option<Handlers>>,
    tools: Tools,
    viewers: Viewers,
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
            handlers: Mutex::new(Some(Handlers::default())),
            tools: Tools::default(),
            viewers: Viewers::default(),
        }
    }

    /// Sets or clears one of the handlers. After the end of the connection it keeps none.
    pub(crate) fn set_handler(
        &self,
        handler: Option<Handler>,
        slot: impl FnOnce(&mut Handlers) -> &mut Option<Handler>,
    ) {
        let dropped = match &mut *self.handlers.lock() {
            Some(handlers) => std::mem::replace(slot(handlers), handler),
            None => handler,
        };
        // It may hold the last handle on anything; not under the lock.
        drop(dropped);
    }

    /// Gives a thread its tools, or none, and gives back those it had.
    pub(crate) fn put_tools(&self, thread_id: &str, tools: Option<ToolSet>) -> Option<ToolSet> {
        self.tools.put(thread_id, tools)
    }

    /// A fork has the tools of the thread it was made of.
    pub(crate) fn inherit_tools(&self, from: &str, to: &str) {
        self.tools.inherit(from, to);
    }

    /// The requests that wait, oldest first.
    pub(crate) fn pending(&self, connection: &Connection) -> Vec<ServerRequest> {
        connection.questions().iter().filter_map(|question| self.read(question).ok()).collect()
    }

    /// The requests that the stream is about from now on, those first that wait.
    pub(crate) fn stream<T: Seen>(&self, connection: &Connection) -> QuestionStream<T> {
        self.viewers.stream(|| self.pending(connection))
    }

    /// Answers a request if it still waits and is the one that is meant.
    pub(crate) fn respond(
        &self,
        connection: &Connection,
        request: &ServerRequest,
        response: &ServerResponse,
    ) -> Result<()> {
        let answer = request.answer(response)?;
        let number = request.origin().question().number;
        let is_it = |question: &Arc<Question>| {
            question.number == number && self.read(question).is_ok_and(|waiting| waiting.is_same(request))
        };
        if connection.questions().iter().any(is_it) && connection.answer(number, answer) {
            return Ok(());
        }
        if connection.has_ended() {
            return Err(connection.reason("answer a question of the server"));
        }
        Err(Error::NoLongerPending {
            what: "this question was answered, withdrawn, is over, or came to another client".to_owned(),
        })
    }

    fn read(&self, question: &Arc<Question>) -> serde_json::Result<ServerRequest> {
        ServerRequest::read(Origin::new(self.client, question))
    }

    /// Who decides about the request.
    fn handler_of(&self, request: &ServerRequest) -> Option<Handler> {
        if let ServerRequest::ToolCall(call) = request {
            if let Some(tool) = self.tools.find(call) {
                return Some(Arc::new(move |request| match request {
                    ServerRequest::ToolCall(call) => tool.call(call).into(),
                    _ => ServerResponse::pass(),
                }));
            }
        }
        let handlers = self.handlers.lock();
        let handlers = handlers.as_ref()?;
        let handler = match request {
            ServerRequest::Approval(_) => &handlers.approvals,
            ServerRequest::UserInput(_) => &handlers.user_inputs,
            _ => &handlers.others,
        };
        handler.clone()
    }

    /// How long the request waits for somebody to answer it by hand; `None`: it does not.
    fn patience(&self, request: &ServerRequest) -> Option<Option<Duration>> {
        let is_manual = self.mode == ApprovalMode::Manual;
        match request {
            ServerRequest::Approval(_) => is_manual.then_some(self.approval_timeout),
            ServerRequest::UserInput(_) => self.viewers.see(request).then_some(self.user_input_timeout),
            ServerRequest::Permissions(_) | ServerRequest::Elicitation(_) => {
                (is_manual && self.viewers.see(request)).then_some(self.approval_timeout)
            }
            _ => None,
        }
    }
}

impl Policy for Desk {
    fn arrived(&self, question: &Arc<Question>) -> Verdict {
        let method = question.method.as_str();
        let else_answer = safe_answer(method);
        let request = match self.read(question) {
            Ok(request) => request,
            Err(error) => {
                // Without the error, which may quote what is private.
                let why = "its parameters can't be read".to_owned();
                // Nobody can decide about what is not whole, but "no" can be said in its own words.
                if question.thread_id.is_some() && can_be_declined_unread(method) {
                    return Verdict::Now { answer: else_answer, why };
                }
                let message = format!("the parameters of {method} can't be read: {error}");
                return Verdict::Now { answer: Err(Refusal { code: INVALID_PARAMS, message }), why };
            }
        };
        if let Some(handler) = self.handler_of(&request) {
            let safe = else_answer.clone();
            let answer = move || {
                request.answer(&handler(&request)).unwrap_or_else(|error| {
                    log::error!("a handler gave what can't be an answer; the safe one was sent: {error}");
                    safe
                })
            };
            return Verdict::Run { answer: Box::new(answer), else_answer };
        }
        match self.patience(&request) {
            Some(limit) => Verdict::Wait { limit, else_answer },
            None => Verdict::Now { answer: else_answer, why: "nobody decides that".to_owned() },
        }
    }

    fn show(&self, question: &Arc<Question>) {
        self.viewers.show(question.number, || self.read(question).ok());
    }

    fn thread_gone(&self, thread_id: &str) -> Option<Box<dyn Any + Send>> {
        Some(Box::new(self.tools.put(thread_id, None)?))
    }

    fn ended(&self) -> Box<dyn Any + Send> {
        self.viewers.end();
        let handlers = self.handlers.lock().take();
        Box::new((handlers, self.tools.close()))
    }
}
