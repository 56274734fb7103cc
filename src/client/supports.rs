//! Which methods the server supports.
//!
//! Relies on `rpc` through the client. Invariant: the server is asked at most once per connection, and an
//! unknown answer is `None`, never a guess.

use std::collections::HashSet;

use super::Client;
use crate::error::{Error, OVERLOADED, Result, Timeout};

/// The methods of the server; `None` if it doesn't list them.
pub(super) type Methods = Option<HashSet<String>>;

/// A method that no server has.
const MADE_UP: &str = "codexBlocking/whichMethods";

impl Client {
    /// Returns whether the server supports a method; `None` if that is unknown.
    ///
    /// The protocol has no request for this, but the error for an unknown method lists all methods (with
    /// 0.169, the experimental ones too). The client provokes that error once; later calls, also of clones,
    /// return immediately. Blocks for at most the request limit.
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
    /// If the server can't answer: [`Error::Timeout`], [`Error::Transport`], [`Error::Closed`],
    /// [`Error::Rpc`] when it is overloaded. The next call tries again.
    pub fn supports(&self, method: &str) -> Result<Option<bool>> {
        let deadline = self.deadline();
        self.connection.check_process(MADE_UP)?;
        // A second caller waits for the answer to the first.
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
    // Every second part is between two backticks.
    let names: HashSet<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    // A list without the handshake's method is a list of something else.
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
