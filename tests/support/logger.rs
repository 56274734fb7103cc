//! A logger for the tests that see what is logged.
//!
//! Relies on `log`. Invariant: a process has one logger, so a test that sets it runs in a process of its own.

/// The program's logger, which does this with each record.
struct Logger<F>(F);

impl<F: Fn(&log::Record<'_>) + Send + Sync> log::Log for Logger<F> {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        (self.0)(record);
    }

    fn flush(&self) {}
}

/// Does this with each record of the level and above.
pub(crate) fn set_logger(level: log::LevelFilter, does: impl Fn(&log::Record<'_>) + Send + Sync + 'static) {
    log::set_boxed_logger(Box::new(Logger(does))).unwrap();
    log::set_max_level(level);
}
