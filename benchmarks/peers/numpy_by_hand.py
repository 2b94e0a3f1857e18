"""A loop as a good NumPy programmer writes it for one architecture: no classes, parameters changed in place.

It is fair to the others in that it computes the loss at every step too, and takes its rows in a given order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers import Race
from benchmarks.problems import flat, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.problems import Problem


def steps(problem: Problem) -> Race:
    given = numbers(problem)
    W, b = given.weights, given.biases
    parameters = [*W, *b]
    update = _UPDATES[problem.optimizer](parameters, np.float32(problem.rate))
    layers, B = len(W), problem.batch

    def epoch() -> float:
        total = 0.0
        for first in range(0, len(given.order), B):
            rows = given.order[first : first + B]
            T = given.T[rows]
            A = _forward(problem, W, b, given.X[rows])
            total += _loss(problem, A[-1], T)
            dZ = A[-1] - T
            if problem.loss == "half_squared_error":
                dZ *= A[-1] * (1 - A[-1])
            dZ /= len(rows)
            grads: list[Any] = [None] * (2 * layers)
            for i in reversed(range(layers)):
                grads[i], grads[layers + i] = A[i].T @ dZ, dZ.sum(axis=0)
                if i:
                    dZ = dZ @ W[i].T
                    dZ *= A[i] > 0 if problem.activation == "relu" else A[i] * (1 - A[i])
            update(grads)
        return total / problem.steps

    return Race(epoch, lambda: flat(W, b), np.__version__)


def predict(problem: Problem) -> Race:
    given = numbers(problem)

    def outputs() -> Any:
        return _forward(problem, given.weights, given.biases, given.X)[-1]

    return Race(outputs, outputs, np.__version__)


def _forward(problem: Problem, W: list[Any], b: list[Any], X: Any) -> list[Any]:
    A = [X]
    for i in range(len(W)):
        Z = A[-1] @ W[i]
        Z += b[i]
        if i == len(W) - 1 and problem.loss == "cross_entropy":
            E = np.exp(Z - Z.max(axis=1, keepdims=True))
            A.append(E / E.sum(axis=1, keepdims=True))
        elif i == len(W) - 1 or problem.activation == "sigmoid":
            A.append(1 / (1 + np.exp(-Z)))
        else:
            A.append(np.maximum(Z, 0))
    return A


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
