"""What a gradient check found, and how it is told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from chainrule.insight.differences import BANDS, Band
from chainrule.insight.probing import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 10  # entries that are listed


class ArrayCheck(Struct, frozen=True):
    """What was found in one array.

    Attributes:
        name: of the array; ``"X"`` for the inputs, ``"penalty: dense_1.W"`` for the penalties' share of a gradient.
        shape: of the array.
        checked: entries that were looked at.
        agree: those that agree, or are 0 as they must.
        kinks: those at a kink, which says nothing.
        rounding: those that are too small for the difference quotient to tell.
        differ: those that are wrong.
        worst: the largest relative error of those that agree or differ.
        band: what the worst error means that rounding does not explain.
        factor: of all that differ, if it is the same one, the gradient over the difference quotient; else None.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    agree: int
    kinks: int
    rounding: int
    differ: int
    worst: float
    band: Band
    factor: float | None = None


class GradientCheck(Struct, frozen=True, kw_only=True):
    """What a gradient check found; print it.

    Attributes:
        ok: whether nothing differs.
        table: a record for each array, from the first layer to the last.
        directions: the whole vector along random directions.
        worst: the entries with the largest errors, those that differ first.
        kinks: entries at a kink, with the names of the kinks.
        rows: of the data; None for a function.
        notes: what holds for the whole check.
        step: h of the central differences.
        noise: the rounding errors of the values.
        tolerance: the relative error above which an entry differs.
    """

    table: tuple[ArrayCheck, ...]
    directions: tuple[Entry, ...]
    worst: tuple[Entry, ...]
    kinks: tuple[Entry, ...]
    rows: tuple[int, ...] | None
    notes: tuple[str, ...]
    step: float
    noise: float
    tolerance: float

    @property
    def ok(self) -> bool:
        return not any(array.differ for array in self.table) and all(e.verdict != "differs" for e in self.directions)


def summary(name: str, shape: tuple[int, ...], entries: Sequence[Entry]) -> ArrayCheck:
    """What was found in an array, from its entries."""
    counts = Counter(entry.verdict for entry in entries)
    judged = [entry for entry in entries if entry.verdict in {"agrees", "differs"}]
    return ArrayCheck(
        name,
        shape,
        checked=len(entries),
        agree=counts["agrees"],
        kinks=counts["kink"],
        rounding=counts["rounding"],
        differ=counts["differs"],
        worst=max((entry.error for entry in judged), default=0.0),
        band=max((entry.band for entry in judged), default="good", key=BANDS.index),
        factor=_common_factor([entry for entry in judged if entry.verdict == "differs"]),
    )


def _common_factor(wrong: Sequence[Entry]) -> float | None:
    """The gradient over the quotient, where it is the same for all: a forgotten 1/B, a factor 2, a sign."""
    ratios = [entry.gradient / entry.difference for entry in wrong if entry.difference]
    if len(wrong) < 2 or len(ratios) < len(wrong):
        return None
    middle = sorted(ratios)[len(ratios) // 2]
    return middle if middle and all(abs(ratio - middle) <= 1e-4 * abs(middle) for ratio in ratios) else None


def worst_of(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries with the largest errors: those that differ, then those that agree."""
    judged = [entry for entry in entries if entry.verdict in {"agrees", "differs"}]
    ranked = sorted(judged, key=lambda entry: (entry.verdict == "agrees", -entry.error))
    return tuple(ranked[:_MOST])
