//! Objects that only the family `tools` uses.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
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
    /// What the server tells with `skills/changed`.
    pub struct SkillsChangedNotification {
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
