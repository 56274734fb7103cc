//! A scripted app-server with threads, turns, and custom responses.
//!
//! Relies on `connection` and `hub`, and on `transport::Memory`; `listener` serves it over a WebSocket. Invariant: it
//! never depends on time, so tests that use it need not sleep.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value;

use super::{
    connection::{self, ServerWire},
    hub::Hub,
    replay::Replay,
    script::TurnScript,
    threads::Refused,
};
use crate::{
    Client, Memory, Result, Transport,
    transport::{Link, Sink},
};

type RequestHandler = Arc<dyn Fn(&Value) -> Result<Value, Refused> + Send + Sync>;
type TurnScripter = Arc<dyn Fn(&TurnRequest) -> TurnScript + Send + Sync>;

/// A scripted app-server inside this process: a [`Transport`] for testing programs that use this crate,
/// without a server process, network or account.
///
/// It stores threads and turns like the real server. The script defines what a turn does; without one,
/// each turn answers `echo: ` followed by the user's text. [`replay`](Self::replay) plays a recording instead.
///
/// All connections, also those of clones, share the threads and the turns. Like those of the real server, turns belong
/// to the server and outlive the connection that has started them: another client that resumes the thread gets the
/// events from then on, and the server requests that nobody has answered; lists show the turns that run. A turn that is
/// steered, or joined by a second `turn/start`, shows the user's message, under the `clientUserMessageId` as
/// `clientId`; behind the answer, if it waits for one.
///
/// ```
/// use codex_blocking::testing::{ScriptedServer, TurnScript};
///
/// let server = ScriptedServer::new().on_turn(|turn| match turn.text() {
///     "break" => TurnScript::new().fail("it broke", serde_json::json!("other")),
///     text => TurnScript::new().command("date", "Monday\n", 0).message(&format!("You said {text}")),
/// });
/// let client = server.client()?;
/// assert_eq!(client.chat_once("hi")?.final_text, "You said hi");
/// assert_eq!(client.chat_once("break").unwrap_err().code(), "turn_failed");
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a server does nothing until a client connects to it"]
#[derive(Clone)]
pub struct ScriptedServer {
    script: TurnScripter,
    handlers: HashMap<String, RequestHandler>,
    hub: Arc<Mutex<Hub>>,
    /// The messages of all clients.
    received: Arc<Mutex<Vec<Value>>>,
    /// What it plays instead of scripts.
    replay: Option<Arc<Replay>>,
}

/// The request that started a turn.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TurnRequest {
    /// The id of the thread.
    pub thread_id: String,
    /// The id of the turn.
    pub turn_id: String,
    /// The parameters of `turn/start`.
    pub params: Value,
}

impl TurnRequest {
    /// Returns the text of the first text item of the input.
    pub fn text(&self) -> &str {
        text_of(&self.params)
    }
}

fn text_of(params: &Value) -> &str {
    let items = params["input"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().find_map(|item| item["text"].as_str()).unwrap_or_default()
}

impl ScriptedServer {
    /// Creates a server whose turns echo the user's text.
    pub fn new() -> Self {
        ScriptedServer {
            script: Arc::new(|turn| TurnScript::new().message(&format!("echo: {}", turn.text()))),
            handlers: HashMap::new(),
            hub: Arc::default(),
            received: Arc::default(),
            replay: None,
        }
    }

    /// Creates a server that plays recorded connections.
    pub(super) fn playing(replay: Replay) -> Self {
        ScriptedServer { replay: Some(Arc::new(replay)), ..ScriptedServer::new() }
    }

    /// Sets the script that defines what turns do.
    pub fn on_turn(mut self, script: impl Fn(&TurnRequest) -> TurnScript + Send + Sync + 'static) -> Self {
        self.script = Arc::new(script);
        self
    }

    /// Sets a handler for requests of this method. It receives the parameters and returns a result, or an
    /// error code and message; it takes precedence over the built-in response.
    pub fn on_request(
        mut self,
        method: &str,
        answer: impl Fn(&Value) -> Result<Value, (i64, String)> + Send + Sync + 'static,
    ) -> Self {
        self.handlers.insert(method.to_owned(), Arc::new(answer));
        self
    }

    /// Connects a client with default settings.
    ///
    /// # Errors
    /// Returns [`Error::Transport`](crate::Error::Transport) if no thread can be started.
    pub fn client(&self) -> Result<Client> {
        Client::connect(self.clone())
    }

    /// Serves one connection until it ends.
    pub(super) fn serve(&self, peer: impl ServerWire) {
        match &self.replay {
            Some(replay) => replay.serve(self, peer),
            None => connection::serve(self, peer),
        }
    }

    pub(super) fn hub(&self) -> &Mutex<Hub> {
        &self.hub
    }

    pub(super) fn script_of(&self, turn: &TurnRequest) -> TurnScript {
        (self.script)(turn)
    }

    /// The methods for which there is a handler.
    pub(super) fn handled_methods(&self) -> Vec<&str> {
        self.handlers.keys().map(String::as_str).collect()
    }

    /// Answers a request for whose method there is a handler.
    pub(super) fn handled(&self, method: &str, params: &Value) -> Option<Result<Value, Refused>> {
        self.handlers.get(method).map(|handler| handler(params))
    }

    pub(super) fn keep_received(&self, message: &Value) {
        self.received.lock().push(message.clone());
    }

    /// Returns every message received, oldest first.
    pub fn received(&self) -> Vec<Value> {
        self.received.lock().clone()
    }
}

impl Default for ScriptedServer {
    fn default() -> Self {
        ScriptedServer::new()
    }
}

impl fmt::Debug for ScriptedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedServer").finish_non_exhaustive()
    }
}

impl Transport for ScriptedServer {
    fn connect(&mut self, sink: Sink) -> Result<Box<dyn Link>> {
        let server = self.clone();
        Memory::new(move |peer| server.serve(peer)).connect(sink)
    }
}
