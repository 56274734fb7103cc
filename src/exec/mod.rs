//! Commands that the server runs for this client, outside of any thread.
//!
//! Relies on `rpc`. Invariant: what the server would refuse as contradictory can't be said, and
//! a command that nobody holds any more does not run on.

mod handle;
mod options;
mod output;
mod registry;
mod running;

pub(crate) use self::registry::Commands;
pub use self::{
    handle::CommandHandle, options::ExecOptions, output::CommandOutput, running::CommandExit,
    running::RunningCommand,
};
