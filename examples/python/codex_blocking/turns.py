"""Turns: starting them, reading their steps or events, their results.

Relies on `streams`. Invariant: a turn whose start was interrupted does not go on unseen.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from . import _arguments, _library
from ._arguments import encode, mapping, mappings
from ._handle import Handle
from ._library import lib, result, status
from ._library import handle as handle_of
from ._waiting import blocking
from .errors import CodexError, CodexNoAnswerError, error_of, invalid
from .records import (
    CancelResult,
    ChatContinuation,
    ChatResult,
    ConversationStep,
    Event,
    Json,
    JsonAnswer,
    event_of,
    events_of,
)
from .settings import to_json
from .streams import BATCH, JsonStream

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import Client
    from .settings import ChatOptions

T = TypeVar("T")
Text = Union[str, Sequence[Mapping[str, Any]]]
# What an error says of it.
INPUT = "a text, or a list of input items"


class TurnStream(JsonStream[T]):
    """A turn that is being read.

    Iteration ends with the turn. If the turn failed, it raises the failure then: `CodexTurnFailedError`,
    `CodexTurnInterruptedError`, `CodexTurnInactiveError` (which has a continuation), `CodexTransportError`, ..

    Closing it doesn't interrupt the turn.
    """

    _kind = "chat"
    # Steps are few, and each is a decision for the program; events are many.
    _batch = 1

    def __init__(self, client: Client, handle: int, unread: Optional[List[T]] = None) -> None:
        super().__init__(client, handle)
        self._items.extend(unread or ())
        ids = result(lib.codex_chat_ids, handle)
        self.thread_id: str = ids["thread_id"]
        self.turn_id: str = ids["turn_id"]

    def error(self) -> Optional[CodexError]:
        """Return the failure with which the turn ended, if its end was read."""
        raw = result(lib.codex_chat_error, self._handle)
        return None if raw is None else error_of(raw)

    def finish(self) -> ChatResult:
        """Skip what was not read, wait for the end of the turn, and return its result.

        Raises what iterating raises at the end. Can be repeated, and called after the end.
        """
        raw = self._result(lib.codex_chat_finish)
        self._is_ended = True
        self._items.clear()
        return ChatResult(raw)

    def steer(self, text: str) -> None:
        """Add a message to the running turn. Blocks for at most the request limit."""
        self._status(lib.codex_chat_steer, _arguments.text(text))

    def interrupt(self) -> None:
        """Interrupt the turn; its end can be read afterwards. Blocks for at most the request limit."""
        self._status(lib.codex_chat_interrupt)

    def request_interrupt(self) -> None:
        """Have the turn interrupted in the background. Never waits."""
        status(lib.codex_chat_request_interrupt, self._handle)

    def cancel(self) -> CancelResult:
        """Interrupt the turn, wait for its end, and return what was not read. Blocks for at most the request limit."""
        found = CancelResult(self._result(lib.codex_chat_cancel))
        found.steps[:0] = self._unread_steps()
        self._items.clear()
        self._is_ended = True
        return found

    def _unread_steps(self) -> List[ConversationStep]:
        return [ConversationStep(item.raw) for item in list(self._items) if isinstance(item, ConversationStep)]

    def continuation(self) -> ChatContinuation:
        """Return a token with which the turn can be read on later, also after this was closed. Never waits.

        Give it to `chat`, `chat_once`, `chat_events`, `Client.cancel` or `Client.forget`; until then the events are kept.
        """
        raw: Json = result(lib.codex_chat_continuation, self._handle)
        unread = [item.raw for item in list(self._items) if isinstance(item, (ConversationStep, Event))]
        return ChatContinuation({**raw, "unread": unread} if unread else raw)


class Chat(TurnStream[ConversationStep]):
    """A turn as steps: `for step in client.chat("..")`."""

    def _make(self, batch: str) -> List[ConversationStep]:
        return list(map(ConversationStep, _library.decode(batch)))


class ChatEvents(TurnStream[Event]):
    """A turn as events: deltas, steps, plans, and so on."""

    _batch = BATCH

    def _make(self, batch: str) -> List[Event]:
        return events_of(batch)


class _Once:
    """A turn that nobody else reads: it begins, is read, and ends in one wait."""

    def __init__(self, begin: Callable[[], Chat]) -> None:
        self._begin = begin
        self._lock = threading.Lock()
        self._chat: Optional[Chat] = None
        self._is_interrupted = False

    def run(self) -> ChatResult:
        with self._begin() as chat:
            with self._lock:
                self._chat = chat
                is_interrupted = self._is_interrupted
            if is_interrupted:
                chat.request_interrupt()
            return chat.finish()

    def interrupt(self) -> None:
        """Have the turn interrupted, also if it has not begun."""
        with self._lock:
            self._is_interrupted = True
            chat = self._chat
        if chat is not None:
            chat.request_interrupt()


def _once(begin: Callable[[], Chat]) -> ChatResult:
    """Return the result of a turn that nobody else reads. If the wait is ended, such as by Ctrl-C, so is the turn."""
    turn = _Once(begin)
    try:
        found = blocking(turn.run)
    except CodexError:
        raise
    except BaseException:
        turn.interrupt()
        raise
    if found.completion_source is None:
        message = f"turn {found.turn_id} of thread {found.thread_id} completed without an answer"
        raise CodexNoAnswerError({**found.raw, "code": "no_answer", "message": message, "causes": []})
    return found


def _request(
    text_or_input: Optional[Text], continuation: Optional[ChatContinuation], options: Mapping[str, Any]
) -> Tuple[Json, List[Json]]:
    """Return a request as the library takes it, and what this package had taken of the turn that was not read."""
    request = to_json(options)
    if isinstance(text_or_input, str):
        request["text"] = text_or_input
    elif text_or_input is not None:
        request["input"] = mappings(text_or_input, INPUT)
    unread: List[Json] = []
    if continuation is not None:
        request["continuation"], unread = split(continuation)
    return request, unread


def split(continuation: ChatContinuation) -> Tuple[Json, List[Json]]:
    """Return the token of the library, and what this package had taken of the turn that was not read."""
    if not isinstance(continuation, ChatContinuation):
        raise invalid(f"expected a ChatContinuation, not {continuation!r}")
    token = dict(continuation.raw)
    return token, token.pop("unread", [])


def steps_of(raw: Iterable[Json]) -> List[ConversationStep]:
    """Return the steps of what was not read: of a chat of steps, or of a chat of events."""
    return [ConversationStep(one) for one in raw if one.get("type", "step") == "step"]


class Chats(Handle):
    """What turns are started with: a client, or a thread."""

    def _connection(self) -> Client:
        raise NotImplementedError

    def _begin(self, request: Json, unread: Sequence[Json]) -> Chat:
        given, function = encode(request), self._function("chat")
        # A turn that begins after its caller has been interrupted, is interrupted, too.
        return blocking(
            lambda: Chat(self._connection(), handle_of(function, self._handle, given), steps_of(unread)),
            Chat.request_interrupt,
        )

    def chat_once(
        self,
        text: Optional[Text] = None,
        *,
        continuation: Optional[ChatContinuation] = None,
        **options: Unpack[ChatOptions],
    ) -> ChatResult:
        """Run a turn to its end, and return the result. `final_text` is the answer.

        Blocks until the turn has ended, or has been silent for `inactivity_timeout`. Ctrl-C ends the wait, and
        interrupts the turn.
        """
        options.setdefault("keep_steps", True)
        request, unread = _request(text, continuation, options)
        found = _once(lambda: self._begin(request, ()))
        found.steps[:0] = steps_of(unread)
        return found

    def chat(
        self,
        text: Optional[Text] = None,
        *,
        continuation: Optional[ChatContinuation] = None,
        **options: Unpack[ChatOptions],
    ) -> Chat:
        """Start a turn, and return it as an iterator over its steps.

        The text may be a list of input items in the protocol's JSON. Blocks until the server has accepted the turn.
        """
        return self._begin(*_request(text, continuation, options))

    def chat_events(
        self,
        text: Optional[Text] = None,
        *,
        continuation: Optional[ChatContinuation] = None,
        **options: Unpack[ChatOptions],
    ) -> ChatEvents:
        """Start a turn, and return it as an iterator over its events: deltas, steps, and so on."""
        request, unread = _request(text, continuation, options)
        given, function = encode(request), self._function("chat_events")
        events = [event_of(one) for one in unread if "type" in one]
        return blocking(
            lambda: ChatEvents(self._connection(), handle_of(function, self._handle, given), events),
            ChatEvents.request_interrupt,
        )

    def chat_json(self, text: Text, schema: Mapping[str, Any], **options: Unpack[ChatOptions]) -> JsonAnswer:
        """Run a turn whose answer follows a JSON schema.

        Ctrl-C ends the wait; the turn goes on.
        """
        request, _ = _request(text, None, options)
        return JsonAnswer(self._result(self._function("chat_json"), encode(request), encode(mapping(schema))))
