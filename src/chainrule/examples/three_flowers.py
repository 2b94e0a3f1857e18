"""One step of gradient descent on three flowers as in "Basics of Deep Learning", and when to stop.

One iris of each species, ``x (3, 4)`` in centimetres, one-hot labels ``y (3, 3)``, N = 3; sigmoid everywhere, two
random weight matrices, no biases; MSE = sum (p - y)^2 / (2 N), gradients divided by N; full batch.
"""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

import chainrule as cr
from chainrule.examples.pictures import OUT, draw, prepare
from chainrule.layers import PREDICTION
from chainrule.tables import load_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Floats

Matrix = list[list[float]]
FLOWERS = [0, 50, 100]  # the first of each species
SPECIES = ["setosa", "versicolor", "virginica"]


class ThreeFlowers(msgspec.Struct, frozen=True, kw_only=True):
    """What the document prints, and what came of training on.

    Attributes:
        before: the MSE before the step.
        after: the MSE after it.
        arrays: every array of the step, in the order in which it is computed.
        difference: the largest difference between a new weight here and in plain Python.
        stopped: why and when training on ended.
        best_epoch: where the MSE of the other flowers was lowest.
        accuracy: the share of the other flowers that are recognised with the weights of that epoch.
        pictures: the files drawn.
    """

    before: float
    after: float
    arrays: dict[str, Matrix]
    difference: float
    stopped: str
    best_epoch: int
    accuracy: float
    pictures: tuple[str, ...]

    def __str__(self) -> str:
        lines = [line for name, rows in self.arrays.items() for line in [f"{name} {np.shape(rows)}", *_rows(rows)]]
        return "\n".join(
            [
                *lines,
                f"MSE before {self.before:.9f}, after one step {self.after:.9f}",
                f"the same step in plain Python: new weights differ by at most {self.difference:.0e}",
                f"training on: {self.stopped}",
                f"best epoch {self.best_epoch}; {self.accuracy:.1%} of the other 147 flowers recognised",
                *(f"wrote {name}" for name in self.pictures),
            ]
        )


class Iris(NamedTuple):
    """The three flowers ``x (3, 4)``, ``y (3, 3)``, and the other 147."""

    x: Floats
    y: Floats
    x_other: Floats
    y_other: Floats


def flowers() -> Iris:
    """Three flowers of the built-in table, and the rest."""
    frame = load_dataset("iris")
    X, label = frame.drop("species").to_numpy(), [SPECIES.index(name) for name in frame["species"]]
    Y, other = np.eye(3)[label], np.delete(np.arange(len(X)), FLOWERS)
    return Iris(X[FLOWERS], Y[FLOWERS], X[other], Y[other])


def layers(hidden: int) -> tuple[cr.Dense, cr.Dense]:
    """A hidden layer and three outputs; weights from N(0, 1)."""
    return cr.Dense(hidden, "sigmoid", bias=False, init="normal"), cr.Dense(3, "sigmoid", bias=False, init="normal")


def network(hidden: int, *, seed: int = 0) -> cr.Network:
    """4-hidden-3."""
    return cr.Network(layers(hidden), "half_squared_error", seed=seed, dtype="float64", n_inputs=4)


def run(
    *, hidden: int = 4, rate: float = 1.0, epochs: int = 20_000, patience: int = 1000, seed: int = 0, out: Path = OUT
) -> ThreeFlowers:
    """Take one step of gradient descent on three flowers and print all of it; then train on until it is time to stop.

    Args:
        hidden: Units of the hidden layer.
        rate: The learning rate.
        epochs: Steps of training on, at most.
        patience: Stop when the MSE of the other 147 flowers has not fallen for so many epochs.
        seed: Of the random weights.
        out: The folder for the plots.
    """
    prepare(out)
    data, net = flowers(), network(hidden, seed=seed)
    arrays, before = one_pass(net, data.x, data.y), net.evaluate_loss(data.x, data.y)
    W1, W2 = net.parameters["dense_1.W"].tolist(), net.parameters["dense_2.W"].tolist()
    net.fit(data.x, data.y, epochs=1, batch_size=None, optimizer=cr.SGD(rate))
    after = net.evaluate_loss(data.x, data.y)
    new = {"new W1": net.parameters["dense_1.W"].copy(), "new W2": net.parameters["dense_2.W"].copy()}
    plain = plain_python_step(data.x.tolist(), data.y.tolist(), W1, W2, rate)
    history = net.fit(
        data.x,
        data.y,
        epochs=epochs,
        batch_size=None,
        optimizer=cr.SGD(rate),
        validation=(data.x_other, data.y_other),
        early_stopping=cr.EarlyStopping(patience),
    )
    right = net.predict(data.x_other).argmax(axis=1) == data.y_other.argmax(axis=1)
    curves = {"three flowers": history["loss"], "the other 147": history["validation_loss"]}
    result = ThreeFlowers(
        before=before,
        after=after,
        arrays={name: array.tolist() for name, array in (arrays | new).items()},
        difference=max(float(np.abs(a - np.array(b)).max()) for a, b in zip(new.values(), plain, strict=True)),
        stopped=history.stopped or f"all {epochs} epochs",
        best_epoch=history.best_epoch,
        accuracy=float(right.mean()),
        pictures=(draw(Path(out) / "three-flowers-loss.png", {"MSE": curves}),),
    )
    print(result)
    return result


def one_pass(net: cr.Network, x: Floats, y: Floats) -> dict[str, Floats]:
    """Forward and backward through the two layers, every array by its name in the document."""
    W1, W2 = net.parameters["dense_1.W"], net.parameters["dense_2.W"]
    first, second = layers(W1.shape[1])
    h, saved_1 = first.forward({"W": W1}, x, PREDICTION)
    p, saved_2 = second.forward({"W": W2}, h, PREDICTION)
    _, dp = net.loss.value_and_gradient(p, y)  # (p - y) / N
    delta_2 = second.f.backward(saved_2.Z, p, dp)
    dh, gradient_2 = second.backward({"W": W2}, saved_2, dp)
    delta_1 = first.f.backward(saved_1.Z, h, dh)
    _, gradient_1 = first.backward({"W": W1}, saved_1, dh)
    return {
        "x": x,
        "W1": W1.copy(),
        "h = sigmoid(x W1)": h,
        "W2": W2.copy(),
        "p = sigmoid(h W2)": p,
        "y": y,
        "delta 2 = (p - y) p (1 - p) / N": delta_2,
        "gradient of W2 = h^T delta 2": gradient_2["W"],
        "delta 1 = (delta 2 W2^T) h (1 - h)": delta_1,
        "gradient of W1 = x^T delta 1": gradient_1["W"],
    }


def plain_python_step(x: Matrix, y: Matrix, W1: Matrix, W2: Matrix, rate: float) -> tuple[Matrix, Matrix]:
    """The new ``W1, W2`` after the same step, without NumPy: lists of rows, as the document's earlier parts have it."""

    def product(A: Matrix, B: Matrix) -> Matrix:
        return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*B, strict=True)] for row in A]

    def each(f: Callable[..., float], *matrices: Matrix) -> Matrix:
        return [[f(*values) for values in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)]

    def turned(A: Matrix) -> Matrix:
        return [list(column) for column in zip(*A, strict=True)]

    h = each(lambda z: 1 / (1 + exp(-z)), product(x, W1))
    p = each(lambda z: 1 / (1 + exp(-z)), product(h, W2))
    delta_2 = each(lambda p, y: (p - y) * p * (1 - p) / len(x), p, y)
    delta_1 = each(lambda e, h: e * h * (1 - h), product(delta_2, turned(W2)), h)
    new_W2 = each(lambda w, g: w - rate * g, W2, product(turned(h), delta_2))
    return each(lambda w, g: w - rate * g, W1, product(turned(x), delta_1)), new_W2


def _rows(matrix: Matrix) -> list[str]:
    return ["  [" + " ".join(f"{number:>10.6f}" for number in row) + "]" for row in matrix]


if __name__ == "__main__":
    run()
