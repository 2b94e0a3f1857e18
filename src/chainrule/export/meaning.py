"""What the inputs and outputs of an exported network mean: names, classes, and how a column becomes a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chainrule.export.texts import less
from chainrule.tables.features import BooleanColumn, CategoryColumn, DateColumn, NumberColumn
from chainrule.tables.task import ValueTarget
from chainrule.tables.values import number_marks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainrule.export.subject import Subject
    from chainrule.tables import Columns
    from chainrule.tables.features import Feature


class Place(NamedTuple):
    """What stands in one input: its name, and how it is computed, in words."""

    name: str
    rule: str


@dataclass(frozen=True)
class Meaning:
    """What inputs and outputs mean.

    Attributes:
        places: one for each input; none for a network alone.
        numbers: the columns, where all of them are numbers; else none.
        marks: the numbers that say that a value is missing.
        classes: the labels of the classes as texts; none where the outputs are values.
        target: what the outputs were made from: name, mean and standard deviation of the values; None otherwise.
    """

    places: tuple[Place, ...] = ()
    numbers: tuple[NumberColumn, ...] = ()
    marks: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    target: ValueTarget | None = None


def meaning(subject: Subject) -> Meaning:
    """What inputs and outputs mean: of a model by its columns, of a network alone by its classes."""
    columns = subject.columns
    if columns is None:
        classes = subject.network.classes
        return Meaning(classes=() if classes is None else tuple(map(str, classes.tolist())))
    features = columns.features
    numbers = tuple(each for each in features if isinstance(each, NumberColumn))
    return Meaning(
        places=tuple(_places(columns)),
        numbers=numbers if len(numbers) == len(features) else (),
        marks=tuple(number_marks(columns.missing)),
        classes=tuple(map(str, columns.classes)),
        target=columns.target if isinstance(columns.target, ValueTarget) else None,
    )


def _places(columns: Columns) -> Iterator[Place]:
    for feature in columns.features:
        for name, rule in zip(feature.names, _rules(feature), strict=True):
            yield Place(name, rule)


def _rules(feature: Feature) -> list[str]:
    """How each place of a column is computed."""
    missing = f"1 where {feature.name} is missing, else 0"
    if isinstance(feature, CategoryColumn):
        texts = [f"1 where {feature.name} is {value!r}, else 0" for value in feature.values]
        return [*texts, f"1 where {feature.name} is anything else or missing, else 0"]
    if isinstance(feature, NumberColumn):
        rules = [_scaled(feature.name, feature.center, feature.scale, feature.median)]
    elif isinstance(feature, BooleanColumn):
        rules = [f"1 where {feature.name} is true, 0 where it is false, {feature.share:.9g} where it is missing"]
    else:
        assert isinstance(feature, DateColumn)  # noqa: S101 -- there is no other kind
        rules = [
            _scaled(f"{each.part} of {feature.name}", each.center, each.scale, each.median) for each in feature.parts
        ]
    return [*rules, missing] if feature.indicator else rules


def _scaled(name: str, center: float, scale: float, median: float) -> str:
    plain = center == 0 and scale == 1
    scaled = name if plain else f"({less(name, f'{center:.9g}')}) / {scale:.9g}"
    return f"{scaled}; {median:.9g} in place of a missing one"
