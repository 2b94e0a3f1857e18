"""What a training tells whoever listens, and where it stands.

A loss is without penalties, so that those of training and validation compare; the penalty stands beside it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

import msgspec

from chainrule.schedules import PlateauState

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from chainrule.arrays import Floats


class Steps(msgspec.Struct, frozen=True):
    """Some steps were taken, the epoch is not over.

    Attributes:
        epoch: the one under way, 1 for the first.
        step: steps finished of this epoch.
        steps_per_epoch: that it has.
        loss: mean over the steps since the last record, without penalties.
        penalty: likewise; 0 where there is none.
    """

    epoch: int
    step: int
    steps_per_epoch: int
    loss: float
    penalty: float

    @property
    def objective(self) -> float:
        """What is minimised: loss + penalty."""
        return self.loss + self.penalty


class Epoch(msgspec.Struct, frozen=True):
    """An epoch is over.

    Attributes:
        epoch: 1 for the first.
        taken: steps of gradient descent so far.
        loss: over the epoch, each batch before its update, without penalties: the mean over the rows, or their sum.
        penalty: ``l1 sum |w| + l2/2 sum w^2`` over the epoch, averaged or, where the loss is a sum, summed up as the
            loss is; 0 where there is none.
        rate: the learning rate of the last step.
        seconds: since the beginning of the run.
        scores: measured after the epoch, by name: ``validation_loss``, ``validation_accuracy``, ...
        best: whether the monitored quantity was never better.
    """

    epoch: int
    taken: int
    loss: float
    penalty: float
    rate: float
    seconds: float
    scores: dict[str, float]
    best: bool

    @property
    def objective(self) -> float:
        """What is minimised: loss + penalty."""
        return self.loss + self.penalty


class EpochColumns(NamedTuple):
    """The records of epochs that were taken at once and measured by nobody, as columns: see `Epoch`."""

    epoch: npt.NDArray[np.int64]
    taken: npt.NDArray[np.int64]
    loss: Floats
    penalty: Floats
    rate: Floats
    seconds: Floats
    best: npt.NDArray[np.bool_]

    def record(self, place: int) -> Epoch:
        """One of them."""
        epoch, taken, loss, penalty, rate, seconds, best = (column[place].item() for column in self)
        return Epoch(epoch, taken, loss, penalty, rate, seconds, {}, best)


class Epochs(Sequence[Epoch]):
    """The records of a training, by epoch; those of short epochs lie in columns, and each is made when it is asked for.

    >>> epochs = Epochs([Epoch(1, 10, 0.7, 0.0, 0.1, 0.2, {}, True)])
    >>> epochs.append(Epoch(2, 20, 0.6, 0.0, 0.1, 0.4, {}, True))
    >>> len(epochs), epochs[-1].loss
    (2, 0.6)
    """

    def __init__(self, records: Iterable[Epoch] = ()) -> None:
        self._parts: list[list[Epoch] | EpochColumns] = []
        self._starts: list[int] = []  # of each part
        self._length = 0
        for record in records:
            self.append(record)

    def append(self, record: Epoch) -> None:
        """One more."""
        last = self._parts[-1] if self._parts else None
        if isinstance(last, list):
            last.append(record)
            self._length += 1
        else:
            self._add([record], 1)

    def extend(self, columns: EpochColumns) -> None:
        """Those of several epochs more."""
        self._add(columns, len(columns.epoch))

    def _add(self, part: list[Epoch] | EpochColumns, length: int) -> None:
        self._parts.append(part)
        self._starts.append(self._length)
        self._length += length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Epoch: ...
    @overload
    def __getitem__(self, place: slice) -> list[Epoch]: ...
    def __getitem__(self, place: int | slice) -> Epoch | list[Epoch]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._length))]
        place = range(self._length)[place]
        number = bisect_right(self._starts, place) - 1
        part, place = self._parts[number], place - self._starts[number]
        return part[place] if isinstance(part, list) else part.record(place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # it grows


class Standing(msgspec.Struct, kw_only=True):
    """Where a run stands: with theta, the slots and the best theta, all that there is to know to go on.

    Attributes:
        epoch: epochs finished.
        step: steps finished of the epoch under way.
        taken: steps of gradient descent so far.
        loss_sum: of the epoch under way.
        penalty_sum: likewise.
        seconds: spent before the run was last taken up.
        plateau: what a schedule that listens to the loss has heard.
        best_epoch: 0 before the first epoch is over.
        best_value: of the monitored quantity, turned so that lower is better.
        stopped: why the run ended before its last epoch; empty when it did not.
        epochs: the records so far.
    """

    epoch: int
    step: int
    taken: int
    loss_sum: float
    penalty_sum: float
    seconds: float
    plateau: PlateauState | None
    best_epoch: int
    best_value: float | None
    stopped: str
    epochs: Sequence[Epoch]

    @classmethod
    def at_the_start(cls, epochs: Sequence[Epoch] = ()) -> Standing:
        """Where every run begins. There are no defaults, so that a file must tell everything."""
        return cls(
            epoch=0,
            step=0,
            taken=0,
            loss_sum=0.0,
            penalty_sum=0.0,
            seconds=0.0,
            plateau=None,
            best_epoch=0,
            best_value=None,
            stopped="",
            epochs=epochs,
        )
