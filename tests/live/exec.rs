//! Commands on the real app-server: what they write, read and exit with, and how they are ended.
//!
//! Relies on `support/live.rs`; uses the public API only. Invariant: commands touch nothing outside of
//! the test's own workspace, and none is left running.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use codex_blocking::protocol::CommandExecParams;
use codex_blocking::{
    Client, ClientBuilder, Error, ExecOptions, OutputStream, RunningCommand, SandboxPolicy,
};

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::{RealHome, is_before, is_old_server};

cases![
    a_command_gives_its_exit_code_and_its_output_by_stream,
    the_folder_and_the_environment_are_what_was_set,
    a_read_only_sandbox_lets_nothing_be_written,
    a_command_that_takes_too_long_exits_with_124,
    a_program_that_is_missing_is_an_exit_code_in_the_sandbox_and_an_error_without,
    a_folder_that_is_missing_is_an_error_of_both_ways,
    output_is_capped_as_asked,
    output_comes_while_the_command_runs,
    what_is_written_at_once_after_the_start_arrives_and_cat_ends_with_its_input,
    the_input_is_empty_unless_it_was_asked_for,
    a_terminal_has_the_size_it_is_given,
    a_command_is_terminated_from_another_thread_while_it_is_read,
    a_command_that_has_exited_takes_no_more_input,
    #[cfg(target_os = "linux")]
    a_command_does_not_outlive_its_handle_nor_its_client,
    commands_that_run_at_once_keep_their_output_apart,
    a_large_output_is_complete_and_in_order,
    a_character_may_be_spread_over_pieces_and_no_byte_is_lost,
    a_flood_that_nobody_reads_ends_and_the_server_with_its_other_commands_does_not,
    many_commands_from_many_threads_however_they_end_leave_nothing_behind,
];

/// Without a sandbox, which not every machine can make; with time for a busy one.
fn options() -> ExecOptions {
    ExecOptions::new().sandbox_policy(SandboxPolicy::DangerFullAccess).timeout(Duration::from_secs(60))
}

fn shell(script: &str) -> [&str; 3] {
    ["sh", "-c", script]
}

/// A server that streams commands, and takes all options. One that does not is not asked to.
fn streaming(builder: ClientBuilder) -> Option<Live> {
    let live = Live::with(RealHome::new(), builder);
    if !is_before(113) {
        return Some(live);
    }
    let refused = live.client.spawn_command(["true"], options());
    assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{refused:?}");
    None
}

/// The exit code of a command that was terminated.
fn terminated() -> i32 {
    if is_old_server() { -1 } else { 137 }
}

fn spawn(client: &Client, script: &str, options: ExecOptions) -> RunningCommand {
    client.spawn_command(shell(script), options).unwrap()
}

/// Reads until this was written.
fn read_until(command: &mut RunningCommand, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        read.extend(command.next_timeout(PATIENCE).unwrap_or_else(|| panic!("{read:?}, then nothing")).data);
    }
    String::from_utf8(read).unwrap()
}

// The simple call.

fn a_command_gives_its_exit_code_and_its_output_by_stream() {
    let live = Live::new();
    let reply = live.client.exec_command(shell("echo out; echo err >&2; exit 3"), options()).unwrap();
    assert_eq!((reply.exit_code, &*reply.stdout, &*reply.stderr), (3, "out\n", "err\n"));
    let typed = CommandExecParams::new(["true"].map(str::to_owned).to_vec())
        .sandbox_policy(SandboxPolicy::DangerFullAccess);
    assert_eq!(live.client.call(typed).unwrap().exit_code, 0);
}

fn the_folder_and_the_environment_are_what_was_set() {
    let Some(live) = streaming(Client::builder()) else { return };
    let workspace = live.home.workspace();
    let options = options().cwd(&workspace).env("GREETING", "hello").unset_env("HOME");
    let reply =
        live.client.exec_command(shell("pwd -P; echo $GREETING; echo ${HOME-unset}"), options).unwrap();
    let workspace = fs::canonicalize(workspace).unwrap();
    assert_eq!(reply.stdout, format!("{}\nhello\nunset\n", workspace.display()));
}

fn a_read_only_sandbox_lets_nothing_be_written() {
    let live = Live::new();
    let workspace = live.home.workspace();
    let options = options().cwd(&workspace).sandbox_policy(SandboxPolicy::read_only());
    match live.client.exec_command(["touch", "file"], options) {
        Ok(reply) => assert_ne!(reply.exit_code, 0),
        Err(error) => assert!(is_before(113) && matches!(error, Error::Rpc { .. }), "{error}"),
    }
    assert!(!workspace.join("file").exists());
}

fn a_command_that_takes_too_long_exits_with_124() {
    let Some(live) = streaming(Client::builder()) else { return };
    let reply =
        live.client.exec_command(["sleep", "600"], options().timeout(Duration::from_millis(100))).unwrap();
    assert_eq!(reply.exit_code, 124);
    let mut command = spawn(&live.client, "echo a; sleep 600", options().timeout(Duration::from_secs(2)));
    assert_eq!(read_until(&mut command, "a"), "a\n");
    assert_eq!(command.wait().unwrap().exit_code, 124);
}

fn a_program_that_is_missing_is_an_exit_code_in_the_sandbox_and_an_error_without() {
    let Some(live) = streaming(Client::builder()) else { return };
    let sandboxed = options().sandbox_policy(SandboxPolicy::read_only());
    let reply = live.client.exec_command(["no-such-program"], sandboxed).unwrap();
    assert_eq!(reply.exit_code, 101);
    assert!(reply.stderr.contains("no-such-program"), "{}", reply.stderr);
    let error = live.client.exec_command(["no-such-program"], options()).unwrap_err();
    assert!(matches!(error, Error::Rpc { code: -32603, .. }), "{error}");
}

fn a_folder_that_is_missing_is_an_error_of_both_ways() {
    let Some(live) = streaming(Client::builder()) else { return };
    let options = options().cwd(live.home.workspace().join("missing"));
    let error = live.client.exec_command(["true"], options.clone()).unwrap_err();
    assert!(matches!(error, Error::Rpc { code: -32603, .. }), "{error}");
    let error = live.client.spawn_command(["true"], options).unwrap().wait().unwrap_err();
    assert!(matches!(error, Error::Rpc { code: -32603, .. }), "{error}");
}

fn output_is_capped_as_asked() {
    let Some(live) = streaming(Client::builder()) else { return };
    let reply = live.client.exec_command(["echo", "hello"], options().output_bytes_cap(2)).unwrap();
    assert_eq!(reply.stdout, "he");
    let pieces: Vec<_> = spawn(&live.client, "echo hello", options().output_bytes_cap(2)).collect();
    assert_eq!(pieces.iter().flat_map(|piece| &piece.data).copied().collect::<Vec<_>>(), b"he");
    assert!(pieces.last().unwrap().cap_reached);
    let all = options().disable_output_cap();
    let reply = live.client.exec_command(shell("head -c 3000000 /dev/zero | tr '\\0' x"), all).unwrap();
    assert_eq!(reply.stdout.len(), 3_000_000);
}

// The handle.

fn output_comes_while_the_command_runs() {
    let Some(live) = streaming(Client::builder()) else { return };
    let script = "echo one; read go; echo two >&2; read go; echo three; exit 5";
    let mut command = spawn(&live.client, script, options().stream_stdin(true));
    assert_eq!(read_until(&mut command, "\n"), "one\n");
    assert!(command.try_next().is_none() && !command.is_ended());
    command.write(b"\n").unwrap();
    let second = command.next_timeout(PATIENCE).unwrap();
    assert_eq!((second.stream, &*second.data), (OutputStream::Stderr, &b"two\n"[..]));
    command.write(b"\n").unwrap();
    let exit = command.wait().unwrap();
    assert_eq!((exit.exit_code, exit.stdout()), (5, b"three\n".to_vec()));
}

fn what_is_written_at_once_after_the_start_arrives_and_cat_ends_with_its_input() {
    let Some(live) = streaming(Client::builder()) else { return };
    let command = live.client.spawn_command(["cat"], options().stream_stdin(true)).unwrap();
    let large = vec![b'x'; 3_000_000];
    command.write(b"hello ").unwrap();
    command.write(&large).unwrap();
    command.close_stdin().unwrap();
    assert!(matches!(command.write(b"late"), Err(Error::Rpc { .. } | Error::NoLongerPending { .. })));
    let exit = command.wait().unwrap();
    let echoed = exit.stdout();
    // The server's own cap.
    assert_eq!((exit.exit_code, echoed.len()), (0, 1024 * 1024));
    assert!(echoed.starts_with(b"hello xxx"));
}

fn the_input_is_empty_unless_it_was_asked_for() {
    let Some(live) = streaming(Client::builder()) else { return };
    let exit = live.client.spawn_command(["cat"], options()).unwrap().wait().unwrap();
    assert_eq!((exit.exit_code, exit.unread.len()), (0, 0));
}

fn a_terminal_has_the_size_it_is_given() {
    let Some(live) = streaming(Client::builder()) else { return };
    let mut command = spawn(&live.client, "stty size; read go; stty size; exit 4", options().tty(11, 22));
    assert!(read_until(&mut command, "\n").contains("11 22"));
    command.resize(33, 44).unwrap();
    command.write(b"\n").unwrap();
    assert!(read_until(&mut command, "44").contains("33 44"));
    assert_eq!(command.wait().unwrap().exit_code, 4);
    let in_terminal = live.client.spawn_command(["cat"], options().tty(11, 22)).unwrap();
    in_terminal.close_stdin().unwrap();
    assert_eq!(in_terminal.wait().unwrap().exit_code, 0);
    let killed = live.client.spawn_command(["cat"], options().tty(11, 22)).unwrap();
    killed.terminate().unwrap();
    assert_eq!(killed.wait().unwrap().exit_code, 1);
}

fn a_command_is_terminated_from_another_thread_while_it_is_read() {
    let Some(live) = streaming(Client::builder()) else { return };
    let mut command = spawn(&live.client, "echo on; sleep 600", options());
    assert_eq!(read_until(&mut command, "on"), "on\n");
    let handle = command.handle();
    let stop = std::thread::spawn(move || handle.terminate());
    assert!(command.next().is_none());
    stop.join().unwrap().unwrap();
    let handle = command.handle();
    assert_eq!(command.wait().unwrap().exit_code, terminated());
    handle.terminate().unwrap();
}

fn a_command_that_has_exited_takes_no_more_input() {
    let Some(live) = streaming(Client::builder()) else { return };
    let command = live.client.spawn_command(["true"], options().stream_stdin(true)).unwrap();
    let handle = command.handle();
    assert_eq!(command.wait().unwrap().exit_code, 0);
    assert!(matches!(handle.write(b"x"), Err(Error::NoLongerPending { .. })));
}

/// Whether the process whose number stands in the file is gone.
fn is_gone(file: &Path) -> bool {
    let pid = fs::read_to_string(file).unwrap();
    let until = Instant::now() + PATIENCE;
    while Path::new("/proc").join(pid.trim()).exists() {
        if Instant::now() > until {
            return false;
        }
        // The kernel tells nobody but the parent.
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

#[cfg(target_os = "linux")]
fn a_command_does_not_outlive_its_handle_nor_its_client() {
    let Some(live) = streaming(Client::builder()) else { return };
    let file = live.home.workspace().join("pid");
    let start = |client: &Client| {
        let script = "echo $$ > pid; echo on; exec sleep 600";
        let mut command = spawn(client, script, options().cwd(live.home.workspace()).timeout(None));
        read_until(&mut command, "on");
        command
    };
    drop(start(&live.client));
    assert!(is_gone(&file));
    let command = start(&live.client);
    live.client.close().unwrap();
    assert!(matches!(command.wait(), Err(Error::Closed { .. })));
    assert!(is_gone(&file));
}

fn commands_that_run_at_once_keep_their_output_apart() {
    let Some(live) = streaming(Client::builder()) else { return };
    let script = "i=0; while [ $i -lt 200 ]; do echo $NAME; i=$((i+1)); done";
    let commands: Vec<_> =
        ["a", "b", "c"].map(|name| (name, spawn(&live.client, script, options().env("NAME", name)))).into();
    for (name, command) in commands {
        let exit = command.wait().unwrap();
        assert_eq!((exit.exit_code, exit.stdout()), (0, format!("{name}\n").repeat(200).into_bytes()));
    }
}

fn a_large_output_is_complete_and_in_order() {
    const LINES: usize = 1_000_000;
    let Some(live) = streaming(Client::builder()) else { return };
    let script = format!("seq 1 {LINES}");
    let mut command = spawn(&live.client, &script, options().disable_output_cap());
    let read: Vec<u8> = command.by_ref().flat_map(|piece| piece.data).collect();
    assert_eq!(command.wait().unwrap().exit_code, 0);
    let expected: String = (1..=LINES).map(|line| format!("{line}\n")).collect();
    assert!(read == expected.as_bytes(), "{} bytes of {}", read.len(), expected.len());
    assert_eq!(live.client.stats().kept_bytes, 0);
}

fn a_character_may_be_spread_over_pieces_and_no_byte_is_lost() {
    let Some(live) = streaming(Client::builder()) else { return };
    // The first and the second half of an é, and a byte that is no UTF-8 at all.
    let script = r"printf '\303'; read go; printf '\251\377'";
    let mut command = spawn(&live.client, script, options().stream_stdin(true));
    assert_eq!(command.next_timeout(PATIENCE).unwrap().data, b"\xc3");
    command.write(b"\n").unwrap();
    assert_eq!(command.wait().unwrap().stdout(), b"\xa9\xff");
}

fn a_flood_that_nobody_reads_ends_and_the_server_with_its_other_commands_does_not() {
    let builder = Client::builder().max_buffered_bytes(1024 * 1024);
    let Some(live) = streaming(builder) else { return };
    let flood = live.client.spawn_command(["yes"], options().disable_output_cap().timeout(None)).unwrap();
    assert!(matches!(flood.wait(), Err(Error::OutputFull { .. })));
    let reply = live.client.exec_command(["echo", "fine"], options()).unwrap();
    assert_eq!(reply.stdout, "fine\n");
}

fn many_commands_from_many_threads_however_they_end_leave_nothing_behind() {
    let Some(live) = streaming(Client::builder()) else { return };
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = &live.client;
            scope.spawn(move || {
                for number in 0..12 {
                    let name = format!("{thread}-{number}");
                    let command =
                        spawn(client, "cat; echo $NAME", options().stream_stdin(true).env("NAME", &name));
                    match number % 3 {
                        0 => drop(command),
                        1 => {
                            command.terminate().unwrap();
                            assert_eq!(command.wait().unwrap().exit_code, terminated());
                        }
                        _ => {
                            command.write(b"said\n").unwrap();
                            command.close_stdin().unwrap();
                            assert_eq!(
                                command.wait().unwrap().stdout(),
                                format!("said\n{name}\n").into_bytes()
                            );
                        }
                    }
                }
            });
        }
    });
    let until = Instant::now() + PATIENCE;
    while live.client.stats().pending_requests > 0 {
        assert!(Instant::now() < until, "{:?}", live.client.stats());
        live.client.exec_command(["true"], options()).unwrap();
    }
    assert_eq!((live.client.stats().kept_bytes, live.client.stats().unmatched_replies), (0, 0));
}
