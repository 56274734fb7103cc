//! Any interleaving of turns, replies and readers, compared with a short model.
//!
//! The model knows what was sent and who reads; it has no blocks, no caches and no clock.

use proptest::{collection::vec, prelude::*};

use super::{super::log::End, *};

/// The turns of which the server sends events: two on one thread, one on another thread with the same id as
/// the first, and one on a thread on which no turn is requested.
const TURNS: [(&str, &str); 4] = [("t", "a"), ("t", "b"), ("s", "a"), ("elsewhere", "a")];
/// The number of turns that may be requested: those on threads on which turns are requested.
const ASKED: usize = 3;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Op {
    /// A turn is asked for, on the thread of this turn.
    Ask { turn: usize, interest: Interest },
    /// The reply to the n-th open request names this turn of its thread.
    Name { nth: usize, turn: usize },
    /// The caller of the n-th open request gives up.
    GiveUp { nth: usize },
    /// An event of a turn; `review`: under another id, with the turn as its root.
    Event { turn: usize, kind: Kind, size: usize, review: bool },
    /// An event that names a thread only.
    OfThread { turn: usize, kind: Kind },
    /// The n-th reader takes what there is.
    Take { nth: usize, retain: bool },
    /// The n-th reader changes its interest.
    Turn { nth: usize, interest: Interest },
    /// The n-th reader leaves.
    Drop { nth: usize },
}

fn interest() -> impl Strategy<Value = Interest> {
    prop_oneof![Just(Interest::Steps), Just(Interest::Events)]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::TextDelta),
        3 => Just(Kind::ItemCompleted),
        2 => Just(Kind::TurnCompleted),
        1 => Just(Kind::ItemStarted),
        1 => Just(Kind::TurnStarted),
        1 => Just(Kind::TokenUsage),
        1 => Just(Kind::Error),
        1 => Just(Kind::Other),
    ]
}

/// Sizes on both sides of those of the blocks that events are stored in.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..50usize, 3 => 1000..1100usize, 1 => 60_000..70_000usize]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..ASKED, interest()).prop_map(|(turn, interest)| Op::Ask { turn, interest }),
        3 => (0..4usize, 0..ASKED).prop_map(|(nth, turn)| Op::Name { nth, turn }),
        1 => (0..4usize).prop_map(|nth| Op::GiveUp { nth }),
        12 => (0..TURNS.len(), kind(), size(), prop::bool::weighted(0.1))
            .prop_map(|(turn, kind, size, review)| Op::Event { turn, kind, size, review }),
        1 => (0..TURNS.len(), prop_oneof![Just(Kind::Warning), Just(Kind::ThreadStatus), Just(Kind::Other)])
            .prop_map(|(turn, kind)| Op::OfThread { turn, kind }),
        4 => (0..4usize, prop::bool::weighted(0.2)).prop_map(|(nth, retain)| Op::Take { nth, retain }),
        1 => (0..4usize, interest()).prop_map(|(nth, interest)| Op::Turn { nth, interest }),
        1 => (0..4usize).prop_map(|nth| Op::Drop { nth }),
    ]
}

/// What was asked for and not named.
struct Question {
    expected: Expected,
    thread: &'static str,
    interest: Interest,
}

/// An event in the model: which turn it is of (none: its thread's), and what was said.
#[derive(Debug, Clone)]
struct Said {
    thread: &'static str,
    turn: Option<&'static str>,
    kind: Kind,
    text: String,
    /// It names another turn, whose root this one is.
    is_review: bool,
}

impl Said {
    fn route(&self) -> Route<'static> {
        match self.is_review {
            true => route_of(self.thread, Some("other"), self.turn),
            false => route_of(self.thread, self.turn, None),
        }
    }
}

/// A reader, and what the model says of it.
struct ModelReader {
    consumer: Consumer,
    run: usize,
    interest: Interest,
    unread: Vec<String>,
    retained: usize,
}

/// A turn in the model, from the reply that names it to its end.
#[derive(Debug)]
struct ModelRun {
    thread: &'static str,
    turn: &'static str,
    is_over: bool,
    /// Its terminal event, while a request made on its thread before its end has no reply yet.
    remembered: Option<String>,
    /// The length of its terminal event.
    end_bytes: Option<usize>,
}

struct World {
    turns: Arc<Turns>,
    budget: Arc<Budget>,
    has_phantoms: bool,
    questions: Vec<Question>,
    readers: Vec<ModelReader>,
    runs: Vec<ModelRun>,
    /// What came for turns that do not run, while something was asked for on their thread.
    early: Vec<Said>,
    number: usize,
}

impl World {
    fn new(has_phantoms: bool) -> World {
        let budget = Budget::new(None);
        let turns = Turns::new(&budget);
        if has_phantoms {
            turns.expect_phantom_turns();
        }
        World {
            turns,
            budget,
            has_phantoms,
            questions: Vec::new(),
            readers: Vec::new(),
            runs: Vec::new(),
            early: Vec::new(),
            number: 0,
        }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Ask { turn, interest } => {
                let thread = TURNS[turn].0;
                let start = Start { thread_id: thread.to_owned(), interest, lease: None };
                let expected = self.turns.expect(start);
                self.questions.push(Question { expected, thread, interest });
            }
            Op::Name { nth, turn } if !self.questions.is_empty() => {
                let question = self.questions.remove(nth % self.questions.len());
                self.name(question, turn);
            }
            Op::GiveUp { nth } if !self.questions.is_empty() => {
                let Question { thread, .. } = self.questions.remove(nth % self.questions.len());
                self.forget_early(thread);
            }
            Op::Event { turn, kind, size, review } => {
                let (thread, turn) = TURNS[turn];
                let text = self.text(size);
                // A review's own end names its own id.
                let is_review = review && kind != Kind::TurnCompleted;
                // A turn of another thread as the root makes its thread a sub-agent's; here ids are used twice.
                let is_root = |run: &ModelRun| !run.is_over && run.turn == turn && run.thread != thread;
                let is_review = is_review && !(kind == Kind::TurnStarted && self.runs.iter().any(is_root));
                self.deliver(Said { thread, turn: Some(turn), kind, text, is_review });
            }
            Op::OfThread { turn, kind } => {
                let thread = TURNS[turn].0;
                let text = self.text(10);
                self.deliver(Said { thread, turn: None, kind, text, is_review: false });
            }
            Op::Take { nth, retain } if !self.readers.is_empty() => {
                let nth = nth % self.readers.len();
                self.take(nth, retain);
            }
            Op::Turn { nth, interest } if !self.readers.is_empty() => {
                let nth = nth % self.readers.len();
                self.readers[nth].consumer.set_interest(interest);
                self.readers[nth].interest = interest;
            }
            Op::Drop { nth } if !self.readers.is_empty() => {
                drop(self.readers.remove(nth % self.readers.len()));
            }
            _ => {}
        }
        self.check();
    }

    /// No two events have the same text.
    fn text(&mut self, size: usize) -> String {
        self.number += 1;
        format!("{} {}", self.number, "x".repeat(size))
    }

    /// The run that an event or a reply meets: on its thread, not over, of its turn if it names one.
    fn running(&self, thread: &str, turn: Option<&str>) -> Option<usize> {
        self.runs
            .iter()
            .position(|run| !run.is_over && run.thread == thread && turn.is_none_or(|turn| turn == run.turn))
    }

    fn name(&mut self, question: Question, turn: usize) {
        let Question { expected, thread, interest } = question;
        let turn = TURNS[..ASKED].iter().filter(|(on, _)| *on == thread).nth(turn % 2);
        let turn = turn.unwrap_or(&("", "a")).1;
        let consumer = expected.open(turn, None, Instant::now());
        let known = self.running(thread, if self.has_phantoms { None } else { Some(turn) });
        let is_remembered =
            |run: &ModelRun| run.remembered.is_some() && run.thread == thread && run.turn == turn;
        let known = known.or_else(|| self.runs.iter().position(is_remembered));
        let run = known.unwrap_or_else(|| {
            self.runs.push(ModelRun { thread, turn, is_over: false, remembered: None, end_bytes: None });
            self.runs.len() - 1
        });
        assert_eq!(consumer.log().turn_id, self.runs[run].turn);
        // Who comes after the end finds the end.
        let unread = self.runs[run].remembered.iter().cloned().collect();
        self.readers.push(ModelReader { consumer, run, interest, unread, retained: 0 });
        let is_its =
            |said: &Said| said.thread == thread && said.turn.is_none_or(|of| of == self.runs[run].turn);
        let (its, rest) = std::mem::take(&mut self.early).into_iter().partition(is_its);
        self.early = rest;
        let its: Vec<Said> = its;
        for said in its {
            if !self.runs[run].is_over {
                self.hand_over(run, &said);
            }
        }
        self.forget_early(thread);
    }

    /// No request is open on the thread: its early events belong to others.
    fn forget_early(&mut self, thread: &str) {
        if !self.questions.iter().any(|question| question.thread == thread) {
            self.early.retain(|said| said.thread != thread);
            for run in self.runs.iter_mut().filter(|run| run.thread == thread) {
                run.remembered = None;
            }
        }
    }

    fn deliver(&mut self, said: Said) {
        let event = Event { kind: said.kind, text: &said.text, item_id: None, body: None, owner: None };
        self.turns.deliver(&event, &said.route(), Instant::now(), &mut Wakeups::default());
        if said.turn.is_none() && said.kind != Kind::Warning {
            return;
        }
        match self.running(said.thread, said.turn) {
            Some(run) => self.hand_over(run, &said),
            None if self.questions.iter().any(|question| question.thread == said.thread) => {
                self.early.push(said);
            }
            None => {}
        }
    }

    /// The readers of a turn get an event, each what it wants.
    fn hand_over(&mut self, run: usize, said: &Said) {
        if said.kind == Kind::TurnCompleted {
            self.runs[run].is_over = true;
            self.runs[run].end_bytes = Some(said.text.len());
            let thread = self.runs[run].thread;
            let is_asked = self.questions.iter().any(|question| question.thread == thread);
            self.runs[run].remembered = is_asked.then(|| said.text.clone());
        }
        for reader in self.readers.iter_mut().filter(|reader| reader.run == run) {
            if reader.interest == Interest::Events || said.kind.concerns_steps() {
                reader.unread.push(said.text.clone());
            }
        }
    }

    fn take(&mut self, nth: usize, retain: bool) {
        let reader = &mut self.readers[nth];
        let (blocks, end) = reader.consumer.take(retain);
        let texts: Vec<String> = blocks
            .iter()
            .flat_map(|block| (0..block.len()).map(|index| block.text(block.span(index)).to_owned()))
            .collect();
        assert_eq!(texts, reader.unread, "what a reader has seen");
        let bytes: usize = std::mem::take(&mut reader.unread).iter().map(String::len).sum();
        reader.retained += if retain { bytes } else { 0 };
        assert_eq!(matches!(end, Some(End::Completed)), self.runs[reader.run].is_over);
    }

    /// What must be so at any time.
    fn check(&self) {
        let bytes =
            |reader: &ModelReader| reader.unread.iter().map(String::len).sum::<usize>() + reader.retained;
        let bytes: usize = self.readers.iter().map(bytes).sum();
        // Early events and what is kept of an end are counted too.
        let early: usize = self.early.iter().map(|said| EARLY_ENTRY + said.text.len()).sum();
        let is_held = |(at, run): &(usize, &ModelRun)| {
            run.remembered.is_some() || self.readers.iter().any(|reader| reader.run == *at)
        };
        let ends: usize =
            self.runs.iter().enumerate().filter(is_held).filter_map(|(_, run)| run.end_bytes).sum();
        assert_eq!(self.budget.kept(), bytes + early + ends, "bytes kept");
        let running = self.runs.iter().filter(|run| !run.is_over).count();
        assert_eq!(self.turns.running_count(), running, "turns that run");
        for reader in &self.readers {
            assert_eq!(reader.consumer.log().is_over(), self.runs[reader.run].is_over);
            let has_news = !reader.unread.is_empty();
            assert!(!has_news || !reader.consumer.is_waiting(), "a reader sleeps though there is news");
        }
    }
}

fn route_of(thread: &'static str, turn: Option<&'static str>, root: Option<&'static str>) -> Route<'static> {
    Route {
        thread_id: Some(thread.into()),
        turn_id: turn.map(Into::into),
        root_turn_id: root.map(Into::into),
        ..Route::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_reader_sees_the_events_of_its_turn_once_and_in_order(
        has_phantoms in prop::bool::weighted(0.2),
        ops in vec(op(), 0..80),
    ) {
        let mut world = World::new(has_phantoms);
        for op in ops {
            world.step(op);
        }
        for nth in 0..world.readers.len() {
            world.take(nth, false);
        }
        // Everything ends, and everybody leaves.
        world.questions.clear();
        world.early.clear();
        world.runs.iter_mut().for_each(|run| run.remembered = None);
        for (thread, turn) in TURNS {
            let text = world.text(0);
            let kind = Kind::TurnCompleted;
            world.deliver(Said { thread, turn: Some(turn), kind, text, is_review: false });
            world.check();
        }
        world.readers.clear();
        world.check();
        let table = world.turns.table.lock();
        prop_assert!(table.threads.is_empty() && table.last.is_none());
    }
}
