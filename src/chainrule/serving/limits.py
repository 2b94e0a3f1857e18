"""How much of everything the server gives a client."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule import checks

HEAD = 1 << 16  # bytes of a request before its body
PIPELINED = 64  # requests that a connection may send ahead of their answers
OVERHEAD = 8  # how many times its body a request may weigh as it is sent, in chunks


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of everything the server gives a client; what goes beyond is refused, and nobody else waits for it.

    Attributes:
        max_body: the largest body of a request, in bytes.
        max_rows: the most rows of a request.
        max_waiting: how many requests for more than a few rows are worked on or wait for it; one more is told to come
            again.
        max_connections: how many connections are held; for one more, that which has been silent for longest is closed.
        timeout: seconds for a request to arrive, and seconds for it to be answered.

    Raises:
        ArgumentError: for a limit that is none.

    >>> Limits(max_rows=100).timeout
    10.0
    """

    max_body: int = 1 << 20
    max_rows: int = 10_000
    max_waiting: int = 32
    max_connections: int = 256
    timeout: float = 10.0

    def __post_init__(self) -> None:
        for name in ("max_body", "max_rows", "max_waiting", "max_connections"):
            checks.whole(getattr(self, name), name, where="serve")
        checks.positive(self.timeout, "timeout", where="serve")
