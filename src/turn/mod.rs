//! One turn of a conversation: its request, its events, its end.
//!
//! Relies on `rpc` and `config`. Invariant: `session`, which has no threads, decides what a step is and when
//! a turn has ended; `stream` only feeds it and waits.

mod alarm;
mod control;
mod event;
mod event_block;
mod follow;
mod handle;
mod history;
mod input;
mod item;
mod kind;
mod local_file;
mod log;
mod lookup;
mod progress;
mod rate_limits;
mod raw;
mod reader;
mod registry;
mod request;
mod result;
mod resumable;
mod session;
mod step;
mod stream;
mod sub_agent;
mod threads;
mod transcript;
mod turn_limit;
mod turn_params;
mod unload;

pub(crate) use self::{
    control::{Control, not_running},
    log::{Consumer, Interest, TurnLog},
    registry::{Start, Turns},
    request::ChatSource,
    resumable::{Continuations, Found},
    stream::{Opened, Reading},
    threads::{BegunUnload, Claim, ReportedUsage, Threads},
    turn_params::TurnParams,
    unload::Lease,
};
pub use self::{
    event::TurnEvent,
    handle::TurnHandle,
    input::Input,
    item::TurnItem,
    progress::TurnProgress,
    raw::{RawEvent, RawNotification},
    request::ChatRequest,
    result::{CancelResult, ChatResult, CompletionSource},
    step::{ConversationStep, StepStatus, StepType},
    stream::{Chat, ChatEvents, Results, TurnStream},
    transcript::{SubAgentTranscript, Transcript, TranscriptItem, TranscriptTurn},
};
