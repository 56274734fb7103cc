//! The questions of the server that wait for an answer, whatever they are about.
//!
//! Relies on `protocol`, `turn_log` and `workers`. Invariant: a question is answered at most once,
//! while it waits the clock of its turn stands still, and those that wait are within the limit of what
//! the connection keeps.

use std::{
    any::Any,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Shared, turn_log::TurnLog};
use crate::{
    deadline::earlier,
    protocol::{INTERNAL_ERROR, RequestId, envelope::Route, outgoing},
};

/// An answer, or a refusal.
pub(crate) type Answer = Result<Box<RawValue>, Refusal>;

/// Why a question is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
}

/// A question as it came: plain data, which holds on to nothing.
#[derive(Debug)]
pub(crate) struct Question {
    /// The place in the order of arrival: its name within this connection.
    pub(crate) number: u64,
    pub(crate) id: RequestId,
    pub(crate) method: String,
    pub(crate) thread_id: Option<String>,
    pub(crate) turn_id: Option<String>,
    /// The whole message.
    pub(crate) text: Box<str>,
    /// The item it is about, as it was announced before.
    pub(crate) announced: Option<Box<str>>,
}

/// What is done with a question that arrives.
pub(crate) enum Verdict {
    /// It is answered at once, for this reason.
    Now { answer: Answer, why: String },
    /// Somebody answers it in time; else it gets this answer.
    Wait { limit: Option<Duration>, else_answer: Answer },
    /// This is run on a worker; if it panics, the question gets the other answer.
    Run { answer: Box<dyn FnOnce() -> Answer + Send>, else_answer: Answer },
}

/// Who decides what is done. Called on the reading thread: it looks and never runs user code.
pub(crate) trait Policy: Send + Sync {
    fn arrived(&self, question: &Arc<Question>) -> Verdict;
    /// It waits now, or has been answered: those who look at questions may see it.
    fn show(&self, question: &Arc<Question>);
    /// The thread is not loaded any more. What was kept for it is given back, to be dropped where
    /// user code may run.
    fn thread_gone(&self, thread_id: &str) -> Option<Box<dyn Any + Send>>;
    /// The connection has ended: streams end, and handlers are released. They are given back, to be
    /// dropped where user code may run.
    fn ended(&self) -> Box<dyn Any + Send>;
}

struct Waiting {
    question: Arc<Question>,
    /// The turn whose clock it stops.
    turn: Option<Arc<TurnLog>>,
    deadline: Option<Instant>,
    else_answer: Answer,
}

impl Waiting {
    /// Whether it is of that turn: by the turn whose clock it stops, or, since another client may have
    /// started its turn, by the ids it names.
    fn is_of(&self, thread_id: &str, turn_id: &str) -> bool {
        let Question { thread_id: thread, turn_id: turn, .. } = &*self.question;
        self.turn.as_ref().is_some_and(|turn| turn.thread_id == thread_id && turn.turn_id == turn_id)
            || (thread.as_deref() == Some(thread_id) && turn.as_deref() == Some(turn_id))
    }
}

#[derive(Default)]
struct State {
    waiting: HashMap<u64, Waiting>,
    has_timer: bool,
    is_closed: bool,
}

pub(crate) struct Inbox {
    state: Mutex<State>,
    next: AtomicU64,
    /// The bytes kept on the whole connection.
    kept: Arc<AtomicUsize>,
    /// Wakes the timer when there is an earlier deadline, or none any more.
    bell: (Sender<()>, Receiver<()>),
}

impl Inbox {
    pub(crate) fn new(kept: Arc<AtomicUsize>) -> Self {
        Inbox { state: Mutex::default(), next: AtomicU64::new(0), kept, bell: bounded(1) }
    }

    /// The questions that wait, oldest first.
    pub(crate) fn waiting(&self) -> Vec<Arc<Question>> {
        let state = self.state.lock();
        let mut waiting: Vec<_> =
            state.waiting.values().map(|waiting| Arc::clone(&waiting.question)).collect();
        waiting.sort_by_key(|question| question.number);
        waiting
    }

    /// `false`: the connection has ended.
    fn insert(&self, waiting: Waiting) -> bool {
        let mut state = self.state.lock();
        if state.is_closed {
            return false;
        }
        if let Some(turn) = &waiting.turn {
            turn.hold();
        }
        self.kept.fetch_add(waiting.question.bytes(), Ordering::Relaxed);
        state.waiting.insert(waiting.question.number, waiting);
        true
    }

    fn take(&self, number: u64, now: Duration) -> Option<Waiting> {
        let waiting = self.state.lock().waiting.remove(&number)?;
        self.kept.fetch_sub(waiting.question.bytes(), Ordering::Relaxed);
        if let Some(turn) = &waiting.turn {
            turn.release(now);
        }
        Some(waiting)
    }

    /// The question was answered elsewhere.
    pub(crate) fn withdraw(&self, id: &RequestId, now: Duration) {
        self.remove(now, |waiting| waiting.question.id == *id);
    }

    /// The turn is over, and with it its questions.
    pub(crate) fn withdraw_of(&self, thread_id: &str, turn_id: &str, now: Duration) {
        self.remove(now, |waiting| waiting.is_of(thread_id, turn_id));
    }

    /// An item of the turn is over, and with it the questions about it.
    pub(crate) fn withdraw_about(&self, item_id: &str, thread_id: &str, turn_id: &str, now: Duration) {
        self.remove(now, |waiting| waiting.is_of(thread_id, turn_id) && waiting.question.is_about(item_id));
    }

    fn remove(&self, now: Duration, is_it: impl Fn(&Waiting) -> bool) {
        let numbers: Vec<u64> = {
            let state = self.state.lock();
            state.waiting.iter().filter(|(_, waiting)| is_it(waiting)).map(|(number, _)| *number).collect()
        };
        for number in numbers {
            self.take(number, now);
        }
    }

    /// Nothing is answered any more.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.is_closed = true;
            std::mem::take(&mut state.waiting)
        };
        let bytes = waiting.values().map(|waiting| waiting.question.bytes()).sum();
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
        let _ = self.bell.0.try_send(());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().waiting.is_empty()
    }
}

impl Question {
    /// What it takes while it waits.
    fn bytes(&self) -> usize {
        self.text.len() + self.announced.as_ref().map_or(0, |item| item.len())
    }

    /// The parameters, as JSON; null if there are none.
    pub(crate) fn params(&self) -> &str {
        #[derive(Deserialize)]
        struct Message<'a> {
            #[serde(borrow)]
            params: Option<&'a RawValue>,
        }
        let message: Result<Message<'_>, _> = serde_json::from_str(&self.text);
        message.ok().and_then(|message| message.params).map_or("null", RawValue::get)
    }

    /// Whether it is about that item.
    fn is_about(&self, item_id: &str) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Params {
            item_id: String,
        }
        serde_json::from_str(self.params()).is_ok_and(|params: Params| params.item_id == item_id)
    }
}

impl Shared {
    /// Takes in a question: what becomes of it is up to the policy.
    pub(super) fn question(self: &Arc<Self>, id: RequestId, method: &str, route: &Route<'_>, text: &str) {
        let turn = self.routes.lock().turn_of(route);
        let item_id: Option<String> =
            route.item_id.and_then(|item_id| serde_json::from_str(item_id.get()).ok());
        let question = Arc::new(Question {
            number: self.inbox.next.fetch_add(1, Ordering::Relaxed),
            id,
            method: method.to_owned(),
            thread_id: route.thread_id.as_deref().map(str::to_owned),
            turn_id: route.turn_id.as_deref().map(str::to_owned),
            text: text.into(),
            announced: turn.as_ref().zip(item_id).and_then(|(turn, item_id)| turn.announced(&item_id)),
        });
        self.decide(&question, turn);
        // Only now: who looks at the questions that wait finds it there.
        self.policy.show(&question);
    }

    fn decide(self: &Arc<Self>, question: &Arc<Question>, turn: Option<Arc<TurnLog>>) {
        let (number, question) = (question.number, Arc::clone(question));
        match self.policy.arrived(&question) {
            Verdict::Now { answer, why } => {
                self.log(log::Level::Info, {
                    let (method, id) = (question.method.clone(), question.id.clone());
                    move || format!("the server asked {method} (id {id}); {why}, so it got the safe answer")
                });
                self.send_answer(&question.id, answer);
            }
            Verdict::Wait { limit, else_answer } => {
                let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
                if self.admit(Waiting { question, turn, deadline, else_answer }) && deadline.is_some() {
                    self.start_timer();
                }
            }
            Verdict::Run { answer, else_answer } => {
                let safe = else_answer.clone();
                if !self.admit(Waiting { question, turn, deadline: None, else_answer }) {
                    // It may hold the last handle on a handler.
                    self.workers.let_go(answer);
                    return;
                }
                let shared = Arc::clone(self);
                let handed_over = self.workers.hand_over(Box::new(move || {
                    let answer = catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
                        log::error!("a handler of questions panicked; the question got the safe answer");
                        safe
                    });
                    if !shared.answer(number, answer) {
                        log::debug!("a question was withdrawn before its handler had decided");
                    }
                }));
                if let Err(job) = handed_over {
                    self.workers.let_go(job);
                    self.answer_safely(number);
                }
            }
        }
    }

    /// Lets a question wait. `false`: it does not, since the connection has ended, or since more would
    /// be kept than may be; then it has got the safe answer.
    fn admit(&self, waiting: Waiting) -> bool {
        let (question, limit) = (&waiting.question, self.max_kept);
        if self.kept.load(Ordering::Relaxed).saturating_add(question.bytes()) <= limit {
            return self.inbox.insert(waiting);
        }
        self.log(log::Level::Warn, {
            let (method, id) = (question.method.clone(), question.id.clone());
            move || {
                format!(
                    "the server asked {method} (id {id}); more would be kept than max_buffered_bytes \
                     ({limit}), so it got the safe answer"
                )
            }
        });
        self.send_answer(&question.id, waiting.else_answer);
        false
    }

    /// Answers a question that waits. `false`: it does not.
    pub(super) fn answer(&self, number: u64, answer: Answer) -> bool {
        let Some(waiting) = self.inbox.take(number, self.epoch.elapsed()) else { return false };
        self.send_answer(&waiting.question.id, answer);
        true
    }

    fn answer_safely(&self, number: u64) {
        if let Some(waiting) = self.inbox.take(number, self.epoch.elapsed()) {
            self.send_answer(&waiting.question.id, waiting.else_answer);
        }
    }

    fn send_answer(&self, id: &RequestId, answer: Answer) {
        let mut message = match answer {
            Ok(result) => outgoing::answer(id, &result),
            Err(refusal) => outgoing::refusal(id, refusal.code, &refusal.message),
        };
        // The server would wait for an answer that can't be sent.
        if let Err(error) = self.check_length("the answer to a question", &message) {
            message = outgoing::refusal(id, INTERNAL_ERROR, &error.to_string());
            self.log(log::Level::Error, move || error.to_string());
        }
        // It fails when the connection does, which is told elsewhere.
        let _ = self.send(message);
    }

    /// Sees to it that deadlines are kept while there are any.
    fn start_timer(self: &Arc<Self>) {
        let _ = self.inbox.bell.0.try_send(());
        if std::mem::replace(&mut self.inbox.state.lock().has_timer, true) {
            return;
        }
        let shared = Arc::clone(self);
        self.workers.run(move || shared.keep_deadlines());
    }

    /// Runs on a worker until nothing has a deadline any more.
    fn keep_deadlines(&self) {
        loop {
            let now = Instant::now();
            let (mut due, mut next) = (Vec::new(), None);
            {
                let mut state = self.inbox.state.lock();
                for (number, waiting) in &state.waiting {
                    match waiting.deadline {
                        Some(at) if at <= now => due.push(*number),
                        at => next = earlier(next, at),
                    }
                }
                if due.is_empty() && next.is_none() {
                    state.has_timer = false;
                    return;
                }
            }
            for number in due {
                log::warn!("a question was not answered in time; it got the safe answer");
                self.answer_safely(number);
            }
            if let Some(next) = next {
                let _ = self.inbox.bell.1.recv_deadline(next);
            }
        }
    }
}
