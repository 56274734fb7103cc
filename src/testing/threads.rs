//! The scripted server's threads, and the requests about them.
//!
//! Relies on serde_json. Invariant: a response contains every field that the real type requires.

use serde_json::{Value, json};

/// An error response: a JSON-RPC code and a message.
pub(super) type Refused = (i64, String);

/// The stored threads, and the counter for ids.
#[derive(Default)]
pub(super) struct Threads {
    /// Oldest first.
    threads: Vec<Thread>,
    ids: u64,
}

pub(super) struct Thread {
    id: String,
    forked_from: Option<String>,
    name: Option<String>,
    is_archived: bool,
    /// Oldest first.
    turns: Vec<Value>,
    /// The tokens of all turns.
    tokens: u64,
    /// Whether it is closed as soon as it is unsubscribed.
    closes_at_once: bool,
}

impl Threads {
    pub(super) fn next_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}-{}", self.ids)
    }

    /// Answers a request about threads; returns `None` for any other method. `loaded` lists the threads
    /// loaded over this connection.
    pub(super) fn answer(
        &mut self,
        method: &str,
        params: &Value,
        loaded: &mut Vec<String>,
    ) -> Option<Result<Value, Refused>> {
        let id = params["threadId"].as_str().unwrap_or_default();
        Some(match method {
            "thread/start" => {
                let id = self.add(None, Vec::new());
                self.opened(&id, params, loaded)
            }
            "thread/resume" => self.opened(id, params, loaded),
            "thread/fork" => match self.known(id).map(|source| source.turns.clone()) {
                Ok(mut turns) => match cut(&mut turns, params) {
                    Ok(()) => {
                        let id = self.add(Some(id), turns);
                        self.opened(&id, params, loaded)
                    }
                    Err(refused) => Err(refused),
                },
                Err(refused) => Err(refused),
            },
            "thread/read" => {
                let shows_turns = params["includeTurns"] == true;
                self.known(id).map(|thread| json!({ "thread": thread.shown(shows_turns) }))
            }
            "thread/list" => {
                let is_archived = params["archived"] == true;
                let stored = self.threads.iter().rev().filter(|thread| thread.is_archived == is_archived);
                let data: Vec<_> =
                    stored.filter(|thread| !thread.turns.is_empty()).map(|t| t.shown(false)).collect();
                page(data, params, 25)
            }
            "thread/loaded/list" => Ok(json!({ "data": loaded, "nextCursor": null })),
            "thread/turns/list" => self.known(id).and_then(|thread| {
                let mut turns = thread.turns.clone();
                if params["sortDirection"] != "asc" {
                    turns.reverse();
                }
                page(turns, params, 100)
            }),
            "thread/revert" => self.known(id).and_then(|thread| {
                let first = thread.turns.iter().position(|turn| turn["id"] == params["beforeTurnId"]);
                let first = first.ok_or_else(|| (-32600, "turn not found".to_owned()))?;
                thread.turns.truncate(first);
                Ok(json!({ "thread": thread.shown(false) }))
            }),
            "thread/name/set" => self.known(id).map(|thread| {
                thread.name = params["name"].as_str().map(str::to_owned);
                json!({})
            }),
            "thread/archive" => self.known(id).map(|thread| {
                thread.is_archived = true;
                loaded.retain(|known| known != id);
                json!({})
            }),
            "thread/unsubscribe" => {
                let status =
                    if loaded.iter().any(|known| known == id) { "unsubscribed" } else { "notLoaded" };
                if self.known(id).is_ok_and(|thread| thread.closes_at_once) {
                    loaded.retain(|known| known != id);
                }
                Ok(json!({ "status": status }))
            }
            "thread/unarchive" => self.known(id).map(|thread| {
                thread.is_archived = false;
                json!({ "thread": thread.shown(false) })
            }),
            _ => return None,
        })
    }

    pub(super) fn known(&mut self, id: &str) -> Result<&mut Thread, Refused> {
        let known = self.threads.iter_mut().find(|thread| thread.id == id);
        known.ok_or_else(|| (-32600, format!("thread not found: {id}")))
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

    fn add(&mut self, source: Option<&str>, turns: Vec<Value>) -> String {
        let id = self.next_id("thread");
        let forked_from = source.map(str::to_owned);
        self.threads.push(Thread {
            id: id.clone(),
            forked_from,
            name: None,
            is_archived: false,
            turns,
            tokens: 0,
            closes_at_once: false,
        });
        id
    }

    /// The response to a request that loads a thread.
    fn opened(&mut self, id: &str, params: &Value, loaded: &mut Vec<String>) -> Result<Value, Refused> {
        let thread = self.known(id)?;
        if thread.is_archived {
            return Err((-32600, format!("session {id} is archived")));
        }
        if !loaded.iter().any(|known| known == id) {
            thread.closes_at_once = params["config"]["thread_unload_delay_secs"] == 0;
        }
        if !loaded.iter().any(|known| known == id) {
            loaded.push(id.to_owned());
        }
        Ok(json!({
            "thread": thread.shown(params["excludeTurns"] != true), "model": "scripted",
            "modelProvider": "scripted", "cwd": "/workspace",
            "approvalPolicy": "never", "approvalsReviewer": "user", "sandbox": { "type": "readOnly" },
        }))
    }
}

/// A page of a list, whose cursor is the number of entries before it.
fn page(entries: Vec<Value>, params: &Value, size: usize) -> Result<Value, Refused> {
    let first = match params["cursor"].as_str() {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| (-32600, format!("invalid cursor: {cursor}")))?,
    };
    let size = params["limit"].as_u64().map_or(size, |limit| limit.clamp(1, 100) as usize);
    let next = entries.len().saturating_sub(first) > size;
    let data: Vec<_> = entries.into_iter().skip(first).take(size).collect();
    Ok(json!({ "data": data, "nextCursor": next.then(|| (first + size).to_string()) }))
}

/// Cuts the turns of a fork after its `lastTurnId`, or before its `beforeTurnId`.
fn cut(turns: &mut Vec<Value>, params: &Value) -> Result<(), Refused> {
    for (name, kept) in [("lastTurnId", 1), ("beforeTurnId", 0)] {
        let Some(id) = params[name].as_str() else { continue };
        let found = turns.iter().position(|turn| turn["id"] == id);
        turns.truncate(found.ok_or_else(|| (-32600, "turn not found".to_owned()))? + kept);
    }
    Ok(())
}

impl Thread {
    /// The user's first text.
    fn preview(&self) -> &str {
        let first = self.turns.first().and_then(|turn| turn["items"].as_array()).into_iter().flatten();
        let mut said = first.filter_map(|item| item["content"][0]["text"].as_str());
        said.next().unwrap_or_default()
    }

    fn shown(&self, with_turns: bool) -> Value {
        let turns: &[Value] = if with_turns { &self.turns } else { &[] };
        json!({
            "id": self.id, "sessionId": self.id, "forkedFromId": self.forked_from, "name": self.name,
            "preview": self.preview(), "ephemeral": false, "modelProvider": "scripted", "createdAt": 0, "updatedAt": 0,
            "status": { "type": "idle" }, "cwd": "/workspace", "cliVersion": "0.169.0", "source": "vscode",
            "projectId": null, "historyMode": "paginated", "turns": turns,
        })
    }
}
