//! No secret is shown: one is put into every place that takes one, and searched for in everything that is told.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use codex_blocking::protocol::{
    ApiKeyLoginAccountParams, ChatgptAuthTokensLoginAccountParams, CommandExecParams, ConfigEdit,
    LoginAccountParams, ProcessSpawnParams, ThreadForkParams, ThreadResumeParams, ThreadStartParams,
    ToolRequestUserInputAnswer,
};
use codex_blocking::testing::ScriptedServer;
use codex_blocking::{
    BatchWriteConfig, ChatRequest, Client, ExecOptions, Stdio, ThreadConfig, UserInputResponse, WebSocket,
    WriteConfigValue,
};
use serde_json::{Value, json};
use tungstenite::protocol::CloseFrame;

use crate::support::logger::set_logger;
use crate::support::probe::{is_alone, is_probe, probe_stdio};
use crate::support::websocket::Listening;

/// What must not appear, in whole or in part.
const SECRET: &str = "xyzzy-plugh";

#[track_caller]
fn is_clean(shown: &str) {
    assert!(!shown.contains("xyzzy") && !shown.contains("plugh"), "{shown}");
}

#[track_caller]
fn hides(it: impl Debug) {
    is_clean(&format!("{it:?} {it:#?}"));
}

/// A server's configuration with a secret in it.
fn config() -> Value {
    json!({ "mcp_servers": { "a": { "env": { "KEY": SECRET } } } })
}

fn stdio() -> Stdio {
    Stdio::command(["codex", "-c", &format!("key={SECRET}"), "--token", SECRET])
        .env("API_KEY", SECRET)
        .config("key", SECRET)
}

fn websocket(url: &str) -> WebSocket {
    WebSocket::new(format!("{url}/path?key={SECRET}")).header("X-Key", SECRET)
}

#[test]
fn debug_output_of_transports_hides_arguments_variables_tokens_headers_queries_and_passwords() {
    hides(stdio());
    hides(WebSocket::spawn(stdio()));
    hides(websocket("wss://host").token(SECRET).proxy(&*format!("http://me:{SECRET}@proxy")));
    hides(websocket("wss://host").token_with(|| SECRET).proxy(&*format!("socks5://me:{SECRET}@proxy")));
    hides(WebSocket::new(format!("ws://me:{SECRET}@host")));
    let shown = format!("{:?}", stdio().cwd("/w"));
    assert!(shown.contains("codex") && shown.contains("API_KEY") && shown.contains("/w"), "{shown}");
}

#[test]
fn debug_output_of_requests_hides_configuration_variables_arguments_and_answers() {
    hides(ThreadConfig::new().config(config()));
    hides(ChatRequest::new("hello").thread_config(ThreadConfig::new().config(config())));
    hides(WriteConfigValue::new("key", SECRET));
    hides(BatchWriteConfig::new([ConfigEdit::upsert("key", SECRET)]).edit("other", config()));
    hides(ExecOptions::new().env("KEY", SECRET));
    hides(CommandExecParams::new(vec!["curl".to_owned(), SECRET.to_owned()]));
    hides(UserInputResponse::answer("question", [SECRET]));
    hides(ToolRequestUserInputAnswer::new(vec![SECRET.to_owned()]));
    let with_config = json!({ "threadId": "t", "config": config() });
    hides(serde_json::from_value::<ThreadStartParams>(with_config.clone()).unwrap());
    hides(serde_json::from_value::<ThreadResumeParams>(with_config.clone()).unwrap());
    hides(serde_json::from_value::<ThreadForkParams>(with_config).unwrap());
    let command =
        json!({ "command": ["curl", SECRET], "processHandle": "p", "cwd": "/", "env": { "KEY": SECRET } });
    hides(serde_json::from_value::<ProcessSpawnParams>(command.clone()).unwrap());
    hides(serde_json::from_value::<CommandExecParams>(command).unwrap());
    hides(ApiKeyLoginAccountParams::new(SECRET));
    hides(LoginAccountParams::from(ApiKeyLoginAccountParams::new(SECRET)));
    let tokens = json!({ "accessToken": SECRET, "chatgptAccountId": "a" });
    hides(serde_json::from_value::<ChatgptAuthTokensLoginAccountParams>(tokens).unwrap());
    // What is not set is shown as that.
    let shown = format!("{:?}", ThreadConfig::new().model("m"));
    assert!(shown.contains("config: Unset") && shown.contains("\"m\""), "{shown}");
}

/// The secret comes back in the text of a refusal.
fn refused(listening: &Listening, transport: WebSocket) -> codex_blocking::Error {
    let answer = format!("HTTP/1.1 403 Forbidden\r\n\r\nnot allowed: {SECRET}, {}", &SECRET[..8]);
    listening.answer(answer.as_bytes(), || Client::connect(transport)).unwrap_err()
}

/// The secret comes back in the reason of a close frame, which cuts it off.
fn closed(listening: &Listening, transport: WebSocket, reason: &str) -> codex_blocking::Error {
    let (client, mut server) = listening.serve(|| Client::connect(transport).unwrap());
    thread::scope(|scope| {
        let asking = scope.spawn(|| client.request("test/lost", json!({})).unwrap_err());
        server.expect("test/lost");
        let close = CloseFrame { code: 1008.into(), reason: reason.into() };
        server.socket.close(Some(close)).unwrap();
        asking.join().unwrap()
    })
}

#[test]
fn what_the_server_repeats_of_a_token_a_header_or_the_query_is_masked() {
    let listening = Listening::new();
    let url = listening.url();
    let here = || WebSocket::new(&*url);
    for transport in [
        here().token(SECRET),
        here().header("Authorization", format!("Bearer {SECRET}")),
        here().header("X-Key", SECRET),
        WebSocket::new(format!("{url}/path?a=b&key={SECRET}")),
    ] {
        hides(refused(&listening, transport.clone()));
        for reason in [SECRET, &format!("bad token: {SECRET}!"), &format!("bad token: {}", &SECRET[..7])] {
            let error = closed(&listening, transport.clone(), reason);
            is_clean(&format!("{error} {error:?}"));
            assert!(error.to_string().contains("1008"), "{error}");
        }
    }
}

#[test]
fn nothing_secret_is_logged() {
    // Its logger is that of the whole process.
    if !is_alone("secrets::nothing_secret_is_logged") {
        return;
    }
    let logged = Arc::new(Mutex::new(String::new()));
    let log = Arc::clone(&logged);
    set_logger(log::LevelFilter::Trace, move |record| {
        // The server of the test logs the request that it is sent; only this crate's own words count.
        if record.target().starts_with("codex_blocking") {
            log.lock().unwrap().push_str(&format!("{}\n", record.args()));
        }
    });
    let server = ScriptedServer::new().listen().unwrap();
    let client = Client::connect(websocket(&server.url()).token(SECRET)).unwrap();
    let thread = client.start_thread(ThreadConfig::new().config(config())).unwrap();
    thread.chat_once("hello").unwrap();
    let _ = client.write_config_value(WriteConfigValue::new("key", SECRET));
    let _ = client.login_api_key(SECRET);
    let _ = client.exec_command(["curl", SECRET], ExecOptions::new().env("KEY", SECRET));
    client.close().unwrap();
    // Their ends are logged, as they don't end with their input.
    let deaf = || probe_stdio("secrets::probe_of_a_server_that_sleeps", &[SECRET]).env("KEY", SECRET);
    Client::connect(deaf()).unwrap().close().unwrap();
    drop(Client::connect(deaf()).unwrap());
    let logged = logged.lock().unwrap();
    assert!(logged.contains("SIGTERM") && logged.contains("SIGKILL"), "{logged}");
    is_clean(&logged);
}

/// Run by the test above as a server.
#[test]
#[ignore = "is run by another test"]
fn probe_of_a_server_that_sleeps() {
    if is_probe() {
        std::thread::sleep(Duration::from_secs(300));
    }
}
