"""What a gradient check found, and how it is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from math import prod
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from chainrule.insight.differences import BANDS, Band
from chainrule.insight.gradcheck.objectives import PENALTY
from chainrule.insight.gradcheck.probing import Entry
from chainrule.insight.rendering import (
    Document,
    Explained,
    Heading,
    Sentence,
    Table,
    number,
    plain,
)
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainrule.insight.rendering import Part

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


@dataclass(frozen=True, kw_only=True)
class GradientCheck(Explained):
    """What a gradient check found; print it.

    Attributes:
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
        """Whether nothing differs."""
        return not any(array.differ for array in self.table) and all(e.verdict != "differs" for e in self.directions)

    def __repr__(self) -> str:
        checked = sum(array.checked for array in self.table)
        return f"GradientCheck(ok={self.ok}, {len(self.table)} arrays, {checked} entries)"

    def document(self, *, digits: int = DIGITS) -> Document:
        return Document("Gradient check", tuple(_parts(self, digits)))

    def data(self) -> dict[str, Any]:
        return {"ok": self.ok, **{field.name: _plain(getattr(self, field.name)) for field in fields(self)}}


def _plain(value: Any) -> Any:
    """As JSON holds it: records as objects, and numbers that are not finite as text."""
    if isinstance(value, Struct):
        return {name: _plain(part) for name, part in structs.asdict(value).items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return plain(value) if isinstance(value, float) else value


# ---- in words -------------------------------------------------------------------------------------------------------


def _parts(check: GradientCheck, digits: int) -> Iterator[Part]:
    yield _verdict(check)
    yield Sentence(_how(check), "note")
    yield from (Sentence(note, "note") for note in check.notes)
    yield _table(check)
    if any(array.rounding for array in check.table):
        yield Sentence("tiny: too small for a difference quotient to tell from 0, or from the truth.", "note")
    yield from (Sentence(words, "alarm") for words in _hints(check))
    if check.worst:
        yield Heading("The largest errors")
        yield _entries(check.worst, digits)
    bad = [entry for entry in check.directions if entry.verdict == "differs"]
    if bad:
        yield Heading("Along random directions")
        yield _entries(bad, digits)
    if check.kinks:
        yield Heading("At kinks: the difference quotient says nothing")
        rows = [(entry.name, _some(entry.kinks, "; ")) for entry in check.kinks[:_MOST]]
        more = len(check.kinks) - _MOST
        yield Table(("entry", "what switches within the step"), tuple(rows))
        if more > 0:
            yield Sentence(f"... and {more:,} more", "note")


def _verdict(check: GradientCheck) -> Sentence:
    wrong = [array.name for array in check.table if array.differ]
    if check.ok:
        agree, apart = (sum(array.agree for array in check.table), sum(array.kinks for array in check.table))
        kinks = f"; {apart:,} at kinks are set apart" if apart else ""
        return Sentence(f"The gradient is right: {agree:,} entries of {len(check.table)} arrays agree{kinks}.", "good")
    if wrong:
        return Sentence(f"The gradient is wrong in {_some(wrong)}.", "alarm")
    return Sentence(
        "The gradient is wrong somewhere: not in the entries looked at, but along random directions.", "alarm"
    )


def _how(check: GradientCheck) -> str:
    on = "" if check.rows is None else f" on {len(check.rows)} row{'' if len(check.rows) == 1 else 's'}"
    return (
        f"Central differences in float64{on}, h = {check.step:.2g} times the size of a number; the values carry "
        f"rounding errors of {check.noise:.1g}. Relative error: |a - n| / max(|a|, |n|)."
    )


def _table(check: GradientCheck) -> Table:
    rows = [_row(array) for array in check.table]
    rows.append(_row(summary(f"{len(check.directions)} directions", (), check.directions)))
    head = ("array", "checked", "kinks", "tiny", "differ", "worst", "")
    shown = [n for n in range(len(head)) if n not in {2, 3, 4} or any(row[n] for row in rows)]
    right = tuple(place for place, n in enumerate(shown) if 1 <= n <= 5)
    return Table(tuple(head[n] for n in shown), tuple(tuple(row[n] for n in shown) for row in rows), right=right)


def _row(array: ArrayCheck) -> tuple[str, ...]:
    size = prod(array.shape)
    checked = f"{array.checked:,} of {size:,}" if size > array.checked else f"{array.checked:,}"
    counts = (f"{count:,}" if count else "" for count in (array.kinks, array.rounding, array.differ))
    judged = (f"{array.worst:.1e}", array.band) if array.agree or array.differ else ("", "nothing to go by")
    return (array.name, checked, *counts, *judged)


def _hints(check: GradientCheck) -> Iterator[str]:
    """What the pattern of the errors says about their place."""
    own = [array for array in check.table if not array.name.startswith(PENALTY)]
    wrong = [array for array in own if array.differ]
    for array in wrong:
        if array.factor is not None:
            yield f"{array.name}: every entry that differs is {array.factor:.6g} times what it should be."
    layers = [array for array in own if "." in array.name]
    behind = [array for array in layers if array.differ]
    if behind and behind[-1] is not layers[-1] and not layers[-1].differ:
        yield (
            f"Backward from the loss {behind[-1].name} is the first array that is wrong: the fault stands in the "
            "backward pass of its layer, or in the dX of the layer after it."
        )


def _entries(entries: Sequence[Entry], digits: int) -> Table:
    rows = [
        (e.name, number(e.gradient, digits + 2), number(e.difference, digits + 2), f"{e.error:.1e}", _word(e))
        for e in entries
    ]
    return Table(("entry", "gradient", "difference quotient", "error", ""), tuple(rows), right=(1, 2, 3))


def _word(entry: Entry) -> str:
    return entry.band if entry.error <= 1e-7 or entry.verdict == "differs" else f"{entry.band}: rounding"


def _some(names: Sequence[str], between: str = ", ") -> str:
    return between.join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


# ---- from entries to records ----------------------------------------------------------------------------------------


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
