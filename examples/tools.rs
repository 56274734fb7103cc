//! Provides a tool to the agent that looks up tickets.
//!
//!     cargo run --example tools -- "Which of the tickets T-1 and T-2 is open?"
//!     cargo run --example tools -- --offline-model
//!
//! The example `chat` describes which server is used.

mod support;

use std::{collections::HashMap, error::Error, process::ExitCode};

use codex_blocking::{
    Client, ThreadConfig, Tool,
    testing::{ModelReply, ModelStub, ScriptedServer, TurnScript},
};
use serde_json::json;

fn main() -> ExitCode {
    support::report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (stub, words) = support::arguments_with(stub)?;
    let text = if words.is_empty() { "Is ticket T-1 open?".to_owned() } else { words.join(" ") };
    // Tools require the server's experimental API.
    let builder = Client::builder().experimental_api(true);
    let client = support::connect_with(stub.as_ref(), builder, scripted())?;

    let tickets = HashMap::from([("T-1", "open: the door squeaks"), ("T-2", "closed")]);
    let schema = json!({
        "type": "object",
        "properties": { "id": { "type": "string", "description": "Such as T-1" } },
        "required": ["id"],
    });
    let lookup = Tool::new("lookup_ticket", "Looks up a ticket by its id", schema, move |call| {
        // The model is instructed to follow the schema, but nothing enforces it.
        let id = call.params().arguments["id"].as_str().ok_or("`id` is missing")?;
        println!("(the agent looks up {id})");
        let ticket = tickets.get(id).ok_or_else(|| format!("there is no ticket {id}"))?;
        Ok((*ticket).into())
    });

    let config = ThreadConfig::new().cwd(std::env::current_dir()?);
    let thread = client.start_thread_with_tools(config, [lookup])?;
    for step in thread.chat(text)?.results() {
        println!("{}", step?);
    }
    client.close()?;
    Ok(())
}

/// A model that looks up T-1, whatever the prompt, and reports the result.
fn stub() -> std::io::Result<ModelStub> {
    ModelStub::start_with(|request| match request.tool_output() {
        Some(output) => ModelReply::new().text(format!("The tool says: {}", output["output"])),
        None => ModelReply::new().call("lookup_ticket", json!({ "id": "T-1" })),
    })
}

/// A server that does the same without a model.
fn scripted() -> ScriptedServer {
    let call = json!({
        "callId": "call_$", "namespace": null, "tool": "lookup_ticket", "arguments": { "id": "T-1" },
    });
    ScriptedServer::new()
        .on_turn(move |_| TurnScript::new().ask("item/tool/call", call.clone()).message("That was the call."))
}
