"""A blocking client for OpenAI's `codex app-server`.

    from codex_blocking import Client

    with Client.stdio() as client:
        print(client.chat_once("Say hello").final_text)

See `Client`. Every exception is a `CodexError`. Durations are in seconds; None is no limit.
"""

from __future__ import annotations

from ._library import library_path, lib as _lib
from .client import Client, Login, Thread, Transcript
from .errors import (
    BufferFullError,
    ClosedError,
    CodexError,
    DecodeError,
    InvalidHandleError,
    InvalidInputError,
    LoginFailedError,
    NoAnswerError,
    NoLongerPendingError,
    OutputFullError,
    PanicError,
    RolledBackError,
    RpcError,
    TimedOutError,
    TransportError,
    TurnFailedError,
    TurnInactiveError,
    TurnInterruptedError,
    TurnProgressError,
)
from .logs import disable_logging, enable_logging
from .records import (
    Account,
    Approval,
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
    Question,
    ReasoningDelta,
    Record,
    RetryingError,
    StepCompleted,
    SubAgent,
    TextDelta,
    TokenUsage,
    ToolCall,
    TurnWarning,
    UserInput,
)
from .settings import ChatOptions, ClientOptions, ExecOptions, ThreadConfig, TurnOverrides
from .streams import Chat, ChatEvents, Command, Notifications, Questions, Stream, TurnStream

__version__: str = _lib.codex_version().decode()

__all__ = [name for name in dir() if not name.startswith("_") and name != "annotations"]
