"""What has a handle of the library.

Relies on `_library`. Invariant: a handle is freed once, when nobody has its object any more.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Callable, Optional, Tuple

from . import _library
from ._library import lib, result, status
from ._waiting import blocking
from .errors import invalid
from .logs import logger

if TYPE_CHECKING:
    from .client import Client


class Handle:
    """A handle that is freed with its object. It keeps the connection."""

    _kind: str

    def __init__(self, client: Optional[Client], handle: int) -> None:
        self._client = client
        self._handle = handle
        self._on_ready: Any = None

    def __del__(self) -> None:
        # Absent if the constructor failed.
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._function("free")(handle)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled")

    def _function(self, name: str) -> Any:
        """Return the function of this name for this kind of handle."""
        return getattr(lib, f"codex_{self._kind}_{name}")

    def _result(self, function: Any, *arguments: Any) -> Any:
        """Call a function with the handle that may wait, and return its result."""
        handle = self._handle
        return blocking(lambda: result(function, handle, *arguments))

    def _status(self, function: Any, *arguments: Any) -> int:
        """Call a function with the handle that may wait and has no result."""
        handle = self._handle
        return blocking(lambda: status(function, handle, *arguments))

    def _set_on_ready(self, callback: Optional[Callable[[], object]]) -> None:
        if callback is not None and not callable(callback):
            raise invalid(f"expected a function, not {callback!r}")
        function = None if callback is None else _library.on_ready_type(lambda _: call(callback))
        address = None if function is None else ctypes.cast(function, ctypes.c_void_p)
        # It waits until the one before has returned.
        self._status(self._function("on_ready"), address, None)
        self._on_ready = function


def call(callback: Callable[[], object]) -> None:
    """Call a function of the program for the library."""
    try:
        callback()
    except Exception:
        logger().exception("a callback has failed")
