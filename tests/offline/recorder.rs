//! The record of a connection: what is in it, what is masked, and that no writer harms the connection.
//!
//! Relies on `support`. Invariant: a test waits for a connection to be closed before it looks at the record.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use codex_blocking::{
    ApprovalMode, Client, Error, Memory, Recorder, ThreadConfig, WebSocket,
    testing::{ScriptedServer, TurnScript},
};
use serde_json::{Value, json};

use crate::load::{approval, wired};
use crate::support::{
    PATIENCE, await_that,
    memory::{Server, served_with, spawn_with},
    record::Record,
};
#[cfg(target_os = "linux")]
use crate::support::{logger::set_logger, probe::is_alone};

/// A writer that does this with each write.
struct Does<F>(F);

impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for Does<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn recorded() -> (Client, Server, Record) {
    let record = Record::default();
    let (client, server) = served_with(Client::builder().record(Recorder::new(record.clone())));
    (client, server, record)
}

/// The client does this, and the server replies with that.
fn exchange(client: &Client, server: &mut Server, params: Value, result: Value) {
    let calling = spawn_with(client, move |client| client.request("echo", params));
    let request = server.expect("echo");
    server.reply(&request, result);
    calling.join().unwrap().unwrap();
}

/// A path of a file that does not exist.
fn path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("recorder-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn each_message_is_a_line_in_the_order_in_which_they_were_sent() {
    let (client, mut server, record) = recorded();
    exchange(&client, &mut server, json!({ "a": 1 }), json!({ "b": 2 }));
    server.notify("moon/phase", json!({ "c": "3\n" }));
    client.close().unwrap();
    let lines = record.lines();
    let messages: Vec<_> = lines.iter().map(|line| (line["dir"].as_str().unwrap(), &line["msg"])).collect();
    let methods: Vec<_> = messages.iter().map(|(dir, message)| (*dir, message["method"].as_str())).collect();
    assert_eq!(
        methods,
        [
            ("out", Some("initialize")),
            ("in", None),
            ("out", Some("initialized")),
            ("out", Some("echo")),
            ("in", None),
            ("in", Some("moon/phase"))
        ]
    );
    assert_eq!(messages[4].1, &json!({ "id": messages[3].1["id"], "result": { "b": 2 } }));
    assert_eq!(messages[3].1["params"], json!({ "a": 1 }));
    assert_eq!(messages[5].1["params"], json!({ "c": "3\n" }));
    let times: Vec<_> = lines.iter().map(|line| line["t"].as_f64().unwrap()).collect();
    assert!(times.is_sorted() && times[0] >= 0.0 && times[5] < 600.0, "{times:?}");
    assert!(lines.iter().all(|line| line.as_object().unwrap().len() == 3), "{lines:?}");
}

#[test]
fn what_is_sent_because_of_a_message_stands_behind_it() {
    let record = Record::default();
    let builder = Client::builder().approval_mode(ApprovalMode::Manual);
    let (client, mut sink) = wired(builder.record(Recorder::new(record.clone())), |_| Ok(()));
    let mut give = |message: Value| assert!(sink.frame(message.to_string().into_bytes()).is_continue());
    give(approval(1, ""));
    let request = client.approval_requests().try_next().unwrap();
    // More is being read, so that nobody is woken yet. Who looks by himself may learn of it all the same.
    give(json!({ "method": "news", "params": {} }));
    client.approve_approval(&request).unwrap();
    client.close().unwrap();
    let directions: Vec<Value> = record.lines().iter().map(|line| line["dir"].clone()).collect();
    assert_eq!(directions, ["in", "in", "out"]);
}

#[test]
fn a_frame_that_is_no_json_is_recorded_as_a_text() {
    let (client, mut server, record) = recorded();
    server.send_text("thread 'main' panicked, Bearer hush");
    server.send_bytes(b"{\"a\":\"\xff\"}");
    server.send_text("[\n1\n]");
    client.close().unwrap();
    let lines = record.lines();
    assert_eq!(lines[0]["text"], "thread 'main' panicked, Bearer xxxx");
    assert_eq!(lines[1]["text"], "{\"a\":\"\u{fffd}\"}");
    assert_eq!((lines[0].get("msg"), &lines[2]["msg"]), (None, &json!([1])));
    assert_eq!(record.text().lines().count(), 3);
}

#[test]
fn secrets_are_masked_in_both_directions() {
    let (client, mut server, record) = recorded();
    let secrets =
        json!({ "apiKey": "hush-1", "env": { "A": "hush-2" }, "headers": ["Authorization: Bearer hush-3"] });
    exchange(&client, &mut server, secrets.clone(), secrets);
    client.close().unwrap();
    let expected =
        json!({ "apiKey": "***", "env": { "A": "***" }, "headers": ["Authorization: xxxxxxxxxxxxx"] });
    let lines = record.lines();
    assert_eq!((&lines[3]["msg"]["params"], &lines[4]["msg"]["result"]), (&expected, &expected));
    assert!(!record.text().contains("hush"));
}

#[test]
fn nothing_is_masked_if_that_is_asked_for() {
    let record = Record::default();
    let recorder = Recorder::new(record.clone()).unmasked();
    let (client, mut server) = served_with(Client::builder().record(recorder));
    exchange(&client, &mut server, json!({ "token": "hush" }), json!("sk-hush"));
    client.close().unwrap();
    let lines = record.lines();
    assert_eq!(
        (&lines[3]["msg"]["params"]["token"], &lines[4]["msg"]["result"]),
        (&json!("hush"), &json!("sk-hush"))
    );
}

#[test]
fn a_dropped_client_writes_the_rest_of_its_record() {
    let record = Record::default();
    let recorder = Recorder::new(record.clone());
    let client = Client::builder().record(recorder).connect(ScriptedServer::new()).unwrap();
    client.chat_once("hello").unwrap();
    drop(client);
    let lines = record.lines();
    assert!(lines.iter().any(|line| line["msg"]["method"] == "turn/completed"), "{lines:?}");
}

#[test]
fn a_record_is_written_while_its_client_is_idle() {
    let (client, mut server, record) = recorded();
    server.notify("moon/phase", json!({}));
    await_that("the message is written", || record.text().ends_with("}\n"));
    drop(client);
}

#[test]
fn a_connection_over_a_socket_is_recorded_like_any_other() {
    let listener = ScriptedServer::new().listen().unwrap();
    let record = Record::default();
    let recorder = Recorder::new(record.clone());
    let client = Client::builder().record(recorder).connect(WebSocket::new(listener.url())).unwrap();
    client.start_thread(ThreadConfig::new()).unwrap().chat_once("hello").unwrap();
    client.close().unwrap();
    let in_memory = Record::default();
    let recorder = Recorder::new(in_memory.clone());
    let client = Client::builder().record(recorder).connect(ScriptedServer::new()).unwrap();
    client.start_thread(ThreadConfig::new()).unwrap().chat_once("hello").unwrap();
    client.close().unwrap();
    let messages =
        |record: &Record| record.lines().iter().map(|line| line["msg"].clone()).collect::<Vec<_>>();
    assert_eq!(messages(&record), messages(&in_memory));
}

#[test]
fn a_writer_that_waits_for_ever_delays_nothing_but_its_own_lines() {
    let (release, waits) = mpsc::channel::<()>();
    let record = Record::default();
    let mut written = record.clone();
    let writer = Does(move |bytes: &[u8]| {
        let _ = waits.recv();
        written.write(bytes)
    });
    let (client, mut server) = served_with(Client::builder().record(Recorder::new(writer)));
    // More than the queue holds.
    let piece = "x".repeat(1024 * 1024);
    for number in 0..70 {
        server.notify("moon/phase", json!({ "number": number, "piece": piece }));
    }
    exchange(&client, &mut server, json!(1), json!(2));
    let closing = Instant::now();
    drop(client);
    assert!(closing.elapsed() < Duration::from_secs(5), "{:?}", closing.elapsed());
    drop(release);
    // What was in the queue is written all the same, in the background.
    await_that("the record is complete", || {
        record.text().ends_with("}\n") && record.text().contains("dropped")
    });
    let lines = record.lines();
    let dropped: u64 = lines.iter().filter_map(|line| line["dropped"].as_u64()).sum();
    let kept = lines.iter().filter(|line| line["msg"]["method"] == "moon/phase").count() as u64;
    assert!((60..64).contains(&kept) && dropped >= 70 - kept, "{kept} + {dropped}");
    let gap = lines.iter().position(|line| line.get("dropped").is_some()).unwrap();
    assert_eq!(lines[gap], json!({ "dropped": lines[gap]["dropped"] }));
}

#[test]
fn close_waits_for_a_slow_writer() {
    let record = Record::default();
    let mut written = record.clone();
    let writer = Does(move |bytes: &[u8]| {
        std::thread::sleep(Duration::from_millis(100));
        written.write(bytes)
    });
    let client = Client::builder().record(Recorder::new(writer)).connect(ScriptedServer::new()).unwrap();
    client.chat_once("hello").unwrap();
    client.close().unwrap();
    assert!(record.text().contains("turn/completed"));
}

#[test]
fn a_writer_that_panics_ends_the_record_and_nothing_else() {
    let writer = Does(|_: &[u8]| panic!("the writer of a test"));
    let client = Client::builder().record(Recorder::new(writer)).connect(ScriptedServer::new()).unwrap();
    for _ in 0..3 {
        assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    }
    client.close().unwrap();
}

#[test]
fn a_writer_may_own_the_client_that_it_records() {
    let slot: Arc<Mutex<Option<Client>>> = Arc::default();
    let (told, dropped) = mpsc::channel();
    let own = Arc::clone(&slot);
    let writer = Does(move |bytes: &[u8]| {
        // The last handle is dropped here.
        if own.lock().unwrap().take().is_some() {
            let _ = told.send(());
        }
        Ok(bytes.len())
    });
    let (client, mut server) = served_with(Client::builder().record(Recorder::new(writer)));
    *slot.lock().unwrap() = Some(client);
    server.notify("moon/phase", json!({}));
    dropped.recv_timeout(PATIENCE).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_once_in_the_log() {
    if !is_alone("recorder::a_full_disk_is_told_once_in_the_log") {
        return;
    }
    let (told, errors) = mpsc::channel();
    let told = Mutex::new(told);
    set_logger(log::LevelFilter::Error, move |record| {
        let _ = told.lock().unwrap().send(record.args().to_string());
    });
    let recorder = Recorder::file("/dev/full").unwrap();
    let client = Client::builder().record(recorder.clone()).connect(ScriptedServer::new()).unwrap();
    for _ in 0..10 {
        client.chat_once("hello").unwrap();
    }
    client.close().unwrap();
    let errors: Vec<_> = errors.try_iter().collect();
    assert!(
        matches!(&errors[..], [error] if error.contains("no longer recorded") && error.contains("No space")),
        "{errors:?}"
    );
    let refused = Client::builder().record(recorder).connect(ScriptedServer::new());
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
}

#[test]
fn a_recorder_records_one_connection_at_a_time_and_the_next_one_behind_it() {
    let record = Record::default();
    let builder = Client::builder().record(Recorder::new(record.clone()));
    let first = builder.clone().connect(ScriptedServer::new()).unwrap();
    first.initialize().unwrap();
    let refused = builder.clone().connect(ScriptedServer::new()).unwrap_err();
    assert!(
        matches!(&refused, Error::InvalidInput { message, .. } if message.contains("another connection")),
        "{refused}"
    );
    first.close().unwrap();
    let second = builder.connect(ScriptedServer::new()).unwrap();
    second.initialize().unwrap();
    second.close().unwrap();
    let (first, second): (Vec<_>, Vec<_>) =
        record.lines().into_iter().partition(|line| line["conn"].is_null());
    assert_eq!((first.len(), second.len()), (3, 3));
    assert!(second.iter().all(|line| line["conn"] == "2"), "{second:?}");
}

#[test]
fn a_recorder_can_be_used_again_after_a_connection_that_was_not_established() {
    let record = Record::default();
    let builder = Client::builder().record(Recorder::new(record.clone()));
    builder.clone().connect(codex_blocking::Stdio::command(["/no/such/program"])).unwrap_err();
    let client = builder.connect(ScriptedServer::new()).unwrap();
    client.initialize().unwrap();
    client.close().unwrap();
    assert_eq!(record.lines().len(), 3);
}

#[test]
fn a_file_is_written_for_its_owner_alone_and_replaces_what_was_there() {
    let path = path("private.jsonl");
    for before in [None, Some("what was there before ".repeat(1000))] {
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        let recorder = Recorder::file(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            // Another program may have changed it in the meantime.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let client = Client::builder().record(recorder).connect(ScriptedServer::new()).unwrap();
        client.chat_once("hello").unwrap();
        client.close().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(r#"{"dir":"out","t":0."#) && text.ends_with("}\n"), "{text}");
    }
}

#[test]
fn a_file_belongs_to_one_recorder_at_a_time() {
    let path = path("shared.jsonl");
    let client =
        Client::builder().record(Recorder::file(&path).unwrap()).connect(ScriptedServer::new()).unwrap();
    client.chat_once("hello").unwrap();
    Recorder::file(&path).unwrap_err();
    client.close().unwrap();
    drop(client);
    assert!(fs::read_to_string(&path).unwrap().contains("hello"));
    // The recorder's thread closes the file.
    while Recorder::file(&path).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_not_followed() {
    let (target, link) = (path("target.jsonl"), path("link.jsonl"));
    fs::write(&target, "precious").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    Recorder::file(&link).unwrap_err();
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_reads_is_refused_at_once() {
    let path = path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = Recorder::file(&path).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::NXIO.raw_os_error()));
    fs::remove_file(path).unwrap();
}

#[test]
fn a_recorder_shows_nothing_of_its_writer() {
    let recorder = Recorder::new(Record::default());
    assert_eq!(format!("{recorder:?}"), "Recorder { is_unmasked: false, .. }");
}

/// A connection in memory, recorded to a file; gives its path.
fn record_of(name: &str, server: &ScriptedServer, with: impl FnOnce(&Client)) -> PathBuf {
    let path = path(name);
    let recorder = Recorder::file(&path).unwrap();
    let client = Client::builder().record(recorder).connect(server.clone()).unwrap();
    with(&client);
    client.close().unwrap();
    path
}

#[test]
fn a_recorded_session_replays_to_the_same_steps() {
    let server = ScriptedServer::new().on_turn(|turn| match turn.text() {
        "fail" => TurnScript::new().fail("no more credits", json!("usageLimitExceeded")),
        "ask" => TurnScript::new()
            .ask("item/commandExecution/requestApproval", json!({ "itemId": "c$" }))
            .command("cat key", "token: sk-abc", 0)
            .message("done"),
        text => TurnScript::new().reasoning("hm").message(&format!("said {text}")),
    });
    let session = |client: &Client| {
        let thread = client.start_thread(ThreadConfig::new()).unwrap();
        let mut shown = Vec::new();
        for text in ["a", "ask", "fail", "b"] {
            let mut chat = thread.chat(text).unwrap();
            shown.extend(chat.by_ref().map(|step| format!("{step}")));
            shown.push(format!(
                "{:?}",
                chat.finish()
                    .map(|result| (result.final_text, result.turn_id))
                    .map_err(|error| error.to_string())
            ));
        }
        shown.push(format!("{:?}", client.chat_once("alone").unwrap().final_text));
        shown.push(client.request("no/such", json!({})).unwrap_err().to_string());
        shown
    };
    let mut then = Vec::new();
    let path = record_of("same-steps.jsonl", &server, |client| then = session(client));
    assert!(then.len() > 15, "{then:?}");
    let replaying = ScriptedServer::replay(&path).unwrap();
    // Each client gets the recording from its beginning.
    for _ in 0..2 {
        let now = session(&replaying.client().unwrap());
        let masked: Vec<_> = then.iter().map(|line| line.replace("sk-abc", "sk-xxx")).collect();
        assert_eq!(now, masked);
    }
    let listener = replaying.listen().unwrap();
    let now = session(&Client::connect(WebSocket::new(listener.url())).unwrap());
    assert_eq!(now.len(), then.len());
}

#[test]
fn a_replay_waits_for_the_answer_to_a_question_as_the_server_did() {
    let server = ScriptedServer::new().on_turn(|_| {
        TurnScript::new()
            .ask("item/commandExecution/requestApproval", json!({ "itemId": "c$" }))
            .message("done")
    });
    let path = record_of("question.jsonl", &server, |client| drop(client.chat_once("go").unwrap()));
    let replaying = ScriptedServer::replay(&path).unwrap();
    let client =
        Client::builder().approval_mode(codex_blocking::ApprovalMode::Manual).connect(replaying).unwrap();
    let mut approvals = client.approval_requests();
    let mut chat = client.chat("go").unwrap();
    let approval = approvals.next_timeout(PATIENCE).unwrap();
    while chat.try_next().is_some() {}
    assert!(!chat.is_ended());
    client.approve_approval(&approval).unwrap();
    assert_eq!(chat.finish().unwrap().final_text, "done");
}

#[test]
fn what_the_recording_has_not_is_an_error_that_says_so() {
    let path = record_of("missing.jsonl", &ScriptedServer::new(), |client| {
        drop(client.list_models(Default::default()).unwrap())
    });
    let client = ScriptedServer::replay(&path).unwrap().client().unwrap();
    client.list_models(Default::default()).unwrap();
    for _ in 0..2 {
        let error = client.list_models(Default::default()).unwrap_err();
        assert!(error.to_string().contains("the recording has no (further) request model/list"), "{error}");
    }
    let error = client.chat_once("hello").unwrap_err();
    assert!(error.to_string().contains("the recording has no (further) request thread/start"), "{error}");
    // But what the program answers itself.
    let server = ScriptedServer::replay(&path)
        .unwrap()
        .on_request("thread/start", |_| Ok(json!({ "thread": { "id": "t" } })));
    assert_eq!(server.client().unwrap().start_thread(ThreadConfig::new()).unwrap().thread_id(), "t");
}

#[test]
fn a_recording_that_ends_in_the_middle_of_a_turn_ends_the_connection() {
    let server = ScriptedServer::new().on_turn(|_| TurnScript::new().message("so far").wait_for_interrupt());
    let path = record_of("middle.jsonl", &server, |client| {
        let mut chat = client.chat("go").unwrap();
        assert!(chat.next_timeout(PATIENCE).is_some() && chat.next_timeout(PATIENCE).is_some());
    });
    let client = ScriptedServer::replay(&path).unwrap().client().unwrap();
    let mut chat = client.chat("go").unwrap();
    let steps: Vec<_> = chat.by_ref().map(|step| step.step_type.to_string()).collect();
    assert_eq!(steps, ["userMessage", "codex", "error"]);
    assert_eq!(chat.finish().unwrap_err().code(), "transport");
}

#[test]
fn a_request_that_the_client_leaves_out_holds_nothing_up() {
    let path = record_of("left-out.jsonl", &ScriptedServer::new(), |client| {
        let thread = client.start_thread(ThreadConfig::new()).unwrap();
        thread.chat_once("a").unwrap();
        client.request("thread/name/set", json!({ "threadId": thread.thread_id(), "name": "x" })).unwrap();
        thread.chat_once("b").unwrap();
    });
    let client = ScriptedServer::replay(&path).unwrap().client().unwrap();
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    assert_eq!(thread.chat_once("a").unwrap().final_text, "echo: a");
    assert_eq!(thread.chat_once("b").unwrap().final_text, "echo: b");
    // It can come later.
    thread.set_name("x").unwrap();
}

#[test]
fn the_output_of_a_replayed_command_reaches_the_command_that_runs_now() {
    let lines = [
        json!({ "dir": "out", "t": 0.0, "msg": { "id": 1, "method": "initialize" } }),
        json!({ "dir": "in", "t": 0.0, "msg": { "id": 1, "result": { "userAgent": "x/0.169.0 (x)" } } }),
        json!({ "dir": "out", "t": 0.0, "msg": { "id": 2, "method": "command/exec", "params": { "processId": "then" } } }),
        json!({ "dir": "in", "t": 0.0, "msg": { "method": "command/exec/outputDelta", "params":
            { "processId": "then", "stream": "stdout", "deltaBase64": "b2s=", "capReached": false } } }),
        json!({ "dir": "in", "t": 0.0, "msg": { "id": 2, "result": { "exitCode": 0, "stdout": "", "stderr": "" } } }),
    ];
    let path = path("command.jsonl");
    fs::write(&path, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let client = ScriptedServer::replay(&path).unwrap().client().unwrap();
    let mut command = client.spawn_command(["ls"], Default::default()).unwrap();
    assert_eq!(command.next().unwrap().data, b"ok");
    assert_eq!(command.wait().unwrap().exit_code, 0);
}

#[test]
fn commands_that_are_replayed_in_another_order_have_their_own_output() {
    let output = |id: &str, data: &str| {
        json!({ "dir": "in", "t": 0, "msg": { "method": "command/exec/outputDelta", "params":
            { "processId": id, "stream": "stdout", "deltaBase64": data, "capReached": false } } })
    };
    let exec = |number: u32, id: &str| json!({ "dir": "out", "t": 0, "msg": { "id": number, "method": "command/exec", "params": { "processId": id } } });
    let reply = |number: u32| json!({ "dir": "in", "t": 0, "msg": { "id": number, "result": {} } });
    let lines = [exec(1, "a"), exec(2, "b"), output("a", "YQ=="), output("b", "Yg=="), reply(1), reply(2)];
    let path = path("commands.jsonl");
    fs::write(&path, lines.map(|line| line.to_string()).join("\n")).unwrap();
    let server = ScriptedServer::replay(&path).unwrap();
    let server = server.on_request("initialize", |_| Ok(json!({ "userAgent": "x/0.169.0 (x)" })));
    let client = server.client().unwrap();
    let mut notifications = client.notifications();
    // The ids of now are those of then, the other way round.
    std::thread::scope(|scope| {
        let first = scope.spawn(|| client.request("command/exec", json!({ "processId": "b" })).unwrap());
        await_that("the server has the first one", || {
            server.received().iter().any(|message| message["method"] == "command/exec")
        });
        client.request("command/exec", json!({ "processId": "a" })).unwrap();
        first.join().unwrap();
    });
    let ids = [(); 2].map(|()| {
        let params: Value = notifications.next_timeout(PATIENCE).unwrap().params().unwrap();
        format!("{} {}", params["processId"], params["deltaBase64"])
    });
    assert_eq!(ids, [r#""b" "YQ==""#, r#""a" "Yg==""#]);
}

#[test]
fn a_long_recording_takes_no_longer_for_each_request() {
    let mut lines = String::new();
    for number in 0..30_000 {
        lines += &format!(r#"{{"dir":"out","t":0,"msg":{{"id":{number},"method":"test/x"}}}}"#);
        lines += &format!("\n{{\"dir\":\"in\",\"t\":0,\"msg\":{{\"id\":{number},\"result\":{number}}}}}\n");
    }
    for number in 0..100_000 {
        lines += &format!("{{\"conn\":\"{number}\",\"dir\":\"in\",\"t\":0,\"msg\":{{}}}}\n");
    }
    let path = path("long.jsonl");
    fs::write(&path, lines).unwrap();
    // Where each is searched for among all, this takes minutes.
    let start = Instant::now();
    let client = ScriptedServer::replay(&path).unwrap();
    let client =
        client.on_request("initialize", |_| Ok(json!({ "userAgent": "x/0.169.0 (x)" }))).client().unwrap();
    for number in 0..30_000 {
        assert_eq!(client.request("test/x", json!({})).unwrap(), number);
    }
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

#[test]
fn a_file_that_is_no_recording_is_an_error_that_names_the_line() {
    let path = path("broken.jsonl");
    let good = r#"{"dir":"out","t":0.0,"msg":{"id":1,"method":"initialize"}}"#;
    for (text, line) in [
        (String::new(), 1),
        ("\n\n".to_owned(), 3),
        (format!("{good}\n{}", &good[..30]), 2),
        (format!("{good}\n{good}\nnonsense\n{good}"), 3),
        (r#"{"note":"only"}"#.to_owned(), 1),
        (format!("{good}\n{}", r#"{"dir":"up","t":0,"msg":{}}"#), 2),
        (format!("{good}\n{}", r#"{"dir":"in","t":0}"#), 2),
        (format!("{good}\n[]"), 2),
        (format!("{good}\n\u{0}"), 2),
    ] {
        fs::write(&path, &text).unwrap();
        let error = ScriptedServer::replay(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(&format!("broken.jsonl, line {line}: ")), "{text:?}: {error}");
    }
    fs::write(&path, b"\xff\xfe").unwrap();
    assert!(ScriptedServer::replay(&path).unwrap_err().to_string().contains("line 1: "));
    assert_eq!(ScriptedServer::replay("/no/such").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn lines_with_notes_and_gaps_and_frames_that_are_no_json_replay() {
    let path = path("notes.jsonl");
    let lines = [
        r#"{"note":"by hand"}"#,
        r#"{"dir":"out","t":0,"msg":{"id":1,"method":"initialize"}}"#,
        r#"{"dropped":2}"#,
        r#"{"dir":"in","t":0,"text":"not json"}"#,
        r#"{"dir":"in","t":0,"msg":{"id":1,"result":{"userAgent":"x/0.169.0 (x)"}}}"#,
    ];
    fs::write(&path, lines.join("\n")).unwrap();
    let client = ScriptedServer::replay(&path).unwrap().client().unwrap();
    assert_eq!(client.initialize().unwrap().server_version(), Some("0.169.0"));
    assert_eq!(client.stats().skipped_frames, 1);
}

#[test]
fn a_memory_server_whose_function_returns_leaves_a_whole_record() {
    let record = Record::default();
    let server = Memory::new(|mut peer| drop(peer.recv()));
    let client = Client::builder().record(Recorder::new(record.clone())).connect(server).unwrap();
    assert_eq!(client.initialize().unwrap_err().code(), "transport");
    client.close().unwrap();
    assert_eq!(record.lines()[0]["msg"]["method"], "initialize");
}
