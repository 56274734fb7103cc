//! What a turn said and did not reach this client: asked of the server afterwards.
//!
//! Relies on `control`. Invariant: asking is a courtesy; a server that can't answer (the thread is
//! ephemeral, the method is not there) leaves things as they are.

use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::control::Control;
use crate::{connection::Reply, error::Result};

/// A turn as the server has stored it.
#[derive(Deserialize)]
struct Stored {
    id: String,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
}

/// The items of the turn, oldest first; none if the server does not tell them.
pub(super) fn fetch_items(control: &Control) -> Vec<Box<RawValue>> {
    let from_list = fetch(control, "thread/turns/list", |reply| {
        #[derive(Deserialize)]
        struct Page {
            data: Vec<Stored>,
        }
        reply.decode("thread/turns/list").map(|Page { data }| data)
    });
    // Servers without that method, and threads of the old kind, are read whole.
    let stored = from_list.or_else(|| {
        fetch(control, "thread/read", |reply| {
            #[derive(Deserialize)]
            struct Read {
                thread: Thread,
            }
            #[derive(Deserialize)]
            struct Thread {
                #[serde(default)]
                turns: Vec<Stored>,
            }
            reply.decode("thread/read").map(|Read { thread }| thread.turns)
        })
    });
    stored.map(|stored| stored.items).unwrap_or_default()
}

fn fetch(
    control: &Control,
    method: &str,
    turns_of: impl FnOnce(Reply) -> Result<Vec<Stored>>,
) -> Option<Stored> {
    let thread_id = &control.log().thread_id;
    let params = match method {
        "thread/read" => json!({ "threadId": thread_id, "includeTurns": true }),
        // Newest first: the turn that has just ended is among the first few.
        _ => json!({ "threadId": thread_id, "limit": 10, "itemsView": "full" }),
    };
    let turns = control.connection().request(method, params, control.deadline()).and_then(turns_of);
    match turns {
        Ok(turns) => turns.into_iter().find(|turn| turn.id == control.log().turn_id),
        Err(error) => {
            log::debug!("the items of turn {} can't be asked for: {error}", control.log().turn_id);
            None
        }
    }
}
