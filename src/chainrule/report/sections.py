"""The other parts of a report: curves, diagnosis, timing, and what stands at the top."""

from __future__ import annotations

import platform
from collections import defaultdict
from html import escape
from importlib import metadata
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from chainrule._version import __version__
from chainrule.engines.threads import cores
from chainrule.report import charts
from chainrule.report.page import Section, facts, figure, folded, grid, paragraph, table
from chainrule.report.words import number, scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.history import History
    from chainrule.insight.diagnosis import Findings
    from chainrule.insight.diagnosis.finding import Finding
    from chainrule.report.subject import Subject
    from chainrule.report.watching import LayerStatistics

_Series: TypeAlias = dict[str, tuple[list[float], list[float]]]  # epochs and values of each curve
_EPOCHS = 25  # in a table


def curves_section(history: History, watch: LayerStatistics | None = None) -> Section:
    """Losses and scores by epoch, each score in a drawing of its own."""
    epochs, drawn = history["epoch"], []
    for score, series in _curves(history, watch).items():
        told = "; ".join(f"{label} {number(values[-1])} at the end" for label, (_, values) in series.items())
        words = _words(score)
        title = f"{words[:1].upper()}{words[1:]} by epoch"
        drawing = charts.by_epoch(f"curve-{score}", title, told, series, y=words, best=history.best_epoch)
        drawn.append(figure(title, drawing.html(), "without penalties" if score == "loss" else ""))
    if len(set(history["rate"])) > 1:
        series = {"learning rate": (epochs, history["rate"])}
        drawing = charts.by_epoch("rate", "Learning rate by epoch", "", series, y="rate")
        drawn.append(figure("Learning rate by epoch", drawing.html()))
    return Section("curves", "How it learned", grid(*drawn) + folded("The numbers", _epochs_table(history)))


def _epochs_table(history: History) -> str:
    kept = np.unique(np.linspace(0, len(history) - 1, min(len(history), _EPOCHS)).round().astype(int)).tolist()
    names = history.names[:-1]
    rows = [[str(history["epoch"][i]), *(number(history[name][i], digits=5) for name in names[1:])] for i in kept]
    head = ["epoch", *(_words(name) for name in names[1:])]
    return table("By epoch", head, rows, right=range(1, len(names)))


def _curves(history: History, watch: LayerStatistics | None) -> dict[str, _Series]:
    """By the name of each loss and score the curves of training and validation, as far as they were measured."""
    found: dict[str, _Series] = defaultdict(dict)
    for name in history.names[1:-2]:
        if name != "penalty":
            part = "validation" if name.startswith("validation_") else "training"
            found[name.removeprefix("validation_")][part] = (history["epoch"], history[name])
    for each in watch.scores if watch is not None else ():
        epochs, values = found[each.name].setdefault("training, a sample", ([], []))
        epochs.append(each.epoch)
        values.append(each.value)
    return {name: dict(sorted(series.items())) for name, series in found.items()}


def _words(name: str) -> str:
    return name.replace("_", " ").replace("r2", "R²")


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
        [(n.name, number(n.value), n.healthy) for n in finding.figures],
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
        rows = len(subject.trained.data.X) * subject.last_epoch / history.seconds
        told.append(("time", f"{history.seconds:.3g} s, {history.seconds / subject.last_epoch:.3g} s an epoch"))
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
    history = subject.history
    name, score = subject.headline
    told = [(f"{name}, {subject.part} rows", scored(score))]
    if history.epochs:
        name = "validation_loss" if "validation_loss" in history.names else "loss"
        kept = (history.best_epoch or subject.last_epoch) if name == "validation_loss" else subject.last_epoch
        value = history[name][history["epoch"].index(kept)]
        told.append((f"{name.replace('_', ' ')}, epoch {kept:,}", number(value)))
    told.append(("epochs", f"{subject.last_epoch:,}"))
    told.append(("parameters", f"{subject.trained.theta.size:,}"))
    if history.seconds:
        told.append(("seconds", f"{history.seconds:.3g}"))
    return told
