//! The program: reads prompts, runs turns and shows what they do, until the user leaves.
//!
//! Relies on the other modules. Invariant: one thread draws and decides. It waits for the client, the keys, Ctrl-C
//! and a clock at once, and never in a call of the client: these run on threads of their own.

use std::{
    collections::{HashSet, VecDeque},
    error::Error,
    io,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use codex_blocking::{
    Chat, ChatEvents, ChatRequest, Client, CollaborationMode, Error as ClientError, ReadConfig,
    ReasoningEffort, RequestId, ServerRequests, Setting, ThreadConfig, ThreadHandle, TurnEvent, TurnHandle,
    TurnOverrides,
};
use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use crate::{
    ask::{Answer, Question},
    commands,
    input::{Input, Key, Next},
    render,
    screen::Screen,
    text::{Line, Style, clean, shortened},
    view::View,
};

/// How often the clock in the status line moves.
const TICK: Duration = Duration::from_millis(100);
/// A frame is drawn no sooner after another: text arrives faster than it can be read.
const FRAME: Duration = Duration::from_millis(30);
/// How many events are applied before a frame is drawn.
const AT_ONCE: usize = 1000;
/// Within this time, a second Ctrl-C leaves.
const TWICE: Duration = Duration::from_secs(2);
/// A key answers a question only after a pause: what the user types when it appears is no answer.
const PAUSE: Duration = Duration::from_millis(400);
/// How many rows in progress are drawn.
const ROWS_IN_PROGRESS: usize = 12;

pub type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

pub struct App {
    pub client: Client,
    /// For threads that are started here.
    pub config: ThreadConfig,
    pub effort: Option<ReasoningEffort>,
    /// The conversation, from its first prompt.
    pub thread: Option<ThreadHandle>,
    /// The ids that `/threads` has listed.
    pub listed: Vec<String>,
    screen: Screen,
    input: Input,
    signals: Signals,
    requests: ServerRequests,
    /// Prompts that wait for the end of the turn.
    queue: VecDeque<String>,
    /// The warnings that were printed.
    told: HashSet<String>,
    /// What the user typed while a turn ran.
    draft: String,
    /// The last turn was one in plan mode.
    is_planning: bool,
    is_leaving: bool,
    /// When Ctrl-C was last pressed.
    interrupted: Option<Instant>,
    has_failed: bool,
    was_interrupted: bool,
}

/// What wakes the program.
pub struct Signals {
    pub wake: Sender<()>,
    pub woken: Receiver<()>,
    pub interrupts: Receiver<()>,
}

/// What has happened while the program waited.
enum Event {
    /// The client has something, or a call has returned.
    Woken,
    Interrupt,
    Key(Key),
    /// A line of the pipe, or its end.
    Line(Option<String>),
    Time,
}

/// A turn, read as events or as steps.
enum Turn {
    Events(ChatEvents),
    Steps(Chat),
}

impl Turn {
    fn try_next(&mut self) -> Option<TurnEvent> {
        match self {
            Turn::Events(turn) => turn.try_next(),
            Turn::Steps(turn) => turn.try_next().map(TurnEvent::Step),
        }
    }

    fn is_ended(&self) -> bool {
        match self {
            Turn::Events(turn) => turn.is_ended(),
            Turn::Steps(turn) => turn.is_ended(),
        }
    }

    fn error(&self) -> Option<&ClientError> {
        match self {
            Turn::Events(turn) => turn.error(),
            Turn::Steps(turn) => turn.error(),
        }
    }

    fn handle(&self) -> TurnHandle {
        match self {
            Turn::Events(turn) => turn.handle(),
            Turn::Steps(turn) => turn.handle(),
        }
    }
}

impl App {
    pub fn new(
        client: Client,
        config: ThreadConfig,
        screen: Screen,
        input: Input,
        signals: Signals,
        first: Option<String>,
    ) -> App {
        App {
            requests: client.server_requests(),
            client,
            config,
            effort: None,
            thread: None,
            listed: Vec::new(),
            screen,
            input,
            signals,
            queue: first.into_iter().collect(),
            told: HashSet::new(),
            draft: String::new(),
            is_planning: false,
            is_leaving: false,
            interrupted: None,
            has_failed: false,
            was_interrupted: false,
        }
    }

    /// Runs until the user leaves. The exit code tells a failure to those who don't see it.
    pub fn run(&mut self) -> Result<ExitCode> {
        self.greet()?;
        while !self.is_leaving {
            let Some(text) = self.next_prompt()? else { break };
            if let Err(error) = self.obey(text.trim_end()) {
                if error.is::<io::Error>() {
                    return Err(error);
                }
                self.has_failed = true;
                self.print_error(&*error)?;
            }
            if self.client.ended().is_some() {
                break;
            }
        }
        if let Some(ended) = self.client.ended() {
            return Err(ended.into());
        }
        let code = match () {
            () if self.was_interrupted => 130,
            () if self.has_failed && self.input.lines().is_some() => 1,
            () => 0,
        };
        Ok(code.into())
    }

    fn greet(&mut self) -> Result<()> {
        if self.input.lines().is_some() {
            return Ok(());
        }
        let handshake = self.client.initialize()?;
        let server = handshake.server_version().unwrap_or("of an unknown version").to_owned();
        let folder = match &self.config.cwd {
            Setting::Value(folder) => folder.display().to_string(),
            _ => String::new(),
        };
        self.print(&[
            Line::of(Style::Bold, "codex").and(Style::Dim, format!(" {server} · {folder}")),
            Line::of(Style::Dim, "/help lists the commands · alt-enter begins a new line · ctrl-d leaves"),
        ])
    }

    fn next_prompt(&mut self) -> Result<Option<String>> {
        if let Some(text) = self.queue.pop_front() {
            self.print_prompt(&text)?;
            return Ok(Some(text));
        }
        match &mut self.input {
            Input::Terminal(terminal) => {
                self.screen.print(&[Line::new()])?;
                self.screen.has_line();
                let draft = std::mem::take(&mut self.draft);
                // The whole error is told at the end.
                let news = || self.client.ended().map(|_| "✗ The connection has ended.".to_owned());
                let next = terminal.read(&draft, &self.signals.woken, news)?;
                // A signal from elsewhere: the editor has none of its own. It means no later turn.
                while self.signals.interrupts.try_recv().is_ok() {}
                match next {
                    Next::Line(text) => Ok(Some(text)),
                    Next::Leave => Ok(None),
                }
            }
            Input::Pipe(_) => match self.event(&never(), true, None) {
                Event::Line(Some(text)) => {
                    self.print_prompt(&text)?;
                    Ok(Some(text))
                }
                Event::Interrupt => {
                    self.was_interrupted = true;
                    Ok(None)
                }
                Event::Line(None) => Ok(None),
                // The connection may have ended.
                _ => Ok(Some(String::new())),
            },
        }
    }

    fn print_prompt(&mut self, text: &str) -> Result<()> {
        if !text.trim().is_empty() {
            let mut lines = vec![Line::new()];
            lines.extend(render::prompt(text));
            self.print(&lines)?;
        }
        Ok(())
    }

    fn obey(&mut self, text: &str) -> Result<()> {
        match text.trim_start() {
            "" => Ok(()),
            command if command.starts_with('/') => commands::run(self, command),
            _ => self.chat(text, false),
        }
    }

    pub fn print(&mut self, lines: &[Line]) -> Result<()> {
        Ok(self.screen.print(lines)?)
    }

    pub fn width(&self) -> usize {
        self.screen.width().unwrap_or(100)
    }

    fn print_error(&mut self, error: &dyn Error) -> Result<()> {
        // A server may list all that it knows.
        let message = shortened(&clean(&error.to_string()), 240);
        let mut lines = vec![Line::new(), Line::of(Style::Bad, "✗ ").and(Style::Plain, message).hang(2)];
        let mut cause = error.source();
        while let Some(error) = cause {
            lines.push(Line::of(Style::Dim, format!("  because: {error}")).hang(2));
            cause = error.source();
        }
        self.print(&lines)
    }

    pub fn leave(&mut self) {
        self.is_leaving = true;
    }

    /// The conversation; it starts with its first use.
    pub fn thread(&mut self) -> Result<ThreadHandle> {
        if let Some(thread) = &self.thread {
            return Ok(thread.clone());
        }
        let config = self.config.clone();
        let thread = self.call("starting", move |client| client.start_thread(config))?;
        self.thread = Some(thread.clone());
        Ok(thread)
    }

    // Turns.

    /// Runs a turn, in plan mode if it is to propose a plan.
    pub fn chat(&mut self, text: &str, plan: bool) -> Result<()> {
        let thread = self.thread()?;
        let mut overrides = TurnOverrides::new();
        if let Some(effort) = &self.effort {
            overrides = overrides.effort(effort.clone());
        }
        // The mode stays until a turn sets another one.
        if plan || self.is_planning {
            let model = self.model()?;
            let mode =
                if plan { CollaborationMode::plan(model) } else { CollaborationMode::default_mode(model) };
            overrides = overrides.collaboration_mode(mode);
        }
        let mut request = ChatRequest::new(text).overrides(overrides);
        if self.input.lines().is_none() {
            // The user sees how long it takes.
            request = request.inactivity_timeout(None);
        }
        // Has to return: a turn that started without a reader would run on.
        let turn = self.call_to_the_end("starting", move |_| thread.chat_events(request))?;
        self.is_planning = plan;
        self.watch(Turn::Events(turn))
    }

    pub fn review(
        &mut self,
        start: impl FnOnce(ThreadHandle) -> Result<Chat, ClientError> + Send + 'static,
    ) -> Result<()> {
        let thread = self.thread()?;
        let review = self.call_to_the_end("starting", move |_| start(thread))?;
        self.watch(Turn::Steps(review))
    }

    /// The model that the next turn uses.
    fn model(&mut self) -> Result<String> {
        if let Setting::Value(model) = &self.config.model {
            return Ok(model.clone());
        }
        let config = self.call("asking for the model", |client| client.read_config(ReadConfig::new()))?;
        let model = config.config.model.clone();
        Ok(model.ok_or("the server doesn't tell its model: choose one with /model")?)
    }

    /// Shows a turn until it ends.
    fn watch(&mut self, mut turn: Turn) -> Result<()> {
        let (keys, guard) = self.input.keys()?;
        let mut view = View::new();
        let mut questions: VecDeque<Question> = VecDeque::new();
        // The question that is shown, and an answer that is being typed.
        let mut asked: Option<RequestId> = None;
        let mut typed = String::new();
        let mut asked_at = Instant::now();
        let mut key_at = Instant::now();
        let mut input_has_ended = false;
        let mut drawn_at = None;
        // Ctrl-C while it started.
        if self.interrupted.take().is_some() {
            turn.handle().request_interrupt();
        }
        loop {
            let mut lines = Vec::new();
            let mut has_more = true;
            for _ in 0..AT_ONCE {
                let Some(event) = turn.try_next() else {
                    has_more = false;
                    break;
                };
                view.apply(&event);
            }

            while let Some(request) = self.requests.try_next() {
                questions.extend(Question::of(request));
            }
            // What was withdrawn, or answered by another client.
            let pending = self.client.pending();
            questions.retain(|question| pending.iter().any(|request| request.request_id() == question.id()));
            if asked.is_some() && questions.front().map(Question::id) != asked.as_ref() {
                lines.push(Line::of(Style::Dim, "  → no longer asked"));
                asked = None;
            }
            lines.extend(view.take_done(&mut self.told));
            if let Some(question) = questions.front().filter(|_| asked.is_none()) {
                lines.extend(question.lines());
                view.has_seen(question.item_id().unwrap_or_default());
                asked = Some(question.id().clone());
                asked_at = Instant::now();
                typed.clear();
            }

            let is_over = turn.is_ended();
            let is_due = drawn_at.is_none_or(|at: Instant| at.elapsed() >= FRAME);
            if is_over || is_due || !lines.is_empty() {
                let live = if is_over { Vec::new() } else { self.live(&view, questions.front(), &typed) };
                self.screen.frame(&lines, &live)?;
                drawn_at = Some(Instant::now());
            }
            if is_over {
                break;
            }
            if has_more {
                continue;
            }

            let asks = !questions.is_empty();
            if asks && input_has_ended {
                self.refuse(&mut questions, "the input has ended")?;
                asked = None;
                continue;
            }
            let limit = self.screen.is_terminal().then_some(if is_due { TICK } else { FRAME });
            match self.event(&keys, asks, limit) {
                Event::Woken | Event::Time => {}
                Event::Interrupt => self.interrupt(&turn),
                Event::Key(Key::End) => {
                    self.is_leaving = true;
                    turn.handle().request_interrupt();
                }
                Event::Key(key) => {
                    let rested = asked_at.max(key_at).elapsed() >= PAUSE;
                    key_at = Instant::now();
                    match (key, questions.front()) {
                        (Key::Letter(letter), Some(question)) if question.takes_keys() && rested => {
                            self.answer(&mut questions, &letter.to_string())?;
                        }
                        (Key::Enter, Some(question)) if !question.takes_keys() => {
                            self.answer(&mut questions, &typed)?;
                            typed.clear();
                        }
                        (Key::Letter(letter), Some(question)) if !question.takes_keys() => typed.push(letter),
                        (Key::Erase, Some(question)) if !question.takes_keys() => drop(typed.pop()),
                        _ => self.draft(key),
                    }
                }
                Event::Line(Some(text)) => {
                    if !self.answer(&mut questions, &text)? {
                        // It was meant for something else. To take it for a consent would be wrong.
                        self.refuse(&mut questions, "that was no answer")?;
                        self.queue.push_front(text);
                    }
                }
                Event::Line(None) => input_has_ended = true,
            }
            // An answer took it away.
            if questions.front().map(Question::id) != asked.as_ref() {
                asked = None;
            }
            if self.is_leaving && self.was_interrupted {
                return Ok(());
            }
        }
        drop(guard);
        self.keep(&keys);
        self.has_failed |= turn.error().is_some();
        let ending = view.ending(turn.error());
        self.print(&[Line::new(), ending])
    }

    /// What is drawn below what stays: items in progress, a question or the status, and the draft.
    fn live(&self, view: &View, question: Option<&Question>, typed: &str) -> Vec<Line> {
        if !self.screen.is_terminal() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        match question {
            Some(question) => {
                lines.push(Line::new());
                lines.push(question.choices());
            }
            None => {
                lines = view.in_progress(self.width(), ROWS_IN_PROGRESS.min(self.screen.height() / 2));
                lines.push(Line::new());
                let doing = view.notice().unwrap_or("working");
                lines.push(status(doing, view.elapsed(), "ctrl-c interrupts"));
            }
        }
        let typed = match question {
            Some(question) if question.is_secret() => "•".repeat(typed.chars().count()),
            Some(question) if !question.takes_keys() => typed.to_owned(),
            _ if self.draft.is_empty() => return lines,
            _ => self.draft.clone(),
        };
        lines.push(Line::of(Style::Accent, "› ").and(Style::Plain, typed).and(Style::Dim, "▏").hang(2));
        lines
    }

    /// Interrupts the turn; at the second time, leaves without waiting for it.
    fn interrupt(&mut self, turn: &Turn) {
        turn.handle().request_interrupt();
        if self.is_second_interrupt() {
            self.is_leaving = true;
            self.was_interrupted = true;
        }
    }

    fn is_second_interrupt(&mut self) -> bool {
        let last = self.interrupted.replace(Instant::now());
        last.is_some_and(|last| last.elapsed() < TWICE)
    }

    fn draft(&mut self, key: Key) {
        match key {
            Key::Letter(letter) => self.draft.push(letter),
            Key::Erase => drop(self.draft.pop()),
            Key::Enter if !self.draft.trim().is_empty() => {
                self.queue.push_back(std::mem::take(&mut self.draft));
            }
            _ => {}
        }
    }

    /// Answers the first question. Returns whether this was an answer.
    fn answer(&mut self, questions: &mut VecDeque<Question>, text: &str) -> Result<bool> {
        let Some(question) = questions.front_mut() else { return Ok(false) };
        match question.answer(text) {
            Answer::Unknown => return Ok(false),
            Answer::Next(line) => {
                let mut lines = vec![line];
                lines.extend(question.next_lines());
                self.print(&lines)?;
            }
            Answer::Send(response, line) => {
                match self.client.respond_server_request(&question.request, response) {
                    Ok(()) => {
                        questions.pop_front();
                        self.print(&[line])?;
                    }
                    // It is withdrawn in the next frame.
                    Err(ClientError::NoLongerPending { .. }) => {}
                    Err(error) => self.print_error(&error)?,
                }
            }
        }
        Ok(true)
    }

    fn refuse(&mut self, questions: &mut VecDeque<Question>, why: &str) -> Result<()> {
        let Some(mut question) = questions.pop_front() else { return Ok(()) };
        let (refusal, line) = question.refuse(why);
        if let Some(refusal) = refusal {
            match self.client.respond_server_request(&question.request, refusal) {
                Ok(()) | Err(ClientError::NoLongerPending { .. }) => {}
                Err(error) => self.print_error(&error)?,
            }
        }
        self.print(&[line])
    }

    // Waiting.

    /// Makes a call on a thread of its own. Ctrl-C stops the waiting, not the call.
    pub fn call<T: Send + 'static>(
        &mut self,
        doing: &str,
        call: impl FnOnce(&Client) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T> {
        self.wait_for(doing, true, call)
    }

    /// Like `call`, but waits for its end whatever the user does.
    fn call_to_the_end<T: Send + 'static>(
        &mut self,
        doing: &str,
        call: impl FnOnce(&Client) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T> {
        self.wait_for(doing, false, call)
    }

    fn wait_for<T: Send + 'static>(
        &mut self,
        doing: &str,
        can_stop: bool,
        call: impl FnOnce(&Client) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T> {
        let (send, result) = bounded(1);
        let (client, wake) = (self.client.clone(), self.signals.wake.clone());
        thread::Builder::new().name("call".to_owned()).spawn(move || {
            let _ = send.send(call(&client));
            let _ = wake.try_send(());
        })?;
        self.interrupted = None;
        self.until(doing, || result.try_recv().ok(), can_stop)?.map_err(Into::into)
    }

    /// Waits until there is a result, looking whenever something has happened.
    pub fn until<T>(
        &mut self,
        doing: &str,
        mut result: impl FnMut() -> Option<T>,
        can_stop: bool,
    ) -> Result<T> {
        let (keys, guard) = self.input.keys()?;
        let since = Instant::now();
        let result = loop {
            if let Some(result) = result() {
                break Ok(result);
            }
            // What is over at once shows nothing.
            if self.screen.is_terminal() && since.elapsed() >= TICK {
                let hint = if can_stop { "ctrl-c stops waiting" } else { "ctrl-c interrupts" };
                self.screen.frame(&[], &[Line::new(), status(doing, since.elapsed(), hint)])?;
            }
            let limit = self.screen.is_terminal().then_some(TICK);
            match self.event(&keys, false, limit) {
                Event::Interrupt if can_stop => break Err("stopped waiting".into()),
                Event::Interrupt => drop(self.is_second_interrupt()),
                Event::Key(key) => self.draft(key),
                _ => {}
            }
        };
        drop(guard);
        self.keep(&keys);
        self.screen.print(&[])?;
        result
    }

    /// Keeps what was typed too late to be seen.
    fn keep(&mut self, keys: &Receiver<Key>) {
        for key in keys.try_iter() {
            match key {
                Key::Interrupt | Key::End => self.is_leaving = true,
                key => self.draft(key),
            }
        }
    }

    /// Waits for the next event, for at most the limit if there is one.
    fn event(&self, keys: &Receiver<Key>, lines: bool, limit: Option<Duration>) -> Event {
        let no_line = never();
        let lines = self.input.lines().filter(|_| lines).unwrap_or(&no_line);
        let time = limit.map_or_else(never, crossbeam_channel::after);
        select! {
            recv(self.signals.woken) -> _ => Event::Woken,
            recv(self.signals.interrupts) -> _ => Event::Interrupt,
            // The keys end with the terminal, and so does the program.
            recv(keys) -> key => match key {
                Ok(Key::Interrupt) | Err(_) => Event::Interrupt,
                Ok(key) => Event::Key(key),
            },
            recv(lines) -> line => Event::Line(line.ok()),
            recv(time) -> _ => Event::Time,
        }
    }
}

/// The line that says that something goes on, for how long, and what ends it.
fn status(doing: &str, since: Duration, hint: &str) -> Line {
    const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    let frame = FRAMES[(since.as_millis() / TICK.as_millis()) as usize % FRAMES.len()];
    // Tenths would be a flicker.
    let seconds = Duration::from_secs(since.as_secs());
    let clock =
        if seconds.as_secs() < 10 { format!("{} s", seconds.as_secs()) } else { render::duration(seconds) };
    Line::of(Style::Accent, frame)
        .and(Style::Plain, format!(" {doing}"))
        .and(Style::Dim, format!(" · {clock} · {hint}"))
        .hang(2)
}
