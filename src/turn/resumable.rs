//! The turns whose readers were dropped, waiting to be resumed.
//!
//! Relies on `reader`. Invariant: a continuation resumes its turn at most once; one that was used or belongs
//! to another client resumes nothing.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use parking_lot::Mutex;

use super::{
    CancelResult, TurnEvent,
    control::Control,
    item::Item,
    reader::{TurnReader, cancel},
    unload::Lease,
};
use crate::{
    continuation::ChatContinuation,
    error::{Error, Result},
};

/// A turn that waits to be resumed.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) turn: TurnReader,
    pub(crate) control: Control,
    /// Events that were decoded but not returned.
    pub(crate) unread: Vec<TurnEvent>,
    pub(crate) lease: Option<Lease>,
}

/// The turns that this client's continuations refer to.
#[derive(Debug, Default)]
pub(crate) struct Continuations(Mutex<HashMap<u64, Found>>);

/// What a continuation refers to.
#[derive(Debug)]
pub(crate) enum Found {
    /// The turn is still being read.
    Read(Control),
    Parked(Box<Parked>),
}

impl Continuations {
    /// A key that is unique among clients, and that a JSON reader with 53 bits of precision preserves.
    pub(crate) fn new_key(&self) -> u64 {
        RandomState::new().build_hasher().finish() >> 11
    }

    /// Registers a continuation that was handed out while its turn is being read.
    pub(crate) fn announce(&self, key: u64, control: Control) {
        self.0.lock().entry(key).or_insert(Found::Read(control));
    }

    pub(crate) fn park(&self, key: u64, parked: Parked) {
        self.0.lock().insert(key, Found::Parked(Box::new(parked)));
    }

    /// Parks the turn of a reader that is dropped, unless its continuation was forgotten.
    pub(crate) fn leave(&self, key: u64, parked: Parked) {
        let forgotten = match self.0.lock().get_mut(&key) {
            Some(entry) => {
                *entry = Found::Parked(Box::new(parked));
                None
            }
            None => Some(parked),
        };
        drop(forgotten);
    }

    /// Takes the turn of a continuation, which uses it up. A turn that is being read stays registered.
    pub(crate) fn take(&self, token: &ChatContinuation) -> Result<Found> {
        let mut entries = self.0.lock();
        match entries.remove(&token.key) {
            Some(Found::Parked(parked)) if parked.control.is_of(token) => Ok(Found::Parked(parked)),
            Some(stays) => {
                let found = match &stays {
                    Found::Read(control) if control.is_of(token) => Ok(Found::Read(control.clone())),
                    _ => Err(unknown(token)),
                };
                entries.insert(token.key, stays);
                found
            }
            None => Err(unknown(token)),
        }
    }

    /// Interrupts the turn of a continuation and waits for its end. On failure the continuation stays valid.
    pub(crate) fn cancel(&self, token: &ChatContinuation) -> Result<CancelResult> {
        match self.take(token)? {
            // The reader receives the steps.
            Found::Read(control) => control.cancel(),
            Found::Parked(mut parked) => {
                let unread = std::mem::take(&mut parked.unread);
                let mut unread = unread.into_iter().filter_map(Item::into_step).collect();
                cancel(&mut parked.turn, &parked.control, &mut unread).inspect_err(|_| {
                    parked.unread = unread.into_iter().map(Item::into_event).collect();
                    self.park(token.key, *parked);
                })
            }
        }
    }

    pub(crate) fn forget(&self, key: u64) {
        let forgotten = self.0.lock().remove(&key);
        drop(forgotten);
    }

    /// Invalidates a continuation and frees its turn. A turn that is being read can be read on, and is not
    /// parked afterwards.
    pub(crate) fn forget_token(&self, token: &ChatContinuation) {
        let forgotten = {
            let mut entries = self.0.lock();
            match entries.get(&token.key) {
                Some(entry) if entry.is_of(token) => entries.remove(&token.key),
                _ => None,
            }
        };
        drop(forgotten);
    }
}

impl Found {
    fn is_of(&self, token: &ChatContinuation) -> bool {
        match self {
            Found::Read(control) => control.is_of(token),
            Found::Parked(parked) => parked.control.is_of(token),
        }
    }
}

impl Control {
    fn is_of(&self, token: &ChatContinuation) -> bool {
        self.log().thread_id == token.thread_id && self.log().turn_id == token.turn_id
    }
}

fn unknown(token: &ChatContinuation) -> Error {
    Error::no_longer_pending(format!(
        "the continuation of turn {} was used or forgotten, or belongs to another client",
        token.turn_id
    ))
}
