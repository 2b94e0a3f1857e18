"""How exactly a number was written: what is right is right to the digits that were given."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from chainrule.arrays import Floats

_MANY = 12  # significant digits from which a number counts as unrounded
_FEW = 4  # decimals below which a last 0 that was left out would be too large a licence
_LOOKED_AT = 400  # entries of an array
_EXACT = 1e-9  # of the largest entry: rounding of float64, generously
_SINGLE = 1e-4  # the same of float32
_MIXED = 1e-6  # of float64, made in part from float32
_ROUNDING = 1e-15  # of a few additions
_SLACK = 1 + 1e-6  # a tie may round up or down


class Precision(NamedTuple):
    """How an array was written.

    Attributes:
        decimals: behind the point, the most of any entry.
        digits: significant ones, the most of any entry.
        single: whether every entry is a float32.
        units: of the last place that it may be off besides, for numbers that were rounded on the way.
        mixed: whether they may come of parameters in float32.
    """

    decimals: int
    digits: int
    single: bool = False
    units: int = 0
    mixed: bool = False

    @property
    def rounded(self) -> bool:
        """Whether somebody rounded: computers give more digits."""
        return self.digits < _MANY and not self.single

    def tolerance(self, given: Floats, right: Floats) -> Floats:
        """How far each entry may lie from the right one.

        Half a unit of the last place, of decimals or of significant digits, whichever is more: an array is rounded by
        the one or the other.
        """
        sizes = np.abs(right)
        largest = float(np.max(sizes, where=np.isfinite(sizes), initial=0.0))
        relative = _SINGLE if self.single else _MIXED if self.mixed else _EXACT
        exact = np.full(np.shape(right), max(relative * largest, 1e-12))
        if not self.rounded:
            return exact
        half = 0.5 + self.units
        by_decimals = half * 10.0 ** -self._decimals_of(given)
        with np.errstate(all="ignore"):
            leading = np.floor(np.log10(np.abs(given)))
        by_digits = np.where(given == 0, 0.0, half * 10.0 ** (np.where(given == 0, 0, leading) + 1 - self.digits))
        return np.asarray(np.maximum(np.maximum(by_decimals, by_digits) * _SLACK, exact))

    def _decimals_of(self, given: Floats) -> Floats:
        """Of each entry: one fewer where the last is 0, since nobody can tell whether it was written."""
        decimals = np.full(np.shape(given), float(self.decimals))
        if self.decimals < _FEW:
            return decimals
        scaled = given * 10.0 ** (self.decimals - 1)
        return np.where(np.abs(scaled - np.rint(scaled)) < 1e-3, decimals - 1, decimals)

    def asked(self, decimals: int) -> Precision:
        """What was written with fewer decimals than asked for ends in zeros."""
        if not self.rounded or self.decimals >= decimals:
            return self
        return self._replace(decimals=decimals, digits=_MANY - 1)

    def told(self) -> str:
        """In words, where there is something to say.

        >>> Precision(3, 3).told()
        'rounded to 3 decimals'
        """
        return f"rounded to {self.decimals} decimals" if self.rounded else ""


def precision(values: Floats, decimals: int = 0, digits: int = 1) -> Precision:
    """How an array was written.

    Args:
        values: finite numbers.
        decimals: of the other answers, which whole numbers take over: 1 beside 0.25 is 1.00.
        digits: significant ones of the other answers, likewise.

    >>> precision(np.array([0.593, 0.59])), precision(np.array([1 / 3])).rounded
    (Precision(decimals=3, digits=3, single=False, units=0, mixed=False), False)
    """
    some = np.asarray(values).ravel()[:_LOOKED_AT].astype(float)
    pairs = [_written(entry) for entry in some.tolist()]
    most, own = max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)
    single = own >= _MANY and bool((some.astype(np.float32) == some).all())
    if most == 0:  # whole numbers, or zeros: as exact as the rest was written
        return Precision(decimals, max(digits, own)) if decimals else Precision(_MANY, _MANY)
    return Precision(most, own, single)


def _written(entry: float) -> tuple[int, int]:
    """Decimals and significant digits of the shortest way to write a number."""
    short = f"{entry:.{_MANY - 1}g}"
    near = abs(float(short) - entry) <= _ROUNDING * abs(entry)  # 0.1 + 0.2 was meant to be 0.3
    _, digits, exponent = Decimal(short if near else repr(entry)).normalize().as_tuple()
    places = int(exponent) if isinstance(exponent, int) else 0
    return max(-places, 0), len(digits)
