//! What the real app-server asks: permissions, elicitations, dynamic tools, the time, and several at once.
//!
//! Relies on the feature `testing`, on `support/live.rs`, and on Node for an MCP server; uses the public API
//! only. Invariant: each test has its own server and its own model, so that all can run at once.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

#[path = "support/live.rs"]
mod live;

use std::sync::mpsc;

use codex_blocking::protocol::{
    AdditionalNetworkPermissions, CurrentTimeReadResponse, GrantedPermissionProfile,
};
use codex_blocking::testing::{ModelReply, ModelStub};
use codex_blocking::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ChatRequest, Client, ClientBuilder, Error,
    PermissionGrantScope, SandboxMode, ServerRequest, ServerResponse, ThreadConfig, Tool, ToolOutput,
};
use serde_json::{Value, json};

use self::live::real::RealHome;
use self::live::{Live, PATIENCE};

/// A model that calls one tool, named by the user's text as `TOOL ARGUMENTS` or `NAMESPACE/TOOL ARGUMENTS`,
/// and then says what came out.
fn caller() -> RealHome {
    RealHome::with_model(
        ModelStub::start_with(|request| match request.tool_output() {
            Some(output) => ModelReply::new().text(format!("output: {}", output["output"])),
            None => {
                let text = request.user_text();
                let (name, arguments) = text.split_once(' ').unwrap();
                call(name, arguments, "call_1")
            }
        })
        .unwrap(),
    )
}

fn call(name: &str, arguments: &str, call_id: &str) -> ModelReply {
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    };
    let mut item =
        json!({ "type": "function_call", "name": name, "arguments": arguments, "call_id": call_id });
    if let Some(namespace) = namespace {
        item["namespace"] = namespace.into();
    }
    ModelReply::new().event("response.output_item.done", json!({ "item": item }))
}

fn with_config(home: &RealHome, toml: &str) {
    use std::io::Write as _;
    let path = home.home().join("config.toml");
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    file.write_all(toml.as_bytes()).unwrap();
}

fn manual() -> ClientBuilder {
    Client::builder().approval_mode(ApprovalMode::Manual)
}

#[test]
fn explore_perm() {
    let home = caller();
    with_config(&home, "\n[features]\nrequest_permissions_tool = true\n");
    let live = Live::with(home, Client::builder());
    live.client.set_server_request_handler(|request| {
        eprintln!("{}", request.raw());
        match request {
            ServerRequest::Permissions(request) => request.grant_all(PermissionGrantScope::Turn),
            _ => ServerResponse::pass(),
        }
    });
    for text in [
        r#"request_permissions {"reason":"fetch","permissions":{"network":{"enabled":true}}}"#,
        r#"request_permissions {"reason":"fetch","permissions":{"network":{"enabled":true},"file_system":{"read":["/etc"],"write":["/outside/x"]}}}"#,
    ] {
        eprintln!("{:?}", live.client.chat_once(text).map(|r| r.final_text));
    }
}

#[test]
fn explore_mcp() {
    let home = caller();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/mcp_server.js");
    with_config(&home, &format!("\n[mcp_servers.tiny]\ncommand = \"node\"\nargs = [{script:?}]\n"));
    let live = Live::with(home, Client::builder());
    live.client.set_approval_handler(|r| {
        eprintln!("APPROVAL {r:?}");
        ApprovalDecision::AcceptForSession
    });
    live.client.set_server_request_handler(|request| {
        eprintln!("{}", request.raw());
        match request {
            ServerRequest::Elicitation(request) if request.url().is_some() => request.accept(Value::Null),
            ServerRequest::Elicitation(request) => request.accept(json!({"name": "Bob"})),
            _ => ServerResponse::pass(),
        }
    });
    let thread = live.client.start_thread(ThreadConfig::new()).unwrap();
    for text in ["mcp__tiny/plain {}", "mcp__tiny/plain {}", "mcp__tiny/ask {}", "mcp__tiny/visit {}"] {
        eprintln!("{:?}", thread.chat_once(text).map(|r| r.final_text));
    }
}

#[test]
fn explore_tools() {
    let live = Live::with(caller(), Client::builder().experimental_api(true));
    let tool = |name: &str| {
        Tool::new(name, "what it is for", json!({"type":"object"}), |call| {
            eprintln!("{call:?}");
            match call.arguments["do"].as_str() {
                Some("fail") => Err("no such ticket".into()),
                Some("panic") => panic!("went wrong"),
                Some("image") => Ok(ToolOutput::text("see").and_image("data:image/png;base64,iVBORw0KGgo=")),
                _ => Ok("fine".into()),
            }
        })
    };
    let thread = live
        .client
        .start_thread_with_tools(
            ThreadConfig::new(),
            [tool("a"), tool("b").namespace("space", "things"), tool("c").namespace("space", "things")],
        )
        .unwrap();
    for text in [
        "a {\"x\":1}",
        "a {\"do\":\"fail\"}",
        "a {\"do\":\"panic\"}",
        "a {\"do\":\"image\"}",
        "space/b {}",
        "space/c {}",
    ] {
        eprintln!("{text} {:?}", thread.chat_once(text).map(|r| r.final_text));
    }
    let forked: Value = live.client.request("thread/fork", json!({"threadId": thread.thread_id()})).unwrap();
    eprintln!("{:?}", forked["thread"]["forkedFromId"]);
    eprintln!(
        "{:?}",
        live.client
            .chat_once(ChatRequest::new("a {}").thread(forked["thread"]["id"].as_str().unwrap()))
            .map(|r| r.final_text)
    );
    for schema in [json!({"type":"string"}), json!({}), json!({"type":"object","properties":[]}), json!([])] {
        let tools = json!([{"type":"function","name":"x","description":"d","inputSchema":schema}]);
        eprintln!("{schema} {:?}", live.client.request("thread/start", json!({"dynamicTools": tools})).err());
    }
    for name in
        ["mcp__x", "mcp", "a b", "", "exec_command", "mcp__", &"x".repeat(65), &"x".repeat(129), "é", "-"]
    {
        let tools =
            json!([{"type":"function","name":name,"description":"d","inputSchema":{"type":"object"}}]);
        eprintln!("{name:?} {:?}", live.client.request("thread/start", json!({"dynamicTools": tools})).err());
        let inner =
            json!([{"type":"function","name":"ok","description":"d","inputSchema":{"type":"object"}}]);
        let tools = json!([{"type":"namespace","name":name,"description":"d","tools":inner}]);
        eprintln!(
            "ns {name:?} {:?}",
            live.client.request("thread/start", json!({"dynamicTools": tools})).err()
        );
    }
    let inner = json!([{"type":"function","name":"ok","description":"d","inputSchema":{"type":"object"}}]);
    for tools in [
        json!([{"type":"function","name":"x","description":"d","inputSchema":{}},{"type":"namespace","name":"x","description":"d","tools":inner}]),
        json!([{"type":"namespace","name":"x","description":"d","tools":inner}, {"type":"namespace","name":"x","description":"d","tools":inner}]),
        json!([{"type":"function","name":"x","description":"d","inputSchema":{}},{"type":"namespace","name":"y","description":"d","tools":[{"type":"function","name":"x","description":"d","inputSchema":{"type":"object"}}]}]),
        json!([]),
    ] {
        eprintln!("{tools} {:?}", live.client.request("thread/start", json!({"dynamicTools": tools})).err());
    }
}

#[test]
fn explore_time() {
    let home = RealHome::new();
    with_config(
        &home,
        "\n[features]\ncurrent_time_reminder = { enabled = true, clock_source = \"external\" }\n",
    );
    let live = Live::with(home, Client::builder());
    let mut all = live.client.server_requests();
    eprintln!("{:?}", live.client.chat_once("hi").map(|r| r.final_text));
    while let Some(r) = all.try_next() {
        eprintln!("{}", r.raw());
    }
    eprintln!("{}", live.model().requests()[0]);
    live.client.set_server_request_handler(|_| CurrentTimeReadResponse::new(1_000_000_000).into());
    eprintln!("{:?}", live.client.chat_once("hi").map(|r| r.final_text));
    eprintln!("{}", live.model().requests().last().unwrap());
}
