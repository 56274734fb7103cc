//! Taking the last turns of a thread back, on servers old and new.
//!
//! Relies on `threads`. Invariant: on a server that interrupts the running turn before it looks at
//! the request, everything that would be refused is refused before; once turns were taken back, no
//! error says that the call may be repeated.

use serde::{Deserialize, Serialize};

use super::{Client, Reply, thread::check_thread_id};
use crate::{
    error::{Cause, Error, Result},
    protocol::{
        ThreadReadResponse, ThreadRevertParams, ThreadTurnsListParams, ThreadTurnsListResponse, Turn,
        TurnItemsView,
    },
};

/// The most that the server gives on a page.
const PAGE: u32 = 100;

/// The parameters of `thread/rollback`, which servers from 0.169 on do not have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rollback<'a> {
    thread_id: &'a str,
    num_turns: u32,
}

impl Client {
    /// Takes the last turns of a thread back: the model does not know of them any more. Files stay as
    /// they are. Gives the thread with the turns that are left.
    ///
    /// A turn that runs is interrupted, and is one of those that go; servers before 0.169 refuse while
    /// one runs. A review leaves two entries in the thread; on servers from 0.169 on they count as one
    /// turn. More turns than there are means all.
    ///
    /// A thread that this client has not loaded is resumed first. Blocks for the request limit at the
    /// longest, for each of the four requests or so that it takes; the list of the turns counts as one,
    /// however many pages it has.
    ///
    /// # Errors
    /// As [`request`](Self::request) and [`resume_thread`](Self::resume_thread); [`Error::Rpc`] also for
    /// a thread that has had no turn yet, whose turns the server can't list;
    /// [`Error::RolledBack`] when the turns were taken back, but what is left could not be read;
    /// [`Error::InvalidInput`] for an empty id, for no turns, and for threads that servers from 0.169 on
    /// can't take back: ephemeral ones, and those that an older server wrote (fork these up to the last
    /// turn to keep, with [`last_turn_id`](crate::protocol::ThreadForkParams::last_turn_id)).
    pub fn rollback_thread(&self, id: &str, num_turns: u32) -> Result<Reply<ThreadReadResponse>> {
        check_thread_id(id)?;
        if num_turns == 0 {
            return Err(Error::invalid("the number of turns must be at least 1"));
        }
        // Where the version does not tell, the server's refusal of the old way does.
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
        // The server loaded it anew, and said so as if it had been unloaded.
        self.inner.turns.set_loaded(id, true);
        let left = self.read_thread(id, true);
        if is_reverted { left.map_err(|unread| rolled_back(id, unread)) } else { left }
    }

    /// # Errors
    /// `InvalidInput`: the server would interrupt the running turn and then refuse.
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
                "thread {id} was written by an older server, and its turns can't be taken back: fork it up to \
                 the last turn to keep, as fork_thread does, with ThreadForkParams::last_turn_id"
            )));
        }
        Ok(())
    }

    /// The oldest of the last turns; none if there is no turn. All pages have one limit together.
    fn first_to_go(&self, id: &str, num_turns: u32) -> Result<Option<String>> {
        let mut last = LastTurns::new(num_turns);
        let mut params = ThreadTurnsListParams::new(id).limit(PAGE).items_view(TurnItemsView::NotLoaded);
        let deadline = self.deadline();
        loop {
            let page: ThreadTurnsListResponse = self.call_until(params.clone(), deadline)?.into_inner();
            // A page that leads nowhere is the last one.
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

/// The last turns of a thread, taken newest first. Entries with one root are one turn: a review has
/// a second entry, of what was said to it.
struct LastTurns {
    left: u32,
    roots: std::collections::HashSet<String>,
    oldest: Option<String>,
}

impl LastTurns {
    fn new(count: u32) -> Self {
        LastTurns { left: count, roots: std::collections::HashSet::new(), oldest: None }
    }

    /// `false`: this one is no longer among them.
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
