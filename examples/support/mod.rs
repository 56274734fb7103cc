//! Shared code of the examples: arguments, choice of the server, and error output.
//!
//! Relies on the feature `testing`. Invariant: the program says so if it substitutes the scripted server.

#![allow(dead_code, reason = "each example uses its own part of it")]

use std::{error::Error, io, process::ExitCode};

use codex_blocking::{
    Client, ClientBuilder, Stdio,
    testing::{ModelStub, ScriptedServer},
};

/// Prints an error and its causes.
pub fn report(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Returns the model stub, if `--offline-model` is given, and the other arguments.
pub fn arguments() -> Result<(Option<ModelStub>, Vec<String>), Box<dyn Error>> {
    arguments_with(ModelStub::start)
}

/// Like `arguments`, with a custom stub.
pub fn arguments_with(
    start: impl FnOnce() -> io::Result<ModelStub>,
) -> Result<(Option<ModelStub>, Vec<String>), Box<dyn Error>> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_offline = words.first().is_some_and(|word| word == "--offline-model");
    if is_offline {
        words.remove(0);
    }
    Ok((is_offline.then(start).transpose()?, words))
}

/// Connects to the real codex, using the stub if there is one; falls back to a scripted echo server.
pub fn connect(stub: Option<&ModelStub>) -> Result<Client, Box<dyn Error>> {
    connect_with(stub, Client::builder(), ScriptedServer::new())
}

/// Like `connect`, with custom settings and a custom scripted server.
pub fn connect_with(
    stub: Option<&ModelStub>,
    builder: ClientBuilder,
    substitute: ScriptedServer,
) -> Result<Client, Box<dyn Error>> {
    let client = connect_quietly(stub, builder, substitute)?;
    greet(&client)?;
    Ok(client)
}

/// Like `connect_with`, without a greeting.
pub fn connect_quietly(
    stub: Option<&ModelStub>,
    builder: ClientBuilder,
    substitute: ScriptedServer,
) -> Result<Client, Box<dyn Error>> {
    let client = match builder.clone().connect(with_home(Stdio::default(), stub)?) {
        Ok(client) => client,
        Err(error) => {
            announce_substitute(error, stub)?;
            builder.connect(substitute)?
        }
    };
    Ok(client)
}

/// Sets a `CODEX_HOME` in which the stub is the model, if there is one.
pub fn with_home(codex: Stdio, stub: Option<&ModelStub>) -> Result<Stdio, Box<dyn Error>> {
    let Some(stub) = stub else { return Ok(codex) };
    // One per example: its configuration contains the stub's address.
    let program = std::env::current_exe()?;
    let name = program.file_stem().unwrap_or_default();
    let home = std::env::current_dir()?.join("target").join("offline-codex-home").join(name);
    stub.write_home(&home)?;
    Ok(codex.env("CODEX_HOME", home))
}

/// Announces that a scripted server replaces codex, which could not be started.
pub fn announce_substitute(
    error: codex_blocking::Error,
    stub: Option<&ModelStub>,
) -> Result<(), Box<dyn Error>> {
    // If the command was set explicitly, its failure is an error.
    if stub.is_some() || std::env::var_os("CODEX_APP_SERVER_CMD").is_some() {
        return Err(error.into());
    }
    eprintln!("{error}");
    eprintln!();
    eprintln!("Continuing with a scripted server that only echoes. To install the real one:");
    eprintln!("  npm install -g @openai/codex && codex login");
    eprintln!();
    Ok(())
}

/// Prints the server's version.
pub fn greet(client: &Client) -> Result<(), codex_blocking::Error> {
    let handshake = client.initialize()?;
    eprintln!("server {}", handshake.server_version().unwrap_or("of an unknown version"));
    Ok(())
}
