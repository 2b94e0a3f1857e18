"""What the layers did as the training went on."""

from __future__ import annotations

from collections import defaultdict
from math import isfinite
from typing import TYPE_CHECKING

from chainrule.report import charts
from chainrule.report.page import Section, code, figure, folded, grid, paragraph, table
from chainrule.report.words import number

if TYPE_CHECKING:
    from chainrule.report.subject import Subject
    from chainrule.report.watching import LayerStatistics

_DRAWN = 10  # layers


def layers_section(watch: LayerStatistics) -> Section:
    """Gradient, update and outputs of each layer over the epochs."""
    gradients, ratios = defaultdict(list), defaultdict(list)
    for each in watch.weights:
        gradients[each.name].append((each.epoch, each.gradient))
        if isfinite(each.ratio):
            ratios[each.name].append((each.epoch, each.ratio))
    means, spreads, flats = defaultdict(list), defaultdict(list), defaultdict(list)
    for unit in watch.units:
        label = f"{unit.layer} {unit.activation}"
        means[label].append((unit.epoch, unit.mean))
        spreads[label].append((unit.epoch, unit.deviation))
        if isfinite(unit.flat):
            flats[label].append((unit.epoch, unit.flat))
    panels = (
        ("gradients", "Norm of the gradient", "norm of dL/dW", gradients, True, "without penalties"),
        ("ratios", "Update over weight", "norm of step / norm of W", ratios, True, "about 0.001 is usual"),
        ("means", "Mean of the outputs", "mean of f(Z)", means, False, ""),
        ("deviations", "Spread of the outputs", "deviation of f(Z)", spreads, False, ""),
        (
            "flat",
            "Share of outputs where f is flat",
            "share",
            flats,
            False,
            "relu at 0, sigmoid and tanh at their ends",
        ),
    )
    drawn = [_panel(name, title, y, series, note, log=log) for name, title, y, series, log, note in panels if series]
    looks = len({each.epoch for each in watch.weights})
    some = f" Drawn are {_DRAWN} of the layers, evenly spread." if len(gradients) > _DRAWN else ""
    told = paragraph(f"By {looks} looks at the same sample of rows, in the mode of training.{some}", "soft")
    return Section("layers", "What the layers did", told + grid(*drawn) + folded("The numbers", _layers_table(watch)))


def unwatched_section(subject: Subject) -> Section:
    """How to have the layers watched, where nobody did."""
    table_of = subject.trained.table
    if table_of is not None and table_of.settings.seeds is not None:
        return Section(
            "layers",
            "What the layers did",
            paragraph(
                "Nobody listened to the layers: that is done after all trainings, while the best runs once more.",
                "soft",
            ),
        )
    call = "net.fit(X, y, callbacks=watch)" if table_of is None else "cr.train(data, callbacks=[watch])"
    told = paragraph("Nobody listened to the layers while it ran. To see what they do over the epochs:", "soft")
    return Section("layers", "What the layers did", told + code(f"watch = cr.LayerStatistics()\n{call}"))


def _panel(name: str, title: str, y: str, series: dict[str, list[tuple[int, float]]], note: str, *, log: bool) -> str:
    kept = [list(series)[place] for place in charts.thinned(len(series), _DRAWN)]
    points = {label: tuple(zip(*series[label], strict=True)) for label in kept}
    told = "; ".join(
        f"{label}: {number(series[label][0][1], 3)} at first, {number(series[label][-1][1], 3)} at the end"
        for label in kept
    )
    drawing = charts.by_epoch(name, f"{title}, by epoch", told, points, y=y, log=log)  # type: ignore[arg-type] # pairs
    return figure(title, drawing.html(), note)


def _layers_table(watch: LayerStatistics) -> str:
    """First, middle and last look."""
    epochs = sorted({each.epoch for each in watch.weights})
    kept = sorted({epochs[0], epochs[len(epochs) // 2], epochs[-1]}) if epochs else []
    weights = [
        (each.name, str(each.epoch), *map(number, (each.gradient, each.weight, each.ratio)))
        for each in watch.weights
        if each.epoch in kept
    ]
    units = [
        (each.layer, str(each.epoch), *map(number, (each.mean, each.deviation, each.flat)))
        for each in watch.units
        if each.epoch in kept
    ]
    right = range(1, 5)
    return table(
        "Weights", ("weights", "epoch", "gradient", "norm", "update / weight"), _by_layer(weights), right=right
    ) + table("Outputs", ("layer", "epoch", "mean", "deviation", "flat"), _by_layer(units), right=right)


def _by_layer(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Those of one layer together, the layers in their order."""
    places = {name: place for place, name in enumerate(dict.fromkeys(name for name, *_ in rows))}
    return sorted(rows, key=lambda row: places[row[0]])
