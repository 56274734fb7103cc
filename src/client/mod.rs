//! The handle that a program holds: requests, chats, notifications, and closing.
//!
//! Relies on everything before it. Invariant: every method takes `&self`, can be called from any thread, and
//! blocks for at most a documented limit.

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
/// Cheap to clone, and usable from all threads at once: clones share one connection. The connection ends when
/// [`close`](Self::close) is called or the last clone is dropped (each [`Chat`](crate::Chat) and
/// [`ThreadHandle`](crate::ThreadHandle) counts as one).
///
/// A call blocks only the calling thread, until its reply arrives or its limit passes. The first call
/// performs the handshake ([`initialize`](Self::initialize)).
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

/// What all clones share besides the connection.
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

/// A non-owning handle to a [`Client`], returned by [`Client::downgrade`].
///
/// For callbacks that call the client: a callback that captured a clone would keep its own connection open
/// indefinitely.
#[must_use = "a weak client does nothing until it is upgraded"]
#[derive(Clone)]
pub struct WeakClient {
    inner: std::sync::Weak<Inner>,
    connection: WeakConnection,
    request_timeout: Option<Duration>,
}

impl WeakClient {
    /// Returns the client, unless its last clone has been dropped.
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
    /// Connects with the default settings of [`ClientBuilder`].
    ///
    /// Blocks until the server can be written to, for at most the transport's connect limit.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio};
    ///
    /// let client = Client::connect(Stdio::default())?; // runs `codex app-server`
    /// println!("{}", client.chat_once("Say hello")?.final_text);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`Transport::connect`]: [`Error::Transport`](crate::Error::Transport) if no server can be
    /// reached.
    pub fn connect(transport: impl Transport) -> Result<Client> {
        Client::builder().connect(transport)
    }

    /// Creates a builder, to change limits and behaviour.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use codex_blocking::{ApprovalMode, Client, Stdio};
    ///
    /// let client = Client::builder()
    ///     .request_timeout(Duration::from_secs(60))
    ///     .approval_mode(ApprovalMode::Manual)
    ///     .connect(Stdio::default())?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Returns a client for the same connection with another request limit; `None` means no limit.
    pub fn with_request_timeout(&self, limit: impl Into<Option<Duration>>) -> Client {
        Client { request_timeout: limit.into(), ..self.clone() }
    }

    /// Returns a handle that does not keep the connection open.
    pub fn downgrade(&self) -> WeakClient {
        WeakClient {
            inner: Arc::downgrade(&self.inner),
            connection: self.connection.downgrade(),
            request_timeout: self.request_timeout,
        }
    }

    /// Returns a stream of all notifications from now on, of all threads.
    ///
    /// The stream buffers at most 65,536 notifications or 64 MiB; beyond that, the oldest unread ones are
    /// dropped and counted in [`Stats::dropped_notifications`]. It ends with the connection.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let notifications = client.notifications();
    /// client.chat_once("Say hello")?;
    /// client.close()?;
    /// for notification in notifications {
    ///     println!("{}", notification.method()); // thread/started, turn/started, …
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.connection.subscribe())
    }

    /// Returns the counters of this connection.
    pub fn stats(&self) -> Stats {
        Stats::of(self)
    }

    /// Closes the connection in an orderly way, for all clones.
    ///
    /// Waiting calls fail with [`Error::Closed`](crate::Error::Closed). For a child process, the client
    /// closes its input, then sends SIGTERM, then SIGKILL, each after a delay, and reaps it; threads are
    /// joined. Blocks for at most 5 s. Can be called from any thread, also in a callback, and more than once.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// client.close()?;
    /// assert_eq!(client.chat_once("hi").unwrap_err().code(), "closed");
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Currently none.
    pub fn close(&self) -> Result<()> {
        self.connection.close(Shutdown::Orderly);
        Ok(())
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.request_timeout)
    }
}
