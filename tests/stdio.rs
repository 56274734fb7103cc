//! The `Stdio` transport against real child processes: start, stderr, exit, a full pipe, the stop ladder, frames, leaks.
//!
//! The binary is its own fake server: run with `--serve SCENARIO` it speaks the protocol on its standard
//! streams (`server`), and with `--probe NAME` it does what needs a process to itself, such as counting
//! descriptors (`probe`). Invariant: a test waits for events, not for time, and one that hangs fails.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

#[cfg(unix)]
#[path = "support/cases.rs"]
mod cases;
#[cfg(unix)]
#[path = "stdio/exit.rs"]
mod exit;
#[cfg(unix)]
#[path = "stdio/frames.rs"]
mod frames;
#[cfg(unix)]
#[path = "stdio/full_pipe.rs"]
mod full_pipe;
#[cfg(unix)]
#[path = "stdio/harness.rs"]
mod harness;
#[cfg(unix)]
#[path = "stdio/probe.rs"]
mod probe;
#[cfg(unix)]
#[path = "stdio/server.rs"]
mod server;
#[cfg(unix)]
#[path = "stdio/start.rs"]
mod start;
#[cfg(unix)]
#[path = "stdio/stderr.rs"]
mod stderr;
#[cfg(unix)]
#[path = "stdio/stop.rs"]
mod stop;

#[cfg(unix)]
fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["--serve", scenario, ..] => server::serve(scenario),
        // What the default command runs.
        ["app-server"] => server::serve("plain"),
        ["--probe", name, ..] => probe::run(name),
        _ => {
            harness::log_into_memory();
            let cases = [
                start::cases(),
                stderr::cases(),
                exit::cases(),
                full_pipe::cases(),
                stop::cases(),
                frames::cases(),
                probe::cases(),
            ];
            let arguments = libtest_mimic::Arguments::from_args();
            let trials = cases.into_iter().flatten().map(|case| cases::watched(case.name, case.run));
            libtest_mimic::run(&arguments, trials.collect()).exit();
        }
    }
}

/// Signals, process groups and `sh` are Unix's; elsewhere there is nothing to run yet.
#[cfg(not(unix))]
fn main() {}
