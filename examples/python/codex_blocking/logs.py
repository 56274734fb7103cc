"""The library's log, in Python's `logging`.

Relies on the callback of the library. Invariant: `logging` is imported only when something is logged, because that
takes longer than to connect.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Optional

from . import _library
from ._arguments import integer
from ._library import lib, status

if TYPE_CHECKING:
    import logging

_LEVELS = {1: 40, 2: 30, 3: 20, 4: 10, 5: 5}
_callback: Any = None


def logger() -> logging.Logger:
    """Return the logger of this package, `codex_blocking`."""
    import logging

    return logging.getLogger("codex_blocking")


def enable_logging(level: int = 20) -> None:
    """Have the library log to the logger `codex_blocking`, from a level of `logging` on (INFO by default).

    What the server writes to its stderr is logged, too. Handlers run on threads of the library, and must not use this
    package.
    """
    # Imports `logging` now, and not in the middle of something.
    log = logger()

    def on_log(_: Optional[int], number: int, message: bytes) -> None:
        try:
            log.log(_LEVELS.get(number, 10), "%s", message.decode("utf-8", "replace"))
        except Exception:  # A logger has nobody to tell.
            pass

    lowest = integer(level, 32)
    max_level = max((number for number, known in _LEVELS.items() if known >= lowest), default=0)
    _set(_library.on_log_type(on_log), max_level)


def disable_logging() -> None:
    """Have the library log nothing, as at the beginning."""
    _set(None, 0)


def _set(function: Any, max_level: int) -> None:
    global _callback
    address = None if function is None else ctypes.cast(function, ctypes.c_void_p)
    status(lib.codex_on_log, address, None, max_level)
    _callback = function
