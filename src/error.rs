//! Error types.
//!
//! Relies on `continuation`, `excerpt`, and the plain data of a turn that it carries. Invariant: an [`Error`]
//! keeps its cause as `source()`, its ids and the raw text, and is cheap to clone, since the end of a connection
//! fails every waiting call.

mod json;

use std::{
    fmt, io,
    process::ExitStatus,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::{
    continuation::ChatContinuation,
    excerpt::{self, Excerpt, Message, abridged_debug},
    failure::TurnFailure,
    protocol::TokenUsageBreakdown as TokenCount,
    turn::{ConversationStep, TurnProgress},
};

/// The JSON-RPC code of the server's error response when it is overloaded.
pub(crate) const OVERLOADED: i64 = -32001;

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of this crate. The variants differ in what a caller can do about them.
///
/// Every variant is `Clone`. [`source`](std::error::Error::source) returns the underlying error, if any. `Display`
/// and `Debug` show the beginning of long texts, which the server may have sent; the fields keep all of them.
/// [`code`](Error::code) returns a stable identifier for logs and for other languages.
///
/// As JSON an error has these members: `code`; `message`, its `Display`; `causes`, the `Display` of its sources, outermost
/// first; `is_retryable`, as [the method](Error::is_retryable) says; and its fields, where
/// - the duration `after` is `after_ms`, and `idle` is `idle_ms`;
/// - the `code` and `message` of [`Rpc`](Error::Rpc) are `rpc_code` and `rpc_message`, the message of
///   [`TurnFailed`](Error::TurnFailed) is `turn_message`, and its `turn_failure` is [`failure`](Error::failure);
/// - `progress` is `steps` and `usage`;
/// - `source` is in `causes`.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server could not be reached, or the connection was lost. Everything pending on the connection
    /// fails with the same reason. To go on, connect again. `failure` contains the details: the exit status
    /// and the last lines of stderr, the close code, or the HTTP status.
    #[error("{}: {failure}", Message(.doing))]
    #[non_exhaustive]
    Transport {
        /// What was being done.
        doing: String,
        /// Why it failed. Shared by all errors with the same cause.
        failure: Arc<TransportFailure>,
        /// The underlying error, if any.
        #[source]
        source: Option<Cause>,
    },
    /// A time limit passed. `limit` names the limit, and thereby the setting that changes it.
    #[error("{limit} after {}{}", Seconds(*.after), Note(.note.as_deref()))]
    #[non_exhaustive]
    Timeout {
        /// Which limit passed.
        limit: Timeout,
        /// The duration of the limit.
        after: Duration,
        /// What may explain it: the beginnings of errors that the server sent during the call without the id
        /// of a request. Of a turn that was interrupted at its limit: that its end has not been reported, if so.
        note: Option<Box<str>>,
        /// What the turn did before, if the limit was that of a turn.
        progress: TurnProgress,
    },
    /// The turn sent no event for longer than the inactivity limit. It may still be running: resume it with
    /// `continuation`, [cancel](crate::Client::cancel) it, or [forget](crate::Client::forget) it.
    #[error(
        "turn {} of thread {} was inactive for {}{}; resume it with the continuation, or cancel it",
        Excerpt(&.continuation.turn_id), Excerpt(&.continuation.thread_id), Seconds(*.idle),
        LastError(.last_error.as_deref())
    )]
    #[non_exhaustive]
    TurnInactive {
        /// Resumes reading the same turn.
        continuation: ChatContinuation,
        /// How long the turn had been inactive.
        idle: Duration,
        /// The last notice of the server that it retries its model, with the details, if one arrived during
        /// the inactivity: without network or sign-in, a server retries for ever.
        last_error: Option<String>,
        /// What the turn has done so far.
        progress: TurnProgress,
    },
    /// The server responded to a request with an error.
    #[error("{}: {} (code {code}){}", Excerpt(.method), Message(.message), advice(.message))]
    #[non_exhaustive]
    Rpc {
        /// The method of the request.
        method: String,
        /// The JSON-RPC code: -32600 for nearly everything, -32001 when overloaded.
        code: i64,
        /// The server's message. Its text is not stable. If a turn's thread was not found, the message of the
        /// preceding resume is appended.
        message: String,
        /// The `data` of the server's error. As a string, its JSON text, if no tree can hold it (because it is
        /// nested too deeply).
        data: Option<Box<Value>>,
    },
    /// The turn ended as failed.
    #[error(
        "turn {} of thread {} failed: {}{}",
        Excerpt(.turn_id), Excerpt(.thread_id), Message(.message), advice(.message)
    )]
    #[non_exhaustive]
    TurnFailed {
        /// The thread's id.
        thread_id: String,
        /// The turn's id.
        turn_id: String,
        /// The server's message. `Display` adds what the program can do about it, where that is known.
        message: String,
        /// The server's `codexErrorInfo`: a string such as `"usageLimitExceeded"`, or an object; its JSON text if
        /// no tree can hold it.
        info: Option<Box<Value>>,
        /// The turn as the server last reported it.
        turn: Option<Box<Value>>,
        /// What the turn did before.
        progress: TurnProgress,
        /// When the limit resets that was the reason, if the server has told; see [`TurnFailure::resets_at`].
        resets_at: Option<SystemTime>,
    },
    /// The turn was interrupted: by this client, by another client, or because the server stopped.
    #[error("turn {} of thread {} was interrupted", Excerpt(.turn_id), Excerpt(.thread_id))]
    #[non_exhaustive]
    TurnInterrupted {
        /// The thread's id.
        thread_id: String,
        /// The turn's id.
        turn_id: String,
        /// The turn as the server last reported it.
        turn: Option<Box<Value>>,
        /// What the turn did before.
        progress: TurnProgress,
    },
    /// The turn completed without an answer: with neither a message that is more than commentary nor a plan.
    /// [`steps`](Error::steps) returns what it did.
    #[error("turn {} of thread {} completed without an answer", Excerpt(.turn_id), Excerpt(.thread_id))]
    #[non_exhaustive]
    NoAnswer {
        /// The thread's id.
        thread_id: String,
        /// The turn's id.
        turn_id: String,
        /// What the turn did.
        progress: TurnProgress,
    },
    /// A message from the server, or a part of one, could not be decoded.
    #[error("{} could not be decoded{}: {}", Excerpt(.what), Reason(.source.as_ref()), Excerpt(.raw))]
    #[non_exhaustive]
    Decode {
        /// What was being decoded.
        what: String,
        /// The text as received.
        raw: Arc<str>,
        /// Where and why decoding stopped.
        #[source]
        source: Option<Cause>,
        /// What the turn did, if this is its answer.
        progress: TurnProgress,
    },
    /// Turns were rolled back, but reading the remaining thread failed. Don't retry: that would remove more
    /// turns. [`read_thread`](crate::Client::read_thread) returns the remaining turns.
    #[error(
        "turns of thread {} were rolled back, but the remaining thread could not be read: {}",
        Excerpt(.thread_id), &**.source
    )]
    #[non_exhaustive]
    RolledBack {
        /// The thread's id.
        thread_id: String,
        /// Why reading failed; also an [`Error`].
        #[source]
        source: Cause,
    },
    /// An argument is invalid; nothing was sent.
    #[error("{}", Message(.message))]
    #[non_exhaustive]
    InvalidInput {
        /// What is wrong with it, and what to do.
        message: String,
        /// The underlying error, if any.
        #[source]
        source: Option<Cause>,
    },
    /// The continuation, server request, turn or command is no longer waiting here: it was used, withdrawn,
    /// has ended, or belongs to another connection.
    #[error("no longer pending: {}", Message(.what))]
    #[non_exhaustive]
    NoLongerPending {
        /// What is no longer pending.
        what: String,
        /// The server's error, if it is the server that says so.
        #[source]
        source: Option<Cause>,
    },
    /// The unread events exceeded `max_buffered_bytes`, and this turn's were the largest part. The turn may
    /// still be running on the server.
    #[error(
        "turn {} of thread {} was dropped: {buffered} bytes of unread events exceed \
         max_buffered_bytes ({limit}); read faster, keep fewer raw events or steps, or raise the limit",
        Excerpt(.turn_id), Excerpt(.thread_id)
    )]
    #[non_exhaustive]
    BufferFull {
        /// The thread's id.
        thread_id: String,
        /// The turn's id.
        turn_id: String,
        /// The bytes buffered on the whole connection when the limit was exceeded.
        buffered: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The unread events exceeded `max_buffered_bytes`, and this command's output was the largest part. If
    /// the command was still running, it has been terminated.
    #[error(
        "command {} was dropped: {buffered} bytes of unread events exceed max_buffered_bytes \
         ({limit}); read faster, cap its output, or raise the limit",
        Excerpt(.process_id)
    )]
    #[non_exhaustive]
    OutputFull {
        /// The command's `processId`.
        process_id: String,
        /// The bytes buffered on the whole connection when the limit was exceeded.
        buffered: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A sign-in with ChatGPT ended without success. `Display` says what to do next.
    #[error("{}: {}{}", if *.was_cancelled { "the login was cancelled" } else { "the login failed" }, Message(.message),
        if *.was_cancelled {
            ", because of Login::cancel, or because another login or a logout followed"
        } else {
            "; begin another with Client::login_chatgpt or Client::login_device_code, or use Client::login_api_key"
        }
    )]
    #[non_exhaustive]
    LoginFailed {
        /// The server's reason. Its text is not stable.
        message: String,
        /// Whether this client ended it: with [`Login::cancel`](crate::Login::cancel), with another sign-in, or with
        /// a logout.
        was_cancelled: bool,
    },
    /// This client was closed, by [`close`](crate::Client::close) or by dropping its last clone, or is used in a
    /// forked process.
    #[error("{}: {}", Message(.doing), if *.in_forked_process {
        "the client can't be used in a forked process; connect another one there"
    } else {
        "the client is closed"
    })]
    #[non_exhaustive]
    Closed {
        /// What was being done.
        doing: String,
        /// Whether this process was forked from the one that connected. The connection belongs to that one, where
        /// it can still be used.
        in_forked_process: bool,
    },
}

abridged_debug!(enum Error {
    Transport { doing, failure, source },
    Timeout { limit, after, note, progress },
    TurnInactive { continuation, idle, last_error, progress },
    Rpc { method, code, message, data },
    TurnFailed { thread_id, turn_id, message, info, turn, progress, resets_at },
    TurnInterrupted { thread_id, turn_id, turn, progress },
    NoAnswer { thread_id, turn_id, progress },
    Decode { what, raw, source, progress },
    RolledBack { thread_id, source },
    InvalidInput { message, source },
    NoLongerPending { what, source },
    BufferFull { thread_id, turn_id, buffered, limit },
    OutputFull { process_id, buffered, limit },
    LoginFailed { message, was_cancelled },
    Closed { doing, in_forked_process },
});

/// A time limit, as reported by [`Error::Timeout`]. As JSON it has the member `type`, its name in snake case, and its fields.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// `connect_timeout` of the transport: until the server can be written to.
    Connect,
    /// `request_timeout`: from the call of a request to its reply.
    #[non_exhaustive]
    Request {
        /// The method of the request.
        method: String,
    },
    /// The compaction of a thread did not end: `inactivity_timeout`, if this client started it, since the last
    /// sign of it; `request_timeout`, if a turn had to wait for it.
    #[non_exhaustive]
    Compaction {
        /// The thread's id.
        thread_id: String,
    },
    /// `request_timeout`: from the interruption of a turn to its end.
    #[non_exhaustive]
    TurnEnd {
        /// The turn's id.
        turn_id: String,
    },
    /// The limit given to [`Login::wait`](crate::Login::wait). The sign-in goes on.
    #[non_exhaustive]
    Login {
        /// The sign-in's id.
        login_id: String,
    },
    /// [`turn_timeout`](crate::ChatRequest::turn_timeout): from the request of a turn. The turn was interrupted.
    Turn,
}

abridged_debug!(enum Timeout {
    Connect, Request { method }, Compaction { thread_id }, TurnEnd { turn_id }, Login { login_id }, Turn,
});

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timeout::Connect => f.write_str("connect_timeout: the server could not be reached"),
            Timeout::Request { method } => write!(f, "request_timeout: no reply to {}", Excerpt(method)),
            Timeout::Compaction { thread_id } => {
                write!(f, "the compaction of thread {} did not end", Excerpt(thread_id))
            }
            Timeout::TurnEnd { turn_id } => {
                write!(f, "request_timeout: the interrupted turn {} did not end", Excerpt(turn_id))
            }
            Timeout::Login { login_id } => write!(
                f,
                "the login {} waits for the user; wait again, or cancel it: still nobody has signed in",
                Excerpt(login_id)
            ),
            Timeout::Turn => f.write_str("turn_timeout: the turn was interrupted"),
        }
    }
}

/// A shared pointer to the cause of an [`Error`]. It dereferences to the cause, which can be downcast.
#[derive(Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// Wraps an error.
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
        excerpt::debug(f, &|f| self.0.fmt(f))
    }
}

/// Why a transport ended or could not connect. Shared by everything that waited for it.
///
/// As JSON it has its fields as members; `exit_status` is `exit_code` and `exit_signal`, of which one is null at least,
/// and `source` is in the `causes` of the error.
#[non_exhaustive]
pub struct TransportFailure {
    /// What happened, in one sentence.
    pub message: String,
    /// The exit status of the server's process, if this client started it and it has ended. Unknown if the program
    /// ignores SIGCHLD, or waits for all child processes itself.
    pub exit_status: Option<ExitStatus>,
    /// The last lines that the server's process wrote to stderr, oldest first. Only these contain the reason
    /// of a failed start.
    pub stderr_tail: Vec<String>,
    /// The HTTP status with which a WebSocket upgrade was rejected, or the connection by a proxy.
    pub http_status: Option<u16>,
    /// The code of the WebSocket close frame.
    pub close_code: Option<u16>,
    /// Whether the connection was never established, so that nothing can have run.
    pub before_connect: bool,
    /// Whether connecting may succeed later although nothing is changed: nobody listens yet, the server is
    /// overloaded, the network is down. [`while_connecting`](Self::while_connecting) sets it if `http_status`
    /// or the `source` says so.
    pub is_transient: bool,
    /// The underlying error, if any.
    pub source: Option<Cause>,
}

abridged_debug!(struct TransportFailure {
    message, exit_status, stderr_tail, http_status, close_code, before_connect, is_transient, source,
});

impl TransportFailure {
    /// Creates a failure that consists of a message.
    pub fn new(message: impl Into<String>) -> Self {
        TransportFailure {
            message: message.into(),
            exit_status: None,
            stderr_tail: Vec::new(),
            http_status: None,
            close_code: None,
            before_connect: false,
            is_transient: false,
            source: None,
        }
    }

    /// Sets the underlying error.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Cause::new(source));
        self
    }

    /// Converts the failure into an [`Error`] that occurred while connecting; `doing` says what was being
    /// done.
    pub fn while_connecting(mut self, doing: impl Into<String>) -> Error {
        self.before_connect = true;
        self.is_transient |= match self.http_status {
            Some(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            None => self.source.as_deref().and_then(|source| source.downcast_ref()).is_some_and(may_pass),
        };
        Error::transport(doing, Arc::new(self))
    }
}

/// Whether the same call may succeed later. What is not known to pass is taken to be permanent, so that no
/// program tries for ever.
fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::TimedOut
        | Kind::WouldBlock
        | Kind::Interrupted
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::AddrNotAvailable
        | Kind::ExecutableFileBusy
        | Kind::OutOfMemory => true,
        // Looking up a name has no kind of its own.
        _ => error.to_string().contains("Temporary failure in name resolution"),
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Message(&self.message).fmt(f)?;
        if let Some(status) = self.exit_status {
            write!(f, " ({status})")?;
        }
        if !self.stderr_tail.is_empty() {
            f.write_str("; last lines on stderr:")?;
            for line in &self.stderr_tail {
                write!(f, "\n  {}", Message(line))?;
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
        Error::Decode {
            what: what.into(),
            raw: raw.into(),
            source: Some(Cause::new(abridged(source))),
            progress: TurnProgress::default(),
        }
    }

    pub(crate) fn timeout(limit: Timeout, after: Duration) -> Self {
        Error::Timeout { limit, after, note: None, progress: TurnProgress::default() }
    }

    pub(crate) fn no_longer_pending(what: impl Into<String>) -> Self {
        Error::NoLongerPending { what: what.into(), source: None }
    }

    pub(crate) fn closed(doing: impl Into<String>) -> Self {
        Error::Closed { doing: doing.into(), in_forked_process: false }
    }

    pub(crate) fn forked(doing: impl Into<String>) -> Self {
        Error::Closed { doing: doing.into(), in_forked_process: true }
    }

    /// Adds what may explain a time-out.
    pub(crate) fn with_note(mut self, explanation: Option<Box<str>>) -> Self {
        if let Error::Timeout { note, .. } = &mut self {
            *note = explanation;
        }
        self
    }

    /// Adds what the turn did whose answer could not be decoded.
    pub(crate) fn with_progress(mut self, done: TurnProgress) -> Self {
        if let Error::Decode { progress, .. } = &mut self {
            *progress = done;
        }
        self
    }

    /// The same error for another operation: the end of a connection fails many calls.
    pub(crate) fn while_doing(&self, what: &str) -> Self {
        match self {
            Error::Transport { failure, .. } => Error::transport(what, Arc::clone(failure)),
            Error::Closed { in_forked_process, .. } => {
                Error::Closed { doing: what.to_owned(), in_forked_process: *in_forked_process }
            }
            other => other.clone(),
        }
    }

    /// Returns `true` if a time limit passed: a deadline, or the inactivity limit of a turn.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Timeout { .. } | Error::TurnInactive { .. })
    }

    /// Returns `true` if the same call may succeed later although nothing is changed, and can be repeated
    /// without the risk that work runs twice.
    ///
    /// | failure | retryable |
    /// | --- | --- |
    /// | the server rejected the request as overloaded (-32001) | yes |
    /// | connecting timed out, was refused or reset; nobody listens; the network is down | yes |
    /// | the WebSocket upgrade was rejected with 408, 425, 429 or 5xx | yes |
    /// | the upgrade was rejected with another status (401, 403, 404), or the server is no WebSocket server | no |
    /// | no program, not executable, no working directory; the started server ended | no |
    /// | an unknown host, an untrusted certificate, an invalid URL | no |
    /// | a turn failed for a transient reason ([`TurnFailure::is_transient`]) before it did anything | yes |
    /// | a turn failed, and has run a command, said something, asked for approval, … | no |
    /// | anything else after the connection was established | no |
    ///
    /// Limit the attempts all the same: a server may stay overloaded, and a port may be the wrong one.
    /// [`retry`](crate::retry()) does.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Rpc { code, .. } => *code == OVERLOADED,
            Error::Timeout { limit, .. } => matches!(limit, Timeout::Connect),
            Error::Transport { failure, .. } => failure.before_connect && failure.is_transient,
            Error::TurnFailed { progress, .. } => {
                progress.did_nothing() && self.failure().is_some_and(|failure| failure.is_transient)
            }
            _ => false,
        }
    }

    /// Returns why the turn failed, as data; `None` unless this is [`TurnFailed`](Error::TurnFailed).
    ///
    /// ```
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let fail = || TurnScript::new().fail("try again at 1:38 PM", "usageLimitExceeded".into());
    /// # let client = ScriptedServer::new().on_turn(move |_| fail()).client()?;
    /// use codex_blocking::protocol::CodexErrorInfo;
    ///
    /// let error = client.chat_once("Fix the failing test").unwrap_err();
    /// let failure = error.failure().expect("a failed turn");
    /// assert_eq!(failure.kind, CodexErrorInfo::UsageLimitExceeded);
    /// assert!(!failure.is_transient); // only the reset of the limit helps
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn failure(&self) -> Option<TurnFailure> {
        match self {
            Error::TurnFailed { info, resets_at, .. } => Some(TurnFailure::new(info.as_deref(), *resets_at)),
            _ => None,
        }
    }

    /// When a limit resets that has ended a turn before it did anything.
    pub(crate) fn repeatable_at(&self) -> Option<SystemTime> {
        match self {
            Error::TurnFailed { progress, resets_at, .. } if progress.did_nothing() => *resets_at,
            _ => None,
        }
    }

    /// Returns the continuation of a turn that may still be running.
    pub fn continuation(&self) -> Option<&ChatContinuation> {
        match self {
            Error::TurnInactive { continuation, .. } => Some(continuation),
            _ => None,
        }
    }

    /// Returns the steps of a turn that ended without a result, if they were kept: always by
    /// [`chat_once`](crate::Client::chat_once), otherwise with
    /// [`keep_steps(true)`](crate::ChatRequest::keep_steps). Empty for all other errors.
    ///
    /// ```
    /// # use codex_blocking::testing::{ScriptedServer, TurnScript};
    /// # let server = ScriptedServer::new().on_turn(|_| TurnScript::new().command("date", "Monday", 0));
    /// # let client = server.client()?;
    /// use codex_blocking::Error;
    ///
    /// match client.chat_once("Which day is it?") {
    ///     Ok(result) => println!("{}", result.final_text),
    ///     Err(error @ Error::NoAnswer { .. }) => {
    ///         for step in error.steps() {
    ///             println!("{step}"); // what it did instead of answering
    ///         }
    ///     }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn steps(&self) -> &[ConversationStep] {
        self.progress().map_or(&[], TurnProgress::steps)
    }

    /// Returns the tokens of a turn that ended without a result, if the server has reported any.
    pub fn usage(&self) -> Option<&TokenCount> {
        self.progress()?.usage()
    }

    fn progress(&self) -> Option<&TurnProgress> {
        match self {
            Error::TurnInactive { progress, .. }
            | Error::Timeout { progress, .. }
            | Error::Decode { progress, .. }
            | Error::TurnFailed { progress, .. }
            | Error::TurnInterrupted { progress, .. }
            | Error::NoAnswer { progress, .. } => Some(progress),
            _ => None,
        }
    }
}

/// Declares the identifiers of the variants, so that none is missing in the list.
macro_rules! codes {
    ($($variant:ident => $code:literal,)*) => {
        impl Error {
            /// All identifiers that [`code`](Self::code) returns, in this version.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// Returns a stable identifier for this kind of error, such as `"turn_failed"`.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Error::$variant { .. } => $code,)*
                }
            }
        }
    };
}

codes! {
    Transport => "transport",
    Timeout => "timeout",
    TurnInactive => "turn_inactive",
    Rpc => "rpc",
    TurnFailed => "turn_failed",
    TurnInterrupted => "turn_interrupted",
    NoAnswer => "no_answer",
    Decode => "decode",
    RolledBack => "rolled_back",
    InvalidInput => "invalid_input",
    NoLongerPending => "no_longer_pending",
    BufferFull => "buffer_full",
    OutputFull => "output_full",
    LoginFailed => "login_failed",
    Closed => "closed",
}

/// The last notice of a server that retries.
struct LastError<'a>(Option<&'a str>);

impl fmt::Display for LastError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |message| write!(f, " (the server is retrying: {})", Excerpt(message)))
    }
}

/// The error with the beginning of its text: serde quotes the value that doesn't fit, however long it is.
fn abridged(error: serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    let place = text.rfind(" at line ").map_or("", |at| &text[at..]);
    let shown = Message(&text).to_string();
    match shown.len() < text.len() {
        // serde_json reads the line and the column from the end of the text.
        true => serde::de::Error::custom(format_args!("{shown}{place}")),
        false => error,
    }
}

/// Formats a duration in seconds, with at most three digits after the point, and with fewer the longer it is.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let scale = match seconds {
            ..1.0 => 1000.0,
            1.0..10.0 => 10.0,
            _ => 1.0,
        };
        write!(f, "{} s", (seconds * scale).round() / scale)
    }
}

/// Where and why decoding stopped; placed after the name of what was decoded.
struct Reason<'a>(Option<&'a Cause>);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |source| write!(f, " ({})", Message(&source.to_string())))
    }
}

/// What may explain a time-out; placed after it.
struct Note<'a>(Option<&'a str>);

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |note| write!(f, "; {}", Message(note)))
    }
}

/// What the program can do about an error, if the server's message shows it.
fn advice(message: &str) -> &'static str {
    // The messages in question are short; one of megabytes is not searched.
    let is = |text: &str| message.len() < 1000 && message.contains(text);
    if is("already has an active writer") {
        "; another app-server process has this thread loaded: close the client that started it, or drop that \
         client's last Client, ThreadHandle and Chat"
    } else if is("authentication required to read rate limits") {
        "; sign in with Client::login_chatgpt or Client::login_device_code"
    } else if is("status 401 Unauthorized") {
        "; sign in with Client::login_api_key, Client::login_chatgpt or Client::login_device_code, or correct the \
         key of the model provider"
    } else if is("log out and sign in again") {
        "; use Client::logout, then Client::login_chatgpt or Client::login_device_code"
    } else if is("auth refresh request failed") {
        // The server leaves out this client's reason for refusing new tokens, which says the same.
        "; the server asked this program for new tokens: use Client::set_server_request_handler to give them"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_can_cross_threads() {
        fn crosses<T: Clone + Send + Sync + 'static + std::error::Error>() {}
        crosses::<Error>();
        assert!(size_of::<Error>() <= 120, "{}", size_of::<Error>());
    }

    #[test]
    fn a_turn_that_fails_for_want_of_new_tokens_names_the_handler_to_set() {
        let error = Error::TurnFailed {
            thread_id: "t".to_owned(),
            turn_id: "u".to_owned(),
            message: "auth refresh request failed: code=-32603".to_owned(),
            info: None,
            turn: None,
            progress: TurnProgress::default(),
            resets_at: None,
        };
        assert!(error.to_string().contains("Client::set_server_request_handler"), "{error}");
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
        assert!(!error.is_retryable());
        assert_eq!(error.to_string(), "connect: lost");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.downcast_ref::<std::io::Error>().unwrap().to_string(), "the pipe burst");
    }

    #[test]
    fn a_failure_to_connect_is_retryable_if_it_may_pass() {
        use io::ErrorKind as Kind;
        let caused_by = |kind: Kind| TransportFailure::new("x").with_source(io::Error::from(kind));
        for (failure, may_pass) in [
            (caused_by(Kind::ConnectionRefused), true),
            (caused_by(Kind::TimedOut), true),
            (caused_by(Kind::NetworkUnreachable), true),
            (caused_by(Kind::UnexpectedEof), true),
            (caused_by(Kind::NotFound), false),
            (caused_by(Kind::PermissionDenied), false),
            (caused_by(Kind::InvalidData), false),
            (TransportFailure::new("program not found"), false),
            (TransportFailure { http_status: Some(503), ..caused_by(Kind::Other) }, true),
            (TransportFailure { http_status: Some(401), ..caused_by(Kind::TimedOut) }, false),
            (TransportFailure { is_transient: true, ..TransportFailure::new("starting") }, true),
        ] {
            let error = failure.while_connecting("connect");
            assert_eq!(error.is_retryable(), may_pass, "{error:?}");
        }
        // Once it was connected, work may have been done.
        let lost = Error::transport("x", Arc::new(caused_by(Kind::ConnectionReset)));
        assert!(!lost.is_retryable());
        let lookup =
            io::Error::other("failed to lookup address information: Temporary failure in name resolution");
        assert!(TransportFailure::new("x").with_source(lookup).while_connecting("x").is_retryable());
    }

    #[test]
    fn an_error_of_megabytes_is_short_in_display_and_debug_and_whole_in_its_fields() {
        const MIB: usize = 1024 * 1024;
        let long = || "x".repeat(MIB);
        let value = || Some(Box::new(Value::from(long())));
        let invalid = || serde_json::from_str::<u8>(&format!("\"{}\"", long())).unwrap_err();
        let failure = TransportFailure {
            stderr_tail: vec![long(), "the end".to_owned()],
            ..TransportFailure::new(long())
        };
        let continuation =
            ChatContinuation::new(&long(), &long(), 0, crate::continuation::ChatMode::Steps, 0);
        let thread = || (long(), long());
        let progress = TurnProgress::default;
        for (number, error) in [
            Error::transport(long(), Arc::new(failure)),
            Error::Timeout {
                limit: Timeout::Request { method: long() },
                after: Duration::ZERO,
                note: Some(long().into()),
                progress: progress(),
            },
            Error::Timeout {
                limit: Timeout::TurnEnd { turn_id: long() },
                after: Duration::ZERO,
                note: None,
                progress: progress(),
            },
            Error::TurnInactive {
                continuation,
                idle: Duration::ZERO,
                last_error: Some(long()),
                progress: progress(),
            },
            Error::Rpc { method: long(), code: 1, message: long(), data: value() },
            Error::TurnFailed {
                thread_id: thread().0,
                turn_id: thread().1,
                message: long(),
                info: value(),
                turn: value(),
                progress: progress(),
                resets_at: None,
            },
            Error::TurnInterrupted {
                thread_id: thread().0,
                turn_id: thread().1,
                turn: value(),
                progress: progress(),
            },
            Error::NoAnswer { thread_id: thread().0, turn_id: thread().1, progress: progress() },
            Error::decode(long(), &long(), invalid()),
            Error::RolledBack { thread_id: long(), source: Cause::new(Error::invalid(long())) },
            Error::invalid(long()),
            Error::no_longer_pending(long()),
            Error::BufferFull { thread_id: thread().0, turn_id: thread().1, buffered: 1, limit: 1 },
            Error::OutputFull { process_id: long(), buffered: 1, limit: 1 },
            Error::LoginFailed { message: long(), was_cancelled: false },
            Error::closed(long()),
        ]
        .into_iter()
        .enumerate()
        {
            for shown in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
                assert!(shown.len() < 20_000, "{number}: {} bytes", shown.len());
            }
            let mut below = std::error::Error::source(&error);
            while let Some(source) = below {
                for shown in [source.to_string(), format!("{source:?}")] {
                    assert!(shown.len() < 20_000, "{number}, source: {} bytes", shown.len());
                }
                below = source.source();
            }
            if let Error::Rpc { message, data, .. } = &error {
                assert_eq!((message.len(), data.as_ref().unwrap().as_str().unwrap().len()), (MIB, MIB));
            }
        }
    }

    #[test]
    fn an_error_about_a_thread_that_another_server_has_loaded_says_what_to_do() {
        let message = "thread 1 already has an active writer".to_owned();
        let error = Error::Rpc { method: "thread/resume".to_owned(), code: -32600, message, data: None };
        let text = error.to_string();
        assert!(text.contains("thread 1 ") && text.contains("close the client that started it"), "{text}");
        assert!(text.contains("(code -32600); another app-server process"), "{text}");
    }
}
