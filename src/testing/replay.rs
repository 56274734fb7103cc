//! Plays recorded connections back to clients.
//!
//! Relies on serde_json and `server`. Invariant: what is sent depends only on what the client has sent, never on time; a
//! file that can't be read as a recording is an error that names the line.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fs, io,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};

use super::{connection::ServerWire, server::ScriptedServer};

/// The recorded connections of a file.
pub(super) struct Replay {
    /// At least one.
    connections: Vec<Recorded>,
    /// How many clients have connected.
    clients: AtomicUsize,
}

/// A recorded connection.
#[derive(Default)]
struct Recorded {
    events: Vec<Event>,
    /// Requests of the client, by the recorded id: the event of the last one.
    requests: HashMap<String, usize>,
    /// Requests of the server, by their id: the event of the last one.
    questions: HashMap<String, usize>,
    /// Turns that were started and did not end.
    running: HashSet<String>,
}

/// What happened on a connection.
enum Event {
    /// The client sent a request; `reply` is the event of its reply.
    Request { method: String, params: Value, reply: Option<usize> },
    /// The client answered the request of the server in this event.
    Answer { question: usize },
    /// The client sent a notification.
    Notification { method: String },
    /// The client sent something that nothing waits for.
    Sent,
    /// The server replied to the request in this event. The members do not include the id.
    Reply { request: usize, members: BTreeMap<String, Box<RawValue>> },
    /// The server sent a request with this id.
    Question { id: String, text: String },
    /// The server sent something else.
    Text(String),
    /// The connection ended.
    Closed,
}

/// A line of the file.
#[derive(Deserialize)]
struct Line<'a> {
    dir: Option<String>,
    conn: Option<String>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    text: Option<String>,
    event: Option<String>,
    note: Option<IgnoredAny>,
    dropped: Option<IgnoredAny>,
    http: Option<IgnoredAny>,
}

impl ScriptedServer {
    /// Creates a server that plays back a file of a [`Recorder`](crate::Recorder).
    ///
    /// A request of the client is answered with the recorded reply to the next recorded request of the same method, if
    /// there is one on the same thread, to that. What the server sent after a recorded request is sent after the client
    /// has made that request, in the recorded order. Where the client answered a request of the server, such as an
    /// approval, the rest waits until the client answers it now, whatever the answer is. Requests that only read, and
    /// `thread/unsubscribe`, are not waited for, nor are requests that the client leaves out and makes a later one
    /// instead. So a program that makes requests from several threads at once has to make them in the recorded order
    /// too; otherwise turns can lack events. What the client asks and the recording doesn't contain is answered with an error that says so. A
    /// recording that ends in the middle of a turn ends the connection there.
    ///
    /// Ids of requests are those of the client now; ids of threads, turns and items are the recorded ones. Lines with
    /// `note` or `dropped` are skipped. If the file contains several connections, with a member `conn`, each client
    /// gets the next one; after the last one it begins again.
    ///
    /// [`on_request`](Self::on_request) takes precedence over the recording. [`on_turn`](Self::on_turn) has no effect.
    ///
    /// ```no_run
    /// use codex_blocking::testing::ScriptedServer;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = ScriptedServer::replay("codex.jsonl")?.client()?;
    /// for step in client.chat("what was asked then")? {
    ///     println!("{step}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The file can't be read, contains no messages, or has a line that is not one of a recording, because it is cut for
    /// example ([`InvalidData`](io::ErrorKind::InvalidData)); the error names the line.
    pub fn replay(path: impl AsRef<Path>) -> io::Result<ScriptedServer> {
        let path = path.as_ref();
        let file = fs::read(path)?;
        let replay = Replay::parse(&file).map_err(|(line, why)| {
            let message = format!("{}, line {line}: {why}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        Ok(ScriptedServer::playing(replay))
    }
}

impl Replay {
    /// # Errors
    /// The number of a line, from 1, and what is wrong with it.
    fn parse(file: &[u8]) -> Result<Replay, (usize, String)> {
        let mut names: HashMap<Option<String>, usize> = HashMap::new();
        let mut connections: Vec<Recorded> = Vec::new();
        let mut lines = 0;
        for line in file.split(|byte| *byte == b'\n') {
            lines += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let failed = |why: String| (lines, why);
            let line: Line<'_> = serde_json::from_slice(line)
                .map_err(|error| failed(format!("it is not a line of a recording: {error}")))?;
            if line.note.is_some() || line.dropped.is_some() || line.http.is_some() {
                continue;
            }
            let at = *names.entry(line.conn.clone()).or_insert(connections.len());
            if at == connections.len() {
                connections.push(Recorded::default());
            }
            connections[at].add(&line).map_err(failed)?;
        }
        connections.iter_mut().for_each(Recorded::end);
        connections.retain(|connection| !connection.events.is_empty());
        if connections.is_empty() {
            return Err((lines, "the file ends without a message".to_owned()));
        }
        Ok(Replay { connections, clients: AtomicUsize::new(0) })
    }

    /// Serves a client until it disconnects or the recorded connection ends.
    pub(super) fn serve(&self, server: &ScriptedServer, peer: impl ServerWire) {
        let number = self.clients.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let recorded = &self.connections[number];
        let state = recorded.events.iter().map(|_| Progress::default()).collect();
        let mut left = HashMap::<_, VecDeque<_>>::new();
        for (at, event) in recorded.events.iter().enumerate() {
            if let Event::Request { method, .. } = event {
                left.entry(method.as_str()).or_default().push_back(at);
            }
        }
        let (asked, renamed) = (HashMap::new(), HashMap::new());
        Playing { server, recorded, peer, state, left, asked, at: 0, last_request: 0, renamed }.run();
    }
}

impl Recorded {
    /// # Errors
    /// What is wrong with the line.
    fn add(&mut self, line: &Line<'_>) -> Result<(), String> {
        let is_from_client = match line.dir.as_deref() {
            Some("out") => true,
            Some("in") => false,
            _ => return Err("`dir` is neither \"in\" nor \"out\"".to_owned()),
        };
        let event = match (line.msg, &line.text, &line.event) {
            (Some(message), ..) if is_from_client => self.sent(message.get()),
            (Some(message), ..) => self.received(message.get()),
            (None, Some(_), _) if is_from_client => Event::Sent,
            (None, Some(text), _) => Event::Text(text.clone()),
            (None, None, Some(event)) if event.starts_with("connection closed") => Event::Closed,
            _ => return Err("it has no message: neither `msg` nor `text`".to_owned()),
        };
        self.events.push(event);
        Ok(())
    }

    /// A message of the client.
    fn sent(&mut self, message: &str) -> Event {
        let at = self.events.len();
        let message = members_of(message).unwrap_or_default();
        match (text_member(&message, "method"), message.get("id")) {
            (Some(method), Some(id)) => {
                self.requests.insert(id.get().to_owned(), at);
                let params = message.get("params").and_then(|params| serde_json::from_str(params.get()).ok());
                Event::Request { method, params: params.unwrap_or_default(), reply: None }
            }
            (None, Some(id)) => match self.questions.remove(id.get()) {
                Some(question) => Event::Answer { question },
                None => Event::Sent,
            },
            (Some(method), None) => Event::Notification { method },
            (None, None) => Event::Sent,
        }
    }

    /// A message of the server.
    fn received(&mut self, text: &str) -> Event {
        let at = self.events.len();
        let Some(mut members) = members_of(text) else { return Event::Text(text.to_owned()) };
        match (text_member(&members, "method"), members.get("id").map(|id| id.get().to_owned())) {
            (Some(_), Some(id)) => {
                self.questions.insert(id.clone(), at);
                Event::Question { id, text: text.to_owned() }
            }
            (Some(method), None) => {
                if method == "turn/completed" {
                    self.running.remove(&turn_of(members.get("params").map(|params| &**params)));
                }
                Event::Text(text.to_owned())
            }
            (None, Some(id)) => {
                let Some(request) = self.requests.remove(&id) else { return Event::Text(text.to_owned()) };
                if let Event::Request { reply, method, .. } = &mut self.events[request] {
                    *reply = Some(at);
                    if matches!(method.as_str(), "turn/start" | "review/start")
                        && members.contains_key("result")
                    {
                        self.running.insert(turn_of(members.get("result").map(|result| &**result)));
                    }
                }
                members.remove("id");
                Event::Reply { request, members }
            }
            (None, None) => Event::Text(text.to_owned()),
        }
    }

    /// Nothing follows.
    fn end(&mut self) {
        if !self.running.is_empty() && !matches!(self.events.last(), Some(Event::Closed)) {
            self.events.push(Event::Closed);
        }
    }
}

fn members_of(message: &str) -> Option<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(message).ok()
}

fn text_member(members: &BTreeMap<String, Box<RawValue>>, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

/// The id of the turn in parameters or in a result.
fn turn_of(value: Option<&RawValue>) -> String {
    #[derive(Default, Deserialize)]
    struct HasTurn {
        turn: TurnId,
    }
    #[derive(Default, Deserialize)]
    struct TurnId {
        id: String,
    }
    let value = value.and_then(|value| serde_json::from_str::<HasTurn>(value.get()).ok());
    value.unwrap_or_default().turn.id
}

/// What has become of an event.
#[derive(Default)]
struct Progress {
    /// Of a request: the id under which the client has made it now.
    id: Option<Value>,
    /// Of a request of the server: whether the client has answered it. Of a notification: whether it has sent it.
    is_done: bool,
}

/// A recorded connection that is played to a client.
struct Playing<'a, W> {
    server: &'a ScriptedServer,
    recorded: &'a Recorded,
    peer: W,
    /// Of each event.
    state: Vec<Progress>,
    /// The next event.
    at: usize,
    /// The requests that the client has not made, by method.
    left: HashMap<&'a str, VecDeque<usize>>,
    /// The requests of the server that the client has not answered, by id, as JSON.
    asked: HashMap<String, Vec<usize>>,
    /// The last recorded request that the client has made.
    last_request: usize,
    /// Ids that the client chose, as JSON: of the recorded one, the one of now.
    renamed: HashMap<String, String>,
}

/// Parameters with ids that the client chooses.
const CHOSEN_BY_CLIENT: &[&str] = &["processId", "clientUserMessageId"];

impl<W: ServerWire> Playing<'_, W> {
    fn run(mut self) {
        let mut is_open = self.play();
        while is_open {
            let Some(message) = self.peer.recv() else { return };
            let Ok(message) = serde_json::from_str::<Value>(&message) else { continue };
            self.server.keep_received(&message);
            match (message["method"].as_str(), message.get("id")) {
                (Some(method), Some(id)) => self.request(method, id, &message["params"]),
                (None, Some(id)) => self.answer(id),
                (Some(method), None) => self.notified(method),
                (None, None) => {}
            }
            is_open = self.play();
        }
    }

    fn request(&mut self, method: &str, id: &Value, params: &Value) {
        if let Some(outcome) = self.server.handled(method, params) {
            let reply = match outcome {
                Ok(result) => json!({ "id": id, "result": result }),
                Err((code, message)) => json!({ "id": id, "error": { "code": code, "message": message } }),
            };
            return self.peer.send(&reply.to_string());
        }
        let recorded = self.recorded;
        let is_on_thread = |at: &usize| match &recorded.events[*at] {
            Event::Request { params: recorded, .. } => recorded["threadId"] == params["threadId"],
            _ => false,
        };
        let left = self.left.get_mut(method).filter(|left| !left.is_empty());
        let at = left.and_then(|left| left.remove(left.iter().position(is_on_thread).unwrap_or(0)));
        let Some(at) = at else {
            return self.refuse(id, &format!("the recording has no (further) request {method}"));
        };
        let event = &recorded.events[at];
        self.state[at].id = Some(id.clone());
        self.last_request = self.last_request.max(at);
        let Event::Request { params: recorded, reply, .. } = event else { return };
        for name in CHOSEN_BY_CLIENT {
            let (then, now) = (&recorded[*name], &params[*name]);
            if then.is_string() && now.is_string() && then != now {
                self.renamed.insert(then.to_string(), now.to_string());
            }
        }
        match reply {
            Some(reply) if *reply < self.at => self.reply(*reply),
            Some(_) => {}
            None if matches!(self.recorded.events.last(), Some(Event::Closed)) => {}
            None => self.refuse(id, &format!("the recording ends before the reply to {method}")),
        }
    }

    fn refuse(&mut self, id: &Value, message: &str) {
        self.peer.send(&json!({ "id": id, "error": { "code": -32600, "message": message } }).to_string());
    }

    /// The client answers a request of the server.
    fn answer(&mut self, id: &Value) {
        if let Some(at) = self.asked.get_mut(&id.to_string()).and_then(Vec::pop) {
            self.state[at].is_done = true;
        }
    }

    /// The client sends a notification.
    fn notified(&mut self, method: &str) {
        let sent = self.recorded.events.iter().enumerate().find(|(at, event)| {
            matches!(event, Event::Notification { method: recorded } if recorded == method)
                && !self.state[*at].is_done
        });
        if let Some((at, _)) = sent {
            self.state[at].is_done = true;
        }
    }

    /// Plays up to what the client has to do next. Returns `false` if the connection ends there.
    fn play(&mut self) -> bool {
        let recorded = self.recorded;
        while let Some(event) = recorded.events.get(self.at) {
            match event {
                Event::Request { method, .. } => {
                    let is_made = self.state[self.at].id.is_some();
                    if !is_made && self.last_request < self.at && is_waited_for(method) {
                        return true;
                    }
                }
                Event::Notification { .. } if !self.state[self.at].is_done && self.last_request < self.at => {
                    return true;
                }
                Event::Answer { question } if !self.state[*question].is_done => return true,
                Event::Reply { .. } => self.reply(self.at),
                Event::Question { id, text } => {
                    let id = serde_json::from_str::<Value>(id).unwrap_or_default();
                    self.asked.entry(id.to_string()).or_default().push(self.at);
                    self.send(text);
                }
                Event::Text(text) => self.send(text),
                Event::Closed => return false,
                Event::Answer { .. } | Event::Notification { .. } | Event::Sent => {}
            }
            self.at += 1;
        }
        true
    }

    /// Sends the reply in this event, if the client has made its request.
    fn reply(&mut self, at: usize) {
        let Event::Reply { request, members } = &self.recorded.events[at] else { return };
        let Some(id) = &self.state[*request].id else { return };
        let mut reply = format!(r#"{{"id":{id}"#);
        for (name, value) in members {
            reply += &format!(",{}:{}", Value::from(name.as_str()), value.get());
        }
        reply.push('}');
        self.send(&reply);
    }

    fn send(&mut self, text: &str) {
        match self.renamed.is_empty() {
            true => self.peer.send(text),
            false => self.peer.send(&renamed(text, &self.renamed)),
        }
    }
}

/// The JSON with other strings in place of these.
fn renamed(text: &str, names: &HashMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let mut is_escaped = false;
        let end = rest[start + 1..].find(|letter| {
            let ends = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            ends
        });
        let Some(end) = end else { break };
        let (string, after) = rest[start..].split_at(end + 2);
        out += &rest[..start];
        out += names.get(string).map_or(string, String::as_str);
        rest = after;
    }
    out + rest
}

/// Whether what follows a request can depend on it.
fn is_waited_for(method: &str) -> bool {
    !(method.ends_with("/list") || method.ends_with("/read") || method == "thread/unsubscribe")
}
