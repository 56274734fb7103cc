//! Functions of the program that this library calls.
//!
//! Relies on nothing. Invariant: after a callback was closed no call begins, and none is running, unless the
//! callback is closed from inside of a callback.

use std::{
    cell::Cell,
    ffi::{c_char, c_void},
    sync::Arc,
};

use parking_lot::{Condvar, Mutex};

pub(super) type OnReady = extern "C" fn(*mut c_void);
pub(super) type OnQuestion = extern "C" fn(*mut c_void, *const c_char);
pub(super) type OnLog = extern "C" fn(*mut c_void, i32, *const c_char);

/// The pointer that the program wants back in each call.
#[derive(Clone, Copy)]
pub(super) struct User(*mut c_void);

// SAFETY: the pointer is only handed back; the header says that callbacks run on threads of the library.
unsafe impl Send for User {}
// SAFETY: same.
unsafe impl Sync for User {}

impl User {
    pub(super) fn new(user: *mut c_void) -> User {
        User(user)
    }

    pub(super) fn get(self) -> *mut c_void {
        self.0
    }
}

/// One function of the program, with the pointer for it.
pub(super) struct Callback<F> {
    function: F,
    user: User,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    running: usize,
}

thread_local! {
    /// How many callbacks this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Whether this thread runs a callback.
fn is_inside() -> bool {
    DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false)
}

impl<F: Copy> Callback<F> {
    pub(super) fn new(function: F, user: *mut c_void) -> Arc<Callback<F>> {
        let (state, returned) = Default::default();
        Arc::new(Callback { function, user: User::new(user), state, returned })
    }

    /// Calls the function, unless the callback was closed.
    pub(super) fn call(&self, call: impl FnOnce(F, *mut c_void)) {
        {
            let mut state = self.state.lock();
            if state.is_closed {
                return;
            }
            state.running += 1;
        }
        let _ = DEPTH.try_with(|depth| depth.set(depth.get() + 1));
        // It can't unwind: a function of C that does so ends the process.
        call(self.function, self.user.get());
        let _ = DEPTH.try_with(|depth| depth.set(depth.get() - 1));
        self.state.lock().running -= 1;
        self.returned.notify_all();
    }

    /// Lets no more call begin, and waits for those that run; except from inside of a callback, where it would wait
    /// for itself, or for one that waits for it.
    fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        while state.running > 0 && !is_inside() {
            self.returned.wait(&mut state);
        }
    }
}

/// A place for a callback, which is replaced, and in the end closed.
pub(super) struct CallbackSlot<F>(Mutex<Slot<F>>);

struct Slot<F> {
    callback: Option<Arc<Callback<F>>>,
    is_closed: bool,
}

impl<F> Default for CallbackSlot<F> {
    fn default() -> Self {
        CallbackSlot::new()
    }
}

impl<F> CallbackSlot<F> {
    pub(super) const fn new() -> Self {
        CallbackSlot(Mutex::new(Slot { callback: None, is_closed: false }))
    }
}

impl<F: Copy> CallbackSlot<F> {
    /// Replaces the callback, has the new one called from now on by `register`, and waits until the one before has
    /// returned.
    ///
    /// It is registered under the lock: of two threads, the one whose callback stays is the last to register it, and
    /// nothing is registered after the close.
    pub(super) fn set(&self, callback: Option<Arc<Callback<F>>>, register: impl FnOnce(Arc<Callback<F>>)) {
        let mut slot = self.0.lock();
        let callback = callback.filter(|_| !slot.is_closed);
        let before = std::mem::replace(&mut slot.callback, callback.clone());
        callback.map(register);
        drop(slot);
        if let Some(before) = before {
            before.close();
        }
    }

    /// Ends the calls for good.
    pub(super) fn close(&self) {
        self.0.lock().is_closed = true;
        self.set(None, drop);
    }

    pub(super) fn get(&self) -> Option<Arc<Callback<F>>> {
        self.0.lock().callback.clone()
    }
}
