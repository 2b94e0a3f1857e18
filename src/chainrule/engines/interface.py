"""The contract of an engine: it runs an objective over batches, on data that stay in place.

All that an engine needs to know is numbers made elsewhere: theta, the rows of an epoch in order, a learning rate for
each step. So every engine runs the same training, to rounding, and a fixed seed gives the same bits on the same engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Floats, Ints
    from chainrule.objective import Objective
    from chainrule.optimizers import AnyOptimizer, AnyStepper


class Data(NamedTuple):
    """Rows to train on or to score: inputs ``X (N, I)``, targets ``T (N, O)``, weights of the rows ``(N,)`` or None."""

    X: Floats
    T: Floats
    weights: Floats | None = None


class Run(Protocol):
    """A training under way. It owns nothing but theta and the slots, both changed in place.

    Attributes:
        theta: the parameters ``(P,)``.
        slots: the optimiser's vectors ``(P,)``, by name.
        finished: why there is nothing more to do; empty as long as there is.
    """

    theta: Floats
    finished: str

    @property
    def slots(self) -> dict[str, Floats]:
        """See above."""

    def advance(self, order: Ints | None, first: int, rates: Floats, taken: int) -> Floats:
        """Take ``len(rates)`` steps of gradient descent.

        Step k of the epoch, ``k = first, first + 1, ...``, uses the rows ``order[k * B : (k + 1) * B]``, or those rows
        themselves where `order` is None; the last batch of an epoch may be shorter.

        Args:
            order: the rows of the epoch in order.
            first: the step of the epoch to begin with, from 0.
            rates: the learning rate of each step.
            taken: the steps taken before in the whole run; dropout and Adam's bias correction count by it.

        Returns:
            The two parts of the objective at each step, before its update, ``(steps, 2)``: the loss and the penalty.
            A row with a value that is not finite is the last: the engine stops there without updating.
        """

    def restore(self, theta: Floats, slots: Mapping[str, Floats]) -> None:
        """Go back, or on, to these numbers; they are copied."""


@runtime_checkable
class EpochsRun(Run, Protocol):
    """A run that can take several epochs in one call, which saves what Python costs between two of them."""

    def advance_epochs(self, orders: Ints | None, rates: Floats, taken: int, thetas: Floats) -> Floats:
        """Take ``len(thetas)`` whole epochs of S steps, the same as by `advance`, to the bit.

        Args:
            orders: the rows of each epoch in order, ``(epochs, N)``; None: as they are.
            rates: the learning rate of each step, ``(epochs * S,)``.
            taken: the steps taken before in the whole run.
            thetas: theta after each epoch is written here, ``(epochs, P)``.

        Returns:
            As `advance`; what stands in `thetas` after an epoch that was not finished means nothing.
        """


@runtime_checkable
class Engine(Protocol):
    """Runs objectives.

    Attributes:
        name: by which a person asks for it.
    """

    name: str

    def refuses(self, objective: Objective | None = None, optimizer: AnyOptimizer | None = None) -> str:
        """Why it cannot run this, or, where nothing is named, anything at all; empty when it can."""

    def start(
        self, objective: Objective, theta: Floats, data: Data, *, optimizer: AnyStepper, batch_size: int, seed: int
    ) -> Run:
        """A run on these data; `theta` is changed in place by it."""

    def predict(self, objective: Objective, theta: Floats, X: Floats) -> Floats:
        """The outputs ``Y (N, O)``."""

    def evaluate(self, objective: Objective, theta: Floats, data: Data) -> tuple[float, Floats]:
        """The loss over all rows, without penalties, and the outputs ``Y (N, O)``, in prediction mode."""
