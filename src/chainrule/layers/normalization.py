"""Batch norm and layer norm: the same arithmetic over the other axis."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from msgspec.structs import force_setattr

from chainrule import checks, initializers
from chainrule.arrays import Array, namespace
from chainrule.layers.interface import Layer, Mode, Parameter, Params, Shape, frozen_names, vector_size


class NormSaved(NamedTuple):
    """What a norm keeps: ``H = (X - mean) / std`` ``(B, I)``, 1/std, and the mean and variance that it used.

    `fixed` is true where they were the running averages, which do not depend on ``X``.
    """

    H: Array
    inverse_std: Array
    mean: Array
    variance: Array
    fixed: bool


class Norm(Layer, frozen=True):
    """What both norms share: ``Y = gamma * H + beta``."""

    epsilon: float = 1e-5
    frozen: tuple[str, ...] = ()

    PARAMETERS: ClassVar[tuple[str, ...]] = ("gamma", "beta")
    over_rows: ClassVar[bool] = False  # whether mean and variance are those of a feature over the rows of the batch

    def __post_init__(self) -> None:
        force_setattr(self, "epsilon", checks.positive(self.epsilon, "epsilon", where=self.kind))
        force_setattr(self, "frozen", frozen_names(self.frozen, self.PARAMETERS, where=self.kind))

    @property
    def formulas(self) -> dict[str, str]:
        return {
            "mu": "mean of X over the rows" if self.over_rows else "mean of X over the features",
            "var": "mean of (X - mu)^2",
            "H": "(X - mu) / sqrt(var + epsilon)",
            "Y": "gamma * H + beta",
            "dgamma": "sum_i dY_i * H_i",
            "dbeta": "sum_i dY_i",
            "dX": "(dH - mean dH - H * mean (dH * H)) / sqrt(var + epsilon), dH = dY * gamma",
        }

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        I = vector_size(self, shape)
        ones, zeros = initializers.Constant(1.0), initializers.Zeros()
        return (
            Parameter("gamma", (I,), "scale", ones, I, I, trainable="gamma" not in self.frozen),
            Parameter("beta", (I,), "shift", zeros, I, I, trainable="beta" not in self.frozen),
        )

    def _forward(
        self, params: Params, X: Array, mean: Array, variance: Array, *, fixed: bool
    ) -> tuple[Array, NormSaved]:
        inverse_std = 1 / namespace(X).sqrt(variance + self.epsilon)
        H = (X - mean) * inverse_std
        return params["gamma"] * H + params["beta"], NormSaved(H, inverse_std, mean, variance, fixed)

    def _backward(
        self, params: Params, saved: NormSaved, dY: Array, *, axis: int, want_dX: bool
    ) -> tuple[Array | None, dict[Any, Any]]:
        """``dX = (dH - mean dH - H * mean (dH * H)) / std`` with ``dH = dY * gamma``; means over that axis."""
        xp = namespace(dY)
        every = {"gamma": xp.sum(dY * saved.H, axis=0), "beta": xp.sum(dY, axis=0)}
        grads = {name: grad for name, grad in every.items() if name not in self.frozen}
        if not want_dX:
            return None, grads
        dH = dY * params["gamma"]
        if not saved.fixed:
            through_mean = xp.mean(dH, axis=axis, keepdims=True)
            through_variance = saved.H * xp.mean(dH * saved.H, axis=axis, keepdims=True)
            dH = dH - through_mean - through_variance
        return dH * saved.inverse_std, grads


class BatchNorm(Norm, frozen=True, tag="batch_norm"):
    """Each feature gets mean 0 and variance 1 over the rows of the batch: ``Y = gamma * (X - mean) / std + beta``.

    Ioffe, Szegedy, "Batch Normalization" (2015), algorithms 1 and 2. The variance that normalises is the biased one
    (1/B); the running averages, used in prediction, take the unbiased one (1/(B - 1)) as the paper does, and change by
    ``running = momentum * running + (1 - momentum) * batch``. Sources disagree: Keras averages the biased one, with
    momentum 0.99; PyTorch calls 1 - momentum "momentum", with 0.1. With B = 1, ``Y = beta``.

    Args:
        momentum: how slowly the running averages move, 0 <= momentum < 1.
        epsilon: added to the variance.
        frozen: parameters left as they are: ``("gamma",)``, ``("gamma", "beta")``.

    Raises:
        ArgumentError: when an argument is none of these.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.Dense(3, "relu"), cr.BatchNorm(), cr.Dense(2, "softmax")], n_inputs=4)
    >>> list(net.parameters)[2:6]
    ['batch_norm_1.gamma', 'batch_norm_1.beta', 'batch_norm_1.mean', 'batch_norm_1.variance']
    """

    momentum: float = 0.9
    over_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "momentum", checks.share(self.momentum, "momentum", where=self.kind))

    @property
    def has_modes(self) -> bool:
        return True

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        I = vector_size(self, shape)
        return (
            *super().parameters(shape),
            Parameter("mean", (I,), "state", initializers.Zeros(), I, I, trainable=False),
            Parameter("variance", (I,), "state", initializers.Constant(1.0), I, I, trainable=False),
        )

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, NormSaved]:
        if not mode.training:
            return self._forward(params, X, params["mean"], params["variance"], fixed=True)
        xp = namespace(X)
        return self._forward(params, X, xp.mean(X, axis=0), xp.var(X, axis=0), fixed=False)

    def backward(
        self, params: Params, saved: NormSaved, dY: Array, *, want_dX: bool = True
    ) -> tuple[Array | None, dict[Any, Any]]:
        return self._backward(params, saved, dY, axis=0, want_dX=want_dX)

    def new_state(self, params: Params, saved: NormSaved) -> dict[Any, Any]:
        B, m = saved.H.shape[0], self.momentum
        unbiased = saved.variance * (B / (B - 1)) if B > 1 else saved.variance
        return {
            "mean": m * params["mean"] + (1 - m) * saved.mean,
            "variance": m * params["variance"] + (1 - m) * unbiased,
        }


class LayerNorm(Norm, frozen=True, tag="layer_norm"):
    """Each row gets mean 0 and variance 1 over its features: ``Y = gamma * (X - mean) / std + beta``.

    Ba, Kiros, Hinton, "Layer Normalization" (2016), eq. 3. The same in training and prediction, for any B.

    Args:
        epsilon: added to the variance.
        frozen: parameters left as they are: ``("gamma",)``, ``("gamma", "beta")``.

    Raises:
        ArgumentError: when an argument is none of these.

    >>> import chainrule as cr
    >>> net = cr.Network([cr.LayerNorm()], "mean_squared_error", n_inputs=2, dtype="float64")
    >>> net.forward([[1.0, 3.0], [10.0, 30.0]]).round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def forward(self, params: Params, X: Array, mode: Mode) -> tuple[Array, NormSaved]:  # noqa: ARG002 -- always the same
        xp = namespace(X)
        mean, variance = xp.mean(X, axis=1, keepdims=True), xp.var(X, axis=1, keepdims=True)
        return self._forward(params, X, mean, variance, fixed=False)

    def backward(
        self, params: Params, saved: NormSaved, dY: Array, *, want_dX: bool = True
    ) -> tuple[Array | None, dict[Any, Any]]:
        return self._backward(params, saved, dY, axis=1, want_dX=want_dX)
