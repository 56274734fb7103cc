//! Objects that only the family `threads` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and one more method.
    pub struct ActivePermissionProfile {
        pub extends: Option<String> = "extends",
        pub id: String = "id",
    }
}

object! {
    /// `active` of [`ThreadStatus`].
    pub struct ActiveThreadStatus {
        pub active_flags: Vec<ThreadActiveFlag> = "activeFlags",
    }
}

object! {
    /// `additional_tools` of [`ResponseItem`].
    pub struct AdditionalToolsResponseItem {
        pub id: Setting<String> = "id",
        pub role: String = "role",
        pub tools: Vec<Value> = "tools",
    }
}

build! {
    AdditionalToolsResponseItem(role: String, tools: Vec<Value>) {
        id: Setting<String>,
    }
}

object! {
    /// `agent_message` of [`ResponseItem`].
    pub struct AgentMessageResponseItem {
        pub author: String = "author",
        pub content: Vec<AgentMessageInputContent> = "content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub recipient: String = "recipient",
    }
}

build! {
    AgentMessageResponseItem(
        author: String,
        content: Vec<AgentMessageInputContent>,
        recipient: String,
    ) {
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
    }
}

object! {
    /// `bemItemPromoted` of [`ThreadRealtimeItem`].
    pub struct BemItemPromotedThreadRealtimeItem {
        pub id: String = "id",
        pub item_id: String = "item_id",
        pub presentation: ThreadRealtimeBemItemPresentation = "presentation",
        pub realtime_session_id: String = "realtimeSessionId",
        pub turn_id: String = "turn_id",
    }
}

object! {
    /// `compaction` of [`ResponseItem`].
    pub struct CompactionResponseItem {
        pub encrypted_content: String = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
    }
}

build! {
    CompactionResponseItem(encrypted_content: String) {
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
    }
}

object! {
    /// `completed` of [`ThreadPredictionResult`].
    pub struct CompletedThreadPredictionResult {
        pub text: Option<String> = "text",
    }
}

object! {
    /// Used by `thread/resume`.
    pub struct ConfigurationReasoning {
        pub effort: ReasoningEffort = "effort",
    }
}

build! {
    ConfigurationReasoning(effort: ReasoningEffort) {}
}

object! {
    /// `configuration_update` of [`ResponseItem`].
    pub struct ConfigurationUpdateResponseItem {
        pub reasoning: ConfigurationReasoning = "reasoning",
    }
}

build! {
    ConfigurationUpdateResponseItem(reasoning: ConfigurationReasoning) {}
}

object! {
    /// What the server tells with `thread/compacted`.
    pub struct ContextCompactedNotification {
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// `context_compaction` of [`ResponseItem`].
    #[derive(Default)]
    pub struct ContextCompactionResponseItem {
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
    }
}

build! {
    ContextCompactionResponseItem() {
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
    }
}

object! {
    /// `custom_tool_call_output` of [`ResponseItem`].
    pub struct CustomToolCallOutputResponseItem {
        pub call_id: String = "call_id",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub name: Setting<String> = "name",
        pub output: FunctionCallOutputBody = "output",
    }
}

build! {
    CustomToolCallOutputResponseItem(call_id: String, output: FunctionCallOutputBody) {
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        name: Setting<String>,
    }
}

object! {
    /// `custom_tool_call` of [`ResponseItem`].
    pub struct CustomToolCallResponseItem {
        pub call_id: String = "call_id",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub input: String = "input",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub name: String = "name",
        pub namespace: Setting<String> = "namespace",
        pub status: Setting<String> = "status",
    }
}

build! {
    CustomToolCallResponseItem(call_id: String, input: String, name: String) {
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        namespace: Setting<String>,
        status: Setting<String>,
    }
}

object! {
    /// `encrypted_content` of [`AgentMessageInputContent`].
    pub struct EncryptedContentAgentMessageInputContent {
        pub encrypted_content: String = "encrypted_content",
    }
}

build! {
    EncryptedContentAgentMessageInputContent(encrypted_content: String) {}
}

object! {
    /// `environment` of [`CapabilityRootLocation`].
    pub struct EnvironmentCapabilityRootLocation {
        pub environment_id: String = "environmentId",
        pub path: String = "path",
    }
}

build! {
    EnvironmentCapabilityRootLocation(environment_id: String, path: String) {}
}

object! {
    /// What the server tells with `thread/environment/connected` and
    /// `thread/environment/disconnected`.
    pub struct EnvironmentConnectionNotification {
        pub environment_id: String = "environmentId",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// `exec` of [`LocalShellAction`].
    pub struct ExecLocalShellAction {
        pub command: Vec<String> = "command",
        pub env: Setting<BTreeMap<String, String>> = "env",
        /// Milliseconds.
        pub timeout_ms: Setting<u64> = "timeout_ms",
        pub user: Setting<String> = "user",
        pub working_directory: Setting<String> = "working_directory",
    }
}

build! {
    ExecLocalShellAction(command: Vec<String>) {
        env: Setting<BTreeMap<String, String>>,
        timeout_ms: Setting<u64>,
        user: Setting<String>,
        working_directory: Setting<String>,
    }
}

object! {
    /// `find_in_page` of [`ResponsesApiWebSearchAction`].
    #[derive(Default)]
    pub struct FindInPageResponsesApiWebSearchAction {
        pub pattern: Setting<String> = "pattern",
        pub url: Setting<String> = "url",
    }
}

build! {
    FindInPageResponsesApiWebSearchAction() {
        pattern: Setting<String>,
        url: Setting<String>,
    }
}

object! {
    /// `function_call_output` of [`ResponseItem`].
    pub struct FunctionCallOutputResponseItem {
        pub call_id: Setting<String> = "call_id",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub name: Setting<String> = "name",
        pub namespace: Setting<String> = "namespace",
        pub output: FunctionCallOutputBody = "output",
    }
}

build! {
    FunctionCallOutputResponseItem(output: FunctionCallOutputBody) {
        call_id: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        name: Setting<String>,
        namespace: Setting<String>,
    }
}

object! {
    /// `function_call` of [`ResponseItem`].
    pub struct FunctionCallResponseItem {
        pub arguments: String = "arguments",
        pub call_id: String = "call_id",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub encrypted_function_args: Setting<Vec<String>> = "encrypted_function_args",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub name: String = "name",
        pub namespace: Setting<String> = "namespace",
        pub status: Setting<String> = "status",
    }
}

build! {
    FunctionCallResponseItem(arguments: String, call_id: String, name: String) {
        encrypted_content: Setting<String>,
        encrypted_function_args: Setting<Vec<String>>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        namespace: Setting<String>,
        status: Setting<String>,
    }
}

object! {
    /// `function` of [`DynamicToolNamespaceTool`].
    pub struct FunctionDynamicToolNamespaceTool {
        pub defer_loading: Option<bool> = "deferLoading",
        pub description: String = "description",
        pub input_schema: Value = "inputSchema",
        pub name: String = "name",
    }
}

build! {
    FunctionDynamicToolNamespaceTool(description: String, input_schema: Value, name: String) {
        defer_loading: bool,
    }
}

object! {
    /// `function` of [`DynamicToolSpec`].
    pub struct FunctionDynamicToolSpec {
        pub defer_loading: Option<bool> = "deferLoading",
        pub description: String = "description",
        pub input_schema: Value = "inputSchema",
        pub name: String = "name",
    }
}

build! {
    FunctionDynamicToolSpec(description: String, input_schema: Value, name: String) {
        defer_loading: bool,
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub struct GitInfo {
        pub branch: Option<String> = "branch",
        pub origin_url: Option<String> = "originUrl",
        pub sha: Option<String> = "sha",
    }
}

object! {
    /// `image_generation_call` of [`ResponseItem`].
    pub struct ImageGenerationCallResponseItem {
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub result: String = "result",
        pub revised_prompt: Setting<String> = "revised_prompt",
        pub status: String = "status",
    }
}

build! {
    ImageGenerationCallResponseItem(result: String, status: String) {
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        revised_prompt: Setting<String>,
    }
}

object! {
    /// `inlineVisualization` of [`ThreadRealtimeBemItemPresentation`].
    pub struct InlineVisualizationThreadRealtimeBemItemPresentation {
        pub index: u32 = "index",
    }
}

object! {
    /// `input_audio` of [`ContentItem`].
    #[derive(Default)]
    pub struct InputAudioContentItem {
        pub audio_url: Option<String> = "audio_url",
        pub file_id: Option<String> = "file_id",
    }
}

build! {
    InputAudioContentItem() {
        audio_url: String,
        file_id: String,
    }
}

object! {
    /// `input_image` of [`ContentItem`].
    #[derive(Default)]
    pub struct InputImageContentItem {
        pub detail: Setting<ImageDetail> = "detail",
        pub file_id: Option<String> = "file_id",
        pub image_url: Option<String> = "image_url",
    }
}

build! {
    InputImageContentItem() {
        detail: Setting<ImageDetail>,
        file_id: String,
        image_url: String,
    }
}

object! {
    /// `input_text` of [`AgentMessageInputContent`].
    pub struct InputTextAgentMessageInputContent {
        pub text: String = "text",
    }
}

build! {
    InputTextAgentMessageInputContent(text: String) {}
}

object! {
    /// `input_text` of [`ContentItem`].
    pub struct InputTextContentItem {
        pub text: String = "text",
    }
}

build! {
    InputTextContentItem(text: String) {}
}

object! {
    /// Used by `thread/resume`.
    #[derive(Default)]
    pub struct InternalChatMessageMetadataPassthrough {
        pub turn_id: Setting<String> = "turn_id",
    }
}

build! {
    InternalChatMessageMetadataPassthrough() {
        turn_id: Setting<String>,
    }
}

object! {
    /// `local_shell_call` of [`ResponseItem`].
    pub struct LocalShellCallResponseItem {
        pub action: LocalShellAction = "action",
        pub call_id: Setting<String> = "call_id",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub status: LocalShellStatus = "status",
    }
}

build! {
    LocalShellCallResponseItem(action: LocalShellAction, status: LocalShellStatus) {
        call_id: Setting<String>,
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
    }
}

object! {
    /// `message` of [`ResponseItem`].
    pub struct MessageResponseItem {
        pub content: Vec<ContentItem> = "content",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub phase: Setting<MessagePhase> = "phase",
        pub role: String = "role",
        pub status: Setting<String> = "status",
    }
}

build! {
    MessageResponseItem(content: Vec<ContentItem>, role: String) {
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        phase: Setting<MessagePhase>,
        status: Setting<String>,
    }
}

object! {
    /// `namespace` of [`DynamicToolSpec`].
    pub struct NamespaceDynamicToolSpec {
        pub description: String = "description",
        pub name: String = "name",
        pub tools: Vec<DynamicToolNamespaceTool> = "tools",
    }
}

build! {
    NamespaceDynamicToolSpec(
        description: String,
        name: String,
        tools: Vec<DynamicToolNamespaceTool>,
    ) {}
}

object! {
    /// `open_page` of [`ResponsesApiWebSearchAction`].
    #[derive(Default)]
    pub struct OpenPageResponsesApiWebSearchAction {
        pub url: Setting<String> = "url",
    }
}

build! {
    OpenPageResponsesApiWebSearchAction() {
        url: Setting<String>,
    }
}

object! {
    /// `output_text` of [`ContentItem`].
    pub struct OutputTextContentItem {
        pub annotations: Setting<Vec<Value>> = "annotations",
        pub logprobs: Setting<Vec<Value>> = "logprobs",
        pub text: String = "text",
    }
}

build! {
    OutputTextContentItem(text: String) {
        annotations: Setting<Vec<Value>>,
        logprobs: Setting<Vec<Value>>,
    }
}

object! {
    /// What the server tells with `project/changed`.
    pub struct ProjectChangedNotification {
        pub change_type: ProjectChangeType = "changeType",
        pub project_id: String = "projectId",
    }
}

object! {
    /// `realtimeSessionClosed` of [`ThreadRealtimeItem`].
    pub struct RealtimeSessionClosedThreadRealtimeItem {
        pub id: String = "id",
        pub outcome: ThreadRealtimeSessionOutcome = "outcome",
        pub realtime_session_id: String = "realtimeSessionId",
    }
}

object! {
    /// `realtimeSessionStarted` of [`ThreadRealtimeItem`].
    pub struct RealtimeSessionStartedThreadRealtimeItem {
        pub id: String = "id",
        pub realtime_session_id: String = "realtimeSessionId",
    }
}

object! {
    /// `reasoning` of [`ResponseItem`].
    pub struct ReasoningResponseItem {
        pub content: Setting<Vec<ReasoningItemContent>> = "content",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub summary: Vec<ReasoningItemReasoningSummary> = "summary",
    }
}

build! {
    ReasoningResponseItem(summary: Vec<ReasoningItemReasoningSummary>) {
        content: Setting<Vec<ReasoningItemContent>>,
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
    }
}

object! {
    /// `reasoning_text` of [`ReasoningItemContent`].
    pub struct ReasoningTextReasoningItemContent {
        pub text: String = "text",
    }
}

build! {
    ReasoningTextReasoningItemContent(text: String) {}
}

object! {
    /// `search` of [`ResponsesApiWebSearchAction`].
    #[derive(Default)]
    pub struct SearchResponsesApiWebSearchAction {
        pub queries: Setting<Vec<String>> = "queries",
        pub query: Setting<String> = "query",
    }
}

build! {
    SearchResponsesApiWebSearchAction() {
        queries: Setting<Vec<String>>,
        query: Setting<String>,
    }
}

object! {
    /// Used by `thread/start`.
    pub struct SelectedCapabilityRoot {
        pub id: String = "id",
        pub location: CapabilityRootLocation = "location",
    }
}

build! {
    SelectedCapabilityRoot(id: String, location: CapabilityRootLocation) {}
}

object! {
    /// `summary_text` of [`ReasoningItemReasoningSummary`].
    pub struct SummaryTextReasoningItemReasoningSummary {
        pub text: String = "text",
    }
}

build! {
    SummaryTextReasoningItemReasoningSummary(text: String) {}
}

object! {
    /// `text` of [`ReasoningItemContent`].
    pub struct TextReasoningItemContent {
        pub text: String = "text",
    }
}

build! {
    TextReasoningItemContent(text: String) {}
}

object! {
    /// A conversation: its ids, its settings, and, where asked for, its turns.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub struct Thread {
        pub agent_nickname: Option<String> = "agentNickname",
        pub agent_role: Option<String> = "agentRole",
        /// Belongs to the experimental API.
        pub attached_to_thread_id: Option<String> = "attachedToThreadId",
        /// Belongs to the experimental API.
        pub can_accept_direct_input: Option<bool> = "canAcceptDirectInput",
        pub cli_version: String = "cliVersion",
        /// Unix seconds.
        pub created_at: i64 = "createdAt",
        pub cwd: AbsolutePathBuf = "cwd",
        /// Belongs to the experimental API.
        pub daybreak_enabled: Option<bool> = "daybreakEnabled",
        /// Belongs to the experimental API.
        pub environments: Option<Vec<ThreadEnvironment>> = "environments",
        /// Older servers leave it out.
        pub ephemeral: Option<bool> = "ephemeral",
        /// Belongs to the experimental API.
        pub extra: Option<ThreadExtra> = "extra",
        pub forked_from_id: Option<String> = "forkedFromId",
        pub git_info: Option<GitInfo> = "gitInfo",
        pub history_mode: Option<ThreadHistoryMode> = "historyMode",
        pub id: String = "id",
        pub model: Option<String> = "model",
        pub model_provider: String = "modelProvider",
        pub name: Option<String> = "name",
        pub originator: Option<String> = "originator",
        pub parent_thread_id: Option<String> = "parentThreadId",
        pub path: Option<String> = "path",
        pub preview: String = "preview",
        /// Older servers leave it out.
        pub project_id: Option<String> = "projectId",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoningEffort",
        /// Unix seconds.
        pub recency_at: Option<i64> = "recencyAt",
        pub section: Option<ThreadSection> = "section",
        /// Unix seconds.
        pub section_entered_at: Option<i64> = "sectionEnteredAt",
        /// Older servers leave it out.
        pub session_id: Option<String> = "sessionId",
        pub source: SessionSource = "source",
        pub status: ThreadStatus = "status",
        pub thread_source: Option<ThreadSource> = "threadSource",
        pub turns: Vec<Turn> = "turns",
        /// Unix seconds.
        pub updated_at: i64 = "updatedAt",
    }
}

object! {
    /// Parameters of `thread/archive`.
    pub struct ThreadArchiveParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadArchiveParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/archive`.
    pub struct ThreadArchiveResponse {
    }
}

object! {
    /// What the server tells with `thread/archived`.
    pub struct ThreadArchivedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/attachment/updated`.
    pub struct ThreadAttachmentUpdatedNotification {
        pub attachment_id: String = "attachmentId",
        pub attachment_type: String = "attachmentType",
        pub identity_key: String = "identityKey",
        pub operation: ThreadAttachmentOperation = "operation",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/closed`.
    pub struct ThreadClosedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Parameters of `thread/compact/start`.
    pub struct ThreadCompactStartParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadCompactStartParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/compact/start`.
    pub struct ThreadCompactStartResponse {
    }
}

object! {
    /// What the server tells with `thread/deleted`.
    pub struct ThreadDeletedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 8 more methods.
    pub struct ThreadEnvironment {
        pub cwd: LegacyAppPathString = "cwd",
        pub environment_id: String = "environmentId",
        pub runtime_workspace_roots: Vec<LegacyAppPathString> = "runtimeWorkspaceRoots",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub struct ThreadExtra {
    }
}

object! {
    /// Starts a new thread from the history of another one.
    ///
    /// Parameters of `thread/fork`.
    pub struct ThreadForkParams {
        pub approval_policy: Setting<AskForApproval> = "approvalPolicy",
        pub approvals_reviewer: Setting<ApprovalsReviewer> = "approvalsReviewer",
        /// Belongs to the experimental API.
        pub attach_to_source: Option<bool> = "attachToSource",
        pub base_instructions: Setting<String> = "baseInstructions",
        /// Belongs to the experimental API.
        pub before_turn_id: Setting<String> = "beforeTurnId",
        pub config: Setting<BTreeMap<String, Value>> = "config",
        pub cwd: Setting<String> = "cwd",
        /// Belongs to the experimental API.
        pub defer_goal_continuation: Option<bool> = "deferGoalContinuation",
        pub developer_instructions: Setting<String> = "developerInstructions",
        pub ephemeral: Option<bool> = "ephemeral",
        pub exclude_turns: Option<bool> = "excludeTurns",
        /// Belongs to the experimental API.
        pub experimental_disable_prediction_mcp: Option<bool> = "experimentalDisablePredictionMcp",
        /// Belongs to the experimental API.
        pub experimental_prediction_mode: Option<bool> = "experimentalPredictionMode",
        pub last_turn_id: Setting<String> = "lastTurnId",
        pub model: Setting<String> = "model",
        pub model_provider: Setting<String> = "modelProvider",
        /// Belongs to the experimental API.
        pub path: Setting<String> = "path",
        /// Belongs to the experimental API.
        pub permissions: Setting<String> = "permissions",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox: Setting<SandboxMode> = "sandbox",
        pub service_tier: Setting<String> = "serviceTier",
        pub thread_id: String = "threadId",
        pub thread_source: Setting<ThreadSource> = "threadSource",
    }
}

build! {
    ThreadForkParams(thread_id: String) {
        approval_policy: Setting<AskForApproval>,
        approvals_reviewer: Setting<ApprovalsReviewer>,
        attach_to_source: bool,
        base_instructions: Setting<String>,
        before_turn_id: Setting<String>,
        config: Setting<BTreeMap<String, Value>>,
        cwd: Setting<String>,
        defer_goal_continuation: bool,
        developer_instructions: Setting<String>,
        ephemeral: bool,
        exclude_turns: bool,
        experimental_disable_prediction_mcp: bool,
        experimental_prediction_mode: bool,
        last_turn_id: Setting<String>,
        model: Setting<String>,
        model_provider: Setting<String>,
        path: Setting<String>,
        permissions: Setting<String>,
        runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>>,
        sandbox: Setting<SandboxMode>,
        service_tier: Setting<String>,
        thread_source: Setting<ThreadSource>,
    }
}

object! {
    /// Reply to `thread/fork`.
    pub struct ThreadForkResponse {
        /// Belongs to the experimental API.
        pub active_permission_profile: Option<ActivePermissionProfile> = "activePermissionProfile",
        pub approval_policy: AskForApproval = "approvalPolicy",
        /// Older servers leave it out.
        pub approvals_reviewer: Option<ApprovalsReviewer> = "approvalsReviewer",
        pub cwd: AbsolutePathBuf = "cwd",
        pub disabled_plugin_ids: Option<Vec<String>> = "disabledPluginIds",
        pub instruction_sources: Option<Vec<LegacyAppPathString>> = "instructionSources",
        pub model: String = "model",
        pub model_provider: String = "modelProvider",
        /// Belongs to the experimental API.
        pub multi_agent_mode: Option<MultiAgentMode> = "multiAgentMode",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoningEffort",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Option<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox: SandboxPolicy = "sandbox",
        pub service_tier: Option<String> = "serviceTier",
        pub thread: Thread = "thread",
    }
}

object! {
    /// Used by `thread/goal/set`, `thread/goal/get`, `thread/goal/updated`.
    pub struct ThreadGoal {
        /// Unix seconds.
        pub created_at: i64 = "createdAt",
        pub objective: String = "objective",
        pub status: ThreadGoalStatus = "status",
        pub thread_id: String = "threadId",
        /// Seconds.
        pub time_used_seconds: i64 = "timeUsedSeconds",
        pub token_budget: Option<i64> = "tokenBudget",
        pub tokens_used: i64 = "tokensUsed",
        /// Unix seconds.
        pub updated_at: i64 = "updatedAt",
    }
}

object! {
    /// What the server tells with `thread/goal/cleared`.
    pub struct ThreadGoalClearedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/goal/updated`.
    pub struct ThreadGoalUpdatedNotification {
        pub goal: ThreadGoal = "goal",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
    }
}

object! {
    /// Asks for a page of the threads that are kept.
    ///
    /// Parameters of `thread/list`.
    #[derive(Default)]
    pub struct ThreadListParams {
        /// Belongs to the experimental API.
        pub ancestor_thread_id: Setting<String> = "ancestorThreadId",
        pub archived: Setting<bool> = "archived",
        /// Belongs to the experimental API.
        pub attached_to_thread_id: Setting<String> = "attachedToThreadId",
        pub current_account_only: Option<bool> = "currentAccountOnly",
        pub cursor: Setting<String> = "cursor",
        pub cwd: Setting<ThreadListCwdFilter> = "cwd",
        pub excluded_thread_ids: Setting<Vec<String>> = "excludedThreadIds",
        /// Belongs to the experimental API.
        pub include_attached_threads: Option<bool> = "includeAttachedThreads",
        pub limit: Setting<u32> = "limit",
        pub model_providers: Setting<Vec<String>> = "modelProviders",
        pub originators: Setting<Vec<String>> = "originators",
        /// Belongs to the experimental API.
        pub parent_thread_id: Setting<String> = "parentThreadId",
        /// Belongs to the experimental API.
        pub project_id: Setting<String> = "projectId",
        pub search_term: Setting<String> = "searchTerm",
        pub section_id: Setting<String> = "sectionId",
        pub sort_direction: Setting<SortDirection> = "sortDirection",
        pub sort_key: Setting<ThreadSortKey> = "sortKey",
        pub source_kinds: Setting<Vec<ThreadSourceKind>> = "sourceKinds",
        pub use_state_db_only: Option<bool> = "useStateDbOnly",
    }
}

build! {
    ThreadListParams() {
        ancestor_thread_id: Setting<String>,
        archived: Setting<bool>,
        attached_to_thread_id: Setting<String>,
        current_account_only: bool,
        cursor: Setting<String>,
        cwd: Setting<ThreadListCwdFilter>,
        excluded_thread_ids: Setting<Vec<String>>,
        include_attached_threads: bool,
        limit: Setting<u32>,
        model_providers: Setting<Vec<String>>,
        originators: Setting<Vec<String>>,
        parent_thread_id: Setting<String>,
        project_id: Setting<String>,
        search_term: Setting<String>,
        section_id: Setting<String>,
        sort_direction: Setting<SortDirection>,
        sort_key: Setting<ThreadSortKey>,
        source_kinds: Setting<Vec<ThreadSourceKind>>,
        use_state_db_only: bool,
    }
}

object! {
    /// Reply to `thread/list`.
    pub struct ThreadListResponse {
        pub backwards_cursor: Option<String> = "backwardsCursor",
        pub data: Vec<Thread> = "data",
        pub next_cursor: Option<String> = "nextCursor",
        /// Belongs to the experimental API.
        pub read_states: Option<BTreeMap<String, ThreadReadState>> = "readStates",
    }
}

object! {
    /// Parameters of `thread/loaded/list`.
    #[derive(Default)]
    pub struct ThreadLoadedListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
    }
}

build! {
    ThreadLoadedListParams() {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/loaded/list`.
    pub struct ThreadLoadedListResponse {
        pub data: Vec<String> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// What the server tells with `thread/name/updated`.
    pub struct ThreadNameUpdatedNotification {
        pub thread_id: String = "threadId",
        pub thread_name: Option<String> = "threadName",
    }
}

object! {
    /// What the server tells with `thread/prediction/updated`.
    pub struct ThreadPredictionUpdatedNotification {
        pub result: ThreadPredictionResult = "result",
        pub source_turn_id: String = "sourceTurnId",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/project/updated`.
    pub struct ThreadProjectUpdatedNotification {
        /// Always there, but may be null.
        pub project_id: Option<String> = "projectId" or null,
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/queue/changed`.
    pub struct ThreadQueueChangedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Reads a thread without loading it.
    ///
    /// Parameters of `thread/read`.
    pub struct ThreadReadParams {
        pub include_turns: Option<bool> = "includeTurns",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadReadParams(thread_id: String) {
        include_turns: bool,
    }
}

object! {
    /// Reply to `thread/read`.
    pub struct ThreadReadResponse {
        /// Belongs to the experimental API.
        pub read_state: Option<ThreadReadState> = "readState",
        pub thread: Thread = "thread",
    }
}

object! {
    /// Used by `thread/list`, `thread/read`, `thread/readState/update` and one more method.
    pub struct ThreadReadState {
        pub first_unread: Option<ThreadUnreadPosition> = "firstUnread",
        pub revision: String = "revision",
    }
}

object! {
    /// What the server tells with `thread/readState/changed`.
    pub struct ThreadReadStateChangedNotification {
        pub read_state: ThreadReadState = "readState",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Used by `thread/realtime/appendAudio`, `thread/realtime/outputAudio/delta`.
    pub struct ThreadRealtimeAudioChunk {
        pub data: String = "data",
        pub item_id: Option<String> = "itemId",
        pub num_channels: u16 = "numChannels",
        pub sample_rate: u32 = "sampleRate",
        pub samples_per_channel: Option<u32> = "samplesPerChannel",
    }
}

build! {
    ThreadRealtimeAudioChunk(data: String, num_channels: u16, sample_rate: u32) {
        item_id: String,
        samples_per_channel: u32,
    }
}

object! {
    /// What the server tells with `thread/realtime/closed`.
    pub struct ThreadRealtimeClosedNotification {
        pub reason: Option<String> = "reason",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/error`.
    pub struct ThreadRealtimeErrorNotification {
        pub message: String = "message",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/itemAdded`.
    pub struct ThreadRealtimeItemAddedNotification {
        pub item: Value = "item",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/item/completed`.
    pub struct ThreadRealtimeItemCompletedNotification {
        pub item: ThreadRealtimeItem = "item",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/item/started`.
    pub struct ThreadRealtimeItemStartedNotification {
        pub item: ThreadRealtimeItem = "item",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/item/transcript/delta`.
    pub struct ThreadRealtimeItemTranscriptDeltaNotification {
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/outputAudio/delta`.
    pub struct ThreadRealtimeOutputAudioDeltaNotification {
        pub audio: ThreadRealtimeAudioChunk = "audio",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/sdp`.
    pub struct ThreadRealtimeSdpNotification {
        pub sdp: String = "sdp",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/started`.
    pub struct ThreadRealtimeStartedNotification {
        pub realtime_session_id: Option<String> = "realtimeSessionId",
        pub thread_id: String = "threadId",
        /// Older servers leave it out.
        pub version: Option<RealtimeConversationVersion> = "version",
    }
}

object! {
    /// What the server tells with `thread/realtime/transcript/delta`.
    pub struct ThreadRealtimeTranscriptDeltaNotification {
        pub delta: String = "delta",
        pub role: String = "role",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/realtime/transcript/done`.
    pub struct ThreadRealtimeTranscriptDoneNotification {
        pub role: String = "role",
        pub text: String = "text",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Used by `thread/resume`.
    #[derive(Default)]
    pub struct ThreadResumeInitialTurnsPageParams {
        pub items_view: Setting<TurnItemsView> = "itemsView",
        pub limit: Setting<u32> = "limit",
        pub sort_direction: Setting<SortDirection> = "sortDirection",
    }
}

build! {
    ThreadResumeInitialTurnsPageParams() {
        items_view: Setting<TurnItemsView>,
        limit: Setting<u32>,
        sort_direction: Setting<SortDirection>,
    }
}

object! {
    /// Loads a thread that is kept, and subscribes this connection to it.
    ///
    /// Parameters of `thread/resume`.
    pub struct ThreadResumeParams {
        pub approval_policy: Setting<AskForApproval> = "approvalPolicy",
        pub approvals_reviewer: Setting<ApprovalsReviewer> = "approvalsReviewer",
        pub base_instructions: Setting<String> = "baseInstructions",
        pub config: Setting<BTreeMap<String, Value>> = "config",
        pub cwd: Setting<String> = "cwd",
        pub developer_instructions: Setting<String> = "developerInstructions",
        /// Leaves the turns out of the reply, which can be large.
        pub exclude_turns: Option<bool> = "excludeTurns",
        /// Belongs to the experimental API.
        pub history: Setting<Vec<ResponseItem>> = "history",
        /// Belongs to the experimental API.
        pub initial_turns_page: Setting<ThreadResumeInitialTurnsPageParams> = "initialTurnsPage",
        pub model: Setting<String> = "model",
        pub model_provider: Setting<String> = "modelProvider",
        /// Belongs to the experimental API.
        pub path: Setting<String> = "path",
        /// Belongs to the experimental API.
        pub permissions: Setting<String> = "permissions",
        pub personality: Setting<Personality> = "personality",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox: Setting<SandboxMode> = "sandbox",
        pub service_tier: Setting<String> = "serviceTier",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadResumeParams(thread_id: String) {
        approval_policy: Setting<AskForApproval>,
        approvals_reviewer: Setting<ApprovalsReviewer>,
        base_instructions: Setting<String>,
        config: Setting<BTreeMap<String, Value>>,
        cwd: Setting<String>,
        developer_instructions: Setting<String>,
        exclude_turns: bool,
        history: Setting<Vec<ResponseItem>>,
        initial_turns_page: Setting<ThreadResumeInitialTurnsPageParams>,
        model: Setting<String>,
        model_provider: Setting<String>,
        path: Setting<String>,
        permissions: Setting<String>,
        personality: Setting<Personality>,
        runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>>,
        sandbox: Setting<SandboxMode>,
        service_tier: Setting<String>,
    }
}

object! {
    /// Reply to `thread/resume`.
    pub struct ThreadResumeResponse {
        /// Belongs to the experimental API.
        pub active_permission_profile: Option<ActivePermissionProfile> = "activePermissionProfile",
        pub approval_policy: AskForApproval = "approvalPolicy",
        /// Older servers leave it out.
        pub approvals_reviewer: Option<ApprovalsReviewer> = "approvalsReviewer",
        pub collaboration_mode: Option<CollaborationMode> = "collaborationMode",
        pub cwd: AbsolutePathBuf = "cwd",
        pub disabled_plugin_ids: Option<Vec<String>> = "disabledPluginIds",
        /// Belongs to the experimental API.
        pub initial_turns_page: Option<TurnsPage> = "initialTurnsPage",
        pub instruction_sources: Option<Vec<LegacyAppPathString>> = "instructionSources",
        pub items_backwards_cursor: Option<String> = "itemsBackwardsCursor",
        pub model: String = "model",
        pub model_provider: String = "modelProvider",
        /// Belongs to the experimental API.
        pub multi_agent_mode: Option<MultiAgentMode> = "multiAgentMode",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoningEffort",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Option<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox: SandboxPolicy = "sandbox",
        pub service_tier: Option<String> = "serviceTier",
        pub thread: Thread = "thread",
        pub turns_backwards_cursor: Option<String> = "turnsBackwardsCursor",
    }
}

object! {
    /// Parameters of `thread/revert`.
    pub struct ThreadRevertParams {
        pub before_turn_id: String = "beforeTurnId",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadRevertParams(thread_id: String, before_turn_id: String) {}
}

object! {
    /// Reply to `thread/revert`.
    pub struct ThreadRevertResponse {
        pub items_backwards_cursor: Option<String> = "itemsBackwardsCursor",
        pub thread: Thread = "thread",
        pub turns_backwards_cursor: Option<String> = "turnsBackwardsCursor",
    }
}

object! {
    /// What the server tells with `thread/reverted`.
    pub struct ThreadRevertedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// What the server tells with `thread/section/changed`.
    pub struct ThreadSectionChangedNotification {
        /// Always there, but may be null.
        pub section_id: Option<String> = "sectionId" or null,
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Parameters of `thread/name/set`.
    pub struct ThreadSetNameParams {
        pub name: String = "name",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadSetNameParams(thread_id: String, name: String) {}
}

object! {
    /// Reply to `thread/name/set`.
    pub struct ThreadSetNameResponse {
    }
}

object! {
    /// Used by `thread/settings/updated`.
    pub struct ThreadSettings {
        pub active_permission_profile: Option<ActivePermissionProfile> = "activePermissionProfile",
        pub approval_policy: AskForApproval = "approvalPolicy",
        pub approvals_reviewer: ApprovalsReviewer = "approvalsReviewer",
        pub collaboration_mode: CollaborationMode = "collaborationMode",
        pub cwd: AbsolutePathBuf = "cwd",
        pub disabled_plugin_ids: Option<Vec<String>> = "disabledPluginIds",
        pub effort: Option<ReasoningEffort> = "effort",
        /// Belongs to the experimental API.
        pub environments: Option<Vec<ThreadEnvironment>> = "environments",
        pub model: String = "model",
        pub model_provider: String = "modelProvider",
        /// Belongs to the experimental API.
        pub multi_agent_mode: Option<MultiAgentMode> = "multiAgentMode",
        pub personality: Option<Personality> = "personality",
        pub sandbox_policy: SandboxPolicy = "sandboxPolicy",
        pub service_tier: Option<String> = "serviceTier",
        pub summary: Option<ReasoningSummary> = "summary",
    }
}

object! {
    /// What the server tells with `thread/settings/updated`.
    pub struct ThreadSettingsUpdatedNotification {
        pub thread_id: String = "threadId",
        pub thread_settings: ThreadSettings = "threadSettings",
    }
}

object! {
    /// `thread_spawn` of [`SubAgentSource`].
    pub struct ThreadSpawnSubAgentSource {
        pub agent_nickname: Option<String> = "agent_nickname",
        pub agent_path: Option<AgentPath> = "agent_path",
        pub agent_role: Option<String> = "agent_role",
        pub depth: i32 = "depth",
        pub parent_thread_id: ThreadId = "parent_thread_id",
    }
}

object! {
    /// Starts a thread. All is optional; what is left out comes from the configuration.
    ///
    /// Parameters of `thread/start`.
    #[derive(Default)]
    pub struct ThreadStartParams {
        /// Belongs to the experimental API.
        pub allow_provider_model_fallback: Option<bool> = "allowProviderModelFallback",
        pub approval_policy: Setting<AskForApproval> = "approvalPolicy",
        pub approvals_reviewer: Setting<ApprovalsReviewer> = "approvalsReviewer",
        pub base_instructions: Setting<String> = "baseInstructions",
        pub config: Setting<BTreeMap<String, Value>> = "config",
        pub cwd: Setting<String> = "cwd",
        /// Belongs to the experimental API.
        pub daybreak_enabled: Setting<bool> = "daybreakEnabled",
        pub developer_instructions: Setting<String> = "developerInstructions",
        /// Belongs to the experimental API.
        pub dynamic_tools: Setting<Vec<DynamicToolSpec>> = "dynamicTools",
        /// Belongs to the experimental API.
        pub environments: Setting<Vec<TurnEnvironmentParams>> = "environments",
        pub ephemeral: Setting<bool> = "ephemeral",
        /// Belongs to the experimental API.
        pub experimental_raw_events: Option<bool> = "experimentalRawEvents",
        /// Belongs to the experimental API.
        pub history_mode: Setting<ThreadHistoryMode> = "historyMode",
        /// Belongs to the experimental API.
        pub mock_experimental_field: Setting<String> = "mockExperimentalField",
        pub model: Setting<String> = "model",
        pub model_provider: Setting<String> = "modelProvider",
        /// Belongs to the experimental API.
        pub multi_agent_mode: Setting<MultiAgentMode> = "multiAgentMode",
        /// Belongs to the experimental API.
        pub permissions: Setting<String> = "permissions",
        pub personality: Setting<Personality> = "personality",
        /// Belongs to the experimental API.
        pub project_id: Setting<String> = "projectId",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox: Setting<SandboxMode> = "sandbox",
        /// Belongs to the experimental API.
        pub selected_capability_roots: Setting<Vec<SelectedCapabilityRoot>> = "selectedCapabilityRoots",
        pub service_name: Setting<String> = "serviceName",
        pub service_tier: Setting<String> = "serviceTier",
        pub session_start_source: Setting<ThreadStartSource> = "sessionStartSource",
        pub thread_source: Setting<ThreadSource> = "threadSource",
    }
}

build! {
    ThreadStartParams() {
        allow_provider_model_fallback: bool,
        approval_policy: Setting<AskForApproval>,
        approvals_reviewer: Setting<ApprovalsReviewer>,
        base_instructions: Setting<String>,
        config: Setting<BTreeMap<String, Value>>,
        cwd: Setting<String>,
        daybreak_enabled: Setting<bool>,
        developer_instructions: Setting<String>,
        dynamic_tools: Setting<Vec<DynamicToolSpec>>,
        environments: Setting<Vec<TurnEnvironmentParams>>,
        ephemeral: Setting<bool>,
        experimental_raw_events: bool,
        history_mode: Setting<ThreadHistoryMode>,
        mock_experimental_field: Setting<String>,
        model: Setting<String>,
        model_provider: Setting<String>,
        multi_agent_mode: Setting<MultiAgentMode>,
        permissions: Setting<String>,
        personality: Setting<Personality>,
        project_id: Setting<String>,
        runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>>,
        sandbox: Setting<SandboxMode>,
        selected_capability_roots: Setting<Vec<SelectedCapabilityRoot>>,
        service_name: Setting<String>,
        service_tier: Setting<String>,
        session_start_source: Setting<ThreadStartSource>,
        thread_source: Setting<ThreadSource>,
    }
}

object! {
    /// Reply to `thread/start`.
    pub struct ThreadStartResponse {
        /// Belongs to the experimental API.
        pub active_permission_profile: Option<ActivePermissionProfile> = "activePermissionProfile",
        pub approval_policy: AskForApproval = "approvalPolicy",
        /// Older servers leave it out.
        pub approvals_reviewer: Option<ApprovalsReviewer> = "approvalsReviewer",
        pub cwd: AbsolutePathBuf = "cwd",
        pub disabled_plugin_ids: Option<Vec<String>> = "disabledPluginIds",
        pub instruction_sources: Option<Vec<LegacyAppPathString>> = "instructionSources",
        pub model: String = "model",
        pub model_provider: String = "modelProvider",
        /// Belongs to the experimental API.
        pub multi_agent_mode: Option<MultiAgentMode> = "multiAgentMode",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoningEffort",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Option<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox: SandboxPolicy = "sandbox",
        pub service_tier: Option<String> = "serviceTier",
        pub thread: Thread = "thread",
    }
}

object! {
    /// What the server tells with `thread/started`.
    pub struct ThreadStartedNotification {
        pub thread: Thread = "thread",
    }
}

object! {
    /// What the server tells with `thread/status/changed`.
    pub struct ThreadStatusChangedNotification {
        pub status: ThreadStatus = "status",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// The tokens that a thread has used: in its last model call and in all.
    ///
    /// Used by `thread/tokenUsage/updated`.
    pub struct ThreadTokenUsage {
        /// Of the last call of the model.
        pub last: TokenUsageBreakdown = "last",
        /// How many tokens the model takes in one call.
        pub model_context_window: Option<i64> = "modelContextWindow",
        /// Of the whole thread.
        pub total: TokenUsageBreakdown = "total",
    }
}

object! {
    /// What the server tells with `thread/tokenUsage/updated`.
    pub struct ThreadTokenUsageUpdatedNotification {
        pub thread_id: String = "threadId",
        pub token_usage: ThreadTokenUsage = "tokenUsage",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Parameters of `thread/turns/list`.
    pub struct ThreadTurnsListParams {
        pub cursor: Setting<String> = "cursor",
        pub items_view: Setting<TurnItemsView> = "itemsView",
        pub limit: Setting<u32> = "limit",
        pub sort_direction: Setting<SortDirection> = "sortDirection",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadTurnsListParams(thread_id: String) {
        cursor: Setting<String>,
        items_view: Setting<TurnItemsView>,
        limit: Setting<u32>,
        sort_direction: Setting<SortDirection>,
    }
}

object! {
    /// Reply to `thread/turns/list`.
    pub struct ThreadTurnsListResponse {
        pub backwards_cursor: Option<String> = "backwardsCursor",
        pub data: Vec<Turn> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `thread/unarchive`.
    pub struct ThreadUnarchiveParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadUnarchiveParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/unarchive`.
    pub struct ThreadUnarchiveResponse {
        pub thread: Thread = "thread",
    }
}

object! {
    /// What the server tells with `thread/unarchived`.
    pub struct ThreadUnarchivedNotification {
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Tokens, counted.
    ///
    /// Used by `thread/tokenUsage/updated`.
    pub struct TokenUsageBreakdown {
        pub cache_write_input_tokens: Option<i64> = "cacheWriteInputTokens",
        /// Of the input, read from the model's cache.
        pub cached_input_tokens: i64 = "cachedInputTokens",
        /// Sent to the model.
        pub input_tokens: i64 = "inputTokens",
        /// Written by the model.
        pub output_tokens: i64 = "outputTokens",
        /// Of the output, its reasoning.
        pub reasoning_output_tokens: i64 = "reasoningOutputTokens",
        /// All of them.
        pub total_tokens: i64 = "totalTokens",
    }
}

object! {
    /// `tool_search_call` of [`ResponseItem`].
    pub struct ToolSearchCallResponseItem {
        pub arguments: Value = "arguments",
        pub call_id: Setting<String> = "call_id",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub execution: String = "execution",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub status: Setting<String> = "status",
    }
}

build! {
    ToolSearchCallResponseItem(arguments: Value, execution: String) {
        call_id: Setting<String>,
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        status: Setting<String>,
    }
}

object! {
    /// `tool_search_output` of [`ResponseItem`].
    pub struct ToolSearchOutputResponseItem {
        pub call_id: Setting<String> = "call_id",
        pub execution: String = "execution",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub status: String = "status",
        pub tools: Vec<Value> = "tools",
    }
}

build! {
    ToolSearchOutputResponseItem(execution: String, status: String, tools: Vec<Value>) {
        call_id: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
    }
}

object! {
    /// `transcriptSegment` of [`ThreadRealtimeItem`].
    pub struct TranscriptSegmentThreadRealtimeItem {
        pub id: String = "id",
        pub realtime_session_id: String = "realtimeSessionId",
        pub role: ThreadRealtimeTranscriptRole = "role",
        pub text: String = "text",
    }
}

object! {
    /// `turn` of [`ThreadUnreadPosition`].
    pub struct TurnThreadUnreadPosition {
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `thread/resume`.
    pub struct TurnsPage {
        pub backwards_cursor: Option<String> = "backwardsCursor",
        pub data: Vec<Turn> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// `web_search_call` of [`ResponseItem`].
    #[derive(Default)]
    pub struct WebSearchCallResponseItem {
        pub action: Setting<ResponsesApiWebSearchAction> = "action",
        pub encrypted_content: Setting<String> = "encrypted_content",
        pub id: Setting<String> = "id",
        pub internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough> = "internal_chat_message_metadata_passthrough",
        pub status: Setting<String> = "status",
    }
}

build! {
    WebSearchCallResponseItem() {
        action: Setting<ResponsesApiWebSearchAction>,
        encrypted_content: Setting<String>,
        id: Setting<String>,
        internal_chat_message_metadata_passthrough: Setting<InternalChatMessageMetadataPassthrough>,
        status: Setting<String>,
    }
}
