//! Threads: conversations of several turns, by a handle.
//!
//! Relies on `ThreadHandle`. Invariant: freeing a handle has no effect on its thread.

use std::{ffi::c_char, sync::Arc};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    buffers::{Place, give_handle, give_json, json, object, object_or_default, optional_text, text},
    chat::OpenChat,
    codex_chat, codex_client, codex_thread,
    failure::{Outcome, call, free, run},
    handles::{Handled, close, get},
    open_client::OpenClient,
};
use crate::{
    ChatRequest, ReviewDelivery, ThreadConfig, ThreadHandle, Tool, ToolOutput, error::Error, protocol::Turn,
};

pub(super) struct OpenThread(ThreadHandle);

impl Handled for OpenThread {
    type Handle = codex_thread;
    const KIND: u8 = 4;
    const NAME: &str = "codex_thread";
}

fn config(config_json: *const c_char) -> Outcome<ThreadConfig> {
    object_or_default("the configuration", config_json)
}

fn request(request_json: *const c_char) -> Outcome<ChatRequest> {
    object("the request", request_json)
}

/// The declaration of a tool, whose calls are questions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredTool {
    name: String,
    description: String,
    input_schema: Value,
    namespace: Option<Namespace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Namespace {
    name: String,
    description: String,
}

impl From<DeclaredTool> for Tool {
    fn from(declared: DeclaredTool) -> Tool {
        let DeclaredTool { name, description, input_schema, namespace } = declared;
        // Only declared: never called here.
        let tool = Tool::new(name, description, input_schema, |_| Ok(ToolOutput::text("")));
        match namespace {
            Some(Namespace { name, description }) => tool.namespace(name, description),
            None => tool,
        }
    }
}

/// Starts a thread. config_json is a ThreadConfig ({"model", "cwd", ..}), or NULL. Blocks for at most the request
/// limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_start_thread(
    client: *mut codex_client,
    config_json: *const c_char,
    out: *mut *mut codex_thread,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        Ok(OpenThread(client.client.start_thread(config(config_json)?)?))
    })
}

/// Starts a thread with tools of the program, whose calls are questions of the type "tool_call": answer them with
/// codex_client_respond.
///
/// tools_json is an array of {"name", "description", "input_schema", "namespace": {"name", "description"}}, the last of
/// which may be left out. Needs "experimental_api" at codex_client_connect. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_start_thread_with_tools(
    client: *mut codex_client,
    config_json: *const c_char,
    tools_json: *const c_char,
    out: *mut *mut codex_thread,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        let tools: Vec<DeclaredTool> = json("the tools", tools_json)?;
        let tools = tools.into_iter().map(Tool::from);
        Ok(OpenThread(client.client.start_thread_with_declared_tools(config(config_json)?, tools)?))
    })
}

/// Resumes a thread of this or an earlier program. config_json is a ThreadConfig, or NULL. Blocks for at most the
/// request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_resume_thread(
    client: *mut codex_client,
    thread_id: *const c_char,
    config_json: *const c_char,
    out: *mut *mut codex_thread,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        let id = text("the thread id", thread_id)?;
        Ok(OpenThread(client.client.resume_thread(id, config(config_json)?)?))
    })
}

/// Gives a handle for a stored thread by its id, without asking the server: to read, name or archive one of
/// codex_client_list_threads. What needs it loaded, such as a chat, resumes it first. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_thread(
    client: *mut codex_client,
    thread_id: *const c_char,
    out: *mut *mut codex_thread,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        Ok(OpenThread(client.client.thread(text("the thread id", thread_id)?)))
    })
}

/// Copies a thread into a new one, up to last_turn_id if that is not NULL. config_json is a ThreadConfig, or NULL.
/// Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_fork_thread(
    client: *mut codex_client,
    thread_id: *const c_char,
    last_turn_id: *const c_char,
    config_json: *const c_char,
    out: *mut *mut codex_thread,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        let (id, config) = (text("the thread id", thread_id)?, config(config_json)?);
        let fork = match optional_text("the turn id", last_turn_id)? {
            Some(turn) => client.client.fork_thread_at(id, turn, config)?,
            None => client.client.fork_thread(id, config)?,
        };
        Ok(OpenThread(fork))
    })
}

/// Gives what is known of the thread: {"thread_id", "defaults", "not_applied", "info"}, the last being what the server
/// answered at start, resume or fork. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_info(thread: *mut codex_thread, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || {
        let thread = &get::<OpenThread>(thread)?.0;
        Ok(json!({
            "thread_id": thread.thread_id(),
            "defaults": thread.defaults(),
            "not_applied": thread.not_applied(),
            "info": thread.info(),
        }))
    })
}

/// Runs a turn in the thread to its end, and gives the result, like codex_client_chat_once. The request has no
/// "thread_id".
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_chat_once(
    thread: *mut codex_thread,
    request_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || Ok(get::<OpenThread>(thread)?.0.chat_once(request(request_json)?)?))
}

/// Starts a turn in the thread, and gives its steps, like codex_client_chat.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_chat(
    thread: *mut codex_thread,
    request_json: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || Ok(OpenChat::from(get::<OpenThread>(thread)?.0.chat(request(request_json)?)?)))
}

/// Starts a turn in the thread, and gives its events, like codex_client_chat_events.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_chat_events(
    thread: *mut codex_thread,
    request_json: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || Ok(OpenChat::from(get::<OpenThread>(thread)?.0.chat_events(request(request_json)?)?)))
}

/// Runs a turn in the thread whose answer follows a JSON schema, like codex_client_chat_json.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_chat_json(
    thread: *mut codex_thread,
    request_json: *const c_char,
    schema_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let thread = get::<OpenThread>(thread)?;
        let schema: Value = json("the schema", schema_json)?;
        Ok(thread.0.chat_json::<Value>(request(request_json)?, schema)?)
    })
}

/// Gives the thread in the protocol's JSON, with its turns if include_turns is not 0. Blocks for at most the request
/// limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_read(
    thread: *mut codex_thread,
    include_turns: i32,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || Ok(get::<OpenThread>(thread)?.0.read(include_turns != 0)?))
}

/// Gives all turns with all their items, the oldest first, as an array in the protocol's JSON. Blocks for each page for
/// at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_turns(thread: *mut codex_thread, out_json_array: *mut *mut c_char) -> i32 {
    give_json(out_json_array, || {
        let turns: Vec<Turn> = get::<OpenThread>(thread)?.0.turns().collect::<Result<_, Error>>()?;
        Ok(turns)
    })
}

/// Gives what the server last reported of the thread's tokens, or CODEX_OK without a result. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_token_usage(thread: *mut codex_thread, out_json: *mut *mut c_char) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        place.give_item(get::<OpenThread>(thread)?.0.token_usage().as_ref())
    })
}

/// Sets the name. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_set_name(thread: *mut codex_thread, name: *const c_char) -> i32 {
    run(|| Ok(get::<OpenThread>(thread)?.0.set_name(text("the name", name)?)?))
}

/// Moves the thread to the archive. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_archive(thread: *mut codex_thread) -> i32 {
    run(|| Ok(get::<OpenThread>(thread)?.0.archive()?))
}

/// Takes the thread back from the archive. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_unarchive(thread: *mut codex_thread) -> i32 {
    run(|| Ok(get::<OpenThread>(thread)?.0.unarchive()?))
}

/// Has the history summarized, and returns when that is over. Blocks for at most the inactivity limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_compact(thread: *mut codex_thread) -> i32 {
    run(|| Ok(get::<OpenThread>(thread)?.0.compact()?))
}

/// Drops the last num_turns turns, and gives the thread in the protocol's JSON. Blocks for the requests that are needed;
/// each has the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_rollback(
    thread: *mut codex_thread,
    num_turns: u32,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || Ok(get::<OpenThread>(thread)?.0.rollback(num_turns)?))
}

/// Starts a review, and gives its steps as a chat. target_json is such as {"type": "uncommittedChanges"}; delivery is
/// NULL, "inline" or "detached". Blocks for the requests that are needed; each has the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_review(
    thread: *mut codex_thread,
    target_json: *const c_char,
    delivery: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || {
        let (thread, target, delivery) = review(thread, target_json, delivery)?;
        Ok(OpenChat::from(thread.0.start_review(target, delivery)?))
    })
}

/// Starts a review, and gives its events as a chat, like codex_thread_review.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_review_events(
    thread: *mut codex_thread,
    target_json: *const c_char,
    delivery: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || {
        let (thread, target, delivery) = review(thread, target_json, delivery)?;
        Ok(OpenChat::from(thread.0.start_review_events(target, delivery)?))
    })
}

fn review(
    thread: *mut codex_thread,
    target_json: *const c_char,
    delivery: *const c_char,
) -> Outcome<(Arc<OpenThread>, Value, Option<ReviewDelivery>)> {
    let thread = get::<OpenThread>(thread)?;
    let target = json("the target", target_json)?;
    let delivery = optional_text("the delivery", delivery)?.map(ReviewDelivery::from);
    Ok((thread, target, delivery))
}

/// Changes the settings of later turns. config_json is a ThreadConfig. Blocks for the requests that are needed; each has
/// the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_update_defaults(thread: *mut codex_thread, config_json: *const c_char) -> i32 {
    run(|| {
        let thread = get::<OpenThread>(thread)?;
        Ok(thread.0.update_defaults(object("the configuration", config_json)?)?)
    })
}

/// Copies the thread into a new one with the same defaults, up to last_turn_id if that is not NULL. config_json is a
/// ThreadConfig that changes the defaults, or NULL. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_fork(
    thread: *mut codex_thread,
    last_turn_id: *const c_char,
    config_json: *const c_char,
    out: *mut *mut codex_thread,
) -> i32 {
    give_handle(out, || {
        let thread = get::<OpenThread>(thread)?;
        let config = config(config_json)?;
        let fork = match optional_text("the turn id", last_turn_id)? {
            Some(turn) => thread.0.fork_at(turn, config)?,
            None => thread.0.fork(config)?,
        };
        Ok(OpenThread(fork))
    })
}

/// Has the server close the thread, which frees what it keeps for it. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_unload(thread: *mut codex_thread) -> i32 {
    run(|| Ok(get::<OpenThread>(thread)?.0.unload()?))
}

/// Frees the handle; the thread stays as it is. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn codex_thread_free(thread: *mut codex_thread) {
    free(|| close::<OpenThread>(thread));
}
