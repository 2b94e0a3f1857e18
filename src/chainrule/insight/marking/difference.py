"""By what wrong numbers differ from the right ones: a factor, a sign, a shift, the order."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.insight.rendering import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.arrays import Floats
    from chainrule.insight.marking.arrangement import Laid

_MOST = 5  # rows or columns whose orders are all tried

_SMALL = 1e-3  # a factor nearer to 1 is none


def difference(laid: Laid, right: Floats, sizes: dict[str, float]) -> str:
    """In words.

    Args:
        laid: the answer.
        right: the right numbers.
        sizes: numbers by which people multiply or divide, and what each is: the rows, the learning rate.
    """
    values = laid.values
    if values.shape != np.shape(right):
        return f"the shape is {values.shape} instead of {np.shape(right)}"
    there = ~np.isnan(values)
    off = np.abs(np.where(there, values - right, 0))
    if laid.precision.rounded and bool((off <= 4 * laid.precision.tolerance(values, right)).all()):
        return "the last digit alone: rounded on the way, perhaps"
    for words, other in _guesses(values, right, there, sizes):
        if laid.right(other):
            return words
    return _entries(laid, right, there)


def _guesses(values: Floats, right: Floats, there: Any, sizes: dict[str, float]) -> Iterator[tuple[str, Floats]]:
    yield "the sign: each number is the negative of the right one", -right
    v, r = values[there], right[there]
    if not v.any():
        yield "all are zero", 0 * right
    if v.size > 1 and right.ndim == 2 and right.shape[0] == right.shape[1]:
        yield "transposed: rows and columns are exchanged", right.T
    large = np.abs(r) > 0.1 * np.abs(r).max(initial=0.0)
    if large.any():
        factor = float(np.median(v[large] / r[large]))
        if abs(factor - 1) > _SMALL and factor:
            yield _factor(factor, sizes), factor * right
    if v.size > 1:
        shift = float(np.mean(v - r))
        yield f"a shift: each number is {number(abs(shift))} too {'large' if shift > 0 else 'small'}", right + shift
        yield from _orders(right)


def _factor(factor: float, sizes: dict[str, float]) -> str:
    words = f"a factor: the right number times {number(factor)}"
    for name, size in sizes.items():
        if size in {0.0, 1.0}:
            continue
        for meant, told in ((size, name), (1 / size, f"1 over {name}")):
            if abs(abs(factor) - meant) < 5e-3 * meant:
                return f"{words}, {'minus ' if factor < 0 else ''}{told}"
    return words


def _orders(right: Floats) -> Iterator[tuple[str, Floats]]:
    """The rows or columns in every other order."""
    for axis, word in ((right.ndim - 1, "columns" if right.ndim == 2 else "numbers"), (0, "rows")):
        if right.ndim == 0 or not 1 < right.shape[axis] <= _MOST or (axis == 0 and right.ndim == 1 and word == "rows"):
            continue
        for order in permutations(range(right.shape[axis])):
            yield f"the order: the {word} stand as {list(order)}", np.take(right, order, axis=axis)


def _entries(laid: Laid, right: Floats, there: Any) -> str:
    values = laid.values
    off = np.abs(np.where(there, values - right, 0))
    wrong = np.logical_not(laid.entries(right))
    worst = np.unravel_index(int(off.argmax()), off.shape) if off.ndim else ()
    digits = laid.digits(right)
    told = f"{number(float(values[worst]), digits)} instead of {number(float(right[worst]), digits)}"
    place = f" at {[int(i) for i in worst]}" if worst else ""
    count = f"{int(wrong.sum())} of {int(there.sum())} numbers; most" if there.sum() > 1 else "it is"
    return f"{count}{place}: {told}" if there.sum() > 1 else f"{count} {told}"
