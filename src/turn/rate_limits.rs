//! When the account may be used again, as far as the server has told.
//!
//! Relies on serde. Invariant: one moment is kept, whatever the server sends.

use std::time::SystemTime;

use parking_lot::Mutex;
use serde::Deserialize;

use super::raw::params_of;
use crate::{error::Error, protocol::wire::unix_seconds};

/// The most characters of a limit's id that are kept.
const MOST: usize = 100;

/// The last limit that the server reported as used up.
#[derive(Debug, Default)]
pub(crate) struct RateLimits(Mutex<Option<Reached>>);

#[derive(Debug)]
struct Reached {
    limit_id: Option<String>,
    resets_at: SystemTime,
}

/// The parts of `account/rateLimits/updated` that are needed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    rate_limits: Snapshot,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    limit_id: Option<String>,
    primary: Option<Window>,
    secondary: Option<Window>,
    individual_limit: Option<Individual>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    used_percent: f64,
    resets_at: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Individual {
    remaining_percent: f64,
    resets_at: u64,
}

impl Snapshot {
    /// When all that is used up can be used again.
    fn resets_at(&self) -> Option<SystemTime> {
        let windows = self.primary.iter().chain(&self.secondary);
        let windows =
            windows.filter(|window| window.used_percent >= 100.0).filter_map(|window| window.resets_at);
        let own = self.individual_limit.iter().filter(|limit| limit.remaining_percent <= 0.0);
        let seconds = windows.chain(own.map(|limit| limit.resets_at)).max()?;
        unix_seconds::moment(seconds)
    }
}

impl RateLimits {
    /// Processes `account/rateLimits/updated`. One of an unexpected shape changes nothing.
    pub(super) fn update(&self, event: &str) {
        let Ok(Update { rate_limits: snapshot }) = params_of(event) else { return };
        let resets_at = snapshot.resets_at();
        let limit_id = snapshot.limit_id.map(|id| id.chars().take(MOST).collect());
        let mut reached = self.0.lock();
        match resets_at {
            Some(resets_at) => *reached = Some(Reached { limit_id, resets_at }),
            // Of another limit it says nothing.
            None => *reached = reached.take().filter(|reached| reached.limit_id != limit_id),
        }
    }

    /// Adds the moment to the failure of a turn, if a limit is the reason.
    pub(super) fn complete(&self, mut error: Error) -> Error {
        let is_limit = error.failure().is_some_and(|failure| failure.is_limit());
        if let Error::TurnFailed { resets_at, .. } = &mut error {
            *resets_at = self.0.lock().as_ref().map(|reached| reached.resets_at).filter(|_| is_limit);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(limits: &RateLimits) -> Option<u64> {
        let reached = limits.0.lock();
        reached
            .as_ref()
            .map(|reached| reached.resets_at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    fn update(limits: &RateLimits, rate_limits: &Value) {
        limits.update(&json!({ "params": { "rateLimits": rate_limits } }).to_string());
    }

    #[test]
    fn the_last_of_the_windows_that_are_used_up_counts() {
        let limits = RateLimits::default();
        let window = |used: u32, at: u64| json!({ "usedPercent": used, "resetsAt": at });
        update(&limits, &json!({ "limitId": "a", "primary": window(100, 10), "secondary": window(99, 50) }));
        assert_eq!(at(&limits), Some(10));
        update(&limits, &json!({ "limitId": "a", "primary": window(100, 10), "secondary": window(100, 50) }));
        assert_eq!(at(&limits), Some(50));
        let own = json!({ "limit": "1", "used": "1", "remainingPercent": 0, "resetsAt": 70 });
        update(&limits, &json!({ "limitId": "a", "individualLimit": own }));
        assert_eq!(at(&limits), Some(70));
        // Another limit has room, which says nothing about this one.
        update(&limits, &json!({ "limitId": "b", "primary": window(1, 10) }));
        update(&limits, &json!({ "limitId": null, "primary": null, "secondary": null }));
        assert_eq!(at(&limits), Some(70));
        update(&limits, &json!({ "limitId": "a", "primary": window(0, 90) }));
        assert_eq!(at(&limits), None);
    }

    #[test]
    fn what_can_be_no_moment_is_none() {
        let limits = RateLimits::default();
        for strange in [json!(u64::MAX), json!(-1), json!("soon"), Value::Null] {
            update(&limits, &json!({ "primary": { "usedPercent": 100, "resetsAt": strange } }));
            assert_eq!(at(&limits), None);
        }
        limits.update("not even JSON");
    }
}
