//! Objects that only the family `turns` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// `acceptWithExecpolicyAmendment` of [`CommandExecutionApprovalDecision`].
    pub struct AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision {
        pub execpolicy_amendment: Vec<String> = "execpolicy_amendment",
    }
}

build! {
    AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision(
        execpolicy_amendment: Vec<String>,
    ) {}
}

object! {
    /// Used by `turn/start`, `turn/steer`.
    pub struct AdditionalContextEntry {
        pub kind: AdditionalContextKind = "kind",
        pub name: Setting<String> = "name",
        pub value: String = "value",
    }
}

build! {
    AdditionalContextEntry(kind: AdditionalContextKind, value: String) {
        name: Setting<String>,
    }
}

object! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    #[derive(Default)]
    pub struct AdditionalFileSystemPermissions {
        pub entries: Option<Vec<FileSystemSandboxEntry>> = "entries",
        pub glob_scan_max_depth: Option<u64> = "globScanMaxDepth",
        pub read: Option<Vec<LegacyAppPathString>> = "read",
        pub write: Option<Vec<LegacyAppPathString>> = "write",
    }
}

build! {
    AdditionalFileSystemPermissions() {
        entries: Vec<FileSystemSandboxEntry>,
        glob_scan_max_depth: u64,
        read: Vec<LegacyAppPathString>,
        write: Vec<LegacyAppPathString>,
    }
}

object! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    #[derive(Default)]
    pub struct AdditionalNetworkPermissions {
        pub enabled: Option<bool> = "enabled",
    }
}

build! {
    AdditionalNetworkPermissions() {
        enabled: bool,
    }
}

object! {
    /// Used by `item/commandExecution/requestApproval`.
    pub struct AdditionalPermissionProfile {
        pub file_system: Option<AdditionalFileSystemPermissions> = "fileSystem",
        pub network: Option<AdditionalNetworkPermissions> = "network",
    }
}

object! {
    /// What the server tells with `item/agentMessage/delta`.
    pub struct AgentMessageDeltaNotification {
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// `applyNetworkPolicyAmendment` of [`CommandExecutionApprovalDecision`].
    pub struct ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision {
        pub network_policy_amendment: NetworkPolicyAmendment = "network_policy_amendment",
    }
}

build! {
    ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision(
        network_policy_amendment: NetworkPolicyAmendment,
    ) {}
}

object! {
    /// `applyPatch` of [`GuardianApprovalReviewAction`].
    pub struct ApplyPatchGuardianApprovalReviewAction {
        pub cwd: LegacyAppPathString = "cwd",
        pub files: Vec<LegacyAppPathString> = "files",
    }
}

object! {
    /// What the server tells with `modelProvider/authRecoveryStarted` and
    /// `modelProvider/authRecoveryCompleted`.
    pub struct AuthRecoveryNotification {
        pub message: String = "message",
        pub provider: String = "provider",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// `baseBranch` of [`ReviewTarget`].
    pub struct BaseBranchReviewTarget {
        pub branch: String = "branch",
    }
}

build! {
    BaseBranchReviewTarget(branch: String) {}
}

object! {
    /// What the server tells with `item/commandExecution/outputDelta`.
    pub struct CommandExecutionOutputDeltaNotification {
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server asks with `item/commandExecution/requestApproval`.
    pub struct CommandExecutionRequestApprovalParams {
        /// Belongs to the experimental API.
        pub additional_permissions: Option<AdditionalPermissionProfile> = "additionalPermissions",
        pub approval_id: Option<String> = "approvalId",
        /// Belongs to the experimental API.
        pub available_decisions: Option<Vec<CommandExecutionApprovalDecision>> = "availableDecisions",
        pub command: Option<String> = "command",
        pub command_actions: Option<Vec<CommandAction>> = "commandActions",
        pub cwd: Option<LegacyAppPathString> = "cwd",
        pub environment_id: Option<String> = "environmentId",
        pub item_id: String = "itemId",
        pub kind: Option<CommandExecutionApprovalKind> = "kind",
        pub network_approval_context: Option<NetworkApprovalContext> = "networkApprovalContext",
        pub proposed_execpolicy_amendment: Option<Vec<String>> = "proposedExecpolicyAmendment",
        pub proposed_network_policy_amendments: Option<Vec<NetworkPolicyAmendment>> = "proposedNetworkPolicyAmendments",
        pub reason: Option<String> = "reason",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Answer to `item/commandExecution/requestApproval`.
    pub struct CommandExecutionRequestApprovalResponse {
        pub decision: CommandExecutionApprovalDecision = "decision",
    }
}

build! {
    CommandExecutionRequestApprovalResponse(decision: CommandExecutionApprovalDecision) {}
}

object! {
    /// `command` of [`GuardianApprovalReviewAction`].
    pub struct CommandGuardianApprovalReviewAction {
        pub command: String = "command",
        pub cwd: LegacyAppPathString = "cwd",
        pub source: GuardianCommandSource = "source",
    }
}

object! {
    /// `commit` of [`ReviewTarget`].
    pub struct CommitReviewTarget {
        pub sha: String = "sha",
        pub title: Setting<String> = "title",
    }
}

build! {
    CommitReviewTarget(sha: String) {
        title: Setting<String>,
    }
}

object! {
    /// `custom` of [`ReviewTarget`].
    pub struct CustomReviewTarget {
        pub instructions: String = "instructions",
    }
}

build! {
    CustomReviewTarget(instructions: String) {}
}

object! {
    /// A call of a tool that the client declared when it started the thread.
    ///
    /// What the server asks with `item/tool/call`.
    pub struct DynamicToolCallParams {
        pub arguments: Value = "arguments",
        pub call_id: String = "callId",
        pub namespace: Option<String> = "namespace",
        pub thread_id: String = "threadId",
        pub tool: String = "tool",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Answer to `item/tool/call`.
    pub struct DynamicToolCallResponse {
        pub content_items: Vec<DynamicToolCallOutputContentItem> = "contentItems",
        pub success: bool = "success",
    }
}

build! {
    DynamicToolCallResponse(content_items: Vec<DynamicToolCallOutputContentItem>, success: bool) {}
}

object! {
    /// An error of a turn. The turn goes on if `will_retry` says so.
    ///
    /// What the server tells with `error`.
    pub struct ErrorNotification {
        pub error: TurnError = "error",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
        /// The server tries again by itself; the turn is not over.
        pub will_retry: bool = "willRetry",
    }
}

object! {
    /// `execve` of [`GuardianApprovalReviewAction`].
    pub struct ExecveGuardianApprovalReviewAction {
        pub argv: Vec<String> = "argv",
        pub cwd: AbsolutePathBuf = "cwd",
        pub program: String = "program",
        pub source: GuardianCommandSource = "source",
    }
}

object! {
    /// What the server tells with `item/fileChange/outputDelta`.
    pub struct FileChangeOutputDeltaNotification {
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server tells with `item/fileChange/patchUpdated`.
    pub struct FileChangePatchUpdatedNotification {
        pub changes: Vec<FileUpdateChange> = "changes",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server asks with `item/fileChange/requestApproval`.
    pub struct FileChangeRequestApprovalParams {
        pub grant_root: Option<String> = "grantRoot",
        pub item_id: String = "itemId",
        pub reason: Option<String> = "reason",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Answer to `item/fileChange/requestApproval`.
    pub struct FileChangeRequestApprovalResponse {
        pub decision: FileChangeApprovalDecision = "decision",
    }
}

build! {
    FileChangeRequestApprovalResponse(decision: FileChangeApprovalDecision) {}
}

object! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    pub struct FileSystemSandboxEntry {
        pub access: FileSystemAccessMode = "access",
        pub path: FileSystemPath = "path",
    }
}

build! {
    FileSystemSandboxEntry(access: FileSystemAccessMode, path: FileSystemPath) {}
}

object! {
    /// `glob_pattern` of [`FileSystemPath`].
    pub struct GlobPatternFileSystemPath {
        pub pattern: String = "pattern",
    }
}

build! {
    GlobPatternFileSystemPath(pattern: String) {}
}

object! {
    /// Used by `item/permissions/requestApproval`.
    #[derive(Default)]
    pub struct GrantedPermissionProfile {
        pub file_system: Setting<AdditionalFileSystemPermissions> = "fileSystem",
        pub network: Setting<AdditionalNetworkPermissions> = "network",
    }
}

build! {
    GrantedPermissionProfile() {
        file_system: Setting<AdditionalFileSystemPermissions>,
        network: Setting<AdditionalNetworkPermissions>,
    }
}

object! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`.
    pub struct GuardianApprovalReview {
        pub rationale: Option<String> = "rationale",
        pub risk_level: Option<GuardianRiskLevel> = "riskLevel",
        pub status: GuardianApprovalReviewStatus = "status",
        pub user_authorization: Option<GuardianUserAuthorization> = "userAuthorization",
    }
}

object! {
    /// An item has come to its end; its content is final.
    ///
    /// What the server tells with `item/completed`.
    pub struct ItemCompletedNotification {
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub content_token_count: Option<u64> = "contentTokenCount",
        pub item: ThreadItem = "item",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server tells with `item/autoApprovalReview/completed`.
    pub struct ItemGuardianApprovalReviewCompletedNotification {
        pub action: GuardianApprovalReviewAction = "action",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub decision_source: AutoReviewDecisionSource = "decisionSource",
        pub review: GuardianApprovalReview = "review",
        pub review_id: String = "reviewId",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub target_item_id: Option<String> = "targetItemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server tells with `item/autoApprovalReview/started`.
    pub struct ItemGuardianApprovalReviewStartedNotification {
        pub action: GuardianApprovalReviewAction = "action",
        pub review: GuardianApprovalReview = "review",
        pub review_id: String = "reviewId",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub target_item_id: Option<String> = "targetItemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// An item has begun. Not every item that begins is completed.
    ///
    /// What the server tells with `item/started`.
    pub struct ItemStartedNotification {
        pub item: ThreadItem = "item",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// `mcpToolCall` of [`GuardianApprovalReviewAction`].
    pub struct McpToolCallGuardianApprovalReviewAction {
        pub connector_id: Option<String> = "connectorId",
        pub connector_name: Option<String> = "connectorName",
        pub server: String = "server",
        pub tool_name: String = "toolName",
        pub tool_title: Option<String> = "toolTitle",
    }
}

object! {
    /// What the server tells with `item/mcpToolCall/progress`.
    pub struct McpToolCallProgressNotification {
        pub item_id: String = "itemId",
        pub message: String = "message",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// A model that the server offers.
    ///
    /// Used by `model/list`.
    pub struct Model {
        pub additional_speed_tiers: Option<Vec<String>> = "additionalSpeedTiers",
        pub availability_nux: Option<ModelAvailabilityNux> = "availabilityNux",
        pub available_access_programs: Option<ModelAccessPrograms> = "availableAccessPrograms",
        pub default_reasoning_effort: ReasoningEffort = "defaultReasoningEffort",
        pub default_service_tier: Option<String> = "defaultServiceTier",
        pub description: String = "description",
        pub display_name: String = "displayName",
        pub hidden: bool = "hidden",
        pub id: String = "id",
        pub input_modalities: Option<Vec<InputModality>> = "inputModalities",
        pub is_default: bool = "isDefault",
        pub model: String = "model",
        pub model_specialty: Option<String> = "modelSpecialty",
        pub multi_agent_version: Option<MultiAgentVersion> = "multiAgentVersion",
        pub service_tiers: Option<Vec<ModelServiceTier>> = "serviceTiers",
        pub supported_reasoning_efforts: Vec<ReasoningEffortOption> = "supportedReasoningEfforts",
        pub supports_personality: Option<bool> = "supportsPersonality",
        pub upgrade: Option<String> = "upgrade",
        pub upgrade_info: Option<ModelUpgradeInfo> = "upgradeInfo",
    }
}

object! {
    /// Used by `model/list`.
    pub struct ModelAccessPrograms {
        pub cyber: Vec<CyberAccessProgram> = "cyber",
    }
}

object! {
    /// Used by `model/list`.
    pub struct ModelAvailabilityNux {
        pub message: String = "message",
    }
}

object! {
    /// Parameters of `model/list`.
    #[derive(Default)]
    pub struct ModelListParams {
        pub cursor: Setting<String> = "cursor",
        pub include_hidden: Setting<bool> = "includeHidden",
        pub limit: Setting<u32> = "limit",
        pub model_provider: Setting<String> = "modelProvider",
    }
}

build! {
    ModelListParams() {
        cursor: Setting<String>,
        include_hidden: Setting<bool>,
        limit: Setting<u32>,
        model_provider: Setting<String>,
    }
}

object! {
    /// Reply to `model/list`.
    pub struct ModelListResponse {
        pub data: Vec<Model> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// What the server tells with `model/rerouted`.
    pub struct ModelReroutedNotification {
        pub from_model: String = "fromModel",
        pub reason: ModelRerouteReason = "reason",
        pub thread_id: String = "threadId",
        pub to_model: String = "toModel",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server tells with `model/safetyBuffering/updated`.
    pub struct ModelSafetyBufferingUpdatedNotification {
        pub faster_model: Option<String> = "fasterModel",
        pub model: String = "model",
        pub reasons: Vec<String> = "reasons",
        pub show_buffering_ui: bool = "showBufferingUi",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
        pub use_cases: Vec<String> = "useCases",
    }
}

object! {
    /// Used by `model/list`.
    pub struct ModelServiceTier {
        pub description: String = "description",
        pub id: String = "id",
        pub name: String = "name",
    }
}

object! {
    /// Used by `model/list`.
    pub struct ModelUpgradeInfo {
        pub migration_markdown: Option<String> = "migrationMarkdown",
        pub model: String = "model",
        pub model_link: Option<String> = "modelLink",
        /// Unix seconds.
        pub retirement_at: Option<i64> = "retirementAt",
        pub upgrade_copy: Option<String> = "upgradeCopy",
    }
}

object! {
    /// What the server tells with `model/verification`.
    pub struct ModelVerificationNotification {
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
        pub verifications: Vec<ModelVerification> = "verifications",
    }
}

object! {
    /// `networkAccess` of [`GuardianApprovalReviewAction`].
    pub struct NetworkAccessGuardianApprovalReviewAction {
        pub host: String = "host",
        pub port: u16 = "port",
        pub protocol: NetworkApprovalProtocol = "protocol",
        pub target: String = "target",
    }
}

object! {
    /// Used by `item/commandExecution/requestApproval`.
    pub struct NetworkApprovalContext {
        pub host: String = "host",
        pub protocol: NetworkApprovalProtocol = "protocol",
    }
}

object! {
    /// `path` of [`FileSystemPath`].
    pub struct PathFileSystemPath {
        pub path: LegacyAppPathString = "path",
    }
}

build! {
    PathFileSystemPath(path: LegacyAppPathString) {}
}

object! {
    /// What the server asks with `item/permissions/requestApproval`.
    pub struct PermissionsRequestApprovalParams {
        pub cwd: LegacyAppPathString = "cwd",
        pub environment_id: Option<String> = "environmentId",
        pub item_id: String = "itemId",
        pub permissions: RequestPermissionProfile = "permissions",
        pub reason: Option<String> = "reason",
        /// Milliseconds since the Unix epoch.
        ///
        /// Older servers leave it out.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Answer to `item/permissions/requestApproval`.
    pub struct PermissionsRequestApprovalResponse {
        pub permissions: GrantedPermissionProfile = "permissions",
        pub scope: Option<PermissionGrantScope> = "scope",
        pub strict_auto_review: Setting<bool> = "strictAutoReview",
    }
}

build! {
    PermissionsRequestApprovalResponse(permissions: GrantedPermissionProfile) {
        scope: PermissionGrantScope,
        strict_auto_review: Setting<bool>,
    }
}

object! {
    /// What the server tells with `item/plan/delta`.
    pub struct PlanDeltaNotification {
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// `project_roots` of [`FileSystemSpecialPath`].
    #[derive(Default)]
    pub struct ProjectRootsFileSystemSpecialPath {
        pub subpath: Option<LegacyAppPathString> = "subpath",
    }
}

build! {
    ProjectRootsFileSystemSpecialPath() {
        subpath: LegacyAppPathString,
    }
}

object! {
    /// Used by `model/list`.
    pub struct ReasoningEffortOption {
        pub description: String = "description",
        pub reasoning_effort: ReasoningEffort = "reasoningEffort",
    }
}

object! {
    /// What the server tells with `item/reasoning/summaryPartAdded`.
    pub struct ReasoningSummaryPartAddedNotification {
        pub item_id: String = "itemId",
        pub summary_index: i64 = "summaryIndex",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server tells with `item/reasoning/summaryTextDelta`.
    pub struct ReasoningSummaryTextDeltaNotification {
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub summary_index: i64 = "summaryIndex",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// What the server tells with `item/reasoning/textDelta`.
    pub struct ReasoningTextDeltaNotification {
        pub content_index: i64 = "contentIndex",
        pub delta: String = "delta",
        pub item_id: String = "itemId",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/permissions/requestApproval`.
    pub struct RequestPermissionProfile {
        pub file_system: Option<AdditionalFileSystemPermissions> = "fileSystem",
        pub network: Option<AdditionalNetworkPermissions> = "network",
    }
}

object! {
    /// `requestPermissions` of [`GuardianApprovalReviewAction`].
    pub struct RequestPermissionsGuardianApprovalReviewAction {
        pub permissions: RequestPermissionProfile = "permissions",
        pub reason: Option<String> = "reason",
    }
}

object! {
    /// Parameters of `review/start`.
    pub struct ReviewStartParams {
        pub delivery: Setting<ReviewDelivery> = "delivery",
        pub target: ReviewTarget = "target",
        pub thread_id: String = "threadId",
    }
}

build! {
    ReviewStartParams(thread_id: String, target: ReviewTarget) {
        delivery: Setting<ReviewDelivery>,
    }
}

object! {
    /// Reply to `review/start`.
    pub struct ReviewStartResponse {
        pub review_thread_id: String = "reviewThreadId",
        pub turn: Turn = "turn",
    }
}

object! {
    /// `special` of [`FileSystemPath`].
    pub struct SpecialFileSystemPath {
        pub value: FileSystemSpecialPath = "value",
    }
}

build! {
    SpecialFileSystemPath(value: FileSystemSpecialPath) {}
}

object! {
    /// What the server tells with `item/commandExecution/terminalInteraction`.
    pub struct TerminalInteractionNotification {
        pub item_id: String = "itemId",
        pub process_id: String = "processId",
        pub stdin: String = "stdin",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `item/tool/requestUserInput`.
    pub struct ToolRequestUserInputAnswer {
        pub answers: Vec<String> = "answers",
    }
}

build! {
    ToolRequestUserInputAnswer(answers: Vec<String>) {}
}

object! {
    /// Used by `item/tool/requestUserInput`.
    pub struct ToolRequestUserInputOption {
        pub description: String = "description",
        pub label: String = "label",
    }
}

object! {
    /// What the server asks with `item/tool/requestUserInput`.
    pub struct ToolRequestUserInputParams {
        /// Milliseconds.
        pub auto_resolution_ms: Option<u64> = "autoResolutionMs",
        /// Older servers leave it out.
        pub is_blocking: Option<bool> = "isBlocking",
        pub item_id: String = "itemId",
        pub questions: Vec<ToolRequestUserInputQuestion> = "questions",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `item/tool/requestUserInput`.
    pub struct ToolRequestUserInputQuestion {
        pub header: String = "header",
        pub id: String = "id",
        pub is_other: Option<bool> = "isOther",
        pub is_secret: Option<bool> = "isSecret",
        pub options: Option<Vec<ToolRequestUserInputOption>> = "options",
        pub question: String = "question",
    }
}

object! {
    /// Answer to `item/tool/requestUserInput`.
    pub struct ToolRequestUserInputResponse {
        pub answers: BTreeMap<String, ToolRequestUserInputAnswer> = "answers",
    }
}

build! {
    ToolRequestUserInputResponse(answers: BTreeMap<String, ToolRequestUserInputAnswer>) {}
}

object! {
    /// A turn has ended: completed, failed, or interrupted. Late items may still follow.
    ///
    /// What the server tells with `turn/completed`.
    pub struct TurnCompletedNotification {
        pub thread_id: String = "threadId",
        pub turn: Turn = "turn",
    }
}

object! {
    /// What the server tells with `turn/diff/updated`.
    pub struct TurnDiffUpdatedNotification {
        pub diff: String = "diff",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Stops a turn. Refused until the turn has started.
    ///
    /// Parameters of `turn/interrupt`.
    pub struct TurnInterruptParams {
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

build! {
    TurnInterruptParams(thread_id: String, turn_id: String) {}
}

object! {
    /// Reply to `turn/interrupt`.
    pub struct TurnInterruptResponse {
    }
}

object! {
    /// What the server tells with `turn/moderationMetadata`.
    pub struct TurnModerationMetadataNotification {
        pub metadata: Value = "metadata",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// One line of a plan.
    ///
    /// Used by `turn/plan/updated`.
    pub struct TurnPlanStep {
        pub status: TurnPlanStepStatus = "status",
        pub step: String = "step",
    }
}

object! {
    /// What the server tells with `turn/plan/updated`.
    pub struct TurnPlanUpdatedNotification {
        pub explanation: Option<String> = "explanation",
        pub plan: Vec<TurnPlanStep> = "plan",
        pub thread_id: String = "threadId",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Gives a thread something to do. The overrides hold for this turn and those after it.
    ///
    /// Parameters of `turn/start`.
    pub struct TurnStartParams {
        /// Belongs to the experimental API.
        pub additional_context: Setting<BTreeMap<String, AdditionalContextEntry>> = "additionalContext",
        pub approval_policy: Setting<AskForApproval> = "approvalPolicy",
        pub approvals_reviewer: Setting<ApprovalsReviewer> = "approvalsReviewer",
        /// Comes back as the `client_id` of the user's message.
        pub client_user_message_id: Setting<String> = "clientUserMessageId",
        /// Belongs to the experimental API.
        pub collaboration_mode: Setting<CollaborationMode> = "collaborationMode",
        pub cwd: Setting<String> = "cwd",
        /// Belongs to the experimental API.
        pub cyber_access_program: Setting<CyberAccessProgram> = "cyberAccessProgram",
        pub disabled_plugin_ids: Setting<Vec<String>> = "disabledPluginIds",
        pub effort: Setting<ReasoningEffort> = "effort",
        /// Belongs to the experimental API.
        pub environments: Setting<Vec<TurnEnvironmentParams>> = "environments",
        pub input: Vec<UserInput> = "input",
        pub model: Setting<String> = "model",
        /// Belongs to the experimental API.
        pub multi_agent_mode: Setting<MultiAgentMode> = "multiAgentMode",
        /// A JSON Schema that the final answer has to follow.
        pub output_schema: Option<Value> = "outputSchema",
        pub parent_turn_id: Setting<String> = "parentTurnId",
        /// Belongs to the experimental API.
        pub permissions: Setting<String> = "permissions",
        pub personality: Setting<Personality> = "personality",
        /// Belongs to the experimental API.
        pub responsesapi_client_metadata: Setting<BTreeMap<String, String>> = "responsesapiClientMetadata",
        /// Belongs to the experimental API.
        pub responsesapi_client_metadata_patch: Setting<BTreeMap<String, String>> = "responsesapiClientMetadataPatch",
        pub root_turn_id: Setting<String> = "rootTurnId",
        /// Belongs to the experimental API.
        pub runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>> = "runtimeWorkspaceRoots",
        pub sandbox_policy: Setting<SandboxPolicy> = "sandboxPolicy",
        pub service_tier: Setting<String> = "serviceTier",
        pub service_tier_for_turn: Setting<String> = "serviceTierForTurn",
        pub summary: Setting<ReasoningSummary> = "summary",
        pub thread_id: String = "threadId",
        pub tool_output: Setting<TurnToolOutput> = "toolOutput",
        pub turn_trigger: Setting<String> = "turnTrigger",
    }
}

build! {
    TurnStartParams(thread_id: String, input: Vec<UserInput>) {
        additional_context: Setting<BTreeMap<String, AdditionalContextEntry>>,
        approval_policy: Setting<AskForApproval>,
        approvals_reviewer: Setting<ApprovalsReviewer>,
        client_user_message_id: Setting<String>,
        collaboration_mode: Setting<CollaborationMode>,
        cwd: Setting<String>,
        cyber_access_program: Setting<CyberAccessProgram>,
        disabled_plugin_ids: Setting<Vec<String>>,
        effort: Setting<ReasoningEffort>,
        environments: Setting<Vec<TurnEnvironmentParams>>,
        model: Setting<String>,
        multi_agent_mode: Setting<MultiAgentMode>,
        output_schema: Value,
        parent_turn_id: Setting<String>,
        permissions: Setting<String>,
        personality: Setting<Personality>,
        responsesapi_client_metadata: Setting<BTreeMap<String, String>>,
        responsesapi_client_metadata_patch: Setting<BTreeMap<String, String>>,
        root_turn_id: Setting<String>,
        runtime_workspace_roots: Setting<Vec<AbsolutePathBuf>>,
        sandbox_policy: Setting<SandboxPolicy>,
        service_tier: Setting<String>,
        service_tier_for_turn: Setting<String>,
        summary: Setting<ReasoningSummary>,
        tool_output: Setting<TurnToolOutput>,
        turn_trigger: Setting<String>,
    }
}

object! {
    /// Reply to `turn/start`.
    pub struct TurnStartResponse {
        pub turn: Turn = "turn",
    }
}

object! {
    /// The server has begun to work on a turn. For reviews the id differs from that of the reply.
    ///
    /// What the server tells with `turn/started`.
    pub struct TurnStartedNotification {
        pub thread_id: String = "threadId",
        pub turn: Turn = "turn",
    }
}

object! {
    /// Adds to the input of the turn that runs.
    ///
    /// Parameters of `turn/steer`.
    pub struct TurnSteerParams {
        /// Belongs to the experimental API.
        pub additional_context: Setting<BTreeMap<String, AdditionalContextEntry>> = "additionalContext",
        pub client_user_message_id: Setting<String> = "clientUserMessageId",
        /// Refused unless this turn runs.
        pub expected_turn_id: String = "expectedTurnId",
        pub input: Vec<UserInput> = "input",
        /// Belongs to the experimental API.
        pub responsesapi_client_metadata: Setting<BTreeMap<String, String>> = "responsesapiClientMetadata",
        /// Belongs to the experimental API.
        pub responsesapi_client_metadata_patch: Setting<BTreeMap<String, String>> = "responsesapiClientMetadataPatch",
        pub thread_id: String = "threadId",
    }
}

build! {
    TurnSteerParams(thread_id: String, expected_turn_id: String, input: Vec<UserInput>) {
        additional_context: Setting<BTreeMap<String, AdditionalContextEntry>>,
        client_user_message_id: Setting<String>,
        responsesapi_client_metadata: Setting<BTreeMap<String, String>>,
        responsesapi_client_metadata_patch: Setting<BTreeMap<String, String>>,
    }
}

object! {
    /// Reply to `turn/steer`.
    pub struct TurnSteerResponse {
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `turn/start`.
    pub struct TurnToolOutput {
        pub name: String = "name",
        pub namespace: Setting<String> = "namespace",
        pub output: FunctionCallOutputBody = "output",
        pub retain: Option<bool> = "retain",
    }
}

build! {
    TurnToolOutput(name: String, output: FunctionCallOutputBody) {
        namespace: Setting<String>,
        retain: bool,
    }
}

object! {
    /// `unknown` of [`FileSystemSpecialPath`].
    pub struct UnknownFileSystemSpecialPath {
        pub path: String = "path",
        pub subpath: Option<LegacyAppPathString> = "subpath",
    }
}

build! {
    UnknownFileSystemSpecialPath(path: String) {
        subpath: LegacyAppPathString,
    }
}

object! {
    /// `writeStdin` of [`GuardianApprovalReviewAction`].
    pub struct WriteStdinGuardianApprovalReviewAction {
        pub approval_id: String = "approvalId",
        pub cwd: LegacyAppPathString = "cwd",
        pub process_id: String = "processId",
        pub stdin: String = "stdin",
    }
}
