"""Pictures by matplotlib, without pyplot: no global state, no window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import ArgumentError
from chainrule.files import as_path, atomic_write

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

_COLOURS = {"training": "#3b6ea5", "validation": "#d1662b"}
_ENDINGS = (".png", ".svg", ".pdf")


def draw_curves(
    epochs: Sequence[float],
    losses: Mapping[str, Sequence[float]],
    scores: Mapping[str, Sequence[float]],
    *,
    best_epoch: int = 0,
) -> Figure:
    """Losses by epoch and, beside them, scores by epoch; the best epoch is marked."""
    from matplotlib.figure import Figure

    panels = [("loss", losses)] + ([("score", scores)] if scores else [])
    figure = Figure(figsize=(5.2 * len(panels), 3.6), layout="constrained")
    for axes, (label, series) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name, values in series.items():
            part = _part(name)
            marker = "o" if len(epochs) == 1 else None
            colour = _COLOURS[part] if label == "loss" else None
            axes.plot(epochs, values, label=_title(name), color=colour, marker=marker)
        if best_epoch:
            axes.axvline(
                best_epoch, color="0.7", linewidth=1, linestyle="--", label=f"best epoch {best_epoch}", zorder=0
            )
        _dress(axes, label)
        if label == "loss" and _spans_decades(series):
            axes.set_yscale("log")
    return figure


def draw_many_curves(
    curves: Sequence[tuple[Sequence[float], Mapping[str, Sequence[float]]]], *, best: int | None, best_name: str = ""
) -> Figure:
    """The curves of many trainings, faint, and over them those of the best, strong; losses apart from other scores.

    Args:
        curves: of each training its epochs and its scores by name.
        best: the place of the best; None where there is none.
        best_name: in the legend.
    """
    from matplotlib.figure import Figure

    names = dict.fromkeys(name for _, scores in curves for name in scores)
    losses = [name for name in names if name.endswith("loss")]
    others = [name for name in names if name not in losses]
    panels = [("loss", losses), *([("score", others)] if others else [])]
    figure = Figure(figsize=(5.2 * len(panels), 3.6), layout="constrained")
    for axes, (label, shown) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        series = {}
        for name in shown:
            for place, (epochs, scores) in enumerate(curves):
                if name in scores:
                    series[f"{place} {name}"] = scores[name]
                    _draw_one(axes, name, epochs, scores[name], strong=best_name if place == best else "")
        _dress(axes, label)
        if label == "loss" and _spans_decades(series):
            axes.set_yscale("log")
    return figure


def _draw_one(axes: Any, name: str, epochs: Sequence[float], values: Sequence[float], *, strong: str) -> None:
    """A curve, faint unless it is to be named in the legend."""
    style = {"linewidth": 2, "zorder": 3, "label": f"{_title(name)}, {strong}"} if strong else {"linewidth": 0.8}
    marker = "o" if len(epochs) == 1 else None
    axes.plot(epochs, values, color=_COLOURS[_part(name)], alpha=1 if strong else 0.25, marker=marker, **style)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write the picture; atomic.

    Raises:
        ArgumentError: when the ending is none of .png, .svg, .pdf.
        StorageError: when it cannot be written.
    """
    check_picture_path(path)
    with atomic_write(path) as file:
        figure.savefig(file, format=Path(path).suffix.lower().lstrip("."), dpi=150)


def check_picture_path(path: str | os.PathLike[str]) -> None:
    """Raise ArgumentError unless the ending is one of a picture; asked before a long run, not after it."""
    if as_path(path, where="plot").suffix.lower() not in _ENDINGS:
        raise ArgumentError("path", where="plot", expected=f"a name ending in {', '.join(_ENDINGS)}", got=str(path))


def _part(name: str) -> str:
    """The rows that a score is of."""
    return "validation" if name.startswith("validation_") else "training"


def _title(name: str) -> str:
    return f"{_part(name)} {name.removeprefix('validation_').replace('_', ' ')}"


def _dress(axes: Any, label: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.grid(visible=True, color="0.92")
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)


def _spans_decades(series: Mapping[str, Sequence[float]]) -> bool:
    values = [value for name in series for value in series[name]]
    return bool(values) and min(values) > 0 and max(values) / min(values) > 100
