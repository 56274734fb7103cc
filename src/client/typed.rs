//! Typed requests: one method for all of them.
//!
//! Relies on `protocol`. Invariant: what the server would refuse for a missing setting of ours is
//! refused before anything is sent, by that setting's name.

use std::time::Duration;

use super::{Client, Reply};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
    protocol::ClientRequest,
};

impl Client {
    /// Sends a typed request, whose type names the method and the reply. The parameters of all
    /// methods are in [`protocol`](crate::protocol).
    ///
    /// Blocks for the request limit (30 s unless set) at the longest.
    ///
    /// ```
    /// use codex_blocking::protocol::{ThreadReadParams, ThreadStartParams};
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    ///
    /// let thread_id = client.call(ThreadStartParams::new().cwd("/my/project"))?.into_inner().thread.id;
    /// let reply = client.call(ThreadReadParams::new(&thread_id).include_turns(true))?;
    /// assert_eq!(reply.thread.id, thread_id);
    /// println!("{}", reply.raw()); // what the server sent, fields without a type included
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`request`](Self::request); [`Error::Decode`] when the reply lacks something that its type
    /// requires, with the path; [`Error::InvalidInput`] for an experimental request on a client
    /// without [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
    pub fn call<P: ClientRequest>(&self, params: P) -> Result<Reply<P::Response>> {
        self.call_until(params, self.deadline())
    }

    /// [`call`](Self::call) with a limit of its own.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_with_timeout<P: ClientRequest>(
        &self,
        params: P,
        limit: Duration,
    ) -> Result<Reply<P::Response>> {
        self.call_until(params, Deadline::after(Some(limit)))
    }

    /// A request whose reply says nothing.
    pub(super) fn perform<P: ClientRequest>(&self, params: P) -> Result<()> {
        self.request(P::METHOD, params).map(drop)
    }

    pub(super) fn call_until<P: ClientRequest>(
        &self,
        params: P,
        deadline: Deadline,
    ) -> Result<Reply<P::Response>> {
        if P::EXPERIMENTAL {
            self.require_experimental(P::METHOD, deadline)?;
        }
        Reply::decode(self.request_until(P::METHOD, params, deadline)?, P::METHOD)
    }

    /// Refuses what the server takes only from clients with the setting for it.
    pub(super) fn require_experimental(&self, what: &str, deadline: Deadline) -> Result<()> {
        if self.is_experimental(deadline)? {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{what} is experimental: the server takes it only from a client that was built with \
             `experimental_api(true)`"
        )))
    }
}
