"""The server: a socket, an application and limits, until it is told to stop."""

from __future__ import annotations

import contextlib
import ipaddress
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING

from chainrule.errors import ArgumentError
from chainrule.serving.app import make_app
from chainrule.serving.process import BACKLOG, Config, Server
from chainrule.serving.workers import serve_by_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from chainrule.model import Model
    from chainrule.network import Network
    from chainrule.serving.access import Form
    from chainrule.serving.limits import Limits


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: an address of this machine, or a name of one.
        port: 0 for any that is free.

    Raises:
        ArgumentError: when there is no such address here, or the port is taken.
    """
    if not 0 <= port < 1 << 16:
        raise ArgumentError("port", where="serve", expected="a whole number from 0 to 65535", got=port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise ArgumentError("host", where="serve", expected="an address or name of this machine", got=host) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        mend = "Give another, or 0 for one that is free"
        words = f"port {port} of {host} cannot be had: {error.strerror}"
        raise ArgumentError(words, where="serve", mend=mend) from None
    listener.setblocking(False)
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Whether this machine alone reaches it."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def url(listener: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def hosts_of(listener: socket.socket, host: str, allowed: Collection[str]) -> set[str]:
    """The names by which requests may call the server; any, when other machines reach it and none were named."""
    if not allowed and not is_loopback(listener):
        return set()
    return {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host, *allowed}


def serve(
    model: Model | Network,
    listener: socket.socket,
    *,
    name: str,
    limits: Limits,
    hosts: Collection[str],
    ready: Callable[[], None],
    log: Form | None = None,
    workers: int = 1,
) -> None:
    """Answer until SIGTERM or SIGINT; requests that came by then still get their answer.

    Args:
        model: what answers.
        listener: from `listen`; it is closed in the end.
        name: what the model is called.
        limits: what a client gets, of each worker.
        hosts: the names by which requests may call the server; any, if none are given.
        ready: called once requests are accepted.
        log: how each answer is told on standard output; None: not at all.
        workers: processes that answer; one that dies is replaced.
    """
    config = Config(partial(make_app, model, name=name, limits=limits, hosts=hosts), limits, log)
    if workers > 1:
        serve_by_workers(config, listener, workers, ready)
        return
    with _after_signals():
        Server(config, ready).run(sockets=[listener])


@contextlib.contextmanager
def _after_signals() -> Iterator[None]:
    """Uvicorn raises the signal that ended it once more when it has ended; the command goes on, to its last line."""
    before = {which: signal.signal(which, lambda *_: None) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
