//! The handle that a program holds: requests, chats, notifications, the end of the connection.
//!
//! Relies on everything before it. Invariant: every method takes `&self`, works from any thread,
//! and waits no longer than a limit it names.

mod builder;
mod chat;
mod config;
mod deferred;
mod exec;
mod initialize;
mod json;
mod legacy_events;
mod notifications;
mod reply;
mod request;
mod review;
mod rollback;
mod server_requests;
mod stats;
mod supports;
mod thread;

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;

pub use self::{
    builder::ClientBuilder,
    initialize::{InitializeResult, SERVER_VERSIONS},
    notifications::Notifications,
    reply::Reply,
    stats::Stats,
    thread::ThreadHandle,
};
use crate::{
    deadline::Deadline,
    error::Result,
    exec::Commands,
    rpc::{Budget, Connection, WeakConnection},
    server_request::Broker,
    transport::{Shutdown, Transport},
    turn::{Continuations, Turns},
};

/// A connection to a Codex app-server.
///
/// Cheap to clone, and usable from all threads at once: clones share one connection. It ends when
/// [`close`](Self::close) is called or the last clone is dropped (each
/// [`Chat`](crate::Chat) and [`ThreadHandle`](crate::ThreadHandle) counts as one).
///
/// Every call blocks the calling thread only, until its answer is there or its limit is reached.
/// The handshake ([`initialize`](Self::initialize)) is done at first use.
///
/// ```no_run
/// use codex_blocking::{Client, Stdio};
///
/// let client = Client::connect(Stdio::default())?;
/// for step in client.chat("Fix the failing test")? {
///     println!("{step}");
/// }
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "dropping the last clone ends the connection"]
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    connection: Connection,
    request_timeout: Option<Duration>,
}

/// What all clones share beside the connection.
pub(crate) struct Inner {
    settings: builder::ClientSettings,
    initialized: Mutex<Option<initialize::Handshake>>,
    methods: Mutex<Option<supports::Methods>>,
    deferred: deferred::DeferredOverrides,
    continuations: Arc<Continuations>,
    budget: Arc<Budget>,
    turns: Arc<Turns>,
    commands: Arc<Commands>,
    broker: Arc<Broker>,
}

/// A non-owning handle to a [`Client`].
///
/// For callbacks that call the client: one that captured a clone would keep its own connection
/// open for ever.
#[must_use = "a weak client does nothing until it is upgraded"]
#[derive(Clone)]
pub struct WeakClient {
    inner: std::sync::Weak<Inner>,
    connection: WeakConnection,
    request_timeout: Option<Duration>,
}

impl WeakClient {
    /// The client, unless its last clone is gone.
    pub fn upgrade(&self) -> Option<Client> {
        Some(Client {
            inner: self.inner.upgrade()?,
            connection: self.connection.upgrade()?,
            request_timeout: self.request_timeout,
        })
    }
}

impl fmt::Debug for WeakClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakClient").finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connection", &self.connection)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects with the defaults of [`ClientBuilder`].
    ///
    /// Blocks until the server can be written to, at the longest for the transport's connect limit.
    ///
    /// # Errors
    /// As [`Transport::connect`]: [`Error::Transport`](crate::Error::Transport) when there is no
    /// server to talk to.
    pub fn connect(transport: impl Transport) -> Result<Client> {
        Client::builder().connect(transport)
    }

    /// A builder, to change limits and behaviour.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The same connection with another limit on requests; `None`: for ever.
    pub fn with_request_timeout(&self, limit: impl Into<Option<Duration>>) -> Client {
        Client { request_timeout: limit.into(), ..self.clone() }
    }

    /// A handle that does not keep the connection open.
    pub fn downgrade(&self) -> WeakClient {
        WeakClient {
            inner: Arc::downgrade(&self.inner),
            connection: self.connection.downgrade(),
            request_timeout: self.request_timeout,
        }
    }

    /// All notifications from now on, of all threads, as they come.
    ///
    /// The stream may be read slowly: it holds 65,536 notifications or 64 MiB of them, then the
    /// oldest unread are dropped and counted in [`Stats::dropped_notifications`]. It ends when the
    /// connection does.
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.connection.subscribe())
    }

    /// Counters of this connection.
    pub fn stats(&self) -> Stats {
        Stats::of(self)
    }

    /// Ends the connection in order, for all clones.
    ///
    /// Whatever waits fails with [`Error::Closed`](crate::Error::Closed). A child process gets the
    /// end of its input, then TERM, then KILL, each after a while, and is reaped; threads are
    /// joined. Blocks for 5 s at the longest. May be called on any thread, also in a callback, and
    /// more than once.
    ///
    /// # Errors
    /// None at present.
    pub fn close(&self) -> Result<()> {
        self.connection.close(Shutdown::Orderly);
        Ok(())
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.request_timeout)
    }
}
