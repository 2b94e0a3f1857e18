"""Backpropagation as a student writes it: lists of matrices and loops, each mistake a method that is wrong.

It shares nothing with the package but activations and their slopes, so that marking is judged by another's numbers.
`planted` and `planted_layers` make mistakes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import chainrule as cr


class Task(NamedTuple):
    """What students are given.

    Attributes:
        net: the network, of dense layers in the main.
        X: inputs.
        y: targets as its loss takes them.
        T: targets as a matrix.
        optimizer: of the step.
        w: weights of the rows, or None.
    """

    net: cr.Network
    X: Any
    y: Any
    T: Any
    optimizer: Any
    w: Any = None


class Student:
    """One step of a network of dense layers, right throughout.

    Attributes:
        known_as: the names of the mistake in the catalogue.
        only: the layer in which it is made; None for all.
    """

    known_as: tuple[str, ...] = ()
    only: int | None = None

    def __init__(self, task: Task) -> None:
        net, self.task = task.net, task
        self.X, self.T, self.optimizer, self.rate = task.X, task.T, task.optimizer, float(task.optimizer.rate)
        self.B, self.loss_name, self.mean = len(self.X), net.loss.name, net.loss.reduction == "mean"
        self.w = np.ones(self.B) if task.w is None else task.w
        self.averages = self.loss_name in {
            "mean_squared_error", "mean_absolute_error", "huber", "quantile", "poisson",
        }  # fmt: skip
        self.l1, self.l2 = net.l1, net.l2
        self.take_layers(net)
        self.L = len(self.f) - 1
        self.W = [None, *(np.array(net.parameters[f"{name}.W"]) for name in self.names[1:])]
        self.b = [None, *(np.array(net.parameters[f"{name}.b"]) for name in self.names[1:])]
        self.memory: dict[Any, Any] = {}
        self.next_memory: dict[Any, Any] = {}
        self.t = 1

    def take_layers(self, net: cr.Network) -> None:
        """The activation and the name of each dense layer, from 1."""
        self.f = [None, *(layer.f for layer in net.layers)]
        self.names = ["", *(f"dense_{k}" for k in range(1, len(self.f)))]

    # ---- what can go wrong ----

    def net_input(self, k: int) -> Any:
        return np.array([[sum(x[i] * self.W[k][i, j] for i in range(len(x))) + self.b[k][j]
                          for j in range(len(self.b[k]))] for x in self.inputs[k]])  # fmt: skip

    def activate(self, k: int) -> Any:
        return self.f[k].value(self.Z[k])

    def hand_on(self, k: int) -> Any:
        """What the next layer takes."""
        return self.Y[k]

    def row_losses(self) -> Any:
        Y, T = self.Y[-1], self.T
        D = Y - T
        return {
            "half_squared_error": lambda: 0.5 * (D**2).sum(1),
            "mean_squared_error": lambda: (D**2).mean(1),
            "mean_absolute_error": lambda: abs(D).mean(1),
            "huber": lambda: np.where(abs(D) <= 1, D**2 / 2, abs(D) - 0.5).mean(1),
            "quantile": lambda: (abs(D) / 2).mean(1),  # of the median
            "poisson": lambda: (Y - T * np.log(Y)).mean(1),
            "cross_entropy": lambda: -(T * np.log(Y)).sum(1),
            "binary_cross_entropy": lambda: -(T * np.log(Y) + (1 - T) * np.log(1 - Y)).sum(1),
        }[self.loss_name]()

    def loss(self) -> float:
        rows = self.row_losses()
        return sum(w * row for w, row in zip(self.loss_weights(), rows, strict=True)) / self.share()

    def loss_weights(self) -> Any:
        return self.w

    def error_weights(self) -> Any:
        return self.w

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
            "quantile": lambda: np.sign(D) / 2 / O,
            "poisson": lambda: (1 - T / Y) / O,
            "cross_entropy": lambda: -T / Y,
            "binary_cross_entropy": lambda: D / (Y * (1 - Y)),
        }
        return self.error_weights()[:, None] * slopes[self.loss_name]() / self.error_share()

    def receive(self, k: int, d: Any) -> Any:
        """The error at the activation, from that at what was handed on."""
        return d

    def slope(self, k: int) -> Any:
        return self.f[k].slope(self.Z[k], self.Y[k])

    def delta(self, k: int) -> Any:
        return self.through_activation(k, self.dY[k])

    def through_activation(self, k: int, d: Any) -> Any:
        if self.f[k].name != "softmax":
            return d * self.slope(k)
        return np.array([(np.diag(y) - np.outer(y, y)) @ dy for y, dy in zip(self.Y[k], d, strict=True)])

    def weights_gradient(self, k: int) -> Any:
        return sum(np.outer(self.inputs[k][i], self.dZ[k][i]) for i in range(self.B))

    def bias_gradient(self, k: int) -> Any:
        return sum(self.dZ[k][i] for i in range(self.B))

    def handed_back(self, k: int) -> Any:
        return self.dZ[k] @ self.W[k].T

    def pass_on(self, k: int) -> Any:
        """The error at what the layer took."""
        return self.handed_back(k)

    def penalty(self, W: list[Any]) -> float:
        return sum(self.l1 * abs(w).sum() + self.l2 / 2 * (w**2).sum() for w in W[1:])

    def penalty_slope(self, theta: Any, *, weight: bool) -> Any:
        return self.l1 * np.sign(theta) + self.l2 * theta if weight else 0 * theta

    def change(self, theta: Any, g: Any, *, weight: bool, key: Any) -> Any:
        """What the optimizer adds, by its textbook."""
        o, r, held = self.optimizer, self.rate, self.memory.get(key, {})
        name = type(o).__name__
        if name == "SGD":
            v = o.momentum * held.get("v", 0) - r * g
            self.next_memory[key] = {"v": v}
            return o.momentum * v - r * g if o.nesterov else v
        if name in {"RMSProp", "Adagrad"}:
            kept, new = (o.decay, 1 - o.decay) if name == "RMSProp" else (1, 1)
            s = kept * held.get("s", 0) + new * g**2
            self.next_memory[key] = {"s": s}
            return -r * g / (np.sqrt(s) + o.epsilon)
        m = o.beta1 * held.get("m", 0) + (1 - o.beta1) * g
        v = o.beta2 * held.get("v", 0) + (1 - o.beta2) * g**2
        self.next_memory[key] = {"m": m, "v": v}
        return self.adam(theta, m, v, weight=weight)

    def adam(self, theta: Any, m: Any, v: Any, *, weight: bool) -> Any:
        o, r = self.optimizer, self.rate
        decay = r * o.weight_decay * theta if type(o).__name__ == "AdamW" and weight else 0
        step = (m / (1 - o.beta1**self.t)) / (np.sqrt(v / (1 - o.beta2**self.t)) + o.epsilon)
        return -r * step - decay

    def new(self, theta: Any, g: Any, *, weight: bool, key: Any) -> Any:
        return theta + self.change(theta, g, weight=weight, key=key)

    def steps(self) -> int:
        return 1

    # ---- the step ----

    def numbers(self) -> dict[str, Any]:
        """What is handed in, by the names of the trace."""
        self.forward()
        found: dict[str, Any] = {"loss": self.loss()}
        if self.l1 or self.l2:
            found["penalty"] = self.penalty(self.W)
        self.backward()
        found |= self.step_numbers()
        new = self.updated()
        for _ in range(self.steps() - 1):
            self.W, self.b, self.memory, self.next_memory, self.t = *new, self.next_memory, {}, self.t + 1
            self.forward()
            self.backward()
            new = self.updated()
        if not self.steps():
            new = (self.W, self.b)
        self.W, self.b = new
        for k, name in enumerate(self.names[1:], 1):
            found |= {f"{name}.W.new": self.W[k], f"{name}.b.new": self.b[k]}
        self.forward()
        return found | {"loss.new": self.loss()}

    def step_numbers(self) -> dict[str, Any]:
        """Those of both passes."""
        found = {}
        for k, name in enumerate(self.names[1:], 1):
            found |= {f"{name}.Z": self.Z[k], f"{name}.Y": self.Y[k], f"{name}.dZ": self.dZ[k]}
            found |= {f"{name}.dW": self.full_gradient(k), f"{name}.db": self.full_bias_gradient(k)}
        return found

    def full_gradient(self, k: int) -> Any:
        return self.weights_gradient(k) + self.penalty_slope(self.W[k], weight=True)

    def full_bias_gradient(self, k: int) -> Any:
        g = self.bias_gradient(k)
        slope = self.penalty_slope(self.b[k], weight=False)
        return g + slope if np.shape(g) == slope.shape else g

    def updated(self) -> tuple[list[Any], list[Any]]:
        """Weights and biases after the step."""
        W, b = [None], [None]
        for k in range(1, self.L + 1):
            W.append(self.new(self.W[k], self.full_gradient(k), weight=True, key=(k, "W")))
            b.append(self.new(self.b[k], self.full_bias_gradient(k), weight=False, key=(k, "b")))
        return W, b

    def forward(self) -> None:
        """From the inputs to the outputs."""
        self.Z, self.Y, self.inputs = [None], [self.X], [None, self.X]
        for k in range(1, self.L + 1):
            self.Z.append(self.net_input(k))
            self.Y.append(self.activate(k))
            self.inputs.append(self.hand_on(k))

    def backward(self) -> None:
        """From the loss to the first layer."""
        empty = [None] * (self.L + 1)
        self.dY, self.dZ = list(empty), list(empty)
        d = self.error()
        for k in range(self.L, 0, -1):
            self.dY[k] = self.receive(k, d)
            self.dZ[k] = self.delta(k)
            d = self.pass_on(k) if k > 1 or self.wants_dX else None

    wants_dX = False

    @property
    def is_pair(self) -> bool:
        """Whether the slope of the output is a part of y - t."""
        pairs = {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}
        return (self.f[self.L].name, self.loss_name) in pairs

    def output_is(self, k: int) -> bool:
        """Whether this layer is the output, and one with the loss."""
        return k == self.L and self.is_pair

    def difference(self) -> Any:
        """Y - t with its factor, which is delta at such an output."""
        return self.error_weights()[:, None] * (self.Y[-1] - self.T) / self.error_share()


PLANTED: list[type[Student]] = []


def planted(*known_as: str, among: list[type[Student]] = PLANTED) -> Any:
    """Enter a student who makes a mistake of these names in the catalogue."""

    def enter(student: type[Student]) -> type[Student]:
        student.known_as = known_as
        among.append(student)
        return student

    return enter


def wrong(
    method: str, *known_as: str, base: type[Student] = Student, among: list[type[Student]] = PLANTED, **others: Any
) -> Any:
    """Enter a student of whom one method is this function of self, what is right, and its arguments."""

    def enter(change: Any) -> None:
        right = getattr(base, method)

        def made(self: Any, *args: Any, **kwargs: Any) -> Any:
            fine = right(self, *args, **kwargs)
            elsewhere = args and isinstance(args[0], int) and self.only not in {None, args[0]}
            return fine if elsewhere else change(self, fine, *args, **kwargs)

        planted(*known_as, among=among)(type("Wrong", (base,), {method: made, **others}))

    return enter
