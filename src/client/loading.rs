//! Opening threads: starting, resuming and forking them, and keeping them loaded for what needs it.
//!
//! Relies on `connection` and `config`. Invariant: a configuration that a loaded thread can't take
//! is told by the names of its fields, never lost.

use serde::{Deserialize, Serialize};

use super::Client;
use crate::{
    config::{ThreadConfig, TurnOverrides},
    connection::Reply,
    deadline::Deadline,
    error::{Error, Result},
    protocol::{ClientRequest, DynamicToolSpec, ThreadLoadedListParams, ThreadLoadedListResponse},
    turn::ChatRequest,
};

/// The parameters of `thread/start`, `thread/resume` and `thread/fork`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thread_id: Option<&'a str>,
    /// Without it the reply holds all turns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) exclude_turns: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dynamic_tools: Option<Vec<DynamicToolSpec>>,
    #[serde(flatten)]
    pub(super) config: &'a ThreadConfig,
}

/// What of the reply to these counts here.
#[derive(Deserialize)]
struct OpenedThread {
    thread: ThreadId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThreadId {
    id: String,
    forked_from_id: Option<String>,
}

/// # Errors
/// `InvalidInput`: the id is empty, which the server tells with words about its length.
pub(crate) fn check_thread_id(id: &str) -> Result<()> {
    match id {
        "" => Err(Error::invalid("the id of the thread is empty")),
        _ => Ok(()),
    }
}

/// The thread was unloaded behind our back; the server says so by its message alone.
pub(super) fn is_unloaded(error: &Error) -> bool {
    matches!(error, Error::Rpc { message, .. } if message.starts_with("thread not found"))
}

impl Client {
    /// Starts, resumes or forks a thread.
    pub(crate) fn open_thread(
        &self,
        method: &str,
        thread_id: Option<&str>,
        config: &ThreadConfig,
    ) -> Result<String> {
        config.check_for(method)?;
        let exclude_turns = thread_id.is_some();
        let params = ThreadParams { thread_id, exclude_turns, dynamic_tools: None, config };
        self.open_with(method, &params, self.deadline())
    }

    /// The same with parameters that have been checked.
    pub(super) fn open_with(
        &self,
        method: &str,
        params: &ThreadParams<'_>,
        deadline: Deadline,
    ) -> Result<String> {
        let OpenedThread { thread } = self.request_until(method, params, deadline)?.decode(method)?;
        Ok(thread.id)
    }

    /// Resumes a thread with this configuration: what a loaded one can't take but with a turn waits
    /// for its next. Gives the thread's id and the names of the fields without effect.
    pub(crate) fn resume_with(&self, id: &str, config: &ThreadConfig) -> Result<(String, Vec<String>)> {
        check_thread_id(id)?;
        config.check_for("thread/resume")?;
        let was_loaded = !config.is_unset() && self.is_loaded_anywhere(id)?;
        let thread_id = self.load(id, config)?;
        if !was_loaded {
            return Ok((thread_id, config.not_for_resume()));
        }
        self.inner.carried.add(id, config.for_turn());
        Ok((thread_id, config.not_for_turn()))
    }

    /// Resumes a thread. The server applies the configuration unless the thread is loaded.
    fn load(&self, id: &str, config: &ThreadConfig) -> Result<String> {
        let id = self.open_thread("thread/resume", Some(id), config)?;
        self.inner.carried.outdate(&id, config.for_turn());
        Ok(id)
    }

    /// Changes what a thread's later turns are run with: at once if it has to be loaded for that,
    /// else with its next turn, by whatever handle or request of this client it is started.
    ///
    /// The server takes a configuration when it loads a thread, and ignores one for a thread that is
    /// loaded. So on a loaded thread `cwd`, `model`, `approval_policy`, `sandbox` and `personality`
    /// travel with the next turn, under the overrides of its own request; they wait until a turn was
    /// started with them, also when the thread is unloaded meanwhile. `null` leaves a field as it is.
    /// A sandbox travels as a policy of the same name, without the extra folders or the network that
    /// the user's configuration may grant.
    ///
    /// Blocks for the request limit at the longest, for each of at most two requests; a thread that
    /// this client has loaded takes none.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::{ChatRequest, ThreadConfig};
    ///
    /// let thread = client.start_thread(ThreadConfig::new())?;
    /// client.set_thread_defaults(thread.thread_id(), ThreadConfig::new().model("gpt-5"))?;
    /// thread.chat_once("Which model are you?")?; // runs with it, and so do all turns after it
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fields that the thread can't take any more, by their names: nothing
    /// is changed then; else as [`resume_thread`](Self::resume_thread).
    pub fn set_thread_defaults(&self, id: &str, config: ThreadConfig) -> Result<()> {
        check_thread_id(id)?;
        config.check_for("thread/resume")?;
        if self.is_loaded_anywhere(id)? {
            refuse_fields(id, &config.not_for_turn())?;
            self.inner.carried.add(id, config.for_turn());
            return Ok(());
        }
        refuse_fields(id, &config.not_for_resume())?;
        self.load(id, &config).map(drop)
    }

    /// The thread of a chat, loaded, what of its configuration travels with the turn, and why it is not
    /// loaded, as [`resume_before_chat`](Self::resume_before_chat).
    pub(super) fn thread_for(&self, request: &ChatRequest) -> Result<(String, TurnOverrides, Option<Error>)> {
        let none = ThreadConfig::default();
        let config = request.thread_config.as_ref().unwrap_or(&none);
        let Some(id) = &request.thread else {
            let id = self.open_thread("thread/start", None, config)?;
            return Ok((id, TurnOverrides::default(), None));
        };
        let is_ours = self.connection.is_loaded(id);
        let mut from_config = TurnOverrides::default();
        if !config.is_unset() && self.is_loaded_anywhere(id)? {
            refuse_fields(id, &config.not_for_turn())?;
            from_config = config.for_turn();
        } else {
            refuse_fields(id, &config.not_for_resume())?;
        }
        if is_ours {
            return Ok((id.clone(), from_config, None));
        }
        let (left, not_resumed) = self.resume_before_chat(id, config)?;
        Ok((id.clone(), from_config.merge(left), not_resumed))
    }

    /// Resuming subscribes this connection to the thread's events. Unless the client is strict, it
    /// is left to `turn/start` to say that there is no such thread; what it can carry of the
    /// configuration then travels with it. Gives that, and why the thread could not be resumed.
    pub(super) fn resume_before_chat(
        &self,
        id: &str,
        config: &ThreadConfig,
    ) -> Result<(TurnOverrides, Option<Error>)> {
        match self.load(id, config) {
            Err(error @ Error::Rpc { .. })
                if !self.inner.settings.is_strict && config.not_for_turn().is_empty() =>
            {
                log::warn!("thread {id} could not be resumed; its turn is tried all the same: {error}");
                Ok((config.for_turn(), Some(error)))
            }
            loaded => loaded.map(|_| (TurnOverrides::default(), None)),
        }
    }

    /// Makes a call that needs a loaded thread: one that this client has not loaded is resumed first,
    /// and one that turns out to be unloaded too.
    pub(super) fn on_loaded<T>(&self, id: &str, call: impl Fn() -> Result<T>) -> Result<T> {
        check_thread_id(id)?;
        let load = || self.load(id, &ThreadConfig::default());
        let seemed_loaded = self.connection.is_loaded(id);
        if !seemed_loaded {
            load()?;
        }
        match call() {
            Err(error) if seemed_loaded && is_unloaded(&error) => {
                self.connection.set_loaded(id, false);
                load()?;
                call()
            }
            called => called,
        }
    }

    /// Whether the thread is loaded, by this connection or another one: the server is asked where
    /// this one does not know. Where the server can't tell, the thread counts as not loaded.
    fn is_loaded_anywhere(&self, id: &str) -> Result<bool> {
        if self.connection.is_loaded(id) {
            return Ok(true);
        }
        let deadline = self.deadline();
        let mut cursor = None;
        loop {
            let params = match &cursor {
                None => ThreadLoadedListParams::new(),
                Some(cursor) => ThreadLoadedListParams::new().cursor(cursor),
            };
            let method = ThreadLoadedListParams::METHOD;
            let page: ThreadLoadedListResponse =
                match self.request_until(method, params, deadline)?.decode(method) {
                    Ok(page) => page,
                    Err(error @ (Error::Rpc { .. } | Error::Decode { .. })) => {
                        log::debug!("whether thread {id} is loaded can't be told: {error}");
                        return Ok(false);
                    }
                    Err(error) => return Err(error),
                };
            if page.data.iter().any(|loaded| loaded == id) {
                return Ok(true);
            }
            // A page that leads nowhere is the last one.
            if page.data.is_empty() || page.next_cursor.is_none() || page.next_cursor == cursor {
                return Ok(false);
            }
            cursor = page.next_cursor;
        }
    }

    /// Notes that the thread's events come to this connection, by whatever way it was opened.
    pub(super) fn note_opened(&self, method: &str, params: impl Serialize, reply: &Reply) {
        let Ok(OpenedThread { thread }) = serde_json::from_str(reply.text()) else { return };
        self.connection.set_loaded(&thread.id, true);
        if method != "thread/fork" {
            return;
        }
        // Old servers don't tell of which thread it is a fork.
        if let Some(source) = thread.forked_from_id.or_else(|| thread_id_of(params)) {
            self.inner.desk.inherit_tools(&source, &thread.id);
        }
    }

    /// Notes that they come no more: the thread was unloaded, or its events are not wanted.
    pub(super) fn note_closed(&self, params: impl Serialize) {
        if let Some(id) = thread_id_of(params) {
            self.connection.set_loaded(&id, false);
        }
    }
}

/// The thread that a request is about.
fn thread_id_of(params: impl Serialize) -> Option<String> {
    let params = serde_json::to_value(params).ok()?;
    params["threadId"].as_str().map(str::to_owned)
}

/// # Errors
/// `InvalidInput`: these fields of a configuration can't take effect.
fn refuse_fields(id: &str, names: &[String]) -> Result<()> {
    match names {
        [] => Ok(()),
        _ => Err(Error::invalid(format!(
            "thread {id} can't take {} any more: give that when a thread is started or forked",
            names.join(", ")
        ))),
    }
}
