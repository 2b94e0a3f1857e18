"""The problems that every peer solves: the same network, rows, order and initial weights, made from one seed.

Workers run in Pythons that may have a peer's library and not this one's: this file needs NumPy alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]

RATES = {"sgd": 0.01, "momentum": 2e-3, "adam": 1e-4}
"""The optimisers and their learning rates; momentum is 0.9, Adam's numbers are its authors'."""


@dataclass(frozen=True)
class Problem:
    """A network to train.

    Attributes:
        sizes: units of each layer, inputs first.
        batch: rows in a batch, B.
        steps: in a round.
        activation: of the hidden layers, sigmoid or relu; the outputs have what suits the loss.
        loss: cross_entropy (softmax outputs), binary_cross_entropy or half_squared_error (sigmoid outputs).
        optimizer: a name of `RATES`.
    """

    sizes: tuple[int, ...]
    batch: int
    steps: int
    activation: str = "sigmoid"
    loss: str = "cross_entropy"
    optimizer: str = "sgd"

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Problem:
        """The problem that `dataclasses.asdict` took apart."""
        return cls(**{**values, "sizes": tuple(values["sizes"])})

    def with_steps(self, steps: int) -> Problem:
        """The same with another number of steps."""
        return dataclasses.replace(self, steps=steps)

    @property
    def rate(self) -> float:
        """The learning rate."""
        return RATES[self.optimizer]

    @property
    def title(self) -> str:
        """As a table names it."""
        network = "-".join(map(str, self.sizes))
        loss = {"cross_entropy": "softmax", "binary_cross_entropy": "logistic"}.get(self.loss, "squared")
        return f"{network} {self.activation}, {loss}, {self.optimizer}, batch {self.batch}"


@dataclass(frozen=True)
class Numbers:
    """Inputs ``X (N, I)``, labels ``y (N,)``, targets ``T (N, O)``, the rows in order, initial weights and biases."""

    X: Floats
    y: npt.NDArray[np.int64]
    T: Floats
    order: npt.NDArray[np.int64]
    weights: list[Floats]
    biases: list[Floats]


def numbers(problem: Problem, seed: int = 0) -> Numbers:
    """Everything random about a problem: N = batch * steps rows."""
    rng = np.random.default_rng(seed)
    rows, outputs = problem.batch * problem.steps, problem.sizes[-1]
    X = rng.random((rows, problem.sizes[0]), dtype=np.float32)
    y = rng.integers(0, max(outputs, 2), rows)
    T = np.eye(outputs, dtype=np.float32)[y] if outputs > 1 else y[:, None].astype(np.float32)
    pairs = list(zip(problem.sizes, problem.sizes[1:], strict=False))
    weights = [(rng.standard_normal(pair) / np.sqrt(pair[0])).astype(np.float32) for pair in pairs]
    biases = [np.zeros(units, dtype=np.float32) for units in problem.sizes[1:]]
    return Numbers(X, y, T, rng.permutation(rows), weights, biases)


def flat(weights: list[Any], biases: list[Any]) -> Floats:
    """All parameters in the order W, b, W, b, ..., ``(P,)``."""
    return np.concatenate([np.asarray(part).ravel() for pair in zip(weights, biases, strict=True) for part in pair])
