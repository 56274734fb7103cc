//! What the user types: lines with an editor while nothing runs, keys while a turn runs; or the lines of a pipe.
//!
//! Relies on rustyline for lines and crossterm for keys. Invariant: one of them has the terminal at a time, and the
//! terminal is as it was when this is dropped.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use crossterm::{
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    terminal,
};
use rustyline::{
    Cmd, ConditionalEventHandler, Config, Context, Editor, EventContext, EventHandler, Helper,
    KeyCode as EditorKey, KeyEvent, Modifiers, Movement, RepeatCount,
    completion::Completer,
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::{History, MemHistory},
    validate::{ValidationContext, ValidationResult, Validator},
};

use crate::commands;

/// How often the thread for keys looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(50);

pub enum Input {
    Terminal(Box<Terminal>),
    Pipe(Pipe),
}

/// What the user wants next.
pub enum Next {
    Line(String),
    /// Ctrl-D, Ctrl-C, or the end of the pipe.
    Leave,
}

/// A key that means something while a turn runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Letter(char),
    Enter,
    Erase,
    Interrupt,
    /// Ctrl-D.
    End,
}

impl Input {
    /// Uses the editor if the user sits at a terminal.
    pub fn new(at_terminal: bool, has_colour: bool, history: Option<PathBuf>) -> io::Result<Input> {
        if at_terminal && io::stdin().is_terminal() {
            Ok(Input::Terminal(Box::new(Terminal::new(has_colour, history)?)))
        } else {
            Ok(Input::Pipe(Pipe::new()))
        }
    }

    /// Returns the keys until the guard is dropped; none if there is no terminal.
    pub fn keys(&self) -> io::Result<(Receiver<Key>, Option<Keys>)> {
        match self {
            Input::Terminal(_) => {
                let (send, keys) = unbounded();
                Ok((keys, Some(Keys::start(send)?)))
            }
            Input::Pipe(_) => Ok((never(), None)),
        }
    }

    /// The lines of a pipe.
    pub fn lines(&self) -> Option<&Receiver<String>> {
        match self {
            Input::Terminal(_) => None,
            Input::Pipe(pipe) => Some(&pipe.0),
        }
    }
}

/// A pipe, or a file, whose every line is a prompt or an answer.
pub struct Pipe(Receiver<String>);

impl Pipe {
    fn new() -> Pipe {
        // A line is read when the last one was taken.
        let (send, lines) = bounded(0);
        // Ends with the program: nothing can wake it.
        thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            let mut line = Vec::new();
            while matches!(stdin.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
                if send.send(text).is_err() {
                    break;
                }
                line.clear();
            }
        });
        Pipe(lines)
    }
}

pub struct Terminal {
    editor: Editor<Assistant, MemHistory>,
    prompt: (String, String),
    history: Option<File>,
}

impl Terminal {
    fn new(has_colour: bool, history: Option<PathBuf>) -> io::Result<Terminal> {
        // A line that begins with a space is not kept.
        let config = Config::builder().auto_add_history(true).history_ignore_space(true).build();
        let mut editor = Editor::with_history(config, MemHistory::new()).map_err(into_io)?;
        editor.set_helper(Some(Assistant));
        for key in [KeyEvent(EditorKey::Enter, Modifiers::ALT), KeyEvent::ctrl('J')] {
            editor.bind_sequence(key, Cmd::Newline);
        }
        editor.bind_sequence(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(ClearOrLeave)));
        let mut file = None;
        if let Some(path) = history {
            let opened = private(&path)?;
            for line in BufReader::new(&opened).lines() {
                if let Ok(entry) = serde_json::from_str::<String>(&line?) {
                    editor.history_mut().add_owned(entry).map_err(into_io)?;
                }
            }
            file = Some(opened);
        }
        let plain = "› ".to_owned();
        let styled = if has_colour { format!("\x1b[36m{plain}\x1b[0m") } else { plain.clone() };
        Ok(Terminal { editor, prompt: (plain, styled), history: file })
    }

    /// Reads the next prompt, which begins with the draft. Meanwhile, prints the news that there are once `woken` says
    /// so.
    pub fn read(
        &mut self,
        draft: &str,
        woken: &Receiver<()>,
        news: impl Fn() -> Option<String> + Send,
    ) -> io::Result<Next> {
        let prompt = self.prompt.1.clone();
        let line = thread::scope(|scope| {
            let (is_read, until_read) = bounded::<()>(0);
            scope.spawn(move || {
                loop {
                    if let Some(news) = news() {
                        // The editor's own printer (rustyline 18) makes it overlook keys that come together.
                        let mut out = io::stdout().lock();
                        let _ = write!(out, "\r\x1b[J{news}\r\n{prompt}").and_then(|()| out.flush());
                        break;
                    }
                    select! {
                        recv(woken) -> _ => {}
                        recv(until_read) -> _ => break,
                    }
                }
            });
            let line = self.editor.readline_with_initial(&self.prompt, (draft, ""));
            drop(is_read);
            line
        });
        match line {
            Ok(line) => {
                if let Some(file) = &mut self.history {
                    if !line.starts_with(' ') && !line.is_empty() {
                        writeln!(file, "{}", serde_json::Value::from(line.as_str()))?;
                    }
                }
                Ok(Next::Line(line.replace("\\\n", "\n")))
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(Next::Leave),
            Err(error) => Err(into_io(error)),
        }
    }
}

/// Opens a file of lines, of which each is a JSON string, for its owner alone.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // It may have been there before.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// Ctrl-C clears the line; without one it leaves.
struct ClearOrLeave;

impl ConditionalEventHandler for ClearOrLeave {
    fn handle(
        &self,
        _: &rustyline::Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let is_empty = context.line().is_empty();
        Some(if is_empty { Cmd::Interrupt } else { Cmd::Kill(Movement::WholeBuffer) })
    }
}

/// Completes commands, and lets a line that ends with a backslash go on.
struct Assistant;

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..at];
        let is_command = typed.starts_with('/') && !typed.contains(' ');
        let names = commands::ALL.iter().map(|command| command.name).filter(|name| name.starts_with(typed));
        Ok((0, if is_command { names.map(|name| format!("{name} ")).collect() } else { Vec::new() }))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let goes_on = context.input().ends_with('\\');
        Ok(if goes_on { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

/// Reads keys on a thread, until it is dropped.
pub struct Keys {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    fn start(keys: Sender<Key>) -> io::Result<Keys> {
        terminal::enable_raw_mode()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let mut reading = Keys { is_over: Arc::clone(&is_over), thread: None };
        let read = move || {
            loop {
                let was_over = is_over.load(Ordering::Relaxed);
                // A terminal that is gone has no keys; the program notices when it writes.
                let limit = if was_over { Duration::ZERO } else { GLANCE };
                let Ok(is_there) = event::poll(limit) else { break };
                if !is_there {
                    if was_over {
                        break;
                    }
                    continue;
                }
                let Ok(event) = event::read() else { break };
                if key_of(event).is_some_and(|key| keys.send(key).is_err()) {
                    break;
                }
            }
        };
        reading.thread = Some(thread::Builder::new().name("keys".to_owned()).spawn(read)?);
        Ok(reading)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = terminal::disable_raw_mode();
    }
}

fn key_of(event: Event) -> Option<Key> {
    let Event::Key(key) = event else { return None };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if is_control => Some(Key::Interrupt),
        KeyCode::Char('d') if is_control => Some(Key::End),
        KeyCode::Char(_) if is_control || key.modifiers.contains(KeyModifiers::ALT) => None,
        KeyCode::Char(letter) => Some(Key::Letter(letter)),
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Backspace => Some(Key::Erase),
        _ => None,
    }
}
