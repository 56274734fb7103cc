//! A scripted app-server with threads, turns, and custom responses.
//!
//! Relies on `transport::Memory` and the public API; `listener` serves it over a WebSocket. Invariant: it
//! never depends on time, so tests that use it need not sleep.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    replay::Replay,
    script::{Step, TurnScript},
    threads::{Refused, Threads},
};
use crate::{
    Client, Memory, Result, Transport,
    transport::{Link, Peer, Sink},
};

/// The methods answered without a handler.
const METHODS: &[&str] = &[
    "initialize",
    "thread/start",
    "thread/resume",
    "thread/fork",
    "thread/read",
    "thread/list",
    "thread/loaded/list",
    "thread/turns/list",
    "thread/revert",
    "thread/name/set",
    "thread/archive",
    "thread/unarchive",
    "thread/unsubscribe",
    "thread/compact/start",
    "turn/start",
    "turn/steer",
    "turn/interrupt",
    "config/read",
    "model/list",
];

type RequestHandler = Arc<dyn Fn(&Value) -> Result<Value, Refused> + Send + Sync>;
type TurnScripter = Arc<dyn Fn(&TurnRequest) -> TurnScript + Send + Sync>;

/// A scripted app-server inside this process: a [`Transport`] for testing programs that use this crate,
/// without a server process, network or account.
///
/// It stores threads and turns like the real server. The script defines what a turn does; without one,
/// each turn answers `echo: ` followed by the user's text. Clones and successive connections share the
/// stored threads.
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
    store: Arc<Mutex<Store>>,
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

/// The stored threads, and the messages received.
#[derive(Default)]
struct Store {
    threads: Threads,
    received: Vec<Value>,
}

impl ScriptedServer {
    /// Creates a server whose turns echo the user's text.
    pub fn new() -> Self {
        ScriptedServer {
            script: Arc::new(|turn| TurnScript::new().message(&format!("echo: {}", turn.text()))),
            handlers: HashMap::new(),
            store: Arc::default(),
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
        if let Some(replay) = &self.replay {
            return replay.serve(self, peer);
        }
        Serving { server: self.clone(), peer, loaded: Vec::new(), turns: Vec::new(), requests: 0 }.run();
    }

    /// Answers a request for whose method there is a handler.
    pub(super) fn handled(&self, method: &str, params: &Value) -> Option<Result<Value, Refused>> {
        self.handlers.get(method).map(|handler| handler(params))
    }

    pub(super) fn keep_received(&self, message: &Value) {
        self.store.lock().received.push(message.clone());
    }

    /// Returns every message received, oldest first.
    pub fn received(&self) -> Vec<Value> {
        self.store.lock().received.clone()
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

/// The server's view of a client connection.
pub(super) trait ServerWire {
    /// Receives the next message; `None` once the client has disconnected.
    fn recv(&mut self) -> Option<String>;

    fn send(&mut self, message: &str);
}

impl ServerWire for Peer {
    fn recv(&mut self) -> Option<String> {
        Peer::recv(self)
    }

    fn send(&mut self, message: &str) {
        Peer::send(self, message);
    }
}

/// A connection being served.
struct Serving<W> {
    server: ScriptedServer,
    peer: W,
    /// The threads loaded over this connection.
    loaded: Vec<String>,
    turns: Vec<ScriptedTurn>,
    requests: i64,
}

/// A running turn.
struct ScriptedTurn {
    thread_id: String,
    turn_id: String,
    steps: VecDeque<Step>,
    items: Vec<Value>,
    waits_for: Option<Wait>,
    /// The server request to report as resolved after the end, because an interrupt withdrew it.
    withdrawn: Option<i64>,
}

enum Wait {
    Interrupt,
    Answer(ScriptedRequest),
}

/// A server request that waits for its answer.
struct ScriptedRequest {
    id: i64,
    /// Whether its end is reported.
    is_reported: bool,
}

/// The server requests whose end the real server reports with `serverRequest/resolved`.
const REPORTED: &[&str] = &[
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/permissions/requestApproval",
    "item/tool/requestUserInput",
    "mcpServer/elicitation/request",
];

impl<W: ServerWire> Serving<W> {
    fn run(mut self) {
        while let Some(message) = self.peer.recv() {
            let Ok(message) = serde_json::from_str::<Value>(&message) else { continue };
            self.server.keep_received(&message);
            let id = message.get("id").cloned();
            match (message.get("method").and_then(Value::as_str), id) {
                (Some(method), Some(id)) => self.request(method, &id, &message["params"]),
                (None, Some(id)) => self.answered(&id),
                _ => {}
            }
            if self.play() {
                return;
            }
        }
    }

    fn request(&mut self, method: &str, id: &Value, params: &Value) {
        let answer = self.server.handled(method, params).unwrap_or_else(|| self.answer(method, params));
        match answer {
            Ok(result) => {
                let is_closed = method == "thread/unsubscribe"
                    && result["status"] == "unsubscribed"
                    && !self.loaded.iter().any(|known| params["threadId"] == known.as_str());
                self.send(&json!({ "id": id, "result": result }));
                if is_closed {
                    self.notify("thread/closed", &json!({ "threadId": params["threadId"] }));
                }
            }
            Err((code, message)) => {
                self.send(&json!({ "error": { "code": code, "message": message }, "id": id }));
            }
        }
    }

    fn answer(&mut self, method: &str, params: &Value) -> Result<Value, Refused> {
        if let Some(answer) = self.server.store.lock().threads.answer(method, params, &mut self.loaded) {
            return answer;
        }
        let thread_id = params["threadId"].as_str().unwrap_or_default().to_owned();
        match method {
            "initialize" => Ok(json!({
                "userAgent": "scripted/0.169.0 (memory; none) none (scripted; 0)",
                "codexHome": "/codex-home",
                "platformFamily": "unix",
                "platformOs": "memory",
            })),
            "turn/start" => self.start_turn(&thread_id, params),
            "thread/compact/start" => self.compact(&thread_id),
            "turn/steer" => match self.turns.iter().find(|turn| turn.thread_id == thread_id) {
                Some(turn) if params["expectedTurnId"] == turn.turn_id.as_str() => {
                    Ok(json!({ "turnId": turn.turn_id }))
                }
                Some(turn) => Err(wrong_turn(&params["expectedTurnId"], &turn.turn_id)),
                None => Err((-32600, "no active turn to steer".to_owned())),
            },
            "turn/interrupt" => match self.turns.iter_mut().find(|turn| turn.thread_id == thread_id) {
                Some(turn) if params["turnId"] == turn.turn_id.as_str() => {
                    turn.interrupt();
                    Ok(json!({}))
                }
                Some(turn) => Err(wrong_turn(&params["turnId"], &turn.turn_id)),
                None => Err((-32600, "no active turn to interrupt".to_owned())),
            },
            "config/read" => Ok(json!({ "config": { "model": "scripted" }, "origins": {} })),
            "model/list" => Ok(json!({ "data": [], "nextCursor": null })),
            _ => {
                let handlers = self.server.handlers.keys().map(String::as_str);
                let known: Vec<_> = METHODS.iter().copied().chain(handlers).collect();
                let known = known.join("`, `");
                Err((
                    -32600,
                    format!("Invalid request: unknown variant `{method}`, expected one of `{known}`"),
                ))
            }
        }
    }

    fn start_turn(&mut self, thread_id: &str, params: &Value) -> Result<Value, Refused> {
        self.server.store.lock().threads.known(thread_id)?;
        // A second `turn/start` on a busy thread joins the running turn.
        if let Some(turn) = self.turns.iter().find(|turn| turn.thread_id == thread_id) {
            return Ok(json!({ "turn": turn_object(&turn.turn_id, "inProgress", &Value::Null, &[]) }));
        }
        let (turn_id, message_id) = {
            let threads = &mut self.server.store.lock().threads;
            (threads.next_id("turn"), threads.next_id("user"))
        };
        let request =
            TurnRequest { thread_id: thread_id.to_owned(), turn_id: turn_id.clone(), params: params.clone() };
        let started = turn_object(&turn_id, "inProgress", &Value::Null, &[]);
        let said =
            json!({ "type": "userMessage", "id": message_id, "clientId": null, "content": params["input"] });
        let opening = TurnScript::new()
            .notify(
                "thread/status/changed",
                json!({ "status": { "type": "active", "activeFlags": [] }, "turnId": null }),
            )
            .notify("turn/started", json!({ "turn": started, "turnId": null }))
            .item(said);
        let steps = opening.steps.into_iter().chain((self.server.script)(&request).steps).collect();
        self.turns.push(ScriptedTurn {
            thread_id: thread_id.to_owned(),
            turn_id,
            steps,
            items: Vec::new(),
            waits_for: None,
            withdrawn: None,
        });
        Ok(json!({ "turn": started }))
    }

    /// A compaction is a turn of its own, whose id the response does not contain.
    fn compact(&mut self, thread_id: &str) -> Result<Value, Refused> {
        let mut store = self.server.store.lock();
        store.threads.known(thread_id)?;
        let turn_id = store.threads.next_id("turn");
        drop(store);
        self.turns.iter_mut().filter(|turn| turn.thread_id == thread_id).for_each(ScriptedTurn::interrupt);
        let started = turn_object(&turn_id, "inProgress", &Value::Null, &[]);
        let item = json!({ "type": "contextCompaction", "id": "$-compaction" });
        let script =
            TurnScript::new().notify("turn/started", json!({ "turn": started, "turnId": null })).item(item);
        let steps = script.steps.into();
        let thread_id = thread_id.to_owned();
        let items = Vec::new();
        self.turns.push(ScriptedTurn { thread_id, turn_id, steps, items, waits_for: None, withdrawn: None });
        Ok(json!({}))
    }

    fn answered(&mut self, id: &Value) {
        let mut resolved = None;
        for turn in &mut self.turns {
            if let Some(Wait::Answer(request)) = turn.waits_for.take_if(|wait| wait.is_for(id)) {
                resolved = request.is_reported.then(|| (turn.thread_id.clone(), request.id));
            }
        }
        if let Some((thread_id, id)) = resolved {
            self.resolved(&thread_id, id);
        }
    }

    /// Plays every turn until it waits. Returns true if the script ends the server.
    fn play(&mut self) -> bool {
        let mut turns = std::mem::take(&mut self.turns);
        for turn in &mut turns {
            while turn.waits_for.is_none() {
                let step = turn
                    .steps
                    .pop_front()
                    .unwrap_or(Step::End { status: "completed".to_owned(), error: Value::Null });
                let is_end = matches!(step, Step::End { .. });
                if self.step(turn, step) {
                    return true;
                }
                if is_end {
                    break;
                }
            }
        }
        turns.retain(|turn| turn.waits_for.is_some());
        self.turns = turns;
        false
    }

    fn step(&mut self, turn: &mut ScriptedTurn, step: Step) -> bool {
        match step {
            Step::Notify { method, params } => {
                let params = turn.with_ids(params);
                if method == "item/completed" {
                    turn.items.push(params["item"].clone());
                }
                self.notify(&method, &params);
            }
            Step::Raw(text) => self.peer.send(&text.replace('$', &turn.turn_id)),
            Step::Ask { method, params } => {
                let id = self.requests;
                self.requests += 1;
                let is_reported = REPORTED.contains(&method.as_str());
                turn.waits_for = Some(Wait::Answer(ScriptedRequest { id, is_reported }));
                let params = turn.with_ids(params);
                self.send(&json!({ "id": id, "method": method, "params": params }));
            }
            Step::WaitForInterrupt => turn.waits_for = Some(Wait::Interrupt),
            Step::End { status, error } => {
                let stored = turn_object(&turn.turn_id, &status, &error, &turn.items);
                self.server.store.lock().threads.store(&turn.thread_id, stored);
                // Like the real server, includes only the agent's last message.
                let last = turn.items.iter().rev().find(|item| item["type"] == "agentMessage").cloned();
                let last: Vec<_> = last.into_iter().filter(|_| status == "completed").collect();
                let thread_id = &turn.thread_id;
                let total = self.server.store.lock().threads.count_tokens(thread_id, 15);
                let count = |total: u64| {
                    json!({
                        "totalTokens": total, "inputTokens": total / 3 * 2, "cachedInputTokens": 0,
                        "outputTokens": total / 3, "reasoningOutputTokens": 0,
                    })
                };
                let usage =
                    json!({ "total": count(total), "last": count(15), "modelContextWindow": 100_000 });
                self.notify(
                    "thread/tokenUsage/updated",
                    &json!({ "threadId": thread_id, "turnId": turn.turn_id, "tokenUsage": usage }),
                );
                self.notify(
                    "thread/status/changed",
                    &json!({ "threadId": thread_id, "status": { "type": "idle" } }),
                );
                let ended = turn_object(&turn.turn_id, &status, &error, &last);
                self.notify("turn/completed", &json!({ "threadId": thread_id, "turn": ended }));
                if let Some(id) = turn.withdrawn {
                    self.resolved(thread_id, id);
                }
            }
            Step::Die => return true,
        }
        false
    }

    /// Reports that a server request needs no answer any more.
    fn resolved(&mut self, thread_id: &str, id: i64) {
        self.notify("serverRequest/resolved", &json!({ "threadId": thread_id, "requestId": id }));
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "method": method, "params": params, "emittedAtMs": 0 }));
    }

    fn send(&mut self, message: &Value) {
        self.peer.send(&message.to_string());
    }
}

impl Wait {
    /// Whether it is for the answer with this id.
    fn is_for(&self, id: &Value) -> bool {
        matches!(self, Wait::Answer(request) if *id == request.id)
    }
}

impl ScriptedTurn {
    fn interrupt(&mut self) {
        self.steps = VecDeque::from([Step::End { status: "interrupted".to_owned(), error: Value::Null }]);
        self.withdrawn = match self.waits_for.take() {
            Some(Wait::Answer(request)) if request.is_reported => Some(request.id),
            _ => None,
        };
    }

    /// Adds the turn's ids to the parameters, and replaces `$` in item ids.
    fn with_ids(&self, mut params: Value) -> Value {
        if let Some(members) = params.as_object_mut() {
            members.entry("threadId").or_insert_with(|| self.thread_id.as_str().into());
            match members.get("turnId") {
                None => drop(members.insert("turnId".to_owned(), self.turn_id.as_str().into())),
                Some(Value::Null) => drop(members.remove("turnId")),
                Some(_) => {}
            }
            if let Some(id) = members.get_mut("itemId") {
                own(id, &self.turn_id);
            }
            if let Some(id) = members.get_mut("item").and_then(|item| item.get_mut("id")) {
                own(id, &self.turn_id);
            }
        }
        params
    }
}

fn own(id: &mut Value, turn_id: &str) {
    if let Some(text) = id.as_str() {
        *id = text.replace('$', turn_id).into();
    }
}

fn turn_object(turn_id: &str, status: &str, error: &Value, items: &[Value]) -> Value {
    json!({
        "id": turn_id, "rootTurnId": turn_id, "items": items,
        "itemsView": if items.is_empty() { "notLoaded" } else { "summary" },
        "status": status, "error": error, "startedAt": null, "completedAt": null, "durationMs": null,
    })
}

fn wrong_turn(expected: &Value, found: &str) -> Refused {
    (-32600, format!("expected active turn id {} but found {found}", expected.as_str().unwrap_or_default()))
}
