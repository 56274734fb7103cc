//! Repeats requests that the server rejects as overloaded, with increasing delays.
//!
//! Relies on a clock that is passed in. Invariant: only a rejection (-32001) leads to another attempt, never
//! a missing reply, since a request that was not rejected may have done its work.

use std::time::{Duration, Instant};

use crate::{
    error::{Error, OVERLOADED, Result},
    retry::{Backoff, Clock},
};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Repeats `attempt` while the server is overloaded and the next attempt is due before the deadline. Returns
/// the last rejection otherwise.
pub(crate) fn retry<T>(
    clock: &impl Clock,
    deadline: Option<Instant>,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    let mut backoff = Backoff { next: FIRST_PAUSE, longest: LONGEST_PAUSE, is_jittered: true };
    loop {
        let refusal = match attempt() {
            Err(error @ Error::Rpc { code: OVERLOADED, .. }) => error,
            outcome => return outcome,
        };
        let next = clock.now() + backoff.pause(clock);
        if deadline.is_some_and(|deadline| next >= deadline) || !clock.wait_until(next) {
            return Err(refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    struct Frozen {
        now: Cell<Instant>,
        pauses: RefCell<Vec<Duration>>,
        jitter: f64,
    }

    impl Frozen {
        fn new(jitter: f64) -> Frozen {
            Frozen { now: Cell::new(Instant::now()), pauses: RefCell::default(), jitter }
        }
    }

    impl Clock for Frozen {
        fn now(&self) -> Instant {
            self.now.get()
        }

        fn wait_until(&self, at: Instant) -> bool {
            self.pauses.borrow_mut().push(at - self.now.get());
            self.now.set(at);
            true
        }

        fn jitter(&self) -> f64 {
            self.jitter
        }
    }

    fn refusal(code: i64) -> Error {
        Error::Rpc { method: "m".to_owned(), code, message: String::new(), data: None }
    }

    #[test]
    fn pauses_double_up_to_two_seconds_and_jitter_takes_at_most_half_of_them() {
        for (jitter, share) in [(1.0, 1.0), (0.0, 0.5)] {
            let clock = Frozen::new(jitter);
            let mut left = 9;
            let outcome = retry(&clock, None, || {
                left -= 1;
                if left == 0 { Ok(()) } else { Err(refusal(OVERLOADED)) }
            });
            outcome.unwrap();
            let expected = [50, 100, 200, 400, 800, 1600, 2000, 2000];
            let expected: Vec<_> =
                expected.iter().map(|ms| Duration::from_millis(*ms).mul_f64(share)).collect();
            assert_eq!(*clock.pauses.borrow(), expected);
        }
    }

    #[test]
    fn no_attempt_is_made_that_is_due_after_the_deadline() {
        let clock = Frozen::new(1.0);
        let mut attempts = 0;
        let deadline = clock.now() + Duration::from_millis(200);
        let outcome: Result<()> = retry(&clock, Some(deadline), || {
            attempts += 1;
            Err(refusal(OVERLOADED))
        });
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Rpc { code: OVERLOADED, .. }) && error.is_retryable());
        assert_eq!(attempts, 3);
    }

    #[test]
    fn other_errors_are_not_tried_again() {
        let clock = Frozen::new(1.0);
        let mut attempts = 0;
        let outcome: Result<()> = retry(&clock, None, || {
            attempts += 1;
            Err(refusal(-32600))
        });
        assert!(outcome.is_err());
        assert_eq!(attempts, 1);
    }
}
