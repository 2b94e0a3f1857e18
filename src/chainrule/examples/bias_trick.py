"""The network of "Backpropagation from scratch": any list of sizes, the bias as one more feature, online updates.

The trick: the last column of the inputs is 1, so that the last row of the first weight matrix acts as the bias. Its
conventions, told in the settings of this library:

    weight matrices      (n_in + 1, n_out + 1), the last one (n_in + 1, n_out); no biases besides
    initial weights      N(0, 1) / sqrt(n_in), n_in without the extra unit
    the extra unit       of a hidden layer is a sigmoid unit like the others, with incoming weights; not a constant 1
    updates              after each row, in the order of the rows, never shuffled
    loss                 1/2 sum (p - t)^2 over all rows and outputs, measured after the epoch
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

import chainrule as cr
from chainrule import checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chainrule.arrays import Floats
    from chainrule.callbacks import AnyCallback
    from chainrule.history import History
    from chainrule.records import Epoch


def with_ones(X: Floats) -> Floats:
    """``X (N, I)`` and a last column of ones: ``(N, I + 1)``."""
    return np.hstack([X, np.ones((len(X), 1))])


def network(sizes: Sequence[int], *, seed: int = 0) -> cr.Network:
    """The network with these sizes: inputs, hidden layers (none or more), outputs; without counting extra units.

    >>> network([2, 2, 1]).parameters
    12 numbers in 2 arrays
      dense_1.W                (3, 3)         weight
      dense_2.W                (3, 1)         weight
    """
    outputs = [*(units + 1 for units in sizes[1:-1]), sizes[-1]]
    layers = [
        cr.Dense(n_out, "sigmoid", bias=False, init=cr.initializers.Normal(1 / sqrt(n_in)))
        for n_in, n_out in zip(sizes, outputs, strict=False)
    ]
    loss = cr.losses.HalfSquaredError(reduction="sum")
    return cr.Network(layers, loss, seed=seed, dtype="float64", n_inputs=sizes[0] + 1)


def train(
    net: cr.Network,
    X: Floats,
    T: Floats,
    *,
    alpha: float,
    epochs: int,
    display: int = 0,
    callbacks: Iterable[AnyCallback] = (),
) -> History:
    """Train online on ``X (N, I + 1)``, which has its ones; a line at epoch 1 and every `display` epochs, 0: none.

    The loss after each epoch is the history's ``validation_loss``: the set is its own validation set.
    """
    checks.whole(display, "display", where="train", least=0)

    def progress_line(record: Epoch) -> None:
        if display and (record.epoch == 1 or record.epoch % display == 0):
            print(f"[INFO] epoch={record.epoch}, loss={record.scores['validation_loss']:.7f}", flush=True)

    return net.fit(
        X,
        T,
        epochs=epochs,
        batch_size=1,
        shuffle=False,
        optimizer=cr.SGD(alpha),
        validation=(X, T),
        callbacks=[progress_line, *callbacks],
    )


def describe(sizes: Sequence[int]) -> str:
    """The network in a line: ``2-2-1, weights (3, 3), (3, 1)``."""
    outputs = [*(units + 1 for units in sizes[1:-1]), sizes[-1]]
    shapes = pairwise([sizes[0] + 1, *outputs])
    return f"{'-'.join(map(str, sizes))}, weights {', '.join(map(str, shapes))}"
