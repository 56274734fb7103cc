//! What needs a process to itself: environment variables, counts of threads and descriptors, the end of the process.
//!
//! Relies on `harness`. Each test runs this binary again with `--probe NAME`, where the part below it runs alone;
//! a probe fails by panicking. Counting needs `/proc`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio as Pipe},
};

use codex_blocking::{Client, Stdio};
use serde_json::{Value, json};

use crate::harness::{Lookout, connect, deaf_server, folder};
use crate::support::cases::cases;

cases![
    the_default_command_is_that_of_the_variable_in_words,
    without_the_variable_codex_app_server_is_run_from_the_path,
    a_relative_entry_of_the_path_is_meant_from_here_though_the_child_runs_elsewhere,
    without_any_codex_the_error_says_how_to_get_one,
    a_process_that_ends_right_after_its_last_drop_leaves_no_orphan,
    #[cfg(target_os = "linux")]
    cycles_that_end_by_close_leak_neither_threads_nor_descriptors,
    #[cfg(target_os = "linux")]
    cycles_that_end_by_drop_leak_neither_threads_nor_descriptors,
    #[cfg(target_os = "linux")]
    cycles_that_end_by_death_leak_neither_threads_nor_descriptors,
    #[cfg(target_os = "linux")]
    cycles_that_fail_to_start_leak_neither_threads_nor_descriptors,
    #[cfg(target_os = "linux")]
    the_names_of_all_threads_start_with_codex,
    #[cfg(target_os = "linux")]
    an_idle_client_wakes_no_thread,
];

/// Runs a probe in this process.
pub(crate) fn run(name: &str, words: &[&str]) {
    match name {
        "default-command" => default_command(),
        "default-command-elsewhere" => default_command_elsewhere(),
        "no-command" => no_command(),
        "drop-and-exit" => drop_and_exit(words),
        #[cfg(target_os = "linux")]
        "threads" => linux::names(),
        #[cfg(target_os = "linux")]
        "idle" => linux::idle(),
        #[cfg(target_os = "linux")]
        ending => linux::cycles(ending),
        #[cfg(not(target_os = "linux"))]
        other => panic!("there is no probe {other}"),
    }
}

pub(crate) fn probe(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--probe", name]).stdin(Pipe::null()).stderr(Pipe::inherit());
    command
}

/// What the probe wrote on stdout, which is JSON or nothing.
#[track_caller]
pub(crate) fn output_of(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "the probe failed: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn print(value: &Value) {
    use std::io::Write;
    std::io::stdout().write_all(value.to_string().as_bytes()).unwrap();
}

/// The file that an installation puts into a folder of `PATH`.
const INSTALLED: &str = if cfg!(windows) { "codex.cmd" } else { "codex" };

/// Makes this binary the `codex` of a folder of `PATH`.
fn install(folder: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(std::env::current_exe().unwrap(), folder.join(INSTALLED)).unwrap();
    #[cfg(not(unix))]
    crate::harness::script(folder, "codex");
}

/// Asks the default server for its arguments.
fn default_command() {
    print(&connect(Stdio::default()).request("arguments", ()).unwrap());
}

/// Each system has rules of its own for the words of a command line.
fn the_default_command_is_that_of_the_variable_in_words() {
    let exe = std::env::current_exe().unwrap();
    let (words, split) = match cfg!(windows) {
        true => (format!(r#""{}" --serve plain "a b" c\d 'e "" "#, exe.display()), ["a b", r"c\d", "'e", ""]),
        false => (
            format!(r#"'{}' --serve plain "a b" c\ d '$HOME' ''"#, exe.display()),
            ["a b", "c d", "$HOME", ""],
        ),
    };
    let arguments = output_of(probe("default-command").env("CODEX_APP_SERVER_CMD", words));
    assert_eq!(arguments, json!(["--serve", "plain", split[0], split[1], split[2], split[3]]));
}

fn without_the_variable_codex_app_server_is_run_from_the_path() {
    let folder = folder("path");
    install(&folder);
    let mut probe = probe("default-command");
    let arguments = output_of(probe.env_remove("CODEX_APP_SERVER_CMD").env("PATH", folder));
    assert_eq!(arguments, json!(["app-server"]));
}

/// Asks the default server for its arguments and its working directory, which is another one than this process's.
fn default_command_elsewhere() {
    let client = connect(Stdio::default().cwd("project"));
    print(&json!(["arguments", "cwd"].map(|method| client.request(method, ()).unwrap())));
}

fn a_relative_entry_of_the_path_is_meant_from_here_though_the_child_runs_elsewhere() {
    let folder = folder("relative");
    let (bin, project) = (folder.join("bin"), folder.join("project"));
    std::fs::create_dir_all(&bin).unwrap();
    install(&bin);
    // Whoever can write to the project must not decide what runs.
    std::fs::create_dir_all(project.join("bin")).unwrap();
    std::fs::write(project.join("bin").join(INSTALLED), "no program").unwrap();
    let mut probe = probe("default-command-elsewhere");
    probe.env_remove("CODEX_APP_SERVER_CMD").env("PATH", "bin").current_dir(&folder);
    assert_eq!(output_of(&mut probe), json!([["app-server"], project]));
}

fn no_command() {
    print(&Client::connect(Stdio::default()).unwrap_err().to_string().into());
}

fn without_any_codex_the_error_says_how_to_get_one() {
    let of_the_system = [
        "/usr/local/bin",
        "/opt/homebrew/bin",
        "/home/linuxbrew/.linuxbrew/bin",
        "/opt/local/bin",
        "/run/current-system/sw/bin",
        "/usr/bin",
    ];
    if of_the_system.iter().any(|directory| PathBuf::from(directory).join("codex").exists()) {
        // It is found there whatever the environment says.
        return;
    }
    let [bin, home] = ["/nowhere/bin", "/nowhere/home"].map(|folder| std::path::absolute(folder).unwrap());
    let mut probe = probe("no-command");
    // They name directories of installers.
    for name in ["BUN_INSTALL", "CODEX_INSTALL_DIR", "NVM_BIN", "PNPM_HOME", "VOLTA_HOME"] {
        probe.env_remove(name);
    }
    probe.env_remove("npm_config_prefix").env_remove("NPM_CONFIG_PREFIX");
    probe.env_remove("CODEX_APP_SERVER_CMD").env("PATH", &bin);
    let error = output_of(probe.env(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, &home));
    let [at, usual] = [bin, home.join(".local").join("bin")].map(|folder| folder.join("codex"));
    for part in [at.to_str().unwrap(), usual.to_str().unwrap(), "npm install", "CODEX_APP_SERVER_CMD"] {
        assert!(error.as_str().unwrap().contains(part), "{part} is not in: {error}");
    }
}

/// Has the two processes report to the test, which says when it knows them; drops; ends.
fn drop_and_exit(ports: &[&str]) {
    let client = connect(deaf_server());
    for (method, port) in ["watch", "spawn"].into_iter().zip(ports) {
        let port: u16 = port.parse().unwrap();
        client.request(method, json!({ "scenario": "sleeper", "port": port })).unwrap();
    }
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(client);
    std::process::exit(0);
}

fn a_process_that_ends_right_after_its_last_drop_leaves_no_orphan() {
    let lookouts = [Lookout::new(), Lookout::new()];
    let ports = lookouts.each_ref().map(|lookout| lookout.port().to_string());
    let mut running = probe("drop-and-exit").args(ports).stdin(Pipe::piped()).spawn().unwrap();
    let [child, grandchild] = lookouts.map(Lookout::watched);
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
    assert!(child.is_gone(), "the child was not waited for");
    grandchild.await_end();
}

#[cfg(target_os = "linux")]
fn cycles_that_end_by_close_leak_neither_threads_nor_descriptors() {
    output_of(&mut probe("close"));
}

#[cfg(target_os = "linux")]
fn cycles_that_end_by_drop_leak_neither_threads_nor_descriptors() {
    output_of(&mut probe("drop"));
}

#[cfg(target_os = "linux")]
fn cycles_that_end_by_death_leak_neither_threads_nor_descriptors() {
    output_of(&mut probe("death"));
}

#[cfg(target_os = "linux")]
fn cycles_that_fail_to_start_leak_neither_threads_nor_descriptors() {
    output_of(&mut probe("no-start"));
}

#[cfg(target_os = "linux")]
fn the_names_of_all_threads_start_with_codex() {
    let names = output_of(&mut probe("threads"));
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for expected in ["codex-read", "codex-exit", "codex-stderr", "codex-log"] {
        assert!(names.contains(&expected), "{expected} is not among {names:?}");
    }
    assert!(names.iter().all(|name| name.starts_with("codex")), "{names:?}");
}

#[cfg(target_os = "linux")]
fn an_idle_client_wakes_no_thread() {
    output_of(&mut probe("idle"));
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{collections::BTreeMap, fs, thread, time::Duration};

    use super::*;
    use crate::harness::{await_notification, log_into_memory, server};
    use crate::support::await_that;

    /// The threads of this process by number, with their names.
    fn threads() -> BTreeMap<String, String> {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        tasks
            .filter_map(|task| {
                let task = task.unwrap();
                let name = fs::read_to_string(task.path().join("comm")).ok()?;
                Some((task.file_name().into_string().unwrap(), name.trim_end().to_owned()))
            })
            .collect()
    }

    /// Threads and descriptors. The listing itself needs a descriptor, every time.
    fn counts() -> (usize, usize) {
        (threads().len(), fs::read_dir("/proc/self/fd").unwrap().count())
    }

    /// One life of a client.
    fn cycle(ending: &str) {
        if ending == "no-start" {
            Client::connect(server("plain").cwd("/no/such/folder")).unwrap_err();
            Client::connect(Stdio::command(["/proc/self/status"])).unwrap_err();
            return;
        }
        let client = connect(server("plain"));
        // A stray line has the log's thread run, too.
        client.request("raw", json!({ "bytes": b"stray\n" })).unwrap();
        match ending {
            "close" => client.close().unwrap(),
            "drop" => {}
            "death" => drop(client.request("exit", json!({ "status": 3 })).unwrap_err()),
            other => panic!("there is no probe {other}"),
        }
    }

    /// A hundred lives leave as many threads and descriptors as there were before the first.
    pub(super) fn cycles(ending: &str) {
        log_into_memory();
        let before = counts();
        for _ in 0..100 {
            cycle(ending);
        }
        // The system may list a thread for a moment after it has been joined.
        await_that(&format!("{before:?} threads and descriptors, now {:?}", counts()), || counts() == before);
    }

    /// Tells the names of the threads that a client in use has started.
    pub(super) fn names() {
        log_into_memory();
        let before = threads();
        let client = connect(server("plain"));
        client.request("raw", json!({ "bytes": b"stray\n" })).unwrap();
        let names = || {
            let started = threads().into_iter().filter(|(number, _)| !before.contains_key(number));
            started.map(|(_, name)| name).collect::<Vec<_>>()
        };
        // A thread gives itself its name, a moment after it has begun.
        await_that("all threads are named", || {
            let names = names();
            names.iter().any(|name| name == "codex-log") && names.iter().all(|name| name.starts_with("codex"))
        });
        print(&json!(names()));
    }

    /// How often each of the client's threads has been woken or held up.
    fn switches() -> BTreeMap<String, u64> {
        let ours = threads().into_iter().filter(|(_, name)| name.starts_with("codex"));
        ours.map(|(number, name)| {
            let status = fs::read_to_string(format!("/proc/self/task/{number}/status")).unwrap();
            let counted = status.lines().filter(|line| line.contains("ctxt_switches"));
            let sum =
                counted.map(|line| line.rsplit(char::is_whitespace).next().unwrap().parse::<u64>().unwrap());
            (format!("{name} {number}"), sum.sum())
        })
        .collect()
    }

    /// Two quiet seconds of a client with a request under way and a stream of notifications open.
    pub(super) fn idle() {
        log_into_memory();
        let client = connect(server("plain"));
        let mut notifications = client.notifications();
        client.request("raw", json!({ "bytes": b"stray\n" })).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| client.request("hold", ()).unwrap_err());
            await_notification(&mut notifications, "held");
            // Until the threads that were just woken have gone to sleep.
            let mut before = switches();
            loop {
                thread::sleep(Duration::from_millis(100));
                let now = switches();
                if now == before {
                    break;
                }
                before = now;
            }
            assert!(before.len() >= 4, "{before:?}");
            // Nothing is to happen: there is no event to wait for.
            thread::sleep(Duration::from_secs(2));
            assert_eq!(switches(), before);
            client.close().unwrap();
        });
    }
}
