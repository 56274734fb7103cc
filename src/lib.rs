#![doc = include_str!("../README.md")]
// Where a build leaves out what the page above links to, the links lead to the full documentation.
#![cfg_attr(
    not(feature = "testing"),
    doc = "",
    doc = "[`testing::ScriptedServer`]: https://docs.rs/codex-blocking/latest/codex_blocking/testing/struct.ScriptedServer.html",
    doc = "[`testing::ModelStub`]: https://docs.rs/codex-blocking/latest/codex_blocking/testing/struct.ModelStub.html"
)]
#![warn(missing_docs, unreachable_pub)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
// A library neither panics on what a peer sent nor writes to a terminal that is not its own.
#![warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

pub mod protocol;
pub mod transport;

mod approval;
mod client;
mod config;
mod connection;
mod continuation;
mod deadline;
mod error;
mod setting;
mod thread;
mod turn;

pub mod guide;
#[cfg(feature = "testing")]
pub mod testing;

pub use approval::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ApprovalRequests, CommandApprovalRequest,
    FileChangeApprovalRequest, McpToolApprovalRequest, QuestionStream, UserInputQuestion, UserInputRequest,
    UserInputRequests, UserInputResponse,
};
pub use client::{Client, ClientBuilder, InitializeResult, Notifications, Reply, WeakClient};
pub use config::{ThreadConfig, TurnOverrides};
pub use connection::Stats;
pub use continuation::{ChatContinuation, ChatMode};
pub use error::{Cause, Error, Result, Timeout, TransportFailure};
// The protocol's own types, under the names that the rest of this crate speaks of them by.
pub use protocol::{
    AskForApproval as ApprovalPolicy, CollaborationMode, GranularAskForApproval as GranularApproval,
    ModeKind, Personality, ReasoningEffort, ReasoningSummary, RequestId, SandboxMode, SandboxPolicy,
    Settings as CollaborationSettings, ThreadTokenUsage as TokenUsage, TokenUsageBreakdown as TokenCount,
    TurnPlanStep as PlanStep, UserInput as InputItem,
};
pub use setting::Setting;
pub use thread::ThreadHandle;
pub use transport::{Memory, Stdio, Transport};
pub use turn::{
    CancelResult, Chat, ChatEvents, ChatRequest, ChatResult, CompletionSource, ConversationStep, Input,
    RawEvent, RawNotification, Results, StepStatus, StepType, TurnEvent, TurnHandle, TurnItem, TurnStream,
};
