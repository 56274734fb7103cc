//! A transcript: the events of turns as the items that a screen shows.
//!
//! Relies on `step`, `history` and `sub_agent`; no I/O. Invariant: an item that completed is as it is in history,
//! and stays at its place; a delta costs the same however much there is.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{
    ConversationStep, RawEvent, StepStatus, StepType, TurnEvent,
    history::{item_text, outcome_of},
    raw::{ItemText, params_of},
    session::{ErrorNotice, TerminalTurn, TurnOutcome, lenient},
    step::LenientText,
    sub_agent::named_threads,
};
use crate::{
    excerpt::{abridged_debug, debug_struct},
    protocol::{
        FileUpdateChange, ThreadTokenUsage as TokenUsage, Turn, TurnPlanStep as PlanStep, TurnStatus,
    },
};

/// The type of an item that has the agent's list of next steps.
const PLAN_UPDATE: &str = "planUpdate";
/// The id of that item. The turn may get its name later.
const PLAN_UPDATE_ID: &str = "plan-update";
/// The type of an item for a sub-agent that no item has named.
const SUB_AGENT: &str = "subAgent";
/// The most warnings of a turn that are kept.
const MOST_WARNINGS: usize = 100;
/// How deep transcripts are nested. A sub-agent below is shown beside the one that started it.
const DEEPEST: usize = 16;

/// What a screen shows of a conversation: its items, as they grow.
///
/// [`apply`](Self::apply) takes the events of one turn after the other, from
/// [`chat_events`](crate::Client::chat_events); [`from_turns`](Self::from_turns) makes one of history, to which the
/// events of later turns can be applied. It is plain data, without a connection.
///
/// ```
/// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
/// use codex_blocking::Transcript;
///
/// let mut transcript = Transcript::default();
/// let mut shown = 0;
/// for event in client.chat_events("Say hello")? {
///     transcript.apply(&event);
///     for item in transcript.items().iter().filter(|item| item.revision > shown) {
///         println!("{} {}: {}", item.kind, item.status, item.text); // redraw it
///     }
///     shown = transcript.revision();
/// }
/// # Ok::<(), codex_blocking::Error>(())
/// ```
///
/// Once its turn is over, what the events made is what history has. For the items that history has, by id, these
/// are equal: `kind`, `status`, `text`, `output`, `exit_code` and `changes`. The exceptions are the server's:
///
/// - A command that goes on after its turn is [abandoned](StepStatus::Abandoned) here; history has it once it has
///   ended.
/// - History has the first and the last 32 KiB of an output of more than 64 KiB.
/// - A review runs under an id of its own, and history has its prompt under that one.
/// - Servers before 0.169 give the items in history other ids.
///
/// # Memory
///
/// It keeps the texts, outputs and changes of all items that it was given, and drops none: this is the program's
/// data and counts towards no limit of the client. A delta is appended in place. To show the end of a long
/// conversation only, make one of its last turns.
///
/// # JSON
///
/// Its members are `items`, `turns` and `revision`, and `thread_id` once an event told it. It deserializes from that, equals what it was made from, and can be
/// applied to again. While an item is in progress it may have two more members, which are the transcript's own:
/// `is_content` (its text is not a summary) and `completed` (what it goes back to if it is abandoned).
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Transcript {
    items: Vec<TranscriptItem>,
    turns: Vec<TranscriptTurn>,
    revision: u64,
    /// The thread, which is no sub-agent though its sub-agents name it. Of the outermost transcript only.
    #[serde(skip_serializing_if = "String::is_empty")]
    thread_id: String,
    #[serde(skip)]
    index: Index,
    /// Where the transcripts of sub-agents are nested; of the outermost transcript only.
    #[serde(skip)]
    places: HashMap<String, Place>,
}

/// Positions, so that nothing is searched for.
#[derive(Clone, Default)]
struct Index {
    items: HashMap<ItemKey, usize>,
    turns: HashMap<String, usize>,
    /// The items in progress of each turn.
    open: HashMap<String, BTreeSet<usize>>,
    /// The items of the turn that has no name yet.
    unnamed: Vec<usize>,
}

/// The place of an item: its turn, kind and id. Without a turn: the latest item of that kind and id.
type ItemKey = (Option<String>, StepType, String);

impl Index {
    fn add(&mut self, at: usize, item: &TranscriptItem) {
        let TranscriptItem { turn_id, kind, id, .. } = item;
        self.items.insert((None, kind.clone(), id.clone()), at);
        self.items.insert((Some(turn_id.clone()), kind.clone(), id.clone()), at);
        if item.status == StepStatus::InProgress {
            self.open.entry(turn_id.clone()).or_default().insert(at);
        }
        if turn_id.is_empty() {
            self.unnamed.push(at);
        }
    }

    /// The turn without a name has ended, and never gets one. What names no turn from now on belongs to another one.
    fn close_unnamed(&mut self) {
        self.turns.remove("");
        self.unnamed.clear();
    }
}

/// The members of a transcript's JSON.
#[derive(Deserialize)]
struct Stored {
    items: Vec<TranscriptItem>,
    turns: Vec<TranscriptTurn>,
    revision: u64,
    #[serde(default)]
    thread_id: String,
}

/// An item of a [`Transcript`]: a message, a command, a change of files, …
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TranscriptItem {
    /// The turn's id; empty if the events did not tell it.
    pub turn_id: String,
    /// The item's id, unique among the items of its turn and kind.
    pub id: String,
    /// What it is, as the type of a step: `codex` is a message of the agent, `userMessage` one of the user. Two
    /// types are the transcript's own: `planUpdate` has the agent's list of next steps, and `subAgent` the
    /// transcript of a sub-agent that no item has named.
    pub kind: StepType,
    /// The status: in progress, until the item completes or its turn ends.
    pub status: StepStatus,
    /// The text, which grows with deltas: that of a message, of reasoning or of a proposed plan; a command without
    /// its output; the paths of changed files; the name of a tool or a sub-agent.
    pub text: String,
    /// The output of a command, which grows with deltas. These may lack its beginning; when the command
    /// completes, it is whole.
    pub output: Option<String>,
    /// The exit code of a command that has ended.
    pub exit_code: Option<i32>,
    /// The changes of files, with their diffs.
    pub changes: Vec<FileUpdateChange>,
    /// The agent's list of next steps, of a `planUpdate`: one for each turn, with the latest list.
    pub plan: Vec<PlanStep>,
    /// The sub-agents that this item was the first to name. Their transcripts stay empty without
    /// [`sub_agents(true)`](crate::ChatRequest::sub_agents), and in history.
    pub sub_agents: Vec<SubAgentTranscript>,
    /// The transcript's revision when this item last changed.
    pub revision: u64,
    /// The text is that of the reasoning itself, until there is a summary.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_content: bool,
    /// What it was when it last completed, while its id is used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    completed: Option<Box<Content>>,
}

/// The parts of an item that change when it completes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Content {
    status: StepStatus,
    text: String,
    output: Option<String>,
    exit_code: Option<i32>,
    changes: Vec<FileUpdateChange>,
}

/// What a sub-agent did, nested in the [`TranscriptItem`] that started it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubAgentTranscript {
    /// The thread of the sub-agent.
    pub thread_id: String,
    /// The name of the sub-agent, if the server told it.
    pub agent: Option<String>,
    /// Its transcript, with a revision of its own. A sub-agent that goes on after the turn of its parent leaves
    /// items in progress: its later events don't arrive.
    pub transcript: Transcript,
}

/// A turn of a [`Transcript`]: what concerns no single item.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TranscriptTurn {
    /// The turn's id; empty if the events did not tell it.
    pub id: String,
    /// The status. A turn whose connection was lost counts as failed.
    pub status: TurnStatus,
    /// Why the turn failed.
    pub error: Option<String>,
    /// What the turn waits for, until it goes on: the server tries again to reach its model, or has fallen
    /// silent.
    pub notice: Option<String>,
    /// The first 100 different warnings of the server.
    pub warnings: Vec<String>,
    /// All changes of the turn's patches so far, as one diff.
    pub diff: Option<String>,
    /// The tokens, as last reported. Not in history.
    pub token_usage: Option<TokenUsage>,
    /// The transcript's revision when this last changed.
    pub revision: u64,
}

abridged_debug!(struct TranscriptItem {
    turn_id, id, kind, status, text, output, exit_code, changes, plan, sub_agents, revision, is_content,
    completed,
});
abridged_debug!(struct SubAgentTranscript { thread_id, agent, transcript });
abridged_debug!(struct TranscriptTurn {
    id, status, error, notice, warnings, diff, token_usage, revision,
});

impl TranscriptItem {
    fn content(&self) -> Content {
        Content {
            status: self.status.clone(),
            text: self.text.clone(),
            output: self.output.clone(),
            exit_code: self.exit_code,
            changes: self.changes.clone(),
        }
    }

    /// Its turn has ended. History has what completed last under its id, if anything did.
    fn abandon(&mut self) {
        let Some(completed) = self.completed.take() else {
            self.status = StepStatus::Abandoned;
            return;
        };
        let Content { status, text, output, exit_code, changes } = *completed;
        (self.status, self.text, self.output) = (status, text, output);
        (self.exit_code, self.changes) = (exit_code, changes);
    }
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields: [(&str, &dyn std::fmt::Debug); 3] =
            [("items", &self.items), ("turns", &self.turns), ("revision", &self.revision)];
        debug_struct(f, "Transcript", &fields)
    }
}

impl PartialEq for Transcript {
    /// Compares the items and turns, with their revisions.
    fn eq(&self, other: &Self) -> bool {
        (&self.items, &self.turns, self.revision) == (&other.items, &other.turns, other.revision)
    }
}

impl From<Stored> for Transcript {
    fn from(Stored { items, turns, revision, thread_id }: Stored) -> Self {
        let mut index = Index::default();
        items.iter().enumerate().for_each(|(at, item)| index.add(at, item));
        index.turns = turns.iter().enumerate().map(|(at, turn)| (turn.id.clone(), at)).collect();
        if index.turns.get("").is_some_and(|at| turns[*at].status != TurnStatus::InProgress) {
            index.close_unnamed();
        }
        // It grows beyond all of them, whoever wrote this.
        let revisions = items.iter().map(|item| item.revision).chain(turns.iter().map(|turn| turn.revision));
        let revision = revisions.fold(revision, u64::max);
        let mut places = HashMap::new();
        find_places(&items, None, 1, &mut places);
        Transcript { items, turns, revision, thread_id, index, places }
    }
}

/// Where the transcript of a sub-agent is nested.
#[derive(Debug, Clone)]
struct Place {
    /// The sub-agent in whose transcript; `None` for the outermost one.
    owner: Option<String>,
    item: usize,
    /// The position among the sub-agents of the item.
    slot: usize,
    depth: usize,
}

/// The places of the transcripts that are nested in items.
fn find_places(
    items: &[TranscriptItem],
    owner: Option<&str>,
    depth: usize,
    places: &mut HashMap<String, Place>,
) {
    for (at, item) in items.iter().enumerate() {
        for (slot, agent) in item.sub_agents.iter().enumerate() {
            // A sub-agent has one place: the ways to it would have no end else.
            let Entry::Vacant(entry) = places.entry(agent.thread_id.clone()) else { continue };
            entry.insert(Place { owner: owner.map(str::to_owned), item: at, slot, depth });
            find_places(&agent.transcript.items, Some(&agent.thread_id), depth + 1, places);
        }
    }
}

/// An item that names sub-agents, and their threads.
type Naming = Option<(usize, Vec<String>)>;

impl Transcript {
    /// Makes a transcript of turns that were read with all their items, oldest first.
    ///
    /// ```
    /// # let client = codex_blocking::testing::ScriptedServer::new().client()?;
    /// # let thread = client.start_thread(codex_blocking::ThreadConfig::new())?;
    /// use codex_blocking::Transcript;
    ///
    /// thread.chat_once("Say hello")?;
    /// let mut transcript = Transcript::from_turns(&thread.read(true)?.thread.turns);
    /// assert_eq!(transcript.items()[0].text, "Say hello");
    /// for event in thread.chat_events("And again")? {
    ///     transcript.apply(&event);
    /// }
    /// assert_eq!(transcript.turns().len(), 2);
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn from_turns(turns: &[Turn]) -> Transcript {
        let mut transcript = Transcript::default();
        for turn in turns {
            transcript.turn(&turn.id);
            for text in turn.items.iter().filter_map(item_text) {
                let data = || ItemText::Own(text.as_str().into());
                let Some((step, _)) = ConversationStep::of_item("", &turn.id, &text, data) else { continue };
                let naming = transcript.show(&step);
                transcript.place_own_agents(naming);
            }
            if let Some(outcome) = outcome_of(turn) {
                transcript.end_turn(&turn.id, outcome);
            }
        }
        transcript
    }

    /// The items, each in the place that it had when it started. None is ever removed or moved.
    pub fn items(&self) -> &[TranscriptItem] {
        &self.items
    }

    /// The turns, oldest first, with what concerns no single item: how they ended, notices, warnings.
    pub fn turns(&self) -> &[TranscriptTurn] {
        &self.turns
    }

    /// Grows with each change. What has a greater revision than the last that was shown has changed since.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &TurnEvent) {
        match event {
            TurnEvent::SubAgent { thread_id, agent, event } => {
                self.apply_of_agent(thread_id, agent.as_deref(), event);
            }
            _ => {
                if let (TurnEvent::Step(step) | TurnEvent::ItemStarted(step), "") = (event, &*self.thread_id)
                {
                    self.thread_id.clone_from(&step.thread_id);
                }
                let naming = self.apply_own(event);
                self.place_own_agents(naming);
            }
        }
    }

    /// Applies an event that is not a sub-agent's.
    fn apply_own(&mut self, event: &TurnEvent) -> Naming {
        match event {
            TurnEvent::TextDelta { item_id, delta } => {
                self.grow(item_id, &StepType::Codex, delta, |item| &mut item.text)
            }
            TurnEvent::ReasoningDelta { item_id, delta, is_summary } => {
                let is_summary = *is_summary;
                self.grow_if(item_id, &StepType::Thinking, delta, |item| {
                    if is_summary && std::mem::take(&mut item.is_content) {
                        item.text.clear();
                    } else if !is_summary && item.text.is_empty() {
                        item.is_content = true;
                    }
                    (is_summary || item.is_content).then_some(&mut item.text)
                })
            }
            TurnEvent::PlanDelta { item_id, delta } => {
                self.grow(item_id, &StepType::Other("plan".to_owned()), delta, |item| &mut item.text)
            }
            TurnEvent::CommandOutputDelta { item_id, delta } => {
                self.grow(item_id, &StepType::Exec, delta, |item| item.output.get_or_insert_default())
            }
            TurnEvent::ItemStarted(step) => return self.start(step),
            TurnEvent::Step(step) if step.is_error() => self.close(step),
            TurnEvent::Step(step) => return self.show(step),
            TurnEvent::Plan { explanation, plan } => self.update_plan(explanation.as_deref(), plan),
            TurnEvent::Diff { diff } => self.change_turn(|turn| {
                let is_change = turn.diff.as_ref() != Some(diff);
                if is_change {
                    turn.diff = Some(diff.clone());
                }
                is_change
            }),
            TurnEvent::TokenUsage(usage) => self.change_turn(|turn| {
                let is_change = turn.token_usage.as_ref() != Some(usage);
                turn.token_usage = Some(usage.clone());
                is_change
            }),
            TurnEvent::Warning { message } => self.change_turn(|turn| {
                let is_new = turn.warnings.len() < MOST_WARNINGS && !turn.warnings.contains(message);
                if is_new {
                    turn.warnings.push(message.clone());
                }
                is_new
            }),
            TurnEvent::RetryingError { message, event } => {
                let notice = params_of::<ErrorNotice>(event.raw()).map(|notice| notice.error.described());
                let notice = notice.unwrap_or_else(|_| message.clone());
                self.change_turn(|turn| turn.notice.replace(notice.clone()) != Some(notice));
            }
            TurnEvent::Other(event) => return self.apply_raw(event),
            TurnEvent::SubAgent { .. } => {}
        }
        None
    }

    fn apply_raw(&mut self, event: &RawEvent) -> Naming {
        match &*event.method() {
            "turn/started" => {
                #[derive(Deserialize)]
                struct Params {
                    turn: Started,
                }
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Started {
                    id: String,
                    root_turn_id: Option<String>,
                }
                let Params { turn: Started { id, root_turn_id } } = event.params().ok()?;
                // A review starts under an id that nothing else has.
                if root_turn_id.is_none_or(|root| root == id) {
                    self.go_on(&id);
                }
            }
            "turn/completed" => {
                #[derive(Deserialize)]
                struct Params<'a> {
                    #[serde(borrow)]
                    turn: &'a RawValue,
                }
                let Params { turn } = params_of::<Params<'_>>(event.raw()).ok()?;
                let TerminalTurn { id, status, error, .. } = TerminalTurn::of(turn.get());
                let id = id.unwrap_or_else(|| self.current_turn().id.clone());
                self.end_turn(&id, TurnOutcome::of(status.as_deref(), error, || Value::Null));
            }
            // An id that is used again makes no step.
            "item/completed" => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Params<'a> {
                    turn_id: String,
                    #[serde(borrow)]
                    item: &'a RawValue,
                }
                let Params { turn_id, item } = params_of::<Params<'_>>(event.raw()).ok()?;
                let data = || ItemText::Own(item.get().into());
                let (step, _) = ConversationStep::of_item("", &turn_id, item.get(), data)?;
                return self.show(&step);
            }
            "item/reasoning/summaryPartAdded" => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Params {
                    item_id: String,
                }
                let Params { item_id } = params_of(event.raw()).ok()?;
                // The first part begins nothing that shows.
                self.find(None, &item_id, &StepType::Thinking)?;
                self.grow_if(&item_id, &StepType::Thinking, "\n", |item| {
                    (!item.is_content && !item.text.is_empty()).then_some(&mut item.text)
                });
            }
            _ => {}
        }
        None
    }

    // Items.

    /// The latest item of this id and kind, and of this turn if it is given.
    fn find(&self, turn_id: Option<&str>, id: &str, kind: &StepType) -> Option<usize> {
        let is_it = |item: &TranscriptItem| {
            item.id == id && item.kind == *kind && turn_id.is_none_or(|turn_id| item.turn_id == turn_id)
        };
        // Deltas mostly belong to the last item.
        let last = self.items.len().checked_sub(1).filter(|last| is_it(&self.items[*last]));
        last.or_else(|| {
            let key = (turn_id.map(str::to_owned), kind.clone(), id.to_owned());
            self.index.items.get(&key).copied()
        })
    }

    fn push(&mut self, turn_id: &str, id: &str, kind: StepType) -> usize {
        let at = self.items.len();
        self.items.push(TranscriptItem {
            turn_id: turn_id.to_owned(),
            id: id.to_owned(),
            kind,
            status: StepStatus::InProgress,
            text: String::new(),
            output: None,
            exit_code: None,
            changes: Vec::new(),
            plan: Vec::new(),
            sub_agents: Vec::new(),
            revision: 0,
            is_content: false,
            completed: None,
        });
        self.index.add(at, &self.items[at]);
        at
    }

    fn set_status(&mut self, at: usize, status: StepStatus) {
        let item = &mut self.items[at];
        let (was_open, is_open) = (item.status == StepStatus::InProgress, status == StepStatus::InProgress);
        item.status = status;
        if is_open && !was_open {
            self.index.open.entry(item.turn_id.clone()).or_default().insert(at);
        } else if let Some(open) = self.index.open.get_mut(&item.turn_id).filter(|_| !is_open) {
            open.remove(&at);
        }
    }

    /// Notes that an item has changed.
    fn touch(&mut self, at: usize) {
        self.revision = self.revision.saturating_add(1);
        self.items[at].revision = self.revision;
    }

    fn grow(
        &mut self,
        id: &str,
        kind: &StepType,
        delta: &str,
        text: impl FnOnce(&mut TranscriptItem) -> &mut String,
    ) {
        self.grow_if(id, kind, delta, |item| Some(text(item)));
    }

    /// Appends a delta to a text of its item, if there is one for it. A delta of an item that has completed changes
    /// nothing.
    fn grow_if(
        &mut self,
        id: &str,
        kind: &StepType,
        delta: &str,
        text: impl FnOnce(&mut TranscriptItem) -> Option<&mut String>,
    ) {
        let found = self.find(None, id, kind);
        let is_growing =
            |at: &usize| matches!(self.items[*at].status, StepStatus::InProgress | StepStatus::Abandoned);
        if delta.is_empty() || found.is_some_and(|at| !is_growing(&at)) {
            return;
        }
        // The item may have started before these events.
        let at = found.unwrap_or_else(|| {
            let turn_id = self.current_turn().id.clone();
            self.push(&turn_id, id, kind.clone())
        });
        let Some(text) = text(&mut self.items[at]) else { return };
        text.push_str(delta);
        self.touch(at);
        self.clear_notice();
    }

    fn start(&mut self, step: &ConversationStep) -> Naming {
        let id = step.item_id.as_ref()?;
        let turn = self.go_on(&step.turn_id);
        let found = self.find(Some(&step.turn_id), id, &step.step_type);
        // All plans of a turn have the same id: the next one takes the place of the last.
        let Some(at) = found else { return self.show(step) };
        match self.items[at].status {
            StepStatus::InProgress => None,
            StepStatus::Abandoned => self.show(step),
            _ if self.turns[turn].status != TurnStatus::InProgress => None,
            _ => {
                let completed = self.items[at].content();
                let naming = self.show(step);
                self.items[at].completed = Some(Box::new(completed));
                naming
            }
        }
    }

    /// Shows an item as the step has it.
    fn show(&mut self, step: &ConversationStep) -> Naming {
        let turn = self.go_on(&step.turn_id);
        let id = step.item_id.as_deref().unwrap_or_default();
        let found = self.find(Some(&step.turn_id), id, &step.step_type);
        let at = found.unwrap_or_else(|| self.push(&step.turn_id, id, step.step_type.clone()));
        let is_late = self.turns[turn].status != TurnStatus::InProgress;
        self.set_status(
            at,
            match step.status {
                StepStatus::InProgress if is_late => StepStatus::Abandoned,
                ref status => status.clone(),
            },
        );
        let item = &mut self.items[at];
        item.completed = None;
        item.is_content = false;
        let parts = match step.step_type {
            StepType::Exec | StepType::File => serde_json::from_str(step.raw()).unwrap_or_default(),
            _ => Parts::default(),
        };
        item.text = parts.command.0.or_else(|| step.text.clone()).unwrap_or_default();
        item.output = parts.aggregated_output.0;
        item.exit_code = parts.exit_code;
        item.changes = parts.changes.map(changes_of).unwrap_or_default();
        self.touch(at);
        let agents: Vec<String> = named_threads(step.raw()).collect();
        (!agents.is_empty()).then_some((at, agents))
    }

    fn update_plan(&mut self, explanation: Option<&str>, plan: &[PlanStep]) {
        let turn_id = self.current_turn().id.clone();
        let kind = StepType::Other(PLAN_UPDATE.to_owned());
        let found = self.find(Some(&turn_id), PLAN_UPDATE_ID, &kind);
        let at = found.unwrap_or_else(|| self.push(&turn_id, PLAN_UPDATE_ID, kind));
        // Each list is complete.
        self.set_status(at, StepStatus::Completed);
        let item = &mut self.items[at];
        item.text = explanation.unwrap_or_default().to_owned();
        item.plan = plan.to_vec();
        self.touch(at);
        self.clear_notice();
    }

    // Turns.

    /// The position of the turn. What came before the events named the turn is its own.
    fn turn(&mut self, id: &str) -> usize {
        if let Some(at) = self.index.turns.get(id) {
            return *at;
        }
        let is_running = |turn: &&mut TranscriptTurn| turn.status == TurnStatus::InProgress;
        match self.turns.last_mut().filter(|turn| turn.id.is_empty()).filter(is_running) {
            Some(unnamed) => {
                id.clone_into(&mut unnamed.id);
                self.index.turns.remove("");
                self.index.open.remove("");
                for at in std::mem::take(&mut self.index.unnamed) {
                    let item = &mut self.items[at];
                    self.index.items.remove(&(Some(String::new()), item.kind.clone(), item.id.clone()));
                    id.clone_into(&mut item.turn_id);
                    self.index.add(at, item);
                    self.touch(at);
                }
            }
            None => self.turns.push(TranscriptTurn {
                id: id.to_owned(),
                status: TurnStatus::InProgress,
                error: None,
                notice: None,
                warnings: Vec::new(),
                diff: None,
                token_usage: None,
                revision: 0,
            }),
        }
        let at = self.turns.len() - 1;
        self.index.turns.insert(id.to_owned(), at);
        self.touch_turn(at);
        at
    }

    fn touch_turn(&mut self, at: usize) {
        self.revision = self.revision.saturating_add(1);
        self.turns[at].revision = self.revision;
    }

    /// The position of the last turn, if it is running.
    fn running_turn(&self) -> Option<usize> {
        let last = self.turns.len().checked_sub(1)?;
        (self.turns[last].status == TurnStatus::InProgress).then_some(last)
    }

    /// The turn of an event that names none.
    fn current_turn(&mut self) -> &mut TranscriptTurn {
        let at = self.running_turn().unwrap_or_else(|| self.turn(""));
        &mut self.turns[at]
    }

    fn change_turn(&mut self, change: impl FnOnce(&mut TranscriptTurn) -> bool) {
        let at = self.running_turn().unwrap_or_else(|| self.turn(""));
        if change(&mut self.turns[at]) {
            self.touch_turn(at);
        }
    }

    /// Notes that the turn goes on.
    fn go_on(&mut self, turn_id: &str) -> usize {
        let at = self.turn(turn_id);
        self.clear_notice();
        at
    }

    fn clear_notice(&mut self) {
        if self.turns.last_mut().is_some_and(|turn| turn.notice.take().is_some()) {
            self.touch_turn(self.turns.len() - 1);
        }
    }

    /// The closing step of a turn. Most follow the turn's end; what ended otherwise is lost.
    fn close(&mut self, step: &ConversationStep) {
        #[derive(Deserialize)]
        struct Closing {
            code: String,
            message: String,
        }
        // That of a followed thread names no turn: it is the end of the one that is running, if any.
        let at = match step.turn_id.is_empty() {
            true => self.running_turn(),
            false => Some(self.turn(&step.turn_id)),
        };
        let (Some(at), Ok(Closing { code, message })) = (at, serde_json::from_str(step.raw())) else {
            return;
        };
        if self.turns[at].status == TurnStatus::Failed {
            // A server may tell the reason in an event before the end.
            self.turns[at].error = Some(message);
            self.touch_turn(at);
        } else if self.turns[at].status != TurnStatus::InProgress {
            // Its end has told more.
        } else if code == "turn_inactive" {
            self.turns[at].notice = Some(message);
            self.touch_turn(at);
        } else {
            let id = self.turns[at].id.clone();
            self.end_turn(&id, TurnOutcome::Failed { message, info: None, turn: Value::Null });
        }
    }

    fn end_turn(&mut self, turn_id: &str, outcome: TurnOutcome) {
        let at = self.turn(turn_id);
        let turn = &mut self.turns[at];
        (turn.status, turn.error) = match outcome {
            TurnOutcome::Completed => (TurnStatus::Completed, None),
            TurnOutcome::Interrupted { .. } => (TurnStatus::Interrupted, None),
            TurnOutcome::Failed { message, .. } => (TurnStatus::Failed, Some(message)),
        };
        turn.notice = None;
        self.touch_turn(at);
        for at in self.index.open.remove(turn_id).unwrap_or_default() {
            self.items[at].abandon();
            self.touch(at);
        }
        if turn_id.is_empty() {
            self.index.close_unnamed();
        }
    }

    // Sub-agents.

    fn apply_of_agent(&mut self, thread_id: &str, agent: Option<&str>, event: &TurnEvent) {
        // They belong to this transcript, not to those that change on the way.
        let mut places = std::mem::take(&mut self.places);
        if !places.contains_key(thread_id) {
            let turn_id = self.current_turn().id.clone();
            let kind = StepType::Other(SUB_AGENT.to_owned());
            let found = self.find(Some(&turn_id), thread_id, &kind);
            let item = found.unwrap_or_else(|| self.push(&turn_id, thread_id, kind));
            self.set_status(item, StepStatus::Completed);
            self.touch(item);
            self.place_agents(item, vec![thread_id.to_owned()], None, 1, &mut places);
        }
        // From the innermost transcript outwards.
        let mut way = Vec::new();
        let mut inner = Some(thread_id);
        while let Some(place) = inner.and_then(|id| places.get(id)) {
            way.push((place.item, place.slot));
            inner = place.owner.as_deref();
        }
        let parent = std::mem::take(&mut self.thread_id);
        self.descend(&way, &OfAgent { parent: &parent, thread_id, agent, event }, &mut places);
        (self.thread_id, self.places) = (parent, places);
    }

    /// Applies an event to the transcript at the end of the way.
    fn descend(&mut self, way: &[(usize, usize)], told: &OfAgent<'_>, places: &mut HashMap<String, Place>) {
        let Some(((item, slot), inner)) = way.split_last() else { return };
        let nested = &mut self.items[*item].sub_agents[*slot];
        let before = nested.transcript.revision;
        let mut is_change = false;
        if inner.is_empty() {
            if told.agent.is_some() && nested.agent.as_deref() != told.agent {
                nested.agent = told.agent.map(str::to_owned);
                is_change = true;
            }
            let naming = nested.transcript.apply_own(told.event);
            is_change |= nested.transcript.revision != before;
            if let (Some((naming, mut agents)), Some(place)) = (naming, places.get(told.thread_id).cloned()) {
                agents.retain(|agent| agent != told.parent);
                match place {
                    Place { owner, depth: DEEPEST, .. } => {
                        self.place_agents(*item, agents, owner.as_deref(), DEEPEST, places);
                    }
                    Place { depth, .. } => {
                        let owner = Some(told.thread_id);
                        nested.transcript.place_agents(naming, agents, owner, depth + 1, places);
                    }
                }
            }
        } else {
            nested.transcript.descend(inner, told, places);
            is_change = nested.transcript.revision != before;
        }
        if is_change {
            self.touch(*item);
        }
    }

    /// Nests the transcripts of the sub-agents that an item of the outermost transcript names.
    fn place_own_agents(&mut self, naming: Naming) {
        let Some((item, mut agents)) = naming else { return };
        agents.retain(|agent| *agent != self.thread_id);
        let mut places = std::mem::take(&mut self.places);
        self.place_agents(item, agents, None, 1, &mut places);
        self.places = places;
    }

    /// Nests the transcripts of the sub-agents in an item that has just changed, if it is the first to name them.
    fn place_agents(
        &mut self,
        item: usize,
        agents: Vec<String>,
        owner: Option<&str>,
        depth: usize,
        places: &mut HashMap<String, Place>,
    ) {
        for thread_id in agents {
            let Entry::Vacant(entry) = places.entry(thread_id) else { continue };
            let nested = &mut self.items[item].sub_agents;
            let slot = nested.len();
            nested.push(SubAgentTranscript {
                thread_id: entry.key().clone(),
                agent: None,
                transcript: Transcript::default(),
            });
            entry.insert(Place { owner: owner.map(str::to_owned), item, slot, depth });
        }
    }
}

/// An event of a sub-agent.
struct OfAgent<'a> {
    /// The thread of the turn that has the sub-agent.
    parent: &'a str,
    thread_id: &'a str,
    agent: Option<&'a str>,
    event: &'a TurnEvent,
}

/// The parts of an item that are shown, besides the text of its step.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parts<'a> {
    command: LenientText,
    aggregated_output: LenientText,
    #[serde(deserialize_with = "lenient")]
    exit_code: Option<i32>,
    #[serde(borrow)]
    changes: Option<&'a RawValue>,
}

/// The changes that can be decoded.
fn changes_of(changes: &RawValue) -> Vec<FileUpdateChange> {
    let changes: Vec<&RawValue> = serde_json::from_str(changes.get()).unwrap_or_default();
    changes.into_iter().filter_map(|change| serde_json::from_str(change.get()).ok()).collect()
}
