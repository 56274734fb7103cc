//! The streams of notifications: each holds what its reader has not taken yet, up to a bound.
//!
//! Relies on `protocol`. Invariant: a reader that sleeps costs a bounded amount of memory, and
//! what it misses is counted.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use crate::deadline::recv_until;

/// How many notifications a reader may leave unread.
pub(crate) const MOST_UNREAD: usize = 65_536;
/// How many bytes of them.
pub(crate) const MOST_UNREAD_BYTES: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(crate) struct Subscribers {
    list: Mutex<List>,
    /// Kept beside the lock: mostly there are none.
    is_empty: AtomicBool,
    dropped: Arc<AtomicU64>,
}

#[derive(Default)]
struct List {
    unread: Vec<Weak<Unread>>,
    is_closed: bool,
}

#[derive(Debug)]
struct Unread {
    frames: Mutex<Frames>,
    bell: Sender<()>,
}

#[derive(Debug, Default)]
struct Frames {
    queue: VecDeque<Arc<str>>,
    bytes: usize,
    has_news: bool,
    is_closed: bool,
}

/// One reader's end.
#[derive(Debug)]
pub(crate) struct Subscription {
    unread: Arc<Unread>,
    bell: Receiver<()>,
}

impl Subscribers {
    pub(crate) fn new() -> Self {
        Subscribers { is_empty: AtomicBool::new(true), ..Subscribers::default() }
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        let (ring, bell) = bounded(1);
        let mut list = self.list.lock();
        let frames = Mutex::new(Frames { is_closed: list.is_closed, ..Frames::default() });
        let unread = Arc::new(Unread { frames, bell: ring });
        list.unread.push(Arc::downgrade(&unread));
        self.is_empty.store(false, Ordering::Release);
        Subscription { unread, bell }
    }

    /// How many notifications were dropped because nobody read them.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn push(&self, text: &str) {
        if self.is_empty.load(Ordering::Acquire) {
            return;
        }
        let frame: Arc<str> = text.into();
        let mut list = self.list.lock();
        list.unread.retain(|unread| {
            let Some(unread) = unread.upgrade() else { return false };
            let mut frames = unread.frames.lock();
            frames.bytes += frame.len();
            frames.queue.push_back(Arc::clone(&frame));
            frames.has_news = true;
            // The newest stays, however large it is.
            while frames.queue.len() > 1
                && (frames.queue.len() > MOST_UNREAD || frames.bytes > MOST_UNREAD_BYTES)
            {
                let oldest = frames.queue.pop_front().map_or(0, |oldest| oldest.len());
                frames.bytes -= oldest;
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            true
        });
        self.is_empty.store(list.unread.is_empty(), Ordering::Release);
    }

    /// Wakes the readers that have news.
    pub(crate) fn ring(&self) {
        if self.is_empty.load(Ordering::Acquire) {
            return;
        }
        for unread in self.list.lock().unread.iter().filter_map(Weak::upgrade) {
            if std::mem::take(&mut unread.frames.lock().has_news) {
                let _ = unread.bell.try_send(());
            }
        }
    }

    /// Ends the streams, once what they hold has been read.
    pub(crate) fn close(&self) {
        let mut list = self.list.lock();
        list.is_closed = true;
        for unread in list.unread.iter().filter_map(Weak::upgrade) {
            unread.frames.lock().is_closed = true;
            let _ = unread.bell.try_send(());
        }
    }
}

/// What a reader finds.
pub(crate) enum Next {
    Frame(Arc<str>),
    Nothing,
    Ended,
}

impl Subscription {
    pub(crate) fn try_next(&self) -> Next {
        let mut frames = self.unread.frames.lock();
        match frames.queue.pop_front() {
            Some(frame) => {
                frames.bytes -= frame.len();
                Next::Frame(frame)
            }
            None if frames.is_closed => Next::Ended,
            None => Next::Nothing,
        }
    }

    /// Waits until something may have arrived, or that time.
    pub(crate) fn wait(&self, until: Option<Instant>) {
        let _ = recv_until(&self.bell, until);
    }

    pub(crate) fn is_ended(&self) -> bool {
        let frames = self.unread.frames.lock();
        frames.is_closed && frames.queue.is_empty()
    }
}
