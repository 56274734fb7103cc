//! Questions of the agent: what it wants to do or to know, and what the user can answer.
//!
//! Relies on the crate's `ServerRequest`. Invariant: nothing is granted but by an answer that says so, and what is
//! approved is shown in full, without hidden characters.

use codex_blocking::{
    ApprovalDecision, ApprovalRequest, PermissionGrantScope, RequestId, ServerRequest, ServerResponse,
    UserInputQuestion, UserInputRequest, UserInputResponse,
};

use crate::{
    render,
    text::{Line, Style, shown},
};

/// A question that waits for its answer.
pub struct Question {
    pub request: ServerRequest,
    choices: Vec<Choice>,
    /// Of a request for texts: the answers so far.
    answers: UserInputResponse,
    answered: usize,
}

/// An answer that is one key.
struct Choice {
    key: char,
    name: &'static str,
    means: String,
    response: ServerResponse,
    style: Style,
}

/// What an answer does.
pub enum Answer {
    /// The request is answered; the line says how.
    Send(ServerResponse, Line),
    /// There is a further question.
    Next(Line),
    /// It is no answer.
    Unknown,
}

impl Question {
    /// The question of a request; `None` if nobody is asked.
    pub fn of(request: ServerRequest) -> Option<Question> {
        let choices = match &request {
            ServerRequest::Approval(approval) => approval_choices(approval),
            ServerRequest::Permissions(permissions) => vec![
                Choice::new(
                    'y',
                    "yes",
                    "yes, for this turn",
                    permissions.grant_all(PermissionGrantScope::Turn),
                ),
                Choice::new(
                    's',
                    "session",
                    "for this session",
                    permissions.grant_all(PermissionGrantScope::Session),
                ),
                Choice::refusal('n', "no", "no", permissions.deny()),
            ],
            ServerRequest::UserInput(_) => Vec::new(),
            // Forms have their own shape; a program that knows its servers would show them.
            ServerRequest::Elicitation(form) => vec![
                Choice::refusal('n', "no", "decline", form.decline()),
                Choice::refusal('c', "cancel", "cancel", form.cancel()),
            ],
            _ => return None,
        };
        Some(Question { request, choices, answers: UserInputResponse::new(), answered: 0 })
    }

    pub fn id(&self) -> &RequestId {
        self.request.request_id()
    }

    /// The item that the question shows the changes of.
    pub fn item_id(&self) -> Option<&str> {
        match &self.request {
            ServerRequest::Approval(approval) => approval.item_id(),
            _ => None,
        }
    }

    /// What is asked, in full.
    pub fn lines(&self) -> Vec<Line> {
        let title = |text: &str| Line::of(Style::Warn, "? ").and(Style::Bold, text).hang(2);
        let mut lines = vec![Line::new()];
        match &self.request {
            ServerRequest::Approval(ApprovalRequest::Command(command)) => {
                match &command.network_approval_context {
                    Some(network) => {
                        lines.push(title("The agent wants to reach the network"));
                        lines.push(detail(&network.host));
                    }
                    None => lines.push(title("The agent wants to run a command")),
                }
                if let Some(command) = &command.command {
                    let script = shown(&render::script(command));
                    lines.extend(script.lines().enumerate().map(|(at, line)| {
                        let mark = if at == 0 { "  $ " } else { "    " };
                        Line::of(Style::Accent, mark).and(Style::Bold, line).hang(4)
                    }));
                }
                lines.extend(command.cwd.iter().map(|cwd| detail(&format!("in {cwd}"))));
                lines.extend(command.reason.iter().map(|reason| detail(reason)));
                if command.additional_permissions.is_some() {
                    lines.push(detail("with additional permissions"));
                }
                // What "always" means.
                lines.extend(command.proposed_execpolicy_amendment.iter().map(|words| {
                    detail(&format!("always: allows whatever begins with {}", words.join(" ")))
                }));
            }
            ServerRequest::Approval(ApprovalRequest::FileChange(change)) => {
                lines.push(title("The agent wants to change files"));
                lines.extend(change.reason.iter().map(|reason| detail(reason)));
                lines.extend(change.grant_root.iter().map(|root| detail(&format!("and all below {root}"))));
                for change in change.changes.iter().flatten() {
                    lines.push(Line::of(Style::Bold, format!("  {}", shown(&change.path))).hang(4));
                    let diff = change.unified_diff();
                    lines.extend(render::hunks(&diff).map(|line| render::diff_line(&shown(line))));
                }
            }
            ServerRequest::Approval(ApprovalRequest::McpTool(tool)) => {
                lines.push(title(&format!("The agent wants to use a tool of {}", shown(&tool.server_name))));
                lines.extend(
                    tool.tool_name.iter().map(|name| Line::of(Style::Bold, format!("  {}", shown(name)))),
                );
                lines.extend(tool.tool_params.iter().map(|params| detail(&params.to_string())));
                lines.push(detail(&tool.message));
            }
            ServerRequest::Permissions(permissions) => {
                lines.push(title("The agent asks for permissions"));
                let asked = serde_json::to_value(&permissions.params().permissions).unwrap_or_default();
                lines.push(detail(&asked.to_string()));
                lines.extend(permissions.params().reason.iter().map(|reason| detail(reason)));
            }
            ServerRequest::Elicitation(form) => {
                lines.push(title("A tool of the agent has a form, which this program doesn't show"));
                lines.extend(form.message().iter().map(|message| detail(message)));
                lines.extend(form.url().iter().map(|url| detail(url)));
            }
            ServerRequest::UserInput(input) => lines.extend(self.open(input).into_iter().flat_map(asked)),
            other => lines.push(title(&format!("The server asks for {}", other.method()))),
        }
        lines
    }

    /// The answers that there are.
    pub fn choices(&self) -> Line {
        let mut line = Line::new().hang(2);
        if let ServerRequest::UserInput(input) = &self.request {
            let has_options = self.open(input).is_some_and(|question| question.options.is_some());
            return line.and(Style::Dim, if has_options { "a number, or a text" } else { "a text" });
        }
        for (at, choice) in self.choices.iter().enumerate() {
            line = line
                .and(Style::Dim, if at == 0 { "  " } else { " · " })
                .and(Style::Accent, choice.key.to_string())
                .and(Style::Dim, format!(" {}", choice.means));
        }
        line
    }

    /// Whether one key is an answer; else a line is.
    pub fn takes_keys(&self) -> bool {
        !self.choices.is_empty()
    }

    /// Whether the answer must not be shown.
    pub fn is_secret(&self) -> bool {
        match &self.request {
            ServerRequest::UserInput(input) => {
                self.open(input).is_some_and(|question| question.is_secret == Some(true))
            }
            _ => false,
        }
    }

    fn open<'a>(&self, input: &'a UserInputRequest) -> Option<&'a UserInputQuestion> {
        input.questions.get(self.answered)
    }

    /// Answers with a key, a word or a text.
    pub fn answer(&mut self, text: &str) -> Answer {
        let text = text.trim();
        if let ServerRequest::UserInput(input) = &self.request {
            let Some(question) = self.open(input) else {
                return Answer::Send(self.answers.clone().into(), Line::of(Style::Dim, "  no question"));
            };
            if text.is_empty() {
                return Answer::Unknown;
            }
            let options = question.options.iter().flatten();
            let picked = options
                .enumerate()
                .find(|(at, option)| text == (at + 1).to_string() || text == option.label)
                .map_or(text, |(_, option)| &option.label);
            let told = if question.is_secret == Some(true) { "(not shown)" } else { picked };
            let line = Line::of(Style::Accent, "  → ").and(Style::Plain, told).hang(4);
            self.answers = std::mem::take(&mut self.answers).and_answer(&question.id, [picked]);
            self.answered += 1;
            return match self.open(input) {
                Some(_) => Answer::Next(line),
                None => Answer::Send(self.answers.clone().into(), line),
            };
        }
        let word = text.to_lowercase();
        let is_it = |choice: &&Choice| word == choice.name || word.chars().eq([choice.key]);
        match self.choices.iter().find(is_it) {
            Some(choice) => Answer::Send(choice.response.clone(), choice.line()),
            None => Answer::Unknown,
        }
    }

    /// The further question, after an answer.
    pub fn next_lines(&self) -> Vec<Line> {
        match &self.request {
            ServerRequest::UserInput(input) => self.open(input).into_iter().flat_map(asked).collect(),
            _ => Vec::new(),
        }
    }

    /// Says no, for a user who doesn't answer.
    pub fn refuse(&mut self, why: &str) -> (Option<ServerResponse>, Line) {
        let line = Line::of(Style::Warn, format!("  → no ({why})"));
        let refusal = match &self.request {
            ServerRequest::UserInput(_) => Some(UserInputResponse::new().into()),
            _ => self.choices.iter().find(|choice| choice.key == 'n').map(|choice| choice.response.clone()),
        };
        (refusal, line)
    }
}

fn detail(text: &str) -> Line {
    Line::of(Style::Dim, format!("  {}", shown(text))).hang(2)
}

fn asked(question: &UserInputQuestion) -> Vec<Line> {
    let mut lines = vec![Line::of(Style::Warn, "? ").and(Style::Bold, shown(&question.question)).hang(2)];
    lines.extend(question.options.iter().flatten().enumerate().map(|(at, option)| {
        Line::of(Style::Accent, format!("  {} ", at + 1))
            .and(Style::Plain, &option.label)
            .and(Style::Dim, format!("  {}", option.description))
            .hang(4)
    }));
    lines
}

fn approval_choices(approval: &ApprovalRequest) -> Vec<Choice> {
    let mut choices = vec![
        Choice::new('y', "yes", "yes", ApprovalDecision::Accept),
        Choice::new('s', "session", "for this session", ApprovalDecision::AcceptForSession),
    ];
    let always = ApprovalDecision::accept_proposed_amendment(approval);
    if let Some(decision) = always {
        choices.push(Choice::new('a', "always", "always", decision));
    }
    choices.push(Choice::refusal('n', "no", "no", ApprovalDecision::Decline));
    choices.push(Choice::refusal('c', "cancel", "cancel the turn", ApprovalDecision::Cancel));
    choices
}

impl Choice {
    fn new(
        key: char,
        name: &'static str,
        means: impl Into<String>,
        response: impl Into<ServerResponse>,
    ) -> Choice {
        Choice { key, name, means: means.into(), response: response.into(), style: Style::Good }
    }

    fn refusal(key: char, name: &'static str, means: &str, response: impl Into<ServerResponse>) -> Choice {
        Choice { style: Style::Warn, ..Choice::new(key, name, means, response) }
    }

    fn line(&self) -> Line {
        Line::of(self.style, format!("  → {}", self.means)).hang(4)
    }
}
