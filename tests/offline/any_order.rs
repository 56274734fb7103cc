//! Whatever a program does with a chat (polls it, leaves it, goes on with its continuation) and
//! whenever it does: each step is handed out once, in order.

use codex_blocking::{Chat, ChatContinuation, ChatEvents, Client, ConversationStep, Error, TurnEvent};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use crate::support::memory::{Server, message, served, spawn_with};

#[derive(Debug, Clone)]
enum Op {
    /// The next item completes.
    Item,
    /// One that has completed does so again.
    Again { nth: usize },
    /// A piece of text.
    Delta,
    /// The chat is asked for what there is.
    Poll,
    /// All that there is.
    PollAll,
    /// The chat is left with a continuation in hand.
    Leave,
    /// The continuation is gone on with, as steps or as events.
    Resume { as_events: bool },
    /// A continuation that is used up, or whose chat is read, is tried.
    Misuse,
    /// The turn ends, with so many items that did not come before among those of its end.
    End { missing: usize, status: &'static str },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Item),
        1 => (0..9usize).prop_map(|nth| Op::Again { nth }),
        2 => Just(Op::Delta),
        4 => Just(Op::Poll),
        1 => Just(Op::PollAll),
        3 => Just(Op::Leave),
        5 => any::<bool>().prop_map(|as_events| Op::Resume { as_events }),
        1 => Just(Op::Misuse),
        1 => (0..4usize, prop_oneof![4 => Just("completed"), 1 => Just("interrupted")])
            .prop_map(|(missing, status)| Op::End { missing, status }),
    ]
}

enum Stream {
    Steps(Chat),
    Events(ChatEvents),
    Left(ChatContinuation),
    /// It was left after it had ended.
    Over,
}

struct World {
    client: Client,
    server: Server,
    stream: Stream,
    used_up: Vec<ChatContinuation>,
    sent: usize,
    is_over: bool,
    /// The ids of the steps that were handed out.
    seen: Vec<String>,
    has_closed: bool,
}

impl World {
    fn new(as_events: bool) -> World {
        let (client, mut server) = served();
        let starting = spawn_with(&client, move |client| match as_events {
            true => Stream::Events(client.chat_events("hello").unwrap()),
            false => Stream::Steps(client.chat("hello").unwrap()),
        });
        server.begin_turn();
        let stream = starting.join().unwrap();
        World {
            client,
            server,
            stream,
            used_up: Vec::new(),
            sent: 0,
            is_over: false,
            seen: Vec::new(),
            has_closed: false,
        }
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::Item if !self.is_over => {
                self.server.message(&format!("m{}", self.sent), "x");
                self.sent += 1;
            }
            Op::Again { nth } if !self.is_over && self.sent > 0 => {
                self.server.message(&format!("m{}", nth % self.sent), "y");
            }
            Op::Delta if !self.is_over => self.server.delta("x"),
            Op::Poll => drop(self.poll()),
            Op::PollAll => while self.poll() {},
            Op::Leave => self.leave(),
            Op::Resume { as_events } => self.resume(*as_events),
            Op::Misuse => self.misuse(),
            Op::End { missing, status } if !self.is_over => self.end(*missing, status),
            _ => {}
        }
    }

    fn poll(&mut self) -> bool {
        let step = match &mut self.stream {
            Stream::Steps(chat) => chat.try_next().map(Some),
            Stream::Events(events) => events.try_next().map(|event| match event {
                TurnEvent::Step(step) => Some(step),
                _ => None,
            }),
            Stream::Left(_) | Stream::Over => None,
        };
        let Some(step) = step else { return false };
        step.into_iter().for_each(|step| self.see(step));
        true
    }

    fn see(&mut self, step: ConversationStep) {
        assert!(!self.has_closed, "{step} after the closing step");
        self.has_closed = step.is_error();
        self.seen.extend(step.item_id);
    }

    fn leave(&mut self) {
        let (token, is_ended) = match &self.stream {
            Stream::Steps(chat) => (chat.continuation(), chat.is_ended()),
            Stream::Events(events) => (events.continuation(), events.is_ended()),
            Stream::Left(_) | Stream::Over => return,
        };
        self.stream = if is_ended { Stream::Over } else { Stream::Left(token) };
    }

    fn resume(&mut self, as_events: bool) {
        let Stream::Left(token) = &self.stream else { return };
        let token = token.clone();
        self.stream = match as_events {
            true => Stream::Events(self.client.chat_events(token.clone()).unwrap()),
            false => Stream::Steps(self.client.chat(token.clone()).unwrap()),
        };
        self.used_up.push(token);
    }

    fn misuse(&mut self) {
        let in_use = match &self.stream {
            Stream::Steps(chat) => Some(chat.continuation()),
            Stream::Events(events) => Some(events.continuation()),
            Stream::Left(_) | Stream::Over => None,
        };
        for token in self.used_up.iter().cloned().chain(in_use) {
            assert!(matches!(self.client.chat(token), Err(Error::NoLongerPending { .. })));
        }
    }

    fn end(&mut self, missing: usize, status: &str) {
        let first = self.sent.saturating_sub(1);
        self.sent += missing;
        // As the server does it, the last one that came is among them.
        let items: Vec<_> = (first..self.sent).map(|number| message(&format!("m{number}"), "x")).collect();
        let turn = json!({ "id": "u", "items": items, "status": status, "error": null });
        self.server.notify("turn/completed", json!({ "threadId": "t", "turn": turn }));
        self.is_over = true;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_chat_hands_out_each_step_once_and_in_order(
        as_events in any::<bool>(),
        ops in vec(op(), 0..40),
    ) {
        let mut world = World::new(as_events);
        for op in &ops {
            world.step(op);
            let expected: Vec<_> = (0..world.seen.len()).map(|number| format!("m{number}")).collect();
            prop_assert_eq!(&world.seen, &expected);
        }
        if !world.is_over {
            world.end(0, "completed");
        }
        world.resume(as_events);
        while world.poll() {}
        let expected: Vec<_> = (0..world.sent).map(|number| format!("m{number}")).collect();
        prop_assert_eq!(&world.seen, &expected);
        world.stream = Stream::Over;
        let stats = world.client.stats();
        prop_assert_eq!((stats.running_turns, stats.kept_bytes), (0, 0));
    }
}
