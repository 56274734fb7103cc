//! Repeats calls that failed for a reason that may pass.
//!
//! Relies on `error` for what may be repeated, and on a clock that is passed in. Invariant: a call that may have done
//! work is not repeated, and every wait is bounded by the policy.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::error::{Error, Result};

/// The time, replaceable in tests.
pub(crate) trait Clock {
    fn now(&self) -> Instant;
    /// Returns `false` if another attempt is pointless.
    fn wait_until(&self, at: Instant) -> bool;
    /// The time of day.
    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }
    /// A number from 0 to 1, so that callers that were rejected together don't retry together.
    fn jitter(&self) -> f64 {
        (RandomState::new().build_hasher().finish() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Pauses that double up to a limit.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    pub(crate) next: Duration,
    pub(crate) longest: Duration,
    pub(crate) is_jittered: bool,
}

impl Backoff {
    /// The next pause. Jitter takes at most half of it.
    pub(crate) fn pause(&mut self, clock: &impl Clock) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = pause.saturating_mul(2).min(self.longest);
        match self.is_jittered {
            true => pause.mul_f64(0.5 + clock.jitter() / 2.0),
            false => pause,
        }
    }
}

/// How [`retry`] repeats a call: at most five attempts, with pauses of 0.5 s, 1 s, 2 s, …, up to 30 s, of which jitter
/// takes up to a half.
#[must_use = "a policy does nothing until it is passed to `retry`"]
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    max_attempts: u32,
    max_elapsed: Option<Duration>,
    backoff: Backoff,
    until_reset: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            max_attempts: 5,
            max_elapsed: None,
            backoff: Backoff {
                next: Duration::from_millis(500),
                longest: Duration::from_secs(30),
                is_jittered: true,
            },
            until_reset: false,
        }
    }
}

impl RetryPolicy {
    /// Creates a policy with the defaults.
    pub fn new() -> Self {
        RetryPolicy::default()
    }

    /// Sets how often the call is made at most, the first time included (by default, 5).
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the time after which no attempt is begun, counted from the first one (by default, there is no limit);
    /// `None` means no limit. If the next attempt would be due later, there is none, and no wait for it.
    pub fn max_elapsed(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.max_elapsed = limit.into();
        self
    }

    /// Sets the pause after the first attempt (by default, 0.5 s). Each later pause is twice as long.
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.backoff.next = delay;
        self
    }

    /// Sets the longest pause (by default, 30 s). The wait for a reset is no pause.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.backoff.longest = delay;
        self
    }

    /// Sets whether each pause is shortened by a random part, up to a half (by default, it is), so that programs that
    /// failed together don't come back together.
    pub fn jitter(mut self, is_jittered: bool) -> Self {
        self.backoff.is_jittered = is_jittered;
        self
    }

    /// Sets whether a turn that failed because a limit of the account is used up is repeated when that limit resets
    /// (by default, it is not): that may take hours or days, for which [`retry`] blocks. Use
    /// [`max_elapsed`](Self::max_elapsed) to bound the wait. If the server has not told when the limit resets, the
    /// turn is not repeated.
    pub fn until_reset(mut self, waits: bool) -> Self {
        self.until_reset = waits;
        self
    }

    /// How long to wait at least before another attempt; `None` if there is to be none.
    fn least_wait(&self, error: &Error, clock: &impl Clock) -> Option<Duration> {
        if let Some(at) = error.repeatable_at().filter(|_| self.until_reset) {
            return Some(at.duration_since(clock.time_of_day()).unwrap_or_default());
        }
        error.is_retryable().then_some(Duration::ZERO)
    }
}

/// Makes a call, and repeats it while it fails for a reason that may pass, and a repeat can't do work twice
/// ([`Error::is_retryable`]): the server is overloaded, the connection could not be made, or a turn failed for a
/// transient reason before it did anything.
///
/// Everything else is returned at once: a request without a reply, a lost connection, and a turn that failed after it
/// had run a command may have done their work. So one call should be all that `call` does; of several, the first ones
/// would be repeated with the last one. A repeated chat in an existing thread leaves the user's message of the failed
/// turn there.
///
/// Blocks while it waits. Each wait is logged as a warning.
///
/// ```
/// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
/// use std::time::Duration;
///
/// use codex_blocking::{RetryPolicy, retry};
///
/// let policy = RetryPolicy::new().max_attempts(4).max_elapsed(Duration::from_secs(120));
/// let result = retry(policy, || client.chat_once("Say hello"))?;
/// # Ok::<(), codex_blocking::Error>(())
/// ```
///
/// # Errors
/// The error of the last attempt; [`Error::InvalidInput`] without any attempt if the policy allows none.
pub fn retry<T>(policy: RetryPolicy, call: impl FnMut() -> Result<T>) -> Result<T> {
    retry_with(&Sleep, policy, call)
}

struct Sleep;

impl Clock for Sleep {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wait_until(&self, at: Instant) -> bool {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        true
    }
}

fn retry_with<T>(clock: &impl Clock, policy: RetryPolicy, mut call: impl FnMut() -> Result<T>) -> Result<T> {
    if policy.max_attempts == 0 {
        return Err(Error::invalid("the policy allows no attempt: max_attempts is 0"));
    }
    let deadline = policy.max_elapsed.and_then(|limit| clock.now().checked_add(limit));
    let mut backoff = policy.backoff.clone();
    let mut attempt = 1;
    loop {
        let error = match call() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(least) = policy.least_wait(&error, clock).filter(|_| attempt < policy.max_attempts) else {
            return Err(error);
        };
        let wait = least.saturating_add(backoff.pause(clock));
        let next = clock.now().checked_add(wait);
        let Some(next) = next.filter(|next| deadline.is_none_or(|deadline| *next < deadline)) else {
            return Err(error);
        };
        log::warn!("attempt {attempt} failed, the next one follows in {:.1} s: {error}", wait.as_secs_f64());
        clock.wait_until(next);
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        sync::Arc,
    };

    use serde_json::json;

    use super::*;
    use crate::{
        error::{OVERLOADED, Timeout, TransportFailure},
        turn::TurnProgress,
    };

    struct Frozen {
        now: Cell<Instant>,
        waits: RefCell<Vec<Duration>>,
    }

    const EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

    impl Clock for Frozen {
        fn now(&self) -> Instant {
            self.now.get()
        }

        fn wait_until(&self, at: Instant) -> bool {
            self.waits.borrow_mut().push(at - self.now.get());
            self.now.set(at);
            true
        }

        fn time_of_day(&self) -> SystemTime {
            EPOCH
        }

        fn jitter(&self) -> f64 {
            0.0
        }
    }

    /// The number of attempts, the waits in milliseconds, and the last error.
    fn attempts(policy: RetryPolicy, errors: &[Error]) -> (usize, Vec<u128>, Option<Error>) {
        let clock = Frozen { now: Cell::new(Instant::now()), waits: RefCell::default() };
        let mut made = 0;
        let outcome = retry_with(&clock, policy, || {
            made += 1;
            errors.get(made - 1).cloned().map_or(Ok(()), Err)
        });
        let waits = clock.waits.borrow().iter().map(Duration::as_millis).collect();
        (made, waits, outcome.err())
    }

    fn overloaded() -> Error {
        Error::Rpc { method: "m".to_owned(), code: OVERLOADED, message: String::new(), data: None }
    }

    fn failed(kind: &str, did_nothing: bool, resets_at: Option<u64>) -> Error {
        Error::TurnFailed {
            thread_id: "t".to_owned(),
            turn_id: "u".to_owned(),
            message: kind.to_owned(),
            info: Some(Box::new(json!(kind))),
            turn: None,
            progress: TurnProgress::default().and_did_nothing(did_nothing),
            resets_at: resets_at.map(|seconds| EPOCH + Duration::from_secs(seconds)),
        }
    }

    fn plain() -> RetryPolicy {
        RetryPolicy::new().jitter(false)
    }

    #[test]
    fn what_may_be_repeated_is_until_it_succeeds() {
        let refused = TransportFailure { is_transient: true, ..TransportFailure::new("refused") };
        let errors = [
            overloaded(),
            refused.while_connecting("connect"),
            Error::timeout(Timeout::Connect, Duration::ZERO),
            failed("serverOverloaded", true, None),
        ];
        let (made, waits, error) = attempts(plain(), &errors);
        assert!(error.is_none(), "{error:?}");
        assert_eq!((made, waits), (5, vec![500, 1000, 2000, 4000]));
    }

    #[test]
    fn what_may_have_run_is_not_repeated() {
        let lost = Arc::new(TransportFailure { is_transient: true, ..TransportFailure::new("reset") });
        for error in [
            Error::transport("x", lost),
            Error::timeout(Timeout::Request { method: "turn/start".to_owned() }, Duration::ZERO),
            Error::timeout(Timeout::Turn, Duration::ZERO),
            failed("serverOverloaded", false, None),
            failed("contextWindowExceeded", true, None),
            Error::closed("x"),
            Error::invalid("x"),
        ] {
            let (made, waits, last) = attempts(plain().until_reset(true), &[error]);
            assert!(made == 1 && waits.is_empty() && last.is_some(), "{last:?}");
        }
    }

    #[test]
    fn the_last_error_is_returned_when_the_attempts_are_used_up() {
        let errors = [overloaded(), overloaded(), failed("rateLimitExceeded", true, None)];
        let (made, _, error) = attempts(plain().max_attempts(3), &errors);
        assert!(made == 3 && error.unwrap().failure().is_some());
        let (made, waits, error) = attempts(plain().max_attempts(1), &errors);
        assert!(made == 1 && waits.is_empty() && error.is_some());
        let (made, _, error) = attempts(plain().max_attempts(0), &errors);
        assert!(made == 0 && matches!(error, Some(Error::InvalidInput { .. })));
    }

    #[test]
    fn pauses_grow_up_to_the_longest_and_jitter_takes_at_most_half_of_them() {
        let errors: Vec<_> = (0..9).map(|_| overloaded()).collect();
        let policy = RetryPolicy::new().max_attempts(6).max_delay(Duration::from_secs(3));
        assert_eq!(attempts(policy.clone(), &errors).1, [250, 500, 1000, 1500, 1500]);
        let policy = policy.jitter(false).first_delay(Duration::from_secs(5));
        assert_eq!(attempts(policy.max_attempts(3), &errors).1, [3000, 3000]);
        let endless = plain().first_delay(Duration::MAX).max_delay(Duration::MAX);
        let (made, waits, error) = attempts(endless, &errors);
        assert!(made == 1 && waits.is_empty() && error.is_some());
    }

    #[test]
    fn no_attempt_is_begun_after_the_time_and_no_wait_for_it() {
        let errors: Vec<_> = (0..9).map(|_| overloaded()).collect();
        let policy = plain().max_elapsed(Duration::from_secs(2));
        assert_eq!(attempts(policy, &errors).1, [500, 1000]);
        assert_eq!(attempts(plain().max_elapsed(Duration::ZERO), &errors).0, 1);
        assert_eq!(attempts(plain().max_elapsed(Duration::MAX), &errors).0, 5);
    }

    #[test]
    fn a_limit_that_is_used_up_is_waited_for_only_if_asked() {
        let errors = [failed("usageLimitExceeded", true, Some(3600))];
        assert_eq!(attempts(plain(), &errors).0, 1);
        let (made, waits, error) = attempts(plain().until_reset(true), &errors);
        assert!(error.is_none());
        assert_eq!((made, waits), (2, vec![3_600_500]));
        // Not longer than the program wants to wait, not if work was done, and not if nobody knows when.
        let hurried = plain().until_reset(true).max_elapsed(Duration::from_secs(60));
        assert_eq!(attempts(hurried, &errors).0, 1);
        assert_eq!(attempts(plain().until_reset(true), &[failed("usageLimitExceeded", false, Some(1))]).0, 1);
        assert_eq!(attempts(plain().until_reset(true), &[failed("usageLimitExceeded", true, None)]).0, 1);
        // One that has reset in the meantime is tried after the usual pause.
        assert_eq!(
            attempts(plain().until_reset(true), &[failed("usageLimitExceeded", true, Some(0))]).1,
            [500]
        );
    }
}
