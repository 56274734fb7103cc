"""The exceptions: one class for each code of the library's errors.

Relies on the JSON of the errors. Invariant: every error of the library is a `CodexError`, also one with a code that
this version doesn't know.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple, Type

from .records import ChatContinuation, ConversationStep


class CodexError(Exception):
    """Base of all exceptions of this package.

    Fields of the error that have no annotation here, because the library is newer, are attributes too.
    """

    code: str
    """What kind of error this is: a stable identifier such as `"turn_failed"`."""
    message: str
    """What happened, and where known, what to do about it."""
    causes: List[str]
    """The messages of the underlying errors, the outermost first."""
    is_retryable: bool
    """Whether the same call may succeed later although nothing is changed."""
    raw: Dict[str, Any]
    """The error as the library gave it."""

    def __init__(self, raw: Dict[str, Any]) -> None:
        super().__init__(raw.get("message", ""))
        self.is_retryable = False
        for name, value in raw.items():
            if name != "raw":
                setattr(self, name, value)
        self.raw = raw
        if isinstance(raw.get("steps"), list):
            self.steps = [ConversationStep(step) for step in raw["steps"]]
        if isinstance(raw.get("continuation"), dict):
            self.continuation = ChatContinuation(raw["continuation"])

    def __reduce__(self) -> Tuple[Type[CodexError], Tuple[Dict[str, Any]]]:
        return type(self), (self.raw,)


class CodexTurnProgressError(CodexError):
    """Base of the errors that tell what the turn did before."""

    steps: List[ConversationStep]
    """The steps of the turn, if they were kept (`chat_once` keeps them, `chat` hands them out)."""
    usage: Optional[Dict[str, Any]]
    """The tokens of the turn, if the server has told."""


class CodexTransportError(CodexError):
    """The server could not be reached, or the connection was lost. To go on, connect again."""

    doing: str
    failure: Mapping[str, Any] = {}
    """`message`, `exit_code`, `exit_signal`, `stderr_tail`, `http_status`, `close_code`, `before_connect`, .."""


class CodexClosedError(CodexTransportError):
    """The client was closed, or belongs to the parent of this forked process."""

    doing: str
    in_forked_process: bool


class CodexTimeoutError(CodexTurnProgressError, TimeoutError):
    """A time limit passed."""

    limit: Dict[str, Any]
    """Which: `{"type": "request", "method": ".."}` and so on."""
    after_ms: int
    note: Optional[str]


class CodexTurnInactiveError(CodexTimeoutError):
    """The turn was silent for too long. Resume it with `continuation`, cancel it, or forget it."""

    continuation: ChatContinuation
    idle_ms: int
    last_error: Optional[str]

    def __init__(self, raw: Dict[str, Any]) -> None:
        super().__init__(raw)
        self.limit, self.after_ms, self.note = {"type": "inactivity"}, raw.get("idle_ms", 0), None


class CodexProtocolError(CodexError):
    """Base of the errors that the server tells: of a request, of a turn, or by what can't be decoded."""


class CodexRpcError(CodexProtocolError):
    """The server answered a request with an error."""

    method: str
    rpc_code: int
    rpc_message: str
    data: Any


class CodexTurnFailedError(CodexProtocolError, CodexTurnProgressError):
    """The turn ended as failed."""

    thread_id: str
    turn_id: str
    turn_message: str
    info: Any
    turn_failure: Optional[Dict[str, Any]]
    """`kind`, `http_status`, `is_transient`, `resets_at`."""
    turn: Optional[Dict[str, Any]]


class CodexTurnInterruptedError(CodexTurnProgressError):
    """The turn was interrupted."""

    thread_id: str
    turn_id: str
    turn: Optional[Dict[str, Any]]


class CodexNoAnswerError(CodexTurnProgressError):
    """The turn completed without an answer; `steps` tells what it did."""

    thread_id: str
    turn_id: str


class CodexDecodeError(CodexProtocolError, CodexTurnProgressError):
    """Something that the server sent can't be decoded; its text is `raw["raw"]`."""

    what: str


class CodexRolledBackError(CodexError):
    """Turns were rolled back, but the rest of the thread can't be read. Don't repeat the call."""

    thread_id: str


class CodexInvalidInputError(CodexError, ValueError):
    """An argument is invalid; nothing was sent."""


class CodexNoLongerPendingError(CodexError):
    """The continuation, question, turn or command is no longer waiting here."""

    what: str


class CodexBufferFullError(CodexError):
    """Unread events exceeded `max_buffered_bytes`, and this turn's were most of them."""

    thread_id: str
    turn_id: str
    buffered: int
    limit: int


class CodexOutputFullError(CodexError):
    """Unread events exceeded `max_buffered_bytes`, and this command's output was most of them."""

    process_id: str
    buffered: int
    limit: int


class CodexLoginFailedError(CodexError):
    """A sign-in ended without success."""

    login_message: str
    was_cancelled: bool


class CodexInvalidHandleError(CodexError):
    """A handle of the library that was freed, which is a bug of this package."""


class CodexPanicError(CodexError):
    """A bug of the library."""


BY_CODE: Dict[str, Type[CodexError]] = {
    "transport": CodexTransportError,
    "timeout": CodexTimeoutError,
    "turn_inactive": CodexTurnInactiveError,
    "rpc": CodexRpcError,
    "turn_failed": CodexTurnFailedError,
    "turn_interrupted": CodexTurnInterruptedError,
    "no_answer": CodexNoAnswerError,
    "decode": CodexDecodeError,
    "rolled_back": CodexRolledBackError,
    "invalid_input": CodexInvalidInputError,
    "no_longer_pending": CodexNoLongerPendingError,
    "buffer_full": CodexBufferFullError,
    "output_full": CodexOutputFullError,
    "login_failed": CodexLoginFailedError,
    "closed": CodexClosedError,
    "invalid_handle": CodexInvalidHandleError,
    "panic": CodexPanicError,
}


def error_of(raw: Dict[str, Any]) -> CodexError:
    """Return the exception for an error as JSON."""
    return BY_CODE.get(raw.get("code", ""), CodexError)(raw)


def invalid(message: str) -> CodexInvalidInputError:
    """Return the exception for an argument that this package refuses by itself."""
    return CodexInvalidInputError({"code": "invalid_input", "message": message, "causes": []})
