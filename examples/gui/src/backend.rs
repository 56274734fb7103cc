//! Which server the window talks to.
//!
//! Relies on `demo` and `offline`. Invariant: it can be connected to again, after a server has ended.

use std::{error::Error, path::PathBuf};

use codex_blocking::{
    ApprovalMode, Client, Result, Stdio, ThreadConfig, ThreadHandle, UnixSocket, WebSocket,
    testing::{ModelStub, ScriptedServer},
};

use crate::{demo, offline, wake::Wake};

pub enum Backend {
    /// `codex app-server` as a child process, perhaps with a stub of its model.
    Codex { stdio: Stdio, stub: Option<ModelStub> },
    /// The scripted server inside this program.
    Demo(ScriptedServer),
    /// A server that listens on a WebSocket.
    Url(WebSocket),
    /// A server that listens on a Unix socket.
    Socket(UnixSocket),
}

impl Backend {
    pub fn codex() -> Backend {
        Backend::Codex { stdio: Stdio::default(), stub: None }
    }

    pub fn demo() -> Result<Backend> {
        Ok(Backend::Demo(demo::server()?))
    }

    /// The real server in a home of its own, in which a stub is the model.
    pub fn offline_model() -> Result<Backend, Box<dyn Error>> {
        let stub = offline::model()?;
        let home = std::env::current_dir()?.join("target").join("offline-codex-home").join("gui");
        stub.write_home(&home)?;
        Ok(Backend::Codex { stdio: Stdio::default().env("CODEX_HOME", home), stub: Some(stub) })
    }

    pub fn url(url: &str) -> Result<Backend, Box<dyn Error>> {
        if let Some(path) = url.strip_prefix("unix://") {
            return Ok(Backend::Socket(UnixSocket::new(PathBuf::from(path))));
        }
        Ok(Backend::Url(WebSocket::new(url)))
    }

    /// Connects and shakes hands. Blocks.
    pub fn connect(&self, wake: Wake) -> Result<(Client, String)> {
        let builder = Client::builder()
            .client_info("codex-gui", env!("CARGO_PKG_VERSION"))
            // They wait until a button is clicked.
            .approval_mode(ApprovalMode::Manual)
            .on_ready(move || wake.wake());
        let (client, name) = match self {
            Backend::Codex { stdio, stub } => (
                builder.connect(stdio.clone())?,
                if stub.is_some() { "codex, stub of the model" } else { "codex" },
            ),
            // The demo's pauses are calls of a tool.
            Backend::Demo(server) => (builder.experimental_api(true).connect(server.clone())?, "demo"),
            Backend::Url(url) => (builder.connect(url.clone())?, "codex at a URL"),
            Backend::Socket(socket) => (builder.connect(socket.clone())?, "codex at a socket"),
        };
        let handshake = client.initialize()?;
        let version = handshake.server_version().unwrap_or("of an unknown version").to_owned();
        Ok((client, format!("{name}, {version}")))
    }

    /// Starts a thread. Blocks.
    pub fn start(&self, client: &Client, config: ThreadConfig) -> Result<ThreadHandle> {
        match self {
            Backend::Demo(_) => client.start_thread_with_tools(config, [demo::pause()]),
            _ => client.start_thread(config),
        }
    }

    /// Loads a thread over a new connection. Blocks.
    pub fn resume(&self, client: &Client, id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        match self {
            Backend::Demo(_) => client.resume_thread_with_tools(id, config, [demo::pause()]),
            _ => client.resume_thread(id, config),
        }
    }
}
