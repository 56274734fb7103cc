//! A stub of the model: the HTTP server that a real app-server calls for completions (Responses API).
//!
//! Relies on std, serde_json, parking_lot, log and `loopback`; `http` implements HTTP. Invariant: dropping a stub
//! ends its threads.

mod http;
mod reply;
mod script;

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use self::http::Unreadable;
pub use self::reply::ModelReply;
use self::reply::{Action, Played};
use super::loopback::{Acceptor, Connections, LoopbackStream};

/// How many requests a stub stores: enough for tests, and bounded for a demo that runs all day.
const MAX_STORED_REQUESTS: usize = 1000;
/// Large writes, so that the stub doesn't slow down a flood of deltas.
const WRITE_BUFFER: usize = 256 * 1024;
/// Replaces durations that the clock can't represent.
const VERY_LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A scripted model on loopback for a real `codex app-server`.
///
/// It implements the part of the Responses API that Codex uses: `POST …/responses` returns a stream of
/// events, and every `GET` returns an empty list of models. Each connection has its own thread and serves
/// one request. Compressed request bodies are rejected (status 415); Codex doesn't send any to a custom
/// provider.
///
/// Dropping the stub closes all its connections, including hanging ones, and waits for its threads. A script
/// that doesn't return within 5 s is left behind with its thread, and logged.
///
/// ```
/// use codex_blocking::testing::{ModelReply, ModelStub};
///
/// let model = ModelStub::start_with(|request| match request.tool_output() {
///     None => ModelReply::new().command("ls"),
///     Some(_) => ModelReply::new().text("Those are your files."),
/// })?;
/// assert!(model.config_toml().contains(&model.url()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "dropping it stops the server"]
pub struct ModelStub {
    shared: Arc<ModelShared>,
    connections: Arc<Connections>,
    acceptor: Acceptor,
    stream_max_retries: u32,
}

/// A request to the model: the body of one HTTP request.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    number: u64,
    body: Arc<Value>,
}

type ModelScript = dyn Fn(&ModelRequest) -> ModelReply + Send + Sync;

struct ModelShared {
    script: Box<ModelScript>,
    state: Mutex<ModelState>,
    /// Notified when a request arrives, or the stub stops.
    changed: Condvar,
}

#[derive(Default)]
struct ModelState {
    stopped: bool,
    /// The number of the last response or item.
    last_id: u64,
    received: u64,
    stored: VecDeque<Arc<Value>>,
}

impl ModelStub {
    /// Starts a stub on a free loopback port. The first word of the user's text selects the answer.
    ///
    /// | text | the model … |
    /// | --- | --- |
    /// | `think …` | reasons, then sends a message |
    /// | `run COMMAND` | runs a shell command, then sends its output as a message |
    /// | `escalate COMMAND` | the same outside of the sandbox, which needs approval |
    /// | `patch PATH` | adds a file by a patch, then sends the outcome as a message |
    /// | `ask …` | asks the user to choose between two options (in plan mode), then sends the answer |
    /// | `fail CODE` | fails, by default with `server_error` |
    /// | `status N` | answers with an HTTP status, by default 500 |
    /// | `flood N` | sends a message of N deltas, by default 1000 |
    /// | `hang` | starts a response and falls silent |
    /// | `retry …` | breaks off in a message, and answers the thread's next attempt |
    /// | anything else | sends the message `echo: ` and the text |
    ///
    /// For `retry` see also [`with_retries`](Self::with_retries).
    ///
    /// # Errors
    ///
    /// Returns an error if loopback can't be bound or a thread can't be started.
    pub fn start() -> io::Result<ModelStub> {
        Self::start_with(script::by_first_word())
    }

    /// Starts a stub on a free loopback port. `script` creates the answers.
    ///
    /// The script runs on the connection's thread, concurrently for concurrent requests. If it panics,
    /// the connection is closed, which Codex treats as a broken stream.
    ///
    /// # Errors
    ///
    /// Returns an error if loopback can't be bound or a thread can't be started.
    pub fn start_with(
        script: impl Fn(&ModelRequest) -> ModelReply + Send + Sync + 'static,
    ) -> io::Result<ModelStub> {
        let shared = Arc::new(ModelShared {
            script: Box::new(script),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let connections = Arc::new(Connections::default());
        let acceptor = Acceptor::start("codex-model-accept", {
            let (shared, connections) = (Arc::clone(&shared), Arc::clone(&connections));
            move |stream| {
                let shared = Arc::clone(&shared);
                connections.serve("codex-model", stream, move |stream| {
                    if let Err(error) = (ModelConnection { stream, shared: &shared }).serve() {
                        // Expected when the server abandons a response.
                        log::debug!("a connection of the model stub ended early: {error}");
                    }
                })
            }
        })?;
        Ok(ModelStub { shared, connections, acceptor, stream_max_retries: 0 })
    }

    /// Sets how often Codex retries a broken stream, in the configuration that this stub writes.
    ///
    /// By default a broken stream fails the turn immediately.
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.stream_max_retries = retries;
        self
    }

    /// Returns the base URL of the API: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.acceptor.address())
    }

    /// Returns a `config.toml` that makes Codex use this stub, with approvals on request and the sandbox
    /// mode `workspace-write`.
    pub fn config_toml(&self) -> String {
        format!(
            r#"model = "mock-model"
model_provider = "mock"
approval_policy = "on-request"
sandbox_mode = "workspace-write"

[model_providers.mock]
name = "Mock"
base_url = "{url}"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = {retries}
"#,
            url = self.url(),
            retries = self.stream_max_retries,
        )
    }

    /// Creates `dir` (and its parents) as a `CODEX_HOME` whose `config.toml` is
    /// [`config_toml`](Self::config_toml).
    ///
    /// Replaces an existing `config.toml`. Choose a directory outside the system's temporary directory,
    /// about which Codex warns.
    ///
    /// # Errors
    ///
    /// Returns an error if the directory or the file can't be written.
    pub fn write_home(&self, dir: impl AsRef<Path>) -> io::Result<()> {
        let dir = dir.as_ref();
        fs::create_dir_all(dir)?;
        fs::write(dir.join("config.toml"), self.config_toml())
    }

    /// Returns the bodies of the requests so far, oldest first, but at most the latest 1000.
    pub fn requests(&self) -> Vec<Value> {
        self.shared.state.lock().stored.iter().map(|body| Value::clone(body)).collect()
    }

    /// Blocks until the stub has received `count` requests since its start, for at most `timeout`.
    /// Returns whether it has.
    pub fn wait_for_requests(&self, count: u64, timeout: Duration) -> bool {
        self.shared.wait_until(timeout, |state| state.received >= count)
    }
}

impl fmt::Debug for ModelStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelStub").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for ModelStub {
    fn drop(&mut self) {
        self.shared.stop();
        self.acceptor.stop();
        self.connections.cut();
    }
}

impl ModelRequest {
    /// Returns the whole body.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Returns how many requests the stub had received before this one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the user's last text (its parts joined by newlines), or an empty string.
    ///
    /// Codex also sends text in the user's role (a description of the environment, or a warning to the
    /// model); in the first request of a turn the last text is the turn's input.
    pub fn user_text(&self) -> String {
        let parts = self
            .input()
            .iter()
            .rev()
            .find(|item| is_user_message(item))
            .and_then(|item| item["content"].as_array());
        let texts = parts.into_iter().flatten().filter(|part| part["type"] == "input_text");
        let texts: Vec<&str> = texts.filter_map(|part| part["text"].as_str()).collect();
        texts.join("\n")
    }

    /// Returns the tool output (an item such as `function_call_output`) that the request carries, unless
    /// a user message follows it.
    pub fn tool_output(&self) -> Option<&Value> {
        // Codex may append developer messages after either of the two.
        self.input()
            .iter()
            .rev()
            .find(|item| is_user_message(item) || is_output(item))
            .filter(|item| is_output(item))
    }

    fn input(&self) -> &[Value] {
        self.body["input"].as_array().map_or(&[], Vec::as_slice)
    }
}

fn is_user_message(item: &Value) -> bool {
    item["type"] == "message" && item["role"] == "user"
}

fn is_output(item: &Value) -> bool {
    item["type"].as_str().is_some_and(|kind| kind.ends_with("_output"))
}

impl ModelShared {
    /// Blocks until `condition` holds, for at most `timeout`, or until the stub stops. Returns whether it
    /// holds.
    fn wait_until(&self, timeout: Duration, condition: impl Fn(&ModelState) -> bool) -> bool {
        let deadline = Instant::now() + timeout.min(VERY_LONG);
        let mut state = self.state.lock();
        self.changed.wait_while_until(&mut state, |state| !state.stopped && !condition(state), deadline);
        condition(&state)
    }

    /// Blocks for `time`; returns true if the stub stopped in the meantime.
    fn stopped_within(&self, time: Duration) -> bool {
        self.wait_until(time, |state| state.stopped)
    }

    fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
    }

    fn next_id(&self) -> u64 {
        let mut state = self.state.lock();
        state.last_id += 1;
        state.last_id
    }

    /// Stores a received request.
    fn receive(&self, body: Value) -> ModelRequest {
        let body = Arc::new(body);
        let mut state = self.state.lock();
        let number = state.received;
        state.received += 1;
        if state.stored.len() == MAX_STORED_REQUESTS {
            state.stored.pop_front();
        }
        state.stored.push_back(Arc::clone(&body));
        self.changed.notify_all();
        ModelRequest { number, body }
    }
}

/// A connection being served.
struct ModelConnection<'a> {
    stream: &'a LoopbackStream,
    shared: &'a ModelShared,
}

impl ModelConnection<'_> {
    fn serve(&self) -> io::Result<()> {
        let request = match http::read_request(BufReader::new(self.stream), self.stream) {
            Ok(request) => request,
            Err(Unreadable::Broken(error)) => return Err(error),
            Err(Unreadable::Refused { status, why }) => {
                self.refuse(status, why)?;
                // Closing before the client has sent everything would reset the connection, and the
                // client might never receive the response.
                self.stream.finish()?;
                return self.wait_for_the_end();
            }
        };
        match request.method.as_str() {
            "GET" => http::write_json(self.stream, 200, &json!({ "models": [], "data": [] })),
            "POST" if request.path.ends_with("/responses") => match serde_json::from_slice(&request.body) {
                Ok(body) => self.answer(&self.shared.receive(body)),
                Err(_) => self.refuse(400, "the body is not JSON"),
            },
            _ => self.refuse(404, "the stub supports only POST …/responses and GET"),
        }
    }

    fn refuse(&self, status: u16, why: &str) -> io::Result<()> {
        log::warn!("the model stub rejects a request with status {status}: {why}");
        http::write_json(self.stream, status, &json!({ "error": { "code": null, "message": why } }))
    }

    fn answer(&self, request: &ModelRequest) -> io::Result<()> {
        let actions = match (self.shared.script)(request).play(|| self.shared.next_id()) {
            Played::Status(status, body) => return http::write_json(self.stream, status, &body),
            Played::Stream(actions) => actions,
        };
        let mut out = BufWriter::with_capacity(WRITE_BUFFER, self.stream);
        http::write_stream_head(&mut out)?;
        for action in actions {
            match action {
                Action::Write { bytes, times } => {
                    for _ in 0..times {
                        out.write_all(&bytes)?;
                    }
                }
                Action::Pause(time) => {
                    out.flush()?;
                    if self.shared.stopped_within(time) {
                        return Ok(());
                    }
                }
                Action::Hang => {
                    out.flush()?;
                    return self.wait_for_the_end();
                }
            }
        }
        out.flush()
    }

    /// Blocks until the client closes the connection, or the stub closes it because it stops.
    fn wait_for_the_end(&self) -> io::Result<()> {
        io::copy(&mut { self.stream }, &mut io::sink()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpStream, thread};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn ask(text: &str) -> String {
        let content = json!([{ "type": "input_text", "text": text }]);
        json!({ "input": [{ "type": "message", "role": "user", "content": content }] }).to_string()
    }

    fn connect(stub: &ModelStub) -> TcpStream {
        let stream = TcpStream::connect(stub.acceptor.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request with this user text; the response is left to be read.
    fn send(stub: &ModelStub, text: &str) -> TcpStream {
        let mut stream = connect(stub);
        let body = ask(text);
        let length = body.len();
        write!(stream, "POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        stream
    }

    fn answer_to(stub: &ModelStub, text: &str) -> String {
        io::read_to_string(send(stub, text)).unwrap()
    }

    fn deltas(answer: &str) -> Vec<String> {
        let events = answer.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = events.map(|data| serde_json::from_str::<Value>(data).unwrap());
        events.filter_map(|event| event["delta"].as_str().map(str::to_owned)).collect()
    }

    #[test]
    fn an_unknown_word_is_echoed() {
        let stub = ModelStub::start().unwrap();
        let answer = answer_to(&stub, "hello there");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(deltas(&answer).concat(), "echo: hello there");
        assert!(answer.contains("event: response.completed\n"), "{answer}");
        assert_eq!(stub.requests()[0]["input"][0]["content"][0]["text"], "hello there");
    }

    #[test]
    fn a_chunked_request_is_understood() {
        let stub = ModelStub::start().unwrap();
        let mut stream = connect(&stub);
        let body = ask("in two chunks");
        let (first, second) = body.split_at(20);
        write!(stream, "POST /v1/responses HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for chunk in [first, second, ""] {
            write!(stream, "{:x}\r\n{chunk}\r\n", chunk.len()).unwrap();
        }
        assert_eq!(deltas(&io::read_to_string(stream).unwrap()).concat(), "echo: in two chunks");
    }

    #[test]
    fn dropping_the_stub_releases_whatever_waits() {
        let stub = ModelStub::start_with(|request| match request.number() {
            0 => ModelReply::new().hang(),
            1 => ModelReply::new().delay(Duration::MAX),
            // More than the system buffers for a client that doesn't read.
            _ => ModelReply::new().deltas(1_000_000, "not read by anybody"),
        })
        .unwrap();
        let mut clients: Vec<TcpStream> = (1..=3)
            .map(|count| {
                let client = send(&stub, "x");
                assert!(stub.wait_for_requests(count, PATIENCE));
                client
            })
            .collect();
        // This client sends no request at all.
        clients.push(connect(&stub));

        let started = Instant::now();
        drop(stub);
        // No thread was left behind, which takes as long.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        for mut client in clients {
            // An end of stream or a reset, but no timeout: the connection has been closed.
            if let Err(error) = io::copy(&mut client, &mut io::sink()) {
                assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
                assert_ne!(error.kind(), io::ErrorKind::TimedOut, "{error}");
            }
        }
    }

    #[test]
    fn a_hanging_connection_ends_with_its_client() {
        let stub = ModelStub::start().unwrap();
        let client = send(&stub, "hang");
        assert!(stub.wait_for_requests(1, PATIENCE));
        drop(client);
        let deadline = Instant::now() + PATIENCE;
        while !stub.connections.are_over() {
            assert!(Instant::now() < deadline, "it hangs on");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_flood_is_complete() {
        let stub = ModelStub::start().unwrap();
        let answer = answer_to(&stub, "flood 100000");
        assert_eq!(deltas(&answer).len(), 100_000);
        assert!(answer.contains("event: response.completed\n"));
    }

    #[test]
    fn retry_breaks_off_once_per_attempt() {
        let stub = ModelStub::start().unwrap();
        for _ in 0..2 {
            assert!(!answer_to(&stub, "retry x").contains("response.completed"));
            assert!(answer_to(&stub, "retry x").contains("second attempt: x"));
        }
    }

    #[test]
    fn a_panic_in_the_script_closes_the_connection() {
        let stub = ModelStub::start_with(|_| panic!("on purpose")).unwrap();
        assert_eq!(answer_to(&stub, "x"), "");
    }

    #[test]
    fn other_requests_get_an_answer_too() {
        let stub = ModelStub::start().unwrap();
        for (request, status) in [
            ("GET /v1/models?x=1 HTTP/1.1\r\n\r\n", 200),
            ("POST /v1/other HTTP/1.1\r\n\r\n", 404),
            ("POST /v1/responses HTTP/1.1\r\n\r\n", 400),
            ("POST /v1/responses HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n", 415),
        ] {
            let mut stream = connect(&stub);
            stream.write_all(request.as_bytes()).unwrap();
            let answer = io::read_to_string(stream).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
        }
        assert!(answer_to(&stub, "status 429").starts_with("HTTP/1.1 429 "));
        assert!(answer_to(&stub, "fail cyber_policy").contains(r#""code":"cyber_policy""#));
    }

    #[test]
    fn a_refusal_arrives_though_the_body_was_not_read() {
        let stub = ModelStub::start().unwrap();
        let mut stream = connect(&stub);
        let body = "x".repeat(1_000_000);
        let head = "POST /v1/responses HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1000000";
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
        assert!(io::read_to_string(stream).unwrap().starts_with("HTTP/1.1 415 "));
    }

    #[test]
    fn the_users_last_text_and_a_later_output_are_found() {
        let message = |role: &str, text: &str| {
            let content = json!([{ "type": "input_text", "text": text }]);
            json!({ "type": "message", "role": role, "content": content })
        };
        let user = |text: &str| message("user", text);
        let developer = message("developer", "d");
        let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "o" });
        let request = |input: Value| ModelRequest { number: 0, body: Arc::new(json!({ "input": input })) };

        let answered = request(json!([user("a"), user("b"), output, developer]));
        assert_eq!(answered.user_text(), "b");
        assert_eq!(answered.tool_output(), Some(&output));
        assert_eq!(request(json!([user("a"), output, user("b")])).tool_output(), None);
        let empty = ModelRequest { number: 0, body: Arc::new(json!(1)) };
        assert_eq!((empty.user_text().as_str(), empty.tool_output()), ("", None));
    }

    #[test]
    fn a_home_is_made_with_its_parents() {
        let stub = ModelStub::start().unwrap().with_retries(3);
        let root = std::env::temp_dir().join(format!("codex-model-{}", std::process::id()));
        stub.write_home(root.join("a/b")).unwrap();
        let config = fs::read_to_string(root.join("a/b/config.toml")).unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert!(config.contains(&stub.url()) && config.contains("stream_max_retries = 3"), "{config}");
    }
}
