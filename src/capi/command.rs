//! Commands that run on the server.
//!
//! Relies on `reader`. Invariant: a command is written to and terminated without its output, so from any thread while
//! another one reads it; freeing the handle terminates it.

use std::ffi::{c_char, c_void};

use parking_lot::Mutex;
use serde_json::json;

use super::{
    CODEX_ENDED, CODEX_ITEM, CODEX_NOTHING_YET,
    buffers::{Place, bytes, give_handle, give_json, json, object_or_default, to_json},
    codex_callback, codex_client, codex_command,
    failure::{Failure, call, free, run},
    handles::{Handled, close, get},
    open_client::OpenClient,
    reader::{Found, Reader, deadline},
};
use crate::{CommandHandle, CommandOutput, ExecOptions, OutputStream, RunningCommand, error::Error};

pub(super) struct OpenCommand {
    handle: CommandHandle,
    reader: Reader<RunningCommand>,
    /// What did not fit into the buffer of `codex_command_read`.
    rest: Mutex<Option<Rest>>,
}

/// Output of which the first `taken` bytes were given.
struct Rest {
    output: CommandOutput,
    taken: usize,
}

impl Rest {
    fn new(output: CommandOutput) -> Rest {
        Rest { output, taken: 0 }
    }

    fn into_output(mut self) -> CommandOutput {
        self.output.data.drain(..self.taken);
        self.output
    }
}

impl Handled for OpenCommand {
    type Handle = codex_command;
    const KIND: u8 = 5;
    const NAME: &str = "codex_command";

    fn freed(&self) {
        self.end();
        self.reader.close();
    }
}

impl OpenCommand {
    fn end(&self) {
        // Its stream belongs to a call that waits for its end.
        if self.reader.lock().stream().is_none() && !self.handle.is_over() {
            let handle = self.handle.clone();
            let terminate = move || drop(handle.terminate());
            if std::thread::Builder::new().name("codex-terminate".to_owned()).spawn(terminate).is_err() {
                log::error!("a command can't be terminated: no thread can be started");
            }
        }
        self.reader.end();
        *self.rest.lock() = None;
    }

    /// The next output, of which at most so many bytes; the rest of the one before first.
    fn next(&self, timeout_ms: i64, most: usize) -> Found<CommandOutput> {
        let found = self.reader.wait(deadline(timeout_ms), |command| {
            // Under the lock of the stream, so that what several threads read is in order.
            match self.take_rest(most).or_else(|| self.part(Rest::new(command.try_next()?), most)) {
                Some(output) => Found::Item(output),
                None if command.is_ended() => Found::Ended,
                None => Found::Nothing,
            }
        });
        match found {
            // The stream is gone, the rest may be there.
            Found::Ended => self.take_rest(most).map_or(Found::Ended, Found::Item),
            found => found,
        }
    }

    fn take_rest(&self, most: usize) -> Option<CommandOutput> {
        let rest = self.rest.lock().take()?;
        self.part(rest, most)
    }

    /// Takes so many bytes, and keeps the others.
    fn part(&self, mut rest: Rest, most: usize) -> Option<CommandOutput> {
        if rest.output.data.len() - rest.taken <= most {
            return Some(rest.into_output());
        }
        let until = rest.taken + most;
        let data = rest.output.data[rest.taken..until].to_vec();
        let (stream, cap_reached) = (rest.output.stream.clone(), rest.output.cap_reached);
        rest.taken = until;
        *self.rest.lock() = Some(rest);
        Some(CommandOutput { stream, data, cap_reached })
    }
}

/// Runs a command on the server to its end, without the agent, and gives {"exitCode", "stdout", "stderr"}.
///
/// argv_json is an array of the program and its arguments; no shell is involved. options_json is ExecOptions as JSON
/// ({"cwd", "env", "timeout_ms", ..}), or NULL. Blocks for at most the limit of the command plus the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_exec(
    client: *mut codex_client,
    argv_json: *const c_char,
    options_json: *const c_char,
    out_json: *mut *mut c_char,
) -> i32 {
    give_json(out_json, || {
        let client = get::<OpenClient>(client)?;
        let argv: Vec<String> = json("the command", argv_json)?;
        let options: ExecOptions = object_or_default("the options", options_json)?;
        Ok(client.client.exec_command(argv, options)?)
    })
}

/// Starts a command on the server, and gives it as a handle. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_client_exec_start(
    client: *mut codex_client,
    argv_json: *const c_char,
    options_json: *const c_char,
    out: *mut *mut codex_command,
) -> i32 {
    give_handle(out, || {
        let client = get::<OpenClient>(client)?;
        let argv: Vec<String> = json("the command", argv_json)?;
        let options: ExecOptions = object_or_default("the options", options_json)?;
        let command = client.client.spawn_command(argv, options)?;
        Ok(OpenCommand { handle: command.handle(), reader: Reader::new(command), rest: Mutex::new(None) })
    })
}

/// Gives {"process_id", "is_over"}. Never waits.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_info(command: *mut codex_command, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || {
        let handle = &get::<OpenCommand>(command)?.handle;
        Ok(json!({ "process_id": handle.process_id(), "is_over": handle.is_over() }))
    })
}

/// Reads the next chunk of output as JSON, {"stream", "data", "cap_reached"}, where "data" is an array of bytes. Waits
/// like codex_chat_next. codex_command_read is faster.
///
/// After CODEX_ENDED, codex_command_wait tells how it ended: also if output was lost, because the connection was, or
/// because more than "max_buffered_bytes" was not read.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_next(
    command: *mut codex_command,
    timeout_ms: i64,
    out_json: *mut *mut c_char,
) -> i32 {
    call(|| {
        let place = Place::new(out_json)?;
        match get::<OpenCommand>(command)?.next(timeout_ms, usize::MAX) {
            Found::Item(output) => place.give(CODEX_ITEM, to_json(&output)?),
            Found::Nothing => Ok(CODEX_NOTHING_YET),
            Found::Ended => Ok(CODEX_ENDED),
        }
    })
}

/// Reads output into a buffer of capacity bytes, and sets *out_length, and *out_stream to 1 (stdout), 2 (stderr) or 0
/// (another). Returns CODEX_ITEM, CODEX_ENDED or CODEX_NOTHING_YET, like codex_command_next, and waits like it.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_read(
    command: *mut codex_command,
    timeout_ms: i64,
    buffer: *mut u8,
    capacity: usize,
    out_length: *mut usize,
    out_stream: *mut i32,
) -> i32 {
    call(|| {
        if buffer.is_null() || out_length.is_null() || out_stream.is_null() || capacity == 0 {
            return Err(Failure::invalid(
                "the buffer or a place for a result is NULL, or the buffer is empty",
            ));
        }
        // SAFETY: the header says that the places can be written to, and they are not NULL.
        unsafe {
            out_length.write_unaligned(0);
            out_stream.write_unaligned(0);
        }
        let command = get::<OpenCommand>(command)?;
        let output = match command.next(timeout_ms, capacity) {
            Found::Item(output) => output,
            Found::Nothing => return Ok(CODEX_NOTHING_YET),
            Found::Ended => return Ok(CODEX_ENDED),
        };
        let length = output.data.len();
        let stream = match output.stream {
            OutputStream::Stdout => 1,
            OutputStream::Stderr => 2,
            _ => 0,
        };
        // SAFETY: the header says that the buffer has room for `capacity` bytes, and these are no more; it is
        // the caller's, so it doesn't overlap with ours. The places: same as above.
        unsafe {
            std::ptr::copy_nonoverlapping(output.data.as_ptr(), buffer, length);
            out_length.write_unaligned(length);
            out_stream.write_unaligned(stream);
        }
        Ok(CODEX_ITEM)
    })
}

/// Writes length bytes to the command's input, which needs "stream_stdin" or "tty" in the options. Blocks for at most
/// the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_write(command: *mut codex_command, data: *const u8, length: usize) -> i32 {
    run(|| Ok(get::<OpenCommand>(command)?.handle.write(bytes("the data", data, length)?)?))
}

/// Closes the command's input. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_close_stdin(command: *mut codex_command) -> i32 {
    run(|| Ok(get::<OpenCommand>(command)?.handle.close_stdin()?))
}

/// Resizes the command's terminal. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_resize(command: *mut codex_command, rows: u16, cols: u16) -> i32 {
    run(|| Ok(get::<OpenCommand>(command)?.handle.resize(rows, cols)?))
}

/// Kills the command and what it has started. Its end can still be read. Blocks for at most the request limit.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_terminate(command: *mut codex_command) -> i32 {
    run(|| Ok(get::<OpenCommand>(command)?.handle.terminate()?))
}

/// Waits until the command ends, and gives {"exit_code", "unread"}: the output that was not read, as chunks.
///
/// Blocks until then, at most for the limit of the command plus the request limit. codex_command_terminate, or freeing
/// the command, from another thread ends the wait. After it nothing more can be read, and a second call fails.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_wait(command: *mut codex_command, out_json: *mut *mut c_char) -> i32 {
    give_json(out_json, || {
        let command = get::<OpenCommand>(command)?;
        let stream = command.reader.take();
        let stream = stream.ok_or_else(|| Error::no_longer_pending("the command was waited for or ended"))?;
        let mut exit = stream.wait()?;
        if let Some(rest) = command.rest.lock().take() {
            exit.unread.insert(0, rest.into_output());
        }
        Ok(exit)
    })
}

/// Returns a descriptor that is readable while there is output to read, like codex_chat_fd.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_fd(command: *mut codex_command) -> i32 {
    call(|| get::<OpenCommand>(command)?.reader.fd())
}

/// Has on_ready called with user when there is output to read, like codex_chat_on_ready.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_on_ready(
    command: *mut codex_command,
    on_ready: codex_callback,
    user: *mut c_void,
) -> i32 {
    run(|| get::<OpenCommand>(command)?.reader.on_ready(on_ready, user))
}

/// Stops reading, and terminates the command if it runs: what was not read is dropped, a call that waits returns
/// CODEX_ENDED, and so do all that follow. A descriptor that was given becomes readable; the function of
/// codex_command_on_ready isn't called any more. Can be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_end(command: *mut codex_command) -> i32 {
    run(|| {
        get::<OpenCommand>(command)?.end();
        Ok(())
    })
}

/// Frees a command, and terminates it if it runs. Waits for a callback that runs, unless it is called inside of a
/// callback. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn codex_command_free(command: *mut codex_command) {
    free(|| close::<OpenCommand>(command));
}
