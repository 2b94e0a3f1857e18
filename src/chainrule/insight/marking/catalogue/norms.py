"""Mistakes in batch norm and layer norm, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake, Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.arrays import Array
    from chainrule.insight.marking.mistake import Where
    from chainrule.insight.marking.variant import Variant
    from chainrule.insight.passes import Node
    from chainrule.layers.normalization import NormSaved

_H_IS, _DX_IS = "H = (X - mu) / sqrt(var + epsilon)", "dX = (dH - mean dH - H mean (dH H)) / sqrt(var + epsilon)"

_VARIANCE_IS = "var = 1/N sum (X - mu)^2"


def _own(node: Node) -> None:
    """Go on only where mean and variance are those of these very numbers."""
    if node.saved.fixed:
        raise InapplicableError


def _axis(node: Node) -> int:
    """Along which the means are taken."""
    return 0 if node.layer.over_rows else 1  # type: ignore[attr-defined] # a Norm


def _epsilon(node: Node) -> float:
    return node.layer.epsilon  # type: ignore[attr-defined, no-any-return] # a Norm


# ---- forward --------------------------------------------------------------------------------------------------------


def _normed(node: Node, mean: Any, std: Any, saved: NormSaved) -> tuple[Array, NormSaved]:
    """Output and record with another mean or another divisor."""
    H = (node.X - mean) / std
    return node.params["gamma"] * H + node.params["beta"], saved._replace(H=H, inverse_std=1 / std)


def _divided(std: Callable[[Array, float], Array]) -> Change:
    """Divided by something else than the root, from variance and epsilon."""
    return lambda _, node, right: _normed(
        node, right[1].mean, std(right[1].variance, _epsilon(node)), right[1]
    )  # fmt: skip


def _unbiased(_: Variant, node: Node, right: tuple[Array, NormSaved]) -> tuple[Array, NormSaved]:
    n = node.X.shape[_axis(node)]
    if right[1].fixed or n < 2:
        raise InapplicableError
    saved = right[1]._replace(variance=right[1].variance * (n / (n - 1)))
    return _normed(node, saved.mean, np.sqrt(saved.variance + _epsilon(node)), saved)


def _not_centred(_: Variant, node: Node, right: tuple[Array, NormSaved]) -> tuple[Array, NormSaved]:
    return _normed(node, 0.0, 1 / right[1].inverse_std, right[1])


def _other_axis(_: Variant, node: Node, right: tuple[Array, NormSaved]) -> tuple[Array, NormSaved]:
    if right[1].fixed:
        raise InapplicableError
    axis = 1 - _axis(node)
    mean, variance = node.X.mean(axis=axis, keepdims=True), node.X.var(axis=axis, keepdims=True)
    return _normed(node, mean, np.sqrt(variance + _epsilon(node)), right[1])


def _other_averages(_: Variant, node: Node, right: tuple[Array, NormSaved]) -> tuple[Array, NormSaved]:
    """The running averages for those of the batch, or the other way round."""
    mean, variance = node.params["mean"], node.params["variance"]
    if right[1].fixed:
        mean, variance = node.X.mean(axis=0), node.X.var(axis=0)
    saved = right[1]._replace(mean=mean, variance=variance, fixed=not right[1].fixed)
    return _normed(node, mean, np.sqrt(variance + _epsilon(node)), saved)


def _scale_left_out(_: Variant, node: Node, right: tuple[Array, NormSaved]) -> tuple[Array, NormSaved]:
    return right[1].H + node.params["beta"], right[1]


def _shift_left_out(_: Variant, node: Node, right: tuple[Array, NormSaved]) -> tuple[Array, NormSaved]:
    return node.params["gamma"] * right[1].H, right[1]


# ---- backward -------------------------------------------------------------------------------------------------------


def _handed(
    node: Node,
    *,
    mean: bool = True,
    variance: bool = True,
    gamma: bool = True,
    std: bool = True,
    axis: int | None = None,
    n: int = 0,
) -> Array:
    """``dX`` with these parts of the formula; `n` numbers in a mean, where it is not their count."""
    saved, axis = node.saved, _axis(node) if axis is None else axis
    dH = node.dY * (node.params["gamma"] if gamma else 1.0)
    count = n or dH.shape[axis]
    dX = dH
    if mean:
        dX = dX - dH.mean(axis=axis, keepdims=True)
    if variance:
        dX = dX - saved.H * (dH * saved.H).sum(axis=axis, keepdims=True) / count
    return dX * saved.inverse_std if std else dX


def _back(**parts: bool) -> Change:
    def change(_: Variant, node: Node, right: tuple[Array, dict[str, Array]]) -> tuple[Array, dict[str, Array]]:
        _own(node)
        return _handed(node, **parts), right[1]

    return change


def _back_over_other_axis(_: Variant, node: Node, right: tuple[Array, Any]) -> tuple[Array, Any]:
    return _handed(node, axis=1 - _axis(node)), right[1]


def _back_unbiased(_: Variant, node: Node, right: tuple[Array, Any]) -> tuple[Array, Any]:
    _own(node)
    return _handed(node, n=node.X.shape[_axis(node)] - 1), right[1]


def _gradient(name: str, made: Callable[[Variant, Node, Array], Array]) -> Change:
    """Another gradient of one parameter, from what is right."""

    def change(step: Variant, node: Node, right: tuple[Array, Any]) -> tuple[Array, Any]:
        return right[0], right[1] | {name: made(step, node, right[1][name])}

    return change


def _rows(step: Variant) -> int:
    if step.B == 1:
        raise InapplicableError
    return step.B


# ---- running averages -----------------------------------------------------------------------------------------------


def _moved(change: Callable[[Node, dict[str, Array]], dict[str, Array]]) -> Change:
    return lambda _, node, right: change(node, right)


def _swapped(node: Node, _: dict[str, Array]) -> dict[str, Array]:
    """Momentum in place of 1 - momentum; the variance as the layer has it."""
    layer: Any = node.layer
    from_momentum = type(layer)(momentum=1 - layer.momentum, epsilon=layer.epsilon) if layer.momentum else None
    if from_momentum is None:
        raise InapplicableError
    found: dict[str, Array] = from_momentum.new_state(node.params, node.saved)
    return found


def _biased(node: Node, right: dict[str, Array]) -> dict[str, Array]:
    m: float = node.layer.momentum  # type: ignore[attr-defined] # a BatchNorm
    return right | {"variance": m * node.params["variance"] + (1 - m) * node.saved.variance}


def _still(node: Node, _: dict[str, Array]) -> dict[str, Array]:
    return {name: node.params[name] for name in ("mean", "variance")}


# ---- the list -------------------------------------------------------------------------------------------------------


def _of(where: Where) -> Iterator[Mistake]:
    """The mistakes of one kind of norm."""
    over = "the rows" if where == "batch_norm" else "the features"
    other = "the features of each row" if where == "batch_norm" else "the rows"
    entries: tuple[tuple[str, str, str, dict[Point, Change]], ...] = (
        ("not through the mean", "the way back through the mean was left out", _DX_IS,
         {"through": _back(mean=False)}),
        ("not through the variance", "the way back through the variance was left out", _DX_IS,
         {"through": _back(variance=False)}),
        ("mean and variance as constants", "mean and variance were taken as constants on the way back", _DX_IS,
         {"through": _back(mean=False, variance=False)}),
        ("gamma not on the way back", "gamma was left out on the way back", _DX_IS, {"through": _back(gamma=False)}),
        ("not divided on the way back", "it was not divided by sqrt(var + epsilon) on the way back", _DX_IS,
         {"through": _back(std=False)}),
        ("not on the way back", "what came back was handed on as it was", _DX_IS,
         {"through": lambda _, node, right: (node.dY, right[1])}),
        ("N - 1 in the variance", f"the variance over {over} was divided by N - 1 instead of N",
         _VARIANCE_IS, {"layer": _unbiased, "state": _moved(_biased)}),
        ("N - 1 in the variance, and in its slope",
         f"the variance over {over} was divided by N - 1 instead of N, on the way back too",
         _VARIANCE_IS, {"layer": _unbiased, "through": _back_unbiased, "state": _moved(_biased)}),
        ("epsilon forgotten", "epsilon was forgotten", _H_IS, {"layer": _divided(lambda v, _: np.sqrt(v))}),
        ("epsilon outside the root", "epsilon was added outside the root", _H_IS,
         {"layer": _divided(lambda v, e: np.sqrt(v) + e)}),
        ("no root", "it was divided by the variance instead of its root", _H_IS,
         {"layer": _divided(lambda v, e: v + e)}),
        ("mean not subtracted", "the mean was not subtracted", _H_IS, {"layer": _not_centred}),
        ("over the wrong axis", f"mean and variance were taken over {other} instead of {over}", _H_IS,
         {"layer": _other_axis, "through": _back_over_other_axis}),
        ("gamma left out", "the scale gamma was left out", "Y = gamma H + beta", {"layer": _scale_left_out}),
        ("beta left out", "the shift beta was left out", "Y = gamma H + beta", {"layer": _shift_left_out}),
        ("dgamma of X", "dgamma was made from X instead of H", "dgamma = sum_i dY_i H_i",
         {"through": _gradient("gamma", lambda _, node, __: (node.dY * node.X).sum(axis=0))}),
        ("dgamma without H", "dgamma is the sum of dY: the factor H is missing", "dgamma = sum_i dY_i H_i",
         {"through": _gradient("gamma", lambda _, node, __: node.dY.sum(axis=0))}),
        ("dgamma averaged", "dgamma was averaged over the rows, not summed", "dgamma = sum_i dY_i H_i",
         {"through": _gradient("gamma", lambda s, _, right: right / _rows(s))}),
        ("dbeta averaged", "dbeta was averaged over the rows, not summed", "dbeta = sum_i dY_i",
         {"through": _gradient("beta", lambda s, _, right: right / _rows(s))}),
    )  # fmt: skip
    words = where.replace("_", " ")
    for name, says, right, changes in entries:
        yield Mistake(f"{words}: {name}", says, right, changes, where)


_RUNNING_IS = "running = momentum running + (1 - momentum) batch, with the variance over B - 1"

_AVERAGES: tuple[tuple[str, str, str, Point, Change], ...] = (
    ("running averages in training", "the batch's mean and variance and the running ones were exchanged",
     "the batch's in training, the running ones in prediction", "layer", _other_averages),
    ("momentum of the wrong one", "momentum and 1 - momentum were exchanged in the running averages", _RUNNING_IS,
     "state", _moved(_swapped)),
    ("running variance over N", "the running variance took the batch's over B, not over B - 1", _RUNNING_IS, "state",
     _moved(_biased)),
    ("running averages not moved", "the running averages stayed as they were", _RUNNING_IS, "state", _moved(_still)),
)  # fmt: skip

NORMS = (
    *_of("batch_norm"),
    *_of("layer_norm"),
    *(
        Mistake(f"batch norm: {name}", says, right, {point: change}, "batch_norm")
        for name, says, right, point, change in _AVERAGES
    ),
)
