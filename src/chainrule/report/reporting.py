"""`report`: all that there is to tell of a training, as one HTML file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chainrule.errors import ArgumentError
from chainrule.files import atomic_write, check_writable
from chainrule.insight.diagnosis.diagnosing import evidence_of, examine
from chainrule.insight.diagnosis.setup import Setup
from chainrule.report.importance import Importances, importances
from chainrule.report.inputs import inputs_section, weights_section
from chainrule.report.layers import layers_section, unwatched_section
from chainrule.report.page import cards, page, paragraph
from chainrule.report.results import results_section, undefined_section
from chainrule.report.sections import curves_section, diagnosis_section, summary, timing_section
from chainrule.report.setting import setting_section
from chainrule.report.subject import Subject
from chainrule.report.watching import LayerStatistics
from chainrule.report.worst import worst_section

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from chainrule.callbacks import AnyCallback
    from chainrule.history import History
    from chainrule.insight.diagnosis import Findings
    from chainrule.model import Model
    from chainrule.table_training import TableTraining

_WHERE = "report"
_SIZES = 8  # layers in the subtitle


def report(
    history: History,
    path: str | os.PathLike[str],
    *,
    layers: LayerStatistics | None = None,
    names: Sequence[str] = (),
    command: str = "",
    python: str = "",
) -> None:
    """Write the report of a training: one HTML file that needs no network and no scripts; atomic.

    It is judged by the rows of the test, where there are any, or else of the validation, or else of the training.

    Args:
        history: of a training that has ended, as `fit` or `train` gave it.
        path: usually ending in ``.html``.
        layers: what listened to the layers while it ran; unless given, the one among the callbacks of the training.
        names: of the inputs, where the training was one from arrays.
        command: what repeats the training; unless given, what is known of it.
        python: the script that repeats it; with it alone no command is told.

    Raises:
        ArgumentError: when the history does not know the rows, or the names do not fit them.
        StorageError: when the file cannot be written.
    """
    content = page_of(history, layers=layers, names=names, command=command, python=python)
    with atomic_write(path) as file:
        file.write(content.encode())


def run_and_report(
    training: TableTraining, path: str | os.PathLike[str], *, callbacks: Iterable[AnyCallback] = (), resume: Any = None
) -> Model:
    """Run a training with its layers watched, and write its report, also where it does not come to its end.

    Raises:
        ArgumentError: at once, when the file cannot be written.
        DivergenceError, KeyboardInterrupt: as the training does.
    """
    check_writable(path, "report")
    watch = LayerStatistics()
    try:
        if training.settings.seeds is None:
            return training.run(callbacks=(*callbacks, watch), resume=resume)
        model = training.run(callbacks=callbacks, resume=resume)
        training.listen_to_best([watch])
        return model
    finally:
        if training.model.history is not None:
            training.model.history.report(path)


def page_of(
    history: History,
    *,
    layers: LayerStatistics | None = None,
    names: Sequence[str] = (),
    command: str = "",
    python: str = "",
) -> str:
    """The page itself; see `report`."""
    subject = _subject(history, layers, names)
    watch, important = layers or subject.trained.watch, None if subject.undefined else _importances(subject)
    sections = [
        setting_section(subject, command, python),
        curves_section(history, watch) if len(history) else None,
        results_section(subject) if important else undefined_section(subject),
        inputs_section(subject, important) if important else None,
        layers_section(watch) if watch is not None and watch.weights else unwatched_section(subject),
        weights_section(subject),
        worst_section(subject, important) if important else None,
        diagnosis_section(findings_of(subject)),
        timing_section(subject),
    ]
    now = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    head = paragraph(f"{subtitle(subject)}. Written {now}.", "soft") + cards(summary(subject))
    return page(title(subject), head, [each for each in sections if each is not None])


def _importances(subject: Subject) -> Importances:
    size, seed = subject.trained.theta.size, subject.trained.seed
    return importances(subject.inputs, subject.score, subject.groups, parameters=size, seed=seed)


def title(subject: Subject) -> str:
    """What was learned."""
    table = subject.trained.table
    if table is None:
        return "Training of a network"
    return f"{table.columns.target.name} from {table.name or 'a table'}"


def subtitle(subject: Subject) -> str:
    """The network in a few words."""
    of = subject.trained.objective
    sizes = [
        str(layer.output_shape(shape)[0])
        for name, layer, shape in of.network.named(of.input_shape)
        if layer.kind == "dense"
    ]
    kind = "Regression" if subject.kind == "values" else "Classification"
    sizes = sizes if len(sizes) <= _SIZES else [*sizes[: _SIZES // 2], "…", *sizes[-_SIZES // 2 :]]
    return f"{kind} by a network of {'-'.join([str(of.input_shape[0]), *sizes])} units"


def findings_of(subject: Subject) -> Findings:
    """What a diagnosis finds in the training and in the network at its end."""
    trained, settings = subject.trained, subject.history.settings
    if settings is None:
        raise AssertionError("asked for before")
    table = trained.table
    setup = Setup(
        objective=trained.objective,
        dtype=str(trained.theta.dtype),  # type: ignore[arg-type] # float32 or float64
        seed=trained.seed,
        data=trained.data,
        settings=settings,
        held=trained.held,
        names=subject.names if table is None else tuple(table.columns.feature_names),
        spare=() if table is None else table.columns.spare,
    )
    return examine(evidence_of(setup, subject.network, subject.history, of_model=table is not None))


def _subject(history: History, layers: object, names: Sequence[str]) -> Subject:
    trained = history.trained
    if trained is None or history.settings is None:
        raise ArgumentError(
            "this history does not know what was trained",
            where=_WHERE,
            mend="Ask the history of the training itself: that of a file, or of one of many trainings, holds no rows",
        )
    if not isinstance(layers, LayerStatistics | None):
        raise ArgumentError("layers", where=_WHERE, expected="a LayerStatistics that listened, or None", got=layers)
    inputs = trained.data.X.shape[1]
    if names and (isinstance(names, str) or len(names) != inputs):
        raise ArgumentError("names", where=_WHERE, expected=f"{inputs} names, one for each input", got=names)
    return Subject(history=history, trained=trained, names=tuple(map(str, names)))
