//! Objects that several families share.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// `activeTurnNotSteerable` of [`CodexErrorInfo`].
    pub struct ActiveTurnNotSteerableCodexErrorInfo {
        pub turn_kind: NonSteerableTurnKind = "turnKind",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct AgentMessageDisplay {
        pub action: String = "action",
        pub block_type: Option<String> = "blockType",
        pub check_trusted_contacts: Option<bool> = "checkTrustedContacts",
        pub cyber_trusted_access: Option<bool> = "cyberTrustedAccess",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct AgentMessageModeration {
        pub display: Option<AgentMessageDisplay> = "display",
        pub moderated: bool = "moderated",
    }
}

object! {
    /// Text that the model addresses to the user; the last one of phase `final_answer` is the
    /// answer.
    ///
    /// `agentMessage` of [`ThreadItem`].
    pub struct AgentMessageThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub delivery: Option<AgentMessageDelivery> = "delivery",
        pub id: String = "id",
        pub memory_citation: Option<MemoryCitation> = "memoryCitation",
        pub moderation: Option<AgentMessageModeration> = "moderation",
        /// Whether it comments on the work or is the final answer.
        pub phase: Option<MessagePhase> = "phase",
        pub questions: Option<Vec<AsyncUserInputQuestion>> = "questions",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub text: String = "text",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct AsyncUserInputQuestion {
        pub options: Option<Vec<String>> = "options",
        pub title: String = "title",
    }
}

object! {
    /// `audio` of [`UserInput`].
    #[derive(Default)]
    pub struct AudioUserInput {
        pub file_id: Option<String> = "fileId",
        pub url: Option<String> = "url",
    }
}

build! {
    AudioUserInput() {
        file_id: String,
        url: String,
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 22 more methods.
    pub struct ByteRange {
        pub end: u64 = "end",
        pub start: u64 = "start",
    }
}

build! {
    ByteRange(end: u64, start: u64) {}
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct CollabAgentState {
        pub message: Option<String> = "message",
        pub status: CollabAgentStatus = "status",
    }
}

object! {
    /// A call to a sub-agent, whose turns run on threads of their own.
    ///
    /// `collabAgentToolCall` of [`ThreadItem`].
    pub struct CollabAgentToolCallThreadItem {
        pub agents_states: BTreeMap<String, CollabAgentState> = "agentsStates",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub model: Option<String> = "model",
        pub prompt: Option<String> = "prompt",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoningEffort",
        pub receiver_thread_ids: Vec<String> = "receiverThreadIds",
        pub sender_thread_id: String = "senderThreadId",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub status: CollabAgentToolCallStatus = "status",
        pub tool: CollabAgentTool = "tool",
    }
}

object! {
    /// Whether the model plans or works, with the settings that go with it.
    ///
    /// Used by `thread/resume`, `thread/settings/update`, `turn/start` and one more method.
    pub struct CollaborationMode {
        pub mode: ModeKind = "mode",
        pub settings: Settings = "settings",
    }
}

build! {
    CollaborationMode(mode: ModeKind, settings: Settings) {}
}

object! {
    /// A command that the model runs. Its output is whole only once the item is completed.
    ///
    /// `commandExecution` of [`ThreadItem`].
    pub struct CommandExecutionThreadItem {
        /// What the command printed, in order; `None` if nothing.
        pub aggregated_output: Option<String> = "aggregatedOutput",
        pub command: String = "command",
        pub command_actions: Vec<CommandAction> = "commandActions",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub cwd: LegacyAppPathString = "cwd",
        /// Milliseconds.
        pub duration_ms: Option<i64> = "durationMs",
        pub exit_code: Option<i32> = "exitCode",
        pub id: String = "id",
        pub plugin_id: Option<String> = "pluginId",
        pub process_id: Option<String> = "processId",
        pub script_path: Option<String> = "scriptPath",
        pub source: Option<CommandExecutionSource> = "source",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub status: CommandExecutionStatus = "status",
    }
}

object! {
    /// Marks where the history was summed up.
    ///
    /// `contextCompaction` of [`ThreadItem`].
    pub struct ContextCompactionThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// A call of a tool that the client provides.
    ///
    /// `dynamicToolCall` of [`ThreadItem`].
    pub struct DynamicToolCallThreadItem {
        pub arguments: Value = "arguments",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub content_items: Option<Vec<DynamicToolCallOutputContentItem>> = "contentItems",
        /// Milliseconds.
        pub duration_ms: Option<i64> = "durationMs",
        pub id: String = "id",
        pub namespace: Option<String> = "namespace",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub status: DynamicToolCallStatus = "status",
        pub success: Option<bool> = "success",
        pub tool: String = "tool",
    }
}

object! {
    /// `encrypted_content` of [`FunctionCallOutputContentItem`].
    pub struct EncryptedContentFunctionCallOutputContentItem {
        pub encrypted_content: String = "encrypted_content",
    }
}

build! {
    EncryptedContentFunctionCallOutputContentItem(encrypted_content: String) {}
}

object! {
    /// `enteredReviewMode` of [`ThreadItem`].
    pub struct EnteredReviewModeThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub review: String = "review",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// `exitedReviewMode` of [`ThreadItem`].
    pub struct ExitedReviewModeThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub review: String = "review",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// `externalSandbox` of [`SandboxPolicy`].
    #[derive(Default)]
    pub struct ExternalSandboxSandboxPolicy {
        pub network_access: Option<NetworkAccess> = "networkAccess",
    }
}

build! {
    ExternalSandboxSandboxPolicy() {
        network_access: NetworkAccess,
    }
}

object! {
    /// A patch that the model applies, file by file.
    ///
    /// `fileChange` of [`ThreadItem`].
    pub struct FileChangeThreadItem {
        pub changes: Vec<FileUpdateChange> = "changes",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub status: PatchApplyStatus = "status",
    }
}

object! {
    /// One file of a patch: its path, what happens to it, and the text of the change.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 19 more methods.
    pub struct FileUpdateChange {
        /// The hunks of an update, without headers; the whole file where one is added or deleted.
        /// [`unified_diff`](Self::unified_diff) is a diff whatever the kind.
        pub diff: String = "diff",
        pub kind: PatchChangeKind = "kind",
        /// Absolute.
        pub path: String = "path",
    }
}

object! {
    /// `findInPage` of [`WebSearchAction`].
    pub struct FindInPageWebSearchAction {
        pub pattern: Option<String> = "pattern",
        pub url: Option<String> = "url",
    }
}

object! {
    /// `functionCallOutput` of [`ThreadItem`].
    pub struct FunctionCallOutputThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub name: String = "name",
        pub namespace: Option<String> = "namespace",
        pub output: FunctionCallOutputBody = "output",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// Which kinds of question are asked; the others are declined by the server itself.
    ///
    /// `granular` of [`AskForApproval`].
    pub struct GranularAskForApproval {
        /// Forms and tools of MCP servers.
        pub mcp_elicitations: bool = "mcp_elicitations",
        /// More permissions for a turn.
        pub request_permissions: Option<bool> = "request_permissions",
        /// What the execution rules ask about.
        pub rules: bool = "rules",
        /// Commands and changes outside of the sandbox.
        pub sandbox_approval: bool = "sandbox_approval",
        /// Skills.
        pub skill_approval: Option<bool> = "skill_approval",
    }
}

build! {
    GranularAskForApproval(mcp_elicitations: bool, rules: bool, sandbox_approval: bool) {
        request_permissions: bool,
        skill_approval: bool,
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct HookPromptFragment {
        pub hook_run_id: String = "hookRunId",
        pub text: String = "text",
    }
}

object! {
    /// `hookPrompt` of [`ThreadItem`].
    pub struct HookPromptThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub fragments: Vec<HookPromptFragment> = "fragments",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// `httpConnectionFailed` of [`CodexErrorInfo`].
    pub struct HttpConnectionFailedCodexErrorInfo {
        pub http_status_code: Option<u16> = "httpStatusCode",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct ImageGenerationInputImage {
        pub path: AbsolutePathBuf = "path",
        pub sha256: String = "sha256",
    }
}

object! {
    /// `imageGeneration` of [`ThreadItem`].
    pub struct ImageGenerationThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub failure: Option<ImageGenerationFailure> = "failure",
        pub file_id: Option<String> = "fileId",
        pub generation_id: Option<String> = "generationId",
        pub id: String = "id",
        pub input_images: Option<Vec<ImageGenerationInputImage>> = "inputImages",
        pub result: Option<String> = "result",
        pub revised_prompt: Option<String> = "revisedPrompt",
        pub saved_path: Option<AbsolutePathBuf> = "savedPath",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub status: String = "status",
        pub transparent_background: Option<bool> = "transparentBackground",
    }
}

object! {
    /// `image` of [`UserInput`].
    #[derive(Default)]
    pub struct ImageUserInput {
        pub detail: Option<ImageDetail> = "detail",
        pub file_id: Option<String> = "fileId",
        pub url: Option<String> = "url",
    }
}

build! {
    ImageUserInput() {
        detail: ImageDetail,
        file_id: String,
        url: String,
    }
}

object! {
    /// `imageView` of [`ThreadItem`].
    pub struct ImageViewThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub path: LegacyAppPathString = "path",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// `inputAudio` of [`DynamicToolCallOutputContentItem`].
    pub struct InputAudioDynamicToolCallOutputContentItem {
        pub audio_url: String = "audioUrl",
    }
}

build! {
    InputAudioDynamicToolCallOutputContentItem(audio_url: String) {}
}

object! {
    /// `input_audio` of [`FunctionCallOutputContentItem`].
    #[derive(Default)]
    pub struct InputAudioFunctionCallOutputContentItem {
        pub audio_url: Option<String> = "audio_url",
        pub file_id: Option<String> = "file_id",
    }
}

build! {
    InputAudioFunctionCallOutputContentItem() {
        audio_url: String,
        file_id: String,
    }
}

object! {
    /// `inputImage` of [`DynamicToolCallOutputContentItem`].
    pub struct InputImageDynamicToolCallOutputContentItem {
        pub image_url: String = "imageUrl",
    }
}

build! {
    InputImageDynamicToolCallOutputContentItem(image_url: String) {}
}

object! {
    /// `input_image` of [`FunctionCallOutputContentItem`].
    #[derive(Default)]
    pub struct InputImageFunctionCallOutputContentItem {
        pub detail: Option<ImageDetail> = "detail",
        pub file_id: Option<String> = "file_id",
        pub image_url: Option<String> = "image_url",
    }
}

build! {
    InputImageFunctionCallOutputContentItem() {
        detail: ImageDetail,
        file_id: String,
        image_url: String,
    }
}

object! {
    /// `inputText` of [`DynamicToolCallOutputContentItem`].
    pub struct InputTextDynamicToolCallOutputContentItem {
        pub text: String = "text",
    }
}

build! {
    InputTextDynamicToolCallOutputContentItem(text: String) {}
}

object! {
    /// `input_text` of [`FunctionCallOutputContentItem`].
    pub struct InputTextFunctionCallOutputContentItem {
        pub text: String = "text",
    }
}

build! {
    InputTextFunctionCallOutputContentItem(text: String) {}
}

object! {
    /// `listFiles` of [`CommandAction`].
    pub struct ListFilesCommandAction {
        pub command: String = "command",
        pub path: Option<String> = "path",
    }
}

object! {
    /// `localAudio` of [`UserInput`].
    pub struct LocalAudioUserInput {
        pub path: String = "path",
    }
}

build! {
    LocalAudioUserInput(path: String) {}
}

object! {
    /// `localImage` of [`UserInput`].
    pub struct LocalImageUserInput {
        pub detail: Option<ImageDetail> = "detail",
        pub path: String = "path",
    }
}

build! {
    LocalImageUserInput(path: String) {
        detail: ImageDetail,
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct McpAppUi {
        pub preferred_model_display_mode: McpAppDisplayMode = "preferredModelDisplayMode",
        pub resource_uri: String = "resourceUri",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct McpToolCallAppContext {
        pub action_name: Option<String> = "actionName",
        pub app_name: Option<String> = "appName",
        pub connector_id: String = "connectorId",
        pub link_id: Option<String> = "linkId",
        pub resource_uri: Option<String> = "resourceUri",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct McpToolCallError {
        pub message: String = "message",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct McpToolCallResult {
        pub meta: Option<Value> = "_meta",
        pub content: Vec<Value> = "content",
        pub structured_content: Option<Value> = "structuredContent",
    }
}

object! {
    /// A call of an MCP server's tool.
    ///
    /// `mcpToolCall` of [`ThreadItem`].
    pub struct McpToolCallThreadItem {
        pub app_context: Option<McpToolCallAppContext> = "appContext",
        pub arguments: Value = "arguments",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        /// Milliseconds.
        pub duration_ms: Option<i64> = "durationMs",
        pub error: Option<McpToolCallError> = "error",
        pub id: String = "id",
        pub mcp_app_resource_uri: Option<String> = "mcpAppResourceUri",
        pub mcp_app_ui: Option<McpAppUi> = "mcpAppUi",
        pub plugin_id: Option<String> = "pluginId",
        pub read_only_hint: Option<bool> = "readOnlyHint",
        pub result: Option<McpToolCallResult> = "result",
        pub server: String = "server",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub status: McpToolCallStatus = "status",
        pub tool: String = "tool",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct MemoryCitation {
        pub entries: Vec<MemoryCitationEntry> = "entries",
        pub thread_ids: Vec<String> = "threadIds",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub struct MemoryCitationEntry {
        pub line_end: u32 = "lineEnd",
        pub line_start: u32 = "lineStart",
        pub note: String = "note",
        pub path: String = "path",
    }
}

object! {
    /// `mention` of [`UserInput`].
    pub struct MentionUserInput {
        pub name: String = "name",
        /// An address such as `app://…` or `plugin://…`.
        pub path: String = "path",
    }
}

build! {
    MentionUserInput(name: String, path: String) {}
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 15 more methods.
    pub struct MisalignmentErrorDetails {
        pub detailed_explanation: Option<String> = "detailedExplanation",
        pub error_type: Option<String> = "errorType",
        pub review_target: Option<String> = "reviewTarget",
        pub steer: Option<MisalignmentSteer> = "steer",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 15 more methods.
    pub struct MisalignmentSteer {
        pub message: String = "message",
    }
}

object! {
    /// Used by `item/commandExecution/requestApproval`, `applyPatchApproval`,
    /// `execCommandApproval`.
    pub struct NetworkPolicyAmendment {
        pub action: NetworkPolicyRuleAction = "action",
        pub host: String = "host",
    }
}

build! {
    NetworkPolicyAmendment(action: NetworkPolicyRuleAction, host: String) {}
}

object! {
    /// `openPage` of [`WebSearchAction`].
    pub struct OpenPageWebSearchAction {
        pub url: Option<String> = "url",
    }
}

object! {
    /// The plan that the model proposes in plan mode.
    ///
    /// `plan` of [`ThreadItem`].
    pub struct PlanThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub text: String = "text",
    }
}

object! {
    /// `read` of [`CommandAction`].
    pub struct ReadCommandAction {
        pub command: String = "command",
        pub name: String = "name",
        pub path: LegacyAppPathString = "path",
    }
}

object! {
    /// `readOnly` of [`SandboxPolicy`].
    #[derive(Default)]
    pub struct ReadOnlySandboxPolicy {
        pub network_access: Option<bool> = "networkAccess",
    }
}

build! {
    ReadOnlySandboxPolicy() {
        network_access: bool,
    }
}

object! {
    /// What the model thinks, in summary and, where it shows them, in its own words.
    ///
    /// `reasoning` of [`ThreadItem`].
    pub struct ReasoningThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub content: Option<Vec<String>> = "content",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub summary: Option<Vec<String>> = "summary",
    }
}

object! {
    /// `responseStreamConnectionFailed` of [`CodexErrorInfo`].
    pub struct ResponseStreamConnectionFailedCodexErrorInfo {
        pub http_status_code: Option<u16> = "httpStatusCode",
    }
}

object! {
    /// `responseStreamDisconnected` of [`CodexErrorInfo`].
    pub struct ResponseStreamDisconnectedCodexErrorInfo {
        pub http_status_code: Option<u16> = "httpStatusCode",
    }
}

object! {
    /// `responseTooManyFailedAttempts` of [`CodexErrorInfo`].
    pub struct ResponseTooManyFailedAttemptsCodexErrorInfo {
        pub http_status_code: Option<u16> = "httpStatusCode",
    }
}

object! {
    /// `search` of [`CommandAction`].
    pub struct SearchCommandAction {
        pub command: String = "command",
        pub path: Option<String> = "path",
        pub query: Option<String> = "query",
    }
}

object! {
    /// `search` of [`WebSearchAction`].
    pub struct SearchWebSearchAction {
        pub queries: Option<Vec<String>> = "queries",
        pub query: Option<String> = "query",
    }
}

object! {
    /// What a collaboration mode runs with.
    ///
    /// Used by `thread/resume`, `thread/settings/update`, `turn/start` and one more method.
    pub struct Settings {
        pub developer_instructions: Option<String> = "developer_instructions",
        /// The server wants it named.
        pub model: String = "model",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoning_effort",
    }
}

build! {
    Settings(model: String) {
        developer_instructions: String,
        reasoning_effort: ReasoningEffort,
    }
}

object! {
    /// `skill` of [`UserInput`].
    pub struct SkillUserInput {
        pub name: String = "name",
        pub path: String = "path",
    }
}

build! {
    SkillUserInput(name: String, path: String) {}
}

object! {
    /// `sleep` of [`ThreadItem`].
    pub struct SleepThreadItem {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        /// Milliseconds.
        pub duration_ms: u64 = "durationMs",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// `subAgentActivity` of [`ThreadItem`].
    pub struct SubAgentActivityThreadItem {
        pub agent_path: String = "agentPath",
        pub agent_thread_id: String = "agentThreadId",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub kind: SubAgentActivityKind = "kind",
        pub model: Option<String> = "model",
        pub reasoning_effort: Option<ReasoningEffort> = "reasoningEffort",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 22 more methods.
    pub struct TextElement {
        pub byte_range: ByteRange = "byteRange",
        pub placeholder: Option<String> = "placeholder",
    }
}

build! {
    TextElement(byte_range: ByteRange) {
        placeholder: String,
    }
}

object! {
    /// `text` of [`UserInput`].
    pub struct TextUserInput {
        pub text: String = "text",
        pub text_elements: Option<Vec<TextElement>> = "text_elements",
    }
}

build! {
    TextUserInput(text: String) {
        text_elements: Vec<TextElement>,
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 10 more methods.
    pub struct ThreadSection {
        pub appearance: Option<ThreadSectionAppearance> = "appearance",
        pub id: String = "id",
        pub name: String = "name",
    }
}

object! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 10 more methods.
    #[derive(Default)]
    pub struct ThreadSectionAppearance {
        pub color: Option<String> = "color",
        pub icon: Option<String> = "icon",
    }
}

build! {
    ThreadSectionAppearance() {
        color: String,
        icon: String,
    }
}

object! {
    /// One round of work: what the user said and all that came of it.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 13 more methods.
    pub struct Turn {
        /// Unix seconds.
        pub completed_at: Option<i64> = "completedAt",
        /// Milliseconds.
        pub duration_ms: Option<i64> = "durationMs",
        pub error: Option<TurnError> = "error",
        pub id: String = "id",
        /// Empty in most notifications; see `items_view`.
        pub items: Vec<ThreadItem> = "items",
        pub items_view: Option<TurnItemsView> = "itemsView",
        pub root_turn_id: Option<String> = "rootTurnId",
        /// Unix seconds.
        pub started_at: Option<i64> = "startedAt",
        pub status: TurnStatus = "status",
    }
}

object! {
    /// Used by `thread/start`, `thread/settings/update`, `turn/start` and one more method.
    pub struct TurnEnvironmentParams {
        pub cwd: LegacyAppPathString = "cwd",
        pub environment_id: String = "environmentId",
        pub runtime_workspace_roots: Setting<Vec<LegacyAppPathString>> = "runtimeWorkspaceRoots",
    }
}

build! {
    TurnEnvironmentParams(environment_id: String, cwd: LegacyAppPathString) {
        runtime_workspace_roots: Setting<Vec<LegacyAppPathString>>,
    }
}

object! {
    /// Why a turn failed.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 15 more methods.
    pub struct TurnError {
        pub additional_details: Option<String> = "additionalDetails",
        pub codex_error_info: Option<CodexErrorInfo> = "codexErrorInfo",
        pub message: String = "message",
        pub misalignment: Option<MisalignmentErrorDetails> = "misalignment",
    }
}

object! {
    /// `unknown` of [`CommandAction`].
    pub struct UnknownCommandAction {
        pub command: String = "command",
    }
}

object! {
    /// `update` of [`PatchChangeKind`].
    pub struct UpdatePatchChangeKind {
        pub move_path: Option<String> = "move_path",
    }
}

object! {
    /// `usageLimitExceeded` of [`ImageGenerationFailure`].
    pub struct UsageLimitExceededImageGenerationFailure {
        pub limit_id: String = "limitId",
        /// Unix seconds.
        pub resets_at: Option<i64> = "resetsAt",
    }
}

object! {
    /// What the user said.
    ///
    /// `userMessage` of [`ThreadItem`].
    pub struct UserMessageThreadItem {
        pub client_id: Option<String> = "clientId",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub content: Vec<UserInput> = "content",
        pub id: String = "id",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// A search on the web. The query is empty until the item is completed.
    ///
    /// `webSearch` of [`ThreadItem`].
    pub struct WebSearchThreadItem {
        pub action: Option<WebSearchAction> = "action",
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub id: String = "id",
        pub query: String = "query",
        pub results: Option<Vec<Value>> = "results",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
    }
}

object! {
    /// `workspaceWrite` of [`SandboxPolicy`].
    #[derive(Default)]
    pub struct WorkspaceWriteSandboxPolicy {
        /// Whether `/tmp` is left out.
        pub exclude_slash_tmp: Option<bool> = "excludeSlashTmp",
        /// Whether the folder of `TMPDIR` is left out.
        pub exclude_tmpdir_env_var: Option<bool> = "excludeTmpdirEnvVar",
        pub network_access: Option<bool> = "networkAccess",
        /// Folders beside the working folder; absolute.
        pub writable_roots: Option<Vec<AbsolutePathBuf>> = "writableRoots",
    }
}

build! {
    WorkspaceWriteSandboxPolicy() {
        exclude_slash_tmp: bool,
        exclude_tmpdir_env_var: bool,
        network_access: bool,
        writable_roots: Vec<AbsolutePathBuf>,
    }
}
