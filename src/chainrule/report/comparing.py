"""Models side by side: what was asked of each, how each learned, how good each is on the same rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import files
from chainrule.errors import ArgumentError, DataError, InputError
from chainrule.insight.rendering import Document, Explained, Heading, Sentence, Table
from chainrule.model import Model, load
from chainrule.network import Network
from chainrule.report import charts
from chainrule.report.page import Section, figure, grid, page, paragraph, table
from chainrule.report.words import number
from chainrule.scores import ClassReport
from chainrule.wording import layers_in_words, optimizer_in_words

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from chainrule.history import History
    from chainrule.insight.rendering import Part

_WHERE = "compare"


@dataclass(frozen=True, eq=False)
class Run:
    """One of the models.

    Attributes:
        name: by which it is told from the others.
        model: as it was loaded.
        scores: on the rows that all were given; empty where none were.
    """

    name: str
    model: Model | Network
    scores: Mapping[str, float | None]

    @property
    def network(self) -> Network:
        """Its network."""
        return self.model.network if isinstance(self.model, Model) else self.model

    @property
    def history(self) -> History | None:
        """Of its training; None where the file keeps none."""
        return self.network.history


class Compared(Explained):
    """Models side by side; ``print`` shows tables, `to_html` a page with their curves.

    Attributes:
        runs: the models.
        data: the rows that all were scored on, in words; empty where none were given.
    """

    def __init__(self, runs: Sequence[Run], data: str) -> None:
        self.runs, self.data_name = tuple(runs), data

    def settings(self) -> dict[str, tuple[str, ...]]:
        """What was asked of each, by name: what differs alone."""
        every = [_asked(run) for run in self.runs]
        names = dict.fromkeys(name for asked in every for name in asked)
        differing = [name for name in names if len({asked[name] for asked in every if name in asked}) > 1]
        return {name: tuple(asked.get(name, "–") for asked in every) for name in differing}

    def results(self) -> dict[str, tuple[float | None, ...]]:
        """What came of each, by name: size, epochs, the losses and scores of the epoch that was kept."""
        every = [_came(run) for run in self.runs]
        names = dict.fromkeys(name for came in every for name in came)
        return {name: tuple(came.get(name) for came in every) for name in names}

    def scores(self) -> dict[str, tuple[float | None, ...]]:
        """How good each is on the same rows, by name; nothing where none were given."""
        names = dict.fromkeys(name for run in self.runs for name in run.scores)
        return {name: tuple(run.scores.get(name) for run in self.runs) for name in names}

    def document(self, *, digits: int = 4) -> Document:
        parts: list[Part] = []
        for title, rows, right in self._tables(digits):
            head = ("", *(run.name for run in self.runs))
            parts += [Heading(title), Table(head, rows, right=range_of(head) if right else ())]
        if not self.settings():
            parts.insert(0, Sentence("Nothing that was asked of them differs.", "note"))
        return Document(self._title, tuple(parts))

    def data(self) -> dict[str, Any]:
        names = [run.name for run in self.runs]
        groups: dict[str, Mapping[str, tuple[Any, ...]]] = {"settings": self.settings()}
        groups |= {"results": self.results(), "scores": self.scores()}
        told = {
            group: {name: dict(zip(names, values, strict=True)) for name, values in rows.items()}
            for group, rows in groups.items()
        }
        return {"models": names, "data": self.data_name, **told}

    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        digits: int = 4,
        whole: bool = False,  # noqa: ARG002 -- there is nothing to abridge
    ) -> str:
        """A page that needs nothing but itself, with the curves laid over each other; see `Explained.to_html`."""
        sections = [
            Section(f"part-{place}", title, table("", ("", *(run.name for run in self.runs)), rows, right=numbers))
            for place, (title, rows, right) in enumerate(self._tables(digits))
            for numbers in [range(1, len(self.runs) + 1) if right else ()]
        ]
        drawn = self._drawings()
        if drawn:
            sections.insert(0, Section("curves", "How they learned", grid(*drawn)))
        content = page(self._title, paragraph(f"{len(self.runs)} models side by side.", "soft"), sections)
        if path is not None:
            with files.atomic_write(path) as file:
                file.write(content.encode())
        return content

    @property
    def _title(self) -> str:
        *names, last = (run.name for run in self.runs)
        return f"{', '.join(names)} and {last}"

    def _tables(self, digits: int) -> list[tuple[str, tuple[tuple[str, ...], ...], bool]]:
        """Title, rows, and whether these are numbers."""
        told: list[tuple[str, tuple[tuple[str, ...], ...], bool]] = []
        if self.settings():
            told.append(("What differs", tuple((name, *values) for name, values in self.settings().items()), False))
        for title, rows in (("What came of it", self.results()), (f"On the rows of {self.data_name}", self.scores())):
            if rows:
                told.append(
                    (title, tuple((name, *(_shown(v, digits) for v in values)) for name, values in rows.items()), True)
                )
        return told

    def _drawings(self) -> list[str]:
        """For each loss and score that any of them has, the curves of all."""
        known = {run.name: run.history for run in self.runs if run.history is not None and len(run.history)}
        names = dict.fromkeys(name for history in known.values() for name in history.names[1:-2] if name != "penalty")
        drawn = []
        for place, name in enumerate(names):
            series = {label: (h["epoch"], h[name]) if name in h.names else ([], []) for label, h in known.items()}
            told = "; ".join(
                f"{label}: {number(values[-1])} at the end" for label, (_, values) in series.items() if values
            )
            words = name.replace("_", " ").replace("r2", "R²")
            drawing = charts.by_epoch(f"curve-{place}", f"{words} by epoch", told, series, y=words)
            drawn.append(figure(f"{words.capitalize()} by epoch", drawing.html(least=1)))
        return drawn


def compare(*models: str | os.PathLike[str] | Model | Network, data: Any = None) -> Compared:
    """Models side by side.

    Args:
        models: two or more: paths of model files, or what `load` gave.
        data: a table to score all of them on, its target included; only for models that were trained from a table.

    Raises:
        ArgumentError: for fewer than two, or for a network without columns where there is a table.
        FileFormatError: when a file cannot be read.
        DataError: when the table does not fit one of them.
    """
    if len(models) < 2:
        named = f"{len(models)} {'was' if len(models) == 1 else 'were'} named"
        raise ArgumentError(f"two models or more are put side by side, and {named}", where=_WHERE)
    loaded = [each if not isinstance(each, str | Path) else load(each) for each in models]
    names = _names(models)
    runs = [
        Run(name, model, {} if data is None else _scores(model, data, name))  # type: ignore[arg-type] # load gave one
        for name, model in zip(names, loaded, strict=True)
    ]
    return Compared(runs, "" if data is None else str(data) if isinstance(data, str | Path) else "the table")


def range_of(head: Sequence[str]) -> tuple[int, ...]:
    """The columns after the first."""
    return tuple(range(1, len(head)))


def _names(models: Sequence[Any]) -> list[str]:
    """File names, with as much of the folder as tells them apart; numbers for what is no file."""
    paths = [Path(each) if isinstance(each, str | Path) else None for each in models]
    stems = ["" if path is None else path.stem for path in paths]
    if len(set(stems)) < len(stems):
        stems = ["" if path is None else path.with_suffix("").as_posix() for path in paths]
    return [
        stem if stem and stems.count(stem) == 1 else f"{stem or 'model'} {place}" for place, stem in enumerate(stems, 1)
    ]


def _scores(model: Model | Network, data: Any, name: str) -> dict[str, float | None]:
    if not isinstance(model, Model):
        raise ArgumentError(f"{name} is a network without the columns of a table", where=_WHERE, mend="Leave out data")
    try:
        report = model.evaluate(data)
    except InputError as fault:
        raise DataError(f"{name} cannot be scored on these rows: {fault}", where=_WHERE) from None
    if isinstance(report, ClassReport):
        macro = report.macro.f1
        scores = {"accuracy": report.accuracy, "F1": macro, "log loss": report.log_loss}
        return scores | {"area under ROC": report.roc_auc}
    return {"R²": report.r2, "mean error": report.mae, "root of mean square": report.rmse}


def _asked(run: Run) -> dict[str, str]:
    """What was asked of a model, by name."""
    net = run.network
    told = {"data": "a table" if isinstance(run.model, Model) else "arrays"}
    told |= {"inputs": f"{net.input_shape[0]:,}", "layers": layers_in_words(net.layers), "loss": net.loss.name}
    if isinstance(run.model, Model):
        told["target"] = run.model.columns.target.name
        settings = dataclasses.asdict(run.model.settings)
        own = ("layers", "target", "loss", "optimizer", "lr", "schedule", "epochs", "batch_size", "patience", "seed")
        told |= {name.replace("_", " "): _plain(value) for name, value in settings.items() if name not in own}
    told["seed"] = f"{net.seed}"
    settings_of = None if run.history is None else run.history.settings
    if settings_of is not None:
        told |= {"optimizer": optimizer_in_words(settings_of.optimizer), "epochs": f"{settings_of.epochs:,}"}
        told |= {"batch size": f"{settings_of.batch_size:,}"}
        stopping = settings_of.early_stopping
        told["patience"] = "–" if stopping is None else f"{stopping.patience}"
    return told


def _plain(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)


def _came(run: Run) -> dict[str, float | None]:
    """What came of a model, by name; losses and scores where its weights are from."""
    told: dict[str, float | None] = {"parameters": float(run.network.theta.size)}
    history = run.history
    if history is None or not len(history):
        return told
    restored = history.settings is not None and history.settings.early_stopping is not None
    numbers = [int(epoch) for epoch in history["epoch"]]
    kept = numbers.index(history.best_epoch) if restored and history.best_epoch in numbers else len(numbers) - 1
    told |= {"epochs": float(numbers[-1]), "weights of epoch": float(numbers[kept])}
    scores = {name.replace("_", " ").replace("r2", "R²"): history[name][kept] for name in history.names[1:-2]}
    return told | scores


def _shown(value: float | None, digits: int) -> str:
    if value is None or not isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 1 else f"{value:.{min(digits, 6)}g}"
