//! Styled text: what is safe to print, how wide it is, and how it breaks into rows.
//!
//! Relies on unicode-width. Invariant: no control character that came from outside gets into a `Span`.

use unicode_width::UnicodeWidthChar;

/// The few styles of the program. A terminal shows them in its own colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Dim,
    Bold,
    Accent,
    Good,
    Bad,
    Warn,
}

/// A piece of text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub style: Style,
    pub text: String,
}

/// What happens to a line that is wider than the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Wrap,
    Cut,
    /// Is left to the terminal.
    Whole,
}

/// A line before it is fitted to a width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    spans: Vec<Span>,
    /// The columns by which the further rows are indented.
    hang: usize,
    fit: Fit,
}

/// A line of the screen.
pub type Row = Vec<Span>;

impl Line {
    /// A line without text; by itself, it is a gap between blocks.
    pub fn new() -> Line {
        Line { spans: Vec::new(), hang: 0, fit: Fit::Wrap }
    }

    pub fn of(style: Style, text: impl AsRef<str>) -> Line {
        Line::new().and(style, text)
    }

    pub fn is_gap(&self) -> bool {
        self.spans.is_empty()
    }

    /// A row that was fitted already.
    pub fn of_row(row: Row) -> Line {
        Line { spans: row, hang: 0, fit: Fit::Cut }
    }

    /// Adds text. Its control characters are removed.
    pub fn and(mut self, style: Style, text: impl AsRef<str>) -> Line {
        self.spans.push(Span { style, text: clean(text.as_ref()).replace('\n', " ") });
        self
    }

    /// Indents the rows after the first.
    pub fn hang(mut self, columns: usize) -> Line {
        self.hang = columns;
        self
    }

    /// Is cut off where the window ends.
    pub fn cut(mut self) -> Line {
        self.fit = Fit::Cut;
        self
    }

    /// Is broken by the terminal itself, if at all: what is to be copied, such as a link. Not for rows that are drawn
    /// again.
    pub fn whole(mut self) -> Line {
        self.fit = Fit::Whole;
        self
    }

    /// The text without styles.
    #[cfg(test)]
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// The rows of the line in a window of this width; without one, it is a single row.
    pub fn rows(&self, width: Option<usize>) -> Vec<Row> {
        match (width, self.fit) {
            (None, _) | (_, Fit::Whole) => vec![self.spans.clone()],
            (Some(width), Fit::Cut) => vec![cut(&self.spans, width.max(1))],
            (Some(width), Fit::Wrap) => wrap(&self.spans, width.max(1), self.hang),
        }
    }
}

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

pub fn row_width(row: &Row) -> usize {
    row.iter().map(|span| width(&span.text)).sum()
}

fn columns(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

/// Cuts a text to a number of columns, with an ellipsis.
pub fn shortened(text: &str, limit: usize) -> String {
    let spans = [Span { style: Style::Plain, text: text.to_owned() }];
    cut(&spans, limit.max(1)).into_iter().map(|span| span.text).collect()
}

fn cut(spans: &[Span], limit: usize) -> Row {
    if spans.iter().map(|span| width(&span.text)).sum::<usize>() <= limit {
        return spans.to_vec();
    }
    let mut row = Builder::default();
    for (letter, style) in letters(spans) {
        if row.width + columns(letter) > limit - 1 {
            row.push('…', style);
            break;
        }
        row.push(letter, style);
    }
    row.spans
}

/// Breaks at spaces where possible. A word that is wider than the window is broken anywhere.
fn wrap(spans: &[Span], limit: usize, hang: usize) -> Vec<Row> {
    // An indentation needs room for text beside it.
    let hang = if hang * 2 < limit { hang } else { 0 };
    let text: Vec<(char, Style)> = letters(spans).collect();
    let mut rows = Vec::new();
    let mut row = Builder::default();
    let mut at = 0;
    while at < text.len() {
        let is_space = text[at].0 == ' ';
        let end = text[at..].iter().position(|(letter, _)| (*letter == ' ') != is_space);
        let word = &text[at..end.map_or(text.len(), |length| at + length)];
        at += word.len();
        let needed: usize = word.iter().map(|(letter, _)| columns(*letter)).sum();
        let is_full = row.width + needed > limit;
        if is_space && is_full {
            // The break takes the place of the spaces.
            rows.push(row.finish(hang));
            continue;
        }
        if is_full && row.has_text {
            rows.push(row.finish(hang));
        }
        for (letter, style) in word {
            if row.width + columns(*letter) > limit && row.has_text {
                rows.push(row.finish(hang));
            }
            row.push(*letter, *style);
            row.has_text |= !is_space;
        }
    }
    if row.has_text || rows.is_empty() {
        rows.push(row.spans);
    }
    rows
}

fn letters(spans: &[Span]) -> impl Iterator<Item = (char, Style)> {
    spans.iter().flat_map(|span| span.text.chars().map(|letter| (letter, span.style)))
}

/// A row in the making.
#[derive(Default)]
struct Builder {
    spans: Row,
    width: usize,
    has_text: bool,
}

impl Builder {
    fn push(&mut self, letter: char, style: Style) {
        self.width += columns(letter);
        match self.spans.last_mut().filter(|span| span.style == style) {
            Some(span) => span.text.push(letter),
            None => self.spans.push(Span { style, text: letter.into() }),
        }
    }

    /// Returns the row without spaces at its end, and begins the next one.
    fn finish(&mut self, hang: usize) -> Row {
        let mut done = std::mem::take(self).spans;
        while let Some(span) = done.last_mut() {
            span.text.truncate(span.text.trim_end_matches(' ').len());
            if !span.text.is_empty() {
                break;
            }
            done.pop();
        }
        (0..hang).for_each(|_| self.push(' ', Style::Plain));
        done
    }
}

/// A text without escape sequences and control characters, except for line breaks. Tabs are spaces.
///
/// A peer that could print these would control the terminal. What a carriage return would overwrite is left out,
/// as a terminal shows it.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut line = 0;
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => {
                clean.push('\n');
                line = clean.len();
            }
            '\r' if matches!(letters.peek(), Some('\r' | '\n') | None) => {}
            '\r' => clean.truncate(line),
            '\t' => {
                let column = width(&clean[line..]);
                (0..4 - column % 4).for_each(|_| clean.push(' '));
            }
            '\u{1b}' => skip_escape(&mut letters),
            '\u{9b}' => skip_control(&mut letters),
            _ if is_control(letter) => {}
            _ => clean.push(letter),
        }
    }
    clean
}

/// Like `clean`, but shows where something was. For what the user approves: nothing may hide there.
pub fn shown(text: &str) -> String {
    let replace = |letter| match letter {
        '\t' => ' ',
        '\n' => '\n',
        _ if is_control(letter) || is_invisible(letter) => '\u{fffd}',
        _ => letter,
    };
    text.chars().map(replace).collect()
}

/// Control characters, and those that reorder what is around them.
fn is_control(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters without a width. Some scripts and emojis need them.
fn is_invisible(letter: char) -> bool {
    columns(letter) == 0
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows ESC. A sequence ends with its line at the latest, so that it hides no more.
fn skip_escape(letters: &mut Letters<'_>) {
    match letters.peek() {
        Some('[') => {
            letters.next();
            skip_control(letters);
        }
        // Strings: titles, links, the clipboard, …
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(letter) = letters.next_if(|letter| *letter != '\n') {
                match letter {
                    '\u{7}' | '\u{9c}' => break,
                    '\u{1b}' => {
                        letters.next_if_eq(&'\\');
                        break;
                    }
                    _ => {}
                }
            }
        }
        Some(' '..='/') => {
            while letters.next_if(|letter| matches!(letter, ' '..='/')).is_some() {}
            letters.next_if(|letter| !letter.is_control());
        }
        _ => drop(letters.next_if(|letter| matches!(letter, '0'..='~'))),
    }
}

/// Skips the parameters and the end of a control sequence.
fn skip_control(letters: &mut Letters<'_>) {
    while letters.next_if(|letter| matches!(letter, ' '..='?')).is_some() {}
    letters.next_if(|letter| matches!(letter, '@'..='~'));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize, hang: usize) -> Vec<String> {
        let rows = Line::of(Style::Plain, text).hang(hang).rows(Some(width));
        rows.iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("one two three", 8, 0), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 7, 0), ["one two", "three"]);
        assert_eq!(wrapped("", 8, 0), [""]);
        assert_eq!(wrapped("exactly8", 8, 0), ["exactly8"]);
    }

    #[test]
    fn further_rows_are_indented() {
        assert_eq!(wrapped("- one two three", 9, 2), ["- one two", "  three"]);
    }

    #[test]
    fn a_word_that_is_too_wide_is_broken() {
        assert_eq!(wrapped("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("a bcdefghij", 5, 0), ["a", "bcdef", "ghij"]);
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(wrapped("日本語 日本", 6, 0), ["日本語", "日本"]);
        assert_eq!(wrapped("日本語", 5, 0), ["日本", "語"]);
    }

    #[test]
    fn no_row_is_wider_than_the_window() {
        let text = "a word, 日本語, and-a-very-long-word-that-does-not-end  with   spaces ";
        for width in 1..40 {
            for row in Line::of(Style::Plain, text).hang(3).rows(Some(width)) {
                assert!(row_width(&row) <= width.max(2), "{row:?} in {width}");
            }
        }
    }

    #[test]
    fn a_style_survives_a_break() {
        let rows = Line::of(Style::Plain, "a ").and(Style::Bold, "b c").rows(Some(3));
        let bold = |text: &str| Span { style: Style::Bold, text: text.to_owned() };
        assert_eq!(rows[0], [Span { style: Style::Plain, text: "a ".to_owned() }, bold("b")]);
        assert_eq!(rows[1], [bold("c")]);
    }

    #[test]
    fn a_line_that_is_cut_ends_with_an_ellipsis() {
        assert_eq!(shortened("abcdef", 4), "abc…");
        assert_eq!(shortened("abcd", 4), "abcd");
        assert_eq!(shortened("日本語", 4), "日…");
    }

    #[test]
    fn escape_sequences_are_removed_whole() {
        assert_eq!(clean("a\x1b[31mred\x1b[0m b"), "ared b");
        assert_eq!(clean("\x1b]0;title\x07x\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\"), "xlink");
        assert_eq!(clean("\x1bPq#0\x1b\\x \x1b(Bx \x1bcx \u{9b}2Jx"), "x x x x");
        assert_eq!(clean("\x1b]0;never ends\nnext"), "\nnext");
        assert_eq!(clean("half \x1b["), "half ");
    }

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(clean("a\x07\x08b\u{202e}c\u{85}d\x7f"), "abcd");
        assert_eq!(clean("a\tb\n\tc"), "a   b\n    c");
    }

    #[test]
    fn a_carriage_return_overwrites_the_line() {
        assert_eq!(clean("10 %\r50 %\rdone\r\nnext\r"), "done\nnext");
    }

    #[test]
    fn what_is_approved_hides_nothing() {
        assert_eq!(shown("rm x\r\x1b[2Kls\u{202e}"), "rm x\u{fffd}\u{fffd}[2Kls\u{fffd}");
    }

    #[test]
    fn a_line_contains_no_control_characters() {
        assert_eq!(Line::of(Style::Plain, "a\nb\x1b[1m").text(), "a b");
    }
}
