"""Exclusive or as in "Backpropagation from scratch": 2-2-1, alpha 0.5, 20,000 epochs; and 2-1, which cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

import chainrule as cr
from chainrule import checks
from chainrule.examples.bias_trick import describe, network, train, with_ones
from chainrule.examples.pictures import OUT, draw, prepare

if TYPE_CHECKING:
    from chainrule.arrays import Floats
    from chainrule.history import History

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
T = np.array([[0.0], [1.0], [1.0], [0.0]])


class XorRow(msgspec.Struct, frozen=True):
    """One row: what went in, what should come out, what came out, and that as 0 or 1."""

    data: tuple[int, int]
    truth: int
    prediction: float
    step: int

    def __str__(self) -> str:
        return f"[INFO] data={list(self.data)}, ground-truth={self.truth}, pred={self.prediction:.4f}, step={self.step}"


class XorResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the document prints, whether all four rows are right, and the loss after the last epoch."""

    rows: tuple[XorRow, ...]
    solved: bool
    loss: float
    pictures: tuple[str, ...]

    def __str__(self) -> str:
        verdict = "solved: all four rows are right" if self.solved else "not solved"
        return "\n".join(
            [*map(str, self.rows), f"{verdict}; loss {self.loss:.7f}", *(f"wrote {p}" for p in self.pictures)]
        )


def better_network(seed: int) -> cr.Network:
    """2-8-1 with biases."""
    layers = [cr.Dense(8, "tanh"), cr.Dense(1, "sigmoid")]
    return cr.Network(layers, "binary_cross_entropy", seed=seed, dtype="float64", n_inputs=2)


def run(
    *,
    hidden: int = 2,
    alpha: float = 0.5,
    epochs: int | None = None,
    display: int = 2000,
    better: bool = False,
    seed: int = 1,
    out: Path = OUT,
) -> XorResult:
    """Learn exclusive or: online gradient descent, sigmoid everywhere, the bias as a column of ones.

    Args:
        hidden: Units of the hidden layer; 0 for none, with which it cannot be learned.
        alpha: The learning rate.
        epochs: Passes over the four rows; 20,000 unless given, with --better 300.
        display: A progress line at epoch 1 and every so many epochs; 0 for none.
        better: Settings that solve it every time, instead: 2-8-1, tanh, biases, cross-entropy, Adam, full batch.
        seed: Of the initial weights; about one in five ends short of the solution.
        out: The folder for the plots.
    """
    checks.whole(hidden, "hidden", where="xor", least=0)
    prepare(out)
    if better:
        history, P = train_better(epochs=300 if epochs is None else epochs, seed=seed)
    else:
        sizes = [2, hidden, 1] if hidden else [2, 1]
        epochs = 20_000 if epochs is None else epochs
        history, P = train_as_published(sizes, alpha=alpha, epochs=epochs, display=display, seed=seed)
    result = _result(history, P[-1], _draw(Path(out), history, P))
    print(result)
    return result


def train_as_published(
    sizes: list[int], *, alpha: float, epochs: int, display: int, seed: int
) -> tuple[History, Floats]:
    """The history and the predictions after each epoch ``(epochs, 4)``."""
    print(f"[INFO] {describe(sizes)}")
    net, inputs, P = network(sizes, seed=seed), with_ones(X), []
    history = train(
        net,
        inputs,
        T,
        alpha=alpha,
        epochs=epochs,
        display=display,
        callbacks=[lambda _: P.append(net.forward(inputs)[:, 0])],
    )
    return history, np.array(P)


def train_better(*, epochs: int, seed: int) -> tuple[History, Floats]:
    """With enough hidden units, an activation centred on 0, biases, a loss that fits a probability, and Adam."""
    print("[INFO] 2-8-1, tanh, biases, cross-entropy, Adam(0.1), full batch")
    net, P = better_network(seed), []
    history = net.fit(
        X,
        T,
        epochs=epochs,
        batch_size=None,
        optimizer=cr.Adam(0.1),
        validation=(X, T),
        callbacks=[lambda _: P.append(net.forward(X)[:, 0])],
    )
    return history, np.array(P)


def _result(history: History, p: Floats, pictures: tuple[str, ...]) -> XorResult:
    rows = tuple(
        XorRow(data=(int(x1), int(x2)), truth=int(t), prediction=float(y), step=int(y > 0.5))
        for (x1, x2), (t,), y in zip(X, T, p, strict=True)
    )
    solved = all(row.step == row.truth for row in rows)
    return XorResult(rows=rows, solved=solved, loss=history["validation_loss"][-1], pictures=pictures)


def _draw(out: Path, history: History, P: Floats) -> tuple[str, ...]:
    """Loss by epoch; prediction and error by epoch: ``P (epochs, 4)``."""
    names = ["0 0", "0 1", "1 0", "1 1"]
    error = np.abs(P - T[:, 0])
    panels = {
        "prediction": dict(zip(names, P.T, strict=True)),
        "|prediction - truth|": dict(zip(names, error.T, strict=True)),
    }
    return (
        draw(out / "xor-loss.png", {"loss": {"after the epoch": history["validation_loss"]}}),
        draw(out / "xor-predictions.png", panels),
    )


if __name__ == "__main__":
    run()
