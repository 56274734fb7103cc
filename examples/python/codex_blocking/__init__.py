"""A blocking client for OpenAI's `codex app-server`.

    from codex_blocking import Client

    with Client.stdio() as client:
        print(client.chat_once("Say hello").final_text)

See `Client`. Every exception is a `CodexError`. Durations are in seconds, or a `timedelta`; None is no limit.
"""

from __future__ import annotations

from ._library import library_path, lib as _lib
from .account import Login
from .client import Client
from .commands import RunningCommand
from .errors import (
    CodexBufferFullError,
    CodexClosedError,
    CodexDecodeError,
    CodexError,
    CodexInvalidHandleError,
    CodexInvalidInputError,
    CodexLoginFailedError,
    CodexNoAnswerError,
    CodexNoLongerPendingError,
    CodexOutputFullError,
    CodexPanicError,
    CodexProtocolError,
    CodexRolledBackError,
    CodexRpcError,
    CodexTimeoutError,
    CodexTransportError,
    CodexTurnFailedError,
    CodexTurnInactiveError,
    CodexTurnInterruptedError,
    CodexTurnProgressError,
)
from .logs import disable_logging, enable_logging
from .questions import (
    ApprovalRequest,
    ApprovalRequests,
    CommandApprovalRequest,
    FileChangeApprovalRequest,
    Question,
    Questions,
    ToolCall,
    UserInputRequest,
    UserInputRequests,
)
from .records import (
    Account,
    CancelResult,
    ChatContinuation,
    ChatResult,
    CommandExit,
    CommandOutput,
    CommandOutputDelta,
    ConversationStep,
    Delta,
    Diff,
    Event,
    ExecResult,
    InitializeResult,
    ItemStarted,
    JsonAnswer,
    Notification,
    OtherEvent,
    Plan,
    PlanDelta,
    ReasoningDelta,
    Record,
    RetryingError,
    StepCompleted,
    SubAgent,
    TextDelta,
    TokenUsage,
    TurnWarning,
)
from .settings import ChatOptions, ClientOptions, ExecOptions, ThreadConfig, TurnOverrides
from .streams import Notifications, Stream
from .threads import ThreadHandle
from .transcript import Transcript
from .turns import Chat, ChatEvents, TurnStream

__version__: str = _lib.codex_version().decode()

# Written out: type checkers don't run anything.
__all__ = [
    "Account",
    "ApprovalRequest",
    "ApprovalRequests",
    "CancelResult",
    "Chat",
    "ChatContinuation",
    "ChatEvents",
    "ChatOptions",
    "ChatResult",
    "Client",
    "ClientOptions",
    "CodexBufferFullError",
    "CodexClosedError",
    "CodexDecodeError",
    "CodexError",
    "CodexInvalidHandleError",
    "CodexInvalidInputError",
    "CodexLoginFailedError",
    "CodexNoAnswerError",
    "CodexNoLongerPendingError",
    "CodexOutputFullError",
    "CodexPanicError",
    "CodexProtocolError",
    "CodexRolledBackError",
    "CodexRpcError",
    "CodexTimeoutError",
    "CodexTransportError",
    "CodexTurnFailedError",
    "CodexTurnInactiveError",
    "CodexTurnInterruptedError",
    "CodexTurnProgressError",
    "CommandApprovalRequest",
    "CommandExit",
    "CommandOutput",
    "CommandOutputDelta",
    "ConversationStep",
    "Delta",
    "Diff",
    "Event",
    "ExecOptions",
    "ExecResult",
    "FileChangeApprovalRequest",
    "InitializeResult",
    "ItemStarted",
    "JsonAnswer",
    "Login",
    "Notification",
    "Notifications",
    "OtherEvent",
    "Plan",
    "PlanDelta",
    "Question",
    "Questions",
    "ReasoningDelta",
    "Record",
    "RetryingError",
    "RunningCommand",
    "StepCompleted",
    "Stream",
    "SubAgent",
    "TextDelta",
    "ThreadConfig",
    "ThreadHandle",
    "TokenUsage",
    "ToolCall",
    "Transcript",
    "TurnOverrides",
    "TurnStream",
    "TurnWarning",
    "UserInputRequest",
    "UserInputRequests",
    "disable_logging",
    "enable_logging",
    "library_path",
]
