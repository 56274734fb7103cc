//! Objects that only the family `tools` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// Used by `app/list`, `app/list/updated`.
    pub struct AppBranding {
        pub category: Option<String> = "category",
        pub developer: Option<String> = "developer",
        pub is_discoverable_app: bool = "isDiscoverableApp",
        pub privacy_policy: Option<String> = "privacyPolicy",
        pub terms_of_service: Option<String> = "termsOfService",
        pub website: Option<String> = "website",
    }
}

object! {
    /// Used by `app/list`, `app/list/updated`.
    pub struct AppInfo {
        pub app_metadata: Option<AppMetadata> = "appMetadata",
        pub branding: Option<AppBranding> = "branding",
        pub description: Option<String> = "description",
        pub distribution_channel: Option<String> = "distributionChannel",
        pub icon_assets: Option<BTreeMap<String, String>> = "iconAssets",
        pub icon_dark_assets: Option<BTreeMap<String, String>> = "iconDarkAssets",
        pub id: String = "id",
        pub install_url: Option<String> = "installUrl",
        pub is_accessible: Option<bool> = "isAccessible",
        pub is_enabled: Option<bool> = "isEnabled",
        pub labels: Option<BTreeMap<String, String>> = "labels",
        pub logo_url: Option<String> = "logoUrl",
        pub logo_url_dark: Option<String> = "logoUrlDark",
        pub name: String = "name",
        pub plugin_display_names: Option<Vec<String>> = "pluginDisplayNames",
    }
}

object! {
    /// What the server tells with `app/list/updated`.
    pub struct AppListUpdatedNotification {
        pub data: Vec<AppInfo> = "data",
    }
}

object! {
    /// Used by `app/list`, `app/list/updated`.
    pub struct AppMetadata {
        pub categories: Option<Vec<String>> = "categories",
        pub developer: Option<String> = "developer",
        pub first_party_requires_install: Option<bool> = "firstPartyRequiresInstall",
        pub review: Option<AppReview> = "review",
        pub screenshots: Option<Vec<AppScreenshot>> = "screenshots",
        pub seo_description: Option<String> = "seoDescription",
        pub show_in_composer_when_unlinked: Option<bool> = "showInComposerWhenUnlinked",
        pub sub_categories: Option<Vec<String>> = "subCategories",
        pub version: Option<String> = "version",
        pub version_id: Option<String> = "versionId",
        pub version_notes: Option<String> = "versionNotes",
    }
}

object! {
    /// Used by `app/list`, `app/list/updated`.
    pub struct AppReview {
        pub status: String = "status",
    }
}

object! {
    /// Used by `app/list`, `app/list/updated`.
    pub struct AppScreenshot {
        pub file_id: Option<String> = "fileId",
        pub url: Option<String> = "url",
        pub user_prompt: String = "userPrompt",
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
    /// A member of [`ResourceContent`].
    pub struct BlobResourceContent {
        pub meta: Option<Value> = "_meta",
        pub blob: String = "blob",
        pub mime_type: Option<String> = "mimeType",
        pub uri: String = "uri",
    }
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
    /// `daily` of [`ScheduledTaskSchedule`].
    pub struct DailyScheduledTaskSchedule {
        pub time: String = "time",
    }
}

object! {
    /// `form` of [`McpServerElicitationRequestParams`].
    pub struct FormMcpServerElicitationRequestParams {
        pub meta: Option<Value> = "_meta",
        pub message: String = "message",
        pub requested_schema: McpElicitationSchema = "requestedSchema",
        pub server_name: String = "serverName",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
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
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationBooleanSchema {
        pub default: Option<bool> = "default",
        pub description: Option<String> = "description",
        pub title: Option<String> = "title",
        pub type_: McpElicitationBooleanType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationConstOption {
        pub const_: String = "const",
        pub title: String = "title",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationLegacyTitledEnumSchema {
        pub default: Option<String> = "default",
        pub description: Option<String> = "description",
        pub enum_: Vec<String> = "enum",
        pub enum_names: Option<Vec<String>> = "enumNames",
        pub title: Option<String> = "title",
        pub type_: McpElicitationStringType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationNumberSchema {
        pub default: Option<f64> = "default",
        pub description: Option<String> = "description",
        pub maximum: Option<f64> = "maximum",
        pub minimum: Option<f64> = "minimum",
        pub title: Option<String> = "title",
        pub type_: McpElicitationNumberType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationSchema {
        pub schema: Option<String> = "$schema",
        pub properties: BTreeMap<String, McpElicitationPrimitiveSchema> = "properties",
        pub required: Option<Vec<String>> = "required",
        pub type_: McpElicitationObjectType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationStringSchema {
        pub default: Option<String> = "default",
        pub description: Option<String> = "description",
        pub format: Option<McpElicitationStringFormat> = "format",
        pub max_length: Option<u32> = "maxLength",
        pub min_length: Option<u32> = "minLength",
        pub title: Option<String> = "title",
        pub type_: McpElicitationStringType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationTitledEnumItems {
        pub any_of: Vec<McpElicitationConstOption> = "anyOf",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationTitledMultiSelectEnumSchema {
        pub default: Option<Vec<String>> = "default",
        pub description: Option<String> = "description",
        pub items: McpElicitationTitledEnumItems = "items",
        pub max_items: Option<u64> = "maxItems",
        pub min_items: Option<u64> = "minItems",
        pub title: Option<String> = "title",
        pub type_: McpElicitationArrayType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationTitledSingleSelectEnumSchema {
        pub default: Option<String> = "default",
        pub description: Option<String> = "description",
        pub one_of: Vec<McpElicitationConstOption> = "oneOf",
        pub title: Option<String> = "title",
        pub type_: McpElicitationStringType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationUntitledEnumItems {
        pub enum_: Vec<String> = "enum",
        pub type_: McpElicitationStringType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationUntitledMultiSelectEnumSchema {
        pub default: Option<Vec<String>> = "default",
        pub description: Option<String> = "description",
        pub items: McpElicitationUntitledEnumItems = "items",
        pub max_items: Option<u64> = "maxItems",
        pub min_items: Option<u64> = "minItems",
        pub title: Option<String> = "title",
        pub type_: McpElicitationArrayType = "type",
    }
}

object! {
    /// Used by `mcpServer/elicitation/request`.
    pub struct McpElicitationUntitledSingleSelectEnumSchema {
        pub default: Option<String> = "default",
        pub description: Option<String> = "description",
        pub enum_: Vec<String> = "enum",
        pub title: Option<String> = "title",
        pub type_: McpElicitationStringType = "type",
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
    /// Answer to `mcpServer/elicitation/request`.
    pub struct McpServerElicitationRequestResponse {
        pub meta: Option<Value> = "_meta",
        pub action: McpServerElicitationAction = "action",
        pub content: Option<Value> = "content",
    }
}

build! {
    McpServerElicitationRequestResponse(action: McpServerElicitationAction) {
        meta: Value,
        content: Value,
    }
}

object! {
    /// Used by `mcpServer/event/stream/notification`.
    pub struct McpServerEventNotification {
        pub method: String = "method",
        pub params: Value = "params",
    }
}

object! {
    /// What the server tells with `mcpServer/event/stream/notification`.
    pub struct McpServerEventStreamNotification {
        pub notification: McpServerEventNotification = "notification",
        pub subscription_id: String = "subscriptionId",
    }
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
    /// What the server tells with `mcpServer/oauthLogin/completed`.
    pub struct McpServerOauthLoginCompletedNotification {
        pub error: Option<String> = "error",
        pub login_id: Option<String> = "loginId",
        pub name: String = "name",
        pub success: bool = "success",
        pub thread_id: Option<String> = "threadId",
    }
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
        pub tools: BTreeMap<String, Tool> = "tools",
        pub tools_error: Option<String> = "toolsError",
    }
}

object! {
    /// What the server tells with `mcpServer/startupStatus/updated`.
    pub struct McpServerStatusUpdatedNotification {
        pub error: Option<String> = "error",
        pub failure_reason: Option<McpServerStartupFailureReason> = "failureReason",
        pub name: String = "name",
        pub status: McpServerStartupState = "status",
        pub thread_id: Option<String> = "threadId",
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
    /// `npm` of [`PluginSource`].
    pub struct NpmPluginSource {
        pub package: String = "package",
        pub registry: Option<String> = "registry",
        pub version: Option<String> = "version",
    }
}

object! {
    /// `openaiForm` of [`McpServerElicitationRequestParams`].
    pub struct OpenaiFormMcpServerElicitationRequestParams {
        pub meta: Option<Value> = "_meta",
        pub message: String = "message",
        pub requested_schema: Value = "requestedSchema",
        pub server_name: String = "serverName",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
    }
}

object! {
    /// `openai/form` of [`McpServerElicitationRequestParams`].
    pub struct OpenaiSlashFormMcpServerElicitationRequestParams {
        pub meta: Option<Value> = "_meta",
        pub message: String = "message",
        pub requested_schema: Value = "requestedSchema",
        pub server_name: String = "serverName",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
    }
}

object! {
    /// `openai/userVerification` of [`McpServerElicitationRequestParams`].
    ///
    /// Belongs to the experimental API.
    pub struct OpenaiUserVerificationMcpServerElicitationRequestParams {
        pub meta: Option<Value> = "_meta",
        pub challenge: String = "challenge",
        pub description: String = "description",
        pub server_name: String = "serverName",
        pub thread_id: String = "threadId",
        pub title: String = "title",
        pub turn_id: Option<String> = "turnId",
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
    /// What the server tells with `skills/changed`.
    pub struct SkillsChangedNotification {
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
    /// A member of [`ResourceContent`].
    pub struct TextResourceContent {
        pub meta: Option<Value> = "_meta",
        pub mime_type: Option<String> = "mimeType",
        pub text: String = "text",
        pub uri: String = "uri",
    }
}

object! {
    /// Used by `mcpServerStatus/list`.
    pub struct Tool {
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
    /// `url` of [`McpServerElicitationRequestParams`].
    pub struct UrlMcpServerElicitationRequestParams {
        pub meta: Option<Value> = "_meta",
        pub elicitation_id: String = "elicitationId",
        pub message: String = "message",
        pub server_name: String = "serverName",
        pub thread_id: String = "threadId",
        pub turn_id: Option<String> = "turnId",
        pub url: String = "url",
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
