//! The commands that begin with a slash.
//!
//! Relies on `app` for the conversation and for waiting. Invariant: a command that can't do what it says returns an
//! error; none changes files.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use codex_blocking::{
    Client, ListModels, ListThreads, ReasoningEffort, ReviewTarget, ThreadConfig, Transcript,
    protocol::{RateLimitWindow, Thread},
};

use crate::{
    app::{App, Result},
    render::{self, tokens},
    text::{Line, Style, clean, shortened, width},
};

pub struct Command {
    pub name: &'static str,
    takes: &'static str,
    does: &'static str,
    run: fn(&mut App, &str) -> Result<()>,
}

pub const ALL: &[Command] = &[
    Command { name: "/model", takes: "[NAME [EFFORT]]", does: "list the models, or use one", run: model },
    Command { name: "/new", takes: "", does: "begin a new conversation", run: new },
    Command { name: "/threads", takes: "", does: "list the latest conversations", run: threads },
    Command { name: "/resume", takes: "[NUMBER|ID]", does: "go on with a conversation", run: resume },
    Command { name: "/fork", takes: "", does: "go on in a copy of this conversation", run: fork },
    Command { name: "/undo", takes: "", does: "forget the last turn; files stay as they are", run: undo },
    Command {
        name: "/review",
        takes: "[base BRANCH|commit SHA|TEXT]",
        does: "review the changes in the folder, or others",
        run: review,
    },
    Command { name: "/plan", takes: "TEXT", does: "let the agent propose a plan", run: plan },
    Command {
        name: "/compact",
        takes: "",
        does: "make the conversation shorter for the model",
        run: compact,
    },
    Command {
        name: "/login",
        takes: "[device]",
        does: "log in with ChatGPT, here or on another device",
        run: login,
    },
    Command { name: "/usage", takes: "", does: "show the tokens used, and the limits", run: usage },
    Command { name: "/help", takes: "", does: "list the commands", run: help },
    Command { name: "/quit", takes: "", does: "leave; ctrl-d does too", run: quit },
];

/// How many turns of a resumed conversation are shown.
const TURNS_SHOWN: usize = 2;

pub fn run(app: &mut App, line: &str) -> Result<()> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match ALL.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(app, rest.trim()),
        None => Err(format!("there is no command {name}: /help lists them").into()),
    }
}

fn help(app: &mut App, _: &str) -> Result<()> {
    let usage = |command: &Command| format!("{} {}", command.name, command.takes);
    let widest = ALL.iter().map(|command| usage(command).len()).max().unwrap_or_default();
    let mut lines = vec![Line::new()];
    lines.extend(ALL.iter().map(|command| {
        let space = " ".repeat(widest + 2 - usage(command).len());
        Line::of(Style::Accent, command.name)
            .and(Style::Plain, format!(" {}{space}", command.takes))
            .and(Style::Dim, command.does)
            .hang(widest + 2)
    }));
    lines.push(Line::new());
    lines.push(Line::of(
        Style::Dim,
        "ctrl-c interrupts a turn, and leaves at the second time or when nothing runs",
    ));
    lines.push(Line::of(
        Style::Dim,
        "alt-enter, ctrl-j or a backslash at the end of a line begins a new line",
    ));
    app.print(&lines)
}

fn quit(app: &mut App, _: &str) -> Result<()> {
    app.leave();
    Ok(())
}

/// A line that tells what a command did.
fn say(app: &mut App, text: impl AsRef<str>) -> Result<()> {
    app.print(&[Line::new(), Line::of(Style::Plain, text)])
}

fn model(app: &mut App, rest: &str) -> Result<()> {
    let mut words = rest.split_whitespace();
    let Some(name) = words.next() else {
        let models = app.call("listing", |client| client.list_models(ListModels::new()))?;
        if models.data.is_empty() {
            return say(app, "The server lists no models.");
        }
        let widest = models.data.iter().map(|model| width(&model.model)).max().unwrap_or_default();
        let mut lines = vec![Line::new()];
        lines.extend(models.data.iter().map(|model| {
            let space = " ".repeat(widest + 2 - width(&model.model));
            let default = if model.is_default { "  (default)" } else { "" };
            Line::of(Style::Accent, &model.model)
                .and(Style::Dim, format!("{space}{}{default}", model.description))
                .hang(widest + 2)
        }));
        return app.print(&lines);
    };
    let name = name.to_owned();
    app.effort = words.next().map(ReasoningEffort::from);
    app.config = app.config.clone().model(&name);
    if let Some(thread) = app.thread.clone() {
        let config = ThreadConfig::new().model(&name);
        app.call("changing the model", move |_| thread.update_defaults(config))?;
    }
    say(app, format!("The next turn uses {name}."))
}

fn new(app: &mut App, _: &str) -> Result<()> {
    app.thread = None;
    say(app, "A new conversation begins with the next prompt.")
}

fn threads(app: &mut App, _: &str) -> Result<()> {
    let threads = app.call("listing", |client| client.list_threads(ListThreads::new().limit(10)))?;
    let mut threads = threads.data.clone();
    // A server may list a thread again after turns of it were taken away.
    let mut ids = HashSet::new();
    threads.retain(|thread| ids.insert(thread.id.clone()));
    if threads.is_empty() {
        return say(app, "There are no conversations.");
    }
    app.listed = threads.iter().map(|thread| thread.id.clone()).collect();
    let here = app.thread.as_ref().map(|thread| thread.thread_id().to_owned());
    let room = app.width();
    let mut lines = vec![Line::new()];
    lines.extend(threads.iter().enumerate().map(|(at, thread)| {
        let mark = if here.as_ref() == Some(&thread.id) { "›" } else { " " };
        let age = age(thread.recency_at.unwrap_or(thread.updated_at));
        let start = format!("{mark}{:>2}  ", at + 1);
        let title = shortened(&title(thread), room.saturating_sub(start.len() + 12));
        Line::of(Style::Accent, start).and(Style::Dim, format!("{age:<8}  ")).and(Style::Plain, title)
    }));
    app.print(&lines)
}

/// The name of a conversation, or how it began.
fn title(thread: &Thread) -> String {
    let title = thread.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&thread.preview);
    let title = clean(title).split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() { thread.id.clone() } else { title }
}

/// How long ago this was.
fn age(seconds: i64) -> String {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap_or_default());
    let minutes = then.elapsed().unwrap_or_default().as_secs() / 60;
    match minutes {
        0 => "now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    }
}

fn resume(app: &mut App, rest: &str) -> Result<()> {
    let id = match rest.parse::<usize>() {
        Ok(number) => {
            let listed = number.checked_sub(1).and_then(|at| app.listed.get(at));
            listed.cloned().ok_or("there is no such number: /threads lists the conversations")?
        }
        Err(_) if rest.is_empty() => {
            let here = app.thread.as_ref().map(|thread| thread.thread_id().to_owned());
            let threads = app.call("listing", |client| client.list_threads(ListThreads::new().limit(10)))?;
            let other = threads.data.iter().find(|thread| Some(&thread.id) != here.as_ref());
            other.map(|thread| thread.id.clone()).ok_or("there is no other conversation")?
        }
        Err(_) => rest.to_owned(),
    };
    let (thread, read) = app.call("resuming", move |client| {
        let thread = client.resume_thread(&id, ThreadConfig::new())?;
        let read = thread.read(true)?;
        Ok((thread, read))
    })?;
    let turns = &read.thread.turns;
    let left_out = turns.len().saturating_sub(TURNS_SHOWN);
    let mut lines = vec![Line::new(), Line::of(Style::Bold, title(&read.thread)).cut()];
    if left_out > 0 {
        lines.push(Line::of(Style::Dim, format!("… {left_out} earlier turns")));
    }
    for item in Transcript::from_turns(&turns[left_out..]).items() {
        lines.push(Line::new());
        lines.extend(render::item(item, None, false));
    }
    app.thread = Some(thread);
    app.print(&lines)
}

fn fork(app: &mut App, _: &str) -> Result<()> {
    let thread = app.thread.clone().ok_or("there is no conversation yet")?;
    let fork = app.call("copying", move |_| thread.fork(ThreadConfig::new()))?;
    app.thread = Some(fork);
    say(app, "This is a copy now; /threads lists the other one.")
}

fn undo(app: &mut App, _: &str) -> Result<()> {
    let thread = app.thread.clone().ok_or("there is no conversation yet")?;
    let read = app.call("forgetting the last turn", move |_| thread.rollback(1))?;
    let left = match read.thread.turns.len() {
        1 => "1 turn is left".to_owned(),
        count => format!("{count} turns are left"),
    };
    say(app, format!("The last turn is forgotten, {left}. Files stay as they are."))
}

fn review(app: &mut App, rest: &str) -> Result<()> {
    let target = match rest.split_once(' ').map(|(word, rest)| (word, rest.trim())) {
        _ if rest.is_empty() => ReviewTarget::UncommittedChanges,
        Some(("base", branch)) => ReviewTarget::base_branch(branch),
        Some(("commit", sha)) => ReviewTarget::commit(sha),
        _ => ReviewTarget::custom(rest),
    };
    app.review(move |thread| thread.start_review(target, None))
}

fn plan(app: &mut App, rest: &str) -> Result<()> {
    if rest.is_empty() {
        return Err("/plan needs a text".into());
    }
    app.chat(rest, true)
}

fn compact(app: &mut App, _: &str) -> Result<()> {
    let thread = app.thread.clone().ok_or("there is no conversation yet")?;
    app.call("compacting", move |_| thread.compact())?;
    say(app, "The conversation is shorter for the model.")
}

fn login(app: &mut App, rest: &str) -> Result<()> {
    let start = match rest {
        "" => Client::login_chatgpt,
        "device" => Client::login_device_code,
        _ => return Err("/login takes nothing, or the word device".into()),
    };
    let login = app.call("asking for the login", start)?;
    let mut lines =
        vec![Line::new(), Line::of(Style::Plain, "Log in at:"), Line::of(Style::Accent, login.url()).whole()];
    if let Some(code) = login.user_code() {
        lines.push(Line::of(Style::Plain, "With code: ").and(Style::Bold, code));
    }
    app.print(&lines)?;
    let waited = app.call("waiting for the login", {
        let login = login.clone();
        move |_| login.wait(None)
    });
    match waited {
        Ok(()) => say(app, "Logged in."),
        Err(error) if login.is_ended() => Err(error),
        Err(_) => {
            app.call("cancelling the login", move |_| login.cancel())?;
            say(app, "The login is cancelled.")
        }
    }
}

fn usage(app: &mut App, _: &str) -> Result<()> {
    let mut lines = vec![Line::new()];
    match app.thread.as_ref().and_then(|thread| thread.token_usage()) {
        Some(usage) => {
            let total = &usage.total;
            lines.push(row(
                "conversation",
                format!(
                    "{} in ({} cached), {} out",
                    tokens(total.input_tokens),
                    tokens(total.cached_input_tokens),
                    tokens(total.output_tokens)
                ),
            ));
            if let Some(window) = usage.model_context_window.filter(|window| *window > 0) {
                let used = usage.last.total_tokens;
                let percent = used.saturating_mul(100) / window;
                lines.push(row("context", format!("{} of {} ({percent} %)", tokens(used), tokens(window))));
            }
        }
        None => lines.push(row("conversation", "nothing was used yet".to_owned())),
    }
    match app.call("asking for the limits", Client::rate_limits) {
        Ok(limits) => {
            let limits = &limits.rate_limits;
            for window in [&limits.primary, &limits.secondary].into_iter().flatten() {
                lines.push(row(&span(window), format!("{} % used{}", window.used_percent, resets(window))));
            }
        }
        Err(error) => lines.push(row("limits", shortened(&clean(&error.to_string()), 120))),
    }
    app.print(&lines)
}

fn row(name: &str, value: String) -> Line {
    Line::of(Style::Dim, format!("{name:<14}")).and(Style::Plain, value).hang(14)
}

/// The name of a window of time.
fn span(window: &RateLimitWindow) -> String {
    match window.window_duration_mins {
        Some(minutes) if minutes >= 1440 => format!("{} days", minutes / 1440),
        Some(minutes) => format!("{} hours", minutes / 60),
        None => "limit".to_owned(),
    }
}

fn resets(window: &RateLimitWindow) -> String {
    let Some(at) = window.resets_at.and_then(|at| u64::try_from(at).ok()) else { return String::new() };
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
    let left = then.duration_since(SystemTime::now()).unwrap_or_default();
    format!(", anew in {}", render::duration(left))
}
