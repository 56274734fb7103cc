//! The experimental requests, and the enums and unions that only they use.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use super::*;
use crate::protocol::request::{methods, no_params, requests};
use crate::protocol::wire::{convert, shared, string_enum, tagged, untagged};

methods! {
    experimental: true;
    /// The requests of the experimental API.
    pub const EXPERIMENTAL_REQUESTS;
    "server/diagnostics": ServerDiagnosticsParams => ServerDiagnosticsResponse,
    "userVerification/status": UserVerificationStatusParams => UserVerificationStatusResponse,
    "userVerification/enroll": UserVerificationEnrollParams => UserVerificationEnrollResponse,
    "userVerification/delete": UserVerificationDeleteParams => UserVerificationDeleteResponse,
    "userVerification/verify": UserVerificationVerifyParams => UserVerificationVerifyResponse,
    "userVerification/cancel": UserVerificationCancelParams => UserVerificationCancelResponse,
    "thread/sample": ThreadSampleParams => ThreadSampleResponse,
    "thread/sample/cancel": ThreadSampleCancelParams => ThreadSampleCancelResponse,
    "thread/increment_elicitation": ThreadIncrementElicitationParams => ThreadIncrementElicitationResponse,
    "thread/decrement_elicitation": ThreadDecrementElicitationParams => ThreadDecrementElicitationResponse,
    "thread/prediction/request": ThreadPredictionRequestParams => ThreadPredictionRequestResponse,
    "thread/queue/add": ThreadQueueAddParams => ThreadQueueAddResponse,
    "thread/queue/list": ThreadQueueListParams => ThreadQueueListResponse,
    "thread/queue/update": ThreadQueueUpdateParams => ThreadQueueUpdateResponse,
    "thread/queue/delete": ThreadQueueDeleteParams => ThreadQueueDeleteResponse,
    "thread/queue/reorder": ThreadQueueReorderParams => ThreadQueueReorderResponse,
    "thread/queue/start": ThreadQueueStartParams => ThreadQueueStartResponse,
    "thread/settings/update": ThreadSettingsUpdateParams => ThreadSettingsUpdateResponse,
    "thread/memoryMode/set": ThreadMemoryModeSetParams => ThreadMemoryModeSetResponse,
    "thread/memory/read": ThreadMemoryReadParams => ThreadMemoryReadResponse,
    "memory/status": MemoryStatusParams => MemoryStatusResponse,
    "memory/reset": MemoryResetParams => MemoryResetResponse,
    "rollout/compress": RolloutCompressParams => RolloutCompressResponse,
    "thread/backgroundTerminals/clean": ThreadBackgroundTerminalsCleanParams => ThreadBackgroundTerminalsCleanResponse,
    "thread/backgroundTerminals/list": ThreadBackgroundTerminalsListParams => ThreadBackgroundTerminalsListResponse,
    "thread/backgroundTerminals/terminate": ThreadBackgroundTerminalsTerminateParams => ThreadBackgroundTerminalsTerminateResponse,
    "project/list": ProjectListParams => ProjectListResponse,
    "project/read": ProjectReadParams => ProjectReadResponse,
    "project/create": ProjectCreateParams => ProjectCreateResponse,
    "project/import": ProjectImportParams => ProjectImportResponse,
    "project/update": ProjectUpdateParams => ProjectUpdateResponse,
    "project/move": ProjectMoveParams => ProjectMoveResponse,
    "project/delete": ProjectDeleteParams => ProjectDeleteResponse,
    "thread/search": ThreadSearchParams => ThreadSearchResponse,
    "thread/searchOccurrences": ThreadSearchOccurrencesParams => ThreadSearchOccurrencesResponse,
    "thread/readState/update": ThreadReadStateUpdateParams => ThreadReadStateUpdateResponse,
    "thread/items/read": ThreadItemsReadParams => ThreadItemsReadResponse,
    "thread/guardianReview": ThreadGuardianReviewParams => ThreadGuardianReviewResponse,
    "thread/prepareApprovedPlan": ThreadPrepareApprovedPlanParams => ThreadPrepareApprovedPlanResponse,
    "plugin/search": PluginSearchParams => PluginSearchResponse,
    "turn/settings/update": TurnSettingsUpdateParams => TurnSettingsUpdateResponse,
    "thread/realtime/start": ThreadRealtimeStartParams => ThreadRealtimeStartResponse,
    "thread/realtime/appendAudio": ThreadRealtimeAppendAudioParams => ThreadRealtimeAppendAudioResponse,
    "thread/realtime/appendText": ThreadRealtimeAppendTextParams => ThreadRealtimeAppendTextResponse,
    "thread/realtime/appendSpeech": ThreadRealtimeAppendSpeechParams => ThreadRealtimeAppendSpeechResponse,
    "thread/realtime/stop": ThreadRealtimeStopParams => ThreadRealtimeStopResponse,
    "thread/timeline/list": ThreadTimelineListParams => ThreadTimelineListResponse,
    "thread/realtime/listVoices": ThreadRealtimeListVoicesParams => ThreadRealtimeListVoicesResponse,
    "remoteControl/enable": RemoteControlEnableParams => RemoteControlEnableResponse,
    "remoteControl/disable": RemoteControlDisableParams => RemoteControlDisableResponse,
    "remoteControl/status/read": RemoteControlStatusReadParams => RemoteControlStatusReadResponse,
    "remoteControl/pairing/start": RemoteControlPairingStartParams => RemoteControlPairingStartResponse,
    "remoteControl/pairing/status": RemoteControlPairingStatusParams => RemoteControlPairingStatusResponse,
    "remoteControl/client/list": RemoteControlClientsListParams => RemoteControlClientsListResponse,
    "remoteControl/client/revoke": RemoteControlClientsRevokeParams => RemoteControlClientsRevokeResponse,
    "collaborationMode/list": CollaborationModeListParams => CollaborationModeListResponse,
    "mock/experimentalMethod": MockExperimentalMethodParams => MockExperimentalMethodResponse,
    "environment/add": EnvironmentAddParams => EnvironmentAddResponse,
    "environment/info": EnvironmentInfoParams => EnvironmentInfoResponse,
    "environment/status": EnvironmentStatusParams => EnvironmentStatusResponse,
    "mcpServer/event/stream/start": McpServerEventStreamStartParams => McpServerEventStreamStartResponse,
    "mcpServer/event/stream/stop": McpServerEventStreamStopParams => McpServerEventStreamStopResponse,
    "account/bedrock/discover": BedrockDiscoverParams => BedrockDiscoverResponse,
    "account/bedrock/setup": BedrockSetupParams => BedrockSetupResponse,
    "account/gcp/setup": GcpSetupParams => GcpSetupResponse,
    "account/bedrock/checkGovCloudRequirements": BedrockCheckGovCloudRequirementsParams => BedrockCheckGovCloudRequirementsResponse,
    "accountSession/list": AccountSessionsListParams => AccountSessionsResponse,
    "accountSession/switch": AccountSessionsSwitchParams => AccountSessionsSwitchResponse,
    "process/spawn": ProcessSpawnParams => ProcessSpawnResponse,
    "process/writeStdin": ProcessWriteStdinParams => ProcessWriteStdinResponse,
    "process/kill": ProcessKillParams => ProcessKillResponse,
    "process/resizePty": ProcessResizePtyParams => ProcessResizePtyResponse,
    "fuzzyFileSearch/sessionStart": FuzzyFileSearchSessionStartParams => FuzzyFileSearchSessionStartResponse,
    "fuzzyFileSearch/sessionUpdate": FuzzyFileSearchSessionUpdateParams => FuzzyFileSearchSessionUpdateResponse,
    "fuzzyFileSearch/sessionStop": FuzzyFileSearchSessionStopParams => FuzzyFileSearchSessionStopResponse,
}

no_params! {
    /// Parameters of `memory/reset`, which takes none: they are sent as null.
    pub struct MemoryResetParams;
    /// Parameters of `rollout/compress`, which takes none: they are sent as null.
    pub struct RolloutCompressParams;
    /// Parameters of `remoteControl/status/read`, which takes none: they are sent as null.
    pub struct RemoteControlStatusReadParams;
}

requests! {
    experimental: true;
    "server/diagnostics": ServerDiagnosticsParams => ServerDiagnosticsResponse,
    "userVerification/status": UserVerificationStatusParams => UserVerificationStatusResponse,
    "userVerification/enroll": UserVerificationEnrollParams => UserVerificationEnrollResponse,
    "userVerification/delete": UserVerificationDeleteParams => UserVerificationDeleteResponse,
    "userVerification/verify": UserVerificationVerifyParams => UserVerificationVerifyResponse,
    "userVerification/cancel": UserVerificationCancelParams => UserVerificationCancelResponse,
    "thread/sample": ThreadSampleParams => ThreadSampleResponse,
    "thread/sample/cancel": ThreadSampleCancelParams => ThreadSampleCancelResponse,
    "thread/increment_elicitation": ThreadIncrementElicitationParams => ThreadIncrementElicitationResponse,
    "thread/decrement_elicitation": ThreadDecrementElicitationParams => ThreadDecrementElicitationResponse,
    "thread/prediction/request": ThreadPredictionRequestParams => ThreadPredictionRequestResponse,
    "thread/queue/add": ThreadQueueAddParams => ThreadQueueAddResponse,
    "thread/queue/list": ThreadQueueListParams => ThreadQueueListResponse,
    "thread/queue/update": ThreadQueueUpdateParams => ThreadQueueUpdateResponse,
    "thread/queue/delete": ThreadQueueDeleteParams => ThreadQueueDeleteResponse,
    "thread/queue/reorder": ThreadQueueReorderParams => ThreadQueueReorderResponse,
    "thread/queue/start": ThreadQueueStartParams => ThreadQueueStartResponse,
    "thread/settings/update": ThreadSettingsUpdateParams => ThreadSettingsUpdateResponse,
    "thread/memoryMode/set": ThreadMemoryModeSetParams => ThreadMemoryModeSetResponse,
    "thread/memory/read": ThreadMemoryReadParams => ThreadMemoryReadResponse,
    "memory/status": MemoryStatusParams => MemoryStatusResponse,
    "memory/reset": MemoryResetParams => MemoryResetResponse,
    "rollout/compress": RolloutCompressParams => RolloutCompressResponse,
    "thread/backgroundTerminals/clean": ThreadBackgroundTerminalsCleanParams => ThreadBackgroundTerminalsCleanResponse,
    "thread/backgroundTerminals/list": ThreadBackgroundTerminalsListParams => ThreadBackgroundTerminalsListResponse,
    "thread/backgroundTerminals/terminate": ThreadBackgroundTerminalsTerminateParams => ThreadBackgroundTerminalsTerminateResponse,
    "project/list": ProjectListParams => ProjectListResponse,
    "project/read": ProjectReadParams => ProjectReadResponse,
    "project/create": ProjectCreateParams => ProjectCreateResponse,
    "project/import": ProjectImportParams => ProjectImportResponse,
    "project/update": ProjectUpdateParams => ProjectUpdateResponse,
    "project/move": ProjectMoveParams => ProjectMoveResponse,
    "project/delete": ProjectDeleteParams => ProjectDeleteResponse,
    "thread/search": ThreadSearchParams => ThreadSearchResponse,
    "thread/searchOccurrences": ThreadSearchOccurrencesParams => ThreadSearchOccurrencesResponse,
    "thread/readState/update": ThreadReadStateUpdateParams => ThreadReadStateUpdateResponse,
    "thread/items/read": ThreadItemsReadParams => ThreadItemsReadResponse,
    "thread/guardianReview": ThreadGuardianReviewParams => ThreadGuardianReviewResponse,
    "thread/prepareApprovedPlan": ThreadPrepareApprovedPlanParams => ThreadPrepareApprovedPlanResponse,
    "plugin/search": PluginSearchParams => PluginSearchResponse,
    "turn/settings/update": TurnSettingsUpdateParams => TurnSettingsUpdateResponse,
    "thread/realtime/start": ThreadRealtimeStartParams => ThreadRealtimeStartResponse,
    "thread/realtime/appendAudio": ThreadRealtimeAppendAudioParams => ThreadRealtimeAppendAudioResponse,
    "thread/realtime/appendText": ThreadRealtimeAppendTextParams => ThreadRealtimeAppendTextResponse,
    "thread/realtime/appendSpeech": ThreadRealtimeAppendSpeechParams => ThreadRealtimeAppendSpeechResponse,
    "thread/realtime/stop": ThreadRealtimeStopParams => ThreadRealtimeStopResponse,
    "thread/timeline/list": ThreadTimelineListParams => ThreadTimelineListResponse,
    "thread/realtime/listVoices": ThreadRealtimeListVoicesParams => ThreadRealtimeListVoicesResponse,
    "remoteControl/enable": RemoteControlEnableParams => RemoteControlEnableResponse,
    "remoteControl/disable": RemoteControlDisableParams => RemoteControlDisableResponse,
    "remoteControl/status/read": RemoteControlStatusReadParams => RemoteControlStatusReadResponse,
    "remoteControl/pairing/start": RemoteControlPairingStartParams => RemoteControlPairingStartResponse,
    "remoteControl/pairing/status": RemoteControlPairingStatusParams => RemoteControlPairingStatusResponse,
    "remoteControl/client/list": RemoteControlClientsListParams => RemoteControlClientsListResponse,
    "remoteControl/client/revoke": RemoteControlClientsRevokeParams => RemoteControlClientsRevokeResponse,
    "collaborationMode/list": CollaborationModeListParams => CollaborationModeListResponse,
    "mock/experimentalMethod": MockExperimentalMethodParams => MockExperimentalMethodResponse,
    "environment/add": EnvironmentAddParams => EnvironmentAddResponse,
    "environment/info": EnvironmentInfoParams => EnvironmentInfoResponse,
    "environment/status": EnvironmentStatusParams => EnvironmentStatusResponse,
    "mcpServer/event/stream/start": McpServerEventStreamStartParams => McpServerEventStreamStartResponse,
    "mcpServer/event/stream/stop": McpServerEventStreamStopParams => McpServerEventStreamStopResponse,
    "account/bedrock/discover": BedrockDiscoverParams => BedrockDiscoverResponse,
    "account/bedrock/setup": BedrockSetupParams => BedrockSetupResponse,
    "account/gcp/setup": GcpSetupParams => GcpSetupResponse,
    "account/bedrock/checkGovCloudRequirements": BedrockCheckGovCloudRequirementsParams => BedrockCheckGovCloudRequirementsResponse,
    "accountSession/list": AccountSessionsListParams => AccountSessionsResponse,
    "accountSession/switch": AccountSessionsSwitchParams => AccountSessionsSwitchResponse,
    "process/spawn": ProcessSpawnParams => ProcessSpawnResponse,
    "process/writeStdin": ProcessWriteStdinParams => ProcessWriteStdinResponse,
    "process/kill": ProcessKillParams => ProcessKillResponse,
    "process/resizePty": ProcessResizePtyParams => ProcessResizePtyResponse,
    "fuzzyFileSearch/sessionStart": FuzzyFileSearchSessionStartParams => FuzzyFileSearchSessionStartResponse,
    "fuzzyFileSearch/sessionUpdate": FuzzyFileSearchSessionUpdateParams => FuzzyFileSearchSessionUpdateResponse,
    "fuzzyFileSearch/sessionStop": FuzzyFileSearchSessionStopParams => FuzzyFileSearchSessionStopResponse,
}

string_enum! {
    /// Used by `accountSession/list`, `accountSession/switch`.
    pub enum AccountSessionWorkspaceKind {
        Personal = "personal",
        Workspace = "workspace",
    }
}

untagged! {
    /// Reply to `accountSession/switch`.
    ///
    /// Belongs to the experimental API.
    pub enum AccountSessionsSwitchResponse {
        /// A [`SessionsAccountSessionsSwitchResponse`].
        Sessions(SessionsAccountSessionsSwitchResponse) = [
            Shape::Object {
                required: &["sessions"],
                optional: &["activeSessionId"],
                words: &[],
            },
        ],
        /// A [`AuthUrlAccountSessionsSwitchResponse`].
        AuthUrl(AuthUrlAccountSessionsSwitchResponse) = [
            Shape::Object {
                required: &["auth_url", "login_id"],
                optional: &[],
                words: &[],
            },
        ],
    }
}

string_enum! {
    /// Used by `account/bedrock/discover`.
    ///
    /// Belongs to the experimental API.
    pub enum AwsCredentialType {
        AccessKeys = "accessKeys",
        BedrockApiKey = "bedrockApiKey",
    }
}

tagged! {
    /// Parameters of `account/bedrock/setup`.
    ///
    /// Belongs to the experimental API.
    pub enum BedrockSetupParams by "type" {
        Profile(item: ProfileBedrockSetupParams) = "profile",
        Environment(item: EnvironmentBedrockSetupParams) = "environment",
    }
}

shared! {
    BedrockSetupParams {
        region = "region" in [
            Profile,
            Environment,
        ],
    }
}

convert! {
    BedrockSetupParams {
        Profile(ProfileBedrockSetupParams),
        Environment(EnvironmentBedrockSetupParams),
    }
}

string_enum! {
    /// Used by `thread/realtime/start`.
    pub enum CodexResponseHandoffMode {
        Thinking = "thinking",
        Commentary = "commentary",
        BemTags = "bemTags",
    }
}

string_enum! {
    /// Used by `thread/realtime/start`, `thread/realtime/appendText`.
    pub enum ConversationTextRole {
        User = "user",
        Developer = "developer",
        Assistant = "assistant",
    }
}

string_enum! {
    /// Used by `environment/status`.
    ///
    /// Belongs to the experimental API.
    pub enum EnvironmentStatusKind {
        Ready = "ready",
        Pending = "pending",
        Disconnected = "disconnected",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `thread/guardianReview`.
    ///
    /// Belongs to the experimental API.
    pub enum GuardianAssessmentOutcome {
        Allow = "allow",
        Deny = "deny",
    }
}

/// Used by `environment/info`.
pub type PathUri = String;

string_enum! {
    /// Used by `plugin/search`.
    pub enum PluginSearchScope {
        Global = "global",
        Workspace = "workspace",
        Personal = "personal",
    }
}

string_enum! {
    /// Used by `project/list`.
    pub enum ProjectSortKey {
        Position = "position",
        RecencyAt = "recencyAt",
    }
}

string_enum! {
    /// Used by `thread/realtime/start`.
    pub enum RealtimeOutputModality {
        Text = "text",
        Audio = "audio",
    }
}

string_enum! {
    /// Used by `thread/realtime/start`, `thread/realtime/listVoices`.
    pub enum RealtimeVoice {
        Alloy = "alloy",
        Arbor = "arbor",
        Ash = "ash",
        Aube = "aube",
        Ballad = "ballad",
        Breeze = "breeze",
        Bubbie = "bubbie",
        Cedar = "cedar",
        Coral = "coral",
        Cove = "cove",
        Echo = "echo",
        Ember = "ember",
        Haetsal = "haetsal",
        Hanul = "hanul",
        Himari = "himari",
        Juniper = "juniper",
        Leher = "leher",
        Maple = "maple",
        Marin = "marin",
        Miko = "miko",
        Neer = "neer",
        Porto = "porto",
        Rindo = "rindo",
        Rio = "rio",
        Rivage = "rivage",
        Sage = "sage",
        Selva = "selva",
        Shimmer = "shimmer",
        Sol = "sol",
        Sonna = "sonna",
        Spruce = "spruce",
        Tinta = "tinta",
        Vale = "vale",
        Verse = "verse",
        Viola = "viola",
    }
}

string_enum! {
    /// Used by `remoteControl/client/list`.
    ///
    /// Belongs to the experimental API.
    pub enum RemoteControlClientsListOrder {
        Asc = "asc",
        Desc = "desc",
    }
}

string_enum! {
    /// Used by `thread/memoryMode/set`.
    pub enum ThreadMemoryMode {
        Enabled = "enabled",
        Disabled = "disabled",
    }
}

tagged! {
    /// Used by `thread/readState/update`.
    pub enum ThreadReadStateOperation by "type" {
        Read = "read",
        Unread = "unread",
    }
}

tagged! {
    /// Used by `thread/realtime/start`.
    pub enum ThreadRealtimeStartTransport by "type" {
        Websocket = "websocket",
        Webrtc(item: WebrtcThreadRealtimeStartTransport) = "webrtc",
        ExistingCall(item: ExistingCallThreadRealtimeStartTransport) = "existingCall",
    }
}

convert! {
    ThreadRealtimeStartTransport {
        Webrtc(WebrtcThreadRealtimeStartTransport),
        ExistingCall(ExistingCallThreadRealtimeStartTransport),
    }
}

string_enum! {
    /// Used by `thread/search`.
    pub enum ThreadSearchSortKey {
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        RecencyAt = "recency_at",
    }
}

tagged! {
    /// Used by `thread/timeline/list`.
    pub enum ThreadTimelineEntry by "type" {
        Item(item: Box<ItemThreadTimelineEntry>) = "item",
        Realtime(item: Box<RealtimeThreadTimelineEntry>) = "realtime",
        TurnStarted(item: Box<TurnStartedThreadTimelineEntry>) = "turnStarted",
        TurnCompleted(item: Box<TurnCompletedThreadTimelineEntry>) = "turnCompleted",
    }
}

string_enum! {
    /// Used by `turn/settings/update`.
    ///
    /// Belongs to the experimental API.
    pub enum TurnSettingsUpdateStatus {
        Applied = "applied",
        TargetUnavailable = "targetUnavailable",
    }
}

string_enum! {
    /// Used by `userVerification/status`.
    ///
    /// Belongs to the experimental API.
    pub enum UserVerificationUnavailableReason {
        CredentialMissing = "credentialMissing",
        BiometricsUnavailable = "biometricsUnavailable",
        ProviderUnavailable = "providerUnavailable",
    }
}
