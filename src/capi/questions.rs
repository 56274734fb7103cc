//! Questions of the server: what waits, answers by hand, and who is called with them.
//!
//! Relies on `open_client`. Invariant: an answer reaches the question that its caller has seen, or
//! none, and is one that the question supports.

use std::ffi::{c_char, c_void};

use serde_json::{Map, Value};

use super::{
    buffers::{give_json, json, object, optional_text, text},
    callback::Callback,
    codex_client, codex_question_callback,
    failure::{Failure, Outcome, run},
    handles::get,
    open_client::OpenClient,
};
use crate::{Client, ServerRequest, ServerResponse, error::Error};

/// The members of a question that say which it is.
const IDENTITY: [&str; 8] =
    ["key", "type", "kind", "method", "request_id", "thread_id", "turn_id", "item_id"];

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
    give_json(out_json_array, || Ok(get::<OpenClient>(client)?.client.pending()))
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
        client.set_on_question(on_question.map(|function| Callback::new(function, user)));
        Ok(())
    })
}
