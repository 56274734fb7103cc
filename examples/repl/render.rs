//! Items of a conversation as lines.
//!
//! Relies on `text`. Invariant: knows neither the terminal nor the client; the same item makes the same lines.

use std::time::Duration;

use codex_blocking::{StepStatus, StepType, TranscriptItem, protocol::PatchChangeKind};

use crate::text::{Line, Style, clean};

/// How many lines of a command's output are shown.
const OUTPUT_LINES: usize = 5;
/// How many lines of a diff are shown.
const DIFF_LINES: usize = 40;
/// How many lines of reasoning are shown.
const THOUGHT_LINES: usize = 3;

/// How items that grow while the model writes are shown line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prose {
    Message,
    Thought,
    Plan,
}

impl Prose {
    pub fn of(kind: &StepType) -> Option<Prose> {
        match kind {
            StepType::Codex => Some(Prose::Message),
            StepType::Thinking => Some(Prose::Thought),
            StepType::Other(kind) if kind == "plan" => Some(Prose::Plan),
            _ => None,
        }
    }

    fn style(self) -> Style {
        match self {
            Prose::Message | Prose::Plan => Style::Plain,
            Prose::Thought => Style::Dim,
        }
    }

    /// The line above the text.
    pub fn heading(self) -> Option<Line> {
        (self == Prose::Plan).then(|| Line::of(Style::Bold, "Proposed plan"))
    }
}

/// A text that is shown line by line, as Markdown.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    prose: Prose,
    in_code: bool,
    lines: usize,
}

impl Writer {
    pub fn new(prose: Prose) -> Writer {
        Writer { prose, in_code: false, lines: 0 }
    }

    /// The lines of the next part of the text, which ends with a line.
    pub fn lines(&mut self, text: &str) -> Vec<Line> {
        let text = clean(text);
        let mut lines = Vec::new();
        for line in text.strip_suffix('\n').unwrap_or(&text).split('\n') {
            self.lines += 1;
            if self.prose == Prose::Thought {
                match self.lines {
                    ..=THOUGHT_LINES => lines.push(self.line(line)),
                    _ if self.lines == THOUGHT_LINES + 1 => lines.push(Line::of(Style::Dim, "…")),
                    _ => {}
                }
            } else {
                lines.push(self.line(line));
            }
        }
        lines
    }

    fn line(&mut self, line: &str) -> Line {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if content.starts_with("```") {
            self.in_code = !self.in_code;
            return Line::of(Style::Dim, line);
        }
        if self.in_code {
            return Line::of(Style::Accent, line).hang(indent + 2);
        }
        let title = content.trim_start_matches('#');
        if (1..=6).contains(&(content.len() - title.len())) && title.starts_with(' ') {
            return Line::of(Style::Bold, title.trim_start());
        }
        let marker = ["- ", "* ", "+ ", "> "].iter().find(|marker| content.starts_with(**marker));
        let digits = content.len() - content.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let is_numbered = digits > 0 && content[digits..].starts_with(". ");
        let hang = match marker {
            Some(marker) => indent + marker.len(),
            None if is_numbered => indent + digits + 2,
            None => indent,
        };
        emphasised(line, self.prose.style()).hang(hang)
    }
}

/// A line in which `code` and **strong** words have a style, without their marks.
fn emphasised(line: &str, style: Style) -> Line {
    let mut styled = Line::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '*']) {
        let (mark, strong) = match &rest[at..] {
            text if text.starts_with("**") => ("**", Style::Bold),
            text if text.starts_with('`') => ("`", Style::Accent),
            _ => ("*", style),
        };
        let from = at + mark.len();
        let to = rest[from..].find(mark).filter(|length| *length > 0);
        match to.filter(|_| mark != "*") {
            Some(length) => {
                let strong = if style == Style::Dim { style } else { strong };
                styled = styled.and(style, &rest[..at]).and(strong, &rest[from..from + length]);
                rest = &rest[from + length + mark.len()..];
            }
            None => {
                styled = styled.and(style, &rest[..from]);
                rest = &rest[from..];
            }
        }
    }
    styled.and(style, rest)
}

/// An item that is shown as a whole. `seen` tells that the user has seen its changes already.
pub fn item(item: &TranscriptItem, took: Option<Duration>, seen: bool) -> Vec<Line> {
    match &item.kind {
        StepType::Exec => command(item, took),
        StepType::File => changes(item, seen),
        StepType::Tool => vec![tool(item)],
        StepType::Other(kind) if kind == "userMessage" => prompt(&item.text),
        StepType::Other(kind) if kind == "planUpdate" => plan(item),
        kind => match Prose::of(kind) {
            Some(prose) => prose.heading().into_iter().chain(Writer::new(prose).lines(&item.text)).collect(),
            None => vec![other(kind, &item.text)],
        },
    }
}

/// What the user said.
pub fn prompt(text: &str) -> Vec<Line> {
    let lines = clean(text);
    let lines = lines.lines().enumerate();
    let mark = |at| if at == 0 { "› " } else { "  " };
    lines.map(|(at, line)| Line::of(Style::Accent, mark(at)).and(Style::Plain, line).hang(2)).collect()
}

fn command(item: &TranscriptItem, took: Option<Duration>) -> Vec<Line> {
    let mut lines = command_line(&item.text);
    let output = clean(item.output.as_deref().unwrap_or_default());
    let output: Vec<&str> = output.trim_end().lines().collect();
    let folded = output.len().saturating_sub(OUTPUT_LINES);
    // A fold of one line would take its place.
    let folded = if folded == 1 { 0 } else { folded };
    if folded > 0 {
        lines.push(Line::of(Style::Dim, format!("│ … {folded} lines")));
    }
    lines.extend(output[folded..].iter().map(|line| Line::of(Style::Dim, format!("│ {line}")).cut()));
    lines.push(outcome(item, took));
    lines
}

/// A command without the shell that runs it.
pub fn command_line(command: &str) -> Vec<Line> {
    let script = script(command);
    let script = clean(&script);
    let mut lines: Vec<Line> = Vec::new();
    for (at, line) in script.trim_end().lines().enumerate() {
        let mark = if at == 0 { "$ " } else { "  " };
        lines.push(Line::of(Style::Accent, mark).and(Style::Bold, line).hang(2));
    }
    const MOST: usize = 8;
    if lines.len() > MOST {
        let left = lines.len() - MOST + 1;
        lines.truncate(MOST - 1);
        lines.push(Line::of(Style::Dim, format!("  … {left} lines")));
    }
    lines
}

/// The script of `bash -lc SCRIPT`; else the command itself.
pub fn script(command: &str) -> String {
    const SHELLS: [&str; 3] = ["bash", "sh", "zsh"];
    let words = shell_words::split(command).unwrap_or_default();
    let is_shell = |path: &str| {
        let name = ["/bin/", "/usr/bin/"].iter().find_map(|folder| path.strip_prefix(folder));
        SHELLS.contains(&name.unwrap_or(path))
    };
    match words.as_slice() {
        [shell, flag, script] if is_shell(shell) && (flag == "-lc" || flag == "-c") => script.clone(),
        _ => command.to_owned(),
    }
}

/// How a command ended, and how long it took.
fn outcome(item: &TranscriptItem, took: Option<Duration>) -> Line {
    let (style, text) = match (&item.status, item.exit_code) {
        (StepStatus::Declined, _) => (Style::Warn, "declined".to_owned()),
        (StepStatus::Abandoned, _) => (Style::Warn, "still runs, or was stopped".to_owned()),
        (StepStatus::InProgress, _) => (Style::Dim, "running".to_owned()),
        (_, Some(0)) => (Style::Good, "ok".to_owned()),
        (_, Some(code)) => (Style::Bad, format!("exit code {code}")),
        (status, None) => (Style::Warn, status.as_str().to_owned()),
    };
    let line = Line::of(Style::Dim, "└ ").and(style, text);
    match took {
        Some(took) => line.and(Style::Dim, format!(" · {}", duration(took))),
        None => line,
    }
}

fn changes(item: &TranscriptItem, seen: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in &item.changes {
        let diff = change.unified_diff();
        let hunks: Vec<&str> = hunks(&diff).collect();
        let count = |mark| hunks.iter().filter(|line| line.starts_with(mark)).count();
        let verb = match &change.kind {
            PatchChangeKind::Add => "add",
            PatchChangeKind::Delete => "delete",
            _ => "edit",
        };
        lines.push(
            Line::of(Style::Accent, "± ")
                .and(Style::Bold, format!("{verb} {}", change.path))
                .and(Style::Good, format!("  +{}", count('+')))
                .and(Style::Bad, format!(" −{}", count('-')))
                .hang(2),
        );
        if !seen {
            let folded = hunks.len().saturating_sub(DIFF_LINES);
            lines.extend(hunks[..hunks.len() - folded].iter().map(|line| diff_line(line)));
            if folded > 0 {
                lines.push(Line::of(Style::Dim, format!("  … {folded} lines")));
            }
        }
    }
    match item.status {
        StepStatus::Completed | StepStatus::InProgress => {}
        StepStatus::Declined => lines.push(Line::of(Style::Dim, "└ ").and(Style::Warn, "declined")),
        ref status => lines.push(Line::of(Style::Dim, "└ ").and(Style::Bad, status.as_str())),
    }
    lines
}

/// The lines of a unified diff without its headers.
pub fn hunks(diff: &str) -> impl Iterator<Item = &str> {
    let lines = diff.lines().skip_while(|line| !line.starts_with("@@"));
    lines.filter(|line| !line.starts_with("@@ -0,0") && !line.ends_with("+0,0 @@"))
}

pub fn diff_line(line: &str) -> Line {
    let style = match line.as_bytes().first() {
        Some(b'+') => Style::Good,
        Some(b'-') => Style::Bad,
        _ => Style::Dim,
    };
    Line::of(style, format!("  {line}")).hang(4)
}

fn plan(item: &TranscriptItem) -> Vec<Line> {
    let mut lines = vec![Line::of(Style::Bold, "Plan")];
    if !item.text.is_empty() {
        lines.push(Line::of(Style::Dim, &item.text));
    }
    lines.extend(item.plan.iter().map(|step| {
        let (mark, style) = match step.status.as_str() {
            "completed" => ("✓ ", Style::Good),
            "inProgress" => ("▸ ", Style::Accent),
            _ => ("○ ", Style::Dim),
        };
        let text = if style == Style::Good { Style::Dim } else { Style::Plain };
        Line::of(style, mark).and(text, &step.step).hang(2)
    }));
    lines
}

fn tool(item: &TranscriptItem) -> Line {
    let line = Line::of(Style::Accent, "* ").and(Style::Bold, &item.text).hang(2);
    match item.status {
        StepStatus::Completed | StepStatus::InProgress => line,
        ref status => line.and(Style::Warn, format!("  {}", status.as_str())),
    }
}

fn other(kind: &StepType, text: &str) -> Line {
    let name = match kind.as_str() {
        "webSearch" => "web search",
        "imageView" => "image",
        "contextCompaction" => "the conversation was compacted",
        "enteredReviewMode" => "review",
        "exitedReviewMode" => "end of the review",
        "subAgentActivity" | "collabAgentToolCall" | "subAgent" => "agent",
        name => name,
    };
    // The text of a review is a message too.
    let has_text = !text.is_empty() && kind.as_str() != "exitedReviewMode";
    let text = if has_text { format!("{name}: {text}") } else { name.to_owned() };
    Line::of(Style::Dim, format!("* {text}")).hang(2)
}

/// A duration in the unit that fits.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A number of tokens in few digits.
pub fn tokens(count: i64) -> String {
    match count {
        ..=9_999 => count.to_string(),
        10_000..=999_999 => format!("{:.1}k", count as f64 / 1e3),
        _ => format!("{:.1}M", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An item as a transcript has it.
    fn made(kind: &str, members: Value) -> TranscriptItem {
        let mut json = json!({
            "turn_id": "turn", "id": "item", "kind": kind, "status": "completed", "text": "", "output": null,
            "exit_code": null, "changes": [], "plan": [], "sub_agents": [], "revision": 1,
        });
        json.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        serde_json::from_value(json).unwrap()
    }

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn a_long_output_is_folded_to_its_last_lines() {
        let output: String = (1..=20).map(|number| format!("line {number}\n")).collect();
        let members = json!({ "text": "/bin/bash -lc 'make all'", "output": output, "exit_code": 2 });
        let lines = texts(&item(&made("exec", members), Some(Duration::from_millis(1250)), false));
        let expected = [
            "$ make all",
            "│ … 15 lines",
            "│ line 16",
            "│ line 17",
            "│ line 18",
            "│ line 19",
            "│ line 20",
            "└ exit code 2 · 1.2 s",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_fold_hides_more_than_one_line() {
        let members = json!({ "text": "ls", "output": "1\n2\n3\n4\n5\n6\n", "exit_code": 0 });
        let lines = texts(&item(&made("exec", members), None, false));
        assert_eq!(lines, ["$ ls", "│ 1", "│ 2", "│ 3", "│ 4", "│ 5", "│ 6", "└ ok"]);
    }

    #[test]
    fn an_output_cannot_control_the_terminal() {
        let members = json!({ "text": "cat x", "output": "\u{1b}[2J\u{1b}]52;c;eA==\u{7}safe\u{8}\n" });
        assert_eq!(texts(&item(&made("exec", members), None, false))[1], "│ safe");
    }

    #[test]
    fn only_the_shells_of_the_system_are_left_out() {
        assert_eq!(script("/bin/bash -lc 'echo hi'"), "echo hi");
        assert_eq!(script("bash -c 'a; b'"), "a; b");
        assert_eq!(script("/tmp/bash -lc 'echo hi'"), "/tmp/bash -lc 'echo hi'");
        assert_eq!(script("/bin/bash -lc 'echo hi' more"), "/bin/bash -lc 'echo hi' more");
        assert_eq!(script("echo 'not closed"), "echo 'not closed");
    }

    #[test]
    fn a_change_shows_its_diff_and_how_many_lines_it_has() {
        let change = json!({
            "path": "/w/a.txt", "kind": { "type": "update" }, "diff": "@@ -1,2 +1,2 @@\n same\n-old\n+new\n",
        });
        let change = made("file", json!({ "changes": [change] }));
        let lines = item(&change, None, false);
        assert_eq!(
            texts(&lines),
            ["± edit /w/a.txt  +1 −1", "  @@ -1,2 +1,2 @@", "   same", "  -old", "  +new"]
        );
        let style = |at: usize| lines[at].rows(None)[0][0].style;
        assert_eq!((style(2), style(3), style(4)), (Style::Dim, Style::Bad, Style::Good));
        assert_eq!(texts(&item(&change, None, true)), ["± edit /w/a.txt  +1 −1"]);
    }

    #[test]
    fn a_new_file_is_shown_without_a_hunk_header() {
        let change = json!({ "path": "/w/a", "kind": { "type": "add" }, "diff": "one\ntwo\n" });
        let lines = texts(&item(&made("file", json!({ "changes": [change] })), None, false));
        assert_eq!(lines, ["± add /w/a  +2 −0", "  +one", "  +two"]);
    }

    #[test]
    fn marks_of_markdown_become_styles() {
        let line = Writer::new(Prose::Message).lines("use `ls` and **care**, 2 * 3 ` x\n").remove(0);
        assert_eq!(line.text(), "use ls and care, 2 * 3 ` x");
        let styles: Vec<Style> = line.rows(None)[0].iter().map(|span| span.style).collect();
        assert!(styles.contains(&Style::Accent) && styles.contains(&Style::Bold));
    }

    #[test]
    fn code_keeps_its_marks_and_its_block_goes_on_in_the_next_part() {
        let mut writer = Writer::new(Prose::Message);
        writer.lines("```rust\n");
        assert_eq!(texts(&writer.lines("let a = **b;\n")), ["let a = **b;"]);
        writer.lines("```\n");
        assert_eq!(texts(&writer.lines("# Title\n- item\n")), ["Title", "- item"]);
    }

    #[test]
    fn reasoning_is_folded_to_its_first_lines() {
        let thought = made("thinking", json!({ "text": "1\n2\n3\n4\n5\n" }));
        assert_eq!(texts(&item(&thought, None, false)), ["1", "2", "3", "…"]);
    }

    #[test]
    fn a_plan_shows_how_far_it_is() {
        let step = |text: &str, status: &str| json!({ "step": text, "status": status });
        let steps = [step("read", "completed"), step("write", "inProgress"), step("test", "pending")];
        let lines = texts(&item(&made("planUpdate", json!({ "plan": steps })), None, false));
        assert_eq!(lines, ["Plan", "✓ read", "▸ write", "○ test"]);
    }

    #[test]
    fn durations_and_numbers_are_short() {
        let of = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!([of(0.34), of(12.9), of(75.0), of(3700.0)], ["0.3 s", "12 s", "1 min 15 s", "1 h 1 min"]);
        assert_eq!([tokens(950), tokens(12_345), tokens(2_500_000)], ["950", "12.3k", "2.5M"]);
    }
}
