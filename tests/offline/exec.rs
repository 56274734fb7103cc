//! Commands on the server: what is sent, whose output is whose, and how each end is told.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use codex_blocking::{
    Client, CommandExit, CommandHandle, CommandOutput, Error, ExecOptions, OutputStream, RunningCommand,
    Timeout, protocol::CommandExecParams,
};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, Server, begun, served, served_with, spawn, spawn_with};

/// `YQ==` and so on, so that a test says what travels.
const A: &str = "YQ==";
const B: &str = "Yg==";

/// A command that the server has been asked for, and the request.
fn running(client: &Client, server: &mut Server, options: ExecOptions) -> (RunningCommand, Value) {
    let command = spawn_with(client, move |client| client.spawn_command(["cat"], options));
    let request = server.expect("command/exec");
    (command.join().unwrap().unwrap(), request)
}

fn write_out(server: &mut Server, request: &Value, stream: &str, base64: &str) {
    server.notify(
        "command/exec/outputDelta",
        json!({
            "processId": request["params"]["processId"], "stream": stream, "deltaBase64": base64,
            "capReached": false,
        }),
    );
}

fn exit(server: &mut Server, request: &Value, code: i32) {
    server.reply(request, json!({ "exitCode": code, "stdout": "", "stderr": "" }));
}

fn told(pieces: &[CommandOutput]) -> Vec<(&str, &[u8])> {
    pieces.iter().map(|piece| (piece.stream.as_str(), &*piece.data)).collect()
}

/// Answers the next request of this method, once it has come.
fn answer(server: &mut Server, method: &str) -> Value {
    let request = server.expect(method);
    server.reply(&request, json!({}));
    request["params"].clone()
}

// The simple call.

#[test]
fn a_simple_command_sends_what_was_set_and_gives_the_reply() {
    let (client, mut server) = served();
    let caller = spawn(move || {
        client.exec_command(
            ["ls", "-a"],
            ExecOptions::new().cwd("/w").env("A", "1").timeout(Duration::from_secs(5)),
        )
    });
    let request = server.expect("command/exec");
    assert_eq!(
        request["params"],
        json!({ "command": ["ls", "-a"], "cwd": "/w", "env": { "A": "1" }, "timeoutMs": 5000 })
    );
    server.reply(&request, json!({ "exitCode": 3, "stdout": "x", "stderr": "y", "new": 1 }));
    let reply = caller.join().unwrap().unwrap();
    assert_eq!((reply.exit_code, &*reply.stdout, &*reply.stderr), (3, "x", "y"));
    assert!(reply.raw().contains("new"));
}

#[test]
fn a_simple_command_waits_for_its_own_limit_and_that_of_a_request() {
    let (client, mut server) = served();
    let caller = spawn(move || {
        client.initialize()?;
        let client = client.with_request_timeout(Duration::from_millis(600));
        client.exec_command(["sleep"], ExecOptions::new().timeout(Duration::from_millis(400)))
    });
    server.expect("command/exec");
    let error = caller.join().unwrap().unwrap_err();
    let Error::Timeout { limit: Timeout::Request { method, .. }, after, .. } = error else {
        panic!("{error}")
    };
    assert_eq!((method.as_str(), after), ("command/exec", Duration::from_secs(1)));
}

#[test]
fn a_command_that_times_out_quotes_an_error_without_an_id() {
    let (client, mut server) = served();
    let caller = spawn(move || {
        client.initialize()?;
        let client = client.with_request_timeout(Duration::from_millis(600));
        let options = ExecOptions::new().timeout(Duration::from_millis(400));
        client.spawn_command(["sleep"], options)?.wait()
    });
    server.expect("command/exec");
    server.send_text(r#"{"id":null,"error":{"code":-32700,"message":"what was that"}}"#);
    let error = caller.join().unwrap().unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("what was that"), "{error}");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let (client, mut server) = served();
    let none: [&str; 0] = [];
    let refused =
        |error: Option<Error>| assert!(matches!(error, Some(Error::InvalidInput { .. })), "{error:?}");
    refused(client.exec_command(none, ExecOptions::new()).err());
    refused(client.exec_command(["ls"], ExecOptions::new().stream_stdin(true)).err());
    refused(client.exec_command(["ls"], ExecOptions::new().tty(24, 80)).err());
    refused(client.spawn_command(none, ExecOptions::new()).err());
    refused(client.spawn_command(["ls"], ExecOptions::new().tty(0, 80)).err());
    assert!(server.is_quiet());
}

#[test]
fn an_old_server_is_not_asked_for_what_it_would_ignore() {
    let (client, mut server) = served();
    let caller = spawn(move || {
        let refused = [
            client.exec_command(["ls"], ExecOptions::new().env("A", "1")).err(),
            client.exec_command(["ls"], ExecOptions::new().timeout(None)).err(),
            client.exec_command(["ls"], ExecOptions::new().output_bytes_cap(1)).err(),
            client.spawn_command(["ls"], ExecOptions::new()).err(),
        ];
        (refused, client.exec_command(["ls"], ExecOptions::new().cwd("/w").timeout(Duration::from_millis(1))))
    });
    let handshake = server.recv();
    server.reply(&handshake, json!({ "userAgent": "x/0.111.0 (y)" }));
    let request = server.expect("command/exec");
    exit(&mut server, &request, 0);
    let (refused, reply) = caller.join().unwrap();
    for error in refused.map(Option::unwrap) {
        assert!(error.to_string().contains("0.111.0") && error.code() == "invalid_input", "{error}");
    }
    assert_eq!(reply.unwrap().exit_code, 0);
}

#[test]
fn a_typed_request_of_ones_own_is_left_alone() {
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    let caller = {
        let client = client.clone();
        let params =
            CommandExecParams::new(vec!["ls".to_owned()]).process_id("mine").stream_stdout_stderr(true);
        spawn(move || client.call(params))
    };
    let request = server.expect("command/exec");
    write_out(&mut server, &request, "stdout", A);
    exit(&mut server, &request, 0);
    assert_eq!(caller.join().unwrap().unwrap().exit_code, 0);
    assert_eq!(notifications.next().unwrap().method(), "command/exec/outputDelta");
    assert_eq!(client.stats().kept_bytes, 0);
}

// Output.

#[test]
fn output_comes_in_order_and_then_the_end() {
    let (client, mut server) = served();
    let (mut command, request) = running(&client, &mut server, ExecOptions::new());
    assert!(command.try_next().is_none() && !command.is_ended());
    write_out(&mut server, &request, "stdout", A);
    write_out(&mut server, &request, "stderr", B);
    write_out(&mut server, &request, "somewhere", A);
    let first = command.next().unwrap();
    assert_eq!((&first.stream, &*first.data, first.cap_reached), (&OutputStream::Stdout, &b"a"[..], false));
    exit(&mut server, &request, 3);
    let rest: Vec<_> = command.by_ref().collect();
    assert_eq!(told(&rest), [("stderr", &b"b"[..]), ("somewhere", b"a")]);
    assert!(command.is_ended() && command.next().is_none() && command.handle().is_over());
    assert_eq!(command.wait().unwrap().exit_code, 3);
    assert!(server.is_quiet());
    assert_eq!((client.stats().pending_requests, client.stats().unmatched_replies), (0, 0));
}

#[test]
fn a_command_may_be_over_before_its_handle_is_there() {
    let (client, mut server) = served();
    let caller = spawn_with(&client, |client| client.spawn_command(["true"], ExecOptions::new()));
    let request = server.expect("command/exec");
    write_out(&mut server, &request, "stdout", A);
    exit(&mut server, &request, 0);
    let exit = caller.join().unwrap().unwrap().wait().unwrap();
    assert_eq!((exit.exit_code, exit.stdout(), exit.stderr()), (0, b"a".to_vec(), Vec::new()));
}

#[test]
fn each_of_two_commands_gets_its_own_output() {
    let (client, mut server) = served();
    let (one, first) = running(&client, &mut server, ExecOptions::new());
    let (two, second) = running(&client, &mut server, ExecOptions::new());
    assert_ne!(one.process_id(), two.process_id());
    let nobody = json!({ "params": { "processId": "nobody's" } });
    for _ in 0..3 {
        write_out(&mut server, &first, "stdout", A);
        write_out(&mut server, &nobody, "stdout", A);
        write_out(&mut server, &second, "stdout", B);
    }
    exit(&mut server, &second, 2);
    exit(&mut server, &first, 1);
    let (one, two) = (one.wait().unwrap(), two.wait().unwrap());
    assert_eq!((one.exit_code, one.stdout()), (1, b"aaa".to_vec()));
    assert_eq!((two.exit_code, two.stdout()), (2, b"bbb".to_vec()));
    assert_eq!(client.stats().kept_bytes, 0);
}

#[test]
fn output_wakes_who_waits_for_it() {
    let (client, mut server) = served();
    let (mut command, request) = running(&client, &mut server, ExecOptions::new());
    let (tell, was_read) = mpsc::channel();
    // Each time it finds nothing, and most times it sleeps when the next piece comes.
    let reader = spawn(move || {
        for piece in &mut command {
            tell.send(piece.data).unwrap();
        }
    });
    for _ in 0..50 {
        write_out(&mut server, &request, "stdout", A);
        assert_eq!(was_read.recv_timeout(Duration::from_secs(5)).unwrap(), b"a");
    }
    exit(&mut server, &request, 0);
    reader.join().unwrap();
}

#[test]
fn output_is_among_the_notifications_too() {
    let (client, mut server) = served();
    let mut notifications = client.notifications();
    let (mut command, request) = running(&client, &mut server, ExecOptions::new());
    write_out(&mut server, &request, "stdout", A);
    assert_eq!(command.next().unwrap().data, b"a");
    assert_eq!(notifications.next().unwrap().method(), "command/exec/outputDelta");
}

#[test]
fn that_the_cap_was_reached_is_told_with_the_last_piece() {
    let (client, mut server) = served();
    let (mut command, request) = running(&client, &mut server, ExecOptions::new().output_bytes_cap(1));
    let id = &request["params"]["processId"];
    let params = json!({ "processId": id, "stream": "stdout", "deltaBase64": A, "capReached": true });
    server.notify("command/exec/outputDelta", params);
    assert!(command.next().unwrap().cap_reached);
}

#[test]
fn what_a_server_that_did_not_stream_tells_in_its_reply_is_output_too() {
    let (client, mut server) = served();
    let (command, request) = running(&client, &mut server, ExecOptions::new());
    server.reply(&request, json!({ "exitCode": 3, "stdout": "x", "stderr": "y" }));
    let exit = command.wait().unwrap();
    assert_eq!((exit.exit_code, told(&exit.unread)), (3, vec![("stdout", &b"x"[..]), ("stderr", b"y")]));
}

#[test]
fn output_that_cannot_be_read_ends_the_command_with_the_reason() {
    let missing = json!({ "stream": "stdout" });
    let garbage = json!({ "stream": "stdout", "deltaBase64": "a%%b", "capReached": false });
    let number = json!({ "stream": 7, "deltaBase64": A, "capReached": false });
    for mut params in [missing, garbage, number] {
        let (client, mut server) = served();
        let (mut command, request) = running(&client, &mut server, ExecOptions::new());
        write_out(&mut server, &request, "stdout", A);
        params["processId"] = request["params"]["processId"].clone();
        server.notify("command/exec/outputDelta", params);
        write_out(&mut server, &request, "stdout", B);
        assert_eq!(command.next().unwrap().data, b"a");
        assert!(command.next().is_none() && command.is_ended());
        let error = command.wait().unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error}");
        assert_eq!(
            answer(&mut server, "command/exec/terminate")["processId"],
            request["params"]["processId"]
        );
        assert_eq!(client.stats().kept_bytes, 0);
    }
}

#[test]
fn a_recorded_command_gives_what_it_gave_then() {
    let (client, mut server) = served();
    let script = "echo a; echo b >&2; read x; echo got $x";
    let spawner = {
        let options = ExecOptions::new().stream_stdin(true);
        spawn(move || client.spawn_command(["sh", "-c", script], options))
    };
    let request = server.expect("command/exec");
    let command = spawner.join().unwrap().unwrap();
    let handle = command.handle();
    let id = request["params"]["processId"].clone();
    let mut asked = vec![request];
    let mut writer = None;
    let recorded = include_str!("../fixtures/transcripts/command-exec-streaming.jsonl");
    for line in recorded.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let mut message = line["msg"].clone();
        if !message["params"]["processId"].is_null() {
            message["params"]["processId"] = id.clone();
        }
        match (line["dir"].as_str().unwrap(), message["method"].as_str()) {
            ("out", Some("command/exec")) => assert_eq!(message["params"], asked[0]["params"]),
            ("out", Some("command/exec/write")) => {
                let handle = handle.clone();
                writer = Some(spawn(move || handle.write(b"hello\n")));
                asked.push(server.expect("command/exec/write"));
                assert_eq!(message["params"], asked[1]["params"]);
            }
            ("in", Some(_)) => server.send(&message),
            ("in", None) if message["id"] == 2 => server.reply(&asked[0], message["result"].clone()),
            ("in", None) if message["id"] == 3 => server.reply(&asked[1], message["result"].clone()),
            _ => {}
        }
    }
    writer.unwrap().join().unwrap().unwrap();
    let exit = command.wait().unwrap();
    let output = [("stderr", &b"b\n"[..]), ("stdout", b"a\n"), ("stdout", b"got hello\n")];
    assert_eq!((exit.exit_code, told(&exit.unread)), (0, output.to_vec()));
}

// Ends.

#[test]
fn what_kept_a_command_from_running_is_told_by_wait() {
    let (client, mut server) = served();
    let (mut command, request) = running(&client, &mut server, ExecOptions::new());
    server.refuse(&request, -32603, "failed to spawn command: No such file or directory");
    assert!(command.next().is_none());
    let error = command.wait().unwrap_err();
    assert!(matches!(&error, Error::Rpc { code: -32603, method, .. } if method == "command/exec"), "{error}");
    assert!(server.is_quiet());
}

#[test]
fn a_command_that_an_overloaded_server_refuses_is_not_asked_for_again_and_can_be_retried() {
    let (client, mut server) = served();
    let (command, request) = running(&client, &mut server, ExecOptions::new());
    server.refuse(&request, -32001, "Server overloaded; retry later.");
    let error = command.wait().unwrap_err();
    assert!(matches!(error, Error::Rpc { code: -32001, .. }) && error.is_retryable(), "{error}");
    assert!(server.is_quiet());
}

#[test]
fn a_command_whose_end_does_not_come_in_time_is_given_up_and_terminated() {
    let (client, mut server) = served();
    let spawner = spawn(move || {
        client.initialize()?;
        let client = client.with_request_timeout(Duration::from_millis(600));
        client.spawn_command(["sleep"], ExecOptions::new().timeout(Duration::from_millis(400)))
    });
    let request = server.expect("command/exec");
    let mut command = spawner.join().unwrap().unwrap();
    write_out(&mut server, &request, "stdout", A);
    let began = Instant::now();
    assert_eq!(command.next_timeout(PATIENCE).unwrap().data, b"a");
    assert!(command.next_timeout(PATIENCE).is_none() && command.is_ended());
    assert!(began.elapsed() < PATIENCE);
    let Error::Timeout { after, .. } = command.wait().unwrap_err() else { panic!() };
    assert_eq!(after, Duration::from_secs(1));
    answer(&mut server, "command/exec/terminate");
}

#[test]
fn a_dead_server_ends_a_command_with_its_reason_behind_what_it_wrote() {
    let (client, mut server) = served();
    let (mut command, request) = running(&client, &mut server, ExecOptions::new());
    let handle = command.handle();
    write_out(&mut server, &request, "stdout", A);
    server.die();
    assert_eq!(command.next().unwrap().data, b"a");
    assert!(command.next().is_none() && command.is_ended());
    let error = command.wait().unwrap_err();
    assert!(matches!(&error, Error::Transport { doing, .. } if doing == "command/exec"), "{error}");
    assert!(matches!(handle.terminate(), Err(Error::Transport { .. })));
    assert!(matches!(client.spawn_command(["x"], ExecOptions::new()), Err(Error::Transport { .. })));
}

#[test]
fn closing_the_client_wakes_who_waits_for_a_command() {
    let (client, mut server) = served();
    let (command, _request) = running(&client, &mut server, ExecOptions::new());
    let waiting = spawn(move || command.wait());
    client.close().unwrap();
    assert!(matches!(waiting.join().unwrap(), Err(Error::Closed { .. })));
    drop(server);
}

#[test]
fn dropping_a_running_command_terminates_it_and_frees_what_was_kept() {
    let (client, mut server) = served();
    let (command, request) = running(&client, &mut server, ExecOptions::new());
    let handle = command.handle();
    write_out(&mut server, &request, "stdout", A);
    assert!(client.stats().kept_bytes > 0);
    drop(command);
    assert_eq!(client.stats().kept_bytes, 0);
    assert!(matches!(handle.terminate(), Ok(())) && handle.is_over());
    answer(&mut server, "command/exec/terminate");
    write_out(&mut server, &request, "stdout", A);
    exit(&mut server, &request, 137);
    let stats = client.stats();
    assert_eq!((stats.kept_bytes, stats.pending_requests, stats.unmatched_replies), (0, 0, 0));
    assert!(server.is_quiet());
}

#[test]
fn a_flood_that_nobody_reads_ends_the_command_that_holds_the_most() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(20_000));
    let (mut fuller, flood) = running(&client, &mut server, ExecOptions::new());
    let (mut other, small) = running(&client, &mut server, ExecOptions::new());
    write_out(&mut server, &small, "stdout", A);
    for _ in 0..500 {
        write_out(&mut server, &flood, "stdout", B);
    }
    assert!(client.stats().kept_bytes <= 20_000);
    assert_eq!(answer(&mut server, "command/exec/terminate")["processId"], *fuller.process_id());
    assert!(fuller.next().is_none());
    let id = fuller.process_id().to_owned();
    let Error::OutputFull { process_id, limit, .. } = fuller.wait().unwrap_err() else { panic!() };
    assert_eq!((process_id, limit), (id, 20_000));
    assert_eq!(other.next().unwrap().data, b"a");
    assert!(server.is_quiet());
}

#[test]
fn a_turn_that_holds_more_than_any_command_is_given_up_first() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(20_000));
    let (mut command, request) = running(&client, &mut server, ExecOptions::new());
    write_out(&mut server, &request, "stdout", A);
    let chat = begun(&client, &mut server, |client| client.chat_events("hello"));
    for _ in 0..500 {
        server.delta("a piece of some text");
    }
    assert!(matches!(chat.finish(), Err(Error::BufferFull { .. })));
    assert_eq!(command.next().unwrap().data, b"a");
}

#[test]
fn the_unread_output_of_a_command_that_has_ended_is_given_up_before_a_turn_that_holds_less() {
    let (client, mut server) = served_with(Client::builder().max_buffered_bytes(20_000));
    let (command, request) = running(&client, &mut server, ExecOptions::new());
    while client.stats().kept_bytes < 15_000 {
        write_out(&mut server, &request, "stdout", A);
    }
    exit(&mut server, &request, 0);
    let chat = begun(&client, &mut server, |client| client.chat_events("hello"));
    for _ in 0..100 {
        server.delta("a piece of some text");
    }
    server.message("m", "a piece of some text");
    server.complete("completed");
    chat.finish().unwrap();
    // What is lost is told: its output would have a hole.
    assert!(matches!(command.wait(), Err(Error::OutputFull { .. })));
    assert_eq!(client.stats().kept_bytes, 0);
    assert!(server.is_quiet(), "there was nothing to terminate");
}

#[test]
fn a_terminated_command_that_is_never_answered_takes_no_place_in_line() {
    let (client, mut server) = served();
    for _ in 0..40 {
        drop(running(&client, &mut server, ExecOptions::new()));
        answer(&mut server, "command/exec/terminate");
    }
}

// What is done to a running command.

/// Does something on a thread of its own, and gives what the server was asked and then answered.
fn asked<T: Send + 'static>(
    server: &mut Server,
    method: &str,
    call: impl FnOnce() -> T + Send + 'static,
) -> (Value, T) {
    let caller = spawn(call);
    let params = answer(server, method);
    (params, caller.join().unwrap())
}

#[test]
fn what_is_done_to_a_command_names_it_and_nothing_else() {
    let (client, mut server) = served();
    let (command, request) = running(&client, &mut server, ExecOptions::new().tty(24, 80));
    let id = request["params"]["processId"].clone();
    let handle = || command.handle();
    let write = handle();
    let (params, done) = asked(&mut server, "command/exec/write", move || write.write(b"a"));
    assert_eq!((params, done.is_ok()), (json!({ "processId": id, "deltaBase64": A }), true));
    let close = handle();
    let (params, done) = asked(&mut server, "command/exec/write", move || close.close_stdin());
    assert_eq!((params, done.is_ok()), (json!({ "processId": id, "closeStdin": true }), true));
    let resize = handle();
    let (params, done) = asked(&mut server, "command/exec/resize", move || resize.resize(30, 100));
    let size = json!({ "rows": 30, "cols": 100 });
    assert_eq!((params, done.is_ok()), (json!({ "processId": id, "size": size }), true));
    let terminate = handle();
    let (params, done) = asked(&mut server, "command/exec/terminate", move || terminate.terminate());
    assert_eq!((params, done.is_ok()), (json!({ "processId": id }), true));
}

#[test]
fn what_a_command_was_not_spawned_for_is_refused_before_anything_is_sent() {
    let (client, mut server) = served();
    let (command, _request) = running(&client, &mut server, ExecOptions::new());
    let invalid =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::InvalidInput { .. })), "{result:?}");
    invalid(command.write(b"x"));
    invalid(command.close_stdin());
    invalid(command.resize(1, 1));
    let (in_terminal, _request) = running(&client, &mut server, ExecOptions::new().tty(1, 1));
    invalid(in_terminal.resize(0, 1));
    assert!(server.is_quiet());
}

#[test]
fn a_command_that_has_ended_takes_nothing_and_need_not_be_terminated() {
    let (client, mut server) = served();
    let (command, request) = running(&client, &mut server, ExecOptions::new().stream_stdin(true));
    exit(&mut server, &request, 0);
    for result in [command.write(b"x"), command.close_stdin()] {
        assert!(matches!(result, Err(Error::NoLongerPending { .. })), "{result:?}");
    }
    command.terminate().unwrap();
    assert!(server.is_quiet());
}

#[test]
fn a_refusal_with_the_end_on_its_way_is_that_the_command_has_ended() {
    let (client, mut server) = served();
    let (command, request) = running(&client, &mut server, ExecOptions::new().stream_stdin(true));
    let ask = |call: fn(&CommandHandle) -> Result<(), Error>| {
        let handle = command.handle();
        spawn(move || call(&handle))
    };
    let (write, terminate) = (ask(|handle| handle.write(b"x")), ask(CommandHandle::terminate));
    for _ in 0..2 {
        let asked = server.recv();
        server.refuse(&asked, -32600, "no active command/exec for process id");
    }
    exit(&mut server, &request, 0);
    assert!(matches!(write.join().unwrap(), Err(Error::NoLongerPending { .. })));
    terminate.join().unwrap().unwrap();
}

#[test]
fn a_refusal_of_a_command_that_runs_is_passed_on() {
    let (client, mut server) = served();
    let (command, _request) = running(&client, &mut server, ExecOptions::new().stream_stdin(true));
    let handle = command.handle();
    let caller = spawn(move || handle.write(b"x"));
    let request = server.expect("command/exec/write");
    server.refuse(&request, -32600, "stdin is already closed");
    let error = caller.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Rpc { message, .. } if message.contains("closed")), "{error}");
}

#[test]
fn many_running_commands_hold_up_neither_each_other_nor_what_ends_them() {
    let (client, mut server) = served();
    let running: Vec<_> = (0..16).map(|_| running(&client, &mut server, ExecOptions::new())).collect();
    let one_more = spawn_with(&client, |client| client.spawn_command(["one-more"], ExecOptions::new()));
    let handle = running[0].0.handle();
    asked(&mut server, "command/exec/terminate", move || handle.terminate()).1.unwrap();
    exit(&mut server, &running[0].1, 137);
    let request = server.expect("command/exec");
    assert_eq!(request["params"]["command"][0], "one-more");
    drop(one_more.join().unwrap().unwrap());
}

#[test]
fn a_command_and_its_handle_can_cross_threads() {
    fn sent<T: Send + 'static>() {}
    fn shared<T: Clone + Send + Sync + 'static>() {}
    sent::<RunningCommand>();
    shared::<CommandHandle>();
    shared::<ExecOptions>();
    shared::<CommandExit>();
}
