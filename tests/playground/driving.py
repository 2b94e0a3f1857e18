"""A worker of the playground, driven step by step."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from chainrule.layers import Dense
from chainrule.network import Network
from chainrule.playground.setting import HiddenLayer, Setting
from chainrule.playground.tables import Sources, read_rows
from chainrule.playground.worker import Worker

if TYPE_CHECKING:
    from chainrule.playground.moment import Moment

SMALL = Setting(data="xor", layers=(HiddenLayer(units=3),), epochs=6, batch_size=40, training_share=0.8)


def fitted(setting: Setting, epochs: int) -> Network:
    """The same run by `Network.fit`."""
    rows = read_rows(setting, Sources())
    network = Network([*setting.hidden(), Dense(1, "sigmoid")], "binary_cross_entropy", seed=setting.seed, n_inputs=2)
    network.fit(
        *rows.training,
        epochs=epochs,
        batch_size=setting.batch_size,
        optimizer=setting.settings().make_optimizer(),
    )
    return network


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
