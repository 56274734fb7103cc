//! The `Stdio` transport against real child processes: start, stderr, exit, a full pipe, the stop ladder, frames, leaks.
//!
//! The binary is its own fake server: run with `--serve SCENARIO` it speaks the protocol on its standard
//! streams (`server`), and with `--probe NAME` it does what needs a process to itself, such as counting
//! descriptors (`probe`) or be an unusual host (`hosts`). Invariant: a test waits for events, not for time, and one that hangs fails.

#[cfg(unix)]
#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod exit;
#[cfg(unix)]
mod frames;
#[cfg(unix)]
mod full_pipe;
#[cfg(unix)]
mod harness;
#[cfg(unix)]
mod host_death;
#[cfg(unix)]
mod hosts;
#[cfg(unix)]
mod probe;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod start;
#[cfg(unix)]
mod stderr;
#[cfg(unix)]
mod stop;

#[cfg(unix)]
fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["--serve", scenario, ..] => server::serve(scenario),
        // What the default command runs.
        ["app-server"] => server::serve("plain"),
        ["--probe", name, ref words @ ..] => match name.strip_prefix("host-") {
            Some("death") => host_death::run(words[0], &words[1..]),
            Some(host) => hosts::run(host, words),
            None => probe::run(name),
        },
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
                hosts::cases(),
                host_death::cases(),
            ];
            let arguments = libtest_mimic::Arguments::from_args();
            let trials = cases.into_iter().flatten().map(|case| support::cases::watched(case.name, case.run));
            libtest_mimic::run(&arguments, trials.collect()).exit();
        }
    }
}

/// Signals, process groups and `sh` are Unix's; elsewhere there is nothing to run yet.
#[cfg(not(unix))]
fn main() {}
