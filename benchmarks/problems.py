"""The problems that every peer solves: the same network, rows, order and initial weights, made from one seed.

Workers run in Pythons that may have a peer's library and not this one's: this file needs NumPy alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
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
        activation: of the hidden layers, sigmoid, tanh or relu; the outputs have what suits the loss.
        loss: cross_entropy (softmax outputs), binary_cross_entropy or half_squared_error (sigmoid outputs), or
            least_squares, half the squared error of linear outputs.
        optimizer: a name of `RATES`.
        full: whether each step takes all the rows, N = batch; else N = batch * steps.
    """

    sizes: tuple[int, ...]
    batch: int
    steps: int
    activation: str = "sigmoid"
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    full: bool = False

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
    def rows(self) -> int:
        """N."""
        return self.batch if self.full else self.batch * self.steps

    @property
    def operations(self) -> int:
        """Floating point operations of a step's matrix products: forward, dW and dX, the latter not for the inputs."""
        products = [inputs * outputs for inputs, outputs in pairwise(self.sizes)]
        return 2 * self.batch * (3 * sum(products) - products[0])

    @property
    def name(self) -> str:
        """Network, batch and optimiser in as few letters as a column has."""
        return f"{'-'.join(map(str, self.sizes))} {self.activation} {self.batch:,} {self.optimizer}"

    @property
    def title(self) -> str:
        """As a table names it."""
        outputs = {"cross_entropy": ", softmax", "binary_cross_entropy": ", logistic", "least_squares": ", squared"}
        batch = f"full batch {self.batch:,}" if self.full else f"batch {self.batch}"
        network = "-".join(map(str, self.sizes))
        return f"{network} {self.activation}{outputs.get(self.loss, '')}, {batch}, {self.optimizer}"


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
    """Everything random about a problem."""
    rng = np.random.default_rng(seed)
    rows, outputs = problem.rows, problem.sizes[-1]
    X = rng.random((rows, problem.sizes[0]), dtype=np.float32)
    y = rng.integers(0, max(outputs, 2), rows)
    T = np.eye(outputs, dtype=np.float32)[y] if outputs > 1 else y[:, None].astype(np.float32)
    pairs = list(pairwise(problem.sizes))
    weights = [(rng.standard_normal(pair) / np.sqrt(pair[0])).astype(np.float32) for pair in pairs]
    biases = [np.zeros(units, dtype=np.float32) for units in problem.sizes[1:]]
    return Numbers(X, y, T, rng.permutation(rows), weights, biases)


def flat(weights: list[Any], biases: list[Any]) -> Floats:
    """All parameters in the order W, b, W, b, ..., ``(P,)``."""
    return np.concatenate([np.asarray(part).ravel() for pair in zip(weights, biases, strict=True) for part in pair])
