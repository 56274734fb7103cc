//! Tests that the flooding server sends the requested events as valid messages, which a benchmark can't
//! detect.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Sends the requests, closes stdin, and returns everything that the server wrote.
fn ask(requests: &[Value]) -> Vec<Value> {
    let mut server = Command::new(env!("CARGO_BIN_EXE_flood-server"))
        .args(["app-server", "--listen", "stdio://"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = server.stdin.take().expect("piped");
    for request in requests {
        writeln!(stdin, "{request}").expect("it reads");
    }
    drop(stdin);
    let stdout = BufReader::new(server.stdout.take().expect("piped"));
    let messages = stdout
        .lines()
        .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("JSON"))
        .collect();
    assert!(server.wait().expect("it ends").success());
    messages
}

fn turn(id: u32, thread: &str, text: &str) -> Value {
    let input = json!([{"text_elements": [], "type": "text", "text": text}]);
    json!({"id": id, "method": "turn/start", "params": {"input": input, "threadId": thread}})
}

fn of<'a>(messages: &'a [Value], method: &str) -> Vec<&'a Value> {
    let wanted = messages
        .iter()
        .filter(|message| message["method"] == method);
    wanted.map(|message| &message["params"]).collect()
}

#[test]
fn deltas_of_one_turn() {
    let messages = ask(&[
        json!({"method": "initialize", "id": "a", "params": {"clientInfo": {"name": "x"}}}),
        json!({"method": "initialized"}),
        json!({"id": 2, "method": "thread/start", "params": {}}),
        turn(3, "T", "deltas 5000 32"),
    ]);
    assert_eq!(messages[0]["id"], "a");
    assert_eq!(messages[0]["result"]["platformOs"], "linux");
    assert_eq!(messages[1]["result"]["thread"]["status"]["type"], "idle");
    let deltas = of(&messages, "item/agentMessage/delta");
    assert_eq!(deltas.len(), 5000);
    let turn_id = &of(&messages, "turn/completed")[0]["turn"]["id"];
    for delta in deltas {
        assert_eq!(delta["threadId"], "T");
        assert_eq!(&delta["turnId"], turn_id);
        assert_eq!(delta["delta"].as_str().map(str::len), Some(32));
    }
    assert_eq!(messages.last().expect("some")["method"], "turn/completed");
}

#[test]
fn items_have_ids_of_their_own() {
    let messages = ask(&[turn(1, "T", "items 100 20000")]);
    let completed = of(&messages, "item/completed");
    // The user's message and the answer are items too.
    assert_eq!(completed.len(), 102);
    let ids: HashSet<_> = completed.iter().map(|p| p["item"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 102);
    for (started, completed) in of(&messages, "item/started").iter().zip(&completed) {
        assert_eq!(started["threadId"], completed["threadId"]);
    }
    let text = completed[1]["item"]["text"].to_string();
    assert_eq!(text.len(), 20_000 + 2, "as it travels, in quotes");
}

#[test]
fn a_wave_waits_for_all_its_turns() {
    let requests: Vec<_> = (0..7)
        .map(|at| turn(at, &format!("T{at}"), "wave 7 900 32"))
        .collect();
    let messages = ask(&requests);
    let first = messages
        .iter()
        .position(|m| m["method"] == "item/agentMessage/delta");
    let last_start = messages.iter().rposition(|m| m["method"] == "turn/started");
    assert!(last_start < first);
    let mut per_turn = HashMap::new();
    for delta in of(&messages, "item/agentMessage/delta") {
        *per_turn.entry(delta["turnId"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(per_turn.into_values().collect::<Vec<_>>(), [900; 7]);
    assert_eq!(of(&messages, "turn/completed").len(), 7);
}

#[test]
fn any_text_comes_back_and_any_request_is_answered() {
    let messages = ask(&[
        turn(1, "T", "say \"hi\"\\\n"),
        json!({"id": 2, "method": "config/read", "params": {"bytes": 3_000_001}}),
        json!({"id": 3, "method": "config/read"}),
        json!({"id": 4, "method": "no/such", "params": {"a": [{"bytes": 1}]}}),
    ]);
    let delta = &of(&messages, "item/agentMessage/delta")[0]["delta"];
    assert_eq!(delta, "say \"hi\"\\\n");
    let answer = |id| {
        let found = messages
            .iter()
            .find(|m| m["id"] == id && m["result"].is_object());
        &found.expect("an answer")["result"]
    };
    assert_eq!(answer(2)["blob"].as_str().map(str::len), Some(3_000_001));
    assert_eq!(answer(3), &json!({"config": {}, "origins": {}}));
    assert_eq!(answer(4), &json!({}));
}
