//! What this library keeps for this process: handles and strings that it has given out, and who wants the log.
//!
//! Relies on nothing else: for handles not on parking_lot either, whose table of waiting threads would be locked for
//! good in a process that was forked while threads wait here. Invariant: a process that was forked from another takes
//! no lock that a thread of the original one may hold: it has a registry of its own, in which the handles of the
//! original one are unknown.

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::callback::{CallbackSlot, OnLog};

/// What a handle stands for.
pub(super) type Object = Arc<dyn Any + Send + Sync>;

/// The registry of one process.
pub(super) struct Registry {
    /// 0 until the first use.
    process: AtomicU32,
    slots: Mutex<Slots>,
    /// The length of each string that the caller has, by the complement of its address: a checker of leaks must not
    /// take the addresses here for references.
    strings: Mutex<Option<Strings>>,
    /// Not a static of its own: in a process that was forked from this one, a call may never return.
    pub(super) on_log: CallbackSlot<OnLog>,
    /// That of a process that was forked from this one.
    forked: OnceLock<Box<Registry>>,
}

/// Lengths by the complement of the address.
pub(super) type Strings = HashMap<usize, usize>;

/// The places of handles.
pub(super) struct Slots {
    pub(super) slots: Vec<Slot>,
    /// Indices of free slots, the longest unused first.
    pub(super) free: VecDeque<u32>,
}

pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) object: Option<Object>,
}

static FIRST: Registry = Registry::new(0);

/// The registry of this process, and whether the process was forked from one that has used this library.
pub(super) fn registry() -> (&'static Registry, bool) {
    let process = std::process::id();
    let (mut registry, mut is_forked) = (&FIRST, false);
    loop {
        let found = registry
            .process
            .compare_exchange(0, process, Ordering::Relaxed, Ordering::Relaxed)
            .unwrap_or_else(|of| of);
        if found == 0 || found == process {
            return (registry, is_forked);
        }
        is_forked = true;
        registry = registry.forked.get_or_init(|| Box::new(Registry::new(process)));
    }
}

impl Registry {
    const fn new(process: u32) -> Registry {
        Registry {
            process: AtomicU32::new(process),
            slots: Mutex::new(Slots { slots: Vec::new(), free: VecDeque::new() }),
            strings: Mutex::new(None),
            on_log: CallbackSlot::new(),
            forked: OnceLock::new(),
        }
    }

    pub(super) fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with_strings<T>(&self, use_them: impl FnOnce(&mut Strings) -> T) -> T {
        let mut strings = self.strings.lock().unwrap_or_else(PoisonError::into_inner);
        use_them(strings.get_or_insert_default())
    }
}

/// How many handles and strings have not been freed.
pub(super) fn open_count() -> i64 {
    let registry = registry().0;
    let handles = {
        let slots = registry.slots();
        slots.slots.len() - slots.free.len()
    };
    let strings = registry.with_strings(|strings| strings.len());
    (handles + strings) as i64
}
