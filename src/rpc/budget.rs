//! Counts the bytes that a connection keeps for its users, and chooses who pays when there are too many.
//!
//! Relies on `origin` and `notifier`. Invariant: everything that a peer can make the client keep is charged here before it is
//! stored, and refunded when it is taken or dropped, so that the sum is always known.
//!
//! [`Budget::enforce`] is called by the reading thread after each frame. It calls a [`Payer`] while no other
//! lock is held.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use super::{
    notifier::{Notifier, OnReady},
    origin::Origin,
};

#[derive(Debug)]
pub(crate) struct Budget {
    /// For all that is charged here: whether it belongs to this process.
    origin: Origin,
    /// Tells the program of what is kept.
    notifier: Arc<Notifier>,
    kept: AtomicUsize,
    limit: usize,
    payers: Mutex<Payers>,
}

/// Something that keeps bytes for a user and can drop them.
pub(crate) trait Payer: Send + Sync {
    /// The bytes that `give_up` frees.
    fn kept_bytes(&self) -> usize;
    /// Frees the bytes. The user gets the reason in place of the data.
    fn give_up(&self, overrun: Overrun);
}

/// By how much the limit was exceeded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overrun {
    pub(crate) buffered: usize,
    pub(crate) limit: usize,
}

#[derive(Default)]
struct Payers {
    list: Vec<Weak<dyn Payer>>,
    /// The length at which dead entries are removed from the list.
    prune_at: usize,
}

impl Budget {
    /// `None`: no limit.
    #[cfg(test)]
    pub(crate) fn new(limit: Option<usize>) -> Arc<Budget> {
        Budget::telling(limit, None)
    }

    /// Also tells the program of every change.
    pub(crate) fn telling(limit: Option<usize>, on_ready: Option<OnReady>) -> Arc<Budget> {
        let origin = Origin::here();
        Arc::new(Budget {
            origin,
            notifier: Notifier::new(origin, on_ready),
            kept: AtomicUsize::new(0),
            limit: limit.unwrap_or(usize::MAX),
            payers: Mutex::default(),
        })
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn notifier(&self) -> &Arc<Notifier> {
        &self.notifier
    }

    /// The bytes kept now.
    pub(crate) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// Whether this many more bytes may be kept.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.kept().saturating_add(bytes) <= self.limit
    }

    pub(crate) fn charge(&self, bytes: usize) {
        self.kept.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn refund(&self, bytes: usize) {
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Registers a payer for as long as it lives.
    pub(crate) fn register(&self, payer: Weak<dyn Payer>) {
        let mut payers = self.payers.lock();
        if payers.list.len() >= payers.prune_at {
            payers.list.retain(|payer| payer.strong_count() > 0);
            payers.prune_at = (payers.list.len() * 2).max(16);
        }
        payers.list.push(payer);
    }

    /// While the limit is exceeded, makes the largest payer give up, each at most once.
    pub(crate) fn enforce(&self) {
        self.make_room(0);
    }

    /// Makes the largest payers give up until `bytes` more fit. Returns `false` if they don't.
    pub(crate) fn make_room(&self, bytes: usize) -> bool {
        if self.fits(bytes) {
            return true;
        }
        let payers: Vec<Arc<dyn Payer>> = self.payers.lock().list.iter().filter_map(Weak::upgrade).collect();
        let mut by_size: Vec<_> = payers.into_iter().map(|payer| (payer.kept_bytes(), payer)).collect();
        by_size.sort_by_key(|(bytes, _)| *bytes);
        while let Some((kept, payer)) = by_size.pop() {
            if self.fits(bytes) || kept == 0 {
                break;
            }
            payer.give_up(Overrun { buffered: self.kept(), limit: self.limit });
        }
        self.fits(bytes)
    }
}

impl std::fmt::Debug for Payers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payers").field("count", &self.list.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hoard {
        budget: Arc<Budget>,
        bytes: AtomicUsize,
    }

    impl Payer for Hoard {
        fn kept_bytes(&self) -> usize {
            self.bytes.load(Ordering::Relaxed)
        }

        fn give_up(&self, _: Overrun) {
            self.budget.refund(self.bytes.swap(0, Ordering::Relaxed));
        }
    }

    fn hoard(budget: &Arc<Budget>, bytes: usize) -> Arc<Hoard> {
        budget.charge(bytes);
        let hoard = Arc::new(Hoard { budget: Arc::clone(budget), bytes: AtomicUsize::new(bytes) });
        let payer: Arc<dyn Payer> = Arc::clone(&hoard) as _;
        budget.register(Arc::downgrade(&payer));
        hoard
    }

    #[test]
    fn whoever_keeps_the_most_pays_and_nobody_else() {
        let budget = Budget::new(Some(100));
        let [small, large, middle] = [20, 60, 40].map(|bytes| hoard(&budget, bytes));
        budget.enforce();
        assert_eq!([&small, &large, &middle].map(|hoard| hoard.kept_bytes()), [20, 0, 40]);
        assert_eq!(budget.kept(), 60);
    }

    #[test]
    fn room_that_nobody_can_make_is_refused_without_an_end_to_the_search() {
        let budget = Budget::new(Some(100));
        budget.charge(90);
        let small = hoard(&budget, 5);
        assert!(!budget.make_room(50));
        assert_eq!(small.kept_bytes(), 0);
        assert!(budget.make_room(10));
    }

    #[test]
    fn payers_that_are_gone_are_not_kept() {
        let budget = Budget::new(None);
        for _ in 0..1000 {
            drop(hoard(&budget, 1));
        }
        assert!(budget.payers.lock().list.len() <= 16);
    }
}
