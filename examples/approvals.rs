//! Shows each command and file change that the agent requests, and asks for approval at the terminal.
//!
//!     cargo run --example approvals -- "Run the tests, and fix what fails"
//!     cargo run --example approvals -- --offline-model "escalate echo it ran"
//!
//! At the end of the input, all requests are declined. The example `chat` describes which server is used.

mod support;

use std::{
    error::Error,
    io::{self, BufRead, Write},
    process::ExitCode,
};

use codex_blocking::{
    ApprovalDecision, ApprovalPolicy, ApprovalRequest, Client, ThreadConfig,
    testing::{ScriptedServer, TurnScript},
};
use serde_json::json;

fn main() -> ExitCode {
    support::report(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let (stub, words) = support::arguments()?;
    let text = if words.is_empty() { "Tidy up".to_owned() } else { words.join(" ") };
    let client = support::connect_with(stub.as_ref(), Client::builder(), scripted())?;

    // Runs on its own thread; only the turn waits for it.
    client.set_approval_handler(|request| decide(request).unwrap_or(ApprovalDecision::Decline));

    let config = ThreadConfig::new().cwd(std::env::current_dir()?).approval_policy(ApprovalPolicy::OnRequest);
    for step in client.start_thread(config)?.chat(text)?.results() {
        println!("{}", step?);
    }
    client.close()?;
    Ok(())
}

/// Shows what the agent wants to do, and reads the decision.
fn decide(request: &ApprovalRequest) -> io::Result<ApprovalDecision> {
    // Held until the user has decided: other requests wait.
    let mut input = io::stdin().lock();
    println!();
    match request {
        ApprovalRequest::Command(command) => {
            println!("The agent wants to run: {}", shown(command.command.as_deref()));
            println!("  in: {}", shown(command.cwd.as_deref()));
            if let Some(network) = &command.network_approval_context {
                println!("  to reach: {}", shown(Some(&network.host)));
            }
            println!("  because: {}", shown(command.reason.as_deref()));
        }
        ApprovalRequest::FileChange(change) => {
            println!("The agent wants to change files.");
            println!("  because: {}", shown(change.reason.as_deref()));
            for change in change.changes.iter().flatten() {
                println!("  {}", shown(Some(&change.path)));
                for line in change.diff.lines() {
                    println!("    {}", shown(Some(line)));
                }
            }
        }
        other => println!("The agent asks: {other:?}"),
    }
    let always = ApprovalDecision::accept_proposed_amendment(request);
    if let Some(ApprovalDecision::AcceptWithExecpolicyAmendment(words)) = &always {
        println!("  \"always\" allows all that begin with: {}", shown(Some(&words.join(" "))));
    }
    let choices = match always {
        Some(_) => "yes, session, always, no, cancel",
        None => "yes, session, no, cancel",
    };
    loop {
        print!("{choices}? ");
        io::stdout().flush()?;
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            println!("no (the input has ended)");
            return Ok(ApprovalDecision::Decline);
        }
        match (answer.trim(), &always) {
            ("y" | "yes", _) => return Ok(ApprovalDecision::Accept),
            ("s" | "session", _) => return Ok(ApprovalDecision::AcceptForSession),
            ("a" | "always", Some(always)) => return Ok(always.clone()),
            ("n" | "no", _) => return Ok(ApprovalDecision::Decline),
            ("c" | "cancel", _) => return Ok(ApprovalDecision::Cancel),
            _ => {}
        }
    }
}

/// Removes control characters, which could hide what is being approved.
fn shown(text: Option<&str>) -> String {
    let text = text.unwrap_or("(not told)");
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// Requests approval for a command and for a file change, regardless of the prompt.
fn scripted() -> ScriptedServer {
    let change = json!({ "path": "/workspace/new.txt", "kind": { "type": "add" }, "diff": "+one\n+two\n" });
    let item = json!({ "type": "fileChange", "id": "change_$", "changes": [change], "status": "inProgress" });
    let command = json!({
        "itemId": "command_$", "command": "rm -r target", "cwd": "/workspace", "reason": "To begin anew",
        "proposedExecpolicyAmendment": ["rm", "-r"],
    });
    ScriptedServer::new().on_turn(move |_| {
        TurnScript::new()
            .ask("item/commandExecution/requestApproval", command.clone())
            .notify("item/started", json!({ "item": item }))
            .ask("item/fileChange/requestApproval", json!({ "itemId": "change_$" }))
            .message("These were my questions.")
    })
}
