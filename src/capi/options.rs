//! The options of `codex_client_connect`.
//!
//! Relies on the builder and the transports. Invariant: a member that is unknown, or that the transport doesn't have,
//! is an error.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

#[cfg(all(feature = "websocket", unix))]
use crate::UnixSocket;
#[cfg(feature = "websocket")]
use crate::WebSocket;
use crate::{
    ApprovalMode, Client, ClientBuilder, Recorder, Setting, Stdio, Transport,
    error::{Error, Result},
    testing::ScriptedServer,
};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    transport: TransportKind,
    // Of a transport.
    command: Option<Vec<String>>,
    cwd: Option<PathBuf>,
    env: Option<BTreeMap<String, Option<String>>>,
    env_clear: Option<bool>,
    codex_home: Option<PathBuf>,
    config: Option<Map<String, Value>>,
    url: Option<String>,
    token: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    allow_insecure_token: Option<bool>,
    proxy: Setting<String>,
    root_certificates: Option<Vec<String>>,
    client_certificate: Option<ClientCertificate>,
    path: Option<PathBuf>,
    ping_interval_ms: Setting<u64>,
    pong_timeout_ms: Setting<u64>,
    connect_timeout_ms: Setting<u64>,
    replay: Option<PathBuf>,
    // Of the client.
    request_timeout_ms: Setting<u64>,
    inactivity_timeout_ms: Setting<u64>,
    approval_timeout_ms: Setting<u64>,
    user_input_timeout_ms: Setting<u64>,
    approval_mode: ApprovalMode,
    strict: bool,
    client_info: Option<ClientInfo>,
    experimental_api: bool,
    opt_out: Option<Vec<String>>,
    max_frame_bytes: Setting<usize>,
    max_buffered_bytes: Setting<usize>,
    record: Option<Record>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TransportKind {
    #[default]
    Stdio,
    Websocket,
    Unix,
    Scripted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(feature = "tls"),
    expect(dead_code, reason = "read, so that the error can say what is missing")
)]
struct ClientCertificate {
    chain: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientInfo {
    name: String,
    version: String,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    path: PathBuf,
    #[serde(default)]
    unmasked: bool,
}

/// Applies a limit, if it is given.
fn limited<T>(target: T, limit: Setting<u64>, set: impl FnOnce(T, Option<Duration>) -> T) -> T {
    match limit {
        Setting::Unset => target,
        Setting::Null => set(target, None),
        Setting::Value(millis) => set(target, Some(Duration::from_millis(millis))),
    }
}

/// Connects, and records the connection if that is wanted.
fn recorded(builder: ClientBuilder, record: Option<Record>, transport: impl Transport) -> Result<Client> {
    let Some(Record { path, unmasked }) = record else { return builder.connect(transport) };
    let recorder = Recorder::file(&path).map_err(|source| {
        Error::invalid_because(format!("the record {} can't be written", path.display()), source)
    })?;
    builder.record(if unmasked { recorder.unmasked() } else { recorder }).connect(transport)
}

impl Options {
    /// Whether every question waits for an answer.
    pub(super) fn is_manual(&self) -> bool {
        self.approval_mode == ApprovalMode::Manual
    }

    pub(super) fn connect(mut self) -> Result<Client> {
        self.check_members()?;
        let builder = self.builder();
        let record = self.record.take();
        // The transport before the record, which replaces a file: it may be the one to replay.
        match self.transport {
            TransportKind::Stdio => recorded(builder, record, self.stdio()),
            #[cfg(feature = "websocket")]
            TransportKind::Websocket => recorded(builder, record, self.websocket()?),
            #[cfg(all(feature = "websocket", unix))]
            TransportKind::Unix => recorded(builder, record, self.unix_socket()),
            TransportKind::Scripted => recorded(builder, record, self.scripted()?),
            #[cfg(not(all(feature = "websocket", unix)))]
            kind => {
                let kind = format!("{kind:?}").to_lowercase();
                Err(Error::invalid(format!("this build has no transport \"{kind}\"")))
            }
        }
    }

    /// # Errors
    /// A member is of another transport.
    fn check_members(&self) -> Result<()> {
        use TransportKind::{Scripted, Stdio, Unix, Websocket};
        let members: [(&str, bool, &[TransportKind]); 18] = [
            ("command", self.command.is_some(), &[Stdio]),
            ("cwd", self.cwd.is_some(), &[Stdio]),
            ("env", self.env.is_some(), &[Stdio]),
            ("env_clear", self.env_clear.is_some(), &[Stdio]),
            ("codex_home", self.codex_home.is_some(), &[Stdio]),
            ("config", self.config.is_some(), &[Stdio]),
            ("url", self.url.is_some(), &[Websocket]),
            ("token", self.token.is_some(), &[Websocket]),
            ("headers", self.headers.is_some(), &[Websocket]),
            ("allow_insecure_token", self.allow_insecure_token.is_some(), &[Websocket]),
            ("proxy", !self.proxy.is_unset(), &[Websocket]),
            ("root_certificates", self.root_certificates.is_some(), &[Websocket]),
            ("client_certificate", self.client_certificate.is_some(), &[Websocket]),
            ("path", self.path.is_some(), &[Unix]),
            ("ping_interval_ms", !self.ping_interval_ms.is_unset(), &[Websocket, Unix]),
            ("pong_timeout_ms", !self.pong_timeout_ms.is_unset(), &[Websocket, Unix]),
            ("connect_timeout_ms", !self.connect_timeout_ms.is_unset(), &[Stdio, Websocket, Unix]),
            ("replay", self.replay.is_some(), &[Scripted]),
        ];
        let stray = members.iter().find(|(_, is_set, kinds)| *is_set && !kinds.contains(&self.transport));
        match stray {
            Some((name, ..)) => {
                let kind = format!("{:?}", self.transport).to_lowercase();
                Err(Error::invalid(format!("`{name}` is no option of the transport \"{kind}\"")))
            }
            None => Ok(()),
        }
    }

    fn builder(&self) -> ClientBuilder {
        let mut builder = Client::builder()
            .approval_mode(self.approval_mode)
            .strict(self.strict)
            .experimental_api(self.experimental_api);
        builder = limited(builder, self.request_timeout_ms, ClientBuilder::request_timeout);
        builder = limited(builder, self.inactivity_timeout_ms, ClientBuilder::inactivity_timeout);
        builder = limited(builder, self.approval_timeout_ms, ClientBuilder::approval_timeout);
        builder = limited(builder, self.user_input_timeout_ms, ClientBuilder::user_input_timeout);
        if let Some(ClientInfo { name, version, title }) = &self.client_info {
            builder = builder.client_info(name, version);
            if let Some(title) = title {
                builder = builder.client_title(title);
            }
        }
        if let Some(methods) = &self.opt_out {
            builder = builder.opt_out(methods);
        }
        if !self.max_frame_bytes.is_unset() {
            builder = builder.max_frame_bytes(self.max_frame_bytes.into_value());
        }
        if !self.max_buffered_bytes.is_unset() {
            builder = builder.max_buffered_bytes(self.max_buffered_bytes.into_value());
        }
        builder
    }

    fn stdio(self) -> Stdio {
        let mut stdio = self.command.map_or_else(Stdio::default, Stdio::command);
        stdio = limited(stdio, self.connect_timeout_ms, Stdio::connect_timeout);
        if let Some(cwd) = self.cwd {
            stdio = stdio.cwd(cwd);
        }
        if let Some(home) = self.codex_home {
            stdio = stdio.codex_home(home);
        }
        if self.env_clear == Some(true) {
            stdio = stdio.env_clear();
        }
        for (name, value) in self.env.into_iter().flatten() {
            stdio = match value {
                Some(value) => stdio.env(name, value),
                None => stdio.env_remove(name),
            };
        }
        for (key, value) in self.config.into_iter().flatten() {
            stdio = stdio.config(key, value);
        }
        stdio
    }

    #[cfg(feature = "websocket")]
    fn websocket(self) -> Result<WebSocket> {
        // The token of the environment goes to the URL of the environment only.
        let mut socket = self.url.map_or_else(WebSocket::default, WebSocket::new);
        socket = limited(socket, self.connect_timeout_ms, WebSocket::connect_timeout);
        socket = limited(socket, self.ping_interval_ms, WebSocket::ping_interval);
        socket = limited(socket, self.pong_timeout_ms, WebSocket::pong_timeout);
        if let Some(token) = self.token {
            socket = socket.token(token);
        }
        for (name, value) in self.headers.into_iter().flatten() {
            socket = socket.header(name, value);
        }
        if self.allow_insecure_token == Some(true) {
            socket = socket.allow_insecure_token();
        }
        if !self.proxy.is_unset() {
            socket = socket.proxy(self.proxy.value().map(String::as_str));
        }
        #[cfg(feature = "tls")]
        {
            for certificate in self.root_certificates.into_iter().flatten() {
                socket = socket.root_certificate(certificate);
            }
            if let Some(ClientCertificate { chain, key }) = self.client_certificate {
                socket = socket.client_certificate(chain, key);
            }
        }
        #[cfg(not(feature = "tls"))]
        if self.root_certificates.is_some() || self.client_certificate.is_some() {
            return Err(Error::invalid("certificates need a build with the feature `tls`"));
        }
        Ok(socket)
    }

    #[cfg(all(feature = "websocket", unix))]
    fn unix_socket(self) -> UnixSocket {
        let mut socket = self.path.map_or_else(UnixSocket::default, UnixSocket::new);
        socket = limited(socket, self.connect_timeout_ms, UnixSocket::connect_timeout);
        socket = limited(socket, self.ping_interval_ms, UnixSocket::ping_interval);
        limited(socket, self.pong_timeout_ms, UnixSocket::pong_timeout)
    }

    fn scripted(self) -> Result<ScriptedServer> {
        let Some(path) = self.replay else { return Ok(ScriptedServer::new()) };
        ScriptedServer::replay(&path).map_err(|source| {
            Error::invalid_because(format!("the recording {} can't be read", path.display()), source)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_the_header() {
        let header = include_str!("codex_blocking.h");
        let error = serde_json::from_str::<Options>(r#"{"moon":1}"#).err().unwrap().to_string();
        let names: Vec<_> = error.split('`').skip(1).step_by(2).filter(|name| *name != "moon").collect();
        assert!(names.len() > 25, "{error}");
        for name in names {
            assert!(header.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
