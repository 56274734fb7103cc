//! What the examples begin and end with: their arguments, the server, and how they failed.
//!
//! Relies on the feature `testing`. Invariant: a substitute for the real server says that it is one.

#![allow(dead_code, reason = "each example uses its own part of it")]

use std::{error::Error, io, process::ExitCode};

use codex_blocking::{
    Client, ClientBuilder, Stdio,
    testing::{ModelStub, ScriptedServer},
};

/// Shows a failure with its causes.
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

/// The stub of the model, with `--offline-model`, and the other arguments.
pub fn arguments() -> Result<(Option<ModelStub>, Vec<String>), Box<dyn Error>> {
    arguments_with(ModelStub::start)
}

/// The same with a stub of the example's own.
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

/// The real codex, against its model or the stub of it; or a scripted server that echoes.
pub fn connect(stub: Option<&ModelStub>) -> Result<Client, Box<dyn Error>> {
    connect_with(stub, Client::builder(), ScriptedServer::new())
}

/// The same with settings and a scripted server of the example's own.
pub fn connect_with(
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
    greet(&client)?;
    Ok(client)
}

/// Gives a real codex a home in which the stub is its model, if there is one.
pub fn with_home(codex: Stdio, stub: Option<&ModelStub>) -> Result<Stdio, Box<dyn Error>> {
    let Some(stub) = stub else { return Ok(codex) };
    // One for each example: its configuration holds the address of the stub.
    let program = std::env::current_exe()?;
    let name = program.file_stem().unwrap_or_default();
    let home = std::env::current_dir()?.join("target").join("offline-codex-home").join(name);
    stub.write_home(&home)?;
    Ok(codex.env("CODEX_HOME", home))
}

/// Says that a scripted server stands in for the codex that could not be run.
pub fn announce_substitute(
    error: codex_blocking::Error,
    stub: Option<&ModelStub>,
) -> Result<(), Box<dyn Error>> {
    // A command that was named and does not run is an error, not a reason for a substitute.
    if stub.is_some() || std::env::var_os("CODEX_APP_SERVER_CMD").is_some() {
        return Err(error.into());
    }
    eprintln!("{error}");
    eprintln!();
    eprintln!("This goes on with a scripted server that only echoes. For the real one:");
    eprintln!("  npm install -g @openai/codex && codex login");
    eprintln!();
    Ok(())
}

/// Says whom the client talks to.
pub fn greet(client: &Client) -> Result<(), codex_blocking::Error> {
    let handshake = client.initialize()?;
    eprintln!("server {}", handshake.server_version().unwrap_or("of an unknown version"));
    Ok(())
}
