//! Which methods the server knows.
//!
//! Relies on `connection` through the client. Invariant: the server is asked at most once per
//! connection, and what it did not tell is `None`, never a guess.

use std::collections::HashSet;

use super::Client;
use crate::error::{Error, OVERLOADED, Result, Timeout};

/// The methods of the server; `None` where it does not tell them.
pub(super) type Methods = Option<HashSet<String>>;

/// A method that no server has.
const MADE_UP: &str = "codexBlocking/whichMethods";

impl Client {
    /// Whether the server knows this method; `None` where that can't be told.
    ///
    /// No request tells a server's methods, but its error for a method that it does not know does
    /// (0.169 lists them all, the experimental ones too). It is asked for one once; later calls, of
    /// clones too, cost nothing. Blocks for the request limit at the longest.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// if client.supports("thread/revert")? == Some(false) {
    ///     println!("an older server");
    /// }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// What keeps the server from answering: [`Error::Timeout`], [`Error::Transport`],
    /// [`Error::Closed`], [`Error::Rpc`] when it is overloaded. The next call asks again.
    pub fn supports(&self, method: &str) -> Result<Option<bool>> {
        let deadline = self.deadline();
        // Whoever comes second waits for the first one's answer.
        let slot = match deadline.at() {
            Some(at) => self.inner.methods.try_lock_until(at),
            None => Some(self.inner.methods.lock()),
        };
        let Some(mut slot) = slot else {
            return Err(deadline.error(Timeout::Request { method: MADE_UP.to_owned() }));
        };
        let methods = match &mut *slot {
            Some(methods) => methods,
            unknown => unknown.insert(match self.request_until(MADE_UP, (), deadline)?.result(MADE_UP) {
                Err(error @ Error::Rpc { code: OVERLOADED, .. }) => return Err(error),
                Err(Error::Rpc { message, .. }) => methods_in(&message),
                Ok(_) | Err(_) => None,
            }),
        };
        Ok(methods.as_ref().map(|methods| methods.contains(method)))
    }
}

/// The names in "unknown variant `x`, expected one of `a`, `b`".
fn methods_in(message: &str) -> Methods {
    let (_, after) = message.split_once("unknown variant `")?;
    let (_, expected) = after.split_once("`, expected ")?;
    // Every second piece stands between two backticks.
    let names: HashSet<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    // A server without the handshake's method would be none: the list is of something else.
    names.contains("initialize").then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_that_is_one_of_methods_is_taken_for_one() {
        let names = methods_in(
            "Invalid request: unknown variant `x`, expected one of `initialize`, `thread/start` at line 1",
        );
        assert_eq!(names, Some(["initialize", "thread/start"].map(str::to_owned).into()));
        for message in [
            "",
            "Method not found",
            "unknown variant `x`",
            "unknown variant `x`, expected one of …",
            "unknown variant `x`, expected one of `read-only`, `workspace-write`",
        ] {
            assert_eq!(methods_in(message), None, "{message}");
        }
    }
}
