"""Every activation, loss and optimiser as formulas, which `expressions` turns into the languages that are exported to.

Letters: z net input, y output, t target, w weight, g gradient; those of an activation's or a loss's own constants; and
LARGEST, TINY, EPS, the limits of the number type (`limits`). Functions that are not known to every language are other
formulas of these tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.optimizers import SGD, Adagrad, Adam, AdamW, NAdam, RMSProp

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from chainrule.arrays import DType
    from chainrule.losses import Loss
    from chainrule.optimizers import Optimizer


class Curve(NamedTuple):
    """A function of one number, and its slope: an activation f(z), or the loss of one output y with target t."""

    value: str
    slope: str


ACTIVATIONS: dict[str, Curve] = {
    "identity": Curve("z", "1"),
    "sigmoid": Curve("1 / (1 + exp(min(-z, LARGEST)))", "y * (1 - y)"),
    "tanh": Curve("tanh(z)", "1 - y * y"),
    "scaled_tanh": Curve("1.7159 * tanh(2 / 3 * z)", "2 / 3 * (1.7159 - y * y / 1.7159)"),
    "relu": Curve("max(z, 0)", "1 if z > 0 else 0"),
    "leaky_relu": Curve("z if z > 0 else a * z", "1 if z > 0 else a"),
    "elu": Curve("z if z > 0 else a * expm1(min(z, 0))", "1 if z > 0 else y + a"),
    "selu": Curve("s * z if z > 0 else s * a * expm1(min(z, 0))", "s if z > 0 else y + s * a"),
    "gelu": Curve(
        "0.5 * z * (1 + gelu_tanh(z))",
        "0.5 * (1 + gelu_tanh(z)) + 0.5 * z * (1 - gelu_tanh(z) * gelu_tanh(z)) * gelu_inner_slope(z)",
    ),
    "silu": Curve("z * sigmoid(z)", "sigmoid(z) + y * (1 - sigmoid(z))"),
    "exp": Curve("exp(z)", "y"),
    "softplus": Curve("max(z, 0) + log1p(exp(-abs(z)))", "sigmoid(z)"),
}
"""All but softmax, which is a function of a whole row."""

PARTS: dict[str, str] = {
    "sigmoid": ACTIVATIONS["sigmoid"].value,
    "gelu_tanh": "tanh(0.7978845608028654 * (z + 0.044715 * z * z * z))",
    "gelu_inner_slope": "0.7978845608028654 * (1 + 0.134145 * z * z)",
}
"""What formulas of activations call."""

_P = "min(max(y, EPS), 1 - EPS)"
LOSSES: dict[str, Curve] = {
    "half_squared_error": Curve("0.5 * (y - t) * (y - t)", "y - t"),
    "mean_squared_error": Curve("(y - t) * (y - t)", "2 * (y - t)"),
    "mean_absolute_error": Curve("abs(y - t)", "1 if y > t else -1 if y < t else 0"),
    "huber": Curve(
        "0.5 * (y - t) * (y - t) if abs(y - t) <= delta else delta * (abs(y - t) - 0.5 * delta)",
        "min(max(y - t, -delta), delta)",
    ),
    "quantile": Curve(
        "max(q * (t - y), (1 - q) * (y - t))",
        "1 - q if y > t else -q if y < t else 0",
    ),
    "poisson": Curve("y - t * log(max(y, TINY))", "1 - t / max(y, TINY) if y > TINY else 1"),
    "cross_entropy": Curve("-t * log(max(y, TINY))", "-t / max(y, TINY) if y > TINY else 0"),
    "binary_cross_entropy": Curve(
        f"-t * log({_P}) - (1 - t) * log1p(-{_P})", f"(y - t) / ({_P} * (1 - {_P})) if abs(y - 0.5) < 0.5 - EPS else 0"
    ),
    "sigmoid_cross_entropy": Curve("max(z, 0) + log1p(exp(-abs(z))) - t * z", "y - t"),
}
"""The share of one output in the loss of a row; all but softmax with cross-entropy, which needs the whole row."""


def check_loss(loss: Loss) -> None:
    """Raise for a loss that has no formula here.

    Raises:
        ArgumentError: with its name.
    """
    if loss.name not in LOSSES:
        raise ArgumentError(
            f"the loss {loss.name} cannot be written as source code",
            where="export",
            mend="Export what predicts, without the training: to onnx, c, javascript, torch or keras",
        )


def loss_constants(loss: Loss, dtype: DType) -> dict[str, float]:
    """The numbers that the formulas of this loss name."""
    own = {"delta": getattr(loss, "delta", None), "q": getattr(loss, "level", None)}
    return {**limits(dtype), **{letter: number for letter, number in own.items() if number is not None}}


def limits(dtype: DType) -> dict[str, float]:
    """The limits that the formulas name, for a number type."""
    info = np.finfo(dtype)
    return {
        "LARGEST": 87.0 if dtype == "float32" else 708.0,
        "TINY": float(info.smallest_normal) / float(info.eps),
        "EPS": float(info.eps),
    }


@dataclass(frozen=True)
class Update:
    """An optimiser as formulas.

    Attributes:
        change: what is added to a weight w.
        slots: what it remembers of each weight: the new value by name, in the order of computation.
        parts: what is computed before the change and goes into it, by name.
        initial: what the slots begin with.
        scalars: numbers of step t = 1, 2, ..., by name; the same for all weights.
        of_weight: numbers of each parameter, from its name; in Python.
        constants: its settings, by name.
    """

    change: str
    slots: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    initial: float = 0.0
    scalars: dict[str, str] = field(default_factory=dict)
    of_weight: dict[str, str] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)


def update(optimizer: Optimizer) -> Update:
    """The formulas of this optimiser with its settings; the rate is a letter.

    >>> update(SGD(0.1, momentum=0.9)).slots
    {'velocity': 'momentum * velocity - rate * g'}
    """
    return _UPDATES[type(optimizer)](optimizer)


def _sgd(sgd: Any) -> Update:
    if not sgd.momentum:
        return Update("-rate * g")
    change = "momentum * velocity - rate * g" if sgd.nesterov else "velocity"
    return Update(change, {"velocity": "momentum * velocity - rate * g"}, constants={"momentum": sgd.momentum})


def _rmsprop(rms: Any) -> Update:
    square, step = {"square": "decay * square + (1 - decay) * g * g"}, "rate * g / (sqrt(square) + epsilon)"
    constants = {"decay": rms.decay, "epsilon": rms.epsilon}
    if not rms.momentum:
        return Update(f"-{step}", square, constants=constants)
    velocity = {"velocity": f"momentum * velocity - {step}"}
    return Update("velocity", square | velocity, constants=constants | {"momentum": rms.momentum})


def _adagrad(adagrad: Any) -> Update:
    change = "-rate * g / (sqrt(square) + epsilon)"
    return Update(change, {"square": "square + g * g"}, initial=adagrad.initial, constants={"epsilon": adagrad.epsilon})


_MOMENTS = {"m": "beta1 * m + (1 - beta1) * g", "v": "beta2 * v + (1 - beta2) * g * g"}


def _adam(adam: Any) -> Update:
    return Update(
        "-rate * m_hat / (sqrt(v_hat) + epsilon)",
        _MOMENTS,
        {"m_hat": "m / correction1", "v_hat": "v / correction2"},
        scalars={"correction1": "1 - beta1 ** t", "correction2": "1 - beta2 ** t"},
        constants={"beta1": adam.beta1, "beta2": adam.beta2, "epsilon": adam.epsilon},
    )


def _adamw(adamw: Any) -> Update:
    return replace(
        adam := _adam(adamw),
        parts={"w": "w - rate * decay * w", **adam.parts},
        of_weight={"decay": "weight_decay if name[0] == 'W' else 0"},
        constants=adam.constants | {"weight_decay": adamw.weight_decay},
    )


def _nadam(nadam: Any) -> Update:
    mu = "beta1 * (1 - 0.5 * 0.96 ** ({} * momentum_decay))"
    mean = "mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)"
    return replace(
        adam := _adam(nadam),
        parts={"m_hat": mean, "v_hat": adam.parts["v_hat"]},
        scalars={
            "mu": mu.format("t"),
            "mu_next": mu.format("(t + 1)"),
            "product": f"math.prod([{mu.format('i')} for i in range(1, t + 1)])",
            "correction2": adam.scalars["correction2"],
        },
        constants=adam.constants | {"momentum_decay": nadam.momentum_decay},
    )


_UPDATES: dict[type[Any], Callable[[Any], Update]] = {
    SGD: _sgd,
    RMSProp: _rmsprop,
    Adagrad: _adagrad,
    Adam: _adam,
    AdamW: _adamw,
    NAdam: _nadam,
}
