"""Commands that run on the server, without the agent.

Relies on `streams`. Invariant: the end of a command is told, also after Ctrl-C has ended a wait for it.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Dict, List

from ._arguments import integer
from ._library import lib, result, status
from ._waiting import blocking
from .errors import invalid
from .records import CommandExit, CommandOutput, Json
from .streams import Stream

if TYPE_CHECKING:
    from .client import Client

_OUTPUT_BYTES = 64 * 1024


class RunningCommand(Stream[CommandOutput]):
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
        data = bytes(data)
        self._status(lib.codex_command_write, data, len(data))

    def close_stdin(self) -> None:
        """Close the command's input. Blocks for at most the request limit."""
        self._status(lib.codex_command_close_stdin)

    def resize(self, rows: int, cols: int) -> None:
        """Resize the command's terminal. Blocks for at most the request limit."""
        self._status(lib.codex_command_resize, integer(rows, 16), integer(cols, 16))

    def terminate(self) -> None:
        """Kill the command; its end can still be read. Blocks for at most the request limit."""
        self._status(lib.codex_command_terminate)

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
