//! Objects that only the family `accounts` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

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
