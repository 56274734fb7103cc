//! Objects that only requests that this crate's own methods don't send use.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// Used by `account/securitySetup/read`.
    pub struct AccountSecuritySetupAction {
        pub label: String = "label",
        pub url: String = "url",
    }
}

object! {
    /// Used by `account/securitySetup/read`.
    pub struct AccountSecuritySetupNotice {
        pub account_id: String = "accountId",
        pub action: AccountSecuritySetupAction = "action",
        pub description: String = "description",
        pub title: String = "title",
        pub user_id: String = "userId",
    }
}

object! {
    /// Used by `account/usage/read`.
    pub struct AccountTokenUsageDailyBucket {
        pub start_date: String = "startDate",
        pub tokens: i64 = "tokens",
    }
}

object! {
    /// Used by `account/usage/read`.
    pub struct AccountTokenUsageSummary {
        pub current_streak_days: Option<i64> = "currentStreakDays",
        pub lifetime_tokens: Option<i64> = "lifetimeTokens",
        /// Seconds.
        pub longest_running_turn_sec: Option<i64> = "longestRunningTurnSec",
        pub longest_streak_days: Option<i64> = "longestStreakDays",
        pub peak_daily_tokens: Option<i64> = "peakDailyTokens",
    }
}

object! {
    /// `agent` of [`HookMetadata`].
    pub struct AgentHookMetadata {
        pub additional_context_limit: Option<u64> = "additionalContextLimit",
        pub current_hash: String = "currentHash",
        pub display_order: i64 = "displayOrder",
        pub enabled: bool = "enabled",
        pub environment_id: Option<String> = "environmentId",
        pub event_name: HookEventName = "eventName",
        pub is_managed: bool = "isManaged",
        pub key: String = "key",
        pub matcher: Option<String> = "matcher",
        pub plugin_id: Option<String> = "pluginId",
        pub source: HookSource = "source",
        pub source_path: AbsolutePathBuf = "sourcePath",
        pub status_message: Option<String> = "statusMessage",
        /// Seconds.
        pub timeout_sec: u64 = "timeoutSec",
        pub trust_status: HookTrustStatus = "trustStatus",
    }
}

object! {
    /// Used by `plugin/read`, `plugin/install`.
    pub struct AppSummary {
        pub category: Option<String> = "category",
        pub description: Option<String> = "description",
        pub id: String = "id",
        pub install_url: Option<String> = "installUrl",
        pub name: String = "name",
    }
}

object! {
    /// Used by `plugin/read`.
    pub struct AppTemplateSummary {
        pub canonical_connector_id: Option<String> = "canonicalConnectorId",
        pub category: Option<String> = "category",
        pub description: Option<String> = "description",
        pub logo_url: Option<String> = "logoUrl",
        pub logo_url_dark: Option<String> = "logoUrlDark",
        pub materialized_app_ids: Vec<String> = "materializedAppIds",
        pub name: String = "name",
        pub reason: Option<AppTemplateUnavailableReason> = "reason",
        pub template_id: String = "templateId",
    }
}

object! {
    /// Used by `app/read`.
    pub struct AppToolSummary {
        pub description: String = "description",
        pub disabled_reason: Option<String> = "disabledReason",
        pub is_enabled: Option<bool> = "isEnabled",
        pub is_read_only: Option<bool> = "isReadOnly",
        pub name: String = "name",
        pub title: Option<String> = "title",
    }
}

object! {
    /// Parameters of `app/installed`.
    #[derive(Default)]
    pub struct AppsInstalledParams {
        pub force_refresh: Option<bool> = "forceRefresh",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    AppsInstalledParams() {
        force_refresh: bool,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `app/installed`.
    pub struct AppsInstalledResponse {
        pub apps: Vec<InstalledApp> = "apps",
    }
}

object! {
    /// Parameters of `app/list`.
    #[derive(Default)]
    pub struct AppsListParams {
        pub cursor: Setting<String> = "cursor",
        pub force_refetch: Option<bool> = "forceRefetch",
        pub limit: Setting<u32> = "limit",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    AppsListParams() {
        cursor: Setting<String>,
        force_refetch: bool,
        limit: Setting<u32>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `app/list`.
    pub struct AppsListResponse {
        pub data: Vec<AppInfo> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `app/read`.
    pub struct AppsReadParams {
        pub app_ids: Vec<String> = "appIds",
        pub include_tools: Option<bool> = "includeTools",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    AppsReadParams(app_ids: Vec<String>) {
        include_tools: bool,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `app/read`.
    pub struct AppsReadResponse {
        pub apps: Vec<ConnectorMetadata> = "apps",
        pub missing_app_ids: Vec<String> = "missingAppIds",
    }
}

object! {
    /// `bedrock` of [`ProviderSettings`].
    pub struct BedrockProviderSettings {
        pub profile: Option<String> = "profile",
        pub region: Option<String> = "region",
    }
}

object! {
    /// `bedrock` of [`ProviderSettingsPatch`].
    pub struct BedrockProviderSettingsPatch {
        pub profile: Setting<String> = "profile",
        pub provider_id: BedrockProviderId = "providerId",
        pub region: Setting<String> = "region",
    }
}

build! {
    BedrockProviderSettingsPatch(provider_id: BedrockProviderId) {
        profile: Setting<String>,
        region: Setting<String>,
    }
}

object! {
    /// A member of [`ResourceContent`].
    pub struct BlobResourceContent {
        pub meta: Option<Value> = "_meta",
        pub blob: String = "blob",
        pub mime_type: Option<String> = "mimeType",
        pub uri: String = "uri",
    }
}

object! {
    /// `command` of [`HookMetadata`].
    pub struct CommandHookMetadata {
        pub additional_context_limit: Option<u64> = "additionalContextLimit",
        pub async_: Option<bool> = "async",
        pub command: String = "command",
        pub current_hash: String = "currentHash",
        pub display_order: i64 = "displayOrder",
        pub enabled: bool = "enabled",
        pub environment_id: Option<String> = "environmentId",
        pub event_name: HookEventName = "eventName",
        pub is_managed: bool = "isManaged",
        pub key: String = "key",
        pub matcher: Option<String> = "matcher",
        pub plugin_id: Option<String> = "pluginId",
        pub source: HookSource = "source",
        pub source_path: AbsolutePathBuf = "sourcePath",
        pub status_message: Option<String> = "statusMessage",
        /// Seconds.
        pub timeout_sec: u64 = "timeoutSec",
        pub trust_status: HookTrustStatus = "trustStatus",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct CommandMigration {
        pub name: String = "name",
    }
}

build! {
    CommandMigration(name: String) {}
}

object! {
    /// Used by `app/read`.
    pub struct ConnectorMetadata {
        pub description: Option<String> = "description",
        pub distribution_channel: Option<String> = "distributionChannel",
        pub icon_url: Option<String> = "iconUrl",
        pub icon_url_dark: Option<String> = "iconUrlDark",
        pub id: String = "id",
        pub install_url: Option<String> = "installUrl",
        pub name: String = "name",
        pub plugin_display_names: Option<Vec<String>> = "pluginDisplayNames",
        pub tool_summaries: Option<Vec<AppToolSummary>> = "toolSummaries",
    }
}

object! {
    /// Parameters of `account/rateLimitResetCredit/consume`.
    pub struct ConsumeAccountRateLimitResetCreditParams {
        pub credit_id: Setting<String> = "creditId",
        pub idempotency_key: String = "idempotencyKey",
    }
}

build! {
    ConsumeAccountRateLimitResetCreditParams(idempotency_key: String) {
        credit_id: Setting<String>,
    }
}

object! {
    /// Reply to `account/rateLimitResetCredit/consume`.
    pub struct ConsumeAccountRateLimitResetCreditResponse {
        pub outcome: ConsumeAccountRateLimitResetCreditOutcome = "outcome",
    }
}

object! {
    /// `customGateway` of [`ProviderSettings`].
    pub struct CustomGatewayProviderSettings {
        pub auth: GatewayAuth = "auth",
    }
}

object! {
    /// `customGateway` of [`ProviderSettingsPatch`].
    #[derive(Default)]
    pub struct CustomGatewayProviderSettingsPatch {
        pub base_url: Setting<String> = "baseUrl",
        pub env_key: Setting<String> = "envKey",
        pub name: Option<String> = "name",
        pub provider_id: Setting<String> = "providerId",
    }
}

build! {
    CustomGatewayProviderSettingsPatch() {
        base_url: Setting<String>,
        env_key: Setting<String>,
        name: String,
        provider_id: Setting<String>,
    }
}

object! {
    /// `daily` of [`ScheduledTaskSchedule`].
    pub struct DailyScheduledTaskSchedule {
        pub time: String = "time",
    }
}

object! {
    /// `environmentVariable` of [`GatewayAuth`].
    pub struct EnvironmentVariableGatewayAuth {
        pub env_key: String = "envKey",
    }
}

object! {
    /// Used by `experimentalFeature/list`.
    pub struct ExperimentalFeature {
        pub announcement: Option<String> = "announcement",
        pub default_enabled: bool = "defaultEnabled",
        pub description: Option<String> = "description",
        pub display_name: Option<String> = "displayName",
        pub enabled: bool = "enabled",
        pub name: String = "name",
        pub stage: ExperimentalFeatureStage = "stage",
    }
}

object! {
    /// Parameters of `experimentalFeature/enablement/set`.
    pub struct ExperimentalFeatureEnablementSetParams {
        pub enablement: BTreeMap<String, bool> = "enablement",
    }
}

build! {
    ExperimentalFeatureEnablementSetParams(enablement: BTreeMap<String, bool>) {}
}

object! {
    /// Reply to `experimentalFeature/enablement/set`.
    pub struct ExperimentalFeatureEnablementSetResponse {
        pub enablement: BTreeMap<String, bool> = "enablement",
    }
}

object! {
    /// Parameters of `experimentalFeature/list`.
    #[derive(Default)]
    pub struct ExperimentalFeatureListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    ExperimentalFeatureListParams() {
        cursor: Setting<String>,
        limit: Setting<u32>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `experimentalFeature/list`.
    pub struct ExperimentalFeatureListResponse {
        pub data: Vec<ExperimentalFeature> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `externalAgentConfig/detect`.
    #[derive(Default)]
    pub struct ExternalAgentConfigDetectParams {
        pub cwds: Setting<Vec<String>> = "cwds",
        pub include_home: Option<bool> = "includeHome",
        pub max_session_age_days: Setting<u32> = "maxSessionAgeDays",
        pub max_sessions: Setting<u32> = "maxSessions",
        pub migration_source: Setting<String> = "migrationSource",
        pub source: Setting<String> = "source",
    }
}

build! {
    ExternalAgentConfigDetectParams() {
        cwds: Setting<Vec<String>>,
        include_home: bool,
        max_session_age_days: Setting<u32>,
        max_sessions: Setting<u32>,
        migration_source: Setting<String>,
        source: Setting<String>,
    }
}

object! {
    /// Reply to `externalAgentConfig/detect`.
    pub struct ExternalAgentConfigDetectResponse {
        pub connectors: Option<Vec<ExternalAgentDetectedConnectorCandidate>> = "connectors",
        pub items: Vec<ExternalAgentConfigMigrationItem> = "items",
    }
}

object! {
    /// Reply to `externalAgentConfig/import/readHistories`.
    pub struct ExternalAgentConfigImportHistoriesReadResponse {
        pub connectors: Vec<ExternalAgentImportedConnectorCandidate> = "connectors",
        pub data: Vec<ExternalAgentConfigImportHistory> = "data",
    }
}

object! {
    /// Used by `externalAgentConfig/import/readHistories`.
    pub struct ExternalAgentConfigImportHistory {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: i64 = "completedAtMs",
        pub failures: Vec<ExternalAgentConfigImportItemTypeFailure> = "failures",
        pub import_id: String = "importId",
        pub provider_id: Option<String> = "providerId",
        pub successes: Vec<ExternalAgentConfigImportItemTypeSuccess> = "successes",
    }
}

object! {
    /// Parameters of `externalAgentConfig/import/recordHistory`.
    pub struct ExternalAgentConfigImportHistoryRecordParams {
        pub item_type_results: Vec<ExternalAgentConfigImportHistoryRecordTypeResultParams> = "itemTypeResults",
        pub provider_id: String = "providerId",
    }
}

build! {
    ExternalAgentConfigImportHistoryRecordParams(
        provider_id: String,
        item_type_results: Vec<ExternalAgentConfigImportHistoryRecordTypeResultParams>,
    ) {}
}

object! {
    /// Reply to `externalAgentConfig/import/recordHistory`.
    pub struct ExternalAgentConfigImportHistoryRecordResponse {
        pub import_id: String = "importId",
    }
}

object! {
    /// Used by `externalAgentConfig/import/recordHistory`.
    pub struct ExternalAgentConfigImportHistoryRecordSuccessParams {
        pub cwd: Setting<String> = "cwd",
        pub item_type: ExternalAgentConfigMigrationItemType = "itemType",
        pub source: Setting<String> = "source",
        pub target: Setting<String> = "target",
        pub title: Setting<String> = "title",
    }
}

build! {
    ExternalAgentConfigImportHistoryRecordSuccessParams(
        item_type: ExternalAgentConfigMigrationItemType,
    ) {
        cwd: Setting<String>,
        source: Setting<String>,
        target: Setting<String>,
        title: Setting<String>,
    }
}

object! {
    /// Used by `externalAgentConfig/import/recordHistory`.
    pub struct ExternalAgentConfigImportHistoryRecordTypeResultParams {
        pub failures: Vec<ExternalAgentConfigImportItemTypeFailure> = "failures",
        pub item_type: ExternalAgentConfigMigrationItemType = "itemType",
        pub successes: Vec<ExternalAgentConfigImportHistoryRecordSuccessParams> = "successes",
    }
}

build! {
    ExternalAgentConfigImportHistoryRecordTypeResultParams(
        failures: Vec<ExternalAgentConfigImportItemTypeFailure>,
        item_type: ExternalAgentConfigMigrationItemType,
        successes: Vec<ExternalAgentConfigImportHistoryRecordSuccessParams>,
    ) {}
}

object! {
    /// Parameters of `externalAgentConfig/import`.
    pub struct ExternalAgentConfigImportParams {
        pub migration_items: Vec<ExternalAgentConfigMigrationItem> = "migrationItems",
        pub migration_source: Setting<String> = "migrationSource",
        pub provider_id: Setting<String> = "providerId",
        pub source: Setting<String> = "source",
    }
}

build! {
    ExternalAgentConfigImportParams(migration_items: Vec<ExternalAgentConfigMigrationItem>) {
        migration_source: Setting<String>,
        provider_id: Setting<String>,
        source: Setting<String>,
    }
}

object! {
    /// Reply to `externalAgentConfig/import`.
    pub struct ExternalAgentConfigImportResponse {
        /// Older servers leave it out.
        pub import_id: Option<String> = "importId",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct ExternalAgentConfigMigrationItem {
        pub cwd: Option<String> = "cwd",
        pub description: String = "description",
        pub details: Option<MigrationDetails> = "details",
        pub item_type: ExternalAgentConfigMigrationItemType = "itemType",
    }
}

build! {
    ExternalAgentConfigMigrationItem(
        description: String,
        item_type: ExternalAgentConfigMigrationItemType,
    ) {
        cwd: String,
        details: MigrationDetails,
    }
}

object! {
    /// Used by `externalAgentConfig/detect`.
    pub struct ExternalAgentDetectedConnectorCandidate {
        pub name: String = "name",
        pub session_count: u32 = "sessionCount",
        pub source: ExternalAgentDetectedConnectorSource = "source",
    }
}

object! {
    /// Used by `externalAgentConfig/import/readHistories`.
    pub struct ExternalAgentImportedConnectorCandidate {
        pub name: String = "name",
        pub session_count: u32 = "sessionCount",
        pub source: ExternalAgentImportedConnectorSource = "source",
    }
}

object! {
    /// `externallyConfigured` of [`GatewayAuth`].
    pub struct ExternallyConfiguredGatewayAuth {
        pub env_key: Option<String> = "envKey",
    }
}

object! {
    /// Parameters of `feedback/save`.
    pub struct FeedbackSaveParams {
        pub classification: String = "classification",
        pub extra_log_files: Setting<Vec<String>> = "extraLogFiles",
        pub include_logs: Option<bool> = "includeLogs",
        pub reason: Setting<String> = "reason",
        pub save_path: LegacyAppPathString = "savePath",
        pub tags: Setting<BTreeMap<String, String>> = "tags",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    FeedbackSaveParams(classification: String, save_path: LegacyAppPathString) {
        extra_log_files: Setting<Vec<String>>,
        include_logs: bool,
        reason: Setting<String>,
        tags: Setting<BTreeMap<String, String>>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `feedback/save`.
    pub struct FeedbackSaveResponse {
        pub prompt_hash: Option<String> = "promptHash",
        pub saved_path: LegacyAppPathString = "savedPath",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Parameters of `feedback/upload`.
    pub struct FeedbackUploadParams {
        pub classification: String = "classification",
        pub extra_log_files: Setting<Vec<String>> = "extraLogFiles",
        pub include_logs: Option<bool> = "includeLogs",
        pub reason: Setting<String> = "reason",
        pub tags: Setting<BTreeMap<String, String>> = "tags",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    FeedbackUploadParams(classification: String) {
        extra_log_files: Setting<Vec<String>>,
        include_logs: bool,
        reason: Setting<String>,
        tags: Setting<BTreeMap<String, String>>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `feedback/upload`.
    pub struct FeedbackUploadResponse {
        pub prompt_hash: Option<String> = "promptHash",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Parameters of `fs/copy`.
    pub struct FsCopyParams {
        pub destination_path: AbsolutePathBuf = "destinationPath",
        pub recursive: Option<bool> = "recursive",
        pub source_path: AbsolutePathBuf = "sourcePath",
    }
}

build! {
    FsCopyParams(destination_path: AbsolutePathBuf, source_path: AbsolutePathBuf) {
        recursive: bool,
    }
}

object! {
    /// Reply to `fs/copy`.
    pub struct FsCopyResponse {
    }
}

object! {
    /// Parameters of `fs/createDirectory`.
    pub struct FsCreateDirectoryParams {
        pub path: AbsolutePathBuf = "path",
        pub recursive: Setting<bool> = "recursive",
    }
}

build! {
    FsCreateDirectoryParams(path: AbsolutePathBuf) {
        recursive: Setting<bool>,
    }
}

object! {
    /// Reply to `fs/createDirectory`.
    pub struct FsCreateDirectoryResponse {
    }
}

object! {
    /// Parameters of `fs/getMetadata`.
    pub struct FsGetMetadataParams {
        pub path: AbsolutePathBuf = "path",
    }
}

build! {
    FsGetMetadataParams(path: AbsolutePathBuf) {}
}

object! {
    /// Reply to `fs/getMetadata`.
    pub struct FsGetMetadataResponse {
        /// Milliseconds since the Unix epoch.
        pub created_at_ms: i64 = "createdAtMs",
        pub is_directory: bool = "isDirectory",
        pub is_file: bool = "isFile",
        pub is_symlink: bool = "isSymlink",
        /// Milliseconds since the Unix epoch.
        pub modified_at_ms: i64 = "modifiedAtMs",
    }
}

object! {
    /// Used by `fs/readDirectory`.
    pub struct FsReadDirectoryEntry {
        pub file_name: String = "fileName",
        pub is_directory: bool = "isDirectory",
        pub is_file: bool = "isFile",
    }
}

object! {
    /// Parameters of `fs/readDirectory`.
    pub struct FsReadDirectoryParams {
        pub path: AbsolutePathBuf = "path",
    }
}

build! {
    FsReadDirectoryParams(path: AbsolutePathBuf) {}
}

object! {
    /// Reply to `fs/readDirectory`.
    pub struct FsReadDirectoryResponse {
        pub entries: Vec<FsReadDirectoryEntry> = "entries",
    }
}

object! {
    /// Parameters of `fs/readFile`.
    pub struct FsReadFileParams {
        pub path: AbsolutePathBuf = "path",
    }
}

build! {
    FsReadFileParams(path: AbsolutePathBuf) {}
}

object! {
    /// Reply to `fs/readFile`.
    pub struct FsReadFileResponse {
        pub data_base64: String = "dataBase64",
    }
}

object! {
    /// Parameters of `fs/remove`.
    pub struct FsRemoveParams {
        pub force: Setting<bool> = "force",
        pub path: AbsolutePathBuf = "path",
        pub recursive: Setting<bool> = "recursive",
    }
}

build! {
    FsRemoveParams(path: AbsolutePathBuf) {
        force: Setting<bool>,
        recursive: Setting<bool>,
    }
}

object! {
    /// Reply to `fs/remove`.
    pub struct FsRemoveResponse {
    }
}

object! {
    /// Parameters of `fs/unwatch`.
    pub struct FsUnwatchParams {
        pub watch_id: String = "watchId",
    }
}

build! {
    FsUnwatchParams(watch_id: String) {}
}

object! {
    /// Reply to `fs/unwatch`.
    pub struct FsUnwatchResponse {
    }
}

object! {
    /// Parameters of `fs/watch`.
    pub struct FsWatchParams {
        pub path: AbsolutePathBuf = "path",
        pub watch_id: String = "watchId",
    }
}

build! {
    FsWatchParams(watch_id: String, path: AbsolutePathBuf) {}
}

object! {
    /// Reply to `fs/watch`.
    pub struct FsWatchResponse {
        pub path: AbsolutePathBuf = "path",
    }
}

object! {
    /// Parameters of `fs/writeFile`.
    pub struct FsWriteFileParams {
        pub data_base64: String = "dataBase64",
        pub path: AbsolutePathBuf = "path",
    }
}

build! {
    FsWriteFileParams(data_base64: String, path: AbsolutePathBuf) {}
}

object! {
    /// Reply to `fs/writeFile`.
    pub struct FsWriteFileResponse {
    }
}

object! {
    /// Parameters of `fuzzyFileSearch`.
    pub struct FuzzyFileSearchParams {
        pub cancellation_token: Setting<String> = "cancellationToken",
        pub query: String = "query",
        pub roots: Vec<String> = "roots",
    }
}

build! {
    FuzzyFileSearchParams(query: String, roots: Vec<String>) {
        cancellation_token: Setting<String>,
    }
}

object! {
    /// Reply to `fuzzyFileSearch`.
    pub struct FuzzyFileSearchResponse {
        pub files: Vec<FuzzyFileSearchResult> = "files",
    }
}

object! {
    /// Reply to `account/gatewayOAuth/cancel`.
    pub struct GatewayOAuthCancelResponse {
    }
}

object! {
    /// Parameters of `account/gatewayOAuth/login`.
    #[derive(Default)]
    pub struct GatewayOAuthLoginParams {
        pub device_auth: Option<bool> = "deviceAuth",
        pub model_provider: Setting<String> = "modelProvider",
    }
}

build! {
    GatewayOAuthLoginParams() {
        device_auth: bool,
        model_provider: Setting<String>,
    }
}

object! {
    /// Reply to `account/gatewayOAuth/login`.
    pub struct GatewayOAuthLoginResponse {
        pub prompt: Option<GatewayOAuthPrompt> = "prompt",
    }
}

object! {
    /// Used by `account/gatewayOAuth/login`.
    pub struct GatewayOAuthPrompt {
        pub login_id: String = "loginId",
        pub user_code: String = "userCode",
        pub verification_url: String = "verificationUrl",
    }
}

object! {
    /// Parameters of `account/gatewayOAuth/read`.
    #[derive(Default)]
    pub struct GatewayOAuthReadParams {
        pub model_provider: Setting<String> = "modelProvider",
    }
}

build! {
    GatewayOAuthReadParams() {
        model_provider: Setting<String>,
    }
}

object! {
    /// Reply to `account/gatewayOAuth/read`.
    pub struct GatewayOAuthReadResponse {
        pub error: Option<String> = "error",
        pub provider_id: String = "providerId",
        pub provider_name: String = "providerName",
        pub required: bool = "required",
        pub status: Option<GatewayOAuthStatus> = "status",
        pub supports_device_auth: Option<bool> = "supportsDeviceAuth",
    }
}

object! {
    /// `gcp` of [`ProviderSettings`].
    pub struct GcpProviderSettings {
        pub credential_file: Option<String> = "credentialFile",
        pub location: Option<String> = "location",
        pub project_id: Option<String> = "projectId",
    }
}

object! {
    /// `gcp` of [`ProviderSettingsPatch`].
    pub struct GcpProviderSettingsPatch {
        pub credential_file: Setting<String> = "credentialFile",
        pub location: Setting<String> = "location",
        pub project_id: Setting<String> = "projectId",
        pub provider_id: GcpProviderId = "providerId",
    }
}

build! {
    GcpProviderSettingsPatch(provider_id: GcpProviderId) {
        credential_file: Setting<String>,
        location: Setting<String>,
        project_id: Setting<String>,
    }
}

object! {
    /// Reply to `account/securitySetup/read`.
    pub struct GetAccountSecuritySetupResponse {
        pub notice: Option<AccountSecuritySetupNotice> = "notice",
    }
}

object! {
    /// Parameters of `account/usage/read`.
    #[derive(Default)]
    pub struct GetAccountTokenUsageParams {
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    GetAccountTokenUsageParams() {
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `account/usage/read`.
    pub struct GetAccountTokenUsageResponse {
        pub daily_usage_buckets: Option<Vec<AccountTokenUsageDailyBucket>> = "dailyUsageBuckets",
        pub summary: AccountTokenUsageSummary = "summary",
        pub thread_usage: Option<ThreadUsage> = "threadUsage",
    }
}

object! {
    /// Reply to `account/workspaceMessages/read`.
    pub struct GetWorkspaceMessagesResponse {
        pub feature_enabled: bool = "featureEnabled",
        pub messages: Vec<WorkspaceMessage> = "messages",
    }
}

object! {
    /// `git` of [`PluginSource`].
    pub struct GitPluginSource {
        pub path: Option<String> = "path",
        pub ref_name: Option<String> = "refName",
        pub sha: Option<String> = "sha",
        pub url: String = "url",
    }
}

object! {
    /// Used by `hooks/list`.
    pub struct HookErrorInfo {
        pub message: String = "message",
        pub path: String = "path",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct HookMigration {
        pub name: String = "name",
    }
}

build! {
    HookMigration(name: String) {}
}

object! {
    /// Used by `hooks/list`.
    pub struct HooksListEntry {
        pub cwd: String = "cwd",
        pub errors: Vec<HookErrorInfo> = "errors",
        pub hooks: Vec<HookMetadata> = "hooks",
        pub warnings: Vec<String> = "warnings",
    }
}

object! {
    /// Parameters of `hooks/list`.
    #[derive(Default)]
    pub struct HooksListParams {
        pub cwds: Option<Vec<String>> = "cwds",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    HooksListParams() {
        cwds: Vec<String>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `hooks/list`.
    pub struct HooksListResponse {
        pub data: Vec<HooksListEntry> = "data",
    }
}

object! {
    /// `hourly` of [`ScheduledTaskSchedule`].
    pub struct HourlyScheduledTaskSchedule {
        pub days: Option<Vec<ScheduledTaskWeekday>> = "days",
        pub interval_hours: u32 = "intervalHours",
    }
}

object! {
    /// Used by `app/installed`.
    pub struct InstalledApp {
        pub callable: bool = "callable",
        pub enabled: bool = "enabled",
        pub id: String = "id",
        pub runtime_name: Option<String> = "runtimeName",
    }
}

object! {
    /// `item` of [`ThreadItemsListAnchor`].
    pub struct ItemThreadItemsListAnchor {
        pub item_id: String = "itemId",
    }
}

build! {
    ItemThreadItemsListAnchor(item_id: String) {}
}

object! {
    /// Parameters of `mcpServerStatus/list`.
    #[derive(Default)]
    pub struct ListMcpServerStatusParams {
        pub cursor: Setting<String> = "cursor",
        pub detail: Setting<McpServerStatusDetail> = "detail",
        pub limit: Setting<u32> = "limit",
        pub server_name: Setting<String> = "serverName",
        pub thread_id: Setting<String> = "threadId",
    }
}

build! {
    ListMcpServerStatusParams() {
        cursor: Setting<String>,
        detail: Setting<McpServerStatusDetail>,
        limit: Setting<u32>,
        server_name: Setting<String>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `mcpServerStatus/list`.
    pub struct ListMcpServerStatusResponse {
        pub data: Vec<McpServerStatus> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// `local` of [`PluginSource`].
    pub struct LocalPluginSource {
        pub path: AbsolutePathBuf = "path",
    }
}

object! {
    /// Parameters of `marketplace/add`.
    pub struct MarketplaceAddParams {
        pub ref_name: Setting<String> = "refName",
        pub source: String = "source",
        pub sparse_paths: Setting<Vec<String>> = "sparsePaths",
    }
}

build! {
    MarketplaceAddParams(source: String) {
        ref_name: Setting<String>,
        sparse_paths: Setting<Vec<String>>,
    }
}

object! {
    /// Reply to `marketplace/add`.
    pub struct MarketplaceAddResponse {
        pub already_added: bool = "alreadyAdded",
        pub installed_root: AbsolutePathBuf = "installedRoot",
        pub marketplace_name: String = "marketplaceName",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/installed`.
    pub struct MarketplaceInterface {
        pub display_name: Option<String> = "displayName",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/installed`.
    pub struct MarketplaceLoadErrorInfo {
        pub marketplace_path: AbsolutePathBuf = "marketplacePath",
        pub message: String = "message",
    }
}

object! {
    /// Parameters of `marketplace/remove`.
    pub struct MarketplaceRemoveParams {
        pub marketplace_name: String = "marketplaceName",
    }
}

build! {
    MarketplaceRemoveParams(marketplace_name: String) {}
}

object! {
    /// Reply to `marketplace/remove`.
    pub struct MarketplaceRemoveResponse {
        pub installed_root: Option<AbsolutePathBuf> = "installedRoot",
        pub marketplace_name: String = "marketplaceName",
    }
}

object! {
    /// Used by `marketplace/upgrade`.
    pub struct MarketplaceUpgradeErrorInfo {
        pub marketplace_name: String = "marketplaceName",
        pub message: String = "message",
    }
}

object! {
    /// Parameters of `marketplace/upgrade`.
    #[derive(Default)]
    pub struct MarketplaceUpgradeParams {
        pub marketplace_name: Setting<String> = "marketplaceName",
    }
}

build! {
    MarketplaceUpgradeParams() {
        marketplace_name: Setting<String>,
    }
}

object! {
    /// Reply to `marketplace/upgrade`.
    pub struct MarketplaceUpgradeResponse {
        pub errors: Vec<MarketplaceUpgradeErrorInfo> = "errors",
        pub selected_marketplaces: Vec<String> = "selectedMarketplaces",
        pub upgraded_roots: Vec<AbsolutePathBuf> = "upgradedRoots",
    }
}

object! {
    /// Parameters of `mcpServer/resource/read`.
    pub struct McpResourceReadParams {
        pub meta: Setting<BTreeMap<String, Value>> = "_meta",
        pub connector_id: Setting<String> = "connectorId",
        pub origin_call_id: Setting<String> = "originCallId",
        pub server: String = "server",
        pub target: Setting<McpResourceReadTarget> = "target",
        pub thread_id: Setting<String> = "threadId",
        pub uri: String = "uri",
    }
}

build! {
    McpResourceReadParams(server: String, uri: String) {
        meta: Setting<BTreeMap<String, Value>>,
        connector_id: Setting<String>,
        origin_call_id: Setting<String>,
        target: Setting<McpResourceReadTarget>,
        thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `mcpServer/resource/read`.
    pub struct McpResourceReadResponse {
        pub contents: Vec<ResourceContent> = "contents",
        pub origin_call_id: Option<String> = "originCallId",
    }
}

object! {
    /// Used by `mcpServer/resource/read`.
    pub struct McpResourceReadTarget {
        pub connector_id: String = "connectorId",
        /// Always there, but may be null.
        pub link_id: Option<String> = "linkId" or null,
    }
}

build! {
    McpResourceReadTarget(connector_id: String, link_id: Option<String>) {}
}

object! {
    /// Used by `mcpServerStatus/list`.
    pub struct McpServerInfo {
        pub description: Option<String> = "description",
        pub icons: Option<Vec<Value>> = "icons",
        pub name: String = "name",
        pub title: Option<String> = "title",
        pub version: String = "version",
        pub website_url: Option<String> = "websiteUrl",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct McpServerMigration {
        pub name: String = "name",
    }
}

build! {
    McpServerMigration(name: String) {}
}

object! {
    /// Parameters of `mcpServer/oauth/login`.
    pub struct McpServerOauthLoginParams {
        pub client_registration: Setting<McpServerOauthClientRegistration> = "clientRegistration",
        pub name: String = "name",
        pub scopes: Setting<Vec<String>> = "scopes",
        pub thread_id: Setting<String> = "threadId",
        /// Seconds.
        pub timeout_secs: Setting<i64> = "timeoutSecs",
    }
}

build! {
    McpServerOauthLoginParams(name: String) {
        client_registration: Setting<McpServerOauthClientRegistration>,
        scopes: Setting<Vec<String>>,
        thread_id: Setting<String>,
        timeout_secs: Setting<i64>,
    }
}

object! {
    /// Reply to `mcpServer/oauth/login`.
    pub struct McpServerOauthLoginResponse {
        pub authorization_url: String = "authorizationUrl",
        pub login_id: Option<String> = "loginId",
    }
}

object! {
    /// Reply to `config/mcpServer/reload`.
    pub struct McpServerRefreshResponse {
    }
}

object! {
    /// Used by `mcpServerStatus/list`.
    pub struct McpServerStatus {
        pub auth_status: McpAuthStatus = "authStatus",
        pub http_origin: Option<String> = "httpOrigin",
        pub name: String = "name",
        pub plugin_id: Option<String> = "pluginId",
        pub resource_templates: Vec<ResourceTemplate> = "resourceTemplates",
        pub resources: Vec<Resource> = "resources",
        pub runtime_status: Option<McpServerConnectionStatus> = "runtimeStatus",
        pub server_capabilities: Option<Value> = "serverCapabilities",
        pub server_info: Option<McpServerInfo> = "serverInfo",
        pub tool_list_meta: Option<Value> = "toolListMeta",
        pub tools: BTreeMap<String, McpTool> = "tools",
        pub tools_error: Option<String> = "toolsError",
    }
}

object! {
    /// Parameters of `mcpServer/tool/call`.
    pub struct McpServerToolCallParams {
        pub meta: Option<Value> = "_meta",
        pub arguments: Option<Value> = "arguments",
        pub server: String = "server",
        pub thread_id: String = "threadId",
        pub tool: String = "tool",
    }
}

build! {
    McpServerToolCallParams(thread_id: String, server: String, tool: String) {
        meta: Value,
        arguments: Value,
    }
}

object! {
    /// Reply to `mcpServer/tool/call`.
    pub struct McpServerToolCallResponse {
        pub meta: Option<Value> = "_meta",
        pub content: Vec<Value> = "content",
        pub is_error: Option<bool> = "isError",
        pub structured_content: Option<Value> = "structuredContent",
    }
}

object! {
    /// Used by `mcpServerStatus/list`.
    pub struct McpTool {
        pub meta: Option<Value> = "_meta",
        pub annotations: Option<Value> = "annotations",
        pub description: Option<String> = "description",
        pub icons: Option<Vec<Value>> = "icons",
        pub input_schema: Value = "inputSchema",
        pub name: String = "name",
        pub output_schema: Option<Value> = "outputSchema",
        pub title: Option<String> = "title",
    }
}

object! {
    /// `mcpTool` of [`HookMetadata`].
    pub struct McpToolHookMetadata {
        pub additional_context_limit: Option<u64> = "additionalContextLimit",
        pub current_hash: String = "currentHash",
        pub display_order: i64 = "displayOrder",
        pub enabled: bool = "enabled",
        pub environment_id: Option<String> = "environmentId",
        pub event_name: HookEventName = "eventName",
        pub is_managed: bool = "isManaged",
        pub key: String = "key",
        pub matcher: Option<String> = "matcher",
        pub plugin_id: Option<String> = "pluginId",
        pub server: String = "server",
        pub source: HookSource = "source",
        pub source_path: AbsolutePathBuf = "sourcePath",
        pub status_message: Option<String> = "statusMessage",
        /// Seconds.
        pub timeout_sec: u64 = "timeoutSec",
        pub tool: String = "tool",
        pub trust_status: HookTrustStatus = "trustStatus",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    #[derive(Default)]
    pub struct MigrationDetails {
        pub commands: Option<Vec<CommandMigration>> = "commands",
        pub hooks: Option<Vec<HookMigration>> = "hooks",
        pub mcp_servers: Option<Vec<McpServerMigration>> = "mcpServers",
        pub memory: Option<Vec<String>> = "memory",
        pub plugins: Option<Vec<PluginsMigration>> = "plugins",
        pub sessions: Option<Vec<SessionMigration>> = "sessions",
        pub skills: Option<Vec<SkillMigration>> = "skills",
        pub subagents: Option<Vec<SubagentMigration>> = "subagents",
    }
}

build! {
    MigrationDetails() {
        commands: Vec<CommandMigration>,
        hooks: Vec<HookMigration>,
        mcp_servers: Vec<McpServerMigration>,
        memory: Vec<String>,
        plugins: Vec<PluginsMigration>,
        sessions: Vec<SessionMigration>,
        skills: Vec<SkillMigration>,
        subagents: Vec<SubagentMigration>,
    }
}

object! {
    /// Parameters of `modelProvider/capabilities/read`.
    #[derive(Default)]
    pub struct ModelProviderCapabilitiesReadParams {
    }
}

build! {
    ModelProviderCapabilitiesReadParams() {}
}

object! {
    /// Reply to `modelProvider/capabilities/read`.
    pub struct ModelProviderCapabilitiesReadResponse {
        pub image_generation: bool = "imageGeneration",
        pub web_search: bool = "webSearch",
    }
}

object! {
    /// Parameters of `modelProvider/config/write`.
    pub struct ModelProviderConfigWriteParams {
        pub settings: ProviderSettingsPatch = "settings",
    }
}

build! {
    ModelProviderConfigWriteParams(settings: ProviderSettingsPatch) {}
}

object! {
    /// Reply to `modelProvider/config/write`.
    pub struct ModelProviderConfigWriteResponse {
        pub provider: ModelProviderSummary = "provider",
    }
}

object! {
    /// Parameters of `modelProvider/list`.
    #[derive(Default)]
    pub struct ModelProviderListParams {
    }
}

build! {
    ModelProviderListParams() {}
}

object! {
    /// Reply to `modelProvider/list`.
    pub struct ModelProviderListResponse {
        pub can_change_default: bool = "canChangeDefault",
        pub data: Vec<ModelProviderSummary> = "data",
        pub default_provider_id: String = "defaultProviderId",
    }
}

object! {
    /// Used by `modelProvider/list`, `modelProvider/config/write`.
    pub struct ModelProviderSummary {
        pub base_url: Option<String> = "baseUrl",
        pub can_edit: bool = "canEdit",
        pub id: String = "id",
        pub name: String = "name",
        pub settings: ProviderSettings = "settings",
    }
}

object! {
    /// `npm` of [`PluginSource`].
    pub struct NpmPluginSource {
        pub package: String = "package",
        pub registry: Option<String> = "registry",
        pub version: Option<String> = "version",
    }
}

object! {
    /// Parameters of `permissionProfile/list`.
    #[derive(Default)]
    pub struct PermissionProfileListParams {
        pub cursor: Setting<String> = "cursor",
        pub cwd: Setting<String> = "cwd",
        pub limit: Setting<u32> = "limit",
    }
}

build! {
    PermissionProfileListParams() {
        cursor: Setting<String>,
        cwd: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `permissionProfile/list`.
    pub struct PermissionProfileListResponse {
        pub data: Vec<PermissionProfileSummary> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Used by `permissionProfile/list`.
    pub struct PermissionProfileSummary {
        pub allowed: bool = "allowed",
        pub description: Option<String> = "description",
        pub id: String = "id",
    }
}

object! {
    /// Used by `plugin/read`.
    pub struct PluginDetail {
        /// Older servers leave it out.
        pub app_templates: Option<Vec<AppTemplateSummary>> = "appTemplates",
        pub apps: Vec<AppSummary> = "apps",
        pub description: Option<String> = "description",
        /// Older servers leave it out.
        pub hooks: Option<Vec<PluginHookSummary>> = "hooks",
        pub marketplace_name: String = "marketplaceName",
        pub marketplace_path: Option<AbsolutePathBuf> = "marketplacePath",
        pub mcp_servers: Vec<String> = "mcpServers",
        pub onboarding_skill: Option<SkillSummary> = "onboardingSkill",
        pub scheduled_tasks: Option<Vec<ScheduledTaskSummary>> = "scheduledTasks",
        pub share_url: Option<String> = "shareUrl",
        pub skills: Vec<SkillSummary> = "skills",
        pub summary: PluginSummary = "summary",
    }
}

object! {
    /// Used by `plugin/read`.
    pub struct PluginHookSummary {
        pub event_name: HookEventName = "eventName",
        pub key: String = "key",
    }
}

object! {
    /// Parameters of `plugin/install`.
    pub struct PluginInstallParams {
        pub install_attempt_id: Setting<String> = "installAttemptId",
        pub marketplace_path: Setting<AbsolutePathBuf> = "marketplacePath",
        pub plugin_name: String = "pluginName",
        pub remote_marketplace_name: Setting<String> = "remoteMarketplaceName",
    }
}

build! {
    PluginInstallParams(plugin_name: String) {
        install_attempt_id: Setting<String>,
        marketplace_path: Setting<AbsolutePathBuf>,
        remote_marketplace_name: Setting<String>,
    }
}

object! {
    /// Reply to `plugin/install`.
    pub struct PluginInstallResponse {
        pub apps_needing_auth: Vec<AppSummary> = "appsNeedingAuth",
        pub auth_policy: PluginAuthPolicy = "authPolicy",
    }
}

object! {
    /// Parameters of `plugin/installed`.
    #[derive(Default)]
    pub struct PluginInstalledParams {
        pub cwds: Setting<Vec<AbsolutePathBuf>> = "cwds",
        pub install_suggestion_plugin_names: Setting<Vec<String>> = "installSuggestionPluginNames",
    }
}

build! {
    PluginInstalledParams() {
        cwds: Setting<Vec<AbsolutePathBuf>>,
        install_suggestion_plugin_names: Setting<Vec<String>>,
    }
}

object! {
    /// Reply to `plugin/installed`.
    pub struct PluginInstalledResponse {
        pub marketplace_load_errors: Option<Vec<MarketplaceLoadErrorInfo>> = "marketplaceLoadErrors",
        pub marketplaces: Vec<PluginMarketplaceEntry> = "marketplaces",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub struct PluginInterface {
        pub brand_color: Option<String> = "brandColor",
        pub capabilities: Vec<String> = "capabilities",
        pub category: Option<String> = "category",
        pub composer_icon: Option<AbsolutePathBuf> = "composerIcon",
        pub composer_icon_url: Option<String> = "composerIconUrl",
        pub default_prompt: Option<Vec<String>> = "defaultPrompt",
        pub developer_name: Option<String> = "developerName",
        pub display_name: Option<String> = "displayName",
        pub logo: Option<AbsolutePathBuf> = "logo",
        pub logo_dark: Option<AbsolutePathBuf> = "logoDark",
        pub logo_url: Option<String> = "logoUrl",
        pub logo_url_dark: Option<String> = "logoUrlDark",
        pub long_description: Option<String> = "longDescription",
        pub privacy_policy_url: Option<String> = "privacyPolicyUrl",
        pub screenshot_urls: Vec<String> = "screenshotUrls",
        pub screenshots: Vec<AbsolutePathBuf> = "screenshots",
        pub short_description: Option<String> = "shortDescription",
        pub terms_of_service_url: Option<String> = "termsOfServiceUrl",
        pub website_url: Option<String> = "websiteUrl",
    }
}

object! {
    /// Parameters of `plugin/list`.
    #[derive(Default)]
    pub struct PluginListParams {
        pub cwds: Setting<Vec<AbsolutePathBuf>> = "cwds",
        pub force_refetch: Option<bool> = "forceRefetch",
        pub marketplace_kinds: Setting<Vec<PluginListMarketplaceKind>> = "marketplaceKinds",
    }
}

build! {
    PluginListParams() {
        cwds: Setting<Vec<AbsolutePathBuf>>,
        force_refetch: bool,
        marketplace_kinds: Setting<Vec<PluginListMarketplaceKind>>,
    }
}

object! {
    /// Reply to `plugin/list`.
    pub struct PluginListResponse {
        pub featured_plugin_ids: Option<Vec<String>> = "featuredPluginIds",
        pub marketplace_load_errors: Option<Vec<MarketplaceLoadErrorInfo>> = "marketplaceLoadErrors",
        pub marketplaces: Vec<PluginMarketplaceEntry> = "marketplaces",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/installed`.
    pub struct PluginMarketplaceEntry {
        pub interface: Option<MarketplaceInterface> = "interface",
        pub name: String = "name",
        pub path: Option<AbsolutePathBuf> = "path",
        pub plugins: Vec<PluginSummary> = "plugins",
    }
}

object! {
    /// Parameters of `plugin/read`.
    pub struct PluginReadParams {
        pub marketplace_path: Setting<AbsolutePathBuf> = "marketplacePath",
        pub plugin_name: String = "pluginName",
        pub remote_marketplace_name: Setting<String> = "remoteMarketplaceName",
    }
}

build! {
    PluginReadParams(plugin_name: String) {
        marketplace_path: Setting<AbsolutePathBuf>,
        remote_marketplace_name: Setting<String>,
    }
}

object! {
    /// Reply to `plugin/read`.
    pub struct PluginReadResponse {
        pub plugin: PluginDetail = "plugin",
    }
}

object! {
    /// Used by `plugin/reconcile`.
    pub struct PluginReconcileChangedPlugin {
        pub has_apps: bool = "hasApps",
        pub has_hooks: bool = "hasHooks",
        pub has_mcps: bool = "hasMcps",
        pub has_skills: bool = "hasSkills",
        pub id: String = "id",
    }
}

object! {
    /// Parameters of `plugin/reconcile`.
    #[derive(Default)]
    pub struct PluginReconcileParams {
        pub reason: Setting<String> = "reason",
    }
}

build! {
    PluginReconcileParams() {
        reason: Setting<String>,
    }
}

object! {
    /// Reply to `plugin/reconcile`.
    pub struct PluginReconcileResponse {
        pub changed_plugins: Vec<PluginReconcileChangedPlugin> = "changedPlugins",
        pub failed_materialization_remote_plugin_ids: Vec<String> = "failedMaterializationRemotePluginIds",
        pub failed_remote_plugin_ids: Vec<String> = "failedRemotePluginIds",
    }
}

object! {
    /// Parameters of `plugin/share/checkout`.
    pub struct PluginShareCheckoutParams {
        pub remote_plugin_id: String = "remotePluginId",
    }
}

build! {
    PluginShareCheckoutParams(remote_plugin_id: String) {}
}

object! {
    /// Reply to `plugin/share/checkout`.
    pub struct PluginShareCheckoutResponse {
        pub marketplace_name: String = "marketplaceName",
        pub marketplace_path: AbsolutePathBuf = "marketplacePath",
        pub plugin_id: String = "pluginId",
        pub plugin_name: String = "pluginName",
        pub plugin_path: AbsolutePathBuf = "pluginPath",
        pub remote_plugin_id: String = "remotePluginId",
        pub remote_version: Option<String> = "remoteVersion",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub struct PluginShareContext {
        pub can_publish_to_workspace: Option<bool> = "canPublishToWorkspace",
        pub creator_account_user_id: Option<String> = "creatorAccountUserId",
        pub creator_name: Option<String> = "creatorName",
        pub discoverability: Option<PluginShareDiscoverability> = "discoverability",
        pub remote_plugin_id: String = "remotePluginId",
        pub remote_version: Option<String> = "remoteVersion",
        pub share_principals: Option<Vec<PluginSharePrincipal>> = "sharePrincipals",
        pub share_url: Option<String> = "shareUrl",
    }
}

object! {
    /// Parameters of `plugin/share/delete`.
    pub struct PluginShareDeleteParams {
        pub remote_plugin_id: String = "remotePluginId",
    }
}

build! {
    PluginShareDeleteParams(remote_plugin_id: String) {}
}

object! {
    /// Reply to `plugin/share/delete`.
    pub struct PluginShareDeleteResponse {
    }
}

object! {
    /// Used by `plugin/share/list`.
    pub struct PluginShareListItem {
        pub local_plugin_path: Option<AbsolutePathBuf> = "localPluginPath",
        pub plugin: PluginSummary = "plugin",
    }
}

object! {
    /// Parameters of `plugin/share/list`.
    #[derive(Default)]
    pub struct PluginShareListParams {
    }
}

build! {
    PluginShareListParams() {}
}

object! {
    /// Reply to `plugin/share/list`.
    pub struct PluginShareListResponse {
        pub data: Vec<PluginShareListItem> = "data",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 3 more methods.
    pub struct PluginSharePrincipal {
        pub name: String = "name",
        pub principal_id: String = "principalId",
        pub principal_type: PluginSharePrincipalType = "principalType",
        pub role: PluginSharePrincipalRole = "role",
    }
}

object! {
    /// Parameters of `plugin/share/save`.
    pub struct PluginShareSaveParams {
        pub discoverability: Setting<PluginShareDiscoverability> = "discoverability",
        pub plugin_path: AbsolutePathBuf = "pluginPath",
        pub remote_plugin_id: Setting<String> = "remotePluginId",
        pub share_targets: Setting<Vec<PluginShareTarget>> = "shareTargets",
    }
}

build! {
    PluginShareSaveParams(plugin_path: AbsolutePathBuf) {
        discoverability: Setting<PluginShareDiscoverability>,
        remote_plugin_id: Setting<String>,
        share_targets: Setting<Vec<PluginShareTarget>>,
    }
}

object! {
    /// Reply to `plugin/share/save`.
    pub struct PluginShareSaveResponse {
        pub can_publish_to_workspace: Option<bool> = "canPublishToWorkspace",
        pub remote_plugin_id: String = "remotePluginId",
        pub share_url: String = "shareUrl",
    }
}

object! {
    /// Used by `plugin/share/save`, `plugin/share/updateTargets`.
    pub struct PluginShareTarget {
        pub principal_id: String = "principalId",
        pub principal_type: PluginSharePrincipalType = "principalType",
        pub role: PluginShareTargetRole = "role",
    }
}

build! {
    PluginShareTarget(
        principal_id: String,
        principal_type: PluginSharePrincipalType,
        role: PluginShareTargetRole,
    ) {}
}

object! {
    /// Parameters of `plugin/share/updateTargets`.
    pub struct PluginShareUpdateTargetsParams {
        pub discoverability: PluginShareUpdateDiscoverability = "discoverability",
        pub remote_plugin_id: String = "remotePluginId",
        pub share_targets: Vec<PluginShareTarget> = "shareTargets",
    }
}

build! {
    PluginShareUpdateTargetsParams(
        remote_plugin_id: String,
        discoverability: PluginShareUpdateDiscoverability,
        share_targets: Vec<PluginShareTarget>,
    ) {}
}

object! {
    /// Reply to `plugin/share/updateTargets`.
    pub struct PluginShareUpdateTargetsResponse {
        pub discoverability: PluginShareDiscoverability = "discoverability",
        pub principals: Vec<PluginSharePrincipal> = "principals",
    }
}

object! {
    /// Parameters of `plugin/skill/read`.
    pub struct PluginSkillReadParams {
        pub remote_marketplace_name: String = "remoteMarketplaceName",
        pub remote_plugin_id: String = "remotePluginId",
        pub skill_name: String = "skillName",
    }
}

build! {
    PluginSkillReadParams(
        remote_plugin_id: String,
        remote_marketplace_name: String,
        skill_name: String,
    ) {}
}

object! {
    /// Reply to `plugin/skill/read`.
    pub struct PluginSkillReadResponse {
        pub contents: Option<String> = "contents",
    }
}

object! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub struct PluginSummary {
        pub auth_policy: PluginAuthPolicy = "authPolicy",
        pub availability: Option<PluginAvailability> = "availability",
        pub disabled_reason: Option<PluginDisabledReason> = "disabledReason",
        pub eligible_plan_types: Option<Vec<String>> = "eligiblePlanTypes",
        pub enabled: bool = "enabled",
        pub id: String = "id",
        pub install_policy: PluginInstallPolicy = "installPolicy",
        pub install_policy_source: Option<PluginInstallPolicySource> = "installPolicySource",
        pub installed: bool = "installed",
        /// Unix seconds.
        pub installed_at: Option<i64> = "installedAt",
        pub interface: Option<PluginInterface> = "interface",
        pub keywords: Option<Vec<String>> = "keywords",
        pub local_version: Option<String> = "localVersion",
        pub must_show_installation_interstitial: Option<bool> = "mustShowInstallationInterstitial",
        pub name: String = "name",
        pub remote_plugin_id: Option<String> = "remotePluginId",
        pub share_context: Option<PluginShareContext> = "shareContext",
        pub source: PluginSource = "source",
        pub version: Option<String> = "version",
    }
}

object! {
    /// Parameters of `plugin/uninstall`.
    pub struct PluginUninstallParams {
        pub plugin_id: String = "pluginId",
    }
}

build! {
    PluginUninstallParams(plugin_id: String) {}
}

object! {
    /// Reply to `plugin/uninstall`.
    pub struct PluginUninstallResponse {
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct PluginsMigration {
        pub marketplace_name: String = "marketplaceName",
        pub plugin_names: Vec<String> = "pluginNames",
    }
}

build! {
    PluginsMigration(marketplace_name: String, plugin_names: Vec<String>) {}
}

object! {
    /// `prompt` of [`HookMetadata`].
    pub struct PromptHookMetadata {
        pub additional_context_limit: Option<u64> = "additionalContextLimit",
        pub current_hash: String = "currentHash",
        pub display_order: i64 = "displayOrder",
        pub enabled: bool = "enabled",
        pub environment_id: Option<String> = "environmentId",
        pub event_name: HookEventName = "eventName",
        pub is_managed: bool = "isManaged",
        pub key: String = "key",
        pub matcher: Option<String> = "matcher",
        pub plugin_id: Option<String> = "pluginId",
        pub source: HookSource = "source",
        pub source_path: AbsolutePathBuf = "sourcePath",
        pub status_message: Option<String> = "statusMessage",
        /// Seconds.
        pub timeout_sec: u64 = "timeoutSec",
        pub trust_status: HookTrustStatus = "trustStatus",
    }
}

object! {
    /// Used by `mcpServerStatus/list`.
    pub struct Resource {
        pub meta: Option<Value> = "_meta",
        pub annotations: Option<Value> = "annotations",
        pub description: Option<String> = "description",
        pub icons: Option<Vec<Value>> = "icons",
        pub mime_type: Option<String> = "mimeType",
        pub name: String = "name",
        pub size: Option<i64> = "size",
        pub title: Option<String> = "title",
        pub uri: String = "uri",
    }
}

object! {
    /// Used by `mcpServerStatus/list`.
    pub struct ResourceTemplate {
        pub annotations: Option<Value> = "annotations",
        pub description: Option<String> = "description",
        pub mime_type: Option<String> = "mimeType",
        pub name: String = "name",
        pub title: Option<String> = "title",
        pub uri_template: String = "uriTemplate",
    }
}

object! {
    /// Used by `plugin/read`.
    pub struct ScheduledTaskSummary {
        pub key: String = "key",
        pub name: String = "name",
        pub prompt: String = "prompt",
        pub schedule: ScheduledTaskSchedule = "schedule",
    }
}

object! {
    /// Parameters of `account/sendAddCreditsNudgeEmail`.
    pub struct SendAddCreditsNudgeEmailParams {
        pub credit_type: AddCreditsNudgeCreditType = "creditType",
    }
}

build! {
    SendAddCreditsNudgeEmailParams(credit_type: AddCreditsNudgeCreditType) {}
}

object! {
    /// Reply to `account/sendAddCreditsNudgeEmail`.
    pub struct SendAddCreditsNudgeEmailResponse {
        pub status: AddCreditsNudgeEmailStatus = "status",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct SessionMigration {
        pub cwd: String = "cwd",
        pub path: String = "path",
        pub title: Option<String> = "title",
    }
}

build! {
    SessionMigration(cwd: String, path: String) {
        title: String,
    }
}

object! {
    /// Used by `skills/list`.
    pub struct SkillDependencies {
        pub tools: Vec<SkillToolDependency> = "tools",
    }
}

object! {
    /// Used by `skills/list`.
    pub struct SkillErrorInfo {
        pub message: String = "message",
        pub path: String = "path",
    }
}

object! {
    /// Used by `skills/list`, `plugin/read`.
    pub struct SkillInterface {
        pub brand_color: Option<String> = "brandColor",
        pub default_prompt: Option<String> = "defaultPrompt",
        pub display_name: Option<String> = "displayName",
        pub icon_large: Option<AbsolutePathBuf> = "iconLarge",
        pub icon_large_url: Option<String> = "iconLargeUrl",
        pub icon_small: Option<AbsolutePathBuf> = "iconSmall",
        pub icon_small_url: Option<String> = "iconSmallUrl",
        pub short_description: Option<String> = "shortDescription",
    }
}

object! {
    /// Used by `skills/list`.
    pub struct SkillMetadata {
        pub dependencies: Option<SkillDependencies> = "dependencies",
        pub description: String = "description",
        pub enabled: bool = "enabled",
        pub interface: Option<SkillInterface> = "interface",
        pub name: String = "name",
        pub path: LegacyAppPathString = "path",
        pub plugin_id: Option<String> = "pluginId",
        pub scope: SkillScope = "scope",
        pub short_description: Option<String> = "shortDescription",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct SkillMigration {
        pub name: String = "name",
    }
}

build! {
    SkillMigration(name: String) {}
}

object! {
    /// Used by `plugin/read`.
    pub struct SkillSummary {
        pub description: String = "description",
        pub enabled: bool = "enabled",
        pub interface: Option<SkillInterface> = "interface",
        pub name: String = "name",
        pub path: Option<LegacyAppPathString> = "path",
        pub short_description: Option<String> = "shortDescription",
    }
}

object! {
    /// Used by `skills/list`.
    pub struct SkillToolDependency {
        pub command: Option<String> = "command",
        pub description: Option<String> = "description",
        pub transport: Option<String> = "transport",
        pub type_: String = "type",
        pub url: Option<String> = "url",
        pub value: String = "value",
    }
}

object! {
    /// Parameters of `skills/config/write`.
    pub struct SkillsConfigWriteParams {
        pub enabled: bool = "enabled",
        pub name: Setting<String> = "name",
        pub path: Setting<AbsolutePathBuf> = "path",
    }
}

build! {
    SkillsConfigWriteParams(enabled: bool) {
        name: Setting<String>,
        path: Setting<AbsolutePathBuf>,
    }
}

object! {
    /// Reply to `skills/config/write`.
    pub struct SkillsConfigWriteResponse {
        pub effective_enabled: bool = "effectiveEnabled",
    }
}

object! {
    /// Parameters of `skills/extraRoots/set`.
    pub struct SkillsExtraRootsSetParams {
        pub extra_roots: Vec<AbsolutePathBuf> = "extraRoots",
    }
}

build! {
    SkillsExtraRootsSetParams(extra_roots: Vec<AbsolutePathBuf>) {}
}

object! {
    /// Reply to `skills/extraRoots/set`.
    pub struct SkillsExtraRootsSetResponse {
    }
}

object! {
    /// Used by `skills/list`.
    pub struct SkillsListEntry {
        pub cwd: String = "cwd",
        pub errors: Vec<SkillErrorInfo> = "errors",
        pub skills: Vec<SkillMetadata> = "skills",
    }
}

object! {
    /// Parameters of `skills/list`.
    #[derive(Default)]
    pub struct SkillsListParams {
        pub cwds: Option<Vec<String>> = "cwds",
        pub force_reload: Option<bool> = "forceReload",
    }
}

build! {
    SkillsListParams() {
        cwds: Vec<String>,
        force_reload: bool,
    }
}

object! {
    /// Reply to `skills/list`.
    pub struct SkillsListResponse {
        pub data: Vec<SkillsListEntry> = "data",
    }
}

object! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`.
    pub struct SubagentMigration {
        pub name: String = "name",
    }
}

build! {
    SubagentMigration(name: String) {}
}

object! {
    /// A member of [`ResourceContent`].
    pub struct TextResourceContent {
        pub meta: Option<Value> = "_meta",
        pub mime_type: Option<String> = "mimeType",
        pub text: String = "text",
        pub uri: String = "uri",
    }
}

object! {
    /// Parameters of `thread/approveGuardianDeniedAction`.
    pub struct ThreadApproveGuardianDeniedActionParams {
        pub event: Value = "event",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadApproveGuardianDeniedActionParams(thread_id: String, event: Value) {}
}

object! {
    /// Reply to `thread/approveGuardianDeniedAction`.
    pub struct ThreadApproveGuardianDeniedActionResponse {
    }
}

object! {
    /// Used by `thread/attachment/add`, `thread/attachment/list`.
    pub struct ThreadAttachment {
        pub attachment_type: String = "attachmentType",
        /// Unix seconds.
        pub created_at: i64 = "createdAt",
        pub id: String = "id",
        pub identity_key: String = "identityKey",
        pub payload: Value = "payload",
    }
}

object! {
    /// Parameters of `thread/attachment/add`.
    pub struct ThreadAttachmentAddParams {
        pub attachment_type: String = "attachmentType",
        pub identity_key: String = "identityKey",
        pub payload: Value = "payload",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadAttachmentAddParams(
        thread_id: String,
        attachment_type: String,
        identity_key: String,
        payload: Value,
    ) {}
}

object! {
    /// Reply to `thread/attachment/add`.
    pub struct ThreadAttachmentAddResponse {
        pub attachment: ThreadAttachment = "attachment",
        pub outcome: ThreadAttachmentAddOutcome = "outcome",
    }
}

object! {
    /// Parameters of `thread/attachment/list`.
    pub struct ThreadAttachmentListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadAttachmentListParams(thread_id: String) {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/attachment/list`.
    pub struct ThreadAttachmentListResponse {
        pub data: Vec<ThreadAttachment> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Used by `thread/attachmentOwner/list`.
    pub struct ThreadAttachmentOwner {
        pub archived: bool = "archived",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Parameters of `thread/attachmentOwner/list`.
    pub struct ThreadAttachmentOwnerListParams {
        pub archived: Setting<bool> = "archived",
        pub attachment_type: String = "attachmentType",
        pub cursor: Setting<String> = "cursor",
        pub identity_key: String = "identityKey",
        pub limit: Setting<u32> = "limit",
    }
}

build! {
    ThreadAttachmentOwnerListParams(attachment_type: String, identity_key: String) {
        archived: Setting<bool>,
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `thread/attachmentOwner/list`.
    pub struct ThreadAttachmentOwnerListResponse {
        pub data: Vec<ThreadAttachmentOwner> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `thread/attachment/remove`.
    pub struct ThreadAttachmentRemoveParams {
        pub attachment_type: String = "attachmentType",
        pub identity_key: String = "identityKey",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadAttachmentRemoveParams(thread_id: String, attachment_type: String, identity_key: String) {}
}

object! {
    /// Reply to `thread/attachment/remove`.
    pub struct ThreadAttachmentRemoveResponse {
    }
}

object! {
    /// Parameters of `thread/delete`.
    pub struct ThreadDeleteParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadDeleteParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/delete`.
    pub struct ThreadDeleteResponse {
    }
}

object! {
    /// Parameters of `thread/goal/clear`.
    pub struct ThreadGoalClearParams {
        pub origin: Setting<ThreadGoalMutationOrigin> = "origin",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadGoalClearParams(thread_id: String) {
        origin: Setting<ThreadGoalMutationOrigin>,
    }
}

object! {
    /// Reply to `thread/goal/clear`.
    pub struct ThreadGoalClearResponse {
        pub cleared: bool = "cleared",
    }
}

object! {
    /// Parameters of `thread/goal/get`.
    pub struct ThreadGoalGetParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadGoalGetParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/goal/get`.
    pub struct ThreadGoalGetResponse {
        pub goal: Option<ThreadGoal> = "goal",
    }
}

object! {
    /// Parameters of `thread/goal/set`.
    pub struct ThreadGoalSetParams {
        pub objective: Setting<String> = "objective",
        pub origin: Setting<ThreadGoalMutationOrigin> = "origin",
        pub status: Setting<ThreadGoalStatus> = "status",
        pub thread_id: String = "threadId",
        pub token_budget: Setting<i64> = "tokenBudget",
    }
}

build! {
    ThreadGoalSetParams(thread_id: String) {
        objective: Setting<String>,
        origin: Setting<ThreadGoalMutationOrigin>,
        status: Setting<ThreadGoalStatus>,
        token_budget: Setting<i64>,
    }
}

object! {
    /// Reply to `thread/goal/set`.
    pub struct ThreadGoalSetResponse {
        pub goal: ThreadGoal = "goal",
    }
}

object! {
    /// Parameters of `thread/inject_items`.
    pub struct ThreadInjectItemsParams {
        pub items: Vec<Value> = "items",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadInjectItemsParams(thread_id: String, items: Vec<Value>) {}
}

object! {
    /// Reply to `thread/inject_items`.
    pub struct ThreadInjectItemsResponse {
    }
}

object! {
    /// Used by `thread/items/list`, `thread/items/read`.
    pub struct ThreadItemEntry {
        /// Milliseconds since the Unix epoch.
        pub completed_at_ms: Option<i64> = "completedAtMs",
        pub item: ThreadItem = "item",
        /// Belongs to the experimental API.
        pub output_deferred: Option<bool> = "outputDeferred",
        /// Milliseconds since the Unix epoch.
        pub started_at_ms: Option<i64> = "startedAtMs",
        pub turn_id: String = "turnId",
    }
}

object! {
    /// Used by `thread/items/list`.
    #[derive(Default)]
    pub struct ThreadItemOutputDeferral {
        /// Belongs to the experimental API.
        pub command_execution: Option<bool> = "commandExecution",
        /// Belongs to the experimental API.
        pub mcp_tool_call: Option<bool> = "mcpToolCall",
    }
}

build! {
    ThreadItemOutputDeferral() {
        command_execution: bool,
        mcp_tool_call: bool,
    }
}

object! {
    /// Parameters of `thread/items/list`.
    pub struct ThreadItemsListParams {
        pub cursor: Setting<ThreadItemsListCursor> = "cursor",
        pub defer_output: Setting<ThreadItemOutputDeferral> = "deferOutput",
        pub limit: Setting<u32> = "limit",
        pub sort_direction: Setting<SortDirection> = "sortDirection",
        pub thread_id: String = "threadId",
        pub turn_id: Setting<String> = "turnId",
    }
}

build! {
    ThreadItemsListParams(thread_id: String) {
        cursor: Setting<ThreadItemsListCursor>,
        defer_output: Setting<ThreadItemOutputDeferral>,
        limit: Setting<u32>,
        sort_direction: Setting<SortDirection>,
        turn_id: Setting<String>,
    }
}

object! {
    /// Reply to `thread/items/list`.
    pub struct ThreadItemsListResponse {
        pub backwards_cursor: Option<String> = "backwardsCursor",
        pub data: Vec<ThreadItemEntry> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Used by `thread/metadata/update`.
    #[derive(Default)]
    pub struct ThreadMetadataGitInfoUpdateParams {
        pub branch: Setting<String> = "branch",
        pub origin_url: Setting<String> = "originUrl",
        pub sha: Setting<String> = "sha",
    }
}

build! {
    ThreadMetadataGitInfoUpdateParams() {
        branch: Setting<String>,
        origin_url: Setting<String>,
        sha: Setting<String>,
    }
}

object! {
    /// Parameters of `thread/metadata/update`.
    pub struct ThreadMetadataUpdateParams {
        /// Belongs to the experimental API.
        pub daybreak_enabled: Setting<bool> = "daybreakEnabled",
        pub git_info: Setting<ThreadMetadataGitInfoUpdateParams> = "gitInfo",
        /// Belongs to the experimental API.
        pub project_id: Setting<String> = "projectId",
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadMetadataUpdateParams(thread_id: String) {
        daybreak_enabled: Setting<bool>,
        git_info: Setting<ThreadMetadataGitInfoUpdateParams>,
        project_id: Setting<String>,
    }
}

object! {
    /// Reply to `thread/metadata/update`.
    pub struct ThreadMetadataUpdateResponse {
        pub thread: Thread = "thread",
    }
}

object! {
    /// Parameters of `threadSection/create`.
    pub struct ThreadSectionCreateParams {
        pub appearance: Setting<ThreadSectionAppearance> = "appearance",
        pub name: String = "name",
    }
}

build! {
    ThreadSectionCreateParams(name: String) {
        appearance: Setting<ThreadSectionAppearance>,
    }
}

object! {
    /// Reply to `threadSection/create`.
    pub struct ThreadSectionCreateResponse {
        pub section: ThreadSection = "section",
    }
}

object! {
    /// Parameters of `threadSection/delete`.
    pub struct ThreadSectionDeleteParams {
        pub section_id: String = "sectionId",
    }
}

build! {
    ThreadSectionDeleteParams(section_id: String) {}
}

object! {
    /// Reply to `threadSection/delete`.
    pub struct ThreadSectionDeleteResponse {
    }
}

object! {
    /// Parameters of `threadSection/list`.
    #[derive(Default)]
    pub struct ThreadSectionListParams {
        pub cursor: Setting<String> = "cursor",
        pub limit: Setting<u32> = "limit",
    }
}

build! {
    ThreadSectionListParams() {
        cursor: Setting<String>,
        limit: Setting<u32>,
    }
}

object! {
    /// Reply to `threadSection/list`.
    pub struct ThreadSectionListResponse {
        pub data: Vec<ThreadSection> = "data",
        pub next_cursor: Option<String> = "nextCursor",
    }
}

object! {
    /// Parameters of `thread/section/move`.
    pub struct ThreadSectionMoveParams {
        pub before_thread_id: Setting<String> = "beforeThreadId",
        /// Always there, but may be null.
        pub section_id: Option<String> = "sectionId" or null,
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadSectionMoveParams(thread_id: String, section_id: Option<String>) {
        before_thread_id: Setting<String>,
    }
}

object! {
    /// Reply to `thread/section/move`.
    pub struct ThreadSectionMoveResponse {
    }
}

object! {
    /// Parameters of `threadSection/update`.
    pub struct ThreadSectionUpdateParams {
        pub appearance: Setting<ThreadSectionAppearance> = "appearance",
        pub name: String = "name",
        pub section_id: String = "sectionId",
    }
}

build! {
    ThreadSectionUpdateParams(section_id: String, name: String) {
        appearance: Setting<ThreadSectionAppearance>,
    }
}

object! {
    /// Reply to `threadSection/update`.
    pub struct ThreadSectionUpdateResponse {
        pub section: ThreadSection = "section",
    }
}

object! {
    /// Parameters of `thread/shellCommand`.
    pub struct ThreadShellCommandParams {
        pub command: String = "command",
        pub thread_id: String = "threadId",
        /// Milliseconds.
        pub timeout_ms: Setting<i64> = "timeoutMs",
    }
}

build! {
    ThreadShellCommandParams(thread_id: String, command: String) {
        timeout_ms: Setting<i64>,
    }
}

object! {
    /// Reply to `thread/shellCommand`.
    pub struct ThreadShellCommandResponse {
    }
}

object! {
    /// Parameters of `thread/unsubscribe`.
    pub struct ThreadUnsubscribeParams {
        pub thread_id: String = "threadId",
    }
}

build! {
    ThreadUnsubscribeParams(thread_id: String) {}
}

object! {
    /// Reply to `thread/unsubscribe`.
    pub struct ThreadUnsubscribeResponse {
        pub status: ThreadUnsubscribeStatus = "status",
    }
}

object! {
    /// Used by `account/usage/read`.
    pub struct ThreadUsage {
        pub estimated_usage_credits_micros: i64 = "estimatedUsageCreditsMicros",
        pub estimated_usage_usd_micros: Option<i64> = "estimatedUsageUsdMicros",
        pub groups: Vec<ThreadUsageBreakdownGroup> = "groups",
        pub native_usage_usd_micros: Option<i64> = "nativeUsageUsdMicros",
        pub thread_id: String = "threadId",
    }
}

object! {
    /// Used by `account/usage/read`.
    pub struct ThreadUsageBreakdownGroup {
        pub cached_input_tokens: Option<i64> = "cachedInputTokens",
        pub estimated_usage_credits_micros: i64 = "estimatedUsageCreditsMicros",
        pub input_tokens: Option<i64> = "inputTokens",
        pub model: Option<String> = "model",
        pub net_new_input_tokens: Option<i64> = "netNewInputTokens",
        pub output_tokens: Option<i64> = "outputTokens",
        pub reasoning_effort: Option<String> = "reasoningEffort",
        pub speed: Option<String> = "speed",
        pub total_tokens: Option<i64> = "totalTokens",
    }
}

object! {
    /// `weekdays` of [`ScheduledTaskSchedule`].
    pub struct WeekdaysScheduledTaskSchedule {
        pub time: String = "time",
    }
}

object! {
    /// `weekly` of [`ScheduledTaskSchedule`].
    pub struct WeeklyScheduledTaskSchedule {
        pub days: Vec<ScheduledTaskWeekday> = "days",
        pub time: String = "time",
    }
}

object! {
    /// Reply to `windowsSandbox/readiness`.
    pub struct WindowsSandboxReadinessResponse {
        pub status: WindowsSandboxReadiness = "status",
    }
}

object! {
    /// Parameters of `windowsSandbox/setupStart`.
    pub struct WindowsSandboxSetupStartParams {
        pub cwd: Setting<AbsolutePathBuf> = "cwd",
        pub mode: WindowsSandboxSetupMode = "mode",
    }
}

build! {
    WindowsSandboxSetupStartParams(mode: WindowsSandboxSetupMode) {
        cwd: Setting<AbsolutePathBuf>,
    }
}

object! {
    /// Reply to `windowsSandbox/setupStart`.
    pub struct WindowsSandboxSetupStartResponse {
        pub started: bool = "started",
    }
}

object! {
    /// Used by `account/workspaceMessages/read`.
    pub struct WorkspaceMessage {
        /// Unix seconds.
        pub archived_at: Option<i64> = "archivedAt",
        /// Unix seconds.
        pub created_at: Option<i64> = "createdAt",
        pub message_body: String = "messageBody",
        pub message_id: String = "messageId",
        pub message_type: WorkspaceMessageType = "messageType",
    }
}
