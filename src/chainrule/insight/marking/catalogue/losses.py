"""Mistakes in the loss, in its slope, and in penalties: scale, sign and formula."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.activations import Softmax
from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake, Point
from chainrule.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError, MeanSquaredError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.arrays import Array
    from chainrule.insight.marking.variant import Variant
    from chainrule.insight.passes import Node
    from chainrule.losses import Loss

_PARTS: dict[str, tuple[Any, ...]] = {
    "the loss and its gradient": ("loss", "error"),
    "the gradient, not the loss": ("error",),
    "the loss, not its gradient": ("loss",),
}
_WEIGHTS_OF: dict[str, Point] = {"loss": "loss weights", "error": "error weights"}
_LOSS_IS = "loss = 1/B sum_i l_i, and the gradient has the same 1/B"


def _loss(step: Variant) -> Loss:
    return step.start.objective.loss


def _mean_over(step: Variant) -> float:
    """The rows over which the mean is taken."""
    if _loss(step).reduction == "sum":
        raise InapplicableError
    return float(step.B)


def _B(step: Variant) -> float:  # noqa: N802 -- the shape letters' own case
    if step.B == 1:
        raise InapplicableError
    return _mean_over(step)


def _summed(step: Variant) -> float:
    if _loss(step).reduction == "mean" or step.B == 1:
        raise InapplicableError
    return float(step.B)


def _O(step: Variant) -> float:  # noqa: N802 -- the shape letters' own case
    return float(step.last.Y.shape[1])


def _averaged(step: Variant) -> float:
    if not _loss(step).averages:
        raise InapplicableError
    return _O(step)


def _not_averaged(step: Variant) -> float:
    if _loss(step).averages:
        raise InapplicableError
    return _O(step)


def _factors() -> Iterator[Mistake]:
    """A factor too much or too little, in the loss, its gradient or both."""
    kinds: tuple[tuple[str, str, str, Callable[[Variant], float]], ...] = (
        ("1/B forgotten", "the mean over the rows was not taken, 1/B is missing", _LOSS_IS, _B),
        ("1/B twice", "1/B was multiplied twice", _LOSS_IS, lambda s: 1 / _B(s)),
        ("mean for sum", "the mean over the rows was taken, where their sum was asked for", "loss = sum_i l_i",
         lambda s: 1 / _summed(s)),
        ("factor 2", "there is a factor 2 too much, or a 1/2 missing", "the loss as it is defined", lambda _: 2.0),
        ("factor 1/2", "there is a 1/2 too much, or a factor 2 missing", "the loss as it is defined", lambda _: 0.5),
        ("1/O forgotten", "the outputs were summed, not averaged: 1/O is missing", "l = 1/O sum_o ...", _averaged),
        ("1/O twice", "1/O was multiplied twice", "l = 1/O sum_o ...", lambda s: 1 / _averaged(s)),
        ("mean over outputs", "the mean over the outputs was taken instead of their sum", "l = sum_o ...",
         lambda s: 1 / _not_averaged(s)),
        ("averaged over outputs for rows", "it was divided by the number of outputs instead of that of rows", _LOSS_IS,
         lambda s: _mean_over(s) / _not_averaged(s)),
        ("averaged over features", "it was divided by the number of features instead of that of rows", _LOSS_IS,
         lambda s: _mean_over(s) / s.start.batch.X.shape[1]),
    )  # fmt: skip
    for name, says, right, factor in kinds:
        for part, points in _PARTS.items():
            changes = dict.fromkeys(points, _times(factor))
            yield Mistake(f"{name}: {part}", f"{says}, in {part}", right, changes, "once")


def _of_weights() -> Iterator[Mistake]:
    """Weights of rows left out, or divided by their sum as in an average."""
    points: dict[str, tuple[Point, ...]] = {
        part: tuple(_WEIGHTS_OF[name] for name in names) for part, names in _PARTS.items()
    }
    kinds: tuple[tuple[str, str, Callable[[Variant, Array], Array]], ...] = (
        ("row weights forgotten", "the weights of the rows were left out", lambda _, w: 1 + 0 * w),
        ("divided by the sum of weights", "it was divided by the sum of the rows' weights instead of their number",
         lambda s, w: w * _mean_over(s) / w.sum()),
    )  # fmt: skip
    for name, says, weights in kinds:
        for part, some in points.items():
            changes: dict[Point, Change] = dict.fromkeys(some, _weighted(weights))
            yield Mistake(f"{name}: {part}", f"{says}, in {part}", "loss = 1/B sum_i w_i l_i", changes, "once")


def _weighted(weights: Callable[[Variant, Array], Array]) -> Change:
    return lambda step, _, right: weights(step, right)


def _times(factor: Callable[[Variant], float]) -> Change:
    return lambda step, _, right: right * factor(step)


def _only(*kinds: type[Loss]) -> Callable[[Variant], None]:
    def check(step: Variant) -> None:
        if not isinstance(_loss(step), kinds):
            raise InapplicableError

    return check


def _scaled(step: Variant, slope: Array) -> Array:
    """The slope of each row with the factor of the loss."""
    weights, mean = step.start.batch.weights, _loss(step).reduction == "mean"
    scale = (1 / step.B if mean else 1.0) * (np.ones(step.B) if weights is None else weights)
    return slope * scale[:, None]


def _difference(step: Variant, node: Node, right: Array) -> Array:
    _only(CrossEntropy, BinaryCrossEntropy)(step)
    if step.start.objective.fused:
        raise InapplicableError
    del right
    return _scaled(step, node.Y - step.start.batch.T)


def _log_of(base: float) -> Change:
    def change(step: Variant, _: Node, right: Array) -> Array:
        _only(CrossEntropy, BinaryCrossEntropy)(step)
        return right / log(base)

    return change


def _root(step: Variant, _: Node, right: Array) -> Array:
    _only(HalfSquaredError, MeanSquaredError)(step)
    return np.sqrt(right)


def _absolute(step: Variant, node: Node, _: Array) -> Array:
    _only(HalfSquaredError, MeanSquaredError)(step)
    D = np.abs(node.Y - step.start.batch.T)
    return D.mean(axis=1) if _loss(step).averages else D.sum(axis=1)


def _true_class_only(step: Variant, node: Node, _: Array) -> Array:
    _only(BinaryCrossEntropy)(step)
    return -(step.start.batch.T * np.log(node.Y)).sum(axis=1)


def _both_classes(step: Variant, node: Node, right: Array) -> Array:
    _only(CrossEntropy)(step)
    return right - ((1 - step.start.batch.T) * np.log1p(-node.Y)).sum(axis=1)


def _slope_again(_: Variant, node: Node, dZ: Array) -> Array:
    return node.layer.f.backward(node.X, node.Y, dZ)  # type: ignore[attr-defined] # an Activation


def _no_slope(_: Variant, node: Node, __: Array) -> Array:
    return node.dY


def _diagonal_again(_: Variant, node: Node, dZ: Array) -> Array:
    if not isinstance(node.layer.f, Softmax):  # type: ignore[attr-defined] # an Activation
        raise InapplicableError
    return dZ * node.Y * (1 - node.Y)


def _penalty(change: Callable[[Variant, Array], Array]) -> Change:
    return lambda step, _, slope: change(step, slope)


_PAIR_IS = "dZ = 1/B (Y - T): softmax's Jacobian (or sigmoid's slope) and the 1/y of the cross-entropy cancel"
_ERROR_IS = "dY is the derivative of the loss by the output"

LOSSES = (
    *_factors(),
    *_of_weights(),
    Mistake(
        "sign of the error",
        "target and output were swapped in the error: t - y instead of y - t",
        _ERROR_IS,
        {"error": lambda _, __, right: -right},
        "once",
    ),
    Mistake("sign of the loss", "the loss has the wrong sign", "loss", {"loss": lambda _, __, right: -right}, "once"),
    Mistake(
        "y - t where nothing cancels",
        "y - t was taken as the slope of the cross-entropy, which is right only together with softmax or sigmoid",
        _ERROR_IS,
        {"error": _difference},
        "once",
    ),
    Mistake(
        "logarithm to base 10",
        "logarithms were taken to base 10",
        "the natural logarithm",
        {"loss": _log_of(10)},
        "once",
    ),
    Mistake(
        "logarithm to base 2", "logarithms were taken to base 2", "the natural logarithm", {"loss": _log_of(2)}, "once"
    ),
    Mistake(
        "root of the loss", "a root was taken of the mean of squares", "loss without a root", {"loss": _root}, "once"
    ),
    Mistake("errors not squared", "the errors were not squared in the loss", "(y - t)^2", {"rows": _absolute}, "once"),
    Mistake(
        "only the true class",
        "the term of the class 0 is missing in the binary cross-entropy",
        "t log y + (1 - t) log(1 - y)",
        {"rows": _true_class_only},
        "once",
    ),
    Mistake(
        "also the other classes",
        "the terms (1 - t) log(1 - y) of binary cross-entropy were added to the cross-entropy",
        "-sum_k t_k log y_k",
        {"rows": _both_classes},
        "once",
    ),
    Mistake(
        "slope after y - t",
        "the slope of the output (softmax's Jacobian) was applied again to y - t, which has it already",
        _PAIR_IS,
        {"pair": _slope_again},
        "once",
    ),
    Mistake(
        "diagonal after y - t",
        "y - t was multiplied by the diagonal of softmax's Jacobian, y (1 - y), which it has already",
        _PAIR_IS,
        {"pair": _diagonal_again},
        "once",
    ),
    Mistake(
        "no slope at the output",
        "the output's slope (softmax's Jacobian) was not applied to dLoss/dY",
        _PAIR_IS,
        {"pair": _no_slope},
        "once",
    ),
    Mistake(
        "penalty not in the gradient",
        "the penalty is missing in the gradient",
        "dW = dW.loss + dW.penalty",
        {"penalty slope": _penalty(lambda _, slope: 0 * slope)},
        "once",
    ),
    Mistake(
        "penalty twice in the gradient",
        "the gradient of the penalty has a factor 2 too much",
        "l1 sign(W) + l2 W",
        {"penalty slope": _penalty(lambda _, slope: 2 * slope)},
        "once",
    ),
    Mistake(
        "penalty of the wrong sign",
        "the gradient of the penalty was subtracted",
        "dW = dW.loss + dW.penalty",
        {"penalty slope": _penalty(lambda _, slope: -slope)},
        "once",
    ),
    Mistake(
        "penalty on biases",
        "the penalty was put on the biases too",
        "only weights are penalised",
        {
            "penalty slope": _penalty(
                lambda step, _: (
                    step.start.objective.l1 * np.sign(step.start.theta) + step.start.objective.l2 * step.start.theta
                )
            )
        },
        "once",
    ),
    Mistake(
        "penalty without 1/2",
        "the 1/2 of the squared weights is missing in the penalty",
        "l1 sum |W| + l2/2 sum W^2",
        {"penalty": lambda step, _, value: value + 0.5 * step.start.objective.l2 * _squares(step)},
        "once",
    ),
)


def _squares(step: Variant) -> Any:
    theta = step.start.theta
    return np.sum(theta**2 * step.start.objective.layout.weights(str(theta.dtype)))
