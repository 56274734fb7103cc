//! Runs every workload with every client and prints one table.
//!
//! One round runs each workload once with each client. Each round starts with another client, so that a
//! temporary disturbance affects all clients alike. A cell is the median of the rounds. See the README
//! next to the manifest.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;

/// Longer than any run of any client; a run that takes longer has hung.
const TIME_LIMIT: Duration = Duration::from_secs(180);
const IDLE: Duration = Duration::from_secs(5);
const BIG: usize = 20_000_000;
const ITEM: usize = 20_000;

const USAGE: &str = "vs-peers [--rounds N] [--only ROW,..] [--peers PEER,..] [--pipe-bytes N]
rows:  deltas items roundtrip wave sleep idle spawn big
peers: parse-min ours codex-codes app-server-sdk official-python forerunner-python";

/// A client, and how its driver is started.
struct Peer {
    name: &'static str,
    title: &'static str,
    program: Program,
    /// Divides the number of events of the row `wave`: the cost per event of some clients grows with the
    /// number of turns, and a row should not take minutes.
    wave_divisor: usize,
    round_trips: usize,
}

enum Program {
    /// A binary in the same directory.
    Beside(&'static str),
    /// A script, and the module that it requires.
    Python(&'static str, &'static str),
}

const PEERS: &[Peer] = &[
    Peer {
        name: "parse-min",
        title: "parse-min",
        program: Program::Beside("drive-parse-min"),
        wave_divisor: 1,
        round_trips: 20_000,
    },
    Peer {
        name: "ours",
        title: "codex-blocking",
        program: Program::Beside("drive-ours"),
        wave_divisor: 1,
        round_trips: 20_000,
    },
    Peer {
        name: "codex-codes",
        title: "codex-codes 0.166.4 (sync)",
        program: Program::Beside("drive-codex-codes"),
        wave_divisor: 1,
        round_trips: 20_000,
    },
    Peer {
        name: "app-server-sdk",
        title: "codex-app-server-sdk 0.5.1 (tokio)",
        program: Program::Beside("drive-app-server-sdk"),
        wave_divisor: 5,
        round_trips: 20_000,
    },
    Peer {
        name: "official-python",
        title: "openai-codex 0.163.0 (Python)",
        program: Program::Python("drive_official.py", "openai_codex"),
        wave_divisor: 10,
        round_trips: 4_000,
    },
    Peer {
        name: "forerunner-python",
        title: "codex-app-server-sdk 0.4.1 (Python)",
        program: Program::Python("drive_forerunner.py", "codex_app_server_sdk"),
        wave_divisor: 50,
        round_trips: 4_000,
    },
];

/// A row of the table: its runs per round, and how to compute its cell.
struct Row {
    name: &'static str,
    title: &'static str,
    runs: fn(&Peer) -> Vec<String>,
    /// One list of reports per run.
    cell: fn(&[Vec<Value>]) -> String,
    one_core: bool,
}

const ROWS: &[Row] = &[
    Row {
        name: "deltas",
        title: "one turn of 200,000 deltas of 32 bytes: events/s; CPU per event; lost",
        runs: |_| vec!["deltas 200000 32".to_owned()],
        cell: |runs| {
            format!(
                "{}/s; {:.2} µs; {}",
                thousands(median(&runs[0], per_second)),
                median(&runs[0], cpu_micros),
                lost(&runs[0])
            )
        },
        one_core: false,
    },
    Row {
        name: "items",
        title: "2,000 items of 20 KB: MB/s; lost",
        runs: |_| vec![format!("items 2000 {ITEM}")],
        cell: |runs| {
            let rate = median(&runs[0], per_second) * ITEM as f64 / 1e6;
            format!("{rate:.0}; {}", lost(&runs[0]))
        },
        one_core: false,
    },
    Row {
        name: "roundtrip",
        title: "round trip, client and server on one core: p50; p99 µs",
        runs: |peer| vec![format!("roundtrip {} 500", peer.round_trips)],
        cell: |runs| {
            let (p50, p99) = (number("p50"), number("p99"));
            format!("{:.1}; {:.1}", median(&runs[0], p50), median(&runs[0], p99))
        },
        one_core: true,
    },
    Row {
        name: "wave",
        title: "200 turns at once: events/s; CPU per event; its growth from 20 turns; lost",
        runs: |peer| {
            let deltas = 200_000 / peer.wave_divisor;
            [20, 200]
                .map(|turns| format!("wave {turns} {} 32", deltas / turns))
                .to_vec()
        },
        cell: |runs| {
            let few = median(&runs[0], cpu_micros);
            let many = median(&runs[1], cpu_micros);
            format!(
                "{}/s; {many:.2} µs; ×{:.1}; {}",
                thousands(median(&runs[1], per_second)),
                many / few,
                lost(&runs[1])
            )
        },
        one_core: false,
    },
    Row {
        name: "sleep",
        title: "100,000 deltas while the consumer sleeps: memory grown; lost",
        runs: |_| vec!["sleep 100000 32 5000".to_owned()],
        cell: |runs| {
            let grown = median(&runs[0], number("grown_kib")) / 1000.0 * 1.024;
            format!("{grown:.1} MB; {}", lost(&runs[0]))
        },
        one_core: false,
    },
    Row {
        name: "idle",
        title: "wake-ups in 5 idle seconds",
        runs: |_| vec!["idle".to_owned()],
        cell: |runs| format!("{:.0}", median(&runs[0], number("wake_ups"))),
        one_core: false,
    },
    Row {
        name: "spawn",
        title: "spawn to first answer, ms",
        runs: |_| vec!["spawn".to_owned()],
        cell: |runs| format!("{:.2}", median(&runs[0], number("seconds")) * 1e3),
        one_core: false,
    },
    Row {
        name: "big",
        title: "one message of 20 MB: ms; peak memory",
        runs: |_| vec![format!("big {BIG}")],
        cell: |runs| {
            if runs[0].iter().any(|report| report["whole"] != true) {
                return "not whole".to_owned();
            }
            let peak = median(&runs[0], number("peak_kib")) / 1000.0 * 1.024;
            let ms = median(&runs[0], number("seconds")) * 1e3;
            format!("{ms:.0}; {peak:.0} MB")
        },
        one_core: false,
    },
];

fn number(name: &'static str) -> impl Fn(&Value) -> f64 {
    move |report| report[name].as_f64().unwrap_or(f64::NAN)
}

/// Events per second, excluding the time spent waiting for lost events.
fn per_second(report: &Value) -> f64 {
    let in_vain = report["in_vain"].as_f64().unwrap_or(0.0);
    number("seen")(report) / (number("seconds")(report) - in_vain)
}

fn cpu_micros(report: &Value) -> f64 {
    number("cpu")(report) * 1e6 / number("seen")(report)
}

fn median(reports: &[Value], of: impl Fn(&Value) -> f64) -> f64 {
    let mut values: Vec<f64> = reports.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// The loss in the worst round; an average would hide it.
fn lost(reports: &[Value]) -> String {
    let share = |report: &Value| 1.0 - number("seen")(report) / number("sent")(report);
    let worst = reports.iter().map(share).fold(0.0, f64::max);
    if worst == 0.0 {
        "0".to_owned()
    } else {
        format!("{:.2} % lost", worst * 100.0)
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

struct Options {
    rounds: usize,
    rows: Vec<&'static Row>,
    peers: Vec<&'static Peer>,
    pipe_bytes: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        rounds: 3,
        rows: ROWS.iter().collect(),
        peers: PEERS.iter().collect(),
        pipe_bytes: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--rounds" => {
                options.rounds = value()?.parse().map_err(|_| "--rounds: no number")?;
                if options.rounds == 0 {
                    return Err("--rounds: at least one".to_owned());
                }
            }
            "--only" => {
                let names = value()?;
                options.rows = pick(&names, ROWS, |row| row.name)?;
            }
            "--peers" => {
                let names = value()?;
                options.peers = pick(&names, PEERS, |peer| peer.name)?;
            }
            "--pipe-bytes" => options.pipe_bytes = Some(value()?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

fn pick<T>(
    names: &str,
    all: &'static [T],
    name: fn(&T) -> &str,
) -> Result<Vec<&'static T>, String> {
    names
        .split(',')
        .map(|wanted| {
            all.iter()
                .find(|one| name(one) == wanted)
                .ok_or_else(|| format!("no {wanted:?}\n{USAGE}"))
        })
        .collect()
}

struct Runner {
    folder: PathBuf,
    python: String,
    pipe_bytes: Option<String>,
}

impl Runner {
    fn command(&self, peer: &Peer) -> Command {
        let mut command = match peer.program {
            Program::Beside(name) => Command::new(self.folder.join(name)),
            Program::Python(script, _) => {
                let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
                let mut command = Command::new(&self.python);
                command.arg(scripts.join(script));
                command
            }
        };
        command.env("FLOOD_SERVER", self.folder.join("flood-server"));
        if let Some(bytes) = &self.pipe_bytes {
            command.env("FLOOD_PIPE_BYTES", bytes);
        }
        command
    }

    fn is_there(&self, peer: &Peer) -> bool {
        match peer.program {
            Program::Beside(name) => self.folder.join(name).exists(),
            Program::Python(_, module) => Command::new(&self.python)
                .args(["-c", &format!("import {module}")])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
    }

    fn run(&self, peer: &Peer, workload: &str, one_core: bool) -> Result<Value, String> {
        let everywhere = one_core.then(use_one_core);
        let child = self
            .command(peer)
            .args(workload.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        if let Some(everywhere) = everywhere {
            let _ = sched_setaffinity(None, &everywhere);
        }
        let mut child = child.map_err(|e| e.to_string())?;
        let report = wait_for_report(&mut child);
        let _ = child.kill();
        let _ = child.wait();
        report
    }
}

/// Binds this thread, and therefore the processes that it starts, to one core. Returns the previous
/// affinity.
fn use_one_core() -> CpuSet {
    let everywhere = sched_getaffinity(None).expect("Linux tells");
    // The last core: the first one handles more interrupts.
    if let Some(last) = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|cpu| everywhere.is_set(*cpu))
    {
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).expect("a core that was allowed");
    }
    everywhere
}

/// Reads the driver's output: `READY` when it is idle, and the report.
fn wait_for_report(child: &mut Child) -> Result<Value, String> {
    let stdout = child.stdout.take().ok_or("no stdout")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut wake_ups = None;
    loop {
        let line = lines.recv_timeout(TIME_LIMIT).map_err(|e| match e {
            mpsc::RecvTimeoutError::Timeout => format!("no end in {} s", TIME_LIMIT.as_secs()),
            mpsc::RecvTimeoutError::Disconnected => "failed".to_owned(),
        })?;
        if line == "READY" {
            wake_ups = Some(count_wake_ups(child.id()));
            let stdin = child.stdin.as_mut().ok_or("no stdin")?;
            stdin.write_all(b"\n").map_err(|e| e.to_string())?;
            continue;
        }
        let mut report: Value = serde_json::from_str(&line).map_err(|e| format!("{e}: {line}"))?;
        if let Some(wake_ups) = wake_ups {
            report["wake_ups"] = wake_ups.into();
        }
        return Ok(report);
    }
}

/// How often the threads of an idle process went to sleep, and therefore woke up.
fn count_wake_ups(process: u32) -> u64 {
    // Wait for the work that remains after the last turn.
    std::thread::sleep(Duration::from_millis(500));
    let before = switches(process);
    std::thread::sleep(IDLE);
    switches(process)
        .into_iter()
        .map(|(thread, now)| now - before.get(&thread).copied().unwrap_or(0))
        .sum()
}

fn switches(process: u32) -> HashMap<String, u64> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
    let mut switches = HashMap::new();
    for task in tasks.into_iter().flatten().flatten() {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
            .and_then(|rest| rest.trim().parse().ok());
        if let Some(count) = count {
            switches.insert(task.file_name().to_string_lossy().into_owned(), count);
        }
    }
    switches
}

/// The reports of one row and client, or why there are none.
type Outcome = Result<Vec<Vec<Value>>, String>;

fn main() {
    let options = options().unwrap_or_else(|usage| {
        eprintln!("{usage}");
        std::process::exit(2);
    });
    let mut folder = std::env::current_exe().expect("we run");
    folder.pop();
    let runner = Runner {
        folder,
        python: std::env::var("VS_PEERS_PYTHON").unwrap_or_else(|_| "python3".to_owned()),
        pipe_bytes: options.pipe_bytes,
    };
    let (peers, missing): (Vec<&Peer>, Vec<&Peer>) =
        options.peers.iter().partition(|peer| runner.is_there(peer));

    let mut outcomes: BTreeMap<(&str, &str), Outcome> = BTreeMap::new();
    for round in 0..options.rounds {
        for row in &options.rows {
            for turn in 0..peers.len() {
                let peer = peers[(round + turn) % peers.len()];
                eprintln!("round {}: {} {}", round + 1, row.name, peer.name);
                run_cell(&runner, row, peer, &mut outcomes);
            }
        }
    }
    print_table(&options.rows, &peers, &outcomes, options.rounds);
    for peer in missing {
        println!("\n{}: not built or not installed, left out.", peer.title);
    }
}

fn run_cell<'a>(
    runner: &Runner,
    row: &'a Row,
    peer: &'a Peer,
    outcomes: &mut BTreeMap<(&'a str, &'a str), Outcome>,
) {
    let runs = (row.runs)(peer);
    let outcome = outcomes
        .entry((row.name, peer.name))
        .or_insert_with(|| Ok(vec![Vec::new(); runs.len()]));
    for (at, workload) in runs.iter().enumerate() {
        let Ok(reports) = outcome else {
            return; // it can't, or it failed before: once is enough
        };
        match runner.run(peer, workload, row.one_core) {
            Ok(report) => match report["cannot"].as_str() {
                Some(why) => *outcome = Err(why.to_owned()),
                None => reports[at].push(report),
            },
            Err(why) => *outcome = Err(why),
        }
    }
}

fn print_table(
    rows: &[&Row],
    peers: &[&Peer],
    outcomes: &BTreeMap<(&str, &str), Outcome>,
    rounds: usize,
) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("Cores: {cores}; rounds: {rounds}. Medians; of what was lost, the worst round.\n");
    let titles: Vec<&str> = peers.iter().map(|peer| peer.title).collect();
    println!("| | {} |", titles.join(" | "));
    println!("|---|{}", "---|".repeat(peers.len()));
    let mut notes = Vec::new();
    for row in rows {
        let cells: Vec<String> = peers
            .iter()
            .map(|peer| match &outcomes[&(row.name, peer.name)] {
                Err(why) => {
                    notes.push(format!("{}, {}: {why}.", row.name, peer.title));
                    format!("– [{}]", notes.len())
                }
                Ok(runs) => {
                    let note = runs.iter().flatten().find_map(|r| r["note"].as_str());
                    let mut cell = (row.cell)(runs);
                    if let Some(note) = note {
                        notes.push(format!("{}, {}: {note}.", row.name, peer.title));
                        cell.push_str(&format!(" [{}]", notes.len()));
                    }
                    cell
                }
            })
            .collect();
        println!("| {} | {} |", row.title, cells.join(" | "));
    }
    println!();
    for (at, note) in notes.iter().enumerate() {
        println!("[{}] {note}", at + 1);
    }
}
