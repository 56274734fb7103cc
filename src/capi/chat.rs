//! Chats: turns that are read by a handle.
//!
//! Relies on `reader`. Invariant: a chat is steered and interrupted without its stream, so from any thread while
//! another one reads it.

use std::ffi::{c_char, c_void};

use parking_lot::Mutex;
use serde_json::json;

use super::{
    CODEX_OK,
    buffers::{Place, give_json, text},
    codex_callback, codex_chat,
    failure::{call, free, run},
    handles::{Handled, close, get},
    reader::Reader,
};
use crate::{
    CancelResult, Chat, ChatContinuation, ChatEvents, ChatResult, TurnHandle, TurnStream,
    error::{Error, Result},
};

/// A turn of either kind. The handle serves other threads than the one that reads.
pub(super) struct OpenChat {
    handle: TurnHandle,
    reader: ChatReader,
    /// The result as JSON, once the chat was finished.
    finished: Mutex<Option<Result<String>>>,
}

enum ChatReader {
    Steps(Reader<Chat>),
    Events(Reader<ChatEvents>),
}

/// Does the same with either kind of stream.
macro_rules! with_reader {
    ($chat:expr, $reader:ident => $body:expr) => {
        match &$chat.reader {
            ChatReader::Steps($reader) => $body,
            ChatReader::Events($reader) => $body,
        }
    };
}

impl From<Chat> for OpenChat {
    fn from(chat: Chat) -> Self {
        let handle = chat.handle();
        OpenChat { handle, reader: ChatReader::Steps(Reader::new(chat)), finished: Mutex::new(None) }
    }
}

impl From<ChatEvents> for OpenChat {
    fn from(chat: ChatEvents) -> Self {
        let handle = chat.handle();
        OpenChat { handle, reader: ChatReader::Events(Reader::new(chat)), finished: Mutex::new(None) }
    }
}

impl Handled for OpenChat {
    type Handle = codex_chat;
    const KIND: u8 = 2;
    const NAME: &str = "codex_chat";

    fn freed(&self) {
        with_reader!(self, reader => reader.close());
    }
}

impl OpenChat {
    fn finish(&self) -> Result<String> {
        let mut finished = self.finished.lock();
        if let Some(finished) = &*finished {
            return finished.clone();
        }
        let result = with_reader!(self, reader => reader.drain().map(TurnStream::finish));
        let Some(result) = result else { return Err(Error::no_longer_pending("the chat was ended")) };
        let result = result.and_then(|result: ChatResult| {
            serde_json::to_string(&result)
                .map_err(|source| Error::invalid_because("the result can't be serialized", source))
        });
        finished.insert(result).clone()
    }

    fn cancel(&self) -> Result<CancelResult> {
        with_reader!(self, reader => reader.lend(TurnStream::cancel)).unwrap_or_else(|| self.handle.cancel())
    }

    fn continuation(&self) -> Result<ChatContinuation> {
        with_reader!(self, reader => reader.lock().stream().map(TurnStream::continuation))
            .ok_or_else(|| Error::no_longer_pending("the chat was finished or ended"))
    }

    fn error(&self) -> Option<Error> {
        let live =
            with_reader!(self, reader => reader.lock().stream().and_then(|stream| stream.error().cloned()));
        // `finish` holds the lock while it waits; a chat that it reads has no error yet.
        live.or_else(|| self.finished.try_lock()?.as_ref()?.as_ref().err().cloned())
    }
}

/// Reads the next item: a step as JSON, or an event, as the chat was begun.
///
/// Waits for up to timeout_ms milliseconds; 0 never waits, less than 0 waits without a limit (but the inactivity
/// limit of the turn). Returns CODEX_ITEM with the item in *out_json, CODEX_ENDED (0) after the last one, or
/// CODEX_NOTHING_YET. The last item of a turn that failed is a step whose "step_type" is "error"; the call that
/// follows returns CODEX_ENDED, and codex_chat_finish the error.
///
/// Several threads may read: each item goes to one of them. A wait ends when the turn ends, when the connection is
/// closed, and when another thread ends or frees the chat.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_next(chat: *mut codex_chat, timeout_ms: i64, out_json: *mut *mut c_char) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        let chat = get::<OpenChat>(chat)?;
        with_reader!(chat, reader => reader.next(timeout_ms, &place))
    })
}

/// Reads the next items, as a JSON array of at least one and at most max of them.
///
/// Waits like codex_chat_next for the first item, and for no other: one call for many events, for languages in which
/// a call is expensive.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_next_batch(
    chat: *mut codex_chat,
    timeout_ms: i64,
    max: u32,
    out_json_array: *mut *mut c_char,
) -> i32 {
    call(|| {
        let place = Place::new(out_json_array)?;
        let chat = get::<OpenChat>(chat)?;
        with_reader!(chat, reader => reader.next_batch(timeout_ms, max, &place))
    })
}

/// Gives the ids: {"thread_id", "turn_id"}. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_ids(chat: *mut codex_chat, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || {
        let chat = get::<OpenChat>(chat)?;
        Ok(json!({ "thread_id": chat.handle.thread_id(), "turn_id": chat.handle.turn_id() }))
    })
}

/// Reads to the end, skipping items that were not read, and gives the result (a ChatResult as JSON).
///
/// Waits until the turn has ended, or has been inactive for its limit. If the turn failed, returns CODEX_ERROR, and
/// codex_last_error gives the failure. A second call gives the same again. The handle stays valid, and
/// codex_chat_next returns CODEX_ENDED from now on.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_finish(chat: *mut codex_chat, out_json: *mut *mut c_char) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        place.give(CODEX_OK, get::<OpenChat>(chat)?.finish()?)
    })
}

/// Gives the failure with which the turn ended: CODEX_ITEM with the error as JSON. CODEX_OK if it runs, has
/// succeeded, or its end was not read. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_error(chat: *mut codex_chat, out_json: *mut *mut c_char) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        place.give_item(get::<OpenChat>(chat)?.error().as_ref())
    })
}

/// Adds a message to the running turn. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_steer(chat: *mut codex_chat, text_of_user: *const c_char) -> i32 {
    run(|| {
        let chat = get::<OpenChat>(chat)?;
        Ok(chat.handle.steer(text("the text", text_of_user)?)?)
    })
}

/// Interrupts the turn; its end can be read afterwards. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_interrupt(chat: *mut codex_chat) -> i32 {
    run(|| Ok(get::<OpenChat>(chat)?.handle.interrupt()?))
}

/// Has the turn interrupted in the background, and returns at once: for a thread that must not wait.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_request_interrupt(chat: *mut codex_chat) -> i32 {
    run(|| {
        get::<OpenChat>(chat)?.handle.request_interrupt();
        Ok(())
    })
}

/// Interrupts the turn, waits for its end, and gives what was not read (a CancelResult as JSON). Blocks for at most
/// the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_cancel(chat: *mut codex_chat, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenChat>(chat)?.cancel()?))
}

/// Gives a token with which the turn can be read on later (a ChatContinuation as JSON): as "continuation" of a
/// request, or for codex_client_cancel or codex_client_forget. The events are kept until then, also after the chat
/// was freed. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_continuation(chat: *mut codex_chat, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || Ok(get::<OpenChat>(chat)?.continuation()?))
}

/// Returns a descriptor for poll, epoll, GLib, Qt, libuv or asyncio: it is readable while there is something to read,
/// until codex_chat_next has returned CODEX_NOTHING_YET, and stays so after the end, also that by codex_chat_end in
/// another thread. Only wait for it: it belongs to the chat, which closes it when it is freed. Negative on failure,
/// after codex_chat_end, and on Windows.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_fd(chat: *mut codex_chat) -> i32 {
    call(|| {
        let chat = get::<OpenChat>(chat)?;
        with_reader!(chat, reader => reader.fd())
    })
}

/// Has on_ready called with user when there is something to read: once when something comes, and again only after
/// codex_chat_next has returned CODEX_NOTHING_YET or CODEX_ENDED; at once if something is there now.
///
/// It runs on a thread of the library, never twice at the same time, and should only wake the program's own event
/// loop. Replaces an earlier one; NULL ends the calls. Waits for a call that runs, unless it is made inside of a
/// callback, so don't hold a lock that the callback takes.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_on_ready(
    chat: *mut codex_chat,
    on_ready: codex_callback,
    user: *mut c_void,
) -> i32 {
    run(|| {
        let chat = get::<OpenChat>(chat)?;
        with_reader!(chat, reader => reader.on_ready(on_ready, user))
    })
}

/// Stops reading: what was not read is dropped, a call that waits returns CODEX_ENDED, and so do all that follow. A
/// descriptor that was given becomes readable; the function of codex_chat_on_ready isn't called any more. The turn goes
/// on on the server. Can be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_end(chat: *mut codex_chat) -> i32 {
    run(|| {
        let chat = get::<OpenChat>(chat)?;
        with_reader!(chat, reader => reader.end());
        Ok(())
    })
}

/// Frees a chat. The turn goes on on the server; its events are dropped, unless a continuation was taken.
///
/// A call that waits in another thread returns CODEX_ENDED. Waits for a callback that runs, unless it is called inside
/// of a callback; none comes after. If it is the last handle of a closed connection it may block for 0.5 s. NULL does
/// nothing.
#[unsafe(no_mangle)]
pub extern "C" fn codex_chat_free(chat: *mut codex_chat) {
    free(|| close::<OpenChat>(chat));
}
