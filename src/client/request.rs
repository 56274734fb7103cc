//! Requests and notifications of any method, typed and untyped.
//!
//! Relies on `rpc` and `protocol`. Invariant: the handshake is done first, within the same deadline; what the
//! server would refuse for a missing setting of ours is refused before anything is sent, by that setting's
//! name.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{Client, Reply};
use crate::{
    deadline::Deadline,
    error::{Error, Result},
    protocol::ClientRequest,
    rpc::{Call, Class, RawReply, in_callback},
};

impl Client {
    /// Sends a request of any method, and gives the result as JSON.
    ///
    /// Blocks for the request limit (30 s unless set) at the longest. `()` and null as `params` are
    /// left out of the message.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let models = client.request("model/list", serde_json::json!({ "limit": 5 }))?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Rpc`](crate::Error::Rpc) when the server refuses,
    /// [`Error::Timeout`](crate::Error::Timeout) when it does not answer,
    /// [`Error::Transport`](crate::Error::Transport) when it is gone,
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) when `params` can't be JSON.
    pub fn request(&self, method: &str, params: impl Serialize) -> Result<Value> {
        self.request_until(method, params, self.deadline())?.decode(method)
    }

    /// [`request`](Self::request) with a limit of its own.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub fn request_with_timeout(
        &self,
        method: &str,
        params: impl Serialize,
        limit: Duration,
    ) -> Result<Value> {
        self.request_until(method, params, Deadline::after(Some(limit)))?.decode(method)
    }

    /// Sends a notification. Does not wait: the server answers none. Of those that clients send, it
    /// knows only `initialized`, which the handshake has sent.
    ///
    /// # Errors
    /// [`Error::Transport`](crate::Error::Transport) when the server is gone,
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) when `params` can't be JSON.
    pub fn notify(&self, method: &str, params: impl Serialize) -> Result<()> {
        self.connection.notify(method, params)
    }

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

    /// One request after the handshake, all within one deadline.
    pub(super) fn request_until(
        &self,
        method: &str,
        params: impl Serialize,
        deadline: Deadline,
    ) -> Result<RawReply> {
        if method == "initialize" {
            return self.initialize_raw(params, deadline);
        }
        self.ensure_initialized(deadline)?;
        let call = Call { method, params: &params, class: class_of(method), deadline };
        let reply = self.connection.call(&call)?;
        match method {
            "thread/start" | "thread/resume" | "thread/fork" => self.note_opened(method, &params, &reply),
            "thread/archive" | "thread/delete" | "thread/unsubscribe" if reply.result(method).is_ok() => {
                self.note_closed(&params);
            }
            _ => {}
        }
        Ok(reply)
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

/// The class of a request of this method. Requests that callbacks make don't wait behind others, which may
/// wait for that very callback; their long ones do, since they would keep out what ends them.
pub(super) fn class_of(method: &str) -> Class {
    match method {
        "command/exec" | "mcpServer/tool/call" | "feedback/upload" => Class::Long,
        "turn/interrupt"
        | "turn/steer"
        | "command/exec/write"
        | "command/exec/resize"
        | "command/exec/terminate" => Class::Control,
        _ if in_callback() => Class::Control,
        _ => Class::Ordinary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_long_request_is_of_another_class() {
        assert_eq!(class_of("command/exec"), Class::Long);
        assert_eq!(class_of("command/exec/terminate"), Class::Control);
        assert_eq!(class_of("turn/start"), Class::Ordinary);
    }
}
