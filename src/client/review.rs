//! Reviews: turns in which the agent reviews changes.
//!
//! Relies on `chat`. Invariant: a review is read, interrupted and ended like any turn, under the id that the
//! server returned.

use serde::Serialize;
use serde_json::Value;

use super::{Client, thread::check_thread_id};
use crate::{
    continuation::ChatMode,
    error::{Error, Result},
    protocol::ReviewDelivery,
    turn::{Chat, ChatEvents, Interest, Reading, Start, TurnItem, TurnStream},
};

/// The parameters of `review/start`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewStart<'a> {
    thread_id: &'a str,
    target: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<&'a ReviewDelivery>,
}

impl Client {
    /// Starts a review of changes, and returns its steps as a chat. The final answer is the review's text.
    ///
    /// `target` is what to review: a [`ReviewTarget`](crate::ReviewTarget), or JSON of its shape. `delivery`
    /// is `None` or [`Inline`](ReviewDelivery::Inline) for a review in the thread itself. Servers before
    /// 0.169 also support [`detached`](ReviewDelivery::detached), in a separate thread, whose id is
    /// [`Chat::thread_id`](crate::TurnStream::thread_id).
    ///
    /// If this client has not loaded the thread, it resumes it first. A review can't be steered; a second
    /// review ends the first. The thread's deferred settings stay deferred. Blocks for the requests that are
    /// needed; each has the request limit.
    ///
    /// ```
    /// # use codex_blocking::testing::ScriptedServer;
    /// # let turn = serde_json::json!({ "id": "r", "items": [], "status": "inProgress" });
    /// # let reply = serde_json::json!({ "turn": turn, "reviewThreadId": "thread-1" });
    /// # let client = ScriptedServer::new().on_request("review/start", move |_| Ok(reply.clone())).client()?;
    /// use codex_blocking::{ReviewTarget, ThreadConfig};
    ///
    /// let thread = client.start_thread(ThreadConfig::new().cwd("/my/project"))?;
    /// let mut review = client.start_review(thread.thread_id(), ReviewTarget::UncommittedChanges, None)?;
    /// # if false {
    /// for step in &mut review {
    ///     println!("{step}");
    /// }
    /// # }
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Same as [`chat`](Self::chat); [`Error::InvalidInput`] if the target is not an object with a `type`,
    /// and for `detached` on a server that doesn't support it: start the review on a
    /// [fork](Self::fork_thread) instead.
    pub fn start_review(
        &self,
        id: &str,
        target: impl Serialize,
        delivery: Option<ReviewDelivery>,
    ) -> Result<Chat> {
        self.review(id, target, delivery, Reading::steps(self.inner.settings.inactivity_timeout))
    }

    /// Same as [`start_review`](Self::start_review), but returns the events of the review, including deltas.
    ///
    /// # Errors
    /// Same as [`start_review`](Self::start_review).
    pub fn start_review_events(
        &self,
        id: &str,
        target: impl Serialize,
        delivery: Option<ReviewDelivery>,
    ) -> Result<ChatEvents> {
        let steps = Reading::steps(self.inner.settings.inactivity_timeout);
        self.review(id, target, delivery, Reading { mode: ChatMode::Events, ..steps })
    }

    fn review<T: TurnItem>(
        &self,
        id: &str,
        target: impl Serialize,
        delivery: Option<ReviewDelivery>,
        reading: Reading,
    ) -> Result<TurnStream<T>> {
        check_thread_id(id)?;
        let target = serde_json::to_value(target).map_err(|source| {
            Error::invalid_because("the target of the review can't be serialized", source)
        })?;
        if !target.get("type").is_some_and(Value::is_string) {
            return Err(Error::invalid(
                "the target of a review must be an object with a `type`, see ReviewTarget",
            ));
        }
        let is_detached = delivery == Some(ReviewDelivery::detached());
        if is_detached && self.initialize()?.is_before((0, 169)) == Some(false) {
            return Err(no_detached());
        }
        let params = ReviewStart { thread_id: id, target: &target, delivery: delivery.as_ref() };
        let begin = || {
            let interest = Interest::of(reading.mode, reading.keep_raw, reading.sub_agents);
            let start = Start { thread_id: id.to_owned(), interest, lease: None };
            self.after_compaction(id, || self.start_turn("review/start", &params, &start))
        };
        let consumer = self.on_loaded(id, begin).map_err(|error| match &error {
            Error::Rpc { message, .. } if is_detached && message.contains("unknown variant `detached`") => {
                no_detached()
            }
            _ => error,
        })?;
        let review = self.read(consumer, reading);
        if is_detached {
            self.known_threads().set_loaded(review.thread_id());
        }
        Ok(review)
    }
}

fn no_detached() -> Error {
    Error::invalid(
        "this server doesn't support detached reviews: fork the thread (fork_thread), and start the review on the fork",
    )
}
