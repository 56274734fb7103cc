"""Streams, which are read item by item: in general, and the notifications.

Relies on the descriptors of the library; where there are none (Windows), on its waits. Invariant: an item is
handed out at once, and none is lost: what this package has taken from the library in advance is handed out, or goes
with the continuation.
"""

from __future__ import annotations

import ctypes
import select
import time
from collections import deque
from itertools import repeat
from math import ceil
from typing import TYPE_CHECKING, Any, Callable, Deque, Generic, Iterator, List, Optional, TypeVar

from . import _arguments, _library
from ._arguments import Seconds
from ._handle import Handle
from ._library import ENDED, ITEM, lib, status
from ._waiting import SLICE, is_main
from .errors import CodexError
from .records import Notification

if TYPE_CHECKING:
    from .client import Client

T = TypeVar("T")
S = TypeVar("S", bound="Stream[Any]")

# Enough to make the cost of a call small; little enough that the memory of a batch is.
BATCH = 256
# How often it is tried to keep what came while a signal handler has raised.
_ATTEMPTS = 10
# Not on Windows.
_HAS_POLL = hasattr(select, "poll")


def _slice(seconds: Optional[float]) -> int:
    """Return how long a wait of so many seconds lasts until Python can run a signal handler, in milliseconds."""
    return ceil(1000 * (SLICE if seconds is None else min(SLICE, seconds)))


class Stream(Handle, Generic[T]):
    """What is read item by item, from any thread: `for item in stream`.

    Iterating waits for the next item without a limit; a turn has its inactivity limit. The GIL is free meanwhile, and
    Ctrl-C ends the wait at once. `close`, in any thread, ends the iteration.
    """

    def __init__(self, client: Client, handle: int) -> None:
        super().__init__(client, handle)
        self._items: Deque[T] = deque()
        self._is_ended = False
        self._is_closed = False

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

    def next_timeout(self, seconds: Optional[Seconds]) -> Optional[T]:
        """Return the next item, or None if none comes in that time or the stream has ended (`is_ended`).

        Raises the error with which a turn has failed, once.
        """
        deadline = None if seconds is None else time.monotonic() + _arguments.seconds(seconds)
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
        return status(self._function("fd"), self._handle)

    def on_ready(self, callback: Optional[Callable[[], object]]) -> None:
        """Have a function called when something comes: once, and again after `try_next` has returned None.

        It is called on a thread of the library and should only wake an event loop, such as by
        `loop.call_soon_threadsafe`. Replaces an earlier one; None ends the calls.
        """
        self._set_on_ready(callback)

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
        """Wait until something may be there, or the time has passed; in the main thread a slice of it."""
        try:
            descriptor = self.fileno()
        except CodexError:
            # Another thread has ended the stream.
            if self._is_ended:
                return
            raise
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if is_main():
            poll.poll(_slice(seconds))
        else:
            # It takes no more than 24 days; who calls this calls it again.
            poll.poll(None if seconds is None else min(seconds, 1e6) * 1000)

    # The end.

    def close(self) -> None:
        """End the stream, from any thread; what was not read is dropped. Can be repeated. Never raises."""
        self._is_closed = self._is_ended = True
        # This wakes who waits for the descriptor. The handle stays until nobody has this object any more. It fails in a
        # forked process, where nothing is to be ended.
        self._function("end")(self._handle)
        self._items.clear()

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "ended" if self._is_ended else "open"
        return f"<{type(self).__name__} {state}>"


class JsonStream(Stream[T]):
    """A stream whose items come as JSON."""

    _batch = BATCH

    def _make(self, batch: str) -> List[T]:
        """Return the items for the JSON of a batch."""
        raise NotImplementedError

    def _place(self) -> Any:
        return ctypes.c_void_p()

    def _call(self, place: Any, timeout_ms: int) -> int:
        return status(self._function("next_batch"), self._handle, timeout_ms, self._batch, ctypes.byref(place))

    def _has(self, place: Any) -> bool:
        return place.value is not None

    def _items_in(self, place: Any) -> List[T]:
        return self._make(ctypes.string_at(place.value).decode())

    def _clear(self, place: Any) -> Iterator[object]:
        return map(lib.codex_string_free, (place.value,))


class Notifications(JsonStream[Notification]):
    """All notifications of the server. What is not read for long is dropped, the oldest first."""

    _kind = "stream"

    def _make(self, batch: str) -> List[Notification]:
        return list(map(Notification, _library.decode(batch)))
