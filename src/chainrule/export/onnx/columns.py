"""The encoding of a table as nodes: each column an input ``(N, 1)`` of its name, together the matrix ``X (N, I)``.

Numbers come in as float64, NaN where they are missing; text and truth values as strings, empty where they are missing;
dates as int64, see `dates`.
The arithmetic is that of `tables.features`, in float64 as there, so that X has the same bits.
"""

from __future__ import annotations

from itertools import groupby, product
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.export.onnx.dates import dates
from chainrule.tables import BooleanColumn, CategoryColumn, DateColumn, NumberColumn
from chainrule.tables.values import TRUTH_WORDS, number_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chainrule.export.onnx.graph import Graph
    from chainrule.tables import Columns
    from chainrule.tables.features import Feature


def encoded(graph: Graph, columns: Columns) -> str:
    """The matrix ``X (N, I)``, of the graph's number type.

    Raises:
        ArgumentError: for a column that has no words in ONNX; names it.
    """
    for feature in columns.features:
        _check(feature)
        graph.input(feature.name, kind_of(feature), 1)
    parts = []
    for kind, run in groupby(columns.features, type):  # neighbours of one kind together: one node for 784 pixels
        parts += _ENCODERS[kind](graph, list(run), columns)
    return parts[0] if len(parts) == 1 else graph.node("Concat", *parts, at="columns", axis=1)


def kind_of(feature: Feature) -> type:
    """What an input holds: float64, int64 of a date, or text."""
    if isinstance(feature, DateColumn):
        return np.int64
    is_number = isinstance(feature, NumberColumn) or (isinstance(feature, CategoryColumn) and feature.numeric)
    return np.float64 if is_number else str


def _check(feature: Feature) -> None:
    """Raise for a column that cannot be an input."""
    mend = "Export the network alone (network_only=True, --network-only) and encode the columns before it"
    if type(feature) not in _ENCODERS:
        kind = feature.__struct_config__.tag
        raise ArgumentError(
            f"the column {feature.name!r} is a {kind}, for which ONNX has no words", where="export", mend=mend
        )


def _numbers(graph: Graph, features: list[NumberColumn], columns: Columns) -> list[str]:
    """(x - center) / scale, the median where x is missing; beside it, where it is so, whether x is missing."""
    at = "numbers"
    names = [feature.name for feature in features]
    V = names[0] if len(names) == 1 else graph.node("Concat", *names, at=at, axis=1)
    missing = graph.node("IsNaN", V, at=at)
    for mark in number_marks(columns.missing):
        missing = graph.node(
            "Or", missing, graph.node("Equal", V, graph.constant("mark", mark, np.float64), at=at), at=at
        )
    medians, centers, scales = (
        graph.constant(name, [[getattr(feature, name) for feature in features]], np.float64)
        for name in ("median", "center", "scale")
    )
    filled = graph.node("Where", missing, medians, V, at=at)
    scaled = graph.node("Div", graph.node("Sub", filled, centers, at=at), scales, at=at)
    X = graph.cast(scaled, graph.dtype, at=at)
    flagged = [place for place, feature in enumerate(features) if feature.indicator]
    if not flagged:
        return [X]
    both = graph.node("Concat", X, graph.cast(missing, graph.dtype, at=at), at=at, axis=1)
    M = len(features)
    order = [p for place in range(M) for p in ((place, M + place) if place in flagged else (place,))]
    return [graph.node("Gather", both, graph.constant(f"{at}/order", order, np.int64), at=at, axis=1)]


def _categories(graph: Graph, features: list[CategoryColumn], _columns: Columns) -> list[str]:
    return [_category(graph, feature) for feature in features]


def _category(graph: Graph, feature: CategoryColumn) -> str:
    """1 in the place of the value, the last place for every other one."""
    at, K = feature.name, len(feature.values)
    if not feature.numeric:
        codes = _codes(graph, at, dict(zip(feature.values, range(K), strict=True)), K)
        hits = graph.node("Equal", codes, graph.constant(f"{at}/places", [range(K + 1)], np.int64), at=at)
        return graph.cast(hits, graph.dtype, at=at)
    values = np.array([feature.values]).astype(np.float64)
    if len(np.unique(values)) < K:
        raise ArgumentError(
            f"the column {at!r} has categories that are the same number in float64",
            where="export",
            mend="Export the network alone (network_only=True, --network-only) and encode the columns before it",
        )
    hits = graph.node("Equal", at, graph.constant(f"{at}/values", values, np.float64), at=at)
    H = graph.cast(hits, graph.dtype, at=at)
    any_hit = graph.node("ReduceMax", H, at=at, axes=[1])
    other = graph.node("Sub", graph.constant(f"{at}/one", 1.0), any_hit, at=at)
    return graph.node("Concat", H, other, at=at, axis=1)


def _booleans(graph: Graph, features: list[BooleanColumn], columns: Columns) -> list[str]:
    return [part for feature in features for part in _boolean(graph, feature, columns)]


def _boolean(graph: Graph, feature: BooleanColumn, columns: Columns) -> list[str]:
    """1 or 0, the share of true ones where it is missing; beside it, where it is so, whether it is missing."""
    at, unknown = feature.name, 2
    marks = {mark.strip() for mark in columns.missing}
    codes = _codes(graph, at, {word: truth for word, truth in truth_words() if word not in marks}, unknown)
    numbers = graph.constant(f"{at}/numbers", [0.0, 1.0, feature.share])
    truth = graph.node("Gather", numbers, codes, at=at)
    if not feature.indicator:
        return [truth]
    missing = graph.node("Equal", codes, graph.constant(f"{at}/unknown", unknown, np.int64), at=at)
    return [truth, graph.cast(missing, graph.dtype, at=at)]


def truth_words() -> Iterable[tuple[str, int]]:
    """Every way to write a truth value, in large and small letters, and 0 or 1: ONNX cannot lower the case."""
    for pair in (*TRUTH_WORDS, ("0", "1")):
        for truth, word in enumerate(pair):
            yield from (("".join(letters), truth) for letters in set(product(*zip(word, word.upper(), strict=True))))


def _dates(graph: Graph, features: list[DateColumn], _columns: Columns) -> list[str]:
    return [part for feature in features for part in dates(graph, feature)]


def _codes(graph: Graph, name: str, numbers: dict[str, int], default: int) -> str:
    """The number of each text, (N, 1)."""
    return graph.node(
        "LabelEncoder",
        name,
        at=name,
        domain="ai.onnx.ml",
        keys_strings=list(numbers),
        values_int64s=list(numbers.values()),
        default_int64=default,
    )


_ENCODERS: dict[type, Callable[[Graph, Any, Columns], list[str]]] = {
    NumberColumn: _numbers,
    CategoryColumn: _categories,
    BooleanColumn: _booleans,
    DateColumn: _dates,
}
