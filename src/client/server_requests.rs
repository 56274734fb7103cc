//! Server requests: handlers, streams, and answers by hand.
//!
//! Relies on `server_request`. Invariant: thin wrappers around one broker; nothing is decided here.

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
    /// Sets the handler of approval requests, replacing a previous one.
    ///
    /// The handler runs on a worker thread, may block, and may call the client (capture a
    /// [`WeakClient`](crate::WeakClient), since a captured clone would keep its own connection open).
    /// Requests don't wait for each other. If the handler panics, the request is declined.
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

    /// Removes the handler: the [mode](crate::ApprovalMode) decides again.
    pub fn clear_approval_handler(&self) {
        self.inner.broker.set_handler(&self.connection, None, |handlers| &mut handlers.approvals);
    }

    /// Returns a stream of all approval requests: those that are pending, then new ones. While a handler or
    /// [`ApprovalMode::Decline`](crate::ApprovalMode::Decline) decides, the stream is for observation only.
    ///
    /// ```no_run
    /// use codex_blocking::{ApprovalMode, Client, Stdio};
    ///
    /// let client = Client::builder().approval_mode(ApprovalMode::Manual).connect(Stdio::default())?;
    /// let requests = client.approval_requests();
    /// let answering = client.downgrade(); // doesn't keep the connection open
    /// std::thread::spawn(move || {
    ///     for request in requests {
    ///         let Some(client) = answering.upgrade() else { break };
    ///         println!("{request:?}");
    ///         client.approve_approval(&request).ok();
    ///     }
    /// });
    /// client.chat_once("Run the tests")?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn approval_requests(&self) -> ApprovalRequests {
        self.inner.broker.subscribe(&self.connection)
    }

    /// Answers a pending approval request, without waiting for the effect.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the request is no longer pending here; [`Error::InvalidInput`] if the
    /// decision doesn't apply to this kind of request, in which case nothing was sent; [`Error::Closed`] and
    /// [`Error::Transport`] if the connection has ended.
    pub fn respond_approval(&self, request: &ApprovalRequest, decision: ApprovalDecision) -> Result<()> {
        self.respond_server_request(&ServerRequest::Approval(request.clone()), decision)
    }

    /// Approves a pending request, once.
    ///
    /// # Errors
    /// Same as [`respond_approval`](Self::respond_approval).
    pub fn approve_approval(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::Accept)
    }

    /// Approves a pending request, and the same request in this thread from now on.
    ///
    /// # Errors
    /// Same as [`respond_approval`](Self::respond_approval).
    pub fn approve_for_session(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::AcceptForSession)
    }

    /// Approves a pending command, and permanently all commands that begin with these words. The server
    /// accepts any words; [`ApprovalDecision::accept_proposed_amendment`] uses its own proposal.
    ///
    /// # Errors
    /// Same as [`respond_approval`](Self::respond_approval).
    pub fn approve_with_amendment<S: Into<String>>(
        &self,
        request: &ApprovalRequest,
        words: impl IntoIterator<Item = S>,
    ) -> Result<()> {
        let words = words.into_iter().map(Into::into).collect();
        self.respond_approval(request, ApprovalDecision::AcceptWithExecpolicyAmendment(words))
    }

    /// Declines a pending request; the turn continues.
    ///
    /// # Errors
    /// Same as [`respond_approval`](Self::respond_approval).
    pub fn decline_approval(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::Decline)
    }

    /// Declines a pending request, and interrupts its turn.
    ///
    /// # Errors
    /// Same as [`respond_approval`](Self::respond_approval).
    pub fn cancel_approval(&self, request: &ApprovalRequest) -> Result<()> {
        self.respond_approval(request, ApprovalDecision::Cancel)
    }

    /// Sets the handler of user-input requests, which runs like that of
    /// [`set_approval_handler`](Self::set_approval_handler).
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

    /// Removes the handler.
    pub fn clear_user_input_handler(&self) {
        self.inner.broker.set_handler(&self.connection, None, |handlers| &mut handlers.user_inputs);
    }

    /// Returns a stream of all user-input requests: those that are pending, then new ones. Without a handler
    /// or a stream they fail immediately. With a stream and no handler they wait for an answer by hand, for
    /// at most the user-input limit (300 s by default).
    pub fn user_input_requests(&self) -> UserInputRequests {
        self.inner.broker.subscribe(&self.connection)
    }

    /// Answers a pending user-input request.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the request is no longer pending here; [`Error::Closed`] and
    /// [`Error::Transport`] if the connection has ended.
    pub fn respond_user_input(&self, request: &UserInputRequest, response: UserInputResponse) -> Result<()> {
        self.respond_server_request(&ServerRequest::UserInput(request.clone()), response)
    }

    /// Answers one question of a user-input request with some of its options, by label.
    ///
    /// This answers the whole request: its other questions stay unanswered. To answer several questions, use
    /// [`UserInputResponse::and_answer`].
    ///
    /// # Errors
    /// Same as [`respond_user_input`](Self::respond_user_input), and [`Error::InvalidInput`] if the request
    /// has no such question, or the question no such option, in which case nothing was sent.
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

    /// Answers one question of a user-input request with free text.
    ///
    /// This answers the whole request, like [`respond_user_input_choice`](Self::respond_user_input_choice).
    ///
    /// # Errors
    /// Same as [`respond_user_input`](Self::respond_user_input), and [`Error::InvalidInput`] if the request
    /// has no such question, in which case nothing was sent.
    pub fn respond_user_input_other(
        &self,
        request: &UserInputRequest,
        question_id: &str,
        text: &str,
    ) -> Result<()> {
        find(request, question_id)?;
        self.respond_user_input(request, UserInputResponse::answer(question_id, [text]))
    }

    /// Sets the handler of all server requests that have no handler of their own: permissions, elicitations
    /// of MCP servers, calls of tools that are not registered here, tokens, the time, and methods that this
    /// version does not know. Approvals and user-input requests go to their own handlers.
    ///
    /// It runs like the handler of [`set_approval_handler`](Self::set_approval_handler). If it returns
    /// [`ServerResponse::pass`], panics, or returns an answer that doesn't fit (which is logged), the request
    /// gets its default answer: permissions are not granted, forms are declined, tool calls fail, the current
    /// time is returned, everything else is rejected. The server waits for tokens and the time for 10 s, and
    /// for an attestation for 0.2 s.
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

    /// Removes the handler.
    pub fn clear_server_request_handler(&self) {
        self.inner.broker.set_handler(&self.connection, None, |handlers| &mut handlers.others);
    }

    /// Returns a stream of all server requests, of all kinds: those that are pending, then new ones.
    ///
    /// While a handler, a tool or the default answer decides, the stream is for observation only. Which
    /// requests wait for an answer by hand depends on their kind: approvals in
    /// [`ApprovalMode::Manual`](crate::ApprovalMode::Manual); user-input requests while a stream returns them
    /// and there is no handler; permissions and elicitations if both conditions hold, for the approval limit
    /// (no limit by default). Tool calls, tokens, attestations, the time and unknown methods never wait for
    /// an answer by hand.
    pub fn server_requests(&self) -> ServerRequests {
        self.inner.broker.subscribe(&self.connection)
    }

    /// Returns all unanswered server requests, oldest first, including those that a handler or a tool is
    /// processing. Never blocks.
    ///
    /// Each can be answered until something else answers it: with
    /// [`respond_server_request`](Self::respond_server_request), or with the methods for its kind.
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

    /// Sets whether all server requests without a handler wait for an answer by hand (off by default), also those that
    /// would be declined or rejected at once, and whether or not anybody reads a stream: for a program that looks at
    /// [`pending`](Self::pending) and answers with [`respond_server_request`](Self::respond_server_request).
    ///
    /// User-input requests wait for [`user_input_timeout`](crate::ClientBuilder::user_input_timeout), all others for
    /// [`approval_timeout`](crate::ClientBuilder::approval_timeout). The current time is told at once. It applies to
    /// requests that arrive from now on. Never blocks.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ServerResponse;
    ///
    /// client.answer_by_hand(true);
    /// for request in client.pending() {
    ///     client.respond_server_request(&request, ServerResponse::pass())?;
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn answer_by_hand(&self, is_on: bool) {
        self.inner.broker.wait_for_all(is_on);
    }

    /// Answers a pending server request of any kind, without waiting for the effect.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] if the request is no longer pending here; [`Error::InvalidInput`] if the
    /// answer doesn't fit the kind, or grants more than was requested, in which case nothing was sent;
    /// [`Error::Closed`] and [`Error::Transport`] if the connection has ended.
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
