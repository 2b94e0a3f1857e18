"""Several processes that answer at one address; the system gives each connection to one of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, NamedTuple

from chainrule.errors import ChainruleError
from chainrule.serving.process import Config, Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess

_START = 60.0  # seconds in which a worker has to be ready


class _Worker(NamedTuple):
    """A process, and where it says that it is ready."""

    process: BaseProcess
    ready: Connection


def serve_by_workers(config: Config, listener: socket.socket, count: int, ready: Callable[[], None]) -> None:
    """Answer by several processes until SIGTERM or SIGINT; one that dies is replaced.

    Args:
        config: how each answers.
        listener: which all of them share.
        count: of the processes.
        ready: called once all accept requests.

    Raises:
        ChainruleError: when one does not start.
    """
    with _stopping() as stop:
        workers = [_start(config, listener) for _ in range(count)]
        try:
            for worker in workers:
                _await(worker, stop)
            if not stop.poll():
                ready()
            while stop not in wait([stop, *(worker.process.sentinel for worker in workers)]):
                for place, worker in enumerate(workers):
                    if not worker.process.is_alive():
                        workers[place] = _start(config, listener)
                        _await(workers[place], stop)
        finally:
            _end(workers, listener, config)


def _start(config: Config, listener: socket.socket) -> _Worker:
    heard, told = Pipe(duplex=False)
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the libraries half
    process = context.Process(target=_work, args=(config, listener, told))
    process.start()
    told.close()
    return _Worker(process, heard)


def _work(config: Config, listener: socket.socket, told: Connection) -> None:
    """What a worker does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it once more at the end
    server = Server(config, lambda: told.send_bytes(b"ready"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server.run(sockets=[listener])


def _end_with_parent() -> None:
    """Stop when the process that started this one has ended, however it did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _await(worker: _Worker, stop: Connection) -> None:
    """Raise unless the worker says that it is ready before all is to stop."""
    if stop in wait([worker.ready, stop], _START):
        return
    with contextlib.suppress(EOFError):
        if worker.ready.poll():
            worker.ready.recv_bytes()
            return
    raise ChainruleError(f"serve: a worker ended before it was ready, or was not within {_START:g} seconds")


@contextlib.contextmanager
def _stopping() -> Iterator[Connection]:
    """A connection on which SIGTERM and SIGINT are told."""
    stop, told = Pipe(duplex=False)
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, lambda *_: told.send_bytes(b"stop")) for each in signals}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _end(workers: list[_Worker], listener: socket.socket, config: Config) -> None:
    """Close the door, and wait for the last answers."""
    listener.close()
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(2 * (config.timeout_graceful_shutdown or 0) + 1)
        worker.process.kill()
        worker.process.join()
