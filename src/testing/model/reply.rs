//! The stub's replies: a builder of steps, and their encoding.
//!
//! Relies on serde_json only; performs no I/O and doesn't wait. Invariant: item ids come from the
//! caller's counter, so that they are unique for the counter's lifetime.

use std::time::Duration;

use serde_json::{Value, json};

/// A scripted reply of the model: steps in the order in which they are added.
///
/// The stub sends `response.created` before the steps and `response.completed` (with fixed token usage)
/// after them, unless [`fail`](Self::fail), [`hang`](Self::hang) or [`cut`](Self::cut) ends the reply;
/// steps after one of these are not sent. Building a reply has no effect; the stub plays the reply that
/// the script returns.
///
/// ```
/// use codex_blocking::testing::ModelReply;
///
/// let reply = ModelReply::new().reasoning("**Looking**", "I should look first.").command("ls");
/// # let _ = reply;
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "the script has to return it"]
pub struct ModelReply {
    /// The HTTP error sent instead of the steps.
    status: Option<(u16, Option<Value>)>,
    steps: Vec<ReplyStep>,
}

#[derive(Debug, Clone)]
enum ReplyStep {
    Message(Vec<Deltas>),
    Reasoning { summary: String, text: String },
    Call { name: String, arguments: Value },
    Event { kind: String, data: Value },
    Delay(Duration),
    Fail { code: String, message: String },
    Hang,
    Cut,
}

/// A delta that is sent `times` times.
#[derive(Debug, Clone)]
struct Deltas {
    chunk: String,
    times: usize,
}

/// A reply in the form that the connection sends.
#[derive(Debug)]
pub(super) enum Played {
    /// A single JSON response with this HTTP status.
    Status(u16, Value),
    /// A stream of events.
    Stream(Vec<Action>),
}

#[derive(Debug)]
pub(super) enum Action {
    /// Writes these bytes `times` times.
    Write { bytes: Vec<u8>, times: usize },
    /// Flushes, then waits.
    Pause(Duration),
    /// Flushes, then waits for the end of the connection.
    Hang,
}

impl ModelReply {
    /// Creates a reply without output.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a reply with an HTTP error (such as 500 or 429) and a JSON body; without a body the stub
    /// generates one.
    ///
    /// Steps added to it are not sent. Codex distinguishes kinds of errors by `error.code` and
    /// `error.type` in the body.
    pub fn status(status: u16, body: impl Into<Option<Value>>) -> Self {
        ModelReply { status: Some((status, body.into())), steps: Vec::new() }
    }

    /// Adds a message, streamed in at most four deltas.
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.step(ReplyStep::Message(pieces(text.as_ref())))
    }

    /// Adds a message that repeats `chunk` `times` times, with one delta for each.
    pub fn deltas(self, times: usize, chunk: impl Into<String>) -> Self {
        self.step(ReplyStep::Message(vec![Deltas { chunk: chunk.into(), times }]))
    }

    /// Adds a reasoning item with a summary and raw text, both streamed.
    pub fn reasoning(self, summary: impl Into<String>, text: impl Into<String>) -> Self {
        self.step(ReplyStep::Reasoning { summary: summary.into(), text: text.into() })
    }

    /// Adds a call that runs a shell command in the sandbox.
    ///
    /// As with all tool calls, the next request contains the result; see [`ModelRequest::tool_output`].
    ///
    /// [`ModelRequest::tool_output`]: super::ModelRequest::tool_output
    pub fn command(self, command: impl AsRef<str>) -> Self {
        self.call("exec_command", json!({ "cmd": command.as_ref() }))
    }

    /// Adds a call that runs a shell command outside the sandbox, for which Codex asks for approval (with
    /// approval policy `on-request`).
    pub fn escalated_command(self, command: impl AsRef<str>, justification: impl AsRef<str>) -> Self {
        let arguments = json!({
            "cmd": command.as_ref(),
            "sandbox_permissions": "require_escalated",
            "justification": justification.as_ref(),
        });
        self.call("exec_command", arguments)
    }

    /// Adds a call that applies a patch (`*** Begin Patch` to `*** End Patch`).
    ///
    /// Codex asks for approval if a path is outside the writable roots (with approval policy
    /// `on-request`).
    pub fn apply_patch(self, patch: impl AsRef<str>) -> Self {
        let patch = patch.as_ref().trim_end();
        let mut end = "EOF".to_owned();
        while patch.lines().any(|line| line == end) {
            end.push('_');
        }
        self.command(format!("apply_patch <<'{end}'\n{patch}\n{end}\n"))
    }

    /// Adds a call that asks the user; `questions` is a list of `{id, header, question, options: [{label,
    /// description}]}`.
    ///
    /// Codex forwards the question in plan mode only (`collaborationMode` of `turn/start`); otherwise it
    /// reports this to the model.
    pub fn ask_user(self, questions: Value) -> Self {
        self.call("request_user_input", json!({ "questions": questions }))
    }

    /// Adds a call of any function tool, such as a dynamic one.
    pub fn call(self, name: impl Into<String>, arguments: Value) -> Self {
        self.step(ReplyStep::Call { name: name.into(), arguments })
    }

    /// Adds any event of the Responses API; `type` is added if the data is an object without it.
    pub fn event(self, kind: impl Into<String>, data: Value) -> Self {
        self.step(ReplyStep::Event { kind: kind.into(), data })
    }

    /// Adds a delay before the next step. Dropping the stub ends the delay.
    pub fn delay(self, delay: Duration) -> Self {
        self.step(ReplyStep::Delay(delay))
    }

    /// Fails the response, for example with `context_length_exceeded`, `rate_limit_exceeded` or
    /// `server_error`.
    pub fn fail(self, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.step(ReplyStep::Fail { code: code.into(), message: message.into() })
    }

    /// Keeps the stream open without events until the client closes it or the stub is dropped.
    pub fn hang(self) -> Self {
        self.step(ReplyStep::Hang)
    }

    /// Ends the stream here, in the middle of the response.
    ///
    /// After [`text`](Self::text) or [`deltas`](Self::deltas) the message has all its deltas but is never
    /// completed.
    pub fn cut(self) -> Self {
        self.step(ReplyStep::Cut)
    }

    fn step(mut self, step: ReplyStep) -> Self {
        self.steps.push(step);
        self
    }

    /// Encodes the reply; `next_id` numbers the response and its items.
    pub(super) fn play(self, next_id: impl FnMut() -> u64) -> Played {
        if let Some((status, body)) = self.status {
            let message = format!("the model stub answers with status {status}");
            let body = body.unwrap_or_else(|| json!({ "error": { "code": null, "message": message } }));
            return Played::Status(status, body);
        }
        let mut wire = EventWriter { actions: Vec::new(), next_id, output_index: 0 };
        wire.response(self.steps);
        Played::Stream(wire.actions)
    }
}

/// Encodes steps as bytes.
struct EventWriter<F> {
    actions: Vec<Action>,
    next_id: F,
    /// How many items this response already has.
    output_index: usize,
}

impl<F: FnMut() -> u64> EventWriter<F> {
    fn response(&mut self, steps: Vec<ReplyStep>) {
        let response = self.id("resp");
        self.event("response.created", json!({ "response": { "id": response } }));
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            match step {
                ReplyStep::Message(deltas) => {
                    let complete = !matches!(steps.peek(), Some(ReplyStep::Cut));
                    self.message(&deltas, complete);
                }
                ReplyStep::Reasoning { summary, text } => self.reasoning(&summary, &text),
                ReplyStep::Call { name, arguments } => {
                    let call = self.id("call");
                    self.item_done(json!({
                        "type": "function_call",
                        "name": name,
                        "arguments": arguments.to_string(),
                        "call_id": call,
                    }));
                }
                ReplyStep::Event { kind, data } => self.event(&kind, data),
                ReplyStep::Delay(delay) => self.actions.push(Action::Pause(delay)),
                ReplyStep::Fail { code, message } => {
                    let error = json!({ "code": code, "message": message });
                    return self
                        .event("response.failed", json!({ "response": { "id": response, "error": error } }));
                }
                ReplyStep::Hang => return self.actions.push(Action::Hang),
                ReplyStep::Cut => return,
            }
        }
        // Fixed, but distinct numbers in the range of a short turn, so that sums are distinguishable.
        let usage = json!({
            "input_tokens": 100,
            "input_tokens_details": { "cached_tokens": 40 },
            "output_tokens": 20,
            "output_tokens_details": { "reasoning_tokens": 5 },
            "total_tokens": 120,
        });
        self.event("response.completed", json!({ "response": { "id": response, "usage": usage } }));
    }

    fn message(&mut self, deltas: &[Deltas], complete: bool) {
        let id = self.id("msg");
        let index = self.output_index;
        let item = json!({ "type": "message", "role": "assistant", "id": id, "content": [] });
        self.event("response.output_item.added", json!({ "output_index": index, "item": item }));
        for Deltas { chunk, times } in deltas {
            let delta = json!({ "item_id": id, "output_index": index, "content_index": 0, "delta": chunk });
            self.repeated_event("response.output_text.delta", delta, *times);
        }
        if complete {
            let text: String = deltas.iter().map(|deltas| deltas.chunk.repeat(deltas.times)).collect();
            let content = json!([{ "type": "output_text", "text": text }]);
            self.item_done(json!({ "type": "message", "role": "assistant", "id": id, "content": content }));
        }
    }

    fn reasoning(&mut self, summary: &str, text: &str) {
        let id = self.id("rs");
        let index = self.output_index;
        let item = json!({ "type": "reasoning", "id": id, "summary": [], "content": [] });
        self.event("response.output_item.added", json!({ "output_index": index, "item": item }));
        self.event(
            "response.reasoning_summary_part.added",
            json!({ "item_id": id, "output_index": index, "summary_index": 0 }),
        );
        for Deltas { chunk, .. } in pieces(summary) {
            self.event(
                "response.reasoning_summary_text.delta",
                json!({ "item_id": id, "output_index": index, "summary_index": 0, "delta": chunk }),
            );
        }
        for Deltas { chunk, .. } in pieces(text) {
            self.event(
                "response.reasoning_text.delta",
                json!({ "item_id": id, "output_index": index, "content_index": 0, "delta": chunk }),
            );
        }
        self.item_done(json!({
            "type": "reasoning",
            "id": id,
            "summary": [{ "type": "summary_text", "text": summary }],
            "content": [{ "type": "reasoning_text", "text": text }],
            "encrypted_content": null,
        }));
    }

    fn item_done(&mut self, item: Value) {
        let index = self.output_index;
        self.output_index += 1;
        self.event("response.output_item.done", json!({ "output_index": index, "item": item }));
    }

    fn event(&mut self, kind: &str, data: Value) {
        self.repeated_event(kind, data, 1);
    }

    /// Encodes the event once, however often it is sent: benchmarks of floods use it.
    fn repeated_event(&mut self, kind: &str, mut data: Value, times: usize) {
        if let Value::Object(members) = &mut data {
            members.entry("type").or_insert_with(|| kind.into());
        }
        let bytes = format!("event: {kind}\ndata: {data}\n\n").into_bytes();
        self.actions.push(Action::Write { bytes, times });
    }

    fn id(&mut self, prefix: &str) -> String {
        let number = (self.next_id)();
        format!("{prefix}_{number}")
    }
}

/// Splits the text into at most four pieces, between words.
fn pieces(text: &str) -> Vec<Deltas> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let per_piece = words.len().div_ceil(4).max(1);
    words.chunks(per_piece).map(|words| Deltas { chunk: words.concat(), times: 1 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a reply, with repeated events expanded.
    fn events(reply: ModelReply) -> Vec<Value> {
        let mut last = 0;
        let Played::Stream(actions) = reply.play(|| {
            last += 1;
            last
        }) else {
            panic!("not a stream");
        };
        let mut events = Vec::new();
        for action in actions {
            if let Action::Write { bytes, times } = action {
                let text = String::from_utf8(bytes).unwrap();
                let (_, data) = text.split_once("\ndata: ").unwrap();
                events.extend(std::iter::repeat_n(serde_json::from_str::<Value>(data).unwrap(), times));
            }
        }
        events
    }

    fn kinds(reply: ModelReply) -> Vec<String> {
        events(reply).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn pieces_join_to_the_text() {
        for text in [
            "",
            " ",
            "one",
            "a b c d e f g h i",
            "ends with blanks  ",
            "zwölf Boxkämpfer\njagen Viktor quer ",
        ] {
            let pieces = pieces(text);
            assert!(pieces.len() <= 4);
            assert_eq!(pieces.iter().map(|piece| piece.chunk.as_str()).collect::<String>(), text);
        }
    }

    #[test]
    fn deltas_add_up_to_the_message() {
        let events = events(ModelReply::new().deltas(3, "ab"));
        let joined: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
        let done = events.iter().find(|event| event["type"] == "response.output_item.done").unwrap();
        assert_eq!(joined, "ababab");
        assert_eq!(done["item"]["content"][0]["text"], "ababab");
    }

    #[test]
    fn nothing_follows_the_end_of_a_reply() {
        let message = ["response.created", "response.output_item.added", "response.output_text.delta"];
        assert_eq!(kinds(ModelReply::new().text("a").cut().text("b")), message);
        assert_eq!(kinds(ModelReply::new().hang().text("b")), ["response.created"]);
        assert_eq!(
            kinds(ModelReply::new().fail("x", "y").text("b")),
            ["response.created", "response.failed"]
        );
    }

    #[test]
    fn the_end_of_a_here_document_is_no_line_of_the_patch() {
        let events =
            events(ModelReply::new().apply_patch("*** Begin Patch\n*** Add File: a\nEOF\n*** End Patch\n"));
        let arguments: Value =
            serde_json::from_str(events[1]["item"]["arguments"].as_str().unwrap()).unwrap();
        assert!(arguments["cmd"].as_str().unwrap().ends_with("\n*** End Patch\nEOF_\n"));
    }

    #[test]
    fn a_raw_event_keeps_its_own_type() {
        let events = events(ModelReply::new().event("a", json!({})).event("b", json!({ "type": "c" })));
        assert_eq!((&events[1]["type"], &events[2]["type"]), (&json!("a"), &json!("c")));
    }
}
