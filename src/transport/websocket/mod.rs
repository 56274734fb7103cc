//! Transports to a listening server: WebSocket over TCP, optionally with TLS, and over a Unix socket.
//!
//! Relies on `outbox`, on `stdio` (to spawn a server) and, in this directory, on `address` (the URL),
//! `socket` (connecting), `tls`, `upgrade` (HTTP), `frames` (encoding), `link` (the reading thread),
//! `proxy` and `secrets`; `unix` is the other public type. Invariant: one deadline covers all steps of connecting, and no
//! message contains a secret.

mod address;
mod frames;
mod link;
mod proxy;
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
    proxy::{Proxy, ProxyChoice},
    socket::ConnectingSocket,
    tls::TlsSession,
    upgrade::{Headers, Upgrade, UpgradeRefusal, UpgradeWire},
};
use super::{ConnectTimeout, Link, Sink, Transport, stdio::Daemon, stdio::Stdio};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
};

/// The environment variables from which [`WebSocket::default`] takes its URL and its token.
const URL_VARIABLE: &str = "CODEX_APP_SERVER_WS_URL";
const TOKEN_VARIABLE: &str = "CODEX_APP_SERVER_TOKEN";
const DEFAULT_URL: &str = "ws://127.0.0.1:8765";

/// The headers that the upgrade request sets itself.
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
/// `WebSocket::default()` connects to `$CODEX_APP_SERVER_WS_URL`, or to `ws://127.0.0.1:8765` if it is
/// not set, with the token in `$CODEX_APP_SERVER_TOKEN` if that is set; both are read on each connect.
/// `WebSocket::new` reads neither. `wss://` requires this crate's feature `tls`.
///
/// [`max_frame_bytes`](crate::ClientBuilder::max_frame_bytes) limits received messages. A sent message is
/// limited to 64 MiB, above which the server would drop the connection without a close frame: a longer
/// request returns [`Error::InvalidInput`]. Messages are not compressed. Binary messages, which the
/// server does not send, are read as text.
///
/// One thread, `codex-socket`, reads the socket; while the connection is idle, only the
/// [keepalive](WebSocket::ping_interval) wakes it. A request is written immediately, by the thread that
/// makes it.
///
/// A lost connection is not re-established automatically: connect a new client. If the server rejects the
/// upgrade, the [`Error::Transport`] contains the HTTP status (401 for the token) and the server's
/// explanation; if it closes the connection later, the close code.
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
    proxy: ProxyChoice,
    connect_timeout: ConnectTimeout,
    keepalive: Keepalive,
    #[cfg(feature = "tls")]
    trust: tls::Trust,
}

#[derive(Clone)]
enum Server {
    /// The URL in the environment.
    Environment,
    Url(String),
    /// A server that each connect starts.
    Spawned(Stdio),
}

#[derive(Clone)]
enum Token {
    None,
    Environment,
    Given(String),
    Provider(Arc<dyn Fn() -> String + Send + Sync>),
}

impl WebSocket {
    /// Connects to this URL: `ws://host:port`, or `wss://host:port` with the feature `tls`.
    ///
    /// The URL may contain a path and a query. A user name or password in it is rejected.
    pub fn new(url: impl Into<String>) -> Self {
        WebSocket::to(Server::Url(url.into()), Token::None)
    }

    /// Starts a server on each connect, connects to the address that it reports, and stops it with the
    /// connection. The command must make the server listen, preferably on a port that the system chooses.
    ///
    /// The server has no input whose end it would see, but it ends with this process as any child of [`Stdio`] does,
    /// also if this process is killed or exits without closing its client.
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
            proxy: ProxyChoice::Environment,
            connect_timeout: ConnectTimeout::default(),
            keepalive: Keepalive::default(),
            #[cfg(feature = "tls")]
            trust: tls::Trust::default(),
        }
    }

    /// Sets the token: a capability token, or a JWT that a server with a shared secret accepts. It is
    /// sent as `Authorization: Bearer`, and never displayed.
    ///
    /// Over plain `ws://` the token is only sent to this machine ([`Error::InvalidInput`] otherwise),
    /// unless [`allow_insecure_token`](WebSocket::allow_insecure_token) is set.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Given(token.into());
        self
    }

    /// Sets a closure that returns the token. It is called on each connect, on the connecting thread, for
    /// tokens that expire. The connect timeout can't interrupt it.
    ///
    /// ```
    /// use codex_blocking::WebSocket;
    ///
    /// let server = WebSocket::new("ws://127.0.0.1:8765")
    ///     .token_with(|| std::fs::read_to_string("/run/codex/token").unwrap_or_default());
    /// ```
    ///
    /// White space around the token is trimmed. If it is empty, the connect returns
    /// [`Error::InvalidInput`].
    pub fn token_with<T: Into<String>>(mut self, token: impl Fn() -> T + Send + Sync + 'static) -> Self {
        self.token = Token::Provider(Arc::new(move || token().into()));
        self
    }

    /// Adds a header to the upgrade request. Its value is never displayed.
    ///
    /// The connect returns [`Error::InvalidInput`] for an invalid header, for a header that the upgrade
    /// itself sets, and for `Origin`, with which the server rejects every connection. An `Authorization`
    /// header is treated like a token.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends the token over plain `ws://` to other machines too. Anyone who can read the traffic can use
    /// it.
    pub fn allow_insecure_token(mut self) -> Self {
        self.allows_insecure_token = true;
        self
    }

    /// Sets the HTTP proxy, through which the connection is made with `CONNECT`: `http://host:port`, or
    /// `http://user:password@host:port`; `None` means no proxy.
    ///
    /// By default the environment decides, on each connect: `HTTPS_PROXY` for `wss://`, `HTTP_PROXY` for `ws://`,
    /// or else `ALL_PROXY`, unless the server is on this machine or in `NO_PROXY` (names, domains, addresses or
    /// `*`, separated by commas, each optionally with a port; no address ranges). Names in lower case come first.
    /// A [spawned](Self::spawn) server is always reached directly.
    ///
    /// The connect returns [`Error::InvalidInput`] for proxies of other kinds, such as SOCKS; use a tunnel, or a
    /// [`Transport`] of your own. The user name and the password are never displayed.
    ///
    /// ```
    /// use codex_blocking::WebSocket;
    ///
    /// let server = WebSocket::new("wss://codex.example.com").proxy("http://proxy.example.com:3128");
    /// let direct = WebSocket::new("wss://codex.example.com").proxy(None);
    /// ```
    pub fn proxy<'a>(mut self, url: impl Into<Option<&'a str>>) -> Self {
        self.proxy = url.into().map_or(ProxyChoice::None, |url| ProxyChoice::Url(url.to_owned()));
        self
    }

    /// Sets how long connecting may take in total (default 30 s); `None` means as long as the system
    /// tries.
    ///
    /// The limit covers name resolution, connection attempts, a proxy, TLS and the upgrade; for a spawned server,
    /// also its start.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = ConnectTimeout(limit.into());
        self
    }

    /// Sets the period of silence after which the client pings the server (default 20 s); `None` disables
    /// pings, so that a server that vanishes silently goes unnoticed.
    pub fn ping_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive.ping_interval = interval.into();
        self
    }

    /// Sets how long the server may take to respond to a ping (default 20 s) before the connection counts
    /// as lost. Any data that it sends counts as a response. `None` means no limit.
    pub fn pong_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.keepalive.pong_timeout = limit.into();
        self
    }

    /// Trusts servers whose certificate chains to this root (PEM) *instead* of the platform's roots. Can
    /// be called several times.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.roots.push(pem.into());
        self
    }

    /// Sets the client certificate: its chain, starting with the client's own certificate, and its
    /// private key, both in PEM.
    #[cfg(feature = "tls")]
    pub fn client_certificate(mut self, chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.trust.client = Some((chain_pem.into(), key_pem.into()));
        self
    }

    /// The headers to send, including the token.
    fn headers(&self) -> Result<Headers> {
        let Headers { mut lines, mut secrets, mut has_token } = Headers::default();
        for (name, value) in &self.headers {
            let (Ok(known), true) = (HeaderName::try_from(name), is_header_value(value)) else {
                return Err(Error::invalid(format!(
                    "the header {name:?} has a name or a value that is invalid"
                )));
            };
            if known == header::ORIGIN {
                return Err(Error::invalid("the server rejects every connection with an Origin header"));
            }
            if OWN_HEADERS.contains(&known.as_str()) || known == header::UPGRADE {
                return Err(Error::invalid(format!("the header {name} belongs to the upgrade itself")));
            }
            secrets.add(value);
            if known == header::AUTHORIZATION {
                has_token = true;
                value.split_whitespace().skip(1).for_each(|part| secrets.add(part));
            }
            lines.push((name.clone(), value.clone()));
        }
        let token = match &self.token {
            Token::None => None,
            Token::Environment => variable(TOKEN_VARIABLE)?,
            Token::Given(token) => Some(token.clone()),
            Token::Provider(token) => Some(token()),
        };
        if let Some(token) = token {
            let token = token.trim();
            if token.is_empty() || !is_header_value(token) {
                return Err(Error::invalid("the token is empty, or holds what no header can"));
            }
            if has_token {
                return Err(Error::invalid(
                    "both a token and an Authorization header are set; use one of them",
                ));
            }
            lines.push(("Authorization".to_owned(), format!("Bearer {token}")));
            secrets.add(token);
            has_token = true;
        }
        Ok(Headers { lines, secrets, has_token })
    }

    /// Connects over TLS and performs the upgrade.
    #[cfg(feature = "tls")]
    fn secured(
        &self,
        address: &Address,
        upgrade: &Upgrade,
        dial: impl FnOnce() -> Result<ConnectingSocket>,
        deadline: Deadline,
        doing: &str,
    ) -> Result<(ConnectingSocket, Option<TlsSession>, Vec<u8>)> {
        let config = self.trust.config(doing)?;
        let name = tls::server_name(&address.host)?;
        let mut wire = tls::TlsHandshake::perform(config, name, dial()?)
            .map_err(|error| socket::failed(deadline, doing, "no TLS session", error))?;
        let first = ask(upgrade, &mut wire, deadline, doing)?;
        let (session, socket) = wire.into_session();
        Ok((socket, Some(session), first))
    }

    #[cfg(not(feature = "tls"))]
    fn secured(
        &self,
        _: &Address,
        _: &Upgrade,
        _: impl FnOnce() -> Result<ConnectingSocket>,
        _: Deadline,
        _: &str,
    ) -> Result<(ConnectingSocket, Option<TlsSession>, Vec<u8>)> {
        Err(Error::invalid("wss:// needs the feature `tls` of codex-blocking"))
    }

    fn check_token(&self, address: &Address, proxy: Option<&Proxy>) -> Result<()> {
        let stays_here = address.is_loopback() && proxy.is_none();
        if address.is_tls || stays_here || self.allows_insecure_token {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the token would be sent to {} unencrypted; use wss://, or allow_insecure_token()",
            address.host
        )))
    }
}

impl Default for WebSocket {
    fn default() -> Self {
        WebSocket::to(Server::Environment, Token::Environment)
    }
}

impl fmt::Debug for WebSocket {
    /// Omits tokens, header values, and the query of the URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WebSocket");
        match &self.server {
            Server::Environment => shown.field("url", &format_args!("${URL_VARIABLE}")),
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
            Token::Provider(_) => "from a closure",
        };
        let proxy = match &self.proxy {
            ProxyChoice::Environment => "from the environment".to_owned(),
            ProxyChoice::None => "none".to_owned(),
            ProxyChoice::Url(url) => match Proxy::parse(url) {
                Ok(proxy) => proxy.address.authority(),
                Err(error) => format!("({error})"),
            },
        };
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        shown
            .field("token", &format_args!("{token}"))
            .field("headers", &names)
            .field("allows_insecure_token", &self.allows_insecure_token)
            .field("proxy", &format_args!("{proxy}"))
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
        let mut headers = self.headers()?;
        let (url, daemon) = match &self.server {
            Server::Environment => (variable(URL_VARIABLE)?.unwrap_or_else(|| DEFAULT_URL.to_owned()), None),
            Server::Url(url) => (url.clone(), None),
            Server::Spawned(stdio) => {
                let daemon = Daemon::start(stdio)?;
                (daemon.address(deadline)?, Some(daemon))
            }
        };
        let address = Address::parse(&url)?;
        for part in address.query().split('&') {
            headers.secrets.add(part.split_once('=').map_or(part, |(_, value)| value));
        }
        let proxy = if daemon.is_some() { None } else { self.proxy.of(&address)? };
        let has_token = headers.has_token;
        if has_token {
            self.check_token(&address, proxy.as_ref())?;
        }
        let mut doing = format!("connect to {address}");
        if let Some(proxy) = &proxy {
            doing.push_str(&format!(" through the proxy {}", proxy.address.authority()));
            proxy.add_secrets(&mut headers.secrets);
        }
        let secrets = headers.secrets.clone();
        let upgrade = Upgrade { authority: address.authority(), path: address.path.clone(), headers };

        // `localhost` may resolve to anything; the token must stay on this machine.
        let only_loopback =
            address.is_localhost() && has_token && !address.is_tls && !self.allows_insecure_token;
        let dial = || match &proxy {
            Some(proxy) => proxy.dial(&address, &secrets, deadline, &doing),
            None => socket::dial(&address, only_loopback, deadline, &doing),
        };
        let (socket, session, first) = match address.is_tls {
            true => self.secured(&address, &upgrade, dial, deadline, &doing)?,
            false => {
                let mut wire = dial()?;
                let first = ask(&upgrade, &mut wire, deadline, &doing)?;
                (wire, None, first)
            }
        };
        let peer = address.to_string();
        let url = Some(address.without_query());
        let connected =
            Connected { socket, session, first, peer, secrets, keepalive: self.keepalive, daemon, url };
        begin(connected, sink, deadline, &doing)
    }
}

/// Reads an environment variable; a blank value counts as unset.
fn variable(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        // Omits the value, which may be a secret.
        Err(env::VarError::NotUnicode(_)) => Err(Error::invalid(format!("{name} is not UTF-8"))),
    }
}

fn is_header_value(text: &str) -> bool {
    HeaderValue::try_from(text).is_ok()
}

/// Performs the upgrade; returns the bytes received after the response.
fn ask(upgrade: &Upgrade, wire: &mut impl UpgradeWire, deadline: Deadline, doing: &str) -> Result<Vec<u8>> {
    upgrade.perform(wire).map_err(|refusal| match refusal {
        UpgradeRefusal::Broken(error) => {
            socket::failed(deadline, doing, "the connection was lost during the upgrade", error)
        }
        UpgradeRefusal::Rejected(failure) => failure.while_connecting(doing),
    })
}

/// Starts the reading thread.
fn begin(connected: Connected, sink: Sink, deadline: Deadline, doing: &str) -> Result<Box<dyn Link>> {
    let started: io::Result<_> = link::start(connected, sink);
    match started {
        Ok(link) => Ok(Box::new(link)),
        Err(error) => Err(socket::failed(deadline, doing, "failed to spawn the reading thread", error)),
    }
}
