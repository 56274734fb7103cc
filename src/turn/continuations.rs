//! The turns whose readers left, and that wait to be read on.
//!
//! Relies on `reader`. Invariant: a token leads to its turn at most once; a token of another
//! client, or one that is used up, leads nowhere.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use parking_lot::Mutex;

use super::{TurnEvent, control::Control, reader::Turn};
use crate::{
    continuation::ChatContinuation,
    error::{Error, Result},
};

/// A turn that waits to be read on.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) turn: Turn,
    pub(crate) control: Control,
    /// What was made and not handed out.
    pub(crate) unread: Vec<TurnEvent>,
}

/// The turns that the tokens of one client lead to.
#[derive(Debug, Default)]
pub(crate) struct Continuations(Mutex<HashMap<u64, Entry>>);

#[derive(Debug)]
enum Entry {
    /// Its reader is still there.
    Read(Control),
    Parked(Box<Parked>),
}

/// What a token leads to.
#[derive(Debug)]
pub(crate) enum Found {
    Read(Control),
    Parked(Box<Parked>),
}

impl Continuations {
    /// A key that no other client has, and that survives a JSON reader with 53 bits of precision.
    pub(crate) fn new_key(&self) -> u64 {
        RandomState::new().build_hasher().finish() >> 11
    }

    /// A token has left its reader.
    pub(crate) fn announce(&self, key: u64, control: Control) {
        self.0.lock().entry(key).or_insert(Entry::Read(control));
    }

    pub(crate) fn park(&self, key: u64, parked: Parked) {
        self.0.lock().insert(key, Entry::Parked(Box::new(parked)));
    }

    /// Takes the turn of a token, which is used up by that; a turn that is being read stays.
    pub(crate) fn take(&self, token: &ChatContinuation) -> Result<Found> {
        let mut entries = self.0.lock();
        let entry = entries.remove(&token.key);
        match entry {
            Some(entry) if !entry.is_of(token) => {
                entries.insert(token.key, entry);
                Err(unknown(token))
            }
            Some(Entry::Parked(parked)) => Ok(Found::Parked(parked)),
            Some(Entry::Read(control)) => {
                entries.insert(token.key, Entry::Read(control.clone()));
                Ok(Found::Read(control))
            }
            None => Err(unknown(token)),
        }
    }

    pub(crate) fn forget(&self, key: u64) {
        let forgotten = self.0.lock().remove(&key);
        drop(forgotten);
    }

    /// Forgets what waits for this token, not what is being read.
    pub(crate) fn forget_parked(&self, token: &ChatContinuation) {
        let forgotten = {
            let mut entries = self.0.lock();
            match entries.get(&token.key) {
                Some(entry @ Entry::Parked(_)) if entry.is_of(token) => entries.remove(&token.key),
                _ => None,
            }
        };
        drop(forgotten);
    }
}

impl Entry {
    fn is_of(&self, token: &ChatContinuation) -> bool {
        let control = match self {
            Entry::Read(control) => control,
            Entry::Parked(parked) => &parked.control,
        };
        control.log().thread_id == token.thread_id && control.log().turn_id == token.turn_id
    }
}

fn unknown(token: &ChatContinuation) -> Error {
    Error::NoLongerPending {
        what: format!(
            "the continuation of turn {} is used up, forgotten, or of another client",
            token.turn_id
        ),
    }
}
