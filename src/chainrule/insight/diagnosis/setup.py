"""A training as one record: what is trained, on what, how. Rules look at it, remedies change it, trials run it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule.arrays import DType, Floats
from chainrule.engines.interface import Data, Engine
from chainrule.layers import Dense, Residual, Sequence
from chainrule.objective import Objective
from chainrule.optimizers import LBFGS, SGD
from chainrule.schedules import AnySchedule, Constant, OneCycle, Plan, WarmUp
from chainrule.training_settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Listed

    from chainrule.layers import AnyLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class Setup:
    """What is trained, on what, how.

    Attributes:
        objective: layers, loss and penalties.
        dtype: of theta.
        seed: of the initial weights.
        data: the rows to train on.
        settings: how.
        held: the rows to validate on, if any.
        start: the weights to begin with; None: drawn from the seed.
        engine: who runs it.
        names: of the inputs; may be empty.
        spare: inputs that are there for what no row holds yet, such as a category that was never seen.
    """

    objective: Objective
    dtype: DType
    seed: int
    data: Data
    settings: TrainingSettings
    held: Data | None = None
    start: Floats | None = None
    engine: str | Engine = "auto"
    names: tuple[str, ...] = ()
    spare: tuple[int, ...] = ()

    # ---- what it is -------------------------------------------------------------------------------------------------

    @cached_property
    def per_row(self) -> Objective:
        """The same objective as a mean over the rows, whatever its reduction: numbers that can be compared."""
        return dataclasses.replace(self.objective, loss=msgspec.structs.replace(self.objective.loss, reduction="mean"))

    @property
    def layers(self) -> tuple[AnyLayer, ...]:
        """The layers as the person gave them."""
        return self.objective.network.layers

    @property
    def every_layer(self) -> tuple[AnyLayer, ...]:
        """The same, each residual followed by those inside it."""
        return tuple(_every(self.layers))

    @cached_property
    def for_classes(self) -> bool:
        """Whether the targets are classes: by the loss, or because every row is one-hot, or 0 or 1."""
        T = self.data.T
        if self.objective.loss.for_classes:
            return True
        ones = ((T == 0) | (T == 1)).all() and (T.shape[1] == 1 or (T.sum(axis=1) == 1).all())
        return bool(ones and T.min() < T.max())

    @property
    def in_words(self) -> str:
        """The sizes of the dense layers: ``64-256-64-10``."""
        sizes = [str(layer.units) for layer in self.layers if isinstance(layer, Dense)]
        return "-".join([str(self.objective.input_shape[0]), *sizes])

    @property
    def batch_size(self) -> int:
        """Rows in a batch, at most all of them."""
        return min(self.settings.batch_size, len(self.data.X))

    @property
    def full_batch(self) -> bool:
        """Whether each step sees all rows."""
        return self.batch_size >= len(self.data.X)

    @property
    def rate(self) -> float | None:
        """The learning rate, the highest of a schedule; None for L-BFGS, which has none."""
        optimizer = self.settings.optimizer
        return None if isinstance(optimizer, LBFGS) else _highest(optimizer.schedule)

    @property
    def plain_descent(self) -> bool:
        """Whether the optimiser is gradient descent, with momentum or without."""
        return isinstance(self.settings.optimizer, SGD)

    def rate_at(self, step: int) -> float | None:
        """The learning rate of a step, counted from 0; None for L-BFGS."""
        optimizer = self.settings.optimizer
        if isinstance(optimizer, LBFGS):
            return None
        rows, B = len(self.data.X), self.batch_size
        plan = Plan(-(-rows // B), self.settings.epochs, B, rows)
        return float(optimizer.schedule.rates(np.array([min(step, plan.total_steps - 1)]), plan)[0])

    def name_of(self, column: int) -> str:
        """An input as people call it: its name, or its place."""
        return self.names[column] if self.names else f"input {column}"

    def listed(self, columns: Listed[int], most: int = 5) -> str:
        """Some inputs by name."""
        more = len(columns) - most
        return ", ".join(map(self.name_of, columns[:most])) + (f" and {more} more" if more > 0 else "")

    # ---- what it might be -------------------------------------------------------------------------------------------

    def with_data(self, X: Any = None, T: Any = None, weights: Any = None) -> Setup:
        """The same with inputs, targets or weights changed; each is a function of the array (and of its rows).

        Weights concern the training rows only: those held out are scored as they are.
        """

        def changed(data: Data, *, training: bool) -> Data:
            new = data if X is None else data._replace(X=np.ascontiguousarray(X(data.X), dtype=data.X.dtype))
            new = new if T is None else new._replace(T=np.ascontiguousarray(T(new.T), dtype=data.T.dtype))
            return new._replace(weights=weights(data)) if weights is not None and training else new

        held = None if self.held is None else changed(self.held, training=False)
        return dataclasses.replace(self, data=changed(self.data, training=True), held=held)

    def of_few_rows(self, rows: int = 2) -> Setup:
        """The same of a few rows: to see what a change would change."""
        few = Data(*(None if part is None else part[:rows] for part in self.data))  # type: ignore[arg-type] # X, T are there
        return dataclasses.replace(self, data=few, held=None)

    def differs_from(self, other: Setup) -> bool:
        """Whether anything but the initial weights was replaced; an array that is not the same counts as another."""
        # As text: layers may hold arrays, which have an == of their own.
        mine, theirs = (repr((x.network, x.loss, x.input_shape, x.l1, x.l2)) for x in (self.objective, other.objective))
        same_data = all(a is b for a, b in zip(self.data, other.data, strict=True))
        return mine != theirs or self.settings != other.settings or not same_data

    def with_objective(self, **changes: Any) -> Setup:
        """The same with other layers, loss, input shape or penalties; other layers begin with new weights."""
        if "layers" in changes:
            changes["network"] = Sequence(tuple(changes.pop("layers")))
        redrawn = {"network", "input_shape"} & changes.keys()
        objective = dataclasses.replace(self.objective, **changes)
        return dataclasses.replace(self, objective=objective, start=None if redrawn else self.start)

    def with_settings(self, **changes: Any) -> Setup:
        """The same, trained in another way."""
        return dataclasses.replace(self, settings=msgspec.structs.replace(self.settings, **changes))

    def with_rate(self, rate: float) -> Setup:
        """The same with this learning rate, the highest of its schedule."""
        optimizer: Any = self.settings.optimizer
        schedule = _with_highest(optimizer.schedule, rate)
        new = msgspec.structs.replace(optimizer, rate=rate if isinstance(schedule, Constant) else schedule)
        return self.with_settings(optimizer=new)


def _every(layers: Iterable[AnyLayer]) -> Iterator[AnyLayer]:
    for layer in layers:
        yield layer
        if isinstance(layer, Residual):
            yield from _every(layer.layers)


def _highest(schedule: AnySchedule) -> float:
    """The highest rate of a schedule."""
    if isinstance(schedule, WarmUp):
        return _highest(schedule.inner)
    return schedule.peak if isinstance(schedule, OneCycle) else schedule.rate


def _with_highest(schedule: AnySchedule, rate: float) -> AnySchedule:
    """The schedule of the same course with another highest rate."""
    if isinstance(schedule, WarmUp):
        return msgspec.structs.replace(schedule, schedule=_with_highest(schedule.inner, rate))
    name = "peak" if isinstance(schedule, OneCycle) else "rate"
    return msgspec.structs.replace(schedule, **{name: rate})
