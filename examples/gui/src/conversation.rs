//! One conversation: its transcript, and the turn that runs in it.
//!
//! Relies on `layout`. Invariant: reading never waits; the stream of a turn is dropped when its end was read.

use std::time::Instant;

use codex_blocking::{ChatContinuation, ChatEvents, Error, ThreadHandle, Transcript, protocol::TurnStatus};

use crate::layout::Layout;

pub struct Conversation {
    /// Tells conversations apart, also those whose thread does not exist yet.
    pub key: u64,
    pub thread_id: Option<String>,
    /// While the thread is loaded over the current connection.
    pub thread: Option<ThreadHandle>,
    name: Option<String>,
    pub transcript: Transcript,
    pub layout: Layout,
    /// The running turn.
    pub turn: Option<Box<ChatEvents>>,
    /// Whether an interrupt was requested.
    pub is_stopping: bool,
    /// The call that the conversation waits for.
    pub busy: Option<Busy>,
    /// Why the last call failed.
    pub error: Option<String>,
    pub draft: String,
    /// Whether the draft is to get the keys, because the conversation was just selected.
    pub wants_focus: bool,
    /// Whether the end is to be shown, because something was sent.
    pub wants_end: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// A turn is being started.
    Starting,
    /// The thread is being loaded.
    Opening,
}

/// What a conversation needs after its events were read.
pub enum Drained {
    Nothing,
    /// There is more to read than fitted into the frame.
    More,
    /// The turn has ended, or has fallen silent and can be read on with the token.
    Ended(Box<ChatEvents>, Option<ChatContinuation>),
}

impl Conversation {
    pub fn new(key: u64) -> Conversation {
        Conversation {
            key,
            thread_id: None,
            thread: None,
            name: None,
            transcript: Transcript::default(),
            layout: Layout::default(),
            turn: None,
            is_stopping: false,
            busy: None,
            error: None,
            draft: String::new(),
            wants_focus: true,
            wants_end: false,
        }
    }

    /// A conversation of the history, which is being opened.
    pub fn opening(key: u64, thread_id: String, name: String) -> Conversation {
        let (thread_id, name) = (Some(thread_id), Some(name));
        Conversation { thread_id, name, busy: Some(Busy::Opening), ..Conversation::new(key) }
    }

    /// A line for the list.
    pub fn title(&self) -> String {
        let said = self.transcript.items().iter().find(|item| item.kind == "userMessage");
        let title = self.name.as_deref().or(said.map(|item| item.text.as_str()));
        let title = title.and_then(|title| title.lines().find(|line| !line.trim().is_empty()));
        title.map_or("New conversation".to_owned(), |title| title.chars().take(80).collect())
    }

    pub fn is_running(&self) -> bool {
        self.turn.is_some() || self.busy == Some(Busy::Starting)
    }

    /// Shows what the server has of the thread, if that is more: of a turn that it did not finish, a server that crashed
    /// has less than was shown.
    pub fn replace(&mut self, history: Transcript) {
        let is_more = match self.transcript.turns().last() {
            Some(last) => {
                let later = history.turns().iter().skip_while(|turn| turn.id != last.id);
                let mut later = later.map(|turn| &turn.status);
                later.next() == Some(&TurnStatus::Completed) || later.next().is_some()
            }
            None => true,
        };
        if is_more {
            self.transcript = history;
            self.layout = Layout::default();
        }
    }

    /// Reads what has arrived, until the time is over.
    pub fn drain(&mut self, until: Instant) -> Drained {
        let Some(events) = &mut self.turn else { return Drained::Nothing };
        while let Some(event) = events.try_next() {
            self.transcript.apply(&event);
            if Instant::now() >= until {
                return Drained::More;
            }
        }
        match self.turn.take_if(|events| events.is_ended()) {
            Some(events) => {
                self.is_stopping = false;
                let token = match events.error() {
                    Some(Error::TurnInactive { continuation, .. }) => Some(continuation.clone()),
                    _ => None,
                };
                Drained::Ended(events, token)
            }
            None => Drained::Nothing,
        }
    }

    /// Has the running turn interrupted; its end comes as an event.
    pub fn interrupt(&mut self) {
        if let Some(events) = &self.turn {
            events.handle().request_interrupt();
            self.is_stopping = true;
        }
    }
}
