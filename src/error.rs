//! What can go wrong, told so that the caller knows what to do next.
//!
//! Relies on `continuation` only. Invariant: an [`Error`] keeps its cause as
//! `source()`, its ids and the raw text, and is cheap to clone, since one dead server is told to
//! every waiter.

use std::{fmt, process::ExitStatus, sync::Arc, time::Duration};

use serde_json::Value;

use crate::continuation::ChatContinuation;

/// The JSON-RPC code with which the server refuses a request because it is overloaded.
pub(crate) const OVERLOADED: i64 = -32001;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, one variant per thing a caller can do about it.
///
/// Every variant is `Clone`, and [`source`](std::error::Error::source) leads to the cause where
/// there is one. [`code`](Error::code) gives a stable word for logs and for other languages.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server could not be reached, or died. Everything pending on the connection fails with
    /// the same reason. Connect anew; `failure` says why: the exit status and the last lines of
    /// stderr, the close frame, or the HTTP status.
    #[error("{doing}: {failure}")]
    #[non_exhaustive]
    Transport {
        /// What was being done.
        doing: String,
        /// Why it failed; shared by all who are told.
        failure: Arc<TransportFailure>,
        /// The error below, where there is one.
        #[source]
        source: Option<Cause>,
    },
    /// A wait reached its deadline. `limit` names it; its setting is the thing to change.
    #[error("{limit} after {}", Seconds(*.after))]
    #[non_exhaustive]
    Timeout {
        /// Which limit fired.
        limit: Timeout,
        /// How long the limit allowed.
        after: Duration,
    },
    /// The turn said nothing for longer than the inactivity limit. It may still be running:
    /// go on with `continuation`, [cancel](crate::Client::cancel) it, or
    /// [forget](crate::Client::forget) it.
    #[error(
        "turn {} of thread {} was silent for {}; go on with the continuation, or cancel it",
        .continuation.turn_id, .continuation.thread_id, Seconds(*.idle)
    )]
    #[non_exhaustive]
    TurnInactive {
        /// The token with which the same turn is read on.
        continuation: ChatContinuation,
        /// How long the turn had been silent.
        idle: Duration,
    },
    /// The server answered a request with an error.
    #[error("{method}: {message} (code {code})")]
    #[non_exhaustive]
    Rpc {
        /// The method of the request.
        method: String,
        /// The JSON-RPC code: -32600 for nearly everything, -32001 when overloaded.
        code: i64,
        /// The server's words. They are no stable identifiers.
        /// Where a turn finds no thread, those of the resume before it follow.
        message: String,
        /// What the server added.
        data: Option<Box<Value>>,
    },
    /// The turn ended as failed.
    #[error("turn {turn_id} of thread {thread_id} failed: {message}")]
    #[non_exhaustive]
    TurnFailed {
        /// The thread.
        thread_id: String,
        /// The turn.
        turn_id: String,
        /// The server's words.
        message: String,
        /// The server's `codexErrorInfo`: a word such as `"usageLimitExceeded"`, or an object.
        info: Option<Box<Value>>,
        /// The turn as the server reported it last.
        turn: Option<Box<Value>>,
    },
    /// The turn was interrupted: by this client, another one, or the server's stop.
    #[error("turn {turn_id} of thread {thread_id} was interrupted")]
    #[non_exhaustive]
    TurnInterrupted {
        /// The thread.
        thread_id: String,
        /// The turn.
        turn_id: String,
        /// The turn as the server reported it last.
        turn: Option<Box<Value>>,
    },
    /// The turn completed, but the agent said nothing. [`chat`](crate::Client::chat) gives its
    /// steps all the same.
    #[error("turn {turn_id} of thread {thread_id} completed without an answer")]
    #[non_exhaustive]
    NoAnswer {
        /// The thread.
        thread_id: String,
        /// The turn.
        turn_id: String,
    },
    /// Something the server sent does not have the shape it should.
    #[error("{what} could not be decoded{}: {}", Reason(.source.as_ref()), Excerpt(.raw))]
    #[non_exhaustive]
    Decode {
        /// What was being decoded.
        what: String,
        /// The text as it came.
        raw: Arc<str>,
        /// Where and why decoding stopped.
        #[source]
        source: Option<Cause>,
    },
    /// Turns were taken back, but what is left of the thread could not be read. A repeat would take
    /// more turns back; [`read_thread`](crate::Client::read_thread) tells what is left.
    #[error("turns of thread {thread_id} were taken back, but what is left could not be read: {}", &**.source)]
    #[non_exhaustive]
    RolledBack {
        /// The thread.
        thread_id: String,
        /// Why it could not be read: an [`Error`] too.
        #[source]
        source: Cause,
    },
    /// An argument that can't work; nothing was sent.
    #[error("{message}")]
    #[non_exhaustive]
    InvalidInput {
        /// What is wrong with it, and what to do.
        message: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Cause>,
    },
    /// The continuation, the server's question or the command is not waiting here (any more): used
    /// up, withdrawn, over, or of another connection.
    #[error("no longer pending: {what}")]
    #[non_exhaustive]
    NoLongerPending {
        /// What was asked for.
        what: String,
    },
    /// More unread events were kept than `max_buffered_bytes` allows, and this turn held the most
    /// of them. It may still be running on the server.
    #[error(
        "turn {turn_id} of thread {thread_id} was given up: {buffered} bytes of unread events exceed \
         max_buffered_bytes ({limit}); read faster, keep fewer raw events, or raise the limit"
    )]
    #[non_exhaustive]
    BufferFull {
        /// The thread.
        thread_id: String,
        /// The turn.
        turn_id: String,
        /// The bytes kept on the whole connection when the limit was passed.
        buffered: usize,
        /// The limit.
        limit: usize,
    },
    /// More unread events were kept than `max_buffered_bytes` allows, and this command held the most
    /// of them. If it still ran, it has been terminated.
    #[error(
        "command {process_id} was given up: {buffered} bytes of unread events exceed max_buffered_bytes \
         ({limit}); read faster, cap its output, or raise the limit"
    )]
    #[non_exhaustive]
    OutputFull {
        /// The command, by its `processId`.
        process_id: String,
        /// The bytes kept on the whole connection when the limit was passed.
        buffered: usize,
        /// The limit.
        limit: usize,
    },
    /// This client was closed here, by [`close`](crate::Client::close) or by dropping its last
    /// clone.
    #[error("{doing}: the client is closed")]
    #[non_exhaustive]
    Closed {
        /// What was being done.
        doing: String,
    },
}

/// The name of a time limit, as [`Error::Timeout`] tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// `connect_timeout` of the transport: until the server can be spoken to.
    Connect,
    /// `request_timeout`: from the call of a request to its reply.
    #[non_exhaustive]
    Request {
        /// The method that was not answered.
        method: String,
    },
    /// The wait for a turn to end after it was interrupted (`request_timeout`).
    #[non_exhaustive]
    TurnEnd {
        /// The turn.
        turn_id: String,
    },
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timeout::Connect => f.write_str("connect_timeout: the server could not be reached"),
            Timeout::Request { method } => write!(f, "request_timeout: no reply to {method}"),
            Timeout::TurnEnd { turn_id } => {
                write!(f, "request_timeout: the interrupted turn {turn_id} did not end")
            }
        }
    }
}

/// A shared pointer to the cause of an [`Error`]. It dereferences to the cause, which can be downcast.
#[derive(Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// Shares an error.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Cause(Arc::new(error))
    }
}

impl std::ops::Deref for Cause {
    type Target = dyn std::error::Error + Send + Sync + 'static;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a transport ended or never came up. Shared by all who wait on it.
#[derive(Debug)]
#[non_exhaustive]
pub struct TransportFailure {
    /// What happened, in one sentence.
    pub message: String,
    /// How the server's process ended, where it did and was ours.
    pub exit_status: Option<ExitStatus>,
    /// The last lines that the server's process wrote on stderr, oldest first. The reason of a
    /// failed start stands only here.
    pub stderr_tail: Vec<String>,
    /// The HTTP status with which a WebSocket upgrade was refused.
    pub http_status: Option<u16>,
    /// The code of the WebSocket close frame.
    pub close_code: Option<u16>,
    /// Whether the connection never came up, so that nothing can have run.
    pub before_connect: bool,
    /// The error below.
    pub source: Option<Cause>,
}

impl TransportFailure {
    /// A failure with nothing but its message.
    pub fn new(message: impl Into<String>) -> Self {
        TransportFailure {
            message: message.into(),
            exit_status: None,
            stderr_tail: Vec::new(),
            http_status: None,
            close_code: None,
            before_connect: false,
            source: None,
        }
    }

    /// Adds the error below.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Cause::new(source));
        self
    }

    /// Turns this into an [`Error`] that says what was being done while connecting.
    pub fn while_connecting(mut self, doing: impl Into<String>) -> Error {
        self.before_connect = true;
        Error::transport(doing, Arc::new(self))
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(status) = self.exit_status {
            write!(f, " ({status})")?;
        }
        if !self.stderr_tail.is_empty() {
            f.write_str("; its last words on stderr:")?;
            for line in &self.stderr_tail {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for TransportFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl Error {
    pub(crate) fn transport(doing: impl Into<String>, failure: Arc<TransportFailure>) -> Self {
        Error::Transport { doing: doing.into(), source: failure.source.clone(), failure }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Error::InvalidInput { message: message.into(), source: None }
    }

    pub(crate) fn invalid_because(
        message: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Error::InvalidInput { message: message.into(), source: Some(Cause::new(source)) }
    }

    pub(crate) fn decode(what: impl Into<String>, raw: &str, source: serde_json::Error) -> Self {
        Error::Decode { what: what.into(), raw: raw.into(), source: Some(Cause::new(source)) }
    }

    pub(crate) fn closed(doing: impl Into<String>) -> Self {
        Error::Closed { doing: doing.into() }
    }

    /// The same error, told of another thing that was being done: one dead server fails many calls.
    pub(crate) fn while_doing(&self, what: &str) -> Self {
        match self {
            Error::Transport { failure, .. } => Error::transport(what, Arc::clone(failure)),
            Error::Closed { .. } => Error::closed(what),
            other => other.clone(),
        }
    }

    /// Whether a time limit fired: a deadline, or the silence of a turn.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Timeout { .. } | Error::TurnInactive { .. })
    }

    /// Whether the same call may be made again without any risk that work runs twice: the server
    /// refused it as overloaded (-32001), or the connection never came up.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Rpc { code, .. } => *code == OVERLOADED,
            Error::Timeout { limit, .. } => matches!(limit, Timeout::Connect),
            Error::Transport { failure, .. } => failure.before_connect,
            _ => false,
        }
    }

    /// The token to go on with, where the turn may still be running.
    pub fn continuation(&self) -> Option<&ChatContinuation> {
        match self {
            Error::TurnInactive { continuation, .. } => Some(continuation),
            _ => None,
        }
    }

    /// A stable word for this kind of error, such as `"turn_failed"`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Transport { .. } => "transport",
            Error::Timeout { .. } => "timeout",
            Error::TurnInactive { .. } => "turn_inactive",
            Error::Rpc { .. } => "rpc",
            Error::TurnFailed { .. } => "turn_failed",
            Error::TurnInterrupted { .. } => "turn_interrupted",
            Error::NoAnswer { .. } => "no_answer",
            Error::Decode { .. } => "decode",
            Error::RolledBack { .. } => "rolled_back",
            Error::InvalidInput { .. } => "invalid_input",
            Error::NoLongerPending { .. } => "no_longer_pending",
            Error::BufferFull { .. } => "buffer_full",
            Error::OutputFull { .. } => "output_full",
            Error::Closed { .. } => "closed",
        }
    }
}

/// A duration as a person reads it.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

/// The beginning of a text: a message of megabytes must not fill a log.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

/// Where and why decoding stopped, after what was decoded: without it the message helps nobody.
struct Reason<'a>(Option<&'a Cause>);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |source| write!(f, " ({})", &**source))
    }
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        match self.0.char_indices().nth(SHOWN) {
            Some((cut, _)) => write!(f, "{}… ({} bytes)", &self.0[..cut], self.0.len()),
            None => f.write_str(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_can_cross_threads() {
        fn crosses<T: Clone + Send + Sync + 'static + std::error::Error>() {}
        crosses::<Error>();
        assert!(size_of::<Error>() <= 96, "{}", size_of::<Error>());
    }

    #[test]
    fn a_long_raw_text_is_shortened_in_the_message_but_kept_in_the_error() {
        let raw = "x".repeat(10_000);
        let source = serde_json::from_str::<u8>(&raw).unwrap_err();
        let error = Error::decode("a reply", &raw, source);
        assert!(error.to_string().len() < 400, "{error}");
        let Error::Decode { raw: kept, .. } = &error else { unreachable!() };
        assert_eq!(kept.len(), 10_000);
    }

    #[test]
    fn a_transport_error_tells_why_itself_and_what_lies_below_as_its_source() {
        let cause = std::io::Error::other("the pipe burst");
        let error = TransportFailure::new("lost").with_source(cause).while_connecting("connect");
        assert_eq!(error.to_string(), "connect: lost");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.downcast_ref::<std::io::Error>().unwrap().to_string(), "the pipe burst");
        assert!(error.is_retryable());
    }
}
