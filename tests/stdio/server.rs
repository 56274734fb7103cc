//! The fake server: what a child process does when this test binary is run with `--serve SCENARIO`.
//!
//! Needs std, serde_json and, to listen, `ScriptedServer`; says nothing on its own. Invariant: no scenario outlives a failed test by
//! more than five minutes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{self, Command},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// How long a process stays that is asked not to end.
const FOR_EVER: Duration = Duration::from_secs(300);

/// The variable with the port of the test that watches this process from its start.
const WATCH: &str = "CODEX_BLOCKING_WATCH";

/// Runs until the scenario is over, and ends the process.
pub(crate) fn serve(scenario: &str) -> ! {
    if let Ok(port) = std::env::var(WATCH) {
        watch(port.parse().unwrap());
    }
    match scenario {
        // Ends at the end of its input, as the real one does.
        "plain" => answer_all(),
        // Does not.
        "ignores-eof" => {
            answer_all();
            thread::sleep(FOR_EVER);
        }
        // Prints its address, and answers there.
        "listens" => {
            let listening = codex_blocking::testing::ScriptedServer::new().listen().unwrap();
            say(format!("listening on: {}\n", listening.url()).as_bytes());
            thread::sleep(FOR_EVER);
        }
        // Never looks at its input.
        "sleeper" => thread::sleep(FOR_EVER),
        "fails" => {
            say(b"CODEX_HOME does not exist\n");
            process::exit(1);
        }
        "stderr-flooder" => flood(io::stderr()),
        "stdout-flooder" => flood(io::stdout()),
        _ => {
            say(format!("there is no scenario {scenario}\n").as_bytes());
            process::exit(2);
        }
    }
    process::exit(0)
}

/// Tells a test the id of this process. It ends when the test closes the connection.
fn watch(port: u16) {
    let mut test = TcpStream::connect(("127.0.0.1", port)).unwrap();
    test.write_all(&process::id().to_be_bytes()).unwrap();
    thread::spawn(move || {
        let _ = test.read(&mut [0]);
        process::exit(9);
    });
}

/// Writes lines until nobody takes them any more.
fn flood(mut stream: impl Write) {
    let lines = "a line that nobody waits for\n".repeat(200);
    while stream.write_all(lines.as_bytes()).is_ok() {}
}

/// To stderr; nobody reading is no reason to fail.
fn say(bytes: &[u8]) {
    let _ = io::stderr().write_all(bytes);
}

/// To stdout, whatever it is.
fn write(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

fn send(message: &Value) {
    write(format!("{message}\n").as_bytes());
}

fn reply(id: &Value, result: &Value) {
    send(&json!({ "id": id, "result": result }));
}

/// Reads requests until the end of the input.
fn answer_all() {
    let mut input = BufReader::new(io::stdin().lock());
    let mut line = Vec::new();
    // The method of each message since the last `seen`, and how long its text was.
    let mut seen = Vec::new();
    while input.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // The whole line must be one message: a torn or mixed one ends the server.
        let message: Value = serde_json::from_slice(&line).unwrap();
        line.clear();
        let (id, method, params) = (&message["id"], message["method"].as_str().unwrap(), &message["params"]);
        seen.push(json!([method, params["text"].as_str().map(str::len)]));
        match method {
            "initialize" => reply(id, &json!({ "userAgent": "fake/1.0.0 (test)" })),
            "echo" => reply(id, params),
            "pid" => reply(id, &process::id().into()),
            "watch" => {
                watch(port_of(params));
                reply(id, &Value::Null);
            }
            "cwd" => reply(id, &std::env::current_dir().unwrap().to_str().into()),
            "env" => reply(id, &std::env::var(params["name"].as_str().unwrap()).ok().into()),
            "arguments" => reply(id, &std::env::args().skip(1).collect::<Vec<_>>().into()),
            "seen" => reply(id, &std::mem::take(&mut seen).into()),
            // A result of so many bytes, made without building it as a tree.
            "big" => {
                let text = "x".repeat(usize::try_from(params["bytes"].as_u64().unwrap()).unwrap());
                write(format!("{{\"id\":{id},\"result\":\"{text}\"}}\n").as_bytes());
            }
            // The bytes as they are, then the reply, so that whoever has that knows them read.
            "raw" => {
                write(&bytes_of(&params["bytes"]));
                reply(id, &Value::Null);
            }
            "raw_then_exit" => {
                write(&bytes_of(&params["bytes"]));
                process::exit(0);
            }
            "reply_in_pieces" => {
                for piece in format!("  {}\r\n", json!({ "id": id, "result": "whole" })).as_bytes().chunks(3)
                {
                    write(piece);
                }
            }
            // Never answered; the notification says that it was read.
            "hold" => send(&json!({ "method": "held" })),
            "exit" => {
                match &params["stderr"] {
                    Value::Array(_) => say(&bytes_of(&params["stderr"])),
                    text => say(text.as_str().unwrap_or_default().as_bytes()),
                }
                process::exit(i32::try_from(params["status"].as_i64().unwrap()).unwrap());
            }
            // Dies of the key, and says which it was.
            "account/login/start" => {
                say(format!("no such key: {}\n", params["apiKey"].as_str().unwrap()).as_bytes());
                process::exit(1);
            }
            "say" => {
                say(params["stderr"].as_str().unwrap().as_bytes());
                reply(id, &Value::Null);
            }
            // Beside the requests.
            "flood_stderr" => {
                let lines = params["lines"].as_u64().unwrap();
                thread::spawn(move || {
                    let line = format!("{}\n", "e".repeat(999));
                    for _ in 0..lines {
                        say(line.as_bytes());
                    }
                    send(&json!({ "method": "flooded" }));
                });
                reply(id, &Value::Null);
            }
            // A process below this one, which inherits stdout and stderr.
            "spawn" => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["--serve", params["scenario"].as_str().unwrap()]).stdin(process::Stdio::null());
                #[cfg(unix)]
                if params["apart"] == true {
                    // Out of reach of signals to the server's group. On Windows nothing leaves the server's job.
                    std::os::unix::process::CommandExt::process_group(&mut command, 0);
                }
                if let Some(port) = params["port"].as_u64() {
                    command.env(WATCH, port.to_string());
                }
                // The system reaps it: this process ends first, or with it.
                #[allow(clippy::zombie_processes)]
                let _ = command.spawn().unwrap();
                reply(id, &Value::Null);
            }
            // Reads nothing more until told to by way of a socket; goes on writing when told so.
            "pause" => {
                let mut orders = TcpStream::connect(("127.0.0.1", port_of(params))).unwrap();
                let mut order = [0];
                while orders.read_exact(&mut order).is_ok() && order == *b"n" {
                    send(&json!({ "method": "still here" }));
                }
            }
            _ => {}
        }
    }
}

fn bytes_of(bytes: &Value) -> Vec<u8> {
    serde_json::from_value(bytes.clone()).unwrap()
}

fn port_of(params: &Value) -> u16 {
    u16::try_from(params["port"].as_u64().unwrap()).unwrap()
}
