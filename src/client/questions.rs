//! What the server asks, as the program meets it: handlers, streams, and answers by hand.
//!
//! Relies on `approval`. Invariant: thin names over one desk; nothing is decided here.

use std::sync::Arc;

use super::Client;
use crate::{
    approval::{
        ApprovalDecision, ApprovalRequest, ApprovalRequests, UserInputRequest, UserInputRequests,
        UserInputResponse,
    },
    error::{Error, Result},
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
        self.inner.desk.set_approval_handler(Some(Arc::new(handler)));
    }

    /// Takes the handler away: the [mode](crate::ApprovalMode) decides again.
    pub fn clear_approval_handler(&self) {
        self.inner.desk.set_approval_handler(None);
    }

    /// All requests for approval from now on, those first that wait already. While a handler or
    /// [`ApprovalMode::Auto`](crate::ApprovalMode::Auto) decides, the stream only looks on.
    pub fn approval_requests(&self) -> ApprovalRequests {
        self.inner.desk.approval_requests(self.connection())
    }

    /// Answers a request that waits. Does not wait for what comes of it.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when it does not wait here (any more); [`Error::InvalidInput`] when
    /// this kind of request can't be decided so, and nothing was sent; [`Error::Closed`] and
    /// [`Error::Transport`] when the connection has ended.
    pub fn respond_approval(&self, request: &ApprovalRequest, decision: ApprovalDecision) -> Result<()> {
        self.inner.desk.respond_approval(self.connection(), request, &decision)
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

    /// Says yes to a command that waits, and for good to all that begin with these words.
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
        self.inner.desk.set_user_input_handler(Some(Arc::new(handler)));
    }

    /// Takes the handler away.
    pub fn clear_user_input_handler(&self) {
        self.inner.desk.set_user_input_handler(None);
    }

    /// All questions to the user from now on, those first that wait already. While there is neither a
    /// handler nor such a stream, they fail at once; else they wait for the user input limit (300 s).
    pub fn user_input_requests(&self) -> UserInputRequests {
        self.inner.desk.user_input_requests(self.connection())
    }

    /// Answers a question that waits.
    ///
    /// # Errors
    /// [`Error::NoLongerPending`] when it does not wait here (any more); [`Error::Closed`] and
    /// [`Error::Transport`] when the connection has ended.
    pub fn respond_user_input(&self, request: &UserInputRequest, response: UserInputResponse) -> Result<()> {
        self.inner.desk.respond_user_input(self.connection(), request, &response)
    }

    /// Answers one question of a request with some of its options, by their labels.
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
                "question {question_id} has no option {pick}; it has: {labels}"
            )));
        }
        self.respond_user_input(request, UserInputResponse::answer(question_id, picks))
    }

    /// Answers one question of a request with a free text.
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
}

fn find<'a>(
    request: &'a UserInputRequest,
    question_id: &str,
) -> Result<&'a crate::approval::UserInputQuestion> {
    let question = request.questions.iter().find(|question| question.id == question_id);
    question.ok_or_else(|| Error::invalid(format!("the request has no question {question_id}")))
}
