//! The client's builder: limits, identification, capabilities.
//!
//! Relies on `rpc`. Invariant: every limit has its default here, and `None` means no limit.

use std::{fmt, sync::Arc, time::Duration};

use super::{Client, Inner, legacy_events};
use crate::{
    account::Logins,
    error::{Error, Result},
    exec::Commands,
    recorder::Recorder,
    rpc::{Budget, Connection, ConnectionSettings, OnReady},
    server_request::{ApprovalMode, Broker, BrokerSettings},
    transport::Transport,
    turn::Turns,
};

/// Configures and connects a [`Client`]. Returned by [`Client::builder`].
///
/// ```no_run
/// use std::time::Duration;
/// use codex_blocking::{Client, Stdio};
///
/// let client = Client::builder()
///     .request_timeout(Duration::from_secs(10))
///     .inactivity_timeout(None)
///     .client_info("my-program", "1.0.0")
///     .connect(Stdio::default())?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "nothing is connected before `connect`"]
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    request_timeout: Option<Duration>,
    is_strict: bool,
    max_frame_bytes: Option<usize>,
    max_buffered_bytes: Option<usize>,
    broker: BrokerSettings,
    on_ready: Option<Told>,
    recorder: Option<Recorder>,
    settings: ClientSettings,
}

/// The function of [`ClientBuilder::on_ready`].
#[derive(Clone)]
struct Told(OnReady);

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Told").finish_non_exhaustive()
    }
}

/// The settings that calls need after connecting.
#[derive(Debug, Clone)]
pub(crate) struct ClientSettings {
    pub(crate) inactivity_timeout: Option<Duration>,
    pub(crate) is_strict: bool,
    pub(crate) client_name: String,
    pub(crate) client_version: String,
    pub(crate) client_title: Option<String>,
    pub(crate) experimental_api: bool,
    pub(crate) opt_out: Vec<String>,
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
}

impl Default for ClientBuilder {
    fn default() -> Self {
        ClientBuilder {
            request_timeout: Some(Duration::from_secs(30)),
            is_strict: false,
            max_frame_bytes: None,
            max_buffered_bytes: Some(1024 * 1024 * 1024),
            broker: BrokerSettings {
                approval_mode: ApprovalMode::Decline,
                approval_timeout: None,
                user_input_timeout: Some(Duration::from_secs(300)),
            },
            on_ready: None,
            recorder: None,
            settings: ClientSettings {
                inactivity_timeout: Some(Duration::from_secs(180)),
                is_strict: false,
                client_name: env!("CARGO_PKG_NAME").to_owned(),
                client_version: env!("CARGO_PKG_VERSION").to_owned(),
                client_title: None,
                experimental_api: false,
                opt_out: legacy_events::methods(),
            },
        }
    }
}

impl ClientBuilder {
    /// Sets the request limit, from the call to the reply (30 s by default); `None` means no limit.
    pub fn request_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.request_timeout = limit.into();
        self
    }

    /// Sets the inactivity limit of turns: how long a turn may send no event (180 s by default); `None` means
    /// no limit. There is no other limit on a turn.
    pub fn inactivity_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.inactivity_timeout = limit.into();
        self
    }

    /// Sets what happens to approval requests if there is no handler: they are declined
    /// ([`ApprovalMode::Decline`], the default), or wait for an answer by hand ([`ApprovalMode::Manual`]).
    pub fn approval_mode(mut self, mode: ApprovalMode) -> Self {
        self.broker.approval_mode = mode;
        self
    }

    /// Sets how long an approval request waits for the program in [`ApprovalMode::Manual`] (no limit by
    /// default); then it is declined. The limit also applies to permissions and forms that
    /// [`server_requests`](Client::server_requests) returns.
    pub fn approval_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.broker.approval_timeout = limit.into();
        self
    }

    /// Sets how long a user-input request waits for an answer by hand (300 s by default); then it fails.
    pub fn user_input_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.broker.user_input_timeout = limit.into();
        self
    }

    /// Sets whether minor faults of the server are errors (off by default). The faults are: a thread that
    /// can't be resumed before a chat (otherwise `turn/start` is sent anyway, and its error includes the
    /// reason), and a frame that is not a JSON-RPC message, which then ends the connection (otherwise it is
    /// skipped and counted).
    pub fn strict(mut self, strict: bool) -> Self {
        self.is_strict = strict;
        self.settings.is_strict = strict;
        self
    }

    /// Sets the name and version that the server receives (by default those of this crate). The name becomes
    /// part of an HTTP header in requests to the model, so it must be valid there. For a name for humans, see
    /// [`client_title`](Self::client_title).
    pub fn client_info(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.settings.client_name = name.into();
        self.settings.client_version = version.into();
        self
    }

    /// Sets the name of the program for humans (by default, none is sent).
    pub fn client_title(mut self, title: impl Into<String>) -> Self {
        self.settings.client_title = Some(title.into());
        self
    }

    /// Sets whether experimental methods and fields may be used (off by default).
    pub fn experimental_api(mut self, enabled: bool) -> Self {
        self.settings.experimental_api = enabled;
        self
    }

    /// Sets the notifications that the server does not send, by exact method name (by default the legacy
    /// `codex/event/*`, which old servers send in addition to every event). Don't opt out of notifications
    /// that a chat needs, such as `turn/completed`.
    pub fn opt_out<S: Into<String>>(mut self, methods: impl IntoIterator<Item = S>) -> Self {
        self.settings.opt_out = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the maximum length of a received message, in bytes (no limit by default). A longer message ends
    /// the connection.
    pub fn max_frame_bytes(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.max_frame_bytes = limit.into();
        self
    }

    /// Sets how many bytes of unread events all turns and commands of the client may buffer in total,
    /// including `raw_events` (1 GiB by default); `None` means no limit. If the limit is exceeded, the turn
    /// or command with the largest buffer ends with [`Error::BufferFull`] or [`Error::OutputFull`]. Pending
    /// server requests count too: one that would exceed the limit immediately gets its default answer.
    pub fn max_buffered_bytes(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.max_buffered_bytes = limit.into();
        self
    }

    /// Calls `function` after each change of any stream of this client (an item, the end, a deadline), of the
    /// pending server requests, and after the end of the connection; at least once after each, several may be
    /// merged into one call. One function instead of [`on_ready`](crate::TurnStream::on_ready) on each stream, for
    /// a program that looks at all of them whenever it is woken.
    ///
    /// **It is called again whether or not the program has looked since, in a flood of events hundreds of times between
    /// two looks: the program merges the calls.** It wakes its event loop once, and not again before that has begun
    /// to look: with a channel of capacity 1 as here, a flag that the loop clears before it looks, or an event loop
    /// that does so itself (most requests to redraw). The [`on_ready`](crate::TurnStream::on_ready) of a stream is
    /// called only once until the stream was found empty.
    ///
    /// It runs on a thread of the client (`codex-ready`), under no lock, never twice at the same time, and
    /// should only pass the word on to the program's event loop. It is dropped with the connection.
    ///
    /// ```
    /// # use codex_blocking::testing::ScriptedServer;
    /// use codex_blocking::Client;
    ///
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let builder = Client::builder().on_ready(move || {
    ///     let _ = wake.try_send(()); // one that is there is enough
    /// });
    /// # let client = builder.connect(ScriptedServer::new())?;
    /// let mut chat = client.chat("Say hello")?;
    /// while !chat.is_ended() {
    ///     while let Some(step) = chat.try_next() {
    ///         println!("{step}");
    ///     }
    ///     if !chat.is_ended() {
    ///         woken.recv().unwrap(); // the program's own event loop
    ///     }
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn on_ready(mut self, function: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_ready = Some(Told(Arc::new(function)));
        self
    }

    /// Records every message of the connection, for a bug report or a test; see [`Recorder`].
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Recorder, Stdio};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder().record(Recorder::file("codex.jsonl")?).connect(Stdio::default())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn record(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Connects. Blocks until the server can be written to, for at most the transport's connect limit.
    ///
    /// # Errors
    /// Same as [`Transport::connect`]. [`Error::InvalidInput`] if the [`recorder`](Self::record) records another
    /// connection.
    pub fn connect(self, mut transport: impl Transport) -> Result<Client> {
        if self.settings.client_name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "the client's name contains control characters, which the server rejects",
            ));
        }
        let budget = Budget::telling(self.max_buffered_bytes, self.on_ready.map(|Told(on_ready)| on_ready));
        let turns = Turns::new(&budget);
        let commands = Commands::new(&budget);
        let logins = Arc::<Logins>::default();
        let broker = Broker::new(self.broker, &turns, &budget);
        let connection = Connection::open(
            &mut transport,
            ConnectionSettings {
                is_strict: self.is_strict,
                max_frame_bytes: self.max_frame_bytes,
                budget: Arc::clone(&budget),
                recorder: self.recorder,
                // The broker comes first: who reads the end of a turn finds its requests no longer pending.
                subsystems: vec![
                    Arc::clone(&broker) as _,
                    Arc::clone(&turns) as _,
                    Arc::clone(&commands) as _,
                    Arc::clone(&logins) as _,
                ],
            },
        )?;
        if budget.notifier().tells_changes() {
            budget.notifier().warm_up();
        }
        let inner = Inner {
            settings: self.settings,
            initialized: parking_lot::Mutex::default(),
            methods: parking_lot::Mutex::default(),
            deferred: super::deferred_overrides::DeferredOverrides::default(),
            continuations: Arc::default(),
            budget,
            turns,
            commands,
            logins,
            broker,
        };
        Ok(Client { inner: Arc::new(inner), connection, request_timeout: self.request_timeout })
    }
}
