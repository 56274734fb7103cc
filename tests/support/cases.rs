//! Tests as a list of cases, for programs that bring their own `main`: each is watched, so that one that hangs fails.
//!
//! Relies on libtest-mimic. Invariant: a case that is in no list is unused, which the compiler tells.

use std::{any::Any, sync::mpsc, thread, time::Duration};

use libtest_mimic::{Failed, Trial};

/// Beyond this a case counts as hanging: generous, for machines that do much else.
const WATCHDOG: Duration = Duration::from_secs(180);

/// A test.
#[derive(Clone)]
pub(crate) struct Case {
    /// The name of its module, and its own.
    pub(crate) name: String,
    pub(crate) run: fn(),
}

/// Makes `cases()` of the functions named.
macro_rules! cases {
    ($($(#[$condition:meta])? $name:ident),* $(,)?) => {
        pub(crate) fn cases() -> Vec<crate::support::cases::Case> {
            vec![$($(#[$condition])? crate::support::cases::Case::new(module_path!(), stringify!($name), $name)),*]
        }
    };
}
pub(crate) use cases;

impl Case {
    pub(crate) fn new(module: &str, name: &str, run: fn()) -> Case {
        let module = module.rsplit("::").next().unwrap();
        Case { name: format!("{module}::{name}"), run }
    }
}

/// Runs on a thread of its own, so that a hang is a failure with a name.
pub(crate) fn watched(name: String, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name.clone(), move || {
        let (over, is_over) = mpsc::channel::<()>();
        let running = thread::Builder::new().name(name).spawn(move || {
            let _over = over;
            run();
        })?;
        // It is never sent, only dropped.
        if is_over.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout) {
            return Err(Failed::from(format!("still runs after {WATCHDOG:?}")));
        }
        running.join().map_err(|panic| Failed::from(message_of(&*panic)))
    })
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
