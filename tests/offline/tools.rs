//! Tools of the program that the agent calls: how they are declared, what a call gives, how long they live.

use std::sync::{Arc, mpsc};

use codex_blocking::{Client, Error, ThreadConfig, ThreadHandle, Tool, ToolOutput};
use serde_json::{Value, json};

use crate::support::{
    memory::{PATIENCE, Server, served, served_with, spawn, spawn_with},
    probe::{is_alone, logged_warnings},
};

fn experimental() -> (Client, Server) {
    served_with(Client::builder().experimental_api(true))
}

/// A tool that answers with this.
fn tool(name: &str, answer: &'static str) -> Tool {
    Tool::new(name, "for the test", json!({ "type": "object" }), move |_| Ok(answer.into()))
}

/// The thread `t` with these tools, and the parameters it was started with.
fn start<T: IntoIterator<Item = Tool>>(
    client: &Client,
    server: &mut Server,
    tools: T,
) -> (ThreadHandle, Value) {
    let caller = {
        let (client, tools) = (client.clone(), tools.into_iter().collect::<Vec<_>>());
        spawn(move || client.start_thread_with_tools(ThreadConfig::new().model("m"), tools))
    };
    let request = server.begin_thread();
    (caller.join().unwrap().unwrap(), request["params"].clone())
}

fn call(server: &mut Server, id: i64, thread_id: &str, tool: &str, arguments: Value) {
    let (namespace, tool) = match tool.split_once('/') {
        Some((namespace, tool)) => (Some(namespace), tool),
        None => (None, tool),
    };
    let params = json!({
        "threadId": thread_id, "turnId": "u", "callId": "c", "namespace": namespace, "tool": tool,
        "arguments": arguments,
    });
    server.ask(id, "item/tool/call", &params);
}

/// Calls a tool and gives the text of its output, and whether it succeeded.
fn called(server: &mut Server, thread_id: &str, tool: &str) -> (String, bool) {
    call(server, 1, thread_id, tool, json!({}));
    let result = server.recv()["result"].clone();
    (result["contentItems"][0]["text"].as_str().unwrap().to_owned(), result["success"].as_bool().unwrap())
}

fn is_unknown((text, success): (String, bool)) -> bool {
    !success && text.starts_with("this client has no such tool; ")
}

#[test]
fn tools_are_declared_with_the_thread_and_answer_its_calls() {
    let (client, mut server) = experimental();
    let tools = [
        tool("plain", "1"),
        tool("a", "2").namespace("space", "things"),
        tool("b", "3").namespace("space", "things"),
        tool("a", "4"),
    ];
    let (_thread, params) = start(&client, &mut server, tools);
    let function = |name: &str| {
        json!({
            "type": "function", "name": name, "description": "for the test",
            "inputSchema": { "type": "object" },
        })
    };
    let members = [function("a"), function("b")];
    let space = json!({ "type": "namespace", "name": "space", "description": "things", "tools": members });
    assert_eq!(params["dynamicTools"], json!([function("plain"), space, function("a")]));
    assert_eq!(params["model"], "m");
    for (name, answer) in [("plain", "1"), ("space/a", "2"), ("space/b", "3"), ("a", "4")] {
        assert_eq!(called(&mut server, "t", name), (answer.to_owned(), true));
    }
    assert!(is_unknown(called(&mut server, "t", "b")));
    assert!(is_unknown(called(&mut server, "other thread", "plain")));
}

#[test]
fn a_call_has_its_arguments_and_ids() {
    let (client, mut server) = experimental();
    let (saw, seen) = mpsc::channel();
    let tool = Tool::new("look", "looks", json!({}), move |call| {
        saw.send(call.clone()).unwrap();
        Ok(ToolOutput::from(json!({ "found": [1] })).and_image("data:x"))
    });
    let _ = start(&client, &mut server, [tool]);
    call(&mut server, 5, "t", "look", json!({ "where": ["here"] }));
    assert_eq!(
        server.recv()["result"]["contentItems"],
        json!([{ "type": "inputText", "text": r#"{"found":[1]}"# }, { "type": "inputImage", "imageUrl": "data:x" }])
    );
    let call = seen.recv().unwrap();
    let call = call.params();
    assert_eq!(call.arguments["where"][0], "here");
    assert_eq!((call.thread_id.as_str(), call.turn_id.as_str(), call.call_id.as_str()), ("t", "u", "c"));
}

#[test]
fn an_error_and_a_panic_are_failed_calls_with_their_text() {
    let (client, mut server) = experimental();
    let failing = Tool::new("failing", "", json!({}), |call| {
        let id = call.params().arguments["id"].as_str().ok_or("`id` is missing")?;
        Ok(id.into())
    });
    let broken = Tool::new("broken", "", json!({}), |_| panic!("no idea, {}", "sorry"));
    let _ = start(&client, &mut server, [failing, broken, tool("fine", "fine")]);
    assert_eq!(called(&mut server, "t", "failing"), ("`id` is missing".to_owned(), false));
    assert_eq!(called(&mut server, "t", "broken"), ("the tool panicked: no idea, sorry".to_owned(), false));
    assert_eq!(called(&mut server, "t", "fine"), ("fine".to_owned(), true));
}

#[test]
fn calls_run_at_once_and_may_call_the_client() {
    let (client, mut server) = experimental();
    let (weak, barrier) = (client.downgrade(), Arc::new(std::sync::Barrier::new(2)));
    let meeting = Tool::new("meet", "", json!({}), move |_| {
        barrier.wait();
        let reply = weak.upgrade().ok_or("the client is gone")?.request("config/read", json!({}))?;
        Ok(reply.into())
    });
    let _ = start(&client, &mut server, [meeting]);
    call(&mut server, 1, "t", "meet", json!({}));
    call(&mut server, 2, "t", "meet", json!({}));
    // Both are there before either is answered.
    let requests = [server.expect("config/read"), server.expect("config/read")];
    for request in &requests {
        server.reply(request, json!({ "a": 1 }));
    }
    let mut ids: Vec<_> = (0..2)
        .map(|_| {
            let answer = server.recv();
            assert_eq!(answer["result"]["contentItems"][0]["text"], r#"{"a":1}"#);
            answer["id"].as_i64().unwrap()
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn without_the_experimental_api_nothing_is_sent_and_the_setting_is_named() {
    let (client, mut server) = served_with(Client::builder());
    let error = client.start_thread_with_tools(ThreadConfig::new(), [tool("a", "")]).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }));
    assert!(error.to_string().contains("experimental_api(true)"), "{error}");
    assert!(server.is_quiet());
}

#[test]
fn what_the_server_would_refuse_is_refused_here() {
    let (client, mut server) = experimental();
    let schema = |schema: Value| Tool::new("a", "", schema, |_| Ok("".into()));
    let refused: [Vec<Tool>; 9] = [
        vec![tool("", "")],
        vec![tool("a b", "")],
        vec![tool("é", "")],
        vec![tool("mcp__a", "")],
        vec![tool("mcp", "")],
        vec![tool("a", "").namespace("a/b", "")],
        vec![tool("a", ""), tool("b", ""), tool("a", "")],
        vec![tool("a", "").namespace("s", "one"), tool("b", "").namespace("s", "two")],
        vec![schema(json!([]))],
    ];
    for tools in refused {
        let shown = format!("{tools:?}");
        let error = client.start_thread_with_tools(ThreadConfig::new(), tools.clone()).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{shown}: {error}");
        let error = client.resume_thread_with_tools("t", ThreadConfig::new(), tools).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{shown}: {error}");
    }
    assert!(server.is_quiet());
}

#[test]
fn a_resumed_thread_has_its_tools_before_the_server_says_so() {
    let (client, mut server) = served_with(Client::builder());
    let caller = spawn_with(&client, move |client| {
        client.resume_thread_with_tools("t", ThreadConfig::new(), [tool("a", "1")])
    });
    let request = server.expect("thread/resume");
    assert!(request["params"].get("dynamicTools").is_none(), "the server has them");
    // A turn of somebody else runs there.
    assert_eq!(called(&mut server, "t", "a"), ("1".to_owned(), true));
    server.reply(&request, json!({ "thread": { "id": "t" } }));
    let _ = caller.join().unwrap().unwrap();
    assert_eq!(called(&mut server, "t", "a"), ("1".to_owned(), true));
}

#[test]
fn a_thread_that_can_not_be_resumed_keeps_the_tools_it_had() {
    let (client, mut server) = experimental();
    let _ = start(&client, &mut server, [tool("a", "1")]);
    for id in ["t", "unknown"] {
        let caller = spawn_with(&client, move |client| {
            client.resume_thread_with_tools(id, ThreadConfig::new(), [tool("a", "2")])
        });
        let request = server.expect("thread/resume");
        server.refuse(&request, -32600, "no rollout found");
        assert!(matches!(caller.join().unwrap(), Err(Error::Rpc { .. })));
    }
    assert_eq!(called(&mut server, "t", "a"), ("1".to_owned(), true));
    assert!(is_unknown(called(&mut server, "unknown", "a")));
}

#[test]
fn a_fork_that_this_client_makes_has_the_tools_of_its_thread() {
    // Old servers don't tell of which thread it is a fork; a fork of a file names no thread.
    for (thread_id, fork) in [("t", json!({ "id": "f" })), ("", json!({ "id": "f", "forkedFromId": "t" }))] {
        let (client, mut server) = experimental();
        let _ = start(&client, &mut server, [tool("a", "1")]);
        let caller = spawn_with(&client, move |client| {
            client.request("thread/fork", json!({ "threadId": thread_id }))
        });
        let request = server.expect("thread/fork");
        server.reply(&request, json!({ "thread": fork }));
        caller.join().unwrap().unwrap();
        assert_eq!(called(&mut server, "f", "a"), ("1".to_owned(), true));
        assert_eq!(called(&mut server, "t", "a"), ("1".to_owned(), true));
    }
}

#[test]
fn tools_are_let_go_of_when_their_thread_is_gone_and_when_the_client_is_closed() {
    let (client, mut server) = experimental();
    for method in ["thread/closed", "thread/archived", "thread/deleted", "close"] {
        let (dropped, is_dropped) = mpsc::channel();
        let token = Arc::new(Dropped(dropped));
        let tool = Tool::new("a", "", json!({}), move |_| {
            let _ = &token;
            Ok("1".into())
        });
        let _ = start(&client, &mut server, [tool]);
        assert_eq!(called(&mut server, "t", "a"), ("1".to_owned(), true));
        if method == "close" {
            drop(server);
            client.close().unwrap();
            is_dropped.recv_timeout(PATIENCE).unwrap();
            return;
        }
        server.notify(method, json!({ "threadId": "t" }));
        let thread = is_dropped.recv_timeout(PATIENCE).unwrap();
        assert_eq!(thread.as_deref(), Some("codex-worker"), "it was dropped where frames are read");
        assert!(is_unknown(called(&mut server, "t", "a")));
    }
}

/// Tells on which thread it is dropped.
struct Dropped(mpsc::Sender<Option<String>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(std::thread::current().name().map(str::to_owned));
    }
}

#[test]
fn a_call_after_the_thread_was_archived_is_logged_as_a_warning_that_says_what_to_do() {
    if !is_alone("tools::a_call_after_the_thread_was_archived_is_logged_as_a_warning_that_says_what_to_do") {
        return;
    }
    let warnings = logged_warnings();
    let (client, mut server) = experimental();
    let (_thread, _) = start(&client, &mut server, [tool("lookup", "1")]);
    assert_eq!(called(&mut server, "t", "lookup"), ("1".to_owned(), true));
    server.notify("thread/archived", json!({ "threadId": "t" }));
    server.notify("thread/unarchived", json!({ "threadId": "t" }));
    assert!(is_unknown(called(&mut server, "t", "lookup")));
    let warning = warnings.recv_timeout(PATIENCE).unwrap();
    assert!(
        warning.contains("item/tool/call") && warning.contains("Client::resume_thread_with_tools after"),
        "{warning}"
    );
}

#[test]
fn a_thread_with_no_tools_at_all_is_started_as_any_other() {
    let (client, mut server) = served();
    let starting = spawn_with(&client, |client| client.start_thread_with_tools(ThreadConfig::new(), []));
    let request = server.begin_thread();
    assert!(request["params"].get("dynamicTools").is_none(), "{request}");
    assert_eq!(starting.join().unwrap().unwrap().thread_id(), "t");
}
