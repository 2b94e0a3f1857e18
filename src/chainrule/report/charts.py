"""The drawings of a report, each from plain numbers."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from chainrule.report.drawing import INK, LINE, SERIES, SOFT, Drawing, colours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainrule.arrays import Floats
    from chainrule.report.curves import Calibration, PrecisionRecall, Roc
    from chainrule.report.importance import Importances

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
        series: by its name, the epochs and the values of each.
        y: what the values are.
        best: an epoch to mark; 0 for none.
        log: whether the values are spread by decades; None: where they span more than two.
    """
    drawing = Drawing(name, title, told)
    every = [value for _, values in series.values() for value in values if isfinite(value)]
    spans = bool(every) and min(every) > 0 and max(every) / min(every) > 100
    for (label, (epochs, values)), (colour, dash) in zip(series.items(), colours(), strict=False):
        kept = thinned(len(epochs))
        marker = {"marker": "o", "markersize": 3} if len(epochs) < 3 else {}
        drawing.axes.plot(np.take(epochs, kept), np.take(values, kept), dash, color=colour, label=label, **marker)
    if best:
        drawing.axes.axvline(best, color=SOFT, linewidth=1, linestyle=":", zorder=0, label=f"best, epoch {best}")
    if (spans if log is None else log) and every and min(every) > 0:
        drawing.axes.set_yscale("log")
    drawing.axes.xaxis.get_major_locator().set_params(integer=True)
    return drawing.label("epoch", y).legend()


def thinned(count: int, most: int = _POINTS) -> Sequence[int]:
    """The places of so many points, evenly spread where there are more than a drawing shows."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist() if count else []


def roc_chart(curves: Mapping[str, Roc], told: str) -> Drawing:
    """ROC curves, one for each class."""
    drawing = Drawing("roc", "ROC: share of the class found, by share of other rows taken for it", told)
    drawing.axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8, linestyle=":")
    for (label, curve), (colour, dash) in zip(curves.items(), colours(), strict=False):
        kept = thinned(len(curve.false_positive), _STEPS)
        drawing.axes.plot(
            curve.false_positive[kept], curve.true_positive[kept], dash, color=colour, label=label, linewidth=1.3
        )
    drawing.axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    return drawing.label("false positive rate", "true positive rate").legend(loc="lower right")


def precision_chart(curves: Mapping[str, PrecisionRecall], told: str) -> Drawing:
    """Precision by recall, one curve for each class."""
    drawing = Drawing("pr", "Precision by recall: how pure what is found is, by how much of the class is found", told)
    for (label, curve), (colour, dash) in zip(curves.items(), colours(), strict=False):
        kept = thinned(len(curve.recall), _STEPS)
        drawing.axes.plot(curve.recall[kept], curve.precision[kept], dash, color=colour, label=label, linewidth=1.3)
    drawing.axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    return drawing.label("recall", "precision").legend(loc="lower left")


def calibration_chart(found: Calibration, told: str) -> Drawing:
    """Accuracy by confidence; the area of a point by its rows."""
    drawing = Drawing("calibration", "Calibration: how often the network is right, by how sure it is", told)
    drawing.axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8, linestyle=":", label="as often as it says")
    drawing.axes.plot(found.confidence, found.accuracy, color=SERIES[0], linewidth=1.2)
    areas = 8 + 140 * found.rows / found.rows.max()
    drawing.axes.scatter(found.confidence, found.accuracy, s=areas, color=SERIES[0], label="rows, by area", zorder=3)
    drawing.axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    return drawing.label("mean confidence", "share that is right").legend(loc="upper left")


def values_chart(t: Floats, y: Floats, unit: str, told: str) -> Drawing:
    """Predicted values by true ones."""
    drawing = Drawing("values", "Predicted values by true ones", told)
    ends = [float(min(t.min(), y.min())), float(max(t.max(), y.max()))]
    drawing.axes.plot(ends, ends, color=SOFT, linewidth=0.8, linestyle=":", label="as they should be")
    kept = sample(len(t))
    drawing.axes.scatter(t[kept], y[kept], s=9, color=SERIES[0], alpha=0.55, linewidths=0, label="rows")
    return drawing.label(f"true {unit}", f"predicted {unit}").legend(loc="upper left")


def residuals_chart(y: Floats, residual: Floats, unit: str, told: str) -> Drawing:
    """Residuals by predicted values."""
    drawing = Drawing("residuals", "Residuals, predicted less true, by predicted values", told)
    drawing.axes.axhline(0, color=SOFT, linewidth=0.8, linestyle=":")
    kept = sample(len(y))
    drawing.axes.scatter(y[kept], residual[kept], s=9, color=SERIES[1], alpha=0.55, linewidths=0)
    return drawing.label(f"predicted {unit}", "residual")


def residual_spread_chart(residual: Floats, told: str) -> Drawing:
    """How many rows have which residual."""
    drawing = Drawing("spread", "How the residuals are spread", told)
    counts, edges = np.histogram(residual, bins=min(30, max(8, int(np.sqrt(len(residual))))))
    drawing.axes.bar(edges[:-1], counts, np.diff(edges) * 0.94, align="edge", color=SERIES[1], alpha=0.8)
    drawing.axes.axvline(0, color=SOFT, linewidth=0.8, linestyle=":")
    drawing.axes.yaxis.get_major_locator().set_params(integer=True)
    return drawing.label("residual", "rows")


def importance_chart(found: Importances, score: str, told: str, *, most: int) -> Drawing:
    """The columns that matter most, with the spread over the repeats."""
    shown = found.each[:most][::-1]
    size = (5.6, 0.75 + 0.2 * max(len(shown), 4))
    drawing = Drawing("importance", f"How much the {score} falls without each column", told, size=size)
    places = np.arange(len(shown))
    means, spreads = [each.mean for each in shown], [each.deviation for each in shown]
    drawing.axes.barh(places, means, 0.66, xerr=spreads, color=SERIES[0], ecolor=SOFT, error_kw={"linewidth": 1})
    drawing.axes.set_yticks(places, [_short(each.name) for each in shown])
    drawing.axes.set_ylim(len(shown) - max(len(shown), 4) - 0.6, len(shown) - 0.4)  # a bar alone stays a bar
    drawing.axes.tick_params(axis="y", length=0, labelcolor=INK)
    drawing.axes.grid(visible=False, axis="y")
    drawing.axes.axvline(0, color=LINE, linewidth=1)
    drawing.axes.set_xlabel(f"fall of the {score}")
    return drawing


def sample(rows: int) -> Sequence[int]:
    """The rows in a cloud of points: all, or so many drawn at random, always the same."""
    if rows <= _DOTS:
        return range(rows)
    chosen: list[int] = np.sort(np.random.default_rng(0).choice(rows, _DOTS, replace=False)).tolist()
    return chosen


def _short(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
