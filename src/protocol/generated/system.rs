//! Objects that only the family `system` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// `add` of [`FileChange`].
    pub struct AddFileChange {
        pub content: String = "content",
    }
}

object! {
    /// What the server asks with `applyPatchApproval`.
    pub struct ApplyPatchApprovalParams {
        pub call_id: String = "callId",
        pub conversation_id: ThreadId = "conversationId",
        pub file_changes: BTreeMap<String, FileChange> = "fileChanges",
        pub grant_root: Option<String> = "grantRoot",
        pub reason: Option<String> = "reason",
    }
}

object! {
    /// Answer to `applyPatchApproval`.
    pub struct ApplyPatchApprovalResponse {
        pub decision: ReviewDecision = "decision",
    }
}

build! {
    ApplyPatchApprovalResponse(decision: ReviewDecision) {}
}

object! {
    /// `approved_execpolicy_amendment` of [`ReviewDecision`].
    pub struct ApprovedExecpolicyAmendmentReviewDecision {
        pub proposed_execpolicy_amendment: Vec<String> = "proposed_execpolicy_amendment",
    }
}

build! {
    ApprovedExecpolicyAmendmentReviewDecision(proposed_execpolicy_amendment: Vec<String>) {}
}

object! {
    /// What the server asks with `attestation/generate`.
    pub struct AttestationGenerateParams {
    }
}

object! {
    /// Answer to `attestation/generate`.
    pub struct AttestationGenerateResponse {
        pub token: String = "token",
    }
}

build! {
    AttestationGenerateResponse(token: String) {}
}

object! {
    /// Used by `initialize`.
    pub struct ClientInfo {
        pub name: String = "name",
        pub title: Setting<String> = "title",
        pub version: String = "version",
    }
}

build! {
    ClientInfo(name: String, version: String) {
        title: Setting<String>,
    }
}

object! {
    /// What the server tells with `command/exec/outputDelta`.
    pub struct CommandExecOutputDeltaNotification {
        pub cap_reached: bool = "capReached",
        pub delta_base64: String = "deltaBase64",
        pub process_id: String = "processId",
        pub stream: CommandExecOutputStream = "stream",
    }
}

object! {
    /// Runs one command in the server's sandbox, outside of any thread.
    ///
    /// Parameters of `command/exec`.
    pub struct CommandExecParams {
        pub command: Vec<String> = "command",
        pub cwd: Setting<String> = "cwd",
        pub disable_output_cap: Option<bool> = "disableOutputCap",
        pub disable_timeout: Option<bool> = "disableTimeout",
        pub env: Setting<BTreeMap<String, Option<String>>> = "env",
        pub output_bytes_cap: Setting<u64> = "outputBytesCap",
        /// Belongs to the experimental API.
        pub permission_profile: Setting<String> = "permissionProfile",
        pub process_id: Setting<String> = "processId",
        pub sandbox_policy: Setting<SandboxPolicy> = "sandboxPolicy",
        pub size: Setting<CommandExecTerminalSize> = "size",
        pub stream_stdin: Option<bool> = "streamStdin",
        pub stream_stdout_stderr: Option<bool> = "streamStdoutStderr",
        /// Milliseconds.
        pub timeout_ms: Setting<i64> = "timeoutMs",
        pub tty: Option<bool> = "tty",
    }
}

build! {
    CommandExecParams(command: Vec<String>) {
        cwd: Setting<String>,
        disable_output_cap: bool,
        disable_timeout: bool,
        env: Setting<BTreeMap<String, Option<String>>>,
        output_bytes_cap: Setting<u64>,
        permission_profile: Setting<String>,
        process_id: Setting<String>,
        sandbox_policy: Setting<SandboxPolicy>,
        size: Setting<CommandExecTerminalSize>,
        stream_stdin: bool,
        stream_stdout_stderr: bool,
        timeout_ms: Setting<i64>,
        tty: bool,
    }
}

object! {
    /// Parameters of `command/exec/resize`.
    pub struct CommandExecResizeParams {
        pub process_id: String = "processId",
        pub size: CommandExecTerminalSize = "size",
    }
}

build! {
    CommandExecResizeParams(process_id: String, size: CommandExecTerminalSize) {}
}

object! {
    /// Reply to `command/exec/resize`.
    pub struct CommandExecResizeResponse {
    }
}

object! {
    /// Reply to `command/exec`.
    pub struct CommandExecResponse {
        pub exit_code: i32 = "exitCode",
        pub stderr: String = "stderr",
        pub stdout: String = "stdout",
    }
}

object! {
    /// Used by `command/exec`, `command/exec/resize`.
    pub struct CommandExecTerminalSize {
        pub cols: u16 = "cols",
        pub rows: u16 = "rows",
    }
}

build! {
    CommandExecTerminalSize(cols: u16, rows: u16) {}
}

object! {
    /// Parameters of `command/exec/terminate`.
    pub struct CommandExecTerminateParams {
        pub process_id: String = "processId",
    }
}

build! {
    CommandExecTerminateParams(process_id: String) {}
}

object! {
    /// Reply to `command/exec/terminate`.
    pub struct CommandExecTerminateResponse {
    }
}

object! {
    /// Parameters of `command/exec/write`.
    pub struct CommandExecWriteParams {
        pub close_stdin: Option<bool> = "closeStdin",
        pub delta_base64: Setting<String> = "deltaBase64",
        pub process_id: String = "processId",
    }
}

build! {
    CommandExecWriteParams(process_id: String) {
        close_stdin: bool,
        delta_base64: Setting<String>,
    }
}

object! {
    /// Reply to `command/exec/write`.
    pub struct CommandExecWriteResponse {
    }
}

object! {
    /// What the server tells with `configWarning`.
    pub struct ConfigWarningNotification {
        pub details: Option<String> = "details",
        pub path: Option<String> = "path",
        pub range: Option<TextRange> = "range",
        pub summary: String = "summary",
    }
}

object! {
    /// What the server asks with `currentTime/read`.
    ///
    /// Belongs to the experimental API.
    pub struct CurrentTimeReadParams {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Answer to `currentTime/read`.
    ///
    /// Belongs to the experimental API.
    pub struct CurrentTimeReadResponse {
        /// Unix seconds.
        pub current_time_at: i64 = "currentTimeAt",
    }
}

build! {
    CurrentTimeReadResponse(current_time_at: i64) {}
}

object! {
    /// `delete` of [`FileChange`].
    pub struct DeleteFileChange {
        pub content: String = "content",
    }
}

object! {
    /// `denied` of [`ReviewDecision`].
    pub struct DeniedReviewDecision {
        pub rejection: String = "rejection",
    }
}

build! {
    DeniedReviewDecision(rejection: String) {}
}

object! {
    /// What the server tells with `deprecationNotice`.
    pub struct DeprecationNoticeNotification {
        pub details: Option<String> = "details",
        pub summary: String = "summary",
    }
}

object! {
    /// What the server asks with `execCommandApproval`.
    pub struct ExecCommandApprovalParams {
        pub approval_id: Option<String> = "approvalId",
        pub call_id: String = "callId",
        pub command: Vec<String> = "command",
        pub conversation_id: ThreadId = "conversationId",
        pub cwd: String = "cwd",
        pub parsed_cmd: Vec<ParsedCommand> = "parsedCmd",
        pub reason: Option<String> = "reason",
    }
}

object! {
    /// Answer to `execCommandApproval`.
    pub struct ExecCommandApprovalResponse {
        pub decision: ReviewDecision = "decision",
    }
}

build! {
    ExecCommandApprovalResponse(decision: ReviewDecision) {}
}

object! {
    /// What the server tells with `fs/changed`.
    pub struct FsChangedNotification {
        pub changed_paths: Vec<AbsolutePathBuf> = "changedPaths",
        pub watch_id: String = "watchId",
    }
}

object! {
    /// Used by `fuzzyFileSearch`, `fuzzyFileSearch/sessionUpdated`.
    pub struct FuzzyFileSearchResult {
        pub file_name: String = "file_name",
        pub indices: Option<Vec<u32>> = "indices",
        /// Older servers leave it out.
        pub match_type: Option<FuzzyFileSearchMatchType> = "match_type",
        pub path: String = "path",
        pub root: String = "root",
        pub score: u32 = "score",
    }
}

object! {
    /// What the server tells with `fuzzyFileSearch/sessionCompleted`.
    pub struct FuzzyFileSearchSessionCompletedNotification {
        pub session_id: String = "sessionId",
    }
}

object! {
    /// What the server tells with `fuzzyFileSearch/sessionUpdated`.
    pub struct FuzzyFileSearchSessionUpdatedNotification {
        pub files: Vec<FuzzyFileSearchResult> = "files",
        pub query: String = "query",
        pub session_id: String = "sessionId",
    }
}

object! {
    /// What the server tells with `guardianWarning`.
    pub struct GuardianWarningNotification {
        pub message: String = "message",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `hook/completed`.
    pub struct HookCompletedNotification {
        pub run: HookRunSummary = "run",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
    }
}

object! {
    /// Used by `hook/started`, `hook/completed`.
    pub struct HookOutputEntry {
        pub kind: HookOutputEntryKind = "kind",
        pub text: String = "text",
    }
}

object! {
    /// Used by `hook/started`, `hook/completed`.
    pub struct HookRunSummary {
        /// Unix seconds.
        pub completed_at: Option<i64> = "completedAt",
        pub display_order: i64 = "displayOrder",
        /// Milliseconds.
        pub duration_ms: Option<i64> = "durationMs",
        pub entries: Vec<HookOutputEntry> = "entries",
        pub event_name: HookEventName = "eventName",
        pub execution_mode: HookExecutionMode = "executionMode",
        pub handler_type: HookHandlerType = "handlerType",
        pub id: String = "id",
        pub scope: HookScope = "scope",
        pub source: Option<HookSource> = "source",
        pub source_path: LegacyAppPathString = "sourcePath",
        /// Unix seconds.
        pub started_at: i64 = "startedAt",
        pub status: HookRunStatus = "status",
        pub status_message: Option<String> = "statusMessage",
    }
}

object! {
    /// What the server tells with `hook/started`.
    pub struct HookStartedNotification {
        pub run: HookRunSummary = "run",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
    }
}

object! {
    /// Used by `initialize`.
    #[derive(Default)]
    pub struct InitializeCapabilities {
        pub experimental_api: Option<bool> = "experimentalApi",
        pub explicit_gateway_oauth: Option<bool> = "explicitGatewayOauth",
        pub extensions: Setting<BTreeMap<String, Value>> = "extensions",
        pub mcp_server_openai_form_elicitation: Option<bool> = "mcpServerOpenaiFormElicitation",
        pub opt_out_notification_methods: Setting<Vec<String>> = "optOutNotificationMethods",
        pub request_attestation: Option<bool> = "requestAttestation",
        pub required_human_approval: Option<bool> = "requiredHumanApproval",
    }
}

build! {
    InitializeCapabilities() {
        experimental_api: bool,
        explicit_gateway_oauth: bool,
        extensions: Setting<BTreeMap<String, Value>>,
        mcp_server_openai_form_elicitation: bool,
        opt_out_notification_methods: Setting<Vec<String>>,
        request_attestation: bool,
        required_human_approval: bool,
    }
}

object! {
    /// The first request on a connection: who the client is and what it understands.
    ///
    /// Parameters of `initialize`.
    pub struct InitializeParams {
        pub capabilities: Setting<InitializeCapabilities> = "capabilities",
        pub client_info: ClientInfo = "clientInfo",
    }
}

build! {
    InitializeParams(client_info: ClientInfo) {
        capabilities: Setting<InitializeCapabilities>,
    }
}

object! {
    /// Where the server runs and how it names itself.
    ///
    /// Reply to `initialize`.
    pub struct InitializeResponse {
        /// Older servers leave it out.
        pub codex_home: Option<AbsolutePathBuf> = "codexHome",
        /// Older servers leave it out.
        pub platform_family: Option<String> = "platformFamily",
        /// Older servers leave it out.
        pub platform_os: Option<String> = "platformOs",
        pub user_agent: String = "userAgent",
    }
}

object! {
    /// `list_files` of [`ParsedCommand`].
    pub struct ListFilesParsedCommand {
        pub cmd: String = "cmd",
        pub path: Option<String> = "path",
    }
}

object! {
    /// `network_policy_amendment` of [`ReviewDecision`].
    pub struct NetworkPolicyAmendmentReviewDecision {
        pub network_policy_amendment: NetworkPolicyAmendment = "network_policy_amendment",
    }
}

build! {
    NetworkPolicyAmendmentReviewDecision(network_policy_amendment: NetworkPolicyAmendment) {}
}

object! {
    /// What the server tells with `process/exited`.
    pub struct ProcessExitedNotification {
        pub exit_code: i32 = "exitCode",
        pub output_drain_timed_out: Option<bool> = "outputDrainTimedOut",
        pub process_handle: String = "processHandle",
        pub stderr: String = "stderr",
        pub stderr_cap_reached: bool = "stderrCapReached",
        pub stdout: String = "stdout",
        pub stdout_cap_reached: bool = "stdoutCapReached",
    }
}

object! {
    /// What the server tells with `process/outputDelta`.
    pub struct ProcessOutputDeltaNotification {
        pub cap_reached: bool = "capReached",
        pub delta_base64: String = "deltaBase64",
        pub process_handle: String = "processHandle",
        pub stream: ProcessOutputStream = "stream",
    }
}

object! {
    /// `read` of [`ParsedCommand`].
    pub struct ReadParsedCommand {
        pub cmd: String = "cmd",
        pub name: String = "name",
        pub path: String = "path",
    }
}

object! {
    /// What the server tells with `remoteControl/status/changed`.
    pub struct RemoteControlStatusChangedNotification {
        pub environment_id: Option<String> = "environmentId",
        /// Older servers leave it out.
        pub installation_id: Option<String> = "installationId",
        /// Older servers leave it out.
        pub server_name: Option<String> = "serverName",
        pub status: RemoteControlConnectionStatus = "status",
    }
}

object! {
    /// `search` of [`ParsedCommand`].
    pub struct SearchParsedCommand {
        pub cmd: String = "cmd",
        pub path: Option<String> = "path",
        pub query: Option<String> = "query",
    }
}

object! {
    /// What the server tells with `serverRequest/resolved`.
    pub struct ServerRequestResolvedNotification {
        pub request_id: RequestId = "requestId",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `autoApprovalReview/strictReviewRequired`.
    pub struct StrictReviewRequiredNotification {
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: i64 = "startedAtMs",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `configWarning`.
    pub struct TextPosition {
        pub column: u64 = "column",
        pub line: u64 = "line",
    }
}

object! {
    /// Used by `configWarning`.
    pub struct TextRange {
        pub end: TextPosition = "end",
        pub start: TextPosition = "start",
    }
}

object! {
    /// `unknown` of [`ParsedCommand`].
    pub struct UnknownParsedCommand {
        pub cmd: String = "cmd",
    }
}

object! {
    /// `update` of [`FileChange`].
    pub struct UpdateFileChange {
        pub move_path: Option<String> = "move_path",
        pub unified_diff: String = "unified_diff",
    }
}

object! {
    /// What the server tells with `warning`.
    pub struct WarningNotification {
        pub message: String = "message",
        pub thread_id: Option<String> = "threadId",
    }
}

object! {
    /// What the server tells with `windowsSandbox/setupCompleted`.
    pub struct WindowsSandboxSetupCompletedNotification {
        pub error: Option<String> = "error",
        pub mode: WindowsSandboxSetupMode = "mode",
        pub success: bool = "success",
    }
}

object! {
    /// What the server tells with `windows/worldWritableWarning`.
    pub struct WindowsWorldWritableWarningNotification {
        pub extra_count: u64 = "extraCount",
        pub failed_scan: bool = "failedScan",
        pub sample_paths: Vec<String> = "samplePaths",
    }
}
