"""What the package has, and how each of it is put to the test of the gradient: the registry, the points and the check.

`LAYERS`, `ACTIVATIONS` and `LOSSES` must name everything in `AnyLayer`, `AnyActivation` and `AnyLoss`:
`test_gradients.py` fails as soon as something is missing. `check` compares one combination with finite differences.

The oracle is the fourth-order central difference in float64,

    g_i = (8 (L(+h) - L(-h)) - (L(+2h) - L(-2h))) / (12 h),      h = 5e-4,

whose truncation error is h^4/30 L'''''. Its own rounding error is some eps |L| / h, 4e-12 at most (`_NOISE`): an
entry that differs by less than that, but by more than the relative tolerance, is *unresolved*: neither passed nor
failed, but counted, and the tests bound the count. (A forgotten gradient passes as unresolved only where the true one
is below 4e-12.)

Points are drawn away from kinks, from the ends of a loss's domain and from norms of nearly equal numbers: a draw that
comes too near is drawn again, so that no entry ever has to be left out.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from chainrule import losses
from chainrule.activations import (
    ELU,
    GELU,
    SELU,
    ActivationFunction,
    Exp,
    Identity,
    LeakyReLU,
    ReLU,
    ScaledTanh,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from chainrule.layers import (
    PREDICTION,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Mode,
    Residual,
    Sequence,
)
from chainrule.losses import Loss, Reduction
from chainrule.objective import Objective

STEP = 5e-4
_NOISE = 8 * np.finfo(np.float64).eps / STEP  # times max(1, |L|): the rounding error of the oracle
TOLERANCE = 1e-6
I = 3  # inputs of every network here

# ---- activations ----------------------------------------------------------------------------------------------------


class ActivationCase(NamedTuple):
    """Instances to take turns, and a z around which f(z) lies well inside (0, 1)."""

    instances: tuple[ActivationFunction, ...]
    centre: float


ACTIVATIONS: dict[type[ActivationFunction], ActivationCase] = {
    Identity: ActivationCase((Identity(),), 0.5),
    Sigmoid: ActivationCase((Sigmoid(),), 0.3),
    Tanh: ActivationCase((Tanh(),), 0.5),
    ScaledTanh: ActivationCase((ScaledTanh(),), 0.4),
    ReLU: ActivationCase((ReLU(),), 0.5),
    LeakyReLU: ActivationCase((LeakyReLU(), LeakyReLU(0.3)), 0.5),
    ELU: ActivationCase((ELU(), ELU(0.4)), 0.5),
    SELU: ActivationCase((SELU(),), 0.45),
    GELU: ActivationCase((GELU(),), 0.6),
    SiLU: ActivationCase((SiLU(),), 0.7),
    Softplus: ActivationCase((Softplus(),), -0.5),
    Exp: ActivationCase((Exp(),), -0.7),
    Softmax: ActivationCase((Softmax(),), 0.3),
}

# ---- losses ---------------------------------------------------------------------------------------------------------

Domain = Literal["any", "positive", "unit"]


def _values(rng: np.random.Generator, B: int, O: int) -> np.ndarray:
    return rng.uniform(-2, 2, (B, O))


def _counts(rng: np.random.Generator, B: int, O: int) -> np.ndarray:
    return rng.poisson(1.5, (B, O)).astype(float)


def _classes(rng: np.random.Generator, B: int, O: int) -> np.ndarray:
    """One-hot rows, or rows of any shares that sum to 1."""
    if rng.random() < 0.5:
        return np.eye(O)[rng.integers(O, size=B)]
    shares = rng.uniform(0.1, 1, (B, O))
    return shares / shares.sum(axis=1, keepdims=True)


def _labels(rng: np.random.Generator, B: int, O: int) -> np.ndarray:
    """0 and 1, or anything between."""
    return rng.integers(2, size=(B, O)).astype(float) if rng.random() < 0.5 else rng.random((B, O))


class LossCase(NamedTuple):
    """Instances by reduction, targets, the outputs it allows, the usual activation before it, distance from a kink."""

    make: tuple[Callable[[Reduction], Loss], ...]
    targets: Callable[[np.random.Generator, int, int], np.ndarray]
    domain: Domain = "any"
    head: str = "identity"
    kink: Callable[[Loss, np.ndarray], np.ndarray] | None = None  # of y - t


LOSSES: dict[type[Loss], LossCase] = {
    losses.HalfSquaredError: LossCase((losses.HalfSquaredError,), _values),
    losses.MeanSquaredError: LossCase((losses.MeanSquaredError,), _values),
    losses.MeanAbsoluteError: LossCase((losses.MeanAbsoluteError,), _values, kink=lambda _, D: np.abs(D)),
    losses.Huber: LossCase(
        (losses.Huber, lambda reduction: losses.Huber(reduction, 0.4)),
        _values,
        kink=lambda loss, D: np.abs(np.abs(D) - loss.delta),
    ),
    losses.Quantile: LossCase(
        (losses.Quantile, lambda reduction: losses.Quantile(reduction, 0.9)), _values, kink=lambda _, D: np.abs(D)
    ),
    losses.Poisson: LossCase((losses.Poisson,), _counts, "positive", "softplus"),
    losses.CrossEntropy: LossCase((losses.CrossEntropy,), _classes, "unit", "softmax"),
    losses.BinaryCrossEntropy: LossCase((losses.BinaryCrossEntropy,), _labels, "unit", "sigmoid"),
}

# ---- layers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerCase:
    """A network around a layer.

    Attributes:
        inside: the layers before the output layer, for the activation under test.
        output: the last layers, for the activation under test and the number of outputs; None for the loss's usual one.
        training: the mode.
        flat: parameters whose gradient is 0 by mathematics and 1e-17 by rounding, for some activations at least: the
            mean that batch norm takes away includes the bias before it.
    """

    inside: Callable[[ActivationFunction], tuple[Layer, ...]]
    output: Callable[[ActivationFunction, int], tuple[Layer, ...]] | None = None
    training: bool = False
    flat: frozenset[str] = frozenset()


def _before_output(_: ActivationFunction) -> tuple[Layer, ...]:
    return (Dense(3, "sigmoid"),)


LAYERS: dict[str, LayerCase] = {
    "dense": LayerCase(lambda f: (Dense(3, f),)),
    "dense, no bias": LayerCase(lambda f: (Dense(3, f, bias=False),)),
    "dense, W frozen": LayerCase(lambda f: (Dense(3, f, frozen=("W",)),)),
    "dense, b frozen": LayerCase(lambda f: (Dense(3, f, frozen=("b",)),)),
    "dense, all frozen, after dense": LayerCase(lambda f: (Dense(2, f), Dense(3, f, frozen=("W", "b")))),
    "three dense": LayerCase(lambda f: (Dense(2, f), Dense(3, f), Dense(2, f))),
    "activation": LayerCase(lambda f: (Dense(3, bias=False), Activation(f))),
    "activation first": LayerCase(lambda f: (Activation(f),)),
    "dropout": LayerCase(lambda f: (Dense(4, f), Dropout(0.4)), training=True),
    "dropout in prediction": LayerCase(lambda f: (Dense(3, f), Dropout(0.4))),
    "dropout first and later": LayerCase(lambda f: (Dropout(0.3), Dense(3, f), Dropout(0.3)), training=True),
    "batch norm": LayerCase(
        lambda f: (Dense(3), BatchNorm(), Activation(f)), training=True, flat=frozenset({"dense_1.b"})
    ),
    "batch norm, epsilon 0.1": LayerCase(
        lambda f: (Dense(3, bias=False), BatchNorm(0.1), Activation(f)), training=True
    ),
    "batch norm first": LayerCase(lambda f: (BatchNorm(), Dense(3, f)), training=True),
    "batch norm after": LayerCase(lambda f: (Dense(3, f), BatchNorm()), training=True, flat=frozenset({"dense_1.b"})),
    "batch norm, gamma frozen": LayerCase(
        lambda f: (Dense(3, bias=False), BatchNorm(frozen=("gamma",)), Dense(2, f)), training=True
    ),
    "batch norm, beta frozen": LayerCase(
        lambda f: (Dense(3, bias=False), BatchNorm(frozen=("beta",)), Dense(2, f)), training=True
    ),
    "batch norm in prediction": LayerCase(lambda f: (Dense(3), BatchNorm(), Activation(f))),
    "layer norm": LayerCase(lambda f: (Dense(4), LayerNorm(), Activation(f))),
    "layer norm, epsilon 0.1": LayerCase(lambda f: (LayerNorm(0.1), Dense(3, f))),
    "layer norm after, in training": LayerCase(lambda f: (Dense(4, f), LayerNorm()), training=True),
    "layer norm, all frozen": LayerCase(lambda f: (Dense(4), LayerNorm(frozen=("gamma", "beta")), Activation(f))),
    "residual": LayerCase(lambda f: (Residual((Dense(2, f), Dense(I))),)),
    "residual in residual": LayerCase(
        lambda f: (Residual((Dense(I, f), Dropout(0.2), Residual((Dense(I, f),)))), Dense(2, f)), training=True
    ),
    "residual around norms": LayerCase(
        lambda f: (Residual((BatchNorm(), Dense(I, f), LayerNorm())), Activation(f)), training=True
    ),
    "output": LayerCase(_before_output, lambda f, O: (Dense(O, f),)),
    "output, no bias": LayerCase(_before_output, lambda f, O: (Dense(O, f, bias=False),)),
    "output, no hidden layer": LayerCase(lambda _: (), lambda f, O: (Dense(O, f),)),
    "output, activation apart": LayerCase(_before_output, lambda f, O: (Dense(O), Activation(f))),
    "output, not fused": LayerCase(_before_output, lambda f, O: (Dense(O, f), Dropout(0.0)), training=True),
}


def layer_classes(layers: tuple[Layer, ...]) -> set[type[Layer]]:
    """The classes of all layers, those inside others too."""
    return {type(layer) for layer in layers} | {
        inner for layer in layers if isinstance(layer, Residual) for inner in layer_classes(layer.layers)
    }


# ---- combinations ---------------------------------------------------------------------------------------------------

PENALTIES = ((0.0, 0.0), (0.01, 0.0), (0.0, 0.3), (0.02, 0.2))
REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)


class Case(NamedTuple):
    """One combination; the names are those of the registry."""

    layers: str
    activation: type[ActivationFunction]
    loss: type[Loss]
    reduction: Reduction = "mean"
    B: int = 4
    O: int = 2
    weighted: bool = False
    penalties: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        names = f"{self.layers} / {self.activation.__name__} / {self.loss.__name__} / {self.reduction}"
        return f"{names}, B={self.B}, O={self.O}, weighted={self.weighted}, l1 and l2 {self.penalties}"

    @property
    def seed(self) -> int:
        return zlib.crc32(str(self).encode())


def every_pair(layers: str) -> Iterator[Case]:
    """Every activation with every loss; the other settings take turns, by strides that share no factor."""
    for n, (f, loss) in enumerate(itertools.product(ACTIVATIONS, LOSSES)):
        turn = n + n // len(LOSSES) + zlib.crc32(layers.encode())
        yield Case(
            layers,
            f,
            loss,
            REDUCTIONS[turn % 2],
            B=(1, 3, 3)[turn // 2 % 3],
            O=(2, 1, 3, 2, 3)[turn % 5],
            weighted=turn // 3 % 2 == 1,
            penalties=PENALTIES[turn // 5 % 4],
        )


def quick(layers: str) -> Iterator[Case]:
    """Half of the pairs, like a chessboard of squares two activations high; the next network has the other half."""
    for n, case in enumerate(every_pair(layers)):
        row, column = n // len(LOSSES) // 2, n % len(LOSSES)
        if (row + column + list(LAYERS).index(layers)) % 2 == 0:
            yield case


def full(layers: str) -> Iterator[Case]:
    """Every activation and loss, both reductions, B of 1 and 4, weighted or not; O and penalties in turns."""
    product = itertools.product(ACTIVATIONS, LOSSES, REDUCTIONS, (1, 4), (False, True))
    for n, (f, loss, reduction, B, weighted) in enumerate(product):
        turn = n + n // 12  # the last settings change with every combination, O and penalties against them
        yield Case(layers, f, loss, reduction, B, (1, 2, 3)[turn % 3], weighted, PENALTIES[turn % 4])


def of_the_objective() -> Iterator[Case]:
    """The whole product of what concerns loss and penalties, for networks that have each kind of last layer."""
    for layers in ("output", "batch norm, epsilon 0.1"):
        product = itertools.product((Sigmoid, Softmax), LOSSES, REDUCTIONS, (1, 2), (1, 2, 3), (False, True), PENALTIES)
        for rest in product:
            yield Case(layers, *rest)


# ---- a point --------------------------------------------------------------------------------------------------------


@dataclass
class Point:
    """An objective, and numbers at which to differentiate it."""

    objective: Objective
    theta: np.ndarray
    X: np.ndarray
    T: np.ndarray
    weights: np.ndarray | None
    mode: Mode
    draws: int = 1


_MARGIN = 0.02  # from a kink: a difference moves a number by 2 h times the slopes on its way
_EDGE = 0.1  # from the ends of a loss's domain
_STEEPEST = 8.0  # 1/std in a norm
_HIGHEST = 2.0  # the exponent of exp: exp of exp of a large number is no point to differentiate at


def objective_of(case: Case) -> Objective:
    """The layers, loss and penalties of a combination."""
    layer_case, loss_case = LAYERS[case.layers], LOSSES[case.loss]
    instances, makers = ACTIVATIONS[case.activation].instances, loss_case.make
    f, make = instances[case.seed % len(instances)], makers[case.seed % len(makers)]
    head = (Dense(case.O, loss_case.head),) if layer_case.output is None else layer_case.output(f, case.O)
    l1, l2 = case.penalties
    return Objective(Sequence((*layer_case.inside(f), *head)), make(case.reduction), (I,), l1, l2)


def draw(case: Case) -> Point:
    """A point of general position: see the head of this file."""
    objective, loss_case = objective_of(case), LOSSES[case.loss]
    rng = np.random.default_rng(case.seed)
    for draws in range(1, 500):
        theta = np.concatenate([_numbers(rng, p).reshape(-1) for p in objective.layout.parameters])
        if LAYERS[case.layers].output is not None and loss_case.domain != "any":
            _into_domain(rng, objective, theta, ACTIVATIONS[case.activation].centre)
        X = rng.uniform(-1.5, 1.5, (case.B, I))
        T = loss_case.targets(rng, case.B, case.O)
        weights = rng.uniform(0.2, 2, case.B) if case.weighted else None
        mode = Mode(True, draws, case.seed % 1000) if LAYERS[case.layers].training else PREDICTION
        point = Point(objective, theta, X, T, weights, mode, draws)
        if _is_general(point, loss_case, case):
            return point
    raise AssertionError(f"no point away from the kinks: {case}")


def _numbers(rng: np.random.Generator, parameter: Any) -> np.ndarray:
    """Away from 0, where l1 has its kink."""
    if parameter.kind == "scale" or parameter.name.endswith("variance"):
        return rng.uniform(0.5, 1.5, parameter.shape)
    size = (
        rng.uniform(0.3, 1.3, parameter.shape) if parameter.kind == "weight" else rng.uniform(0.1, 0.6, parameter.shape)
    )
    return size * rng.choice((-1, 1), parameter.shape)


def _into_domain(rng: np.random.Generator, objective: Objective, theta: np.ndarray, centre: float) -> None:
    """Set the last dense layer so that f(z) lies in (0, 1) for any f: z near its `centre`."""
    W = [p for p in objective.layout.parameters if p.kind == "weight"][-1]
    has_bias = W.name[:-1] + "b" in {p.name for p in objective.layout.parameters}
    if has_bias:
        theta[objective.layout.place(W.name[:-1] + "b")] = centre
        theta[objective.layout.place(W.name)] *= 0.15
    else:  # the sigmoid units before it are about 1/2 each
        share = 2 * centre / W.shape[0]
        theta[objective.layout.place(W.name)] = share * rng.uniform(0.7, 1.3, W.shape[0] * W.shape[1])


def _is_general(point: Point, loss_case: LossCase, case: Case) -> bool:
    params = point.objective.layout.split(point.theta)
    with np.errstate(over="ignore", invalid="ignore"):  # such a point is drawn again
        Y, saved = point.objective.network.forward(params, point.X, point.mode)
    if not np.isfinite(Y).all():
        return False
    if min(_distances(point.objective.network.layers, saved), default=1.0) < _MARGIN:
        return False
    if loss_case.kink is not None and loss_case.kink(point.objective.loss, Y - point.T).min() < _MARGIN:
        return False
    if case.activation is Softmax and case.O == 1:
        return True  # its output is 1, whatever comes: at the end of the domain, but it never moves
    within_unit = loss_case.domain != "unit" or Y.max() < 1 - _EDGE or point.objective.fused
    return within_unit and (loss_case.domain == "any" or Y.min() > _EDGE or point.objective.fused)


def _distances(layers: tuple[Layer, ...], saved: tuple[Any, ...]) -> Iterator[float]:
    """How far each layer is from its kinks; 0 for a norm that divides by nearly nothing."""
    for layer, record in zip(layers, saved, strict=True):
        if isinstance(layer, Residual):
            yield from _distances(layer.layers, record)
        elif isinstance(layer, Dense | Activation):
            yield from (float(np.abs(record.Z - kink).min()) for kink in layer.f.kinks)
            if isinstance(layer.f, Exp) and record.Z.max() > _HIGHEST:
                yield 0.0
        elif isinstance(layer, BatchNorm | LayerNorm) and np.any(record.H) and record.inverse_std.max() > _STEEPEST:
            yield 0.0


# ---- the check ------------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a check found.

    Attributes:
        worst: the largest relative error |a - n| / max(|a|, |n|).
        where: the entry that has it.
        compared: entries with a relative error.
        zeros: entries that are exactly 0 in both.
        unresolved: entries that differ by less than the oracle's rounding error, but more than the tolerance.
        seen: the arrays in which some entry was compared.
    """

    worst: float = 0.0
    where: str = ""
    compared: int = 0
    zeros: int = 0
    unresolved: int = 0
    seen: set[str] = field(default_factory=set)

    def add(self, other: Outcome) -> None:
        """Sum up."""
        if not other.worst <= self.worst:  # a NaN counts as worst
            self.worst, self.where = other.worst, other.where
        self.compared += other.compared
        self.zeros += other.zeros
        self.unresolved += other.unresolved
        self.seen |= other.seen

    def compare(self, name: str, analytic: np.ndarray, numeric: np.ndarray, noise: float, case: Case) -> None:
        """Take in the gradient of one array."""
        difference, size = np.abs(analytic - numeric), np.maximum(np.abs(analytic), np.abs(numeric))
        relative = difference / np.where(size > 0, size, 1)
        unresolved = (difference <= noise) & (relative > TOLERANCE)
        self.zeros += int(np.sum(size == 0))
        self.unresolved += 0 if name in LAYERS[case.layers].flat else int(np.sum(unresolved))
        judged = ~unresolved & (size != 0)
        if not judged.any():
            return
        self.compared += int(np.sum(judged))
        self.seen.add(name)
        worst = float(relative[judged].max())
        if not worst <= self.worst:
            place = int(np.argmax(np.where(judged, relative, -1)))
            self.worst = worst
            self.where = f"{name}[{place}]: {analytic[place]:.6g}, difference quotient {numeric[place]:.6g}; {case}"


def difference_quotients(value: Callable[[], float], numbers: np.ndarray, entries: Iterable[int]) -> np.ndarray:
    """The derivative of `value` with respect to these of the `numbers (n,)` it reads; they come back unchanged."""
    slopes = []
    for i in entries:
        kept = numbers[i]
        L = []
        for k in (1, -1, 2, -2):
            numbers[i] = kept + k * STEP
            L.append(value())
        numbers[i] = kept
        slopes.append((8 * (L[0] - L[1]) - (L[2] - L[3])) / (12 * STEP))
    return np.array(slopes)


def value_of(point: Point) -> Callable[[], float]:
    """L as a function of the numbers that stand in the point now: forward only, half the price of the gradient."""
    objective = point.objective
    layers, loss = objective.trained
    params = objective.layout.split(point.theta)  # views

    def value() -> float:
        Y, _ = layers.forward(params, point.X, point.mode)
        L, _ = loss.value_and_gradient(Y, point.T, point.weights)
        return float(L + objective.penalty(point.theta)[0] if objective.penalised else L)

    return value


def gradient_of_inputs(point: Point) -> np.ndarray:
    """dL/dX, by the hand-written backward pass."""
    layers, loss = point.objective.trained
    params = point.objective.layout.split(point.theta)
    Y, saved = layers.forward(params, point.X, point.mode)
    _, dY = loss.value_and_gradient(Y, point.T, point.weights)
    dX, _ = layers.backward(params, saved, dY, want_dX=True)
    return dX


def check(case: Case, most: int | None = None, enough: float = np.inf) -> Outcome:
    """Compare the gradient of one combination, of theta and of the inputs, with difference quotients.

    All entries of each array, or so many of them at `most`, which ones by chance; until an error is `enough`.
    """
    point, rng = draw(case), np.random.default_rng(case.seed)
    objective, theta, X = point.objective, point.theta, point.X

    value = value_of(point)
    noise = _NOISE * max(1.0, abs(value()))
    objective.value_and_gradient(theta, X, point.T, point.weights, point.mode)  # the second call must not add to it
    L, gradient = objective.value_and_gradient(theta, X, point.T, point.weights, point.mode)
    assert value() == float(L), f"the value is not that of the parts: {case}"
    outcome = Outcome()

    def compare(name: str, analytic: np.ndarray, numbers: np.ndarray) -> None:
        if outcome.worst >= enough:
            return
        some = most is not None and most < numbers.size
        entries = rng.choice(numbers.size, most, replace=False) if some else np.arange(numbers.size)
        outcome.compare(name, analytic[entries], difference_quotients(value, numbers, entries), noise, case)

    for parameter in objective.layout.parameters:
        place = objective.layout.place(parameter.name)
        if parameter.trainable:
            compare(parameter.name, gradient[place], theta[place])
        elif np.any(gradient[place]):  # what is not trained has the gradient 0
            outcome.worst, outcome.where = 1.0, f"{parameter.name} is not trained; {case}"
    compare("X", gradient_of_inputs(point).reshape(-1), X.reshape(-1))
    return outcome
