//! One turn of a conversation: what it is asked, what it gives, when it is over.
//!
//! Relies on `rpc` and `config`. Invariant: what is a step and when a turn is over is
//! decided by `session`, which has no threads; `stream` only feeds it and waits.

mod block;
mod continuations;
mod control;
mod event;
mod handle;
mod input;
mod item;
mod kind;
mod log;
mod lookup;
mod raw;
mod reader;
mod registry;
mod request;
mod result;
mod session;
mod step;
mod stream;

pub(crate) use self::{
    continuations::{Continuations, Found},
    control::Control,
    log::{Consumer, Interest, TurnLog},
    registry::{Start, Turns},
    request::Source,
    stream::Opened,
};
pub use self::{
    event::TurnEvent,
    handle::TurnHandle,
    input::Input,
    item::TurnItem,
    raw::{RawEvent, RawNotification},
    request::ChatRequest,
    result::{CancelResult, ChatResult, CompletionSource},
    step::{ConversationStep, StepStatus, StepType},
    stream::{Chat, ChatEvents, Results, TurnStream},
};
