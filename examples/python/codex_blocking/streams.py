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
from itertools import repeat
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Deque, Dict, Generic, Iterator, List, Optional, Tuple, TypeVar

from . import _library
from ._library import ENDED, ITEM, blocking, lib, result, status
from .errors import CodexError, NoAnswerError, error_of, invalid
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
# How often it is tried to keep what came while a signal handler has raised.
_ATTEMPTS = 10
# Not on Windows: there a wait has slices, so that Ctrl-C has not to wait for its end.
_HAS_POLL = hasattr(select, "poll")


def _slice(seconds: Optional[float]) -> int:
    """Return how long a wait of so many seconds lasts until Python can run a signal handler, in milliseconds."""
    return 100 if seconds is None else min(100, int(seconds * 1000))


class Stream(_library.Handled, Generic[T]):
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

    def _place(self) -> Any:
        """Return a place for what the library gives."""
        raise NotImplementedError

    def _call(self, place: Any, timeout_ms: int) -> int:
        """Have the library put into the place what is there, or wait for it. Returns the status."""
        raise NotImplementedError

    def _has(self, place: Any) -> bool:
        """Whether there is something in the place."""
        raise NotImplementedError

    def _items_in(self, place: Any) -> List[T]:
        """Return the items in the place."""
        raise NotImplementedError

    def _clear(self, place: Any) -> Iterator[object]:
        """Return an iterator that frees what is in the place."""
        return iter(())

    def error(self) -> Optional[CodexError]:
        """Return the error with which the stream has ended, if its end was read."""
        return None

    # Reading.

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                yield from self._pop()
            except IndexError:
                if not self._fill(None):
                    return

    def __next__(self) -> T:
        while True:
            try:
                for item in self._pop():
                    return item
            except IndexError:
                if not self._fill(None):
                    raise StopIteration from None

    def _pop(self) -> Iterator[T]:
        """Iterate over the items that were taken; IndexError where there are no more.

        An exception of a signal handler, such as KeyboardInterrupt, can come after each instruction of Python. So what
        is taken from somewhere is put to its next place in one instruction: here by `map`, which takes it in C.
        """
        return map(deque.popleft, repeat(self._items))

    def next_timeout(self, seconds: Optional[float]) -> Optional[T]:
        """Return the next item, or None if none comes in that time or the stream has ended (`is_ended`).

        Raises the error with which a turn has failed, once.
        """
        deadline = None if seconds is None else time.monotonic() + _library.limit(seconds)
        while True:
            try:
                for item in self._pop():
                    return item
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
            found = self._take(0 if _HAS_POLL else _slice(left))
            if found == ITEM:
                return True
            if found == ENDED:
                error = self.error()
                self._is_ended = True
                if error is not None:
                    raise error
                return False
            if left == 0:
                return False
            if _HAS_POLL:
                self._wait(left)

    def _take(self, timeout_ms: int) -> int:
        """Take the items that are there, or wait for one. Returns the status."""
        place = self._place()
        steps: List[Iterator[Any]] = []
        try:
            found = self._call(place, timeout_ms)
            if found == ITEM:
                self._put(place, steps)
            return found
        except BaseException:
            # Of a signal handler, which may come again: what has come is put where it belongs all the same.
            for _ in range(_ATTEMPTS):
                try:
                    if self._has(place):
                        self._put(place, steps)
                    break
                except BaseException:
                    pass
            else:
                list(steps[1] if steps else self._clear(place))
            raise

    def _put(self, place: Any, steps: List[Iterator[Any]]) -> None:
        """Do what is left of the steps, which are iterators that end: put the items in order, and free the place."""
        if not steps:
            steps[:] = iter(self._items_in(place)), self._clear(place)
        items, clear = steps
        self._items.extend(items)
        list(clear)

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
        # It takes no more than 24 days; who calls this calls it again.
        poll.poll(None if seconds is None else min(seconds, 1e6) * 1000)

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


class _InJson(Stream[T]):
    """A stream whose items come as JSON."""

    _next_batch: ClassVar[Any]
    _batch = _BATCH

    def _make(self, batch: str) -> List[T]:
        """Return the items for the JSON of a batch."""
        raise NotImplementedError

    def _place(self) -> Any:
        return ctypes.c_void_p()

    def _call(self, place: Any, timeout_ms: int) -> int:
        return status(self._next_batch, self._handle, timeout_ms, self._batch, ctypes.byref(place))

    def _has(self, place: Any) -> bool:
        return place.value is not None

    def _items_in(self, place: Any) -> List[T]:
        return self._make(ctypes.string_at(place.value).decode())

    def _clear(self, place: Any) -> Iterator[object]:
        return map(lib.codex_string_free, (place.value,))


class TurnStream(_InJson[T]):
    """A turn that is being read.

    Iteration ends with the turn. If the turn failed, it raises the failure then: `TurnFailedError`,
    `TurnInterruptedError`, `TurnInactiveError` (which has a continuation), `TransportError`, ..

    Closing it doesn't interrupt the turn.
    """

    _kind = "chat"
    _next_batch = lib.codex_chat_next_batch
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


class _JsonStream(_InJson[T]):
    _kind = "stream"
    _next_batch = lib.codex_stream_next_batch


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
        # The end, from when it has come until `wait` returns it.
        self._end: List[Json] = []
        self._end_lock = threading.Lock()

    def _place(self) -> Any:
        return ctypes.create_string_buffer(_OUTPUT_BYTES), ctypes.c_size_t(), ctypes.c_int32()

    def _call(self, place: Any, timeout_ms: int) -> int:
        buffer, length, stream = place
        return status(
            lib.codex_command_read, self._handle, timeout_ms, buffer, _OUTPUT_BYTES, ctypes.byref(length),
            ctypes.byref(stream),
        )  # fmt: skip

    def _has(self, place: Any) -> bool:
        return bool(place[1].value)

    def _items_in(self, place: Any) -> List[CommandOutput]:
        buffer, length, stream = place
        return [CommandOutput(self._streams.get(stream.value, "other"), ctypes.string_at(buffer, length.value))]

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
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise invalid(f"expected bytes, not {type(data).__name__}")
        handle, data = self._handle, bytes(data)
        blocking(lambda: status(lib.codex_command_write, handle, data, len(data)))

    def close_stdin(self) -> None:
        """Close the command's input. Blocks for at most the request limit."""
        handle = self._handle
        blocking(lambda: status(lib.codex_command_close_stdin, handle))

    def resize(self, rows: int, cols: int) -> None:
        """Resize the command's terminal. Blocks for at most the request limit."""
        handle, size = self._handle, (_library.integer(rows, 16), _library.integer(cols, 16))
        blocking(lambda: status(lib.codex_command_resize, handle, *size))

    def terminate(self) -> None:
        """Kill the command; its end can still be read. Blocks for at most the request limit."""
        handle = self._handle
        blocking(lambda: status(lib.codex_command_terminate, handle))

    def wait(self) -> CommandExit:
        """Wait for the end of the command, once. Returns the exit code and the output that was not read."""
        blocking(self._wait_for_end)
        try:
            raw = self._end.pop()
        except IndexError:  # Another thread was told.
            raw = result(lib.codex_command_wait, self._handle)
        unread = list(self._items)
        unread += [CommandOutput(chunk["stream"], bytes(chunk["data"])) for chunk in raw["unread"]]
        self._items.clear()
        self._is_ended = True
        return CommandExit(raw["exit_code"], unread)

    def _wait_for_end(self) -> None:
        # Who calls `wait` again, after Ctrl-C has ended it, waits for the same end.
        with self._end_lock:
            if not self._end:
                self._end.append(result(lib.codex_command_wait, self._handle))
