"""A worker of the playground, driven step by step."""

from __future__ import annotations

import queue

from chainrule.playground.tables import Sources
from chainrule.playground.worker import Moment, Worker


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
