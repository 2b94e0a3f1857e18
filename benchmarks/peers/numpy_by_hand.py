"""A loop as a good NumPy programmer writes it for one architecture: no classes, parameters changed in place.

It is fair to the others in that it computes the loss at every step too, and takes its rows in a given order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers import Race
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.problems import Numbers, Problem


def steps(problem: Problem) -> Race:
    given = numbers(problem)
    W, b = given.weights, given.biases
    parameters = [*W, *b]
    update = _UPDATES[problem.optimizer](parameters, np.float32(problem.rate))
    slope, layers = _SLOPES[problem.activation], len(W)

    def epoch() -> float:
        total = 0.0
        for X, T in _batches(problem, given):
            A = _forward(problem, W, b, X)
            total += _loss(problem, A[-1], T)
            dZ = A[-1] - T
            if problem.loss == "half_squared_error":
                dZ *= A[-1] * (1 - A[-1])
            dZ /= len(X)
            grads: list[Any] = [None] * (2 * layers)
            for i in reversed(range(layers)):
                grads[i], grads[layers + i] = A[i].T @ dZ, dZ.sum(axis=0)
                if i:
                    dZ = dZ @ W[i].T
                    dZ *= slope(A[i])
            update(grads)
        return total / problem.steps

    return Race(epoch, lambda: flat(W, b), np.__version__)


def predict(problem: Problem) -> Race:
    given = numbers(problem)

    def outputs() -> Any:
        return _forward(problem, given.weights, given.biases, given.X)[-1]

    return Race(outputs, outputs, np.__version__)


def _batches(problem: Problem, given: Numbers) -> Iterator[tuple[Any, Any]]:
    """The rows of each step; those of a full batch need not be put in order."""
    if problem.full:
        yield from [(given.X, given.T)] * problem.steps
        return
    for first in range(0, len(given.order), problem.batch):
        rows = given.order[first : first + problem.batch]
        yield given.X[rows], given.T[rows]


_HIDDEN = {"sigmoid": lambda Z: 1 / (1 + np.exp(-Z)), "tanh": np.tanh, "relu": lambda Z: np.maximum(Z, 0)}
_SLOPES = {"sigmoid": lambda A: A * (1 - A), "tanh": lambda A: 1 - A * A, "relu": lambda A: A > 0}  # from the outputs


def _forward(problem: Problem, W: list[Any], b: list[Any], X: Any) -> list[Any]:
    A, hidden = [X], _HIDDEN[problem.activation]
    for i in range(len(W)):
        Z = A[-1] @ W[i]
        Z += b[i]
        A.append(hidden(Z) if i < len(W) - 1 else _outputs(problem, Z))
    return A


def _outputs(problem: Problem, Z: Any) -> Any:
    if problem.loss == "cross_entropy":
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        return E / E.sum(axis=1, keepdims=True)
    return Z if problem.loss == "least_squares" else 1 / (1 + np.exp(-Z))


def _loss(problem: Problem, Y: Any, T: Any) -> float:
    if problem.loss == "cross_entropy":
        return -float(np.sum(T * np.log(Y + 1e-12))) / len(Y)
    if problem.loss == "binary_cross_entropy":
        return -float(np.sum(T * np.log(Y + 1e-7) + (1 - T) * np.log(1 - Y + 1e-7))) / len(Y)
    return 0.5 * float(np.sum((Y - T) ** 2)) / len(Y)


def _sgd(parameters: list[Any], rate: Any) -> Callable[[list[Any]], None]:
    def update(grads: list[Any]) -> None:
        for i, g in enumerate(grads):
            parameters[i] -= rate * g

    return update


def _momentum(parameters: list[Any], rate: Any) -> Callable[[list[Any]], None]:
    velocities = [np.zeros_like(p) for p in parameters]

    def update(grads: list[Any]) -> None:
        for i, g in enumerate(grads):
            velocities[i] *= 0.9
            velocities[i] -= rate * g
            parameters[i] += velocities[i]

    return update


def _adam(parameters: list[Any], rate: Any) -> Callable[[list[Any]], None]:
    m, v = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    t = 0

    def update(grads: list[Any]) -> None:
        nonlocal t
        t += 1
        pace = float(rate) / (1 - 0.9**t)
        for i, g in enumerate(grads):
            m[i] *= 0.9
            m[i] += 0.1 * g
            v[i] *= 0.999
            v[i] += 0.001 * g * g
            parameters[i] -= pace * m[i] / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)

    return update


_UPDATES = {"sgd": _sgd, "momentum": _momentum, "adam": _adam}
