//! Runs short work of this crate at a given time, on its own thread.
//!
//! Relies on parking_lot. Invariant: no user code runs here, so that it can't delay the work; the thread is
//! started with the first work and sleeps while there is none.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

use parking_lot::{Condvar, Mutex};

type Work = Box<dyn FnOnce() + Send>;

/// Names scheduled work.
pub(crate) type TimerKey = (Instant, u64);

#[derive(Default)]
pub(crate) struct Timer(Arc<Clockwork>);

#[derive(Default)]
struct Clockwork {
    agenda: Mutex<Agenda>,
    changed: Condvar,
}

#[derive(Default)]
struct Agenda {
    due: BTreeMap<TimerKey, Work>,
    next: u64,
    thread: Option<JoinHandle<()>>,
    is_closed: bool,
}

impl Timer {
    /// Runs `work` at the given time unless it is cancelled. `None` if the timer is closed or its thread
    /// can't be started.
    pub(crate) fn schedule(&self, at: Instant, work: impl FnOnce() + Send + 'static) -> Option<TimerKey> {
        let mut agenda = self.0.agenda.lock();
        if agenda.is_closed {
            return None;
        }
        if agenda.thread.is_none() {
            let clockwork = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("codex-timer".to_owned()).spawn(move || clockwork.run());
            agenda.thread = Some(thread.ok()?);
        }
        let key = (at, agenda.next);
        agenda.next += 1;
        agenda.due.insert(key, Box::new(work));
        if agenda.due.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.0.changed.notify_one();
        }
        Some(key)
    }

    /// Cancels work that has not started.
    pub(crate) fn cancel(&self, key: TimerKey) {
        let work = self.0.agenda.lock().due.remove(&key);
        drop(work);
    }

    /// Drops all work and joins the thread.
    pub(crate) fn close(&self) {
        let (work, thread) = {
            let mut agenda = self.0.agenda.lock();
            agenda.is_closed = true;
            (std::mem::take(&mut agenda.due), agenda.thread.take())
        };
        self.0.changed.notify_one();
        drop(work);
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Clockwork {
    fn run(&self) {
        let mut agenda = self.agenda.lock();
        while !agenda.is_closed {
            match agenda.due.first_key_value().map(|((at, _), _)| *at) {
                None => self.changed.wait(&mut agenda),
                Some(at) if at > Instant::now() => drop(self.changed.wait_until(&mut agenda, at)),
                Some(_) => {
                    let work = agenda.due.pop_first();
                    drop(agenda);
                    if let Some((_, work)) = work {
                        work();
                    }
                    agenda = self.agenda.lock();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn work_runs_in_the_order_of_its_time_and_cancelled_work_does_not() {
        let timer = Timer::default();
        let (tell, told) = unbounded();
        let now = Instant::now();
        let schedule = |ms: u64| {
            let tell = tell.clone();
            timer.schedule(now + Duration::from_millis(ms), move || tell.send(ms).unwrap()).unwrap()
        };
        let cancelled = schedule(60_000);
        schedule(30);
        schedule(10);
        schedule(20);
        timer.cancel(cancelled);
        let order: Vec<u64> = (0..3).map(|_| told.recv_timeout(Duration::from_secs(30)).unwrap()).collect();
        assert_eq!(order, [10, 20, 30]);
        assert!(timer.0.agenda.lock().due.is_empty());
    }

    #[test]
    fn a_closed_timer_takes_no_work_and_has_no_thread() {
        let timer = Timer::default();
        timer.schedule(Instant::now() + Duration::from_secs(60), || unreachable!());
        timer.close();
        assert!(timer.schedule(Instant::now(), || unreachable!()).is_none());
        assert_eq!(Arc::strong_count(&timer.0), 1);
    }
}
