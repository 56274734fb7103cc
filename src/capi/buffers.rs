//! Strings and results across the border.
//!
//! Relies on `registry`. Invariant: what the caller gives is copied or checked before it is used, and what it is given
//! is remembered until it comes back.
//!
//! What can't be checked is the caller's promise, which the header states: a string ends with NUL, a buffer is as
//! long as it says, and a place for a result can be written to.

use std::{
    ffi::{CStr, c_char},
    ptr,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    CODEX_ITEM, CODEX_OK,
    failure::{Failure, Outcome, call},
    handles::{Handled, open},
    json_error,
    registry::registry,
};
use crate::error::Error;

/// Reads a string of the caller.
pub(super) fn text<'a>(what: &str, string: *const c_char) -> Outcome<&'a str> {
    optional_text(what, string)?.ok_or_else(|| Failure::invalid(format!("{what} must not be NULL")))
}

/// Reads a string of the caller that may be NULL.
pub(super) fn optional_text<'a>(what: &str, string: *const c_char) -> Outcome<Option<&'a str>> {
    if string.is_null() {
        return Ok(None);
    }
    // SAFETY: the header says that a string is NULL or ends with NUL, and doesn't change during the call. Nothing
    // keeps the reference for longer.
    let bytes = unsafe { CStr::from_ptr(string) };
    let text = bytes.to_str();
    text.map(Some).map_err(|source| Error::invalid_because(format!("{what} must be UTF-8"), source).into())
}

/// Reads JSON of the caller.
pub(super) fn json<T: DeserializeOwned>(what: &str, string: *const c_char) -> Outcome<T> {
    parse(what, text(what, string)?)
}

/// Reads a JSON object of the caller.
pub(super) fn object<T: DeserializeOwned>(what: &str, string: *const c_char) -> Outcome<T> {
    parse_object(what, text(what, string)?)
}

/// Reads a JSON object of the caller; NULL means the default.
pub(super) fn object_or_default<T: DeserializeOwned + Default>(
    what: &str,
    string: *const c_char,
) -> Outcome<T> {
    optional_text(what, string)?.map_or_else(|| Ok(T::default()), |text| parse_object(what, text))
}

/// serde would read an array as the members in their order, which are nobody's business.
fn parse_object<T: DeserializeOwned>(what: &str, text: &str) -> Outcome<T> {
    match text.trim_start().starts_with('{') {
        true => parse(what, text),
        false => Err(Failure::invalid(format!("{what} must be a JSON object"))),
    }
}

fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Outcome<T> {
    json_error::read(text).map_err(|reason| Failure::invalid(format!("{what} can't be read: {reason}")))
}

/// Reads bytes of the caller.
pub(super) fn bytes<'a>(what: &str, data: *const u8, length: usize) -> Outcome<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() || length > isize::MAX as usize {
        return Err(Failure::invalid(format!("{what} must not be NULL, or too long")));
    }
    // SAFETY: the header says that the buffer has this length and doesn't change during the call; it is not NULL,
    // and bytes need no alignment. Nothing keeps the reference for longer.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// The place where the caller wants a result. It is NULL until there is one.
pub(super) struct Place<T>(*mut *mut T);

impl<T> Place<T> {
    pub(super) fn new(place: *mut *mut T) -> Outcome<Place<T>> {
        if place.is_null() {
            return Err(Failure::invalid("the place for the result is NULL"));
        }
        let place = Place(place);
        place.write(ptr::null_mut());
        Ok(place)
    }

    fn write(&self, value: *mut T) {
        // SAFETY: the header says that the place can be written to; it is not NULL. A place at an odd address is
        // written all the same.
        unsafe { self.0.write_unaligned(value) };
    }
}

impl Place<c_char> {
    /// Gives a text, and returns the status.
    pub(super) fn give(&self, status: i32, text: String) -> Outcome {
        self.write(new_string(text));
        Ok(status)
    }

    /// Gives JSON.
    pub(super) fn give_json(&self, value: &impl Serialize) -> Outcome {
        self.give(CODEX_OK, to_json(value)?)
    }

    /// Gives JSON if there is any.
    pub(super) fn give_item(&self, value: Option<&impl Serialize>) -> Outcome {
        value.map_or(Ok(CODEX_OK), |value| self.give(CODEX_ITEM, to_json(value)?))
    }
}

impl<T> Place<T> {
    /// Gives a new handle.
    pub(super) fn give_handle<O: Handled<Handle = T>>(&self, object: O) -> Outcome {
        self.write(open(object)?);
        Ok(CODEX_OK)
    }
}

/// Runs the body of a function that gives JSON.
pub(super) fn give_json<T: Serialize>(out_json: *mut *mut c_char, body: impl FnOnce() -> Outcome<T>) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        place.give_json(&body()?)
    })
}

/// Runs the body of a function that gives a new handle.
pub(super) fn give_handle<O: Handled>(out: *mut *mut O::Handle, body: impl FnOnce() -> Outcome<O>) -> i32 {
    call(|| {
        let place = Place::new(out)?;
        place.give_handle(body()?)
    })
}

pub(super) fn to_json(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value)
        .map_err(|source| Error::invalid_because("the result can't be serialized", source).into())
}

/// Gives a text to the caller.
fn new_string(text: String) -> *mut c_char {
    // JSON has none.
    debug_assert!(!text.contains('\0'));
    let mut bytes = text.into_bytes();
    bytes.push(0);
    let bytes = Box::into_raw(bytes.into_boxed_slice());
    let string = bytes.cast::<c_char>();
    registry().0.with_strings(|strings| strings.insert(!string.addr(), bytes.len()));
    string
}

/// Frees a text that came back. `false`: it is not one that the caller has.
pub(super) fn free_string(string: *mut c_char) -> bool {
    let length = registry().0.with_strings(|strings| strings.remove(&!string.addr()));
    let Some(length) = length else { return false };
    // SAFETY: `new_string` made it with this length and this allocator, and it has not come back before.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(string.cast::<u8>(), length)) });
    true
}
