"""The access log: a line for each answer, as text or as JSON.

A thread writes it: no client waits for whoever reads it.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

Form: TypeAlias = Literal["text", "json"]

_EVERY = 0.1  # seconds for which lines are gathered
_WAITING = 100  # such parts that wait for a reader; more are not written
_PATIENCE = 1.0  # seconds for a reader at the end
_READABLE = "/%:@!$&'()*+,;=~[]"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One line: who asked for what, and what was answered; no row, no answer.

    >>> print(Answered(time="2026-05-04T03:02:01.234Z", client="127.0.0.1", method="POST", path="/predict", status=200,
    ...                sent=89, milliseconds=0.31))
    2026-05-04T03:02:01.234Z 127.0.0.1 POST /predict 200 89 B 0.31 ms
    """

    event: Literal["request"] = "request"
    time: str
    client: str
    method: str
    path: str
    status: int
    sent: int
    """Bytes of the body of the answer."""
    milliseconds: float
    """From the head of the request to the end of the answer."""

    def __str__(self) -> str:
        asked = f"{self.client} {self.method} {self.path}"
        return f"{self.time} {asked} {self.status} {self.sent} B {self.milliseconds:g} ms"


class AccessLog:
    """Takes what was answered, and writes it in its own time to standard output; used by the thread of a loop.

    Args:
        form: of the lines.
    """

    def __init__(self, form: Form) -> None:
        self._line: Callable[[Answered], str] = str if form == "text" else _as_json
        self._lines: list[Answered] = []
        self._parts: queue.Queue[list[Answered] | None] = queue.Queue(_WAITING)
        self._writer = threading.Thread(target=self._write, name="access log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self) -> None:
        """Write what waits, and end; a reader that does not read is waited for a moment only."""
        with suppress(queue.Full):
            self._hand_on()
            self._parts.put(None, timeout=_PATIENCE)
            self._writer.join(_PATIENCE)

    def note(
        self, client: tuple[str, int] | None, method: str, path: bytes, *, status: int, sent: int, began: float
    ) -> None:
        """One answer.

        Args:
            client: its address.
            method: of the request.
            path: as it came.
            status: of the answer.
            sent: bytes of its body.
            began: when the request did, by `time.perf_counter`.
        """
        line = Answered(
            time=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            client=client[0] if client else "-",
            method=method,
            path=quote(path, safe=_READABLE),
            status=status,
            sent=sent,
            milliseconds=round(1000 * (time.perf_counter() - began), 2),
        )
        self._lines.append(line)
        if len(self._lines) == 1:  # to wake the writer for each would cost more than the answers
            asyncio.get_running_loop().call_later(_EVERY, self._hand_on)

    def _hand_on(self) -> None:
        lines, self._lines = self._lines, []
        with suppress(queue.Full):
            self._parts.put_nowait(lines)

    def _write(self) -> None:
        while (lines := self._parts.get()) is not None:
            with suppress(OSError):  # its reader has gone
                sys.stdout.write("".join(f"{self._line(line)}\n" for line in lines))
                sys.stdout.flush()


def _as_json(line: Answered) -> str:
    return msgspec.json.encode(line).decode()


class Logged:
    """An application whose answers are noted, from its startup to its shutdown.

    Args:
        app: the application.
        log: where they are noted.
    """

    def __init__(self, app: ASGIApp, log: AccessLog) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        began, status, sent = time.perf_counter(), 0, 0

        async def heard(message: MutableMapping[str, Any]) -> None:
            nonlocal status, sent
            status = message.get("status", status)
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, heard)
        finally:
            self.log.note(scope["client"], scope["method"], scope["raw_path"], status=status, sent=sent, began=began)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def ended(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                self.log.stop()  # once this is sent, the process may end at any moment
            await send(message)

        self.log.start()
        await self.app(scope, receive, ended)
