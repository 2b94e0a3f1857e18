"""Derivatives from values alone, and how far a gradient is from them.

Everything here looks at a function along a line: ``along(t)`` is its value after a step of t.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Band: TypeAlias = Literal["good", "fine only with kinks", "uncomfortable", "probably wrong"]

BANDS: tuple[Band, ...] = get_args(Band)
_LIMITS = (1e-7, 1e-4, 1e-2)


def relative_error(a: float, n: float) -> float:
    """``|a - n| / max(|a|, |n|)``, and 0 where both are zero; CS231n, "Gradient checks".

    >>> relative_error(1.0, 1.5), relative_error(0.0, 0.0), relative_error(0.0, 1e-9)
    (0.3333333333333333, 0.0, 1.0)
    """
    if a == n:
        return 0.0
    error = abs(a - n) / max(abs(a), abs(n))
    return error if math.isfinite(error) else math.inf


def band_of(error: float) -> Band:
    """What a relative error means, in the words of CS231n; in float64, for a central difference.

    >>> band_of(3e-9), band_of(0.5)
    ('good', 'probably wrong')
    """
    return BANDS[sum(not error <= limit for limit in _LIMITS)]


def central(along: Callable[[float], float], h: float) -> float:
    """``(f(h) - f(-h)) / 2h``, with an error of h^2/6 f'''."""
    return (along(h) - along(-h)) / (2 * h)


def fourth_order(along: Callable[[float], float], h: float) -> float:
    """``(8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h``, with an error of h^4/30 f^(5)."""
    return (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)


class Extrapolated(NamedTuple):
    """A derivative, an estimate of its own error, and the smallest step that it rests on."""

    slope: float
    error: float
    step: float


def ridders(along: Callable[[float], float], h: float, *, steps: int = 12) -> Extrapolated:
    """The limit of central differences for smaller and smaller steps, h, h/1.6, h/1.6^2, ...

    For functions of any scale, where no single h is right: Ridders, "Accurate computation of F'(x) and F'(x)F''(x)"
    (1982). Of all extrapolations the one that agrees best with those of lower order is taken.

    >>> round(ridders(math.exp, 0.1).slope, 12)
    1.0
    """
    best = Extrapolated(math.nan, math.inf, h)
    before: list[float] = []
    for k in range(steps):
        step = h / 1.6**k
        row = [central(along, step)]
        for order, lower in enumerate(before, start=1):
            factor = 1.6 ** (2 * order)
            row.append((row[-1] * factor - lower) / (factor - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - lower))
            if error <= best.error:
                best = Extrapolated(row[-1], error, step)
        if before and abs(row[-1] - before[-1]) >= 2 * best.error:
            break  # smaller steps bring nothing but rounding
        before = row
    return best


def noise_of(lines: Sequence[Callable[[float], float]], spread: float) -> float:
    """The size of the rounding errors in the values of a function, the median over some lines.

    Over points so close together the function is a straight line, and its fourth differences are the errors alone:
    ``sigma^2 = mean (fourth difference)^2 / 70``. Moré, Wild, "Estimating Computational Noise" (2011), section 3. So it
    is found out, and not assumed, whether values come in float64 or float32.
    """
    found = []
    for along in lines:
        values = np.array([along(k * spread) for k in range(1, 10)])  # not across 0: a kink may stand there
        size = float(np.abs(values).max())
        if (values == values[0]).all():  # flat: what changes may have been lost beside numbers near 1
            size = max(size, 1.0)
        rounding = 0.25 * float(np.finfo(np.float64).eps) * size
        found.append(max(math.sqrt(float(np.mean(np.diff(values, 4) ** 2)) / 70), rounding))
    return float(np.median(found))
