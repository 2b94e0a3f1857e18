"""Mistakes of students in networks of dense layers, each entered in `homework.PLANTED`."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.studies.homework import PLANTED, Student, planted, wrong
from chainrule import activations

__all__ = ["PLANTED"]

_GRADIENT, _LOSS, _BOTH = "the gradient, not the loss", "the loss, not its gradient", "the loss and its gradient"

# ---- forward --------------------------------------------------------------------------------------------------------

wrong("net_input", "bias not added")(lambda s, Z, k: Z - s.b[k])
wrong("net_input", "bias subtracted")(lambda s, Z, k: Z - 2 * s.b[k])
wrong("net_input", "bias added twice")(lambda s, Z, k: Z + s.b[k])
wrong("net_input", "W transposed forward")(
    lambda s, Z, k: s.inputs[k] @ s.W[k].T + s.b[k] if s.W[k].shape[0] == s.W[k].shape[1] else Z
)
wrong("activate", "activation forgotten")(lambda s, _, k: s.Z[k])


def _difference_at_output(self: Any, k: int) -> Any:
    """Y - t at an output that is one with the loss, as most write it, whatever the output is."""
    return self.difference() if self.output_is(k) else Student.delta(self, k)


wrong("activate", "activation twice", delta=_difference_at_output)(lambda s, Y, k: s.f[k].value(Y))
wrong("activate", "softmax over rows", delta=_difference_at_output)(
    lambda s, Y, k: np.exp(s.Z[k]) / np.exp(s.Z[k]).sum(0) if s.f[k].name == "softmax" else Y
)
wrong("activate", "softmax not normalised", delta=_difference_at_output)(
    lambda s, Y, k: np.exp(s.Z[k]) if s.f[k].name == "softmax" else Y
)


def _another(name: str) -> None:
    """A student who has another activation in mind, with its own slope."""
    f = activations.get(name)

    def has(s: Any, k: int) -> bool:
        return s.only not in {None, k} or s.f[k].name == name

    def activate(s: Any, k: int) -> Any:
        return Student.activate(s, k) if has(s, k) else f.value(s.Z[k])

    def delta(s: Any, k: int) -> Any:
        return _difference_at_output(s, k) if has(s, k) or s.output_is(k) else s.dY[k] * f.slope(s.Z[k], s.Y[k])

    planted(f"{name} instead")(type("Another", (Student,), {"activate": activate, "delta": delta}))


for _name in ("sigmoid", "tanh", "relu"):
    _another(_name)

# ---- the loss: factors ----------------------------------------------------------------------------------------------


def _factor(name: str, factor: Any) -> None:
    """Three students with a factor too much: in the loss, in its gradient, in both."""
    wrong("loss", f"{name}: {_LOSS}")(lambda s, v: v * factor(s))
    wrong("error", f"{name}: {_GRADIENT}", difference=lambda s: Student.difference(s) * factor(s))(
        lambda s, v: v * factor(s)
    )
    loss, error = Student.loss, Student.error
    both = {"loss": lambda s: loss(s) * factor(s), "error": lambda s: error(s) * factor(s)}
    planted(f"{name}: {_BOTH}")(type("Both", (Student,), both))


def _outputs(s: Student) -> int:
    return int(s.T.shape[1])


_factor("1/B forgotten", lambda s: s.share())
_factor("1/B twice", lambda s: 1 / s.share())
_factor("mean for sum", lambda s: 1 if s.mean else 1 / s.B)
_factor("factor 2", lambda _: 2)
_factor("factor 1/2", lambda _: 0.5)
_factor("1/O forgotten", lambda s: _outputs(s) if s.averages else 1)
_factor("1/O twice", lambda s: 1 / _outputs(s) if s.averages else 1)
_factor("mean over outputs", lambda s: 1 if s.averages else 1 / _outputs(s))
_factor("averaged over outputs for rows", lambda s: s.B / _outputs(s) if s.mean and not s.averages else 1)
_factor("averaged over features", lambda s: s.B / s.X.shape[1] if s.mean else 1)


def _weights(name: str, weights: Any) -> None:
    """Three students who weigh rows in another way."""
    for part, methods in ((_LOSS, ("loss",)), (_GRADIENT, ("error",)), (_BOTH, ("loss", "error"))):
        changed = dict.fromkeys([f"{method}_weights" for method in methods], weights)
        planted(f"{name}: {part}")(type("Weights", (Student,), changed))


_weights("row weights forgotten", lambda s: np.ones(s.B))
_weights("divided by the sum of weights", lambda s: s.w * s.B / sum(s.w) if s.mean else s.w)

# ---- the loss: formulas ---------------------------------------------------------------------------------------------

_ENTROPIES, _SQUARES = {"cross_entropy", "binary_cross_entropy"}, {"half_squared_error", "mean_squared_error"}

wrong("error", "sign of the error")(lambda _, v: -v)
wrong("loss", "sign of the loss")(lambda _, v: -v)
wrong("error", "y - t where nothing cancels")(
    lambda s, v: s.difference() if s.loss_name in _ENTROPIES and not s.is_pair else v
)
wrong("loss", "logarithm to base 10")(lambda s, v: v / np.log(10) if s.loss_name in _ENTROPIES else v)
wrong("loss", "logarithm to base 2")(lambda s, v: v / np.log(2) if s.loss_name in _ENTROPIES else v)
wrong("loss", "root of the loss")(lambda s, v: np.sqrt(v) if s.loss_name in _SQUARES else v)
wrong("row_losses", "errors not squared")(
    lambda s, v: {
        "half_squared_error": lambda: abs(s.Y[-1] - s.T).sum(1),
        "mean_squared_error": lambda: abs(s.Y[-1] - s.T).mean(1),
    }.get(s.loss_name, lambda: v)()
)
wrong("row_losses", "only the true class")(
    lambda s, v: -(s.T * np.log(s.Y[-1])).sum(1) if s.loss_name == "binary_cross_entropy" else v
)
wrong("row_losses", "also the other classes")(
    lambda s, v: v - ((1 - s.T) * np.log(1 - s.Y[-1])).sum(1) if s.loss_name == "cross_entropy" else v
)
wrong("penalty_slope", "penalty not in the gradient")(lambda _, v, *__, **___: 0 * v)
wrong("penalty_slope", "penalty twice in the gradient")(lambda _, v, *__, **___: 2 * v)
wrong("penalty_slope", "penalty of the wrong sign")(lambda _, v, *__, **___: -v)
wrong("penalty_slope", "penalty on biases")(lambda s, _, theta, **__: s.l1 * np.sign(theta) + s.l2 * theta)
wrong("penalty", "penalty without 1/2")(lambda s, v, W: v + s.l2 / 2 * sum((w**2).sum() for w in W[1:]))

# ---- slopes ---------------------------------------------------------------------------------------------------------


def _slope(name: str, slope: Any) -> None:
    """A student with another slope, except where the slope is a part of y - t."""
    wrong("slope", name)(lambda s, v, k: v if s.output_is(k) else slope(s, v, k))


def _of_layer(s: Any, v: Any, k: int) -> Any:
    there = 1 <= k <= s.L and s.f[k].elementwise and s.Z[k].shape == v.shape
    return s.f[k].slope(s.Z[k], s.Y[k]) if there else v


_slope("slope at Y", lambda s, _, k: s.f[k].slope(s.Y[k], s.f[k].value(s.Y[k])))
_slope("slope's formula for Y at Z", lambda s, _, k: s.f[k].slope(s.Z[k], s.Z[k]))
_slope("slope of the next layer", lambda s, v, k: _of_layer(s, v, k + 1))
_slope("slope of the layer before", lambda s, v, k: _of_layer(s, v, k - 1))
_slope("slope of sigmoid", lambda s, _, k: s.Y[k] * (1 - s.Y[k]))
_slope("value for slope", lambda s, _, k: s.Y[k])
_slope("1 - y for slope", lambda s, _, k: 1 - s.Y[k])
_slope("1 - y^2 for slope", lambda s, _, k: 1 - s.Y[k] ** 2)
_slope("slope 1 or 0", lambda s, _, k: (s.Z[k] > 0) * 1.0)
wrong("delta", "slope forgotten")(lambda s, v, k: v if s.output_is(k) else s.dY[k])
wrong("delta", "slope twice")(lambda s, v, k: v if s.output_is(k) else s.through_activation(k, v))
wrong("delta", "delta of the wrong sign")(lambda s, v, k: v if s.output_is(k) else -v)
wrong("delta", "slope after y - t")(lambda s, v, k: s.through_activation(k, v) if s.output_is(k) else v)
wrong("delta", "diagonal after y - t")(
    lambda s, v, k: v * s.Y[k] * (1 - s.Y[k]) if s.output_is(k) and s.f[k].name == "softmax" else v
)
wrong("delta", "no slope at the output", "slope forgotten")(lambda s, v, k: s.dY[k] if k == s.L else v)
wrong("delta", "softmax: diagonal only")(
    lambda s, v, k: s.dY[k] * s.Y[k] * (1 - s.Y[k]) if s.f[k].name == "softmax" and not s.output_is(k) else v
)
wrong("delta", "softmax: off the diagonal only")(
    lambda s, v, k: v - s.dY[k] * s.Y[k] * (1 - s.Y[k]) if s.f[k].name == "softmax" and not s.output_is(k) else v
)

# ---- products -------------------------------------------------------------------------------------------------------


def _with(v: Any, X: Any, d: Any) -> Any:
    """The gradient of weights from these, where a program would not have stopped."""
    there = X is not None and d is not None and (X.shape[1], d.shape[1]) == v.shape
    return X.T @ d if there else v


def _at(some: list[Any], k: int) -> Any:
    return some[k] if 1 <= k < len(some) else None


wrong("weights_gradient", "dW transposed")(lambda _, v, __: v.T if v.shape[0] == v.shape[1] else v)
wrong("weights_gradient", "dW from the layer's own outputs")(lambda s, v, k: _with(v, s.Y[k], s.dZ[k]))
wrong("weights_gradient", "dW from net inputs")(lambda s, v, k: _with(v, _at(s.Z, k - 1), s.dZ[k]))
wrong("weights_gradient", "dW from the network's inputs")(lambda s, v, k: _with(v, s.X, s.dZ[k]))
wrong("weights_gradient", "dW from the wrong layer")(lambda s, v, k: _with(v, _at(s.inputs, k - 1), s.dZ[k]))
wrong("weights_gradient", "dW without the slope")(
    lambda s, v, k: v if s.output_is(k) else _with(v, s.inputs[k], s.dY[k])
)
wrong("weights_gradient", "dW with the next layer's delta")(lambda s, v, k: _with(v, s.inputs[k], _at(s.dZ, k + 1)))
wrong("weights_gradient", "dW averaged again")(lambda s, v, _: v / s.B)
wrong("weights_gradient", "dW summed")(lambda s, v, _: v * s.B)
wrong("weights_gradient", "dW of the first row")(lambda s, _, k: np.outer(s.inputs[k][0], s.dZ[k][0]))
wrong("weights_gradient", "dW of the last row")(lambda s, _, k: np.outer(s.inputs[k][-1], s.dZ[k][-1]))
wrong("weights_gradient", "dW of sums")(lambda s, _, k: np.outer(s.inputs[k].sum(0), s.dZ[k].sum(0)))
wrong("weights_gradient", "dW of the wrong sign")(lambda _, v, __: -v)
wrong("weights_gradient", "dW is zero")(lambda _, v, __: 0 * v)
wrong("weights_gradient", "dW without the inputs")(lambda s, v, k: 0 * v + s.dZ[k].sum(0))


def _bias(name: str, gradient: Any) -> None:
    wrong("bias_gradient", name)(gradient)


def _summed(v: Any, d: Any) -> Any:
    return d.sum(0) if d is not None and d.shape[1:] == v.shape else v


_bias("db averaged again", lambda s, v, _: v / s.B)
_bias("db summed", lambda s, v, _: v * s.B)
_bias("db without the slope", lambda s, v, k: v if s.output_is(k) else s.dY[k].sum(0))
_bias("db forgotten", lambda _, v, __: 0 * v)
_bias("db with the next layer's delta", lambda s, v, k: _summed(v, _at(s.dZ, k + 1)))
_bias("db with the delta of the layer before", lambda s, v, k: _summed(v, _at(s.dZ, k - 1)))
_bias("db summed over everything", lambda s, v, k: 0 * v + s.dZ[k].sum())
_bias("db of the first row", lambda s, _, k: s.dZ[k][0])
_bias("db of the last row", lambda s, _, k: s.dZ[k][-1])
_bias("db of the wrong sign", lambda _, v, __: -v)
_bias("db times b", lambda s, v, k: v * s.b[k])


def _of_a_wrong_shape(name: str, gradient: Any) -> None:
    """A student whose program stops at the biases, as NumPy refuses to subtract such an array from b."""

    def bias_gradient(s: Any, k: int) -> Any:
        right = Student.bias_gradient(s, k)
        return right if s.stopped or s.only not in {None, k} else gradient(s, k)

    def updated(s: Any) -> Any:
        s.stopped = True
        return Student.updated(s)

    def numbers(s: Any) -> dict[str, Any]:
        found = Student.numbers(s)
        return {given: values for given, values in found.items() if not given.endswith(".new")}

    methods = {"bias_gradient": bias_gradient, "updated": updated, "numbers": numbers, "stopped": False}
    planted(name)(type("Stopped", (Student,), methods))


_of_a_wrong_shape("db not summed", lambda s, k: s.dZ[k])
_of_a_wrong_shape("db averaged over features", lambda s, k: s.dZ[k].mean(1))
_of_a_wrong_shape("db summed over features", lambda s, k: s.dZ[k].sum(1))


def _back(name: str, d: Any) -> None:
    wrong("handed_back", name)(d)


def _through(s: Any, v: Any, k: int, W: Any) -> Any:
    return s.dZ[k] @ W.T if W is not None and W.shape == s.W[k].shape else v


_back("W transposed on the way back", lambda s, v, k: _through(s, v, k, s.W[k].T))
_back(
    "weights already updated",
    lambda s, v, k: _through(s, v, k, s.new(s.W[k], s.full_gradient(k), weight=True, key=(k, "W"))),
)
_back("slope not handed back", lambda s, v, k: v if s.output_is(k) else s.dY[k] @ s.W[k].T)
_back("error not handed through", lambda s, v, _: s.dY[s.L] if s.dY[s.L].shape == v.shape else v)
_back("weights left out", lambda s, v, k: s.dZ[k] if s.dZ[k].shape == v.shape else v)
_back("averaged again on the way back", lambda s, v, _: v / s.B)
_back("weights of the layer before", lambda s, v, k: _through(s, v, k, s.W[k - 1]))
_back("sign on the way back", lambda _, v, __: -v)
_back("weights not signed", lambda s, v, k: _through(s, v, k, abs(s.W[k])))
_back("dX from dW", lambda s, v, k: _through(s, v, k, s.weights_gradient(k)))
_back("weights summed over the outputs", lambda s, _, k: np.outer(s.dZ[k].sum(1), s.W[k].sum(1)))

# ---- the step -------------------------------------------------------------------------------------------------------


def _kind(s: Any) -> str:
    return type(s.optimizer).__name__


wrong("change", "uphill")(lambda _, v, *__, **___: -v)
wrong("change", "rate twice")(lambda s, v, *_, **__: s.rate * v)
wrong("change", "rate forgotten")(lambda s, v, *_, **__: v / s.rate)
wrong("change", "update averaged again")(lambda s, v, *_, **__: v / s.B)
wrong("change", "update summed")(lambda s, v, *_, **__: v * s.B)
wrong("new", "bias not updated")(lambda _, v, theta, __, *, weight, **___: v if weight else theta)
wrong("new", "weights not updated")(lambda _, v, theta, __, *, weight, **___: theta if weight else v)
wrong("new", "only the last layer updated")(lambda s, v, theta, *_, key, **__: v if key[0] == s.L else theta)
wrong("new", "new is the change")(lambda _, v, theta, *__, **___: v - theta)
wrong("new", "new is the gradient")(lambda _, __, ___, g, **____: g)
wrong("new", "rate times the number")(lambda s, v, theta, *_, **__: v - theta + s.rate * theta)
wrong("steps", "an update too many")(lambda *_: 2)
wrong("steps", "no update")(lambda *_: 0)
wrong("change", "plain descent")(lambda s, _, __, g, **___: -s.rate * g)
wrong("change", "momentum's sign")(
    lambda s, v, _, g, **__: s.optimizer.momentum * s.rate * g - s.rate * g if _nesterov(s) else v
)
wrong("change", "momentum dampened")(
    lambda s, v, *_, **__: (1 - s.optimizer.momentum) * v if _kind(s) == "SGD" and s.optimizer.momentum else v
)
wrong("change", "no look ahead")(lambda s, v, _, g, **__: -s.rate * g if _nesterov(s) else v)


def _nesterov(s: Any) -> bool:
    return _kind(s) == "SGD" and s.optimizer.nesterov


def _adam(name: str, step: Any) -> None:
    """A student with another formula for Adam's step; the decay of AdamW is right."""

    def adam(s: Any, theta: Any, m: Any, v: Any, *, weight: bool) -> Any:
        o = s.optimizer
        decay = s.rate * o.weight_decay * theta if _kind(s) == "AdamW" and weight else 0
        return -s.rate * step(m, v, 1 - o.beta1**s.t, 1 - o.beta2**s.t, o.epsilon) - decay

    planted(name)(type("Adam", (Student,), {"adam": adam}))


_adam("Adam: no bias correction", lambda m, v, _, __, e: m / (np.sqrt(v) + e))
_adam("Adam: only m corrected", lambda m, v, c, _, e: m / c / (np.sqrt(v) + e))
_adam("Adam: only v corrected", lambda m, v, _, c, e: m / (np.sqrt(v / c) + e))
_adam("Adam: epsilon inside the root", lambda m, v, c, d, e: m / c / np.sqrt(v / d + e))
_adam("Adam: no root", lambda m, v, c, d, e: m / c / (v / d + e))


def _decayed(s: Any, v: Any, theta: Any, right: bool, made: float) -> Any:
    """With another decay than the right one: what it is times the number."""
    if _kind(s) != "AdamW":
        return v
    return v + (s.rate * s.optimizer.weight_decay * right - made) * theta


wrong("adam", "AdamW: no decay")(lambda s, v, theta, *_, weight: _decayed(s, v, theta, weight, 0))
wrong("adam", "AdamW: decay of biases")(
    lambda s, v, theta, *_, weight: _decayed(s, v, theta, weight, s.rate * _decay(s))
)
wrong("adam", "AdamW: decay without the rate")(
    lambda s, v, theta, *_, weight: _decayed(s, v, theta, weight, _decay(s) * weight)
)


def _decay(s: Any) -> float:
    return float(getattr(s.optimizer, "weight_decay", 0.0))


def _under(name: str, kinds: set[str], under: Any) -> None:
    """A student with something else under RMSProp's or Adagrad's fraction."""
    wrong("change", name)(
        lambda s, v, _, g, key, **__: (
            -s.rate * g / under(s.next_memory[key]["s"], s.optimizer) if _kind(s) in kinds else v
        )
    )


_under("epsilon inside the root", {"RMSProp", "Adagrad"}, lambda s, o: np.sqrt(s + o.epsilon))
_under("no root", {"RMSProp", "Adagrad"}, lambda s, o: s + o.epsilon)
_under("RMSProp: decays swapped", {"RMSProp"}, lambda s, o: np.sqrt(o.decay * s / (1 - o.decay)) + o.epsilon)
