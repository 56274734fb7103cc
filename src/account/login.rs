//! A sign-in with ChatGPT that waits for the user.
//!
//! Relies on `registry`. Invariant: a wait ends with the sign-in, the connection or its limit.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use super::LoginState;
use crate::{
    deadline::{Deadline, earlier},
    error::{Error, Result, Timeout},
    protocol::{CancelLoginAccountParams, CancelLoginAccountResponse, ClientRequest},
    rpc::{Call, Class, Connection},
};

/// How long after a cancellation the server's words about it may still arrive.
const END_PATIENCE: Duration = Duration::from_millis(500);

/// A sign-in with ChatGPT that waits for the user. Returned by
/// [`Client::login_chatgpt`](crate::Client::login_chatgpt) and
/// [`Client::login_device_code`](crate::Client::login_device_code).
///
/// Show the user the [`url`](Self::url) and the [`user_code`](Self::user_code), and [`wait`](Self::wait). Clones are
/// handles to the same sign-in, for other threads; each of them keeps the connection open.
///
/// Dropping it does not end the sign-in: the user can still complete it, which [`Client::account`](crate::Client::account)
/// shows. The server gives it up after some minutes, when another sign-in or a logout follows, and when it ends.
/// [`cancel`](Self::cancel) ends it at once.
#[must_use = "a login waits for the user, who needs its `url`"]
#[derive(Clone)]
pub struct Login {
    pub(crate) connection: Connection,
    pub(crate) state: Arc<LoginState>,
    pub(crate) request_timeout: Option<Duration>,
}

impl Login {
    /// The page to open in a browser. It comes from the server: check it before a program opens it by itself.
    ///
    /// The page of [`login_chatgpt`](crate::Client::login_chatgpt) must be opened on the machine of the server, to
    /// which it leads back; the page for a device code can be opened anywhere.
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// The code that the user types on the page, for a sign-in with a device code.
    pub fn user_code(&self) -> Option<&str> {
        self.state.user_code.as_deref()
    }

    /// The server's id for this sign-in.
    pub fn login_id(&self) -> &str {
        &self.state.id
    }

    /// Returns `true` if the sign-in has ended, with or without success. Never blocks.
    pub fn is_ended(&self) -> bool {
        self.state.has_ended()
    }

    /// Waits until the user has signed in, for at most `limit`; `None` means no limit.
    ///
    /// Can be called again after a time-out, and from several threads; all get the same outcome.
    ///
    /// ```
    /// # use codex_blocking::Client;
    /// # use std::time::Duration;
    /// # fn sign_in(client: &Client) -> codex_blocking::Result<()> {
    /// let login = client.login_device_code()?;
    /// println!("Open {} and enter {}", login.url(), login.user_code().unwrap_or_default());
    /// login.wait(Duration::from_secs(600))?;
    /// println!("Signed in as {:?}", client.account()?.email);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::LoginFailed`](crate::Error::LoginFailed) if it ended without success: with the server's reason, and
    /// whether this program has cancelled it. [`Error::Timeout`](crate::Error::Timeout) after `limit`: the sign-in goes
    /// on. [`Error::Transport`](crate::Error::Transport) or [`Error::Closed`](crate::Error::Closed) if the connection
    /// ends.
    pub fn wait(&self, limit: impl Into<Option<Duration>>) -> Result<()> {
        self.connection.check_process("wait for a login")?;
        let deadline = Deadline::after(limit.into());
        self.state
            .outcome(deadline.at())
            .unwrap_or_else(|| Err(deadline.error(Timeout::Login { login_id: self.state.id.clone() })))
    }

    /// Cancels the sign-in: waits of it end with [`Error::LoginFailed`](crate::Error::LoginFailed). It is not an error
    /// if it has already ended. Blocks for at most the request limit.
    ///
    /// # Errors
    /// [`Error::Rpc`](crate::Error::Rpc) if the server rejects the request, [`Error::Timeout`](crate::Error::Timeout),
    /// [`Error::Transport`](crate::Error::Transport), [`Error::Closed`](crate::Error::Closed).
    pub fn cancel(&self) -> Result<()> {
        const METHOD: &str = CancelLoginAccountParams::METHOD;
        self.connection.check_process(METHOD)?;
        if self.is_ended() {
            return Ok(());
        }
        let was_cancelled = self.state.set_cancelled(true);
        let deadline = Deadline::after(self.request_timeout);
        let params = CancelLoginAccountParams::new(self.login_id());
        let call = Call { method: METHOD, params, class: Class::Control, deadline };
        let outcome = self.connection.call(&call).and_then(|reply| reply.decode(METHOD));
        if let Err(Error::Rpc { .. }) = outcome {
            self.state.set_cancelled(was_cancelled);
        }
        let CancelLoginAccountResponse { status, .. } = outcome?;
        // The server tells the end after it has replied. One that does not must not keep a wait.
        if self.state.outcome(earlier(deadline.at(), Some(Instant::now() + END_PATIENCE))).is_none() {
            self.state.end(Err(format!("the server says `{status}`")));
        }
        Ok(())
    }
}

impl fmt::Debug for Login {
    /// Omits the URL and the code, with which somebody else could sign the server in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("login_id", &self.login_id())
            .field("is_ended", &self.is_ended())
            .finish_non_exhaustive()
    }
}
