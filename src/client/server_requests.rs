//! Server requests: handlers, streams, and answers by hand.
//!
//! Relies on `server_request`. Invariant: thin names over one broker; nothing is decided here.

use std::sync::Arc;

use super::Client;
use crate::{
    error::{Error, Result},
    server_request::{
        ApprovalDecision, ApprovalRequest, ApprovalRequests, Handler, Handlers, ServerRequest,
        ServerRequests, ServerResponse, UserInputQuestion, UserInputRequest, UserInputRequests,
        UserInputResponse,
    },
};

impl Client {
    /// Lets this decide about every request for approval, in place of one that was set before.
    ///
    /// It runs on a worker thread, may take its time, and may call the client (capture a
    /// [`WeakClient`](crate::WeakClient), since a captured clone would keep its own connection open).
    /// Requests do not wait for each other. One that panics declines.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::{ApprovalDecision, ApprovalRequest};
    ///
    /// client.set_approval_handler(|request| match request {
    ///     ApprovalRequest::Command(request) if request.command.as_deref() == Some("ls") => ApprovalDecision::Accept,
    ///     _ => ApprovalDecision::Decline,
    /// });
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn set_approval_handler(
        &self,
        handler: impl Fn(&ApprovalRequest) -> ApprovalDecision + Send + Sync + 'static,
    ) {
        self.set_handler(
            move |request| match request {
                ServerRequest::Approval(request) => handler(request).into(),
                _ => ServerResponse::pass(),
            },
            |handlers| &mut handlers.approvals,
        );
    }

    /// Takes the handler away: the [mode](crate::ApprovalMode) decides again.
    pub fn clear_approval_handler(&self) {
        self.inner.broker.set_handler(&self.connection, None, |handlers| &mut handlers.approvals);
    }

    /// All requests for approval from now on, those first that wait already. While a handler or
    /// [`ApprovalMode::Decline`](crate::ApprovalMode::Decline) decides, the stream only looks on.
    pub fn approval_requests(&self) -> ApprovalRequests {
        self.inner.broker.subscribe(&self.connection)
    }

    /// Answers a request that waits. Does not wait for what comes of it.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when it does not wait here (any more); [`Error::InvalidInput`] when
    /// this kind of request can't be decided so, and nothing was sent; [`Error::Closed`] and
    /// [`Error::Transport`] when the connection has ended.
    pub fn respond_approval(&self, request: &ApprovalRequest, decision: ApprovalDecision) -> Result<()> {
        self.respond_server_request(&ServerRequest::Approval(request.clone()), decision)
    }

    /// Says yes to a request that waits, this once.
    ///
    /// # Errors
    /// As [`respond_approval`](Self::respond_approval).
    pub fn approve_approval(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::Accept)
    }

    /// Says yes to a request that waits, and to the same in this thread from now on.
    ///
    /// # Errors
    /// As [`respond_approval`](Self::respond_approval).
    pub fn approve_for_session(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::AcceptForSession)
    }

    /// Says yes to a command that waits, and for good to all that begin with these words. The server
    /// takes any; its own proposal is given by
    /// [`ApprovalDecision::accept_proposed_amendment`].
    ///
    /// # Errors
    /// As [`respond_approval`](Self::respond_approval).
    pub fn approve_with_amendment<S: Into<String>>(
        &self,
        request: &ApprovalRequest,
        words: impl IntoIterator<Item = S>,
    ) -> Result<()> {
        let words = words.into_iter().map(Into::into).collect();
        self.respond_approval(request, ApprovalDecision::AcceptWithExecpolicyAmendment(words))
    }

    /// Says no to a request that waits; the turn goes on.
    ///
    /// # Errors
    /// As [`respond_approval`](Self::respond_approval).
    pub fn decline_approval(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::Decline)
    }

    /// Says no to a request that waits, and interrupts its turn.
    ///
    /// # Errors
    /// As [`respond_approval`](Self::respond_approval).
    pub fn cancel_approval(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::Cancel)
    }

    /// Lets this answer every question to the user, as [`set_approval_handler`](Self::set_approval_handler).
    pub fn set_user_input_handler(
        &self,
        handler: impl Fn(&UserInputRequest) -> UserInputResponse + Send + Sync + 'static,
    ) {
        self.set_handler(
            move |request| match request {
                ServerRequest::UserInput(request) => handler(request).into(),
                _ => ServerResponse::pass(),
            },
            |handlers| &mut handlers.user_inputs,
        );
    }

    /// Takes the handler away.
    pub fn clear_user_input_handler(&self) {
        self.inner.broker.set_handler(&self.connection, None, |handlers| &mut handlers.user_inputs);
    }

    /// All questions to the user from now on, those first that wait already. While there is neither a
    /// handler nor a stream that shows them, they fail at once; else they wait for the user input limit
    /// (300 s).
    pub fn user_input_requests(&self) -> UserInputRequests {
        self.inner.broker.subscribe(&self.connection)
    }

    /// Answers a question that waits.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when it does not wait here (any more); [`Error::Closed`] and
    /// [`Error::Transport`] when the connection has ended.
    pub fn respond_user_input(&self, request: &UserInputRequest, response: UserInputResponse) -> Result<()> {
        self.respond_server_request(&ServerRequest::UserInput(request.clone()), response)
    }

    /// Answers one question of a request with some of its options, by their labels.
    ///
    /// The request is answered by that: of several questions, the others stay without an answer. For more
    /// than one there is [`UserInputResponse::and_answer`].
    ///
    /// # Errors
    /// As [`respond_user_input`](Self::respond_user_input), and [`Error::InvalidInput`] when the request
    /// has no such question, or the question no such option; nothing was sent then.
    pub fn respond_user_input_choice<S: Into<String>>(
        &self,
        request: &UserInputRequest,
        question_id: &str,
        picks: impl IntoIterator<Item = S>,
    ) -> Result<()> {
        let picks: Vec<String> = picks.into_iter().map(Into::into).collect();
        let question = find(request, question_id)?;
        let labels: Vec<&str> =
            question.options.iter().flatten().map(|option| option.label.as_str()).collect();
        if let Some(pick) = picks.iter().find(|pick| !labels.contains(&pick.as_str())) {
            let labels = labels.join(", ");
            return Err(Error::invalid(format!(
                "question {question_id} has no option {pick}; its options are: {labels}"
            )));
        }
        self.respond_user_input(request, UserInputResponse::answer(question_id, picks))
    }

    /// Answers one question of a request with a free text.
    ///
    /// The request is answered by that, as with [`respond_user_input_choice`](Self::respond_user_input_choice).
    ///
    /// # Errors
    /// As [`respond_user_input`](Self::respond_user_input), and [`Error::InvalidInput`] when the request
    /// has no such question; nothing was sent then.
    pub fn respond_user_input_other(
        &self,
        request: &UserInputRequest,
        question_id: &str,
        text: &str,
    ) -> Result<()> {
        find(request, question_id)?;
        self.respond_user_input(request, UserInputResponse::answer(question_id, [text]))
    }

    /// Lets this answer everything the server asks that has no handler of its own: permissions, what
    /// MCP servers want of the user, calls of tools that are not registered here, tokens, the time, and
    /// methods that this version does not know. Approvals and questions to the user keep theirs.
    ///
    /// It runs as [`set_approval_handler`](Self::set_approval_handler) tells. With
    /// [`ServerResponse::pass`], by a panic, and by an answer that does not fit (which is logged), a
    /// request gets what it gets without a handler: permissions are not granted, forms are declined,
    /// calls of tools fail, the time is told, all else is refused. The server gives up on tokens and
    /// the time after 10 s, and on an attestation after 0.2 s.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::{ServerRequest, ServerResponse};
    /// use serde_json::json;
    ///
    /// client.set_server_request_handler(|request| match request {
    ///     ServerRequest::Elicitation(form) if form.params().server_name() == Some("tickets") => {
    ///         form.accept(json!({ "project": "codex" }))
    ///     }
    ///     ServerRequest::Other(other) if other.method() == "moon/phase" => ServerResponse::json("full"),
    ///     _ => ServerResponse::pass(),
    /// });
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn set_server_request_handler(
        &self,
        handler: impl Fn(&ServerRequest) -> ServerResponse + Send + Sync + 'static,
    ) {
        self.set_handler(handler, |handlers| &mut handlers.others);
    }

    /// Takes the handler away.
    pub fn clear_server_request_handler(&self) {
        self.inner.broker.set_handler(&self.connection, None, |handlers| &mut handlers.others);
    }

    /// Everything the server asks from now on, of all kinds, those first that wait already.
    ///
    /// It looks on while a handler, a tool or nobody decides; what of it waits for an answer by hand is
    /// a matter of the kind: approvals in [`ApprovalMode::Manual`](crate::ApprovalMode::Manual),
    /// questions to the user while a stream shows them and there is no handler, permissions and
    /// elicitations while both is so, for the approval limit (for ever, unless set). Calls of tools,
    /// tokens, attestations, the time and unknown methods never wait for a person.
    pub fn server_requests(&self) -> ServerRequests {
        self.inner.broker.subscribe(&self.connection)
    }

    /// What the server has asked and nobody has answered yet, oldest first; that which a handler or a
    /// tool is at work on too. Never waits.
    ///
    /// Each can be answered, until somebody else does: with
    /// [`respond_server_request`](Self::respond_server_request), or with the calls of its kind.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ServerRequest;
    ///
    /// for request in client.pending() {
    ///     if let ServerRequest::Approval(approval) = &request {
    ///         client.decline_approval(approval)?;
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn pending(&self) -> Vec<ServerRequest> {
        self.inner.broker.pending()
    }

    /// Answers a request of any kind that waits. Does not wait for what comes of it.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when it does not wait here (any more); [`Error::InvalidInput`] when
    /// the answer does not fit the kind, or grants more than was asked for, and nothing was sent;
    /// [`Error::Closed`] and [`Error::Transport`] when the connection has ended.
    pub fn respond_server_request(
        &self,
        request: &ServerRequest,
        response: impl Into<ServerResponse>,
    ) -> Result<()> {
        self.inner.broker.respond(&self.connection, request, &response.into())
    }

    fn set_handler(
        &self,
        handler: impl Fn(&ServerRequest) -> ServerResponse + Send + Sync + 'static,
        slot: impl FnOnce(&mut Handlers) -> &mut Option<Handler>,
    ) {
        self.inner.broker.set_handler(&self.connection, Some(Arc::new(handler)), slot);
    }
}

fn find<'a>(request: &'a UserInputRequest, question_id: &str) -> Result<&'a UserInputQuestion> {
    let question = request.questions.iter().find(|question| question.id == question_id);
    question.ok_or_else(|| Error::invalid(format!("the request has no question {question_id}")))
}
