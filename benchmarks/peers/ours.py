"""This library: an engine alone, or a whole `Network.fit` around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import chainrule as cr
from benchmarks.peers import Race, Unable
from benchmarks.problems import flat, numbers
from chainrule.engines.choose import ENGINES, choose
from chainrule.engines.interface import Data
from chainrule.engines.native import NativeEngine

if TYPE_CHECKING:
    from benchmarks.problems import Numbers, Problem


def steps(problem: Problem, *, engine: str = "auto", threads: int = 0) -> Race:
    """The engine's own loop: what a step costs; with `threads` the native engine with so many."""
    given = numbers(problem)
    network, optimizer = _network(problem, given), _optimizer(problem)
    chosen = choose(NativeEngine(threads) if threads else engine, network.objective, optimizer).engine
    if reason := chosen.refuses(network.objective, optimizer):
        raise Unable(reason)
    data = Data(given.X, given.T)
    run = chosen.start(
        network.objective, network.theta, data, optimizer=optimizer, batch_size=problem.batch, seed=0
    )  # fmt: skip
    order = None if problem.full else given.order
    epochs, rates = (
        (problem.steps, np.full(1, problem.rate)) if problem.full else (1, np.full(problem.steps, problem.rate))
    )
    taken = 0

    def epoch() -> None:
        nonlocal taken
        for _ in range(epochs):
            run.advance(order, 0, rates, taken)
            taken += len(rates)

    return Race(epoch, lambda: run.theta, cr.__version__)


def fit(problem: Problem, *, engine: str) -> Race:
    """`Network.fit` for an epoch: what a person waits for; with plain SGD, which has nothing to remember."""
    if problem.optimizer != "sgd":
        raise Unable("begins its optimizer anew at each call")
    given = numbers(problem)
    network, optimizer = _network(problem, given), _optimizer(problem)
    X, T = given.X[given.order], given.T[given.order]

    def epoch() -> None:
        network.fit(X, T, epochs=1, batch_size=problem.batch, optimizer=optimizer, shuffle=False, engine=engine)

    return Race(epoch, lambda: network.theta, cr.__version__)


def predict(problem: Problem, *, engine: str) -> Race:
    """The outputs for all rows."""
    given = numbers(problem)
    network, chosen = _network(problem, given), ENGINES[engine]

    def outputs() -> Any:
        return chosen.predict(network.objective, network.theta, given.X)

    return Race(outputs, outputs, cr.__version__)


def _network(problem: Problem, given: Numbers) -> cr.Network:
    last = {"cross_entropy": "softmax", "least_squares": "identity"}.get(problem.loss, "sigmoid")
    loss = "half_squared_error" if problem.loss == "least_squares" else problem.loss
    layers = [cr.Dense(units, problem.activation) for units in problem.sizes[1:-1]]
    network = cr.Network([*layers, cr.Dense(problem.sizes[-1], last)], loss, n_inputs=problem.sizes[0])
    network.theta = flat(given.weights, given.biases)
    return network


def _optimizer(problem: Problem) -> Any:
    if problem.optimizer == "adam":
        return cr.Adam(problem.rate)
    return cr.SGD(problem.rate, momentum=0.9 if problem.optimizer == "momentum" else 0.0)
