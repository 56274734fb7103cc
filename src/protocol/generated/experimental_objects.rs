//! Objects that only experimental requests use.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// Used by `accountSession/list`, `accountSession/switch`.
    pub struct AccountSession {
        pub display_name: Option<String> = "displayName",
        pub email: Option<String> = "email",
        pub image_url: Option<String> = "imageUrl",
        pub is_active: bool = "isActive",
        /// Unix seconds.
        pub last_used_at: i64 = "lastUsedAt",
        pub selected_workspace_account_id: Option<String> = "selectedWorkspaceAccountId",
        pub session_id: String = "sessionId",
        pub user_id: Option<String> = "userId",
        pub workspaces: Vec<AccountSessionWorkspace> = "workspaces",
    }
}

object! {
    /// Used by `accountSession/list`, `accountSession/switch`.
    pub struct AccountSessionWorkspace {
        pub account_id: String = "accountId",
        pub image_url: Option<String> = "imageUrl",
        pub kind: Option<AccountSessionWorkspaceKind> = "kind",
        pub name: Option<String> = "name",
    }
}

object! {
    /// Parameters of `accountSession/list`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct AccountSessionsListParams {
        pub refresh_workspace_metadata: Option<bool> = "refreshWorkspaceMetadata",
    }
}

build! {
    AccountSessionsListParams() {
        refresh_workspace_metadata: bool,
    }
}

object! {
    /// Reply to `accountSession/list`.
    ///
    /// Belongs to the experimental API.
    pub struct AccountSessionsResponse {
        pub active_session_id: Option<String> = "activeSessionId",
        pub sessions: Vec<AccountSession> = "sessions",
    }
}

object! {
    /// Parameters of `accountSession/switch`.
    ///
    /// Belongs to the experimental API.
    pub struct AccountSessionsSwitchParams {
        pub account_id: String = "accountId",
        pub allow_browser_login: Option<bool> = "allowBrowserLogin",
        pub session_id: String = "sessionId",
    }
}

build! {
    AccountSessionsSwitchParams(account_id: String, session_id: String) {
        allow_browser_login: bool,
    }
}

object! {
    /// A member of [`AccountSessionsSwitchResponse`].
    pub struct AuthUrlAccountSessionsSwitchResponse {
        pub auth_url: String = "auth_url",
        pub login_id: String = "login_id",
    }
}

object! {
    /// Used by `account/bedrock/discover`.
    ///
    /// Belongs to the experimental API.
    pub struct BedrockAwsProfile {
        pub name: String = "name",
        pub region: Option<String> = "region",
    }
}

object! {
    /// Parameters of `account/bedrock/checkGovCloudRequirements`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct BedrockCheckGovCloudRequirementsParams {
    }
}

build! {
    BedrockCheckGovCloudRequirementsParams() {}
}

object! {
    /// Reply to `account/bedrock/checkGovCloudRequirements`.
    ///
    /// Belongs to the experimental API.
    pub struct BedrockCheckGovCloudRequirementsResponse {
        pub is_gov_cloud: bool = "isGovCloud",
        pub should_warn: bool = "shouldWarn",
    }
}

object! {
    /// Parameters of `account/bedrock/discover`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct BedrockDiscoverParams {
    }
}

build! {
    BedrockDiscoverParams() {}
}

object! {
    /// Reply to `account/bedrock/discover`.
    ///
    /// Belongs to the experimental API.
    pub struct BedrockDiscoverResponse {
        pub environment_credentials: Vec<BedrockEnvironmentCredential> = "environmentCredentials",
        pub profiles: Vec<BedrockAwsProfile> = "profiles",
    }
}

object! {
    /// Used by `account/bedrock/discover`.
    ///
    /// Belongs to the experimental API.
    pub struct BedrockEnvironmentCredential {
        pub region: Option<String> = "region",
        pub type_: AwsCredentialType = "type",
    }
}

object! {
    /// Reply to `account/bedrock/setup`.
    ///
    /// Belongs to the experimental API.
    pub struct BedrockSetupResponse {
    }
}

object! {
    /// Parameters of `collaborationMode/list`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct CollaborationModeListParams {
    }
}

build! {
    CollaborationModeListParams() {}
}

object! {
    /// Reply to `collaborationMode/list`.
    ///
    /// Belongs to the experimental API.
    pub struct CollaborationModeListResponse {
        pub data: Vec<CollaborationModeMask> = "data",
    }
}

object! {
    /// Used by `collaborationMode/list`.
    pub struct CollaborationModeMask {
        pub mode: Option<ModeKind> = "mode",
        pub model: Option<String> = "model",
        pub name: String = "name",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoning_effort",
    }
}

object! {
    /// Parameters of `environment/add`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentAddParams {
        pub auth_bearer_token: Setting<String> = "authBearerToken",
        /// Milliseconds.
        pub connect_timeout_ms: Setting<u64> = "connectTimeoutMs",
        pub environment_id: String = "environmentId",
        pub exec_server_url: String = "execServerUrl",
        pub skills: Setting<EnvironmentSkillsParams> = "skills",
        pub websocket_request_id: Setting<String> = "websocketRequestId",
    }
}

build! {
    EnvironmentAddParams(environment_id: String, exec_server_url: String) {
        auth_bearer_token: Setting<String>,
        connect_timeout_ms: Setting<u64>,
        skills: Setting<EnvironmentSkillsParams>,
        websocket_request_id: Setting<String>,
    }
}

object! {
    /// Reply to `environment/add`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentAddResponse {
    }
}

object! {
    /// `environment` of [`BedrockSetupParams`].
    pub struct EnvironmentBedrockSetupParams {
        pub region: String = "region",
    }
}

build! {
    EnvironmentBedrockSetupParams(region: String) {}
}

object! {
    /// Parameters of `environment/info`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentInfoParams {
        pub environment_id: String = "environmentId",
    }
}

build! {
    EnvironmentInfoParams(environment_id: String) {}
}

object! {
    /// Reply to `environment/info`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentInfoResponse {
        pub cwd: Option<PathUri> = "cwd",
        pub shell: EnvironmentShellInfo = "shell",
    }
}

object! {
    /// Used by `environment/info`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentShellInfo {
        pub name: String = "name",
        pub path: String = "path",
    }
}

object! {
    /// Used by `environment/add`.
    #[derive(Default)]
    pub struct EnvironmentSkillsParams {
        pub required: Setting<Vec<String>> = "required",
    }
}

build! {
    EnvironmentSkillsParams() {
        required: Setting<Vec<String>>,
    }
}

object! {
    /// Parameters of `environment/status`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentStatusParams {
        pub environment_id: String = "environmentId",
    }
}

build! {
    EnvironmentStatusParams(environment_id: String) {}
}

object! {
    /// Reply to `environment/status`.
    ///
    /// Belongs to the experimental API.
    pub struct EnvironmentStatusResponse {
        pub error: Option<String> = "error",
        pub status: EnvironmentStatusKind = "status",
    }
}

object! {
    /// `existingCall` of [`ThreadRealtimeStartTransport`].
    pub struct ExistingCallThreadRealtimeStartTransport {
        pub call_id: String = "callId",
    }
}

build! {
    ExistingCallThreadRealtimeStartTransport(call_id: String) {}
}

object! {
    /// Parameters of `fuzzyFileSearch/sessionStart`.
    ///
    /// Belongs to the experimental API.
    pub struct FuzzyFileSearchSessionStartParams {
        pub roots: Vec<String> = "roots",
        pub session_id: String = "sessionId",
    }
}

build! {
    FuzzyFileSearchSessionStartParams(session_id: String, roots: Vec<String>) {}
}

object! {
    /// Reply to `fuzzyFileSearch/sessionStart`.
    ///
    /// Belongs to the experimental API.
    pub struct FuzzyFileSearchSessionStartResponse {
    }
}

object! {
    /// Parameters of `fuzzyFileSearch/sessionStop`.
    ///
    /// Belongs to the experimental API.
    pub struct FuzzyFileSearchSessionStopParams {
        pub session_id: String = "sessionId",
    }
}

build! {
    FuzzyFileSearchSessionStopParams(session_id: String) {}
}

object! {
    /// Reply to `fuzzyFileSearch/sessionStop`.
    ///
    /// Belongs to the experimental API.
    pub struct FuzzyFileSearchSessionStopResponse {
    }
}

object! {
    /// Parameters of `fuzzyFileSearch/sessionUpdate`.
    ///
    /// Belongs to the experimental API.
    pub struct FuzzyFileSearchSessionUpdateParams {
        pub query: String = "query",
        pub session_id: String = "sessionId",
    }
}

build! {
    FuzzyFileSearchSessionUpdateParams(session_id: String, query: String) {}
}

object! {
    /// Reply to `fuzzyFileSearch/sessionUpdate`.
    ///
    /// Belongs to the experimental API.
    pub struct FuzzyFileSearchSessionUpdateResponse {
    }
}

object! {
    /// Parameters of `account/gcp/setup`.
    ///
    /// Belongs to the experimental API.
    pub struct GcpSetupParams {
        pub credential_file: Setting<String> = "credentialFile",
        pub location: Setting<String> = "location",
        pub project_id: String = "projectId",
    }
}

build! {
    GcpSetupParams(project_id: String) {
        credential_file: Setting<String>,
        location: Setting<String>,
    }
}

object! {
    /// Reply to `account/gcp/setup`.
    ///
    /// Belongs to the experimental API.
    pub struct GcpSetupResponse {
    }
}

object! {
    /// `item` of [`ThreadTimelineEntry`].
    pub struct ItemThreadTimelineEntry {
        pub item: ThreadItem = "item",
        pub position: u64 = "position",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Parameters of `mcpServer/event/stream/start`.
    ///
    /// Belongs to the experimental API.
    pub struct McpServerEventStreamStartParams {
        pub meta: Option<Value> = "_meta",
        pub arguments: Value = "arguments",
        pub name: String = "name",
        pub server: String = "server",
        pub subscription_id: String = "subscriptionId",
        pub thread_id: String = "threadId",
    }
}

build! {
    McpServerEventStreamStartParams(
        thread_id: String,
        subscription_id: String,
        arguments: Value,
        name: String,
        server: String,
    ) {
        meta: Value,
    }
}

object! {
    /// Reply to `mcpServer/event/stream/start`.
    ///
    /// Belongs to the experimental API.
    pub struct McpServerEventStreamStartResponse {
    }
}

object! {
    /// Parameters of `mcpServer/event/stream/stop`.
    ///
    /// Belongs to the experimental API.
    pub struct McpServerEventStreamStopParams {
        pub subscription_id: String = "subscriptionId",
    }
}

build! {
    McpServerEventStreamStopParams(subscription_id: String) {}
}

object! {
    /// Reply to `mcpServer/event/stream/stop`.
    ///
    /// Belongs to the experimental API.
    pub struct McpServerEventStreamStopResponse {
    }
}

object! {
    /// Reply to `memory/reset`.
    ///
    /// Belongs to the experimental API.
    pub struct MemoryResetResponse {
    }
}

object! {
    /// Parameters of `memory/status`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct MemoryStatusParams {
        pub min_consolidated_threads: Setting<u32> = "minConsolidatedThreads",
    }
}

build! {
    MemoryStatusParams() {
        min_consolidated_threads: Setting<u32>,
    }
}

object! {
    /// Reply to `memory/status`.
    ///
    /// Belongs to the experimental API.
    pub struct MemoryStatusResponse {
        pub v2_consolidated_threads: u32 = "v2ConsolidatedThreads",
        pub v2_ready: bool = "v2Ready",
    }
}

object! {
    /// Parameters of `mock/experimentalMethod`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct MockExperimentalMethodParams {
        pub value: Setting<String> = "value",
    }
}

build! {
    MockExperimentalMethodParams() {
        value: Setting<String>,
    }
}

object! {
    /// Reply to `mock/experimentalMethod`.
    ///
    /// Belongs to the experimental API.
    pub struct MockExperimentalMethodResponse {
        pub echoed: Option<String> = "echoed",
    }
}

object! {
    /// Parameters of `plugin/search`.
    ///
    /// Belongs to the experimental API.
    pub struct PluginSearchParams {
        pub cursor: Setting<String> = "cursor",
        pub cwds: Setting<Vec<AbsolutePathBuf>> = "cwds",
        pub limit: Setting<u32> = "limit",
        pub scope: Setting<PluginSearchScope> = "scope",
        pub search_term: String = "searchTerm",
    }
}

build! {
    PluginSearchParams(search_term: String) {
        cursor: Setting<String>,
        cwds: Setting<Vec<AbsolutePathBuf>>,
        limit: Setting<u32>,
        scope: Setting<PluginSearchScope>,
    }
}

object! {
    /// Reply to `plugin/search`.
    ///
    /// Belongs to the experimental API.
    pub struct PluginSearchResponse {
        pub data: Vec<PluginSearchResult> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Used by `plugin/search`.
    pub struct PluginSearchResult {
        pub marketplace_name: String = "marketplaceName",
        pub marketplace_path: Option<AbsolutePathBuf> = "marketplacePath",
        pub plugin: PluginSummary = "plugin",
    }
}

object! {
    /// Parameters of `process/kill`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessKillParams {
        pub process_handle: String = "processHandle",
    }
}

build! {
    ProcessKillParams(process_handle: String) {}
}

object! {
    /// Reply to `process/kill`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessKillResponse {
    }
}

object! {
    /// Parameters of `process/resizePty`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessResizePtyParams {
        pub process_handle: String = "processHandle",
        pub size: ProcessTerminalSize = "size",
    }
}

build! {
    ProcessResizePtyParams(process_handle: String, size: ProcessTerminalSize) {}
}

object! {
    /// Reply to `process/resizePty`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessResizePtyResponse {
    }
}

object! {
    /// Parameters of `process/spawn`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessSpawnParams {
        pub command: Vec<String> = "command",
        pub cwd: AbsolutePathBuf = "cwd",
        pub env: Setting<BTreeMap<String, Option<String>>> = "env",
        pub output_bytes_cap: Setting<u64> = "outputBytesCap",
        pub process_handle: String = "processHandle",
        pub size: Setting<ProcessTerminalSize> = "size",
        pub stream_stdin: Option<bool> = "streamStdin",
        pub stream_stdout_stderr: Option<bool> = "streamStdoutStderr",
        /// Milliseconds.
        pub timeout_ms: Setting<i64> = "timeoutMs",
        pub tty: Option<bool> = "tty",
    }
}

build! {
    ProcessSpawnParams(command: Vec<String>, cwd: AbsolutePathBuf, process_handle: String) {
        env: Setting<BTreeMap<String, Option<String>>>,
        output_bytes_cap: Setting<u64>,
        size: Setting<ProcessTerminalSize>,
        stream_stdin: bool,
        stream_stdout_stderr: bool,
        timeout_ms: Setting<i64>,
        tty: bool,
    }
}

object! {
    /// Reply to `process/spawn`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessSpawnResponse {
    }
}

object! {
    /// Used by `process/spawn`, `process/resizePty`.
    pub struct ProcessTerminalSize {
        pub cols: u16 = "cols",
        pub rows: u16 = "rows",
    }
}

build! {
    ProcessTerminalSize(cols: u16, rows: u16) {}
}

object! {
    /// Parameters of `process/writeStdin`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessWriteStdinParams {
        pub close_stdin: Option<bool> = "closeStdin",
        pub delta_base64: Setting<String> = "deltaBase64",
        pub process_handle: String = "processHandle",
    }
}

build! {
    ProcessWriteStdinParams(process_handle: String) {
        close_stdin: bool,
        delta_base64: Setting<String>,
    }
}

object! {
    /// Reply to `process/writeStdin`.
    ///
    /// Belongs to the experimental API.
    pub struct ProcessWriteStdinResponse {
    }
}

object! {
    /// `profile` of [`BedrockSetupParams`].
    pub struct ProfileBedrockSetupParams {
        pub profile: String = "profile",
        pub region: String = "region",
    }
}

build! {
    ProfileBedrockSetupParams(profile: String, region: String) {}
}

object! {
    /// Used by `project/list`, `project/read`, `project/create` and 2 more methods.
    pub struct Project {
        /// Unix seconds.
        pub created_at: i64 = "createdAt",
        pub id: String = "id",
        pub metadata: BTreeMap<String, String> = "metadata",
        pub name: String = "name",
        pub position: i64 = "position",
        /// Unix seconds.
        pub recency_at: Option<i64> = "recencyAt",
        pub roots: Vec<ProjectRoot> = "roots",
        /// Unix seconds.
        pub updated_at: i64 = "updatedAt",
    }
}

object! {
    /// Parameters of `project/create`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectCreateParams {
        pub idempotency_key: String = "idempotencyKey",
        pub metadata: Setting<BTreeMap<String, String>> = "metadata",
        pub name: String = "name",
        pub roots: Vec<ProjectRoot> = "roots",
    }
}

build! {
    ProjectCreateParams(idempotency_key: String, name: String, roots: Vec<ProjectRoot>) {
        metadata: Setting<BTreeMap<String, String>>,
    }
}

object! {
    /// Reply to `project/create`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectCreateResponse {
        pub project: Project = "project",
    }
}

object! {
    /// Parameters of `project/delete`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectDeleteParams {
        pub project_id: String = "projectId",
    }
}

build! {
    ProjectDeleteParams(project_id: String) {}
}

object! {
    /// Reply to `project/delete`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectDeleteResponse {
    }
}

object! {
    /// Parameters of `project/import`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectImportParams {
        pub idempotency_key: String = "idempotencyKey",
        pub metadata: Setting<BTreeMap<String, String>> = "metadata",
        pub name: String = "name",
        pub roots: Vec<ProjectRoot> = "roots",
        pub threads: Setting<Vec<String>> = "threads",
    }
}

build! {
    ProjectImportParams(idempotency_key: String, name: String, roots: Vec<ProjectRoot>) {
        metadata: Setting<BTreeMap<String, String>>,
        threads: Setting<Vec<String>>,
    }
}

object! {
    /// Reply to `project/import`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectImportResponse {
        pub project: Project = "project",
    }
}

object! {
    /// Parameters of `project/list`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct ProjectListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub sort_direction: Setting<SortDirection> = "sortDirection",
        pub sort_key: Setting<ProjectSortKey> = "sortKey",
    }
}

build! {
    ProjectListParams() {
        cursor: Setting<String>,
        limit: Setting<u32>,
        sort_direction: Setting<SortDirection>,
        sort_key: Setting<ProjectSortKey>,
    }
}

object! {
    /// Reply to `project/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectListResponse {
        pub data: Vec<Project> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `project/move`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectMoveParams {
        pub before_project_id: Setting<String> = "beforeProjectId",
        pub project_id: String = "projectId",
    }
}

build! {
    ProjectMoveParams(project_id: String) {
        before_project_id: Setting<String>,
    }
}

object! {
    /// Reply to `project/move`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectMoveResponse {
    }
}

object! {
    /// Parameters of `project/read`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectReadParams {
        pub project_id: String = "projectId",
    }
}

build! {
    ProjectReadParams(project_id: String) {}
}

object! {
    /// Reply to `project/read`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectReadResponse {
        pub project: Project = "project",
    }
}

object! {
    /// Used by `project/list`, `project/read`, `project/create` and 2 more methods.
    pub struct ProjectRoot {
        pub path: AbsolutePathBuf = "path",
    }
}

build! {
    ProjectRoot(path: AbsolutePathBuf) {}
}

object! {
    /// Parameters of `project/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectUpdateParams {
        pub metadata: Setting<BTreeMap<String, String>> = "metadata",
        pub name: Setting<String> = "name",
        pub project_id: String = "projectId",
        pub roots: Setting<Vec<ProjectRoot>> = "roots",
    }
}

build! {
    ProjectUpdateParams(project_id: String) {
        metadata: Setting<BTreeMap<String, String>>,
        name: Setting<String>,
        roots: Setting<Vec<ProjectRoot>>,
    }
}

object! {
    /// Reply to `project/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ProjectUpdateResponse {
        pub project: Project = "project",
    }
}

object! {
    /// Used by `thread/queue/add`, `thread/queue/list`, `thread/queue/update`.
    pub struct QueuedSubmission {
        pub client_user_message_id: String = "clientUserMessageId",
        pub id: String = "id",
        pub input: Vec<UserInput> = "input",
        pub responsesapi_client_metadata: Option<BTreeMap<String, String>> = "responsesapiClientMetadata",
    }
}

object! {
    /// `realtime` of [`ThreadTimelineEntry`].
    pub struct RealtimeThreadTimelineEntry {
        pub item: ThreadRealtimeItem = "item",
        pub position: u64 = "position",
    }
}

object! {
    /// Used by `thread/realtime/listVoices`.
    pub struct RealtimeVoicesList {
        pub default_v1: RealtimeVoice = "defaultV1",
        pub default_v2: RealtimeVoice = "defaultV2",
        pub v1: Vec<RealtimeVoice> = "v1",
        pub v2: Vec<RealtimeVoice> = "v2",
        pub v3: Option<Vec<RealtimeVoice>> = "v3",
    }
}

object! {
    /// Used by `remoteControl/client/list`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlClient {
        pub app_version: Option<String> = "appVersion",
        pub client_id: String = "clientId",
        pub device_model: Option<String> = "deviceModel",
        pub device_type: Option<String> = "deviceType",
        pub display_name: Option<String> = "displayName",
        /// Unix seconds.
        pub last_seen_at: Option<i64> = "lastSeenAt",
        pub os_version: Option<String> = "osVersion",
        pub platform: Option<String> = "platform",
    }
}

object! {
    /// Parameters of `remoteControl/client/list`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlClientsListParams {
        pub cursor: Setting<String> = "cursor",
        pub environment_id: String = "environmentId",
        pub limit: Setting<u32> = "limit",
        pub order: Setting<RemoteControlClientsListOrder> = "order",
    }
}

build! {
    RemoteControlClientsListParams(environment_id: String) {
        cursor: Setting<String>,
        limit: Setting<u32>,
        order: Setting<RemoteControlClientsListOrder>,
    }
}

object! {
    /// Reply to `remoteControl/client/list`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlClientsListResponse {
        pub data: Vec<RemoteControlClient> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `remoteControl/client/revoke`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlClientsRevokeParams {
        pub client_id: String = "clientId",
        pub environment_id: String = "environmentId",
    }
}

build! {
    RemoteControlClientsRevokeParams(client_id: String, environment_id: String) {}
}

object! {
    /// Reply to `remoteControl/client/revoke`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlClientsRevokeResponse {
    }
}

object! {
    /// Parameters of `remoteControl/disable`.
    #[derive(Default)]
    pub struct RemoteControlDisableParams {
        pub ephemeral: Option<bool> = "ephemeral",
    }
}

build! {
    RemoteControlDisableParams() {
        ephemeral: bool,
    }
}

object! {
    /// Reply to `remoteControl/disable`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlDisableResponse {
        pub environment_id: Option<String> = "environmentId",
        pub installation_id: String = "installationId",
        pub server_name: String = "serverName",
        pub status: RemoteControlConnectionStatus = "status",
    }
}

object! {
    /// Parameters of `remoteControl/enable`.
    #[derive(Default)]
    pub struct RemoteControlEnableParams {
        pub ephemeral: Option<bool> = "ephemeral",
    }
}

build! {
    RemoteControlEnableParams() {
        ephemeral: bool,
    }
}

object! {
    /// Reply to `remoteControl/enable`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlEnableResponse {
        pub environment_id: Option<String> = "environmentId",
        pub installation_id: String = "installationId",
        pub server_name: String = "serverName",
        pub status: RemoteControlConnectionStatus = "status",
    }
}

object! {
    /// Parameters of `remoteControl/pairing/start`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct RemoteControlPairingStartParams {
        pub manual_code: Option<bool> = "manualCode",
    }
}

build! {
    RemoteControlPairingStartParams() {
        manual_code: bool,
    }
}

object! {
    /// Reply to `remoteControl/pairing/start`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlPairingStartResponse {
        pub environment_id: String = "environmentId",
        /// Unix seconds.
        pub expires_at: i64 = "expiresAt",
        pub manual_pairing_code: Option<String> = "manualPairingCode",
        pub pairing_code: String = "pairingCode",
    }
}

object! {
    /// Parameters of `remoteControl/pairing/status`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct RemoteControlPairingStatusParams {
        pub manual_pairing_code: Setting<String> = "manualPairingCode",
        pub pairing_code: Setting<String> = "pairingCode",
    }
}

build! {
    RemoteControlPairingStatusParams() {
        manual_pairing_code: Setting<String>,
        pairing_code: Setting<String>,
    }
}

object! {
    /// Reply to `remoteControl/pairing/status`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlPairingStatusResponse {
        pub claimed: bool = "claimed",
    }
}

object! {
    /// Reply to `remoteControl/status/read`.
    ///
    /// Belongs to the experimental API.
    pub struct RemoteControlStatusReadResponse {
        pub environment_id: Option<String> = "environmentId",
        pub installation_id: String = "installationId",
        pub server_name: String = "serverName",
        pub status: RemoteControlConnectionStatus = "status",
    }
}

object! {
    /// Reply to `rollout/compress`.
    ///
    /// Belongs to the experimental API.
    pub struct RolloutCompressResponse {
    }
}

object! {
    /// Used by `server/diagnostics`.
    pub struct ServerDiagnosticsGauge {
        pub name: String = "name",
        pub value: u64 = "value",
    }
}

object! {
    /// Parameters of `server/diagnostics`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct ServerDiagnosticsParams {
    }
}

build! {
    ServerDiagnosticsParams() {}
}

object! {
    /// Used by `server/diagnostics`.
    pub struct ServerDiagnosticsProcess {
        pub id: u32 = "id",
        /// Bytes.
        pub physical_footprint_bytes: Option<u64> = "physicalFootprintBytes",
        /// Bytes.
        pub resident_memory_bytes: Option<u64> = "residentMemoryBytes",
    }
}

object! {
    /// Reply to `server/diagnostics`.
    ///
    /// Belongs to the experimental API.
    pub struct ServerDiagnosticsResponse {
        pub gauges: Vec<ServerDiagnosticsGauge> = "gauges",
        pub process: ServerDiagnosticsProcess = "process",
    }
}

object! {
    /// A member of [`AccountSessionsSwitchResponse`].
    pub struct SessionsAccountSessionsSwitchResponse {
        pub active_session_id: Option<String> = "activeSessionId",
        pub sessions: Vec<AccountSession> = "sessions",
    }
}

object! {
    /// Used by `thread/backgroundTerminals/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminal {
        pub command: String = "command",
        /// Per cent.
        pub cpu_percent: Option<f64> = "cpuPercent",
        pub cwd: LegacyAppPathString = "cwd",
        pub item_id: String = "itemId",
        pub os_pid: Option<u32> = "osPid",
        pub process_id: String = "processId",
        pub rss_kb: Option<u64> = "rssKb",
    }
}

object! {
    /// Parameters of `thread/backgroundTerminals/clean`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminalsCleanParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadBackgroundTerminalsCleanParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/backgroundTerminals/clean`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminalsCleanResponse {
    }
}

object! {
    /// Parameters of `thread/backgroundTerminals/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminalsListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadBackgroundTerminalsListParams(thread_id: String) {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/backgroundTerminals/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminalsListResponse {
        pub data: Vec<ThreadBackgroundTerminal> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `thread/backgroundTerminals/terminate`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminalsTerminateParams {
        pub process_id: String = "processId",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadBackgroundTerminalsTerminateParams(thread_id: String, process_id: String) {}
}

object! {
    /// Reply to `thread/backgroundTerminals/terminate`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadBackgroundTerminalsTerminateResponse {
        pub terminated: bool = "terminated",
    }
}

object! {
    /// Parameters of `thread/decrement_elicitation`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadDecrementElicitationParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadDecrementElicitationParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/decrement_elicitation`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadDecrementElicitationResponse {
        pub count: i64 = "count",
        pub paused: bool = "paused",
    }
}

object! {
    /// Used by `thread/guardianReview`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadGuardianAssessment {
        pub outcome: GuardianAssessmentOutcome = "outcome",
        pub rationale: String = "rationale",
        pub risk_level: GuardianRiskLevel = "riskLevel",
        pub user_authorization: GuardianUserAuthorization = "userAuthorization",
    }
}

object! {
    /// Parameters of `thread/guardianReview`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadGuardianReviewParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadGuardianReviewParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/guardianReview`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadGuardianReviewResponse {
        pub assessment: Option<ThreadGuardianAssessment> = "assessment",
        pub call_id: String = "callId",
    }
}

object! {
    /// Parameters of `thread/increment_elicitation`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadIncrementElicitationParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadIncrementElicitationParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/increment_elicitation`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadIncrementElicitationResponse {
        pub count: i64 = "count",
        pub paused: bool = "paused",
    }
}

object! {
    /// Parameters of `thread/items/read`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadItemsReadParams {
        pub item_ids: Vec<String> = "itemIds",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

build! {
    ThreadItemsReadParams(thread_id: String, turn_id: String, item_ids: Vec<String>) {}
}

object! {
    /// Reply to `thread/items/read`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadItemsReadResponse {
        pub data: Vec<ThreadItemEntry> = "data",
    }
}

object! {
    /// Parameters of `thread/memoryMode/set`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadMemoryModeSetParams {
        pub mode: ThreadMemoryMode = "mode",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadMemoryModeSetParams(thread_id: String, mode: ThreadMemoryMode) {}
}

object! {
    /// Reply to `thread/memoryMode/set`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadMemoryModeSetResponse {
    }
}

object! {
    /// Parameters of `thread/memory/read`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadMemoryReadParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadMemoryReadParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/memory/read`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadMemoryReadResponse {
        pub summary: Option<String> = "summary",
    }
}

object! {
    /// Parameters of `thread/prediction/request`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadPredictionRequestParams {
        pub source_turn_id: String = "sourceTurnId",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadPredictionRequestParams(thread_id: String, source_turn_id: String) {}
}

object! {
    /// Reply to `thread/prediction/request`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadPredictionRequestResponse {
    }
}

object! {
    /// Parameters of `thread/prepareApprovedPlan`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadPrepareApprovedPlanParams {
        pub attachment_path: Setting<String> = "attachmentPath",
        pub markdown: String = "markdown",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadPrepareApprovedPlanParams(thread_id: String, markdown: String) {
        attachment_path: Setting<String>,
    }
}

object! {
    /// Reply to `thread/prepareApprovedPlan`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadPrepareApprovedPlanResponse {
        pub prompt: String = "prompt",
    }
}

object! {
    /// Parameters of `thread/queue/add`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueAddParams {
        pub client_user_message_id: String = "clientUserMessageId",
        pub input: Vec<UserInput> = "input",
        pub responsesapi_client_metadata: Setting<BTreeMap<String, String>> = "responsesapiClientMetadata",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadQueueAddParams(thread_id: String, client_user_message_id: String, input: Vec<UserInput>) {
        responsesapi_client_metadata: Setting<BTreeMap<String, String>>,
    }
}

object! {
    /// Reply to `thread/queue/add`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueAddResponse {
        pub queued_submission: QueuedSubmission = "queuedSubmission",
    }
}

object! {
    /// Parameters of `thread/queue/delete`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueDeleteParams {
        pub queued_submission_id: String = "queuedSubmissionId",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadQueueDeleteParams(thread_id: String, queued_submission_id: String) {}
}

object! {
    /// Reply to `thread/queue/delete`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueDeleteResponse {
        pub deleted: bool = "deleted",
    }
}

object! {
    /// Parameters of `thread/queue/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadQueueListParams(thread_id: String) {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/queue/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueListResponse {
        pub data: Vec<QueuedSubmission> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `thread/queue/reorder`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueReorderParams {
        pub queued_submission_ids: Vec<String> = "queuedSubmissionIds",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadQueueReorderParams(thread_id: String, queued_submission_ids: Vec<String>) {}
}

object! {
    /// Reply to `thread/queue/reorder`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueReorderResponse {
    }
}

object! {
    /// Parameters of `thread/queue/start`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueStartParams {
        pub queued_submission_id: Setting<String> = "queuedSubmissionId",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadQueueStartParams(thread_id: String) {
        queued_submission_id: Setting<String>,
    }
}

object! {
    /// Reply to `thread/queue/start`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueStartResponse {
        pub turn: Turn = "turn",
    }
}

object! {
    /// Parameters of `thread/queue/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueUpdateParams {
        pub input: Vec<UserInput> = "input",
        pub queued_submission_id: String = "queuedSubmissionId",
        pub responsesapi_client_metadata: Setting<BTreeMap<String, String>> = "responsesapiClientMetadata",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadQueueUpdateParams(
        thread_id: String,
        queued_submission_id: String,
        input: Vec<UserInput>,
    ) {
        responsesapi_client_metadata: Setting<BTreeMap<String, String>>,
    }
}

object! {
    /// Reply to `thread/queue/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadQueueUpdateResponse {
        pub queued_submission: QueuedSubmission = "queuedSubmission",
    }
}

object! {
    /// Parameters of `thread/readState/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadReadStateUpdateParams {
        pub expected_revision: String = "expectedRevision",
        pub operation: ThreadReadStateOperation = "operation",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadReadStateUpdateParams(
        thread_id: String,
        expected_revision: String,
        operation: ThreadReadStateOperation,
    ) {}
}

object! {
    /// Reply to `thread/readState/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadReadStateUpdateResponse {
        pub read_state: ThreadReadState = "readState",
    }
}

object! {
    /// Parameters of `thread/realtime/appendAudio`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeAppendAudioParams {
        pub audio: ThreadRealtimeAudioChunk = "audio",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadRealtimeAppendAudioParams(thread_id: String, audio: ThreadRealtimeAudioChunk) {}
}

object! {
    /// Reply to `thread/realtime/appendAudio`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeAppendAudioResponse {
    }
}

object! {
    /// Parameters of `thread/realtime/appendSpeech`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeAppendSpeechParams {
        pub text: String = "text",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadRealtimeAppendSpeechParams(thread_id: String, text: String) {}
}

object! {
    /// Reply to `thread/realtime/appendSpeech`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeAppendSpeechResponse {
    }
}

object! {
    /// Parameters of `thread/realtime/appendText`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeAppendTextParams {
        pub role: Option<ConversationTextRole> = "role",
        pub text: String = "text",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadRealtimeAppendTextParams(thread_id: String, text: String) {
        role: ConversationTextRole,
    }
}

object! {
    /// Reply to `thread/realtime/appendText`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeAppendTextResponse {
    }
}

object! {
    /// Used by `thread/realtime/start`.
    pub struct ThreadRealtimeInitialItem {
        pub role: ConversationTextRole = "role",
        pub text: String = "text",
    }
}

build! {
    ThreadRealtimeInitialItem(role: ConversationTextRole, text: String) {}
}

object! {
    /// Parameters of `thread/realtime/listVoices`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct ThreadRealtimeListVoicesParams {
    }
}

build! {
    ThreadRealtimeListVoicesParams() {}
}

object! {
    /// Reply to `thread/realtime/listVoices`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeListVoicesResponse {
        pub voices: RealtimeVoicesList = "voices",
    }
}

object! {
    /// Parameters of `thread/realtime/start`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeStartParams {
        pub backend_reasoning_status: Option<bool> = "backendReasoningStatus",
        pub client_managed_handoffs: Setting<bool> = "clientManagedHandoffs",
        pub codex_response_handoff_channel_prefixes: Setting<BTreeMap<String, Vec<String>>> = "codexResponseHandoffChannelPrefixes",
        pub codex_response_handoff_mode: Setting<CodexResponseHandoffMode> = "codexResponseHandoffMode",
        pub codex_response_item_prefix: Setting<String> = "codexResponseItemPrefix",
        pub codex_responses_as_items: Setting<bool> = "codexResponsesAsItems",
        pub delegation_ack_filler: Setting<bool> = "delegationAckFiller",
        pub flush_transcript_tail_on_session_end: Setting<bool> = "flushTranscriptTailOnSessionEnd",
        pub include_startup_context: Setting<bool> = "includeStartupContext",
        pub initial_items: Setting<Vec<ThreadRealtimeInitialItem>> = "initialItems",
        pub model: Setting<String> = "model",
        pub output_modality: RealtimeOutputModality = "outputModality",
        pub prompt: Setting<String> = "prompt",
        pub realtime_end_instructions: Setting<String> = "realtimeEndInstructions",
        pub realtime_session_id: Setting<String> = "realtimeSessionId",
        pub realtime_start_instructions: Setting<String> = "realtimeStartInstructions",
        pub thread_id: String = "threadId",
        pub transport: Setting<ThreadRealtimeStartTransport> = "transport",
        pub version: Setting<RealtimeConversationVersion> = "version",
        pub voice: Setting<RealtimeVoice> = "voice",
        pub voice_session_id: Setting<String> = "voiceSessionId",
    }
}

build! {
    ThreadRealtimeStartParams(thread_id: String, output_modality: RealtimeOutputModality) {
        backend_reasoning_status: bool,
        client_managed_handoffs: Setting<bool>,
        codex_response_handoff_channel_prefixes: Setting<BTreeMap<String, Vec<String>>>,
        codex_response_handoff_mode: Setting<CodexResponseHandoffMode>,
        codex_response_item_prefix: Setting<String>,
        codex_responses_as_items: Setting<bool>,
        delegation_ack_filler: Setting<bool>,
        flush_transcript_tail_on_session_end: Setting<bool>,
        include_startup_context: Setting<bool>,
        initial_items: Setting<Vec<ThreadRealtimeInitialItem>>,
        model: Setting<String>,
        prompt: Setting<String>,
        realtime_end_instructions: Setting<String>,
        realtime_session_id: Setting<String>,
        realtime_start_instructions: Setting<String>,
        transport: Setting<ThreadRealtimeStartTransport>,
        version: Setting<RealtimeConversationVersion>,
        voice: Setting<RealtimeVoice>,
        voice_session_id: Setting<String>,
    }
}

object! {
    /// Reply to `thread/realtime/start`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeStartResponse {
    }
}

object! {
    /// Parameters of `thread/realtime/stop`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeStopParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadRealtimeStopParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/realtime/stop`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadRealtimeStopResponse {
    }
}

object! {
    /// Parameters of `thread/sample/cancel`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSampleCancelParams {
        pub request_id: RequestId = "requestId",
    }
}

build! {
    ThreadSampleCancelParams(request_id: RequestId) {}
}

object! {
    /// Reply to `thread/sample/cancel`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSampleCancelResponse {
    }
}

object! {
    /// Parameters of `thread/sample`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSampleParams {
        pub allow_in_progress_turn: Option<bool> = "allowInProgressTurn",
        pub disable_mcp: Option<bool> = "disableMcp",
        pub effort: Setting<ReasoningEffort> = "effort",
        pub expected_turn_id: String = "expectedTurnId",
        pub interrupt_on_cancel: Setting<bool> = "interruptOnCancel",
        pub prompt: String = "prompt",
        pub responsesapi_client_metadata: Setting<BTreeMap<String, String>> = "responsesapiClientMetadata",
        pub thread_id: String = "threadId",
        pub thread_source: Setting<ThreadSource> = "threadSource",
        pub turn_trigger: Setting<String> = "turnTrigger",
    }
}

build! {
    ThreadSampleParams(thread_id: String, expected_turn_id: String, prompt: String) {
        allow_in_progress_turn: bool,
        disable_mcp: bool,
        effort: Setting<ReasoningEffort>,
        interrupt_on_cancel: Setting<bool>,
        responsesapi_client_metadata: Setting<BTreeMap<String, String>>,
        thread_source: Setting<ThreadSource>,
        turn_trigger: Setting<String>,
    }
}

object! {
    /// Reply to `thread/sample`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSampleResponse {
        pub cached_input_tokens: Option<i64> = "cachedInputTokens",
        pub input_tokens: Option<i64> = "inputTokens",
        pub output_tokens: Option<i64> = "outputTokens",
        pub response_id: String = "responseId",
        pub source_turn_id: String = "sourceTurnId",
        pub text: Option<String> = "text",
    }
}

object! {
    /// Used by `thread/searchOccurrences`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSearchOccurrence {
        pub item_id: String = "itemId",
        pub snippet: String = "snippet",
        pub snippet_match_range: ThreadSearchTextRange = "snippetMatchRange",
        pub turn_cursor: String = "turnCursor",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Parameters of `thread/searchOccurrences`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSearchOccurrencesParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub search_term: String = "searchTerm",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadSearchOccurrencesParams(thread_id: String, search_term: String) {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/searchOccurrences`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSearchOccurrencesResponse {
        pub data: Vec<ThreadSearchOccurrence> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `thread/search`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSearchParams {
        pub archived: Setting<bool> = "archived",
        pub current_account_only: Option<bool> = "currentAccountOnly",
        pub cursor: Setting<String> = "cursor",
        pub include_attached_threads: Option<bool> = "includeAttachedThreads",
        pub limit: Setting<u32> = "limit",
        pub search_term: String = "searchTerm",
        pub sort_direction: Setting<SortDirection> = "sortDirection",
        pub sort_key: Setting<ThreadSearchSortKey> = "sortKey",
        pub source_kinds: Setting<Vec<ThreadSourceKind>> = "sourceKinds",
    }
}

build! {
    ThreadSearchParams(search_term: String) {
        archived: Setting<bool>,
        current_account_only: bool,
        cursor: Setting<String>,
        include_attached_threads: bool,
        limit: Setting<u32>,
        sort_direction: Setting<SortDirection>,
        sort_key: Setting<ThreadSearchSortKey>,
        source_kinds: Setting<Vec<ThreadSourceKind>>,
    }
}

object! {
    /// Reply to `thread/search`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSearchResponse {
        pub backwards_cursor: Option<String> = "backwardsCursor",
        pub data: Vec<ThreadSearchResult> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Used by `thread/search`.
    pub struct ThreadSearchResult {
        pub snippet: String = "snippet",
        pub thread: Thread = "thread",
    }
}

object! {
    /// Used by `thread/searchOccurrences`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSearchTextRange {
        pub end: u32 = "end",
        pub start: u32 = "start",
    }
}

object! {
    /// Parameters of `thread/settings/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSettingsUpdateParams {
        pub approval_policy: Setting<AskForApproval> = "approvalPolicy",
        pub approvals_reviewer: Setting<ApprovalsReviewer> = "approvalsReviewer",
        pub collaboration_mode: Setting<CollaborationMode> = "collaborationMode",
        pub cwd: Setting<String> = "cwd",
        pub disabled_plugin_ids: Setting<Vec<String>> = "disabledPluginIds",
        pub effort: Setting<ReasoningEffort> = "effort",
        pub environments: Setting<Vec<TurnEnvironmentParams>> = "environments",
        pub model: Setting<String> = "model",
        pub multi_agent_mode: Setting<MultiAgentMode> = "multiAgentMode",
        pub permissions: Setting<String> = "permissions",
        pub personality: Setting<Personality> = "personality",
        pub sandbox_policy: Setting<SandboxPolicy> = "sandboxPolicy",
        pub service_tier: Setting<String> = "serviceTier",
        pub summary: Setting<ReasoningSummary> = "summary",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadSettingsUpdateParams(thread_id: String) {
        approval_policy: Setting<AskForApproval>,
        approvals_reviewer: Setting<ApprovalsReviewer>,
        collaboration_mode: Setting<CollaborationMode>,
        cwd: Setting<String>,
        disabled_plugin_ids: Setting<Vec<String>>,
        effort: Setting<ReasoningEffort>,
        environments: Setting<Vec<TurnEnvironmentParams>>,
        model: Setting<String>,
        multi_agent_mode: Setting<MultiAgentMode>,
        permissions: Setting<String>,
        personality: Setting<Personality>,
        sandbox_policy: Setting<SandboxPolicy>,
        service_tier: Setting<String>,
        summary: Setting<ReasoningSummary>,
    }
}

object! {
    /// Reply to `thread/settings/update`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadSettingsUpdateResponse {
    }
}

object! {
    /// Parameters of `thread/timeline/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadTimelineListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadTimelineListParams(thread_id: String) {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/timeline/list`.
    ///
    /// Belongs to the experimental API.
    pub struct ThreadTimelineListResponse {
        pub active_realtime_session_at_page_start: Option<String> = "activeRealtimeSessionAtPageStart",
        pub data: Vec<ThreadTimelineEntry> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// `turnCompleted` of [`ThreadTimelineEntry`].
    pub struct TurnCompletedThreadTimelineEntry {
        /// Unix seconds.
        pub completed_at: Option<i64> = "completed_at",
        /// Milliseconds.
        pub duration_ms: Option<i64> = "duration_ms",
        pub error: Option<TurnError> = "error",
        pub position: u64 = "position",
        /// Unix seconds.
        pub started_at: Option<i64> = "started_at",
        pub status: TurnStatus = "status",
        pub turn_id: String = "turn_id",
    }
}

object! {
    /// Parameters of `turn/settings/update`.
    ///
    /// Belongs to the experimental API.
    pub struct TurnSettingsUpdateParams {
        pub approvals_reviewer: Setting<ApprovalsReviewer> = "approvalsReviewer",
        pub effort: Setting<ReasoningEffort> = "effort",
        pub environments: Setting<Vec<TurnEnvironmentParams>> = "environments",
        pub model: Setting<String> = "model",
        pub service_tier: Setting<String> = "serviceTier",
        pub summary: Setting<ReasoningSummary> = "summary",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

build! {
    TurnSettingsUpdateParams(thread_id: String, turn_id: String) {
        approvals_reviewer: Setting<ApprovalsReviewer>,
        effort: Setting<ReasoningEffort>,
        environments: Setting<Vec<TurnEnvironmentParams>>,
        model: Setting<String>,
        service_tier: Setting<String>,
        summary: Setting<ReasoningSummary>,
    }
}

object! {
    /// Reply to `turn/settings/update`.
    ///
    /// Belongs to the experimental API.
    pub struct TurnSettingsUpdateResponse {
        pub status: TurnSettingsUpdateStatus = "status",
    }
}

object! {
    /// `turnStarted` of [`ThreadTimelineEntry`].
    pub struct TurnStartedThreadTimelineEntry {
        pub position: u64 = "position",
        /// Unix seconds.
        pub started_at: Option<i64> = "started_at",
        pub turn_id: String = "turn_id",
    }
}

object! {
    /// Parameters of `userVerification/cancel`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationCancelParams {
        pub request_id: RequestId = "requestId",
    }
}

build! {
    UserVerificationCancelParams(request_id: RequestId) {}
}

object! {
    /// Reply to `userVerification/cancel`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationCancelResponse {
    }
}

object! {
    /// Parameters of `userVerification/delete`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct UserVerificationDeleteParams {
    }
}

build! {
    UserVerificationDeleteParams() {}
}

object! {
    /// Reply to `userVerification/delete`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationDeleteResponse {
    }
}

object! {
    /// Parameters of `userVerification/enroll`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct UserVerificationEnrollParams {
    }
}

build! {
    UserVerificationEnrollParams() {}
}

object! {
    /// Reply to `userVerification/enroll`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationEnrollResponse {
        pub algorithm: Option<String> = "algorithm",
        pub credential_id: String = "credentialId",
        pub public_key: Option<String> = "publicKey",
    }
}

object! {
    /// Used by `userVerification/verify`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationProof {
        pub credential_id: String = "credentialId",
        pub signature: String = "signature",
    }
}

object! {
    /// Parameters of `userVerification/status`.
    ///
    /// Belongs to the experimental API.
    #[derive(Default)]
    pub struct UserVerificationStatusParams {
    }
}

build! {
    UserVerificationStatusParams() {}
}

object! {
    /// Reply to `userVerification/status`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationStatusResponse {
        pub credential_id: Option<String> = "credentialId",
        pub unavailable_message: Option<String> = "unavailableMessage",
        pub unavailable_reason: Option<UserVerificationUnavailableReason> = "unavailableReason",
    }
}

object! {
    /// Parameters of `userVerification/verify`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationVerifyParams {
        pub challenge: String = "challenge",
        pub description: String = "description",
        pub title: String = "title",
    }
}

build! {
    UserVerificationVerifyParams(challenge: String, description: String, title: String) {}
}

object! {
    /// Reply to `userVerification/verify`.
    ///
    /// Belongs to the experimental API.
    pub struct UserVerificationVerifyResponse {
        pub proof: UserVerificationProof = "proof",
    }
}

object! {
    /// `webrtc` of [`ThreadRealtimeStartTransport`].
    pub struct WebrtcThreadRealtimeStartTransport {
        pub sdp: String = "sdp",
    }
}

build! {
    WebrtcThreadRealtimeStartTransport(sdp: String) {}
}
