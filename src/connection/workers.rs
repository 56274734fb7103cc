//! Threads for what must not run on the reading thread: user code, and the user's logger.
//!
//! Relies on crossbeam channels. Invariant: a job that blocks holds up no other job until all
//! threads are busy, and a job that panics costs its thread nothing.

use std::{
    any::Any,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

/// How many jobs run at once; more wait in line.
const MOST: usize = 128;
/// How many threads wait for the next job; they are not woken while there is none.
const MOST_IDLE: usize = 4;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Workers {
    /// `None` once closed.
    jobs: Mutex<Option<Sender<Job>>>,
    queue: Receiver<Job>,
    counts: std::sync::Arc<Counts>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    /// Threads that have finished their job, less the jobs handed over since.
    idle: AtomicUsize,
}

impl Workers {
    pub(crate) fn new() -> Self {
        let (jobs, queue) = unbounded();
        Workers {
            jobs: Mutex::new(Some(jobs)),
            queue,
            counts: std::sync::Arc::default(),
            threads: Mutex::new(Vec::new()),
        }
    }

    /// Runs `job` soon, on a thread named `codex-worker`. Never blocks. `false`: not any more.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.hand_over(Box::new(job)).is_ok()
    }

    /// [`run`](Self::run), which gives back the job that it does not take.
    pub(crate) fn hand_over(&self, job: Job) -> Result<(), Job> {
        let jobs = self.jobs.lock();
        let Some(jobs) = &*jobs else { return Err(job) };
        let claimed = self
            .counts
            .idle
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |idle| idle.checked_sub(1))
            .is_ok();
        let wants_thread = !claimed && self.counts.running.load(Ordering::Acquire) < MOST;
        if wants_thread && !self.start_thread() && self.counts.running.load(Ordering::Acquire) == 0 {
            return Err(job);
        }
        jobs.send(job).map_err(|refused| refused.into_inner())
    }

    /// Drops what may run user code when it goes, on another thread: neither the reading thread nor a
    /// close with a limit is held up by it.
    pub(crate) fn let_go(&self, kept: impl Any + Send) {
        // A job that can't run is dropped here: then it rather leaks.
        let kept = ManuallyDrop::new(kept);
        let job = Box::new(move || drop(ManuallyDrop::into_inner(kept)));
        if let Err(job) = self.hand_over(job) {
            // Not logged if it fails: the logger is user code too.
            drop(thread::Builder::new().name("codex-worker".to_owned()).spawn(job));
        }
    }

    fn start_thread(&self) -> bool {
        let (queue, counts) = (self.queue.clone(), std::sync::Arc::clone(&self.counts));
        counts.running.fetch_add(1, Ordering::AcqRel);
        let started = thread::Builder::new().name("codex-worker".to_owned()).spawn(move || {
            super::line::enter_callbacks();
            for job in queue {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    log::error!("a callback panicked");
                }
                let parked = counts.idle.fetch_update(Ordering::AcqRel, Ordering::Acquire, |idle| {
                    (idle < MOST_IDLE).then_some(idle + 1)
                });
                if parked.is_err() {
                    break;
                }
            }
            counts.running.fetch_sub(1, Ordering::AcqRel);
        });
        match started {
            Ok(thread) => {
                let mut threads = self.threads.lock();
                threads.retain(|thread| !thread.is_finished());
                threads.push(thread);
                true
            }
            Err(_) => {
                self.counts.running.fetch_sub(1, Ordering::AcqRel);
                false
            }
        }
    }

    /// Takes no more jobs, and joins the threads that end by `deadline`; one that runs user code
    /// which does not return is left behind. Never joins the thread it is called on.
    pub(crate) fn close(&self, deadline: std::time::Instant) {
        self.jobs.lock().take();
        for thread in self.threads.lock().drain(..) {
            if thread.thread().id() == thread::current().id() {
                continue;
            }
            // Joining has no limit; ending is not announced. It is rare to wait here at all.
            while !thread.is_finished() && std::time::Instant::now() < deadline {
                thread::sleep(std::time::Duration::from_millis(1));
            }
            match thread.is_finished() {
                true => drop(thread.join()),
                false => log::warn!("a callback still runs though its client is closed"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Told(Sender<thread::ThreadId>);

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }

    #[test]
    fn what_is_let_go_of_is_dropped_on_another_thread_after_the_close_too() {
        let (tell, told) = unbounded();
        let workers = Workers::new();
        workers.let_go(Told(tell.clone()));
        assert_ne!(told.recv().unwrap(), thread::current().id());
        workers.close(std::time::Instant::now());
        workers.let_go(Told(tell));
        assert_ne!(told.recv().unwrap(), thread::current().id());
    }

    #[test]
    fn a_job_that_is_not_taken_is_given_back() {
        let workers = Workers::new();
        workers.close(std::time::Instant::now());
        assert!(workers.hand_over(Box::new(|| ())).is_err());
    }
}
