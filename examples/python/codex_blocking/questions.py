"""Questions of the server: approvals, user input, calls of tools; and who answers them.

Relies on `streams`. Invariant: nothing is granted unless the program grants it, and whatever a handler does, its question
gets an answer.
"""

from __future__ import annotations

import ctypes
import json
import threading
import weakref
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from . import _library
from ._arguments import encode, mapping, sequence
from ._library import lib, status
from .errors import CodexError, CodexNoLongerPendingError, invalid
from .logs import logger
from .records import Json, Record, object_of
from .streams import JsonStream

if TYPE_CHECKING:
    from .client import Client

ApprovalAnswer = Union[str, Mapping[str, Any], None]
"""`"accept"`, `"acceptForSession"`, `"decline"`, `"cancel"`, or the protocol's answer; None grants nothing."""
UserInputAnswer = Union[Mapping[str, Union[str, Sequence[str]]], None]
"""For each id of a question the label of the choice, a text, or several."""
ToolAnswer = Union[str, Mapping[str, Any], None]
"""The output, or the protocol's answer."""


class Question(Record):
    """A question of the server. `raw` has what was asked."""

    __slots__ = ("type", "method", "params", "thread_id", "turn_id", "item_id")

    type: str
    """`"approval"`, `"user_input"`, `"permissions"`, `"elicitation"`, `"tool_call"`, or another."""
    method: Optional[str]
    """The protocol's method, of questions that come in the protocol's JSON."""
    params: Optional[Json]
    """The protocol's parameters, of questions that come in the protocol's JSON."""
    thread_id: Optional[str]
    turn_id: Optional[str]
    item_id: Optional[str]

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        if self.params is not None:
            self.params = object_of(self.params)


class ApprovalRequest(Question):
    """The agent wants to run a command, change files, or call a tool."""

    __slots__ = ("kind", "command", "cwd", "reason", "changes", "available_decisions")

    kind: str
    """`"command"`, `"file_change"` or `"mcp_tool"`."""
    command: Optional[str]
    cwd: Optional[str]
    reason: Optional[str]
    changes: Optional[List[Json]]
    available_decisions: Optional[List[Any]]


class CommandApprovalRequest(ApprovalRequest):
    """The agent wants to run a command."""

    __slots__ = ()


class FileChangeApprovalRequest(ApprovalRequest):
    """The agent wants to change files."""

    __slots__ = ()


class UserInputRequest(Question):
    """The agent asks the user something."""

    __slots__ = ("questions", "is_blocking")

    questions: List[Json]
    """Each has `id`, `header`, `question` and `options`."""
    is_blocking: bool


class ToolCall(Question):
    """The agent calls a tool of the program."""

    __slots__ = ("tool", "arguments")

    tool: str
    arguments: Any

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        params = self.params or {}
        self.tool = params.get("tool", "")
        self.arguments = params.get("arguments")


_APPROVALS: Dict[str, Type[ApprovalRequest]] = {
    "command": CommandApprovalRequest,
    "file_change": FileChangeApprovalRequest,
}
_QUESTIONS: Dict[str, Type[Question]] = {"user_input": UserInputRequest, "tool_call": ToolCall}


Q = TypeVar("Q", bound=Question)


def question_of(raw: Json) -> Question:
    """Return the question for its JSON."""
    if raw["type"] == "approval":
        return _APPROVALS.get(raw.get("kind", ""), ApprovalRequest)(raw)
    return _QUESTIONS.get(raw["type"], Question)(raw)


def answer_of(question: Question, answer: Any) -> Optional[bytes]:
    """Return an answer in the protocol's form; None grants nothing."""
    if not isinstance(question, Question):
        raise invalid(f"expected a question, not {question!r}")
    if answer is None:
        return None
    if isinstance(question, ApprovalRequest) and isinstance(answer, str):
        answer = {"decision": answer}
    elif isinstance(question, ToolCall) and isinstance(answer, str):
        answer = {"contentItems": [{"type": "inputText", "text": answer}], "success": True}
    elif isinstance(question, UserInputRequest) and isinstance(answer, Mapping) and "answers" not in answer:
        lists = {name: [one] if isinstance(one, str) else sequence(one) for name, one in answer.items()}
        answer = {"answers": {name: {"answers": chosen} for name, chosen in lists.items()}}
    if not isinstance(answer, Mapping):
        raise invalid(f"{answer!r} is no answer to a question of the type {question.type!r}")
    return encode(mapping(answer))


# Streams --------------------------------------------------------------------------------------------------------------


class _QuestionsOfType(JsonStream[Q]):
    """The questions of one class."""

    _kind = "stream"
    _type: Type[Q]

    def _make(self, batch: str) -> List[Q]:
        questions = map(question_of, _library.decode(batch))
        return [question for question in questions if isinstance(question, self._type)]


class Questions(_QuestionsOfType[Question]):
    """The questions of the server. Answer them with `Client.respond`."""

    _type = Question


class ApprovalRequests(_QuestionsOfType[ApprovalRequest]):
    """What the agent wants approved. Answer with `Client.respond_approval` and so on."""

    _type = ApprovalRequest


class UserInputRequests(_QuestionsOfType[UserInputRequest]):
    """What the agent asks the user. Answer with `Client.respond_user_input` and so on."""

    _type = UserInputRequest


# Handlers -------------------------------------------------------------------------------------------------------------


class Handlers:
    """The functions that answer the questions of a client, one after the other, on a thread of their own.

    Not on a thread of the library: who waits for that, such as at the end of the program, would wait for a handler.
    """

    def __init__(self, handle: int, is_manual: bool) -> None:
        self._handle = handle
        self._is_manual = is_manual
        self._functions: Dict[str, Callable[[Any], Any]] = {}
        self._asked: SimpleQueue[Optional[bytes]] = SimpleQueue()
        self._on_question: Any = None
        # A signal handler may set a handler, too.
        self._lock = threading.RLock()

    def set(self, client: Client, kind: str, handler: Optional[Callable[[Any], Any]]) -> None:
        """Set the handler for a type of question, or for all others."""
        if handler is None:
            self._functions.pop(kind, None)
            return
        if not callable(handler):
            raise invalid(f"a handler is a function, not {handler!r}")
        self._functions[kind] = handler
        # From now on all questions come here, also when no handler is left.
        with self._lock:
            if self._on_question is None:
                self._begin(client)

    def _begin(self, client: Client) -> None:
        asked = self._asked
        # It doesn't keep the client, which keeps it.
        of = weakref.ref(client)
        threading.Thread(target=self._work, args=(of,), name="codex_blocking-handlers", daemon=True).start()
        self._on_question = _library.on_question_type(lambda _, question: asked.put(question))
        try:
            address = ctypes.cast(self._on_question, ctypes.c_void_p)
            status(lib.codex_client_on_question, self._handle, address, None)
        except CodexError:
            self._on_question = None
            asked.put(None)
            raise

    def end(self) -> None:
        """Have the thread end. The handle of the client was freed, so that no more questions come."""
        self._asked.put(None)

    def _work(self, of: weakref.ref[Client]) -> None:
        """Answer one question after the other, until the client is gone."""
        while True:
            question = self._asked.get()
            if question is None:
                return
            # The handle is not freed meanwhile.
            client = of()
            if client is not None:
                try:
                    self._answer(question)
                except Exception:
                    logger().exception("a question can't be answered")
            del client

    def _answer(self, raw: bytes) -> None:
        """Answer a question, which is JSON. Nothing that a handler does leaves it without an answer."""
        answer: Optional[bytes] = None
        try:
            question = question_of(json.loads(raw))
            handler = self._functions.get(question.type) or self._functions.get("")
            if handler is not None:
                answer = answer_of(question, handler(question))
            elif self._is_manual:
                return
        except BaseException:  # SystemExit, too: nobody else would be told of it.
            logger().exception("the handler of a question has failed; nothing is granted")
        try:
            status(lib.codex_client_respond, self._handle, raw, answer)
        except CodexNoLongerPendingError:
            pass
        except CodexError as error:
            logger().error("the answer to a question was refused, nothing is granted: %s", error)
            if answer is not None:
                self._grant_nothing(raw)

    def _grant_nothing(self, raw: bytes) -> None:
        try:
            status(lib.codex_client_respond, self._handle, raw, None)
        except CodexError as error:
            logger().error("a question can't be answered: %s", error)
