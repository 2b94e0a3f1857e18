"""What the layers do as a training goes on: gradients, updates, activations."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from chainrule.callbacks import Callback
from chainrule.insight.diagnosis.look import sample, take_look
from chainrule.insight.diagnosis.setup import Setup
from chainrule.layers.interface import PREDICTION
from chainrule.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainrule.arrays import Floats
    from chainrule.insight.diagnosis.look import Units, Weights
    from chainrule.metrics import Metric
    from chainrule.records import Epoch
    from chainrule.training import Training

_ROWS = 128  # of a look
_SCORED = 512  # rows that are scored
_BYTES = 1 << 24  # of what is put by
_LOOKS = 48  # at a training, at most; and so many at its first epochs, one after the other:
_FIRST = 8


class WeightsRecord(msgspec.Struct, frozen=True):
    """One matrix of weights after an epoch.

    Attributes:
        epoch: 0 before the first step.
        name: ``"dense_1.W"``.
        gradient: the norm of dL/dW, without penalties, over the sample.
        weight: the norm of W.
        ratio: norm of what the next step would add, over the norm of W; nan for L-BFGS, which takes no such steps.
    """

    epoch: int
    name: str
    gradient: float
    weight: float
    ratio: float


class UnitsRecord(msgspec.Struct, frozen=True):
    """The units of one activation after an epoch, over the sample.

    Attributes:
        epoch: 0 before the first step.
        layer: its name.
        activation: the name of f.
        mean: of the outputs f(Z); likewise `deviation`.
        flat: the share of outputs where f is flat: 0 of relu, outside (0.03, 0.97) of sigmoid, beyond 0.97 of tanh; nan
            where f has no such place.
    """

    epoch: int
    layer: str
    activation: str
    mean: float
    deviation: float
    flat: float


class ScoreRecord(msgspec.Struct, frozen=True):
    """A score of the network as it predicts, on a sample of the training rows, after an epoch.

    Attributes:
        epoch: 0 before the first step.
        name: of the metric, such as ``"accuracy"``.
        value: nan where it is undefined.
    """

    epoch: int
    name: str
    value: float


class _Moment(NamedTuple):
    """The state of a training after an epoch; a copy."""

    epoch: int
    taken: int
    theta: Floats
    slots: dict[str, Floats]

    @property
    def bytes(self) -> int:
        return self.theta.nbytes + sum(slot.nbytes for slot in self.slots.values())


class LayerStatistics(Callback):
    """Listens to a training for what its layers do: norm of the gradient, update over weight, outputs of the units.

    It looks at no more than 48 of the epochs, at the first ones and then evenly spread, each time by one pass of at
    most 128 rows, always the same. Nothing that it does changes a bit of the training. While the training runs, the
    states of a small network are only put by, up to 16 MB of them; what they show is reckoned when it is first asked
    for.

    Attributes:
        weights: a record for each matrix of weights at each look.
        units: a record for each activation at each look.
        scores: where metrics are measured on validation rows, the same on at most 512 training rows.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1, "sigmoid")], "binary_cross_entropy")
    >>> watch = LayerStatistics()
    >>> history = net.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=3, callbacks=[watch])
    >>> [record.epoch for record in watch.weights if record.name == "dense_2.W"]
    [0, 1, 2, 3]
    """

    only_watches = True  # theta and slots are read where the engine is not ahead of what it tells, and there alone

    def __init__(self) -> None:
        self._begin()
        self._training: Training | None = None
        self._turns: frozenset[int] = frozenset()

    def _begin(self, setup: Setup | None = None, metrics: Mapping[str, Metric] | None = None) -> None:
        """Forget what was seen of an earlier training."""
        self._weights: list[WeightsRecord] = []
        self._units: list[UnitsRecord] = []
        self._scores: list[ScoreRecord] = []
        self._put_by: list[_Moment] = []
        self._seen = 0
        self._setup, self._metrics = setup, metrics or {}

    @property
    def weights(self) -> list[WeightsRecord]:
        """See the class."""
        self._catch_up()
        return self._weights

    @property
    def units(self) -> list[UnitsRecord]:
        """See the class."""
        self._catch_up()
        return self._units

    @property
    def scores(self) -> list[ScoreRecord]:
        """See the class."""
        self._catch_up()
        return self._scores

    # ---- while it runs ----------------------------------------------------------------------------------------------

    def on_begin(self, training: Training) -> None:
        setup = Setup(
            objective=training.objective,
            dtype=str(training.run.theta.dtype),  # type: ignore[arg-type] # float32 or float64
            seed=training.settings.seed,
            data=training.data,
            settings=training.settings,
        )
        asked = training.scores.metrics if training.scores.held is not None else {}
        self._begin(setup, {name.removeprefix("validation_"): metric for name, metric in asked.items()})
        self._training = training
        training.watch = self
        now, last = training.standing.epoch, training.settings.epochs
        self._turns = turns(now, last)
        self._put_by_now(now, training.standing.taken)
        self._stop_at_next(now)

    def on_epoch(self, record: Epoch) -> None:
        if record.epoch in self._turns:
            self._put_by_now(record.epoch, record.taken)
        self._stop_at_next(record.epoch)

    def on_end(self, training: Training) -> None:
        now, theta = training.standing, training.run.theta
        restored = now.best_epoch < now.epoch and np.array_equal(theta, training.best_theta)  # those of another epoch
        if self._seen < now.epoch and not restored and np.isfinite(theta).all():
            self._put_by_now(now.epoch, now.taken)
        training.pace.steps_at_once = None
        self._training = None

    def _stop_at_next(self, epoch: int) -> None:
        """Let the engine take no epoch beyond the next that is looked at: there its slots are those of theta."""
        training = self._training
        left = [turn for turn in self._turns if turn > epoch]
        if training is not None and left:
            training.pace.steps_at_once = (min(left) - epoch) * training.steps_per_epoch

    def _put_by_now(self, epoch: int, taken: int) -> None:
        training = self._training
        if training is None or training.ahead:
            return
        slots = {name: slot.copy() for name, slot in training.run.slots.items()} if taken else {}
        self._put_by.append(_Moment(epoch, taken, training.run.theta.copy(), slots))
        self._seen = epoch
        if sum(moment.bytes for moment in self._put_by) > _BYTES:
            self._catch_up()

    # ---- what was seen ----------------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Look at what was put by."""
        with np.errstate(all="ignore"):  # what is not finite is told
            for moment in self._put_by:
                self._look(moment)
        self._put_by.clear()
        if self._training is None:
            self._setup = None  # and let go of the rows

    def _look(self, moment: _Moment) -> None:
        setup, (epoch, taken, theta, slots) = self._setup, moment
        assert setup is not None  # noqa: S101 -- there is one as long as something is put by
        self.note(setup, theta, epoch=epoch, taken=taken, slots=slots if taken else None)
        self._scores += [ScoreRecord(epoch, name, value) for name, value in self._scored(setup, theta).items()]

    def note(
        self, setup: Setup, theta: Floats, *, epoch: int, taken: int, slots: Mapping[str, Floats] | None = None
    ) -> None:
        """Look at a training that stands, or has stood, at this theta: for those who do not listen to it."""
        look = take_look(setup, theta, step=taken, slots=slots, most=_ROWS)
        units = look.hidden if look.output is None else (*look.hidden, look.output)
        self._weights += [_weights_record(epoch, each) for each in look.weights]
        self._units += [_units_record(epoch, each, look.outputs) for each in units]

    def _scored(self, setup: Setup, theta: Floats) -> dict[str, float]:
        if not self._metrics:
            return {}
        chosen = sample(len(setup.data.X), _SCORED)
        params = setup.objective.layout.split(theta)
        Y, _ = setup.objective.network.forward(params, setup.data.X[chosen], PREDICTION)
        return measured(self._metrics, setup.data.T[chosen], Y)


def turns(first: int, last: int) -> frozenset[int]:
    """The epochs to look at: the first ones, and others evenly spread up to the last.

    >>> sorted(turns(0, 5))
    [1, 2, 3, 4, 5]
    >>> len(turns(0, 1000))
    48
    """
    spread = np.linspace(first + _FIRST, last, _LOOKS - _FIRST + 1).round().astype(int).tolist()
    return frozenset(turn for turn in (*range(first + 1, first + _FIRST), *spread) if first < turn <= last)


def _weights_record(epoch: int, seen: Weights) -> WeightsRecord:
    size = _norm(seen.W)
    ratio = _norm(seen.change) / size if seen.change is not None and size else nan
    return WeightsRecord(epoch, seen.name, _norm(seen.gradient), size, ratio)


def _units_record(epoch: int, seen: Units, outputs: Floats) -> UnitsRecord:
    Y = outputs if seen.Y.shape == outputs.shape and seen.f.name == "softmax" else seen.Y
    values = Y.astype(np.float64)
    return UnitsRecord(
        epoch, seen.layer, seen.f.name, float(values.mean()), float(values.std()), _flat(seen.f.name, values)
    )


def _flat(name: str, Y: Floats) -> float:
    if name == "sigmoid":
        return float(((Y < 0.03) | (Y > 0.97)).mean())
    if name in {"tanh", "scaled_tanh"}:
        limit = 0.97 * (1.7159 if name == "scaled_tanh" else 1)
        return float((np.abs(Y) > limit).mean())
    return float((Y == 0).mean()) if name == "relu" else nan


def _norm(values: Floats) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))
