//! Commands that the server runs for this client, outside of any thread.
//!
//! Relies on `rpc`. Invariant: contradictory options that the server would reject can't be expressed, and a
//! command whose `RunningCommand` is dropped is terminated.

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
