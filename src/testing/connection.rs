//! A connection of a scripted server.
//!
//! Relies on crossbeam channels and `hub`. Invariant: everything is sent on the thread of its own connection, in the order
//! in which the hub put it into the outbox.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use serde_json::{Value, json};

use super::{
    hub::Sent,
    server::{ScriptedServer, TurnRequest},
};
use crate::transport::Peer;

/// The server's view of a client connection.
pub(super) trait ServerWire {
    /// Waits for the next message of the client, or for one to send to it.
    fn wait(&mut self, outbox: &Receiver<Sent>) -> Waited;

    fn send(&mut self, message: &str);

    /// Waits for the next message of the client; `None` once it has disconnected.
    fn recv(&mut self) -> Option<String> {
        // Nothing is ever sent.
        let (_keep, nothing) = unbounded();
        match self.wait(&nothing) {
            Waited::Message(message) => Some(message),
            Waited::ToSend(_) | Waited::Ended => None,
        }
    }
}

/// What a connection has waited for.
pub(super) enum Waited {
    Message(String),
    ToSend(Sent),
    /// The client has disconnected.
    Ended,
}

impl ServerWire for Peer {
    fn wait(&mut self, outbox: &Receiver<Sent>) -> Waited {
        let incoming = self.incoming();
        select! {
            recv(incoming) -> message => match message {
                Ok(message) => Waited::Message(String::from_utf8_lossy(&message).into_owned()),
                Err(_) => Waited::Ended,
            },
            recv(outbox) -> sent => sent.map_or(Waited::Ended, Waited::ToSend),
        }
    }

    fn send(&mut self, message: &str) {
        Peer::send(self, message);
    }
}

/// Serves a connection until it ends.
pub(super) fn serve(server: &ScriptedServer, mut peer: impl ServerWire) {
    let (to_client, outbox) = unbounded::<Sent>();
    let id = server.hub().lock().connect(to_client.clone());
    let connection = Connection { server, id, to_client };
    'open: loop {
        match peer.wait(&outbox) {
            Waited::Message(message) => connection.message(&message),
            Waited::ToSend(Sent::Text(text)) => peer.send(&text),
            Waited::ToSend(Sent::End) | Waited::Ended => break,
        }
        // A turn plays in parts, so that a long one is not kept in memory as a whole.
        loop {
            let is_playing = server.hub().lock().play();
            while let Ok(sent) = outbox.try_recv() {
                match sent {
                    Sent::Text(text) => peer.send(&text),
                    Sent::End => break 'open,
                }
            }
            if !is_playing {
                break;
            }
        }
    }
    server.hub().lock().disconnect(id);
}

struct Connection<'a> {
    server: &'a ScriptedServer,
    id: u64,
    to_client: Sender<Sent>,
}

impl Connection<'_> {
    fn message(&self, message: &str) {
        let Ok(message) = serde_json::from_str::<Value>(message) else { return };
        self.server.keep_received(&message);
        match (message["method"].as_str(), message.get("id")) {
            (Some(method), Some(id)) => self.request(method, id, &message["params"]),
            (None, Some(id)) => self.server.hub().lock().answered(id),
            _ => {}
        }
    }

    fn request(&self, method: &str, id: &Value, params: &Value) {
        // Handlers and scripts are the program's code: no lock is held.
        if let Some(outcome) = self.server.handled(method, params) {
            let reply = match outcome {
                Ok(result) => json!({ "id": id, "result": result }),
                Err((code, message)) => json!({ "error": { "code": code, "message": message }, "id": id }),
            };
            let _ = self.to_client.send(Sent::Text(Arc::from(reply.to_string())));
            return;
        }
        if method == "turn/start" {
            let prepared = self.server.hub().lock().prepare_turn(params);
            let script = prepared.map(|turn_id| {
                let thread_id = params["threadId"].as_str().unwrap_or_default().to_owned();
                let request = TurnRequest { thread_id, turn_id: turn_id.clone(), params: params.clone() };
                (turn_id, self.server.script_of(&request))
            });
            return self.server.hub().lock().start_turn(self.id, id, params, script);
        }
        self.server.hub().lock().request(self.id, method, id, params, &self.server.handled_methods());
    }
}
