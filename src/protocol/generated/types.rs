//! The requests that this crate's own methods don't send, and the enums and unions that only they use.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use super::*;
use crate::protocol::request::{no_params, requests};
use crate::protocol::wire::{convert, shared, string_enum, tagged, untagged};

no_params! {
    /// Parameters of `account/gatewayOAuth/cancel`, which takes none: they are sent as null.
    pub struct AccountGatewayOAuthCancelParams;
    /// Parameters of `config/mcpServer/reload`, which takes none: they are sent as null.
    pub struct ConfigMcpServerReloadParams;
    /// Parameters of `windowsSandbox/readiness`, which takes none: they are sent as null.
    pub struct WindowsSandboxReadinessParams;
    /// Parameters of `account/securitySetup/read`, which takes none: they are sent as null.
    pub struct AccountSecuritySetupReadParams;
    /// Parameters of `account/workspaceMessages/read`, which takes none: they are sent as null.
    pub struct AccountWorkspaceMessagesReadParams;
    /// Parameters of `externalAgentConfig/import/readHistories`, which takes none: they are sent as
    /// null.
    pub struct ExternalAgentConfigImportReadHistoriesParams;
}

requests! {
    experimental: false;
    "thread/delete": ThreadDeleteParams => ThreadDeleteResponse,
    "thread/unsubscribe": ThreadUnsubscribeParams => ThreadUnsubscribeResponse,
    "thread/goal/set": ThreadGoalSetParams => ThreadGoalSetResponse,
    "thread/goal/get": ThreadGoalGetParams => ThreadGoalGetResponse,
    "thread/goal/clear": ThreadGoalClearParams => ThreadGoalClearResponse,
    "thread/metadata/update": ThreadMetadataUpdateParams => ThreadMetadataUpdateResponse,
    "thread/attachment/add": ThreadAttachmentAddParams => ThreadAttachmentAddResponse,
    "thread/attachment/list": ThreadAttachmentListParams => ThreadAttachmentListResponse,
    "thread/attachmentOwner/list": ThreadAttachmentOwnerListParams => ThreadAttachmentOwnerListResponse,
    "thread/attachment/remove": ThreadAttachmentRemoveParams => ThreadAttachmentRemoveResponse,
    "thread/section/move": ThreadSectionMoveParams => ThreadSectionMoveResponse,
    "thread/shellCommand": ThreadShellCommandParams => ThreadShellCommandResponse,
    "thread/approveGuardianDeniedAction": ThreadApproveGuardianDeniedActionParams => ThreadApproveGuardianDeniedActionResponse,
    "threadSection/list": ThreadSectionListParams => ThreadSectionListResponse,
    "threadSection/create": ThreadSectionCreateParams => ThreadSectionCreateResponse,
    "threadSection/update": ThreadSectionUpdateParams => ThreadSectionUpdateResponse,
    "threadSection/delete": ThreadSectionDeleteParams => ThreadSectionDeleteResponse,
    "thread/items/list": ThreadItemsListParams => ThreadItemsListResponse,
    "thread/inject_items": ThreadInjectItemsParams => ThreadInjectItemsResponse,
    "skills/list": SkillsListParams => SkillsListResponse,
    "skills/extraRoots/set": SkillsExtraRootsSetParams => SkillsExtraRootsSetResponse,
    "hooks/list": HooksListParams => HooksListResponse,
    "marketplace/add": MarketplaceAddParams => MarketplaceAddResponse,
    "marketplace/remove": MarketplaceRemoveParams => MarketplaceRemoveResponse,
    "marketplace/upgrade": MarketplaceUpgradeParams => MarketplaceUpgradeResponse,
    "plugin/list": PluginListParams => PluginListResponse,
    "plugin/installed": PluginInstalledParams => PluginInstalledResponse,
    "plugin/reconcile": PluginReconcileParams => PluginReconcileResponse,
    "plugin/read": PluginReadParams => PluginReadResponse,
    "plugin/skill/read": PluginSkillReadParams => PluginSkillReadResponse,
    "plugin/share/save": PluginShareSaveParams => PluginShareSaveResponse,
    "plugin/share/updateTargets": PluginShareUpdateTargetsParams => PluginShareUpdateTargetsResponse,
    "plugin/share/list": PluginShareListParams => PluginShareListResponse,
    "plugin/share/checkout": PluginShareCheckoutParams => PluginShareCheckoutResponse,
    "plugin/share/delete": PluginShareDeleteParams => PluginShareDeleteResponse,
    "app/read": AppsReadParams => AppsReadResponse,
    "app/list": AppsListParams => AppsListResponse,
    "app/installed": AppsInstalledParams => AppsInstalledResponse,
    "fs/readFile": FsReadFileParams => FsReadFileResponse,
    "fs/writeFile": FsWriteFileParams => FsWriteFileResponse,
    "fs/createDirectory": FsCreateDirectoryParams => FsCreateDirectoryResponse,
    "fs/getMetadata": FsGetMetadataParams => FsGetMetadataResponse,
    "fs/readDirectory": FsReadDirectoryParams => FsReadDirectoryResponse,
    "fs/remove": FsRemoveParams => FsRemoveResponse,
    "fs/copy": FsCopyParams => FsCopyResponse,
    "fs/watch": FsWatchParams => FsWatchResponse,
    "fs/unwatch": FsUnwatchParams => FsUnwatchResponse,
    "skills/config/write": SkillsConfigWriteParams => SkillsConfigWriteResponse,
    "plugin/install": PluginInstallParams => PluginInstallResponse,
    "plugin/uninstall": PluginUninstallParams => PluginUninstallResponse,
    "account/gatewayOAuth/read": GatewayOAuthReadParams => GatewayOAuthReadResponse,
    "account/gatewayOAuth/login": GatewayOAuthLoginParams => GatewayOAuthLoginResponse,
    "account/gatewayOAuth/cancel": AccountGatewayOAuthCancelParams => GatewayOAuthCancelResponse,
    "modelProvider/list": ModelProviderListParams => ModelProviderListResponse,
    "modelProvider/config/write": ModelProviderConfigWriteParams => ModelProviderConfigWriteResponse,
    "modelProvider/capabilities/read": ModelProviderCapabilitiesReadParams => ModelProviderCapabilitiesReadResponse,
    "experimentalFeature/list": ExperimentalFeatureListParams => ExperimentalFeatureListResponse,
    "permissionProfile/list": PermissionProfileListParams => PermissionProfileListResponse,
    "experimentalFeature/enablement/set": ExperimentalFeatureEnablementSetParams => ExperimentalFeatureEnablementSetResponse,
    "mcpServer/oauth/login": McpServerOauthLoginParams => McpServerOauthLoginResponse,
    "config/mcpServer/reload": ConfigMcpServerReloadParams => McpServerRefreshResponse,
    "mcpServerStatus/list": ListMcpServerStatusParams => ListMcpServerStatusResponse,
    "mcpServer/resource/read": McpResourceReadParams => McpResourceReadResponse,
    "mcpServer/tool/call": McpServerToolCallParams => McpServerToolCallResponse,
    "windowsSandbox/setupStart": WindowsSandboxSetupStartParams => WindowsSandboxSetupStartResponse,
    "windowsSandbox/readiness": WindowsSandboxReadinessParams => WindowsSandboxReadinessResponse,
    "account/securitySetup/read": AccountSecuritySetupReadParams => GetAccountSecuritySetupResponse,
    "account/rateLimitResetCredit/consume": ConsumeAccountRateLimitResetCreditParams => ConsumeAccountRateLimitResetCreditResponse,
    "account/usage/read": GetAccountTokenUsageParams => GetAccountTokenUsageResponse,
    "account/workspaceMessages/read": AccountWorkspaceMessagesReadParams => GetWorkspaceMessagesResponse,
    "account/sendAddCreditsNudgeEmail": SendAddCreditsNudgeEmailParams => SendAddCreditsNudgeEmailResponse,
    "feedback/upload": FeedbackUploadParams => FeedbackUploadResponse,
    "feedback/save": FeedbackSaveParams => FeedbackSaveResponse,
    "externalAgentConfig/detect": ExternalAgentConfigDetectParams => ExternalAgentConfigDetectResponse,
    "externalAgentConfig/import": ExternalAgentConfigImportParams => ExternalAgentConfigImportResponse,
    "externalAgentConfig/import/recordHistory": ExternalAgentConfigImportHistoryRecordParams => ExternalAgentConfigImportHistoryRecordResponse,
    "externalAgentConfig/import/readHistories": ExternalAgentConfigImportReadHistoriesParams => ExternalAgentConfigImportHistoriesReadResponse,
    "fuzzyFileSearch": FuzzyFileSearchParams => FuzzyFileSearchResponse,
}

string_enum! {
    /// Used by `account/sendAddCreditsNudgeEmail`.
    pub enum AddCreditsNudgeCreditType {
        Credits = "credits",
        UsageLimit = "usage_limit",
    }
}

string_enum! {
    /// Used by `account/sendAddCreditsNudgeEmail`.
    pub enum AddCreditsNudgeEmailStatus {
        Sent = "sent",
        CooldownActive = "cooldown_active",
    }
}

string_enum! {
    /// Used by `plugin/read`.
    pub enum AppTemplateUnavailableReason {
        NotConfiguredForWorkspace = "NOT_CONFIGURED_FOR_WORKSPACE",
        NoActiveWorkspace = "NO_ACTIVE_WORKSPACE",
    }
}

string_enum! {
    /// Used by `modelProvider/config/write`.
    pub enum BedrockProviderId {
        AmazonBedrock = "amazon-bedrock",
        AmazonBedrockRuntime = "amazon-bedrock-runtime",
    }
}

string_enum! {
    /// Used by `account/rateLimitResetCredit/consume`.
    pub enum ConsumeAccountRateLimitResetCreditOutcome {
        Reset = "reset",
        NothingToReset = "nothingToReset",
        NoCredit = "noCredit",
        AlreadyRedeemed = "alreadyRedeemed",
    }
}

string_enum! {
    /// Used by `experimentalFeature/list`.
    pub enum ExperimentalFeatureStage {
        Beta = "beta",
        UnderDevelopment = "underDevelopment",
        Stable = "stable",
        Deprecated = "deprecated",
        Removed = "removed",
    }
}

string_enum! {
    /// Used by `externalAgentConfig/detect`.
    pub enum ExternalAgentDetectedConnectorSource {
        RemoteMcpServersConfig = "remoteMcpServersConfig",
        SessionToolUse = "sessionToolUse",
    }
}

string_enum! {
    /// Used by `externalAgentConfig/import/readHistories`.
    pub enum ExternalAgentImportedConnectorSource {
        RemoteMcpServersConfig = "remoteMcpServersConfig",
    }
}

tagged! {
    /// Used by `modelProvider/list`, `modelProvider/config/write`.
    pub enum GatewayAuth by "mode" {
        None = "none",
        EnvironmentVariable(item: EnvironmentVariableGatewayAuth) = "environmentVariable",
        ExternallyConfigured(item: ExternallyConfiguredGatewayAuth) = "externallyConfigured",
    }
}

string_enum! {
    /// Used by `modelProvider/config/write`.
    pub enum GcpProviderId {
        Gcp = "gcp",
    }
}

tagged! {
    /// Used by `hooks/list`.
    pub enum HookMetadata by "handlerType" {
        Command(item: Box<CommandHookMetadata>) = "command",
        McpTool(item: Box<McpToolHookMetadata>) = "mcpTool",
        Prompt(item: Box<PromptHookMetadata>) = "prompt",
        Agent(item: Box<AgentHookMetadata>) = "agent",
    }
}

shared! {
    HookMetadata {
        current_hash = "currentHash" in [
            Command,
            McpTool,
            Prompt,
            Agent,
        ],
        key = "key" in [
            Command,
            McpTool,
            Prompt,
            Agent,
        ],
    }
}

string_enum! {
    /// Used by `hooks/list`.
    pub enum HookTrustStatus {
        Managed = "managed",
        Untrusted = "untrusted",
        Trusted = "trusted",
        Modified = "modified",
    }
}

string_enum! {
    /// Used by `mcpServerStatus/list`.
    pub enum McpAuthStatus {
        Unknown = "unknown",
        Unsupported = "unsupported",
        NotLoggedIn = "notLoggedIn",
        BearerToken = "bearerToken",
        OAuth = "oAuth",
    }
}

string_enum! {
    /// Used by `mcpServerStatus/list`.
    pub enum McpServerConnectionStatus {
        NotStarted = "notStarted",
        Starting = "starting",
        Connected = "connected",
        AuthenticationRequired = "authenticationRequired",
        Failed = "failed",
        Cancelled = "cancelled",
        Disabled = "disabled",
    }
}

string_enum! {
    /// Used by `mcpServer/oauth/login`.
    pub enum McpServerOauthClientRegistration {
        Auto = "auto",
        Cimd = "cimd",
        Dcr = "dcr",
    }
}

string_enum! {
    /// Used by `mcpServerStatus/list`.
    pub enum McpServerStatusDetail {
        Full = "full",
        ToolsAndAuthOnly = "toolsAndAuthOnly",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 3 more methods.
    pub enum PluginAuthPolicy {
        OnInstall = "ON_INSTALL",
        OnUse = "ON_USE",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub enum PluginAvailability {
        DisabledByAdmin = "DISABLED_BY_ADMIN",
        Available = "AVAILABLE",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub enum PluginDisabledReason {
        DisabledByAdmin = "disabled_by_admin",
        PlanNotEligible = "plan_not_eligible",
        RequiredAppUnavailable = "required_app_unavailable",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub enum PluginInstallPolicy {
        NotAvailable = "NOT_AVAILABLE",
        Available = "AVAILABLE",
        InstalledByDefault = "INSTALLED_BY_DEFAULT",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub enum PluginInstallPolicySource {
        WorkspaceSetting = "WORKSPACE_SETTING",
        ImplicitCanonicalApp = "IMPLICIT_CANONICAL_APP",
    }
}

string_enum! {
    /// Used by `plugin/list`.
    pub enum PluginListMarketplaceKind {
        Local = "local",
        Vertical = "vertical",
        WorkspaceDirectory = "workspace-directory",
        SharedWithMe = "shared-with-me",
        CreatedByMeRemote = "created-by-me-remote",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 4 more methods.
    pub enum PluginShareDiscoverability {
        Listed = "LISTED",
        Unlisted = "UNLISTED",
        Private = "PRIVATE",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 3 more methods.
    pub enum PluginSharePrincipalRole {
        Reader = "reader",
        Editor = "editor",
        Owner = "owner",
    }
}

string_enum! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 4 more methods.
    pub enum PluginSharePrincipalType {
        User = "user",
        Group = "group",
        Workspace = "workspace",
    }
}

string_enum! {
    /// Used by `plugin/share/save`, `plugin/share/updateTargets`.
    pub enum PluginShareTargetRole {
        Reader = "reader",
        Editor = "editor",
    }
}

string_enum! {
    /// Used by `plugin/share/updateTargets`.
    pub enum PluginShareUpdateDiscoverability {
        Unlisted = "UNLISTED",
        Private = "PRIVATE",
        Listed = "LISTED",
    }
}

tagged! {
    /// Used by `plugin/list`, `plugin/search`, `plugin/installed` and 2 more methods.
    pub enum PluginSource by "type" {
        Local(item: LocalPluginSource) = "local",
        Git(item: GitPluginSource) = "git",
        Npm(item: NpmPluginSource) = "npm",
        Remote = "remote",
    }
}

tagged! {
    /// Used by `modelProvider/list`, `modelProvider/config/write`.
    pub enum ProviderSettings by "type" {
        Openai = "openai",
        CustomGateway(item: CustomGatewayProviderSettings) = "customGateway",
        Bedrock(item: BedrockProviderSettings) = "bedrock",
        Gcp(item: GcpProviderSettings) = "gcp",
    }
}

tagged! {
    /// Used by `modelProvider/config/write`.
    pub enum ProviderSettingsPatch by "type" {
        CustomGateway(item: CustomGatewayProviderSettingsPatch) = "customGateway",
        Bedrock(item: BedrockProviderSettingsPatch) = "bedrock",
        Gcp(item: GcpProviderSettingsPatch) = "gcp",
    }
}

convert! {
    ProviderSettingsPatch {
        CustomGateway(CustomGatewayProviderSettingsPatch),
        Bedrock(BedrockProviderSettingsPatch),
        Gcp(GcpProviderSettingsPatch),
    }
}

untagged! {
    /// Used by `mcpServer/resource/read`.
    pub enum ResourceContent {
        /// A [`TextResourceContent`].
        Text(TextResourceContent) = [
            Shape::Object {
                required: &["text", "uri"],
                optional: &["_meta", "mimeType"],
                words: &[],
            },
        ],
        /// A [`BlobResourceContent`].
        Blob(BlobResourceContent) = [
            Shape::Object {
                required: &["blob", "uri"],
                optional: &["_meta", "mimeType"],
                words: &[],
            },
        ],
    }
}

tagged! {
    /// Used by `plugin/read`.
    pub enum ScheduledTaskSchedule by "type" {
        Hourly(item: HourlyScheduledTaskSchedule) = "hourly",
        Daily(item: DailyScheduledTaskSchedule) = "daily",
        Weekdays(item: WeekdaysScheduledTaskSchedule) = "weekdays",
        Weekly(item: WeeklyScheduledTaskSchedule) = "weekly",
    }
}

string_enum! {
    /// Used by `plugin/read`.
    pub enum ScheduledTaskWeekday {
        Mo = "MO",
        Tu = "TU",
        We = "WE",
        Th = "TH",
        Fr = "FR",
        Sa = "SA",
        Su = "SU",
    }
}

string_enum! {
    /// Used by `skills/list`.
    pub enum SkillScope {
        User = "user",
        Repo = "repo",
        System = "system",
        Admin = "admin",
    }
}

string_enum! {
    /// Used by `thread/attachment/add`.
    pub enum ThreadAttachmentAddOutcome {
        Created = "created",
        Existing = "existing",
    }
}

string_enum! {
    /// Used by `thread/goal/set`, `thread/goal/clear`.
    pub enum ThreadGoalMutationOrigin {
        User = "user",
        Automatic = "automatic",
    }
}

tagged! {
    /// Used by `thread/items/list`.
    pub enum ThreadItemsListAnchor by "type" {
        Item(item: ItemThreadItemsListAnchor) = "item",
    }
}

convert! {
    ThreadItemsListAnchor {
        Item(ItemThreadItemsListAnchor),
    }
}

untagged! {
    /// Used by `thread/items/list`.
    pub enum ThreadItemsListCursor {
        /// A string.
        Text(String) = [
            Shape::Text,
        ],
        /// A [`ThreadItemsListAnchor`].
        Anchor(ThreadItemsListAnchor) = [
            Shape::Object {
                required: &["itemId", "type"],
                optional: &[],
                words: &[("type", &["item"])],
            },
        ],
    }
}

string_enum! {
    /// Used by `thread/unsubscribe`.
    pub enum ThreadUnsubscribeStatus {
        NotLoaded = "notLoaded",
        NotSubscribed = "notSubscribed",
        Unsubscribed = "unsubscribed",
    }
}

string_enum! {
    /// Used by `windowsSandbox/readiness`.
    pub enum WindowsSandboxReadiness {
        Ready = "ready",
        NotConfigured = "notConfigured",
        UpdateRequired = "updateRequired",
    }
}

string_enum! {
    /// Used by `account/workspaceMessages/read`.
    pub enum WorkspaceMessageType {
        Headline = "headline",
        Announcement = "announcement",
        Unknown = "unknown",
    }
}
