"""What the library gives: results, steps, events.

Relies on the JSON of the library. Invariant: each has all that the library gave in `raw`; its fields are the members
of the same names, None if they are absent, so that a newer library can be read.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Callable, ClassVar, Dict, List, Optional, Tuple, Type

Json = Dict[str, Any]


def object_of(raw: Any) -> Json:
    """Return what comes as a JSON object.

    What the server has sent comes as its text if it is nested too deeply for the library or has a number outside of the
    range of a float. If Python can't read it either, the object has it as `text`.
    """
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            pass
    return raw if isinstance(raw, dict) else {"text": raw}


class Record:
    """Base of everything that comes as a JSON object."""

    __slots__ = ("_raw",)
    _fields: ClassVar[Tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = cls.__dict__.get("__slots__", ())
        cls._fields = (*cls._fields, *own)

    def __init__(self, raw: Json) -> None:
        if not isinstance(raw, dict):
            raw = object_of(raw)
        self._raw: Optional[Json] = raw
        for name in self._fields:
            setattr(self, name, raw.get(name))

    @property
    def raw(self) -> Json:
        """All members, also those that this version doesn't know."""
        assert self._raw is not None
        return self._raw

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Record) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Tuple[Callable[..., Any], Tuple[Json]]:
        return type(self), (self.raw,)


class ConversationStep(Record):
    """A completed item of a turn: a message, a command, a change of files, and so on."""

    __slots__ = ("thread_id", "turn_id", "item_id", "step_type", "item_type", "status", "text", "data")

    thread_id: str
    turn_id: str
    item_id: str
    step_type: str
    """`"codex"`, `"thinking"`, `"exec"`, `"file"`, `"tool"`, `"error"`, `"userMessage"`, or another."""
    item_type: str
    """The protocol's name of the type."""
    status: str
    text: Optional[str]
    data: Json
    """The item in the protocol's JSON."""

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        if not isinstance(self.data, dict) and self.data is not None:
            self.data = object_of(self.data)


class ChatResult(Record):
    """The result of a turn."""

    __slots__ = (
        "thread_id", "turn_id", "final_text", "status", "steps", "usage", "token_usage", "duration_ms",
        "started_at", "completed_at", "completion_source", "phase", "assistant_item_id", "raw_events",
    )  # fmt: skip

    thread_id: str
    turn_id: str
    final_text: str
    """The answer."""
    status: str
    steps: List[ConversationStep]
    usage: Optional[Json]
    token_usage: Optional[Json]
    duration_ms: Optional[int]
    started_at: Optional[int]
    """In seconds since 1970."""
    completed_at: Optional[int]
    completion_source: Optional[str]
    phase: Optional[str]
    assistant_item_id: Optional[str]
    raw_events: List[Json]
    """The notifications of the turn, if `keep_raw_events` was set."""

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        self.steps = [ConversationStep(step) for step in raw.get("steps") or ()]
        self.raw_events = [object_of(event) for event in raw.get("raw_events") or ()]


class CancelResult(Record):
    """What was not read of a turn that was cancelled."""

    __slots__ = ("thread_id", "turn_id", "steps", "raw_events", "was_completed", "was_interrupted")

    thread_id: str
    turn_id: str
    steps: List[ConversationStep]
    raw_events: List[Json]
    was_completed: bool
    was_interrupted: bool

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        self.steps = [ConversationStep(step) for step in raw.get("steps") or ()]
        self.raw_events = [object_of(event) for event in raw.get("raw_events") or ()]


class JsonAnswer(Record):
    """An answer that follows a JSON schema."""

    __slots__ = ("value", "result")

    value: Any
    result: ChatResult

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        self.result = ChatResult(raw["result"])


class ChatContinuation(Record):
    """A token with which a turn can be read on. `raw` is JSON, and `ChatContinuation(raw)` the same token."""

    __slots__ = ("thread_id", "turn_id", "cursor", "mode")

    thread_id: str
    turn_id: str
    cursor: int
    mode: str


# Events ---------------------------------------------------------------------------------------------------------------


class Event(Record):
    """Something that happened in a turn, as `chat_events` gives it."""

    __slots__ = ()


class Delta(Event):
    """A piece of a text that grows."""

    __slots__ = ("item_id", "delta")

    item_id: str
    delta: str

    # Most events are deltas, so this is written out, and `raw` is made when it is asked for.
    def __init__(self, item_id: str, delta: str, raw: Optional[Json] = None) -> None:
        self._raw = raw
        self.item_id = item_id
        self.delta = delta

    @classmethod
    def of(cls, raw: Json) -> Delta:
        return cls(raw["item_id"], raw["delta"], raw)

    @property
    def raw(self) -> Json:
        if self._raw is None:
            self._raw = {"type": DELTAS[type(self)], "item_id": self.item_id, "delta": self.delta}
        return self._raw

    def __reduce__(self) -> Tuple[Callable[..., Any], Tuple[Json]]:
        return event_of, (self.raw,)


class TextDelta(Delta):
    """A piece of a message of the agent."""

    __slots__ = ()


class ReasoningDelta(Delta):
    """A piece of the agent's reasoning."""

    __slots__ = ("is_summary",)

    is_summary: bool

    @classmethod
    def of(cls, raw: Json) -> ReasoningDelta:
        event = cls(raw["item_id"], raw["delta"], raw)
        event.is_summary = bool(raw.get("is_summary"))
        return event


class PlanDelta(Delta):
    """A piece of a plan."""

    __slots__ = ()


class CommandOutputDelta(Delta):
    """A piece of a command's output."""

    __slots__ = ()


class ItemStarted(ConversationStep, Event):
    """An item has begun."""

    __slots__ = ()


class StepCompleted(ConversationStep, Event):
    """An item has completed: the step that `chat` gives."""

    __slots__ = ()


class Plan(Event):
    """The plan of the turn, as a whole."""

    __slots__ = ("explanation", "plan")

    explanation: Optional[str]
    plan: List[Json]


class Diff(Event):
    """The difference that the turn has made to files."""

    __slots__ = ("diff",)

    diff: str


class TokenUsage(Event):
    """The tokens that were used."""

    __slots__ = ("last", "total")

    last: Json
    total: Json


class RetryingError(Event):
    """The server tries again what failed."""

    __slots__ = ("message", "event")

    message: str
    event: Json


class TurnWarning(Event):
    """A warning of the server."""

    __slots__ = ("message",)

    message: str


class SubAgent(Event):
    """An event of a turn of a sub-agent, if `sub_agents` was set."""

    __slots__ = ("thread_id", "agent", "event")

    thread_id: str
    agent: Any
    event: Event

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        self.event = event_of(raw["event"])


class OtherEvent(Event):
    """Another notification of the turn: `event` is `{"method", "params"}`, or None for an event that is new."""

    __slots__ = ("event",)

    event: Optional[Json]

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        if self.event is not None:
            self.event = object_of(self.event)


EVENTS: Dict[str, Callable[[Json], Event]] = {
    "text_delta": TextDelta.of,
    "reasoning_delta": ReasoningDelta.of,
    "plan_delta": PlanDelta.of,
    "command_output_delta": CommandOutputDelta.of,
    "item_started": ItemStarted,
    "step": StepCompleted,
    "plan": Plan,
    "diff": Diff,
    "token_usage": TokenUsage,
    "retrying_error": RetryingError,
    "warning": TurnWarning,
    "sub_agent": SubAgent,
    "other": OtherEvent,
}


DELTAS: Dict[Type[Delta], str] = {
    TextDelta: "text_delta",
    PlanDelta: "plan_delta",
    CommandOutputDelta: "command_output_delta",
    ReasoningDelta: "reasoning_delta",
}


def event_of(raw: Json) -> Event:
    """Return the event for its JSON."""
    return EVENTS.get(raw["type"], OtherEvent)(raw)


_decode: Callable[[str], Any] = json.JSONDecoder().decode

# How a batch of deltas of one item begins, as the library writes it.
_HEAD = re.compile(
    r'\[(\{"type":"(text_delta|plan_delta|command_output_delta)","item_id":"([^"\\]*)","delta":")'
)
_OF_TYPE: Dict[str, Type[Delta]] = {name: kind for kind, name in DELTAS.items()}


@lru_cache(maxsize=64)
def _splitter(beginning: str) -> Callable[[str], List[str]]:
    return re.compile('"},' + re.escape(beginning)).split


def events_of(text: str) -> List[Event]:
    """Return the events for the JSON of a batch."""
    head = _HEAD.match(text)
    if head is not None:
        events = _deltas_of(text, head[1], _OF_TYPE[head[2]], head[3])
        if events is not None:
            return events
    return list(map(event_of, _decode(text)))


def _deltas_of(text: str, beginning: str, kind: Type[Delta], item_id: str) -> Optional[List[Event]]:
    """Return the deltas for the JSON of a batch of deltas of one item; None if it has anything else.

    Three times as fast as decoding the JSON, and in a flood nearly all batches are like this.
    """
    # What separates two deltas has quotes that are not escaped, so it can't stand inside of a string.
    pieces = _splitter(beginning)(text[len(beginning) + 1 : -3])
    whole = "".join(pieces)
    if "\\" in whole:
        try:
            pieces = [_decode(f'"{piece}"') if "\\" in piece else piece for piece in pieces]
        except ValueError:  # More than a string: another event.
            return None
        # A piece without a backslash may still be more than a string.
        whole = whole.replace("\\\\", "").replace('\\"', "")
    if '"' in whole:
        return None
    return [kind(item_id, piece) for piece in pieces]


class Notification(Record):
    """A notification of the server."""

    __slots__ = ("method", "params")

    method: str
    params: Any


# The rest -------------------------------------------------------------------------------------------------------------


class InitializeResult(Record):
    """What the server says of itself."""

    __slots__ = ("server_info", "protocol_version", "capabilities")

    server_info: Any
    protocol_version: Optional[str]
    capabilities: Any


class Account(Record):
    """The account that the server is signed in with."""

    __slots__ = ("kind", "email", "plan", "requires_openai_auth", "user_id", "workspace_name")

    kind: Optional[str]
    email: Optional[str]
    plan: Optional[str]
    requires_openai_auth: bool
    user_id: Optional[str]
    workspace_name: Optional[str]


class ExecResult(Record):
    """The end of a command and its whole output."""

    __slots__ = ("exit_code", "stdout", "stderr")

    exit_code: int
    stdout: str
    stderr: str

    def __init__(self, raw: Json) -> None:
        super().__init__(raw)
        self.exit_code = raw["exitCode"]


class CommandOutput:
    """A piece of a command's output."""

    __slots__ = ("stream", "data")

    stream: str
    """`"stdout"` or `"stderr"`."""
    data: bytes

    def __init__(self, stream: str, data: bytes) -> None:
        self.stream = stream
        self.data = data

    def __repr__(self) -> str:
        return f"CommandOutput(stream={self.stream!r}, data={self.data!r})"


class CommandExit:
    """The end of a command."""

    __slots__ = ("exit_code", "unread")

    exit_code: int
    unread: List[CommandOutput]
    """The output that was not read."""

    def __init__(self, exit_code: int, unread: List[CommandOutput]) -> None:
        self.exit_code = exit_code
        self.unread = unread

    def __repr__(self) -> str:
        return f"CommandExit(exit_code={self.exit_code!r}, unread={self.unread!r})"


