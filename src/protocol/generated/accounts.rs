//! Objects that only the family `accounts` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::Setting;
use crate::protocol::wire::{build, object};

object! {
    /// What the server tells with `account/login/completed`.
    pub struct AccountLoginCompletedNotification {
        pub error: Option<String> = "error",
        pub login_id: Option<String> = "loginId",
        pub onboarding_entrypoint: Option<DesktopOnboardingEntrypoint> = "onboardingEntrypoint",
        pub success: bool = "success",
    }
}

object! {
    /// What the server tells with `account/rateLimits/updated`.
    pub struct AccountRateLimitsUpdatedNotification {
        pub rate_limits: RateLimitSnapshot = "rateLimits",
    }
}

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
    /// What the server tells with `account/updated`.
    pub struct AccountUpdatedNotification {
        pub auth_mode: Option<AuthMode> = "authMode",
        pub plan_type: Option<PlanType> = "planType",
    }
}

object! {
    /// `amazonBedrockAccessKeys` of [`LoginAccountParams`].
    pub struct AmazonBedrockAccessKeysLoginAccountParams {
        pub access_key_id: String = "accessKeyId",
        pub region: String = "region",
        pub secret_access_key: String = "secretAccessKey",
        pub session_token: Setting<String> = "sessionToken",
    }
}

build! {
    AmazonBedrockAccessKeysLoginAccountParams(
        access_key_id: String,
        region: String,
        secret_access_key: String,
    ) {
        session_token: Setting<String>,
    }
}

object! {
    /// `amazonBedrock` of [`Account`].
    pub struct AmazonBedrockAccount {
        pub uses_codex_managed_credentials: Option<bool> = "usesCodexManagedCredentials",
    }
}

object! {
    /// `amazonBedrock` of [`LoginAccountParams`].
    pub struct AmazonBedrockLoginAccountParams {
        pub api_key: String = "apiKey",
        pub region: String = "region",
    }
}

build! {
    AmazonBedrockLoginAccountParams(api_key: String, region: String) {}
}

object! {
    /// `apiKey` of [`LoginAccountParams`].
    pub struct ApiKeyLoginAccountParams {
        pub api_key: String = "apiKey",
    }
}

build! {
    ApiKeyLoginAccountParams(api_key: String) {}
}

object! {
    /// Parameters of `account/login/cancel`.
    pub struct CancelLoginAccountParams {
        pub login_id: String = "loginId",
    }
}

build! {
    CancelLoginAccountParams(login_id: String) {}
}

object! {
    /// Reply to `account/login/cancel`.
    pub struct CancelLoginAccountResponse {
        pub status: CancelLoginAccountStatus = "status",
    }
}

object! {
    /// `chatgpt` of [`Account`].
    pub struct ChatgptAccount {
        /// Always there, but may be null.
        pub email: Option<String> = "email" or null,
        pub plan_type: PlanType = "planType",
        pub workspace_name: Option<String> = "workspaceName",
    }
}

object! {
    /// `chatgptAuthTokens` of [`LoginAccountParams`].
    pub struct ChatgptAuthTokensLoginAccountParams {
        pub access_token: String = "accessToken",
        pub chatgpt_account_id: String = "chatgptAccountId",
        pub chatgpt_plan_type: Setting<String> = "chatgptPlanType",
    }
}

build! {
    ChatgptAuthTokensLoginAccountParams(chatgpt_account_id: String, access_token: String) {
        chatgpt_plan_type: Setting<String>,
    }
}

object! {
    /// What the server asks with `account/chatgptAuthTokens/refresh`.
    pub struct ChatgptAuthTokensRefreshParams {
        pub previous_account_id: Option<String> = "previousAccountId",
        pub reason: ChatgptAuthTokensRefreshReason = "reason",
    }
}

object! {
    /// Answer to `account/chatgptAuthTokens/refresh`.
    pub struct ChatgptAuthTokensRefreshResponse {
        pub access_token: String = "accessToken",
        pub chatgpt_account_id: String = "chatgptAccountId",
        pub chatgpt_plan_type: Setting<String> = "chatgptPlanType",
    }
}

build! {
    ChatgptAuthTokensRefreshResponse(chatgpt_account_id: String, access_token: String) {
        chatgpt_plan_type: Setting<String>,
    }
}

object! {
    /// `chatgptDeviceCode` of [`LoginAccountResponse`].
    pub struct ChatgptDeviceCodeLoginAccountResponse {
        pub login_id: String = "loginId",
        pub user_code: String = "userCode",
        pub verification_url: String = "verificationUrl",
    }
}

object! {
    /// `chatgpt` of [`LoginAccountParams`].
    #[derive(Default)]
    pub struct ChatgptLoginAccountParams {
        pub app_brand: Setting<LoginAppBrand> = "appBrand",
        pub codex_streamlined_login: Option<bool> = "codexStreamlinedLogin",
        pub use_hosted_login_success_page: Option<bool> = "useHostedLoginSuccessPage",
    }
}

build! {
    ChatgptLoginAccountParams() {
        app_brand: Setting<LoginAppBrand>,
        codex_streamlined_login: bool,
        use_hosted_login_success_page: bool,
    }
}

object! {
    /// `chatgpt` of [`LoginAccountResponse`].
    pub struct ChatgptLoginAccountResponse {
        pub auth_url: String = "authUrl",
        pub login_id: String = "loginId",
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
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub struct CreditsSnapshot {
        pub balance: Option<String> = "balance",
        pub has_credits: bool = "hasCredits",
        pub unlimited: bool = "unlimited",
    }
}

object! {
    /// Reply to `account/gatewayOAuth/cancel`.
    pub struct GatewayOAuthCancelResponse {
    }
}

object! {
    /// What the server tells with `account/gatewayOAuth/changed`.
    pub struct GatewayOAuthChangedNotification {
        pub auth_url: Option<String> = "authUrl",
        pub error: Option<String> = "error",
        pub login_id: Option<String> = "loginId",
        pub provider_id: String = "providerId",
        pub status: GatewayOAuthStatus = "status",
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
    /// Parameters of `account/read`.
    #[derive(Default)]
    pub struct GetAccountParams {
        pub refresh_token: Option<bool> = "refreshToken",
    }
}

build! {
    GetAccountParams() {
        refresh_token: bool,
    }
}

object! {
    /// Parameters of `account/rateLimits/read`.
    #[derive(Default)]
    pub struct GetAccountRateLimitsParams {
        pub exclude_reset_credit_details: Option<bool> = "excludeResetCreditDetails",
        pub supports_luna_reserve: Option<bool> = "supportsLunaReserve",
    }
}

build! {
    GetAccountRateLimitsParams() {
        exclude_reset_credit_details: bool,
        supports_luna_reserve: bool,
    }
}

object! {
    /// Reply to `account/rateLimits/read`.
    pub struct GetAccountRateLimitsResponse {
        pub account_id: Option<String> = "accountId",
        pub ordinary_usage_allowed: Option<bool> = "ordinaryUsageAllowed",
        pub rate_limit_reset_credits: Option<RateLimitResetCreditsSummary> = "rateLimitResetCredits",
        pub rate_limit_upsell: Option<Value> = "rateLimitUpsell",
        pub rate_limits: RateLimitSnapshot = "rateLimits",
        pub rate_limits_by_limit_id: Option<BTreeMap<String, RateLimitSnapshot>> = "rateLimitsByLimitId",
    }
}

object! {
    /// Reply to `account/read`.
    pub struct GetAccountResponse {
        pub account: Option<Account> = "account",
        pub requires_openai_auth: bool = "requiresOpenaiAuth",
        pub user_id: Option<String> = "userId",
        /// Belongs to the experimental API.
        pub workspace_routing: Option<WorkspaceRouting> = "workspaceRouting",
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
    /// Reply to `account/logout`.
    pub struct LogoutAccountResponse {
    }
}

object! {
    /// Used by `account/rateLimits/read`.
    pub struct RateLimitResetCredit {
        pub description: Option<String> = "description",
        /// Unix seconds.
        pub expires_at: Option<i64> = "expiresAt",
        /// Unix seconds.
        pub granted_at: i64 = "grantedAt",
        pub id: String = "id",
        pub reset_type: RateLimitResetType = "resetType",
        pub status: RateLimitResetCreditStatus = "status",
        pub title: Option<String> = "title",
    }
}

object! {
    /// Used by `account/rateLimits/read`.
    pub struct RateLimitResetCreditsSummary {
        pub available_count: i64 = "availableCount",
        pub credits: Option<Vec<RateLimitResetCredit>> = "credits",
    }
}

object! {
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub struct RateLimitSnapshot {
        pub credits: Option<CreditsSnapshot> = "credits",
        pub individual_limit: Option<SpendControlLimitSnapshot> = "individualLimit",
        pub limit_id: Option<String> = "limitId",
        pub limit_name: Option<String> = "limitName",
        pub normal_model_slug: Option<String> = "normalModelSlug",
        pub plan_type: Option<PlanType> = "planType",
        pub primary: Option<RateLimitWindow> = "primary",
        pub rate_limit_reached_type: Option<RateLimitReachedType> = "rateLimitReachedType",
        pub secondary: Option<RateLimitWindow> = "secondary",
        pub spend_control_reached: Option<bool> = "spendControlReached",
    }
}

object! {
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub struct RateLimitWindow {
        /// Unix seconds.
        pub resets_at: Option<i64> = "resetsAt",
        /// Per cent.
        pub used_percent: i32 = "usedPercent",
        pub window_duration_mins: Option<i64> = "windowDurationMins",
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
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub struct SpendControlLimitSnapshot {
        pub limit: String = "limit",
        /// Per cent.
        pub remaining_percent: i32 = "remainingPercent",
        /// Unix seconds.
        pub resets_at: i64 = "resetsAt",
        pub used: String = "used",
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

object! {
    /// Used by `account/read`.
    pub struct WorkspaceRouting {
        pub account_routing_override: AccountRoutingOverride = "accountRoutingOverride",
        pub backend_origin: String = "backendOrigin",
        pub chatgpt_account_id: String = "chatgptAccountId",
    }
}
