"""Who listens to a training: functions, or objects with some of four methods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from chainrule.errors import ArgumentError
from chainrule.records import Epoch, Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.training import Training


class StopTraining(Exception):  # noqa: N818 -- not an error: a wish, like StopIteration
    """Raise it in a callback to end the training after this record; the message tells why."""


class Callback:
    """Listens to a training; override what you need. Reading is free, and nothing read changes the result.

    Attributes:
        only_watches: a promise to read records and `Training.standing` alone: then short epochs may be taken several at
            a time, which saves most of what Python costs; they are still told of one by one,
        every_epoch: unless nobody wants to hear of every epoch, and nothing is measured after each: then of several
            taken at a time the last alone is told of. All stand in ``Training.standing.epochs``.

    >>> import chainrule as cr
    >>> class Enough(cr.Callback):
    ...     def on_epoch(self, record):
    ...         if record.epoch == 3:
    ...             raise cr.StopTraining("three are enough")
    >>> cr.Network([cr.Dense(2, "softmax")]).fit([[0.0], [1.0]], [0, 1], callbacks=Enough()).stopped
    'three are enough'
    """

    only_watches: bool = False
    every_epoch: bool = True

    def on_begin(self, training: Training) -> None:
        """Before the first step: what is going to run."""

    def on_steps(self, record: Steps) -> None:
        """Now and then within a long epoch."""

    def on_epoch(self, record: Epoch) -> None:
        """After each epoch."""

    def on_end(self, training: Training) -> None:
        """At the end, also after an interruption or a divergence; weights are then the final ones."""


AnyCallback: TypeAlias = "Callback | Callable[[Epoch], Any]"


class _Each(Callback):
    """A plain function, called with each epoch's record."""

    def __init__(self, function: Callable[[Epoch], Any]) -> None:
        self._function = function

    def on_epoch(self, record: Epoch) -> None:
        self._function(record)


class Listeners(Callback):
    """Many callbacks as one, in the order given; one alone needs no list.

    Raises:
        ArgumentError: when something given is neither a Callback nor callable.
    """

    def __init__(self, callbacks: AnyCallback | Iterable[AnyCallback]) -> None:
        self._each: list[Callback] = []
        for callback in callbacks if isinstance(callbacks, Iterable) else (callbacks,):
            if isinstance(callback, Callback):
                self._each.append(callback)
            elif callable(callback):
                self._each.append(_Each(callback))
            else:
                raise ArgumentError("callbacks", where="fit", expected="functions or Callback objects", got=callback)

    @property
    def all_only_watch(self) -> bool:
        """Whether all have promised so; nobody breaks no promise."""
        return all(listener.only_watches for listener in self._each)

    @property
    def all_may_miss(self) -> bool:
        """Whether none needs to hear of every epoch."""
        return not any(listener.every_epoch for listener in self._each)

    def on_begin(self, training: Training) -> None:
        for listener in self._each:
            listener.on_begin(training)

    def on_record(self, record: Steps | Epoch) -> None:
        """Hand the record to everyone."""
        for listener in self._each:
            if isinstance(record, Epoch):
                listener.on_epoch(record)
            else:
                listener.on_steps(record)

    def on_end(self, training: Training) -> None:
        for listener in self._each:
            listener.on_end(training)
