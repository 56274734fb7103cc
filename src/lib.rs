//! A blocking client for OpenAI's `codex app-server`, the JSON-RPC server behind Codex's rich clients.
//!
//! A turn of a conversation is a plain iterator. No async runtime is needed, and none is in the dependency
//! tree, whatever the features.
//!
//! ```no_run
//! use codex_blocking::{Client, Stdio};
//!
//! let client = Client::connect(Stdio::default())?; // runs `codex app-server`
//! for step in client.chat("Fix the failing test")? {
//!     println!("{step}");
//! }
//! # Ok::<(), codex_blocking::Error>(())
//! ```
//!
//! # Where to start
//!
//! - [`Client`] is a connection to a server. It is reached through a [`Transport`]: [`Stdio`] runs the server
//!   as a child process; [`WebSocket`] and [`UnixSocket`] connect to a server that listens.
//! - [`Client::chat_once`] returns the answer of a turn, [`Client::chat`] its steps
//!   ([`ConversationStep`]), [`Client::chat_events`] everything ([`TurnEvent`]). All of them accept a text, or
//!   a [`ChatRequest`] with settings.
//! - [`Transcript`] makes of events, or of history, what a screen shows.
//! - [`Client::start_thread`] starts a conversation of several turns, a [`ThreadHandle`].
//! - [`Client::set_approval_handler`] decides what the agent may do; [`Client::pending`] contains all server
//!   requests that wait for an answer ([`ServerRequest`]). By default, nothing is granted.
//! - [`Client::start_thread_with_tools`] gives the agent tools of the program ([`Tool`]).
//! - [`Client::account`] tells who the server is signed in as; [`Client::login_api_key`] and
//!   [`Client::login_device_code`] sign it in.
//! - [`Client::exec_command`] and [`Client::spawn_command`] run commands on the server.
//! - [`Client::call`] sends any request of the protocol, with its types in [`protocol`];
//!   [`Client::request`] sends any method as JSON.
//! - [`Error`] has one variant per way to react; [`retry()`] repeats what may be repeated.
//! - [`ClientBuilder::record`] writes all messages to a file, for a [bug report](guide::recording).
//! - With the feature `testing`, [`testing::ScriptedServer`] is a server for the tests of a program.
//!
//! The [`guide`] explains [turns and cancellation](guide::turns), [limits and retries](guide::limits_and_retries),
//! [structured answers](guide::structured_answers), [many prompts](guide::many_prompts), [threads](guide::threads),
//! [signing in and the server's surroundings](guide::signing_in), [transports](guide::transports), [event
//! loops](guide::event_loops), [terminals](guide::terminal), [other languages](guide::other_languages), [recording a bug report](guide::recording), [the protocol's
//! types](guide::protocol) and [performance](guide::performance), compares with [OpenAI's SDK](guide::official_sdk), and translates [from
//! Python](guide::from_python).
//! [Architecture](guide::architecture) is for contributors.
//!
//! # When a turn fails
//!
//! The last step of a failed turn has the type [`StepType::Error`], and its `Display` is the server's
//! message, so a plain `for` loop shows the failure. There are three ways to get the error itself:
//!
//! ```
//! # use codex_blocking::testing::{ScriptedServer, TurnScript};
//! # let fail = || TurnScript::new().fail("no more credits", "usageLimitExceeded".into());
//! # let server = ScriptedServer::new().on_turn(move |_| fail());
//! # let client = server.client()?;
//! use codex_blocking::Error;
//!
//! // After the loop:
//! let mut chat = client.chat("Fix the failing test")?;
//! for step in &mut chat {
//!     println!("{step}"); // the last line: `error: no more credits`
//! }
//! assert!(matches!(chat.finish(), Err(Error::TurnFailed { .. })));
//!
//! // In the loop:
//! for step in client.chat("Fix the failing test")?.results() {
//!     let Ok(step) = step else { break };
//!     println!("{step}");
//! }
//!
//! // Without a loop:
//! match client.chat_once("Fix the failing test") {
//!     Ok(result) => println!("{}", result.final_text),
//!     Err(Error::TurnFailed { message, info, .. }) => println!("{message} ({info:?})"),
//!     Err(error) => return Err(error),
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! A failure that the program ignores is written to the `log`.
//!
//! # Defaults
//!
//! | what | default | set with |
//! | --- | --- | --- |
//! | command of the server | `$CODEX_APP_SERVER_CMD`, else `codex app-server` | [`Stdio::command`] |
//! | starting it | 30 s | [`Stdio::connect_timeout`] |
//! | URL of a listening server | `$CODEX_APP_SERVER_WS_URL`, else `ws://127.0.0.1:8765`; token in `$CODEX_APP_SERVER_TOKEN` | [`WebSocket::new`], [`WebSocket::token`] |
//! | Unix socket | the control socket in `$CODEX_HOME` | [`UnixSocket::new`] |
//! | connecting to it, from name resolution to the upgrade | 30 s | [`WebSocket::connect_timeout`], [`UnixSocket::connect_timeout`] |
//! | keepalive of a silent socket | a ping after 20 s; 20 s for the response | [`WebSocket::ping_interval`], [`WebSocket::pong_timeout`] |
//! | a token over plain `ws://` | to this machine only | [`WebSocket::allow_insecure_token`] |
//! | longest message to a listening server | 64 MiB, the server's own limit | – |
//! | a request, from the call to its reply | 30 s | [`ClientBuilder::request_timeout`], [`Client::with_request_timeout`], [`Client::request_with_timeout`] |
//! | inactivity of a turn | 180 s | [`ClientBuilder::inactivity_timeout`], [`ChatRequest::inactivity_timeout`] |
//! | a whole turn | no limit | [`ChatRequest::turn_timeout`] |
//! | a command, on the server; the client waits for that plus the request limit | 10 s | [`ExecOptions::timeout`] |
//! | output of a command, per stream | 1 MiB | [`ExecOptions::output_bytes_cap`], [`ExecOptions::disable_output_cap`] |
//! | closing | 5 s; 0.5 s when the last handle is dropped | – |
//! | a record of all messages | none | [`ClientBuilder::record`] |
//! | raw events in the result | kept by `chat_once` only | [`ChatRequest::keep_raw_events`] |
//! | unread events, of all turns and commands | 1 GiB | [`ClientBuilder::max_buffered_bytes`] |
//! | longest received message | no limit | [`ClientBuilder::max_frame_bytes`] |
//! | minor faults of the server | skipped, and counted in [`Client::stats`] | [`ClientBuilder::strict`] |
//! | approvals without a handler | declined | [`ClientBuilder::approval_mode`] |
//! | an approval that waits for the program | no limit | [`ClientBuilder::approval_timeout`] |
//! | a user-input request that waits for an answer by hand | 300 s | [`ClientBuilder::user_input_timeout`] |
//! | other server requests | declined or rejected; the time is returned | [`Client::set_server_request_handler`] |
//!
//! For limits of time and memory, `None` means no limit; for the output of a command, use
//! `disable_output_cap`. What has no setter can't be changed.
//!
//! # Features
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `websocket` | yes | [`WebSocket`], and [`UnixSocket`] on Unix |
//! | `tls` | no | `wss://`, with the platform's root certificates or your own |
//! | `types` | yes | the types of the requests that only [`Client::call`] sends ([their cost](guide::protocol#what-they-cost)) |
//! | `experimental` | no | the types of the requests that require [`ClientBuilder::experimental_api`] |
//! | `schemars` | no | [`Client::chat_json_typed`]: the schema of an answer from its type |
//! | `testing` | no | [`testing::ScriptedServer`], [`testing::ModelStub`] |
//! | `capi` | no | the C ABI, for [other languages](guide::other_languages); for Rust only `testing` |

// The pages mention items of all features. Without some of them, these names have no link; a build with all
// features checks them.
#![cfg_attr(
    not(all(feature = "experimental", feature = "schemars", feature = "testing", feature = "tls")),
    allow(rustdoc::broken_intra_doc_links)
)]
// On docs.rs, items of a feature say so.
#![cfg_attr(docsrs, feature(doc_cfg))]
// With it, there is `unsafe` in `capi` only.
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![warn(missing_docs, unreachable_pub)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
// A library neither panics because of a peer nor writes to the terminal of its program.
#![warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

pub mod protocol;
pub mod transport;

mod account;
#[cfg(feature = "capi")]
#[expect(unsafe_code, reason = "strings, buffers and symbols of C; each block says why it is sound")]
#[expect(unreachable_pub, non_camel_case_types, reason = "they are the names in the header")]
mod capi;
mod client;
mod config;
mod continuation;
mod deadline;
mod error;
mod excerpt;
mod exec;
mod failure;
mod recorder;
mod retry;
mod rpc;
mod server_request;
mod setting;
mod turn;

pub mod guide;
#[cfg(feature = "testing")]
pub mod testing;

pub use account::{Account, AccountKind, Login};
pub use client::{
    Client, ClientBuilder, InitializeResult, JsonAnswer, Notifications, Paged, Reply, SERVER_VERSIONS, Stats,
    ThreadHandle, ThreadInfo, WeakClient,
};
pub use config::{
    BatchWriteConfig, ListModels, ListThreads, ReadConfig, ThreadConfig, TurnOverrides, WriteConfigValue,
};
pub use continuation::{ChatContinuation, ChatMode};
pub use error::{Cause, Error, Result, Timeout, TransportFailure};
pub use exec::{CommandExit, CommandHandle, CommandOutput, ExecOptions, RunningCommand};
pub use failure::TurnFailure;
pub use retry::{RetryPolicy, retry};
// Types of the protocol, under the names that this crate uses for them. Their pages are in `protocol`.
#[doc(no_inline)]
pub use protocol::{
    ApprovalsReviewer, AskForApproval as ApprovalPolicy, CollaborationMode,
    CommandExecOutputStream as OutputStream, ConfigEdit, DynamicToolCallResponse as ToolOutput,
    GranularAskForApproval as GranularApproval, MergeStrategy, MessagePhase, ModeKind,
    NetworkPolicyRuleAction, PermissionGrantScope, Personality, PlanType, ReasoningEffort, ReasoningSummary,
    RequestId, ReviewDelivery, ReviewTarget, SandboxMode, SandboxPolicy, Settings as CollaborationSettings,
    SortDirection, ThreadSortKey, ThreadSourceKind, ThreadStartSource, ThreadTokenUsage as TokenUsage,
    TokenUsageBreakdown as TokenCount, TurnPlanStep as PlanStep, TurnStatus, TurnToolOutput,
    UserInput as InputItem,
};
pub use recorder::Recorder;
pub use rpc::StreamHandle;
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
    RawEvent, RawNotification, Results, StepStatus, StepType, SubAgentTranscript, Transcript, TranscriptItem,
    TranscriptTurn, TurnEvent, TurnHandle, TurnItem, TurnProgress, TurnStream,
};

/// The code blocks of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
