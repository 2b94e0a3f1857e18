"""Encoded rows as a person knows them: what stood in the cells of the table."""

from __future__ import annotations

from datetime import date, timedelta
from math import floor
from typing import TYPE_CHECKING

from chainrule.report.words import number
from chainrule.tables.features import BooleanColumn, CategoryColumn, DateColumn, Feature, NumberColumn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.arrays import Floats

_FIRST = date(1970, 1, 1)
_ROUNDING = 2e-3  # of a day, in float32


def groups_of(features: Sequence[Feature]) -> list[tuple[str, slice]]:
    """The places of each column of the table in an encoded row, by its name."""
    groups, place = [], 0
    for feature in features:
        width = len(feature.names)
        groups.append((feature.name, slice(place, place + width)))
        place += width
    return groups


def shown_cells(features: Sequence[Feature], x: Floats) -> list[str]:
    """The cells of one encoded row ``(I,)``, a text for each column.

    >>> import numpy as np
    >>> age = NumberColumn(name="age", median=40.0, center=40.0, scale=10.0)
    >>> shown_cells([age, CategoryColumn(name="town", values=("Bern",))], np.array([-1.5, 1.0, 0.0]))
    ['25', 'Bern']
    """
    return [_cell(feature, x[places]) for feature, (_, places) in zip(features, groups_of(features), strict=True)]


def _cell(feature: Feature, x: Floats) -> str:
    if isinstance(feature, CategoryColumn):
        place = int(x.argmax())
        return feature.values[place] if place < len(feature.values) else "another or missing"
    if getattr(feature, "indicator", False) and x[-1] > 0.5:
        return "missing"
    if isinstance(feature, BooleanColumn):
        return "yes" if x[0] > 0.5 else "no"
    if isinstance(feature, DateColumn):
        return _date(feature, x)
    assert isinstance(feature, NumberColumn)  # noqa: S101 -- there are no other kinds
    return number(float(x[0]) * feature.scale + feature.center, digits=5)


def _date(feature: DateColumn, x: Floats) -> str:
    """The date, and the hour where it tells rows apart."""
    parts = {each.part: float(value) * each.scale + each.center for each, value in zip(feature.parts, x, strict=False)}
    if "days" not in parts:
        return ", ".join(f"{part} {number(value)}" for part, value in parts.items())
    if "hour" not in parts:
        return f"{_FIRST + timedelta(days=floor(parts['days'] + _ROUNDING))}"
    day = _FIRST + timedelta(days=round(parts["days"] - parts["hour"] / 24))
    hour, minute = divmod(round(parts["hour"] * 60), 60)
    return f"{day} {hour:02}:{minute:02}"
