//! Shared code of the drivers: the workloads, the clocks, and the line of JSON that a driver prints.
//!
//! Each client has its own driver program, so that CPU time, memory and threads are that client's alone.
//! A driver is called as `drive-x WORKLOAD [NUMBER...]`, starts the flooding server named by
//! `FLOOD_SERVER` through its client's own API, and measures from inside, after start-up.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value};

/// The workload of a driver.
#[derive(Debug, Clone, Copy)]
pub enum Workload {
    /// One turn of `count` text deltas of `bytes` bytes, read one by one.
    Deltas { count: usize, bytes: usize },
    /// One turn of `count` completed items of `bytes` bytes, read one by one.
    Items { count: usize, bytes: usize },
    /// `count` small sequential requests, after `warm_up` that are not counted.
    RoundTrip { count: usize, warm_up: usize },
    /// `turns` concurrent turns on one connection, each caller on its own thread.
    Wave {
        turns: usize,
        count: usize,
        bytes: usize,
    },
    /// Like `Deltas`, but the consumer sleeps `millis` ms before reading.
    Sleep {
        count: usize,
        bytes: usize,
        millis: u64,
    },
    /// Connected, one turn completed, then idle until told to end.
    Idle,
    /// From before the server is spawned until its first response.
    Spawn,
    /// One response of `bytes` bytes.
    Big { bytes: usize },
}

impl Workload {
    /// Parses the command line of a driver.
    pub fn from_args() -> Self {
        let mut args = std::env::args().skip(1);
        let name = args.next().unwrap_or_default();
        let mut number = || -> usize {
            args.next()
                .and_then(|arg| arg.parse().ok())
                .unwrap_or_else(|| panic!("{name}: a number is missing"))
        };
        match name.as_str() {
            "deltas" => Self::Deltas {
                count: number(),
                bytes: number(),
            },
            "items" => Self::Items {
                count: number(),
                bytes: number(),
            },
            "roundtrip" => Self::RoundTrip {
                count: number(),
                warm_up: number(),
            },
            "wave" => Self::Wave {
                turns: number(),
                count: number(),
                bytes: number(),
            },
            "sleep" => Self::Sleep {
                count: number(),
                bytes: number(),
                millis: number() as u64,
            },
            "idle" => Self::Idle,
            "spawn" => Self::Spawn,
            "big" => Self::Big { bytes: number() },
            other => panic!("unknown workload {other:?}"),
        }
    }

    /// The user message that makes the server run the workload.
    pub fn prompt(self) -> String {
        match self {
            Self::Deltas { count, bytes } | Self::Sleep { count, bytes, .. } => {
                format!("deltas {count} {bytes}")
            }
            Self::Items { count, bytes } => format!("items {count} {bytes}"),
            Self::Wave {
                turns,
                count,
                bytes,
            } => format!("wave {turns} {count} {bytes}"),
            _ => "hello".to_owned(),
        }
    }
}

/// The path of the flooding server.
pub fn flood_server() -> String {
    std::env::var("FLOOD_SERVER").expect("FLOOD_SERVER names the server")
}

/// The CPU time of all threads of this process, without children, in seconds.
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A field of `/proc/self/status` in KiB: `VmRSS`, `VmHWM`.
pub fn memory_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// A wall clock and a CPU clock, started together.
#[derive(Debug)]
pub struct Clock {
    wall: Instant,
    cpu: f64,
}

impl Clock {
    /// Starts both clocks.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            cpu: cpu_seconds(),
            wall: Instant::now(),
        }
    }
}

/// The results of a driver, printed as one line of JSON.
#[derive(Debug, Default)]
pub struct Report(Map<String, Value>);

impl Report {
    /// Adds one number or string.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds `seconds` and `cpu` since the clock was started.
    pub fn stop(&mut self, clock: &Clock) -> &mut Self {
        let seconds = clock.wall.elapsed().as_secs_f64();
        let cpu = cpu_seconds() - clock.cpu;
        self.set("seconds", seconds).set("cpu", cpu)
    }

    /// Adds the number of sent and of received items.
    pub fn seen(&mut self, seen: usize, sent: usize) -> &mut Self {
        self.set("seen", seen).set("sent", sent)
    }

    /// Adds `p50` and `p99`, in microseconds.
    pub fn percentiles(&mut self, mut times: Vec<Duration>) -> &mut Self {
        times.sort_unstable();
        for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
            let at = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            let micros = times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6);
            self.set(name, micros);
        }
        self
    }

    /// Prints the line, including peak memory.
    pub fn print(&mut self) {
        self.set("peak_kib", memory_kib("VmHWM"));
        println!("{}", Value::Object(std::mem::take(&mut self.0)));
    }
}

/// Announces that the driver is idle, and waits until it has been examined.
pub fn idle_until_told() {
    println!("READY");
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().lock().read_line(&mut String::new());
}
