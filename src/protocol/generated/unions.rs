//! Unions, which keep the members that they don't know, and names for plain strings.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use super::*;
use crate::protocol::wire::{convert, mixed, shared, tagged, untagged};

/// Used by `initialize`, `thread/start`, `thread/resume` and 58 more methods.
pub type AbsolutePathBuf = String;

tagged! {
    /// Used by `account/read`.
    pub enum AccountDetails by "type" {
        ApiKey = "apiKey",
        Chatgpt(item: ChatgptAccountDetails) = "chatgpt",
        AmazonBedrock(item: AmazonBedrockAccountDetails) = "amazonBedrock",
        Gcp = "gcp",
    }
}

tagged! {
    /// Used by `thread/resume`.
    pub enum AgentMessageInputContent by "type" {
        InputText(item: InputTextAgentMessageInputContent) = "input_text",
        EncryptedContent(item: EncryptedContentAgentMessageInputContent) = "encrypted_content",
    }
}

convert! {
    AgentMessageInputContent {
        InputText(InputTextAgentMessageInputContent),
        EncryptedContent(EncryptedContentAgentMessageInputContent),
    }
}

/// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
pub type AgentPath = String;

mixed! {
    /// When the server asks before it runs something.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 5 more methods.
    pub enum AskForApproval {
        /// Always, but for commands known to be harmless.
        Untrusted = "untrusted",
        /// When the model asks for it.
        OnRequest = "on-request",
        /// Never: what needs an approval fails.
        Never = "never",
    } or {
        /// Each kind of question on or off. Needs `experimental_api(true)`.
        Granular(GranularAskForApproval) = "granular",
    }
}

tagged! {
    /// Used by `thread/start`.
    pub enum CapabilityRootLocation by "type" {
        Environment(item: EnvironmentCapabilityRootLocation) = "environment",
    }
}

convert! {
    CapabilityRootLocation {
        Environment(EnvironmentCapabilityRootLocation),
    }
}

mixed! {
    /// The kind of an error that ended or delayed a turn, where the server knows it.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 15 more methods.
    pub enum CodexErrorInfo {
        ContextWindowExceeded = "contextWindowExceeded",
        SessionBudgetExceeded = "sessionBudgetExceeded",
        UsageLimitExceeded = "usageLimitExceeded",
        RateLimitExceeded = "rateLimitExceeded",
        FlexUnavailable = "flexUnavailable",
        ServerOverloaded = "serverOverloaded",
        ModelNotFound = "modelNotFound",
        PolicyCapacityUnavailable = "policyCapacityUnavailable",
        CyberPolicy = "cyberPolicy",
        MisalignmentPolicyViolation = "misalignmentPolicyViolation",
        TooManyDenials = "tooManyDenials",
        InternalServerError = "internalServerError",
        Unauthorized = "unauthorized",
        BadRequest = "badRequest",
        ThreadRollbackFailed = "threadRollbackFailed",
        SandboxError = "sandboxError",
        Other = "other",
        InferenceHookDenied = "inferenceHookDenied",
    } or {
        HttpConnectionFailed(HttpConnectionFailedCodexErrorInfo) = "httpConnectionFailed",
        ResponseStreamConnectionFailed(ResponseStreamConnectionFailedCodexErrorInfo) = "responseStreamConnectionFailed",
        ResponseStreamDisconnected(ResponseStreamDisconnectedCodexErrorInfo) = "responseStreamDisconnected",
        ResponseTooManyFailedAttempts(ResponseTooManyFailedAttemptsCodexErrorInfo) = "responseTooManyFailedAttempts",
        ActiveTurnNotSteerable(ActiveTurnNotSteerableCodexErrorInfo) = "activeTurnNotSteerable",
    }
}

tagged! {
    /// What the server makes of a command line: a read, a listing, a search, or none of these.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 19 more methods.
    pub enum CommandAction by "type" {
        Read(item: ReadCommandAction) = "read",
        ListFiles(item: ListFilesCommandAction) = "listFiles",
        Search(item: SearchCommandAction) = "search",
        Unknown_(item: UnknownCommandAction) = "unknown",
    }
}

shared! {
    CommandAction {
        command = "command" in [
            Read,
            ListFiles,
            Search,
            Unknown_,
        ],
    }
}

mixed! {
    /// The answers to a request to run a command.
    ///
    /// Used by `item/commandExecution/requestApproval`.
    pub enum CommandExecutionApprovalDecision {
        Accept = "accept",
        AcceptForSession = "acceptForSession",
        Decline = "decline",
        Cancel = "cancel",
    } or {
        AcceptWithExecpolicyAmendment(AcceptWithExecpolicyAmendmentCommandExecutionApprovalDecision) = "acceptWithExecpolicyAmendment",
        ApplyNetworkPolicyAmendment(ApplyNetworkPolicyAmendmentCommandExecutionApprovalDecision) = "applyNetworkPolicyAmendment",
    }
}

tagged! {
    /// Used by `config/read`, `config/value/write`, `config/batchWrite`.
    pub enum ConfigLayerSource by "type" {
        PackagedDefaults(item: PackagedDefaultsConfigLayerSource) = "packagedDefaults",
        Mdm(item: MdmConfigLayerSource) = "mdm",
        System(item: SystemConfigLayerSource) = "system",
        EnterpriseManaged(item: EnterpriseManagedConfigLayerSource) = "enterpriseManaged",
        User(item: UserConfigLayerSource) = "user",
        Project(item: ProjectConfigLayerSource) = "project",
        SessionFlags = "sessionFlags",
        LegacyManagedConfigTomlFromFile(item: LegacyManagedConfigTomlFromFileConfigLayerSource) = "legacyManagedConfigTomlFromFile",
        LegacyManagedConfigTomlFromMdm = "legacyManagedConfigTomlFromMdm",
    }
}

tagged! {
    /// Used by `configRequirements/read`.
    pub enum ConfiguredHookHandler by "type" {
        Command(item: CommandConfiguredHookHandler) = "command",
        McpTool(item: McpToolConfiguredHookHandler) = "mcp_tool",
        Prompt = "prompt",
        Agent = "agent",
    }
}

tagged! {
    /// Used by `thread/resume`.
    pub enum ContentItem by "type" {
        InputText(item: InputTextContentItem) = "input_text",
        InputImage(item: InputImageContentItem) = "input_image",
        InputAudio(item: InputAudioContentItem) = "input_audio",
        OutputText(item: OutputTextContentItem) = "output_text",
    }
}

convert! {
    ContentItem {
        InputText(InputTextContentItem),
        InputImage(InputImageContentItem),
        InputAudio(InputAudioContentItem),
        OutputText(OutputTextContentItem),
    }
}

tagged! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 19 more methods.
    pub enum DynamicToolCallOutputContentItem by "type" {
        InputText(item: InputTextDynamicToolCallOutputContentItem) = "inputText",
        InputImage(item: InputImageDynamicToolCallOutputContentItem) = "inputImage",
        InputAudio(item: InputAudioDynamicToolCallOutputContentItem) = "inputAudio",
    }
}

convert! {
    DynamicToolCallOutputContentItem {
        InputText(InputTextDynamicToolCallOutputContentItem),
        InputImage(InputImageDynamicToolCallOutputContentItem),
        InputAudio(InputAudioDynamicToolCallOutputContentItem),
    }
}

tagged! {
    /// Used by `thread/start`.
    pub enum DynamicToolNamespaceTool by "type" {
        Function(item: FunctionDynamicToolNamespaceTool) = "function",
    }
}

convert! {
    DynamicToolNamespaceTool {
        Function(FunctionDynamicToolNamespaceTool),
    }
}

tagged! {
    /// Used by `thread/start`.
    pub enum DynamicToolSpec by "type" {
        Function(item: FunctionDynamicToolSpec) = "function",
        Namespace(item: NamespaceDynamicToolSpec) = "namespace",
    }
}

shared! {
    DynamicToolSpec {
        description = "description" in [
            Function,
            Namespace,
        ],
        name = "name" in [
            Function,
            Namespace,
        ],
    }
}

convert! {
    DynamicToolSpec {
        Function(FunctionDynamicToolSpec),
        Namespace(NamespaceDynamicToolSpec),
    }
}

tagged! {
    /// Used by `applyPatchApproval`.
    pub enum FileChange by "type" {
        Add(item: AddFileChange) = "add",
        Delete(item: DeleteFileChange) = "delete",
        Update(item: UpdateFileChange) = "update",
    }
}

tagged! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    pub enum FileSystemPath by "type" {
        Path(item: PathFileSystemPath) = "path",
        GlobPattern(item: GlobPatternFileSystemPath) = "glob_pattern",
        Special(item: SpecialFileSystemPath) = "special",
    }
}

convert! {
    FileSystemPath {
        Path(PathFileSystemPath),
        GlobPattern(GlobPatternFileSystemPath),
        Special(SpecialFileSystemPath),
    }
}

tagged! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`,
    /// `item/commandExecution/requestApproval` and one more method.
    pub enum FileSystemSpecialPath by "kind" {
        Root = "root",
        Minimal = "minimal",
        ProjectRoots(item: ProjectRootsFileSystemSpecialPath) = "project_roots",
        Tmpdir = "tmpdir",
        SlashTmp = "slash_tmp",
        Unknown_(item: UnknownFileSystemSpecialPath) = "unknown",
    }
}

convert! {
    FileSystemSpecialPath {
        ProjectRoots(ProjectRootsFileSystemSpecialPath),
        Unknown_(UnknownFileSystemSpecialPath),
    }
}

untagged! {
    /// Used by `config/read`.
    pub enum ForcedChatgptWorkspaceIds {
        /// A string.
        Text(String) = [
            Shape::Text,
        ],
        /// A list.
        List(Vec<String>) = [
            Shape::List,
        ],
    }
}

untagged! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum FunctionCallOutputBody {
        /// A string.
        Text(String) = [
            Shape::Text,
        ],
        /// A list.
        List(Vec<FunctionCallOutputContentItem>) = [
            Shape::List,
        ],
    }
}

tagged! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum FunctionCallOutputContentItem by "type" {
        InputText(item: InputTextFunctionCallOutputContentItem) = "input_text",
        InputImage(item: InputImageFunctionCallOutputContentItem) = "input_image",
        InputAudio(item: InputAudioFunctionCallOutputContentItem) = "input_audio",
        EncryptedContent(item: EncryptedContentFunctionCallOutputContentItem) = "encrypted_content",
    }
}

convert! {
    FunctionCallOutputContentItem {
        InputText(InputTextFunctionCallOutputContentItem),
        InputImage(InputImageFunctionCallOutputContentItem),
        InputAudio(InputAudioFunctionCallOutputContentItem),
        EncryptedContent(EncryptedContentFunctionCallOutputContentItem),
    }
}

tagged! {
    /// Used by `item/autoApprovalReview/started`, `item/autoApprovalReview/completed`.
    pub enum GuardianApprovalReviewAction by "type" {
        Command(item: CommandGuardianApprovalReviewAction) = "command",
        Execve(item: ExecveGuardianApprovalReviewAction) = "execve",
        WriteStdin(item: WriteStdinGuardianApprovalReviewAction) = "writeStdin",
        ApplyPatch(item: ApplyPatchGuardianApprovalReviewAction) = "applyPatch",
        NetworkAccess(item: NetworkAccessGuardianApprovalReviewAction) = "networkAccess",
        McpToolCall(item: McpToolCallGuardianApprovalReviewAction) = "mcpToolCall",
        RequestPermissions(item: RequestPermissionsGuardianApprovalReviewAction) = "requestPermissions",
    }
}

tagged! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum ImageGenerationFailure by "type" {
        UsageLimitExceeded(item: UsageLimitExceededImageGenerationFailure) = "usageLimitExceeded",
    }
}

/// Used by `thread/start`, `thread/resume`, `thread/fork` and 32 more methods.
pub type LegacyAppPathString = String;

tagged! {
    /// Used by `thread/resume`.
    pub enum LocalShellAction by "type" {
        Exec(item: ExecLocalShellAction) = "exec",
    }
}

convert! {
    LocalShellAction {
        Exec(ExecLocalShellAction),
    }
}

tagged! {
    /// Parameters of `account/login/start`.
    pub enum LoginAccountParams by "type" {
        ApiKey(item: ApiKeyLoginAccountParams) = "apiKey",
        Chatgpt(item: ChatgptLoginAccountParams) = "chatgpt",
        ChatgptDeviceCode = "chatgptDeviceCode",
        ChatgptAuthTokens(item: ChatgptAuthTokensLoginAccountParams) = "chatgptAuthTokens",
        AmazonBedrock(item: AmazonBedrockLoginAccountParams) = "amazonBedrock",
        AmazonBedrockAccessKeys(item: AmazonBedrockAccessKeysLoginAccountParams) = "amazonBedrockAccessKeys",
    }
}

convert! {
    LoginAccountParams {
        ApiKey(ApiKeyLoginAccountParams),
        Chatgpt(ChatgptLoginAccountParams),
        ChatgptAuthTokens(ChatgptAuthTokensLoginAccountParams),
        AmazonBedrock(AmazonBedrockLoginAccountParams),
        AmazonBedrockAccessKeys(AmazonBedrockAccessKeysLoginAccountParams),
    }
}

tagged! {
    /// Reply to `account/login/start`.
    pub enum LoginAccountResponse by "type" {
        ApiKey = "apiKey",
        Chatgpt(item: ChatgptLoginAccountResponse) = "chatgpt",
        ChatgptDeviceCode(item: ChatgptDeviceCodeLoginAccountResponse) = "chatgptDeviceCode",
        ChatgptAuthTokens = "chatgptAuthTokens",
        AmazonBedrock = "amazonBedrock",
    }
}

untagged! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationEnumSchema {
        /// A [`McpElicitationSingleSelectEnumSchema`].
        SingleSelect(McpElicitationSingleSelectEnumSchema) = [
            Shape::Object {
                required: &["enum", "type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["string"])],
            },
            Shape::Object {
                required: &["oneOf", "type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["string"])],
            },
        ],
        /// A [`McpElicitationMultiSelectEnumSchema`].
        MultiSelect(McpElicitationMultiSelectEnumSchema) = [
            Shape::Object {
                required: &["items", "type"],
                optional: &["default", "description", "maxItems", "minItems", "title"],
                words: &[("type", &["array"])],
            },
            Shape::Object {
                required: &["items", "type"],
                optional: &["default", "description", "maxItems", "minItems", "title"],
                words: &[("type", &["array"])],
            },
        ],
        /// A [`McpElicitationLegacyTitledEnumSchema`].
        LegacyTitled(McpElicitationLegacyTitledEnumSchema) = [
            Shape::Object {
                required: &["enum", "type"],
                optional: &["default", "description", "enumNames", "title"],
                words: &[("type", &["string"])],
            },
        ],
    }
}

untagged! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationMultiSelectEnumSchema {
        /// A [`McpElicitationUntitledMultiSelectEnumSchema`].
        Untitled(McpElicitationUntitledMultiSelectEnumSchema) = [
            Shape::Object {
                required: &["items", "type"],
                optional: &["default", "description", "maxItems", "minItems", "title"],
                words: &[("type", &["array"])],
            },
        ],
        /// A [`McpElicitationTitledMultiSelectEnumSchema`].
        Titled(McpElicitationTitledMultiSelectEnumSchema) = [
            Shape::Object {
                required: &["items", "type"],
                optional: &["default", "description", "maxItems", "minItems", "title"],
                words: &[("type", &["array"])],
            },
        ],
    }
}

untagged! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationPrimitiveSchema {
        /// A [`McpElicitationEnumSchema`].
        Enum(McpElicitationEnumSchema) = [
            Shape::Object {
                required: &["enum", "type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["string"])],
            },
            Shape::Object {
                required: &["oneOf", "type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["string"])],
            },
            Shape::Object {
                required: &["items", "type"],
                optional: &["default", "description", "maxItems", "minItems", "title"],
                words: &[("type", &["array"])],
            },
            Shape::Object {
                required: &["items", "type"],
                optional: &["default", "description", "maxItems", "minItems", "title"],
                words: &[("type", &["array"])],
            },
            Shape::Object {
                required: &["enum", "type"],
                optional: &["default", "description", "enumNames", "title"],
                words: &[("type", &["string"])],
            },
        ],
        /// A [`McpElicitationStringSchema`].
        String(McpElicitationStringSchema) = [
            Shape::Object {
                required: &["type"],
                optional: &["default", "description", "format", "maxLength", "minLength", "title"],
                words: &[("type", &["string"])],
            },
        ],
        /// A [`McpElicitationNumberSchema`].
        Number(McpElicitationNumberSchema) = [
            Shape::Object {
                required: &["type"],
                optional: &["default", "description", "maximum", "minimum", "title"],
                words: &[("type", &["number", "integer"])],
            },
        ],
        /// A [`McpElicitationBooleanSchema`].
        Boolean(McpElicitationBooleanSchema) = [
            Shape::Object {
                required: &["type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["boolean"])],
            },
        ],
    }
}

untagged! {
    /// Used by `mcpServer/elicitation/request`.
    pub enum McpElicitationSingleSelectEnumSchema {
        /// A [`McpElicitationUntitledSingleSelectEnumSchema`].
        Untitled(McpElicitationUntitledSingleSelectEnumSchema) = [
            Shape::Object {
                required: &["enum", "type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["string"])],
            },
        ],
        /// A [`McpElicitationTitledSingleSelectEnumSchema`].
        Titled(McpElicitationTitledSingleSelectEnumSchema) = [
            Shape::Object {
                required: &["oneOf", "type"],
                optional: &["default", "description", "title"],
                words: &[("type", &["string"])],
            },
        ],
    }
}

tagged! {
    /// A question of an MCP server to the user, or the approval of one of its tools.
    ///
    /// What the server asks with `mcpServer/elicitation/request`.
    pub enum McpServerElicitationRequestParams by "mode" {
        /// Belongs to the experimental API.
        OpenaiUserVerification(item: Box<OpenaiUserVerificationMcpServerElicitationRequestParams>) = "openai/userVerification",
        Form(item: Box<FormMcpServerElicitationRequestParams>) = "form",
        OpenaiSlashForm(item: Box<OpenaiSlashFormMcpServerElicitationRequestParams>) = "openai/form",
        OpenaiForm(item: Box<OpenaiFormMcpServerElicitationRequestParams>) = "openaiForm",
        Url(item: Box<UrlMcpServerElicitationRequestParams>) = "url",
    }
}

shared! {
    McpServerElicitationRequestParams {
        server_name = "serverName" in [
            OpenaiUserVerification,
            Form,
            OpenaiSlashForm,
            OpenaiForm,
            Url,
        ],
        thread_id = "threadId" in [
            OpenaiUserVerification,
            Form,
            OpenaiSlashForm,
            OpenaiForm,
            Url,
        ],
    }
}

mixed! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 3 more methods.
    pub enum MultiAgentMode {
        ExplicitRequestOnly = "explicitRequestOnly",
        Proactive = "proactive",
    } or {
        Custom(String) = "custom",
    }
}

mixed! {
    /// Used by `configRequirements/read`.
    pub enum OtelExporter {
        None = "none",
        Statsig = "statsig",
    } or {
        OtlpHttp(OtlpHttpOtelExporter) = "otlp-http",
        OtlpGrpc(OtlpGrpcOtelExporter) = "otlp-grpc",
    }
}

tagged! {
    /// Used by `execCommandApproval`.
    pub enum ParsedCommand by "type" {
        Read(item: ReadParsedCommand) = "read",
        ListFiles(item: ListFilesParsedCommand) = "list_files",
        Search(item: SearchParsedCommand) = "search",
        Unknown_(item: UnknownParsedCommand) = "unknown",
    }
}

shared! {
    ParsedCommand {
        cmd = "cmd" in [
            Read,
            ListFiles,
            Search,
            Unknown_,
        ],
    }
}

tagged! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 19 more methods.
    pub enum PatchChangeKind by "type" {
        Add = "add",
        Delete = "delete",
        Update(item: UpdatePatchChangeKind) = "update",
    }
}

tagged! {
    /// Used by `thread/resume`.
    pub enum ReasoningItemContent by "type" {
        ReasoningText(item: ReasoningTextReasoningItemContent) = "reasoning_text",
        Text(item: TextReasoningItemContent) = "text",
    }
}

shared! {
    ReasoningItemContent {
        text = "text" in [
            ReasoningText,
            Text,
        ],
    }
}

convert! {
    ReasoningItemContent {
        ReasoningText(ReasoningTextReasoningItemContent),
        Text(TextReasoningItemContent),
    }
}

tagged! {
    /// Used by `thread/resume`.
    pub enum ReasoningItemReasoningSummary by "type" {
        SummaryText(item: SummaryTextReasoningItemReasoningSummary) = "summary_text",
    }
}

convert! {
    ReasoningItemReasoningSummary {
        SummaryText(SummaryTextReasoningItemReasoningSummary),
    }
}

tagged! {
    /// Used by `thread/resume`.
    pub enum ResponseItem by "type" {
        AdditionalTools(item: Box<AdditionalToolsResponseItem>) = "additional_tools",
        Message(item: Box<MessageResponseItem>) = "message",
        AgentMessage(item: Box<AgentMessageResponseItem>) = "agent_message",
        Reasoning(item: Box<ReasoningResponseItem>) = "reasoning",
        LocalShellCall(item: Box<LocalShellCallResponseItem>) = "local_shell_call",
        FunctionCall(item: Box<FunctionCallResponseItem>) = "function_call",
        ToolSearchCall(item: Box<ToolSearchCallResponseItem>) = "tool_search_call",
        FunctionCallOutput(item: Box<FunctionCallOutputResponseItem>) = "function_call_output",
        CustomToolCall(item: Box<CustomToolCallResponseItem>) = "custom_tool_call",
        CustomToolCallOutput(item: Box<CustomToolCallOutputResponseItem>) = "custom_tool_call_output",
        ToolSearchOutput(item: Box<ToolSearchOutputResponseItem>) = "tool_search_output",
        WebSearchCall(item: Box<WebSearchCallResponseItem>) = "web_search_call",
        ImageGenerationCall(item: Box<ImageGenerationCallResponseItem>) = "image_generation_call",
        Compaction(item: Box<CompactionResponseItem>) = "compaction",
        ConfigurationUpdate(item: Box<ConfigurationUpdateResponseItem>) = "configuration_update",
        CompactionTrigger = "compaction_trigger",
        ContextCompaction(item: Box<ContextCompactionResponseItem>) = "context_compaction",
        Other = "other",
    }
}

convert! {
    ResponseItem {
        AdditionalTools(AdditionalToolsResponseItem),
        Message(MessageResponseItem),
        AgentMessage(AgentMessageResponseItem),
        Reasoning(ReasoningResponseItem),
        LocalShellCall(LocalShellCallResponseItem),
        FunctionCall(FunctionCallResponseItem),
        ToolSearchCall(ToolSearchCallResponseItem),
        FunctionCallOutput(FunctionCallOutputResponseItem),
        CustomToolCall(CustomToolCallResponseItem),
        CustomToolCallOutput(CustomToolCallOutputResponseItem),
        ToolSearchOutput(ToolSearchOutputResponseItem),
        WebSearchCall(WebSearchCallResponseItem),
        ImageGenerationCall(ImageGenerationCallResponseItem),
        Compaction(CompactionResponseItem),
        ConfigurationUpdate(ConfigurationUpdateResponseItem),
        ContextCompaction(ContextCompactionResponseItem),
    }
}

tagged! {
    /// Used by `thread/resume`.
    pub enum ResponsesApiWebSearchAction by "type" {
        Search(item: SearchResponsesApiWebSearchAction) = "search",
        OpenPage(item: OpenPageResponsesApiWebSearchAction) = "open_page",
        FindInPage(item: FindInPageResponsesApiWebSearchAction) = "find_in_page",
        Other = "other",
    }
}

convert! {
    ResponsesApiWebSearchAction {
        Search(SearchResponsesApiWebSearchAction),
        OpenPage(OpenPageResponsesApiWebSearchAction),
        FindInPage(FindInPageResponsesApiWebSearchAction),
    }
}

mixed! {
    /// Used by `applyPatchApproval`, `execCommandApproval`.
    pub enum ReviewDecision {
        Approved = "approved",
        ApprovedForSession = "approved_for_session",
        ApprovedMcpPolicyAmendment = "approved_mcp_policy_amendment",
        TimedOut = "timed_out",
        Abort = "abort",
    } or {
        ApprovedExecpolicyAmendment(ApprovedExecpolicyAmendmentReviewDecision) = "approved_execpolicy_amendment",
        NetworkPolicyAmendment(NetworkPolicyAmendmentReviewDecision) = "network_policy_amendment",
        Denied(DeniedReviewDecision) = "denied",
    }
}

tagged! {
    /// What a review looks at.
    ///
    /// Used by `review/start`.
    pub enum ReviewTarget by "type" {
        UncommittedChanges = "uncommittedChanges",
        BaseBranch(item: BaseBranchReviewTarget) = "baseBranch",
        Commit(item: CommitReviewTarget) = "commit",
        Custom(item: CustomReviewTarget) = "custom",
    }
}

convert! {
    ReviewTarget {
        BaseBranch(BaseBranchReviewTarget),
        Commit(CommitReviewTarget),
        Custom(CustomReviewTarget),
    }
}

tagged! {
    /// What commands may touch while a turn runs.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 4 more methods.
    pub enum SandboxPolicy by "type" {
        /// Everything.
        DangerFullAccess = "dangerFullAccess",
        /// Reading only.
        ReadOnly(item: ReadOnlySandboxPolicy) = "readOnly",
        /// The program is in a sandbox already; the server adds none.
        ExternalSandbox(item: ExternalSandboxSandboxPolicy) = "externalSandbox",
        /// Writing in these folders and in temporary ones.
        WorkspaceWrite(item: WorkspaceWriteSandboxPolicy) = "workspaceWrite",
    }
}

convert! {
    SandboxPolicy {
        ReadOnly(ReadOnlySandboxPolicy),
        ExternalSandbox(ExternalSandboxSandboxPolicy),
        WorkspaceWrite(WorkspaceWriteSandboxPolicy),
    }
}

mixed! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub enum SessionSource {
        Cli = "cli",
        Vscode = "vscode",
        Exec = "exec",
        AppServer = "appServer",
        Unknown_ = "unknown",
    } or {
        Custom(String) = "custom",
        SubAgent(SubAgentSource) = "subAgent",
    }
}

mixed! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 7 more methods.
    pub enum SubAgentSource {
        Review = "review",
        Compact = "compact",
        MemoryConsolidation = "memory_consolidation",
    } or {
        ThreadSpawn(ThreadSpawnSubAgentSource) = "thread_spawn",
        Other(String) = "other",
    }
}

/// Used by `thread/start`, `thread/resume`, `thread/fork` and 9 more methods.
pub type ThreadId = String;

tagged! {
    /// Anything that happens in a turn: messages, thoughts, commands, patches, tool calls.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum ThreadItem by "type" {
        UserMessage(item: Box<UserMessageThreadItem>) = "userMessage",
        HookPrompt(item: Box<HookPromptThreadItem>) = "hookPrompt",
        AgentMessage(item: Box<AgentMessageThreadItem>) = "agentMessage",
        FunctionCallOutput(item: Box<FunctionCallOutputThreadItem>) = "functionCallOutput",
        Plan(item: Box<PlanThreadItem>) = "plan",
        Reasoning(item: Box<ReasoningThreadItem>) = "reasoning",
        CommandExecution(item: Box<CommandExecutionThreadItem>) = "commandExecution",
        FileChange(item: Box<FileChangeThreadItem>) = "fileChange",
        McpToolCall(item: Box<McpToolCallThreadItem>) = "mcpToolCall",
        DynamicToolCall(item: Box<DynamicToolCallThreadItem>) = "dynamicToolCall",
        CollabAgentToolCall(item: Box<CollabAgentToolCallThreadItem>) = "collabAgentToolCall",
        SubAgentActivity(item: Box<SubAgentActivityThreadItem>) = "subAgentActivity",
        WebSearch(item: Box<WebSearchThreadItem>) = "webSearch",
        ImageView(item: Box<ImageViewThreadItem>) = "imageView",
        Sleep(item: Box<SleepThreadItem>) = "sleep",
        ImageGeneration(item: Box<ImageGenerationThreadItem>) = "imageGeneration",
        EnteredReviewMode(item: Box<EnteredReviewModeThreadItem>) = "enteredReviewMode",
        ExitedReviewMode(item: Box<ExitedReviewModeThreadItem>) = "exitedReviewMode",
        ContextCompaction(item: Box<ContextCompactionThreadItem>) = "contextCompaction",
    }
}

shared! {
    ThreadItem {
        id = "id" in [
            UserMessage,
            HookPrompt,
            AgentMessage,
            FunctionCallOutput,
            Plan,
            Reasoning,
            CommandExecution,
            FileChange,
            McpToolCall,
            DynamicToolCall,
            CollabAgentToolCall,
            SubAgentActivity,
            WebSearch,
            ImageView,
            Sleep,
            ImageGeneration,
            EnteredReviewMode,
            ExitedReviewMode,
            ContextCompaction,
        ],
    }
}

untagged! {
    /// Used by `thread/list`.
    pub enum ThreadListCwdFilter {
        /// A string.
        Text(String) = [
            Shape::Text,
        ],
        /// A list.
        List(Vec<String>) = [
            Shape::List,
        ],
    }
}

tagged! {
    /// Used by `thread/prediction/updated`.
    pub enum ThreadPredictionResult by "type" {
        Completed(item: CompletedThreadPredictionResult) = "completed",
        Failed = "failed",
    }
}

tagged! {
    /// Used by `thread/timeline/list`, `thread/realtime/item/started`,
    /// `thread/realtime/item/completed`.
    pub enum ThreadRealtimeBemItemPresentation by "type" {
        WholeItem = "wholeItem",
        InlineMarkdown = "inlineMarkdown",
        InlineVisualization(item: InlineVisualizationThreadRealtimeBemItemPresentation) = "inlineVisualization",
    }
}

tagged! {
    /// Used by `thread/timeline/list`, `thread/realtime/item/started`,
    /// `thread/realtime/item/completed`.
    pub enum ThreadRealtimeItem by "type" {
        RealtimeSessionStarted(item: Box<RealtimeSessionStartedThreadRealtimeItem>) = "realtimeSessionStarted",
        TranscriptSegment(item: Box<TranscriptSegmentThreadRealtimeItem>) = "transcriptSegment",
        BemItemPromoted(item: Box<BemItemPromotedThreadRealtimeItem>) = "bemItemPromoted",
        RealtimeSessionClosed(item: Box<RealtimeSessionClosedThreadRealtimeItem>) = "realtimeSessionClosed",
    }
}

shared! {
    ThreadRealtimeItem {
        id = "id" in [
            RealtimeSessionStarted,
            TranscriptSegment,
            BemItemPromoted,
            RealtimeSessionClosed,
        ],
        realtime_session_id = "realtimeSessionId" in [
            RealtimeSessionStarted,
            TranscriptSegment,
            BemItemPromoted,
            RealtimeSessionClosed,
        ],
    }
}

/// Used by `thread/start`, `thread/resume`, `thread/fork` and 8 more methods.
pub type ThreadSource = String;

tagged! {
    /// Whether a thread is loaded, idle, at work, or broken.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 8 more methods.
    pub enum ThreadStatus by "type" {
        NotLoaded = "notLoaded",
        Idle = "idle",
        SystemError = "systemError",
        Active(item: ActiveThreadStatus) = "active",
    }
}

tagged! {
    /// Used by `thread/list`, `thread/read`, `thread/readState/update` and one more method.
    pub enum ThreadUnreadPosition by "type" {
        ThreadStart = "threadStart",
        Turn(item: TurnThreadUnreadPosition) = "turn",
    }
}

tagged! {
    /// A piece of what the user says: text, a picture, a skill, a mention.
    ///
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 22 more methods.
    pub enum UserInput by "type" {
        /// Text. All texts of a turn together may have 1,048,576 characters.
        Text(item: TextUserInput) = "text",
        /// An image as a `data:` URL. The server refuses URLs that would have to be fetched.
        Image(item: ImageUserInput) = "image",
        /// An image in a file on the server's machine. A missing one is no error: the model is told
        /// in a note.
        LocalImage(item: LocalImageUserInput) = "localImage",
        Audio(item: AudioUserInput) = "audio",
        LocalAudio(item: LocalAudioUserInput) = "localAudio",
        /// A skill the server knows.
        Skill(item: SkillUserInput) = "skill",
        /// An app or a plugin that is mentioned.
        Mention(item: MentionUserInput) = "mention",
    }
}

convert! {
    UserInput {
        Text(TextUserInput),
        Image(ImageUserInput),
        LocalImage(LocalImageUserInput),
        Audio(AudioUserInput),
        LocalAudio(LocalAudioUserInput),
        Skill(SkillUserInput),
        Mention(MentionUserInput),
    }
}

tagged! {
    /// Used by `thread/start`, `thread/resume`, `thread/fork` and 18 more methods.
    pub enum WebSearchAction by "type" {
        Search(item: SearchWebSearchAction) = "search",
        OpenPage(item: OpenPageWebSearchAction) = "openPage",
        FindInPage(item: FindInPageWebSearchAction) = "findInPage",
        Other = "other",
    }
}
