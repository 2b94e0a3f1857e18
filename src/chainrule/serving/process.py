"""One process that answers: uvicorn, with connections that hold nobody up and an end that leaves nobody unanswered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import TYPE_CHECKING, Any

import uvicorn

from chainrule.serving.access import AccessLog, Logged
from chainrule.serving.connections import KEEP_ALIVE, connections

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from chainrule.serving.access import Form
    from chainrule.serving.limits import Limits

BACKLOG = 1024


class Config(uvicorn.Config):
    """How one process answers; plain enough to be sent to another process.

    Args:
        make: makes the application.
        limits: what a client gets.
        log: how each answer is told; None: not at all.
    """

    def __init__(self, make: Callable[[], ASGIApp], limits: Limits, log: Form | None) -> None:
        super().__init__(
            "",
            factory=True,
            ws="none",
            lifespan="off" if log is None else "on",
            log_config=None,
            log_level=logging.CRITICAL,  # what clients do wrong is told to them
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=math.ceil(2 * limits.timeout),
            backlog=BACKLOG,
        )
        self.make, self.limits, self.log = make, limits, log

    def load_app(self) -> Callable[[], ASGIApp]:
        """What makes the application; called by `load`."""
        return self.make

    def load(self) -> None:
        """Make what answers."""
        super().load()
        log = None if self.log is None else AccessLog(self.log)
        self.http_protocol_class = connections(self.limits, log)
        if log is not None:
            self.loaded_app = Logged(self.loaded_app, log)


class Server(uvicorn.Server):
    """Says when it is ready; told to stop, it answers those too who were waiting to be let in.

    Args:
        config: how it answers.
        ready: called once requests are accepted.
    """

    def __init__(self, config: Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept requests."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let in who is waiting, close the door, and answer."""
        waiting = [connection for listener in sockets or () for connection in _waiting(listener)]
        for server in self.servers:
            server.close()  # at once: who comes now is refused by the system, and not left without an answer
        for connection in list(self.server_state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        for taken in waiting:
            await loop.connect_accepted_socket(self._connection, taken)
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        """As uvicorn makes them for those who come in time."""
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made


def _waiting(listener: socket.socket) -> list[socket.socket]:
    """The connections that the system has made and nobody has taken yet."""
    taken = []
    with contextlib.suppress(OSError):  # there are no more
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            taken.append(connection)
    return taken
