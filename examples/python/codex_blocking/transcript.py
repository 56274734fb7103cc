"""Transcripts: what a screen shows.

Relies on `_handle`. Invariant: it needs no connection.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, cast

from . import _library
from ._arguments import encode, mappings
from ._handle import Handle
from ._library import lib, result, status
from .errors import invalid
from .records import Event, Json


class Transcript(Handle):
    """What a screen shows of the events of a thread."""

    _kind = "transcript"

    def __init__(self, turns: Optional[Sequence[Mapping[str, Any]]] = None) -> None:
        """Begin empty, or with history: turns as `ThreadHandle.turns` gives them."""
        if turns is None:
            handle = _library.handle(lib.codex_transcript_new)
        else:
            handle = _library.handle(lib.codex_transcript_from_turns, encode(mappings(turns)))
        super().__init__(None, handle)

    def apply(self, event: Event) -> None:
        """Add an event of `chat_events` or `follow`."""
        if not isinstance(event, Event):
            raise invalid(f"expected an event, not {event!r}")
        status(lib.codex_transcript_apply, self._handle, encode(event.raw))

    def to_json(self) -> Json:
        """Return it all: `{"items", "turns", "revision", ..}`."""
        return cast(Json, result(lib.codex_transcript_json, self._handle))

    @property
    def items(self) -> List[Json]:
        """What is shown: each has `id`, `kind`, `status`, `text`, `output`, and so on."""
        return cast(List[Json], self.to_json()["items"])
