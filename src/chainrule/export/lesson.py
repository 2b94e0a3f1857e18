"""What a script trains on and how: rows, weights, settings, and the losses that our engine finds with them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks, optimizers
from chainrule.arrays import Floats, Ints
from chainrule.callbacks import Listeners
from chainrule.errors import ArgumentError
from chainrule.export.meaning import Meaning, meaning
from chainrule.fitting import FitOptions
from chainrule.inputs import class_weights
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.schedules import Constant, Plan, ReduceOnPlateau
from chainrule.splitting import epoch_order

if TYPE_CHECKING:
    from chainrule.export.subject import Subject

EPOCHS = 10
_MADE_UP = 32  # rows, where none were given
_STARTS = ("auto", "initial", "present")


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A training to be written out.

    Attributes:
        network: with the weights that the training begins with, in float64.
        begins: what these weights are, in words.
        X: inputs ``(N, I)``.
        T: targets ``(N, O)``.
        weights: of the rows ``(N,)``; None where all count the same.
        rows: what the rows are, in words.
        meaning: of inputs and targets.
        optimizer: with its rate.
        rates: the rate of each step, where it changes; else empty.
        plateau: the schedule that listens to the loss, where there is one.
        batch_size: rows in a batch.
        orders: of the rows, for each epoch; empty where they stay as they are.
        losses: after each epoch, as our engine finds them from these very numbers.
    """

    network: Network
    begins: str
    X: Floats
    T: Floats
    weights: Floats | None
    rows: str
    meaning: Meaning
    optimizer: Optimizer
    rates: Floats
    plateau: ReduceOnPlateau | None
    batch_size: int
    orders: tuple[Ints, ...]
    losses: tuple[float, ...]

    @property
    def data(self) -> tuple[str, ...]:
        """The variables that hold the rows: inputs, targets, and weights where there are any."""
        return ("X", "T") if self.weights is None else ("X", "T", "weights")


@dataclass(frozen=True)
class Wishes:
    """What was said about the training; None: as the network was trained, or else as `fit` trains.

    Attributes:
        y: the labels or values of the rows given; of a model unless given its target column.
        start: the weights to begin with: ``"initial"`` as the seed draws them, ``"present"`` as they are; ``"auto"``:
            initial of a network that has been trained, present of one that has not, whose weights may have been set.
        optimizer: a name or an object.
        batch_size: rows in a batch; 0 for all of them.
        shuffle: whether each epoch takes the rows in a new order.
        sample_weight: a weight for each row.
        class_weight: ``"balanced"`` or ``{label: weight}``.
    """

    y: Any = None
    start: str = "auto"
    optimizer: Any = None
    batch_size: int | None = None
    shuffle: bool | None = None
    sample_weight: Any = None
    class_weight: Any = None


def lesson(subject: Subject, wishes: Wishes) -> Lesson:
    """The training that a script writes out.

    Raises:
        ArgumentError: for a setting that is unknown, or that no script can be written of.
        DataError: when the rows do not fit.
    """
    net, begins = _beginning(subject, wishes.start)
    X, y, told = _rows(subject, wishes.y)
    rows = net.read(short(X), y, _weights(subject, wishes.sample_weight), where="export")
    options = _options(subject, wishes, len(X))
    of_class = class_weights(options.class_weight, rows.targets, where="export")
    size = options.batch_size or len(X)
    steps = ceil(len(X) / size)
    student = net.astype("float64")
    history = student.fit_rows(rows, options, Listeners(()))
    optimizer: Any = options.optimizer
    shuffled = options.shuffle and steps > 1
    return Lesson(
        network=net,
        begins=begins,
        X=rows.X,
        T=rows.targets.T,
        weights=rows.data(of_class).weights,
        rows=told,
        meaning=meaning(subject),
        optimizer=optimizer,
        rates=_rates(optimizer, Plan(steps, EPOCHS, size, len(X))),
        plateau=_plateau(optimizer),
        batch_size=size,
        orders=tuple(epoch_order(len(X), seed=net.seed, epoch=epoch) for epoch in range(EPOCHS)) if shuffled else (),
        losses=tuple(epoch.loss for epoch in history),
    )


def short(values: Floats) -> Floats:
    """The same numbers in float64 as they are written: 0.3, not 0.30000001192092896.

    >>> short(np.array([0.3], np.float32)).tolist()
    [0.3]
    """
    return values.astype(str).astype(np.float64)


def _beginning(subject: Subject, start: str) -> tuple[Network, str]:
    """The network in float64, with the weights to begin with.

    Those it was drawn with, where it has been trained since; else those it has: someone may have set them.
    """
    net = subject.network
    if start not in _STARTS:
        raise ArgumentError("start", where="export", expected=" or ".join(_STARTS), got=start)
    trained = subject.model is not None or net.history is not None
    if start == "initial" or (start == "auto" and trained):
        fresh, begins = net.with_seed(net.seed), f"the weights that seed {net.seed} draws"
    else:
        fresh, begins = net, "the weights that the network had when it was exported"
    other = fresh.astype("float64")
    other.classes = net.classes
    other.theta = short(fresh.theta)
    return other, begins


def _rows(subject: Subject, y: Any) -> tuple[Floats, Any, str]:
    """Inputs, labels or values, and what they are."""
    if subject.X is None:
        if y is not None:
            raise ArgumentError("y", where="export", expected="the rows that it belongs to as well, in data=", got=y)
        X, y = _made_up(subject.network)
        return X, y, f"{len(X)} rows that were made up, to be replaced by your own"
    if subject.model is not None and subject.frame is not None and y is None:
        y = subject.model.columns.encode_target(subject.frame, dtype="float64", where="export")
    if y is None:
        raise ArgumentError("y", where="export", expected="the labels or values of the rows in data=", got=y)
    return subject.X, y, f"{len(subject.X)} rows"


def _made_up(net: Network) -> tuple[Floats, Any]:
    """Some rows to train on, always the same."""
    rng = np.random.default_rng(net.seed)
    (I,), (O,) = net.input_shape, net.objective.output_shape
    X = rng.standard_normal((_MADE_UP, I)).round(2)
    if net.loss.for_classes:
        places = np.arange(_MADE_UP) % max(O, 2)
        y = places if net.classes is None else net.classes[places]
        several = net.loss.name == "binary_cross_entropy" and O > 1
        return X, (rng.random((_MADE_UP, O)) < 0.5).astype(float) if several else y
    values = rng.poisson(2.0, (_MADE_UP, O)) if net.loss.name == "poisson" else rng.standard_normal((_MADE_UP, O))
    return X, values.round(2).astype(float)


def _options(subject: Subject, wishes: Wishes, n_rows: int) -> FitOptions:
    """How to train: as was said, as the network was trained, or as `fit` does it."""
    known = FitOptions()
    if subject.model is not None:
        settings = subject.model.settings
        known = FitOptions(
            optimizer=settings.make_optimizer(),
            batch_size=settings.batch_size or None,
            class_weight=None if settings.class_weight == "none" else settings.class_weight,
        )
    elif subject.network.history is not None and subject.network.history.settings is not None:
        was = subject.network.history.settings
        known = FitOptions(optimizer=was.optimizer, batch_size=was.batch_size, shuffle=was.shuffle)
    size = known.batch_size if wishes.batch_size is None else wishes.batch_size
    return FitOptions(
        epochs=EPOCHS,
        batch_size=min(checks.whole(size, "batch_size", where="export", least=0) if size else n_rows, n_rows),
        optimizer=_stepper(known.optimizer if wishes.optimizer is None else wishes.optimizer),
        shuffle=known.shuffle if wishes.shuffle is None else wishes.shuffle,
        class_weight=known.class_weight if wishes.class_weight is None else wishes.class_weight,
        engine="reference",
    )


def _stepper(wish: Any) -> Any:
    """An optimiser whose steps a script can write.

    Raises:
        ArgumentError: for L-BFGS.
    """
    chosen: Any = optimizers.get(wish, where="export")
    if not isinstance(chosen, Optimizer):
        raise ArgumentError(
            "L-BFGS searches along a line, which the scripts do not write out",
            where="export",
            mend="Give another, such as optimizer='adam' (--optimizer adam)",
        )
    return chosen


def _weights(subject: Subject, sample_weight: Any) -> Any:
    """The weights of the rows given, as many of them as are taken."""
    if sample_weight is None:
        return None
    if subject.X is None:
        expected = "the rows that they belong to as well, in data="
        raise ArgumentError("sample_weight", where="export", expected=expected, got=sample_weight)
    return sample_weight


def _rates(optimizer: Optimizer, plan: Plan) -> Floats:
    """The rate of each step; none where it is always the same."""
    schedule = optimizer.schedule
    fixed = isinstance(schedule, Constant | ReduceOnPlateau)
    return np.zeros(0) if fixed else schedule.rates(np.arange(plan.total_steps), plan)


def _plateau(optimizer: Optimizer) -> ReduceOnPlateau | None:
    """What listens to the loss: the schedule, or the one that follows a warm-up."""
    inner = getattr(optimizer.schedule, "inner", optimizer.schedule)
    return inner if isinstance(inner, ReduceOnPlateau) else None
