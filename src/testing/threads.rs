//! The scripted server's stored threads, and what requests show of them.
//!
//! Relies on serde_json. Invariant: a response contains every field that the real type requires.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// An error response: a JSON-RPC code and a message.
pub(super) type Refused = (i64, String);

/// The number of a connection.
pub(super) type ConnectionId = u64;

/// The stored threads, and the counter for ids.
#[derive(Default)]
pub(super) struct Threads {
    /// Oldest first.
    threads: Vec<Thread>,
    ids: u64,
}

pub(super) struct Thread {
    pub(super) id: String,
    forked_from: Option<String>,
    name: Option<String>,
    pub(super) is_archived: bool,
    pub(super) is_loaded: bool,
    /// The connections that get the events of its turns.
    pub(super) subscribers: BTreeSet<ConnectionId>,
    /// The turns that have ended, oldest first.
    pub(super) turns: Vec<Value>,
    /// The tokens of all turns.
    tokens: u64,
    /// Whether it is closed once nobody subscribes to it.
    closes_at_once: bool,
}

/// A running turn, as far as a thread shows it.
pub(super) struct Running {
    /// As in a list of turns, with all its items.
    pub(super) turn: Value,
    /// What the thread waits for: `waitingOnApproval` or `waitingOnUserInput`.
    pub(super) flags: Vec<&'static str>,
}

impl Threads {
    pub(super) fn next_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}-{}", self.ids)
    }

    pub(super) fn known(&mut self, id: &str) -> Result<&mut Thread, Refused> {
        let known = self.threads.iter_mut().find(|thread| thread.id == id);
        known.ok_or_else(|| not_found(id))
    }

    /// A thread in which a turn can be started.
    pub(super) fn loaded(&mut self, id: &str) -> Result<&mut Thread, Refused> {
        self.known(id).and_then(|thread| if thread.is_loaded { Ok(thread) } else { Err(not_found(id)) })
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Thread> {
        self.threads.iter()
    }

    /// Counts the tokens of a turn, and returns the total of its thread.
    pub(super) fn count_tokens(&mut self, id: &str, tokens: u64) -> u64 {
        self.known(id).map_or(tokens, |thread| {
            thread.tokens += tokens;
            thread.tokens
        })
    }

    /// Stores a turn that has ended.
    pub(super) fn store(&mut self, id: &str, turn: Value) {
        if let Ok(thread) = self.known(id) {
            thread.turns.push(turn);
        }
    }

    pub(super) fn add(&mut self, source: Option<&str>, turns: Vec<Value>) -> String {
        let id = self.next_id("thread");
        let forked_from = source.map(str::to_owned);
        self.threads.push(Thread {
            id: id.clone(),
            forked_from,
            name: None,
            is_archived: false,
            is_loaded: false,
            subscribers: BTreeSet::new(),
            turns,
            tokens: 0,
            closes_at_once: false,
        });
        id
    }

    /// A connection ends. Returns the threads that it was subscribed to.
    pub(super) fn forget_subscriber(&mut self, connection: ConnectionId) -> Vec<String> {
        let subscribed = self
            .threads
            .iter_mut()
            .filter_map(|thread| thread.subscribers.remove(&connection).then(|| thread.id.clone()));
        subscribed.collect()
    }

    pub(super) fn unload_all(&mut self) {
        for thread in &mut self.threads {
            thread.is_loaded = false;
            thread.subscribers.clear();
        }
    }
}

/// Cuts the turns of a fork after its `lastTurnId`, or before its `beforeTurnId`.
pub(super) fn cut(turns: &mut Vec<Value>, params: &Value) -> Result<(), Refused> {
    for (name, kept) in [("lastTurnId", 1), ("beforeTurnId", 0)] {
        let Some(id) = params[name].as_str() else { continue };
        let found = turns.iter().position(|turn| turn["id"] == id);
        turns.truncate(found.ok_or_else(|| (-32600, "turn not found".to_owned()))? + kept);
    }
    Ok(())
}

impl Thread {
    /// Loads it and subscribes a connection to it.
    pub(super) fn open(&mut self, params: &Value, connection: ConnectionId) -> Result<(), Refused> {
        if self.is_archived {
            return Err((-32600, format!("session {} is archived", self.id)));
        }
        if !self.is_loaded {
            self.is_loaded = true;
            self.closes_at_once = params["config"]["thread_unload_delay_secs"] == 0;
        }
        self.subscribers.insert(connection);
        Ok(())
    }

    /// Unloads it if nobody subscribes to it any more. Returns whether that happened.
    pub(super) fn close_if_unused(&mut self) -> bool {
        let closes = self.is_loaded && self.closes_at_once && self.subscribers.is_empty();
        self.is_loaded &= !closes;
        closes
    }

    pub(super) fn set_name(&mut self, name: Option<&str>) {
        self.name = name.map(str::to_owned);
    }

    /// The response to a request that loads a thread.
    pub(super) fn opened(&self, params: &Value, running: Option<&Running>) -> Value {
        json!({
            "thread": self.shown(params["excludeTurns"] != true, running), "model": "scripted",
            "modelProvider": "scripted", "cwd": "/workspace",
            "approvalPolicy": "never", "approvalsReviewer": "user", "sandbox": { "type": "readOnly" },
        })
    }

    /// The turns, oldest first, with the one that runs.
    pub(super) fn all_turns(&self, running: Option<&Running>) -> Vec<Value> {
        self.turns.iter().chain(running.map(|running| &running.turn)).cloned().collect()
    }

    /// The user's first text.
    fn preview(&self) -> &str {
        let first = self.turns.first().and_then(|turn| turn["items"].as_array()).into_iter().flatten();
        let mut said = first.filter_map(|item| item["content"][0]["text"].as_str());
        said.next().unwrap_or_default()
    }

    pub(super) fn shown(&self, with_turns: bool, running: Option<&Running>) -> Value {
        let turns = if with_turns { self.all_turns(running) } else { Vec::new() };
        let status = match running {
            _ if !self.is_loaded => json!({ "type": "notLoaded" }),
            Some(running) => json!({ "type": "active", "activeFlags": running.flags }),
            None => json!({ "type": "idle" }),
        };
        json!({
            "id": self.id, "sessionId": self.id, "forkedFromId": self.forked_from, "name": self.name,
            "preview": self.preview(), "ephemeral": false, "modelProvider": "scripted", "createdAt": 0, "updatedAt": 0,
            "status": status, "cwd": "/workspace", "cliVersion": "0.169.0", "source": "vscode",
            "projectId": null, "historyMode": "paginated", "turns": turns,
        })
    }
}

fn not_found(id: &str) -> Refused {
    (-32600, format!("thread not found: {id}"))
}

/// A page of a list whose entries have ids, by `limit`, `cursor` and `sortDirection`. The list is sorted by age, oldest
/// first.
pub(super) fn page(mut entries: Vec<Value>, params: &Value) -> Result<Value, Refused> {
    const DEFAULT: u64 = 25;
    const MOST: u64 = 100;
    if params["sortDirection"] != "asc" {
        entries.reverse();
    }
    let id = |entry: &Value| entry.as_str().or(entry["id"].as_str()).unwrap_or_default().to_owned();
    let start = match params["cursor"].as_str() {
        None => 0,
        // It names the last entry of the page before, so that new entries move nothing.
        Some(cursor) => match entries.iter().position(|entry| id(entry) == cursor) {
            Some(last) => last + 1,
            None => return Err((-32600, format!("invalid cursor: {cursor}"))),
        },
    };
    let limit = params["limit"].as_u64().unwrap_or(DEFAULT).clamp(1, MOST);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let rest = entries.split_off(start);
    let has_more = rest.len() > limit;
    let data: Vec<Value> = rest.into_iter().take(limit).collect();
    let next = data.last().filter(|_| has_more).map(id);
    Ok(json!({ "data": data, "nextCursor": next }))
}

/// A turn with the items that a list shows.
pub(super) fn with_items(mut turn: Value, view: &Value) -> Value {
    let items = turn["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let is = |kind: &'static str| move |item: &&Value| item["type"] == kind;
    let (view, items) = match view.as_str() {
        Some("full") => ("full", items),
        Some("notLoaded") => ("notLoaded", Vec::new()),
        _ => {
            let first = items.iter().find(is("userMessage"));
            let last = items.iter().rev().find(is("agentMessage"));
            ("summary", first.into_iter().chain(last).cloned().collect())
        }
    };
    turn["items"] = items.into();
    turn["itemsView"] = view.into();
    turn
}
