"""Many sessions apart from each other: as many as there may be, and none that nobody has come back to."""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING

from chainrule.errors import ArgumentError
from chainrule.playground.session import Session
from chainrule.playground.tables import Sources

if TYPE_CHECKING:
    import polars as pl

    from chainrule.playground.setting import Setting
    from chainrule.playground.tables import Begun

MOST = 64
_NAME = re.compile(r"[A-Za-z0-9-]{8,64}")


class Sessions:
    """The sessions of a server.

    Args:
        setting: that a new one begins with.
        handed: tables that all of them have.
        begun: a model that a new one goes on with.
        idle_minutes: after which a session that no page attends is closed.
        most: how many there may be.
    """

    def __init__(
        self,
        setting: Setting,
        handed: dict[str, pl.DataFrame],
        begun: Begun | None = None,
        *,
        idle_minutes: float = 30.0,
        most: int = MOST,
    ) -> None:
        self._setting, self._handed, self._begun = setting, handed, begun
        self._idle, self._most = 60 * idle_minutes, most
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, name: str) -> Session | None:
        """The session of that name."""
        return self._sessions.get(name)

    def enter(self, name: str) -> Session:
        """The session of that name, or a new one.

        Raises:
            ArgumentError: when the name is none, or there are as many as there may be.
        """
        if not _NAME.fullmatch(name):
            raise ArgumentError("session", where="playground", expected="8 to 64 letters and digits", got=name)
        if name not in self._sessions:
            self.close_idle()
            if len(self._sessions) >= self._most:
                raise ArgumentError(
                    f"there are {self._most} sessions already", where="playground", mend="Close a page, and try again"
                )
            minutes = self._idle / 60
            self._sessions[name] = Session(
                name, Sources(self._handed, self._begun), self._setting, idle_minutes=minutes
            )
        return self._sessions[name]

    def close_idle(self) -> None:
        """Close those that no page attends and that were not seen for long."""
        now = monotonic()
        for name, session in list(self._sessions.items()):
            if not session.attended and now - session.seen > self._idle:
                session.close()
                del self._sessions[name]

    def close(self) -> None:
        """Close all."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
