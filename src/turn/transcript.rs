//! A transcript: the events of turns as the items that a screen shows.
//!
//! Relies on `step`, `history` and `sub_agent`; no I/O. Invariant: an item that completed is as it is in history,
//! and stays at its place; a delta costs the same however much there is.

use std::collections::HashMap;

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
/// The type of an item for a sub-agent that no item has named.
const SUB_AGENT: &str = "subAgent";
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
/// Its members are `items`, `turns` and `revision`. It deserializes from that, and can be applied to again.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Transcript {
    items: Vec<TranscriptItem>,
    turns: Vec<TranscriptTurn>,
    revision: u64,
    #[serde(skip)]
    index: Index,
    /// Where the transcripts of sub-agents are nested; of the outermost transcript only.
    #[serde(skip)]
    places: HashMap<String, Place>,
}

/// Positions, so that nothing is searched for.
#[derive(Clone, Default)]
struct Index {
    /// The items of each id, oldest first.
    items: HashMap<String, Vec<usize>>,
    turns: HashMap<String, usize>,
    /// The items whose turn has not ended, and which have perhaps completed.
    open: Vec<usize>,
}

/// The members of a transcript's JSON.
#[derive(Deserialize)]
struct Stored {
    items: Vec<TranscriptItem>,
    turns: Vec<TranscriptTurn>,
    revision: u64,
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
    /// The transcripts of the sub-agents that this item was the first to name, with
    /// [`sub_agents(true)`](crate::ChatRequest::sub_agents).
    pub sub_agents: Vec<SubAgentTranscript>,
    /// The transcript's revision when this item last changed.
    pub revision: u64,
    /// The text is that of the reasoning itself, until there is a summary.
    #[serde(skip)]
    is_content: bool,
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
    /// The server's warnings, each once.
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
});
abridged_debug!(struct SubAgentTranscript { thread_id, agent, transcript });
abridged_debug!(struct TranscriptTurn {
    id, status, error, notice, warnings, diff, token_usage, revision,
});

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
    fn from(Stored { items, turns, revision }: Stored) -> Self {
        let mut index = Index::default();
        for (at, item) in items.iter().enumerate() {
            index.items.entry(item.id.clone()).or_default().push(at);
            if item.status == StepStatus::InProgress {
                index.open.push(at);
            }
        }
        index.turns = turns.iter().enumerate().map(|(at, turn)| (turn.id.clone(), at)).collect();
        let mut places = HashMap::new();
        find_places(&items, None, 1, &mut places);
        Transcript { items, turns, revision, index, places }
    }
}

/// Where the transcript of a sub-agent is nested.
#[derive(Debug, Clone)]
struct Place {
    /// The sub-agent in whose transcript; `None` for the outermost one.
    owner: Option<String>,
    item: usize,
    /// The position among the sub-agents of the item, once it has an event.
    slot: Option<usize>,
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
            let place = Place { owner: owner.map(str::to_owned), item: at, slot: Some(slot), depth };
            places.insert(agent.thread_id.clone(), place);
            find_places(&agent.transcript.items, Some(&agent.thread_id), depth + 1, places);
        }
    }
}

/// What an event did.
#[derive(Default)]
struct Applied {
    is_change: bool,
    /// The item that started or completed, if it names sub-agents, and their threads.
    agents: Option<(usize, Vec<String>)>,
}

impl Applied {
    fn when(is_change: bool) -> Applied {
        Applied { is_change, agents: None }
    }
}

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
                let shown = transcript.show(&step);
                transcript.place_agents(None, shown);
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
                let applied = self.apply_own(event);
                self.place_agents(None, applied);
            }
        }
    }

    /// Applies an event that is not a sub-agent's.
    fn apply_own(&mut self, event: &TurnEvent) -> Applied {
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
            TurnEvent::ItemStarted(step) => self.start(step),
            TurnEvent::Step(step) if step.is_error() => self.close(step),
            TurnEvent::Step(step) => {
                self.go_on(&step.turn_id);
                self.show(step)
            }
            TurnEvent::Plan { explanation, plan } => {
                self.update_plan(explanation.as_deref(), plan);
                Applied::when(true)
            }
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
                let is_new = !turn.warnings.contains(message);
                if is_new {
                    turn.warnings.push(message.clone());
                }
                is_new
            }),
            TurnEvent::RetryingError { message, event } => {
                let notice = params_of::<ErrorNotice>(event.raw()).map(|notice| notice.error.described());
                let notice = notice.unwrap_or_else(|_| message.clone());
                self.change_turn(|turn| turn.notice.replace(notice.clone()) != Some(notice))
            }
            TurnEvent::Other(event) => self.apply_raw(event),
            TurnEvent::SubAgent { .. } => Applied::default(),
        }
    }

    fn apply_raw(&mut self, event: &RawEvent) -> Applied {
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
                let Ok(Params { turn: Started { id, root_turn_id } }) = event.params() else {
                    return Applied::default();
                };
                // A review starts under an id that nothing else has.
                if root_turn_id.is_some_and(|root| root != id) {
                    return Applied::default();
                }
                self.go_on(&id);
                Applied::when(true)
            }
            "turn/completed" => {
                #[derive(Deserialize)]
                struct Params<'a> {
                    #[serde(borrow)]
                    turn: &'a RawValue,
                }
                let Ok(Params { turn }) = params_of::<Params<'_>>(event.raw()) else {
                    return Applied::default();
                };
                let TerminalTurn { id, status, error, .. } = TerminalTurn::of(turn.get());
                let id = id.unwrap_or_else(|| self.current_turn().id.clone());
                self.end_turn(&id, TurnOutcome::of(status.as_deref(), error, || Value::Null));
                Applied::when(true)
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
                let Ok(Params { turn_id, item }) = params_of::<Params<'_>>(event.raw()) else {
                    return Applied::default();
                };
                let data = || ItemText::Own(item.get().into());
                let step = ConversationStep::of_item("", &turn_id, item.get(), data);
                step.map(|(step, _)| self.show(&step)).unwrap_or_default()
            }
            "item/reasoning/summaryPartAdded" => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Params {
                    item_id: String,
                }
                let Ok(Params { item_id }) = params_of(event.raw()) else { return Applied::default() };
                self.grow_if(&item_id, &StepType::Thinking, "\n", |item| {
                    (!item.is_content && !item.text.is_empty()).then_some(&mut item.text)
                })
            }
            _ => Applied::default(),
        }
    }

    // Items.

    /// The latest item of this id, and of this turn if it is given.
    fn find(&self, turn_id: Option<&str>, id: &str, kind: &StepType) -> Option<usize> {
        let is_it = |at: &usize| {
            let item = &self.items[*at];
            item.kind == *kind && turn_id.is_none_or(|turn_id| item.turn_id == turn_id)
        };
        // Deltas mostly belong to the last item.
        let last = self.items.len().checked_sub(1).filter(|last| self.items[*last].id == id);
        last.filter(&is_it).or_else(|| self.index.items.get(id)?.iter().rev().copied().find(&is_it))
    }

    fn push(&mut self, turn_id: &str, id: &str, kind: StepType) -> usize {
        let at = self.items.len();
        self.index.items.entry(id.to_owned()).or_default().push(at);
        self.index.open.push(at);
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
        });
        at
    }

    /// Notes that an item has changed.
    fn touch(&mut self, at: usize) {
        self.revision += 1;
        self.items[at].revision = self.revision;
    }

    fn grow(
        &mut self,
        id: &str,
        kind: &StepType,
        delta: &str,
        text: impl FnOnce(&mut TranscriptItem) -> &mut String,
    ) -> Applied {
        self.grow_if(id, kind, delta, |item| Some(text(item)))
    }

    /// Appends a delta to a text of its item, if there is one for it. A delta of an item that has completed changes
    /// nothing.
    fn grow_if(
        &mut self,
        id: &str,
        kind: &StepType,
        delta: &str,
        text: impl FnOnce(&mut TranscriptItem) -> Option<&mut String>,
    ) -> Applied {
        let found = self.find(None, id, kind);
        let is_growing =
            |at: &usize| matches!(self.items[*at].status, StepStatus::InProgress | StepStatus::Abandoned);
        if delta.is_empty() || found.is_some_and(|at| !is_growing(&at)) {
            return Applied::default();
        }
        // The item may have started before these events.
        let at = found.unwrap_or_else(|| {
            let turn_id = self.turns.last().map(|turn| turn.id.clone()).unwrap_or_default();
            self.push(&turn_id, id, kind.clone())
        });
        let Some(text) = text(&mut self.items[at]) else { return Applied::default() };
        text.push_str(delta);
        self.touch(at);
        self.clear_notice();
        Applied::when(true)
    }

    fn start(&mut self, step: &ConversationStep) -> Applied {
        let Some(id) = &step.item_id else { return Applied::default() };
        self.go_on(&step.turn_id);
        let found = self.find(Some(&step.turn_id), id, &step.step_type);
        // All plans of a turn have the same id: the next one takes the place of the last.
        if found.is_some_and(|at| self.items[at].status == StepStatus::InProgress) {
            return Applied::default();
        }
        self.show(step)
    }

    /// Shows an item as the step has it.
    fn show(&mut self, step: &ConversationStep) -> Applied {
        let id = step.item_id.as_deref().unwrap_or_default();
        let found = self.find(Some(&step.turn_id), id, &step.step_type);
        let at = found.unwrap_or_else(|| self.push(&step.turn_id, id, step.step_type.clone()));
        let item = &mut self.items[at];
        item.status = step.status.clone();
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
        Applied { is_change: true, agents: (!agents.is_empty()).then_some((at, agents)) }
    }

    fn update_plan(&mut self, explanation: Option<&str>, plan: &[PlanStep]) {
        let turn_id = self.current_turn().id.clone();
        let (id, kind) = (format!("{turn_id}-plan-update"), StepType::Other(PLAN_UPDATE.to_owned()));
        let at = self.find(Some(&turn_id), &id, &kind).unwrap_or_else(|| self.push(&turn_id, &id, kind));
        let item = &mut self.items[at];
        // Each list is complete.
        item.status = StepStatus::Completed;
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
        match self.turns.last_mut().filter(|turn| turn.id.is_empty()) {
            Some(unnamed) => {
                id.clone_into(&mut unnamed.id);
                self.index.turns.remove("");
                for at in &self.index.open {
                    if self.items[*at].turn_id.is_empty() {
                        id.clone_into(&mut self.items[*at].turn_id);
                    }
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
        self.revision += 1;
        self.turns[at].revision = self.revision;
    }

    /// The turn of an event that names none.
    fn current_turn(&mut self) -> &mut TranscriptTurn {
        let is_running = |turn: &TranscriptTurn| turn.status == TurnStatus::InProgress;
        let at = match self.turns.len().checked_sub(1).filter(|last| is_running(&self.turns[*last])) {
            Some(last) => last,
            None => self.turn(""),
        };
        &mut self.turns[at]
    }

    fn change_turn(&mut self, change: impl FnOnce(&mut TranscriptTurn) -> bool) -> Applied {
        let is_change = change(self.current_turn());
        if is_change {
            self.touch_turn(self.turns.len() - 1);
        }
        Applied::when(is_change)
    }

    /// Notes that the turn goes on.
    fn go_on(&mut self, turn_id: &str) {
        self.turn(turn_id);
        self.clear_notice();
    }

    fn clear_notice(&mut self) {
        if self.turns.last_mut().is_some_and(|turn| turn.notice.take().is_some()) {
            self.touch_turn(self.turns.len() - 1);
        }
    }

    /// The closing step of a turn. Most follow the turn's end; what ended otherwise is lost.
    fn close(&mut self, step: &ConversationStep) -> Applied {
        #[derive(Deserialize)]
        struct Closing {
            code: String,
            message: String,
        }
        let at = self.turn(&step.turn_id);
        let Ok(Closing { code, message }) = serde_json::from_str(step.raw()) else {
            return Applied::default();
        };
        if self.turns[at].status == TurnStatus::Failed {
            // A server may tell the reason in an event before the end.
            self.turns[at].error = Some(message);
            self.touch_turn(at);
        } else if self.turns[at].status != TurnStatus::InProgress {
            return Applied::default();
        } else if code == "turn_inactive" {
            self.turns[at].notice = Some(message);
            self.touch_turn(at);
        } else {
            self.end_turn(&step.turn_id, TurnOutcome::Failed { message, info: None, turn: Value::Null });
        }
        Applied::when(true)
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
        for at in std::mem::take(&mut self.index.open) {
            let item = &mut self.items[at];
            if item.turn_id != turn_id {
                self.index.open.push(at);
            } else if item.status == StepStatus::InProgress {
                item.status = StepStatus::Abandoned;
                self.touch(at);
            }
        }
    }

    // Sub-agents.

    fn apply_of_agent(&mut self, thread_id: &str, agent: Option<&str>, event: &TurnEvent) {
        if !self.places.contains_key(thread_id) {
            let turn_id = self.current_turn().id.clone();
            let item = self.push(&turn_id, thread_id, StepType::Other(SUB_AGENT.to_owned()));
            self.items[item].status = StepStatus::Completed;
            self.touch(item);
            self.places.insert(thread_id.to_owned(), Place { owner: None, item, slot: None, depth: 1 });
        }
        // They belong to this transcript, not to those that change on the way.
        let mut places = std::mem::take(&mut self.places);
        // From the innermost transcript outwards.
        let mut way = Vec::new();
        let mut inner = Some(thread_id);
        while let Some((id, place)) = inner.and_then(|id| places.get_key_value(id)) {
            way.push((id.as_str(), place.item, place.slot));
            inner = place.owner.as_deref();
        }
        let (applied, slot) = self.descend(&way, agent, event);
        if let Some(place) = places.get_mut(thread_id) {
            place.slot = Some(slot);
        }
        self.places = places;
        self.place_agents(Some(thread_id), applied);
    }

    /// Applies an event to the transcript at the end of the way, and returns its position among the sub-agents of
    /// its item.
    fn descend(
        &mut self,
        way: &[(&str, usize, Option<usize>)],
        agent: Option<&str>,
        event: &TurnEvent,
    ) -> (Applied, usize) {
        let Some(((thread_id, item, slot), inner)) = way.split_last() else {
            return (self.apply_own(event), 0);
        };
        let agents = &mut self.items[*item].sub_agents;
        let slot = slot.unwrap_or_else(|| {
            agents.push(SubAgentTranscript {
                thread_id: (*thread_id).to_owned(),
                agent: None,
                transcript: Transcript::default(),
            });
            agents.len() - 1
        });
        let nested = &mut agents[slot];
        let is_named = inner.is_empty() && agent.is_some() && nested.agent.as_deref() != agent;
        if is_named {
            nested.agent = agent.map(str::to_owned);
        }
        let (applied, inner_slot) = nested.transcript.descend(inner, agent, event);
        if applied.is_change || is_named {
            self.touch(*item);
        }
        (applied, if inner.is_empty() { slot } else { inner_slot })
    }

    /// Notes where the transcripts of the sub-agents are nested that an item is the first to name.
    fn place_agents(&mut self, owner: Option<&str>, applied: Applied) {
        let Some((item, threads)) = applied.agents else { return };
        for thread_id in threads.into_iter().filter(|id| Some(id.as_str()) != owner) {
            if self.places.contains_key(&thread_id) {
                continue;
            }
            let place = match owner.and_then(|owner| self.places.get(owner)) {
                Some(place) if place.depth == DEEPEST => Place { slot: None, ..place.clone() },
                outer => Place {
                    owner: owner.map(str::to_owned),
                    item,
                    slot: None,
                    depth: outer.map_or(1, |place| place.depth + 1),
                },
            };
            self.places.insert(thread_id, place);
        }
    }
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
