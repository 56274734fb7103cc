//! Requests and notifications of any method, typed and untyped.
//!
//! Relies on `rpc` and `protocol`. Invariant: the handshake comes first, within the same deadline; a request
//! that the server would reject because a client setting is missing is rejected before anything is sent, with
//! the name of the setting.

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
    /// Sends a request of any method, and returns the result as JSON.
    ///
    /// Blocks for at most the request limit (30 s by default). If `params` is `()` or null, the message has
    /// no `params`.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// let models = client.request("model/list", serde_json::json!({ "limit": 5 }))?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Rpc`](crate::Error::Rpc) if the server responds with an error,
    /// [`Error::Timeout`](crate::Error::Timeout) if it does not respond,
    /// [`Error::Transport`](crate::Error::Transport) if the connection is lost,
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if `params` can't be serialized.
    pub fn request(&self, method: &str, params: impl Serialize) -> Result<Value> {
        self.request_until(method, params, self.deadline())?.decode(method)
    }

    /// Same as [`request`](Self::request), with its own limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn request_with_timeout(
        &self,
        method: &str,
        params: impl Serialize,
        limit: Duration,
    ) -> Result<Value> {
        self.request_until(method, params, Deadline::after(Some(limit)))?.decode(method)
    }

    /// Sends a typed request, whose type determines the method and the reply. The parameters of all methods
    /// are in [`protocol`](crate::protocol).
    ///
    /// Blocks for at most the request limit (30 s by default).
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
    /// Same as [`request`](Self::request); [`Error::Decode`] if the reply lacks something that its type
    /// requires, with the path; [`Error::InvalidInput`] for an experimental request on a client without
    /// [`experimental_api(true)`](crate::ClientBuilder::experimental_api).
    pub fn call<P: ClientRequest>(&self, params: P) -> Result<Reply<P::Response>> {
        self.call_until(params, self.deadline())
    }

    /// Same as [`call`](Self::call), with its own limit.
    ///
    /// # Errors
    /// Same as [`call`](Self::call).
    pub fn call_with_timeout<P: ClientRequest>(
        &self,
        params: P,
        limit: Duration,
    ) -> Result<Reply<P::Response>> {
        self.call_until(params, Deadline::after(Some(limit)))
    }

    /// Sends a notification. Doesn't block: the server sends no response. The only client notification that
    /// the server knows is `initialized`, which the handshake sends.
    ///
    /// # Errors
    /// [`Error::Transport`](crate::Error::Transport) if the connection is lost,
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) if `params` can't be serialized.
    pub fn notify(&self, method: &str, params: impl Serialize) -> Result<()> {
        self.connection.notify(method, params)
    }

    /// Returns a client for the same connection with another request limit; `None` means no limit.
    pub fn with_request_timeout(&self, limit: impl Into<Option<Duration>>) -> Client {
        Client { request_timeout: limit.into(), ..self.clone() }
    }

    /// Sends a request after the handshake, all within one deadline.
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
        self.wait_before(method, &params, deadline)?;
        let call = Call { method, params: &params, class: class_of(method), deadline };
        match method {
            "thread/start" | "thread/resume" | "thread/fork" => self.call_to_open(&call),
            "thread/archive" | "thread/delete" | "thread/unsubscribe" => {
                let reply = self.connection.call(&call)?;
                if reply.result(method).is_ok() {
                    self.note_closed(&params);
                }
                Ok(reply)
            }
            _ => self.connection.call(&call),
        }
    }

    /// Sends a request whose reply carries no information.
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

    /// Rejects what the server accepts only from clients with `experimental_api(true)`.
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

/// The class of a request of this method. Requests made in callbacks need no permit, because the permits may
/// be held by calls that wait for that very callback. Their long-running requests do, because they would
/// otherwise block the requests that end them.
pub(super) fn class_of(method: &str) -> Class {
    match method {
        "command/exec" | "mcpServer/tool/call" | "feedback/upload" => Class::Long,
        "turn/interrupt"
        | "turn/steer"
        | "command/exec/write"
        | "command/exec/resize"
        | "command/exec/terminate"
        | "account/login/cancel" => Class::Control,
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
