"""Threads: conversations of several turns.

Relies on `turns`. Invariant: a thread outlives its handles on the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Type, TypeVar, cast

from ._arguments import encode, integer, mapping, optional_json, optional_text, text
from ._library import lib, result
from ._library import handle as handle_of
from ._waiting import blocking
from .errors import CodexError
from .records import Json
from .turns import Chat, ChatEvents, Chats

if TYPE_CHECKING:
    from .client import Client
    from .settings import ThreadConfig

C = TypeVar("C", Chat, ChatEvents)


class ThreadHandle(Chats):
    """A conversation of several turns."""

    _kind = "thread"

    @property
    def thread_id(self) -> str:
        """The id, with which it can be resumed."""
        return str(self.info()["thread_id"])

    @property
    def defaults(self) -> Json:
        """The settings that were given."""
        return cast(Json, self.info()["defaults"])

    def info(self) -> Json:
        """Return `{"thread_id", "defaults", "not_applied", "info"}`. Never waits."""
        return cast(Json, result(lib.codex_thread_info, self._handle))

    def _connection(self) -> Client:
        assert self._client is not None
        return self._client

    def read(self, include_turns: bool = False) -> Json:
        """Return the thread in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_thread_read, 1 if include_turns else 0))

    def turns(self) -> List[Json]:
        """Return all turns with all their items, the oldest first, in the protocol's JSON."""
        return cast(List[Json], self._result(lib.codex_thread_turns))

    def token_usage(self) -> Optional[Json]:
        """Return what the server last reported of the thread's tokens. Never waits."""
        return cast(Optional[Json], result(lib.codex_thread_token_usage, self._handle))

    def set_name(self, name: str) -> None:
        """Set the name."""
        self._status(lib.codex_thread_set_name, text(name))

    def archive(self) -> None:
        """Move the thread to the archive."""
        self._status(lib.codex_thread_archive)

    def unarchive(self) -> None:
        """Take the thread back from the archive."""
        self._status(lib.codex_thread_unarchive)

    def compact(self) -> None:
        """Have the history summarized, and wait for that."""
        self._status(lib.codex_thread_compact)

    def rollback(self, num_turns: int) -> Json:
        """Drop the last turns, and return the thread in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_thread_rollback, integer(num_turns, 32)))

    def start_review(self, target: Mapping[str, Any], delivery: Optional[str] = None) -> Chat:
        """Start a review, and return its steps. `target` is such as `{"type": "uncommittedChanges"}`."""
        return self._review(lib.codex_thread_review, Chat, target, delivery)

    def start_review_events(self, target: Mapping[str, Any], delivery: Optional[str] = None) -> ChatEvents:
        """Start a review, like `start_review`, and return its events."""
        return self._review(lib.codex_thread_review_events, ChatEvents, target, delivery)

    def _review(self, function: Any, kind: Type[C], target: Mapping[str, Any], delivery: Optional[str]) -> C:
        handle, given, how = self._handle, encode(mapping(target)), optional_text(delivery)
        client = self._connection()
        return blocking(lambda: kind(client, handle_of(function, handle, given, how)), kind.request_interrupt)

    def update_defaults(self, config: ThreadConfig) -> None:
        """Change the settings of later turns."""
        self._status(lib.codex_thread_update_defaults, encode(config))

    def fork(self, config: Optional[ThreadConfig] = None, *, last_turn_id: Optional[str] = None) -> ThreadHandle:
        """Copy the thread into a new one with the same defaults, up to `last_turn_id`."""
        handle, last, given = self._handle, optional_text(last_turn_id), optional_json(config)
        return blocking(lambda: ThreadHandle(self._client, handle_of(lib.codex_thread_fork, handle, last, given)))

    def unload(self) -> None:
        """Have the server close the thread, which frees what it keeps for it."""
        self._status(lib.codex_thread_unload)

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} {self.thread_id}>"
        except CodexError:  # In a forked process.
            return f"<{type(self).__name__} closed>"
