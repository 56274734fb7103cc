//! What the server lists, as iterators: the pages, their end, and servers whose lists have none. Forks at a turn, and
//! what the server answered when it opened a thread.

use std::time::Duration;

use codex_blocking::{
    protocol::{ReasoningEffort, SandboxPolicy, Thread, Turn},
    testing::ScriptedServer,
    *,
};
use serde_json::{Value, json};

use crate::support::memory::{Server, served, served_with, spawn, spawn_with};

/// The parameters of all requests of this method, oldest first.
fn sent(server: &ScriptedServer, method: &str) -> Vec<Value> {
    let received = server.received().into_iter();
    received.filter(|message| message["method"] == method).map(|message| message["params"].clone()).collect()
}

fn thread_of(client: &Client, texts: &[&str]) -> ThreadHandle {
    let thread = client.start_thread(ThreadConfig::new()).unwrap();
    texts.iter().for_each(|text| drop(thread.chat_once(*text).unwrap()));
    thread
}

/// What was said in a turn.
fn said(turn: &Turn) -> String {
    turn.steps().into_iter().find(|step| step.step_type == StepType::Codex).unwrap().text.unwrap()
}

fn listed_model(id: &str) -> Value {
    json!({
        "id": id, "model": id, "displayName": id, "description": "", "hidden": false, "isDefault": false,
        "supportedReasoningEfforts": [], "defaultReasoningEffort": "low",
    })
}

/// Answers a request for models with these ones, and this cursor for the next page.
fn page(server: &mut Server, ids: &[&str], next: Option<&str>) -> Value {
    let request = server.expect("model/list");
    let data: Vec<Value> = ids.iter().map(|id| listed_model(id)).collect();
    server.reply(&request, json!({ "data": data, "nextCursor": next }));
    request["params"].clone()
}

fn ids(models: impl Iterator<Item = Result<protocol::Model>>) -> Vec<String> {
    models.map(|model| model.map_or_else(|error| error.code().to_owned(), |model| model.id)).collect()
}

// ---- pages ----

#[test]
fn the_turns_of_a_thread_are_read_oldest_first_with_all_items_page_by_page() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let texts: Vec<String> = (0..120).map(|nth| nth.to_string()).collect();
    let thread = thread_of(&client, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let read: Vec<Turn> = thread.turns().collect::<Result<_>>().unwrap();
    assert!(read.iter().map(said).eq(texts.iter().map(|text| format!("echo: {text}"))));
    let first =
        json!({ "threadId": thread.thread_id(), "limit": 50, "itemsView": "full", "sortDirection": "asc" });
    let asked = sent(&server, "thread/turns/list");
    assert_eq!((asked.len(), &asked[0]), (3, &first));
    assert!(asked[2]["cursor"].is_string() && asked[2]["cursor"] != asked[1]["cursor"]);
    // By its id, and in another client that has not loaded it.
    let other = server.client().unwrap();
    assert_eq!(other.thread_turns(thread.thread_id()).map(Result::unwrap).count(), 120);
    assert!(sent(&server, "thread/resume").is_empty());
}

#[test]
fn threads_are_read_in_pages_of_the_given_size_with_the_given_filters() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let mut made: Vec<String> = (0..7).map(|_| thread_of(&client, &["x"]).thread_id().to_owned()).collect();
    made.reverse();
    let threads = client.threads(ListThreads::new().limit(3).archived(false));
    assert!(sent(&server, "thread/list").is_empty(), "nothing is asked for before it is read");
    let listed: Vec<String> = threads.map(|thread: Result<Thread>| thread.unwrap().id).collect();
    assert_eq!(listed, made);
    let asked = sent(&server, "thread/list");
    assert_eq!(asked.len(), 3);
    for page in &asked {
        assert_eq!((&page["limit"], &page["archived"]), (&json!(3), &json!(false)));
    }
    assert_eq!(asked[0]["cursor"], Value::Null);
    let last = asked[2]["cursor"].as_str().unwrap();
    let rest = client.threads(ListThreads::new().limit(3).cursor(last));
    assert_eq!(rest.map(|thread| thread.unwrap().id).collect::<Vec<_>>(), made[6..]);
}

#[test]
fn a_page_is_asked_for_when_the_one_before_is_used_up() {
    let (client, mut server) = served();
    let mut models = client.models();
    let reading = spawn(move || (models.next().unwrap().unwrap().id, models));
    assert_eq!(page(&mut server, &["a", "b"], Some("1")), json!({}));
    let (first, mut models) = reading.join().unwrap();
    assert_eq!((first.as_str(), models.next().unwrap().unwrap().id.as_str()), ("a", "b"));
    assert!(server.is_quiet());
    let reading = spawn(move || ids(models));
    assert_eq!(page(&mut server, &[], Some("2")), json!({ "cursor": "1" }), "an empty page is not the end");
    page(&mut server, &["c"], None);
    assert_eq!(reading.join().unwrap(), ["c"]);
}

#[test]
fn an_error_ends_the_iterator_after_what_came_before_it() {
    let (client, mut server) = served();
    let mut models = client.models();
    let reading = spawn(move || (ids(models.by_ref()), models));
    page(&mut server, &["a"], Some("1"));
    let request = server.expect("model/list");
    server.refuse(&request, -32600, "no");
    let (read, mut models) = reading.join().unwrap();
    assert_eq!(read, ["a", "rpc"]);
    assert!(models.next().is_none() && server.is_quiet());
}

#[test]
fn a_cursor_that_comes_twice_is_an_error() {
    for cursors in [&["1", "1"][..], &["1", "2", "3", "1"], &[""; 2]] {
        let (client, mut server) = served();
        let reading = spawn(move || ids(client.models()));
        for cursor in cursors {
            page(&mut server, &["m"], Some(cursor));
        }
        let mut expected = vec!["m"; cursors.len()];
        expected.push("decode");
        assert_eq!(reading.join().unwrap(), expected, "{cursors:?}");
    }
    let (client, mut server) = served();
    let reading = spawn(move || client.threads(ListThreads::new().cursor("own")).next());
    let request = server.expect("thread/list");
    server.reply(&request, json!({ "data": [], "nextCursor": "own" }));
    let error = reading.join().unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("the cursor of thread/list"), "{error}");
}

#[test]
fn a_list_that_never_ends_is_an_error() {
    for is_empty in [true, false] {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let server = ScriptedServer::new().on_request("model/list", move |_| {
            let cursor = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let data = if is_empty { json!([]) } else { json!([listed_model("m")]) };
            Ok(json!({ "data": data, "nextCursor": cursor.to_string() }))
        });
        let client = server.client().unwrap().with_request_timeout(None);
        let (mut read, mut failed) = (0, 0);
        for model in client.models() {
            match model {
                Ok(_) => read += 1,
                Err(error) => {
                    assert!(error.to_string().contains("the list has no end"), "{error}");
                    failed += 1;
                }
            }
        }
        assert_eq!((read, failed), (if is_empty { 0 } else { 10_000 }, 1));
    }
}

#[test]
fn empty_pages_without_end_take_one_request_limit_together() {
    let (client, mut server) = served_with(Client::builder().request_timeout(Duration::from_millis(300)));
    let reading = spawn(move || client.models().next());
    let mut pages = 0;
    while let Some(request) = server.next_request(Duration::from_secs(1)) {
        match request["method"].as_str() {
            Some("initialize") => server.reply(&request, json!({ "userAgent": "test/0.169.0 (x)" })),
            Some("model/list") => {
                pages += 1;
                std::thread::sleep(Duration::from_millis(20));
                server.reply(&request, json!({ "data": [], "nextCursor": pages.to_string() }));
            }
            _ => {}
        }
    }
    let error = reading.join().unwrap().unwrap().unwrap_err();
    assert!(error.is_timeout() && pages < 100, "{error}, {pages} pages");
}

#[test]
fn a_server_without_pages_of_turns_is_asked_for_the_whole_thread() {
    let (client, mut server) = served();
    server.version = "0.106.0";
    let reading = spawn(move || client.thread_turns("t").collect::<Result<Vec<Turn>>>());
    let request = server.expect("thread/turns/list");
    server.refuse(
        &request,
        -32600,
        "Invalid request: unknown variant `thread/turns/list`, expected one of `x`",
    );
    let request = server.expect("thread/read");
    assert_eq!(request["params"], json!({ "threadId": "t", "includeTurns": true }));
    let turn = |id| json!({ "id": id, "items": [], "status": "completed" });
    let thread = json!({
        "id": "t", "preview": "", "modelProvider": "m", "createdAt": 0, "updatedAt": 0, "status": { "type": "idle" },
        "cwd": "/w", "cliVersion": "0", "source": "vscode", "turns": [turn("u"), turn("v")],
    });
    server.reply(&request, json!({ "thread": thread }));
    let turns = reading.join().unwrap().unwrap();
    assert!(turns.iter().map(|turn| turn.id.as_str()).eq(["u", "v"]));
    assert!(server.is_quiet());
}

#[test]
fn a_thread_that_has_no_turn_yet_has_no_turns() {
    let (client, mut server) = served();
    let reading = spawn(move || client.thread_turns("t").count());
    let request = server.expect("thread/turns/list");
    server.refuse(&request, -32600, "thread t is not materialized yet; thread/turns/list is unavailable");
    assert_eq!(reading.join().unwrap(), 0);
}

#[test]
fn turns_of_no_thread_are_refused_without_a_request() {
    let (client, mut server) = served();
    let read: Vec<_> = client.thread_turns("").collect();
    assert!(matches!(&read[..], [Err(Error::InvalidInput { .. })]), "{read:?}");
    assert!(server.is_quiet());
    assert!(format!("{:?}", client.thread_turns("")).contains("thread/turns/list"));
}

// ---- forks at a turn ----

#[test]
fn a_fork_at_a_turn_ends_with_it() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = client.start_thread(ThreadConfig::new().model("m")).unwrap();
    let second = ["one", "two", "three"].map(|text| thread.chat_once(text).unwrap().turn_id)[1].clone();
    let fork = thread.fork_at(&second, ThreadConfig::new().cwd("/w")).unwrap();
    assert_eq!(
        sent(&server, "thread/fork"),
        [json!({ "threadId": thread.thread_id(), "excludeTurns": true, "lastTurnId": second, "model": "m",
            "cwd": "/w" })]
    );
    assert_eq!(fork.defaults(), ThreadConfig::new().model("m").cwd("/w"));
    let texts = |thread: &ThreadHandle| thread.turns().map(|turn| said(&turn.unwrap())).collect::<Vec<_>>();
    assert_eq!(texts(&fork), ["echo: one", "echo: two"]);
    assert_eq!(texts(&thread).len(), 3);
    let fork = client.fork_thread_at(fork.thread_id(), &second, ThreadConfig::new()).unwrap();
    fork.chat_once("four").unwrap();
    assert_eq!(texts(&fork), ["echo: one", "echo: two", "echo: four"]);
    let unknown = thread.fork_at("moon", ThreadConfig::new()).unwrap_err();
    assert!(matches!(&unknown, Error::Rpc { message, .. } if message == "turn not found"), "{unknown}");
}

#[test]
fn a_fork_at_a_turn_that_can_not_be_made_is_refused_before_it_is_asked_for() {
    let (client, mut server) = served();
    for (id, turn) in [("", "u"), ("t", "")] {
        let refused = client.fork_thread_at(id, turn, ThreadConfig::new()).unwrap_err();
        assert_eq!(refused.code(), "invalid_input");
    }
    assert!(server.is_quiet());
    // An old server would ignore the turn.
    server.version = "0.128.0";
    let forking = spawn_with(&client, |client| client.fork_thread_at("t", "u", ThreadConfig::new()));
    let request = server.recv();
    server.reply(&request, json!({ "userAgent": "test/0.128.0 (x)" }));
    assert_eq!(forking.join().unwrap().unwrap_err().code(), "invalid_input");
    assert_eq!(server.recv()["method"], "initialized");
    assert!(server.is_quiet());
}

#[test]
fn a_fork_of_a_fork_is_not_cut_as_the_first_one_was() {
    let server = ScriptedServer::new();
    let client = server.client().unwrap();
    let thread = thread_of(&client, &["one", "two"]);
    let second = thread.turns().last().unwrap().unwrap().id;
    let fork = thread.fork(ThreadConfig::new().before_turn_id(&second)).unwrap();
    assert_eq!(fork.turns().count(), 1);
    fork.chat_once("three").unwrap();
    assert_eq!(fork.fork(ThreadConfig::new()).unwrap().turns().count(), 2);
}

// ---- what the server answered ----

#[test]
fn a_handle_tells_what_the_server_answered_at_start_resume_and_fork() {
    let (client, mut server) = served();
    let answer = |id: &str| {
        json!({
            "thread": { "id": id, "name": "n", "turns": [{ "id": "u" }] }, "model": "gpt-5", "modelProvider": "openai",
            "cwd": "/w", "sandbox": { "type": "readOnly" }, "approvalPolicy": "never", "approvalsReviewer": "user",
            "reasoningEffort": "high", "serviceTier": "fast", "instructionSources": ["/w/AGENTS.md"], "moon": "full",
        })
    };
    let opened = |handle: ThreadHandle, id: &str| {
        let info = handle.info();
        assert_eq!((info.thread_id.as_str(), handle.thread_id()), (id, id));
        assert_eq!((info.model.as_deref(), info.model_provider.as_deref()), (Some("gpt-5"), Some("openai")));
        assert_eq!(info.effort, Some(ReasoningEffort::High));
        assert_eq!(info.service_tier.as_deref(), Some("fast"));
        assert_eq!(info.cwd.as_deref(), Some("/w".as_ref()));
        assert!(matches!(info.sandbox, Some(SandboxPolicy::ReadOnly(_))));
        assert_eq!(info.approval_policy, Some(ApprovalPolicy::Never));
        assert_eq!(info.approvals_reviewer, Some(ApprovalsReviewer::User));
        assert_eq!(info.instruction_sources, ["/w/AGENTS.md".as_ref() as &std::path::Path]);
        assert_eq!((&info.raw["moon"], &info.raw["thread"]["name"]), (&json!("full"), &json!("n")));
        assert_eq!(info.raw["thread"]["turns"], json!([]), "history is not kept");
        let json = json!(info);
        assert_eq!(
            (&json["model"], &json["cwd"], &json["effort"]),
            (&json!("gpt-5"), &json!("/w"), &json!("high"))
        );
        assert_eq!(serde_json::from_value::<ThreadInfo>(json).unwrap(), *info);
        handle
    };
    let starting = spawn_with(&client, |client| client.start_thread(ThreadConfig::new()));
    let request = server.expect("thread/start");
    server.reply(&request, answer("s"));
    drop(opened(starting.join().unwrap().unwrap(), "s"));
    let resuming = spawn_with(&client, |client| client.resume_thread("r", ThreadConfig::new()));
    let request = server.expect("thread/resume");
    server.reply(&request, answer("r"));
    let resumed = opened(resuming.join().unwrap().unwrap(), "r");
    let forking = spawn(move || resumed.fork(ThreadConfig::new()));
    let request = server.expect("thread/fork");
    server.reply(&request, answer("f"));
    drop(opened(forking.join().unwrap().unwrap(), "f"));
}

#[test]
fn an_answer_without_settings_or_with_strange_ones_is_no_error() {
    let (client, mut server) = served();
    let deep = "[".repeat(200) + &"]".repeat(200);
    for answer in [
        r#"{"thread":{"id":"t"}}"#.to_owned(),
        r#"{"thread":{"id":"t"},"model":7,"cwd":[],"sandbox":null,"instructionSources":{}}"#.to_owned(),
        format!(r#"{{"thread":{{"id":"t"}},"model":{deep}}}"#),
    ] {
        let starting = spawn_with(&client, |client| client.start_thread(ThreadConfig::new()));
        let request = server.expect("thread/start");
        server.send_text(&format!(r#"{{"id":{},"result":{answer}}}"#, request["id"]));
        let thread = starting.join().unwrap().unwrap();
        let info = thread.info();
        assert_eq!((&*info.thread_id, &info.model, &info.cwd, &info.sandbox), ("t", &None, &None, &None));
        assert!(info.instruction_sources.is_empty());
    }
}
