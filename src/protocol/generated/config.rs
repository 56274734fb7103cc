//! Objects that only the family `config` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// Used by `config/read`.
    pub struct AnalyticsConfig {
        pub enabled: Option<bool> = "enabled",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ApplicationNetworkRequirements {
        pub domains: BTreeMap<String, NetworkDomainPermission> = "domains",
        pub enabled: bool = "enabled",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ApplicationRequirements {
        pub network: Option<ApplicationNetworkRequirements> = "network",
        pub storage: Option<ApplicationStorageRequirements> = "storage",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ApplicationStorageRequirements {
        pub default_project_parent: Option<LegacyAppPathString> = "defaultProjectParent",
        pub projectless_workspace_root: Option<LegacyAppPathString> = "projectlessWorkspaceRoot",
    }
}

object! {
    /// Used by `config/read`.
    pub struct AppsConfig {
        pub default: Option<AppsDefaultConfig> = "_default",
    }
}

object! {
    /// Used by `config/read`.
    pub struct AppsDefaultConfig {
        pub approvals_reviewer: Option<ApprovalsReviewer> = "approvals_reviewer",
        pub default_tools_approval_mode: Option<AppToolApproval> = "default_tools_approval_mode",
        pub destructive_enabled: Option<bool> = "destructive_enabled",
        pub enabled: Option<bool> = "enabled",
        pub open_world_enabled: Option<bool> = "open_world_enabled",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct AutoReviewRequirements {
        pub ignore_rules: Option<Vec<String>> = "ignoreRules",
        pub required_on_models: Option<Vec<String>> = "requiredOnModels",
    }
}

object! {
    /// Used by `config/read`.
    pub struct BrowserUseConfig {
        pub allow_history_access: Option<bool> = "allow_history_access",
        pub default_origin_policy: Option<BrowserUseOriginPolicyConfig> = "default_origin_policy",
        pub origins: Option<BTreeMap<String, BrowserUseOriginPolicyConfig>> = "origins",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct BrowserUseExtensionRequirements {
        pub request_headers: Option<Vec<RequestHeader>> = "requestHeaders",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct BrowserUseOriginPolicy {
        pub access: Option<AllowDenyRequirement> = "access",
        pub access_approval_lifetime: Option<BrowserUseAccessApprovalLifetime> = "accessApprovalLifetime",
        pub auto_review: Option<AllowDenyRequirement> = "autoReview",
        pub downloads: Option<AllowDenyRequirement> = "downloads",
        pub full_cdp_access: Option<AllowDenyRequirement> = "fullCdpAccess",
        pub persistent_approval: Option<bool> = "persistentApproval",
        pub uploads: Option<AllowDenyRequirement> = "uploads",
    }
}

object! {
    /// Used by `config/read`.
    pub struct BrowserUseOriginPolicyConfig {
        pub access: Option<AllowDenyRequirement> = "access",
        pub downloads: Option<AllowDenyRequirement> = "downloads",
        pub full_cdp_access: Option<AllowDenyRequirement> = "full_cdp_access",
        pub uploads: Option<AllowDenyRequirement> = "uploads",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct BrowserUseRequirements {
        pub allow_global_persistent_approval: Option<bool> = "allowGlobalPersistentApproval",
        pub allow_history_access: Option<bool> = "allowHistoryAccess",
        pub allow_webmcp: Option<bool> = "allowWebmcp",
        pub default_origin_policy: Option<BrowserUseOriginPolicy> = "defaultOriginPolicy",
        pub disable_auto_review: Option<bool> = "disableAutoReview",
        pub extension: Option<BrowserUseExtensionRequirements> = "extension",
        pub origins: Option<BTreeMap<String, BrowserUseOriginPolicy>> = "origins",
    }
}

object! {
    /// `command` of [`ConfiguredHookHandler`].
    pub struct CommandConfiguredHookHandler {
        pub additional_context_limit: Option<u64> = "additionalContextLimit",
        pub async_: bool = "async",
        pub command: String = "command",
        pub command_windows: Option<String> = "commandWindows",
        pub status_message: Option<String> = "statusMessage",
        /// Seconds.
        pub timeout_sec: Option<u64> = "timeoutSec",
    }
}

object! {
    /// Used by `config/read`.
    pub struct ComputerUseConfig {
        pub default_app_access: Option<AllowDenyRequirement> = "default_app_access",
        pub macos: Option<ComputerUseMacosConfig> = "macos",
        pub windows: Option<ComputerUseWindowsConfig> = "windows",
    }
}

object! {
    /// Used by `config/read`.
    pub struct ComputerUseMacosConfig {
        pub bundle_ids: Option<BTreeMap<String, AllowDenyRequirement>> = "bundle_ids",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ComputerUseMacosRequirements {
        pub bundle_ids: Option<BTreeMap<String, AllowDenyRequirement>> = "bundleIds",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ComputerUseRequirements {
        pub allow_locked_computer_use: Option<bool> = "allowLockedComputerUse",
        pub allow_persistent_approval: Option<bool> = "allowPersistentApproval",
        pub default_app_access: Option<AllowDenyRequirement> = "defaultAppAccess",
        pub macos: Option<ComputerUseMacosRequirements> = "macos",
        pub windows: Option<ComputerUseWindowsRequirements> = "windows",
    }
}

object! {
    /// Used by `config/read`.
    pub struct ComputerUseWindowsConfig {
        pub aumids: Option<BTreeMap<String, AllowDenyRequirement>> = "aumids",
        pub exes: Option<Vec<ComputerUseWindowsExeConfig>> = "exes",
    }
}

object! {
    /// Used by `config/read`.
    pub struct ComputerUseWindowsExeConfig {
        pub access: AllowDenyRequirement = "access",
        pub binary_name: Option<String> = "binary_name",
        pub product_name: String = "product_name",
        pub publisher_name: String = "publisher_name",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ComputerUseWindowsExeRequirement {
        pub access: AllowDenyRequirement = "access",
        pub binary_name: Option<String> = "binaryName",
        pub product_name: String = "productName",
        pub publisher_name: String = "publisherName",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ComputerUseWindowsRequirements {
        pub aumids: Option<BTreeMap<String, AllowDenyRequirement>> = "aumids",
        pub exes: Option<Vec<ComputerUseWindowsExeRequirement>> = "exes",
    }
}

object! {
    /// The configuration in force. Keys without a field here are in the raw reply.
    ///
    /// Used by `config/read`.
    pub struct Config {
        pub analytics: Option<AnalyticsConfig> = "analytics",
        pub approval_policy: Option<AskForApproval> = "approval_policy",
        pub approvals_reviewer: Option<ApprovalsReviewer> = "approvals_reviewer",
        /// Belongs to the experimental API.
        pub apps: Option<AppsConfig> = "apps",
        pub browser_use: Option<BrowserUseConfig> = "browser_use",
        pub client_search_provider: Option<WebSearchProvider> = "client_search_provider",
        pub compact_prompt: Option<String> = "compact_prompt",
        pub computer_use: Option<ComputerUseConfig> = "computer_use",
        pub desktop: Option<BTreeMap<String, Value>> = "desktop",
        pub developer_instructions: Option<String> = "developer_instructions",
        pub forced_chatgpt_workspace_id: Option<ForcedChatgptWorkspaceIds> = "forced_chatgpt_workspace_id",
        pub forced_login_method: Option<ForcedLoginMethod> = "forced_login_method",
        pub instructions: Option<String> = "instructions",
        pub model: Option<String> = "model",
        pub model_auto_compact_token_limit: Option<i64> = "model_auto_compact_token_limit",
        pub model_auto_compact_token_limit_scope: Option<AutoCompactTokenLimitScope> = "model_auto_compact_token_limit_scope",
        pub model_context_window: Option<i64> = "model_context_window",
        pub model_provider: Option<String> = "model_provider",
        pub model_reasoning_effort: Option<ReasoningEffort> = "model_reasoning_effort",
        pub model_reasoning_summary: Option<ReasoningSummary> = "model_reasoning_summary",
        pub model_verbosity: Option<Verbosity> = "model_verbosity",
        pub review_model: Option<String> = "review_model",
        pub sandbox_mode: Option<SandboxMode> = "sandbox_mode",
        pub sandbox_workspace_write: Option<SandboxWorkspaceWrite> = "sandbox_workspace_write",
        pub service_tier: Option<String> = "service_tier",
        pub tools: Option<ToolsV2> = "tools",
        pub web_search: Option<WebSearchMode> = "web_search",
    }
}

object! {
    /// Parameters of `config/batchWrite`.
    pub struct ConfigBatchWriteParams {
        pub edits: Vec<ConfigEdit> = "edits",
        pub expected_version: Setting<String> = "expectedVersion",
        pub file_path: Setting<String> = "filePath",
        pub reload_user_config: Option<bool> = "reloadUserConfig",
    }
}

build! {
    ConfigBatchWriteParams(edits: Vec<ConfigEdit>) {
        expected_version: Setting<String>,
        file_path: Setting<String>,
        reload_user_config: bool,
    }
}

object! {
    /// Used by `config/batchWrite`.
    pub struct ConfigEdit {
        pub key_path: String = "keyPath",
        pub merge_strategy: MergeStrategy = "mergeStrategy",
        pub value: Value = "value",
    }
}

build! {
    ConfigEdit(key_path: String, merge_strategy: MergeStrategy, value: Value) {}
}

object! {
    /// Used by `config/read`.
    pub struct ConfigLayer {
        pub config: Value = "config",
        pub disabled_reason: Option<String> = "disabledReason",
        pub name: ConfigLayerSource = "name",
        pub version: String = "version",
    }
}

object! {
    /// Used by `config/read`, `config/value/write`, `config/batchWrite`.
    pub struct ConfigLayerMetadata {
        pub name: ConfigLayerSource = "name",
        pub version: String = "version",
    }
}

object! {
    /// Parameters of `config/read`.
    #[derive(Default)]
    pub struct ConfigReadParams {
        pub cwd: Setting<String> = "cwd",
        pub include_layers: Option<bool> = "includeLayers",
    }
}

build! {
    ConfigReadParams() {
        cwd: Setting<String>,
        include_layers: bool,
    }
}

object! {
    /// Reply to `config/read`.
    pub struct ConfigReadResponse {
        pub config: Config = "config",
        pub layers: Option<Vec<ConfigLayer>> = "layers",
        pub origins: BTreeMap<String, ConfigLayerMetadata> = "origins",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ConfigRequirements {
        pub additional_developer_instructions: Option<String> = "additionalDeveloperInstructions",
        pub allow_appshots: Option<bool> = "allowAppshots",
        pub allow_browser_and_computer_use: Option<bool> = "allowBrowserAndComputerUse",
        pub allow_login_shell: Option<bool> = "allowLoginShell",
        pub allow_managed_hooks_only: Option<bool> = "allowManagedHooksOnly",
        pub allow_remote_control: Option<bool> = "allowRemoteControl",
        pub allowed_approval_policies: Option<Vec<AskForApproval>> = "allowedApprovalPolicies",
        /// Belongs to the experimental API.
        pub allowed_approvals_reviewers: Option<Vec<ApprovalsReviewer>> = "allowedApprovalsReviewers",
        pub allowed_login_methods: Option<Vec<ForcedLoginMethod>> = "allowedLoginMethods",
        pub allowed_permission_profiles: Option<BTreeMap<String, bool>> = "allowedPermissionProfiles",
        pub allowed_sandbox_modes: Option<Vec<SandboxMode>> = "allowedSandboxModes",
        pub allowed_web_search_modes: Option<Vec<WebSearchMode>> = "allowedWebSearchModes",
        pub allowed_windows_sandbox_implementations: Option<Vec<WindowsSandboxImplementation>> = "allowedWindowsSandboxImplementations",
        /// Belongs to the experimental API.
        pub application: Option<ApplicationRequirements> = "application",
        pub auto_review: Option<AutoReviewRequirements> = "autoReview",
        pub browser_use: Option<BrowserUseRequirements> = "browserUse",
        pub chatgpt_base_url: Option<String> = "chatgptBaseUrl",
        pub check_for_update_on_startup: Option<bool> = "checkForUpdateOnStartup",
        pub cli_auth_credentials_store: Option<CliAuthCredentialsStoreMode> = "cliAuthCredentialsStore",
        pub computer_use: Option<ComputerUseRequirements> = "computerUse",
        pub default_permissions: Option<String> = "defaultPermissions",
        pub enforce_residency: Option<ResidencyRequirement> = "enforceResidency",
        pub feature_requirements: Option<BTreeMap<String, bool>> = "featureRequirements",
        pub feedback: Option<FeedbackRequirements> = "feedback",
        /// Belongs to the experimental API.
        pub hooks: Option<ManagedHooksRequirements> = "hooks",
        pub in_app_browser: Option<InAppBrowserRequirements> = "inAppBrowser",
        pub log_dir: Option<String> = "logDir",
        pub model_catalog_json: Option<String> = "modelCatalogJson",
        pub model_provider: Option<String> = "modelProvider",
        pub model_providers: Option<BTreeMap<String, Value>> = "modelProviders",
        pub models: Option<ModelsRequirements> = "models",
        /// Belongs to the experimental API.
        pub network: Option<NetworkRequirements> = "network",
        pub otel: Option<OtelRequirements> = "otel",
        pub sqlite_home: Option<String> = "sqliteHome",
    }
}

object! {
    /// Reply to `configRequirements/read`.
    pub struct ConfigRequirementsReadResponse {
        pub requirements: Option<ConfigRequirements> = "requirements",
        pub supports_independent_speed_modes: Option<bool> = "supportsIndependentSpeedModes",
    }
}

object! {
    /// Parameters of `config/value/write`.
    pub struct ConfigValueWriteParams {
        pub expected_version: Setting<String> = "expectedVersion",
        pub file_path: Setting<String> = "filePath",
        pub key_path: String = "keyPath",
        pub merge_strategy: MergeStrategy = "mergeStrategy",
        pub value: Value = "value",
    }
}

build! {
    ConfigValueWriteParams(key_path: String, merge_strategy: MergeStrategy, value: Value) {
        expected_version: Setting<String>,
        file_path: Setting<String>,
    }
}

object! {
    /// Reply to `config/value/write` and `config/batchWrite`.
    pub struct ConfigWriteResponse {
        pub file_path: AbsolutePathBuf = "filePath",
        pub overridden_metadata: Option<OverriddenMetadata> = "overriddenMetadata",
        pub status: WriteStatus = "status",
        pub version: String = "version",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ConfiguredHookMatcherGroup {
        pub hooks: Vec<ConfiguredHookHandler> = "hooks",
        pub matcher: Option<String> = "matcher",
    }
}

object! {
    /// `enterpriseManaged` of [`ConfigLayerSource`].
    pub struct EnterpriseManagedConfigLayerSource {
        pub id: String = "id",
        pub name: String = "name",
    }
}

object! {
    /// What the server tells with `externalAgentConfig/import/completed`.
    pub struct ExternalAgentConfigImportCompletedNotification {
        /// Older servers leave it out.
        pub import_id: Option<String> = "importId",
        /// Older servers leave it out.
        pub item_type_results: Option<Vec<ExternalAgentConfigImportTypeResult>> = "itemTypeResults",
    }
}

object! {
    /// Used by `externalAgentConfig/import/recordHistory`,
    /// `externalAgentConfig/import/readHistories`, `externalAgentConfig/import/progress` and one
    /// more method.
    pub struct ExternalAgentConfigImportItemTypeFailure {
        pub cwd: Option<String> = "cwd",
        pub error_type: Option<String> = "errorType",
        pub failure_stage: String = "failureStage",
        pub item_type: ExternalAgentConfigMigrationItemType = "itemType",
        pub message: String = "message",
        pub source: Option<String> = "source",
        pub sub_error_type: Option<String> = "subErrorType",
    }
}

build! {
    ExternalAgentConfigImportItemTypeFailure(
        failure_stage: String,
        item_type: ExternalAgentConfigMigrationItemType,
        message: String,
    ) {
        cwd: String,
        error_type: String,
        source: String,
        sub_error_type: String,
    }
}

object! {
    /// Used by `externalAgentConfig/import/readHistories`, `externalAgentConfig/import/progress`,
    /// `externalAgentConfig/import/completed`.
    pub struct ExternalAgentConfigImportItemTypeSuccess {
        pub cwd: Option<String> = "cwd",
        pub item_type: ExternalAgentConfigMigrationItemType = "itemType",
        pub source: Option<String> = "source",
        pub target: Option<String> = "target",
        pub title: Option<String> = "title",
    }
}

object! {
    /// What the server tells with `externalAgentConfig/import/progress`.
    pub struct ExternalAgentConfigImportProgressNotification {
        pub import_id: String = "importId",
        pub item_type_results: Vec<ExternalAgentConfigImportTypeResult> = "itemTypeResults",
    }
}

object! {
    /// Used by `externalAgentConfig/import/progress`, `externalAgentConfig/import/completed`.
    pub struct ExternalAgentConfigImportTypeResult {
        pub failures: Vec<ExternalAgentConfigImportItemTypeFailure> = "failures",
        pub item_type: ExternalAgentConfigMigrationItemType = "itemType",
        pub successes: Vec<ExternalAgentConfigImportItemTypeSuccess> = "successes",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct FeedbackRequirements {
        pub enabled: Option<bool> = "enabled",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct InAppBrowserRequirements {
        pub allow_external_browser_settings_import: Option<bool> = "allowExternalBrowserSettingsImport",
    }
}

object! {
    /// `legacyManagedConfigTomlFromFile` of [`ConfigLayerSource`].
    pub struct LegacyManagedConfigTomlFromFileConfigLayerSource {
        pub file: AbsolutePathBuf = "file",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ManagedHooksRequirements {
        pub interrupt: Option<Vec<ConfiguredHookMatcherGroup>> = "Interrupt",
        pub permission_request: Vec<ConfiguredHookMatcherGroup> = "PermissionRequest",
        /// Older servers leave it out.
        pub post_compact: Option<Vec<ConfiguredHookMatcherGroup>> = "PostCompact",
        pub post_model_request: Option<Vec<ConfiguredHookMatcherGroup>> = "PostModelRequest",
        pub post_tool_use: Vec<ConfiguredHookMatcherGroup> = "PostToolUse",
        /// Older servers leave it out.
        pub pre_compact: Option<Vec<ConfiguredHookMatcherGroup>> = "PreCompact",
        pub pre_model_request: Option<Vec<ConfiguredHookMatcherGroup>> = "PreModelRequest",
        pub pre_tool_use: Vec<ConfiguredHookMatcherGroup> = "PreToolUse",
        pub session_end: Option<Vec<ConfiguredHookMatcherGroup>> = "SessionEnd",
        pub session_start: Vec<ConfiguredHookMatcherGroup> = "SessionStart",
        pub stop: Vec<ConfiguredHookMatcherGroup> = "Stop",
        /// Older servers leave it out.
        pub subagent_start: Option<Vec<ConfiguredHookMatcherGroup>> = "SubagentStart",
        /// Older servers leave it out.
        pub subagent_stop: Option<Vec<ConfiguredHookMatcherGroup>> = "SubagentStop",
        pub user_prompt_submit: Vec<ConfiguredHookMatcherGroup> = "UserPromptSubmit",
        pub managed_dir: Option<String> = "managedDir",
        pub windows_managed_dir: Option<String> = "windowsManagedDir",
    }
}

object! {
    /// `mcp_tool` of [`ConfiguredHookHandler`].
    pub struct McpToolConfiguredHookHandler {
        pub input: BTreeMap<String, Value> = "input",
        pub server: String = "server",
        pub status_message: Option<String> = "statusMessage",
        /// Seconds.
        pub timeout_sec: Option<u64> = "timeoutSec",
        pub tool: String = "tool",
    }
}

object! {
    /// `mdm` of [`ConfigLayerSource`].
    pub struct MdmConfigLayerSource {
        pub domain: String = "domain",
        pub key: String = "key",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct ModelsRequirements {
        pub new_thread: Option<NewThreadModelDefaults> = "newThread",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct NetworkRequirements {
        pub allow_local_binding: Option<bool> = "allowLocalBinding",
        pub allow_unix_sockets: Option<Vec<String>> = "allowUnixSockets",
        pub allow_upstream_proxy: Option<bool> = "allowUpstreamProxy",
        pub allowed_domains: Option<Vec<String>> = "allowedDomains",
        pub dangerously_allow_all_unix_sockets: Option<bool> = "dangerouslyAllowAllUnixSockets",
        pub dangerously_allow_non_loopback_proxy: Option<bool> = "dangerouslyAllowNonLoopbackProxy",
        pub denied_domains: Option<Vec<String>> = "deniedDomains",
        pub domains: Option<BTreeMap<String, NetworkDomainPermission>> = "domains",
        pub enabled: Option<bool> = "enabled",
        pub http_port: Option<u16> = "httpPort",
        pub managed_allowed_domains_only: Option<bool> = "managedAllowedDomainsOnly",
        pub review_domains: Option<Vec<String>> = "reviewDomains",
        pub socks_port: Option<u16> = "socksPort",
        pub unix_sockets: Option<BTreeMap<String, NetworkUnixSocketPermission>> = "unixSockets",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct NewThreadModelDefaults {
        pub model: Option<String> = "model",
        pub model_reasoning_effort: Option<ReasoningEffort> = "modelReasoningEffort",
        pub service_tier: Option<String> = "serviceTier",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct OtelRequirements {
        pub environment: Option<String> = "environment",
        pub exporter: Option<OtelExporter> = "exporter",
        pub log_agent_responses: Option<bool> = "log_agent_responses",
        pub log_guardian_assessments: Option<bool> = "log_guardian_assessments",
        pub log_sse_deltas: Option<bool> = "log_sse_deltas",
        pub log_user_prompt: Option<bool> = "log_user_prompt",
        pub metrics_exporter: Option<OtelExporter> = "metrics_exporter",
        pub span_attributes: Option<BTreeMap<String, String>> = "span_attributes",
        pub tool_result: Option<OtelToolResultLogConfig> = "tool_result",
        pub trace_exporter: Option<OtelExporter> = "trace_exporter",
        pub tracestate: Option<BTreeMap<String, BTreeMap<String, String>>> = "tracestate",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct OtelTlsConfig {
        pub ca_certificate: Option<String> = "ca-certificate",
        pub client_certificate: Option<String> = "client-certificate",
        pub client_private_key: Option<String> = "client-private-key",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct OtelToolResultLogConfig {
        /// Bytes.
        pub max_bytes: u64 = "max_bytes",
    }
}

object! {
    /// `otlp-grpc` of [`OtelExporter`].
    pub struct OtlpGrpcOtelExporter {
        pub endpoint: String = "endpoint",
        pub headers: BTreeMap<String, String> = "headers",
        pub tls: Option<OtelTlsConfig> = "tls",
    }
}

object! {
    /// `otlp-http` of [`OtelExporter`].
    pub struct OtlpHttpOtelExporter {
        pub endpoint: String = "endpoint",
        pub headers: BTreeMap<String, String> = "headers",
        pub protocol: OtelHttpProtocol = "protocol",
        pub tls: Option<OtelTlsConfig> = "tls",
    }
}

object! {
    /// Used by `config/value/write`, `config/batchWrite`.
    pub struct OverriddenMetadata {
        pub effective_value: Value = "effectiveValue",
        pub message: String = "message",
        pub overriding_layer: ConfigLayerMetadata = "overridingLayer",
    }
}

object! {
    /// `packagedDefaults` of [`ConfigLayerSource`].
    pub struct PackagedDefaultsConfigLayerSource {
        pub file: AbsolutePathBuf = "file",
    }
}

object! {
    /// `project` of [`ConfigLayerSource`].
    pub struct ProjectConfigLayerSource {
        pub dot_codex_folder: AbsolutePathBuf = "dotCodexFolder",
    }
}

object! {
    /// Used by `configRequirements/read`.
    pub struct RequestHeader {
        pub name: String = "name",
        pub value: String = "value",
    }
}

object! {
    /// Used by `config/read`.
    pub struct SandboxWorkspaceWrite {
        pub exclude_slash_tmp: Option<bool> = "exclude_slash_tmp",
        pub exclude_tmpdir_env_var: Option<bool> = "exclude_tmpdir_env_var",
        pub network_access: Option<bool> = "network_access",
        pub writable_roots: Option<Vec<String>> = "writable_roots",
    }
}

object! {
    /// `system` of [`ConfigLayerSource`].
    pub struct SystemConfigLayerSource {
        pub file: AbsolutePathBuf = "file",
    }
}

object! {
    /// Used by `config/read`.
    pub struct ToolsV2 {
        pub web_search: Option<WebSearchToolConfig> = "web_search",
    }
}

object! {
    /// `user` of [`ConfigLayerSource`].
    pub struct UserConfigLayerSource {
        pub file: AbsolutePathBuf = "file",
        pub profile: Option<String> = "profile",
    }
}

object! {
    /// Used by `config/read`.
    pub struct WebSearchLocation {
        pub city: Option<String> = "city",
        pub country: Option<String> = "country",
        pub region: Option<String> = "region",
        pub timezone: Option<String> = "timezone",
    }
}

object! {
    /// Used by `config/read`.
    pub struct WebSearchToolConfig {
        pub allowed_domains: Option<Vec<String>> = "allowed_domains",
        pub context_size: Option<WebSearchContextSize> = "context_size",
        pub location: Option<WebSearchLocation> = "location",
    }
}
