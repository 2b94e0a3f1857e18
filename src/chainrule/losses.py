"""Losses: value and gradient from one function, so that they cannot drift apart.

A loss compares the outputs ``Y (B, O)`` of a network with targets ``T (B, O)``. `rows` gives the loss l of each row
and dl/dY; `value_and_gradient` aggregates them over the rows, and here alone stands the 1/B:

    L = 1/B sum_i w_i l_i   with ``reduction="mean"``,      L = sum_i w_i l_i   with ``reduction="sum"``,

with sample weights w_i = 1 unless given. (Some libraries divide by sum_i w_i instead; here a row of weight 2 counts as
two such rows do, but B stays the number of rows.)
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias, get_args

import msgspec
from msgspec.structs import force_setattr

from chainrule import checks
from chainrule.arrays import Array, namespace, total
from chainrule.errors import ArgumentError, ShapeError, unknown_name

Reduction: TypeAlias = Literal["mean", "sum"]


class Loss(msgspec.Struct, frozen=True, tag_field="name"):
    """What every loss offers; each defines `rows`.

    Attributes:
        reduction: ``"mean"`` or ``"sum"`` over the rows of a batch.
        fuses_with: the name of the activation with which it forms a pair whose gradient is simpler than its parts.
        for_classes: whether its targets are classes rather than values.
        formula: the loss of one row, as it is written in what people read.
        slope_formula: dl/dy_o likewise; of a fused pair dl/dz_o, where y_o is the output of the activation.
        averages: whether the loss of a row is the mean over its outputs, not the sum.
    """

    reduction: Reduction = "mean"
    fuses_with: ClassVar[str] = ""
    for_classes: ClassVar[bool] = False
    formula: ClassVar[str] = ""
    slope_formula: ClassVar[str] = ""
    averages: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(self.reduction, str) or self.reduction not in get_args(Reduction):
            raise ArgumentError("reduction", where=self.name, expected="'mean' or 'sum'", got=self.reduction)

    @property
    def name(self) -> str:
        """The name by which `get` finds it."""
        return str(type(self).__struct_config__.tag)

    @property
    def kinks(self) -> tuple[float, ...]:
        """The places of ``y - t`` at which the slope jumps or bends; a finite difference across one is not exact."""
        return ()

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        """The loss of each row, ``l (B,)``, and its gradient dl/dY ``(B, O)``."""
        raise NotImplementedError

    def terms(self, Y: Array, T: Array) -> Array:
        """The share of each output in the loss of its row, ``(B, O)``; every loss is a sum over the outputs.

        >>> import numpy as np
        >>> MeanSquaredError().terms(np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]]))
        array([[2. , 0.5]])
        """
        apart, _ = self.rows(Y.reshape((-1, 1)), T.reshape((-1, 1)))
        return apart.reshape(Y.shape) * (1 / Y.shape[1] if self.averages else 1.0)

    def value_and_gradient(self, Y: Array, T: Array, weights: Array | None = None) -> tuple[Array, Array]:
        """``L`` (a scalar) and ``dL/dY (B, O)``.

        Args:
            Y: outputs ``(B, O)``.
            T: targets ``(B, O)``; nothing is broadcast.
            weights: one weight for each row ``(B,)``.

        Raises:
            ShapeError: when the shapes differ.

        >>> import numpy as np
        >>> value, dY = HalfSquaredError().value_and_gradient(np.array([[0.75, 0.5]]), np.array([[0.0, 1.0]]))
        >>> float(value), dY.tolist()
        (0.40625, [[0.75, -0.5]])
        """
        if Y.shape != T.shape:
            raise ShapeError("targets", where=self.name, expected=f"shape {Y.shape} like the outputs", got=T.shape)
        losses, dY = self.rows(Y, T)
        scale = 1 / Y.shape[0] if self.reduction == "mean" else 1.0
        if weights is None:
            return total(losses) * scale, dY * scale
        if weights.shape != losses.shape:
            raise ShapeError("sample weights", where=self.name, expected=f"shape {losses.shape}", got=weights.shape)
        scaled = weights * scale
        return total(losses * scaled), dY * scaled[:, None]

    def fused(self) -> Loss:
        """The loss of the pair, a function of the logits ``Z``; only where `fuses_with` names an activation."""
        raise NotImplementedError


class HalfSquaredError(Loss, frozen=True, tag="half_squared_error"):
    """l = 1/2 sum_o (y_o - t_o)^2, dl/dy_o = y_o - t_o. The loss of most derivations by hand.

    >>> import numpy as np
    >>> losses, dY = HalfSquaredError().rows(np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([2.5], [[2.0, -1.0]])
    """

    formula: ClassVar[str] = "1/2 sum_o (y_o - t_o)^2"
    slope_formula: ClassVar[str] = "y_o - t_o"

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        D = Y - T
        return 0.5 * total(D * D, axis=1), D


class MeanSquaredError(Loss, frozen=True, tag="mean_squared_error"):
    """l = 1/O sum_o (y_o - t_o)^2, dl/dy_o = 2/O (y_o - t_o).

    >>> import numpy as np
    >>> losses, dY = MeanSquaredError().rows(np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([2.5], [[2.0, -1.0]])
    """

    formula: ClassVar[str] = "1/O sum_o (y_o - t_o)^2"
    slope_formula: ClassVar[str] = "2/O (y_o - t_o)"
    averages: ClassVar[bool] = True

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        D, O = Y - T, Y.shape[1]
        return (1 / O) * total(D * D, axis=1), (2 / O) * D


class MeanAbsoluteError(Loss, frozen=True, tag="mean_absolute_error"):
    """l = 1/O sum_o |y_o - t_o|, dl/dy_o = 1/O sign(y_o - t_o), 0 where they are equal.

    >>> import numpy as np
    >>> losses, dY = MeanAbsoluteError().rows(np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([1.5], [[0.5, -0.5]])
    """

    formula: ClassVar[str] = "1/O sum_o |y_o - t_o|"
    slope_formula: ClassVar[str] = "1/O sign(y_o - t_o)"
    averages: ClassVar[bool] = True

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp, O = namespace(Y), Y.shape[1]
        D = Y - T
        return xp.mean(xp.abs(D), axis=1), (1 / O) * xp.sign(D)


class Huber(Loss, frozen=True, tag="huber"):
    """l = 1/O sum_o h(y_o - t_o), h(d) = d^2/2 for |d| <= delta, else delta (|d| - delta/2).

    dl/dy_o = 1/O clip(y_o - t_o, -delta, delta). Huber, "Robust Estimation of a Location Parameter" (1964), section 3.

    >>> import numpy as np
    >>> losses, dY = Huber(delta=1.0).rows(np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([1.0], [[0.5, -0.5]])
    """

    delta: float = 1.0
    formula: ClassVar[str] = "1/O sum_o h(y_o - t_o)"
    slope_formula: ClassVar[str] = "1/O clip(y_o - t_o, -delta, delta)"
    averages: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "delta", checks.positive(self.delta, "delta", where="huber"))

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.delta, self.delta)

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp, O = namespace(Y), Y.shape[1]
        D = Y - T
        C = xp.clip(D, -self.delta, self.delta)
        h = C * (D - 0.5 * C)  # d^2/2 where C = D, else delta (|d| - delta/2), for either sign
        return xp.mean(h, axis=1), (1 / O) * C


class Quantile(Loss, frozen=True, tag="quantile"):
    """l = 1/O sum_o max(q (t_o - y_o), (1 - q) (y_o - t_o)), for the quantile q = `level`, 0 < q < 1.

    dl/dy_o = 1/O (1 - q where y_o > t_o, -q where y_o < t_o, 0 where they are equal). The output that minimises it is
    the value below which a share q of the targets lies; half the absolute error at q = 1/2. Koenker & Bassett,
    "Regression Quantiles" (1978), eq. 3.1.

    >>> import numpy as np
    >>> losses, dY = Quantile(level=0.75).rows(np.array([[3.0, 0.0]]), np.array([[1.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([0.625], [[0.125, -0.375]])
    """

    level: float = 0.5
    formula: ClassVar[str] = "1/O sum_o max(q (t_o - y_o), (1 - q) (y_o - t_o))"
    slope_formula: ClassVar[str] = "1/O ((1 - q) if y_o > t_o else -q)"
    averages: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        level = checks.number(
            self.level, "level", where="quantile", expected="a number between 0 and 1", fits=lambda q: 0 < q < 1
        )
        force_setattr(self, "level", level)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (0.0,)

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp, O = namespace(Y), Y.shape[1]
        D = Y - T
        S = xp.sign(D)
        slope = 0.5 * S + (0.5 - self.level) * xp.abs(S)  # 1 - q above the target, -q below, 0 at it
        return xp.mean(slope * D, axis=1), (1 / O) * slope


class Poisson(Loss, frozen=True, tag="poisson"):
    """l = 1/O sum_o (y_o - t_o log y_o), dl/dy_o = 1/O (1 - t_o / y_o): counts t_o with expected value y_o > 0.

    The negative log-likelihood without log t_o!, which no weight changes. An output below 1e-31 (float64: 1e-292)
    counts as that. Use softplus outputs.

    >>> import numpy as np
    >>> losses, dY = Poisson().rows(np.array([[2.0, 1.0]]), np.array([[2.0, 3.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([0.807], [[0.0, -1.0]])
    """

    formula: ClassVar[str] = "1/O sum_o (y_o - t_o log y_o)"
    slope_formula: ClassVar[str] = "1/O (1 - t_o / y_o)"
    averages: ClassVar[bool] = True

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp, O = namespace(Y), Y.shape[1]
        P, inside = _at_least_tiny(Y)
        return xp.mean(Y - T * xp.log(P), axis=1), (1 / O) * (1 - inside * T / P)


class CrossEntropy(Loss, frozen=True, tag="cross_entropy"):
    """l = -sum_k t_k log y_k = -log y[true class], dl/dy_k = -t_k / y_k; rows of ``T`` are one-hot, or sum to 1.

    With softmax outputs the pair is computed from the logits (see `SoftmaxCrossEntropy`). A probability below 1e-31
    (float64: 1e-292) counts as that.

    >>> import numpy as np
    >>> losses, dY = CrossEntropy().rows(np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([0.288], [[-0.0, -1.333]])
    """

    fuses_with: ClassVar[str] = "softmax"
    for_classes: ClassVar[bool] = True
    formula: ClassVar[str] = "-sum_k t_k log y_k"
    slope_formula: ClassVar[str] = "-t_o / y_o"

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp = namespace(Y)
        P, inside = _at_least_tiny(Y)
        return -total(T * xp.log(P), axis=1), -inside * T / P

    def fused(self) -> SoftmaxCrossEntropy:
        return SoftmaxCrossEntropy(reduction=self.reduction)


class SoftmaxCrossEntropy(Loss, frozen=True, tag="softmax_cross_entropy"):
    """Softmax and cross-entropy as one function of the logits: l = log sum_j exp(z_j) - sum_k t_k z_k.

    dl/dz_k = p_k - t_k. The softmax's Jacobian and the cross-entropy's 1/p cancel: no log(0), no overflow. The
    objective puts it in place of the two: what it takes as ``Y`` are the logits; rows of ``T`` sum to 1.

    >>> import numpy as np
    >>> losses, dY = SoftmaxCrossEntropy().rows(np.array([[2.0, 2.0]]), np.array([[0.0, 1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([0.693], [[0.5, -0.5]])
    """

    for_classes: ClassVar[bool] = True
    formula: ClassVar[str] = "log sum_j exp(z_j) - sum_k t_k z_k"
    slope_formula: ClassVar[str] = "y_o - t_o"

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp = namespace(Y)
        Z = Y - xp.max(Y, axis=1, keepdims=True)  # changes neither l nor p; the largest exponential is 1
        E = xp.exp(Z)
        S = total(E, axis=1, keepdims=True)
        return xp.log(S[:, 0]) - total(T * Z, axis=1), E / S - T


class BinaryCrossEntropy(Loss, frozen=True, tag="binary_cross_entropy"):
    """l = -sum_o (t_o log y_o + (1 - t_o) log(1 - y_o)), for t_o in [0, 1].

    dl/dy_o = (y_o - t_o) / (y_o (1 - y_o)). With sigmoid outputs the pair is computed from the logits (see
    `SigmoidCrossEntropy`). Probabilities outside [e, 1 - e], with e the spacing of numbers at 1, count as e or 1 - e.

    >>> import numpy as np
    >>> losses, dY = BinaryCrossEntropy().rows(np.array([[0.25]]), np.array([[1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([1.386], [[-4.0]])
    """

    fuses_with: ClassVar[str] = "sigmoid"
    for_classes: ClassVar[bool] = True
    formula: ClassVar[str] = "-sum_o (t_o log y_o + (1 - t_o) log(1 - y_o))"
    slope_formula: ClassVar[str] = "(y_o - t_o) / (y_o (1 - y_o))"

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp = namespace(Y)
        e = float(xp.finfo(Y.dtype).eps)
        P = xp.clip(Y, e, 1 - e)
        inside = xp.astype(P == Y, Y.dtype)
        losses = -total(T * xp.log(P) + (1 - T) * xp.log1p(-P), axis=1)
        return losses, inside * (P - T) / (P * (1 - P))

    def fused(self) -> SigmoidCrossEntropy:
        return SigmoidCrossEntropy(reduction=self.reduction)


class SigmoidCrossEntropy(Loss, frozen=True, tag="sigmoid_cross_entropy"):
    """Sigmoid and binary cross-entropy as one function of the logits: l = sum_o (log(1 + exp(z_o)) - t_o z_o).

    dl/dz_o = p_o - t_o. What it takes as ``Y`` are the logits.

    >>> import numpy as np
    >>> losses, dY = SigmoidCrossEntropy().rows(np.array([[0.0]]), np.array([[1.0]]))
    >>> losses.round(3).tolist(), dY.round(3).tolist()
    ([0.693], [[-0.5]])
    """

    for_classes: ClassVar[bool] = True
    formula: ClassVar[str] = "sum_o (log(1 + exp(z_o)) - t_o z_o)"
    slope_formula: ClassVar[str] = "y_o - t_o"

    def rows(self, Y: Array, T: Array) -> tuple[Array, Array]:
        xp = namespace(Y)
        E = xp.exp(-xp.abs(Y))  # in (0, 1]: no overflow for either sign
        P = xp.where(Y >= 0, 1.0, E) / (1 + E)
        return total(xp.maximum(Y, 0) + xp.log1p(E) - T * Y, axis=1), P - T


AnyLoss: TypeAlias = (
    HalfSquaredError
    | MeanSquaredError
    | MeanAbsoluteError
    | Huber
    | Quantile
    | Poisson
    | CrossEntropy
    | BinaryCrossEntropy
)

_BY_NAME: dict[str, type[Loss]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyLoss)}


def names() -> tuple[str, ...]:
    """The names of all losses, in the order of this file."""
    return tuple(_BY_NAME)


def get(loss: str | Loss, *, where: str = "") -> Any:
    """The loss of that name, or the object itself.

    Raises:
        ArgumentError: for an unknown name or another type.

    >>> get("cross_entropy"), get(Huber(delta=2.0))
    (CrossEntropy(reduction='mean'), Huber(reduction='mean', delta=2.0))
    """
    if isinstance(loss, Loss):
        return loss
    if not isinstance(loss, str):
        raise ArgumentError("loss", where=where, expected="a name or a loss", got=loss)
    if loss not in _BY_NAME:
        raise unknown_name("loss", loss, _BY_NAME, where=where)
    return _BY_NAME[loss]()


def _at_least_tiny(Y: Array) -> tuple[Array, Array]:
    """``max(Y, tiny)`` and 1 where Y was above it, 0 elsewhere: there the clipped function is flat.

    The smallest normal number over eps, so that t / y overflows for no count t below 1/eps.
    """
    xp = namespace(Y)
    limits = xp.finfo(Y.dtype)
    tiny = float(limits.smallest_normal) / float(limits.eps)
    above = tiny < Y
    return xp.maximum(Y, tiny), xp.astype(above, Y.dtype)
