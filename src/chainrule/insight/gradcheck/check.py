"""`check_gradients`: whether a gradient is the derivative of its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import checks
from chainrule.errors import ArgumentError
from chainrule.insight.gradcheck.findings import GradientCheck, summary, worst_of
from chainrule.insight.gradcheck.foreign import foreign_function, gradient_arrays
from chainrule.insight.gradcheck.objectives import PENALTY, Point, loss_function, penalty_function, whole_function
from chainrule.insight.gradcheck.probing import WHERE, Function, Part, Prober
from chainrule.insight.rows import read
from chainrule.layers import BatchNorm, Dropout, Mode
from chainrule.layers.composite import Composite
from chainrule.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chainrule.insight.rows import Given
    from chainrule.layers import Layer
    from chainrule.objective import Objective

_DIRECTIONS = 5


class Extent(NamedTuple):
    """How much is looked at.

    Attributes:
        sample: entries of each array, chosen at random; None: all.
        tolerance: the relative error above which an entry differs.
        step: of the differences; None: as fits the rounding errors of the values.
        seed: of all choices.
    """

    sample: int | None = 100
    tolerance: float = 1e-6
    step: float | None = None
    seed: int = 0


def check_gradients(
    what: Any,
    X: Any,
    y: Any = None,
    *,
    gradient: Any = None,
    sample_weight: Any = None,
    rows: int | None = 10,
    sample: int | None = 100,
    training: bool = True,
    tolerance: float = 1e-6,
    step: float | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare a gradient with difference quotients, which know nothing but values; print the result.

    ``(f(t + h) - f(t - h)) / 2h`` in float64, with h about 1e-5 times the size of a number; the measure is
    ``|a - n| / max(|a|, |n|)``: at most 1e-7 is good, above 1e-2 probably wrong (CS231n, "Gradient checks").

    Of a network every array of weights is checked, the inputs, the penalties apart from the loss, and the whole vector
    along random directions. Dropout keeps one mask. An entry with a kink within its step (a ReLU that switches) is
    tried with smaller steps, and set apart if the kink is still there.

    Args:
        what: a `Network`; a `Model`; or a function ``theta -> (value, gradient)`` of your own, of torch, of JAX.
        X: inputs ``(N, I)``; for a model a table with its target; for a function theta, an array or a mapping of
            arrays, which it gets as float64 and whose form its gradient has.
        y: targets, for a network.
        gradient: numbers from elsewhere to be checked in place of the network's or function's own: a vector like theta,
            or a mapping of some of the arrays. For a network: of its whole objective over all rows given.
        sample_weight: a weight for each row.
        rows: so many rows are enough, chosen at random; None: all.
        sample: so many entries of each array, chosen at random; None: all.
        training: whether batch norm and dropout work as in training.
        tolerance: the relative error above which an entry differs.
        step: h; None: 1e-5, or more where the values come in float32.
        seed: of all choices.

    Raises:
        ArgumentError, ShapeError, DataError: when something does not fit, or the function is not finite.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(4, "tanh"), cr.Dense(3, "softmax")], seed=1)
    >>> check_gradients(net, [[0.5, -1.0], [2.0, 0.3]], [0, 2]).ok
    True
    >>> found = check_gradients(lambda t: (t @ t, t), [1.0, 2.0])  # the derivative of t^2 is 2 t
    >>> found.ok, round(found.table[0].factor, 6)
    (False, 0.5)
    """
    extent = Extent(
        sample=sample if sample is None else checks.whole(sample, "sample", where=WHERE),
        tolerance=checks.positive(tolerance, "tolerance", where=WHERE),
        step=step if step is None else checks.positive(step, "step", where=WHERE),
        seed=checks.seed(seed, where=WHERE),
    )
    rows = rows if rows is None else checks.whole(rows, "rows", where=WHERE)
    training = checks.flag(training, "training", where=WHERE)
    if callable(what) and not isinstance(what, Network):
        return check_function(foreign_function(what, X, gradient), extent)
    if not isinstance(what, Network) and type(what).__name__ != "Model":
        expected = "a Network, a Model, or a function that gives (value, gradient)"
        raise ArgumentError("what to check", where=WHERE, expected=expected, got=what)
    given = read(what, X, y, rows=None, sample_weight=sample_weight, dtype="float64", where=WHERE)
    network = given.network
    point = _point(given, None if gradient is not None else rows, training=training, seed=seed)
    if gradient is None:
        return check_objective(network.objective, point, extent)
    layout = network.objective.layout
    shapes = {parameter.name: parameter.shape for parameter in layout.parameters}
    named = gradient_arrays(gradient, shapes, layout.size)
    return check_function(whole_function(network.objective, point, named), extent, rows=point.rows)


# ---- what is checked ------------------------------------------------------------------------------------------------


def check_function(function: Function, extent: Extent, *, rows: Sequence[int] | None = None) -> GradientCheck:
    """Every array of a function, and the whole vector along random directions."""
    return _found({"": function}, extent, rows=rows, notes=())


def check_objective(objective: Objective, point: Point, extent: Extent) -> GradientCheck:
    """The loss of an objective, of parameters and inputs, and then its penalties on their own."""
    functions = {"": loss_function(objective, point)}
    if objective.penalised:
        functions[PENALTY] = penalty_function(objective, point)
    return _found(functions, extent, rows=point.rows, notes=tuple(_notes(objective, point)))


def _found(
    functions: Mapping[str, Function],
    extent: Extent,
    *,
    rows: Sequence[int] | None,
    notes: tuple[str, ...],
) -> GradientCheck:
    arrays, entries, directions, probers = [], [], [], []
    for which, function in functions.items():
        prober = Prober(function, tolerance=extent.tolerance, step=extent.step, seed=extent.seed)
        probers.append(prober)
        for part in function.parts:
            found = [prober.entry(part, place) for place in _sample(part, extent)]
            arrays.append(summary(part.name, part.shape, found))
            entries += found
        directions += [prober.direction(f"{which}direction {n}") for n in range(1, _DIRECTIONS + 1)]
    return GradientCheck(
        table=tuple(arrays),
        directions=tuple(directions),
        worst=worst_of(entries),
        kinks=tuple(entry for entry in entries if entry.verdict == "kink"),
        rows=None if rows is None else tuple(rows),
        notes=notes,
        step=probers[0].step,
        noise=probers[0].noise,
        tolerance=extent.tolerance,
    )


def _sample(part: Part, extent: Extent) -> Sequence[int]:
    """The places to look at, in order: all, or some at random."""
    size = part.numbers.size
    if extent.sample is None or size <= extent.sample:
        return range(size)
    rng = np.random.default_rng([extent.seed, *part.name.encode()])
    return sorted(rng.choice(size, extent.sample, replace=False).tolist())


# ---- networks and models --------------------------------------------------------------------------------------------


def _point(given: Given, rows: int | None, *, training: bool, seed: int) -> Point:
    """Some of the rows, chosen at random, and copies of all numbers, which will be moved."""
    X, T, weights = given.batch
    chosen = np.arange(len(X))
    if rows is not None and rows < len(X):
        chosen = np.sort(np.random.default_rng(seed).choice(len(X), rows, replace=False))
    return Point(
        theta=given.network.theta.copy(),
        X=X[chosen].copy(),
        T=T[chosen].copy(),
        weights=None if weights is None else weights[chosen].copy(),
        mode=Mode(training=training, seed=given.network.seed),
        rows=[given.rows[n] for n in chosen.tolist()],
    )


def _notes(objective: Objective, point: Point) -> Iterator[str]:
    layers = list(_all_layers(objective.network))
    if any(isinstance(layer, Dropout) for layer in layers):
        yield "Dropout keeps one mask throughout." if point.mode.training else "Dropout is off."
    if any(isinstance(layer, BatchNorm) for layer in layers):
        source = "these rows" if point.mode.training else "the running averages"
        yield f"Batch norm takes mean and variance of {source}."
    if objective.penalised:
        yield "The loss is checked without its penalties, and they on their own."


def _all_layers(layers: Composite) -> Iterator[Layer]:
    for layer in layers.layers:
        yield layer
        if isinstance(layer, Composite):
            yield from _all_layers(layer)
