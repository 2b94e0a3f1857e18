"""The plots of the documents: series by epoch, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import StorageError
from chainrule.plotting import save_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUT = Path("chainrule-examples")
"""Where `chainrule example` puts its pictures unless told otherwise."""


def prepare(folder: Path) -> None:
    """Make the folder, before a long run and not after it.

    Raises:
        StorageError: when it cannot be made.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise StorageError(f"{folder}: the folder cannot be made: {reason}. Name another with --out.") from None


def draw(path: Path, panels: Mapping[str, Mapping[str, Sequence[float]]], *, log: Sequence[str] = ()) -> str:
    """Draw one panel for each label, its series from epoch 1 on; a panel named in `log` has a logarithmic axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8 * len(panels), 3.6), layout="constrained")
    for axes, (label, series) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for name, values in series.items():
            axes.plot(range(1, len(values) + 1), values, label=name, marker="o" if len(values) == 1 else None)
        axes.set(xlabel="epoch", ylabel=label, yscale="log" if label in log else "linear")
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
        axes.grid(visible=True, color="0.92")
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axes.legend(frameon=False)
    save_figure(figure, path)
    return str(path)
