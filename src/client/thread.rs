//! Threads: opening, reading and managing them, and a handle to one.
//!
//! Relies on the typed requests, `config` and `deferred_overrides`. Invariant: a setting that a loaded thread can't
//! change is reported by its field name, never lost; a call that needs a loaded thread loads it; dropping a
//! handle has no effect on its thread.

use std::{
    fmt,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Client, JsonAnswer, Paged, Reply, ThreadInfo};
use crate::{
    config::{ListThreads, Params, ThreadConfig, TurnOverrides},
    deadline::Deadline,
    error::{Error, Result, Timeout},
    protocol::{
        ClientRequest, DynamicToolSpec, ReviewDelivery, ThreadArchiveParams, ThreadCompactStartParams,
        ThreadListResponse, ThreadLoadedListParams, ThreadLoadedListResponse, ThreadReadParams,
        ThreadReadResponse, ThreadSetNameParams, ThreadTokenUsage as TokenUsage, ThreadUnarchiveParams, Turn,
    },
    rpc::{Call, RawReply},
    server_request::{Tool, ToolSet},
    turn::{
        BegunUnload, Chat, ChatEvents, ChatRequest, ChatResult, ChatSource, Claim, Lease, Reading,
        ReportedUsage, Threads,
    },
};

impl Client {
    /// Starts a thread. The server stores it with its first turn; without one it is lost with the connection.
    ///
    /// Blocks for at most the request limit.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ThreadConfig;
    ///
    /// let thread = client.start_thread(ThreadConfig::new())?;
    /// thread.chat_once("My name is Ada")?;
    /// println!("{}", thread.chat_once("What is my name?")?.final_text);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if the server's configuration is invalid, which it
    /// reports here and not in the handshake.
    pub fn start_thread(&self, config: ThreadConfig) -> Result<ThreadHandle> {
        let info = self.open_thread("thread/start", None, &config)?;
        Ok(ThreadHandle::new(self.clone(), info, config, Vec::new()))
    }

    /// Loads a stored thread, and subscribes this connection to its events.
    ///
    /// The server applies the configuration when it loads the thread, and ignores it for a thread that any
    /// client has already loaded. In that case, the settings that a turn can carry are deferred to the
    /// thread's next turn, like those of [`set_thread_defaults`](Self::set_thread_defaults);
    /// [`ThreadHandle::not_applied`] lists the others. Makes at most two requests, and blocks for at most the
    /// request limit for each.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// # let id = client.chat_once("Port the parser")?.thread_id;
    /// use codex_blocking::ThreadConfig;
    ///
    /// let thread = client.resume_thread(&id, ThreadConfig::new())?;
    /// println!("{}", thread.chat_once("Go on")?.final_text);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if the thread doesn't exist or is archived;
    /// [`Error::InvalidInput`] if the id is empty.
    pub fn resume_thread(&self, id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        let (info, not_applied) = self.resume_with(id, &config)?;
        Ok(ThreadHandle::new(self.clone(), info, config, not_applied))
    }

    /// Starts a thread that begins with the turns of another one. A turn that is running there continues, and
    /// counts as interrupted in the fork.
    ///
    /// The fork does not inherit its source's configuration; what is not set here follows the server's
    /// configuration. [`ThreadHandle::not_applied`] lists the fields that a fork does not accept. Blocks for at
    /// most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if the thread is not stored (it has no turn, or is
    /// ephemeral) or is archived; [`Error::InvalidInput`] if the id is empty or `ephemeral` is null.
    pub fn fork_thread(&self, id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        self.fork_until(id, None, config)
    }

    /// Same as [`fork_thread`](Self::fork_thread), but the fork ends with this turn; later turns are not in it.
    ///
    /// The ids of turns are in [`ChatResult::turn_id`] and in the history ([`turns`](ThreadHandle::turns)). The
    /// source does not change: to undo turns in the thread itself, use
    /// [`rollback_thread`](Self::rollback_thread).
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ThreadConfig;
    ///
    /// let thread = client.start_thread(ThreadConfig::new())?;
    /// let plan = thread.chat_once("Plan the port of the parser")?;
    /// thread.chat_once("Do it in one step")?;
    /// let fork = client.fork_thread_at(thread.thread_id(), &plan.turn_id, ThreadConfig::new())?;
    /// fork.chat_once("Do it in small steps")?;
    /// assert_eq!((thread.turns().count(), fork.turns().count()), (2, 2));
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`fork_thread`](Self::fork_thread); [`Error::Rpc`] if the thread has no such turn, or the turn is
    /// running; [`Error::InvalidInput`] if an id is empty, or the server is older than 0.169 and would copy all
    /// turns.
    pub fn fork_thread_at(&self, id: &str, last_turn_id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        if last_turn_id.is_empty() {
            return Err(Error::invalid("the turn id is empty"));
        }
        self.fork_until(id, Some(last_turn_id), config)
    }

    fn fork_until(&self, id: &str, last_turn_id: Option<&str>, config: ThreadConfig) -> Result<ThreadHandle> {
        const METHOD: &str = "thread/fork";
        check_thread_id(id)?;
        config.check_for(METHOD)?;
        let deadline = self.deadline();
        if last_turn_id.is_some() && self.initialize()?.is_before((0, 169)) == Some(true) {
            return Err(Error::invalid(
                "this server can't fork at a turn: it would copy all turns of the thread",
            ));
        }
        let params = ThreadParams { last_turn_id, ..ThreadParams::new(Some(id), &config) };
        let info = self.open_with(METHOD, &params, deadline)?;
        let not_applied = config.not_for_fork();
        Ok(ThreadHandle::new(self.clone(), info, config, not_applied))
    }

    /// Starts a thread whose agent can call these tools of this program (the protocol's dynamic tools).
    /// Requires [`experimental_api(true)`](crate::ClientBuilder::experimental_api); without any tool it is the same as
    /// [`start_thread`](Self::start_thread).
    ///
    /// The server stores the declarations with the thread and its forks. The client keeps the implementations
    /// until the connection ends or the server reports that the thread was closed, archived or deleted; afterwards
    /// [`resume_thread_with_tools`](Self::resume_thread_with_tools) provides them again, and a call before that
    /// fails, with a warning in the log. Forks that this client makes get the same tools. Blocks for at most the
    /// request limit.
    ///
    /// # Errors
    /// Same as [`start_thread`](Self::start_thread); [`Error::InvalidInput`] without
    /// `experimental_api(true)`, and for names (see [`Tool::new`]), duplicates and schemas that the server
    /// would reject, in which case nothing was sent.
    pub fn start_thread_with_tools(
        &self,
        config: ThreadConfig,
        tools: impl IntoIterator<Item = Tool>,
    ) -> Result<ThreadHandle> {
        let info = self.open_thread_with_tools(&config, ToolSet::new(tools)?)?;
        Ok(ThreadHandle::new(self.clone(), info, config, Vec::new()))
    }

    /// Same as [`resume_thread`](Self::resume_thread), for a thread that was started with tools, in this
    /// program or another: the thread already contains the declarations, and these tools answer the calls
    /// from now on. A call of a tool that is not among them fails.
    ///
    /// # Errors
    /// Same as [`resume_thread`](Self::resume_thread), and [`Error::InvalidInput`] for invalid names and
    /// duplicates.
    pub fn resume_thread_with_tools(
        &self,
        id: &str,
        config: ThreadConfig,
        tools: impl IntoIterator<Item = Tool>,
    ) -> Result<ThreadHandle> {
        self.resume_with_tools(id, ToolSet::new(tools)?, || self.resume_thread(id, config))
    }

    /// Changes the settings of a thread's later turns: immediately if the thread has to be loaded first,
    /// otherwise with its next turn, whichever handle or request of this client starts it.
    ///
    /// The server applies a configuration when it loads a thread, and ignores it for a loaded thread.
    /// Therefore, `cwd`, `model`, `approval_policy`, `approvals_reviewer`, `sandbox`, `permissions`,
    /// `service_tier` and `personality` of a loaded thread are sent with its next turn; the overrides of that
    /// turn's request take precedence. They stay deferred until a turn has started with them, even if the thread
    /// is unloaded in between. `null` leaves a field unchanged. A sandbox is sent as the policy of the same name,
    /// without additional folders or network access that the user's configuration may grant.
    ///
    /// Makes at most two requests, and none if this client has loaded the thread; blocks for at most the
    /// request limit for each.
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
    /// [`Error::InvalidInput`] for fields that the loaded thread can't change, with their names, in which
    /// case nothing was changed; otherwise the same as [`resume_thread`](Self::resume_thread).
    pub fn set_thread_defaults(&self, id: &str, config: ThreadConfig) -> Result<()> {
        check_thread_id(id)?;
        config.check_for("thread/resume")?;
        let _claim = self.claim(id)?;
        if self.is_loaded_anywhere(id)? {
            refuse_fields(id, &config.not_for_turn())?;
            self.inner.deferred.add(id, config.for_turn());
            return Ok(());
        }
        refuse_fields(id, &config.not_for_resume())?;
        self.load(id, &config).map(drop)
    }

    /// Returns a thread, loaded or not; with its turns and their items if `include_turns` is set.
    ///
    /// Blocks for at most the request limit. The reply for a long thread is large;
    /// [`thread_turns`](Self::thread_turns) reads its turns in pages.
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if the thread doesn't exist, or with
    /// `include_turns` if it has no turns yet or is ephemeral; [`Error::InvalidInput`] if the id is empty.
    pub fn read_thread(&self, id: &str, include_turns: bool) -> Result<Reply<ThreadReadResponse>> {
        check_thread_id(id)?;
        self.call(ThreadReadParams::new(id).include_turns(include_turns))
    }

    /// Returns one page of the stored threads; [`threads`](Self::threads) goes through all pages. Threads without
    /// a turn are not included.
    ///
    /// Blocks for at most the request limit.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ListThreads;
    ///
    /// let latest = client.list_threads(ListThreads::new().limit(5))?;
    /// for thread in &latest.data {
    ///     println!("{} {}", thread.id, thread.preview);
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn list_threads(&self, options: ListThreads) -> Result<Reply<ThreadListResponse>> {
        self.call(options.params)
    }

    /// Archives a thread. It can be read, but not resumed or forked; a running turn is interrupted. The client
    /// forgets its [tools](Self::start_thread_with_tools).
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if the server knows no such thread, has archived it
    /// already, or another server process has it loaded; [`Error::InvalidInput`] if the id is empty. A thread
    /// without a turn can be archived too (server 0.169).
    pub fn archive_thread(&self, id: &str) -> Result<()> {
        check_thread_id(id)?;
        self.perform(ThreadArchiveParams::new(id))
    }

    /// Restores an archived thread. This doesn't load it; the next chat in it resumes it, but without its tools:
    /// if it was started with tools, use [`resume_thread_with_tools`](Self::resume_thread_with_tools) first.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::Rpc`] if the thread is not archived;
    /// [`Error::InvalidInput`] if the id is empty.
    pub fn unarchive_thread(&self, id: &str) -> Result<()> {
        check_thread_id(id)?;
        self.perform(ThreadUnarchiveParams::new(id))
    }

    /// Compacts a thread, which shortens what the model sees of it. The server compacts in a separate turn; a
    /// running turn is interrupted.
    ///
    /// If this client has not loaded the thread, it resumes it first. Blocks until the compaction is over, or
    /// has shown no sign for the client's inactivity limit (180 s by default), and for at most the request
    /// limit for each request. A chat that another thread starts in the meantime waits for the compaction.
    ///
    /// # Errors
    /// [`Error::TurnFailed`] if the compaction failed, [`Error::TurnInterrupted`] if it was interrupted (by
    /// another one), [`Error::Timeout`] with [`Timeout::Compaction`] if it does not end; otherwise the same as
    /// [`request`](Self::request) and [`resume_thread`](Self::resume_thread): [`Error::InvalidInput`] if the
    /// id is empty.
    pub fn compact_thread(&self, id: &str) -> Result<()> {
        check_thread_id(id)?;
        self.connection.check_process("compact a thread")?;
        let expected = self.inner.turns.expect_compaction(id);
        self.on_loaded(id, || self.perform(ThreadCompactStartParams::new(id)))?;
        let limit = self.inner.settings.inactivity_timeout;
        let timeout = || Timeout::Compaction { thread_id: id.to_owned() };
        let deadline = Deadline::after(limit);
        loop {
            let Some(consumer) = expected.wait(deadline.at()) else {
                self.connection.check("compact a thread")?;
                return Err(deadline.error(timeout()));
            };
            let mut chat: Chat = self.read(consumer, Reading::steps(limit));
            // A compaction consists of one item, or of none if it ends early.
            let mut is_of_others = false;
            let outcome = chat.results().try_for_each(|step| {
                is_of_others |= step?.item_type.as_deref() != Some("contextCompaction");
                Ok(())
            });
            let outcome = outcome.map_err(|error| match error {
                Error::TurnInactive { continuation, .. } => {
                    self.forget(&continuation);
                    deadline.error(timeout())
                }
                error => error,
            });
            if !is_of_others {
                return outcome;
            }
        }
    }

    /// Unloads a thread: ends this connection's subscription to it, so that the server can free it with its MCP
    /// servers. The thread stays stored, unless it is ephemeral; a later chat in it resumes it, with the tools of
    /// this program.
    ///
    /// Server 0.169 frees a thread at once if it was started or forked with `thread_unload_delay_secs` = 0 in
    /// its [`config`](ThreadConfig::config), and otherwise after 30 minutes; it keeps a thread that another
    /// connection has loaded. Blocks for at most the request limit, and then until the server has freed the
    /// thread, for at most 1 s.
    ///
    /// Threads that a chat starts for itself are unloaded automatically; see
    /// [Unloading](crate::guide::threads#unloading).
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ThreadConfig;
    /// use serde_json::json;
    ///
    /// let config = ThreadConfig::new().config(json!({ "thread_unload_delay_secs": 0 }));
    /// let thread = client.start_thread(config)?;
    /// thread.chat_once("Say hello")?;
    /// thread.unload()?; // its MCP servers end
    /// thread.chat_once("Say it again")?; // loads it again
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if a turn of this client is running in the thread, another call is using it, or
    /// the id is empty; otherwise the same as [`request`](Self::request).
    pub fn unload_thread(&self, id: &str) -> Result<()> {
        /// How long the server may take to close a thread that it does not keep. It takes 0.1 s.
        const PATIENCE: Duration = Duration::from_secs(1);
        check_thread_id(id)?;
        self.connection.check_process("unload a thread")?;
        let in_use = || Error::invalid(format!("thread {id} is in use; wait until its turn is over"));
        let unloading = match self.known_threads().begin_unload(id) {
            BegunUnload::Own(unloading) => unloading,
            BegunUnload::Running => return self.wait_for_unload(id, self.deadline()),
            BegunUnload::InUse => return Err(in_use()),
        };
        // Looked at after the thread counts as unloaded, so that no turn can begin in between.
        if self.inner.turns.is_busy(id) {
            unloading.undo();
            return Err(in_use());
        }
        match self.request(UNSUBSCRIBE, json!({ "threadId": id })) {
            Ok(reply) if reply["status"] == "notLoaded" => Ok(()),
            Ok(_) => {
                unloading.wait_until_closed(Deadline::after(Some(PATIENCE)));
                Ok(())
            }
            Err(error) => {
                if matches!(error, Error::Rpc { .. }) {
                    unloading.undo();
                }
                Err(error)
            }
        }
    }

    /// Sets the name of a thread; this also stores a thread without turns.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request); [`Error::InvalidInput`] if the id is empty or the name is blank.
    pub fn set_thread_name(&self, id: &str, name: &str) -> Result<()> {
        check_thread_id(id)?;
        if name.trim().is_empty() {
            return Err(Error::invalid("the thread name is blank"));
        }
        self.perform(ThreadSetNameParams::new(id, name))
    }
}

/// A thread: a conversation that the server stores.
///
/// Cheap to clone, and usable from all threads at once; clones share their [`defaults`](Self::defaults). It
/// keeps the connection open, and so the server that a client started over [`Stdio`](crate::Stdio): **the drop of the
/// last one can block for 0.5 s**, as that of a [client](Client#dropping-blocks). A server
/// process keeps its threads to itself: while a forgotten handle keeps it running, another one refuses to resume
/// them ("already has an active writer"). [Close](crate::Client::close) a client that is done.
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
    info: ThreadInfo,
    defaults: Mutex<ThreadConfig>,
    not_applied: Vec<String>,
    usage: ReportedUsage,
}

impl ThreadHandle {
    fn new(client: Client, info: ThreadInfo, defaults: ThreadConfig, not_applied: Vec<String>) -> Self {
        let usage = client.known_threads().usage(&info.thread_id);
        let shared = ThreadShared { info, defaults: Mutex::new(defaults), not_applied, usage };
        ThreadHandle { client, shared: Arc::new(shared) }
    }

    /// The thread's id.
    pub fn thread_id(&self) -> &str {
        &self.shared.info.thread_id
    }

    /// What the server answered when this handle started, resumed or forked the thread: the model, the working
    /// directory, the sandbox and so on, as they were then.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// use codex_blocking::ThreadConfig;
    ///
    /// let thread = client.start_thread(ThreadConfig::new())?;
    /// let info = thread.info();
    /// println!("{:?} in {:?}, {:?}", info.model, info.cwd, info.sandbox);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn info(&self) -> &ThreadInfo {
        &self.shared.info
    }

    /// The settings with which the thread was started, resumed or forked, including changes by
    /// [`update_defaults`](Self::update_defaults).
    pub fn defaults(&self) -> ThreadConfig {
        self.shared.defaults.lock().clone()
    }

    /// The protocol names of the fields that had no effect when the thread was resumed or forked: those that a
    /// resume or a fork does not accept, and, if the thread was already loaded, those that turns can't carry.
    pub fn not_applied(&self) -> &[String] {
        &self.shared.not_applied
    }

    /// Same as [`Client::chat_once`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::chat_once`], and [`Error::InvalidInput`] if the request names a thread.
    pub fn chat_once(&self, request: impl Into<ChatRequest>) -> Result<ChatResult> {
        self.client.chat_once(self.here(request.into())?)
    }

    /// Same as [`Client::chat`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::chat`], and [`Error::InvalidInput`] if the request names a thread.
    pub fn chat(&self, request: impl Into<ChatRequest>) -> Result<Chat> {
        self.client.chat(self.here(request.into())?)
    }

    /// Same as [`Client::chat_events`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::chat_events`], and [`Error::InvalidInput`] if the request names a thread.
    pub fn chat_events(&self, request: impl Into<ChatRequest>) -> Result<ChatEvents> {
        self.client.chat_events(self.here(request.into())?)
    }

    /// Same as [`Client::chat_json`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::chat_json`], and [`Error::InvalidInput`] if the request names a thread.
    pub fn chat_json<T: DeserializeOwned>(
        &self,
        request: impl Into<ChatRequest>,
        schema: impl Serialize,
    ) -> Result<JsonAnswer<T>> {
        self.client.chat_json(self.here(request.into())?, schema)
    }

    /// Same as [`Client::chat_json_typed`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::chat_json_typed`], and [`Error::InvalidInput`] if the request names a thread.
    #[cfg(feature = "schemars")]
    #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
    pub fn chat_json_typed<T: DeserializeOwned + schemars::JsonSchema>(
        &self,
        request: impl Into<ChatRequest>,
    ) -> Result<JsonAnswer<T>> {
        self.client.chat_json_typed(self.here(request.into())?)
    }

    /// Same as [`Client::set_thread_defaults`], for this thread; on success, [`defaults`](Self::defaults)
    /// includes the change.
    ///
    /// # Errors
    /// Same as [`Client::set_thread_defaults`]: [`Error::InvalidInput`] names the fields that a loaded thread
    /// can't change.
    pub fn update_defaults(&self, config: ThreadConfig) -> Result<()> {
        self.client.set_thread_defaults(self.thread_id(), config.clone())?;
        let mut defaults = self.shared.defaults.lock();
        *defaults = std::mem::take(&mut *defaults).merge(config);
        Ok(())
    }

    /// Same as [`Client::fork_thread`], for this thread, with its [`defaults`](Self::defaults) and this
    /// configuration merged over them.
    ///
    /// # Errors
    /// Same as [`Client::fork_thread`].
    pub fn fork(&self, config: ThreadConfig) -> Result<ThreadHandle> {
        self.client.fork_thread(self.thread_id(), self.defaults().for_forks().merge(config))
    }

    /// Same as [`Client::fork_thread_at`], for this thread, with its [`defaults`](Self::defaults) and this
    /// configuration merged over them.
    ///
    /// # Errors
    /// Same as [`Client::fork_thread_at`].
    pub fn fork_at(&self, last_turn_id: &str, config: ThreadConfig) -> Result<ThreadHandle> {
        let config = self.defaults().for_forks().merge(config);
        self.client.fork_thread_at(self.thread_id(), last_turn_id, config)
    }

    /// Same as [`Client::thread_turns`], for this thread.
    pub fn turns(&self) -> Paged<Turn> {
        self.client.thread_turns(self.thread_id())
    }

    /// Same as [`Client::read_thread`], for this thread.
    ///
    /// # Errors
    /// Same as [`Client::read_thread`].
    pub fn read(&self, include_turns: bool) -> Result<Reply<ThreadReadResponse>> {
        self.client.read_thread(self.thread_id(), include_turns)
    }

    /// Same as [`Client::set_thread_name`], for this thread.
    ///
    /// # Errors
    /// Same as [`Client::set_thread_name`].
    pub fn set_name(&self, name: &str) -> Result<()> {
        self.client.set_thread_name(self.thread_id(), name)
    }

    /// Same as [`Client::archive_thread`], for this thread.
    ///
    /// # Errors
    /// Same as [`Client::archive_thread`].
    pub fn archive(&self) -> Result<()> {
        self.client.archive_thread(self.thread_id())
    }

    /// Same as [`Client::unarchive_thread`], for this thread.
    ///
    /// # Errors
    /// Same as [`Client::unarchive_thread`].
    pub fn unarchive(&self) -> Result<()> {
        self.client.unarchive_thread(self.thread_id())
    }

    /// Same as [`Client::compact_thread`], for this thread.
    ///
    /// # Errors
    /// Same as [`Client::compact_thread`].
    pub fn compact(&self) -> Result<()> {
        self.client.compact_thread(self.thread_id())
    }

    /// Same as [`Client::unload_thread`], for this thread. The handle stays valid.
    ///
    /// # Errors
    /// Same as [`Client::unload_thread`]: [`Error::InvalidInput`] while a turn is running.
    pub fn unload(&self) -> Result<()> {
        self.client.unload_thread(self.thread_id())
    }

    /// The tokens of the thread, as the server last reported them: during turns, and when a thread is resumed.
    pub fn token_usage(&self) -> Option<TokenUsage> {
        self.client.connection.check_process("read the tokens").ok()?;
        self.shared.usage.lock().clone()
    }

    /// Same as [`Client::rollback_thread`], for this thread.
    ///
    /// # Errors
    /// Same as [`Client::rollback_thread`].
    pub fn rollback(&self, num_turns: u32) -> Result<Reply<ThreadReadResponse>> {
        self.client.rollback_thread(self.thread_id(), num_turns)
    }

    /// Same as [`Client::start_review`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::start_review`].
    pub fn start_review(&self, target: impl Serialize, delivery: Option<ReviewDelivery>) -> Result<Chat> {
        self.client.start_review(self.thread_id(), target, delivery)
    }

    /// Same as [`Client::start_review_events`], in this thread.
    ///
    /// # Errors
    /// Same as [`Client::start_review`].
    pub fn start_review_events(
        &self,
        target: impl Serialize,
        delivery: Option<ReviewDelivery>,
    ) -> Result<ChatEvents> {
        self.client.start_review_events(self.thread_id(), target, delivery)
    }

    fn here(&self, mut request: ChatRequest) -> Result<ChatRequest> {
        if request.thread.is_some() {
            return Err(Error::invalid("the handle determines the thread; omit `thread` in the request"));
        }
        match &request.source {
            ChatSource::Continuation(token) if token.thread_id != self.thread_id() => {
                return Err(Error::invalid(format!(
                    "the continuation belongs to thread {}, this handle to {}",
                    token.thread_id,
                    self.thread_id()
                )));
            }
            ChatSource::Continuation(_) => {}
            ChatSource::Input(_) => request.thread = Some(self.shared.info.thread_id.clone()),
        }
        Ok(request)
    }
}

impl fmt::Debug for ThreadHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadHandle").field("thread_id", &self.thread_id()).finish_non_exhaustive()
    }
}

/// Loading threads, and tracking which are loaded.
impl Client {
    /// Starts, resumes or forks a thread.
    pub(super) fn open_thread(
        &self,
        method: &str,
        thread_id: Option<&str>,
        config: &ThreadConfig,
    ) -> Result<ThreadInfo> {
        config.check_for(method)?;
        self.open_with(method, &ThreadParams::new(thread_id, config), self.deadline())
    }

    /// Same as `open_thread`, with validated parameters.
    pub(super) fn open_with(
        &self,
        method: &str,
        params: &ThreadParams<'_>,
        deadline: Deadline,
    ) -> Result<ThreadInfo> {
        let reply = self.request_until(method, params, deadline)?;
        let OpenedThread { thread } = reply.decode(method)?;
        Ok(ThreadInfo::of(thread.id, reply.text()))
    }

    /// Resumes a thread with this configuration: settings that a loaded thread accepts only with a turn are
    /// deferred. Returns the server's answer and the names of the fields without effect.
    pub(super) fn resume_with(&self, id: &str, config: &ThreadConfig) -> Result<(ThreadInfo, Vec<String>)> {
        check_thread_id(id)?;
        config.check_for("thread/resume")?;
        let _claim = self.claim(id)?;
        let was_loaded = !config.is_unset() && self.is_loaded_anywhere(id)?;
        let info = self.load(id, config)?;
        if !was_loaded {
            return Ok((info, config.not_for_resume()));
        }
        self.inner.deferred.add(id, config.for_turn());
        Ok((info, config.not_for_turn()))
    }

    /// Resumes a thread. The server applies the configuration unless the thread is loaded. If the server is
    /// closing the thread, tries again within the request limit.
    fn load(&self, id: &str, config: &ThreadConfig) -> Result<ThreadInfo> {
        let mut pauses = Pauses::new(self.deadline());
        let info = loop {
            match self.open_thread("thread/resume", Some(id), config) {
                Err(error) if is_closing(&error) && pauses.pause() => {}
                opened => break opened?,
            }
        };
        self.inner.deferred.outdate(&info.thread_id, config.for_turn());
        Ok(info)
    }

    /// The thread of a chat, loaded if possible.
    pub(super) fn thread_for(&self, request: &ChatRequest) -> Result<ChatThread> {
        let none = ThreadConfig::default();
        let config = request.thread_config.as_ref().unwrap_or(&none);
        let Some(id) = &request.thread else { return self.start_for_chat(config.clone()) };
        let claim = self.claim(id)?;
        let loaded = |overrides, not_resumed| ChatThread {
            id: id.clone(),
            overrides,
            not_resumed,
            lease: None,
            _claim: Some(claim),
        };
        let is_ours = self.known_threads().is_loaded(id);
        let mut from_config = TurnOverrides::default();
        if !config.is_unset() && self.is_loaded_anywhere(id)? {
            refuse_fields(id, &config.not_for_turn())?;
            from_config = config.for_turn();
        } else {
            refuse_fields(id, &config.not_for_resume())?;
        }
        if is_ours {
            return Ok(loaded(from_config, None));
        }
        let (left, not_resumed) = self.resume_before_chat(id, config)?;
        Ok(loaded(from_config.merge(left), not_resumed))
    }

    /// Starts a thread that is unloaded when its turn is over and nobody reads it any more.
    fn start_for_chat(&self, mut config: ThreadConfig) -> Result<ChatThread> {
        const DELAY: &str = "thread_unload_delay_secs";
        config.check_for("thread/start")?;
        if self.initialize()?.is_before((0, 169)) != Some(true) {
            let settings = config.config.value().and_then(Value::as_object).cloned();
            let mut settings = settings.unwrap_or_default();
            // Otherwise the server keeps an unsubscribed thread, with its MCP servers, for 30 minutes.
            settings.entry(DELAY).or_insert_with(|| 0.into());
            config.config = Value::Object(settings).into();
        }
        let id = self.open_thread("thread/start", None, &config)?.thread_id;
        let lease = Some(self.known_threads().lease(&self.connection, &id));
        Ok(ChatThread { id, overrides: TurnOverrides::default(), not_resumed: None, lease, _claim: None })
    }

    /// Resumes a thread before a chat, which subscribes this connection to its events. Unless the client is
    /// strict, a failure is left to `turn/start` to report, which then carries what it can of the
    /// configuration. Returns that, and why the thread could not be resumed.
    pub(super) fn resume_before_chat(
        &self,
        id: &str,
        config: &ThreadConfig,
    ) -> Result<(TurnOverrides, Option<Error>)> {
        match self.load(id, config) {
            // A server that is closing the thread would never answer.
            Err(error @ Error::Rpc { .. })
                if !self.inner.settings.is_strict
                    && config.not_for_turn().is_empty()
                    && !is_closing(&error) =>
            {
                log::warn!("thread {id} could not be resumed; starting the turn anyway: {error}");
                Ok((config.for_turn(), Some(error)))
            }
            loaded => loaded.map(|_| (TurnOverrides::default(), None)),
        }
    }

    /// Makes a call that starts a turn. While a compaction is running in the thread, waits for it, within the
    /// request limit.
    pub(super) fn after_compaction<T>(&self, id: &str, call: impl Fn() -> Result<T>) -> Result<T> {
        let deadline = self.deadline();
        let mut pauses = Pauses::new(deadline);
        loop {
            match call() {
                Err(error) if is_compacting(&error) => {
                    if !pauses.pause() {
                        return Err(deadline.error(Timeout::Compaction { thread_id: id.to_owned() }));
                    }
                }
                called => return called,
            }
        }
    }

    /// Makes a call that needs a loaded thread: resumes it first if this client has not loaded it, and also
    /// if it turns out to be unloaded.
    pub(super) fn on_loaded<T>(&self, id: &str, call: impl Fn() -> Result<T>) -> Result<T> {
        check_thread_id(id)?;
        let _claim = self.claim(id)?;
        let load = || self.load(id, &ThreadConfig::default());
        let seemed_loaded = self.known_threads().is_loaded(id);
        if !seemed_loaded {
            load()?;
        }
        match call() {
            Err(error) if seemed_loaded && is_unloaded(&error) => {
                self.known_threads().set_unloaded(id);
                load()?;
                call()
            }
            called => called,
        }
    }

    /// Loads a thread unless this client has: that subscribes the connection to its events.
    pub(super) fn load_for_follower(&self, id: &str) -> Result<()> {
        check_thread_id(id)?;
        let _claim = self.claim(id)?;
        match self.known_threads().is_loaded(id) {
            true => self.connection.check("follow a thread"),
            false => self.load(id, &ThreadConfig::default()).map(drop),
        }
    }

    /// Whether this or another connection has loaded the thread; asks the server if this connection has not.
    /// If the server can't answer, the thread counts as not loaded.
    fn is_loaded_anywhere(&self, id: &str) -> Result<bool> {
        if self.known_threads().is_loaded(id) {
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
            // A page without a new cursor is the last one.
            if page.data.is_empty() || page.next_cursor.is_none() || page.next_cursor == cursor {
                return Ok(false);
            }
            cursor = page.next_cursor;
        }
    }

    /// Makes a call that opens a thread, and notes that this connection receives the thread's events.
    pub(super) fn call_to_open(&self, call: &Call<'_, impl Serialize>) -> Result<RawReply> {
        let named = thread_id_of(&call.params);
        // The server may report the thread's tokens before it replies.
        let _claim = named.as_deref().map(|id| self.known_threads().claim(id));
        let (reply, opened) = self.connection.call_with(call, || {
            let threads = Arc::clone(self.known_threads());
            // On the reading thread, so that the thread is known before its next event.
            Ok(move |reply: &RawReply| {
                let OpenedThread { thread } = serde_json::from_str(reply.text()).ok()?;
                threads.set_loaded(&thread.id);
                Some(thread)
            })
        })?;
        if let Some(thread) = opened.filter(|_| call.method == "thread/fork") {
            // Old servers don't report the source of a fork.
            if let Some(source) = thread.forked_from_id.or(named) {
                self.inner.broker.inherit_tools(&self.connection, &source, &thread.id);
            }
        }
        Ok(reply)
    }

    /// Keeps a thread from being unloaded while a call is about to use it. If it is being unloaded, waits until
    /// that is over, within the request limit.
    fn claim(&self, id: &str) -> Result<Claim> {
        self.connection.check_process("use a thread")?;
        let claim = self.known_threads().claim(id);
        self.wait_for_unload(id, self.deadline())?;
        Ok(claim)
    }

    /// # Errors
    /// The server has not replied to the request that unloads the thread by the deadline.
    fn wait_for_unload(&self, id: &str, deadline: Deadline) -> Result<()> {
        match self.known_threads().wait_for_unload(id, deadline) {
            true => Ok(()),
            false => Err(deadline.error(Timeout::Request { method: UNSUBSCRIBE.to_owned() })),
        }
    }

    /// Waits if the request names a thread that is being unloaded: meanwhile the server rejects requests about
    /// it, or never answers them.
    pub(super) fn wait_before(&self, method: &str, params: impl Serialize, deadline: Deadline) -> Result<()> {
        if method == UNSUBSCRIBE || !self.known_threads().are_unloading() {
            return Ok(());
        }
        thread_id_of(params).map_or(Ok(()), |id| self.wait_for_unload(&id, deadline))
    }

    pub(super) fn known_threads(&self) -> &Arc<Threads> {
        self.inner.turns.threads()
    }

    /// Notes that the thread's events no longer arrive: it was unloaded, or unsubscribed.
    pub(super) fn note_closed(&self, params: impl Serialize) {
        if let Some(id) = thread_id_of(params) {
            self.known_threads().set_unloaded(&id);
            self.inner.turns.end_following(&id);
        }
    }

    /// Starts a thread whose agent knows these tools. Their calls are server requests like others.
    #[cfg(feature = "capi")]
    pub(crate) fn start_thread_with_declared_tools(
        &self,
        config: ThreadConfig,
        tools: impl IntoIterator<Item = Tool>,
    ) -> Result<ThreadHandle> {
        let info = self.open_thread_declaring(&config, &ToolSet::new(tools)?)?;
        Ok(ThreadHandle::new(self.clone(), info, config, Vec::new()))
    }

    /// Starts a thread with these tools.
    pub(super) fn open_thread_with_tools(&self, config: &ThreadConfig, tools: ToolSet) -> Result<ThreadInfo> {
        let info = self.open_thread_declaring(config, &tools)?;
        if !tools.is_empty() {
            self.inner.broker.put_tools(&self.connection, &info.thread_id, Some(tools));
        }
        Ok(info)
    }

    fn open_thread_declaring(&self, config: &ThreadConfig, tools: &ToolSet) -> Result<ThreadInfo> {
        const METHOD: &str = "thread/start";
        if tools.is_empty() {
            return self.open_thread(METHOD, None, config);
        }
        config.check_for(METHOD)?;
        let deadline = self.deadline();
        self.require_experimental("`dynamicTools` of thread/start", deadline)?;
        let dynamic_tools = Some(tools.specs());
        let params = ThreadParams { dynamic_tools, ..ThreadParams::new(None, config) };
        self.open_with(METHOD, &params, deadline)
    }

    /// Resumes a thread with these tools, registered before the request: a running turn may call one as soon
    /// as this connection is subscribed. On failure, the thread keeps its previous tools.
    pub(super) fn resume_with_tools<T>(
        &self,
        thread_id: &str,
        tools: ToolSet,
        resume: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let _claim = self.claim(thread_id)?;
        let before = self.inner.broker.put_tools(&self.connection, thread_id, Some(tools.clone()));
        let resumed = resume();
        // Again, because the end of an unload may have taken them away.
        let tools = if resumed.is_ok() { Some(tools) } else { before };
        self.inner.broker.put_tools(&self.connection, thread_id, tools);
        resumed
    }
}

/// The parameters of `thread/start`, `thread/resume` and `thread/fork`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreadParams<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thread_id: Option<&'a str>,
    /// Without it, the reply contains all turns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) exclude_turns: bool,
    /// For a fork: its last turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_turn_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dynamic_tools: Option<Vec<DynamicToolSpec>>,
    #[serde(flatten)]
    pub(super) config: Params<'a, ThreadConfig>,
}

impl<'a> ThreadParams<'a> {
    fn new(thread_id: Option<&'a str>, config: &'a ThreadConfig) -> Self {
        let exclude_turns = thread_id.is_some();
        ThreadParams {
            thread_id,
            exclude_turns,
            last_turn_id: None,
            dynamic_tools: None,
            config: Params(config),
        }
    }
}

/// The method that unloads a thread.
const UNSUBSCRIBE: &str = "thread/unsubscribe";

/// The thread in which a chat runs.
pub(super) struct ChatThread {
    pub(super) id: String,
    /// The settings to send with the turn.
    pub(super) overrides: TurnOverrides,
    /// Why the thread is not loaded, as in [`Client::resume_before_chat`].
    pub(super) not_resumed: Option<Error>,
    /// For a thread that the chat started for itself.
    pub(super) lease: Option<Lease>,
    /// Keeps the thread from being unloaded until its turn is registered.
    _claim: Option<Claim>,
}

/// The pauses between the attempts at a call that the server rejects for a short time only.
struct Pauses {
    deadline: Deadline,
    next: Duration,
}

impl Pauses {
    fn new(deadline: Deadline) -> Pauses {
        Pauses { deadline, next: Duration::from_millis(10) }
    }

    /// Pauses, unless the deadline has passed, in which case it returns `false`.
    fn pause(&mut self) -> bool {
        if self.deadline.has_passed() {
            return false;
        }
        let left = self.deadline.at().map(|at| at.saturating_duration_since(Instant::now()));
        thread::sleep(left.unwrap_or(self.next).min(self.next));
        self.next = (self.next * 2).min(Duration::from_millis(200));
        true
    }
}

/// The parts of the reply that are needed here.
#[derive(Deserialize)]
struct OpenedThread {
    thread: OpenedThreadId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenedThreadId {
    id: String,
    forked_from_id: Option<String>,
}

/// # Errors
/// `InvalidInput` if the id is empty, for which the server's error is about its length.
pub(super) fn check_thread_id(id: &str) -> Result<()> {
    match id {
        "" => Err(Error::invalid("the thread id is empty")),
        _ => Ok(()),
    }
}

/// The thread was unloaded without this client noticing, which only the server's message shows.
pub(super) fn is_unloaded(error: &Error) -> bool {
    matches!(error, Error::Rpc { message, .. } if message.starts_with("thread not found"))
}

/// The server is unloading the thread.
fn is_closing(error: &Error) -> bool {
    matches!(error, Error::Rpc { message, .. } if message.contains("is closing; retry"))
}

/// A compaction is running in the thread.
fn is_compacting(error: &Error) -> bool {
    matches!(error, Error::Rpc { message, .. }
        if message.contains("ActiveTurnNotSteerable") && message.contains("Compact"))
}

/// The thread that a request refers to.
fn thread_id_of(params: impl Serialize) -> Option<String> {
    let params = serde_json::to_value(params).ok()?;
    params["threadId"].as_str().map(str::to_owned)
}

/// # Errors
/// `InvalidInput` if these fields of a configuration can't take effect.
fn refuse_fields(id: &str, names: &[String]) -> Result<()> {
    match names {
        [] => Ok(()),
        _ => Err(Error::invalid(format!(
            "thread {id} is loaded and can't change {}: set it when starting or forking a thread",
            names.join(", ")
        ))),
    }
}
