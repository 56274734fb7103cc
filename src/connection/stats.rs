//! What a connection counts, for a program that watches itself.
//!
//! Relies on nothing. Invariant: counting costs the reading thread an addition, never a lock.

use std::sync::atomic::AtomicU64;

use serde::Serialize;

/// Counters of a connection since it was made, and what it holds now.
///
/// From [`Client::stats`](crate::Client::stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Messages received, whatever they were.
    pub frames: u64,
    /// Bytes received in them.
    pub bytes: u64,
    /// What was no message, and was skipped: text on stdout, broken JSON, bytes that are no UTF-8.
    pub skipped_frames: u64,
    /// Replies that nobody waited for: late ones, second ones, and ones with an unknown id.
    pub unmatched_replies: u64,
    /// Notifications that a [`Notifications`](crate::Notifications) stream lost because it was not read.
    pub dropped_notifications: u64,
    /// Requests that wait for their reply now.
    pub pending_requests: usize,
    /// Turns that run now, as far as this client knows.
    pub running_turns: usize,
    /// Bytes of events that are kept now for readers that have not taken them, and of questions that
    /// nobody has answered.
    pub kept_bytes: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) frames: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) skipped_frames: AtomicU64,
    pub(crate) unmatched_replies: AtomicU64,
}
