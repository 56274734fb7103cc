//! The terminal: lines that stay, and below them a few rows that are drawn again and again.
//!
//! Relies on crossterm for the size. Invariant: what is no terminal gets plain lines, without an escape sequence
//! and without the rows that don't stay.

use std::io::{self, IsTerminal, Write};

use crate::text::{Line, Row, Style, row_width};

pub struct Screen {
    out: io::Stdout,
    is_terminal: bool,
    has_colour: bool,
    /// The rows at the bottom, as drawn.
    live: Vec<Row>,
    /// The width that they were drawn for.
    drawn_for: usize,
    /// The last line that stays is empty, or there is none.
    is_apart: bool,
}

impl Screen {
    pub fn new() -> Screen {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_terminal = io::stdout().is_terminal() && !is_dumb;
        // https://no-color.org
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let has_colour = is_terminal && !is_refused;
        Screen { out: io::stdout(), is_terminal, has_colour, live: Vec::new(), drawn_for: 0, is_apart: true }
    }

    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub fn has_colour(&self) -> bool {
        self.has_colour
    }

    /// The width for text. A column stays free: a row that is full wraps on some terminals.
    pub fn width(&self) -> Option<usize> {
        self.is_terminal.then(|| self.size().0)
    }

    pub fn height(&self) -> usize {
        self.size().1
    }

    fn size(&self) -> (usize, usize) {
        let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
        (usize::from(columns.max(2)) - 1, usize::from(rows.max(2)))
    }

    /// The user has typed a line, which stays.
    pub fn has_line(&mut self) {
        self.is_apart = false;
    }

    /// Prints lines that stay.
    pub fn print(&mut self, lines: &[Line]) -> io::Result<()> {
        self.frame(lines, &[])
    }

    /// Prints lines that stay, and draws the rows at the bottom, in the place of those of the last frame.
    ///
    /// Of several gaps, one is printed: whatever comes before, a block stands apart.
    pub fn frame(&mut self, lines: &[Line], live: &[Line]) -> io::Result<()> {
        let width = self.width();
        let mut rows: Vec<Row> = Vec::new();
        for line in lines {
            if self.is_apart && line.is_gap() {
                continue;
            }
            rows.extend(line.rows(width));
            self.is_apart = rows.last().is_some_and(|row| row_width(row) == 0);
        }
        if !self.is_terminal {
            let mut text = String::new();
            for row in rows {
                text.extend(row.iter().map(|span| span.text.as_str()));
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
            }
            return self.write(&text);
        }
        let now = width.unwrap_or(1);
        let live = live.iter().skip_while(|line| self.is_apart && line.is_gap());
        let mut live: Vec<Row> = live.flat_map(|line| line.rows(width)).collect();
        // Rows above the window can't be drawn again.
        let room = self.height() - 1;
        live.drain(..live.len().saturating_sub(room));
        if rows.is_empty() && live == self.live && now == self.drawn_for {
            return Ok(());
        }
        // Together, so that nothing flickers.
        let mut text = String::from("\x1b[?2026h");
        self.erase(&mut text, now + 1);
        for row in rows {
            self.put(&mut text, &row);
            text.push_str("\r\n");
        }
        if !live.is_empty() {
            text.push_str("\x1b[?25l");
        }
        for (at, row) in live.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "\r\n" });
            self.put(&mut text, row);
        }
        if live.is_empty() && !self.live.is_empty() {
            text.push_str("\x1b[?25h");
        }
        text.push_str("\x1b[?2026l");
        self.live = live;
        self.drawn_for = now;
        self.write(&text)
    }

    /// Goes back to where the rows at the bottom begin, and clears from there. A window that has become narrower has
    /// broken them.
    fn erase(&self, text: &mut String, columns: usize) {
        let rows = rows_in(columns, &self.live);
        text.push('\r');
        if rows > 1 {
            text.push_str(&format!("\x1b[{}A", rows - 1));
        }
        if !self.live.is_empty() {
            text.push_str("\x1b[J");
        }
    }

    fn put(&self, text: &mut String, row: &Row) {
        for span in row {
            let code = if self.has_colour { code(span.style) } else { "" };
            if code.is_empty() {
                text.push_str(&span.text);
            } else {
                text.push_str(&format!("\x1b[{code}m{}\x1b[0m", span.text));
            }
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let mut out = self.out.lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What fails here has failed before.
        let _ = self.frame(&[], &[]);
    }
}

/// How many rows these take in a window of this width, which breaks those that are wider.
fn rows_in(columns: usize, rows: &[Row]) -> usize {
    rows.iter().map(|row| row_width(row).div_ceil(columns).max(1)).sum()
}

/// The colours of the terminal's own palette, so that they fit a light and a dark one.
pub fn code(style: Style) -> &'static str {
    match style {
        Style::Plain => "",
        Style::Dim => "2",
        Style::Bold => "1",
        Style::Accent => "36",
        Style::Good => "32",
        Style::Bad => "31",
        Style::Warn => "33",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_window_has_broken_the_rows_that_are_erased() {
        let rows = Line::of(Style::Plain, "ten lette2 ten lette2").rows(Some(10));
        assert_eq!([10, 9, 5, 3].map(|columns| rows_in(columns, &rows)), [2, 4, 4, 8]);
        assert_eq!(rows_in(10, &[Row::new()]), 1);
    }
}
