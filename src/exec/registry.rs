//! The commands that run on the server for this client, and the unread output of each.
//!
//! Relies on `rpc` for the mailboxes. Invariant: output is kept from before the command is requested until it
//! is taken, the command is dropped, or the client's limit is exceeded; a command that is dropped while it
//! runs is terminated.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
    time::Instant,
};

use parking_lot::Mutex;
use serde::Serialize;

use crate::{
    deadline::Deadline,
    error::{Error, Result},
    protocol::{ClientRequest, CommandExecParams, CommandExecTerminateParams},
    rpc::{
        Budget, Class, Core, Frame, Latch, Mailbox, MailboxEnd, Overrun, Payer, Permit, RawReply, Subsystem,
        Taken, TimerKey, Wakeups, Weighed,
    },
};

/// The method that carries output of a command, which belongs to no thread.
const OUTPUT: &str = "command/exec/outputDelta";

/// The running commands, by `processId`.
#[derive(Debug)]
pub(crate) struct Commands {
    running: Mutex<HashMap<String, Arc<CommandLog>>>,
    budget: Arc<Budget>,
}

/// The unread output of one command, and how it ended.
pub(crate) struct CommandLog {
    pub(super) process_id: String,
    /// The id of the request, once it is sent.
    call_id: OnceLock<i64>,
    mailbox: Arc<Mailbox<OutputText, CommandEnd>>,
    ended: Latch,
    /// Returned when the server has finished with the command, even if nobody reads it any more: with the
    /// reply to the command, or to the request that terminates it.
    permit: Mutex<Option<Permit>>,
    /// Wakes a reader that doesn't wait in the stream at the deadline.
    alarm: Mutex<Option<TimerKey>>,
    commands: Weak<Commands>,
    core: Weak<Core>,
}

/// The text of a `command/exec/outputDelta`; the reader decodes it.
#[derive(Debug)]
pub(super) struct OutputText(Box<str>);

impl OutputText {
    pub(super) fn get(&self) -> &str {
        &self.0
    }
}

impl Weighed for OutputText {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// How a command ended.
#[derive(Debug, Clone)]
pub(super) enum CommandEnd {
    /// The server replied to the request that started it.
    Replied(RawReply),
    /// Nothing more arrives, for this reason.
    Lost(Error),
}

impl MailboxEnd for CommandEnd {
    fn in_forked_process() -> Self {
        CommandEnd::Lost(Error::forked(CommandExecParams::METHOD))
    }
}

impl Commands {
    pub(crate) fn new(budget: &Arc<Budget>) -> Arc<Commands> {
        Arc::new(Commands { running: Mutex::default(), budget: Arc::clone(budget) })
    }

    /// Requests a command under this `processId`, which must also be in `params`, without waiting for its
    /// reply. Its output is kept from before the request is sent. The deadline limits the sending.
    pub(crate) fn start(
        self: &Arc<Self>,
        core: &Arc<Core>,
        process_id: String,
        params: impl Serialize,
        deadline: Deadline,
    ) -> Result<Arc<CommandLog>> {
        let method = CommandExecParams::METHOD;
        core.check_process(method)?;
        let permit = core.acquire(method, Class::Long, deadline)?;
        let log = Arc::new(CommandLog {
            process_id,
            call_id: OnceLock::new(),
            mailbox: Mailbox::new(&self.budget),
            ended: Latch::default(),
            permit: Mutex::new(Some(permit)),
            alarm: Mutex::default(),
            commands: Arc::downgrade(self),
            core: Arc::downgrade(core),
        });
        let payer: Arc<dyn Payer> = Arc::clone(&log) as _;
        self.budget.register(Arc::downgrade(&payer));
        self.running.lock().insert(log.process_id.clone(), Arc::clone(&log));
        let (commands, replied) = (Arc::clone(self), Arc::clone(&log));
        let completion = move |reply| commands.finish(&replied, reply);
        match core.submit(method, params, Some(deadline), Box::new(completion)) {
            Ok(id) => {
                let _ = log.call_id.set(id);
                core.settle();
                Ok(log)
            }
            Err(error) => {
                self.running.lock().remove(&log.process_id);
                Err(error)
            }
        }
    }

    /// Ends the command with its reply. The reply follows all output, some of which may still be unread.
    fn finish(&self, log: &CommandLog, reply: RawReply) {
        self.running.lock().remove(&log.process_id);
        log.end(CommandEnd::Replied(reply));
        log.return_permit();
    }
}

impl Subsystem for Commands {
    /// Ignores output of unknown commands: it was requested with `Client::request`, and is read from the
    /// notifications.
    fn notification(&self, _: &Arc<Core>, frame: &Frame<'_>, wakeups: &mut Wakeups) {
        if frame.method != OUTPUT {
            return;
        }
        let Some(process_id) = frame.route.process_id.as_deref() else { return };
        let log = self.running.lock().get(process_id).map(Arc::clone);
        if let Some(log) = log {
            log.mailbox.push(OutputText(frame.text.into()), wakeups);
        }
    }

    fn ended(&self, _: &Core, reason: &Error) {
        let running = std::mem::take(&mut *self.running.lock());
        for log in running.values() {
            log.end(CommandEnd::Lost(reason.while_doing(CommandExecParams::METHOD)));
        }
    }
}

impl CommandLog {
    fn end(&self, end: CommandEnd) {
        self.mailbox.close(end);
        self.ended.set();
    }

    fn return_permit(&self) {
        drop(self.permit.lock().take());
    }

    /// Takes the next chunk, or the end after the last one; waits until the given time.
    pub(super) fn take(&self, until: Option<Instant>) -> Taken<OutputText, CommandEnd> {
        self.mailbox.take_before(until)
    }

    pub(super) fn mailbox(&self) -> &Mailbox<OutputText, CommandEnd> {
        &self.mailbox
    }

    /// Makes the reader look again at that moment, when the wait for the command's end is over.
    pub(super) fn wake_at(&self, at: Instant) {
        let Some(core) = self.core.upgrade() else { return };
        let mailbox = Arc::downgrade(&self.mailbox);
        let work = move || {
            if let Some(mailbox) = mailbox.upgrade() {
                mailbox.wake();
            }
        };
        let mut alarm = self.alarm.lock();
        if alarm.is_none() {
            *alarm = core.schedule(at, work);
        }
    }

    /// Waits for the end until the given time. Chunks stay in the mailbox.
    pub(super) fn wait_until_ended(&self, until: Option<Instant>) -> bool {
        self.ended.wait(until);
        self.has_ended()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_set()
    }

    /// Errors without an id that the server has sent since the command was requested.
    pub(super) fn unassigned_errors(&self) -> Option<Box<str>> {
        self.core.upgrade()?.unassigned_since(*self.call_id.get()?)
    }

    /// Called when nobody reads the command any more: terminates it if it still runs, without waiting.
    pub(super) fn abandon(self: &Arc<Self>) {
        if let (Some(alarm), Some(core)) = (self.alarm.lock().take(), self.core.upgrade()) {
            core.cancel_scheduled(alarm);
        }
        let what = format!("the command {} was dropped", self.process_id);
        self.give_up_for(Error::no_longer_pending(what));
    }

    /// Frees the unread output, and terminates the command if it still runs. A reader gets the reason even if
    /// the command has ended, because the rest of the output is lost. Never blocks.
    fn give_up_for(&self, reason: Error) {
        let was_running = !self.has_ended();
        self.mailbox.clear(CommandEnd::Lost(reason));
        self.ended.set();
        let log =
            self.commands.upgrade().and_then(|commands| commands.running.lock().remove(&self.process_id));
        let (Some(core), true) = (self.core.upgrade(), was_running) else { return };
        let completion = move |_: RawReply| {
            if let Some(log) = &log {
                log.return_permit();
            }
        };
        let params = CommandExecTerminateParams::new(self.process_id.as_str());
        // It fails when the connection does, which is reported elsewhere.
        let _ = core.submit(CommandExecTerminateParams::METHOD, params, None, Box::new(completion));
    }
}

impl Payer for CommandLog {
    fn kept_bytes(&self) -> usize {
        self.mailbox.bytes()
    }

    fn give_up(&self, Overrun { buffered, limit }: Overrun) {
        self.give_up_for(Error::OutputFull { process_id: self.process_id.clone(), buffered, limit });
    }
}

impl std::fmt::Debug for CommandLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandLog").field("process_id", &self.process_id).finish_non_exhaustive()
    }
}
