//! The only queue of this crate: from the reading thread to the consumer of a stream or the caller that waits
//! for a reply.
//!
//! Relies on `budget`, `origin`, `readiness` and thread parking. Invariant: an item stays until it is taken, or
//! the mailbox is cleared or dropped, and is counted for that time; a consumer that found nothing is woken by
//! the next item, by the end, and by [`Mailbox::wake`].
//!
//! The newest item may stay open, so that more is added to it until it is taken: a block of events is one
//! item. A program that doesn't wait in one stream is told by its `readiness`: the stream becomes ready when the
//! consumer is woken, and is so until it finds nothing. The consumer of
//! one stream parks instead of blocking in a channel, because a channel's own wait spins and yields first,
//! which on a busy machine takes time from the thread that delivers the items.
//!
//! In a forked process no item comes any more, so a mailbox ends there behind the items that had come.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
    thread::{self, Thread},
    time::Instant,
};

use parking_lot::{Mutex, MutexGuard};

use super::{budget::Budget, notifier::Notifier, readiness::Readiness};
use crate::{deadline::park_until, error::Error};

/// A consumer that so many bytes wait for is woken at once, though more is on the way.
const ENOUGH: usize = 256 * 1024;

/// What travels through a mailbox.
pub(crate) trait Weighed {
    /// The bytes that keeping it costs.
    fn bytes(&self) -> usize;
}

/// How a mailbox ends.
pub(crate) trait MailboxEnd: Clone {
    /// The end in a forked process.
    fn in_forked_process() -> Self;
}

impl MailboxEnd for () {
    fn in_forked_process() {}
}

impl MailboxEnd for Error {
    fn in_forked_process() -> Self {
        Error::forked("read a stream")
    }
}

/// A queue with one consumer, and the end of the queue.
#[derive(Debug)]
pub(crate) struct Mailbox<T: Weighed, E = ()> {
    state: Mutex<MailboxState<T, E>>,
    budget: Arc<Budget>,
    /// Whether the program reads it: it is told of changes then.
    is_stream: bool,
}

#[derive(Debug)]
struct MailboxState<T, E> {
    items: VecDeque<T>,
    /// Whether more may be added to the newest item.
    is_open: bool,
    /// The bytes of all items.
    queued: usize,
    /// Bytes that the consumer keeps after taking them.
    retained: usize,
    consumer: ConsumerState,
    /// The thread of a consumer that is not busy.
    sleeper: Option<Thread>,
    /// The consumer is to look again though nothing came.
    is_nudged: bool,
    /// Tells that there is something to take, if anybody asked for it. Goes with the stream, which the mailbox may
    /// outlive.
    readiness: Option<Weak<Readiness>>,
    end: Option<E>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConsumerState {
    /// It found something the last time it looked, or was woken since.
    Busy,
    /// It found nothing the last time it looked.
    Waiting,
    /// The same, and it is among the wake-ups of the current read.
    Announced,
}

/// The result of taking from a mailbox.
#[derive(Debug)]
pub(crate) enum Taken<T, E> {
    Item(T),
    /// Nothing yet. The calling thread is unparked when that changes.
    Empty,
    /// All items were taken, and no more come.
    Ended(E),
}

/// Consumers to wake after the frames of a read were delivered, so that during a flood a consumer is woken
/// once for many items. Also wakes them when dropped.
#[derive(Default)]
pub(crate) struct Wakeups {
    consumers: Vec<Arc<dyn Announced>>,
    /// Something has changed that the program wants to know.
    changed: Option<Arc<Notifier>>,
}

/// A mailbox whose consumer is to be woken.
trait Announced: Send + Sync {
    /// Wakes the consumer unless it was woken meanwhile.
    fn wake_announced(&self);
}

impl<T: Weighed + Send, E: Send> Announced for Mailbox<T, E> {
    fn wake_announced(&self) {
        let Some(mut state) = self.lock() else { return };
        if state.consumer == ConsumerState::Announced {
            state.wake();
        }
    }
}

impl Wakeups {
    pub(crate) fn ring(&mut self) {
        self.consumers.drain(..).for_each(|mailbox| mailbox.wake_announced());
        if let Some(notifier) = self.changed.take() {
            notifier.tell();
        }
    }

    /// Has the program told that something of the client has changed, if it wants to know.
    pub(crate) fn note_change(&mut self, notifier: &Arc<Notifier>) {
        if notifier.tells_changes() && self.changed.is_none() {
            self.changed = Some(Arc::clone(notifier));
        }
    }
}

impl Drop for Wakeups {
    fn drop(&mut self) {
        self.ring();
    }
}

impl<T: Weighed, E> Mailbox<T, E> {
    fn is_forked(&self) -> bool {
        self.budget.origin().is_forked()
    }

    /// `None` in a forked process, if another thread held the lock at the fork.
    fn lock(&self) -> Option<MutexGuard<'_, MailboxState<T, E>>> {
        self.budget.origin().lock(&self.state)
    }
}

impl<T: Weighed + Send + 'static, E: Clone + Send + 'static> Mailbox<T, E> {
    /// For a stream, of which the program is told.
    pub(crate) fn new(budget: &Arc<Budget>) -> Arc<Self> {
        Self::with(budget, true)
    }

    /// For a wait within this crate.
    pub(crate) fn internal(budget: &Arc<Budget>) -> Arc<Self> {
        Self::with(budget, false)
    }

    fn with(budget: &Arc<Budget>, is_stream: bool) -> Arc<Self> {
        let state = MailboxState {
            items: VecDeque::new(),
            is_open: false,
            queued: 0,
            retained: 0,
            consumer: ConsumerState::Busy,
            sleeper: None,
            is_nudged: false,
            readiness: None,
            end: None,
        };
        Arc::new(Mailbox { state: Mutex::new(state), budget: Arc::clone(budget), is_stream })
    }

    /// Adds an item, unless the queue has ended.
    pub(crate) fn push(self: &Arc<Self>, item: T, wakeups: &mut Wakeups) {
        self.extend(item.bytes(), wakeups, |items, is_open| {
            *is_open = false;
            items.push_back(item);
        });
    }

    /// Adds `bytes` to the newest item while it is open, or as new items.
    pub(crate) fn extend(
        self: &Arc<Self>,
        bytes: usize,
        wakeups: &mut Wakeups,
        add: impl FnOnce(&mut VecDeque<T>, &mut bool),
    ) {
        let Some(mut state) = self.lock() else { return };
        if state.end.is_some() {
            return;
        }
        let MailboxState { items, is_open, .. } = &mut *state;
        add(items, is_open);
        state.queued += bytes;
        self.budget.charge(bytes);
        if let Some(readiness) = state.readiness() {
            readiness.ring();
        }
        if self.is_stream {
            wakeups.note_change(self.budget.notifier());
        }
        match state.consumer {
            ConsumerState::Busy => {}
            _ if state.queued >= ENOUGH => state.wake(),
            ConsumerState::Waiting => {
                state.consumer = ConsumerState::Announced;
                wakeups.consumers.push(Arc::clone(self) as Arc<dyn Announced>);
            }
            ConsumerState::Announced => {}
        }
    }
}

impl<T: Weighed, E: MailboxEnd> Mailbox<T, E> {
    /// Tells this of what comes from now on, and of what is there. `is_left`: the consumer has taken things that it
    /// has not handed out.
    pub(crate) fn attach(&self, readiness: &Arc<Readiness>, is_left: bool) {
        let Some(mut state) = self.lock().filter(|_| !self.is_forked()) else {
            readiness.raise();
            return readiness.end();
        };
        state.readiness = Some(Arc::downgrade(readiness));
        if is_left || !state.items.is_empty() || state.end.is_some() {
            readiness.raise();
        } else if state.consumer == ConsumerState::Busy {
            // Whoever asks to be told looks only then.
            state.consumer = ConsumerState::Waiting;
        }
    }

    pub(crate) fn notifier(&self) -> &Arc<Notifier> {
        self.budget.notifier()
    }

    /// The oldest item.
    pub(crate) fn take(&self) -> Taken<T, E> {
        let Some(mut state) = self.lock() else { return Taken::Ended(E::in_forked_process()) };
        match state.items.pop_front() {
            Some(item) => {
                state.find();
                state.queued -= item.bytes();
                self.budget.refund(item.bytes());
                Taken::Item(item)
            }
            None => match state.end.clone() {
                Some(end) => Taken::Ended(end),
                None => {
                    state.await_items();
                    Taken::Empty
                }
            },
        }
    }

    /// The oldest item, waiting for it until that moment. `None`: without a limit.
    pub(crate) fn take_before(&self, until: Option<Instant>) -> Taken<T, E> {
        loop {
            match self.take() {
                Taken::Empty if self.is_forked() => {
                    return Taken::Ended(E::in_forked_process());
                }
                Taken::Empty if until.is_none_or(|at| at > Instant::now()) => self.wait(until),
                taken => return taken,
            }
        }
    }

    /// All items, and how the mailbox ended if it has. `retain`: the items stay counted until the
    /// mailbox is dropped.
    pub(crate) fn take_all(&self, retain: bool) -> (VecDeque<T>, Option<E>) {
        let Some(mut state) = self.lock() else {
            return (VecDeque::new(), Some(E::in_forked_process()));
        };
        let items = std::mem::take(&mut state.items);
        if items.is_empty() && state.end.is_none() && self.is_forked() {
            state.end = Some(E::in_forked_process());
        }
        match (items.is_empty(), &state.end) {
            (false, _) => state.find(),
            (true, Some(_)) => {}
            (true, None) => state.await_items(),
        }
        let bytes = std::mem::take(&mut state.queued);
        match retain {
            true => state.retained += bytes,
            false => self.budget.refund(bytes),
        }
        (items, state.end.clone())
    }

    /// Sets how many bytes the consumer keeps besides what [`take_all`](Self::take_all) retained.
    pub(crate) fn retain(&self, more: usize) {
        if let Some(mut state) = self.lock() {
            state.retained += more;
            self.budget.charge(more);
        }
    }

    /// Drops the oldest item, unless it is the only one. Gives its bytes.
    pub(crate) fn drop_oldest(&self) -> Option<usize> {
        let mut state = self.lock()?;
        if state.items.len() < 2 {
            return None;
        }
        let bytes = state.items.pop_front()?.bytes();
        state.queued -= bytes;
        self.budget.refund(bytes);
        Some(bytes)
    }

    /// Drops the items that `keep` refuses. Gives their number.
    pub(crate) fn keep_only(&self, keep: impl Fn(&T) -> bool) -> usize {
        let Some(mut state) = self.lock() else { return 0 };
        let before = state.items.len();
        let mut freed = 0;
        state.items.retain(|item| {
            let stays = keep(item);
            freed += if stays { 0 } else { item.bytes() };
            stays
        });
        state.is_open = false;
        state.queued -= freed;
        self.budget.refund(freed);
        before - state.items.len()
    }

    /// Ends the queue; the consumer finds this after the items. The first end stays.
    pub(crate) fn close(&self, end: E) {
        let Some(mut state) = self.lock().filter(|state| state.end.is_none()) else { return };
        state.end = Some(end);
        state.wake();
        drop(state);
        self.tell();
    }

    /// Drops all items and what is retained, and ends the queue with this, whatever its end was.
    pub(crate) fn clear(&self, end: E) {
        let Some(mut state) = self.lock() else { return };
        let items = std::mem::take(&mut state.items);
        let bytes = std::mem::take(&mut state.queued) + std::mem::take(&mut state.retained);
        self.budget.refund(bytes);
        state.end = Some(end);
        state.wake();
        drop(state);
        drop(items);
        self.tell();
    }

    /// Wakes the consumer without an item, as one would: it has something to do that counts as something to
    /// take.
    pub(crate) fn wake(&self) {
        if let Some(mut state) = self.lock() {
            state.wake();
        }
        self.tell();
    }

    /// Wakes the thread of a consumer that waits: how long it has to wait has changed.
    pub(crate) fn nudge(&self) {
        if let Some(mut state) = self.lock() {
            state.is_nudged = true;
            if let Some(thread) = state.sleeper.take() {
                thread.unpark();
            }
        }
    }

    fn tell(&self) {
        if self.is_stream {
            self.budget.notifier().tell();
        }
    }

    /// Waits, after nothing was found, until something may have changed, or until that moment. May return
    /// early. Only for the thread that found nothing.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        // It was woken already, and something else may have taken the wake-up.
        if self.lock().is_none_or(|state| state.consumer == ConsumerState::Busy || state.is_nudged) {
            return;
        }
        park_until(until);
    }

    /// The bytes counted for this mailbox.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().map_or(0, |state| state.queued + state.retained)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().map_or(0, |state| state.items.len())
    }

    /// Whether there is an item or the end.
    pub(crate) fn has_any(&self) -> bool {
        self.lock().is_none_or(|state| !state.items.is_empty() || state.end.is_some())
    }

    /// Whether nothing more comes. Items may be left.
    pub(crate) fn has_ended(&self) -> bool {
        self.lock().is_none_or(|state| state.end.is_some())
    }

    /// The end, once everything before it was taken.
    pub(crate) fn end(&self) -> Option<E> {
        let Some(state) = self.lock() else { return Some(E::in_forked_process()) };
        let end = state.end.clone().or_else(|| self.is_forked().then(E::in_forked_process));
        end.filter(|_| state.items.is_empty())
    }

    /// Whether its consumer would sleep on, whatever comes.
    #[cfg(test)]
    pub(crate) fn is_waiting(&self) -> bool {
        let state = self.state.lock();
        state.consumer == ConsumerState::Waiting && !state.is_nudged
    }
}

impl<T, E> MailboxState<T, E> {
    fn readiness(&self) -> Option<Arc<Readiness>> {
        self.readiness.as_ref().and_then(Weak::upgrade)
    }

    /// This thread has found something.
    fn find(&mut self) {
        if self.consumer != ConsumerState::Busy {
            self.consumer = ConsumerState::Busy;
            // Before it was woken. More may come, and it is not woken for that.
            if let Some(readiness) = self.readiness() {
                readiness.raise();
            }
        }
    }

    /// This thread has found nothing.
    fn await_items(&mut self) {
        self.consumer = ConsumerState::Waiting;
        self.is_nudged = false;
        self.sleeper = Some(thread::current());
        if let Some(readiness) = self.readiness() {
            readiness.lower();
        }
    }

    fn wake(&mut self) {
        self.consumer = ConsumerState::Busy;
        if let Some(thread) = self.sleeper.take() {
            thread.unpark();
        }
        if let Some(readiness) = self.readiness() {
            readiness.raise();
        }
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

    impl MailboxEnd for u8 {
        fn in_forked_process() -> u8 {
            0
        }
    }

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

    fn extend(mailbox: &Arc<Mailbox<Piece, u8>>, text: &str) {
        mailbox.extend(text.len(), &mut Wakeups::default(), |items, is_open| match items.back_mut() {
            Some(piece) if *is_open && piece.0.len() < 10 => piece.0.push_str(text),
            _ => {
                items.push_back(Piece(text.to_owned()));
                *is_open = true;
            }
        });
    }

    proptest! {
        #[test]
        fn items_come_once_in_order_and_are_counted_while_they_are_kept(ops in vec(op(), 0..60)) {
            let budget = Budget::new(None);
            let mailbox: Arc<Mailbox<Piece, u8>> = Mailbox::new(&budget);
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
                        mailbox.keep_only(|piece| piece.0.len() > longer_than);
                        model.retain(|text| text.len() > longer_than);
                        is_open = false;
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
                prop_assert_eq!(mailbox.end(), end.filter(|_| model.is_empty()));
            }
            drop(mailbox);
            prop_assert_eq!(budget.kept(), 0);
        }
    }

    #[test]
    fn a_consumer_that_found_nothing_is_woken_by_an_item_an_end_a_wake_up_and_a_nudge() {
        type Wake = fn(&Arc<Mailbox<Piece, u8>>);
        let wakes: [Wake; 4] = [
            |mailbox| mailbox.push(Piece("a".to_owned()), &mut Wakeups::default()),
            |mailbox| mailbox.close(1),
            |mailbox| mailbox.wake(),
            |mailbox| mailbox.nudge(),
        ];
        for wake in wakes {
            let mailbox: Arc<Mailbox<Piece, u8>> = Mailbox::new(&Budget::new(None));
            assert!(matches!(mailbox.take(), Taken::Empty));
            wake(&mailbox);
            assert!(!mailbox.is_waiting());
            // Would wait without an end if the wake-up were lost.
            mailbox.wait(None);
        }
    }
}
