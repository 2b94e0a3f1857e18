"""Backward passes that are wrong on purpose: the faults that people make, each planted into the package for one test.

A fault says where it must be caught: in *every* combination that `cases` yields, by the same `check` that the right
passes satisfy. Gradients only are falsified, never values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from msgspec.structs import replace
from tests.registry import REDUCTIONS, Case

from chainrule import activations, losses
from chainrule.activations import ActivationFunction
from chainrule.arrays import bernoulli
from chainrule.layers import Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual
from chainrule.layers.composite import Composite
from chainrule.layers.normalization import Norm
from chainrule.losses import Loss
from chainrule.objective import Objective
from chainrule.parameters import Layout

SMOOTH = (activations.Tanh, activations.GELU)
SIMPLE = (losses.HalfSquaredError, losses.CrossEntropy)


def cases(
    layers: Iterable[str] = ("dense",),
    functions: Iterable[type[ActivationFunction]] = SMOOTH,
    of_losses: Iterable[type[Loss]] = SIMPLE,
    **settings: Any,
) -> Iterator[Case]:
    """The product of these, in both reductions unless told."""
    reductions = (settings.pop("reduction"),) if "reduction" in settings else REDUCTIONS
    for name in layers:
        for f in functions:
            for loss in of_losses:
                yield from (Case(name, f, loss, reduction, **settings) for reduction in reductions)


@dataclass(frozen=True)
class Fault:
    """What is wrong, where it goes, and where it must be caught.

    Attributes:
        owner: the class whose method is replaced.
        method: its name.
        make: the wrong method, from the right one.
        cases: combinations in each of which the check must fail.
    """

    owner: type
    method: str
    make: Callable[[Callable[..., Any]], Callable[..., Any]]
    cases: Callable[[], Iterator[Case]]


FAULTS: dict[str, Fault] = {}


def fault(name: str, owner: type, method: str, where: Callable[[], Iterator[Case]] = cases) -> Callable[[Any], Any]:
    """Enter the decorated maker of a wrong method under this name."""

    def enter(make: Callable[..., Any]) -> Callable[..., Any]:
        FAULTS[name] = Fault(owner, method, make, where)
        return make

    return enter


# ---- losses: scale and slope ----------------------------------------------------------------------------------------


def with_dy(change: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """A maker of ``rows`` or ``value_and_gradient`` with the right value and ``change(self, dY, Y, T, ...)``."""

    def make(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(self: Loss, Y: Any, T: Any, *rest: Any) -> Any:
            value, dY = right(self, Y, T, *rest)
            return value, change(self, dY, Y, T, *rest)

        return wrong

    return make


MEANS = partial(cases, reduction="mean")
fault("1/B missing", Loss, "value_and_gradient", MEANS)(with_dy(lambda _, dY, Y, *__: dY * len(Y)))
fault("1/B twice", Loss, "value_and_gradient", MEANS)(with_dy(lambda _, dY, Y, *__: dY / len(Y)))
fault("1/B with reduction sum", Loss, "value_and_gradient", partial(cases, reduction="sum"))(
    with_dy(lambda _, dY, Y, *__: dY / len(Y))
)
fault("sample weights forgotten", Loss, "value_and_gradient", partial(cases, weighted=True))(
    with_dy(lambda _, dY, __, ___, weights: dY / weights[:, None])
)
fault("sample weights divided by their sum", Loss, "value_and_gradient", partial(cases, weighted=True))(
    with_dy(lambda _, dY, __, ___, weights: dY * len(weights) / weights.sum())
)
fault("sign of the error", losses.HalfSquaredError, "rows", partial(cases, of_losses=[losses.HalfSquaredError]))(
    with_dy(lambda _, dY, *__: -dY)
)
fault(
    "half squared error: factor 2", losses.HalfSquaredError, "rows", partial(cases, of_losses=[losses.HalfSquaredError])
)(with_dy(lambda _, dY, *__: 2 * dY))
fault(
    "mean squared error: 2 forgotten",
    losses.MeanSquaredError,
    "rows",
    partial(cases, of_losses=[losses.MeanSquaredError]),
)(with_dy(lambda _, dY, *__: dY / 2))
for _loss in (losses.MeanSquaredError, losses.MeanAbsoluteError, losses.Huber, losses.Quantile, losses.Poisson):
    fault(f"1/O forgotten: {_loss.__name__}", _loss, "rows", partial(cases, of_losses=[_loss]))(
        with_dy(lambda _, dY, Y, *__: dY * Y.shape[1])
    )
fault("Huber: slope of the square everywhere", losses.Huber, "rows", partial(cases, of_losses=[losses.Huber]))(
    with_dy(lambda _, __, Y, T: (Y - T) / Y.shape[1])
)
fault("Huber: half the slope beyond delta", losses.Huber, "rows", partial(cases, of_losses=[losses.Huber], B=6))(
    with_dy(
        lambda self, _, Y, T: np.where(np.abs(Y - T) > self.delta, np.sign(Y - T) * self.delta / 2, Y - T) / Y.shape[1]
    )
)
fault(
    "absolute error: slope of the square",
    losses.MeanAbsoluteError,
    "rows",
    partial(cases, of_losses=[losses.MeanAbsoluteError]),
)(with_dy(lambda _, __, Y, T: (Y - T) / Y.shape[1]))
fault("Poisson: not divided by the output", losses.Poisson, "rows", partial(cases, of_losses=[losses.Poisson]))(
    with_dy(lambda _, __, Y, T: (1 - T) / Y.shape[1])
)


def unfused(loss: type[Loss]) -> Callable[[], Iterator[Case]]:
    return partial(cases, ["output, not fused"], [activations.Sigmoid, activations.Softmax], [loss], O=3)


fault("cross-entropy from clipped probabilities", losses.CrossEntropy, "rows", unfused(losses.CrossEntropy))(
    with_dy(lambda _, __, Y, T: -T / np.clip(Y, 0.9, 1))
)
fault("cross-entropy: p - t where nothing cancels", losses.CrossEntropy, "rows", unfused(losses.CrossEntropy))(
    with_dy(lambda _, __, Y, T: Y - T)
)
fault(
    "binary cross-entropy: p - t where nothing cancels",
    losses.BinaryCrossEntropy,
    "rows",
    unfused(losses.BinaryCrossEntropy),
)(with_dy(lambda _, __, Y, T: Y - T))
fault(
    "binary cross-entropy: only the true class", losses.BinaryCrossEntropy, "rows", unfused(losses.BinaryCrossEntropy)
)(with_dy(lambda _, __, Y, T: -T / Y))


def _softmax(Z: np.ndarray) -> np.ndarray:
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def _jacobian_twice(_: Loss, dZ: np.ndarray, Z: np.ndarray, __: np.ndarray) -> np.ndarray:
    P = _softmax(Z)
    return P * (dZ - (dZ * P).sum(axis=1, keepdims=True))


def fused(loss: type[Loss]) -> Callable[[], Iterator[Case]]:
    return partial(cases, of_losses=[loss], O=3)


fault("softmax's Jacobian twice", losses.SoftmaxCrossEntropy, "rows", fused(losses.CrossEntropy))(
    with_dy(_jacobian_twice)
)
fault("sigmoid's slope twice", losses.SigmoidCrossEntropy, "rows", fused(losses.BinaryCrossEntropy))(
    with_dy(lambda _, dZ, Z, __: dZ * np.exp(-Z) / (1 + np.exp(-Z)) ** 2)
)
fault("softmax over the rows of the batch", losses.SoftmaxCrossEntropy, "rows", fused(losses.CrossEntropy))(
    with_dy(lambda _, __, Z, T: _softmax(Z.T).T - T)
)

# ---- activations ----------------------------------------------------------------------------------------------------

BOTH = ("dense", "activation", "output")


def _of(*functions: type[ActivationFunction]) -> Callable[[], Iterator[Case]]:
    return partial(cases, ("dense", "activation"), functions, [losses.HalfSquaredError], B=6)


def slope_is(wrong: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """A maker of `slope` that ignores the right one."""
    return lambda _: wrong


@fault("slope forgotten", ActivationFunction, "backward", partial(cases, BOTH))
def _slope_forgotten(_: Any) -> Any:
    return lambda self, Z, Y, dY: dY  # noqa: ARG005 -- that is the fault


@fault("slope at the output instead of the net input", ActivationFunction, "backward", partial(cases, BOTH))
def _slope_at_output(_: Any) -> Any:
    return lambda self, Z, Y, dY: dY * self.slope(Y, self.value(Y))  # noqa: ARG005 -- that is the fault


fault("sigmoid: z (1 - z)", activations.Sigmoid, "slope", _of(activations.Sigmoid))(
    slope_is(lambda _, Z, __: Z * (1 - Z))
)
fault("sigmoid: slope of a slope", activations.Sigmoid, "slope", _of(activations.Sigmoid))(
    slope_is(lambda _, __, Y: Y * (1 - Y) * (1 - 2 * Y))
)
fault("tanh: 1 - z^2", activations.Tanh, "slope", _of(activations.Tanh))(slope_is(lambda _, Z, __: 1 - Z * Z))
fault("scaled tanh: 2/3 forgotten", activations.ScaledTanh, "slope", _of(activations.ScaledTanh))(
    slope_is(lambda _, __, Y: 1.7159 - Y * Y / 1.7159)
)
fault("leaky relu: no leak", activations.LeakyReLU, "slope", _of(activations.LeakyReLU))(
    slope_is(lambda _, Z, __: (Z > 0).astype(float))
)
fault("relu: the other half", activations.ReLU, "slope", _of(activations.ReLU))(
    slope_is(lambda _, Z, __: (Z < 0).astype(float))
)
fault("elu: alpha forgotten", activations.ELU, "slope", _of(activations.ELU))(
    slope_is(lambda _, Z, Y: np.where(Z > 0, 1, Y))
)
fault("selu: scale forgotten", activations.SELU, "slope", _of(activations.SELU))(
    slope_is(lambda self, Z, Y: np.where(Z > 0, 1, Y + self.scale * self.alpha))
)
fault("gelu: slope of u forgotten", activations.GELU, "slope", _of(activations.GELU))(
    slope_is(lambda self, Z, _: 0.5 * (1 + self._tanh(Z)) + 0.5 * Z * (1 - self._tanh(Z) ** 2))
)
fault("gelu: that of z Phi(z)", activations.GELU, "slope", _of(activations.GELU))(
    slope_is(
        lambda _, Z, __: 0.5 * (1 + np.vectorize(math.erf)(Z / 2**0.5)) + Z * np.exp(-Z * Z / 2) / (2 * np.pi) ** 0.5
    )
)
fault("silu: product rule forgotten", activations.SiLU, "slope", _of(activations.SiLU))(slope_is(lambda _, Z, Y: Y / Z))
fault("exp: slope 1", activations.Exp, "slope", _of(activations.Exp))(slope_is(lambda _, __, Y: np.ones_like(Y)))
fault("softplus: its own value", activations.Softplus, "slope", _of(activations.Softplus))(slope_is(lambda _, __, Y: Y))


@fault("softmax: diagonal of the Jacobian only", activations.Softmax, "backward", _of(activations.Softmax))
def _diagonal(_: Any) -> Any:
    return lambda self, Z, Y, dY: dY * Y * (1 - Y)  # noqa: ARG005 -- that is the fault


@fault("softmax: off the diagonal only", activations.Softmax, "backward", _of(activations.Softmax))
def _off_diagonal(_: Any) -> Any:
    return lambda self, Z, Y, dY: -Y * ((dY * Y).sum(axis=-1, keepdims=True) - dY * Y)  # noqa: ARG005 -- that is the fault


# ---- dense ----------------------------------------------------------------------------------------------------------


def change_dense(change: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
    """A maker of `Dense.backward` whose right answer goes through ``change(layer, params, saved, dY, dX, grads)``."""

    def make(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(self: Dense, params: Any, saved: Any, dY: Any, *, want_dX: bool = True) -> Any:
            dX, grads = right(self, params, saved, dY, want_dX=True)
            dX, grads = change(self, params, saved, dY, dX, dict(grads))
            return dX if want_dX else None, grads

        return wrong

    return make


def _square_only() -> Iterator[Case]:
    return cases(["residual in residual"], B=3)  # three units from three inputs: a transposed W still fits


def with_grad(name: str, new: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """A maker of `Dense.backward` with another gradient of one parameter."""

    def change(layer: Dense, _: Any, saved: Any, dY: Any, dX: Any, grads: dict[str, Any]) -> Any:
        if name in grads:
            grads[name] = new(layer, saved, dY, grads[name])
        return dX, grads

    return change_dense(change)


fault("bias forgotten", Dense, "backward")(with_grad("b", lambda _, __, ___, db: 0 * db))
fault("bias averaged over the rows", Dense, "backward")(with_grad("b", lambda _, __, dY, db: db / len(dY)))
fault("bias without the slope", Dense, "backward", partial(cases, B=3))(
    with_grad("b", lambda _, __, dY, ___: dY.sum(axis=0))
)
fault("bias of the first row only", Dense, "backward")(
    with_grad("b", lambda layer, saved, dY, _: layer.f.backward(saved.Z, saved.Y, dY)[0])
)
fault("weights averaged over the rows", Dense, "backward")(with_grad("W", lambda _, __, dY, dW: dW / len(dY)))
fault("weights without the slope", Dense, "backward")(with_grad("W", lambda _, saved, dY, __: saved.X.T @ dY))
fault("weights from the layer's outputs", Dense, "backward", _square_only)(
    with_grad(
        "W",
        lambda layer, saved, dY, dW: saved.Y.T @ layer.f.backward(saved.Z, saved.Y, dY) if dW.shape == (3, 3) else dW,
    )
)
fault("gradient of the weights transposed", Dense, "backward", _square_only)(
    with_grad("W", lambda _, __, ___, dW: dW.T if dW.shape == (3, 3) else dW)
)
fault("gradient of one weight is zero", Dense, "backward")(
    with_grad("W", lambda _, __, ___, dW: dW * (np.arange(dW.size).reshape(dW.shape) > 0))
)


@fault("weights transposed on the way back", Dense, "backward", _square_only)
@change_dense
def _transposed(layer: Dense, params: Any, saved: Any, dY: Any, dX: Any, grads: Any) -> Any:
    W = params["W"]
    return (layer.f.backward(saved.Z, saved.Y, dY) @ W if W.shape == (3, 3) else dX), grads


@fault("hidden gradient from weights already updated", Dense, "backward")
@change_dense
def _updated(layer: Dense, params: Any, saved: Any, dY: Any, _: Any, grads: Any) -> Any:
    return layer.f.backward(saved.Z, saved.Y, dY) @ (params["W"] - 0.1 * grads["W"]).T, grads


@fault("slope forgotten on the way back", Dense, "backward", partial(cases, ["three dense"]))
@change_dense
def _no_slope_back(_: Dense, params: Any, __: Any, dY: Any, ___: Any, grads: Any) -> Any:
    return dY @ params["W"].T, grads


@fault("frozen weights get a gradient", Dense, "backward", partial(cases, ["dense, W frozen"]))
def _frozen_too(right: Any) -> Any:
    return lambda self, *args, **kwargs: right(replace(self, frozen=()), *args, **kwargs)


@fault("sums of the batch before the product", Dense, "backward")
@change_dense
def _outer_of_sums(layer: Dense, _: Any, saved: Any, dY: Any, dX: Any, grads: Any) -> Any:
    dZ = layer.f.backward(saved.Z, saved.Y, dY)
    return dX, {**grads, "W": np.outer(saved.X.sum(axis=0), dZ.sum(axis=0))}


# ---- the other layers -----------------------------------------------------------------------------------------------


def change_dx(change: Callable[..., Any]) -> Callable[..., Any]:
    """A maker of `backward` with another ``dX``: ``change(layer, params, saved, dY, dX)``."""

    def make(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(self: Layer, params: Any, saved: Any, dY: Any, *, want_dX: bool = True) -> Any:
            dX, grads = right(self, params, saved, dY, want_dX=want_dX)
            return change(self, params, saved, dY, dX) if want_dX else None, grads

        return wrong

    return make


fault(
    "activation apart: forgotten on the way back",
    Activation,
    "backward",
    partial(cases, ["activation", "output, activation apart"], SMOOTH, [losses.HalfSquaredError]),
)(change_dx(lambda _, __, ___, dY, ____: dY))

DROPPED = partial(cases, ["dropout first and later"], B=8)
fault("dropout: mask forgotten", Dropout, "backward", DROPPED)(change_dx(lambda _, __, ___, dY, ____: dY))
fault("dropout: scale forgotten", Dropout, "backward", DROPPED)(
    change_dx(lambda _, __, saved, dY, ____: dY * (saved.mask > 0))
)
fault("dropout: another mask", Dropout, "backward", DROPPED)(
    change_dx(
        lambda self, _, __, dY, ___: (
            dY * bernoulli(np, dY.shape, 1 - self.rate, seed=1, stream=0, step=1) / (1 - self.rate)
        )
    )
)
fault("dropout: mask twice", Dropout, "backward", DROPPED)(change_dx(lambda _, __, saved, ___, dX: dX * saved.mask))

BATCH = partial(cases, ["batch norm", "batch norm first"], B=6)
PREDICTED = partial(cases, ["batch norm in prediction"])
LAYER = partial(cases, ["layer norm", "layer norm after, in training"])


def _gamma_times(params: Any, dY: np.ndarray) -> np.ndarray:
    return dY * params["gamma"]


def norm_parts(*, mean: float = 1, variance: float = 1, axis: int = 0) -> Callable[..., Any]:
    """A maker of a norm's `backward` in which the two terms have these factors."""

    def change(_: Norm, params: Any, saved: Any, dY: np.ndarray, __: Any) -> np.ndarray:
        dH = _gamma_times(params, dY)
        through_mean = mean * dH.mean(axis=axis, keepdims=True)
        through_variance = variance * saved.H * (dH * saved.H).mean(axis=axis, keepdims=True)
        return (dH - through_mean - through_variance) * saved.inverse_std

    return change_dx(change)


fault("batch norm: mean held constant", BatchNorm, "backward", BATCH)(norm_parts(mean=0))
fault("batch norm: variance held constant", BatchNorm, "backward", BATCH)(norm_parts(variance=0))
fault("batch norm: both held constant", BatchNorm, "backward", BATCH)(norm_parts(mean=0, variance=0))
fault("batch norm: unbiased variance on the way back", BatchNorm, "backward", BATCH)(norm_parts(variance=6 / 5))
fault("batch norm: over the features", BatchNorm, "backward", BATCH)(norm_parts(axis=1))
fault("batch norm: statistics of the batch in prediction", BatchNorm, "backward", PREDICTED)(norm_parts())
fault("batch norm: gamma forgotten", BatchNorm, "backward", BATCH)(
    change_dx(lambda _, params, __, ___, dX: dX / params["gamma"])
)
fault("batch norm: not divided by std", BatchNorm, "backward", BATCH)(
    change_dx(lambda _, __, saved, ___, dX: dX / saved.inverse_std)
)
fault("layer norm: mean held constant", LayerNorm, "backward", LAYER)(norm_parts(mean=0, axis=1))
fault("layer norm: variance held constant", LayerNorm, "backward", LAYER)(norm_parts(variance=0, axis=1))
fault("layer norm: over the rows of the batch", LayerNorm, "backward", LAYER)(norm_parts(axis=0))


def norm_grads(change: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """A maker of a norm's `backward` with other gradients of its parameters: ``change(saved, dY, grads)``."""

    def make(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(self: Norm, params: Any, saved: Any, dY: Any, **kwargs: Any) -> Any:
            dX, grads = right(self, params, saved, dY, **kwargs)
            return dX, change(saved, dY, grads)

        return wrong

    return make


fault(
    "norm: gamma's gradient from what was not normalised",
    Norm,
    "_backward",
    partial(cases, ["batch norm in prediction", "layer norm"]),
)(norm_grads(lambda saved, dY, grads: {**grads, "gamma": (dY * (saved.H / saved.inverse_std)).sum(axis=0)}))
fault("norm: beta's gradient averaged", Norm, "_backward", partial(cases, ["batch norm", "layer norm"]))(
    norm_grads(lambda _, dY, grads: {**grads, "beta": dY.mean(axis=0)})
)

AROUND = partial(cases, ["residual in residual", "residual"])
fault("residual: shortcut forgotten", Residual, "backward", AROUND)(change_dx(lambda _, __, ___, dY, dX: dX - dY))
fault("residual: nothing but the shortcut", Residual, "backward", AROUND)(change_dx(lambda _, __, ___, dY, ____: dY))
fault("residual: shortcut twice", Residual, "backward", AROUND)(change_dx(lambda _, __, ___, dY, dX: dX + dY))


@fault(
    "layers: each gets the loss's own gradient",
    Composite,
    "_backward",
    partial(cases, ["activation"], [activations.Sigmoid], [losses.HalfSquaredError], O=3),
)
def _not_handed_on(_: Any) -> Any:
    def wrong(self: Composite, params: Any, saved: Any, dY: Any, *, want_dX: bool) -> Any:  # noqa: ARG001 -- the contract
        pairs = enumerate(zip(self.layers, saved, strict=True))
        results = [layer.backward(params.get(i, {}), own, dY) for i, (layer, own) in pairs]
        return results[0][0], {i: grads for i, (_, grads) in enumerate(results)}

    return wrong


# ---- penalties and the vector ---------------------------------------------------------------------------------------


def change_penalty(change: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """A maker of `Objective.penalty` with ``change(objective, theta, slope)`` as the gradient."""

    def make(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(self: Objective, theta: np.ndarray) -> Any:
            value, slope = right(self, theta)
            return value, change(self, theta, slope)

        return wrong

    return make


def penalised(l1: float, l2: float) -> Callable[[], Iterator[Case]]:
    return partial(cases, penalties=(l1, l2))


fault("l2 doubled", Objective, "penalty", penalised(0, 0.3))(change_penalty(lambda _, __, slope: 2 * slope))
fault("l2 on biases", Objective, "penalty", penalised(0, 0.3))(change_penalty(lambda self, theta, _: self.l2 * theta))
fault("l1 on biases", Objective, "penalty", penalised(0.3, 0))(
    change_penalty(lambda self, theta, _: self.l1 * np.sign(theta))
)
fault("l1 with the slope of l2", Objective, "penalty", penalised(0.3, 0))(
    change_penalty(lambda self, theta, _: self.l1 * theta * self.layout.weights("float64"))
)
fault("penalties forgotten", Objective, "penalty", penalised(0.02, 0.2))(change_penalty(lambda _, __, slope: 0 * slope))
fault("penalties on frozen weights", Objective, "penalty", partial(cases, ["dense, W frozen"], penalties=(0.02, 0.2)))(
    change_penalty(lambda self, theta, _: (self.l1 * np.sign(theta) + self.l2 * theta) * self.layout.weights("float64"))
)


@fault("gradients accumulated from call to call", Layout, "join")
def _accumulated(right: Any) -> Any:
    def wrong(self: Layout, grads: Any, like: Any) -> Any:
        self.kept = getattr(self, "kept", 0) + right(self, grads, like)
        return self.kept

    return wrong


@fault("theta in another order than the gradient", Layout, "join")
def _reversed(right: Any) -> Any:
    return lambda self, grads, like: right(self, grads, like)[::-1]
