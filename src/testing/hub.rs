//! The state of a scripted server: its connections, its threads and the turns that run.
//!
//! Relies on `threads` and `script`. Invariant: turns belong to the server and outlive connections, as those of the real
//! server do; nothing depends on time. What is sent goes into the outboxes of connections, under the lock of the hub, so
//! that all of them get it in the same order.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crossbeam_channel::Sender;
use serde_json::{Value, json};

use super::{
    script::{Step, TurnScript},
    threads::{ConnectionId, Refused, Running, Threads, cut, page, with_items},
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

/// How many steps are played at once.
const STEPS_AT_ONCE: usize = 64;

/// What a connection sends to its client.
pub(super) enum Sent {
    Text(Arc<str>),
    /// It ends.
    End,
}

#[derive(Default)]
pub(super) struct Hub {
    connections: BTreeMap<ConnectionId, Sender<Sent>>,
    /// How many connections there were.
    connected: ConnectionId,
    threads: Threads,
    turns: Vec<ScriptedTurn>,
    /// How many requests the server has made, over all connections.
    requests: i64,
}

/// A running turn.
struct ScriptedTurn {
    thread_id: String,
    turn_id: String,
    steps: VecDeque<Step>,
    items: Vec<Value>,
    waits_for: Option<Wait>,
    /// The connections that get its events: those that were subscribed to its thread at some time of it.
    watchers: BTreeSet<ConnectionId>,
    /// The server request to report as resolved after the end, because an interrupt withdrew it.
    withdrawn: Option<i64>,
    has_ended: bool,
}

enum Wait {
    Interrupt,
    Answer(ScriptedRequest),
}

/// A server request that waits for its answer.
struct ScriptedRequest {
    id: i64,
    method: String,
    message: Arc<str>,
}

/// The server requests whose end the real server reports with `serverRequest/resolved`.
const REPORTED: &[&str] = &[
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/permissions/requestApproval",
    "item/tool/requestUserInput",
    "mcpServer/elicitation/request",
];

/// What a request leads to besides its response.
#[derive(Default)]
struct Response {
    result: Value,
    /// Notifications and requests to this connection alone, after the response.
    then: Vec<Arc<str>>,
    /// The thread that may be closed after it.
    may_close: Option<String>,
}

impl From<Value> for Response {
    fn from(result: Value) -> Self {
        Response { result, ..Response::default() }
    }
}

// Connections.
impl Hub {
    pub(super) fn connect(&mut self, outbox: Sender<Sent>) -> ConnectionId {
        self.connected += 1;
        self.connections.insert(self.connected, outbox);
        self.connected
    }

    /// A connection has ended. Its turns go on.
    pub(super) fn disconnect(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
        for turn in &mut self.turns {
            turn.watchers.remove(&connection);
        }
        for thread_id in self.threads.forget_subscriber(connection) {
            self.close_if_unused(&thread_id);
        }
        // It may have left before all was played.
        while self.play() {}
    }

    /// Ends all connections and all turns, as the end of the server's process does.
    fn crash(&mut self) {
        for outbox in std::mem::take(&mut self.connections).into_values() {
            let _ = outbox.send(Sent::End);
        }
        for turn in std::mem::take(&mut self.turns) {
            let stored = turn_object(&turn.turn_id, "interrupted", &Value::Null, &turn.items);
            self.threads.store(&turn.thread_id, stored);
        }
        self.threads.unload_all();
    }

    fn send_to(&self, connection: ConnectionId, message: &Arc<str>) {
        if let Some(outbox) = self.connections.get(&connection) {
            // Fails if the connection is about to end.
            let _ = outbox.send(Sent::Text(Arc::clone(message)));
        }
    }

    fn send_to_all(&self, method: &str, params: &Value) {
        let message = notification(method, params);
        self.connections.keys().for_each(|connection| self.send_to(*connection, &message));
    }

    fn send_to_watchers(&self, turn: &ScriptedTurn, message: &Arc<str>) {
        turn.watchers.iter().for_each(|connection| self.send_to(*connection, message));
    }
}

// Requests.
impl Hub {
    pub(super) fn request(
        &mut self,
        connection: ConnectionId,
        method: &str,
        id: &Value,
        params: &Value,
        handled: &[&str],
    ) {
        let outcome = self.answer(connection, method, params, handled);
        self.reply(connection, id, outcome);
    }

    fn reply(&mut self, connection: ConnectionId, id: &Value, outcome: Result<Response, Refused>) {
        match outcome {
            Ok(response) => {
                self.send_to(connection, &text(&json!({ "id": id, "result": response.result })));
                response.then.iter().for_each(|message| self.send_to(connection, message));
                if let Some(thread_id) = response.may_close {
                    self.close_if_unused(&thread_id);
                }
            }
            Err((code, message)) => {
                let reply = json!({ "error": { "code": code, "message": message }, "id": id });
                self.send_to(connection, &text(&reply));
            }
        }
    }

    fn answer(
        &mut self,
        connection: ConnectionId,
        method: &str,
        params: &Value,
        handled: &[&str],
    ) -> Result<Response, Refused> {
        let id = params["threadId"].as_str().unwrap_or_default();
        let running = self.running(id);
        let running = running.as_ref();
        let response = match method {
            "initialize" => json!({
                "userAgent": "scripted/0.169.0 (memory; none) none (scripted; 0)",
                "codexHome": "/codex-home",
                "platformFamily": "unix",
                "platformOs": "memory",
            }),
            "thread/start" => {
                let id = self.threads.add(None, Vec::new());
                return self.open(connection, &id, params);
            }
            "thread/resume" => return self.open(connection, id, params),
            "thread/fork" => {
                let mut turns = self.threads.known(id)?.all_turns(running);
                if let (Some(last), Some(_)) = (turns.last_mut(), running) {
                    last["status"] = "interrupted".into();
                }
                cut(&mut turns, params)?;
                let fork = self.threads.add(Some(id), turns);
                return self.open(connection, &fork, params);
            }
            "thread/read" => {
                let shows_turns = params["includeTurns"] == true;
                json!({ "thread": self.threads.known(id)?.shown(shows_turns, running) })
            }
            "thread/list" => {
                let is_archived = params["archived"] == true;
                let stored = self.threads.iter().filter(|thread| thread.is_archived == is_archived);
                let shown = stored.map(|thread| (thread, self.running(&thread.id)));
                let shown = shown.filter(|(thread, running)| running.is_some() || !thread.turns.is_empty());
                let data = shown.map(|(thread, running)| thread.shown(false, running.as_ref())).collect();
                page(data, params)?
            }
            "thread/loaded/list" => {
                let loaded = self.threads.iter().filter(|thread| thread.is_loaded);
                page(loaded.map(|thread| Value::from(thread.id.as_str())).rev().collect(), params)?
            }
            "thread/turns/list" => {
                let turns = self.threads.known(id)?.all_turns(running);
                let mut page = page(turns, params)?;
                for turn in page["data"].as_array_mut().into_iter().flatten() {
                    *turn = with_items(turn.take(), &params["itemsView"]);
                }
                page
            }
            "thread/revert" => {
                self.end_running(id);
                let thread = self.threads.known(id)?;
                let first = thread.turns.iter().position(|turn| turn["id"] == params["beforeTurnId"]);
                let first = first.ok_or_else(|| (-32600, "turn not found".to_owned()))?;
                thread.turns.truncate(first);
                json!({ "thread": thread.shown(false, None) })
            }
            "thread/name/set" => {
                self.threads.known(id)?.set_name(params["name"].as_str());
                json!({})
            }
            "thread/archive" => {
                self.threads.known(id)?;
                self.end_running(id);
                let thread = self.threads.known(id)?;
                thread.is_archived = true;
                thread.is_loaded = false;
                thread.subscribers.clear();
                json!({})
            }
            "thread/unarchive" => {
                let thread = self.threads.known(id)?;
                thread.is_archived = false;
                json!({ "thread": thread.shown(false, None) })
            }
            "thread/unsubscribe" => {
                let status = match self.threads.loaded(id) {
                    Err(_) => "notLoaded",
                    Ok(thread) => match thread.subscribers.remove(&connection) {
                        true => "unsubscribed",
                        false => "notSubscribed",
                    },
                };
                let result = json!({ "status": status });
                return Ok(Response { result, may_close: Some(id.to_owned()), ..Response::default() });
            }
            "thread/compact/start" => {
                self.compact(id)?;
                json!({})
            }
            "turn/steer" => self.steer(id, params)?,
            "turn/interrupt" => {
                match self.turns.iter_mut().find(|turn| turn.thread_id == id) {
                    Some(turn) if params["turnId"] == turn.turn_id.as_str() || params["turnId"] == "" => {
                        turn.interrupt();
                    }
                    Some(turn) => return Err(wrong_turn(&params["turnId"], &turn.turn_id)),
                    None if params["turnId"] == "" => {}
                    None => return Err((-32600, "no active turn to interrupt".to_owned())),
                }
                json!({})
            }
            "config/read" => json!({ "config": { "model": "scripted" }, "origins": {} }),
            "model/list" => page(Vec::new(), params)?,
            _ => {
                let known: Vec<_> = METHODS.iter().chain(handled).copied().collect();
                let known = known.join("`, `");
                return Err((
                    -32600,
                    format!("Invalid request: unknown variant `{method}`, expected one of `{known}`"),
                ));
            }
        };
        Ok(response.into())
    }

    /// Loads a thread and subscribes the connection to it, which is asked what nobody has answered. The real server does
    /// that at every resume.
    fn open(&mut self, connection: ConnectionId, id: &str, params: &Value) -> Result<Response, Refused> {
        let running = self.running(id);
        let thread = self.threads.known(id)?;
        thread.open(params, connection)?;
        let mut response = Response::from(thread.opened(params, running.as_ref()));
        for turn in self.turns.iter_mut().filter(|turn| turn.thread_id == id) {
            turn.watchers.insert(connection);
            if let Some(Wait::Answer(request)) = &turn.waits_for {
                response.then.push(Arc::clone(&request.message));
            }
        }
        Ok(response)
    }

    /// The turn of this thread that runs.
    fn running(&self, thread_id: &str) -> Option<Running> {
        let turn = self.turns.iter().find(|turn| turn.thread_id == thread_id)?;
        let flags = match &turn.waits_for {
            Some(Wait::Answer(request)) if request.method == "item/tool/requestUserInput" => {
                vec!["waitingOnUserInput"]
            }
            Some(Wait::Answer(request)) if REPORTED.contains(&request.method.as_str()) => {
                vec!["waitingOnApproval"]
            }
            _ => Vec::new(),
        };
        Some(Running { turn: turn_object(&turn.turn_id, "inProgress", &Value::Null, &turn.items), flags })
    }

    fn close_if_unused(&mut self, thread_id: &str) {
        let runs = self.turns.iter().any(|turn| turn.thread_id == thread_id);
        if !runs && self.threads.known(thread_id).is_ok_and(super::threads::Thread::close_if_unused) {
            self.send_to_all("thread/closed", &json!({ "threadId": thread_id }));
        }
    }
}

// Turns.
impl Hub {
    /// The id of the turn that a `turn/start` begins; `None` if one runs, which it joins, or if it is refused.
    pub(super) fn prepare_turn(&mut self, params: &Value) -> Option<String> {
        let thread_id = params["threadId"].as_str().unwrap_or_default();
        let is_busy = self.turns.iter().any(|turn| turn.thread_id == thread_id);
        let can_start = self.threads.loaded(thread_id).is_ok() && !is_busy;
        can_start.then(|| self.threads.next_id("turn"))
    }

    /// Starts a turn with this id and script. Without one, or if another turn was started in the meantime, the input
    /// goes to the turn that runs.
    pub(super) fn start_turn(
        &mut self,
        connection: ConnectionId,
        id: &Value,
        params: &Value,
        script: Option<(String, TurnScript)>,
    ) {
        let outcome = self.begin_turn(params, script);
        self.reply(connection, id, outcome.map(Response::from));
    }

    fn begin_turn(&mut self, params: &Value, script: Option<(String, TurnScript)>) -> Result<Value, Refused> {
        let thread_id = params["threadId"].as_str().unwrap_or_default();
        self.threads.loaded(thread_id)?;
        if let Some(turn_id) = self.join(thread_id, params) {
            return Ok(json!({ "turn": turn_object(&turn_id, "inProgress", &Value::Null, &[]) }));
        }
        let Some((turn_id, script)) = script else {
            return Err((-32600, "the turn that ran has just ended; try again".to_owned()));
        };
        let started = turn_object(&turn_id, "inProgress", &Value::Null, &[]);
        let said = self.user_message(params);
        let opening = TurnScript::new()
            .notify(
                "thread/status/changed",
                json!({ "status": { "type": "active", "activeFlags": [] }, "turnId": null }),
            )
            .notify("turn/started", json!({ "turn": started, "turnId": null }))
            .item(said);
        self.add_turn(thread_id, turn_id, opening.steps.into_iter().chain(script.steps).collect());
        Ok(json!({ "turn": started }))
    }

    fn add_turn(&mut self, thread_id: &str, turn_id: String, steps: VecDeque<Step>) {
        let watchers =
            self.threads.known(thread_id).map(|thread| thread.subscribers.clone()).unwrap_or_default();
        self.turns.push(ScriptedTurn {
            thread_id: thread_id.to_owned(),
            turn_id,
            steps,
            items: Vec::new(),
            waits_for: None,
            watchers,
            withdrawn: None,
            has_ended: false,
        });
    }

    fn user_message(&mut self, params: &Value) -> Value {
        let id = self.threads.next_id("user");
        let client_id = &params["clientUserMessageId"];
        json!({ "type": "userMessage", "id": id, "clientId": client_id, "content": params["input"] })
    }

    fn steer(&mut self, thread_id: &str, params: &Value) -> Result<Value, Refused> {
        let running = self.turns.iter().find(|turn| turn.thread_id == thread_id);
        match running.map(|turn| turn.turn_id.clone()) {
            Some(turn_id) if params["expectedTurnId"] == turn_id.as_str() => {
                self.join(thread_id, params);
                Ok(json!({ "turnId": turn_id }))
            }
            Some(turn_id) => Err(wrong_turn(&params["expectedTurnId"], &turn_id)),
            None => Err((-32600, "no active turn to steer".to_owned())),
        }
    }

    /// Gives the user's input to the running turn of the thread, if there is one: at once, but not while a request of
    /// the server waits for its answer.
    fn join(&mut self, thread_id: &str, params: &Value) -> Option<String> {
        let at = self.turns.iter().position(|turn| turn.thread_id == thread_id)?;
        let said = self.user_message(params);
        let turn = &mut self.turns[at];
        let said = TurnScript::new().item(said).steps;
        match turn.waits_for {
            Some(Wait::Interrupt) => {
                turn.steps =
                    said.into_iter().chain([Step::WaitForInterrupt]).chain(turn.steps.drain(..)).collect();
                turn.waits_for = None;
            }
            _ => turn.steps = said.into_iter().chain(turn.steps.drain(..)).collect(),
        }
        Some(turn.turn_id.clone())
    }

    /// A compaction is a turn of its own, whose id the response does not contain.
    fn compact(&mut self, thread_id: &str) -> Result<(), Refused> {
        self.threads.loaded(thread_id)?;
        self.end_running(thread_id);
        let turn_id = self.threads.next_id("turn");
        let started = turn_object(&turn_id, "inProgress", &Value::Null, &[]);
        let item = json!({ "type": "contextCompaction", "id": "$-compaction" });
        let script =
            TurnScript::new().notify("turn/started", json!({ "turn": started, "turnId": null })).item(item);
        self.add_turn(thread_id, turn_id, script.steps.into());
        Ok(())
    }

    /// Interrupts the running turn of the thread, and plays its end.
    fn end_running(&mut self, thread_id: &str) {
        if let Some(turn) = self.turns.iter_mut().find(|turn| turn.thread_id == thread_id) {
            turn.interrupt();
            while self.play() {}
        }
    }

    /// A client has answered. The first answer counts, from whatever connection.
    pub(super) fn answered(&mut self, id: &Value) {
        let answered = self.turns.iter_mut().find_map(|turn| {
            let wait =
                turn.waits_for.take_if(|wait| matches!(wait, Wait::Answer(request) if *id == request.id))?;
            Some((turn.thread_id.clone(), wait))
        });
        if let Some((thread_id, Wait::Answer(request))) = answered {
            if let Some(turn) = self.turns.iter().find(|turn| turn.thread_id == thread_id) {
                self.resolved(turn, &request);
            }
        }
    }

    /// Reports that a server request needs no answer any more.
    fn resolved(&self, turn: &ScriptedTurn, request: &ScriptedRequest) {
        if REPORTED.contains(&request.method.as_str()) {
            self.report_resolved(turn, request.id);
        }
    }

    fn report_resolved(&self, turn: &ScriptedTurn, id: i64) {
        let params = json!({ "threadId": turn.thread_id, "requestId": id });
        self.send_to_watchers(turn, &notification("serverRequest/resolved", &params));
    }

    /// Plays some steps of the turns that wait for nothing. Returns whether there are more.
    pub(super) fn play(&mut self) -> bool {
        let mut left = STEPS_AT_ONCE;
        let mut at = 0;
        while at < self.turns.len() {
            // Taken out, because a step can send to every connection.
            let mut turn = self.turns.remove(at);
            while left > 0 && turn.waits_for.is_none() && !turn.has_ended {
                left -= 1;
                let completed = || Step::End { status: "completed".to_owned(), error: Value::Null };
                let step = turn.steps.pop_front().unwrap_or_else(completed);
                if matches!(step, Step::Die) {
                    self.turns.insert(at, turn);
                    self.crash();
                    return false;
                }
                self.step(&mut turn, step);
            }
            if turn.has_ended {
                self.close_if_unused(&turn.thread_id);
            } else {
                self.turns.insert(at, turn);
                at += 1;
            }
            if left == 0 {
                return true;
            }
        }
        false
    }

    fn step(&mut self, turn: &mut ScriptedTurn, step: Step) {
        match step {
            Step::Notify { method, params } => {
                let params = turn.with_ids(params);
                if method == "item/completed" {
                    turn.items.push(params["item"].clone());
                }
                // The real server tells the status of a thread to all connections.
                match method.as_str() {
                    "thread/status/changed" => self.send_to_all(&method, &params),
                    _ => self.send_to_watchers(turn, &notification(&method, &params)),
                }
            }
            Step::Raw(raw) => self.send_to_watchers(turn, &Arc::from(raw.replace('$', &turn.turn_id))),
            Step::Ask { method, params } => {
                let id = self.requests;
                self.requests += 1;
                let params = turn.with_ids(params);
                let message = text(&json!({ "id": id, "method": method, "params": params }));
                self.send_to_watchers(turn, &message);
                turn.waits_for = Some(Wait::Answer(ScriptedRequest { id, method, message }));
            }
            Step::WaitForInterrupt => turn.waits_for = Some(Wait::Interrupt),
            Step::End { status, error } => self.end(turn, &status, &error),
            // Played by the caller.
            Step::Die => {}
        }
    }

    fn end(&mut self, turn: &mut ScriptedTurn, status: &str, error: &Value) {
        turn.has_ended = true;
        let (thread_id, turn_id) = (&turn.thread_id, &turn.turn_id);
        self.threads.store(thread_id, turn_object(turn_id, status, error, &turn.items));
        // Like the real server, includes only the agent's last message.
        let last = turn.items.iter().rev().find(|item| item["type"] == "agentMessage").cloned();
        let last: Vec<_> = last.into_iter().filter(|_| status == "completed").collect();
        let total = self.threads.count_tokens(thread_id, 15);
        let count = |total: u64| {
            json!({
                "totalTokens": total, "inputTokens": total / 3 * 2, "cachedInputTokens": 0,
                "outputTokens": total / 3, "reasoningOutputTokens": 0,
            })
        };
        let usage = json!({ "total": count(total), "last": count(15), "modelContextWindow": 100_000 });
        let params = json!({ "threadId": thread_id, "turnId": turn_id, "tokenUsage": usage });
        self.send_to_watchers(turn, &notification("thread/tokenUsage/updated", &params));
        let idle = json!({ "threadId": thread_id, "status": { "type": "idle" } });
        self.send_to_all("thread/status/changed", &idle);
        let params = json!({ "threadId": thread_id, "turn": turn_object(turn_id, status, error, &last) });
        self.send_to_watchers(turn, &notification("turn/completed", &params));
        if let Some(id) = turn.withdrawn {
            self.report_resolved(turn, id);
        }
    }
}

impl ScriptedTurn {
    fn interrupt(&mut self) {
        self.steps = VecDeque::from([Step::End { status: "interrupted".to_owned(), error: Value::Null }]);
        self.withdrawn = match self.waits_for.take() {
            Some(Wait::Answer(request)) if REPORTED.contains(&request.method.as_str()) => Some(request.id),
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

fn text(message: &Value) -> Arc<str> {
    message.to_string().into()
}

fn notification(method: &str, params: &Value) -> Arc<str> {
    text(&json!({ "method": method, "params": params, "emittedAtMs": 0 }))
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
