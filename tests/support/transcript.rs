//! The law of transcripts: what the events made is what history has.
//!
//! Relies on the public API only.

use codex_blocking::{Transcript, TranscriptItem};

/// The parts of an item that the law is about.
pub(crate) fn shown(item: &TranscriptItem) -> impl PartialEq + std::fmt::Debug + '_ {
    let TranscriptItem { id, kind, status, text, output, exit_code, changes, .. } = item;
    (id, kind, status, text, output, exit_code, changes)
}

/// Every item of history is in what the events made, and equal there.
#[track_caller]
pub(crate) fn assert_law(of_events: &Transcript, of_history: &Transcript) {
    assert_law_but_for(of_events, of_history, |_| false);
}

/// The same, but for the items that history has in another form.
#[track_caller]
pub(crate) fn assert_law_but_for(
    of_events: &Transcript,
    of_history: &Transcript,
    is_other: impl Fn(&TranscriptItem) -> bool,
) {
    assert!(!of_history.items().is_empty(), "history is empty");
    for item in of_history.items().iter().filter(|item| !is_other(item)) {
        let is_it = |of_events: &&TranscriptItem| of_events.id == item.id && of_events.kind == item.kind;
        let found: Vec<_> = of_events.items().iter().filter(is_it).map(shown).collect();
        assert_eq!(found, [shown(item)], "{of_events:#?}");
    }
}
