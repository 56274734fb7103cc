//! The job object of a child on Windows, in which everything is that it starts.
//!
//! Relies on win32job, and on winsafe for a list of processes. Invariant: the job has one handle, so that the
//! processes end when it is closed, also by the system because this process was killed.

use std::{
    error, io,
    os::windows::{io::AsRawHandle, process::CommandExt},
    process::Command,
};

use parking_lot::Mutex;
use shared_child::SharedChild;
use win32job::{ExtendedLimitInfo, Job, JobError};
use winsafe::{
    HPROCESS, HPROCESSLIST, SysResult, co, guard::CloseHandleGuard, prelude::Handle as _,
    prelude::kernel_Hprocess as _, prelude::kernel_Hprocesslist as _,
};

/// Prevents a console window from opening.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// How often strays are looked for. A second pass is rare, and a child could go on starting them.
const MOST_PASSES: usize = 8;

/// `None` once the job has been closed.
pub(super) struct Group(Mutex<Option<Job>>);

impl Group {
    pub(super) fn spawn(command: &mut Command) -> io::Result<(SharedChild, Group)> {
        let mut limits = ExtendedLimitInfo::new();
        let job = Job::create_with_limit_info(limits.limit_kill_on_job_close()).map_err(failed)?;
        let mut child = command.creation_flags(CREATE_NO_WINDOW).spawn()?;
        if let Err(error) = job.assign_process(child.as_raw_handle() as isize) {
            // Without the job, what it starts could outlive it.
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(error));
        }
        if let Err(error) = take_in_strays(&job, child.id()) {
            log::warn!("what the app-server has started at once may outlive it: {error}");
        }
        Ok((SharedChild::new(child)?, Group(Mutex::new(Some(job)))))
    }

    /// Nothing reuses the number of a child while its handle is open.
    #[allow(clippy::unused_self, reason = "elsewhere it depends on the group")]
    pub(super) fn is_there(&self, _: &SharedChild) -> bool {
        true
    }

    /// There is no gentle way: the child has no console to receive Ctrl-C from.
    pub(super) fn terminate(&self, child: &SharedChild) {
        self.kill(child);
    }

    pub(super) fn kill(&self, child: &SharedChild) {
        drop(self.0.lock().take());
        // Fails if it has ended with the job, or before.
        let _ = child.kill();
    }

    #[allow(clippy::unused_self, reason = "elsewhere a process belongs to the group")]
    pub(super) fn reap(&self) {}
}

fn failed(error: JobError) -> io::Error {
    io::Error::other(error)
}

/// Puts into the job what the child has started before it was in the job itself. What is started by a process in the
/// job is in it from the beginning.
fn take_in_strays(job: &Job, child: u32) -> Result<(), Box<dyn error::Error>> {
    for _ in 0..MOST_PASSES {
        let found = strays(job, child)?;
        if found.is_empty() {
            return Ok(());
        }
        let child_began = began(&*open(child)?)?;
        // A child's number may be that of an earlier process, whose children are not the child's.
        let is_later = |process: &HPROCESS| began(process).is_ok_and(|began| began >= child_began);
        let opened: Vec<_> = found
            .into_iter()
            .filter_map(|number| open(number).ok().filter(|process| is_later(process)).map(|it| (number, it)))
            .collect();
        if opened.is_empty() {
            return Ok(());
        }
        // A number is that of the same process from here on, because that is open.
        let confirmed = strays(job, child)?;
        for (number, process) in opened {
            if confirmed.contains(&number) {
                // Fails if it has exited.
                let _ = job.assign_process(process.ptr() as isize);
            }
        }
    }
    Ok(())
}

/// The processes outside of the job whose parent, or that of an earlier process, has the number of one in it.
fn strays(job: &Job, child: u32) -> Result<Vec<u32>, Box<dyn error::Error>> {
    let members = job.query_process_id_list()?;
    let is_member = |number: u32| number == child || members.iter().any(|member| *member == number as usize);
    let mut all = HPROCESSLIST::CreateToolhelp32Snapshot(co::TH32CS::SNAPPROCESS, None)?;
    let mut found = Vec::new();
    for process in all.iter_processes() {
        let process = process?;
        if is_member(process.th32ParentProcessID) && !is_member(process.th32ProcessID) {
            found.push(process.th32ProcessID);
        }
    }
    Ok(found)
}

fn open(number: u32) -> SysResult<CloseHandleGuard<HPROCESS>> {
    let rights = co::PROCESS::SET_QUOTA | co::PROCESS::TERMINATE | co::PROCESS::QUERY_LIMITED_INFORMATION;
    HPROCESS::OpenProcess(rights, false, number)
}

/// When the process was started.
fn began(process: &HPROCESS) -> SysResult<u64> {
    process.GetProcessTimes().map(|(began, ..)| u64::from(began))
}

#[cfg(test)]
mod tests {
    use std::{
        process::Stdio,
        time::{Duration, Instant},
    };

    use super::*;

    fn await_that(what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_the_child_has_started_before_it_is_in_the_job_ends_with_the_job() {
        let mut limits = ExtendedLimitInfo::new();
        let job = Job::create_with_limit_info(limits.limit_kill_on_job_close()).unwrap();
        // A shell in a shell, and what that runs.
        let mut child = Command::new("cmd")
            .args(["/c", "cmd /c ping -n 60 127.0.0.1"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let number = child.id();
        await_that("there is a stray", || !strays(&job, number).unwrap().is_empty());
        job.assign_process(child.as_raw_handle() as isize).unwrap();
        let rights = co::PROCESS::SYNCHRONIZE | co::PROCESS::QUERY_LIMITED_INFORMATION;
        let stray = HPROCESS::OpenProcess(rights, false, strays(&job, number).unwrap()[0]).unwrap();
        take_in_strays(&job, number).unwrap();
        assert!(strays(&job, number).unwrap().is_empty());
        drop(job);
        assert_eq!(stray.WaitForSingleObject(Some(60_000)).unwrap(), co::WAIT::OBJECT_0);
        child.wait().unwrap();
    }
}
