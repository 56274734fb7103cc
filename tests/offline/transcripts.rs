//! Recorded turns of the real server (0.169), played to a client over the public API: which steps
//! come out, how the turn ends, and that nothing is left behind.
//!
//! A transcript's `out` lines say which calls are made, its `in` lines what the server answers, in
//! that order and with the recorded ids of threads, turns and items. Each is played four times: as
//! steps and as events, read as they come and read at the end. Then comes one more turn on the same
//! thread, in the middle of which the server says everything once more: events of ended turns.

use std::{
    collections::{HashMap, VecDeque},
    thread::JoinHandle,
};

use codex_blocking::{
    ChatRequest, ChatResult, Client, ConversationStep, Error, Result, ThreadConfig, TurnEvent, TurnHandle,
    TurnItem, TurnStream, testing::ScriptedServer,
};
use serde_json::{Value, json};

use crate::support::memory::{Server, message, served, spawn};

#[test]
fn a_simple_turn_ends_with_its_answer() {
    plays(
        "simple-turn",
        &["userMessage completed: hello", "codex completed: echo: hello", "= completed: echo: hello"],
    );
}

#[test]
fn a_turn_with_a_schema_answers_in_json() {
    plays(
        "structured-output",
        &[
            "userMessage completed: structured",
            r#"codex completed: {"answer": "42"}"#,
            r#"= completed: {"answer": "42"}"#,
        ],
    );
}

#[test]
fn a_failing_command_is_a_failed_step_of_a_turn_that_completes() {
    plays(
        "exec-turn",
        &[
            "userMessage completed: exec echo one; sleep 0.3; echo two; exit 3",
            "exec failed: /bin/bash -lc 'echo one; sleep 0.3; echo two…",
            r#"codex completed: after tool: "Chunk ID: 5d8a55\nWall time: 0.…"#,
            r#"= completed: after tool: "Chunk ID: 5d8a55\nWall time: 0.…"#,
        ],
    );
}

#[test]
fn the_summary_of_reasoning_is_a_step() {
    plays(
        "reasoning-turn",
        &[
            "userMessage completed: think",
            "thinking completed: **Pondering** one  | second part",
            "codex completed: thought",
            "= completed: thought",
        ],
    );
}

#[test]
fn a_proposed_plan_is_a_step_beside_the_message_around_it() {
    plays(
        "plan-mode-proposed-plan",
        &[
            "userMessage completed: proposed",
            "plan completed: # Plan | - step 1 | - step 2",
            "codex completed: Intro | Outro",
            "= completed: Intro | Outro",
        ],
    );
}

#[test]
fn an_update_of_the_plan_is_no_step() {
    plays(
        "plan-update",
        &[
            r#"userMessage completed: tool update_plan {"explanation": "why", "pla…"#,
            r#"codex completed: after tool: "Plan updated""#,
            r#"= completed: after tool: "Plan updated""#,
        ],
    );
}

#[test]
fn an_approved_command_is_a_step() {
    plays(
        "approval-accept",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/a-…"#,
            "exec completed: /bin/bash -lc 'touch /outside/a-accept.txt; …",
            r#"codex completed: after tool: "Chunk ID: 7d6620\nWall time: 0.…"#,
            r#"= completed: after tool: "Chunk ID: 7d6620\nWall time: 0.…"#,
        ],
    );
}

#[test]
fn a_command_approved_for_the_session_is_run_again_in_the_next_turn() {
    plays(
        "approval-accept-for-session",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/a-…"#,
            "exec completed: /bin/bash -lc 'touch /outside/a-acceptForSes…",
            r#"codex completed: after tool: "Chunk ID: 54e674\nWall time: 0.…"#,
            r#"= completed: after tool: "Chunk ID: 54e674\nWall time: 0.…"#,
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/a-…"#,
            "exec completed: /bin/bash -lc 'touch /outside/a-acceptForSes…",
            r#"codex completed: after tool: "Chunk ID: 4b9ba1\nWall time: 0.…"#,
            r#"= completed: after tool: "Chunk ID: 4b9ba1\nWall time: 0.…"#,
        ],
    );
}

#[test]
fn a_command_approved_with_an_amendment_is_a_step() {
    plays(
        "approval-execpolicy-amendment",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/b.…"#,
            "exec completed: /bin/bash -lc 'touch /outside/b.txt'",
            r#"codex completed: after tool: "Chunk ID: 960320\nWall time: 0.…"#,
            r#"= completed: after tool: "Chunk ID: 960320\nWall time: 0.…"#,
        ],
    );
}

#[test]
fn a_declined_command_is_a_declined_step_and_the_turn_goes_on() {
    plays(
        "approval-decline",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/a-…"#,
            "exec declined: /bin/bash -lc 'touch /outside/a-decline.txt;…",
            r#"codex completed: after tool: "exec_command failed: CreateProc…"#,
            r#"= completed: after tool: "exec_command failed: CreateProc…"#,
        ],
    );
}

#[test]
fn a_cancelled_approval_interrupts_the_turn() {
    plays(
        "approval-cancel",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/a-…"#,
            "exec declined: /bin/bash -lc 'touch /outside/a-cancel.txt; …",
            "= interrupted",
        ],
    );
}

#[test]
fn an_approval_answered_with_an_error_fails_the_command_only() {
    plays(
        "approval-error-response",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "touch /outside/c.…"#,
            "exec failed: /bin/bash -lc 'touch /outside/c.txt'",
            r#"codex completed: after tool: "exec_command failed: CreateProc…"#,
            r#"= completed: after tool: "exec_command failed: CreateProc…"#,
        ],
    );
}

#[test]
fn an_approved_change_of_files_is_a_step() {
    plays(
        "file-change-approval-accept",
        &[
            "userMessage completed: patch /outside/fc.txt",
            "file completed: add /outside/fc.txt",
            r#"codex completed: after tool: "Exit code: 0\nWall time: 0.1 se…"#,
            r#"= completed: after tool: "Exit code: 0\nWall time: 0.1 se…"#,
        ],
    );
}

#[test]
fn a_declined_change_of_files_is_a_declined_step() {
    plays(
        "file-change-approval-decline",
        &[
            "userMessage completed: patch /outside/fc2.txt",
            "file declined: add /outside/fc2.txt",
            r#"codex completed: after tool: "patch rejected by user""#,
            r#"= completed: after tool: "patch rejected by user""#,
        ],
    );
}

#[test]
fn a_cancelled_change_of_files_interrupts_the_turn_without_a_step() {
    plays("file-change-approval-cancel", &["userMessage completed: patch /outside/fc3.txt", "= interrupted"]);
}

#[test]
fn a_change_of_files_without_approval_is_a_step_with_all_its_paths() {
    plays(
        "file-change-no-approval",
        &[
            "userMessage completed: rawpatch | *** Begin Patch | *** Add File: n…",
            "file completed: update /workspace/base.txt | add /workspace/…",
            r#"codex completed: after tool: "Exit code: 0\nWall time: 0.1 se…"#,
            r#"= completed: after tool: "Exit code: 0\nWall time: 0.1 se…"#,
        ],
    );
}

#[test]
fn a_call_of_a_dynamic_tool_is_a_step() {
    plays(
        "dynamic-tool",
        &[
            r#"userMessage completed: tool lookup {"id":"T-1"}"#,
            "dynamicToolCall completed: lookup",
            r#"codex completed: after tool: "open""#,
            r#"= completed: after tool: "open""#,
        ],
    );
}

#[test]
fn a_call_of_an_mcp_tool_is_a_step_after_its_elicitations() {
    plays(
        "mcp-tool-approval-and-elicitation",
        &[
            "userMessage completed: nstool mcp__tiny ask {}",
            "tool completed: tiny.ask",
            r#"codex completed: after tool: [{"type": "input_text", "text": …"#,
            r#"= completed: after tool: [{"type": "input_text", "text": …"#,
        ],
    );
}

#[test]
fn a_request_for_permissions_is_no_step() {
    plays(
        "permissions-request",
        &[
            r#"userMessage completed: tool request_permissions {"reason": "fetch",…"#,
            r#"codex completed: after tool: "{\"permissions\":{\"network\":{…"#,
            r#"= completed: after tool: "{\"permissions\":{\"network\":{…"#,
        ],
    );
}

#[test]
fn a_question_to_the_user_is_no_step() {
    plays(
        "user-input",
        &[
            r#"userMessage completed: tool request_user_input {"questions": [{"id"…"#,
            r#"codex completed: after tool: "{\"answers\":{\"q1\":{\"answers…"#,
            r#"= completed: after tool: "{\"answers\":{\"q1\":{\"answers…"#,
        ],
    );
}

#[test]
fn a_failed_turn_tells_the_servers_message_and_info() {
    plays(
        "failed-turn",
        &[
            "userMessage completed: fail context_length_exceeded",
            r#"= failed: Codex ran out of room in the model's context… ("contextWindowExceeded")"#,
        ],
    );
}

#[test]
fn a_turn_that_hits_the_usage_limit_says_so() {
    plays(
        "failed-turn-usage-limit",
        &[
            r#"userMessage completed: http 429 9 {"error":{"type":"usage_limit_rea…"#,
            r#"= failed: You’ve hit your usage limit. Upgrade to Pro … ("usageLimitExceeded")"#,
        ],
    );
}

#[test]
fn broken_streams_that_are_retried_leave_no_steps() {
    plays(
        "retrying-error-recovers",
        &["userMessage completed: drop 2 a", "codex completed: recovered", "= completed: recovered"],
    );
}

#[test]
fn a_turn_whose_retries_are_used_up_fails_with_the_last_error() {
    plays(
        "retrying-error-gives-up",
        &[
            "userMessage completed: drop 9 b",
            r#"= failed: stream disconnected before completion: strea… ("other")"#,
        ],
    );
}

#[test]
fn an_interrupted_turn_gives_no_step_of_the_message_that_was_cut_off() {
    plays("interrupted-turn", &["userMessage completed: slow 40 0.1", "= interrupted"]);
}

#[test]
fn an_interrupt_that_is_refused_for_coming_too_early_leaves_the_turn_running() {
    plays(
        "interrupt-too-early",
        &["userMessage completed: hang 1", "codex completed: woke", "= completed: woke"],
    );
}

#[test]
fn a_turn_interrupted_while_it_waits_for_an_approval_ends_before_that_is_resolved() {
    plays(
        "interrupt-while-approval-pending",
        &[r#"userMessage completed: tool exec_command {"cmd": "touch /outside/d.…"#, "= interrupted"],
    );
}

#[test]
fn a_steered_turn_gives_both_messages_of_the_user_and_one_answer() {
    plays(
        "steer",
        &[
            "userMessage completed: slow 15 0.1",
            "userMessage completed: steered",
            "codex completed: echo: steered",
            "= completed: echo: steered",
        ],
    );
}

#[test]
fn a_second_chat_on_the_running_turn_sees_what_comes_after_it() {
    plays(
        "second-turn-start-on-active-turn",
        &[
            "userMessage completed: slow 15 0.1",
            "userMessage completed: second",
            "codex completed: echo: second",
            "= completed: echo: second",
            "userMessage completed: second",
            "codex completed: echo: second",
            "= completed: echo: second",
        ],
    );
}

#[test]
fn compaction_interrupts_the_running_turn_and_its_own_turn_reaches_no_chat() {
    plays("compact-interrupts-active-turn", &["userMessage completed: hang 3", "= interrupted"]);
}

#[test]
fn compaction_after_a_turn_reaches_no_chat() {
    plays("compact", &["userMessage completed: one", "codex completed: echo: one", "= completed: echo: one"]);
}

#[test]
fn a_revert_that_fails_interrupts_the_running_turn() {
    plays(
        "revert-failing-interrupts-active-turn",
        &[
            "userMessage completed: one",
            "codex completed: echo: one",
            "= completed: echo: one",
            "userMessage completed: hang 3",
            "= interrupted",
        ],
    );
}

#[test]
fn a_thread_goes_on_after_a_revert() {
    plays(
        "revert",
        &[
            "userMessage completed: one",
            "codex completed: echo: one",
            "= completed: echo: one",
            "userMessage completed: two",
            "codex completed: echo: two",
            "= completed: echo: two",
            "userMessage completed: three",
            "codex completed: echo: three",
            "= completed: echo: three",
            "userMessage completed: after",
            "codex completed: echo: after",
            "= completed: echo: after",
        ],
    );
}

#[test]
fn turns_of_a_thread_and_of_its_fork_are_told_apart() {
    plays(
        "fork",
        &[
            "userMessage completed: one",
            "codex completed: echo: one",
            "= completed: echo: one",
            "userMessage completed: two",
            "codex completed: echo: two",
            "= completed: echo: two",
            "userMessage completed: three",
            "codex completed: echo: three",
            "= completed: echo: three",
        ],
    );
}

#[test]
fn items_that_complete_after_the_end_of_their_turn_reach_nobody() {
    plays(
        "items-after-turn-completed",
        &[
            r#"userMessage completed: tool exec_command {"cmd": "for i in 1 2 3 4;…"#,
            r#"codex completed: after tool: "Chunk ID: b8c2f2\nWall time: 0.…"#,
            r#"= completed: after tool: "Chunk ID: b8c2f2\nWall time: 0.…"#,
        ],
    );
}

#[test]
fn a_review_that_no_chat_reads_leaves_nothing_behind() {
    plays("review", &[]);
}

#[test]
fn an_interrupted_review_that_no_chat_reads_leaves_nothing_behind() {
    plays("review-interrupt", &[]);
}

#[test]
fn a_turn_reaches_its_own_client_when_another_one_joins() {
    plays(
        "ws-two-clients/A",
        &[
            "userMessage completed: slow 12 0.1",
            "codex completed: tok0 tok1 tok2 tok3 tok4 tok5 tok6 tok7 tok8…",
            "= completed: tok0 tok1 tok2 tok3 tok4 tok5 tok6 tok7 tok8…",
        ],
    );
}

#[test]
fn a_client_that_joins_in_the_middle_of_a_turn_is_told_of_it_and_has_no_chat() {
    plays("ws-two-clients/B", &[]);
}

#[test]
fn a_turn_whose_connection_closes_is_lost() {
    plays(
        "ws-disconnect-then-resume-elsewhere/A",
        &[r#"userMessage completed: tool exec_command {"cmd": "touch /outside/w.…"#, "= lost: transport"],
    );
}

#[test]
fn a_client_that_takes_a_thread_over_answers_what_was_asked_before() {
    plays("ws-disconnect-then-resume-elsewhere/B", &[]);
}

/// The transcripts that are files of `tests/fixtures`.
fn names() -> Vec<String> {
    let folder = format!("{}/tests/fixtures/transcripts", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Makes the calls of the recorded client on a server that replays the recording: what each chat told.
fn replayed(name: &str, connection: Option<&str>, client: &Client) -> Vec<String> {
    let mut chats = Vec::new();
    let is_ours = |line: &Value| line["conn"].as_str() == connection;
    for line in lines_of(name).into_iter().filter(is_ours).filter(|line| line["dir"] == "out") {
        let (method, params) = (line["msg"]["method"].as_str(), line["msg"]["params"].clone());
        let thread_id = params["threadId"].as_str().unwrap_or_default();
        match method {
            // The first call does it.
            None | Some("initialize" | "initialized") => {}
            Some("turn/start") => {
                let text = params["input"][0]["text"].as_str().unwrap_or_default();
                // Recorded refusals are no chats.
                chats.extend(client.chat(ChatRequest::new(text).thread(thread_id)));
            }
            Some("thread/start") => drop(client.start_thread(ThreadConfig::new())),
            Some("thread/resume") => drop(client.resume_thread(thread_id, ThreadConfig::new())),
            Some(method) => drop(client.request(method, params)),
        }
    }
    let mut told = Vec::new();
    for mut chat in chats {
        told.extend(chat.by_ref().filter(|step| !step.is_error()).map(|step| line_of(&step)));
        told.push(end_of(chat.finish()));
    }
    told
}

#[test]
fn every_transcript_replays_to_the_steps_that_were_recorded() {
    let names = names();
    assert_eq!(names.len(), 42);
    let mut chats = 0;
    for name in names {
        let path = format!("{}/tests/fixtures/transcripts/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let server = ScriptedServer::replay(path).unwrap();
        let mut connections: Vec<_> = lines_of(&name)
            .iter()
            .filter(|line| line.get("msg").is_some())
            .map(|line| line["conn"].as_str().map(str::to_owned))
            .collect();
        let mut seen = std::collections::HashSet::new();
        connections.retain(|connection| seen.insert(connection.clone()));
        for connection in connections {
            let client = server.client().unwrap();
            client.initialize().unwrap();
            let has_turn = |line: &Value| {
                line["conn"].as_str() == connection.as_deref() && line["msg"]["method"] == "turn/started"
            };
            if !lines_of(&name).iter().any(has_turn) {
                continue;
            }
            let player =
                Player::new(Client::chat, Some, false, &name, connection.as_deref(), Reading::AtTheEnd);
            let told = replayed(&name, connection.as_deref(), &client);
            assert_eq!(told, player.play(), "{name} {connection:?}");
            chats += told.iter().filter(|line| line.starts_with("= ")).count();
        }
    }
    assert!(chats > 40, "{chats}");
}

/// Plays the transcript, of one of its connections if it has several, in all four ways.
#[track_caller]
fn plays(name: &str, expected: &[&str]) {
    let (name, connection) = name.split_once('/').map_or((name, None), |(name, conn)| (name, Some(conn)));
    for when in [Reading::AsItComes, Reading::AtTheEnd] {
        let steps = Player::new(Client::chat, Some, false, name, connection, when);
        assert_eq!(steps.play(), expected, "{name} as steps, read {when:?}");
        let step = |event| match event {
            TurnEvent::Step(step) => Some(step),
            _ => None,
        };
        let events = Player::new(Client::chat_events, step, true, name, connection, when);
        assert_eq!(events.play(), expected, "{name} as events, read {when:?}");
    }
}

/// The lines of a transcript.
fn lines_of(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/fixtures/transcripts/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    AsItComes,
    AtTheEnd,
}

/// Starts a chat: `Client::chat` or `Client::chat_events`.
type Open<T> = fn(&Client, ChatRequest) -> Result<TurnStream<T>>;

struct Player<T: TurnItem> {
    open: Open<T>,
    step: fn(T) -> Option<ConversationStep>,
    /// Whether the chats give all events, and not only steps.
    gives_events: bool,
    lines: VecDeque<Value>,
    when: Reading,
    client: Client,
    server: Server,
    /// Calls that wait for their reply, by the recorded id.
    calls: HashMap<i64, Call<T>>,
    chats: Vec<Read<T>>,
    /// Notifications that were sent.
    sent: Vec<Value>,
    /// The thread of the last call.
    thread_id: String,
}

/// A call that waits for its reply.
struct Call<T: TurnItem> {
    /// What the client sent.
    request: Value,
    caller: JoinHandle<Result<Done<T>>>,
    /// How many notifications had been sent before.
    since: usize,
}

/// What a call has given.
enum Done<T: TurnItem> {
    Chat(Box<TurnStream<T>>),
    Other,
}

/// What a chat has told.
struct Read<T: TurnItem> {
    stream: TurnStream<T>,
    steps: Vec<ConversationStep>,
    items: usize,
    /// How many notifications had been sent when it was asked for.
    since: usize,
}

impl<T: TurnItem + Send + 'static> Player<T> {
    fn new(
        open: Open<T>,
        step: fn(T) -> Option<ConversationStep>,
        gives_events: bool,
        name: &str,
        connection: Option<&str>,
        when: Reading,
    ) -> Self {
        let (client, server) = served();
        let is_ours = |line: &Value| line["conn"].as_str() == connection;
        Player {
            open,
            step,
            gives_events,
            lines: lines_of(name).into_iter().filter(is_ours).collect(),
            when,
            client,
            server,
            calls: HashMap::new(),
            chats: Vec::new(),
            sent: Vec::new(),
            thread_id: String::new(),
        }
    }

    /// Plays it to the end; gives what each chat told, line by line.
    fn play(mut self) -> Vec<String> {
        let mut is_alive = true;
        while let Some(line) = self.lines.pop_front() {
            if line["event"].as_str().is_some_and(|event| event.starts_with("connection closed")) {
                // Where nothing runs any more, it is but the end of the recording.
                if self.client.stats().running_turns > 0 {
                    self.server.die();
                    is_alive = false;
                }
                continue;
            }
            let Some(message) = line.get("msg") else { continue };
            let is_request = message.get("method").is_some() && message.get("id").is_some();
            match (line["dir"].as_str(), is_request) {
                (Some("out"), true) => self.call(message),
                (Some("out"), false) => {}
                (Some("in"), true) => self.ask(message),
                (Some("in"), false) if message.get("method").is_some() => self.tell(message),
                (Some("in"), false) => self.answer(message),
                _ => panic!("no line of a transcript: {line}"),
            }
            if self.when == Reading::AsItComes {
                self.read();
            }
        }
        assert!(self.calls.is_empty(), "calls without a reply");
        if is_alive {
            self.one_more_turn();
        }
        self.read();
        let mut told = Vec::new();
        for chat in std::mem::take(&mut self.chats) {
            self.close(chat, &mut told);
        }
        let stats = self.client.stats();
        assert_eq!((stats.running_turns, stats.kept_bytes, stats.pending_requests), (0, 0, 0), "{stats:?}");
        assert_eq!((stats.skipped_frames, stats.unmatched_replies), (0, 0), "{stats:?}");
        told
    }

    /// Makes the recorded call, and receives its request.
    fn call(&mut self, recorded: &Value) {
        let method = recorded["method"].as_str().unwrap().to_owned();
        let params = recorded["params"].clone();
        let client = self.client.clone();
        let thread_id = params["threadId"].as_str().unwrap_or_default().to_owned();
        let text = params["input"][0]["text"].as_str().unwrap_or_default().to_owned();
        let open = self.open;
        let caller: JoinHandle<Result<Done<T>>> = match method.as_str() {
            "initialize" => spawn(move || client.initialize().map(|_| Done::Other)),
            "thread/start" => spawn(move || client.start_thread(ThreadConfig::new()).map(|_| Done::Other)),
            "thread/resume" => {
                let id = thread_id.clone();
                spawn(move || client.resume_thread(&id, ThreadConfig::new()).map(|_| Done::Other))
            }
            "turn/start" => {
                let request =
                    ChatRequest::new(text).thread(thread_id.clone()).keep_raw_events(self.gives_events);
                spawn(move || open(&client, request).map(|chat| Done::Chat(Box::new(chat))))
            }
            "turn/steer" | "turn/interrupt" if self.is_made_by_chat(recorded) => {
                let handle = self.handle();
                match method.as_str() {
                    "turn/steer" => spawn(move || handle.steer(text).map(|()| Done::Other)),
                    _ => spawn(move || handle.interrupt().map(|()| Done::Other)),
                }
            }
            _ => {
                let method = method.clone();
                spawn(move || client.request(&method, params).map(|_| Done::Other))
            }
        };
        let request = self.expect(&method);
        for name in ["threadId", "turnId", "expectedTurnId"] {
            assert_eq!(request["params"][name], recorded["params"][name], "{method}: {name}");
        }
        if !thread_id.is_empty() {
            self.thread_id = thread_id;
        }
        let call = Call { request, caller, since: self.sent.len() };
        self.calls.insert(recorded["id"].as_i64().unwrap(), call);
    }

    /// Whether the chat itself would send this: it steers its own turn while that runs, and interrupts it not
    /// before it runs.
    fn is_made_by_chat(&self, recorded: &Value) -> bool {
        let Some(chat) = self.chats.last() else { return false };
        let turn_id = chat.stream.turn_id();
        let has_started =
            self.sent.iter().any(|sent| sent["method"] == "turn/started" && turn_of(sent) == turn_id);
        match recorded["method"].as_str() {
            Some("turn/steer") => recorded["params"]["expectedTurnId"] == turn_id && !self.handle().is_over(),
            _ => recorded["params"]["turnId"] == turn_id && has_started,
        }
    }

    fn handle(&self) -> TurnHandle {
        self.chats.last().unwrap().stream.handle()
    }

    /// The client's next request, which must be of this method.
    fn expect(&mut self, method: &str) -> Value {
        loop {
            let request = self.server.recv();
            match request["method"].as_str() {
                Some(found) if found == method => return request,
                Some("initialized") => {}
                // A fork that was made by hand is unknown to the client as its own.
                Some("thread/resume") => {
                    let thread = json!({ "thread": { "id": request["params"]["threadId"] } });
                    self.server.reply(&request, thread);
                }
                // A reader that a slow machine kept from reading doubts that the turn runs.
                Some("thread/turns/list" | "thread/read") => {}
                _ => panic!("expected {method}, got {request}"),
            }
        }
    }

    /// The server replies to a call, which returns then.
    fn answer(&mut self, recorded: &Value) {
        let Call { request, caller, since } = self.calls.remove(&recorded["id"].as_i64().unwrap()).unwrap();
        let mut reply = recorded.clone();
        reply["id"] = request["id"].clone();
        if let Some(id) = recorded["result"]["thread"]["id"].as_str() {
            self.thread_id = id.to_owned();
        }
        self.server.send(&reply);
        match caller.join().unwrap() {
            Ok(Done::Chat(stream)) => {
                assert_eq!(stream.turn_id(), recorded["result"]["turn"]["id"]);
                self.chats.push(Read { stream: *stream, steps: Vec::new(), items: 0, since });
            }
            Ok(Done::Other) => assert_eq!(recorded.get("error"), None, "{request}"),
            Err(Error::Rpc { message, .. }) => {
                assert_eq!(message, recorded["error"]["message"].as_str().unwrap_or("no error"), "{request}");
            }
            Err(other) => panic!("{request}: {other}"),
        }
    }

    /// The server asks; the client answers by itself, under the same id.
    fn ask(&mut self, recorded: &Value) {
        self.server.send(recorded);
        let answer = self.server.recv();
        assert_eq!(answer["id"], recorded["id"]);
        assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{answer}");
    }

    fn tell(&mut self, notification: &Value) {
        self.server.send(notification);
        self.sent.push(notification.clone());
    }

    fn read(&mut self) {
        for chat in &mut self.chats {
            while let Some(item) = chat.stream.try_next() {
                chat.items += 1;
                chat.steps.extend((self.step)(item));
            }
        }
    }

    /// One more turn on the thread of the last one, while everything is said once more.
    fn one_more_turn(&mut self) {
        let (client, open, thread_id) = (self.client.clone(), self.open, self.thread_id.clone());
        let request = ChatRequest::new("one more").thread(thread_id.clone());
        let caller = spawn(move || open(&client, request));
        let request = self.expect("turn/start");
        self.server.reply(&request, json!({ "turn": { "id": "one-more" } }));
        let mut chat = caller.join().unwrap().unwrap();
        for late in &self.sent {
            self.server.send(late);
        }
        let more = json!({ "threadId": thread_id, "turnId": "one-more", "item": message("m", "one more") });
        self.server.notify("item/completed", more);
        assert_eq!(self.client.stats().running_turns, 1);
        let turn = json!({ "id": "one-more", "status": "completed", "items": [] });
        self.server.notify("turn/completed", json!({ "threadId": thread_id, "turn": turn }));
        let steps: Vec<_> = chat.by_ref().filter_map(self.step).map(|step| line_of(&step)).collect();
        assert_eq!(steps, ["codex completed: one more"], "of the turn that came after");
        assert_eq!(chat.finish().unwrap().final_text, "one more");
    }

    /// What a chat has told; and that it is what the server has said, to the letter.
    fn close(&self, chat: Read<T>, told: &mut Vec<String>) {
        let Read { stream, steps, items, since } = chat;
        assert!(stream.is_ended(), "turn {} goes on", stream.turn_id());
        let (thread_id, turn_id) = (stream.thread_id().to_owned(), stream.turn_id().to_owned());
        told.extend(steps.iter().filter(|step| !step.is_error()).map(line_of));
        let of_turn = |sent: &&Value| {
            let params = &sent["params"];
            params["threadId"] == thread_id && (turn_of(sent) == turn_id || sent["method"] == "warning")
        };
        let mut said = Vec::new();
        for sent in self.sent[since..].iter().filter(of_turn) {
            said.push(sent.clone());
            if sent["method"] == "turn/completed" {
                break;
            }
        }
        let is_error = steps.last().is_some_and(ConversationStep::is_error);
        if self.gives_events {
            assert_eq!(items, said.len() + usize::from(is_error), "an item for each event");
        }
        assert_eq!(is_error, stream.error().is_some());
        let outcome = stream.finish();
        if let Ok(result) = &outcome {
            let raw: Vec<Value> =
                result.raw_events.iter().map(|event| serde_json::from_str(event.raw()).unwrap()).collect();
            assert!(raw == said || !self.gives_events, "the raw events are those of the turn");
        }
        told.push(end_of(outcome));
    }
}

/// How a chat ended.
fn end_of(outcome: Result<ChatResult>) -> String {
    match outcome {
        Ok(result) => format!("= completed: {}", brief(&result.final_text)),
        Err(Error::TurnInterrupted { .. }) => "= interrupted".to_owned(),
        Err(Error::TurnFailed { message, info, .. }) => {
            format!("= failed: {} ({})", brief(&message), info.unwrap_or_default())
        }
        Err(error) => format!("= lost: {}", error.code()),
    }
}

/// The turn that a notification names.
fn turn_of(notification: &Value) -> &str {
    let params = &notification["params"];
    params["turnId"].as_str().or(params["turn"]["id"].as_str()).unwrap_or_default()
}

fn line_of(step: &ConversationStep) -> String {
    let text = step.text.as_deref().map(|text| format!(": {}", brief(text))).unwrap_or_default();
    format!("{} {}{text}", step.step_type, step.status)
}

/// The beginning of a text, on one line.
fn brief(text: &str) -> String {
    const LONGEST: usize = 44;
    let text = text.trim_end().replace('\n', " | ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
