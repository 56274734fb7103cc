"""Signing in.

Relies on `_handle`. Invariant: a sign-in goes on until the user has ended it, or it was cancelled.
"""

from __future__ import annotations

from typing import Optional, cast

from ._arguments import Seconds, millis
from ._handle import Handle
from ._library import NOTHING_YET, lib, result
from .records import Json


class Login(Handle):
    """A sign-in that waits for the user."""

    _kind = "login"

    def _info(self) -> Json:
        return cast(Json, result(lib.codex_login_info, self._handle))

    @property
    def login_id(self) -> str:
        return str(self._info()["login_id"])

    @property
    def url(self) -> str:
        """The page that the user opens."""
        return str(self._info()["url"])

    @property
    def user_code(self) -> Optional[str]:
        """The code that the user types in there."""
        return cast(Optional[str], self._info()["user_code"])

    @property
    def is_ended(self) -> bool:
        return bool(self._info()["is_ended"])

    def wait(self, timeout: Optional[Seconds] = None) -> bool:
        """Wait until the user has signed in. False: not within that time.

        Raises CodexLoginFailedError if the sign-in failed or was cancelled.
        """
        limit = millis(timeout)
        return self._status(lib.codex_login_wait, -1 if limit is None else limit) != NOTHING_YET

    def cancel(self) -> None:
        """Cancel the sign-in."""
        self._status(lib.codex_login_cancel)
