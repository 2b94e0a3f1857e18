"""The drawings of a report, each from plain numbers."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.report.drawing import SERIES, SOFT, Drawing, colours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainrule.arrays import Floats
    from chainrule.report.curves import Calibration, PrecisionRecall, Roc

_POINTS = 300  # of a curve over epochs, at most
_STEPS = 120  # of a curve of one class, at most
_DOTS = 400  # rows in a cloud of points, at most


def by_epoch(
    name: str,
    title: str,
    told: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    y: str,
    best: int = 0,
    log: bool | None = None,
) -> Drawing:
    """Curves over epochs.

    Args:
        name: see `Drawing`.
        title: see `Drawing`.
        told: see `Drawing`.
        series: by its name, the epochs and the values of each; one without any keeps its colour for other drawings.
        y: what the values are.
        best: an epoch to mark; 0 for none.
        log: whether the values are spread by decades; None: where they span more than two.
    """
    drawing = Drawing(name, title, told)
    every = [value for _, values in series.values() for value in values if isfinite(value)]
    spans = bool(every) and min(every) > 0 and max(every) / min(every) > 100
    for (label, (epochs, values)), (colour, dash) in zip(series.items(), colours(), strict=False):
        if not len(epochs):
            continue
        kept = thinned(len(epochs))
        marker = {"marker": "o", "markersize": 3} if len(epochs) < 3 else {}
        drawing.line(np.take(epochs, kept), np.take(values, kept), label, colour, dash, **marker)
    if best:
        x = [best, best]
        drawing.line(x, [0, 1], f"best, epoch {best:,}", SOFT, ":", linewidth=1, zorder=0, **_up_and_down(drawing))
    if (spans if log is None else log) and every and min(every) > 0:
        drawing.decades()
    return drawing.whole().label("epoch", y)


def _up_and_down(drawing: Drawing) -> dict[str, Any]:
    """What makes a curve's y count from the bottom of the axes to their top."""
    return {"transform": drawing.axes.get_xaxis_transform()}


def thinned(count: int, most: int = _POINTS) -> Sequence[int]:
    """The places of so many points, evenly spread where there are more than a drawing shows."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist() if count else []


def roc_chart(curves: Sequence[tuple[str, Roc]], told: str) -> Drawing:
    """ROC curves, one for each class."""
    drawing = Drawing("roc", "ROC: share of the class found, by share of other rows taken for it", told)
    drawing.line([0, 1], [0, 1], "", SOFT, ":", linewidth=0.8)
    for (label, curve), (colour, dash) in zip(curves, colours(), strict=False):
        kept = thinned(len(curve.false_positive), _STEPS)
        drawing.line(curve.false_positive[kept], curve.true_positive[kept], label, colour, dash, linewidth=1.3)
    drawing.axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    return drawing.label("false positive rate", "true positive rate")


def precision_chart(curves: Sequence[tuple[str, PrecisionRecall]], told: str) -> Drawing:
    """Precision by recall, one curve for each class."""
    drawing = Drawing("pr", "Precision by recall: how pure what is found is, by how much of the class is found", told)
    for (label, curve), (colour, dash) in zip(curves, colours(), strict=False):
        kept = thinned(len(curve.recall), _STEPS)
        drawing.line(curve.recall[kept], curve.precision[kept], label, colour, dash, linewidth=1.3)
    drawing.axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    return drawing.label("recall", "precision")


def calibration_chart(found: Calibration, told: str) -> Drawing:
    """Accuracy by confidence; the area of a point by its rows."""
    drawing = Drawing("calibration", "Calibration: how often the network is right, by how sure it is", told)
    drawing.line([0, 1], [0, 1], "as often as it says", SOFT, ":", linewidth=0.8)
    drawing.line(found.confidence, found.accuracy, "", SERIES[0], linewidth=1.2)
    areas = 8 + 140 * found.rows / found.rows.max()
    drawing.dots(found.confidence, found.accuracy, "rows, by area", SERIES[0], s=areas, zorder=3)
    drawing.axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    return drawing.label("mean confidence", "share that is right")


def values_chart(t: Floats, y: Floats, unit: str, told: str) -> Drawing:
    """Predicted values by true ones."""
    drawing = Drawing("values", "Predicted values by true ones", told)
    ends = [float(min(t.min(), y.min())), float(max(t.max(), y.max()))]
    drawing.line(ends, ends, "as they should be", SOFT, ":", linewidth=0.8)
    kept = sample(len(t))
    drawing.dots(t[kept], y[kept], "rows", SERIES[0], s=9, alpha=0.55, linewidths=0)
    return drawing.label(f"true {unit}", f"predicted {unit}")


def residuals_chart(y: Floats, residual: Floats, unit: str, told: str) -> Drawing:
    """Residuals by predicted values."""
    drawing = Drawing("residuals", "Residuals, predicted less true, by predicted values", told)
    drawing.axes.axhline(0, color=SOFT, linewidth=0.8, linestyle=":")
    kept = sample(len(y))
    drawing.dots(y[kept], residual[kept], "", SERIES[1], s=9, alpha=0.55, linewidths=0)
    return drawing.label(f"predicted {unit}", "residual")


def residual_spread_chart(residual: Floats, told: str) -> Drawing:
    """How many rows have which residual."""
    drawing = Drawing("spread", "How the residuals are spread", told)
    counts, edges = np.histogram(residual, bins=min(30, max(8, int(np.sqrt(len(residual))))))
    drawing.axes.bar(edges[:-1], counts, np.diff(edges) * 0.94, align="edge", color=SERIES[1], alpha=0.8)
    drawing.axes.axvline(0, color=SOFT, linewidth=0.8, linestyle=":")
    return drawing.whole("y").label("residual", "rows")


def sample(rows: int) -> Sequence[int]:
    """The rows in a cloud of points: all, or so many drawn at random, always the same."""
    if rows <= _DOTS:
        return range(rows)
    chosen: list[int] = np.sort(np.random.default_rng(0).choice(rows, _DOTS, replace=False)).tolist()
    return chosen
