//! Counters of a connection, for programs that monitor themselves.
//!
//! Relies on `rpc`, which counts. Invariant: reading the counters changes nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::Client;

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
    /// Frames that were no message and were skipped: text on stdout, broken JSON.
    pub skipped_frames: u64,
    /// Messages with characters that had to be replaced by U+FFFD: bytes that are not UTF-8, surrogates
    /// without their other half.
    pub repaired_frames: u64,
    /// Replies that nobody waited for: late ones, second ones, and ones with an unknown id.
    pub unmatched_replies: u64,
    /// Notifications that a [`Notifications`](crate::Notifications) stream lost because it was not read.
    pub dropped_notifications: u64,
    /// Server requests that streams lost because they were not read. Each had been answered.
    pub dropped_server_requests: u64,
    /// Log records that were dropped because the program's logger was too slow.
    pub dropped_log_records: u64,
    /// Requests that wait for their reply now.
    pub pending_requests: usize,
    /// Turns that run now, as far as this client knows.
    pub running_turns: usize,
    /// Bytes kept now for readers that have not taken them, and for server requests that nobody has
    /// answered.
    pub kept_bytes: usize,
}

impl Stats {
    pub(super) fn of(client: &Client) -> Stats {
        let Client { inner, connection, .. } = client;
        let counters = connection.counters();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            frames: read(&counters.frames),
            bytes: read(&counters.bytes),
            skipped_frames: read(&counters.skipped_frames),
            repaired_frames: read(&counters.repaired_frames),
            unmatched_replies: read(&counters.unmatched_replies),
            dropped_notifications: connection.dropped_notifications(),
            dropped_server_requests: inner.broker.dropped(),
            dropped_log_records: connection.dropped_log_records(),
            pending_requests: connection.pending_calls(),
            running_turns: inner.turns.running_count(),
            kept_bytes: inner.budget.kept(),
        }
    }
}
