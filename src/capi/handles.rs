//! Handles: numbers of the size of a pointer that name an object.
//!
//! Relies on `registry`. Invariant: a handle is never dereferenced. It contains its kind, its place and the generation
//! of the place, so that one of another kind, one that was freed, and one that never was are told.
//!
//! A lock is held only to look the object up; the call then works with its own reference, so that an object
//! lives until the last call that uses it has returned, whoever frees its handle meanwhile.

use std::{any::Any, ptr, sync::Arc};

use super::{
    failure::{Failure, Outcome},
    registry::{Object, Slot, registry},
};
use crate::error::Error;

/// An object that has handles.
pub(super) trait Handled: Any + Send + Sync {
    /// The C type of its handles, which are `*mut Self::Handle`.
    type Handle;
    /// Its kind, from 1.
    const KIND: u8;
    /// The name of the C type.
    const NAME: &'static str;

    /// The handle was freed: what still waits ends, and no callback begins any more.
    fn freed(&self) {}
}

/// How many bits of a handle are the place, and how many the generation. The rest is the kind.
#[cfg(target_pointer_width = "64")]
const BITS: (u32, u32) = (24, 32);
#[cfg(not(target_pointer_width = "64"))]
const BITS: (u32, u32) = (16, 12);

/// The rest of a handle of kind 0. With the highest bit set, it is the address of nothing in most programs.
const KINDS: usize = 1 << (usize::BITS - 1 - BITS.0 - BITS.1);

const fn mask(bits: u32) -> usize {
    (1 << bits) - 1
}

fn encode(kind: u8, index: u32, generation: u32) -> usize {
    let generation = generation as usize & mask(BITS.1);
    (KINDS | usize::from(kind)) << (BITS.0 + BITS.1) | generation << BITS.0 | index as usize
}

/// The kind, the place and the generation, or nothing if it can't be a handle.
fn decode(handle: usize) -> Option<(u8, usize, usize)> {
    let kind = (handle >> (BITS.0 + BITS.1)).checked_sub(KINDS)?;
    let kind = u8::try_from(kind).ok().filter(|kind| (1..=NAMES.len()).contains(&usize::from(*kind)))?;
    Some((kind, handle & mask(BITS.0), handle >> BITS.0 & mask(BITS.1)))
}

/// How many places stay free before one is used again: a program with few handles goes through the generations of a
/// place, of which a system of 32 bits has 4096, that much more slowly.
const RESTING: usize = 1024;

/// The C types, by kind.
const NAMES: [&str; 7] = [
    "codex_client",
    "codex_chat",
    "codex_stream",
    "codex_thread",
    "codex_command",
    "codex_login",
    "codex_transcript",
];

/// Gives the object a handle.
pub(super) fn open<T: Handled>(object: T) -> Outcome<*mut T::Handle> {
    // Before the lock, so that without room it is dropped after it: a client waits for its server then.
    let object: Object = Arc::new(object);
    let mut slots = registry().0.slots();
    let has_room = slots.slots.len() <= mask(BITS.0);
    let index = if has_room && slots.free.len() < RESTING {
        slots.slots.push(Slot { generation: 0, object: None });
        (slots.slots.len() - 1) as u32
    } else {
        slots.free.pop_front().ok_or_else(|| Failure::invalid("too many handles are open"))?
    };
    let slot = &mut slots.slots[index as usize];
    slot.object = Some(object);
    Ok(ptr::without_provenance_mut(encode(T::KIND, index, slot.generation)))
}

/// The object of a handle.
pub(super) fn get<T: Handled>(handle: *const T::Handle) -> Outcome<Arc<T>> {
    let (index, generation) = parse::<T>(handle)?;
    let (registry, is_forked) = registry();
    let slots = registry.slots();
    let slot = slots.slots.get(index).filter(|slot| slot.generation as usize & mask(BITS.1) == generation);
    let object = slot.and_then(|slot| slot.object.clone());
    drop(slots);
    object.and_then(|object| object.downcast().ok()).ok_or_else(|| unknown::<T>(is_forked))
}

/// Takes the object from its handle, which is free from now on.
fn take<T: Handled>(handle: *const T::Handle) -> Outcome<Arc<T>> {
    let (index, generation) = parse::<T>(handle)?;
    let (registry, is_forked) = registry();
    let mut slots = registry.slots();
    let slot =
        slots.slots.get_mut(index).filter(|slot| slot.generation as usize & mask(BITS.1) == generation);
    let object = slot.and_then(|slot| {
        let object = slot.object.take_if(|object| object.is::<T>())?;
        slot.generation = slot.generation.wrapping_add(1);
        Some(object)
    });
    if object.is_some() {
        slots.free.push_back(index as u32);
    }
    drop(slots);
    object.and_then(|object| object.downcast().ok()).ok_or_else(|| unknown::<T>(is_forked))
}

/// Frees a handle. NULL is none.
pub(super) fn close<T: Handled>(handle: *const T::Handle) -> Outcome<()> {
    if !handle.is_null() {
        take::<T>(handle)?.freed();
    }
    Ok(())
}

fn parse<T: Handled>(handle: *const T::Handle) -> Outcome<(usize, usize)> {
    if handle.is_null() {
        return Err(Failure::Handle(format!("the {} is NULL", T::NAME)));
    }
    match decode(handle.addr()) {
        Some((kind, index, generation)) if kind == T::KIND => Ok((index, generation)),
        Some((kind, ..)) => {
            let given = NAMES[usize::from(kind) - 1];
            Err(Failure::Handle(format!("a {given} was given where a {} is expected", T::NAME)))
        }
        None => Err(Failure::Handle(format!("not a {}", T::NAME))),
    }
}

fn unknown<T: Handled>(is_forked: bool) -> Failure {
    match is_forked {
        true => Error::forked(format!("use a {} of another process", T::NAME)).into(),
        false => Failure::Handle(format!("the {} was freed", T::NAME)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_handle_comes_back_as_it_went(kind in 1..=7_u8, index: u32, generation: u32) {
            let index = index & mask(BITS.0) as u32;
            let handle = encode(kind, index, generation);
            let decoded = (kind, index as usize, generation as usize & mask(BITS.1));
            prop_assert_eq!(decode(handle), Some(decoded));
        }

        #[test]
        fn what_is_no_handle_is_told(number: usize) {
            if let Some((kind, index, generation)) = decode(number) {
                prop_assert_eq!(encode(kind, index as u32, generation as u32), number);
            }
        }
    }
}
