//! The broker of server requests: decides who answers each, keeps the pending ones, and passes them to
//! subscribers.
//!
//! Relies on `rpc`, and on `turn` for the clocks that pending requests stop. Invariant: each request is
//! answered exactly once (by a tool, a handler, the program, or the default answer), nothing is granted by
//! default, and the pending requests are within the client's limit.
//!
//! One lock guards the pending requests and the subscribers, so that a new subscriber receives each request
//! once. User code runs on worker threads only.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    ApprovalMode, ServerRequest, ServerRequestStream, ServerResponse,
    default_answer::{can_be_declined_unread, default_answer, is_as_good, remedy},
    handlers::{Handler, Handlers},
    kept_request::{Kept, KeptRequest},
    request::{Received, ReceivedRequest},
    stream::{Selection, Subscriber, stream},
    tool::{ToolSet, Tools},
};
use crate::{
    error::{Error, Result},
    excerpt::{Excerpt, Message},
    panics::{Panicked, caught},
    protocol::{INVALID_PARAMS, RequestId, envelope::Route},
    rpc::{Answer, Budget, Core, Frame, Overrun, Payer, Refusal, Subsystem, TimerKey, Wakeups},
    turn::{TurnLog, Turns},
};

/// How a client answers server requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrokerSettings {
    pub(crate) approval_mode: ApprovalMode,
    pub(crate) approval_timeout: Option<Duration>,
    pub(crate) user_input_timeout: Option<Duration>,
}

pub(crate) struct Broker {
    /// Distinguishes the requests of this client from those of others.
    id: u64,
    settings: BrokerSettings,
    handlers: Mutex<Handlers>,
    tools: Tools,
    state: Mutex<BrokerState>,
    /// Outside of the lock, since usually nothing is pending.
    pending_count: AtomicUsize,
    next_number: AtomicU64,
    /// The number of requests dropped from unread streams.
    dropped: AtomicU64,
    /// Set if the server does not report that another client answered a request.
    hides_answers: AtomicBool,
    /// Requests without a handler wait for an answer by hand.
    waits_for_all: AtomicBool,
    turns: Arc<Turns>,
    budget: Arc<Budget>,
    kept: Arc<Kept>,
    own: Weak<Broker>,
}

#[derive(Default)]
struct BrokerState {
    pending: BTreeMap<u64, PendingRequest>,
    /// The pending requests by the server's id, which should be unique.
    by_id: HashMap<RequestId, BTreeSet<u64>>,
    /// The pending requests by thread and turn.
    by_turn: HashMap<(String, String), BTreeSet<u64>>,
    subscribers: Vec<Subscriber>,
}

/// A server request that waits for its answer.
struct PendingRequest {
    request: Arc<KeptRequest>,
    /// The turn whose clock is stopped.
    turn: Option<Arc<TurnLog>>,
    default_answer: Answer,
    deadline: Option<TimerKey>,
    /// Its answer is being sent. If that fails it waits on.
    is_being_answered: bool,
}

/// Who answers a request.
enum Decision {
    /// A tool or a handler, on a worker thread.
    Run(Handler),
    /// The program, by hand, within this time.
    Wait(Option<Duration>),
    /// No one: the default answer is sent.
    Default,
}

impl Broker {
    pub(crate) fn new(settings: BrokerSettings, turns: &Arc<Turns>, budget: &Arc<Budget>) -> Arc<Broker> {
        let broker = Arc::new_cyclic(|own| Broker {
            id: RandomState::new().build_hasher().finish(),
            settings,
            handlers: Mutex::default(),
            tools: Tools::default(),
            state: Mutex::default(),
            pending_count: AtomicUsize::new(0),
            next_number: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            hides_answers: AtomicBool::new(false),
            waits_for_all: AtomicBool::new(false),
            turns: Arc::clone(turns),
            budget: Arc::clone(budget),
            kept: Kept::new(budget),
            own: Weak::clone(own),
        });
        let payer: Arc<dyn Payer> = Arc::clone(&broker) as _;
        budget.register(Arc::downgrade(&payer));
        broker
    }

    /// Sets or clears one of the handlers. After the end of the connection none is kept.
    pub(crate) fn set_handler(
        &self,
        core: &Core,
        handler: Option<Handler>,
        slot: impl FnOnce(&mut Handlers) -> &mut Option<Handler>,
    ) {
        if core.has_ended() || core.is_forked() {
            return;
        }
        let replaced = std::mem::replace(slot(&mut self.handlers.lock()), handler);
        // Not under the lock, because dropping it may run user code.
        drop(replaced);
        core.settle();
    }

    /// Sets or clears the tools of a thread, and returns the previous ones.
    pub(crate) fn put_tools(&self, core: &Core, thread_id: &str, tools: Option<ToolSet>) -> Option<ToolSet> {
        let before = self.tools.put(thread_id, tools);
        core.settle();
        before
    }

    /// Gives a fork the tools of its source.
    pub(crate) fn inherit_tools(&self, core: &Core, from: &str, to: &str) {
        self.tools.inherit(from, to);
        core.settle();
    }

    /// Notes that the server is older than 0.128, and does not report that another client answered a request.
    pub(crate) fn expect_hidden_answers(&self) {
        self.hides_answers.store(true, Ordering::Relaxed);
    }

    /// Whether requests without a handler wait for an answer by hand, of whichever kind.
    pub(crate) fn wait_for_all(&self, waits: bool) {
        self.waits_for_all.store(waits, Ordering::Relaxed);
    }

    /// The number of requests dropped from unread streams.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The pending requests, oldest first.
    pub(crate) fn pending(&self) -> Vec<ServerRequest> {
        let Some(state) = self.budget.origin().lock(&self.state) else { return Vec::new() };
        let waiting = state.pending.values().filter(|pending| !pending.is_being_answered);
        waiting.map(|pending| ServerRequest::clone(&pending.request)).collect()
    }

    /// Subscribes to the selected requests: the pending ones, then new ones.
    pub(crate) fn subscribe<T: Selection>(&self, core: &Core) -> ServerRequestStream<T> {
        let (stream, subscriber) = stream(&self.budget);
        if core.is_forked() {
            return stream;
        }
        let mut state = self.state.lock();
        for pending in state.pending.values().filter(|pending| !pending.is_being_answered) {
            subscriber.show(&pending.request, &mut Wakeups::default());
        }
        state.subscribers.retain(Subscriber::is_there);
        state.subscribers.push(subscriber);
        drop(state);
        core.settle();
        stream
    }

    /// Answers a request if it is still pending and the same.
    pub(crate) fn respond(
        &self,
        core: &Core,
        request: &ServerRequest,
        response: &ServerResponse,
    ) -> Result<()> {
        let answer = request.answer(response)?;
        core.check_process("answer a server request")?;
        let number = request.received().number;
        let waits =
            self.state.lock().pending.get(&number).is_some_and(|pending| pending.request.is_same(request));
        if waits && self.answer(core, number, |_| answer)? {
            return Ok(());
        }
        core.check("answer a server request")?;
        Err(Error::no_longer_pending(
            "the server request was answered or withdrawn, has ended, or belongs to another client",
        ))
    }

    /// Answers a pending request. Returns `false` if it is not pending.
    ///
    /// # Errors
    /// The answer can't be written. The request stays pending.
    fn answer(
        &self,
        core: &Core,
        number: u64,
        answer: impl FnOnce(&PendingRequest) -> Answer,
    ) -> Result<bool> {
        let (id, answer) = {
            let mut state = self.state.lock();
            let pending = state.pending.get_mut(&number).filter(|pending| !pending.is_being_answered);
            let Some(pending) = pending else { return Ok(false) };
            pending.is_being_answered = true;
            (pending.request.received().id.clone(), answer(pending))
        };
        let sent = core.answer(&id, &answer);
        if sent.is_err() && !core.has_ended() {
            // Unless it was withdrawn meanwhile.
            if let Some(pending) = self.state.lock().pending.get_mut(&number) {
                pending.is_being_answered = false;
            }
            return sent.map(|()| true);
        }
        if let Some(pending) = self.take(number) {
            self.finish(core, pending);
        }
        sent.map(|()| true)
    }

    fn take(&self, number: u64) -> Option<PendingRequest> {
        let mut state = self.state.lock();
        let pending = state.remove(number);
        self.count(&state);
        pending
    }

    fn count(&self, state: &BrokerState) {
        self.pending_count.store(state.pending.len(), Ordering::Release);
    }

    /// Cleans up after a request that is no longer pending.
    fn finish(&self, core: &Core, pending: PendingRequest) {
        pending.request.wait_no_more();
        if let Some(key) = pending.deadline {
            core.cancel_scheduled(key);
        }
        if let Some(turn) = &pending.turn {
            turn.release(Instant::now());
        }
        self.budget.notifier().tell();
    }

    /// Removes requests that no longer need an answer.
    fn withdraw(&self, core: &Core, numbers: BTreeSet<u64>) {
        for number in numbers {
            if let Some(pending) = self.take(number) {
                self.finish(core, pending);
            }
        }
    }

    /// Decides who answers the request.
    fn decide(&self, request: &ServerRequest) -> Decision {
        if let ServerRequest::ToolCall(call) = request {
            if let Some(tool) = self.tools.find(call) {
                return Decision::Run(tool);
            }
        }
        if let Some(handler) = self.handlers.lock().of(request) {
            return Decision::Run(handler);
        }
        let BrokerSettings { approval_mode, approval_timeout, user_input_timeout } = self.settings;
        if self.waits_for_all.load(Ordering::Relaxed) {
            return match request {
                ServerRequest::CurrentTime(_) => Decision::Default,
                ServerRequest::UserInput(_) => Decision::Wait(user_input_timeout),
                _ => Decision::Wait(approval_timeout),
            };
        }
        let is_manual = approval_mode == ApprovalMode::Manual;
        let is_seen = || self.state.lock().subscribers.iter().any(|subscriber| subscriber.sees(request));
        match request {
            ServerRequest::Approval(_) if is_manual => Decision::Wait(approval_timeout),
            ServerRequest::UserInput(_) if is_seen() => Decision::Wait(user_input_timeout),
            ServerRequest::Permissions(_) | ServerRequest::Elicitation(_) if is_manual && is_seen() => {
                Decision::Wait(approval_timeout)
            }
            _ => Decision::Default,
        }
    }

    /// Processes a decoded request.
    fn take_in(
        &self,
        core: &Arc<Core>,
        request: ServerRequest,
        turn: Option<Arc<TurnLog>>,
        wakeups: &mut Wakeups,
    ) {
        let received = request.received();
        let (number, bytes) = (received.number, received.bytes());
        let default_answer = default_answer(&received.method);
        let has_room = self.has_room(bytes);
        // Without room no handler is looked up: this thread must not have the last handle on one.
        let decision = if has_room { self.decide(&request) } else { Decision::Default };
        let is_pending = !matches!(decision, Decision::Default);
        let request = KeptRequest::new(&self.kept, request, is_pending);
        let mut state = self.state.lock();
        if is_pending {
            if let Some(turn) = &turn {
                turn.hold();
            }
            let (request, default_answer) = (Arc::clone(&request), default_answer.clone());
            let pending =
                PendingRequest { request, turn, default_answer, deadline: None, is_being_answered: false };
            state.insert(number, pending);
        }
        if is_pending {
            wakeups.note_change(self.budget.notifier());
        }
        // What finds no room in a stream would be the first to be dropped from it.
        let seeing = state.subscribers.iter().filter(|subscriber| subscriber.sees(&request));
        match has_room {
            true => seeing.for_each(|subscriber| subscriber.show(&request, wakeups)),
            false => drop(self.dropped.fetch_add(seeing.count() as u64, Ordering::Relaxed)),
        }
        self.count(&state);
        drop(state);
        match decision {
            Decision::Run(handler) => self.run(core, number, request, handler, default_answer),
            Decision::Wait(Some(limit)) => self.start_clock(core, number, limit),
            Decision::Wait(None) => {}
            Decision::Default => {
                let received = request.received();
                let (level, reason) = match has_room {
                    false => (log::Level::Warn, "max_buffered_bytes was exceeded"),
                    true if is_as_good(&received.method) => (log::Level::Debug, "it has no handler"),
                    true => (log::Level::Warn, remedy(&received.method)),
                };
                self.refuse(core, received, &default_answer, level, reason);
            }
        }
    }

    /// Whether this many more bytes may be kept, if necessary after dropping answered requests from streams.
    fn has_room(&self, bytes: usize) -> bool {
        // All streams are searched, so not for the sake of a few bytes, again and again.
        self.budget.fits(bytes)
            || self.kept.is_worth_a_search() && {
                self.drop_answered();
                self.budget.fits(bytes)
            }
    }

    /// Drops unread requests that are no longer pending from the streams.
    fn drop_answered(&self) {
        let state = self.state.lock();
        let dropped: usize =
            state.subscribers.iter().map(|subscriber| subscriber.keep_only(KeptRequest::is_waiting)).sum();
        drop(state);
        self.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
        self.kept.was_searched();
    }

    /// Answers a request that never became pending.
    fn refuse(
        &self,
        core: &Core,
        received: &ReceivedRequest,
        answer: &Answer,
        level: log::Level,
        reason: &str,
    ) {
        core.log(level, || {
            let ReceivedRequest { id, method, .. } = received;
            let (method, id) = (Excerpt(method), id.to_string());
            format!("default answer to server request {method} (id {}): {reason}", Excerpt(&id))
        });
        if let Err(error) = core.answer(&received.id, answer) {
            core.log(log::Level::Error, || error.to_string());
        }
    }

    /// Runs a handler or a tool to answer a request.
    fn run(
        &self,
        core: &Arc<Core>,
        number: u64,
        request: Arc<KeptRequest>,
        handler: Handler,
        default_answer: Answer,
    ) {
        let Some(broker) = self.own.upgrade() else { return };
        let own_core = Arc::clone(core);
        let job = move || {
            // It may have had to wait for its thread.
            if !request.is_waiting() {
                return;
            }
            let answered = caught(|| request.answer(&handler(&request)));
            drop(request);
            // Queued: a logger that is slow or panics must not keep the answer back.
            let fail = |message: String| own_core.log(log::Level::Error, || message);
            let answer = match answered {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    fail(format!("a handler returned an invalid answer; sent the default answer: {error}"));
                    default_answer
                }
                Err(Panicked) => {
                    fail("a server request handler panicked; sent the default answer".to_owned());
                    default_answer
                }
            };
            match broker.answer(&own_core, number, |_| answer) {
                Ok(true) => {}
                Ok(false) => own_core.log(log::Level::Debug, || {
                    "a server request was withdrawn before its handler returned".to_owned()
                }),
                Err(error) => fail(format!("a handler's answer could not be sent: {error}")),
            }
        };
        if let Err(job) = core.run_callback(Box::new(job)) {
            core.drop_elsewhere(job);
            self.answer_by_default(core, number, "no thread could be started for its handler");
        }
    }

    /// Sends the default answer if the request is still pending at the limit.
    fn start_clock(&self, core: &Arc<Core>, number: u64, limit: Duration) {
        let Some(at) = Instant::now().checked_add(limit) else { return };
        if !self.answer_at(core, number, at) {
            self.answer_by_default(core, number, "its deadline can't be kept");
        }
    }

    /// Answers the request by default at that moment, and again and again while that can't be sent. `false`:
    /// there is no thread for it.
    fn answer_at(&self, core: &Arc<Core>, number: u64, at: Instant) -> bool {
        const AGAIN: Duration = Duration::from_secs(1);
        let (broker, weak_core) = (Weak::clone(&self.own), Arc::downgrade(core));
        let key = core.schedule(at, move || {
            let (Some(broker), Some(core)) = (broker.upgrade(), weak_core.upgrade()) else { return };
            broker.answer_by_default(&core, number, "it was not answered in time");
            if broker.state.lock().pending.contains_key(&number) {
                broker.answer_at(&core, number, Instant::now() + AGAIN);
            }
        });
        match (key, self.state.lock().pending.get_mut(&number)) {
            (key @ Some(_), Some(pending)) => pending.deadline = key,
            (Some(key), None) => core.cancel_scheduled(key),
            // The connection is closed, which also ends the request; or no thread could be started for the
            // timer.
            (None, _) => {}
        }
        key.is_some()
    }

    fn answer_by_default(&self, core: &Core, number: u64, reason: &str) {
        match self.answer(core, number, |pending| pending.default_answer.clone()) {
            Ok(true) => {
                core.log(log::Level::Warn, || format!("default answer to a server request: {reason}"))
            }
            Ok(false) => {}
            Err(error) => core.log(log::Level::Error, || error.to_string()),
        }
    }
}

impl Subsystem for Broker {
    fn notification(&self, core: &Arc<Core>, frame: &Frame<'_>, _: &mut Wakeups) {
        let Route { thread_id, turn_id, .. } = frame.route;
        match frame.method {
            // A thread that this client unloads goes on with its tools when it is resumed.
            "thread/closed"
                if thread_id.as_deref().is_some_and(|id| self.turns.threads().is_unloading(id)) => {}
            "thread/closed" | "thread/archived" | "thread/deleted" => {
                let tools = thread_id.as_deref().and_then(|thread_id| self.tools.put(thread_id, None));
                if let Some(tools) = tools {
                    core.drop_elsewhere(tools);
                }
            }
            _ if self.pending_count.load(Ordering::Acquire) == 0 => {}
            // Another client has answered it.
            "serverRequest/resolved" => {
                if let Some(id) = resolved_id(frame.text) {
                    let numbers = self.state.lock().by_id.get(&id).cloned();
                    self.withdraw(core, numbers.unwrap_or_default());
                }
            }
            "turn/completed" => {
                if let (Some(thread_id), Some(turn_id)) = (thread_id, turn_id) {
                    let numbers = self.state.lock().of_turn(thread_id, turn_id);
                    self.withdraw(core, numbers);
                }
            }
            // The end of the item is the only sign of an answer that the server does not report.
            "item/completed" if self.hides_answers.load(Ordering::Relaxed) => {
                let item_id = frame.route.body.and_then(item_id_of);
                if let (Some(thread_id), Some(turn_id), Some(item_id)) = (thread_id, turn_id, item_id) {
                    let numbers = self.state.lock().about_item(thread_id, turn_id, &item_id);
                    self.withdraw(core, numbers);
                }
            }
            _ => {}
        }
    }

    fn request(&self, core: &Arc<Core>, id: &RequestId, frame: &Frame<'_>, wakeups: &mut Wakeups) -> bool {
        let turn = self.turns.turn_of(frame.route);
        if let Some(turn) = &turn {
            turn.note_work();
        }
        let item_id: Option<String> =
            frame.route.item_id.and_then(|item_id| serde_json::from_str(item_id.get()).ok());
        let received = Received::new(ReceivedRequest {
            broker: self.id,
            number: self.next_number.fetch_add(1, Ordering::Relaxed),
            id: id.clone(),
            method: frame.method.to_owned(),
            thread_id: frame.route.thread_id.as_deref().map(str::to_owned),
            turn_id: frame.route.turn_id.as_deref().map(str::to_owned),
            text: frame.shared_text(),
            announced: turn.as_ref().zip(item_id).and_then(|(turn, item_id)| turn.announced(&item_id)),
        });
        let (request, warnings) = ServerRequest::read(&received);
        for warning in warnings {
            core.log(log::Level::Warn, || warning);
        }
        match request {
            Ok(request) => self.take_in(core, request, turn, wakeups),
            Err(error) => {
                let method = frame.method;
                // A request that can't be decoded can't be decided about, but it can be declined.
                let answer = match received.thread_id.is_some() && can_be_declined_unread(method) {
                    true => default_answer(method),
                    false => {
                        let error = error.to_string();
                        let message = format!(
                            "the parameters of {} can't be decoded: {}",
                            Excerpt(method),
                            Message(&error)
                        );
                        Err(Refusal { code: INVALID_PARAMS, message })
                    }
                };
                // Without the error, which may contain private data.
                self.refuse(core, &received, &answer, log::Level::Warn, "its parameters can't be decoded");
            }
        }
        true
    }

    fn ended(&self, core: &Core, reason: &Error) {
        let (pending, subscribers) = {
            let mut state = self.state.lock();
            state.by_id.clear();
            state.by_turn.clear();
            let pending = std::mem::take(&mut state.pending);
            self.count(&state);
            (pending, std::mem::take(&mut state.subscribers))
        };
        for subscriber in subscribers {
            subscriber.close(reason);
        }
        drop(pending);
        let (handlers, tools) = (std::mem::take(&mut *self.handlers.lock()), self.tools.take_all());
        if handlers.is_any() || !tools.is_empty() {
            core.drop_elsewhere((handlers, tools));
        }
    }
}

/// Pays with answered requests in unread streams.
impl Payer for Broker {
    fn kept_bytes(&self) -> usize {
        self.kept.droppable_bytes()
    }

    fn give_up(&self, _: Overrun) {
        self.drop_answered();
    }
}

impl BrokerState {
    fn insert(&mut self, number: u64, pending: PendingRequest) {
        self.by_id.entry(pending.request.received().id.clone()).or_default().insert(number);
        for turn in pending.turns() {
            self.by_turn.entry(turn).or_default().insert(number);
        }
        self.pending.insert(number, pending);
    }

    fn remove(&mut self, number: u64) -> Option<PendingRequest> {
        let pending = self.pending.remove(&number)?;
        remove_from(&mut self.by_id, &pending.request.received().id, number);
        for turn in pending.turns() {
            remove_from(&mut self.by_turn, &turn, number);
        }
        Some(pending)
    }

    fn of_turn(&self, thread_id: &str, turn_id: &str) -> BTreeSet<u64> {
        self.by_turn.get(&(thread_id.to_owned(), turn_id.to_owned())).cloned().unwrap_or_default()
    }

    fn about_item(&self, thread_id: &str, turn_id: &str, item_id: &str) -> BTreeSet<u64> {
        let mut numbers = self.of_turn(thread_id, turn_id);
        numbers.retain(|number| {
            self.pending.get(number).is_some_and(|pending| pending.request.received().is_about(item_id))
        });
        numbers
    }
}

fn remove_from<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

impl PendingRequest {
    /// The turns whose end withdraws the request: the one whose clock is stopped and, since another client
    /// may have started its turn, the one whose ids it names.
    fn turns(&self) -> Vec<(String, String)> {
        let received = self.request.received();
        let mut turns = Vec::new();
        if let (Some(thread_id), Some(turn_id)) = (&received.thread_id, &received.turn_id) {
            turns.push((thread_id.clone(), turn_id.clone()));
        }
        if let Some(turn) = &self.turn {
            let held = (turn.thread_id.clone(), turn.turn_id.clone());
            if !turns.contains(&held) {
                turns.push(held);
            }
        }
        turns
    }
}

/// `params.requestId` of `serverRequest/resolved`.
fn resolved_id(text: &str) -> Option<RequestId> {
    #[derive(Deserialize)]
    struct Resolved {
        params: ResolvedParams,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ResolvedParams {
        request_id: RequestId,
    }
    serde_json::from_str(text).ok().map(|Resolved { params }| params.request_id)
}

/// The id of an item.
fn item_id_of(item: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct ItemHead {
        id: String,
    }
    serde_json::from_str(item.get()).ok().map(|ItemHead { id }| id)
}
