//! Streams of notifications and of questions.
//!
//! Relies on `reader`. Invariant: a slow reader delays nothing else.

use std::ffi::{c_char, c_void};

use super::{
    buffers::{Place, give_handle},
    codex_callback, codex_client, codex_stream,
    failure::{call, free, run},
    handles::{Handled, close, get},
    open_client::OpenClient,
    reader::Reader,
};
use crate::{Notifications, ServerRequests};

pub(super) enum OpenStream {
    Notifications(Reader<Notifications>),
    Questions(Reader<ServerRequests>),
}

macro_rules! with_reader {
    ($stream:expr, $reader:ident => $body:expr) => {
        match &*$stream {
            OpenStream::Notifications($reader) => $body,
            OpenStream::Questions($reader) => $body,
        }
    };
}

impl Handled for OpenStream {
    type Handle = codex_stream;
    const KIND: u8 = 3;
    const NAME: &str = "codex_stream";

    fn freed(&self) {
        with_reader!(self, reader => reader.close());
    }
}

/// Opens a stream of all notifications of the server, as {"method", "params"}. What is not read for long is dropped,
/// the oldest first, and counted in codex_client_stats.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_notifications(client: *mut codex_client, out: *mut *mut codex_stream) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        Ok(OpenStream::Notifications(Reader::new(client.client.notifications())))
    })
}

/// Opens a stream of the questions of the server: approvals, user input, tool calls, and so on. It begins with those
/// that wait for an answer. Answer them with codex_client_respond.
///
/// Which questions wait for an answer is told at codex_client_connect, "approval_mode".
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_questions(client: *mut codex_client, out: *mut *mut codex_stream) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        Ok(OpenStream::Questions(Reader::new(client.client.server_requests())))
    })
}

/// Reads the next item as JSON, like codex_chat_next. CODEX_ENDED after the end of the connection, or after
/// codex_stream_end.
#[unsafe(no_mangle)]
pub extern "C" fn codex_stream_next(
    stream: *mut codex_stream,
    timeout_ms: i64,
    out_json: *mut *mut c_char,
) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        let stream = get::<OpenStream>(stream)?;
        with_reader!(stream, reader => reader.next(timeout_ms, &place))
    })
}

/// Reads the next items as a JSON array, like codex_chat_next_batch.
#[unsafe(no_mangle)]
pub extern "C" fn codex_stream_next_batch(
    stream: *mut codex_stream,
    timeout_ms: i64,
    max: u32,
    out_json_array: *mut *mut c_char,
) -> i32 {
    call(|| {
        let place = Place::new(out_json_array)?;
        let stream = get::<OpenStream>(stream)?;
        with_reader!(stream, reader => reader.next_batch(timeout_ms, max, &place))
    })
}

/// Returns a descriptor that is readable while there is something to read, like codex_chat_fd.
#[unsafe(no_mangle)]
pub extern "C" fn codex_stream_fd(stream: *mut codex_stream) -> i32 {
    call(|| {
        let stream = get::<OpenStream>(stream)?;
        with_reader!(stream, reader => reader.fd())
    })
}

/// Has on_ready called with user when there is something to read, like codex_chat_on_ready.
#[unsafe(no_mangle)]
pub extern "C" fn codex_stream_on_ready(
    stream: *mut codex_stream,
    on_ready: codex_callback,
    user: *mut c_void,
) -> i32 {
    run(|| {
        let stream = get::<OpenStream>(stream)?;
        with_reader!(stream, reader => reader.on_ready(on_ready, user))
    })
}

/// Ends the stream, from any thread: a call that waits returns CODEX_ENDED, and so do all that follow.
#[unsafe(no_mangle)]
pub extern "C" fn codex_stream_end(stream: *mut codex_stream) -> i32 {
    run(|| {
        let stream = get::<OpenStream>(stream)?;
        with_reader!(stream, reader => reader.end());
        Ok(())
    })
}

/// Frees a stream, and ends it. Waits for a callback that runs, unless it is called inside of a callback. NULL does
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn codex_stream_free(stream: *mut codex_stream) {
    free(|| close::<OpenStream>(stream));
}
