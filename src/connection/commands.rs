//! Commands that run on the server for this client: what each has written and nobody has taken yet.
//!
//! Relies on `pending` and `line`. Invariant: a piece of output is kept from before the command is
//! asked for until it is taken, the command is let go of, or the connection's limit is passed; and a
//! command that is let go of while it runs is terminated.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::Serialize;

use super::{Connection, Shared, line::Place, pending::Waiting, reply::Reply};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
    protocol::{ClientRequest, CommandExecParams, CommandExecTerminateParams},
};

/// The commands that run, by their `processId`.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    running: HashMap<String, Arc<Output>>,
    /// Commands that have ended and may not have been read: they take memory too.
    unread: Vec<Weak<Output>>,
    is_closed: bool,
}

/// What one command has written.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) process_id: String,
    state: Mutex<State>,
    news: Condvar,
    /// The bytes kept on the whole connection.
    kept: Arc<AtomicUsize>,
    /// Given back when the server is done with the command, whoever still cares: when it answers it, or
    /// the request to terminate it.
    place: Mutex<Option<Place>>,
}

#[derive(Debug, Default)]
struct State {
    /// `command/exec/outputDelta` as it came: whoever takes a piece decodes it.
    pieces: VecDeque<Box<str>>,
    bytes: usize,
    end: Option<CommandEnd>,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub(crate) enum CommandEnd {
    /// The server has answered the request that it was asked for with.
    Replied(Reply),
    /// Nothing more will come, for this reason.
    Lost(Error),
}

/// What is found by whoever looks for output.
#[derive(Debug)]
pub(crate) enum Taken {
    Piece(Box<str>),
    Ended(CommandEnd),
    /// Nothing came in time.
    Nothing,
}

impl Commands {
    /// `false`: the connection has ended.
    fn insert(&self, output: &Arc<Output>) -> bool {
        let mut table = self.table.lock();
        if !table.is_closed {
            table.running.insert(output.process_id.clone(), Arc::clone(output));
        }
        !table.is_closed
    }

    fn remove(&self, process_id: &str) {
        self.table.lock().running.remove(process_id);
    }

    /// Hands a piece of output to its command. Those of commands that are not known here were asked
    /// for by hand, and are read among the notifications.
    pub(crate) fn deliver(&self, process_id: &str, text: &str) {
        let output = self.table.lock().running.get(process_id).map(Arc::clone);
        if let Some(output) = output {
            output.push(text);
        }
    }

    /// The reply is the command's last word. On the reading thread, so it is behind all output, which
    /// may still be there.
    pub(super) fn finish(&self, output: &Arc<Output>, reply: Reply) {
        {
            let mut table = self.table.lock();
            table.running.remove(&output.process_id);
            if output.kept_bytes() > 0 {
                table.unread.retain(|unread| unread.strong_count() > 0);
                table.unread.push(Arc::downgrade(output));
            }
        }
        output.end(CommandEnd::Replied(reply));
        output.give_place_back();
    }

    /// The command that holds the most, and how much, unless none holds anything.
    pub(crate) fn fullest(&self) -> Option<(usize, Arc<Output>)> {
        let table = self.table.lock();
        let unread = table.unread.iter().filter_map(Weak::upgrade);
        let all = table.running.values().map(Arc::clone).chain(unread);
        let all = all.map(|output| (output.kept_bytes(), output));
        all.max_by_key(|(bytes, _)| *bytes).filter(|(bytes, _)| *bytes > 0)
    }

    /// Ends every command with this reason; none can start after it.
    pub(crate) fn close(&self, reason: &Error) {
        let running = {
            let mut table = self.table.lock();
            table.is_closed = true;
            std::mem::take(&mut table.running)
        };
        for output in running.values() {
            output.end(CommandEnd::Lost(reason.while_doing(CommandExecParams::METHOD)));
        }
    }
}

impl Output {
    fn push(&self, text: &str) {
        let mut state = self.state.lock();
        if state.end.is_none() {
            self.kept.fetch_add(text.len(), Ordering::Relaxed);
            state.bytes += text.len();
            state.pieces.push_back(text.into());
            self.news.notify_all();
        }
    }

    fn end(&self, end: CommandEnd) {
        self.state.lock().end.get_or_insert(end);
        self.news.notify_all();
    }

    pub(super) fn give_place_back(&self) {
        drop(self.place.lock().take());
    }

    fn kept_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Frees what is kept: who reads on finds this reason, since the rest of the output is lost even
    /// if the command has ended. `true`: it had not.
    fn give_up(&self, reason: Error) -> bool {
        let mut state = self.state.lock();
        self.kept.fetch_sub(std::mem::take(&mut state.bytes), Ordering::Relaxed);
        state.pieces = VecDeque::new();
        let before = state.end.replace(CommandEnd::Lost(reason));
        self.news.notify_all();
        before.is_none()
    }

    /// The next piece, or the end behind the last one; waits for it until then.
    pub(crate) fn take(&self, until: Option<Instant>) -> Taken {
        let is_there = |state: &State| !state.pieces.is_empty() || state.end.is_some();
        let mut state = self.wait(until, is_there);
        if let Some(piece) = state.pieces.pop_front() {
            state.bytes -= piece.len();
            self.kept.fetch_sub(piece.len(), Ordering::Relaxed);
            return Taken::Piece(piece);
        }
        state.end.clone().map_or(Taken::Nothing, Taken::Ended)
    }

    /// Waits for the end until then. Meanwhile the pieces stay.
    pub(crate) fn wait_until_ended(&self, until: Option<Instant>) -> bool {
        self.wait(until, |state| state.end.is_some()).end.is_some()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state.lock().end.is_some()
    }

    fn wait(&self, until: Option<Instant>, enough: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        while !enough(&state) {
            match until {
                Some(until) => {
                    if self.news.wait_until(&mut state, until).timed_out() {
                        break;
                    }
                }
                None => self.news.wait(&mut state),
            }
        }
        state
    }
}

impl Connection {
    /// Asks for a command under this `processId`, which `params` name too, and does not wait for its
    /// reply. Its output is kept from before the request is sent. The deadline is that of the
    /// sending.
    pub(crate) fn start_command(
        &self,
        process_id: String,
        params: impl Serialize,
        deadline: Deadline,
    ) -> Result<Arc<Output>> {
        let method = CommandExecParams::METHOD;
        let place = self.enter_line(method, deadline)?;
        let shared = self.shared();
        let kept = Arc::clone(&shared.kept);
        let (state, news, place) = (Mutex::default(), Condvar::new(), Mutex::new(Some(place)));
        let output = Arc::new(Output { process_id, state, news, kept, place });
        if !shared.commands.insert(&output) {
            return Err(self.reason(method));
        }
        match self.send_request(method, params, deadline, Waiting::Command(Arc::clone(&output))) {
            Ok(_sent) => Ok(output),
            Err(error) => {
                shared.commands.remove(&output.process_id);
                Err(error)
            }
        }
    }

    /// Lets go of a command. If it still runs it is terminated; that is not waited for.
    pub(crate) fn abandon(&self, output: &Arc<Output>) {
        let what = format!("the command {} was let go of", output.process_id);
        self.shared().abandon(output, Error::NoLongerPending { what });
    }
}

impl Shared {
    /// Frees what is kept for a command, and terminates it if it still runs. Never blocks: the reading
    /// thread does this too.
    pub(super) fn abandon(&self, output: &Arc<Output>, reason: Error) {
        self.commands.remove(&output.process_id);
        if output.give_up(reason) {
            self.tell(
                CommandExecTerminateParams::METHOD,
                CommandExecTerminateParams::new(output.process_id.as_str()),
                Waiting::Termination(Arc::clone(output)),
            );
        }
    }
}
