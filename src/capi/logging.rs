//! The log of the library, for a program that has no logger of Rust.
//!
//! Relies on the `log` crate, and on `registry` to keep the callback. Invariant: a callback is not called from inside
//! of itself, nor in a process that was forked from the one that has set it.

use std::{
    cell::Cell,
    ffi::{CString, c_void},
};

use super::{
    callback::Callback,
    codex_log_callback,
    failure::{Failure, run},
    registry::registry,
};

struct Logger;

static LOGGER: Logger = Logger;

thread_local! {
    static IS_LOGGING: Cell<bool> = const { Cell::new(false) };
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) || IS_LOGGING.try_with(|is| is.replace(true)).unwrap_or(true) {
            return;
        }
        let text = format!("{}: {}", record.target(), record.args()).replace('\0', "\u{fffd}");
        if let (Some(callback), Ok(text)) = (registry().0.on_log.get(), CString::new(text)) {
            callback.call(|function, user| function(user, record.level() as i32, text.as_ptr()));
        }
        let _ = IS_LOGGING.try_with(|is| is.set(false));
    }

    fn flush(&self) {}
}

/// Has on_log called with user for each line of the log up to max_level: 1 (errors) to 5 (everything), or 0 for none.
/// What the server writes to its stderr is a line, too. By default nothing is logged.
///
/// It runs on threads of the library and on those that call it, several at the same time, and must not call this
/// library. Replaces an earlier one; NULL ends the calls, and waits for those that run. A process that was forked logs
/// nothing until it sets its own.
#[unsafe(no_mangle)]
pub extern "C" fn codex_on_log(on_log: codex_log_callback, user: *mut c_void, max_level: i32) -> i32 {
    run(|| {
        let level = match max_level {
            0 => log::LevelFilter::Off,
            1 => log::LevelFilter::Error,
            2 => log::LevelFilter::Warn,
            3 => log::LevelFilter::Info,
            4 => log::LevelFilter::Debug,
            5 => log::LevelFilter::Trace,
            _ => return Err(Failure::invalid("the level is none of 0 to 5")),
        };
        // It may be set already, by an earlier call; in a program of Rust by the program.
        let _ = log::set_logger(&LOGGER);
        log::set_max_level(if on_log.is_some() { level } else { log::LevelFilter::Off });
        registry().0.on_log.set(on_log.map(|function| Callback::new(function, user)), drop);
        Ok(())
    })
}
