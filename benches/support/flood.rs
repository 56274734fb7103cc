//! A flooding server: implements the app-server's protocol line by line, on stdin and stdout or on given
//! streams, and sends the requested number of events as fast as the client reads them.
//!
//! Its purpose is to measure clients, so it must never be the bottleneck. Messages have the shapes of
//! codex 0.169.0 with ids of realistic length, but an event is built once and then written repeatedly
//! in blocks of at least 256 KiB; incoming lines are only scanned for the few relevant members. The text
//! of the user's message selects what a turn does:
//!
//! - `deltas N BYTES`: N text deltas of BYTES bytes each, then a short final answer.
//! - `items N BYTES`: N agent messages of BYTES bytes each, in lines, started and completed.
//! - `wave TURNS N BYTES`: N deltas in each of TURNS turns; they start, interleaved, once TURNS turns
//!   have been requested.
//! - anything else: one delta and a final answer that repeat the text.
//!
//! Any request other than those of a conversation is answered immediately with a small result, or, if
//! its `params` contain `"bytes": N`, with a string of N bytes. The server is single-threaded: it reads
//! messages that arrive during a flood after the flood.
//!
//! Benchmarks that run themselves as the server, and the comparison with other clients, include this
//! file with `#[path]`; hence it only depends on `rustix`, for the size of the pipe.

use std::io::{self, BufRead, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// The minimum size of one `write`.
const BLOCK: usize = 256 * 1024;

/// Runs the server until stdin ends or stdout is closed.
///
/// `--pipe-bytes N` (or the variable `FLOOD_PIPE_BYTES`) sets the size of the stdout pipe; by default it
/// stays as the system created it, as with the real server. Other arguments are ignored: clients add
/// their own, such as `app-server --listen stdio://`.
pub(crate) fn serve<S: AsRef<str>>(args: &[S]) -> io::Result<()> {
    let from_args = args
        .iter()
        .position(|arg| arg.as_ref() == "--pipe-bytes")
        .and_then(|at| args.get(at + 1))
        .map(|value| value.as_ref().to_owned());
    let pipe_bytes = from_args.or_else(|| std::env::var("FLOOD_PIPE_BYTES").ok());
    if let Some(bytes) = pipe_bytes.and_then(|value| value.parse().ok()) {
        set_pipe_size(bytes)?;
    }

    serve_over(io::stdin().lock(), io::stdout().lock())
}

/// Runs the server on these lines until they end or the output is closed.
pub(crate) fn serve_over(input: impl BufRead, out: impl Write) -> io::Result<()> {
    let mut server = Server { out, threads: 0, turns: 0, items: 0, wave: Vec::new() };
    match server.run(input) {
        // Some clients disconnect in the middle of a flood.
        Err(e) if matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
        other => other,
    }
}

#[cfg(target_os = "linux")]
fn set_pipe_size(bytes: usize) -> io::Result<()> {
    rustix::pipe::fcntl_setpipe_size(io::stdout(), bytes)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn set_pipe_size(_bytes: usize) -> io::Result<()> {
    Ok(())
}

struct Server<W> {
    out: W,
    threads: u64,
    turns: u64,
    items: u64,
    /// Turns that wait for the rest of their wave.
    wave: Vec<Turn>,
}

struct Turn {
    thread_id: String,
    id: String,
    /// The item of the turn's answer, and its deltas.
    answer_id: String,
}

impl<W: Write> Server<W> {
    fn run(&mut self, mut input: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let Ok(message) = std::str::from_utf8(&line) else {
                continue;
            };
            let (Some(id), Some(method)) = (member(message, "id"), member(message, "method")) else {
                continue; // a notification, or an answer to a question we never asked
            };
            let params = member(message, "params").unwrap_or("{}");
            match unquoted(method) {
                "initialize" => self.initialize(id)?,
                "thread/start" => self.thread_start(id)?,
                "turn/start" => self.turn_start(id, params)?,
                method => self.other(id, method, params)?,
            }
        }
    }

    fn initialize(&mut self, id: &str) -> io::Result<()> {
        let line = format!(
            r#"{{"id":{id},"result":{{"userAgent":"flood/0.169.0 (Linux; x86_64) x (flood; 0)","codexHome":"/codex-home","platformFamily":"unix","platformOs":"linux"}}}}
"#
        );
        self.send(line.as_bytes())
    }

    fn thread_start(&mut self, id: &str) -> io::Result<()> {
        self.threads += 1;
        let thread = thread_object(&uuid(0x7ff0, 0xa82b, self.threads));
        let now = now_ms();
        let mut lines = format!(
            r#"{{"id":{id},"result":{{"thread":{thread},"model":"mock-model","modelProvider":"mock","serviceTier":null,"disabledPluginIds":[],"cwd":"/workspace","runtimeWorkspaceRoots":["/workspace"],"instructionSources":[],"approvalPolicy":"on-request","approvalsReviewer":"user","sandbox":{{"type":"workspaceWrite","writableRoots":[],"networkAccess":false,"excludeTmpdirEnvVar":false,"excludeSlashTmp":false}},"activePermissionProfile":null,"reasoningEffort":null,"multiAgentMode":"explicitRequestOnly"}}}}
"#
        );
        lines.push_str(&format!(
            r#"{{"method":"thread/started","params":{{"thread":{thread}}},"emittedAtMs":{now}}}
"#
        ));
        self.send(lines.as_bytes())
    }

    fn turn_start(&mut self, id: &str, params: &str) -> io::Result<()> {
        self.turns += 1;
        let turn = Turn {
            thread_id: unquoted(member(params, "threadId").unwrap_or("")).to_owned(),
            id: uuid(0x7972, 0xbdb5, self.turns),
            answer_id: self.next_item(),
        };
        let input = member(params, "input").unwrap_or("");
        let first = input.trim_start_matches(|c: char| c == '[' || c.is_ascii_whitespace());
        let text = unquoted(member(first, "text").unwrap_or(""));

        let user_item = self.next_item();
        let mut lines = format!(
            r#"{{"id":{id},"result":{{"turn":{}}}}}
"#,
            turn_object(&turn.id, "inProgress", "null", "")
        );
        open_turn(&mut lines, &turn, &user_item, text);
        self.send(lines.as_bytes())?;

        let mut words = text.split_ascii_whitespace();
        let kind = words.next();
        let numbers: Vec<usize> = words.map_while(|word| word.parse().ok()).collect();
        match (kind, numbers.as_slice()) {
            (Some("deltas"), &[count, bytes]) => {
                self.repeat(delta(&turn, &filler(bytes)).as_bytes(), count)?;
                self.close_turn(&turn, "done")
            }
            (Some("items"), &[count, bytes]) => {
                self.flood_items(&turn, count, bytes)?;
                self.close_turn(&turn, "done")
            }
            (Some("wave"), &[turns, count, bytes]) => {
                self.wave.push(turn);
                if self.wave.len() >= turns {
                    self.flood_wave(count, bytes)?;
                }
                Ok(())
            }
            _ => {
                self.send(delta(&turn, text).as_bytes())?;
                self.close_turn(&turn, text)
            }
        }
    }

    /// Sends `unit`, which consists of complete lines, `times` times.
    fn repeat(&mut self, unit: &[u8], times: usize) -> io::Result<()> {
        let per_block = BLOCK.div_ceil(unit.len()).min(times);
        let block = unit.repeat(per_block);
        let mut left = times;
        while left > 0 {
            let now = left.min(per_block);
            self.send(&block[..now * unit.len()])?;
            left -= now;
        }
        Ok(())
    }

    fn flood_items(&mut self, turn: &Turn, count: usize, bytes: usize) -> io::Result<()> {
        let text = filler_lines(bytes);
        // Clients may identify items by their ids alone, so each copy of the block gets its own.
        let mut lines = String::new();
        let mut ids = Vec::new();
        let mut ends = Vec::new();
        while lines.len() < BLOCK && ends.len() < count {
            let id = uuid(0, 0, 0);
            for line in [
                item_line("item/started", turn, &agent_message(&id, "", "commentary")),
                item_line("item/completed", turn, &agent_message(&id, &text, "commentary")),
            ] {
                let in_line = line.find(&id).unwrap_or_default();
                ids.push(lines.len() + in_line..lines.len() + in_line + id.len());
                lines.push_str(&line);
            }
            ends.push(lines.len());
        }
        let mut block = lines.into_bytes();
        let mut left = count;
        while left > 0 {
            let now = left.min(ends.len());
            for pair in ids[..2 * now].chunks(2) {
                let id = self.next_item();
                for range in pair {
                    block[range.clone()].copy_from_slice(id.as_bytes());
                }
            }
            self.send(&block[..ends[now - 1]])?;
            left -= now;
        }
        Ok(())
    }

    fn flood_wave(&mut self, count: usize, bytes: usize) -> io::Result<()> {
        let turns = std::mem::take(&mut self.wave);
        let text = filler(bytes);
        let round: String = turns.iter().map(|turn| delta(turn, &text)).collect();
        self.repeat(round.as_bytes(), count)?;
        let mut lines = String::new();
        for turn in &turns {
            end_turn(&mut lines, turn, "done");
        }
        self.send(lines.as_bytes())
    }

    fn close_turn(&mut self, turn: &Turn, answer: &str) -> io::Result<()> {
        let mut lines = String::new();
        end_turn(&mut lines, turn, answer);
        self.send(lines.as_bytes())
    }

    fn other(&mut self, id: &str, method: &str, params: &str) -> io::Result<()> {
        let bytes = member(params, "bytes").and_then(|value| value.parse::<usize>().ok());
        if let Some(bytes) = bytes {
            // Written in blocks, so that a huge response isn't built in memory.
            self.send(format!(r#"{{"id":{id},"result":{{"blob":""#).as_bytes())?;
            let block = filler(bytes.min(1 << 20));
            let mut left = bytes;
            while left > 0 {
                let now = left.min(block.len());
                self.send(&block.as_bytes()[..now])?;
                left -= now;
            }
            return self.send(b"\"}}\n");
        }
        let result = match method {
            "config/read" => r#"{"config":{},"origins":{}}"#,
            "model/list" | "thread/list" => r#"{"data":[],"nextCursor":null}"#,
            _ => "{}",
        };
        self.send(format!("{{\"id\":{id},\"result\":{result}}}\n").as_bytes())
    }

    fn next_item(&mut self) -> String {
        self.items += 1;
        uuid(0x78b3, 0xa58a, self.items)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}

/// The events before a turn's deltas: running, started, the user's message, the start of the answer.
fn open_turn(lines: &mut String, turn: &Turn, user_item: &str, text: &str) {
    let Turn { thread_id, id, .. } = turn;
    let now = now_ms();
    let started = turn_object(id, "inProgress", &(now / 1000).to_string(), "");
    lines.push_str(&format!(
        r#"{{"method":"thread/status/changed","params":{{"threadId":"{thread_id}","status":{{"type":"active","activeFlags":[]}}}},"emittedAtMs":{now}}}
{{"method":"turn/started","params":{{"threadId":"{thread_id}","turn":{started}}},"emittedAtMs":{now}}}
"#
    ));
    for (method, completed) in [("item/started", "null"), ("item/completed", &*now.to_string())] {
        let user = format!(
            r#"{{"type":"userMessage","id":"{user_item}","clientId":null,"content":[{{"type":"text","text":"{text}","text_elements":[]}}],"startedAtMs":{now},"completedAtMs":{completed}}}"#
        );
        lines.push_str(&item_line(method, turn, &user));
    }
    let answer = agent_message(&turn.answer_id, "", "final_answer");
    lines.push_str(&item_line("item/started", turn, &answer));
}

/// The events that end a turn: its answer, token usage, and completion.
///
/// The answer is short instead of the sum of the deltas, so that workloads of many small messages don't
/// end with one huge message.
fn end_turn(lines: &mut String, turn: &Turn, answer: &str) {
    let Turn { thread_id, id, .. } = turn;
    let now = now_ms();
    let item = agent_message(&turn.answer_id, answer, "final_answer");
    let done = turn_object(id, "completed", &(now / 1000).to_string(), &item);
    lines.push_str(&item_line("item/completed", turn, &item));
    let usage = r#"{"totalTokens":15,"inputTokens":10,"cachedInputTokens":0,"cacheWriteInputTokens":0,"outputTokens":5,"reasoningOutputTokens":0}"#;
    lines.push_str(&format!(
        r#"{{"method":"thread/tokenUsage/updated","params":{{"threadId":"{thread_id}","turnId":"{id}","tokenUsage":{{"total":{usage},"last":{usage},"modelContextWindow":258400}}}},"emittedAtMs":{now}}}
{{"method":"thread/status/changed","params":{{"threadId":"{thread_id}","status":{{"type":"idle"}}}},"emittedAtMs":{now}}}
{{"method":"turn/completed","params":{{"threadId":"{thread_id}","turn":{done}}},"emittedAtMs":{now}}}
"#
    ));
}

fn delta(turn: &Turn, text: &str) -> String {
    let Turn { thread_id, id, answer_id } = turn;
    let now = now_ms();
    format!(
        r#"{{"method":"item/agentMessage/delta","params":{{"threadId":"{thread_id}","turnId":"{id}","itemId":"{answer_id}","delta":"{text}"}},"emittedAtMs":{now}}}
"#
    )
}

/// `item/started` or `item/completed`, as a line.
fn item_line(method: &str, turn: &Turn, item: &str) -> String {
    let Turn { thread_id, id, .. } = turn;
    let now = now_ms();
    let time = if method == "item/started" {
        format!(r#""startedAtMs":{now}"#)
    } else {
        format!(r#""contentTokenCount":null,"completedAtMs":{now}"#)
    };
    format!(
        r#"{{"method":"{method}","params":{{"item":{item},"threadId":"{thread_id}","turnId":"{id}",{time}}},"emittedAtMs":{now}}}
"#
    )
}

fn agent_message(id: &str, text: &str, phase: &str) -> String {
    let now = now_ms();
    // Empty means that it only starts.
    let completed = if text.is_empty() { "null".to_owned() } else { now.to_string() };
    format!(
        r#"{{"type":"agentMessage","moderation":null,"id":"{id}","text":"{text}","phase":"{phase}","memoryCitation":null,"delivery":null,"questions":null,"startedAtMs":{now},"completedAtMs":{completed}}}"#
    )
}

fn turn_object(id: &str, status: &str, started_at: &str, item: &str) -> String {
    let (view, completed_at, duration) =
        if status == "completed" { ("summary", started_at, "1") } else { ("notLoaded", "null", "null") };
    format!(
        r#"{{"id":"{id}","rootTurnId":"{id}","items":[{item}],"itemsView":"{view}","status":"{status}","error":null,"startedAt":{started_at},"completedAt":{completed_at},"durationMs":{duration}}}"#
    )
}

fn thread_object(id: &str) -> String {
    let now = now_ms() / 1000;
    format!(
        r#"{{"id":"{id}","environments":[{{"environmentId":"local","cwd":"/workspace","runtimeWorkspaceRoots":["/workspace"]}}],"extra":null,"sessionId":"{id}","forkedFromId":null,"attachedToThreadId":null,"parentThreadId":null,"preview":"","ephemeral":false,"section":null,"sectionEnteredAt":null,"projectId":null,"historyMode":"paginated","modelProvider":"mock","model":"mock-model","reasoningEffort":null,"createdAt":{now},"updatedAt":{now},"recencyAt":{now},"status":{{"type":"idle"}},"path":"/codex-home/sessions/rollout-{id}.jsonl","cwd":"/workspace","cliVersion":"0.169.0","originator":"flood","source":"vscode","canAcceptDirectInput":true,"threadSource":null,"agentNickname":null,"agentRole":null,"gitInfo":null,"name":null,"daybreakEnabled":null,"turns":[]}}"#
    )
}

/// Text of `bytes` bytes in one line that needs no escapes.
fn filler(bytes: usize) -> String {
    let words = "the quick brown fox jumps over the lazy dog and runs on ";
    let mut text = words.repeat(bytes.div_ceil(words.len()));
    text.truncate(bytes);
    text
}

/// Text of `bytes` encoded bytes, in lines that each end with an escape, as in real answers, so that
/// clients can't borrow it.
fn filler_lines(bytes: usize) -> String {
    let words = filler(70);
    let line = format!("{words}\\n");
    let mut text = line.repeat(bytes / line.len());
    text.push_str(&filler(bytes % line.len()));
    text
}

/// 36 characters like the real server's ids; only the last part counts up.
fn uuid(third: u16, fourth: u16, number: u64) -> String {
    format!("01a2057f-6bd1-{third:04x}-{fourth:04x}-{number:012x}")
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

/// The text of one member of the JSON object at the start of `json`; only examines the outer level.
///
/// Requires well-formed JSON without escapes in keys.
fn member<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let bytes = json.as_bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_space(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let key_end = value_end(bytes, at);
        let found = json.get(at + 1..key_end - 1)? == key;
        let value = skip_space(bytes, skip_space(bytes, key_end) + 1);
        let end = value_end(bytes, value);
        if found {
            return json.get(value..end);
        }
        at = skip_space(bytes, skip_space(bytes, end) + 1);
    }
    None
}

/// The end of the JSON value that starts at `start`.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if depth == 0 {
                    return at + 1;
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn unquoted(json: &str) -> &str {
    json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(json)
}
