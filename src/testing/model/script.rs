//! The default script: the first word of the user's text selects the reply.
//!
//! Relies on serde_json and on the request and reply types. Invariant: once the output of a tool has
//! arrived, the turn ends with a message, so that no scenario calls its tool indefinitely.

use std::collections::HashSet;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{ModelReply, ModelRequest};

/// The script described at [`super::ModelStub::start`].
pub(super) fn by_first_word() -> impl Fn(&ModelRequest) -> ModelReply + Send + Sync + 'static {
    // The Codex threads whose last attempt was cut off.
    let cut = Mutex::new(HashSet::new());
    move |request| match request.tool_output() {
        Some(output) => ModelReply::new().text(format!("output: {}", output_text(output))),
        None => scenario(request, &cut),
    }
}

fn scenario(request: &ModelRequest, cut: &Mutex<HashSet<String>>) -> ModelReply {
    let reply = ModelReply::new();
    let text = request.user_text();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
    let rest = rest.trim();
    match (word, rest) {
        ("think", about) => reply
            .reasoning("**Thinking** about it", format!("Let me think. {about}"))
            .text(format!("thought: {about}")),
        ("run", command) if !command.is_empty() => reply.command(command),
        ("escalate", command) if !command.is_empty() => {
            reply.escalated_command(command, "This command needs to leave the sandbox.")
        }
        ("patch", path) if !path.is_empty() => reply.apply_patch(format!(
            "*** Begin Patch\n*** Add File: {path}\n+written by the stub of the model\n*** End Patch"
        )),
        ("ask", question) => reply.ask_user(json!([{
            "id": "choice",
            "header": "Choice",
            "question": if question.is_empty() { "Which one?" } else { question },
            "options": [
                { "label": "First", "description": "The first option." },
                { "label": "Second", "description": "The second option." },
            ],
        }])),
        ("fail", code) => {
            let code = if code.is_empty() { "server_error" } else { code };
            reply.fail(code, format!("the stub of the model fails with {code}"))
        }
        ("status", status) => ModelReply::status(status.parse().unwrap_or(500), None),
        ("flood", times) => reply.deltas(times.parse().unwrap_or(1000), "drop "),
        ("hang", _) => reply.hang(),
        ("retry", rest) => {
            // Every request contains the id of its Codex thread, which keeps concurrent threads on one
            // stub apart.
            let thread = request.body()["prompt_cache_key"].as_str().unwrap_or_default().to_owned();
            let mut cut = cut.lock();
            if cut.remove(&thread) {
                reply.text(format!("second attempt: {rest}"))
            } else {
                cut.insert(thread);
                reply.text("first attempt").cut()
            }
        }
        _ => reply.text(format!("echo: {text}")),
    }
}

/// The output of a tool: a string, a list of content parts, or other JSON.
fn output_text(item: &Value) -> String {
    match &item["output"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join("\n")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_output_may_have_parts() {
        assert_eq!(output_text(&json!({ "output": "a" })), "a");
        assert_eq!(
            output_text(&json!({ "output": [{ "type": "input_text", "text": "a" }, { "text": "b" }] })),
            "a\nb"
        );
        assert_eq!(output_text(&json!({ "output": { "a": 1 } })), r#"{"a":1}"#);
    }
}
