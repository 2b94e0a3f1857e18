"""``chainrule import``: a network that was trained elsewhere, as a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from chainrule.cli.console import output, say, show_document
from chainrule.cli.explaining import deliver
from chainrule.cli.options import GROUPS
from chainrule.cli.plan import ENDING, check_model_path
from chainrule.errors import ArgumentError
from chainrule.insight.rendering.numbers import DIGITS

if TYPE_CHECKING:
    from chainrule.importing.imported import ImportedNetwork

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]
_KERAS = (".keras", ".h5", ".hdf5")
_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".sav")

app = App(
    name="import",
    usage="Usage: chainrule import FILE [OPTIONS]",
    help_epilogue="""\
Examples:
  chainrule import digits.onnx
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
    network = _read(file, loss, approximate_gelu=approximate_gelu)
    network.save(written)
    if json:
        deliver(network.report, form="json", out=None)
        return
    show_document(output(), network.report.document(), digits=DIGITS, whole=False)
    say(output(), f"\nWrote {written}, a network without the columns of a table.")
    say(output(), f"Next, in Python: chainrule.load({written!r}).predict(X)", style="bold")


def _read(file: str, loss: str | None, *, approximate_gelu: bool) -> ImportedNetwork:
    if file.lower().endswith(_KERAS):
        from chainrule.importing.keras import from_keras

        return from_keras(file, loss=loss, approximate_gelu=approximate_gelu)
    from chainrule.importing.onnx import from_onnx

    return from_onnx(file, loss=loss, approximate_gelu=approximate_gelu)


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
