//! The sign-ins that run, by `loginId`: from the reply that starts one to the notification that ends it.
//!
//! Relies on `rpc`. Invariant: the end of a sign-in is kept from before its id is known, and what the server can make
//! this keep is bounded.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{Error, Result},
    excerpt::boundary_before,
    protocol::{ClientRequest, LoginAccountParams, LoginAccountResponse},
    rpc::{Core, Frame, Latch, RawReply, Subsystem, Wakeups},
};

/// The method that ends a sign-in.
const COMPLETED: &str = "account/login/completed";
/// How many ends of unknown sign-ins are kept while one is being started.
const MAX_EARLY: usize = 8;
/// How much of the server's reason is kept, in bytes.
const MAX_REASON: usize = 16 * 1024;

/// The sign-ins of a connection.
#[derive(Default)]
pub(crate) struct Logins {
    state: Mutex<LoginTable>,
}

#[derive(Default)]
struct LoginTable {
    /// Those that have not ended, as long as the program has a handle.
    running: HashMap<String, Weak<LoginState>>,
    /// How many requests that end the running ones are in flight.
    starting: usize,
    /// Ends that came while the reply with the id was still to come.
    early: Vec<(String, LoginEnd)>,
}

/// How a sign-in ended, as the server tells it: with success, or why not.
type LoginEnd = std::result::Result<(), String>;

/// One sign-in.
pub(crate) struct LoginState {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) user_code: Option<String>,
    /// The first that is set counts.
    outcome: OnceLock<Result<()>>,
    ended: Latch,
    /// Whether this program has ended it.
    is_cancelled: AtomicBool,
}

/// Marks that a request is in flight which ends the running sign-ins.
pub(crate) struct Starting(Arc<Logins>);

impl Drop for Starting {
    fn drop(&mut self) {
        let mut table = self.0.state.lock();
        table.starting -= 1;
        if table.starting == 0 {
            table.early = Vec::new();
        }
    }
}

impl Logins {
    /// To be held during a request that makes the server end the running sign-ins.
    pub(crate) fn starting(self: &Arc<Self>) -> Starting {
        self.state.lock().starting += 1;
        Starting(Arc::clone(self))
    }

    /// Registers the sign-in that the reply starts. `None` if there is none in it.
    pub(crate) fn open(&self, reply: &RawReply) -> Option<Arc<LoginState>> {
        let (id, url, user_code) = match reply.decode(LoginAccountParams::METHOD).ok()? {
            LoginAccountResponse::Chatgpt(login) => (login.login_id, login.auth_url, None),
            LoginAccountResponse::ChatgptDeviceCode(login) => {
                (login.login_id, login.verification_url, Some(login.user_code))
            }
            _ => return None,
        };
        let login = Arc::new(LoginState {
            id,
            url,
            user_code,
            outcome: OnceLock::new(),
            ended: Latch::default(),
            is_cancelled: AtomicBool::new(false),
        });
        self.supersede();
        let mut table = self.state.lock();
        let early = table.early.iter().position(|(id, _)| *id == login.id);
        let early = early.map(|at| table.early.swap_remove(at).1);
        let same_id = match early {
            None => table.running.insert(login.id.clone(), Arc::downgrade(&login)),
            Some(_) => table.running.remove(&login.id),
        };
        drop(table);
        // No end could be told from that of the new one.
        if let Some(older) = same_id.and_then(|older| older.upgrade()) {
            older.end(Err("the server has given its id to another login".to_owned()));
        }
        if let Some(end) = early {
            login.end(end);
        }
        Some(login)
    }

    /// The server ends the running sign-ins, and is about to say so.
    pub(crate) fn supersede(&self) {
        self.state.lock().running.retain(|_, login| {
            let login = login.upgrade();
            login.inspect(|login| _ = login.set_cancelled(true)).is_some()
        });
    }
}

impl Subsystem for Logins {
    fn notification(&self, _: &Arc<Core>, frame: &Frame<'_>, _: &mut Wakeups) {
        if frame.method != COMPLETED {
            return;
        }
        // A sign-in with a key has no id: the reply is its end.
        let Some((id, end)) = completed(frame.text) else { return };
        let mut table = self.state.lock();
        let login = match table.running.remove(&id) {
            Some(login) => login.upgrade(),
            None => {
                if table.starting > 0 && id.len() <= MAX_REASON {
                    if table.early.len() == MAX_EARLY {
                        drop(table.early.remove(0));
                    }
                    table.early.push((id, end));
                }
                return;
            }
        };
        let is_superseded = table.starting > 0;
        drop(table);
        if let Some(login) = login {
            if is_superseded && end.is_err() {
                login.set_cancelled(true);
            }
            login.end(end);
        }
    }

    fn ended(&self, _: &Core, reason: &Error) {
        let running = std::mem::take(&mut self.state.lock().running);
        for login in running.into_values().filter_map(|login| login.upgrade()) {
            login.finish(Err(reason.while_doing("wait for a login")));
        }
    }
}

impl LoginState {
    /// Notes whether this program has ended it. Returns what was noted before.
    pub(super) fn set_cancelled(&self, is_cancelled: bool) -> bool {
        self.is_cancelled.swap(is_cancelled, Ordering::AcqRel)
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&self, end: LoginEnd) {
        let was_cancelled = self.is_cancelled.load(Ordering::Acquire);
        self.finish(end.map_err(|message| Error::LoginFailed { message, was_cancelled }));
    }

    fn finish(&self, outcome: Result<()>) {
        let _ = self.outcome.set(outcome);
        self.ended.set();
    }

    /// How it ended; waits until the given time.
    pub(super) fn outcome(&self, until: Option<Instant>) -> Option<Result<()>> {
        self.ended.wait(until);
        self.outcome.get().cloned()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.outcome.get().is_some()
    }
}

/// The id of the sign-in that a notification ends, and how.
fn completed(text: &str) -> Option<(String, LoginEnd)> {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        params: Params<'a>,
    }
    /// Whatever else is in it, and of whichever type.
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow, rename = "loginId")]
        login_id: &'a RawValue,
        #[serde(borrow)]
        success: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    let Message { params: Params { login_id, success, error } } = serde_json::from_str(text).ok()?;
    let id = serde_json::from_str(login_id.get()).ok()?;
    if success.is_some_and(|success| success.get() == "true") {
        return Some((id, Ok(())));
    }
    let reason = error.and_then(|error| serde_json::from_str::<Option<String>>(error.get()).ok().flatten());
    Some((id, Err(beginning(reason.as_deref().unwrap_or("the server gives no reason")))))
}

/// As much of the text as is kept.
fn beginning(text: &str) -> String {
    text[..boundary_before(text, MAX_REASON)].to_owned()
}
