"""What a schedule is: a function of the step number, and what it needs to know of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from msgspec import Struct

from chainrule.checks import settle, settle_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers: TypeAlias = npt.NDArray[np.float64]
    Steps: TypeAlias = npt.NDArray[np.floating[Any]] | npt.NDArray[np.integer[Any]]


class Plan(Struct, frozen=True):
    """What a schedule needs to know of the run.

    Attributes:
        steps_per_epoch: steps of gradient descent in one pass over the data.
        epochs: passes over the data in the whole run.
        batch_size: rows in a batch.
        rows: rows in the data; steps_per_epoch * batch_size when not given, which counts a smaller last batch as full.
        steps: steps of the whole run, where that is not steps_per_epoch * epochs.
    """

    steps_per_epoch: int
    epochs: int
    batch_size: int
    rows: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        for field in ("steps_per_epoch", "epochs", "batch_size"):
            settle_whole(self, field, 1)
        for field in ("rows", "steps"):
            if getattr(self, field) is not None:
                settle_whole(self, field, 1)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.epochs if self.steps is None else self.steps

    @property
    def rows_per_epoch(self) -> int:
        """Rows that one epoch goes through."""
        return self.steps_per_epoch * self.batch_size if self.rows is None else self.rows


class PlateauState(Struct, frozen=True):
    """What `ReduceOnPlateau` has heard so far.

    Attributes:
        factor: what the rate is multiplied by now.
        best: the loss to improve on; None before the first finite one.
        bad_epochs: epochs in a row that did not improve on it.
        cooling: epochs still to come in which none counts as bad.
    """

    factor: float = 1.0
    best: float | None = None
    bad_epochs: int = 0
    cooling: int = 0


class Schedule(Struct, frozen=True, tag=True):
    """The contract: the rates depend on the step alone, their common factor on what `observe` has heard."""

    def rates(self, steps: Steps, plan: Plan) -> Numbers:
        """The rate of each step, numbered from 0: float64, shape of `steps`."""
        return np.asarray(self._rates(np.asarray(steps, dtype=np.float64), plan))

    def _rates(self, t: Numbers, plan: Plan, /) -> Numbers:
        raise NotImplementedError

    def scale(self, state: PlateauState | None) -> float:
        """What the rates are multiplied by in this state."""
        return 1.0 if state is None else state.factor

    def observe(self, state: PlateauState | None, loss: float) -> PlateauState | None:  # noqa: ARG002 - few listen
        """The state after an epoch with this loss; None: nothing to remember."""
        return None


def settle_rate(record: Struct, field: str = "rate") -> None:
    """Check a learning rate: a number above 0."""
    settle(record, field, "a number above 0", lambda rate: rate > 0)
