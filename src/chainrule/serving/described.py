"""What a model expects and answers: ``/schema`` for programs, and JSON Schema for the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.model import Model
from chainrule.tables.cells import FARTHEST
from chainrule.tables.features import BooleanColumn, CategoryColumn, DateColumn, NumberColumn
from chainrule.tables.values import TRUTH_WORDS

if TYPE_CHECKING:
    from chainrule.serving.answers import Answers
    from chainrule.tables.features import Feature

_WORDS = [word for pair in TRUTH_WORDS for word in pair]


class ColumnFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column that a row must name."""

    name: str
    kind: str
    median: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    range: tuple[float, float] | tuple[str, str] | None = None
    """The smallest and the largest value of the training rows, the first and the last date."""
    categories: tuple[str, ...] | None = None
    parts: tuple[str, ...] | None = None
    missing: bool = False
    """Whether the training rows lacked some values."""


class TargetFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is predicted."""

    name: str | None = None
    classes: tuple[Any, ...] | None = None
    mean: float | None = None
    standard_deviation: float | None = None


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What there is to know of a model before asking it."""

    model: str
    task: str
    target: TargetFacts
    columns: tuple[ColumnFacts, ...] | None = None
    inputs: int | None = None
    """How many numbers a row of a network without columns holds."""
    outputs: int | None = None
    """How many numbers it answers."""
    parameters: int


def facts(answers: Answers, name: str) -> ModelFacts:
    """What ``/schema`` says."""
    model, network = answers.model, answers.network
    if isinstance(model, Model):
        target, columns = model.columns.target, model.columns
        return ModelFacts(
            model=name,
            task=columns.task,
            target=TargetFacts(
                name=target.name,
                classes=columns.classes or None,
                mean=getattr(target, "mean", None),
                standard_deviation=getattr(target, "std", None),
            ),
            columns=tuple(_column(feature, columns.scaling, columns.matrix_range) for feature in columns.features),
            parameters=int(network.theta.size),
        )
    return ModelFacts(
        model=name,
        task="classification" if network.loss.for_classes else "regression",
        target=TargetFacts(classes=answers.classes or None),
        inputs=network.input_shape[0],
        outputs=network.objective.output_shape[0],
        parameters=int(network.theta.size),
    )


def _column(feature: Feature, scaling: str, matrix_range: tuple[float, float] | None) -> ColumnFacts:
    """What the training rows said of a column."""
    if isinstance(feature, CategoryColumn):
        return ColumnFacts(feature.name, "category", categories=feature.values)
    if isinstance(feature, BooleanColumn):
        return ColumnFacts(feature.name, "boolean", mean=feature.share, missing=feature.indicator)
    if isinstance(feature, DateColumn):
        parts = tuple(part.part for part in feature.parts)
        return ColumnFacts(feature.name, "date", range=feature.range, parts=parts, missing=feature.indicator)
    standard = scaling == "standard"
    return ColumnFacts(
        feature.name,
        "number",
        median=feature.median,
        mean=feature.center if standard else None,
        standard_deviation=feature.scale if standard else None,
        range=feature.range or _range_of_old(feature, scaling, matrix_range),
        missing=feature.indicator,
    )


def _range_of_old(
    feature: NumberColumn, scaling: str, matrix_range: tuple[float, float] | None
) -> tuple[float, float] | None:
    """What a model file of before ranges were kept tells of them."""
    return (feature.center, feature.center + feature.scale) if scaling == "minmax" else matrix_range


def cell_schema(feature: Feature, answers: Answers) -> dict[str, Any]:
    """The JSON Schema of a value of this column."""
    if isinstance(feature, NumberColumn) and answers.encoding is not None:
        low, high = answers.encoding.bounds(feature.name)
        return {"type": ["number", "null"], "minimum": low, "maximum": high}
    if isinstance(feature, CategoryColumn):
        known = ", ".join(feature.values[:20]) + (", …" if len(feature.values) > 20 else "")
        return {
            "type": ["string", "number", "boolean", "null"],
            "description": f"One of: {known}. Any other counts as unknown.",
        }
    if isinstance(feature, BooleanColumn):
        return {
            "anyOf": [{"type": ["boolean", "string", "null"]}, {"enum": [0, 1]}],
            "description": f"A text other than {', '.join(_WORDS)}, 1 and 0 counts as missing.",
        }
    return {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}, {"type": "null"}]
    }


def row_schema(answers: Answers) -> dict[str, Any]:
    """The JSON Schema of a row."""
    if isinstance(answers.model, Model):
        features = answers.model.columns.features
        return {
            "type": "object",
            "description": "A value for each column, null where it is missing; others are not looked at.",
            "required": [feature.name for feature in features],
            "properties": {feature.name: cell_schema(feature, answers) for feature in features},
        }
    I = answers.network.input_shape[0]
    number = {"type": "number", "minimum": -FARTHEST, "maximum": FARTHEST}
    return {"type": "array", "items": number, "minItems": I, "maxItems": I}


def example_row(answers: Answers) -> dict[str, Any] | list[float]:
    """A row to begin with: medians, and the first of the categories."""
    if isinstance(answers.model, Model):
        return {feature.name: _example(feature) for feature in answers.model.columns.features}
    return [0.0] * answers.network.input_shape[0]


def _example(feature: Feature) -> Any:
    """A likely value of a column."""
    if isinstance(feature, NumberColumn):
        return int(feature.median) if feature.median.is_integer() else feature.median
    if isinstance(feature, CategoryColumn):
        return feature.values[0]
    if isinstance(feature, BooleanColumn):
        return feature.share >= 0.5
    medians = {part.part: int(part.median) for part in feature.parts}
    return f"{medians.get('year', 2024):04d}-{medians.get('month', 1):02d}-01"
