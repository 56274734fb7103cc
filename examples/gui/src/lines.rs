//! The lines of a text that may be huge: found once, extended when the text grows.
//!
//! Relies on nothing. Invariant: showing a line costs the same whatever the text, and a line has no control characters.

use std::{borrow::Cow, ops::Range};

/// How much of a long line is shown, in bytes.
const LONGEST: usize = 400;

/// The positions of the lines of a text.
#[derive(Default)]
pub struct Lines {
    starts: Vec<usize>,
    /// How much of the text has been looked at.
    len: usize,
}

impl Lines {
    pub fn of(text: &str) -> Lines {
        let mut lines = Lines::default();
        lines.extend(text);
        lines
    }

    /// Looks at what the text has more than before.
    pub fn extend(&mut self, text: &str) {
        if self.len > text.len() {
            *self = Lines::default();
        }
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        let new = &text.as_bytes()[self.len..];
        let ends = new.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        self.starts.extend(ends.map(|(at, _)| self.len + at + 1));
        self.len = text.len();
    }

    pub fn count(&self) -> usize {
        // What ends with a line break has no further line.
        let is_ended = self.starts.last().is_some_and(|last| *last == self.len);
        self.starts.len() - usize::from(is_ended && !self.starts.is_empty())
    }

    fn range(&self, line: usize) -> Range<usize> {
        let start = self.starts[line];
        let end = self.starts.get(line + 1).map_or(self.len, |next| next - 1);
        start..end
    }

    /// A line as it is shown.
    pub fn get<'a>(&self, text: &'a str, line: usize) -> Cow<'a, str> {
        shown(text.get(self.range(line)).unwrap_or_default())
    }
}

/// One line without what a screen can't show: tabs, colours of terminals, control characters, what is too long.
pub fn shown(line: &str) -> Cow<'_, str> {
    if line.len() <= LONGEST && !line.chars().any(char::is_control) {
        return line.into();
    }
    let mut plain = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\t' => plain.push_str("    "),
            '\r' => {}
            // `ESC [ … letter`
            '\u{1b}' => {
                if letters.next() == Some('[') {
                    letters.find(char::is_ascii_alphabetic);
                }
            }
            _ if letter.is_control() => plain.push('\u{fffd}'),
            _ => plain.push(letter),
        }
        if plain.len() > LONGEST {
            plain.push_str(" …");
            break;
        }
    }
    plain.into()
}

/// Cuts a text into pieces of about `size` bytes, at line breaks if there are any, else at spaces.
pub fn pieces(text: &str, from: usize, size: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = from;
    while text.len() - start > size {
        let mut limit = start + size;
        while !text.is_char_boundary(limit) {
            limit -= 1;
        }
        let part = &text[start..limit];
        let end = part.rfind('\n').or_else(|| part.rfind(' ')).map_or(limit, |at| start + at + 1);
        pieces.push(start..end);
        start = end;
    }
    if start < text.len() || pieces.is_empty() {
        pieces.push(start..text.len());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_grows_has_the_lines_of_the_whole() {
        let text = "one\n\ntwo\r\nthree";
        let mut lines = Lines::default();
        for end in 0..=text.len() {
            lines.extend(&text[..end]);
            assert_eq!(lines.count(), text[..end].lines().count(), "{:?}", &text[..end]);
        }
        let shown: Vec<_> = (0..lines.count()).map(|line| lines.get(text, line)).collect();
        assert_eq!(shown, ["one", "", "two", "three"]);
    }

    #[test]
    fn a_text_that_was_replaced_by_a_shorter_one_is_looked_at_again() {
        let mut lines = Lines::of("one\ntwo\nthree\n");
        lines.extend("four");
        assert_eq!((lines.count(), &*lines.get("four", 0)), (1, "four"));
    }

    #[test]
    fn what_a_screen_cant_show_is_not_in_a_line() {
        assert_eq!(shown("\u{1b}[1;31mred\u{1b}[0m\tand\u{7} more"), "red    and\u{fffd} more");
        assert!(shown(&"ü".repeat(10_000)).len() < 500);
    }

    #[test]
    fn pieces_are_a_text_without_gaps() {
        for text in ["", "short", &"word ".repeat(1000), &"ü".repeat(1000), &"line\n".repeat(1000)] {
            let pieces = pieces(text, 0, 101);
            assert!(pieces.iter().all(|piece| piece.len() <= 101));
            let joined: String = pieces.into_iter().map(|piece| &text[piece]).collect();
            assert_eq!(joined, text);
        }
    }
}
