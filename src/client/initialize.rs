//! The handshake: once per connection, by the first caller.
//!
//! Relies on `rpc`. Invariant: at most one `initialize` is in flight, and none is sent after one has
//! succeeded.

use std::path::Path;

use parking_lot::MutexGuard;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Client, request::class_of};
use crate::{
    deadline::Deadline,
    error::{Error, Result, Timeout},
    excerpt::abridged_debug,
    rpc::{Call, RawReply},
};

/// The oldest and the newest server version that the tests ran against.
///
/// Other versions may work; the first connection to one logs a warning.
///
/// ```
/// let (oldest, newest) = codex_blocking::SERVER_VERSIONS;
/// println!("tested with codex {oldest} to {newest}");
/// ```
pub const SERVER_VERSIONS: (&str, &str) = ("0.106.0", "0.169.0");

/// The server's result of the handshake.
#[derive(Clone, Serialize, Deserialize, PartialEq)]
#[non_exhaustive]
pub struct InitializeResult {
    /// The protocol version; servers up to 0.169 don't send it.
    pub protocol_version: Option<String>,
    /// `serverInfo`; servers up to 0.169 don't send it.
    pub server_info: Option<Value>,
    /// `capabilities`; servers up to 0.169 don't send it.
    pub capabilities: Option<Value>,
    /// The whole result.
    pub raw: Value,
}

abridged_debug!(struct InitializeResult { protocol_version, server_info, capabilities, raw });

impl InitializeResult {
    fn new(raw: Value) -> Self {
        let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
        let value = |name: &str| raw.get(name).filter(|value| !value.is_null()).cloned();
        InitializeResult {
            protocol_version: text("protocolVersion"),
            server_info: value("serverInfo"),
            capabilities: value("capabilities"),
            raw,
        }
    }

    /// How the server names itself in requests to the model: the name of the client, its own version, its system.
    pub fn user_agent(&self) -> Option<&str> {
        self.text("userAgent")
    }

    /// The server's `CODEX_HOME`, on its machine.
    pub fn codex_home(&self) -> Option<&Path> {
        self.text("codexHome").map(Path::new)
    }

    /// The family of the server's system: `unix` or `windows`.
    pub fn platform_family(&self) -> Option<&str> {
        self.text("platformFamily")
    }

    /// The server's system, such as `linux` or `macos`.
    pub fn platform_os(&self) -> Option<&str> {
        self.text("platformOs")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.raw.get(name)?.as_str()
    }

    /// The server's version, such as `0.169.0`, from its [`user_agent`](Self::user_agent): the text between a `/` and
    /// ` (`. The name of another client, which may contain slashes, can precede it.
    pub fn server_version(&self) -> Option<&str> {
        let agent = self.user_agent()?;
        // A version contains neither a slash nor white space, so no character is visited twice.
        agent.split('/').skip(1).find_map(|after| {
            let end = after.find(char::is_whitespace)?;
            let (version, rest) = after.split_at(end);
            (rest.starts_with(" (") && is_version(version)).then_some(version)
        })
    }

    /// Whether the server is older than this version; `None` if its version is unknown.
    pub(super) fn is_before(&self, release: (u32, u32)) -> Option<bool> {
        self.server_version().map(|version| is_before(version, release))
    }
}

/// A completed handshake.
pub(super) struct Handshake {
    result: InitializeResult,
    /// The text of the server's result.
    text: Box<str>,
    /// Whether the experimental API was requested, by any call.
    is_experimental: bool,
}

/// Three numbers separated by dots, and optionally a suffix without spaces.
fn is_version(text: &str) -> bool {
    let mut parts = text.splitn(3, '.');
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (Some(major), Some(minor), Some(patch)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    number(major)
        && number(minor)
        && patch.starts_with(|letter: char| letter.is_ascii_digit())
        && !text.contains(|letter: char| letter == '/' || letter.is_whitespace())
}

impl Client {
    /// Performs the handshake with the server, once; later calls return the cached result while the connection
    /// lives.
    ///
    /// Every other call performs it if necessary; call this to find out early whether the server works.
    /// Concurrent calls are safe. Blocks for at most the request limit.
    ///
    /// # Errors
    /// Same as [`request`](Self::request). A failed handshake can be retried.
    pub fn initialize(&self) -> Result<InitializeResult> {
        self.handshake(&Value::Null, self.deadline())
    }

    /// [`initialize`](Self::initialize) with additional parameters, merged over the client's: objects member
    /// by member, everything else is replaced. After the handshake they have no effect, and the cached result
    /// is returned.
    ///
    /// # Errors
    /// Same as [`initialize`](Self::initialize), and [`Error::InvalidInput`] if the parameters are not an
    /// object.
    pub fn initialize_with(&self, params: impl Serialize) -> Result<InitializeResult> {
        let params = serde_json::to_value(params).map_err(|source| {
            Error::invalid_because("the parameters of initialize can't be serialized", source)
        })?;
        self.handshake(&params, self.deadline())
    }

    pub(crate) fn ensure_initialized(&self, deadline: Deadline) -> Result<()> {
        // The common case: a single check.
        if self.inner.initialized.try_lock().is_some_and(|result| result.is_some()) {
            return Ok(());
        }
        self.handshake(&Value::Null, deadline).map(drop)
    }

    /// A manual `request("initialize", …)` performs the same handshake.
    pub(crate) fn initialize_raw(&self, params: impl Serialize, deadline: Deadline) -> Result<RawReply> {
        let params = serde_json::to_value(params).map_err(|source| {
            Error::invalid_because("the parameters of initialize can't be serialized", source)
        })?;
        self.handshake(&params, deadline)?;
        // Once it is there it stays.
        let slot = self.lock_handshake(deadline)?;
        Ok(RawReply::from_result(slot.as_ref().map_or("null", |handshake| &handshake.text)))
    }

    pub(super) fn handshake(&self, params: &Value, deadline: Deadline) -> Result<InitializeResult> {
        if !(params.is_object() || params.is_null()) {
            return Err(Error::invalid("the parameters of initialize must be an object"));
        }
        let mut slot = self.lock_handshake(deadline)?;
        if let Some(Handshake { result, .. }) = &*slot {
            self.connection.check("initialize")?;
            if params.as_object().is_some_and(|params| !params.is_empty()) {
                log::warn!("already initialized; the parameters of this call have no effect");
            }
            return Ok(result.clone());
        }
        let mut all = self.default_params();
        merge(&mut all, params);
        let method = "initialize";
        let reply =
            self.connection.call(&Call { method, params: &all, class: class_of(method), deadline })?;
        let result = InitializeResult::new(reply.decode(method)?);
        self.connection.notify("initialized", ())?;
        if let Some(version) = result.server_version().filter(|version| is_untested(version)) {
            let (oldest, newest) = SERVER_VERSIONS;
            log::warn!("the server's version is {version}; this crate was tested with {oldest} to {newest}");
        }
        if result.is_before((0, 169)) == Some(true) {
            self.inner.turns.expect_phantom_turns();
        }
        if result.is_before((0, 128)) == Some(true) {
            self.inner.broker.expect_hidden_answers();
        }
        let is_experimental = all.pointer("/capabilities/experimentalApi") == Some(&Value::Bool(true));
        let text = reply.text().into();
        Ok(slot.insert(Handshake { result, text, is_experimental }).result.clone())
    }

    /// Waits for a handshake that another thread is performing.
    fn lock_handshake(&self, deadline: Deadline) -> Result<MutexGuard<'_, Option<Handshake>>> {
        self.connection.check_process("initialize")?;
        let slot = match deadline.at() {
            Some(at) => self.inner.initialized.try_lock_until(at),
            None => Some(self.inner.initialized.lock()),
        };
        slot.ok_or_else(|| deadline.error(Timeout::Request { method: "initialize".to_owned() }))
    }

    /// Whether the server accepts experimental requests from this connection, or will after the handshake.
    pub(super) fn is_experimental(&self, deadline: Deadline) -> Result<bool> {
        let slot = self.lock_handshake(deadline)?;
        let asked = slot.as_ref().map(|handshake| handshake.is_experimental);
        Ok(asked.unwrap_or(self.inner.settings.experimental_api))
    }

    fn default_params(&self) -> Value {
        let settings = &self.inner.settings;
        let mut capabilities = Map::new();
        if settings.experimental_api {
            capabilities.insert("experimentalApi".to_owned(), true.into());
        }
        if !settings.opt_out.is_empty() {
            capabilities.insert("optOutNotificationMethods".to_owned(), settings.opt_out.clone().into());
        }
        let mut info = json!({ "name": settings.client_name, "version": settings.client_version });
        if let Some(title) = &settings.client_title {
            info["title"] = title.as_str().into();
        }
        json!({ "clientInfo": info, "capabilities": capabilities })
    }
}

/// Whether a version's first two numbers are lower than these.
fn is_before(version: &str, (major, minor): (u32, u32)) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(a), Some(b)) => (a, b) < (major, minor),
        _ => false,
    }
}

/// Whether a version is outside of [`SERVER_VERSIONS`]. A pre-release counts as its version.
fn is_untested(version: &str) -> bool {
    let numbers = |version: &str| {
        let mut numbers = version.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    let (oldest, newest) = SERVER_VERSIONS;
    numbers(version).is_some_and(|it| Some(it) < numbers(oldest) || Some(it) > numbers(newest))
}

/// Merges objects member by member; everything else is replaced.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_in(agent: &str) -> Option<String> {
        InitializeResult::new(json!({ "userAgent": agent })).server_version().map(str::to_owned)
    }

    #[test]
    fn the_version_is_found_behind_any_name() {
        let agent = |name: &str| format!("{name}/0.169.0 (Debian 12.0.0; x86_64) xterm (other; 0.1)");
        for name in ["name", "", "a/b", "a/1.2.3", "x (y)"] {
            assert_eq!(version_in(&agent(name)).as_deref(), Some("0.169.0"), "{name}");
        }
        assert_eq!(version_in("n/0.170.0-alpha.1 (x)").as_deref(), Some("0.170.0-alpha.1"));
        assert_eq!(version_in("nothing"), None);
    }

    #[test]
    fn the_result_tells_where_the_server_runs() {
        let agent = "me/0.169.0 (Debian; x86_64) xterm (me; 1)";
        let result = InitializeResult::new(json!({
            "userAgent": agent, "codexHome": "/home/me/.codex", "platformFamily": "unix", "platformOs": "linux",
        }));
        assert_eq!(result.user_agent(), Some(agent));
        assert_eq!(result.codex_home(), Some(Path::new("/home/me/.codex")));
        assert_eq!((result.platform_family(), result.platform_os()), (Some("unix"), Some("linux")));
        let old = InitializeResult::new(json!({ "userAgent": agent, "codexHome": null, "platformOs": 1 }));
        assert_eq!((old.codex_home(), old.platform_family(), old.platform_os()), (None, None, None));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let is_old = |version| is_before(version, (0, 169));
        assert!(is_old("0.106.0") && is_old("0.168.9-alpha.1"));
        assert!(!is_old("0.169.0") && !is_old("1.0.0") && !is_old("what"));
    }

    #[test]
    fn versions_between_the_oldest_and_the_newest_are_tested() {
        let (oldest, newest) = SERVER_VERSIONS;
        for tested in [oldest, newest, "0.106.1", "0.168.99", "0.169.0-alpha.3", "what", ""] {
            assert!(!is_untested(tested), "{tested}");
        }
        for untested in ["0.9.0", "0.105.9", "0.169.1", "0.170.0-alpha.1", "1.0.0"] {
            assert!(is_untested(untested), "{untested}");
        }
    }

    #[test]
    fn the_callers_parameters_win_member_by_member() {
        let mut params = json!({"clientInfo": {"name": "a", "version": "1"}, "capabilities": {"x": [1]}});
        merge(&mut params, &json!({"clientInfo": {"name": "b", "title": "B"}, "capabilities": {"x": []}}));
        assert_eq!(
            params,
            json!({"clientInfo": {"name": "b", "version": "1", "title": "B"}, "capabilities": {"x": []}})
        );
    }
}
