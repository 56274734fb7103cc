//! Counters of a connection, for programs that monitor themselves.
//!
//! Relies on `rpc`, which counts. Invariant: reading the counters changes nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::Client;

impl Client {
    /// Returns the counters of this connection.
    pub fn stats(&self) -> Stats {
        Stats::of(self)
    }
}

/// Counters of a connection since it was established, and its current state.
///
/// Returned by [`Client::stats`](crate::Client::stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Frames received, of any kind.
    pub frames: u64,
    /// Bytes received in frames.
    pub bytes: u64,
    /// Frames that were skipped because they are not JSON-RPC messages: text on stdout, invalid JSON.
    pub skipped_frames: u64,
    /// Messages in which characters were replaced by U+FFFD: invalid UTF-8, unpaired surrogates, and the first
    /// one of the key `$serde_json::private::RawValue`, which serde_json would misread.
    pub repaired_frames: u64,
    /// Replies without a waiting request: late ones, duplicates, and ones with an unknown id or none.
    pub unmatched_replies: u64,
    /// Notifications that [`Notifications`](crate::Notifications) streams dropped because they were not read.
    pub dropped_notifications: u64,
    /// Server requests that streams dropped because they were not read. All of them had been answered.
    pub dropped_server_requests: u64,
    /// Log records that were dropped because the program's logger was too slow.
    pub dropped_log_records: u64,
    /// Requests that are waiting for their reply.
    pub pending_requests: usize,
    /// Turns that are running, as far as this client knows.
    pub running_turns: usize,
    /// Bytes buffered for readers, and of unanswered server requests.
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
