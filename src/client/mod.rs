//! The handle that a program holds: requests, chats, notifications, and closing.
//!
//! Relies on everything before it. Invariant: every method takes `&self`, can be called from any thread, and
//! blocks for at most a documented limit.

// `Client`'s page in the documentation lists the methods in the order of these modules. The blank lines keep
// rustfmt from sorting them.
mod builder;

mod chat;
mod json;
#[cfg(feature = "schemars")]
mod strict_schema;

mod thread;
mod thread_info;

mod history;

mod rollback;

mod turns;

mod request;

mod notifications;
mod server_requests;

mod exec;

mod account;

mod review;
mod server_config;

mod initialize;
mod supports;

mod stats;

mod deferred_overrides;
mod legacy_events;
mod reply;

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;

pub use self::{
    builder::ClientBuilder,
    history::Paged,
    initialize::{InitializeResult, SERVER_VERSIONS},
    json::JsonAnswer,
    notifications::Notifications,
    reply::Reply,
    stats::Stats,
    thread::ThreadHandle,
    thread_info::ThreadInfo,
};
use crate::{
    account::Logins,
    deadline::Deadline,
    error::{Error, Result},
    exec::Commands,
    rpc::{Budget, Connection, WeakConnection},
    server_request::Broker,
    transport::Shutdown,
    turn::{Continuations, Turns},
};

/// A connection to a Codex app-server.
///
/// Cheap to clone, and usable from all threads at once: clones share one connection. The connection ends when
/// [`close`](Self::close) is called or the last clone is dropped (each [`Chat`](crate::Chat) and
/// [`ThreadHandle`](crate::ThreadHandle) counts as one, also one in a variable that nobody uses any more). Until
/// then no other server process can resume the threads that this one has loaded.
///
/// # Dropping blocks
///
/// **The drop of the last clone closes the connection, and blocks the thread that drops it for up to 0.5 s**, until the
/// server has ended and callbacks that run have returned. In a window this is a frozen frame, and any
/// [`Chat`](crate::Chat) or [`ThreadHandle`](crate::ThreadHandle) may be the last. Keep one clone for the
/// life of the program, and end it where waiting is allowed: by [`close`](Self::close), or by dropping it on another
/// thread:
///
/// ```
/// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
/// let closing = std::thread::spawn(move || client.close()); // the window goes on
/// // … before the program exits, so that the server has ended:
/// closing.join().unwrap()?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
///
/// # Calls
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
    deferred: deferred_overrides::DeferredOverrides,
    continuations: Arc<Continuations>,
    budget: Arc<Budget>,
    turns: Arc<Turns>,
    commands: Arc<Commands>,
    logins: Arc<Logins>,
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
    /// Returns a handle that does not keep the connection open.
    pub fn downgrade(&self) -> WeakClient {
        WeakClient {
            inner: Arc::downgrade(&self.inner),
            connection: self.connection.downgrade(),
            request_timeout: self.request_timeout,
        }
    }

    /// Closes the connection in an orderly way, for all clones.
    ///
    /// Waiting calls fail with [`Error::Closed`](crate::Error::Closed). For a child process, the client
    /// closes its input, then sends SIGTERM, then SIGKILL, each after a delay, and reaps it; threads are
    /// joined. Blocks for at most 5 s. Can be called from any thread, also in a callback, and more than once. In a
    /// process that was forked from the one that connected, it does nothing.
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

    /// Returns why the connection has ended: the [`Error::Transport`](crate::Error::Transport) that everything
    /// on it fails with, or [`Error::Closed`](crate::Error::Closed) after a close. `None` while it is open. Never
    /// blocks.
    ///
    /// An ended client stays ended; connect again for another.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// assert!(client.ended().is_none());
    /// client.close()?;
    /// assert_eq!(client.ended().unwrap().code(), "closed");
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn ended(&self) -> Option<Error> {
        self.connection.ended("use the client")
    }

    /// Calls `function` after each change of any stream of this client, like
    /// [`ClientBuilder::on_ready`](crate::ClientBuilder::on_ready), for a client that is connected already. Replaces
    /// an earlier function. Streams that were begun before, when there was none, don't tell of their deadlines.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// client.on_ready(move || {
    ///     let _ = wake.try_send(());
    /// });
    /// let mut chat = client.chat("Say hello")?;
    /// woken.recv().unwrap();
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn on_ready(&self, function: impl Fn() + Send + Sync + 'static) {
        let notifier = self.inner.budget.notifier();
        notifier.on_change(Arc::new(function));
        notifier.warm_up();
    }

    /// Returns the process id of the server that this client has started, while it runs: over [`Stdio`](crate::Stdio),
    /// and for [`WebSocket::spawn`](crate::WebSocket::spawn). If the command is a script, it is that of the script.
    /// Never blocks.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio};
    ///
    /// let client = Client::connect(Stdio::default())?;
    /// println!("the server is process {}", client.server_pid().unwrap_or_default());
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn server_pid(&self) -> Option<u32> {
        self.connection.server_pid()
    }

    /// Returns the URL of a server that listens on TCP, without its query, so that others can connect to it: of
    /// [`WebSocket::spawn`](crate::WebSocket::spawn) the one with the port that the system chose. Never blocks.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio, WebSocket};
    ///
    /// let command = ["codex", "app-server", "--listen", "ws://127.0.0.1:0"];
    /// let client = Client::connect(WebSocket::spawn(Stdio::command(command)))?;
    /// let url = client.server_url().unwrap_or_default();
    /// let another = Client::connect(WebSocket::new(url))?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn server_url(&self) -> Option<&str> {
        self.connection.server_url()
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.request_timeout)
    }
}
