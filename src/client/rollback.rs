//! Rolls back the last turns of a thread, on old and new servers.
//!
//! Relies on `thread`. Invariant: on a server that interrupts the running turn before it validates the
//! request, everything that it would reject is rejected before; once turns were rolled back, no error
//! suggests that the call can be repeated.

use serde::{Deserialize, Serialize};

use super::{Client, Reply, thread::check_thread_id};
use crate::{
    error::{Cause, Error, Result},
    protocol::{
        ThreadReadResponse, ThreadRevertParams, ThreadTurnsListParams, ThreadTurnsListResponse, Turn,
        TurnItemsView,
    },
};

/// The server's maximum page size.
const PAGE: u32 = 100;

/// The parameters of `thread/rollback`, which servers since 0.169 don't have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rollback<'a> {
    thread_id: &'a str,
    num_turns: u32,
}

impl Client {
    /// Rolls back the last turns of a thread: the model no longer sees them. Files are not restored. Returns
    /// the thread with the remaining turns.
    ///
    /// A running turn is interrupted and is among the removed turns; servers before 0.169 reject the request
    /// while a turn is running. A review leaves two entries in the thread; on servers since 0.169 they count
    /// as one turn. If `num_turns` exceeds the number of turns, all are removed.
    ///
    /// If this client has not loaded the thread, it resumes it first. Makes about four requests, and blocks
    /// for at most the request limit for each; listing the turns counts as one, however many pages it has.
    ///
    /// # Errors
    /// Same as [`request`](Self::request) and [`resume_thread`](Self::resume_thread); [`Error::Rpc`] also for
    /// a thread without turns, whose turns the server can't list; [`Error::RolledBack`] if the turns were
    /// rolled back, but the remaining thread could not be read; [`Error::InvalidInput`] for an empty id, if
    /// `num_turns` is 0, and for threads that servers since 0.169 can't roll back: ephemeral ones, and those
    /// that an older server wrote (instead, fork these at the last turn to keep, with
    /// [`fork_thread_at`](Self::fork_thread_at)).
    pub fn rollback_thread(&self, id: &str, num_turns: u32) -> Result<Reply<ThreadReadResponse>> {
        check_thread_id(id)?;
        if num_turns == 0 {
            return Err(Error::invalid("the number of turns must be at least 1"));
        }
        // If the version is unknown, the server's rejection of the old method decides.
        if self.initialize()?.is_before((0, 169)) != Some(false) {
            const METHOD: &str = "thread/rollback";
            let params = Rollback { thread_id: id, num_turns };
            let roll_back = || {
                let reply = self.request_until(METHOD, &params, self.deadline())?;
                reply.result(METHOD)?;
                Reply::decode(reply, METHOD).map_err(|unread| rolled_back(id, unread))
            };
            match self.on_loaded(id, roll_back) {
                Err(Error::Rpc { message, .. }) if message.contains("unknown variant `thread/rollback`") => {}
                rolled_back => return rolled_back,
            }
        }
        let is_reverted = self.on_loaded(id, || {
            self.check_revertible(id)?;
            let Some(first_to_go) = self.first_to_go(id, num_turns)? else { return Ok(false) };
            self.perform(ThreadRevertParams::new(id, first_to_go))?;
            Ok(true)
        })?;
        // The server reloaded the thread, and reported that as if it had been unloaded.
        self.known_threads().set_loaded(id);
        let left = self.read_thread(id, true);
        if is_reverted { left.map_err(|unread| rolled_back(id, unread)) } else { left }
    }

    /// # Errors
    /// `InvalidInput` if the server would interrupt the running turn and then reject the request.
    fn check_revertible(&self, id: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Read {
            thread: Head,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            history_mode: Option<String>,
            ephemeral: Option<bool>,
        }
        let method = "thread/read";
        let params = serde_json::json!({ "threadId": id });
        let Read { thread } = self.request_until(method, params, self.deadline())?.decode(method)?;
        if thread.ephemeral == Some(true) {
            return Err(Error::invalid(format!("thread {id} is ephemeral: its turns can't be rolled back")));
        }
        if thread.history_mode.as_deref() == Some("legacy") {
            return Err(Error::invalid(format!(
                "thread {id} was written by an older server, and its turns can't be taken back: fork it at the \
                 last turn to keep, with fork_thread_at"
            )));
        }
        Ok(())
    }

    /// The oldest turn to remove; `None` if there is no turn. All pages share one limit.
    fn first_to_go(&self, id: &str, num_turns: u32) -> Result<Option<String>> {
        let mut last = LastTurns::new(num_turns);
        let mut params = ThreadTurnsListParams::new(id).limit(PAGE).items_view(TurnItemsView::NotLoaded);
        let deadline = self.deadline();
        loop {
            let page: ThreadTurnsListResponse = self.call_until(params.clone(), deadline)?.into_inner();
            // A page without a new cursor is the last one.
            let is_last = page.data.is_empty() || page.next_cursor.as_ref() == params.cursor.value();
            let is_enough = page.data.into_iter().any(|turn| !last.take(turn));
            match page.next_cursor {
                Some(cursor) if !is_enough && !is_last => params = params.cursor(cursor),
                _ => return Ok(last.oldest),
            }
        }
    }
}

fn rolled_back(id: &str, unread: Error) -> Error {
    Error::RolledBack { thread_id: id.to_owned(), source: Cause::new(unread) }
}

/// The last turns of a thread, taken newest first. Entries with one root are one turn: a review has a second
/// entry, for its prompt.
struct LastTurns {
    left: u32,
    roots: std::collections::HashSet<String>,
    oldest: Option<String>,
}

impl LastTurns {
    fn new(count: u32) -> Self {
        LastTurns { left: count, roots: std::collections::HashSet::new(), oldest: None }
    }

    /// Returns `false` if the turn is no longer one of them.
    fn take(&mut self, turn: Turn) -> bool {
        let Turn { id, root_turn_id, .. } = turn;
        let root = root_turn_id.unwrap_or_else(|| id.clone());
        if !self.roots.contains(&root) {
            let Some(left) = self.left.checked_sub(1) else { return false };
            self.left = left;
            self.roots.insert(root);
        }
        self.oldest = Some(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The oldest of the last turns, of entries given newest first with their roots.
    fn oldest(count: u32, entries: &[(&str, Option<&str>)]) -> Option<String> {
        let mut last = LastTurns::new(count);
        for (id, root) in entries {
            let turn = json!({ "id": id, "rootTurnId": root, "items": [], "status": "completed" });
            if !last.take(serde_json::from_value(turn).unwrap()) {
                break;
            }
        }
        last.oldest
    }

    #[test]
    fn turns_are_counted_from_the_newest_and_more_than_there_are_means_all() {
        let turns = [("c", Some("c")), ("b", None), ("a", Some("a"))];
        let found: Vec<_> = [1, 2, 3, 4, u32::MAX].into_iter().map(|count| oldest(count, &turns)).collect();
        assert_eq!(found, ["c", "b", "a", "a", "a"].map(|id| Some(id.to_owned())));
        assert_eq!(oldest(1, &[]), None);
    }

    #[test]
    fn the_two_entries_of_a_review_are_one_turn() {
        let turns =
            [("d", Some("d")), ("review", Some("review")), ("said", Some("review")), ("a", Some("a"))];
        let found: Vec<_> = (1..4).map(|count| oldest(count, &turns).unwrap()).collect();
        assert_eq!(found, ["d", "said", "a"]);
    }
}
