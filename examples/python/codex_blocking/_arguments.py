"""Arguments as the library takes them: JSON, texts, numbers, limits.

Relies on `json`. Invariant: what the library can't take is refused in words, by `CodexInvalidInputError`.
"""

from __future__ import annotations

import json
import operator
import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from .errors import invalid

if TYPE_CHECKING:
    from datetime import timedelta

StrPath = Union[str, "os.PathLike[str]"]
Seconds = Union[float, "timedelta"]


def _plain(value: Any) -> Any:
    """Return what JSON has in place of a path, of another mapping than a dict, and of an integer of numpy."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__index__"):
        return operator.index(value)
    raise TypeError(f"a {type(value).__name__}")


def encode(value: Any) -> bytes:
    """Return a value as JSON."""
    try:
        return json.dumps(value, allow_nan=False, default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid(f"not a value of JSON: {error}") from error


def text(value: str) -> bytes:
    """Return a text: without NUL."""
    if not isinstance(value, str):
        raise invalid(f"expected a str, not {type(value).__name__}")
    if "\0" in value:
        raise invalid("a text with a NUL character")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"a text that is not Unicode: {error}") from error


def path(value: StrPath) -> str:
    """Return a path as a text."""
    found = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(found, str):
        raise invalid(f"expected a path as a str or a Path, not {value!r}")
    return found


def sequence(value: Any, expected: str = "a list") -> List[Any]:
    """Return a list of what is in a sequence, which a text or a mapping is not."""
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise invalid(f"expected {expected}, not {value!r}")
    return list(value)


def mapping(value: Any) -> Dict[str, Any]:
    """Return a mapping as a dict."""
    if not isinstance(value, Mapping):
        raise invalid(f"expected a dict, not {value!r}")
    return dict(value)


def mappings(value: Any, expected: str = "a list") -> List[Dict[str, Any]]:
    """Return a sequence of mappings as a list of dicts."""
    return [mapping(one) for one in sequence(value, expected)]


def integer(value: int, bits: int, *, is_signed: bool = False) -> int:
    """Return a number that fits: ctypes would cut it."""
    low, high = (-1 << bits - 1, 1 << bits - 1) if is_signed else (0, 1 << bits)
    if not hasattr(value, "__index__") or not low <= operator.index(value) < high:
        raise invalid(f"expected a number from {low} to {high - 1}, not {value!r}")
    return operator.index(value)


def optional_text(value: Optional[str]) -> Optional[bytes]:
    return None if value is None else text(value)


def optional_json(value: Any) -> Optional[bytes]:
    return None if value is None else encode(value)


def seconds(limit: Seconds) -> float:
    """Return a time limit in seconds."""
    # The type is not asked for: to import `datetime` takes longer than a call.
    number = limit.total_seconds() if hasattr(limit, "total_seconds") else limit
    try:
        found = float("nan" if isinstance(number, (str, bytes)) else number)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if found != found:
        raise invalid(f"a time limit is a number of seconds, or None for no limit, not {limit!r}")
    return found


def millis(limit: Optional[Seconds]) -> Optional[int]:
    """Return a limit in milliseconds, rounded up; None is no limit."""
    if limit is None:
        return None
    if not 0 <= seconds(limit) < 1e15:
        raise invalid(f"a time limit is a number of seconds, or None for no limit, not {limit!r}")
    return -int(-seconds(limit) * 1000 // 1)
