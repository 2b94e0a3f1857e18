"""``chainrule import``: a network that was trained elsewhere, as a model file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import App, Group, Parameter

from chainrule.cli.console import output, say, show_document
from chainrule.cli.explaining import deliver
from chainrule.cli.options import GROUPS
from chainrule.cli.plan import ENDING, check_model_path
from chainrule.errors import ArgumentError, did_you_mean
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    import polars as pl

    from chainrule.importing.imported import ImportedNetwork
    from chainrule.model import Model

_DATA, _OUTPUT, _TABLE = GROUPS["Data"], GROUPS["Output"], Group("Table", sort_key=1)
_COMPARED = 1000  # rows of a table on which both are run
_KERAS = (".keras", ".h5", ".hdf5")
_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".sav")

app = App(
    name="import",
    usage="Usage: chainrule import FILE [OPTIONS]",
    help_epilogue="""\
Examples:
  chainrule import digits.onnx
  chainrule import iris.onnx --data iris.csv --target species
  chainrule import digits.keras --out digits.safetensors
  chainrule import logits.onnx --loss cross_entropy""",
)


@app.default
def import_(
    file: Annotated[str, Parameter(group=_DATA, help="An ONNX file, or a .keras or .h5 file of a Sequential.")],
    /,
    *,
    loss: Annotated[
        str | None,
        Parameter(
            group=_DATA,
            metavar="NAME",
            help="The loss of further training and of gradients: cross_entropy, mean_squared_error, ...; unless given "
            "what suits the outputs.",
        ),
    ] = None,
    approximate_gelu: Annotated[
        bool,
        Parameter(
            group=_DATA,
            negative=(),
            show_default=False,
            help="Take the tanh form for a GELU of the other form, which differs by 5e-4 at most.",
        ),
    ] = False,
    data: Annotated[
        str | None,
        Parameter(
            group=_TABLE,
            metavar="TABLE",
            show_default=False,
            help="A table like that on which it was trained, numbers beside the target: both are run on its rows, and "
            "the model file knows its columns, so that every command takes it.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        Parameter(
            group=_TABLE,
            metavar="COLUMN",
            show_default=False,
            help="The column that it predicts; a built-in table knows its own.",
        ),
    ] = None,
    classes: Annotated[
        tuple[str, ...],
        Parameter(
            group=_TABLE,
            metavar="NAMES",
            negative=(),
            show_default=False,
            help="What its outputs stand for, in their order: A,B,C; unless given 0, 1, ..., or the labels of the "
            "target, sorted.",
        ),
    ] = (),
    out: Annotated[
        str | None,
        Parameter(
            group=_OUTPUT,
            metavar="FILE",
            show_default=False,
            help="The model file to write; unless given, named after FILE, here.",
        ),
    ] = None,
    json: Annotated[
        bool,
        Parameter(group=_OUTPUT, negative=(), show_default=False, help="The report for machines, as one JSON object."),
    ] = False,
) -> None:
    """Write the model file; see `app` for the words that a person reads."""
    _check_kind(file)
    written = out or f"{Path(file).stem}{ENDING}"
    check_model_path(written)
    table = None if data is None else _read_table(data, target)
    if table is None and (target is not None or classes):
        raise ArgumentError("--target and --classes are for --data", mend="Give --data TABLE beside them")
    rows = None if table is None else table.rows
    network = _read(file, loss, X=rows, approximate_gelu=approximate_gelu)
    if table is None:
        network.save(written)
    else:
        _with_columns(network, table, classes).save(written)
    if json:
        deliver(network.report, form="json", out=None)
        return
    show_document(output(), network.report.document(), digits=DIGITS, whole=False)
    if table is None:
        say(output(), f"\nWrote {written}, a network without the columns of a table.")
        say(output(), "With --data TABLE it knows its columns, and every command takes it.")
        say(output(), f"Next, in Python: chainrule.load({written!r}).predict(X)", style="bold")
    else:
        say(output(), f"\nWrote {written}.")
        say(output(), f"Next: {shlex.join(['chainrule', 'explain', written, str(data)])}", style="bold")


class _Table(NamedTuple):
    """A table, the column that is predicted, and the others as numbers, the first rows of them."""

    frame: pl.DataFrame
    target: str
    rows: Any


def _read_table(data: str, target: str | None) -> _Table:
    from chainrule.tables import known_target, read_table

    frame = read_table(data)
    target = known_target(data) if target is None else target
    if target is None:
        mend = f"Give --target COLUMN. The columns are: {', '.join(frame.columns[:20])}"
        raise ArgumentError("it is not said which column is the target", mend=mend)
    if target not in frame.columns:
        raise ArgumentError(f"--target: there is no column {target!r}", mend=did_you_mean(target, frame.columns))
    numbers = frame.drop(target).head(_COMPARED).drop_nulls()
    numeric = all(dtype.is_numeric() for dtype in numbers.dtypes) and not numbers.is_empty()
    return _Table(frame, target, numbers.to_numpy() if numeric else None)


def _with_columns(network: ImportedNetwork, table: _Table, classes: tuple[str, ...]) -> Model:
    """The network as a model of the table; the labels that were given are of the type that the column has."""
    labels: tuple[Any, ...] | None = classes or None
    if classes and table.frame[table.target].dtype.is_integer():
        labels = tuple(int(label) if label.lstrip("-").isdigit() else label for label in classes)
    return network.with_columns(table.frame, table.target, classes=labels)


def _read(file: str, loss: str | None, *, X: Any, approximate_gelu: bool) -> ImportedNetwork:
    if file.lower().endswith(_KERAS):
        from chainrule.importing.keras import from_keras

        return from_keras(file, loss=loss, X=X, approximate_gelu=approximate_gelu)
    from chainrule.importing.onnx import from_onnx

    return from_onnx(file, loss=loss, X=X, approximate_gelu=approximate_gelu)


def _check_kind(file: str) -> None:
    """Raise with what to do for files that cannot be read, or not safely."""
    ending = Path(file).suffix.lower()
    if ending in (".onnx", *_KERAS):
        return
    if ending in _PICKLED:
        mend = (
            "Such a file may run code when it is read, or has weights without an architecture. Where it was made, use "
            "chainrule.from_torch(module) or chainrule.from_sklearn(estimator) in Python, or write ONNX: "
            "torch.onnx.export(module, rows, 'net.onnx')"
        )
    elif ending == ENDING:
        mend = "It is a model of chainrule already, or weights without an architecture: see chainrule.from_torch"
    else:
        mend = "Write ONNX where it was made, and import that"
    raise ArgumentError(f"{file}: a file {ending!r} cannot be imported", mend=mend)
