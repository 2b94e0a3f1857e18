"""What a page is told of a moment when it asks: every number is the library's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.insight import addresses
from chainrule.insight.rows import Given
from chainrule.insight.trace import Trace
from chainrule.layers import PREDICTION
from chainrule.playground import messages
from chainrule.playground.records import name_of
from chainrule.playground.tables import as_batch
from chainrule.report.words import number
from chainrule.scores import score_classes, score_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.arrays import Floats
    from chainrule.engines.interface import Data
    from chainrule.playground.experiment import Experiment
    from chainrule.playground.finished import Finished
    from chainrule.playground.moment import Moment
    from chainrule.playground.tables import Rows, Sources

_POINTS = 700
_CURVE = 400
_PAGE = 50  # rows of a table at once
_SCATTER = 400
_MOST_CLASSES = 30  # of a confusion matrix that is drawn
_WHY_ROWS = 32  # that a gradient is explained over where no row was chosen
_WHERE = "playground"


def sources_of(sources: Sources) -> tuple[messages.Source, ...]:
    """The tables that can be named."""
    return tuple(messages.Source(name, sources.about(name), handed=sources.is_own(name)) for name in sources.names)


def setup_of(experiment: Experiment, number: int) -> messages.Setup:
    """What is trained on what."""
    rows, network = experiment.rows, experiment.network
    low, high = (None, None) if rows.columns.classes else rows.columns.decode_values(rows.target_ends).tolist()
    return messages.Setup(
        number=number,
        setting=experiment.setting,
        link=experiment.setting.link(),
        layers=tuple(messages.Layer(*layer) for layer in experiment.shown),
        parameters=network.objective.layout.size,
        loss=network.loss.name,
        axes=rows.axes,
        first_axes=rows.first_axes,
        classes=tuple(map(str, rows.columns.classes)),
        columns=tuple(rows.frame.columns),
        aside={each.name: each.reason for each in rows.columns.set_aside if each.name not in experiment.setting.drop},
        target=rows.target,
        targets=rows.targets,
        sheet=rows.sheet is not None,
        training_rows=len(rows.training[0]),
        held_rows=0 if rows.held is None else len(rows.held[0]),
        steps_per_epoch=experiment.training.steps_per_epoch,
        picture_side=rows.picture_side,
        target_range=None if low is None or high is None else (low, high),
        engine=network.engine_choice.engine.name,
    )


def plane_of(experiment: Experiment, number: int, x: int, y: int) -> messages.Plane:
    """The points of some rows in the plane of two inputs."""
    rows = experiment.rows
    X, t = rows.every()
    last = X.shape[1] - 1
    x, y = min(x, last), min(y, last)
    kept = len(rows.training[0])
    places = np.unique(np.linspace(0, len(X) - 1, min(_POINTS, len(X))).astype(int))
    target = t.reshape(len(t), -1)[places, 0].astype(float)  # of several the first
    if not rows.columns.classes:
        low, high = rows.target_ends
        target = (target - low) / ((high - low) or 1.0)
    points = messages.Points(
        rows=tuple(places.tolist()),
        x=tuple(X[places, x].astype(float).tolist()),
        y=tuple(X[places, y].astype(float).tolist()),
        target=tuple(target.tolist()),
        held=tuple((places >= kept).tolist()),
    )
    return messages.Plane(number, x, y, points)


def curve_of(name: str, finished: Sequence[Finished]) -> messages.Curve:
    """The series of a run; of many epochs some, the last always."""
    places = np.unique(np.linspace(0, max(len(finished) - 1, 0), min(_CURVE, len(finished))).astype(int)).tolist()
    some = [finished[place] for place in places]
    names = list(some[-1].record.scores) if some else []
    series = {"loss": tuple(_finite(each.record.loss) for each in some)}
    series |= {score: tuple(_finite(each.record.scores.get(score, np.nan)) for each in some) for score in names}
    return messages.Curve(name, tuple(float(each.number) for each in some), series)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def results_of(moment: Moment, *, held: bool) -> messages.Results:
    """Scores, and what they are made of: confusion matrix, or predicted against actual values."""
    rows, network = moment.experiment.rows, moment.experiment.network
    X, t = rows.data(held=held)
    part: Any = "held-out" if held and rows.held is not None else "training"
    Y = network.engine_choice.engine.predict(network.objective, moment.theta, X)
    if not np.isfinite(Y).all():
        return messages.Results(part, len(X), (("outputs", "not finite"),))
    if rows.columns.classes:
        return _class_results(part, rows, t, Y)
    columns = rows.columns
    actual, predicted = columns.decode_values(t.reshape(Y.shape)), columns.decode_values(Y)
    report = score_values(actual, predicted, list(rows.targets))
    some = np.unique(np.linspace(0, len(t) - 1, min(_SCATTER, len(t))).astype(int))
    first = len(rows.training[0]) if part == "held-out" else 0
    numbers = [("R²", report.r2), ("mean error", report.mae), ("root of mean square", report.rmse)]
    return messages.Results(
        part,
        len(X),
        tuple((name, "undefined" if value is None else number(value)) for name, value in numbers),
        actual=tuple(actual[some].ravel().tolist()),
        predicted=tuple(predicted[some].ravel().tolist()),
        places=tuple(np.repeat(first + some, Y.shape[1]).tolist()),
    )


def _class_results(part: Any, rows: Rows, t: Any, Y: Floats) -> messages.Results:
    classes = rows.columns.classes
    P = Y if Y.shape[1] > 1 else np.hstack([1 - Y, Y])
    P = P / np.maximum(P.sum(axis=1, keepdims=True), 1e-30)
    report = score_classes(t, P, classes)
    numbers = [("accuracy", report.accuracy), ("balanced accuracy", report.balanced_accuracy)]
    numbers += [("F1, mean of the classes", report.macro.f1)]
    small = len(classes) <= _MOST_CLASSES and report.confusion is not None
    return messages.Results(
        part,
        len(t),
        tuple((name, f"{value:.1%}") for name, value in numbers),
        classes=tuple(map(str, classes)) if small else (),
        confusion=report.confusion or () if small else (),
    )


def title_of(moment: Moment) -> str:
    """A run in a few words: what tells it from another."""
    setting = moment.experiment.setting
    units = "-".join(str(layer.units) for layer in setting.layers) or "no hidden layer"
    rate = "" if setting.lr is None else f" {setting.lr:g}"
    return f"{units}, {name_of(setting.optimizer)}{rate}, seed {setting.seed}"


def beside_of(moment: Moment, other: Moment, *, held: bool) -> messages.Beside:
    """The run beside, compared with the one that is shown."""
    here, there = results_of(moment, held=held), results_of(other, held=held)
    known = dict(there.scores)
    scores = [(name, value, known[name]) for name, value in here.scores if name in known]
    differs = moment.experiment.setting.differences(other.experiment.setting)
    return messages.Beside(
        title_of(other),
        other.state,
        other.taken,
        differs,
        (("training loss", _loss_of(moment), _loss_of(other)), *scores),
        there,
    )


def _loss_of(moment: Moment) -> str:
    return number(moment.finished[-1].record.loss) if moment.finished else "none yet"


def page_of(experiment: Experiment, first: int) -> messages.Page:
    """Some rows of the table as they stand there."""
    rows = experiment.rows
    first = min(max(first, 0), max(len(rows.frame) - 1, 0))
    kept, held = rows.places
    number_of = {int(place): k for k, place in enumerate([*kept.tolist(), *held.tolist()])}
    shown = rows.frame[first : first + _PAGE]
    numbers = tuple(number_of.get(place, -1) for place in range(first, first + len(shown)))
    return messages.Page(
        first,
        len(rows.frame),
        tuple(rows.frame.columns),
        tuple(tuple("" if value is None else _cell(value) for value in row) for row in shown.iter_rows()),
        numbers,
        tuple(number >= len(kept) for number in numbers),
    )


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:80]


def trace_of(moment: Moment, row: int | None) -> Trace:
    """The step of a row, or of some rows, with the weights of a moment, in float64."""
    rows = moment.experiment.rows
    X, t = rows.every()
    if row is not None and not 0 <= row < len(X):
        raise ArgumentError("row", where=_WHERE, expected=f"a number from 0 to {len(X) - 1}", got=row)
    places = range(min(_WHY_ROWS, len(rows.training[0]))) if row is None else range(row, row + 1)
    some = slice(places.start, places.stop)
    network = moment.experiment.model(moment.theta).network.astype("float64")
    batch: Data = as_batch((X[some].astype(np.float64), t[some]), network)
    labels = tuple(map(str, rows.columns.classes))
    given = Given(network, batch, tuple(places), input_names=tuple(rows.columns.feature_names), labels=labels)
    return Trace(network.objective, network.theta, given, PREDICTION, None, network.classes)


def why(moment: Moment, name: str, row: int | None) -> messages.Explained:
    """The chain rule of a weight with the numbers in, and its finite difference.

    Raises:
        ArgumentError: for a name, a place or a row that is not there.
    """
    trace = trace_of(moment, row)
    reason = trace.why(name, paths=6)
    if not reason.alone:
        raise ArgumentError(name, where=_WHERE, expected="one entry, such as dense_1.W[0, 1]")
    value = float(np.asarray(trace[reason.name]))
    document = reason.document()
    return messages.Explained(
        reason.name,
        document.title,
        messages.parts_of(document),
        value,
        float(reason.gradient),
        float(reason.difference),
        row,
        (),
        (),
    )


def place_of(experiment: Experiment, name: str) -> tuple[str, tuple[int, ...], int]:
    """The parameter, the entry, and its place in theta, of an address such as ``dense_1.W[0, 1]``.

    Raises:
        ArgumentError: when it names no single entry.
    """
    layout = experiment.network.objective.layout
    address = addresses.parse(name, [p.name for p in layout.parameters], where=_WHERE)
    part = layout.view(np.arange(layout.size), address.name)
    found = np.asarray(address.of(part))
    if found.ndim:
        raise ArgumentError(name, where=_WHERE, expected="one entry, such as dense_1.W[0, 1]")
    place = int(found)
    index = np.unravel_index(place - layout.place(address.name).start, part.shape)
    return address.name, tuple(map(int, index)), place
