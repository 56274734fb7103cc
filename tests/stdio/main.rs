//! The `Stdio` transport against real child processes: start, stderr, exit, a full pipe, the stop ladder, frames, leaks.
//!
//! The binary is its own fake server: run with `--serve SCENARIO` it speaks the protocol on its standard
//! streams (`server`), and with `--probe NAME` it does what needs a process to itself, such as counting
//! descriptors (`probe`) or be an unusual host (`hosts`, which exists on Unix only). Invariant: a test waits for
//! events, not for time, and one that hangs fails.

#[path = "../support/mod.rs"]
mod support;

mod exit;
mod frames;
mod full_pipe;
mod harness;
#[cfg(unix)]
mod host_death;
#[cfg(unix)]
mod hosts;
mod probe;
mod server;
mod start;
mod stderr;
mod stop;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["--serve", scenario, ..] => server::serve(scenario),
        // What the default command runs.
        ["app-server"] => server::serve("plain"),
        ["--probe", name, ref words @ ..] => match name.strip_prefix("host-") {
            #[cfg(unix)]
            Some("death") => host_death::run(words[0], &words[1..]),
            #[cfg(unix)]
            Some(host) => hosts::run(host, words),
            _ => probe::run(name, words),
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
                #[cfg(unix)]
                hosts::cases(),
                #[cfg(unix)]
                host_death::cases(),
            ];
            let arguments = libtest_mimic::Arguments::from_args();
            let trials = cases.into_iter().flatten().map(|case| support::cases::watched(case.name, case.run));
            libtest_mimic::run(&arguments, trials.collect()).exit();
        }
    }
}
