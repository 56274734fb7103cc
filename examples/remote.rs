//! Runs a conversation of one turn with a listening server.
//!
//!     cargo run --example remote -- ws://127.0.0.1:8765 "Say hello"
//!     cargo run --features tls --example remote -- --token-file FILE wss://codex.example.com "Say hello"
//!     cargo run --example remote -- unix:///run/codex/app-server.sock "Say hello"
//!     cargo run --example remote -- "Say hello"
//!     cargo run --example remote -- --offline-model "Say hello"
//!
//! Without a URL, starts codex on a free loopback port; if codex isn't available, says so and starts a
//! scripted server inside this program. With `--offline-model`, that codex uses a stub of the model.

mod support;

use std::{error::Error, process::ExitCode};

use codex_blocking::{
    Client, Stdio, WebSocket,
    testing::{ModelStub, ScriptedListener, ScriptedServer},
};

fn main() -> ExitCode {
    support::report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (stub, mut words) = support::arguments()?;
    let mut token = None;
    if words.first().is_some_and(|word| word == "--token-file") {
        let file = words.drain(..2.min(words.len())).nth(1).ok_or("--token-file needs a file")?;
        token = Some(std::fs::read_to_string(file)?);
    }
    let url = words.first().is_some_and(|word| word.contains("://")).then(|| words.remove(0));
    if url.is_none() && token.is_some() {
        return Err("--token-file requires the URL of a server".into());
    }
    if url.is_some() && stub.is_some() {
        return Err("--offline-model can't be combined with a URL".into());
    }
    let text = if words.is_empty() { "Say hello".to_owned() } else { words.join(" ") };

    // Keep the listener alive: the scripted server runs until it is dropped.
    let (client, _listener) = match url {
        Some(url) => (connect(&url, token)?, None),
        None => run_and_connect(stub.as_ref())?,
    };
    support::greet(&client)?;
    let mut chat = client.chat(text)?;
    // Another client can resume the thread if this one loses its connection.
    println!("thread {}", chat.thread_id());
    for step in &mut chat {
        println!("{step}");
    }
    chat.finish()?;
    client.close()?;
    Ok(())
}

/// Connects to a server that is already running.
fn connect(url: &str, token: Option<String>) -> Result<Client, Box<dyn Error>> {
    #[cfg(unix)]
    if let Some(path) = url.strip_prefix("unix://") {
        if token.is_some() {
            return Err("a Unix socket takes no token: its file permissions control who can connect".into());
        }
        return Ok(Client::connect(codex_blocking::UnixSocket::new(path))?);
    }
    let mut server = WebSocket::new(url);
    if let Some(token) = token {
        server = server.token(token);
    }
    Ok(Client::connect(server)?)
}

/// Starts a server that ends with its client: codex, or the scripted server.
fn run_and_connect(stub: Option<&ModelStub>) -> Result<(Client, Option<ScriptedListener>), Box<dyn Error>> {
    let mut command = match std::env::var("CODEX_APP_SERVER_CMD") {
        Ok(command) => shell_words::split(&command)?,
        Err(_) => vec!["codex".to_owned(), "app-server".to_owned()],
    };
    command.extend(["--listen", "ws://127.0.0.1:0"].map(str::to_owned));
    let codex = support::with_home(Stdio::command(command), stub)?;
    match Client::connect(WebSocket::spawn(codex)) {
        Ok(client) => Ok((client, None)),
        Err(error) => {
            support::announce_substitute(error, stub)?;
            let listener = ScriptedServer::new().listen()?;
            Ok((Client::connect(WebSocket::new(listener.url()))?, Some(listener)))
        }
    }
}
