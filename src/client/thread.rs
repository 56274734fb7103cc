//! Threads: opening, reading and keeping them, and a handle to one.
//!
//! Relies on the typed requests, `config` and `deferred`. Invariant: a configuration that a loaded thread
//! can't take is reported by the names of its fields, never lost; a call that needs a loaded thread loads
//! it; dropping a handle does nothing to its thread.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Client, Reply};
use crate::{
    config::{ListThreads, ThreadConfig, TurnOverrides},
    deadline::Deadline,
    error::{Error, Result},
    protocol::{
        ClientRequest, DynamicToolSpec, ReviewDelivery, ThreadArchiveParams, ThreadCompactStartParams,
        ThreadListResponse, ThreadLoadedListParams, ThreadLoadedListResponse, ThreadReadParams,
        ThreadReadResponse, ThreadSetNameParams, ThreadUnarchiveParams, TurnSteerParams, TurnSteerResponse,
    },
    rpc::RawReply,
    server_request::{Tool, ToolSet},
    setting::Setting,
    turn::{Chat, ChatEvents, ChatRequest, ChatResult, Input, Source},
};

impl Client {
    /// Starts a thread. The server stores it with its first turn; without one it is gone with the
    /// connection.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when the server's configuration is broken, which
    /// it tells here and not in the handshake.
    pub fn start_thread(&self, config: ThreadConfig) -> Result<ThreadHandle> {
        let thread_id = self.open_thread("thread/start", None, &config)?;
        Ok(ThreadHandle::new(self.clone(), thread_id, config, Vec::new()))
    }

    /// Loads a stored thread, and subscribes this connection to its events.
    ///
    /// The server takes the configuration when it loads the thread, and ignores one for a thread that
    /// is loaded already, by whomever. What of it a turn can carry then waits for the thread's next
    /// turn, as with [`set_thread_defaults`](Self::set_thread_defaults); the rest is listed by
    /// [`ThreadHandle::not_applied`]. Blocks for the request limit at the longest, for each of at most
    /// two requests.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when there is no such thread, or it is archived;
    /// [`Error::InvalidInput`] when the id is empty.
    pub fn resume_thread(&self, id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        let (thread_id, not_applied) = self.resume_with(id, &config)?;
        Ok(ThreadHandle::new(self.clone(), thread_id, config, not_applied))
    }

    /// Starts a thread that begins with the turns of another one. A turn that runs there goes on, and
    /// counts as interrupted in the fork.
    ///
    /// The fork does not take the configuration of its source over; what is not given here is as the
    /// server's own configuration says. Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when the thread is not stored (it has no turn, or
    /// is ephemeral) or is archived; [`Error::InvalidInput`] when the id is empty or `ephemeral` is
    /// null.
    pub fn fork_thread(&self, id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        check_thread_id(id)?;
        let thread_id = self.open_thread("thread/fork", Some(id), &config)?;
        Ok(ThreadHandle::new(self.clone(), thread_id, config, Vec::new()))
    }

    /// Starts a thread whose agent can call these tools of this program: dynamic tools, as the protocol
    /// has them. Needs [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
    ///
    /// The server stores the declarations with the thread, and a fork of it has them too; what runs is
    /// kept here until the connection ends or the server says that the thread is closed, archived or
    /// deleted. Forks that this client makes get the same. Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`start_thread`](Self::start_thread); [`Error::InvalidInput`] without the setting, and for
    /// names (see [`Tool::new`]), doubles and schemas that the server would refuse: nothing was sent.
    pub fn start_thread_with_tools(
        &self,
        config: ThreadConfig,
        tools: impl IntoIterator<Item = Tool>,
    ) -> Result<ThreadHandle> {
        let thread_id = self.open_thread_with_tools(&config, ToolSet::new(tools)?)?;
        Ok(ThreadHandle::new(self.clone(), thread_id, config, Vec::new()))
    }

    /// [`resume_thread`](Self::resume_thread) of a thread that was started with tools, in this program
    /// or another: they are declared with the thread already, and from now on these answer the calls.
    /// A call of one that is not among them fails.
    ///
    /// # Errors
    /// As there, and [`Error::InvalidInput`] for names and doubles that no thread can have.
    pub fn resume_thread_with_tools(
        &self,
        id: &str,
        config: ThreadConfig,
        tools: impl IntoIterator<Item = Tool>,
    ) -> Result<ThreadHandle> {
        self.resume_with_tools(id, ToolSet::new(tools)?, || self.resume_thread(id, config))
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
            self.inner.deferred.add(id, config.for_turn());
            return Ok(());
        }
        refuse_fields(id, &config.not_for_resume())?;
        self.load(id, &config).map(drop)
    }

    /// What the server knows of a thread, loaded or not; with its turns and their items if asked for.
    ///
    /// Blocks for the request limit at the longest. A long thread makes a large reply;
    /// `thread/turns/list` ([`ThreadTurnsListParams`](crate::protocol::ThreadTurnsListParams)) gives
    /// its turns in pages.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when there is no such thread, or when the turns
    /// are asked for of one that has none yet or is ephemeral; [`Error::InvalidInput`] when the id is
    /// empty.
    pub fn read_thread(&self, id: &str, include_turns: bool) -> Result<Reply<ThreadReadResponse>> {
        check_thread_id(id)?;
        self.call(ThreadReadParams::new(id).include_turns(include_turns))
    }

    /// One page of the stored threads. Those without a turn are not among them.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ListThreads;
    ///
    /// let mut page = ListThreads::new().limit(100);
    /// loop {
    ///     let reply = client.list_threads(page.clone())?;
    ///     for thread in &reply.data {
    ///         println!("{} {}", thread.id, thread.preview);
    ///     }
    ///     let Some(cursor) = &reply.next_cursor else { break };
    ///     page = page.cursor(cursor);
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn list_threads(&self, options: ListThreads) -> Result<Reply<ThreadListResponse>> {
        self.call(options.params)
    }

    /// Puts a thread away. It can be read, but not resumed or forked; a turn that runs is
    /// interrupted.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when the thread is not stored, or has been
    /// archived; [`Error::InvalidInput`] when the id is empty.
    pub fn archive_thread(&self, id: &str) -> Result<()> {
        check_thread_id(id)?;
        self.perform(ThreadArchiveParams::new(id))
    }

    /// Takes an archived thread back. It is not loaded then; the next chat in it resumes it.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when it is not archived;
    /// [`Error::InvalidInput`] when the id is empty.
    pub fn unarchive_thread(&self, id: &str) -> Result<()> {
        check_thread_id(id)?;
        self.perform(ThreadUnarchiveParams::new(id))
    }

    /// Starts to shorten what the model is shown of a thread. The server does so in a turn of its own,
    /// whose id it does not tell; a turn that runs is interrupted.
    ///
    /// A thread that this client has not loaded is resumed first. Blocks for the request limit at the
    /// longest, for each request; not for the turn, whose end is among the
    /// [`notifications`](Self::notifications).
    ///
    /// # Errors
    /// As [`request`](Self::request), and as [`resume_thread`](Self::resume_thread):
    /// [`Error::InvalidInput`] when the id is empty.
    pub fn compact_thread(&self, id: &str) -> Result<()> {
        self.on_loaded(id, || self.perform(ThreadCompactStartParams::new(id)))
    }

    /// Gives a thread a name, which also stores one without turns.
    ///
    /// Blocks for the request limit at the longest.
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::InvalidInput`] when the id is empty or
    /// the name is blank.
    pub fn set_thread_name(&self, id: &str, name: &str) -> Result<()> {
        check_thread_id(id)?;
        if name.trim().is_empty() {
            return Err(Error::invalid("the thread name is blank"));
        }
        self.perform(ThreadSetNameParams::new(id, name))
    }

    /// Says something more to a running turn, of this client or another one. What the model was
    /// saying is dropped by the server. The answer comes to whoever reads the turn.
    ///
    /// Blocks for the request limit at the longest. The reader of a turn has
    /// [`Chat::steer`](crate::TurnStream::steer).
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Rpc`] when another turn runs, or none, or one that
    /// can't be steered (a review); [`Error::InvalidInput`] when an id is empty or
    /// nothing is said.
    pub fn steer_turn(
        &self,
        thread_id: &str,
        expected_turn_id: &str,
        input: impl Into<Input>,
    ) -> Result<Reply<TurnSteerResponse>> {
        check_thread_id(thread_id)?;
        if expected_turn_id.is_empty() {
            return Err(Error::invalid("the turn id is empty"));
        }
        let input = input.into();
        input.check()?;
        self.call(TurnSteerParams::new(thread_id, expected_turn_id, input))
    }
}

/// A thread: a conversation that is kept by the server.
///
/// Cheap to clone, usable from all threads; clones share [`defaults`](Self::defaults). It keeps
/// the connection open.
///
/// ```
/// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
/// use codex_blocking::ThreadConfig;
///
/// let thread = client.start_thread(ThreadConfig::new().cwd("/my/project"))?;
/// let plan = thread.chat_once("What would you change first?")?;
/// for step in thread.chat("Do it")? {
///     println!("{step}");
/// }
/// # Ok::<(), codex_blocking::Error>(())
/// ```
#[must_use = "a handle does nothing by itself"]
#[derive(Clone)]
pub struct ThreadHandle {
    client: Client,
    shared: Arc<ThreadShared>,
}

struct ThreadShared {
    thread_id: String,
    defaults: Mutex<ThreadConfig>,
    not_applied: Vec<String>,
}

impl ThreadHandle {
    fn new(client: Client, thread_id: String, defaults: ThreadConfig, not_applied: Vec<String>) -> Self {
        let shared = ThreadShared { thread_id, defaults: Mutex::new(defaults), not_applied };
        ThreadHandle { client, shared: Arc::new(shared) }
    }

    /// The thread's id.
    pub fn thread_id(&self) -> &str {
        &self.shared.thread_id
    }

    /// What the thread was started, resumed or forked with, and what
    /// [`update_defaults`](Self::update_defaults) has changed since.
    pub fn defaults(&self) -> ThreadConfig {
        self.shared.defaults.lock().clone()
    }

    /// The fields, by their names in the protocol, that were given when the thread was resumed and
    /// have no effect: it was loaded already, and no turn can carry them.
    pub fn not_applied(&self) -> &[String] {
        &self.shared.not_applied
    }

    /// [`Client::chat_once`] in this thread.
    ///
    /// # Errors
    /// As there, and [`Error::InvalidInput`] when the request names a thread itself.
    pub fn chat_once(&self, request: impl Into<ChatRequest>) -> Result<ChatResult> {
        self.client.chat_once(self.here(request.into())?)
    }

    /// [`Client::chat`] in this thread.
    ///
    /// # Errors
    /// As there, and [`Error::InvalidInput`] when the request names a thread itself.
    pub fn chat(&self, request: impl Into<ChatRequest>) -> Result<Chat> {
        self.client.chat(self.here(request.into())?)
    }

    /// [`Client::chat_events`] in this thread.
    ///
    /// # Errors
    /// As there, and [`Error::InvalidInput`] when the request names a thread itself.
    pub fn chat_events(&self, request: impl Into<ChatRequest>) -> Result<ChatEvents> {
        self.client.chat_events(self.here(request.into())?)
    }

    /// [`Client::chat_json`] in this thread.
    ///
    /// # Errors
    /// As there, and [`Error::InvalidInput`] when the request names a thread itself.
    pub fn chat_json<T: DeserializeOwned>(
        &self,
        request: impl Into<ChatRequest>,
        schema: impl Serialize,
    ) -> Result<T> {
        self.client.chat_json(self.here(request.into())?, schema)
    }

    /// [`Client::set_thread_defaults`] for this thread; on success [`defaults`](Self::defaults) have
    /// the change too.
    ///
    /// # Errors
    /// As there: [`Error::InvalidInput`] names the fields that a loaded thread can't take any more.
    pub fn update_defaults(&self, config: ThreadConfig) -> Result<()> {
        self.client.set_thread_defaults(self.thread_id(), config.clone())?;
        let mut defaults = self.shared.defaults.lock();
        *defaults = std::mem::take(&mut *defaults).merge(config);
        Ok(())
    }

    /// [`Client::fork_thread`] of this thread, with its [`defaults`](Self::defaults) and, over them,
    /// this configuration.
    ///
    /// # Errors
    /// As there.
    pub fn fork(&self, config: ThreadConfig) -> Result<ThreadHandle> {
        let mut defaults = self.defaults();
        // A start takes it, a fork does not; both mean "no".
        if defaults.ephemeral.is_null() {
            defaults.ephemeral = Setting::Unset;
        }
        self.client.fork_thread(self.thread_id(), defaults.merge(config))
    }

    /// [`Client::read_thread`] of this thread.
    ///
    /// # Errors
    /// As there.
    pub fn read(&self, include_turns: bool) -> Result<Reply<ThreadReadResponse>> {
        self.client.read_thread(self.thread_id(), include_turns)
    }

    /// [`Client::set_thread_name`] of this thread.
    ///
    /// # Errors
    /// As there.
    pub fn set_name(&self, name: &str) -> Result<()> {
        self.client.set_thread_name(self.thread_id(), name)
    }

    /// [`Client::archive_thread`] of this thread.
    ///
    /// # Errors
    /// As there.
    pub fn archive(&self) -> Result<()> {
        self.client.archive_thread(self.thread_id())
    }

    /// [`Client::unarchive_thread`] of this thread.
    ///
    /// # Errors
    /// As there.
    pub fn unarchive(&self) -> Result<()> {
        self.client.unarchive_thread(self.thread_id())
    }

    /// [`Client::compact_thread`] of this thread.
    ///
    /// # Errors
    /// As there.
    pub fn compact(&self) -> Result<()> {
        self.client.compact_thread(self.thread_id())
    }

    /// [`Client::rollback_thread`] of this thread.
    ///
    /// # Errors
    /// As there.
    pub fn rollback(&self, num_turns: u32) -> Result<Reply<ThreadReadResponse>> {
        self.client.rollback_thread(self.thread_id(), num_turns)
    }

    /// [`Client::start_review`] in this thread.
    ///
    /// # Errors
    /// As there.
    pub fn start_review(&self, target: impl Serialize, delivery: Option<ReviewDelivery>) -> Result<Chat> {
        self.client.start_review(self.thread_id(), target, delivery)
    }

    fn here(&self, mut request: ChatRequest) -> Result<ChatRequest> {
        if request.thread.is_some() {
            return Err(Error::invalid("the handle determines the thread; omit `thread` in the request"));
        }
        match &request.source {
            Source::Continuation(token) if token.thread_id != self.thread_id() => {
                return Err(Error::invalid(format!(
                    "the continuation belongs to thread {}, this handle to {}",
                    token.thread_id,
                    self.thread_id()
                )));
            }
            Source::Continuation(_) => {}
            Source::Input(_) => request.thread = Some(self.shared.thread_id.clone()),
        }
        Ok(request)
    }
}

impl fmt::Debug for ThreadHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadHandle").field("thread_id", &self.thread_id()).finish_non_exhaustive()
    }
}

/// Loading threads, and noting which are.
impl Client {
    /// Starts, resumes or forks a thread.
    pub(super) fn open_thread(
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
    pub(super) fn resume_with(&self, id: &str, config: &ThreadConfig) -> Result<(String, Vec<String>)> {
        check_thread_id(id)?;
        config.check_for("thread/resume")?;
        let was_loaded = !config.is_unset() && self.is_loaded_anywhere(id)?;
        let thread_id = self.load(id, config)?;
        if !was_loaded {
            return Ok((thread_id, config.not_for_resume()));
        }
        self.inner.deferred.add(id, config.for_turn());
        Ok((thread_id, config.not_for_turn()))
    }

    /// Resumes a thread. The server applies the configuration unless the thread is loaded.
    fn load(&self, id: &str, config: &ThreadConfig) -> Result<String> {
        let id = self.open_thread("thread/resume", Some(id), config)?;
        self.inner.deferred.outdate(&id, config.for_turn());
        Ok(id)
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
        let is_ours = self.inner.turns.is_loaded(id);
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
                log::warn!("thread {id} could not be resumed; starting the turn anyway: {error}");
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
        let seemed_loaded = self.inner.turns.is_loaded(id);
        if !seemed_loaded {
            load()?;
        }
        match call() {
            Err(error) if seemed_loaded && is_unloaded(&error) => {
                self.inner.turns.set_loaded(id, false);
                load()?;
                call()
            }
            called => called,
        }
    }

    /// Whether the thread is loaded, by this connection or another one: the server is asked where
    /// this one does not know. Where the server can't tell, the thread counts as not loaded.
    fn is_loaded_anywhere(&self, id: &str) -> Result<bool> {
        if self.inner.turns.is_loaded(id) {
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
                        log::debug!("can't determine whether thread {id} is loaded: {error}");
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
    pub(super) fn note_opened(&self, method: &str, params: impl Serialize, reply: &RawReply) {
        let Ok(OpenedThread { thread }) = serde_json::from_str(reply.text()) else { return };
        self.inner.turns.set_loaded(&thread.id, true);
        if method != "thread/fork" {
            return;
        }
        // Old servers don't tell of which thread it is a fork.
        if let Some(source) = thread.forked_from_id.or_else(|| thread_id_of(params)) {
            self.inner.broker.inherit_tools(&self.connection, &source, &thread.id);
        }
    }

    /// Notes that they come no more: the thread was unloaded, or its events are not wanted.
    pub(super) fn note_closed(&self, params: impl Serialize) {
        if let Some(id) = thread_id_of(params) {
            self.inner.turns.set_loaded(&id, false);
        }
    }

    /// Starts a thread with these tools, and gives its id.
    pub(super) fn open_thread_with_tools(&self, config: &ThreadConfig, tools: ToolSet) -> Result<String> {
        const METHOD: &str = "thread/start";
        config.check_for(METHOD)?;
        let deadline = self.deadline();
        self.require_experimental("`dynamicTools` of thread/start", deadline)?;
        let dynamic_tools = Some(tools.specs());
        let params = ThreadParams { thread_id: None, exclude_turns: false, dynamic_tools, config };
        let thread_id = self.open_with(METHOD, &params, deadline)?;
        self.inner.broker.put_tools(&self.connection, &thread_id, Some(tools));
        Ok(thread_id)
    }

    /// Resumes a thread that has these tools from before the request on: a turn that runs there may call
    /// one as soon as this connection is subscribed. If it fails the thread has what it had.
    pub(super) fn resume_with_tools<T>(
        &self,
        thread_id: &str,
        tools: ToolSet,
        resume: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let before = self.inner.broker.put_tools(&self.connection, thread_id, Some(tools));
        resume().inspect_err(|_| {
            self.inner.broker.put_tools(&self.connection, thread_id, before);
        })
    }
}

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
pub(super) fn check_thread_id(id: &str) -> Result<()> {
    match id {
        "" => Err(Error::invalid("the thread id is empty")),
        _ => Ok(()),
    }
}

/// The thread was unloaded behind our back; the server says so by its message alone.
pub(super) fn is_unloaded(error: &Error) -> bool {
    matches!(error, Error::Rpc { message, .. } if message.starts_with("thread not found"))
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
            "thread {id} is loaded and can't change {}: set it when starting or forking a thread",
            names.join(", ")
        ))),
    }
}
