//! Objects that only the family `accounts` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

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
    /// `amazonBedrock` of [`AccountDetails`].
    pub struct AmazonBedrockAccountDetails {
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
    /// `chatgpt` of [`AccountDetails`].
    pub struct ChatgptAccountDetails {
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
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub struct CreditsSnapshot {
        pub balance: Option<String> = "balance",
        pub has_credits: bool = "hasCredits",
        pub unlimited: bool = "unlimited",
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
        pub account: Option<AccountDetails> = "account",
        pub requires_openai_auth: bool = "requiresOpenaiAuth",
        pub user_id: Option<String> = "userId",
        /// Belongs to the experimental API.
        pub workspace_routing: Option<WorkspaceRouting> = "workspaceRouting",
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
    /// Used by `account/read`.
    pub struct WorkspaceRouting {
        pub account_routing_override: AccountRoutingOverride = "accountRoutingOverride",
        pub backend_origin: String = "backendOrigin",
        pub chatgpt_account_id: String = "chatgptAccountId",
    }
}
