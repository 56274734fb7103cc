//! A child process, the thread that waits for it, and the signals to its group.
//!
//! Relies on shared_child, and on rustix and `guard`, or `job`, for the group. Invariant: the thread runs before
//! the child does, so that the child is always reaped, and its exit is known even while a grandchild holds its pipes
//! open. The group is signalled only while its number can't be that of another group.

use std::{
    io,
    process::{Command, ExitStatus},
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use shared_child::SharedChild;

use super::join;

/// How long a signal waits for the child that is being reaped.
const SIGNAL_LIMIT: Duration = Duration::from_secs(1);

/// A child, running or exited.
pub(super) struct WatchedChild {
    state: Arc<ChildState>,
    /// Disconnected once the child has been reaped.
    exited: Receiver<()>,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

struct ChildState {
    child: SharedChild,
    /// The processes that the child starts.
    group: Group,
    /// Set once the child has been reaped; `None` inside if its exit status is unknown.
    end: OnceLock<Option<ExitStatus>>,
    /// Held while the child is reaped, and while its group is signalled.
    reaping: Mutex<()>,
    /// Called when the child has been reaped.
    on_exit: Mutex<Option<Box<dyn Fn() + Send>>>,
}

/// The thread that waits for a child, which is still to be started.
pub(super) struct Watcher {
    start: Sender<(Arc<ChildState>, Sender<()>)>,
    thread: JoinHandle<()>,
}

impl Watcher {
    pub(super) fn start() -> io::Result<Watcher> {
        let (start, started) = bounded::<(Arc<ChildState>, Sender<()>)>(1);
        let thread = thread::Builder::new().name("codex-exit".to_owned()).spawn(move || {
            if let Ok((child, alive)) = started.recv() {
                child.reap();
                drop(alive);
                child.tell_exit();
            }
        })?;
        Ok(Watcher { start, thread })
    }

    /// Starts the child, in a process group of its own, and takes its pipes before anything waits for its exit: a wait
    /// closes the stdin of a child that has ended.
    pub(super) fn spawn<T>(
        self,
        command: &mut Command,
        take_pipes: impl FnOnce(&SharedChild) -> T,
    ) -> io::Result<(WatchedChild, T)> {
        let Watcher { start, thread } = self;
        let (child, group) = match Group::spawn(command) {
            Ok(spawned) => spawned,
            Err(error) => {
                drop(start);
                join(Some(thread));
                return Err(error);
            }
        };
        let pipes = take_pipes(&child);
        let state = ChildState {
            child,
            group,
            end: OnceLock::new(),
            reaping: Mutex::default(),
            on_exit: Mutex::default(),
        };
        let (state, (alive, exited)) = (Arc::new(state), bounded(0));
        // The thread waits for this one message.
        let _ = start.send((Arc::clone(&state), alive));
        Ok((WatchedChild { state, exited, watcher: Mutex::new(Some(thread)) }, pipes))
    }
}

impl WatchedChild {
    /// For its pipes.
    pub(super) fn shared(&self) -> &SharedChild {
        &self.state.child
    }

    /// Disconnected once the child has been reaped.
    #[cfg(any(not(unix), test))]
    pub(super) fn exited(&self) -> Receiver<()> {
        self.exited.clone()
    }

    /// Calls `wake` once the child has been reaped, or immediately if it already has been.
    #[cfg(unix)]
    pub(super) fn when_exited(&self, wake: impl Fn() + Send + 'static) {
        let mut on_exit = self.state.on_exit.lock();
        if self.has_exited() {
            wake();
        } else {
            *on_exit = Some(Box::new(wake));
        }
    }

    pub(super) fn has_exited(&self) -> bool {
        self.state.end.get().is_some()
    }

    /// The exit status, unless it is unknown: because the child runs, or because something else reaped it.
    pub(super) fn exit_status(&self) -> Option<ExitStatus> {
        self.state.end.get().copied().flatten()
    }

    /// Waits until the child has been reaped. Returns whether it has been in time.
    pub(super) fn exits_within(&self, limit: Duration) -> bool {
        let _ = self.exited.recv_deadline(Instant::now() + limit);
        self.has_exited()
    }

    /// Sends SIGTERM to the child and its group.
    pub(super) fn terminate(&self) {
        self.state.unless_reaped(Group::terminate);
    }

    /// Sends SIGKILL to the child and its group, and waits until the child has been reaped.
    pub(super) fn kill_and_wait(&self, limit: Duration) -> bool {
        self.state.unless_reaped(Group::kill);
        self.exits_within(limit)
    }

    /// Joins the thread that waits for the child, if the child has exited.
    pub(super) fn join(&self) {
        if self.has_exited() {
            join(self.watcher.lock().take());
        }
    }
}

impl ChildState {
    /// Waits for the child and reaps it. The processes that it started in its group end with it; they would be
    /// orphaned otherwise.
    fn reap(&self) {
        let is_left = wait_without_reaping(&self.child);
        let _reaping = self.reaping.lock();
        if self.group.is_there(&self.child) {
            self.group.kill(&self.child);
        }
        let status = is_left.then(|| self.child.wait().ok());
        self.group.reap();
        let _ = self.end.set(status.flatten());
    }

    fn tell_exit(&self) {
        let wake = self.on_exit.lock().take();
        if let Some(wake) = wake {
            wake();
        }
    }

    fn unless_reaped(&self, signal: fn(&Group, &SharedChild)) {
        // It is held while the child is reaped, which takes no time unless the system is in trouble.
        let Some(_reaping) = self.reaping.try_lock_for(SIGNAL_LIMIT) else { return };
        if self.end.get().is_none() && self.group.is_there(&self.child) {
            signal(&self.group, &self.child);
        }
    }
}

#[cfg(unix)]
use self::unix::{Group, wait_without_reaping};

#[cfg(unix)]
mod unix {
    use std::{io, os::unix::process::CommandExt, process::Command};

    use rustix::{
        io::Errno,
        process::{
            Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, getpgid, kill_process, kill_process_group,
            waitid,
        },
    };
    use shared_child::SharedChild;

    use super::super::guard::Guard;

    /// The process group of the child. The guard leads it, which ends it if this process dies; without a guard
    /// the child does.
    pub(super) struct Group(Option<Guard>);

    impl Group {
        /// Starts the child in a process group of its own: this program decides how to handle Ctrl-C, and the
        /// group can be signalled as one.
        pub(super) fn spawn(command: &mut Command) -> io::Result<(SharedChild, Group)> {
            match Guard::start() {
                Ok(guard) => Group::spawn_beside(guard, command),
                Err(error) => Group::spawn_alone(command, &error.to_string()),
            }
        }

        /// Starts the child in the group of the guard.
        pub(super) fn spawn_beside(guard: Guard, command: &mut Command) -> io::Result<(SharedChild, Group)> {
            let leader = i32::try_from(guard.number()).map_err(io::Error::other)?;
            let group = Group(Some(guard));
            let spawned = SharedChild::spawn(command.process_group(leader));
            if spawned.is_err() && !group.has_guard() {
                // A group ends with its last process: what is called `/bin/sh` has ended, and been reaped.
                return Group::spawn_alone(command, "it ends immediately");
            }
            match spawned {
                Ok(child) => Ok((child, group)),
                Err(error) => {
                    group.reap();
                    Err(error)
                }
            }
        }

        fn spawn_alone(command: &mut Command, reason: &str) -> io::Result<(SharedChild, Group)> {
            log::warn!(
                "the app-server will outlive this process if that is killed: /bin/sh can't be run: {reason}"
            );
            Ok((SharedChild::spawn(command.process_group(0))?, Group(None)))
        }

        /// Whether the group's number is its own: its leader or the child has not been reaped.
        pub(super) fn is_there(&self, child: &SharedChild) -> bool {
            self.has_guard() || is_there(child.id())
        }

        fn has_guard(&self) -> bool {
            self.0.as_ref().is_some_and(|guard| is_there(guard.number()))
        }

        pub(super) fn terminate(&self, child: &SharedChild) {
            self.signal(child, Signal::TERM);
        }

        pub(super) fn kill(&self, child: &SharedChild) {
            self.signal(child, Signal::KILL);
        }

        fn signal(&self, child: &SharedChild, signal: Signal) {
            let leader = self.0.as_ref().map_or(child.id(), Guard::number);
            if let Some(group) = pid(leader) {
                // Fails if the group no longer exists, which is the desired state.
                let _ = kill_process_group(group, signal);
            }
            signal_outside_of(leader, child.id(), signal);
        }

        /// Ends what belongs to this crate.
        pub(super) fn reap(&self) {
            if let Some(guard) = self.0.as_ref().filter(|_| self.has_guard()) {
                guard.end();
            }
        }
    }

    /// Signals a child that has left the group, as `setsid` does, and the group that it leads itself.
    fn signal_outside_of(group: u32, child: u32, signal: Signal) {
        let Some(child) = pid(child).filter(|_| is_there(child)) else { return };
        // Fails if it has ended meanwhile.
        let _ = match getpgid(Some(child)) {
            Ok(own) if Some(own) == pid(group) => return,
            Ok(own) if own == child => kill_process_group(child, signal),
            _ => kill_process(child, signal),
        };
    }

    fn pid(number: u32) -> Option<Pid> {
        i32::try_from(number).ok().and_then(Pid::from_raw)
    }

    /// Looks at the child's exit and leaves it to be reaped. Fails if the child has been reaped: by the system,
    /// because SIGCHLD is ignored in this process, or by a wait for any child.
    fn look(child: u32, more: WaitIdOptions) -> Result<Option<WaitIdStatus>, Errno> {
        let pid = pid(child).ok_or(Errno::CHILD)?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | more;
        loop {
            match waitid(WaitId::Pid(pid), options) {
                Err(Errno::INTR) => {}
                looked => return looked,
            }
        }
    }

    /// Waits until the child has exited. Returns `false` if it has been reaped.
    pub(super) fn wait_without_reaping(child: &SharedChild) -> bool {
        look(child.id(), WaitIdOptions::empty()).is_ok()
    }

    /// Whether the child runs or is to be reaped.
    fn is_there(child: u32) -> bool {
        look(child, WaitIdOptions::NOHANG).is_ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_guard_that_has_ended_does_not_keep_the_child_from_starting() {
            let guard = Guard::start().unwrap();
            guard.end();
            let (child, group) = Group::spawn_beside(guard, &mut Command::new("true")).unwrap();
            assert!(group.0.is_none());
            assert!(child.wait().unwrap().success());
        }
    }
}

#[cfg(windows)]
use super::job::Group;

#[cfg(not(any(unix, windows)))]
use self::other::Group;

#[cfg(not(any(unix, windows)))]
mod other {
    use std::{io, process::Command};

    use shared_child::SharedChild;

    /// Only the child itself.
    pub(super) struct Group;

    impl Group {
        pub(super) fn spawn(command: &mut Command) -> io::Result<(SharedChild, Group)> {
            Ok((SharedChild::spawn(command)?, Group))
        }

        pub(super) fn is_there(&self, _: &SharedChild) -> bool {
            true
        }

        pub(super) fn terminate(&self, child: &SharedChild) {
            self.kill(child);
        }

        pub(super) fn kill(&self, child: &SharedChild) {
            // Fails if the child has already exited.
            let _ = child.kill();
        }

        pub(super) fn reap(&self) {}
    }
}

#[cfg(not(unix))]
fn wait_without_reaping(child: &SharedChild) -> bool {
    child.wait().is_ok()
}
