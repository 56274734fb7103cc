//! Transcripts: what a screen shows of events or of history.
//!
//! Relies on `Transcript`. Invariant: plain data, without a connection.

use std::ffi::c_char;

use parking_lot::Mutex;

use super::{
    buffers::{Place, give_handle, json, object},
    codex_transcript,
    failure::{call, free, run},
    handles::{Handled, close, get},
};
use crate::{Transcript, TurnEvent, protocol::Turn};

pub(super) struct OpenTranscript(Mutex<Transcript>);

impl Handled for OpenTranscript {
    type Handle = codex_transcript;
    const KIND: u8 = 7;
    const NAME: &str = "codex_transcript";
}

/// Makes an empty transcript.
#[unsafe(no_mangle)]
pub extern "C" fn codex_transcript_new(out: *mut *mut codex_transcript) -> i32 {
    call(|| Place::new(out)?.give_handle(OpenTranscript(Mutex::default())))
}

/// Makes a transcript of history: an array of turns, as codex_thread_turns gives it.
#[unsafe(no_mangle)]
pub extern "C" fn codex_transcript_from_turns(
    turns_json: *const c_char,
    out: *mut *mut codex_transcript,
) -> i32 {
    give_handle(out, || {
        let turns: Vec<Turn> = json("the turns", turns_json)?;
        Ok(OpenTranscript(Mutex::new(Transcript::from_turns(&turns))))
    })
}

/// Adds an event, as a chat of codex_client_chat_events gives it.
#[unsafe(no_mangle)]
pub extern "C" fn codex_transcript_apply(
    transcript: *mut codex_transcript,
    event_json: *const c_char,
) -> i32 {
    run(|| {
        let transcript = get::<OpenTranscript>(transcript)?;
        let event: TurnEvent = object("the event", event_json)?;
        transcript.0.lock().apply(&event);
        Ok(())
    })
}

/// Gives the transcript (a Transcript as JSON).
#[unsafe(no_mangle)]
pub extern "C" fn codex_transcript_json(
    transcript: *mut codex_transcript,
    out_json: *mut *mut c_char,
) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        place.give_json(&*get::<OpenTranscript>(transcript)?.0.lock())
    })
}

/// Frees a transcript. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn codex_transcript_free(transcript: *mut codex_transcript) {
    free(|| close::<OpenTranscript>(transcript));
}
