//! Threads for callbacks: handlers, tools, and drops that may run user code; others for wake-ups, and for
//! interrupts that nobody waits for.
//!
//! Relies on parking_lot. Invariant: a job runs immediately while fewer than the most are running (128
//! questions, 32 wake-ups, 32 interrupts), and otherwise as soon as one of them ends; a job that panics affects no other.
//! Every count changes under the one lock that guards the queue.

use std::{
    any::Any,
    cell::Cell,
    collections::VecDeque,
    mem::ManuallyDrop,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

use parking_lot::{Condvar, Mutex};

use crate::panics::caught;

/// The maximum number of concurrent jobs for questions.
const MOST: usize = 128;
/// The maximum number of concurrent wake-ups.
const MOST_WAKE_UPS: usize = 32;
/// The maximum number of concurrent interrupts that nobody waits for.
const MOST_INTERRUPTS: usize = 32;
/// The maximum number of threads that wait for another job instead of ending.
const MOST_IDLE: usize = 4;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread runs a callback.
pub(crate) fn in_callback() -> bool {
    IS_WORKER.get()
}

pub(crate) struct Workers(Arc<Crew>);

struct Crew {
    /// The name of the threads.
    name: &'static str,
    most: usize,
    roster: Mutex<Roster>,
    /// A job was added, a thread is about to end, or there will be no more jobs.
    changed: Condvar,
}

#[derive(Default)]
struct Roster {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that wait for a job.
    idle: usize,
    handles: Vec<JoinHandle<()>>,
    is_closed: bool,
}

impl Workers {
    fn new(name: &'static str, most: usize) -> Workers {
        let (roster, changed) = Default::default();
        Workers(Arc::new(Crew { name, most, roster, changed }))
    }

    /// For handlers, tools and drops.
    pub(crate) fn for_questions() -> Workers {
        Workers::new("codex-worker", MOST)
    }

    /// For what tells the program that a stream is ready: however many questions wait for the program, they
    /// take none of these threads.
    pub(crate) fn for_wake_ups() -> Workers {
        Workers::new("codex-ready", MOST_WAKE_UPS)
    }

    /// For interrupts that nobody waits for: no program's code holds them up, and a server that does not answer them
    /// holds up no question.
    pub(crate) fn for_interrupts() -> Workers {
        Workers::new("codex-interrupt", MOST_INTERRUPTS)
    }

    /// Starts a thread unless there is one, so that the first job finds it. `false`: none can be started.
    pub(crate) fn warm_up(&self) -> bool {
        let mut roster = self.0.roster.lock();
        roster.is_closed || roster.threads > 0 || self.start_thread(&mut roster)
    }

    /// Runs `job` on one of the threads. Never blocks.
    ///
    /// # Errors
    /// Returns the job if the workers are closed, or there is no thread and none can be started.
    pub(crate) fn run(&self, job: Job) -> Result<(), Job> {
        let mut roster = self.0.roster.lock();
        if roster.is_closed {
            return Err(job);
        }
        roster.jobs.push_back(job);
        if roster.idle >= roster.jobs.len() {
            self.0.changed.notify_one();
        } else if roster.threads < self.0.most && !self.start_thread(&mut roster) && roster.threads == 0 {
            return roster.jobs.pop_back().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Drops a value on another thread, because dropping it may run user code.
    pub(crate) fn drop_elsewhere(&self, value: impl Any + Send) {
        // If no thread takes it, it leaks, which is better than user code on the reading thread.
        let value = ManuallyDrop::new(value);
        let job = Box::new(move || drop(ManuallyDrop::into_inner(value)));
        if let Err(job) = self.run(job) {
            // A failure is not logged, because the logger is user code too.
            drop(self.run_apart(job));
        }
    }

    /// Runs `job` on a thread of its own, if one can be started.
    pub(crate) fn run_apart(&self, job: Job) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new().name(self.0.name.to_owned()).spawn(job)
    }

    fn start_thread(&self, roster: &mut Roster) -> bool {
        let crew = Arc::clone(&self.0);
        match thread::Builder::new().name(self.0.name.to_owned()).spawn(move || crew.work()) {
            Ok(handle) => {
                roster.threads += 1;
                roster.handles.retain(|handle| !handle.is_finished());
                roster.handles.push(handle);
                true
            }
            Err(_) => false,
        }
    }

    /// Accepts no more jobs, and joins the threads that end by `deadline`. Queued jobs still run. A thread
    /// that does not end is left behind. Never joins the current thread. Returns the number of threads left
    /// behind.
    pub(crate) fn close(&self, deadline: Instant) -> usize {
        let mut roster = self.0.roster.lock();
        roster.is_closed = true;
        self.0.changed.notify_all();
        let own =
            usize::from(roster.handles.iter().any(|handle| handle.thread().id() == thread::current().id()));
        while roster.threads > own {
            if self.0.changed.wait_until(&mut roster, deadline).timed_out() {
                break;
            }
        }
        let left = roster.threads - own;
        let handles = std::mem::take(&mut roster.handles);
        drop(roster);
        if left == 0 {
            // Each has finished its last job, so this is fast.
            for handle in handles.into_iter().filter(|handle| handle.thread().id() != thread::current().id())
            {
                let _ = handle.join();
            }
        }
        left
    }
}

impl Crew {
    /// The main loop of a thread.
    fn work(&self) {
        IS_WORKER.set(true);
        let mut roster = self.roster.lock();
        loop {
            if let Some(job) = roster.jobs.pop_front() {
                drop(roster);
                if caught(job).is_err() {
                    let _ = caught(|| log::error!("a callback panicked"));
                }
                roster = self.roster.lock();
                continue;
            }
            if roster.is_closed || roster.idle >= MOST_IDLE {
                break;
            }
            roster.idle += 1;
            self.changed.wait(&mut roster);
            roster.idle -= 1;
        }
        roster.threads -= 1;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crossbeam_channel::{Sender, bounded, unbounded};

    use super::*;

    struct TellsItsDrop(Sender<thread::ThreadId>);

    impl Drop for TellsItsDrop {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[test]
    fn a_value_is_dropped_on_another_thread_after_the_close_too() {
        let (tell, told) = unbounded();
        let workers = Workers::for_questions();
        workers.drop_elsewhere(TellsItsDrop(tell.clone()));
        assert_ne!(told.recv().unwrap(), thread::current().id());
        assert_eq!(workers.close(later()), 0);
        workers.drop_elsewhere(TellsItsDrop(tell));
        assert_ne!(told.recv().unwrap(), thread::current().id());
    }

    #[test]
    fn a_job_that_is_not_taken_is_given_back() {
        let workers = Workers::for_questions();
        workers.close(later());
        assert!(workers.run(Box::new(|| ())).is_err());
    }

    #[test]
    fn every_job_runs_however_many_come_at_once() {
        let workers = Workers::for_questions();
        let (tell, told) = unbounded();
        for round in 0..50 {
            for number in 0..200 {
                let tell = tell.clone();
                let job = move || {
                    if number % 50 == round {
                        thread::yield_now();
                    }
                    tell.send(number).unwrap();
                };
                assert!(workers.run(Box::new(job)).is_ok());
            }
            let mut seen: Vec<usize> =
                (0..200).map(|_| told.recv_timeout(Duration::from_secs(30)).unwrap()).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..200).collect::<Vec<_>>());
        }
        assert_eq!(workers.close(later()), 0);
    }

    #[test]
    fn jobs_that_wait_for_each_other_all_run_although_a_thread_is_idle() {
        let workers = Workers::for_questions();
        for _ in 0..200 {
            let (tell, told) = unbounded();
            let barrier = Arc::new(std::sync::Barrier::new(8));
            for _ in 0..8 {
                let (tell, barrier) = (tell.clone(), Arc::clone(&barrier));
                let job = move || {
                    barrier.wait();
                    tell.send(()).unwrap();
                };
                assert!(workers.run(Box::new(job)).is_ok());
            }
            for _ in 0..8 {
                told.recv_timeout(Duration::from_secs(30)).unwrap();
            }
            while workers.0.roster.lock().idle == 0 {
                thread::yield_now();
            }
        }
        assert_eq!(workers.close(later()), 0);
    }

    #[test]
    fn a_job_beyond_the_most_that_run_at_once_runs_when_one_of_them_ends() {
        let workers = Workers::for_questions();
        let (release, released) = bounded::<()>(0);
        let (tell, told) = unbounded();
        for number in 0..=MOST {
            let (released, tell) = (released.clone(), tell.clone());
            let job = move || {
                tell.send(number).unwrap();
                let _ = released.recv();
            };
            assert!(workers.run(Box::new(job)).is_ok());
        }
        for _ in 0..MOST {
            told.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        assert!(told.try_recv().is_err());
        release.send(()).unwrap();
        assert_eq!(told.recv_timeout(Duration::from_secs(30)).unwrap(), MOST);
        drop(release);
        assert_eq!(workers.close(later()), 0);
    }

    #[test]
    fn a_close_does_not_wait_for_a_job_that_does_not_end() {
        let workers = Workers::for_questions();
        let (_release, released) = bounded::<()>(0);
        let (tell, told) = unbounded();
        let job = move || {
            tell.send(()).unwrap();
            let _ = released.recv();
        };
        assert!(workers.run(Box::new(job)).is_ok());
        told.recv().unwrap();
        assert_eq!(workers.close(Instant::now()), 1);
    }
}
