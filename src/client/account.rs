//! The account of the server: who is signed in, signing in and out, rate limits.
//!
//! Relies on `account`. Invariant: an API key goes to the server and nowhere else.

use std::sync::Arc;

use serde_json::Value;

use super::{Client, Reply, request::class_of};
use crate::{
    account::{Account, Login},
    error::{Error, Result},
    protocol::{
        AccountLogoutParams, ApiKeyLoginAccountParams, ChatgptLoginAccountParams, ClientRequest,
        GetAccountParams, GetAccountRateLimitsParams, GetAccountRateLimitsResponse, LoginAccountParams,
    },
    rpc::{Call, RawReply},
};

impl Client {
    /// Returns how the server is signed in, as whom, and with which plan.
    ///
    /// Blocks for at most the request limit. The server may ask OpenAI about a ChatGPT account.
    ///
    /// ```
    /// # use codex_blocking::testing::ScriptedServer;
    /// # let client = ScriptedServer::new()
    /// #     .on_request("account/read", |_| Ok(serde_json::json!({ "account": null, "requiresOpenaiAuth": true })))
    /// #     .client()?;
    /// let account = client.account()?;
    /// if !account.is_ready() {
    ///     println!("not signed in");
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn account(&self) -> Result<Account> {
        Ok(self.call(GetAccountParams::new())?.into_inner().into())
    }

    /// The same as [`account`](Self::account), but the server first asks OpenAI for new tokens, if it is signed in with
    /// ChatGPT: a change of the plan shows at once, and a sign-in that was revoked is none any more. If OpenAI can't be
    /// reached, the server returns what it knows.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn refresh_account(&self) -> Result<Account> {
        Ok(self.call(GetAccountParams::new().refresh_token(true))?.into_inner().into())
    }

    /// Signs the server in with an API key of OpenAI, which it stores in its `CODEX_HOME`, in place of the sign-in that
    /// it had. White space around the key is removed.
    ///
    /// Blocks for at most the request limit. The server does not try the key: a wrong one fails the first turn, with
    /// [`Error::TurnFailed`].
    ///
    /// ```no_run
    /// use codex_blocking::{Client, Stdio};
    ///
    /// let client = Client::connect(Stdio::default().codex_home("/my/codex-home"))?;
    /// client.login_api_key(&std::fs::read_to_string("/run/secrets/openai")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request): [`Error::Rpc`] if the server's administrator forbids API keys;
    /// [`Error::InvalidInput`] for what can't be a key. No error contains the key.
    pub fn login_api_key(&self, key: &str) -> Result<()> {
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid(
                "the API key is empty, or contains white space or letters that no key has",
            ));
        }
        let _starting = self.inner.logins.starting();
        let params = LoginAccountParams::from(ApiKeyLoginAccountParams::new(key));
        self.perform(params).map_err(|error| without(key, error))?;
        self.inner.logins.supersede();
        Ok(())
    }

    /// Begins a sign-in with ChatGPT in a browser on the machine of the server, which waits on a port of its own for
    /// the browser to come back. Show the user [`Login::url`], and call [`Login::wait`].
    ///
    /// A server has one sign-in at a time: another one, or a logout, ends it. Blocks for at most the request limit.
    ///
    /// ```
    /// # use codex_blocking::Client;
    /// # use std::time::Duration;
    /// # fn sign_in(client: &Client) -> codex_blocking::Result<()> {
    /// let login = client.login_chatgpt()?;
    /// println!("Open {}", login.url());
    /// login.wait(Duration::from_secs(600))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Same as [`request`](Self::request): [`Error::Rpc`] if the server's administrator forbids it, or if no port is
    /// free.
    pub fn login_chatgpt(&self) -> Result<Login> {
        self.start_login(&ChatgptLoginAccountParams::new().into())
    }

    /// Begins a sign-in with ChatGPT in a browser anywhere, for servers on other machines. Show the user [`Login::url`]
    /// and [`Login::user_code`], and call [`Login::wait`], whose page has an example.
    ///
    /// A server has one sign-in at a time: another one, or a logout, ends it. Blocks for at most the request limit,
    /// while the server asks OpenAI for the code.
    ///
    /// # Errors
    /// Same as [`request`](Self::request): [`Error::Rpc`] if the server can't get a code, or if its administrator
    /// forbids it.
    pub fn login_device_code(&self) -> Result<Login> {
        self.start_login(&LoginAccountParams::ChatgptDeviceCode)
    }

    /// Signs the server out: removes what it has stored, and revokes a sign-in with ChatGPT. It is not an error if it
    /// is not signed in.
    ///
    /// Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request).
    pub fn logout(&self) -> Result<()> {
        let _starting = self.inner.logins.starting();
        self.perform(AccountLogoutParams::new())?;
        self.inner.logins.supersede();
        Ok(())
    }

    /// Returns how much of the ChatGPT account's limits is used, and when they reset.
    ///
    /// Blocks for at most the request limit, while the server asks OpenAI.
    ///
    /// # Errors
    /// Same as [`request`](Self::request): [`Error::Rpc`] if the server is not signed in with ChatGPT.
    pub fn rate_limits(&self) -> Result<Reply<GetAccountRateLimitsResponse>> {
        self.call(GetAccountRateLimitsParams::new())
    }

    fn start_login(&self, params: &LoginAccountParams) -> Result<Login> {
        const METHOD: &str = LoginAccountParams::METHOD;
        let deadline = self.deadline();
        self.ensure_initialized(deadline)?;
        let _starting = self.inner.logins.starting();
        let call = Call { method: METHOD, params, class: class_of(METHOD), deadline };
        let (reply, state) = self.connection.call_with(&call, || {
            let logins = Arc::clone(&self.inner.logins);
            // On the reading thread, so that the sign-in is registered before its end.
            Ok(move |reply: &RawReply| logins.open(reply))
        })?;
        let result = reply.result(METHOD)?;
        let state = state.ok_or_else(|| {
            let missing = serde::de::Error::custom("it starts no sign-in that waits for the user");
            Error::decode(format!("the result of {METHOD}"), result, missing)
        })?;
        Ok(Login { connection: self.connection.clone(), state, request_timeout: self.request_timeout })
    }
}

/// The error without the key, which the server may repeat.
fn without(key: &str, mut error: Error) -> Error {
    const MASK: &str = "[API key]";
    match &mut error {
        Error::Rpc { message, data, .. } => {
            *message = message.replace(key, MASK);
            let repeats = data.as_ref().is_some_and(|data| data.to_string().contains(key));
            if repeats {
                *data = Some(Box::new(Value::from(MASK)));
            }
        }
        Error::Decode { raw, source, .. } if raw.contains(key) => {
            *raw = raw.replace(key, MASK).into();
            *source = None;
        }
        _ => {}
    }
    error
}
