//! What the server asks.
//!
//! @generated from the schemas of codex 0.169.0 (structure aadaca78d09b79c9) by
//! `CODEGEN=write cargo test --test offline codegen`; do not edit.

use super::*;
use crate::protocol::ServerRequestParams;
use crate::protocol::request::messages;

messages! {
    /// A request of the server, decoded; the id is in the envelope.
    pub enum ServerRequestMessage {
        ItemCommandExecutionRequestApproval(CommandExecutionRequestApprovalParams) = "item/commandExecution/requestApproval",
        ItemFileChangeRequestApproval(FileChangeRequestApprovalParams) = "item/fileChange/requestApproval",
        ItemToolRequestUserInput(ToolRequestUserInputParams) = "item/tool/requestUserInput",
        McpServerElicitationRequest(McpServerElicitationRequestParams) = "mcpServer/elicitation/request",
        ItemPermissionsRequestApproval(PermissionsRequestApprovalParams) = "item/permissions/requestApproval",
        ItemToolCall(DynamicToolCallParams) = "item/tool/call",
        AccountChatgptAuthTokensRefresh(ChatgptAuthTokensRefreshParams) = "account/chatgptAuthTokens/refresh",
        AttestationGenerate(AttestationGenerateParams) = "attestation/generate",
        /// Belongs to the experimental API.
        CurrentTimeRead(CurrentTimeReadParams) = "currentTime/read",
        ApplyPatchApproval(ApplyPatchApprovalParams) = "applyPatchApproval",
        ExecCommandApproval(ExecCommandApprovalParams) = "execCommandApproval",
    }
}

impl ServerRequestParams for CommandExecutionRequestApprovalParams {
    type Response = CommandExecutionRequestApprovalResponse;
    const METHOD: &'static str = "item/commandExecution/requestApproval";
}

impl ServerRequestParams for FileChangeRequestApprovalParams {
    type Response = FileChangeRequestApprovalResponse;
    const METHOD: &'static str = "item/fileChange/requestApproval";
}

impl ServerRequestParams for ToolRequestUserInputParams {
    type Response = ToolRequestUserInputResponse;
    const METHOD: &'static str = "item/tool/requestUserInput";
}

impl ServerRequestParams for McpServerElicitationRequestParams {
    type Response = McpServerElicitationRequestResponse;
    const METHOD: &'static str = "mcpServer/elicitation/request";
}

impl ServerRequestParams for PermissionsRequestApprovalParams {
    type Response = PermissionsRequestApprovalResponse;
    const METHOD: &'static str = "item/permissions/requestApproval";
}

impl ServerRequestParams for DynamicToolCallParams {
    type Response = DynamicToolCallResponse;
    const METHOD: &'static str = "item/tool/call";
}

impl ServerRequestParams for ChatgptAuthTokensRefreshParams {
    type Response = ChatgptAuthTokensRefreshResponse;
    const METHOD: &'static str = "account/chatgptAuthTokens/refresh";
}

impl ServerRequestParams for AttestationGenerateParams {
    type Response = AttestationGenerateResponse;
    const METHOD: &'static str = "attestation/generate";
}

impl ServerRequestParams for CurrentTimeReadParams {
    type Response = CurrentTimeReadResponse;
    const METHOD: &'static str = "currentTime/read";
}

impl ServerRequestParams for ApplyPatchApprovalParams {
    type Response = ApplyPatchApprovalResponse;
    const METHOD: &'static str = "applyPatchApproval";
}

impl ServerRequestParams for ExecCommandApprovalParams {
    type Response = ExecCommandApprovalResponse;
    const METHOD: &'static str = "execCommandApproval";
}
