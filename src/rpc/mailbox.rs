//! The only queue of this crate: from the reading thread to the consumer of a stream or the caller that waits
//! for a reply.
//!
//! Relies on `budget`, crossbeam channels and thread parking. Invariant: an item stays until it is taken, or
//! the mailbox is cleared or dropped, and is counted for that time; a consumer that found nothing is woken by
//! the next item, by the end, and by [`Mailbox::nudge`].
//!
//! Items travel through a crossbeam channel. The newest one may stay open, so that more is added to it until
//! it is taken: a block of events is one item. A consumer parks instead of blocking in the channel, because a
//! channel's own wait spins and yields first, which on a busy machine takes time from the thread that
//! delivers the items.

use std::{
    collections::VecDeque,
    sync::Arc,
    thread::{self, Thread},
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use super::budget::Budget;
use crate::deadline::park_until;

/// A consumer with this many unread bytes is woken immediately, even if more is about to arrive.
const ENOUGH: usize = 256 * 1024;

/// An item of a mailbox.
pub(crate) trait Weighed {
    /// The bytes that keeping it costs.
    fn bytes(&self) -> usize;
}

/// A queue with one consumer, and the end of the queue.
#[derive(Debug)]
pub(crate) struct Mailbox<T: Weighed, E = ()> {
    queue: (Sender<T>, Receiver<T>),
    /// Also guards the order of items: all sides hold it while they send and receive.
    state: Mutex<MailboxState<T, E>>,
    budget: Arc<Budget>,
}

#[derive(Debug)]
struct MailboxState<T, E> {
    /// The newest item, while more may be added to it.
    open: Option<T>,
    /// The bytes of all items in the queue.
    queued: usize,
    /// Bytes that the consumer keeps after taking them.
    retained: usize,
    /// The thread that found nothing the last time it looked.
    waiting: Option<Thread>,
    end: Option<E>,
}

/// The result of taking from a mailbox.
#[derive(Debug)]
pub(crate) enum Taken<T, E> {
    Item(T),
    /// Nothing yet. The calling thread is unparked when that changes.
    Empty,
    /// All items were taken, and no more will arrive.
    Ended(E),
}

/// Threads to wake after the frames of a read were delivered, so that during a flood a consumer is woken once
/// for many items. Also wakes them when dropped.
#[derive(Debug, Default)]
pub(crate) struct Wakeups(Vec<Thread>);

impl Wakeups {
    pub(crate) fn ring(&mut self) {
        self.0.drain(..).for_each(|thread| thread.unpark());
    }
}

impl Drop for Wakeups {
    fn drop(&mut self) {
        self.ring();
    }
}

impl<T: Weighed, E: Clone> Mailbox<T, E> {
    pub(crate) fn new(budget: &Arc<Budget>) -> Self {
        Self::over(unbounded(), budget)
    }

    /// Creates a mailbox for a single item, such as a reply.
    pub(crate) fn for_one(budget: &Arc<Budget>) -> Self {
        Self::over(bounded(1), budget)
    }

    fn over(queue: (Sender<T>, Receiver<T>), budget: &Arc<Budget>) -> Self {
        let state = MailboxState { open: None, queued: 0, retained: 0, waiting: None, end: None };
        Mailbox { queue, state: Mutex::new(state), budget: Arc::clone(budget) }
    }

    /// Adds an item, unless the queue has ended.
    pub(crate) fn push(&self, item: T, wakeups: &mut Wakeups) {
        let bytes = item.bytes();
        self.extend(bytes, wakeups, |open, send| {
            if let Some(open) = open.take() {
                send(open);
            }
            send(item);
        });
    }

    /// Adds `bytes` to the open item, or in new items. `send` completes an item.
    pub(crate) fn extend(
        &self,
        bytes: usize,
        wakeups: &mut Wakeups,
        add: impl FnOnce(&mut Option<T>, &dyn Fn(T)),
    ) {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return;
        }
        // Never full: a bounded queue only ever gets one item.
        add(&mut state.open, &|item| drop(self.queue.0.try_send(item)));
        state.queued += bytes;
        self.budget.charge(bytes);
        if let Some(thread) = state.waiting.take() {
            match state.queued >= ENOUGH {
                true => thread.unpark(),
                false => wakeups.0.push(thread),
            }
        }
    }

    /// Takes the oldest item.
    pub(crate) fn take(&self) -> Taken<T, E> {
        let mut state = self.state.lock();
        match self.queue.1.try_recv().ok().or_else(|| state.open.take()) {
            Some(item) => {
                state.queued -= item.bytes();
                self.budget.refund(item.bytes());
                Taken::Item(item)
            }
            None => match &state.end {
                Some(end) => Taken::Ended(end.clone()),
                None => {
                    state.waiting = Some(thread::current());
                    Taken::Empty
                }
            },
        }
    }

    /// Takes all items, and the end if there is one. With `retain`, the items stay counted until the mailbox
    /// is dropped.
    pub(crate) fn take_all(&self, retain: bool) -> (VecDeque<T>, Option<E>) {
        let mut state = self.state.lock();
        let mut items: VecDeque<T> = self.queue.1.try_iter().collect();
        items.extend(state.open.take());
        state.waiting = items.is_empty().then(thread::current);
        let bytes = std::mem::take(&mut state.queued);
        match retain {
            true => state.retained += bytes,
            false => self.budget.refund(bytes),
        }
        (items, state.end.clone())
    }

    /// Counts more bytes that the consumer keeps, besides what [`take_all`](Self::take_all) retained.
    pub(crate) fn retain(&self, more: usize) {
        self.state.lock().retained += more;
        self.budget.charge(more);
    }

    /// Drops the oldest item, unless it is the only one. `None` if there is no other.
    pub(crate) fn drop_oldest(&self) -> Option<usize> {
        let mut state = self.state.lock();
        if self.queue.1.len() + usize::from(state.open.is_some()) < 2 {
            return None;
        }
        let bytes = self.queue.1.try_recv().ok()?.bytes();
        state.queued -= bytes;
        self.budget.refund(bytes);
        Some(bytes)
    }

    /// Drops the items for which `keep` returns `false`. Returns their number.
    pub(crate) fn keep_only(&self, keep: impl Fn(&T) -> bool) -> usize {
        let mut state = self.state.lock();
        let mut dropped = 0;
        for _ in 0..self.queue.1.len() {
            let Ok(item) = self.queue.1.try_recv() else { break };
            if keep(&item) {
                let _ = self.queue.0.try_send(item);
            } else {
                dropped += 1;
                state.queued -= item.bytes();
                self.budget.refund(item.bytes());
            }
        }
        dropped
    }

    /// Ends the queue; the consumer receives this after the items. The first end stays.
    pub(crate) fn close(&self, end: E) {
        let mut state = self.state.lock();
        state.end.get_or_insert(end);
        wake(&mut state);
    }

    /// Drops all items and what is retained, and ends the queue, replacing an earlier end.
    pub(crate) fn clear(&self, end: E) {
        let mut state = self.state.lock();
        let items: Vec<T> = self.queue.1.try_iter().chain(state.open.take()).collect();
        let bytes = std::mem::take(&mut state.queued) + std::mem::take(&mut state.retained);
        self.budget.refund(bytes);
        state.end = Some(end);
        wake(&mut state);
        drop(state);
        drop(items);
    }

    /// Wakes the consumer without an item, because something else that it checks has changed.
    pub(crate) fn nudge(&self) {
        wake(&mut self.state.lock());
    }

    /// Waits, after nothing was found, until something may have changed, or until the given time. May return
    /// early. Only for the thread that found nothing.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        park_until(until);
    }

    /// The bytes counted for this mailbox.
    pub(crate) fn bytes(&self) -> usize {
        let state = self.state.lock();
        state.queued + state.retained
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.1.len()
    }

    /// Whether the end has come and everything was taken.
    pub(crate) fn is_exhausted(&self) -> bool {
        let state = self.state.lock();
        state.end.is_some() && state.open.is_none() && self.queue.1.is_empty()
    }

    /// Whether the consumer waits without having been notified.
    #[cfg(test)]
    pub(crate) fn is_waiting(&self) -> bool {
        self.state.lock().waiting.is_some()
    }
}

fn wake<T, E>(state: &mut MailboxState<T, E>) {
    if let Some(thread) = state.waiting.take() {
        thread.unpark();
    }
}

impl<T: Weighed, E> Drop for Mailbox<T, E> {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        self.budget.refund(state.queued + state.retained);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Piece(String);

    impl Weighed for Piece {
        fn bytes(&self) -> usize {
            self.0.len()
        }
    }

    /// One thing that happens to a mailbox.
    #[derive(Debug, Clone)]
    enum Op {
        Push(String),
        /// Adds to the open item while that is shorter than ten bytes.
        Extend(String),
        Take,
        TakeAll {
            retain: bool,
        },
        DropOldest,
        KeepOnly {
            longer_than: usize,
        },
        Close,
        Clear,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => "[a-z]{0,6}".prop_map(Op::Push),
            4 => "[a-z]{1,6}".prop_map(Op::Extend),
            3 => Just(Op::Take),
            2 => any::<bool>().prop_map(|retain| Op::TakeAll { retain }),
            1 => Just(Op::DropOldest),
            1 => (0..6usize).prop_map(|longer_than| Op::KeepOnly { longer_than }),
            1 => Just(Op::Close),
            1 => Just(Op::Clear),
        ]
    }

    fn extend(mailbox: &Mailbox<Piece, u8>, text: &str) {
        mailbox.extend(text.len(), &mut Wakeups::default(), |open, send| match open {
            Some(piece) if piece.0.len() < 10 => piece.0.push_str(text),
            _ => {
                if let Some(full) = open.replace(Piece(text.to_owned())) {
                    send(full);
                }
            }
        });
    }

    proptest! {
        #[test]
        fn items_come_once_in_order_and_are_counted_while_they_are_kept(ops in vec(op(), 0..60)) {
            let budget = Budget::new(None);
            let mailbox: Mailbox<Piece, u8> = Mailbox::new(&budget);
            // What is queued, and whether the last item is open.
            let (mut model, mut is_open): (VecDeque<String>, bool) = (VecDeque::new(), false);
            let (mut retained, mut end) = (0, None);
            for op in ops {
                match op {
                    Op::Push(text) => {
                        mailbox.push(Piece(text.clone()), &mut Wakeups::default());
                        if end.is_none() {
                            model.push_back(text);
                            is_open = false;
                        }
                    }
                    Op::Extend(text) => {
                        extend(&mailbox, &text);
                        match model.back_mut() {
                            _ if end.is_some() => {}
                            Some(last) if is_open && last.len() < 10 => last.push_str(&text),
                            _ => {
                                model.push_back(text);
                                is_open = true;
                            }
                        }
                    }
                    Op::Take => match (mailbox.take(), model.pop_front()) {
                        (Taken::Item(Piece(text)), Some(expected)) => prop_assert_eq!(text, expected),
                        (Taken::Ended(found), None) => prop_assert_eq!(Some(found), end),
                        (Taken::Empty, None) => prop_assert!(end.is_none() && mailbox.is_waiting()),
                        other => prop_assert!(false, "{other:?}"),
                    },
                    Op::TakeAll { retain } => {
                        let (items, found) = mailbox.take_all(retain);
                        let texts: VecDeque<String> = items.into_iter().map(|Piece(text)| text).collect();
                        retained += if retain { texts.iter().map(String::len).sum() } else { 0 };
                        prop_assert_eq!(texts, std::mem::take(&mut model));
                        prop_assert_eq!(found, end);
                    }
                    Op::DropOldest => {
                        let dropped = mailbox.drop_oldest();
                        let expected = if model.len() < 2 { None } else { model.pop_front() };
                        prop_assert_eq!(dropped, expected.map(|text| text.len()));
                    }
                    Op::KeepOnly { longer_than } => {
                        // The open item is too new to be dropped.
                        let open = if is_open { model.pop_back() } else { None };
                        mailbox.keep_only(|piece| piece.0.len() > longer_than);
                        model.retain(|text| text.len() > longer_than);
                        model.extend(open);
                    }
                    Op::Close => {
                        mailbox.close(1);
                        end = end.or(Some(1));
                    }
                    Op::Clear => {
                        mailbox.clear(2);
                        model.clear();
                        (retained, end) = (0, Some(2));
                    }
                }
                if model.is_empty() {
                    is_open = false;
                }
                let queued: usize = model.iter().map(String::len).sum();
                prop_assert_eq!(mailbox.bytes(), queued + retained);
                prop_assert_eq!(budget.kept(), queued + retained);
                prop_assert_eq!(mailbox.is_exhausted(), end.is_some() && model.is_empty());
            }
            drop(mailbox);
            prop_assert_eq!(budget.kept(), 0);
        }
    }

    #[test]
    fn a_consumer_that_found_nothing_is_woken_by_an_item_an_end_and_a_nudge() {
        let wakes: [fn(&Mailbox<Piece, u8>); 3] = [
            |mailbox| mailbox.push(Piece("a".to_owned()), &mut Wakeups::default()),
            |mailbox| mailbox.close(1),
            |mailbox| mailbox.nudge(),
        ];
        for wake in wakes {
            let mailbox: Mailbox<Piece, u8> = Mailbox::new(&Budget::new(None));
            assert!(matches!(mailbox.take(), Taken::Empty));
            wake(&mailbox);
            assert!(!mailbox.is_waiting());
            // Would wait without an end if the wake-up were lost.
            mailbox.wait(None);
        }
    }
}
