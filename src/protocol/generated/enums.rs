//! Enums of words, open to new ones.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test codegen`; do not edit.

use crate::protocol::wire::words;

words! {
    /// Used by `turn/start`, `turn/steer`.
    pub enum AdditionalContextKind {
        Untrusted = "untrusted",
        Application = "application",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum AgentMessageDelivery {
        Async = "async",
    }
}

words! {
    /// Used by `config/read`, `configRequirements/read`.
    pub enum AllowDenyRequirement {
        Allow = "allow",
        Deny = "deny",
    }
}

words! {
    /// Used by `config/read`.
    pub enum AppToolApproval {
        Auto = "auto",
        Prompt = "prompt",
        Writes = "writes",
        Approve = "approve",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 6 more methods.
    pub enum ApprovalsReviewer {
        User = "user",
        AutoReview = "auto_review",
        GuardianSubagent = "guardian_subagent",
    }
}

words! {
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

words! {
    /// Used by `config/read`.
    pub enum AutoCompactTokenLimitScope {
        Total = "total",
        BodyAfterPrefix = "body_after_prefix",
    }
}

words! {
    /// Used by `item/autoApprovalReview/completed`.
    pub enum AutoReviewDecisionSource {
        Agent = "agent",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum BrowserUseAccessApprovalLifetime {
        Turn = "turn",
        Thread = "thread",
    }
}

words! {
    /// Used by `account/chatgptAuthTokens/refresh`.
    pub enum ChatgptAuthTokensRefreshReason {
        Unauthorized = "unauthorized",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum CliAuthCredentialsStoreMode {
        File = "file",
        Keyring = "keyring",
        Auto = "auto",
        Ephemeral = "ephemeral",
    }
}

words! {
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

words! {
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

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CollabAgentToolCallStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        Interrupted = "interrupted",
    }
}

words! {
    /// Used by `command/exec/outputDelta`.
    pub enum CommandExecOutputStream {
        Stdout = "stdout",
        Stderr = "stderr",
    }
}

words! {
    /// Used by `item/commandExecution/requestApproval`.
    pub enum CommandExecutionApprovalKind {
        Command = "command",
        WriteStdin = "writeStdin",
        HumanCommand = "humanCommand",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CommandExecutionSource {
        Agent = "agent",
        UserShell = "userShell",
        UnifiedExecStartup = "unifiedExecStartup",
        UnifiedExecInteraction = "unifiedExecInteraction",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum CommandExecutionStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        Declined = "declined",
    }
}

words! {
    /// Used by `turn/start`, `model/list`.
    pub enum CyberAccessProgram {
        Standard = "standard",
        DaybreakBlue = "daybreakBlue",
        DaybreakRed = "daybreakRed",
    }
}

words! {
    /// Used by `account/login/completed`.
    pub enum DesktopOnboardingEntrypoint {
        LifeSciences = "life_sciences",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum DynamicToolCallStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
    }
}

words! {
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

words! {
    /// Used by `item/fileChange/requestApproval`.
    pub enum FileChangeApprovalDecision {
        Accept = "accept",
        AcceptForSession = "acceptForSession",
        Decline = "decline",
        Cancel = "cancel",
    }
}

words! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    pub enum FileSystemAccessMode {
        Read = "read",
        Write = "write",
        Deny = "deny",
    }
}

words! {
    /// Used by `config/read`, `configRequirements/read`.
    pub enum ForcedLoginMethod {
        Chatgpt = "chatgpt",
        Api = "api",
    }
}

words! {
    /// Used by `fuzzyFileSearch`, `fuzzyFileSearch/sessionUpdated`.
    pub enum FuzzyFileSearchMatchType {
        File = "file",
        Directory = "directory",
    }
}

words! {
    /// Used by `account/gatewayOAuth/read`, `account/gatewayOAuth/changed`.
    pub enum GatewayOAuthStatus {
        NotReady = "notReady",
        Started = "started",
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

words! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`.
    pub enum GuardianApprovalReviewStatus {
        InProgress = "inProgress",
        Approved = "approved",
        Denied = "denied",
        TimedOut = "timedOut",
        Aborted = "aborted",
    }
}

words! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`.
    pub enum GuardianCommandSource {
        Shell = "shell",
        UnifiedExec = "unifiedExec",
    }
}

words! {
    /// Used by `thread/guardianReview`, `item/autoApprovalReview/started`,
    /// `item/autoApprovalReview/completed`.
    pub enum GuardianRiskLevel {
        Low = "low",
        Medium = "medium",
        High = "high",
        Critical = "critical",
    }
}

words! {
    /// Used by `thread/guardianReview`, `item/autoApprovalReview/started`,
    /// `item/autoApprovalReview/completed`.
    pub enum GuardianUserAuthorization {
        Unknown = "unknown",
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

words! {
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

words! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookExecutionMode {
        Sync = "sync",
        Async = "async",
    }
}

words! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookHandlerType {
        Command = "command",
        McpTool = "mcpTool",
        Prompt = "prompt",
        Agent = "agent",
    }
}

words! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookOutputEntryKind {
        Warning = "warning",
        Stop = "stop",
        Feedback = "feedback",
        Context = "context",
        Error = "error",
    }
}

words! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookRunStatus {
        Running = "running",
        Completed = "completed",
        Failed = "failed",
        Blocked = "blocked",
        Stopped = "stopped",
    }
}

words! {
    /// Used by `hook/started`, `hook/completed`.
    pub enum HookScope {
        Thread = "thread",
        Turn = "turn",
    }
}

words! {
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

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 22 more methods.
    pub enum ImageDetail {
        Auto = "auto",
        Low = "low",
        High = "high",
        Original = "original",
    }
}

words! {
    /// Used by `model/list`.
    pub enum InputModality {
        Text = "text",
        Image = "image",
        Audio = "audio",
    }
}

words! {
    /// Used by `thread/resume`.
    pub enum LocalShellStatus {
        Completed = "completed",
        InProgress = "in_progress",
        Incomplete = "incomplete",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum McpAppDisplayMode {
        Inline = "inline",
        Fullscreen = "fullscreen",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationArrayType {
        Array = "array",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationBooleanType {
        Boolean = "boolean",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationNumberType {
        Number = "number",
        Integer = "integer",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationObjectType {
        Object = "object",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationStringFormat {
        Email = "email",
        Uri = "uri",
        Date = "date",
        DateTime = "date-time",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationStringType {
        String = "string",
    }
}

words! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpServerElicitationAction {
        Accept = "accept",
        Decline = "decline",
        Cancel = "cancel",
    }
}

words! {
    /// Used by `mcpServer/startupStatus/updated`.
    pub enum McpServerStartupFailureReason {
        ReauthenticationRequired = "reauthenticationRequired",
    }
}

words! {
    /// Used by `mcpServer/startupStatus/updated`.
    pub enum McpServerStartupState {
        Starting = "starting",
        Ready = "ready",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum McpToolCallStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
    }
}

words! {
    /// Used by `config/value/write`, `config/batchWrite`.
    pub enum MergeStrategy {
        Replace = "replace",
        Upsert = "upsert",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum MessagePhase {
        Commentary = "commentary",
        PartialAnswer = "partial_answer",
        FinalAnswer = "final_answer",
    }
}

words! {
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

words! {
    /// Used by `model/rerouted`.
    pub enum ModelRerouteReason {
        HighRiskCyberActivity = "highRiskCyberActivity",
    }
}

words! {
    /// Used by `model/verification`.
    pub enum ModelVerification {
        TrustedAccessForCyber = "trustedAccessForCyber",
    }
}

words! {
    /// Used by `model/list`.
    pub enum MultiAgentVersion {
        Disabled = "disabled",
        V1 = "v1",
        V2 = "v2",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 4 more methods.
    pub enum NetworkAccess {
        Restricted = "restricted",
        Enabled = "enabled",
    }
}

words! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval`.
    pub enum NetworkApprovalProtocol {
        Http = "http",
        Https = "https",
        Socks5Tcp = "socks5Tcp",
        Socks5Udp = "socks5Udp",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum NetworkDomainPermission {
        Allow = "allow",
        Deny = "deny",
    }
}

words! {
    /// Used by `item/commandExecution/requestApproval`, `applyPatchApproval`,
    /// `execCommandApproval`.
    pub enum NetworkPolicyRuleAction {
        Allow = "allow",
        Deny = "deny",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum NetworkUnixSocketPermission {
        Allow = "allow",
        Deny = "deny",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 15 more methods.
    pub enum NonSteerableTurnKind {
        Review = "review",
        Compact = "compact",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum OtelHttpProtocol {
        Binary = "binary",
        Json = "json",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum PatchApplyStatus {
        InProgress = "inProgress",
        Completed = "completed",
        Failed = "failed",
        Declined = "declined",
    }
}

words! {
    /// Used by `item/permissions/requestApproval`.
    pub enum PermissionGrantScope {
        Turn = "turn",
        Session = "session",
    }
}

words! {
    /// The tone of the answers.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/settings/update` and 2 more methods.
    pub enum Personality {
        None = "none",
        Friendly = "friendly",
        Pragmatic = "pragmatic",
    }
}

words! {
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

words! {
    /// Used by `process/outputDelta`.
    pub enum ProcessOutputStream {
        Stdout = "stdout",
        Stderr = "stderr",
    }
}

words! {
    /// Used by `project/changed`.
    pub enum ProjectChangeType {
        Created = "created",
        Updated = "updated",
        Deleted = "deleted",
    }
}

words! {
    /// Used by `account/rateLimits/read`, `account/rateLimits/updated`.
    pub enum RateLimitReachedType {
        RateLimitReached = "rate_limit_reached",
        WorkspaceOwnerCreditsDepleted = "workspace_owner_credits_depleted",
        WorkspaceMemberCreditsDepleted = "workspace_member_credits_depleted",
        WorkspaceOwnerUsageLimitReached = "workspace_owner_usage_limit_reached",
        WorkspaceMemberUsageLimitReached = "workspace_member_usage_limit_reached",
    }
}

words! {
    /// Used by `thread/realtime/start`, `thread/realtime/started`.
    pub enum RealtimeConversationVersion {
        V1 = "v1",
        V2 = "v2",
        V3 = "v3",
    }
}

words! {
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

words! {
    /// Used by `remoteControl/enable`, `remoteControl/disable`, `remoteControl/status/read` and one
    /// more method.
    pub enum RemoteControlConnectionStatus {
        Disabled = "disabled",
        Connecting = "connecting",
        Connected = "connected",
        Errored = "errored",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum ResidencyRequirement {
        Us = "us",
    }
}

words! {
    /// Used by `review/start`.
    pub enum ReviewDelivery {
        Inline = "inline",
    }
}

words! {
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

words! {
    /// Used by `thread/resume`, `thread/list`, `project/list` and 3 more methods.
    pub enum SortDirection {
        Asc = "asc",
        Desc = "desc",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum SubAgentActivityKind {
        Started = "started",
        Interacted = "interacted",
        Interrupted = "interrupted",
        Completed = "completed",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 8 more methods.
    pub enum ThreadActiveFlag {
        WaitingOnApproval = "waitingOnApproval",
        WaitingOnUserInput = "waitingOnUserInput",
    }
}

words! {
    /// Used by `thread/attachment/updated`.
    pub enum ThreadAttachmentOperation {
        Created = "created",
        Deleted = "deleted",
    }
}

words! {
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

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub enum ThreadHistoryMode {
        Legacy = "legacy",
        Paginated = "paginated",
    }
}

words! {
    /// Used by `thread/timeline/list`, `thread/realtime/item/started`,
    /// `thread/realtime/item/completed`.
    pub enum ThreadRealtimeSessionOutcome {
        Ended = "ended",
        Failed = "failed",
    }
}

words! {
    /// Used by `thread/timeline/list`, `thread/realtime/item/started`,
    /// `thread/realtime/item/completed`.
    pub enum ThreadRealtimeTranscriptRole {
        User = "user",
        Assistant = "assistant",
    }
}

words! {
    /// Used by `thread/list`.
    pub enum ThreadSortKey {
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        RecencyAt = "recency_at",
        SectionPosition = "section_position",
    }
}

words! {
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

words! {
    /// Used by `thread/start`.
    pub enum ThreadStartSource {
        Startup = "startup",
        Clear = "clear",
    }
}

words! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 13 more methods.
    pub enum TurnItemsView {
        NotLoaded = "notLoaded",
        Summary = "summary",
        Full = "full",
    }
}

words! {
    /// Used by `turn/plan/updated`.
    pub enum TurnPlanStepStatus {
        Pending = "pending",
        InProgress = "inProgress",
        Completed = "completed",
    }
}

words! {
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

words! {
    /// Used by `config/read`.
    pub enum Verbosity {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

words! {
    /// Used by `config/read`.
    pub enum WebSearchContextSize {
        Low = "low",
        Medium = "medium",
        High = "high",
    }
}

words! {
    /// Used by `config/read`, `configRequirements/read`.
    pub enum WebSearchMode {
        Disabled = "disabled",
        Cached = "cached",
        Indexed = "indexed",
        Live = "live",
    }
}

words! {
    /// Used by `config/read`.
    pub enum WebSearchProvider {
        Standalone = "standalone",
        SearchMcp = "search_mcp",
    }
}

words! {
    /// Used by `configRequirements/read`.
    pub enum WindowsSandboxImplementation {
        Elevated = "elevated",
        Unelevated = "unelevated",
        Mxc = "mxc",
    }
}

words! {
    /// Used by `windowsSandbox/setupStart`, `windowsSandbox/setupCompleted`.
    pub enum WindowsSandboxSetupMode {
        Elevated = "elevated",
        Unelevated = "unelevated",
    }
}

words! {
    /// Used by `config/value/write`, `config/batchWrite`.
    pub enum WriteStatus {
        Ok = "ok",
        OkOverridden = "okOverridden",
    }
}
