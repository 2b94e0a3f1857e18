"""A gradient beside difference quotients, entry by entry and along random directions.

Each entry is looked at with a plain central difference first. Where that does not agree to seven digits it is looked at
again: with smaller steps if a kink lies within the step, else with a formula of fourth order, whose errors are far
smaller, and, where that does not agree either, with the limit of smaller and smaller steps. What still differs, differs
by more than rounding explains, and is crossed by no kink, is wrong.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
from msgspec import Struct

from chainrule.errors import ArgumentError
from chainrule.insight.differences import Band, band_of, central, fourth_order, noise_of, relative_error, ridders
from chainrule.insight.gradcheck.kinks import crossed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chainrule.arrays import Floats
    from chainrule.insight.gradcheck.kinks import Sides

Verdict: TypeAlias = Literal["agrees", "differs", "rounding", "kink"]

GOOD = 1e-7
TINY = float(np.finfo(np.float64).tiny)
STEP = 1e-5
_FIRMER = 50.0  # the step of the formula of fourth order over the plain one's, in float64
_SURE = 8.0  # times the standard deviation that rounding gives a quotient
_EXTRAPOLATED = 4.0  # times the rounding errors of its quotients: those of a limit; prod (1.6^2k + 1) / (1.6^2k - 1)
_FINER = 6  # powers of ten that a step may be too large by
WHERE = "check_gradients"
_A_KINK = "a kink"  # of a function whose inside is not known


class Part(NamedTuple):
    """An array whose gradient is to be checked.

    Attributes:
        name: by which a person knows it.
        shape: its own.
        numbers: all its entries ``(n,)``: the function reads them here, so that they can be moved.
        gradient: with respect to them, ``(n,)``.
        frozen: whether training leaves it: its gradient must be 0.
    """

    name: str
    shape: tuple[int, ...]
    numbers: Floats
    gradient: Floats
    frozen: bool = False


class Function(NamedTuple):
    """What is differentiated.

    Attributes:
        value: at the numbers that now stand in the parts.
        parts: the arrays that it reads.
        sides: on which side of each kink that point lies; None where nobody knows.
    """

    value: Callable[[], float]
    parts: Sequence[Part]
    sides: Callable[[], list[Sides]] | None = None


class Entry(Struct, frozen=True):
    """One number of a gradient beside its difference quotient.

    Attributes:
        name: ``"dense_1.W[0, 3]"``.
        gradient: by backpropagation.
        difference: from values alone.
        error: ``|a - n| / max(|a|, |n|)``.
        rounding: by how much the difference quotient may be wrong.
        verdict: ``"agrees"``; ``"rounding"``: as far as the quotient can tell; ``"kink"``: the quotient says nothing;
            ``"differs"``.
        kinks: that lie within the step, by name.
    """

    name: str
    gradient: float
    difference: float
    error: float
    rounding: float
    verdict: Verdict
    kinks: tuple[str, ...] = ()

    @property
    def band(self) -> Band:
        """What the error means; one that rounding explains means nothing."""
        explained = abs(self.gradient - self.difference) <= self.rounding
        return "good" if explained else band_of(self.error)


class Prober:
    """Looks at entries and directions of one function.

    Args:
        function: what is differentiated.
        tolerance: the relative error above which an entry differs.
        step: h, times the size of a number where that is above 1; None: 1e-5, or more where values are less exact.
        seed: of the directions.

    Raises:
        ArgumentError: when the value is not finite, or is another one each time.
    """

    def __init__(self, function: Function, *, tolerance: float, step: float | None, seed: int) -> None:
        self.function, self.tolerance = function, tolerance
        self._rng = np.random.default_rng(seed)
        self._free = [part for part in function.parts if not part.frozen and part.numbers.size]
        self.value = _steady(function)
        self.noise = noise_of([self._line(self._direction()) for _ in range(3)], spread=1e-6)
        relative = self.noise / max(abs(self.value), self.noise, TINY)
        self.step = step or min(max(STEP, (3 * relative) ** (1 / 3)), 0.1)
        self._wide = _FIRMER * (step or max(STEP, min(relative**0.2, 0.1) / _FIRMER)) / self.step

    # ---- what is looked at ------------------------------------------------------------------------------------------

    def entry(self, part: Part, place: int) -> Entry:
        """One entry of a part."""
        index = ", ".join(map(str, np.unravel_index(place, part.shape)))
        name, gradient = f"{part.name}[{index}]" if part.shape else part.name, float(part.gradient[place])
        if part.frozen:
            return Entry(name, gradient, 0.0, relative_error(gradient, 0.0), 0.0, "differs" if gradient else "agrees")
        kept = float(part.numbers[place])

        def along(t: float) -> float:
            part.numbers[place] = kept + t
            return self.function.value()

        def sides(t: float) -> list[Sides]:
            part.numbers[place] = kept + t
            return self.function.sides() if self.function.sides is not None else []

        try:
            return self._look(name, gradient, along, sides, self.step * max(1.0, abs(kept)))
        finally:
            part.numbers[place] = kept

    def direction(self, name: str) -> Entry:
        """All entries at once, in a random direction: ``g . d`` beside the slope along d."""
        direction = self._direction()
        gradient = sum(float(part.gradient @ d) for part, d in zip(self._free, direction, strict=True))
        line = self._line(direction)

        def sides(t: float) -> list[Sides]:
            if self.function.sides is None:
                return []
            with _moved(self._free, direction, t):
                return self.function.sides()

        return self._look(name, gradient, line, sides, self.step)

    def _direction(self) -> list[Floats]:
        """Signs times sizes, shrunk: neither is the slope lost in rounding, nor does a step lead far away."""
        shrunk = max(1, sum(part.numbers.size for part in self._free)) ** -0.25
        sizes = [np.maximum(1.0, np.abs(part.numbers)) for part in self._free]
        return [shrunk * size * self._rng.choice((-1.0, 1.0), size.shape) for size in sizes]

    def _line(self, direction: list[Floats]) -> Callable[[float], float]:
        def along(t: float) -> float:
            with _moved(self._free, direction, t):
                return self.function.value()

        return along

    # ---- looking ----------------------------------------------------------------------------------------------------

    def _look(
        self,
        name: str,
        gradient: float,
        along: Callable[[float], float],
        sides: Callable[[float], list[Sides]],
        h: float,
    ) -> Entry:
        difference = central(along, h)
        if relative_error(gradient, difference) <= GOOD:
            return self._entry(name, gradient, difference, self._rounding(h, 2))
        kinks = self._kinks(along, sides, h)
        for smaller in (h / 10, h / 100):
            if not kinks:
                break
            found, h = self._kinks(along, sides, smaller), smaller
            if not found:
                return self._settled(self._entry(name, gradient, central(along, h), self._rounding(h, 2)), along, h)
        if kinks:
            kinks = kinks if self._is_between(gradient, along, h) else ()
            return self._entry(name, gradient, difference, self._rounding(h, 2), kinks)
        wide = h * self._wide
        if self._kinks(along, sides, 2 * wide):
            return self._settled(self._entry(name, gradient, difference, self._rounding(h, 2)), along, h)
        fourth = fourth_order(along, wide)
        return self._settled(self._entry(name, gradient, fourth, self._rounding(wide, 4)), along, wide)

    def _settled(self, entry: Entry, along: Callable[[float], float], reach: float) -> Entry:
        """Where it differs: the limit of smaller and smaller steps, since those were too large for a steep function."""
        if entry.verdict != "differs":
            return entry
        limit = ridders(along, self._gentle(along, reach))
        rounding = 2 * limit.error + _EXTRAPOLATED * self._rounding(limit.step, 2)
        return self._entry(entry.name, entry.gradient, limit.slope, rounding)

    def _gentle(self, along: Callable[[float], float], reach: float) -> float:
        """A step in which a steep function is one straight line: smaller ones find the same slope, to rounding."""
        slope = central(along, reach)
        for smaller in (reach / 10**k for k in range(1, _FINER + 1)):
            found = central(along, smaller)
            if abs(found - slope) > self._rounding(smaller, 2):
                reach, slope = smaller, found
        return reach

    def _kinks(
        self, along: Callable[[float], float], sides: Callable[[float], list[Sides]], h: float
    ) -> tuple[str, ...]:
        """The kinks between ``-h`` and ``h``, by name."""
        if self.function.sides is not None:
            return crossed(sides(-h), sides(h))
        middle = along(0.0)
        near, far = (abs(along(t) - 2 * middle + along(-t)) / t for t in (h, 10 * h))  # a bend of t f'', a jump stays
        return (_A_KINK,) if near > max(0.3 * far, 20 * self.noise / h) else ()

    def _is_between(self, gradient: float, along: Callable[[float], float], h: float) -> bool:
        """Whether a gradient at a kink is one of those that may stand for it: between the slopes on both sides.

        Where several units have their kinks at the same point, as at weights of 0, their choices need not add up to
        one between, so this is asked only where nobody knows the units.
        """
        if self.function.sides is not None:
            return True
        middle = along(0.0)
        left, right = (middle - along(-h)) / h, (along(h) - middle) / h
        slack = 2 * self._rounding(h, 2) + 1e-3 * abs(right - left)
        return min(left, right) - slack <= gradient <= max(left, right) + slack

    def _rounding(self, h: float, order: Literal[2, 4]) -> float:
        spread = math.sqrt(2) / 2 if order == 2 else math.sqrt(130) / 12
        return _SURE * spread * self.noise / h

    def _entry(
        self, name: str, gradient: float, difference: float, rounding: float, kinks: tuple[str, ...] = ()
    ) -> Entry:
        error = relative_error(gradient, difference)
        verdict: Verdict = "differs"
        if error <= self.tolerance:
            verdict = "agrees"
        elif kinks:
            verdict = "kink"
        elif abs(gradient - difference) <= rounding:
            verdict = "rounding"
        return Entry(name, gradient, difference, error, rounding, verdict, kinks)


@contextmanager
def _moved(parts: Sequence[Part], direction: Sequence[Floats], t: float) -> Iterator[None]:
    """All parts a step along a direction, and back, to the bit."""
    kept = [part.numbers.copy() for part in parts]
    for part, d in zip(parts, direction, strict=True):
        part.numbers[...] += t * d
    try:
        yield
    finally:
        for part, numbers in zip(parts, kept, strict=True):
            part.numbers[...] = numbers


def _steady(function: Function) -> float:
    """The value, found to be finite and the same twice."""
    first, second = function.value(), function.value()
    if not (math.isfinite(first) and math.isfinite(second)):
        raise ArgumentError(f"the value of the function is {first}: it has no gradient there", where=WHERE)
    if abs(first - second) > 1e-3 * abs(first):
        mend = "Fix its random numbers: the same seed, mask or batch at every call."
        raise ArgumentError(
            f"the function gives {first:.9g}, then {second:.9g} for the same numbers", where=WHERE, mend=mend
        )
    return first
