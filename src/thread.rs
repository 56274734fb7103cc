//! A thread as a handle: chats in it, without naming it each time.
//!
//! Relies on `client`; the constructors are methods of [`Client`], here so that the client need not
//! know handles. Invariant: a handle is a client and an id; dropping it does nothing to the thread.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    approval::{Tool, ToolSet},
    client::{Client, Reply, check_thread_id},
    config::ThreadConfig,
    error::{Error, Result},
    protocol::{ReviewDelivery, ThreadReadResponse},
    setting::Setting,
    turn::{Chat, ChatEvents, ChatRequest, ChatResult, Source},
};

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
    shared: Arc<Shared>,
}

struct Shared {
    thread_id: String,
    defaults: Mutex<ThreadConfig>,
    not_applied: Vec<String>,
}

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
}

impl ThreadHandle {
    fn new(client: Client, thread_id: String, defaults: ThreadConfig, not_applied: Vec<String>) -> Self {
        let shared = Shared { thread_id, defaults: Mutex::new(defaults), not_applied };
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
            return Err(Error::invalid("this handle names the thread; leave `thread` out of the request"));
        }
        match &request.source {
            Source::Continuation(token) if token.thread_id != self.thread_id() => {
                return Err(Error::invalid(format!(
                    "the continuation is of thread {}, this handle of {}",
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
