//! How a call fails: the status, and the error that `codex_last_error` gives.
//!
//! Relies on the errors of the crate. Invariant: each call replaces the error of its thread, and a panic ends here.

use std::{
    cell::RefCell,
    ffi::{CString, c_char},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use serde_json::json;

use super::{CODEX_ERROR, CODEX_INVALID_HANDLE, CODEX_INVALID_INPUT, CODEX_OK, CODEX_PANIC};
use crate::error::Error;

/// Why a call failed.
pub(super) enum Failure {
    Error(Error),
    /// A handle that can't be used.
    Handle(String),
    Panic(String),
}

pub(super) type Outcome<T = i32> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl Failure {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Failure::Error(Error::invalid(message))
    }

    fn status(&self) -> i32 {
        match self {
            Failure::Error(Error::InvalidInput { .. }) => CODEX_INVALID_INPUT,
            Failure::Error(_) => CODEX_ERROR,
            Failure::Handle(_) => CODEX_INVALID_HANDLE,
            Failure::Panic(_) => CODEX_PANIC,
        }
    }

    fn json(&self) -> String {
        let plain =
            |code: &str, message: &str| json!({ "code": code, "message": message, "causes": [] }).to_string();
        match self {
            Failure::Error(error) => {
                serde_json::to_string(error).unwrap_or_else(|_| plain(error.code(), &error.to_string()))
            }
            Failure::Handle(message) => plain("invalid_handle", message),
            Failure::Panic(message) => plain("panic", message),
        }
    }
}

thread_local! {
    static LAST: RefCell<Option<CString>> = const { RefCell::new(None) };
}

fn keep(error: Option<CString>) {
    // A thread that is ending has none any more.
    let _ = LAST.try_with(|last| last.replace(error));
}

pub(super) fn last_error() -> *const c_char {
    let last = LAST.try_with(|last| last.borrow().as_ref().map_or(ptr::null(), |error| error.as_ptr()));
    last.unwrap_or(ptr::null())
}

/// Keeps the error of a function that returns nothing.
pub(super) fn keep_misuse(message: &str) {
    keep_failure(&Failure::Handle(message.to_owned()));
}

fn keep_failure(failure: &Failure) {
    // JSON has no NUL.
    keep(CString::new(failure.json()).ok());
}

/// Runs the body of a function that returns a status.
pub(super) fn call(body: impl FnOnce() -> Outcome) -> i32 {
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let failure = Failure::Panic(format!("a bug of this library: {}", text.unwrap_or("a panic")));
        // Its drop may panic too.
        std::mem::forget(payload);
        Err(failure)
    });
    match outcome {
        Ok(status) => {
            keep(None);
            status
        }
        Err(failure) => {
            keep_failure(&failure);
            failure.status()
        }
    }
}

/// Same as [`call`], for a body without a result.
pub(super) fn run(body: impl FnOnce() -> Outcome<()>) -> i32 {
    call(|| body().map(|()| CODEX_OK))
}

/// Runs the body of a function that returns nothing and frees something: its error stays unless there is a new one.
pub(super) fn free(body: impl FnOnce() -> Outcome<()>) {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => keep_failure(&failure),
        Err(payload) => {
            std::mem::forget(payload);
            keep_failure(&Failure::Panic("a bug of this library: a panic while freeing".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_status_and_an_error() {
        assert_eq!(call(|| panic!("it has a \"bug\"")), CODEX_PANIC);
        let error = LAST.with(|last| last.borrow().clone()).unwrap().into_string().unwrap();
        let error: serde_json::Value = serde_json::from_str(&error).unwrap();
        assert_eq!(error["code"], "panic");
        assert_eq!(error["message"], "a bug of this library: it has a \"bug\"");
        assert_eq!(run(|| Ok(())), CODEX_OK);
        assert!(last_error().is_null());
        free(|| panic!("again"));
        assert!(!last_error().is_null());
    }
}
