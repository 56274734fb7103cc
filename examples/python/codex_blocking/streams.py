"""Streams: chats, notifications, questions, and the output of commands.

Relies on the descriptors of the library; where there are none (Windows), on waits in slices. Invariant: an item is
handed out at once, and none is lost: what this package has taken from the library in advance is handed out, or goes
with the continuation.
"""

from __future__ import annotations

import ctypes
import select
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Generic, Iterator, List, Optional, Tuple, TypeVar

from . import _library
from ._library import ENDED, ITEM, blocking, lib, result, status
from .errors import CodexError, NoAnswerError, error_of
from .records import (
    CancelResult,
    ChatContinuation,
    ChatResult,
    CommandExit,
    CommandOutput,
    ConversationStep,
    Event,
    Json,
    Notification,
    Question,
    events_of,
    question_of,
)

if TYPE_CHECKING:
    from .client import Client

T = TypeVar("T")
S = TypeVar("S", bound="Stream[Any]")

# Enough to make the cost of a call small; little enough that the memory of a batch is.
_BATCH = 256
_OUTPUT_BYTES = 64 * 1024
# Not on Windows: there a wait has slices, so that Ctrl-C has not to wait for its end.
_HAS_POLL = hasattr(select, "poll")


def _slice(seconds: Optional[float]) -> int:
    """Return how long a wait of so many seconds lasts until Python can run a signal handler, in milliseconds."""
    return 100 if seconds is None else min(100, int(seconds * 1000))


class Stream(Generic[T]):
    """What is read item by item, from any thread: `for item in stream`.

    Iterating waits for the next item without a limit; a turn has its inactivity limit. The GIL is free meanwhile, and
    Ctrl-C ends the wait at once. `close`, in any thread, ends the iteration.
    """

    _kind: str

    def __init__(self, client: Client, handle: int) -> None:
        # Keeps the connection.
        self._client = client
        self._handle = handle
        self._items: Deque[T] = deque()
        self._is_ended = False
        self._is_closed = False
        self._on_ready: Any = None

    # Of the subclasses.

    def _take(self, timeout_ms: int) -> Tuple[int, List[T]]:
        """Take the items that are there, or wait for one."""
        raise NotImplementedError

    def _check(self) -> None:
        """Raise the error with which the stream has ended."""

    # Reading.

    def __iter__(self) -> Iterator[T]:
        pop = self._items.popleft
        while True:
            try:
                item = pop()
            except IndexError:
                if not self._fill(None):
                    return
            else:
                yield item

    def __next__(self) -> T:
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                if not self._fill(None):
                    raise StopIteration from None

    def next_timeout(self, seconds: Optional[float]) -> Optional[T]:
        """Return the next item, or None if none comes in that time or the stream has ended (`is_ended`).

        Raises the error with which a turn has failed, once.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                if not self._fill(deadline):
                    return None

    def try_next(self) -> Optional[T]:
        """Return the next item if there is one now, and None otherwise. Never waits.

        Returns None if the stream has ended, too (`is_ended`). Raises the error with which a turn has failed, once.
        """
        return self.next_timeout(0)

    @property
    def is_ended(self) -> bool:
        """Whether everything was read."""
        return self._is_ended and not self._items

    def fileno(self) -> int:
        """Return a descriptor that is readable when something comes, for `select`, `selectors` and asyncio.

        Take items with `try_next` until it returns None before you wait for it. It belongs to the stream. There is
        none on Windows: use `on_ready` there.
        """
        return status(getattr(lib, f"codex_{self._kind}_fd"), self._handle)

    def on_ready(self, callback: Optional[Callable[[], object]]) -> None:
        """Have a function called when something comes: once, and again after `try_next` has returned None.

        It is called on a thread of the library and should only wake an event loop, such as by
        `loop.call_soon_threadsafe`. Replaces an earlier one; None ends the calls.
        """
        function = None if callback is None else _library.on_ready_type(lambda _: _call(callback))
        address = None if function is None else ctypes.cast(function, ctypes.c_void_p)
        status(getattr(lib, f"codex_{self._kind}_on_ready"), self._handle, address, None)
        self._on_ready = function

    def _fill(self, deadline: Optional[float]) -> bool:
        """Take what is there, and wait for it up to the deadline. False: there is nothing."""
        if self._is_ended:
            return False
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            found, items = self._take(0 if _HAS_POLL else _slice(left))
            if found == ITEM:
                self._items.extend(items)
                return True
            if found == ENDED:
                self._is_ended = True
                self._check()
                return False
            if left == 0:
                return False
            if _HAS_POLL:
                self._wait(left)

    def _wait(self, seconds: Optional[float]) -> None:
        """Wait until something may be there, or the time has passed."""
        try:
            descriptor = self.fileno()
        except CodexError:
            # Another thread has ended the stream.
            if self._is_ended:
                return
            raise
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)

    # The end.

    def close(self) -> None:
        """End the stream, from any thread; what was not read is dropped. Can be repeated. Never raises."""
        self._is_closed = self._is_ended = True
        # This wakes who waits for the descriptor. The handle stays until nobody has this object any more. It fails in a
        # forked process, where nothing is to be ended.
        getattr(lib, f"codex_{self._kind}_end")(self._handle)
        self._items.clear()

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            getattr(lib, f"codex_{self._kind}_free")(handle)

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "ended" if self._is_ended else "open"
        return f"<{type(self).__name__} {state}>"


def _call(callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception:
        from .logs import logger

        logger().exception("a callback has failed")


class TurnStream(Stream[T]):
    """A turn that is being read.

    Iteration ends with the turn. If the turn failed, it raises the failure then: `TurnFailedError`,
    `TurnInterruptedError`, `TurnInactiveError` (which has a continuation), `TransportError`, ..

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

    def _make(self, batch: str) -> List[T]:
        """Return the items for the JSON of a batch."""
        raise NotImplementedError

    def _take(self, timeout_ms: int) -> Tuple[int, List[T]]:
        found, raw = _library.item(lib.codex_chat_next_batch, self._handle, timeout_ms, self._batch)
        return found, [] if raw is None else self._make(raw)

    def _check(self) -> None:
        error = self.error()
        if error is not None:
            raise error

    def error(self) -> Optional[CodexError]:
        """Return the failure with which the turn ended, if its end was read."""
        raw = result(lib.codex_chat_error, self._handle)
        return None if raw is None else error_of(raw)

    def finish(self) -> ChatResult:
        """Skip what was not read, wait for the end of the turn, and return its result.

        Raises what iterating raises at the end. Can be repeated, and called after the end.
        """
        handle = self._handle
        raw = blocking(lambda: result(lib.codex_chat_finish, handle))
        self._is_ended = True
        self._items.clear()
        return ChatResult(raw)

    def steer(self, text: str) -> None:
        """Add a message to the running turn. Blocks for at most the request limit."""
        handle, message = self._handle, _library.text(text)
        blocking(lambda: status(lib.codex_chat_steer, handle, message))

    def interrupt(self) -> None:
        """Interrupt the turn; its end can be read afterwards. Blocks for at most the request limit."""
        handle = self._handle
        blocking(lambda: status(lib.codex_chat_interrupt, handle))

    def request_interrupt(self) -> None:
        """Have the turn interrupted in the background. Never waits."""
        status(lib.codex_chat_request_interrupt, self._handle)

    def cancel(self) -> CancelResult:
        """Interrupt the turn, wait for its end, and return what was not read. Blocks for at most the request limit."""
        handle = self._handle
        found = CancelResult(blocking(lambda: result(lib.codex_chat_cancel, handle)))
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

    _batch = _BATCH

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


def once(begin: Callable[[], Chat]) -> ChatResult:
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
        raise NoAnswerError({**found.raw, "code": "no_answer", "message": message, "causes": []})
    return found


class _JsonStream(Stream[T]):
    _kind = "stream"

    def _make(self, batch: str) -> List[T]:
        """Return the items for the JSON of a batch."""
        raise NotImplementedError

    def _take(self, timeout_ms: int) -> Tuple[int, List[T]]:
        found, raw = _library.item(lib.codex_stream_next_batch, self._handle, timeout_ms, _BATCH)
        return found, [] if raw is None else self._make(raw)


class Notifications(_JsonStream[Notification]):
    """All notifications of the server. What is not read for long is dropped, the oldest first."""

    def _make(self, batch: str) -> List[Notification]:
        return list(map(Notification, _library.decode(batch)))


class Questions(_JsonStream[Question]):
    """The questions of the server. Answer them with `Client.respond`."""

    def _make(self, batch: str) -> List[Question]:
        return list(map(question_of, _library.decode(batch)))


class Command(Stream[CommandOutput]):
    """A command that runs on the server: iterating gives its output. Closing it terminates it."""

    _kind = "command"
    _streams = {1: "stdout", 2: "stderr"}

    def __init__(self, client: Client, handle: int) -> None:
        super().__init__(client, handle)
        # One for all threads.
        self._buffer = ctypes.create_string_buffer(_OUTPUT_BYTES)
        self._lock = threading.Lock()

    def _take(self, timeout_ms: int) -> Tuple[int, List[CommandOutput]]:
        length, stream = ctypes.c_size_t(), ctypes.c_int32()
        with self._lock:
            found = status(
                lib.codex_command_read, self._handle, timeout_ms, self._buffer, _OUTPUT_BYTES,
                ctypes.byref(length), ctypes.byref(stream),
            )  # fmt: skip
            data = ctypes.string_at(self._buffer, length.value)
        if found != ITEM:
            return found, []
        return found, [CommandOutput(self._streams.get(stream.value, "other"), data)]

    @property
    def process_id(self) -> str:
        """The id that the server knows the command by."""
        return str(self._info()["process_id"])

    @property
    def is_over(self) -> bool:
        """Whether the command has ended."""
        return bool(self._info()["is_over"])

    def _info(self) -> Dict[str, Any]:
        found: Dict[str, Any] = result(lib.codex_command_info, self._handle)
        return found

    def write(self, data: bytes) -> None:
        """Write to the command's input, which needs `stream_stdin` or `tty`. Blocks for at most the request limit."""
        handle, data = self._handle, bytes(data)
        blocking(lambda: status(lib.codex_command_write, handle, data, len(data)))

    def close_stdin(self) -> None:
        """Close the command's input. Blocks for at most the request limit."""
        handle = self._handle
        blocking(lambda: status(lib.codex_command_close_stdin, handle))

    def resize(self, rows: int, cols: int) -> None:
        """Resize the command's terminal. Blocks for at most the request limit."""
        handle = self._handle
        blocking(lambda: status(lib.codex_command_resize, handle, rows, cols))

    def terminate(self) -> None:
        """Kill the command; its end can still be read. Blocks for at most the request limit."""
        handle = self._handle
        blocking(lambda: status(lib.codex_command_terminate, handle))

    def wait(self) -> CommandExit:
        """Wait for the end of the command, once. Returns the exit code and the output that was not read."""
        handle = self._handle
        raw = blocking(lambda: result(lib.codex_command_wait, handle))
        unread = list(self._items)
        unread += [CommandOutput(chunk["stream"], bytes(chunk["data"])) for chunk in raw["unread"]]
        self._items.clear()
        self._is_ended = True
        return CommandExit(raw["exit_code"], unread)
