"""L-BFGS: SciPy's minimiser as a run like any other, one iteration for each step of the training loop.

SciPy calls back from within its own loop, the training loop is a generator: so SciPy works in a thread of its own, and
the two take turns. Never do both work at once.
"""

from __future__ import annotations

import weakref
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, MissingExtraError
from chainrule.layers import Dropout, Layer, Mode
from chainrule.layers.composite import Composite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from queue import SimpleQueue

    from chainrule.arrays import Floats, Ints
    from chainrule.engines.interface import Data
    from chainrule.objective import Objective
    from chainrule.optimizers import LBFGS


class _Iteration(NamedTuple):
    """What an iteration came to: the objective before and after it, the trained parameters, and why it was the last."""

    before: float
    after: float
    trained: Floats
    finished: str


class LBFGSRun:
    """See `chainrule.engines.interface.Run`; a step is an iteration over all rows, line search included.

    Raises:
        MissingExtraError: when SciPy is not installed.
        ArgumentError: when the objective has dropout or batch norm: the line search needs one function of theta.
    """

    def __init__(self, objective: Objective, theta: Floats, data: Data, optimizer: LBFGS, epochs: int) -> None:
        _check_plain(objective)
        self.theta, self.finished = theta, ""
        self.slots: dict[str, Floats] = {}
        self._trained = np.flatnonzero(objective.layout.trainable("float64"))
        self._objective, self._end = objective, (nan, nan)
        self._solver = _Solver(_function(objective, theta, self._trained, data), theta[self._trained])
        self._solver.start(_minimizer(), optimizer.options(epochs))
        weakref.finalize(self, self._solver.turns.put, False)

    def advance(self, order: Ints | None, first: int, rates: Floats, taken: int) -> Floats:  # noqa: ARG002 -- all rows
        """One iteration for each rate; loss and penalty are those of before the iteration, as everywhere."""
        values: list[tuple[float, float]] = []
        for _ in rates:
            values.append(self._end if self.finished else self._iterate())
            if not np.isfinite(values[-1]).all():
                break
        return np.array(values)

    def _iterate(self) -> tuple[float, float]:
        penalty, iteration = self._penalty(), self._solver.next()
        with np.errstate(over="ignore"):
            trained = iteration.trained.astype(self.theta.dtype)
        if not (isfinite(iteration.before) and np.isfinite(trained).all()):
            return nan, penalty
        self.theta[self._trained] = trained
        self.finished = iteration.finished
        if self.finished:
            self._end = iteration.after - self._penalty(), self._penalty()
        return iteration.before - penalty, penalty

    def _penalty(self) -> float:
        """SciPy knows the objective alone: its penalty is taken off again, for the loss."""
        return float(self._objective.penalty(self.theta)[0]) if self._objective.penalised else 0.0

    def restore(self, theta: Floats, slots: Mapping[str, Floats]) -> None:  # noqa: ARG002 -- refused
        """Not possible: SciPy does not hand out what it remembers of the curvature.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError("an L-BFGS run cannot go on from a checkpoint", where="resume", mend="Use adam or sgd.")


class _Solver:
    """SciPy in its thread, which works only when it is its turn."""

    def __init__(self, function: Callable[[Floats], tuple[float, Floats]], start: Floats) -> None:
        from queue import SimpleQueue  # threads only where SciPy is asked for, not at each import of this library

        self.turns: SimpleQueue[bool] = SimpleQueue()
        self._results: SimpleQueue[_Iteration | Exception] = SimpleQueue()
        self._function, self._point = function, start.astype(np.float64)
        self._before = float("nan")

    def start(self, minimize: Any, options: dict[str, Any]) -> None:
        """Begin; the thread waits for its first turn."""
        from threading import Thread

        Thread(target=self._work, args=(minimize, options), daemon=True, name="L-BFGS").start()

    def next(self) -> _Iteration:
        """Let it take one iteration."""
        self.turns.put(True)
        result = self._results.get()
        if isinstance(result, Exception):
            raise result
        return result

    def _work(self, minimize: Any, options: dict[str, Any]) -> None:
        if not self.turns.get():
            return
        try:
            self._before, _ = self._function(self._point)
            end = minimize(
                self._function, self._point, jac=True, method="L-BFGS-B", callback=self._hand_over, options=options
            )
            self._results.put(_Iteration(self._before, float(end.fun), end.x, f"L-BFGS: {end.message}"))
        except Exception as fault:  # noqa: BLE001 -- raised again where the training waits
            self._results.put(fault)

    def _hand_over(self, intermediate_result: Any) -> None:
        """SciPy calls this after each iteration, by the name of the argument."""
        after = float(intermediate_result.fun)
        self._results.put(_Iteration(self._before, after, intermediate_result.x.copy(), ""))
        self._before = after
        if not self.turns.get():
            raise StopIteration


def _minimizer() -> Any:
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise MissingExtraError("L-BFGS", library="scipy", extra="lbfgs") from None
    return minimize


def _function(
    objective: Objective, theta: Floats, trained: Ints, data: Data
) -> Callable[[Floats], tuple[float, Floats]]:
    """Value and gradient as a function of the trained parameters in float64; the network keeps its own number type."""
    whole, mode = theta.copy(), Mode(training=True)

    def value_and_gradient(point: Floats) -> tuple[float, Floats]:
        whole[trained] = point
        with np.errstate(all="ignore"):
            value, gradient = objective.value_and_gradient(whole, *data, mode)
        return float(value), gradient[trained].astype(np.float64)

    return value_and_gradient


def _check_plain(objective: Objective) -> None:
    if objective.layout.has_state or any(isinstance(layer, Dropout) for layer in _inside(objective.network)):
        raise ArgumentError(
            "lbfgs needs one and the same loss at every call of its line search",
            where="fit",
            expected="no dropout and no batch norm",
            mend="Take adam, or LayerNorm and l2 in their place.",
        )


def _inside(layer: Layer) -> Iterator[Layer]:
    yield layer
    if isinstance(layer, Composite):
        for inner in layer.layers:
            yield from _inside(inner)
