//! What a client may ask.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test codegen`; do not edit.

use super::*;
use crate::protocol::request::{no_params, requests};

no_params! {
    /// Parameters of `account/gatewayOAuth/cancel`, which takes none: they are sent as null.
    pub struct AccountGatewayOAuthCancelParams;
    /// Parameters of `config/mcpServer/reload`, which takes none: they are sent as null.
    pub struct ConfigMcpServerReloadParams;
    /// Parameters of `windowsSandbox/readiness`, which takes none: they are sent as null.
    pub struct WindowsSandboxReadinessParams;
    /// Parameters of `account/logout`, which takes none: they are sent as null.
    pub struct AccountLogoutParams;
    /// Parameters of `account/securitySetup/read`, which takes none: they are sent as null.
    pub struct AccountSecuritySetupReadParams;
    /// Parameters of `account/workspaceMessages/read`, which takes none: they are sent as null.
    pub struct AccountWorkspaceMessagesReadParams;
    /// Parameters of `externalAgentConfig/import/readHistories`, which takes none: they are sent as
    /// null.
    pub struct ExternalAgentConfigImportReadHistoriesParams;
    /// Parameters of `configRequirements/read`, which takes none: they are sent as null.
    pub struct ConfigRequirementsReadParams;
}

requests! {
    experimental: false;
    /// The requests of the stable API.
    pub const REQUESTS;
    "initialize": InitializeParams => InitializeResponse,
    "thread/start": ThreadStartParams => ThreadStartResponse,
    "thread/resume": ThreadResumeParams => ThreadResumeResponse,
    "thread/fork": ThreadForkParams => ThreadForkResponse,
    "thread/archive": ThreadArchiveParams => ThreadArchiveResponse,
    "thread/delete": ThreadDeleteParams => ThreadDeleteResponse,
    "thread/unsubscribe": ThreadUnsubscribeParams => ThreadUnsubscribeResponse,
    "thread/name/set": ThreadSetNameParams => ThreadSetNameResponse,
    "thread/goal/set": ThreadGoalSetParams => ThreadGoalSetResponse,
    "thread/goal/get": ThreadGoalGetParams => ThreadGoalGetResponse,
    "thread/goal/clear": ThreadGoalClearParams => ThreadGoalClearResponse,
    "thread/metadata/update": ThreadMetadataUpdateParams => ThreadMetadataUpdateResponse,
    "thread/attachment/add": ThreadAttachmentAddParams => ThreadAttachmentAddResponse,
    "thread/attachment/list": ThreadAttachmentListParams => ThreadAttachmentListResponse,
    "thread/attachmentOwner/list": ThreadAttachmentOwnerListParams => ThreadAttachmentOwnerListResponse,
    "thread/attachment/remove": ThreadAttachmentRemoveParams => ThreadAttachmentRemoveResponse,
    "thread/section/move": ThreadSectionMoveParams => ThreadSectionMoveResponse,
    "thread/unarchive": ThreadUnarchiveParams => ThreadUnarchiveResponse,
    "thread/compact/start": ThreadCompactStartParams => ThreadCompactStartResponse,
    "thread/shellCommand": ThreadShellCommandParams => ThreadShellCommandResponse,
    "thread/approveGuardianDeniedAction": ThreadApproveGuardianDeniedActionParams => ThreadApproveGuardianDeniedActionResponse,
    "thread/revert": ThreadRevertParams => ThreadRevertResponse,
    "thread/list": ThreadListParams => ThreadListResponse,
    "threadSection/list": ThreadSectionListParams => ThreadSectionListResponse,
    "threadSection/create": ThreadSectionCreateParams => ThreadSectionCreateResponse,
    "threadSection/update": ThreadSectionUpdateParams => ThreadSectionUpdateResponse,
    "threadSection/delete": ThreadSectionDeleteParams => ThreadSectionDeleteResponse,
    "thread/loaded/list": ThreadLoadedListParams => ThreadLoadedListResponse,
    "thread/read": ThreadReadParams => ThreadReadResponse,
    "thread/turns/list": ThreadTurnsListParams => ThreadTurnsListResponse,
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
    "turn/start": TurnStartParams => TurnStartResponse,
    "turn/steer": TurnSteerParams => TurnSteerResponse,
    "turn/interrupt": TurnInterruptParams => TurnInterruptResponse,
    "review/start": ReviewStartParams => ReviewStartResponse,
    "model/list": ModelListParams => ModelListResponse,
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
    "account/login/start": LoginAccountParams => LoginAccountResponse,
    "account/login/cancel": CancelLoginAccountParams => CancelLoginAccountResponse,
    "account/logout": AccountLogoutParams => LogoutAccountResponse,
    "account/securitySetup/read": AccountSecuritySetupReadParams => GetAccountSecuritySetupResponse,
    "account/rateLimits/read": GetAccountRateLimitsParams => GetAccountRateLimitsResponse,
    "account/rateLimitResetCredit/consume": ConsumeAccountRateLimitResetCreditParams => ConsumeAccountRateLimitResetCreditResponse,
    "account/usage/read": GetAccountTokenUsageParams => GetAccountTokenUsageResponse,
    "account/workspaceMessages/read": AccountWorkspaceMessagesReadParams => GetWorkspaceMessagesResponse,
    "account/sendAddCreditsNudgeEmail": SendAddCreditsNudgeEmailParams => SendAddCreditsNudgeEmailResponse,
    "feedback/upload": FeedbackUploadParams => FeedbackUploadResponse,
    "feedback/save": FeedbackSaveParams => FeedbackSaveResponse,
    "command/exec": CommandExecParams => CommandExecResponse,
    "command/exec/write": CommandExecWriteParams => CommandExecWriteResponse,
    "command/exec/terminate": CommandExecTerminateParams => CommandExecTerminateResponse,
    "command/exec/resize": CommandExecResizeParams => CommandExecResizeResponse,
    "config/read": ConfigReadParams => ConfigReadResponse,
    "externalAgentConfig/detect": ExternalAgentConfigDetectParams => ExternalAgentConfigDetectResponse,
    "externalAgentConfig/import": ExternalAgentConfigImportParams => ExternalAgentConfigImportResponse,
    "externalAgentConfig/import/recordHistory": ExternalAgentConfigImportHistoryRecordParams => ExternalAgentConfigImportHistoryRecordResponse,
    "externalAgentConfig/import/readHistories": ExternalAgentConfigImportReadHistoriesParams => ExternalAgentConfigImportHistoriesReadResponse,
    "config/value/write": ConfigValueWriteParams => ConfigWriteResponse,
    "config/batchWrite": ConfigBatchWriteParams => ConfigWriteResponse,
    "configRequirements/read": ConfigRequirementsReadParams => ConfigRequirementsReadResponse,
    "account/read": GetAccountParams => GetAccountResponse,
    "fuzzyFileSearch": FuzzyFileSearchParams => FuzzyFileSearchResponse,
}
