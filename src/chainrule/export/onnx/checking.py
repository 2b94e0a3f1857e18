"""An ONNX graph beside ours: checked by onnx, run by onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import polars as pl

from chainrule.errors import ExportError
from chainrule.export.comparing import compare, rounding
from chainrule.export.onnx.columns import kind_of
from chainrule.export.onnx.dates import MISSING
from chainrule.export.subject import MOST_ROWS, RANDOM_ROWS, Subject
from chainrule.tables.task import ValueTarget
from chainrule.tables.values import as_moments, as_numbers, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chainrule.arrays import Floats
    from chainrule.exported import Check
    from chainrule.model import Model
    from chainrule.tables import Columns

    Run = Callable[[Mapping[str, Any]], list[Any]]

_HOW = f"onnx.checker and onnxruntime {onnxruntime.__version__}"


def check_network(subject: Subject, graph: onnx.ModelProto) -> Check:
    """Run it on the rows given and on random ones, all at once and one alone.

    Raises:
        ExportError: when it computes something else.
    """
    run, X = session(graph), subject.inputs()
    theirs = np.vstack([run({"X": X})[0], run({"X": X[:1]})[0]])
    ours = np.vstack([subject.network.forward(X), subject.network.forward(X[:1])])
    limit = rounding(subject.network, np.vstack([X, X[:1]]))
    return compare(theirs, ours, limit=limit, how=_HOW, rows=len(X) - RANDOM_ROWS, random_rows=RANDOM_ROWS)


def check_model(subject: Subject, model: Model, graph: onnx.ModelProto) -> Check:
    """Run it on raw rows: those given, random ones, and one alone.

    Raises:
        ExportError: when it computes something else.
    """
    run, random = session(graph), subject.random_table()
    given = None if subject.frame is None else subject.frame[:MOST_ROWS]
    tables = [random, random[:1]] if given is None else [given, random, random[:1]]
    answers = [run(feeds(model.columns, table)) for table in tables]
    expected = [model.predict(table) for table in tables]
    theirs = np.concatenate([each[-1] for each in answers])
    ours = np.concatenate([_numbers(model, each) for each in expected])
    limit = _limits(model, tables)
    if model.columns.classes:
        labels = np.concatenate([each[0] for each in answers])
        _check_labels(labels, pl.concat(expected)["prediction"].to_numpy(), ours, limit)
    return compare(
        theirs,
        ours,
        limit=limit,
        how=_HOW,
        quantity="probabilities" if model.columns.classes else "predictions",
        rows=0 if given is None else len(given),
        random_rows=RANDOM_ROWS,
    )


def session(graph: onnx.ModelProto) -> Run:
    """What runs a checked graph: inputs by name in, outputs in their order out.

    Raises:
        ExportError: when onnx finds it wrong or onnxruntime does not take it.
    """
    try:
        onnx.checker.check_model(graph, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as fault:
        raise ExportError(f"onnx.checker: {fault}; nothing was written") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        running = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # noqa: BLE001 -- its exceptions have no other base in common
        raise ExportError(f"onnxruntime: {fault}; nothing was written") from None
    return lambda inputs: list(running.run(None, dict(inputs)))


def feeds(columns: Columns, table: pl.DataFrame) -> dict[str, Any]:
    """A table as onnxruntime takes it: numbers, NaN where one is missing, and texts, empty where one is missing."""
    return {each.name: _feed(table.get_column(each.name), kind_of(each)) for each in columns.features}


def _feed(series: pl.Series, kind: type) -> Any:
    """One column, ``(N, 1)``."""
    if kind is np.float64:
        return as_numbers(series).cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(-1, 1)
    if kind is np.int64:
        return as_moments(series).cast(pl.Int64).fill_null(MISSING).to_numpy().reshape(-1, 1)
    if series.dtype in {pl.Categorical, pl.Enum}:
        series = series.cast(pl.String)
    return as_text(series).str.strip_chars().fill_null("").to_numpy().astype(object).reshape(-1, 1)


def _numbers(model: Model, answers: pl.DataFrame) -> Floats:
    """The numbers among the answers: probabilities ``(N, K)``, or predictions ``(N,)``."""
    if not model.columns.classes:
        return answers["prediction"].to_numpy()
    return answers.drop("prediction").to_numpy()


def _limits(model: Model, tables: Iterable[pl.DataFrame]) -> Floats:
    """How far the numbers of each answer may lie apart: of probabilities ``(N, 1 or K)``, of predictions ``(N,)``."""
    network, target = model.network, model.columns.target
    X = np.vstack([model.columns.encode(table, dtype=network.dtype) for table in tables])
    limits = rounding(network, X)
    if isinstance(target, ValueTarget):
        return limits[:, 0] * target.std + 4 * np.finfo(np.float64).eps * abs(target.mean)
    if limits.shape[1] == 1:
        return limits
    totals = network.forward(X).sum(axis=1, keepdims=True).astype(np.float64)
    return limits / np.where((totals > 0) & (totals < 1), totals, 1)  # outputs are divided by their sum


def _check_labels(theirs: Any, ours: Any, P: Floats, limits: Floats) -> None:
    """Raise where labels differ though one class is clearly the most probable."""
    best = np.sort(P, axis=1)
    wrong = (np.asarray(theirs) != ours) & (best[:, -1] - best[:, -2] > 2 * limits.max(axis=1))
    if wrong.any():
        row = int(wrong.argmax())
        raise ExportError(f"{_HOW}: row {row + 1} is {theirs[row]!r}, and {ours[row]!r} here; nothing was written")
