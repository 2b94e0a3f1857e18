"""The other parts of a report: curves, inputs, layers, first weights, diagnosis, timing."""

from __future__ import annotations

import platform
from collections import defaultdict
from html import escape
from importlib import metadata
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from chainrule._version import __version__
from chainrule.engines.threads import cores
from chainrule.report import charts
from chainrule.report.page import Section, facts, figure, folded, grid, paragraph, table
from chainrule.report.pictures import as_image, picture, tiles_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.history import History
    from chainrule.insight.diagnosis import Findings
    from chainrule.insight.diagnosis.finding import Finding
    from chainrule.report.importance import Importances
    from chainrule.report.subject import Subject
    from chainrule.report.watching import LayerStatistics

_BARS = 20
_LISTED = 40
_EPOCHS = 25  # in a table


def curves_section(history: History) -> Section:
    """Losses and scores by epoch."""
    epochs = history["epoch"]
    names = [name for name in history.names[1:-2] if name != "penalty"]
    losses = [name for name in names if name.endswith("loss")]
    drawn = []
    for name, chosen, title in (
        ("loss", losses, "Loss"),
        ("scores", [name for name in names if name not in losses], "Scores"),
    ):
        if chosen:
            series = {_words(each, name == "loss"): (epochs, history[each]) for each in chosen}
            told = "; ".join(f"{_words(each)} {history[each][-1]:.4g} at the end" for each in chosen)
            drawing = charts.by_epoch(
                name,
                f"{title} by epoch",
                told,
                series,
                y="loss" if name == "loss" else _one_or(chosen),
                best=history.best_epoch,
            )
            drawn.append(figure(f"{title} by epoch", drawing.svg(), "without penalties" if name == "loss" else ""))
    if len(set(history["rate"])) > 1:
        series = {"learning rate": (epochs, history["rate"])}
        drawing = charts.by_epoch("rate", "Learning rate by epoch", "", series, y="rate")
        drawn.append(figure("Learning rate by epoch", drawing.svg()))
    return Section("curves", "How it learned", grid(*drawn) + folded("The numbers", _epochs_table(history)))


def _epochs_table(history: History) -> str:
    kept = np.unique(np.linspace(0, len(history) - 1, min(len(history), _EPOCHS)).round().astype(int)).tolist()
    names = history.names[:-1]
    rows = [[str(history["epoch"][i]), *(f"{history[name][i]:.5g}" for name in names[1:])] for i in kept]
    head = ["epoch", *(_words(name) for name in names[1:])]
    return table("By epoch", head, rows, right=range(1, len(names)))


def _words(name: str, of_training: bool = False) -> str:
    return (
        "training"
        if of_training and name == "loss"
        else name.replace("_", " ").replace("r2", "R²").removesuffix(" loss" * of_training)
    )


# ---- inputs ---------------------------------------------------------------------------------------------------------


def inputs_section(subject: Subject, found: Importances) -> Section:
    """Which inputs matter: bars or, of an image, a heat map; and a table."""
    score = "accuracy" if subject.kind == "classes" else "R²"
    told = paragraph(
        f"How much the {score} falls when the values of one column are dealt out anew among the rows: the mean of "
        f"{found.repeats} times, ± the standard deviation; on {found.rows:,} of the {subject.part} rows. Columns that "
        "say the same can stand in for one another, and then each seems to matter little.",
        "soft",
    )
    best = f"most: {found.each[0].name}, {found.each[0].mean:.4f} ± {found.each[0].deviation:.4f}."
    some = f"the first {_BARS} of {len(found.each)}" if len(found.each) > _BARS else ""
    chart = charts.importance_chart(found, score, best, most=_BARS)
    drawn = [figure("Which inputs matter", chart.svg(), some)]
    if subject.image is not None:
        drawn.append(_importance_image(subject, found, score))
    rows = [(each.name, f"{each.mean:.4f}", f"{each.deviation:.4f}") for each in found.each[:_LISTED]]
    numbers = table(f"Fall of the {score}", ("column", "mean", "deviation"), rows, right=(1, 2))
    return Section("inputs", "Which inputs matter", told + grid(*drawn) + folded("The numbers", numbers))


def _importance_image(subject: Subject, found: Importances, score: str) -> str:
    assert subject.image is not None  # noqa: S101 -- asked before
    side, places = subject.image
    by_name = {each.name: each.mean for each in found.each}
    x = np.array([by_name[name] for name, _ in subject.groups])
    words = f"{side} by {side} pixels: the bluer, the more the {score} falls without the pixel"
    image = picture(as_image(x, side, places), words, scale=float(np.abs(x).max()), css="pixels wide")
    return figure("The same, pixel by pixel", image, "blue: the score falls")


def weights_section(subject: Subject) -> Section | None:
    """The weights of the first layer as images, where the inputs are images."""
    of = subject.trained.objective
    first = next((each for each in of.layout.parameters if each.kind == "weight"), None)
    if subject.image is None or first is None or first.shape[0] != subject.inputs.shape[1]:
        return None
    side, places = subject.image
    W = np.asarray(subject.network.parameters[first.name], np.float64)
    chosen = tiles_of(W)
    tiles = []
    for unit in chosen.tolist():
        image = as_image(W[:, unit], side, places)
        words = f"weights into unit {unit}"
        tiles.append(f"<li>{picture(image, words, scale=float(np.abs(image).max()))}<span>unit {unit}</span></li>")
    some = (
        f"the {len(tiles)} units with the largest weights, of {W.shape[1]}" if len(tiles) < W.shape[1] else "all units"
    )
    told = paragraph(f"{first.name}, {some}; blue above zero, red below, each unit on its own scale.", "soft")
    return Section("weights", "What the first layer looks for", f'{told}<ul class="tiles">{"".join(tiles)}</ul>')


# ---- layers ---------------------------------------------------------------------------------------------------------


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
    told = paragraph(f"By {looks} looks at the same sample of rows, in the mode of training.", "soft")
    return Section("layers", "What the layers did", told + grid(*drawn) + folded("The numbers", _layers_table(watch)))


def _panel(name: str, title: str, y: str, series: dict[str, list[tuple[int, float]]], note: str, *, log: bool) -> str:
    points = {label: tuple(zip(*pairs, strict=True)) for label, pairs in series.items()}
    told = "; ".join(
        f"{label}: {pairs[0][1]:.3g} at first, {pairs[-1][1]:.3g} at the end" for label, pairs in series.items()
    )
    drawing = charts.by_epoch(name, f"{title}, by epoch", told, points, y=y, log=log)  # type: ignore[arg-type] # pairs
    return figure(title, drawing.svg(), note)


def _layers_table(watch: LayerStatistics) -> str:
    """First, middle and last look."""
    epochs = sorted({each.epoch for each in watch.weights})
    kept = sorted({epochs[0], epochs[len(epochs) // 2], epochs[-1]}) if epochs else []
    weights = [
        (each.name, str(each.epoch), *(f"{value:.4g}" for value in (each.gradient, each.weight, each.ratio)))
        for each in watch.weights
        if each.epoch in kept
    ]
    units = [
        (each.layer, str(each.epoch), *(f"{value:.4g}" for value in (each.mean, each.deviation, each.flat)))
        for each in watch.units
        if each.epoch in kept
    ]
    right = range(1, 5)
    return table(
        "Weights", ("weights", "epoch", "gradient", "norm", "update / weight"), sorted(weights), right=right
    ) + table("Outputs", ("layer", "epoch", "mean", "deviation", "flat"), sorted(units), right=right)


# ---- diagnosis ------------------------------------------------------------------------------------------------------


def diagnosis_section(findings: Findings) -> Section:
    """What a diagnosis found, with its numbers."""
    if not findings:
        good = paragraph("No rule found anything wrong with the data, the network or the training.", "good")
        return Section("diagnosis", "Diagnosis", good)
    return Section("diagnosis", f"Diagnosis: {findings.counted()}", "\n".join(_finding(each) for each in findings))


def _finding(finding: Finding) -> str:
    numbers = table(
        "",
        ("measured", "value", "well is"),
        [(n.name, f"{n.value:.4g}", n.healthy) for n in finding.figures],
        right=(1,),
    )
    tried = "".join(f"<li>{escape(each.words)}{_ways(each.argument, each.option)}</li>" for each in finding.remedies)
    cause = f" Perhaps it comes from {finding.cause.replace('_', ' ')}." if finding.cause else ""
    return (
        f'<article class="finding {finding.severity}"><p class="tag">{finding.severity}: '
        f"{escape(finding.rule.replace('_', ' '))}</p><h3>{escape(finding.says[:1].upper() + finding.says[1:])}</h3>"
        f"{paragraph(finding.why + cause)}{numbers}{f'<p>To try:</p><ul>{tried}</ul>' if tried else ''}"
        f"{paragraph(f'Source: {finding.source}.', 'soft')}</article>"
    )


def _ways(*texts: str) -> str:
    """As an argument, as an option: those that there are."""
    told = [f"<code>{escape(text)}</code>" for text in texts if text]
    return f": {' or '.join(told)}" if told else ""


# ---- timing ---------------------------------------------------------------------------------------------------------


def timing_section(subject: Subject) -> Section:
    """How long it took, who ran it, and the versions."""
    history, choice = subject.history, subject.trained.engine
    told = []
    if history.seconds and len(history):
        rows = len(subject.trained.data.X) * len(history) / history.seconds
        told.append(("time", f"{history.seconds:.3g} s, {history.seconds / len(history):.3g} s an epoch"))
        told.append(("speed", f"{rows:,.0f} rows a second, validation included"))
    told.append(("engine", f"{choice.engine.name}: {choice.reason}"))
    told.append(("number type", str(subject.trained.theta.dtype)))
    told.append(("machine", f"{platform.system()} {platform.machine()}, {_cores()}"))
    versions = [("chainrule", __version__), ("Python", platform.python_version())]
    versions += [(name, metadata.version(name)) for name in ("numpy", "polars", "matplotlib")]
    told.append(("versions", ", ".join(f"{name} {version}" for name, version in versions)))
    return Section("timing", "Time, engine, versions", facts(told))


def _cores() -> str:
    count = cores()
    return f"{count} core{'' if count == 1 else 's'}"


def summary(subject: Subject) -> Sequence[tuple[str, str]]:
    """The few numbers at the top."""
    history, report = subject.history, subject.report
    first = (
        ("accuracy", f"{report.accuracy:.4f}")
        if hasattr(report, "accuracy")
        else ("R²", f"{report.r2:.4f}" if report.r2 is not None else "–")
    )
    told = [(f"{first[0]}, {subject.part} rows", first[1])]
    if history.epochs:
        name = "validation_loss" if "validation_loss" in history.names else "loss"
        kept = (history.best_epoch or len(history)) if name == "validation_loss" else len(history)
        told.append((f"{name.replace('_', ' ')}, epoch {kept}", f"{history[name][kept - 1]:.4g}"))
    told.append(("epochs", f"{len(history):,}"))
    told.append(("parameters", f"{subject.trained.theta.size:,}"))
    if history.seconds:
        told.append(("seconds", f"{history.seconds:.3g}"))
    return told


def _one_or(names: Sequence[str]) -> str:
    """The name of the only score, or the word for several."""
    return _words(names[0]) if len(names) == 1 else "score"
