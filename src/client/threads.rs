//! Reading, listing and keeping threads, by their ids.
//!
//! Relies on the typed requests. Invariant: a call that needs a loaded thread loads it, and one that
//! unloads it says so to the connection.

use super::{Client, Reply, check_thread_id};
use crate::{
    config::ListThreads,
    error::{Error, Result},
    protocol::{
        ThreadArchiveParams, ThreadCompactStartParams, ThreadListResponse, ThreadReadParams,
        ThreadReadResponse, ThreadSetNameParams, ThreadUnarchiveParams, TurnSteerParams, TurnSteerResponse,
    },
    turn::Input,
};

impl Client {
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
            return Err(Error::invalid("the name of the thread is blank"));
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
            return Err(Error::invalid("the id of the turn is empty"));
        }
        let input = input.into();
        input.check()?;
        self.call(TurnSteerParams::new(thread_id, expected_turn_id, input))
    }
}
