//! The transports to a server that listens: WebSocket over TCP, with TLS or without, and over a
//! Unix socket.
//!
//! Relies on `outbox`, on `stdio` (to run a server of its own) and, inside this folder, on `address`
//! (the URL), `socket` (connecting), `tls`, `upgrade` (HTTP), `frames` (what the bytes mean) and
//! `link` (the thread); `unix` is the other public type. Invariant: however long each step takes,
//! all of them together end with one deadline, and no secret is told on the way.

mod address;
mod frames;
mod link;
mod socket;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;
mod upgrade;

use std::{env, fmt, io, sync::Arc, time::Duration};

use tungstenite::http::{HeaderName, HeaderValue, header};

#[cfg(unix)]
pub use self::unix::UnixSocket;
use self::{
    address::Address,
    link::{Connected, Keepalive},
    socket::Patient,
    tls::Session,
    upgrade::{Headers, Refusal, Upgrade, Wire},
};
use super::{ConnectTimeout, Link, Sink, Transport, stdio::Daemon, stdio::Stdio};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
};

/// The variables that [`WebSocket::default`] takes its URL and its token from.
const URL_VARIABLE: &str = "CODEX_APP_SERVER_WS_URL";
const TOKEN_VARIABLE: &str = "CODEX_APP_SERVER_TOKEN";
const DEFAULT_URL: &str = "ws://127.0.0.1:8765";

/// Headers that the upgrade consists of.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "host",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
    "transfer-encoding",
];

/// Connects to a server that listens on a WebSocket.
///
/// `WebSocket::default()` connects to `$CODEX_APP_SERVER_WS_URL`, else to `ws://127.0.0.1:8765`, with the
/// token in `$CODEX_APP_SERVER_TOKEN` if that is set; both are read at each connect. `WebSocket::new`
/// reads neither. `wss://` needs the feature `tls` of this crate.
///
/// A message may be as long as [`max_frame_bytes`](crate::ClientBuilder::max_frame_bytes) allows. What is
/// sent may have 64 MiB, for which the server would drop the connection without a word: a longer request
/// is [`Error::InvalidInput`]. Nothing is compressed. Binary messages, which the server does not send,
/// are read like text.
///
/// One thread, `codex-socket`, reads the socket; an idle connection wakes it for the
/// [keepalive](WebSocket::ping_interval) only. Requests are written by the thread that makes them, at
/// once.
///
/// A connection that broke is not made again by itself: connect a new client. When the server refuses
/// the upgrade, the [`Error::Transport`] has the HTTP status and the server's words (401: the token); when
/// it closes the connection later, the close code.
///
/// ```no_run
/// use codex_blocking::{Client, WebSocket};
///
/// let client = Client::connect(WebSocket::new("ws://127.0.0.1:8765").token("secret"))?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a transport does nothing until a client connects over it"]
#[derive(Clone)]
pub struct WebSocket {
    server: Server,
    token: Token,
    headers: Vec<(String, String)>,
    allows_insecure_token: bool,
    connect_timeout: ConnectTimeout,
    keepalive: Keepalive,
    #[cfg(feature = "tls")]
    trust: tls::Trust,
}

#[derive(Clone)]
enum Server {
    /// What the environment names.
    Usual,
    Url(String),
    /// Is run when it is connected to.
    Spawned(Stdio),
}

#[derive(Clone)]
enum Token {
    None,
    Environment,
    Given(String),
    Asked(Arc<dyn Fn() -> String + Send + Sync>),
}

impl WebSocket {
    /// Connects to this URL: `ws://host:port`, or `wss://host:port` with the feature `tls`.
    ///
    /// It may have a path and a query. A user name or password in it is refused.
    pub fn new(url: impl Into<String>) -> Self {
        WebSocket::to(Server::Url(url.into()), Token::None)
    }

    /// Runs a server at each connect, connects to the port that it says it listens on, and ends it with
    /// the connection. The command has to make it listen, best on a port that the system chooses.
    ///
    /// A program that ends without closing or dropping its client (by `process::exit`, by a signal) leaves the
    /// server behind: unlike one over [`Stdio`], it has no input whose end it would see.
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio, WebSocket};
    ///
    /// let command = ["codex", "app-server", "--listen", "ws://127.0.0.1:0"];
    /// let client = Client::connect(WebSocket::spawn(Stdio::command(command)))?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn spawn(server: Stdio) -> Self {
        WebSocket::to(Server::Spawned(server), Token::None)
    }

    fn to(server: Server, token: Token) -> Self {
        WebSocket {
            server,
            token,
            headers: Vec::new(),
            allows_insecure_token: false,
            connect_timeout: ConnectTimeout::default(),
            keepalive: Keepalive::default(),
            #[cfg(feature = "tls")]
            trust: tls::Trust::default(),
        }
    }

    /// The token to show: a capability token, or a JWT that a server with a shared secret accepts. It is
    /// sent as `Authorization: Bearer`, and never shown.
    ///
    /// Over plain `ws://` it is sent to this machine only ([`Error::InvalidInput`] otherwise), unless
    /// [`allow_insecure_token`](WebSocket::allow_insecure_token) says so.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Given(token.into());
        self
    }

    /// Asks for the token at each connect, on the thread that connects: for one that expires. The connect
    /// limit can't interrupt the closure.
    ///
    /// ```
    /// use codex_blocking::WebSocket;
    ///
    /// let server = WebSocket::new("ws://127.0.0.1:8765")
    ///     .token_with(|| std::fs::read_to_string("/run/codex/token").unwrap_or_default());
    /// ```
    ///
    /// White space around it is cut off. An empty one fails the connect with [`Error::InvalidInput`].
    pub fn token_with<T: Into<String>>(mut self, token: impl Fn() -> T + Send + Sync + 'static) -> Self {
        self.token = Token::Asked(Arc::new(move || token().into()));
        self
    }

    /// Adds a header to the request for the upgrade. Values are never shown.
    ///
    /// At the connect, [`Error::InvalidInput`] refuses what is no header, those that the upgrade
    /// itself is made of, and `Origin`, for which the server refuses every connection. An
    /// `Authorization` is treated as the token that it is.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends the token over plain `ws://` to other machines too. Who listens on the way can use it.
    pub fn allow_insecure_token(mut self) -> Self {
        self.allows_insecure_token = true;
        self
    }

    /// How long connecting may take in all (30 s); `None`: for as long as the system tries.
    ///
    /// That is: looking up the name, trying its addresses, TLS and the upgrade; for a server that is
    /// run, its start too.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = ConnectTimeout(limit.into());
        self
    }

    /// After how long a silence the server is asked whether it is there (20 s); `None`: never, so that
    /// a server that vanished without a word is not noticed.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive.ping_interval = interval.into();
        self
    }

    /// How long the server may take to answer that (20 s); then the connection is lost. Anything that
    /// it sends is an answer. `None`: for ever.
    pub fn pong_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.keepalive.pong_timeout = limit.into();
        self
    }

    /// Trusts servers with a certificate of this root, in PEM, *instead* of those with one of the
    /// platform's roots. May be called several times.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.roots.push(pem.into());
        self
    }

    /// The certificate by which this client shows who it is: its chain, its own certificate first, and
    /// its private key, both in PEM.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.trust.client = Some((chain_pem.into(), key_pem.into()));
        self
    }

    /// The headers to send, the token's among them.
    fn headers(&self) -> Result<Headers> {
        let Headers { mut lines, mut secrets, mut has_token } = Headers::default();
        for (name, value) in &self.headers {
            let (Ok(known), true) = (HeaderName::try_from(name), is_header_value(value)) else {
                return Err(Error::invalid(format!(
                    "the header {name:?} has a name or a value that is none"
                )));
            };
            if known == header::ORIGIN {
                return Err(Error::invalid("the server refuses every connection with an Origin header"));
            }
            if OWN_HEADERS.contains(&known.as_str()) || known == header::UPGRADE {
                return Err(Error::invalid(format!("the header {name} belongs to the upgrade itself")));
            }
            secrets.push(value.clone());
            if known == header::AUTHORIZATION {
                has_token = true;
                secrets.extend(value.split_whitespace().nth(1).map(str::to_owned));
            }
            lines.push((name.clone(), value.clone()));
        }
        let token = match &self.token {
            Token::None => None,
            Token::Environment => variable(TOKEN_VARIABLE)?,
            Token::Given(token) => Some(token.clone()),
            Token::Asked(token) => Some(token()),
        };
        if let Some(token) = token {
            let token = token.trim();
            if token.is_empty() || !is_header_value(token) {
                return Err(Error::invalid("the token is empty, or holds what no header can"));
            }
            if has_token {
                return Err(Error::invalid("there is a token and an Authorization header; give one of them"));
            }
            lines.push(("Authorization".to_owned(), format!("Bearer {token}")));
            secrets.push(token.to_owned());
            has_token = true;
        }
        Ok(Headers { lines, secrets, has_token })
    }

    /// Connects, and asks for the upgrade, through TLS.
    #[cfg(feature = "tls")]
    fn secured(
        &self,
        address: &Address,
        upgrade: &Upgrade,
        dial: impl FnOnce() -> Result<Patient>,
        deadline: Deadline,
        doing: &str,
    ) -> Result<(Patient, Option<Session>, Vec<u8>)> {
        let config = self.trust.config(doing)?;
        let name = tls::server_name(&address.host)?;
        let mut wire = tls::Handshake::perform(config, name, dial()?)
            .map_err(|error| socket::failed(deadline, doing, "no TLS session", error))?;
        let first = ask(upgrade, &mut wire, deadline, doing)?;
        let (session, patient) = wire.into_session();
        Ok((patient, Some(session), first))
    }

    #[cfg(not(feature = "tls"))]
    fn secured(
        &self,
        _: &Address,
        _: &Upgrade,
        _: impl FnOnce() -> Result<Patient>,
        _: Deadline,
        _: &str,
    ) -> Result<(Patient, Option<Session>, Vec<u8>)> {
        Err(Error::invalid("wss:// needs the feature `tls` of codex-blocking"))
    }

    fn check_token(&self, address: &Address) -> Result<()> {
        if address.is_tls || address.is_loopback() || self.allows_insecure_token {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the token would travel to {} in the clear; use wss://, or allow_insecure_token()",
            address.host
        )))
    }
}

impl Default for WebSocket {
    fn default() -> Self {
        WebSocket::to(Server::Usual, Token::Environment)
    }
}

impl fmt::Debug for WebSocket {
    /// Without tokens, values of headers, and the query of the URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WebSocket");
        match &self.server {
            Server::Usual => shown.field("url", &format_args!("${URL_VARIABLE}")),
            Server::Url(url) => match Address::parse(url) {
                Ok(address) => shown.field("url", &format_args!("{address}")),
                Err(error) => shown.field("url", &format_args!("({error})")),
            },
            Server::Spawned(stdio) => shown.field("spawn", stdio),
        };
        let token = match &self.token {
            Token::None => "none",
            Token::Environment => "from the environment",
            Token::Given(_) => "given",
            Token::Asked(_) => "from a closure",
        };
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        shown
            .field("token", &format_args!("{token}"))
            .field("headers", &names)
            .field("allows_insecure_token", &self.allows_insecure_token)
            .field("connect_timeout", &self.connect_timeout.0)
            .field("ping_interval", &self.keepalive.ping_interval)
            .field("pong_timeout", &self.keepalive.pong_timeout);
        #[cfg(feature = "tls")]
        shown.field("trust", &self.trust);
        shown.finish()
    }
}

impl Transport for WebSocket {
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        let deadline = self.connect_timeout.begin()?;
        let headers = self.headers()?;
        let (url, daemon) = match &self.server {
            Server::Usual => (variable(URL_VARIABLE)?.unwrap_or_else(|| DEFAULT_URL.to_owned()), None),
            Server::Url(url) => (url.clone(), None),
            Server::Spawned(stdio) => {
                let daemon = Daemon::start(stdio)?;
                (daemon.address(deadline)?, Some(daemon))
            }
        };
        let address = Address::parse(&url)?;
        let has_token = headers.has_token;
        if has_token {
            self.check_token(&address)?;
        }
        let doing = format!("connect to {address}");
        let upgrade = Upgrade { authority: address.authority(), path: address.path.clone(), headers };

        // What the name means is up to others; the token goes to this machine only.
        let only_loopback =
            address.is_localhost() && has_token && !address.is_tls && !self.allows_insecure_token;
        let dial = || socket::dial(&address, only_loopback, deadline, &doing);
        let (patient, session, first) = match address.is_tls {
            true => self.secured(&address, &upgrade, dial, deadline, &doing)?,
            false => {
                let mut wire = dial()?;
                let first = ask(&upgrade, &mut wire, deadline, &doing)?;
                (wire, None, first)
            }
        };
        let peer = address.to_string();
        let connected = Connected { patient, session, first, peer, keepalive: self.keepalive, daemon };
        begin(connected, sink, deadline, &doing)
    }
}

/// A variable of the environment; a blank one is none.
fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        // Without its value, which may be a secret.
        Err(env::VarError::NotUnicode(_)) => Err(Error::invalid(format!("{name} is not UTF-8"))),
    }
}

fn is_header_value(text: &str) -> bool {
    HeaderValue::try_from(text).is_ok()
}

/// Asks for the upgrade; gives what came after the answer.
fn ask(upgrade: &Upgrade, wire: &mut impl Wire, deadline: Deadline, doing: &str) -> Result<Vec<u8>> {
    upgrade.perform(wire).map_err(|refusal| match refusal {
        Refusal::Broken(error) => {
            socket::failed(deadline, doing, "the connection broke in the upgrade", error)
        }
        Refusal::Answer(failure) => failure.while_connecting(doing),
    })
}

/// Starts the thread.
fn begin(connected: Connected, sink: Sink, deadline: Deadline, doing: &str) -> Result<Box<dyn Link>> {
    let started: io::Result<_> = link::start(connected, sink);
    match started {
        Ok(link) => Ok(Box::new(link)),
        Err(error) => Err(socket::failed(deadline, doing, "no thread could be started for it", error)),
    }
}
