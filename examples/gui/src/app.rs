//! The state of the window, and what happens to it: reports of calls, events, clicks.
//!
//! Relies on `worker`, `conversation` and `view`. Invariant: nothing here waits. What a click asks for is an
//! [`Action`], so that the views only read.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use codex_blocking::{
    ApprovalDecision, ApprovalPolicy, ApprovalRequest, ApprovalRequests, ChatContinuation, ChatRequest,
    Client, Error, ListThreads, Result, ServerRequest, ThreadConfig, ThreadHandle, Transcript,
    protocol::Thread,
};
use eframe::egui;

use crate::{
    backend::Backend,
    conversation::{Busy, Conversation, Drained},
    layout::DiffLayout,
    view,
    wake::Wake,
    worker::{Address, Report, Worker},
};

/// How much of a frame is for reading events.
const READING: Duration = Duration::from_millis(6);
/// The time before the first automatic attempt to connect again. It doubles with each one.
const FIRST_RETRY: Duration = Duration::from_secs(4);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// How many threads the history shows.
const LISTED: u32 = 50;

pub struct App {
    backend: Arc<Backend>,
    cwd: PathBuf,
    wake: Wake,
    worker: Worker,
    pub link: Link,
    pub conversations: Vec<Conversation>,
    pub selected: u64,
    pub history: History,
    pub asks: Vec<Ask>,
    last_key: u64,
    /// Counts the connections.
    connection: u64,
    /// Whether something has changed since the last frame.
    is_changed: bool,
}

/// The connection.
pub enum Link {
    Connecting { failures: u32 },
    Up { client: Client, approvals: ApprovalRequests, server: String },
    Down { reason: String, failures: u32, retry: Instant, wait: Duration },
}

#[derive(Default)]
pub struct History {
    pub threads: Vec<Thread>,
    pub is_loading: bool,
    pub error: Option<String>,
}

/// An approval that the user is asked for, as it is shown.
pub struct Ask {
    pub request: ApprovalRequest,
    pub diffs: Vec<DiffLayout>,
}

/// What a click asks for.
pub enum Action {
    New,
    Select(u64),
    Send,
    Interrupt,
    Decide {
        ask: usize,
        decision: ApprovalDecision,
    },
    Reconnect,
    Refresh,
    Open {
        thread_id: String,
        name: String,
    },
    /// Opens or folds an item of the selected conversation.
    Fold {
        item: usize,
        is_open: bool,
    },
}

impl App {
    pub fn new(ctx: &egui::Context, backend: Backend, cwd: PathBuf) -> App {
        let wake = Wake::new(ctx);
        let mut app = App {
            backend: Arc::new(backend),
            cwd,
            worker: Worker::new(&wake),
            wake,
            link: Link::Connecting { failures: 0 },
            conversations: vec![Conversation::new(0)],
            selected: 0,
            history: History::default(),
            asks: Vec::new(),
            last_key: 0,
            connection: 0,
            is_changed: true,
        };
        app.connect(0);
        app
    }

    // What arrives.

    fn connect(&mut self, failures: u32) {
        self.is_changed = true;
        self.link = Link::Connecting { failures };
        let (backend, wake) = (Arc::clone(&self.backend), self.wake.clone());
        self.worker.run(move || Report::Connected(backend.connect(wake)));
    }

    fn take_report(&mut self, report: Report) {
        self.is_changed = true;
        match report {
            Report::Connected(Ok((client, server))) => {
                self.connection += 1;
                self.link = Link::Up { approvals: client.approval_requests(), client, server };
                self.refresh();
                let known = self.conversations.iter().filter(|conversation| conversation.thread_id.is_some());
                for key in known.map(|conversation| conversation.key).collect::<Vec<_>>() {
                    self.load(key);
                }
            }
            Report::Connected(Err(error)) => {
                let Link::Connecting { failures } = self.link else { return };
                self.down(reason(&error), failures + 1);
            }
            Report::Listed(listed) => {
                self.history.is_loading = false;
                match listed {
                    Ok(threads) => self.history = History { threads, ..History::default() },
                    // What ended the connection is told once.
                    Err(error) if self.is_up() => self.history.error = Some(error.to_string()),
                    Err(_) => {}
                }
            }
            Report::Began { to, text, began } => {
                let is_current = to.connection == self.connection;
                let Some(conversation) = self.find(to.key) else { return self.worker.discard(began) };
                if is_current {
                    conversation.busy = None;
                }
                match began {
                    Ok((thread, events)) => {
                        conversation.thread_id = Some(thread.thread_id().to_owned());
                        conversation.turn = Some(events);
                        match is_current {
                            true => conversation.thread = Some(thread),
                            false => self.worker.discard(thread),
                        }
                    }
                    Err(error) => {
                        conversation.error = Some(error.to_string());
                        // It was not sent.
                        if conversation.draft.is_empty() {
                            conversation.draft = text;
                        }
                    }
                }
            }
            Report::Opened { to, opened } => {
                let is_current = to.connection == self.connection;
                let conversation = self.find(to.key).filter(|_| is_current);
                let Some(conversation) = conversation else { return self.worker.discard(opened) };
                conversation.busy = None;
                match opened {
                    Ok((thread, history)) => {
                        conversation.thread = Some(thread);
                        conversation.error = None;
                        conversation.replace(history);
                    }
                    Err(error) => conversation.error = Some(error.to_string()),
                }
            }
        }
    }

    fn is_up(&self) -> bool {
        matches!(&self.link, Link::Up { client, .. } if client.ended().is_none())
    }

    /// Waits before the next attempt to connect, and lets go of what belonged to the old connection.
    fn down(&mut self, reason: String, failures: u32) {
        self.is_changed = true;
        let wait = FIRST_RETRY.saturating_mul(1 << failures.min(10)).min(LAST_RETRY);
        let down = Link::Down { reason, failures, retry: Instant::now() + wait, wait };
        let old = std::mem::replace(&mut self.link, down);
        let threads: Vec<_> = self.conversations.iter_mut().filter_map(|c| c.thread.take()).collect();
        let asks = std::mem::take(&mut self.asks);
        self.worker.discard((threads, asks));
        if let Link::Up { client, approvals, .. } = old {
            self.worker.discard((client, approvals));
        }
    }

    fn read_streams(&mut self) {
        let until = Instant::now() + READING;
        let mut is_over = false;
        for at in 0..self.conversations.len() {
            let revision = self.conversations[at].transcript.revision();
            let drained = self.conversations[at].drain(until);
            self.is_changed |= self.conversations[at].transcript.revision() != revision;
            match drained {
                Drained::Nothing => {}
                Drained::More => self.wake.wake(),
                Drained::Ended(events, token) => {
                    (is_over, self.is_changed) = (true, true);
                    self.worker.discard(events);
                    if let Some(token) = token {
                        self.read_on(at, token);
                    }
                }
            }
        }
        if is_over {
            self.refresh();
        }
    }

    /// Reads a turn on that was silent for long: the user decides how long to wait.
    fn read_on(&mut self, at: usize, token: ChatContinuation) {
        let Link::Up { client, .. } = &self.link else { return };
        let conversation = &mut self.conversations[at];
        let Some(thread) = conversation.thread.clone() else { return };
        let to = Address { key: conversation.key, connection: self.connection };
        let client = client.clone();
        conversation.busy = Some(Busy::Starting);
        self.worker.run(move || {
            let began = client.chat_events(token).map(|events| (thread, Box::new(events)));
            Report::Began { to, text: String::new(), began }
        });
    }

    fn read_link(&mut self) {
        match &mut self.link {
            Link::Up { client, approvals, .. } => {
                while let Some(request) = approvals.try_next() {
                    self.is_changed = true;
                    self.asks.push(Ask::new(request));
                }
                if !self.asks.is_empty() {
                    // Some were perhaps answered by the end of their turn.
                    let pending = client.pending();
                    let count = self.asks.len();
                    self.asks.retain(|ask| pending.iter().any(|other| is_same(&ask.request, other)));
                    self.is_changed |= self.asks.len() != count;
                }
                if let Some(error) = client.ended() {
                    self.down(reason(&error), 0);
                }
            }
            Link::Down { retry, failures, .. } => {
                let (retry, failures) = (*retry, *failures);
                if Instant::now() >= retry {
                    self.connect(failures);
                } else {
                    self.wake.wake_at(retry);
                }
            }
            Link::Connecting { .. } => {}
        }
    }

    // What the user asks for.

    fn act(&mut self, action: Action) {
        match action {
            Action::New => {
                // One that is empty is as good.
                let empty = self.conversations.iter().find(|c| c.thread_id.is_none() && c.busy.is_none());
                self.selected = match empty {
                    Some(conversation) => conversation.key,
                    None => {
                        let key = self.next_key();
                        self.conversations.push(Conversation::new(key));
                        key
                    }
                };
            }
            Action::Select(key) => {
                self.selected = key;
                self.selected_mut().wants_focus = true;
            }
            Action::Send => self.send(),
            Action::Interrupt => self.selected_mut().interrupt(),
            Action::Decide { ask, decision } => self.decide(ask, decision),
            Action::Reconnect => self.connect(0),
            Action::Refresh => self.refresh(),
            Action::Open { thread_id, name } => {
                let key = self.next_key();
                // Takes the place of an empty one.
                self.conversations
                    .retain(|c| c.thread_id.is_some() || c.busy.is_some() || !c.draft.is_empty());
                self.conversations.push(Conversation::opening(key, thread_id, name));
                self.selected = key;
                self.load(key);
            }
            Action::Fold { item, is_open } => {
                if let Some(item) = self.selected_mut().layout.items.get_mut(item) {
                    item.is_open = Some(is_open);
                }
            }
        }
    }

    fn send(&mut self) {
        let Link::Up { client, .. } = &self.link else { return };
        let (client, config, backend) = (client.clone(), self.config(), Arc::clone(&self.backend));
        let connection = self.connection;
        let conversation = self.selected_mut();
        let text = conversation.draft.trim().to_owned();
        if text.is_empty() || conversation.is_running() || conversation.busy.is_some() {
            return;
        }
        conversation.draft.clear();
        conversation.wants_end = true;
        conversation.error = None;
        conversation.busy = Some(Busy::Starting);
        let (thread, thread_id) = (conversation.thread.clone(), conversation.thread_id.clone());
        let to = Address { key: conversation.key, connection };
        self.worker.run(move || {
            let thread = match (thread, thread_id) {
                (Some(thread), _) => Ok(thread),
                (None, Some(id)) => backend.resume(&client, &id, config),
                (None, None) => backend.start(&client, config),
            };
            // The transcript has the steps.
            let request = ChatRequest::new(text.as_str()).keep_steps(false);
            let began =
                thread.and_then(|thread| Ok((thread.clone(), Box::new(thread.chat_events(request)?))));
            Report::Began { to, text, began }
        });
    }

    /// Loads the thread of a conversation over the current connection.
    fn load(&mut self, key: u64) {
        let Link::Up { client, .. } = &self.link else { return };
        let (client, config, backend) = (client.clone(), self.config(), Arc::clone(&self.backend));
        let to = Address { key, connection: self.connection };
        let Some(conversation) = self.find(key) else { return };
        let Some(id) = conversation.thread_id.clone() else { return };
        conversation.busy = Some(Busy::Opening);
        let old = conversation.thread.take();
        self.worker.discard(old);
        self.worker.run(move || {
            let open = || -> Result<(ThreadHandle, Transcript)> {
                let thread = backend.resume(&client, &id, config)?;
                let history = Transcript::from_turns(&thread.read(true)?.thread.turns);
                Ok((thread, history))
            };
            Report::Opened { to, opened: open() }
        });
    }

    fn refresh(&mut self) {
        let Link::Up { client, .. } = &self.link else { return };
        if std::mem::replace(&mut self.history.is_loading, true) {
            return;
        }
        let client = client.clone();
        self.worker.run(move || {
            let listed = client.list_threads(ListThreads::new().limit(LISTED));
            Report::Listed(listed.map(|reply| reply.data.clone()))
        });
    }

    fn decide(&mut self, ask: usize, decision: ApprovalDecision) {
        let Link::Up { client, .. } = &self.link else { return };
        if ask >= self.asks.len() {
            return;
        }
        let Ask { request, .. } = self.asks.remove(ask);
        // It queues the answer and does not wait.
        if let Err(error) = client.respond_approval(&request, decision) {
            self.selected_mut().error = Some(error.to_string());
        }
    }

    fn config(&self) -> ThreadConfig {
        ThreadConfig::new().cwd(self.cwd.clone()).approval_policy(ApprovalPolicy::OnRequest)
    }

    fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    fn find(&mut self, key: u64) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|conversation| conversation.key == key)
    }

    /// The conversation that is shown; there always is one.
    pub fn selected_mut(&mut self) -> &mut Conversation {
        let at = self.conversations.iter().position(|conversation| conversation.key == self.selected);
        &mut self.conversations[at.unwrap_or(0)]
    }

    /// Whether the approval belongs to the conversation. One of a thread that no conversation has (that of a
    /// sub-agent) is shown in all.
    pub fn belongs(&self, ask: &Ask, conversation: &Conversation) -> bool {
        let id = ask.request.thread_id();
        let has_it = |conversation: &Conversation| conversation.thread_id.as_deref() == Some(id);
        has_it(conversation) || !self.conversations.iter().any(has_it)
    }
}

impl Ask {
    fn new(request: ApprovalRequest) -> Ask {
        let diffs = match &request {
            ApprovalRequest::FileChange(request) => {
                request.changes.iter().flatten().map(DiffLayout::of).collect()
            }
            _ => Vec::new(),
        };
        Ask { request, diffs }
    }
}

/// Why a connection ended, without the call that noticed.
fn reason(error: &Error) -> String {
    match error {
        Error::Transport { failure, .. } => failure.to_string(),
        _ => error.to_string(),
    }
}

fn is_same(request: &ApprovalRequest, other: &ServerRequest) -> bool {
    matches!(other, ServerRequest::Approval(other) if other.request_id() == request.request_id())
}

impl eframe::App for App {
    fn logic(&mut self, _: &egui::Context, _: &mut eframe::Frame) {
        self.wake.frame_begins();
        for report in self.worker.reports() {
            self.take_report(report);
        }
        self.read_streams();
        self.read_link();
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let mut actions = Vec::new();
        let is_settled = view::show(self, ui, &mut actions);
        // Some parts have their size only in the frame after the one in which they appear.
        let is_changed = std::mem::take(&mut self.is_changed) || !actions.is_empty();
        for action in actions {
            self.act(action);
        }
        if is_changed || !is_settled {
            self.wake.wake();
        }
    }
}
