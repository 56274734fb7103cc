//! Events as they are stored: many small ones in one block of text, a large one in the buffer in which it
//! arrived.
//!
//! Relies on `kind` and on the mailbox that carries the blocks. Invariant: an event's text is copied at most
//! once, and the positions of its parts are recorded, not searched for again.

use std::{collections::VecDeque, sync::Arc};

use super::kind::Kind;
use crate::rpc::Weighed;

const SMALLEST_BLOCK: usize = 1024;
const LARGEST_BLOCK: usize = 64 * 1024;
/// An event of at least this many bytes gets its own block, so that a step or event that keeps a part of it
/// keeps nothing else.
const LARGE_EVENT: usize = 8 * 1024;

/// Consecutive events, stored as one text.
#[derive(Debug)]
pub(crate) struct Block {
    text: BlockText,
    marks: Vec<Mark>,
}

#[derive(Debug)]
enum BlockText {
    /// Events are appended.
    Own(String),
    /// One event, in the buffer it was received in.
    Shared(Arc<String>),
}

/// An event in a block, and the positions of its parts, recorded when it arrived.
#[derive(Debug, Clone, Copy)]
struct Mark {
    kind: Kind,
    end: u32,
    item_id: Span,
    body: Span,
}

/// Start and end in a block's text, in bytes. An empty span means that the part is absent.
pub(crate) type Span = (u32, u32);

/// An event, when it arrives or when it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// `params.itemId` and `params.item` or `params.delta`, as JSON; slices of the text.
    pub(crate) item_id: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
    /// The owner of the text, if the event arrived in its own buffer.
    pub(crate) owner: Option<&'a Arc<String>>,
}

impl Event<'_> {
    /// The position of a part in the block, for an event whose text begins at `start`.
    fn span(&self, part: Option<&str>, start: usize) -> Span {
        let Some(part) = part else { return (0, 0) };
        let at = start + offset(self.text, part);
        (position(at), position(at + part.len()))
    }
}

/// The offset of `part`, which borrows from `text`.
pub(super) fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// The dispatcher rejects frames of 4 GiB or more, so the position fits.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Block {
    /// Adds an event to the newest block if it is open and has room, or starts a new one.
    pub(super) fn add(blocks: &mut VecDeque<Block>, is_open: &mut bool, event: &Event<'_>) {
        let length = event.text.len();
        let newest = blocks.back_mut().filter(|_| *is_open);
        let last_size = newest.as_ref().map_or(0, |block| block.size());
        if let Some(block) = newest.filter(|block| block.room() >= length) {
            return block.push(event);
        }
        if let Some(owner) = event.owner {
            let mut block =
                Block { text: BlockText::Shared(Arc::clone(owner)), marks: Vec::with_capacity(1) };
            block.mark(event, 0, length);
            blocks.push_back(block);
            *is_open = false;
            return;
        }
        let size = match length {
            LARGE_EVENT.. => length,
            _ => (last_size * 2).clamp(SMALLEST_BLOCK, LARGEST_BLOCK).max(length),
        };
        let mut block = Block { text: BlockText::Own(String::with_capacity(size)), marks: Vec::new() };
        block.push(event);
        blocks.push_back(block);
        *is_open = true;
    }

    /// A text that is no longer an event to be read.
    pub(super) fn of_text(text: String) -> Block {
        Block { text: BlockText::Own(text), marks: Vec::new() }
    }

    fn room(&self) -> usize {
        match &self.text {
            BlockText::Own(text) => text.capacity() - text.len(),
            BlockText::Shared(_) => 0,
        }
    }

    fn push(&mut self, event: &Event<'_>) {
        if let BlockText::Own(text) = &mut self.text {
            let start = text.len();
            text.push_str(event.text);
            let end = text.len();
            self.mark(event, start, end);
        }
    }

    fn mark(&mut self, event: &Event<'_>, start: usize, end: usize) {
        self.marks.push(Mark {
            kind: event.kind,
            end: position(end),
            item_id: event.span(event.item_id, start),
            body: event.span(event.body, start),
        });
    }

    fn all_text(&self) -> &str {
        match &self.text {
            BlockText::Own(text) => text,
            BlockText::Shared(text) => text,
        }
    }

    /// The number of events.
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn event(&self, index: usize) -> Event<'_> {
        let Mark { kind, item_id, body, .. } = self.marks[index];
        let part = |span: Span| (span.1 > 0).then(|| self.text(span));
        let owner = match &self.text {
            BlockText::Own(_) => None,
            BlockText::Shared(owner) => Some(owner),
        };
        Event { kind, text: self.text(self.span(index)), item_id: part(item_id), body: part(body), owner }
    }

    /// The position of an event.
    pub(super) fn span(&self, index: usize) -> Span {
        let start = index.checked_sub(1).map_or(0, |before| self.marks[before].end);
        (start, self.marks[index].end)
    }

    /// The position of an event's item or delta.
    pub(super) fn body_span(&self, index: usize) -> Span {
        self.marks[index].body
    }

    pub(super) fn text(&self, (start, end): Span) -> &str {
        &self.all_text()[start as usize..end as usize]
    }

    /// The bytes allocated for the block's text.
    pub(super) fn size(&self) -> usize {
        match &self.text {
            BlockText::Own(text) => text.capacity(),
            BlockText::Shared(text) => text.len(),
        }
    }
}

impl Weighed for Block {
    fn bytes(&self) -> usize {
        self.all_text().len()
    }
}
