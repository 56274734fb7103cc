//! The C ABI: the client for programs in any language.
//!
//! Relies on the public API of this crate. Invariant: no argument that can be checked crashes the program, nothing
//! unwinds into the caller, and every function that can fail returns a negative status and keeps the error for
//! [`codex_last_error`].
//!
//! This folder is the only place with `unsafe`: where a string or a buffer of the caller is read, where a result is
//! written to the address that the caller gives, where a string of ours comes back, and where symbols are exported.
//! Handles are numbers and never dereferenced (`handles`).
//!
//! The documentation of each function is copied into the header, `codex_blocking.h`, by `tests/capi`. So it is
//! written for programmers of C, without links.

mod account;
mod buffers;
mod callback;
mod chat;
mod client;
mod command;
mod failure;
mod handles;
mod json_error;
mod logging;
mod open_client;
mod options;
mod questions;
mod reader;
mod registry;
mod stream;
mod thread;
mod transcript;

use std::ffi::{c_char, c_void};

use self::{
    buffers::free_string,
    failure::{keep_misuse, last_error},
    registry::open_count,
};

/// The call succeeded. From a function that reads a stream: the stream has ended.
pub const CODEX_OK: i32 = 0;
/// The stream has ended, and there is nothing more to read.
pub const CODEX_ENDED: i32 = 0;
/// There is a result, in `*out`.
pub const CODEX_ITEM: i32 = 1;
/// Nothing has arrived within the time limit. The call can be repeated.
pub const CODEX_NOTHING_YET: i32 = 2;
/// The call failed; `codex_last_error` gives the error.
pub const CODEX_ERROR: i32 = -1;
/// An argument is NULL, is not UTF-8 or JSON, or is not what the function accepts. The code of the error is
/// `invalid_input`.
pub const CODEX_INVALID_INPUT: i32 = -2;
/// A handle is NULL, was freed, or is of another kind. The code of the error is `invalid_handle`.
pub const CODEX_INVALID_HANDLE: i32 = -3;
/// This library has a bug: it panicked. The code of the error is `panic`. The handles of the call may not work any
/// more.
pub const CODEX_PANIC: i32 = -4;

/// A connection to a server.
#[derive(Debug)]
pub struct codex_client;
/// A turn that is being read: its steps, or its events.
#[derive(Debug)]
pub struct codex_chat;
/// A stream of notifications or of questions.
#[derive(Debug)]
pub struct codex_stream;
/// A conversation of several turns.
#[derive(Debug)]
pub struct codex_thread;
/// A command that runs on the server.
#[derive(Debug)]
pub struct codex_command;
/// A sign-in that waits for the user.
#[derive(Debug)]
pub struct codex_login;
/// What a screen shows of the events of a thread.
#[derive(Debug)]
pub struct codex_transcript;

/// A function that is called when something is ready.
pub type codex_callback = Option<extern "C" fn(user: *mut c_void)>;
/// A function that is called with a question of the server. The text is valid during the call.
pub type codex_question_callback = Option<extern "C" fn(user: *mut c_void, question_json: *const c_char)>;
/// A function that is called with a line of the log: level 1 (error) to 5 (trace). The text is valid during the call.
pub type codex_log_callback = Option<extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

/// The version of the interface that this header describes. It grows when a function changes or is removed; new
/// functions don't change it.
pub const CODEX_ABI_VERSION: i32 = 1;

/// Returns the version of the interface that the library has: a program that was compiled with another
/// CODEX_ABI_VERSION must not go on.
#[unsafe(no_mangle)]
pub extern "C" fn codex_abi_version() -> i32 {
    CODEX_ABI_VERSION
}

/// Returns the version of the library, such as "0.1.0". The text is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn codex_version() -> *const c_char {
    const VERSION: &std::ffi::CStr =
        match std::ffi::CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}

/// Returns the error of the last call on this thread as JSON, `{"code", "message", "causes", ..}`, or NULL if that
/// call succeeded.
///
/// The text is valid until the next call on this thread, and is not freed by the caller. This function,
/// codex_version, codex_abi_version, and functions that free something that exists don't count as calls. NULL, too, in
/// a thread that is ending (in destructors of its variables) and in functions of atexit, where calls work otherwise.
#[unsafe(no_mangle)]
pub extern "C" fn codex_last_error() -> *const c_char {
    last_error()
}

/// Returns how many handles and strings of this library the program has not freed: for the tests of a program, which
/// look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn codex_open_count() -> i64 {
    open_count()
}

/// Frees a string that this library has returned. Does nothing for NULL.
///
/// A pointer that this library has not returned, or that was freed, is left alone, and codex_last_error tells so;
/// unless its memory has been used again for another string meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn codex_string_free(string: *mut c_char) {
    if !string.is_null() && !free_string(string) {
        keep_misuse("codex_string_free: not a string of this library, or one that was freed");
    }
}
