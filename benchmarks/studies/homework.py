"""Backpropagation as a student writes it: lists of matrices and loops, each mistake a method that is wrong.

It shares nothing with the package but activations and their slopes, so that marking is judged by another's numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import chainrule as cr


class Student:
    """One step of a network of dense layers, right throughout.

    Attributes:
        known_as: the names of the mistake in the catalogue.
        only: the layer in which it is made; None for all.
    """

    known_as: tuple[str, ...] = ()
    only: int | None = None

    def __init__(self, net: cr.Network, X: Any, T: Any, optimizer: Any) -> None:
        self.X, self.T, self.optimizer, self.rate = X, T, optimizer, float(optimizer.rate)
        self.B, self.L, self.loss_name, self.mean = len(X), len(net.layers), net.loss.name, net.loss.reduction == "mean"
        self.f = [None, *(layer.f for layer in net.layers)]
        self.W = [None, *(np.array(net.parameters[f"dense_{k}.W"]) for k in range(1, self.L + 1))]
        self.b = [None, *(np.array(net.parameters[f"dense_{k}.b"]) for k in range(1, self.L + 1))]

    # ---- what can go wrong ----

    def net_input(self, k: int) -> Any:
        return np.array([[sum(x[i] * self.W[k][i, j] for i in range(len(x))) + self.b[k][j]
                          for j in range(len(self.b[k]))] for x in self.Y[k - 1]])  # fmt: skip

    def activate(self, k: int) -> Any:
        return self.f[k].value(self.Z[k])

    def row_losses(self) -> Any:
        Y, T = self.Y[-1], self.T
        D = Y - T
        return {
            "half_squared_error": lambda: 0.5 * (D**2).sum(1),
            "mean_squared_error": lambda: (D**2).mean(1),
            "mean_absolute_error": lambda: abs(D).mean(1),
            "huber": lambda: np.where(abs(D) <= 1, D**2 / 2, abs(D) - 0.5).mean(1),
            "poisson": lambda: (Y - T * np.log(Y)).mean(1),
            "cross_entropy": lambda: -(T * np.log(Y)).sum(1),
            "binary_cross_entropy": lambda: -(T * np.log(Y) + (1 - T) * np.log(1 - Y)).sum(1),
        }[self.loss_name]()

    def loss(self) -> float:
        rows = self.row_losses()
        return sum(rows) / self.share()

    def share(self) -> float:
        return self.B if self.mean else 1.0

    def error_share(self) -> float:
        return self.share()

    def error(self) -> Any:
        Y, T = self.Y[-1], self.T
        D, O = Y - T, Y.shape[1]
        slopes = {
            "half_squared_error": lambda: D,
            "mean_squared_error": lambda: 2 * D / O,
            "mean_absolute_error": lambda: np.sign(D) / O,
            "huber": lambda: np.where(abs(D) <= 1, D, np.sign(D)) / O,
            "poisson": lambda: (1 - T / Y) / O,
            "cross_entropy": lambda: -T / Y,
            "binary_cross_entropy": lambda: D / (Y * (1 - Y)),
        }
        return slopes[self.loss_name]() / self.error_share()

    def slope(self, k: int) -> Any:
        return self.f[k].slope(self.Z[k], self.Y[k])

    def delta(self, k: int) -> Any:
        if self.f[k].name != "softmax":
            return self.dY[k] * self.slope(k)
        rows = zip(self.Y[k], self.dY[k], strict=True)
        return np.array([(np.diag(y) - np.outer(y, y)) @ dy for y, dy in rows])

    def weights_gradient(self, k: int) -> Any:
        return sum(np.outer(self.Y[k - 1][i], self.dZ[k][i]) for i in range(self.B))

    def bias_gradient(self, k: int) -> Any:
        return sum(self.dZ[k][i] for i in range(self.B))

    def handed_back(self, k: int) -> Any:
        return self.dZ[k] @ self.W[k].T

    def change(self, theta: Any, g: Any, *, weight: bool) -> Any:
        """The first step of each optimiser, where all slots are 0 before it."""
        o, r = self.optimizer, self.rate
        name = type(o).__name__
        if name == "SGD":
            return -r * g * (1 + o.momentum if o.nesterov else 1)
        if name == "RMSProp":
            return -r * g / (np.sqrt((1 - o.decay) * g**2) + o.epsilon)
        if name == "Adagrad":
            return -r * g / (np.sqrt(g**2) + o.epsilon)
        decay = r * o.weight_decay * theta if name == "AdamW" and weight else 0
        return -r * g / (np.sqrt(g**2) + o.epsilon) - decay

    def new(self, theta: Any, g: Any, *, weight: bool) -> Any:
        return theta + self.change(theta, g, weight=weight)

    # ---- the step ----

    def numbers(self) -> dict[str, Any]:
        self.forward()
        found = {f"dense_{k}.{n}": v for k in range(1, self.L + 1) for n, v in (("Z", self.Z[k]), ("Y", self.Y[k]))}
        found["loss"] = self.loss()
        self.backward()
        for k in range(1, self.L + 1):
            found |= {f"dense_{k}.dZ": self.dZ[k], f"dense_{k}.dW": self.dWs[k], f"dense_{k}.db": self.dbs[k]}
            found[f"dense_{k}.W.new"] = self.new(self.W[k], self.dWs[k], weight=True)
            found[f"dense_{k}.b.new"] = self.new(self.b[k], self.dbs[k], weight=False)
        return found

    def forward(self) -> None:
        self.Z, self.Y = [None], [self.X]
        for k in range(1, self.L + 1):
            self.Z.append(self.net_input(k))
            self.Y.append(self.activate(k))

    def backward(self) -> None:
        empty = [None] * (self.L + 1)
        self.dY, self.dZ, self.dWs, self.dbs = list(empty), list(empty), list(empty), list(empty)
        self.dY[self.L] = self.error()
        for k in range(self.L, 0, -1):
            self.dZ[k] = self.delta(k)
            self.dWs[k], self.dbs[k] = self.weights_gradient(k), self.bias_gradient(k)
            if k > 1:
                self.dY[k - 1] = self.handed_back(k)

    @property
    def is_pair(self) -> bool:
        """Whether the slope of the output is a part of y - t."""
        pairs = {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}
        return (self.f[self.L].name, self.loss_name) in pairs

    def output_is(self, k: int) -> bool:
        return k == self.L and self.is_pair


PLANTED: list[type[Student]] = []


def planted(*known_as: str) -> Any:
    """Enter a student who makes a mistake of these names in the catalogue."""

    def enter(student: type[Student]) -> type[Student]:
        student.known_as = known_as
        PLANTED.append(student)
        return student

    return enter


def _wrong(method: str, *known_as: str) -> Any:
    """Enter a student of whom one method is this function of self, what is right, and its arguments."""

    def enter(change: Any) -> None:
        right = getattr(Student, method)

        def wrong(self: Any, *args: Any, **kwargs: Any) -> Any:
            fine = right(self, *args, **kwargs)
            elsewhere = args and isinstance(args[0], int) and self.only not in {None, args[0]}
            return fine if elsewhere else change(self, fine, *args, **kwargs)

        planted(*known_as)(type("Wrong", (Student,), {method: wrong}))

    return enter


_GRADIENT, _LOSS, _BOTH = "the gradient, not the loss", "the loss, not its gradient", "the loss and its gradient"

_wrong("net_input", "bias not added")(lambda s, Z, k: Z - s.b[k])
_wrong("activate", "activation forgotten")(lambda s, _, k: s.Z[k])
_wrong("loss", f"1/B forgotten: {_LOSS}")(lambda s, v: v * s.share())
_wrong("error", f"1/B forgotten: {_GRADIENT}")(lambda s, v: v * s.share())
_wrong("share", f"1/B forgotten: {_BOTH}")(lambda *_: 1.0)
_wrong("error", f"1/B twice: {_GRADIENT}")(lambda s, v: v / s.share())
_wrong("error", f"factor 2: {_GRADIENT}")(lambda _, v: 2 * v)
_wrong("error", f"factor 1/2: {_GRADIENT}")(lambda _, v: v / 2)
_wrong("loss", f"factor 2: {_LOSS}")(lambda _, v: 2 * v)
_wrong("loss", f"factor 1/2: {_LOSS}")(lambda _, v: v / 2)
_wrong("error_share", f"averaged over features: {_GRADIENT}")(lambda s, v: s.X.shape[1] if s.mean else v)
_wrong("error", "sign of the error")(lambda _, v: -v)
_wrong("delta", "slope forgotten")(lambda s, v, k: v if s.output_is(k) else s.dY[k])
_wrong("delta", "slope after y - t", "slope twice")(
    lambda s, v, k: v * s.Y[k] * (1 - s.Y[k]) if s.output_is(k) and s.f[k].name == "sigmoid" else v
)
_wrong("delta", "slope after y - t")(
    lambda s, v, k: (
        np.array([(np.diag(y) - np.outer(y, y)) @ d for y, d in zip(s.Y[k], v, strict=True)])
        if s.output_is(k) and s.f[k].name == "softmax"
        else v
    )
)
_wrong("delta", "softmax: diagonal only", "diagonal after y - t")(
    lambda s, v, k: s.dY[k] * s.Y[k] * (1 - s.Y[k]) if s.f[k].name == "softmax" and not s.output_is(k) else v
)
_wrong("delta", "no slope at the output", "slope forgotten")(lambda s, v, k: s.dY[k] if k == s.L else v)
_wrong("slope", "slope at Y")(lambda s, v, k: v if s.output_is(k) else s.f[k].slope(s.Y[k], s.f[k].value(s.Y[k])))
_wrong("slope", "slope's formula for Y at Z")(lambda s, v, k: v if s.output_is(k) else s.f[k].slope(s.Z[k], s.Z[k]))
_wrong("slope", "slope of the next layer")(
    lambda s, v, k: (
        s.f[k + 1].slope(s.Z[k + 1], s.Y[k + 1])
        if k < s.L and s.f[k + 1].elementwise and s.Z[k + 1].shape == v.shape
        else v
    )
)
_wrong("handed_back", "weights already updated")(lambda s, _, k: s.dZ[k] @ s.new(s.W[k], s.dWs[k], weight=True).T)
_wrong("handed_back", "W transposed on the way back")(
    lambda s, v, k: s.dZ[k] @ s.W[k] if s.W[k].shape[0] == s.W[k].shape[1] else v
)
_wrong("handed_back", "slope not handed back")(lambda s, v, k: v if s.output_is(k) else s.dY[k] @ s.W[k].T)
_wrong("handed_back", "averaged again on the way back")(lambda s, v, _: v / s.B)
_wrong("weights_gradient", "dW transposed")(lambda _, v, __: v.T if v.shape[0] == v.shape[1] else v)
_wrong("weights_gradient", "dW without the slope")(lambda s, v, k: v if s.output_is(k) else s.Y[k - 1].T @ s.dY[k])
_wrong("weights_gradient", "dW from net inputs")(lambda s, v, k: s.Z[k - 1].T @ s.dZ[k] if k > 1 else v)
_wrong("weights_gradient", "dW from the layer's own outputs")(
    lambda s, v, k: s.Y[k].T @ s.dZ[k] if v.shape[0] == v.shape[1] else v
)
_wrong("weights_gradient", "dW averaged again")(lambda s, v, _: v / s.B)
_wrong("weights_gradient", "dW of the last row")(lambda s, _, k: np.outer(s.Y[k - 1][-1], s.dZ[k][-1]))
_wrong("weights_gradient", "dW of sums")(lambda s, _, k: np.outer(s.Y[k - 1].sum(0), s.dZ[k].sum(0)))
_wrong("bias_gradient", "db averaged again")(lambda s, v, _: v / s.B)
_wrong("bias_gradient", "db forgotten")(lambda _, v, __: 0 * v)
_wrong("bias_gradient", "db of the first row")(lambda s, _, k: s.dZ[k][0])
_wrong("bias_gradient", "db without the slope")(lambda s, v, k: v if s.output_is(k) else s.dY[k].sum(0))
_wrong("bias_gradient", "db with the next layer's delta")(
    lambda s, v, k: s.dZ[k + 1].sum(0) if k < s.L and s.b[k + 1].shape == v.shape else v
)
_wrong("change", "uphill")(lambda _, v, *__, **___: -v)
_wrong("change", "rate twice")(lambda s, v, *_, **__: s.rate * v)
_wrong("change", "update averaged again")(lambda s, v, *_, **__: v / s.B)
_wrong("new", "bias not updated")(lambda _, v, theta, g, *, weight: v if weight else theta + 0 * g)
_wrong("new", "no update")(lambda _, __, theta, g, **___: theta + 0 * g)
_wrong("change", "plain descent")(lambda s, _, __, g, **___: -s.rate * g)
_wrong("change", "Adam: no bias correction")(
    lambda s, v, _, g, **__: (
        -s.rate * 0.1 * g / (np.sqrt(0.001 * g**2) + 1e-8) if type(s.optimizer).__name__ == "Adam" else v
    )
)
_wrong("change", "Adam: epsilon inside the root")(
    lambda s, v, _, g, **__: (
        -s.rate * g / np.sqrt(g**2 + s.optimizer.epsilon) if type(s.optimizer).__name__ == "Adam" else v
    )
)
