//! Clients: connecting, calls, and beginning chats.
//!
//! Relies on `options`. Invariant: a client lives as long as its handle and those of its chats, threads, streams and
//! commands; closing it ends all of them.

use std::{
    ffi::{c_char, c_void},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    CODEX_NOTHING_YET,
    buffers::{Place, give_handle, give_json, json, object, object_or_default, optional_text, text},
    callback::Callback,
    chat::OpenChat,
    codex_callback, codex_chat, codex_client,
    failure::{Outcome, call, free, run},
    handles::{close, get},
    open_client::OpenClient,
    options::Options,
};
use crate::{
    BatchWriteConfig, ChatContinuation, ChatRequest, Input, ListModels, ListThreads, ReadConfig,
    WriteConfigValue,
};

/// The JSON of parameters that may be left out.
fn params(params_json: *const c_char) -> Outcome<Value> {
    match optional_text("the parameters", params_json)? {
        Some(_) => json("the parameters", params_json),
        None => Ok(json!({})),
    }
}

/// Connects to a server. Blocks until it can be written to, for at most "connect_timeout_ms".
///
/// options_json is an object; an unknown member is an error that lists the known ones. Of the transport:
///
/// - "transport": "stdio" (the default: runs the server as a child process), "websocket", "unix", or "scripted" (a
///   server in this process that echoes, for tests).
/// - stdio: "command" (an array; by default $CODEX_APP_SERVER_CMD, else codex app-server), "cwd", "env" (an object; null
///   removes a variable), "env_clear", "codex_home", "config" (an object of settings).
/// - websocket: "url" (by default $CODEX_APP_SERVER_WS_URL, else ws://127.0.0.1:8765), "token", "headers" (an object),
///   "allow_insecure_token", "proxy" (null: none), "ping_interval_ms", "pong_timeout_ms", "root_certificates" and
///   "client_certificate" (PEM; a build with tls).
/// - unix: "path" (by default the control socket in $CODEX_HOME), "ping_interval_ms", "pong_timeout_ms".
/// - scripted: "replay" (the path of a recording).
/// - all but scripted: "connect_timeout_ms".
///
/// Of the client: "request_timeout_ms" (30000), "inactivity_timeout_ms" (180000), "approval_timeout_ms" (null),
/// "user_input_timeout_ms" (300000), where null means no limit; "approval_mode"; "strict"; "client_info" ({"name",
/// "version", "title"}); "experimental_api"; "opt_out" (an array of methods); "max_frame_bytes" (null),
/// "max_buffered_bytes" (1 GiB); "record" ({"path", "unmasked"}).
///
/// "approval_mode": with "decline" (the default), what the server asks gets an answer at once that grants nothing.
/// With "manual", every question waits for codex_client_respond: look at codex_client_pending, or read
/// codex_client_questions. With codex_client_on_question every question waits in either mode.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_connect(options_json: *const c_char, out: *mut *mut codex_client) -> i32 {
    give_handle(out, || {
        let options: Options = object("the options", options_json)?;
        let is_manual = options.is_manual();
        Ok(OpenClient::new(options.connect()?, is_manual))
    })
}

/// Closes the connection in an orderly way: what waits on it fails, the server's process ends. Blocks for at most
/// 5 s. Can be called from any thread, from a callback, and more than once. The handles stay valid until they are
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_close(client: *mut codex_client) -> i32 {
    run(|| Ok(get::<OpenClient>(client)?.client.close()?))
}

/// Frees a client. Waits for a callback that runs, unless it is called inside of a callback; none comes after. NULL
/// does nothing.
///
/// The connection ends with its last handle (chats, threads, streams and commands count), which blocks for at most
/// 0.5 s; codex_client_close ends it at once.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_free(client: *mut codex_client) {
    free(|| close::<OpenClient>(client));
}

/// Performs the handshake, and gives what the server says (an InitializeResult as JSON). The first call of any kind
/// does it too. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_initialize(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenClient>(client)?.client.initialize()?))
}

/// Sends any request of the protocol, and gives its result. params_json may be NULL: {}. Blocks for at most the
/// request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_request(
    client: *mut codex_client,
    method: *const c_char,
    params_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.request(text("the method", method)?, params(params_json)?)?)
    })
}

/// Same as codex_client_request with its own limit; less than 0 means none.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_request_with_timeout(
    client: *mut codex_client,
    method: *const c_char,
    params_json: *const c_char,
    timeout_ms: i64,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        let limit = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        let client = client.client.with_request_timeout(limit);
        Ok(client.request(text("the method", method)?, params(params_json)?)?)
    })
}

/// Sends a notification. params_json may be NULL: {}. Blocks until it was written.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_notify(
    client: *mut codex_client,
    method: *const c_char,
    params_json: *const c_char,
) -> i32 {
    run(|| {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.notify(text("the method", method)?, params(params_json)?)?)
    })
}

/// Gives counters of the connection (Stats as JSON). Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_stats(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenClient>(client)?.client.stats()))
}

/// Tells whether the connection has ended: CODEX_ITEM with the reason as an error's JSON, or CODEX_OK while it is open.
/// Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_ended(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        place.give_item(get::<OpenClient>(client)?.client.ended().as_ref())
    })
}

/// Gives {"server_pid", "server_url"}, each null where there is none. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_info(client: *mut codex_client, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || {
        let client = &get::<OpenClient>(client)?.client;
        Ok(json!({ "server_pid": client.server_pid(), "server_url": client.server_url() }))
    })
}

/// Tells whether the server knows a method: 1 (yes), 0 (no), or CODEX_NOTHING_YET where it can't be known. Blocks for
/// at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_supports(client: *mut codex_client, method: *const c_char) -> i32 {
    call(|| {
        let client = get::<OpenClient>(client)?;
        let answer = client.client.supports(text("the method", method)?)?;
        Ok(answer.map_or(CODEX_NOTHING_YET, i32::from))
    })
}

/// Has on_ready called with user after each change of anything of this connection: an item or the end of any stream, a
/// question, the end of the connection. Calls may be merged.
///
/// It runs on a thread of the library, never twice at the same time, and should only wake the program's own event
/// loop. Replaces an earlier one; NULL ends the calls. Set it before the first chat: chats that were begun before don't
/// tell of their time limits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_on_ready(
    client: *mut codex_client,
    on_ready: codex_callback,
    user: *mut c_void,
) -> i32 {
    run(|| {
        let client = get::<OpenClient>(client)?;
        client.set_on_ready(on_ready.map(|function| Callback::new(function, user)));
        Ok(())
    })
}

/// Runs a turn to its end, and gives the result (a ChatResult as JSON).
///
/// request_json is a ChatRequest: {"text": "Hello"}, with "thread_id", "overrides", "continuation" and so on. Blocks
/// until the turn has ended, or has been inactive for its limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_chat_once(
    client: *mut codex_client,
    request_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.chat_once(object::<ChatRequest>("the request", request_json)?)?)
    })
}

/// Starts a turn, and gives its steps as a chat. Blocks until the server has accepted it.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_chat(
    client: *mut codex_client,
    request_json: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        let chat = client.client.chat(object::<ChatRequest>("the request", request_json)?)?;
        Ok(OpenChat::from(chat))
    })
}

/// Same as codex_client_chat, with all events (TurnEvents as JSON) instead of steps.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_chat_events(
    client: *mut codex_client,
    request_json: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        let chat = client.client.chat_events(object::<ChatRequest>("the request", request_json)?)?;
        Ok(OpenChat::from(chat))
    })
}

/// Runs a turn whose answer follows a JSON schema, and gives {"value", "result"}: the answer, and the ChatResult.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_chat_json(
    client: *mut codex_client,
    request_json: *const c_char,
    schema_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        let request: ChatRequest = object("the request", request_json)?;
        let schema: Value = json("the schema", schema_json)?;
        Ok(client.client.chat_json::<Value>(request, schema)?)
    })
}

/// Gives the events of all turns of a thread, whoever starts them, as a chat. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_follow(
    client: *mut codex_client,
    thread_id: *const c_char,
    out: *mut *mut codex_chat,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        Ok(OpenChat::from(client.client.follow(text("the thread id", thread_id)?)?))
    })
}

/// Interrupts the turn of a continuation, waits for its end, and gives what was not read (a CancelResult as JSON).
/// Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_cancel(
    client: *mut codex_client,
    continuation_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        let continuation: ChatContinuation = object("the continuation", continuation_json)?;
        Ok(client.client.cancel(&continuation)?)
    })
}

/// Drops what is kept for a continuation. The turn goes on on the server. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_forget(client: *mut codex_client, continuation_json: *const c_char) -> i32 {
    run(|| {
        let client = get::<OpenClient>(client)?;
        client.client.forget(&object::<ChatContinuation>("the continuation", continuation_json)?);
        Ok(())
    })
}

/// Interrupts a turn, which may be another client's if thread_id is not NULL. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_interrupt_turn(
    client: *mut codex_client,
    thread_id: *const c_char,
    turn_id: *const c_char,
) -> i32 {
    run(|| {
        let client = get::<OpenClient>(client)?;
        let turn_id = text("the turn id", turn_id)?;
        match optional_text("the thread id", thread_id)? {
            Some(thread_id) => client.client.interrupt_turn_on(thread_id, turn_id)?,
            None => client.client.interrupt_turn(turn_id)?,
        }
        Ok(())
    })
}

/// Adds a message to a running turn. input_json is an array of input items, such as [{"type": "text", "text": "Stop"}].
/// Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_steer_turn(
    client: *mut codex_client,
    thread_id: *const c_char,
    turn_id: *const c_char,
    input_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        let (thread_id, turn_id) = (text("the thread id", thread_id)?, text("the turn id", turn_id)?);
        let input: Input = json("the input", input_json)?;
        Ok(client.client.steer_turn(thread_id, turn_id, input)?)
    })
}

/// Gives a page of the server's threads, in the protocol's JSON. options_json is ListThreads as JSON ({"limit",
/// "cursor", ..}), or NULL. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_list_threads(
    client: *mut codex_client,
    options_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.list_threads(object_or_default::<ListThreads>("the options", options_json)?)?)
    })
}

/// Gives a page of the models, in the protocol's JSON. options_json is ListModels as JSON, or NULL. Blocks for at most
/// the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_list_models(
    client: *mut codex_client,
    options_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.list_models(object_or_default::<ListModels>("the options", options_json)?)?)
    })
}

/// Gives the server's configuration, in the protocol's JSON. options_json is ReadConfig as JSON, or NULL. Blocks for at
/// most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_read_config(
    client: *mut codex_client,
    options_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.read_config(object_or_default::<ReadConfig>("the options", options_json)?)?)
    })
}

/// Gives what the configuration must keep to, in the protocol's JSON. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_read_config_requirements(
    client: *mut codex_client,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || Ok(get::<OpenClient>(client)?.client.read_config_requirements()?))
}

/// Writes a value of the configuration. write_json is WriteConfigValue as JSON ({"key_path", "value", ..}). Blocks for
/// at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_write_config_value(
    client: *mut codex_client,
    write_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.write_config_value(object::<WriteConfigValue>("the value", write_json)?)?)
    })
}

/// Writes several values of the configuration. batch_json is BatchWriteConfig as JSON ({"edits", ..}). Blocks for at
/// most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_batch_write_config(
    client: *mut codex_client,
    batch_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        Ok(client.client.batch_write_config(object::<BatchWriteConfig>("the values", batch_json)?)?)
    })
}
