"""``chainrule export``: a model as a file that other programs run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from chainrule.cli.console import output, say, write_json
from chainrule.cli.options import GROUPS
from chainrule.errors import ArgumentError
from chainrule.files import check_writable

if TYPE_CHECKING:
    from collections.abc import Iterable

_DATA, _OUTPUT = GROUPS["Data"], GROUPS["Output"]
_EXAMPLES = """\
Examples:
  chainrule export flowers.safetensors --to onnx --data flowers.csv
  chainrule export flowers.safetensors --out flowers.c --training-step
  chainrule export flowers.safetensors --out flowers.py --data flowers.csv

Formats:
"""


def _formats() -> str:
    """A line for each format."""
    from chainrule.export import FORMATS

    width = max(map(len, FORMATS))
    return "\n".join(f"  {name:<{width}}  {each.about}" for name, each in FORMATS.items())


app = App(
    name="export",
    usage="Usage: chainrule export MODEL --to FORMAT [OPTIONS]",
    help_epilogue=_EXAMPLES + _formats(),
)


@app.default
def export(
    model: Annotated[str, Parameter(group=_DATA, help="A model file that chainrule wrote.")],
    /,
    *,
    to: Annotated[
        str | None,
        Parameter(
            group=_OUTPUT,
            metavar="FORMAT",
            show_default=False,
            help="One of the formats below; unless given, as --out ends.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        Parameter(
            group=_OUTPUT,
            metavar="FILE",
            show_default=False,
            help="The file to write; unless given, named after MODEL, beside it.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        Parameter(
            group=_DATA,
            show_default=False,
            help="A table of rows to compare on, besides random ones; for a script, to train on. A file or a built-in"
            " name.",
        ),
    ] = None,
    network_only: Annotated[
        bool,
        Parameter(group=_OUTPUT, negative=(), show_default=False, help="Leave out the encoding of the columns."),
    ] = False,
    training_step: Annotated[
        bool,
        Parameter(group=_OUTPUT, negative=(), show_default=False, help="In C: a function that trains on one row, too."),
    ] = False,
    start: Annotated[
        Literal["initial", "present"] | None,
        Parameter(
            group=_OUTPUT,
            show_default=False,
            help="What a script in NumPy or Python begins with: initial, as the seed draws them, or present.",
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        Parameter(
            group=_OUTPUT,
            metavar="NAME",
            show_default=False,
            help="With what a script trains, such as sgd; unless given, as the model was trained.",
        ),
    ] = None,
    json: Annotated[
        bool,
        Parameter(
            group=_OUTPUT, negative=(), show_default=False, help="What was written as one JSON object, for machines."
        ),
    ] = False,
) -> None:
    """Write the file and tell how it was checked; see `app` for the words that a person reads."""
    from chainrule.model import load

    target = _target(model, to, out)
    wishes: dict[str, Any] = {"training_step": training_step or None, "start": start, "optimizer": optimizer}
    options = {name: wish for name, wish in wishes.items() if wish is not None}
    _check_options(target, to, options)
    exported = load(model).export(target, to, data=data, network_only=network_only, **options)
    if json:
        write_json(msgspec.to_builtins(exported))
    else:
        say(output(), str(exported))


_OURS = (b"chainrule", b'"kind":"model"')
"""What stands in every file of ours."""

_FORMATS_WITH = {"training_step": ("c",), "start": ("numpy", "python"), "optimizer": ("numpy", "python")}


def _check_options(target: str, to: str | None, options: Iterable[str]) -> None:
    """Raise for an option that this format does not have."""
    from chainrule.export.formats import chosen

    form = chosen(target, to).name
    for name in options:
        if form not in _FORMATS_WITH[name]:
            formats = " and ".join(_FORMATS_WITH[name])
            raise ArgumentError(f"--{name.replace('_', '-')} is an option of {formats}", got=form)


def _target(model: str, to: str | None, out: str | None) -> str:
    """The file to write, of which it is sure that it can be.

    Raises:
        ArgumentError: when format and file are missing, the file is the model itself, or a name that nobody chose is
            that of somebody's file.
    """
    from chainrule.export.formats import chosen

    named = out is not None
    if out is None:
        if to is None:
            raise ArgumentError(
                "it is not said what to write", mend="Give --to FORMAT, such as --to onnx, or --out FILE"
            )
        out = str(Path(model).with_suffix("")) + chosen("", to).endings[0]
    elif out == "-":
        raise ArgumentError("--out", expected="the name of a file", got=out)
    else:
        chosen(out, to).check_name(out)
    check_writable(out, "--out")
    if Path(model).exists() and os.path.realpath(model) == os.path.realpath(out):
        raise ArgumentError("--out", expected="another file than the model", got=out)
    if not named and Path(out).exists() and not any(mark in Path(out).read_bytes() for mark in _OURS):
        raise ArgumentError(
            f"{out} stands there already, and chainrule did not write it", mend="Name the file to write: --out FILE"
        )
    return out
