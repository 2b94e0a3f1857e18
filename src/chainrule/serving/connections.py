"""Connections that hold nobody up: those that are slow, silent, endless or broken are closed.

Uvicorn leaves it to a proxy before it to end a connection whose request never comes; here there may be none.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chainrule.serving.limits import HEAD, OVERHEAD, PIPELINED, Limits
from chainrule.serving.problems import MEDIA_TYPE, Problem

if TYPE_CHECKING:
    import asyncio

    from chainrule.serving.access import AccessLog

KEEP_ALIVE = 5  # seconds that a connection may be silent after an answer
_FLUSH = 1.0  # seconds to take a refusal
_LAST = 0.5  # seconds for the last request, once the server is told to stop


def connections(limits: Limits, log: AccessLog | None = None) -> type[GuardedConnection]:
    """The class of the connections of one server; what they refuse before the application hears of it is noted too."""
    return type("Connection", (GuardedConnection,), {"limits": limits, "log": log, "waiting": {}})


class GuardedConnection(HttpToolsProtocol):
    """A connection with a deadline for whatever it waits for, and a measure for whatever comes.

    Attributes:
        limits: how much it gets.
        log: where refusals are noted.
        waiting: the connections of the server whose request has not come whole, the longest waiting first.
    """

    limits: Limits
    log: AccessLog | None
    waiting: dict[GuardedConnection, None]

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._received = 0  # bytes since the last request was whole
        self._in_head = True
        self._ending = False
        self._deadline: asyncio.TimerHandle | None = None

    # ---- from the transport -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            if not self.waiting:
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the server holds as many connections as it may")
                return
            next(iter(self.waiting)).transport.abort()
        self._wait(self.limits.timeout)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._received > HEAD:
            words = f"the head of a request may have {HEAD:,} bytes"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, words)
        elif self._received > HEAD + OVERHEAD * self.limits.max_body:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    # ---- from the parser --------------------------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._wait(3 * self.limits.timeout)  # to come, to be answered and to be taken
        super().on_headers_complete()
        if self._ending:
            self.cycle.keep_alive = False
        if len(self.pipeline) > PIPELINED:
            self.transport.abort()

    def on_message_complete(self) -> None:
        self._in_head, self._received = True, 0
        self.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        more = bool(self.pipeline)
        super().on_response_complete()
        self._wait(3 * self.limits.timeout if more else KEEP_ALIVE + self.limits.timeout)

    # ---- from the server --------------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """End, but over no request that is on its way: who asks within a moment is answered, and told to close."""
        self._ending = True
        if self.cycle is None or self.cycle.response_complete:
            self._wait(_LAST)
        else:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    # ---- deadlines --------------------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        """Close the connection unless the next thing has happened by then."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)
        self.waiting.pop(self, None)
        self.waiting[self] = None

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Say why, and close."""
        self._wait(_FLUSH)
        body = Problem(status, detail).body()
        if self.log is not None:
            self.log.note(self.client, "-", b"-", status=status, sent=len(body), began=time.perf_counter())
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
