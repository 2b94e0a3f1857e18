"""Dates as nodes: the calendar in whole numbers.

A moment comes in as microseconds since 1970-01-01 UTC, ``(N, 1)`` int64, the smallest int64 where it is missing, as
NumPy's ``NaT`` is. Year and month are Howard Hinnant's ``civil_from_days`` ("chrono-compatible low-level date
algorithms", 2013), whose year begins in March, so that a leap day is its last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.export.onnx.graph import Graph
    from chainrule.tables import DateColumn, DatePart

MISSING = np.iinfo(np.int64).min

_DAY = 86_400_000_000  # microseconds
_HOUR, _MINUTE = _DAY // 24, _DAY // 1440


class _Whole(NamedTuple):
    """A whole number of each row; arithmetic makes nodes."""

    graph: Graph
    value: str
    at: str

    def combined(self, operator: str, other: _Whole | int) -> _Whole:
        """The operator on this number and another, or a constant."""
        right = other.value if isinstance(other, _Whole) else self.graph.constant(f"{self.at}/whole", other, np.int64)
        return self._replace(value=self.graph.node(operator, self.value, right, at=self.at))

    def plus(self, other: _Whole | int) -> _Whole:
        return self.combined("Add", other)

    def minus(self, other: _Whole | int) -> _Whole:
        return self.combined("Sub", other)

    def times(self, other: int) -> _Whole:
        return self.combined("Mul", other)

    def rest(self, divisor: int) -> _Whole:
        """The remainder, >= 0."""
        return self.combined("Mod", divisor)

    def over(self, divisor: int) -> _Whole:
        """The quotient, rounded down; ONNX rounds towards 0."""
        return self.minus(self.rest(divisor)).combined("Div", divisor)

    def above(self, limit: int) -> _Whole:
        """1 where it is larger, else 0."""
        larger = self.combined("Greater", limit).value
        return self._replace(value=self.graph.cast(larger, np.int64, at=self.at))

    def as_float(self) -> str:
        return self.graph.cast(self.value, np.float64, at=self.at)


def dates(graph: Graph, feature: DateColumn) -> list[str]:
    """The places of the column, each ``(N, 1)``: (x - center) / scale of each part, and whether the date is missing."""
    at = feature.name
    lowest = graph.constant(f"{at}/missing", MISSING, np.int64)
    missing = graph.node("Equal", at, lowest, at=at)
    zero = graph.constant(f"{at}/zero", 0, np.int64)
    moment = _Whole(graph, graph.node("Where", missing, zero, at, at=at), at)
    places = [_scaled(graph, part, _PARTS[part.part](moment), missing, at) for part in feature.parts]
    return [*places, graph.cast(missing, graph.dtype, at=at)] if feature.indicator else places


def _scaled(graph: Graph, part: DatePart, number: str, missing: str, at: str) -> str:
    """(x - center) / scale, the median where x is missing, reckoned in float64."""
    at = f"{at}/{part.part}"
    median, center, scale = (
        graph.constant(f"{at}/{name}", getattr(part, name), np.float64) for name in ("median", "center", "scale")
    )
    filled = graph.node("Where", missing, median, number, at=at)
    return graph.cast(graph.node("Div", graph.node("Sub", filled, center, at=at), scale, at=at), graph.dtype, at=at)


class _Civil(NamedTuple):
    """Year and month, January being 1."""

    year: _Whole
    month: _Whole


def _civil(moment: _Whole) -> _Civil:
    """The date of a moment; the names are those of the source."""
    z = moment.over(_DAY).plus(719_468)  # days since 0000-03-01
    doe = z.rest(146_097)  # day of the era of 400 years
    yoe = doe.minus(doe.over(1460)).plus(doe.over(36_524)).minus(doe.over(146_096)).over(365)
    doy = doe.minus(yoe.times(365).plus(yoe.over(4)).minus(yoe.over(100)))  # since the first of March
    mp = doy.times(5).plus(2).over(153)  # March being 0
    new = mp.above(9)  # January and February belong to the next year
    month = mp.plus(3).minus(new.times(12))
    return _Civil(z.over(146_097).times(400).plus(yoe).plus(new), month)


def _day_of_year(moment: _Whole) -> str:
    before = _civil(moment).year.minus(1)
    leaps = before.over(4).minus(before.over(100)).plus(before.over(400))
    first = before.times(365).plus(leaps).minus(719_162)  # the first of January, in days since 1970
    return moment.over(_DAY).minus(first).plus(1).as_float()


def _hour(moment: _Whole) -> str:
    """With the minutes as its fraction."""
    graph, at = moment.graph, moment.at
    time = moment.rest(_DAY)
    sixty = graph.constant(f"{at}/sixty", 60, np.float64)
    minutes = graph.node("Div", time.over(_MINUTE).rest(60).as_float(), sixty, at=at)
    return graph.node("Add", time.over(_HOUR).as_float(), minutes, at=at)


def _days(moment: _Whole) -> str:
    graph, at = moment.graph, moment.at
    return graph.node("Div", moment.as_float(), graph.constant(f"{at}/day", _DAY, np.float64), at=at)


_PARTS: dict[str, Callable[[_Whole], str]] = {
    "year": lambda moment: _civil(moment).year.as_float(),
    "month": lambda moment: _civil(moment).month.as_float(),
    "day of week": lambda moment: moment.over(_DAY).plus(3).rest(7).plus(1).as_float(),  # 1970 began on a Thursday
    "day of year": _day_of_year,
    "hour": _hour,
    "days": _days,
}
