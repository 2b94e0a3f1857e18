"""What was trained, on what, and what repeats it."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import numpy as np

from chainrule import activations, losses
from chainrule.report.page import Section, code, facts, table
from chainrule.report.words import scored
from chainrule.settings import Settings
from chainrule.wording import optimizer_in_words

if TYPE_CHECKING:
    from chainrule.history import History
    from chainrule.report.subject import Subject

_NAMED = (*get_args(activations.AnyActivation), *get_args(losses.AnyLoss))  # that are asked for by name
_PIPED = "standard input"
_AT_THE_TOP = ("layers", "optimizers", "training")  # whose records are public names of the package itself


def setting_section(subject: Subject, command: str, python: str = "") -> Section:
    """Data, network, training; and the command that repeats it."""
    body = facts([*_data_facts(subject), *_training_facts(subject)])
    body += _layers(subject)
    repeat = command or ("" if python else command_of(subject))
    if repeat:
        body += f"<h3>To repeat it</h3>\n{code(repeat)}"
    body += f"<h3>In Python</h3>\n{code(python or python_of(subject))}"
    return Section("setting", "What was trained", body)


def _data_facts(subject: Subject) -> list[tuple[str, str]]:
    told, known = [], subject.trained.table
    if known is not None:
        rows, columns = known.shape
        others = ", other rows than those of the training" if known.given else ""
        told += [("data", f"{known.name or 'a frame'}: {rows:,} rows, {columns:,} columns{others}")]
        told += [("target", f"{known.columns.target.name}; {known.columns.target.reason}")]
        told += [("inputs", f"{len(known.columns.feature_names):,} from {len(known.columns.features):,} columns")]
        aside = [each.name for each in known.columns.set_aside]
        if aside:
            more = f" and {len(aside) - 8:,} more" if len(aside) > 8 else ""
            told.append(("set aside", f"{', '.join(aside[:8])}{more}"))
    else:
        told.append(("data", f"arrays: {sum(subject.counts.values()):,} rows of {subject.inputs.shape[1]:,} inputs"))
    told.append(("rows", ", ".join(f"{count:,} for {part}" for part, count in subject.counts.items())))
    if subject.kind == "classes":
        told.append(("classes", _listed([str(label) for label in subject.classes])))
    return told


def _training_facts(subject: Subject) -> list[tuple[str, str]]:
    history, of = subject.history, subject.trained.objective
    penalties = [f"{name} {value:g}" for name, value in (("l1", of.l1), ("l2", of.l2)) if value]
    told = [("loss", ", ".join([of.loss.name.replace("_", " "), *penalties]))]
    settings = history.settings
    if settings is not None:
        whole = settings.batch_size >= len(subject.trained.data.X)
        told.append(("optimizer", optimizer_in_words(settings.optimizer)))
        told.append(("batches", "all rows at once" if whole else f"{settings.batch_size:,} rows"))
        last = subject.last_epoch
        asked = f" of {settings.epochs:,}" if settings.epochs != last else ""
        told.append(("epochs", f"{last:,}{asked}{stopped_of(history)}"))
        if settings.early_stopping is not None:
            told.append(("early stopping", f"after {settings.early_stopping.patience} epochs without a better one"))
    told.append(("seed", f"{subject.trained.seed}"))
    return [*told, *_seeds_facts(subject)]


def _seeds_facts(subject: Subject) -> list[tuple[str, str]]:
    """Of how many trainings this one is the best, and how far they lie apart."""
    known = subject.trained.table
    report = None if known is None else known.seeds()
    if report is None:
        return []
    told = [("chosen", f"the best of {len(report.seeds):,} seeds by the {report.monitor.replace('_', ' ')}")]
    if report.spread is not None:
        each, name = report.spread, report.name.replace("r2", "R²")
        ends = f"{scored(each.mean)} ± {scored(each.deviation)}, from {scored(each.least)} to {scored(each.most)}"
        told.append(("all seeds", f"{name} on the {report.rows:,} {report.part} rows: {ends}"))
    return told


def stopped_of(history: History) -> str:
    """Why it ended before its last epoch, if it did."""
    return f"; stopped: {history.stopped.replace('_', ' ')}" if history.stopped else ""


def _layers(subject: Subject) -> str:
    of = subject.trained.objective
    rows = []
    for name, layer, shape in of.network.named(of.input_shape):
        size = sum(int(np.prod(each.shape)) for each in layer.parameters(shape))
        (inputs,), (outputs,) = shape, layer.output_shape(shape)
        told = layer.f.name if hasattr(layer, "f") else layer.kind.replace("_", " ")
        rows.append((name, told, f"{inputs:,}", f"{outputs:,}", f"{size:,}"))
    rows.append(("together", "", "", "", f"{of.layout.size:,}"))
    return table("Layers", ("layer", "function", "inputs", "outputs", "parameters"), rows, right=(2, 3, 4))


# ---- what repeats it ------------------------------------------------------------------------------------------------


def command_of(subject: Subject) -> str:
    """The command line that repeats a training from a table; empty where there is none."""
    known = subject.trained.table
    if known is None or known.given or not known.name:
        return ""
    data = "-" if known.name == _PIPED else shlex.quote(known.name)
    return " ".join(["chainrule train", data, *_options(known.settings)])


def _options(settings: Settings) -> list[str]:
    options = []
    for field, value in _chosen(settings).items():
        name = f"--{field.replace('_', '-')}"
        if isinstance(value, bool):
            options.append(name if value else name.replace("--", "--no-", 1))
        elif isinstance(value, tuple):
            options.append(f"{name} {shlex.quote(','.join(_quoted(each) for each in value))}")
        else:
            options.append(f"{name} {shlex.quote(str(value))}")
    return options


def _quoted(value: object) -> str:
    """One of several names between commas; one that holds a comma stands in quotation marks."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _chosen(settings: Settings) -> dict[str, Any]:
    """The settings that are not what they are by themselves."""
    usual = Settings()
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return {name: value for name, value in values.items() if value is not None and value != getattr(usual, name)}


def python_of(subject: Subject) -> str:
    """The Python that repeats it; of a training from arrays the rows are `X, y`."""
    known = subject.trained.table
    if known is not None:
        options = "".join(f", {name}={value!r}" for name, value in _chosen(known.settings).items())
        if known.name and not known.given and known.name != _PIPED:
            return f"import chainrule as cr\n\nmodel = cr.train({known.name!r}{options})"
        return f"import chainrule as cr\n\nmodel = cr.train(table{options})  # the table of the training"
    of, history = subject.trained.objective, subject.history
    layers = "".join(f"\n        {code_of(layer)}," for layer in of.network.layers)
    penalties = "".join(f", {name}={value!r}" for name, value in (("l1", of.l1), ("l2", of.l2)) if value)
    lines = [
        "import chainrule as cr",
        "",
        (
            f"net = cr.Network(\n    [{layers}\n    ],\n    loss={code_of(of.loss)}, seed={subject.trained.seed}, "
            f"dtype={str(subject.trained.theta.dtype)!r}{penalties},\n)"
        ),
    ]
    settings = history.settings
    if settings is not None:
        validation = "" if subject.trained.held is None else "validation=validation, "
        stopping = settings.early_stopping
        stop = "" if stopping is None else f"early_stopping={code_of(stopping)}, "
        rows = f"X, y, epochs={settings.epochs}, batch_size={settings.batch_size}, {validation}{stop}"
        optimizer = code_of(settings.optimizer)
        lines.append(
            f"history = net.fit(  # the same rows\n    {rows}shuffle={settings.shuffle},\n    optimizer={optimizer},\n)"
        )
    return "\n".join(lines)


def code_of(value: object) -> str:
    """A record of the library as the Python that makes it; only what is not as by itself.

    >>> import chainrule as cr
    >>> code_of(cr.Dense(8, "tanh"))
    "cr.Dense(units=8, activation='tanh')"
    """
    if not isinstance(value, msgspec.Struct):
        if isinstance(value, tuple):
            return f"({''.join(f'{code_of(each)}, ' for each in value).strip()})"
        return repr(value)
    kind = type(value)
    if kind in _NAMED and value == kind():
        return repr(value.name)  # type: ignore[attr-defined] # these have one
    usual = {each.name: each.default for each in msgspec.structs.fields(kind)}
    told = [
        f"{name}={code_of(given)}"
        for name in kind.__struct_fields__
        if (given := getattr(value, name)) is not None and not _same(given, usual.get(name))
    ]
    module = kind.__module__.removeprefix("chainrule.").partition(".")[0]
    place = "" if module in _AT_THE_TOP else f"{module}."
    return f"cr.{place}{kind.__name__}({', '.join(told)})"


def _same(value: object, usual: object) -> bool:
    """Whether two values of a field are the same; arrays never are."""
    if isinstance(value, np.ndarray) or isinstance(usual, np.ndarray):
        return False
    return type(value) is type(usual) and bool(value == usual)


def _listed(names: list[str], most: int = 20) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
