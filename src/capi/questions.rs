//! Questions of the server: what waits, answers by hand, and a callback.
//!
//! Relies on the streams of server requests. Invariant: an answer reaches the question that its caller has seen, or
//! none, and is one that the question supports.

use std::{
    ffi::{CString, c_char, c_void},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::{
    buffers::{Place, json, object, optional_text, text, to_json},
    callback::{Callback, CallbackSlot},
    client::OpenClient,
    codex_client, codex_question_callback,
    failure::{Failure, Outcome, call, run},
    handles::get,
};
use crate::{Client, ServerRequest, ServerRequests, ServerResponse, error::Error};

type OnQuestion = extern "C" fn(*mut c_void, *const c_char);

/// The members of a question that say which it is.
const IDENTITY: [&str; 8] =
    ["key", "type", "kind", "method", "request_id", "thread_id", "turn_id", "item_id"];

/// Who gets the questions of a client.
#[derive(Default)]
pub(super) struct Questions {
    shown: Option<Shown>,
    /// The client was freed.
    is_closed: bool,
}

/// A callback for questions, and the stream that it is called for.
struct Shown {
    callback: CallbackSlot<OnQuestion>,
    _stream: Arc<Mutex<ServerRequests>>,
}

impl Shown {
    fn new(client: &Client, callback: Arc<Callback<OnQuestion>>) -> Shown {
        let stream = Arc::new(Mutex::new(client.server_requests()));
        let slot = CallbackSlot::default();
        slot.set(Some(Arc::clone(&callback)), drop);
        let weak = Arc::downgrade(&stream);
        stream.lock().on_ready(move || show_all(&weak, &callback));
        Shown { callback: slot, _stream: stream }
    }
}

/// Calls the program for each question that has come.
fn show_all(stream: &Weak<Mutex<ServerRequests>>, callback: &Callback<OnQuestion>) {
    let next = || stream.upgrade().and_then(|stream| stream.lock().try_next());
    while let Some(question) = next() {
        // It is answered at once; see `answer_by_hand`.
        if matches!(question, ServerRequest::CurrentTime(_)) {
            continue;
        }
        let text = to_json(&question).ok().and_then(|text| CString::new(text).ok());
        match text {
            Some(text) => callback.call(|function, user| function(user, text.as_ptr())),
            None => log::error!("a question can't be serialized"),
        }
    }
}

impl OpenClient {
    pub(super) fn set_questions(&self, callback: Option<Arc<Callback<OnQuestion>>>) {
        let mut questions = self.questions.lock();
        // Another thread may set one at the moment in which the client is freed.
        let callback = callback.filter(|_| !questions.is_closed);
        let before = questions.shown.take();
        if callback.is_some() || before.is_some() {
            self.client.answer_by_hand(self.is_manual || callback.is_some());
        }
        questions.shown = callback.map(|callback| Shown::new(&self.client, callback));
        drop(questions);
        // Not under the lock: it waits for a callback, which may call this.
        if let Some(before) = before {
            before.callback.close();
        }
    }

    /// No callback gets questions any more.
    pub(super) fn close_questions(&self) {
        self.questions.lock().is_closed = true;
        self.set_questions(None);
    }
}

/// The question as it waits.
fn find(client: &Client, question_json: *const c_char) -> Outcome<ServerRequest> {
    let given: Map<String, Value> = object("the question", question_json)?;
    let Some(key) = given.get("key") else {
        return Err(Failure::invalid("the question has no \"key\": pass it as it was given"));
    };
    let identity =
        |question: &Map<String, Value>| IDENTITY.map(|name| question.get(name).cloned().unwrap_or_default());
    let wanted = identity(&given);
    let is_it = |question: &ServerRequest| match serde_json::to_value(question) {
        Ok(Value::Object(question)) => identity(&question) == wanted,
        _ => false,
    };
    // The key alone first: it is cheap, and there may be thousands of questions.
    if let Some(question) = client.pending().into_iter().find(|question| *key == question.key()).filter(is_it)
    {
        return Ok(question);
    }
    if let Some(ended) = client.ended() {
        return Err(ended.into());
    }
    Err(Error::no_longer_pending("the question was answered or withdrawn, or belongs to another client")
        .into())
}

/// Gives all questions that wait for an answer, as an array. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_pending(client: *mut codex_client, out_json_array: *mut *mut c_char) -> i32 {
    call(|| {
        let place = Place::new(out_json_array)?;
        place.give_json(&get::<OpenClient>(client)?.client.pending())
    })
}

/// Answers a question, from any thread. question_json is the question as it was given (its "key" says which it is);
/// answer_json is the protocol's own result, such as {"decision": "accept"}, or NULL for the answer that grants
/// nothing. An answer that the question doesn't support, or that grants more than was asked for, is an error, and
/// nothing is sent. Blocks until it was written.
///
/// The answers by the "type" of the question: approval: {"decision": "accept"}, also "acceptForSession", "decline",
/// "cancel"; user_input: {"answers": {"ID": {"answers": ["LABEL"]}}}; permissions: {"permissions": {..}, "scope":
/// "turn"}; elicitation: {"action": "accept", "content": {..}}; tool_call: {"contentItems": [{"type": "inputText",
/// "text": ".."}], "success": true}.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_respond(
    client: *mut codex_client,
    question_json: *const c_char,
    answer_json: *const c_char,
) -> i32 {
    run(|| {
        let client = &get::<OpenClient>(client)?.client;
        let response = match optional_text("the answer", answer_json)? {
            Some(_) => ServerResponse::json(json::<Value>("the answer", answer_json)?),
            None => ServerResponse::pass(),
        };
        Ok(client.respond_server_request(&find(client, question_json)?, response)?)
    })
}

/// Answers a question with an error of JSON-RPC. Blocks until it was written.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_respond_error(
    client: *mut codex_client,
    question_json: *const c_char,
    code: i64,
    message: *const c_char,
) -> i32 {
    run(|| {
        let client = &get::<OpenClient>(client)?.client;
        let response = ServerResponse::error(code, text("the message", message)?);
        Ok(client.respond_server_request(&find(client, question_json)?, response)?)
    })
}

/// Has on_question called with user and each question, those first that wait already. From now on every question waits
/// for codex_client_respond, which can be called later, from any thread, or inside of the callback.
///
/// It runs on a thread of the library, for one question at a time, in order. Replaces an earlier one; NULL ends the
/// calls. Waits for a call that runs, unless it is made inside of a callback.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_on_question(
    client: *mut codex_client,
    on_question: codex_question_callback,
    user: *mut c_void,
) -> i32 {
    run(|| {
        let client = get::<OpenClient>(client)?;
        client.set_questions(on_question.map(|function| Callback::new(function, user)));
        Ok(())
    })
}
