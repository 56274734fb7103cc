//! What the window knows of a transcript: its rows, how high they are, and what was folded.
//!
//! Relies on `lines`. Invariant: only items with a new revision are looked at, and a text that grows is cut further,
//! not again. Only the rows in view are laid out; of the others the height is known or estimated.

use std::{borrow::Cow, ops::Range};

use codex_blocking::{
    StepStatus, StepType, Transcript, TranscriptItem, TranscriptTurn,
    protocol::{FileUpdateChange, PatchChangeKind, TurnStatus},
};

use crate::lines::{Lines, pieces};

/// How much text one row has, in bytes.
const PIECE: usize = 2000;
/// How much of the text of an item is shown. The rest is in the transcript.
const MOST_TEXT: usize = 256 * 1024;

#[derive(Default)]
pub struct Layout {
    revision: u64,
    width: f32,
    pub items: Vec<ItemLayout>,
    pub turns: Vec<Row>,
    /// From top to bottom.
    pub rows: Vec<RowId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowId {
    /// A piece of an item.
    Item { item: usize, piece: usize },
    /// What is to be told of a turn, below its items.
    Turn(usize),
}

/// A row, and how high it was when it was last shown.
pub struct Row {
    pub text: Range<usize>,
    pub height: Option<f32>,
}

pub struct ItemLayout {
    revision: u64,
    pub rows: Vec<Row>,
    /// The lines of a command's output.
    pub output: Lines,
    pub diffs: Vec<DiffLayout>,
    /// Whether the user has opened or folded it.
    pub is_open: Option<bool>,
}

/// The change of one file.
pub struct DiffLayout {
    pub title: String,
    pub added: usize,
    pub removed: usize,
    pub text: String,
    pub lines: Lines,
}

impl Layout {
    /// Takes in what has changed. Returns false if that was nothing.
    pub fn update(&mut self, transcript: &Transcript) -> bool {
        if transcript.revision() == self.revision && self.items.len() == transcript.items().len() {
            return false;
        }
        for (at, item) in transcript.items().iter().enumerate() {
            if at == self.items.len() {
                self.items.push(ItemLayout::new());
            }
            if item.revision > self.items[at].revision {
                self.items[at].update(item);
            }
        }
        for (at, turn) in transcript.turns().iter().enumerate() {
            if at == self.turns.len() {
                self.turns.push(Row { text: 0..0, height: None });
            }
            if turn.revision > self.revision {
                self.turns[at].height = None;
            }
        }
        self.order(transcript);
        self.revision = transcript.revision();
        true
    }

    /// Puts the rows in order. Items of a turn stand together, what is to be told of it below.
    fn order(&mut self, transcript: &Transcript) {
        self.rows.clear();
        let mut items = transcript.items().iter().enumerate().peekable();
        for (at, turn) in transcript.turns().iter().enumerate() {
            let later = transcript.turns()[at + 1..].iter().map(|turn| turn.id.as_str());
            let next = later.clone().next();
            while let Some((item, _)) = items.next_if(|(_, item)| next != Some(item.turn_id.as_str())) {
                let pieces = 0..self.items[item].rows.len();
                self.rows.extend(pieces.map(|piece| RowId::Item { item, piece }));
            }
            if is_worth_telling(turn) {
                self.rows.push(RowId::Turn(at));
            }
        }
        for (item, _) in items {
            let pieces = 0..self.items[item].rows.len();
            self.rows.extend(pieces.map(|piece| RowId::Item { item, piece }));
        }
    }

    /// Forgets the heights if the window has another width.
    pub fn set_width(&mut self, width: f32) {
        if (self.width - width).abs() > 0.5 {
            self.width = width;
            let rows = self.items.iter_mut().flat_map(|item| &mut item.rows).chain(&mut self.turns);
            rows.for_each(|row| row.height = None);
        }
    }

    pub fn row(&mut self, id: RowId) -> &mut Row {
        match id {
            RowId::Item { item, piece } => &mut self.items[item].rows[piece],
            RowId::Turn(turn) => &mut self.turns[turn],
        }
    }

    /// The height of a row, estimated if it was never shown.
    pub fn height(&mut self, id: RowId) -> f32 {
        let width = self.width;
        let row = self.row(id);
        let lines = (row.text.len() as f32 * 7.0 / width.max(100.0)).ceil();
        row.height.unwrap_or(lines * 18.0 + 40.0)
    }
}

impl ItemLayout {
    fn new() -> ItemLayout {
        ItemLayout {
            revision: 0,
            rows: Vec::new(),
            output: Lines::default(),
            diffs: Vec::new(),
            is_open: None,
        }
    }

    fn update(&mut self, item: &TranscriptItem) {
        let is_growing = item.status == StepStatus::InProgress && self.revision > 0;
        self.revision = item.revision;
        if is_text(item) {
            self.cut(shown_text(item).len(), &shown_text(item), is_growing);
        } else {
            self.rows = vec![Row { text: 0..0, height: self.rows.first().and_then(|row| row.height) }];
        }
        if !is_growing {
            self.output = Lines::default();
        }
        self.output.extend(item.output.as_deref().unwrap_or_default());
        self.diffs = item.changes.iter().map(DiffLayout::of).collect();
    }

    /// Cuts a text into rows. One that has grown keeps all but the last.
    fn cut(&mut self, len: usize, text: &str, is_growing: bool) {
        let last = self.rows.last().map_or(0, |row| row.text.start);
        let from = if is_growing && last <= len && text.is_char_boundary(last) { last } else { 0 };
        let kept = self.rows.iter().take_while(|row| row.text.start < from).count();
        let old = self.rows.split_off(kept);
        self.rows.extend(pieces(text, from, PIECE).into_iter().enumerate().map(|(at, text)| {
            // Better than an estimate, until it is shown.
            let height = old.get(at).and_then(|row| row.height);
            Row { text, height }
        }));
    }
}

impl DiffLayout {
    pub fn of(change: &FileUpdateChange) -> DiffLayout {
        let kind = match change.kind {
            PatchChangeKind::Add => "added",
            PatchChangeKind::Delete => "deleted",
            _ => "changed",
        };
        // The names of the files are in the title.
        let diff = change.unified_diff();
        let hunks = diff.find("\n@@").map_or(0, |at| at + 1);
        let text = diff[hunks..].to_owned();
        let count = |sign: char| text.lines().filter(|line| line.starts_with(sign)).count();
        let (added, removed) = (count('+'), count('-'));
        DiffLayout {
            title: format!("{} ({kind})", change.path),
            added,
            removed,
            lines: Lines::of(&text),
            text,
        }
    }
}

/// Whether an item is shown as its text.
pub fn is_text(item: &TranscriptItem) -> bool {
    match &item.kind {
        StepType::Codex | StepType::Thinking => true,
        StepType::Other(kind) => matches!(kind.as_str(), "userMessage" | "plan"),
        _ => false,
    }
}

/// The text of an item, as far as it is shown.
pub fn shown_text(item: &TranscriptItem) -> Cow<'_, str> {
    if item.text.len() <= MOST_TEXT {
        return item.text.as_str().into();
    }
    let mut end = MOST_TEXT;
    while !item.text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\n… {} more bytes are not shown.", &item.text[..end], item.text.len() - end).into()
}

/// Whether a turn has something to tell besides its items.
fn is_worth_telling(turn: &TranscriptTurn) -> bool {
    turn.error.is_some()
        || turn.notice.is_some()
        || !turn.warnings.is_empty()
        || turn.status == TurnStatus::Interrupted
        || turn.status == TurnStatus::InProgress
}
