"""The worked example that everybody checks against, every figure: Mazur, "A Step by Step Backpropagation Example".

2-2-2, sigmoid everywhere, E = sum 1/2 (t - o)^2, learning rate 0.5, one row; the biases are never updated.
"""

from __future__ import annotations

import msgspec
import numpy as np

import chainrule as cr
from chainrule.initializers import Constant, Given
from chainrule.layers import PREDICTION

X = np.array([[0.05, 0.10]])
T = np.array([[0.01, 0.99]])
RATE = 0.5
STEPS = 10_000


class Figure(msgspec.Struct, frozen=True):
    """One number: ours in full, and as the article or its readers print it."""

    name: str
    value: float
    published: str

    def __str__(self) -> str:
        return f"{self.name:<22} {self.value:>16.9f}   {self.published}".rstrip()


class WorkedExample(msgspec.Struct, frozen=True, kw_only=True):
    """Every figure, in the article's order.

    Attributes:
        step: those of the one step of gradient descent.
        training: the error after it, and error and outputs after 10,000 steps.
        with_bug: these again, with a hidden gradient that takes the output weights as they are after their own update.
    """

    step: tuple[Figure, ...]
    training: tuple[Figure, ...]
    with_bug: tuple[Figure, ...]

    def __str__(self) -> str:
        lines = [f"{'figure':<22} {'here':>16}   published", *map(str, self.step), "", *map(str, self.training), ""]
        lines += ["with w5..w8 updated before the gradient of w1..w4 is computed, a bug:", *map(str, self.with_bug)]
        return "\n".join(lines)


def layers(frozen: tuple[str, ...] = ("b",)) -> tuple[cr.Dense, cr.Dense]:
    """The article's two layers: w1, w2 lead into h1, so they are the first column of the first matrix."""
    hidden = cr.Dense(2, "sigmoid", init=Given([[0.15, 0.25], [0.20, 0.30]]), bias_init=Constant(0.35), frozen=frozen)
    output = cr.Dense(2, "sigmoid", init=Given([[0.40, 0.50], [0.45, 0.55]]), bias_init=Constant(0.60), frozen=frozen)
    return hidden, output


def network(frozen: tuple[str, ...] = ("b",)) -> cr.Network:
    """The article's network; its biases stay as they are.

    >>> network().evaluate_loss(X, T).__round__(9)
    0.298371109
    """
    return cr.Network(layers(frozen), "half_squared_error", dtype="float64", n_inputs=2)


def run() -> WorkedExample:
    """Compute every figure of the worked example and set the published one beside it."""
    net = network()
    net.fit(X, T, epochs=1, optimizer=cr.SGD(RATE))
    step, after_one = forward_and_backward() + updated(net), net.evaluate_loss(X, T)
    net.fit(X, T, epochs=STEPS - 1, optimizer=cr.SGD(RATE))
    result = WorkedExample(
        step=step,
        training=_summary(net, after_one, ".291027774, recomputed; the article has .291027924"),
        with_bug=train_with_bug(),
    )
    print(result)
    return result


def forward_and_backward() -> tuple[Figure, ...]:
    """The figures of the two passes, from the layers themselves."""
    net = network(frozen=())
    hidden, output = layers(frozen=())
    p1, p2 = ({"W": net.parameters[f"dense_{k}.W"], "b": net.parameters[f"dense_{k}.b"]} for k in (1, 2))
    H, saved_1 = hidden.forward(p1, X, PREDICTION)
    Y, saved_2 = output.forward(p2, H, PREDICTION)
    E, dY = net.loss.value_and_gradient(Y, T)
    slope_o, slope_h = output.f.slope(saved_2.Z, Y), hidden.f.slope(saved_1.Z, H)
    delta_o = dY * slope_o
    dH, grads_2 = output.backward(p2, saved_2, dY)
    _, grads_1 = hidden.backward(p1, saved_1, dH)
    from_each = p2["W"] * delta_o  # row h, column o: dE_o/dout_h
    E_o1, E_o2 = (0.5 * (T - Y) ** 2)[0]
    rows = [
        ("net_h1", saved_1.Z[0, 0], ".3775"),
        ("out_h1", H[0, 0], ".593269992"),
        ("out_h2", H[0, 1], ".596884378"),
        ("net_o1", saved_2.Z[0, 0], "1.105905967"),
        ("out_o1", Y[0, 0], ".75136507"),
        ("out_o2", Y[0, 1], ".772928465"),
        ("E_o1", E_o1, ".274811083"),
        ("E_o2", E_o2, ".023560026"),
        ("E", E, ".298371109"),
        ("dE/dout_o1", dY[0, 0], ".74136507"),
        ("dout_o1/dnet_o1", slope_o[0, 0], ".186815602"),
        ("delta_o1", delta_o[0, 0], ".138498562"),
        ("dE/dw5", grads_2["W"][0, 0], ".082167041"),
        ("dE_o1/dout_h1", from_each[0, 0], ".055399425"),
        ("dE_o2/dout_h1", from_each[0, 1], "-.019049119, from rounded factors"),
        ("dE/dout_h1", from_each[0].sum(), ".036350306"),
        ("dout_h1/dnet_h1", slope_h[0, 0], ".241300709"),
        ("dE/dw1", grads_1["W"][0, 0], ".000438568"),
        ("dE/db2, o1", grads_2["b"][0], ".13849856, not in the article"),
        ("dE/db2, o2", grads_2["b"][1], "-.03809824, not in the article"),
        ("dE/db1, h1", grads_1["b"][0], ".00877135, not in the article"),
        ("dE/db1, h2", grads_1["b"][1], ".00995425, not in the article"),
    ]
    return tuple(Figure(name, float(value), published) for name, value, published in rows)


def updated(net: cr.Network) -> tuple[Figure, ...]:
    """The new weights, w1 to w8."""
    published = [".149780716", ".19956143", ".24975114", ".29950229"]
    published += [".35891648", ".408666186", ".51130127", ".561370121"]
    values = np.concatenate([net.parameters[f"dense_{k}.W"].T.ravel() for k in (1, 2)])
    return tuple(
        Figure(f"w{i} after the step", float(value), text)
        for i, (value, text) in enumerate(zip(values, published, strict=True), start=1)
    )


def train_with_bug() -> tuple[Figure, ...]:
    """The same training, except that the hidden layer's gradient takes w5..w8 as they are after their own update.

    The article prints what comes out of this: its program must have had the bug, though its text warns of it.
    """
    net = network()
    W1, W2 = (net.parameters[f"dense_{k}.W"] for k in (1, 2))
    errors: list[float] = []
    for _ in range(STEPS):
        H = 1 / (1 + np.exp(-(X @ W1 + 0.35)))
        Y = 1 / (1 + np.exp(-(H @ W2 + 0.60)))
        delta_o = (Y - T) * Y * (1 - Y)
        W2 -= RATE * H.T @ delta_o  # too early: the next line should have seen the old W2
        W1 -= RATE * X.T @ (delta_o @ W2.T * H * (1 - H))
        errors = errors or [net.evaluate_loss(X, T)]
    published = [".291027924", ".000035085", ".015912196", ".984065734"]
    return _summary(net, errors[0], *(f"{text}, as the article has it" for text in published))


def _summary(net: cr.Network, after_one: float, *published: str) -> tuple[Figure, ...]:
    o1, o2 = net.forward(X)[0].tolist()
    names = ["E after one step", *(f"{name} after {STEPS:,}" for name in ("E", "out_o1", "out_o2"))]
    values = [after_one, net.evaluate_loss(X, T), o1, o2]
    texts = [*published, "", "", ""][:4]
    return tuple(Figure(*row) for row in zip(names, values, texts, strict=True))


if __name__ == "__main__":
    run()
