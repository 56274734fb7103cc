//! Enums of words, open to new ones.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use crate::protocol::wire::string_enum;

string_enum! {
    /// Used by `account/read`.
    pub enum AccountRoutingOverride {
        NoConstraint = "NO_CONSTRAINT",
        Us = "us",
        UsCr = "us_cr",
    }
}

string_enum! {
    /// Used by `turn/start`, `turn/steer`.
    pub enum AdditionalContextKind {
        Untrusted = "untrusted",
        Application = "application",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum AgentMessageDelivery {
        Async = "async",
    }
}

string_enum! {
    /// Used by `config/read`, `configRequirements/read`.
    pub enum AllowDenyRequirement {
        Allow = "allow",
        Deny = "deny",
    }
}

string_enum! {
    /// Used by `config/read`.
    pub enum AppToolApproval {
        Auto = "auto",
        Prompt = "prompt",
        Writes = "writes",
        Approve = "approve",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 6 more methods.
    pub enum ApprovalsReviewer {
        User = "user",
        AutoReview = "auto_review",
        GuardianSubagent = "guardian_subagent",
    }
}

string_enum! {
    /// Used by `account/updated`.
    pub enum AuthMode {
        Apikey = "apikey",
        Chatgpt = "chatgpt",
        ChatgptAuthTokens = "chatgptAuthTokens",
        Headers = "headers",
        AgentIdentity = "agentIdentity",
        PersonalAccessToken = "personalAccessToken",
        BedrockApiKey = "bedrockApiKey",
        BedrockAccessKeys = "bedrockAccessKeys",
    }
}

string_enum! {
    /// Used by `config/read`.
    pub enum AutoCompactTokenLimitScope {
        Total = "total",
        BodyAfterPrefix = "body_after_prefix",
    }
}

string_enum! {
    /// Used by `item/autoApprovalReview/completed`.
    pub enum AutoReviewDecisionSource {
        Agent = "agent",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum BrowserUseAccessApprovalLifetime {
        Turn = "turn",
        Thread = "thread",
    }
}

string_enum! {
    /// Used by `account/login/cancel`.
    pub enum CancelLoginAccountStatus {
        Canceled = "canceled",
        NotFound = "notFound",
    }
}

string_enum! {
    /// Used by `account/chatgptAuthTokens/refresh`.
    pub enum ChatgptAuthTokensRefreshReason {
        Unauthorized = "unauthorized",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum CliAuthCredentialsStoreMode {
        File = "file",
        Keyring = "keyring",
        Auto = "auto",
        Ephemeral = "ephemeral",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CollabAgentStatus {
        PendingInit = "pendingInit",
        Running = "running",
        Interrupted = "interrupted",
        Completed = "completed",
        Errored = "errored",
        Shutdown = "shutdown",
        NotFound = "notFound",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CollabAgentTool {
        SpawnAgent = "spawnAgent",
        SendInput = "sendInput",
        ResumeAgent = "resumeAgent",
        Wait = "wait",
        CloseAgent = "closeAgent",
        SendMessage = "sendMessage",
        FollowupTask = "followupTask",
        InterruptAgent = "interruptAgent",
        ListAgents = "listAgents",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CollabAgentToolCallStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        Interrupted = "interrupted",
    }
}

string_enum! {
    /// Used by `command/exec/outputDelta`.
    pub enum CommandExecOutputStream {
        Stdout = "stdout",
        Stderr = "stderr",
    }
}

string_enum! {
    /// Used by `item/commandExecution/requestApproval`.
    pub enum CommandExecutionApprovalKind {
        Command = "command",
        WriteStdin = "writeStdin",
        HumanCommand = "humanCommand",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CommandExecutionSource {
        Agent = "agent",
        UserShell = "userShell",
        UnifiedExecStartup = "unifiedExecStartup",
        UnifiedExecInteraction = "unifiedExecInteraction",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CommandExecutionStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        Declined = "declined",
    }
}

string_enum! {
    /// Used by `turn/start`, `model/list`.
    pub enum CyberAccessProgram {
        Standard = "standard",
        DaybreakBlue = "daybreakBlue",
        DaybreakRed = "daybreakRed",
    }
}

string_enum! {
    /// Used by `account/login/completed`.
    pub enum DesktopOnboardingEntrypoint {
        LifeSciences = "life_sciences",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum DynamicToolCallStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
    }
}

string_enum! {
    /// Used by `externalAgentConfig/detect`, `externalAgentConfig/import`,
    /// `externalAgentConfig/import/recordHistory` and 3 more methods.
    pub enum ExternalAgentConfigMigrationItemType {
        AgentsMd = "AGENTS_MD",
        Config = "CONFIG",
        Skills = "SKILLS",
        Plugins = "PLUGINS",
        McpServerConfig = "MCP_SERVER_CONFIG",
        Subagents = "SUBAGENTS",
        Hooks = "HOOKS",
        Commands = "COMMANDS",
        Memory = "MEMORY",
        Sessions = "SESSIONS",
    }
}

string_enum! {
    /// Used by `item/fileChange/requestApproval`.
    pub enum FileChangeApprovalDecision {
        Accept = "accept",
        AcceptForSession = "acceptForSession",
        Decline = "decline",
        Cancel = "cancel",
    }
}

string_enum! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    pub enum FileSystemAccessMode {
        Read = "read",
        Write = "write",
        Deny = "deny",
    }
}

string_enum! {
    /// Used by `config/read`, `configRequirements/read`.
    pub enum ForcedLoginMethod {
        Chatgpt = "chatgpt",
        Api = "api",
    }
}

string_enum! {
    /// Used by `fuzzyFileSearch`, `fuzzyFileSearch/sessionUpdated`.
    pub enum FuzzyFileSearchMatchType {
        File = "file",
        Directory = "directory",
    }
}

string_enum! {
    /// Used by `account/gatewayOAuth/read`, `account/gatewayOAuth/changed`.
    pub enum GatewayOAuthStatus {
        NotReady = "notReady",
        Started = "started",
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

string_enum! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`.
    pub enum GuardianApprovalReviewStatus {
        InProgress = "inProgress",
        Approved = "approved",
        Denied = "denied",
        TimedOut = "timedOut",
        Aborted = "aborted",
    }
}

string_enum! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`.
    pub enum GuardianCommandSource {
        Shell = "shell",
        UnifiedExec = "unifiedExec",
    }
}

string_enum! {
    /// Used by `thread/guardianReview`, `item/autoApprovalReview/started`,
    /// `item/autoApprovalReview/completed`.
    pub enum GuardianRiskLevel {
        Low = "low",
        Medium = "medium",
        High = "high",
        Critical = "critical",
    }
}

string_enum! {
    /// Used by `thread/guardianReview`, `item/autoApprovalReview/started`,
    /// `item/autoApprovalReview/completed`.
    pub enum GuardianUserAuthorization {
        Unknown = "unknown",
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

string_enum! {
    /// Used by `hooks/list`, `plugin/read`, `hook/started` and one more method.
    pub enum HookEventName {
        PreModelRequest = "preModelRequest",
        PostModelRequest = "postModelRequest",
        PreToolUse = "preToolUse",
        PermissionRequest = "permissionRequest",
        PostToolUse = "postToolUse",
        PreCompact = "preCompact",
        PostCompact = "postCompact",
        SessionStart = "sessionStart",
        SessionEnd = "sessionEnd",
        UserPromptSubmit = "userPromptSubmit",
        SubagentStart = "subagentStart",
        SubagentStop = "subagentStop",
        Stop = "stop",
        Interrupt = "interrupt",
    }
}

string_enum! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookExecutionMode {
        Sync = "sync",
        Async = "async",
    }
}

string_enum! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookHandlerType {
        Command = "command",
        McpTool = "mcpTool",
        Prompt = "prompt",
        Agent = "agent",
    }
}

string_enum! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookOutputEntryKind {
        Warning = "warning",
        Stop = "stop",
        Feedback = "feedback",
        Context = "context",
        Error = "error",
    }
}

string_enum! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookRunStatus {
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Blocked = "blocked",
        Stopped = "stopped",
    }
}

string_enum! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookScope {
        Thread = "thread",
        Turn = "turn",
    }
}

string_enum! {
    /// Used by `hooks/list`, `hook/started`, `hook/completed`.
    pub enum HookSource {
        System = "system",
        User = "user",
        Project = "project",
        Mdm = "mdm",
        SessionFlags = "sessionFlags",
        Plugin = "plugin",
        CloudRequirements = "cloudRequirements",
        CloudManagedConfig = "cloudManagedConfig",
        LegacyManagedConfigFile = "legacyManagedConfigFile",
        LegacyManagedConfigMdm = "legacyManagedConfigMdm",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 22 more methods.
    pub enum ImageDetail {
        Auto = "auto",
        Low = "low",
        High = "high",
        Original = "original",
    }
}

string_enum! {
    /// Used by `model/list`.
    pub enum InputModality {
        Text = "text",
        Image = "image",
        Audio = "audio",
    }
}

string_enum! {
    /// Used by `thread/resume`.
    pub enum LocalShellStatus {
        Completed = "completed",
        InProgress = "in_progress",
        Incomplete = "incomplete",
    }
}

string_enum! {
    /// Used by `account/login/start`.
    pub enum LoginAppBrand {
        Codex = "codex",
        Chatgpt = "chatgpt",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum McpAppDisplayMode {
        Inline = "inline",
        Fullscreen = "fullscreen",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationArrayType {
        Array = "array",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationBooleanType {
        Boolean = "boolean",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationNumberType {
        Number = "number",
        Integer = "integer",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationObjectType {
        Object = "object",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationStringFormat {
        Email = "email",
        Uri = "uri",
        Date = "date",
        DateTime = "date-time",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationStringType {
        String = "string",
    }
}

string_enum! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpServerElicitationAction {
        Accept = "accept",
        Decline = "decline",
        Cancel = "cancel",
    }
}

string_enum! {
    /// Used by `mcpServer/startupStatus/updated`.
    pub enum McpServerStartupFailureReason {
        ReauthenticationRequired = "reauthenticationRequired",
    }
}

string_enum! {
    /// Used by `mcpServer/startupStatus/updated`.
    pub enum McpServerStartupState {
        Starting = "starting",
        Ready = "ready",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum McpToolCallStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
    }
}

string_enum! {
    /// Used by `config/value/write`, `config/batchWrite`.
    pub enum MergeStrategy {
        Replace = "replace",
        Upsert = "upsert",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum MessagePhase {
        Commentary = "commentary",
        PartialAnswer = "partial_answer",
        FinalAnswer = "final_answer",
    }
}

string_enum! {
    /// The kind of a collaboration mode.
    ///
    /// Used by `thread/resume`, `thread/settings/update`, `turn/start` and 2 more methods.
    pub enum ModeKind {
        /// The agent plans, and asks.
        Plan = "plan",
        /// The agent works.
        Default = "default",
    }
}

string_enum! {
    /// Used by `model/rerouted`.
    pub enum ModelRerouteReason {
        HighRiskCyberActivity = "highRiskCyberActivity",
    }
}

string_enum! {
    /// Used by `model/verification`.
    pub enum ModelVerification {
        TrustedAccessForCyber = "trustedAccessForCyber",
    }
}

string_enum! {
    /// Used by `model/list`.
    pub enum MultiAgentVersion {
        Disabled = "disabled",
        V1 = "v1",
        V2 = "v2",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 4 more methods.
    pub enum NetworkAccess {
        Restricted = "restricted",
        Enabled = "enabled",
    }
}

string_enum! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval`.
    pub enum NetworkApprovalProtocol {
        Http = "http",
        Https = "https",
        Socks5Tcp = "socks5Tcp",
        Socks5Udp = "socks5Udp",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum NetworkDomainPermission {
        Allow = "allow",
        Deny = "deny",
    }
}

string_enum! {
    /// Used by `item/commandExecution/requestApproval`, `applyPatchApproval`,
    /// `execCommandApproval`.
    pub enum NetworkPolicyRuleAction {
        Allow = "allow",
        Deny = "deny",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum NetworkUnixSocketPermission {
        Allow = "allow",
        Deny = "deny",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 15 more methods.
    pub enum NonSteerableTurnKind {
        Review = "review",
        Compact = "compact",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum OtelHttpProtocol {
        Binary = "binary",
        Json = "json",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum PatchApplyStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        Declined = "declined",
    }
}

string_enum! {
    /// Used by `item/permissions/requestApproval`.
    pub enum PermissionGrantScope {
        Turn = "turn",
        Session = "session",
    }
}

string_enum! {
    /// The tone of the answers.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/settings/update` and 2 more methods.
    pub enum Personality {
        None = "none",
        Friendly = "friendly",
        Pragmatic = "pragmatic",
    }
}

string_enum! {
    /// Used by `account/rateLimits/read`, `account/read`, `account/updated` and one more method.
    pub enum PlanType {
        Free = "free",
        Go = "go",
        Plus = "plus",
        Pro = "pro",
        Prolite = "prolite",
        Promax = "promax",
        Team = "team",
        SelfServeBusinessProlite = "self_serve_business_prolite",
        SelfServeBusinessUsageBased = "self_serve_business_usage_based",
        Business = "business",
        Ent26 = "ent26",
        EnterpriseCbpAutomation = "enterprise_cbp_automation",
        EnterpriseCbpUsageBased = "enterprise_cbp_usage_based",
        Enterprise = "enterprise",
        Edu = "edu",
        EduPlus = "edu_plus",
        EduPro = "edu_pro",
        Sci = "sci",
        SciPlus = "sci_plus",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `process/outputDelta`.
    pub enum ProcessOutputStream {
        Stdout = "stdout",
        Stderr = "stderr",
    }
}

string_enum! {
    /// Used by `project/changed`.
    pub enum ProjectChangeType {
        Created = "created",
        Updated = "updated",
        Deleted = "deleted",
    }
}

string_enum! {
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub enum RateLimitReachedType {
        RateLimitReached = "rate_limit_reached",
        WorkspaceOwnerCreditsDepleted = "workspace_owner_credits_depleted",
        WorkspaceMemberCreditsDepleted = "workspace_member_credits_depleted",
        WorkspaceOwnerUsageLimitReached = "workspace_owner_usage_limit_reached",
        WorkspaceMemberUsageLimitReached = "workspace_member_usage_limit_reached",
    }
}

string_enum! {
    /// Used by `account/rateLimits/read`.
    pub enum RateLimitResetCreditStatus {
        Available = "available",
        Redeeming = "redeeming",
        Redeemed = "redeemed",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `account/rateLimits/read`.
    pub enum RateLimitResetType {
        CodexRateLimits = "codexRateLimits",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `thread/realtime/start`, `thread/realtime/started`.
    pub enum RealtimeConversationVersion {
        V1 = "v1",
        V2 = "v2",
        V3 = "v3",
    }
}

string_enum! {
    /// How much of its thinking the model summarises.
    ///
    /// Used by `thread/settings/update`, `turn/start`, `turn/settings/update` and 2 more methods.
    pub enum ReasoningSummary {
        /// As the model sees fit.
        Auto = "auto",
        Concise = "concise",
        Detailed = "detailed",
        /// Not at all.
        None = "none",
    }
}

string_enum! {
    /// Used by `remoteControl/enable`, `remoteControl/disable`, `remoteControl/status/read` and one
    /// more method.
    pub enum RemoteControlConnectionStatus {
        Disabled = "disabled",
        Connecting = "connecting",
        Connected = "connected",
        Errored = "errored",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum ResidencyRequirement {
        Us = "us",
    }
}

string_enum! {
    /// Used by `review/start`.
    pub enum ReviewDelivery {
        Inline = "inline",
    }
}

string_enum! {
    /// What commands may touch, by name.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 2 more methods.
    pub enum SandboxMode {
        /// Reading only.
        ReadOnly = "read-only",
        /// Writing in the working folder and temporary folders.
        WorkspaceWrite = "workspace-write",
        /// Everything.
        DangerFullAccess = "danger-full-access",
    }
}

string_enum! {
    /// Used by `thread/resume`, `thread/list`, `project/list` and 3 more methods.
    pub enum SortDirection {
        Asc = "asc",
        Desc = "desc",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum SubAgentActivityKind {
        Started = "started",
        Interacted = "interacted",
        Interrupted = "interrupted",
        Completed = "completed",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 8 more methods.
    pub enum ThreadActiveFlag {
        WaitingOnApproval = "waitingOnApproval",
        WaitingOnUserInput = "waitingOnUserInput",
    }
}

string_enum! {
    /// Used by `thread/attachment/updated`.
    pub enum ThreadAttachmentOperation {
        Created = "created",
        Deleted = "deleted",
    }
}

string_enum! {
    /// Used by `thread/goal/set`, `thread/goal/get`, `thread/goal/updated`.
    pub enum ThreadGoalStatus {
        Active = "active",
        Paused = "paused",
        Blocked = "blocked",
        UsageLimited = "usageLimited",
        BudgetLimited = "budgetLimited",
        Complete = "complete",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub enum ThreadHistoryMode {
        Legacy = "legacy",
        Paginated = "paginated",
    }
}

string_enum! {
    /// Used by `thread/timeline/list`, `thread/realtime/item/started`,
    /// `thread/realtime/item/completed`.
    pub enum ThreadRealtimeSessionOutcome {
        Ended = "ended",
        Failed = "failed",
    }
}

string_enum! {
    /// Used by `thread/timeline/list`, `thread/realtime/item/started`,
    /// `thread/realtime/item/completed`.
    pub enum ThreadRealtimeTranscriptRole {
        User = "user",
        Assistant = "assistant",
    }
}

string_enum! {
    /// Used by `thread/list`.
    pub enum ThreadSortKey {
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        RecencyAt = "recency_at",
        SectionPosition = "section_position",
    }
}

string_enum! {
    /// Used by `thread/list`, `thread/search`.
    pub enum ThreadSourceKind {
        Cli = "cli",
        Vscode = "vscode",
        Exec = "exec",
        AppServer = "appServer",
        SubAgent = "subAgent",
        SubAgentReview = "subAgentReview",
        SubAgentCompact = "subAgentCompact",
        SubAgentThreadSpawn = "subAgentThreadSpawn",
        SubAgentOther = "subAgentOther",
        Unknown = "unknown",
    }
}

string_enum! {
    /// Used by `thread/start`.
    pub enum ThreadStartSource {
        Startup = "startup",
        Clear = "clear",
    }
}

string_enum! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 13 more methods.
    pub enum TurnItemsView {
        NotLoaded = "notLoaded",
        Summary = "summary",
        Full = "full",
    }
}

string_enum! {
    /// Used by `turn/plan/updated`.
    pub enum TurnPlanStepStatus {
        Pending = "pending",
        InProgress = "inProgress",
        Completed = "completed",
    }
}

string_enum! {
    /// How a turn stands.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 14 more methods.
    pub enum TurnStatus {
        Completed = "completed",
        Interrupted = "interrupted",
        Failed = "failed",
        InProgress = "inProgress",
    }
}

string_enum! {
    /// Used by `config/read`.
    pub enum Verbosity {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

string_enum! {
    /// Used by `config/read`.
    pub enum WebSearchContextSize {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

string_enum! {
    /// Used by `config/read`, `configRequirements/read`.
    pub enum WebSearchMode {
        Disabled = "disabled",
        Cached = "cached",
        Indexed = "indexed",
        Live = "live",
    }
}

string_enum! {
    /// Used by `config/read`.
    pub enum WebSearchProvider {
        Standalone = "standalone",
        SearchMcp = "search_mcp",
    }
}

string_enum! {
    /// Used by `configRequirements/read`.
    pub enum WindowsSandboxImplementation {
        Elevated = "elevated",
        Unelevated = "unelevated",
        Mxc = "mxc",
    }
}

string_enum! {
    /// Used by `windowsSandbox/setupStart`, `windowsSandbox/setupCompleted`.
    pub enum WindowsSandboxSetupMode {
        Elevated = "elevated",
        Unelevated = "unelevated",
    }
}

string_enum! {
    /// Used by `config/value/write`, `config/batchWrite`.
    pub enum WriteStatus {
        Ok = "ok",
        OkOverridden = "okOverridden",
    }
}
