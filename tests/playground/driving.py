"""A worker of the playground, driven step by step."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from chainrule.playground.tables import Sources
from chainrule.playground.worker import Worker

if TYPE_CHECKING:
    from chainrule.playground.moment import Moment


class Driver:
    """A worker, and what it told."""

    def __init__(self, sources: Sources | None = None) -> None:
        self.told: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self.worker = Worker(sources or Sources(), self.told.put)

    def moment(self) -> Moment:
        """Where the run stands after all that was asked."""
        self.worker.want()
        while (fault := self.told.get(timeout=20)) is not None:
            raise fault
        assert self.worker.moment is not None
        return self.worker.moment


def moment_of(worker: Worker) -> Moment:
    """Where a worker stands after all that it was asked."""
    version = 0 if worker.moment is None else worker.moment.version
    asked = threading.Event()
    worker.want()
    worker._commands.put(asked.set)
    worker.want()
    assert asked.wait(20)
    while worker.moment is None or worker.moment.version == version:
        asked.wait(0.001)
    return worker.moment
