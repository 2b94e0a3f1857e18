"""Mistakes in dropout and in residual connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.insight.marking.mistake import Change, InapplicableError, Mistake, Point
from chainrule.layers.dropout import DropoutSaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.arrays import Array
    from chainrule.insight.marking.variant import Variant
    from chainrule.insight.passes import Node

# ---- dropout --------------------------------------------------------------------------------------------------------


def _mask(saved: DropoutSaved) -> Array:
    if saved.mask is None:
        raise InapplicableError
    return saved.mask


def _rate(node: Node) -> float:
    return node.layer.rate  # type: ignore[attr-defined, no-any-return] # a Dropout


def _masked(other: Callable[[Array, float], Array]) -> Change:
    """Another mask, both ways, from the right one and the rate."""

    def change(_: Variant, node: Node, right: tuple[Array, DropoutSaved]) -> tuple[Array, DropoutSaved]:
        mask = other(_mask(right[1]), _rate(node))
        return node.X * mask, DropoutSaved(mask)

    return change


def _back(other: Callable[[Array, float], Array]) -> Change:
    """Another mask on the way back alone."""

    def change(_: Variant, node: Node, right: tuple[Array, Any]) -> tuple[Array, Any]:
        return node.dY * other(_mask(node.saved), _rate(node)), right[1]

    return change


_MASK_IS, _BACK_IS = "Y = X mask, mask = 0 or 1/(1 - p)", "dX = dY mask"

_DROPPED: tuple[tuple[str, str, str, Point, Change], ...] = (
    ("not on the way back", "the mask was not applied on the way back", _BACK_IS, "through",
     _back(lambda mask, _: np.ones_like(mask))),
    ("not scaled", "what is kept was not divided by 1 - p", _MASK_IS, "layer",
     _masked(lambda mask, _: (mask > 0) * 1.0)),
    ("not scaled on the way back", "what is kept was not divided by 1 - p on the way back", _BACK_IS, "through",
     _back(lambda mask, _: (mask > 0) * 1.0)),
    ("divided by p", "what is kept was divided by p instead of 1 - p", _MASK_IS, "layer",
     _masked(lambda mask, p: (mask > 0) / p)),
    ("multiplied by 1 - p", "what is kept was multiplied by 1 - p instead of divided", _MASK_IS, "layer",
     _masked(lambda mask, p: (mask > 0) * (1 - p))),
    ("scaled twice", "what is kept was divided by 1 - p twice", _MASK_IS, "layer",
     _masked(lambda mask, p: mask / (1 - p))),
    ("scaled twice on the way back", "it was divided by 1 - p once more on the way back", _BACK_IS, "through",
     _back(lambda mask, p: mask / (1 - p))),
    ("the wrong ones dropped", "what was to be kept was dropped, and the other way round", _MASK_IS, "layer",
     _masked(lambda mask, p: (mask == 0) / (1 - p))),
    ("left out", "nothing was dropped", _MASK_IS, "layer", _masked(lambda mask, _: np.ones_like(mask))),
)  # fmt: skip

DROPOUT = tuple(
    Mistake(f"dropout: {name}", says, right, {point: change}, "dropout")
    for name, says, right, point, change in _DROPPED
)

# ---- residual connections -------------------------------------------------------------------------------------------


def _inner(step: Variant, node: Node, right: Array) -> Array:
    """What came through F."""
    del step
    return right - node.dY


_SUM_IS, _SKIP_IS = "Y = X + F(X)", "dX = dY + (dF/dX)^T dY"

RESIDUAL = (
    Mistake("residual: skip forgotten", "X was not added: Y is F(X), and nothing goes past F on the way back", _SUM_IS,
            {"sum": lambda _, node, __: node.inside[-1].Y, "skip": _inner}, "residual"),
    Mistake("residual: skip forgotten forward", "X was not added to F(X)", _SUM_IS,
            {"sum": lambda _, node, __: node.inside[-1].Y}, "residual"),
    Mistake("residual: skip's gradient forgotten", "what goes past F was forgotten on the way back", _SKIP_IS,
            {"skip": _inner}, "residual"),
    Mistake("residual: only the skip's gradient", "what goes through F was forgotten on the way back", _SKIP_IS,
            {"skip": lambda _, node, __: node.dY}, "residual"),
    Mistake("residual: gradient shared out", "dY was shared out, half past F and half through it", _SKIP_IS,
            {"into F": lambda _, __, dY: dY / 2}, "residual"),
    Mistake("residual: averaged", "the mean of X and F(X) was taken instead of their sum", _SUM_IS,
            {"sum": lambda _, __, Y: Y / 2, "into F": lambda _, __, dY: dY / 2}, "residual"),
    Mistake("residual: gradients multiplied", "the two ways back were multiplied instead of added", _SKIP_IS,
            {"skip": lambda _, node, dX: node.dY * (dX - node.dY)}, "residual"),
)  # fmt: skip

BRANCHES = (*DROPOUT, *RESIDUAL)
