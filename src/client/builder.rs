//! How a client behaves: its limits, its name, what it asks of the server.
//!
//! Relies on `rpc`. Invariant: every limit has its default here, and `None` means for ever.

use std::{sync::Arc, time::Duration};

use super::{Client, Inner, legacy_events};
use crate::{
    error::{Error, Result},
    exec::Commands,
    rpc::{Budget, Connection, ConnectionSettings},
    server_request::{ApprovalMode, Broker, BrokerSettings},
    transport::Transport,
    turn::Turns,
};

/// Makes a [`Client`]. From [`Client::builder`].
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
    settings: ClientSettings,
}

/// What calls need to know later.
#[derive(Debug, Clone)]
pub(crate) struct ClientSettings {
    pub(crate) inactivity_timeout: Option<Duration>,
    pub(crate) is_strict: bool,
    pub(crate) client_name: String,
    pub(crate) client_version: String,
    pub(crate) experimental_api: bool,
    pub(crate) opt_out: Vec<String>,
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
            settings: ClientSettings {
                inactivity_timeout: Some(Duration::from_secs(180)),
                is_strict: false,
                client_name: env!("CARGO_PKG_NAME").to_owned(),
                client_version: env!("CARGO_PKG_VERSION").to_owned(),
                experimental_api: false,
                opt_out: legacy_events::methods(),
            },
        }
    }
}

impl ClientBuilder {
    /// How long a request may take, from the call to its reply (30 s); `None`: for ever.
    pub fn request_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.request_timeout = limit.into();
        self
    }

    /// How long a turn may be silent (180 s); `None`: for ever. A turn has no other limit.
    pub fn inactivity_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.inactivity_timeout = limit.into();
        self
    }

    /// Who decides about approvals when there is no handler: nobody, so that they are declined
    /// ([`ApprovalMode::Decline`], the default), or the program, by hand.
    pub fn approval_mode(mut self, mode: ApprovalMode) -> Self {
        self.broker.approval_mode = mode;
        self
    }

    /// How long an approval may wait for the program in [`ApprovalMode::Manual`] (for ever); then it
    /// is declined. Permissions and forms that are shown by
    /// [`server_requests`](Client::server_requests) wait as long.
    pub fn approval_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.broker.approval_timeout = limit.into();
        self
    }

    /// How long a question to the user may wait for an answer (300 s); then it fails.
    pub fn user_input_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.broker.user_input_timeout = limit.into();
        self
    }

    /// Whether small faults of the server are errors (off): a thread that can't be resumed before
    /// a chat (else `turn/start` decides, and its error tells the reason too), and a frame that is no
    /// message, which ends the connection then (else it is skipped and counted).
    pub fn strict(mut self, strict: bool) -> Self {
        self.is_strict = strict;
        self.settings.is_strict = strict;
        self
    }

    /// The name and version told to the server (those of this crate). The name becomes part of an
    /// HTTP header towards the model, so it must be fit for one.
    pub fn client_info(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.settings.client_name = name.into();
        self.settings.client_version = version.into();
        self
    }

    /// Whether experimental methods and fields may be used (off).
    pub fn experimental_api(mut self, enabled: bool) -> Self {
        self.settings.experimental_api = enabled;
        self
    }

    /// The notifications that the server is not to send, by their exact names (the legacy
    /// `codex/event/*`, which doubled every event on old servers). Leaving out one that a chat is
    /// made of, such as `turn/completed`, is possible and unwise.
    pub fn opt_out<S: Into<String>>(mut self, methods: impl IntoIterator<Item = S>) -> Self {
        self.settings.opt_out = methods.into_iter().map(Into::into).collect();
        self
    }

    /// The longest message that is accepted, in bytes (any). A longer one ends the connection.
    pub fn max_frame_bytes(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.max_frame_bytes = limit.into();
        self
    }

    /// How many bytes of events may be kept for readers that have not taken them, over all turns and
    /// commands of the client, and for `raw_events` (1 GiB); `None`: any. When there are more, the
    /// turn or command that holds the most ends with [`Error::BufferFull`] or [`Error::OutputFull`].
    /// Questions that wait for an answer count too: one that would pass the limit gets at once what it gets
    /// when nobody decides.
    pub fn max_buffered_bytes(mut self, limit: impl Into<Option<usize>>) -> Self {
        self.max_buffered_bytes = limit.into();
        self
    }

    /// Connects. Blocks until the server can be written to, at the longest for the transport's
    /// connect limit.
    ///
    /// # Errors
    /// As [`Transport::connect`].
    pub fn connect(self, mut transport: impl Transport) -> Result<Client> {
        if self.settings.client_name.chars().any(char::is_control) {
            return Err(Error::invalid("the client's name contains control characters, which the server rejects"));
        }
        let budget = Budget::new(self.max_buffered_bytes);
        let turns = Turns::new(&budget);
        let commands = Commands::new(&budget);
        let broker = Broker::new(self.broker, &turns, &budget);
        let connection = Connection::open(
            &mut transport,
            ConnectionSettings {
                is_strict: self.is_strict,
                max_frame_bytes: self.max_frame_bytes,
                budget: Arc::clone(&budget),
                // The turns come first: the broker looks at what they know.
                subsystems: vec![
                    Arc::clone(&turns) as _,
                    Arc::clone(&commands) as _,
                    Arc::clone(&broker) as _,
                ],
            },
        )?;
        let inner = Inner {
            settings: self.settings,
            initialized: parking_lot::Mutex::default(),
            methods: parking_lot::Mutex::default(),
            deferred: super::deferred::DeferredOverrides::default(),
            continuations: Arc::default(),
            budget,
            turns,
            commands,
            broker,
        };
        Ok(Client { inner: Arc::new(inner), connection, request_timeout: self.request_timeout })
    }
}
