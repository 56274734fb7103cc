#![doc = include_str!("../README.md")]
// The pages speak of all features. A build that leaves some out shows their names without a link; that
// no name is wrong is seen where all are there.
#![cfg_attr(
    not(all(feature = "experimental", feature = "testing", feature = "tls")),
    allow(rustdoc::broken_intra_doc_links)
)]
// On docs.rs items behind a feature say so.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs, unreachable_pub)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
// A library neither panics on what a peer sent nor writes to a terminal that is not its own.
#![warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

pub mod protocol;
pub mod transport;

mod client;
mod config;
mod continuation;
mod deadline;
mod error;
mod exec;
mod rpc;
mod server_request;
mod setting;
mod turn;

pub mod guide;
#[cfg(feature = "testing")]
pub mod testing;

pub use client::{
    Client, ClientBuilder, InitializeResult, Notifications, Reply, SERVER_VERSIONS, Stats, ThreadHandle,
    WeakClient,
};
pub use config::{
    BatchWriteConfig, ListModels, ListThreads, ReadConfig, ThreadConfig, TurnOverrides, WriteConfigValue,
};
pub use continuation::{ChatContinuation, ChatMode};
pub use error::{Cause, Error, Result, Timeout, TransportFailure};
pub use exec::{CommandExit, CommandHandle, CommandOutput, ExecOptions, RunningCommand};
// The protocol's own types, under the names that the rest of this crate speaks of them by. Each has its
// one page in `protocol`.
#[doc(no_inline)]
pub use protocol::{
    AskForApproval as ApprovalPolicy, CollaborationMode, CommandExecOutputStream as OutputStream, ConfigEdit,
    DynamicToolCallResponse as ToolOutput, GranularAskForApproval as GranularApproval, MergeStrategy,
    ModeKind, NetworkPolicyRuleAction, PermissionGrantScope, Personality, ReasoningEffort, ReasoningSummary,
    RequestId, ReviewDelivery, ReviewTarget, SandboxMode, SandboxPolicy, Settings as CollaborationSettings,
    SortDirection, ThreadSortKey, ThreadSourceKind, ThreadTokenUsage as TokenUsage,
    TokenUsageBreakdown as TokenCount, TurnPlanStep as PlanStep, UserInput as InputItem,
};
pub use server_request::{
    ApprovalDecision, ApprovalMode, ApprovalRequest, ApprovalRequests, CommandApprovalRequest,
    ElicitationRequest, FileChangeApprovalRequest, McpToolApprovalRequest, PermissionsRequest, ServerRequest,
    ServerRequestStream, ServerRequests, ServerResponse, Tool, ToolCall, ToolError, TypedServerRequest,
    UserInputQuestion, UserInputRequest, UserInputRequests, UserInputResponse,
};
pub use setting::Setting;
#[cfg(all(feature = "websocket", unix))]
pub use transport::websocket::UnixSocket;
#[cfg(feature = "websocket")]
pub use transport::websocket::WebSocket;
pub use transport::{connect::Transport, memory::Memory, stdio::Stdio};
pub use turn::{
    CancelResult, Chat, ChatEvents, ChatRequest, ChatResult, CompletionSource, ConversationStep, Input,
    RawEvent, RawNotification, Results, StepStatus, StepType, TurnEvent, TurnHandle, TurnItem, TurnStream,
};
