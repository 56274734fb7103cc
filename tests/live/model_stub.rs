//! The stub of the model against the real app-server: every scenario of its own script, spoken by hand.
//!
//! Relies on the feature `testing` and on `support/real.rs`; nothing of the client is used, so that a failure
//! here is the stub's or the server's. Invariant: the server is killed before its home is removed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use codex_blocking::testing::{ModelReply, ModelStub};
use crossbeam_channel::{Receiver, unbounded};
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::real::{RealHome, is_old_server};

cases![
    a_text_is_echoed,
    think_reasons_first,
    run_runs_a_command,
    escalate_asks_for_approval,
    patch_adds_a_file,
    patch_elsewhere_asks_for_approval,
    ask_asks_the_user_in_plan_mode,
    fail_and_status_fail_the_turn,
    retry_succeeds_at_the_second_attempt,
    flood_sends_every_delta,
    hang_lasts_until_it_is_interrupted,
    hang_does_not_outlive_the_stub_or_the_server,
    a_script_of_ones_own_sees_the_request,
];

/// A running server with one thread (of Codex) in it.
struct Session {
    // Dropped in this order, after `drop` has killed the server.
    stdin: ChildStdin,
    messages: Receiver<Value>,
    child: Child,
    home: RealHome,
    thread_id: String,
    last_request: u64,
}

/// All that came between the start of a turn and its end.
struct Turn {
    messages: Vec<Value>,
    end: Value,
}

impl Session {
    fn start(home: RealHome) -> Session {
        let command = home.command();
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .envs(home.envs())
            .current_dir(home.workspace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = unbounded();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut session = Session { stdin, messages, child, home, thread_id: String::new(), last_request: 0 };
        let client = json!({ "name": "model-stub", "version": "0" });
        let capabilities = json!({ "experimentalApi": true });
        session.request("initialize", json!({ "clientInfo": client, "capabilities": capabilities }));
        session.send(&json!({ "method": "initialized" }));
        let started = session.request("thread/start", json!({ "cwd": session.home.workspace() }));
        session.thread_id = started["thread"]["id"].as_str().unwrap().to_owned();
        session
    }

    fn send(&mut self, message: &Value) {
        self.stdin.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    /// The next message; the test fails if the server says nothing or ends.
    fn receive(&self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("the server says something")
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.last_request += 1;
        let id = self.last_request;
        self.send(&json!({ "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == id && message.get("method").is_none() {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn start_turn(&mut self, text: &str) -> String {
        let params = json!({ "threadId": self.thread_id, "input": [{ "type": "text", "text": text }] });
        let started = self.request("turn/start", params);
        started["turn"]["id"].as_str().unwrap().to_owned()
    }

    /// A turn with this text; each request of the server gets the result that `answer` has for its method.
    fn turn(&mut self, text: &str, answer: impl Fn(&str) -> Value) -> Turn {
        let id = self.start_turn(text);
        self.finish(&id, answer)
    }

    fn finish(&mut self, turn_id: &str, answer: impl Fn(&str) -> Value) -> Turn {
        let mut messages = Vec::new();
        loop {
            let message = self.receive();
            if let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) {
                let result = answer(method);
                self.send(&json!({ "id": id, "result": result }));
            }
            if message["method"] == "turn/completed" && message["params"]["turn"]["id"] == turn_id {
                return Turn { messages, end: message["params"]["turn"].clone() };
            }
            messages.push(message);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Turn {
    fn status(&self) -> &str {
        self.end["status"].as_str().unwrap()
    }

    /// The text of the last message. (The end of the turn has it too, but not in old servers.)
    fn answer(&self) -> &str {
        assert_eq!(self.status(), "completed", "{}", self.end);
        let message = self.items("agentMessage").pop();
        message.and_then(|item| item["text"].as_str()).expect("the turn has a message")
    }

    /// The parameters of all notifications and requests of this method.
    fn with_method(&self, method: &str) -> Vec<&Value> {
        let messages = self.messages.iter().filter(|message| message["method"] == method);
        messages.map(|message| &message["params"]).collect()
    }

    /// The completed items of this type.
    fn items(&self, kind: &str) -> Vec<&Value> {
        let completed = self.with_method("item/completed").into_iter();
        completed.map(|params| &params["item"]).filter(|item| item["type"] == kind).collect()
    }

    /// The only completed item of this type.
    fn item(&self, kind: &str) -> &Value {
        let [item] = self.items(kind)[..] else {
            panic!("not one {kind} in {:#?}", self.messages);
        };
        item
    }

    fn deltas(&self, method: &str) -> Vec<&str> {
        let deltas = self.with_method(method).into_iter();
        deltas.map(|params| params["delta"].as_str().unwrap()).collect()
    }
}

/// For turns in which the server should ask nothing.
fn unasked(method: &str) -> Value {
    panic!("the server asks: {method}")
}

fn a_text_is_echoed() {
    let mut session = Session::start(RealHome::new());
    let turn = session.turn("hello", unasked);
    assert_eq!(turn.answer(), "echo: hello");
    assert_eq!(turn.deltas("item/agentMessage/delta").concat(), "echo: hello");
    assert!(turn.item("agentMessage")["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(session.home.model().requests().len(), 1);
}

fn think_reasons_first() {
    let turn = Session::start(RealHome::new()).turn("think about cats", unasked);
    assert_eq!(turn.answer(), "thought: about cats");
    let item = turn.item("reasoning");
    assert_eq!(item["summary"], json!(["**Thinking** about it"]));
    assert_eq!(item["content"], json!(["Let me think. about cats"]));
    assert_eq!(turn.deltas("item/reasoning/summaryTextDelta").concat(), "**Thinking** about it");
    assert_eq!(turn.deltas("item/reasoning/textDelta").concat(), "Let me think. about cats");
}

fn run_runs_a_command() {
    let mut session = Session::start(RealHome::new());
    let turn = session.turn("run echo from the shell", unasked);
    assert!(turn.answer().starts_with("output: "), "{}", turn.answer());
    assert!(turn.answer().contains("from the shell"), "{}", turn.answer());
    // Old servers may tell the end of a command after the end of its turn.
    if !is_old_server() {
        let item = turn.item("commandExecution");
        assert_eq!(item["exitCode"], 0, "{item}");
        assert_eq!(item["aggregatedOutput"], "from the shell\n");
    }
    // The output went to the model, which was asked a second time.
    assert!(session.home.model().wait_for_requests(2, Duration::ZERO));
}

fn escalate_asks_for_approval() {
    let mut session = Session::start(RealHome::new());
    for (decision, status) in [("accept", "completed"), ("decline", "declined")] {
        let turn = session.turn("escalate touch made && echo let out", |_| json!({ "decision": decision }));
        let asked = turn.with_method("item/commandExecution/requestApproval")[0];
        assert_eq!(asked["reason"], "This command needs to leave the sandbox.");
        assert_eq!(turn.item("commandExecution")["status"], status);
        assert_eq!(turn.answer().contains("let out\n"), decision == "accept", "{}", turn.answer());
    }
}

fn patch_adds_a_file() {
    let mut session = Session::start(RealHome::new());
    let turn = session.turn("patch added.txt", unasked);
    assert!(turn.answer().starts_with("output: "), "{}", turn.answer());
    assert_eq!(turn.item("fileChange")["status"], "completed");
    let added = std::fs::read_to_string(session.home.workspace().join("added.txt")).unwrap();
    assert_eq!(added, "written by the stub of the model\n");
}

fn patch_elsewhere_asks_for_approval() {
    let turn = Session::start(RealHome::new())
        .turn("patch /codex-blocking-is-not-to-write-this", |_| json!({ "decision": "decline" }));
    assert_eq!(turn.with_method("item/fileChange/requestApproval").len(), 1);
    // Old servers complete the item twice.
    let changes = turn.items("fileChange");
    assert!(!changes.is_empty() && changes.iter().all(|item| item["status"] == "declined"), "{changes:?}");
    assert_eq!(turn.status(), "completed");
}

fn ask_asks_the_user_in_plan_mode() {
    let mut session = Session::start(RealHome::new());
    let params = json!({
        "threadId": session.thread_id,
        "input": [{ "type": "text", "text": "ask Which way?" }],
        "collaborationMode": { "mode": "plan", "settings": { "model": "mock-model" } },
    });
    let started = session.request("turn/start", params);
    let id = started["turn"]["id"].as_str().unwrap().to_owned();
    let turn = session.finish(&id, |_| json!({ "answers": { "choice": { "answers": ["Second"] } } }));
    let asked = turn.with_method("item/tool/requestUserInput")[0];
    assert_eq!(asked["questions"][0]["question"], "Which way?");
    assert_eq!(asked["questions"][0]["options"].as_array().unwrap().len(), 2);
    assert!(turn.answer().contains("Second"), "{}", turn.answer());
}

fn fail_and_status_fail_the_turn() {
    let mut session = Session::start(RealHome::new());
    for (text, info) in [
        ("fail context_length_exceeded", json!("contextWindowExceeded")),
        ("fail", json!("other")),
        ("status 500", json!("internalServerError")),
        ("status 429", json!({ "responseTooManyFailedAttempts": { "httpStatusCode": 429 } })),
    ] {
        // A thread that has run out of its context begins the next turn by compacting.
        let started = session.request("thread/start", json!({ "cwd": session.home.workspace() }));
        session.thread_id = started["thread"]["id"].as_str().unwrap().to_owned();
        let turn = session.turn(text, unasked);
        assert_eq!(turn.status(), "failed", "{text}");
        assert_eq!(turn.end["error"]["codexErrorInfo"], info, "{text}");
    }
}

fn retry_succeeds_at_the_second_attempt() {
    let home = RealHome::with_model(ModelStub::start().unwrap().with_retries(1));
    let turn = Session::start(home).turn("retry this", unasked);
    assert_eq!(turn.answer(), "second attempt: this");
    let errors = turn.with_method("error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["willRetry"], true);
    assert_eq!(turn.deltas("item/agentMessage/delta").concat(), "first attemptsecond attempt: this");
}

fn flood_sends_every_delta() {
    let turn = Session::start(RealHome::new()).turn("flood 1000", unasked);
    assert_eq!(turn.answer(), "drop ".repeat(1000));
    assert_eq!(turn.deltas("item/agentMessage/delta").len(), 1000);
}

fn hang_lasts_until_it_is_interrupted() {
    let mut session = Session::start(RealHome::new());
    let turn_id = session.start_turn("hang");
    assert!(session.home.model().wait_for_requests(1, PATIENCE));
    session.request("turn/interrupt", json!({ "threadId": session.thread_id, "turnId": turn_id }));
    let turn = session.finish(&turn_id, unasked);
    assert_eq!(turn.status(), "interrupted");
    assert_eq!(session.turn("hello", unasked).answer(), "echo: hello");
}

fn hang_does_not_outlive_the_stub_or_the_server() {
    let mut session = Session::start(RealHome::new());
    session.start_turn("hang");
    assert!(session.home.model().wait_for_requests(1, PATIENCE));
    let started = Instant::now();
    drop(session);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

fn a_script_of_ones_own_sees_the_request() {
    let model = ModelStub::start_with(|request| {
        assert_eq!(request.body()["model"], "mock-model");
        match request.tool_output() {
            None => {
                assert_eq!(request.user_text(), "say hi");
                ModelReply::new()
                    .reasoning("A file", "It should say hi.")
                    .apply_patch("*** Begin Patch\n*** Add File: hi.txt\n+hi\n*** End Patch\n")
            }
            Some(output) => {
                assert_eq!(output["type"], "function_call_output");
                ModelReply::new()
                    .delay(Duration::from_millis(10))
                    .text(format!("request {}", request.number()))
            }
        }
    });
    let mut session = Session::start(RealHome::with_model(model.unwrap()));
    assert_eq!(session.turn("say hi", unasked).answer(), "request 1");
    assert_eq!(std::fs::read_to_string(session.home.workspace().join("hi.txt")).unwrap(), "hi\n");
}
